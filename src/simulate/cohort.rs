//! A study's draws: who is measured where, how sites differ, and what each person is like. None of the streams of random numbers
//! is one that spectra have.

use std::collections::BTreeMap;

use super::recipe::{Recipe, Site};
use super::study::{AGE_YEARS, GM_RATIO, Study};
use crate::random::Random;

/// Streams of the study, of its vendors, and (downwards) of its people.
const STREAM: u64 = u64::MAX / 8;
const VENDORS: u64 = u64::MAX / 8 + 1;
const PEOPLE: u64 = u64::MAX / 16;
/// Ages (years) beyond which nobody is drawn.
const AGES_YEARS: [f64; 2] = [16.0, 90.0];

/// What holds for all its people.
pub(super) struct Cohort {
    /// Site and group of each person.
    pub(super) places: Vec<(usize, usize)>,
    /// Factor on each metabolite (in the order of the recipe's concentrations) at each site, its vendor's with it.
    pub(super) factors: Vec<Vec<f64>>,
}

/// One person.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Person {
    pub(super) age: f64,
    pub(super) sex: char,
    /// By voxel.
    pub(super) gm_ratio: Vec<f64>,
    /// By scale; none for groups that were not rated.
    pub(super) scales: Vec<Option<f64>>,
    /// Levels beside the person's own, by voxel and metabolite (standard normal).
    pub(super) of_voxel: Vec<Vec<f64>>,
    /// By voxel.
    pub(super) fates: Vec<Fate>,
    pub(super) is_listed: bool,
    pub(super) has_age: bool,
    /// By scale.
    pub(super) has_scale: Vec<bool>,
}

/// What became of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Measured,
    NotAcquired,
    Empty,
}

impl Fate {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::NotAcquired => "not_acquired",
            Self::Empty => "empty",
        }
    }
}

impl Cohort {
    pub(super) fn new(recipe: &Recipe, study: &Study, sites: &[Site]) -> Self {
        let mut random = Random::new(recipe.seed, STREAM);
        let weights: Vec<f64> = sites.iter().map(|_| (study.site_size_sd * random.normal()).exp()).collect();
        let sizes = shared_out(&weights, recipe.subjects);
        let tilts: Vec<f64> = sites.iter().map(|_| random.normal()).collect();
        let counts = counts(recipe, study, &sizes, &tilts);
        let mut places = Vec::with_capacity(recipe.subjects);
        for (site, row) in counts.iter().enumerate() {
            for (group, n) in row.iter().enumerate() {
                places.extend(std::iter::repeat_n((site, group), *n));
            }
        }
        // Names of people say nothing about their site and group.
        for last in (1..places.len()).rev() {
            places.swap(last, (random.uniform() * (last as f64 + 1.0)) as usize);
        }
        let own = (1.0 - study.confounding.powi(2)).sqrt();
        let vendors = vendor_factors(recipe, study, sites);
        let factors = sites.iter().zip(&tilts).map(|(site, tilt)| {
            let of_vendor = vendors.get(site.vendor.as_str()).cloned().unwrap_or_default();
            of_vendor
                .iter()
                .map(|vendor| vendor + study.site_sd * (study.confounding * tilt + own * random.normal()))
                .map(f64::exp)
                .collect()
        });
        Self { factors: factors.collect(), places }
    }
}

/// Logarithm of each vendor's factor on each metabolite.
fn vendor_factors<'a>(recipe: &Recipe, study: &Study, sites: &'a [Site]) -> BTreeMap<&'a str, Vec<f64>> {
    let mut random = Random::new(recipe.seed, VENDORS);
    let mut vendors: BTreeMap<&str, Vec<f64>> = sites.iter().map(|site| (site.vendor.as_str(), Vec::new())).collect();
    for factors in vendors.values_mut() {
        factors.extend(recipe.concentrations.keys().map(|_| study.vendor_sd * random.normal()));
    }
    vendors
}

/// Shares `n` out by `weights`; what rounding leaves goes to the largest remainders.
fn shared_out(weights: &[f64], n: usize) -> Vec<usize> {
    let total: f64 = weights.iter().sum();
    let exact: Vec<f64> = weights.iter().map(|weight| weight / total * n as f64).collect();
    let mut counts: Vec<usize> = exact.iter().map(|share| share.floor() as usize).collect();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by(|&a, &b| (exact[b] - exact[b].floor()).total_cmp(&(exact[a] - exact[a].floor())).then(a.cmp(&b)));
    let left = n.saturating_sub(counts.iter().sum());
    for &place in order.iter().cycle().take(left) {
        counts[place] += 1;
    }
    counts
}

