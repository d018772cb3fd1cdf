//! Water references: amplitudes as a Voigt fit has them, and bad references that say so.

use std::f64::consts::PI;
use std::path::{Path, PathBuf};

use crate::common::{Normal, data};
use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts};
use requant::formats;
use requant::prepare::{Preparation, Record, prepare, water};
use requant::quality::concentrations;
use requant::run::load::{Loaded, load};

/// A file with its reference, as a run reads them.
fn loaded(file: &Path) -> Loaded {
    let listing = requant::corpus::find(&[file.to_path_buf()], &formats::Search).unwrap();
    load(&listing.found[0], &Facts::default(), &Preparation::default())
}

fn record(loaded: &Loaded) -> &Record {
    &loaded.spectra[0].1.as_ref().unwrap().record
}

fn case(folder: &str, subject: &str) -> PathBuf {
    data().join(format!("../cases/field/{folder}/data/sub-{subject}/mrs/sub-{subject}_svs.nii.gz"))
}

/// The flag of concentrations that are right with the reference `right` and scaled with `amplitude`.
fn flag_of_concentrations(amplitude: f64, right: f64) -> Option<&'static str> {
    let brain = [("tNAA", 11.3), ("tCr", 8.0), ("tCho", 1.6), ("Ins", 6.0), ("Glx", 11.5)];
    concentrations::flag(brain.into_iter().map(|(name, value)| (name, value * right / amplitude)))
}

#[test]
fn a_bad_reference_is_mended_or_not_used_or_flagged() {
    let good = loaded(&case("water-bad", "okr0"));
    let right = record(&good).water_amplitude.unwrap();
    let used = |subject: &str| record(&loaded(&case("water-bad", subject))).clone();
    assert!(record(&good).flags.is_empty() && flag_of_concentrations(right, right).is_none());
    for (subject, flag) in [("clip50r0", "water_reference_clipped"), ("clip30r0", "water_reference_clipped")] {
        let record = used(subject);
        assert_eq!(record.water_amplitude, None, "{subject}");
        assert_eq!(record.flags, [flag], "{subject}");
    }
    for subject in ["suppressed5r0", "suppressed2r0"] {
        let record = used(subject);
        assert_eq!(record.flags, ["water_reference_weak"], "{subject}");
        let amplitude = record.water_amplitude.unwrap();
        assert_eq!(flag_of_concentrations(amplitude, right), Some("implausible_concentration"), "{subject}");
    }
    for (subject, kept, flags) in [("lost1of4r0", 3, &[][..]), ("lost2of4r0", 2, &["water_transients_rejected"])] {
        let record = used(subject);
        assert!((record.water_amplitude.unwrap() / right - 1.0).abs() < 0.05, "{subject}: {record:?}");
        assert_eq!((record.water.n_transients, record.water.n_kept), (Some(4), Some(kept)), "{subject}");
        assert_eq!(record.flags, flags, "{subject}");
    }
    // A sum in the place of a mean leaves no trace in the reference itself: what comes out tells.
    let sum = used("sum16r0").water_amplitude.unwrap();
    assert_eq!(flag_of_concentrations(sum, right), Some("implausible_concentration"), "{sum}");
}

#[test]
fn a_reference_of_another_echo_time_is_told_with_its_times() {
    for (subject, te_s, water_te_s) in
        [("te35r0", 0.035, 0.035), ("te144r0", 0.144, 0.144), ("te68ishr0", 0.035, 0.068), ("wte144r0", 0.035, 0.144)]
    {
        let loaded = loaded(&case("water-te", subject));
        let header = &loaded.header;
        assert_eq!(
            (header.facts.te_s, header.water_te_s, header.water_tr_s),
            (Some(te_s), Some(water_te_s), Some(2.0))
        );
        assert_eq!(header.flags.contains(&"water_te_differs"), te_s != water_te_s, "{subject}: {:?}", header.flags);
        assert!(!header.flags.contains(&"water_tr_differs"));
        // None of them is taken for a suppressed one.
        assert!(record(&loaded).water_amplitude.is_some(), "{subject}: {:?}", record(&loaded).flags);
    }
}

