//! Noise, residual, signal-to-noise, widths and flags of a fit.

use std::f64::consts::PI;

use super::{Case, Checks};
use num_complex::Complex64;
use requant::quality::concentrations;
use requant::quality::definitions::{CREATINE_PPM, Phased};
use requant::quality::score::FLAG_ABOVE_PERCENT;

/// Broadening of `gannet` (FWHM, Hz), and its weight of points where choline is left.
const GANNET_HZ: f64 = 3.0;
const DOWN_WEIGHTED: ([f64; 2], f64) = ([3.16, 3.285], 0.001);

pub(crate) fn check(checks: &mut Checks, case: &Case<'_>) {
    noise(checks, case);
    residual(checks, case);
    snr(checks, case);
    width(checks, case);
    definitions(checks, case);
    flags(checks, case);
}

/// Figures by other programs' definitions, whose own numbers `tests/quantities/quality_definitions.rs` holds to a referee.
fn definitions(checks: &mut Checks, case: &Case<'_>) {
    let row = &case.spectrum;
    let (fit, baseline) = (case.curve.numbers("fit"), case.curve.numbers("baseline"));
    let residual = case.curve.numbers("residual");
    let highest = fit.iter().zip(&baseline).map(|(f, b)| f - b).fold(f64::MIN, f64::max);
    let rms = (residual.iter().map(|r| r * r).sum::<f64>() / residual.len() as f64).sqrt();
    checks.close("spectra.snr_lcmodel", &case.name, row.number("snr_lcmodel"), Some(highest / (2.0 * rms)), 1e-4);
    let number = |column: &str| row.number(column).unwrap();
    let phase = (number("phi0_deg") + number("phi1_deg_per_ppm") * (3.03 - 4.65)).to_radians();
    let step = 2.0 * PI * number("shift_hz") * case.source.dwell_s;
    let turned: Vec<Complex64> =
        case.fid.iter().enumerate().map(|(n, z)| z * Complex64::cis(-phase - step * n as f64)).collect();
    let phased = Phased::new(&turned, case.source.dwell_s, case.source.f0_mhz());
    let of_creatine = |value: Option<f64>| value.filter(|_| !case.is_gannet());
    for (column, expected) in [
        ("snr_fsl", phased.snr_fsl()),
        ("snr_tcr", of_creatine(phased.snr_osprey(CREATINE_PPM))),
        ("fwhm_tcr_hz", of_creatine(phased.fwhm_osprey_hz(CREATINE_PPM))),
    ] {
        checks.close(&format!("spectra.{column}"), &case.name, row.number(column), expected, 1e-6);
    }
}

/// Whether concentrations are outside of what tissue holds.
fn is_implausible(case: &Case<'_>) -> bool {
    let bounds = concentrations::bounds().unwrap();
    let found: Vec<(f64, &concentrations::Tissue)> = bounds
        .tissue
        .iter()
        .filter_map(|t| Some((case.metabolite(&t.metabolite)?.number("conc_lcmodel_mmol_per_kg")?, t)))
        .collect();
    let is_high = found.iter().any(|(value, t)| *value > bounds.above * t.most);
    let are_low = !found.is_empty() && found.iter().all(|(value, t)| *value < t.least / bounds.below);
    is_high || are_low
}

/// Weight of each sample in the transform that the curves show.
pub(crate) fn sample_weights(case: &Case<'_>) -> Vec<f64> {
    let broadening_hz = if case.is_gannet() { GANNET_HZ } else { 0.0 };
    (0..case.fid.len()).map(|n| (-PI * broadening_hz * n as f64 * case.source.dwell_s).exp()).collect()
}

fn noise(checks: &mut Checks, case: &Case<'_>) {
    let n = case.fid.len();
    // What was put in: these FIDs decay, so that their last quarter tells it, too, within 4 of its standard deviations.
    let tail = &case.fid[n - n / 4..];
    let mean = tail.iter().sum::<Complex64>() / tail.len() as f64;
    let parts = 2.0 * (tail.len() - 1) as f64;
    let of_a_part = (tail.iter().map(|z| (z - mean).norm_sqr()).sum::<f64>() / parts).sqrt();
    let gain = match case.is_gannet() {
        true => {
            let weights = sample_weights(case);
            (weights.iter().map(|w| w * w).sum::<f64>() - 0.75).sqrt()
        }
        false => (n as f64).sqrt(),
    };
    let found = case.spectrum.number("noise_sd");
    // The end of a difference is up to a quarter above the noise that the spectrum has.
    let tolerance = if case.is_gannet() { 0.3 } else { 4.0 / (2.0 * parts).sqrt() };
    checks.close("spectra.noise_sd", &case.name, found, Some(of_a_part * gain), tolerance);
}

