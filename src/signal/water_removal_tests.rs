//! Residual water goes where it is, and metabolites stay.

use super::*;

const F0_MHZ: f64 = 123.2;
const DWELL_S: f64 = 5e-4;
const POINTS: usize = 2048;

fn line(ppm: f64, area: f64, lorentz_hz: f64, gauss_hz: f64, phase: f64) -> Vec<Complex64> {
    (0..POINTS)
        .map(|n| {
            let t = n as f64 * DWELL_S;
            let decay = -PI * lorentz_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * std::f64::consts::LN_2);
            Complex64::from_polar(area * decay.exp(), 2.0 * PI * hz_from_ppm(ppm, F0_MHZ) * t + phase)
        })
        .collect()
}

fn sum(lines: &[Vec<Complex64>]) -> Vec<Complex64> {
    (0..POINTS).map(|n| lines.iter().map(|l| l[n]).sum()).collect()
}

fn brain() -> Vec<Complex64> {
    sum(&[
        line(2.01, 10.0, 4.0, 3.0, 0.0),
        line(3.03, 6.0, 4.0, 3.0, 0.0),
        line(3.22, 5.0, 4.0, 3.0, 0.0),
        line(3.92, 4.0, 4.0, 3.0, 0.0),
        line(4.05, 2.0, 6.0, 3.0, 0.0),
    ])
}

fn noise(sd: f64, mut seed: u64) -> Vec<Complex64> {
    let mut uniform = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    (0..POINTS)
        .map(|_| {
            let (r, a) = ((-2.0 * uniform().ln()).sqrt(), 2.0 * PI * uniform());
            Complex64::from_polar(sd * r, a)
        })
        .collect()
}

/// Lipids, three times as high as NAA.
fn lipids() -> [Vec<Complex64>; 2] {
    [line(1.3, 100.0, 15.0, 8.0, 0.0), line(1.45, 40.0, 20.0, 8.0, 0.0)]
}

/// Least-squares amplitude of each of the brain's lines and the lipids', over the areas in [`brain`] and [`lipids`].
fn amplitudes(fid: &[Complex64]) -> Vec<f64> {
    let [first, second] = lipids();
    let lines = [
        line(2.01, 10.0, 4.0, 3.0, 0.0),
        line(3.03, 6.0, 4.0, 3.0, 0.0),
        line(3.22, 5.0, 4.0, 3.0, 0.0),
        line(3.92, 4.0, 4.0, 3.0, 0.0),
        line(4.05, 2.0, 6.0, 3.0, 0.0),
        first,
        second,
    ];
    let matrix = Mat::from_fn(POINTS, lines.len(), |n, k| lines[k][n]);
    let right = Mat::from_fn(POINTS, 1, |n, _| fid[n]);
    let solution = matrix.qr().solve_lstsq(&right);
    (0..lines.len()).map(|k| solution[(k, 0)].re).collect()
}

#[test]
fn water_a_hundred_times_naa_goes_and_amplitudes_stay() {
    // A broad and a narrow part, off resonance and out of phase, partly Gaussian: what shims and suppression leave.
    let water = [line(4.70, 700.0, 3.0, 4.0, 1.0), line(4.62, 300.0, 8.0, 0.0, -2.0)];
    let noise = noise(0.02, 5);
    let [first, second] = lipids();
    for with_lipids in [false, true] {
        let mut parts = vec![brain(), noise.clone()];
        if with_lipids {
            parts.extend([first.clone(), second.clone()]);
        }
        let wanted = amplitudes(&sum(&parts));
        parts.extend(water.clone());
        let mut fid = sum(&parts);
        assert_eq!(remove(&mut fid, DWELL_S, F0_MHZ), Removal::Removed);
        for (got, want) in amplitudes(&fid).iter().zip(&wanted) {
            assert!((got - want).abs() <= 0.01, "lipids {with_lipids}: {got} where {want} is without water");
        }
        let (left, fitted) = peaks(&fid, DWELL_S, F0_MHZ);
        assert!(left < fitted, "{left} {fitted}");
    }
}

