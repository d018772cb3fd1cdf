//! Bruker ParaVision (5, 6 and 360): a scan's folder with the samples (`fid`, or `rawdata.job0` with every coil and
//! transient) and the parameters (`method`, `acqp`).
//!
//! Layout: "ParaVision Parameters" and "File Formats" of Bruker's manuals; parameter files are JCAMP-DX. Samples are
//! conjugated into our convention. The receiver's digital filter delays the signal by a number of points that need not
//! be whole (`PVM_DigShiftDbl`): it is shifted back, and the points that hold nothing but the filter's run-in are left out.

mod filter;
mod parameters;

use std::path::{Path, PathBuf};

use num_complex::Complex64;

use super::bytes::{Bytes, FileBytes, Order};
use super::error::ReadError;
use super::extent::{Extent, HELD_PER_BYTE};
use super::files::{beside, bytes_beside, bytes_of, length_of};
use super::geometry::affine_from_lps;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{AXIS_TRANSIENT, Acquisition, CARRIER_PPM, Facts, Reference, Samples, UNTESTED_FORMAT};
use filter::Filter;
use parameters::Parameters;

/// Name of the format.
pub const NAME: &str = "Bruker ParaVision";
/// The files of a scan.
const RAW: &str = "rawdata.job0";
const FID: &str = "fid";
const METHOD: &str = "method";
const ACQP: &str = "acqp";
const REFERENCE: &str = "fid.refscan";

/// Why a scan's folder could not be decoded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A parameter is missing or unusable.
    #[error("the parameter {field} of `method` and `acqp` is missing or cannot be right; copy the scan's folder again")]
    Field {
        /// Name of the parameter.
        field: &'static str,
    },
    /// Phase encoding.
    #[error(
        "spectroscopic imaging (matrix {matrix}) is not read from Bruker's raw data; convert it to NIfTI-MRS first"
    )]
    Imaging {
        /// The matrix, as the file has it.
        matrix: String,
    },
    /// Not one transient is whole.
    #[error("{got} bytes where one transient of {points} points and {coils} coils needs {needed}; the file is cut off")]
    Truncated {
        /// Bytes there.
        got: usize,
        /// Points announced.
        points: usize,
        /// Coils announced.
        coils: usize,
        /// Bytes needed.
        needed: usize,
    },
    /// A filter longer than the signal.
    #[error("a group delay of {delay} points of {points} cannot be right; copy the scan's folder again")]
    Delay {
        /// What the file says.
        delay: f64,
        /// Points of the signal.
        points: usize,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Field { .. } | Self::Delay { .. } => "bad_header",
            Self::Imaging { .. } => "unsupported",
            Self::Truncated { .. } => "truncated",
        }
    }
}

/// Which of a scan's files the samples are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `fid`: summed over averages.
    Fid,
    /// `rawdata.job0`: every transient of every coil.
    Raw,
}

impl Kind {
    fn of(path: &Path) -> Self {
        if path.file_name().is_some_and(|n| n.eq_ignore_ascii_case(RAW)) { Self::Raw } else { Self::Fid }
    }
}

/// How numbers are stored.
#[derive(Debug, Clone, Copy)]
enum Word {
    I16,
    I32,
    F32,
}

impl Word {
    /// What the parameters say: raw data and `fid` each have a parameter of their own.
    fn of(kind: Kind, parameters: &Parameters) -> Self {
        let raw = ["GO_raw_data_format", "ACQ_word_size"];
        let names = if kind == Kind::Fid { raw } else { [raw[1], raw[0]] };
        match names.iter().find_map(|n| parameters.text(n)).as_deref() {
            Some("GO_16BIT_SGN_INT" | "_16_BIT") => Self::I16,
            Some("GO_32BIT_FLOAT") => Self::F32,
            _ => Self::I32,
        }
    }

    fn bytes(self) -> usize {
        if matches!(self, Self::I16) { 2 } else { 4 }
    }
}

/// Blocks of `fid` fill up to a multiple of so many bytes (`Standard_KBlock_Format`).
const K_BLOCK: usize = 1024;
/// No receiver's filter is longer.
const MOST_DELAY: f64 = 512.0;
/// A carrier so far from water (ppm) is remarked upon.
const CARRIER_OFF_PPM: f64 = 0.3;

/// The format's reader.
#[derive(Debug)]
pub struct Bruker;

