//! The stages of preparation on an adapter beside the native ones, which other tests hold against the truth.

use num_complex::Complex64;
use requant::engine::{CpuEngine, Fids, GpuEngine, Stages};
use requant::prepare::align::{MAX_SHIFT_HZ, Offset, turn_back};

use crate::common::DWELL_S;

/// Relative to the largest sample: some units in the last place of f32, growing with the logarithm of the length.
const ROUNDING: f64 = 2e-6;
/// A thousandth of what noise leaves uncertain at a signal-to-noise ratio of ten a transient.
const SHIFT_TOLERANCE_HZ: f64 = 2e-4;
const PHASE_TOLERANCE_RAD: f64 = 3e-5;

/// A decaying line with something noise-like on it, FID by FID different and of very different size.
fn fids(n_points: usize, count: usize) -> Vec<Complex64> {
    (0..count)
        .flat_map(|i| {
            let (x, size) = (i as f64, 10_f64.powi(3 * (i as i32 % 7) - 9));
            (0..n_points).map(move |n| {
                let t = n as f64 * DWELL_S;
                let line = Complex64::from_polar((-9.0 * t).exp(), 61.0 * (x - 3.0) * t + x);
                let rough = (n as f64 * (1.7 + x) + (n * n % 977) as f64).sin();
                size * (line + 0.05 * Complex64::new(rough, -rough * rough))
            })
        })
        .collect()
}

/// Not a number where one is not a number.
fn differ(a: &[Complex64], b: &[Complex64], n_points: usize) -> f64 {
    let largest = |values: &mut dyn Iterator<Item = f64>| values.max_by(f64::total_cmp).unwrap_or(0.0);
    largest(&mut a.chunks(n_points).zip(b.chunks(n_points)).map(|(a, b)| {
        largest(&mut a.iter().zip(b).map(|(x, y)| (x - y).norm())) / largest(&mut a.iter().map(|z| z.norm()))
    }))
}

/// Runs `stage` on both engines; the largest difference, relative to each FID's largest sample.
pub(crate) fn difference(gpu: &GpuEngine, n_points: usize, count: usize, stage: impl Fn(&dyn Stages, Fids<'_>)) -> f64 {
    let (mut native, mut device) = (fids(n_points, count), fids(n_points, count));
    stage(&CpuEngine, Fids { samples: &mut native, n_points });
    stage(gpu, Fids { samples: &mut device, n_points });
    differ(&native, &device, n_points)
}

pub(crate) fn offsets(count: usize) -> Vec<Offset> {
    let of = |i: usize| Offset { shift_hz: (i as f64 * 1.3).sin() * 19.0, phase_rad: i as f64 * 2.1, overlap: 0.0 };
    (0..count).map(of).collect()
}

pub(crate) fn all_agree(gpu: &GpuEngine) {
    for n in [128, 256, 1024, 2048, 4096, 8192, 16384] {
        let worst = difference(gpu, n, 5, |e, f| e.transform(f));
        assert!(worst < ROUNDING, "transform of {n}: {worst:e}");
    }
    for n in [100, 2048, 5000] {
        let window: Vec<f64> = (0..n).map(|i| (-3.0 * i as f64 / n as f64).exp()).collect();
        let worst = difference(gpu, n, 9, |e, f| e.apodise(f, &window));
        assert!(worst < ROUNDING, "window of {n}: {worst:e}");
        let worst = difference(gpu, n, 9, |e, f| e.turn_back(f, &offsets(9), DWELL_S));
        // A turn is known to an ulp of the turns so far.
        assert!(worst < 3.0 * ROUNDING, "turn of {n}: {worst:e}");
        let water: Vec<Complex64> = fids(n, 9).iter().map(|z| 1e3 * z).collect();
        let worst = difference(gpu, n, 9, |e, f| e.correct_eddy_currents(f, &water));
        assert!(worst < 3.0 * ROUNDING, "eddy currents of {n}: {worst:e}");
    }
    for n in [100, 512, 2048, 5000] {
        let worst = registration(gpu, n, 12, 0.0);
        assert!(worst.0 < SHIFT_TOLERANCE_HZ && worst.1 < PHASE_TOLERANCE_RAD, "registration of {n}: {worst:?}");
        // The test sees what it is there to see.
        assert!(registration(gpu, n, 12, 1e-3).0 > SHIFT_TOLERANCE_HZ);
    }
}

/// Largest difference between the engines' shifts (Hz) and phases (rad); the device's data lie `moved_hz` higher.
fn registration(gpu: &GpuEngine, n_points: usize, count: usize, moved_hz: f64) -> (f64, f64) {
    let reference = &fids(n_points, 4)[3 * n_points..];
    let data = |extra_hz: f64| -> Vec<Complex64> {
        let mut all = Vec::new();
        for (i, offset) in offsets(count).iter().enumerate() {
            let mut fid: Vec<Complex64> = reference.iter().map(|z| z * 10_f64.powi(i as i32 - 5)).collect();
            let shift_hz = -offset.shift_hz - extra_hz;
            turn_back(&mut fid, &Offset { shift_hz, phase_rad: offset.phase_rad, overlap: 0.0 }, DWELL_S);
            all.extend(fid);
        }
        all
    };
    let (mut a, mut b) = (data(0.0), data(moved_hz));
    let native = CpuEngine.register(Fids { samples: &mut a, n_points }, reference, DWELL_S, MAX_SHIFT_HZ);
    let device = gpu.register(Fids { samples: &mut b, n_points }, reference, DWELL_S, MAX_SHIFT_HZ);
    native.iter().zip(&device).fold((0.0, 0.0), |(shift, phase), (a, b)| {
        assert!((a.overlap / b.overlap - 1.0).abs() < 1e-4);
        let turn = Complex64::from_polar(1.0, a.phase_rad - b.phase_rad).arg().abs();
        (f64::max(shift, (a.shift_hz - b.shift_hz).abs()), f64::max(phase, turn))
    })
}
