//! Normal equations of many spectra at once, as other programs' methods ask for them ([`Request`]).

use std::f64::consts::TAU;

use super::GpuError;
use super::chunk::read;
use super::device::Device;
use super::layout::{RequestShape, RequestSizes};
use super::source::{THREADS, fft_threads};
use crate::fit::peers::Model;
use crate::fit::peers::remote::{Answer, Constants, Request};
use crate::fit::peers::settings::Ratios;

/// Memory that one of the batch's buffers may take (bytes).
const BUFFER_BYTES: u64 = 1 << 30;
/// Columns and rows of a tile of products.
const TILE: usize = 32;

/// Bindings behind the uniform, in the order of `shaders/shared/requests.wgsl`, and how many there are.
const CONSTANTS: usize = 0;
const FIDS: usize = 1;
const SHAPES: usize = 2;
const ARENA: usize = 3;
const CARRIED: usize = 4;
const COLUMNS: usize = 5;
const GRAM: usize = 6;
const N_BUFFERS: usize = 7;

/// A model on the device, and the memory for its requests, which grows as they need it.
pub(super) struct Requests {
    constants: Constants,
    sizes: RequestSizes,
    buffers: Buffers,
    read: Option<wgpu::Buffer>,
}

impl Requests {
    /// For requests of `model`.
    ///
    /// # Errors
    /// What of the model the shaders do not do.
    pub(super) fn new(model: &Model) -> Result<Self, String> {
        // A fixed point of fits in turn answers differences of 1e-7 with some of a σ (Osprey's lineshape is free).
        if matches!(model.settings.ratios, Ratios::Tarquin | Ratios::Osprey) {
            return Err("rows that follow the fit before".to_owned());
        }
        let constants = model.constants().ok_or("methods that compare samples")?;
        if fft_threads(constants.n_short).is_none() {
            return Err(format!("transforms of {} samples", constants.n_short));
        }
        let mut sizes = RequestSizes {
            n_carried: constants.time_s.len() as u32,
            origin: constants.origin as u32,
            window_offset: constants.window_offset as u32,
            stride: constants.stride as u32,
            n_observed: constants.from_pivot_ppm.len() as u32,
            parts: if constants.is_complex { 2 } else { 1 },
            ..RequestSizes::default()
        };
        sizes.time = 2 * constants.n_short as u32;
        sizes.from_pivot = sizes.time + sizes.n_carried;
        Ok(Self { constants, sizes, buffers: Buffers::default(), read: None })
    }

    /// Forgets what is on a device that is gone.
    pub(super) fn forget(&mut self) {
        self.buffers = Buffers::default();
        self.read = None;
    }

    /// One answer a request, in their order. An answer does not depend on what else is asked.
    ///
    /// # Errors
    /// [`GpuError::Device`] where the device fails.
    pub(super) fn evaluate(&mut self, device: &Device, requests: &[Request]) -> Result<Vec<Answer>, GpuError> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.at_once(device, rest));
            answers.append(&mut self.submit(device, now)?);
            rest = later;
        }
        Ok(answers)
    }

    /// How many of `requests` the buffers may hold together.
    fn at_once(&self, device: &Device, requests: &[Request]) -> usize {
        let limits = &device.limits;
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(BUFFER_BYTES);
        let largest =
            self.lengths(requests).into_iter().max().unwrap_or(1).max(1) as u64 / requests.len().max(1) as u64;
        let fits = most / (4 * largest.max(1));
        (fits.min(u64::from(limits.max_compute_workgroups_per_dimension)) as usize).clamp(1, requests.len())
    }

    fn rows(&self) -> usize {
        (self.sizes.parts * self.sizes.n_observed) as usize
    }

    /// Words of the buffers that grow with the requests: arena, carried FIDs, columns and products.
    fn lengths(&self, requests: &[Request]) -> [usize; 4] {
        let (members, columns, products) = most(requests);
        let n = requests.len();
        [
            requests.iter().map(words).max().unwrap_or(0) * n,
            2 * n * members * self.sizes.n_carried as usize,
            n * columns * self.rows(),
            n * products,
        ]
    }

    fn submit(&mut self, device: &Device, requests: &[Request]) -> Result<Vec<Answer>, GpuError> {
        use wgpu::BufferUsages as Usage;
        let (members, columns, most_products) = most(requests);
        self.sizes.n_requests = requests.len() as u32;
        self.sizes.most_members = members as u32;
        self.sizes.most_columns = columns as u32;
        self.sizes.most_products = most_products as u32;
        let [_, carried, products_of, gram] = self.lengths(requests);
        let (shapes, arena) = packed(requests);
        self.upload_model(device);
        let uploads: [&[u8]; 2] = [bytemuck::cast_slice(&shapes), bytemuck::cast_slice(&arena)];
        for (binding, bytes) in [SHAPES, ARENA].into_iter().zip(uploads) {
            self.buffers.write(device, binding, bytes);
        }
        for (binding, words) in [(CARRIED, carried), (COLUMNS, products_of), (GRAM, gram)] {
            self.buffers.room(device, binding, 4 * words);
        }
        let bytes = 4 * gram as u64;
        let uniform = make(device, size_of::<RequestSizes>() as u64, Usage::UNIFORM | Usage::COPY_DST);
        device.queue.write_buffer(&uniform, 0, bytemuck::bytes_of(&self.sizes));
        let pipelines = device.request_pipelines(self.constants.n_short)?;
        let bound: Vec<_> = std::iter::once(&uniform)
            .chain(self.buffers.0.iter().flatten())
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry { binding, resource: buffer.as_entire_binding() })
            .collect();
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("requests"),
            layout: &pipelines.layout,
            entries: &bound,
        });
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let jobs = requests.iter().map(|r| r.jobs.len()).max().unwrap_or(0) as u32;
        let tiles = columns.div_ceil(TILE);
        let blocks = self.sizes.n_observed.div_ceil(THREADS);
        let groups = [members as u32, jobs, blocks, (tiles * (tiles + 1) / 2) as u32];
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_bind_group(0, &group, &[]);
            for (pipeline, groups) in pipelines.stages.iter().zip(groups) {
                pass.set_pipeline(pipeline);
                pass.dispatch_workgroups(groups, requests.len() as u32, 1);
            }
        }
        if self.read.as_ref().is_none_or(|read| read.size() < bytes) {
            self.read = Some(make(device, bytes.next_power_of_two(), Usage::MAP_READ | Usage::COPY_DST));
        }
        let (Some(out), Some(products)) = (&self.read, &self.buffers.0[GRAM]) else { return Ok(Vec::new()) };
        encoder.copy_buffer_to_buffer(products, 0, out, 0, bytes);
        let submission = device.queue.submit([encoder.finish()]);
        let products: Vec<f32> = read(device, out, bytes, submission)?;
        let own = products.chunks(most_products.max(1)).zip(requests);
        Ok(own.map(|(own, request)| Answer(own[..request.n_products()].to_vec())).collect())
    }

    /// What does not change from batch to batch.
    fn upload_model(&mut self, device: &Device) {
        if self.buffers.0[CONSTANTS].is_some() {
            return;
        }
        let constants: Vec<f32> = twiddles(self.constants.n_short)
            .flatten()
            .chain(self.constants.time_s.iter().copied())
            .chain(self.constants.from_pivot_ppm.iter().copied())
            .collect();
        let uploads: [&[u8]; 2] = [bytemuck::cast_slice(&constants), bytemuck::cast_slice(&self.constants.fids)];
        for (binding, bytes) in [CONSTANTS, FIDS].into_iter().zip(uploads) {
            self.buffers.write(device, binding, bytes);
        }
    }
}