#[test]
fn real_amplitudes_are_those_of_a_voigt_fit() {
    let table = std::fs::read_to_string(data().join("../cases/qc/water_amplitudes.csv")).unwrap();
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = |name: &str| header.iter().position(|cell| *cell == name).unwrap();
    let files = [
        ("press35-sub01", "philips-sdat/press35-sub01/sub-01_PRESS_35_act.sdat"),
        ("press35-sub02", "philips-sdat/press35-sub02/sub-02_PRESS_35_act.sdat"),
        ("press30-mm-sub01", "philips-sdat/press30-mm-sub01/sub-01_ses-01_PRESS_raw-act_noID.SDAT"),
        ("phantom-te30-128avg", "philips-sdat/phantom-te30-128avg/philips_spar_sdat_WS.SDAT"),
        ("ge-P36864", "ge-pfile/rev20-3T/P36864.7"),
    ];
    for row in lines {
        let number = |name: &str| row[column(name)].parse::<f64>().unwrap();
        let (expected, fwhm_hz) = (number("voigt_after_self_ecc"), number("fwhm_hz"));
        let Some((_, file)) = files.iter().find(|(name, _)| *name == row[0]) else {
            // Its pair is not found by its name.
            let file = "siemens-dicom/pat_data_sv/LN/MRS_se_30_saveall__LN_ref_-_30/IM-0001-0001-0001.dcm";
            let reference = formats::read(&data().join(file)).unwrap();
            let found = water::fit(&reference.samples.fid([0; 4]), reference.facts.dwell_s.unwrap()).unwrap();
            assert!((found.amplitude / expected - 1.0).abs() < 0.01, "{}: {found:?} {expected}", row[0]);
            continue;
        };
        let loaded = loaded(&data().join(file));
        let record = record(&loaded);
        let amplitude = record.water_amplitude.unwrap_or_else(|| panic!("{}: {:?}", row[0], record.flags));
        assert!((amplitude / expected - 1.0).abs() < 0.01, "{}: {amplitude} {expected}", row[0]);
        let figures = &record.water;
        let sd = figures.amplitude_sd.unwrap() / amplitude;
        assert!((1e-5..0.03).contains(&sd) && figures.residual.unwrap() < 0.03, "{}: {figures:?}", row[0]);
        // The referee counts whole points of the spectrum.
        let point_hz =
            1.0 / (8.0 * loaded.spectra[0].1.as_ref().unwrap().fid.len() as f64 * loaded.header.facts.dwell_s.unwrap());
        assert!((figures.fwhm_hz.unwrap() - fwhm_hz).abs() < 2.0 * point_hz, "{}: {figures:?} {fwhm_hz}", row[0]);
    }
}

#[test]
fn a_reference_inside_a_file_has_its_times_and_its_place() {
    for (file, te_s) in [
        ("ge-pfile/rev20-3T/P36864.7", 0.035),
        ("philips-dicom/raw_and_mrs/MRs.dcm", 0.0319),
        ("philips-dicom/dynamics/dynamics.dcm", 0.0),
    ] {
        let loaded = loaded(&data().join(file));
        let header = &loaded.header;
        let found = header.water_te_s.unwrap_or_else(|| panic!("{file}: no echo time"));
        assert!(te_s == 0.0 || (found - te_s).abs() < 2e-4, "{file}: {found}");
        assert!(header.water_tr_s.is_some() && header.water_readouts.is_some(), "{file}");
        assert!(!header.flags.contains(&"no_water_reference"), "{file}");
        assert!(record(&loaded).water_amplitude.is_some(), "{file}: {:?}", record(&loaded).flags);
    }
}

const F0_MHZ: f64 = 123.2;
const DWELL_S: f64 = 5e-4;
const WATER: f64 = 5e4;

/// A reference whose transients have these sizes, sampled each `dwell_s`; `change` is made to each sample of a transient.
fn reference(sizes: &[f64], dwell_s: f64, change: impl Fn(usize, Complex64) -> Complex64) -> Acquisition {
    let mut normal = Normal(4);
    let n = (2048.0 * DWELL_S / dwell_s) as usize;
    let samples = Array5::from_shape_fn((1, 1, sizes.len(), 1, n), |(.., t, _, p)| {
        let time = p as f64 * dwell_s;
        let line = Complex64::from_polar(sizes[t] * WATER * (-PI * 8.0 * time).exp(), 0.3 + 2.0 * PI * 1.5 * time);
        change(t, line) + Complex64::new(normal.next(), normal.next())
    });
    acquisition(samples, dwell_s)
}

fn acquisition(samples: Array5<Complex64>, dwell_s: f64) -> Acquisition {
    let facts =
        Facts { dwell_s: Some(dwell_s), f0_mhz: Some(F0_MHZ), te_s: Some(0.03), tr_s: Some(2.0), ..Facts::default() };
    Acquisition { facts, ..Acquisition::from_samples("made", samples) }
}

