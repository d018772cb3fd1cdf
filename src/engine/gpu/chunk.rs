//! One chunk of spectra on the device: its buffers, the rounds of its fit, and what comes back.

use super::GpuError;
use super::device::Device;
use super::layout::{DONE, N_VECTORS, Scalars, Shape, bytes_per_spectrum};
use super::modes::Modes;
use super::pipelines::Pipelines;
use super::profile::{Profile, Timestamps};
use super::source::FIT_STAGES;
use super::tables::Tables;
use crate::fit::FitState;
use crate::fit::map::Model;
use crate::fit::map::normal::Weights;
use crate::fit::map::problem::{Problem, Solved, start_variance};

/// Rounds of all stages in one submission. A round of a full chunk is some milliseconds on a GPU: short enough
/// for the watchdogs of desktops, long enough that waiting for the count costs nothing.
const ROUNDS: usize = 4;
/// Rounds that an iteration can take at most: twelve attempts, each with three dispatches of the active set.
const ROUNDS_PER_ITERATION: usize = 36;
/// Damping before the first step.
const START_DAMPING: f32 = 1e-2;

/// Where each stage's arguments lie in the buffer that `compact` writes (bytes), in the order of [`FIT_STAGES`]:
/// the last four share theirs or have their own, see the shader.
const ARGUMENTS_AT: [u64; 8] = [0, 12, 24, 36, 48, 60, 60, 60];

/// The model on the device.
pub(super) struct ModelBuffers {
    shape: Shape,
    modes: Modes,
    uniform: wgpu::Buffer,
    tables: wgpu::Buffer,
    indices: wgpu::Buffer,
    band_fids: wgpu::Buffer,
}

impl ModelBuffers {
    pub(super) fn new(device: &Device, tables: &Tables) -> Self {
        let upload = |label, bytes: &[u8], usage| {
            let buffer = device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: (bytes.len() as u64).next_multiple_of(16).max(16),
                usage: usage | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            device.queue.write_buffer(&buffer, 0, bytes);
            buffer
        };
        let storage = wgpu::BufferUsages::STORAGE;
        Self {
            shape: tables.shape,
            modes: tables.modes.clone(),
            uniform: upload("shape", bytemuck::bytes_of(&tables.shape), wgpu::BufferUsages::UNIFORM),
            tables: upload("tables", bytemuck::cast_slice(&tables.floats), storage),
            indices: upload("indices", bytemuck::cast_slice(&tables.indices), storage),
            band_fids: upload("band FIDs", bytemuck::cast_slice(&tables.band_fids), storage),
        }
    }
}

/// Memory for chunks of up to `capacity` spectra of one model, used again from chunk to chunk.
pub(super) struct ChunkBuffers {
    shape: Shape,
    modes: Modes,
    uniform: wgpu::Buffer,
    /// In the order of [`bytes_per_spectrum`].
    buffers: Vec<wgpu::Buffer>,
    arguments: wgpu::Buffer,
    read_scalars: wgpu::Buffer,
    read_vectors: wgpu::Buffer,
    read_counts: wgpu::Buffer,
    constants_group: wgpu::BindGroup,
    batch_group: wgpu::BindGroup,
    arguments_group: wgpu::BindGroup,
}

