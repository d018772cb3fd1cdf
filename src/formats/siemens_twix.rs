//! Siemens twix (`.dat`): raw measurements, coil by coil, of VB (one measurement a file) and of VD, VE and XA (several).
//!
//! Layout: Siemens' IDEA documentation of measurement headers (MDH), as the open readers of twix files have it. Samples
//! are conjugated into our convention; points before and behind the signal (cut-off) are left out.

use std::collections::BTreeMap;

use ndarray::Array5;
use num_complex::Complex64;
use rayon::prelude::*;

use super::bytes::{Bytes, Order};
use super::geometry::{affine_from_lps, siemens_axes};
use crate::acquisition::{Acquisition, Format, TRUNCATED, UNTESTED_FORMAT};

/// Why a twix file could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The header is none, or damaged.
    #[error("the header of the measurement cannot be read ({what}); copy the file again")]
    Header {
        /// What is wrong.
        what: &'static str,
    },
    /// No complete transient.
    #[error("no complete transient in the file ({bytes} bytes); it is cut off, or no spectroscopy")]
    NoTransients {
        /// Bytes of the file.
        bytes: usize,
    },
    /// Transients of different shapes.
    #[error("transients of {first} and of {other} samples × coils in one file: it is no single-voxel spectroscopy")]
    Shapes {
        /// Of the first.
        first: String,
        /// Of another.
        other: String,
    },
    /// Phase encoding.
    #[error("spectroscopic imaging ({lines} lines) is not read from twix files; export it as DICOM or convert it")]
    Imaging {
        /// Phase-encoding lines.
        lines: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Header { .. } => "bad_header",
            Self::NoTransients { .. } => "truncated",
            Self::Shapes { .. } | Self::Imaging { .. } => "unsupported",
        }
    }
}

/// What the software of the XA line calls itself in the header's part `Dicom`.
const XA_SOFTWARE: &[u8] = b"syngo MR XA";
/// Measurements in a file of VD or later.
const MAX_MEASUREMENTS: u32 = 64;
const RAID_HEADER: usize = 8;
const RAID_ENTRY: usize = 152;
/// Bits of the evaluation mask.
const ACQUISITION_END: u64 = 1;
const NO_SIGNAL: u64 = (1 << 1) | (1 << 2) | (1 << 5) | (1 << 21) | (1 << 25);
/// A group of transients is the water reference of the other where it is so many times stronger.
const WATER_TO_METABOLITES: f64 = 5.0;

/// Sizes and places of one version's headers (bytes).
struct Layout {
    /// Header of a readout, and of each coil's samples in it.
    scan: usize,
    channel: usize,
    mask: usize,
    samples: usize,
    counters: usize,
}

const VB: Layout = Layout { scan: 0, channel: 128, mask: 20, samples: 28, counters: 32 };
const VD: Layout = Layout { scan: 192, channel: 32, mask: 40, samples: 48, counters: 52 };

/// Loop counters of a readout, in the order of the header.
const LINE: usize = 0;
const PARTITION: usize = 3;
/// Counters whose values tell conditions apart; all others count transients.
const CONDITIONS: [(usize, &str); 3] = [(4, "echo"), (5, "phase"), (7, "set")];

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

/// One readout: which it is, and where its samples begin.
struct Readout {
    counters: [u16; 14],
    at: usize,
}

