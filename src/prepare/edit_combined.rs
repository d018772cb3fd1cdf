//! Rows that an export made of other rows of the same file: the difference of two conditions, and their sum.
//!
//! They share the noise of what they are made of, down to the last sample. Nothing that was measured does.

use num_complex::Complex64;

use crate::signal::magnitudes::Magnitudes;

/// More rows are no export of conditions and combinations.
pub(super) const MOST: usize = 4;
/// Energy that a combination leaves over its own, at most: what stored numbers are rounded by. Noise that is not shared leaves
/// more than one in a thousand at any signal-to-noise ratio in vivo.
const EXACT: f64 = 1e-4;
/// Choline (ppm), which a difference has not but for noise and what drift leaves, and how much of it that may be (relative).
const CHOLINE_PPM: (f64, f64) = (3.12, 3.35);
const LITTLE: f64 = 0.5;

/// Which of the rows are a difference of two others, or the sum of the same two; none where no row is a difference.
pub(super) fn combined(rows: &[Vec<Complex64>], dwell_s: f64, f0_mhz: f64) -> Vec<usize> {
    if !(3..=MOST).contains(&rows.len()) {
        return Vec::new();
    }
    let heights: Vec<f64> = rows.iter().map(|fid| Magnitudes::new(fid, dwell_s, f0_mhz).tallest(CHOLINE_PPM)).collect();
    let pairs = (0..rows.len()).flat_map(|a| (a + 1..rows.len()).map(move |b| (a, b)));
    for (a, b) in pairs {
        let others = || (0..rows.len()).filter(|row| *row != a && *row != b);
        let is_made = |row: &usize, sign: f64| is_multiple(&rows[*row], &rows[a], &rows[b], sign);
        // OFF is ON less the difference as well: choline tells which of the three was made.
        let has_little = |row: &usize| heights[*row] <= LITTLE * heights[a].min(heights[b]);
        if let Some(difference) = others().find(|row| has_little(row) && is_made(row, -1.0)) {
            let sums = others().filter(|row| *row != difference && is_made(row, 1.0));
            return std::iter::once(difference).chain(sums).collect();
        }
    }
    Vec::new()
}

/// Whether `row` is a + sign·b, times any number.
fn is_multiple(row: &[Complex64], a: &[Complex64], b: &[Complex64], sign: f64) -> bool {
    let made = || a.iter().zip(b).map(|(a, b)| a + sign * b);
    let energy: f64 = made().map(|z| z.norm_sqr()).sum();
    let own: f64 = row.iter().map(|z| z.norm_sqr()).sum();
    if energy <= 0.0 || own <= 0.0 {
        return false;
    }
    let factor = made().zip(row).map(|(m, r)| (m.conj() * r).re).sum::<f64>() / energy;
    let left: f64 = made().zip(row).map(|(m, r)| (r - factor * m).norm_sqr()).sum();
    left <= EXACT * own
}
