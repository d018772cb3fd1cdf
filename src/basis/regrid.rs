//! A basis set on the time grid of the data.
//!
//! As LCModel does it (MYBASI; `fitting-methods` 1.1): to frequency, crop or zero-fill to the data's
//! bandwidth in ppm, back to time, crop or zero-fill to the data's length. Line positions in ppm
//! survive a small difference in field. Two things are done better. The FID is continued to negative
//! times by its mirror image (`x(−t) = x*(t)`, after its own phase at t = 0 is taken off), so that
//! cropping meets no jump at t = 0 and nothing wraps round to its end; the real part of the phased
//! spectrum, which LCModel fits, is the same. And sample values are kept, where LCModel's unitary
//! transforms scale them by the square root of the ratio of lengths.

use ndarray::{Array2, ArrayView1};
use num_complex::Complex64;
use rustfft::FftDirection;

use super::{BasisError, BasisSet};
use crate::signal::fft::transform;

/// Bandwidths (in ppm) that agree to this relative accuracy are the same grid: over 4096 points the
/// sampling times then differ by 0.004 of a dwell. Fortran's single precision alone makes 1e-7.
const SAME_GRID: f64 = 1e-6;

/// Ratios of bandwidths beyond this factor are a mistake in the units.
const MAX_RATIO: f64 = 100.0;

/// Zero-filled lengths tried for a ratio of lengths that comes close to the ratio of bandwidths.
const LENGTHS_TRIED: usize = 64;

impl BasisSet {
    /// The FIDs `[metabolite, point]` sampled every `dwell_s` at the field `f0_mhz`, `n_points` long.
    ///
    /// Amplitudes keep their meaning: a sample has the value of the signal at its time. The first
    /// sample keeps its weight ([`BasisSet::first_points`]). Points beyond the end of the basis are 0.
    ///
    /// # Errors
    /// [`BasisError::Grid`] if an argument is not positive or the bandwidths are worlds apart.
    pub fn regrid(&self, dwell_s: f64, f0_mhz: f64, n_points: usize) -> Result<Array2<Complex64>, BasisError> {
        let ratio = self.dwell_s * self.f0_mhz / (dwell_s * f0_mhz);
        let usable = dwell_s > 0.0 && f0_mhz > 0.0 && n_points > 0 && self.fids.ncols() > 0;
        if !usable || !(1.0 / MAX_RATIO..=MAX_RATIO).contains(&ratio) {
            return Err(BasisError::Grid { id: self.id.clone(), dwell_s, f0_mhz, n_points });
        }
        let mut out = Array2::zeros((self.fids.nrows(), n_points));
        if (ratio - 1.0).abs() <= SAME_GRID {
            for (fid, mut row) in self.fids.rows().into_iter().zip(out.rows_mut()) {
                row.iter_mut().zip(fid).for_each(|(value, sample)| *value = *sample);
            }
            return Ok(out);
        }
        let first_points = self.first_points();
        let (from, to) = lengths(2 * self.fids.ncols(), ratio);
        let (forward, inverse) = (transform(from, FftDirection::Forward), transform(to, FftDirection::Inverse));
        for ((fid, mut row), first_point) in self.fids.rows().into_iter().zip(out.rows_mut()).zip(first_points) {
            let weight = first_point.weight();
            let (mut mirrored, phase) = mirror(fid, weight, from);
            forward.process(&mut mirrored);
            let mut resized = resize_spectrum(&mirrored, to);
            inverse.process(&mut resized);
            let scale = phase / from as f64;
            for (value, sample) in row.iter_mut().zip(resized.iter().take(to / 2)) {
                *value = sample * scale;
            }
            if let Some(first) = row.first_mut() {
                *first *= weight;
            }
        }
        Ok(out)
    }
}

/// Even lengths `(from, to)`, `from ≥ at_least`, with `to / from` close to `ratio`. LCModel takes the
/// shortest `from`, and lives with positions that are off by half a point of the spectrum's width.
fn lengths(at_least: usize, ratio: f64) -> (usize, usize) {
    let shortest = at_least + at_least % 2;
    let mut best = (f64::INFINITY, shortest, 2);
    for from in (shortest..).step_by(2).take(LENGTHS_TRIED) {
        let exact = from as f64 * ratio;
        let to = 2 * ((0.5 * exact).round() as usize).max(1);
        let error = (to as f64 / exact - 1.0).abs();
        // Take a longer one only where it is worth it.
        if error < 0.5 * best.0 {
            best = (error, from, to);
        }
        if error < 1e-9 {
            break;
        }
    }
    (best.1, best.2)
}

/// The FID with its phase at t = 0 taken off, its first sample at full weight, and its mirror image at
/// negative times; and that phase.
fn mirror(fid: ArrayView1<'_, Complex64>, weight: f64, length: usize) -> (Vec<Complex64>, Complex64) {
    let largest = fid.iter().map(|z| z.norm()).fold(0.0, f64::max);
    let first = fid[0] / weight;
    // Without a first sample there is no jump, and no phase to speak of.
    let phase = if first.norm() > 1e-6 * largest { first / first.norm() } else { Complex64::new(1.0, 0.0) };
    let mut out = vec![Complex64::default(); length];
    out[0] = Complex64::new(first.norm(), 0.0);
    for (n, z) in fid.iter().enumerate().skip(1) {
        let turned = z * phase.conj();
        out[n] = turned;
        out[length - n] = turned.conj();
    }
    (out, phase)
}

