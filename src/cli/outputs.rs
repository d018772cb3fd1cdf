//! Files that commands write: never over one that they read, never through a link that leads elsewhere.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;

use super::error::CliError;
use crate::formats;
use crate::output_path::path_inside;
use crate::printable::printable_path;
use crate::regular_file;
use crate::report::PictureFormat;

/// Exit code where an output cannot be created.
pub(super) const EXIT_OUTPUT: u8 = 73;

/// What a command reads, so that it does not write over it.
#[derive(Debug, Default)]
pub(super) struct Reads<'a>(Vec<&'a Path>);

impl<'a> Reads<'a> {
    /// Files and folders by name.
    pub(super) fn of(paths: impl IntoIterator<Item = &'a Path>) -> Self {
        Self(paths.into_iter().collect())
    }

    /// One more, where there is one.
    pub(super) fn and(mut self, path: Option<&'a (impl AsRef<Path> + ?Sized)>) -> Self {
        self.0.extend(path.map(AsRef::as_ref));
        self
    }

    /// Refuses to write `path` where that is one of them, under whatever name, or belongs to one.
    ///
    /// # Errors
    /// Exit code 73.
    pub(super) fn spare(&self, path: &Path) -> Result<(), CliError> {
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        match self.0.iter().find(|read| is_read(path, read)) {
            None => Ok(()),
            Some(read) => Err(CliError::new(
                EXIT_OUTPUT,
                anyhow::anyhow!(
                    "{}: not written, as {} is read; give another name",
                    printable_path(path),
                    printable_path(read)
                ),
            )),
        }
    }

    /// Refuses to write files into the folder `path` where one of them is that folder or lies in it.
    ///
    /// # Errors
    /// Exit code 73.
    pub(super) fn spare_folder(&self, path: &Path) -> Result<(), CliError> {
        let Ok(folder) = path.canonicalize() else { return Ok(()) };
        match self.0.iter().find(|read| read.canonicalize().is_ok_and(|read| read.starts_with(&folder))) {
            None => Ok(()),
            Some(read) => Err(CliError::new(
                EXIT_OUTPUT,
                anyhow::anyhow!(
                    "{}: nothing is written there, as {} is read; give a new folder",
                    printable_path(path),
                    printable_path(read)
                ),
            )),
        }
    }

    /// Writes a picture in the form that the name of its file asks for.
    ///
    /// # Errors
    /// Exit code 2: no picture's name; 73 as [`Reads::write`].
    pub(super) fn write_picture(&self, path: &Path, svg: String) -> Result<(), CliError> {
        let format = picture_format(path).map_err(|message| CliError::new(2, anyhow::anyhow!(message)))?;
        self.spare(path)?;
        let picture = format.encode(svg)?;
        if !picture.without_glyph.is_empty() {
            tell!(
                "note: {}: no font of this machine has {}, so that they are missing; .svg keeps them",
                printable_path(path),
                picture.without_glyph
            );
        }
        self.write(path, picture.bytes)
    }

    /// Writes a file that the user named.
    ///
    /// # Errors
    /// Exit code 73: it is read, or the system refuses.
    pub(super) fn write(&self, path: &Path, content: impl AsRef<[u8]>) -> Result<(), CliError> {
        self.spare(path)?;
        refuse_fifo(path)?;
        let failed = |e: std::io::Error| {
            CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: cannot be written: {e}", printable_path(path)))
        };
        let mut file = std::fs::File::create(path).map_err(failed)?;
        file.write_all(content.as_ref()).map_err(|e| {
            // Nothing half-written stays; what a link leads to is left alone.
            if path.symlink_metadata().is_ok_and(|data| data.is_file()) {
                let _ = std::fs::remove_file(path);
            }
            failed(e)
        })
    }

    /// The same over nothing or over what an earlier command of the same kind wrote, which is known by `mark` near its beginning.
    ///
    /// # Errors
    /// Exit code 73: as [`Reads::write`], or somebody else's file is there.
    pub(super) fn write_own(&self, path: &Path, content: impl AsRef<[u8]>, mark: &str) -> Result<(), CliError> {
        self.spare(path)?;
        refuse_foreign(path, mark)?;
        self.write(path, content)
    }
}

/// How much of a file a mark is looked for in (bytes).
const LOOKED_AT: u64 = 4 << 10;

