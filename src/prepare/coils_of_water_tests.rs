#![allow(clippy::unwrap_used, reason = "tests")]
use ndarray::Array5;

use super::*;
use crate::acquisition::{Acquisition, hz_from_ppm};
use crate::prepare::{Spectrum, prepare};
use crate::random::Random;
use crate::signal::magnitudes::Magnitudes;

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.2;
const POINTS: usize = 1024;
const COILS: usize = 6;

fn sensitivities(seed: u64) -> Vec<Complex64> {
    let mut random = Random::new(seed, 0);
    (0..COILS).map(|_| Complex64::new(random.normal(), random.normal())).collect()
}

fn line(ppm: f64, area: f64, n: usize) -> Complex64 {
    let t = n as f64 * DWELL_S;
    Complex64::from_polar(area * (-PI * 6.0 * t).exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t)
}

/// What coils of these sensitivities measure of `signal`, with noise of standard deviation `sd`.
fn measured(
    coils: &[Complex64],
    transients: usize,
    sd: f64,
    signal: impl Fn(usize, usize) -> Complex64,
) -> Acquisition {
    let mut random = Random::new(5, 1);
    let mut noise = || Complex64::new(random.normal(), random.normal()) * sd;
    let samples = Array5::from_shape_fn((1, 1, transients, coils.len(), POINTS), |(_, _, _, coil, n)| {
        coils[coil] * signal(coil, n) + noise()
    });
    let mut data = Acquisition::from_samples("test", samples);
    (data.facts.dwell_s, data.facts.f0_mhz) = (Some(DWELL_S), Some(F0_MHZ));
    data
}

fn metabolites(n: usize) -> Complex64 {
    line(2.01, 10.0, n) + line(3.03, 6.0, n) + line(3.22, 5.0, n) + line(4.7, 20.0, n)
}

fn data(coils: &[Complex64], sd: f64) -> Acquisition {
    measured(coils, 16, sd, |_, n| metabolites(n))
}

fn water(coils: &[Complex64]) -> Acquisition {
    measured(coils, 2, 1.0, |_, n| line(4.68, 8000.0, n))
}

fn prepared(data: &Acquisition, water: Option<&Acquisition>) -> Spectrum {
    prepare(data, water, 0).remove(0).1.unwrap()
}

fn naa(spectrum: &Spectrum) -> f64 {
    Magnitudes::new(&spectrum.fid, DWELL_S, F0_MHZ).tallest((1.9, 2.1))
}

const FLAG: &str = "coil_weights_contradicted";

#[test]
fn a_reference_whose_coils_do_not_fit_does_not_combine_the_data() {
    let coils = sensitivities(2);
    let data = data(&coils, 2.0);
    let right = prepared(&data, Some(&water(&coils)));
    assert!(!right.record.flags.contains(&FLAG), "{:?}", right.record.flags);
    let alone = prepared(&data, None);
    let order: Vec<Complex64> = [1, 0, 3, 2, 5, 4].iter().map(|c| coils[*c]).collect();
    let turned: Vec<Complex64> =
        coils.iter().enumerate().map(|(c, z)| z * Complex64::from_polar(1.0, 2.1 * c as f64)).collect();
    for (name, of_water) in [("order", &order), ("phases", &turned), ("session", &sensitivities(9))] {
        let found = prepared(&data, Some(&water(of_water)));
        assert!(found.record.flags.contains(&FLAG), "{name}: {:?}", found.record.flags);
        assert!((naa(&found) / naa(&alone) - 1.0).abs() < 0.02, "{name}: {} {}", naa(&found), naa(&alone));
        if name != "session" {
            // The same coils in another order, or turned, have the same scale.
            let amplitudes = [&found, &right].map(|spectrum| spectrum.record.water_amplitude.unwrap());
            assert!((amplitudes[0] / amplitudes[1] - 1.0).abs() < 0.02, "{name}: {amplitudes:?}");
        }
    }
}

#[test]
fn what_does_not_stand_clear_of_its_noise_contradicts_nothing() {
    let coils = sensitivities(2);
    let other = water(&sensitivities(9));
    let flagged = |data: &Acquisition| prepared(data, Some(&other)).record.flags.contains(&FLAG);
    assert!(!flagged(&data(&coils, 300.0)));
    // Nor does water alone.
    assert!(!flagged(&measured(&coils, 16, 2.0, |_, n| line(4.7, 50.0, n))));
}

/// Lipids of the skull, and water from beside the voxel, reach other coils: the data's own weights are theirs.
#[test]
fn signals_from_elsewhere_do_not_take_the_references_weights_away() {
    let (coils, elsewhere) = (sensitivities(2), sensitivities(9));
    let stray = |n: usize| {
        let broad = (-PI * 20.0 * n as f64 * DWELL_S).exp();
        line(1.3, 120.0, n) * broad + line(0.9, 60.0, n) * broad + line(4.5, 60.0, n) + line(2.05, 10.0, n) * broad
    };
    let data = measured(&coils, 16, 2.0, |coil, n| metabolites(n) + stray(n) * elsewhere[coil] / coils[coil]);
    let found = prepared(&data, Some(&water(&coils)));
    assert!(!found.record.flags.contains(&FLAG), "{:?}", found.record.flags);
}

/// What is asked first is as good as the right weights are.
#[test]
fn the_best_combination_is_that_of_the_water() {
    let coils = sensitivities(2);
    let (data, water) = (data(&coils, 2.0), water(&coils));
    let own = data.series(0, 0);
    let noise = Noise::of(own).unwrap();
    let seen = Seen::of(own, DWELL_S, F0_MHZ).unwrap();
    let best = seen.snr2(&noise.best(&seen.lines, COILS).unwrap());
    let right = seen.snr2(&Weights::within(CoilMethod::Svd, water.series(0, 0), &noise).unwrap().along());
    assert!((right / best - 1.0).abs() < 0.05, "{right} of {best}");
}
