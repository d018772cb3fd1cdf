//! Pictures of methods against one another: whose variance it is, and how results depend on settings.

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas};
use super::page_theme::{AXIS, BAND, FAINT, GRID, TEXT, WIDTH_PX, drawn};
use crate::compare::{Factor, Matrix, Variance, factors};

pub(super) const SPECTRUM: RGBColor = RGBColor(0, 114, 178);
pub(super) const METHOD: RGBColor = RGBColor(213, 94, 0);
pub(super) const INTERACTION: RGBColor = RGBColor(240, 190, 120);
/// What no setting accounts for by itself.
pub(super) const TOGETHER: RGBColor = RGBColor(205, 205, 205);
/// Okabe & Ito's colours, which colour-blind people tell apart, then some more; names stand beside them.
const SETTINGS: [RGBColor; 8] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(150, 120, 30),
    RGBColor(110, 60, 160),
    RGBColor(90, 90, 90),
];

/// Colour of factor number `i`.
pub(super) fn setting_colour(i: usize) -> RGBColor {
    SETTINGS[i % SETTINGS.len()]
}

/// One bar a metabolite, its parts in their colours; the whisker is the first part's interval.
struct Bar<'a> {
    label: &'a str,
    parts: Vec<(f64, RGBColor)>,
    whisker: Option<(f64, f64)>,
}

fn bars(bars: &[Bar<'_>], title: &str) -> Result<String, String> {
    const LINE_PX: f64 = 20.0;
    let (left, right, top) = (110.0, WIDTH_PX - 60.0, 10.0);
    let bottom = top + LINE_PX * bars.len() as f64;
    let px = |share: f64| left + (right - left) * share.clamp(0.0, 1.0);
    drawn(WIDTH_PX, bottom + 42.0, |canvas| {
        for (i, bar) in bars.iter().enumerate() {
            let y = top + LINE_PX * i as f64;
            canvas.text(bar.label, (left - 8.0, y + 0.5 * LINE_PX), Align::Right, 12.0, TEXT)?;
            let mut from = 0.0;
            for (share, colour) in &bar.parts {
                let to = from + share.max(0.0);
                canvas.rectangle((px(from), y + 2.0), (px(to), y + LINE_PX - 2.0), *colour)?;
                // Its number, where there is room for it.
                if px(to) - px(from) > 26.0 {
                    let [r, g, b] = [colour.0, colour.1, colour.2].map(f64::from);
                    let is_dark = 0.3 * r + 0.59 * g + 0.11 * b < 140.0;
                    let ink = if is_dark { RGBColor(255, 255, 255) } else { TEXT };
                    let number = format!("{:.0}", 100.0 * share);
                    canvas.text(
                        &number,
                        (0.5 * (px(from) + px(to)), y + 0.5 * LINE_PX - 1.0),
                        Align::Centre,
                        10.5,
                        ink,
                    )?;
                }
                from = to;
            }
            if let Some((low, high)) = bar.whisker {
                // Along the lower edge, clear of the numbers.
                let edge = y + LINE_PX - 3.5;
                canvas.line(&[(px(low), edge), (px(high), edge)], TEXT, 1.2)?;
                for end in [low, high] {
                    canvas.line(&[(px(end), edge - 2.5), (px(end), edge + 2.5)], TEXT, 1.2)?;
                }
            }
        }
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            canvas.line(&[(px(share), bottom), (px(share), bottom + 4.0)], AXIS, 0.9)?;
            let label = format!("{:.0} %", 100.0 * share);
            canvas.text(&label, (px(share), bottom + 13.0), Align::Centre, 10.5, FAINT)?;
        }
        canvas.text(title, (0.5 * (left + right), bottom + 32.0), Align::Centre, 11.5, FAINT)
    })
}

/// Shares of the variance of every metabolite: spectra, methods, both together.
pub(super) fn shares(variances: &[&Variance]) -> Result<String, String> {
    let all: Vec<Bar<'_>> = variances
        .iter()
        .map(|v| Bar {
            label: &v.metabolite,
            parts: vec![(v.spectrum.value, SPECTRUM), (v.method.value, METHOD), (v.interaction.value, INTERACTION)],
            whisker: Some(v.spectrum.interval),
        })
        .collect();
    bars(&all, "share of the variance; whisker: 95 % interval of the share between spectra")
}

/// What each setting accounts for of what methods change within spectra.
pub(super) fn settings(variances: &[&Variance]) -> Result<String, String> {
    let all: Vec<Bar<'_>> = variances
        .iter()
        .map(|v| {
            let mut parts: Vec<(f64, RGBColor)> =
                v.settings.iter().enumerate().map(|(i, s)| (s.within.value, setting_colour(i))).collect();
            let rest = 1.0 - parts.iter().map(|p| p.0).sum::<f64>();
            parts.push((rest, TOGETHER));
            Bar { label: &v.metabolite, parts, whisker: None }
        })
        .collect();
    bars(&all, "share of the sum of squares within spectra (all that methods change)")
}

