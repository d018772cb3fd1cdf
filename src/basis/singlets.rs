//! The singlets of a basis set as they are in it: where they lie, how large and how broad they are.

use std::f64::consts::PI;

use num_complex::Complex64;

use super::BasisSet;
use super::names::Singlet;
use crate::acquisition::hz_from_ppm;
use crate::signal::exponentials::{Exponential, exponentials};
use crate::signal::median::upper_median;

/// How far from its place a singlet is looked for (ppm).
const SEARCH_PPM: f64 = 0.2;
/// Exponentials so near to a singlet are its own (ppm): a Gaussian line is a bundle of them. The next line of creatine lies
/// 0.89 ppm away, of NAA 0.48, of GPC 0.39.
const REACH_PPM: f64 = 0.25;
/// Width of the band that is taken apart: so many ppm, and at high field so many Hz, so that a Gaussian line is seen long
/// enough to be told from a Lorentzian one.
const BAND_PPM: f64 = 6.0;
const BAND_HZ: f64 = 900.0;
/// Smallest and largest half width that is measured (Hz).
const NARROWEST_HZ: f64 = 0.05;
const BROADEST_HZ: f64 = 200.0;

/// Distance of a singlet from where the others say that it belongs, from which a fit's own shifts no longer reach it (ppm).
pub const MISPLACED_PPM: f64 = 0.03;

/// Singlets without neighbours, which say how large a proton is, the first that is there before the others. Creatine's methyl
/// is LCModel's choice (WSMET, WSPPM, N1HMET); sums come last, as somebody may have added up their members.
pub const REFERENCES: [Singlet; 11] = [
    Singlet { metabolite: "Cr", ppm: 3.027, protons: 3.0 },
    Singlet { metabolite: "PCr", ppm: 3.029, protons: 3.0 },
    Singlet { metabolite: "NAA", ppm: 2.008, protons: 3.0 },
    Singlet { metabolite: "GPC", ppm: 3.212, protons: 9.0 },
    Singlet { metabolite: "PCh", ppm: 3.208, protons: 9.0 },
    Singlet { metabolite: "Cho", ppm: 3.185, protons: 9.0 },
    Singlet { metabolite: "Scyllo", ppm: 3.340, protons: 6.0 },
    Singlet { metabolite: "Gly", ppm: 3.548, protons: 2.0 },
    Singlet { metabolite: "tCr", ppm: 3.027, protons: 3.0 },
    Singlet { metabolite: "tNAA", ppm: 2.008, protons: 3.0 },
    Singlet { metabolite: "tCho", ppm: 3.210, protons: 9.0 },
];

/// A singlet as it is in a basis set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measured {
    /// Signal at the first sample, of all its protons.
    pub amplitude: f64,
    /// Full width at half maximum (Hz).
    pub fwhm_hz: f64,
}

impl BasisSet {
    /// The singlet of `row` near `ppm`, from the decaying exponentials that the FID is the sum of: right at any width and
    /// field, for Lorentzian and Gaussian lines, for FIDs that are cut off, and whatever their first sample is. `None` where
    /// there is none.
    pub fn singlet(&self, row: usize, ppm: f64) -> Option<Measured> {
        let near = self.peak_ppm(row, ppm, SEARCH_PPM)?;
        let fid = self.fids.rows().into_iter().nth(row)?.to_vec();
        let centre_hz = hz_from_ppm(near, self.f0_mhz);
        let mut own = exponentials(&fid, self.dwell_s, centre_hz, BAND_HZ.min(BAND_PPM * self.f0_mhz));
        own.retain(|e| (e.frequency_hz - centre_hz).abs() < REACH_PPM * self.f0_mhz);
        let amplitude = own.iter().map(|e| e.amplitude).sum::<Complex64>().norm();
        let line = Line(&own);
        let top = line.at(centre_hz);
        let fwhm_hz = line.side(centre_hz, top, 1.0)? + line.side(centre_hz, top, -1.0)?;
        (amplitude > 0.0 && amplitude.is_finite()).then_some(Measured { amplitude, fwhm_hz })
    }

    /// Phase (rad) of the singlet of `row` near `ppm` at its tallest point.
    pub fn singlet_phase_rad(&self, row: usize, ppm: f64) -> Option<f64> {
        let near_hz = hz_from_ppm(self.peak_ppm(row, ppm, SEARCH_PPM)?, self.f0_mhz);
        let step = Complex64::from_polar(1.0, -2.0 * PI * near_hz * self.dwell_s);
        // The spectrum there, by Horner's scheme: from the last sample to the first.
        let fid = self.fids.rows().into_iter().nth(row)?;
        Some(fid.iter().rev().fold(Complex64::default(), |sum, z| sum * step + z).arg())
    }

    /// Width of this set's singlets (FWHM, Hz), whatever its header states: of the first reference that is there.
    pub fn measured_linewidth_hz(&self) -> Option<f64> {
        let strong = self.strong_references();
        strong.into_iter().find_map(|(row, s)| self.singlet(row, s.ppm)).map(|singlet| singlet.fwhm_hz)
    }

