//! `gannet` on edited spectra as a run meets them: simulated MEGA-PRESS with known GABA, and a measured one.

use std::f64::consts::{LN_2, PI};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::{Normal, data};
use ndarray::{Array5, Axis, concatenate};
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::basis::simulate::{Band, Sequence, basis_set};
use requant::formats::{self, nifti_mrs};
use requant::store::{MetaboliteRow, SpectrumRow, Status, read_table};

const F0_MHZ: f64 = 123.2;
const DWELL_S: f64 = 5e-4;
const N_POINTS: usize = 2048;
const TE_S: f64 = 0.068;

/// A grey-matter voxel (mmol/kg), without GABA.
const OTHERS: [(&str, f64); 11] = [
    ("NAA", 10.0),
    ("NAAG", 1.2),
    ("Cr", 4.0),
    ("PCr", 4.0),
    ("GPC", 1.0),
    ("PCh", 0.6),
    ("Glu", 9.0),
    ("Gln", 2.5),
    ("GSH", 1.2),
    ("Ins", 6.0),
    ("Tau", 1.2),
];
const CREATINE: f64 = 8.0;
/// GABA's part of GABA+, as the method has it.
const SHARE: f64 = 0.45;

/// What all lines are broadened by (FWHM, Hz).
#[derive(Clone, Copy)]
struct Shape {
    lorentz_hz: f64,
    gauss_hz: f64,
}
const LORENTZIAN: Shape = Shape { lorentz_hz: 4.0, gauss_hz: 0.0 };
const VOIGT: Shape = Shape { lorentz_hz: 2.0, gauss_hz: 5.0 };

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// ON and OFF of a voxel with so much GABA (mmol/kg) and GABA's macromolecules, by density matrix; noise of `noise_sd` a
/// condition and part.
fn mega(gaba: f64, shape: Shape, noise_sd: f64, seed: u64) -> Acquisition {
    let mut normal = Normal(seed);
    let (names, amounts): (Vec<&str>, Vec<f64>) = OTHERS.into_iter().chain([("GABA", gaba)]).unzip();
    let mut samples = Array5::zeros((1, 2, 1, 1, N_POINTS));
    for (condition, centre_ppm) in [1.9, 7.5].into_iter().enumerate() {
        let band = Band { centre_ppm, width_ppm: 0.6 };
        let sequence = Sequence::MegaPress { te_s: TE_S, te1_s: 0.2 * TE_S, band };
        let set = basis_set(&names, &sequence, F0_MHZ, DWELL_S, N_POINTS, shape.lorentz_hz).unwrap();
        // Of GABA's two protons half is seen in half of the difference: 2·gaba in ON − OFF, and the rest of GABA+ beside it.
        let macromolecules = if condition == 0 { 2.0 * gaba * (1.0 - SHARE) / SHARE } else { 0.0 };
        for n in 0..N_POINTS {
            let t = n as f64 * DWELL_S;
            let gauss = |width_hz: f64| (-(PI * width_hz * t).powi(2) / (4.0 * LN_2)).exp();
            let narrow: Complex64 = amounts.iter().zip(set.fids.column(n)).map(|(a, z)| z * *a).sum();
            let size = macromolecules * gauss(18.0) * (-PI * shape.lorentz_hz * t).exp();
            let broad = Complex64::from_polar(size, 2.0 * PI * hz_from_ppm(3.0, F0_MHZ) * t);
            let turn = Complex64::from_polar(gauss(shape.gauss_hz), 0.7 + 2.0 * PI * 1.7 * t);
            let noise = Complex64::new(normal.next(), normal.next()) * noise_sd;
            samples[(0, condition, 0, 0, n)] = (narrow + broad) * turn + noise;
        }
    }
    Acquisition {
        condition_labels: vec!["ON".into(), "OFF".into()],
        facts: Facts {
            dwell_s: Some(DWELL_S),
            f0_mhz: Some(F0_MHZ),
            nucleus: Some("1H".into()),
            te_s: Some(TE_S),
            sequence: Some("MEGA-PRESS".into()),
            ..Facts::default()
        },
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    }
}

/// A folder of inputs, and what a run makes of it.
struct Corpus {
    keep: tempfile::TempDir,
}

