//! One fit of a search, and the solutions that are kept.

use super::super::bounded::Singular;
use super::super::kernel_shape::{n_extrema, n_inflections};
use super::super::lineshape::Shape;
use super::super::settings::Search as SearchSettings;
use super::super::solver::{Options, Point, evaluate, minimise, refine};
use super::{ITERATIONS, LOW_PENALTY, Search, Solution};

impl Search<'_, '_> {
    pub(super) fn fit(&mut self, from_neighbour: bool) -> Result<Point, Singular> {
        let most = ITERATIONS[usize::from(from_neighbour)].min(self.max_iterations);
        let options = Options {
            max_iterations: if self.is_searched() { most } else { self.max_iterations },
            tolerance: self.tolerance,
            try_undamped: from_neighbour,
            follow_sigma: self.follow_sigma,
        };
        if self.weights.sigma == 0.0 && self.follow_sigma {
            // A first σ, without priors.
            evaluate(self.problem, self.objective, &mut self.weights, &self.p, &[], true)?;
        }
        let point = minimise(self.problem, self.objective, &mut self.weights, &self.p, options)?;
        self.n_fits += 1;
        self.n_iterations += point.n_iterations;
        self.p.clone_from(&point.p);
        Ok(point)
    }

    /// The minimum near `point`, found natively.
    pub(super) fn refined(&mut self, point: Point) -> Point {
        let remote = self.objective.replace_remote(None);
        let (point, n_iterations) = refine(self.problem, self.objective, &mut self.weights, point, self.follow_sigma);
        self.objective.replace_remote(remote);
        self.n_iterations += n_iterations;
        self.p.clone_from(&point.p);
        point
    }

    pub(super) fn is_searched(&self) -> bool {
        matches!(self.problem.model.settings.search, SearchSettings::FTest { .. })
    }

    pub(super) fn is_kernel(&self) -> bool {
        matches!(self.problem.shape, Shape::Kernel(_))
    }

    /// Extrema and inflections of the lineshape.
    pub(super) fn shape_of(&self, p: &[f64]) -> (usize, usize) {
        match &self.problem.shape {
            Shape::Kernel(kernel) => {
                let theta = &p[..self.problem.layout.n_shape];
                let points = [kernel.step as f64 * self.problem.grid.bin_ppm(), kernel.smoothing_ppm];
                (n_extrema(theta, points), n_inflections(theta, points))
            }
            Shape::None | Shape::Asymmetric(_) => (1, 2),
        }
    }

    pub(super) fn alpha(&self) -> [f64; 2] {
        [self.weights.alpha_baseline, self.weights.alpha_shape]
    }

    pub(super) fn set_alpha(&mut self, [baseline, shape]: [f64; 2]) {
        self.weights.alpha_baseline = baseline;
        self.weights.alpha_shape = shape;
    }

    pub(super) fn best_alpha(&self) -> [f64; 2] {
        self.best.as_ref().map_or([0.0; 2], |s| s.alpha)
    }

    pub(super) fn near_alpha(&self) -> [f64; 2] {
        self.near.as_ref().map_or([0.0; 2], |s| s.alpha)
    }

    pub(super) fn keep_near(&mut self, point: &Point) {
        let low = self.weights.alpha_baseline < self.limits.penalised_below;
        let penalty = point.linear.objective - point.linear.sum_of_squares
            + if low { LOW_PENALTY * self.weights.sigma.powi(2) } else { 0.0 };
        self.near = Some(Solution {
            point: point.clone(),
            alpha: self.alpha(),
            penalty,
            data: self.problem.data.clone(),
            turned: self.turned,
        });
    }

    /// The best of the last search becomes the best of all, and the next fit starts there.
    pub(super) fn keep_best(&mut self) {
        self.best.clone_from(&self.near);
        if let Some(best) = &self.best {
            self.p.clone_from(&best.point.p);
        }
    }

    /// Largest phase of the best solution at the window's ends.
    pub(super) fn phase_is_beyond(&self, limit_rad: f64) -> bool {
        let Some(best) = &self.best else { return false };
        let ppm = &self.problem.grid.ppm;
        let (phi0, phi1) = (best.point.p[self.problem.layout.phi0()], best.point.p[self.problem.layout.phi1()]);
        [ppm[0], ppm[ppm.len() - 1]].iter().any(|d| (phi0 + phi1 * (d - self.problem.pivot_ppm)).abs() > limit_rad)
    }

    /// Turns the data by `part` of the best solution's phases, at which the next fit starts.
    pub(super) fn rephase(&mut self, part: f64) {
        let Some(best) = &mut self.best else { return };
        let [i0, i1] = [self.problem.layout.phi0(), self.problem.layout.phi1()];
        let (phi0, phi1) = (part * best.point.p[i0], part * best.point.p[i1]);
        self.problem.rephase(phi0, phi1);
        self.turned = [self.turned[0] + phi0, self.turned[1] + phi1];
        best.point.p[i0] -= phi0;
        best.point.p[i1] -= phi1;
        best.data.clone_from(&self.problem.data);
        best.turned = self.turned;
        self.problem.layout.parameters[i1].mean -= phi1;
        self.p.clone_from(&best.point.p);
        (self.p[i0], self.p[i1]) = (0.0, 0.0);
        self.objective.refresh(self.problem);
    }
}
