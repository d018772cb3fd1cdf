//! The spectra of a set, prepared as a run prepares them, in memory.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use requant::acquisition::{Acquisition, Facts};
use requant::basis::{BasisSet, Grid};
use requant::benchmark::{Set, Source};
use requant::compare::Truth;

use requant::prepare::Spectrum;
use requant::simulate::{Corpus, Recipe};

/// One spectrum.
#[derive(Clone)]
pub struct Case {
    pub id: String,
    /// Site of a simulated set.
    pub condition: String,
    /// Group of a simulated set.
    pub group: String,
    pub spectrum: Spectrum,
    pub te_s: Option<f64>,
    /// Its basis set, of [`Loaded::bases`].
    pub basis: usize,
    /// What reader and preparation flagged.
    pub flags: Vec<String>,
}

/// A set in memory.
pub struct Loaded {
    pub bases: Vec<BasisSet>,
    pub cases: Vec<Case>,
    pub truth: Truth,
}

pub fn load(set: &Set, spectra: Option<usize>, seed: u64) -> Loaded {
    match &set.source {
        Source::Recipe(text) => simulated(text, spectra, seed),
        Source::Files { spectra: folder, basis, truth, config } => {
            let mut truth = Truth::read(truth).unwrap();
            if let Some(n) = spectra {
                truth = truth.first(n);
            }
            let basis = basis.as_ref().expect("a set whose basis set is known");
            let bases = vec![BasisSet::read_for_fit(basis, &Grid::default()).unwrap()];
            let cases = truth.ids.par_iter().map(|id| from_files(id, &files_of(folder, id), &config.gaps)).collect();
            Loaded { bases, cases, truth }
        }
    }
}

/// The spectrum of an id and its water reference: BIDS, or a file of the fitting challenge.
fn files_of(folder: &Path, id: &str) -> (PathBuf, Option<PathBuf>) {
    let single = folder.join(format!("{}.RAW", id.replace("ds", "dataset")));
    if single.is_file() {
        return (single, None);
    }
    let within = folder.join(id).join("mrs");
    let ending = |end: &str| Some(within.join(format!("{id}_{end}.nii.gz"))).filter(|p| p.is_file());
    (ending("svs").unwrap_or_else(|| panic!("{}: no spectrum", within.display())), ending("mrsref"))
}

fn from_files(id: &str, (spectrum, water): &(PathBuf, Option<PathBuf>), gaps: &Facts) -> Case {
    let mut data = requant::read(spectrum).unwrap();
    data.facts.f0_mhz = data.facts.f0_mhz.or(gaps.f0_mhz);
    data.facts.dwell_s = data.facts.dwell_s.or(gaps.dwell_s);
    data.facts.te_s = data.facts.te_s.or(gaps.te_s);
    let water = water.as_ref().map(|path| requant::read(path).unwrap());
    case(id, &data, water.as_ref(), 0)
}

fn case(id: &str, data: &Acquisition, water: Option<&Acquisition>, basis: usize) -> Case {
    let (_, spectrum) = requant::prepare::prepare(data, water, 0).remove(0);
    let spectrum = spectrum.unwrap_or_else(|e| panic!("{id}: {e}"));
    let flags = data.flags.iter().chain(&spectrum.record.flags).map(|f| (*f).to_owned()).collect();
    let (condition, group) = (String::new(), String::new());
    Case { id: id.to_owned(), condition, group, spectrum, te_s: data.facts.te_s, basis, flags }
}

/// What basis sets lack whose names were not recognised, or that somebody thinned out.
const LACKING: [&[&str]; 5] = [&["Ins"], &["Cr", "PCr"], &["GPC", "PCh"], &["Glu"], &["NAA", "NAAG"]];

/// Adds the spectra of `condition` once more for each of [`LACKING`], to be fitted with a basis set that lacks it.
pub fn add_lacking(loaded: &mut Loaded, condition: &str) {
    let plain: Vec<usize> = (0..loaded.cases.len()).filter(|&i| loaded.cases[i].condition == condition).collect();
    let Some(&first) = plain.first() else { return };
    for lacking in LACKING {
        let basis = loaded.bases.len();
        loaded.bases.push(without(&loaded.bases[loaded.cases[first].basis], lacking));
        for &i in &plain {
            let case = &loaded.cases[i];
            let id = format!("{}@{}", case.id, lacking[0]);
            let values: Vec<f64> =
                loaded.truth.metabolites.iter().map(|m| loaded.truth.of(&case.id).unwrap()[m]).collect();
            loaded.truth.add(&id, &values);
            loaded.cases.push(Case { id, condition: format!("without-{}", lacking[0]), basis, ..case.clone() });
        }
    }
}

fn without(basis: &BasisSet, names: &[&str]) -> BasisSet {
    let keep: Vec<usize> =
        (0..basis.metabolites.len()).filter(|&k| !names.contains(&basis.metabolites[k].as_str())).collect();
    BasisSet {
        metabolites: keep.iter().map(|&k| basis.metabolites[k].clone()).collect(),
        fids: basis.fids.select(ndarray::Axis(0), &keep),
        ..basis.clone()
    }
}

fn simulated(text: &str, spectra: Option<usize>, seed: u64) -> Loaded {
    let mut recipe = Recipe::from_toml(text).unwrap();
    recipe.seed += seed;
    recipe.subjects = spectra.unwrap_or(recipe.subjects);
    recipe.subjects *= recipe.all_sites().len() * if recipe.matched { recipe.group.len() } else { 1 };
    let corpus = Corpus::new(&recipe).unwrap();
    let made = (0..recipe.subjects).into_par_iter().flat_map_iter(|index| {
        let subject = corpus.subject(index);
        let named = (corpus.sites[subject.site].name.clone(), recipe.group[subject.group].name.clone());
        corpus.spectra(index).into_iter().map(move |(truth, simulated)| {
            let made = case(&truth.spectrum_id, &simulated.data, simulated.water.as_ref(), subject.site);
            (truth, Case { condition: named.0.clone(), group: named.1.clone(), ..made })
        })
    });
    let (truths, cases): (Vec<_>, Vec<Case>) = made.unzip();
    let values = truths.iter().map(|t| (t.spectrum_id.as_str(), t.concentrations.as_slice()));
    let mut truth = Truth::of_spectra(&corpus.metabolites, values);
    for t in &truths {
        truth.put_drawn(&t.spectrum_id, "lorentz_hz_mean", t.drawn.lorentz_hz);
        truth.put_drawn(&t.spectrum_id, "gauss_hz", t.drawn.gauss_hz);
    }
    Loaded { bases: corpus.bases.iter().map(|b| (**b).clone()).collect(), cases, truth }
}
