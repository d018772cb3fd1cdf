//! Varian and Agilent: a folder `*.fid` with the samples (`fid`) and the parameters (`procpar`).
//!
//! Layout: "VnmrJ User Programming", chapters on data files and parameter files. Its sign convention is ours.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use num_complex::Complex64;

use super::bytes::{Bytes, FileBytes, Order};
use super::error::ReadError;
use super::extent::{Extent, HELD_PER_BYTE};
use super::files::{beside, bytes_at, bytes_beside, bytes_of, in_folder, length_of};
use super::reader::{About, Claim, Probe, Reader};
use super::times::{self, Times};
use crate::acquisition::{Acquisition, Facts, Samples};

/// Name of the format.
pub const NAME: &str = "Varian";
/// The files of a folder.
const FID: &str = "fid";
const PROCPAR: &str = "procpar";

const FILE_HEADER: usize = 32;
const BLOCK_HEADER: usize = 28;
/// Place of the count of numbers in a trace.
const NUMBERS_AT: usize = 8;
const STATUS_32_BIT: i16 = 0x4;
const STATUS_FLOAT: i16 = 0x8;

/// Why a Varian folder could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// The header of `fid` cannot be right.
    #[error("the header of `fid` announces {field} = {value}, which cannot be right; copy the folder again")]
    Header {
        /// Which field.
        field: &'static str,
        /// What it says.
        value: i64,
    },
    /// Shorter than announced.
    #[error("`fid` holds {got} bytes of {needed}; it is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Bytes announced.
        needed: usize,
    },
    /// Several arrayed parameters.
    #[error(
        "arrayed over {parameters} parameters together: which of the spectra may be averaged is not known; split it or convert it first"
    )]
    Array {
        /// How many.
        parameters: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Header { .. } => "bad_header",
            Self::Truncated { .. } => "truncated",
            Self::Array { .. } => "unsupported",
        }
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct Varian;

impl Reader for Varian {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`fid` of a Varian or Agilent folder",
            companions: "`procpar` beside it (needed)",
            facts: "dwell time, f0, nucleus, TE, TR, TM, sequence, vendor, averages",
            limits: "no voxel in space; arrays over several parameters are refused",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        // Its name has no extension, as DICOM exports often have none; which `fid` of Bruker's counts, its reader says.
        Claim::own_if(self.recognises(probe))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        probe.name() == PROCPAR && probe.has_beside(FID)
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.name() == FID && probe.has_beside(PROCPAR)
    }

    fn in_folder(&self, folder: &Path) -> Option<PathBuf> {
        in_folder(folder, &[FID], PROCPAR)
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        beside(path, PROCPAR).into_iter().collect()
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let procpar = bytes_beside(path, PROCPAR, "file of parameters")?;
        decode(bytes_of(path)?, &procpar).map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let io = |source| ReadError::Io { path: path.to_owned(), source };
        let head = bytes_at(path, 0, FILE_HEADER as u64).map_err(io)?;
        let numbers = Bytes::new(&head, Order::Big).i32(NUMBERS_AT).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let (length, points) = (length_of(path), (numbers / 2).max(1));
        // Rows are transients of one condition, or conditions of one transient: with so many of both is more.
        let rows = usize::try_from(length / 4).unwrap_or(usize::MAX) / points;
        let procpar = beside(path, PROCPAR).map_or(0, |file| length_of(&file)).saturating_mul(HELD_PER_BYTE);
        let whole_bytes = length.saturating_add(procpar);
        Ok(Extent { points, conditions: rows.max(1), whole_bytes, ..Extent::at_most(length) })
    }
}

/// How the traces lie in `fid`.
struct Layout {
    blocks: usize,
    traces: usize,
    /// Numbers of a trace, two a sample.
    numbers: usize,
    /// Bytes of a number.
    width: usize,
    is_float: bool,
    block_bytes: usize,
    /// Bytes of a block before its first trace.
    head_bytes: usize,
}

