//! Siemens' protocol as text (`ASCCONV`), which every object holds somewhere: lines `name = value`; what is zero is not
//! written. Names and units are Siemens'; what they mean here was told from files with and without water suppression.

use crate::formats::geometry::siemens_axes;
use crate::formats::siemens_pulse;

const BEGIN: &[u8] = b"### ASCCONV BEGIN";
const END: &[u8] = b"### ASCCONV END";
/// Longer than any protocol.
const MOST_BYTES: usize = 1 << 20;
/// Pulses that are looked through.
const MOST_PULSES: usize = 64;
/// Values of `ucWaterSat`: pulses on; none; their gradients without their pulses.
const WATER_SUPPRESSED: f64 = 1.0;
const NOT_SUPPRESSED: [f64; 2] = [4.0, 64.0];

/// The lines of a protocol.
pub(super) struct Protocol<'a>(&'a [u8]);

impl<'a> Protocol<'a> {
    /// The first protocol in a file.
    pub(super) fn find(file: &'a [u8]) -> Option<Self> {
        let from = file.get(position(file, BEGIN)?..)?;
        let all = &from[..from.len().min(MOST_BYTES)];
        Some(Self(&all[..position(all, END).unwrap_or(all.len())]))
    }

    /// A value as text.
    fn text(&self, name: &str) -> Option<String> {
        let line = self.0.split(|&b| b == b'\n').find(|line| {
            line.starts_with(name.as_bytes()) && matches!(line.get(name.len()), Some(b' ' | b'\t' | b'='))
        })?;
        let value: String = line.get(name.len()..)?.iter().map(|&b| char::from(b)).collect();
        let value = value.trim_start().strip_prefix('=')?.trim().trim_matches('"').trim().to_owned();
        (!value.is_empty()).then(|| value.chars().take(80).collect())
    }

    /// A value as a number.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        let text = self.text(name)?;
        let number = match text.strip_prefix("0x") {
            Some(digits) => f64::from(u32::from_str_radix(digits, 16).ok()?),
            None => text.parse().ok()?,
        };
        Some(number).filter(|v: &f64| v.is_finite())
    }

    /// A value that is not written where it is zero.
    fn or_zero(&self, name: &str) -> Option<f64> {
        match self.text(name) {
            Some(_) => self.number(name),
            None => Some(0.0),
        }
    }

    /// Name of the sequence's file, without its folder.
    pub(super) fn sequence(&self) -> Option<String> {
        let path = self.text("tSequenceFileName")?;
        path.rsplit(['\\', '/']).next().map(str::to_owned).filter(|name| !name.is_empty())
    }

    /// Whether water references are measured with every spectrum, and stored as a series of their own.
    pub(super) fn has_references(&self) -> bool {
        self.number("sSpecPara.lAutoRefScanMode").is_some_and(|mode| mode > 1.0)
    }

    /// Whether water was suppressed: by the pulses named for it where the sequence lists them (its own setting may be off
    /// while the protocol's is on), else by the protocol's setting.
    pub(super) fn water_suppressed(&self) -> Option<bool> {
        let setting = self.number("sPrepPulses.ucWaterSat");
        if setting.is_some_and(|setting| NOT_SUPPRESSED.contains(&setting)) {
            return Some(false);
        }
        let is_named = |name: &str| name.to_lowercase().split('_').any(|word| word.starts_with("ws"));
        let pulse = |k: usize, what: &str| format!("sTXSPEC.aRFPULSE[{k}].{what}");
        let pulses: Vec<bool> = (0..MOST_PULSES)
            .filter(|k| self.text(&pulse(*k, "tName")).is_some_and(|name| is_named(&name)))
            .filter(|k| self.number(&pulse(*k, "bAmplitudeValid")) == Some(1.0))
            .map(|k| self.number(&pulse(k, "flAmplitude")).is_some_and(|volt| volt != 0.0))
            .collect();
        match pulses[..] {
            [] => (setting == Some(WATER_SUPPRESSED)).then_some(true),
            _ => Some(pulses.contains(&true)),
        }
    }

    /// Echo time (s), where a header states the time to the first of three refocused echoes alone: CMRR's `svs_slaser*_dkd`
    /// (spec2nii).
    pub(super) fn te_s(&self, stated_s: Option<f64>) -> Option<f64> {
        let sequence = self.sequence().unwrap_or_default().to_lowercase();
        let echoes = ["alTE[0]", "alTE[1]", "alTE[2]"].map(|name| self.number(name).filter(|us| *us > 0.0));
        let [Some(first), Some(second), Some(third)] = echoes else { return stated_s };
        let is_first = stated_s.is_some_and(|stated| (stated * 1e6 - first).abs() < 1.0);
        let is_known = sequence.contains("slaser") && sequence.contains("dkd");
        if is_known && is_first { Some((first + second + third) * 1e-6) } else { stated_s }
    }

    /// Time between two stored samples (s): without the oversampling, where that was taken out.
    pub(super) fn dwell_s(&self) -> Option<f64> {
        let read_s = self.number("sRXSPEC.alDwellTime[0]").filter(|ns| *ns > 0.0)? * 1e-9;
        let is_halved = self.number("sSpecPara.ucRemoveOversampling") == Some(1.0);
        Some(if is_halved { 2.0 * read_s } else { read_s })
    }

    /// Duration of the refocusing pulses (s), where their amplitude tells it.
    pub(super) fn refocus_s(&self) -> Option<f64> {
        siemens_pulse::refocus_s(&|name| self.text(name), &|name| self.number(name))
    }

    /// Points of a stored FID.
    pub(super) fn points(&self) -> Option<usize> {
        self.number("sSpecPara.lVectorSize").filter(|n| (1.0..1e6).contains(n)).map(|n| n as usize)
    }

    /// The voxel: its centre (mm, LPS), its extents (mm) along readout, phase and slice, and the directions of the first two.
    pub(super) fn voxel(&self) -> Option<Voxel> {
        let vector = |name: &str| -> Option<[f64; 3]> {
            Some([
                self.or_zero(&format!("sSpecPara.sVoI.{name}.dSag"))?,
                self.or_zero(&format!("sSpecPara.sVoI.{name}.dCor"))?,
                self.or_zero(&format!("sSpecPara.sVoI.{name}.dTra"))?,
            ])
        };
        let size = ["dReadoutFOV", "dPhaseFOV", "dThickness"]
            .map(|name| self.number(&format!("sSpecPara.sVoI.{name}")).filter(|mm| *mm > 0.0));
        let axes = siemens_axes(vector("sNormal")?, self.or_zero("sSpecPara.sVoI.dInPlaneRot")?)?;
        Some(Voxel { centre: vector("sPosition")?, size: [size[0]?, size[1]?, size[2]?], axes })
    }
}

