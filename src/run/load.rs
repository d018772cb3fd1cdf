//! From a found file to prepared spectra, or to the reason why not.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;

use crate::acquisition::{Acquisition, Facts};
use crate::basis::check::Protocol;
use crate::corpus::{Found, Water};
use crate::error_chain::error_chain;
use crate::formats;
use crate::hash::{sha256_file, sha256_hex};
use crate::interrupt;
use crate::prepare::{Preparation, Spectrum, prepare_with};
use crate::printable::printable_message;
use crate::quantify;
use crate::store::Timings;

/// Most points of an FID that is fitted: sixteen times what scanners store, four times what spectrometers do in vivo. Time
/// grows faster than the points, and a longer one is something else, or a header that is wrong.
pub const MAX_POINTS: usize = 65_536;
/// Most characters of a `spectrum_id`.
pub const ID_CHARS: usize = 256;
/// Characters of the hash that ends an id which was cut.
const ID_HASH_CHARS: usize = 16;

/// Why a spectrum has no result: a stable code and a message for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Stable snake_case code.
    pub code: String,
    /// What, where, and what to do.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(code: impl Into<String>, message: impl ToString) -> Self {
        Self { code: code.into(), message: printable_message(&message.to_string()) }
    }
}

/// One file, read and prepared.
#[derive(Default)]
pub struct Loaded {
    /// Header values after gaps were filled.
    pub header: Header,
    /// One entry per voxel and condition, or one failure for the file as a whole.
    pub spectra: Vec<(SpectrumKey, Result<Spectrum, Failure>)>,
    /// How long reading and preparing took.
    pub timings: Timings,
}

impl Loaded {
    /// Why the file as a whole has no spectrum, where that is so.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self.spectra.as_slice() {
            [(key, Err(failure))] if *key == SpectrumKey::default() => Some(failure),
            _ => None,
        }
    }

    /// The condition called `name` of the voxel of another spectrum.
    pub(crate) fn companion(&self, of: &SpectrumKey, name: &str) -> Option<&Spectrum> {
        let is_it = |key: &SpectrumKey| key.voxel == of.voxel && key.condition.as_deref() == Some(name);
        self.spectra.iter().find(|(key, _)| is_it(key))?.1.as_ref().ok()
    }

    /// The one entry of a file that is not read at all.
    pub(crate) fn empty(found: &Found) -> Self {
        Self::failed(Failure::new("not_read", format!("{}: not read", found.source_path)))
    }

    /// The one entry of a file that cannot be done.
    pub(super) fn failed(failure: Failure) -> Self {
        let spectra = vec![(SpectrumKey::default(), Err(failure))];
        Self { header: Header::default(), spectra, timings: Timings::default() }
    }
}

/// Header values that rows repeat.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// Hash over every file that its rows depend on ([`crate::store::Content::inputs_sha256`]).
    pub inputs_sha256: Option<String>,
    /// What manifest, file and configuration state, in this order.
    pub facts: Facts,
    /// What is compared with the basis set.
    pub protocol: Protocol,
    /// Extents of the grid of voxels.
    pub grid: Option<[usize; 3]>,
    /// Number of coils.
    pub n_coils: Option<usize>,
    /// Number of stored transients.
    pub n_transients: Option<usize>,
    /// Echo time of the water reference (s).
    pub water_te_s: Option<f64>,
    /// Repetition time of the water reference (s).
    pub water_tr_s: Option<f64>,
    /// Flags that the reader raised.
    pub flags: Vec<&'static str>,
    /// What the readers had to assume.
    pub remarks: Vec<String>,
    /// Hash of how the file was prepared; `None` where it was not read.
    pub prepare_hash: Option<String>,
}

impl Header {
    /// What the quantities of a spectrum of this file depend on beside its fit.
    pub(crate) fn quantify_inputs(&self, spectrum: &Spectrum) -> quantify::Inputs {
        quantify::Inputs { water_amplitude: spectrum.record.water_amplitude }
    }
}

/// Which of a file's spectra.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpectrumKey {
    /// Voxel index on a grid; `None` for single-voxel data.
    pub voxel: Option<[usize; 3]>,
    /// Label of the condition; `None` where there is one.
    pub condition: Option<String>,
}

