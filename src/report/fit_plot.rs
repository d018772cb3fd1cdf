//! One fit as a picture: residual, data with fit and baseline, and each metabolite below.

use super::canvas::{Align, Canvas, with_size_in_px};
use super::overlay::Overlay;
use super::theme::{
    FAINT_TEXT, FONT_PX, LEFT_PX, NAMES_WIDTH_PX, OVERLAY_PX, PLOT_WIDTH_PX, PlotError, TEXT, TOP_PX, extent,
};

const TABLE_WIDTH_PX: f64 = 200.0;
pub(super) const RESIDUAL_PX: f64 = 76.0;
const MAIN_PX: f64 = 330.0;
pub(super) const GAP_PX: f64 = 12.0;
/// Least distance between two names, so that 40 of them can be read.
pub(super) const ROW_PX: f64 = 16.0;
/// A component is drawn at this part of the scale of the data; higher than one row it takes the
/// room it needs.
pub(super) const COMPONENT_SCALE: f64 = 0.5;
/// A component lower than this is enlarged, which its name says.
const LOW_PX: f64 = 6.0;
const ENLARGEMENTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
const AXIS_PX: f64 = 40.0;
pub(super) const TABLE_LINE_PX: f64 = 15.0;
/// Characters of a footnote line in [`FONT_PX`] that fit below the plot.
const FOOTNOTE_CHARACTERS: usize = 110;
/// A component whose largest value is below this part of the largest of the data is at zero.
const ZERO: f64 = 1e-6;

/// Everything that the picture of a fit shows. All curves have the length of `ppm`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FitPlot {
    /// Line above the picture.
    pub title: String,
    /// Chemical shift (ppm) of each point, in any monotonic order.
    pub ppm: Vec<f64>,
    /// Real part of the spectrum.
    pub data: Vec<f64>,
    /// Model, baseline included.
    pub fit: Vec<f64>,
    /// Baseline.
    pub baseline: Vec<f64>,
    /// Name and curve of each metabolite, without baseline.
    pub components: Vec<(String, Vec<f64>)>,
    /// Results to print beside the picture; may be empty.
    pub table: Vec<TableLine>,
    /// Heading of the values in `table`, with unit: `mmol/kg`.
    pub table_unit: String,
    /// Standard deviation of the noise in `data`, for the band behind the residual.
    pub noise_sd: Option<f64>,
    /// Another spectrum over the fitted macromolecules, in a panel of its own.
    pub overlay: Option<Overlay>,
}

/// One result beside the picture.
#[derive(Debug, Clone, PartialEq)]
pub struct TableLine {
    /// Metabolite or sum.
    pub name: String,
    /// Its value; `None` prints a dash.
    pub value: Option<f64>,
    /// Its uncertainty in percent; `None` prints a dash.
    pub sd_percent: Option<f64>,
}

/// A component with the room that it takes.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    pub(super) curve: &'a [f64],
    pub(super) enlargement: f64,
    /// Pixels above and below its zero line.
    pub(super) above_px: f64,
    pub(super) below_px: f64,
}

/// The vertical places of the picture (px from the top).
pub(super) struct Layout {
    /// Largest and least ppm on the axis.
    pub(super) ppm: (f64, f64),
    /// Signal at the bottom of the main panel, and pixels per unit of signal.
    pub(super) signal_low: f64,
    pub(super) px_per_signal: f64,
    pub(super) main_top: f64,
    pub(super) main_bottom: f64,
    pub(super) components_top: f64,
    pub(super) axis_y: f64,
}

impl Layout {
    pub(super) fn x(&self, ppm: f64) -> f64 {
        LEFT_PX + (self.ppm.0 - ppm) / (self.ppm.0 - self.ppm.1) * PLOT_WIDTH_PX
    }

    pub(super) fn y(&self, signal: f64) -> f64 {
        self.main_bottom - (signal - self.signal_low) * self.px_per_signal
    }
}

