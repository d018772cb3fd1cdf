//! Time that each stage takes on the device, by timestamp queries.

use std::collections::BTreeMap;

use crate::engine::gpu::device::Device;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::stage::Stage;

/// Seconds by stage, summed over all rounds of a fit.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// Seconds; empty on a device without timestamps.
    pub seconds: BTreeMap<Stage, f64>,
    /// Rounds of all stages.
    pub rounds: usize,
}

/// Timestamps of one submission: two a pass.
pub(super) struct Timestamps {
    set: wgpu::QuerySet,
    resolved: wgpu::Buffer,
    read: wgpu::Buffer,
    /// Stage of each pass so far.
    passes: Vec<Stage>,
}

impl Timestamps {
    /// Room for `passes` passes; `None` on a device without timestamps.
    pub(super) fn new(device: &Device, passes: usize) -> Option<Self> {
        if !device.timestamps {
            return None;
        }
        let count = 2 * passes as u32;
        let buffer = |usage| {
            device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("timestamps"),
                size: 8 * u64::from(count),
                usage,
                mapped_at_creation: false,
            })
        };
        Some(Self {
            set: device.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: Some("timestamps"),
                ty: wgpu::QueryType::Timestamp,
                count,
            }),
            resolved: buffer(wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC),
            read: buffer(wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST),
            passes: Vec::with_capacity(passes),
        })
    }

    /// Where the next pass, of `stage`, writes its timestamps.
    pub(super) fn next(&mut self, stage: Stage) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = 2 * self.passes.len() as u32;
        self.passes.push(stage);
        wgpu::ComputePassTimestampWrites {
            query_set: &self.set,
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }

    pub(super) fn resolve(&self, encoder: &mut wgpu::CommandEncoder) {
        let count = 2 * self.passes.len() as u32;
        encoder.resolve_query_set(&self.set, 0..count, &self.resolved, 0);
        encoder.copy_buffer_to_buffer(&self.resolved, 0, &self.read, 0, 8 * u64::from(count));
    }

    /// Adds the submission's times to `profile`.
    pub(super) fn add_to(
        self,
        device: &Device,
        submission: wgpu::SubmissionIndex,
        profile: &mut Profile,
    ) -> Result<(), GpuError> {
        let ticks: Vec<u64> = device.read(&self.read, 16 * self.passes.len() as u64, submission)?;
        let period_s = f64::from(device.queue.get_timestamp_period()) * 1e-9;
        for (stage, pair) in self.passes.iter().zip(ticks.chunks_exact(2)) {
            *profile.seconds.entry(*stage).or_default() += pair[1].saturating_sub(pair[0]) as f64 * period_s;
        }
        Ok(())
    }
}
