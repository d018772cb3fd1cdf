//! What header extension and sidecars state about a measurement.
//!
//! The header extension goes before sidecars, as it cannot be parted from its data; where both state a number and do not
//! agree, a remark tells. A number that cannot be right gives way to one that can.

use serde_json::{Map, Value};

use super::keys::{AVERAGES, FIRST_ECHO, FLIP_ANGLES, INVERSION, PULSES, REFOCUS, SAME, TEXT_CHARS, first};
use crate::acquisition::{Facts, flip_angle_deg};

/// Keys whose value may differ between conditions or dimensions; a list of different values states none for all.
const TIMES: [&str; 4] = ["EchoTime", "RepetitionTime", "MixingTime", "SpectralWidth"];

/// The facts of header extension and sidecars together. `dwell_s` is the container's own.
pub(super) fn facts(
    meta: &Map<String, Value>,
    sidecar: &Map<String, Value>,
    dwell_s: Option<f64>,
    remarks: &mut Vec<String>,
) -> Facts {
    let own = Facts { dwell_s, ..stated("header extension", meta, remarks) };
    let beside = stated("sidecar", sidecar, remarks);
    let spectral_width = Facts {
        dwell_s: number("header extension", meta, "SpectralWidth", remarks)
            .or_else(|| number("sidecar", sidecar, "SpectralWidth", remarks))
            .map(|hz| 1.0 / hz),
        ..Facts::default()
    };
    let own = own.corrected_by(&spectral_width, remarks).corrected_by(&beside, remarks);
    contradictions(&own, &beside, "the sidecar says", remarks);
    contradictions(&own, &spectral_width, "by SpectralWidth it is", remarks);
    let averages = meta.get(AVERAGES).and_then(|v| v.get("Value")?.as_u64());
    // A sidecar's `PulseSequenceType` says more than a file's `SequenceName`.
    let sequence = ["PulseSequenceType", "SequenceName", "PulseSequenceName"]
        .into_iter()
        .find_map(|key| text(meta, key).or_else(|| text(sidecar, key)));
    let pulses = meta.get(PULSES).and_then(|v| v.get("Value")?.as_str()).map(str::to_owned);
    Facts {
        sequence,
        pulses,
        averages_on_scanner: averages.and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0),
        ..own.or(beside).or(spectral_width)
    }
}

/// Bounds of a refocusing pulse's duration (s): one beyond them is another quantity, or in another unit.
const MIN_PULSE_S: f64 = 1e-4;
const MAX_PULSE_S: f64 = 0.05;

/// What one place states.
fn stated(place: &str, from: &Map<String, Value>, remarks: &mut Vec<String>) -> Facts {
    let flip_angle_deg = flip(place, from, remarks);
    // 0 is what a scan without inversion has, as well.
    let is_inverted = first(from.get(INVERSION)).and_then(Value::as_f64) != Some(0.0);
    let mut number = |key: &str| number(place, from, key, remarks);
    let ti_s = if is_inverted { number(INVERSION).filter(|s| *s > 0.0) } else { None };
    let suppressed = |key: &str| first(from.get(key)).and_then(Value::as_bool);
    Facts {
        f0_mhz: number("SpectrometerFrequency"),
        te_s: number("EchoTime"),
        tr_s: number("RepetitionTime"),
        te1_s: number(FIRST_ECHO),
        refocus_s: number(REFOCUS).filter(|s| (MIN_PULSE_S..MAX_PULSE_S).contains(s)),
        tm_s: number("MixingTime"),
        flip_angle_deg,
        ti_s,
        nucleus: text(from, "ResonantNucleus"),
        vendor: text(from, "Manufacturer"),
        // NIfTI-MRS' word, and that of BIDS.
        water_suppressed: suppressed("WaterSuppressed").or_else(|| suppressed("WaterSuppression")),
        ..Facts::default()
    }
}

