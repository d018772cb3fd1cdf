//! Simulated basis sets with vendors' pulses, against sets of other programs and against ideal pulses.

use std::f64::consts::TAU;
use std::path::{Path, PathBuf};
use std::process::Command;

use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts};
use requant::basis::BasisSet;
use requant::basis::simulate::pulses::vendors::press;
use requant::basis::simulate::pulses::{Grid, PulseSpec, Shape, Shaped, Vendor};
use requant::basis::simulate::{
    Band, Library, Pulses, Sequence, SimulateError, TimeGrid, basis_set_from, basis_set_with,
};
use requant::formats::nifti_mrs;
use requant::store::{MetaboliteRow, SpectrumRow, read_table};

use crate::common::data;
use crate::common::fid_a;

/// The spectrum at one frequency, the first sample halved.
fn at(fid: &[Complex64], dwell_s: f64, hz: f64) -> Complex64 {
    let step = Complex64::cis(-TAU * hz * dwell_s);
    let mut turn = Complex64::ONE;
    let mut sum = -0.5 * fid[0];
    for z in fid {
        sum += z * turn;
        turn *= step;
    }
    sum
}

/// Spectra of a member from 0.3 to 4.2 ppm with the carrier at `reference` ppm.
fn window(set: &BasisSet, name: &str, reference: f64) -> Vec<Complex64> {
    let fid = set.fids.row(set.position(name).unwrap()).to_vec();
    let ppm = (0..780).map(|k| 0.3 + 0.005 * f64::from(k));
    ppm.map(|ppm| at(&fid, set.dwell_s, (reference - ppm) * set.f0_mhz)).collect()
}

/// Correlation, and amplitude of `ours` that `theirs` is.
fn alike(ours: &[Complex64], theirs: &[Complex64]) -> (f64, f64) {
    let dot: f64 = ours.iter().zip(theirs).map(|(a, b)| (a.conj() * b).re).sum();
    let power = |all: &[Complex64]| all.iter().map(Complex64::norm_sqr).sum::<f64>();
    (dot / (power(ours) * power(theirs)).sqrt(), dot / power(ours))
}

fn osprey(file: &str, vendor: Vendor, duration_s: f64, te1_s: f64, f0_mhz: f64, linewidth_hz: f64) {
    let theirs = BasisSet::read(&data().join("basis/lcmodel").join(file)).unwrap();
    let mut shaped = press(vendor, Some(duration_s)).unwrap().unwrap();
    shaped.grid.fov_over_voxel = 1.5;
    let names: Vec<&str> = theirs.metabolites.iter().map(String::as_str).collect();
    assert!(names.len() >= 17, "{names:?}");
    let sequence = Sequence::Press { te_s: 0.035, te1_s, te2_s: 0.035 - te1_s };
    let (dwell_s, n_points) = (theirs.dwell_s, theirs.fids.ncols());
    let time = TimeGrid { f0_mhz, dwell_s, n_points, linewidth_hz };
    let ours = basis_set_with(&fid_a::library(), &names, &sequence, &Pulses::Shaped(Box::new(shaped)), time).unwrap();
    // Osprey's receiver stands at 4.68 ppm.
    let of = |name: &str| alike(&window(&ours, name, 4.65), &window(&theirs, name, 4.68));
    let (_, creatine) = of("Cr");
    for name in names {
        let (correlation, amplitude) = of(name);
        assert!(correlation >= 0.999, "{file} {name}: r {correlation}");
        let off = amplitude / creatine - 1.0;
        assert!(off.abs() < 0.01, "{file} {name}: amplitude over creatine off by {off}");
    }
}

#[test]
fn real_siemens_press_of_another_program_is_met_by_every_member() {
    osprey("3T_PRESS_Siemens_35ms_noMM.BASIS", Vendor::Siemens, 5.0e-3, 17.0e-3, 2.89362 * 42.577, 2.0);
}

#[test]
fn real_philips_press_of_another_program_is_met_by_every_member() {
    osprey("3T_PRESS_Philips_35ms_noMM.BASIS", Vendor::Philips, 6.797e-3, 13.93e-3, 3.0 * 42.577, 1.0);
}

const TIME: TimeGrid = TimeGrid { f0_mhz: 123.2, dwell_s: 5e-4, n_points: 512, linewidth_hz: 2.0 };
const NAMES: [&str; 5] = ["Glu", "Lac", "Ins", "PE", "NAA"];
const PRESS: Sequence = Sequence::Press { te_s: 0.035, te1_s: 0.017, te2_s: 0.018 };

