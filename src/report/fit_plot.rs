//! One fit as a picture on one A4: residual, data with fit and baseline, each metabolite, then macromolecules and lipids.

use super::canvas::{Align, Canvas, on_a4, with_words};
use super::overlay::Overlay;
use super::theme::{
    A4, FAINT_TEXT, FONT_PX, LEFT_PX, NAMES_WIDTH_PX, OVERLAY_PX, PLOT_WIDTH_PX, PlotError, TEXT, TOP_PX, extent,
};
use crate::basis::names::{Kind, kind};

pub(super) const TABLE_WIDTH_PX: f64 = 236.0;
pub(super) const RESIDUAL_PX: f64 = 76.0;
const MAIN_PX: f64 = 330.0;
/// The main panel takes what is left of the page, up to this.
const MOST_MAIN_PX: f64 = 480.0;
pub(super) const GAP_PX: f64 = 12.0;
/// Least distance between two names, so that 40 of them can be read.
pub(super) const ROW_PX: f64 = 16.0;
/// Components are drawn at the first of these parts of the scale of the data with which all fit on the page; one that is
/// higher than a row takes the room it needs.
const COMPONENT_SCALES: [f64; 5] = [0.5, 0.4, 0.3, 0.2, 0.1];
/// A component lower than this is enlarged, which its name says.
const LOW_PX: f64 = 6.0;
const ENLARGEMENTS: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0];
const AXIS_PX: f64 = 40.0;
pub(super) const TABLE_LINE_PX: f64 = 15.0;
/// Characters of a footnote line in [`FONT_PX`] that fit below the plot.
const FOOTNOTE_CHARACTERS: usize = 110;
/// Characters of a line below the title, and pieces that one may have.
const LINE_CHARACTERS: usize = 140;
const MOST_LINES: usize = 4;
/// A component whose largest value is below this part of the largest of the data is at zero.
const ZERO: f64 = 1e-6;

/// Everything that the picture of a fit shows. All curves have the length of `ppm`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FitPlot {
    /// Line above the picture.
    pub title: String,
    /// Lines below it: figures of quality, flags, how it was fitted.
    pub lines: Vec<String>,
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
    /// What the concentrations in `table` are, below it.
    pub table_note: String,
    /// Standard deviation of the noise in `data`, for the band behind the residual.
    pub noise_sd: Option<f64>,
    /// Another spectrum over the fitted macromolecules, in a panel of its own.
    pub overlay: Option<Overlay>,
}

/// One result beside the picture: values with their standard deviations; `None` prints a dash.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TableLine {
    /// Metabolite or sum.
    pub name: String,
    /// Ratio to total creatine.
    pub ratio_tcr: Option<(f64, f64)>,
    /// Concentration (mmol/kg).
    pub concentration: Option<(f64, f64)>,
}

/// A component with the room that it takes.
pub(super) struct Row<'a> {
    pub(super) name: &'a str,
    /// Metabolites come first, then macromolecules and lipids.
    pub(super) is_metabolite: bool,
    pub(super) curve: &'a [f64],
    pub(super) enlargement: f64,
    /// Pixels above and below its zero line.
    pub(super) above_px: f64,
    pub(super) below_px: f64,
}

/// The components below one another.
#[derive(Default)]
struct Stack<'a> {
    rows: Vec<Row<'a>>,
    /// Names of those at zero.
    at_zero: Vec<&'a str>,
    /// In parts of the scale of the data.
    scale: f64,
    height_px: f64,
}

/// The vertical places of the picture (px from the top).
pub(super) struct Layout {
    /// Largest and least ppm on the axis.
    pub(super) ppm: (f64, f64),
    /// Signal at the bottom of the main panel, and pixels per unit of signal.
    pub(super) signal_low: f64,
    pub(super) px_per_signal: f64,
    /// Scale of the components, in parts of that of the data.
    pub(super) component_scale: f64,
    pub(super) top: f64,
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
        // Of a flat curve the axis has some height all the same.
        let margin = if high > low { 0.03 * (high - low) } else { 0.5 };
        let (low, high) = (low - margin, high + margin);
        let lines: Vec<String> = self.lines.iter().flat_map(|line| wrapped(line)).collect();
        let top = TOP_PX + TABLE_LINE_PX * lines.len() as f64;
        let table_px = if self.table.is_empty() { 0.0 } else { TABLE_WIDTH_PX };
        let width = LEFT_PX + PLOT_WIDTH_PX + NAMES_WIDTH_PX + table_px;
        let main_top = top + RESIDUAL_PX + GAP_PX;
        let overlay_px = self.overlay.as_ref().map_or(0.0, |_| OVERLAY_PX + GAP_PX);
        let fixed_px = main_top + GAP_PX + overlay_px + AXIS_PX + 6.0 + 2.0 * ROW_PX;
        let stack = self.stack(MAIN_PX / (high - low), A4 * width - fixed_px - MAIN_PX);
        let footnotes = footnote_lines(&stack.at_zero);
        let least_px = fixed_px + stack.height_px + ROW_PX * footnotes.len() as f64;
        // Components keep their scale where the main panel grows.
        let main_px = MAIN_PX + (A4 * width - least_px - MAIN_PX).clamp(0.0, MOST_MAIN_PX - MAIN_PX);
        let components_top = main_top + main_px + GAP_PX + overlay_px;
        let layout = Layout {
            ppm: (high_ppm, low_ppm),
            signal_low: low,
            px_per_signal: main_px / (high - low),
            component_scale: stack.scale * MAIN_PX / main_px,
            top,
            main_top,
            main_bottom: main_top + main_px,
            components_top,
            axis_y: components_top + stack.height_px + 6.0,
        };
        let height = (layout.axis_y + AXIS_PX + ROW_PX * footnotes.len() as f64)
            .max(top + TABLE_LINE_PX * (self.table.len() as f64 + 5.0))
            .max(A4 * width)
            .ceil();

