#![allow(clippy::unwrap_used, reason = "tests")]

use std::f64::consts::PI;

use ndarray::Array5;

use super::*;
use crate::acquisition::{Editing, hz_from_ppm};
use crate::random::Random;

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 127.7;
const POINTS: usize = 2048;

fn line(ppm: f64, area: f64) -> Vec<Complex64> {
    let at = |n: usize| {
        let t = n as f64 * DWELL_S;
        Complex64::from_polar(area * (-PI * 5.0 * t).exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t)
    };
    (0..POINTS).map(at).collect()
}

fn sum(lines: &[Vec<Complex64>]) -> Vec<Complex64> {
    (0..POINTS).map(|n| lines.iter().map(|l| l[n]).sum()).collect()
}

/// Creatine, choline and, without the pulse, NAA; with it GABA at 3.0 ppm.
fn condition(on: bool) -> Vec<Complex64> {
    let (naa, gaba) = if on { (0.5, 0.6) } else { (10.0, -0.2) };
    sum(&[line(2.01, naa), line(3.03, 6.0), line(3.22, 5.0), line(3.92, 4.0), line(3.0, gaba)])
}

fn edited(labels: &[&str], pulses_ppm: &[&[f64]]) -> Acquisition {
    let mut data =
        Acquisition::from_samples("NIfTI-MRS", Array5::default((1, labels.len().max(pulses_ppm.len()), 1, 1, 8)));
    for (label, name) in data.condition_labels.iter_mut().zip(labels) {
        (*name).clone_into(label);
    }
    data.editing = (!pulses_ppm.is_empty())
        .then(|| Editing { pulses_ppm: pulses_ppm.iter().map(|p| p.to_vec()).collect(), ..Editing::default() });
    data
}

fn difference(scheme: &Scheme, name: &str) -> Vec<f64> {
    scheme.combinations.iter().find(|c| c.name == name).unwrap().signs.clone()
}

#[test]
fn on_and_off_are_told_by_label_then_pulse_then_naa() {
    let (on, off) = (condition(true), condition(false));
    let of = |data: &Acquisition, fids: &[Vec<Complex64>]| scheme(data, fids, DWELL_S, F0_MHZ);
    for (labels, pulses) in
        [(&["ON", "OFF"], &[&[][..], &[]]), (&["a", "b"], &[&[1.9], &[7.5]]), (&["", ""], &[&[], &[]])]
    {
        let data = edited(labels, pulses);
        assert!(is_edited(&data));
        let found = of(&data, &[on.clone(), off.clone()]);
        assert_eq!(found.labels, ["on", "off"], "{labels:?}");
        assert_eq!(difference(&found, "diff"), [1.0, -1.0]);
        assert_eq!(difference(&found, "sum"), [1.0, 1.0]);
    }
    let swapped = of(&edited(&["edit off", "edit on"], &[]), &[off.clone(), on.clone()]);
    assert_eq!(difference(&swapped, "diff"), [-1.0, 1.0]);
    assert_eq!(of(&edited(&["", ""], &[&[], &[]]), &[off.clone(), on]).labels, ["off", "on"]);
    // Nothing tells: no difference is made up.
    let unknown = of(&edited(&["1", "2"], &[&[], &[]]), &[off.clone(), off]);
    assert_eq!((unknown.labels.clone(), unknown.combinations.len()), (vec!["1".to_owned(), "2".to_owned()], 1));
}

