//! Simulated corpora: what is in them, that errors of their fits are honest, and basis sets made from headers.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use num_complex::Complex64;
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::map::settings::RatioPriors;
use requant::fit::map::{self, Settings};
use requant::fit::{FitState, Model};
use requant::formats::{self, nifti_mrs};
use requant::simulate::{Corpus, Recipe, SimulateError, write};
use requant::store::{SpectrumRow, Status, read_table};

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn recipe() -> Recipe {
    Recipe::from_toml(Recipe::FIRST_RUN).unwrap()
}

/// Every file below a folder with its bytes.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .filter(|e| e.file_type().is_file())
        .map(|e| (e.path().strip_prefix(folder).unwrap().to_owned(), fs::read(e.path()).unwrap()))
        .collect()
}

/// What a user may believe of an error bar: spectra whose nuisances lie within the model, fitted with the basis set
/// they were made with and without ratio priors, come out within their errors.
#[test]
fn errors_are_honest_where_the_model_holds() {
    const N: usize = 504;
    let mut recipe = recipe();
    recipe.keep_to_the_model();
    recipe.subjects = N;
    recipe.site.truncate(1);
    // As wide as the fit's own priors say.
    recipe.nuisances.own_width_hz = 0.5;
    recipe.nuisances.lorentz_hz = [1.3, 1.2];
    recipe.nuisances.macromolecule_groups = 0.3;
    let corpus = Corpus::new(&recipe).unwrap();
    let (site, basis) = (&corpus.sites[0], &corpus.bases[0]);
    let mut settings = Settings::map().unwrap();
    settings.priors.ratios = RatioPriors::None;
    let te_s = Some(site.sequence.te_s());
    let model = Model::from(
        map::Model::new(basis, site.n_points, 1.0 / site.bandwidth_hz, site.f0_mhz, te_s, &settings).unwrap(),
    );
    let spectra: Vec<_> = (0..N).flat_map(|i| corpus.spectra(i)).collect();
    let fids: Vec<Vec<Complex64>> = spectra.iter().map(|(_, s)| s.data.samples.iter().collect()).collect();
    let fits = CpuEngine.fit(&Batch::of(&model, fids.iter().map(Vec::as_slice)));
    let (mut all, mut own) = (Vec::new(), BTreeMap::<&str, Vec<f64>>::new());
    for ((truth, _), fit) in spectra.iter().zip(&fits) {
        assert!(matches!(fit.result.state, FitState::Converged | FitState::MaxIterations));
        for (name, value) in corpus.metabolites.iter().zip(&truth.concentrations) {
            let a = fit.result.amplitude(name).unwrap();
            // The value with the bound released: a bound that holds makes errors smaller than they are.
            let z = (a.free - value) / a.sd_posterior;
            all.push(z * z);
            own.entry(name).or_default().push(z * z);
        }
    }
    let rms = |squares: &[f64]| (squares.iter().sum::<f64>() / squares.len() as f64).sqrt();
    for (name, squares) in &own {
        println!("{name:8} {:.3}", rms(squares));
    }
    println!("all {:.3} over {N} spectra", rms(&all));
    assert!((0.9..=1.1).contains(&rms(&all)), "{}", rms(&all));
    for name in ["NAA", "Cr", "PCr", "Glu", "Ins", "GSH", "Gln"] {
        assert!((0.8..=1.2).contains(&rms(&own[name])), "{name}: {}", rms(&own[name]));
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_any_number_of_threads() {
    let keep = tempfile::tempdir().unwrap();
    let mut recipe = recipe();
    recipe.subjects = 6;
    let made = |name: &str, threads: usize, recipe: &Recipe| {
        let out = keep.path().join(name);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| write(&out, recipe)).unwrap();
        files(&out)
    };
    let one = made("one", 1, &recipe);
    assert!(one == made("two", 2, &recipe));
    recipe.seed += 1;
    assert!(one != made("other", 2, &recipe));
}

#[test]
fn a_corpus_is_complete() {
    let keep = tempfile::tempdir().unwrap();
    let mut recipe = recipe();
    recipe.subjects = 9;
    recipe.site[1].water = false;
    recipe.site[2].coils = 4;
    recipe.site[2].transients = 3;
    let out = keep.path().join("corpus");
    let written = write(&out, &recipe).unwrap();
    assert_eq!((written.n_spectra, written.bases.len()), (9, 3));
    let participants = fs::read_to_string(out.join("participants.tsv")).unwrap();
    assert_eq!(participants.lines().count(), 10);
    let truth = fs::read_to_string(&written.truth).unwrap();
    for (i, line) in truth.lines().skip(1).enumerate() {
        let id = line.split(',').next().unwrap();
        let data = formats::read(&out.join(format!("{id}.nii.gz"))).unwrap();
        let site = &recipe.site[i % 3];
        assert_eq!((data.n_coils(), data.n_transients()), (site.coils, site.transients));
        assert_eq!((data.facts.f0_mhz, data.facts.te_s), (Some(site.f0_mhz), Some(site.sequence.te_s())));
        assert_eq!(data.facts.sequence.as_deref(), Some(site.sequence.name()));
        assert_eq!(out.join(format!("{}mrsref.nii.gz", id.strip_suffix("svs").unwrap())).exists(), site.water);
    }
    assert!(out.join("truth/truth.parquet").exists() && out.join("truth/nuisances.csv").exists());
    // A folder with something in it is left alone.
    assert!(matches!(write(&out, &recipe), Err(SimulateError::Exists { .. })));
}

/// The effect that a recipe sets is in the truth: half of the patients' share of a standard error.
#[test]
fn groups_differ_by_their_effect() {
    let mut recipe = recipe();
    recipe.subjects = 400;
    let corpus = Corpus::new(&recipe).unwrap();
    let glu = corpus.metabolites.iter().position(|m| m == "Glu").unwrap();
    let naa = corpus.metabolites.iter().position(|m| m == "NAA").unwrap();
    let mut means = [[0.0; 2]; 2];
    let mut counts = [0.0; 2];
    for i in 0..recipe.subjects {
        let group = corpus.subject(i).group;
        let truth = &corpus.spectra(i)[0].0.concentrations;
        counts[group] += 1.0;
        means[group][0] += truth[glu];
        means[group][1] += truth[naa];
    }
    assert!(counts.iter().all(|n| *n > 150.0), "{counts:?}");
    let ratio = |k: usize| (means[1][k] / counts[1]) / (means[0][k] / counts[0]);
    // 10 % between subjects over 200 in a group: a standard error of 1 % for the ratio.
    assert!((ratio(0) - 1.1).abs() < 0.04 && (ratio(1) - 1.0).abs() < 0.03, "{} {}", ratio(0), ratio(1));
}

#[test]
fn faulty_recipes_name_the_field() {
    let good = Recipe::FIRST_RUN;
    for (from, to, expected) in [
        ("subjects = 24", "subjects = 0", "subjects"),
        ("subjects = 24", "subjects = 24\nunheard = 1", "unheard"),
        ("snr = [20.0, 50.0]", "snr = [-1.0, 50.0]", "snr"),
        ("te1_s = 0.015, te2_s = 0.015", "te1_s = 0.02, te2_s = 0.015", "TE1 + TE2"),
        ("sequence = \"semi-laser\"", "sequence = \"laser\"", "laser"),
        ("effect = { Glu = 1.1 }", "effect = { Glx = 1.1 }", "Glx"),
        ("share = 0.5\neffect", "share = 0.0\neffect", "share"),
        ("Tau = [1.3, 0.15]", "Nonesuch = [1.3, 0.15]", "Nonesuch"),
        ("baseline = 0.05", "baseline = -0.05", "nuisances"),
    ] {
        assert!(good.contains(from), "{from}");
        let message = Recipe::from_toml(&good.replacen(from, to, 1)).unwrap_err().to_string();
        assert!(message.contains(expected), "{to}: {message}");
    }
    let consortium = Recipe::from_toml(include_str!("../../datasets/consortium.toml")).unwrap();
    assert_eq!((consortium.subjects, consortium.all_sites().len(), consortium.voxel.len()), (3037, 40, 2));
}

/// Without --basis each protocol's basis set is simulated from its headers; a header that does not say enough is a
/// row that names what is missing.
#[test]
fn run_without_a_basis_set() {
    let keep = tempfile::tempdir().unwrap();
    let corpus = keep.path().join("corpus");
    let mut recipe = recipe();
    recipe.subjects = 6;
    write(&corpus, &recipe).unwrap();
    let bare = corpus.join("sub-0002/mrs/sub-0002_voi-acc_svs.nii.gz");
    let mut data = formats::read(&bare).unwrap();
    (data.facts.te_s, data.facts.sequence) = (None, None);
    fs::write(bare.with_extension(""), nifti_mrs::encode(&data)).unwrap();
    fs::remove_file(&bare).unwrap();
    // Nor does its sidecar say it.
    fs::remove_file(bare.with_extension("").with_extension("json")).unwrap();
    let run = |name: &str, more: &[&str]| -> (Vec<SpectrumRow>, serde_json::Value) {
        let out = keep.path().join(name);
        let output = requant(&[&["run", text(&corpus), "--out", text(&out)], more].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let record = fs::read_to_string(out.join("run.json")).unwrap();
        (read_table(&out).unwrap(), serde_json::from_str(&record).unwrap())
    };
    let (rows, record) = run("out", &[]);
    let failed: Vec<_> = rows.iter().filter(|r| r.status == Status::Failed).collect();
    assert_eq!((rows.len(), failed.len()), (6, 1));
    assert_eq!(failed[0].error_code.as_deref(), Some("basis_header"));
    let message = failed[0].error_message.as_deref().unwrap();
    assert!(message.contains("te_s") && message.contains("sequence") && message.contains("sub-0002"), "{message}");
    assert_eq!(record["config"]["simulated_bases"].as_array().unwrap().len(), 3);
    assert_eq!(record["bases"].as_array().unwrap().len(), 3);
    // What the header does not say may come from the command line, for that file only.
    let (rows, _) = run("gaps", &["--te-s", "0.035", "--sequence", "PRESS"]);
    assert!(rows.iter().all(|r| r.status == Status::Ok));
    assert!(rows.iter().any(|r| r.basis_id.as_deref().unwrap().contains("sLASER")));
}

#[test]
fn basis_commands_make_what_the_readers_read() {
    let keep = tempfile::tempdir().unwrap();
    let at = |name: &str| keep.path().join(name);
    let press = ["basis", "simulate", "--sequence", "press", "--te", "30", "--field-t", "3", "--points", "512"];
    let make = |more: &[&str]| requant(&[&press[..], more].concat());
    assert!(make(&["--out", text(&at("a.basis"))]).status.success());
    assert_eq!(make(&["--out", text(&at("a.basis"))]).status.code(), Some(73), "exists");
    assert!(make(&["--out", text(&at("json")), "--format", "fsl-json"]).status.success());
    assert_eq!(make(&["--out", text(&at("b"))]).status.code(), Some(2), "the name does not say the form");
    let convert = |args: &[&str]| requant(&[&["basis", "convert"], args].concat()).status.success();
    assert!(convert(&[text(&at("json")), text(&at("raw")), "--format", "raw"]));
    let grid = ["--f0-mhz", "127.732434", "--dwell-s", "0.00025", "--te-s", "0.03"];
    assert!(convert(&[&[text(&at("raw")), text(&at("back.basis"))], &grid[..]].concat()));
    let first = requant::basis::BasisSet::read(&at("a.basis")).unwrap();
    for other in ["json", "back.basis"] {
        let other = requant::basis::BasisSet::read(&at(other)).unwrap();
        assert_eq!(other.metabolites.len(), first.metabolites.len());
        for (name, fid) in first.metabolites.iter().zip(first.fids.outer_iter()) {
            let k = other.position(name).unwrap();
            let size = fid.iter().map(|z| z.norm()).fold(0.0, f64::max);
            let off = fid.iter().zip(other.fids.row(k)).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
            // Seven digits, written twice.
            assert!(off < 3e-6 * size, "{name}: {off}");
        }
    }
    for (args, expected) in [
        (vec!["--sequence", "laser"], "possible values"),
        (vec!["--sequence", "press"], "--te"),
        (vec!["--sequence", "press", "--te", "30", "--te1", "20", "--te2", "20"], "TE1 + TE2"),
        (vec!["--sequence", "press", "--te", "30", "--te1", "40"], "TE2"),
        (vec!["--sequence", "steam", "--te", "20"], "--tm"),
        (vec!["--sequence", "press", "--te", "30", "--tm", "10"], "--sequence steam"),
        (vec!["--sequence", "press", "--te", "30", "--metabolites", "NAA,Foo"], "Foo"),
        (vec!["--sequence", "press", "--te", "30", "--metabolites", "Ins,mI"], "twice"),
    ] {
        let out = at("x.basis");
        let output = requant(&[&["basis", "simulate", "--field-t", "3", "--out", text(&out)], &args[..]].concat());
        let message = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.contains(expected) && !out.exists(), "{args:?}: {message}");
    }
    // Twelve coupled protons.
    let large = at("large.toml");
    let ppm = (0..12).map(|i| format!("{}.0", i + 1)).collect::<Vec<_>>().join(", ");
    let couplings = (1..12).map(|i| format!("[{i}, {}, 7.0]", i + 1)).collect::<Vec<_>>().join(", ");
    let system = format!(
        "[[metabolite]]\nname = \"Big\"\nsource = \"a test\"\n[[metabolite.group]]\nppm = [{ppm}]\nj_hz = [{couplings}]\n"
    );
    fs::write(&large, system).unwrap();
    let output = make(&["--spin-systems", text(&large), "--out", text(&at("large.basis"))]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("12 coupled protons"));
}
