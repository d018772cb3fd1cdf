//! Fractions that somebody states: three numbers of a manifest, or FSL svs_segment's `segmentation.json`.

use std::path::Path;

use serde_json::Value;

use super::error::TissueError;
use crate::quantify::Fractions;
use crate::regular_file;

/// Largest file of fractions that is read (bytes).
const MAX_BYTES: u64 = 1 << 20;
/// How far a sum may be from 1 as the numbers are rounded, which is not worth a word, and how far at most.
const ROUNDED: f64 = 0.01;
const NORMALISED: f64 = 0.1;
/// What rounding adds to a sum of decimal numbers.
const ROUNDING: f64 = 1e-9;

/// Checks stated shares of grey matter, white matter and CSF, and divides them by their sum; with a remark where that is more
/// than rounding.
///
/// # Errors
/// [`TissueError::BadFractions`]: one is no share, or they sum to something else than 1.
pub fn checked([gm, wm, csf]: [f64; 3], file: &str) -> Result<(Fractions, Option<String>), TissueError> {
    let bad = |reason: String| TissueError::BadFractions { file: file.to_owned(), reason };
    for (name, share) in [("GM", gm), ("WM", wm), ("CSF", csf)] {
        if !share.is_finite() || share < 0.0 {
            return Err(bad(format!("{name} = {share} is no share")));
        }
    }
    let sum = gm + wm + csf;
    let off = (sum - 1.0).abs();
    if off > NORMALISED + ROUNDING {
        return Err(bad(format!("GM {gm}, WM {wm} and CSF {csf} sum to {sum:.4}")));
    }
    // A sum of 1 but for the rounding of its digits in memory is 1.
    let by = if off <= ROUNDING { 1.0 } else { sum };
    let remark = off > ROUNDED + ROUNDING;
    let remark = remark.then(|| format!("{file}: the fractions sum to {sum:.4} and were brought to 1"));
    Ok((Fractions { gm: gm / by, wm: wm / by, csf: csf / by }, remark))
}

/// Reads the fractions of a JSON file.
///
/// # Errors
/// [`TissueError`]: it cannot be read, or has no three shares that sum to 1.
pub fn given(path: &Path, shown_as: &str) -> Result<(Fractions, Option<String>), TissueError> {
    let unreadable = |reason: String| TissueError::Unreadable { file: shown_as.to_owned(), reason };
    let text = regular_file::text(path, MAX_BYTES).map_err(|e| unreadable(e.to_string()))?;
    // What does not parse may be anybody's text: only where it stops is told.
    let value: Value = serde_json::from_str(&text)
        .map_err(|e| unreadable(format!("no JSON from line {}, column {} on", e.line(), e.column())))?;
    let bad = |reason: String| TissueError::BadFractions { file: shown_as.to_owned(), reason };
    let share = |name: &str| {
        let mut of_name = value.as_object().into_iter().flatten().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (of_name.next(), of_name.next()) {
            (Some((_, value)), None) => value.as_f64().ok_or_else(|| bad(format!("{name} is no number"))),
            (Some(_), Some(_)) => Err(bad(format!("{name} is there twice"))),
            (None, _) => Err(bad(format!("{name} is not there"))),
        }
    };
    checked([share("GM")?, share("WM")?, share("CSF")?], shown_as)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn sums_near_one_are_brought_to_it_and_others_refused() {
        let of = |shares: [f64; 3]| checked(shares, "x").map(|(f, remark)| ([f.gm, f.wm, f.csf], remark.is_some()));
        assert_eq!(of([0.5, 0.3, 0.2]).unwrap(), ([0.5, 0.3, 0.2], false));
        let ([gm, wm, csf], told) = of([0.5, 0.3, 0.21]).unwrap();
        assert!(!told && (gm + wm + csf - 1.0).abs() < 1e-15 && (gm - 0.5 / 1.01).abs() < 1e-15);
        let ([gm, wm, csf], told) = of([0.5, 0.3, 0.12]).unwrap();
        assert!(told && (gm + wm + csf - 1.0).abs() < 1e-15 && (gm - 0.5 / 0.92).abs() < 1e-15);
        for wrong in
            [[0.4, 0.3, 0.1], [39.0, 56.0, 5.0], [0.52, 0.5, -0.02], [f64::NAN, 0.5, 0.5], [0.0; 3], [1.0, 1.0, 1.0]]
        {
            assert_eq!(of(wrong).unwrap_err().flag(), "bad_fractions", "{wrong:?}");
        }
    }

    #[test]
    fn json_is_read_by_its_keys() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("segmentation.json");
        let of = |text: &str| {
            std::fs::write(&path, text).unwrap();
            given(&path, "segmentation.json").map(|(f, _)| [f.gm, f.wm, f.csf])
        };
        assert_eq!(of(r#"{"csf": 0.2, "Gm": 0.5, "WM": 0.3, "voxel": "x"}"#).unwrap(), [0.5, 0.3, 0.2]);
        for wrong in [
            r#"{"GM": 0.5, "WM": 0.5}"#,
            r#"{"GM": "a", "WM": 0.5, "CSF": 0}"#,
            "[0.5, 0.3, 0.2]",
            r#"{"GM":0.5,"gm":0.5,"WM":0.5,"CSF":0}"#,
        ] {
            assert_eq!(of(wrong).unwrap_err().flag(), "bad_fractions", "{wrong}");
        }
        for wrong in ["", "{", "Doe^Jane"] {
            let error = of(wrong).unwrap_err();
            assert!(error.flag() == "segmentation_unreadable" && !error.to_string().contains("Doe"), "{error}");
        }
    }
}
