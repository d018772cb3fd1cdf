//! What people look at.
pub mod fit_plot;
