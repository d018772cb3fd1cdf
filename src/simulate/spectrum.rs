//! One simulated spectrum: what is drawn for it, and the samples.

use std::f64::consts::{LN_2, PI, TAU};

use ndarray::{Array5, ArrayView1};
use num_complex::Complex64;
use rustfft::FftDirection;

use super::lineshape::{broaden, common_shape, common_turn, split};
use super::macromolecules::MacromoleculeGroup;
use super::recipe::{Nuisances, Site};
use crate::acquisition::{Acquisition, Facts, hz_from_ppm};
use crate::basis::BasisSet;
use crate::basis::simulate::{LINEWIDTH_HZ, Sequence};
use crate::fit::macromolecule_relaxation::Weighting;
use crate::fit::macromolecules::LCMODEL_LIPIDS;
use crate::formats::nifti_mrs;
use crate::quantify::lcmodel_water_attenuation;
use crate::random::Random;
use crate::signal::fft::{signed_bin, transform};

/// Water protons' signal before it relaxes, in units of a metabolite proton at amplitude 1: what LCModel's constants
/// (35880 mmol/kg, two protons) make of amplitudes in mmol/kg.
const WATER_SIGNAL: f64 = 2.0 * 35880.0;
/// Least Lorentzian width (FWHM, Hz).
const LEAST_WIDTH_HZ: f64 = 0.3;
/// Width of water beyond the metabolites' (FWHM, Hz).
const WATER_WIDTH_HZ: f64 = 1.0;

/// What was drawn for one spectrum.
#[derive(Debug, Clone, PartialEq)]
pub struct Drawn {
    /// Common shift (Hz).
    pub shift_hz: f64,
    /// Zero-order phase (°).
    pub phi0_deg: f64,
    /// First-order phase around 4.65 ppm (°/ppm).
    pub phi1_deg_per_ppm: f64,
    /// Common Lorentzian width beyond the basis set's (FWHM, Hz).
    pub lorentz_hz: f64,
    /// Common Gaussian width (FWHM, Hz).
    pub gauss_hz: f64,
    /// Tallest metabolite peak over twice the noise of the real spectrum.
    pub snr: f64,
    /// Standard deviation of the noise, per real and imaginary part of a sample.
    pub noise_sd: f64,
    /// Lipids (mmol/kg).
    pub lipids: f64,
    /// Part of the signal beside the line, and how far off (Hz).
    pub asymmetry: [f64; 2],
}

/// Spectrum, water reference and what was drawn.
pub struct Simulated {
    /// The spectrum, transients and coils as the site stores them.
    pub data: Acquisition,
    /// The water reference, if the site acquires one.
    pub water: Option<Acquisition>,
    /// What was drawn.
    pub drawn: Drawn,
}

/// What a spectrum has beside its metabolites.
pub(super) struct Given<'a> {
    /// Sizes of what disturbs it.
    pub(super) nuisances: Nuisances,
    /// The corpus's macromolecules.
    pub(super) macromolecules: &'a [MacromoleculeGroup],
    /// Lorentzian width of everything beyond what is drawn (FWHM, Hz).
    pub(super) broader_hz: f64,
}

