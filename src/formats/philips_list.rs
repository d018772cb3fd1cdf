//! Philips DATA/LIST: raw complex vectors (`.data`) with a text index (`.list`), coil by coil and transient by transient.
//!
//! Layout: the description that every `.list` begins with ("DATA DESCRIPTION FILE"). Neither file states dwell time,
//! frequency or geometry: these come from the SPAR of the same scan. Samples are conjugated into our convention, as
//! those of SDAT are.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::bytes::{Bytes, FileBytes, Order};
use super::error::ReadError;
use super::extent::{Extent, HELD_PER_BYTE};
use super::files::{bytes_of, length_of, needed_of_stem, of_stem};
use super::philips_sdat;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Reference, Samples, TRUNCATED, UNTESTED_FORMAT};

/// Name of the format.
pub const NAME: &str = "Philips DATA/LIST";

/// Why a pair could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// No vector that holds signal.
    #[error("the .list indexes no standard vector (STD); is it a preparation scan, or cut off?")]
    NoVectors,
    /// An index line that cannot be read.
    #[error("line {line} of the .list is no index of a vector; export the pair again")]
    Line {
        /// Line, counted from 1.
        line: usize,
    },
    /// Vectors of different lengths.
    #[error("vectors of {first} and of {other} bytes in one .list: it is no single-voxel spectroscopy")]
    Sizes {
        /// Of the first.
        first: usize,
        /// Of another.
        other: usize,
    },
    /// Phase encoding or several locations.
    #[error("spectroscopic imaging is not read from DATA/LIST; export it as SDAT/SPAR or convert it")]
    Imaging,
    /// Vectors that lie upon one another.
    #[error("the .list announces {needed} bytes of vectors where the .data holds {got}; they do not belong together")]
    Overlap {
        /// Bytes of the `.data`.
        got: usize,
        /// Bytes announced.
        needed: usize,
    },
    /// Not one transient is whole.
    #[error("the .data holds {got} bytes and no complete transient; it is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
    },
    /// The SPAR.
    #[error("the SPAR beside it: {0}")]
    Spar(philips_sdat::DecodeError),
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoVectors => "no_signal",
            Self::Line { .. } | Self::Overlap { .. } => "bad_header",
            Self::Sizes { .. } | Self::Imaging => "unsupported",
            Self::Truncated { .. } => "truncated",
            Self::Spar(error) => error.code(),
        }
    }
}

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
            facts: "vendor, water suppression; with the SPAR dwell time, f0, nucleus, TE, TR, voxel",
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
        decode(data, &list, spar.as_deref()).map_err(|e| ReadError::content(path, e.code(), e))
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
/// Numbers behind the type of a vector: mix, dyn, card, echo, loca, chan, extr1, extr2, kx, ky, kz, aver, sign, rf,
/// grad, enc, rtop, rr, size, offset.
const COLUMNS: usize = 20;
const LOCATION: usize = 4;
const CHANNEL: usize = 5;
const K_SPACE: std::ops::Range<usize> = 8..11;
/// Attributes whose values tell conditions apart.
const CONDITIONS: [(usize, &str); 3] = [(3, "echo"), (6, "extr1-"), (7, "extr2-")];
/// Attributes that count transients: dynamic, cardiac phase, average, echoes within a train.
const TRANSIENTS: [usize; 5] = [1, 2, 11, 13, 14];

/// Where the vectors of one transient lie, by channel.
type Coils = BTreeMap<i64, usize>;
/// The transients of one condition.
type Transients = BTreeMap<[i64; 5], Coils>;

/// One line of the index.
struct Vector {
    attributes: [i64; COLUMNS],
    size: usize,
    offset: usize,
}

/// The vectors that hold signal; noise, corrections, navigators and rejected ones are left out.
fn vectors(list: &str) -> Result<Vec<Vector>, DecodeError> {
    let lines = list.lines().enumerate();
    let mut vectors = Vec::new();
    for (index, line) in lines {
        let Some(rest) = line.trim_start().strip_prefix("STD ") else { continue };
        let fault = DecodeError::Line { line: index + 1 };
        let mut attributes = [0; COLUMNS];
        let mut words = rest.split_whitespace();
        for value in &mut attributes {
            *value = words.next().and_then(|w| w.parse().ok()).ok_or(fault.clone())?;
        }
        let place = |k: usize| usize::try_from(attributes[k]).map_err(|_| fault.clone());
        let (size, offset) = (place(COLUMNS - 2)?, place(COLUMNS - 1)?);
        vectors.push(Vector { attributes, size, offset });
    }
    Ok(vectors)
}

