//! From INPUT to files that may be spectra: folders searched, manifests read, every file once.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::found::{FindError, FindWarning, Problem};
use super::identity::file_name;
use super::ids::IdOrigin;
use super::left_out::{LeftOut, LeftOutKind};
use super::manifest::{self, Line, StatedWater};
use super::walk::walk;
use crate::acquisition::Look;
use crate::regular_file;

/// How a file came into the list.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// By searching a folder.
    Search,
    /// Named as INPUT.
    Named,
    /// A line of a manifest.
    Line(Box<Line>),
}

/// A file that may be a spectrum.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) path: PathBuf,
    /// The other files of its series, in order.
    pub(super) parts: Vec<PathBuf>,
    /// What paths in the tables are relative to.
    pub(super) base: PathBuf,
    pub(super) origin: Origin,
    pub(super) problem: Option<Problem>,
}

impl Candidate {
    pub(super) fn id_origin(&self, bases: &[PathBuf]) -> IdOrigin {
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

    /// Whether it was found without anybody saying what it is, and nothing is wrong with it so far.
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.origin, Origin::Line(_)) && self.problem.is_none()
    }

    pub(super) fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }
}

/// What paths in the tables are relative to, for an INPUT (absolute): itself, or the folder that holds it where it is a file,
/// or a scan that a format keeps in a folder.
pub(super) fn base_of(input: &Path, look: &dyn Look) -> PathBuf {
    let is_tree = input.is_dir() && look.in_folder(input).is_none();
    if is_tree { input.to_owned() } else { input.parent().unwrap_or(input).to_owned() }
}

/// Absolute path; links stay, so that names are those the user sees.
pub(super) fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// What was seen under INPUT.
pub(super) struct Collected {
    pub(super) candidates: Vec<Candidate>,
    pub(super) left_out: Vec<LeftOut>,
    /// Manifests' own columns.
    pub(super) carried: Vec<String>,
}

/// All files under `inputs`: what may be a spectrum, and what is none.
pub(super) fn collect(
    inputs: &[PathBuf],
    look: &dyn Look,
    warnings: &mut Vec<FindWarning>,
) -> Result<Collected, FindError> {
    let (mut candidates, mut carried) = (Vec::new(), Vec::new());
    let mut left_out: HashMap<PathBuf, LeftOut> = HashMap::new();
    // A file that two INPUTs reach is one spectrum.
    let mut seen = HashSet::new();
    for input in inputs {
        if !input.exists() {
            return Err(FindError::NotThere { path: input.clone() });
        }
        let input = absolute(input);
        let base = base_of(&input, look);
        let mut add = |path: PathBuf, origin: Origin, problem: Option<Problem>| {
            if matches!(origin, Origin::Line(_)) || seen.insert(path.clone()) {
                candidates.push(Candidate { path, parts: Vec::new(), base: base.clone(), origin, problem });
            }
        };
        if input.is_dir() {
            let mut walked = walk(&input, look);
            warnings.append(&mut walked.warnings);
            for (path, problem) in walked.files {
                add(path, Origin::Search, problem);
            }
            for (path, kind) in walked.left_out {
                left_out.entry(path).or_insert_with_key(|path| LeftOut::new(path, &base, kind));
            }
        } else if manifest::is_manifest(&input) {
            let read = manifest::read(&input)?;
            left_out.insert(input.clone(), LeftOut::new(&input, &base, LeftOutKind::Manifest));
            let noted = |note| FindWarning::Manifest { path: input.clone(), note };
            warnings.extend(read.notes.into_iter().map(noted));
            carried.extend(read.carried);
            for mut line in read.lines {
                let problem = line_problem(&mut line, look);
                let path = if line.path.as_os_str().is_empty() {
                    base.join(format!("{}-line-{}", file_name(&input), line.number))
                } else {
                    absolute(&line.path)
                };
                add(path, Origin::Line(Box::new(line)), problem);
            }
        } else {
            add(input, Origin::Named, None);
        }
    }
    // What one INPUT leaves out, another may name.
    left_out.retain(|path, _| !seen.contains(path));
    let mut seen = HashSet::new();
    carried.retain(|name| seen.insert(name.clone()));
    Ok(Collected { candidates, left_out: left_out.into_values().collect(), carried })
}

/// What is wrong with a line. A folder that is a scan stands for the file in it, which the readers want.
fn line_problem(line: &mut Line, look: &dyn Look) -> Option<Problem> {
    if let StatedWater::File(path) = &mut line.water {
        stand_in(path, look);
    }
    stand_in(&mut line.path, look);
    let message = match &line.fault {
        Some(fault) => fault.clone(),
        None => match regular_file::check(&line.path) {
            Ok(_) => return None,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => manifest::no_such_file(&line.path),
            Err(_) if line.path.is_dir() => {
                "it is a folder without a scan of its own (Varian: fid with procpar; Bruker: fid or \
                 rawdata.job0 with method); name the file, or give the folder as INPUT to search it"
                    .to_owned()
            }
            Err(error) => format!("the file cannot be opened: {error}"),
        },
    };
    Some(Problem::ManifestLine { line: line.number, message })
}

fn stand_in(path: &mut PathBuf, look: &dyn Look) {
    if path.is_dir()
        && let Some(file) = look.in_folder(path)
    {
        *path = file;
    }
}
