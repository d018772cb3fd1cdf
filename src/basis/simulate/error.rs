//! Why a basis set cannot be simulated.

use thiserror::Error;

/// Why a basis set could not be simulated.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SimulateError {
    /// No spin system of that name.
    #[error("no spin system for {name:?}; there are: {known}")]
    UnknownMetabolite {
        /// The name asked for.
        name: String,
        /// All names, blank-separated.
        known: String,
    },
    /// The same metabolite was asked for twice.
    #[error("{name} is asked for twice; keep one")]
    Duplicate {
        /// Its canonical name.
        name: String,
    },
    /// The sequence's times contradict each other.
    #[error("{sequence}: {reason}")]
    Timing {
        /// Name of the sequence.
        sequence: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A pulse cannot be played.
    #[error("pulses of {sequence}: {reason}")]
    Pulse {
        /// Name of the sequence.
        sequence: &'static str,
        /// What is wrong, with the valid range.
        reason: String,
    },
    /// A band of an editing pulse holds nothing.
    #[error(
        "editing band of width {width_ppm} ppm around {centre_ppm} ppm; both must be finite and the width positive"
    )]
    Band {
        /// Middle asked for (ppm).
        centre_ppm: f64,
        /// Width asked for (ppm).
        width_ppm: f64,
    },
    /// A group of coupled protons is too large.
    #[error(
        "{metabolite}: {spins} coupled protons, at most {most} can be simulated; leave out couplings that do not show"
    )]
    TooManySpins {
        /// The metabolite.
        metabolite: String,
        /// Number of coupled protons.
        spins: usize,
        /// The limit.
        most: usize,
    },
    /// A spin system holds numbers that are not finite.
    #[error("{metabolite}: shifts, couplings and field must be finite numbers")]
    Numbers {
        /// The metabolite.
        metabolite: String,
    },
    /// The time grid or field makes no sense.
    #[error(
        "cannot simulate {n_points} points, dwell {dwell_s} s, {f0_mhz} MHz, linewidth {linewidth_hz} Hz: the first three must be positive, the linewidth 0 or more"
    )]
    Grid {
        /// Dwell time asked for (s).
        dwell_s: f64,
        /// Spectrometer frequency asked for (MHz).
        f0_mhz: f64,
        /// Number of points asked for.
        n_points: usize,
        /// Linewidth asked for (Hz).
        linewidth_hz: f64,
    },
    /// Somebody asked to stop.
    #[error("the simulation was stopped")]
    Stopped,
    /// A library of spin systems does not read.
    #[error("spin systems: {reason}")]
    Library {
        /// What is wrong, with the metabolite.
        reason: String,
    },
}

/// A header does not say enough for a simulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no basis set, and none can be simulated: {}; state it in the manifest or with --config, or give --basis", missing.join(", "))]
pub struct HeaderGaps {
    /// The fields that are missing or cannot be used, each with its column name.
    pub missing: Vec<String>,
}