/// Decodes a pair, with the SPAR of the same scan if there is one.
///
/// The second mix is the water reference, as Philips' single-voxel sequences measure it. Echoes and "extra attributes"
/// become conditions: what the latter are depends on the sequence. Transients that are not whole are left out, and the
/// acquisition is flagged.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(data: impl Into<FileBytes>, list: &[u8], spar: Option<&[u8]>) -> Result<Acquisition, DecodeError> {
    let data = data.into();
    let vectors = vectors(&String::from_utf8_lossy(list))?;
    let size = common_size(&vectors)?;
    let points = size / SAMPLE_BYTES;
    if points == 0 {
        return Err(DecodeError::NoVectors);
    }
    let Mixes { signal, water, n_others, is_whole, n_coils } = mixes(&vectors, size, data.len())?;
    // The transients of each condition, and of each coil where its vector begins.
    let stored = |places: Vec<Vec<Vec<usize>>>, n_transients: usize| {
        let data = data.clone();
        Samples::stored([1, places.len(), n_transients, n_coils, points], move |[_, condition, transient, coil]| {
            let (bytes, first) = (Bytes::new(&data, Order::Little), places[condition][transient][coil]);
            let sample = |point: usize| bytes.complex32(first + SAMPLE_BYTES * point).unwrap_or_default().conj();
            (0..points).map(sample).collect()
        })
    };
    let places = |coils: &&Coils| coils.values().copied().collect();
    let conditions: Vec<(&[i64; 3], Vec<&Coils>)> =
        signal.iter().filter(|(_, t)| !t.is_empty()).map(|(key, t)| (key, t.values().collect())).collect();
    let n_transients = conditions.iter().map(|(_, t)| t.len()).min().unwrap_or(0);
    let of_condition = |(_, transients): &(&[i64; 3], Vec<&Coils>)| transients.iter().map(places).collect();
    let samples = stored(conditions.iter().map(of_condition).collect(), n_transients);
    let mut acquisition = Acquisition::from_samples(NAME, samples);
    if conditions.len() > 1 {
        acquisition.condition_labels = conditions.iter().map(|(key, _)| label(key)).collect();
    }
    let water: Option<Vec<&Coils>> = water.as_ref().map(|mix| mix.values().flat_map(BTreeMap::values).collect());
    acquisition.water = water
        .map(|coils| Reference::new(stored(vec![coils.iter().map(places).collect()], coils.len()), "the second mix"));
    acquisition.flags.push(UNTESTED_FORMAT);
    set_facts(&mut acquisition, spar)?;
    if !is_whole {
        acquisition.flags.push(TRUNCATED);
        acquisition.remarks.push(format!("truncated: {n_transients} transients of each condition are whole"));
    }
    if conditions.iter().any(|(_, t)| t.len() != n_transients) {
        acquisition
            .remarks
            .push(format!("conditions have different numbers of transients: {n_transients} of each were taken"));
    }
    if n_others > 0 {
        acquisition.remarks.push(format!("{n_others} further mixes were not read"));
    }
    Ok(acquisition)
}

/// The bytes of every vector, which are as many for all.
fn common_size(vectors: &[Vector]) -> Result<usize, DecodeError> {
    let size = vectors.first().ok_or(DecodeError::NoVectors)?.size;
    if let Some(other) = vectors.iter().find(|v| v.size != size) {
        return Err(DecodeError::Sizes { first: size, other: other.size });
    }
    let is_encoded = |v: &Vector| v.attributes[K_SPACE].iter().any(|k| *k != 0) || v.attributes[LOCATION] != 0;
    if vectors.iter().any(is_encoded) {
        return Err(DecodeError::Imaging);
    }
    Ok(size)
}

/// The conditions of a mix.
type Mix = BTreeMap<[i64; 3], Transients>;

/// What the index lists and the data hold.
struct Mixes {
    signal: Mix,
    water: Option<Mix>,
    /// Number of mixes beyond the second.
    n_others: usize,
    /// Whether all that is listed is there.
    is_whole: bool,
    n_coils: usize,
}

/// Sorts the vectors that lie inside the data of `length` bytes; transients that lack a coil are left out.
fn mixes(vectors: &[Vector], size: usize, length: usize) -> Result<Mixes, DecodeError> {
    let inside: Vec<&Vector> =
        vectors.iter().filter(|v| v.offset.checked_add(size).is_some_and(|end| end <= length)).collect();
    // Or a few lines could ask for the same bytes over and over.
    let places: BTreeSet<usize> = inside.iter().map(|v| v.offset).collect();
    let needed = inside.len().saturating_mul(size);
    if places.len() < inside.len() || needed > length {
        return Err(DecodeError::Overlap { got: length, needed });
    }
    let channels: BTreeSet<i64> = vectors.iter().map(|v| v.attributes[CHANNEL]).collect();
    let n_coils = channels.len();
    let mut mixes: BTreeMap<i64, Mix> = BTreeMap::new();
    for vector in &inside {
        let a = &vector.attributes;
        let condition = CONDITIONS.map(|(k, _)| a[k]);
        let transients = mixes.entry(a[0]).or_default().entry(condition).or_default();
        transients.entry(TRANSIENTS.map(|k| a[k])).or_default().insert(a[CHANNEL], vector.offset);
    }
    let mut is_whole = inside.len() == vectors.len();
    for transients in mixes.values_mut().flat_map(BTreeMap::values_mut) {
        let before = transients.len();
        transients.retain(|_, coils| coils.len() == n_coils);
        is_whole &= transients.len() == before;
    }
    let mut mixes = mixes.into_values().filter(|mix| mix.values().any(|t| !t.is_empty()));
    let signal = mixes.next().ok_or(DecodeError::Truncated { got: length })?;
    let water = mixes.next();
    Ok(Mixes { signal, water, n_others: mixes.count(), is_whole, n_coils })
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
