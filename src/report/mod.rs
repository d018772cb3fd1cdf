//! What people look at.

mod agreement_plot;
pub mod basis_plot;
pub(crate) mod canvas;
pub mod describe;
mod fit_parts;
pub mod fit_plot;
mod learned_plot;
mod methods_page;
mod methods_plots;
mod overlay;
mod overlay_part;
pub(crate) mod page;
pub(crate) mod page_theme;
pub(crate) mod planes;
mod png;
mod preparation_plot;
pub mod sequence_plot;
mod theme;
mod voxel;

pub use agreement_plot::agreement_plot;
pub use basis_plot::basis_plot;
pub use fit_plot::{FitPlot, TableLine};
pub use learned_plot::learned_plot;
pub use methods_page::methods_page;
pub use overlay::{OVERLAY_PPM, Overlay, OverlayError};
pub use planes::VoxelPlotError;
pub use preparation_plot::PreparationPlot;
pub use sequence_plot::sequence_plot;
pub use theme::PlotError;
pub use voxel::voxel_plot;
