//! Localisation sequences and their timing, as lists of events with ideal pulses; `pulses/program` plays shaped ones.

use std::f64::consts::{FRAC_PI_2, PI};

use serde::{Deserialize, Serialize};

use super::SimulateError;
pub use super::events::{Band, Event, Pulse};
use super::events::{X, Y, turn};

/// Echo times that agree to this (s) are the same: files give them in microseconds at best.
const SAME_TIME_S: f64 = 1e-6;

/// A localisation sequence with its timing; all times in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "sequence", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Sequence {
    /// 90° and acquisition at once.
    PulseAcquire {},
    /// 90° – TE/2 – 180° – TE/2.
    SpinEcho {
        /// Echo time (s).
        te_s: f64,
    },
    /// 90° – TE1/2 – 180° – (TE1 + TE2)/2 – 180° – TE2/2 (Bottomley 1987).
    Press {
        /// Echo time (s).
        te_s: f64,
        /// First echo (s).
        te1_s: f64,
        /// Second echo (s); TE1 + TE2 = TE.
        te2_s: f64,
    },
    /// 90° – TE/2 – 90° – TM – 90° – TE/2: the stimulated echo, half of the signal (Frahm 1987).
    Steam {
        /// Echo time (s).
        te_s: f64,
        /// Mixing time (s).
        tm_s: f64,
    },
    /// 90° and two pairs of adiabatic 180° pulses, equally spaced: TE/8 – TE/4 – TE/4 – TE/4 – TE/8
    /// (Scheenen 2008).
    SemiLaser {
        /// Echo time (s).
        te_s: f64,
    },
    /// PRESS with two editing pulses TE/2 apart, each midway between the pulses beside it
    /// (Mescher 1998). Spins in the band are inverted; their own transverse magnetisation is dephased by
    /// the gradients around those pulses.
    MegaPress {
        /// Echo time (s).
        te_s: f64,
        /// First echo (s); the second one is TE − TE1.
        te1_s: f64,
        /// Band that the editing pulses turn: on the edited spins for ON, elsewhere for OFF.
        band: Band,
    },
    /// A spin echo whose third dimension is an inversion with add and subtract: with ideal pulses the
    /// signal of a spin echo (Mlynárik 2006).
    Special {
        /// Echo time (s).
        te_s: f64,
    },
    /// MEGA-PRESS whose editing pulses turn two bands at once: the conditions of HERMES and HERCULES that edit both
    /// (Chan 2016, Oeltzschner 2019); their other conditions are MEGA-PRESS.
    Hermes {
        /// Echo time (s).
        te_s: f64,
        /// First echo (s).
        te1_s: f64,
        /// Bands that the editing pulses turn; twice the same is one.
        bands: [Band; 2],
    },
    /// sLASER with two editing pulses TE/2 apart.
    MegaSemiLaser {
        /// Echo time (s).
        te_s: f64,
        /// Bands that the editing pulses turn; twice the same is one.
        bands: [Band; 2],
    },
}

/// Middles of the pulses of an edited sLASER (s after the excitation).
pub(super) struct SemiLaserTimes {
    pub(super) refocus: [f64; 4],
    pub(super) edit: [f64; 2],
}

impl SemiLaserTimes {
    /// The first pulse and the three last stand as close as they can, and the echo comes at TE; those of MRSCloud at
    /// TE 80 ms: 4.7523, 38.1735, 42.8285, 49.4073 ms and 23.9861, 63.9861 ms.
    pub(super) fn edited(te_s: f64) -> Self {
        let (first_s, third_s, fourth_s, edit_s) = (4.7523e-3, 4.655e-3, 6.5788e-3, 3.9861e-3);
        let second_s = 0.5 * te_s + first_s - fourth_s;
        let third_s = second_s + third_s;
        let edit_s = 0.25 * te_s + edit_s;
        Self { refocus: [first_s, second_s, third_s, third_s + fourth_s], edit: [edit_s, edit_s + 0.5 * te_s] }
    }
}

