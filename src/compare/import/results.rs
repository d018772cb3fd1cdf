//! Results of another program, as its files give them.

/// What is wrong with the text of a result file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A table that is announced is not there.
    #[error("{what} is missing; is the file cut off?")]
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// A line that does not fit.
    #[error("line {line}: {reason}")]
    Line {
        /// Line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

impl DecodeError {
    pub(super) fn line(index: usize, reason: impl Into<String>) -> Self {
        Self::Line { line: index + 1, reason: reason.into() }
    }
}

/// What a program found of one metabolite or sum.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// Name as the program has it.
    pub name: String,
    /// Value in the program's unit.
    pub value: f64,
    /// Standard deviation in the same unit, if one is stated.
    pub sd: Option<f64>,
}

impl Estimate {
    /// From a relative standard deviation. Programs print 999 % or `inf` where they have none; of a value of zero there is
    /// none either.
    pub(crate) fn with_percent(name: &str, value: f64, percent: Option<f64>) -> Self {
        let sd = percent.filter(|p| (0.0..999.0).contains(p) && value != 0.0).map(|p| value.abs() * p / 100.0);
        Self { name: name.to_owned(), value, sd }
    }
}

/// What a program found in one spectrum.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Results {
    /// The spectrum as the file names it; `None` where a file holds one and its name must do.
    pub id: Option<String>,
    /// Voxel of a grid, counted from 0; `None` where the file holds one.
    pub voxel: Option<[usize; 3]>,
    /// What was found, in the file's order.
    pub estimates: Vec<Estimate>,
    /// Whether values are concentrations scaled to water.
    pub is_water_scaled: bool,
}