/// A voxel as the protocol places it.
pub(super) struct Voxel {
    pub(super) centre: [f64; 3],
    pub(super) size: [f64; 3],
    pub(super) axes: ([f64; 3], [f64; 3]),
}

fn position(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suppressed(lines: &str) -> Option<bool> {
        let file =
            format!("else\n### ASCCONV BEGIN ###\n{lines}\n### ASCCONV END ###\nsPrepPulses.ucWaterSat = 0x40\n");
        Protocol::find(file.as_bytes()).and_then(|protocol| protocol.water_suppressed())
    }

    #[test]
    fn water_is_suppressed_where_its_pulses_have_an_amplitude() {
        let pulses = |amplitude: &str| {
            format!(
                "sTXSPEC.aRFPULSE[0].tName = \"\"rf_exc\"\"\nsTXSPEC.aRFPULSE[0].bAmplitudeValid = 0x1\n\
                 sTXSPEC.aRFPULSE[0].flAmplitude = 500\nsTXSPEC.aRFPULSE[1].tName\t = \t\"\"ss_rf_ws1\"\"\n\
                 sTXSPEC.aRFPULSE[1].bAmplitudeValid\t = \t0x1\n{amplitude}\nsPrepPulses.ucWaterSat = 0x1"
            )
        };
        assert_eq!(suppressed(&pulses("sTXSPEC.aRFPULSE[1].flAmplitude\t = \t30.7")), Some(true));
        assert_eq!(suppressed(&pulses("")), Some(false));
        assert_eq!(suppressed("sPrepPulses.ucWaterSat = 64"), Some(false));
        assert_eq!(suppressed("sPrepPulses.ucWaterSat   = 0x40"), Some(false));
        assert_eq!(suppressed("sPrepPulses.ucWaterSat = 0x1"), Some(true));
        // A pulse whose amplitude was never set says nothing; nor does another setting.
        assert_eq!(suppressed("sTXSPEC.aRFPULSE[0].tName = \"rf_ws\"\nsPrepPulses.ucWaterSat = 32"), None);
    }

    #[test]
    fn lines_are_found_by_their_whole_names() {
        let file = b"### ASCCONV BEGIN ###\nalTE[0]\t = \t9000\nalTE[1] = 11000\nalTE[2]=8000\nlAverages = 4\n\
            tSequenceFileName = \"%CustomerSeq%\\svs_slaserVOI_dkd2\"\nsRXSPEC.alDwellTime[0] = 250000\n\
            sSpecPara.ucRemoveOversampling = 0x1\n";
        let protocol = Protocol::find(file).unwrap_or(Protocol(&[]));
        assert_eq!((protocol.number("alTE[1]"), protocol.number("alTE")), (Some(11_000.0), None));
        assert_eq!(protocol.sequence().as_deref(), Some("svs_slaserVOI_dkd2"));
        assert!(protocol.te_s(Some(9e-3)).is_some_and(|te| (te - 28e-3).abs() < 1e-9));
        assert_eq!(protocol.te_s(Some(28e-3)), Some(28e-3));
        assert_eq!(protocol.dwell_s(), Some(5e-4));
        assert!(Protocol::find(b"no protocol").is_none());
    }
}
