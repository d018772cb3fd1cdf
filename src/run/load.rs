//! From a found file to prepared spectra, or to the reason why not.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::acquisition::{Acquisition, Facts, NO_WATER_REFERENCE};
use crate::basis::check::Protocol;
use crate::corpus::{Found, Water};
use crate::error_chain::error_chain;
use crate::formats;
use crate::hash::sha256_file;
use crate::interrupt;
use crate::prepare::edit_order::arrange;
use crate::prepare::water::voxels::WaterVoxels;
use crate::prepare::{Preparation, PrepareError, Spectrum, prepare_parts};
use crate::store::{Content, Timings};

use super::conditions::EditConditions;
pub use super::loaded::{Failure, Header, ID_CHARS, Loaded, SpectrumKey};
use super::voxel_tissue::VoxelPlace;
use super::water_match;

/// Most points of an FID that is fitted: sixteen times what scanners store, four times what spectrometers do in vivo. Time
/// grows faster than the points, and a longer one is something else, or a header that is wrong.
pub const MAX_POINTS: usize = 65_536;

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
    load_part(found, None, gaps, preparation, None)
}

/// [`load`] of some voxels alone; the range may reach past the last one. Where the file's `content` is known it is hashed no
/// second time.
pub(super) fn load_part(
    found: &Found,
    voxels: Option<Range<usize>>,
    gaps: &Facts,
    preparation: &Preparation,
    content: Option<&Content>,
) -> Loaded {
    let header = Header { prepare_hash: Some(preparation.hash()), ..Header::default() };
    let started = Instant::now();
    let read = || load_acquisitions(found, voxels.clone(), gaps);
    let (sha256, measurements) = match content {
        Some(content) => (content.source_sha256.clone(), read()),
        None => rayon::join(|| sha256_file(&found.path).ok(), read),
    };
    let read = Timings { read_threads_s: started.elapsed().as_secs_f64(), ..Timings::default() };
    let mut loaded = Loaded { header: Header { sha256, ..header }, timings: read, ..Loaded::default() };
    let measurements = match measurements {
        Ok(measurements) => measurements,
        Err(failure) => {
            loaded.spectra.push((SpectrumKey::default(), Err(failure)));
            return loaded;
        }
    };
    loaded.prepare_all(found, measurements, voxels, preparation);
    loaded
}

/// [`load`] of a measurement that somebody holds already.
pub(super) fn load_held(
    found: &Found,
    mut data: Acquisition,
    water: Option<Acquisition>,
    gaps: &Facts,
    preparation: &Preparation,
) -> Loaded {
    let header = Header { prepare_hash: Some(preparation.hash()), ..Header::default() };
    let mut loaded = Loaded { header, ..Loaded::default() };
    let stated = &found.overrides.facts;
    let completed = complete(&mut data, &found.source_path, (gaps, stated));
    let water = water.map(|mut water| complete(&mut water, "water reference", (gaps, stated)).map(|()| water));
    match completed.and_then(|()| water.transpose()) {
        Ok(water) => loaded.prepare_all(found, measurements_of(data, water), None, preparation),
        Err(failure) => loaded.spectra.push((SpectrumKey::default(), Err(failure))),
    }
    loaded
}

impl Loaded {
    /// Prepares the measurements of a file; the header holds what is known of it before any of them.
    fn prepare_all(
        &mut self,
        found: &Found,
        measurements: Vec<Measurement>,
        voxels: Option<Range<usize>>,
        preparation: &Preparation,
    ) {
        let started = Instant::now();
        let first = self.header.clone();
        for Measurement { name, mut data, water } in measurements {
            let stated = &found.overrides.editing;
            let reference = water.as_ref().map(|w| &w.data).filter(|w| water_match::is_usable(&data, w));
            let sorted = arrange(&mut data, reference, preparation, stated, &file_stem(&found.path));
            let mut header = first.clone();
            header.state(&data, water.as_ref());
            let failed = |e: &PrepareError| Failure::new(e.code(), format!("{}: {e}", found.source_path));
            match sorted {
                Ok(()) => {
                    self.spectra.extend(prepared(&name, &data, reference, voxels.clone(), preparation, &failed));
                }
                Err(error) => {
                    let key = SpectrumKey { measurement: name.clone(), ..SpectrumKey::default() };
                    self.spectra.push((key, Err(failed(&error))));
                }
            }
            match name {
                Some(name) => drop(self.further.insert(name, header)),
                None => self.header = header,
            }
        }
        self.timings.prepare_threads_s = started.elapsed().as_secs_f64();
    }
}

