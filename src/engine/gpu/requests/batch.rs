//! Normal equations of many spectra at once, as other programs' methods ask for them ([`Request`]).

use std::f64::consts::TAU;

use bytemuck::{bytes_of, cast_slice};

use crate::engine::gpu::buffers::{Buffers, make};
use crate::engine::gpu::device::Device;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::opened::Opened;
use crate::engine::gpu::sizes::fft_threads;
use crate::engine::gpu::stage::requests::{Buffer, RequestShape, RequestSizes, Room, TILE};
use crate::engine::gpu::stage::{Access, Family, NamedBuffer, Stage};
use crate::fit::peers::Model;
use crate::fit::peers::remote::{Answer, Constants, Request};
use crate::fit::peers::settings::Ratios;

/// Memory that one of the batch's buffers may take (bytes).
const BUFFER_BYTES: u64 = 1 << 30;
/// Bytes that a buffer has at least.
const LEAST_BYTES: u64 = 64;

/// A request and the number of its model.
pub(in crate::engine::gpu) type Asked = (usize, Request);

/// Models on the device whose transforms have one length, and the memory for requests of any of them, which grows as they need it.
pub(in crate::engine::gpu) struct Requests {
    /// Samples of the transforms.
    fft_n: usize,
    sizes: Vec<RequestSizes>,
    /// Tables of all models.
    constants: Vec<f32>,
    fids: Vec<[f32; 2]>,
    buffers: Option<Buffers<Buffer>>,
    read: Option<wgpu::Buffer>,
}

/// What all requests of `model` share.
///
/// # Errors
/// What of the model the shaders do not do.
pub(in crate::engine::gpu) fn constants(model: &Model) -> Result<Constants, String> {
    // A fixed point of fits in turn answers differences of 1e-7 with some of a σ (Osprey's lineshape is free).
    if matches!(model.settings.ratios, Ratios::Tarquin | Ratios::Osprey) {
        return Err("rows that follow the fit before".to_owned());
    }
    let constants = model.constants().ok_or("methods that compare samples")?;
    if fft_threads(constants.n_short).is_none() {
        return Err(format!("transforms of {} samples", constants.n_short));
    }
    Ok(constants)
}

impl Requests {
    /// For requests of models with these constants, whose transforms have `fft_n` samples.
    pub(in crate::engine::gpu) fn new(fft_n: usize, models: &[Constants]) -> Self {
        let (mut fids, mut sizes) = (Vec::new(), Vec::new());
        let mut constants: Vec<f32> = twiddles(fft_n).flatten().collect();
        for own in models {
            let time = constants.len() as u32;
            constants.extend(&own.time_s);
            let from_pivot = constants.len() as u32;
            constants.extend(&own.from_pivot_ppm);
            sizes.push(RequestSizes {
                n_carried: own.time_s.len() as u32,
                origin: own.origin as u32,
                window_offset: own.window_offset as u32,
                stride: own.stride as u32,
                n_observed: own.from_pivot_ppm.len() as u32,
                parts: if own.is_complex { 2 } else { 1 },
                fids: fids.len() as u32,
                twiddles: 0,
                time,
                from_pivot,
            });
            fids.extend(&own.fids);
        }
        Self { fft_n, sizes, constants, fids, buffers: None, read: None }
    }

    /// Forgets what is on a device that is gone.
    pub(in crate::engine::gpu) fn forget(&mut self) {
        self.buffers = None;
        self.read = None;
    }

