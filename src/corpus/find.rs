//! From INPUT to a list of spectra.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::bids::{self, Sidecars};
use super::found::{FindError, FindWarning, Found, Listing, Problem};
use super::identity::{entity, file_name, id_of, relative_path, split_extension};
use super::ids::{IdOrigin, make_distinct, shown_from};
use super::left_out::{LeftOut, LeftOutKind, counts, in_words};
use super::manifest::{self, Line, Overrides, StatedWater};
use super::pair::{self, Role, Water};
use super::participants::Participants;
use super::walk::{siblings, walk};
use crate::acquisition::FileKind;
use crate::interrupt;
use crate::printable::{PATH_CHARS, printable, printable_label};
use crate::regular_file;

/// How a file came into the list.
#[derive(Debug, Clone)]
enum Origin {
    /// By searching a folder.
    Search,
    /// Named as INPUT.
    Named,
    /// A line of a manifest.
    Line(Box<Line>),
}

struct Candidate {
    path: PathBuf,
    /// What paths in the tables are relative to.
    base: PathBuf,
    origin: Origin,
    problem: Option<Problem>,
}

impl Candidate {
    fn id_origin(&self, bases: &[PathBuf]) -> IdOrigin {
        let input = bases.iter().position(|base| *base == self.base).unwrap_or(0);
        match &self.origin {
            // A faulty line's id may be the fault.
            Origin::Line(line) => {
                let is_stated = line.id.is_some() && line.fault.is_none();
                IdOrigin { line: Some(line.number), is_stated, input }
            }
            Origin::Search | Origin::Named => IdOrigin { line: None, is_stated: false, input },
        }
    }
}

/// Finds the spectra in `inputs` and pairs them with their water references.
///
/// `kind_of` says what a file is that is met in a folder; files named as INPUT or in a manifest are
/// taken as they are.
///
/// # Errors
/// [`FindError`] if an INPUT does not exist, there is nothing in any, two INPUTs have files of one path, or a manifest is
/// unusable. What concerns single files becomes rows ([`Found::refusal`]) or warnings.
pub fn find(inputs: &[PathBuf], kind_of: &dyn Fn(&Path) -> FileKind) -> Result<Listing, FindError> {
    let mut warnings = Vec::new();
    let (candidates, mut left_out) = collect(inputs, kind_of, &mut warnings)?;
    let roles = roles(&candidates, &mut warnings);

    let waters: Vec<Water> = candidates.iter().map(|c| water_of(c, &roles)).collect();
    let used: HashSet<PathBuf> = waters.iter().flat_map(Water::files).map(|path| place(path)).collect();
    let (mut found, mut id_origins) = (Vec::new(), Vec::new());
    let bases: Vec<PathBuf> = inputs.iter().map(|input| base_of(&absolute(input))).collect();
    let mut participants = Participants::default();
    for (mut candidate, water) in candidates.into_iter().zip(&waters) {
        let from_manifest = matches!(candidate.origin, Origin::Line(_));
        if used.contains(&place(&candidate.path)) {
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
        found.push(found_from(candidate, water.clone(), &mut participants));
    }
    warnings.append(&mut participants.warnings);
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
    Ok(Listing { found, left_out, warnings })
}

/// What paths in the tables are relative to, for an INPUT.
fn base_of(input: &Path) -> PathBuf {
    if input.is_dir() { input.to_owned() } else { input.parent().unwrap_or(input).to_owned() }
}

/// A path below `base` as tables and logs show it.
fn shown(path: &Path, base: &Path) -> String {
    printable(&relative_path(path, base), PATH_CHARS)
}

/// Absolute path; links stay, so that names are those the user sees.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Where a file lies, however its folder is written (`a/../b`, links), to compare paths. A link to
/// the file itself stays: annexed datasets share one target among equal files.
fn place(path: &Path) -> PathBuf {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

fn collect(
    inputs: &[PathBuf],
    kind_of: &dyn Fn(&Path) -> FileKind,
    warnings: &mut Vec<FindWarning>,
) -> Result<(Vec<Candidate>, Vec<LeftOut>), FindError> {
    let mut candidates = Vec::new();
    let mut left_out: HashMap<PathBuf, LeftOut> = HashMap::new();
    // A file that two INPUTs reach is one spectrum.
    let mut seen = HashSet::new();
    for input in inputs {
        if !input.exists() {
            return Err(FindError::NotThere { path: input.clone() });
        }
        let input = absolute(input);
        let folder = input.parent().unwrap_or(&input).to_owned();
        let mut add = |path: PathBuf, base: &Path, origin: Origin, problem: Option<Problem>| {
            if matches!(origin, Origin::Line(_)) || seen.insert(path.clone()) {
                candidates.push(Candidate { path, base: base.to_owned(), origin, problem });
            }
        };
        if input.is_dir() {
            let mut walked = walk(&input, kind_of);
            warnings.append(&mut walked.warnings);
            for (path, problem) in walked.files {
                add(path, &input, Origin::Search, problem);
            }
            for (path, kind) in walked.left_out {
                left_out.entry(path).or_insert_with_key(|path| LeftOut::new(path, &input, kind));
            }
        } else if manifest::is_manifest(&input) {
            let read = manifest::read(&input)?;
            left_out.insert(input.clone(), LeftOut::new(&input, &folder, LeftOutKind::Manifest));
            if !read.unknown_columns.is_empty() {
                let columns = read.unknown_columns;
                warnings.push(FindWarning::UnknownColumns { path: input.clone(), columns });
            }
            for line in read.lines {
                let problem = line_problem(&line);
                let path = if line.path.as_os_str().is_empty() {
                    folder.join(format!("{}-line-{}", file_name(&input), line.number))
                } else {
                    absolute(&line.path)
                };
                add(path, &folder, Origin::Line(Box::new(line)), problem);
            }
        } else {
            add(input, &folder, Origin::Named, None);
        }
    }
    // What one INPUT leaves out, another may name.
    left_out.retain(|path, _| !seen.contains(path));
    Ok((candidates, left_out.into_values().collect()))
}

fn line_problem(line: &Line) -> Option<Problem> {
    let message = match &line.fault {
        Some(fault) => fault.clone(),
        None => match regular_file::check(&line.path) {
            Ok(_) => return None,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                "there is no such file; paths are relative to the manifest".to_owned()
            }
            Err(error) => format!("the file cannot be opened: {error}"),
        },
    };
    Some(Problem::ManifestLine { line: line.number, message })
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
            let extension = split_extension(&file_name(&candidate.path)).1.to_lowercase();
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
        Some(Role::Spectrum(water)) if candidate.problem.is_none() => water.clone(),
        _ => Water::None,
    }
}