impl Corpus {
    fn new(inputs: &[(&str, &Acquisition)]) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let corpus = Self { keep };
        fs::create_dir(corpus.path("in")).unwrap();
        for (name, acquisition) in inputs {
            fs::write(corpus.path("in").join(format!("{name}.nii")), nifti_mrs::encode(acquisition)).unwrap();
        }
        corpus
    }

    fn path(&self, name: &str) -> PathBuf {
        self.keep.path().join(name)
    }

    /// Simulates the basis set of the difference.
    fn basis(&self) -> PathBuf {
        let path = self.path("difference.basis");
        let output = requant(&[
            "basis",
            "simulate",
            "--sequence",
            "mega-press",
            "--te",
            "68",
            "--edit",
            "difference",
            "--field-mhz",
            "123.2",
            "--out",
            text(&path),
        ]);
        assert!(output.status.success(), "{}", said(&output));
        path
    }

    fn run(&self, more: &[&str]) -> (Vec<SpectrumRow>, Vec<MetaboliteRow>) {
        let (input, out) = (self.path("in"), self.path("out"));
        let mut args = vec!["run", text(&input), "--out", text(&out), "--overwrite"];
        args.extend(more);
        let output = requant(&args);
        assert!(matches!(output.status.code(), Some(0 | 65)), "{}", said(&output));
        (read_table(&out).unwrap(), read_table(&out).unwrap())
    }
}

fn row<'a>(rows: &'a [MetaboliteRow], id: &str, method: &str, metabolite: &str) -> &'a MetaboliteRow {
    rows.iter().find(|r| r.spectrum_id == id && r.method == method && r.metabolite == metabolite).unwrap()
}

/// GABA+ of a known voxel, in the data's units and over creatine.
///
/// Without noise it comes out within 0.13 mmol/kg (−0.11 to +0.121): a Gaussian for a triplet above macromolecules, GSH at
/// 2.95 ppm, and what the background leaves of Glx's wings. Creatine's Lorentzian takes GSH and GABA beneath it (up to 12 %),
/// and makes 22 % too much of a line that is half Gaussian: ratios are lower by that. Both are the model's, which is Gannet's.
#[test]
fn known_gaba_comes_back() {
    for (shape, creatine_over) in [(LORENTZIAN, 1.0..1.12), (VOIGT, 1.18..1.26)] {
        let levels = [0.0, 0.5, 1.0, 2.0, 3.0];
        let exact = levels.map(|gaba| mega(gaba, shape, 1e-4, 1));
        let noisy = levels.map(|gaba| mega(gaba, shape, 0.3, 7 + gaba as u64));
        let names: Vec<(String, String)> =
            (0..levels.len()).map(|k| (format!("exact{k}"), format!("noisy{k}"))).collect();
        let inputs: Vec<(&str, &Acquisition)> = (0..levels.len())
            .flat_map(|k| [(names[k].0.as_str(), &exact[k]), (names[k].1.as_str(), &noisy[k])])
            .collect();
        let corpus = Corpus::new(&inputs);
        let (_, rows) = corpus.run(&["--method", "gannet"]);
        let find = |name: &str, metabolite: &str| row(&rows, &format!("{name}#diff"), "gannet", metabolite);
        let mut found = Vec::new();
        for (gaba, (exact, noisy)) in levels.iter().zip(&names) {
            let (clean, creatine) = (find(exact, "GABA+"), find(exact, "tCr").amplitude.unwrap() / CREATINE);
            let (amplitude, ratio) = (clean.amplitude.unwrap(), clean.ratio_tcr.unwrap());
            let disturbed = find(noisy, "GABA+");
            println!("{gaba}: {amplitude:.3}, ratio·8 {:.3}, creatine {creatine:.3} of itself", ratio * CREATINE);
            assert!((amplitude - gaba).abs() < 0.13, "{gaba}: {amplitude}");
            assert!(creatine_over.contains(&creatine), "{creatine}");
            assert!((ratio * CREATINE * creatine - amplitude).abs() < 1e-9 * amplitude.abs());
            // Places and widths have bounds, which small peaks reach: five sd.
            let (apart, sd) = (disturbed.amplitude.unwrap() - amplitude, disturbed.sd_noise.unwrap());
            assert!(apart.abs() < 5.0 * sd && sd < 0.15, "{gaba}: {apart} ± {sd}");
            found.push(amplitude);
        }
        // More GABA makes more GABA+, all of it but for Lorentzian wings, which a Gaussian does not have.
        let slope = (found[4] - found[1]) / (levels[4] - levels[1]);
        println!("slope {slope:.3}");
        assert!((0.92..1.02).contains(&slope), "{slope}");
    }
}

