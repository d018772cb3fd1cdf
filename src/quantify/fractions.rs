//! What tissue a voxel holds.

/// Shares of a voxel's volume that are grey matter, white matter and CSF. They sum to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fractions {
    /// Grey matter.
    pub gm: f64,
    /// White matter.
    pub wm: f64,
    /// Cerebrospinal fluid.
    pub csf: f64,
}
