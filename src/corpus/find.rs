//! From INPUT to a list of spectra.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bids::{self, Sidecars};
use super::collect::{Candidate, Collected, Origin, absolute, base_of, collect};
use super::found::{FindError, FindWarning, Found, Listing, Problem};
use super::identity::{entity, file_name, format_of, id_of, relative_path, split_extension};
use super::ids::{make_distinct, shown_from};
use super::labelling::Labelling;
use super::left_out::{LeftOut, LeftOutKind, counts, in_words};
use super::manifest::{Overrides, StatedWater};
use super::pair::{self, Role, Unfit, Water};
use super::participants::Participants;
use super::path_labels::PathLabels;
use super::walk::siblings;
use super::{circles, same_scan, series, series_folders};
use crate::acquisition::Look;
use crate::interrupt;
use crate::printable::{PATH_CHARS, printable, printable_label};
use crate::tissue::Source;

/// Finds the spectra in `inputs` and pairs them with their water references.
///
/// `look` says what a file is that is met in a folder; files named as INPUT or in a manifest are
/// taken as they are.
///
/// # Errors
/// [`FindError`] if an INPUT does not exist, there is nothing in any, two INPUTs have files of one path, or a manifest is
/// unusable. What concerns single files becomes rows ([`Found::refusal`]) or warnings.
pub fn find(inputs: &[PathBuf], look: &dyn Look) -> Result<Listing, FindError> {
    find_labelled(inputs, look, None)
}

/// [`find`], with labels out of the paths. They go before what BIDS names and `participants.tsv` say; what a manifest states
/// goes before them.
///
/// # Errors
/// As [`find`].
pub fn find_labelled(inputs: &[PathBuf], look: &dyn Look, labels: Option<&PathLabels>) -> Result<Listing, FindError> {
    let mut warnings = Vec::new();
    let Collected { mut candidates, mut left_out, carried } = collect(inputs, look, &mut warnings)?;
    let mut roles = roles(&candidates, &mut warnings);
    series::merge(&mut candidates, &roles, look, &mut left_out, &mut warnings);
    series::complete_lines(&mut candidates, look);
    series_folders::pair(&candidates, &mut roles, look);
    same_scan::find(&mut candidates, &roles, look);
    let mut places = Places::default();
    let parts: HashMap<PathBuf, Vec<PathBuf>> =
        candidates.iter().filter(|c| !c.parts.is_empty()).map(|c| (places.of(&c.path), c.parts.clone())).collect();

    let mut waters: Vec<Water> = candidates.iter().map(|c| water_of(c, &roles)).collect();
    circles::refuse(&candidates, &mut waters, &mut |path| places.of(path));
    let used: HashSet<PathBuf> = waters.iter().flat_map(Water::files).map(|path| places.of(path)).collect();
    let (mut found, mut id_origins) = (Vec::new(), Vec::new());
    let bases: Vec<PathBuf> = inputs.iter().map(|input| base_of(&absolute(input), look)).collect();
    let (mut participants, mut labelling) = (Participants::default(), Labelling::new(labels));
    for (mut candidate, water) in candidates.into_iter().zip(&waters) {
        let from_manifest = matches!(candidate.origin, Origin::Line(_));
        // What names itself, or one another, is a row that says so, whoever else names it.
        let is_of_circle = matches!(water, Water::Unfit(_, Unfit::Itself | Unfit::Circle));
        if !is_of_circle && used.contains(&places.of(&candidate.path)) {
            left_out.push(LeftOut::new(&candidate.path, &candidate.base, LeftOutKind::WaterReference));
            if from_manifest {
                warnings.push(FindWarning::ListedReference { path: candidate.path });
            }
            continue;
        }
        let is_reference = roles.get(&candidate.path) == Some(&Role::Reference);
        if is_reference && !from_manifest && candidate.problem.is_none() {
            candidate.problem = Some(Problem::LoneReference);
        }
        id_origins.push(candidate.id_origin(&bases));
        let water_parts = water.files().first().and_then(|path| parts.get(&places.of(path))).cloned();
        let water = (water.clone(), water_parts.unwrap_or_default());
        found.push(found_from(candidate, water, &mut participants, &mut labelling));
    }
    warnings.append(&mut participants.warnings);
    warnings.extend(labelling.warnings());
    if interrupt::asked() {
        return Err(FindError::Stopped);
    }
    if found.is_empty() {
        let inputs: Vec<String> = inputs.iter().map(|i| i.display().to_string()).collect();
        let seen = if left_out.is_empty() { "nothing".to_owned() } else { in_words(&counts(&left_out)) };
        return Err(FindError::NoInput { inputs: inputs.join(", "), seen });
    }
    make_distinct(&mut found, &id_origins, &mut warnings)?;
    let show = |path: &PathBuf, base: &PathBuf| shown(path, base);
    let warnings = warnings.into_iter().map(|warning| shown_from(warning, &bases, show)).collect();
    left_out.sort();
    Ok(Listing { found, left_out, carried, warnings })
}

/// A path below `base` as tables and logs show it.
fn shown(path: &Path, base: &Path) -> String {
    printable(&relative_path(path, base), PATH_CHARS)
}

/// Where folders lie, however they are written: each is looked up once.
#[derive(Default)]
struct Places(HashMap<PathBuf, Option<PathBuf>>);

