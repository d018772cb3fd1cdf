//! Bland–Altman plots as small multiples: for each pair of sources a panel a metabolite, all with their own scales.

use super::canvas::{Align, Canvas, with_size_in_px, with_words};
use super::theme::{AXIS, FAINT_TEXT, FIT as LIMITS, METABOLITE as DOTS, PlotError, TEXT};
use crate::compare::{Agreement, Between, Source};

/// Title of the picture, by which it is known.
pub const AGREEMENT_TITLE: &str = "Bland–Altman plots";

const LEFT_PX: f64 = 16.0;
const TOP_PX: f64 = 44.0;
/// Heading of a pair.
const HEAD_PX: f64 = 26.0;
/// A panel with the room for its title and its axes.
const CELL_PX: (f64, f64) = (252.0, 182.0);
const PANEL_PX: (f64, f64) = (172.0, 112.0);
/// From the corner of a cell to that of its panel.
const INSET_PX: (f64, f64) = (40.0, 22.0);
const COLUMNS: usize = 4;
const DOT_PX: f64 = 1.4;
/// Pairs of sources that are drawn; more do not fit on a page.
const MOST_PAIRS: usize = 6;

/// Draws differences over means (both in `unit`), with the mean difference and the limits of agreement.
///
/// # Errors
/// [`PlotError`] if there is nothing to draw or the drawing fails.
pub fn agreement_plot(sources: &[Source], agreements: &[Agreement], unit: &str) -> Result<String, PlotError> {
    let all_pairs = agreements.first().map_or(0, |a| a.between.len());
    let n_pairs = all_pairs.min(MOST_PAIRS);
    if n_pairs == 0 {
        return Err(PlotError::NoData);
    }
    let rows = agreements.len().div_ceil(COLUMNS) as f64;
    let width = LEFT_PX + COLUMNS.min(agreements.len()) as f64 * CELL_PX.0;
    let width = width.max(LEFT_PX + 2.0 * CELL_PX.0);
    let height = TOP_PX + n_pairs as f64 * (HEAD_PX + rows * CELL_PX.1);
    let left_out = all_pairs - n_pairs;
    let mut svg = String::new();
    draw(sources, agreements, unit, left_out, &mut svg, (width, height)).map_err(PlotError::Backend)?;
    let names: Vec<&str> = agreements.iter().map(|a| a.metabolite.as_str()).collect();
    let description =
        format!("For {n_pairs} pairs of sources, differences over means ({unit}) of {}.", names.join(", "));
    Ok(with_words(&with_size_in_px(&svg, width, height), AGREEMENT_TITLE, &description))
}

fn draw(
    sources: &[Source],
    agreements: &[Agreement],
    unit: &str,
    left_out: usize,
    svg: &mut String,
    size: (f64, f64),
) -> Result<(), String> {
    let canvas = Canvas::new(svg, size.0, size.1)?;
    let title = "difference over mean; orange: mean difference, and the limits within which 95 % lie";
    canvas.text(title, (LEFT_PX, 18.0), Align::Left, 12.0, TEXT)?;
    if left_out > 0 {
        let note = format!("{left_out} more pairs are left out; comparison/ has the figures of all");
        canvas.text(&note, (LEFT_PX, 33.0), Align::Left, 10.0, FAINT_TEXT)?;
    }
    let n_pairs = agreements.first().map_or(0, |a| a.between.len()).min(MOST_PAIRS);
    let block_px = HEAD_PX + agreements.len().div_ceil(COLUMNS) as f64 * CELL_PX.1;
    for pair in 0..n_pairs {
        let top = TOP_PX + pair as f64 * block_px;
        for (at, agreement) in agreements.iter().enumerate() {
            let Some(between) = agreement.between.get(pair) else { continue };
            let (a, b) = between.sources;
            if at == 0 {
                let name = format!("{} − {}", sources[b].label, sources[a].label);
                canvas.text(&name, (LEFT_PX, top + 0.5 * HEAD_PX), Align::Left, 13.0, TEXT)?;
            }
            let left = LEFT_PX + (at % COLUMNS) as f64 * CELL_PX.0;
            let corner = (left, top + HEAD_PX + (at / COLUMNS) as f64 * CELL_PX.1);
            let name = format!("{} · ICC {:.2} · n {}", agreement.metabolite, agreement.icc.value, agreement.n);
            canvas.text(&name, (corner.0 + INSET_PX.0, corner.1 + 10.0), Align::Left, 11.0, TEXT)?;
            panel(&canvas, between, unit, (corner.0 + INSET_PX.0, corner.1 + INSET_PX.1))?;
        }
    }
    canvas.finish()
}

fn panel(canvas: &Canvas<'_>, between: &Between, unit: &str, (left, top): (f64, f64)) -> Result<(), String> {
    let points: Vec<(f64, f64)> = between.pairs.iter().map(|(a, b)| (0.5 * (a + b), b - a)).collect();
    let range = |values: &mut dyn Iterator<Item = f64>| {
        let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(v), h.max(v)));
        let margin = (0.05 * (high - low)).max(f64::MIN_POSITIVE);
        (low - margin, high + margin)
    };
    let x = range(&mut points.iter().map(|p| p.0));
    let lines = [between.limits[0].value, between.bias.value, between.limits[1].value];
    let y = range(&mut points.iter().map(|p| p.1).chain(lines).chain([0.0]));
    let (right, bottom) = (left + PANEL_PX.0, top + PANEL_PX.1);
    let x_of = |v: f64| left + PANEL_PX.0 * (v - x.0) / (x.1 - x.0);
    let y_of = |v: f64| top + PANEL_PX.1 * (y.1 - v) / (y.1 - y.0);
    let across = |v: f64| [(left, y_of(v)), (right, y_of(v))];
    canvas.line(&across(0.0), AXIS, 0.7)?;
    canvas.line(&[(left, top), (left, bottom), (right, bottom)], AXIS, 0.7)?;
    for (px, py) in &points {
        let (cx, cy) = (x_of(*px), y_of(*py));
        canvas.rectangle((cx - DOT_PX, cy - DOT_PX), (cx + DOT_PX, cy + DOT_PX), DOTS)?;
    }
    for value in lines {
        canvas.line(&across(value), LIMITS, 0.9)?;
        canvas.text(&short(value), (right + 3.0, y_of(value)), Align::Left, 9.0, FAINT_TEXT)?;
    }
    for (value, align) in [(x.0, Align::Left), (x.1, Align::Right)] {
        canvas.text(&short(value), (x_of(value), bottom + 9.0), align, 9.0, FAINT_TEXT)?;
    }
    for value in [y.0, y.1] {
        canvas.text(&short(value), (left - 3.0, y_of(value)), Align::Right, 9.0, FAINT_TEXT)?;
    }
    canvas.text(&format!("mean ({unit})"), (0.5 * (left + right), bottom + 9.0), Align::Centre, 9.0, FAINT_TEXT)
}

fn short(value: f64) -> String {
    match value.abs() {
        size if size >= 1e5 || size > 0.0 && size < 1e-3 => format!("{value:.1e}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}
