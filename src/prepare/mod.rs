//! [`Acquisition`] to [`Spectrum`]: one file a step, each leaves its numbers.

pub mod align;
pub mod average;
pub mod coils;
pub mod eddy;
pub mod edit;
mod error;
pub mod figures;
pub mod reject;
pub mod residual_water;
pub mod settings;
pub mod water;

use ndarray::s;
use num_complex::Complex64;

use self::coils::Weights;
use self::error::{check_finite, check_header, check_samples, not_finite};
use self::figures::{Magnitudes, Motion, WATER_PPM};
use self::residual_water::Removal;
use self::settings::Step;
use crate::acquisition::Acquisition;
use crate::fit::start::used_length;

pub use error::PrepareError;
pub use settings::{CoilMethod, Preparation, Settings};

/// One spectrum, ready to be fitted.
#[derive(Debug, Clone)]
pub struct Spectrum {
    /// Free induction decay, zero-filled tail cut off.
    pub fid: Vec<Complex64>,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// What was done, and its numbers.
    pub record: Record,
}

/// Numbers of the preparation of one spectrum.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Number of stored transients.
    pub n_transients: usize,
    /// Number of those that were averaged.
    pub n_kept: usize,
    /// Which they are.
    pub kept: Vec<bool>,
    /// Shift and phase by which each transient was moved; `None` where there was nothing to align.
    pub offsets: Option<Vec<align::Offset>>,
    /// How the transients that were averaged moved; `None` where they were not aligned.
    pub motion: Option<Motion>,
    /// Number of coils in the file.
    pub n_coils: usize,
    /// Share of the coils' signal that one source explains (0 to 1); `None` for a single coil.
    pub coil_quality: Option<f64>,
    /// Signal-to-noise ratio of the plain mean of all transients, and of what was made of them.
    pub snr_before: Option<f64>,
    /// See `snr_before`.
    pub snr_after: Option<f64>,
    /// Whether eddy currents were corrected with the water reference.
    pub eddy_corrected: bool,
    /// Water amplitude at t = 0 (units of the data), from the reference.
    pub water_amplitude: Option<f64>,
    /// Height of the water that suppression left over that of the reference.
    pub water_left: Option<f64>,
    /// Whether it was taken away.
    pub water_removed: bool,
    /// Tallest peak of the lipids over that of NAA.
    pub lipid_index: Option<f64>,
    /// What should be looked at, as stable snake_case words.
    pub flags: Vec<&'static str>,
}

/// A spectrum of a voxel: the label of its condition or combination (`None` where the file holds one), and what came
/// of it.
pub type Labelled = (Option<String>, Result<Spectrum, PrepareError>);

/// Prepares all conditions of one voxel of `data`, with its water reference if there is one; of edited data the
/// differences and the sum as well.
///
/// The reference is averaged in the same way; its condition 0 serves all conditions where it has fewer.
pub fn prepare(data: &Acquisition, water: Option<&Acquisition>, voxel: usize) -> Vec<Labelled> {
    prepare_with(&Preparation::default(), data, water, voxel)
}

/// [`prepare`] by other settings. With [`Preparation::None`] edited data are not combined.
pub fn prepare_with(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
) -> Vec<Labelled> {
    let conditions: Vec<Result<Aligned<'_>, PrepareError>> =
        (0..data.n_conditions()).map(|condition| Aligned::new(preparation, data, water, voxel, condition)).collect();
    if edit::is_edited(data) && preparation != &Preparation::None {
        return edited(preparation, data, conditions);
    }
    let several = conditions.len() > 1;
    let finished = conditions.into_iter().enumerate().map(|(condition, aligned)| {
        let label = several.then(|| {
            let label = &data.condition_labels[condition];
            if label.is_empty() { condition.to_string() } else { label.clone() }
        });
        (label, aligned.and_then(Aligned::average).map(|spectrum| finish(preparation, spectrum)))
    });
    finished.collect()
}

