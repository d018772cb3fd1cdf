//! The protocol in a measurement's header.

use std::collections::HashMap;

use crate::acquisition::{Facts, flip_angle_deg};
use crate::formats::bytes::Bytes;
use crate::formats::geometry::{affine_from_lps, siemens_axes};
use crate::formats::siemens_pulse;

/// What stands before the software's name in the header's part `Dicom`.
const SOFTWARE: &[u8] = b"syngo MR ";
/// No value that is asked for is longer.
const VALUE_CHARS: usize = 80;
/// Most transmit pulses that a protocol lists.
const PULSES: usize = 128;
/// Echo times that a protocol lists at most.
const ECHO_TIMES: usize = 16;
/// Transients that were asked for.
pub(super) const AVERAGES: &str = "lAverages";
/// Words in the names of pulses that suppress water (`rf_ws`, `ss_rf_ws0`).
const SUPPRESSION_PULSE: &str = "_ws";
/// `sPrepPulses.ucWaterSat`: saturation.
const SATURATION: f64 = 1.0;
/// `sPrepPulses.ucWaterSat`: none, and without pulses but with gradients.
const NO_SATURATION: [f64; 2] = [4.0, 64.0];
/// How sequences end that measure water alone.
const WATER_ENDINGS: [&str; 4] = ["_ref", "_wref", "_nws", "_nows"];

/// The protocol's lines `name = value` (`MeasYaps`), and which software wrote it.
pub(super) struct Protocol {
    /// Values by their names in lower case (`sWiPMemBlock` in VB, `sWipMemBlock` later); of several the first.
    values: HashMap<String, String>,
    /// Line of software: `VB`, `VD`, `VE`, `XA`; empty where the header does not say.
    pub(super) software: String,
}

impl Protocol {
    fn new(text: &str, software: String) -> Self {
        let mut values = HashMap::new();
        for (name, value) in text.lines().filter_map(|line| line.split_once('=')) {
            let value: String = value.trim().trim_matches('"').trim().chars().take(VALUE_CHARS).collect();
            if !value.is_empty() {
                values.entry(name.trim().to_lowercase()).or_insert(value);
            }
        }
        let mut protocol = Self { values, software };
        if protocol.software.is_empty() {
            // `N4_VB17A_LATEST_20090307`
            let baseline = protocol.text("sProtConsistencyInfo.tBaselineString").unwrap_or_default();
            let lines = ["VA", "VB", "VD", "VE", "XA"];
            let line = lines.into_iter().find(|line| baseline.contains(&format!("_{line}")));
            protocol.software = line.unwrap_or_default().to_owned();
        }
        protocol
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.values.get(&name.to_lowercase()).cloned()
    }

    /// A number, which may be written in hexadecimal digits.
    pub(super) fn stated(&self, name: &str) -> Option<f64> {
        let text = self.text(name)?;
        let hexadecimal = text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        hexadecimal.map(f64::from).or_else(|| text.parse().ok()).filter(|v: &f64| v.is_finite())
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.stated(name).filter(|v| *v > 0.0)
    }

    /// A number of things.
    pub(super) fn count(&self, name: &str) -> Option<usize> {
        self.number(name).filter(|n| n.fract() == 0.0 && *n <= f64::from(u32::MAX)).map(|n| n as usize)
    }

