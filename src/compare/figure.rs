//! A figure with its interval.

use super::statistics::Interval;

/// A figure with its 95 % confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figure {
    /// Value.
    pub value: f64,
    /// Confidence interval.
    pub interval: Interval,
}
