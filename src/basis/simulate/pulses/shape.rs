//! Shapes of pulses, as formulas or as samples of a file.

use std::f64::consts::{FRAC_PI_2, PI, TAU};

use num_complex::Complex64;
use serde::{Deserialize, Serialize};

use super::waveform::{PulseFault, Step};

/// Steps that a formula is sampled at: finer ones change nothing in the fourth digit.
const STEPS: usize = 256;
/// Steps of pulses that sweep their frequency.
const SWEEP_STEPS: usize = 1024;
/// Where hyperbolic secants are cut off: at a hundredth.
const SECH_CUT: f64 = 5.298;

/// The shape of a pulse; its time runs from −1 to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Shape {
    /// 1 + Σ c_j cos(2πj(t/T − ½)): Mao's optimised pulses (Mao J et al. J Magn Reson 1988;77:310) and others.
    Cosine {
        /// c_1, c_2, …
        coefficients: Vec<f64>,
        /// Coefficients of the sines, for pulses that are not their own mirror image.
        #[serde(default)]
        sines: Vec<f64>,
    },
    /// A Gaussian that has `truncation` of its height at its ends.
    Gauss {
        /// Height at the ends.
        truncation: f64,
    },
    /// Hermite's: (1 − c·x²)·exp(−x²), x up to `x_end`; c is .956 for 180° and .667 for 90° (Warren WS. J Chem Phys
    /// 1984;81:5437).
    Hermite {
        /// The factor of x².
        quadratic: f64,
        /// x at the ends.
        x_end: f64,
    },
    /// sin(πn·t)/(πn·t) times a Gaussian that has `truncation` of its height at the ends.
    SincGauss {
        /// Zero crossings on each side.
        lobes: f64,
        /// Height of the Gaussian at the ends.
        truncation: f64,
    },
    /// The same under Hann's window.
    SincHann {
        /// Zero crossings on each side.
        lobes: f64,
    },
    /// Hyperbolic secant of the order n, sweeping `sweep_hz` (Silver MS et al. J Magn Reson 1984;59:347; Tannús A,
    /// Garwood M. J Magn Reson A 1996;120:133).
    HyperbolicSecant {
        /// n of HSn.
        order: f64,
        /// From end to end (Hz).
        sweep_hz: f64,
    },
    /// Gradient-modulated adiabatic pulse with the modulations of WURST (Andronesi OC et al. J Magn Reson 2010;203:283).
    GoiaWurst {
        /// Exponent of B1's modulation.
        b1_order: f64,
        /// Exponent of the gradient's modulation.
        gradient_order: f64,
        /// By how much the gradient is less in the middle.
        gradient_dip: f64,
        /// From end to end (Hz).
        sweep_hz: f64,
    },
    /// C-shaped FOCI on a hyperbolic secant (Ordidge RJ et al. Magn Reson Med 1996;36:562).
    Foci {
        /// How many times stronger the gradient is at the ends.
        factor: f64,
        /// From end to end (Hz).
        sweep_hz: f64,
    },
    /// Samples: amplitude (may be negative), phase (rad) and, where it changes, the gradient.
    Samples {
        /// Amplitudes in any unit.
        amplitude: Vec<f64>,
        /// Phases (rad), as many.
        phase_rad: Vec<f64>,
        /// Gradients relative to the constant one; empty: constant.
        #[serde(default)]
        gradient: Vec<f64>,
    },
}

impl Shape {
    /// From end to end, for pulses that sweep (Hz): what makes the thickness of their slice.
    pub(super) fn sweep_hz(&self) -> Option<f64> {
        match *self {
            Self::HyperbolicSecant { sweep_hz, .. }
            | Self::GoiaWurst { sweep_hz, .. }
            | Self::Foci { sweep_hz, .. } => Some(sweep_hz),
            _ => None,
        }
    }

