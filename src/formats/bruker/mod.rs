//! Bruker ParaVision (5, 6 and 360): a scan's folder with the samples (`fid`, or `rawdata.job0` with every coil and
//! transient) and the parameters (`method`, `acqp`).
//!
//! Layout: "ParaVision Parameters" and "File Formats" of Bruker's manuals; parameter files are JCAMP-DX. Samples are
//! conjugated into our convention. The receiver's digital filter delays the signal by a number of points that need not
//! be whole (`PVM_DigShiftDbl`): it is shifted back, and the points that hold nothing but the filter's run-in are left out.

mod error;
mod filter;
mod folder;
mod parameters;
mod reference;
mod rows;

use std::path::{Path, PathBuf};

use super::bytes::FileBytes;
use super::error::ReadError;
use super::extent::{Extent, HELD_PER_BYTE};
use super::files::{bytes_of, in_folder, length_of};
use super::geometry::affine_from_lps;
use super::reader::{About, Claim, Probe, Reader};
use crate::acquisition::{Acquisition, CARRIER_PPM, Facts, Samples, UNTESTED_FORMAT};
pub use error::DecodeError;
use filter::Filter;
use folder::{ACQP, FID, Folder, METHOD, PROCESSED, RAW, REFERENCE, SPECTRUM};
use parameters::Parameters;
use reference::References;
pub use rows::Kind;
use rows::{Rows, Word};

/// Name of the format.
pub const NAME: &str = "Bruker ParaVision";
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
            files: "`rawdata.job0` (every transient of every coil), else `fid`, else `pdata/N/fid_proc.64`, of ParaVision 5, 6 and 360",
            companions: "`method` and `acqp` of the scan (needed); the water reference from `fid.refscan`, `PVM_RefScan` in `method` or `pdata/1/fid_refscan.64`",
            facts: "dwell time, f0, nucleus, TE, TR, TM, sequence, vendor, water suppression, averages, voxel",
            limits: "no spectroscopic imaging, no `2dseq`; flagged `untested_format`",
        }
    }

    fn claim(&self, probe: &Probe<'_>) -> Claim {
        Claim::own_if(Folder::claims(probe))
    }

    fn is_companion(&self, probe: &Probe<'_>) -> bool {
        Folder::has_companion(probe)
    }

    fn recognises(&self, probe: &Probe<'_>) -> bool {
        [RAW, PROCESSED].contains(&probe.name())
            || (probe.name() == FID && probe.has_beside(METHOD))
            || Folder::is_spectrum(probe)
    }

    fn in_folder(&self, folder: &Path) -> Option<PathBuf> {
        in_folder(folder, &[RAW, FID], METHOD)
    }

    fn companions(&self, path: &Path) -> Vec<PathBuf> {
        let folder = Folder::of(path);
        let files = [folder.file(METHOD), folder.file(ACQP), folder.file(REFERENCE), folder.processed_reference(path)];
        files.into_iter().flatten().collect()
    }

    fn read(&self, path: &Path) -> Result<Acquisition, ReadError> {
        let refused = |e: DecodeError| ReadError::content(path, e.code(), e);
        if path.file_name().is_some_and(|name| name.eq_ignore_ascii_case(SPECTRUM)) {
            return Err(refused(DecodeError::Shown));
        }
        let folder = Folder::of(path);
        let parameters = folder.parameters(path)?;
        let bytes = |file: Option<PathBuf>| file.map(|file| bytes_of(&file).map(FileBytes::from)).transpose();
        let references =
            References { file: bytes(folder.file(REFERENCE))?, processed: bytes(folder.processed_reference(path))? };
        decode_with(Kind::of(path), bytes_of(path)?.into(), &parameters, references).map_err(refused)
    }

    fn extent(&self, path: &Path) -> Result<Extent, ReadError> {
        let folder = Folder::of(path);
        let (kind, parameters) = (Kind::of(path), folder.parameters(path)?);
        let (points, coils) = size(kind, &parameters).map_err(|e| ReadError::content(path, e.code(), e))?;
        let files = [folder.file(REFERENCE), folder.processed_reference(path)];
        let lengths = files.iter().flatten().map(|file| length_of(file));
        let length = lengths.fold(length_of(path), u64::saturating_add);
        let row_bytes = (2 * Word::of(kind, &parameters).bytes() * points * coils) as u64;
        let transients = usize::try_from(length / row_bytes.max(1)).unwrap_or(usize::MAX);
        let texts = [folder.file(METHOD), folder.file(ACQP)];
        let text = texts.iter().flatten().map(|file| length_of(file)).fold(0, u64::saturating_add);
        let whole_bytes = length.saturating_add(text.saturating_mul(HELD_PER_BYTE));
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
    decode_with(kind, samples.into(), &Parameters::of(method, acqp), References { file: reference, processed: None })
}

