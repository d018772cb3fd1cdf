//! One voxel and condition on its way from stored samples to an averaged, corrected spectrum.

use std::borrow::Cow;

use num_complex::Complex64;

use super::broken::{self, Usable};
use super::coils::Weights;
use super::coils_of_water::{self, CoilWeights};
use super::dynamics::Part;
use super::error::{check_finite, check_header, check_reference, check_samples, not_finite};
use super::figures;
use super::reject::REJECTED_ONE_IN;
use super::settings::{Preparation, Settings, Step};
use super::water::conditions::WaterCondition;
use super::water::voxels::WaterVoxels;
use super::{
    PrepareError, Record, Spectrum, align, average, edit_combined, edit_unstated, reject, residual_water, water,
    water_readouts,
};
use crate::acquisition::{Acquisition, Series};
use crate::signal::magnitudes::Magnitudes;
use crate::signal::noise::used_length;

/// The transients of one voxel and condition, coils combined, aligned to one another.
pub(super) struct Aligned<'a> {
    preparation: &'a Preparation,
    data: Cow<'a, Acquisition>,
    water: Option<Cow<'a, Acquisition>>,
    voxel: usize,
    condition: usize,
    transients: Vec<Vec<Complex64>>,
    /// The same without water, where that was taken away to look at them, and their places among all. Of edited data alone.
    without_water: Option<(Vec<usize>, Vec<Vec<Complex64>>)>,
    weights: Option<CoilWeights>,
    dwell_s: f64,
    f0_mhz: f64,
    pub(super) record: Record,
}

impl<'a> Aligned<'a> {
    pub(super) fn new(
        preparation: &'a Preparation,
        data: &'a Acquisition,
        water: Option<&'a Acquisition>,
        voxel: usize,
        condition: usize,
    ) -> Result<Self, PrepareError> {
        let (dwell_s, f0_mhz) = check_header(data)?;
        water.map_or(Ok(()), check_reference)?;
        let mut record = Record { n_transients: data.n_transients(), n_coils: data.n_coils(), ..Record::default() };
        check_prepared(preparation, &record)?;
        broken::check_parts(data.series(voxel, condition))?;
        let (mut data, mut water) = (Cow::Borrowed(data), water.map(Cow::Borrowed));
        let mut usable = None;
        let gathered = gather(preparation, &data, water.as_deref(), voxel, condition, &mut record);
        let (weights, mut transients) = match gathered {
            Ok(gathered) => gathered,
            Err(error) => {
                let found = usable_of(&data, water.as_deref(), voxel, condition).ok_or(error)?;
                (data, water) = (Cow::Owned(found.data), found.water.map(Cow::Owned));
                found.usable.flag(&mut record);
                usable = Some(found.usable);
                gather(preparation, &data, water.as_deref(), voxel, condition, &mut record)?
            }
        };
        if weights.as_ref().is_some_and(CoilWeights::is_contradicted) {
            record.flags.push("coil_weights_contradicted");
        }
        let is_rejecting = preparation.has(Step::Reject) && data.n_voxels() == 1;
        let metabolites = is_rejecting.then(|| water_readouts::others(&transients, dwell_s, f0_mhz)).flatten();
        if let Some(numbers) = metabolites {
            transients = numbers.iter().map(|number| std::mem::take(&mut transients[*number])).collect();
            usable = Some(without_water_readouts(usable, &numbers, &mut record));
        }
        let asks = data.n_conditions() == 1 && data.n_voxels() == 1 && data.editing.is_none();
        let is_combined = asks && !edit_combined::combined(&transients, dwell_s, f0_mhz).is_empty();
        if transients.len() > 1 {
            record.snr_before = Magnitudes::new(&average::mean(&transients), dwell_s, f0_mhz).snr();
        }
        record.kept = vec![true; transients.len()];
        let mut without_water = None;
        if let Some(settings) = preparation.settings() {
            let settled = settle(settings, &mut transients, dwell_s, f0_mhz, &mut record);
            let looked_at = settled.as_ref().unwrap_or(&transients);
            let places = usable.as_ref().map(Usable::transients);
            if asks && (is_combined || edit_unstated::differ_in_turn(looked_at, places, dwell_s, f0_mhz)) {
                record.flags.push("transients_differ_in_turn");
            }
            let places = places.map_or_else(|| (0..transients.len()).collect(), <[usize]>::to_vec);
            without_water = settled.filter(|_| data.n_conditions() > 1).map(|without| (places, without));
        }
        if let Some(usable) = usable {
            transients = usable.put_back(transients, &mut record);
        }
        Ok(Self {
            preparation,
            data,
            water,
            voxel,
            condition,
            transients,
            without_water,
            weights,
            dwell_s,
            f0_mhz,
            record,
        })
    }

