//! The constants of a model as the shaders read them: f32 and u32 tables, and where each begins.

use super::modes::Modes;
use crate::acquisition::CARRIER_PPM;
use crate::engine::gpu::sizes::{MAX_PARAMETERS, MAX_ROWS, fft_threads};
use crate::engine::gpu::stage::fit::{self, N_VECTORS, Shape};
use crate::fit::baseline::ORDER;
use crate::fit::map::Model;
use crate::fit::map::columns::n_columns;
use crate::fit::map::normal::{Weights, for_each_prior};
use crate::fit::map::parameters::N_COMMON;
use crate::fit::map::report::fixed_parameters;
use crate::fit::map::settings::Smoothness;
use crate::fit::prior::RatioRow;

/// A model's constants.
pub(super) struct Tables {
    pub(super) shape: Shape,
    pub(super) floats: Vec<f32>,
    pub(super) indices: Vec<u32>,
    /// Band FIDs, one component after the other: real and imaginary parts.
    pub(super) band_fids: Vec<[f32; 2]>,
    /// The baseline's parameters on the device.
    pub(super) modes: Modes,
}

/// The shaders lay parameters out as the native engine does.
const _: () = assert!(fit::N_COMMON as usize == N_COMMON);

/// Lower bound that no parameter reaches: shaders know no infinity.
const NO_BOUND: f32 = -1e30;

/// Why the shaders cannot fit this model; `None` if they can.
pub(in crate::engine::gpu) fn unsupported(model: &Model) -> Option<String> {
    let (n, m) = (model.band.n_short(), model.layout.len());
    if fft_threads(n).is_none() {
        return Some(format!("transforms of {n} samples (128 to 4096, powers of two)"));
    }
    if let Smoothness::EdPerPpm(_) = model.settings.baseline.smoothness {
        return Some("a fixed effective dimension of the baseline".to_owned());
    }
    if m > MAX_PARAMETERS as usize {
        return Some(format!("{m} parameters (at most {MAX_PARAMETERS})"));
    }
    if model.rows.len() > MAX_ROWS as usize {
        return Some(format!("{} soft rows (at most {MAX_ROWS})", model.rows.len()));
    }
    None
}

impl Tables {
    pub(super) fn new(model: &Model) -> Self {
        let mut tables = Self {
            shape: sizes(model),
            floats: Vec::new(),
            indices: Vec::new(),
            band_fids: Vec::new(),
            modes: Modes::new(&model.baseline),
        };
        tables.add_transform(model);
        tables.add_baseline(model);
        tables.add_priors(model);
        for k in 0..model.components.len() {
            tables.band_fids.extend(model.band_fid(k).iter().map(|z| [z.re as f32, z.im as f32]));
        }
        tables
    }

    fn floats(&mut self, values: impl IntoIterator<Item = f64>) -> u32 {
        let first = self.floats.len() as u32;
        self.floats.extend(values.into_iter().map(|v| v as f32));
        first
    }

    fn indices(&mut self, values: impl IntoIterator<Item = usize>) -> u32 {
        let first = self.indices.len() as u32;
        self.indices.extend(values.into_iter().map(|v| v as u32));
        first
    }

    fn add_transform(&mut self, model: &Model) {
        let n = model.band.n_short();
        self.shape.time = self.floats(model.band.time_s.iter().copied());
        self.shape.skew_time = self.floats(model.lineshape.skew_time.iter().copied());
        self.shape.flat_time = self.floats(model.lineshape.flat_time.iter().copied());
        self.shape.kernel_time = self.floats(model.lineshape.kernel_time.iter().flat_map(|z| [z.re, z.im]));
        self.shape.ppm = self.floats(model.band.ppm.iter().map(|p| p - CARRIER_PPM));
        self.shape.twiddles = self.floats((0..n).flat_map(|j| {
            let (sin, cos) = (-std::f64::consts::TAU * j as f64 / n as f64).sin_cos();
            [cos, sin]
        }));
    }

    fn add_baseline(&mut self, model: &Model) {
        let (baseline, nb) = (&model.baseline, model.baseline.n_splines);
        self.shape.spline_four = self.floats(baseline.values.iter().flatten().copied());
        self.shape.spline_at = self.indices(baseline.first.iter().copied());
        // The same values spline by spline: each is not zero on one run of bins.
        let (mut first_bin, mut count, mut offset, mut values) = (vec![0; nb], vec![0; nb], vec![0; nb], Vec::new());
        for spline in 0..nb {
            offset[spline] = values.len();
            for (p, (&first, four)) in baseline.first.iter().zip(&baseline.values).enumerate() {
                if (first..first + ORDER).contains(&spline) {
                    if count[spline] == 0 {
                        first_bin[spline] = p;
                    }
                    count[spline] += 1;
                    values.push(four[spline - first]);
                }
            }
        }
        self.shape.spline_values = self.floats(values);
        self.shape.spline_first_bin = self.indices(first_bin);
        self.shape.spline_count = self.indices(count);
        self.shape.spline_offset = self.indices(offset);
        self.shape.spline_modes = self.floats(self.modes.matrix.iter().copied().collect::<Vec<_>>());
        self.shape.roughness = self.floats(self.modes.roughness.clone());
    }

