//! Compiled stages and the layouts of their bindings, all from the table of stages.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::device::Device;
use super::error::GpuError;
use super::rounds::Memory;
use super::sizes::ENTRY;
use super::stage::{Access, Family, Stage};

/// A device and what was compiled for it.
pub(super) struct Opened {
    pub(super) device: Arc<Device>,
    compiled: Mutex<HashMap<(Family, usize), Arc<Compiled>>>,
    /// What fits of `map` take, once there was one.
    pub(super) memory: Mutex<Option<Memory>>,
}

impl Opened {
    /// Opens adapter number `index`.
    pub(super) fn open(index: usize) -> Result<Self, GpuError> {
        Ok(Self { device: Arc::new(Device::open(index)?), compiled: Mutex::default(), memory: Mutex::default() })
    }

    /// The stages of `family` for transforms of `fft_n` samples, compiled on first use.
    pub(super) fn compiled(&self, family: Family, fft_n: usize) -> Result<Arc<Compiled>, GpuError> {
        let mut all = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = all.get(&(family, fft_n)) {
            return Ok(Arc::clone(found));
        }
        let compiled = Arc::new(Compiled::new(&self.device, family, |stage| stage.source(fft_n)));
        self.device.check()?;
        all.insert((family, fft_n), Arc::clone(&compiled));
        Ok(compiled)
    }
}

/// The stages of a family, compiled.
pub(super) struct Compiled {
    /// Layouts of the groups of bindings, in their order.
    pub(super) groups: Vec<wgpu::BindGroupLayout>,
    stages: HashMap<Stage, wgpu::ComputePipeline>,
}

impl Compiled {
    /// Compiles the sources of a family's stages.
    pub(super) fn new(device: &Device, family: Family, source: impl Fn(Stage) -> String) -> Self {
        let last = family.bindings().iter().map(|binding| binding.group).max().unwrap_or(0);
        let groups: Vec<_> = (0..=last).map(|group| layout(device, family, group)).collect();
        let stages = family.stages().map(|stage| (stage, pipeline(device, stage, source(stage), &groups))).collect();
        Self { groups, stages }
    }

    /// Makes `stage` the one that `pass` dispatches, on buffers bound as `groups`.
    pub(super) fn set(&self, pass: &mut wgpu::ComputePass<'_>, stage: Stage, groups: &[wgpu::BindGroup]) {
        pass.set_pipeline(&self.stages[&stage]);
        for &i in stage.groups() {
            pass.set_bind_group(i, &groups[i as usize], &[]);
        }
    }
}

fn layout(device: &Device, family: Family, group: u32) -> wgpu::BindGroupLayout {
    let own = family.bindings().iter().filter(|binding| binding.group == group);
    let entries: Vec<_> = own
        .map(|binding| wgpu::BindGroupLayoutEntry {
            binding: binding.index,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: match binding.access {
                    Access::Uniform => wgpu::BufferBindingType::Uniform,
                    Access::Read => wgpu::BufferBindingType::Storage { read_only: true },
                    Access::ReadWrite => wgpu::BufferBindingType::Storage { read_only: false },
                },
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    device.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}

fn pipeline(device: &Device, stage: Stage, source: String, groups: &[wgpu::BindGroupLayout]) -> wgpu::ComputePipeline {
    let label = Some(stage.name());
    let module = device
        .device
        .create_shader_module(wgpu::ShaderModuleDescriptor { label, source: wgpu::ShaderSource::Wgsl(source.into()) });
    let last = stage.groups().last().map_or(0, |last| *last as usize);
    let sees = |group: usize| stage.groups().contains(&(group as u32));
    let own: Vec<_> =
        groups.iter().enumerate().take(last + 1).map(|(group, layout)| sees(group).then_some(layout)).collect();
    let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label,
        bind_group_layouts: &own,
        immediate_size: 0,
    });
    device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label,
        layout: Some(&layout),
        module: &module,
        entry_point: Some(ENTRY),
        // Every stage writes its workgroup memory before it reads it.
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    })
}