#[test]
fn little_water_and_none_stay_as_they_are() {
    for area in [0.0, 20.0] {
        let fid = sum(&[brain(), line(4.66, area, 3.0, 2.0, 0.5), noise(0.05, 9)]);
        let mut same = fid.clone();
        assert_eq!(remove(&mut same, DWELL_S, F0_MHZ), Removal::NotNeeded);
        assert_eq!(same, fid);
    }
}

#[test]
fn little_water_goes_where_any_is_too_much() {
    let without = sum(&[brain(), noise(0.05, 9)]);
    let mut fid = sum(&[without.clone(), line(4.66, 20.0, 3.0, 2.0, 0.5)]);
    assert_eq!(remove_any(&mut fid, DWELL_S, F0_MHZ), Removal::Removed);
    for (got, want) in amplitudes(&fid).iter().zip(amplitudes(&without)) {
        assert!((got - want).abs() <= 0.01, "{got} where {want} is without water");
    }
    assert!(peaks(&fid, DWELL_S, F0_MHZ).0 < 0.1 * peaks(&without, DWELL_S, F0_MHZ).1);
}

#[test]
fn metabolites_beside_water_stay_whatever_their_shift() {
    // NAA's CH, which a few Hz of shift bring into the band of water that towers.
    let rest = sum(&[brain(), line(4.38, 1.5, 5.0, 3.0, 0.0), line(2.0, 20.0, 60.0, 20.0, 0.0), noise(0.05, 9)]);
    let amplitude = |fid: &[Complex64], shift_hz: f64| {
        let line = line(4.38 - shift_hz / F0_MHZ, 1.0, 5.0, 3.0, 0.0);
        let product = |a: &[Complex64]| a.iter().zip(&line).map(|(a, b)| a * b.conj()).sum::<Complex64>().re;
        product(fid) / product(&line)
    };
    for shift_hz in [-8.0, -6.0, -3.0, 0.0, 3.0, 6.0, 8.0] {
        let turn = |n: usize| Complex64::from_polar(1.0, 2.0 * PI * shift_hz * n as f64 * DWELL_S);
        let moved: Vec<Complex64> = rest.iter().enumerate().map(|(n, z)| z * turn(n)).collect();
        let mut fid = moved.clone();
        assert_eq!(remove_any(&mut fid, DWELL_S, F0_MHZ), Removal::NotNeeded, "{shift_hz} Hz");
        assert_eq!(fid, moved);
        let mut fid = sum(&[moved.clone(), line(4.65, 20.0, 5.0, 1.0, 0.7)]);
        assert_eq!(remove_any(&mut fid, DWELL_S, F0_MHZ), Removal::Removed, "{shift_hz} Hz");
        let (got, want) = (amplitude(&fid, shift_hz), amplitude(&moved, shift_hz));
        assert!((got - want).abs() < 0.1, "{shift_hz} Hz: {got} where {want} is without water");
    }
}

#[test]
fn what_is_no_sum_of_decays_is_left_and_said() {
    // Water whose phase wanders during the acquisition.
    let mut fid = sum(&[brain(), line(4.7, 1000.0, 1.0, 1.0, 0.0)]);
    for (n, z) in fid.iter_mut().enumerate() {
        let t = n as f64 * DWELL_S;
        *z *= Complex64::from_polar(1.0, 8.0 * (2.0 * PI * 9.0 * t).sin() + 5.0 * (2.0 * PI * 23.0 * t).sin());
    }
    let before = fid.clone();
    let done = remove(&mut fid, DWELL_S, F0_MHZ);
    assert_ne!(done, Removal::Removed, "{done:?}");
    assert_eq!(fid, before);
    let mut short = before[..32].to_vec();
    assert_ne!(remove(&mut short, DWELL_S, F0_MHZ), Removal::Removed);
}