#[test]
fn pulses_of_hermes_and_hercules_give_each_target_its_difference() {
    let fids = vec![line(3.0, 1.0); 4];
    let hermes = edited(&["A", "B", "C", "D"], &[&[4.56, 1.9], &[4.56, 7.5], &[1.9, 7.5], &[7.5]]);
    let found = scheme(&hermes, &fids, DWELL_S, F0_MHZ);
    assert_eq!(difference(&found, "diff_gaba"), [1.0, -1.0, 1.0, -1.0]);
    assert_eq!(difference(&found, "diff_gsh"), [1.0, 1.0, -1.0, -1.0]);
    assert_eq!((found.combinations.len(), difference(&found, "sum")), (3, vec![1.0; 4]));
    // HERCULES turns 4.18 ppm wherever it does not turn 4.58: one difference for both.
    let hercules = edited(&["A", "B", "C", "D"], &[&[4.58, 1.9], &[4.18, 1.9], &[4.58], &[4.18]]);
    let found = scheme(&hercules, &fids, DWELL_S, F0_MHZ);
    let names: Vec<&str> = found.combinations.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["diff_gsh", "diff_gaba", "sum"]);
    assert_eq!(difference(&found, "diff_gaba"), [1.0, 1.0, -1.0, -1.0]);
    // In whatever order: GSH is what the difference is called after, and where it is upright.
    let hercules = edited(&["A", "B", "C", "D"], &[&[4.18, 1.9], &[4.58, 1.9], &[4.18], &[4.58]]);
    let found = scheme(&hercules, &fids, DWELL_S, F0_MHZ);
    assert_eq!(difference(&found, "diff_gsh"), [-1.0, 1.0, -1.0, 1.0]);
    assert_eq!((found.combinations.len(), difference(&found, "diff_gaba")), (3, vec![1.0, 1.0, -1.0, -1.0]));
    // Ethanol as a third, its pulse in half of the conditions as well; NAAG is not GSH though it lies 0.05 ppm away.
    let of = |pulses: &[&[f64]]| -> Vec<String> {
        let found = scheme(&edited(&["A", "B", "C", "D"], pulses), &fids, DWELL_S, F0_MHZ);
        found.combinations.into_iter().map(|c| c.name).collect()
    };
    let ethanol = of(&[&[4.56, 3.67], &[7.5], &[1.9, 3.67], &[4.56, 1.9]]);
    assert_eq!(ethanol, ["diff_gsh", "diff_etoh", "diff_gaba", "sum"]);
    assert_eq!(of(&[&[4.61, 3.89], &[7.5], &[4.61], &[3.89]]), ["diff_naag", "diff_asp", "sum"]);
}

#[test]
fn balanced_pulses_of_mega_leave_the_named_one_on() {
    let fids = vec![line(3.0, 1.0); 2];
    // Symmetric about the macromolecules' 1.7 ppm: ON at 1.9, OFF at 1.5, measured first.
    let found = scheme(&edited(&["", ""], &[&[1.5], &[1.9]]), &fids, DWELL_S, F0_MHZ);
    assert_eq!(difference(&found, "diff"), [-1.0, 1.0]);
}

#[test]
fn other_conditions_are_not_edited() {
    assert!(!is_edited(&edited(&["b=0", "b=1000"], &[])));
    let mut named = edited(&["b=0", "b=1000"], &[]);
    named.facts.sequence = Some("MEGA-PRESS".into());
    assert!(is_edited(&named));
    assert!(!is_edited(&edited(&["ON"], &[&[1.9]])));
}

/// A shift and turn between ON and OFF do not stay in the difference: creatine, 60 times its noise, cancels.
#[test]
fn conditions_are_aligned_before_they_are_subtracted() {
    let mut random = Random::new(21, 0);
    let sd = 0.02;
    let mut noisy = |fid: Vec<Complex64>| -> Vec<Complex64> {
        fid.iter().map(|z| z + Complex64::new(random.normal(), random.normal()) * sd).collect()
    };
    let mut on = condition(true);
    undo_offset(&mut on, &Offset { shift_hz: -1.7, phase_rad: 0.3, overlap: 0.0 }, DWELL_S);
    let mut fids = vec![noisy(on), noisy(condition(false))];
    let offsets = align(&mut fids, DWELL_S, F0_MHZ).unwrap();
    // GABA, 15 Hz beside the band and on in one of the two, moves it by 0.04 Hz.
    assert!((offsets[0].shift_hz + 1.7).abs() < 0.05, "{offsets:?}");
    assert!((offsets[0].phase_rad - 0.3).abs() < 0.01, "{offsets:?}");
    // Back to where OFF was.
    let back = Offset { shift_hz: -offsets[0].shift_hz, phase_rad: -offsets[0].phase_rad, overlap: 0.0 };
    fids.iter_mut().for_each(|fid| undo_offset(fid, &back, DWELL_S));
    let difference = combine(&fids, &[1.0, -1.0]);
    let wanted = combine(&[condition(true), condition(false)], &[1.0, -1.0]);
    let height = |fid: &[Complex64], band| Magnitudes::new(fid, DWELL_S, F0_MHZ).tallest(band);
    let creatine = height(&condition(false), (2.9, 3.1));
    let left: Vec<Complex64> = difference.iter().zip(&wanted).map(|(d, w)| d - w).collect();
    assert!(height(&left, (2.6, 4.2)) < 0.02 * creatine, "{} of {creatine}", height(&left, (2.6, 4.2)));
    let mut nothing = vec![vec![Complex64::default(); POINTS]; 2].into_iter().map(noisy).collect::<Vec<_>>();
    assert!(align(&mut nothing, DWELL_S, F0_MHZ).is_none());
}

