//! One spectrum and what is fitted to it.

use num_complex::Complex64;

use super::baseline::Baseline;
use super::components::Component;
use super::grid::Grid;
use super::layout::Layout;
use super::lineshape::Shape;
use super::model::Model;
use super::parameter::{Parameter, Shared};
use super::settings::{Domain, Turns};

/// A soft row between amplitudes: (weight·(Σ terms·c − target))², times σ² where it is counted in σ.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SoftRow {
    pub(super) terms: Vec<(usize, f64)>,
    pub(super) target: f64,
    pub(super) weight: f64,
    pub(super) in_sigma: bool,
    /// The model's row that it is; `None` where it follows a solution and has no standard deviation.
    pub(super) row: Option<usize>,
}

/// One spectrum and what is fitted to it.
pub(super) struct Problem<'a> {
    pub(super) model: &'a Model,
    pub(super) grid: &'a Grid,
    /// What is compared, in internal units.
    pub(super) data: Vec<Complex64>,
    /// The model's components that take part.
    pub(super) members: Vec<usize>,
    pub(super) layout: Layout,
    pub(super) shape: Shape,
    /// Rows of the penalty on the lineshape kernel.
    pub(super) kernel_rows: Vec<(Vec<f64>, f64)>,
    pub(super) baseline: Baseline,
    pub(super) turns_baseline: bool,
    pub(super) pivot_ppm: f64,
}

/// How members share and what they have for themselves.
pub(super) struct Freedom {
    pub(super) shape: Shape,
    pub(super) shape_parameters: Vec<Parameter>,
    pub(super) phases: [Parameter; 2],
    pub(super) groups: Vec<Shared>,
    pub(super) with_own: bool,
}

impl<'a> Problem<'a> {
    pub(super) fn new(
        model: &'a Model,
        grid: &'a Grid,
        data: Vec<Complex64>,
        members: Vec<usize>,
        baseline: Baseline,
        freedom: Freedom,
    ) -> Self {
        let components = members.iter().map(|&k| &model.components[k]);
        let Freedom { shape, shape_parameters, phases, groups, with_own } = freedom;
        let layout = Layout::new(&shape_parameters, phases, &groups, components, with_own);
        let kernel_rows = match &shape {
            Shape::Kernel(kernel) => kernel.second_differences(),
            Shape::None | Shape::Asymmetric(_) => Vec::new(),
        };
        let phase = model.settings.phase;
        Self {
            model,
            grid,
            data,
            members,
            layout,
            shape,
            kernel_rows,
            baseline,
            turns_baseline: phase.turns == Turns::Model,
            pivot_ppm: phase.pivot_ppm,
        }
    }

    pub(super) fn n_linear(&self) -> usize {
        self.members.len() + self.baseline.n
    }

    pub(super) fn component(&self, k: usize) -> &Component {
        &self.model.components[self.members[k]]
    }

    /// FID of member `k` in internal units, as the grid carries it.
    pub(super) fn fid(&self, k: usize) -> &[Complex64] {
        self.model.fid(self.grid.domain, self.members[k])
    }

    /// Damping (1/s) and shift (rad/s) of member `k`.
    pub(super) fn rates(&self, k: usize, p: &[f64]) -> (f64, f64) {
        let at = |place: Option<usize>| place.map_or(0.0, |i| p[i]);
        let own = self.layout.own[k];
        let shared = self.layout.groups.get(self.component(k).group).copied().unwrap_or_default();
        (at(own.damping) + at(shared.damping), at(own.shift) + at(shared.shift))
    }

    /// The phase factor of each point that is compared.
    pub(super) fn phase(&self, p: &[f64], out: &mut [Complex64]) {
        let (phi0, phi1) = (p[self.layout.phi0()], p[self.layout.phi1()]);
        match self.grid.domain {
            Domain::Time => out.fill(Complex64::cis(phi0)),
            Domain::RealSpectrum | Domain::ComplexSpectrum => {
                for (o, ppm) in out.iter_mut().zip(&self.grid.ppm) {
                    *o = Complex64::cis(phi0 + phi1 * (ppm - self.pivot_ppm));
                }
            }
        }
    }

    /// exp(−g²t²) of each group that has a Gaussian rate.
    pub(super) fn gauss(&self, p: &[f64], out: &mut [Vec<f64>]) {
        for (places, gauss) in self.layout.groups.iter().zip(out) {
            if let Some(i) = places.gauss {
                for (v, t) in gauss.iter_mut().zip(&self.grid.time_s) {
                    *v = (-(p[i] * t).powi(2)).exp();
                }
            }
        }
    }

    /// Multiplies `fid` with damping, shift and Gaussian (from [`Self::gauss`]) of member `k`.
    pub(super) fn broaden(&self, k: usize, p: &[f64], gauss: &[Vec<f64>], fid: &mut [Complex64]) {
        let (damping, shift) = self.rates(k, p);
        let rate = Complex64::new(-damping, shift);
        let mut z = rate.scale(self.grid.time_s[0]).exp();
        let turn = rate.scale(self.grid.carried_dwell_s()).exp();
        for o in fid.iter_mut() {
            *o *= z;
            z *= turn;
        }
        let group = self.component(k).group;
        if self.layout.groups.get(group).is_some_and(|g| g.gauss.is_some()) {
            fid.iter_mut().zip(&gauss[group]).for_each(|(o, g)| *o *= g);
        }
    }

    /// Turns the data back by φ0 (rad) and φ1 (rad/ppm).
    pub(super) fn rephase(&mut self, phi0: f64, phi1: f64) {
        for (z, ppm) in self.data.iter_mut().zip(&self.grid.ppm) {
            *z *= Complex64::cis(-(phi0 + phi1 * (ppm - self.pivot_ppm)));
        }
    }
}
