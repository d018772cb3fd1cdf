//! One chunk of spectra on the device: its buffers, the rounds of its fit, and what comes back.

use bytemuck::{bytes_of, cast_slice};

use super::layout::{COUNTS_BYTES, bytes_per_spectrum};
use super::modes::Modes;
use super::profile::{Profile, Timestamps};
use super::tables::Tables;
use crate::engine::gpu::buffers::{Buffers, make};
use crate::engine::gpu::device::Device;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::pipelines::Compiled;
use crate::engine::gpu::stage::fit::{Buffer, CONVERGED, DONE, N_VECTORS, PASSES, SINGULAR, Scalars, Shape};
use crate::engine::gpu::stage::{ARGUMENT_BYTES, NamedBuffer, Stage};
use crate::fit::FitState;
use crate::fit::map::Model;
use crate::fit::map::constants::{MAX_ATTEMPTS, MAX_PASSES, START_DAMPING};
use crate::fit::map::normal::Weights;
use crate::fit::map::problem::{Problem, Solved, start_variance};
use crate::interrupt;

/// Rounds of all stages in one submission. A round of a full chunk is some milliseconds on a GPU: short enough
/// for the watchdogs of desktops, long enough that waiting for the count costs nothing.
const ROUNDS: usize = 4;
/// Rounds that an iteration can take at most: every attempt, each with all passes of the active set.
const ROUNDS_PER_ITERATION: usize = MAX_ATTEMPTS * MAX_PASSES.div_ceil(PASSES as usize);

/// Memory for chunks of up to a number of spectra of one model, used again from chunk to chunk.
pub(super) struct Chunk {
    pub(super) shape: Shape,
    pub(super) modes: Modes,
    capacity: usize,
    pub(super) buffers: Buffers<Buffer>,
    groups: Vec<wgpu::BindGroup>,
    read_scalars: wgpu::Buffer,
    read_vectors: wgpu::Buffer,
    read_counts: wgpu::Buffer,
}

impl Chunk {
    /// Memory for `capacity` spectra.
    pub(super) fn new(device: &Device, compiled: &Compiled, tables: &Tables, capacity: usize) -> Self {
        use wgpu::BufferUsages as Usage;
        let storage = Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC;
        let bytes = |buffer| bytes_per_spectrum(buffer, &tables.shape).unwrap_or(0) * capacity as u64;
        let buffers = Buffers::new(|buffer: Buffer| {
            let label = buffer.binding().name;
            let upload = |bytes: &[u8], usage| {
                let made = make(device, label, bytes.len() as u64, usage | Usage::COPY_DST);
                device.queue.write_buffer(&made, 0, bytes);
                made
            };
            match buffer {
                Buffer::Shape => upload(bytes_of(&tables.shape), Usage::UNIFORM),
                Buffer::Tables => upload(cast_slice(&tables.floats), Usage::STORAGE),
                Buffer::Indices => upload(cast_slice(&tables.indices), Usage::STORAGE),
                Buffer::BandFids => upload(cast_slice(&tables.band_fids), Usage::STORAGE),
                Buffer::Lists => make(device, label, bytes(buffer) + COUNTS_BYTES, storage),
                Buffer::Arguments => {
                    make(device, label, ARGUMENT_BYTES * Stage::ALL.len() as u64, storage | Usage::INDIRECT)
                }
                _ => make(device, label, bytes(buffer), storage),
            }
        });
        let read = |bytes| make(device, "read", bytes, Usage::MAP_READ | Usage::COPY_DST);
        Self {
            shape: tables.shape,
            modes: tables.modes.clone(),
            capacity,
            groups: buffers.groups(device, compiled),
            read_scalars: read(bytes(Buffer::Scalars)),
            read_vectors: read(bytes(Buffer::Vectors)),
            read_counts: read(COUNTS_BYTES),
            buffers,
        }
    }

    /// Most spectra that it can take.
    pub(super) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Writes the problems to the device, each at its start.
    pub(super) fn upload(&mut self, device: &Device, model: &Model, problems: &[Problem]) {
        self.shape.n_spectra = problems.len() as u32;
        self.buffers.write(device, Buffer::Shape, bytes_of(&self.shape));
        let mut vectors = vec![0.0_f32; problems.len() * self.shape.vectors_len as usize];
        let mut scalars = Vec::with_capacity(problems.len());
        let mut data: Vec<[f32; 2]> = Vec::with_capacity(problems.len() * self.shape.n_window as usize);
        for (problem, own) in problems.iter().zip(vectors.chunks_mut(self.shape.vectors_len as usize)) {
            for (to, from) in own.iter_mut().zip(problem.start_parameters(model)) {
                *to = from as f32;
            }
            let weights = problem.start_weights(model);
            scalars.push(Scalars {
                damping: START_DAMPING as f32,
                variance: weights.variance as f32,
                lambda: weights.lambda as f32,
                noise_variance: problem.noise_variance as f32,
                start_variance: start_variance(weights.variance) as f32,
                kernel_share: weights.kernel_share as f32,
                ..Scalars::default()
            });
            data.extend(problem.data.iter().map(|z| [z.re as f32, z.im as f32]));
        }
        self.buffers.write(device, Buffer::Scalars, cast_slice(&scalars));
        self.buffers.write(device, Buffer::Vectors, cast_slice(&vectors));
        self.buffers.write(device, Buffer::Data, cast_slice(&data));
    }

