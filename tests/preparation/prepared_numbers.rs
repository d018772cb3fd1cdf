//! The numbers that preparation leaves in the tables, on data whose truth is known; its settings, recorded with each row;
//! the real raw sets before and after.

use std::f64::consts::{PI, TAU};
use std::path::Path;

use crate::common::{Normal, data};
use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::engine::CpuEngine;
use requant::fit::map::Settings as Method;
use requant::formats::{self, nifti_mrs};
use requant::prepare::figures::{linewidth_hz, phased};
use requant::prepare::settings::Step;
use requant::prepare::{CoilMethod, Preparation, Record, Settings, Spectrum, prepare_with};
use requant::quantify::WaterScaling;
use requant::run::{Progress, RunOptions, run};
use requant::store::IfExists;
use requant::store::{SpectrumRow, Status, TransientRow, read_table};

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.2;
const POINTS: usize = 1024;
const TRANSIENTS: usize = 32;
const NOISE_SD: f64 = 0.5;
const SPOILED: [usize; 2] = [9, 20];
const WATER: f64 = 2000.0;
const WATER_LEFT: f64 = 0.005;
const COILS: [(f64, f64); 4] = [(1.0, 0.3), (0.7, -1.2), (0.4, 2.0), (0.2, 0.9)];

/// (ppm, area, width in Hz): NAA, creatine, choline, lipid.
const LINES: [(f64, f64, f64); 4] = [(2.01, 10.0, 6.0), (3.03, 6.0, 6.0), (3.22, 5.0, 6.0), (1.3, 20.0, 15.0)];

fn line(area: f64, ppm: f64, width_hz: f64, t: f64) -> Complex64 {
    Complex64::from_polar(area * (-PI * width_hz * t).exp(), TAU * hz_from_ppm(ppm, F0_MHZ) * t)
}

fn brain(t: f64) -> Complex64 {
    LINES.iter().map(|&(ppm, area, width)| line(area, ppm, width, t)).sum::<Complex64>() + water(WATER_LEFT * WATER, t)
}

fn water(area: f64, t: f64) -> Complex64 {
    line(area, 4.65, 5.0, t)
}

fn acquisition(samples: Array5<Complex64>) -> Acquisition {
    Acquisition {
        facts: Facts {
            dwell_s: Some(DWELL_S),
            f0_mhz: Some(F0_MHZ),
            nucleus: Some("1H".into()),
            te_s: Some(0.03),
            sequence: Some("PRESS".into()),
            ..Facts::default()
        },
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    }
}

/// Raw data and their water reference, and shift (Hz) and phase (rad) of each transient.
fn raw() -> (Acquisition, Acquisition, Vec<(f64, f64)>) {
    let mut random = Normal(5);
    let moved: Vec<(f64, f64)> = (0..TRANSIENTS)
        .map(|t| (6.0 * t as f64 / (TRANSIENTS - 1) as f64 + 0.5 * random.next(), 0.2 * random.next()))
        .collect();
    let coil = |c: usize| Complex64::from_polar(COILS[c].0, COILS[c].1);
    let mut data = Array5::default((1, 1, TRANSIENTS, COILS.len(), POINTS));
    let mut reference = Array5::default((1, 1, 2, COILS.len(), POINTS));
    for ((_, _, t, c, p), z) in data.indexed_iter_mut() {
        let time = p as f64 * DWELL_S;
        let fault = match SPOILED.iter().position(|s| *s == t) {
            Some(0) => Complex64::new(0.5, 0.0),
            Some(_) if p > 20 => Complex64::from_polar(1.0, 75_f64.to_radians()),
            _ => Complex64::new(1.0, 0.0),
        };
        let turn = Complex64::from_polar(1.0, TAU * moved[t].0 * time + moved[t].1);
        *z = coil(c) * brain(time) * turn * fault + Complex64::new(random.next(), random.next()) * NOISE_SD;
    }
    for ((_, _, _, c, p), z) in reference.indexed_iter_mut() {
        let noise = Complex64::new(random.next(), random.next()) * NOISE_SD;
        *z = coil(c) * water(WATER, p as f64 * DWELL_S) + noise;
    }
    (acquisition(data), acquisition(reference), moved)
}

struct Quiet;

impl Progress for Quiet {
    fn found(&self, _: usize) {}
    fn advanced(&self, _: usize) {}
}

