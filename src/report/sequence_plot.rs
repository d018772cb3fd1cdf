//! A sequence as a picture: its pulses and slice gradients over time, and what each shaped pulse does to spins.

use plotters::style::RGBColor;

use super::canvas::{Align, Canvas, with_size_in_px};
use super::theme::{FAINT_TEXT, PlotError, TEXT};
use crate::basis::simulate::pulses::timeline::{PlacedPulse, timeline};
use crate::basis::simulate::pulses::{Axis, Waveform};
use crate::basis::simulate::{Pulses, Sequence};

const LEFT_PX: f64 = 60.0;
const WIDTH_PX: f64 = 700.0;
const TOP_PX: f64 = 40.0;
const ROW_PX: f64 = 56.0;
const PROFILE_PX: f64 = 130.0;
const GAP_PX: f64 = 46.0;
/// Part of half a row that the tallest takes.
const FILL: f64 = 0.85;
/// Offsets of a profile's curve.
const PROFILE_POINTS: i32 = 200;
/// Half of a profile, in bandwidths.
const PROFILE_WIDTHS: f64 = 1.25;
const PULSE: RGBColor = RGBColor(30, 80, 150);
const GRADIENT: RGBColor = RGBColor(170, 170, 170);
const LINE: RGBColor = RGBColor(120, 120, 120);
const ROWS: [(&str, Option<Axis>); 4] =
    [("RF", None), ("G1", Some(Axis::First)), ("G2", Some(Axis::Second)), ("G3", Some(Axis::Third))];

/// Draws a sequence with its pulses as SVG.
///
/// # Errors
/// [`PlotError`]: the sequence cannot be played, or the drawing fails.
pub fn sequence_plot(title: &str, sequence: &Sequence, pulses: &Pulses, f0_mhz: f64) -> Result<String, PlotError> {
    let (placed, end_s) = timeline(sequence, pulses, f0_mhz).map_err(|e| PlotError::Backend(e.to_string()))?;
    if placed.is_empty() {
        return Err(PlotError::NoData);
    }
    let mut shapes: Vec<(usize, &Waveform)> = Vec::new();
    for (index, waveform) in placed.iter().filter_map(|pulse| pulse.shaped.as_ref()) {
        if !shapes.iter().any(|(known, _)| known == index) {
            shapes.push((*index, waveform));
        }
    }
    let profiles_px = if shapes.is_empty() { 0.0 } else { PROFILE_PX + GAP_PX };
    let (width, height) = (LEFT_PX + WIDTH_PX + 20.0, TOP_PX + ROW_PX * ROWS.len() as f64 + GAP_PX + profiles_px);
    let mut svg = String::new();
    let mut drawn = || -> Result<(), String> {
        let canvas = Canvas::new(&mut svg, width, height)?;
        canvas.text(title, (LEFT_PX, 20.0), Align::Left, 13.0, TEXT)?;
        let time = Time { end_s: end_s.max(1e-3) };
        time.rows(&canvas, &placed)?;
        time.axis(&canvas)?;
        let top = TOP_PX + ROW_PX * ROWS.len() as f64 + GAP_PX + 14.0;
        let each = WIDTH_PX / shapes.len().max(1) as f64;
        for (k, (_, waveform)) in shapes.iter().enumerate() {
            profile(&canvas, waveform, (LEFT_PX + each * k as f64, top), each - 24.0)?;
        }
        canvas.finish()
    };
    drawn().map_err(PlotError::Backend)?;
    Ok(with_size_in_px(&svg, width, height))
}

/// The axis of time.
struct Time {
    end_s: f64,
}

impl Time {
    fn x(&self, time_s: f64) -> f64 {
        LEFT_PX + WIDTH_PX * (time_s / self.end_s).clamp(0.0, 1.0)
    }

    fn axis(&self, canvas: &Canvas<'_>) -> Result<(), String> {
        let foot = TOP_PX + ROW_PX * ROWS.len() as f64;
        let step_ms = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
            .into_iter()
            .find(|step| 1e3 * self.end_s / step <= 12.0)
            .unwrap_or(500.0);
        let ticks = (1e3 * self.end_s / step_ms) as u32;
        for k in 0..=ticks.min(50) {
            let ms = step_ms * f64::from(k);
            let x = self.x(1e-3 * ms);
            canvas.line(&[(x, foot), (x, foot + 4.0)], LINE, 1.0)?;
            canvas.text(&format!("{ms}"), (x, foot + 14.0), Align::Centre, 10.0, TEXT)?;
        }
        let middle = LEFT_PX + 0.5 * WIDTH_PX;
        canvas.text("time (ms); the first sample is at the end", (middle, foot + 30.0), Align::Centre, 10.0, FAINT_TEXT)
    }

