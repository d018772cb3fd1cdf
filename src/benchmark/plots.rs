//! The report's pictures, as SVG.

use plotters::style::RGBColor;

use super::score::{INTERVALS, USUAL};
use super::{Entry, SetResult};
use crate::compare::figure::Figure;
use crate::report::canvas::{Align, Canvas};
use crate::report::page_theme::{AXIS, BAND, FAINT, GRID, TEXT, WIDTH_PX, drawn};

/// Okabe & Ito's colours, which colour-blind people tell apart, then some more: names stand beside all lines.
const COLOURS: [RGBColor; 12] = [
    RGBColor(0, 114, 178),
    RGBColor(0, 158, 115),
    RGBColor(213, 94, 0),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
    RGBColor(150, 120, 30),
    RGBColor(110, 60, 160),
    RGBColor(170, 30, 60),
    RGBColor(110, 160, 40),
    RGBColor(20, 50, 80),
];
const LEFT_PX: f64 = 190.0;
const RIGHT_PX: f64 = 210.0;
const LINE_PX: f64 = 15.0;
const DOT_PX: f64 = 2.6;

/// Labels of methods and programs, each with one colour in all pictures.
pub(super) struct Palette(Vec<String>);

impl Palette {
    /// Our own methods first, in the order in which they appear.
    pub(super) fn new(results: &[SetResult]) -> Self {
        let mut labels: Vec<String> = Vec::new();
        for is_peer in [false, true] {
            for entry in results.iter().flat_map(SetResult::whole).filter(|e| e.is_peer == is_peer) {
                if !labels.contains(&entry.method) {
                    labels.push(entry.method.clone());
                }
            }
        }
        Self(labels)
    }

    fn of(&self, label: &str) -> RGBColor {
        COLOURS[self.0.iter().position(|l| l == label).unwrap_or(0) % COLOURS.len()]
    }

    /// All labels.
    pub(super) fn labels(&self) -> &[String] {
        &self.0
    }

    /// Colour as CSS has it.
    pub(super) fn css(&self, label: &str) -> String {
        let RGBColor(r, g, b) = self.of(label);
        format!("rgb({r},{g},{b})")
    }
}

/// A linear or logarithmic axis.
#[derive(Clone, Copy)]
struct Axis {
    from: f64,
    to: f64,
    px: (f64, f64),
    log: bool,
}

impl Axis {
    /// Place of a value (px), kept on the axis.
    fn px(self, value: f64) -> f64 {
        let place = |v: f64| if self.log { v.max(f64::MIN_POSITIVE).ln() } else { v };
        let share = (place(value) - place(self.from)) / (place(self.to) - place(self.from));
        self.px.0 + (self.px.1 - self.px.0) * share.clamp(0.0, 1.0)
    }

    fn holds(self, value: f64) -> bool {
        (self.from.min(self.to)..=self.from.max(self.to)).contains(&value)
    }

    /// 1, 2, 5, 10, … between the ends.
    fn decades(self) -> Vec<f64> {
        let first = self.from.min(self.to).log10().floor() as i32;
        let last = self.from.max(self.to).log10().ceil() as i32;
        let all = (first..=last).flat_map(|d| [1.0, 2.0, 5.0].map(|m| m * 10_f64.powi(d)));
        all.filter(|v| self.holds(*v)).collect()
    }
}

fn logarithmic(values: impl Iterator<Item = f64>, px: (f64, f64)) -> Axis {
    let (low, high) =
        values.filter(|v| *v > 0.0 && v.is_finite()).fold((f64::INFINITY, 0.0), |(l, h), v| (v.min(l), v.max(h)));
    let (low, high) = if low <= high { (low, high) } else { (1.0, 10.0) };
    Axis { from: 0.85 * low, to: 1.18 * high, px, log: true }
}