    /// The singlets that lie elsewhere than the others do, and by how much (ppm): members made for another field or
    /// reference than the rest. Empty where all agree, also on a common offset.
    pub fn misplaced_singlets(&self) -> Vec<(String, f64)> {
        let strong = self.strong_references();
        let offsets: Vec<(String, f64)> = strong
            .into_iter()
            .filter_map(|(row, s)| Some((s.metabolite.to_owned(), self.peak_ppm(row, s.ppm, SEARCH_PPM)? - s.ppm)))
            .collect();
        let usual = upper_median(offsets.iter().map(|(_, offset)| *offset));
        let from_usual = offsets.into_iter().map(|(name, offset)| (name, offset - usual));
        from_usual.filter(|(_, apart)| apart.abs() > MISPLACED_PPM).collect()
    }

    /// The references that are there and no remnants, as of a difference in which they cancel.
    pub(super) fn strong_references(&self) -> Vec<(usize, Singlet)> {
        /// Part of the largest below which a member is a remnant, counted by its protons.
        const REMNANT: f64 = 0.1;
        let norm = |row: usize| self.fids.row(row).iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        let all: Vec<(usize, Singlet, f64)> = REFERENCES
            .iter()
            .filter_map(|s| self.metabolites.iter().position(|m| m == s.metabolite).map(|row| (row, *s)))
            .map(|(row, s)| (row, s, norm(row) / s.protons))
            .collect();
        let largest = all.iter().map(|(_, _, size)| *size).fold(0.0, f64::max);
        all.into_iter().filter(|(_, _, size)| *size > REMNANT * largest).map(|(row, s, _)| (row, s)).collect()
    }
}

/// A line made of exponentials.
struct Line<'a>(&'a [Exponential]);

impl Line<'_> {
    /// Its spectrum at a frequency.
    fn at(&self, hz: f64) -> Complex64 {
        let each = self.0.iter();
        each.map(|e| e.amplitude / Complex64::new(PI * e.width_hz, 2.0 * PI * (hz - e.frequency_hz))).sum()
    }

    /// How far from its top (Hz, in the direction of `sign`) the absorption of a line is half as high.
    fn side(&self, top_hz: f64, top: Complex64, sign: f64) -> Option<f64> {
        let turn = Complex64::from_polar(1.0, -top.arg());
        let is_above = |away: f64| (self.at(top_hz + sign * away) * turn).re > 0.5 * top.norm();
        let mut outside = NARROWEST_HZ;
        while is_above(outside) {
            outside *= 1.5;
            if outside > BROADEST_HZ {
                return None;
            }
        }
        let mut inside = 0.0;
        while outside - inside > 1e-3 * outside {
            let middle = 0.5 * (inside + outside);
            *(if is_above(middle) { &mut inside } else { &mut outside }) = middle;
        }
        Some(outside)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::analytic;
    use super::*;
    use crate::signal::linewidth::voigt_fwhm_hz;
    use std::f64::consts::LN_2;

    #[test]
    fn singlets_are_measured_at_any_width_field_and_first_sample() {
        for (f0_mhz, dwell_s) in [(63.87, 1e-3), (123.2, 5e-4), (400.0, 2e-4)] {
            for (lorentz_hz, gauss_hz) in [(0.5, 0.0), (8.0, 0.0), (0.0, 3.0), (0.0, 8.0)] {
                let mut set = analytic(f0_mhz, dwell_s, 2048);
                set.metabolites = vec!["Cr".to_owned(), "Lac".to_owned()];
                for (n, z) in set.fids.row_mut(0).iter_mut().enumerate() {
                    let t = n as f64 * dwell_s;
                    let decay = -PI * lorentz_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * LN_2);
                    let line = |ppm: f64, size: f64| {
                        Complex64::from_polar(size * decay.exp(), 2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t)
                    };
                    *z = line(3.027, 3.0) + line(3.913, 2.0) + line(0.0, 0.5);
                }
                // Half of the sets store half of it.
                set.fids[[0, 0]] *= if gauss_hz > 0.0 { 0.5 } else { 1.0 };
                let found = set.singlet(0, 3.027).unwrap();
                let case = format!("{f0_mhz} MHz, {lorentz_hz} + {gauss_hz} Hz: {found:?}");
                assert!((found.amplitude / 3.0 - 1.0).abs() < 2e-3, "{case}");
                assert!((found.fwhm_hz / voigt_fwhm_hz(lorentz_hz, gauss_hz) - 1.0).abs() < 0.06, "{case}");
            }
        }
    }

    #[test]
    fn the_width_of_a_set_is_that_of_its_singlets() {
        // The two lines of `analytic` decay with 9/s and 8/s.
        let set = analytic(123.2, 2.5e-4, 4096);
        assert!((set.measured_linewidth_hz().unwrap() * PI / 9.0 - 1.0).abs() < 0.01);
        let mut unknown = set;
        unknown.metabolites = vec!["Foo".to_owned(), "Bar".to_owned()];
        assert_eq!(unknown.measured_linewidth_hz(), None);
    }
}
