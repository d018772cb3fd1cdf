//! The parts of the picture of a fit, each drawn into its place.

use super::canvas::{Align, Canvas};
use super::fit_plot::{FitPlot, Layout, RESIDUAL_PX, ROW_PX, Row};
use super::theme::{
    AXIS as RULE, BASELINE, DATA, FAINT_TEXT, FIT, FONT_PX, GRID, LEFT_PX, MACROMOLECULE, METABOLITE, NOISE_BAND,
    PLOT_WIDTH_PX, TEXT, extent,
};

/// Half width of the band behind the residual: 95 of 100 points of pure noise lie within.
const NOISE_BAND_SDS: f64 = 2.0;

impl FitPlot {
    pub(super) fn draw_grid(&self, canvas: &Canvas<'_>, layout: &Layout) -> Result<(), String> {
        let (high, low) = layout.ppm;
        let (left, right, y) = (LEFT_PX, LEFT_PX + PLOT_WIDTH_PX, layout.axis_y);
        // A tick label every 0.5 ppm, or fewer on a wide axis; small ticks five times as often.
        let step = [0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 50.0]
            .into_iter()
            .find(|step| (high - low) / step <= 12.0)
            .unwrap_or((high - low) / 12.0);
        let minor = step / 5.0;
        let first = (low / minor - 1e-9).ceil() as i64;
        let last = (high / minor + 1e-9).floor() as i64;
        for tick in first..=last {
            let ppm = tick as f64 * minor;
            let x = layout.x(ppm);
            if tick % 5 == 0 {
                canvas.line(&[(x, layout.top), (x, y)], GRID, 1.0)?;
                canvas.line(&[(x, y), (x, y + 6.0)], TEXT, 1.0)?;
                let label = format!("{ppm:.1}");
                canvas.text(&label, (x, y + 14.0), Align::Centre, FONT_PX, TEXT)?;
            } else {
                canvas.line(&[(x, y), (x, y + 3.0)], TEXT, 1.0)?;
            }
        }
        canvas.line(&[(left, y), (right, y)], TEXT, 1.0)?;
        let middle = left + PLOT_WIDTH_PX / 2.0;
        canvas.text("chemical shift (ppm)", (middle, y + 29.0), Align::Centre, FONT_PX, TEXT)
    }

    pub(super) fn draw_residual(&self, canvas: &Canvas<'_>, layout: &Layout) -> Result<(), String> {
        let right = LEFT_PX + PLOT_WIDTH_PX;
        let difference: Vec<f64> = self.data.iter().zip(&self.fit).map(|(d, f)| d - f).collect();
        let largest = extent(&difference).map_or(0.0, |(low, high)| high.max(-low));
        let middle = layout.top + RESIDUAL_PX / 2.0;
        // The scale of the data, so that misfit and peaks compare; smaller only if it does not fit,
        // larger never.
        let fitting = RESIDUAL_PX / 2.0 / largest.max(f64::MIN_POSITIVE);
        let scale = layout.px_per_signal.min(fitting);
        if let Some(sd) = self.noise_sd.filter(|sd| sd.is_finite() && *sd > 0.0) {
            let half = (NOISE_BAND_SDS * sd * scale).min(RESIDUAL_PX / 2.0);
            canvas.rectangle((LEFT_PX, middle - half), (right, middle + half), NOISE_BAND)?;
        }
        canvas.line(&[(LEFT_PX, middle), (right, middle)], RULE, 0.75)?;
        canvas.line(&self.points(layout, |i| middle - difference[i] * scale), DATA, 1.0)?;
        let label = |text: &str, y: f64, colour| canvas.text(text, (right + 8.0, y), Align::Left, FONT_PX, colour);
        label("residual", middle - 6.0, DATA)?;
        let mut notes = Vec::new();
        if scale < layout.px_per_signal {
            notes.push(format!("×{:.2}", scale / layout.px_per_signal));
        }
        if self.noise_sd.is_some() {
            notes.push(format!("band ±{NOISE_BAND_SDS} sd"));
        }
        let note = notes.join(", ");
        canvas.text(&note, (right + 8.0, middle + 8.0), Align::Left, 9.0, FAINT_TEXT)
    }

    pub(super) fn draw_main(&self, canvas: &Canvas<'_>, layout: &Layout) -> Result<(), String> {
        let right = LEFT_PX + PLOT_WIDTH_PX;
        let curve =
            |values: &[f64], colour, width| canvas.line(&self.points(layout, |i| layout.y(values[i])), colour, width);
        curve(&self.data, DATA, 1.0)?;
        curve(&self.baseline, BASELINE, 1.0)?;
        curve(&self.fit, FIT, 1.4)?;
        for (index, (name, colour)) in [("data", DATA), ("fit", FIT), ("baseline", BASELINE)].into_iter().enumerate() {
            let y = layout.main_top + 14.0 + ROW_PX * index as f64;
            canvas.line(&[(right + 8.0, y), (right + 24.0, y)], colour, 1.6)?;
            canvas.text(name, (right + 29.0, y), Align::Left, FONT_PX, colour)?;
        }
        Ok(())
    }

    pub(super) fn draw_components(&self, canvas: &Canvas<'_>, layout: &Layout, rows: &[Row<'_>]) -> Result<(), String> {
        let right = LEFT_PX + PLOT_WIDTH_PX;
        let mut top = layout.components_top;
        let mut was_metabolite = true;
        for row in rows {
            if was_metabolite && !row.is_metabolite {
                let text = "macromolecules and lipids";
                canvas.text(text, (LEFT_PX, top + 0.7 * ROW_PX), Align::Left, FONT_PX, FAINT_TEXT)?;
                top += ROW_PX;
            }
            was_metabolite = row.is_metabolite;
            let colour = if row.is_metabolite { METABOLITE } else { MACROMOLECULE };
            let zero = top + row.above_px;
            let scale = layout.component_scale * layout.px_per_signal * row.enlargement;
            canvas.line(&self.points(layout, |i| zero - row.curve[i] * scale), colour, 1.1)?;
            let label = match row.enlargement {
                1.0 => row.name.to_owned(),
                factor => format!("{} ×{factor}", row.name),
            };
            canvas.text(&label, (right + 8.0, zero - 4.0), Align::Left, FONT_PX, colour)?;
            top = zero + row.below_px;
        }
        let note = format!("components ×{:.2}", layout.component_scale);
        canvas.text(&note, (right + 8.0, layout.main_bottom - 4.0), Align::Left, 9.0, FAINT_TEXT)?;
        Ok(())
    }
}
