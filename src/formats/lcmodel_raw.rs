//! LCModel time-domain files: `.RAW` and its water reference `.H2O`.
//!
//! A namelist `$SEQPAR` (often missing), a namelist `$NMID`, then real and imaginary parts in turn.
//! As LCModel does (subroutine MYDATA, LCModel 6.3, BSD licence), samples are multiplied by
//! TRAMP/VOLUME and conjugated where `BRUKER = T`; the result has `ppm = 4.65 − f/f0`. The ID is never
//! kept: it may be a patient's name.

use std::path::{Path, PathBuf};

use ndarray::Array5;
use num_complex::Complex64;
use thiserror::Error;

use super::error::ReadError;
use super::files::bytes_of;
use super::lcmodel_control;
use super::namelist::{self, Namelist, NamelistError};
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, Facts};

/// Name of the format.
pub const NAME: &str = "LCModel RAW";
/// Names of a spectrum and of a water reference.
const ENDINGS: [&str; 2] = [".raw", ".h2o"];

/// Why a file is not a readable LCModel RAW.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DecodeError {
    /// The header or the numbers do not parse.
    #[error(transparent)]
    Text(#[from] NamelistError),
    /// There is no `$NMID`.
    #[error("no $NMID namelist: not an LCModel RAW file")]
    NoHeader,
    /// A real part has no imaginary part.
    #[error("{found} numbers end at line {line}: real and imaginary parts must pair; the file is cut off")]
    Odd {
        /// Numbers found.
        found: usize,
        /// Last line (from 1).
        line: usize,
    },
    /// The header announces another number of points than there are.
    #[error("NumberOfPoints = {stated} but {found} complex points up to line {line}")]
    PointCount {
        /// Number in the header.
        stated: f64,
        /// Complex points found.
        found: usize,
        /// Last line (from 1).
        line: usize,
    },
    /// No numbers follow the header.
    #[error("line {line}: no data after the header")]
    NoData {
        /// Where data should start (from 1).
        line: usize,
    },
    /// A second header follows the data.
    #[error("line {line}: a second data set follows; split the file, one data set each")]
    SecondSet {
        /// Its line (from 1).
        line: usize,
    },
    /// `SEQACQ = T`: real and imaginary parts were sampled one after the other.
    #[error("SEQACQ = T: sequentially sampled quadrature is not supported; convert the raw data on the scanner's side")]
    Sequential,
    /// TRAMP or VOLUME cannot scale anything.
    #[error("{key} = {value} must be positive: samples are scaled by TRAMP/VOLUME")]
    Scale {
        /// The key.
        key: &'static str,
        /// Its value.
        value: f64,
    },
}

impl DecodeError {
    /// Stable code for the tables.
    pub fn code(&self) -> &'static str {
        "bad_file"
    }
}

/// The format's reader.
#[derive(Debug)]
pub struct LcmodelRaw;

impl Reader for LcmodelRaw {
    fn name(&self) -> &'static str {
        NAME
    }

    fn about(&self) -> About {
        About {
            files: "`.RAW`, `.H2O`: one combined and averaged spectrum",
            companions: "the LCModel control file in its folder whose `filraw` or `filh2o` names it",
            facts: "from `$SEQPAR` dwell time, f0, TE, sequence; what it lacks from the control file (dwell time, f0, TE)",
            limits: "control files that contradict one another are not used; `SEQACQ = T` is refused",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(probe.ends_with(&ENDINGS))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        lcmodel_control::is_control_name(probe.name()) && lcmodel_control::looks_like(probe.head())
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        probe.ends_with(&ENDINGS) || String::from_utf8_lossy(probe.head()).trim_start().starts_with('$')
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        lcmodel_control::naming(path)
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let data = decode(&bytes_of(path)?).map_err(|e| ReadError::content(path, e.code(), e))?;
        Ok(lcmodel_control::with_control(data, path))
    }
}

