//! Adapters and devices: what there is, which one to take, and its life and death.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::error::GpuError;
use super::quiet::quietly;
use super::sizes::{THREADS, WORKGROUP_BYTES};

/// Storage buffers that the stages see together.
const STORAGE_BUFFERS: u32 = 13;
/// Longest wait for one submission; each is a few milliseconds of work on a GPU, seconds on a rasteriser.
const TIMEOUT: Duration = Duration::from_secs(120);

/// An adapter as people and scripts see it.
#[derive(Debug, Clone)]
pub struct AdapterSummary {
    /// Its number for `--gpu`.
    pub index: usize,
    /// Name.
    pub name: String,
    /// Driver and its version.
    pub driver: String,
    /// Vulkan, Metal, …
    pub backend: String,
    /// Discrete, integrated, virtual, or a software rasteriser.
    pub kind: String,
    /// Whether it is a software rasteriser: correct, and slower than the native engine.
    pub is_software: bool,
    /// What it lacks; `None` if it can be used.
    pub lacks: Option<String>,
    /// Its limits.
    pub limits: wgpu::Limits,
}

/// A device with its queue, watched for errors.
pub(super) struct Device {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: wgpu::Limits,
    pub(super) name: String,
    pub(super) timestamps: bool,
    pub(super) is_software: bool,
    lost: Arc<AtomicBool>,
    error: Arc<Mutex<Option<String>>>,
}

fn instance() -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    // Arguments of indirect dispatches are written by our own stage and never exceed the limits.
    descriptor.flags.remove(wgpu::InstanceFlags::VALIDATION_INDIRECT_CALL);
    wgpu::Instance::new(descriptor)
}

fn adapters() -> Vec<wgpu::Adapter> {
    quietly(|| pollster::block_on(instance().enumerate_adapters(wgpu::Backends::PRIMARY)))
}

/// All adapters of this machine; none where there is no driver.
pub fn list() -> Vec<AdapterSummary> {
    adapters().iter().enumerate().map(|(index, adapter)| summary(index, adapter)).collect()
}

fn summary(index: usize, adapter: &wgpu::Adapter) -> AdapterSummary {
    let (info, limits) = (adapter.get_info(), adapter.limits());
    AdapterSummary {
        index,
        name: info.name,
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        backend: info.backend.to_string(),
        kind: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "software",
            wgpu::DeviceType::Other => "other",
        }
        .to_owned(),
        is_software: info.device_type == wgpu::DeviceType::Cpu,
        lacks: lacks(&limits),
        limits,
    }
}

/// The first limit that the stages would pass.
pub fn lacks(limits: &wgpu::Limits) -> Option<String> {
    let needs = [
        ("workgroup memory (bytes)", limits.max_compute_workgroup_storage_size, WORKGROUP_BYTES),
        ("invocations a workgroup", limits.max_compute_invocations_per_workgroup, THREADS),
        ("storage buffers a stage", limits.max_storage_buffers_per_shader_stage, STORAGE_BUFFERS),
    ];
    needs
        .into_iter()
        .find(|(_, has, needed)| has < needed)
        .map(|(what, has, needed)| format!("{what}: {has}, {needed} are needed"))
}

/// Index of the adapter that `auto` takes: a discrete GPU before an integrated one, never a rasteriser.
pub fn automatic(adapters: &[AdapterSummary]) -> Option<usize> {
    let rank = |a: &AdapterSummary| match a.kind.as_str() {
        "discrete" => 0,
        "integrated" => 1,
        _ => 2,
    };
    adapters.iter().filter(|a| !a.is_software && a.lacks.is_none()).min_by_key(|a| (rank(a), a.index)).map(|a| a.index)
}

/// Index of the first software rasteriser that can be used.
pub fn software(adapters: &[AdapterSummary]) -> Option<usize> {
    adapters.iter().find(|a| a.is_software && a.lacks.is_none()).map(|a| a.index)
}

impl Device {
    /// Opens adapter number `index`.
    pub(super) fn open(index: usize) -> Result<Self, GpuError> {
        let all = adapters();
        let adapter = all.get(index).ok_or(GpuError::NoAdapter { asked: Some(index), found: all.len() })?;
        let summary = summary(index, adapter);
        if let Some(lacks) = summary.lacks {
            return Err(GpuError::Limits { adapter: summary.name, lacks });
        }
        let limits = adapter.limits();
        let timestamps = adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("requant"),
            required_features: if timestamps { wgpu::Features::TIMESTAMP_QUERY } else { wgpu::Features::empty() },
            required_limits: limits.clone(),
            ..Default::default()
        }))
        .map_err(|e| GpuError::Open { adapter: summary.name.clone(), reason: e.to_string() })?;
        let (lost, error) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(None)));
        let (seen, noted) = (Arc::clone(&lost), Arc::clone(&error));
        device.set_device_lost_callback(move |reason, message| {
            seen.store(true, Ordering::SeqCst);
            note(&noted, format!("device lost ({reason:?}) {message}"));
        });
        let noted = Arc::clone(&error);
        device.on_uncaptured_error(Arc::new(move |e: wgpu::Error| note(&noted, e.to_string())));
        Ok(Self {
            device,
            queue,
            limits,
            name: format!("{} ({}, {})", summary.name, summary.backend, summary.driver),
            timestamps,
            is_software: summary.is_software,
            lost,
            error,
        })
    }

    /// What has gone wrong since the last call.
    pub(super) fn check(&self) -> Result<(), GpuError> {
        let error = self.error.lock().unwrap_or_else(PoisonError::into_inner).take();
        match error {
            Some(reason) => Err(GpuError::Device { reason }),
            None if self.lost.load(Ordering::SeqCst) => Err(GpuError::Device { reason: "device lost".to_owned() }),
            None => Ok(()),
        }
    }

    /// Waits until a submission is done.
    pub(super) fn wait(&self, submission: wgpu::SubmissionIndex) -> Result<(), GpuError> {
        let waited =
            self.device.poll(wgpu::PollType::Wait { submission_index: Some(submission), timeout: Some(TIMEOUT) });
        self.check()?;
        waited.map(|_| ()).map_err(|e| GpuError::Device { reason: e.to_string() })
    }

    /// The first `bytes` of a buffer that can be mapped, once `submission` is done.
    pub(super) fn read<T: bytemuck::AnyBitPattern>(
        &self,
        buffer: &wgpu::Buffer,
        bytes: u64,
        submission: wgpu::SubmissionIndex,
    ) -> Result<Vec<T>, GpuError> {
        let slice = buffer.slice(..bytes);
        slice.map_async(wgpu::MapMode::Read, |_| {});
        self.wait(submission)?;
        let view = slice.get_mapped_range().map_err(|e| GpuError::Device { reason: e.to_string() })?;
        let values = view.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect();
        drop(view);
        buffer.unmap();
        Ok(values)
    }
}

fn note(slot: &Mutex<Option<String>>, message: String) {
    slot.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
}
