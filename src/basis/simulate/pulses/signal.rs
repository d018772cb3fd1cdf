//! The lines of coupled protons after a program, averaged over the voxel.

use num_complex::Complex64;
use rayon::prelude::*;

use super::coherence::Coherence;
use super::program::{Axis, Placed, Program, Step};
use super::propagator::{Played, Propagator};
use super::{Grid, Shaped};
use crate::acquisition::CARRIER_PPM;
use crate::basis::simulate::hamiltonian::{Hamiltonian, NoConvergence, RawLine};
use crate::basis::simulate::operators::{Density, Space};

/// Fewest intervals of a pulse.
const FEWEST_INTERVALS: usize = 4;
/// Field of which a grid's interval is told (MHz).
const USUAL_MHZ: f64 = 123.2;

/// What turns the mean over the grid into protons: a proton at the carrier gives what ideal pulses give.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::basis::simulate) struct Scale(Complex64);

impl Scale {
    /// The scale of a program without its editing pulses; `ideal` is what ideal pulses leave of a proton.
    pub(in crate::basis::simulate) fn new(
        program: &Program,
        shaped: &Shaped,
        f0_mhz: f64,
        ideal: Complex64,
    ) -> Result<Self, NoConvergence> {
        let offset_hz = (shaped.carrier_ppm - CARRIER_PPM) * f0_mhz;
        let unscaled = Self(Complex64::ONE);
        let lines = shaped_lines(&[offset_hz], &[], program, (shaped.grid, f0_mhz), unscaled)?;
        let whole: Complex64 = lines.iter().map(|line| Complex64::new(line.re, line.im)).sum();
        // Pulses that leave nothing of a singlet make no basis set; the caller sees numbers that are not finite.
        if whole.norm() < 1e-6 { Err(NoConvergence) } else { Ok(Self(ideal / whole)) }
    }
}

/// The lines of protons at `offsets_hz` with `couplings` after `program`.
pub(in crate::basis::simulate) fn shaped_lines(
    offsets_hz: &[f64],
    couplings: &[(usize, usize, f64)],
    program: &Program,
    (grid, f0_mhz): (Grid, f64),
    scale: Scale,
) -> Result<Vec<RawLine>, NoConvergence> {
    let space = Space::new(offsets_hz.len());
    let free = Hamiltonian::new(&space, offsets_hz, couplings)?;
    let coupled = Hamiltonian::new(&space, &vec![0.0; offsets_hz.len()], couplings)?;
    let interval_s = grid.interval_s * (USUAL_MHZ / f0_mhz).min(1.0);
    let propagators: Vec<Vec<Propagator>> = program
        .pulses
        .iter()
        .map(|placed| {
            let duration_s = placed.waveform.duration_s;
            let intervals = ((duration_s / interval_s).ceil() as usize).max(FEWEST_INTERVALS);
            let played = Played {
                waveform: &placed.waveform,
                phase_rad: placed.phase_rad,
                carrier_hz: placed.carrier_hz,
                intervals,
            };
            let each_s = duration_s / intervals as f64;
            let (half, whole) = (coupled.propagation(0.5 * each_s), coupled.propagation(each_s));
            let at = |slice_hz: f64| Propagator::new(&space, &played, offsets_hz, slice_hz, (&half, &whole));
            offsets_of(placed, grid).into_par_iter().map(at).collect()
        })
        .collect();
    let mut signal = Vec::new();
    for steps in program.pathways(offsets_hz.len()) {
        if let Some(part) = after(&steps, &space, &free, &propagators, grid) {
            signal.extend(free.lines(&space, &part.density(&space)));
        }
    }
    Ok(signal
        .into_iter()
        .map(|line| {
            let z = Complex64::new(line.re, line.im) * scale.0;
            RawLine { re: z.re, im: z.im, ..line }
        })
        .collect())
}

