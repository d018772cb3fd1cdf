//! What a simulated basis set is made from, and how much of it a file's header says.

use serde::Serialize;

use super::pulses::vendors::{self, Known, Source, Vendor};
use super::{BRAIN_METABOLITES, LINEWIDTH_HZ, Library, Pulses, Sequence, SetCache, SimulateError, TimeGrid, basis_set_kept};
use crate::acquisition::Facts;
use crate::basis::BasisSet;
use crate::basis::check::Protocol;

/// Everything that a simulated basis set depends on, beside the spin systems.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Sequence and its times.
    pub sequence: Sequence,
    /// Its pulses.
    pub pulses: Pulses,
    /// Their name.
    pub pulse_name: String,
    /// Where they are from.
    pub pulse_source: Source,
    /// Spectrometer frequency (MHz).
    pub f0_mhz: f64,
    /// Time between two samples (s).
    pub dwell_s: f64,
    /// Number of samples.
    pub n_points: usize,
    /// Lorentzian width (FWHM, Hz).
    pub linewidth_hz: f64,
    /// Members.
    pub metabolites: Vec<String>,
    /// What the header does not say and was taken as usual.
    pub assumed: Vec<String>,
}

/// Times and pulses that headers seldom hold; a configuration or manifest states them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Timing {
    /// Pulses and first echo of PRESS.
    pub known: Known,
    /// Pulses that are asked for and that nobody knows.
    pub unknown_pulses: Option<String>,
    /// Mixing time of STEAM (s).
    pub tm_s: Option<f64>,
}

impl Timing {
    /// What is stated, in header, manifest or configuration.
    pub fn of(facts: &Facts) -> Self {
        let asked = facts.pulses.as_deref().and_then(Vendor::from_name);
        let vendor = facts.vendor.as_deref().and_then(Vendor::from_name);
        Self {
            known: Known { asked, vendor, refocus_s: facts.refocus_s, te1_s: facts.te1_s },
            unknown_pulses: facts.pulses.clone().filter(|_| asked.is_none()),
            tm_s: facts.tm_s,
        }
    }
}

/// A header does not say enough for a simulation.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no basis set, and none can be simulated: {}; state it in the manifest or with --config, or give --basis", missing.join(", "))]
pub struct HeaderGaps {
    /// The fields that are missing or cannot be used, each with its column name.
    pub missing: Vec<String>,
}

/// Steps in which frequencies share a basis set (MHz). Couplings in ppm change by 1e-4 of themselves between two
/// of them, and shifts are brought to the data's own frequency.
const F0_STEP_MHZ: f64 = 0.01;

