//! Samples as they lie in a file.

use std::path::Path;

use num_complex::Complex64;

use super::error::DecodeError;
use super::folder::{PROCESSED, RAW};
use super::parameters::Parameters;
use crate::formats::bytes::{Bytes, FileBytes, Order};

/// Which of a scan's files the samples are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `fid`: summed over averages.
    Fid,
    /// `rawdata.job0`: every transient of every coil.
    Raw,
    /// `fid_proc.64`: as ParaVision 360 combined and averaged them.
    Processed,
}

impl Kind {
    pub(super) fn of(path: &Path) -> Self {
        let is = |name: &str| path.file_name().is_some_and(|n| n.eq_ignore_ascii_case(name));
        match () {
            () if is(RAW) => Self::Raw,
            () if is(PROCESSED) => Self::Processed,
            () => Self::Fid,
        }
    }
}

/// How numbers are stored.
#[derive(Debug, Clone, Copy)]
pub(super) enum Word {
    I16,
    I32,
    F32,
    F64,
}

impl Word {
    /// What the parameters say: raw data and `fid` each have a parameter of their own.
    pub(super) fn of(kind: Kind, parameters: &Parameters) -> Self {
        if kind == Kind::Processed {
            return Self::F64;
        }
        let raw = ["GO_raw_data_format", "ACQ_word_size"];
        let names = if kind == Kind::Fid { raw } else { [raw[1], raw[0]] };
        match names.iter().find_map(|n| parameters.text(n)).as_deref() {
            Some("GO_16BIT_SGN_INT" | "_16_BIT") => Self::I16,
            Some("GO_32BIT_FLOAT") => Self::F32,
            _ => Self::I32,
        }
    }

    pub(super) fn bytes(self) -> usize {
        match self {
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// Blocks of `fid` fill up to a multiple of so many bytes (`Standard_KBlock_Format`).
const K_BLOCK: usize = 1024;
/// The rows of a file: transient after transient, each of all coils.
pub(super) struct Rows {
    file: FileBytes,
    word: Word,
    order: Order,
    points: usize,
    row_bytes: usize,
    block_bytes: usize,
    /// Transients that are whole.
    pub(super) blocks: usize,
}

impl Rows {
    pub(super) fn new(
        kind: Kind,
        file: FileBytes,
        parameters: &Parameters,
        points: usize,
        coils: usize,
    ) -> Result<Self, DecodeError> {
        let word = Word::of(kind, parameters);
        let order = match parameters.text("BYTORDA").as_deref() {
            Some("big") if kind != Kind::Processed => Order::Big,
            _ => Order::Little,
        };
        let row_bytes = 2 * word.bytes() * points;
        let needed = row_bytes * coils;
        let mut block_bytes = needed;
        if kind == Kind::Fid && parameters.text("GO_block_size").as_deref() == Some("Standard_KBlock_Format") {
            block_bytes = block_bytes.div_ceil(K_BLOCK) * K_BLOCK;
        }
        // The last block need not be filled up.
        let blocks = file.len().checked_sub(needed).map_or(0, |others| others / block_bytes + 1);
        if blocks == 0 {
            return Err(DecodeError::Truncated { got: file.len(), points, coils, needed });
        }
        Ok(Self { file, word, order, points, row_bytes, block_bytes, blocks })
    }

    pub(super) fn row(&self, block: usize, coil: usize) -> Vec<Complex64> {
        let view = Bytes::new(&self.file, self.order);
        let part = |at: usize| {
            let value = match self.word {
                Word::I16 => view.i16(at).map(f64::from),
                Word::I32 => view.i32(at).map(f64::from),
                Word::F32 => view.f32(at).map(f64::from),
                Word::F64 => view.f64(at).filter(|x| x.is_finite()),
            };
            value.unwrap_or(0.0)
        };
        let (start, bytes) = (block * self.block_bytes + coil * self.row_bytes, self.word.bytes());
        let sample = |point: usize| {
            let at = start + 2 * bytes * point;
            Complex64::new(part(at), -part(at + bytes))
        };
        (0..self.points).map(sample).collect()
    }
}
