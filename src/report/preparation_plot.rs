//! What preparation made of an acquisition: the spectrum before and after, and how its transients lay.

use super::canvas::{Align, Canvas, with_size_in_px, with_words};
use super::theme::{
    DATA as AFTER, FAINT_TEXT, FIT as LEFT_OUT, GRID, METABOLITE as KEPT, PlotError, REFERENCE as BEFORE, TEXT,
};

const WINDOW_PPM: (f64, f64) = (0.2, 4.2);
const LEFT_PX: f64 = 60.0;
const WIDTH_PX: f64 = 760.0;
const RIGHT_PX: f64 = 20.0;
const TOP_PX: f64 = 44.0;
const SPECTRUM_PX: f64 = 170.0;
const TRANSIENTS_PX: f64 = 90.0;
const GAP_PX: f64 = 26.0;
const AXIS_PX: f64 = 44.0;
const DOT_PX: f64 = 2.5;

/// What the picture shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PreparationPlot {
    /// Line above the picture.
    pub title: String,
    /// Chemical shift (ppm) and real part of the plain mean of all transients.
    pub before: Vec<(f64, f64)>,
    /// The same of the prepared spectrum, in the same units.
    pub after: Vec<(f64, f64)>,
    /// What the figures of either say, beside its curve.
    pub notes: [String; 2],
    /// Shift (Hz) and phase (°) of each transient above the others, and whether it was kept; empty where there was
    /// nothing to align.
    pub transients: Vec<(f64, f64, bool)>,
}

