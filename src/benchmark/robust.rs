//! The figures that show what a mean hides: spectra that went astray and whether they were flagged, the error of the others,
//! and whether amplitudes hang on the linewidth.
//!
//! All are of ratios, estimate over truth, of the five sums that studies report. A unit that a program has of its own goes
//! out with the median of the ratios, where that is said.

use super::BenchmarkError;
use super::score::Estimates;
use crate::basis::names;
use crate::compare::{Column, Truth};
use crate::signal::median::median;
use crate::store::MetaboliteRow;

/// What studies report first.
pub const MAJORS: [&str; 5] = ["tNAA", "tCr", "tCho", "Glx", "Ins"];
/// The two by which a spectrum is known to have gone astray.
const ASKED: [&str; 2] = ["tNAA", "tCr"];
/// Relative distance from the set's median ratio beyond which a spectrum has gone astray.
const ASTRAY: f64 = 0.3;
/// Makes the median absolute deviation of a normal variable its standard deviation.
const SD_OVER_MAD: f64 = 1.4826;

/// Ratios of one major, spectrum by spectrum in the truth's order; `None` where the truth has none of it.
pub type Ratios = Vec<Option<f64>>;

/// One major over a set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Major {
    /// Standard deviation of the ratios around their median, relative to it, by the median absolute deviation (%).
    pub robust_rms_percent: f64,
    /// Mean of ratio − 1 (%).
    pub bias_percent: f64,
    /// How the ratio changes with the true Lorentzian width (% per Hz), and its standard error; NaN where the truth does
    /// not say the widths.
    pub slope_percent_per_hz: [f64; 2],
}

/// A set as these figures see it.
#[derive(Debug, Clone, PartialEq)]
pub struct Robust {
    /// Spectra whose tNAA or tCr went astray.
    pub bad: usize,
    /// Those of them that carry no flag; `None` where nobody says what is flagged.
    pub silent: Option<usize>,
    /// In the order of [`MAJORS`]; `None` where the truth has none of it.
    pub majors: [Option<Major>; 5],
}

/// The ratios of all majors.
///
/// # Errors
/// [`BenchmarkError::Twice`]: two rows claim one spectrum and metabolite.
pub fn ratios(rows: &[MetaboliteRow], truth: &Truth, column: Column) -> Result<[Ratios; 5], BenchmarkError> {
    let estimates = Estimates::new(rows, truth, column)?;
    let sums = names::sums(&truth.metabolites);
    Ok(MAJORS.map(|major| {
        let sum = sums.iter().find(|s| s.name == major);
        let members: Vec<&str> = sum.map_or_else(Vec::new, |s| {
            s.members.iter().filter_map(|&k| truth.metabolites.get(k)).map(String::as_str).collect()
        });
        let single = major.trim_start_matches('t');
        let name = if members.is_empty() && truth.metabolites.iter().any(|m| m == single) { single } else { major };
        let of = |(i, id): (usize, &String)| {
            let true_value = truth.of(id)?.get(name).filter(|v| **v > 0.0)?;
            Some(estimates.of(i, name, &members).0 / true_value)
        };
        truth.ids.iter().enumerate().map(of).collect()
    }))
}

/// The figures, of estimates times `factor` (1, or what takes out a unit that a program has of its own); `flagged` says of
/// each spectrum, in the truth's order, whether anything warns.
pub fn robust(ratios: &[Ratios; 5], factor: f64, truth: &Truth, flagged: Option<&[bool]>) -> Robust {
    let astray = bad(ratios);
    let widths: Vec<Option<f64>> = truth.ids.iter().map(|id| truth.drawn(id, "lorentz_hz_mean")).collect();
    let is_silent = |i: usize, bad: bool| bad && flagged.is_some_and(|f| !f.get(i).copied().unwrap_or(false));
    Robust {
        bad: astray.iter().filter(|bad| **bad).count(),
        silent: flagged.map(|_| astray.iter().enumerate().filter(|&(i, bad)| is_silent(i, *bad)).count()),
        majors: [0, 1, 2, 3, 4].map(|m| major(&ratios[m], factor, &widths)),
    }
}

/// Whether tNAA or tCr of each spectrum is far from the set's median ratio.
pub fn bad(ratios: &[Ratios; 5]) -> Vec<bool> {
    let mut bad = vec![false; ratios[0].len()];
    for (_, ratios) in MAJORS.iter().zip(ratios).filter(|(name, _)| ASKED.contains(name)) {
        let Some(middle) = median(&known(ratios)) else { continue };
        for (bad, ratio) in bad.iter_mut().zip(ratios) {
            *bad |= ratio.is_some_and(|r| (r / middle - 1.0).abs() > ASTRAY);
        }
    }
    bad
}