/// Simulates one spectrum of `basis` (on the site's grid) with the amplitudes `amplitudes`, in its order.
pub(super) fn simulate(
    basis: &BasisSet,
    site: &Site,
    given: &Given<'_>,
    amplitudes: &[f64],
    random: &mut Random,
) -> Simulated {
    let (n, dwell_s) = (site.n_points, 1.0 / site.bandwidth_hz);
    let nuisances = &given.nuisances;
    let lorentz_hz = match nuisances.lorentz_between_hz {
        Some([least, most]) => random.between(least, most),
        None => nuisances.lorentz_hz[0] + nuisances.lorentz_hz[1] * random.normal(),
    };
    let lorentz_hz = lorentz_hz.max(LEAST_WIDTH_HZ);
    let mut drawn = Drawn {
        shift_hz: nuisances.shift_hz * random.normal() - site.artefacts.shift_ppm * site.f0_mhz,
        phi0_deg: nuisances.phi0_deg * random.normal() + site.artefacts.phase_deg,
        phi1_deg_per_ppm: nuisances.phi1_deg_per_ppm * random.normal(),
        lorentz_hz,
        gauss_hz: random.between(site.gauss_hz[0], site.gauss_hz[1]),
        snr: random.between(site.snr[0], site.snr[1]),
        noise_sd: 0.0,
        lipids: 0.0,
        asymmetry: [random.between(0.0, 1.0) * nuisances.asymmetry, random.between(-4.0, 4.0)],
    };
    let mut fid = vec![Complex64::default(); n];
    for (k, name) in basis.metabolites.iter().enumerate() {
        let own_ppm = match name.starts_with("NAA") {
            true => nuisances.own_shift_naa_ppm.unwrap_or(0.5 * nuisances.own_shift_ppm),
            false => nuisances.own_shift_ppm,
        };
        let own_hz = own_ppm * site.f0_mhz * random.normal();
        let width_hz = (lorentz_hz + nuisances.own_width_hz * random.normal()).max(LEAST_WIDTH_HZ);
        add_member(&mut fid, basis.fids.row(k), amplitudes[k], own_hz, width_hz, dwell_s);
    }
    let mut shape = common_shape(n, dwell_s, drawn.gauss_hz, drawn.asymmetry);
    split(&mut shape, nuisances.split_hz, dwell_s, random);
    // The noise is that of the spectrum without the group's width: a matched pair has the same.
    let tallest = tallest_peak(&fid, &shape);
    broaden(&mut shape, given.broader_hz, dwell_s);
    drawn.lorentz_hz += given.broader_hz;
    add_macromolecules(&mut fid, given.macromolecules, nuisances, site, lorentz_hz, dwell_s, random);
    drawn.lipids = add_lipids(&mut fid, nuisances, site.f0_mhz, dwell_s, random);
    for &[ppm, area] in &site.artefacts.strangers {
        let place_hz = hz_from_ppm(ppm, site.f0_mhz);
        add_line(&mut fid, Complex64::new(area, 0.0), place_hz, 0.0, LINEWIDTH_HZ + lorentz_hz, dwell_s);
    }
    for (z, common) in fid.iter_mut().zip(&shape) {
        *z *= common;
    }
    add_baseline(&mut fid, nuisances, tallest, site.f0_mhz, dwell_s, random);
    add_residual_water(&mut fid, nuisances, tallest, dwell_s, random);
    first_order_phase(&mut fid, drawn.phi1_deg_per_ppm, site.f0_mhz, dwell_s);
    let turn = common_turn(n, dwell_s, drawn.shift_hz, drawn.phi0_deg);
    for (z, t) in fid.iter_mut().zip(&turn) {
        *z *= t;
    }
    // The noise of a point of the real 2× zero-filled spectrum has the variance n·sd².
    drawn.noise_sd = tallest / (2.0 * drawn.snr) / (n as f64).sqrt();
    let water: Vec<Complex64> = (0..n)
        .map(|i| {
            let t = i as f64 * dwell_s;
            water_signal(site) * (-PI * (lorentz_hz + WATER_WIDTH_HZ) * t).exp() * shape[i] * turn[i]
        })
        .collect();
    let coils = coil_weights(site.coils, random);
    let data = acquisition(&fid, site, &coils, drawn.noise_sd, nuisances.drift_hz, true, random);
    let water = site.water.then(|| acquisition(&water, site, &coils, drawn.noise_sd, [0.0, 0.0], false, random));
    Simulated { data, water, drawn }
}

/// Of a stimulated echo alone.
fn mixing_time_s(site: &Site) -> Option<f64> {
    if let Sequence::Steam { tm_s, .. } = site.sequence { Some(tm_s) } else { None }
}

/// What relaxation leaves of the water at the site's echo time.
fn water_signal(site: &Site) -> f64 {
    WATER_SIGNAL * lcmodel_water_attenuation(site.sequence.te_s())
}

/// Adds a member of the basis set at its amplitude, shift and width.
fn add_member(
    fid: &mut [Complex64],
    member: ArrayView1<'_, Complex64>,
    amplitude: f64,
    shift_hz: f64,
    width_hz: f64,
    dwell_s: f64,
) {
    let step = (Complex64::new(-PI * width_hz, TAU * shift_hz) * dwell_s).exp();
    let mut turn = Complex64::new(amplitude, 0.0);
    for (z, m) in fid.iter_mut().zip(member) {
        *z += m * turn;
        turn *= step;
    }
}

