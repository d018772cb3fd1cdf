//! Frequency and phase of transients: each is registered to a reference and turned back.
//!
//! Spectral registration (Near 2015, <https://doi.org/10.1002/mrm.25094>) with the phase in closed form: the shift
//! maximises |Σ conj(r)·x·e^{−2πi·f·t}|, first on the grid of a Fourier transform, then by Newton's method; the phase is
//! the argument of that sum. With a reference cut to a band of chemical shifts nothing outside the band (residual
//! water, lipids) takes part: it is orthogonal to the reference.

use std::f64::consts::PI;

use num_complex::Complex64;
use rayon::prelude::*;
use rustfft::FftDirection;

use crate::signal::fft::transform as fourier;
use crate::signal::filter::filtered;
use crate::signal::median::upper_median;
use crate::signal::noise::{noise_sd, tail_sd};
use crate::signal::water_removal;

/// How far a transient may lie from the others (Hz); subjects move, magnets drift, 20 Hz in bad cases.
pub const MAX_SHIFT_HZ: f64 = 20.0;
/// Chemical shifts that align metabolite data (ppm): NAA, creatine and choline, without lipids and water.
pub const METABOLITE_BAND_PPM: (f64, f64) = (1.8, 4.2);
/// Shortest and longest transform of a search; half of its samples are taken, the rest is zero-filling, without which
/// the nearest bin may lie outside the peak.
const TRANSFORM: (usize, usize) = (256, 4096);
/// Newton steps after the grid: each squares the error.
pub const NEWTON_STEPS: usize = 6;
/// Passes over all transients, the reference renewed each time.
const PASSES: usize = 2;
/// Samples on either side over which the power of a reference is smoothed.
const SMOOTHED: usize = 16;
/// Median of the peak over its noise below which there is nothing to align: over a hundred bins of pure noise reach 3.
pub const DETECTED: f64 = 5.0;

/// Where a transient lies beside its reference.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Offset {
    /// Its frequency above the reference's (Hz).
    pub shift_hz: f64,
    /// Its phase above the reference's at t = 0 (rad).
    pub phase_rad: f64,
    /// |Σ conj(r)·x| once both are removed (units of both data).
    pub overlap: f64,
}

/// Samples that a search uses, and the length of its transform, for FIDs of `n_points`.
pub fn search_length(n_points: usize) -> (usize, usize) {
    let transform = (2 * n_points).next_power_of_two().clamp(TRANSFORM.0, TRANSFORM.1);
    (n_points.min(transform / 2), transform)
}

/// Bins on either side of zero that a search visits.
pub fn search_bins(transform: usize, dwell_s: f64, max_shift_hz: f64) -> usize {
    ((max_shift_hz * transform as f64 * dwell_s).ceil() as usize).min(transform / 2 - 1)
}

/// Finds the offset of `fid` from `reference`, at most `max_shift_hz` away (and what Newton's method adds).
pub fn register(fid: &[Complex64], reference: &[Complex64], dwell_s: f64, max_shift_hz: f64) -> Offset {
    let (used, transform) = search_length(fid.len().min(reference.len()));
    let product: Vec<Complex64> = fid.iter().zip(reference).take(used).map(|(x, r)| r.conj() * x).collect();
    let mut spectrum = product.clone();
    spectrum.resize(transform, Complex64::default());
    fourier(transform, FftDirection::Forward).process(&mut spectrum);
    let bins = search_bins(transform, dwell_s, max_shift_hz) as isize;
    // Outwards from zero, so that the nearest of equals wins.
    let visited = (0..=bins).flat_map(|b| [b, -b]);
    let mut best = (0, -1.0);
    for bin in visited {
        let power = spectrum[bin.rem_euclid(transform as isize) as usize].norm_sqr();
        if power > best.1 {
            best = (bin, power);
        }
    }
    let turn = 2.0 * PI / transform as f64;
    let mut step = best.0 as f64 * turn;
    for _ in 0..NEWTON_STEPS {
        let [s0, s1, s2] = moments(&product, step);
        let slope = (s0.conj() * s1).im;
        let curvature = s1.norm_sqr() - (s0.conj() * s2).re;
        if curvature < 0.0 {
            step -= (slope / curvature).clamp(-turn, turn);
        }
    }
    let [s0, ..] = moments(&product, step);
    Offset { shift_hz: step / (2.0 * PI * dwell_s), phase_rad: s0.arg(), overlap: s0.norm() }
}

