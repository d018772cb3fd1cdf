//! Time courses: parts of one measurement, prepared together.

use std::f64::consts::PI;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::Normal;
use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Editing, Turns, hz_from_ppm};
use requant::formats::nifti_mrs::encode;
use requant::prepare::dynamics::{Dynamics, Event};
use requant::prepare::{Preparation, Settings, Spectrum, prepare_parts};
use requant::store::{SpectrumRow, TransientRow, read_table};

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.25;
const TR_S: f64 = 2.0;

/// Transients whose NAA rises from the first to the last, with drift.
fn rising(n_conditions: usize, n: usize) -> Acquisition {
    let mut normal = Normal(7);
    let t = |k: usize| k as f64 * DWELL_S;
    let line = |ppm: f64, k: usize| {
        Complex64::from_polar((-PI * 5.0 * t(k)).exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t(k))
    };
    let samples = Array5::from_shape_fn((1, n_conditions, n, 1, 1024), |(_, _, transient, _, k)| {
        let naa = 10.0 + transient as f64 / n as f64;
        let shift = Complex64::from_polar(1.0, 2.0 * PI * 3.0 * transient as f64 / n as f64 * t(k));
        let noise = Complex64::new(0.02 * normal.next(), 0.02 * normal.next());
        (naa * line(2.01, k) + 8.0 * line(3.03, k) + 3.0 * line(3.22, k)) * shift + noise
    });
    let mut data = Acquisition::from_samples("simulated", samples);
    (data.facts.dwell_s, data.facts.f0_mhz, data.facts.tr_s) = (Some(DWELL_S), Some(F0_MHZ), Some(TR_S));
    (data.facts.te_s, data.facts.sequence) = (Some(0.035), Some("PRESS".to_owned()));
    data.facts.nucleus = Some("1H".to_owned());
    data
}

fn parts_of(settings: Settings, data: &Acquisition) -> Vec<(Option<usize>, Vec<Spectrum>)> {
    let all = prepare_parts(&Preparation::Steps(settings), data, None, 0);
    all.into_iter().map(|(part, all)| (part, all.into_iter().map(|(_, s)| s.unwrap()).collect())).collect()
}

#[test]
fn blocks_add_up_to_the_average_of_all() {
    let data = rising(1, 64);
    let without = Settings { steps: Vec::new(), ..Settings::default() };
    let whole = parts_of(without.clone(), &data).remove(0).1.remove(0);
    let blocks = parts_of(Settings { dynamics: Some("16".parse().unwrap()), ..without }, &data);
    assert_eq!(blocks.iter().map(|(part, _)| part.unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3]);
    for (k, z) in whole.fid.iter().enumerate() {
        let mean: Complex64 = blocks.iter().map(|(_, s)| s[0].fid[k]).sum::<Complex64>() / 4.0;
        assert!((mean - z).norm() < 1e-12);
    }
}

#[test]
fn parts_share_one_alignment_and_show_the_course() {
    let data = rising(1, 64);
    let whole = parts_of(Settings::default(), &data).remove(0).1.remove(0);
    let all = whole.record.offsets.unwrap();
    let parts = parts_of(Settings { dynamics: Some("16".parse().unwrap()), ..Settings::default() }, &data);
    let mut heights = Vec::new();
    for (index, spectra) in &parts {
        let record = &spectra[0].record;
        let first = 16 * index.unwrap();
        // The offsets of the whole measurement, not of the part alone.
        assert_eq!(record.offsets.as_deref().unwrap(), &all[first..first + 16]);
        assert_eq!((record.n_transients, record.n_kept), (16, 16));
        heights.push(spectra[0].fid[..64].iter().map(|z| z.norm_sqr()).sum::<f64>());
    }
    assert!(heights.windows(2).all(|pair| pair[1] > pair[0]), "{heights:?}");
}

