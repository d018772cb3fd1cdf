//! Readouts of water among the transients of metabolites, as exports put a reference beside them: averaged in, they would lower
//! every amplitude, and the foot of their water would be fitted.

use num_complex::Complex64;

use crate::signal::magnitudes::{METABOLITES_PPM, Magnitudes, WATER_PPM};
use crate::signal::median::median;

/// Height of water over the tallest metabolite from which it was not suppressed, or as good as not: without suppression it
/// stands above a thousand times, of which taking it away leaves the metabolites' height a few times; with poor suppression
/// twenty times.
pub const UNSUPPRESSED: f64 = 100.0;
/// How many times taller than in most transients water is in one without suppression, at least: poor suppression varies less.
const TALLER: f64 = 5.0;

/// Places of the transients that are no readouts of water; `None` where there are no such readouts.
///
/// A readout of water has more of it than most of the others, and so much over their metabolites as no suppression leaves. What
/// else differs is left to the step `reject`.
pub(super) fn others(transients: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Option<Vec<usize>> {
    if transients.len() < 2 {
        return None;
    }
    let magnitudes = transients.iter().map(|fid| Magnitudes::new(fid, dwell_s, f0_mhz));
    let (water, metabolites): (Vec<f64>, Vec<f64>) =
        magnitudes.map(|m| (m.tallest(WATER_PPM), m.tallest(METABOLITES_PPM))).unzip();
    let mut sorted = water.clone();
    sorted.sort_by(f64::total_cmp);
    // The lower of the middle two: of as many of each kind, the metabolites.
    let typical = sorted[(sorted.len() - 1) / 2];
    let is_taller = |t: &usize| water[*t] >= TALLER * typical;
    let of_others: Vec<f64> = (0..water.len()).filter(|t| !is_taller(t)).map(|t| metabolites[t]).collect();
    let tallest = median(&of_others)?;
    let kept: Vec<usize> = (0..water.len()).filter(|t| !(is_taller(t) && water[*t] > UNSUPPRESSED * tallest)).collect();
    (kept.len() < water.len()).then_some(kept)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::edit_test_scans::{DWELL_S, F0_MHZ, PLAIN, Row, scan};
    use super::*;

    fn kept(water: &[f64]) -> Option<Vec<usize>> {
        let data = scan(water.len(), 1.0, |row| Row { water: water[row], ..PLAIN });
        let transients: Vec<Vec<Complex64>> = (0..water.len()).map(|t| data.samples.fid([0, 0, t, 0])).collect();
        others(&transients, DWELL_S, F0_MHZ)
    }

    #[test]
    fn water_among_few_metabolites_is_told() {
        assert_eq!(kept(&[2e4, 20.0, 20.0, 20.0]), Some(vec![1, 2, 3]));
        assert_eq!(kept(&[20.0, 2e4]), Some(vec![0]));
        assert_eq!(kept(&[20.0, 20.0, 2e4, 2e4]), Some(vec![0, 1]));
    }

    #[test]
    fn poor_suppression_and_water_alone_are_not() {
        for water in
            [&[20.0, 20.0, 20.0][..], &[300.0, 20.0, 30.0], &[0.1, 200.0, 0.3, 150.0], &[2e4, 1.9e4, 2.1e4], &[2e4]]
        {
            assert_eq!(kept(water), None, "{water:?}");
        }
    }

    #[test]
    fn they_are_left_out_of_the_mean_and_said() {
        let clean = crate::prepare::prepare(&scan(3, 1.0, |_| PLAIN), None, 0).remove(0).1.unwrap();
        let among = scan(4, 1.0, |row| Row { water: if row == 1 { 2e4 } else { 20.0 }, ..PLAIN });
        let spectrum = crate::prepare::prepare(&among, None, 0).remove(0).1.unwrap();
        assert_eq!(spectrum.record.kept, [true, false, true, true]);
        assert!(spectrum.record.flags.contains(&"water_among_transients"), "{:?}", spectrum.record.flags);
        let naa = |fid: &[Complex64]| Magnitudes::new(fid, DWELL_S, F0_MHZ).tallest(METABOLITES_PPM);
        assert!((naa(&spectrum.fid) / naa(&clean.fid) - 1.0).abs() < 0.02);
        assert!(!clean.record.flags.contains(&"water_among_transients"));
    }
}
