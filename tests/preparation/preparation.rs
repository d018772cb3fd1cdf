//! What preparation restores: spectra with known truth, spoiled as scanners spoil them, next to the same without.

use std::f64::consts::TAU;

use ndarray::{Axis, concatenate, s};
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::engine::{Batch, CpuEngine, Engine};
use requant::fit::Model;
use requant::fit::map::{self, Settings};
use requant::prepare::align::{register, undo_offset};
use requant::prepare::edit::combine;
use requant::prepare::{Spectrum, prepare};
use requant::signal::filter::filtered;
use requant::signal::magnitudes::METABOLITES_PPM;
use requant::simulate::{Corpus, Recipe};

use crate::common::data;

const SUBJECTS: usize = 24;
const USUAL: [&str; 5] = ["tNAA", "tCr", "tCho", "Ins", "Glx"];

/// Cramér–Rao bounds of shift (Hz) and phase (rad) of a known signal in noise of `sd` per part.
fn bound(signal: &[Complex64], sd: f64, dwell_s: f64) -> (f64, f64) {
    let (mut aa, mut at, mut tt) = (0.0, 0.0, 0.0);
    for (i, z) in signal.iter().enumerate() {
        let (a, t) = (z.norm_sqr() / (sd * sd), TAU * i as f64 * dwell_s);
        (aa, at, tt) = (aa + a, at + a * t, tt + a * t * t);
    }
    let determinant = aa * tt - at * at;
    ((aa / determinant).sqrt(), (tt / determinant).sqrt())
}

/// Amplitude of `signal` in `fid` by what both hold between 1.8 and 3.4 ppm, shifted and turned as fits best, and the power
/// of a sample of what is left where no signal lies.
fn compared(fid: &[Complex64], signal: &[Complex64], dwell_s: f64, f0_mhz: f64) -> (f64, f64) {
    let within = |fid: &[Complex64], bands: &[(f64, f64)]| {
        let inside = |ppm: f64| f64::from(u8::from(bands.iter().any(|(l, h)| (*l..*h).contains(&ppm))));
        filtered(fid, dwell_s, f0_mhz, inside)
    };
    let (found, wanted) = (within(fid, &[METABOLITES_PPM]), within(signal, &[METABOLITES_PPM]));
    let offset = register(&found, &wanted, dwell_s, 20.0);
    let energy: f64 = wanted.iter().map(|z| z.norm_sqr()).sum();
    let amplitude = offset.overlap / energy;
    let mut left = fid.to_vec();
    undo_offset(&mut left, &offset, dwell_s);
    left.iter_mut().zip(signal).for_each(|(z, s)| *z -= s * amplitude);
    // Where water's tail has decayed; noise is the same at all times.
    let noise = &within(&left, &EMPTY_PPM)[fid.len() / 4..];
    (amplitude, noise.iter().map(|z| z.norm_sqr()).sum::<f64>() / noise.len() as f64)
}

/// A corpus of one site of the first run's recipe.
fn corpus(change: impl FnOnce(&mut Recipe)) -> Corpus {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.subjects = SUBJECTS;
    recipe.site.truncate(1);
    change(&mut recipe);
    Corpus::new(&recipe).unwrap()
}

/// All spectra, prepared without their water references.
fn prepared(corpus: &Corpus) -> Vec<Spectrum> {
    (0..SUBJECTS).flat_map(|i| corpus.spectra(i)).map(|(_, s)| prepare(&s.data, None, 0).remove(0).1.unwrap()).collect()
}

/// Amplitudes of the usual sums by `map`, `[spectrum][sum]`, and their standard deviations.
fn amplitudes(corpus: &Corpus, spectra: &[Spectrum]) -> Vec<Vec<(f64, f64)>> {
    let (site, basis) = (&corpus.sites[0], &corpus.bases[0]);
    let mut settings = Settings::map().unwrap();
    // What tells preparation from the fit's own doubt about the lineshape.
    settings.priors.kernel_scale = 0.0;
    settings.priors.lorentz_prior_hz = [1.3, 1.2];
    let te_s = Some(site.sequence.te_s());
    let model = Model::from(
        map::Model::new(basis, site.n_points, 1.0 / site.bandwidth_hz, site.f0_mhz, te_s, &settings).unwrap(),
    );
    let fids = spectra.iter().map(|s| s.fid.as_slice());
    CpuEngine
        .fit(&Batch::of(&model, fids))
        .iter()
        .map(|fit| {
            let usual = USUAL.iter().map(|name| fit.result.amplitude(name).unwrap());
            usual.map(|a| (a.value, a.sd_posterior)).collect()
        })
        .collect()
}

