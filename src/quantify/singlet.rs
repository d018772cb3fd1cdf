//! What one proton gives in a basis set's units: the size of a reference singlet.

use crate::basis::BasisSet;
use crate::basis::singlets::REFERENCES;

/// Signal at t = 0 of one proton at amplitude 1, in the units of the basis set's FIDs, and the singlet
/// that it comes from; `None` where no reference singlet is there.
///
/// It is measured from the exponentials of which the member's FID is the sum ([`BasisSet::singlet`]), so that neighbours in
/// the molecule and the reference peaks that some basis sets carry do not count, and no width is too large.
pub fn signal_per_proton(basis: &BasisSet) -> Option<(f64, &'static str)> {
    REFERENCES.iter().find_map(|singlet| {
        let row = basis.position(singlet.metabolite)?;
        Some((basis.singlet(row, singlet.ppm)?.amplitude / singlet.protons, singlet.metabolite))
    })
}
