//! A waveform with its strength: what a pulse does to one spin at any offset.

use num_complex::Complex64;

use super::PulseSpec;
use super::spin_half::Rotation;

/// Why a pulse cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PulseFault {
    /// A setting is out of its range.
    #[error("{name} = {value}; {least} to {most} is possible")]
    Setting {
        /// Which.
        name: &'static str,
        /// Its value.
        value: f64,
        /// The least that is possible.
        least: f64,
        /// The most.
        most: f64,
    },
    /// Columns of samples differ in length, or there are too few.
    #[error(
        "samples of a pulse: {amplitudes} amplitudes, {phases} phases, {gradients} gradients; there must be as many of each (gradients may be left out), two at least, all finite"
    )]
    Lengths {
        /// Amplitudes.
        amplitudes: usize,
        /// Phases.
        phases: usize,
        /// Gradients.
        gradients: usize,
    },
    /// Its area is nothing, so that no strength turns spins by an angle.
    #[error("the area of the pulse is zero: no strength gives it a flip angle; give peak_b1_hz")]
    NoArea,
    /// No strength inverts.
    #[error("the pulse sweeps, and no strength up to {most_hz} Hz inverts; give peak_b1_hz, or a longer pulse")]
    NotAdiabatic {
        /// The strongest that was tried (Hz).
        most_hz: f64,
    },
    /// Both or neither of two settings.
    #[error("give flip_deg or peak_b1_hz, not both")]
    Twice,
    /// No bandwidth can be told.
    #[error("the pulse's bandwidth cannot be told from its profile; give bandwidth_hz")]
    NoBandwidth,
}

/// One step of a waveform.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Step {
    /// B1, relative in a shape, in Hz in a waveform.
    pub(super) b1: Complex64,
    /// Gradient relative to that at the slice's edge.
    pub(super) gradient: f64,
}

/// A pulse that can be played.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    pub(super) steps: Vec<Step>,
    /// How long it is (s).
    pub duration_s: f64,
    /// What makes a slice's thickness (Hz).
    pub bandwidth_hz: f64,
}

/// Shortest and longest pulse (s).
const DURATIONS_S: (f64, f64) = (1e-9, 0.2);
/// Strongest pulse that is tried for an adiabatic one (Hz).
const MOST_B1_HZ: f64 = 1e5;
/// What remains along z after a good inversion.
const INVERTED: f64 = -0.98;
/// Offsets that a bandwidth is looked for in, for each part of the pulse's own 1/T.
const PARTS_OF_WIDTH: f64 = 64.0;
/// Widest profile that is looked at, in 1/T.
const MOST_WIDTHS: f64 = 60.0;