/// Decodes the last measurement of a file (those before it are adjustments). A group of transients that is much
/// stronger than the other becomes the water reference. A file that is cut off gives what is complete, and says so.
pub fn decode(file: &[u8]) -> Result<Acquisition, DecodeError> {
    let bytes = Bytes::new(file, Order::Little);
    let header = |what| DecodeError::Header { what };
    let (layout, start) = match bytes.u32(0) {
        Some(0) => {
            let n = bytes.u32(4).filter(|n| (1..=MAX_MEASUREMENTS).contains(n)).ok_or(header("no measurements"))?;
            let entry = RAID_HEADER + RAID_ENTRY * (n as usize - 1);
            let offset = bytes.u64(entry + 8).and_then(|o| usize::try_from(o).ok());
            (&VD, offset.ok_or(header("its place is not known"))?)
        }
        _ => (&VB, 0),
    };
    let length = bytes.u32(start).ok_or(header("cut off"))? as usize;
    let protocol = protocol(&bytes, start).ok_or(header("no protocol"))?;
    let mut at = start.checked_add(length).ok_or(header("its length"))?;

    let mut readouts: Vec<Readout> = Vec::new();
    let mut shape: Option<(usize, usize, usize, usize)> = None;
    let mut is_complete = false;
    while let Some((mask, n)) = bytes.u64(at.saturating_add(layout.mask)).zip(bytes.u16(at + layout.samples)) {
        if mask & ACQUISITION_END != 0 {
            is_complete = true;
            break;
        }
        let dma = bytes.u32(at).unwrap_or(0) as usize & 0x1ff_ffff;
        let coils = usize::from(bytes.u16(at + layout.samples + 2).unwrap_or(0));
        let block = layout.channel + 8 * usize::from(n);
        let size = if mask & NO_SIGNAL & (1 << 5) != 0 { dma } else { layout.scan + coils * block };
        if size == 0 || at + size > file.len() {
            break;
        }
        if mask & NO_SIGNAL == 0 && n > 0 && coils > 0 {
            let mut counters = [0; 14];
            for (i, counter) in counters.iter_mut().enumerate() {
                *counter = bytes.u16(at + layout.counters + 2 * i).unwrap_or(0);
            }
            let cut = |i: usize| usize::from(bytes.u16(at + layout.counters + 28 + 2 * i).unwrap_or(0));
            let this = (usize::from(n), coils, cut(0), cut(1));
            let first = *shape.get_or_insert(this);
            if first != this {
                let text = |s: (usize, usize, usize, usize)| format!("{} × {}", s.0, s.1);
                return Err(DecodeError::Shapes { first: text(first), other: text(this) });
            }
            readouts.push(Readout { counters, at: at + layout.scan });
        }
        at += if layout.scan == 0 { size } else { dma.max(size) };
    }
    let Some((n, coils, before, behind)) = shape.filter(|s| s.0 > s.2 + s.3) else {
        return Err(DecodeError::NoTransients { bytes: file.len() });
    };
    let lines = readouts.iter().map(|r| r.counters[LINE].max(r.counters[PARTITION])).max().unwrap_or(0);
    if lines > 0 {
        return Err(DecodeError::Imaging { lines: usize::from(lines) + 1 });
    }
    let points = n - before - behind;
    let block = layout.channel + 8 * n;
    let sample = |readout: &Readout, coil: usize, point: usize| {
        let at = readout.at + coil * block + layout.channel + 8 * (before + point);
        Complex64::new(bytes.f32(at).map_or(0.0, f64::from), -bytes.f32(at + 4).map_or(0.0, f64::from))
    };
    let strength = |group: &[&Readout]| -> f64 {
        let parts = group.iter().flat_map(|r| (0..coils).map(move |c| (r, c)));
        let sum: f64 = parts.map(|(r, c)| (0..points.min(16)).map(|p| sample(r, c, p).norm_sqr()).sum::<f64>()).sum();
        (sum / group.len().max(1) as f64).sqrt()
    };
    let mut groups: BTreeMap<[u16; 3], Vec<&Readout>> = BTreeMap::new();
    for readout in &readouts {
        groups.entry(CONDITIONS.map(|(i, _)| readout.counters[i])).or_default().push(readout);
    }
    let mut remarks = Vec::new();
    let mut water: Option<Vec<&Readout>> = None;
    let strengths: BTreeMap<[u16; 3], f64> = groups.iter().map(|(key, group)| (*key, strength(group))).collect();
    if groups.len() == 2
        && let Some((strong, weak)) = strongest(&strengths)
        && strengths[&strong] > WATER_TO_METABOLITES * strengths[&weak]
    {
        water = groups.remove(&strong);
        remarks.push(format!(
            "{} of {} transients are {:.0} times stronger than the others and were taken as the water reference",
            water.as_ref().map_or(0, Vec::len),
            readouts.len(),
            strengths[&strong] / strengths[&weak]
        ));
    }
    let transients = groups.values().map(Vec::len).min().unwrap_or(0);
    if groups.values().any(|g| g.len() != transients) {
        remarks.push(format!("conditions have different numbers of transients: {transients} of each were taken"));
    }
    let mut flags = Vec::new();
    // The files at hand are of VE.
    if layout.scan == 0 || protocol.is_xa {
        flags.push(UNTESTED_FORMAT);
    }
    if !is_complete {
        flags.push(TRUNCATED);
        remarks.push(format!(
            "truncated: the file ends before the measurement does; {} transients are whole",
            readouts.len()
        ));
    }
    let conditions: Vec<(&[u16; 3], &Vec<&Readout>)> = groups.iter().collect();
    // Raw data are large: rows side by side.
    let mut rows = vec![Complex64::default(); conditions.len() * transients * coils * points];
    rows.par_chunks_mut(points).enumerate().for_each(|(row, fid)| {
        let (coil, transient) = (row % coils, row / coils);
        let readout = conditions[transient / transients].1[transient % transients];
        let at = readout.at + coil * block + layout.channel + 8 * before;
        let stored = file.get(at..at + 8 * points).unwrap_or_default();
        for (z, pair) in fid.iter_mut().zip(stored.as_chunks::<8>().0) {
            let [a, b, c, d, e, f, g, h] = *pair;
            *z = Complex64::new(f32::from_le_bytes([a, b, c, d]).into(), (-f32::from_le_bytes([e, f, g, h])).into());
        }
    });
    let samples = Array5::from_shape_vec((1, conditions.len(), transients, coils, points), rows)
        .map_err(|_| header("its size"))?;
    let mut data = Acquisition::from_samples(Format::SiemensTwix, samples);
    if conditions.len() > 1 {
        data.condition_labels = conditions.iter().map(|(key, _)| label(key)).collect();
    }
    data.water = water.map(|water| {
        Array5::from_shape_fn((1, 1, water.len(), coils, points), |(_, _, t, coil, p)| sample(water[t], coil, p))
    });
    data.dwell_s = protocol.number("sRXSPEC.alDwellTime[0]").map(|ns| ns * 1e-9);
    data.f0_mhz = protocol.number("sTXSPEC.asNucleusInfo[0].lFrequency").map(|hz| hz * 1e-6);
    data.te_s = protocol.number("alTE[0]").map(|us| us * 1e-6);
    data.tr_s = protocol.number("alTR[0]").map(|us| us * 1e-6);
    data.nucleus = protocol.text("sTXSPEC.asNucleusInfo[0].tNucleus");
    data.sequence =
        protocol.text("tSequenceFileName").map(|path| path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned());
    data.vendor = Some("Siemens".to_owned());
    // CHESS; other values are of sequences' own.
    let suppressed = data.water.is_some() || protocol.number("sPrepPulses.ucWaterSat") == Some(1.0);
    data.water_suppressed = suppressed.then_some(true);
    data.affine_mm = protocol.affine();
    (data.flags, data.remarks) = (flags, remarks);
    Ok(data)
}

