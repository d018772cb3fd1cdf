//! What people look at.

mod canvas;
mod fit_parts;
pub mod fit_plot;

pub use fit_plot::{FitPlot, PlotError, TableLine};