/// Sum of squared residuals of the curves, as the method weighs them, and the sum of the weights.
fn weighted_squares(case: &Case<'_>) -> (f64, f64) {
    let ([low, high], weight) = DOWN_WEIGHTED;
    let weight = |ppm: f64| if case.is_gannet() && (low..=high).contains(&ppm) { weight } else { 1.0 };
    let (ppm, residual) = (case.curve.numbers("ppm"), case.curve.numbers("residual"));
    let squares = ppm.iter().zip(&residual).map(|(ppm, r)| weight(*ppm) * r * r).sum();
    (squares, ppm.iter().map(|ppm| weight(*ppm)).sum())
}

fn residual(checks: &mut Checks, case: &Case<'_>) {
    let (name, row) = (&case.name, &case.spectrum);
    let noise_sd = row.number("noise_sd").unwrap();
    let (squares, weights) = weighted_squares(case);
    // Tables before this column existed can be held to it roughly.
    let (freedom, mut tolerance) = row.number("degrees_of_freedom").map_or((weights, 0.5), |freedom| (freedom, 1e-4));
    if case.method == "fsl" {
        // Real and imaginary parts instead of the real spectrum zero-filled: as many numbers with the same noise, not the same
        // ones.
        tolerance = 0.15;
    }
    let expected = squares / (noise_sd * noise_sd) / freedom;
    checks.close("spectra.chi2_reduced", name, row.number("chi2_reduced"), Some(expected), tolerance);
    let ratio = row.number("residual_sd_over_noise_sd");
    checks.close("spectra.residual_sd_over_noise_sd", name, ratio, Some(expected.sqrt()), tolerance);
    if let Some(freedom) = row.number("degrees_of_freedom") {
        // What a few dozen parameters can take up.
        let holds = freedom < weights && freedom > weights - 150.0;
        checks.holds("spectra.degrees_of_freedom", name, holds, || format!("{freedom} of {weights} points"));
    }
    // `gannet`: the root mean square of the residual as it weighs it.
    let freedom = if case.is_gannet() { weights } else { freedom };
    let expected = height(case) / (2.0 * (squares / freedom).sqrt());
    checks.close("spectra.snr_residual", name, row.number("snr_residual"), Some(expected), tolerance);
}

/// Highest point of the fitted metabolites.
fn height(case: &Case<'_>) -> f64 {
    let is_metabolite = |name: &String| !name.starts_with("MM") && !name.starts_with("Lip");
    let components = case.curve.lists("components");
    let names = case.curve.texts("component_names");
    let kept: Vec<_> = names.iter().zip(&components).filter(|(name, _)| is_metabolite(name)).map(|(_, c)| c).collect();
    (0..kept[0].len()).map(|i| kept.iter().map(|c| c[i]).sum::<f64>()).fold(0.0, f64::max)
}

fn snr(checks: &mut Checks, case: &Case<'_>) {
    let expected = height(case) / (2.0 * case.spectrum.number("noise_sd").unwrap());
    checks.close("spectra.snr", &case.name, case.spectrum.number("snr"), Some(expected), 1e-5);
}

