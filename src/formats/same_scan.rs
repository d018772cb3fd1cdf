//! Whether two files hold one scan, and which of them is nearer to what the scanner measured.
//!
//! A stem that two files share is a hint, no more: `x.dcm` may be the spectrum and `x.rda` its water reference. They are one
//! scan if no header contradicts the other and the samples agree: exports of one spectrum have equal samples up to scale
//! and phase; of raw data and an export the height of water over that of the metabolites must agree.

use num_complex::Complex64;
use rustfft::FftDirection;

use super::{
    bruker, dicom, ge_pfile, jmrui_binary, jmrui_text, lcmodel_raw, nifti_mrs, philips_list, philips_sdat, plain_text,
    siemens_rda, siemens_twix, varian,
};
use crate::acquisition::{Acquisition, ppm_from_hz};
use crate::signal::fft::{signed_bin, transform};

/// The rawest first: what was measured, what the scanner made of it, what programs made of that.
const RAWEST_FIRST: [&str; 13] = [
    siemens_twix::NAME,
    ge_pfile::NAME,
    philips_list::NAME,
    bruker::NAME,
    varian::NAME,
    dicom::NAME,
    siemens_rda::NAME,
    philips_sdat::NAME,
    nifti_mrs::NAME,
    jmrui_binary::NAME,
    lcmodel_raw::NAME,
    jmrui_text::NAME,
    plain_text::NAME,
];

/// Frequencies of one scan agree within (relative).
const SAME_F0: f64 = 1e-3;
/// Echo times of one scan agree within (s): headers round them to milliseconds.
const SAME_TE_S: f64 = 6e-4;
/// Repetition times of one scan agree within (relative).
const SAME_TR: f64 = 0.05;
/// Raw data are sampled faster by such factors than what is exported of them; these agree within (relative).
const OVERSAMPLING: [f64; 5] = [1.0, 2.0, 4.0, 0.5, 0.25];
const SAME_DWELL: f64 = 0.01;
/// Centres of one voxel lie within (mm).
const SAME_PLACE_MM: f64 = 5.0;
/// Correlation of samples that are one spectrum.
const SAME_SAMPLES: f64 = 0.98;
/// Water over metabolites agrees within this factor in one scan; without suppression it is a hundred times higher.
const SAME_WATER: f64 = 5.0;

/// Place of a file's format among [`RAWEST_FIRST`]; behind all of them where what was read of it cannot be fitted, as it
/// states no dwell time or frequency.
pub(super) fn rank(format: &str, data: Option<&Acquisition>) -> usize {
    let place = RAWEST_FIRST.iter().position(|name| *name == format).unwrap_or(RAWEST_FIRST.len());
    let is_bare = data.is_some_and(|data| data.facts.dwell_s.is_none() || data.facts.f0_mhz.is_none());
    if is_bare { place + RAWEST_FIRST.len() } else { place }
}

/// Whether two acquisitions are one scan.
pub(super) fn is_one_scan(one: &Acquisition, other: &Acquisition) -> bool {
    if one.format == other.format {
        // Two exports of one kind are two scans, unless they are one file twice.
        return one.samples == other.samples;
    }
    if contradicts(one, other) {
        return false;
    }
    let fids = [one, other].map(mean_fid);
    if correlation(&fids[0], &fids[1]) > SAME_SAMPLES {
        return true;
    }
    match [(one, &fids[0]), (other, &fids[1])].map(|(data, fid)| water_over_metabolites(data, fid)) {
        [Some(a), Some(b)] => a < SAME_WATER * b && b < SAME_WATER * a,
        // Of what states nothing only the samples can tell.
        _ => false,
    }
}