    /// The transients that are kept, aligned to one another, without water where it towers over the metabolites.
    pub(super) fn looked_at(&self) -> Vec<&[Complex64]> {
        let is_kept = |place: usize| self.record.kept.get(place).copied().unwrap_or(true);
        match &self.without_water {
            Some((places, without)) => {
                places.iter().zip(without).filter(|(p, _)| is_kept(**p)).map(|(_, fid)| fid.as_slice()).collect()
            }
            None => {
                let all = self.transients.iter().enumerate();
                all.filter(|(place, _)| is_kept(*place)).map(|(_, fid)| fid.as_slice()).collect()
            }
        }
    }

    /// The mean of what is kept of a part, or of all, corrected and scaled by the water reference.
    pub(super) fn average(&self, part: Option<&Part>) -> Result<Spectrum, PrepareError> {
        let Self { preparation, ref data, voxel, condition, ref transients, ref weights, dwell_s, f0_mhz, .. } = *self;
        let mut record = self.record.clone();
        let numbers: Vec<usize> = part.map_or_else(|| (0..transients.len()).collect(), |part| part.transients.clone());
        let is_kept = |t: &usize| self.record.kept.get(*t).copied().unwrap_or(true);
        if let Some(part) = part {
            record.n_transients = numbers.len();
            record.kept = numbers.iter().map(is_kept).collect();
            let of_part = |all: &Vec<_>| numbers.iter().filter_map(|t| all.get(*t).copied()).collect();
            record.offsets = self.record.offsets.as_ref().map(of_part);
            record.part = Some(part.clone());
        }
        let kept: Vec<&[Complex64]> =
            numbers.iter().filter(|t| is_kept(t)).filter_map(|t| transients.get(*t).map(Vec::as_slice)).collect();
        record.n_kept = kept.len();
        if record.n_kept < record.n_transients - record.n_transients / REJECTED_ONE_IN {
            record.flags.push("many_transients_rejected");
        }
        record.motion = record.offsets.as_ref().and_then(|offsets| figures::motion(offsets, &record.kept));
        let mut fid = average::mean(&kept);
        check_samples(&fid)?;
        if let Some(reference) = self.water.as_deref() {
            if reference.n_coils() == data.n_coils() {
                let scan = water::Scan { preparation, data, voxel, condition, dwell_s };
                water::apply(&mut fid, &scan, reference, weights.as_ref().map(CoilWeights::of_water), &mut record)?;
            } else {
                record.flags.push("water_reference_coils");
            }
        }
        fid.truncate(used_length(&fid));
        Ok(Spectrum { fid, dwell_s, f0_mhz, record })
    }
}

/// An error where nothing is to be prepared and there is more than one FID.
fn check_prepared(preparation: &Preparation, record: &Record) -> Result<(), PrepareError> {
    let (n_coils, n_transients) = (record.n_coils, record.n_transients);
    if preparation == &Preparation::None && n_coils.max(n_transients) > 1 {
        return Err(PrepareError::NotPrepared { n_coils, n_transients });
    }
    Ok(())
}

/// Transients with their coils combined, and by which weights; an error where one of them holds no numbers, or zeros alone
/// among others that do not.
fn gather(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
    condition: usize,
    record: &mut Record,
) -> Result<(Option<CoilWeights>, Vec<Vec<Complex64>>), PrepareError> {
    let weights = combine(preparation, data, water, voxel, condition, record)?;
    let transients = average::transients(data, voxel, condition, weights.as_ref().map(|weights| &weights.data));
    if transients.iter().any(|fid| check_finite(fid).is_err()) {
        let n_coils = data.n_coils();
        return Err(not_finite(data.series(voxel, condition)).unwrap_or(PrepareError::Coils { n_coils }));
    }
    let n_empty = transients.iter().filter(|fid| broken::is_empty(fid)).count();
    if n_empty > 0 && n_empty < transients.len() {
        return Err(PrepareError::NoSignal { points: 0 });
    }
    Ok((weights, transients))
}

/// All transients of a voxel and condition that hold numbers, coils combined, with their places among the stored ones.
pub(super) fn whole_transients(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
    condition: usize,
) -> Result<(Vec<usize>, Vec<Vec<Complex64>>), PrepareError> {
    let mut record = Record::default();
    match gather(preparation, data, water, voxel, condition, &mut record) {
        Ok((_, transients)) => Ok(((0..transients.len()).collect(), transients)),
        Err(error) => {
            let found = usable_of(data, water, voxel, condition).ok_or(error)?;
            let (_, transients) =
                gather(preparation, &found.data, found.water.as_ref(), voxel, condition, &mut record)?;
            Ok((found.usable.transients().to_vec(), transients))
        }
    }
}

