//! The signal of a spin system after a sequence: its lines, and their sum on any time grid.

use std::f64::consts::{PI, TAU};

use num_complex::Complex64;

use super::SimulateError;
use super::hamiltonian::{Hamiltonian, RawLine};
use super::operators::{Density, Space};
use super::pulses::{MAX_SHAPED_SPINS, Program, Scale, Shaped, shaped_lines};
use super::sequences::{Event, Pulse};
use super::spin_systems::{Group, Metabolite};
use crate::acquisition::CARRIER_PPM;
use crate::signal::progression;

/// Coupled protons beyond which a group is refused: 2¹⁰ states take seconds, every further one eight
/// times as long.
pub const MAX_COUPLED_SPINS: usize = 10;

/// Lines weaker than this fraction of a proton are rounding: thousands of them together stay below 1e-8.
const WEAKEST_LINE: f64 = 1e-12;

/// Lines closer than this (Hz) are one: over a second of signal their phases differ by 6e-7.
const SAME_FREQUENCY_HZ: f64 = 1e-7;

/// One line of the spectrum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Frequency in the sign convention of [`crate::acquisition`] (Hz).
    pub frequency_hz: f64,
    /// Complex amplitude at the first sample, in protons.
    pub amplitude: Complex64,
}

/// The lines of one metabolite, by frequency.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Transitions {
    /// The lines.
    pub lines: Vec<Line>,
}

impl Transitions {
    /// Signal at the first sample, in protons.
    pub fn total(&self) -> Complex64 {
        self.lines.iter().map(|line| line.amplitude).sum()
    }

    /// The free induction decay at `n_points` samples `dwell_s` apart, every line with the Lorentzian
    /// width `linewidth_hz` (FWHM). The first sample has the full value of the signal at its time.
    pub fn fid(&self, dwell_s: f64, n_points: usize, linewidth_hz: f64) -> Vec<Complex64> {
        let mut fid = vec![Complex64::ZERO; n_points];
        for line in &self.lines {
            let turn = Complex64::new(-PI * linewidth_hz, TAU * line.frequency_hz) * dwell_s;
            progression::add(line.amplitude, turn.exp(), &mut fid);
        }
        fid
    }

    /// Sorts lines by frequency, adds up those that coincide and drops those that are rounding.
    fn from_raw(mut raw: Vec<RawLine>) -> Self {
        raw.sort_by(|a, b| a.frequency_hz.total_cmp(&b.frequency_hz));
        let mut lines: Vec<Line> = Vec::with_capacity(raw.len());
        for line in raw {
            let amplitude = Complex64::new(line.re, line.im);
            match lines.last_mut() {
                Some(last) if line.frequency_hz - last.frequency_hz < SAME_FREQUENCY_HZ => last.amplitude += amplitude,
                _ => lines.push(Line { frequency_hz: line.frequency_hz, amplitude }),
            }
        }
        lines.retain(|line| line.amplitude.norm() > WEAKEST_LINE);
        Self { lines }
    }
}

/// The lines of `metabolite` after a program of shaped pulses.
pub(super) fn shaped_transitions(
    metabolite: &Metabolite,
    program: &Program,
    (shaped, scale): (&Shaped, Scale),
    f0_mhz: f64,
) -> Result<Transitions, SimulateError> {
    let mut raw = Vec::new();
    for group in &metabolite.groups {
        for members in group.coupled_sets() {
            check_spins(metabolite, &members, MAX_SHAPED_SPINS)?;
            let (couplings, states) = frame(group, &members, f0_mhz);
            let weight = group.weight / states.len() as f64;
            for offsets_hz in states {
                let lines = shaped_lines(&offsets_hz, &couplings, program, (shaped.grid, f0_mhz), scale)
                    .map_err(|_| SimulateError::Numbers { metabolite: metabolite.name.clone() })?;
                let weighed = |line: RawLine| RawLine { re: weight * line.re, im: weight * line.im, ..line };
                raw.extend(lines.into_iter().map(weighed));
            }
        }
    }
    Ok(Transitions::from_raw(raw))
}

