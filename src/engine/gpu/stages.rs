//! The stages of preparation on the device, in f32. What the device cannot do or fails to do is done natively.

use std::f64::consts::TAU;

use num_complex::Complex64;
use rayon::prelude::*;

use super::chunk::read;
use super::device::Device;
use super::layout::FidsShape;
use super::source::{THREADS, fft_threads};
use super::{GpuEngine, GpuError};
use crate::engine::CpuEngine;
use crate::engine::stages::{Fids, Stages};
use crate::prepare::align::{Offset, search_bins, search_length};
use crate::prepare::eddy::Distortion;

/// Longest transform in workgroup memory.
const ONE_PASS: usize = 4096;
/// Longest transform at all: four of the longest in workgroup memory.
const TWO_PASSES: usize = 4 * ONE_PASS;
/// Memory that the FIDs of one submission may take (bytes).
const CHUNK_BYTES: u64 = 256 << 20;

/// A number as the shaders have it: real and imaginary part.
type Pair = [f32; 2];

/// One dispatch over FIDs.
struct Pass {
    stage: &'static str,
    fft_n: usize,
    shape: FidsShape,
    tables: Vec<Pair>,
    workgroups: u32,
}

impl Pass {
    /// A pass with an invocation a sample.
    fn by_sample(stage: &'static str, shape: FidsShape, tables: Vec<Pair>) -> Self {
        let workgroups = (shape.n_fids * shape.n_points).div_ceil(THREADS);
        // The stage has no transform; any length that composes will do.
        Self { stage, fft_n: ONE_PASS, shape, tables, workgroups }
    }

    fn run(self, device: &Device, input: &[Pair], n_out: usize) -> Result<Vec<Pair>, GpuError> {
        run(device, vec![self], input, n_out)
    }
}

/// Runs `passes` one after the other, each on the output of the one before.
fn run(device: &Device, passes: Vec<Pass>, input: &[Pair], n_out: usize) -> Result<Vec<Pair>, GpuError> {
    use wgpu::BufferUsages as Usage;
    let buffer = |label, bytes: usize, usage| {
        device.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: (bytes as u64).next_multiple_of(16).max(16),
            usage,
            mapped_at_creation: false,
        })
    };
    let upload = |label, bytes: &[u8], usage| {
        let made = buffer(label, bytes.len(), usage | Usage::COPY_DST);
        device.queue.write_buffer(&made, 0, bytes);
        made
    };
    let storage = Usage::STORAGE | Usage::COPY_SRC;
    let largest = size_of::<Pair>() * input.len().max(n_out);
    let mut source = upload("FIDs", bytemuck::cast_slice(input), storage);
    let mut target = buffer("FIDs out", largest, storage);
    let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
    for mut pass in passes {
        let stage = device.preparation(pass.stage, pass.fft_n)?;
        pass.shape.columns = pass.workgroups.clamp(1, device.limits.max_compute_workgroups_per_dimension);
        let uniform = upload("shape", bytemuck::bytes_of(&pass.shape), Usage::UNIFORM);
        let tables = upload("tables", bytemuck::cast_slice(&pass.tables), Usage::STORAGE);
        let bound = [&uniform, &tables, &source, &target];
        let entries: Vec<_> = bound
            .iter()
            .enumerate()
            .map(|(i, b)| wgpu::BindGroupEntry { binding: i as u32, resource: b.as_entire_binding() })
            .collect();
        let group = device.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some(pass.stage),
            layout: &stage.layout,
            entries: &entries,
        });
        let mut encoded = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
        encoded.set_pipeline(&stage.pipeline);
        encoded.set_bind_group(0, &group, &[]);
        encoded.dispatch_workgroups(pass.shape.columns, pass.workgroups.div_ceil(pass.shape.columns), 1);
        drop(encoded);
        let next = buffer("FIDs out", largest, storage);
        source = std::mem::replace(&mut target, next);
    }
    let bytes = (size_of::<Pair>() * n_out) as u64;
    let out = buffer("read", bytes as usize, Usage::MAP_READ | Usage::COPY_DST);
    encoder.copy_buffer_to_buffer(&source, 0, &out, 0, bytes);
    let submission = device.queue.submit([encoder.finish()]);
    read(device, &out, bytes, submission)
}

