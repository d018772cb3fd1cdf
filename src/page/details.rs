//! What a click shows: one small deflated piece for each row.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use rayon::prelude::*;
use serde::Serialize;

use super::budget::Dealer;
use super::curves::{Layout, pack};
use super::error::PageError;
use super::files::Beside;
use super::measures::way;
use super::metabolites::{Metabolites, Value};
use super::numbers::to_digits;
use super::spectra::{Spectra, Spectrum};
use super::voxel::{self, Picture, Pictures};
use crate::report::fits_of_run::OF_CURVES;
use crate::store::{CurveRow, read_batches};

/// Digits of the numbers in the list of metabolites.
const DIGITS: usize = 4;
/// Pieces without curves that are made together.
const AT_ONCE: usize = 1024;

/// A row's piece.
#[derive(Debug)]
struct Detail {
    /// Length of the head (4 bytes), head (JSON), curves, the voxel's picture; deflated.
    bytes: Vec<u8>,
    /// The small picture of its curves.
    thumb: Option<Vec<u8>>,
}

/// What became of the pieces.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// Pieces of the page (base64), by row.
    pub(super) inside: BTreeMap<usize, String>,
    /// Rows of each file beside the page.
    pub(super) outside: Vec<Vec<usize>>,
    /// Small pictures by row, of those with curves.
    pub(super) thumbs: BTreeMap<usize, Vec<u8>>,
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

/// Packs what the tables tell of each row, and gives to `beside` what the page has no room for.
pub(super) fn write(
    results: &Path,
    beside: &mut Beside,
    spectra: &Spectra,
    found: &Metabolites,
    pictures: &Pictures,
) -> Result<Details, PageError> {
    let way = way(found).map(|(way, _)| way);
    let of = |row: usize, curve: Option<&CurveRow>| {
        let about =
            About { spectrum: &spectra.rows[row], values: found.of_row.get(row), picture: pictures.of_row.get(&row) };
        (row, about.detail(found, way, curve))
    };
    let (mut dealer, mut thumbs) = (Dealer::new(spectra), BTreeMap::new());
    let mut is_made = vec![false; spectra.rows.len()];
    let mut deal = |made: Vec<(usize, Detail)>, is_made: &mut Vec<bool>| -> Result<(), PageError> {
        for (row, Detail { bytes, thumb }) in made {
            if !std::mem::replace(&mut is_made[row], true) {
                thumbs.extend(thumb.map(|thumb| (row, thumb)));
                dealer.add(row, bytes, beside)?;
            }
        }
        Ok(())
    };
    let mut dealt = Ok(());
    read_batches::<CurveRow>(results, &OF_CURVES, |batch| {
        let place = |curve: &CurveRow| spectra.place.get(&(curve.spectrum_id.clone(), curve.method.clone())).copied();
        let made = batch.into_par_iter().filter_map(|curve| Some(of(place(&curve)?, Some(&curve.unpacked()))));
        if dealt.is_ok() {
            dealt = deal(made.collect(), &mut is_made);
        }
    })?;
    dealt?;
    let without: Vec<usize> = (0..is_made.len()).filter(|row| !is_made[*row]).collect();
    for rows in without.chunks(AT_ONCE) {
        deal(rows.par_iter().map(|row| of(*row, None)).collect(), &mut is_made)?;
    }
    Ok(Details { inside: dealer.inside(), outside: beside.end()?, thumbs })
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
            let [conc, conc_sd] = way.map_or([f32::NAN; 2], |way| value.concentrations[way]);
            let [ratio, ratio_sd] = value.ratio;
            (value.name, [ratio, ratio_sd, conc, conc_sd, value.crlb_percent].map(|v| to_digits(v.into(), DIGITS)))
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
        let thumb = packed.map(|packed| {
            bytes.extend(packed.bytes);
            packed.thumb
        });
        bytes.extend(picture.into_iter().flat_map(|picture| &picture.bytes));
        Detail { bytes: deflated(&bytes), thumb }
    }
}

/// Writing to memory cannot fail.
fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