impl Places {
    /// Where a file lies, however its folder is written (`a/../b`, links), to compare paths. A link to
    /// the file itself stays: annexed datasets share one target among equal files.
    fn of(&mut self, path: &Path) -> PathBuf {
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return path.to_owned() };
        if !self.0.contains_key(folder) {
            self.0.insert(folder.to_owned(), folder.canonicalize().ok());
        }
        let place = self.0.get(folder).and_then(Option::as_ref);
        place.map_or_else(|| path.to_owned(), |place| place.join(name))
    }
}

/// The role of every file in the candidates' folders, by name and sidecar.
fn roles(candidates: &[Candidate], warnings: &mut Vec<FindWarning>) -> HashMap<PathBuf, Role> {
    let mut folders: BTreeMap<&Path, Vec<PathBuf>> = BTreeMap::new();
    // Beside files that were named one by one, partners must be looked for.
    let mut to_list: BTreeMap<&Path, HashSet<String>> = BTreeMap::new();
    for candidate in candidates {
        let folder = candidate.path.parent().unwrap_or(Path::new(""));
        folders.entry(folder).or_default().push(candidate.path.clone());
        if !matches!(candidate.origin, Origin::Search) {
            let extension = format_of(split_extension(&file_name(&candidate.path)).1);
            to_list.entry(folder).or_default().insert(extension);
        }
    }
    for (folder, extensions) in to_list {
        match siblings(folder, &extensions) {
            Ok(beside) => folders.entry(folder).or_default().extend(beside),
            // The line that leads there is a row that says so.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let (path, message) = (folder.to_owned(), error.to_string());
                warnings.push(FindWarning::Unreadable { path, message });
            }
        }
    }
    let mut sidecars = Sidecars::default();
    let mut roles = HashMap::new();
    for mut files in folders.into_values() {
        files.sort();
        files.dedup();
        let mut by_bids = bids::pair_folder(&files, &mut sidecars);
        for (path, role) in files.iter().zip(pair::pair_folder(&files)) {
            let role = match by_bids.remove(path) {
                None | Some(Water::None) => role,
                Some(water) => Role::Spectrum(water),
            };
            roles.insert(path.clone(), role);
        }
    }
    warnings.append(&mut sidecars.warnings);
    let n = sidecars.of_other_acq.len();
    let first = sidecars.of_other_acq.into_iter().next();
    warnings.extend(first.map(|(path, water)| FindWarning::OtherAcquisition { path, water: file_name(&water), n }));
    roles
}

fn water_of(candidate: &Candidate, roles: &HashMap<PathBuf, Role>) -> Water {
    if let Origin::Line(line) = &candidate.origin {
        match &line.water {
            StatedWater::Unstated => {}
            StatedWater::None => return Water::None,
            // What is there and cannot be read, reading tells.
            StatedWater::File(path) if path.exists() => return Water::Paired(absolute(path)),
            StatedWater::File(path) => return Water::Missing(absolute(path)),
        }
    }
    match roles.get(&candidate.path) {
        // What is left out for another format has its own water reference all the same.
        Some(Role::Spectrum(water)) if matches!(candidate.problem, None | Some(Problem::SameScan { .. })) => {
            water.clone()
        }
        _ => Water::None,
    }
}

/// The row of a candidate with its water reference, and the other files of that one's series.
fn found_from(
    candidate: Candidate,
    (water, water_parts): (Water, Vec<PathBuf>),
    participants: &mut Participants,
    labelling: &mut Labelling<'_>,
) -> Found {
    let below_base = relative_path(&candidate.path, &candidate.base);
    let water_source_path = match &water {
        Water::Paired(path) => Some(shown(path, &candidate.base)),
        // A BIDS URI of another dataset is no path.
        Water::Missing(path) if path.is_relative() => Some(printable(&path.to_string_lossy(), PATH_CHARS)),
        Water::Missing(path) | Water::Unfit(path, _) => Some(shown(path, &candidate.base)),
        Water::None | Water::Ambiguous(_) => None,
    };
    // The INPUT folder itself may be the subject's.
    let named = format!("{}/{below_base}", file_name(&candidate.base));
    let source_path = printable(&below_base, PATH_CHARS);
    let [by_path @ .., mut site] = labelling.of(&candidate.path, &below_base);
    let (mut id, mut overrides) = (id_of(&source_path), Overrides::none());
    let mut labels = ["sub", "ses", "voi"].map(|key| entity(&named, key));
    for (label, by_path) in labels.iter_mut().zip(by_path) {
        *label = by_path.or(label.take());
    }
    if let Origin::Line(line) = candidate.origin {
        // A faulty line's id may be the fault.
        id = line.id.filter(|_| line.fault.is_none()).map_or(id, |id| printable(&id, usize::MAX));
        site = labelling.stated_or(&candidate.path, line.site, site);
        let mut stated = line.overrides;
        stated.facts.make_printable();
        overrides = Arc::new(stated);
        for (label, stated) in labels.iter_mut().zip([line.subject, line.session, line.voi]) {
            *label = labelling.stated_or(&candidate.path, stated, label.take());
        }
    }
    let [subject, session, voi] = labels;
    let site = site.or_else(|| participants.site(candidate.path.parent()?, subject.as_deref()?));
    Found {
        path: candidate.path,
        parts: candidate.parts,
        id,
        source_path,
        water,
        water_parts,
        water_source_path,
        subject: printable_label(subject),
        session: printable_label(session),
        site: printable_label(site),
        voi: printable_label(voi),
        overrides,
        tissue: Source::None,
        problem: candidate.problem,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#[path = "find_tests.rs"]
mod tests;
