//! LCModel control files: the `$LCMODL` namelist that says what LCModel was to do with a `.RAW`.
//!
//! RAW files rarely state dwell time and frequency; the control file beside them does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::namelist::{Namelist, NamelistError, Reader};
use crate::acquisition::{Acquisition, Facts};
use crate::regular_file;

/// The most bytes of a control file that are read; real ones have a few kilobytes.
const MAX_BYTES: u64 = 64 * 1024;

/// The most files of a folder that are looked into.
const MAX_FILES: usize = 2_000;

/// What a control file states. Nothing is filled in: a key that is absent is `None`.
#[derive(Debug, Clone, PartialEq)]
pub struct Control {
    /// `NUNFIL`: number of complex points.
    pub n_points: Option<usize>,
    /// `DELTAT` (dwell time), `HZPPPM` (spectrometer frequency) and `ECHOT` (echo time).
    pub facts: Facts,
    /// `FILRAW` as written.
    pub raw_file: Option<String>,
    /// `FILH2O` as written.
    pub water_file: Option<String>,
    /// `FILBAS` as written.
    pub basis_file: Option<String>,
    /// `WCONC`: concentration of water in the voxel (mM).
    pub water_conc_mm: Option<f64>,
    /// `ATTH2O`: attenuation of the water signal by relaxation.
    pub water_attenuation: Option<f64>,
    /// `DOWS`: scale to water.
    pub water_scaling: bool,
    /// `DOECC`: eddy-current correction.
    pub eddy_correction: bool,
    /// The namelist itself, for every other key.
    pub namelist: Namelist,
}

/// Reads the `$LCMODL` namelist. `Ok(None)` if the bytes hold none.
///
/// # Errors
/// [`NamelistError`] if the namelist or one of the numbers above does not parse.
pub fn parse(bytes: &[u8]) -> Result<Option<Control>, NamelistError> {
    let mut reader = Reader::new(bytes);
    while let Some(list) = reader.next_namelist()? {
        if list.name == "LCMODL" {
            return from_namelist(list).map(Some);
        }
    }
    Ok(None)
}

fn from_namelist(list: Namelist) -> Result<Control, NamelistError> {
    let positive = |key: &str| list.single(key).map(|v| v.filter(|v| *v > 0.0));
    let text = |key: &str| list.text(key).map(str::to_owned);
    Ok(Control {
        n_points: positive("NUNFIL")?.filter(|n| n.fract() == 0.0 && *n < 1e9).map(|n| n as usize),
        facts: Facts {
            dwell_s: positive("DELTAT")?,
            f0_mhz: positive("HZPPPM")?,
            te_s: positive("ECHOT")?.map(|ms| ms * 1e-3),
            ..Facts::default()
        },
        raw_file: text("FILRAW"),
        water_file: text("FILH2O"),
        basis_file: text("FILBAS"),
        water_conc_mm: positive("WCONC")?,
        water_attenuation: positive("ATTH2O")?,
        water_scaling: list.flag("DOWS"),
        eddy_correction: list.flag("DOECC"),
        namelist: list,
    })
}

/// The control file in the folder of `raw_path` whose FILRAW or FILH2O names that file (by its file
/// name: paths in control files belong to the computer that LCModel ran on).
///
/// Files that cannot be read or parsed are passed over; at most 64 KiB of each are read. Two control
/// files that name the same RAW but disagree on its grid are no evidence: then `None`.
pub fn find_beside(raw_path: &Path) -> Option<(PathBuf, Control)> {
    agreed(all_naming(raw_path).0)
}

fn agreed(naming: Vec<(PathBuf, Control)>) -> Option<(PathBuf, Control)> {
    let mut all = naming.into_iter();
    let first = all.next()?;
    let grid = |control: &Control| (control.facts.dwell_s, control.facts.f0_mhz);
    all.all(|(_, other)| grid(&other) == grid(&first.1)).then_some(first)
}

/// All control files in the folder of `raw_path` that name that file, sorted: what they say decides together.
pub(super) fn naming(raw_path: &Path) -> Vec<PathBuf> {
    all_naming(raw_path).0.into_iter().map(|(path, _)| path).collect()
}

