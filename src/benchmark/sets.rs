//! The sets of the benchmark: simulated families of our own, and those found in a data folder.

use std::path::{Path, PathBuf};

use super::BenchmarkError;
use crate::acquisition::Facts;
use crate::compare::Column;
use crate::fit::map::Settings;
use crate::fit::map::settings::{Macromolecules, RatioPriors};
use crate::run::Config;

/// One set of spectra with known truth.
#[derive(Debug, Clone)]
pub struct Set {
    /// Its name, as `--only` takes it.
    pub name: String,
    /// What is in it, in a sentence or two.
    pub about: String,
    /// Where the spectra come from.
    pub source: Source,
    /// Which result is compared with the truth.
    pub column: Column,
    /// Whether estimates and truth share a unit; where not, one common factor is taken out of everything told.
    pub same_unit: bool,
    /// What the set asks of a method that other sets do not.
    pub adapt: fn(&mut Settings),
}

/// Where the spectra of a set come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// Simulated from this recipe (TOML).
    Recipe(&'static str),
    /// Files.
    Files {
        /// Spectra: a BIDS dataset or a folder.
        spectra: PathBuf,
        /// Basis set; `None`: simulated from the headers.
        basis: Option<PathBuf>,
        /// True values.
        truth: PathBuf,
        /// Gaps of the headers and constants of water scaling.
        config: Box<Config>,
    },
}

fn own(name: &str, about: &str, recipe: &'static str) -> Set {
    Set {
        name: name.to_owned(),
        about: about.to_owned(),
        source: Source::Recipe(recipe),
        column: Column::Amplitude,
        same_unit: true,
        adapt: |_| {},
    }
}

/// The simulated families of our own, which need no data.
pub fn own_sets() -> Vec<Set> {
    vec![
        own(
            "sim-voigt",
            "Voigt lines and the macromolecule pattern that the method assumes, SNR 10 to 50: nothing that it has no parameter for.",
            include_str!("../../datasets/benchmark/sim-voigt.toml"),
        ),
        own(
            "sim-distorted",
            "Skewed lines, first-order phase, a baseline, residual water, and lipids in a tenth of the spectra.",
            include_str!("../../datasets/benchmark/sim-distorted.toml"),
        ),
        own(
            "sim-macromolecules",
            "Every macromolecule peak's area, place and width off the textbook, the same in all spectra.",
            include_str!("../../datasets/benchmark/sim-macromolecules.toml"),
        ),
        own(
            "sim-sites",
            "Six sites with their own vendor, sequence, echo time, bandwidth and shim.",
            include_str!("../../datasets/benchmark/sim-sites.toml"),
        ),
        own(
            "sim-artefacts",
            "One thing wrong at each site: ±0.25 ppm, 180°, lines of 30 Hz, SNR 3, lipids × 20, residual water × 100, one-sided lines; and a clean site.",
            include_str!("../../datasets/benchmark/sim-artefacts.toml"),
        ),
        own(
            "wilson2025",
            "The design of Wilson 2025 (doi.org/10.1002/mrm.30462): one brain, semi-LASER 28 ms at 3 T, shift and width of each signal drawn, SNR 10 to 100 by its definition; and the same with a smooth baseline, which is ours.",
            include_str!("../../datasets/benchmark/wilson2025.toml"),
        ),
    ]
}

/// What is known about the sets of a data folder: name, basis set, whether units agree, description.
const KNOWN: [(&str, &str, bool, &str); 5] = [
    ("voigt", "lcmodel-test/3t.basis", true, "Voigt lines with the textbook's macromolecules, SNR 10 to 50."),
    ("hard", "lcmodel-test/3t.basis", true, "The same, distorted: broader lines, phases, baselines."),
    ("mm-varied", "lcmodel-test/3t.basis", true, "Macromolecules that are nobody's textbook."),
    (
        "shift",
        "basis/lcmodel/press_30ms_3T.basis",
        false,
        "Shifts, phases and SNR varied one at a time; no macromolecules, lipids or ratio priors, which is how other programs were run.",
    ),
    (
        "misfit",
        "basis/lcmodel/3T_PRESS_Siemens_35ms_noMM.BASIS",
        false,
        "Lineshapes and macromolecules outside the model.",
    ),
];

/// What `shift` asks: nothing in the model that is not in the spectra.
fn bare(settings: &mut Settings) {
    settings.components.macromolecules = Macromolecules::None;
    settings.components.lipids = false;
    settings.priors.ratios = RatioPriors::None;
}

