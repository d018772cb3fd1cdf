//! Waveforms out of files: Siemens' `.pta`, Varian's `.RF`, Bruker's `.exc`, `.rfc` and `.inv`, and tables of numbers.
//!
//! `.pta`: amplitude (may be negative) and phase (rad), one step a line, `; (n)` behind. `.RF`: phase (°), amplitude,
//! relative length of the step, gate. Bruker: amplitude (%), phase (°), with a header of `##` lines. Text: amplitude,
//! phase (°), length of the step, gradient, of which the first must be there.

use super::Shape;

/// Steps of the longest waveform.
const MOST_STEPS: usize = 100_000;

/// Forms that waveforms come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveformFormat {
    /// Siemens' `.pta`.
    Pta,
    /// Varian's `.RF`.
    Varian,
    /// Bruker's shape files.
    Bruker,
    /// A table of numbers.
    Text,
}

impl WaveformFormat {
    /// The form that a file's name asks for.
    pub fn of(name: &str) -> Self {
        match name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).as_deref() {
            Some("pta") => Self::Pta,
            Some("rf") => Self::Varian,
            Some("exc" | "rfc" | "inv" | "gp") => Self::Bruker,
            _ => Self::Text,
        }
    }
}

/// Why a waveform's file does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WaveformFileError {
    /// A line does not hold what it should.
    #[error("line {line} of the waveform: {reason}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Too few or too many steps.
    #[error("the waveform has {steps} steps; 2 to {MOST_STEPS} are possible")]
    Steps {
        /// How many.
        steps: usize,
    },
    /// Steps of different lengths.
    #[error("the waveform's steps differ in length (line {line}); give it with equal steps")]
    Uneven {
        /// The first that differs, counted from 1.
        line: usize,
    },
}

/// The shape in a waveform's file.
///
/// # Errors
/// [`WaveformFileError`] with the line.
pub fn parse(text: &str, format: WaveformFormat) -> Result<Shape, WaveformFileError> {
    let (mut amplitude, mut phase_rad, mut gradient) = (Vec::new(), Vec::new(), Vec::new());
    let mut length = None;
    for (k, line) in text.lines().enumerate() {
        let fail = |reason: &str| WaveformFileError::Line { line: k + 1, reason: reason.to_owned() };
        let line = line.split(';').next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with(['#', '%']) || (format == WaveformFormat::Pta && line.contains(':')) {
            continue;
        }
        let numbers = line
            .split([' ', '\t', ','])
            .filter(|word| !word.is_empty())
            .map(|word| word.parse::<f64>().ok().filter(|v| v.is_finite()))
            .collect::<Option<Vec<f64>>>()
            .ok_or_else(|| fail("it holds what is no finite number"))?;
        let (size, phase, step, slope) = match (format, &numbers[..]) {
            (WaveformFormat::Pta, &[size, phase]) => (size, phase, None, None),
            (WaveformFormat::Varian, &[phase, size, ref rest @ ..]) => {
                (size, phase.to_radians(), rest.first().copied(), None)
            }
            (WaveformFormat::Bruker, &[size, phase]) => (size, phase.to_radians(), None, None),
            (WaveformFormat::Text, &[size, ref rest @ ..]) if rest.len() < 4 => {
                let at = |k: usize| rest.get(k).copied();
                (size, at(0).unwrap_or(0.0).to_radians(), at(1), at(2))
            }
            _ => return Err(fail("it has another number of columns than its format")),
        };
        if let Some(step) = step {
            let first = *length.get_or_insert(step);
            if (step - first).abs() > 1e-6 * f64::abs(first) {
                return Err(WaveformFileError::Uneven { line: k + 1 });
            }
        }
        amplitude.push(size);
        phase_rad.push(phase);
        gradient.extend(slope);
        if amplitude.len() > MOST_STEPS {
            return Err(WaveformFileError::Steps { steps: amplitude.len() });
        }
    }
    if amplitude.len() < 2 {
        return Err(WaveformFileError::Steps { steps: amplitude.len() });
    }
    Ok(Shape::Samples { amplitude, phase_rad, gradient })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::*;
    use std::f64::consts::FRAC_PI_2;

    fn samples(text: &str, format: WaveformFormat) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let Shape::Samples { amplitude, phase_rad, gradient } = parse(text, format).unwrap() else { panic!() };
        (amplitude, phase_rad, gradient)
    }

    #[test]
    fn each_form_has_its_own_columns() {
        let pta = "PULSENAME: x\nCOMMENT: none\n\n-0.5 1.5707963267948966 ; (0)\n1.0 0.0 ; (1)\n";
        assert_eq!(samples(pta, WaveformFormat::of("a.PTA")), (vec![-0.5, 1.0], vec![FRAC_PI_2, 0.0], vec![]));
        let varian = "# HEADER\n90.0 1023.0 1.0 1.0\n0.0 512.0 1.0 1.0\n";
        assert_eq!(samples(varian, WaveformFormat::of("b.RF")).0, [1023.0, 512.0]);
        let bruker = "##TITLE= x\n##NPOINTS= 2\n1.0e+01, 9.0e+01\n2.0e+01, 0.0\n##END=\n";
        assert_eq!(samples(bruker, WaveformFormat::of("c.rfc")).1, [FRAC_PI_2, 0.0]);
        let text = "1 0 0.1 0.5\n2 90 0.1 1\n";
        assert_eq!(samples(text, WaveformFormat::of("d.txt")).2, [0.5, 1.0]);
        assert_eq!(samples("1\n2\n", WaveformFormat::Text).0, [1.0, 2.0]);
    }

    #[test]
    fn what_does_not_read_is_named_with_its_line() {
        let message = |text: &str, format| parse(text, format).unwrap_err().to_string();
        assert!(message("1 0\n2 nan\n", WaveformFormat::Pta).contains("line 2"));
        assert!(message("1 0\n", WaveformFormat::Pta).contains("1 steps"));
        assert!(message("1 0 0.1\n1 0 0.2\n", WaveformFormat::Text).contains("line 2"));
        assert!(message("1 0 3\n2 0 3\n", WaveformFormat::Bruker).contains("columns"));
    }
}