#[test]
fn residual_water_a_hundred_times_naa_goes_and_amplitudes_stay() {
    for (snr, most_percent) in [(30.0, 2.5), (300.0, 1.0)] {
        let spectra = |residual_water| {
            let corpus = corpus(|r| {
                r.nuisances.residual_water = residual_water;
                r.site[0].snr = [snr, snr];
            });
            let spectra = prepared(&corpus);
            (amplitudes(&corpus, &spectra), spectra.iter().filter(|s| s.record.water_removed).count())
        };
        let ((wanted, none), (found, all)) = (spectra(0.0), spectra(100.0));
        assert_eq!((none, all), (0, SUBJECTS));
        for (k, name) in USUAL.iter().enumerate() {
            let pairs = || wanted.iter().zip(&found).map(|(w, f)| (w[k], f[k].0));
            let mean = pairs().map(|(w, f)| f / w.0 - 1.0).sum::<f64>() / SUBJECTS as f64;
            let worst = pairs().map(|(w, f)| (f / w.0 - 1.0).abs()).fold(0.0, f64::max);
            let in_sd = pairs().map(|(w, f)| (f - w.0).abs() / w.1).fold(0.0, f64::max);
            println!("SNR {snr}, {name}: mean {:.2} %, worst {:.2} %, {in_sd:.2} sd", 100.0 * mean, 100.0 * worst);
            // Noise under the water is fitted with it: single spectra change by part of their noise, the mean does not.
            assert!(mean.abs() <= 0.01 && in_sd <= 1.0 && 100.0 * worst <= most_percent, "{name}");
        }
    }
}

const TRANSIENTS: usize = 64;
const COILS: usize = 8;
/// Chemical shifts without any signal (ppm).
const EMPTY_PPM: [(f64, f64); 2] = [(-3.0, -0.5), (6.5, 11.0)];
const RAW_SUBJECTS: usize = 72;

/// What is done to a transient that a subject's motion or a fault of the scanner spoils.
fn spoil(kind: usize, fid: &mut [Complex64], lipid: &[Complex64], tallest: f64) {
    let n = fid.len();
    match kind % 4 {
        0 => fid.iter_mut().zip(lipid).for_each(|(z, l)| *z += l),
        1 => fid[n / 100..].iter_mut().for_each(|z| *z *= Complex64::from_polar(1.0, 75_f64.to_radians())),
        2 => fid.iter_mut().for_each(|z| *z *= 0.5),
        _ => fid[n / 10] += fid[1] * (5.0 * tallest / fid[1].norm()),
    }
}

/// Raw data as scanners leave them: eight coils, 64 transients of SNR 10 that drift, jitter in frequency and phase, one
/// in sixteen spoiled, an eddy current, residual water. What comes out is compared with what went in.
#[test]
fn raw_data_are_restored() {
    // Without residual water, and with as much as suppression leaves in most spectra.
    for residual_water in [0.0, 5.0] {
        restored(residual_water);
    }
}

