//! Spectra of any models in the slots of a device: what goes up, the rounds of their fits, and what comes back.

use std::sync::{Arc, PoisonError};

use bytemuck::cast_slice;

use super::layout::COUNTS_BYTES;
use super::memory::Memory;
use super::modes::Modes;
use super::profile::{Profile, Timestamps};
use super::tables::Tables;
use crate::engine::gpu::device::Device;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::opened::Opened;
use crate::engine::gpu::pipelines::Compiled;
use crate::engine::gpu::stage::fit::{Buffer, CONVERGED, DONE, N_VECTORS, SINGULAR, Scalars, Shape, Slots};
use crate::engine::gpu::stage::{Family, NamedBuffer, Stage};
use crate::fit::FitState;
use crate::fit::map::Model;
use crate::fit::map::constants::START_DAMPING;
use crate::fit::map::normal::Weights;
use crate::fit::map::problem::{Problem, Solved, start_variance};

/// Rounds of all stages in one submission. A round of a full chunk is some milliseconds on a GPU: short enough
/// for the watchdogs of desktops, long enough that waiting for the count costs nothing.
pub(super) const ROUNDS: usize = 4;

/// Slots on a device, for spectra of the models of `tables`.
pub(in crate::engine::gpu) struct Chunk {
    device: Arc<Device>,
    tables: Arc<Tables>,
    compiled: Arc<Compiled>,
    slots: Slots,
    memory: Memory,
    groups: Vec<wgpu::BindGroup>,
}

impl Chunk {
    /// `slots`, all empty, in the memory that the device has from batches before.
    pub(in crate::engine::gpu) fn new(opened: &Opened, tables: &Arc<Tables>, slots: Slots) -> Result<Self, GpuError> {
        let device = &opened.device;
        let compiled = opened.compiled(Family::Fit, tables.fft_n)?;
        let mut kept = opened.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let memory = kept.get_or_insert_with(|| Memory::new(device));
        memory.hold(device, tables, &slots);
        let memory = memory.clone();
        let groups = memory.buffers.groups(device, &compiled);
        let empty = vec![Scalars { phase: DONE, ..Scalars::default() }; slots.n_slots as usize];
        memory.buffers.write(device, Buffer::Scalars, cast_slice(&empty));
        device.check()?;
        let (device, tables) = (Arc::clone(device), Arc::clone(tables));
        Ok(Self { device, tables, compiled, slots, memory, groups })
    }

    pub(super) fn n_slots(&self) -> usize {
        self.slots.n_slots as usize
    }

    pub(super) fn slots(&self) -> &Slots {
        &self.slots
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }

    pub(super) fn shape(&self, model: usize) -> &Shape {
        &self.tables.shapes[model]
    }

    pub(super) fn modes(&self, model: usize) -> &Modes {
        &self.tables.modes[model]
    }

    /// Writes problems to the device, each at its start, into slots from `first` on. Each comes with its model and that model's
    /// number.
    pub(super) fn upload(&self, first: usize, problems: &[(usize, &Model, &Problem)]) {
        let [vectors_len, data_len] = [self.slots.vectors_len, self.slots.data_len].map(|len| len as usize);
        let mut vectors = vec![0.0_f32; problems.len() * vectors_len];
        let mut data = vec![[0.0_f32; 2]; problems.len() * data_len];
        let mut scalars = Vec::with_capacity(problems.len());
        for (i, &(number, model, problem)) in problems.iter().enumerate() {
            for (to, from) in vectors[i * vectors_len..].iter_mut().zip(problem.start_parameters(model)) {
                *to = from as f32;
            }
            for (to, z) in data[i * data_len..].iter_mut().zip(&problem.data) {
                *to = [z.re as f32, z.im as f32];
            }
            let weights = problem.start_weights(model);
            scalars.push(Scalars {
                model: number as u32,
                damping: START_DAMPING as f32,
                variance: weights.variance as f32,
                lambda: weights.lambda as f32,
                noise_variance: problem.noise_variance as f32,
                start_variance: start_variance(weights.variance) as f32,
                kernel_share: weights.kernel_share as f32,
                ..Scalars::default()
            });
        }
        self.write(Buffer::Scalars, first, cast_slice(&scalars));
        self.write(Buffer::Vectors, first * vectors_len, cast_slice(&vectors));
        self.write(Buffer::Data, first * data_len, cast_slice(&data));
    }

    /// Empties a slot whose fit has not ended.
    pub(super) fn clear(&self, slot: usize) {
        self.write(Buffer::Scalars, slot, cast_slice(&[Scalars { phase: DONE, ..Scalars::default() }]));
    }

    /// Writes to a buffer from its element number `first` on.
    fn write(&self, buffer: Buffer, first: usize, bytes: &[u8]) {
        let offset = first as u64 * u64::from(buffer.binding().stride);
        self.device.queue.write_buffer(&self.memory.buffers[buffer], offset, bytes);
    }

