//! What a file takes of the memory, by what it holds: while it is read, and until its rows are written.

use std::path::{Path, PathBuf};

use super::options::{CurvesKept, RunOptions};
use crate::corpus::{Found, Water};
use crate::formats::{self, Extent};

/// Bytes of a sample in double precision.
const SAMPLE: u64 = 16;
/// Program, basis sets, a writer's rows and tables under way: what a run of one small file takes, and room (bytes).
const FIXED: u64 = 64 << 20;
/// What each thread works with (bytes).
const EACH_THREAD: u64 = 8 << 20;
/// A result with its rows, on their way into the tables (bytes).
const RESULT: u64 = 192 << 10;
/// Curves of a fit: components of a large basis set, with data, fit, baseline, residual and axis.
const CURVES: u64 = 45;
/// Bytes of a point of a curve: in single precision as a row, as a batch of the table and as its pages.
const CURVE_POINT: u64 = 12;
/// A transient's row, likewise (bytes).
const TRANSIENT: u64 = 256;
/// Free induction decays that a model is as large as, which no other spectrum may share: its components, with what is made
/// of them.
const MODEL_COMPONENTS: u64 = 80;
/// Copies of a condition's transients while they are aligned: without water, turned, and their median's parts.
const ALIGNED_COPIES: u64 = 3;
/// Samples of each coil from which weights are taken, at most: those of the noise, with their outer products.
const WEIGHED: u64 = 5 << 13;

/// Points of a short spectrum, and of a usual one.
const SHORT_POINTS: usize = 512;
const USUAL_POINTS: usize = 4096;

/// What a run takes with so many threads before it reads anything (bytes).
pub(super) fn least_bytes(threads: usize) -> u64 {
    FIXED + EACH_THREAD * threads as u64
}

/// What a model of spectra of so many points takes (bytes).
pub(super) fn model_bytes(points: usize) -> u64 {
    times([MODEL_COMPONENTS, SAMPLE, points as u64])
}

/// What one file takes (bytes).
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Need {
    /// Extents of its grid of voxels, and their number.
    pub(super) grid: [usize; 3],
    pub(super) voxels: usize,
    /// While it is read, however few voxels are asked for.
    whole: u64,
    /// While it is read, for each voxel.
    read_voxel: u64,
    /// Until its rows are written, however few voxels there are.
    models: u64,
    /// Until its rows are written, for each voxel.
    fit_voxel: u64,
}

impl Need {
    /// Of a file with its water reference. One that cannot be looked into takes next to nothing: it becomes a row.
    pub(super) fn of(found: &Found, options: &RunOptions) -> Self {
        let Some(data) = extent(&found.path, &found.parts).filter(|_| found.refusal().is_none()) else {
            return Self { grid: [1; 3], voxels: 1, models: RESULT * options.methods.len() as u64, ..Self::default() };
        };
        let water = match &found.water {
            Water::Paired(path) => extent(path, &found.water_parts),
            Water::None | Water::Missing(_) | Water::Unfit(..) | Water::Ambiguous(_) => None,
        };
        Self::holding(data, water, options)
    }

    /// Of a file with one short spectrum: with less memory nothing can be done.
    pub(super) fn of_short(options: &RunOptions) -> Self {
        Self::holding(one_spectrum(SHORT_POINTS), None, options)
    }

    /// Of a file with one usual spectrum and its water.
    pub(super) fn of_usual(options: &RunOptions) -> Self {
        let usual = one_spectrum(USUAL_POINTS);
        Self::holding(usual, Some(usual), options)
    }

