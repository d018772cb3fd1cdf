//! FreeSurfer's images, `.mgh` and packed `.mgz`: header and the place of the data.
//!
//! Layout: FreeSurfer's description of its MGH format ("FsTutorial/MghFormat"), all numbers with the most significant byte first.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;

use super::bytes::{Bytes, Order};
use super::nifti::{Form, Forms};

/// Bytes of the header, behind which the data begin.
const HEADER_BYTES: usize = 284;
/// First number of a file, and the code of a place that leads into the scanner's space as NIfTI has it.
const VERSION: i32 = 1;
const OF_THE_SCANNER: i32 = 1;
/// Bytes that are read at once, and most bytes that one of a gzip stream unpacks to.
const BLOCK: usize = 1 << 16;
const GZIP_RATIO: u64 = 1032;

/// Why a file is no usable MGH.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MghError {
    /// A field of the header that cannot be right.
    #[error("header field {0} cannot be right; export the file again")]
    Field(&'static str),
    /// Less data than the header says, or a broken gzip stream.
    #[error("data: {got} bytes where the header announces {needed}; the file is cut off or damaged")]
    Truncated {
        /// Bytes there.
        got: u64,
        /// Bytes announced.
        needed: u64,
    },
}

/// A file whose header was read, and nothing behind it.
pub(super) struct OpenedMgh {
    pub(super) grid: [usize; 3],
    pub(super) forms: Forms,
    /// Element type: 0 (bytes), 1 (int), 3 (float), 4 (short), 10 (unsigned short).
    pub(super) datatype: i32,
    rest: Box<dyn Read>,
    /// Most bytes that may follow the header.
    most: u64,
}

impl OpenedMgh {
    /// Reads the header of a file of `file_bytes` that begins with `first`; `None` where it is of another format.
    pub(super) fn new(mut file: impl Read + 'static, file_bytes: u64) -> io::Result<Result<Option<Self>, MghError>> {
        let mut first = Vec::new();
        file.by_ref().take(2).read_to_end(&mut first)?;
        let is_packed = first == [0x1f, 0x8b];
        let file = Cursor::new(first).chain(file);
        let mut rest: Box<dyn Read> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        let mut head = Vec::new();
        // A broken stream is told by whoever reads on.
        let _ = rest.by_ref().take(HEADER_BYTES as u64).read_to_end(&mut head);
        let most = if is_packed { file_bytes.saturating_mul(GZIP_RATIO) } else { file_bytes };
        Ok(Self::of(&head, rest, most))
    }

    fn of(head: &[u8], rest: Box<dyn Read>, most: u64) -> Result<Option<Self>, MghError> {
        let bytes = Bytes::new(head, Order::Big);
        if bytes.i32(0) != Some(VERSION) {
            return Ok(None);
        }
        let whole = |at: usize| bytes.i32(at).and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
        let extent = |at: usize| whole(at).ok_or(MghError::Field("dim"));
        let grid = [extent(4)?, extent(8)?, extent(12)?];
        if whole(16) != Some(1) {
            return Err(MghError::Field("nframes (give one image)"));
        }
        let datatype = bytes.i32(20).ok_or(MghError::Field("type"))?;
        let number = |at: usize| bytes.f32(at).map(f64::from).ok_or(MghError::Field("place"));
        let is_placed = bytes.i16(28).is_some_and(|flag| flag > 0);
        let mut affine_mm = [[0.0; 4], [0.0; 4], [0.0; 4], [0.0, 0.0, 0.0, 1.0]];
        for row in 0..3 {
            for column in 0..3 {
                affine_mm[row][column] = number(42 + 12 * column + 4 * row)? * number(30 + 4 * column)?;
            }
            // The stated centre is that of the voxel at half of the extents.
            let to_middle: f64 = (0..3).map(|c| affine_mm[row][c] * (grid[c] as f64) / 2.0).sum();
            affine_mm[row][3] = number(78 + 4 * row)? - to_middle;
        }
        let code = OF_THE_SCANNER;
        let qform = is_placed.then_some(Form { code, affine_mm });
        Ok(Some(Self { grid, forms: Forms { qform, sform: None }, datatype, rest, most }))
    }

    /// Bytes of the data, if there can be so many.
    pub(super) fn data_bytes(&self, element: usize) -> Result<u64, MghError> {
        let bytes = self.grid.iter().try_fold(element as u64, |n, extent| n.checked_mul(*extent as u64));
        let needed = bytes.ok_or(MghError::Field("dim"))?;
        if needed > self.most { Err(MghError::Truncated { got: self.most, needed }) } else { Ok(needed) }
    }

    /// Hands on all data, block after block, each with the byte of the data that it begins at.
    pub(super) fn each_block(&mut self, element: usize, mut take: impl FnMut(&[u8], usize)) -> Result<(), MghError> {
        let needed = self.data_bytes(element)?;
        let (mut block, mut got) = (vec![0; BLOCK], 0_u64);
        while got < needed {
            let most = usize::try_from(needed - got).unwrap_or(BLOCK).min(BLOCK);
            match self.rest.read(&mut block[..most]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return Err(MghError::Truncated { got, needed }),
                Ok(n) => {
                    // No block begins beyond what memory can address: `needed` is within the limit of the file.
                    take(&block[..n], usize::try_from(got).unwrap_or(usize::MAX));
                    got += n as u64;
                }
            }
        }
        Ok(())
    }
}
