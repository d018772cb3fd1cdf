//! Siemens twix (`.dat`): raw measurements, coil by coil, of VB (one measurement a file) and of VD, VE and XA (several).
//!
//! Layout: Siemens' IDEA documentation of measurement headers (MDH), as the open readers of twix files have it. Samples
//! are conjugated into our convention; points before and behind the signal (cut-off) are left out.

mod error;
mod protocol;
mod readouts;

use std::collections::BTreeMap;
use std::path::Path;

use super::bytes::{Bytes, FileBytes, Order};
use super::error::ReadError;
use super::extent::Extent;
use super::files::{bytes_at, bytes_of, length_of};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Reference, Samples, TRUNCATED, UNTESTED_FORMAT};
pub use error::DecodeError;
use protocol::protocol;
use readouts::{Layout, Readout, Readouts, VB, VD, points_and_coils};

/// Name of the format.
pub const NAME: &str = "Siemens twix";

/// Measurements in a file of VD or later.
const MAX_MEASUREMENTS: u32 = 64;
/// Such a file begins with a count of measurements, then has an entry for each.
const RAID_HEADER: usize = 8;
const RAID_ENTRY: usize = 152;
/// The entries of all measurements lie within (bytes).
const RAID_BYTES: u64 = (RAID_HEADER + RAID_ENTRY * MAX_MEASUREMENTS as usize) as u64;
/// No readout's header is longer (bytes).
const READOUT_HEADER: u64 = 256;
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
        decode(bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let io = |source| ReadError::Io { path: path.to_owned(), source };
        let length = length_of(path);
        let whole = Extent { whole_bytes: length, ..Extent::at_most(length) };
        // Of the first readout; that of an adjustment may have fewer coils, which makes the bound larger.
        let head = bytes_at(path, 0, RAID_BYTES).map_err(io)?;
        let Ok((layout, start)) = measurement(&Bytes::new(&head, Order::Little)) else { return Ok(whole) };
        let word = bytes_at(path, start as u64, 4).map_err(io)?;
        let at = Bytes::new(&word, Order::Little).u32(0).map_or(u64::MAX, u64::from).saturating_add(start as u64);
        let first = bytes_at(path, at, READOUT_HEADER).map_err(io)?;
        let size = points_and_coils(Bytes::new(&first, Order::Little), layout, 0);
        let Some((points, coils)) = size.filter(|(points, coils)| *points > 0 && *coils > 0) else { return Ok(whole) };
        let transients = (length / 8) as usize / (points * coils);
        Ok(Extent { transients, coils, points, ..whole })
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
type Groups = BTreeMap<[u16; 3], Vec<Readout>>;

/// Decodes the last measurement of a file (those before it are adjustments). A group of transients that is much
/// stronger than the other becomes the water reference. A file that is cut off gives what is complete, and says so.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(file: impl Into<FileBytes>) -> Result<Acquisition, DecodeError> {
    let file = file.into();
    let bytes = Bytes::new(&file, Order::Little);
    let header = |what| DecodeError::Header { what };
    let (layout, start) = measurement(&bytes)?;
    let length = bytes.u32(start).ok_or(header("cut off"))? as usize;
    let protocol = protocol(&bytes, start).ok_or(header("no protocol"))?;
    let readouts = Readouts::walk(file.clone(), layout, start.checked_add(length).ok_or(header("its length"))?)?;
    let mut groups = Groups::new();
    for readout in &readouts.all {
        groups.entry(CONDITIONS.map(|(i, _)| readout.counters[i])).or_default().push(*readout);
    }
    let mut remarks = Vec::new();
    let water = take_water(&mut groups, &readouts, &mut remarks);
    let transients = groups.values().map(Vec::len).min().unwrap_or(0);
    if groups.values().any(|g| g.len() != transients) {
        remarks.push(format!("conditions have different numbers of transients: {transients} of each were taken"));
    }
    let all = groups.values().cloned().collect();
    let mut data = Acquisition::from_samples(NAME, samples(all, transients, &readouts));
    if groups.len() > 1 {
        data.condition_labels = groups.keys().map(label).collect();
    }
    data.water = water.map(|water| {
        let n = water.len();
        Reference::new(samples(vec![water], n, &readouts), format!("{n} readouts, by their strength"))
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

/// The layout of a file, and where its measurement begins: the last of several.
fn measurement(bytes: &Bytes<'_>) -> Result<(&'static Layout, usize), DecodeError> {
    match bytes.u32(0) {
        Some(0) => Ok((&VD, last_measurement(bytes)?)),
        _ => Ok((&VB, 0)),
    }
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
fn take_water(groups: &mut Groups, readouts: &Readouts, remarks: &mut Vec<String>) -> Option<Vec<Readout>> {
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

/// `transients` of each group.
fn samples(groups: Vec<Vec<Readout>>, transients: usize, readouts: &Readouts) -> Samples {
    // Where readouts lie, without the list of all of them.
    let mut readouts = readouts.clone();
    readouts.all = Vec::new();
    let shape = [1, groups.len(), transients, readouts.coils, readouts.points];
    Samples::stored(shape, move |[_, condition, transient, coil]| {
        readouts.fid(&groups[condition][transient], coil, readouts.points)
    })
}

fn label(key: &[u16; 3]) -> String {
    let parts = CONDITIONS.iter().zip(key).filter(|(_, value)| **value > 0);
    let text: Vec<String> = parts.map(|((_, name), value)| format!("{name}{value}")).collect();
    if text.is_empty() { "set0".to_owned() } else { text.join("-") }
}
