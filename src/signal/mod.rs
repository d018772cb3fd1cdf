//! What preparation and fits share about samples and spectra: transforms, noise, heights, water.

pub(crate) mod exponentials;
pub(crate) mod fft;
pub mod filter;
pub mod frequency;
mod hankel;
mod hankel_product;
pub mod linewidth;
pub mod magnitudes;
pub(crate) mod median;
pub mod noise;
pub(crate) mod progression;
mod tridiagonal;
pub mod water_removal;