#[expect(clippy::too_many_lines, reason = "one measurement from raw data to figures, read from top to bottom")]
fn restored(residual_water: f64) {
    let with = |snr: f64, coils: usize, transients: usize, residual_water: f64| {
        corpus(|r| {
            r.subjects = RAW_SUBJECTS;
            r.keep_to_the_model();
            r.nuisances.residual_water = residual_water;
            let site = &mut r.site[0];
            (site.snr, site.coils, site.transients, site.water) = ([snr, snr], coils, transients, true);
        })
    };
    // SNR 10 a transient: tallest peak over the noise of the real spectrum, which is twice what recipes count.
    let snr = 10.0 * (TRANSIENTS as f64).sqrt() / 2.0;
    let (raw, clean) = (with(snr, COILS, TRANSIENTS, residual_water), with(1e9, 1, 1, 0.0));
    let (dwell_s, f0_mhz) = (1.0 / raw.sites[0].bandwidth_hz, raw.sites[0].f0_mhz);
    let mut random = crate::common::Normal(17);
    let (mut shift_errors, mut phase_errors) = (Vec::new(), Vec::new());
    let (mut bounds, mut amplitudes) = (Vec::new(), Vec::new());
    let (mut bad, mut caught, mut good, mut false_alarms) = (0, 0, 0, 0);
    let (mut noise, mut ideal_noise) = (0.0, 0.0);
    for subject in 0..RAW_SUBJECTS {
        let (_, mut spoiled) = raw.spectra(subject).remove(0);
        let (_, ideal) = clean.spectra(subject).remove(0);
        let signal: Vec<Complex64> = ideal.data.samples.iter().collect();
        let n = signal.len();
        let time = |i: usize| i as f64 * dwell_s;
        let peak = signal.iter().map(|z| z.norm()).fold(0.0, f64::max);
        let lipid: Vec<Complex64> = (0..n)
            .map(|i| {
                let turn = TAU * hz_from_ppm(1.3, f0_mhz) * time(i);
                Complex64::from_polar(peak * (-60.0 * time(i)).exp(), turn)
            })
            .collect();
        let eddy = |i: usize| Complex64::from_polar(1.0, 0.8 * (1.0 - (-time(i) / 0.05).exp()));
        let mut truth = Vec::new();
        let mut samples = spoiled.data.samples.to_array();
        for (t, mut transient) in samples.axis_iter_mut(Axis(2)).enumerate() {
            let place = t as f64 / (TRANSIENTS - 1) as f64 - 0.5;
            let offset = (4.0 * place + 0.5 * random.next(), 0.3 * random.next());
            let is_bad = t % 16 == 5;
            truth.push((offset, is_bad));
            for mut coil in transient.axis_iter_mut(Axis(2)) {
                let mut fid: Vec<Complex64> = coil.iter().copied().collect();
                if is_bad {
                    let size = fid.iter().take(20).map(|z| z.norm()).sum::<f64>() / 20.0;
                    // What a fault adds comes through the coil as the signal does.
                    let turn = fid[1] / fid[1].norm();
                    let scaled: Vec<Complex64> = lipid.iter().map(|l| l * turn * (size / peak)).collect();
                    spoil(subject + t / 16, &mut fid, &scaled, size);
                }
                for (i, z) in fid.iter().enumerate() {
                    let turn = Complex64::from_polar(1.0, TAU * offset.0 * time(i) + offset.1);
                    coil[[0, 0, i]] = z * turn * eddy(i);
                }
            }
        }
        spoiled.data.samples = samples.into();
        let mut water = spoiled.water.take().unwrap();
        let mut samples = water.samples.to_array();
        for mut lane in samples.lanes_mut(Axis(4)) {
            lane.iter_mut().enumerate().for_each(|(i, z)| *z *= eddy(i));
        }
        water.samples = samples.into();
        let restored = prepare(&spoiled.data, Some(&water), 0).remove(0).1.unwrap();
        let record = &restored.record;
        for (keep, (_, is_bad)) in record.kept.iter().zip(&truth) {
            match is_bad {
                true => (bad, caught) = (bad + 1, caught + usize::from(!keep)),
                false => (good, false_alarms) = (good + 1, false_alarms + usize::from(!keep)),
            }
        }
        let used = || {
            let all = record.offsets.as_ref().unwrap().iter().zip(&truth);
            all.filter(|(_, (_, is_bad))| !is_bad).map(|(found, (offset, _))| (found, offset))
        };
        let (shift, phase) = {
            let n = used().count() as f64;
            let turn: Complex64 = used().map(|(f, o)| Complex64::from_polar(1.0, f.phase_rad - o.1)).sum();
            (used().map(|(f, o)| f.shift_hz - o.0).sum::<f64>() / n, turn.arg())
        };
        shift_errors.extend(used().map(|(f, o)| f.shift_hz - o.0 - shift));
        phase_errors.extend(used().map(|(f, o)| Complex64::from_polar(1.0, f.phase_rad - o.1 - phase).arg()));
        let sd = spoiled.drawn.noise_sd * (TRANSIENTS as f64).sqrt();
        bounds.push(bound(&signal, sd, dwell_s));
        // Amplitudes are those of water: what both lost in common, as the coils' scale, cancels.
        let water_ratio = record.water_amplitude.unwrap()
            / prepare(&ideal.data, ideal.water.as_ref(), 0).remove(0).1.unwrap().record.water_amplitude.unwrap();
        let (amplitude, power) = compared(&restored.fid, &signal, dwell_s, f0_mhz);
        amplitudes.push(amplitude / water_ratio);
        noise += power / water_ratio.powi(2);
        ideal_noise += 2.0 * sd * sd * EMPTY_PPM.iter().map(|(l, h)| h - l).sum::<f64>() * f0_mhz * dwell_s
            / (TRANSIENTS - TRANSIENTS / 16) as f64;
    }
    let rms = |all: &[f64]| (all.iter().map(|e| e * e).sum::<f64>() / all.len() as f64).sqrt();
    let bound_hz = rms(&bounds.iter().map(|b| b.0).collect::<Vec<_>>());
    let bound_rad = rms(&bounds.iter().map(|b| b.1).collect::<Vec<_>>());
    let mean = amplitudes.iter().sum::<f64>() / RAW_SUBJECTS as f64;
    let noise = (noise / ideal_noise).sqrt();
    println!("residual water {residual_water} × NAA:");
    println!("shift error {:.4} Hz, bound {bound_hz:.4}", rms(&shift_errors));
    println!("phase error {:.3}°, bound {:.3}", rms(&phase_errors).to_degrees(), bound_rad.to_degrees());
    println!("{caught} of {bad} spoiled transients caught, {false_alarms} of {good} others");
    println!("amplitude over truth {mean:.4}, noise over ideal {noise:.4}");
    assert!(rms(&shift_errors) <= 1.2 * bound_hz && rms(&phase_errors) <= 1.2 * bound_rad);
    assert!(caught as f64 >= 0.95 * bad as f64 && false_alarms as f64 <= 0.01 * good as f64);
    assert!((mean - 1.0).abs() <= 0.005);
    assert!(mean / noise >= 0.995, "loss of signal to noise");
}

