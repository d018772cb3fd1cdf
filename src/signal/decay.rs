//! The size of a decaying signal at its start.

/// Value at sample 0 of the decay ln|m| = a − b·t − c·t² fitted to `magnitude[first..last]`.
pub(crate) fn log_decay_start(magnitude: &[f64], first: usize, last: usize) -> Option<f64> {
    let tallest = magnitude.get(first..last)?.iter().copied().fold(0.0, f64::max);
    // Weighted normal equations for (a, b, c) with time in units of the fitted span.
    let mut normal = [[0.0; 4]; 3];
    for (i, &m) in magnitude.iter().enumerate().take(last).skip(first).filter(|(_, m)| **m > 0.0) {
        let t = i as f64 / last as f64;
        let row = [1.0, -t, -t * t];
        let weight = (m / tallest).powi(2);
        for a in 0..3 {
            for b in 0..3 {
                normal[a][b] += weight * row[a] * row[b];
            }
            normal[a][3] += weight * row[a] * (m / tallest).ln();
        }
    }
    let ln_start = solve3(normal)?;
    Some(tallest * ln_start.exp()).filter(|v| v.is_finite() && *v > 0.0)
}

/// First unknown of a 3 × 3 system with its right-hand side as fourth column.
fn solve3(mut m: [[f64; 4]; 3]) -> Option<f64> {
    for pivot in 0..3 {
        let best = (pivot..3).max_by(|&a, &b| m[a][pivot].abs().total_cmp(&m[b][pivot].abs()))?;
        m.swap(pivot, best);
        if m[pivot][pivot].abs() < 1e-14 {
            return None;
        }
        for row in 0..3 {
            if row != pivot {
                let factor = m[row][pivot] / m[pivot][pivot];
                for column in pivot..4 {
                    m[row][column] -= factor * m[pivot][column];
                }
            }
        }
    }
    Some(m[0][3] / m[0][0])
}
