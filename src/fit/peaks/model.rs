//! The difference and its companion, fitted and told.

use num_complex::Complex64;

use super::errors::{Errors, product};
use super::settings::{Settings, Shape};
use super::solver::{Solution, minimise};
use super::target::Target;
use crate::basis::names::Kind;
use crate::fit::family::{Fitter, Limits};
use crate::fit::linalg::NotPositiveDefinite;
use crate::fit::model_error::ModelError;
use crate::fit::result::{Amplitude, Curves, FitResult, FitState};
use crate::fit::solution::{PeaksSolution, Solution as Ended};
use crate::fit::start::ShiftPhase;
use crate::signal::noise::{Noise, WhyUnknown};

/// What amplitudes are counted in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Conditions that the difference adds up: 2 for ON − OFF.
    pub conditions: u32,
    /// Signal at t = 0 of one proton at amplitude 1: a basis set's, so that amplitudes are in its units; 1: amplitudes are
    /// signals of one proton in the data's units.
    pub signal_per_proton: f64,
}

impl Default for Scale {
    fn default() -> Self {
        Self { conditions: 2, signal_per_proton: 1.0 }
    }
}

/// What difference spectra of one grid and method share.
pub struct Model {
    settings: Settings,
    scale: Scale,
    difference: Target,
    companion: Option<(String, Target)>,
}

/// Peaks this many times their standard deviation say where a spectrum is and how it is turned: to 6°.
const CLEAR: f64 = 10.0;

/// A spectrum through a target.
struct Found {
    pose: ShiftPhase,
    noise: f64,
    /// Why the noise is not known, but taken from the residual.
    noise_unknown: Option<WhyUnknown>,
    solution: Solution,
    errors: Errors,
}

impl Found {
    /// Standard deviation of the residual over that of the noise.
    fn excess(&self) -> f64 {
        (self.solution.rss / (self.noise * self.noise * self.errors.expected_rss)).sqrt()
    }

    /// Where the spectrum is and how it is turned by its largest peak, if that stands clear of the noise.
    ///
    /// What editing leaves around NAA (GABA, Glu, NAAG) turns a difference by some degrees, creatine beside it does not.
    fn clear_pose(&self, target: &Target) -> Option<ShiftPhase> {
        let Solution { p, c, converged, .. } = &self.solution;
        let (k, peak) = target.peaks.iter().enumerate().max_by(|(i, _), (j, _)| c[*i].total_cmp(&c[*j]))?;
        let h = self.errors.sensitivities.get(peak.component)?;
        let is_clear = *converged && c[k] > CLEAR * self.noise * product(h, h).sqrt();
        is_clear.then(|| ShiftPhase {
            shift_hz: self.pose.shift_hz + (peak.peak.ppm - p[2 * k]) * target.window.f0_mhz,
            phi0_rad: self.pose.phi0_rad + p.last().copied().unwrap_or_default(),
        })
    }
}

impl Model {
    /// Model for FIDs of `n_points` samples `dwell_s` apart at `f0_mhz`.
    ///
    /// # Errors
    /// [`ModelError`] where a window and the data do not meet.
    pub fn new(
        settings: &Settings,
        n_points: usize,
        dwell_s: f64,
        f0_mhz: f64,
        scale: Scale,
    ) -> Result<Self, ModelError> {
        let target = |t| Target::new(t, settings.line_broadening_hz, n_points, dwell_s, f0_mhz);
        let companion = match &settings.creatine {
            Some(creatine) => creatine.spectrum.clone().zip(Some(target(creatine)?)),
            None => None,
        };
        Ok(Self { difference: target(&settings.difference)?, companion, scale, settings: settings.clone() })
    }

    /// Fits `fid` by `target`, placed and turned by `pose` or else by its own reference lines, or says how it ended.
    fn find(&self, target: &Target, fid: &[Complex64], pose: Option<ShiftPhase>) -> Result<Found, FitState> {
        if fid.len() != target.window.n_points || fid.iter().any(|z| !z.re.is_finite() || !z.im.is_finite()) {
            return Err(FitState::NoSignal);
        }
        if fid.iter().all(|z| z.norm_sqr() == 0.0) {
            return Err(FitState::NoSignal);
        }
        let pose = pose.unwrap_or_else(|| target.pose(fid));
        let y = target.window.of(fid, pose);
        let solver = &self.settings.solver;
        let fitted = minimise(target, &y, solver.max_iterations, solver.tolerance)
            .and_then(|solution| Ok((Errors::new(target, &y, pose, &solution)?, solution)));
        let (errors, solution) = fitted.map_err(|NotPositiveDefinite| FitState::Singular)?;
        let (noise, noise_unknown) = match Noise::of(fid) {
            Noise::Measured(sd) => (sd, None),
            Noise::Unknown(why) => {
                ((solution.rss / errors.expected_rss).sqrt().max(f64::MIN_POSITIVE.sqrt()), Some(why))
            }
        };
        Ok(Found { pose, noise, noise_unknown, solution, errors })
    }