/// The flip angle, by the first key that states one.
fn flip(place: &str, from: &Map<String, Value>, remarks: &mut Vec<String>) -> Option<f64> {
    let (key, stated) = FLIP_ANGLES.iter().find_map(|key| Some((key, number(place, from, key, remarks)?)))?;
    let degrees = flip_angle_deg(stated);
    if degrees.is_none() {
        remarks.push(format!(
            "{key} of the {place} is {stated}, which is no flip angle of an excitation in degrees: it was not used"
        ));
    }
    degrees
}

/// A number as it stands, also of a user-defined key, which has its value and a description: one that cannot be right is refused later, so that nothing is taken for it in silence. Zero is what
/// converters write for what they do not know.
fn number(place: &str, from: &Map<String, Value>, key: &str, remarks: &mut Vec<String>) -> Option<f64> {
    let parsed = |value: &Value| value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    let stated = from.get(key)?;
    let stated = stated.get("Value").unwrap_or(stated);
    let value = parsed(first(Some(stated))?).filter(|value| value.is_finite());
    if let (Some(all), Some(one)) = (stated.as_array(), value)
        && TIMES.contains(&key)
        && all.iter().any(|other| parsed(other).is_none_or(|other| !is_same(other, one)))
    {
        remarks.push(format!("the {place} lists several values of {key}: none was taken for all"));
        return None;
    }
    if value == Some(0.0) {
        remarks.push(format!("{key} of the {place} is 0: it was taken for not stated"));
        return None;
    }
    if value.is_none() && !stated.is_null() {
        remarks.push(format!("{key} of the {place} is no number and was not used"));
    }
    value
}

fn text(from: &Map<String, Value>, key: &str) -> Option<String> {
    let text = first(from.get(key)).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| text.chars().take(TEXT_CHARS).collect())
}

fn is_same(a: f64, b: f64) -> bool {
    (a / b - 1.0).abs() <= SAME
}

