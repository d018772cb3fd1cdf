//! Pulses, delays and coherence orders of a sequence with shaped pulses, each pulse in its place.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::waveform::Waveform;
use super::{PulseSpec, Shaped};
use crate::acquisition::CARRIER_PPM;
use crate::basis::simulate::SimulateError;
use crate::basis::simulate::sequences::{Band, SemiLaserTimes, Sequence};

/// Gaps that are negative by less than this (s) are rounding.
const ROUNDING_S: f64 = 1e-9;

/// An axis of the voxel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Axis {
    /// Of the first refocusing pulse.
    First,
    /// Of the second.
    Second,
    /// Of the excitation.
    Third,
}

/// A pulse of a program.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::basis::simulate) struct Placed {
    pub(super) waveform: Waveform,
    pub(super) carrier_hz: f64,
    pub(super) phase_rad: f64,
    /// Hz between the edges of the slice; 0 without a gradient.
    pub(super) slice_hz: f64,
}

/// One step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// An ideal pulse on all protons, and the order that stays.
    Turn { flip_rad: f64, phase_rad: f64, to: i32 },
    /// Free evolution.
    Delay { duration_s: f64 },
    /// A pulse (index into the program's), where it selects, and the order that stays.
    Pulse { index: usize, axis: Option<Axis>, to: i32 },
}

/// A sequence with shaped pulses.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::basis::simulate) struct Program {
    pub(super) pulses: Vec<Placed>,
    pub(super) steps: Vec<Step>,
    /// Which of them keep all orders.
    pub(super) open: Vec<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Role {
    Quarter,
    Refocus,
    Edit,
}

/// A pulse by its middle (s after the middle of the excitation).
struct Event {
    middle_s: f64,
    role: Role,
    axis: Option<Axis>,
    to: i32,
}

impl Program {
    /// Whether a sequence has pulses that shape matters to.
    pub(in crate::basis::simulate) fn has_places(sequence: &Sequence) -> bool {
        events_of(sequence).is_some()
    }

    /// The program of `sequence`; `None` where it has no pulses that shape matters to.
    pub(in crate::basis::simulate) fn new(
        sequence: &Sequence,
        shaped: &Shaped,
        f0_mhz: f64,
        with_editing: bool,
    ) -> Result<Option<Self>, SimulateError> {
        if let Some(blocks) = &shaped.blocks {
            return Self::of_list(sequence.name(), blocks, f0_mhz, with_editing).map(Some);
        }
        sequence.events()?;
        let Some((mut events, bands, end_s)) = events_of(sequence) else { return Ok(None) };
        if !with_editing {
            events.retain(|event| event.role != Role::Edit);
        }
        if let Some(fault) = shaped.grid.fault() {
            return Err(SimulateError::Pulse { sequence: sequence.name(), reason: fault });
        }
        let cast = Cast::new(sequence, shaped, f0_mhz, &events, &bands)?;
        let index = |role: Role| cast.index(role);
        let duration_s = |role: Role| index(role).map_or(0.0, |k| cast.pulses[k].waveform.duration_s);
        let steps = steps(&events, end_s, &index, &duration_s)
            .map_err(|(event, overlap_s)| overlap(sequence, &events[event], overlap_s, &duration_s))?;
        Ok(Some(Self { pulses: cast.pulses, steps, open: Vec::new() }))
    }
}

/// The pulses of a sequence, and which of them has which role.
struct Cast {
    pulses: Vec<Placed>,
    refocus: Option<usize>,
    quarter: Option<usize>,
    edit: Option<usize>,
}

