//! A file's header first, then as much of its data as is asked for, in one pass and no more than once in memory.

use std::io::{self, Cursor, Read, sink};
use std::ops::Range;

use flate2::read::MultiGzDecoder;

use super::header::{HEADER_BYTES, Nifti, NiftiError, data_length, element_bytes, extensions, header};
use super::layout::NIFTI2;

/// What may follow the data in a gzip stream (bytes): programs fill up to whole blocks.
const MOST_BEHIND: u64 = 1 << 20;
/// Bytes that are read at once.
const BLOCK: usize = 1 << 16;
/// Most bytes that a byte of a gzip stream unpacks to, by its format.
const GZIP_RATIO: u64 = 1032;

/// Parses a file, gzipped or plain. With `with_data` false the data stay empty (and are not unpacked).
pub fn parse(file: &[u8], with_data: bool) -> Result<Nifti, NiftiError> {
    let mut opened = Opened::new(file, file.len() as u64)?;
    if with_data {
        opened.nifti.data = opened.data(None)?;
    }
    Ok(opened.nifti)
}

/// A file whose header was read, and nothing behind it.
pub(in crate::formats) struct Opened<'a> {
    pub(in crate::formats) nifti: Nifti,
    /// What follows the header.
    rest: Box<dyn Read + 'a>,
    /// Length of the file itself, packed or not.
    file_bytes: u64,
    is_packed: bool,
    data_offset: usize,
    data_bytes: usize,
}

impl<'a> Opened<'a> {
    /// Reads the header of a file of `file_bytes`, gzipped or plain.
    pub(in crate::formats) fn new(mut file: impl Read + 'a, file_bytes: u64) -> Result<Self, NiftiError> {
        let mut first = Vec::new();
        file.by_ref().take(2).read_to_end(&mut first).map_err(|e| broken(&e, 0))?;
        let is_packed = first == [0x1f, 0x8b];
        let file = Cursor::new(first).chain(file);
        let mut rest: Box<dyn Read + 'a> = if is_packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
        let mut head = Vec::new();
        fill(&mut rest, HEADER_BYTES, &mut head)?;
        let (mut nifti, layout, data_offset) = header(&head)?;
        let data_bytes = data_length(&nifti)?;
        fill(&mut rest, data_offset, &mut head)?;
        nifti.extensions = extensions(&head, &nifti, layout, data_offset)?;
        let ahead = Cursor::new(head.split_off(data_offset.min(head.len())));
        Ok(Self { nifti, rest: Box::new(ahead.chain(rest)), file_bytes, is_packed, data_offset, data_bytes })
    }

    /// The data of all voxels, or of some of them as if the others were not there.
    ///
    /// # Errors
    /// [`NiftiError`]: the file ends early or is damaged, or packed data go on behind what the header announces. What is
    /// wrong with a file does not depend on which voxels are asked for: it is read to its end.
    pub(in crate::formats) fn data(&mut self, voxels: Option<Range<usize>>) -> Result<Vec<u8>, NiftiError> {
        let needed = self.data_bytes;
        self.may_be_whole()?;
        let element = element_bytes(self.nifti.datatype).unwrap_or(1);
        // Voxels lie side by side, point after point.
        let row = element * self.nifti.shape[..3].iter().product::<usize>();
        let wanted = voxels.map_or(0..row, |v| {
            let [start, end] = [v.start, v.end].map(|voxel| voxel.saturating_mul(element).min(row));
            start..end
        });
        let bytes = wanted.len() * (needed / row.max(1));
        let mut data = Vec::new();
        data.try_reserve_exact(bytes).map_err(|_| NiftiError::Memory { bytes })?;
        self.each_block(|block, at| keep(block, at, row, &wanted, &mut data))?;
        Ok(data)
    }

    fn truncated(&self, got: usize) -> NiftiError {
        NiftiError::Truncated { what: "data", got, needed: self.data_bytes }
    }

    /// An error where the file is too short for its data, however well it is packed.
    pub(in crate::formats) fn may_be_whole(&self) -> Result<(), NiftiError> {
        let most = if self.is_packed { self.file_bytes.saturating_mul(GZIP_RATIO) } else { self.file_bytes };
        if most < self.data_bytes as u64 {
            let most = usize::try_from(most).unwrap_or(usize::MAX);
            return Err(self.truncated(most.saturating_sub(self.data_offset)));
        }
        Ok(())
    }

