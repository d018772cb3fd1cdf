//! LCModel `.BASIS` files: namelists and the spectrum of each metabolite in fixed-width columns.
//!
//! Layout and meaning of the header values follow LCModel's own reader (subroutine MYBASI, LCModel
//! 6.3, BSD licence): the stored spectrum is the unitary DFT of the FID in natural DFT order,
//! `ppm = 4.65 − f/f0`; a positive ISHIFT moves it that many grid points towards larger ppm; the
//! amplitude is multiplied by TRAMP/(VOLUME·CONC).

use std::path::Path;

use num_complex::Complex64;
use rustfft::FftDirection;

use super::member::{Grid, Member, assemble, stem};
use super::{BasisError, BasisSet};
use crate::formats::namelist::{Namelist, NamelistError, Reader};
use crate::hash::sha256_hex;
use crate::signal::fft::transform;

/// A FWHMBA above this (ppm) is a value in Hz: LCModel's unit is ppm, and no basis set is made with
/// lines broader than 6 Hz at 3 T. (spant writes Hz.)
const FWHMBA_MAX_PPM: f64 = 0.05;

/// Largest NDATAB taken (LCModel's own limit is 16 times smaller).
const MAX_POINTS: f64 = 1_048_576.0;

/// Decodes the bytes of a `.BASIS` file. `path` serves messages and, where the file does not name
/// itself, the id.
///
/// # Errors
/// See [`BasisError`].
pub(super) fn decode(bytes: &[u8], path: &Path, grid: &Grid) -> Result<BasisSet, BasisError> {
    let text = |source: NamelistError| BasisError::Text { path: path.to_owned(), source };
    let missing = |field, hint| BasisError::Missing { path: path.to_owned(), field, hint };
    let mut reader = Reader::new(bytes);
    let mut remarks = Vec::new();
    let mut seqpar: Option<Namelist> = None;
    let mut layout: Option<(Layout, Option<String>)> = None;
    let mut members = Vec::new();
    while let Some(list) = reader.next_namelist().map_err(text)? {
        match list.name.as_str() {
            "SEQPAR" => seqpar = Some(list),
            "BASIS1" => layout = Some((Layout::read(&list, path)?, list.text("IDBASI").map(str::to_owned))),
            "BASIS" => {
                let Some((layout, _)) = &layout else {
                    return Err(missing("NDATAB", "the $BASIS1 namelist must come before the first $BASIS"));
                };
                members.push(member(&list, layout, &mut reader, path)?);
            }
            _ => {} // $NMUSED, $NMEACH: how the set was made; nothing that a reader needs.
        }
    }
    let Some((layout, idbasi)) = layout else {
        return Err(BasisError::Empty { path: path.to_owned() });
    };
    let header = Header::read(seqpar.as_ref(), path, grid, &mut remarks)?;
    let (metabolites, fids) = assemble(path, members)?;
    Ok(BasisSet {
        id: idbasi.unwrap_or_else(|| stem(path)),
        metabolites,
        fids,
        dwell_s: layout.dwell_s,
        f0_mhz: header.f0_mhz,
        te_s: header.te_s,
        sequence: header.sequence,
        linewidth_hz: header.linewidth_hz,
        fwhmba_ppm: header.fwhmba_ppm,
        singlet_fwhm_hz: None,
        sha256: sha256_hex(bytes),
        remarks,
    })
}

/// `$BASIS1`: how every spectrum is stored.
struct Layout {
    format: String,
    dwell_s: f64,
    n_points: usize,
}

impl Layout {
    fn read(list: &Namelist, path: &Path) -> Result<Self, BasisError> {
        let number = |key| list.number(key).map_err(|source| BasisError::Text { path: path.to_owned(), source });
        let dwell_s = number("BADELT")?.ok_or_else(|| BasisError::Missing {
            path: path.to_owned(),
            field: "BADELT",
            hint: "the $BASIS1 namelist must give the dwell time in seconds",
        })?;
        if dwell_s < 0.0 {
            return Err(BasisError::Encrypted { path: path.to_owned() });
        }
        let n_points = number("NDATAB")?.ok_or_else(|| BasisError::Missing {
            path: path.to_owned(),
            field: "NDATAB",
            hint: "the $BASIS1 namelist must give the number of points",
        })?;
        let invalid = |field, value, must_be| Err(BasisError::Invalid { path: path.to_owned(), field, value, must_be });
        if dwell_s == 0.0 || dwell_s > 1.0 {
            return invalid("BADELT", dwell_s, "a dwell time in seconds");
        }
        if !(2.0..=MAX_POINTS).contains(&n_points) || n_points.fract() != 0.0 {
            return invalid("NDATAB", n_points, "a whole number of points between 2 and 1048576");
        }
        let format = list.text("FMTBAS").unwrap_or("*").to_owned();
        Ok(Self { format, dwell_s, n_points: n_points as usize })
    }
}

