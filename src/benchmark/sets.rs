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
    /// Name under which other programs' results for its spectra are known.
    pub peers: String,
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
        peers: name.to_owned(),
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
        own(
            "wide",
            "Lorentzian widths from 1 to 6 Hz, as likely as one another: do amplitudes fall with the linewidth?",
            include_str!("../../datasets/benchmark/wide.toml"),
        ),
        own(
            "group-width",
            "Pairs who are alike but for lines that are 1 Hz broader in the second group: is there a group difference?",
            include_str!("../../datasets/benchmark/group-width.toml"),
        ),
        own(
            "group-20",
            "Groups who are alike but for one metabolite that is 20 % more: how much of it comes back?",
            include_str!("../../datasets/benchmark/group-20.toml"),
        ),
        own(
            "strangers",
            "One thing wrong at each site: lines that no basis set has, lipids, broad, split and one-sided lines, low SNR, a baseline, water, phase, shift; are wrong spectra flagged, and they alone?",
            include_str!("../../datasets/benchmark/strangers.toml"),
        ),
    ]
}

/// What is known about a set of a data folder.
struct Known {
    name: &'static str,
    /// Folder of its spectra, in `benchmark/`.
    folder: &'static str,
    /// Basis set, in the same data folder, another one, or that of other programs' results.
    basis: &'static str,
    same_unit: bool,
    about: &'static str,
}

const KNOWN: [Known; 7] = [
    Known {
        name: "voigt",
        folder: "voigt",
        basis: "lcmodel-test/3t.basis",
        same_unit: true,
        about: "Voigt lines with the textbook's macromolecules, SNR 10 to 50.",
    },
    Known {
        name: "hard",
        folder: "hard",
        basis: "lcmodel-test/3t.basis",
        same_unit: true,
        about: "The same, distorted: broader lines, phases, baselines.",
    },
    Known {
        name: "mm-varied",
        folder: "mm-varied",
        basis: "lcmodel-test/3t.basis",
        same_unit: true,
        about: "Macromolecules that are nobody's textbook.",
    },
    Known {
        name: "shift",
        folder: "shift",
        basis: "basis/lcmodel/press_30ms_3T.basis",
        same_unit: false,
        about: "Shifts, phases and SNR varied one at a time; no macromolecules, lipids or ratio priors, which is how other programs were run.",
    },
    Known {
        name: "misfit",
        folder: "misfit",
        basis: "basis/lcmodel/3T_PRESS_Siemens_35ms_noMM.BASIS",
        same_unit: false,
        about: "Lineshapes and macromolecules outside the model.",
    },
    Known {
        name: "skew",
        folder: "skew",
        basis: "basis/lcmodel/3T_PRESS_Siemens_35ms_noMM.BASIS",
        same_unit: false,
        about: "Split lines, macromolecules of their own, one vendor's spectra fitted with another's basis set.",
    },
    Known {
        name: "skew-mm",
        folder: "skew",
        basis: "benchmark/siemens-press35_with-mm.basis",
        same_unit: false,
        about: "The same spectra, with their macromolecules in the basis set.",
    },
];

/// What `shift` asks: nothing in the model that is not in the spectra.
fn bare(settings: &mut Settings) {
    settings.components.macromolecules = Macromolecules::None;
    settings.components.lipids = false;
    settings.priors.ratios = RatioPriors::None;
}

/// The sets in a data folder: `benchmark/NAME/` with its `truth.csv`, and `challenge2016/`. Basis sets are looked for in
/// the `others`, too.
///
/// # Errors
/// [`BenchmarkError`]: the folder is not there, or a set in it lacks its truth or basis set.
pub fn sets_in(data: &Path, others: &[&Path]) -> Result<Vec<Set>, BenchmarkError> {
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
    let place = |name: &str| KNOWN.iter().position(|k| k.folder == name).unwrap_or(KNOWN.len());
    names.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.cmp(b)));
    let mut sets = Vec::new();
    for name in names {
        let spectra = folder.join(&name);
        let truth = existing(&name, spectra.join("truth.csv"))?;
        let known: Vec<&Known> = KNOWN.iter().filter(|k| k.folder == name).collect();
        if known.is_empty() {
            let about = "A set with a truth.csv; basis sets from its headers.";
            sets.push(of_files(&name, &name, about, false, [spectra.clone(), truth.clone()], None));
        }
        for known in known {
            let mut found = std::iter::once(data).chain(others.iter().copied()).map(|root| root.join(known.basis));
            let basis = match found.find(|path| path.exists()) {
                Some(basis) => basis,
                // Another basis set for the same spectra is an addition: the set goes without.
                None if known.name != known.folder => continue,
                None => existing(&name, data.join(known.basis))?,
            };
            let files = [spectra.clone(), truth.clone()];
            sets.push(of_files(known.name, &name, known.about, known.same_unit, files, Some(basis)));
        }
    }
    if challenge.is_dir() {
        sets.extend(challenge_sets(&challenge)?);
    }
    Ok(sets)
}

fn of_files(
    name: &str,
    peers: &str,
    about: &str,
    same_unit: bool,
    [spectra, truth]: [PathBuf; 2],
    basis: Option<PathBuf>,
) -> Set {
    Set {
        name: name.to_owned(),
        about: about.to_owned(),
        peers: peers.to_owned(),
        source: Source::Files { spectra, basis, truth, config: Box::default() },
        column: Column::Amplitude,
        same_unit,
        adapt: if name == "shift" { bare } else { |_| {} },
    }
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
            peers: "challenge2016".to_owned(),
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
        assert!(matches!(sets_in(folder.path(), &[]), Err(BenchmarkError::NoData { .. })));
        std::fs::create_dir_all(folder.path().join("benchmark/mine")).unwrap();
        let error = sets_in(folder.path(), &[]).unwrap_err().to_string();
        assert!(error.contains("mine") && error.contains("truth.csv"), "{error}");
    }
}