#[test]
fn beside_map_in_one_run_every_spectrum_has_a_row_of_each() {
    let corpus = Corpus::new(&[("voxel", &mega(1.5, VOIGT, 0.3, 3))]);
    let (spectra, rows) = corpus.run(&["--method", "gannet", "--method", "map", "--basis", text(&corpus.basis())]);
    let names: Vec<(&str, &str)> = spectra.iter().map(|s| (s.spectrum_id.as_str(), s.method.as_str())).collect();
    let wanted = ["on", "off", "diff", "sum"].map(|c| [(c, "gannet"), (c, "map")]).concat();
    let wanted: Vec<(String, &str)> = wanted.into_iter().map(|(c, m)| (format!("voxel#{c}"), m)).collect();
    assert_eq!(names, wanted.iter().map(|(id, m)| (id.as_str(), *m)).collect::<Vec<_>>());
    for s in &spectra {
        let is_refused = s.method == "gannet" && !s.spectrum_id.ends_with("#diff");
        assert_eq!(s.status, if is_refused { Status::Failed } else { Status::Ok }, "{s:?}");
        assert_eq!(s.error_code.as_deref(), is_refused.then_some("not_a_difference"));
        assert_eq!(rows.iter().any(|r| r.spectrum_id == s.spectrum_id && r.method == s.method), !is_refused);
    }
    // Both count in the same units: `map` GABA alone, without its macromolecules in the set.
    let [peaks, map] =
        [("gannet", "GABA+"), ("map", "GABA")].map(|(m, name)| row(&rows, "voxel#diff", m, name).amplitude.unwrap());
    println!("GABA+ {peaks:.3}, map's GABA {map:.3}");
    assert!((peaks - 1.5).abs() < 0.3 && (map - 1.5).abs() < 0.5, "{peaks} {map}");
}

#[test]
fn what_is_no_difference_is_a_row_that_says_so() {
    let both = mega(1.5, LORENTZIAN, 0.3, 5);
    let single = |samples: Array5<Complex64>| Acquisition {
        condition_labels: vec![String::new()],
        facts: Facts { sequence: Some("PRESS".into()), ..both.facts.clone() },
        ..Acquisition { samples: samples.into(), ..both.clone() }
    };
    let conditions = [0, 1].map(|c| both.samples.to_array().index_axis(Axis(1), c).insert_axis(Axis(1)).to_owned());
    let off = single(conditions[1].clone());
    let corpus = Corpus::new(&[("press", &off)]);
    let (spectra, rows) = corpus.run(&["--method", "gannet"]);
    let [only] = &spectra[..] else { panic!("{spectra:?}") };
    assert_eq!((only.status, only.error_code.as_deref()), (Status::Failed, Some("not_a_difference")));
    let why = "press.nii: gannet fits edited difference spectra (`diff`, `diff_gaba`), and this is the only spectrum of its \
               file; if that is a difference, add `only = 2` to [spectra] of a copy";
    assert_eq!(only.error_message.as_deref(), Some(why));
    assert!(rows.is_empty());
    let fit = requant(&["fit", text(&corpus.path("in").join("press.nii")), "--method", "gannet"]);
    assert!(fit.status.code() == Some(1) && said(&fit).contains("and this is the only spectrum"), "{}", said(&fit));

    // The copy that the message asks for, on a difference that was made elsewhere.
    let toml = String::from_utf8(requant(&["methods", "--toml", "gannet"]).stdout).unwrap();
    let copy = corpus.path("copy.toml");
    fs::write(&copy, toml.replace("\ndiff = 2\n", "\ndiff = 2\nonly = 2\n")).unwrap();
    let corpus = Corpus::new(&[("made", &single(&conditions[0] - &conditions[1])), ("both", &both)]);
    let (_, rows) = corpus.run(&["--method", text(&copy)]);
    let [made, own] = ["made", "both#diff"].map(|id| row(&rows, id, "gannet", "GABA+"));
    println!("made elsewhere {:.3}, own {:.3}", made.amplitude.unwrap(), own.amplitude.unwrap());
    // Without creatine beside it its place and phase come from NAA, which GABA, Glu and NAAG turn by some degrees.
    assert!((made.amplitude.unwrap() / own.amplitude.unwrap() - 1.0).abs() < 0.1);
    assert!(made.ratio_tcr.is_none() && own.ratio_tcr.is_some());
}