    /// What it states; times are in microseconds but for the dwell time in nanoseconds.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            dwell_s: self.number("sRXSPEC.alDwellTime[0]").map(|ns| ns * 1e-9),
            f0_mhz: self.number("sTXSPEC.asNucleusInfo[0].lFrequency").map(|hz| hz * 1e-6),
            te_s: self.number("alTE[0]").map(|us| us / 1e6),
            tr_s: self.number("alTR[0]").map(|us| us / 1e6),
            flip_angle_deg: self.number("adFlipAngleDegree[0]").and_then(flip_angle_deg),
            nucleus: self.text("sTXSPEC.asNucleusInfo[0].tNucleus"),
            sequence: self.sequence(),
            vendor: Some("Siemens".to_owned()),
            water_suppressed: self.water_suppressed(),
            refocus_s: siemens_pulse::refocus_s(&|name| self.text(name), &|name| self.number(name)),
            ..Facts::default()
        }
    }

    /// What to say where the header lists echo times behind the first one, and no row says what the sequence means by them.
    pub(super) fn further_echo_times(&self) -> Option<String> {
        let all_ms: Vec<f64> =
            (0..ECHO_TIMES).map_while(|i| self.number(&format!("alTE[{i}]"))).map(|us| us / 1e3).collect();
        let (first, sum) = (all_ms.first()?, all_ms.iter().sum::<f64>());
        let listed: Vec<String> = all_ms.iter().map(f64::to_string).collect();
        (all_ms.len() > 1).then(|| {
            format!(
                "the header lists echo times of {} ms, and no rule says what they are in this sequence: TE is uncertain; the first, \
                 {first} ms, was taken, and their sum is {sum} ms. State the echo time (`te_s` of a manifest)",
                listed.join(", ")
            )
        })
    }

    /// The sequence's name without its folder.
    pub(super) fn sequence(&self) -> Option<String> {
        self.text("tSequenceFileName").map(|path| path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned())
    }

    /// Whether water was suppressed: by the amplitudes of the pulses for that (a sequence that has them switched off keeps
    /// their names and `ucWaterSat`), else by the kind of saturation, else by the sequence's name.
    fn water_suppressed(&self) -> Option<bool> {
        let saturation = self.number("sPrepPulses.ucWaterSat");
        let by_saturation = saturation.and_then(|kind| match kind {
            _ if kind == SATURATION => Some(true),
            _ if NO_SATURATION.contains(&kind) => Some(false),
            // Sequences' own.
            _ => None,
        });
        match (self.suppression_pulses(), by_saturation) {
            (Some(false), _) => Some(false),
            // Pulses that are listed and a kind without pulses: nobody knows.
            (Some(true), Some(false)) => None,
            (Some(true), _) => by_saturation,
            (None, Some(by_saturation)) => Some(by_saturation),
            (None, None) => {
                let name = self.sequence()?.to_lowercase();
                WATER_ENDINGS.iter().any(|ending| name.ends_with(ending)).then_some(false)
            }
        }
    }

    /// Whether a pulse that suppresses water has an amplitude; `None` where none is listed.
    fn suppression_pulses(&self) -> Option<bool> {
        let named = |i: &usize| {
            let name = self.text(&format!("sTXSPEC.aRFPULSE[{i}].tName"));
            name.is_some_and(|name| name.to_lowercase().contains(SUPPRESSION_PULSE))
        };
        let pulses: Vec<usize> = (0..PULSES).filter(named).collect();
        let has_amplitude = |i: &usize| self.number(&format!("sTXSPEC.aRFPULSE[{i}].flAmplitude")).is_some();
        (!pulses.is_empty()).then(|| pulses.iter().any(has_amplitude))
    }

    /// The voxel in space: centre, normal and rotation about it; what is zero is not written. The table may have moved.
    pub(super) fn affine(&self) -> Option<[[f64; 4]; 4]> {
        let signed = |name: &str| self.text(name).map_or(Some(0.0), |v| v.parse().ok()).filter(|v: &f64| v.is_finite());
        let vector = |name: &str| -> Option<[f64; 3]> {
            Some([signed(&format!("{name}.dSag"))?, signed(&format!("{name}.dCor"))?, signed(&format!("{name}.dTra"))?])
        };
        let size = ["dReadoutFOV", "dPhaseFOV", "dThickness"].map(|n| self.number(&format!("sSpecPara.sVoI.{n}")));
        let size = [size[0]?, size[1]?, size[2]?];
        let (normal, centre) = (vector("sSpecPara.sVoI.sNormal")?, vector("sSpecPara.sVoI.sPosition")?);
        let table = [signed("lScanRegionPosSag")?, signed("lScanRegionPosCor")?, signed("lScanRegionPosTra")?];
        let (read, phase) = siemens_axes(normal, signed("sSpecPara.sVoI.dInPlaneRot")?)?;
        Some(affine_from_lps(read, phase, [0, 1, 2].map(|k| centre[k] + table[k]), size))
    }
}

