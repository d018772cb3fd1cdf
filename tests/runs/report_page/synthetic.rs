//! A dataset of any size, written through the store without a fit.

use std::ops::Range;
use std::path::Path;

use requant::run::CurvesKept;
use requant::store::{CurveRow, DatasetWriter, IfExists, MetaboliteRow, RunRecord, SpectrumRow, Status, WideCurves};

pub(crate) const HOSTILE_SITE: &str = "<script>alert(1)</script>";
pub(crate) const HOSTILE_ID: &str = "sub-\"0007\"/\u{202e}gnp.</script><img src=x onerror=alert(1)>";
const NAMES: [&str; 12] = ["tNAA", "tCr", "tCho", "Ins", "Glx", "GABA", "GSH", "NAA", "Cr", "Lac", "MM09", "Lip13a"];
const POINTS: usize = 512;

pub(crate) fn id(i: usize) -> String {
    match i {
        7 => HOSTILE_ID.to_owned(),
        8 => format!("sub-0008/{}", "long".repeat(62)),
        _ => format!("sub-{i:04}/mrs/sub-{i:04}_voi-acc_svs"),
    }
}

/// A number from 0 to 1 that looks random and is the same everywhere.
fn noise(seed: usize) -> f64 {
    let x = (seed as u64).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ x >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

fn status(i: usize) -> Status {
    match i % 25 {
        3 => Status::Failed,
        13 => Status::Skipped,
        _ => Status::Ok,
    }
}

pub(crate) fn spectrum(i: usize, sites: usize, method: &str) -> SpectrumRow {
    let site = i % sites;
    let status = status(i);
    let is_ok = status == Status::Ok;
    let value = |v: f64| is_ok.then_some(v);
    let is_flagged = is_ok && i.is_multiple_of(9);
    SpectrumRow {
        spectrum_id: id(i),
        source_path: format!("{}.nii.gz", id(i).chars().take(40).collect::<String>()),
        subject: Some(format!("{i:04}")),
        site: Some(if site == 2 { HOSTILE_SITE.to_owned() } else { format!("site-{site:02}") }),
        voi: Some(if i.is_multiple_of(2) { "acc" } else { "pcc" }.to_owned()),
        vendor: Some("Siemens".to_owned()),
        sequence: Some(if site.is_multiple_of(2) { "PRESS" } else { "SLASER" }.to_owned()),
        f0_mhz: Some(123.25),
        te_s: Some(0.034_999_999_999_999_996),
        tr_s: Some(2.0),
        n_transients: Some(64),
        n_transients_kept: Some(60 + u32::try_from(i % 5).unwrap()),
        drift_hz: value(4.0 * noise(i) - 2.0),
        f_gm: value(0.5 + 0.1 * noise(11 * i)),
        f_wm: value(0.3 + 0.1 * noise(13 * i)),
        f_csf: value(0.1 * noise(17 * i)),
        basis_id: Some("press35".to_owned()),
        method: method.to_owned(),
        status,
        error_code: match status {
            Status::Ok => None,
            Status::Failed => Some("bad_series".to_owned()),
            Status::Skipped => Some("water_reference".to_owned()),
        },
        error_message: (!is_ok).then(|| format!("{}: nothing <b>here</b>", id(i))),
        state: value(0.0).map(|_| "converged".to_owned()),
        snr: value(if i == 50 { 900.0 } else { 20.0 + 30.0 * noise(3 * i) }),
        fwhm_hz: value(4.0 + 5.0 * noise(5 * i) + site as f64 / 10.0),
        residual_sd_over_noise_sd: value(0.9 + 0.3 * noise(7 * i)),
        expected_error_percent: value(4.0 + 6.0 * noise(19 * i)),
        baseline_ed: value(6.0 + 10.0 * noise(23 * i)),
        qc_flags: match (is_flagged, is_ok && site == 4) {
            (_, true) => vec!["no_water_reference".to_owned()],
            (true, false) => vec!["low_snr".to_owned()],
            (false, false) => Vec::new(),
        },
        ..SpectrumRow::default()
    }
}

fn metabolites(row: &SpectrumRow, i: usize) -> impl Iterator<Item = MetaboliteRow> + '_ {
    NAMES.iter().enumerate().map(move |(k, name)| {
        let amplitude = 1.0 + noise(1000 * i + k);
        let has_water = row.qc_flags.iter().all(|flag| flag != "no_water_reference");
        MetaboliteRow {
            spectrum_id: row.spectrum_id.clone(),
            method: row.method.clone(),
            metabolite: (*name).to_owned(),
            is_sum: name.starts_with('t'),
            amplitude: Some(amplitude),
            crlb_percent: Some(3.0 + 10.0 * noise(31 * i + k)),
            ratio_tcr: Some(amplitude / 1.5 + if row.method == "other" { 0.02 * noise(i) } else { 0.0 }),
            ratio_tcr_sd: Some(0.03),
            conc_lcmodel_mmol_per_kg: has_water.then_some(6.0 * amplitude),
            conc_lcmodel_sd_mmol_per_kg: has_water.then_some(0.2),
            ..MetaboliteRow::default()
        }
    })
}