impl Cast {
    fn new(
        sequence: &Sequence,
        shaped: &Shaped,
        f0_mhz: f64,
        events: &[Event],
        bands: &[Band],
    ) -> Result<Self, SimulateError> {
        let fail = |reason: String| SimulateError::Pulse { sequence: sequence.name(), reason };
        let hz = |ppm: f64| (ppm - CARRIER_PPM) * f0_mhz;
        let has = |role: Role| events.iter().any(|event| event.role == role);
        let played = |spec: &PulseSpec, flip_deg: f64| {
            let flip_deg = spec.flip_deg.or_else(|| spec.peak_b1_hz.is_none().then_some(flip_deg));
            Waveform::new(&PulseSpec { flip_deg, ..spec.clone() }).map_err(|e| fail(e.to_string()))
        };
        let selective = |spec: &PulseSpec, flip_deg: f64, phase_rad: f64| -> Result<Placed, SimulateError> {
            let waveform = played(spec, flip_deg)?;
            Ok(Placed { slice_hz: waveform.bandwidth_hz, waveform, carrier_hz: hz(shaped.carrier_ppm), phase_rad })
        };
        let mut cast = Self { pulses: Vec::new(), refocus: None, quarter: None, edit: None };
        if has(Role::Refocus) {
            cast.refocus = Some(cast.add(selective(&shaped.refocus, 180.0, 0.0)?));
        }
        if let Some(spec) = shaped.excite.as_ref().filter(|_| has(Role::Quarter)) {
            cast.quarter = Some(cast.add(selective(spec, 90.0, FRAC_PI_2)?));
        }
        if has(Role::Edit) {
            let none = || fail("it has editing pulses, and none is given in `edit`".to_owned());
            let waveform = played(shaped.edit.as_ref().ok_or_else(none)?, 180.0)?;
            let middle = bands.iter().map(|band| band.centre_ppm).sum::<f64>() / bands.len().max(1) as f64;
            let offsets: Vec<f64> = bands.iter().map(|band| hz(band.centre_ppm) - hz(middle)).collect();
            let waveform = waveform.at_offsets(&offsets);
            cast.edit = Some(cast.add(Placed { waveform, carrier_hz: hz(middle), phase_rad: 0.0, slice_hz: 0.0 }));
        }
        Ok(cast)
    }

    fn add(&mut self, placed: Placed) -> usize {
        self.pulses.push(placed);
        self.pulses.len() - 1
    }

    fn index(&self, role: Role) -> Option<usize> {
        match role {
            Role::Quarter => self.quarter,
            Role::Refocus => self.refocus,
            Role::Edit => self.edit,
        }
    }
}

/// The steps from the excitation to the first sample, or the event before which there is no room, and how much is lacking.
fn steps(
    events: &[Event],
    end_s: f64,
    index: &dyn Fn(Role) -> Option<usize>,
    duration_s: &dyn Fn(Role) -> f64,
) -> Result<Vec<Step>, (usize, f64)> {
    let (mut steps, mut now_s, mut flip) = (Vec::new(), f64::NEG_INFINITY, FRAC_PI_2);
    for (k, event) in events.iter().enumerate() {
        let half_s = 0.5 * duration_s(event.role);
        let gap_s = event.middle_s - half_s - now_s;
        if gap_s < -ROUNDING_S {
            return Err((k, -gap_s));
        }
        if gap_s.is_finite() && gap_s > 0.0 {
            steps.push(Step::Delay { duration_s: gap_s });
        }
        now_s = event.middle_s + half_s;
        steps.push(match index(event.role) {
            Some(index) => Step::Pulse { index, axis: event.axis, to: event.to },
            None => Step::Turn { flip_rad: flip, phase_rad: FRAC_PI_2, to: event.to },
        });
        // Ideal pulses of a stimulated echo turn back and forth.
        flip = -flip;
    }
    let gap_s = end_s - now_s;
    if gap_s < -ROUNDING_S {
        return Err((events.len().saturating_sub(1), -gap_s));
    }
    steps.push(Step::Delay { duration_s: gap_s.max(0.0) });
    Ok(steps)
}

fn overlap(sequence: &Sequence, event: &Event, overlap_s: f64, duration_s: &dyn Fn(Role) -> f64) -> SimulateError {
    let (ms, refocus_s, quarter_s) =
        (|s: f64| format!("{:.2}", 1e3 * s), duration_s(Role::Refocus), duration_s(Role::Quarter));
    let te_s = sequence.te_s();
    let range = match sequence {
        Sequence::Press { .. } if te_s >= 2.0 * refocus_s + quarter_s => {
            format!("TE1 from {} to {} ms", ms(refocus_s + quarter_s), ms(te_s - refocus_s))
        }
        Sequence::Press { .. } => format!("TE of {} ms or more", ms(2.0 * refocus_s + quarter_s)),
        _ => format!("TE longer by {} ms or more, or shorter pulses", ms(2.0 * overlap_s)),
    };
    let what = match event.role {
        Role::Quarter => "a 90° pulse",
        Role::Refocus => "a refocusing pulse",
        Role::Edit => "an editing pulse",
    };
    SimulateError::Timing {
        sequence: sequence.name(),
        reason: format!(
            "{what} of {} ms around {} ms has {} ms too little room; possible: {range}",
            ms(duration_s(event.role)),
            ms(event.middle_s),
            ms(overlap_s)
        ),
    }
}