impl Sequence {
    /// Name for tables.
    pub fn name(&self) -> &'static str {
        match self {
            Self::PulseAcquire {} => "pulse-acquire",
            Self::SpinEcho { .. } => "spin-echo",
            Self::Press { .. } => "PRESS",
            Self::Steam { .. } => "STEAM",
            Self::SemiLaser { .. } => "sLASER",
            Self::MegaPress { .. } => "MEGA-PRESS",
            Self::Special { .. } => "SPECIAL",
            Self::Hermes { .. } => "HERMES",
            Self::MegaSemiLaser { .. } => "MEGA-sLASER",
        }
    }

    /// Echo time (s); 0 for pulse-acquire.
    pub fn te_s(&self) -> f64 {
        match *self {
            Self::PulseAcquire {} => 0.0,
            Self::SpinEcho { te_s }
            | Self::Press { te_s, .. }
            | Self::Steam { te_s, .. }
            | Self::SemiLaser { te_s }
            | Self::MegaPress { te_s, .. }
            | Self::Hermes { te_s, .. }
            | Self::MegaSemiLaser { te_s, .. }
            | Self::Special { te_s } => te_s,
        }
    }

    /// The events from equilibrium to the first sample.
    ///
    /// # Errors
    /// [`SimulateError::Timing`] if a time is negative or not finite, if TE1 + TE2 is not TE, or if an
    /// editing pulse would fall outside the echo; [`SimulateError::Band`] for a band without width.
    pub fn events(&self) -> Result<Vec<Event>, SimulateError> {
        self.check()?;
        let mut events = vec![turn(FRAC_PI_2, Y)];
        match *self {
            Self::PulseAcquire {} => {}
            Self::SpinEcho { te_s } | Self::Special { te_s } => refocus(&mut events, &[0.5 * te_s, 0.5 * te_s]),
            Self::Press { te1_s, te2_s, .. } => {
                refocus(&mut events, &[0.5 * te1_s, 0.5 * (te1_s + te2_s), 0.5 * te2_s])
            }
            Self::SemiLaser { te_s } => {
                let (outer, inner) = (0.125 * te_s, 0.25 * te_s);
                refocus(&mut events, &[outer, inner, inner, inner, outer]);
            }
            Self::Steam { te_s, tm_s } => {
                let half = Event::Delay { duration_s: 0.5 * te_s };
                let keep = |order| Event::Coherence { order };
                events.extend([keep(-1), half, turn(-FRAC_PI_2, Y), keep(0), Event::Delay { duration_s: tm_s }]);
                events.extend([turn(FRAC_PI_2, Y), keep(1), half]);
            }
            Self::MegaPress { te_s, te1_s, band } => mega_press(&mut events, te_s, te1_s, [band; 2]),
            Self::Hermes { te_s, te1_s, bands } => mega_press(&mut events, te_s, te1_s, bands),
            Self::MegaSemiLaser { te_s, bands } => mega_semi_laser(&mut events, te_s, bands),
        }
        Ok(events)
    }

    /// Bands that editing pulses turn.
    fn bands(&self) -> Option<[Band; 2]> {
        match *self {
            Self::MegaPress { band, .. } => Some([band; 2]),
            Self::Hermes { bands, .. } | Self::MegaSemiLaser { bands, .. } => Some(bands),
            _ => None,
        }
    }

    /// Time (s) to the first spin echo of PRESS and edited PRESS.
    pub fn te1_s(&self) -> Option<f64> {
        match *self {
            Self::Press { te1_s, .. } | Self::MegaPress { te1_s, .. } | Self::Hermes { te1_s, .. } => Some(te1_s),
            _ => None,
        }
        .filter(|te1_s| *te1_s > 0.0)
    }

    fn check(&self) -> Result<(), SimulateError> {
        let fail = |reason: String| Err(SimulateError::Timing { sequence: self.name(), reason });
        let times: &[(&str, f64)] = match *self {
            Self::Press { te_s, te1_s, te2_s } => &[("TE", te_s), ("TE1", te1_s), ("TE2", te2_s)],
            Self::Steam { te_s, tm_s } => &[("TE", te_s), ("TM", tm_s)],
            Self::MegaPress { te_s, te1_s, .. } | Self::Hermes { te_s, te1_s, .. } => &[("TE", te_s), ("TE1", te1_s)],
            _ => &[("TE", self.te_s())],
        };
        if let Some((name, value)) = times.iter().find(|(_, t)| !(t.is_finite() && *t >= 0.0)) {
            return fail(format!("{name} = {value} s; it must be 0 or more"));
        }
        match *self {
            Self::Press { te_s, te1_s, te2_s } if (te1_s + te2_s - te_s).abs() > SAME_TIME_S => {
                fail(format!("TE1 + TE2 = {} s but TE = {te_s} s; they must be equal", te1_s + te2_s))
            }
            Self::MegaPress { te_s, te1_s, .. } | Self::Hermes { te_s, te1_s, .. } if 2.0 * te1_s > te_s => {
                fail(format!(
                    "TE1 = {te1_s} s is more than half of TE = {te_s} s; the second editing pulse would come after the echo"
                ))
            }
            Self::MegaSemiLaser { te_s, .. } if SemiLaserTimes::edited(te_s).refocus[3] > te_s => {
                fail(format!("TE = {te_s} s leaves no room for its pulses; 0.02 s or more is possible"))
            }
            _ => self.bands().iter().flatten().try_for_each(|band| {
                let is_one = band.centre_ppm.is_finite() && band.width_ppm.is_finite() && band.width_ppm > 0.0;
                let (centre_ppm, width_ppm) = (band.centre_ppm, band.width_ppm);
                if is_one { Ok(()) } else { Err(SimulateError::Band { centre_ppm, width_ppm }) }
            }),
        }
    }
}