impl SpectrumKey {
    /// What follows the file's id: nothing, `#diff`, `#12,7,0` or both.
    pub fn suffix(&self) -> String {
        let condition = self.condition.as_ref().map(|c| format!("#{c}")).unwrap_or_default();
        let voxel = self.voxel.map(|[i, j, k]| format!("#{i},{j},{k}")).unwrap_or_default();
        condition + &voxel
    }

    /// The id of this spectrum of the file `file_id`: what is too long is cut, and a hash of all of it keeps it apart.
    pub fn id_in(&self, file_id: &str) -> String {
        let id = format!("{file_id}{}", self.suffix());
        if id.chars().count() <= ID_CHARS {
            return id;
        }
        let kept: String = id.chars().take(ID_CHARS - ID_HASH_CHARS - 1).collect();
        format!("{kept}~{}", &sha256_hex(id.as_bytes())[..ID_HASH_CHARS])
    }
}

/// Conditions with labels of their own: further ones of one label get a number.
fn distinct<T>(mut conditions: Vec<(Option<String>, T)>) -> Vec<(Option<String>, T)> {
    let mut taken: HashSet<String> = conditions.iter().filter_map(|(label, _)| label.clone()).collect();
    let mut next: HashMap<String, usize> = HashMap::new();
    for label in conditions.iter_mut().filter_map(|(label, _)| label.as_mut()) {
        let Some(number) = next.get_mut(label) else {
            next.insert(label.clone(), 2);
            continue;
        };
        let mut own = format!("{label}~{number}");
        while !taken.insert(own.clone()) {
            *number += 1;
            own = format!("{label}~{number}");
        }
        *label = own;
    }
    conditions
}

/// Reads and prepares one found file.
pub fn load(found: &Found, gaps: &Facts, preparation: &Preparation) -> Loaded {
    load_part(found, None, gaps, preparation)
}

/// [`load`] of some voxels alone; the range may reach past the last one.
pub(super) fn load_part(
    found: &Found,
    voxels: Option<Range<usize>>,
    gaps: &Facts,
    preparation: &Preparation,
) -> Loaded {
    let mut header = Header { prepare_hash: Some(preparation.hash()), ..Header::default() };
    let started = Instant::now();
    let acquisitions = load_acquisitions(found, voxels.clone(), gaps, &mut header);
    let read = Timings { read_threads_s: started.elapsed().as_secs_f64(), ..Timings::default() };
    match acquisitions {
        Err(failure) => Loaded { header, spectra: vec![(SpectrumKey::default(), Err(failure))], timings: read },
        Ok((data, water)) => {
            let started = Instant::now();
            let (grid, n) = (data.grid, data.n_voxels());
            let wanted = voxels.map_or(0..n, |v| v.start.min(n)..v.end.min(n));
            let spectra = wanted.take_while(|_| !interrupt::asked()).flat_map(|voxel| {
                let index = (n > 1).then(|| index_in(grid, voxel));
                let conditions = distinct(prepare_with(preparation, &data, water.as_ref(), voxel));
                conditions.into_iter().map(move |(condition, prepared)| {
                    let prepared = prepared.map_err(|e| Failure::new(e.code(), format!("{}: {e}", found.source_path)));
                    (SpectrumKey { voxel: index, condition }, prepared)
                })
            });
            let spectra = spectra.collect();
            let timings = Timings { prepare_threads_s: started.elapsed().as_secs_f64(), ..read };
            Loaded { header, spectra, timings }
        }
    }
}

/// The index of a voxel on its grid, the first index fastest.
pub(super) fn index_in([nx, ny, _]: [usize; 3], voxel: usize) -> [usize; 3] {
    [voxel % nx, voxel / nx % ny, voxel / (nx * ny)]
}

