//! What the buffers of a chunk take in the device's memory, and how many spectra fit into one.

use crate::engine::gpu::stage::NamedBuffer;
use crate::engine::gpu::stage::fit::{Buffer, Shape};

/// Bytes that a spectrum takes in a buffer; `None` for those that all spectra share.
pub(super) fn bytes_per_spectrum(buffer: Buffer, shape: &Shape) -> Option<u64> {
    let [columns, window, splines] = [shape.n_columns, shape.n_window, shape.n_splines].map(u64::from);
    let elements: u64 = match buffer {
        Buffer::Shape | Buffer::Tables | Buffer::Indices | Buffer::BandFids | Buffer::Arguments => return None,
        Buffer::Scalars => 1,
        Buffer::Vectors => shape.vectors_len.into(),
        Buffer::Data => window,
        Buffer::Columns => columns * window,
        Buffer::Gram => columns * columns,
        Buffer::Projections => columns * splines,
        Buffer::Work | Buffer::Factor => shape.work_len.into(),
        Buffer::Lists => 2,
    };
    Some(u64::from(buffer.binding().stride) * elements)
}

/// Bytes at the beginning of the lists: how many spectra are to be evaluated, and how many are unfinished.
pub(super) const COUNTS_BYTES: u64 = 8;

/// Memory that the buffers of one chunk may take together (bytes). Small enough for any discrete GPU; a chunk
/// that fills the device's units needs far less.
const CHUNK_BYTES: u64 = 3 << 30;

/// Spectra in one chunk on a software rasteriser, where a round of a large one would run into the timeout.
const SOFTWARE_CHUNK: u64 = 64;

/// How many spectra fit into one chunk.
pub(in crate::engine::gpu) fn chunk_size(shape: &Shape, limits: &wgpu::Limits, is_software: bool) -> usize {
    let bytes = Buffer::ALL.iter().filter_map(|buffer| bytes_per_spectrum(*buffer, shape));
    let (largest, total) = bytes.fold((1, 0), |(largest, total), b| (largest.max(b), total + b));
    let binding = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
    let fits = (binding.saturating_sub(COUNTS_BYTES) / largest).min(CHUNK_BYTES / total.max(1));
    let fits = if is_software { fits.min(SOFTWARE_CHUNK) } else { fits };
    fits.min(u64::from(limits.max_compute_workgroups_per_dimension)) as usize
}
