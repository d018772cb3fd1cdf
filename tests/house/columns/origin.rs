//! Where a spectrum comes from, and how it was acquired.

use requant::formats::nifti_mrs;
use sha2::{Digest, Sha256};

use super::{Case, Checks};
use crate::common::source::{WATER, WATER_HZ, WATER_TE_S, WATER_TR_S, water};

pub(crate) fn check(checks: &mut Checks, case: &Case<'_>) {
    names(checks, case);
    header(checks, case);
    settings(checks, case);
}

fn names(checks: &mut Checks, case: &Case<'_>) {
    let suffix = if case.is_gannet() { "#diff" } else { "" };
    let entity = |key: &str| {
        let name = case.file.rsplit('/').next().unwrap();
        name.split('_').find_map(|part| part.strip_prefix(key)).map(str::to_owned)
    };
    let hash = |bytes: &[u8]| -> String { Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect() };
    let sha256 = hash(&case.source.bytes);
    let name = case.file.rsplit('/').next().unwrap();
    let mut inputs = format!("data\t{name}.nii\t{sha256}\n");
    if has_water(case) {
        let reference = name.replace("_svs", "_mrsref");
        inputs += &format!("water\t{reference}.nii\t{}\n", hash(&nifti_mrs::encode(&water())));
    }
    let water = has_water(case).then(|| format!("{}.nii", case.file.replace("_svs", "_mrsref")));
    let site = match (case.is_gannet(), entity("sub-").as_deref()) {
        (true, _) => None,
        (false, Some("03")) => Some("there".to_owned()),
        (false, _) => Some("here".to_owned()),
    };
    let expected = [
        ("spectrum_id", Some(format!("{}{suffix}", case.file))),
        ("source_path", Some(format!("{}.nii", case.file))),
        ("source_sha256", Some(sha256)),
        ("inputs_sha256", Some(hash(inputs.as_bytes()))),
        ("water_reference_path", water),
        ("water_readouts", None),
        ("subject", entity("sub-")),
        ("session", entity("ses-")),
        ("site", site),
        ("voi", entity("voi-")),
        ("subspec", case.is_gannet().then(|| "diff".to_owned())),
        ("edit_order", case.is_gannet().then(|| "on off".to_owned())),
        ("edit_order_from", case.is_gannet().then(|| "file".to_owned())),
        ("method", Some(case.method.clone())),
    ];
    for (column, expected) in &expected {
        let found = case.spectrum.text(column);
        checks.holds(&format!("spectra.{column}"), &case.name, found == expected.as_deref(), || {
            format!("{found:?} for {expected:?}")
        });
        for (table, rows) in [("metabolites", &case.metabolites[..]), ("curves", std::slice::from_ref(&case.curve))] {
            for row in rows.iter().filter(|row| row.0.contains_key(*column)) {
                let same = row.text(column) == expected.as_deref();
                checks.holds(&format!("{table}.{column}"), &case.name, same, || "not as in spectra".to_owned());
            }
        }
    }
}

pub(crate) fn has_water(case: &Case<'_>) -> bool {
    case.file.starts_with("sub-01")
}

fn header(checks: &mut Checks, case: &Case<'_>) {
    let meta = |key: &str| case.source.meta[key].clone();
    let water = |value: f64| has_water(case).then_some(value);
    let n = case.source.fids[0].len() as f64;
    // Both conditions' transient went into a difference.
    let transients = case.source.fids.len() as f64;
    for (column, expected) in [
        ("f0_mhz", Some(case.source.f0_mhz())),
        ("field_t", Some(case.source.f0_mhz() / 42.577_478_518)),
        ("te_s", meta("EchoTime").as_f64()),
        ("tr_s", meta("RepetitionTime").as_f64()),
        ("dwell_s", Some(case.source.dwell_s)),
        ("n_points", Some(n)),
        ("n_coils", Some(1.0)),
        ("n_conditions", case.is_gannet().then_some(transients)),
        ("n_transients", Some(transients)),
        ("n_transients_kept", Some(transients)),
        ("water_te_s", water(WATER_TE_S)),
        ("water_tr_s", water(WATER_TR_S)),
    ] {
        checks.close(&format!("spectra.{column}"), &case.name, case.spectrum.number(column), expected, 1e-12);
    }
    // The decay of a line without noise, extrapolated to t = 0.
    let column = "spectra.water_amplitude";
    checks.close(column, &case.name, case.spectrum.number("water_amplitude"), water(WATER), 1e-9);
    // Nothing is left of it, and it has no noise.
    checks.near("spectra.water_residual", &case.name, case.spectrum.number("water_residual"), water(0.0), 1e-6);
    checks.near("spectra.fwhm_water_hz", &case.name, case.spectrum.number("fwhm_water_hz"), water(WATER_HZ), 0.05);
    checks.near("spectra.water_noise_ratio", &case.name, case.spectrum.number("water_noise_ratio"), None, 0.0);
    for column in ["n_water_transients", "n_water_transients_kept"] {
        checks.close(&format!("spectra.{column}"), &case.name, case.spectrum.number(column), water(1.0), 0.0);
    }
    let sd = case.spectrum.number("water_amplitude_sd");
    let is_small = sd.is_some_and(|sd| sd > 0.0 && sd < 1e-6 * WATER);
    checks.holds("spectra.water_amplitude_sd", &case.name, is_small == has_water(case), || format!("{sd:?}"));
    for (column, key) in [("vendor", "Manufacturer"), ("sequence", "SequenceName")] {
        let (found, expected) = (case.spectrum.text(column), meta(key));
        checks.holds(&format!("spectra.{column}"), &case.name, found == expected.as_str(), || {
            format!("{found:?} for {expected}")
        });
    }
}

/// What the run's record says as well.
fn settings(checks: &mut Checks, case: &Case<'_>) {
    let named = |list: &str, id: Option<&str>| {
        case.run[list].as_array().unwrap().iter().find(|n| n["id"].as_str() == id).cloned()
    };
    let row = &case.spectrum;
    let method = named("methods", row.text("method"));
    let hash = method.as_ref().and_then(|m| m["sha256"].as_str());
    checks.holds("spectra.method_hash", &case.name, row.text("method_hash") == hash, || format!("{hash:?}"));
    let basis = named("bases", row.text("basis_id"));
    checks.holds("spectra.basis_id", &case.name, basis.is_some() != case.is_gannet(), || format!("{basis:?}"));
    // The lines of the analytic set are 1 Hz wide.
    let width = (!case.is_gannet()).then_some(1.0);
    checks.near("spectra.basis_fwhm_hz", &case.name, row.number("basis_fwhm_hz"), width, 1e-6);
    for (column, expected) in [("engine", "cpu"), ("status", "ok")] {
        checks.holds(&format!("spectra.{column}"), &case.name, row.text(column) == Some(expected), || {
            format!("{:?}", row.text(column))
        });
    }
    let ended = row.text("state").is_some_and(|state| ["converged", "max_iterations"].contains(&state));
    checks.holds("spectra.state", &case.name, ended, || format!("{:?}", row.text("state")));
}