fn number(value: f64) -> String {
    match value.abs() {
        v if v >= 100.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        v if v >= 0.995 || v == 0.0 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn tick(value: f64) -> String {
    if value >= 1.0 || value == 0.0 { format!("{value:.0}") } else { format!("{value}") }
}

fn dot(canvas: &Canvas<'_>, (x, y): (f64, f64), colour: RGBColor) -> Result<(), String> {
    canvas.rectangle((x - DOT_PX, y - DOT_PX), (x + DOT_PX, y + DOT_PX), colour)
}

/// Mean summed squared error (aligned) of every method and program on every set.
pub(super) fn error_by_set(results: &[SetResult], palette: &Palette) -> Result<String, String> {
    let entries: Vec<&Entry> = results.iter().flat_map(SetResult::whole).collect();
    let figures = entries.iter().map(|e| e.scored.aligned.mean);
    let ends = figures.flat_map(|f| [f.value, f.interval.0, f.interval.1]);
    let axis = logarithmic(ends, (LEFT_PX, WIDTH_PX - RIGHT_PX));
    let (top, gap) = (16.0, 8.0);
    let bottom = top + LINE_PX * entries.len() as f64 + gap * results.len() as f64;
    drawn(WIDTH_PX, bottom + 44.0, |canvas| {
        let mut y = top;
        for (i, result) in results.iter().enumerate() {
            let n = result.whole().count() as f64;
            if i % 2 == 0 {
                canvas.rectangle((4.0, y), (WIDTH_PX - 4.0, y + n * LINE_PX + gap), BAND)?;
            }
            y += n * LINE_PX + gap;
        }
        for value in axis.decades() {
            canvas.line(&[(axis.px(value), top), (axis.px(value), bottom)], GRID, 0.8)?;
            canvas.text(&tick(value), (axis.px(value), bottom + 12.0), Align::Centre, 11.0, TEXT)?;
        }
        let title = "mean summed squared error over metabolites, common factor taken out; whiskers: 95 %";
        canvas.text(title, (0.5 * (axis.px.0 + axis.px.1), bottom + 30.0), Align::Centre, 11.0, FAINT)?;
        let mut y = top;
        for result in results {
            canvas.text(&result.set.name, (12.0, y + 0.5 * gap + 0.5 * LINE_PX), Align::Left, 12.0, TEXT)?;
            for (k, entry) in result.whole().enumerate() {
                let place = y + 0.5 * gap + LINE_PX * (k as f64 + 0.5);
                let (figure, colour) = (entry.scored.aligned.mean, palette.of(&entry.method));
                let ends = [axis.px(figure.interval.0), axis.px(figure.interval.1)].map(|x| (x, place));
                canvas.line(&ends, colour, 1.3)?;
                dot(canvas, (axis.px(figure.value), place), colour)?;
                let label = format!("{}  {}", number(figure.value), entry.method);
                canvas.text(&label, (ends[1].0.max(axis.px(figure.value)) + 7.0, place), Align::Left, 11.0, colour)?;
            }
            y += result.whole().count() as f64 * LINE_PX + gap;
        }
        Ok(())
    })
}

/// Panels side by side: how many in a row, and where number `i` begins.
fn panel_place(i: usize, per_row: usize, size: (f64, f64)) -> (f64, f64) {
    ((i % per_row) as f64 * size.0, (i / per_row) as f64 * size.1)
}

/// Relative bias of the usual sums, one panel a set.
pub(super) fn bias_by_metabolite(results: &[SetResult], palette: &Palette) -> Result<String, String> {
    const PER_ROW: usize = 3;
    /// Bias at the panels' ends (%).
    const END: f64 = 40.0;
    let most = results.iter().map(|r| r.whole().count()).max().unwrap_or(1) as f64;
    let row = (5.0 * most + 5.0).max(15.0);
    let size = (WIDTH_PX / PER_ROW as f64, 46.0 + row * USUAL.len() as f64 + 22.0);
    let n_rows = results.len().div_ceil(PER_ROW);
    drawn(WIDTH_PX, size.1 * n_rows as f64, |canvas| {
        for (i, result) in results.iter().enumerate() {
            let (x, y) = panel_place(i, PER_ROW, size);
            let axis = Axis { from: -END, to: END, px: (x + 52.0, x + size.0 - 14.0), log: false };
            let (top, bottom) = (y + 30.0, y + 30.0 + row * USUAL.len() as f64);
            canvas.text(&result.set.name, (axis.px.0, y + 16.0), Align::Left, 12.5, TEXT)?;
            canvas.rectangle((axis.px(-5.0), top), (axis.px(5.0), bottom), BAND)?;
            for value in [-40.0, -20.0, 0.0, 20.0, 40.0] {
                let colour = if value == 0.0 { AXIS } else { GRID };
                canvas.line(&[(axis.px(value), top), (axis.px(value), bottom)], colour, 0.8)?;
                let label = if value == 0.0 { "0 %".to_owned() } else { format!("{value:+.0} %") };
                canvas.text(&label, (axis.px(value), bottom + 11.0), Align::Centre, 9.5, FAINT)?;
            }
            for (m, name) in USUAL.iter().enumerate() {
                let middle = top + row * (m as f64 + 0.5);
                canvas.text(name, (axis.px.0 - 8.0, middle), Align::Right, 11.0, TEXT)?;
                let n = result.whole().count() as f64;
                for (k, entry) in result.whole().enumerate() {
                    let Some(member) = entry.errors(&result.set).member(name).filter(|m| m.n > 0) else { continue };
                    let place = middle + 5.0 * (k as f64 - 0.5 * (n - 1.0));
                    bias(canvas, axis, &member.relative_bias, place, palette.of(&entry.method))?;
                }
            }
        }
        Ok(())
    })
}

/// One bias with its interval; an arrow at the end where it lies beyond.
fn bias(canvas: &Canvas<'_>, axis: Axis, figure: &Figure, y: f64, colour: RGBColor) -> Result<(), String> {
    let percent = 100.0 * figure.value;
    let x = axis.px(percent);
    if !axis.holds(percent) {
        let back = if percent > 0.0 { -6.0 } else { 6.0 };
        return canvas.line(&[(x + back, y - 3.0), (x, y), (x + back, y + 3.0)], colour, 1.6);
    }
    let ends = [axis.px(100.0 * figure.interval.0), axis.px(100.0 * figure.interval.1)];
    canvas.line(&[(ends[0], y), (ends[1], y)], colour, 1.2)?;
    canvas.rectangle((x - 2.0, y - 2.0), (x + 2.0, y + 2.0), colour)
}

/// Share of true values inside intervals, against the share that should be, one panel a set.
pub(super) fn calibration(results: &[SetResult], palette: &Palette) -> Result<String, String> {
    const PER_ROW: usize = 4;
    let size = (WIDTH_PX / PER_ROW as f64, WIDTH_PX / PER_ROW as f64 + 24.0);
    let n_rows = results.len().div_ceil(PER_ROW);
    drawn(WIDTH_PX, size.1 * n_rows as f64, |canvas| {
        for (i, result) in results.iter().enumerate() {
            let (x, y) = panel_place(i, PER_ROW, size);
            let across = Axis { from: 0.0, to: 1.0, px: (x + 36.0, x + size.0 - 12.0), log: false };
            let up = Axis { from: 0.0, to: 1.0, px: (y + size.1 - 34.0, y + 28.0), log: false };
            canvas.text(&result.set.name, (across.px.0, y + 14.0), Align::Left, 12.5, TEXT)?;
            for value in [0.0, 0.5, 0.9] {
                canvas.line(&[(across.px(value), up.px.0), (across.px(value), up.px.1)], GRID, 0.8)?;
                canvas.line(&[(across.px.0, up.px(value)), (across.px.1, up.px(value))], GRID, 0.8)?;
                let label = format!("{:.0} %", 100.0 * value);
                canvas.text(&label, (across.px(value), up.px.0 + 10.0), Align::Centre, 9.5, FAINT)?;
                canvas.text(&label, (across.px.0 - 4.0, up.px(value)), Align::Right, 9.5, FAINT)?;
            }
            canvas.line(&[(across.px.0, up.px.0), (across.px.1, up.px.1)], AXIS, 0.9)?;
            canvas.text("nominal", (across.px.1, up.px.0 + 22.0), Align::Right, 9.5, FAINT)?;
            for entry in result.whole() {
                let points = INTERVALS.iter().zip(&entry.errors(&result.set).coverage);
                let points: Vec<(f64, f64)> =
                    points.map(|((nominal, _), f)| (across.px(*nominal), up.px(f.value))).collect();
                if entry.errors(&result.set).coverage.iter().all(|f| f.value.is_finite()) {
                    canvas.line(&points, palette.of(&entry.method), 1.5)?;
                }
            }
        }
        Ok(())
    })
}

/// A line of points with intervals.
pub(super) struct Series {
    pub(super) label: String,
    pub(super) method: String,
    pub(super) points: Vec<(f64, Figure)>,
}

/// Error over the signal-to-noise ratio, both logarithmic, with the line of errors that fall as noise does.
pub(super) fn error_by_snr(series: &[Series], palette: &Palette) -> Result<String, String> {
    let (width, height) = (760.0, 420.0);
    let figures = || series.iter().flat_map(|s| &s.points);
    let across = logarithmic(figures().map(|p| p.0), (64.0, width - 190.0));
    let up = logarithmic(figures().flat_map(|p| [p.1.value, p.1.interval.0, p.1.interval.1]), (height - 46.0, 24.0));
    drawn(width, height, |canvas| {
        for value in up.decades() {
            canvas.line(&[(across.px.0, up.px(value)), (across.px.1, up.px(value))], GRID, 0.8)?;
            canvas.text(&tick(value), (across.px.0 - 6.0, up.px(value)), Align::Right, 11.0, TEXT)?;
        }
        let mut snrs: Vec<f64> = figures().map(|p| p.0).collect();
        snrs.sort_by(f64::total_cmp);
        snrs.dedup();
        for value in snrs {
            canvas.line(&[(across.px(value), up.px.0), (across.px(value), up.px.1)], GRID, 0.8)?;
            canvas.text(&tick(value), (across.px(value), up.px.0 + 12.0), Align::Centre, 11.0, TEXT)?;
        }
        let middle = 0.5 * (across.px.0 + across.px.1);
        canvas.text("mean summed squared error", (8.0, 8.0), Align::Left, 11.0, FAINT)?;
        canvas.text("SNR (tallest peak over noise sd)", (middle, up.px.0 + 30.0), Align::Centre, 11.0, FAINT)?;
        let mut labels: Vec<f64> = Vec::new();
        for one in series {
            let colour = palette.of(&one.method);
            let line: Vec<(f64, f64)> = one.points.iter().map(|(x, f)| (across.px(*x), up.px(f.value))).collect();
            let dotted = one.label != one.method;
            for pair in line.windows(2) {
                if dotted { dashes(canvas, pair[0], pair[1], colour)? } else { canvas.line(pair, colour, 1.6)? }
            }
            for ((x, f), place) in one.points.iter().zip(&line) {
                let whisker = [(across.px(*x), up.px(f.interval.0)), (across.px(*x), up.px(f.interval.1))];
                canvas.line(&whisker, colour, 1.1)?;
                dot(canvas, *place, colour)?;
            }
            if let Some((x, y)) = line.last() {
                let mut free = *y;
                while labels.iter().any(|l| (l - free).abs() < 13.0) {
                    free -= 2.0;
                }
                labels.push(free);
                canvas.text(&one.label, (x + 26.0, free), Align::Left, 11.0, colour)?;
            }
        }
        Ok(())
    })
}

fn dashes(canvas: &Canvas<'_>, a: (f64, f64), b: (f64, f64), colour: RGBColor) -> Result<(), String> {
    let length = (b.0 - a.0).hypot(b.1 - a.1);
    let n = (length / 9.0).ceil().max(1.0);
    let at = |share: f64| (a.0 + (b.0 - a.0) * share, a.1 + (b.1 - a.1) * share);
    (0..n as usize).try_for_each(|i| {
        let from = i as f64 / n;
        canvas.line(&[at(from), at(from + 0.6 / n)], colour, 1.6)
    })
}
