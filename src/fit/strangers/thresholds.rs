//! The numbers that decide, in one place.
//!
//! To calibrate them anew after the fit has changed: run the sets with known truth with `strangers = true` and look at the
//! columns `added_components` and `unmodelled_peaks_ppm`. Nothing in these sets is a stranger, so every entry is a false
//! one: at most 1 % of the spectra may have one. Then put acetone, methylsulfonylmethane and ethanol into spectra
//! (`tests/fits/field_unmodelled.rs` does) and see from which concentration on they are found. Raise [`LEAST_GAIN`] where
//! false components are kept, [`FALSE_ALARMS`] (smaller) where false lines are found.

/// How often noise alone may show a line anywhere in the window.
pub const FALSE_ALARMS: f64 = 1e-4;

/// Splines per ppm of the stiff baseline that the excess is measured from: it follows what is some 0.3 ppm broad.
pub(super) const STIFF_SPLINES_PER_PPM: f64 = 4.0;

/// A line must be this tall, relative to what the metabolites have within 1.5 linewidths of it …
pub const LEAST_SHARE: f64 = 0.08;
/// … and this tall relative to the tallest metabolite peak: below, no major moves by what it hides.
pub const LEAST_HEIGHT: f64 = 0.015;

/// How far from each peak faults of the common lineshape reach (Hz): what the metabolites, moved by up to this, explain is
/// no line of its own.
pub(super) const LINESHAPE_REACH_HZ: f64 = 12.0;

/// Lines that are looked at in one spectrum.
pub(super) const MOST_LINES: usize = 4;

/// How far a line may lie from that of a substance (ppm).
pub const NEAR_PPM: f64 = 0.05;

/// Standard deviations by which a component must be away from its place to count as displaced.
pub const LEAST_DISPLACED_SD: f64 = 4.0;

/// A spectrum that lacks something, and whose baseline is this part of its limit, is searched in a fit with a stiff baseline,
/// too: a flexible one moves everything, and what it lacks no longer stands where it is.
pub const FLEXIBLE_PART: f64 = 0.4;
/// Largest effective dimension per ppm of that baseline.
pub const PROBE_ED_PER_PPM: f64 = 1.5;

/// What an added component must gain, in units of 2·ln(odds): several times what a line costs, and above what a flexible
/// baseline gains by chance …
pub const LEAST_GAIN: f64 = 30.0;
/// … and which part it must be of all that is wrong with the fit without it.
pub const LEAST_PART: f64 = 0.3;
/// How much more a line of no known substance must gain than the best substance.
pub const ANONYMOUS_HANDICAP: f64 = 10.0;

/// Components that are added to one spectrum.
pub const MOST_ADDED: usize = 3;

/// An added substance this tall, relative to the tallest metabolite peak, is flagged like a line without a name: a fit that
/// went astray may have taken a branch of a split peak for it.
pub const TALL: f64 = 0.4;
