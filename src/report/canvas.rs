//! A page to draw on with plotters' SVG backend, in finer steps than whole pixels.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::page::escaped;

/// The backend rounds to whole units, which makes steps in a curve; so a unit is a hundredth of a pixel, below 1e-5 of
/// an A4's height, and the finished picture is told its size in pixels.
const UNITS_PER_PX: f64 = 100.0;
/// The backend writes `size / 1.24` as the font size.
const FONT_FACTOR: f64 = 1.24;

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Centre,
    Right,
}

/// A page measured in pixels, origin at the top left.
pub(crate) struct Canvas<'a> {
    area: DrawingArea<SVGBackend<'a>, plotters::coord::Shift>,
}

fn units(px: f64) -> i32 {
    // Saturates; positions outside of the page are clipped by the viewer.
    (px * UNITS_PER_PX).round() as i32
}

fn size_units(px: f64) -> u32 {
    u32::try_from(units(px)).unwrap_or(0)
}

impl<'a> Canvas<'a> {
    /// Units of the finished picture in a pixel.
    pub(crate) const UNITS_PER_PX: f64 = UNITS_PER_PX;

    /// A white page that writes into `svg`.
    pub(crate) fn new(svg: &'a mut String, width_px: f64, height_px: f64) -> Result<Self, String> {
        let size = (size_units(width_px), size_units(height_px));
        let area = SVGBackend::with_string(svg, size).into_drawing_area();
        area.fill(&WHITE).map_err(|e| e.to_string())?;
        Ok(Self { area })
    }

    /// Draws a line through the points; broken where one is not finite.
    pub(crate) fn line(&self, points: &[(f64, f64)], colour: RGBColor, width_px: f64) -> Result<(), String> {
        let style = ShapeStyle::from(&colour).stroke_width(size_units(width_px).max(1));
        for piece in points.split(|(x, y)| !(x.is_finite() && y.is_finite())) {
            if piece.len() > 1 {
                let path: Vec<(i32, i32)> = piece.iter().map(|(x, y)| (units(*x), units(*y))).collect();
                self.area.draw(&PathElement::new(path, style)).map_err(|e| e.to_string())?;
            }
        }
        Ok(())
    }

    /// Fills a rectangle given by two corners.
    pub(crate) fn rectangle(&self, (x0, y0): (f64, f64), (x1, y1): (f64, f64), colour: RGBColor) -> Result<(), String> {
        let corners = [(units(x0), units(y0)), (units(x1), units(y1))];
        self.area.draw(&Rectangle::new(corners, colour.filled())).map_err(|e| e.to_string())
    }

    /// Writes a text whose middle line is at `y`.
    pub(crate) fn text(
        &self,
        text: &str,
        (x, y): (f64, f64),
        align: Align,
        size_px: f64,
        colour: RGBColor,
    ) -> Result<(), String> {
        let horizontal = match align {
            Align::Left => HPos::Left,
            Align::Centre => HPos::Center,
            Align::Right => HPos::Right,
        };
        let style = TextStyle::from(("sans-serif", size_px * UNITS_PER_PX * FONT_FACTOR))
            .pos(Pos::new(horizontal, VPos::Center))
            .color(&colour);
        self.area.draw(&Text::new(text.to_owned(), (units(x), units(y)), style)).map_err(|e| e.to_string())
    }

    /// Ends the picture.
    pub(crate) fn finish(self) -> Result<(), String> {
        self.area.present().map_err(|e| e.to_string())
    }
}

/// Gives a finished picture its size in pixels; the view box keeps the finer units.
pub(crate) fn with_size_in_px(svg: &str, width_px: f64, height_px: f64) -> String {
    let (w, h) = (size_units(width_px), size_units(height_px));
    let size = format!("width=\"{width_px}\" height=\"{height_px}\"");
    shorter(&svg.replacen(&format!("width=\"{w}\" height=\"{h}\""), &size, 1))
}

/// Gives a finished picture the size of an A4; what is not as high keeps its proportions.
pub(crate) fn on_a4(svg: &str, width_px: f64, height_px: f64) -> String {
    let (w, h) = (size_units(width_px), size_units(height_px));
    shorter(&svg.replacen(&format!("width=\"{w}\" height=\"{h}\""), "width=\"210mm\" height=\"297mm\"", 1))
}

/// The same picture with each point told by its distance from the one before, which halves it. Units are whole numbers, so
/// that nothing is lost.
fn shorter(svg: &str) -> String {
    const POINTS: &str = " points=\"";
    let mut made = String::with_capacity(svg.len());
    let mut parts = svg.split("<polyline ");
    made.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let path = part.split_once(POINTS).and_then(|(style, rest)| {
            let (points, rest) = rest.split_once('"')?;
            Some(format!("<path {style} d=\"{}\"{rest}", steps_between(points)?))
        });
        made.push_str(&path.unwrap_or_else(|| format!("<polyline {part}")));
    }
    made
}

/// `1,2 4,1` as `M1 2l3-1`.
fn steps_between(points: &str) -> Option<String> {
    let mut path = String::with_capacity(points.len());
    let mut last: Option<(i64, i64)> = None;
    for (n, point) in points.split_ascii_whitespace().enumerate() {
        let (x, y) = point.split_once(',')?;
        let (x, y): (i64, i64) = (x.parse().ok()?, y.parse().ok()?);
        let (across, down) = last.map_or((x, y), |(x0, y0)| (x - x0, y - y0));
        path.push_str(match n {
            0 => "M",
            1 => "l",
            _ => " ",
        });
        // A minus sign parts two numbers as a space does.
        let between = if down < 0 { "" } else { " " };
        path.push_str(&format!("{across}{between}{down}"));
        last = Some((x, y));
    }
    Some(path)
}

/// The same with what the picture shows in words, for those who do not see it.
pub(crate) fn with_words(svg: &str, title: &str, description: &str) -> String {
    let Some(end) = svg.find("<svg").and_then(|at| Some(at + svg[at..].find('>')?)) else { return svg.to_owned() };
    let (head, body) = svg.split_at(end);
    let (title, description) = (escaped(title), escaped(description));
    format!("{head} role=\"img\"><title>{title}</title><desc>{description}</desc>{}", &body[1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_by_their_steps() {
        let svg = "<svg><polyline fill=\"none\" points=\"10,20 13,19 13,25 -2,25 \"/><text>a</text></svg>";
        assert_eq!(shorter(svg), "<svg><path fill=\"none\" d=\"M10 20l3-1 0 6 -15 0\"/><text>a</text></svg>");
        // What is written otherwise stays.
        let other = "<svg><polyline points=\"1.5,2\"/><polyline x=\"1\"/></svg>";
        assert_eq!(shorter(other), other);
    }
}