/// The pulses of a sequence, the bands that it edits, and when the first sample is.
fn events_of(sequence: &Sequence) -> Option<(Vec<Event>, Vec<Band>, f64)> {
    use Axis::{First, Second, Third};
    let excite = |to| Event { middle_s: 0.0, role: Role::Quarter, axis: Some(Third), to };
    let refocus = |middle_s, axis, to| Event { middle_s, role: Role::Refocus, axis: Some(axis), to };
    let edit = |middle_s, to| Event { middle_s, role: Role::Edit, axis: None, to };
    Some(match *sequence {
        Sequence::PulseAcquire {} | Sequence::SpinEcho { .. } => return None,
        Sequence::Special { te_s } => (vec![excite(-1), refocus(0.5 * te_s, First, 1)], vec![], te_s),
        Sequence::Press { te_s, te1_s, .. } => {
            let pulses = vec![excite(1), refocus(0.5 * te1_s, First, -1), refocus(0.5 * (te_s + te1_s), Second, 1)];
            (pulses, vec![], te_s)
        }
        Sequence::SemiLaser { te_s } => {
            let times = [0.125, 0.375, 0.625, 0.875].map(|part| part * te_s);
            let axes = [First, First, Second, Second];
            let pairs = times.into_iter().zip(axes).zip([-1, 1, -1, 1]);
            let pulses = std::iter::once(excite(1)).chain(pairs.map(|((t, axis), to)| refocus(t, axis, to)));
            (pulses.collect(), vec![], te_s)
        }
        Sequence::Steam { te_s, tm_s } => {
            let quarter = |middle_s, axis, to| Event { middle_s, role: Role::Quarter, axis: Some(axis), to };
            let (second_s, end_s) = (0.5 * te_s, te_s + tm_s);
            (vec![excite(-1), quarter(second_s, First, 0), quarter(second_s + tm_s, Second, 1)], vec![], end_s)
        }
        Sequence::MegaPress { te_s, te1_s, band } => {
            (mega_press(te_s, te1_s, &excite, &refocus, &edit), vec![band], te_s)
        }
        Sequence::Hermes { te_s, te1_s, bands } => {
            (mega_press(te_s, te1_s, &excite, &refocus, &edit), distinct(bands), te_s)
        }
        Sequence::MegaSemiLaser { te_s, bands } => {
            let SemiLaserTimes { refocus: r, edit: e } = SemiLaserTimes::edited(te_s);
            let pulses = vec![
                excite(1),
                refocus(r[0], First, -1),
                edit(e[0], -1),
                refocus(r[1], First, 1),
                refocus(r[2], Second, -1),
                refocus(r[3], Second, 1),
                edit(e[1], 1),
            ];
            (pulses, distinct(bands), te_s)
        }
    })
}

/// Editing pulses TE/2 apart, each a little before the middle of the time around it (MRSCloud's and the vendors' timing).
fn mega_press(
    te_s: f64,
    te1_s: f64,
    excite: &dyn Fn(i32) -> Event,
    refocus: &dyn Fn(f64, Axis, i32) -> Event,
    edit: &dyn Fn(f64, i32) -> Event,
) -> Vec<Event> {
    let (quarter, part) = (0.25 * te_s, 0.25 * te1_s);
    vec![
        excite(1),
        refocus(2.0 * part, Axis::First, -1),
        edit(quarter + part, -1),
        refocus(2.0 * (quarter + part), Axis::Second, 1),
        edit(3.0 * quarter + part, 1),
    ]
}

fn distinct([first, second]: [Band; 2]) -> Vec<Band> {
    if first.centre_ppm == second.centre_ppm { vec![first] } else { vec![first, second] }
}
