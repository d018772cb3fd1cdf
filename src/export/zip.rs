//! A ZIP archive (PKWARE APPNOTE 6.3.3) of a few parts below 4 GiB, deflated, all of them dated 1 January 1980.

use std::io::{self, Write};

use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

/// The first date that the format has.
const DATE: u16 = 0x21;
/// Version that knows deflation and folders.
const VERSION: u16 = 20;
/// Bit 11: names are UTF-8.
const FLAGS: u16 = 1 << 11;
const DEFLATED: u16 = 8;

/// An archive that is being written.
#[derive(Debug, Default)]
pub(crate) struct Zip {
    bytes: Vec<u8>,
    /// The directory at the end.
    directory: Vec<u8>,
    n: u16,
}

fn small(n: usize) -> io::Result<u32> {
    u32::try_from(n).map_err(|_| io::Error::other("more than 4 GiB; take --format tsv"))
}

impl Zip {
    /// Adds a part.
    pub(crate) fn add(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        let mut crc = Crc::new();
        crc.update(content);
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content)?;
        let packed = encoder.finish()?;
        let at = small(self.bytes.len())?;
        let n_name = u16::try_from(name.len()).map_err(io::Error::other)?;
        // What a part's own header and its entry in the directory have in common.
        let mut common = Vec::new();
        for word in [VERSION, FLAGS, DEFLATED, 0, DATE] {
            common.extend(word.to_le_bytes());
        }
        for word in [crc.sum(), small(packed.len())?, small(content.len())?] {
            common.extend(word.to_le_bytes());
        }
        common.extend(n_name.to_le_bytes());
        common.extend([0; 2]);
        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(name.as_bytes());
        self.bytes.extend(packed);
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(VERSION.to_le_bytes());
        self.directory.extend(&common);
        // No comment, first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(at.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.n += 1;
        Ok(())
    }

    /// The archive.
    pub(crate) fn finish(mut self) -> io::Result<Vec<u8>> {
        let (at, n_directory) = (small(self.bytes.len())?, small(self.directory.len())?);
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06");
        self.bytes.extend([0; 4]);
        self.bytes.extend(self.n.to_le_bytes());
        self.bytes.extend(self.n.to_le_bytes());
        self.bytes.extend(n_directory.to_le_bytes());
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend([0; 2]);
        Ok(self.bytes)
    }
}