fn width(checks: &mut Checks, case: &Case<'_>) {
    let row = &case.spectrum;
    let found = row.number("fwhm_hz");
    match case.method.as_str() {
        "gannet" => {
            let creatine = case.metabolite("tCr").unwrap().number("lorentz_hz");
            checks.close("spectra.fwhm_hz", &case.name, found, creatine, 1e-12);
            for column in ["lorentz_hz", "gauss_hz", "skew_rad"] {
                let absent = row.number(column).is_none();
                checks.holds(&format!("spectra.{column}"), &case.name, absent, || "without a basis set".to_owned());
            }
        }
        // The kernel is not in the tables: how wide a line of the fit is, to a bin and the basis set's own lines in it.
        "lcmodel" => {
            let width = super::curves::creatine_fwhm_hz(case);
            checks.near("spectra.fwhm_hz", &case.name, found, Some(width), 0.25 * width);
        }
        _ => {
            let lorentz = row.number("lorentz_hz").unwrap() + row.number("basis_fwhm_hz").unwrap();
            let gauss = row.number("gauss_hz").unwrap();
            let voigt = 0.5346 * lorentz + (0.2166 * lorentz * lorentz + gauss * gauss).sqrt();
            if row.numbers("kernel_weights").iter().any(|weight| *weight > 0.0) {
                // A kernel makes lines broader; how wide they are is a matter of its shape (src/fit/map/lineshape.rs).
                let widest = voigt + 6.0 * row.number("kernel_spacing_hz").unwrap();
                let is_between = found.is_some_and(|width| (0.98 * voigt..widest).contains(&width));
                checks.holds("spectra.fwhm_hz", &case.name, is_between, || format!("{found:?} over {voigt}"));
            } else {
                checks.close("spectra.fwhm_hz", &case.name, found, Some(voigt), 1e-9);
            }
        }
    }
    if case.method == "fsl" {
        // All metabolites of its group have one width.
        let own = case.metabolite("NAA").unwrap().number("lorentz_hz");
        checks.close("spectra.lorentz_hz", &case.name, row.number("lorentz_hz"), own, 1e-9);
    }
}

/// Flags of the fit, by their thresholds, in their order.
fn flags(checks: &mut Checks, case: &Case<'_>) {
    let row = &case.spectrum;
    let (settings, f0_mhz) = (case.settings(), case.source.f0_mhz());
    let max_shift_ppm = match case.method.as_str() {
        "lcmodel" => 0.3,
        "gannet" => 0.1,
        _ => settings["start"]["max_shift_ppm"].as_f64().unwrap(),
    };
    let number = |column: &str| row.number(column).unwrap();
    let amplitude =
        |names: [&str; 2]| names.iter().find_map(|name| case.metabolite(name)).map(|m| m.number("amplitude"));
    let ratio = amplitude(["tNAA", "NAA"]).zip(amplitude(["tCr", "Cr"])).map(|(naa, cr)| naa.unwrap() / cr.unwrap());
    let raised = [
        ("no_water_reference", row.text("water_reference_path").is_none()),
        ("water_te_differs", super::origin::has_water(case)),
        ("water_tr_differs", super::origin::has_water(case)),
        ("lipids", number("lipid_index") > 1.0),
        ("not_converged", row.text("state") == Some("max_iterations")),
        ("misfit", number("residual_sd_over_noise_sd") > 2.0),
        ("low_snr", number("snr") < 3.0),
        ("broad_lines", row.number("fwhm_hz").is_some_and(|width| width > 0.1 * f0_mhz)),
        ("shift_at_limit", number("shift_hz").abs() > 0.9 * max_shift_ppm * f0_mhz),
        ("prior_strained", !row.texts("strained_priors").is_empty()),
        ("fit_doubtful", row.number("expected_error_percent").is_some_and(|p| p > FLAG_ABOVE_PERCENT)),
        ("unmodelled_peak", !row.numbers("unmodelled_peaks_ppm").is_empty()),
        ("implausible_tnaa_tcr", ratio.is_some_and(|ratio| !(0.8..=2.5).contains(&ratio))),
        ("implausible_concentration", !case.is_gannet() && is_implausible(case)),
    ];
    let expected: Vec<String> = raised.iter().filter(|(_, is)| *is).map(|(flag, _)| (*flag).to_owned()).collect();
    let column = if row.0.contains_key("qc_flags") { "qc_flags" } else { "flags" };
    let found = row.texts(column);
    checks.holds(&format!("spectra.{column}"), &case.name, found == expected, || format!("{found:?} for {expected:?}"));
    // The corpus is made so that the flags have something to say.
    if case.file.starts_with("sub-03") {
        assert!(expected.iter().any(|flag| flag == "implausible_tnaa_tcr" || flag == "misfit"), "{expected:?}");
    }
}
