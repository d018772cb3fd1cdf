//! What one proton gives in a basis set's units: the size of a reference singlet.

use crate::basis::BasisSet;
use crate::basis::names::Singlet;
use crate::basis::singlets::REFERENCES;

/// Part of NAA's signal per proton below which a singlet is a remnant, as of creatine in an edited difference: it scales
/// nothing.
const REMNANT: f64 = 0.2;

/// Signal at t = 0 of one proton at amplitude 1, in the units of the basis set's FIDs, and the singlet
/// that it comes from; `None` where no reference singlet is there.
///
/// It is measured from the exponentials of which the member's FID is the sum ([`BasisSet::singlet`]), so that neighbours in
/// the molecule and the reference peaks that some basis sets carry do not count, and no width is too large. A singlet that
/// nearly cancels beside NAA's is passed over.
pub fn signal_per_proton(basis: &BasisSet) -> Option<(f64, &'static str)> {
    let measured = |singlet: &Singlet| {
        let row = basis.position(singlet.metabolite)?;
        Some((basis.singlet(row, singlet.ppm)?.amplitude / singlet.protons, singlet.metabolite))
    };
    let naa = REFERENCES.iter().filter(|singlet| singlet.metabolite.ends_with("NAA")).find_map(measured);
    let is_whole = |(signal, _): &(f64, &str)| naa.is_none_or(|(naa, _)| *signal >= REMNANT * naa);
    REFERENCES.iter().filter_map(measured).find(is_whole)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use ndarray::Array2;
    use num_complex::Complex64;
    use std::f64::consts::PI;

    /// A set of singlets with these sizes of a proton.
    fn set(members: &[(&str, f64, f64, f64)]) -> BasisSet {
        let (f0_mhz, dwell_s) = (123.2, 5e-4);
        let fids = Array2::from_shape_fn((members.len(), 2048), |(row, n)| {
            let (_, ppm, protons, size) = members[row];
            let t = n as f64 * dwell_s;
            Complex64::from_polar(protons * size * (-PI * 2.0 * t).exp(), 2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t)
        });
        BasisSet {
            id: "set".into(),
            metabolites: members.iter().map(|m| m.0.to_owned()).collect(),
            fids,
            dwell_s,
            f0_mhz,
            te_s: None,
            sequence: None,
            linewidth_hz: None,
            fwhmba_ppm: None,
            singlet_fwhm_hz: None,
            sha256: String::new(),
            remarks: Vec::new(),
        }
    }

    #[test]
    fn a_singlet_that_cancels_scales_nothing() {
        let of = |creatine: f64| signal_per_proton(&set(&[("Cr", 3.027, 3.0, creatine), ("NAA", 2.008, 3.0, 0.5)]));
        let (signal, name) = of(0.4).unwrap();
        assert!(name == "Cr" && (signal - 0.4).abs() < 1e-3);
        for remnant in [0.001, 0.05, 0.09] {
            let (signal, name) = of(remnant).unwrap();
            assert!(name == "NAA" && (signal - 0.5).abs() < 1e-3, "{remnant}: {signal} of {name}");
        }
        // Nothing to compare it with.
        assert_eq!(signal_per_proton(&set(&[("Cr", 3.027, 3.0, 0.01)])).unwrap().1, "Cr");
    }
}
