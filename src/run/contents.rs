//! What the files of a listing hold, with all that belongs to them, and whether they stay so while a run reads them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rayon::prelude::*;

use super::RunError;
use crate::basis::simulate::Stated;
use crate::corpus::{Found, Water};
use crate::formats;
use crate::hash::{sha256_file, sha256_hex};
use crate::store::Content;

/// What a hash is called where the file cannot be read.
pub(super) const UNREADABLE: &str = "unreadable";
/// What files are that many inputs may share, and that a run reads once for all of them.
const BASIS: &str = "basis";
const RECIPE: &str = "recipe";

/// A file that rows depend on, as it was when it was hashed.
struct SeenFile {
    role: &'static str,
    path: PathBuf,
    /// Taken before the hash.
    stamp: Option<Stamp>,
    sha256: Option<String>,
}

impl SeenFile {
    fn new(role: &'static str, path: PathBuf) -> Self {
        Self { role, stamp: Stamp::of(&path), sha256: sha256_file(&path).ok(), path }
    }

    fn is_shared(&self) -> bool {
        self.role == BASIS || self.role == RECIPE
    }

    fn line(&self) -> String {
        format!("{}\t{}\t{}\n", self.role, name_of(&self.path), self.sha256.as_deref().unwrap_or(UNREADABLE))
    }
}

/// What tells a file from one that takes its place, without reading either.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    length_bytes: u64,
    modified: Option<SystemTime>,
    /// Device and inode, where the system has them.
    number: Option<(u64, u64)>,
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let number = {
            use std::os::unix::fs::MetadataExt;
            Some((metadata.dev(), metadata.ino()))
        };
        #[cfg(not(unix))]
        let number = None;
        Some(Self { length_bytes: metadata.len(), modified: metadata.modified().ok(), number })
    }
}

/// An input of the listing as it was when it was hashed.
pub(super) struct Seen {
    pub(super) content: Content,
    files: Vec<SeenFile>,
}

impl Seen {
    fn of(found: &Found) -> Self {
        let files: Vec<SeenFile> =
            files_of(found).into_par_iter().map(|(role, path)| SeenFile::new(role, path)).collect();
        let inputs_sha256 = sha256_of(files.iter());
        let content = Content {
            source_path: found.source_path.clone(),
            source_sha256: files.first().and_then(|file| file.sha256.clone()),
            all_sha256: sha256_hex(format!("{inputs_sha256}\n{}", said_of(found)).as_bytes()),
            inputs_sha256,
        };
        Self { content, files }
    }
}

/// What a file of the listing holds, with all that belongs to it.
pub(super) fn content_of(found: &Found) -> Content {
    Seen::of(found).content
}

/// Hashes what `found` are, then does `read`.
///
/// # Errors
/// [`RunError::Changing`]: a file is another one afterwards, so that nobody knows which one was read.
pub(super) fn read_unchanged<T>(
    found: &[Found],
    read: impl FnOnce(&[Content]) -> T,
) -> Result<(Vec<Seen>, T), RunError> {
    let seen: Vec<Seen> = found.par_iter().map(Seen::of).collect();
    let contents: Vec<Content> = seen.iter().map(|seen| seen.content.clone()).collect();
    let read = read(&contents);
    unchanged(&seen, |_| true)?;
    Ok((seen, read))
}

/// Looks whether the basis sets and recipes of `seen` are still the files that were hashed. They are read when the first
/// spectrum needs them.
///
/// # Errors
/// [`RunError::Changing`]: one is not.
pub(super) fn shared_unchanged(seen: &[Seen]) -> Result<(), RunError> {
    unchanged(seen, SeenFile::is_shared)
}