/// People of each site and group: shares differ between sites, and over all sites every group has its own.
fn counts(recipe: &Recipe, study: &Study, sizes: &[usize], tilts: &[f64]) -> Vec<Vec<usize>> {
    let n_groups = recipe.group.len();
    let shares: Vec<f64> = recipe.group.iter().map(|group| group.share).collect();
    let wanted = shared_out(&shares, recipe.subjects);
    let mut random = Random::new(recipe.seed, STREAM - 1);
    let weights: Vec<Vec<f64>> = tilts
        .iter()
        .map(|tilt| {
            let of_group = |group: usize| if group + 1 == n_groups { *tilt } else { random.normal() };
            // Of two groups one tilt says all: the first is the rest.
            let tilts: Vec<f64> = match n_groups {
                2 => vec![0.0, *tilt],
                _ => (0..n_groups).map(of_group).collect(),
            };
            shares.iter().zip(tilts).map(|(share, tilt)| share * (study.share_sd * tilt).exp()).collect()
        })
        .collect();
    let mut counts: Vec<Vec<usize>> = weights.iter().zip(sizes).map(|(row, n)| shared_out(row, *n)).collect();
    // One person after another goes to the group that lacks people, at the site where that is most likely.
    loop {
        let excess = |group: usize| counts.iter().map(|row| row[group]).sum::<usize>() as i64 - wanted[group] as i64;
        let (Some(from), Some(to)) =
            ((0..n_groups).max_by_key(|g| excess(*g)), (0..n_groups).min_by_key(|g| excess(*g)))
        else {
            break;
        };
        if excess(from) <= 0 || excess(to) >= 0 {
            break;
        }
        let likely = |site: usize| counts[site][from] as f64 * weights[site][to] / weights[site][from];
        let places = (0..counts.len()).filter(|site| counts[*site][from] > 0);
        let Some(site) = places.max_by(|a, b| likely(*a).total_cmp(&likely(*b)).then(b.cmp(a))) else { break };
        counts[site][from] -= 1;
        counts[site][to] += 1;
    }
    counts
}

impl Person {
    /// Person number `index` of group `group`, whose own levels (standard normal) are `levels`.
    pub(super) fn new(recipe: &Recipe, study: &Study, index: usize, group: usize, levels: &[f64]) -> Self {
        let mut random = Random::new(recipe.seed, PEOPLE - index as u64);
        let name = recipe.group[group].name.as_str();
        let evenly = random.between(18.0, 65.0);
        let of_group = study.age_years.get(name).map(|[mean, sd]| mean + sd * random.normal());
        let age = of_group.unwrap_or(evenly).round().clamp(AGES_YEARS[0], AGES_YEARS[1]);
        let sex = if random.uniform() < study.male_share.get(name).copied().unwrap_or(0.5) { 'M' } else { 'F' };
        let scales = study.scale.iter().map(|scale| {
            let level = recipe.concentrations.keys().zip(levels).find(|(key, _)| **key == scale.metabolite);
            let own = (1.0 - scale.correlation.powi(2)).sqrt() * random.normal();
            let rated = scale.correlation * level.map_or(0.0, |(_, level)| *level) + own;
            scale.groups.iter().any(|g| g == name).then(|| scale.mean_sd[0] + scale.mean_sd[1] * rated)
        });
        let scales = scales.collect();
        let is_listed = random.uniform() >= study.missing.participant;
        let has_age = random.uniform() >= study.missing.age;
        let has_scale = study.scale.iter().map(|_| random.uniform() >= study.missing.scale).collect();
        let (mut gm_ratio, mut fates, mut of_voxel) = (Vec::new(), Vec::new(), Vec::new());
        for voxel in &recipe.voxel {
            let [mean, sd] = study.gm_ratio.get(&voxel.name).copied().unwrap_or([GM_RATIO, 0.05]);
            gm_ratio.push((mean + sd * random.normal()).clamp(0.05, 0.95));
            let chance = random.uniform();
            fates.push(match chance {
                c if c < study.missing.spectrum => Fate::NotAcquired,
                c if c < study.missing.spectrum + study.failed => Fate::Empty,
                _ => Fate::Measured,
            });
            of_voxel.push(levels.iter().map(|_| random.normal()).collect());
        }
        Self { age, sex, gm_ratio, scales, of_voxel, fates, is_listed, has_age, has_scale }
    }

    /// The person's level of metabolite `k` in a voxel, of which `level` is the same in all (standard normal).
    pub(super) fn level(&self, study: &Study, voxel: usize, k: usize, level: f64) -> f64 {
        let alike = study.voxel_correlation.unwrap_or(1.0);
        alike.sqrt() * level + (1.0 - alike).sqrt() * self.of_voxel[voxel][k]
    }

    /// What age, sex and tissue make of a metabolite.
    pub(super) fn factor(&self, study: &Study, voxel: usize, metabolite: &str) -> f64 {
        let of = |effects: &BTreeMap<String, f64>| effects.get(metabolite).copied().unwrap_or(0.0);
        let age = 1.0 + of(&study.age) * (self.age - AGE_YEARS);
        let male = 1.0 + if self.sex == 'M' { of(&study.male) } else { 0.0 };
        let gm = 1.0 + of(&study.gm) * (self.gm_ratio[voxel] - GM_RATIO);
        (age * male * gm).max(0.05)
    }
}

#[cfg(test)]
#[path = "cohort_tests.rs"]
mod tests;