/// Edited data: transients are left out of all conditions together, and conditions aligned before they are combined.
fn edited(
    preparation: &Preparation,
    data: &Acquisition,
    conditions: Vec<Result<Aligned<'_>, PrepareError>>,
) -> Vec<Labelled> {
    let labels = || data.condition_labels.iter().map(|label| Some(label.to_lowercase()));
    let averaged: Result<Vec<Spectrum>, PrepareError> =
        conditions.into_iter().collect::<Result<Vec<_>, _>>().and_then(|mut all| {
            let cycles = all.iter().map(|a| a.record.kept.len()).min().unwrap_or(0);
            let keep: Vec<bool> = (0..cycles).map(|t| all.iter().all(|a| a.record.kept[t])).collect();
            all.iter_mut().for_each(|aligned| aligned.record.kept.clone_from(&keep));
            all.into_iter().map(Aligned::average).collect()
        });
    let mut spectra = match averaged {
        Ok(spectra) => spectra,
        Err(error) => return labels().map(|label| (label, Err(error.clone()))).collect(),
    };
    let (dwell_s, f0_mhz) = (spectra[0].dwell_s, spectra[0].f0_mhz);
    let mut fids: Vec<Vec<Complex64>> = spectra.iter_mut().map(|s| std::mem::take(&mut s.fid)).collect();
    let aligned = !preparation.has(Step::Align) || edit::align(&mut fids, dwell_s, f0_mhz).is_some();
    let scheme = edit::scheme(data, &fids, dwell_s, f0_mhz);
    let mut record = Record { kept: Vec::new(), offsets: None, motion: None, ..spectra[0].record.clone() };
    record.n_transients = spectra.iter().map(|s| s.record.n_transients).sum();
    record.n_kept = spectra.iter().map(|s| s.record.n_kept).sum();
    record.snr_before = None;
    if !aligned {
        record.flags.push("subspectra_not_aligned");
    }
    if scheme.combinations.len() < 2 {
        record.flags.push("edit_order_unknown");
    }
    let combined = scheme.combinations.iter().map(|c| {
        let fid = edit::combine(&fids, &c.signs);
        let spectrum = Spectrum { fid, dwell_s, f0_mhz, record: record.clone() };
        (Some(c.name.clone()), Ok(finish(preparation, spectrum)))
    });
    let combined: Vec<Labelled> = combined.collect();
    let single = spectra.into_iter().zip(fids).zip(scheme.labels);
    let single =
        single.map(|((spectrum, fid), label)| (Some(label), Ok(finish(preparation, Spectrum { fid, ..spectrum }))));
    single.chain(combined).collect()
}

/// The transients of one voxel and condition, coils combined, aligned to one another.
struct Aligned<'a> {
    preparation: &'a Preparation,
    data: &'a Acquisition,
    water: Option<&'a Acquisition>,
    voxel: usize,
    condition: usize,
    transients: Vec<Vec<Complex64>>,
    weights: Option<Weights>,
    dwell_s: f64,
    f0_mhz: f64,
    record: Record,
}

impl<'a> Aligned<'a> {
    fn new(
        preparation: &'a Preparation,
        data: &'a Acquisition,
        water: Option<&'a Acquisition>,
        voxel: usize,
        condition: usize,
    ) -> Result<Self, PrepareError> {
        let (dwell_s, f0_mhz) = check_header(data)?;
        let mut record = Record { n_transients: data.n_transients(), n_coils: data.n_coils(), ..Record::default() };
        let (n_coils, n_transients) = (record.n_coils, record.n_transients);
        if preparation == &Preparation::None && n_coils.max(n_transients) > 1 {
            return Err(PrepareError::NotPrepared { n_coils, n_transients });
        }
        let weights = combine(preparation, data, water, voxel, condition, &mut record)?;
        let mut transients = average::transients(data, voxel, condition, weights.as_ref());
        if transients.iter().any(|fid| check_finite(fid).is_err()) {
            let own = data.samples.slice(s![voxel, condition, .., .., ..]);
            return Err(not_finite(own).unwrap_or(PrepareError::Coils { n_coils }));
        }
        if data.n_transients() > 1 {
            record.snr_before = Magnitudes::new(&average::mean(&transients), dwell_s, f0_mhz).snr();
        }
        record.kept = vec![true; n_transients];
        if let Some(settings) = preparation.settings() {
            settle(settings, &mut transients, dwell_s, f0_mhz, &mut record);
        }
        Ok(Self { preparation, data, water, voxel, condition, transients, weights, dwell_s, f0_mhz, record })
    }

    /// The mean of what is kept, corrected and scaled by the water reference.
    fn average(self) -> Result<Spectrum, PrepareError> {
        let Self { preparation, data, voxel, condition, mut transients, weights, dwell_s, f0_mhz, mut record, .. } =
            self;
        let mut kept = record.kept.iter();
        transients.retain(|_| kept.next().copied().unwrap_or(true));
        record.n_kept = transients.len();
        if record.n_kept < record.n_transients - record.n_transients / 4 {
            record.flags.push("many_transients_rejected");
        }
        record.motion = record.offsets.as_ref().and_then(|offsets| figures::motion(offsets, &record.kept));
        let mut fid = average::mean(&transients);
        check_samples(&fid)?;
        if let Some(reference) = self.water {
            if reference.n_coils() == data.n_coils() {
                let scan = Scan { preparation, data, voxel, condition, dwell_s };
                apply_water(&mut fid, &scan, reference, weights.as_ref(), &mut record)?;
            } else {
                record.flags.push("water_reference_coils");
            }
        }
        fid.truncate(used_length(&fid));
        Ok(Spectrum { fid, dwell_s, f0_mhz, record })
    }
}

