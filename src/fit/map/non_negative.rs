//! Non-negative least squares for small problems, by coordinate descent on the normal equations (Franc, Hlaváč & Navara
//! 2005, <https://doi.org/10.1007/11556121_50>).

use crate::fit::linalg::wide;

/// Sweeps over all coordinates at most.
const MOST_SWEEPS: usize = 300;

/// Moves `c` to the minimum of ½·cᵀGc − hᵀc with c ≥ 0, from where it is. `gram` is G, square, with a diagonal above zero;
/// `tolerance` is the largest step of a sweep, relative to the largest right-hand side, with which the descent ends.
pub(super) fn non_negative(gram: &[f64], h: &[f64], tolerance: f64, c: &mut [f64]) {
    wide(
        #[inline(always)]
        || descend(gram, h, tolerance, c),
    );
}

#[inline(always)]
fn descend(gram: &[f64], h: &[f64], tolerance: f64, c: &mut [f64]) {
    let n = h.len();
    let mut gradient: Vec<f64> = h
        .iter()
        .zip(gram.chunks_exact(n.max(1)))
        .map(|(h, row)| h - row.iter().zip(&*c).map(|(g, c)| g * c).sum::<f64>())
        .collect();
    let scale = h.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    for _ in 0..MOST_SWEEPS {
        let mut largest = 0.0_f64;
        for i in 0..n {
            let row = &gram[i * n..(i + 1) * n];
            let moved = (c[i] + gradient[i] / row[i]).max(0.0);
            let step = moved - c[i];
            if step != 0.0 {
                c[i] = moved;
                gradient.iter_mut().zip(row).for_each(|(g, own)| *g -= step * own);
                largest = largest.max(step.abs());
            }
        }
        if largest <= tolerance * scale {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minimum_has_no_way_down_inside_the_bounds() {
        // A correlated problem whose free minimum has a negative coordinate.
        let gram = [2.0, 1.2, 0.3, 1.2, 2.0, 0.9, 0.3, 0.9, 1.0];
        let h = [1.0, 0.2, 0.9];
        let mut c = [0.0; 3];
        non_negative(&gram, &h, 1e-4, &mut c);
        for i in 0..3 {
            let gradient: f64 = h[i] - (0..3).map(|j| gram[i * 3 + j] * c[j]).sum::<f64>();
            assert!(c[i] >= 0.0 && gradient < 1e-3, "{c:?}");
            assert!(c[i] == 0.0 || gradient.abs() < 1e-3, "{c:?}");
        }
        assert_eq!(c[1], 0.0);
    }
}