    /// Name for tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Cosine { .. } => "cosine series",
            Self::Gauss { .. } => "gauss",
            Self::Hermite { .. } => "hermite",
            Self::SincGauss { .. } => "sinc-gauss",
            Self::SincHann { .. } => "sinc-hann",
            Self::HyperbolicSecant { .. } => "hyperbolic secant",
            Self::GoiaWurst { .. } => "goia-wurst",
            Self::Foci { .. } => "foci",
            Self::Samples { .. } => "samples",
        }
    }

    /// The steps of a pulse of `duration_s`; amplitudes are relative, sweeps in their phase.
    pub(super) fn steps(&self, duration_s: f64) -> Result<Vec<Step>, PulseFault> {
        self.check()?;
        let amplitudes = |f: &dyn Fn(f64) -> f64| {
            middles(STEPS).map(|t| Step { b1: Complex64::new(f(t), 0.0), gradient: 1.0 }).collect::<Vec<_>>()
        };
        Ok(match self {
            Self::Cosine { coefficients, sines } => amplitudes(&|t| {
                let sum = |terms: &[f64], f: fn(f64) -> f64| -> f64 {
                    terms.iter().zip(1..).map(|(c, j)| c * f(f64::from(j) * PI * t)).sum()
                };
                1.0 + sum(coefficients, f64::cos) + sum(sines, f64::sin)
            }),
            Self::Gauss { truncation } => amplitudes(&|t| gauss(*truncation, t)),
            Self::Hermite { quadratic, x_end } => amplitudes(&|t| {
                let square = (x_end * t).powi(2);
                (1.0 - quadratic * square) * (-square).exp()
            }),
            Self::SincGauss { lobes, truncation } => amplitudes(&|t| sinc(lobes * t) * gauss(*truncation, t)),
            Self::SincHann { lobes } => amplitudes(&|t| sinc(lobes * t) * 0.5 * (1.0 + (PI * t).cos())),
            Self::HyperbolicSecant { order, sweep_hz } => {
                sweep(duration_s, *sweep_hz, &|t| ((SECH_CUT * t.abs().powf(*order)).cosh().recip(), 1.0))
            }
            Self::GoiaWurst { b1_order, gradient_order, gradient_dip, sweep_hz } => {
                sweep(duration_s, *sweep_hz, &|t| {
                    let sine = (FRAC_PI_2 * t).sin().abs();
                    (1.0 - sine.powf(*b1_order), 1.0 - gradient_dip * (1.0 - sine.powf(*gradient_order)))
                })
            }
            Self::Foci { factor, sweep_hz } => sweep(duration_s, *sweep_hz, &|t| {
                let gain = (SECH_CUT * t).cosh().min(*factor);
                (gain / (SECH_CUT * t).cosh(), gain / factor)
            }),
            Self::Samples { amplitude, phase_rad, gradient } => amplitude
                .iter()
                .zip(phase_rad)
                .enumerate()
                .map(|(k, (a, phase))| Step {
                    b1: Complex64::from_polar(1.0, *phase) * *a,
                    gradient: gradient.get(k).copied().unwrap_or(1.0),
                })
                .collect(),
        })
    }

    fn check(&self) -> Result<(), PulseFault> {
        let within = |name: &'static str, value: f64, least: f64, most: f64| match (least..=most).contains(&value) {
            true => Ok(()),
            false => Err(PulseFault::Setting { name, value, least, most }),
        };
        match self {
            Self::Cosine { coefficients, sines } => {
                coefficients.iter().chain(sines).try_for_each(|c| within("coefficients", *c, -1e3, 1e3))
            }
            Self::Gauss { truncation } => within("truncation", *truncation, 1e-6, 0.9),
            Self::Hermite { quadratic, x_end } => {
                within("quadratic", *quadratic, 0.0, 10.0)?;
                within("x_end", *x_end, 0.1, 20.0)
            }
            Self::SincGauss { lobes, truncation } => {
                within("lobes", *lobes, 0.0, 50.0)?;
                within("truncation", *truncation, 1e-6, 0.9)
            }
            Self::SincHann { lobes } => within("lobes", *lobes, 0.0, 50.0),
            Self::HyperbolicSecant { order, sweep_hz } => {
                within("order", *order, 1.0, 16.0)?;
                within("sweep_hz", *sweep_hz, 1.0, 1e5)
            }
            Self::GoiaWurst { b1_order, gradient_order, gradient_dip, sweep_hz } => {
                within("b1_order", *b1_order, 1.0, 64.0)?;
                within("gradient_order", *gradient_order, 1.0, 64.0)?;
                within("gradient_dip", *gradient_dip, 0.0, 0.99)?;
                within("sweep_hz", *sweep_hz, 1.0, 1e5)
            }
            Self::Foci { factor, sweep_hz } => {
                within("factor", *factor, 1.0, 50.0)?;
                within("sweep_hz", *sweep_hz, 1.0, 1e5)
            }
            Self::Samples { amplitude, phase_rad, gradient } => {
                let (n, phases, gradients) = (amplitude.len(), phase_rad.len(), gradient.len());
                let finite = amplitude.iter().chain(phase_rad).chain(gradient).all(|v| v.is_finite());
                match n > 1 && phases == n && (gradients == 0 || gradients == n) && finite {
                    true => Ok(()),
                    false => Err(PulseFault::Lengths { amplitudes: n, phases, gradients }),
                }
            }
        }
    }
}

