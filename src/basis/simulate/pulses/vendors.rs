//! Which pulses and which first echo a vendor's PRESS has, as data.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::{Grid, PulseSpec, Pulses, Shape, Shaped};
use crate::basis::simulate::SimulateError;

/// Whose pulses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Vendor {
    /// Ideal ones: of data that were simulated with them.
    Ideal,
    /// GE.
    Ge,
    /// Philips.
    Philips,
    /// Siemens.
    Siemens,
    /// A pulse between those of the three.
    Generic,
}

impl Vendor {
    /// Names as people write them, for messages.
    pub const NAMES: &'static str = "ideal, generic, GE, Philips, Siemens";

    /// All of them.
    pub const ALL: [Self; 5] = [Self::Ge, Self::Philips, Self::Siemens, Self::Generic, Self::Ideal];

    /// The name that [`Self::from_name`] knows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ideal => "ideal",
            Self::Ge => "GE",
            Self::Philips => "Philips",
            Self::Siemens => "Siemens",
            Self::Generic => "generic",
        }
    }

    /// Whose pulses `name` asks for.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.trim().to_lowercase().as_str() {
            "ideal" => Self::Ideal,
            "ge" => Self::Ge,
            "philips" => Self::Philips,
            "siemens" => Self::Siemens,
            "generic" => Self::Generic,
            _ => return None,
        })
    }
}

/// Where the pulses of a basis set are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Source {
    /// The header tells them.
    #[serde(rename = "header")]
    Header,
    /// A setting asks for them.
    #[serde(rename = "recipe")]
    Recipe,
    /// The spectra of the protocol speak for them.
    #[serde(rename = "learned")]
    Learned,
    /// What the vendor usually has.
    #[serde(rename = "vendor default")]
    VendorDefault,
    /// Nobody knows: what lies between the vendors.
    #[serde(rename = "generic")]
    Generic,
}

impl Source {
    /// The word for tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Header => "header",
            Self::Recipe => "recipe",
            Self::Learned => "learned",
            Self::VendorDefault => "vendor default",
            Self::Generic => "generic",
        }
    }
}

/// What is known of a measurement's pulses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Known {
    /// Whose pulses a setting, a manifest or the file asks for.
    pub asked: Option<Vendor>,
    /// Whose pulses the spectra of the protocol speak for; what somebody states goes before.
    pub learned: Option<Vendor>,
    /// The scanner's maker.
    pub vendor: Option<Vendor>,
    /// Duration of the refocusing pulses that the header tells (s).
    pub refocus_s: Option<f64>,
    /// First echo that is stated (s).
    pub te1_s: Option<f64>,
}

impl Known {
    /// Whether the header tells the pulses: Siemens' amplitudes do.
    fn header_tells(&self) -> bool {
        self.vendor == Some(Vendor::Siemens) && self.refocus_s.is_some()
    }

    /// Whether somebody or something states whose pulses there are, so that nothing need be assumed.
    pub fn is_stated(&self) -> bool {
        self.asked.is_some() || self.header_tells()
    }
}

/// The pulses and first echo of a PRESS.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The pulses.
    pub pulses: Pulses,
    /// Their name for tables.
    pub name: String,
    /// First echo (s).
    pub te1_s: f64,
    /// Where the pulses are from.
    pub source: Source,
    /// Whether the first echo was assumed.
    pub te1_assumed: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    /// Where the values are from; for readers of the file.
    #[serde(rename = "source")]
    _source: String,
    cosines: Vec<f64>,
    #[serde(default)]
    sines: Vec<f64>,
    duration_s: f64,
    bandwidth_times_duration: Option<f64>,
    te1_s: Option<f64>,
    te1_beyond_s: Option<f64>,
    edited_duration_s: Option<f64>,
    edited_te1_s: f64,
    slaser_sweep_hz: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    siemens: Entry,
    ge: Entry,
    philips: Entry,
    generic: Entry,
}

fn entry(vendor: Vendor) -> Result<Option<&'static Entry>, SimulateError> {
    static TABLE: LazyLock<Result<Table, String>> =
        LazyLock::new(|| toml::from_str(include_str!("vendors.toml")).map_err(|e| e.to_string()));
    let table = TABLE.as_ref().map_err(|reason| SimulateError::Library { reason: reason.clone() })?;
    Ok(match vendor {
        Vendor::Ideal => None,
        Vendor::Ge => Some(&table.ge),
        Vendor::Philips => Some(&table.philips),
        Vendor::Siemens => Some(&table.siemens),
        Vendor::Generic => Some(&table.generic),
    })
}