/// A remark for each number and word in which the file and another place differ.
fn contradictions(own: &Facts, other: &Facts, says: &str, remarks: &mut Vec<String>) {
    let (mut own, mut other) = (own.clone(), other.clone());
    for number in Facts::NUMBERS {
        let (name, unit) = (number.name, number.unit());
        if let (Some(file), Some(stated)) = (*(number.of)(&mut own), *(number.of)(&mut other))
            && !is_same(stated, file)
        {
            remarks.push(format!("{says} {name} = {stated} {unit} and the file {file} {unit}: the file's was taken"));
        }
    }
    if let (Some(file), Some(stated)) = (&own.nucleus, &other.nucleus)
        && !file.eq_ignore_ascii_case(stated)
    {
        remarks.push(format!("{says} nucleus {stated} and the file {file}: the file's was taken"));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(meta: &Value, sidecar: &Value) -> (Facts, Vec<String>) {
        let map = |value: &Value| value.as_object().cloned().unwrap_or_default();
        let mut remarks = Vec::new();
        (facts(&map(meta), &map(sidecar), Some(5e-4), &mut remarks), remarks)
    }

    #[test]
    fn the_header_goes_first_and_sidecars_fill() {
        let (facts, remarks) = of(
            &json!({"EchoTime": 0.03, "SpectrometerFrequency": [123.2], "SequenceName": "svs_se"}),
            &json!({"EchoTime": 0.03, "RepetitionTime": 2, "PulseSequenceType": "PRESS", "WaterSuppression": true,
                    "Manufacturer": "GE", "SpectralWidth": 2000, "SpectrometerFrequency": 123.2}),
        );
        assert_eq!(
            (facts.te_s, facts.tr_s, facts.f0_mhz, facts.dwell_s),
            (Some(0.03), Some(2.0), Some(123.2), Some(5e-4))
        );
        assert_eq!((facts.sequence.as_deref(), facts.vendor.as_deref()), (Some("PRESS"), Some("GE")));
        assert_eq!((facts.water_suppressed, remarks), (Some(true), vec![]));
    }

    #[test]
    fn contradictions_are_told() {
        let (facts, remarks) = of(&json!({"EchoTime": 0.03}), &json!({"EchoTime": 0.068, "SpectralWidth": 4000}));
        assert_eq!((facts.te_s, facts.dwell_s), (Some(0.03), Some(5e-4)));
        assert_eq!(remarks.len(), 2, "{remarks:?}");
        assert_eq!(remarks[0], "the sidecar says te_s = 0.068 s and the file 0.03 s: the file's was taken");
    }

    #[test]
    fn what_cannot_be_right_gives_way_or_stays_to_be_refused() {
        let (facts, remarks) = of(&json!({"EchoTime": 35}), &json!({"EchoTime": 0.035}));
        assert_eq!((facts.te_s, remarks.len()), (Some(0.035), 1));
        let (facts, _) = of(&json!({"EchoTime": -1}), &json!({}));
        assert_eq!(facts.te_s, Some(-1.0));
        let (facts, remarks) = of(&json!({}), &json!({"EchoTime": 35}));
        assert_eq!((facts.te_s, remarks.len()), (Some(35.0), 0));
        assert!(facts.fault().is_some());
    }

    #[test]
    fn first_echoes_and_flip_angles_are_read() {
        let own = json!({"Value": 0.0125, "Description": "first echo"});
        let (facts, remarks) = of(&json!({"FirstEchoTime": own, "ExcitationFlipAngle": 60}), &json!({"FlipAngle": 90}));
        assert_eq!((facts.te1_s, facts.flip_angle_deg, remarks.len()), (Some(0.0125), Some(60.0), 0), "{remarks:?}");
        let (facts, _) = of(&json!({}), &json!({"FirstEchoTime": 0.011, "FlipAngle": [80.0]}));
        assert_eq!((facts.te1_s, facts.flip_angle_deg), (Some(0.011), Some(80.0)));
        for no_excitation in [1e4, 180.0] {
            let stated = json!({"FirstEchoTime": {"Description": "none"}, "ExcitationFlipAngle": no_excitation});
            let (facts, remarks) = of(&stated, &json!({}));
            assert_eq!((facts.te1_s, facts.flip_angle_deg, remarks.len()), (None, None, 2), "{remarks:?}");
        }
        // Longer than the echo time: for whoever uses it to refuse.
        let (facts, _) = of(&json!({"FirstEchoTime": 0.05, "EchoTime": 0.03}), &json!({}));
        assert!(facts.fault().is_some());
    }

    #[test]
    fn an_inversion_is_known_by_its_time() {
        let ti_s = |meta: &Value, sidecar: &Value| {
            let (facts, remarks) = of(meta, sidecar);
            assert!(remarks.is_empty(), "{remarks:?}");
            facts.ti_s
        };
        assert_eq!(ti_s(&json!({"InversionTime": 0.9}), &json!({})), Some(0.9));
        assert_eq!(ti_s(&json!({}), &json!({"InversionTime": 0.9})), Some(0.9));
        assert_eq!(ti_s(&json!({"InversionTime": 0}), &json!({})), None);
        assert_eq!(ti_s(&json!({}), &json!({})), None);
    }

    #[test]
    fn lists_zeros_and_words_are_no_times() {
        let (facts, remarks) = of(
            &json!({"EchoTime": [0.03, 0.06], "RepetitionTime": [2.0, 2.0], "MixingTime": 0}),
            &json!({"EchoTime": "35 ms"}),
        );
        assert_eq!((facts.te_s, facts.tr_s, facts.tm_s), (None, Some(2.0), None));
        assert_eq!(remarks.len(), 3, "{remarks:?}");
        let (facts, _) = of(&json!({"EchoTime": "0.035", "SpectrometerFrequency": [123.2, 49.9]}), &json!({}));
        assert_eq!((facts.te_s, facts.f0_mhz), (Some(0.035), Some(123.2)));
    }
}