fn found_from(candidate: Candidate, water: Water, participants: &mut Participants) -> Found {
    let below_base = relative_path(&candidate.path, &candidate.base);
    let water_source_path = match &water {
        Water::Paired(path) => Some(shown(path, &candidate.base)),
        // A BIDS URI of another dataset is no path.
        Water::Missing(path) if path.is_relative() => Some(printable(&path.to_string_lossy(), PATH_CHARS)),
        Water::Missing(path) => Some(shown(path, &candidate.base)),
        Water::None | Water::Ambiguous(_) => None,
    };
    // The INPUT folder itself may be the subject's.
    let named = format!("{}/{below_base}", file_name(&candidate.base));
    let source_path = printable(&below_base, PATH_CHARS);
    let (mut id, mut site, mut overrides) = (id_of(&source_path), None, Overrides::default());
    let mut labels = ["sub", "ses", "voi"].map(|key| entity(&named, key));
    if let Origin::Line(line) = candidate.origin {
        // A faulty line's id may be the fault.
        id = line.id.filter(|_| line.fault.is_none()).map_or(id, |id| printable(&id, usize::MAX));
        site = line.site;
        overrides = line.overrides;
        overrides.facts.make_printable();
        for (label, stated) in labels.iter_mut().zip([line.subject, line.session, line.voi]) {
            *label = stated.or(label.take());
        }
    }
    let [subject, session, voi] = labels;
    let site = site.or_else(|| participants.site(candidate.path.parent()?, subject.as_deref()?));
    Found {
        path: candidate.path,
        id,
        source_path,
        water,
        water_source_path,
        subject: printable_label(subject),
        session: printable_label(session),
        site: printable_label(site),
        voi: printable_label(voi),
        overrides,
        problem: candidate.problem,
    }
}
