//! The protocol in a measurement's header.

use crate::acquisition::Facts;
use crate::formats::bytes::Bytes;
use crate::formats::geometry::{affine_from_lps, siemens_axes};

/// What the software of the XA line calls itself in the header's part `Dicom`.
const XA_SOFTWARE: &[u8] = b"syngo MR XA";

/// The protocol's lines `name = value` (`MeasYaps`), and whether software of the XA line wrote it.
pub(super) struct Protocol {
    text: String,
    pub(super) is_xa: bool,
}

impl Protocol {
    pub(super) fn text(&self, name: &str) -> Option<String> {
        let line = self.text.lines().find_map(|l| {
            let (key, value) = l.split_once('=')?;
            (key.trim() == name).then_some(value)
        })?;
        let value = line.trim().trim_matches('"').trim();
        (!value.is_empty()).then(|| value.chars().take(80).collect())
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0)
    }

    /// What it states; times are in microseconds but for the dwell time in nanoseconds.
    pub(super) fn facts(&self) -> Facts {
        Facts {
            dwell_s: self.number("sRXSPEC.alDwellTime[0]").map(|ns| ns * 1e-9),
            f0_mhz: self.number("sTXSPEC.asNucleusInfo[0].lFrequency").map(|hz| hz * 1e-6),
            te_s: self.number("alTE[0]").map(|us| us * 1e-6),
            tr_s: self.number("alTR[0]").map(|us| us * 1e-6),
            nucleus: self.text("sTXSPEC.asNucleusInfo[0].tNucleus"),
            sequence: self
                .text("tSequenceFileName")
                .map(|path| path.rsplit(['\\', '/']).next().unwrap_or_default().to_owned()),
            vendor: Some("Siemens".to_owned()),
            // CHESS; other values are of sequences' own.
            water_suppressed: (self.number("sPrepPulses.ucWaterSat") == Some(1.0)).then_some(true),
            ..Facts::default()
        }
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
    let mut protocol = None;
    let mut is_xa = false;
    for _ in 0..parts {
        let name_length = bytes.all().get(at..)?.iter().take(64).position(|&b| b == 0)?;
        let name = bytes.text(at, name_length + 1)?;
        let length = bytes.u32(at + name_length + 1)? as usize;
        at = at + name_length + 5;
        let content = bytes.all().get(at..at.checked_add(length)?)?;
        match name.as_str() {
            "MeasYaps" => protocol = Some(content.iter().map(|&b| char::from(b)).collect::<String>()),
            "Dicom" => is_xa = content.windows(XA_SOFTWARE.len()).any(|w| w == XA_SOFTWARE),
            _ => {}
        }
        at += length;
    }
    protocol.map(|text| Protocol { text, is_xa })
}
