//! Eigenvalues and single eigenvectors of a symmetric tridiagonal matrix, as Lanczos' iteration makes it: a library finds all
//! vectors or none, and of a hundred or more some thirty are wanted.

/// Steps that an eigenvalue may take: as many as LAPACK allows.
const MOST_STEPS: usize = 30;
/// Times that an eigenvector is computed, each with the eigenvalue that the one before tells: the error is cubed.
const REFINEMENTS: usize = 2;

/// Eigenvalues in descending order, by QL steps with implicit shifts (Golub and Van Loan, Matrix Computations, 8.3). `beside`
/// has at least one value less than `diagonal`; `None` where one is not found.
pub(super) fn eigenvalues(diagonal: &[f64], beside: &[f64]) -> Option<Vec<f64>> {
    let n = diagonal.len();
    let (mut d, mut e) = (diagonal.to_vec(), beside.get(..n.checked_sub(1)?)?.to_vec());
    e.push(0.0);
    for first in 0..n {
        let mut steps = 0;
        loop {
            let is_split = |&i: &usize| e[i].abs() <= f64::EPSILON * (d[i].abs() + d[i + 1].abs());
            let last = (first..n - 1).find(is_split).unwrap_or(n - 1);
            if last == first {
                break;
            }
            steps += 1;
            if steps > MOST_STEPS {
                return None;
            }
            step(&mut d, &mut e, first, last);
        }
    }
    d.sort_by(|a, b| b.total_cmp(a));
    Some(d)
}

/// One step on the block from `first` to `last`.
fn step(d: &mut [f64], e: &mut [f64], first: usize, last: usize) {
    let half = (d[first + 1] - d[first]) / (2.0 * e[first]);
    let mut g = d[last] - d[first] + e[first] / (half + half.hypot(1.0).copysign(half));
    let (mut sine, mut cosine, mut shift) = (1.0, 1.0, 0.0);
    for i in (first..last).rev() {
        let (f, b) = (sine * e[i], cosine * e[i]);
        let r = (f * f + g * g).sqrt();
        e[i + 1] = r;
        if r == 0.0 {
            // The block falls apart here.
            d[i + 1] -= shift;
            e[last] = 0.0;
            return;
        }
        (sine, cosine) = (f / r, g / r);
        g = d[i + 1] - shift;
        let s = (d[i] - g) * sine + 2.0 * cosine * b;
        shift = sine * s;
        d[i + 1] = g + shift;
        g = cosine * s - b;
    }
    d[first] -= shift;
    e[first] = g;
    e[last] = 0.0;
}

/// The eigenvalue next to `near`, and its eigenvector of length one.
///
/// The recurrence of its entries is gone through from both ends, and both are joined where they fit worst: there the vector is
/// large (Parlett and Dhillon, Linear Algebra Appl 267:247, 1997).
pub(super) fn eigenvector(diagonal: &[f64], beside: &[f64], near: f64) -> (f64, Vec<f64>) {
    let n = diagonal.len();
    let tiny = f64::EPSILON.powi(2) * near.abs().max(f64::MIN_POSITIVE);
    let pivot = |x: f64| if x.abs() < tiny { tiny } else { x };
    let (mut down, mut up, mut vector) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
    let mut value = near;
    for _ in 0..REFINEMENTS {
        for i in 0..n {
            let above = if i > 0 { beside[i - 1] * (beside[i - 1] / down[i - 1]) } else { 0.0 };
            down[i] = pivot(diagonal[i] - value - above);
        }
        for i in (0..n).rev() {
            let below = if i + 1 < n { beside[i] * (beside[i] / up[i + 1]) } else { 0.0 };
            up[i] = pivot(diagonal[i] - value - below);
        }
        let misfit = |i: usize| down[i] + up[i] - (diagonal[i] - value);
        let joint = (0..n).min_by(|&a, &b| misfit(a).abs().total_cmp(&misfit(b).abs())).unwrap_or(0);
        vector[joint] = 1.0;
        for i in (0..joint).rev() {
            vector[i] = -beside[i] / down[i] * vector[i + 1];
        }
        for i in joint + 1..n {
            vector[i] = -beside[i - 1] / up[i] * vector[i - 1];
        }
        let square = vector.iter().map(|x| x * x).sum::<f64>();
        // Rayleigh's quotient.
        value += misfit(joint) / square;
        vector.iter_mut().for_each(|x| *x /= square.sqrt());
    }
    (value, vector)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use faer::{Mat, Side};

    use super::*;

    /// A library's decomposition of the same matrix is the referee, and the equation of each vector.
    #[test]
    fn values_and_vectors_are_those_of_the_matrix() {
        for (n, fall) in [(1, 1.0), (2, 1.0), (40, 1.0), (120, 0.85)] {
            // Values fall by powers, as those of water, metabolites and noise do.
            let size = |i: usize| f64::powi(fall, i as i32) + 1e-6;
            let diagonal: Vec<f64> = (0..n).map(|i| size(i) * (2.0 + (i as f64 * 1.7).sin())).collect();
            let beside: Vec<f64> = (0..n).map(|i| size(i) * (0.6 + 0.3 * (i as f64 * 0.9).cos())).collect();
            let matrix = Mat::from_fn(n, n, |i, j| match i.abs_diff(j) {
                0 => diagonal[i],
                1 => beside[i.min(j)],
                _ => 0.0,
            });
            let wanted = matrix.self_adjoint_eigen(Side::Lower).unwrap();
            let wanted = wanted.S().column_vector();
            let values = eigenvalues(&diagonal, &beside).unwrap();
            let largest = values[0];
            for (k, value) in values.iter().enumerate() {
                assert!((value - wanted[n - 1 - k]).abs() < 1e-13 * largest, "{n} {k}: {value}");
                let (value, vector) = eigenvector(&diagonal, &beside, *value);
                assert!((value - wanted[n - 1 - k]).abs() < 1e-13 * largest, "{n} {k}: {value}");
                let vector = Mat::from_fn(n, 1, |i, _| vector[i]);
                assert!((vector.norm_l2() - 1.0).abs() < 1e-12);
                let rest = &matrix * &vector - faer::Scale(value) * &vector;
                assert!(rest.norm_l2() < 1e-14 * largest, "{n} {k}: {}", rest.norm_l2());
            }
        }
    }

    #[test]
    fn what_falls_apart_and_what_is_no_number_are_no_trouble() {
        assert_eq!(eigenvalues(&[3.0, 1.0, 2.0], &[0.0, 0.0]), Some(vec![3.0, 2.0, 1.0]));
        assert_eq!(eigenvalues(&[], &[]), None);
        assert_eq!(eigenvalues(&[f64::NAN, 1.0], &[1.0]), None);
    }
}