/// exp(−2πi·j/n) for all j.
pub(super) fn twiddles(n: usize) -> impl Iterator<Item = Pair> {
    (0..n).map(move |j| {
        let (sin, cos) = (-TAU * j as f64 / n as f64).sin_cos();
        [cos as f32, sin as f32]
    })
}

/// Every FID in its own unit, which comes back beside it: one of 1e30 must not make another's 1e-30 vanish.
fn scaled(fids: &[Complex64], n_points: usize) -> (Vec<Pair>, Vec<f64>) {
    let units: Vec<f64> = fids.par_chunks(n_points).map(scale).collect();
    let own = fids.par_chunks(n_points).zip(&units);
    (own.flat_map_iter(|(fid, u)| fid.iter().map(move |z| pair(z / u))).collect(), units)
}

/// The largest real or imaginary part; 1 where all are zero.
fn scale(samples: &[Complex64]) -> f64 {
    let largest = samples.iter().map(|z| z.re.abs().max(z.im.abs())).fold(0.0, f64::max);
    if largest > 0.0 && largest.is_finite() { largest } else { 1.0 }
}

impl GpuEngine {
    /// Chunk by chunk: `work` gets the number of the chunk's first FID and its samples. Returns how many FIDs were
    /// done; the rest is for the native engine.
    fn by_chunk(
        &self,
        fids: &mut Fids<'_>,
        mut work: impl FnMut(&Device, usize, &mut [Complex64]) -> Result<(), GpuError>,
    ) -> usize {
        let (n_points, count) = (fids.n_points, fids.count());
        let bytes = (size_of::<Pair>() * (n_points + 2)) as u64;
        let most = self.lock().as_ref().map_or(0, |d| {
            let binding = d.limits.max_storage_buffer_binding_size.min(d.limits.max_buffer_size);
            // A number of samples must stay a u32 in the shaders.
            (binding.min(CHUNK_BYTES) / bytes).min(u64::from(u32::MAX) / n_points.max(1) as u64) as usize
        });
        let most = self.chunk.unwrap_or(most).min(most);
        if most == 0 {
            return 0;
        }
        for (c, chunk) in fids.samples.chunks_mut(most * n_points).enumerate() {
            if self.attempt(|device| work(device, c * most, chunk)).is_none() {
                return c * most;
            }
        }
        count
    }

    /// In place: every chunk is replaced by what the passes make of it.
    fn in_place(&self, fids: &mut Fids<'_>, passes: impl Fn(usize, usize) -> Vec<Pass>) -> usize {
        let n_points = fids.n_points;
        self.by_chunk(fids, |device, first, chunk| {
            let (input, units) = scaled(chunk, n_points);
            let out = run(device, passes(first, chunk.len() / n_points), &input, input.len())?;
            chunk
                .par_chunks_mut(n_points)
                .zip(out.par_chunks(n_points))
                .zip(&units)
                .for_each(|((to, from), u)| to.iter_mut().zip(from).for_each(|(z, p)| *z = number(p) * u));
            Ok(())
        })
    }
}

fn pair(z: Complex64) -> Pair {
    [z.re as f32, z.im as f32]
}

fn number(p: &Pair) -> Complex64 {
    Complex64::new(f64::from(p[0]), f64::from(p[1]))
}

/// What is left of `fids` after the first `done`.
fn rest<'a>(fids: Fids<'a>, done: usize) -> Fids<'a> {
    Fids { n_points: fids.n_points, samples: &mut fids.samples[done * fids.n_points..] }
}

fn shape(n_points: usize, n_fids: usize) -> FidsShape {
    FidsShape { n_points: n_points as u32, n_fids: n_fids as u32, parts: 1, ..FidsShape::default() }
}