    /// What is told of the difference.
    fn result(&self, found: &Found) -> FitResult {
        let target = &self.difference;
        let Found { pose, noise, solution, .. } = found;
        let excess = found.excess();
        let point_sd = noise * target.window.point_variance().sqrt();
        let weight: f64 = target.weights.iter().sum();
        let residual_sd = (solution.rss / weight).sqrt();
        let height = self.height(solution);
        let mut result = FitResult {
            state: if solution.converged { FitState::Converged } else { FitState::MaxIterations },
            n_iterations: solution.n_iterations,
            objective: solution.rss / (point_sd * point_sd),
            noise_sd: point_sd,
            residual_over_noise: excess,
            chi2_reduced: excess * excess,
            degrees_of_freedom: found.errors.expected_rss / target.window.point_variance(),
            baseline_ed: target.n_background() as f64,
            phi0_deg: pose.phi0_rad.to_degrees(),
            phi1_deg_per_ppm: 0.0,
            shift_hz: pose.shift_hz,
            snr: height / (2.0 * point_sd),
            snr_residual: height / (2.0 * residual_sd),
            amplitudes: amplitudes(target, found, &self.units(target, self.scale.conditions)),
            covariance: covariance(&self.scaled(target, found, self.scale.conditions, *noise)),
            posterior_covariance: covariance(&self.scaled(target, found, self.scale.conditions, excess * noise)),
            solution: Ended::Peaks(PeaksSolution {
                shift_phase: *pose,
                nonlinear: solution.p.clone(),
                linear: solution.c.clone(),
            }),
            ..FitResult::without_fit(FitState::Converged)
        };
        if let Some(why) = found.noise_unknown {
            result.forget_noise(why);
        }
        result
    }

    /// Tallest point of the components.
    fn height(&self, solution: &Solution) -> f64 {
        let target = &self.difference;
        let mut sum = vec![0.0; target.n_rows()];
        for curve in component_curves(target, solution) {
            sum.iter_mut().zip(curve).for_each(|(s, v)| *s += v);
        }
        sum.into_iter().fold(0.0, f64::max)
    }

    /// Amplitude of each component of `target` for peaks of area 1, in a spectrum that adds `conditions` up.
    ///
    /// Gannet's institutional units (CalcIU), but for water and relaxation, which the tables' water scaling brings in:
    /// (area of half of ON − OFF)·share/(protons·efficiency).
    fn units(&self, target: &Target, conditions: u32) -> Vec<f64> {
        let signal = f64::from(conditions) * self.scale.signal_per_proton;
        let unit =
            |(_, c): &(String, super::settings::Component)| c.share / (c.protons * c.editing_efficiency * signal);
        target.components.iter().map(unit).collect()
    }

    /// The estimates' sensitivities to samples, times `sd` of the samples and the amplitudes' units.
    fn scaled(&self, target: &Target, found: &Found, conditions: u32, sd: f64) -> Vec<Vec<Complex64>> {
        let units = self.units(target, conditions);
        let all = found.errors.sensitivities.iter().zip(units);
        all.map(|(h, unit)| h.iter().map(|z| z * (unit * sd)).collect()).collect()
    }

    /// The difference as its fit found it.
    fn again(&self, fit: &FitResult) -> Option<(ShiftPhase, Solution)> {
        let Ended::Peaks(PeaksSolution { shift_phase, nonlinear, linear }) = &fit.solution else { return None };
        if nonlinear.len() != self.difference.bounds().len() {
            return None;
        }
        let (p, c) = (nonlinear.clone(), linear.clone());
        Some((*shift_phase, Solution { p, c, rss: f64::NAN, n_iterations: 0, converged: true }))
    }
}

/// Signal at t = 0 of each component: the areas of its peaks.
fn areas(target: &Target, solution: &Solution) -> Vec<f64> {
    let mut areas = vec![0.0; target.components.len()];
    for (peak, c) in target.peaks.iter().zip(&solution.c) {
        areas[peak.component] += c;
    }
    areas
}

fn amplitudes(target: &Target, found: &Found, units: &[f64]) -> Vec<Amplitude> {
    let areas = areas(target, &found.solution);
    let of = |(i, (name, component)): (usize, &(String, super::settings::Component))| {
        let value = areas[i] * units[i];
        let h = &found.errors.sensitivities[i];
        let sd_noise = product(h, h).sqrt() * found.noise * units[i];
        let own: Vec<usize> = (0..target.peaks.len()).filter(|&k| target.peaks[k].component == i).collect();
        let mean = |of: &dyn Fn(usize) -> f64| own.iter().map(|&k| of(k)).sum::<f64>() / own.len() as f64;
        let p = &found.solution.p;
        let f0_mhz = target.window.f0_mhz;
        let width_hz = mean(&|k| p[2 * k + 1]) * f0_mhz - target.window.line_broadening_hz;
        Amplitude {
            name: name.clone(),
            kind: Kind::Metabolite,
            is_sum: false,
            members: Vec::new(),
            value,
            // Areas have no bound.
            free: value,
            sd_noise,
            sd_posterior: sd_noise * found.excess(),
            at_bound: false,
            shift_hz: Some(mean(&|k| target.peaks[k].peak.ppm - p[2 * k]) * f0_mhz),
            lorentz_hz: (component.shape == Shape::Lorentzian).then_some(width_hz),
            sampled: None,
            sd_lcmodel: None,
            prior_pull_sd: None,
            width_prior_pull_sd: None,
        }
    };
    target.components.iter().enumerate().map(of).collect()
}

