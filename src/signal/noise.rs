//! The noise of an FID: from where neither spectrum nor FID hold signal, or the reason why nobody can tell it.

mod floor;
mod tapers;

use num_complex::Complex64;

use floor::{Floor, noise_floor};

/// Fewer samples than these tell no noise.
const MIN_SAMPLES: usize = 64;
/// Standard deviation over the tallest sample below which there is no noise but the rounding of 32-bit numbers (6e-8).
const ROUNDING: f64 = 3e-7;
/// A tail below this part of the tallest sample that begins with a step down is no measurement: zeros that a program rounded.
const EMPTY_TAIL: f64 = 1e-6;
/// How far the tail lies below the samples before it.
const STEP: f64 = 100.0;
/// Samples before an empty tail that are compared with it.
const BEFORE_TAIL: usize = 16;
/// Standard deviations between two parts of an FID that are no chance, and those of the last quarters alone.
pub(crate) const FALLS_BY_SD: [f64; 2] = [5.0, 2.5];
/// Fall of the noise's variance (logarithm) below which it is taken as constant: 10 % of its standard deviation.
const STEADY: f64 = 0.2;
/// Part of a spectrum that must hold noise alone for a half of the FID to be sure of its noise.
const CLEAR_SHARE: f64 = 0.3;

/// What is known of the noise of an FID.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Noise {
    /// Standard deviation per real and imaginary part of a sample.
    Measured(f64),
    /// It cannot be told from the FID.
    Unknown(WhyUnknown),
}

/// Why the noise of an FID cannot be told.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum WhyUnknown {
    /// The noise falls along the FID: somebody multiplied it by a window.
    #[error(
        "the noise falls along the FID (the second half holds {late_over_early:.2} of the first half's): the data were apodised or filtered \
         before they were stored; give the unfiltered data"
    )]
    Falls {
        /// Standard deviation in the second half of the FID over that in the first.
        late_over_early: f64,
    },
    /// There is no noise beyond the rounding of numbers.
    #[error("the FID holds no noise beyond the rounding of its numbers, as simulated data do; add noise to it")]
    Absent,
    /// Too few samples.
    #[error("the FID has fewer than {MIN_SAMPLES} samples; give the full measurement")]
    TooShort,
}

impl Noise {
    /// Of `fid`, zero-filled tails cut first. The noise is taken as white within the middle of the spectrum.
    ///
    /// Two answers, of the whole FID's spectrum and of that of its second half, each from the bins without signal
    /// ([`noise_floor`]). The first uses more samples; the second holds where signals fill the spectrum and have decayed.
    /// The lower one is right if they disagree: signal adds, it never takes away. Whether the noise is the same all along
    /// is asked of the halves and of the last two quarters.
    pub fn of(fid: &[Complex64]) -> Self {
        let fid = &fid[..used_length(fid)];
        let n = fid.len();
        if n < MIN_SAMPLES {
            return Self::Unknown(WhyUnknown::TooShort);
        }
        // What a short FID has no bins for, more tapers bring; they need more time, which a short FID has.
        let most_tapers = match n {
            ..=1024 => 8,
            1025..=2048 => 6,
            _ => 4,
        };
        let whole = noise_floor(fid, most_tapers);
        let late = noise_floor(&fid[n / 2..], 4);
        let found = if late.above(&whole) < -FALLS_BY_SD[0] || late.n > whole.n { &late } else { &whole };
        if found.sd() <= ROUNDING * tallest(fid) {
            return Self::Unknown(WhyUnknown::Absent);
        }
        match falls(fid, &late) {
            Some(why) => Self::Unknown(why),
            None => Self::Measured(found.sd()),
        }
    }

    /// Standard deviation per real and imaginary part of a sample, where it is known.
    pub fn sd(self) -> Option<f64> {
        match self {
            Self::Measured(sd) => Some(sd),
            Self::Unknown(_) => None,
        }
    }
}

/// Whether the noise falls along the FID, `late` being that of its second half.
///
/// A first half full of signal looks noisy, too: either it shows a level that most of its spectrum agrees on, or the fall
/// must go on where signals have decayed most, between the last two quarters.
fn falls(fid: &[Complex64], late: &Floor) -> Option<WhyUnknown> {
    let n = fid.len();
    let early = noise_floor(&fid[..n / 2], 4);
    let third = noise_floor(&fid[n / 2..3 * n / 4], 4);
    let fourth = noise_floor(&fid[3 * n / 4..], 4);
    let [clearly, at_all] = FALLS_BY_SD;
    let quarters = third.above(&fourth);
    let halves = early.above(late);
    let from_start = halves > clearly
        && (early.power / late.power).ln() > STEADY
        && (early.share > CLEAR_SHARE || quarters > at_all);
    let at_end = quarters > clearly + 1.0 && (third.power / fourth.power).ln() > STEADY;
    (from_start || at_end).then(|| WhyUnknown::Falls { late_over_early: (late.power / early.power).sqrt() })
}

/// Standard deviation of the noise per real and imaginary part of a sample; `None` where it is unknown ([`Noise`]).
pub fn noise_sd(fid: &[Complex64]) -> Option<f64> {
    Noise::of(fid).sd()
}

/// Number of samples before a zero-filled tail, be it of zeros or of what rounding made of them.
pub fn used_length(fid: &[Complex64]) -> usize {
    let used = fid.iter().rposition(|z| z.re != 0.0 || z.im != 0.0).map_or(0, |i| i + 1);
    let fid = &fid[..used];
    let empty = EMPTY_TAIL * tallest(fid);
    let measured = fid.iter().rposition(|z| z.norm_sqr() > empty * empty).map_or(0, |i| i + 1);
    // A noiseless FID comes there, too, but step by step.
    let (before, tail) = (&fid[measured.saturating_sub(BEFORE_TAIL)..measured], &fid[measured..]);
    let above = tallest(tail) * STEP;
    let is_cut = tail.len() >= BEFORE_TAIL && before.iter().filter(|z| z.norm() > above).count() > BEFORE_TAIL / 2;
    if is_cut { measured } else { used }
}

/// Magnitude of the tallest sample.
fn tallest(fid: &[Complex64]) -> f64 {
    fid.iter().map(|z| z.norm_sqr()).fold(0.0, f64::max).sqrt()
}

#[cfg(test)]
#[path = "noise_tests.rs"]
mod tests;
