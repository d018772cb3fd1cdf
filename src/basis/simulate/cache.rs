//! Simulated sets kept on disk by what they are made of, so that a second run costs nothing.
//!
//! A file holds the samples of one set. Its name is the hash of all that they depend on: spin systems, sequence, pulses, grid,
//! and the simulation's version. It is verified when it is read, and whatever is not as it should be is simulated anew. The
//! cache is never a reason to fail: where it cannot be written, there is none.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use ndarray::Array2;
use num_complex::Complex64;

use crate::hash::sha256_hex;
use crate::regular_file;

/// The first line of a file.
const HEAD: &str = "requant simulated set 1";
/// The version of the simulation: what it is built from.
const SIMULATION: &str = concat!(env!("CARGO_PKG_VERSION"), " ", env!("REQUANT_SIMULATION"));
/// Most that a cache holds (bytes): some hundred protocols.
const MOST_BYTES: u64 = 256 << 20;
/// Ends of the names of sets, and of those that are being written.
const ENDS: [&str; 2] = [".set", ".part"];
/// Characters of a hash.
const HASH_CHARS: usize = 64;

/// A folder of sets.
#[derive(Debug, Clone)]
pub(crate) struct SetCache {
    folder: PathBuf,
    most_bytes: u64,
}

impl SetCache {
    /// The user's: `REQUANT_CACHE_DIR` (empty: none), or `requant` in the system's folder for caches.
    pub(crate) fn of_user() -> Option<Self> {
        Self::chosen(|name| std::env::var_os(name))
    }

    fn chosen(variable: impl Fn(&str) -> Option<OsString>) -> Option<Self> {
        let folder = |name: &str| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        // Relative folders of caches are to be ignored (XDG Base Directory Specification 0.8).
        let absolute = |name: &str| folder(name).filter(|path| path.is_absolute());
        let folder = match variable("REQUANT_CACHE_DIR") {
            Some(asked) if asked.is_empty() => None,
            Some(asked) => Some(PathBuf::from(asked)),
            None => {
                let of_system = if cfg!(windows) { absolute("LOCALAPPDATA") } else { absolute("XDG_CACHE_HOME") };
                of_system.or_else(|| Some(absolute("HOME")?.join(".cache"))).map(|caches| caches.join("requant"))
            }
        };
        Some(Self { folder: folder?.join("simulated-sets"), most_bytes: MOST_BYTES })
    }

    /// The samples of a set whose recipe has the hash `recipe`.
    pub(super) fn get(&self, recipe: &str, (members, points): (usize, usize)) -> Option<Array2<Complex64>> {
        let path = self.path(recipe);
        let head_bytes = HEAD.len() + 2 * HASH_CHARS + 3;
        let most = members.checked_mul(points)?.checked_mul(size_of::<Complex64>())?.checked_add(head_bytes)?;
        let file = regular_file::bytes(&path, most as u64).ok().filter(|bytes| bytes.len() == most)?;
        let (head, samples) = file.split_at_checked(head_bytes)?;
        if head != head_of(recipe, samples).as_bytes() {
            return None;
        }
        let number = |bytes: &[u8]| Some(f64::from_le_bytes(bytes.try_into().ok()?));
        let values = samples
            .chunks_exact(size_of::<Complex64>())
            .map(|pair| Some(Complex64::new(number(&pair[..8])?, number(&pair[8..])?)))
            .collect::<Option<Vec<_>>>()?;
        // The sets that are used last are kept longest; where nothing can be written, nothing is removed either.
        let _ = regular_file::open(&path, most as u64).and_then(|file| file.set_modified(SystemTime::now()));
        Array2::from_shape_vec((members, points), values).ok()
    }

    /// Keeps the samples of a set, if that is possible.
    pub(super) fn keep(&self, recipe: &str, fids: &Array2<Complex64>) {
        // What cannot be kept is simulated again.
        let _ = self.write(recipe, fids);
    }

