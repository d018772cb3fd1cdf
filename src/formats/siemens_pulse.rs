//! How long the refocusing pulses of Siemens' PRESS are: no header says, but their amplitude tells.
//!
//! The pulse (a Mao pulse of 180°) has a fixed area, and the protocol states its voltage and that of 1 ms of 180°: its
//! peak is 500 Hz · `flAmplitude` / `flReferenceAmplitude`, and its duration 5447.9 Hz·ms over the peak. Durations come on
//! a raster of 0.2 ms; five protocols of `svs_se` land on it within 0.0001 ms. A pulse that does not is another.

/// Peak of B1 times duration of the pulse (Hz·ms).
const PEAK_TIMES_DURATION: f64 = 5447.9;
/// Peak of a pulse with the reference amplitude (Hz).
const REFERENCE_HZ: f64 = 500.0;
/// Durations come in steps of so much (ms), and may be off by so much.
const RASTER_MS: f64 = 0.2;
const OFF_RASTER_MS: f64 = 0.005;
/// Durations that there are (ms).
const DURATIONS_MS: std::ops::RangeInclusive<f64> = 3.0..=12.0;
/// Pulses that a protocol lists at most.
const MOST_PULSES: usize = 64;

/// Duration of the refocusing pulses (s), from the protocol's texts and numbers; `None` where there are none, where they
/// differ, or where they are no such pulses.
pub(crate) fn refocus_s(text: &dyn Fn(&str) -> Option<String>, number: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
    let reference = number("sTXSPEC.asNucleusInfo[0].flReferenceAmplitude").filter(|volt| *volt > 0.0)?;
    let pulse = |k: usize, what: &str| format!("sTXSPEC.aRFPULSE[{k}].{what}");
    let durations: Vec<f64> = (0..MOST_PULSES)
        .filter(|k| text(&pulse(*k, "tName")).is_some_and(|name| name.to_lowercase().contains("rf_pi")))
        .map(|k| {
            let peak_hz = REFERENCE_HZ * number(&pulse(k, "flAmplitude")).unwrap_or(0.0) / reference;
            PEAK_TIMES_DURATION / peak_hz
        })
        .collect();
    let first = *durations.first()?;
    let on_raster = (first / RASTER_MS).round() * RASTER_MS;
    let is_one = durations.iter().all(|ms| (ms - on_raster).abs() < OFF_RASTER_MS);
    (is_one && DURATIONS_MS.contains(&on_raster)).then_some(on_raster * 1e-3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(peaks_hz: &[f64]) -> Option<f64> {
        let names = ["ss_rf_pi_sl", "ss_rf_pi_ph"];
        let at = |name: &str| name.split(['[', ']']).nth(1).and_then(|k| k.parse::<usize>().ok());
        let text = |name: &str| {
            let k = at(name)?;
            if k == 0 { Some("ss_rf_exc".to_owned()) } else { peaks_hz.get(k - 1).map(|_| names[k - 1].to_owned()) }
        };
        let number = |name: &str| match name.contains("flReferenceAmplitude") {
            true => Some(400.0),
            false => peaks_hz.get(at(name)?.checked_sub(1)?).map(|hz| hz / 500.0 * 400.0),
        };
        refocus_s(&text, &number)
    }

    #[test]
    fn amplitudes_on_the_raster_tell_the_duration_and_others_nothing() {
        for (peak, ms) in [(1047.67, 5.2), (1008.87, 5.4), (972.84, 5.6), (907.98, 6.0), (825.44, 6.6)] {
            let told = of(&[peak, peak]);
            assert!(told.is_some_and(|s| (s * 1e3 - ms).abs() < 1e-9), "{peak}: {told:?}");
        }
        // svs_lcosy: pulses of another kind.
        assert_eq!(of(&[785.09, 1068.83]), None);
        assert_eq!(of(&[785.09, 785.09]), None);
        assert_eq!(of(&[1008.87, 972.84]), None);
        assert_eq!((of(&[]), of(&[0.0, 0.0])), (None, None));
    }
}