        let mut svg = String::new();
        let draw = |svg: &mut String| -> Result<(), String> {
            let canvas = Canvas::new(svg, width, height)?;
            self.draw_head(&canvas, &lines, width)?;
            self.draw_grid(&canvas, &layout)?;
            self.draw_residual(&canvas, &layout)?;
            self.draw_main(&canvas, &layout)?;
            self.draw_overlay(&canvas, &layout, components_top - overlay_px)?;
            self.draw_components(&canvas, &layout, &stack.rows)?;
            for (index, line) in footnotes.iter().enumerate() {
                let y = layout.axis_y + AXIS_PX + ROW_PX * (index as f64 + 0.25);
                canvas.text(line, (LEFT_PX, y), Align::Left, FONT_PX, FAINT_TEXT)?;
            }
            self.draw_table(&canvas, &layout)?;
            canvas.finish()
        };
        draw(&mut svg).map_err(PlotError::Backend)?;
        Ok(with_words(&on_a4(&svg, width, height), &format!("Fit of {}", self.title), &self.description()))
    }

    /// The picture in words.
    fn description(&self) -> String {
        let (ends, n) = (extent(&self.ppm).unwrap_or_default(), self.components.len());
        let shown = format!(
            "Data, fit, baseline and residual from {:.1} to {:.1} ppm, and {n} components below one another.",
            ends.1, ends.0
        );
        std::iter::once(shown).chain(self.lines.iter().cloned()).collect::<Vec<_>>().join(" ")
    }

    /// Title and lines.
    fn draw_head(&self, canvas: &Canvas<'_>, lines: &[String], width: f64) -> Result<(), String> {
        const TITLE_PX: f64 = 14.0;
        // Letters are half as wide as high, mostly.
        let most = (1.9 * (width - 2.0 * LEFT_PX) / TITLE_PX) as usize;
        let mut title: String = self.title.chars().take(most).collect();
        if title.len() < self.title.len() {
            title.push('…');
        }
        canvas.text(&title, (LEFT_PX, 18.0), Align::Left, TITLE_PX, TEXT)?;
        for (index, line) in lines.iter().enumerate() {
            let y = 37.0 + TABLE_LINE_PX * index as f64;
            canvas.text(line, (LEFT_PX, y), Align::Left, FONT_PX, FAINT_TEXT)?;
        }
        Ok(())
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

    /// The stack of components, at the largest scale with which it is no higher than `room_px`, or the least.
    fn stack(&self, px_per_signal: f64, room_px: f64) -> Stack<'_> {
        let made = COMPONENT_SCALES.map(|scale| self.stack_at(px_per_signal, scale));
        let fits = made.iter().position(|stack| stack.height_px <= room_px).unwrap_or(COMPONENT_SCALES.len() - 1);
        made.into_iter().nth(fits).unwrap_or_default()
    }

    fn stack_at(&self, px_per_signal: f64, scale: f64) -> Stack<'_> {
        let largest = |curve: &[f64]| extent(curve).map_or(0.0, |(l, h)| f64::max(h, -l));
        let zero = ZERO * largest(&self.data).max(largest(&self.fit));
        let (mut rows, mut at_zero) = (Vec::new(), Vec::new());
        for (name, curve) in &self.components {
            if largest(curve) <= zero {
                at_zero.push(name.as_str());
                continue;
            }
            let (low, high) = extent(curve).unwrap_or_default();
            let px = scale * px_per_signal;
            let plain_px = px * (high.max(0.0) - low.min(0.0));
            let fits = |factor: &&f64| **factor == 1.0 || plain_px * **factor <= 1.5 * ROW_PX;
            let enlargement = match plain_px < LOW_PX {
                true => ENLARGEMENTS.iter().rev().find(fits).copied().unwrap_or(1.0),
                false => 1.0,
            };
            let below_px = -low.min(0.0) * px * enlargement;
            // Names stand at the zero lines, so these keep their distance.
            let above_px = (high.max(0.0) * px * enlargement + 2.0).max(ROW_PX);
            let is_metabolite = kind(name) == Kind::Metabolite;
            rows.push(Row { name, is_metabolite, curve, enlargement, above_px, below_px });
        }
        rows.sort_by_key(|row| !row.is_metabolite);
        let headings = if rows.iter().any(|row| !row.is_metabolite) { ROW_PX } else { 0.0 };
        let height_px = headings + rows.iter().map(|row| row.above_px + row.below_px).sum::<f64>();
        Stack { rows, at_zero, scale, height_px }
    }

    pub(super) fn points(&self, layout: &Layout, y: impl Fn(usize) -> f64) -> Vec<(f64, f64)> {
        self.ppm.iter().enumerate().map(|(i, ppm)| (layout.x(*ppm), y(i))).collect()
    }
}

/// A line in pieces that fit on the page, parted at spaces.
fn wrapped(line: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in line.split(' ') {
        if let Some(last) = lines.last_mut() {
            if last.is_empty() || last.chars().count() + word.chars().count() < LINE_CHARACTERS {
                last.push_str(if last.is_empty() { "" } else { " " });
                last.push_str(word);
            } else {
                lines.push(word.to_owned());
            }
        }
    }
    lines.truncate(MOST_LINES);
    lines
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
