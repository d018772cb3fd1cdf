//! Bruker ParaVision (5, 6 and 360): a scan's folder with the samples (`fid`, or `rawdata.job0` with every coil and
//! transient) and the parameters (`method`, `acqp`).
//!
//! Layout: "ParaVision Parameters" and "File Formats" of Bruker's manuals; parameter files are JCAMP-DX. Samples are
//! conjugated into our convention. The receiver's digital filter delays the signal by a number of points that need not
//! be whole (`PVM_DigShiftDbl`): it is shifted back, and the points that hold nothing but the filter's run-in are left out.

use std::collections::HashMap;

use ndarray::Array5;
use num_complex::Complex64;
use rustfft::{Fft, FftPlanner};

use super::bytes::{Bytes, Order};
use super::geometry::affine_from_lps;
use crate::acquisition::{Acquisition, Format, UNTESTED_FORMAT};

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

/// How numbers are stored.
#[derive(Debug, Clone, Copy)]
enum Word {
    I16,
    I32,
    F32,
}

impl Word {
    fn bytes(self) -> usize {
        if matches!(self, Self::I16) { 2 } else { 4 }
    }
}

/// Blocks of `fid` fill up to a multiple of so many bytes (`Standard_KBlock_Format`).
const K_BLOCK: usize = 1024;
/// No receiver's filter is longer.
const MOST_DELAY: f64 = 512.0;

/// Decodes the samples with the parameters of `method` and `acqp`, and the reference scan (`fid.refscan`) if there is one.
pub fn decode(
    kind: Kind,
    samples: &[u8],
    method: &[u8],
    acqp: &[u8],
    reference: Option<&[u8]>,
) -> Result<Acquisition, DecodeError> {
    let mut parameters = parameters(&latin1(acqp));
    parameters.extend(self::parameters(&latin1(method)));
    let parameters = Parameters(parameters);
    if let Some(matrix) = parameters.0.get("PVM_Matrix").filter(|m| m.iter().any(|n| n.parse() != Ok(1.0_f64)))
        && parameters.text("PVM_EncSpectroscopy").as_deref() == Some("Yes")
    {
        return Err(DecodeError::Imaging { matrix: matrix.join(" × ").chars().take(40).collect() });
    }
    let count = |names: &[&str], field: &'static str| {
        names
            .iter()
            .find_map(|n| parameters.number(n))
            .filter(|n| n.fract() == 0.0 && (1.0..1e6).contains(n))
            .map(|n| n as usize)
            .ok_or(DecodeError::Field { field })
    };
    let points = count(&["PVM_DigNp", "PVM_SpecMatrix"], "PVM_DigNp")?;
    let coils = if parameters.text("PVM_EncUseMultiRec").as_deref() == Some("Yes") || kind == Kind::Raw {
        count(&["PVM_EncNReceivers"], "PVM_EncNReceivers").unwrap_or(1)
    } else {
        1
    };
    let delay = parameters.delay();
    if !(0.0..MOST_DELAY).contains(&delay) || delay >= points as f64 / 2.0 {
        return Err(DecodeError::Delay { delay, points });
    }
    let rows = rows(kind, samples, &parameters, points, coils)?;
    let n_transients = rows.len() / coils;
    let filter = Filter::new(points, delay);
    let data = |rows: Vec<Vec<Complex64>>| {
        let kept = filter.kept;
        let rows: Vec<Vec<Complex64>> = rows.into_iter().map(|row| filter.apply(row)).collect();
        Array5::from_shape_fn((1, 1, rows.len() / coils, coils, kept), |(_, _, t, c, p)| rows[t * coils + c][p])
    };
    let mut acquisition = Acquisition::from_samples(Format::Bruker, data(rows));
    if let Some(reference) = reference {
        acquisition.water = self::rows(Kind::Raw, reference, &parameters, points, coils).ok().map(data);
        if acquisition.water.is_none() {
            acquisition.remarks.push("the reference scan is not as long as one transient: it was not read".to_owned());
        }
    }
    let width_hz = ["PVM_DigSw", "PVM_SpecSWH", "SW_h"].iter().find_map(|n| parameters.positive(n));
    acquisition.dwell_s = width_hz.map(|hz| 1.0 / hz);
    acquisition.f0_mhz = ["PVM_FrqWork", "SFO1", "PVM_FrqRef"].iter().find_map(|n| parameters.positive(n));
    let ms = |names: [&str; 2]| names.iter().find_map(|n| parameters.positive(n)).map(|ms| ms * 1e-3);
    acquisition.te_s = ms(["PVM_EchoTime", "EchoTime"]);
    acquisition.tr_s = ms(["PVM_RepetitionTime", "RepetitionTime"]);
    acquisition.tm_s = ms(["StTM", "MixingTime"]);
    acquisition.nucleus = parameters.text("PVM_Nucleus1Enum").or_else(|| parameters.text("PVM_Nucleus1"));
    acquisition.sequence = parameters
        .text("Method")
        .map(|m| m.rsplit(':').next().unwrap_or_default().to_owned())
        .filter(|m| !m.is_empty());
    acquisition.vendor = Some("Bruker".to_owned());
    acquisition.water_suppressed = parameters.text("PVM_WsOnOff").map(|w| w == "On");
    let averages = parameters.positive("PVM_NAverages").map(|n| n as usize);
    let repetitions = parameters.positive("PVM_NRepetitions").map_or(1, |n| n as usize);
    acquisition.averages_on_scanner = if kind == Kind::Fid { averages } else { None };
    acquisition.affine_mm = affine(&parameters);
    acquisition.flags.push(UNTESTED_FORMAT);
    let announced = if kind == Kind::Fid { repetitions } else { repetitions.saturating_mul(averages.unwrap_or(1)) };
    if n_transients != announced {
        acquisition.remarks.push(format!("{n_transients} transients where the parameters announce {announced}"));
    }
    if let Some(ppm) = parameters.number("PVM_FrqWorkPpm").filter(|ppm| (ppm - 4.65).abs() > 0.3) {
        acquisition.remarks.push(format!("the carrier lies at {ppm} ppm: shifts are found by the fit"));
    }
    Ok(acquisition)
}