/// Decodes the bytes of a `.RAW` or `.H2O` file: one voxel, one coil, one transient.
///
/// Dwell time and frequency are there only if the file has `$SEQPAR` with them; LCModel itself keeps
/// them in the control file ([`super::lcmodel_control`]).
///
/// # Errors
/// See [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<Acquisition, DecodeError> {
    let mut reader = namelist::Reader::new(bytes);
    let mut seqpar: Option<Namelist> = None;
    let nmid = loop {
        match reader.next_namelist()? {
            Some(list) if list.name == "NMID" => break list,
            Some(list) if list.name == "SEQPAR" => seqpar = Some(list),
            Some(_) => {}
            None => return Err(DecodeError::NoHeader),
        }
    };
    if nmid.flag("SEQACQ") {
        return Err(DecodeError::Sequential);
    }
    let (tramp, volume) = (positive_or_one(&nmid, "TRAMP")?, positive_or_one(&nmid, "VOLUME")?);
    let mut remarks = Vec::new();
    let format = nmid.text("FMTDAT").unwrap_or_else(|| {
        remarks.push("FMTDAT is missing; columns were split at blanks".to_owned());
        "*"
    });

    let start = reader.line();
    let numbers = reader.numbers(format, None)?;
    let line = reader.line().saturating_sub(1);
    if let Some(list) = reader.next_namelist()? {
        return Err(DecodeError::SecondSet { line: list.line });
    }
    let (pairs, odd) = numbers.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(DecodeError::Odd { found: numbers.len(), line });
    }
    if pairs.is_empty() {
        return Err(DecodeError::NoData { line: start });
    }
    // LCModel multiplies first and conjugates then; both are real factors apart.
    let bruker = nmid.flag("BRUKER");
    let scale = tramp / volume;
    let sign = if bruker { -scale } else { scale };
    if bruker {
        remarks.push("BRUKER = T: conjugated, as LCModel does".to_owned());
    }
    let samples = Array5::from_shape_fn((1, 1, 1, 1, pairs.len()), |(.., i)| {
        let [re, im] = pairs[i];
        Complex64::new(scale * re, sign * im)
    });

    let mut acquisition = Acquisition::from_samples(NAME, samples);
    acquisition.remarks = remarks;
    if let Some(list) = seqpar {
        acquisition.facts = facts(&list, pairs.len(), line)?;
    }
    Ok(acquisition)
}

/// What `$SEQPAR` states, with the number of points compared to those `found`.
fn facts(list: &Namelist, found: usize, line: usize) -> Result<Facts, DecodeError> {
    let positive = |key: &str| list.single(key).map(|v| v.filter(|v| *v > 0.0));
    if let Some(stated) = positive("NUMBEROFPOINTS")?.filter(|&n| n != found as f64) {
        return Err(DecodeError::PointCount { stated, found, line });
    }
    Ok(Facts {
        te_s: positive("ECHOT")?.map(|ms| ms * 1e-3),
        f0_mhz: match positive("HZPPPM")? {
            None => positive("HZPPM")?,
            stated => stated,
        },
        dwell_s: positive("DWELLTIME")?,
        sequence: list.text("SEQ").map(str::to_owned),
        ..Facts::default()
    })
}