/// Acquisition of two files of one condition each.
fn on_off(on: &Acquisition, off: &Acquisition) -> Acquisition {
    let samples = concatenate(Axis(1), &[on.samples.to_array().view(), off.samples.to_array().view()]).unwrap();
    Acquisition {
        condition_labels: vec!["ON".into(), "OFF".into()],
        facts: Facts { sequence: None, ..on.facts.clone() },
        ..Acquisition::from_samples(on.format, samples)
    }
}

/// Real part of the spectrum of `fid` at its extreme between two chemical shifts, turned so that `reference`'s tallest
/// point between 3.1 and 3.3 ppm (choline) is positive and real.
fn extreme(fid: &[Complex64], reference: &[Complex64], (low, high): (f64, f64), dwell_s: f64, f0_mhz: f64) -> f64 {
    let at = |fid: &[Complex64], ppm: f64| -> Complex64 {
        let step = -TAU * hz_from_ppm(ppm, f0_mhz) * dwell_s;
        fid.iter().enumerate().map(|(n, z)| z * Complex64::from_polar((-0.003 * n as f64).exp(), step * n as f64)).sum()
    };
    let grid = |low: f64, high: f64| (0..=100).map(move |i| low + (high - low) * f64::from(i) / 100.0);
    let tallest = grid(3.1, 3.3).map(|ppm| at(reference, ppm)).max_by(|a, b| a.norm().total_cmp(&b.norm())).unwrap();
    let turn = tallest.conj() / tallest.norm();
    grid(low, high).map(|ppm| (at(fid, ppm) * turn).re).max_by(|a, b| a.abs().total_cmp(&b.abs())).unwrap()
}

