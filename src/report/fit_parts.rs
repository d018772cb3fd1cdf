//! The parts of the picture of a fit, each drawn into its place.

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas};
use super::fit_plot::{COMPONENT_SCALE, FitPlot, Layout, RESIDUAL_PX, ROW_PX, Row, TABLE_LINE_PX};
use super::theme::{FAINT_TEXT, FONT_PX, LEFT_PX, NAMES_WIDTH_PX, PLOT_WIDTH_PX, TEXT, TOP_PX, extent};

const DATA: RGBColor = RGBColor(70, 70, 70);
const FIT: RGBColor = RGBColor(213, 30, 30);
const BASELINE: RGBColor = RGBColor(30, 110, 190);
const COMPONENT: RGBColor = RGBColor(20, 70, 120);
const GRID: RGBColor = RGBColor(232, 232, 232);
const NOISE_BAND: RGBColor = RGBColor(232, 230, 208);
const RULE: RGBColor = RGBColor(190, 190, 190);
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
                canvas.line(&[(x, TOP_PX), (x, y)], GRID, 1.0)?;
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
        let middle = TOP_PX + RESIDUAL_PX / 2.0;
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
        for row in rows {
            let zero = top + row.above_px;
            let scale = COMPONENT_SCALE * layout.px_per_signal * row.enlargement;
            canvas.line(&self.points(layout, |i| zero - row.curve[i] * scale), COMPONENT, 1.1)?;
            let label = match row.enlargement {
                1.0 => row.name.to_owned(),
                factor => format!("{} ×{factor}", row.name),
            };
            canvas.text(&label, (right + 8.0, zero - 4.0), Align::Left, FONT_PX, COMPONENT)?;
            top = zero + row.below_px;
        }
        Ok(())
    }

    pub(super) fn draw_table(&self, canvas: &Canvas<'_>) -> Result<(), String> {
        if self.table.is_empty() {
            return Ok(());
        }
        let left = LEFT_PX + PLOT_WIDTH_PX + NAMES_WIDTH_PX + 8.0;
        let (value_x, percent_x) = (left + 125.0, left + 175.0);
        let mut y = TOP_PX + 6.0;
        canvas.text(&self.table_unit, (value_x, y), Align::Right, FONT_PX, FAINT_TEXT)?;
        canvas.text("± %", (percent_x, y), Align::Right, FONT_PX, FAINT_TEXT)?;
        canvas.line(&[(left, y + 9.0), (percent_x, y + 9.0)], RULE, 1.0)?;
        y += 4.0;
        for line in &self.table {
            y += TABLE_LINE_PX;
            let or_dash = |number: Option<f64>, digits: usize| match number {
                Some(number) if number.is_finite() => format!("{number:.digits$}"),
                _ => "–".to_owned(),
            };
            canvas.text(&line.name, (left, y), Align::Left, FONT_PX, TEXT)?;
            let value = or_dash(line.value, 2);
            canvas.text(&value, (value_x, y), Align::Right, FONT_PX, TEXT)?;
            let percent = or_dash(line.sd_percent, 0);
            canvas.text(&percent, (percent_x, y), Align::Right, FONT_PX, TEXT)?;
        }
        Ok(())
    }
}
