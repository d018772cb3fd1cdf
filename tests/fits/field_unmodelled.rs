//! Peaks that the basis set lacks: the substance is found and named, or the row says where the peak is; metabolites stay.

use std::collections::BTreeMap;
use std::f64::consts::{LN_2, PI};
use std::path::Path;
use std::process::Command;

use crate::common::rows::{Row, rows};
use crate::common::{Normal, data};
use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::basis::simulate::{Sequence, basis_set};
use requant::fit::macromolecules::{PATTERN_GROUPS, gaussian_fid};
use requant::formats::nifti_mrs;
use tempfile::TempDir;

const MAJORS: [&str; 5] = ["tNAA", "tCr", "tCho", "Glu", "Ins"];

/// What a row says, and the amplitudes of its metabolites.
struct Told {
    row: Row,
    amplitudes: BTreeMap<String, f64>,
}

impl Told {
    fn added(&self) -> Vec<String> {
        self.row.texts("added_components")
    }

    fn peaks(&self) -> Vec<f64> {
        self.row.numbers("unmodelled_peaks_ppm")
    }

    fn is_flagged(&self) -> bool {
        self.row.texts("qc_flags").iter().any(|flag| flag == "unmodelled_peak")
    }

    /// How far a metabolite is from what it should be, relative to that.
    fn off(&self, name: &str, right: f64) -> f64 {
        self.amplitudes[name] / right - 1.0
    }
}

/// Runs a method over a folder: spectra by subject.
fn run(input: &Path, method: &str) -> BTreeMap<String, Told> {
    let out = TempDir::new().unwrap();
    let binary = std::env::var("REQUANT_TEST_BINARY").unwrap_or(env!("CARGO_BIN_EXE_requant").to_owned());
    let mut command = Command::new(binary);
    // The case is made with ideal pulses, which its header cannot say: by default they would be the vendor's.
    command.arg("run").arg(input).args(["--engine", "cpu", "--pulses", "ideal", "--method", method]);
    command.arg("--out").arg(out.path().join("out"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = out.path().join("out");
    let metabolites = rows(&out, "metabolites");
    let of_spectrum = |row: Row| {
        let same = |m: &&Row| m.text("spectrum_id") == row.text("spectrum_id");
        let amplitude = |m: &Row| Some((m.text("metabolite")?.to_owned(), m.number("amplitude")?));
        let amplitudes = metabolites.iter().filter(same).filter_map(amplitude).collect();
        let id = row.text("spectrum_id").unwrap();
        let subject = id.split('/').next().unwrap().trim_start_matches("sub-").to_owned();
        (subject, Told { row, amplitudes })
    };
    rows(&out, "spectra").into_iter().map(of_spectrum).collect()
}

/// The case's folder: a singlet of 1 mM acetone, of 1 mM methylsulfonylmethane, the methyl group of ethanol.
#[test]
fn a_peak_without_a_component_is_named_and_moves_no_major() {
    let folder = data().join("../cases/field/unmodelled-peak/data");
    assert!(folder.exists(), "no case at {}", folder.display());
    let told = run(&folder, "map");
    let truth = BTreeMap::from([("tNAA", 11.3), ("tCr", 8.0), ("tCho", 1.6), ("Glu", 9.0), ("Ins", 6.0)]);
    for (subject, told) in &told {
        println!("{subject}: {:?} {:?} {:?}", told.added(), told.peaks(), told.row.texts("qc_flags"));
        let kind = subject.trim_end_matches(|c: char| c.is_ascii_digit());
        for (major, right) in &truth {
            let off = told.off(major, *right);
            assert!(off.abs() < 0.1, "{subject}: {major} is off by {:.1} %", 100.0 * off);
        }
        match kind {
            "acetone" | "msm" => {
                let name = if kind == "msm" { "MSM" } else { "Act" };
                assert_eq!(told.added(), [name], "{subject}");
                assert!((told.amplitudes[name] - 1.0).abs() < 0.15, "{subject}: {}", told.amplitudes[name]);
                assert!(!told.is_flagged(), "{subject}");
            }
            "etoh" => {
                assert!(told.is_flagged(), "{subject}");
                assert!(told.peaks().iter().any(|peak| (peak - 1.18).abs() < 0.05), "{subject} {:?}", told.peaks());
            }
            _ => assert!(told.added().is_empty() && !told.is_flagged(), "{subject}"),
        }
    }
    assert_eq!(told.len(), 10);
}

const F0_MHZ: f64 = 123.2;
const DWELL_S: f64 = 5e-4;
const N_POINTS: usize = 2048;
const SEQUENCE: Sequence = Sequence::Press { te_s: 0.03, te1_s: 0.015, te2_s: 0.015 };
/// Of a healthy brain (mmol/kg).
const BRAIN: [(&str, f64); 17] = [
    ("Ala", 0.3),
    ("Asc", 1.0),
    ("Asp", 1.8),
    ("Cr", 4.5),
    ("PCr", 3.5),
    ("GABA", 1.2),
    ("Gln", 2.5),
    ("Glu", 9.0),
    ("Gly", 0.6),
    ("GPC", 1.1),
    ("PCh", 0.5),
    ("GSH", 1.2),
    ("Ins", 6.0),
    ("Lac", 0.6),
    ("NAA", 10.0),
    ("NAAG", 1.3),
    ("Tau", 1.4),
];
const NOISE_SD: f64 = 0.55;

/// What a spectrum holds beside the brain: substances of the simulation (mM), and methyl groups (ppm, mM).
struct Beside {
    substances: &'static [(&'static str, f64)],
    lines: &'static [(f64, f64)],
    gauss_hz: f64,
}

