//! Why the GPU cannot be used.

/// Why the GPU cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GpuError {
    /// No such adapter.
    #[error(
        "no GPU{}: {found} adapters found; install a Vulkan driver, choose with --gpu (see `requant devices`), or use --engine cpu",
        asked.map(|n| format!(" number {n}")).unwrap_or_default()
    )]
    NoAdapter {
        /// The number asked for.
        asked: Option<usize>,
        /// Adapters that there are.
        found: usize,
    },
    /// The adapter is too small.
    #[error("{adapter}: {lacks}; use another GPU or --engine cpu")]
    Limits {
        /// Its name.
        adapter: String,
        /// What it lacks.
        lacks: String,
    },
    /// The adapter does not open.
    #[error("{adapter}: cannot be opened: {reason}")]
    Open {
        /// Its name.
        adapter: String,
        /// What the driver says.
        reason: String,
    },
    /// A known fit came out wrong.
    #[error("{adapter}: the self-test failed: {reason}; use another driver or --engine cpu")]
    SelfTest {
        /// Its name.
        adapter: String,
        /// What was wrong.
        reason: String,
    },
    /// The device failed at work.
    #[error("the GPU failed: {reason}")]
    Device {
        /// What the driver says.
        reason: String,
    },
}
