//! Two small pictures for pages of people: where one value stands among others, and the transients of a spectrum.

use std::fmt::Write as _;

use super::preparation_plot::PreparationPlot;
use super::theme::PlotError;
use crate::store::TransientRow;

const WIDTH: f64 = 150.0;
const HEIGHT: f64 = 18.0;
/// Most dots: more lie over one another.
const MOST_DOTS: usize = 250;

/// All values as dots on a line and `own` as a stroke across it; `None` where nothing differs. Colours are the page's.
pub fn place_plot(others: &[f64], own: f64) -> Option<String> {
    let finite = || others.iter().copied().chain([own]).filter(|v| v.is_finite());
    let (low, high) = finite().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    if !(high > low && own.is_finite()) {
        return None;
    }
    let x = |value: f64| 4.0 + (WIDTH - 8.0) * (value - low) / (high - low);
    let stride = others.len().div_ceil(MOST_DOTS).max(1);
    let mut sorted: Vec<f64> = others.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" aria-hidden=\"true\">");
    for value in sorted.iter().step_by(stride) {
        let _ =
            write!(svg, "<circle cx=\"{:.1}\" cy=\"9\" r=\"2.2\" fill=\"#56B4E9\" fill-opacity=\"0.4\"/>", x(*value));
    }
    let at = x(own);
    let _ = write!(svg, "<path d=\"M{at:.1} 1V17\" stroke=\"#D55E00\" stroke-width=\"2.5\"/></svg>");
    Some(svg)
}

/// Shift and phase of the transients in their order, and which were left out; `None` where there are fewer than two.
///
/// # Errors
/// [`PlotError`] if nothing is known of them, or the drawing fails.
pub fn transients_plot(rows: &[TransientRow]) -> Result<String, PlotError> {
    let transients: Vec<(f64, f64, bool)> =
        rows.iter().filter_map(|row| Some((row.shift_hz?, row.phase_deg?, row.kept))).collect();
    if transients.len() < 2 {
        return Err(PlotError::NoData);
    }
    let title = format!("{} transients before they were aligned", transients.len());
    PreparationPlot { title, transients, ..PreparationPlot::default() }.render_svg()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_own_value_stands_where_it_belongs() {
        let svg = place_plot(&[0.0, 10.0, f64::NAN], 5.0).unwrap();
        assert!(svg.contains("M75.0 1V17") && svg.matches("<circle").count() == 2, "{svg}");
        // Also beyond all others.
        assert!(place_plot(&[0.0, 1.0], 2.0).unwrap().contains("M146.0 1V17"));
        assert!(place_plot(&[1.0], 1.0).is_none() && place_plot(&[0.0, 1.0], f64::NAN).is_none());
    }

    #[test]
    fn transients_stand_in_their_order() {
        let row = |shift_hz, kept| TransientRow {
            shift_hz: Some(shift_hz),
            phase_deg: Some(1.0),
            kept,
            ..TransientRow::default()
        };
        let svg = transients_plot(&[row(1.0, true), row(-2.0, false)]).unwrap();
        assert!(svg.contains("shift (Hz)") && svg.contains("2 transients"), "{svg}");
        assert!(transients_plot(&[row(1.0, true)]).is_err());
    }
}
