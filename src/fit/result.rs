//! What a fit returns: parameters in physical units, amplitudes with their errors, curves.

use serde::Serialize;

use super::diagnostics::Diagnostics;
use super::evidence::Evidence;
use super::sample::Marginal;
use super::solution::Solution;
use crate::acquisition::{hz_from_ppm, ppm_from_hz, shared_f0_mhz};
use crate::basis::names::Kind;
use crate::signal::noise::WhyUnknown;

/// How the fit of one spectrum ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FitState {
    /// The objective does not fall any more.
    Converged,
    /// The largest number of iterations was reached first.
    MaxIterations,
    /// The normal matrix could not be factorised.
    Singular,
    /// The spectrum holds nothing but zeros, or no number at all.
    NoSignal,
}

impl FitState {
    /// Name in the tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::MaxIterations => "max_iterations",
            Self::Singular => "singular",
            Self::NoSignal => "no_signal",
        }
    }
}

/// Amplitude of one component or sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Amplitude {
    /// Canonical name.
    pub name: String,
    /// Metabolite, macromolecule or lipid.
    pub kind: Kind,
    /// Whether it is a sum of components.
    pub is_sum: bool,
    /// Indices of the components that a sum adds up; empty for a component.
    pub members: Vec<usize>,
    /// Amplitude in the basis set's units.
    pub value: f64,
    /// Amplitude with the bound c ≥ 0 of all amplitudes released.
    pub free: f64,
    /// Standard deviation from the measured noise, all amplitudes free: no prior on amplitudes and no bound on them; the
    /// baseline's penalty and the priors on phases, shifts and widths hold. NaN where the noise is unknown.
    pub sd_noise: f64,
    /// Standard deviation from the full objective, all amplitudes free.
    pub sd_posterior: f64,
    /// Standard deviation as LCModel counts it: of the last system with all its priors, without the amplitudes that are zero,
    /// for the variance that the fit leaves. `None` where a method has no such system.
    pub sd_lcmodel: Option<f64>,
    /// How far usual ratios between amplitudes pulled it, in `sd_posterior`s; `None` where a method fits no basis set.
    pub prior_pull_sd: Option<f64>,
    /// The same of the prior on the common Lorentzian width; `None` where a method has none.
    pub width_prior_pull_sd: Option<f64>,
    /// Whether the amplitude lies on its bound.
    pub at_bound: bool,
    /// Own shift around the common one (Hz), not for sums.
    pub shift_hz: Option<f64>,
    /// Total Lorentzian width beyond the basis set's (FWHM, Hz), not for sums.
    pub lorentz_hz: Option<f64>,
    /// Its posterior by sampling, where the method asks for it.
    pub sampled: Option<Marginal>,
}

/// Curves of a fit on the fitted bins, in the data's units.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Curves {
    /// Shift that was taken out of `data` (Hz): the fit's where it started; what it found beyond is in the components.
    pub shift_hz: f64,
    /// Zero-order phase that was taken out of `data` (°).
    pub phi0_deg: f64,
    /// First-order phase around 4.65 ppm that was taken out of `data` (°/ppm).
    pub phi1_deg_per_ppm: f64,
    /// Chemical shift (ppm), falling.
    pub ppm: Vec<f64>,
    /// Real part of the phased spectrum.
    pub data: Vec<f64>,
    /// Fit, baseline included.
    pub fit: Vec<f64>,
    /// Baseline.
    pub baseline: Vec<f64>,
    /// Each component without baseline, in the order of the components.
    pub components: Vec<Vec<f64>>,
}

impl Curves {
    /// These with the axis of a spectrum at `f0_mhz`, of whose shared model ([`shared_f0_mhz`]) they are: a bin has a frequency
    /// in Hz, which is another chemical shift at another spectrometer frequency (5e-5 ppm between model and spectrum).
    pub(crate) fn at_frequency(mut self, f0_mhz: f64) -> Self {
        let shared = shared_f0_mhz(f0_mhz);
        if shared.to_bits() != f0_mhz.to_bits() {
            self.ppm.iter_mut().for_each(|ppm| *ppm = ppm_from_hz(hz_from_ppm(*ppm, shared), f0_mhz));
        }
        self
    }
}

