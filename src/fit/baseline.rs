//! The baseline: cubic B-splines on uniform knots with a penalty on second differences
//! (P-splines: Eilers & Marx 1996, <https://doi.org/10.1214/ss/1038425655>).

use std::ops::Range;

use super::linalg::{add_symmetric, wide};

/// Splines that are not zero at any one point.
pub const ORDER: usize = 4;
/// Splines of a group: as many as lie in one register.
const GROUP: usize = 16;

/// B-spline values on the fitted bins and the constant matrices of the penalty.
#[derive(Debug, Clone)]
pub struct Baseline {
    /// Number of splines (0: no baseline).
    pub n_splines: usize,
    /// Bins in each knot interval.
    intervals: Vec<Range<usize>>,
    /// First of the [`ORDER`] splines that are not zero at each bin.
    pub first: Vec<usize>,
    /// Their values at each bin.
    pub values: Vec<[f64; ORDER]>,
    /// The splines as columns, `[spline × bin]`, zeros and all.
    pub(crate) columns: Vec<f64>,
    /// The same in single precision.
    pub(crate) columns_f32: Vec<f32>,
    /// Neighbouring splines and the bins where any of them is not zero: a product of matrices for each of these is faster than one
    /// of all splines and bins, and than one that leaves all zeros out.
    pub(crate) groups: Vec<(Range<usize>, Range<usize>)>,
    /// Lower triangle of BᵀB, column-major.
    pub gram: Vec<f64>,
    /// Lower triangle of D₂ᵀD₂, column-major.
    pub penalty: Vec<f64>,
    /// D₂ᵀ, column-major: `n_splines` rows, `n_splines − 2` columns.
    pub differences: Vec<f64>,
}

impl Baseline {
    /// Splines at `per_ppm` a ppm over the fitted bins `ppm` (falling).
    pub fn new(ppm: &[f64], per_ppm: f64) -> Self {
        let (high, low) = match (ppm.first(), ppm.last()) {
            (Some(&high), Some(&low)) if per_ppm > 0.0 && high > low => (high, low),
            _ => return Self::none(ppm.len()),
        };
        let intervals = ((high - low) * per_ppm).round().max(1.0) as usize;
        let n = intervals + ORDER - 1;
        let mut first = Vec::with_capacity(ppm.len());
        let mut values = Vec::with_capacity(ppm.len());
        let mut gram = vec![0.0; n * n];
        for &delta in ppm {
            let x = (high - delta) / (high - low) * intervals as f64;
            let interval = (x.floor() as usize).min(intervals - 1);
            let v = uniform_cubic(x - interval as f64);
            for a in 0..ORDER {
                for b in 0..=a {
                    add_symmetric(&mut gram, n, interval + a, interval + b, v[a] * v[b]);
                }
            }
            first.push(interval);
            values.push(v);
        }
        let mut differences = vec![0.0; n * (n - 2)];
        let mut penalty = vec![0.0; n * n];
        const SECOND: [f64; 3] = [1.0, -2.0, 1.0];
        for row in 0..n - 2 {
            for (a, &va) in SECOND.iter().enumerate() {
                differences[row * n + row + a] = va;
                for (b, &vb) in SECOND.iter().enumerate().take(a + 1) {
                    add_symmetric(&mut penalty, n, row + a, row + b, va * vb);
                }
            }
        }
        let bins_before = |interval: usize| first.partition_point(|&f| f < interval);
        let ranges = (0..intervals).map(|i| bins_before(i)..bins_before(i + 1)).collect();
        let mut columns = vec![0.0; n * ppm.len()];
        for (bin, (first, values)) in first.iter().zip(&values).enumerate() {
            values.iter().enumerate().for_each(|(a, v)| columns[(first + a) * ppm.len() + bin] = *v);
        }
        let columns_f32 = columns.iter().map(|v| *v as f32).collect();
        let group = |from: usize| {
            let splines = from..(from + GROUP).min(n);
            let bins = bins_before((from + 1).saturating_sub(ORDER))..bins_before(splines.end);
            (splines, bins)
        };
        let groups = (0..n).step_by(GROUP).map(group).collect();
        Self {
            n_splines: n,
            intervals: ranges,
            first,
            values,
            columns,
            columns_f32,
            groups,
            gram,
            penalty,
            differences,
        }
    }