fn unchanged(seen: &[Seen], which: impl Fn(&SeenFile) -> bool + Sync) -> Result<(), RunError> {
    let mut files: BTreeMap<&Path, &SeenFile> = BTreeMap::new();
    for file in seen.iter().flat_map(|seen| &seen.files).filter(|file| which(file)) {
        // Of a file that many share the earliest look counts.
        files.entry(&file.path).or_insert(file);
    }
    let files: Vec<&SeenFile> = files.into_values().collect();
    match files.par_iter().find_first(|file| Stamp::of(&file.path) != file.stamp) {
        Some(file) => Err(RunError::Changing { path: file.path.display().to_string() }),
        None => Ok(()),
    }
}

/// The basis sets and recipes that manifests name, by their paths, with a hash of all their files. A run reads each once, and
/// all its rows are of what was there then.
pub(super) struct Shared(BTreeMap<PathBuf, String>);

impl Shared {
    /// Hashes each whole, once.
    pub(super) fn of(found: &[Found]) -> Self {
        let named = found.iter().flat_map(named_by).collect::<BTreeSet<_>>();
        let hash = |(role, path): (&'static str, &Path)| {
            let files = files_of_named(role, path).into_par_iter().map(|path| SeenFile::new(role, path));
            (path.to_owned(), sha256_of(&files.collect::<Vec<_>>()))
        };
        Self(named.into_par_iter().map(hash).collect())
    }

    /// The hash of what a manifest names.
    pub(super) fn sha256(&self, path: &Path) -> Option<&str> {
        self.0.get(path).map(String::as_str)
    }

    /// Looks whether what `found` name is still what it was when the run began.
    ///
    /// # Errors
    /// [`RunError::Changing`]: it is not.
    pub(super) fn hold(&self, found: &[Found], seen: &[Seen]) -> Result<(), RunError> {
        for (found, seen) in found.iter().zip(seen) {
            for (role, path) in named_by(found) {
                let now = sha256_of(seen.files.iter().filter(|file| file.role == role));
                if self.sha256(path).is_some_and(|began| began != now) {
                    return Err(RunError::Changing { path: path.display().to_string() });
                }
            }
        }
        Ok(())
    }
}

/// What a manifest names for a file that others may share.
pub(super) fn named_by(found: &Found) -> impl Iterator<Item = (&'static str, &Path)> {
    let basis = found.overrides.basis.as_deref().map(|path| (BASIS, path));
    basis.into_iter().chain(found.overrides.recipe.as_deref().map(|path| (RECIPE, path)))
}

