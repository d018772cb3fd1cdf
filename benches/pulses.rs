//! What the scanner's pulses in simulated basis sets buy: spectra made with other programs' sets of real sequences, fitted
//! without `--basis`, beside the set that they were made with, ideal pulses and those of an unknown vendor. `told`: with the duration of
//! Siemens' pulse in the header, as twix and DICOM files tell it; `FID-A's`: the same with the spin systems that the sets were made
//! with, so that what is left is the pulses'.
//!
//! `cargo bench --profile dev --bench pulses -- [--requant PROGRAM] [--spectra N] [--keep FOLDER] [--choose]`
//!
//! Needs the sets in `../shared/data` (or REQUANT_TEST_DATA). Fits are done by PROGRAM, the one that cargo built unless
//! another is given; `--keep` leaves spectra and results in FOLDER. Takes minutes: it is no part of the tests.
//!
//! Philips and Siemens: Osprey's sets of PRESS 35 ms, every member brought to protons by the set's singlets and to the width
//! that simulated sets have: what a fit's prior on the width does is no matter of the pulses. GE: simulated
//! with its series and FID-A's spin systems, as its set is not there; it says what the spin systems cost. Alanine, glucose and
//! glycine, which the sets lack, are simulated with the vendor's pulses. Amounts, widths, shifts, phases, macromolecules,
//! lipids, baseline and residual water are those of the first run's recipe, the same in all three.
//!
//! `--choose`: which pulses `basis choose` and `run --learn recipe` find in files that name no vendor, and what that does to
//! glutamate. None of the four sets is one that the program would simulate: the two of Osprey's, GE's pulse as FID-A has it (137°, 4.43 ms) with
//! FID-A's spin systems, and Philips' with the first echo that MRSCloud notes (14.82 ms) and FID-A's spin systems.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    missing_docs,
    unreachable_pub,
    reason = "bench"
)]

#[path = "../tests/common/fid_a.rs"]
mod fid_a;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use ndarray::{Array2, Axis};
use requant::basis::simulate::pulses::Vendor;
use requant::basis::simulate::pulses::vendors::press;
use requant::basis::simulate::{LINEWIDTH_HZ, Library, Pulses, Sequence, TimeGrid, basis_set_with};
use requant::basis::{BasisSet, Grid, write_lcmodel};
use requant::benchmark::score;
use requant::compare::{Column, Truth};
use requant::formats::nifti_mrs;
use requant::quantify::singlet::signal_per_proton;
use requant::simulate::{Corpus, Recipe};
use requant::store::{MetaboliteRow, read_table};

const TE_S: f64 = 0.035;
const DWELL_S: f64 = 5e-4;
const N_POINTS: usize = 2048;
/// What is told, with the most that its bias may be beyond the generating set's (%).
const TOLD: [(&str, Option<f64>); 9] = [
    ("Glu", Some(2.0)),
    ("Ins", Some(1.0)),
    ("tCho", Some(1.0)),
    ("GSH", Some(5.0)),
    ("Gln", Some(6.0)),
    ("Glx", None),
    ("tNAA", None),
    ("tCr", None),
    ("GABA", None),
];

/// Folder of the spectra whose headers tell the duration of pulses.
const TOLD_TREE: &str = "told";

struct Protocol {
    vendor: &'static str,
    pulses: Vendor,
    /// Osprey's set.
    file: Option<&'static str>,
    f0_mhz: f64,
    te1_s: f64,
    /// Duration (s) and flip angle (°) of other pulses than the program's.
    played: Option<(f64, f64)>,
    /// Whether files name the vendor.
    is_told: bool,
}

const PROTOCOLS: [Protocol; 3] = [
    Protocol {
        vendor: "Philips",
        pulses: Vendor::Philips,
        file: Some("3T_PRESS_Philips_35ms_noMM.BASIS"),
        f0_mhz: 127.731,
        te1_s: 0.01393,
        played: None,
        is_told: true,
    },
    Protocol {
        vendor: "Siemens",
        pulses: Vendor::Siemens,
        file: Some("3T_PRESS_Siemens_35ms_noMM.BASIS"),
        f0_mhz: 123.202,
        te1_s: 0.017,
        played: Some((0.005, 180.0)),
        is_told: true,
    },
    Protocol {
        vendor: "GE",
        pulses: Vendor::Ge,
        file: None,
        f0_mhz: 127.731,
        te1_s: 0.01485,
        played: None,
        is_told: true,
    },
];