/// Rows of a run over the raw data with their reference and over one averaged spectrum alone.
fn tables(folder: &Path, out: &str, preparation: Preparation) -> (Vec<SpectrumRow>, Vec<TransientRow>) {
    let options = RunOptions {
        inputs: vec![folder.join("manifest.csv")],
        out: folder.join(out),
        if_exists: IfExists::Refuse,
        basis: None,
        recipe: None,
        methods: vec![Method::map().unwrap().into()],
        varied: Vec::new(),
        learned: None,
        gaps: Facts { sequence: Some("PRESS".into()), te_s: Some(0.03), ..Facts::default() },
        preparation,
        water_scaling: WaterScaling::lcmodel().unwrap(),
        gates: None,
        curves: requant::run::CurvesKept::None,
        transients: true,
        resume: false,
        shard: None,
        memory_bytes: requant::run::cut::DEFAULT_MEMORY_BYTES,
        site_from: None,
        tissue: requant::run::TissueOptions::default(),
        participants: Vec::new(),
        sessions: Vec::new(),
        filter: None,
    };
    run(&options, &CpuEngine, &Quiet).unwrap();
    (read_table(&options.out).unwrap(), read_table(&options.out).unwrap())
}

fn near(found: Option<f64>, wanted: f64, tolerance: f64) {
    let found = found.expect("a number");
    assert!((found - wanted).abs() <= tolerance, "{found}, not {wanted} ± {tolerance}");
}

#[test]
fn tables_say_what_preparation_did_and_null_where_there_was_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (raw, reference, moved) = raw();
    let mut random = Normal(6);
    let single = Array5::from_shape_fn((1, 1, 1, 1, POINTS), |(.., p)| {
        brain(p as f64 * DWELL_S) + Complex64::new(random.next(), random.next()) * NOISE_SD
    });
    for (name, data) in [("raw", &raw), ("water", &reference), ("single", &acquisition(single))] {
        std::fs::write(folder.path().join(format!("{name}.nii")), nifti_mrs::encode(data)).unwrap();
    }
    std::fs::write(folder.path().join("manifest.csv"), "path,water_path\nraw.nii,water.nii\nsingle.nii,\n").unwrap();
    let (spectra, transients) = tables(folder.path(), "out", Preparation::default());
    let of = |name: &str| spectra.iter().find(|row| row.spectrum_id == name).unwrap();
    let (row, alone) = (of("raw"), of("single"));
    assert_eq!((row.status, alone.status), (Status::Ok, Status::Ok), "{:?}", row.error_message);

    // Drift, jitter, rejection against what was put in.
    assert_eq!((row.n_transients, row.n_transients_kept, row.n_coils), (Some(32), Some(30), Some(4)));
    let kept = || moved.iter().zip(0_u32..).filter(|(_, t)| !SPOILED.contains(&(*t as usize)));
    let n = kept().count() as f64;
    let mean = |of: &dyn Fn(&(f64, f64), f64) -> f64| kept().map(|(m, t)| of(m, f64::from(t))).sum::<f64>() / n;
    let (place, shift, phase) = (mean(&|_, t| t), mean(&|m, _| m.0), mean(&|m, _| m.1));
    let slope = mean(&|m, t| (t - place) * (m.0 - shift)) / mean(&|_, t| (t - place).powi(2));
    let jitter = mean(&|m, t| (m.0 - shift - slope * (t - place)).powi(2)).sqrt();
    near(row.drift_hz, slope * (TRANSIENTS - 1) as f64, 0.2);
    near(row.shift_jitter_hz, jitter, 0.05);
    near(row.phase_jitter_deg, mean(&|m, _| (m.1 - phase).powi(2)).sqrt().to_degrees(), 1.0);

    // Coils of equal noise: combined, the signal is √Σ|s|² and the noise that of one. A Lorentzian's height is its area
    // over π · FWHM · dwell; the window takes 5 %, and √(3/8) of the noise stays.
    let norm = COILS.iter().map(|c| c.0 * c.0).sum::<f64>().sqrt();
    let snr = |area: f64, sd: f64| 0.95 * area / (PI * 6.0 * DWELL_S) / (2.0 * sd * (0.375 * POINTS as f64).sqrt());
    let wanted = snr(10.0 * norm, NOISE_SD / 30_f64.sqrt());
    near(row.snr_after, wanted, 0.1 * wanted);
    // Drift over ±3 Hz and two faults cost a plain mean about a fifth.
    assert!((0.6 * wanted..0.85 * wanted).contains(&row.snr_before.unwrap()), "{:?} of {wanted}", row.snr_before);
    assert!(row.coil_quality.unwrap() > 0.999, "{:?}", row.coil_quality);
    near(alone.snr_after, snr(10.0, NOISE_SD), 0.1 * snr(10.0, NOISE_SD));

    // Water: what suppression left, and the reference's amplitude in the scale of the combined coils.
    near(row.water_left, WATER_LEFT, 0.05 * WATER_LEFT);
    near(row.water_amplitude, WATER * norm, 0.01 * WATER * norm);
    assert_eq!(row.water_removed, Some(false));
    // Heights, of which the window takes 1 % of the broad line and 5 % of the narrow one.
    near(row.lipid_index, 0.99 / 0.95 * (20.0 / 15.0) / (10.0 / 6.0), 0.05);

    // A single transient of a single coil without reference has none of these.
    assert_eq!(
        [alone.drift_hz, alone.shift_jitter_hz, alone.phase_jitter_deg, alone.snr_before, alone.coil_quality],
        [None; 5]
    );
    assert_eq!((alone.water_left, alone.water_amplitude, alone.n_transients_kept), (None, None, Some(1)));
    near(alone.lipid_index, 0.99 / 0.95 * (20.0 / 15.0) / (10.0 / 6.0), 0.05);

    // Every transient by itself.
    assert!(transients.iter().all(|t| t.spectrum_id == "raw") && transients.len() == TRANSIENTS);
    let middle = {
        let mut shifts: Vec<f64> = moved.iter().map(|m| m.0).collect();
        shifts.sort_by(f64::total_cmp);
        shifts[TRANSIENTS / 2]
    };
    for (transient, (t, (shift, _))) in transients.iter().zip(moved.iter().enumerate()) {
        assert_eq!((transient.transient, transient.kept), (u32::try_from(t).ok(), !SPOILED.contains(&t)));
        if transient.kept {
            near(transient.shift_hz, shift - middle, 0.5);
            near(transient.relative_amplitude, 1.0, 0.1);
        }
    }
    near(transients[SPOILED[0]].relative_amplitude, 0.5, 0.1);
    settings_are_recorded(folder.path(), row);
}

