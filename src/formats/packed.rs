//! Files that are packed: those of gzip are read as what is inside them, archives are told by their names and first bytes.
//!
//! Gzip: RFC 1952. NIfTI files are unpacked by their own reader, which reads parts of them.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, copy, sink};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::regular_file;

/// Bytes of the header of a gzip stream.
const GZIP_HEADER: u64 = 10;
/// Where a `tar` archive has its signature, and that.
const TAR_AT: usize = 257;
const TAR: &[u8] = b"ustar";

/// Names of archives, and of files packed in ways that are not read.
const ARCHIVES: [&str; 15] = [
    ".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".zst", ".tzst", ".lzma",
    ".lz4",
];
/// How archives begin: zip, 7z, rar, bzip2, xz, Zstandard.
const SIGNATURES: [&[u8]; 6] =
    [b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"];

/// What is wrong with a packed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum PackingError {
    /// The stream breaks.
    #[error("its gzip packing is damaged or cut off behind byte {got} of what is inside; pack or copy it again")]
    Damaged {
        /// Bytes that came out.
        got: u64,
    },
    /// More inside than any such file has.
    #[error("more than {most} bytes are packed in it; no such file is that long")]
    TooLong {
        /// The most that is unpacked (bytes).
        most: u64,
    },
}

/// Whether a file is packed by gzip, by its first bytes. Of the header everything is checked that the format fixes, as
/// samples may begin in any way.
fn is_gzip(head: &[u8]) -> bool {
    let is_flags = |flags: u8| flags & 0xe0 == 0;
    matches!(head, [0x1f, 0x8b, 8, flags, _, _, _, _, 0 | 2 | 4, 0..=13 | 255, ..] if is_flags(*flags))
}

/// Whether a file is an archive that is not looked into: by its name (lower case) and its first bytes, unpacked where
/// gzip packed it. What has the name of an archive and is text is none.
pub(super) fn is_archive(name: &str, is_bare: bool, head: &[u8]) -> bool {
    let begins = SIGNATURES.iter().any(|signature| head.starts_with(signature));
    let is_tar = head.get(TAR_AT..TAR_AT + TAR.len()) == Some(TAR);
    let is_named = ARCHIVES.iter().any(|ending| name.ends_with(ending));
    is_tar || ((is_named || is_bare) && begins) || (is_named && !head.is_empty() && !is_text(head))
}

/// Whether the start of a file is somebody's text, rather than samples, or what stands for a file that was not fetched.
pub(super) fn is_text(head: &[u8]) -> bool {
    /// How the files begin that git-lfs and git-annex leave in a file's place.
    const POINTERS: [&[u8]; 2] = [b"version https://git-lfs", b"/annex/objects/"];
    let is_written = |byte: &u8| *byte >= b' ' || b"\t\n\r\x0c".contains(byte);
    head.iter().all(is_written) && !POINTERS.iter().any(|pointer| head.starts_with(pointer))
}

/// The name (lower case) without the ending that says it is packed; `.nii.gz` is an ending of its own.
pub(super) fn unpacked_name(name: &str) -> &str {
    match name.strip_suffix(".gz") {
        Some(stem) if !stem.is_empty() && !name.ends_with(".nii.gz") && !name.ends_with(".tar.gz") => stem,
        _ => name,
    }
}

/// A file whose first bytes were looked at.
type Whole = BufReader<io::Chain<Cursor<Vec<u8>>, File>>;

/// What is inside a file of at most `most` bytes, which gzip may have packed.
enum Content {
    Plain(File),
    Packed(Box<MultiGzDecoder<Whole>>),
}

fn open(path: &Path, most: u64) -> io::Result<Content> {
    let mut file = regular_file::open(path, most)?;
    let mut first = Vec::new();
    file.by_ref().take(GZIP_HEADER).read_to_end(&mut first)?;
    if !is_gzip(&first) {
        file.seek(SeekFrom::Start(0))?;
        return Ok(Content::Plain(file));
    }
    let all = Cursor::new(first).chain(file);
    Ok(Content::Packed(Box::new(MultiGzDecoder::new(BufReader::new(all)))))
}

/// Whether gzip packed a file.
pub(super) fn is_packed(path: &Path) -> bool {
    matches!(open(path, u64::MAX), Ok(Content::Packed(_)))
}

/// What the system says stays; what the stream says becomes words.
fn broken(error: io::Error, got: u64) -> io::Error {
    if error.raw_os_error().is_some() { error } else { io::Error::other(PackingError::Damaged { got }) }
}

