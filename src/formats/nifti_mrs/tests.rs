//! What dimensions of NIfTI-MRS files say entry by entry.

use ndarray::Array5;
use num_complex::Complex64;
use serde_json::{Value, json};

use super::*;
use crate::formats::nifti::layout::NIFTI2;

/// A file of `entries` decays of these heights along dimension 5, whose header extension has further keys; `null` takes a key
/// out.
fn file(heights: &[Complex64], more: &Value) -> Vec<u8> {
    const POINTS: usize = 64;
    let fid = |height: Complex64, point: usize| height * (-0.1 * point as f64).exp();
    let samples = Array5::from_shape_fn((1, 1, heights.len(), 1, POINTS), |(_, _, t, _, p)| fid(heights[t], p));
    let mut data = Acquisition::from_samples(NAME, samples);
    data.facts.te_s = Some(0.035);
    let plain = encode(&data);
    let start = NIFTI2.size + 4;
    let size = u32::from_le_bytes(plain[start..start + 4].try_into().unwrap()) as usize;
    let text: Vec<u8> = plain[start + 8..start + size].iter().copied().take_while(|b| *b != 0).collect();
    let mut meta: Map<String, Value> = serde_json::from_slice(&text).unwrap();
    for (key, value) in more.as_object().unwrap() {
        if value.is_null() { drop(meta.remove(key)) } else { drop(meta.insert(key.clone(), value.clone())) }
    }
    let mut text = Value::Object(meta).to_string().into_bytes();
    text.resize((text.len() + 8).div_ceil(16) * 16 - 8, 0);
    let mut file = plain[..start].to_vec();
    file[NIFTI2.vox_offset..][..8].copy_from_slice(&((start + 8 + text.len()) as i64).to_le_bytes());
    file.extend(((text.len() + 8) as u32).to_le_bytes());
    file.extend(&plain[start + 4..start + 8]);
    file.extend(text);
    file.extend(&plain[start + size..]);
    file
}

fn read(heights: &[f64], more: &Value) -> Result<Acquisition, DecodeError> {
    let heights: Vec<Complex64> = heights.iter().map(|h| Complex64::from(*h)).collect();
    decode(&file(&heights, more), None)
}

fn heights(samples: &crate::acquisition::Samples) -> Vec<f64> {
    (0..samples.shape()[2]).map(|t| samples.at([0, 0, t, 0, 0]).re).collect()
}

#[test]
fn conditions_have_the_times_of_their_header() {
    for header in [
        json!({"EchoTime": [0.035, 0.144]}),
        json!({"EchoTime": {"Value": [0.035, 0.144], "Description": "x"}}),
        json!({"EchoTime": {"start": 0.035, "increment": 0.109}}),
    ] {
        let data = read(&[1.0, 2.0], &json!({"dim_5": "DIM_INDIRECT_0", "dim_5_header": header})).unwrap();
        let (name, further) = &data.further[0];
        assert_eq!((data.n_conditions(), data.facts.te_s, name.as_str()), (1, Some(0.035), "te144"), "{header}");
        assert!((further.facts.te_s.unwrap() - 0.144).abs() < 1e-9);
        assert_eq!((heights(&data.samples), heights(&further.samples)), (vec![1.0], vec![2.0]));
    }
    // What is no time of the facts stays a condition.
    let b = json!({"dim_5": "DIM_USER_0", "dim_5_header": {"b_value": [0, 1000]}});
    let data = read(&[1.0, 2.0], &b).unwrap();
    assert_eq!((data.n_conditions(), data.further.len(), data.condition_labels[1].as_str()), (2, 0, "b_value=1000"));
}

#[test]
fn entries_of_other_times_are_not_averaged() {
    for (tag, key) in [("DIM_DYN", "EchoTime"), ("DIM_MEAS", "RepetitionTime"), ("DIM_DYN", "InversionTime")] {
        let of = |values: Value| read(&[1.0, 2.0], &json!({"dim_5": tag, "dim_5_header": { key: values }}));
        let refused = of(json!([0.03, 0.06])).unwrap_err();
        assert!(refused.code() == "unsupported" && refused.to_string().contains(key), "{refused}");
        assert_eq!(of(json!([0.03, 0.03])).unwrap().n_transients(), 2);
    }
}

#[test]
fn transients_without_water_suppression_are_the_reference() {
    let header = json!({"dim_5": "DIM_DYN", "dim_5_header": {"WaterSuppressed": [false, true, true, false]}});
    let data = read(&[90.0, 1.0, 2.0, 91.0], &header).unwrap();
    let water = data.water.as_ref().unwrap();
    assert_eq!((heights(&data.samples), heights(&water.samples)), (vec![1.0, 2.0], vec![90.0, 91.0]));
    assert!(data.facts.water_suppressed == Some(true) && water.readouts.contains("2 transients"));
    let all = json!({"dim_5": "DIM_DYN", "dim_5_header": {"WaterSuppressed": [false, false]}});
    let data = read(&[90.0, 91.0], &all).unwrap();
    assert_eq!((data.n_transients(), data.water.is_none(), data.facts.water_suppressed), (2, true, Some(false)));
}

#[test]
fn dimensions_without_a_tag_are_said() {
    let says = |heights: &[Complex64], more: &Value, part: &str| {
        decode(&file(heights, more), None).unwrap().remarks.iter().any(|remark| remark.contains(part))
    };
    let untagged = json!({ "dim_5": null });
    let alike = [1.0, 1.1, 0.9, 1.05].map(Complex64::from);
    let coils = [0.3, 2.0, 4.0, 5.5].map(|phase| Complex64::from_polar(1.0, phase));
    let taken = "dim_5 has no tag: its 4 entries were taken for coils (DIM_COIL)";
    assert!(says(&alike, &untagged, taken) && says(&alike, &untagged, "state `\"dim_5\": \"DIM_DYN\"`"));
    assert!(says(&coils, &untagged, taken) && !says(&coils, &untagged, "alike"));
    assert!(!says(&alike, &json!({}), "no tag"));
}

#[test]
fn steps_of_isis_are_not_averaged() {
    let of = |n: usize, tag: &str, name: &str| read(&vec![1.0; n], &json!({"dim_5": tag, "SequenceName": name}));
    for (n, tag) in [(8, "DIM_DYN"), (2, "DIM_MEAS"), (4, "DIM_PHASE_CYCLE"), (32, "DIM_DYN")] {
        let refused = of(n, tag, "svs_isis").unwrap_err();
        assert!(refused.code() == "signs_unknown" && refused.to_string().contains(tag), "{refused}");
        assert!(of(n, tag, "svs_se").is_ok());
    }
    assert!(of(8, "DIM_ISIS", "ISIS").is_ok() && of(1, "DIM_DYN", "ISIS").is_ok() && of(5, "DIM_DYN", "ISIS").is_ok());
}