fn load_acquisitions(
    found: &Found,
    voxels: Option<Range<usize>>,
    gaps: &Facts,
    header: &mut Header,
) -> Result<(Acquisition, Option<Acquisition>), Failure> {
    let stated = &found.overrides.facts;
    let (sha256, data) = rayon::join(
        || sha256_file(&found.path).ok(),
        || read(&found.path, voxels.clone(), &found.source_path, gaps, stated),
    );
    header.sha256 = sha256;
    let mut data = data?;
    let inside = data.take_water();
    header.facts = data.facts.clone();
    header.protocol = Protocol {
        f0_mhz: data.facts.f0_mhz,
        te_s: data.facts.te_s,
        sequence: data.facts.sequence.clone(),
        dwell_s: data.facts.dwell_s,
        n_points: Some(data.n_points()),
    };
    header.grid = Some(data.grid);
    header.n_coils = Some(data.n_coils());
    header.n_transients = Some(data.n_transients());
    header.flags.clone_from(&data.flags);
    header.remarks.extend(data.remarks.iter().cloned());
    let water = match &found.water {
        Water::None => inside,
        Water::Paired(path) => {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let water = read(path, voxels, &name, gaps, stated)
                .map_err(|f| Failure::new(format!("water_{}", f.code), format!("water reference {}", f.message)))?;
            header.water_te_s = water.facts.te_s;
            header.water_tr_s = water.facts.tr_s;
            Some(water)
        }
        // Refused before anything is read ([`Found::refusal`]).
        Water::Missing(_) | Water::Ambiguous(_) => None,
    };
    Ok((data, water))
}

/// A message that names files beside `path` by their names alone: where the folder lies is nobody's concern.
pub(super) fn without_folder(message: &str, path: &Path) -> String {
    match path.parent().filter(|folder| folder.parent().is_some()) {
        Some(folder) => message.replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), ""),
        None => message.to_owned(),
    }
}

/// Reads one file, or some of its voxels. What the manifest states goes before what the file and its companions do, the
/// configuration's values fill what is left.
fn read(
    path: &Path,
    voxels: Option<Range<usize>>,
    shown_as: &str,
    gaps: &Facts,
    stated: &Facts,
) -> Result<Acquisition, Failure> {
    let data = match voxels {
        Some(voxels) => formats::read_voxels(path, voxels),
        None => formats::read(path),
    };
    let mut data = data.map_err(|e| {
        let message = without_folder(&error_chain(&e).replace(&path.display().to_string(), shown_as), path);
        Failure::new(e.code(), if message.starts_with(shown_as) { message } else { format!("{shown_as}: {message}") })
    })?;
    if data.n_points() > MAX_POINTS {
        let message =
            format!("{shown_as}: FIDs of {} points, more than the {MAX_POINTS} that are fitted", data.n_points());
        return Err(Failure::new("too_many_points", message));
    }
    data.facts = stated.clone().or(data.facts).or(gaps.clone());
    data.facts.make_printable();
    Ok(data)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn conditions_of_one_label_are_told_apart() {
        let labels = |given: &[&str]| -> Vec<String> {
            distinct(given.iter().map(|l| (Some((*l).to_owned()), ())).collect())
                .into_iter()
                .filter_map(|(l, ())| l)
                .collect()
        };
        assert_eq!(labels(&["on", "off", "diff"]), ["on", "off", "diff"]);
        assert_eq!(labels(&["a", "a", "b", "a"]), ["a", "a~2", "b", "a~3"]);
        // Not even where a number is somebody's label.
        assert_eq!(labels(&["a", "a", "a~2", "a~2", ""]), ["a", "a~3", "a~2", "a~2~2", ""]);
        assert_eq!(distinct(vec![(None, ())]), [(None, ())]);
        let many = vec![(Some("x".to_owned()), ()); 20_000];
        assert_eq!(distinct(many).into_iter().collect::<HashSet<_>>().len(), 20_000);
    }

    #[test]
    fn long_ids_are_cut_and_stay_apart() {
        let key = |label: &str| SpectrumKey { voxel: Some([1, 2, 3]), condition: Some(label.to_owned()) };
        assert_eq!(key("on").id_in("sub-01/x"), "sub-01/x#on#1,2,3");
        let long = "x".repeat(1000);
        let (a, b) = (key("a").id_in(&long), key("b").id_in(&long));
        assert_eq!((a.chars().count(), b.chars().count()), (ID_CHARS, ID_CHARS));
        assert!(a != b && a == key("a").id_in(&long));
    }
}
