//! Memory on a device for the chunks of all models: it stays from batch to batch and grows as they need it.

use bytemuck::{bytes_of, cast_slice};

use super::layout::{COUNTS_BYTES, bytes_per_slot, largest_buffer};
use super::tables::Tables;
use crate::engine::gpu::buffers::{Buffers, make};
use crate::engine::gpu::device::Device;
use crate::engine::gpu::stage::fit::{Buffer, Slots};
use crate::engine::gpu::stage::{ARGUMENT_BYTES, NamedBuffer, Stage};

/// Buffers grow to multiples of this many bytes.
const GRAIN: u64 = 1 << 16;

/// The buffers of the stages, and those that the host reads.
#[derive(Clone)]
pub(in crate::engine::gpu) struct Memory {
    pub(super) buffers: Buffers<Buffer>,
    pub(super) scalars: wgpu::Buffer,
    pub(super) vectors: wgpu::Buffer,
    pub(super) counts: wgpu::Buffer,
}

impl Memory {
    /// With next to nothing in it.
    pub(super) fn new(device: &Device) -> Self {
        let read = |bytes| make(device, "read", bytes, READ);
        Self {
            buffers: Buffers::new(|buffer: Buffer| make(device, buffer.binding().name, GRAIN, usage(buffer))),
            scalars: read(GRAIN),
            vectors: read(GRAIN),
            counts: read(COUNTS_BYTES),
        }
    }

    /// Makes room for `slots` and their models, and writes what does not change.
    pub(super) fn hold(&mut self, device: &Device, tables: &Tables, slots: &Slots) {
        let n = u64::from(slots.n_slots);
        let constant = |buffer| -> Option<&[u8]> {
            match buffer {
                Buffer::Slots => Some(bytes_of(slots)),
                Buffer::Models => Some(cast_slice(&tables.shapes)),
                Buffer::Tables => Some(cast_slice(&tables.floats)),
                Buffer::Indices => Some(cast_slice(&tables.indices)),
                Buffer::BandFids => Some(cast_slice(&tables.band_fids)),
                _ => None,
            }
        };
        for &buffer in Buffer::ALL {
            let needed = match (constant(buffer), bytes_per_slot(buffer, slots)) {
                (Some(bytes), _) => bytes.len() as u64,
                (None, Some(bytes)) => n * bytes + COUNTS_BYTES,
                (None, None) => ARGUMENT_BYTES * Stage::ALL.len() as u64,
            };
            if let Some(larger) = grown(device, &self.buffers[buffer], needed, usage(buffer)) {
                self.buffers.replace(buffer, larger);
            }
            if let Some(bytes) = constant(buffer) {
                self.buffers.write(device, buffer, bytes);
            }
        }
        self.buffers.replace(Buffer::NewLists, self.buffers[Buffer::Lists].clone());
        let of = |buffer| n * bytes_per_slot(buffer, slots).unwrap_or(0);
        for (read, needed) in [(&mut self.scalars, of(Buffer::Scalars)), (&mut self.vectors, of(Buffer::Vectors))] {
            if let Some(larger) = grown(device, read, needed, READ) {
                *read = larger;
            }
        }
    }
}

const READ: wgpu::BufferUsages = wgpu::BufferUsages::MAP_READ.union(wgpu::BufferUsages::COPY_DST);

fn usage(buffer: Buffer) -> wgpu::BufferUsages {
    use wgpu::BufferUsages as Usage;
    match buffer {
        Buffer::Slots => Usage::UNIFORM | Usage::COPY_DST,
        Buffer::Arguments => Usage::STORAGE | Usage::INDIRECT | Usage::COPY_DST | Usage::COPY_SRC,
        _ => Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC,
    }
}

/// A larger buffer where `buffer` has no room for `needed` bytes.
fn grown(device: &Device, buffer: &wgpu::Buffer, needed: u64, usage: wgpu::BufferUsages) -> Option<wgpu::Buffer> {
    let size = needed.next_multiple_of(GRAIN).min(largest_buffer(&device.limits)).max(needed);
    (buffer.size() < needed).then(|| make(device, "grown", size, usage))
}