/// The configuration of preparation is in `run.json`, and its hash in each row.
fn settings_are_recorded(folder: &Path, row: &SpectrumRow) {
    let recorded = |out: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(folder.join(out).join("run.json")).unwrap()).unwrap()
    };
    assert_eq!(row.prepare_hash, Some(Preparation::default().hash()));
    let steps = serde_json::json!(["align", "reject", "eddy_currents", "residual_water"]);
    assert_eq!(recorded("out")["config"]["prepare"]["steps"], steps);

    let (spectra, transients) = tables(folder, "none", Preparation::None);
    assert_eq!(recorded("none")["config"]["prepare"], "none");
    assert!(spectra.iter().all(|row| row.prepare_hash == Some(Preparation::None.hash())));
    let [raw, single] = &spectra[..] else { panic!("{} rows", spectra.len()) };
    assert_eq!((raw.error_code.as_deref(), single.status), (Some("not_prepared"), Status::Ok));
    assert!(raw.error_message.as_ref().unwrap().contains("4 coils × 32 transients"), "{:?}", raw.error_message);
    assert!(transients.is_empty());
}

fn one(preparation: &Preparation, data: &Acquisition, water: Option<&Acquisition>, condition: usize) -> Spectrum {
    prepare_with(preparation, data, water, 0).remove(condition).1.unwrap()
}

fn with(change: impl FnOnce(&mut Settings)) -> Preparation {
    let mut settings = Settings::default();
    change(&mut settings);
    Preparation::Steps(settings)
}

#[test]
fn settings_do_what_they_say() {
    let (raw, water, _) = raw();
    let of = |preparation: &Preparation| one(preparation, &raw, Some(&water), 0);
    let usual = of(&Preparation::default());
    assert!(usual.record.offsets.is_some() && usual.record.eddy_corrected);
    let bare = of(&with(|s| s.steps.clear())).record;
    assert_eq!((&bare.offsets, bare.n_kept, bare.eddy_corrected), (&None, TRANSIENTS, false));
    assert!(bare.water_amplitude.is_some() && bare.flags.is_empty(), "{:?}", bare.flags);
    let swapped = of(&with(|s| s.steps = vec![Step::Reject, Step::Align])).record;
    assert!(swapped.offsets.is_some() && !swapped.kept[SPOILED[0]]);
    // A threshold beyond every fault keeps all; one within the noise hardly any.
    assert_eq!(of(&with(|s| s.reject_beyond_sd = 1e6)).record.n_kept, TRANSIENTS);
    assert!(of(&with(|s| s.reject_beyond_sd = 1.0)).record.n_kept < 10);
    // The coils' noise is equal and independent: every method's weights are the best ones.
    for method in [CoilMethod::Svd, CoilMethod::Gls, CoilMethod::FirstPoint] {
        let record = of(&with(|s| s.coils = method)).record;
        near(record.snr_after.map(|snr| snr / usual.record.snr_after.unwrap()), 1.0, 0.01);
        near(record.water_amplitude.map(|w| w / usual.record.water_amplitude.unwrap()), 1.0, 0.005);
    }
    // The band decides what is looked at: creatine and choline lie where they do, lipids (1.3 ppm) do not matter.
    let band = of(&with(|s| s.align_band_ppm = [2.8, 3.4])).record;
    near(band.motion.map(|m| m.drift_hz), usual.record.motion.unwrap().drift_hz, 0.5);
}

