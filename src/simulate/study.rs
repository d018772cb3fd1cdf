//! What a recipe says of a study: sites that differ, people who are not alike, and what goes wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::output_path::safe_name;

/// Year from which effects of age count.
pub(super) const AGE_YEARS: f64 = 40.0;
/// GM ratio from which its effects count.
pub(super) const GM_RATIO: f64 = 0.6;

/// A study over the recipe's sites, groups and voxels. Without it sites have equal means and equal shares of each group, a
/// person's levels are the same in all voxels, and age and sex change nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Study {
    /// Spread of each metabolite's factor between sites (standard deviation of its logarithm).
    pub site_sd: f64,
    /// The same between vendors.
    pub vendor_sd: f64,
    /// Spread of the number of people between sites (standard deviation of its logarithm).
    pub site_size_sd: f64,
    /// Spread of the groups' shares between sites (standard deviation of the logarithm of their ratio). Over all sites each group
    /// has its share of the people to the person.
    pub share_sd: f64,
    /// Correlation between a site's factors and its share of the last group: what a model without site takes for an effect.
    pub confounding: f64,
    /// Correlation between voxels of a person's level beside group, age, sex and tissue.
    pub voxel_correlation: Option<f64>,
    /// Relative change a year from 40 on, of some metabolites.
    pub age: BTreeMap<String, f64>,
    /// Relative difference of men, of some metabolites.
    pub male: BTreeMap<String, f64>,
    /// Relative change for each unit of the GM ratio from 0.6 on, of some metabolites.
    pub gm: BTreeMap<String, f64>,
    /// GM ratio of a voxel: mean and standard deviation, by name; others have 0.6 and 0.05.
    pub gm_ratio: BTreeMap<String, [f64; 2]>,
    /// Age of a group's people (years): mean and standard deviation, by name; others are evenly from 18 to 65.
    pub age_years: BTreeMap<String, [f64; 2]>,
    /// Share of men in a group, by name; in others it is a half.
    pub male_share: BTreeMap<String, f64>,
    /// What people were rated with.
    pub scale: Vec<Scale>,
    /// What is missing.
    pub missing: Missing,
    /// Share of the spectra that hold nothing: every sample is 0.
    pub failed: f64,
}

/// A scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// Column of `participants.tsv`.
    pub name: String,
    /// Whose level it goes with.
    pub metabolite: String,
    /// Correlation with the person's own level, beside group, site, age, sex and tissue.
    pub correlation: f64,
    /// Groups that were rated.
    pub groups: Vec<String>,
    /// Mean and standard deviation.
    pub mean_sd: [f64; 2],
}

/// Shares of what is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Missing {
    /// Spectra that were not acquired.
    pub spectrum: f64,
    /// People who are not in `participants.tsv`.
    pub participant: f64,
    /// Ages that nobody wrote down.
    pub age: f64,
    /// Ratings that were not done.
    pub scale: f64,
}

impl Study {
    /// What is wrong with it, beside a recipe's metabolites, groups and voxels.
    pub(super) fn check(&self, metabolites: &[&str], groups: &[&str], voxels: &[&str]) -> Result<(), String> {
        let spreads = [self.site_sd, self.vendor_sd, self.site_size_sd, self.share_sd];
        if spreads.iter().any(|sd| !(0.0..=3.0).contains(sd)) {
            return Err("study: site_sd, vendor_sd, site_size_sd and share_sd are 0 to 3".to_owned());
        }
        let Missing { spectrum, participant, age, scale } = self.missing;
        let shares = [spectrum, participant, age, scale, self.failed];
        if shares.iter().chain(self.male_share.values()).any(|share| !(0.0..=1.0).contains(share)) {
            return Err("study: failed, missing and male_share are shares, 0 to 1".to_owned());
        }
        if !(0.0..=1.0).contains(&self.voxel_correlation.unwrap_or(1.0)) || !(-1.0..=1.0).contains(&self.confounding) {
            return Err("study: voxel_correlation is 0 to 1, confounding -1 to 1".to_owned());
        }
        for (key, effects, most) in [("age", &self.age, 0.02), ("male", &self.male, 0.5), ("gm", &self.gm, 2.0)] {
            known(key, effects.keys(), metabolites)?;
            if effects.values().any(|effect| effect.abs() > most || !effect.is_finite()) {
                return Err(format!("study.{key}: relative changes, {most} at most"));
            }
        }
        known("gm_ratio", self.gm_ratio.keys(), voxels)?;
        known("age_years", self.age_years.keys(), groups)?;
        known("male_share", self.male_share.keys(), groups)?;
        if self
            .gm_ratio
            .values()
            .chain(self.age_years.values())
            .any(|[mean, sd]| !mean.is_finite() || !sd.is_finite() || *sd < 0.0)
        {
            return Err("study: gm_ratio and age_years are [mean, standard deviation]".to_owned());
        }
        let mut names = BTreeSet::from(["participant_id", "site", "age", "sex", "group"].map(str::to_owned));
        self.scale.iter().try_for_each(|scale| scale.check(metabolites, groups, &mut names))
    }
}

impl Scale {
    fn check(&self, metabolites: &[&str], groups: &[&str], names: &mut BTreeSet<String>) -> Result<(), String> {
        safe_name(&self.name).map_err(|e| format!("study.scale: {e}"))?;
        if !names.insert(self.name.to_lowercase()) {
            return Err(format!("study.scale: `{}` is there twice, or a column of its own", self.name));
        }
        known("scale.metabolite", std::iter::once(&self.metabolite), metabolites)?;
        known("scale.groups", self.groups.iter(), groups)?;
        let [mean, sd] = self.mean_sd;
        let is_spread = mean.is_finite() && sd.is_finite() && sd > 0.0;
        if !is_spread || !(-1.0..=1.0).contains(&self.correlation) {
            return Err(format!(
                "study.scale {}: correlation is -1 to 1, mean_sd [mean, standard deviation]",
                self.name
            ));
        }
        Ok(())
    }
}

fn known<'a>(key: &str, mut names: impl Iterator<Item = &'a String>, there: &[&str]) -> Result<(), String> {
    match names.find(|name| !there.contains(&name.as_str())) {
        Some(name) => Err(format!("study.{key}: no `{name}`; there are {}", there.join(", "))),
        None => Ok(()),
    }
}