/// Tallest point of the real spectrum.
fn tallest_peak(fid: &[Complex64], shape: &[Complex64]) -> f64 {
    let mut spectrum: Vec<Complex64> = fid.iter().zip(shape).map(|(z, s)| z * s).collect();
    spectrum[0] *= 0.5;
    spectrum.resize(2 * fid.len(), Complex64::default());
    transform(spectrum.len(), FftDirection::Forward).process(&mut spectrum);
    spectrum.iter().map(|z| z.re).fold(0.0, f64::max)
}

/// Adds a Gaussian line that starts at `area`.
fn add_line(fid: &mut [Complex64], area: Complex64, f_hz: f64, gauss_hz: f64, lorentz_hz: f64, dwell_s: f64) {
    for (i, z) in fid.iter_mut().enumerate() {
        let t = i as f64 * dwell_s;
        let decay = -(PI * gauss_hz * t).powi(2) / (4.0 * LN_2) - PI * lorentz_hz * t;
        if decay < -30.0 {
            break;
        }
        *z += area * Complex64::from_polar(decay.exp(), TAU * f_hz * t);
    }
}

fn add_macromolecules(
    fid: &mut [Complex64],
    macromolecules: &[MacromoleculeGroup],
    nuisances: &Nuisances,
    site: &Site,
    lorentz_hz: f64,
    dwell_s: f64,
    random: &mut Random,
) {
    let f0_mhz = site.f0_mhz;
    let weighting = Weighting { te_s: Some(site.sequence.te_s()), tm_s: mixing_time_s(site), tr_s: Some(site.tr_s) };
    for group in macromolecules {
        let size = nuisances.macromolecules * (nuisances.macromolecule_groups * random.normal()).exp();
        let (own_ppm, width_hz) = match group.moves {
            true => {
                let own_ppm = nuisances.own_shift_ppm * random.normal();
                (own_ppm, (lorentz_hz + nuisances.own_width_hz * random.normal()).max(LEAST_WIDTH_HZ))
            }
            false => (0.0, lorentz_hz),
        };
        for line in &group.lines {
            let own = (nuisances.macromolecule_peaks * random.normal()).exp();
            let area = Complex64::new(size * line.area * own * weighting.left(line.ppm), 0.0);
            let place_hz = hz_from_ppm(line.ppm + own_ppm, f0_mhz);
            add_line(fid, area, place_hz, line.width.hz(f0_mhz), width_hz, dwell_s);
        }
    }
}

/// Adds lipids to some spectra; returns their size (mmol/kg).
fn add_lipids(fid: &mut [Complex64], nuisances: &Nuisances, f0_mhz: f64, dwell_s: f64, random: &mut Random) -> f64 {
    let (chance, size) = (random.between(0.0, 1.0), random.between(0.3, 1.5));
    if chance >= nuisances.lipids[0] {
        return 0.0;
    }
    let size = size * nuisances.lipids[1];
    for component in &LCMODEL_LIPIDS {
        for &(ppm, area) in component.lines {
            let area = Complex64::new(size * area, 0.0);
            add_line(fid, area, hz_from_ppm(ppm, f0_mhz), component.width_ppm * f0_mhz, 0.0, dwell_s);
        }
    }
    size
}

/// A smooth baseline: broad humps of either sign.
fn add_baseline(
    fid: &mut [Complex64],
    nuisances: &Nuisances,
    tallest: f64,
    f0_mhz: f64,
    dwell_s: f64,
    random: &mut Random,
) {
    for _ in 0..4 {
        let (ppm, width_hz) = (random.between(0.0, 5.0), random.between(150.0, 400.0));
        // A Gaussian line of area a is a·√(4 ln 2/π)/width high, in samples over the dwell time.
        let height = nuisances.baseline * tallest * random.normal();
        let area = Complex64::new(height * width_hz * dwell_s / (4.0 * LN_2 / PI).sqrt(), 0.0);
        add_line(fid, area, hz_from_ppm(ppm, f0_mhz), width_hz, 0.0, dwell_s);
    }
}

