//! A recipe's corpus, which can be asked for any of its people and spectra.

use std::collections::BTreeMap;
use std::sync::Arc;

use ndarray::Array5;
use num_complex::Complex64;

use super::cohort::{Cohort, Fate, Person};
use super::error::SimulateError;
use super::macromolecules::{self, MacromoleculeGroup};
use super::recipe::{Recipe, Site};
use super::spectrum::{self, Simulated};
use super::truth::Truth;
use crate::acquisition::Acquisition;
use crate::basis::BasisSet;
use crate::basis::simulate::{LINEWIDTH_HZ, basis_set};
use crate::random::Random;

/// One subject.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// BIDS label with its prefix.
    pub id: String,
    /// Index of the site.
    pub site: usize,
    /// Index of the group.
    pub group: usize,
    /// Age (years).
    pub age: f64,
    /// `F` or `M`.
    pub sex: char,
}

/// A corpus that can be asked for any of its spectra.
pub struct Corpus {
    /// What it is made from.
    pub recipe: Recipe,
    /// Sites.
    pub sites: Vec<Site>,
    /// Names of the metabolites, in the order of amplitudes.
    pub metabolites: Vec<String>,
    /// Basis set of each site.
    pub bases: Vec<Arc<BasisSet>>,
    /// Macromolecules of all its spectra.
    macromolecules: Vec<MacromoleculeGroup>,
    /// Draws of the recipe's study.
    pub(super) cohort: Option<Cohort>,
}

impl Corpus {
    /// Simulates the basis sets of a recipe, one a protocol.
    ///
    /// # Errors
    /// [`SimulateError::Recipe`] or [`SimulateError::Basis`].
    pub fn new(recipe: &Recipe) -> Result<Self, SimulateError> {
        recipe.check().map_err(|reason| SimulateError::Recipe { reason })?;
        let sites = recipe.all_sites();
        let metabolites: Vec<String> =
            recipe.concentrations.keys().map(|name| crate::basis::names::canonical(name)).collect();
        let names: Vec<&str> = metabolites.iter().map(String::as_str).collect();
        let mut made: BTreeMap<String, Arc<BasisSet>> = BTreeMap::new();
        let mut bases = Vec::with_capacity(sites.len());
        for site in &sites {
            let set = match made.get(&key(site)) {
                Some(known) => Arc::clone(known),
                None => {
                    let dwell_s = 1.0 / site.bandwidth_hz;
                    let set = basis_set(&names, &site.sequence, site.f0_mhz, dwell_s, site.n_points, LINEWIDTH_HZ)?;
                    Arc::clone(made.entry(key(site)).or_insert(Arc::new(set)))
                }
            };
            bases.push(set);
        }
        let macromolecules = macromolecules::of(recipe);
        let cohort = recipe.study.as_ref().map(|study| Cohort::new(recipe, study, &sites));
        Ok(Self { recipe: recipe.clone(), sites, metabolites, bases, macromolecules, cohort })
    }

    /// Who subject number `index` is.
    pub fn subject(&self, index: usize) -> Subject {
        let mut random = Random::new(self.recipe.seed, 2 * self.drawn_as(index));
        let age = random.between(18.0, 65.0).round();
        let sex = if random.between(0.0, 1.0) < 0.5 { 'F' } else { 'M' };
        let total: f64 = self.recipe.group.iter().map(|g| g.share).sum();
        let mut place = random.between(0.0, total);
        let mut group = 0;
        while group + 1 < self.recipe.group.len() && place >= self.recipe.group[group].share {
            place -= self.recipe.group[group].share;
            group += 1;
        }
        let mut place = index;
        if self.recipe.matched {
            (place, group) = (index / self.recipe.group.len(), index % self.recipe.group.len());
        }
        let mut subject =
            Subject { id: format!("sub-{:04}", index + 1), site: place % self.sites.len(), group, age, sex };
        if let Some(place) = self.cohort.as_ref().and_then(|cohort| cohort.places.get(index)) {
            (subject.site, subject.group) = *place;
        }
        if let Some(person) = self.person(index) {
            (subject.age, subject.sex) = (person.age, person.sex);
        }
        subject
    }

    /// What a study drew for subject number `index`.
    pub(super) fn person(&self, index: usize) -> Option<Person> {
        let (study, cohort) = (self.recipe.study.as_ref()?, self.cohort.as_ref()?);
        let (_, group) = *cohort.places.get(index)?;
        let levels = self.levels(&mut self.stream(index));
        Some(Person::new(&self.recipe, study, index, group, &levels))
    }