#[test]
fn real_mega_differences_have_gaba_upright_at_three_ppm() {
    let read = |name: &str| requant::formats::read(&data().join("siemens-rda/vb17-mega").join(name)).unwrap();
    let of = |all: &[requant::prepare::Labelled], name: &str| -> Vec<Complex64> {
        let found = all.iter().find(|(label, _)| label.as_deref() == Some(name)).unwrap();
        found.1.as_ref().unwrap().fid.clone()
    };
    // The scanner's own difference is ON − OFF, not halved, and so is ours.
    let (on, off, vendor) = (read("np_on_spec.rda"), read("np_off_spec.rda"), read("np_diff_spec.rda"));
    let plain = |data: &Acquisition| data.samples.iter().collect::<Vec<_>>();
    let difference = combine(&[plain(&on), plain(&off)], &[1.0, -1.0]);
    let scale = difference.iter().map(|z| z.norm()).fold(0.0, f64::max);
    assert!(difference.iter().zip(plain(&vendor)).all(|(d, v)| (d - v).norm() < 1e-6 * scale));
    // A brain: GABA upright at 3.0 ppm, NAA upside down at 2.0 ppm, creatine and choline gone.
    let brain = on_off(&read("Siemens1_ON.rda"), &read("Siemens1_OFF.rda"));
    let (dwell_s, f0_mhz) = (brain.facts.dwell_s.unwrap(), brain.facts.f0_mhz.unwrap());
    let all = prepare(&brain, None, 0);
    assert_eq!(
        all.iter().map(|(label, _)| label.as_deref().unwrap()).collect::<Vec<_>>(),
        ["on", "off", "diff", "sum"]
    );
    let flags = &all[2].1.as_ref().unwrap().record.flags;
    assert!(flags.is_empty(), "{flags:?}");
    let (off, diff, sum) = (of(&all, "off"), of(&all, "diff"), of(&all, "sum"));
    let height = |fid: &[Complex64], band| extreme(fid, &off, band, dwell_s, f0_mhz);
    let creatine = height(&off, (2.95, 3.08));
    let gaba = height(&diff, (2.9, 3.1)) / creatine;
    let naa = height(&diff, (1.95, 2.07)) / height(&off, (1.95, 2.07));
    let choline = height(&diff, (3.18, 3.25)) / height(&off, (3.18, 3.25));
    println!("difference: GABA+ {gaba:.3} of creatine, NAA {naa:.3} of itself, choline {choline:.3} of itself");
    let both = height(&sum, (2.95, 3.08)) / creatine;
    println!("sum: creatine {both:.3}");
    assert!((0.05..0.3).contains(&gaba) && (-1.1..-0.8).contains(&naa) && choline.abs() < 0.1);
    // ON + OFF, not halved; GABA stands beside creatine in ON.
    assert!((1.9..2.2).contains(&both));
    // A synthetic acquisition whose conditions do not move: the same difference as without alignment.
    let data =
        requant::formats::read(&data().join("nifti-mrs/mega-synthetic/jdifference_nifti_SMART_MRS_EX.nii.gz")).unwrap();
    assert_eq!(data.editing.as_ref().unwrap().pulses_ppm, [vec![1.9], vec![7.8]]);
    let (dwell, f0) = (data.facts.dwell_s.unwrap(), data.facts.f0_mhz.unwrap());
    let all = prepare(&data, None, 0);
    let mean = |condition: usize| -> Vec<Complex64> {
        data.samples.to_array().slice(s![0, condition, .., 0, ..]).mean_axis(Axis(0)).unwrap().to_vec()
    };
    let plain = combine(&[mean(0), mean(1)], &[1.0, -1.0]);
    let diff = of(&all, "diff");
    let energy = |fid: &[Complex64]| fid.iter().map(|z| z.norm_sqr()).sum::<f64>();
    let left: Vec<Complex64> = diff.iter().zip(&plain).map(|(d, p)| d - p).collect();
    let apart = (energy(&left) / energy(&plain)).sqrt();
    println!("synthetic: {apart:.4} of the difference is another");
    assert!(apart < 0.01);
    let gaba = extreme(&diff, &of(&all, "off"), (2.9, 3.1), dwell, f0)
        / extreme(&of(&all, "off"), &of(&all, "off"), (2.9, 3.1), dwell, f0);
    println!("synthetic: {gaba:.4} of creatine at 3.0 ppm");
    assert!((0.005..0.1).contains(&gaba));
}
