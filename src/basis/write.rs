//! Writing basis sets.

use std::fmt::Write as _;

use num_complex::Complex64;
use rustfft::FftDirection;

use super::BasisSet;
use crate::signal::fft::transform;

/// The text of an LCModel `.BASIS` file.
///
/// Spectra are FFT/√NDATAB of the FIDs in DFT order, in columns of E15.6 (`FMTBAS`), as LCModel reads
/// them. FIDs go in as they are, CONC, TRAMP and VOLUME being 1 and ISHIFT 0. LCModel keeps six
/// characters of a name and five of the sequence.
pub fn write_lcmodel(set: &BasisSet) -> String {
    let n = set.fids.ncols();
    let mut text = String::new();
    // Writing to a String cannot fail, so the results carry nothing.
    // LCModel's own sign for what it does not know is −1.
    let te_ms = set.te_s.map_or(-1.0, |t| t * 1e3);
    let plain = |s: &str| s.replace(|c: char| c == '\'' || c.is_control(), " ");
    let sequence = plain(set.sequence.as_deref().unwrap_or(" "));
    let fwhmba = set.linewidth_hz.map_or(-1.0, |hz| hz / set.f0_mhz);
    let _ = write!(
        text,
        " $SEQPAR\n FWHMBA = {fwhmba:.9},\n HZPPPM = {:.9},\n ECHOT = {te_ms:.6},\n SEQ = '{sequence}'\n $END\n",
        set.f0_mhz
    );
    let _ = write!(
        text,
        " $BASIS1\n IDBASI = '{}',\n FMTBAS = '(2E15.6)',\n BADELT = {:E},\n NDATAB = {n}\n $END\n",
        plain(&set.id),
        set.dwell_s
    );
    let fft = transform(n, FftDirection::Forward);
    for (name, fid) in set.metabolites.iter().zip(set.fids.outer_iter()) {
        let _ = write!(
            text,
            " $NMUSED\n XTRASH = 0.00\n $END\n $BASIS\n ID = '{0}',\n METABO = '{0}',\n CONC = 1.,\n TRAMP = 1.,\n VOLUME = 1.,\n ISHIFT = 0\n $END\n",
            plain(name)
        );
        let mut spectrum: Vec<Complex64> = fid.to_vec();
        fft.process(&mut spectrum);
        let scale = 1.0 / (n as f64).sqrt();
        for z in spectrum {
            let _ = writeln!(text, "{}{}", fortran_e15(z.re * scale), fortran_e15(z.im * scale));
        }
    }
    text
}

/// A number in Fortran's E15.6 with a digit before the point.
fn fortran_e15(value: f64) -> String {
    let text = format!("{value:.6e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{:>15}", format!("{mantissa}E{sign}{:02}", exponent.abs()))
}

/// The text of an LCModel RAW file with member `k` of the set: RAW holds neither dwell time nor frequency, whoever
/// reads it must know them.
pub fn write_raw(set: &BasisSet, k: usize) -> String {
    let name = set.metabolites.get(k).map_or("", String::as_str);
    let mut text = format!(" $NMID ID='{name}', FMTDAT='(2E15.6)'\n TRAMP=1., VOLUME=1. $END\n");
    for z in set.fids.row(k) {
        let _ = writeln!(text, "{}{}", fortran_e15(z.re), fortran_e15(z.im));
    }
    text
}

/// The text of an FSL-MRS JSON basis file with member `k` of the set.
pub fn write_fsl_json(set: &BasisSet, k: usize) -> String {
    let fid = set.fids.row(k);
    let part = |of: fn(&Complex64) -> f64| fid.iter().map(of).collect::<Vec<f64>>();
    let basis = serde_json::json!({
        "basis_re": part(|z| z.re),
        "basis_im": part(|z| z.im),
        "basis_dwell": set.dwell_s,
        "basis_centre": set.f0_mhz,
        "basis_width": set.linewidth_hz.unwrap_or(0.0),
        "basis_name": set.metabolites.get(k),
    });
    let meta = serde_json::json!({ "SimVersion": set.id, "TE_s": set.te_s, "Sequence": set.sequence });
    serde_json::json!({ "basis": basis, "meta": meta }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_fixed_width() {
        assert_eq!(fortran_e15(-1.5e-3), "  -1.500000E-03");
        assert_eq!(fortran_e15(0.0).len(), 15);
    }
}