fn fid(beside: &Beside, seed: u64) -> Vec<Complex64> {
    let names = |all: &[(&'static str, f64)]| -> Vec<&'static str> { all.iter().map(|(name, _)| *name).collect() };
    let members: Vec<(&str, f64)> = BRAIN.iter().chain(beside.substances).copied().collect();
    let mut set = basis_set(&names(&BRAIN), &SEQUENCE, F0_MHZ, DWELL_S, N_POINTS, 1.0).unwrap().fids;
    for (name, _) in beside.substances {
        let one = basis_set(&[name], &SEQUENCE, F0_MHZ, DWELL_S, N_POINTS, 1.0).unwrap().fids;
        set.push(ndarray::Axis(0), one.row(0)).unwrap();
    }
    let pattern: Vec<_> = PATTERN_GROUPS.iter().flat_map(|group| group.lines()).collect();
    let macromolecules = gaussian_fid(&pattern, DWELL_S, F0_MHZ, N_POINTS, 9.0);
    let mut normal = Normal(seed);
    (0..N_POINTS)
        .map(|n| {
            let t = n as f64 * DWELL_S;
            let brain: Complex64 = members.iter().enumerate().map(|(k, (_, amount))| set[(k, n)] * *amount).sum();
            let line = |(ppm, amount): &(f64, f64)| {
                Complex64::from_polar(3.0 * amount * (-PI * t).exp(), 2.0 * PI * hz_from_ppm(*ppm, F0_MHZ) * t)
            };
            let narrow = brain + beside.lines.iter().map(line).sum::<Complex64>();
            let decay = (-PI * 1.5 * t - (PI * beside.gauss_hz * t).powi(2) / (4.0 * LN_2)).exp();
            let common = Complex64::from_polar(1.0, 0.3 + 2.0 * PI * 1.7 * t);
            (narrow * decay + macromolecules[n]) * common + Complex64::new(normal.next(), normal.next()) * NOISE_SD
        })
        .collect()
}

fn write(folder: &Path, subject: &str, fid: &[Complex64]) {
    let facts = Facts {
        dwell_s: Some(DWELL_S),
        f0_mhz: Some(F0_MHZ),
        nucleus: Some("1H".into()),
        te_s: Some(0.03),
        tr_s: Some(2.0),
        sequence: Some("PRESS".into()),
        // What the spectra are made with.
        pulses: Some("ideal".into()),
        ..Facts::default()
    };
    let samples = Array5::from_shape_fn((1, 1, 1, 1, N_POINTS), |(.., n)| fid[n]);
    let acquisition = Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) };
    let folder = folder.join(format!("sub-{subject}/mrs"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(format!("sub-{subject}_svs.nii")), nifti_mrs::encode(&acquisition)).unwrap();
}

const NONE: Beside = Beside { substances: &[], lines: &[], gauss_hz: 5.0 };

/// Substances with couplings, several at once, and lines that no substance has, in narrow and broader spectra: each beside
/// the same spectrum, with the same noise, without them.
#[test]
fn substances_and_unknown_lines_are_found_at_any_place() {
    let all: [(&str, &[&str], &[f64], Beside); 9] = [
        ("acetone", &["Act"], &[], Beside { substances: &[("Act", 1.0)], ..NONE }),
        ("msm", &["MSM"], &[], Beside { substances: &[("MSM", 1.0)], ..NONE }),
        ("ethanol", &["EtOH"], &[], Beside { substances: &[("EtOH", 4.0)], ..NONE }),
        ("glycol", &["PropyleneGlycol"], &[], Beside { substances: &[("PropyleneGlycol", 4.0)], ..NONE }),
        ("isopropanol", &["Isopropanol"], &[], Beside { substances: &[("Isopropanol", 2.0)], ..NONE }),
        ("ketosis", &["AcAc", "Act"], &[], Beside { substances: &[("Act", 1.5), ("AcAc", 2.0)], ..NONE }),
        ("line285", &[], &[2.85], Beside { lines: &[(2.85, 1.5)], ..NONE }),
        ("line170", &[], &[1.75], Beside { lines: &[(1.75, 1.5)], ..NONE }),
        ("broad", &["Act"], &[], Beside { substances: &[("Act", 3.0)], gauss_hz: 8.0, ..NONE }),
    ];
    let folder = TempDir::new().unwrap();
    write(folder.path(), "none", &fid(&NONE, 11));
    write(folder.path(), "nonebroad", &fid(&Beside { gauss_hz: 8.0, ..NONE }, 11));
    all.iter().for_each(|(subject, _, _, beside)| write(folder.path(), subject, &fid(beside, 11)));
    let told = run(folder.path(), "map");
    let of = |subject: &str| &told[subject];
    for subject in ["none", "nonebroad"] {
        assert!(of(subject).added().is_empty() && !of(subject).is_flagged(), "{subject}");
    }
    for (subject, names, lines, beside) in &all {
        let (found, without) = (of(subject), of(if *subject == "broad" { "nonebroad" } else { "none" }));
        let mut added = found.added();
        println!("{subject}: {added:?} {:?} {:?}", found.peaks(), found.row.texts("qc_flags"));
        added.retain(|name| !name.starts_with("unknown"));
        added.sort();
        assert_eq!(&added, names, "{subject}");
        for (name, amount) in beside.substances {
            let off = found.off(name, *amount);
            assert!(off.abs() < 0.15, "{subject}: {name} is off by {:.1} %", 100.0 * off);
        }
        // Beside a broad substance a remainder may stand out, too.
        assert!(found.is_flagged() || lines.is_empty(), "{subject}");
        assert!(!found.is_flagged() || !lines.is_empty() || *subject == "broad", "{subject}");
        for ppm in *lines {
            assert!(found.peaks().iter().any(|peak| (peak - ppm).abs() < 0.03), "{subject} {:?}", found.peaks());
        }
        for major in MAJORS {
            let off = found.off(major, without.amplitudes[major]);
            assert!(off.abs() < 0.03, "{subject}: {major} moves by {:.1} %", 100.0 * off);
        }
    }
}
