//! Where frames lie: coil after coil, echo after echo, each with a baseline frame before its own.

use std::ops::Range;

use num_complex::Complex64;

use super::error::DecodeError;
use super::header::Frames;
use crate::acquisition::Samples;
use crate::formats::bytes::{Bytes, FileBytes, Order};

/// One frame of every coil: its echo, and its number among the echo's frames.
pub(super) type Frame = (usize, usize);

/// Points at the beginning of a frame that tell its sign and its size.
const FIRST_POINTS: usize = 32;
/// How much more energy frames must have with alternating signs than with one, to be taken as alternating.
const ALTERNATING: f64 = 4.0;

/// The frames of a file.
#[derive(Clone)]
pub(super) struct Stored {
    file: FileBytes,
    order: Order,
    point_size: usize,
    points: usize,
    frames: usize,
    echoes: usize,
    coils: usize,
    data: usize,
}

impl Stored {
    /// The frames that the header announces, all of which must be there.
    pub(super) fn new(file: FileBytes, order: Order, frames: &Frames) -> Result<Self, DecodeError> {
        let Frames { points, echoes, total, point_size, coils, data, .. } = *frames;
        let needed = [total + 1, echoes, coils, 2 * point_size, points]
            .into_iter()
            .try_fold(1_usize, usize::checked_mul)
            .and_then(|n| n.checked_add(data));
        if needed.is_none_or(|n| n > file.len()) {
            return Err(DecodeError::Truncated { got: file.len(), needed: needed.unwrap_or(usize::MAX) });
        }
        Ok(Self { file, order, point_size, points, frames: total, echoes, coils, data })
    }

    /// The first `n` points of a frame of one coil.
    fn first(&self, place: Frame, coil: usize, n: usize) -> Vec<Complex64> {
        self.points(place, coil, 0..n)
    }

    /// Some points of a frame of one coil.
    fn points(&self, (echo, frame): Frame, coil: usize, points: Range<usize>) -> Vec<Complex64> {
        let bytes = Bytes::new(&self.file, self.order);
        let part = |at: usize| match self.point_size {
            2 => bytes.i16(at).map(f64::from),
            _ => bytes.i32(at).map(f64::from),
        };
        let number = (coil * self.echoes + echo) * (self.frames + 1) + frame + 1;
        let start = self.data + number * 2 * self.point_size * self.points;
        let sample = |at: usize| Complex64::new(part(at).unwrap_or(0.0), part(at + self.point_size).unwrap_or(0.0));
        points.map(|point| sample(start + 2 * self.point_size * point)).collect()
    }

    /// Samples of these frames, those of each condition in a list of their own; every other is turned over where
    /// `alternating`. As many of each are taken as the shortest list has.
    pub(super) fn samples(&self, conditions: Vec<Vec<Frame>>, alternating: bool) -> Samples {
        let n_frames = conditions.iter().map(Vec::len).min().unwrap_or(0);
        let shape = [1, conditions.len(), n_frames, self.coils, self.points];
        let stored = self.clone();
        Samples::stored_in_parts(shape, move |[_, condition, transient, coil], points| {
            let place = conditions.get(condition).and_then(|frames| frames.get(transient)).copied().unwrap_or_default();
            let sign = if alternating && place.1 % 2 == 1 { -1.0 } else { 1.0 };
            let mut fid = stored.points(place, coil, points);
            fid.iter_mut().for_each(|z| *z *= sign);
            fid
        })
    }

    /// Whether every other of an echo's frames was measured with the opposite sign.
    pub(super) fn alternate(&self, frames: &[Frame]) -> bool {
        let energy = |sign_of: fn(usize) -> f64| -> f64 {
            (0..self.coils)
                .map(|coil| {
                    let mut sum = vec![Complex64::default(); FIRST_POINTS.min(self.points)];
                    for &place in frames {
                        let first = self.first(place, coil, sum.len());
                        sum.iter_mut().zip(first).for_each(|(sum, z)| *sum += z * sign_of(place.1));
                    }
                    sum.iter().map(Complex64::norm_sqr).sum::<f64>()
                })
                .sum()
        };
        energy(|frame| if frame % 2 == 1 { -1.0 } else { 1.0 }) > ALTERNATING * energy(|_| 1.0)
    }

    /// How large a frame is at its beginning, over all coils.
    pub(super) fn size(&self, place: Frame) -> f64 {
        let coils = (0..self.coils).map(|coil| self.first(place, coil, FIRST_POINTS.min(self.points)));
        coils.flatten().map(|z| z.norm_sqr()).sum::<f64>().sqrt()
    }
}