    /// Hands on all data, block after block, each with the byte of the data that it begins at.
    pub(in crate::formats) fn each_block(&mut self, mut take: impl FnMut(&[u8], usize)) -> Result<(), NiftiError> {
        self.may_be_whole()?;
        let needed = self.data_bytes;
        // Always by the same blocks: where a stream breaks does not depend on what is wanted of it.
        let mut block = vec![0; BLOCK];
        let mut got = 0;
        while got < needed {
            match self.rest.read(&mut block[..BLOCK.min(needed - got)]) {
                Ok(0) => return Err(self.truncated(got)),
                Ok(n) => {
                    take(&block[..n], got);
                    got += n;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(broken(&e, self.data_offset + got)),
            }
        }
        // What a broken stream has behind its data is none of ours.
        let mut behind = self.rest.by_ref().take(MOST_BEHIND + 1);
        if self.is_packed && io::copy(&mut behind, &mut sink()).is_ok_and(|n| n > MOST_BEHIND) {
            return Err(NiftiError::Longer { needed });
        }
        Ok(())
    }
}

/// Keeps of a block that begins at byte `at` of the data the wanted bytes of each row.
fn keep(block: &[u8], at: usize, row: usize, wanted: &Range<usize>, data: &mut Vec<u8>) {
    // A row of a single voxel is one sample: millions of them in raw data.
    if *wanted == (0..row) {
        return data.extend_from_slice(block);
    }
    let mut first = 0;
    while first < block.len() {
        let in_row = (at + first) % row;
        let n = (row - in_row).min(block.len() - first);
        let [from, to] = [wanted.start, wanted.end].map(|byte| byte.clamp(in_row, in_row + n) - in_row);
        data.extend_from_slice(&block[first + from..first + to]);
        first += n;
    }
}

/// Reads on until `head` has `most` bytes. What came out before a break of the stream may hold the header.
fn fill(from: &mut impl Read, most: usize, head: &mut Vec<u8>) -> Result<(), NiftiError> {
    let missing = most.saturating_sub(head.len()) as u64;
    match from.by_ref().take(missing).read_to_end(head) {
        Err(e) if e.raw_os_error().is_some() || head.len() < NIFTI2.size => Err(broken(&e, head.len())),
        _ => Ok(()),
    }
}

fn broken(error: &io::Error, got: usize) -> NiftiError {
    match error.raw_os_error() {
        Some(_) => NiftiError::Unreadable { reason: error.to_string() },
        None => NiftiError::Gzip { got },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::acquisition::Acquisition;
    use crate::formats::nifti_mrs;

    fn grid() -> Vec<u8> {
        let samples = ndarray::Array5::from_shape_fn((12, 2, 3, 1, 40), |(v, c, t, _, p)| {
            num_complex::Complex64::new((100 * v + p) as f64, (10 * c + t) as f64)
        });
        let mut data = Acquisition::from_samples(nifti_mrs::NAME, samples);
        data.grid = [3, 2, 2];
        nifti_mrs::encode(&data)
    }

    #[test]
    fn some_voxels_are_those_of_all() {
        let file = grid();
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&file).unwrap();
        for file in [&file, &packed.finish().unwrap()] {
            let open = || Opened::new(file.as_slice(), file.len() as u64).unwrap();
            let all = open().data(None).unwrap();
            for voxels in [0..1, 3..7, 11..12, 5..usize::MAX, 12..14] {
                let some = open().data(Some(voxels.clone())).unwrap();
                let kept = voxels.start.min(12)..voxels.end.min(12);
                let wanted: Vec<u8> =
                    all.chunks(12 * 8).flat_map(|row| row[8 * kept.start..8 * kept.end].to_vec()).collect();
                assert!(some == wanted, "{voxels:?}");
            }
            let cut = &file[..file.len() / 2];
            let of = |voxels| Opened::new(cut, cut.len() as u64).unwrap().data(voxels).map(drop).unwrap_err();
            assert_eq!(of(None), of(Some(2..3)));
        }
    }
}