fn check_spins(metabolite: &Metabolite, members: &[usize], most: usize) -> Result<(), SimulateError> {
    if members.len() > most {
        return Err(SimulateError::TooManySpins { metabolite: metabolite.name.clone(), spins: members.len(), most });
    }
    Ok(())
}

/// Two protons and their coupling (Hz).
type Couplings = Vec<(usize, usize, f64)>;

/// Couplings of the protons `members` of `group` among one another, and their offsets (Hz) for every state of the other
/// nuclei. Pulses at the proton frequency leave those alone, so each of their states only moves the protons'
/// frequencies: one run a state, and echoes refocus the coupling by themselves.
fn frame(group: &Group, members: &[usize], f0_mhz: f64) -> (Couplings, Vec<Vec<f64>>) {
    let place = |q: usize| members.iter().position(|&m| m == q);
    let couplings = group.couplings.iter().filter_map(|c| Some((place(c.first)?, place(c.second)?, c.j_hz))).collect();
    let offsets = |shifts_hz: Vec<f64>| {
        members.iter().zip(&shifts_hz).map(|(&q, hz)| (group.ppm[q] - CARRIER_PPM) * f0_mhz + hz).collect()
    };
    (couplings, group.other_nuclei_states(members).into_iter().map(offsets).collect())
}

/// The lines of `metabolite` after `events` at the spectrometer frequency `f0_mhz`, from equilibrium on.
///
/// # Errors
/// [`SimulateError::TooManySpins`], and [`SimulateError::Numbers`] if a shift, coupling or `f0_mhz` is
/// not finite.
pub fn transitions(metabolite: &Metabolite, events: &[Event], f0_mhz: f64) -> Result<Transitions, SimulateError> {
    let mut raw = Vec::new();
    for group in &metabolite.groups {
        for members in group.coupled_sets() {
            check_spins(metabolite, &members, MAX_COUPLED_SPINS)?;
            let lines = simulate_set(group, &members, events, f0_mhz)
                .map_err(|_| SimulateError::Numbers { metabolite: metabolite.name.clone() })?;
            raw.extend(lines);
        }
    }
    Ok(Transitions::from_raw(raw))
}

/// The lines of the coupled protons `members` of `group`.
fn simulate_set(
    group: &Group,
    members: &[usize],
    events: &[Event],
    f0_mhz: f64,
) -> Result<Vec<RawLine>, super::hamiltonian::NoConvergence> {
    let space = Space::new(members.len());
    let ppm: Vec<f64> = members.iter().map(|&q| group.ppm[q]).collect();
    let (couplings, states) = frame(group, members, f0_mhz);
    let weight = group.weight / states.len() as f64;
    let mut lines = Vec::new();
    for offsets_hz in states {
        let hamiltonian = Hamiltonian::new(&space, &offsets_hz, &couplings)?;
        let mut rho = Density::equilibrium(&space);
        for event in events {
            match *event {
                Event::Pulse(Pulse::Ideal { flip_rad, phase_rad, band }) => {
                    let turned = |q: &usize| band.is_none_or(|band| band.holds(ppm[*q]));
                    let targets = (0..ppm.len()).filter(turned).fold(0, |bits, q| bits | 1 << q);
                    rho.rotate(&space, targets, flip_rad, phase_rad);
                }
                Event::Delay { duration_s } => hamiltonian.evolve(&space, &mut rho, duration_s),
                Event::Coherence { order } => rho.keep_order(&space, order),
            }
        }
        lines.extend(hamiltonian.lines(&space, &rho).into_iter().map(|line| RawLine {
            re: weight * line.re,
            im: weight * line.im,
            ..line
        }));
    }
    Ok(lines)
}
