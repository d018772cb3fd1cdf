//! One edited scan in the form of every vendor: whatever a site sends, the same GABA+ comes out.

use std::collections::BTreeMap;

use crate::common::vendor_forms::{
    CIRCLES, CREATINE, DWELL_S, F0_MHZ, GABA, N_POINTS, Scan, WATER, Written, vax_from_f32, write_all,
};
use requant::acquisition::StatedEditing;
use requant::fit::{FitState, Method, Model, peaks};
use requant::formats;
use requant::prepare::edit_order::arrange;
use requant::prepare::{Preparation, Spectrum, prepare};

/// All forms agree to this part.
const AGREE: f64 = 0.005;

/// What was put in, in the method's units: 0.45 of the edited line is GABA; its two protons show by half in each of the two
/// conditions that the difference adds up. Creatine's line has three protons.
const KNOWN: f64 = 0.45 * GABA / 2.0;
const KNOWN_OVER_CREATINE: f64 = KNOWN / (CREATINE / 3.0);
const KNOWN_OVER_WATER: f64 = KNOWN / WATER;
/// So near do noise and the shapes of lines let the figures come to that: two standard deviations.
const NEAR: f64 = 0.1;

/// What comes of one form.
struct Figures {
    gaba: f64,
    creatine: f64,
    water: f64,
}

/// Reads, prepares and fits as a run does.
fn figures(written: &Written) -> Figures {
    let Written { form, coils, path, water } = written;
    let mut data = formats::read(path).unwrap();
    let water = water.as_ref().map(|path| formats::read(path).unwrap()).or_else(|| data.take_water()).unwrap();
    let stem = path.file_stem().unwrap().to_str().unwrap();
    arrange(&mut data, Some(&water), &Preparation::default(), &StatedEditing::default(), stem).unwrap();
    assert_eq!(data.samples.shape(), [1, 2, CIRCLES, *coils, N_POINTS], "{form}");
    let (f0_mhz, dwell_s) = (data.facts.f0_mhz.unwrap(), data.facts.dwell_s.unwrap());
    assert!((f0_mhz - F0_MHZ).abs() < 1e-6 && (dwell_s - DWELL_S).abs() < 1e-12, "{form}: {f0_mhz} {dwell_s}");
    let spectra: BTreeMap<String, Spectrum> = prepare(&data, Some(&water), 0)
        .into_iter()
        .map(|(label, spectrum)| (label.unwrap(), spectrum.unwrap()))
        .collect();
    // Where the file does not say which condition is which, the data do.
    let labels: Vec<&str> = spectra.keys().map(String::as_str).collect();
    assert_eq!(labels, ["diff", "off", "on", "sum"], "{form}");
    let (difference, off) = (&spectra["diff"], &spectra["off"]);
    let record = &difference.record;
    // One transient more or less would move GABA+ by more than what is allowed.
    assert_eq!((record.n_kept, &record.flags), (2 * CIRCLES, &Vec::new()), "{form}");
    let Method::Peaks(settings) = Method::built_in("gannet").unwrap().unwrap() else { panic!("its family") };
    let (n_points, scale) = (difference.fid.len(), peaks::Scale::default());
    let model: Model = peaks::Model::new(&settings, n_points, dwell_s, f0_mhz, scale).map(Model::Peaks).unwrap();
    assert_eq!(model.companion(), Some("off"));
    let mut fit = (model.fitter())(&difference.fid);
    model.complete(&mut fit, &difference.fid, &off.fid);
    assert_eq!(fit.state, FitState::Converged, "{form}");
    let [gaba, creatine] = ["GABA+", "tCr"].map(|name| fit.amplitude(name).unwrap().value);
    Figures { gaba, creatine, water: difference.record.water_amplitude.unwrap() }
}

/// Largest over smallest, less 1.
fn spread(values: &[f64]) -> f64 {
    let (low, high) = values.iter().fold((f64::INFINITY, 0.0_f64), |(low, high), v| (low.min(*v), high.max(*v)));
    high / low - 1.0
}

#[test]
fn one_scan_in_every_vendors_form_gives_one_gaba() {
    for seed in [1, 2, 3, 5] {
        one_gaba_of_all_forms(seed);
    }
}

fn one_gaba_of_all_forms(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let (mut over_creatine, mut over_water) = (Vec::new(), Vec::new());
    println!("{:24} coils  GABA+/tCr  GABA+/water  water", "");
    for written in write_all(&Scan::simulated(seed), folder.path()) {
        let Figures { gaba, creatine, water } = figures(&written);
        let ratios = [gaba / creatine, gaba / water];
        let Written { form, coils, .. } = written;
        println!("{form:24} {coils:5}  {:9.6}  {:11.4e}  {water:.6e}", ratios[0], ratios[1]);
        // Upright, all of them, and what was put in.
        assert!(gaba > 0.0 && creatine > 0.0 && water > 0.0, "{form}: {gaba} {creatine} {water}");
        assert!((ratios[0] / KNOWN_OVER_CREATINE - 1.0).abs() < NEAR, "{form}: {ratios:?}");
        assert!((ratios[1] / KNOWN_OVER_WATER - 1.0).abs() < NEAR, "{form}: {ratios:?}");
        over_creatine.push(ratios[0]);
        over_water.push(ratios[1]);
    }
    let spreads = [spread(&over_creatine), spread(&over_water)];
    println!("largest over smallest, less 1: {:.2e} over creatine, {:.2e} over water", spreads[0], spreads[1]);
    assert!(over_creatine.len() > 10 && spreads.iter().all(|spread| *spread <= AGREE), "{spreads:?}");
}

#[test]
fn vax_floats_are_written_as_they_are_read() {
    for value in [0.0, 1.0, -0.5, 3.25e4, -1.7e-6] {
        assert_eq!(formats::vax::f32_from_vax(vax_from_f32(value)), f64::from(value));
    }
}