fn curves(row: &SpectrumRow, i: usize) -> CurveRow {
    let ppm: Vec<f32> = (0..POINTS).map(|k| 4.2 - 4.0 * k as f32 / (POINTS - 1) as f32).collect();
    let line = |at: f32, width: f32, height: f32| -> Vec<f32> {
        ppm.iter().map(|p| height / (1.0 + ((p - at) / width).powi(2))).collect()
    };
    let width = 0.03 + 0.02 * noise(i) as f32;
    let shifts = [2.01, 3.03, 3.21, 3.55, 2.35, 1.9, 2.95, 2.6, 3.9, 1.3, 0.9, 1.28];
    let components: Vec<Vec<f32>> =
        shifts.iter().enumerate().map(|(k, at)| line(*at, width, 100.0 * (0.2 + noise(100 * i + k) as f32))).collect();
    let baseline: Vec<f32> = ppm.iter().map(|p| 8.0 + 3.0 * (p * 1.5).sin()).collect();
    let fit: Vec<f32> = (0..POINTS).map(|k| baseline[k] + components.iter().map(|c| c[k]).sum::<f32>()).collect();
    let data: Vec<f32> = fit.iter().enumerate().map(|(k, v)| v + 8.0 * (noise(10_000 * i + k) as f32 - 0.5)).collect();
    CurveRow {
        spectrum_id: row.spectrum_id.clone(),
        method: row.method.clone(),
        residual: Some(data.iter().zip(&fit).map(|(d, f)| d - f).collect()),
        ppm: Some(ppm),
        data: Some(data),
        fit: Some(fit),
        baseline: Some(baseline),
        component_names: NAMES.iter().map(|name| (*name).to_owned()).collect(),
        components,
        ..CurveRow::default()
    }
}

/// The same as a run keeps them by default.
fn in_steps(row: CurveRow) -> CurveRow {
    let wide = |curve: &[f32]| -> Vec<f64> { curve.iter().map(|v| f64::from(*v)).collect() };
    let of = |curve: &Option<Vec<f32>>| wide(curve.as_ref().unwrap());
    let (ppm, data, fit, baseline) = (of(&row.ppm), of(&row.data), of(&row.fit), of(&row.baseline));
    let components: Vec<Vec<f64>> = row.components.iter().map(|curve| wide(curve)).collect();
    let curves = WideCurves { ppm: &ppm, data: &data, fit: &fit, baseline: &baseline, components: &components };
    let plain = CurveRow {
        spectrum_id: row.spectrum_id.clone(),
        method: row.method.clone(),
        component_names: row.component_names.clone(),
        ..CurveRow::default()
    };
    plain.with_steps(&curves).unwrap()
}

/// Writes spectra of `sites` sites, by each method.
pub(crate) fn write(dir: &Path, n: Range<usize>, sites: usize, methods: &[&str], kept: CurvesKept) {
    let mut writer = DatasetWriter::create(dir, IfExists::Overwrite).unwrap();
    for method in methods {
        for i in n.clone() {
            let row = spectrum(i, sites, method);
            if row.status == Status::Ok {
                metabolites(&row, i).for_each(|m| writer.metabolite(m).unwrap());
                match kept {
                    CurvesKept::None => {}
                    CurvesKept::Full => writer.curve(curves(&row, i)).unwrap(),
                    CurvesKept::Steps => writer.curve(in_steps(curves(&row, i))).unwrap(),
                }
            }
            writer.spectrum(row).unwrap();
        }
    }
    let mut run = RunRecord::new("cpu", 1);
    run.started_utc = Some("2026-01-02T03:04:05Z".to_owned());
    run.command_line = ["requant", "run", "my scans", "--out", "results"].map(str::to_owned).to_vec();
    run.inputs.n_files = n.len();
    run.methods = methods
        .iter()
        .map(|id| requant::store::provenance::Named { id: (*id).to_owned(), sha256: "0".repeat(64) })
        .collect();
    run.warnings = vec!["a note with <i>markup</i>".to_owned()];
    writer.finish(run).unwrap();
}