/// Whether what both headers state cannot be of one scan.
fn contradicts(one: &Acquisition, other: &Acquisition) -> bool {
    let differ = |a: Option<f64>, b: Option<f64>, is_same: &dyn Fn(f64, f64) -> bool| matches!((a, b), (Some(a), Some(b)) if !is_same(a, b));
    let within = |most: f64| move |a: f64, b: f64| (a / b - 1.0).abs() <= most;
    let is_oversampled = |a: f64, b: f64| OVERSAMPLING.iter().any(|factor| within(SAME_DWELL)(a, b * factor));
    let (a, b) = (&one.facts, &other.facts);
    let place = |data: &Acquisition| data.affine_mm.map(|m| [m[0][3], m[1][3], m[2][3]]);
    let is_elsewhere = matches!((place(one), place(other)), (Some(a), Some(b))
        if a.iter().zip(&b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() > SAME_PLACE_MM);
    one.n_voxels() != other.n_voxels()
        || is_elsewhere
        || a.has_other_nucleus(b)
        || matches!((a.water_suppressed, b.water_suppressed), (Some(a), Some(b)) if a != b)
        || differ(a.f0_mhz, b.f0_mhz, &within(SAME_F0))
        || differ(a.te_s, b.te_s, &|a, b| (a - b).abs() <= SAME_TE_S)
        || differ(a.tr_s, b.tr_s, &within(SAME_TR))
        || differ(a.dwell_s, b.dwell_s, &is_oversampled)
}

/// The mean over transients of the first voxel and condition, of the coil that receives most.
fn mean_fid(data: &Acquisition) -> Vec<Complex64> {
    let series = data.series(data.first_voxel, 0);
    let (transients, coils, points) = series.dim();
    let mean = |coil: usize| {
        let mut sum = vec![Complex64::default(); points];
        for transient in 0..transients {
            sum.iter_mut().zip(series.fid(transient, coil)).for_each(|(sum, z)| *sum += z);
        }
        sum
    };
    let power = |fid: &[Complex64]| fid.iter().map(Complex64::norm_sqr).sum::<f64>();
    (0..coils).map(mean).max_by(|a, b| power(a).total_cmp(&power(b))).unwrap_or_default()
}

/// Of two signals, as long as both are; formats conjugate in different ways.
fn correlation(one: &[Complex64], other: &[Complex64]) -> f64 {
    let power = |fid: &[Complex64]| fid.iter().map(Complex64::norm_sqr).sum::<f64>();
    let n = one.len().min(other.len());
    let (one, other) = (&one[..n], &other[..n]);
    let product: Complex64 = one.iter().zip(other).map(|(a, b)| a * b.conj()).sum();
    let size = (power(one) * power(other)).sqrt();
    if size > 0.0 { product.norm() / size } else { 0.0 }
}

/// The tallest peak about water over the tallest of the metabolites, in the magnitude spectrum.
fn water_over_metabolites(data: &Acquisition, fid: &[Complex64]) -> Option<f64> {
    let (dwell_s, f0_mhz) = (data.facts.dwell_s?, data.facts.f0_mhz?);
    let n = 2 * fid.len();
    let mut spectrum = fid.to_vec();
    spectrum.resize(n, Complex64::default());
    transform(n, FftDirection::Forward).process(&mut spectrum);
    let tallest = |low: f64, high: f64| {
        let ppm = |k: usize| ppm_from_hz(signed_bin(k, n) / (n as f64 * dwell_s), f0_mhz);
        (0..n).filter(|&k| (low..high).contains(&ppm(k))).map(|k| spectrum[k].norm()).fold(0.0, f64::max)
    };
    let (water, metabolites) = (tallest(4.3, 5.0), tallest(1.7, 3.6));
    (water > 0.0 && metabolites > 0.0).then(|| water / metabolites)
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use ndarray::Array5;

    use super::*;
    use crate::acquisition::{Facts, hz_from_ppm};

    /// A line of NAA and one of water, of this height, sampled so fast; one coil is weak.
    fn scan(format: &'static str, water: f64, dwell_s: f64, coils: usize) -> Acquisition {
        let samples = Array5::from_shape_fn((1, 1, 2, coils, 512), |(_, _, t, c, p)| {
            let time = p as f64 * dwell_s;
            let line = |ppm: f64, height: f64| {
                Complex64::from_polar(height * (-12.0 * time).exp(), 2.0 * PI * hz_from_ppm(ppm, 123.2) * time)
            };
            let noise = ((p * 40_503 + t * 977) % 4096) as f64 / 4096.0 - 0.5;
            (line(2.01, 10.0) + line(4.65, water) + noise) * (1.0 + c as f64)
        });
        let facts = Facts { dwell_s: Some(dwell_s), f0_mhz: Some(123.2), te_s: Some(0.03), ..Facts::default() };
        Acquisition { facts, ..Acquisition::from_samples(format, samples) }
    }

    #[test]
    fn one_scan_in_two_formats_is_told_from_a_scan_and_its_water() {
        let raw = scan(siemens_twix::NAME, 30.0, 2.5e-4, 3);
        let export = scan(siemens_rda::NAME, 30.0, 5e-4, 1);
        assert!(is_one_scan(&raw, &export));
        let water = scan(siemens_rda::NAME, 30_000.0, 5e-4, 1);
        assert!(!is_one_scan(&raw, &water));
        let change = |change: &dyn Fn(&mut Facts)| {
            let mut other = export.clone();
            change(&mut other.facts);
            is_one_scan(&raw, &other)
        };
        assert!(change(&|f| f.te_s = Some(0.0304)));
        assert!(!change(&|f| f.te_s = Some(0.035)));
        assert!(!change(&|f| f.f0_mhz = Some(127.7)));
        assert!(!change(&|f| f.dwell_s = Some(4e-4)));
        // Of a text without a header only the samples can tell.
        let text =
            |data: &Acquisition| Acquisition { facts: Facts::default(), format: plain_text::NAME, ..data.clone() };
        assert!(is_one_scan(&text(&export), &export) && !is_one_scan(&text(&water), &export));
    }

    #[test]
    fn two_exports_of_one_format_are_two_scans_unless_equal() {
        let one = scan(siemens_rda::NAME, 30.0, 5e-4, 1);
        assert!(is_one_scan(&one, &one.clone()));
        assert!(!is_one_scan(&one, &scan(siemens_rda::NAME, 31.0, 5e-4, 1)));
        let place = |format: &str| rank(format, None);
        assert!(place(siemens_twix::NAME) < place(dicom::NAME) && place(dicom::NAME) < place(siemens_rda::NAME));
        // What states no frequency cannot be fitted.
        let bare = Acquisition { facts: Facts::default(), ..one.clone() };
        assert!(rank(lcmodel_raw::NAME, Some(&bare)) > rank(jmrui_text::NAME, Some(&one)));
    }
}