fn known(ratios: &Ratios) -> Vec<f64> {
    ratios.iter().copied().flatten().collect()
}

fn major(ratios: &Ratios, factor: f64, widths: &[Option<f64>]) -> Option<Major> {
    let ratios: Ratios = ratios.iter().map(|r| r.map(|r| factor * r)).collect();
    let values = known(&ratios);
    let middle = median(&values)?;
    let distances: Vec<f64> = values.iter().map(|r| (r / middle - 1.0).abs()).collect();
    let pairs: Vec<(f64, f64)> = ratios.iter().zip(widths).filter_map(|(r, w)| Some(((*w)?, (*r)?))).collect();
    Some(Major {
        robust_rms_percent: 100.0 * SD_OVER_MAD * median(&distances)?,
        bias_percent: 100.0 * (values.iter().sum::<f64>() / values.len() as f64 - 1.0),
        slope_percent_per_hz: slope(&pairs).map(|v| 100.0 * v),
    })
}

/// Slope of the line through (x, y) by least squares, and its standard error; NaN where there is none.
pub fn slope(pairs: &[(f64, f64)]) -> [f64; 2] {
    let n = pairs.len() as f64;
    let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
    let (mx, my) = (mean(&|p| p.0), mean(&|p| p.1));
    let xx = pairs.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>();
    // Equal widths differ by rounding.
    if pairs.len() < 3 || xx <= 1e-12 * n * mx * mx {
        return [f64::NAN; 2];
    }
    let slope = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / xx;
    let rest = pairs.iter().map(|p| (p.1 - my - slope * (p.0 - mx)).powi(2)).sum::<f64>() / (n - 2.0);
    [slope, (rest / xx).sqrt()]
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    /// Spectra of one brain in which everything falls by 5 % a Hz, `factor` being a program's unit.
    fn falling(factor: f64) -> (Vec<MetaboliteRow>, Truth) {
        let metabolites: Vec<String> = ["NAA", "NAAG", "Cr", "PCr", "Ins"].map(str::to_owned).into();
        let ids: Vec<String> = (0..21).map(|i| format!("s{i}")).collect();
        let values = [10.0, 1.0, 4.0, 4.0, 6.0];
        let mut truth = Truth::of_spectra(&metabolites, ids.iter().map(|id| (id.as_str(), values.as_slice())));
        let mut rows = Vec::new();
        for (i, id) in ids.iter().enumerate() {
            let width_hz = 0.1 * i as f64;
            truth.put_drawn(id, "lorentz_hz_mean", width_hz);
            for (name, value) in metabolites.iter().zip(values) {
                rows.push(MetaboliteRow {
                    spectrum_id: id.clone(),
                    metabolite: name.clone(),
                    amplitude: Some(factor * value * (1.05 - 0.05 * width_hz)),
                    ..MetaboliteRow::default()
                });
            }
        }
        (rows, truth)
    }

    #[test]
    fn bias_and_slope_are_in_percent_of_the_truth() {
        let (rows, truth) = falling(1.0);
        let found = robust(&ratios(&rows, &truth, Column::Amplitude).unwrap(), 1.0, &truth, None);
        let naa = found.majors[0].unwrap();
        assert!((naa.slope_percent_per_hz[0] + 5.0).abs() < 1e-9 && naa.slope_percent_per_hz[1] < 1e-6, "{naa:?}");
        assert!(naa.bias_percent.abs() < 1e-9);
        // Ratios are even over ± 5 %: the median distance is 2.5 %.
        assert!((naa.robust_rms_percent - 1.4826 * 2.5).abs() < 1e-9, "{naa:?}");
        assert_eq!((found.bad, found.silent, found.majors[2], found.majors[3]), (0, None, None, None));
    }

    #[test]
    fn a_spectrum_that_went_astray_is_bad_in_any_unit_and_silent_without_a_flag() {
        let (mut rows, truth) = falling(0.01);
        for row in rows.iter_mut().filter(|r| r.spectrum_id == "s3" && r.metabolite.contains("Cr")) {
            row.amplitude = row.amplitude.map(|a| 0.6 * a);
        }
        rows.retain(|r| r.spectrum_id != "s7");
        let ratios = ratios(&rows, &truth, Column::Amplitude).unwrap();
        let mut flagged = vec![false; 21];
        flagged[7] = true;
        let found = robust(&ratios, 100.0, &truth, Some(&flagged));
        assert_eq!((found.bad, found.silent), (2, Some(1)));
        // Inositol alone is none of the two.
        for row in rows.iter_mut().filter(|r| r.spectrum_id == "s5" && r.metabolite == "Ins") {
            row.amplitude = Some(0.0);
        }
        assert_eq!(robust(&super::ratios(&rows, &truth, Column::Amplitude).unwrap(), 1.0, &truth, None).bad, 2);
    }
}