impl PreparationPlot {
    /// The picture as SVG.
    ///
    /// # Errors
    /// [`PlotError`] if no point lies in the window or the drawing fails.
    pub fn render_svg(&self) -> Result<String, PlotError> {
        let shown = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().copied().filter(|(ppm, _)| (WINDOW_PPM.0..=WINDOW_PPM.1).contains(ppm)).collect()
        };
        let spectra = [shown(&self.before), shown(&self.after)];
        let values = || spectra.iter().flatten().map(|p| p.1).filter(|v| v.is_finite());
        let (low, high) = (values().fold(0.0, f64::min), values().fold(0.0, f64::max));
        let has_spectra = !(self.before.is_empty() && self.after.is_empty());
        if has_spectra && high <= low || !has_spectra && self.transients.is_empty() {
            return Err(PlotError::NoData);
        }
        let panels = if self.transients.is_empty() { 0.0 } else { 2.0 * (TRANSIENTS_PX + GAP_PX) + AXIS_PX };
        let spectra_px = if has_spectra { 2.0 * SPECTRUM_PX + AXIS_PX } else { GAP_PX };
        let height = TOP_PX + spectra_px + panels;
        let width = LEFT_PX + WIDTH_PX + RIGHT_PX;
        let mut svg = String::new();
        self.draw(&mut svg, &spectra, (low, high), (width, height)).map_err(PlotError::Backend)?;
        let [before, after] = &self.notes;
        let description = match has_spectra {
            true => format!("The spectrum before ({before}) and after ({after})."),
            false => format!("Shift and phase of {} transients in their order.", self.transients.len()),
        };
        Ok(with_words(&with_size_in_px(&svg, width, height), &format!("Preparation of {}", self.title), &description))
    }

    fn draw(
        &self,
        svg: &mut String,
        spectra: &[Vec<(f64, f64)>; 2],
        (low, high): (f64, f64),
        (width, height): (f64, f64),
    ) -> Result<(), String> {
        let canvas = Canvas::new(svg, width, height)?;
        canvas.text(&self.title, (LEFT_PX, 18.0), Align::Left, 13.0, TEXT)?;
        if self.before.is_empty() && self.after.is_empty() {
            self.draw_transients(&canvas, TOP_PX + GAP_PX)?;
            return canvas.finish();
        }
        let x_of = |ppm: f64| LEFT_PX + WIDTH_PX * (WINDOW_PPM.1 - ppm) / (WINDOW_PPM.1 - WINDOW_PPM.0);
        let bottom = TOP_PX + 2.0 * SPECTRUM_PX;
        for half in 1..=8 {
            let ppm = 0.5 * f64::from(half);
            canvas.line(&[(x_of(ppm), TOP_PX), (x_of(ppm), bottom)], GRID, 0.7)?;
            canvas.text(&format!("{ppm:.1}"), (x_of(ppm), bottom + 12.0), Align::Centre, 11.0, TEXT)?;
        }
        canvas.text("chemical shift (ppm)", (LEFT_PX + 0.5 * WIDTH_PX, bottom + 28.0), Align::Centre, 11.0, TEXT)?;
        // One scale for both: what was lost or gained shows.
        let scale = 0.9 * SPECTRUM_PX / (high - low);
        for (i, (points, colour)) in spectra.iter().zip([BEFORE, AFTER]).enumerate() {
            let foot = TOP_PX + SPECTRUM_PX * (i as f64 + 1.0);
            let curve: Vec<(f64, f64)> = points.iter().map(|&(ppm, v)| (x_of(ppm), foot - scale * (v - low))).collect();
            canvas.line(&curve, colour, 1.2)?;
            let name = format!("{}: {}", ["before", "after"][i], self.notes[i]);
            canvas.text(&name, (LEFT_PX, foot - SPECTRUM_PX + 12.0), Align::Left, 11.0, FAINT_TEXT)?;
        }
        if !self.transients.is_empty() {
            self.draw_transients(&canvas, bottom + AXIS_PX)?;
        }
        canvas.finish()
    }

    fn draw_transients(&self, canvas: &Canvas<'_>, top: f64) -> Result<(), String> {
        self.panel(canvas, top, "shift (Hz)", |t| t.0)?;
        self.panel(canvas, top + TRANSIENTS_PX + GAP_PX, "phase (°)", |t| t.1)?;
        let foot = top + 2.0 * TRANSIENTS_PX + GAP_PX;
        let last = self.transients.len() - 1;
        canvas.text("0", (self.x_of_transient(0), foot + 12.0), Align::Centre, 11.0, TEXT)?;
        canvas.text(&last.to_string(), (self.x_of_transient(last), foot + 12.0), Align::Centre, 11.0, TEXT)?;
        let below = "transient (orange: left out)";
        canvas.text(below, (LEFT_PX + 0.5 * WIDTH_PX, foot + 12.0), Align::Centre, 11.0, TEXT)
    }

    fn x_of_transient(&self, index: usize) -> f64 {
        LEFT_PX + WIDTH_PX * (index as f64 + 0.5) / self.transients.len() as f64
    }

    /// One number of every transient over their order.
    fn panel(
        &self,
        canvas: &Canvas<'_>,
        top: f64,
        name: &str,
        value: impl Fn(&(f64, f64, bool)) -> f64,
    ) -> Result<(), String> {
        let furthest = self.transients.iter().map(|t| value(t).abs()).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
        let middle = top + 0.5 * TRANSIENTS_PX;
        let y_of = |v: f64| middle - 0.5 * TRANSIENTS_PX * v / furthest;
        canvas.text(name, (LEFT_PX, top - 8.0), Align::Left, 11.0, FAINT_TEXT)?;
        for level in [-furthest, 0.0, furthest] {
            canvas.line(&[(LEFT_PX, y_of(level)), (LEFT_PX + WIDTH_PX, y_of(level))], GRID, 0.7)?;
            let text = if level == 0.0 { "0".to_owned() } else { format!("{level:.1}") };
            canvas.text(&text, (LEFT_PX - 6.0, y_of(level)), Align::Right, 11.0, TEXT)?;
        }
        for (i, transient) in self.transients.iter().enumerate() {
            let (x, y) = (self.x_of_transient(i), y_of(value(transient)));
            let colour = if transient.2 { KEPT } else { LEFT_OUT };
            canvas.rectangle((x - DOT_PX, y - DOT_PX), (x + DOT_PX, y + DOT_PX), colour)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn plot() -> PreparationPlot {
        let line = |height: f64| -> Vec<(f64, f64)> {
            (0..400)
                .map(|i| 0.01 * f64::from(i))
                .map(|ppm| (ppm, height / (1.0 + 900.0 * (ppm - 2.0).powi(2))))
                .collect()
        };
        PreparationPlot {
            title: "scan".into(),
            before: line(1.0),
            after: line(2.0),
            notes: ["SNR 10".into(), "SNR 20".into()],
            transients: vec![(1.0, 4.0, true), (-2.0, 0.0, false)],
        }
    }

    #[test]
    fn curves_figures_and_every_transient_are_drawn() {
        let svg = plot().render_svg().unwrap();
        for text in ["before: SNR 10", "after: SNR 20", "shift (Hz)", "phase (°)", "scan"] {
            assert!(svg.contains(text), "{text}");
        }
        // Two panels, each with one transient kept and one left out.
        let alone = PreparationPlot { transients: Vec::new(), ..plot() }.render_svg().unwrap();
        let more = |colour: plotters::style::RGBColor| {
            let name = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
            svg.matches(&name).count() - alone.matches(&name).count()
        };
        assert_eq!((more(KEPT), more(LEFT_OUT)), (2, 2));
        assert!(!alone.contains("shift (Hz)"));
    }

    #[test]
    fn nothing_to_draw_is_an_error() {
        let empty = PreparationPlot { before: Vec::new(), after: vec![(9.0, 1.0)], ..plot() };
        assert!(matches!(empty.render_svg(), Err(PlotError::NoData)));
    }
}