/// Buffers by binding, made when they are first needed and again when they are too small.
#[derive(Default)]
struct Buffers([Option<wgpu::Buffer>; N_BUFFERS]);

impl Buffers {
    /// Makes room for `bytes`.
    fn room(&mut self, device: &Device, binding: usize, bytes: usize) {
        use wgpu::BufferUsages as Usage;
        let needed = (bytes as u64).next_multiple_of(4).max(64);
        if self.0[binding].as_ref().is_none_or(|buffer| buffer.size() < needed) {
            // Twice as large each time, or batches that grow would make new ones in every round.
            let limit = device.limits.max_storage_buffer_binding_size.min(device.limits.max_buffer_size);
            let size = needed.next_power_of_two().min(limit).max(needed);
            self.0[binding] = Some(make(device, size, Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC));
        }
    }

    fn write(&mut self, device: &Device, binding: usize, bytes: &[u8]) {
        self.room(device, binding, bytes.len());
        if let Some(buffer) = &self.0[binding] {
            device.queue.write_buffer(buffer, 0, bytes);
        }
    }
}

/// exp(−2πi·j/n) for all j.
fn twiddles(n: usize) -> impl Iterator<Item = [f32; 2]> {
    (0..n).map(move |j| {
        let (sin, cos) = (-TAU * j as f64 / n as f64).sin_cos();
        [cos as f32, sin as f32]
    })
}

fn make(device: &Device, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
    device.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some("requests"),
        size,
        usage,
        mapped_at_creation: false,
    })
}

/// Most members, most columns with the residual, and most products.
fn most(requests: &[Request]) -> (usize, usize, usize) {
    let most = |of: fn(&Request) -> usize| requests.iter().map(of).max().unwrap_or(0);
    (most(|r| r.members.len()), 1 + most(|r| r.n_columns), most(Request::n_products))
}

/// Words of a request in the arena.
fn words(request: &Request) -> usize {
    7 * (request.members.len() + request.jobs.len())
        + 2 * (request.shapes.len() + request.phase.len() + request.data.len())
        + request.baseline.len()
        + request.linear.len()
}

/// Where each request's values begin, and all values one after the other.
fn packed(requests: &[Request]) -> (Vec<RequestShape>, Vec<u32>) {
    let mut arena: Vec<u32> = Vec::with_capacity(requests.iter().map(words).sum());
    let mut put = |words: &[u32]| {
        let at = arena.len() as u32;
        arena.extend_from_slice(words);
        at
    };
    let shapes = requests.iter().map(|request| {
        let n_functions = request.baseline.len() / request.data.len().max(1);
        RequestShape {
            n_members: request.members.len() as u32,
            n_jobs: request.jobs.len() as u32,
            n_baseline: request.n_baseline as u32,
            n_functions: n_functions as u32,
            n_columns: request.n_columns as u32,
            turns_baseline: u32::from(request.turns_baseline),
            slopes_only: u32::from(request.slopes_only),
            members: put(bytemuck::cast_slice(&request.members)),
            jobs: put(bytemuck::cast_slice(&request.jobs)),
            shapes: put(bytemuck::cast_slice(&request.shapes)),
            phase: put(bytemuck::cast_slice(&request.phase)),
            data: put(bytemuck::cast_slice(&request.data)),
            baseline: put(bytemuck::cast_slice(&request.baseline)),
            linear: put(bytemuck::cast_slice(&request.linear)),
        }
    });
    let shapes = shapes.collect();
    (shapes, arena)
}