/// A brain's main lines beside that reference.
fn brain() -> Acquisition {
    let mut normal = Normal(8);
    let samples = Array5::from_shape_fn((1, 1, 1, 1, 2048), |(.., p)| {
        let time = p as f64 * DWELL_S;
        let line = |ppm: f64, size: f64| {
            Complex64::from_polar(size * (-PI * 6.0 * time).exp(), 2.0 * PI * (4.65 - ppm) * F0_MHZ * time)
        };
        line(2.01, 33.0) + line(3.03, 24.0) + line(3.21, 14.0) + Complex64::new(normal.next(), normal.next())
    });
    acquisition(samples, DWELL_S)
}

fn with(water: &Acquisition) -> Record {
    prepare(&brain(), Some(water), 0).remove(0).1.unwrap().record
}

fn as_is(_: usize, z: Complex64) -> Complex64 {
    z
}

#[test]
fn the_amplitude_does_not_depend_on_the_references_dwell_time() {
    for dwell_s in [2e-4, 5e-4, 8e-4] {
        let found = with(&reference(&[1.0], dwell_s, as_is));
        assert!((found.water_amplitude.unwrap() / WATER - 1.0).abs() < 2e-3, "{dwell_s}: {found:?}");
        assert!((found.water.fwhm_hz.unwrap() - 8.0).abs() < 0.1, "{dwell_s}: {found:?}");
        // Equal noise of samples is more noise where there are fewer of them.
        let ratio = (DWELL_S / dwell_s).sqrt();
        assert!((found.water.noise_ratio.unwrap() / ratio - 1.0).abs() < 0.15, "{dwell_s}: {found:?}");
        assert_eq!(found.flags.contains(&"eddy_not_corrected"), dwell_s != DWELL_S, "{dwell_s}");
    }
}

#[test]
fn transients_that_were_lost_spoiled_or_cut_off_are_left_out() {
    let cut = |most: f64| move |z: Complex64| Complex64::new(z.re.clamp(-most, most), z.im.clamp(-most, most));
    let first_cut = |t: usize, z: Complex64| if t == 0 { cut(0.4 * WATER)(z) } else { z };
    let broad = |t: usize, z: Complex64| if t == 2 { z * (z.norm() / WATER).powi(3) } else { z };
    for (name, water, kept) in [
        ("lost", reference(&[1.0, 0.0, 1.0, 1.0], DWELL_S, as_is), 3),
        ("half", reference(&[1.0, 1.0, 0.5, 1.0, 1.0, 1.0], DWELL_S, as_is), 5),
        ("cut off", reference(&[1.0; 4], DWELL_S, first_cut), 3),
        ("broad", reference(&[1.0; 6], DWELL_S, broad), 5),
        ("whole", reference(&[1.0, 0.98, 1.02, 1.0], DWELL_S, as_is), 4),
    ] {
        let found = with(&water);
        assert_eq!(found.water.n_kept, Some(kept), "{name}");
        assert!((found.water_amplitude.unwrap() / WATER - 1.0).abs() < 0.01, "{name}: {found:?}");
        assert!(found.flags.is_empty(), "{name}: {:?}", found.flags);
    }
    let all_cut = with(&reference(&[1.0; 2], DWELL_S, |_, z| cut(0.6 * WATER)(z)));
    assert_eq!((all_cut.water_amplitude, &all_cut.flags[..]), (None, &["water_reference_clipped"][..]));
    let unlike = with(&reference(&[1.0, 0.6], DWELL_S, as_is));
    assert_eq!(unlike.flags, ["water_transients_differ"]);
    assert!(unlike.water.amplitude_sd.unwrap() > 0.1 * WATER, "{unlike:?}");
}

#[test]
fn what_is_no_line_of_water_scales_nothing() {
    // Two lines that beat, and noise.
    let beats = with(&reference(&[1.0], DWELL_S, |_, z| {
        let time = -(z.norm() / WATER).ln() / (PI * 8.0);
        z * (1.0 + Complex64::from_polar(0.9, 2.0 * PI * 20.0 * time))
    }));
    assert_eq!((beats.water_amplitude, &beats.flags[..]), (None, &["water_reference_misfit"][..]));
    assert!(beats.water.residual.unwrap() > water::MISFIT);
    let nothing = with(&reference(&[0.0], DWELL_S, as_is));
    assert_eq!((nothing.water_amplitude, &nothing.flags[..]), (None, &["water_reference_unusable"][..]));
}