fn shaped(sequence: &Sequence, change: impl Fn(&mut Shaped)) -> Result<BasisSet, SimulateError> {
    let mut shaped = press(Vendor::Siemens, Some(5.4e-3)).unwrap().unwrap();
    change(&mut shaped);
    let library = Library::built_in().unwrap();
    basis_set_with(library, &NAMES, sequence, &Pulses::Shaped(Box::new(shaped)), TIME)
}

fn ideal(sequence: &Sequence) -> BasisSet {
    let library = Library::built_in().unwrap();
    basis_set_from(library, &NAMES, sequence, TIME.f0_mhz, TIME.dwell_s, TIME.n_points, TIME.linewidth_hz).unwrap()
}

/// Largest difference of two sets, in parts of the largest sample of each member.
fn apart(a: &BasisSet, b: &BasisSet) -> f64 {
    let rows = a.fids.outer_iter().zip(b.fids.outer_iter());
    rows.map(|(a, b)| {
        let largest = a.iter().map(|z| z.norm()).fold(0.0, f64::max);
        a.iter().zip(b).map(|(x, y)| (x - y).norm()).fold(0.0, f64::max) / largest
    })
    .fold(0.0, f64::max)
}

/// What a run says about a spectrum that a scanner of `vendor` made: the row, and glutamate over creatine.
fn run(vendor: Option<&str>, options: &[&str]) -> (SpectrumRow, f64) {
    run_stated(vendor, None, options)
}

/// The same of a file whose header states the first echo.
fn run_stated(vendor: Option<&str>, te1_s: Option<f64>, options: &[&str]) -> (SpectrumRow, f64) {
    let folder = tempfile::tempdir().unwrap();
    run_in(folder.path(), vendor, te1_s, options, "")
}

/// The same in `folder`, the results in its `out`.
fn run_in(
    folder: &Path,
    vendor: Option<&str>,
    te1_s: Option<f64>,
    options: &[&str],
    cache: &str,
) -> (SpectrumRow, f64) {
    let (amounts, time) = ([10.0, 8.0, 6.0, 12.0], TimeGrid { n_points: 1024, ..TIME });
    let shaped = press(Vendor::Siemens, Some(5.4e-3)).unwrap().unwrap();
    let sequence = Sequence::Press { te_s: 0.035, te1_s: 0.0174, te2_s: 0.0176 };
    let pulses = Pulses::Shaped(Box::new(shaped));
    let set =
        basis_set_with(Library::built_in().unwrap(), &["Glu", "Cr", "Ins", "NAA"], &sequence, &pulses, time).unwrap();
    let mut random = crate::common::Normal(7);
    let samples = Array5::from_shape_fn((1, 1, 1, 1, time.n_points), |(.., p)| {
        let decay = (-12.0 * p as f64 * time.dwell_s).exp();
        let clean: Complex64 = amounts.iter().enumerate().map(|(k, a)| *a * set.fids[[k, p]]).sum();
        clean * decay + Complex64::new(random.next(), random.next()) * 0.2
    });
    let facts = Facts {
        dwell_s: Some(time.dwell_s),
        f0_mhz: Some(time.f0_mhz),
        te_s: Some(0.035),
        te1_s,
        tr_s: Some(2.0),
        nucleus: Some("1H".to_owned()),
        sequence: Some("PRESS".to_owned()),
        vendor: vendor.map(str::to_owned),
        ..Facts::default()
    };
    let (input, out) = (folder.join("sub-01_svs.nii"), folder.join("out"));
    let file = nifti_mrs::encode(&Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) });
    std::fs::write(&input, file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
    command.arg("run").arg(&input).arg("--out").arg(&out).args(["--overwrite", "--engine", "cpu"]).args(options);
    let done = command.env("REQUANT_CACHE_DIR", cache).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let rows: Vec<SpectrumRow> = read_table(&out).unwrap();
    let metabolites: Vec<MetaboliteRow> = read_table(&out).unwrap();
    let of = |name: &str| metabolites.iter().find(|m| m.metabolite == name).and_then(|m| m.amplitude).unwrap();
    (rows.into_iter().next().unwrap(), of("Glu") / of("tCr"))
}