impl Reader for Bruker {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`rawdata.job0` (every transient of every coil), else `fid`, of ParaVision 5, 6 and 360",
            companions: "`method` and `acqp` beside it (needed), `fid.refscan` as the water reference",
            facts: "dwell time, f0, nucleus, TE, TR, TM, sequence, vendor, water suppression, averages, voxel",
            limits: "no spectroscopic imaging, no processed data (`pdata`); flagged `untested_format`",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        // What `fid` sums, `rawdata.job0` beside it holds transient by transient.
        Claim::own_if(probe.name() == RAW || (probe.name() == FID && !probe.has_beside(RAW)))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        let is_of_scan = probe.has_beside(FID) || probe.has_beside(RAW);
        probe.name() == FID || ([METHOD, ACQP, REFERENCE].contains(&probe.name()) && is_of_scan)
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.name() == RAW || (probe.name() == FID && probe.has_beside(METHOD))
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        [METHOD, ACQP, REFERENCE].into_iter().filter_map(|name| beside(path, name)).collect()
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let method = bytes_beside(path, METHOD, "file of the method's parameters")?;
        let acqp = bytes_beside(path, ACQP, "file of the acquisition's parameters")?;
        let reference = beside(path, REFERENCE).map(|file| bytes_of(&file)).transpose()?;
        decode(Kind::of(path), bytes_of(path)?, &method, &acqp, reference.map(FileBytes::from))
            .map_err(|e| ReadError::content(path, e.code(), e))
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let method = bytes_beside(path, METHOD, "file of the method's parameters")?;
        let acqp = bytes_beside(path, ACQP, "file of the acquisition's parameters")?;
        let (kind, parameters) = (Kind::of(path), Parameters::of(&method, &acqp));
        let (points, coils) = size(kind, &parameters).map_err(|e| ReadError::content(path, e.code(), e))?;
        let reference = beside(path, REFERENCE).map_or(0, |file| length_of(&file));
        let length = length_of(path).saturating_add(reference);
        let row_bytes = (2 * Word::of(kind, &parameters).bytes() * points * coils) as u64;
        let transients = usize::try_from(length / row_bytes.max(1)).unwrap_or(usize::MAX);
        let text = HELD_PER_BYTE.saturating_mul((method.len() + acqp.len()) as u64);
        let whole_bytes = length.saturating_add(text);
        Ok(Extent { transients, coils, points, whole_bytes, ..Extent::at_most(length) })
    }
}

/// Decodes the samples with the parameters of `method` and `acqp`, and the reference scan (`fid.refscan`) if there is one.
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(
    kind: Kind,
    samples: impl Into<FileBytes>,
    method: &[u8],
    acqp: &[u8],
    reference: Option<FileBytes>,
) -> Result<Acquisition, DecodeError> {
    let parameters = Parameters::of(method, acqp);
    let matrix = parameters.values("PVM_Matrix");
    if matrix.iter().any(|n| n.parse() != Ok(1.0_f64))
        && parameters.text("PVM_EncSpectroscopy").as_deref() == Some("Yes")
    {
        return Err(DecodeError::Imaging { matrix: matrix.join(" × ").chars().take(40).collect() });
    }
    let (points, coils) = size(kind, &parameters)?;
    let delay = parameters.delay();
    if !(0.0..MOST_DELAY).contains(&delay) || delay >= points as f64 / 2.0 {
        return Err(DecodeError::Delay { delay, points });
    }
    let stored = |kind, file: FileBytes| -> Result<Samples, DecodeError> {
        let rows = Rows::new(kind, file, &parameters, points, coils)?;
        let filter = Filter::new(points, delay);
        let shape = [1, 1, rows.blocks, coils, filter.kept];
        Ok(Samples::stored(shape, move |[_, _, transient, coil]| filter.apply(rows.row(transient, coil))))
    };
    let samples = stored(kind, samples.into())?;
    let n_transients = samples.shape()[AXIS_TRANSIENT];
    let mut acquisition = Acquisition::from_samples(NAME, samples);
    if let Some(reference) = reference {
        acquisition.water = stored(Kind::Raw, reference).ok().map(|samples| Reference::new(samples, "fid.refscan"));
        if acquisition.water.is_none() {
            acquisition.remarks.push("the reference scan is not as long as one transient: it was not read".to_owned());
        }
    }
    acquisition.facts = facts(kind, &parameters);
    acquisition.affine_mm = affine(&parameters);
    acquisition.flags.push(UNTESTED_FORMAT);
    let announced = announced(kind, &parameters);
    if n_transients != announced {
        acquisition.remarks.push(format!("{n_transients} transients where the parameters announce {announced}"));
    }
    if let Some(ppm) = parameters.number("PVM_FrqWorkPpm").filter(|ppm| (ppm - CARRIER_PPM).abs() > CARRIER_OFF_PPM) {
        acquisition.remarks.push(format!("the carrier lies at {ppm} ppm: shifts are found by the fit"));
    }
    Ok(acquisition)
}