/// Whose pulses are to be found in files that say nothing of them.
const BLIND: [Protocol; 4] = [
    Protocol { is_told: false, ..PROTOCOLS[0] },
    Protocol { is_told: false, ..PROTOCOLS[1] },
    Protocol { is_told: false, played: Some((0.00443, 137.0)), te1_s: 0.01503, ..PROTOCOLS[2] },
    Protocol { is_told: false, file: None, te1_s: 0.01482, ..PROTOCOLS[0] },
];

fn recipe(protocol: &Protocol, spectra: usize) -> Recipe {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.subjects = spectra;
    recipe.group.truncate(1);
    recipe.site.truncate(1);
    let site = &mut recipe.site[0];
    site.name = protocol.vendor.to_lowercase();
    site.vendor = protocol.vendor.to_owned();
    site.f0_mhz = protocol.f0_mhz;
    site.sequence = Sequence::Press { te_s: TE_S, te1_s: protocol.te1_s, te2_s: TE_S - protocol.te1_s };
    (site.bandwidth_hz, site.n_points) = (1.0 / DWELL_S, N_POINTS);
    site.snr = [36.0, 44.0];
    site.gauss_hz = [3.0, 6.0];
    site.water = false;
    recipe
}

/// The generating set: `names` in their order, in protons, first samples in full.
fn generating(protocol: &Protocol, names: &[String]) -> BasisSet {
    let library = if protocol.file.is_some() { Library::built_in().unwrap().clone() } else { fid_a::library() };
    let mut shaped = press(protocol.pulses, protocol.played.map(|(duration_s, _)| duration_s)).unwrap().unwrap();
    if let Some((_, flip_deg)) = protocol.played {
        shaped.refocus.flip_deg = Some(flip_deg);
    }
    let sequence = Sequence::Press { te_s: TE_S, te1_s: protocol.te1_s, te2_s: TE_S - protocol.te1_s };
    let asked: Vec<&str> = names.iter().map(String::as_str).collect();
    let time = TimeGrid { f0_mhz: protocol.f0_mhz, dwell_s: DWELL_S, n_points: N_POINTS, linewidth_hz: LINEWIDTH_HZ };
    let mut set = basis_set_with(&library, &asked, &sequence, &Pulses::Shaped(Box::new(shaped)), time).unwrap();
    set.id = format!("generating, {}", protocol.vendor);
    let Some(file) = protocol.file else { return set };
    let theirs = BasisSet::read_for_fit(&data().join("basis/lcmodel").join(file), &Grid::default()).unwrap();
    let proton = signal_per_proton(&theirs).unwrap().0;
    let narrower_hz = theirs.singlet_fwhm_hz.unwrap() - LINEWIDTH_HZ;
    let mut fids = theirs.regrid(DWELL_S, protocol.f0_mhz, N_POINTS).unwrap();
    for (point, mut column) in fids.columns_mut().into_iter().enumerate() {
        let gain = (std::f64::consts::PI * narrower_hz * DWELL_S * point as f64).exp();
        column.iter_mut().for_each(|z| *z *= gain);
    }
    let taken = |name: &String| theirs.position(name);
    let rows: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(k, name)| match taken(name) {
            Some(row) => fids.row(row).mapv(|z| z / proton),
            None => set.fids.row(k).to_owned(),
        })
        .collect();
    println!(
        "{}: of the set {}, simulated {}",
        protocol.vendor,
        names.iter().filter(|n| taken(n).is_some()).count(),
        names.iter().filter(|n| taken(n).is_none()).cloned().collect::<Vec<_>>().join(" ")
    );
    let views: Vec<_> = rows.iter().map(|row| row.view()).collect();
    let fids: Array2<_> = ndarray::stack(Axis(0), &views).unwrap();
    BasisSet { fids, ..set }
}

