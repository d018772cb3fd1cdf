//! What is left of a fit of samples, over the noise, where metabolites are. Samples hold the noise of the whole bandwidth, a few
//! times that of the window: beside it a residual that lies under the metabolites does not show.

use num_complex::Complex64;

use super::super::evaluation::Evaluation;
use super::super::objective::Linear;
use super::super::problem::Problem;
use super::super::settings::Domain;

/// Standard deviation of the residual's spectrum in the window over that of the noise; `None` where spectra are compared, whose
/// residual is that of the window.
pub(super) fn residual_over_noise(
    problem: &Problem<'_>,
    p: &[f64],
    linear: &Linear,
    noise_variance: f64,
) -> Option<f64> {
    let (grid, window) = (problem.grid, &problem.model.start_grid);
    if grid.domain != Domain::Time {
        return None;
    }
    let mut evaluation = Evaluation::new(problem);
    evaluation.linear_columns(problem, p);
    let (rows, m) = (grid.n_rows(), grid.n_observed);
    let mut left = vec![0.0; rows];
    grid.real_rows(problem.data.iter().copied(), &mut left);
    for (column, c) in evaluation.columns.chunks_exact(rows).zip(&linear.c) {
        left.iter_mut().zip(column).for_each(|(left, value)| *left -= c * value);
    }
    // In its place among the samples, the others zero.
    let first = grid.first_sample();
    let mut fid = vec![Complex64::default(); grid.n_points];
    for (i, sample) in fid[first..first + m].iter_mut().enumerate() {
        *sample = Complex64::new(left[i], left[m + i]);
    }
    let mut bins = vec![Complex64::default(); window.n_observed];
    window.observe(&fid, &mut window.scratch(), &mut bins);
    let power = bins.iter().map(|z| z.norm_sqr()).sum::<f64>() / bins.len() as f64;
    // Real and imaginary part of as many bins as are independent: what the window is of the bandwidth, of the samples.
    let n_independent = 2.0 * bins.len() as f64 * m as f64 / window.n_transform as f64;
    let freedom = (n_independent - linear.n_parameters as f64).max(1.0);
    let expected = 2.0 * m as f64 * noise_variance * freedom / n_independent;
    Some((power / expected).sqrt())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::f64::consts::PI;

    use num_complex::Complex64;

    use super::super::super::settings::Macromolecules;
    use super::super::super::{Model, fit};
    use crate::acquisition::hz_from_ppm;
    use crate::engine::known_spectra;
    use crate::fit::Method;

    #[test]
    fn a_line_that_the_model_lacks_shows_though_the_bandwidth_holds_little_of_it() {
        let (basis, fids) = known_spectra(1);
        for name in ["varpro", "tarquin"] {
            let Method::Peers(mut settings) = Method::built_in(name).unwrap().unwrap() else { panic!("{name}") };
            settings.components.macromolecules = Macromolecules::None;
            settings.components.lipids = false;
            let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
            let sound = fit(&model, &fids[0]);
            assert!((0.85..1.3).contains(&sound.residual_over_noise), "{name}: {}", sound.residual_over_noise);
            let noise_sd = sound.noise_sd / (fids[0].len() as f64).sqrt();
            let line = |n: usize| {
                let t = n as f64 * basis.dwell_s;
                Complex64::from_polar(3.5 * noise_sd * (-t / 0.2).exp(), 2.0 * PI * hz_from_ppm(2.8, basis.f0_mhz) * t)
            };
            let with_line: Vec<Complex64> = fids[0].iter().enumerate().map(|(n, z)| z + line(n)).collect();
            let found = fit(&model, &with_line);
            let (window, all) = (found.residual_over_noise, found.chi2_reduced.sqrt());
            assert!(window > 2.0 && all < 2.0, "{name}: {window} in the window, {all} over all samples");
        }
    }
}