    fn add_priors(&mut self, model: &Model) {
        let layout = &model.layout;
        let (k_all, first) = (layout.n_components, layout.baseline());
        let common = 3 * k_all;
        let mut own = vec![0.0; common];
        let mut single = [(0.0, 0.0); N_COMMON];
        let mut diagonal = vec![0.0; first];
        // At x = 0 a row's value is minus its mean; soft rows between amplitudes come further down.
        let none = Weights { variance: 1.0, lambda: 0.0, rows: Vec::new(), volume: [0.0; 2], kernel_share: 1.0 };
        for_each_prior(model, &vec![0.0; layout.len()], &none, |terms, weight, value| {
            let precision = weight * weight;
            for &(i, w) in terms {
                diagonal[i] += precision * w * w;
            }
            match *terms {
                [(i, _), _] => own[i] = precision,
                [(i, _)] => single[i - common] = (precision, -value),
                _ => {}
            }
        });
        self.shape.shift_precision = self.floats(own[k_all..2 * k_all].iter().copied());
        self.shape.width_precision = self.floats(own[2 * k_all..].iter().copied());
        self.shape.single_precision = self.floats(single.map(|s| s.0));
        self.shape.single_mean = self.floats(single.map(|s| s.1));
        self.shape.prior_diagonal = self.floats(diagonal);
        self.shape.lower_bound = self.floats((0..first).map(|i| layout.lower_bound(i).max(f64::from(NO_BOUND))));
        let dense = |terms: &[(usize, f64)]| {
            let mut row = vec![0.0; k_all];
            for &(k, w) in terms {
                row[k] += w;
            }
            row
        };
        self.shape.row_terms = self.floats(model.rows.iter().flat_map(|r| dense(&r.terms)));
        self.shape.row_scales = self.floats(model.rows.iter().flat_map(|r| dense(&r.scale_terms)));
        self.shape.row_sd = self.floats(model.rows.iter().map(|r| r.sd));
        let yields = |row: &RatioRow| row.yields.as_ref().map_or(0.0, |yields| yields.snr);
        self.shape.row_yield_snr = self.floats(model.rows.iter().map(yields));
        let mut heights = vec![0.0; k_all];
        // All rows that yield do so by the same spectrum.
        for &(k, height) in model.rows.iter().find_map(|r| r.yields.as_ref()).map_or(&[][..], |y| &y.heights) {
            heights[k] = height;
        }
        self.shape.heights = self.floats(heights);
        let mut is_fixed = vec![0; first];
        for i in fixed_parameters(model) {
            is_fixed[i] = 1;
        }
        self.shape.is_fixed = self.indices(is_fixed);
    }
}

fn sizes(model: &Model) -> Shape {
    let (layout, settings) = (&model.layout, &model.settings);
    let (m, nb) = (layout.len(), layout.n_splines);
    let [low, high] = settings.window_ppm;
    let evidence = settings.baseline.smoothness == Smoothness::Evidence && nb > 2;
    Shape {
        n_short: model.band.n_short() as u32,
        n_positive: model.band.n_positive as u32,
        first_negative: model.band.first_negative() as u32,
        window_offset: model.band.window_offset() as u32,
        n_window: model.band.n_window() as u32,
        n_components: layout.n_components as u32,
        n_splines: nb as u32,
        n_model: layout.baseline() as u32,
        n_parameters: m as u32,
        n_columns: n_columns(model) as u32,
        n_rows: model.rows.len() as u32,
        max_iterations: settings.max_iterations as u32,
        evidence: u32::from(evidence),
        lineshape: u32::from(settings.priors.skew_sd > 0.0 || settings.priors.flatness_sd > 0.0),
        has_kernel: u32::from(model.lineshape.has_kernel()),
        // A square of all parameters, or two of the splines.
        work_len: (m * m).max(2 * nb * nb) as u32,
        vectors_len: N_VECTORS * m as u32 + model.rows.len() as u32 + 2 * nb as u32,
        max_ed: (settings.baseline.max_ed_per_ppm * (high - low)).min(nb as f64) as f32,
        ..Shape::default()
    }
}