/// Middles of `n` equal parts of −1 … 1.
fn middles(n: usize) -> impl Iterator<Item = f64> {
    (0..n).map(move |k| (2 * k + 1) as f64 / n as f64 - 1.0)
}

fn gauss(truncation: f64, t: f64) -> f64 {
    (truncation.ln() * t * t).exp()
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 { 1.0 } else { (PI * x).sin() / (PI * x) }
}

/// A sweep with the modulations (B1, gradient) of time: the frequency goes as G·∫B1²/G, so that every position meets the
/// same adiabaticity (Tannús and Garwood), from −sweep/2 to sweep/2.
fn sweep(duration_s: f64, sweep_hz: f64, modulations: &dyn Fn(f64) -> (f64, f64)) -> Vec<Step> {
    let parts: Vec<(f64, f64)> = middles(SWEEP_STEPS).map(modulations).collect();
    let speeds: Vec<f64> = parts.iter().map(|(b1, gradient)| b1 * b1 / gradient).collect();
    let whole: f64 = speeds.iter().sum();
    let step_s = duration_s / SWEEP_STEPS as f64;
    let (mut passed, mut turns) = (0.0, 0.0);
    let mut steps = Vec::with_capacity(SWEEP_STEPS);
    for ((b1, gradient), speed) in parts.iter().zip(&speeds) {
        let place = (passed + 0.5 * speed) / whole - 0.5;
        passed += speed;
        let frequency_hz = sweep_hz * gradient * place;
        // The phase in the middle of the step.
        steps.push(Step {
            b1: Complex64::from_polar(*b1, TAU * (turns + 0.5 * frequency_hz * step_s)),
            gradient: *gradient,
        });
        turns += frequency_hz * step_s;
    }
    steps
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn settings_out_of_range_are_named_with_the_range() {
        let message = Shape::Gauss { truncation: 2.0 }.steps(1e-3).unwrap_err().to_string();
        assert!(message.contains("truncation = 2") && message.contains("0.9"), "{message}");
        let uneven = Shape::Samples { amplitude: vec![1.0; 4], phase_rad: vec![0.0; 3], gradient: vec![] };
        assert!(uneven.steps(1e-3).unwrap_err().to_string().contains("4 amplitudes, 3 phases"));
    }

    #[test]
    fn sweeps_run_from_end_to_end_and_goia_dips_its_gradient() {
        let shape = Shape::GoiaWurst { b1_order: 16.0, gradient_order: 4.0, gradient_dip: 0.9, sweep_hz: 8000.0 };
        let steps = shape.steps(4.5e-3).unwrap();
        let middle = steps[SWEEP_STEPS / 2];
        assert!((middle.gradient - 0.1).abs() < 1e-3 && middle.b1.norm() > 0.999);
        let turn = |k: usize| (steps[k + 1].b1 / steps[k].b1).arg() / TAU * SWEEP_STEPS as f64 / 4.5e-3;
        assert!((turn(SWEEP_STEPS - 30) + turn(28)).abs() < 1.0, "a sweep is odd");
        assert!(turn(SWEEP_STEPS - 30) > 3000.0);
    }
}