/// The acquisition with what it lacks from the control file beside it, if there is one.
pub(super) fn with_control(mut data: Acquisition, raw_path: &Path) -> Acquisition {
    let (naming, unreadable) = all_naming(raw_path);
    if let Some((_, control)) = agreed(naming) {
        data.facts = data.facts.or(control.facts);
    }
    data.remarks.extend(unreadable);
    data
}

/// The control files that name the file, and a remark on each that cannot be read: it may have named it.
fn all_naming(raw_path: &Path) -> (Vec<(PathBuf, Control)>, Vec<String>) {
    let folder = match raw_path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    };
    let Some(wanted) = raw_path.file_name().and_then(|n| n.to_str()) else { return Default::default() };
    let Ok(entries) = fs::read_dir(folder) else { return Default::default() };
    let mut candidates: Vec<PathBuf> =
        entries.take(MAX_FILES).flatten().map(|e| e.path()).filter(|p| is_control(p)).collect();
    // The order of a folder is the file system's; ours must not be.
    candidates.sort();
    let names_it = |control: &Control| {
        [&control.raw_file, &control.water_file]
            .into_iter()
            .flatten()
            .any(|file| last_component(file).eq_ignore_ascii_case(wanted))
    };
    let (mut naming, mut unreadable) = (Vec::new(), Vec::new());
    for path in candidates {
        match regular_file::head(&path, MAX_BYTES) {
            Ok(bytes) => {
                let control = parse(&bytes).ok().flatten().filter(&names_it);
                naming.extend(control.map(|control| (path, control)));
            }
            Err(error) => unreadable.push(remark(&path, &error)),
        }
    }
    (naming, unreadable)
}

fn remark(path: &Path, error: &io::Error) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("the control file {name} cannot be read, whatever it states: {error}")
}

fn is_control(path: &Path) -> bool {
    let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default().to_ascii_lowercase();
    is_control_name(&name) && !path.is_dir()
}

/// `x.control`, `x.CONTROL`, `control`, `control.file`, `control_press`, …; `name` in lower case.
pub(super) fn is_control_name(name: &str) -> bool {
    name.ends_with(".control") || name.starts_with("control")
}

/// Whether the start of a file is a control file's.
pub(super) fn looks_like(head: &[u8]) -> bool {
    String::from_utf8_lossy(head).to_ascii_uppercase().contains("$LCMODL")
}

/// File name of a path of either kind of computer.
fn last_component(path: &str) -> &str {
    path.trim().rsplit(['/', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]
    use super::*;

    const TEXT: &str = "$LCMODL\nkey=1\nnunfil=1024\ndeltat=5e-04\nhzpppm=127.786142\nechot=30.\nfilbas='3t.basis'\nfilraw='/home/a/data.raw'\natth2o= .7\ndows= T\nwconc=35880\nppmgap(1,1)=7.6\n$END\n";

    #[test]
    fn reads_what_lcmodel_was_told() {
        let c = parse(TEXT.as_bytes()).unwrap().unwrap();
        assert_eq!((c.n_points, c.facts.dwell_s, c.facts.f0_mhz), (Some(1024), Some(5e-4), Some(127.786142)));
        assert_eq!(c.facts.te_s, Some(0.03));
        assert_eq!(c.basis_file.as_deref(), Some("3t.basis"));
        assert_eq!((c.water_attenuation, c.water_conc_mm), (Some(0.7), Some(35880.0)));
        assert!(c.water_scaling && !c.eddy_correction);
        assert_eq!(c.namelist.number("PPMGAP(1,1)").unwrap(), Some(7.6));
        assert_eq!(parse(b"nothing here").unwrap(), None);
    }

    #[test]
    fn finds_the_one_that_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let raw = folder.path().join("data.raw");
        fs::write(folder.path().join("a.control"), TEXT.replace("data.raw", "other.raw")).unwrap();
        assert_eq!(find_beside(&raw), None);
        fs::write(folder.path().join("b.CONTROL"), TEXT).unwrap();
        fs::write(folder.path().join("control"), "$LCMODL broken").unwrap();
        let (path, control) = find_beside(&raw).unwrap();
        assert!(path.ends_with("b.CONTROL"));
        assert_eq!(control.facts.dwell_s, Some(5e-4));
        assert_eq!(naming(&raw), [path]);
        fs::write(folder.path().join("c.control"), TEXT.replace("5e-04", "4e-04")).unwrap();
        assert_eq!((find_beside(&raw), naming(&raw).len()), (None, 2));
    }
}
