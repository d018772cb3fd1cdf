//! Amplitudes to numbers people use: ratios to total creatine, water-scaled values, concentrations in tissue.

mod attenuation;
mod concentration;
mod fractions;
mod inputs;
mod quantities;
mod relaxation;
mod relaxation_names;
pub mod singlet;
mod tissue;
mod water_scaling;

use crate::fit::FitResult;

pub use concentration::{
    Concentration, Concentrations, Estimate, FLAGS, LEAST_SHARE_IN_IMAGE, MOST_CSF, Term, Terms, concentrations,
};
pub use fractions::Fractions;
pub use inputs::Inputs;
pub use quantities::{Quantity, quantities};
pub use relaxation::{ByTissue, MetaboliteTimes, Relaxation, RelaxationError, Times, field_t_from_f0};
pub use water_scaling::{WaterScaling, lcmodel_water_attenuation};

/// A ratio and its standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ratio {
    /// Numerator over denominator.
    pub value: f64,
    /// Standard deviation to first order, with the covariance of both.
    pub sd: f64,
    /// Posterior covariance of numerator and denominator (basis units²).
    pub covariance: f64,
}

/// The ratio of each amplitude of `fit` (components, then sums) to total creatine (Cr + PCr, or the one
/// that is there, or a component that stands for both); `None` where there is no creatine or it is not above zero.
///
/// var(M/C) = (var M − 2·r·cov(M, C) + r²·var C) / C², from the posterior covariance.
pub fn ratios_to_creatine(fit: &FitResult) -> Vec<Option<Ratio>> {
    let members = |name: &str| -> Vec<usize> {
        fit.amplitudes.iter().enumerate().filter(|(_, a)| !a.is_sum && a.name == name).map(|(i, _)| i).collect()
    };
    let mut creatine: Vec<usize> = members("Cr").into_iter().chain(members("PCr")).collect();
    if creatine.is_empty() {
        creatine = members("tCr");
    }
    let total: f64 = creatine.iter().map(|&i| fit.amplitudes[i].value).sum();
    let covariance = |a: &[usize], b: &[usize]| -> f64 {
        a.iter().flat_map(|&i| b.iter().map(move |&j| packed(&fit.posterior_covariance, i, j))).sum()
    };
    fit.amplitudes
        .iter()
        .enumerate()
        .map(|(index, amplitude)| {
            if creatine.is_empty() || total <= 0.0 {
                return None;
            }
            let own: Vec<usize> = if amplitude.is_sum { amplitude.members.clone() } else { vec![index] };
            let value = amplitude.value / total;
            let with_creatine = covariance(&own, &creatine);
            // Amplitudes that were kept at zero are not in the covariance; their error is known all the same.
            let own_variance =
                Some(covariance(&own, &own)).filter(|v| *v > 0.0).unwrap_or(amplitude.sd_posterior.powi(2));
            let variance =
                own_variance - 2.0 * value * with_creatine + value * value * covariance(&creatine, &creatine);
            Some(Ratio { value, sd: variance.max(0.0).sqrt() / total, covariance: with_creatine })
        })
        .collect()
}

/// Element (i, j) of a symmetric matrix packed as its lower triangle, row by row.
pub fn packed(lower: &[f64], i: usize, j: usize) -> f64 {
    let (row, column) = if i >= j { (i, j) } else { (j, i) };
    lower[row * (row + 1) / 2 + column]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_rows_are_symmetric() {
        let lower = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(packed(&lower, 2, 1), 5.0);
        assert_eq!(packed(&lower, 1, 2), 5.0);
    }
}
