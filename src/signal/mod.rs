//! What preparation and fits share about samples and spectra: transforms, noise, heights, water.

pub(crate) mod exponentials;
pub(crate) mod fft;
pub mod filter;
pub mod frequency;
mod hankel;
pub mod linewidth;
pub mod magnitudes;
pub(crate) mod median;
pub mod noise;
pub mod water_removal;
