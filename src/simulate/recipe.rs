//! What a simulated corpus is made from: sites, subjects, voxels and nuisances, as data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::SimulateError;
use super::study::Study;
use crate::basis::simulate::Sequence;
use crate::random::Random;

/// A corpus; [`Recipe::FIRST_RUN`] is the built-in one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Seed: the same one gives the same corpus on every machine.
    pub seed: u64,
    /// Number of subjects, shared out evenly over the sites.
    pub subjects: usize,
    /// Number of sites to draw where none are listed.
    #[serde(default)]
    pub sites: usize,
    /// Share of a corpus's subjects in each group, with what the group changes.
    pub group: Vec<Group>,
    /// Whether subjects come in sets with one of each group, who are alike but for what the group changes: concentrations,
    /// widths, phases and noise are drawn once for all of a set. Shares say nothing then.
    #[serde(default, skip_serializing_if = "is_false")]
    pub matched: bool,
    /// A study: how sites, groups, people and voxels differ, and what is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub study: Option<Study>,
    /// Voxels of every subject.
    pub voxel: Vec<Voxel>,
    /// Sites; none: `sites` of them are drawn.
    #[serde(default)]
    pub site: Vec<Site>,
    /// Mean concentration (mmol/kg) and relative standard deviation between subjects.
    pub concentrations: BTreeMap<String, [f64; 2]>,
    /// What else is in the spectra.
    pub nuisances: Nuisances,
}

/// A group of subjects.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Name.
    pub name: String,
    /// Share of the subjects.
    pub share: f64,
    /// Factor on the concentration of some metabolites.
    #[serde(default)]
    pub effect: BTreeMap<String, f64>,
    /// Lorentzian width of everything beyond the others' (FWHM, Hz): a group that moves more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub broader_hz: f64,
}

/// A voxel.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voxel {
    /// Name; the `voi-` entity.
    pub name: String,
    /// Factor on the concentration of some metabolites.
    #[serde(default)]
    pub factor: BTreeMap<String, f64>,
}

/// A site and its protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Name.
    pub name: String,
    /// Scanner manufacturer.
    pub vendor: String,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Sequence and its times.
    pub sequence: Sequence,
    /// Repetition time (s).
    pub tr_s: f64,
    /// Spectral width (Hz).
    pub bandwidth_hz: f64,
    /// Samples of an FID.
    pub n_points: usize,
    /// Signal-to-noise ratio, least and most: tallest metabolite peak over twice the noise of the real spectrum.
    pub snr: [f64; 2],
    /// Width that the shim leaves (Gaussian FWHM, Hz), least and most.
    pub gauss_hz: [f64; 2],
    /// Whether a water reference is acquired.
    #[serde(default = "yes")]
    pub water: bool,
    /// Receiver coils, stored one by one where more than one.
    #[serde(default = "one")]
    pub coils: usize,
    /// Transients, stored one by one where more than one.
    #[serde(default = "one")]
    pub transients: usize,
    /// What is wrong at this site.
    #[serde(default, skip_serializing_if = "Artefacts::is_none")]
    pub artefacts: Artefacts,
}

/// What is wrong at one site; what is left out is as in the recipe's nuisances.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Artefacts {
    /// Shift of every spectrum towards higher ppm (ppm), beside the common shift that is drawn.
    pub shift_ppm: f64,
    /// Zero-order phase of every spectrum (°), beside the one that is drawn.
    pub phase_deg: f64,
    /// [`Nuisances::asymmetry`].
    pub asymmetry: Option<f64>,
    /// [`Nuisances::lipids`].
    pub lipids: Option<[f64; 2]>,
    /// [`Nuisances::baseline`].
    pub baseline: Option<f64>,
    /// [`Nuisances::residual_water`].
    pub residual_water: Option<f64>,
    /// [`Nuisances::lorentz_between_hz`].
    pub lorentz_between_hz: Option<[f64; 2]>,
    /// [`Nuisances::split_hz`].
    pub split_hz: Option<f64>,
    /// Lines that no basis set has: chemical shift (ppm) and area (mmol/kg times protons).
    pub strangers: Vec<[f64; 2]>,
}

impl Artefacts {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// `nuisances` as they are at the site.
    pub(super) fn applied_to(&self, nuisances: &Nuisances) -> Nuisances {
        Nuisances {
            asymmetry: self.asymmetry.unwrap_or(nuisances.asymmetry),
            lipids: self.lipids.unwrap_or(nuisances.lipids),
            baseline: self.baseline.unwrap_or(nuisances.baseline),
            residual_water: self.residual_water.unwrap_or(nuisances.residual_water),
            lorentz_between_hz: self.lorentz_between_hz.or(nuisances.lorentz_between_hz),
            split_hz: self.split_hz.unwrap_or(nuisances.split_hz),
            ..nuisances.clone()
        }
    }
}

fn yes() -> bool {
    true
}

fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// Sizes of what disturbs spectra; 0 leaves a thing out. Standard deviations unless said otherwise.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nuisances {
    /// Common shift (Hz).
    pub shift_hz: f64,
    /// Zero-order phase (°).
    pub phi0_deg: f64,
    /// First-order phase (°/ppm).
    pub phi1_deg_per_ppm: f64,
    /// Common Lorentzian width (FWHM, Hz): mean and standard deviation, never below 0.3.
    pub lorentz_hz: [f64; 2],
    /// Drawn evenly between these instead (FWHM, Hz): a spread that no prior knows of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lorentz_between_hz: Option<[f64; 2]>,
    /// Shift of each metabolite on its own (ppm).
    pub own_shift_ppm: f64,
    /// The same of NAA and NAAG (ppm); left out: half of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_shift_naa_ppm: Option<f64>,
    /// Lorentzian width of each metabolite on its own (Hz).
    pub own_width_hz: f64,
    /// Largest part of the signal that lies beside the line, up to 4 Hz off: an asymmetric lineshape.
    pub asymmetry: f64,
    /// Breadth over which every line is split into four of any size (Hz): an object that moved, or a bad shim.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub split_hz: f64,
    /// Size of the macromolecules (mmol/kg of the list's unit).
    pub macromolecules: f64,
    /// Which list of macromolecules.
    #[serde(default)]
    pub macromolecule_list: MacromoleculeList,
    /// How far the corpus's macromolecules are from that list.
    #[serde(default, skip_serializing_if = "Departure::is_none")]
    pub macromolecule_departure: Departure,
    /// Relative variation of each of the pattern's groups between subjects.
    pub macromolecule_groups: f64,
    /// Relative variation of each of the pattern's peaks beside its group.
    pub macromolecule_peaks: f64,
    /// Share of the spectra with lipids, and their size (mmol/kg).
    pub lipids: [f64; 2],
    /// Height of a smooth baseline, relative to the tallest metabolite peak.
    pub baseline: f64,
    /// Height of the residual water, relative to the tallest metabolite peak.
    pub residual_water: f64,
    /// Drift over all transients (Hz), and jitter of each (Hz).
    pub drift_hz: [f64; 2],
    /// How far the spectrometer frequency of a scan may be from the site's, to either side (Hz): scanners find it anew for
    /// every scan. The header states it; the lines stay where they are in Hz, which 300 Hz make wrong by 0.002.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub f0_jitter_hz: f64,
}

/// A list of macromolecules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MacromoleculeList {
    /// The complete pattern of the method `map`.
    #[default]
    Pattern,
    /// LCModel's five; each has a shift and width of its own, as metabolites have.
    Lcmodel,
}

/// How far the macromolecules of a corpus are from the list's: drawn once from the seed, the same in all its spectra.
/// Standard deviations.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Departure {
    /// Of the logarithm of each peak's area.
    pub area: f64,
    /// Of each peak's place (ppm).
    pub place_ppm: f64,
    /// Of the logarithm of each peak's width.
    pub width: f64,
}

impl Departure {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl Recipe {
    /// The recipe of the first run.
    pub const FIRST_RUN: &'static str = include_str!("../../datasets/first-run.toml");

    /// Reads and checks a recipe.
    ///
    /// # Errors
    /// [`SimulateError::Recipe`] with the field that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, SimulateError> {
        let recipe: Self = toml::from_str(text).map_err(|e| SimulateError::Recipe { reason: e.to_string() })?;
        recipe.check().map_err(|reason| SimulateError::Recipe { reason })?;
        Ok(recipe)
    }

    /// Nuisances that the method `map` models exactly: what it has no parameter for is left out.
    pub fn keep_to_the_model(&mut self) {
        self.nuisances = Nuisances {
            asymmetry: 0.0,
            macromolecule_peaks: 0.0,
            lipids: [0.0, 0.0],
            baseline: 0.0,
            residual_water: 0.0,
            drift_hz: [0.0, 0.0],
            phi1_deg_per_ppm: 0.0,
            ..self.nuisances.clone()
        };
    }

    /// The sites: those listed, or as many as asked for, drawn from what consortia have.
    pub fn all_sites(&self) -> Vec<Site> {
        if !self.site.is_empty() {
            return self.site.clone();
        }
        (0..self.sites).map(|i| self.drawn_site(i)).collect()
    }

    fn drawn_site(&self, i: usize) -> Site {
        let mut random = Random::new(self.seed, u64::MAX / 2 - i as u64);
        let pick = |random: &mut Random, n: usize| (random.between(0.0, n as f64) as usize).min(n - 1);
        let (vendor, f0_mhz) = [("Siemens", 123.25), ("Philips", 127.75), ("GE", 127.72)][pick(&mut random, 3)];
        let te_s = [0.028, 0.030, 0.032, 0.035][pick(&mut random, 4)];
        let sequence = if random.between(0.0, 1.0) < 0.8 {
            Sequence::Press { te_s, te1_s: 0.5 * te_s, te2_s: 0.5 * te_s }
        } else {
            Sequence::SemiLaser { te_s }
        };
        let (bandwidth_hz, n_points) = [(2000.0, 1024), (2000.0, 2048), (2500.0, 1024)][pick(&mut random, 3)];
        let least = random.between(12.0, 25.0);
        Site {
            name: format!("site{:02}", i + 1),
            vendor: vendor.to_owned(),
            f0_mhz: f0_mhz + 0.01 * random.between(-3.0, 3.0).round(),
            sequence,
            tr_s: [1.5, 2.0, 3.0][pick(&mut random, 3)],
            bandwidth_hz,
            n_points,
            snr: [least, 2.5 * least],
            gauss_hz: [random.between(2.5, 4.0), random.between(5.0, 9.0)],
            water: random.between(0.0, 1.0) < 0.9,
            coils: 1,
            transients: 1,
            artefacts: Artefacts::default(),
        }
    }
}