/// Numbers of points and of coils.
fn size(kind: Kind, parameters: &Parameters) -> Result<(usize, usize), DecodeError> {
    let count = |names: &[&str], field: &'static str| {
        names
            .iter()
            .find_map(|n| parameters.number(n))
            .filter(|n| n.fract() == 0.0 && (1.0..1e6).contains(n))
            .map(|n| n as usize)
            .ok_or(DecodeError::Field { field })
    };
    let points = count(&["PVM_DigNp", "PVM_SpecMatrix"], "PVM_DigNp")?;
    let has_coils = parameters.text("PVM_EncUseMultiRec").as_deref() == Some("Yes") || kind == Kind::Raw;
    let coils = if has_coils { count(&["PVM_EncNReceivers"], "PVM_EncNReceivers").unwrap_or(1) } else { 1 };
    Ok((points, coils))
}

fn averages(parameters: &Parameters) -> Option<usize> {
    parameters.positive("PVM_NAverages").map(|n| n as usize)
}

/// Number of transients that the parameters announce: `fid` has the averages summed.
fn announced(kind: Kind, parameters: &Parameters) -> usize {
    let repetitions = parameters.positive("PVM_NRepetitions").map_or(1, |n| n as usize);
    if kind == Kind::Fid { repetitions } else { repetitions.saturating_mul(averages(parameters).unwrap_or(1)) }
}

fn facts(kind: Kind, parameters: &Parameters) -> Facts {
    let first = |names: &[&str]| names.iter().find_map(|n| parameters.positive(n));
    let seconds = |names: [&str; 2]| first(&names).map(|ms| ms * 1e-3);
    let method = parameters.text("Method").map(|m| m.rsplit(':').next().unwrap_or_default().to_owned());
    Facts {
        dwell_s: first(&["PVM_DigSw", "PVM_SpecSWH", "SW_h"]).map(|hz| 1.0 / hz),
        f0_mhz: first(&["PVM_FrqWork", "SFO1", "PVM_FrqRef"]),
        te_s: seconds(["PVM_EchoTime", "EchoTime"]),
        tr_s: seconds(["PVM_RepetitionTime", "RepetitionTime"]),
        tm_s: seconds(["StTM", "MixingTime"]),
        nucleus: parameters.text("PVM_Nucleus1Enum").or_else(|| parameters.text("PVM_Nucleus1")),
        sequence: method.filter(|m| !m.is_empty()),
        vendor: Some("Bruker".to_owned()),
        water_suppressed: parameters.text("PVM_WsOnOff").map(|w| w == "On"),
        averages_on_scanner: if kind == Kind::Fid { averages(parameters) } else { None },
        ..Facts::default()
    }
}

/// Rows of the gradients' orientation are the voxel's axes in the animal (LPS), as ParaVision's visu_pars has them.
fn affine(parameters: &Parameters) -> Option<[[f64; 4]; 4]> {
    let [a, b, c, d, e, f, ..] = parameters.numbers::<9>("PVM_VoxArrGradOrient")?;
    let (size, centre) = (parameters.numbers("PVM_VoxArrSize")?, parameters.numbers("PVM_VoxArrPosition")?);
    Some(affine_from_lps([a, b, c], [d, e, f], centre, size))
}

/// The rows of a file: transient after transient, each of all coils.
struct Rows {
    file: FileBytes,
    word: Word,
    order: Order,
    points: usize,
    row_bytes: usize,
    block_bytes: usize,
    /// Transients that are whole.
    blocks: usize,
}

impl Rows {
    fn new(
        kind: Kind,
        file: FileBytes,
        parameters: &Parameters,
        points: usize,
        coils: usize,
    ) -> Result<Self, DecodeError> {
        let word = Word::of(kind, parameters);
        let order = match parameters.text("BYTORDA").as_deref() {
            Some("big") => Order::Big,
            _ => Order::Little,
        };
        let row_bytes = 2 * word.bytes() * points;
        let needed = row_bytes * coils;
        let mut block_bytes = needed;
        if kind == Kind::Fid && parameters.text("GO_block_size").as_deref() == Some("Standard_KBlock_Format") {
            block_bytes = block_bytes.div_ceil(K_BLOCK) * K_BLOCK;
        }
        // The last block need not be filled up.
        let blocks = file.len().checked_sub(needed).map_or(0, |others| others / block_bytes + 1);
        if blocks == 0 {
            return Err(DecodeError::Truncated { got: file.len(), points, coils, needed });
        }
        Ok(Self { file, word, order, points, row_bytes, block_bytes, blocks })
    }

    fn row(&self, block: usize, coil: usize) -> Vec<Complex64> {
        let view = Bytes::new(&self.file, self.order);
        let part = |at: usize| {
            let value = match self.word {
                Word::I16 => view.i16(at).map(f64::from),
                Word::I32 => view.i32(at).map(f64::from),
                Word::F32 => view.f32(at).map(f64::from),
            };
            value.unwrap_or(0.0)
        };
        let (start, bytes) = (block * self.block_bytes + coil * self.row_bytes, self.word.bytes());
        let sample = |point: usize| {
            let at = start + 2 * bytes * point;
            Complex64::new(part(at), -part(at + bytes))
        };
        (0..self.points).map(sample).collect()
    }
}