/// Water whose frequency sweeps through its band is no sum of a few decays: it stays, and the flag says so.
#[test]
fn water_that_cannot_be_taken_away_is_flagged() {
    let mut random = Normal(7);
    let fid = |sweep_hz_per_s: f64, random: &mut Normal| -> Acquisition {
        acquisition(Array5::from_shape_fn((1, 1, 1, 1, 2048), |(.., p)| {
            let t = p as f64 * DWELL_S;
            let turn = Complex64::from_polar(1.0, TAU * (0.5 * sweep_hz_per_s * t * t - 0.5 * sweep_hz_per_s * t));
            let noise = Complex64::new(random.next(), random.next()) * 0.05;
            brain(t) + line(3000.0, 4.75, 1.0, t) * turn + noise
        }))
    };
    let [still, sweeping] = [0.0, 90.0].map(|sweep| fid(sweep, &mut random));
    let of = |data: &Acquisition| one(&Preparation::default(), data, None, 0);
    let removed = of(&still).record;
    // It is so much of it that it was hardly suppressed.
    assert!(removed.water_removed && removed.flags == ["water_not_suppressed"], "{:?}", removed.flags);
    let failed = of(&sweeping);
    assert!(!failed.record.water_removed);
    assert_eq!(failed.record.flags, ["water_removal_failed", "water_not_suppressed"]);
    let stored: Vec<Complex64> = sweeping.samples.iter().collect();
    assert_eq!(failed.fid, stored, "what is not understood is left alone");
}

/// Standard deviations over transients of what two bands say of shift (Hz) and phase (°), less one another, over √2: the
/// error of either.
fn error(a: &Record, b: &Record) -> (f64, f64) {
    let pairs = || a.offsets.iter().flatten().zip(b.offsets.iter().flatten()).zip(&a.kept).filter(|(_, kept)| **kept);
    let spread = |of: &dyn Fn(f64, f64) -> f64, shift: bool| {
        let values: Vec<f64> = pairs()
            .map(|((a, b), _)| if shift { of(a.shift_hz, b.shift_hz) } else { of(a.phase_rad, b.phase_rad) })
            .collect();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64 / 2.0).sqrt()
    };
    let wrapped = |a: f64, b: f64| Complex64::from_polar(1.0, a - b).arg();
    (spread(&|a, b| a - b, true), spread(&wrapped, false).to_degrees())
}

/// The table of `benches/PREPARATION.md`.
#[test]
fn real_raw_sets_before_and_after() {
    let folder = data().join("nifti-mrs");
    let read = |name: &str| formats::read(&folder.join(name)).unwrap();
    let drifting = read("dw-synthetic-drift/synthetic.nii.gz");
    let (raw, water) = (read("7T-raw-4coil/metab_raw.nii.gz"), read("7T-raw-4coil/wref_raw.nii.gz"));
    println!(
        "| set | kept | shift sd (Hz) | phase sd (°) | left: shift, phase | SNR before, after | FWHM before, after (Hz) |"
    );
    let sets =
        (0..drifting.n_conditions()).map(|c| (format!("drift, {}", drifting.condition_labels[c]), &drifting, None, c));
    for (name, data, water, condition) in sets.chain([("7 T".to_owned(), &raw, Some(&water), 0)]) {
        let f0_mhz = data.facts.f0_mhz.unwrap();
        let of = |preparation: &Preparation| one(preparation, data, water, condition);
        let (before, after) = (of(&with(|s| s.steps.clear())), of(&Preparation::default()));
        let halves = [[1.8, 2.3], [2.9, 3.4]].map(|band| of(&with(|s| s.align_band_ppm = band)).record);
        let left = error(&halves[0], &halves[1]);
        let [(narrow, high), (wide, low)] = [&after, &before].map(|s| {
            let points = phased(&s.fid, s.dwell_s, f0_mhz);
            let among = points.iter().filter(|p| (1.8..3.4).contains(&p.0));
            (linewidth_hz(&points, f0_mhz).unwrap(), among.map(|p| p.1).fold(0.0, f64::max))
        });
        let [snr_after, snr_before] = [&after, &before].map(|s| s.record.snr_after.unwrap());
        let motion = after.record.motion.unwrap();
        println!(
            "| {name} | {} of {} | {:.2} | {:.1} | {:.2}, {:.1} | {snr_before:.1}, {snr_after:.1} | {wide:.2}, {narrow:.2} |",
            after.record.n_kept, after.record.n_transients, motion.shift_sd_hz, motion.phase_jitter_deg, left.0, left.1
        );
        // Noise is known to 4 % from the end of one FID: heights tell what alignment gained.
        assert!(high >= 0.995 * low && narrow <= wide, "{name}: {high} {low}");
        assert!(left.0 < motion.shift_sd_hz, "{name}: {left:?} {motion:?}");
    }
}