/// Samples after which a recurrence of turns starts afresh, which keeps it at rounding error.
const STRETCH: usize = 64;

/// Σ nᵏ·pₙ·e^{−i·step·n} for k = 0, 1, 2.
fn moments(product: &[Complex64], step: f64) -> [Complex64; 3] {
    let rotation = Complex64::from_polar(1.0, -step);
    let mut sums = [Complex64::default(); 3];
    for (stretch, samples) in product.chunks(STRETCH).enumerate() {
        let first = stretch * STRETCH;
        let mut turned = Complex64::from_polar(1.0, -step * first as f64);
        for (n, p) in (first..).zip(samples) {
            let z = p * turned;
            sums[0] += z;
            sums[1] += z * n as f64;
            sums[2] += z * (n * n) as f64;
            turned *= rotation;
        }
    }
    sums
}

/// Takes the shift and phase of `offset` out of `fid`.
pub fn undo_offset(fid: &mut [Complex64], offset: &Offset, dwell_s: f64) {
    let step = 2.0 * PI * offset.shift_hz * dwell_s;
    let rotation = Complex64::from_polar(1.0, -step);
    for (stretch, samples) in fid.chunks_mut(STRETCH).enumerate() {
        let mut turn = Complex64::from_polar(1.0, -(offset.phase_rad + step * (stretch * STRETCH) as f64));
        for z in samples {
            *z *= turn;
            turn *= rotation;
        }
    }
}

/// Aligns transients of one voxel, coil-combined, to one another and returns their offsets from the common frequency
/// and phase. Chemical shifts outside `band_ppm` take no part.
///
/// `None`, and nothing done, for fewer than two transients and where a transient's signal does not stand clear of its
/// noise: aligning noise would pile it up.
pub fn align(
    transients: &mut [Vec<Complex64>],
    dwell_s: f64,
    f0_mhz: f64,
    band_ppm: Option<(f64, f64)>,
) -> Option<Vec<Offset>> {
    if transients.len() < 2 {
        return None;
    }
    let first = typical(transients);
    let mut reference = transients[first].clone();
    let mut offsets = Vec::new();
    let noise_sds: Vec<Option<f64>> = transients.par_iter().map(|x| noise_of(x)).collect();
    for pass in 1..=PASSES {
        let cut = match band_ppm {
            Some((low, high)) => {
                // Water's tail would reach over the band's edge and be what is aligned.
                water_removal::remove(&mut reference, dwell_s, f0_mhz);
                let inside = |ppm| f64::from(u8::from((low..=high).contains(&ppm)));
                without_tail(filtered(&reference, dwell_s, f0_mhz, inside))
            }
            None => without_tail(reference),
        };
        offsets = transients.par_iter().map(|x| register(x, &cut, dwell_s, MAX_SHIFT_HZ)).collect::<Vec<_>>();
        // The first pass's reference says nothing about its own detection.
        let detections = transients.iter().zip(&noise_sds).zip(&offsets).map(|((x, sd), o)| detection(x, *sd, &cut, o));
        let others = detections.enumerate().filter(|(i, _)| *i != first).map(|(_, detection)| detection);
        if upper_median(others) < DETECTED {
            return None;
        }
        if pass == PASSES {
            break;
        }
        let mut turned = transients.to_vec();
        turned.par_iter_mut().zip(&offsets).for_each(|(x, o)| undo_offset(x, o, dwell_s));
        reference = median_fid(&turned);
    }
    let shift_hz = upper_median(offsets.iter().map(|o| o.shift_hz));
    let phase_rad = offsets.iter().map(|o| Complex64::from_polar(1.0, o.phase_rad)).sum::<Complex64>().arg();
    transients.par_iter_mut().zip(&mut offsets).for_each(|(fid, offset)| {
        offset.shift_hz -= shift_hz;
        offset.phase_rad = wrapped(offset.phase_rad - phase_rad);
        undo_offset(fid, offset, dwell_s);
    });
    Some(offsets)
}

