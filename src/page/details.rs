//! What a click shows: one small deflated piece for each row.

use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;
use serde::Serialize;

use super::curves::{Layout, pack};
use super::measures::way;
use super::metabolites::{Metabolites, Value};
use super::numbers::to_digits;
use super::spectra::{Spectra, Spectrum};
use super::voxel::{self, Picture, Pictures};
use crate::report::fits_of_run::OF_CURVES;
use crate::store::{CurveRow, ReadTableError, read_batches};

/// Digits of the numbers in the list of metabolites.
const DIGITS: usize = 4;

/// A row's piece.
#[derive(Debug, Clone, Default)]
pub(super) struct Detail {
    /// Length of the head (4 bytes), head (JSON), curves, the voxel's picture; deflated.
    pub(super) bytes: Vec<u8>,
    pub(super) has_curves: bool,
    pub(super) thumb: Vec<u8>,
}

#[derive(Serialize)]
struct Head<'a> {
    facts: Vec<(&'static str, String)>,
    warnings: &'a [String],
    message: Option<&'a String>,
    /// Number of the name, ratio, its standard deviation, concentration, its standard deviation, Cramér–Rao bound (%).
    metabolites: Vec<(u16, [Option<f64>; 5])>,
    curves: Option<&'a Layout>,
    voxel: Option<&'a voxel::Head>,
}

/// Packs what the tables tell of each row.
pub(super) fn read(
    results: &Path,
    spectra: &Spectra,
    found: &Metabolites,
    pictures: &Pictures,
) -> Result<Vec<Detail>, ReadTableError> {
    let way = way(found).map(|(way, _)| way);
    let of = |row: usize, curve: Option<&CurveRow>| {
        let about =
            About { spectrum: &spectra.rows[row], values: found.of_row.get(row), picture: pictures.of_row.get(&row) };
        about.detail(found, way, curve)
    };
    let mut all: Vec<Detail> = (0..spectra.rows.len()).into_par_iter().map(|row| of(row, None)).collect();
    read_batches::<CurveRow>(results, &OF_CURVES, |batch| {
        let made: Vec<(usize, Detail)> = batch
            .into_par_iter()
            .filter_map(|curve| {
                let row = *spectra.place.get(&(curve.spectrum_id.clone(), curve.method.clone()))?;
                Some((row, of(row, Some(&curve.unpacked()))))
            })
            .collect();
        for (row, detail) in made {
            all[row] = detail;
        }
    })?;
    Ok(all)
}

/// What there is of a row, its curves aside.
struct About<'a> {
    spectrum: &'a Spectrum,
    values: Option<&'a Vec<Value>>,
    picture: Option<&'a Picture>,
}

impl About<'_> {
    fn detail(&self, found: &Metabolites, way: Option<usize>, curve: Option<&CurveRow>) -> Detail {
        let Self { spectrum, values, picture } = *self;
        let packed = curve.and_then(|curve| pack(curve, found));
        let told = |value: &&Value| found.is_metabolite(value.name);
        let metabolites = values.into_iter().flatten().filter(told).map(|value| {
            let [conc, conc_sd] = way.map_or([f64::NAN; 2], |way| value.concentrations[way]);
            let [ratio, ratio_sd] = value.ratio;
            (value.name, [ratio, ratio_sd, conc, conc_sd, value.crlb_percent].map(|v| to_digits(v, DIGITS)))
        });
        let head = Head {
            facts: spectrum.facts(),
            warnings: &spectrum.row.warnings,
            message: spectrum.row.error_message.as_ref(),
            metabolites: metabolites.collect(),
            curves: packed.as_ref().map(|packed| &packed.layout),
            voxel: picture.map(|picture| &picture.head),
        };
        let head = serde_json::to_vec(&head).unwrap_or_default();
        let mut bytes = u32::try_from(head.len()).unwrap_or(0).to_le_bytes().to_vec();
        bytes.extend(head);
        let has_curves = packed.is_some();
        let thumb = packed.map_or_else(Vec::new, |packed| {
            bytes.extend(packed.bytes);
            packed.thumb
        });
        bytes.extend(picture.into_iter().flat_map(|picture| &picture.bytes));
        Detail { bytes: deflated(&bytes), has_curves, thumb }
    }
}

/// Writing to memory cannot fail.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
