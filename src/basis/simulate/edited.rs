//! Edited sequences: where the editing pulses of a spectrum stand, and sets of differences and sums of conditions.

use ndarray::{ArrayView1, Axis};
use num_complex::Complex64;
use serde::Serialize;

use super::kind::Kind;
use super::{Band, Sequence};
use crate::basis::BasisSet;

/// Where pulses stand that are there for balance alone (ppm).
const ASIDE_PPM: f64 = 7.5;
/// Width of the band that ideal editing pulses turn (ppm).
const WIDTH_PPM: f64 = 0.6;
/// Part of the tallest member's signal below which a difference holds none of a member.
const CANCELLED: f64 = 1e-3;

/// One condition of a spectrum.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// How often it is added: −1 where it is subtracted.
    pub sign: f64,
    /// Where its editing pulses stand (ppm); empty: beside everything.
    pub pulses_ppm: Vec<f64>,
}

/// What is known of a spectrum's editing.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Edited {
    /// It is not edited.
    #[default]
    No,
    /// It is, and nobody says where the pulses stand.
    Unknown,
    /// The conditions that it adds up.
    Known(Vec<Condition>),
}

impl Edited {
    /// The kind of sequence that a spectrum with this editing has, or what is missing, for messages.
    pub(super) fn kind(&self, kind: Kind, name: &str) -> Result<Kind, String> {
        let is_known = matches!(self, Self::Known(_));
        match kind {
            Kind::MegaPress | Kind::MegaSemiLaser if is_known => Ok(kind),
            _ if *self == Self::No && !kind.is_edited() => Ok(kind),
            Kind::Press if is_known => Ok(Kind::MegaPress),
            Kind::SemiLaser if is_known => Ok(Kind::MegaSemiLaser),
            Kind::MegaPress | Kind::MegaSemiLaser | Kind::Press | Kind::SemiLaser => Err(format!(
                "edit_order (nobody says where the editing pulses of `{name}` stand; write it in ppm into `edit_order`, such as `1.9 7.5`)"
            )),
            Kind::Steam | Kind::Special | Kind::SpinEcho => {
                Err(format!("sequence (no editing with `{name}` can be simulated: PRESS and sLASER alone)"))
            }
        }
    }

    /// The conditions; none where it is not edited.
    pub(super) fn conditions(&self) -> &[Condition] {
        match self {
            Self::Known(conditions) => conditions,
            Self::No | Self::Unknown => &[],
        }
    }
}

/// Where pulses stand, in words.
pub(super) fn in_words(conditions: &[Condition]) -> String {
    let one = |condition: &Condition| match &condition.pulses_ppm[..] {
        [] => format!("{ASIDE_PPM}"),
        pulses => pulses.iter().map(|ppm| format!("{ppm:.2}")).collect::<Vec<_>>().join("+"),
    };
    format!("{} ppm", conditions.iter().map(one).collect::<Vec<_>>().join(", "))
}

/// The sequence of one condition; `te1_s` is of PRESS.
pub(super) fn sequence(kind: Kind, te_s: f64, te1_s: f64, pulses_ppm: &[f64]) -> Result<Sequence, String> {
    let band = |centre_ppm: f64| Band { centre_ppm, width_ppm: WIDTH_PPM };
    let bands = match *pulses_ppm {
        [] => [band(ASIDE_PPM); 2],
        [one] => [band(one); 2],
        [one, other] => [band(one), band(other)],
        _ => return Err(format!("edit_order (`{}` bands at once; one or two can be simulated)", pulses_ppm.len())),
    };
    Ok(match kind {
        Kind::SemiLaser | Kind::MegaSemiLaser => Sequence::MegaSemiLaser { te_s, bands },
        _ if bands[0] == bands[1] => Sequence::MegaPress { te_s, te1_s, band: bands[0] },
        _ => Sequence::Hermes { te_s, te1_s, bands },
    })
}

/// Leaves out the members that editing does not change, and names them: sets of nothing are refused by those who read them.
pub fn leave_out_what_cancels(set: &mut BasisSet) -> Vec<String> {
    let tallest = |fid: ArrayView1<'_, Complex64>| fid.iter().fold(0.0, |m: f64, z| m.max(z.norm()));
    let limit = CANCELLED * set.fids.outer_iter().map(tallest).fold(0.0, f64::max);
    let (kept, gone): (Vec<usize>, Vec<usize>) =
        (0..set.metabolites.len()).partition(|&row| tallest(set.fids.row(row)) > limit);
    let names = gone.iter().map(|&row| set.metabolites[row].clone()).collect();
    if !gone.is_empty() {
        set.fids = set.fids.select(Axis(0), &kept);
        set.metabolites = kept.iter().map(|&row| set.metabolites[row].clone()).collect();
    }
    names
}