/// The groups with the largest and the smallest value.
fn strongest(strengths: &BTreeMap<[u16; 3], f64>) -> Option<([u16; 3], [u16; 3])> {
    let by = |a: &(&[u16; 3], &f64), b: &(&[u16; 3], &f64)| a.1.total_cmp(b.1);
    Some((*strengths.iter().max_by(by)?.0, *strengths.iter().min_by(by)?.0))
}

fn label(key: &[u16; 3]) -> String {
    let parts = CONDITIONS.iter().zip(key).filter(|(_, value)| **value > 0);
    let text: Vec<String> = parts.map(|((_, name), value)| format!("{name}{value}")).collect();
    if text.is_empty() { "set0".to_owned() } else { text.join("-") }
}

/// The protocol's lines `name = value` (`MeasYaps`), and whether software of the XA line wrote it.
struct Protocol {
    text: String,
    is_xa: bool,
}

impl Protocol {
    fn text(&self, name: &str) -> Option<String> {
        let line = self.text.lines().find_map(|l| {
            let (key, value) = l.split_once('=')?;
            (key.trim() == name).then_some(value)
        })?;
        let value = line.trim().trim_matches('"').trim();
        (!value.is_empty()).then(|| value.chars().take(80).collect())
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0)
    }

    /// The voxel in space: centre, normal and rotation about it; what is zero is not written. The table may have moved.
    fn affine(&self) -> Option<[[f64; 4]; 4]> {
        let signed = |name: &str| self.text(name).map_or(Some(0.0), |v| v.parse().ok()).filter(|v: &f64| v.is_finite());
        let vector = |name: &str| -> Option<[f64; 3]> {
            Some([signed(&format!("{name}.dSag"))?, signed(&format!("{name}.dCor"))?, signed(&format!("{name}.dTra"))?])
        };
        let size = ["dReadoutFOV", "dPhaseFOV", "dThickness"].map(|n| self.number(&format!("sSpecPara.sVoI.{n}")));
        let size = [size[0]?, size[1]?, size[2]?];
        let (normal, centre) = (vector("sSpecPara.sVoI.sNormal")?, vector("sSpecPara.sVoI.sPosition")?);
        let table = [signed("lScanRegionPosSag")?, signed("lScanRegionPosCor")?, signed("lScanRegionPosTra")?];
        let (read, phase) = siemens_axes(normal, signed("sSpecPara.sVoI.dInPlaneRot")?)?;
        Some(affine_from_lps(read, phase, [0, 1, 2].map(|k| centre[k] + table[k]), size))
    }
}

fn protocol(bytes: &Bytes<'_>, start: usize) -> Option<Protocol> {
    let parts = bytes.u32(start.checked_add(4)?)?.min(32);
    let mut at = start + 8;
    let mut protocol = None;
    let mut is_xa = false;
    for _ in 0..parts {
        let name_length = bytes.all().get(at..)?.iter().take(64).position(|&b| b == 0)?;
        let name = bytes.text(at, name_length + 1)?;
        let length = bytes.u32(at + name_length + 1)? as usize;
        at = at + name_length + 5;
        let content = bytes.all().get(at..at.checked_add(length)?)?;
        match name.as_str() {
            "MeasYaps" => protocol = Some(content.iter().map(|&b| char::from(b)).collect::<String>()),
            "Dicom" => is_xa = content.windows(XA_SOFTWARE.len()).any(|w| w == XA_SOFTWARE),
            _ => {}
        }
        at += length;
    }
    protocol.map(|text| Protocol { text, is_xa })
}
