//! The events that a sequence consists of.
//!
//! Pulses are ideal and infinitely short, gradients select coherence orders exactly.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

/// Phase of a pulse along x and y (rad).
pub(super) const X: f64 = 0.0;
pub(super) const Y: f64 = FRAC_PI_2;

/// A band of chemical shifts that an editing pulse turns.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Middle (ppm).
    pub centre_ppm: f64,
    /// Full width (ppm).
    pub width_ppm: f64,
}

impl Band {
    /// Whether a spin at `ppm` is turned.
    pub fn holds(&self, ppm: f64) -> bool {
        (ppm - self.centre_ppm).abs() <= 0.5 * self.width_ppm
    }
}

/// A radio-frequency pulse.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Pulse {
    /// Turns spins at once and perfectly.
    Ideal {
        /// Flip angle (rad).
        flip_rad: f64,
        /// Direction of the axis from x (rad).
        phase_rad: f64,
        /// The spins that it turns; `None` for all protons.
        band: Option<Band>,
    },
}

/// One step of a sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// A pulse.
    Pulse(Pulse),
    /// Free evolution.
    Delay {
        /// How long (s).
        duration_s: f64,
    },
    /// Gradients or a phase cycle that leave one coherence order; the receiver detects order +1.
    Coherence {
        /// The order that stays.
        order: i32,
    },
}

/// An ideal pulse on all protons.
pub(super) fn turn(flip_rad: f64, phase_rad: f64) -> Event {
    Event::Pulse(Pulse::Ideal { flip_rad, phase_rad, band: None })
}
