//! Data, model and components over chemical shift.

use std::f64::consts::{LN_2, PI};

use num_complex::Complex64;

use super::quality::sample_weights;
use super::{Case, Checks};

use crate::common::basis;
use crate::common::source::spectrum_at;

/// Single precision, and what the tallest points lose of the smallest.
const SINGLE: f64 = 1e-6;

pub(crate) fn check(checks: &mut Checks, case: &Case<'_>) {
    axis(checks, case);
    sums(checks, case);
    data(checks, case);
    match case.method.as_str() {
        "map" | "fsl" => shapes(checks, case),
        "lcmodel" => areas(checks, case),
        _ => peaks(checks, case),
    }
}

/// Row of a metabolite in the analytic basis set.
pub(crate) fn position(name: &str) -> Option<usize> {
    basis().metabolites.iter().position(|m| m == name)
}

fn tallest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most, v| v.abs().max(most))
}

fn worst(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Distance of two points of the spectrum zero-filled twofold (Hz).
fn bin_hz(case: &Case<'_>) -> f64 {
    0.5 / (case.fid.len() as f64 * case.source.dwell_s)
}

fn axis(checks: &mut Checks, case: &Case<'_>) {
    let (bin_hz, f0_mhz) = (bin_hz(case), case.source.f0_mhz());
    let bins: Vec<f64> = case.curve.numbers("ppm").iter().map(|ppm| (4.65 - ppm) * f0_mhz / bin_hz).collect();
    // Single precision resolves a thousandth of the distance of two points.
    let on_grid = bins.iter().all(|bin| (bin - bin.round()).abs() < 1e-3);
    let in_order = bins.windows(2).all(|two| (two[1].round() - two[0].round() - 1.0).abs() < 1e-9);
    checks.holds("curves.ppm", &case.name, on_grid && in_order, || format!("{:?}", &bins[..3]));
}

fn sums(checks: &mut Checks, case: &Case<'_>) {
    let curve = |column: &str| case.curve.numbers(column);
    let (data, fit, baseline) = (curve("data"), curve("fit"), curve("baseline"));
    let limit = 4.0 * SINGLE * tallest(&data);
    let difference: Vec<f64> = data.iter().zip(&fit).map(|(d, f)| d - f).collect();
    let off = worst(&difference, &curve("residual"));
    checks.holds("curves.residual", &case.name, off <= limit, || format!("{off} from data less fit"));
    let components = case.curve.lists("components");
    let total: Vec<f64> = (0..fit.len()).map(|i| baseline[i] + components.iter().map(|c| c[i]).sum::<f64>()).collect();
    let off = worst(&total, &fit);
    checks.holds("curves.fit", &case.name, off <= limit, || format!("{off} from baseline and components"));
    let names = case.curve.texts("component_names");
    let rows: Vec<_> = case.metabolites.iter().filter(|m| m.truth("is_sum") == Some(false)).collect();
    let is_row = |(i, name): (usize, &String)| rows.get(i).and_then(|m| m.text("metabolite")) == Some(name);
    let same = names.iter().enumerate().all(is_row) && names.len() == components.len();
    checks.holds("curves.component_names", &case.name, same, || format!("{names:?}"));
}

/// The source file's samples, shifted and phased.
fn data(checks: &mut Checks, case: &Case<'_>) {
    let of_curve = ["shift_hz", "phi0_deg", "phi1_deg_per_ppm"].map(|column| case.curve.number(column));
    let [Some(shift_hz), Some(phi0), Some(phi1)] = of_curve else { return };
    let (dwell_s, f0_mhz) = (case.source.dwell_s, case.source.f0_mhz());
    let moved: Vec<Complex64> = case
        .fid
        .iter()
        .zip(sample_weights(case))
        .enumerate()
        .map(|(n, (z, weight))| z * Complex64::from_polar(weight, -2.0 * PI * shift_hz * n as f64 * dwell_s))
        .collect();
    let ppm = case.curve.numbers("ppm");
    let phase = |ppm: f64| (phi0 + phi1 * (ppm - 4.65)).to_radians();
    let expected = spectrum_at(&moved, dwell_s, f0_mhz, &ppm, phase);
    let data = case.curve.numbers("data");
    let off = worst(&expected, &data) / tallest(&data);
    for column in ["curves.data", "curves.shift_hz", "curves.phi0_deg", "curves.phi1_deg_per_ppm"] {
        checks.holds(column, &case.name, off < 4.0 * SINGLE, || format!("{off} of the tallest point"));
    }
}

/// What the fit found beyond what was taken out of the data: shift (Hz), phase at 4.65 ppm (°) and slope (°/ppm).
fn beyond(case: &Case<'_>) -> Option<[f64; 3]> {
    let one = |column: &str| Some(case.spectrum.number(column)? - case.curve.number(column)?);
    Some([one("shift_hz")?, one("phi0_deg")?, one("phi1_deg_per_ppm")?])
}

/// A member of the basis set times its amplitude, broadened, shifted and phased as the tables say; `None` where they do not.
fn modulated(case: &Case<'_>, name: &str) -> Option<Vec<f64>> {
    let [shift_hz, phi0, phi1] = beyond(case)?;
    let set = basis();
    let number = |column: &str| case.spectrum.number(column).unwrap_or_default();
    let (gauss_hz, skew, flatness) = (number("gauss_hz"), number("skew_rad"), number("flatness"));
    let own = |column: &str| case.metabolite(name).unwrap().number(column).unwrap();
    let (weights, spacing_hz) = (case.spectrum.numbers("kernel_weights"), number("kernel_spacing_hz"));
    let rate = Complex64::new(-PI * own("lorentz_hz"), 2.0 * PI * (own("shift_hz") + shift_hz));
    let of = |(n, z): (usize, &Complex64)| {
        let t = n as f64 * case.source.dwell_s;
        let u = t / 0.1;
        let level = 1.0 + (u / 2.0).powi(4);
        let decay = -(PI * gauss_hz * t).powi(2) / (4.0 * LN_2) - flatness * u.powi(4) / level;
        let nodes = [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0].into_iter().zip(&weights);
        let turn = |node: f64| Complex64::from_polar(1.0, 2.0 * PI * node * spacing_hz * t);
        let kernel = 1.0 + nodes.map(|(node, w)| *w * (turn(node) - 1.0)).sum::<Complex64>();
        z * own("amplitude") * kernel * (rate * t + Complex64::new(decay, skew * u.powi(3) / level)).exp()
    };
    let fid: Vec<Complex64> = set.fids.row(position(name)?).iter().enumerate().map(of).collect();
    let phase = |ppm: f64| -(phi0 + phi1 * (ppm - 4.65)).to_radians();
    Some(spectrum_at(&fid, case.source.dwell_s, case.source.f0_mhz(), &case.curve.numbers("ppm"), phase))
}

/// Each component to the last point.
fn shapes(checks: &mut Checks, case: &Case<'_>) {
    let components = case.curve.lists("components");
    let limit = tallest(&case.curve.numbers("fit"));
    let names = case.curve.texts("component_names");
    for (name, component) in names.iter().zip(&components).filter(|(name, _)| position(name).is_some()) {
        let Some(expected) = modulated(case, name) else { return };
        // Components are carried on a band, which costs 1e-5 of the tallest point.
        let off = worst(&expected, component) / limit;
        for column in [
            "curves.components",
            "metabolites.amplitude",
            "metabolites.shift_hz",
            "metabolites.lorentz_hz",
            "spectra.gauss_hz",
            "spectra.skew_rad",
            "spectra.kernel_weights",
            "spectra.kernel_spacing_hz",
            "spectra.shift_hz",
            "spectra.phi0_deg",
            "spectra.phi1_deg_per_ppm",
        ] {
            checks.holds(column, &case.name, off < 3e-5, || format!("{name}: {off} of the tallest point"));
        }
    }
}

/// A kernel of unit area changes no area: amplitudes by the components' sums.
fn areas(checks: &mut Checks, case: &Case<'_>) {
    let components = case.curve.lists("components");
    for (name, component) in case.curve.texts("component_names").iter().zip(&components) {
        // Those without a line at the window's edge.
        if !["NAA", "GPC", "Glu", "GABA"].contains(&name.as_str()) {
            continue;
        }
        let Some(own) = modulated(case, name) else { return };
        let (found, expected) = (component.iter().sum::<f64>(), own.iter().sum::<f64>());
        // What the kernel takes across the window's ends.
        checks.near("metabolites.amplitude", &case.name, Some(found), Some(expected), 0.05 * expected.abs());
    }
}

/// Peaks have the area that their amplitude says.
fn peaks(checks: &mut Checks, case: &Case<'_>) {
    let components = case.curve.lists("components");
    let n = case.fid.len() as f64;
    // (share, protons, editing efficiency) of the method; two conditions, one proton's signal is 1.
    for (name, [share, protons, efficiency]) in [("GABA+", [0.45, 2.0, 0.5]), ("Glx", [1.0, 1.0, 0.4])] {
        let k = case.curve.texts("component_names").iter().position(|c| c == name).unwrap();
        let signal = components[k].iter().sum::<f64>() / n;
        let expected = signal * share / (protons * efficiency * 2.0);
        let found = case.metabolite(name).unwrap().number("amplitude");
        // A Gaussian's wing beyond the window.
        checks.close("metabolites.amplitude", &case.name, found, Some(expected), 5e-3);
    }
    let ppm = case.curve.numbers("ppm");
    let gaba = &components[case.curve.texts("component_names").iter().position(|c| c == "GABA+").unwrap()];
    let top = (0..gaba.len()).max_by(|&a, &b| gaba[a].total_cmp(&gaba[b])).unwrap();
    let shift_hz = (3.02 - ppm[top]) * case.source.f0_mhz();
    let found = case.metabolite("GABA+").unwrap().number("shift_hz");
    checks.near("metabolites.shift_hz", &case.name, found, Some(shift_hz), 0.6 * bin_hz(case));
    let pose = |column: &str| (case.spectrum.number(column), case.curve.number(column));
    for column in ["shift_hz", "phi0_deg", "phi1_deg_per_ppm"] {
        let (found, of_curve) = pose(column);
        if case.curve.0.contains_key(column) {
            checks.near(&format!("spectra.{column}"), &case.name, found, of_curve, 1e-9);
        }
    }
}

/// Full width at half maximum of creatine's methyl as it was fitted, by linear interpolation.
pub(crate) fn creatine_fwhm_hz(case: &Case<'_>) -> f64 {
    let names = case.curve.texts("component_names");
    let components = case.curve.lists("components");
    let (k, _) = ["Cr", "PCr"]
        .iter()
        .map(|name| names.iter().position(|n| n == name).unwrap())
        .map(|k| (k, tallest(&components[k])))
        .max_by(|a, b| a.1.total_cmp(&b.1))
        .unwrap();
    let line = &components[k];
    let top = (0..line.len()).max_by(|&a, &b| line[a].total_cmp(&line[b])).unwrap();
    let half = 0.5 * line[top];
    let side = |step: isize| -> f64 {
        let at = |i: isize| line[(top as isize + i * step) as usize];
        let beyond = (1..).find(|&i| at(i) < half).unwrap();
        beyond as f64 - (half - at(beyond)) / (at(beyond - 1) - at(beyond))
    };
    (side(1) + side(-1)) * bin_hz(case)
}