/// The refocusing pulses of a vendor's PRESS, played in `duration_s` where that is known; `None` for ideal ones.
///
/// # Errors
/// None with the table that the program was built with.
pub fn press(vendor: Vendor, duration_s: Option<f64>) -> Result<Option<Shaped>, SimulateError> {
    let Some(entry) = entry(vendor)? else { return Ok(None) };
    let duration_s = duration_s.unwrap_or(entry.duration_s);
    let refocus = PulseSpec {
        shape: Shape::Cosine { coefficients: entry.cosines.clone(), sines: entry.sines.clone() },
        duration_s,
        flip_deg: Some(180.0),
        peak_b1_hz: None,
        bandwidth_hz: entry.bandwidth_times_duration.map(|product| product / duration_s),
    };
    Ok(Some(Shaped {
        name: format!("{} {:.2} ms", entry.name, 1e3 * duration_s),
        refocus,
        excite: None,
        edit: Some(usual_edit(0.0)),
        carrier_ppm: 3.0,
        grid: Grid::default(),
        blocks: None,
    }))
}

/// Usual editing pulse of an echo time: a sinc under a Gaussian, 14 ms, 88 Hz between half inversions at TE 68 ms; 20 ms at
/// TE 80 ms (MRSCloud).
pub(in crate::basis::simulate) fn usual_edit(te_s: f64) -> PulseSpec {
    let shape = Shape::SincGauss { lobes: 1.0, truncation: 0.6 };
    let duration_s = if te_s < LONG_EDIT_FROM_S { 14e-3 } else { 20e-3 };
    PulseSpec { shape, duration_s, flip_deg: Some(180.0), peak_b1_hz: None, bandwidth_hz: None }
}

/// Echo time from which editing pulses are long (s).
const LONG_EDIT_FROM_S: f64 = 0.075;

/// First echo of an edited PRESS of ideal pulses, in parts of TE.
const IDEAL_EDITED_TE1: f64 = 0.2;

/// Above this frequency (MHz) pulses that nobody knows are taken as ideal. The table's are those of clinical scanners at 3 T;
/// scanners for animals have far shorter ones, and at 9.4 T the generic pulse would lose most of glutamate.
const CLINICAL_MHZ: f64 = 150.0;

/// Whose pulses are taken, and who says so.
pub(in crate::basis::simulate) fn whose(known: &Known, f0_mhz: f64) -> (Vendor, Source) {
    match (known.asked, known.learned, known.vendor) {
        (Some(asked), ..) => (asked, Source::Recipe),
        _ if known.header_tells() => (Vendor::Siemens, Source::Header),
        (None, Some(learned), _) => (learned, Source::Learned),
        (None, None, Some(vendor)) => (vendor, Source::VendorDefault),
        (None, None, None) if f0_mhz > CLINICAL_MHZ => (Vendor::Ideal, Source::Generic),
        (None, None, None) => (Vendor::Generic, Source::Generic),
    }
}

/// The sweep of a vendor's sLASER (Hz); `None` for ideal pulses.
pub(in crate::basis::simulate) fn semi_laser_sweep_hz(vendor: Vendor) -> Result<Option<f64>, SimulateError> {
    Ok(entry(vendor)?.map(|entry| entry.slaser_sweep_hz))
}