impl Waveform {
    /// The pulse of a specification.
    ///
    /// # Errors
    /// [`PulseFault`] with what is wrong and the valid range.
    pub fn new(spec: &PulseSpec) -> Result<Self, PulseFault> {
        let within = |name, value: f64, least, most| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(PulseFault::Setting { name, value, least, most }),
        };
        within("duration_s", spec.duration_s, DURATIONS_S.0, DURATIONS_S.1)?;
        if let Some(flip) = spec.flip_deg {
            within("flip_deg", flip, 0.1, 720.0)?;
        }
        if let Some(b1) = spec.peak_b1_hz {
            within("peak_b1_hz", b1, 1e-3, 1e9)?;
        }
        if let Some(width) = spec.bandwidth_hz {
            within("bandwidth_hz", width, 1.0, 1e9)?;
        }
        let mut waveform = Self {
            steps: spec.shape.steps(spec.duration_s)?,
            duration_s: spec.duration_s,
            bandwidth_hz: spec.shape.sweep_hz().or(spec.bandwidth_hz).unwrap_or(0.0),
        };
        let peak = waveform.steps.iter().map(|step| step.b1.norm()).fold(0.0, f64::max);
        let strength = match (spec.peak_b1_hz, spec.flip_deg, spec.shape.sweep_hz()) {
            (Some(_), Some(_), _) => return Err(PulseFault::Twice),
            (Some(b1), None, _) if peak > 0.0 => b1 / peak,
            (None, _, Some(_)) => waveform.adiabatic_strength()?,
            (_, flip, _) => {
                let area: Complex64 = waveform.steps.iter().map(|step| step.b1).sum::<Complex64>() * waveform.step_s();
                if area.norm() <= 1e-9 * peak * waveform.duration_s {
                    return Err(PulseFault::NoArea);
                }
                // A negative area turns the axis, which no coherence pathway sees.
                flip.unwrap_or(180.0) / 360.0 / area.norm()
            }
        };
        waveform.scale(strength);
        if waveform.bandwidth_hz == 0.0 {
            waveform.bandwidth_hz = waveform.measured_bandwidth().ok_or(PulseFault::NoBandwidth)?;
        }
        Ok(waveform)
    }

    /// The same pulse at several offsets at once (Hz from its carrier): its sum with itself at each of them.
    #[must_use]
    pub(super) fn at_offsets(&self, offsets_hz: &[f64]) -> Self {
        let n = self.steps.len();
        let steps = self.steps.iter().enumerate().map(|(k, step)| {
            let t = self.step_s() * ((k as f64 + 0.5) - 0.5 * n as f64);
            let bands: Complex64 = offsets_hz.iter().map(|hz| Complex64::cis(std::f64::consts::TAU * hz * t)).sum();
            Step { b1: step.b1 * bands, gradient: step.gradient }
        });
        Self { steps: steps.collect(), ..self.clone() }
    }

    fn scale(&mut self, factor: f64) {
        self.steps.iter_mut().for_each(|step| step.b1 *= factor);
    }

    fn step_s(&self) -> f64 {
        self.duration_s / self.steps.len() as f64
    }

    /// Peak of B1 (Hz).
    pub fn peak_b1_hz(&self) -> f64 {
        self.steps.iter().map(|step| step.b1.norm()).fold(0.0, f64::max)
    }

    /// Mean gradient, relative to that at the slice's edge.
    pub(super) fn mean_gradient(&self) -> f64 {
        self.steps.iter().map(|step| step.gradient).sum::<f64>() / self.steps.len() as f64
    }

    /// What the part of the pulse from `from_s` to `to_s` does to a spin that is `offset_hz` from the pulse's carrier
    /// and feels `slice_hz` more from the gradient.
    pub(super) fn rotation(&self, from_s: f64, to_s: f64, offset_hz: f64, slice_hz: f64) -> Rotation {
        let (n, step_s) = (self.steps.len(), self.step_s());
        let first = ((from_s / step_s + 1e-9).floor().max(0.0) as usize).min(n);
        let mut turned = Rotation::NONE;
        for (k, step) in self.steps.iter().enumerate().skip(first) {
            let (start, end) = (k as f64 * step_s, (k + 1) as f64 * step_s);
            if start >= to_s - 1e-9 * step_s {
                break;
            }
            let part_s = end.min(to_s) - start.max(from_s);
            turned = turned.then(Rotation::of_field(offset_hz + slice_hz * step.gradient, step.b1, part_s));
        }
        turned
    }

    /// Along z after the whole pulse, of a spin `slice_hz` off by the gradient.
    pub fn remaining_z(&self, slice_hz: f64) -> f64 {
        self.rotation(0.0, self.duration_s, 0.0, slice_hz).remaining_z()
    }

    /// The least strength, by factors of 2^¼, that inverts over the middle three fifths of the slice.
    fn adiabatic_strength(&self) -> Result<f64, PulseFault> {
        let mut strength = 1.0 / self.duration_s;
        while strength < MOST_B1_HZ {
            let mut tried = self.clone();
            tried.scale(strength);
            let places = [-0.3, -0.15, 0.0, 0.15, 0.3];
            if places.iter().all(|x| tried.remaining_z(x * self.bandwidth_hz) < INVERTED) {
                return Ok(strength);
            }
            strength *= 2.0_f64.powf(0.25);
        }
        Err(PulseFault::NotAdiabatic { most_hz: MOST_B1_HZ })
    }

    /// Distance of the offsets between which the pulse turns at least half as much as in the middle.
    fn measured_bandwidth(&self) -> Option<f64> {
        let middle = self.remaining_z(0.0);
        let half = 0.5 * (1.0 + middle);
        let step_hz = 1.0 / (self.duration_s * PARTS_OF_WIDTH);
        let edge = |sign: f64| {
            let mut before = middle;
            for k in 1..(MOST_WIDTHS * PARTS_OF_WIDTH) as usize {
                let z = self.remaining_z(sign * step_hz * k as f64);
                if z >= half {
                    let part = (half - before) / (z - before);
                    return Some(step_hz * (k as f64 - 1.0 + part));
                }
                before = z;
            }
            None
        };
        Some(edge(1.0)? + edge(-1.0)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::basis::simulate::pulses::Shape;

    fn spec(shape: Shape, duration_s: f64) -> PulseSpec {
        PulseSpec { shape, duration_s, flip_deg: None, peak_b1_hz: None, bandwidth_hz: None }
    }

    #[test]
    fn maos_pulse_has_its_published_bandwidth_and_area() {
        let coefficients = vec![2.0515, 2.2438, 2.7856, 1.5720, 0.5629, 0.3318];
        let mao = Waveform::new(&spec(Shape::Cosine { coefficients, sines: vec![] }, 5.4e-3)).unwrap();
        // Of the pulse itself: bandwidth times duration 5.742, peak of B1 5447.9 Hz·ms / T (Siemens' headers). Six terms of
        // its series are so near.
        assert!((mao.bandwidth_hz * 5.4e-3 / 5.742 - 1.0).abs() < 0.004, "{}", mao.bandwidth_hz * 5.4e-3);
        assert!((mao.peak_b1_hz() * 5.4 / 5447.9 - 1.0).abs() < 0.04, "{}", mao.peak_b1_hz() * 5.4);
    }

    #[test]
    fn adiabatic_pulses_invert_whatever_their_strength() {
        for shape in [
            Shape::HyperbolicSecant { order: 1.0, sweep_hz: 4000.0 },
            Shape::GoiaWurst { b1_order: 16.0, gradient_order: 4.0, gradient_dip: 0.9, sweep_hz: 8000.0 },
            Shape::Foci { factor: 5.0, sweep_hz: 8000.0 },
        ] {
            let mut pulse = Waveform::new(&spec(shape.clone(), 5e-3)).unwrap();
            pulse.scale(1.3);
            for x in [-0.3, 0.0, 0.3] {
                assert!(pulse.remaining_z(x * pulse.bandwidth_hz) < -0.95, "{shape:?} {x}");
            }
            assert!(pulse.remaining_z(0.8 * pulse.bandwidth_hz) > 0.9, "{shape:?}");
        }
    }

    #[test]
    fn what_cannot_be_played_says_why() {
        let fault = |spec: &PulseSpec| Waveform::new(spec).unwrap_err().to_string();
        let gauss = Shape::Gauss { truncation: 0.01 };
        assert!(fault(&spec(gauss.clone(), -1.0)).contains("duration_s = -1"));
        let both = PulseSpec { flip_deg: Some(180.0), peak_b1_hz: Some(500.0), ..spec(gauss, 5e-3) };
        assert!(fault(&both).contains("not both"));
        let odd = Shape::Samples { amplitude: vec![1.0, -1.0], phase_rad: vec![0.0; 2], gradient: vec![] };
        assert!(fault(&spec(odd, 5e-3)).contains("area"));
    }
}
