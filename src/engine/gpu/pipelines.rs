//! Compiled stages and the layouts of their bindings, all from the table of stages.

use std::collections::HashMap;

use super::device::Device;
use super::sizes::ENTRY;
use super::stage::{Access, Family, Stage};

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