/// Removes a file that has `mark` near its beginning: an earlier command of the same kind wrote it. Anything else stays.
///
/// # Errors
/// Exit code 73: the system refuses.
pub(super) fn remove_own(path: &Path, mark: &str) -> Result<(), CliError> {
    let has_mark = |head: Vec<u8>| String::from_utf8_lossy(&head).contains(mark);
    let is_file = path.symlink_metadata().is_ok_and(|data| data.is_file());
    if !is_file || !regular_file::head(path, LOOKED_AT).is_ok_and(has_mark) {
        return Ok(());
    }
    std::fs::remove_file(path)
        .map_err(|e| CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: cannot be removed: {e}", printable_path(path))))
}

/// Refuses to write over a file that has no `mark` near its beginning: requant did not write it. An empty one may go.
///
/// # Errors
/// Exit code 73.
pub(super) fn refuse_foreign(path: &Path, mark: &str) -> Result<(), CliError> {
    // What is no file is not written over: the system's own names are meant, and the rest is refused by it.
    if !path.is_file() {
        return Ok(());
    }
    let is_own = |head: Vec<u8>| head.is_empty() || String::from_utf8_lossy(&head).contains(mark);
    if regular_file::head(path, LOOKED_AT).is_ok_and(is_own) {
        return Ok(());
    }
    let what = "is there already, and was not written by this command; move it or give another --out";
    Err(CliError::new(EXIT_OUTPUT, anyhow::anyhow!("{}: {what}", printable_path(path))))
}

/// How the picture of that name is written.
pub(super) fn picture_format(path: &Path) -> Result<PictureFormat, String> {
    PictureFormat::of(path)
        .ok_or_else(|| format!("{}: give a picture a name that ends with .svg, .png or .pdf", printable_path(path)))
}

/// The name of a picture on the command line, refused before any work where it is none.
pub(super) fn picture_name() -> impl TypedValueParser<Value = PathBuf> {
    clap::builder::PathBufValueParser::new().try_map(|path| picture_format(&path).map(|_| path))
}

/// Refuses what nobody may ever read from: writing would wait. The system's own names (`/dev/stdout`) are meant.
fn refuse_fifo(path: &Path) -> Result<(), CliError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let is_fifo = std::fs::metadata(path).is_ok_and(|data| data.file_type().is_fifo());
        if is_fifo && !path.starts_with("/dev") && !path.starts_with("/proc") {
            let message = anyhow::anyhow!("{}: a FIFO, not a file; give another name", printable_path(path));
            return Err(CliError::new(EXIT_OUTPUT, message));
        }
    }
    Ok(())
}

/// Whether writing `path`, which is there, changes what is read at `read`: the file itself, one that belongs to it, or one in
/// the folder; pictures that an earlier command left there may go.
fn is_read(path: &Path, read: &Path) -> bool {
    if same_file::is_same_file(path, read).unwrap_or(false) {
        return true;
    }
    if read.is_dir() {
        let is_inside = path.canonicalize().ok().zip(read.canonicalize().ok()).is_some_and(|(p, r)| p.starts_with(r));
        return is_inside && PictureFormat::of(path).is_none();
    }
    formats::companions(read).iter().any(|file| same_file::is_same_file(path, file).unwrap_or(false))
}

/// The path of `name` in the output folder `out`.
///
/// # Errors
/// Exit code 73: it is a link that leads elsewhere.
pub(super) fn in_folder(out: &Path, name: &str) -> Result<std::path::PathBuf, CliError> {
    path_inside(out, &[name]).map_err(|e| CliError::new(EXIT_OUTPUT, e))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("basis")).unwrap();
        for name in ["x.SDAT", "x.SPAR", "old.svg", "basis/Cr.RAW", "basis/set.svg"] {
            std::fs::write(at(name), name).unwrap();
        }
        std::fs::hard_link(at("x.SDAT"), at("hard")).unwrap();
        let (data, basis) = (at("x.SDAT"), at("basis"));
        let reads = Reads::of([data.as_path()]).and(Some(&basis)).and(None::<&Path>);
        for name in ["x.SDAT", "x.SPAR", "hard", "basis/Cr.RAW", "basis/../x.SDAT"] {
            assert!(reads.write(&at(name), "new").is_err_and(|e| e.code == 73), "{name}");
        }
        for name in ["new.svg", "old.svg", "basis/set.svg", "basis/new.svg"] {
            assert!(reads.write(&at(name), "new").is_ok(), "{name}");
        }
        assert_eq!(std::fs::read(at("x.SPAR")).unwrap(), b"x.SPAR");
        assert!(reads.spare_folder(&basis).is_err() && reads.spare_folder(folder.path()).is_err());
        assert!(reads.spare_folder(&at("basis/new")).is_ok());
    }

    #[test]
    fn only_what_the_same_command_wrote_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for (name, content) in
            [("own.tsv", "item\ttext\nold"), ("empty.tsv", ""), ("participants.tsv", "participant_id\n")]
        {
            std::fs::write(at(name), content).unwrap();
        }
        let write = |name: &str| Reads::default().write_own(&at(name), "item\ttext\nnew", "item\ttext");
        assert!(write("own.tsv").is_ok() && write("empty.tsv").is_ok() && write("new.tsv").is_ok());
        let refused = write("participants.tsv").unwrap_err();
        assert_eq!(refused.code, 73);
        assert!(refused.error.to_string().contains("not written by this command"), "{}", refused.error);
        assert_eq!(std::fs::read(at("participants.tsv")).unwrap(), b"participant_id\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn nothing_half_written_stays() {
        // Every write to it fails, as on a full disk; the link is left alone.
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("full.svg");
        std::os::unix::fs::symlink("/dev/full", &link).unwrap();
        assert!(Reads::default().write(&link, "picture").is_err_and(|e| e.code == 73));
        assert!(link.symlink_metadata().is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn links_to_what_is_read_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let (data, link) = (folder.path().join("x.SDAT"), folder.path().join("link.svg"));
        std::fs::write(&data, "data").unwrap();
        std::os::unix::fs::symlink(&data, &link).unwrap();
        assert!(Reads::of([data.as_path()]).write(&link, "new").is_err());
        assert!(Reads::of([link.as_path()]).write(&data, "new").is_err());
        assert_eq!(std::fs::read(&data).unwrap(), b"data");
    }
}
