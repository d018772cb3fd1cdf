//! Compiled stages and the layout of their bindings.

use super::device::Device;
use super::source::{FIT_STAGES, REQUEST_STAGES, compose};
use super::{GpuError, source::SourceError};

/// The stages of a fit for one length of the transform.
pub(super) struct Pipelines {
    pub(super) constants_layout: wgpu::BindGroupLayout,
    pub(super) batch_layout: wgpu::BindGroupLayout,
    pub(super) arguments_layout: wgpu::BindGroupLayout,
    /// In the order of [`FIT_STAGES`].
    pub(super) stages: Vec<wgpu::ComputePipeline>,
    pub(super) compact: wgpu::ComputePipeline,
}

impl Pipelines {
    pub(super) fn new(device: &Device, fft_n: usize) -> Result<Self, GpuError> {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let (read, write) = (Storage { read_only: true }, Storage { read_only: false });
        let constants_layout = bindings(device, "constants", &[Uniform, read, read, read]);
        let batch_layout = bindings(device, "batch", &[write, write, read, write, write, write, write, write, write]);
        let arguments_layout = bindings(device, "arguments", &[write]);
        let build = |stage: &str, layouts: &[Option<&wgpu::BindGroupLayout>]| pipeline(device, stage, fft_n, layouts);
        let two = [Some(&constants_layout), Some(&batch_layout)];
        let stages = FIT_STAGES.iter().map(|stage| build(stage, &two)).collect::<Result<_, _>>()?;
        let compact = build("compact", &[Some(&constants_layout), Some(&batch_layout), Some(&arguments_layout)])?;
        Ok(Self { constants_layout, batch_layout, arguments_layout, stages, compact })
    }
}

/// The stages that answer requests, for one length of the transform.
pub(super) struct RequestPipelines {
    pub(super) layout: wgpu::BindGroupLayout,
    /// In the order of [`REQUEST_STAGES`].
    pub(super) stages: Vec<wgpu::ComputePipeline>,
}

impl RequestPipelines {
    pub(super) fn new(device: &Device, fft_n: usize) -> Result<Self, GpuError> {
        use wgpu::BufferBindingType::{Storage, Uniform};
        let (read, write) = (Storage { read_only: true }, Storage { read_only: false });
        let layout = bindings(device, "requests", &[Uniform, read, read, read, read, write, write, write]);
        let build = |stage: &&str| pipeline(device, stage, fft_n, &[Some(&layout)]);
        let stages = REQUEST_STAGES.iter().map(build).collect::<Result<_, _>>()?;
        Ok(Self { layout, stages })
    }
}

fn bindings(device: &Device, label: &str, types: &[wgpu::BufferBindingType]) -> wgpu::BindGroupLayout {
    let entries: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(i, &ty)| wgpu::BindGroupLayoutEntry {
            binding: i as u32,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        })
        .collect();
    device.device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: Some(label), entries: &entries })
}

fn pipeline(
    device: &Device,
    stage: &str,
    fft_n: usize,
    layouts: &[Option<&wgpu::BindGroupLayout>],
) -> Result<wgpu::ComputePipeline, SourceError> {
    let module = device.device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(stage),
        source: wgpu::ShaderSource::Wgsl(compose(stage, fft_n)?.into()),
    });
    let layout = device.device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(stage),
        bind_group_layouts: layouts,
        immediate_size: 0,
    });
    Ok(device.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(stage),
        layout: Some(&layout),
        module: &module,
        entry_point: Some("main"),
        // Every stage writes its workgroup memory before it reads it.
        compilation_options: wgpu::PipelineCompilationOptions {
            zero_initialize_workgroup_memory: false,
            ..Default::default()
        },
        cache: None,
    }))
}
