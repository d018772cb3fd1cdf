//! Siemens twix (`.dat`): raw measurements, coil by coil, of VB (one measurement a file) and of VD, VE and XA (several).
//!
//! Layout: Siemens' IDEA documentation of measurement headers (MDH), as the open readers of twix files have it. Samples
//! are conjugated into our convention; points before and behind the signal (cut-off) are left out.

mod error;
mod protocol;
mod readouts;

use std::collections::BTreeMap;
use std::path::Path;

use ndarray::Array5;
use num_complex::Complex64;
use rayon::prelude::*;

use super::bytes::{Bytes, Order};
use super::error::ReadError;
use super::files::bytes_of;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, TRUNCATED, UNTESTED_FORMAT};
pub use error::DecodeError;
use protocol::protocol;
use readouts::{Readout, Readouts, VB, VD};

/// Name of the format.
pub const NAME: &str = "Siemens twix";

/// Measurements in a file of VD or later.
const MAX_MEASUREMENTS: u32 = 64;
/// Such a file begins with a count of measurements, then has an entry for each.
const RAID_HEADER: usize = 8;
const RAID_ENTRY: usize = 152;
/// Place of a measurement's beginning in its entry.
const RAID_OFFSET: usize = 8;
/// A group of transients is the water reference of the other where it is so many times stronger.
const WATER_TO_METABOLITES: f64 = 5.0;
/// Counters whose values tell conditions apart; all others count transients.
const CONDITIONS: [(usize, &str); 3] = [(4, "echo"), (5, "phase"), (7, "set")];

/// The format's reader.
#[derive(Debug)]
pub struct SiemensTwix;

