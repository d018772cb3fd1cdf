//! Whether the first sample of a set's FIDs is stored at half weight.
//!
//! The DFT of a sampled causal signal counts the jump at t = 0 in full; many simulators halve the
//! first sample so that the spectrum has no offset, others do not. Basis, data and simulated
//! components must agree, or the difference ends up in the baseline.

use ndarray::ArrayView1;
use num_complex::Complex64;

use super::BasisSet;
use crate::acquisition::hz_from_ppm;

/// Middle of the proton spectrum of metabolites (ppm).
const BAND_CENTRE_PPM: f64 = 2.5;

/// Decays (nepers) that a taper puts on an FID before its offset is measured: it silences a cut-off
/// tail and leaves t = 0 as it is.
const TAPER_NEPERS: f64 = 8.0;

/// How the sample at t = 0 is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstPoint {
    /// The value of the signal at t = 0.
    Full,
    /// Half of it.
    Halved,
}

impl FirstPoint {
    /// Factor between the stored first sample and the value of the signal at t = 0.
    pub fn weight(self) -> f64 {
        match self {
            Self::Full => 1.0,
            Self::Halved => 0.5,
        }
    }
}

impl BasisSet {
    /// How this set stores the first sample, measured on all members together.
    ///
    /// At the frequency farthest from the metabolites' band, the DFT of `c·exp(iωt)` sampled in full is
    /// c/2, and 0 if its first sample is halved: the ratio to the first sample itself is ½ or 0.
    pub fn first_point(&self) -> FirstPoint {
        let centre_hz = hz_from_ppm(BAND_CENTRE_PPM, self.f0_mhz);
        let (mut offset, mut stored) = (0.0, 0.0);
        for fid in self.fids.rows() {
            let Some(first) = fid.first().copied() else { continue };
            // Members vote by the size of their first sample relative to their own signal, so that no
            // unit of measure decides.
            let size = fid.iter().map(|z| z.norm()).fold(0.0, f64::max);
            if size > 0.0 {
                let a = antipode(fid, centre_hz * self.dwell_s) / size;
                let b = first / size;
                offset += (a * b.conj()).re;
                stored += b.norm_sqr();
            }
        }
        if stored > 0.0 && offset / stored < 0.25 { FirstPoint::Halved } else { FirstPoint::Full }
    }

    /// The same set with its first samples stored as `wanted`.
    #[must_use]
    pub fn with_first_point(mut self, wanted: FirstPoint) -> Self {
        let factor = wanted.weight() / self.first_point().weight();
        if let Some(mut column) = (self.fids.ncols() > 0).then(|| self.fids.column_mut(0)) {
            column.mapv_inplace(|z| z * factor);
        }
        self
    }
}

/// DFT value of a tapered FID at half the sampling rate from the frequency `centre_cycles` (cycles per
/// sample).
fn antipode(fid: ArrayView1<'_, Complex64>, centre_cycles: f64) -> Complex64 {
    let rate = TAPER_NEPERS / fid.len() as f64;
    let turn = Complex64::new(-rate, std::f64::consts::PI * (1.0 - 2.0 * centre_cycles));
    fid.iter().enumerate().map(|(n, z)| z * (turn * n as f64).exp()).sum()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::analytic;
    use super::*;

    #[test]
    fn tells_halved_from_full_at_every_usual_bandwidth() {
        for (f0_mhz, dwell_s) in [(63.9, 1e-3), (123.2, 2.5e-4), (127.8, 5e-4), (298.0, 3.3e-4), (400.0, 1.25e-4)] {
            let full = analytic(f0_mhz, dwell_s, 2048);
            assert_eq!(full.first_point(), FirstPoint::Full, "{f0_mhz} {dwell_s}");
            let halved = full.clone().with_first_point(FirstPoint::Halved);
            assert!((halved.fids[[0, 0]] * 2.0 - full.fids[[0, 0]]).norm() < 1e-12);
            assert_eq!(halved.first_point(), FirstPoint::Halved, "{f0_mhz} {dwell_s}");
            let back = halved.with_first_point(FirstPoint::Full);
            assert!((back.fids[[1, 0]] - full.fids[[1, 0]]).norm() < 1e-12);
        }
    }
}