#[test]
fn a_setting_that_does_not_exist_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let toml = String::from_utf8(requant(&["methods", "--toml", "gannet"]).stdout).unwrap();
    let refused = |old: &str, new: &str| {
        assert!(toml.contains(old));
        let changed = toml.replacen(old, new, 1);
        let line = 1 + changed.lines().zip(toml.lines()).position(|(a, b)| a != b).unwrap();
        let path = folder.path().join("mine.toml");
        fs::write(&path, changed).unwrap();
        // Before anything is read: the input is not even there.
        let output = requant(&["run", "/nowhere/at/all", "--method", text(&path), "--out", "/nowhere/out"]);
        let message = said(&output);
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(message.contains("mine.toml") && message.contains(&format!("line {line}")), "line {line}: {message}");
        message
    };
    assert!(refused("slope_zero_ppm = 3.71", "slope_zero = 3.71").contains("unknown field `slope_zero`"));
    assert!(refused("[solver]\n", "[solver]\nspeed = 3\n").contains("unknown field `speed`"));
    assert!(refused("window_ppm = [2.6, 3.6]", "window_ppm = [3.6, 2.6]").contains("`creatine.window_ppm`"));
}

/// A brain at 3 T (MEGA-PRESS, TE 68 ms, 2 × 196 averages). scipy's least squares with Gannet's own equations
/// (GABAGlxModel; TwoLorentzModel for creatine), place and phase by creatine, find GABA+ 0.187 to 0.190 and Glx 0.459 to
/// 0.463 of creatine in the conditions as they are; those were not aligned.
#[test]
fn real_mega_of_a_brain_has_plausible_gaba() {
    let read = |name: &str| formats::read(&data().join("siemens-rda/vb17-mega").join(name)).unwrap();
    let (on, off) = (read("Siemens1_ON.rda"), read("Siemens1_OFF.rda"));
    let samples = concatenate(Axis(1), &[on.samples.to_array().view(), off.samples.to_array().view()]).unwrap();
    let both = Acquisition { condition_labels: vec!["ON".into(), "OFF".into()], samples: samples.into(), ..on };
    let corpus = Corpus::new(&[("brain", &both)]);
    let basis = data().join("basis/lcmodel/3t_IU_MP_te68_diff_yesNAAG_noLac_Kaiser.basis");
    let (spectra, rows) = corpus.run(&["--method", "gannet", "--method", "map", "--basis", text(&basis)]);
    assert_eq!(spectra.len(), 8);
    let fitted = spectra.iter().find(|s| s.spectrum_id == "brain#diff" && s.method == "gannet").unwrap();
    assert_eq!(fitted.state.as_deref(), Some("converged"));
    // Its noise is so low that what the model leaves stands above it.
    assert_eq!(fitted.qc_flags, ["no_water_reference", "misfit"]);
    let of = |metabolite: &str| row(&rows, "brain#diff", "gannet", metabolite);
    let ratio = |metabolite: &str| of(metabolite).ratio_tcr.unwrap();
    println!("of creatine: GABA+ {:.3}, Glx {:.3}, tCho {:.3}", ratio("GABA+"), ratio("Glx"), ratio("tCho"));
    for metabolite in ["GABA+", "Glx", "tCr", "tCho"] {
        assert!(of(metabolite).amplitude.unwrap() > 5.0 * of(metabolite).sd_posterior.unwrap(), "{metabolite}");
    }
    assert!((ratio("GABA+") / 0.188 - 1.0).abs() < 0.08 && (ratio("Glx") / 0.461 - 1.0).abs() < 0.08);
    assert!((0.1..0.3).contains(&ratio("tCho")));
    // At 3.0 ppm, away from the bounds of ± 0.05.
    assert!(of("GABA+").shift_hz.unwrap().abs() < 0.03 * both.facts.f0_mhz.unwrap());
    let map = row(&rows, "brain#diff", "map", "GABA");
    println!("GABA of map: {:.2} sd", map.amplitude.unwrap() / map.sd_posterior.unwrap());
    // 2.98 were measured: beside free macromolecules and a lineshape that may be skewed.
    assert!(map.amplitude.unwrap() > 2.9 * map.sd_posterior.unwrap());
}
