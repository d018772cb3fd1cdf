//! What kind of sequence a name means.

/// Names of sequences that sets are simulated for, as people write them.
#[cfg(feature = "cli")]
pub(crate) const SEQUENCE_NAMES: [&str; 7] =
    ["PRESS", "STEAM", "sLASER", "SPECIAL", "spin-echo", "MEGA-PRESS", "MEGA-sLASER"];

/// A kind of sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Press,
    Steam,
    SemiLaser,
    Special,
    SpinEcho,
    MegaPress,
    MegaSemiLaser,
}

impl Kind {
    /// Whether its name says that it is edited.
    pub(super) fn is_edited(self) -> bool {
        matches!(self, Self::MegaPress | Self::MegaSemiLaser)
    }

    /// The same without editing.
    pub(super) fn unedited(self) -> Self {
        match self {
            Self::MegaPress => Self::Press,
            Self::MegaSemiLaser => Self::SemiLaser,
            other => other,
        }
    }
}

/// Whether a PRESS of Siemens may be the vendor's own, `svs_se`. Others' for the same scanners (`eja_svs_press` …) play pulses
/// of their own.
pub(super) fn is_siemens_own(sequence: Option<&str>) -> bool {
    let name = sequence.unwrap_or_default().to_lowercase();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    ["svsse", "csise"].iter().any(|own| plain.contains(own)) || plain == "press"
}

/// The sequence that vendors mean by a name: Siemens' svs_se and svs_st (csi_se and csi_st of a grid), GE's PROBE-P and PROBE-S, and what
/// people write.
pub(super) fn kind(name: Option<&str>) -> Result<Kind, String> {
    let Some(name) = name.filter(|n| !n.trim().is_empty()) else {
        return Err("sequence".to_owned());
    };
    let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let has = |parts: &[&str]| parts.iter().any(|part| plain.contains(part));
    let is_semi_laser = has(&["slaser", "semilaser"]);
    if has(&["mega", "svsedit", "hermes", "hercules", "svsherc", "edit"]) && !plain.contains("unedited") {
        return match (is_semi_laser, has(&["special", "steam"])) {
            (true, _) => Ok(Kind::MegaSemiLaser),
            (false, false) => Ok(Kind::MegaPress),
            (false, true) => {
                Err(format!("sequence (no editing with `{name}` can be simulated: PRESS and sLASER alone)"))
            }
        };
    }
    if is_semi_laser {
        Ok(Kind::SemiLaser)
    } else if has(&["steam", "svsst", "csist", "probes"]) {
        Ok(Kind::Steam)
    } else if has(&["special"]) {
        Ok(Kind::Special)
    } else if has(&["press", "svsse", "csise", "probep"]) {
        Ok(Kind::Press)
    } else if has(&["spinecho"]) {
        Ok(Kind::SpinEcho)
    } else {
        Err(format!("sequence (`{name}` is none of PRESS, STEAM, sLASER, SPECIAL, spin-echo)"))
    }
}

/// Why no set can be simulated of a sequence of that name; `None` where one can.
#[cfg(feature = "cli")]
pub(crate) fn sequence_fault(name: &str) -> Option<String> {
    let fault = kind(Some(name)).err()?;
    let inner = fault.strip_prefix("sequence (").and_then(|rest| rest.strip_suffix(')'));
    Some(inner.map_or_else(|| fault.clone(), str::to_owned))
}