type Entry = (SpectrumKey, Result<Spectrum, Failure>);

/// The spectra of one measurement: of all voxels, or of some.
fn prepared(
    name: &Option<String>,
    data: &Acquisition,
    water: Option<&Acquisition>,
    voxels: Option<Range<usize>>,
    preparation: &Preparation,
    failed: &dyn Fn(&PrepareError) -> Failure,
) -> Vec<Entry> {
    let (grid, n) = (data.grid, data.n_voxels());
    let wanted = voxels.map_or(0..n, |v| v.start.min(n)..v.end.min(n));
    let spectra = wanted.take_while(|_| !interrupt::asked()).flat_map(|voxel| {
        let index = (n > 1).then(|| index_in(grid, voxel));
        prepare_parts(preparation, data, water, voxel).into_iter().flat_map(move |(part, conditions)| {
            distinct(conditions).into_iter().map(move |(condition, prepared)| {
                let prepared = prepared.map_err(|e| failed(&e));
                (SpectrumKey { measurement: name.clone(), voxel: index, condition, part }, prepared)
            })
        })
    });
    spectra.collect()
}

/// Name of a file without its extensions.
fn file_stem(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    name.split('.').next().unwrap_or_default().to_owned()
}

/// The index of a voxel on its grid, the first index fastest.
pub(super) fn index_in([nx, ny, _]: [usize; 3], voxel: usize) -> [usize; 3] {
    [voxel % nx, voxel / nx % ny, voxel / (nx * ny)]
}

/// One measurement of a file, with its water reference.
pub(crate) struct Measurement {
    /// `None` for the first.
    pub(crate) name: Option<String>,
    pub(crate) data: Acquisition,
    pub(crate) water: Option<WaterData>,
}

/// A water reference, and which readouts of the file itself it is.
pub(crate) struct WaterData {
    pub(crate) data: Acquisition,
    readouts: Option<String>,
}

impl Header {
    /// Takes over what a measurement and its water reference state.
    fn state(&mut self, data: &Acquisition, water: Option<&WaterData>) {
        self.facts = data.facts.clone();
        self.protocol = Protocol {
            f0_mhz: data.facts.f0_mhz,
            te_s: data.facts.te_s,
            sequence: data.facts.sequence.clone(),
            dwell_s: data.facts.dwell_s,
            n_points: Some(data.n_points()),
        };
        self.grid = Some(data.grid);
        self.place = VoxelPlace::of(data);
        self.n_coils = Some(data.n_coils());
        self.n_transients = Some(data.n_transients());
        let editing = data.editing.as_ref().filter(|_| data.n_conditions() > 1);
        self.n_conditions = editing.map(|_| data.n_conditions());
        self.edit_pulses = EditConditions::of(data);
        self.edit_order_from = editing.map(|editing| editing.origin);
        self.edit_order = editing.map(|editing| {
            let turns = editing.turns.map(|turns| turns.to_string());
            turns
                .into_iter()
                .chain(data.condition_labels.iter().map(|l| l.to_lowercase()))
                .collect::<Vec<_>>()
                .join(" ")
        });
        self.flags.clone_from(&data.flags);
        self.remarks.extend(data.remarks.iter().cloned());
        if water.is_none() {
            self.flags.push(NO_WATER_REFERENCE);
        }
        self.water_readouts = water.and_then(|water| water.readouts.clone());
        let of_water = water.map(|water| water_match::facts_of_water(data, &water.data));
        self.water_te_s = of_water.as_ref().and_then(|facts| facts.te_s);
        self.water_tr_s = of_water.as_ref().and_then(|facts| facts.tr_s);
        self.water_averages = water.and_then(|water| water.data.facts.averages_on_scanner);
        if let Some(water) = water {
            self.compare(data, &water.data);
        }
    }
}

