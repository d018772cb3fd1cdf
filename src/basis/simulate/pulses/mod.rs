//! Shaped pulses on a voxel: what scanners really play, beside the ideal pulses of [`super::sequences`].
//!
//! A [`Shape`] is a formula or samples of a file, a [`PulseSpec`] gives it a duration and a flip angle, [`Shaped`] says
//! which pulses a sequence has, and a `program` puts them in their places. A pulse is cut into short intervals; in each
//! the spins turn by themselves (exactly, over the steps of the waveform) and then feel their couplings (Strang
//! splitting). Positions in a slice are a grid of offsets; after the last pulse along an axis its positions are averaged
//! (Zhang Y, An L, Shen J. Med Phys 2017;44:4169). Gradients leave one coherence order.

mod coherence;
pub mod files;
mod list;
mod program;
mod propagator;
mod shape;
mod signal;
mod spin_half;
pub mod timeline;
pub mod vendors;
mod waveform;

use serde::{Deserialize, Serialize};

pub use list::Block;
pub(super) use list::MOST_OPEN;
pub use program::Axis;
pub(super) use program::Program;
pub use shape::Shape;
pub(super) use signal::{Scale, shaped_lines};
pub use vendors::{Choice, Known, Source, Vendor};
pub use waveform::{PulseFault, Waveform};

/// Coupled protons beyond which a group is refused with shaped pulses: every further one costs eight times as much.
pub const MAX_SHAPED_SPINS: usize = 8;

/// The pulses of a sequence.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Pulses {
    /// Infinitely short, turning all spins alike everywhere in the voxel.
    #[default]
    Ideal,
    /// As a scanner plays them.
    Shaped(Box<Shaped>),
}

/// Shaped pulses of a sequence, and the grid of positions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shaped {
    /// Name for tables: what pulse, how long.
    pub name: String,
    /// The refocusing pulses.
    pub refocus: PulseSpec,
    /// Pulses of 90°; `None`: ideal ones. A shaped excitation hardly changes PRESS.
    #[serde(default)]
    pub excite: Option<PulseSpec>,
    /// Editing pulses.
    #[serde(default)]
    pub edit: Option<PulseSpec>,
    /// Centre of the slice-selective pulses (ppm).
    #[serde(default = "usual_carrier")]
    pub carrier_ppm: f64,
    /// Positions.
    #[serde(default)]
    pub grid: Grid,
    /// The whole sequence as a list, instead of the pulses above in the sequence's places.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Vec<Block>>,
}

/// A pulse: its shape and what it is played with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PulseSpec {
    /// Its shape.
    pub shape: Shape,
    /// How long it is (s).
    pub duration_s: f64,
    /// Flip angle on resonance (°); adiabatic pulses take what inverts unless `peak_b1_hz` is given.
    #[serde(default)]
    pub flip_deg: Option<f64>,
    /// Peak of B1 (Hz) instead of a flip angle.
    #[serde(default)]
    pub peak_b1_hz: Option<f64>,
    /// What makes a slice's thickness (Hz); `None`: measured where the pulse turns half as much as in its middle.
    #[serde(default)]
    pub bandwidth_hz: Option<f64>,
}

/// Positions in a selected slice.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Middles of equal parts along each axis.
    pub points: usize,
    /// What is looked at, in thicknesses of the slice.
    pub fov_over_voxel: f64,
    /// Longest interval of the splitting at 3 T (s); in stronger fields shorter, as shifts are further apart.
    pub interval_s: f64,
}

/// Against 64 points and thrice as many intervals no amplitude changes by more than .1 % (lactate at PRESS 35: .08 %).
impl Default for Grid {
    fn default() -> Self {
        Self { points: 20, fov_over_voxel: 2.0, interval_s: 0.3e-3 }
    }
}

/// Most points of a grid's axis: finer ones change nothing and cost as much more.
const MOST_POINTS: usize = 512;

impl Grid {
    /// What is wrong with it, in words.
    pub(crate) fn fault(&self) -> Option<String> {
        if !(1..=MOST_POINTS).contains(&self.points) {
            return Some(format!("grid of {} points; 1 to {MOST_POINTS} are possible", self.points));
        }
        if !(self.fov_over_voxel.is_finite() && (0.1..=10.0).contains(&self.fov_over_voxel)) {
            return Some(format!("fov_over_voxel = {}; 0.1 to 10 is possible", self.fov_over_voxel));
        }
        if !(self.interval_s.is_finite() && (1e-5..=5e-3).contains(&self.interval_s)) {
            return Some(format!("interval_s = {} s; 1e-5 to 5e-3 is possible", self.interval_s));
        }
        None
    }

    /// Positions in thicknesses of the slice.
    fn positions(&self) -> impl Iterator<Item = f64> + use<> {
        let (n, fov) = (self.points, self.fov_over_voxel);
        (0..n).map(move |k| fov * ((k as f64 + 0.5) / n as f64 - 0.5))
    }
}

fn usual_carrier() -> f64 {
    3.0
}
