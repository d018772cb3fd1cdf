//! The referee of the noise: FIDs whose noise is known.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::f64::consts::PI;

use super::*;

/// Numbers that are normal with standard deviation 1, the same on every machine (xorshift and Box–Muller).
struct Normal(u64);

impl Normal {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn sample(&mut self) -> Complex64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        Complex64::from_polar(radius, 2.0 * PI * self.uniform())
    }
}

#[derive(Debug, Clone, Copy)]
struct Made {
    n: usize,
    bandwidth_hz: f64,
    f0_mhz: f64,
    t2_s: f64,
    snr: f64,
    /// Residual water over NAA.
    water: f64,
}

const USUAL: Made = Made { n: 2048, bandwidth_hz: 2000.0, f0_mhz: 123.2, t2_s: 0.08, snr: 40.0, water: 0.0 };

/// Chemical shift (ppm) and area of the lines of a brain, those beyond water and broad ones after them.
const LINES: [(f64, f64); 14] = [
    (2.01, 3.0),
    (3.03, 2.4),
    (3.2, 2.2),
    (3.91, 1.6),
    (3.56, 1.0),
    (3.6, 0.5),
    (3.52, 0.5),
    (2.35, 0.6),
    (2.1, 0.5),
    (3.75, 0.6),
    (4.05, 0.4),
    (1.33, 0.3),
    (2.6, 0.2),
    (4.38, 0.2),
];
const BEYOND: [(f64, f64); 2] = [(7.9, 0.3), (6.8, 0.2)];
const BROAD: [(f64, f64); 6] = [(0.9, 1.3), (1.2, 0.8), (1.4, 0.8), (2.05, 1.3), (3.0, 0.5), (3.9, 0.6)];

/// An FID of a brain and the noise in it.
fn made(of: Made, random: &mut Normal) -> (Vec<Complex64>, f64) {
    let (dwell_s, phase) = (of.bandwidth_hz.recip(), Complex64::cis(2.0 * PI * random.uniform()));
    let away_ppm = 0.2 * random.uniform() - 0.1;
    let mut fid = vec![Complex64::default(); of.n];
    let mut add = |ppm: f64, area: f64, t2_s: f64| {
        let rate = Complex64::new(-t2_s.recip(), 2.0 * PI * (4.65 - ppm - away_ppm) * of.f0_mhz);
        for (t, z) in fid.iter_mut().enumerate() {
            *z += phase * area * (rate * (t as f64 * dwell_s)).exp();
        }
    };
    LINES.iter().for_each(|&(ppm, area)| add(ppm, area, of.t2_s));
    BEYOND.iter().for_each(|&(ppm, area)| add(ppm, area, of.t2_s / 2.0));
    BROAD.iter().for_each(|&(ppm, area)| add(ppm, area, of.t2_s.min(0.012)));
    if of.water > 0.0 {
        add(4.65, 3.0 * of.water, of.t2_s.min(0.06));
    }
    let height = 3.0 * (0..of.n).map(|t| (-(t as f64) * dwell_s / of.t2_s).exp()).sum::<f64>();
    let sd = height / (2.0 * of.snr) / (of.n as f64).sqrt();
    fid.iter_mut().for_each(|z| *z += random.sample() * sd);
    (fid, sd)
}

/// Bandwidth (Hz) and frequency (MHz): 1.5, 3 and 7 T.
const SCANNERS: [(f64, f64); 8] = [
    (1000.0, 123.2),
    (1200.0, 123.2),
    (2000.0, 123.2),
    (4000.0, 123.2),
    (8000.0, 123.2),
    (2000.0, 63.9),
    (3000.0, 297.2),
    (6000.0, 297.2),
];
const T2_S: [f64; 5] = [0.01, 0.03, 0.08, 0.3, 2.0];

/// Ratios to the true noise at all bandwidths, decays (undamped ones, too), SNRs, with and without water.
fn ratios(n: usize) -> Vec<f64> {
    let mut random = Normal(0x9E37_79B9_7F4A_7C15 + n as u64);
    let mut found = Vec::new();
    for (bandwidth_hz, f0_mhz) in SCANNERS {
        for t2_s in T2_S.into_iter().chain([f64::INFINITY]) {
            for snr in [5.0, 40.0, 500.0] {
                for water in [0.0, 50.0] {
                    let of = Made { n, bandwidth_hz, f0_mhz, t2_s, snr, water };
                    let (fid, sd) = made(of, &mut random);
                    match Noise::of(&fid) {
                        Noise::Measured(measured) => found.push(measured / sd),
                        Noise::Unknown(why) => panic!("{of:?}: {why}"),
                    }
                }
            }
        }
    }
    found
}

/// The mean is right within 1 %. A single spectrum is as good as its number of samples allows: half of 512 complex numbers
/// have a standard deviation of 3 %, half of 2048 of 1.6 %.
fn holds(n: usize, spread: f64, beyond_five_percent: f64) {
    let found = ratios(n);
    let count = found.len() as f64;
    let mean = found.iter().sum::<f64>() / count;
    let rms = (found.iter().map(|r| (r - 1.0).powi(2)).sum::<f64>() / count).sqrt();
    let beyond = found.iter().filter(|r| (*r - 1.0).abs() > 0.05).count() as f64 / count;
    assert!((mean - 1.0).abs() < 0.01, "{n}: mean {mean}");
    assert!(rms < spread, "{n}: rms deviation {rms}");
    assert!(beyond <= beyond_five_percent, "{n}: {beyond} beyond 5 %");
}