#[test]
fn rows_say_which_pulses_were_taken_and_why() {
    let (row, glutamate) = run(Some("Siemens"), &[]);
    assert_eq!(row.basis_source.as_deref(), Some("vendor default"));
    assert!((row.basis_te1_s.unwrap() - 0.0172).abs() < 1e-9);
    assert!(row.basis_pulse.as_deref().is_some_and(|name| name.contains("5.20 ms")), "{:?}", row.basis_pulse);
    let has = |row: &SpectrumRow, flag: &str| row.qc_flags.iter().any(|f| f == flag);
    assert!(has(&row, "te1_assumed") && !has(&row, "basis_pulse_unknown"), "{:?}", row.qc_flags);
    assert!((glutamate / 1.25 - 1.0).abs() < 0.05, "{glutamate}");

    let (row, _) = run(None, &["--te1-s", "0.0174"]);
    assert_eq!(row.basis_source.as_deref(), Some("generic"));
    assert!(has(&row, "basis_pulse_unknown") && !has(&row, "te1_assumed"), "{:?}", row.qc_flags);

    // The header's own goes before what is usual.
    let (row, _) = run_stated(Some("Siemens"), Some(0.016), &[]);
    assert!((row.basis_te1_s.unwrap() - 0.016).abs() < 1e-9);
    assert!(!has(&row, "te1_assumed"), "{:?}", row.qc_flags);

    let (row, with_ideal) = run(Some("Siemens"), &["--pulses", "ideal"]);
    assert_eq!((row.basis_pulse.as_deref(), row.basis_source.as_deref()), (Some("ideal"), Some("recipe")));
    assert!((with_ideal / 1.25 - 1.0).abs() > (glutamate / 1.25 - 1.0).abs(), "{with_ideal} and {glutamate}");
}

#[test]
fn short_pulses_everywhere_alike_are_ideal_ones() {
    let hard = PulseSpec {
        shape: Shape::Gauss { truncation: 0.5 },
        duration_s: 1e-8,
        flip_deg: Some(180.0),
        peak_b1_hz: None,
        bandwidth_hz: Some(1e7),
    };
    let semi_laser = Sequence::SemiLaser { te_s: 0.035 };
    let steam = Sequence::Steam { te_s: 0.02, tm_s: 0.01 };
    for sequence in [PRESS, semi_laser, steam, Sequence::Special { te_s: 0.02 }] {
        let made = shaped(&sequence, |s| {
            s.refocus = hard.clone();
            s.excite = Some(PulseSpec { flip_deg: Some(90.0), ..hard.clone() });
            // One position: the slice's middle.
            s.grid.points = 1;
        });
        let off = apart(&ideal(&sequence), &made.unwrap());
        assert!(off < 1e-4, "{sequence:?}: {off}");
    }
}

#[test]
fn finer_grids_and_intervals_change_little() {
    let made = |grid: Grid| shaped(&PRESS, |s| s.grid = grid).unwrap();
    let (usual, finer) = (made(Grid::default()), made(Grid { points: 40, interval_s: 0.135e-3, ..Grid::default() }));
    for name in NAMES {
        // What a fit with the usual grid would say of a signal from the finer one.
        let change = alike(&window(&usual, name, 4.65), &window(&finer, name, 4.65)).1 - 1.0;
        assert!(change.abs() < 1e-3, "{name}: {change}");
    }
}

#[test]
fn shaped_editing_pulses_edit_gaba_and_take_the_singlet_they_stand_on() {
    let library = Library::built_in().unwrap();
    let press = press(Vendor::Siemens, Some(4.4e-3)).unwrap().unwrap();
    let pulses = Pulses::Shaped(Box::new(press));
    let set = |centre_ppm| {
        let band = Band { centre_ppm, width_ppm: 0.6 };
        let sequence = Sequence::MegaPress { te_s: 0.068, te1_s: 0.0155, band };
        basis_set_with(library, &["GABA", "NAA", "Cr"], &sequence, &pulses, TIME).unwrap()
    };
    let (on, off) = (set(1.9), set(7.5));
    let at_ppm = |set: &BasisSet, name: &str, ppm: f64| {
        let fid = set.fids.row(set.position(name).unwrap()).to_vec();
        at(&fid, set.dwell_s, (4.65 - ppm) * set.f0_mhz)
    };
    let creatine = at_ppm(&off, "Cr", 3.027).re;
    let changed = (at_ppm(&on, "Cr", 3.027) - at_ppm(&off, "Cr", 3.027)).norm();
    assert!(changed < 0.05 * creatine, "creatine stays: {changed} of {creatine}");
    let naa = |set: &BasisSet| at_ppm(set, "NAA", 2.008).norm();
    assert!(naa(&on) < 0.2 * naa(&off), "{} of {}", naa(&on), naa(&off));
    let gaba = |set: &BasisSet| (0..40).map(|k| at_ppm(set, "GABA", 2.91 + 0.005 * f64::from(k)).re).sum::<f64>();
    assert!(gaba(&on) - gaba(&off) > 0.3 * gaba(&on).abs(), "{} and {}", gaba(&on), gaba(&off));
}

