//! What single transients of an edited measurement show: NAA, which the pulse for GABA takes away; creatine and choline, which
//! editing leaves; and the water that is left, which the pulse for glutathione takes away.

use num_complex::Complex64;
use rayon::prelude::*;
use rustfft::FftDirection;

use super::align::{METABOLITE_BAND_PPM, align, without_tail};
use super::average::mean;
use super::residual_water::without_water;
use crate::acquisition::ppm_from_hz;
use crate::signal::fft::{signed_bin, transform};
use crate::signal::filter::filtered;
use crate::signal::magnitudes::{Magnitudes, WATER_PPM};

/// Height of NAA under the pulse over that without, at most: pulses leave a tenth, and NAAG with macromolecules as much.
pub(super) const MOST_LEFT: f64 = 0.5;
/// NAA's singlet and the chemical shifts about it that its line reaches (ppm).
const NAA_PPM: (f64, f64) = (1.88, 2.14);
/// Creatine and choline (ppm).
const UNCHANGED_PPM: (f64, f64) = (2.92, 3.32);
/// Singlets that say where a spectrum lies (ppm), and how far it may lie from where the header puts it.
const SINGLETS_PPM: [f64; 3] = [2.01, 3.03, 3.22];
const MOST_APART_PPM: f64 = 0.4;
/// Steps of that search, and half the width over which a singlet is looked at (ppm).
const STEP_PPM: f64 = 0.01;
const SINGLET_PPM: f64 = 0.03;
/// Frequencies without signal (ppm), from which the noise of the figures is taken, and how far apart it is asked (ppm).
pub(super) const EMPTY_PPM: [(f64, f64); 2] = [(-2.5, -0.4), (8.0, 10.0)];
const EMPTY_STEP_PPM: f64 = 0.15;

/// Figures of each transient; not a number where it is broken.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evidence {
    /// Magnitude of NAA, found with a matched filter (units of the data, times that of the filter).
    pub(super) naa: Vec<f64>,
    /// Standard deviation of the noise in its real and imaginary part.
    pub(super) naa_sd: f64,
    /// Magnitude of creatine and choline, likewise.
    pub(super) unchanged: Vec<f64>,
    /// Height of the water that is left.
    pub(super) water: Vec<f64>,
}

