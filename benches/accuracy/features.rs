//! What fits know about themselves beside what they are off by, as a table: what a quality score is calibrated on.

use std::fmt::Write as _;

use requant::benchmark::Set;
use requant::benchmark::robust::ratios;
use requant::benchmark::score;

use crate::fitted::Results;
use crate::load::Loaded;
use crate::strangers::worst;

/// A line for each fit of a set; with the header where `text` is empty.
pub fn add(text: &mut String, set: &Set, loaded: &Loaded, results: &Results) {
    let scale = score::score(&results.rows, &loaded.truth, set.column).unwrap().scale;
    let factor = if set.same_unit { 1.0 } else { scale };
    let ratios = ratios(&results.rows, &loaded.truth, set.column).unwrap();
    for (i, (case, fit)) in loaded.cases.iter().zip(&results.fits).enumerate() {
        let Some(diagnostics) = &fit.diagnostics else { continue };
        if text.is_empty() {
            text.push_str("set,condition,id,worst");
            diagnostics.figures().iter().for_each(|(name, _)| _ = write!(text, ",{name}"));
            text.push_str(",snr,residual_over_noise,baseline_ed,lorentz_hz,gauss_hz,fwhm_hz,iterations,flags\n");
        }
        let _ = write!(text, "{},{},{},{:.5}", set.name, case.condition, case.id, worst(loaded, &ratios, factor, i));
        diagnostics.figures().iter().for_each(|(_, value)| _ = write!(text, ",{value:.6}"));
        let _ = writeln!(
            text,
            ",{:.3},{:.4},{:.3},{:.3},{:.3},{:.3},{},{}",
            fit.snr,
            fit.residual_over_noise,
            fit.baseline_ed,
            fit.lorentz_hz.unwrap_or(f64::NAN),
            fit.gauss_hz.unwrap_or(f64::NAN),
            fit.fwhm_hz.unwrap_or(f64::NAN),
            fit.n_iterations,
            results.flags[i].join(" ")
        );
    }
}
