//! The normal equations of the data, asked of a device that evaluates many spectra at once.
//!
//! A request says what one evaluation of one spectrum needs, in f32. Columns may be off by some 1e-7 of themselves, as if
//! the basis set were; that would be 1e-4 of a σ in a residual that was a difference of sums of squares. So requests name
//! the amplitudes c₀ near which the solution is expected, and answers are taken around them: Aᵀ(d − A·c₀) instead of Aᵀd.

use bytemuck::{Pod, Zeroable};

use super::grid::Grid;
use super::model::Model;
use super::problem::Problem;
use super::settings::Domain;
use num_complex::Complex64;

/// A device that evaluates.
pub trait Remote: Send {
    /// The answer; `None`: the device is gone, and will stay so.
    fn evaluate(&self, request: Request) -> Option<Answer>;
}

/// A member of a problem; the twin of `Member` in `shaders/shared/requests.wgsl`, which says what each field is.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[allow(missing_docs, reason = "documented in the shader, in one place")]
pub struct Member {
    pub fid: u32,
    pub takes_shape: u32,
    pub group: u32,
    pub damping: f32,
    pub shift_hz: f32,
    pub gauss: f32,
    pub amplitude: f32,
}

/// One transform and the columns that come of it; the twin of `Job` in `shaders/shared/requests.wgsl`.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default, PartialEq, Pod, Zeroable)]
#[allow(missing_docs, reason = "documented in the shader, in one place")]
pub struct Job {
    pub form: u32,
    pub members: u32,
    pub which: u32,
    pub shape: u32,
    pub column_a: u32,
    pub column_b: u32,
    pub scale: f32,
}

/// Forms of a job.
const AMPLITUDE: u32 = 0;
const RATES: u32 = 1;
const GAUSS: u32 = 2;
const SHAPE: u32 = 3;
const PHASES: u32 = 4;
/// Which members a job sums.
const ONE: u32 = 0;
const GROUP: u32 = 1;
const ALL: u32 = 2;
const SHAPED: u32 = 3;
/// No second column.
const NO_COLUMN: u32 = u32::MAX;

/// What an evaluation needs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Request {
    /// Components that take part.
    pub members: Vec<Member>,
    /// Transforms.
    pub jobs: Vec<Job>,
    /// Common lineshape and its derivatives, one after the other, on the samples of carried FIDs.
    pub shapes: Vec<[f32; 2]>,
    /// Phase factor of each compared bin.
    pub phase: Vec<[f32; 2]>,
    /// Data at each compared bin.
    pub data: Vec<[f32; 2]>,
    /// Functions of the baseline at each compared bin, one after the other.
    pub baseline: Vec<f32>,
    /// Coefficients of the baseline: one for each function, or one for each part of each.
    pub n_baseline: usize,
    /// Whether the baseline turns with the phases.
    pub turns_baseline: bool,
    /// Amplitudes, then the baseline's coefficients, at which the residual is taken.
    pub linear: Vec<f32>,
    /// Columns of the normal equations.
    pub n_columns: usize,
    /// Whether only the residual's products are asked for.
    pub slopes_only: bool,
}

impl Request {
    /// Numbers of an answer.
    pub fn n_products(&self) -> usize {
        let n = self.n_columns + 1;
        if self.slopes_only { n } else { n * (n + 1) / 2 }
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Products of the columns of amplitudes and baseline.
    Linear,
    /// Products of all columns.
    All,
    /// The residual's products with all columns.
    Slopes,
}

/// Inner products of the columns and, behind them, the residual: the lower triangle, row by row; its last row alone where
/// no more was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer(pub Vec<f32>);

/// What all requests of a model share.
#[derive(Debug, Clone)]
pub struct Constants {
    /// Components' FIDs as they are carried, one after the other.
    pub fids: Vec<[f32; 2]>,
    /// Time of each of their samples (s).
    pub time_s: Vec<f32>,
    /// The sample at t = 0.
    pub origin: usize,
    /// Samples of the transform.
    pub n_short: usize,
    /// First compared bin in it, and the distance of two.
    pub window_offset: usize,
    /// Bins from one compared bin to the next.
    pub stride: usize,
    /// Distance of each compared bin from the phase's pivot (ppm).
    pub from_pivot_ppm: Vec<f32>,
    /// Whether imaginary parts are compared too.
    pub is_complex: bool,
}

impl Model {
    /// What requests of this model share; `None` where samples are compared, which devices do not do.
    pub fn constants(&self) -> Option<Constants> {
        let (n_short, window_offset, stride) = self.grid.transform()?;
        let pivot = self.settings.phase.pivot_ppm;
        Some(Constants {
            fids: (0..self.components.len()).flat_map(|k| pairs(self.fid(self.grid.domain, k))).collect(),
            time_s: self.grid.time_s.iter().map(|t| *t as f32).collect(),
            origin: self.grid.origin(),
            n_short,
            window_offset,
            stride,
            from_pivot_ppm: self.grid.ppm.iter().map(|ppm| (ppm - pivot) as f32).collect(),
            is_complex: self.grid.domain == Domain::ComplexSpectrum,
        })
    }
}

fn pairs(values: &[Complex64]) -> impl Iterator<Item = [f32; 2]> + '_ {
    values.iter().map(|z| [z.re as f32, z.im as f32])
}

