//! Opens and reads files from outside: regular files only, and no more of them than a limit.
//!
//! A path that a user, a manifest or a folder gives may lead to a FIFO, on which a reader waits for ever, or to a device
//! that never ends. Every file that requant did not write a moment ago is opened here.

use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

/// Why something is not read that is there and may be opened. It comes as the inside of an [`io::Error`], so that whoever
/// names the path has one kind of reason to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FileError {
    /// Neither a file nor a link to one.
    #[error("it is {kind}, not a file")]
    NotRegular {
        /// What it is.
        kind: &'static str,
    },
    /// Longer than any file of its kind.
    #[error("it is longer than any such file ({most} bytes)")]
    TooLarge {
        /// The most that is read (bytes).
        most: u64,
    },
    /// Not the text that it should be.
    #[error("byte {at} is not UTF-8; save it as UTF-8")]
    NotText {
        /// Where the first such byte stands.
        at: usize,
    },
}

impl From<FileError> for io::Error {
    fn from(error: FileError) -> Self {
        let kind = match error {
            FileError::NotRegular { .. } => ErrorKind::InvalidInput,
            FileError::TooLarge { .. } => ErrorKind::FileTooLarge,
            FileError::NotText { .. } => ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// Looks whether `path` is, or links to, a regular file; opens nothing.
pub(crate) fn check(path: &Path) -> io::Result<Metadata> {
    regular(fs::metadata(path)?)
}

/// Opens a regular file of at most `most` bytes.
pub(crate) fn open(path: &Path, most: u64) -> io::Result<File> {
    let file = open_of_any_length(path)?;
    if file.metadata()?.len() > most {
        return Err(FileError::TooLarge { most }.into());
    }
    Ok(file)
}

/// All of a regular file of at most `most` bytes.
pub(crate) fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = open(path, most)?;
    let mut bytes = Vec::new();
    // One piece of memory for all of it, which otherwise would grow by doubling.
    let stated = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    bytes.try_reserve_exact(stated).map_err(|_| io::Error::from(ErrorKind::OutOfMemory))?;
    // Files of the system state no length, and others grow while they are read.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(FileError::TooLarge { most }.into());
    }
    Ok(bytes)
}

/// All of a regular file of at most `most` bytes, which must be UTF-8.
pub(crate) fn text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(bytes(path, most)?).map_err(|e| FileError::NotText { at: e.utf8_error().valid_up_to() }.into())
}

/// The first bytes of a regular file, however long it is.
pub(crate) fn head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    open_of_any_length(path)?.take(most).read_to_end(&mut head)?;
    Ok(head)
}

fn open_of_any_length(path: &Path) -> io::Result<File> {
    // Some devices do something when they are opened.
    check(path)?;
    let file = open_without_waiting(path)?;
    // Another may have taken its place since.
    regular(file.metadata()?)?;
    Ok(file)
}

/// Opens the file so that neither opening nor reading waits for somebody to write.
#[cfg(unix)]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    match File::options().read(true).custom_flags(flags).open(path) {
        // A file server holds it; it lets go when it is asked in the usual way.
        Err(error) if error.kind() == ErrorKind::WouldBlock => File::open(path),
        opened => opened,
    }
}

#[cfg(not(unix))]
fn open_without_waiting(path: &Path) -> io::Result<File> {
    File::open(path)
}

fn regular(metadata: Metadata) -> io::Result<Metadata> {
    if metadata.is_file() { Ok(metadata) } else { Err(FileError::NotRegular { kind: kind(&metadata) }.into()) }
}

fn kind(metadata: &Metadata) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() {
            return "a FIFO";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if metadata.is_dir() { "a folder" } else { "something else" }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn fault(error: &io::Error) -> Option<FileError> {
        error.get_ref()?.downcast_ref().copied()
    }

    #[test]
    fn files_are_read_up_to_their_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        fs::write(&path, "twelve bytes").unwrap();
        assert_eq!(text(&path, 12).unwrap(), "twelve bytes");
        assert_eq!(head(&path, 6).unwrap(), b"twelve");
        assert_eq!(fault(&bytes(&path, 11).unwrap_err()), Some(FileError::TooLarge { most: 11 }));
        fs::write(&path, b"ab\xffc").unwrap();
        assert_eq!(fault(&text(&path, 12).unwrap_err()), Some(FileError::NotText { at: 2 }));
        assert_eq!(bytes(&folder.path().join("y"), 1).unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_file_is_refused_without_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
        std::os::unix::fs::symlink("/dev/zero", at("zero")).unwrap();
        std::os::unix::fs::symlink(at("fifo"), at("link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        for (name, kind) in
            [("fifo", "a FIFO"), ("link", "a FIFO"), ("zero", "a device"), ("socket", "a socket"), (".", "a folder")]
        {
            for error in [bytes(&at(name), 1 << 20).unwrap_err(), head(&at(name), 1).unwrap_err()] {
                assert_eq!(fault(&error), Some(FileError::NotRegular { kind }), "{name}");
            }
        }
        // It is regular by its own account, states no length, and may never end.
        #[cfg(target_os = "linux")]
        assert_eq!(
            fault(&bytes(Path::new("/proc/self/smaps"), 10).unwrap_err()),
            Some(FileError::TooLarge { most: 10 })
        );
    }
}