fn decode_with(
    kind: Kind,
    samples: FileBytes,
    parameters: &Parameters,
    references: References,
) -> Result<Acquisition, DecodeError> {
    let matrix = parameters.values("PVM_Matrix");
    if matrix.iter().any(|n| n.parse() != Ok(1.0_f64))
        && parameters.text("PVM_EncSpectroscopy").as_deref() == Some("Yes")
    {
        return Err(DecodeError::Imaging { matrix: matrix.join(" × ").chars().take(40).collect() });
    }
    let (points, coils) = size(kind, parameters)?;
    let delay = parameters.delay();
    if !(0.0..MOST_DELAY).contains(&delay) || delay >= points as f64 / 2.0 {
        return Err(DecodeError::Delay { delay, points });
    }
    let rows = Rows::new(kind, samples, parameters, points, coils)?;
    let filter = Filter::new(points, delay);
    let shape = [1, 1, rows.blocks, coils, filter.kept];
    let n_transients = rows.blocks;
    // The sum over averages grows with their number: amplitudes are those of one, as those of references are.
    let summed = if kind == Kind::Fid { averages(parameters).unwrap_or(1).max(1) } else { 1 };
    let samples = Samples::stored(shape, move |[_, _, transient, coil]| {
        let mut row = rows.row(transient, coil);
        row.iter_mut().for_each(|z| *z /= summed as f64);
        filter.apply(row)
    });
    let mut acquisition = Acquisition::from_samples(NAME, samples);
    reference::take(&mut acquisition, kind, parameters, references, [points, coils]);
    acquisition.facts = facts(kind, parameters);
    acquisition.affine_mm = affine(parameters);
    acquisition.flags.push(UNTESTED_FORMAT);
    let announced = announced(kind, parameters);
    if n_transients != announced {
        acquisition.remarks.push(format!("{n_transients} transients where the parameters announce {announced}"));
    }
    if kind == Kind::Processed {
        let what = "coils and transients were combined by ParaVision: `rawdata.job0` of the scan is not there";
        acquisition.remarks.push(what.to_owned());
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
    let has_coils = parameters.text("PVM_EncUseMultiRec").as_deref() == Some("Yes") && kind != Kind::Processed;
    let has_coils = has_coils || kind == Kind::Raw;
    let coils = if has_coils { count(&["PVM_EncNReceivers"], "PVM_EncNReceivers").unwrap_or(1) } else { 1 };
    Ok((points, coils))
}

fn averages(parameters: &Parameters) -> Option<usize> {
    parameters.positive("PVM_NAverages").map(|n| n as usize)
}

/// Number of transients that the parameters announce: `fid` has the averages summed.
fn announced(kind: Kind, parameters: &Parameters) -> usize {
    let repetitions = parameters.positive("PVM_NRepetitions").map_or(1, |n| n as usize);
    if kind != Kind::Raw { repetitions } else { repetitions.saturating_mul(averages(parameters).unwrap_or(1)) }
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
        averages_on_scanner: if kind == Kind::Raw { None } else { averages(parameters) },
        ..Facts::default()
    }
}

/// Rows of the gradients' orientation are the voxel's axes in the animal (LPS), as ParaVision's visu_pars has them.
fn affine(parameters: &Parameters) -> Option<[[f64; 4]; 4]> {
    let [a, b, c, d, e, f, ..] = parameters.numbers::<9>("PVM_VoxArrGradOrient")?;
    let (size, centre) = (parameters.numbers("PVM_VoxArrSize")?, parameters.numbers("PVM_VoxArrPosition")?);
    Some(affine_from_lps([a, b, c], [d, e, f], centre, size))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests;