impl Stages for GpuEngine {
    fn transform(&self, mut fids: Fids<'_>) {
        let n = fids.n_points;
        let fft_n = n.min(ONE_PASS);
        if n > TWO_PASSES || fft_threads(fft_n).is_none() || !n.is_power_of_two() {
            self.note(format!("transforms of {n} samples are done on the CPU"));
            return CpuEngine.transform(fids);
        }
        let parts = n / fft_n;
        let done = self.in_place(&mut fids, |_, n_fids| {
            let shape = FidsShape { parts: parts as u32, ..shape(n, n_fids) };
            let tables: Vec<Pair> = twiddles(n).collect();
            let workgroups = (n_fids * parts) as u32;
            let mut passes = vec![Pass { stage: "transform", fft_n, shape, tables: tables.clone(), workgroups }];
            if parts > 1 {
                passes.push(Pass { fft_n, ..Pass::by_sample("join", shape, tables) });
            }
            passes
        });
        CpuEngine.transform(rest(fids, done));
    }

    fn apodise(&self, mut fids: Fids<'_>, window: &[f64]) {
        let n = fids.n_points;
        let weights: Vec<Pair> = window.iter().map(|&w| [w as f32, 0.0]).collect();
        let done =
            self.in_place(&mut fids, |_, n_fids| vec![Pass::by_sample("window", shape(n, n_fids), weights.clone())]);
        CpuEngine.apodise(rest(fids, done), window);
    }

    fn turn_back(&self, mut fids: Fids<'_>, offsets: &[Offset], dwell_s: f64) {
        let n = fids.n_points;
        let turns = |o: &Offset| {
            // Whole turns say nothing and cost digits.
            let step = -o.shift_hz * dwell_s;
            [(-o.phase_rad / TAU).fract() as f32, (step - step.round()) as f32]
        };
        let done = self.in_place(&mut fids, |first, n_fids| {
            let own = offsets[first..first + n_fids].iter().map(turns).collect();
            vec![Pass::by_sample("turn", shape(n, n_fids), own)]
        });
        CpuEngine.turn_back(rest(fids, done), &offsets[done..], dwell_s);
    }

    fn correct_eddy_currents(&self, mut fids: Fids<'_>, references: &[Complex64]) {
        let n = fids.n_points;
        let done = self.in_place(&mut fids, |first, n_fids| {
            let own = &references[first * n..(first + n_fids) * n];
            let carried = own.par_chunks(n).flat_map_iter(|reference| {
                let d = Distortion::new(reference, n);
                [[d.trusted as f32, 0.0], [(d.last.arg() / TAU) as f32, (d.step.arg() / TAU) as f32]]
            });
            // Directions only: every sample has its own unit. A zero has none and counts as undistorted.
            let directions = own.par_iter().map(|z| match z.norm() {
                0.0 => [1.0, 0.0],
                norm => pair(z / norm),
            });
            vec![Pass::by_sample("eddy", shape(n, n_fids), carried.chain(directions).collect())]
        });
        CpuEngine.correct_eddy_currents(rest(fids, done), &references[done * n..]);
    }

    fn register(&self, mut fids: Fids<'_>, reference: &[Complex64], dwell_s: f64, max_shift_hz: f64) -> Vec<Offset> {
        let n = fids.n_points;
        let (used, fft_n) = search_length(n.min(reference.len()));
        let unit = scale(&reference[..used]);
        let tables: Vec<Pair> = twiddles(fft_n).chain(reference[..used].iter().map(|z| pair(z / unit))).collect();
        let mut found: Vec<Offset> = Vec::with_capacity(fids.count());
        let done = self.by_chunk(&mut fids, |device, first, chunk| {
            found.truncate(first);
            let n_fids = chunk.len() / n;
            let (input, units) = scaled(chunk, n);
            let shape = FidsShape {
                n_used: used as u32,
                n_bins: search_bins(fft_n, dwell_s, max_shift_hz) as u32,
                ..shape(n, n_fids)
            };
            let pass = Pass { stage: "register", fft_n, shape, tables: tables.clone(), workgroups: n_fids as u32 };
            let out = pass.run(device, &input, 2 * n_fids)?;
            found.extend(out.chunks_exact(2).zip(&units).map(|(o, own)| {
                let sum = number(&o[1]) * unit * *own;
                Offset { shift_hz: f64::from(o[0][0]) / dwell_s, phase_rad: sum.arg(), overlap: sum.norm() }
            }));
            Ok(())
        });
        found.extend(CpuEngine.register(rest(fids, done), reference, dwell_s, max_shift_hz));
        found
    }
}
