//! How a command fails.

/// A failure of a command: its exit code and what the user reads.
pub(crate) struct CliError {
    pub(super) code: u8,
    pub(super) error: anyhow::Error,
}

impl CliError {
    pub(super) fn new(code: u8, error: impl Into<anyhow::Error>) -> Self {
        Self { code, error: error.into() }
    }
}

impl<E: Into<anyhow::Error>> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::new(1, error)
    }
}

pub(super) type CliResult = Result<u8, CliError>;