impl ChunkBuffers {
    pub(super) fn new(device: &Device, pipelines: &Pipelines, model: &ModelBuffers, capacity: usize) -> Self {
        use wgpu::BufferUsages as Usage;
        let shape = model.shape;
        let make = |label, size: u64, usage| {
            device.device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(label),
                size: size.max(16),
                usage,
                mapped_at_creation: false,
            })
        };
        let bytes = bytes_per_spectrum(&shape).map(|(name, b)| (name, b * capacity as u64));
        let storage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let extra = |name| if name == "lists" { 8 } else { 0 };
        let buffers: Vec<_> = bytes.iter().map(|&(name, size)| make(name, size + extra(name), storage)).collect();
        let arguments = make("arguments", 72, storage | Usage::INDIRECT);
        let bind = |label, layout: &wgpu::BindGroupLayout, buffers: &[&wgpu::Buffer]| {
            let entries: Vec<_> = buffers
                .iter()
                .enumerate()
                .map(|(i, b)| wgpu::BindGroupEntry { binding: i as u32, resource: b.as_entire_binding() })
                .collect();
            device.device.create_bind_group(&wgpu::BindGroupDescriptor {
                label: Some(label),
                layout,
                entries: &entries,
            })
        };
        let constants = [&model.uniform, &model.tables, &model.indices, &model.band_fids];
        Self {
            shape,
            modes: model.modes.clone(),
            uniform: model.uniform.clone(),
            constants_group: bind("constants", &pipelines.constants_layout, &constants),
            batch_group: bind("batch", &pipelines.batch_layout, &buffers.iter().collect::<Vec<_>>()),
            arguments_group: bind("arguments", &pipelines.arguments_layout, &[&arguments]),
            read_scalars: make("scalars read", bytes[0].1, Usage::MAP_READ | Usage::COPY_DST),
            read_vectors: make("vectors read", bytes[1].1, Usage::MAP_READ | Usage::COPY_DST),
            read_counts: make("counts read", 16, Usage::MAP_READ | Usage::COPY_DST),
            buffers,
            arguments,
        }
    }

    fn upload(&mut self, device: &Device, model: &Model, problems: &[Problem]) {
        self.shape.n_spectra = problems.len() as u32;
        device.queue.write_buffer(&self.uniform, 0, bytemuck::bytes_of(&self.shape));
        let mut vectors = vec![0.0_f32; problems.len() * self.shape.vectors_len as usize];
        let mut scalars = Vec::with_capacity(problems.len());
        let mut data: Vec<[f32; 2]> = Vec::with_capacity(problems.len() * self.shape.n_window as usize);
        for (problem, own) in problems.iter().zip(vectors.chunks_mut(self.shape.vectors_len as usize)) {
            for (to, from) in own.iter_mut().zip(problem.start_parameters(model)) {
                *to = from as f32;
            }
            let weights = problem.start_weights(model);
            scalars.push(Scalars {
                damping: START_DAMPING,
                variance: weights.variance as f32,
                lambda: weights.lambda as f32,
                noise_variance: problem.noise_variance as f32,
                start_variance: start_variance(weights.variance) as f32,
                ..Scalars::default()
            });
            data.extend(problem.data.iter().map(|z| [z.re as f32, z.im as f32]));
        }
        device.queue.write_buffer(&self.buffers[0], 0, bytemuck::cast_slice(&scalars));
        device.queue.write_buffer(&self.buffers[1], 0, bytemuck::cast_slice(&vectors));
        device.queue.write_buffer(&self.buffers[2], 0, bytemuck::cast_slice(&data));
    }

    /// Fits the problems; one solution each, in their order.
    pub(super) fn solve(
        &mut self,
        device: &Device,
        pipelines: &Pipelines,
        model: &Model,
        problems: &[Problem],
        mut profile: Option<&mut Profile>,
    ) -> Result<Vec<Solved>, GpuError> {
        if problems.is_empty() {
            return Ok(Vec::new());
        }
        self.upload(device, model, problems);
        let most = (model.settings.max_iterations + 1) * ROUNDS_PER_ITERATION;
        let mut unfinished = problems.len();
        let mut rounds = 0;
        while unfinished > 0 && rounds <= most {
            unfinished = self.rounds(device, pipelines, rounds == 0, profile.as_deref_mut())?;
            rounds += ROUNDS;
        }
        self.download(device, model, problems.len())
    }

    /// Some rounds of all stages; how many spectra are unfinished after them.
    fn rounds(
        &self,
        device: &Device,
        pipelines: &Pipelines,
        first: bool,
        profile: Option<&mut Profile>,
    ) -> Result<usize, GpuError> {
        let compact = FIT_STAGES.len();
        let mut order: Vec<usize> = Vec::with_capacity(ROUNDS * (compact + 1) + 1);
        if first {
            order.push(compact);
        }
        for _ in 0..ROUNDS {
            order.extend(0..=compact);
        }
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut timestamps = profile.as_ref().and_then(|_| Timestamps::new(device, order.len()));
        match &mut timestamps {
            None => {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                for stage in order {
                    self.dispatch(&mut pass, pipelines, stage);
                }
            }
            // A pass a stage: timestamps are taken where passes begin and end.
            Some(timestamps) => {
                for stage in order {
                    let timestamp_writes = Some(timestamps.next(stage));
                    let descriptor = wgpu::ComputePassDescriptor { timestamp_writes, ..Default::default() };
                    self.dispatch(&mut encoder.begin_compute_pass(&descriptor), pipelines, stage);
                }
                timestamps.resolve(&mut encoder);
            }
        }
        encoder.copy_buffer_to_buffer(&self.buffers[8], 0, &self.read_counts, 0, 8);
        let submission = device.queue.submit([encoder.finish()]);
        let counts: Vec<u32> = read(device, &self.read_counts, 8, submission.clone())?;
        if let Some(profile) = profile {
            profile.rounds += ROUNDS;
            if let Some(timestamps) = timestamps {
                timestamps.add_to(device, submission, profile)?;
            }
        }
        Ok(counts.get(1).map_or(0, |&n| n as usize))
    }

    fn dispatch(&self, pass: &mut wgpu::ComputePass<'_>, pipelines: &Pipelines, stage: usize) {
        pass.set_bind_group(0, &self.constants_group, &[]);
        pass.set_bind_group(1, &self.batch_group, &[]);
        match pipelines.stages.get(stage) {
            Some(pipeline) => {
                pass.set_pipeline(pipeline);
                pass.dispatch_workgroups_indirect(&self.arguments, ARGUMENTS_AT[stage]);
            }
            None => {
                pass.set_pipeline(&pipelines.compact);
                pass.set_bind_group(2, &self.arguments_group, &[]);
                pass.dispatch_workgroups(1, 1, 1);
            }
        }
    }

    fn download(&self, device: &Device, model: &Model, n: usize) -> Result<Vec<Solved>, GpuError> {
        let (m, len) = (self.shape.n_parameters as usize, self.shape.vectors_len as usize);
        let (scalar_bytes, vector_bytes) = ((n * size_of::<Scalars>()) as u64, (4 * n * len) as u64);
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.buffers[0], 0, &self.read_scalars, 0, scalar_bytes);
        encoder.copy_buffer_to_buffer(&self.buffers[1], 0, &self.read_vectors, 0, vector_bytes);
        let submission = device.queue.submit([encoder.finish()]);
        let scalars: Vec<Scalars> = read(device, &self.read_scalars, scalar_bytes, submission.clone())?;
        let vectors: Vec<f32> = read(device, &self.read_vectors, vector_bytes, submission)?;
        let solved = scalars.iter().zip(vectors.chunks(len)).map(|(s, own)| {
            let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
            let (first, rows) = (self.shape.n_model as usize, N_VECTORS as usize * m);
            let mut x = wide(&own[..m]);
            let splines = self.modes.coefficients(&x[first..]);
            x[first..].copy_from_slice(&splines);
            Solved {
                x,
                weights: Weights {
                    variance: f64::from(s.variance),
                    lambda: f64::from(s.lambda),
                    rows: wide(&own[rows..rows + self.shape.n_rows as usize]),
                },
                state: state(s),
                n_iterations: (s.iteration as usize).min(model.settings.max_iterations),
                objective: f64::from(s.cost),
            }
        });
        Ok(solved.collect())
    }
}

fn state(scalars: &Scalars) -> FitState {
    match (scalars.phase, scalars.state) {
        (DONE, 0) => FitState::Converged,
        (DONE, 2) => FitState::Singular,
        _ => FitState::MaxIterations,
    }
}

pub(super) fn read<T: bytemuck::AnyBitPattern>(
    device: &Device,
    buffer: &wgpu::Buffer,
    bytes: u64,
    submission: wgpu::SubmissionIndex,
) -> Result<Vec<T>, GpuError> {
    let slice = buffer.slice(..bytes);
    slice.map_async(wgpu::MapMode::Read, |_| {});
    device.wait(submission)?;
    let view = slice.get_mapped_range().map_err(|e| GpuError::Device { reason: e.to_string() })?;
    let values = view.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned).collect();
    drop(view);
    buffer.unmap();
    Ok(values)
}
