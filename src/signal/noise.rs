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
/// Tapers for halves and quarters.
const HALF_TAPERS: usize = 4;
/// Standard deviations between the noise of two parts of an FID that are no chance.
pub const APART_SD: f64 = 5.0;
/// The same for the last two quarters, where the halves differ.
const QUARTERS_APART_SD: f64 = 2.0;
/// So little is left of the noise where a zero-filled tail was rounded coarsely.
const CUT: f64 = 0.05;
/// Noise of the second half over that of the first from which it is taken as constant.
pub const STEADY: f64 = 0.8;
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
        "the noise falls along the FID (that of the second half is {late_over_early:.2} of the first half's): the data were \
         apodised or filtered before they were stored; give the unfiltered data"
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
    /// (`noise_floor`). The first uses more samples; the second holds where signals fill the spectrum and have decayed.
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
        let late = noise_floor(&fid[n / 2..], HALF_TAPERS);
        let early = noise_floor(&fid[..n / 2], HALF_TAPERS);
        let found = if late.above(&whole) < -APART_SD || late.n > whole.n { &late } else { &whole };
        let rounding = ROUNDING * tallest(fid);
        match falls(fid, &early, &late) {
            Some(why) if early.sd() > rounding => Self::Unknown(why),
            None if found.sd() > rounding => Self::Measured(found.sd()),
            _ => Self::Unknown(WhyUnknown::Absent),
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

/// Whether the noise falls along the FID, `early` and `late` being that of its halves.
///
/// A first half full of signal looks noisy, too: the fall must go on where signals have decayed most, between the last two
/// quarters, or be so deep that the second half can be no measurement.
fn falls(fid: &[Complex64], early: &Floor, late: &Floor) -> Option<WhyUnknown> {
    let n = fid.len();
    let late_over_early = late.sd() / early.sd();
    let halves_differ = early.above(late) > APART_SD && late_over_early < STEADY;
    let is_cut = late_over_early < CUT && early.share > CLEAR_SHARE;
    let goes_on = || {
        let [third, fourth] = [n / 2..3 * n / 4, 3 * n / 4..n].map(|part| noise_floor(&fid[part], HALF_TAPERS));
        third.above(&fourth) > QUARTERS_APART_SD
    };
    (halves_differ && (is_cut || goes_on())).then_some(WhyUnknown::Falls { late_over_early })
}

/// Standard deviation of the noise per real and imaginary part of a sample; `None` where it is unknown ([`Noise`]).
pub fn noise_sd(fid: &[Complex64]) -> Option<f64> {
    Noise::of(fid).sd()
}

/// Spread of the last eighth of an FID about its mean, per real and imaginary part: noise and what is left of signal.
/// `None` where that is nothing. What must not trust a sample too early asks this.
pub fn tail_sd(fid: &[Complex64]) -> Option<f64> {
    let used = used_length(fid);
    let tail = &fid[used - used / 8..used];
    if tail.len() < 8 {
        return None;
    }
    let n = tail.len() as f64;
    let mean: Complex64 = tail.iter().sum::<Complex64>() / n;
    let sum: f64 = tail.iter().map(|z| (z - mean).norm_sqr()).sum();
    let sd = (sum / (2.0 * (n - 1.0))).sqrt();
    (sd > 0.0).then_some(sd)
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