/// Editing pulses on one or two bands, and the order around them.
fn edit(bands: [Band; 2], order: i32) -> impl Iterator<Item = Event> {
    let n = if bands[0] == bands[1] { 1 } else { 2 };
    let pulse = |band| Event::Pulse(Pulse::Ideal { flip_rad: PI, phase_rad: X, band: Some(band) });
    bands.into_iter().take(n).map(pulse).chain([Event::Coherence { order }])
}

fn mega_press(events: &mut Vec<Event>, te_s: f64, te1_s: f64, bands: [Band; 2]) {
    let delay = |duration_s| Event::Delay { duration_s };
    let keep = |order| Event::Coherence { order };
    let quarter = 0.25 * te_s;
    events.extend([keep(1), delay(0.5 * te1_s), turn(PI, X), keep(-1), delay(quarter)]);
    events.extend(edit(bands, -1));
    events.extend([delay(quarter), turn(PI, X), keep(1), delay(quarter)]);
    events.extend(edit(bands, 1));
    events.push(delay(quarter - 0.5 * te1_s));
}

fn mega_semi_laser(events: &mut Vec<Event>, te_s: f64, bands: [Band; 2]) {
    let SemiLaserTimes { refocus: r, edit: e } = SemiLaserTimes::edited(te_s);
    let delay = |duration_s| Event::Delay { duration_s };
    let keep = |order| Event::Coherence { order };
    events.extend([keep(1), delay(r[0]), turn(PI, X), keep(-1), delay(e[0] - r[0])]);
    events.extend(edit(bands, -1));
    events.extend([delay(r[1] - e[0]), turn(PI, X), keep(1), delay(r[2] - r[1]), turn(PI, X), keep(-1)]);
    events.extend([delay(r[3] - r[2]), turn(PI, X), keep(1), delay(e[1] - r[3])]);
    events.extend(edit(bands, 1));
    events.push(delay(te_s - e[1]));
}