/// TRAMP or VOLUME; 1 where the header has none.
fn positive_or_one(list: &Namelist, key: &'static str) -> Result<f64, DecodeError> {
    match list.single(key)?.unwrap_or(1.0) {
        value if value > 0.0 => Ok(value),
        value => Err(DecodeError::Scale { key, value }),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]
    use super::*;

    fn points(text: &str) -> Vec<Complex64> {
        decode(text.as_bytes()).unwrap().samples.iter().collect()
    }

    #[test]
    fn scales_by_tramp_over_volume() {
        let p = points(" $NMID ID='x', FMTDAT='(2E15.6)'\n TRAMP=3., VOLUME=2. $END\n  1.0  2.0\n -4. 0.\n");
        assert_eq!(p, [Complex64::new(1.5, 3.0), Complex64::new(-6.0, 0.0)]);
    }

    #[test]
    fn bruker_conjugates() {
        let p = points(" $NMID\n FMTDAT='(2E15.6)'\n BRUKER= T\n $END\n 1. 2.\n");
        assert_eq!(p, [Complex64::new(1.0, -2.0)]);
    }

    #[test]
    fn header_values_and_their_other_spellings() {
        let a = decode(b" $SEQPAR\n ECHOT = 24.\n HZPPM= 399.7182\n SEQ = 'STEAM'\n dwellTime= 1.25e-4\n NumberOfPoints=1\n $END\n $NMID FMTDAT='(2E15.6)' $END\n 1. 2.\n").unwrap();
        assert_eq!(a.facts.te_s, Some(0.024));
        assert_eq!(a.facts.f0_mhz, Some(399.7182));
        assert_eq!(a.facts.dwell_s, Some(1.25e-4));
        assert_eq!(a.facts.sequence.as_deref(), Some("STEAM"));
    }

    #[test]
    fn decimal_commas_are_read_or_refused() {
        let of = |format: &str, lines: &str| decode(format!(" $NMID {format} $END\n{lines}").as_bytes());
        let both = [Complex64::new(1.5, -2.25), Complex64::new(0.0, 300.0)];
        for (format, lines) in [
            ("FMTDAT='(2E13.5)'", "  1,50000E+00 -2,25000E+00\n  0,00000E+00  3,00000E+02\n"),
            ("FMTDAT='(2E13.5)'", "  1,50000E+00-2,25000E+00\n  0,00000E+00  3,00000E+02\n"),
            ("FMTDAT='(2F8.2)'", "1,5  -2,25\n0 300\n"),
            ("", "1,5e0 -2,25\n0,0 300,0\n"),
            ("", "1.5,-2.25,0,300.0\n"),
            ("", "1.5, -2.25\n0, 300\n"),
            ("FMTDAT='(2E13.5)'", "1.5,-2.25\n0,300\n"),
        ] {
            let read = of(format, lines).unwrap().samples.iter().collect::<Vec<_>>();
            assert_eq!(read, both, "{format} {lines}");
        }
        let unclear = DecodeError::Text(NamelistError::Commas { line: 3 });
        assert_eq!(of("FMTDAT='*'", "1 2\n1,5 -2,25\n").unwrap_err(), unclear);
        let several = of("TRAMP=1,5 VOLUME=1.", "1. 2.\n").unwrap_err();
        assert_eq!(several, DecodeError::Text(NamelistError::Several { key: "TRAMP".to_owned(), line: 1 }));
    }

    #[test]
    fn the_id_is_kept_nowhere() {
        let a = decode(b" $NMID ID='Doe^Jane', FMTDAT='(2E15.6)' $END\n 1. 2.\n").unwrap();
        assert!(!format!("{a:?}").contains("Jane"));
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        let head = " $NMID ID=Mac'', FMTDAT='(8E13.5)'\n TRAMP=1., VOLUME=1. $END\n";
        let fails = |tail: &str| decode(format!("{head}{tail}").as_bytes()).unwrap_err();
        assert_eq!(fails("1. 2.\n3.\n"), DecodeError::Odd { found: 3, line: 4 });
        assert_eq!(fails("\n"), DecodeError::NoData { line: 3 });
        assert!(matches!(fails("1. 2.\n3. NaN\n"), DecodeError::Text(NamelistError::BadData { line: 4, .. })));
        assert!(matches!(fails("1. 2.\n $NMID X=1 $END\n 3. 4.\n"), DecodeError::SecondSet { line: 4, .. }));
        assert_eq!(decode(b"hello").unwrap_err(), DecodeError::NoHeader);
        let zero = decode(b" $NMID VOLUME=0 $END\n 1. 2.\n").unwrap_err();
        assert_eq!(zero, DecodeError::Scale { key: "VOLUME", value: 0.0 });
        let cut = decode(b" $SEQPAR NumberOfPoints=4 $END\n $NMID $END\n 1. 2.\n").unwrap_err();
        assert_eq!(cut, DecodeError::PointCount { stated: 4.0, found: 1, line: 3 });
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end_without_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let mut file = b" $NMID FMTDAT='(2E15.6)' $END\n".to_vec();
            file.extend(&bytes);
            let _ = decode(&file);
            let _ = decode(&bytes);
        }
    }
}