    fn rows(&self, canvas: &Canvas<'_>, placed: &[PlacedPulse]) -> Result<(), String> {
        for (k, (name, axis)) in ROWS.iter().enumerate() {
            let middle = TOP_PX + ROW_PX * (k as f64 + 0.5);
            canvas.text(name, (LEFT_PX - 10.0, middle), Align::Right, 11.0, TEXT)?;
            canvas.line(&[(LEFT_PX, middle), (LEFT_PX + WIDTH_PX, middle)], LINE, 0.7)?;
            for pulse in placed.iter().filter(|pulse| axis.is_none() || pulse.axis == *axis) {
                self.pulse(canvas, pulse, (middle, axis.is_some()))?;
            }
        }
        Ok(())
    }

    fn pulse(
        &self,
        canvas: &Canvas<'_>,
        pulse: &PlacedPulse,
        (middle, is_gradient): (f64, bool),
    ) -> Result<(), String> {
        let (half, from) = (0.5 * ROW_PX * FILL, pulse.start_s);
        let Some((_, waveform)) = &pulse.shaped else {
            let x = self.x(from);
            canvas.line(&[(x, middle), (x, middle - half)], PULSE, 2.0)?;
            let flip = format!("{:.0}°", pulse.flip_deg.unwrap_or_default());
            return canvas.text(&flip, (x + 3.0, middle - half), Align::Left, 9.0, FAINT_TEXT);
        };
        let all = waveform.envelope();
        let value = |(_, b1, gradient): &(f64, f64, f64)| if is_gradient { *gradient } else { *b1 };
        let tallest = all.iter().map(|one| value(one).abs()).fold(f64::MIN_POSITIVE, f64::max);
        let x_of = |part: f64| self.x(from + part * pulse.duration_s);
        let curve = all.iter().map(|one| (x_of(one.0), middle - half * value(one) / tallest));
        let whole: Vec<(f64, f64)> =
            std::iter::once((x_of(0.0), middle)).chain(curve).chain([(x_of(1.0), middle)]).collect();
        canvas.line(&whole, if is_gradient { GRADIENT } else { PULSE }, 1.2)
    }
}

/// What remains along z, over the offset that the gradient makes.
fn profile(canvas: &Canvas<'_>, waveform: &Waveform, (left, top): (f64, f64), width: f64) -> Result<(), String> {
    let reach_hz = PROFILE_WIDTHS * waveform.bandwidth_hz.max(1.0);
    let y = |z: f64| top + PROFILE_PX * 0.5 * (1.0 - z) * 0.8;
    for z in [-1.0, 0.0, 1.0] {
        canvas.line(&[(left, y(z)), (left + width, y(z))], GRADIENT, 0.6)?;
        canvas.text(&format!("{z:+.0}"), (left - 4.0, y(z)), Align::Right, 9.0, FAINT_TEXT)?;
    }
    let curve: Vec<(f64, f64)> = (-PROFILE_POINTS..=PROFILE_POINTS)
        .map(|k| {
            let part = f64::from(k) / f64::from(PROFILE_POINTS);
            (left + 0.5 * width * (1.0 + part), y(waveform.remaining_z(part * reach_hz)))
        })
        .collect();
    canvas.line(&curve, PULSE, 1.2)?;
    let words = format!(
        "{:.2} ms, {:.0} Hz wide, B1 up to {:.0} Hz; Mz over ±{reach_hz:.0} Hz",
        1e3 * waveform.duration_s,
        waveform.bandwidth_hz,
        waveform.peak_b1_hz()
    );
    canvas.text(&words, (left, top + PROFILE_PX * 0.8 + 14.0), Align::Left, 9.0, TEXT)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::basis::simulate::pulses::Vendor;
    use crate::basis::simulate::pulses::vendors::press;

    #[test]
    fn a_picture_has_each_pulse_with_its_length_and_width() {
        let shaped = press(Vendor::Siemens, Some(5.4e-3)).unwrap().unwrap();
        let sequence = Sequence::Press { te_s: 0.035, te1_s: 0.0174, te2_s: 0.0176 };
        let svg = sequence_plot("PRESS", &sequence, &Pulses::Shaped(Box::new(shaped)), 123.2).unwrap();
        assert!(svg.contains("PRESS") && svg.contains("5.40 ms, 1063 Hz wide"), "{}", &svg[..400]);
        let ideal = sequence_plot("ideal", &Sequence::SemiLaser { te_s: 0.028 }, &Pulses::Ideal, 123.2).unwrap();
        assert_eq!(ideal.matches("180°").count(), 4);
    }
}