impl Evidence {
    /// Of transients whose coils are combined; `None` where they hold no signal that can be looked at.
    pub(super) fn of(transients: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Option<Self> {
        let water = transients.par_iter().map(|fid| Magnitudes::new(fid, dwell_s, f0_mhz).tallest(WATER_PPM)).collect();
        let mut looked_at = without_water(transients, dwell_s, f0_mhz).unwrap_or_else(|| transients.to_vec());
        // Where nothing can be aligned, magnitudes tell all the same if the scanner was steady.
        align(&mut looked_at, dwell_s, f0_mhz, Some(METABOLITE_BAND_PPM));
        Self::of_aligned(&looked_at, water, dwell_s, f0_mhz)
    }

    /// Of transients that are aligned and hold no water; what they had of it is `water`.
    pub(super) fn of_aligned(looked_at: &[Vec<Complex64>], water: Vec<f64>, dwell_s: f64, f0_mhz: f64) -> Option<Self> {
        let typical = mean(looked_at);
        let apart_ppm = shift_ppm(&typical, dwell_s, f0_mhz);
        let naa = Matched::new(&typical, (NAA_PPM.0 + apart_ppm, NAA_PPM.1 + apart_ppm), dwell_s, f0_mhz)?;
        let unchanged =
            Matched::new(&typical, (UNCHANGED_PPM.0 + apart_ppm, UNCHANGED_PPM.1 + apart_ppm), dwell_s, f0_mhz)?;
        let naa_sd = naa.noise_sd(looked_at)?;
        let of = |filter: &Matched| looked_at.par_iter().map(|fid| filter.at(fid, 0.0).norm()).collect();
        Some(Self { naa: of(&naa), naa_sd, unchanged: of(&unchanged), water })
    }

    /// The same for `n` transients, of which these are those at `places`.
    pub(super) fn spread(self, places: &[usize], n: usize) -> Self {
        let spread = |values: Vec<f64>| {
            let mut all = vec![f64::NAN; n];
            places.iter().zip(values).for_each(|(place, value)| all[*place] = value);
            all
        };
        Self {
            naa: spread(self.naa),
            naa_sd: self.naa_sd,
            unchanged: spread(self.unchanged),
            water: spread(self.water),
        }
    }
}

/// Whether NAA's heights in transients that are aligned and hold no water lie so far apart as with and without its pulse:
/// asked before the rest, which costs more.
pub(super) fn naa_differs(looked_at: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> bool {
    let typical = mean(looked_at);
    let apart_ppm = shift_ppm(&typical, dwell_s, f0_mhz);
    let band = (NAA_PPM.0 + apart_ppm, NAA_PPM.1 + apart_ppm);
    let Some(naa) = Matched::new(&typical, band, dwell_s, f0_mhz) else { return false };
    let mut heights: Vec<f64> = looked_at.par_iter().map(|fid| naa.at(fid, 0.0).norm()).collect();
    heights.sort_by(f64::total_cmp);
    // Quartiles: the middles of two halves.
    let (low, high) = (heights[heights.len() / 4], heights[heights.len() * 3 / 4]);
    low <= MOST_LEFT * high
}

/// How far the singlets lie above their chemical shifts (ppm).
fn shift_ppm(fid: &[Complex64], dwell_s: f64, f0_mhz: f64) -> f64 {
    let magnitudes = Magnitudes::new(fid, dwell_s, f0_mhz);
    let height = |apart: f64| -> f64 {
        SINGLETS_PPM.iter().map(|ppm| magnitudes.tallest((ppm + apart - SINGLET_PPM, ppm + apart + SINGLET_PPM))).sum()
    };
    let steps = (MOST_APART_PPM / STEP_PPM).round() as i32;
    // Outwards from zero, so that the nearest of equals wins.
    let visited = (0..=steps).flat_map(|k| [f64::from(k) * STEP_PPM, -f64::from(k) * STEP_PPM]);
    visited.fold((0.0, 0.0), |best, apart| if height(apart) > 1.02 * best.1 { (apart, height(apart)) } else { best }).0
}

/// A matched filter: one band of the typical transient, of unit energy.
struct Matched {
    template: Vec<Complex64>,
    dwell_s: f64,
    f0_mhz: f64,
}

impl Matched {
    fn new(typical: &[Complex64], (low, high): (f64, f64), dwell_s: f64, f0_mhz: f64) -> Option<Self> {
        let inside = |ppm: f64| f64::from(u8::from((low..=high).contains(&ppm)));
        let mut template = without_tail(filtered(typical, dwell_s, f0_mhz, inside));
        let energy = template.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt();
        if energy <= 0.0 || !energy.is_finite() {
            return None;
        }
        template.iter_mut().for_each(|z| *z /= energy);
        Some(Self { template, dwell_s, f0_mhz })
    }

    /// What the filter sees of a transient `apart_ppm` beside its band.
    fn at(&self, fid: &[Complex64], apart_ppm: f64) -> Complex64 {
        let turn = Complex64::from_polar(1.0, 2.0 * std::f64::consts::PI * apart_ppm * self.f0_mhz * self.dwell_s);
        let mut turned = Complex64::new(1.0, 0.0);
        let mut sum = Complex64::default();
        for (z, t) in fid.iter().zip(&self.template) {
            sum += t.conj() * z * turned;
            turned *= turn;
        }
        sum
    }

    /// Standard deviation of the noise that the filter lets through, from where there is no signal.
    fn noise_sd(&self, transients: &[Vec<Complex64>]) -> Option<f64> {
        let centre = self.centre_ppm();
        let apart: Vec<f64> = EMPTY_PPM
            .iter()
            .flat_map(|(low, high)| {
                let n = ((high - low) / EMPTY_STEP_PPM) as usize;
                (0..=n).map(move |k| low + EMPTY_STEP_PPM * k as f64 - centre)
            })
            .collect();
        let powers: Vec<f64> = transients
            .par_iter()
            .flat_map_iter(|fid| apart.iter().map(|apart| self.at(fid, *apart).norm_sqr()).collect::<Vec<_>>())
            .collect();
        // The median of an exponential distribution is ln 2 of its mean; a spurious line does not reach it.
        let median = crate::signal::median::median(&powers)?;
        let sd = (median / std::f64::consts::LN_2 / 2.0).sqrt();
        (sd > 0.0 && sd.is_finite()).then_some(sd)
    }

    /// Chemical shift at which the filter is tallest.
    fn centre_ppm(&self) -> f64 {
        let n = self.template.len();
        let mut spectrum = self.template.clone();
        transform(n, FftDirection::Forward).process(&mut spectrum);
        let tallest = (0..n).max_by(|&a, &b| spectrum[a].norm_sqr().total_cmp(&spectrum[b].norm_sqr())).unwrap_or(0);
        ppm_from_hz(signed_bin(tallest, n) / (n as f64 * self.dwell_s), self.f0_mhz)
    }
}