/// The mean over the grid after one pathway.
fn after(
    steps: &[Step],
    space: &Space,
    free: &Hamiltonian,
    propagators: &[Vec<Propagator>],
    grid: Grid,
) -> Option<Coherence> {
    let mut state = State { open: Vec::new(), parts: Vec::new(), points: grid.points };
    let equilibrium = Density::equilibrium(space);
    for (k, step) in steps.iter().enumerate() {
        match *step {
            Step::Turn { flip_rad, phase_rad, to } => state.turn(space, &equilibrium, (flip_rad, phase_rad), to),
            Step::Delay { duration_s } => {
                let delay = free.propagation(duration_s);
                state.parts.par_iter_mut().for_each(|part| part.evolve(&delay));
            }
            Step::Pulse { index, axis, to } => {
                if state.parts.is_empty() {
                    state.parts.push(Coherence::of(space, &equilibrium, 0));
                }
                let comes_again =
                    steps[k + 1..].iter().any(|s| matches!(s, Step::Pulse { axis: later, .. } if *later == axis));
                state.pulse(space, &propagators[index], (axis, axis.is_some() && comes_again), to);
            }
        }
    }
    state.parts.into_iter().next()
}

/// What the gradient adds at each position (Hz).
fn offsets_of(placed: &Placed, grid: Grid) -> Vec<f64> {
    if placed.slice_hz == 0.0 { vec![0.0] } else { grid.positions().map(|x| x * placed.slice_hz).collect() }
}

/// The density matrix, at every position along the axes that a later pulse selects again.
struct State {
    open: Vec<Axis>,
    /// The last open axis runs fastest.
    parts: Vec<Coherence>,
    points: usize,
}

impl State {
    fn turn(&mut self, space: &Space, equilibrium: &Density, (flip_rad, phase_rad): (f64, f64), to: i32) {
        let turned = |mut density: Density| {
            density.rotate(space, (1 << space.n_spins()) - 1, flip_rad, phase_rad);
            Coherence::of(space, &density, to)
        };
        self.parts = match self.parts.is_empty() {
            true => vec![turned(equilibrium.clone())],
            false => self.parts.iter().map(|part| turned(part.density(space))).collect(),
        };
    }

    /// Plays a pulse at every position; afterwards its axis is averaged unless it comes again.
    fn pulse(&mut self, space: &Space, at: &[Propagator], (axis, stays): (Option<Axis>, bool), to: i32) {
        let known = axis.and_then(|axis| self.open.iter().position(|open| *open == axis));
        match (axis, known) {
            (_, Some(place)) => {
                let stride = self.points.pow((self.open.len() - 1 - place) as u32);
                let pulsed = |(k, part): (usize, &Coherence)| {
                    at.get(k / stride % self.points).map(|u| part.pulsed(space, u, to))
                };
                self.parts = self.parts.par_iter().enumerate().filter_map(pulsed).collect();
                if !stays {
                    self.average(place, stride);
                }
            }
            (Some(axis), None) => {
                let all = self.parts.par_iter().map(|part| {
                    let each: Vec<Coherence> = at.par_iter().map(|u| part.pulsed(space, u, to)).collect();
                    if stays { each } else { Coherence::mean(&each).into_iter().collect() }
                });
                self.parts = all.flatten_iter().collect();
                if stays {
                    self.open.push(axis);
                }
            }
            (None, None) => {
                self.parts =
                    self.parts.par_iter().filter_map(|part| at.first().map(|u| part.pulsed(space, u, to))).collect();
            }
        }
    }

    fn average(&mut self, place: usize, stride: usize) {
        let block = stride * self.points;
        let outer = self.parts.len() / block;
        let mean = |k: usize| {
            let (o, i) = (k / stride, k % stride);
            let along: Vec<Coherence> =
                (0..self.points).map(|x| self.parts[o * block + x * stride + i].clone()).collect();
            Coherence::mean(&along)
        };
        self.parts = (0..outer * stride).filter_map(mean).collect();
        self.open.remove(place);
    }
}