/// `$SEQPAR`: the protocol.
struct Header {
    f0_mhz: f64,
    te_s: Option<f64>,
    sequence: Option<String>,
    linewidth_hz: Option<f64>,
    fwhmba_ppm: Option<f64>,
}

impl Header {
    fn read(list: Option<&Namelist>, path: &Path, grid: &Grid, remarks: &mut Vec<String>) -> Result<Self, BasisError> {
        // LCModel writes −1 where it knows nothing.
        let positive = |key: &str| -> Result<Option<f64>, BasisError> {
            let value = list.map_or(Ok(None), |l| l.number(key));
            let value = value.map_err(|source| BasisError::Text { path: path.to_owned(), source })?;
            Ok(value.filter(|v| *v > 0.0))
        };
        let f0_mhz = positive("HZPPPM")?.or(grid.f0_mhz).ok_or_else(|| BasisError::Missing {
            path: path.to_owned(),
            field: "HZPPPM",
            hint: "give the spectrometer frequency in MHz (--f0-mhz or the manifest)",
        })?;
        let te_s = positive("ECHOT")?.map(|ms| ms * 1e-3).or(grid.te_s);
        let fwhmba_ppm = positive("FWHMBA")?;
        let linewidth_hz = fwhmba_ppm.and_then(|ppm| {
            if ppm > FWHMBA_MAX_PPM {
                remarks.push(format!("FWHMBA = {ppm} is too broad for ppm and was ignored"));
                return None;
            }
            Some(ppm * f0_mhz)
        });
        let sequence = list.and_then(|l| l.text("SEQ")).map(str::to_owned);
        Ok(Self { f0_mhz, te_s, sequence, linewidth_hz, fwhmba_ppm })
    }
}

/// One `$BASIS` namelist and the numbers after it.
fn member(list: &Namelist, layout: &Layout, reader: &mut Reader<'_>, path: &Path) -> Result<Member, BasisError> {
    let name = list
        .text("METABO")
        .or_else(|| list.text("ID"))
        .ok_or_else(|| BasisError::Member {
            path: path.to_owned(),
            member: format!("on line {}", list.line),
            reason: "it has neither METABO nor ID".to_owned(),
        })?
        .to_owned();
    let fail = |reason: String| BasisError::Member { path: path.to_owned(), member: name.clone(), reason };
    let number =
        |key: &str, default: f64| list.number(key).map(|v| v.unwrap_or(default)).map_err(|e| fail(e.to_string()));
    let (conc, tramp, volume) = (number("CONC", 1.0)?, number("TRAMP", 1.0)?, number("VOLUME", 1.0)?);
    if conc <= 0.0 || tramp <= 0.0 || volume <= 0.0 {
        return Err(fail(format!(
            "CONC = {conc}, TRAMP = {tramp}, VOLUME = {volume} on line {}: all must be positive",
            list.line
        )));
    }
    let shift = number("ISHIFT", 0.0)?;
    let n = layout.n_points;
    let values = reader.numbers(&layout.format, Some(2 * n)).map_err(|e| fail(e.to_string()))?;
    let mut spectrum: Vec<Complex64> =
        values.as_chunks::<2>().0.iter().map(|&[re, im]| Complex64::new(re, im)).collect();
    // Point k of the referenced spectrum is point k + ISHIFT of the stored one.
    let left = (shift as i64).rem_euclid(n as i64) as usize;
    spectrum.rotate_left(left);
    transform(n, FftDirection::Inverse).process(&mut spectrum);
    let scale = tramp / (volume * conc) / (n as f64).sqrt();
    spectrum.iter_mut().for_each(|z| *z *= scale);
    Ok(Member { name, fid: spectrum })
}
