//! Complex samples, held as they are stored until somebody asks for them.
//!
//! Raw data of many coils and transients are large: they stay the bytes of their file, and one free induction decay at a
//! time, or no more of it than is looked at, becomes numbers of double precision.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, Array5, Axis, s};
use num_complex::Complex64;

/// Gives some points of the free induction decay of a voxel, condition, transient and coil.
type ReadPoints = dyn Fn([usize; 4], Range<usize>) -> Vec<Complex64> + Send + Sync;

/// Complex samples, `[voxel, condition, transient, coil, point]`.
#[derive(Clone)]
pub struct Samples {
    shape: [usize; 5],
    held: Held,
}

#[derive(Clone)]
enum Held {
    Numbers(Array5<Complex64>),
    Stored(Arc<ReadPoints>),
}

impl Samples {
    /// Samples that `fid` takes from what it keeps: the free induction decay of a voxel, condition, transient and coil. It
    /// gives as many points as `shape` says, and the same whenever it is asked.
    pub fn stored(shape: [usize; 5], fid: impl Fn([usize; 4]) -> Vec<Complex64> + Send + Sync + 'static) -> Self {
        Self::stored_in_parts(shape, move |at, points| {
            let mut fid = fid(at);
            fid.truncate(points.end);
            fid.drain(..points.start.min(fid.len()));
            fid
        })
    }

    /// [`Self::stored`] where some points of a free induction decay cost less than all of it.
    pub fn stored_in_parts(
        shape: [usize; 5],
        points: impl Fn([usize; 4], Range<usize>) -> Vec<Complex64> + Send + Sync + 'static,
    ) -> Self {
        Self { shape, held: Held::Stored(Arc::new(points)) }
    }

    /// Extents of all axes.
    pub fn shape(&self) -> [usize; 5] {
        self.shape
    }

    /// Extent of one axis.
    pub fn len_of(&self, axis: Axis) -> usize {
        self.shape[axis.index()]
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The free induction decay of a voxel, condition, transient and coil.
    pub fn fid(&self, at: [usize; 4]) -> Vec<Complex64> {
        self.points(at, 0..self.shape[4])
    }

    /// Some points of the free induction decay of a voxel, condition, transient and coil; none beyond its end.
    pub fn points(&self, [voxel, condition, transient, coil]: [usize; 4], points: Range<usize>) -> Vec<Complex64> {
        let end = points.end.min(self.shape[4]);
        let points = points.start.min(end)..end;
        match &self.held {
            Held::Numbers(all) => all.slice(s![voxel, condition, transient, coil, points]).to_vec(),
            Held::Stored(stored) => stored([voxel, condition, transient, coil], points),
        }
    }

    /// One sample.
    pub fn at(&self, [voxel, condition, transient, coil, point]: [usize; 5]) -> Complex64 {
        match &self.held {
            Held::Numbers(all) => all[[voxel, condition, transient, coil, point]],
            Held::Stored(stored) => stored([voxel, condition, transient, coil], point..point + 1)[0],
        }
    }

    /// All samples, the last axis fastest.
    pub fn iter(&self) -> impl Iterator<Item = Complex64> + '_ {
        let [voxels, conditions, transients, coils, _] = self.shape;
        let fids = (0..voxels * conditions * transients * coils).map(move |i| {
            let (transient, condition) = (i / coils % transients, i / (coils * transients) % conditions);
            [i / (coils * transients * conditions), condition, transient, i % coils]
        });
        fids.flat_map(|at| self.fid(at))
    }

    /// All of them as numbers, to be looked at or changed.
    pub fn to_array(&self) -> Array5<Complex64> {
        match &self.held {
            Held::Numbers(all) => all.clone(),
            Held::Stored(_) => Array5::from_shape_vec(self.shape, self.iter().collect()).unwrap_or_default(),
        }
    }
}

impl From<Array5<Complex64>> for Samples {
    fn from(all: Array5<Complex64>) -> Self {
        let (voxels, conditions, transients, coils, points) = all.dim();
        Self { shape: [voxels, conditions, transients, coils, points], held: Held::Numbers(all) }
    }
}

impl PartialEq for Samples {
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Samples({:?})", self.shape)
    }
}

/// All transients of all coils of one voxel and condition.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    samples: &'a Samples,
    voxel: usize,
    condition: usize,
}

impl<'a> Series<'a> {
    /// Those of the voxel with this index among the samples.
    pub fn new(samples: &'a Samples, voxel: usize, condition: usize) -> Self {
        Self { samples, voxel, condition }
    }

    /// Numbers of transients, coils and points.
    pub fn dim(&self) -> (usize, usize, usize) {
        let [_, _, transients, coils, points] = self.samples.shape;
        (transients, coils, points)
    }

    /// One transient of one coil.
    pub fn fid(&self, transient: usize, coil: usize) -> Vec<Complex64> {
        self.samples.fid([self.voxel, self.condition, transient, coil])
    }

    /// Some points of one transient of one coil.
    pub fn points(&self, transient: usize, coil: usize, points: Range<usize>) -> Vec<Complex64> {
        self.samples.points([self.voxel, self.condition, transient, coil], points)
    }

    /// One transient, `[coil, point]`.
    pub fn transient(&self, transient: usize) -> Array2<Complex64> {
        let (_, coils, points) = self.dim();
        let all = (0..coils).flat_map(|coil| self.fid(transient, coil)).collect();
        Array2::from_shape_vec((coils, points), all).unwrap_or_default()
    }

    /// All transients, one after the other.
    pub fn transients(self) -> impl Iterator<Item = Array2<Complex64>> + 'a {
        (0..self.dim().0).map(move |t| self.transient(t))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_samples_are_those_that_are_held() {
        let value = |[v, c, t, k, p]: [usize; 5]| Complex64::new((10 * v + c) as f64, (100 * t + 10 * k + p) as f64);
        let shape = [2, 3, 4, 2, 5];
        let held = Samples::from(Array5::from_shape_fn((2, 3, 4, 2, 5), |(v, c, t, k, p)| value([v, c, t, k, p])));
        let stored = Samples::stored(shape, move |[v, c, t, k]| (0..5).map(|p| value([v, c, t, k, p])).collect());
        let in_parts = Samples::stored_in_parts(shape, move |[v, c, t, k], points| {
            points.map(|p| value([v, c, t, k, p])).collect()
        });
        assert_eq!(stored, held);
        assert_eq!(in_parts, held);
        for points in [0..5, 0..2, 2..3, 3..9, 7..9, 2..2] {
            let wanted = held.points([1, 2, 3, 0], points.clone());
            assert_eq!(wanted.len(), points.end.min(5) - points.start.min(5));
            assert_eq!(stored.points([1, 2, 3, 0], points.clone()), wanted);
            assert_eq!(in_parts.points([1, 2, 3, 0], points), wanted);
        }
        assert_eq!(stored.to_array(), held.to_array());
        assert_eq!((stored.len(), stored.len_of(Axis(2))), (240, 4));
        assert_eq!(stored.at([1, 2, 3, 1, 4]), value([1, 2, 3, 1, 4]));
        let series = Series::new(&stored, 1, 2);
        assert_eq!(series.dim(), (4, 2, 5));
        assert_eq!(series.transient(3)[(1, 4)], value([1, 2, 3, 1, 4]));
        assert_eq!(series.transients().map(|t| t.len()).sum::<usize>(), 40);
    }
}
