//! One nonlinear parameter and where all of them lie in a vector.

/// What a parameter may be and is expected to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parameter {
    /// Where it starts.
    pub(super) start: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
    /// Mean of its prior.
    pub(super) mean: f64,
    /// Standard deviation of its prior; infinite: none.
    pub(super) sd: f64,
    /// Unit in which steps are damped; a step is at most five of them long.
    pub(super) step: f64,
    /// Whether it stays where it starts.
    pub(super) is_fixed: bool,
}

impl Parameter {
    /// A free parameter around `mean`; `sd` 0: no prior.
    pub(super) fn around(mean: f64, sd: f64, step: f64) -> Self {
        Self {
            start: mean,
            lower: f64::NEG_INFINITY,
            upper: f64::INFINITY,
            mean,
            sd: if sd > 0.0 { sd } else { f64::INFINITY },
            step,
            is_fixed: false,
        }
    }

    pub(super) fn within(self, lower: f64, upper: f64) -> Self {
        Self { lower, upper, ..self }
    }

    pub(super) fn fixed(value: f64) -> Self {
        Self { is_fixed: true, start: value, ..Self::around(value, 0.0, 1.0) }
    }

    /// (value − mean)/sd.
    pub(super) fn deviation(&self, value: f64) -> f64 {
        (value - self.mean) / self.sd
    }
}

/// What the members of a group share.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Shared {
    /// Shift (rad/s).
    pub(super) shift: Option<Parameter>,
    /// Damping (1/s).
    pub(super) damping: Option<Parameter>,
    /// Gaussian rate (1/s).
    pub(super) gauss: Option<Parameter>,
}