impl Layout {
    fn of(bytes: &Bytes<'_>) -> Result<Self, DecodeError> {
        let got = bytes.all().len();
        let field = |index: usize| bytes.i32(4 * index).ok_or(DecodeError::Truncated { got, needed: FILE_HEADER });
        let positive = |name: &'static str, value: i32| match usize::try_from(value) {
            Ok(n) if (1..1 << 26).contains(&n) => Ok(n),
            _ => Err(DecodeError::Header { field: name, value: i64::from(value) }),
        };
        let (blocks, traces) = (positive("nblocks", field(0)?)?, positive("ntraces", field(1)?)?);
        let (numbers, block_bytes) = (positive("np", field(2)?)?, positive("bbytes", field(5)?)?);
        let status = bytes.i16(26).ok_or(DecodeError::Truncated { got, needed: FILE_HEADER })?;
        let width = if status & (STATUS_FLOAT | STATUS_32_BIT) != 0 { 4 } else { 2 };
        let head_bytes = positive("nbheaders", field(7)?).unwrap_or(1).min(9) * BLOCK_HEADER;
        let used = head_bytes + traces * numbers * width;
        if block_bytes < used {
            return Err(DecodeError::Header { field: "bbytes", value: block_bytes as i64 });
        }
        // The last trace of the last block must be there; padding behind it need not.
        let needed = FILE_HEADER
            .checked_add((blocks - 1).saturating_mul(block_bytes))
            .and_then(|n| n.checked_add(used))
            .unwrap_or(usize::MAX);
        if needed > got {
            return Err(DecodeError::Truncated { got, needed });
        }
        let is_float = status & STATUS_FLOAT != 0;
        Ok(Self { blocks, traces, numbers, width, is_float, block_bytes, head_bytes })
    }

    fn sample(&self, bytes: &Bytes<'_>, row: usize, point: usize) -> Complex64 {
        let trace = self.head_bytes + row % self.traces * self.numbers * self.width;
        let at = FILE_HEADER + row / self.traces * self.block_bytes + trace + 2 * self.width * point;
        let part = |at: usize| match (self.is_float, self.width) {
            (true, _) => bytes.f32(at).map(f64::from),
            (false, 4) => bytes.i32(at).map(f64::from),
            _ => bytes.i16(at).map(f64::from),
        };
        Complex64::new(part(at).unwrap_or(0.0), part(at + self.width).unwrap_or(0.0))
    }
}

/// Decodes `fid` with its `procpar`. Blocks are transients, or conditions where a parameter was arrayed that changes
/// what is measured.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(fid: impl Into<FileBytes>, procpar: &[u8]) -> Result<Acquisition, DecodeError> {
    let fid = fid.into();
    let bytes = Bytes::new(&fid, Order::Big);
    let parameters = parameters(&String::from_utf8_lossy(procpar));
    let layout = Layout::of(&bytes)?;
    let (points, rows) = (layout.numbers / 2, layout.blocks * layout.traces);
    let word = |name: &str| parameters.get(name).and_then(|v| v.first()).filter(|v| !v.is_empty()).cloned();
    let array = word("array").unwrap_or_default();
    // Arrays over these repeat one measurement; any other parameter makes measurements of its own.
    let repeats = ["", "nt", "count", "rep"].contains(&array.as_str());
    if array.contains(',') && rows > 1 {
        return Err(DecodeError::Array { parameters: array.split(',').count() });
    }
    let shape = if repeats { [1, 1, rows, 1, points] } else { [1, rows, 1, 1, points] };
    let stored = fid.clone();
    let samples = Samples::stored(shape, move |[_, condition, transient, _]| {
        let bytes = Bytes::new(&stored, Order::Big);
        (0..points).map(|point| layout.sample(&bytes, condition.max(transient), point)).collect()
    });
    let mut data = Acquisition::from_samples(NAME, samples);
    if !repeats && rows > 1 {
        let values = parameters.get(array.as_str());
        data.condition_labels = (0..rows)
            .map(|i| format!("{array}={}", values.and_then(|v| v.get(i)).map_or("?", String::as_str)))
            .collect();
    }
    let number = |name: &str| word(name).and_then(|v| v.parse::<f64>().ok()).filter(|v| v.is_finite() && *v > 0.0);
    data.facts = Facts {
        dwell_s: number("sw").map(|hz| 1.0 / hz),
        f0_mhz: number("sfrq"),
        te_s: number("te"),
        tr_s: number("tr"),
        tm_s: number("tm"),
        nucleus: word("tn").map(|name| if name == "H1" { "1H".to_owned() } else { name }),
        sequence: word("pslabel").or_else(|| word("seqfil")),
        vendor: Some("Varian".to_owned()),
        averages_on_scanner: number("nt").map(|n| n as usize),
        ..Facts::default()
    };
    // Times that are arrayed are those of each spectrum.
    let times = (0..data.n_conditions()).map(|i| {
        let value = parameters.get(array.as_str()).and_then(|values| values.get(i)?.parse::<f64>().ok());
        let of = |name: &str| value.filter(|v| array == name && v.is_finite() && *v > 0.0);
        Times { te_s: of("te"), tr_s: of("tr"), tm_s: of("tm") }
    });
    let times: Vec<Times> = times.collect();
    Ok(if ["te", "tr", "tm"].contains(&array.as_str()) && !repeats { times::apart(data, &times) } else { data })
}

