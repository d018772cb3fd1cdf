//! Bland–Altman plots: one row of panels a metabolite, one panel a pair of sources.

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas, with_size_in_px};
use super::theme::{FAINT_TEXT, PlotError, TEXT};
use crate::compare::{Agreement, Between, Source};

const LEFT_PX: f64 = 90.0;
const TOP_PX: f64 = 60.0;
const PANEL_PX: (f64, f64) = (240.0, 150.0);
const GAP_PX: f64 = 34.0;
const DOT_PX: f64 = 1.4;
/// Pairs of sources that are drawn; more do not fit on a page.
const MOST_PAIRS: usize = 6;
const DOTS: RGBColor = RGBColor(30, 80, 150);
const LIMITS: RGBColor = RGBColor(190, 40, 40);
const AXIS: RGBColor = RGBColor(170, 170, 170);

/// Draws differences over means, with the mean difference and the limits of agreement.
///
/// # Errors
/// [`PlotError`] if there is nothing to draw or the drawing fails.
pub fn agreement_plot(sources: &[Source], agreements: &[Agreement]) -> Result<String, PlotError> {
    let n_pairs = agreements.first().map_or(0, |a| a.between.len()).min(MOST_PAIRS);
    if n_pairs == 0 {
        return Err(PlotError::NoData);
    }
    let width = LEFT_PX + n_pairs as f64 * (PANEL_PX.0 + GAP_PX);
    let height = TOP_PX + agreements.len() as f64 * (PANEL_PX.1 + GAP_PX);
    let mut svg = String::new();
    draw(sources, agreements, &mut svg, (width, height)).map_err(PlotError::Backend)?;
    Ok(with_size_in_px(&svg, width, height))
}

fn draw(sources: &[Source], agreements: &[Agreement], svg: &mut String, size: (f64, f64)) -> Result<(), String> {
    let canvas = Canvas::new(svg, size.0, size.1)?;
    let title = "difference over mean; red: mean difference and the limits within which 95 % lie";
    canvas.text(title, (LEFT_PX, 18.0), Align::Left, 12.0, TEXT)?;
    for (row, agreement) in agreements.iter().enumerate() {
        let top = TOP_PX + row as f64 * (PANEL_PX.1 + GAP_PX);
        canvas.text(&agreement.metabolite, (8.0, top + 0.5 * PANEL_PX.1), Align::Left, 13.0, TEXT)?;
        let icc = format!("ICC {:.2}", agreement.icc.value);
        canvas.text(&icc, (8.0, top + 0.5 * PANEL_PX.1 + 16.0), Align::Left, 10.0, FAINT_TEXT)?;
        for (column, between) in agreement.between.iter().take(MOST_PAIRS).enumerate() {
            let left = LEFT_PX + column as f64 * (PANEL_PX.0 + GAP_PX);
            if row == 0 {
                let (a, b) = between.sources;
                let name = format!("{} − {}", sources[b].label, sources[a].label);
                canvas.text(&name, (left, top - 12.0), Align::Left, 11.0, TEXT)?;
            }
            panel(&canvas, between, (left, top))?;
        }
    }
    Ok(())
}

fn panel(canvas: &Canvas<'_>, between: &Between, (left, top): (f64, f64)) -> Result<(), String> {
    let points: Vec<(f64, f64)> = between.pairs.iter().map(|(a, b)| (0.5 * (a + b), b - a)).collect();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let margin = (0.05 * (high - low)).max(f64::MIN_POSITIVE);
        (low - margin, high + margin)
    };
    let x = range(&mut points.iter().map(|p| p.0));
    let lines = [between.limits[0].value, between.bias.value, between.limits[1].value];
    let y = range(&mut points.iter().map(|p| p.1).chain(lines).chain([0.0]));
    let x_of = |v: f64| left + PANEL_PX.0 * (v - x.0) / (x.1 - x.0);
    let y_of = |v: f64| top + PANEL_PX.1 * (y.1 - v) / (y.1 - y.0);
    let across = |v: f64| [(left, y_of(v)), (left + PANEL_PX.0, y_of(v))];
    canvas.line(&across(0.0), AXIS, 0.7)?;
    canvas.line(&[(left, top), (left, top + PANEL_PX.1), (left + PANEL_PX.0, top + PANEL_PX.1)], AXIS, 0.7)?;
    for (px, py) in &points {
        let (cx, cy) = (x_of(*px), y_of(*py));
        canvas.rectangle((cx - DOT_PX, cy - DOT_PX), (cx + DOT_PX, cy + DOT_PX), DOTS)?;
    }
    for value in lines {
        canvas.line(&across(value), LIMITS, 0.9)?;
        canvas.text(&short(value), (left + PANEL_PX.0 + 2.0, y_of(value)), Align::Left, 9.0, FAINT_TEXT)?;
    }
    for (value, align) in [(x.0, Align::Left), (x.1, Align::Right)] {
        canvas.text(&short(value), (x_of(value), top + PANEL_PX.1 + 10.0), align, 9.0, FAINT_TEXT)?;
    }
    Ok(())
}

fn short(value: f64) -> String {
    if value.abs() >= 10.0 { format!("{value:.1}") } else { format!("{value:.2}") }
}