    /// The subject's own stream for all that is in spectra.
    pub(super) fn stream(&self, index: usize) -> Random {
        Random::new(self.recipe.seed, 2 * self.drawn_as(index) + 1)
    }

    /// A subject's own levels (standard normal), the first of its stream.
    pub(super) fn levels(&self, random: &mut Random) -> Vec<f64> {
        self.recipe.concentrations.keys().map(|_| random.normal()).collect()
    }

    /// True concentrations (mmol/kg) of a subject's voxel.
    pub(super) fn concentrations(
        &self,
        subject: &Subject,
        person: Option<&Person>,
        voxel: usize,
        levels: &[f64],
    ) -> Vec<f64> {
        let (group, factors) = (&self.recipe.group[subject.group], &self.recipe.voxel[voxel].factor);
        let study = self.recipe.study.as_ref().zip(person);
        let of_site = self.cohort.as_ref().and_then(|cohort| cohort.factors.get(subject.site));
        let each = self.recipe.concentrations.iter().zip(levels).enumerate();
        each.map(|(k, ((name, [mean, cv]), level))| {
            let level = study.map_or(*level, |(study, person)| person.level(study, voxel, k, *level));
            let own = mean * (1.0 + cv * level).max(0.05) * group.effect.get(name).unwrap_or(&1.0);
            let site = of_site.and_then(|factors| factors.get(k)).unwrap_or(&1.0);
            let person = study.map_or(1.0, |(study, person)| person.factor(study, voxel, name));
            own * factors.get(name).unwrap_or(&1.0) * site * person
        })
        .collect()
    }

    /// Which stream of random numbers a subject has: subjects of one matched set have one.
    fn drawn_as(&self, index: usize) -> u64 {
        if self.recipe.matched { (index / self.recipe.group.len()) as u64 } else { index as u64 }
    }

    /// How far the scanner's frequency of a subject's voxel is from the site's (Hz): a stream of its own, so that all else is as
    /// without.
    fn f0_off_hz(&self, index: usize, voxel: usize) -> f64 {
        let most = self.recipe.nuisances.f0_jitter_hz;
        let scan = (index * self.recipe.voxel.len() + voxel) as u64;
        if most == 0.0 { 0.0 } else { Random::new(self.recipe.seed, u64::MAX - scan).between(-most, most) }
    }

    /// The spectra of subject number `index`, one a voxel that was acquired, with their truth.
    pub fn spectra(&self, index: usize) -> Vec<(Truth, Simulated)> {
        let subject = self.subject(index);
        let (site, basis) = (&self.sites[subject.site], &self.bases[subject.site]);
        let mut random = self.stream(index);
        let group = &self.recipe.group[subject.group];
        let (levels, person) = (self.levels(&mut random), self.person(index));
        let voxels = self.recipe.voxel.iter().enumerate();
        let each = voxels.filter_map(|(at, voxel)| {
            let concentrations = self.concentrations(&subject, person.as_ref(), at, &levels);
            let given = spectrum::Given {
                nuisances: site.artefacts.applied_to(&self.recipe.nuisances),
                macromolecules: &self.macromolecules,
                broader_hz: group.broader_hz,
            };
            let mut simulated = spectrum::simulate(basis, site, &given, &concentrations, &mut random);
            let f0_mhz = site.f0_mhz + 1e-6 * self.f0_off_hz(index, at);
            for scan in [Some(&mut simulated.data), simulated.water.as_mut()].into_iter().flatten() {
                scan.facts.f0_mhz = Some(f0_mhz);
            }
            match person.as_ref().and_then(|person| person.fates.get(at)) {
                Some(Fate::NotAcquired) => return None,
                Some(Fate::Empty) => simulated.data = emptied(simulated.data),
                Some(Fate::Measured) | None => {}
            }
            let spectrum_id = spectrum_id(&subject.id, &voxel.name);
            Some((Truth { spectrum_id, concentrations, drawn: simulated.drawn.clone() }, simulated))
        });
        each.collect()
    }
}

/// The same file with nothing in it.
fn emptied(data: Acquisition) -> Acquisition {
    let nothing = Array5::<Complex64>::default(data.samples.shape());
    Acquisition { samples: nothing.into(), ..data }
}

/// Id that `requant run` gives a subject's spectrum of a voxel.
pub(super) fn spectrum_id(subject: &str, voxel: &str) -> String {
    format!("{subject}/mrs/{subject}_voi-{voxel}_svs")
}

/// What sites with equal basis sets have in common.
fn key(site: &Site) -> String {
    format!("{:?} {} {} {}", site.sequence, site.f0_mhz, site.bandwidth_hz, site.n_points)
}