/// The reference, faded out (Wiener's weight, twice the noise for safety) to where it reaches its noise. Late noise
/// in the reference would count with the square of its time.
pub(super) fn without_tail(mut reference: Vec<Complex64>) -> Vec<Complex64> {
    let n = reference.len();
    let mut energy = vec![0.0];
    energy.extend(reference.iter().scan(0.0, |sum, z| {
        *sum += z.norm_sqr();
        Some(*sum)
    }));
    let tail = n / 8;
    let noise = (energy[n] - energy[n - tail]) / tail.max(1) as f64;
    let mut ended = false;
    for (i, z) in reference.iter_mut().enumerate() {
        let (first, last) = (i.saturating_sub(SMOOTHED), (i + SMOOTHED + 1).min(n));
        let power = (energy[last] - energy[first]) / (last - first) as f64;
        ended |= power <= 2.0 * noise;
        *z *= if ended { 0.0 } else { 1.0 - 2.0 * noise / power };
    }
    reference
}

/// The transient of median energy.
pub(super) fn typical(transients: &[Vec<Complex64>]) -> usize {
    let energy = |x: &Vec<Complex64>| x.iter().map(|z| z.norm_sqr()).sum::<f64>();
    let mut order: Vec<(f64, usize)> = transients.iter().map(energy).zip(0..).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    order[order.len() / 2].1
}

/// Standard deviation of a transient's noise; `None` where it has none.
fn noise_of(fid: &[Complex64]) -> Option<f64> {
    noise_sd(fid).or_else(|| tail_sd(fid))
}

/// The overlap in units of its standard deviation under the transient's noise.
fn detection(fid: &[Complex64], noise_sd: Option<f64>, reference: &[Complex64], offset: &Offset) -> f64 {
    let (used, _) = search_length(fid.len().min(reference.len()));
    let energy: f64 = reference[..used].iter().map(|z| z.norm_sqr()).sum();
    // Without noise everything is detected.
    noise_sd.map_or(f64::INFINITY, |sd| offset.overlap / (sd * energy.sqrt()).max(f64::MIN_POSITIVE))
}

/// Whether what `offset` says stands clear of the noise of `fid`.
pub(super) fn detects(fid: &[Complex64], reference: &[Complex64], offset: &Offset) -> bool {
    detection(fid, noise_of(fid), reference, offset) >= DETECTED
}

/// Median over FIDs, sample by sample, of the real and of the imaginary part: a spoiled transient does not reach it.
pub(super) fn median_fid(fids: &[Vec<Complex64>]) -> Vec<Complex64> {
    let n_points = fids.iter().map(Vec::len).min().unwrap_or(0);
    (0..n_points)
        .into_par_iter()
        .map(|n| Complex64::new(upper_median(fids.iter().map(|f| f[n].re)), upper_median(fids.iter().map(|f| f[n].im))))
        .collect()
}