/// The first bytes of what is inside; of a damaged stream what comes out of it.
pub(super) fn head(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    match open(path, u64::MAX)? {
        Content::Plain(file) => {
            file.take(most).read_to_end(&mut head)?;
        }
        Content::Packed(stream) => match stream.take(most).read_to_end(&mut head) {
            Err(error) if head.is_empty() => return Err(broken(error, 0)),
            _ => {}
        },
    }
    Ok(head)
}

/// Length of what is inside (bytes): unpacked once, and not kept.
pub(super) fn length(path: &Path, most: u64) -> io::Result<u64> {
    match open(path, most)? {
        Content::Plain(file) => Ok(file.metadata()?.len()),
        Content::Packed(stream) => {
            let mut stream = Counted { stream, got: 0 };
            let copied = copy(&mut stream.by_ref().take(most.saturating_add(1)), &mut sink());
            let n = copied.map_err(|error| broken(error, stream.got))?;
            if n > most { Err(io::Error::other(PackingError::TooLong { most })) } else { Ok(n) }
        }
    }
}

/// All of what is inside, which is no more than `most` bytes.
pub(super) fn bytes(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    if let Content::Plain(_) = open(path, most)? {
        return regular_file::bytes(path, most);
    }
    // Room is made for what is there, not for what a header claims.
    let n = length(path, most)?;
    bytes_at(path, 0, n)
}

/// At most so many bytes of what is inside from `at` on.
pub(super) fn bytes_at(path: &Path, at: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match open(path, u64::MAX)? {
        Content::Plain(mut file) => {
            file.seek(SeekFrom::Start(at))?;
            file.take(most).read_to_end(&mut bytes)?;
        }
        Content::Packed(stream) => {
            let mut stream = Counted { stream, got: 0 };
            let mut read = || {
                copy(&mut stream.by_ref().take(at), &mut sink())?;
                stream.by_ref().take(most).read_to_end(&mut bytes)
            };
            let read = read();
            read.map_err(|error| broken(error, stream.got))?;
        }
    }
    Ok(bytes)
}

/// A stream that knows how much came out of it.
struct Counted<R> {
    stream: R,
    got: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.stream.read(into)?;
        self.got += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_is_inside_is_read_whole_and_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let inside: Vec<u8> = (0..100_000_u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
        let two = [packed(&inside[..60_000]), packed(&inside[60_000..])].concat();
        for file in [inside.clone(), packed(&inside), two] {
            std::fs::write(&path, file).unwrap();
            assert!(bytes(&path, 1 << 20).unwrap() == inside);
            assert_eq!(length(&path, 1 << 20).unwrap(), 100_000);
            assert_eq!(head(&path, 5).unwrap(), inside[..5]);
            assert_eq!(bytes_at(&path, 70_000, 3).unwrap(), inside[70_000..70_003]);
            assert_eq!(bytes_at(&path, 200_000, 3).unwrap().len(), 0);
        }
    }

    #[test]
    fn bombs_and_breaks_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let bomb = packed(&vec![0; 1 << 22]);
        std::fs::write(&path, &bomb).unwrap();
        let told = bytes(&path, 1 << 20).unwrap_err().to_string();
        assert!(told.contains("more than 1048576 bytes"), "{told}");
        std::fs::write(&path, &bomb[..bomb.len() / 2]).unwrap();
        let told = bytes(&path, 1 << 30).unwrap_err().to_string();
        assert!(told.contains("damaged or cut off"), "{told}");
        assert_eq!(head(&path, 4).unwrap(), [0; 4]);
        // The header, and a byte of the stream: nothing comes out yet.
        std::fs::write(&path, &bomb[..11]).unwrap();
        assert!(head(&path, 4).is_err());
    }

    #[test]
    fn archives_go_by_name_and_beginning() {
        let zip = b"PK\x03\x04\x14\0\0\0\x08\0";
        let mut tar = vec![b'x'; 600];
        tar[TAR_AT..TAR_AT + 5].copy_from_slice(TAR);
        for (name, head, expected) in [
            ("p.7.zip", &zip[..], true),
            ("export", zip, true),
            ("paper.docx", zip, false),
            ("table.xlsx", zip, false),
            ("a.tar.gz", &tar, true),
            ("a", &tar, true),
            ("a.7z", b"7z\xbc\xaf\x27\x1c", true),
            ("notes.zip", b"see the other folder\n", false),
            ("x.dat", b"\0\0\0\0", false),
        ] {
            assert_eq!(is_archive(name, !name.contains('.'), head), expected, "{name}");
        }
        assert_eq!(unpacked_name("p.7.gz"), "p.7");
        assert_eq!(["x.nii.gz", "x.tar.gz", ".gz", "x"].map(unpacked_name), ["x.nii.gz", "x.tar.gz", ".gz", "x"]);
    }
}