/// Crops or zero-fills a spectrum in DFT order to another even length. The point at the smaller
/// Nyquist frequency stands for both its signs.
fn resize_spectrum(spectrum: &[Complex64], to: usize) -> Vec<Complex64> {
    let from = spectrum.len();
    if from == to {
        return spectrum.to_vec();
    }
    let half = from.min(to) / 2;
    let mut out = vec![Complex64::default(); to];
    out[..half].copy_from_slice(&spectrum[..half]);
    out[to - half + 1..].copy_from_slice(&spectrum[from - half + 1..]);
    if to > from {
        out[half] = 0.5 * spectrum[half];
        out[to - half] = out[half];
    } else {
        // What was split when the spectrum was widened comes together again.
        out[half] = spectrum[half] + spectrum[from - half];
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::FirstPoint;
    use super::super::tests::analytic;
    use super::*;

    /// Largest difference relative to the largest sample, and where.
    fn worst(a: &Array2<Complex64>, b: &Array2<Complex64>, skip: usize) -> f64 {
        let size = b.iter().map(|z| z.norm()).fold(0.0, f64::max);
        let kept = skip..a.ncols() - skip;
        a.indexed_iter().filter(|((_, n), _)| kept.contains(n)).map(|(at, x)| (x - b[at]).norm()).fold(0.0, f64::max)
            / size
    }

    #[test]
    fn same_grid_is_the_identity_to_the_bit() {
        let set = analytic(123.2, 2.5e-4, 1024);
        assert_eq!(set.regrid(2.5e-4, 123.2, 1024).unwrap(), set.fids);
        let longer = set.regrid(2.5e-4, 123.2, 1500).unwrap();
        for ((row, n), z) in longer.indexed_iter() {
            assert_eq!(*z, set.fids.get((row, n)).copied().unwrap_or_default());
        }
    }

    #[test]
    fn finer_and_coarser_grids_and_other_fields_agree_with_the_analytic_signal() {
        let set = analytic(123.2, 2.5e-4, 4096);
        for (dwell_s, f0_mhz) in [(5e-4, 123.2), (2e-4, 123.2), (1.25e-4, 123.2), (2.5e-4, 127.7), (3.3e-4, 127.7)] {
            let got = set.regrid(dwell_s, f0_mhz, 1024).unwrap();
            // The same ppm positions, and decays that scale with the field as the ppm axis does.
            let want = analytic(123.2, dwell_s * f0_mhz / 123.2, 1024).fids;
            // Half a percent of the largest sample near t = 0, where lines out of phase leave a kink
            // that no band-limited signal follows; a tenth of that four samples on.
            let (all, later) = (worst(&got, &want, 0), worst(&got, &want, 4));
            assert!(all < 5e-3 && later < 8e-4, "{dwell_s} {f0_mhz}: {all:.1e} {later:.1e}");
        }
    }

    #[test]
    fn a_halved_first_sample_stays_halved_and_changes_nothing_else() {
        let full = analytic(123.2, 2.5e-4, 2048);
        let halved = full.clone().with_first_point(FirstPoint::Halved);
        let mut a = full.regrid(4e-4, 123.0, 512).unwrap();
        let b = halved.regrid(4e-4, 123.0, 512).unwrap();
        a.column_mut(0).mapv_inplace(|z| z * 0.5);
        assert!(worst(&a, &b, 0) < 1e-12);
    }

    #[test]
    fn there_and_back_is_where_it_started() {
        let set = analytic(123.2, 2.5e-4, 2048);
        let mut finer = set.clone();
        finer.fids = set.regrid(1.25e-4, 123.2, 4096).unwrap();
        finer.dwell_s = 1.25e-4;
        let back = finer.regrid(2.5e-4, 123.2, 2048).unwrap();
        assert!(worst(&back, &set.fids, 0) < 1e-10);
    }

    #[test]
    fn lengths_follow_the_ratio_closely() {
        for ratio in [0.5, 1.0005, 0.829, 1.7 / 3.1, 0.01234] {
            let (from, to) = lengths(8192, ratio);
            assert!((to as f64 / (from as f64 * ratio) - 1.0).abs() < 1e-4, "{ratio}: {from} {to}");
            assert!(from % 2 == 0 && to % 2 == 0 && from < 8192 + 2 * LENGTHS_TRIED);
        }
    }

    #[test]
    fn nonsense_is_an_error() {
        let set = analytic(123.2, 2.5e-4, 64);
        for (d, f, n) in [(0.0, 123.2, 8), (2.5e-4, -1.0, 8), (2.5e-4, 123.2, 0), (0.25, 123.2, 8), (f64::NAN, 1.0, 8)]
        {
            assert!(matches!(set.regrid(d, f, n), Err(BasisError::Grid { .. })), "{d} {f} {n}");
        }
    }
}