fn data() -> PathBuf {
    std::env::var_os("REQUANT_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from)
}

/// Writes the spectra of a vendor below `folder`, and the set that they are made with beside it.
fn write(protocol: &Protocol, spectra: usize, folder: &Path) -> (PathBuf, Truth) {
    let recipe = recipe(protocol, spectra);
    let mut corpus = Corpus::new(&recipe).unwrap();
    let set = generating(protocol, &corpus.metabolites);
    let path = folder.join(format!("{}.basis", protocol.vendor.to_lowercase()));
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(&path, write_lcmodel(&set)).unwrap();
    corpus.bases = vec![Arc::new(set)];
    let mut truth = Truth::of_spectra(&corpus.metabolites, std::iter::empty());
    for index in 0..spectra {
        let subject = format!("sub-{}{index:03}", protocol.vendor.to_lowercase());
        let (of_one, mut simulated) = corpus.spectra(index).remove(0);
        // A scanner's data say nothing about its pulses and its first echo.
        (simulated.data.facts.pulses, simulated.data.facts.te1_s) = (None, None);
        if !protocol.is_told {
            simulated.data.facts.vendor = None;
        }
        let id = format!("{subject}/mrs/{subject}_svs");
        let told_s = protocol.played.map(|(duration_s, _)| duration_s);
        for (tree, refocus_s) in [(folder.to_owned(), None), (folder.join(TOLD_TREE), told_s)] {
            simulated.data.facts.refocus_s = refocus_s;
            let within = tree.join(protocol.vendor).join(&subject).join("mrs");
            std::fs::create_dir_all(&within).unwrap();
            std::fs::write(within.join(format!("{subject}_svs.nii")), nifti_mrs::encode(&simulated.data)).unwrap();
        }
        truth.add(&id, &of_one.concentrations);
    }
    (path, truth)
}

/// The rows of a run over the folders of vendors.
fn run(program: &Path, inputs: &[PathBuf], out: &Path, options: &[&str]) -> Vec<MetaboliteRow> {
    let mut command = Command::new(program);
    command.arg("run").args(inputs).arg("--out").arg(out).args(["--overwrite", "--engine", "cpu"]).args(options);
    let done = command.output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    read_table(out).unwrap()
}

/// Bias in %, and the mean over spectra of the squared error.
struct Told {
    squared: f64,
    bias: Vec<f64>,
}

/// Rows of one vendor; their ids begin with its folder where several were given.
fn told(rows: &[MetaboliteRow], truth: &Truth, vendor: &str) -> Told {
    let of_vendor = format!("sub-{}", vendor.to_lowercase());
    let rows: Vec<MetaboliteRow> = rows
        .iter()
        .filter_map(|row| {
            let start = row.spectrum_id.find(&of_vendor)?;
            Some(MetaboliteRow { spectrum_id: row.spectrum_id[start..].to_owned(), ..row.clone() })
        })
        .collect();
    let scored = score::score(&rows, truth, Column::Amplitude).unwrap();
    assert_eq!(scored.n_found, truth.ids.len(), "{vendor}");
    let bias = |name: &str| scored.plain.member(name).map_or(f64::NAN, |m| 100.0 * m.relative_bias.value);
    Told { squared: scored.plain.mean.value, bias: TOLD.iter().map(|(name, _)| bias(name)).collect() }
}

fn print(vendor: &str, basis: &str, told: &Told, generating: &Told) {
    let each = told.bias.iter().zip(&generating.bias).zip(TOLD).map(|((bias, own), (_, most))| {
        let beyond = bias - own;
        let mark = if most.is_some_and(|most| beyond.abs() > most) { '!' } else { ' ' };
        format!("{beyond:+7.2}{mark}")
    });
    let ratio = told.squared / generating.squared;
    println!("{vendor:8} {basis:12} {:6.2} {ratio:6.2} {}", told.squared, each.collect::<Vec<_>>().join(" "));
}

/// What spectra whose files name no vendor say, and what it does to glutamate.
fn blind(program: &Path, spectra: usize, folder: &Path) {
    for (number, protocol) in BLIND.iter().enumerate() {
        let at = folder.join(format!("blind-{number}"));
        let (basis, truth) = write(protocol, spectra, &at);
        let input = at.join(protocol.vendor);
        let chosen =
            Command::new(program).args(["basis", "choose"]).arg(&input).args(["--engine", "cpu"]).output().unwrap();
        assert!(chosen.status.success(), "{}", String::from_utf8_lossy(&chosen.stderr));
        println!(
            "{} · TE1 {:.2} ms\n{}",
            protocol.vendor,
            1e3 * protocol.te1_s,
            String::from_utf8_lossy(&chosen.stdout)
        );
        let inputs = std::slice::from_ref(&input);
        let of = |name: &str, options: &[&str]| {
            told(&run(program, inputs, &at.join(name), options), &truth, protocol.vendor)
        };
        let own = of("own", &["--basis", &basis.display().to_string()]);
        for (name, options) in [("as usual", &[][..]), ("learned", &["--learn", "recipe"])] {
            print(protocol.vendor, name, &of(name, options), &own);
        }
    }
}

fn main() {
    let (mut program, mut spectra, mut kept) = (PathBuf::from(env!("CARGO_BIN_EXE_requant")), 40, None);
    let mut is_blind = false;
    let mut given = std::env::args().skip(1).filter(|a| a != "--bench");
    while let Some(key) = given.next() {
        if key == "--choose" {
            is_blind = true;
            continue;
        }
        let mut value = || given.next().unwrap_or_else(|| panic!("{key} needs a value"));
        match key.as_str() {
            "--requant" => program = PathBuf::from(value()),
            "--spectra" => spectra = value().parse().expect("--spectra takes a number"),
            "--keep" => kept = Some(PathBuf::from(value())),
            other => panic!("{other}? see the head of benches/pulses.rs"),
        }
    }
    let temporary = tempfile::tempdir().unwrap();
    let folder = kept.unwrap_or_else(|| temporary.path().to_owned());
    if is_blind {
        return blind(&program, spectra, &folder);
    }
    let made: Vec<(PathBuf, Truth)> = PROTOCOLS.iter().map(|p| write(p, spectra, &folder.join("spectra"))).collect();
    let within = |tree: PathBuf| PROTOCOLS.iter().map(|p| tree.join(p.vendor)).collect::<Vec<PathBuf>>();
    let inputs = within(folder.join("spectra"));
    let told_inputs = within(folder.join("spectra").join(TOLD_TREE));
    let fid_a = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("datasets/fid-a.toml").display().to_string();
    println!("bias in %, beyond that of the generating set (its own in its line); ! beyond its bound");
    println!(
        "{:8} {:12} {:>6} {:>6} {}",
        "vendor",
        "basis",
        "error",
        "ratio",
        TOLD.map(|(n, _)| format!("{n:>7} ")).join(" ")
    );
    let fitted = [
        ("default", &inputs, vec![]),
        ("told", &told_inputs, vec![]),
        ("FID-A's", &told_inputs, vec!["--recipe", &fid_a]),
        ("generic", &inputs, vec!["--pulses", "generic"]),
        ("ideal", &inputs, vec!["--pulses", "ideal"]),
    ];
    // All vendors in one run, as a consortium does.
    let all: Vec<(&str, Vec<MetaboliteRow>)> = fitted
        .iter()
        .map(|(name, inputs, options)| (*name, run(&program, inputs, &folder.join(name), options)))
        .collect();
    let mut sites: Vec<Vec<Told>> = all.iter().map(|_| Vec::new()).collect();
    for ((protocol, (basis, truth)), input) in PROTOCOLS.iter().zip(&made).zip(&inputs) {
        let out = folder.join(format!("own-{}", protocol.vendor));
        let rows = run(&program, std::slice::from_ref(input), &out, &["--basis", &basis.display().to_string()]);
        let own = told(&rows, truth, protocol.vendor);
        print(protocol.vendor, "generating", &own, &Told { bias: vec![0.0; TOLD.len()], ..own });
        for ((name, rows), sites) in all.iter().zip(&mut sites) {
            let told = told(rows, truth, protocol.vendor);
            print(protocol.vendor, name, &told, &own);
            sites.push(told);
        }
    }
    print_site_effects(&all, &sites);
}

fn print_site_effects(all: &[(&str, Vec<MetaboliteRow>)], sites: &[Vec<Told>]) {
    println!("site effect: largest difference of two vendors' biases (%)");
    for ((name, _), sites) in all.iter().zip(sites) {
        let spread = |k: usize| {
            let of = sites.iter().map(|told| told.bias[k]);
            of.clone().fold(f64::NEG_INFINITY, f64::max) - of.fold(f64::INFINITY, f64::min)
        };
        let each: Vec<String> = (0..TOLD.len()).map(|k| format!("{:7.2} ", spread(k))).collect();
        println!("{:8} {name:12} {:13} {}", "all", "", each.join(" "));
    }
}
