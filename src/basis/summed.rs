//! Members that are sums of molecules (`NAA+NAAG`), beside others or alone.

use faer::Mat;
use faer::linalg::solvers::SolveLstsq;
use num_complex::Complex64;

use super::names::{Singlet, parts_of_sum};
use super::singlets::REFERENCES;
use super::{BasisError, BasisSet};
use std::path::Path;

/// Part of a sum's signal that its members may leave unexplained where it is left out.
const UNEXPLAINED: f64 = 0.05;
/// A sum's singlet so near to that of one molecule is taken as it is.
const SAME_SIZE: f64 = 0.02;

impl BasisSet {
    /// This set with each molecule once: a sum beside all of its parts is left out, and a sum that stands for them counts as
    /// one molecule does: its amplitude is the concentration of all of them. Remarks say what was done.
    ///
    /// # Errors
    /// [`BasisError::SumAndMember`] where a sum stands beside a part of it, and holds more than that.
    pub(super) fn with_sums_once(mut self, path: &Path) -> Result<Self, BasisError> {
        let sums: Vec<String> = self.metabolites.iter().filter(|m| parts_of_sum(m).is_some()).cloned().collect();
        for sum in sums {
            let parts = parts_of_sum(&sum).unwrap_or_default();
            let present: Vec<String> = parts.iter().filter(|p| self.metabolites.contains(*p)).cloned().collect();
            if present.is_empty() {
                self.count_as_one(&sum);
                continue;
            }
            if self.unexplained(&sum, &present) > UNEXPLAINED {
                let member = present.join(", ");
                return Err(BasisError::SumAndMember { path: path.to_owned(), sum, member });
            }
            self = self.without(&sum);
            self.remarks
                .push(format!("{sum} was left out: it is made of {}, which are members, too", present.join(" and ")));
        }
        Ok(self)
    }

    fn without(mut self, name: &str) -> Self {
        let kept: Vec<usize> = (0..self.metabolites.len()).filter(|&k| self.metabolites[k] != name).collect();
        self.fids = self.fids.select(ndarray::Axis(0), &kept);
        self.metabolites.retain(|m| m != name);
        self
    }

    /// Part of the signal of `sum` that is no combination of `parts`.
    fn unexplained(&self, sum: &str, parts: &[String]) -> f64 {
        let rows: Vec<usize> = parts.iter().filter_map(|p| self.position(p)).collect();
        let Some(own) = self.metabolites.iter().position(|m| m == sum) else { return 0.0 };
        let n = self.fids.ncols();
        if rows.len() > n {
            return 1.0;
        }
        let columns = Mat::from_fn(n, rows.len(), |k, j| self.fids[(rows[j], k)]);
        let right = Mat::from_fn(n, 1, |k, _| self.fids[(own, k)]);
        let solution = columns.qr().solve_lstsq(&right);
        let (mut left, mut all) = (0.0, 0.0);
        for k in 0..n {
            let model: Complex64 = (0..rows.len()).map(|j| self.fids[(rows[j], k)] * solution[(j, 0)]).sum();
            left += (self.fids[(own, k)] - model).norm_sqr();
            all += self.fids[(own, k)].norm_sqr();
        }
        if all > 0.0 { (left / all).sqrt() } else { 0.0 }
    }

    /// Scales a sum so that its singlet is as large as that of one molecule, where the set tells how large that is.
    fn count_as_one(&mut self, sum: &str) {
        let is_sum = |s: &&Singlet| parts_of_sum(s.metabolite).is_some();
        let size = |set: &Self, s: &Singlet| -> Option<f64> {
            Some(set.singlet(set.position(s.metabolite)?, s.ppm)?.amplitude / s.protons)
        };
        let own = REFERENCES.iter().find(|s| s.metabolite == sum).and_then(|s| size(self, s));
        let one = REFERENCES.iter().filter(|s| !is_sum(s)).find_map(|s| size(self, s));
        let Some(n) = own.zip(one).map(|(own, one)| own / one) else {
            self.remarks.push(format!("{sum} is a sum: amplitude 1 is taken as one molecule of it"));
            return;
        };
        self.remarks.push(if (n - 1.0).abs() > SAME_SIZE {
            format!("{sum} is a sum: divided by {n:.3}, so that amplitude 1 is one molecule of it")
        } else {
            format!("{sum} is a sum, its amplitude that of all of it")
        });
        if (n - 1.0).abs() > SAME_SIZE
            && let Some(row) = self.metabolites.iter().position(|m| m == sum)
        {
            self.fids.row_mut(row).iter_mut().for_each(|z| *z /= n);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::acquisition::hz_from_ppm;
    use ndarray::Array2;

    /// A set of singlets at places (ppm) with sizes; several of one name are added.
    fn set(members: &[(&str, &[(f64, f64)])]) -> BasisSet {
        let mut set = super::super::tests::analytic(123.2, 5e-4, 1024);
        set.metabolites = members.iter().map(|(n, _)| super::super::names::member(n)).collect();
        set.fids = Array2::from_shape_fn((members.len(), 1024), |(row, n)| {
            let t = n as f64 * set.dwell_s;
            let line = |&(ppm, size): &(f64, f64)| {
                Complex64::new(-6.0 * t, 2.0 * std::f64::consts::PI * hz_from_ppm(ppm, 123.2) * t).exp() * size
            };
            members[row].1.iter().map(line).sum()
        });
        set
    }

    const NAA: &[(f64, f64)] = &[(2.008, 3.0), (2.49, 1.0)];
    const CR: &[(f64, f64)] = &[(3.027, 3.0), (3.913, 2.0)];

    #[test]
    fn a_sum_of_two_counts_as_one() {
        let both: Vec<(f64, f64)> = CR.iter().map(|(p, s)| (*p, 2.0 * s)).collect();
        let set = set(&[("NAA", NAA), ("Cr+PCr", &both)]).with_sums_once(Path::new("x")).unwrap();
        assert_eq!(set.metabolites, ["NAA", "tCr"]);
        assert!((set.fids[[1, 0]].re - 5.0).abs() < 0.02, "{}", set.fids[[1, 0]]);
        assert!(set.remarks[0].contains("divided by 2.00"), "{:?}", set.remarks);
    }

    #[test]
    fn a_sum_beside_its_parts_goes_and_beside_one_of_them_is_refused() {
        let pcr: &[(f64, f64)] = &[(3.029, 3.0), (3.93, 2.0)];
        let both: Vec<(f64, f64)> = CR.iter().chain(pcr).copied().collect();
        let whole = set(&[("Cr", CR), ("PCr", pcr), ("tCr", &both)]).with_sums_once(Path::new("x")).unwrap();
        assert_eq!(whole.metabolites, ["Cr", "PCr"]);
        assert!(whole.remarks[0].contains("left out"), "{:?}", whole.remarks);
        let error = set(&[("PCr", pcr), ("tCr", &both)]).with_sums_once(Path::new("x")).unwrap_err();
        assert!(error.to_string().contains("tCr"), "{error}");
    }
}