fn files_of_named(role: &str, path: &Path) -> Vec<PathBuf> {
    if role == RECIPE {
        let waveforms = Stated::read(path).map(|stated| stated.files).unwrap_or_default();
        return std::iter::once(path.to_owned()).chain(waveforms).collect();
    }
    let members = walkdir::WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
    members.flatten().filter(|entry| entry.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

/// One hash over files with their names and what they are.
fn sha256_of<'a>(files: impl IntoIterator<Item = &'a SeenFile>) -> String {
    let lines: String = files.into_iter().map(SeenFile::line).collect();
    sha256_hex(lines.as_bytes())
}

/// Every file that a row depends on, with what it is to it, in a fixed order: the file itself first.
fn files_of(found: &Found) -> Vec<(&'static str, PathBuf)> {
    let named = |(role, path)| files_of_named(role, path).into_iter().map(move |path| (role, path));
    own_files_of(found).into_iter().chain(named_by(found).flat_map(named)).collect()
}

/// Those of them that are not named by a manifest for many inputs at once.
pub(super) fn own_files_of(found: &Found) -> Vec<(&'static str, PathBuf)> {
    let mut files = vec![("data", found.path.clone())];
    files.extend(found.parts.iter().map(|path| ("part", path.clone())));
    files.extend(formats::companions(&found.path).into_iter().map(|path| ("companion", path)));
    if let Water::Paired(water) = &found.water {
        files.push(("water", water.clone()));
        files.extend(found.water_parts.iter().map(|path| ("water part", path.clone())));
        files.extend(formats::companions(water).into_iter().map(|path| ("water companion", path)));
    }
    files.extend(found.tissue.files().map(|path| ("segmentation", path.to_owned())));
    files
}

/// What the listing says of a file: from its path, a manifest, `participants.tsv`.
pub(super) fn said_of(found: &Found) -> String {
    let water = match &found.water {
        Water::None => "none",
        Water::Paired(_) => "paired",
        Water::Ambiguous(_) => "ambiguous",
        Water::Missing(_) => "missing",
        Water::Unfit(..) => "unfit",
    };
    format!(
        "{:?}",
        (
            (&found.id, &found.source_path, water, &found.water_source_path),
            (&found.subject, &found.session, &found.site, &found.voi),
            (&found.overrides.facts, &found.overrides.water),
            (&found.overrides.editing, &found.overrides.carried, &found.problem),
            found.tissue.said(),
        )
    )
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;
    use crate::corpus::Overrides;
    use crate::run::held::in_memory;

    fn found(path: &Path, basis: Option<&Path>) -> Found {
        let overrides = std::sync::Arc::new(Overrides { basis: basis.map(Path::to_owned), ..Overrides::default() });
        Found { path: path.to_owned(), overrides, ..in_memory("a") }
    }

    #[test]
    fn a_file_that_is_replaced_between_hash_and_reading_ends_the_run() {
        let dir = tempfile::tempdir().unwrap();
        let [data, other] = ["data", "other"].map(|name| dir.path().join(name));
        fs::write(&data, "before").unwrap();
        let files = [found(&data, None)];
        let (seen, read) = read_unchanged(&files, |contents| (contents.to_vec(), fs::read(&data).unwrap())).unwrap();
        assert_eq!((read.0[0].source_sha256.clone(), read.1), (Some(sha256_hex(b"before")), b"before".to_vec()));
        assert_eq!(seen[0].content, read.0[0]);
        // As long, and as old: another file none the less.
        let modified = fs::metadata(&data).unwrap().modified().unwrap();
        let replace = || {
            fs::write(&other, "after!").unwrap();
            fs::File::options().write(true).open(&other).unwrap().set_modified(modified).unwrap();
            fs::rename(&other, &data).unwrap();
        };
        let replaced = read_unchanged(&files, |_| replace()).map(drop);
        if cfg!(unix) {
            assert!(matches!(replaced, Err(RunError::Changing { .. })), "{replaced:?}");
        }
        for change in
            [|path: &Path| fs::write(path, "longer than it was").unwrap(), |path: &Path| fs::remove_file(path).unwrap()]
        {
            let changed = read_unchanged(&files, |_| change(&data)).map(drop);
            assert!(matches!(changed, Err(RunError::Changing { .. })), "{changed:?}");
        }
    }

    #[test]
    fn what_inputs_share_stays_what_it_was_when_the_run_began() {
        let dir = tempfile::tempdir().unwrap();
        let [data, basis] = ["data", "own.basis"].map(|name| dir.path().join(name));
        fs::write(&data, "data").unwrap();
        fs::create_dir(&basis).unwrap();
        fs::write(basis.join("NAA.RAW"), "NAA").unwrap();
        let files = [found(&data, Some(&basis)), found(&data, None)];
        let shared = Shared::of(&files);
        let look = || files.iter().map(Seen::of).collect::<Vec<Seen>>();
        let began = look();
        assert!(shared.hold(&files, &began).is_ok() && shared_unchanged(&began).is_ok());
        // A member more, and one that changes.
        for (member, now) in [("Cr.RAW", "Cr"), ("NAA.RAW", "another NAA")] {
            fs::write(basis.join(member), now).unwrap();
            let error = shared.hold(&files, &look()).unwrap_err().to_string();
            assert!(error.contains("own.basis changed"), "{error}");
        }
        assert!(shared_unchanged(&began).is_err());
        // The data were read before.
        fs::remove_file(&data).unwrap();
        assert!(shared_unchanged(&look()).is_ok());
    }
}
