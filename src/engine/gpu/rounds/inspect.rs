//! One stage at a time beside its native twin, on the same inputs: what the tests of stage parity compare.

use std::sync::Arc;

use bytemuck::{AnyBitPattern, Pod, cast_slice};
use num_complex::Complex64;

use super::chunk::Chunk;
use super::decided::decided;
use super::layout::slots;
use super::tables::Tables;
use crate::engine::gpu::buffers::make;
use crate::engine::gpu::error::GpuError;
use crate::engine::gpu::opened::Opened;
use crate::engine::gpu::pipelines::Compiled;
use crate::engine::gpu::stage::fit::{Buffer, EVALUATE, N_VECTORS, STEP, STEP_MORE, Scalars, Slots, TRIAL};
use crate::engine::gpu::stage::{Family, Stage};
use crate::fit::map::Model;
use crate::fit::map::columns::n_columns;
use crate::fit::map::constants::{EVIDENCE_FROM, KEEPS_EFFECTIVE, NEWTON_FROM};
use crate::fit::map::normal::Weights;
use crate::fit::map::problem::Problem;
use crate::fit::map::twin::Twin;

/// What a stage and its twin make of the same inputs.
#[derive(Debug, Clone)]
pub struct Pair {
    /// Of what.
    pub what: &'static str,
    /// The device's values.
    pub device: Vec<f64>,
    /// The twin's.
    pub native: Vec<f64>,
}

/// A spectrum on a device in the middle of its fit.
pub struct Inspector<'a> {
    opened: Opened,
    compiled: Compiled,
    chunk: Chunk,
    model: &'a Model,
    data: Vec<Complex64>,
    scalars: Scalars,
    vectors: Vec<f32>,
}

/// Rounds that a spectrum may take to an iteration.
const MOST_ROUNDS: usize = 60;

impl<'a> Inspector<'a> {
    /// Opens adapter number `index` and fits `fid` up to `iteration`. Then every stage's source becomes what `change`
    /// makes of it.
    ///
    /// # Errors
    /// [`GpuError`]: the device cannot be opened or fails, or the spectrum's fit ends before.
    pub fn new(
        index: usize,
        model: &'a Model,
        fid: &[Complex64],
        iteration: u32,
        change: impl Fn(Stage, String) -> String,
    ) -> Result<Self, GpuError> {
        let fail = |reason: &str| GpuError::Device { reason: reason.to_owned() };
        let problem = Problem::new(model, fid).map_err(|_| fail("no signal"))?;
        let opened = Opened::open(index)?;
        let fft_n = model.band.n_short();
        let plain = opened.compiled(Family::Fit, fft_n)?;
        let tables = Arc::new(Tables::of(&[model], u64::MAX));
        let slots = Slots { n_slots: 1, ..slots(&tables.shapes) };
        let chunk = Chunk::new(&opened, &tables, slots)?;
        chunk.upload(0, &[(0, model, &problem)]);
        let compiled = Compiled::new(&opened.device, Family::Fit, |stage| change(stage, stage.source(fft_n)));
        opened.device.check()?;
        let narrow = |v: f64| f64::from(v as f32);
        let data = problem.data.iter().map(|z| Complex64::new(narrow(z.re), narrow(z.im))).collect();
        let scalars = Scalars::default();
        let mut new = Self { opened, compiled, chunk, model, data, scalars, vectors: Vec::new() };
        new.run(&plain, &[Stage::Compact])?;
        for _ in 0..MOST_ROUNDS {
            new.run(&plain, Stage::ROUND)?;
            new.run(&plain, &[Stage::Compact])?;
            new.scalars = new.scalars()?;
            if new.scalars.phase == EVALUATE && new.scalars.iteration >= iteration {
                new.vectors = new.fetch(Buffer::Vectors, new.chunk.slots().vectors_len as usize)?;
                return Ok(new);
            }
        }
        Err(fail("the fit ends before"))
    }

    /// The iteration that it is at.
    pub fn iteration(&self) -> u32 {
        self.scalars.iteration
    }

    /// The weights of the lineshape's kernel.
    pub fn kernel(&self) -> &[f32] {
        self.vectors.get(self.model.layout.kernel_range()).unwrap_or_default()
    }