/// The measurements of a file with their water references.
pub(crate) fn load_acquisitions(
    found: &Found,
    voxels: Option<Range<usize>>,
    gaps: &Facts,
) -> Result<Vec<Measurement>, Failure> {
    let stated = &found.overrides.facts;
    let mut data = read(&found.path, &found.parts, voxels.clone(), &found.source_path, (gaps, stated))?;
    let paired = match &found.water {
        Water::Paired(path) => {
            let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            // What the manifest states of the spectrum's own times is not the reference's, if that has them.
            let times = Facts { te_s: stated.te_s, tr_s: stated.tr_s, ..Facts::default() };
            let of_water = &found.overrides.water;
            let others = Facts { te_s: of_water.te_s, tr_s: of_water.tr_s, ..stated.clone() };
            let failed =
                |f: Failure| Failure::new(format!("water_{}", f.code), format!("water reference {}", f.message));
            let decoded = |voxels| decode(path, &found.water_parts, voxels, &name).map_err(failed);
            let mut water = decoded(voxels.clone())?;
            let lacking = voxels.zip(WaterVoxels::of(&data, &water).ok());
            if let Some(needed) = lacking.and_then(|(voxels, of_water)| of_water.lacking(voxels, &water)) {
                water = decoded(Some(needed))?;
            }
            let own = water.facts.clone();
            complete(&mut water, &name, (&times.clone().or(gaps.clone()), &others)).map_err(failed)?;
            data.remarks.extend(water_match::times_of_the_line(&own, &water.facts, &times));
            Some(water)
        }
        // Missing, unfit and ambiguous ones are refused before anything is read ([`Found::refusal`]).
        Water::None | Water::Missing(_) | Water::Unfit(..) | Water::Ambiguous(_) => None,
    };
    Ok(measurements_of(data, paired))
}

/// The measurements of what was read, each with the reference that was `paired`, else with its own.
fn measurements_of(mut data: Acquisition, paired: Option<Acquisition>) -> Vec<Measurement> {
    let further = std::mem::take(&mut data.further);
    let all = std::iter::once((None, data)).chain(further.into_iter().map(|(name, data)| (Some(name), data)));
    let all = all.map(|(name, mut data)| {
        let readouts = data.water.as_ref().map(|water| water.readouts.clone());
        let inside = data.take_water().map(|data| WaterData { data, readouts });
        let paired = paired.clone().map(|data| WaterData { data, readouts: None });
        Measurement { name, data, water: paired.or(inside) }
    });
    all.collect()
}

/// A message that names files beside `path` by their names alone: where the folder lies is nobody's concern.
pub(super) fn without_folder(message: &str, path: &Path) -> String {
    match path.parent().filter(|folder| folder.parent().is_some()) {
        Some(folder) => message.replace(&format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR), ""),
        None => message.to_owned(),
    }
}

/// Reads one file with the other parts of its series, or some of its voxels. What the manifest states goes before what the
/// file and its companions do, the configuration's values fill what is left, and stand for what cannot be right.
fn read(
    path: &Path,
    parts: &[PathBuf],
    voxels: Option<Range<usize>>,
    shown_as: &str,
    (gaps, stated): (&Facts, &Facts),
) -> Result<Acquisition, Failure> {
    let mut data = decode(path, parts, voxels, shown_as)?;
    complete(&mut data, shown_as, (gaps, stated))?;
    Ok(data)
}

/// [`read`] of what the file itself says.
fn decode(
    path: &Path,
    parts: &[PathBuf],
    voxels: Option<Range<usize>>,
    shown_as: &str,
) -> Result<Acquisition, Failure> {
    let data = match voxels {
        _ if !parts.is_empty() => formats::read_series(path, parts),
        Some(voxels) => formats::read_voxels(path, voxels),
        None => formats::read(path),
    };
    data.map_err(|e| {
        let message = without_folder(&error_chain(&e).replace(&path.display().to_string(), shown_as), path);
        Failure::new(e.code(), if message.starts_with(shown_as) { message } else { format!("{shown_as}: {message}") })
    })
}

/// Puts together what is known of a measurement that was read; an error where it is too long to be one.
fn complete(data: &mut Acquisition, shown_as: &str, (gaps, stated): (&Facts, &Facts)) -> Result<(), Failure> {
    if data.n_points() > MAX_POINTS {
        let message =
            format!("{shown_as}: FIDs of {} points, more than the {MAX_POINTS} that are fitted", data.n_points());
        return Err(Failure::new("too_many_points", message));
    }
    let state = |data: &mut Acquisition| {
        // What cannot be right is not known.
        let own = std::mem::take(&mut data.facts).corrected_by(gaps, &mut data.remarks);
        let own = own.giving_way_to(gaps, &mut data.remarks);
        data.facts = stated.clone().or(own).or(gaps.clone());
        data.facts.make_printable();
    };
    state(data);
    data.further.iter_mut().for_each(|(_, further)| state(further));
    Ok(())
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
}
