//! The Laplace approximation of a posterior, as what chains take their coordinates from.

use super::walls::Shape;
use crate::fit::linalg;

/// How often a probe halves its distance.
const MOST_HALVINGS: usize = 30;

/// A solution, its inverse covariance, and how far parameters may go.
pub(crate) struct Laplace<'a> {
    /// Lower triangle, column-major.
    pub(crate) precision: Vec<f64>,
    /// The solution.
    pub(crate) centre: &'a [f64],
    /// How low and how high each parameter may be, infinite where it is free.
    pub(crate) bounds: Vec<[f64; 2]>,
}

impl Laplace<'_> {
    /// Coordinates for chains; `None` where the precision has no Cholesky factor.
    ///
    /// A curvature says little of a parameter that is pressed against its bound, or that acts by its square. The scale of
    /// each parameter at a bound is at most the distance into which the potential rises by a half.
    pub(super) fn shape(mut self, potential: &mut impl FnMut(&[f64], &mut [f64]) -> f64) -> Option<Shape> {
        let n = self.centre.len();
        let (mut at, mut ignored) = (self.centre.to_vec(), vec![0.0; n]);
        let lowest = potential(&at, &mut ignored);
        for (i, &[low, high]) in self.bounds.iter().enumerate() {
            let inwards = match at[i] {
                x if x <= low => 1.0,
                x if x >= high => -1.0,
                _ => continue,
            };
            let diagonal = &mut self.precision[i * (n + 1)];
            let mut distance = diagonal.sqrt().recip().min(high - low);
            for _ in 0..MOST_HALVINGS {
                at[i] = self.centre[i] + inwards * distance;
                // Within a factor of two of a half.
                if potential(&at, &mut ignored) - lowest < 1.0 {
                    break;
                }
                distance *= 0.5;
            }
            at[i] = self.centre[i];
            *diagonal = diagonal.max(distance.powi(-2));
        }
        linalg::cholesky(&mut self.precision, n).ok()?;
        Some(Shape::new(self.precision, self.centre, self.bounds))
    }
}