    fn write(&self, recipe: &str, fids: &Array2<Complex64>) -> io::Result<()> {
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let samples: Vec<u8> = fids.iter().flat_map(|z| [z.re.to_le_bytes(), z.im.to_le_bytes()]).flatten().collect();
        fs::create_dir_all(&self.folder)?;
        self.make_room(samples.len() as u64)?;
        let path = self.path(recipe);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let part = path.with_extension(format!("{}-{number}.part", std::process::id()));
        let mut file = fs::File::create_new(&part)?;
        let written = file
            .write_all(head_of(recipe, &samples).as_bytes())
            .and_then(|()| file.write_all(&samples))
            .and_then(|()| fs::rename(&part, &path));
        if written.is_err() {
            let _ = fs::remove_file(&part);
        }
        written
    }

    /// Removes the sets that were not used for longest until `bytes` more have room.
    fn make_room(&self, bytes: u64) -> io::Result<()> {
        if bytes > self.most_bytes {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let mut sets = self.sets()?;
        sets.sort();
        let mut held: u64 = sets.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, of_set, path) in sets {
            if held.saturating_add(bytes) <= self.most_bytes {
                break;
            }
            fs::remove_file(path)?;
            held -= of_set;
        }
        Ok(())
    }

    /// Its sets: when each was used last, its length (bytes), and its file.
    fn sets(&self) -> io::Result<Vec<(SystemTime, u64, PathBuf)>> {
        let of = |path: PathBuf| {
            let data = path.symlink_metadata().ok().filter(|data| data.is_file() && is_own(&path))?;
            Some((data.modified().ok()?, data.len(), path))
        };
        Ok(fs::read_dir(&self.folder)?.filter_map(|entry| of(entry.ok()?.path())).collect())
    }

    /// Where it is.
    #[cfg(feature = "cli")]
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// How many sets it holds, how much they take, and the most that they may take (bytes). A folder that is not there holds
    /// none.
    #[cfg(feature = "cli")]
    pub(crate) fn held(&self) -> (usize, u64, u64) {
        let sets = self.sets().unwrap_or_default();
        (sets.len(), sets.iter().map(|(_, bytes, _)| bytes).sum(), self.most_bytes)
    }

    /// Removes its sets and nothing else; how many there were.
    ///
    /// # Errors
    /// The first file that cannot be removed.
    #[cfg(feature = "cli")]
    pub(crate) fn clear(&self) -> io::Result<usize> {
        let sets =
            self.sets().or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(Vec::new()) } else { Err(e) })?;
        sets.iter().try_for_each(|(_, _, path)| fs::remove_file(path))?;
        Ok(sets.len())
    }

    fn path(&self, recipe: &str) -> PathBuf {
        self.folder.join(sha256_hex(format!("{SIMULATION}\n{recipe}").as_bytes())).with_extension("set")
    }
}

/// What stands before the samples.
fn head_of(recipe: &str, samples: &[u8]) -> String {
    let made_of = sha256_hex(format!("{SIMULATION}\n{recipe}").as_bytes());
    format!("{HEAD}\n{made_of}\n{}\n", sha256_hex(samples))
}