impl Recipe {
    /// The recipe for data of `protocol`.
    ///
    /// # Errors
    /// [`HeaderGaps`] with every field that is missing or cannot be used.
    pub fn from_protocol(protocol: &Protocol, timing: &Timing) -> Result<Self, HeaderGaps> {
        let mut missing = Vec::new();
        let mut need = |name: &str, value: Option<f64>| {
            value.filter(|v| v.is_finite() && *v > 0.0).unwrap_or_else(|| {
                missing.push(name.to_owned());
                1.0
            })
        };
        let te_s = need("te_s", protocol.te_s);
        let f0_mhz = need("f0_mhz", protocol.f0_mhz);
        let dwell_s = need("dwell_s", protocol.dwell_s);
        let n_points = protocol.n_points.unwrap_or(0);
        let mut assumed = Vec::new();
        let (mut pulses, mut pulse_name, mut pulse_source) = (Pulses::Ideal, "ideal".to_owned(), Source::Generic);
        if timing.known.asked == Some(Vendor::Ideal) {
            pulse_source = Source::Recipe;
        }
        let sequence = match kind(protocol.sequence.as_deref()) {
            Ok(Kind::Press) => {
                let vendor = timing.known.vendor.filter(|v| *v != Vendor::Siemens || is_siemens_own(protocol));
                let choice = vendors::choose(&Known { vendor, ..timing.known }, te_s, f0_mhz)
                    .map_err(|e| HeaderGaps { missing: vec![e.to_string()] })?;
                if choice.te1_assumed {
                    assumed.push(format!("te1_s = {:.5}", choice.te1_s));
                }
                (pulses, pulse_name, pulse_source) = (choice.pulses, choice.name, choice.source);
                let te1_s = choice.te1_s;
                Some(Sequence::Press { te_s, te1_s, te2_s: te_s - te1_s })
            }
            Ok(Kind::Steam) => Some(Sequence::Steam { te_s, tm_s: need("tm_s (mixing time of STEAM)", timing.tm_s) }),
            Ok(Kind::SemiLaser) => Some(Sequence::SemiLaser { te_s }),
            Ok(Kind::Special) => Some(Sequence::Special { te_s }),
            Ok(Kind::SpinEcho) => Some(Sequence::SpinEcho { te_s }),
            Err(what) => {
                missing.push(what);
                None
            }
        };
        if let Some(unknown) = &timing.unknown_pulses {
            missing.push(format!("pulses (`{unknown}` is none of {})", Vendor::NAMES));
        }
        match sequence {
            Some(sequence) if missing.is_empty() => Ok(Self {
                sequence,
                pulses,
                pulse_name,
                pulse_source,
                f0_mhz: (f0_mhz / F0_STEP_MHZ).round() * F0_STEP_MHZ,
                dwell_s,
                n_points,
                linewidth_hz: LINEWIDTH_HZ,
                metabolites: BRAIN_METABOLITES.map(str::to_owned).to_vec(),
                assumed,
            }),
            _ => Err(HeaderGaps { missing }),
        }
    }

    /// Simulates the basis set, or takes it from the user's cache.
    ///
    /// # Errors
    /// As [`super::basis_set_with`].
    pub fn basis_set(&self) -> Result<BasisSet, SimulateError> {
        let names: Vec<&str> = self.metabolites.iter().map(String::as_str).collect();
        let (f0, dwell) = (self.f0_mhz, self.dwell_s);
        let time = TimeGrid { f0_mhz: f0, dwell_s: dwell, n_points: self.n_points, linewidth_hz: self.linewidth_hz };
        let mut set = basis_set_kept(
            Library::built_in()?,
            &names,
            &self.sequence,
            &self.pulses,
            time,
            SetCache::of_user().as_ref(),
        )?;
        set.remarks.extend(self.assumed.iter().map(|a| format!("assumed {a}")));
        Ok(set)
    }
}

enum Kind {
    Press,
    Steam,
    SemiLaser,
    Special,
    SpinEcho,
}

/// Whether a PRESS of Siemens may be the vendor's own, `svs_se`. Others' for the same scanners (`eja_svs_press` …) play pulses
/// of their own.
fn is_siemens_own(protocol: &Protocol) -> bool {
    let name = protocol.sequence.as_deref().unwrap_or_default().to_lowercase();
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    ["svsse", "csise"].iter().any(|own| plain.contains(own)) || plain == "press"
}

