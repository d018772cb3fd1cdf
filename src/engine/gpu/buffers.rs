//! Buffers on the device by the names that they have in the shaders.

use std::marker::PhantomData;
use std::ops::Index;

use super::device::Device;
use super::pipelines::Compiled;
use super::stage::NamedBuffer;

/// The buffers of a family of stages.
#[derive(Clone)]
pub(super) struct Buffers<B> {
    /// In the order of [`NamedBuffer::ALL`].
    all: Vec<wgpu::Buffer>,
    names: PhantomData<B>,
}

impl<B: NamedBuffer> Buffers<B> {
    /// Every buffer as `make` makes it.
    pub(super) fn new(make: impl FnMut(B) -> wgpu::Buffer) -> Self {
        Self { all: B::ALL.iter().copied().map(make).collect(), names: PhantomData }
    }

    /// Puts another buffer in the place of `name`.
    pub(super) fn replace(&mut self, name: B, buffer: wgpu::Buffer) {
        self.all[name.place()] = buffer;
    }

    /// Writes `bytes` to the beginning of `name`.
    pub(super) fn write(&self, device: &Device, name: B, bytes: &[u8]) {
        device.queue.write_buffer(&self[name], 0, bytes);
    }

    /// The groups of bindings, in their order.
    pub(super) fn groups(&self, device: &Device, compiled: &Compiled) -> Vec<wgpu::BindGroup> {
        let of_group = |(group, layout): (usize, &wgpu::BindGroupLayout)| {
            let own = B::ALL.iter().filter(|name| name.binding().group as usize == group);
            let entries: Vec<_> = own
                .map(|&name| wgpu::BindGroupEntry {
                    binding: name.binding().index,
                    resource: self[name].as_entire_binding(),
                })
                .collect();
            let descriptor = wgpu::BindGroupDescriptor { label: None, layout, entries: &entries };
            device.device.create_bind_group(&descriptor)
        };
        compiled.groups.iter().enumerate().map(of_group).collect()
    }
}

impl<B: NamedBuffer> Index<B> for Buffers<B> {
    type Output = wgpu::Buffer;

    fn index(&self, name: B) -> &wgpu::Buffer {
        &self.all[name.place()]
    }
}

/// A buffer of `bytes`, labelled with the name that it has in the shaders.
pub(super) fn make(device: &Device, label: &str, bytes: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: bytes.next_multiple_of(4).max(16),
        usage,
        mapped_at_creation: false,
    })
}
