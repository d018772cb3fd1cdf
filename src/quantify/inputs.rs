//! What the quantities of one spectrum depend on beside its fit and its basis set.

use super::Fractions;

/// Made once, where a file is loaded. `None`: not known; nothing stands in for it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inputs {
    /// Amplitude of the water reference at t = 0, in the data's units; `None` without a usable reference.
    pub water_amplitude: Option<f64>,
    /// Its standard deviation; where it is not known, no quantity counts it.
    pub water_amplitude_sd: Option<f64>,
    /// Echo time of the reference (s).
    pub water_te_s: Option<f64>,
    /// Repetition time of the reference (s).
    pub water_tr_s: Option<f64>,
    /// Echo time of the spectrum (s).
    pub te_s: Option<f64>,
    /// Repetition time of the spectrum (s).
    pub tr_s: Option<f64>,
    /// Mixing time of a stimulated echo (s), of spectrum and reference.
    pub tm_s: Option<f64>,
    /// Time from an inversion to the excitation (s), where a header states one.
    pub ti_s: Option<f64>,
    /// Flip angle of the excitation (°); 90° where it is not known.
    pub flip_angle_deg: Option<f64>,
    /// Field of the scanner (T).
    pub field_t: Option<f64>,
    /// Name of the sequence.
    pub sequence: Option<String>,
    /// Tissue in the voxel.
    pub fractions: Option<Fractions>,
    /// Share of the voxel that lies in the image of its tissue.
    pub share_in_image: Option<f64>,
    /// Standard deviation of the share of CSF, if somebody gives it.
    pub f_csf_sd: Option<f64>,
    /// Standard deviation of grey matter's part of the tissue, likewise.
    pub gm_ratio_sd: Option<f64>,
}

impl Inputs {
    /// Whether the header or the name says that magnetisation was inverted first.
    pub(super) fn is_inversion_recovery(&self) -> bool {
        let name = self.sequence.as_deref().unwrap_or_default().to_lowercase();
        self.ti_s.is_some_and(|ti_s| ti_s > 0.0)
            || name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "ir")
            || ["inversion", "invrec", "nulled"].iter().any(|part| name.contains(part))
    }

    /// Whether the name is that of a stimulated echo: STEAM, Siemens' svs_st, GE's PROBE-S.
    pub(super) fn is_stimulated_echo(&self) -> bool {
        self.names(&["steam", "svsst", "probes"])
    }

    /// Whether a mixing time belongs to the sequence: not where its name is that of spin echoes.
    pub(super) fn may_be_stimulated_echo(&self) -> bool {
        self.is_stimulated_echo()
            || !self.names(&["press", "laser", "special", "spinecho", "svsse", "csise", "probep", "mega"])
    }

    fn names(&self, parts: &[&str]) -> bool {
        let name = self.sequence.as_deref().unwrap_or_default().to_lowercase();
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        parts.iter().any(|part| plain.contains(part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_are_known_by_their_names() {
        let named = |name: &str| Inputs { sequence: Some(name.to_owned()), ..Inputs::default() };
        for name in ["STEAM", "svs_st", "PROBE-S", "eja_svs_steam"] {
            assert!(named(name).is_stimulated_echo() && named(name).may_be_stimulated_echo(), "{name}");
        }
        for name in ["PRESS", "svs_se", "sLASER", "MEGA-PRESS", "PROBE-P"] {
            assert!(!named(name).is_stimulated_echo() && !named(name).may_be_stimulated_echo(), "{name}");
        }
        assert!(named("own").may_be_stimulated_echo() && Inputs::default().may_be_stimulated_echo());
        for name in ["IR-PRESS", "svs_se_ir", "inversion_recovery", "press_metabolite_nulled"] {
            assert!(named(name).is_inversion_recovery(), "{name}");
        }
        assert!(Inputs { ti_s: Some(0.9), ..named("PRESS") }.is_inversion_recovery());
        for name in ["PRESS", "svs_circle", "FAIR", "mirror"] {
            assert!(!named(name).is_inversion_recovery(), "{name}");
        }
    }
}
