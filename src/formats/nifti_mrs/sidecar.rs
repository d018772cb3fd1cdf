//! What a BIDS dataset has beside a NIfTI-MRS file: the same facts, in the words of BIDS.

use serde_json::{Map, Value, json};

use super::keys::{FLIP_ANGLES, INVERSION};
use crate::acquisition::Acquisition;

/// Keys without which no dataset with spectra is valid BIDS (specification 1.10, "Magnetic resonance spectroscopy"), with the
/// column of a manifest that states each.
const REQUIRED: [(&str, &str); 4] = [
    ("ResonantNucleus", "nucleus"),
    ("SpectrometerFrequency", "f0_mhz"),
    ("SpectralWidth", "dwell_s"),
    ("EchoTime", "te_s"),
];

/// The sidecar of a measurement. `reference` is the BIDS URI of its water reference.
///
/// # Errors
/// The facts that BIDS asks for and nobody states, by their columns in a manifest.
pub fn bids_sidecar(data: &Acquisition, reference: Option<&str>) -> Result<Value, Vec<&'static str>> {
    let facts = &data.facts;
    let mut all = Map::new();
    all.insert("ResonantNucleus".into(), json!(facts.nucleus.as_deref().unwrap_or("1H")));
    let numbers = [
        ("SpectrometerFrequency", facts.f0_mhz),
        ("SpectralWidth", facts.dwell_s.map(|dwell_s| 1.0 / dwell_s)),
        ("EchoTime", facts.te_s),
        ("RepetitionTime", facts.tr_s),
        ("MixingTime", facts.tm_s),
        (INVERSION, facts.ti_s),
        (FLIP_ANGLES[1], facts.flip_angle_deg),
    ];
    for (key, value) in numbers {
        if let Some(value) = value {
            all.insert(key.into(), json!(value));
        }
    }
    for (key, value) in [("SequenceName", &facts.sequence), ("Manufacturer", &facts.vendor)] {
        if let Some(value) = value {
            all.insert(key.into(), json!(value));
        }
    }
    if let Some(suppressed) = facts.water_suppressed {
        all.insert("WaterSuppression".into(), json!(suppressed));
    }
    all.insert("NumberOfSpectralPoints".into(), json!(data.n_points()));
    all.insert("NumberOfTransients".into(), json!(data.n_transients() * facts.averages_on_scanner.unwrap_or(1)));
    if let Some(reference) = reference {
        all.insert("ReferenceSignal".into(), json!(reference));
    }
    let missing: Vec<&str> =
        REQUIRED.iter().filter(|(key, _)| !all.contains_key(*key)).map(|(_, column)| *column).collect();
    if missing.is_empty() { Ok(Value::Object(all)) } else { Err(missing) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;
    use num_complex::Complex64;

    use super::*;
    use crate::acquisition::Facts;

    #[test]
    fn what_bids_asks_for_is_there_or_named() {
        let samples = Array5::<Complex64>::zeros((1, 1, 4, 1, 64));
        let mut data = Acquisition::from_samples(super::super::NAME, samples);
        assert_eq!(bids_sidecar(&data, None).unwrap_err(), ["f0_mhz", "dwell_s", "te_s"]);
        data.facts = Facts { f0_mhz: Some(123.2), dwell_s: Some(5e-4), te_s: Some(0.03), ..Facts::default() };
        data.facts.averages_on_scanner = Some(8);
        let sidecar = bids_sidecar(&data, Some("bids::sub-1/mrs/sub-1_mrsref.nii.gz")).unwrap();
        assert_eq!(
            sidecar,
            json!({
                "ResonantNucleus": "1H", "SpectrometerFrequency": 123.2, "SpectralWidth": 2000.0, "EchoTime": 0.03,
                "NumberOfSpectralPoints": 64, "NumberOfTransients": 32,
                "ReferenceSignal": "bids::sub-1/mrs/sub-1_mrsref.nii.gz",
            })
        );
    }
}
