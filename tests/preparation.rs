//! What preparation restores: spectra with known truth, spoiled as scanners spoil them, next to the same without.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, missing_docs, reason = "tests")]

use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::{Model, Settings};
use requant::prepare::{Spectrum, prepare};
use requant::simulate::{Corpus, Recipe};

const SUBJECTS: usize = 24;
const USUAL: [&str; 5] = ["tNAA", "tCr", "tCho", "Ins", "Glx"];

/// A corpus of one site of the first run's recipe.
fn corpus(change: impl FnOnce(&mut Recipe)) -> Corpus {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.subjects = SUBJECTS;
    recipe.site.truncate(1);
    change(&mut recipe);
    Corpus::new(&recipe).unwrap()
}

/// All spectra, prepared without their water references.
fn prepared(corpus: &Corpus) -> Vec<Spectrum> {
    (0..SUBJECTS).flat_map(|i| corpus.spectra(i)).map(|(_, s)| prepare(&s.data, None, 0, 0).unwrap()).collect()
}

/// Amplitudes of the usual sums by `map`, `[spectrum][sum]`, and their standard deviations.
fn amplitudes(corpus: &Corpus, spectra: &[Spectrum]) -> Vec<Vec<(f64, f64)>> {
    let (site, basis) = (&corpus.sites[0], &corpus.bases[0]);
    let settings = Settings::map().unwrap();
    let te_s = Some(site.sequence.te_s());
    let model = Model::new(basis, site.n_points, 1.0 / site.bandwidth_hz, site.f0_mhz, te_s, &settings).unwrap();
    let fids = spectra.iter().map(|s| s.fid.as_slice()).collect();
    CpuEngine
        .fit(&Batch { model: &model, fids })
        .iter()
        .map(|fit| {
            let usual = USUAL.iter().map(|name| fit.result.amplitude(name).unwrap());
            usual.map(|a| (a.value, a.sd_posterior)).collect()
        })
        .collect()
}

#[test]
fn residual_water_a_hundred_times_naa_goes_and_amplitudes_stay() {
    let flagged = |spectra: &[Spectrum], flag| spectra.iter().filter(|s| s.record.flags.contains(&flag)).count();
    for (snr, most_percent) in [(30.0, 5.0), (300.0, 1.2)] {
        let spectra = |residual_water| {
            let corpus = corpus(|r| {
                r.nuisances.residual_water = residual_water;
                r.site[0].snr = [snr, snr];
            });
            let spectra = prepared(&corpus);
            (amplitudes(&corpus, &spectra), flagged(&spectra, "residual_water_removed"))
        };
        let ((wanted, none), (found, all)) = (spectra(0.0), spectra(100.0));
        assert_eq!((none, all), (0, SUBJECTS));
        for (k, name) in USUAL.iter().enumerate() {
            let pairs = || wanted.iter().zip(&found).map(|(w, f)| (w[k], f[k].0));
            let mean = pairs().map(|(w, f)| f / w.0 - 1.0).sum::<f64>() / SUBJECTS as f64;
            let worst = pairs().map(|(w, f)| (f / w.0 - 1.0).abs()).fold(0.0, f64::max);
            let in_sd = pairs().map(|(w, f)| (f - w.0).abs() / w.1).fold(0.0, f64::max);
            println!("SNR {snr}, {name}: mean {:.2} %, worst {:.2} %, {in_sd:.2} sd", 100.0 * mean, 100.0 * worst);
            // Noise under the water is fitted with it: single spectra change by part of their noise, the mean does not.
            assert!(mean.abs() <= 0.01 && in_sd <= 1.0 && 100.0 * worst <= most_percent, "{name}");
        }
    }
}
