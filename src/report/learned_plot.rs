//! Learned macromolecule patterns beside the textbook's, one group below the other.

use super::canvas::{Align, Canvas, with_size_in_px, with_words};
use super::theme::{FAINT_TEXT, FIT as LEARNED, GRID, PlotError, REFERENCE as TEXTBOOK, TEXT};
use crate::learned::{Learned, Shared};

const WINDOW_PPM: (f64, f64) = (0.2, 4.2);
const LEFT_PX: f64 = 30.0;
const WIDTH_PX: f64 = 760.0;
const TOP_PX: f64 = 40.0;
const ROW_PX: f64 = 150.0;
const AXIS_PX: f64 = 40.0;
const FILL: f64 = 0.75;
const POINTS: usize = 800;
/// Frequency at which the patterns are drawn (MHz).
const F0_MHZ: f64 = 127.8;

/// Draws every group's pattern (orange) over `textbook` (grey), both with unit mean area of their peaks.
///
/// # Errors
/// [`PlotError`] if nothing was learned or the drawing fails.
pub fn learned_plot(learned: &Learned, textbook: &Shared) -> Result<String, PlotError> {
    if learned.groups.is_empty() {
        return Err(PlotError::NoData);
    }
    let (width, bottom) = (LEFT_PX + WIDTH_PX + LEFT_PX, TOP_PX + ROW_PX * learned.groups.len() as f64);
    let mut svg = String::new();
    draw(learned, textbook, &mut svg, width, bottom).map_err(PlotError::Backend)?;
    let names: Vec<&str> = learned.groups.iter().map(|group| group.protocol.as_str()).collect();
    let description = format!("The pattern of each group over the textbook's: {}.", names.join("; "));
    let svg = with_size_in_px(&svg, width, bottom + AXIS_PX);
    Ok(with_words(&svg, "Learned macromolecules", &description))
}

fn draw(learned: &Learned, textbook: &Shared, svg: &mut String, width: f64, bottom: f64) -> Result<(), String> {
    let canvas = Canvas::new(svg, width, bottom + AXIS_PX)?;
    let x_of = |ppm: f64| LEFT_PX + WIDTH_PX * (WINDOW_PPM.1 - ppm) / (WINDOW_PPM.1 - WINDOW_PPM.0);
    let title = "macromolecules: learned (orange), textbook (grey)";
    canvas.text(title, (LEFT_PX, 18.0), Align::Left, 13.0, TEXT)?;
    for half in 1..=8 {
        let ppm = 0.5 * f64::from(half);
        canvas.line(&[(x_of(ppm), TOP_PX), (x_of(ppm), bottom)], GRID, 0.7)?;
        canvas.text(&format!("{ppm:.1}"), (x_of(ppm), bottom + 12.0), Align::Centre, 11.0, TEXT)?;
    }
    canvas.text("chemical shift (ppm)", (LEFT_PX + 0.5 * WIDTH_PX, bottom + 28.0), Align::Centre, 11.0, TEXT)?;
    let before = spectrum(textbook);
    for (g, group) in learned.groups.iter().enumerate() {
        let after = spectrum(&group.shared);
        let tallest = before.iter().chain(&after).map(|p| p.1).fold(0.0, f64::max);
        let foot = TOP_PX + ROW_PX * (g as f64 + 1.0) - 6.0;
        let place = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|&(ppm, v)| (x_of(ppm), foot - FILL * ROW_PX * v / tallest)).collect()
        };
        canvas.line(&place(&before), TEXTBOOK, 1.2)?;
        canvas.line(&place(&after), LEARNED, 1.4)?;
        let site = group.site.as_ref().map(|s| format!(" · {s}")).unwrap_or_default();
        let name = format!("{}{site} · {} spectra", group.protocol, group.n_spectra);
        canvas.text(&name, (LEFT_PX, foot - ROW_PX + 18.0), Align::Left, 11.0, FAINT_TEXT)?;
    }
    Ok(())
}

/// (ppm, height) of the pattern's Gaussian peaks.
fn spectrum(shared: &Shared) -> Vec<(f64, f64)> {
    let mean = shared.peaks.iter().map(|p| p.area).sum::<f64>() / shared.peaks.len().max(1) as f64;
    (0..=POINTS)
        .map(|i| {
            let ppm = WINDOW_PPM.0 + (WINDOW_PPM.1 - WINDOW_PPM.0) * i as f64 / POINTS as f64;
            let height = |p: &crate::fit::macromolecules::PatternPeak| {
                let away = (ppm - p.ppm) * F0_MHZ / p.width_hz;
                p.area / mean / p.width_hz * (-4.0 * std::f64::consts::LN_2 * away * away).exp()
            };
            (ppm, shared.peaks.iter().map(height).sum())
        })
        .collect()
}
