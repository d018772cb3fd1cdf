//! The files of a scan, and where they lie.

use std::path::{Path, PathBuf};

use super::parameters::Parameters;
use crate::formats::error::ReadError;
use crate::formats::files::{beside, bytes_of};
use crate::formats::reader::Probe;

pub(super) const RAW: &str = "rawdata.job0";
pub(super) const FID: &str = "fid";
pub(super) const METHOD: &str = "method";
pub(super) const ACQP: &str = "acqp";
pub(super) const REFERENCE: &str = "fid.refscan";
/// What ParaVision 360 made of the samples, in `pdata/N`.
pub(super) const PROCESSED: &str = "fid_proc.64";
pub(super) const PROCESSED_REFERENCE: &str = "fid_refscan.64";
/// Spectra and images as ParaVision shows them, in `pdata/N`, with what they are.
pub(super) const SPECTRUM: &str = "2dseq";
const SHOWN: &str = "visu_pars";
/// No list of what is shown is longer (bytes).
const MOST_SHOWN: usize = 1 << 20;

/// The folder of a scan.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// That of a file in it, or in `pdata/N` below it.
    pub(super) fn of(path: &Path) -> Self {
        let own = path.parent().unwrap_or(Path::new("")).to_owned();
        let is_below = own.parent().and_then(Path::file_name).is_some_and(|name| name == "pdata");
        let above = own.parent().and_then(Path::parent).filter(|_| is_below && beside(path, METHOD).is_none());
        Self(above.map_or(own.clone(), Path::to_owned))
    }

    /// A file of the scan, if there is one.
    pub(super) fn file(&self, name: &str) -> Option<PathBuf> {
        beside(&self.0.join(METHOD), name)
    }

    /// The combined reference: beside the processed samples, else in the first `pdata`.
    pub(super) fn processed_reference(&self, path: &Path) -> Option<PathBuf> {
        beside(path, PROCESSED_REFERENCE).or_else(|| self.file(&format!("pdata/1/{PROCESSED_REFERENCE}")))
    }

    /// The parameters of the scan.
    pub(super) fn parameters(&self, path: &Path) -> Result<Parameters, ReadError> {
        let bytes = |name: &'static str, what: &'static str| {
            let missing =
                || ReadError::MissingCompanion { path: path.to_owned(), what, companion: PathBuf::from(name) };
            bytes_of(&self.file(name).ok_or_else(missing)?)
        };
        let method = bytes(METHOD, "file of the method's parameters")?;
        Ok(Parameters::of(&method, &bytes(ACQP, "file of the acquisition's parameters")?))
    }

    /// Whether it holds samples as they were measured.
    fn has_measured(&self) -> bool {
        self.file(RAW).is_some() || self.file(FID).is_some()
    }

    /// Whether a file that is met is a row: of several forms of one scan the first that is there.
    pub(super) fn claims(probe: &Probe<'_>) -> bool {
        match probe.name() {
            RAW => true,
            // What `fid` sums, `rawdata.job0` beside it holds transient by transient.
            FID => !probe.has_beside(RAW),
            PROCESSED => !Self::of(probe.path()).has_measured() && !has_earlier(probe.path(), PROCESSED),
            SPECTRUM => {
                let has_samples = Self::of(probe.path()).has_measured() || probe.has_beside(PROCESSED);
                !has_samples && !has_earlier(probe.path(), SPECTRUM) && Self::is_spectrum(probe)
            }
            _ => false,
        }
    }

    /// Whether a file that is no row belongs to one.
    pub(super) fn has_companion(probe: &Probe<'_>) -> bool {
        let folder = Self::of(probe.path());
        match probe.name() {
            FID => true,
            METHOD | ACQP | REFERENCE => {
                folder.has_measured()
                    || probe.has_beside(PROCESSED)
                    || folder.file(&format!("pdata/1/{PROCESSED}")).is_some()
            }
            SPECTRUM => Self::is_spectrum(probe),
            PROCESSED | PROCESSED_REFERENCE => folder.has_measured() || folder.file(METHOD).is_some(),
            _ => false,
        }
    }

    /// Whether a file is a spectrum as ParaVision shows it, rather than an image.
    pub(super) fn is_spectrum(probe: &Probe<'_>) -> bool {
        let shown = || beside(probe.path(), SHOWN).and_then(|file| bytes_of(&file).ok());
        let is_spectroscopic = |bytes: Vec<u8>| {
            let text = bytes.get(..MOST_SHOWN.min(bytes.len())).unwrap_or_default();
            text.windows(13).any(|word| word.eq_ignore_ascii_case(b"spectroscopic"))
        };
        probe.name() == SPECTRUM && shown().is_some_and(is_spectroscopic)
    }
}

/// Whether a `pdata` folder with a lower number has such a file, too.
fn has_earlier(path: &Path, name: &str) -> bool {
    let Some(own) = path.parent() else { return false };
    let number = own.file_name().and_then(|n| n.to_str()).and_then(|n| n.parse::<u16>().ok()).unwrap_or(0);
    (1..number.min(100)).any(|n| beside(own, &format!("{n}/{name}")).is_some())
}
