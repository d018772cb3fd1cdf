//! The numbers of the glossary, from the constants that decide.

use super::load::MAX_POINTS;
use super::measured::GAIN_DIFFERS;
use super::water_match::{FREQUENCY_DIFFERS, LEAST_SHARED, TIMES_DIFFER, VOLUME_DIFFERS, VOXEL_APART};
use crate::acquisition::Facts;
use crate::basis::check::FIELD_REFUSES;
use crate::formats::MAX_FILE_BYTES;
use crate::prepare::{LIPIDS, UNSUPPRESSED, align, edit, error, reject, water};
use crate::quality::glossary::Thresholds;
use crate::signal::{noise, water_removal};

/// What the glossary says of this version.
pub fn thresholds() -> Thresholds {
    Thresholds {
        min_points: error::MIN_POINTS,
        max_points: MAX_POINTS,
        header_bounds: Facts::NUMBERS.iter().map(|number| (number.name, number.least, number.most)).collect(),
        basis_field: FIELD_REFUSES,
        max_file_bytes: MAX_FILE_BYTES,
        rejected_one_in: reject::REJECTED_ONE_IN,
        aligned_from: align::DETECTED,
        conditions_apart_hz: edit::MAX_APART_HZ,
        water_over_data: water::TALLER,
        unsuppressed: UNSUPPRESSED,
        water_dwell: water::SAME_DWELL,
        noise_falls: (noise::APART_SD, noise::STEADY),
        water_over_metabolites: water_removal::TOWERS,
        reference_over_metabolites: water::LEAST_OVER_METABOLITES,
        water_misfit: water::MISFIT,
        water_unlike: water::UNLIKE,
        times_differ: TIMES_DIFFER,
        water_f0: FREQUENCY_DIFFERS,
        water_voxel: (VOXEL_APART, VOLUME_DIFFERS, LEAST_SHARED),
        gain_differs: GAIN_DIFFERS,
        lipids: LIPIDS,
    }
}
