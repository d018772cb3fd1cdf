//! The values beside the picture of a fit.

use super::canvas::{Align, Canvas};
use super::fit_plot::{FitPlot, Layout, TABLE_LINE_PX, TABLE_WIDTH_PX};
use super::theme::{AXIS as RULE, FAINT_TEXT, FONT_PX, LEFT_PX, NAMES_WIDTH_PX, PLOT_WIDTH_PX, TEXT};

/// Columns: where the value ends, and where its standard deviation does (px from the left of the table).
const RATIO_PX: [f64; 2] = [106.0, 141.0];
const CONCENTRATION_PX: [f64; 2] = [196.0, 229.0];

impl FitPlot {
    pub(super) fn draw_table(&self, canvas: &Canvas<'_>, layout: &Layout) -> Result<(), String> {
        if self.table.is_empty() {
            return Ok(());
        }
        let left = LEFT_PX + PLOT_WIDTH_PX + NAMES_WIDTH_PX;
        let mut y = layout.top + 6.0;
        for (unit, ends) in [("/tCr", RATIO_PX), ("mmol/kg", CONCENTRATION_PX)] {
            canvas.text(unit, (left + ends[0], y), Align::Right, FONT_PX, FAINT_TEXT)?;
            canvas.text("± sd", (left + ends[1], y), Align::Right, FONT_PX, FAINT_TEXT)?;
        }
        canvas.line(&[(left, y + 9.0), (left + TABLE_WIDTH_PX - 8.0, y + 9.0)], RULE, 1.0)?;
        y += 4.0;
        for line in &self.table {
            y += TABLE_LINE_PX;
            canvas.text(&line.name, (left, y), Align::Left, FONT_PX, TEXT)?;
            let values = [(line.ratio_tcr, RATIO_PX, 3), (line.concentration, CONCENTRATION_PX, 2)];
            for (value, [of_value, of_sd], digits) in values {
                let shown = |number: f64| match number.is_finite() {
                    true if number.abs() >= 100.0 => format!("{number:.0}"),
                    true => format!("{number:.digits$}"),
                    false => "–".to_owned(),
                };
                let [value, sd] = value.map_or_else(|| ["–".to_owned(), String::new()], |(v, sd)| [v, sd].map(shown));
                canvas.text(&value, (left + of_value, y), Align::Right, FONT_PX, TEXT)?;
                canvas.text(&sd, (left + of_sd, y), Align::Right, FONT_PX, FAINT_TEXT)?;
            }
        }
        if !self.table_note.is_empty() {
            y += 1.5 * TABLE_LINE_PX;
            canvas.text(&self.table_note, (left, y), Align::Left, 9.0, FAINT_TEXT)?;
        }
        Ok(())
    }
}