/// Covariance of estimates with these sensitivities, lower triangle row by row.
fn covariance(scaled: &[Vec<Complex64>]) -> Vec<f64> {
    (0..scaled.len()).flat_map(|i| (0..=i).map(move |j| product(&scaled[i], &scaled[j]))).collect()
}

/// Each component over the window.
fn component_curves(target: &Target, solution: &Solution) -> Vec<Vec<f64>> {
    let rows = target.n_rows();
    let columns = target.columns(&solution.p).linear;
    let mut curves = vec![vec![0.0; rows]; target.components.len()];
    for ((peak, column), c) in target.peaks.iter().zip(columns.chunks_exact(rows)).zip(&solution.c) {
        curves[peak.component].iter_mut().zip(column).for_each(|(v, column)| *v += c * column);
    }
    curves
}

impl Model {
    /// Something that fits one FID after the other with the same scratch.
    pub fn fitter(&self) -> Fitter<'_> {
        Box::new(|fid| {
            self.find(&self.difference, fid, None).map_or_else(FitResult::without_fit, |found| self.result(&found))
        })
    }

    /// The curves of a fit of `fid`.
    pub fn curves(&self, fid: &[Complex64], fit: &FitResult) -> Curves {
        let target = &self.difference;
        let Some((pose, solution)) = self.again(fit).filter(|_| fid.len() == target.window.n_points) else {
            return Curves::default();
        };
        let rows = target.n_rows();
        let components = component_curves(target, &solution);
        let mut baseline = vec![0.0; rows];
        let n_peaks = target.peaks.len();
        let columns = target.columns(&solution.p).linear;
        for (column, c) in columns[n_peaks * rows..].chunks_exact(rows).zip(&solution.c[n_peaks..]) {
            baseline.iter_mut().zip(column).for_each(|(b, v)| *b += c * v);
        }
        let fit = (0..rows).map(|i| baseline[i] + components.iter().map(|c| c[i]).sum::<f64>()).collect();
        Curves {
            shift_hz: pose.shift_hz,
            phi0_deg: pose.phi0_rad.to_degrees(),
            phi1_deg_per_ppm: 0.0,
            ppm: target.window.ppm.clone(),
            data: target.window.of(fid, pose),
            fit,
            baseline,
            components,
        }
    }

    /// Names of the components in the order of the amplitudes.
    pub fn component_names(&self) -> Vec<String> {
        self.difference.components.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What results may run into.
    pub fn limits(&self) -> Limits {
        Limits { max_shift_ppm: self.settings.difference.max_shift_ppm, max_baseline_ed: None }
    }

    /// Name of the condition that completes a result.
    pub fn companion(&self) -> Option<&str> {
        self.companion.as_ref().map(|(name, _)| name.as_str())
    }

    /// Completes the `fit` of `fid` by the companion.
    pub fn complete(&self, fit: &mut FitResult, fid: &[Complex64], companion: &[Complex64]) {
        let Some((_, target)) = &self.companion else { return };
        let Some(cut) = companion.get(..target.window.n_points) else { return };
        let Ok(found) = self.find(target, cut, None) else { return };
        let Ok(difference) = self.find(&self.difference, fid, found.clear_pose(target)) else { return };
        *fit = self.result(&difference);
        let both = |own_sd: f64, other_sd: f64| {
            let own = self.scaled(&self.difference, &difference, self.scale.conditions, own_sd);
            let other = self.scaled(target, &found, 1, other_sd);
            // The companion stands negative in the difference, with its own part of the difference's noise.
            let common = -found.noise / difference.noise;
            let mut all = covariance(&own);
            for (i, h) in other.iter().enumerate() {
                all.extend(own.iter().map(|own| product(h, own) * common));
                all.extend(other[..=i].iter().map(|other| product(h, other)));
            }
            all
        };
        fit.covariance = both(difference.noise, found.noise);
        fit.posterior_covariance = both(difference.noise * difference.excess(), found.noise * found.excess());
        fit.amplitudes.extend(amplitudes(target, &found, &self.units(target, 1)));
        fit.fwhm_hz = fit.amplitude("tCr").and_then(|a| a.lorentz_hz);
        if let Some(why) = difference.noise_unknown.or(found.noise_unknown) {
            fit.forget_noise(why);
        }
    }
}