impl FitPlot {
    /// The picture as an SVG document.
    ///
    /// # Errors
    /// [`PlotError::Length`], [`PlotError::Axis`] and [`PlotError::NoData`] if the curves do not
    /// make a picture.
    pub fn render_svg(&self) -> Result<String, PlotError> {
        self.check()?;
        let (low_ppm, high_ppm) = extent(&self.ppm).ok_or(PlotError::Axis)?;
        let curves = [&self.data, &self.fit, &self.baseline];
        let (low, high) = extent(curves.into_iter().flatten()).ok_or(PlotError::NoData)?;
        let margin = 0.03 * (high - low).max(f64::MIN_POSITIVE);
        let (low, high) = (low - margin, high + margin);
        let main_top = TOP_PX + RESIDUAL_PX + GAP_PX;
        let px_per_signal = MAIN_PX / (high - low);

        let (rows, at_zero) = self.rows(px_per_signal);
        let rows_px: f64 = rows.iter().map(|row| row.above_px + row.below_px).sum();
        let overlay_top = main_top + MAIN_PX + GAP_PX;
        let components_top = overlay_top + self.overlay.as_ref().map_or(0.0, |_| OVERLAY_PX + GAP_PX);
        let layout = Layout {
            ppm: (high_ppm, low_ppm),
            signal_low: low,
            px_per_signal,
            main_top,
            main_bottom: main_top + MAIN_PX,
            components_top,
            axis_y: components_top + rows_px + 6.0,
        };
        let footnotes = footnote_lines(&at_zero);
        let height = (layout.axis_y + AXIS_PX + ROW_PX * footnotes.len() as f64)
            .max(TOP_PX + TABLE_LINE_PX * (self.table.len() as f64 + 3.0))
            .ceil();
        let table_px = if self.table.is_empty() { 0.0 } else { TABLE_WIDTH_PX };
        let width = LEFT_PX + PLOT_WIDTH_PX + NAMES_WIDTH_PX + table_px;

        let mut svg = String::new();
        let draw = |svg: &mut String| -> Result<(), String> {
            let canvas = Canvas::new(svg, width, height)?;
            canvas.text(&self.title, (LEFT_PX, 18.0), Align::Left, 14.0, TEXT)?;
            self.draw_grid(&canvas, &layout)?;
            self.draw_residual(&canvas, &layout)?;
            self.draw_main(&canvas, &layout)?;
            self.draw_overlay(&canvas, &layout, overlay_top)?;
            self.draw_components(&canvas, &layout, &rows)?;
            for (index, line) in footnotes.iter().enumerate() {
                let y = layout.axis_y + AXIS_PX + ROW_PX * (index as f64 + 0.25);
                canvas.text(line, (LEFT_PX, y), Align::Left, FONT_PX, FAINT_TEXT)?;
            }
            self.draw_table(&canvas)?;
            canvas.finish()
        };
        draw(&mut svg).map_err(PlotError::Backend)?;
        Ok(with_size_in_px(&svg, width, height))
    }

    fn check(&self) -> Result<(), PlotError> {
        let expected = self.ppm.len();
        let fixed = [("data", &self.data), ("fit", &self.fit), ("baseline", &self.baseline)];
        let components = self.components.iter().map(|(name, curve)| (name.as_str(), curve));
        let overlay =
            self.overlay.iter().flat_map(|o| [("overlay", &o.spectrum), ("macromolecules", &o.with_baseline)]);
        for (curve, values) in fixed.into_iter().chain(components).chain(overlay) {
            if values.len() != expected {
                let (curve, length) = (curve.to_owned(), values.len());
                return Err(PlotError::Length { curve, length, expected });
            }
        }
        match extent(&self.ppm) {
            Some((low, high)) if high > low && self.ppm.iter().all(|p| p.is_finite()) => Ok(()),
            _ => Err(PlotError::Axis),
        }
    }

    /// The components that are drawn, and the names of those at zero.
    fn rows(&self, px_per_signal: f64) -> (Vec<Row<'_>>, Vec<&str>) {
        let largest = |curve: &[f64]| extent(curve).map_or(0.0, |(l, h)| f64::max(h, -l));
        let zero = ZERO * largest(&self.data).max(largest(&self.fit));
        let mut rows = Vec::new();
        let mut at_zero = Vec::new();
        for (name, curve) in &self.components {
            if largest(curve) <= zero {
                at_zero.push(name.as_str());
                continue;
            }
            let (low, high) = extent(curve).unwrap_or_default();
            let scale = COMPONENT_SCALE * px_per_signal;
            let plain_px = scale * (high.max(0.0) - low.min(0.0));
            let fits = |factor: &&f64| **factor == 1.0 || plain_px * **factor <= 1.5 * ROW_PX;
            let enlargement = match plain_px < LOW_PX {
                true => ENLARGEMENTS.iter().rev().find(fits).copied().unwrap_or(1.0),
                false => 1.0,
            };
            let below_px = -low.min(0.0) * scale * enlargement;
            // Names stand at the zero lines, so these keep their distance.
            let above_px = (high.max(0.0) * scale * enlargement + 2.0).max(ROW_PX);
            rows.push(Row { name, curve, enlargement, above_px, below_px });
        }
        (rows, at_zero)
    }

    pub(super) fn points(&self, layout: &Layout, y: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        self.ppm.iter().enumerate().map(|(i, ppm)| (layout.x(*ppm), y(i))).collect()
    }
}

/// The names at zero in lines that fit below the plot.
fn footnote_lines(names: &[&str]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::from("at zero:");
    for (index, name) in names.iter().enumerate() {
        let comma = if index + 1 < names.len() { "," } else { "" };
        if line.chars().count() + name.chars().count() + 2 > FOOTNOTE_CHARACTERS {
            lines.push(std::mem::take(&mut line));
        } else {
            line.push(' ');
        }
        line.push_str(name);
        line.push_str(comma);
    }
    if !names.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
#[path = "fit_plot_tests.rs"]
mod tests;
