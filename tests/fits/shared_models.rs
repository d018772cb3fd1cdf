//! Scans whose frequencies differ by what a prescan finds share one model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use requant::engine::{Batch, CpuEngine, Engine, EngineKind, Fitted};
use requant::fit::{Method, Model};
use requant::run::{CurvesKept, RunOptions, run};
use requant::simulate::{Corpus, Recipe, write};
use requant::store::{CurveRow, MetaboliteRow, SpectrumRow, read_table};

use crate::common::kill::Silent;

/// Fits as the native engine does, and keeps how many spectra each batch had.
#[derive(Default)]
struct Counting(Mutex<Vec<[usize; 2]>>);

impl Engine for Counting {
    fn kind(&self) -> EngineKind {
        EngineKind::Cpu
    }

    fn device(&self) -> String {
        CpuEngine.device()
    }

    fn files_at_once(&self) -> usize {
        4096
    }

    fn fit(&self, batch: &Batch<'_>) -> Vec<Fitted> {
        let models: BTreeSet<*const Model> = batch.tasks.iter().map(|task| std::ptr::from_ref(task.model)).collect();
        self.0.lock().unwrap().push([models.len(), batch.tasks.len()]);
        CpuEngine.fit(batch)
    }
}

/// The first run's corpus, each scan up to 300 Hz from its site's frequency.
fn jittered(subjects: usize) -> Recipe {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.subjects = subjects;
    recipe.nuisances.f0_jitter_hz = 300.0;
    recipe
}

fn map() -> Method {
    Method::built_in("map").unwrap().unwrap()
}

/// Models and spectra of each batch.
fn run_of(inputs: Vec<PathBuf>, out: &Path) -> Vec<[usize; 2]> {
    let mut options = RunOptions::new(inputs, vec![map()], out.to_owned()).unwrap();
    options.curves = CurvesKept::Full;
    let engine = Counting::default();
    run(&options, &engine, &Silent).unwrap();
    engine.0.into_inner().unwrap()
}

#[test]
fn one_model_a_protocol_whatever_the_prescan_found() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let recipe = jittered(6);
    let written = write(&at("corpus"), &recipe).unwrap();
    let batches = run_of(vec![written.spectra.clone()], &at("out"));
    let spectra: Vec<SpectrumRow> = read_table(&at("out")).unwrap();
    let mut own: Vec<u64> = spectra.iter().map(|row| row.f0_mhz.unwrap().to_bits()).collect();
    own.sort_unstable();
    own.dedup();
    assert_eq!(own.len(), spectra.len(), "every scan has a frequency of its own");
    // What spectra ask for beside their basis sets is fitted later.
    assert_eq!(batches[0], [recipe.site.len(), spectra.len()], "{batches:?}");

    // The axis of a spectrum's curves is that of its own frequency: bins are whole multiples of half a point's width.
    let by_id: BTreeMap<&str, &SpectrumRow> = spectra.iter().map(|row| (row.spectrum_id.as_str(), row)).collect();
    let curves: Vec<CurveRow> = read_table(&at("out")).unwrap();
    for curve in &curves {
        let row = by_id[curve.spectrum_id.as_str()];
        let (f0_mhz, n) = (row.f0_mhz.unwrap(), f64::from(row.n_points.unwrap()));
        let bins = curve.ppm.as_ref().unwrap().iter().map(|ppm| {
            let bin = (4.65 - f64::from(*ppm)) * f0_mhz * 2.0 * n * row.dwell_s.unwrap();
            (bin - bin.round()).abs()
        });
        // A single-precision number of 4 ppm is known to 2.4e-7 ppm, 1e-4 of a bin.
        let most = bins.fold(0.0, f64::max);
        assert!(most < 2e-4, "{}: {most} bins off", curve.spectrum_id);
    }

    // What a spectrum is fitted with does not depend on those before it.
    let rows = |out: &str| -> Vec<MetaboliteRow> { read_table(&at(out)).unwrap() };
    let all = rows("out");
    run_of(vec![written.spectra.join("sub-0004")], &at("alone"));
    let alone = rows("alone");
    assert!(!alone.is_empty());
    for row in &alone {
        let id = row.spectrum_id.rsplit('/').next().unwrap();
        let same =
            all.iter().find(|other| other.spectrum_id.ends_with(id) && other.metabolite == row.metabolite).unwrap();
        assert_eq!((same.amplitude, same.sd_posterior), (row.amplitude, row.sd_posterior), "{id} {}", row.metabolite);
    }
}

/// The worst there is: half a step beside the model's frequency.
#[test]
fn a_shared_model_gives_the_amplitudes_of_a_model_of_ones_own() {
    let recipe = Recipe { subjects: 3, ..Recipe::from_toml(Recipe::FIRST_RUN).unwrap() };
    let corpus = Corpus::new(&recipe).unwrap();
    let method = map();
    let mut most = [0.0_f64; 2];
    for subject in 0..recipe.subjects {
        let basis = &corpus.bases[corpus.subject(subject).site];
        for (_, simulated) in corpus.spectra(subject) {
            let spectrum = &requant::prepare(&simulated.data, None, 0).remove(0).1.unwrap();
            let model = |f0_mhz: f64| -> Model {
                method.model(basis, spectrum.fid.len(), spectrum.dwell_s, f0_mhz, basis.te_s).unwrap()
            };
            let fit = |model: &Model| CpuEngine.fit(&Batch::of(model, [spectrum.fid.as_slice()])).remove(0).result;
            let shared = fit(&model(spectrum.f0_mhz));
            for (most, off_hz) in most.iter_mut().zip([300.0, 1250.0]) {
                let own = fit(&model(spectrum.f0_mhz + 1e-6 * off_hz));
                assert_eq!(own.state, shared.state);
                for (a, b) in own.amplitudes.iter().zip(&shared.amplitudes) {
                    *most = most.max((a.value - b.value).abs() / b.sd_posterior);
                }
            }
        }
    }
    assert!(most[0] < 1e-3 && most[1] < 5e-3, "{most:?} standard deviations");
    assert!(most[1] > 0.0, "two models");
}
