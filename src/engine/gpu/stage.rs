//! The table of stages: the shaders of `shaders/fit/` and `shaders/requests/`, with the buffers, structures and constants
//! that they share with the host. The build script reads all of it from the shaders themselves.

use super::sizes;

/// A buffer that stages see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Its name in the shaders.
    pub name: &'static str,
    /// Its group.
    pub group: u32,
    /// Its index in the group.
    pub index: u32,
    /// What the stages may do with it.
    pub access: Access,
    /// Bytes of an element, or of a uniform.
    pub stride: u32,
}

/// What stages may do with a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Read the one structure that it holds.
    Uniform,
    /// Read.
    Read,
    /// Read and write.
    ReadWrite,
}

/// Invocations of a workgroup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threads {
    /// This many.
    Fixed(u32),
    /// As many as share a transform ([`sizes::fft_threads`]).
    OfTransform,
}

/// The buffers of a family, each by its name.
pub trait NamedBuffer: Copy + 'static {
    /// All of them, in the order of [`Family::bindings`].
    const ALL: &'static [Self];
    /// The stages that see them.
    const FAMILY: Family;

    /// Its place in [`Self::ALL`].
    fn place(self) -> usize;

    /// How the stages see it.
    fn binding(self) -> &'static Binding {
        &Self::FAMILY.bindings()[self.place()]
    }
}

impl Threads {
    /// Invocations for transforms of `fft_n` samples.
    pub fn at(self, fft_n: usize) -> u32 {
        match self {
            Self::Fixed(threads) => threads,
            Self::OfTransform => sizes::fft_threads(fft_n).map_or(sizes::THREADS, |(threads, _)| threads),
        }
    }
}

include!(concat!(env!("OUT_DIR"), "/stages.rs"));

impl Stage {
    /// The stages of a round of a fit, in their order; [`Stage::Compact`] follows.
    pub const ROUND: &'static [Self] =
        &[Self::Components, Self::Common, Self::Products, Self::Weights, Self::Step, Self::Trial, Self::Decide];

    /// The source for transforms of `fft_n` samples (a length that [`sizes::fft_threads`] takes).
    pub fn source(self, fft_n: usize) -> String {
        sizes::head(fft_n) + self.body()
    }

    /// Where its arguments lie among those that `compact` writes (bytes).
    pub const fn arguments_at(self) -> u64 {
        ARGUMENT_BYTES * self as u64
    }
}

/// Arguments of one indirect dispatch: workgroups along three axes (bytes).
pub const ARGUMENT_BYTES: u64 = 12;

impl Family {
    /// Its stages.
    pub fn stages(self) -> impl Iterator<Item = Stage> {
        Stage::ALL.iter().copied().filter(move |stage| stage.family() == self)
    }
}