    /// Columns of the Jacobian, each relative to its largest value.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails.
    pub fn columns(&self) -> Result<Vec<Pair>, GpuError> {
        let twin = self.twin();
        self.reset(self.scalars);
        let compiled = &self.compiled;
        self.run(compiled, &[Stage::Compact, Stage::Components, Stage::Common])?;
        let (n, w) = (self.model.components.len(), self.model.band.n_window());
        let device = self.fetch::<f32>(Buffer::Columns, twin.columns().len())?;
        let all = n_columns(self.model);
        let ends = [0, n, 2 * n, 3 * n, 3 * n + 1, 3 * n + 3, 3 * n + 5, all - 1, all];
        let names = ["amplitudes", "shifts", "widths", "Gaussian width", "phases", "lineshape", "kernel", "residual"];
        let pairs = names.into_iter().zip(ends.windows(2)).map(|(what, at)| {
            let range = at[0] * w..at[1] * w;
            let (ours, theirs) = (&device[range.clone()], &twin.columns()[range]);
            let largest = theirs.iter().map(|v| v.abs()).fold(f64::MIN_POSITIVE, f64::max);
            Pair {
                what,
                device: ours.iter().map(|&v| f64::from(v) / largest).collect(),
                native: theirs.iter().map(|v| v / largest).collect(),
            }
        });
        Ok(pairs.collect())
    }

