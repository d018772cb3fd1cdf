//! The overlay's part of the picture of a fit.

use super::canvas::{Align, Canvas};
use super::fit_plot::{FitPlot, Layout};
use super::overlay::OVERLAY_PPM;
use super::theme::{
    BASELINE, DATA as OTHER, FAINT_TEXT, FONT_PX, GRID as RULE, LEFT_PX, MACROMOLECULE as FITTED, OVERLAY_PX,
    PLOT_WIDTH_PX, TEXT, extent,
};

/// Height of the lines of text at the top of the panel (px).
const HEAD_PX: f64 = 36.0;

impl FitPlot {
    /// Draws the overlay below `top`; its scale is its own, and said.
    pub(super) fn draw_overlay(&self, canvas: &Canvas<'_>, layout: &Layout, top: f64) -> Result<(), String> {
        let Some(overlay) = &self.overlay else { return Ok(()) };
        let shown = |curve: &[f64]| -> Vec<f64> {
            let points = self.ppm.iter().zip(curve);
            points.filter(|(ppm, _)| OVERLAY_PPM.contains(ppm)).map(|(_, v)| *v).collect()
        };
        let all = [&overlay.spectrum, &overlay.with_baseline, &self.baseline].map(|c| shown(c)).concat();
        let (low, high) = extent(&all).unwrap_or_default();
        let (low, high) = (low.min(0.0), high.max(0.0));
        let (first, last) = (top + HEAD_PX, top + OVERLAY_PX);
        let px_per_signal = 0.94 * (last - first) / (high - low).max(f64::MIN_POSITIVE);
        let zero = last + low * px_per_signal;
        // Beyond the compared range curves may leave the panel: they end there, not in its neighbours.
        let y = |value: f64| {
            let place = zero - value * px_per_signal;
            if (first - 6.0..=last + 6.0).contains(&place) { place } else { f64::NAN }
        };
        let [left, right] = [*OVERLAY_PPM.end(), *OVERLAY_PPM.start()].map(|ppm| layout.x(ppm));
        canvas.line(&[(LEFT_PX, zero), (LEFT_PX + PLOT_WIDTH_PX, zero)], RULE, 0.75)?;
        for end in [left, right] {
            canvas.line(&[(end, first), (end, last)], RULE, 1.0)?;
        }
        let curves = [
            (&overlay.spectrum, OTHER, 1.0, "overlay"),
            (&self.baseline, BASELINE, 1.0, "baseline"),
            (&overlay.with_baseline, FITTED, 1.6, "MM + baseline"),
        ];
        for (i, (curve, colour, width, name)) in curves.into_iter().enumerate() {
            canvas.line(&self.points(layout, |k| y(curve[k])), colour, width)?;
            let (x, place) = (LEFT_PX + PLOT_WIDTH_PX + 8.0, first + 10.0 + 16.0 * i as f64);
            canvas.line(&[(x, place), (x + 12.0, place)], colour, 1.6)?;
            canvas.text(name, (x + 16.0, place), Align::Left, FONT_PX, colour)?;
        }
        let scale = format!("scale ×{:.1}", px_per_signal / layout.px_per_signal);
        canvas.text(&scale, (LEFT_PX + PLOT_WIDTH_PX + 8.0, first + 60.0), Align::Left, 9.0, FAINT_TEXT)?;
        let said = format!("overlay: {} × {:.3}", overlay.label, overlay.factor);
        canvas.text(&said, (LEFT_PX, top + 8.0), Align::Left, FONT_PX, OTHER)?;
        canvas.text(&overlay.summary(), (LEFT_PX, top + 23.0), Align::Left, FONT_PX, TEXT)
    }
}