pub(super) fn protocol(bytes: &Bytes<'_>, start: usize) -> Option<Protocol> {
    let parts = bytes.u32(start.checked_add(4)?)?.min(32);
    let mut at = start + 8;
    let mut text: Option<String> = None;
    let mut software = String::new();
    for _ in 0..parts {
        let name_length = bytes.all().get(at..)?.iter().take(64).position(|&b| b == 0)?;
        let name = bytes.text(at, name_length + 1)?;
        let length = bytes.u32(at + name_length + 1)? as usize;
        at = at + name_length + 5;
        let content = bytes.all().get(at..at.checked_add(length)?)?;
        match name.as_str() {
            "MeasYaps" => text = Some(content.iter().map(|&b| char::from(b)).collect::<String>()),
            "Dicom" => software = software_line(content).unwrap_or_default(),
            _ => {}
        }
        at += length;
    }
    text.map(|text| Protocol::new(&text, software))
}

/// The line of software that wrote the header: `syngo MR B17`, `syngo MR E11`, `syngo MR XA30`.
fn software_line(dicom: &[u8]) -> Option<String> {
    let at = dicom.windows(SOFTWARE.len()).position(|w| w == SOFTWARE)? + SOFTWARE.len();
    let letters: String =
        dicom.get(at..)?.iter().take(3).take_while(|b| b.is_ascii_uppercase()).map(|&b| char::from(b)).collect();
    match letters.len() {
        1 => Some(format!("V{letters}")),
        2 => Some(letters),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suppressed(text: &str) -> Option<bool> {
        Protocol::new(text, String::new()).facts().water_suppressed
    }

    #[test]
    fn water_suppression_by_pulses_saturation_and_name() {
        let pulses = |amplitude: &str| {
            format!(
                "sPrepPulses.ucWaterSat = 0x1\nsTXSPEC.aRFPULSE[3].tName = \"ss_rf_ws1\"\n{amplitude}\
                 sTXSPEC.aRFPULSE[4].tName = \"rf_sat_ro_m\"\nsTXSPEC.aRFPULSE[4].flAmplitude = 541.33\n"
            )
        };
        assert_eq!(suppressed(&pulses("sTXSPEC.aRFPULSE[3].flAmplitude = 30.7\n")), Some(true));
        assert_eq!(suppressed(&pulses("")), Some(false));
        assert_eq!(suppressed("sPrepPulses.ucWaterSat = 1\n"), Some(true));
        assert_eq!(suppressed("sPrepPulses.ucWaterSat = 0x40\n"), Some(false));
        assert_eq!(suppressed("sPrepPulses.ucWaterSat = 0x10\n"), None);
        assert_eq!(suppressed("tSequenceFileName = \"%SiemensSeq%\\svs_se_ref\"\n"), Some(false));
        assert_eq!(suppressed("tSequenceFileName = \"%SiemensSeq%\\svs_se\"\n"), None);
    }

    #[test]
    fn lines_of_software() {
        let line = |text: &str| software_line(text.as_bytes());
        for (text, expected) in [
            ("\"syngo MR B17\"", Some("VB")),
            ("\"syngo MR E11\"", Some("VE")),
            ("\"syngo MR XA30\"", Some("XA")),
            ("\"syngo MR 2004A\"", None),
            ("syngo MR ", None),
            ("", None),
        ] {
            assert_eq!(line(text).as_deref(), expected, "{text}");
        }
    }
}