    /// Products of columns with one another and with the baseline's modes, relative to the columns' lengths.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails.
    pub fn products(&self) -> Result<Vec<Pair>, GpuError> {
        let twin = self.twin();
        self.reset(self.scalars);
        self.write(Buffer::Columns, &narrow(twin.columns()));
        self.run(&self.compiled, &[Stage::Compact, Stage::Products])?;
        let (native, n) = (twin.products(), self.chunk.shape(0).n_columns as usize);
        let device = self.fetch::<f32>(Buffer::Gram, n * n)?;
        let length = |j: usize| native[j * n + j].sqrt().max(f64::MIN_POSITIVE);
        let lower: Vec<(usize, usize)> = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j))).collect();
        let columns = Pair {
            what: "columns",
            device: lower.iter().map(|&(i, j)| f64::from(device[j * n + i]) / length(i) / length(j)).collect(),
            native: lower.iter().map(|&(i, j)| native[j * n + i] / length(i) / length(j)).collect(),
        };
        let nb = self.chunk.shape(0).n_splines as usize;
        let modes = self.fetch::<f32>(Buffer::Projections, n * nb)?;
        let expected = self.projections(&twin);
        let scaled = |v: &dyn Fn(usize) -> f64| (0..n * nb).map(|at| v(at) / length(at / nb)).collect();
        let baseline =
            Pair { what: "modes", device: scaled(&|at| f64::from(modes[at])), native: scaled(&|at| expected[at]) };
        Ok(vec![columns, baseline])
    }

    /// ln σ², ln λ and the soft rows' weights after the stage `weights`, begun at λ = `lambda` where that is given.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails or the system is singular.
    pub fn weights(&self, lambda: Option<f32>) -> Result<Vec<Pair>, GpuError> {
        let lambda = lambda.unwrap_or(self.scalars.lambda);
        let mut twin = self.twin();
        twin.weights.lambda = f64::from(lambda);
        // Noise far below the misfit, so that σ² follows the misfit and with it the effective number of parameters.
        let noise_variance = 0.01 * self.scalars.noise_variance;
        // An iteration that finds this number itself.
        let iteration = self.scalars.iteration / KEEPS_EFFECTIVE as u32 * KEEPS_EFFECTIVE as u32;
        self.reset(Scalars { lambda, noise_variance, iteration, ..self.scalars });
        self.write_normal(&twin);
        self.run(&self.compiled, &[Stage::Compact, Stage::Weights])?;
        let (after, own) = (self.scalars()?, self.fetch::<f32>(Buffer::Vectors, self.vectors.len())?);
        let iteration = iteration as usize;
        let evidence = self.chunk.shape(0).evidence != 0 && iteration >= EVIDENCE_FROM;
        let native = twin.updated(iteration, noise_variance.into(), evidence);
        let native = native.ok_or_else(|| GpuError::Device { reason: "singular".to_owned() })?;
        let pair = |what, device: Vec<f64>, native: Vec<f64>| Pair { what, device, native };
        Ok(vec![
            pair("ln variance", vec![f64::from(after.variance).ln()], vec![native.variance.ln()]),
            pair("ln lambda", vec![f64::from(after.lambda).ln()], vec![native.lambda.ln()]),
            pair("rows", self.rows(&own), native.rows),
        ])
    }

    /// A step, in units of the parameters' own standard deviations, and its predicted fall of Q.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails or the system is singular.
    pub fn step(&self) -> Result<Vec<Pair>, GpuError> {
        let (mut twin, newton) = (self.twin(), self.scalars.iteration as usize >= NEWTON_FROM);
        let own = self.device_step(&twin, newton)?;
        let after = self.scalars()?;
        let native = twin.step(f64::from(self.scalars.damping), newton);
        let native = native.ok_or_else(|| GpuError::Device { reason: "singular".to_owned() })?;
        let device = self.parameters(&own[self.vectors_of(1)]);
        let sds = |v: &[f64]| -> Vec<f64> {
            let moved = v.iter().zip(&twin.x).zip(&native.sd);
            // A parameter that nothing depends on does not move.
            moved.map(|((to, from), sd)| if to == from { 0.0 } else { (to - from) / sd }).collect()
        };
        Ok(vec![
            Pair { what: "step", device: sds(&device), native: sds(&native.trial) },
            Pair { what: "predicted", device: vec![after.predicted.into()], native: vec![native.predicted] },
        ])
    }

    /// Change of |r|² that a step makes, relative to |r|².
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails.
    pub fn trial(&self) -> Result<Vec<Pair>, GpuError> {
        let mut twin = self.twin();
        let trial = self.put_trial(&twin)?;
        self.run(&self.compiled, &[Stage::Compact, Stage::Trial])?;
        let rss = twin.residual_sum_of_squares();
        let device = f64::from(self.scalars()?.rss_change) / rss;
        Ok(vec![Pair { what: "change", device: vec![device], native: vec![twin.change(&trial) / rss] }])
    }

    /// What becomes of a step whose state is what `case` makes of that of a good one: phase, state, iteration, attempts,
    /// newton, frozen, what the next step hangs on of this one, and ln of the damping.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the device fails.
    pub fn decide(&self, case: impl Fn(&mut Scalars)) -> Result<Vec<Pair>, GpuError> {
        let twin = self.twin();
        let trial = self.put_trial(&twin)?;
        let mut scalars = self.scalars()?;
        scalars.phase = TRIAL;
        scalars.rss = twin.residual_sum_of_squares() as f32;
        (scalars.variance_before, scalars.lambda_before) = (scalars.variance, scalars.lambda);
        case(&mut scalars);
        self.write(Buffer::Scalars, &[scalars]);
        self.run(&self.compiled, &[Stage::Compact, Stage::Decide])?;
        let rise = twin.prior_cost(&trial) - twin.prior_cost(&twin.x);
        let expected = decided(&scalars, twin.prior_cost(&twin.x), rise, self.model.settings.max_iterations as u32);
        let whole = |s: &Scalars| {
            let all = [s.phase, s.state, s.iteration, s.attempts, s.newton, s.frozen, s.has_last, s.extrapolates];
            all.map(f64::from).to_vec()
        };
        let after = self.scalars()?;
        Ok(vec![
            Pair { what: "state", device: whole(&after), native: whole(&expected) },
            Pair {
                what: "ln damping",
                device: vec![f64::from(after.damping).ln()],
                native: vec![f64::from(expected.damping).ln()],
            },
        ])
    }

    /// The twin at the device's parameters.
    fn twin(&self) -> Twin<'_> {
        let weights = Weights {
            variance: self.scalars.variance.into(),
            lambda: self.scalars.lambda.into(),
            rows: self.rows(&self.vectors),
            volume: [0.0; 2],
            kernel_share: self.scalars.kernel_share.into(),
        };
        Twin::new(self.model, &self.data, self.parameters(&self.vectors[self.vectors_of(0)]), weights)
    }

    /// Parameters with splines in place of modes.
    fn parameters(&self, own: &[f32]) -> Vec<f64> {
        let mut x: Vec<f64> = own.iter().map(|&v| f64::from(v)).collect();
        let first = self.chunk.shape(0).n_model as usize;
        let splines = self.chunk.modes(0).coefficients(&x[first..]);
        x[first..].copy_from_slice(&splines);
        x
    }

    fn rows(&self, vectors: &[f32]) -> Vec<f64> {
        let first = (N_VECTORS * self.chunk.shape(0).n_parameters) as usize;
        vectors[first..first + self.chunk.shape(0).n_rows as usize].iter().map(|&v| f64::from(v)).collect()
    }

    /// Where vector number `which` lies.
    fn vectors_of(&self, which: usize) -> std::ops::Range<usize> {
        let m = self.chunk.shape(0).n_parameters as usize;
        which * m..(which + 1) * m
    }

    /// Products of the twin's columns with the baseline's modes.
    fn projections(&self, twin: &Twin<'_>) -> Vec<f64> {
        let matrix = &self.chunk.modes(0).matrix;
        let nb = matrix.nrows();
        let splines = twin.projections();
        let of_column =
            |own: &[f64]| (0..nb).map(|q| (0..nb).map(|i| matrix[(i, q)] * own[i]).sum()).collect::<Vec<f64>>();
        splines.chunks(nb.max(1)).flat_map(of_column).collect()
    }

    /// The normal equations of the twin on the device.
    fn write_normal(&self, twin: &Twin<'_>) {
        let (native, n) = (twin.products(), self.chunk.shape(0).n_columns as usize);
        let rows: Vec<f64> = (0..n * n).map(|at| native[(at % n).min(at / n) * n + (at % n).max(at / n)]).collect();
        self.write(Buffer::Gram, &narrow(&rows));
        self.write(Buffer::Projections, &narrow(&self.projections(twin)));
    }

    /// Runs the stage `step` to its end; the vectors after it.
    fn device_step(&self, twin: &Twin<'_>, newton: bool) -> Result<Vec<f32>, GpuError> {
        self.reset(Scalars {
            phase: STEP,
            newton: newton.into(),
            passes: 0,
            attempts: 0,
            extrapolates: 0,
            ..self.scalars
        });
        self.write_normal(twin);
        loop {
            self.run(&self.compiled, &[Stage::Compact, Stage::Step])?;
            if self.scalars()?.phase != STEP_MORE {
                return self.fetch(Buffer::Vectors, self.vectors.len());
            }
        }
    }

    /// A step on the device, ready for the stage `trial`; its parameters.
    fn put_trial(&self, twin: &Twin<'_>) -> Result<Vec<f64>, GpuError> {
        let own = self.device_step(twin, false)?;
        self.write(Buffer::Columns, &narrow(twin.columns()));
        Ok(self.parameters(&own[self.vectors_of(1)]))
    }

    fn reset(&self, scalars: Scalars) {
        self.write(Buffer::Scalars, &[scalars]);
        self.write(Buffer::Vectors, &self.vectors);
    }

    fn scalars(&self) -> Result<Scalars, GpuError> {
        let read = self.fetch(Buffer::Scalars, 1)?;
        read.first().copied().ok_or_else(|| GpuError::Device { reason: "nothing was read".to_owned() })
    }

    fn write<T: Pod>(&self, buffer: Buffer, values: &[T]) {
        self.chunk.memory().buffers.write(&self.opened.device, buffer, cast_slice(values));
    }

    fn run(&self, compiled: &Compiled, stages: &[Stage]) -> Result<(), GpuError> {
        let device = &self.opened.device;
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        self.chunk.dispatch(&mut encoder, compiled, stages);
        let submission = device.queue.submit([encoder.finish()]);
        device.wait(submission)
    }

    fn fetch<T: AnyBitPattern>(&self, buffer: Buffer, n: usize) -> Result<Vec<T>, GpuError> {
        let (device, bytes) = (&self.opened.device, (n * size_of::<T>()) as u64);
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let out = make(device, "read", bytes, usage);
        let mut encoder = device.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        encoder.copy_buffer_to_buffer(&self.chunk.memory().buffers[buffer], 0, &out, 0, bytes);
        let submission = device.queue.submit([encoder.finish()]);
        device.read(&out, bytes, submission)
    }
}

fn narrow(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&v| v as f32).collect()
}