/// The rows of a file: transient after transient, each of all coils.
fn rows(
    kind: Kind,
    bytes: &[u8],
    parameters: &Parameters,
    points: usize,
    coils: usize,
) -> Result<Vec<Vec<Complex64>>, DecodeError> {
    let word = parameters.word(kind);
    let order = match parameters.text("BYTORDA").as_deref() {
        Some("big") => Order::Big,
        _ => Order::Little,
    };
    let row_bytes = 2 * word.bytes() * points;
    let mut block_bytes = row_bytes * coils;
    if kind == Kind::Fid && parameters.text("GO_block_size").as_deref() == Some("Standard_KBlock_Format") {
        block_bytes = block_bytes.div_ceil(K_BLOCK) * K_BLOCK;
    }
    // The last block need not be filled up.
    let blocks = if bytes.len() < row_bytes * coils { 0 } else { (bytes.len() - row_bytes * coils) / block_bytes + 1 };
    if blocks == 0 {
        return Err(DecodeError::Truncated { got: bytes.len(), points, coils, needed: row_bytes * coils });
    }
    let view = Bytes::new(bytes, order);
    let part = |at: usize| {
        let value = match word {
            Word::I16 => view.i16(at).map(f64::from),
            Word::I32 => view.i32(at).map(f64::from),
            Word::F32 => view.f32(at).map(f64::from),
        };
        value.unwrap_or(0.0)
    };
    let row = |block: usize, coil: usize| {
        let start = block * block_bytes + coil * row_bytes;
        let sample = |p: usize| {
            let at = start + 2 * word.bytes() * p;
            Complex64::new(part(at), -part(at + word.bytes()))
        };
        (0..points).map(sample).collect()
    };
    Ok((0..blocks).flat_map(|block| (0..coils).map(move |coil| (block, coil))).map(|(b, c)| row(b, c)).collect())
}

/// The digital filter's delay, taken back.
struct Filter {
    delay: f64,
    /// Points that are left.
    kept: usize,
    forward: std::sync::Arc<dyn Fft<f64>>,
    backward: std::sync::Arc<dyn Fft<f64>>,
}

impl Filter {
    fn new(points: usize, delay: f64) -> Self {
        let mut planner = FftPlanner::new();
        Self {
            delay,
            kept: points - delay.ceil() as usize,
            forward: planner.plan_fft_forward(points),
            backward: planner.plan_fft_inverse(points),
        }
    }

    /// Shifted to begin with the signal; what came before it went round to the end, and is left out.
    fn apply(&self, mut row: Vec<Complex64>) -> Vec<Complex64> {
        if self.delay > 0.0 {
            let n = row.len();
            self.forward.process(&mut row);
            for (k, z) in row.iter_mut().enumerate() {
                let signed = if k < n.div_ceil(2) { k as f64 } else { k as f64 - n as f64 };
                *z *=
                    Complex64::from_polar(1.0 / n as f64, 2.0 * std::f64::consts::PI * signed * self.delay / n as f64);
            }
            self.backward.process(&mut row);
        }
        row.truncate(self.kept);
        row
    }
}

/// Rows of the gradients' orientation are the voxel's axes in the animal (LPS), as ParaVision's visu_pars has them.
fn affine(parameters: &Parameters) -> Option<[[f64; 4]; 4]> {
    let numbers = |name: &str, n: usize| -> Option<Vec<f64>> {
        let values: Option<Vec<f64>> = parameters.0.get(name)?.iter().map(|v| v.parse().ok()).collect();
        values.filter(|v| v.len() == n && v.iter().all(|x: &f64| x.is_finite()))
    };
    let axes = numbers("PVM_VoxArrGradOrient", 9)?;
    let (size, centre) = (numbers("PVM_VoxArrSize", 3)?, numbers("PVM_VoxArrPosition", 3)?);
    let triple = |v: &[f64]| [v[0], v[1], v[2]];
    Some(affine_from_lps(triple(&axes[..3]), triple(&axes[3..6]), triple(&centre), triple(&size)))
}