#[test]
fn edited_parts_are_combined_each_for_itself() {
    let mut data = rising(2, 32);
    data.condition_labels = vec!["on".to_owned(), "off".to_owned()];
    data.editing = Some(Editing { turns: Some(Turns::in_turn(2)), ..Editing::default() });
    let dynamics = Some("8/4".parse().unwrap());
    let parts = prepare_parts(&Preparation::Steps(Settings { dynamics, ..Settings::default() }), &data, None, 0);
    assert_eq!(parts.len(), 7);
    for (index, labelled) in parts {
        let names: Vec<_> = labelled.iter().map(|(label, _)| label.clone().unwrap()).collect();
        assert_eq!(names, ["on", "off", "diff", "sum"]);
        let on = labelled[0].1.as_ref().unwrap();
        // Four transients later, each of two conditions in turn.
        let start = 4.0 * 2.0 * TR_S * index.unwrap() as f64;
        assert_eq!(on.record.part.as_ref().unwrap().span_s, Some([start, start + 8.0 * 2.0 * TR_S]));
    }
}

#[test]
fn events_are_parts() {
    let event = |onset_s: f64, condition: &str| Event { onset_s, duration_s: 32.0, condition: condition.to_owned() };
    let events = vec![event(0.0, "rest"), event(32.0, "flicker"), event(64.0, "rest"), event(96.0, "flicker")];
    let dynamics = Some(Dynamics { window: 0, step: 0, events });
    let parts = parts_of(Settings { dynamics, ..Settings::default() }, &rising(1, 64));
    let named: Vec<_> = parts.iter().map(|(_, s)| s[0].record.part.clone().unwrap()).collect();
    assert_eq!(named[0].condition.as_deref(), Some("rest"));
    assert_eq!(named[1].transients, (16..32).chain(48..64).collect::<Vec<_>>());
}

fn run(folder: &Path, dynamics: &str) -> std::process::Output {
    Command::new(env!("CARGO_BIN_EXE_requant"))
        .args(["run", "in", "--engine", "cpu", "--transients", "--overwrite", "--out", "out", "--dynamics", dynamics])
        .current_dir(folder)
        .output()
        .unwrap()
}

#[test]
fn each_part_is_a_row_with_its_time() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("in")).unwrap();
    fs::write(folder.path().join("in/x.nii"), encode(&rising(1, 40))).unwrap();
    let output = run(folder.path(), "16/12");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<SpectrumRow> = read_table(&folder.path().join("out")).unwrap();
    let told: Vec<_> =
        rows.iter().map(|r| (r.spectrum_id.as_str(), r.dynamic_index, r.dynamic_start_s, r.dynamic_end_s)).collect();
    assert_eq!(
        told,
        [
            ("x#t0", Some(0), Some(0.0), Some(16.0 * TR_S)),
            ("x#t1", Some(1), Some(12.0 * TR_S), Some(28.0 * TR_S)),
            ("x#t2", Some(2), Some(24.0 * TR_S), Some(40.0 * TR_S)),
        ]
    );
    assert!(rows.iter().all(|r| r.error_code.is_none() && r.n_transients == Some(16)));
    let transients: Vec<TransientRow> = read_table(&folder.path().join("out")).unwrap();
    let of_second: Vec<u32> =
        transients.iter().filter(|t| t.spectrum_id == "x#t1").filter_map(|t| t.transient).collect();
    assert_eq!(of_second, (12..28).collect::<Vec<u32>>());
    // Events by kind, from a table as BIDS has it.
    fs::write(folder.path().join("e.tsv"), "onset\tduration\ttrial_type\n0\t40\trest\n40\t40\tflicker\n").unwrap();
    let output = run(folder.path(), "e.tsv");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows: Vec<SpectrumRow> = read_table(&folder.path().join("out")).unwrap();
    let told: Vec<_> = rows.iter().map(|r| (r.dynamic_condition.as_deref(), r.n_transients)).collect();
    assert_eq!(told, [(Some("rest"), Some(20)), (Some("flicker"), Some(20))]);
    // More transients than there are: a row that says so. No number: wrong usage.
    assert_eq!(run(folder.path(), "41").status.code(), Some(65));
    let rows: Vec<SpectrumRow> = read_table(&folder.path().join("out")).unwrap();
    assert_eq!(rows[0].error_code.as_deref(), Some("no_dynamic_part"));
    let output = run(folder.path(), "some");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("neither a number of transients"));
}