/// The sequence that vendors mean by a name: Siemens' svs_se and svs_st (csi_se and csi_st of a grid), GE's PROBE-P and PROBE-S, and what
/// people write.
fn kind(name: Option<&str>) -> Result<Kind, String> {
    let Some(name) = name.filter(|n| !n.trim().is_empty()) else {
        return Err("sequence".to_owned());
    };
    let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let has = |parts: &[&str]| parts.iter().any(|part| plain.contains(part));
    if has(&["mega", "svsedit", "hermes", "hercules", "edit"]) {
        return Err(format!("sequence (`{name}` is edited: which spins its pulses turn no header says)"));
    }
    if has(&["slaser", "semilaser"]) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    fn protocol(sequence: Option<&str>) -> Protocol {
        Protocol {
            f0_mhz: Some(123.2534),
            te_s: Some(0.03),
            sequence: sequence.map(str::to_owned),
            dwell_s: Some(5e-4),
            n_points: Some(1024),
        }
    }

    #[test]
    fn a_sequence_of_others_on_a_vendors_scanner_has_not_the_vendors_pulses() {
        let siemens = Timing::of(&Facts { vendor: Some("Siemens".into()), ..Facts::default() });
        let source = |name| Recipe::from_protocol(&protocol(Some(name)), &siemens).unwrap().pulse_source;
        for own in ["svs_se", "%SiemensSeq%\\svs_se", "*svs_se_35", "PRESS"] {
            assert_eq!(source(own), Source::VendorDefault, "{own}");
        }
        assert_eq!(source("%CustomerSeq%\\eja_svs_press"), Source::Generic);
        let philips = Timing::of(&Facts { vendor: Some("Philips".into()), ..Facts::default() });
        let of_philips = Recipe::from_protocol(&protocol(Some("PRESS_35")), &philips).unwrap();
        assert_eq!(of_philips.pulse_source, Source::VendorDefault);
    }

    #[test]
    fn vendors_names_are_known() {
        for (name, expected) in [
            ("svs_se", "PRESS"),
            ("csi_se", "PRESS"),
            ("PROBE-P", "PRESS"),
            ("eja_svs_press", "PRESS"),
            ("PRESS", "PRESS"),
            ("svs_slaser_dkd", "sLASER"),
            ("semi-LASER", "sLASER"),
            ("SPECIAL", "SPECIAL"),
        ] {
            let recipe = Recipe::from_protocol(&protocol(Some(name)), &Timing::default()).unwrap();
            assert_eq!(recipe.sequence.name(), expected, "{name}");
            assert!((recipe.f0_mhz - 123.25).abs() < 1e-9);
        }
        let timing = Timing { tm_s: Some(0.01), ..Timing::default() };
        for name in ["svs_st", "STEAM", "PROBE-S"] {
            let recipe = Recipe::from_protocol(&protocol(Some(name)), &timing).unwrap();
            assert_eq!(recipe.sequence.name(), "STEAM", "{name}");
        }
    }

    #[test]
    fn the_vendor_decides_about_pulses_and_first_echo() {
        let facts = |vendor: &str| Facts { vendor: Some(vendor.to_owned()), ..Facts::default() };
        let recipe = |facts: &Facts| Recipe::from_protocol(&protocol(Some("PRESS")), &Timing::of(facts));
        let siemens = recipe(&Facts { refocus_s: Some(5.6e-3), ..facts("Siemens") }).unwrap();
        assert_eq!((siemens.pulse_source, siemens.assumed.len()), (Source::Header, 1));
        assert!(matches!(siemens.sequence, Sequence::Press { te1_s, .. } if (te1_s - 17.6e-3).abs() < 1e-12));
        assert_eq!(recipe(&facts("Bruker")).unwrap().pulse_source, Source::Generic);
        let ideal = recipe(&Facts { pulses: Some("ideal".to_owned()), ..facts("GE") }).unwrap();
        assert_eq!((ideal.pulses, ideal.pulse_source), (Pulses::Ideal, Source::Recipe));
        let wrong = recipe(&Facts { pulses: Some("Hitachi".to_owned()), ..facts("GE") }).unwrap_err().to_string();
        assert!(wrong.contains("Hitachi") && wrong.contains("Philips"), "{wrong}");
    }

    #[test]
    fn every_missing_field_is_named() {
        let bare = Protocol { te_s: None, f0_mhz: Some(f64::NAN), ..protocol(None) };
        let message = Recipe::from_protocol(&bare, &Timing::default()).unwrap_err().to_string();
        for field in ["te_s", "f0_mhz", "sequence"] {
            assert!(message.contains(field), "{message}");
        }
        let steam = Recipe::from_protocol(&protocol(Some("STEAM")), &Timing::default()).unwrap_err();
        assert!(steam.to_string().contains("tm_s"), "{steam}");
        let edited = Recipe::from_protocol(&protocol(Some("MEGA-PRESS")), &Timing::default()).unwrap_err();
        assert!(edited.to_string().contains("edited"), "{edited}");
    }
}