#[test]
fn the_noise_of_512_samples_at_any_decay() {
    holds(512, 0.045, 0.25);
}

#[test]
fn the_noise_of_1024_samples_at_any_decay() {
    holds(1024, 0.03, 0.08);
}

#[test]
fn the_noise_of_2048_samples_at_any_decay() {
    holds(2048, 0.02, 0.02);
}

#[test]
fn the_noise_of_4096_samples_at_any_decay() {
    holds(4096, 0.015, 0.0);
}

#[test]
fn the_noise_of_8192_samples_at_any_decay() {
    holds(8192, 0.012, 0.0);
}

#[test]
fn signals_that_fill_the_spectrum_have_decayed_at_its_end() {
    // Lines everywhere, each as tall as NAA.
    let mut random = Normal(5);
    for _ in 0..10 {
        let (mut fid, sd) = made(Made { n: 4096, bandwidth_hz: 1000.0, snr: 40.0, ..USUAL }, &mut random);
        for line in 0..100 {
            let step = 2.0 * PI * (f64::from(line) + random.uniform()) / 100.0;
            let turned = Complex64::cis(2.0 * PI * random.uniform());
            fid.iter_mut()
                .enumerate()
                .for_each(|(t, z)| *z += turned * Complex64::new(-0.012, step).scale(t as f64).exp());
        }
        let found = noise_sd(&fid).unwrap();
        assert!((found / sd - 1.0).abs() < 0.05, "{}", found / sd);
    }
}

#[test]
fn edges_that_a_filter_emptied_do_not_count() {
    let mut random = Normal(3);
    for kept in [0.55, 0.7, 0.9] {
        let (mut fid, sd) = made(USUAL, &mut random);
        let n = fid.len();
        crate::signal::fft::transform(n, rustfft::FftDirection::Forward).process(&mut fid);
        for (k, z) in fid.iter_mut().enumerate() {
            let place = crate::signal::fft::signed_bin(k, n).abs() / (n as f64 / 2.0);
            *z *= if place > kept { 1e-3 } else { 1.0 } / n as f64;
        }
        crate::signal::fft::transform(n, rustfft::FftDirection::Inverse).process(&mut fid);
        let found = noise_sd(&fid).unwrap();
        assert!((found / sd - 1.0).abs() < 0.06, "{kept}: {}", found / sd);
    }
}

fn is_falling(fid: &[Complex64]) -> bool {
    matches!(Noise::of(fid), Noise::Unknown(WhyUnknown::Falls { .. }))
}

#[test]
fn apodised_fids_tell_no_noise() {
    let mut random = Normal(8);
    type Window = fn(f64) -> f64;
    let windows: [(&str, Window); 4] = [
        ("1 Hz over 1 s", |part| (-PI * part).exp()),
        ("5 Hz over 1 s", |part| (-5.0 * PI * part).exp()),
        ("Gauss", |part| (-4.0 * part * part).exp()),
        ("half of Hann's", |part| 0.5 + 0.5 * (PI * part).cos()),
    ];
    for t2_s in T2_S {
        for (name, window) in windows {
            let (mut fid, _) = made(Made { t2_s, ..USUAL }, &mut random);
            let n = fid.len() as f64;
            assert!(!is_falling(&fid), "{t2_s} s, without a window");
            fid.iter_mut().enumerate().for_each(|(t, z)| *z *= window(t as f64 / n));
            assert!(is_falling(&fid), "{t2_s} s, {name}");
            // The same before it was zero-filled.
            fid.extend(vec![Complex64::default(); 2048]);
            assert!(is_falling(&fid), "{t2_s} s, {name}, zero-filled");
        }
    }
}

#[test]
fn fids_without_noise_tell_none() {
    let mut random = Normal(2);
    for t2_s in T2_S {
        let (fid, _) = made(Made { t2_s, snr: 1e12, ..USUAL }, &mut random);
        let rounded: Vec<Complex64> =
            fid.iter().map(|z| Complex64::new(f64::from(z.re as f32), f64::from(z.im as f32))).collect();
        for fid in [fid, rounded] {
            assert!(matches!(Noise::of(&fid), Noise::Unknown(_)), "{t2_s} s: {:?}", Noise::of(&fid));
        }
    }
    assert_eq!(Noise::of(&vec![Complex64::default(); 100]), Noise::Unknown(WhyUnknown::TooShort));
    assert_eq!(Noise::of(&vec![Complex64::new(1.0, 0.0); 63]), Noise::Unknown(WhyUnknown::TooShort));
    assert_eq!(Noise::of(&vec![Complex64::new(1.0, 0.0); 512]), Noise::Unknown(WhyUnknown::Absent));
}

#[test]
fn a_zero_filled_tail_does_not_lower_the_noise() {
    let (mut fid, _) = made(USUAL, &mut Normal(4));
    let (n, measured) = (fid.len(), noise_sd(&fid).unwrap());
    fid.extend(vec![Complex64::default(); 800]);
    assert_eq!((used_length(&fid), noise_sd(&fid)), (n, Some(measured)));
    // What a transform there and back in single precision leaves of zeros.
    let mut random = Normal(6);
    let rounding = 1e-8 * tallest(&fid);
    fid[n..].iter_mut().for_each(|z| *z = random.sample() * rounding);
    assert_eq!((used_length(&fid), noise_sd(&fid)), (n, Some(measured)));
    // An FID that decays to nothing keeps all of its samples.
    let decaying: Vec<Complex64> = (0..2048).map(|t| Complex64::new((-0.02 * f64::from(t)).exp(), 0.0)).collect();
    assert_eq!(used_length(&decaying), 2048);
}