/// Appends the delays with a 180° pulse between each two, on the pathway that ends at the receiver.
fn refocus(events: &mut Vec<Event>, delays_s: &[f64]) {
    let mut order = if delays_s.len().is_multiple_of(2) { -1 } else { 1 };
    for (k, &duration_s) in delays_s.iter().enumerate() {
        if k > 0 {
            // Along the magnetisation's own axis, so that a singlet's echo has no phase.
            events.push(turn(PI, X));
        }
        events.extend([Event::Coherence { order }, Event::Delay { duration_s }]);
        order = -order;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;

    fn all(te_s: f64) -> Vec<Sequence> {
        let band = Band { centre_ppm: 1.9, width_ppm: 0.6 };
        vec![
            Sequence::PulseAcquire {},
            Sequence::SpinEcho { te_s },
            Sequence::Press { te_s, te1_s: 0.3 * te_s, te2_s: 0.7 * te_s },
            Sequence::Steam { te_s, tm_s: 0.01 },
            Sequence::SemiLaser { te_s },
            Sequence::MegaPress { te_s, te1_s: 0.15 * te_s, band },
            Sequence::Special { te_s },
            Sequence::Hermes { te_s, te1_s: 0.15 * te_s, bands: [band, Band { centre_ppm: 4.56, width_ppm: 0.6 }] },
            Sequence::MegaSemiLaser { te_s, bands: [band, band] },
        ]
    }

    #[test]
    fn delays_add_up_and_every_pathway_ends_at_the_receiver() {
        for sequence in all(0.068) {
            let events = sequence.events().unwrap();
            let total: f64 =
                events.iter().map(|e| if let Event::Delay { duration_s } = e { *duration_s } else { 0.0 }).sum();
            let mixing = if matches!(sequence, Sequence::Steam { .. }) { 0.01 } else { 0.0 };
            assert!((total - mixing - sequence.te_s()).abs() < 1e-12, "{sequence:?}");
            let last =
                events.iter().rev().find_map(|e| if let Event::Coherence { order } = e { Some(*order) } else { None });
            assert!(last.is_none_or(|order| order == 1), "{sequence:?}");
        }
    }

    /// Precession of a single transverse coherence, signed by its order, cancels at the echo.
    #[test]
    fn every_sequence_refocuses_shifts() {
        for sequence in all(0.068) {
            let (mut order, mut phase) = (1, 0.0);
            for event in sequence.events().unwrap() {
                match event {
                    Event::Coherence { order: o } => order = o,
                    Event::Delay { duration_s } => phase += f64::from(order) * duration_s,
                    Event::Pulse(_) => {}
                }
            }
            assert!(phase.abs() < 1e-12, "{sequence:?}: {phase}");
        }
    }

    #[test]
    fn impossible_timings_say_what_is_wrong() {
        let band = Band { centre_ppm: 1.9, width_ppm: 0.6 };
        for (sequence, expected) in [
            (Sequence::Press { te_s: 0.03, te1_s: 0.011, te2_s: 0.02 }, "TE1 + TE2"),
            (Sequence::Press { te_s: 0.03, te1_s: -0.01, te2_s: 0.04 }, "TE1 = -0.01"),
            (Sequence::SpinEcho { te_s: f64::NAN }, "TE = NaN"),
            (Sequence::Steam { te_s: 0.02, tm_s: -1.0 }, "TM = -1"),
            (Sequence::MegaPress { te_s: 0.068, te1_s: 0.04, band }, "second editing pulse"),
            (Sequence::MegaPress { te_s: 0.068, te1_s: 0.01, band: Band { width_ppm: 0.0, ..band } }, "width"),
        ] {
            let message = sequence.events().unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
    }

    #[test]
    fn a_sequence_reads_from_a_configuration() {
        let read = |text: &str| toml::from_str::<Sequence>(text);
        let press = read("sequence = \"press\"\nte_s = 0.03\nte1_s = 0.011\nte2_s = 0.019").unwrap();
        assert_eq!(press, Sequence::Press { te_s: 0.03, te1_s: 0.011, te2_s: 0.019 });
        let mega = Sequence::MegaPress { te_s: 0.068, te1_s: 0.01, band: Band { centre_ppm: 1.9, width_ppm: 0.6 } };
        assert_eq!(read(&toml::to_string(&mega).unwrap()).unwrap(), mega);
        assert_eq!(read("sequence = \"pulse-acquire\"").unwrap(), Sequence::PulseAcquire {});
        let message = read("sequence = \"steam\"\nte_s = 0.02").unwrap_err().to_string();
        assert!(message.contains("tm_s"), "{message}");
        let message = read("sequence = \"spin-echo\"\nte_s = 0.02\ntm_s = 0.01").unwrap_err().to_string();
        assert!(message.contains("unknown field `tm_s`"), "{message}");
    }
}
