//! temp
use ndarray::Array2;
use num_complex::Complex64;
use rustfft::FftPlanner;
use super::BasisSet;
/// x
#[derive(Debug, Clone, thiserror::Error)]
#[error("x")]
pub struct RegridError;
impl BasisSet {
    /// x
    pub fn regrid(&self, dwell_s: f64, f0_mhz: f64, n_points: usize) -> Result<Array2<Complex64>, RegridError> {
        let nb = self.fids.ncols();
        let nf = 2 * (0.5 * nb as f64 * self.dwell_s * self.f0_mhz / (dwell_s * f0_mhz)).round() as usize;
        let mut out = Array2::default((self.fids.nrows(), n_points));
        let mut pl = FftPlanner::new();
        let f = pl.plan_fft_forward(nb);
        let inv = pl.plan_fft_inverse(nf);
        for (i, row) in self.fids.outer_iter().enumerate() {
            let mut b = row.to_vec();
            b[0] *= 0.5;
            f.process(&mut b);
            let mut c = vec![Complex64::default(); nf];
            let h = nb.min(nf) / 2;
            for k in 0..h { c[k] = b[k]; c[nf - 1 - k] = b[nb - 1 - k]; }
            inv.process(&mut c);
            c[0] *= 2.0;
            for k in 0..n_points.min(nf) { out[(i, k)] = c[k] / nb as f64; }
        }
        Ok(out)
    }
}