    /// Some rounds of all stages; how many spectra are unfinished after them. `is_new`: slots were filled before.
    pub(super) fn rounds(&self, is_new: bool, profile: Option<&mut Profile>) -> Result<usize, GpuError> {
        let device = &self.device;
        let mut order = Vec::with_capacity(ROUNDS * (Stage::ROUND.len() + 1) + 1);
        if is_new {
            order.push(Stage::Compact);
        }
        for _ in 0..ROUNDS {
            order.extend_from_slice(Stage::ROUND);
            order.push(Stage::Compact);
        }
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut timestamps = profile.as_ref().and_then(|_| Timestamps::new(device, order.len()));
        match &mut timestamps {
            None => self.dispatch(&mut encoder, &self.compiled, &order),
            // A pass a stage: timestamps are taken where passes begin and end.
            Some(timestamps) => {
                for stage in order {
                    let timestamp_writes = Some(timestamps.next(stage));
                    let descriptor = wgpu::ComputePassDescriptor { timestamp_writes, ..Default::default() };
                    self.add(&mut encoder.begin_compute_pass(&descriptor), &self.compiled, stage);
                }
                timestamps.resolve(&mut encoder);
            }
        }
        let Memory { buffers, counts: read, .. } = &self.memory;
        encoder.copy_buffer_to_buffer(&buffers[Buffer::Lists], 0, read, 0, COUNTS_BYTES);
        let submission = device.queue.submit([encoder.finish()]);
        let counts: Vec<u32> = device.read(read, COUNTS_BYTES, submission.clone())?;
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
            _ => pass.dispatch_workgroups_indirect(&self.memory.buffers[Buffer::Arguments], stage.arguments_at()),
        }
    }

    /// Where each slot stands.
    pub(super) fn states(&self) -> Result<Vec<Scalars>, GpuError> {
        let Memory { buffers, scalars: read, .. } = &self.memory;
        let bytes = (self.n_slots() * size_of::<Scalars>()) as u64;
        let mut encoder = self.device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&buffers[Buffer::Scalars], 0, read, 0, bytes);
        let submission = self.device.queue.submit([encoder.finish()]);
        self.device.read(read, bytes, submission)
    }

    /// The solutions in `taken`: slots in their order, each with its model and where it stands.
    pub(super) fn download(&self, taken: &[(usize, &Model, Scalars)]) -> Result<Vec<Solved>, GpuError> {
        if taken.is_empty() {
            return Ok(Vec::new());
        }
        let Memory { buffers, vectors: read, .. } = &self.memory;
        let len = self.slots.vectors_len as usize;
        let of_slots = |n: usize| (4 * n * len) as u64;
        let mut encoder = self.device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let mut at = 0;
        // Neighbours come in one piece.
        for run in taken.chunk_by(|(a, ..), (b, ..)| a + 1 == *b) {
            let from = of_slots(run[0].0);
            encoder.copy_buffer_to_buffer(&buffers[Buffer::Vectors], from, read, at, of_slots(run.len()));
            at += of_slots(run.len());
        }
        let submission = self.device.queue.submit([encoder.finish()]);
        let vectors: Vec<f32> = self.device.read(read, at, submission)?;
        Ok(taken.iter().zip(vectors.chunks(len)).map(|((_, model, s), own)| self.solved(model, s, own)).collect())
    }

    fn solved(&self, model: &Model, s: &Scalars, own: &[f32]) -> Solved {
        let (shape, modes) = (self.shape(s.model as usize), self.modes(s.model as usize));
        let wide = |values: &[f32]| values.iter().map(|&v| f64::from(v)).collect::<Vec<f64>>();
        let m = shape.n_parameters as usize;
        let (first, rows) = (shape.n_model as usize, N_VECTORS as usize * m);
        let mut x = wide(&own[..m]);
        let splines = modes.coefficients(&x[first..]);
        x[first..].copy_from_slice(&splines);
        Solved {
            x,
            weights: Weights {
                variance: f64::from(s.variance),
                lambda: f64::from(s.lambda),
                rows: wide(&own[rows..rows + shape.n_rows as usize]),
                volume: [0.0; 2],
                kernel_share: f64::from(s.kernel_share),
            },
            state: state(s),
            n_iterations: (s.iteration as usize).min(model.settings.max_iterations),
            objective: f64::from(s.cost),
            holds_shapes: s.holds_shapes != 0,
        }
    }
}

fn state(scalars: &Scalars) -> FitState {
    match (scalars.phase, scalars.state) {
        (DONE, CONVERGED) => FitState::Converged,
        (DONE, SINGULAR) => FitState::Singular,
        _ => FitState::MaxIterations,
    }
}
