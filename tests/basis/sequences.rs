//! Sequences beside PRESS with shaped pulses, against sets of other programs.

use std::f64::consts::{FRAC_PI_2, TAU};

use num_complex::Complex64;
use requant::basis::BasisSet;
use requant::basis::simulate::pulses::{Block, Grid, PulseSpec, Shape, Shaped};
use requant::basis::simulate::{Band, Pulses, Sequence, TimeGrid, basis_set_with};

use crate::common::data;
use crate::common::fid_a;
use crate::common::mat;

/// The spectrum from 0.3 to 4.2 ppm of a signal with its carrier at `reference` ppm.
fn window(fid: &[Complex64], dwell_s: f64, f0_mhz: f64, reference: f64) -> Vec<Complex64> {
    let at = |ppm: f64| {
        let step = Complex64::cis(-TAU * (reference - ppm) * f0_mhz * dwell_s);
        let start = (-0.5 * fid[0], Complex64::ONE);
        fid.iter().fold(start, |(sum, turn), z| (sum + z * turn, turn * step)).0
    };
    (0..780).map(|k| at(0.3 + 0.005 * f64::from(k))).collect()
}

/// Correlation after the common phase of `turn`.
fn correlation(ours: &[Complex64], theirs: &[Complex64], turn: Complex64) -> f64 {
    let dot: Complex64 = ours.iter().zip(theirs).map(|(a, b)| a.conj() * b).sum();
    let power = |all: &[Complex64]| all.iter().map(Complex64::norm_sqr).sum::<f64>();
    (dot * turn.conj()).re / (power(ours) * power(theirs)).sqrt()
}

fn pulse(shape: Shape, duration_s: f64, flip_deg: f64) -> PulseSpec {
    PulseSpec { shape, duration_s, flip_deg: Some(flip_deg), peak_b1_hz: None, bandwidth_hz: Some(1e7) }
}

fn hard(flip_deg: f64) -> PulseSpec {
    pulse(Shape::Gauss { truncation: 0.5 }, 1e-8, flip_deg)
}

/// FID-A's MEGA-PRESS with a shaped editing pulse (its parameters stand beside the set): 20 ms at `edit_ppm`.
fn mega(edit_ppm: f64) -> Shaped {
    let edit = pulse(Shape::SincGauss { lobes: 1.0, truncation: 0.6065 }, 20e-3, 180.0);
    let block = |pulse: &PulseSpec, carrier_ppm: f64, phase_rad: f64, delay_ms: f64, order: i32| Block {
        pulse: pulse.clone(),
        carrier_ppm,
        phase_rad,
        slice: None,
        delay_s: 1e-3 * delay_ms,
        order: Some(order),
    };
    let (excite, refocus) = (hard(90.0), hard(180.0));
    // 5, 17, 17, 17 and 12 ms between middles.
    let blocks = vec![
        block(&excite, 3.0, FRAC_PI_2, 5.0, 1),
        block(&refocus, 3.0, 0.0, 7.0, -1),
        block(&edit, edit_ppm, 0.0, 7.0, -1),
        block(&refocus, 3.0, 0.0, 7.0, 1),
        block(&edit, edit_ppm, 0.0, 2.0, 1),
    ];
    Shaped {
        name: "FID-A".to_owned(),
        refocus,
        excite: None,
        edit: Some(edit),
        carrier_ppm: 3.0,
        grid: Grid { points: 1, ..Grid::default() },
        blocks: Some(blocks),
    }
}

#[test]
fn mega_press_of_another_program_is_met_on_and_off() {
    let names = ["Cr", "GABA", "GSH", "Gln", "Glu", "NAA", "NAAG"];
    let time = TimeGrid { f0_mhz: 127.731, dwell_s: 5e-4, n_points: 2048, linewidth_hz: 2.0 };
    let folder = data().join("basis/fida-mat-megapress");
    for (condition, edit_ppm) in [("ON", 1.88), ("OFF", 7.4)] {
        let band = Band { centre_ppm: edit_ppm, width_ppm: 0.6 };
        let sequence = Sequence::MegaPress { te_s: 0.068, te1_s: 0.010, band };
        let pulses = Pulses::Shaped(Box::new(mega(edit_ppm)));
        let ours = basis_set_with(&fid_a::library(), &names, &sequence, &pulses, time).unwrap();
        let spectra = |name: &str| {
            let fid = ours.fids.row(ours.position(name).unwrap()).to_vec();
            let theirs = mat::complex(&folder.join(format!("{name}_{condition}.mat")), "fids");
            // FID-A's axis of ppm has 3 ppm in its middle.
            let theirs: Vec<Complex64> = theirs.iter().map(|z| z.conj()).collect();
            (window(&fid, 5e-4, 127.731, 4.65), window(&theirs, 5e-4, 127.731, 3.0))
        };
        let (ours_cr, theirs_cr) = spectra("Cr");
        let dot: Complex64 = ours_cr.iter().zip(&theirs_cr).map(|(a, b)| a.conj() * b).sum();
        let turn = dot / dot.norm();
        for name in names {
            let (ours, theirs) = spectra(name);
            let r = correlation(&ours, &theirs, turn);
            println!("{name} {condition}: r {r:.5}");
            assert!(r >= 0.999, "{name} {condition}: r {r}");
        }
    }
}

#[test]
fn semi_laser_of_another_program_is_met_at_the_echo_time_that_it_does_not_name() {
    let theirs = BasisSet::read(&data().join("basis/nifti-slaser-3T")).unwrap();
    // Of all echo times this one meets the worst member best; the set has members of two widths.
    let sequence = Sequence::SemiLaser { te_s: 0.029 };
    let sets = [
        (2.0, vec!["Cr", "PCr", "Glu", "Gln", "GABA", "GSH", "Lac", "Tau", "Asp", "GPC"]),
        (0.5, vec!["NAA", "NAAG", "Ins"]),
    ];
    for (linewidth_hz, names) in sets {
        let n_points = theirs.fids.ncols();
        let time = TimeGrid { f0_mhz: theirs.f0_mhz, dwell_s: theirs.dwell_s, n_points, linewidth_hz };
        let ours = basis_set_with(&fid_a::library(), &names, &sequence, &Pulses::Ideal, time).unwrap();
        let of = |set: &BasisSet, name: &str| {
            window(&set.fids.row(set.position(name).unwrap()).to_vec(), time.dwell_s, time.f0_mhz, 4.65)
        };
        for name in names {
            let r = correlation(&of(&ours, name), &of(&theirs, name), Complex64::ONE);
            println!("{name}: r {r:.5}");
            assert!(r >= 0.995, "{name}: r {r}");
        }
    }
}
