//! Whether the first sample of a set's FIDs is stored at half weight.
//!
//! The DFT of a sampled causal signal counts the jump at t = 0 in full; many simulators halve the
//! first sample so that the spectrum has no offset, others do not. Basis, data and simulated
//! components must agree, or the difference ends up in the baseline.

use ndarray::ArrayView1;
use num_complex::Complex64;

use super::BasisSet;
use crate::acquisition::hz_from_ppm;
use crate::signal::progression;

/// Middle of the proton spectrum of metabolites (ppm).
const BAND_CENTRE_PPM: f64 = 2.5;

/// Decays (nepers) that a taper puts on an FID before its offset is measured: it silences a cut-off
/// tail and leaves t = 0 as it is.
const TAPER_NEPERS: f64 = 8.0;

/// A first sample below this fraction of the largest says nothing: the lines cancel at t = 0.
const TELLING: f64 = 0.02;

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

impl FirstPoint {
    /// How `fid` (metabolite signal without strong water) stores t = 0; `None` where its first sample is
    /// too small to tell.
    ///
    /// At the frequency farthest from the metabolites' band, the DFT of `c·exp(iωt)` sampled in full is
    /// c/2, and 0 if its first sample is halved: the ratio to the first sample itself is ½ or 0.
    pub fn measure(fid: ArrayView1<'_, Complex64>, dwell_s: f64, f0_mhz: f64) -> Option<Self> {
        let first = fid.first().copied()?;
        let largest = fid.iter().map(|z| z.norm()).fold(0.0, f64::max);
        if first.norm() <= TELLING * largest {
            return None;
        }
        let offset = antipode(fid, hz_from_ppm(BAND_CENTRE_PPM, f0_mhz) * dwell_s) / first;
        Some(if offset.re < 0.25 { Self::Halved } else { Self::Full })
    }
}

impl BasisSet {
    /// How the members of this set store the first sample: what most of them do.
    pub fn first_point(&self) -> FirstPoint {
        of_most(&self.measured())
    }

    /// How each member stores its first sample. They need not agree: measured macromolecules come from
    /// another program than simulated metabolites. A member that cannot tell goes with the others.
    pub fn first_points(&self) -> Vec<FirstPoint> {
        let measured = self.measured();
        let most = of_most(&measured);
        measured.into_iter().map(|own| own.unwrap_or(most)).collect()
    }

    fn measured(&self) -> Vec<Option<FirstPoint>> {
        let of = |fid| FirstPoint::measure(fid, self.dwell_s, self.f0_mhz);
        self.fids.rows().into_iter().map(of).collect()
    }

    /// The same set with the first samples of all members stored as `wanted`.
    #[must_use]
    pub fn with_first_point(mut self, wanted: FirstPoint) -> Self {
        let stored = self.first_points();
        for (mut fid, stored) in self.fids.rows_mut().into_iter().zip(stored) {
            if let Some(first) = fid.first_mut() {
                *first *= wanted.weight() / stored.weight();
            }
        }
        self
    }
}

/// What most of those do that can tell.
fn of_most(measured: &[Option<FirstPoint>]) -> FirstPoint {
    let count = |wanted| measured.iter().filter(|own| **own == Some(wanted)).count();
    if count(FirstPoint::Halved) > count(FirstPoint::Full) { FirstPoint::Halved } else { FirstPoint::Full }
}

/// DFT value of a tapered FID at half the sampling rate from the frequency `centre_cycles` (cycles per
/// sample).
fn antipode(fid: ArrayView1<'_, Complex64>, centre_cycles: f64) -> Complex64 {
    let rate = TAPER_NEPERS / fid.len() as f64;
    let turn = Complex64::new(-rate, std::f64::consts::PI * (1.0 - 2.0 * centre_cycles));
    match fid.as_slice() {
        Some(fid) => progression::weighted_sum(fid, turn.exp()),
        None => progression::weighted_sum(&fid.to_vec(), turn.exp()),
    }
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
            assert_eq!(halved.first_points(), [FirstPoint::Halved; 2]);
            assert!((halved.fids[[0, 0]] * 2.0 - full.fids[[0, 0]]).norm() < 1e-12);
            assert_eq!(halved.first_point(), FirstPoint::Halved, "{f0_mhz} {dwell_s}");
            let back = halved.with_first_point(FirstPoint::Full);
            assert!((back.fids[[1, 0]] - full.fids[[1, 0]]).norm() < 1e-12);
        }
    }

    #[test]
    fn members_need_not_agree() {
        let mut set = analytic(123.2, 2.5e-4, 2048);
        set.fids[[1, 0]] *= 0.5;
        assert_eq!(set.first_points(), [FirstPoint::Full, FirstPoint::Halved]);
        let set = set.with_first_point(FirstPoint::Full);
        assert_eq!(set.first_points(), [FirstPoint::Full; 2]);
        assert_eq!(FirstPoint::measure(ndarray::Array1::zeros(16).view(), 1e-3, 123.2), None);
    }
}
