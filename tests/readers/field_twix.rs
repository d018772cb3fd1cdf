//! Siemens raw data as sites send them: which readouts are transients, conditions of editing, water, steps with signs, parts.

use std::f64::consts::PI;
use std::path::PathBuf;

use num_complex::Complex64;
use requant::acquisition::{AXIS_TRANSIENT, Acquisition, Conditions, hz_from_ppm};
use requant::formats;
use requant::prepare::{Record, Spectrum, prepare};

use crate::common::data;

/// Of singlets (ppm).
const NAA: f64 = 2.008;
const CR: f64 = 3.027;
const CHO: f64 = 3.21;

fn case(path: &str) -> PathBuf {
    let path = data().join("../cases").join(path);
    assert!(path.exists(), "no case at {}", path.display());
    path
}

fn read(path: &str) -> Acquisition {
    formats::read(&case(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// A measurement's spectra by their labels, prepared with its own water.
fn prepared(data: &Acquisition) -> Vec<(String, Spectrum)> {
    let mut data = data.clone();
    let water = data.take_water();
    let all = prepare(&data, water.as_ref(), 0).into_iter();
    all.map(|(label, spectrum)| (label.unwrap_or_default(), spectrum.unwrap())).collect()
}

fn labels(spectra: &[(String, Spectrum)]) -> Vec<&str> {
    spectra.iter().map(|(label, _)| label.as_str()).collect()
}

fn of<'a>(spectra: &'a [(String, Spectrum)], label: &str) -> &'a Spectrum {
    &spectra.iter().find(|(l, _)| l == label).unwrap_or_else(|| panic!("no {label}")).1
}

/// Height of the tallest point within 0.03 ppm, times the dwell time.
fn height(spectrum: &Spectrum, ppm: f64) -> f64 {
    let at = |ppm: f64| {
        let step = -2.0 * PI * hz_from_ppm(ppm, spectrum.f0_mhz) * spectrum.dwell_s;
        let turned = spectrum.fid.iter().enumerate().map(|(n, z)| z * Complex64::from_polar(1.0, step * n as f64));
        turned.sum::<Complex64>().norm() * spectrum.dwell_s
    };
    (-15..=15).map(|i| at(ppm + 0.002 * f64::from(i))).fold(0.0, f64::max)
}

fn ratio(spectrum: &Spectrum, a: f64, b: f64) -> f64 {
    height(spectrum, a) / height(spectrum, b)
}

fn n_water(data: &Acquisition) -> usize {
    data.water.as_ref().map_or(0, |w| w.samples.len_of(ndarray::Axis(AXIS_TRANSIENT)))
}

fn water_words(data: &Acquisition) -> &str {
    data.water.as_ref().map_or("", |w| w.readouts.as_str())
}

/// Two conditions of MEGA, 8 transients each, with their difference and sum: NAA and creatine where they belong.
fn assert_mega(path: &str) -> Vec<(String, Spectrum)> {
    let data = read(path);
    assert_eq!((data.n_conditions(), data.n_transients(), data.facts.te_s), (2, 8, Some(0.068)), "{path}");
    assert_eq!(data.editing.as_ref().map(|e| e.conditions), Some(Conditions::Apart), "{path}");
    let spectra = prepared(&data);
    let (on, off, diff) = (of(&spectra, "on"), of(&spectra, "off"), of(&spectra, "diff"));
    let figures = [ratio(off, NAA, CR), ratio(on, NAA, CR), height(diff, NAA) / height(off, NAA)];
    println!("{path}: NAA/Cr off {:.3}, on {:.3}, NAA of diff over off {:.3}", figures[0], figures[1], figures[2]);
    assert!((1.2..1.7).contains(&figures[0]) && figures[1] < 0.2, "{path}: {figures:?}");
    assert!((0.9..1.05).contains(&figures[2]) && height(diff, CHO) < 0.02 * height(off, CHO), "{path}: {figures:?}");
    assert!((height(of(&spectra, "sum"), CR) / height(off, CR) - 2.0).abs() < 0.1, "{path}");
    for (label, n) in [("on", 8), ("off", 8), ("diff", 16), ("sum", 16)] {
        let record = &of(&spectra, label).record;
        assert_eq!(record.n_transients, n, "{path} {label}");
        assert!(!record.flags.contains(&"edit_order_unknown"), "{path} {label}");
    }
    spectra
}

/// Four conditions of HERCULES, and what is combined of them.
fn assert_hercules(data: &Acquisition, name: &str) {
    assert_eq!((data.n_conditions(), data.facts.te_s), (4, Some(0.08)), "{name}");
    let pulses = [vec![4.58, 1.9], vec![4.18, 1.9], vec![4.58], vec![4.18]];
    assert_eq!(data.editing.as_ref().unwrap().pulses_ppm, pulses, "{name}");
    let spectra = prepared(data);
    assert_eq!(labels(&spectra), ["a", "b", "c", "d", "diff_gsh", "diff_gaba", "sum"], "{name}");
    // The pulse at 1.9 ppm takes NAA away.
    let naa = ["a", "b", "c", "d"].map(|label| ratio(of(&spectra, label), NAA, CR));
    println!("{name}: NAA/Cr {naa:.3?}");
    assert!(naa[0].max(naa[1]) < 0.2 && naa[2].min(naa[3]) > 1.2, "{name}: {naa:?}");
    let (gaba, gsh, off) = (of(&spectra, "diff_gaba"), of(&spectra, "diff_gsh"), of(&spectra, "c"));
    assert!((height(gaba, NAA) / height(off, NAA) - 2.0).abs() < 0.1, "{name}");
    assert!(height(gsh, NAA) < 0.1 * height(off, NAA) && height(gsh, CHO) < 0.05 * height(off, CHO), "{name}");
}

#[test]
fn real_conditions_in_turn_along_averages() {
    assert_mega("field/twix-mgs-mega-interleaved/meas_mgs_svs_ed.dat");
    assert_eq!(read("field/twix-mgs-mega-interleaved/meas_mgs_svs_ed.dat").editing.unwrap().pulses_ppm, [[1.9], [7.5]]);
    let hercules = read("field/twix-hercules-interleaved/meas_smm_svs_herc.dat");
    assert_eq!(hercules.n_transients(), 4);
    assert_hercules(&hercules, "HERCULES");
}

#[test]
fn real_conditions_along_a_counter_of_their_own() {
    let paths = [
        "field/twix-wip859-ide/meas_svs_edit_859.dat",
        "field/twix-xa-edit-with-reference/meas_svs_edit.dat",
        "field/twix-mgs-mega-interleaved/meas_mgs_svs_ed.dat",
    ];
    // Of one simulated acquisition; eddy currents would be corrected where there is water alone.
    let gaba = paths.map(|path| {
        assert_mega(path);
        let data = Acquisition { water: None, ..read(path) };
        height(of(&prepared(&data), "diff"), 3.01)
    });
    println!("GABA+ over that in turn: {:.5}, {:.5}", gaba[0] / gaba[2], gaba[1] / gaba[2]);
    assert!(gaba.iter().all(|height| (height / gaba[2] - 1.0).abs() < 0.005), "{gaba:?}");
}

#[test]
fn real_phase_zero_is_the_water_of_edited_data() {
    let path = "field/twix-xa-edit-with-reference/meas_svs_edit.dat";
    let data = read(path);
    assert_eq!((n_water(&data), water_words(&data)), (1, "phase 0: readout 1"));
    assert_eq!((data.facts.water_suppressed, data.remarks.len()), (Some(true), 0));
    for (label, spectrum) in assert_mega(path) {
        assert!((spectrum.record.water_amplitude.unwrap() - 0.3476).abs() < 0.001, "{label}");
        assert!(spectrum.record.eddy_corrected, "{label}");
    }
}

#[test]
fn real_references_before_and_after_the_transients() {
    let data = read("field/twix-dkd-references-in-set/meas_svs_slaserVOI_dkd2.dat");
    assert_eq!((data.n_conditions(), data.n_transients(), data.facts.te_s), (1, 8, Some(0.028)));
    assert_eq!((n_water(&data), water_words(&data)), (4, "readouts 1 to 2, 11 to 12"));
    let spectra = prepared(&data);
    let spectrum = &spectra[0].1;
    assert!((spectrum.record.water_amplitude.unwrap() - 0.3476).abs() < 0.001);
    assert!((1.2..1.7).contains(&ratio(spectrum, NAA, CR)), "{}", ratio(spectrum, NAA, CR));
}

#[test]
fn real_repetitions_along_set() {
    let vb = read("field/twix-vb-set/meas_svs_se_30_vb.dat");
    assert_eq!((vb.n_conditions(), vb.n_transients(), vb.n_points()), (1, 8, 2048));
    assert_eq!(vb.facts.water_suppressed, Some(true));
    // Begins at the echo: the same signal as the one that has no points before it, in amplitude and phase.
    let cmrr = read("field/twix-vb-cmrr-set/meas_eja_svs_slaser.dat");
    assert_eq!((cmrr.n_conditions(), cmrr.n_transients(), cmrr.n_points()), (1, 8, 2048));
    assert!(cmrr.remarks.iter().any(|remark| remark.starts_with("4 points before the echo (centre column) and 28")));
    let first = |data: &Acquisition| data.samples.at([0, 0, 0, 0, 0]);
    let turned = first(&cmrr) / first(&vb);
    println!("first point of either: {:.3} at {:.1} degrees", turned.norm(), turned.arg().to_degrees());
    assert!((turned.norm() - 1.0).abs() < 0.05 && turned.arg().abs() < 0.05, "{turned}");
    let [vb, cmrr] = [vb, cmrr].map(|data| prepared(&data).remove(0).1);
    for ppm in [NAA, CR, CHO] {
        assert!((height(&vb, ppm) / height(&cmrr, ppm) - 1.0).abs() < 0.02, "{ppm}");
    }
}

#[test]
fn real_unsuppressed_water_along_set_says_what_it_is() {
    let data = read("field-real/spinal_cord_sLASER_shortTE_noWS.dat");
    assert_eq!((data.n_conditions(), data.n_transients(), data.n_coils(), data.n_points()), (1, 2, 8, 8192));
    assert_eq!((data.facts.water_suppressed, data.facts.te_s), (Some(false), Some(0.01996)));
    // Begins at the echo: no later point of the strongest coil is larger than the first ones.
    let coils = (0..8).map(|coil| data.samples.fid([0, 0, 0, coil]));
    let strongest = coils.max_by(|a, b| a[0].norm().total_cmp(&b[0].norm())).unwrap();
    let most = strongest.iter().map(|z| z.norm()).fold(0.0, f64::max);
    assert!(strongest[0].norm() > 0.9 * most, "{} of {most}", strongest[0].norm());
    let (dwell_s, f0_mhz) = (data.facts.dwell_s.unwrap(), data.facts.f0_mhz.unwrap());
    let spectrum = Spectrum { fid: strongest, dwell_s, f0_mhz, record: Record::default() };
    assert!(height(&spectrum, 4.66) > 20.0 * height(&spectrum, NAA));
}

#[test]
fn real_inversion_steps_are_subtracted() {
    let data = read("field/twix-special/meas_jn_svs_special.dat");
    assert_eq!((data.n_conditions(), data.n_transients(), data.facts.te_s), (1, 4, Some(0.0085)));
    assert!(data.remarks.iter().any(|remark| remark == "steps were added with the signs + −"), "{:?}", data.remarks);
    let special = prepared(&data).remove(0).1;
    // The voxel of one transient: what PRESS of the same voxel has, without what lies around it.
    let press = prepared(&read("field/twix-vb-set/meas_svs_se_30_vb.dat")).remove(0).1;
    for ppm in [NAA, CR, CHO] {
        let part = height(&special, ppm) / height(&press, ppm);
        println!("{ppm}: {part:.3} of PRESS");
        assert!((part - 1.0).abs() < 0.05, "{ppm}: {part}");
    }
}

#[test]
fn real_two_parts_of_different_echo_time() {
    let data = read("field/twix-isthmus/meas_smm_svs_isthmus_gls.dat");
    assert_eq!((data.n_conditions(), data.n_transients(), data.facts.te_s), (1, 32, Some(0.035)));
    assert_eq!((n_water(&data), water_words(&data)), (1, "readout 34"));
    assert_eq!(data.facts.sequence.as_deref(), Some("PRESS"));
    let press = prepared(&data).remove(0).1;
    assert!((1.2..1.7).contains(&ratio(&press, NAA, CR)) && press.record.water_amplitude.is_some());
    let [(name, hercules)] = data.further.as_slice() else { panic!("{:?}", data.further) };
    assert_eq!((name.as_str(), hercules.n_transients()), ("hercules80", 8));
    assert_eq!((n_water(hercules), water_words(hercules)), (1, "readout 1"));
    assert_hercules(hercules, "ISTHMUS");
}
