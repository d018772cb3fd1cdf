//! What a slot of a chunk holds, what the buffers take in the device's memory, and how many slots there may be.

use crate::engine::gpu::stage::NamedBuffer;
use crate::engine::gpu::stage::fit::{Buffer, N_VECTORS, Shape, Slots};

/// Slots with room for a spectrum of any of these models; how many is left open.
pub(in crate::engine::gpu) fn slots(models: &[Shape]) -> Slots {
    let most = |of: &dyn Fn(&Shape) -> u32| models.iter().map(of).max().unwrap_or(0);
    Slots {
        n_slots: 0,
        vectors_len: most(&|m| N_VECTORS * m.n_parameters + m.n_rows + 2 * m.n_splines),
        data_len: most(&|m| m.n_window),
        columns_len: most(&|m| m.n_columns * m.n_window),
        gram_len: most(&|m| m.n_columns * m.n_columns),
        projections_len: most(&|m| m.n_columns * m.n_splines),
        // A square of all parameters, or two of the splines.
        work_len: most(&|m| (m.n_parameters * m.n_parameters).max(2 * m.n_splines * m.n_splines)),
        most_components: most(&|m| m.n_components),
        most_columns: most(&|m| m.n_columns),
        has_splines: most(&|m| m.n_splines.min(1)),
    }
}

/// Bytes that a slot takes in a buffer; `None` for those that hold constants.
pub(super) fn bytes_per_slot(buffer: Buffer, slots: &Slots) -> Option<u64> {
    let elements = match buffer {
        Buffer::Slots
        | Buffer::Models
        | Buffer::Tables
        | Buffer::Indices
        | Buffer::BandFids
        | Buffer::Arguments
        // The same memory as `lists`.
        | Buffer::NewLists => return None,
        Buffer::Scalars => 1,
        Buffer::Vectors => slots.vectors_len,
        Buffer::Data => slots.data_len,
        Buffer::Columns => slots.columns_len,
        Buffer::Gram => slots.gram_len,
        Buffer::Projections => slots.projections_len,
        Buffer::Work | Buffer::Factor => slots.work_len,
        Buffer::Lists => 2,
    };
    Some(u64::from(buffer.binding().stride) * u64::from(elements))
}

/// Bytes at the beginning of the lists: how many spectra are to be evaluated, and how many are unfinished.
pub(super) const COUNTS_BYTES: u64 = 8;

/// Memory that the slots may take together (bytes). Small enough for any discrete GPU; a chunk that fills the device's
/// units needs far less.
const CHUNK_BYTES: u64 = 3 << 30;

/// Slots on a software rasteriser, where a round of many would run into the timeout.
const SOFTWARE_SLOTS: u64 = 64;

/// How many slots the device's memory has room for.
pub(in crate::engine::gpu) fn most_slots(slots: &Slots, limits: &wgpu::Limits, is_software: bool) -> usize {
    let bytes = Buffer::ALL.iter().filter_map(|buffer| bytes_per_slot(*buffer, slots));
    let (largest, total) = bytes.fold((1, 0), |(largest, total), b| (largest.max(b), total + b));
    let fits = (largest_buffer(limits).saturating_sub(COUNTS_BYTES) / largest).min(CHUNK_BYTES / total.max(1));
    let fits = if is_software { fits.min(SOFTWARE_SLOTS) } else { fits };
    fits.clamp(1, u64::from(limits.max_compute_workgroups_per_dimension)) as usize
}

/// Bytes that a buffer may have.
pub(in crate::engine::gpu) fn largest_buffer(limits: &wgpu::Limits) -> u64 {
    limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
}
