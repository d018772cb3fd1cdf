//! Siemens twix (`.dat`): raw measurements, coil by coil, of VB (one measurement a file) and of VD, VE and XA (several).
//!
//! Layout: Siemens' IDEA documentation of measurement headers (MDH), as the open readers of twix files have it. Samples
//! are conjugated into our convention; points before and behind the signal (cut-off) are left out.

mod circles;
mod error;
mod parts;
mod protocol;
mod readouts;
mod references;
mod sort;
mod steps;

use std::path::Path;

use super::bytes::{Bytes, FileBytes, Order};
use super::error::ReadError;
use super::extent::Extent;
use super::files::{bytes_at, bytes_of, length_of};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Reference, Samples, TRUNCATED, UNTESTED_FORMAT};
pub use error::DecodeError;
use parts::Part;
use protocol::{Protocol, protocol};
use readouts::{Layout, Readouts, VB, VD, points_and_coils};
use sort::{Scan, Sorted, samples};

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
/// The format's reader.
#[derive(Debug)]
pub struct SiemensTwix;

impl Reader for SiemensTwix {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.dat`, `.twix` of VB, VD, VE and XA: the last measurement, every transient of every coil, by the [table of loops](loops.md)",
            companions: "none",
            facts: "dwell time, f0, nucleus, TE, TR, flip angle, sequence, vendor, water suppression, edit pulses, voxel",
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

    fn is_surely(&self, probe: &Probe<'_>) -> bool {
        let head = probe.head();
        if !looks_like(head) {
            return false;
        }
        // The count of a VD file is a number as any other: its last measurement must begin as one does.
        let bytes = Bytes::new(head, Order::Little);
        match bytes.u32(0) {
            Some(0) => last_measurement(&bytes).is_ok_and(|at| is_header(&probe.bytes_at(at as u64, HEADER_START))),
            _ => is_header(head),
        }
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

/// Bytes of a measurement's header that tell what it is: its length, the number of its parts, and the first one's name.
const HEADER_START: u64 = 48;
/// The parts of a header.
const PARTS: [&str; 7] = ["Config", "Dicom", "Meas", "MeasYaps", "Phoenix", "Spice", "PhoenixMetaFile"];

/// Whether a measurement's header begins here.
fn is_header(bytes: &[u8]) -> bool {
    let numbers = Bytes::new(bytes, Order::Little);
    let is_count = numbers.u32(4).is_some_and(|parts| (1..=16).contains(&parts));
    let name = bytes.get(8..).unwrap_or_default().split(|&b| b == 0).next().unwrap_or_default();
    is_count && PARTS.iter().any(|part| part.as_bytes() == name)
}

/// A part's name: letters, then a zero.
fn is_name(bytes: &[u8]) -> bool {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(0);
    (3..32).contains(&end) && bytes[..end].iter().all(u8::is_ascii_alphanumeric)
}

/// Decodes the last measurement of a file (those before it are adjustments). What its readouts are the table of loops says
/// (`formats::loops`). A file that is cut off gives what is complete, and says so.
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
    let sequence = protocol.sequence().unwrap_or_default();
    let mut remarks = Vec::new();
    let row = sort::row(&protocol, std::ptr::eq(layout, &VB), &sequence, &mut remarks).ok_or(header("no software"))?;
    let mut readouts = Readouts::walk(file.clone(), layout, start.checked_add(length).ok_or(header("its length"))?)?;
    remarks.extend(readouts.begin_at_echo(&row.points_before, protocol.count("sSpecPara.lVectorSize")));
    let mut whole = Acquisition::from_samples(NAME, Samples::stored([1, 1, 0, 0, 0], |_| Vec::new()));
    whole.facts = protocol.facts();
    if !row.te.is_empty() {
        whole.facts.te_s = sum_us(&protocol, &row.te).or(whole.facts.te_s);
    } else if row.is_rule() {
        remarks.extend(protocol.further_echo_times());
    }
    whole.affine_mm = protocol.affine();
    if !layout.is_tested || protocol.software == "XA" {
        whole.flags.push(UNTESTED_FORMAT);
    }
    if !readouts.is_complete {
        whole.flags.push(TRUNCATED);
        remarks.push(format!(
            "truncated: the file ends before the measurement does; {} transients are whole",
            readouts.all.len()
        ));
    }
    let scan = Scan { row, protocol: &protocol, readouts: &readouts, sequence: &sequence };
    let mut measured = measurements(&scan, &whole, &mut remarks).into_iter();
    let (_, mut data) = measured.next().ok_or(DecodeError::NoTransients { bytes: file.len() })?;
    data.further = measured.collect();
    data.remarks = remarks;
    Ok(data)
}

/// The measurements that a file holds: one, but for sequences of several parts or voxels.
fn measurements(scan: &Scan<'_>, whole: &Acquisition, remarks: &mut Vec<String>) -> Vec<(String, Acquisition)> {
    if let Some(parts) = &scan.row.parts {
        let parts = parts::split(scan, parts, remarks);
        return parts
            .into_iter()
            .map(|part| (part.name.clone(), of_part(part, scan.readouts, whole, remarks)))
            .collect();
    }
    let sorted = scan.sorted(remarks);
    let Some(steps) = &scan.row.steps else {
        return vec![(String::new(), acquisition(sorted, scan.readouts, whole, remarks))];
    };
    let mut voxels = steps::combined(scan, steps, sorted, &whole.facts, remarks);
    voxels.retain(|sorted| sorted.conditions.iter().all(|c| !c.is_empty()));
    let mut whole = whole.clone();
    if voxels.len() > 1 {
        whole.affine_mm = None;
        remarks.push("the header places one of two voxels: none was placed in space".to_owned());
    }
    let voxels = voxels.into_iter().enumerate();
    voxels.map(|(k, sorted)| (format!("voxel{}", k + 1), acquisition(sorted, scan.readouts, &whole, remarks))).collect()
}

/// A part of ISTHMUS.
fn of_part(part: Part, readouts: &Readouts, whole: &Acquisition, remarks: &mut Vec<String>) -> Acquisition {
    if part.water_te_s.is_some() {
        remarks.push(format!("{}: its own water was not measured; that of the other echo time was taken", part.name));
    }
    let mut data = acquisition(part.sorted, readouts, whole, remarks);
    data.facts.te_s = part.te_s;
    data.facts.sequence = Some(part.sequence.to_owned());
    data.facts.water_suppressed = Some(true);
    if let Some(water) = &mut data.water {
        water.te_s = part.water_te_s;
    }
    data
}

/// Sorted readouts as an acquisition with the facts of `whole`.
fn acquisition(sorted: Sorted, readouts: &Readouts, whole: &Acquisition, remarks: &mut Vec<String>) -> Acquisition {
    let Sorted { conditions, labels, editing, water, signed_water } = sorted;
    let transients = conditions.iter().map(Vec::len).min().unwrap_or(0);
    if conditions.iter().any(|c| c.len() != transients) {
        remarks.push(format!("conditions have different numbers of transients: {transients} of each were taken"));
    }
    let water =
        water.map(|(water, words)| (water.into_iter().map(|r| vec![(r, 1.0)]).collect(), words)).or(signed_water);
    let mut data = Acquisition { samples: samples(conditions, readouts), ..whole.clone() };
    data.condition_labels = labels;
    data.editing = editing;
    data.water = water.map(|(water, words)| Reference::new(samples(vec![water], readouts), words));
    if data.water.is_some() {
        data.facts.water_suppressed = data.facts.water_suppressed.or(Some(true));
    }
    data
}

/// Sum of fields in microseconds (s).
fn sum_us(protocol: &Protocol, fields: &[String]) -> Option<f64> {
    let parts: Vec<f64> = fields.iter().filter_map(|name| protocol.number(name)).collect();
    (!parts.is_empty()).then(|| parts.iter().sum::<f64>() / 1e6)
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#[path = "tests.rs"]
mod tests;