/// What water suppression leaves: some lines near the carrier, each with a phase of its own.
fn add_residual_water(fid: &mut [Complex64], nuisances: &Nuisances, tallest: f64, dwell_s: f64, random: &mut Random) {
    for _ in 0..3 {
        let (f_hz, width_hz) = (random.between(-6.0, 6.0), random.between(4.0, 10.0));
        let phase = random.between(-PI, PI);
        let height = nuisances.residual_water * tallest * random.between(0.2, 1.0);
        let area = Complex64::from_polar(height * PI * width_hz * dwell_s, phase);
        add_line(fid, area, f_hz, 0.0, width_hz, dwell_s);
    }
}

/// Turns each chemical shift by a phase that grows with its distance from the carrier.
fn first_order_phase(fid: &mut [Complex64], deg_per_ppm: f64, f0_mhz: f64, dwell_s: f64) {
    if deg_per_ppm == 0.0 {
        return;
    }
    let n = 2 * fid.len();
    let mut spectrum = fid.to_vec();
    spectrum[0] *= 0.5;
    spectrum.resize(n, Complex64::default());
    transform(n, FftDirection::Forward).process(&mut spectrum);
    for (i, z) in spectrum.iter_mut().enumerate() {
        let from_carrier_ppm = -signed_bin(i, n) / (n as f64 * dwell_s) / f0_mhz;
        *z *= Complex64::from_polar(1.0 / n as f64, (deg_per_ppm * from_carrier_ppm).to_radians());
    }
    transform(n, FftDirection::Inverse).process(&mut spectrum);
    spectrum[0] *= 2.0;
    fid.copy_from_slice(&spectrum[..fid.len()]);
}

/// Sensitivities of the coils: one of 1, or several with the sum of squares 1.
fn coil_weights(n: usize, random: &mut Random) -> Vec<Complex64> {
    if n == 1 {
        return vec![Complex64::new(1.0, 0.0)];
    }
    let raw: Vec<Complex64> =
        (0..n).map(|_| Complex64::from_polar(random.between(0.2, 1.0), random.between(-PI, PI))).collect();
    let norm = raw.iter().map(Complex64::norm_sqr).sum::<f64>().sqrt();
    raw.iter().map(|w| w / norm).collect()
}

/// Transients and coils of a signal, with noise: as many transients as there are share one noise of `noise_sd`
/// when averaged.
fn acquisition(
    fid: &[Complex64],
    site: &Site,
    coils: &[Complex64],
    noise_sd: f64,
    [drift_hz, jitter_hz]: [f64; 2],
    suppressed: bool,
    random: &mut Random,
) -> Acquisition {
    let (n, dwell_s) = (fid.len(), 1.0 / site.bandwidth_hz);
    let transients = if suppressed { site.transients } else { 1 };
    let sd = noise_sd * (transients as f64).sqrt();
    let mut samples = Array5::default((1, 1, transients, coils.len(), n));
    for transient in 0..transients {
        let place = if transients > 1 { transient as f64 / (transients - 1) as f64 - 0.5 } else { 0.0 };
        let off_hz = if transients > 1 { drift_hz * place + jitter_hz * random.normal() } else { 0.0 };
        let step = Complex64::from_polar(1.0, TAU * off_hz * dwell_s);
        for (coil, weight) in coils.iter().enumerate() {
            let mut turn = *weight;
            for (i, z) in fid.iter().enumerate() {
                let noise = Complex64::new(random.normal(), random.normal()) * sd;
                // Scanners store single precision, and so do the files.
                let stored = z * turn + noise;
                samples[(0, 0, transient, coil, i)] =
                    Complex64::new(f64::from(stored.re as f32), f64::from(stored.im as f32));
                turn *= step;
            }
        }
    }
    let facts = Facts {
        dwell_s: Some(dwell_s),
        f0_mhz: Some(site.f0_mhz),
        nucleus: Some("1H".into()),
        te_s: Some(site.sequence.te_s()),
        te1_s: site.sequence.te1_s(),
        tm_s: mixing_time_s(site),
        tr_s: Some(site.tr_s),
        sequence: Some(site.sequence.name().into()),
        vendor: Some(site.vendor.clone()),
        // Corpora are made with ideal pulses, whatever vendor a site is called after.
        pulses: Some("ideal".to_owned()),
        water_suppressed: Some(suppressed),
        ..Facts::default()
    };
    Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) }
}