    /// Fits the problems; one solution each, in their order.
    pub(super) fn solve(
        &mut self,
        device: &Device,
        compiled: &Compiled,
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
        while unfinished > 0 && rounds <= most && !interrupt::asked() {
            unfinished = self.rounds(device, compiled, rounds == 0, profile.as_deref_mut())?;
            rounds += ROUNDS;
        }
        self.download(device, model, problems.len())
    }

    /// Some rounds of all stages; how many spectra are unfinished after them.
    fn rounds(
        &self,
        device: &Device,
        compiled: &Compiled,
        first: bool,
        profile: Option<&mut Profile>,
    ) -> Result<usize, GpuError> {
        let mut order = Vec::with_capacity(ROUNDS * (Stage::ROUND.len() + 1) + 1);
        if first {
            order.push(Stage::Compact);
        }
        for _ in 0..ROUNDS {
            order.extend_from_slice(Stage::ROUND);
            order.push(Stage::Compact);
        }
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut timestamps = profile.as_ref().and_then(|_| Timestamps::new(device, order.len()));
        match &mut timestamps {
            None => self.dispatch(&mut encoder, compiled, &order),
            // A pass a stage: timestamps are taken where passes begin and end.
            Some(timestamps) => {
                for stage in order {
                    let timestamp_writes = Some(timestamps.next(stage));
                    let descriptor = wgpu::ComputePassDescriptor { timestamp_writes, ..Default::default() };
                    self.add(&mut encoder.begin_compute_pass(&descriptor), compiled, stage);
                }
                timestamps.resolve(&mut encoder);
            }
        }
        encoder.copy_buffer_to_buffer(&self.buffers[Buffer::Lists], 0, &self.read_counts, 0, COUNTS_BYTES);
        let submission = device.queue.submit([encoder.finish()]);
        let counts: Vec<u32> = device.read(&self.read_counts, COUNTS_BYTES, submission.clone())?;
        if let Some(profile) = profile {
            profile.rounds += ROUNDS;
            if let Some(timestamps) = timestamps {
                timestamps.add_to(device, submission, profile)?;
            }
        }
        Ok(counts.get(1).map_or(0, |&n| n as usize))
    }

    /// Adds `stages` in their order, in one pass.
    pub(super) fn dispatch(&self, encoder: &mut wgpu::CommandEncoder, compiled: &Compiled, stages: &[Stage]) {
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        for stage in stages {
            self.add(&mut pass, compiled, *stage);
        }
    }

    fn add(&self, pass: &mut wgpu::ComputePass<'_>, compiled: &Compiled, stage: Stage) {
        compiled.set(pass, stage, &self.groups);
        match stage {
            Stage::Compact => pass.dispatch_workgroups(1, 1, 1),
            _ => pass.dispatch_workgroups_indirect(&self.buffers[Buffer::Arguments], stage.arguments_at()),
        }
    }

    fn download(&self, device: &Device, model: &Model, n: usize) -> Result<Vec<Solved>, GpuError> {
        let (m, len) = (self.shape.n_parameters as usize, self.shape.vectors_len as usize);
        let (scalar_bytes, vector_bytes) = ((n * size_of::<Scalars>()) as u64, (4 * n * len) as u64);
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.buffers[Buffer::Scalars], 0, &self.read_scalars, 0, scalar_bytes);
        encoder.copy_buffer_to_buffer(&self.buffers[Buffer::Vectors], 0, &self.read_vectors, 0, vector_bytes);
        let submission = device.queue.submit([encoder.finish()]);
        let scalars: Vec<Scalars> = device.read(&self.read_scalars, scalar_bytes, submission.clone())?;
        let vectors: Vec<f32> = device.read(&self.read_vectors, vector_bytes, submission)?;
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
                    volume: [0.0; 2],
                    kernel_share: f64::from(s.kernel_share),
                },
                state: state(s),
                n_iterations: (s.iteration as usize).min(model.settings.max_iterations),
                objective: f64::from(s.cost),
                holds_shapes: s.holds_shapes != 0,
            }
        });
        Ok(solved.collect())
    }
}

fn state(scalars: &Scalars) -> FitState {
    match (scalars.phase, scalars.state) {
        (DONE, CONVERGED) => FitState::Converged,
        (DONE, SINGULAR) => FitState::Singular,
        _ => FitState::MaxIterations,
    }
}