/// Scratch for requests of one problem.
pub(super) struct Asking {
    shape: Vec<Complex64>,
    phase: Vec<Complex64>,
}

impl Asking {
    pub(super) fn new(grid: &Grid) -> Self {
        let zero = Complex64::default();
        Self { shape: vec![zero; grid.n_carried()], phase: vec![zero; grid.n_observed] }
    }

    /// The request for what is `wanted` at the nonlinear parameters `p`; `c` are the linear parameters at which the
    /// residual is taken.
    pub(super) fn request(&mut self, problem: &Problem<'_>, p: &[f64], c: &[f64], wanted: Wanted) -> Request {
        let all = wanted != Wanted::Linear;
        let layout = &problem.layout;
        let theta = &p[..layout.n_shape];
        problem.shape.factor(theta, &mut self.shape);
        let mut shapes: Vec<_> = pairs(&self.shape).collect();
        if all {
            for j in 0..layout.n_shape {
                problem.shape.derivative(theta, j, &mut self.shape);
                shapes.extend(pairs(&self.shape));
            }
        }
        problem.phase(p, &mut self.phase);
        let (n, k) = (problem.n_linear(), layout.len());
        Request {
            members: members(problem, p, c),
            jobs: jobs(problem, p, all),
            shapes,
            phase: pairs(&self.phase).collect(),
            data: pairs(&problem.data).collect(),
            baseline: problem.baseline.values().map(|v| v as f32).collect(),
            n_baseline: problem.baseline.n,
            turns_baseline: problem.turns_baseline,
            linear: c.iter().map(|v| *v as f32).collect(),
            n_columns: if all { n + k } else { n },
            slopes_only: wanted == Wanted::Slopes,
        }
    }
}

fn members(problem: &Problem<'_>, p: &[f64], c: &[f64]) -> Vec<Member> {
    let layout = &problem.layout;
    let of = |k: usize| {
        let component = problem.component(k);
        let (damping, shift) = problem.rates(k, p);
        let gauss = layout.groups.get(component.group).and_then(|g| g.gauss).map_or(0.0, |i| p[i]);
        Member {
            fid: problem.members[k] as u32,
            takes_shape: u32::from(component.takes_lineshape && layout.n_shape > 0),
            group: component.group as u32,
            damping: damping as f32,
            shift_hz: (shift / std::f64::consts::TAU) as f32,
            gauss: gauss as f32,
            amplitude: c[k] as f32,
        }
    };
    (0..problem.members.len()).map(of).collect()
}

fn jobs(problem: &Problem<'_>, p: &[f64], all: bool) -> Vec<Job> {
    let (layout, n) = (&problem.layout, problem.n_linear());
    let plain = Job { column_b: NO_COLUMN, scale: 1.0, ..Job::default() };
    let column = |place: Option<usize>| place.map_or(NO_COLUMN, |i| (n + i) as u32);
    let n_members = problem.members.len() as u32;
    let amplitude = |k| Job { form: AMPLITUDE, members: ONE, which: k, column_a: k, ..plain };
    let mut jobs: Vec<Job> = (0..n_members).map(amplitude).collect();
    if !all {
        return jobs;
    }
    jobs.extend((0..layout.n_shape).map(|j| Job {
        form: SHAPE,
        members: SHAPED,
        shape: j as u32 + 1,
        column_a: (n + j) as u32,
        ..plain
    }));
    let [phi0, phi1] = [layout.phi0(), layout.phi1()].map(|i| column(Some(i)));
    jobs.push(Job { form: PHASES, members: ALL, column_a: phi0, column_b: phi1, ..plain });
    let groups = layout.groups.iter().zip(0..).map(|(places, g)| (GROUP, g, places));
    let own = layout.own.iter().zip(0..).map(|(places, k)| (ONE, k, places));
    for (members, which, places) in groups.chain(own) {
        let (a, b) = (column(places.damping), column(places.shift));
        if (a, b) != (NO_COLUMN, NO_COLUMN) {
            jobs.push(Job { form: RATES, members, which, column_a: a, column_b: b, ..plain });
        }
        if let Some(i) = places.gauss {
            let scale = 2.0 * p[i] as f32;
            jobs.push(Job { form: GAUSS, members, which, column_a: column(places.gauss), scale, ..plain });
        }
    }
    jobs
}