fn wrapped(phase_rad: f64) -> f64 {
    phase_rad - 2.0 * PI * (phase_rad / (2.0 * PI)).round()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use crate::random::Random;

    const DWELL_S: f64 = 5e-4;
    const F0_MHZ: f64 = 123.2;

    /// NAA, creatine and choline of 6 Hz, NAA 1 at t = 0.
    fn brain(n_points: usize) -> Vec<Complex64> {
        let lines = [(2.01, 1.0), (3.03, 0.7), (3.22, 0.5)].map(|(ppm, a)| (hz_from_ppm(ppm, F0_MHZ), a));
        let sample = |t: f64| -> Complex64 {
            lines.iter().map(|&(hz, a)| Complex64::from_polar(a * (-6.0 * PI * t).exp(), 2.0 * PI * hz * t)).sum()
        };
        (0..n_points).map(|n| sample(n as f64 * DWELL_S)).collect()
    }

    fn noisy(fid: &[Complex64], sd: f64, random: &mut Random) -> Vec<Complex64> {
        fid.iter().map(|z| z + Complex64::new(sd * random.normal(), sd * random.normal())).collect()
    }

    #[test]
    fn known_offsets_are_found_at_every_length() {
        for n_points in [100, 512, 1000, 2048, 5000] {
            let reference = brain(n_points);
            for (shift_hz, phase_rad) in [(0.0, 0.0), (0.37, 1.0), (-7.3, -2.9), (19.6, 3.1)] {
                let mut moved = reference.clone();
                undo_offset(&mut moved, &Offset { shift_hz: -shift_hz, phase_rad: -phase_rad, overlap: 0.0 }, DWELL_S);
                let found = register(&moved, &reference, DWELL_S, MAX_SHIFT_HZ);
                assert!((found.shift_hz - shift_hz).abs() < 1e-6, "{n_points}: {found:?}");
                assert!(wrapped(found.phase_rad - phase_rad).abs() < 1e-6, "{n_points}: {found:?}");
            }
        }
    }

    /// Errors stay within 1.2 of their Cramér–Rao bound, and residual water beside the band does not matter.
    #[test]
    fn errors_stay_near_the_bound() {
        let mut random = Random::new(7, 0);
        let clean = brain(2048);
        let sd = 0.2;
        let truth: Vec<(f64, f64)> = (0..64).map(|_| (4.0 * random.normal(), 0.6 * random.normal())).collect();
        let mut transients: Vec<Vec<Complex64>> = truth
            .iter()
            .map(|&(shift_hz, phase_rad)| {
                let mut fid = clean.clone();
                for (n, z) in fid.iter_mut().enumerate() {
                    *z += Complex64::from_polar(4.0 * (-(n as f64) * DWELL_S * 30.0).exp(), 1.0);
                }
                undo_offset(&mut fid, &Offset { shift_hz: -shift_hz, phase_rad: -phase_rad, overlap: 0.0 }, DWELL_S);
                noisy(&fid, sd, &mut random)
            })
            .collect();
        let offsets = align(&mut transients, DWELL_S, F0_MHZ, Some(METABOLITE_BAND_PPM)).unwrap();
        let (mut aa, mut at, mut tt) = (0.0, 0.0, 0.0);
        for (n, z) in clean.iter().enumerate() {
            let (a, t) = (z.norm_sqr() / (sd * sd), 2.0 * PI * n as f64 * DWELL_S);
            aa += a;
            at += a * t;
            tt += a * t * t;
        }
        let bound_hz = (aa / (aa * tt - at * at)).sqrt();
        let bound_rad = (tt / (aa * tt - at * at)).sqrt();
        let spread = |errors: Vec<f64>| {
            let mean = errors.iter().sum::<f64>() / errors.len() as f64;
            (errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / errors.len() as f64).sqrt()
        };
        let error_hz = spread(offsets.iter().zip(&truth).map(|(o, t)| o.shift_hz - t.0).collect());
        let error_rad = spread(offsets.iter().zip(&truth).map(|(o, t)| wrapped(o.phase_rad - t.1)).collect());
        assert!(error_hz < 1.2 * bound_hz, "{error_hz} Hz, bound {bound_hz}");
        assert!(error_rad < 1.2 * bound_rad, "{error_rad} rad, bound {bound_rad}");
    }

    #[test]
    fn noise_is_left_alone() {
        let mut random = Random::new(3, 0);
        let faint: Vec<Complex64> = brain(2048).iter().map(|z| z * 0.01).collect();
        let mut transients: Vec<_> = (0..16).map(|_| noisy(&faint, 1.0, &mut random)).collect();
        let before = transients.clone();
        assert_eq!(align(&mut transients, DWELL_S, F0_MHZ, Some(METABOLITE_BAND_PPM)), None);
        assert_eq!(transients, before);
        assert_eq!(align(&mut [brain(128)], DWELL_S, F0_MHZ, None), None);
    }
}
