//! Whether the coils of a water reference are those of the data.
//!
//! The reference's strong signal gives the best weights, as long as each of its coils sees what the same coil of the data
//! sees. A reference of another session, or one whose channels stand in another order, combines the metabolites to next to
//! nothing. So creatine and choline are looked at, with the reference's weights and with the data's own.

use std::f64::consts::PI;

use num_complex::Complex64;
use rustfft::FftDirection;

use super::coils::{Noise, Weights, energy_along, outer_products, side_by_side};
use super::edit_evidence::EMPTY_PPM;
use super::settings::CoilMethod;
use crate::acquisition::{Facts, Series, ppm_from_hz};
use crate::signal::fft::{signed_bin, transform};

/// Creatine and choline, with what a scanner may lie beside its frequency (ppm): lipids, which may come from elsewhere than
/// the voxel and then have other coils, do not reach there.
const LOOKED_AT_PPM: (f64, f64) = (2.8, 3.45);
/// Beginning of each transient that is looked at (s), and at most so many transients: the question is a coarse one.
const BEGINNING_S: f64 = 0.25;
const MOST_TRANSIENTS: usize = 32;
/// Signal-to-noise ratio by the reference's weights over that by the data's own, below which they do not fit.
const FITS_FROM: f64 = 0.7;
/// Standard errors by which the data's energy must stand above their noise for that to be told.
const CLEARLY: f64 = 6.0;
/// A window that begins and ends with zero makes neighbouring points depend on one another: so many count as one.
const DEPENDENT: f64 = 2.0;

/// Weights for the data and, where those of its coils do not fit the data, for the water reference.
pub(super) struct CoilWeights {
    pub(super) data: Weights,
    water: Option<Weights>,
}

impl From<Weights> for CoilWeights {
    fn from(data: Weights) -> Self {
        Self { data, water: None }
    }
}

impl CoilWeights {
    /// Weights for the reference: its own coils have the scale of their root sum of squares, in whatever order they are.
    pub(super) fn of_water(&self) -> &Weights {
        self.water.as_ref().unwrap_or(&self.data)
    }

    /// Whether the reference's weights do not fit the data.
    pub(super) fn is_contradicted(&self) -> bool {
        self.water.is_some()
    }
}

/// Weights from the reference, or from the data themselves where they contradict it; `None` where there is nothing to weigh.
pub(super) fn weights(method: CoilMethod, water: Series<'_>, own: Series<'_>, facts: &Facts) -> Option<CoilWeights> {
    let noise = Noise::of(own)?;
    let of_water = Weights::within(method, water, &noise)?;
    let seen = facts.dwell_s.zip(facts.f0_mhz).and_then(|(dwell_s, f0_mhz)| Seen::of(own, dwell_s, f0_mhz));
    let Some(seen) = seen.filter(|seen| seen.may_contradict(&of_water, &noise)) else {
        return Some(of_water.into());
    };
    match Weights::within(method, own, &noise) {
        Some(data) if seen.contradict(&of_water, &data) => Some(CoilWeights { data, water: Some(of_water) }),
        _ => Some(of_water.into()),
    }
}

/// What the coils see of creatine and choline, and where there is nothing, as receivers have not the same noise at all
/// frequencies: means of z·zᴴ over points of their spectra.
struct Seen {
    lines: Vec<Complex64>,
    noise: Vec<Complex64>,
    /// Points that show lines.
    n: f64,
    coils: usize,
}

impl Seen {
    /// `None` where the spectra do not reach so far, or samples are no numbers.
    fn of(own: Series<'_>, dwell_s: f64, f0_mhz: f64) -> Option<Self> {
        let (transients, coils, points) = own.dim();
        let points = points.min((BEGINNING_S / dwell_s) as usize);
        let step = transients.div_ceil(MOST_TRANSIENTS).max(1);
        let looked_at = transients.div_ceil(step);
        let shift_ppm = |k: usize| ppm_from_hz(signed_bin(k, points) / (points as f64 * dwell_s), f0_mhz);
        let within = |bands: &[(f64, f64)]| -> Vec<usize> {
            let is_inside = |ppm: f64| bands.iter().any(|(low, high)| (*low..=*high).contains(&ppm));
            (0..points).filter(|k| is_inside(shift_ppm(*k))).collect()
        };
        let (lines, empty) = (within(&[LOOKED_AT_PPM]), within(&EMPTY_PPM));
        if lines.is_empty() || empty.len() < lines.len() || looked_at == 0 {
            return None;
        }
        let wanted: Vec<usize> = lines.iter().chain(&empty).copied().collect();
        let of_one = |number: usize| {
            let spectra: Vec<_> = (0..coils).map(|coil| spectrum(own.points(number * step, coil, 0..points))).collect();
            wanted.iter().flat_map(|&k| spectra.iter().map(move |spectrum| spectrum[k]).collect::<Vec<_>>()).collect()
        };
        let all = side_by_side(looked_at, wanted.len() * coils, of_one);
        let mean = |points: std::ops::Range<usize>| -> Vec<Complex64> {
            let n = (looked_at * points.len()) as f64;
            let of_each = all.chunks_exact(wanted.len() * coils);
            let samples: Vec<_> =
                of_each.flat_map(|one| one[points.start * coils..points.end * coils].iter().copied()).collect();
            outer_products(&samples, coils).into_iter().map(|z| z / n).collect()
        };
        let n = (looked_at * lines.len()) as f64;
        let seen = Self { lines: mean(0..lines.len()), noise: mean(lines.len()..wanted.len()), n, coils };
        let is_finite = |all: &[Complex64]| all.iter().all(|z| z.re.is_finite() && z.im.is_finite());
        (is_finite(&seen.lines) && is_finite(&seen.noise)).then_some(seen)
    }

    /// Energy of the lines over that of the noise, combined along `along`.
    fn snr2(&self, along: &[Complex64]) -> f64 {
        energy_along(&self.lines, along) / energy_along(&self.noise, along) - 1.0
    }

    /// Whether the weights that suit the lines best are so much better: asked first, as the answer is no as a rule and costs
    /// little.
    fn may_contradict(&self, of_water: &Weights, noise: &Noise) -> bool {
        let lines: Vec<Complex64> = self.lines.iter().zip(&self.noise).map(|(all, noise)| all - noise).collect();
        let best = noise.best(&lines, self.coils).map(|along| self.snr2(&along));
        best.is_some_and(|best| self.snr2(&of_water.along()) < FITS_FROM * FITS_FROM * best)
    }

    fn contradict(&self, of_water: &Weights, data: &Weights) -> bool {
        let (water, own) = (self.snr2(&of_water.along()), self.snr2(&data.along()));
        own * (self.n / DEPENDENT).sqrt() > CLEARLY && water < FITS_FROM * FITS_FROM * own
    }
}

/// The spectrum of `fid` through Hann's window, of unit energy: it begins with zero, so that no tail of water reaches far.
fn spectrum(mut fid: Vec<Complex64>) -> Vec<Complex64> {
    let n = fid.len();
    let size = (8.0 / (3.0 * n as f64)).sqrt();
    fid.iter_mut().enumerate().for_each(|(i, z)| *z *= size * (PI * i as f64 / n as f64).sin().powi(2));
    transform(n, FftDirection::Forward).process(&mut fid);
    fid
}

#[cfg(test)]
#[path = "coils_of_water_tests.rs"]
mod tests;