#[test]
fn echoes_too_short_for_the_pulses_say_what_is_possible() {
    let late = Sequence::Press { te_s: 0.035, te1_s: 0.004, te2_s: 0.031 };
    let message = shaped(&late, |_| ()).unwrap_err().to_string();
    assert!(message.contains("TE1 from 5.40 to 29.60 ms"), "{message}");
    let short = Sequence::Press { te_s: 0.009, te1_s: 0.0045, te2_s: 0.0045 };
    let message = shaped(&short, |_| ()).unwrap_err().to_string();
    assert!(message.contains("TE of 10.80 ms or more"), "{message}");
    let message = shaped(&PRESS, |s| s.grid.points = 0).unwrap_err().to_string();
    assert!(message.contains("1 to 512"), "{message}");
    let uneven = Shape::Samples { amplitude: vec![1.0; 20], phase_rad: vec![0.0; 19], gradient: vec![] };
    let message = shaped(&PRESS, |s| s.refocus.shape = uneven.clone()).unwrap_err().to_string();
    assert!(message.contains("20 amplitudes, 19 phases"), "{message}");
}

/// Name and bytes of all tables of a run.
fn tables(out: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let is_table = |entry: &walkdir::DirEntry| entry.path().extension().is_some_and(|e| e == "parquet");
    let files = walkdir::WalkDir::new(out).sort_by_file_name().into_iter().flatten().filter(is_table);
    files.map(|f| (f.path().strip_prefix(out).unwrap().to_owned(), std::fs::read(f.path()).unwrap())).collect()
}

#[test]
fn tables_are_the_same_bytes_with_and_without_sets_that_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (at, cache) = (folder.path(), folder.path().join("kept"));
    let kept = || -> Vec<PathBuf> {
        let entries = walkdir::WalkDir::new(&cache).into_iter().flatten().filter(|e| e.file_type().is_file());
        entries.map(walkdir::DirEntry::into_path).collect()
    };
    let made = |cache: &str| {
        run_in(at, Some("Siemens"), None, &[], cache);
        tables(&at.join("out"))
    };
    let without = made("");
    assert!(without.len() >= 2 && !cache.exists());
    let name = cache.display().to_string();
    assert_eq!(made(&name), without);
    let files = kept();
    assert_eq!(files.len(), 1, "{files:?}");
    let whole = std::fs::read(&files[0]).unwrap();
    assert_eq!(made(&name), without);
    let mut damaged = whole.clone();
    *damaged.last_mut().unwrap() ^= 1;
    std::fs::write(&files[0], damaged).unwrap();
    assert_eq!(made(&name), without);
    assert_eq!((kept().len(), std::fs::read(&files[0]).unwrap()), (1, whole));
    // A place that cannot be written is no error.
    assert_eq!(made(&at.join("sub-01_svs.nii").display().to_string()), without);
}

#[test]
fn a_recipe_states_pulses_and_timing_and_what_it_cannot_state_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let recipe = folder.path().join("site.toml");
    let path = recipe.display().to_string();
    let with = |text: &str| {
        std::fs::write(&recipe, text).unwrap();
        run(Some("GE"), &["--recipe", &path])
    };
    let mao = "[[pulse]]\nrole = \"refocus\"\nshape = \"cosine\"\nduration_ms = 5.4\nbandwidth_hz = 1063\n\
               coefficients = [2.0515, 2.2438, 2.7856, 1.5720, 0.5629, 0.3318]\n";
    let (row, glutamate) = with(&format!("[sequence]\nte1_ms = 17.4\n{mao}"));
    assert_eq!(row.basis_source.as_deref(), Some("recipe"));
    assert!(row.basis_pulse.as_deref().is_some_and(|p| p.contains("site.toml") && p.contains("5.40 ms")), "{row:?}");
    assert!((row.basis_te1_s.unwrap() - 0.0174).abs() < 1e-9 && (glutamate / 1.25 - 1.0).abs() < 0.05, "{glutamate}");
    assert!(!row.qc_flags.iter().any(|f| f == "te1_assumed" || f == "basis_pulse_unknown"), "{:?}", row.qc_flags);
    let fault = |text: &str| {
        std::fs::write(&recipe, text).unwrap();
        let input = folder.path().join("x.nii");
        std::fs::write(&input, "no spectrum").unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        let done = command.arg("run").arg(&input).arg("--out").arg(folder.path().join("out")).args(["--recipe", &path]);
        let done = done.output().unwrap();
        assert_eq!(done.status.code(), Some(2), "{text}");
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    assert!(fault("[sequence]\nvendor = \"Hitachi\"\n").contains("Philips"));
    assert!(fault("[sequence]\nte_ms = 35\nte1_ms = 40\n").contains("te1_ms = 40"));
    assert!(fault(&mao.replace("cosine", "file")).contains("needs `file`"));
}