/// What is taken for a PRESS of `te_s` at `f0_mhz`, or for one with editing pulses.
///
/// # Errors
/// None with the table that the program was built with.
pub fn choose(known: &Known, te_s: f64, f0_mhz: f64, is_edited: bool) -> Result<Choice, SimulateError> {
    let (vendor, source) = whose(known, f0_mhz);
    let edited = entry(vendor)?.filter(|_| is_edited);
    let told_s = known.refocus_s.filter(|_| vendor == Vendor::Siemens);
    let duration_s = told_s.or(edited.and_then(|entry| entry.edited_duration_s));
    let usual_ideal_s = if is_edited { IDEAL_EDITED_TE1 } else { 0.5 } * te_s;
    let half = || (known.te1_s.unwrap_or(usual_ideal_s), known.te1_s.is_none());
    let (Some(entry), Some(shaped)) = (entry(vendor)?, press(vendor, duration_s)?) else {
        let (te1_s, te1_assumed) = half();
        return Ok(Choice { pulses: Pulses::Ideal, name: "ideal".to_owned(), te1_s, source, te1_assumed });
    };
    let duration_s = shaped.refocus.duration_s;
    let usual_s = entry.te1_s.unwrap_or_else(|| duration_s + entry.te1_beyond_s.unwrap_or_default());
    let usual_s = if is_edited { entry.edited_te1_s } else { usual_s };
    let fits = |te1_s: f64| te1_s >= duration_s && te_s - te1_s >= duration_s;
    let te1_s = known.te1_s.or(Some(usual_s).filter(|t| fits(*t))).or(Some(0.5 * te_s).filter(|t| fits(*t)));
    Ok(match te1_s {
        Some(te1_s) => Choice {
            name: shaped.name.clone(),
            pulses: Pulses::Shaped(Box::new(shaped)),
            te1_s,
            source,
            te1_assumed: known.te1_s.is_none(),
        },
        // An echo too short for the pulses: the scanner's are others.
        None => {
            let (te1_s, te1_assumed) = half();
            let name = format!("ideal ({} does not fit)", shaped.name);
            Choice { pulses: Pulses::Ideal, name, te1_s, source: Source::Generic, te1_assumed }
        }
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn the_vendor_and_the_header_decide_and_a_setting_goes_before_both() {
        let of = |known: Known, te_s: f64| choose(&known, te_s, 123.2, false).unwrap();
        let siemens = Known { vendor: Some(Vendor::Siemens), ..Known::default() };
        let told = of(Known { refocus_s: Some(5.2e-3), ..siemens }, 0.03);
        assert_eq!((told.source, told.te1_assumed), (Source::Header, true));
        assert!((told.te1_s - 17.2e-3).abs() < 1e-12 && told.name.contains("5.20 ms"), "{told:?}");
        assert_eq!(of(siemens, 0.03).source, Source::VendorDefault);
        // What was learned goes before what is usual, and after what somebody states.
        let learned = Known { learned: Some(Vendor::Ge), ..siemens };
        let taken = of(learned, 0.03);
        assert_eq!((taken.source, taken.te1_s, taken.te1_assumed), (Source::Learned, 14.85e-3, true));
        assert_eq!(of(Known { refocus_s: Some(5.2e-3), ..learned }, 0.03).source, Source::Header);
        assert_eq!(of(Known { asked: Some(Vendor::Philips), ..learned }, 0.03).source, Source::Recipe);
        let unknown = of(Known::default(), 0.03);
        assert_eq!((unknown.source, unknown.te1_s), (Source::Generic, 15.3e-3));
        let animals = choose(&Known::default(), 0.02, 400.3, false).unwrap();
        assert_eq!((animals.pulses, animals.source, animals.te1_s), (Pulses::Ideal, Source::Generic, 0.01));
        let asked = of(Known { asked: Some(Vendor::Ideal), te1_s: Some(0.011), ..siemens }, 0.035);
        assert_eq!((asked.pulses, asked.te1_s, asked.te1_assumed), (Pulses::Ideal, 0.011, false));
    }

    #[test]
    fn echoes_too_short_for_the_usual_timing_take_another_and_say_so() {
        let ge = Known { vendor: Some(Vendor::Ge), ..Known::default() };
        let short = choose(&ge, 0.018, 127.7, false).unwrap();
        assert_eq!((short.te1_s, short.source), (0.009, Source::VendorDefault));
        let shorter = choose(&ge, 0.008, 127.7, false).unwrap();
        assert_eq!((&shorter.pulses, shorter.source), (&Pulses::Ideal, Source::Generic));
        assert!(shorter.name.contains("does not fit"), "{}", shorter.name);
    }

    #[test]
    fn every_vendors_pulse_can_be_played() {
        for vendor in [Vendor::Ge, Vendor::Philips, Vendor::Siemens, Vendor::Generic] {
            let shaped = press(vendor, None).unwrap().unwrap();
            let pulse = super::super::Waveform::new(&shaped.refocus).unwrap();
            assert!(pulse.remaining_z(0.0) < -0.99, "{vendor:?}");
            assert!((900.0..1400.0).contains(&pulse.bandwidth_hz), "{vendor:?}: {}", pulse.bandwidth_hz);
            let edit = super::super::Waveform::new(&shaped.edit.unwrap()).unwrap();
            assert!((edit.bandwidth_hz - 88.0).abs() < 5.0, "{}", edit.bandwidth_hz);
        }
        assert!(Vendor::ALL.iter().all(|vendor| Vendor::from_name(vendor.name()) == Some(*vendor)));
        assert_eq!(Vendor::from_name(" Siemens "), Some(Vendor::Siemens));
        assert_eq!(Vendor::from_name("Hitachi"), None);
    }
}
