//! Concentrations put back to the tissue of the cohort (alpha_norm): alpha·(GM + α·WM)/(GM + WM), GM and WM being the mean
//! shares of a region's voxels over the results (Harris et al. 2015, doi:10.1002/jmri.24903).

use std::collections::BTreeMap;

use crate::quantify::WaterScaling;
use crate::store::{MetaboliteRow, SpectrumRow, Status};

/// Entry of the constants for metabolites that have none of their own.
const DEFAULT: &str = "default";
/// Key of the constants in a run's configuration.
const WATER_SCALING_KEY: &str = "water_scaling";

/// Concentration in white matter over that in grey matter, by metabolite.
#[derive(Debug, Clone, Default)]
pub(crate) struct Alphas(BTreeMap<String, f64>);

impl Alphas {
    /// Those that a run took; those that are built in where its record has none.
    pub(crate) fn of_config(config: &serde_json::Value) -> Self {
        let own = config.get(WATER_SCALING_KEY).filter(|value| !value.is_null());
        let own = own.and_then(|own| serde_json::from_value::<WaterScaling>(own.clone()).ok());
        Self(
            own.or_else(|| WaterScaling::lcmodel().ok())
                .map(|constants| constants.relaxation.alpha)
                .unwrap_or_default(),
        )
    }

    fn of(&self, metabolite: &str) -> f64 {
        self.0.get(metabolite).or_else(|| self.0.get(DEFAULT)).copied().unwrap_or(1.0)
    }
}

/// Mean shares of grey and white matter.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Shares {
    gm: f64,
    wm: f64,
}

/// The file of a spectrum and where it is in its grid.
type Voxel<'a> = (&'a str, [Option<u32>; 3]);

/// Mean shares by region, over its spectra of one method, each counted once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cohort(BTreeMap<Option<String>, Shares>);

impl Cohort {
    /// Of the fitted spectra of at least `least` voxels.
    pub(crate) fn of(spectra: &[SpectrumRow], least: usize) -> Self {
        let mut shares: BTreeMap<Option<String>, BTreeMap<Voxel<'_>, (f64, f64)>> = BTreeMap::new();
        for row in spectra.iter().filter(|row| row.status == Status::Ok) {
            if let Some(own) = row.f_gm.zip(row.f_wm) {
                // Sub-spectra and methods of one voxel have the same tissue.
                let file = row.spectrum_id.split('#').next().unwrap_or_default();
                let voxel = (file, [row.voxel_i, row.voxel_j, row.voxel_k]);
                shares.entry(row.voi.clone()).or_default().insert(voxel, own);
            }
        }
        let mean = |of: &BTreeMap<Voxel<'_>, (f64, f64)>| {
            let n = of.len() as f64;
            Shares {
                gm: of.values().map(|own| own.0).sum::<f64>() / n,
                wm: of.values().map(|own| own.1).sum::<f64>() / n,
            }
        };
        let enough = shares.into_iter().filter(|(_, of)| of.len() >= least.max(1));
        Self(enough.map(|(voi, of)| (voi, mean(&of))).collect())
    }

    /// The concentrations of one spectrum's rows.
    pub(crate) fn concentrations(
        &self,
        rows: &[&MetaboliteRow],
        voi: Option<&str>,
        alphas: &Alphas,
    ) -> Vec<Option<f64>> {
        let Some(shares) = self.0.get(&voi.map(str::to_owned)) else { return vec![None; rows.len()] };
        let single = |row: &MetaboliteRow| {
            let alpha = alphas.of(&row.metabolite);
            Some(row.conc_alpha_iu? * (shares.gm + alpha * shares.wm) / (shares.gm + shares.wm))
        };
        let member = |name: &String| rows.iter().find(|row| row.metabolite == *name).and_then(|row| single(row));
        rows.iter()
            .map(|row| match row.is_sum {
                // Each member has a factor of its own.
                true => row.sum_of.iter().map(member).sum(),
                false => single(row),
            })
            .map(|value: Option<f64>| value.filter(|value| value.is_finite()))
            .collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn each_voxel_of_a_grid_counts() {
        let voxel = |i: u32, f_gm: f64| SpectrumRow {
            spectrum_id: format!("grid#{i},0,0"),
            status: Status::Ok,
            voxel_i: Some(i),
            voxel_j: Some(0),
            voxel_k: Some(0),
            f_gm: Some(f_gm),
            f_wm: Some(1.0 - f_gm),
            ..SpectrumRow::default()
        };
        let spectra = [voxel(0, 0.2), voxel(1, 0.4), voxel(2, 0.9)];
        let row = MetaboliteRow { metabolite: "Glu".to_owned(), conc_alpha_iu: Some(8.0), ..MetaboliteRow::default() };
        let alphas = Alphas(BTreeMap::from([("Glu".to_owned(), 0.5)]));
        let found = Cohort::of(&spectra, 3).concentrations(&[&row], None, &alphas);
        assert!((found[0].unwrap() - 8.0 * 0.75).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn sums_add_up_members_that_have_factors_of_their_own() {
        let voxel = |id: &str, f_gm: f64, f_wm: f64| SpectrumRow {
            spectrum_id: id.to_owned(),
            status: Status::Ok,
            f_gm: Some(f_gm),
            f_wm: Some(f_wm),
            ..SpectrumRow::default()
        };
        let spectra = [voxel("a", 0.6, 0.2), voxel("b#diff", 0.4, 0.4), voxel("b#off", 0.4, 0.4)];
        let cohort = Cohort::of(&spectra, 2);
        let row = |name: &str, value: f64, members: &[&str]| MetaboliteRow {
            metabolite: name.to_owned(),
            conc_alpha_iu: Some(value),
            is_sum: !members.is_empty(),
            sum_of: members.iter().map(|name| (*name).to_owned()).collect(),
            ..MetaboliteRow::default()
        };
        let rows = [row("Glu", 8.0, &[]), row("Cho", 2.0, &[]), row("both", 99.0, &["Glu", "Cho"])];
        let alphas = Alphas(BTreeMap::from([("Glu".to_owned(), 0.5), ("default".to_owned(), 1.0)]));
        let found = cohort.concentrations(&rows.iter().collect::<Vec<_>>(), None, &alphas);
        // Means .5 and .3: (.5 + .5·.3)/.8 of Glu, all of Cho.
        let expected = [8.0 * 0.65 / 0.8, 2.0, 8.0 * 0.65 / 0.8 + 2.0];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-12);
        }
        assert_eq!(Cohort::of(&spectra, 3).concentrations(&[&rows[0]], None, &alphas), [None]);
        assert_eq!(cohort.concentrations(&[&rows[0]], Some("acc"), &alphas), [None]);
    }
}