/// Metabolites' specification curves (Simonsohn et al. 2020, <https://doi.org/10.1038/s41562-020-0912-z>): means over
/// spectra of every method, sorted, and below which values its settings have.
pub(super) fn specification_curves(matrices: &[&Matrix], factors: &[Factor]) -> Result<String, String> {
    const PER_ROW: usize = 2;
    const ROW_PX: f64 = 11.0;
    const CURVE_PX: f64 = 110.0;
    let n_levels: usize = factors.iter().map(|f| f.levels.len()).sum();
    let levels_px = ROW_PX * n_levels as f64 + 5.0 * factors.len() as f64;
    let size = (WIDTH_PX / PER_ROW as f64, 34.0 + CURVE_PX + levels_px + 22.0);
    let n_rows = matrices.len().div_ceil(PER_ROW);
    drawn(WIDTH_PX, size.1 * n_rows as f64, |canvas| {
        for (i, matrix) in matrices.iter().enumerate() {
            let at = ((i % PER_ROW) as f64 * size.0, (i / PER_ROW) as f64 * size.1);
            curve(canvas, matrix, factors, at, size.0, (CURVE_PX, ROW_PX))?;
        }
        Ok(())
    })
}

fn curve(
    canvas: &Canvas<'_>,
    matrix: &Matrix,
    factors: &[Factor],
    (x, y): (f64, f64),
    width: f64,
    (curve_px, row_px): (f64, f64),
) -> Result<(), String> {
    let n_methods = matrix.rows.first().map_or(0, Vec::len);
    let n = matrix.rows.len() as f64;
    let means: Vec<f64> = (0..n_methods).map(|m| matrix.rows.iter().map(|r| r[m]).sum::<f64>() / n).collect();
    let overall = means.iter().sum::<f64>() / n_methods as f64;
    let percent = |m: usize| 100.0 * (means[m] / overall - 1.0);
    let mut order: Vec<usize> = (0..n_methods).collect();
    order.sort_by(|&a, &b| means[a].total_cmp(&means[b]));
    let (left, right, top) = (x + 150.0, x + width - 24.0, y + 30.0);
    let step = (right - left) / n_methods as f64;
    let place = |rank: usize| left + step * (rank as f64 + 0.5);
    let most = (0..n_methods).map(|m| percent(m).abs()).fold(0.1, f64::max) * 1.08;
    let up = |v: f64| top + 0.5 * curve_px * (1.0 - v / most);
    let title = format!("{}  ·  mean over methods {overall:.3}", matrix.metabolite);
    canvas.text(&title, (left, y + 14.0), Align::Left, 12.5, TEXT)?;
    for value in ticks(most) {
        let colour = if value == 0.0 { AXIS } else { GRID };
        canvas.line(&[(left, up(value)), (right, up(value))], colour, 0.8)?;
        let label = if value == 0.0 { "0 %".to_owned() } else { format!("{value:+} %").replace('-', "−") };
        canvas.text(&label, (left - 6.0, up(value)), Align::Right, 9.5, FAINT)?;
    }
    let half = (0.36 * step).clamp(0.7, 2.6);
    for (rank, &m) in order.iter().enumerate() {
        let (px, py) = (place(rank), up(percent(m)));
        canvas.rectangle((px - half, py - half.max(1.6)), (px + half, py + half.max(1.6)), TEXT)?;
    }
    let mut line = top + curve_px + 10.0;
    for (f, factor) in factors.iter().enumerate() {
        let bottom = line + row_px * factor.levels.len() as f64;
        if f % 2 == 0 {
            canvas.rectangle((x + 4.0, line), (right, bottom), BAND)?;
        }
        for level in 0..factor.levels.len() {
            let middle = line + row_px * (level as f64 + 0.5);
            canvas.text(&short_level(factor, level), (left - 6.0, middle), Align::Right, 9.0, TEXT)?;
            for (rank, _) in order.iter().enumerate().filter(|(_, m)| factor.of_source[**m] == level) {
                let px = place(rank);
                canvas.rectangle((px - half, middle - 3.6), (px + half, middle + 3.6), setting_colour(f))?;
            }
        }
        line = bottom + 5.0;
    }
    Ok(())
}

/// A setting's last name and value, as much of it as stands beside a curve.
fn short_level(factor: &Factor, level: usize) -> String {
    const MOST: usize = 30;
    let value = factor.shown(level);
    let text = match factor.name.as_str() {
        factors::METHOD => value,
        name => format!("{} {value}", name.rsplit('.').next().unwrap_or(name)),
    };
    if text.chars().count() <= MOST { text } else { text.chars().take(MOST - 1).chain(['…']).collect() }
}

/// Round values between −`most` and `most`: two to four on a side.
fn ticks(most: f64) -> Vec<f64> {
    let decade = 10_f64.powf(most.log10().floor());
    let step = [0.2, 0.5, 1.0, 2.0].map(|m| m * decade).into_iter().find(|s| most / s < 4.5).unwrap_or(2.0 * decade);
    let n = (most / step).floor() as i32;
    // Rounded, so that 3 × 0.1 reads 0.3.
    (-n..=n).map(|i| (f64::from(i) * step * 1e9).round() / 1e9).collect()
}