/// The result of fitting one spectrum.
#[derive(Debug, Clone)]
pub struct FitResult {
    /// How it ended.
    pub state: FitState,
    /// Gauss–Newton iterations.
    pub n_iterations: usize,
    /// Q, in units of σ².
    pub objective: f64,
    /// Why the noise is unknown; what is told in its units is NaN then, and σ comes from the residual.
    pub noise_unknown: Option<WhyUnknown>,
    /// Standard deviation of the noise in a point of [`Curves::data`], in the data's units.
    pub noise_sd: f64,
    /// Standard deviation of the residual over that of the noise, in the points that the method compares; where these are
    /// samples, in the window of their spectrum.
    pub residual_over_noise: f64,
    /// Residual sum of squares over noise variance and `degrees_of_freedom`, in the points that the method compares.
    pub chi2_reduced: f64,
    /// Points that the method compares, less what its parameters took up.
    pub degrees_of_freedom: f64,
    /// Effective dimension of the baseline.
    pub baseline_ed: f64,
    /// Baseline smoothness λ; `None` where the baseline has none.
    pub baseline_lambda: Option<f64>,
    /// Zero-order phase (°).
    pub phi0_deg: f64,
    /// First-order phase (°/ppm) around 4.65 ppm.
    pub phi1_deg_per_ppm: f64,
    /// Common shift (Hz), positive towards lower ppm.
    pub shift_hz: f64,
    /// Common Lorentzian width beyond the basis set's (FWHM, Hz); `None` without a basis set.
    pub lorentz_hz: Option<f64>,
    /// Common Gaussian width (FWHM, Hz); `None` without a basis set.
    pub gauss_hz: Option<f64>,
    /// Cubic phase of the common lineshape at 0.1 s (rad); `None` where the method has none.
    pub skew_rad: Option<f64>,
    /// Quartic damping of the common lineshape at 0.1 s; `None` where the method has none.
    pub flatness: Option<f64>,
    /// Weights of the common lineshape's kernel, from the lowest frequency to the highest; empty where the method has none.
    pub kernel_weights: Vec<f64>,
    /// Distance between the kernel's frequencies (Hz); `None` where the method has no kernel.
    pub kernel_spacing_hz: Option<f64>,
    /// Width of the fitted common lineshape, basis set included (FWHM, Hz); `None` where no line tells it.
    pub fwhm_hz: Option<f64>,
    /// Tallest metabolite peak of the fit over twice the noise sd of the real spectrum.
    pub snr: f64,
    /// The same over twice the residual's sd.
    pub snr_residual: f64,
    /// Components in the model's order, then the sums.
    pub amplitudes: Vec<Amplitude>,
    /// Noise covariance of the components' amplitudes, of what `sd_noise` holds: lower triangle row by row, basis units². Empty
    /// where the noise is unknown.
    pub covariance: Vec<f64>,
    /// Posterior covariance of the components' amplitudes in the same order. Methods that keep amplitudes at zero leave
    /// those out (zeros).
    pub posterior_covariance: Vec<f64>,
    /// What foretells errors that no standard deviation tells; `None` where the method has none of it.
    pub diagnostics: Option<Diagnostics>,
    /// Chemical shifts (ppm) of narrow lines that no component of the basis set has, nor a substance that was added; `None`
    /// where nobody looked ([`super::strangers`]).
    pub unmodelled_peaks_ppm: Option<Vec<f64>>,
    /// What the spectrum says about the macromolecule pattern, where the model asks for it.
    pub evidence: Option<Evidence>,
    /// Priors that are off by more than three of their own standard deviations, in words.
    pub strained_priors: Vec<String>,
    /// Whether residual water is there that the method would have taken away, and could not.
    pub water_stays: bool,
    /// Where it ended, in its family's own parameters.
    pub(crate) solution: Solution,
}

impl FitResult {
    /// The amplitude of a component or sum by canonical name.
    pub fn amplitude(&self, name: &str) -> Option<&Amplitude> {
        self.amplitudes.iter().find(|a| a.name == name)
    }

    /// Takes out whatever is told in units of the noise, which is unknown.
    pub(crate) fn forget_noise(&mut self, why: WhyUnknown) {
        self.noise_unknown = Some(why);
        for value in [&mut self.noise_sd, &mut self.residual_over_noise, &mut self.chi2_reduced, &mut self.snr] {
            *value = f64::NAN;
        }
        self.amplitudes.iter_mut().for_each(|a| a.sd_noise = f64::NAN);
        self.covariance.clear();
    }

    /// A result for a spectrum that could not be fitted.
    pub(crate) fn without_fit(state: FitState) -> Self {
        Self {
            state,
            n_iterations: 0,
            objective: f64::NAN,
            noise_unknown: None,
            noise_sd: f64::NAN,
            residual_over_noise: f64::NAN,
            chi2_reduced: f64::NAN,
            degrees_of_freedom: f64::NAN,
            baseline_ed: f64::NAN,
            baseline_lambda: None,
            phi0_deg: f64::NAN,
            phi1_deg_per_ppm: f64::NAN,
            shift_hz: f64::NAN,
            lorentz_hz: None,
            gauss_hz: None,
            skew_rad: None,
            flatness: None,
            kernel_weights: Vec::new(),
            kernel_spacing_hz: None,
            fwhm_hz: None,
            snr: f64::NAN,
            snr_residual: f64::NAN,
            amplitudes: Vec::new(),
            covariance: Vec::new(),
            posterior_covariance: Vec::new(),
            diagnostics: None,
            unmodelled_peaks_ppm: None,
            evidence: None,
            strained_priors: Vec::new(),
            water_stays: false,
            solution: Solution::None,
        }
    }
}