impl Reader for SiemensTwix {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.dat`, `.twix` of VB, VD, VE and XA: the last measurement, every transient of every coil",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, sequence, vendor, water suppression, voxel",
            limits: "no spectroscopic imaging; real files were at hand of VE, VB and XA are flagged `untested_format`",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        if probe.ends_with(&[".twix"]) {
            Claim::Own
        } else if probe.ends_with(&[".dat"]) {
            Claim::Shared
        } else {
            Claim::None
        }
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        looks_like(probe.head())
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }
}

/// Whether the file may be twix, by its first bytes: VD begins with a count of measurements, VB with the length of its
/// header and the number of its parts.
pub fn looks_like(head: &[u8]) -> bool {
    let bytes = Bytes::new(head, Order::Little);
    match (bytes.u32(0), bytes.u32(4)) {
        (Some(0), Some(n)) => {
            (1..=MAX_MEASUREMENTS).contains(&n) && bytes.u64(16).is_some_and(|at| (8..1 << 20).contains(&at))
        }
        (Some(length), Some(parts)) => {
            (1024..1 << 24).contains(&length) && (1..=16).contains(&parts) && is_name(&head[8..])
        }
        _ => false,
    }
}

/// A part's name: letters, then a zero.
fn is_name(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(0);
    (3..32).contains(&end) && bytes[..end].iter().all(u8::is_ascii_alphanumeric)
}

/// Transients by the counters that tell conditions apart.
type Groups<'a> = BTreeMap<[u16; 3], Vec<&'a Readout>>;

/// Decodes the last measurement of a file (those before it are adjustments). A group of transients that is much
/// stronger than the other becomes the water reference. A file that is cut off gives what is complete, and says so.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let bytes = Bytes::new(file, Order::Little);
    let header = |what| DecodeError::Header { what };
    let (layout, start) = match bytes.u32(0) {
        Some(0) => (&VD, last_measurement(&bytes)?),
        _ => (&VB, 0),
    };
    let length = bytes.u32(start).ok_or(header("cut off"))? as usize;
    let protocol = protocol(&bytes, start).ok_or(header("no protocol"))?;
    let readouts = Readouts::walk(bytes, layout, start.checked_add(length).ok_or(header("its length"))?)?;
    let mut groups = Groups::new();
    for readout in &readouts.all {
        groups.entry(CONDITIONS.map(|(i, _)| readout.counters[i])).or_default().push(readout);
    }
    let mut remarks = Vec::new();
    let water = take_water(&mut groups, &readouts, &mut remarks);
    let transients = groups.values().map(Vec::len).min().unwrap_or(0);
    if groups.values().any(|g| g.len() != transients) {
        remarks.push(format!("conditions have different numbers of transients: {transients} of each were taken"));
    }
    let samples = samples(&groups, transients, &readouts).ok_or(header("its size"))?;
    let mut data = Acquisition::from_samples(NAME, samples);
    if groups.len() > 1 {
        data.condition_labels = groups.keys().map(label).collect();
    }
    data.water = water.map(|water| {
        let shape = (1, 1, water.len(), readouts.coils, readouts.points);
        Array5::from_shape_fn(shape, |(_, _, t, coil, p)| readouts.sample(water[t], coil, p))
    });
    data.facts = protocol.facts();
    if data.water.is_some() {
        data.facts.water_suppressed = Some(true);
    }
    data.affine_mm = protocol.affine();
    if !layout.is_tested || protocol.is_xa {
        data.flags.push(UNTESTED_FORMAT);
    }
    if !readouts.is_complete {
        data.flags.push(TRUNCATED);
        remarks.push(format!(
            "truncated: the file ends before the measurement does; {} transients are whole",
            readouts.all.len()
        ));
    }
    data.remarks = remarks;
    Ok(data)
}

/// Where the last measurement of a file of VD or later begins.
fn last_measurement(bytes: &Bytes<'_>) -> Result<usize, DecodeError> {
    let header = |what| DecodeError::Header { what };
    let n = bytes.u32(4).filter(|n| (1..=MAX_MEASUREMENTS).contains(n)).ok_or(header("no measurements"))?;
    let entry = RAID_HEADER + RAID_ENTRY * (n as usize - 1);
    let offset = bytes.u64(entry + RAID_OFFSET).and_then(|o| usize::try_from(o).ok());
    offset.ok_or(header("its place is not known"))
}

/// Takes out the one of two groups that is much stronger than the other.
fn take_water<'a>(
    groups: &mut Groups<'a>,
    readouts: &Readouts<'_>,
    remarks: &mut Vec<String>,
) -> Option<Vec<&'a Readout>> {
    if groups.len() != 2 {
        return None;
    }
    let strengths = groups.iter().map(|(key, group)| (*key, readouts.strength(group)));
    let strengths: Vec<([u16; 3], f64)> = strengths.collect();
    let (strong, most) = *strengths.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let (_, least) = *strengths.iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let is_water = most > WATER_TO_METABOLITES * least;
    if !is_water {
        return None;
    }
    let water = groups.remove(&strong)?;
    remarks.push(format!(
        "{} of {} transients are {:.0} times stronger than the others and were taken as the water reference",
        water.len(),
        readouts.all.len(),
        most / least
    ));
    Some(water)
}

/// `transients` of each group. Raw data are large: rows side by side.
fn samples(groups: &Groups<'_>, transients: usize, readouts: &Readouts<'_>) -> Option<Array5<Complex64>> {
    let (coils, points) = (readouts.coils, readouts.points);
    let groups: Vec<&Vec<&Readout>> = groups.values().collect();
    let mut rows = vec![Complex64::default(); groups.len() * transients * coils * points];
    rows.par_chunks_mut(points).enumerate().for_each(|(row, fid)| {
        let (coil, transient) = (row % coils, row / coils);
        let readout = groups[transient / transients][transient % transients];
        for (point, z) in fid.iter_mut().enumerate() {
            *z = readouts.sample(readout, coil, point);
        }
    });
    Array5::from_shape_vec((1, groups.len(), transients, coils, points), rows).ok()
}

fn label(key: &[u16; 3]) -> String {
    let parts = CONDITIONS.iter().zip(key).filter(|(_, value)| **value > 0);
    let text: Vec<String> = parts.map(|((_, name), value)| format!("{name}{value}")).collect();
    if text.is_empty() { "set0".to_owned() } else { text.join("-") }
}