/// Whether a file is named as sets are: nothing else is ever removed.
fn is_own(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (hash, rest) = name.split_at_checked(HASH_CHARS).unwrap_or_default();
    hash.bytes().all(|b| b.is_ascii_hexdigit()) && !hash.is_empty() && ENDS.iter().any(|end| rest.ends_with(end))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn cache(folder: &Path) -> SetCache {
        SetCache { folder: folder.to_owned(), most_bytes: MOST_BYTES }
    }

    fn set(first: f64) -> Array2<Complex64> {
        Array2::from_shape_fn((3, 16), |(m, p)| Complex64::new(first + m as f64, -0.1 * p as f64))
    }

    #[test]
    fn what_is_kept_comes_back_bit_by_bit_and_only_under_its_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(&folder.path().join("new"));
        assert!(cache.get("a", (3, 16)).is_none());
        cache.keep("a", &set(0.1));
        assert_eq!(cache.get("a", (3, 16)), Some(set(0.1)));
        assert!(cache.get("b", (3, 16)).is_none() && cache.get("a", (4, 16)).is_none());
        // Another recipe's file under this one's name.
        cache.keep("b", &set(0.2));
        fs::copy(cache.path("b"), cache.path("a")).unwrap();
        assert!(cache.get("a", (3, 16)).is_none());
        cache.keep("a", &set(0.1));
        assert_eq!(cache.get("a", (3, 16)), Some(set(0.1)));
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn a_damaged_file_is_none_whichever_byte_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        cache.keep("a", &set(0.1));
        let whole = fs::read(cache.path("a")).unwrap();
        for k in (0..whole.len()).step_by(7).chain([whole.len() - 1]) {
            let mut damaged = whole.clone();
            damaged[k] ^= 1;
            fs::write(cache.path("a"), damaged).unwrap();
            assert!(cache.get("a", (3, 16)).is_none(), "byte {k}");
        }
        for length in [0, 1, 100, whole.len() - 1] {
            fs::write(cache.path("a"), &whole[..length]).unwrap();
            assert!(cache.get("a", (3, 16)).is_none(), "{length} bytes");
        }
        fs::write(cache.path("a"), [whole.clone(), vec![0]].concat()).unwrap();
        assert!(cache.get("a", (3, 16)).is_none());
    }

    #[test]
    fn the_oldest_goes_where_there_is_no_room_and_nothing_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let each = set(0.0).len() as u64 * 16;
        let cache = SetCache { folder: folder.path().to_owned(), most_bytes: 3 * (each + 200) };
        fs::write(folder.path().join("notes.set"), vec![0; 1 << 16]).unwrap();
        for (k, name) in ["a", "b", "c"].into_iter().enumerate() {
            cache.keep(name, &set(0.1));
            let when = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000 + k as u64);
            fs::File::open(cache.path(name)).unwrap().set_modified(when).unwrap();
        }
        // Used again.
        assert!(cache.get("a", (3, 16)).is_some());
        cache.keep("d", &set(0.1));
        let there = ["a", "b", "c", "d"].map(|name| cache.get(name, (3, 16)).is_some());
        assert_eq!(there, [true, false, true, true]);
        assert!(folder.path().join("notes.set").exists());
        SetCache { most_bytes: 10, ..cache.clone() }.keep("e", &set(0.1));
        assert!(cache.get("e", (3, 16)).is_none());
    }

    #[test]
    fn what_is_held_is_counted_and_cleared_and_nothing_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let cache = cache(folder.path());
        let empty = SetCache { folder: folder.path().join("none"), most_bytes: 7 };
        assert_eq!((empty.held(), empty.clear().unwrap()), ((0, 0, 7), 0));
        cache.keep("a", &set(0.1));
        cache.keep("b", &set(0.2));
        fs::write(folder.path().join("notes.set"), "x").unwrap();
        let (sets, bytes, _) = cache.held();
        assert_eq!((sets, bytes), (2, 2 * fs::metadata(cache.path("a")).unwrap().len()));
        assert_eq!((cache.clear().unwrap(), cache.held().0), (2, 0));
        assert!(folder.path().join("notes.set").exists());
    }

    #[test]
    fn a_place_that_cannot_be_written_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "x").unwrap();
        let cache = cache(&file.join("below"));
        cache.keep("a", &set(0.1));
        assert!(cache.get("a", (3, 16)).is_none());
    }

    #[test]
    fn the_environment_says_where() {
        let of = |all: &'static [(&str, &str)]| {
            let found = move |name: &str| all.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v));
            SetCache::chosen(found).map(|cache| cache.folder)
        };
        let named = |path: &str| Some(Path::new(path).join("simulated-sets"));
        assert_eq!(of(&[("REQUANT_CACHE_DIR", "/c"), ("XDG_CACHE_HOME", "/x")]), named("/c"));
        assert_eq!(of(&[("REQUANT_CACHE_DIR", ""), ("HOME", "/h")]), None);
        assert_eq!(of(&[]), None);
        if cfg!(unix) {
            assert_eq!(of(&[("XDG_CACHE_HOME", "/x"), ("HOME", "/h")]), named("/x/requant"));
            assert_eq!(of(&[("XDG_CACHE_HOME", "x"), ("HOME", "/h")]), named("/h/.cache/requant"));
        }
    }
}