/// The sets in a data folder: `benchmark/NAME/` with its `truth.csv`, and `challenge2016/`.
///
/// # Errors
/// [`BenchmarkError`]: the folder is not there, or a set in it lacks its truth or basis set.
pub fn sets_in(data: &Path) -> Result<Vec<Set>, BenchmarkError> {
    let folder = data.join("benchmark");
    let challenge = data.join("challenge2016");
    if !folder.is_dir() && !challenge.is_dir() {
        return Err(BenchmarkError::NoData { path: data.to_owned() });
    }
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .map(|entries| entries.filter_map(Result::ok).filter(|e| e.path().is_dir()).collect::<Vec<_>>())
        .unwrap_or_default()
        .into_iter()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| !name.starts_with('.'))
        .collect();
    let place = |name: &str| KNOWN.iter().position(|k| k.0 == name).unwrap_or(KNOWN.len());
    names.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
    let mut sets = Vec::new();
    for name in names {
        let known = KNOWN.iter().find(|k| k.0 == name);
        let spectra = folder.join(&name);
        let source = Source::Files {
            truth: existing(&name, spectra.join("truth.csv"))?,
            basis: known.map(|k| existing(&name, data.join(k.1))).transpose()?,
            spectra,
            config: Box::default(),
        };
        sets.push(Set {
            about: known.map_or("A set with a truth.csv; basis sets from its headers.", |k| k.3).to_owned(),
            source,
            column: Column::Amplitude,
            same_unit: known.is_some_and(|k| k.2),
            adapt: if name == "shift" { bare } else { |_| {} },
            name,
        });
    }
    if challenge.is_dir() {
        sets.extend(challenge_sets(&challenge)?);
    }
    Ok(sets)
}

fn existing(set: &str, path: PathBuf) -> Result<PathBuf, BenchmarkError> {
    if path.exists() { Ok(path) } else { Err(BenchmarkError::Incomplete { set: set.to_owned(), missing: path }) }
}

/// The ISMRM fitting challenge 2016, water-scaled by its own constants, and by amplitudes. Its RAW files state neither
/// dwell time nor frequency.
fn challenge_sets(folder: &Path) -> Result<[Set; 2], BenchmarkError> {
    let constants: Config = toml::from_str(include_str!("../../datasets/challenge2016.toml"))
        .map_err(|e| BenchmarkError::Constants { reason: e.to_string() })?;
    let gaps = Facts { f0_mhz: Some(123.2), dwell_s: Some(2.5e-4), te_s: Some(0.03), ..Facts::default() };
    let name = "challenge2016";
    let set = |name: &str, about: &str, column: Column, same_unit: bool| -> Result<Set, BenchmarkError> {
        Ok(Set {
            name: name.to_owned(),
            about: about.to_owned(),
            source: Source::Files {
                spectra: existing(name, folder.join("lcmodel"))?,
                basis: Some(existing(name, folder.join("basis/press3T_30ms.BASIS"))?),
                truth: existing(name, folder.join("truth_mM.csv"))?,
                config: Box::new(Config { gaps: gaps.clone(), ..constants.clone() }),
            },
            column,
            same_unit,
            adapt: |_| {},
        })
    };
    let about = "ISMRM fitting challenge 2016, the 14 datasets with published truth";
    Ok([
        set(
            name,
            &format!("{about}: concentrations, scaled to water by its own constants."),
            Column::Concentration,
            true,
        )?,
        set(
            &format!("{name}-amplitudes"),
            &format!("{about}: amplitudes, whose unit is taken out."),
            Column::Amplitude,
            false,
        )?,
    ])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::simulate::Recipe;

    #[test]
    fn the_recipes_of_our_own_sets_read() {
        for set in own_sets() {
            let Source::Recipe(text) = set.source else { unreachable!("{}", set.name) };
            let recipe = Recipe::from_toml(text).unwrap();
            let names: std::collections::BTreeSet<_> = recipe.all_sites().into_iter().map(|s| s.name).collect();
            assert_eq!(names.len(), recipe.all_sites().len(), "{}: sites are known by their names", set.name);
        }
    }

    #[test]
    fn a_folder_without_sets_and_a_set_without_truth_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(sets_in(folder.path()), Err(BenchmarkError::NoData { .. })));
        std::fs::create_dir_all(folder.path().join("benchmark/mine")).unwrap();
        let error = sets_in(folder.path()).unwrap_err().to_string();
        assert!(error.contains("mine") && error.contains("truth.csv"), "{error}");
    }
}