/// The values of both parameter files, by name.
struct Parameters(HashMap<String, Vec<String>>);

impl Parameters {
    fn text(&self, name: &str) -> Option<String> {
        let value = self.0.get(name)?.first()?;
        (!value.is_empty()).then(|| value.chars().take(80).collect())
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|v: &f64| v.is_finite())
    }

    fn positive(&self, name: &str) -> Option<f64> {
        self.number(name).filter(|v| *v > 0.0)
    }

    /// Group delay of the digital filter (points): as ParaVision 6 and later state it to a fraction, else in whole
    /// points, else as the receiver has it (`GRPDLY` is −1 where it is not known; 360 lists it first of the filter's).
    fn delay(&self) -> f64 {
        ["PVM_DigShiftDbl", "PVM_DigShift", "GRPDLY", "ACQ_RxFilterInfo"]
            .iter()
            .find_map(|n| self.number(n).filter(|d| *d >= 0.0))
            .unwrap_or(0.0)
    }

    fn word(&self, kind: Kind) -> Word {
        let raw = ["GO_raw_data_format", "ACQ_word_size"];
        let names = if kind == Kind::Fid { raw } else { [raw[1], raw[0]] };
        match names.iter().find_map(|n| self.text(n)).as_deref() {
            Some("GO_16BIT_SGN_INT" | "_16_BIT") => Word::I16,
            Some("GO_32BIT_FLOAT") => Word::F32,
            _ => Word::I32,
        }
    }
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|&b| char::from(b)).collect()
}

/// `##$NAME=value`, or `##$NAME=( extents )` with the values on the lines behind; text stands between angle brackets,
/// structures between round ones.
fn parameters(text: &str) -> HashMap<String, Vec<String>> {
    let mut parameters = HashMap::new();
    for entry in text.split("##").skip(1) {
        let Some((name, value)) = entry.strip_prefix('$').and_then(|e| e.split_once('=')) else { continue };
        let lines = value.lines().filter(|l| !l.starts_with("$$"));
        let mut value = lines.collect::<Vec<_>>().join(" ");
        if let Some((extents, rest)) = value.trim_start().strip_prefix('(').and_then(|v| v.split_once(')'))
            && extents.split(',').all(|n| n.trim().parse::<u32>().is_ok())
            && !rest.trim().is_empty()
        {
            value = rest.to_owned();
        }
        parameters.insert(name.trim().to_owned(), values(&value));
    }
    parameters
}

fn values(text: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = text.trim_start_matches([' ', '(', ',', '\t']);
    while !rest.is_empty() {
        let (value, behind) = match rest.strip_prefix('<') {
            Some(quoted) => quoted.split_once('>').unwrap_or((quoted, "")),
            None => rest.split_at(rest.find([' ', ',', ')', '\t']).unwrap_or(rest.len())),
        };
        values.push(value.to_owned());
        rest = behind.trim_start_matches([' ', ',', '(', ')', '\t']);
    }
    values
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_numbers_text_arrays_and_structures() {
        let text = "##TITLE=Parameter List\n##$Method=<Bruker:PRESS>\n##$PVM_EchoTime=16.5\n$$ @vis= x\n\
            ##$PVM_VoxArrSize=( 1, 3 )\n2 3 4\n##$PVM_FrqWork=( 2 )\n400.3 \n500.1\n\
            ##$PVM_Nucleus1Enum=( 1, 8 )\n<1H>\n##$ACQ_RxFilterInfo=( 2 )\n(71.5, 1, <x y>) (0, 2, <z>)\n##END=\n";
        let found = parameters(text);
        assert_eq!(found["Method"], ["Bruker:PRESS"]);
        assert_eq!(found["PVM_EchoTime"], ["16.5"]);
        assert_eq!(found["PVM_VoxArrSize"], ["2", "3", "4"]);
        assert_eq!(found["PVM_FrqWork"], ["400.3", "500.1"]);
        assert_eq!(found["PVM_Nucleus1Enum"], ["1H"]);
        assert_eq!(found["ACQ_RxFilterInfo"][..3], ["71.5", "1", "x y"]);
    }

    #[test]
    fn a_delay_is_taken_back_to_the_fraction_of_a_point() {
        // A smooth hump far from both ends, 10.25 points late.
        let n = 256;
        let hump = |t: f64| Complex64::from_polar((-(t / 6.0).powi(2)).exp(), 0.4 * t);
        let late = (0..n).map(|i| hump(i as f64 - 60.0 - 10.25)).collect();
        let back = Filter::new(n, 10.25).apply(late);
        assert_eq!(back.len(), n - 11);
        for (i, z) in back.iter().enumerate() {
            assert!((z - hump(i as f64 - 60.0)).norm() < 1e-9, "{i}: {z}");
        }
    }
}