    fn none(n_points: usize) -> Self {
        Self {
            n_splines: 0,
            intervals: Vec::new(),
            first: vec![0; n_points],
            values: vec![[0.0; ORDER]; n_points],
            columns: Vec::new(),
            columns_f32: Vec::new(),
            groups: Vec::new(),
            gram: Vec::new(),
            penalty: Vec::new(),
            differences: Vec::new(),
        }
    }

    /// Adds B·`coefficients` to `out`.
    pub fn add_to(&self, coefficients: &[f64], out: &mut [f64]) {
        if self.n_splines == 0 {
            return;
        }
        for ((o, &first), v) in out.iter_mut().zip(&self.first).zip(&self.values) {
            let c = &coefficients[first..first + ORDER];
            *o += v[0] * c[0] + v[1] * c[1] + v[2] * c[2] + v[3] * c[3];
        }
    }

    /// Bᵀ·`column` into `out`.
    pub fn project(&self, column: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        wide(
            #[inline(always)]
            || {
                // Bins of one knot interval share their four splines: four running sums, stored once.
                for (interval, range) in self.intervals.iter().enumerate() {
                    let mut sum = [0.0; ORDER];
                    for (&value, splines) in column[range.clone()].iter().zip(&self.values[range.clone()]) {
                        for a in 0..ORDER {
                            sum[a] += splines[a] * value;
                        }
                    }
                    for a in 0..ORDER {
                        out[interval + a] += sum[a];
                    }
                }
            },
        );
    }

    /// |D₂·`coefficients`|².
    pub fn roughness(&self, coefficients: &[f64]) -> f64 {
        coefficients.windows(3).map(|w| (w[0] - 2.0 * w[1] + w[2]).powi(2)).sum()
    }
}

/// The four uniform cubic B-splines over one knot interval, `u` in 0..1.
fn uniform_cubic(u: f64) -> [f64; ORDER] {
    let v = 1.0 - u;
    [
        v * v * v / 6.0,
        (3.0 * u * u * u - 6.0 * u * u + 4.0) / 6.0,
        (3.0 * v * v * v - 6.0 * v * v + 4.0) / 6.0,
        u * u * u / 6.0,
    ]
}

#[cfg(test)]
mod tests {
    use super::super::linalg::products_in_groups;
    use super::*;

    #[test]
    fn splines_sum_to_one_and_a_straight_line_costs_nothing() {
        let ppm: Vec<f64> = (0..400).map(|i| 4.2 - 0.01 * i as f64).collect();
        let baseline = Baseline::new(&ppm, 15.0);
        assert_eq!(baseline.n_splines, 60 + 3);
        let mut out = vec![0.0; ppm.len()];
        baseline.add_to(&vec![1.0; baseline.n_splines], &mut out);
        assert!(out.iter().all(|v| (v - 1.0).abs() < 1e-12));
        let line: Vec<f64> = (0..baseline.n_splines).map(|i| 3.0 - 0.2 * i as f64).collect();
        assert!(baseline.roughness(&line) < 1e-20);
    }
    /// Products in groups are those of all splines and bins, whatever the group's size leaves over.
    #[test]
    fn groups_leave_nothing_out() {
        for n_bins in [90, 400] {
            let ppm: Vec<f64> = (0..n_bins).map(|i| 4.2 - 4.0 * i as f64 / n_bins as f64).collect();
            let baseline = Baseline::new(&ppm, 12.0);
            let n = baseline.n_splines;
            assert!(!n.is_multiple_of(GROUP));
            let others: Vec<f64> = (0..2 * n_bins).map(|i| ((i * 37 + 11) % 17) as f64 - 8.0).collect();
            let mut out = vec![f64::NAN; 2 * n];
            products_in_groups(&baseline.columns, &others, n_bins, &baseline.groups, &mut out);
            for (column, other) in others.chunks(n_bins).enumerate() {
                let mut direct = vec![0.0; n];
                baseline.project(other, &mut direct);
                let own = &out[column * n..(column + 1) * n];
                assert!(own.iter().zip(&direct).all(|(a, b)| (a - b).abs() < 1e-10), "{n_bins} bins");
            }
        }
    }
}