/// Aligns transients and finds those to leave out, in the settings' order.
fn settle(settings: &Settings, transients: &mut [Vec<Complex64>], dwell_s: f64, f0_mhz: f64, record: &mut Record) {
    let [low, high] = settings.align_band_ppm;
    let mut dry = None;
    if settings.steps.iter().any(|step| matches!(step, Step::Align | Step::Reject)) {
        dry = residual_water::dried(transients, dwell_s, f0_mhz);
    }
    for step in &settings.steps {
        match step {
            Step::Align => {
                let looked_at = dry.as_deref_mut().unwrap_or(transients);
                record.offsets = align::align(looked_at, dwell_s, f0_mhz, Some((low, high)));
                if let (Some(_), Some(offsets)) = (&dry, &record.offsets) {
                    transients.iter_mut().zip(offsets).for_each(|(fid, offset)| align::turn_back(fid, offset, dwell_s));
                }
                if transients.len() > 1 && record.offsets.is_none() {
                    record.flags.push("transients_not_aligned");
                }
            }
            Step::Reject => {
                let looked_at = dry.as_deref().unwrap_or(transients);
                record.kept = reject::kept(looked_at, dwell_s, f0_mhz, settings.reject_beyond_sd);
            }
            Step::EddyCurrents | Step::ResidualWater => {}
        }
    }
}

/// Takes residual water away, and says how good the spectrum is.
fn finish(preparation: &Preparation, mut spectrum: Spectrum) -> Spectrum {
    let Spectrum { fid, dwell_s, f0_mhz, record } = &mut spectrum;
    if preparation.has(Step::ResidualWater) {
        match residual_water::remove(fid, *dwell_s, *f0_mhz) {
            Removal::NotNeeded => {}
            Removal::Removed => record.water_removed = true,
            Removal::Failed => record.flags.push("water_removal_failed"),
        }
    }
    let magnitudes = Magnitudes::new(fid, *dwell_s, *f0_mhz);
    record.snr_after = magnitudes.snr();
    record.lipid_index = magnitudes.lipid_index();
    spectrum
}

/// Weights of the coils, from the water reference where it has the same coils.
fn combine(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
    condition: usize,
    record: &mut Record,
) -> Result<Option<Weights>, PrepareError> {
    let n_coils = data.n_coils();
    if n_coils == 1 {
        return Ok(None);
    }
    let own = data.samples.slice(s![voxel, condition, .., .., ..]);
    let method = preparation.settings().map(|s| s.coils).unwrap_or_default();
    let usable = |w: &&Acquisition| w.n_coils() == n_coils && w.n_voxels() == data.n_voxels();
    let weights = match water.filter(usable) {
        Some(water) => {
            let condition = if water.n_conditions() == data.n_conditions() { condition } else { 0 };
            Weights::new(method, water.samples.slice(s![voxel, condition, .., .., ..]), own)
        }
        None => Weights::new(method, own, own),
    };
    let weights = weights.ok_or_else(|| not_finite(own).unwrap_or(PrepareError::Coils { n_coils }))?;
    record.coil_quality = Some(weights.quality);
    Ok(Some(weights))
}

/// What of which file is prepared, and how.
struct Scan<'a> {
    preparation: &'a Preparation,
    data: &'a Acquisition,
    voxel: usize,
    condition: usize,
    dwell_s: f64,
}

fn apply_water(
    fid: &mut [Complex64],
    scan: &Scan<'_>,
    reference: &Acquisition,
    weights: Option<&Weights>,
    record: &mut Record,
) -> Result<(), PrepareError> {
    let Scan { preparation, data, voxel, condition, dwell_s } = *scan;
    if reference.n_voxels() != data.n_voxels() {
        return Err(PrepareError::WaterGrid { water: reference.n_voxels(), data: data.n_voxels() });
    }
    let condition = if reference.n_conditions() == data.n_conditions() { condition } else { 0 };
    let mut references = average::transients(reference, voxel, condition, weights);
    let f0_mhz = reference.f0_mhz.or(data.f0_mhz).unwrap_or_default();
    if preparation.has(Step::Align) && references.iter().all(|fid| check_finite(fid).is_ok()) {
        align::align(&mut references, reference.dwell_s.unwrap_or(dwell_s), f0_mhz, None);
    }
    let reference_fid = average::mean(&references);
    let same_grid = reference.dwell_s.is_none_or(|d| (d / dwell_s - 1.0).abs() < 1e-3);
    let measured = check_samples(&reference_fid).ok().and_then(|()| water::amplitude(&reference_fid, dwell_s));
    match measured {
        None => record.flags.push("water_reference_unusable"),
        Some(amplitude) if !water::is_water(fid, &reference_fid, amplitude) => {
            record.flags.push("water_reference_suppressed");
        }
        Some(amplitude) => {
            record.water_amplitude = Some(amplitude);
            if same_grid {
                let height = |fid: &[Complex64]| Magnitudes::new(fid, dwell_s, f0_mhz).tallest(WATER_PPM);
                record.water_left = Some(height(fid) / height(&reference_fid)).filter(|part| part.is_finite());
                if preparation.has(Step::EddyCurrents) {
                    eddy::correct(fid, &reference_fid);
                    record.eddy_corrected = true;
                }
            } else if preparation.has(Step::EddyCurrents) {
                record.flags.push("eddy_not_corrected");
            }
        }
    }
    Ok(())
}