/// What editing adds beside the narrow lines (GABA with its macromolecules, 25 Hz from choline, and Glx, 22 Hz from
/// creatine) reaches into the bands by its wings, and does not count as an offset: it would be 0.11 Hz and 5°.
#[test]
fn wings_of_what_is_edited_move_nothing() {
    let broad = |ppm: f64, area: f64, width_hz: f64| -> Vec<Complex64> {
        let decay = |n: usize| (-PI * (width_hz - 5.0) * n as f64 * DWELL_S).exp();
        line(ppm, area).into_iter().enumerate().map(|(n, z)| z * decay(n)).collect()
    };
    let mut on = sum(&[condition(true), broad(3.0, 3.0, 18.0), broad(3.75, 3.0, 8.0)]);
    undo_offset(&mut on, &Offset { shift_hz: -1.7, phase_rad: 0.3, overlap: 0.0 }, DWELL_S);
    let offsets = align(&mut [on, condition(false)], DWELL_S, F0_MHZ).unwrap();
    assert!((offsets[0].shift_hz + 1.7).abs() < 0.05 && (offsets[0].phase_rad - 0.3).abs() < 0.02, "{offsets:?}");
}

/// HERMES, through preparation as a whole: each target upright at its place in its own difference, twice ON − OFF (two
/// conditions of each), and what is not edited gone.
#[test]
fn hermes_gives_gaba_and_gsh_upright_and_twice() {
    let pulses: [&[f64]; 4] = [&[4.56, 1.9], &[4.56, 7.5], &[1.9, 7.5], &[7.5]];
    let mut random = Random::new(33, 0);
    let mut data = edited(&["A", "B", "C", "D"], &pulses);
    let mut samples = Array5::default((1, 4, 1, 1, POINTS));
    for (condition, pulses) in pulses.iter().enumerate() {
        let has = |ppm: f64| pulses.contains(&ppm);
        let (naa, gaba) = if has(1.9) { (0.5, 0.6) } else { (10.0, -0.2) };
        let gsh = if has(4.56) { 0.4 } else { -0.1 };
        let mut fid = sum(&[
            line(2.01, naa),
            line(3.03, 6.0),
            line(3.22, 5.0),
            line(3.92, 4.0),
            line(3.0, gaba),
            line(2.95, gsh),
        ]);
        let apart = Offset { shift_hz: 0.7 * condition as f64, phase_rad: -0.1 * condition as f64, overlap: 0.0 };
        undo_offset(&mut fid, &apart, DWELL_S);
        for (n, z) in fid.into_iter().enumerate() {
            samples[(0, condition, 0, 0, n)] = z + Complex64::new(random.normal(), random.normal()) * 0.005;
        }
    }
    data.samples = samples.into();
    (data.facts.dwell_s, data.facts.f0_mhz) = (Some(DWELL_S), Some(F0_MHZ));
    let all = crate::prepare::prepare(&data, None, 0);
    let names: Vec<&str> = all.iter().filter_map(|(label, _)| label.as_deref()).collect();
    assert_eq!(names, ["a", "b", "c", "d", "diff_gsh", "diff_gaba", "sum"]);
    // Amplitudes of all lines together, by least squares on the differences.
    let ppm = [2.01, 3.03, 3.22, 3.92, 3.0, 2.95];
    let amplitudes = |name: &str| -> Vec<f64> {
        use faer::linalg::solvers::SolveLstsq;
        let spectrum = all.iter().find(|(label, _)| label.as_deref() == Some(name)).unwrap().1.as_ref().unwrap();
        assert!(spectrum.record.flags.is_empty(), "{:?}", spectrum.record.flags);
        let lines = ppm.map(|ppm| line(ppm, 1.0));
        let matrix = faer::Mat::from_fn(spectrum.fid.len(), ppm.len(), |n, k| lines[k][n]);
        let right = faer::Mat::from_fn(spectrum.fid.len(), 1, |n, _| spectrum.fid[n]);
        let solution = matrix.qr().solve_lstsq(&right);
        (0..ppm.len()).map(|k| solution[(k, 0)].re).collect()
    };
    let wanted = [
        ("diff_gaba", [2.0 * (0.5 - 10.0), 0.0, 0.0, 0.0, 2.0 * (0.6 + 0.2), 0.0]),
        ("diff_gsh", [0.0, 0.0, 0.0, 0.0, 0.0, 2.0 * (0.4 + 0.1)]),
        ("sum", [21.0, 24.0, 20.0, 16.0, 0.8, 0.6]),
    ];
    for (name, wanted) in wanted {
        for ((ppm, found), wanted) in ppm.iter().zip(amplitudes(name)).zip(wanted) {
            assert!((found - wanted).abs() < 0.06 + 0.01 * wanted.abs(), "{name}, {ppm} ppm: {found}, not {wanted}");
        }
    }
}

