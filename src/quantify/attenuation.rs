//! What relaxation leaves of a signal.

use super::relaxation::Times;

/// When a signal was excited and read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Timing {
    pub(super) te_s: f64,
    pub(super) tr_s: f64,
    /// Mixing time of a stimulated echo (s).
    pub(super) tm_s: Option<f64>,
    /// Cosine of the flip angle: 0 for 90°.
    pub(super) cos_flip: f64,
}

/// What is left of a signal of these times:
/// (1 − e^(−TR/T1))/(1 − cos α·e^(−TR/T1)) · e^(−TE/T2), and e^(−TM/T1) of a stimulated echo.
pub(super) fn left(times: Times, timing: Timing) -> f64 {
    let recovery = (-timing.tr_s / times.t1_s).exp();
    let mixing = timing.tm_s.map_or(1.0, |tm_s| (-tm_s / times.t1_s).exp());
    (1.0 - recovery) / (1.0 - timing.cos_flip * recovery) * (-timing.te_s / times.t2_s).exp() * mixing
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_decays_recovers_and_is_stored() {
        let times = Times { t1_s: 1.331, t2_s: 0.110 };
        let at = |te_s, tr_s, tm_s, cos_flip| left(times, Timing { te_s, tr_s, tm_s, cos_flip });
        // Grey matter's water at TE 35 ms and TR 2 s.
        assert!((at(0.035, 2.0, None, 0.0) - 0.565_576_176).abs() < 1e-9);
        assert!((at(0.0, 1e3, None, 0.0) - 1.0).abs() < 1e-12);
        // A small angle saturates less; 45° at TR = T1·ln 2: (1 − 1/2)/(1 − 0.7071/2).
        assert!((at(0.0, 1.331 * 2.0_f64.ln(), None, 45.0_f64.to_radians().cos()) - 0.773_459).abs() < 1e-6);
        let stored = at(0.02, 2.0, Some(0.01), 0.0) / at(0.02, 2.0, None, 0.0);
        assert!((stored - (-0.01_f64 / 1.331).exp()).abs() < 1e-12);
    }
}
