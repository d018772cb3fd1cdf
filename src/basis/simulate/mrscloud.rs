//! Sequences as MRSCloud describes them: JSON with vendor, localisation, echo time, intervals and the names of its pulses
//! (facts: MRSCloud's `load_parameters.m`; Hui SCN et al. Magn Reson Med 2022;88:1994).
//!
//! It names waveforms that vendors do not publish; their series in this program's table stand for them.

use serde::Deserialize;

use super::pulses::vendors::press;
use super::pulses::{Grid, PulseSpec, Shape, Vendor, Waveform};
use super::stated::Stated;

/// Times that are the same (ms).
const SAME_MS: f64 = 0.05;
/// Width of MRSCloud's field of view, in thicknesses of the slice.
const FOV_OVER_VOXEL: f64 = 1.5;
/// Starts of the names of refocusing pulses, in lower case without anything but letters and digits, and whose they are.
const KNOWN: [(&str, Vendor); 6] = [
    ("gerfa", Vendor::Ge),
    ("gtst1203", Vendor::Philips),
    ("univeddenrefo", Vendor::Philips),
    ("mao", Vendor::Siemens),
    ("origrefocmao", Vendor::Siemens),
    ("siemens", Vendor::Siemens),
];

#[derive(Debug, Deserialize)]
struct Document {
    vendor: String,
    localization: String,
    #[serde(rename = "TE")]
    te_ms: f64,
    #[serde(default)]
    taus: Vec<f64>,
    #[serde(default)]
    pulses: Waveforms,
    spatial_points: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
struct Waveforms {
    #[serde(rename = "ref")]
    refocus: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Named {
    name: String,
    /// ms
    duration: f64,
    /// Hz
    bandwidth: Option<f64>,
}

/// Whether a JSON text is of this kind.
pub(super) fn is_one(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Probe {
        localization: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Probe>(text).is_ok_and(|probe| probe.localization.is_some())
}

/// What such a file states, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Stated, String> {
    let document: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let name = document.vendor.trim().to_lowercase();
    // The sequence that Saleh 2019 made for all vendors.
    let vendor = if name.starts_with("universal") { Some(Vendor::Generic) } else { Vendor::from_name(&name) };
    let vendor =
        vendor.ok_or_else(|| format!("vendor = `{}` is none of Universal, {}", document.vendor, Vendor::NAMES))?;
    let te_ms = document.te_ms;
    if !(1.0..=800.0).contains(&te_ms) {
        return Err(format!("TE = {te_ms}; 1 to 800 ms is possible"));
    }
    let refocus = document.pulses.refocus.as_ref().map(|named| named.spec()).transpose()?;
    let points = document.spatial_points;
    let grid = points.map(|points| Grid { points, fov_over_voxel: FOV_OVER_VOXEL, ..Grid::default() });
    if let Some(fault) = grid.and_then(|grid| grid.fault()) {
        return Err(fault);
    }
    Ok(Stated {
        te1_s: document.te1_ms()?.map(|ms| 1e-3 * ms),
        sequence: Some(document.localization),
        vendor: Some(vendor),
        te_s: Some(1e-3 * te_ms),
        refocus,
        grid,
        ..Stated::default()
    })
}

impl Document {
    /// First echo: of two intervals the first, of three twice the first (between the middles of pulses).
    fn te1_ms(&self) -> Result<Option<f64>, String> {
        let (taus, te) = (&self.taus, self.te_ms);
        let sum: f64 = taus.iter().sum();
        match taus[..] {
            [] => Ok(None),
            _ if !taus.iter().all(|tau| *tau > 0.0) => Err(format!("taus = {taus:?}; all must be above 0")),
            _ if !sum.is_finite() || (sum - te).abs() > SAME_MS => {
                Err(format!("taus add up to {sum} ms and TE is {te} ms"))
            }
            [first, _] => Ok(Some(first)),
            [first, middle, _] if (middle - 0.5 * te).abs() <= SAME_MS => Ok(Some(2.0 * first)),
            [_, middle, _] => Err(format!("taus: the second is {middle} ms; between refocusing pulses it is TE/2")),
            // Of edited and sLASER sequences: their own timing is taken.
            _ => Ok(None),
        }
    }
}

impl Named {
    fn spec(&self) -> Result<PulseSpec, String> {
        let plain: String = self.name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        if !(0.1..=50.0).contains(&self.duration) {
            return Err(format!("pulses.ref.duration = {}; 0.1 to 50 ms is possible", self.duration));
        }
        let duration_s = 1e-3 * self.duration;
        if let Some(sweep_hz) = self.bandwidth.filter(|_| plain.contains("goia")) {
            let shape = Shape::GoiaWurst { b1_order: 16.0, gradient_order: 4.0, gradient_dip: 0.9, sweep_hz };
            return playable(PulseSpec { shape, duration_s, flip_deg: None, peak_b1_hz: None, bandwidth_hz: None });
        }
        let whose = KNOWN.iter().find(|(start, _)| plain.starts_with(start)).map(|(_, vendor)| *vendor);
        let unknown = || {
            format!(
                "pulses.ref.name = `{}` is not known; give the waveform in a .toml recipe (shape = \"file\")",
                self.name
            )
        };
        let shaped =
            press(whose.ok_or_else(unknown)?, Some(duration_s)).map_err(|e| e.to_string())?.ok_or_else(unknown)?;
        // The table's product of width and duration is the pulse's own: a width that the file states is for its own waveform.
        playable(PulseSpec { bandwidth_hz: self.bandwidth.or(shaped.refocus.bandwidth_hz), ..shaped.refocus })
    }
}

/// What cannot be played is told before anything is read.
fn playable(spec: PulseSpec) -> Result<PulseSpec, String> {
    Waveform::new(&spec).map(|_| spec).map_err(|e| format!("pulses.ref: {e}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn text(vendor: &str, taus: &str, name: &str) -> String {
        format!(
            r#"{{"vendor": "{vendor}", "localization": "PRESS", "TE": 35, "taus": {taus}, "spatial_points": 41,
                "pulses": {{"exc": {{"name": "x", "duration": 2, "bandwidth": 4000}},
                            "ref": {{"name": "{name}", "duration": 5.2, "bandwidth": 1110}}}}}}"#
        )
    }

    #[test]
    fn vendor_timing_and_pulses_are_taken() {
        for taus in ["[14.7, 20.3]", "[7.35, 17.5, 10.15]"] {
            let json = text("GE", taus, "GE_rfa_3.9ms.pta");
            assert!(is_one(&json) && !is_one("{\"B0\": 3.0}") && !is_one("["));
            let stated = parse(&json).unwrap();
            assert_eq!((stated.vendor, stated.te_s), (Some(Vendor::Ge), Some(0.035)));
            assert!((stated.te1_s.unwrap() - 0.0147).abs() < 1e-9);
            let refocus = stated.refocus.unwrap();
            assert_eq!((refocus.duration_s, refocus.bandwidth_hz), (1e-3 * 5.2, Some(1110.0)));
            assert_eq!(stated.grid.unwrap().points, 41);
        }
    }

    #[test]
    fn what_cannot_be_is_named() {
        let fault = |vendor: &str, taus: &str, name: &str| parse(&text(vendor, taus, name)).unwrap_err();
        assert!(fault("Hitachi", "[]", "mao").contains("Siemens"));
        assert!(fault("GE", "[14.7, 30]", "mao").contains("44.7 ms"));
        assert!(fault("GE", "[7.0, 10.0, 18.0]", "mao").contains("TE/2"));
        assert!(fault("GE", "[]", "my_own_pulse").contains("my_own_pulse"));
    }
}
