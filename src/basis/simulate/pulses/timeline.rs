//! When a sequence plays which pulse, for pictures.

use super::program::{Axis, Program, Step};
use super::{Pulses, Waveform};
use crate::basis::simulate::{Event, Pulse, Sequence, SimulateError};

/// A pulse in its place; times run from the middle of an ideal excitation, or the start of a shaped one.
#[derive(Debug, Clone, PartialEq)]
pub struct PlacedPulse {
    /// When it starts (s).
    pub start_s: f64,
    /// How long it is (s); 0 for ideal ones.
    pub duration_s: f64,
    /// Axis that it selects along.
    pub axis: Option<Axis>,
    /// Its waveform, and which of the sequence's waveforms that is; `None` for ideal ones.
    pub shaped: Option<(usize, Waveform)>,
    /// Flip angle of ideal ones (°).
    pub flip_deg: Option<f64>,
    /// Where its carrier is (Hz from the receiver's).
    pub carrier_hz: f64,
}

/// The pulses of a sequence in their order, and when the first sample is (s).
///
/// # Errors
/// As a simulation of the sequence.
pub fn timeline(sequence: &Sequence, pulses: &Pulses, f0_mhz: f64) -> Result<(Vec<PlacedPulse>, f64), SimulateError> {
    let program = match pulses {
        Pulses::Shaped(shaped) => Program::new(sequence, shaped, f0_mhz, true)?,
        Pulses::Ideal => None,
    };
    let (mut placed, mut now_s) = (Vec::new(), 0.0);
    let ideal = |start_s: f64, flip_rad: f64| PlacedPulse {
        start_s,
        duration_s: 0.0,
        axis: None,
        shaped: None,
        flip_deg: Some(flip_rad.to_degrees().abs()),
        carrier_hz: 0.0,
    };
    let Some(program) = program else {
        for event in sequence.events()? {
            match event {
                Event::Delay { duration_s } => now_s += duration_s,
                Event::Pulse(Pulse::Ideal { flip_rad, .. }) => placed.push(ideal(now_s, flip_rad)),
                Event::Coherence { .. } => {}
            }
        }
        return Ok((placed, now_s));
    };
    for step in &program.steps {
        match *step {
            Step::Delay { duration_s } => now_s += duration_s,
            Step::Turn { flip_rad, .. } => placed.push(ideal(now_s, flip_rad)),
            Step::Pulse { index, axis, .. } => {
                let Some(pulse) = program.pulses.get(index) else { continue };
                placed.push(PlacedPulse {
                    start_s: now_s,
                    duration_s: pulse.waveform.duration_s,
                    axis: axis.filter(|_| pulse.slice_hz != 0.0),
                    shaped: Some((index, pulse.waveform.clone())),
                    flip_deg: None,
                    carrier_hz: pulse.carrier_hz,
                });
                now_s += pulse.waveform.duration_s;
            }
        }
    }
    Ok((placed, now_s))
}

impl Waveform {
    /// B1 over time (parts of the duration, Hz): with its sign where the phase does not change, else its size; and the
    /// gradient relative to that at the slice's edge.
    pub fn envelope(&self) -> Vec<(f64, f64, f64)> {
        let n = self.steps.len() as f64;
        let is_real = self.steps.iter().all(|step| step.b1.im.abs() <= 1e-9 * step.b1.norm());
        let size = |z: num_complex::Complex64| if is_real { z.re } else { z.norm() };
        self.steps.iter().enumerate().map(|(k, step)| ((k as f64 + 0.5) / n, size(step.b1), step.gradient)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::basis::simulate::pulses::Vendor;
    use crate::basis::simulate::pulses::vendors::press;

    #[test]
    fn pulses_stand_where_the_sequence_has_them() {
        let sequence = Sequence::Press { te_s: 0.035, te1_s: 0.0174, te2_s: 0.0176 };
        let (ideal, end_s) = timeline(&sequence, &Pulses::Ideal, 123.2).unwrap();
        let starts: Vec<f64> = ideal.iter().map(|pulse| (1e6 * pulse.start_s).round()).collect();
        assert_eq!((starts, (1e6 * end_s).round()), (vec![0.0, 8700.0, 26200.0], 35000.0));
        let shaped = press(Vendor::Siemens, Some(5.4e-3)).unwrap().unwrap();
        let (played, end_s) = timeline(&sequence, &Pulses::Shaped(Box::new(shaped)), 123.2).unwrap();
        assert!((end_s - 0.035).abs() < 1e-12 && played.len() == 3);
        assert!((played[1].start_s - (8.7e-3 - 2.7e-3)).abs() < 1e-12 && played[1].axis == Some(Axis::First));
        let (_, waveform) = played[1].shaped.as_ref().unwrap();
        assert!(waveform.envelope().iter().any(|(_, b1, _)| *b1 < 0.0), "Mao's pulse has negative lobes");
    }
}