    fn holding(data: Extent, water: Option<Extent>, options: &RunOptions) -> Self {
        let both = || std::iter::once(data).chain(water);
        let [conditions, transients] = [data.conditions, data.transients].map(|n| n as u64);
        let fid = times([SAMPLE, data.points as u64]);
        // Edited conditions are combined, too.
        let spectra = if conditions > 1 { 2 * conditions } else { 1 };
        let dynamics = options.preparation.settings().and_then(|settings| settings.dynamics.as_ref());
        let spectra = spectra * dynamics.map_or(1, |dynamics| dynamics.most_parts(data.transients) as u64);
        let methods = options.methods.len() as u64;
        let prepared = times([spectra, fid + times([2 * SAMPLE, transients]) + 512]);
        let curves =
            if options.curves != CurvesKept::None { times([CURVES, CURVE_POINT, data.points as u64]) } else { 0 };
        let rows = if options.transients { times([TRANSIENT, transients]) } else { 0 };
        let results = times([spectra, times([methods, RESULT + curves]).saturating_add(rows)]);
        Self {
            grid: data.grid,
            voxels: data.grid.iter().fold(1, |n, extent| n.saturating_mul(*extent)),
            whole: both().map(|e| e.whole_bytes.saturating_add(preparing(&e))).fold(0, u64::saturating_add),
            read_voxel: both().map(|e| stored(&e)).fold(prepared, u64::saturating_add),
            models: times([methods, model_bytes(data.points)]),
            fit_voxel: prepared.saturating_add(results),
        }
    }

    /// While so many of its voxels are read.
    pub(super) fn reading(&self, voxels: usize) -> u64 {
        self.whole.saturating_add(times([self.read_voxel, voxels as u64]))
    }

    /// While so many of its voxels are fitted.
    pub(super) fn fitting(&self, voxels: usize) -> u64 {
        self.models.saturating_add(times([self.fit_voxel, voxels as u64]))
    }

    /// The most voxels that take no more than `bytes`, neither while they are read nor while they are fitted.
    pub(super) fn most_voxels(&self, bytes: u64) -> usize {
        let most = |fixed: u64, each: u64| bytes.checked_sub(fixed).map_or(0, |left| left / each.max(1));
        let most = most(self.whole, self.read_voxel).min(most(self.models, self.fit_voxel));
        usize::try_from(most).unwrap_or(usize::MAX).min(self.voxels)
    }
}

/// A spectrum of so many points by itself; its file is held as text, which is no shorter than it.
fn one_spectrum(points: usize) -> Extent {
    let whole_bytes = times([2 * SAMPLE, points as u64]);
    Extent { grid: [1; 3], conditions: 1, transients: 1, coils: 1, points, whole_bytes, sample_bytes: SAMPLE }
}

/// What a file holds with the others of its series, which are as it is.
fn extent(path: &Path, parts: &[PathBuf]) -> Option<Extent> {
    let one = formats::extent(path).ok()?;
    let n = parts.len() + 1;
    let whole_bytes = times([one.whole_bytes, n as u64]);
    Some(Extent { transients: one.transients.saturating_mul(n), whole_bytes, ..one })
}

/// A voxel's samples as they are stored.
fn stored(extent: &Extent) -> u64 {
    let Extent { conditions, transients, coils, points, sample_bytes, .. } = *extent;
    times([sample_bytes, conditions as u64, transients as u64, coils as u64, points as u64])
}

/// What the preparation of one voxel holds beside stored samples: combined transients of all conditions, those of one
/// being aligned, and the samples from which the coils' weights are taken.
fn preparing(extent: &Extent) -> u64 {
    let [conditions, transients, coils, points] =
        [extent.conditions, extent.transients, extent.coils, extent.points].map(|n| n as u64);
    let copies = if transients > 1 { ALIGNED_COPIES } else { 1 };
    let combined = times([SAMPLE, conditions + copies, transients, points]);
    let threads = rayon::current_num_threads() as u64;
    let weighed =
        if coils > 1 { times([SAMPLE, coils, WEIGHED.min(2 * transients * points) + threads * points]) } else { 0 };
    combined.saturating_add(weighed)
}

fn times<const N: usize>(factors: [u64; N]) -> u64 {
    factors.into_iter().fold(1, u64::saturating_mul)
}
