//! Philips DATA/LIST: raw complex vectors (`.data`) with a text index (`.list`), coil by coil and transient by transient.
//!
//! Layout: the description that every `.list` begins with ("DATA DESCRIPTION FILE"). Neither file states dwell time,
//! frequency or geometry: these come from the SPAR of the same scan. Samples are conjugated into our convention, as
//! those of SDAT are.

mod error;
mod index;
mod places;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use num_complex::Complex64;

use super::bytes::{Bytes, FileBytes, Order};
use super::error::ReadError;
use super::extent::{Extent, HELD_PER_BYTE};
use super::files::{bytes_of, length_of, needed_of_stem, of_stem};
use super::hints::sequence_hint;
use super::philips_sdat::{self, named_editing_of_file};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{
    Acquisition, Conditions, Editing, Named, Reference, Samples, TRUNCATED, UNTESTED_FORMAT, named_editing,
};
pub use error::DecodeError;
use index::{CHANNEL, CONDITIONS, Coils, Mixes, Transients, common_size, mixes, rejected, scan_name, vectors};
use places::places;

/// Name of the format.
pub const NAME: &str = "Philips DATA/LIST";

/// The format's reader.
#[derive(Debug)]
pub struct PhilipsList;

impl Reader for PhilipsList {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.data` with its `.list`: every transient of every coil, and water",
            companions: "the other file of the pair (needed); the SPAR of the same name",
            facts: "vendor, water suppression; with the SPAR dwell time, f0, nucleus, TE, TR, voxel; the sequence where the scan's name says it",
            limits: "no spectroscopic imaging, mixes beyond the second are left out; flagged `untested_format`",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        // The SDAT of the same scan has it averaged already: one of them is a row.
        if !probe.ends_with(&[".data"]) || probe.has_of_stem("sdat") {
            return Claim::None;
        }
        if probe.has_of_stem("list") { Claim::Own } else { Claim::Shared }
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        (probe.ends_with(&[".list"]) && probe.has_of_stem("data"))
            || (probe.ends_with(&[".data"]) && probe.has_of_stem("sdat"))
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&[".list"]) || (probe.ends_with(&[".data"]) && probe.has_of_stem("list"))
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        ["data", "list", "spar"].iter().filter_map(|e| of_stem(path, e)).filter(|file| file != path).collect()
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let data = bytes_of(&needed_of_stem(path, "data", ".data file with the samples")?)?;
        let list = bytes_of(&needed_of_stem(path, "list", ".list file with their index")?)?;
        let spar = of_stem(path, "spar").map(|spar| bytes_of(&spar)).transpose()?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        decode_named(data.into(), &list, spar.as_deref(), &stem).map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let data = length_of(&needed_of_stem(path, "data", ".data file with the samples")?);
        let list = bytes_of(&needed_of_stem(path, "list", ".list file with their index")?)?;
        let refused = |e: DecodeError| ReadError::content(path, e.code(), e);
        let vectors = vectors(&String::from_utf8_lossy(&list)).map_err(refused)?;
        let points = common_size(&vectors).map_err(refused)? / SAMPLE_BYTES;
        let coils = vectors.iter().map(|v| v.attributes[CHANNEL]).collect::<BTreeSet<_>>().len();
        let conditions =
            vectors.iter().map(|v| CONDITIONS.map(|(k, _)| v.attributes[k])).collect::<BTreeSet<_>>().len();
        // The index is held as text and as places; vectors share their numbers among conditions.
        let whole_bytes = (list.len() as u64).saturating_mul(HELD_PER_BYTE).saturating_add(data);
        let transients = (vectors.len() / coils.max(1)).div_ceil(conditions.max(1));
        Ok(Extent { conditions, transients, coils, points, whole_bytes, ..Extent::at_most(data) })
    }
}

/// Bytes of a complex sample: two floats.
const SAMPLE_BYTES: usize = 8;
/// Decodes a pair of no name, with the SPAR of the same scan if there is one.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(data: impl Into<FileBytes>, list: &[u8], spar: Option<&[u8]>) -> Result<Acquisition, DecodeError> {
    decode_named(data.into(), list, spar, "")
}

/// Decodes a pair, whose files have this stem; the stem may say that the scan is one of spectral editing.
///
/// The second mix is the water reference, as Philips' single-voxel sequences measure it. Echoes and "extra attributes"
/// become conditions: what the latter are depends on the sequence. Transients that are not whole are left out, and the
/// acquisition is flagged.
fn decode_named(
    data: FileBytes,
    list: &[u8],
    spar: Option<&[u8]>,
    file_stem: &str,
) -> Result<Acquisition, DecodeError> {
    let list = String::from_utf8_lossy(list);
    let vectors = vectors(&list)?;
    let size = common_size(&vectors)?;
    let points = size / SAMPLE_BYTES;
    if points == 0 {
        return Err(DecodeError::NoVectors);
    }
    let Mixes { signal, water, n_others, is_whole, n_coils } = mixes(&vectors, size, data.len())?;
    // The transients of each condition, and of each coil where its vector begins.
    let stored = |places: Vec<Vec<Vec<usize>>>, n_transients| {
        stored(data.clone(), [1, places.len(), n_transients, n_coils, points], places)
    };
    let offsets = |coils: &Coils| -> Vec<usize> { coils.values().copied().collect() };
    let scan = scan_name(&list).and_then(sequence_hint);
    let told = [scan, spar.and_then(philips_sdat::named_editing_of)];
    let named = told.into_iter().flatten().find_map(named_editing).or_else(|| named_editing_of_file(file_stem));
    let conditions: Vec<(&[i64; 3], &Transients)> = signal.iter().filter(|(_, t)| !t.is_empty()).collect();
    // Which condition of editing a transient is of follows from its place.
    let mut kept_places = named.map(|_| places(&vectors, &rejected(&list)));
    if let Some(places) = &mut kept_places {
        let last = places.iter().rposition(|place| conditions.iter().any(|(_, t)| t.contains_key(place)));
        places.truncate(last.map_or(0, |last| last + 1));
    }
    let n_transients = match &kept_places {
        Some(places) => places.len(),
        None => conditions.iter().map(|(_, t)| t.len()).min().unwrap_or(0),
    };
    let of_condition = |(_, transients): &(&[i64; 3], &Transients)| -> Vec<Vec<usize>> {
        match &kept_places {
            Some(places) => places.iter().map(|place| transients.get(place).map(offsets).unwrap_or_default()).collect(),
            None => transients.values().map(offsets).collect(),
        }
    };
    let samples = stored(conditions.iter().map(of_condition).collect(), n_transients);
    let mut acquisition = Acquisition::from_samples(NAME, samples);
    if conditions.len() > 1 {
        acquisition.condition_labels = conditions.iter().map(|(key, _)| label(key)).collect();
    }
    let water: Option<Vec<&Coils>> = water.as_ref().map(|mix| mix.values().flat_map(BTreeMap::values).collect());
    acquisition.water = water.map(|coils| {
        Reference::new(stored(vec![coils.iter().map(|coils| offsets(coils)).collect()], coils.len()), "the second mix")
    });
    acquisition.flags.push(UNTESTED_FORMAT);
    set_facts(&mut acquisition, spar)?;
    if let Some(sequence) = scan.filter(|_| acquisition.facts.sequence.is_none()) {
        (acquisition.facts.sequence, acquisition.facts.sequence_from_name) = (Some(sequence.to_owned()), Some(true));
        acquisition.remarks.push(format!("the sequence {sequence} is what the scan's name in the .list says"));
    }
    if let Some(named) = named {
        acquisition = edited(acquisition, named);
    }
    if !is_whole {
        acquisition.flags.push(TRUNCATED);
        acquisition.remarks.push(format!("truncated: {n_transients} transients of each condition are whole"));
    }
    let counts: Vec<usize> = conditions.iter().map(|(_, t)| t.len()).collect();
    acquisition.remarks.extend(said_of_missing(&counts, n_transients, kept_places.is_some()));
    if n_others > 0 {
        acquisition.remarks.push(format!("{n_others} further mixes were not read"));
    }
    Ok(acquisition)
}

/// Samples of vectors, given where each begins: of each condition, transient and coil.
fn stored(data: FileBytes, shape: [usize; 5], places: Vec<Vec<Vec<usize>>>) -> Samples {
    Samples::stored_in_parts(shape, move |[_, condition, transient, coil], points| {
        // A place that no whole transient has holds zeros, which preparation leaves out.
        let Some(first) = places[condition][transient].get(coil) else {
            return vec![Complex64::default(); points.len()];
        };
        let bytes = Bytes::new(&data, Order::Little);
        let mut fid = bytes.complex32s(first + SAMPLE_BYTES * points.start, points.len());
        fid.iter_mut().for_each(|z| *z = z.conj());
        fid
    })
}

/// What is to be said where conditions have `counts` transients and `n_transients` of each are taken.
fn said_of_missing(counts: &[usize], n_transients: usize, keeps_places: bool) -> Option<String> {
    let n_empty: usize = counts.iter().map(|count| n_transients.saturating_sub(*count)).sum();
    if keeps_places && n_empty > 0 {
        return Some(format!(
            "{n_empty} transients were rejected by the scanner or are not whole: their places stay empty, and those of the other \
             conditions that belong to them are left out"
        ));
    }
    let differ = counts.iter().any(|count| *count != n_transients);
    differ.then(|| format!("conditions have different numbers of transients: {n_transients} of each were taken"))
}

/// The same as a measurement of spectral editing. Dynamics and averages then count transients of all conditions, in an order
/// that the index does not state; "extra attributes" and echoes tell conditions apart, where they are as many.
fn edited(mut data: Acquisition, named: Named) -> Acquisition {
    let [voxels, conditions, transients, coils, points] = data.samples.shape();
    let is_mixed = conditions == 1 || named.n_conditions.is_some_and(|n| n > conditions);
    if conditions > 1 && is_mixed {
        let apart = data.samples.clone();
        let shape = [voxels, 1, transients * conditions, coils, points];
        data.samples = Samples::stored_in_parts(shape, move |[voxel, _, transient, coil], points| {
            apart.points([voxel, transient % conditions, transient / conditions, coil], points)
        });
        data.condition_labels = vec![String::new()];
    }
    let mixed = Conditions::Mixed(named.n_conditions);
    data.editing = Some(Editing { conditions: if is_mixed { mixed } else { Conditions::Apart }, ..Editing::default() });
    data
}

/// What is known of the protocol: next to nothing without the SPAR.
fn set_facts(acquisition: &mut Acquisition, spar: Option<&[u8]>) -> Result<(), DecodeError> {
    acquisition.facts.water_suppressed = acquisition.water.as_ref().map(|_| true);
    acquisition.facts.vendor = Some("Philips".to_owned());
    match spar {
        Some(spar) => philips_sdat::set_protocol(acquisition, spar).map_err(DecodeError::Spar)?,
        None => acquisition.remarks.push(
            "no SPAR of the same name beside it: dwell time, frequency and the voxel's place are not known".to_owned(),
        ),
    }
    // The SPAR counts what its own SDAT averages; here every transient is there.
    acquisition.facts.averages_on_scanner = None;
    Ok(())
}

fn label(key: &[i64; 3]) -> String {
    CONDITIONS.iter().zip(key).map(|((_, name), value)| format!("{name}{value}")).collect::<Vec<_>>().join("-")
}