/// The parameters' values by name: each has a line of attributes, a line with a count and its values (further text
/// values on lines of their own), and a line of possible values.
fn parameters(text: &str) -> HashMap<String, Vec<String>> {
    let mut parameters = HashMap::new();
    let mut lines = text.lines();
    while let Some(head) = lines.next() {
        let mut words = head.split_whitespace();
        let (Some(name), Some(_)) = (words.next(), words.next()) else { continue };
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let Some(line) = lines.next() else { break };
        let (count, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let count: usize = count.parse().unwrap_or(0);
        let values: Vec<String> = if rest.starts_with('"') {
            let more = (1..count.min(1 << 16)).map_while(|_| lines.next());
            std::iter::once(rest).chain(more).map(|v| v.trim().trim_matches('"').to_owned()).collect()
        } else {
            rest.split_whitespace().map(str::to_owned).collect()
        };
        parameters.insert(name.to_owned(), values);
        lines.next();
    }
    parameters
}

#[cfg(test)]
#[allow(clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_numbers_and_text() {
        let text = "sw 1 1 1e5 0 0 2 1 11 1 64\n1 6002.4 \n0 \nseqfil 2 2 8 0 0 2 1 8 1 64\n1 \"steam\"\n0 \n\
                    nt 1 1 1 1 1 2 1 0 1 64\n3 16 16 8 \n0\ncomment 2 2 1 0 0 2 1 0 1 64\n2 \"a b\"\n\"c\"\n0\nte 1 1 1 1 1 2 1 0 1 64\n1 0.008\n0\n";
        let parameters = parameters(text);
        assert_eq!(parameters["sw"], ["6002.4"]);
        assert_eq!(parameters["seqfil"], ["steam"]);
        assert_eq!(parameters["nt"], ["16", "16", "8"]);
        assert_eq!(parameters["comment"], ["a b", "c"]);
        assert_eq!(parameters["te"], ["0.008"]);
    }

    #[test]
    fn arrayed_times_are_those_of_each_spectrum() {
        let of = |array: &str| {
            let mut fid = Vec::new();
            // Two blocks of one trace of eight floating-point numbers.
            [2_i32, 1, 8, 4, 32, 60].iter().for_each(|n| fid.extend(n.to_be_bytes()));
            fid.extend([0, 0, 0, 8]);
            fid.extend(1_i32.to_be_bytes());
            for height in [1.0_f32, 2.0] {
                fid.extend([0; BLOCK_HEADER]);
                (0..8).for_each(|_| fid.extend(height.to_be_bytes()));
            }
            let procpar = format!(
                "sw 1 1 1 1 1\n1 5000 \n0 \narray 2 2 1 1 1\n1 \"{array}\"\n0 \n{array} 1 1 1 1 1\n2 0.006 0.144 \n0 \n"
            );
            decode(fid, procpar.as_bytes()).unwrap_or_else(|e| panic!("{e}"))
        };
        let data = of("te");
        let (name, further) = &data.further[0];
        assert_eq!((data.facts.te_s, further.facts.te_s, name.as_str()), (Some(0.006), Some(0.144), "te144"));
        assert_eq!((data.n_conditions(), further.samples.at([0, 0, 0, 0, 0]).re), (1, 2.0));
        assert_eq!(of("tm").further[0].1.facts.tm_s, Some(0.144));
        let user = of("gzlvl1");
        assert_eq!((user.n_conditions(), user.condition_labels[1].as_str()), (2, "gzlvl1=0.144"));
    }
}