#[test]
fn labels_that_naa_contradicts_are_noticed() {
    let (on, off) = (condition(true), condition(false));
    let is = |labels: &[&str], pulses: &[&[f64]], fids: &[Vec<Complex64>]| {
        is_contradicted(&edited(labels, pulses), fids, DWELL_S, F0_MHZ)
    };
    let (right, wrong, same) = ([on.clone(), off.clone()], [off.clone(), on.clone()], [off.clone(), off]);
    let stated: [&[f64]; 2] = [&[1.9], &[7.5]];
    for pulses in [&[][..], &stated[..]] {
        assert!(!is(&["ON", "OFF"], pulses, &right));
        assert!(is(&["ON", "OFF"], pulses, &wrong));
        assert!(!is(&["OFF", "ON"], &[], &wrong));
    }
    // A pulse for GABA that changes nothing is none; of glutathione's NAA tells nothing.
    assert!(is(&["ON", "OFF"], &[&[1.9], &[7.5]], &same));
    assert!(!is(&["ON", "OFF"], &[], &same) && !is(&["ON", "OFF"], &[&[4.56], &[10.0]], &same));
    // A phantom of creatine and GABA.
    let phantom = sum(&[line(3.03, 6.0), line(3.0, 0.6)]);
    assert!(!is(&["ON", "OFF"], &[&[1.9], &[7.5]], &[phantom.clone(), phantom]));
    // Four conditions, of which the first and last have the pulse.
    let four: Vec<_> = [&on, &right[1], &right[1], &on].map(Clone::clone).to_vec();
    let pulses: [&[f64]; 4] = [&[1.9], &[], &[4.56], &[1.9, 4.56]];
    assert!(!is(&["a", "b", "c", "d"], &pulses, &four));
    let turned: [&[f64]; 4] = [&[], &[1.9], &[1.9, 4.56], &[4.56]];
    assert!(is(&["a", "b", "c", "d"], &turned, &four));
}

/// A difference that the file holds has no creatine to be aligned by, and is no condition to be combined.
#[test]
fn combinations_that_a_file_holds_stay_as_they_are() {
    for labels in [&["DIFF", "OFF"][..], &["diff", "sum"], &["ON", "OFF", "DIFF", "SUM"], &["Edit difference", "off"]] {
        assert!(!is_edited(&edited(labels, &vec![&[][..]; labels.len()])), "{labels:?}");
    }
    let (on, off) = (condition(true), condition(false));
    let difference: Vec<Complex64> = on.iter().zip(&off).map(|(on, off)| on - off).collect();
    let mut data = edited(&["DIFF", "OFF"], &[&[], &[]]);
    let both = [&difference, &off];
    data.samples = Array5::from_shape_fn((1, 2, 1, 1, POINTS), |(_, c, _, _, n)| both[c][n]).into();
    (data.facts.dwell_s, data.facts.f0_mhz) = (Some(DWELL_S), Some(F0_MHZ));
    let all = crate::prepare::prepare(&data, None, 0);
    assert_eq!(all.iter().filter_map(|(label, _)| label.as_deref()).collect::<Vec<_>>(), ["diff", "off"]);
    let fid = &all[0].1.as_ref().unwrap().fid;
    assert!(fid.iter().zip(&difference).all(|(a, b)| (a - b).norm() < 1e-9));
}