    /// One answer a request, in their order. An answer does not depend on what else is asked.
    ///
    /// # Errors
    /// [`GpuError::Device`] where the device fails.
    pub(in crate::engine::gpu) fn evaluate(
        &mut self,
        opened: &Opened,
        requests: &[Asked],
    ) -> Result<Vec<Answer>, GpuError> {
        let mut answers = Vec::with_capacity(requests.len());
        let mut rest = requests;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.at_once(&opened.device, rest));
            answers.append(&mut self.submit(opened, now)?);
            rest = later;
        }
        Ok(answers)
    }

    /// How many of `requests` the buffers may hold together.
    fn at_once(&self, device: &Device, requests: &[Asked]) -> usize {
        let limits = &device.limits;
        let most = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size).min(BUFFER_BYTES);
        let Room { carried, columns, products } = self.room(requests);
        let words = requests.iter().map(|(_, request)| words(request)).max().unwrap_or(0);
        let largest = words.max(2 * carried as usize).max(columns.max(products) as usize).max(1);
        let fits = most / (4 * largest as u64);
        (fits.min(u64::from(limits.max_compute_workgroups_per_dimension)) as usize).clamp(1, requests.len())
    }

    /// Rows of a column.
    fn rows(&self, model: usize) -> u32 {
        self.sizes[model].parts * self.sizes[model].n_observed
    }

    /// What the largest of `requests` needs.
    fn room(&self, requests: &[Asked]) -> Room {
        let most = |of: &dyn Fn(usize, &Request) -> u32| requests.iter().map(|(m, r)| of(*m, r)).max().unwrap_or(0);
        Room {
            carried: most(&|model, request| request.members.len() as u32 * self.sizes[model].n_carried),
            columns: most(&|model, request| (1 + request.n_columns as u32) * self.rows(model)),
            products: most(&|_, request| request.n_products() as u32),
        }
    }

    fn submit(&mut self, opened: &Opened, requests: &[Asked]) -> Result<Vec<Answer>, GpuError> {
        let (device, n) = (&opened.device, requests.len());
        let room = self.room(requests);
        let (shapes, arena) = packed(requests);
        let mut buffers = self.buffers.take().unwrap_or_else(|| self.on_device(device));
        upload(&mut buffers, device, Buffer::Room, bytes_of(&room));
        upload(&mut buffers, device, Buffer::Requests, cast_slice(&shapes));
        upload(&mut buffers, device, Buffer::Arena, cast_slice(&arena));
        let gram = n * room.products as usize;
        for (buffer, words) in [
            (Buffer::Carried, 2 * n * room.carried as usize),
            (Buffer::Columns, n * room.columns as usize),
            (Buffer::Gram, gram),
        ] {
            make_room(&mut buffers, device, buffer, 4 * words);
        }
        let compiled = opened.compiled(Family::Requests, self.fft_n)?;
        let groups = buffers.groups(device, &compiled);
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            for (stage, workgroups) in self.workgroups(requests) {
                compiled.set(&mut pass, stage, &groups);
                pass.dispatch_workgroups(workgroups, n as u32, 1);
            }
        }
        let bytes = 4 * gram as u64;
        let out = match self.read.take().filter(|read| read.size() >= bytes) {
            Some(read) => read,
            None => {
                let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
                make(device, "read", bytes.next_power_of_two(), usage)
            }
        };
        encoder.copy_buffer_to_buffer(&buffers[Buffer::Gram], 0, &out, 0, bytes);
        let submission = device.queue.submit([encoder.finish()]);
        let products: Vec<f32> = device.read(&out, bytes, submission)?;
        (self.buffers, self.read) = (Some(buffers), Some(out));
        let own = products.chunks((room.products as usize).max(1)).zip(requests);
        Ok(own.map(|(own, (_, request))| Answer(own[..request.n_products()].to_vec())).collect())
    }

    /// The stages in their order, with the workgroups that each needs for a request.
    fn workgroups(&self, requests: &[Asked]) -> [(Stage, u32); 4] {
        let most = |of: fn(&Request) -> usize| requests.iter().map(|(_, request)| of(request)).max().unwrap_or(0);
        let (members, jobs) = (most(|r| r.members.len()), most(|r| r.jobs.len()));
        let observed = requests.iter().map(|(model, _)| self.sizes[*model].n_observed).max().unwrap_or(0);
        let tiles = (1 + most(|r| r.n_columns) as u32).div_ceil(TILE);
        let bins = Stage::Residual.threads().at(self.fft_n);
        [
            (Stage::Carry, members as u32),
            (Stage::Observe, jobs as u32),
            (Stage::Residual, observed.div_ceil(bins)),
            (Stage::Normal, tiles * (tiles + 1) / 2),
        ]
    }

    /// The buffers, with what does not change from batch to batch.
    fn on_device(&self, device: &Device) -> Buffers<Buffer> {
        let mut buffers = Buffers::new(|buffer: Buffer| sized(device, buffer, LEAST_BYTES));
        upload(&mut buffers, device, Buffer::Models, cast_slice(&self.sizes));
        upload(&mut buffers, device, Buffer::Constants, cast_slice(&self.constants));
        upload(&mut buffers, device, Buffer::Fids, cast_slice(&self.fids));
        buffers
    }
}

/// Makes room for `bytes` in a buffer.
fn make_room(buffers: &mut Buffers<Buffer>, device: &Device, buffer: Buffer, bytes: usize) {
    let needed = (bytes as u64).next_multiple_of(4).max(LEAST_BYTES);
    if buffers[buffer].size() < needed {
        // Twice as large each time, or batches that grow would make new ones in every round.
        let limit = device.limits.max_storage_buffer_binding_size.min(device.limits.max_buffer_size);
        buffers.replace(buffer, sized(device, buffer, needed.next_power_of_two().min(limit).max(needed)));
    }
}

fn upload(buffers: &mut Buffers<Buffer>, device: &Device, buffer: Buffer, bytes: &[u8]) {
    make_room(buffers, device, buffer, bytes.len());
    buffers.write(device, buffer, bytes);
}

fn sized(device: &Device, buffer: Buffer, bytes: u64) -> wgpu::Buffer {
    use wgpu::BufferUsages as Usage;
    let usage = match buffer.binding().access {
        Access::Uniform => Usage::UNIFORM | Usage::COPY_DST,
        Access::Read | Access::ReadWrite => Usage::STORAGE | Usage::COPY_DST | Usage::COPY_SRC,
    };
    make(device, buffer.binding().name, bytes, usage)
}

/// exp(−2πi·j/n) for all j.
fn twiddles(n: usize) -> impl Iterator<Item = [f32; 2]> {
    (0..n).map(move |j| {
        let (sin, cos) = (-TAU * j as f64 / n as f64).sin_cos();
        [cos as f32, sin as f32]
    })
}

/// Words of a request in the arena.
fn words(request: &Request) -> usize {
    7 * (request.members.len() + request.jobs.len())
        + 2 * (request.shapes.len() + request.phase.len() + request.data.len())
        + request.baseline.len()
        + request.linear.len()
}

/// Where each request's values begin, and all values one after the other.
fn packed(requests: &[Asked]) -> (Vec<RequestShape>, Vec<u32>) {
    let mut arena: Vec<u32> = Vec::with_capacity(requests.iter().map(|(_, request)| words(request)).sum());
    let mut put = |words: &[u32]| {
        let at = arena.len() as u32;
        arena.extend_from_slice(words);
        at
    };
    let shapes = requests.iter().map(|(model, request)| {
        let n_functions = request.baseline.len() / request.data.len().max(1);
        RequestShape {
            model: *model as u32,
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