/// What a water reference holds of a voxel and condition of the data; `None` where it is of other voxels.
fn series_of_water<'a>(
    data: &Acquisition,
    water: &'a Acquisition,
    voxel: usize,
    condition: usize,
) -> Option<Series<'a>> {
    let voxel = WaterVoxels::of(data, water).ok()?.voxel(voxel);
    Some(water.series(voxel, WaterCondition::of(data, condition, water).number))
}

/// A measurement and its water reference without what is broken of them.
struct Found {
    usable: Usable,
    data: Acquisition,
    water: Option<Acquisition>,
}

/// What of a measurement can be used without the readouts of water among what could be used before: with the transients of
/// these `numbers` alone.
fn without_water_readouts(usable: Option<Usable>, numbers: &[usize], record: &mut Record) -> Usable {
    record.flags.push("water_among_transients");
    usable.unwrap_or_else(|| Usable::all(record.n_transients, record.n_coils)).of_these(numbers)
}

/// `None` where nothing is broken, or everything.
fn usable_of(data: &Acquisition, water: Option<&Acquisition>, voxel: usize, condition: usize) -> Option<Found> {
    let of_water = water.and_then(|water| series_of_water(data, water, voxel, condition));
    let usable = Usable::new(data.series(voxel, condition), of_water)?;
    let water_usable = of_water.map(|series| usable.of_water(series));
    if usable.is_all() && water_usable.as_ref().is_none_or(Usable::is_all) {
        return None;
    }
    let kept_water = match (water, &water_usable) {
        (Some(water), Some(usable)) => Some(usable.of_data(water)),
        (water, _) => water.cloned(),
    };
    Some(Found { data: usable.of_data(data), water: kept_water, usable })
}

/// Aligns transients and finds those to leave out, in the settings' order; the transients without water, where that was
/// taken away for it.
fn settle(
    settings: &Settings,
    transients: &mut [Vec<Complex64>],
    dwell_s: f64,
    f0_mhz: f64,
    record: &mut Record,
) -> Option<Vec<Vec<Complex64>>> {
    let [low, high] = settings.align_band_ppm;
    let mut without_water = None;
    if settings.steps.iter().any(|step| matches!(step, Step::Align | Step::Reject)) {
        without_water = residual_water::without_water(transients, dwell_s, f0_mhz);
    }
    for step in &settings.steps {
        match step {
            Step::Align => {
                let looked_at = without_water.as_deref_mut().unwrap_or(transients);
                record.offsets = align::align(looked_at, dwell_s, f0_mhz, Some((low, high)));
                if let (Some(_), Some(offsets)) = (&without_water, &record.offsets) {
                    transients
                        .iter_mut()
                        .zip(offsets)
                        .for_each(|(fid, offset)| align::undo_offset(fid, offset, dwell_s));
                }
                if transients.len() > 1 && record.offsets.is_none() {
                    record.flags.push("transients_not_aligned");
                }
            }
            Step::Reject => {
                let looked_at = without_water.as_deref().unwrap_or(transients);
                record.kept = reject::kept(looked_at, dwell_s, f0_mhz, settings.reject_beyond_sd);
            }
            Step::EddyCurrents | Step::ResidualWater => {}
        }
    }
    without_water
}

/// Weights of the coils, from the water reference where it has the same coils and fits the data.
fn combine(
    preparation: &Preparation,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxel: usize,
    condition: usize,
    record: &mut Record,
) -> Result<Option<CoilWeights>, PrepareError> {
    let n_coils = data.n_coils();
    if n_coils == 1 {
        return Ok(None);
    }
    let own = data.series(voxel, condition);
    let method = preparation.settings().map(|s| s.coils).unwrap_or_default();
    let of_water = water.filter(|water| water.n_coils() == n_coils);
    let weights = match of_water.and_then(|water| series_of_water(data, water, voxel, condition)) {
        Some(of_water) => coils_of_water::weights(method, of_water, own, &data.facts),
        None => Weights::new(method, own, own).map(CoilWeights::from),
    };
    let weights = weights.ok_or_else(|| not_finite(own).unwrap_or(PrepareError::Coils { n_coils }))?;
    record.coil_quality = Some(weights.data.quality);
    Ok(Some(weights))
}
