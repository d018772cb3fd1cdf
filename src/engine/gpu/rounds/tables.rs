//! The constants of models as the shaders read them: f32 and u32 tables of all of them, and where each begins.

use rayon::prelude::*;

use super::modes::Modes;
use crate::acquisition::CARRIER_PPM;
use crate::engine::gpu::sizes::{MAX_PARAMETERS, MAX_ROWS, fft_threads};
use crate::engine::gpu::stage::fit::{self, Shape};
use crate::fit::map::Model;
use crate::fit::map::columns::n_columns;
use crate::fit::map::normal::{Weights, for_each_prior};
use crate::fit::map::parameters::N_COMMON;
use crate::fit::map::pinned::fixed_parameters;
use crate::fit::map::settings::Smoothness;
use crate::fit::prior::RatioRow;

/// The constants of models whose transforms have the same length.
pub(in crate::engine::gpu) struct Tables {
    /// Samples of their transforms.
    pub(super) fft_n: usize,
    /// By the number of the model.
    pub(in crate::engine::gpu) shapes: Vec<Shape>,
    /// The baseline's parameters on the device, by the number of the model.
    pub(super) modes: Vec<Modes>,
    pub(super) floats: Vec<f32>,
    pub(super) indices: Vec<u32>,
    /// Band FIDs, one component after the other: real and imaginary parts.
    pub(super) band_fids: Vec<[f32; 2]>,
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
    /// The constants of the first of `models`, as many as fit into buffers of `most_bytes`, and of one at least. All have the
    /// length of the first one's transforms.
    pub(in crate::engine::gpu) fn of(models: &[&Model], most_bytes: u64) -> Self {
        let fft_n = models.first().map_or(0, |model| model.band.n_short());
        let mut tables = Self {
            fft_n,
            shapes: Vec::new(),
            modes: Vec::new(),
            floats: Vec::new(),
            indices: Vec::new(),
            band_fids: Vec::new(),
        };
        let twiddles = tables.floats((0..fft_n).flat_map(|j| {
            let (sin, cos) = (-std::f64::consts::TAU * j as f64 / fft_n as f64).sin_cos();
            [cos, sin]
        }));
        let modes: Vec<Modes> = models.par_iter().map(|model| Modes::new(&model.baseline)).collect();
        for (model, modes) in models.iter().zip(modes) {
            let before = (tables.floats.len(), tables.indices.len(), tables.band_fids.len());
            tables.add(model, modes, twiddles);
            if tables.largest_bytes() > most_bytes && tables.shapes.len() > 1 {
                tables.floats.truncate(before.0);
                tables.indices.truncate(before.1);
                tables.band_fids.truncate(before.2);
                tables.shapes.pop();
                tables.modes.pop();
                break;
            }
        }
        tables
    }

    /// Bytes of the largest of its buffers.
    fn largest_bytes(&self) -> u64 {
        (4 * self.floats.len().max(self.indices.len())).max(8 * self.band_fids.len()) as u64
    }

    fn add(&mut self, model: &Model, modes: Modes, twiddles: u32) {
        let mut shape = Shape { twiddles, band_fids: self.band_fids.len() as u32, ..sizes(model) };
        self.add_transform(model, &mut shape);
        self.add_baseline(model, &modes, &mut shape);
        self.add_priors(model, &mut shape);
        for k in 0..model.components.len() {
            self.band_fids.extend(model.band_fid(k).iter().map(|z| [z.re as f32, z.im as f32]));
        }
        self.shapes.push(shape);
        self.modes.push(modes);
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

    fn add_transform(&mut self, model: &Model, shape: &mut Shape) {
        shape.time = self.floats(model.band.time_s.iter().copied());
        shape.skew_time = self.floats(model.lineshape.skew_time.iter().copied());
        shape.flat_time = self.floats(model.lineshape.flat_time.iter().copied());
        shape.kernel_time = self.floats(model.lineshape.kernel_time.iter().flat_map(|z| [z.re, z.im]));
        shape.ppm = self.floats(model.band.ppm.iter().map(|p| p - CARRIER_PPM));
    }

    fn add_baseline(&mut self, model: &Model, modes: &Modes, shape: &mut Shape) {
        let baseline = &model.baseline;
        shape.spline_four = self.floats(baseline.values.iter().flatten().copied());
        shape.spline_at = self.indices(baseline.first.iter().copied());
        shape.spline_modes = self.floats(modes.matrix.iter().copied());
        shape.roughness = self.floats(modes.roughness.iter().copied());
    }

    fn add_priors(&mut self, model: &Model, shape: &mut Shape) {
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
        shape.shift_precision = self.floats(own[k_all..2 * k_all].iter().copied());
        shape.width_precision = self.floats(own[2 * k_all..].iter().copied());
        shape.single_precision = self.floats(single.map(|s| s.0));
        shape.single_mean = self.floats(single.map(|s| s.1));
        shape.prior_diagonal = self.floats(diagonal);
        shape.lower_bound = self.floats((0..first).map(|i| layout.lower_bound(i).max(f64::from(NO_BOUND))));
        let dense = |terms: &[(usize, f64)]| {
            let mut row = vec![0.0; k_all];
            for &(k, w) in terms {
                row[k] += w;
            }
            row
        };
        shape.row_terms = self.floats(model.rows.iter().flat_map(|r| dense(&r.terms)));
        shape.row_scales = self.floats(model.rows.iter().flat_map(|r| dense(&r.scale_terms)));
        self.add_row_lists(model, shape);
        shape.row_sd = self.floats(model.rows.iter().map(|r| r.sd));
        let yields = |row: &RatioRow| row.yields.as_ref().map_or(0.0, |yields| yields.snr);
        shape.row_yield_snr = self.floats(model.rows.iter().map(yields));
        let mut heights = vec![0.0; k_all];
        // All rows that yield do so by the same spectrum.
        for &(k, height) in model.rows.iter().find_map(|r| r.yields.as_ref()).map_or(&[][..], |y| &y.heights) {
            heights[k] = height;
        }
        shape.heights = self.floats(heights);
        let mut is_fixed = vec![0; first];
        for i in fixed_parameters(model) {
            is_fixed[i] = 1;
        }
        shape.is_fixed = self.indices(is_fixed);
    }

    /// Which rows a component is in, and which components a row has: most have a few of either.
    fn add_row_lists(&mut self, model: &Model, shape: &mut Shape) {
        let members: Vec<Vec<usize>> = model
            .rows
            .iter()
            .map(|row| {
                let mut own: Vec<usize> = row.terms.iter().map(|&(k, _)| k).collect();
                own.sort_unstable();
                own.dedup();
                own
            })
            .collect();
        let rows_of = |k: usize| (0..members.len()).filter(|&row| members[row].contains(&k)).collect::<Vec<_>>();
        let rows: Vec<Vec<usize>> = (0..model.layout.n_components).map(rows_of).collect();
        (shape.component_rows_first, shape.component_rows) = self.lists(&rows);
        (shape.row_members_first, shape.row_members) = self.lists(&members);
    }

    /// Lists one after the other: where each begins and the last ends, and what is in them.
    fn lists(&mut self, lists: &[Vec<usize>]) -> (u32, u32) {
        let ends = lists.iter().scan(0, |end, list| {
            *end += list.len();
            Some(*end)
        });
        (self.indices(std::iter::once(0).chain(ends)), self.indices(lists.iter().flatten().copied()))
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
        max_ed: (settings.baseline.max_ed_per_ppm * (high - low)).min(nb as f64) as f32,
        ..Shape::default()
    }
}
