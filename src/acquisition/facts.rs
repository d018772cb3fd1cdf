//! What a header states about a measurement: one struct for readers, manifests, sidecars and the configuration.

use serde::{Deserialize, Serialize};

use super::{named_editing, spelling};
use crate::printable::printable_label;

/// One of the facts that are numbers, as a column or an entry of a form has it.
#[derive(Debug, Clone, Copy)]
pub struct Number {
    /// Its name, with the unit.
    pub name: &'static str,
    /// Below this it is stated in another unit.
    pub least: f64,
    /// Above this it is stated in another unit: no echo time is 5 s long, no dwell time 0.1 s.
    pub most: f64,
    /// What most scans have: what a value in another unit is taken for.
    pub usual: (f64, f64),
    /// The field itself.
    pub of: fn(&mut Facts) -> &mut Option<f64>,
}

/// A nucleus by its name; what else stands in the field is somebody's own text, and no proton.
fn named_nucleus(text: String) -> String {
    let name = text.trim();
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let letters = name.bytes().filter(u8::is_ascii_alphabetic).count();
    // `31P`, `C13`, `Na23`.
    let is_isotope = digits + letters == name.len() && (1..=3).contains(&digits) && (1..=2).contains(&letters);
    if is_isotope || ["", "H", "PROTON"].contains(&name.to_ascii_uppercase().as_str()) {
        text
    } else {
        "other".to_owned()
    }
}

impl Facts {
    /// Whether both state a nucleus, and another one. `1H`, `H1` and `Proton` are one.
    pub(crate) fn has_other_nucleus(&self, other: &Self) -> bool {
        let letters = |facts: &Self| -> Option<Vec<char>> {
            let text = facts.nucleus.as_ref()?.to_ascii_uppercase();
            let mut letters: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
            letters.sort_unstable();
            let is_proton = text.trim() == "PROTON" || letters == ['H'];
            (!letters.is_empty()).then(|| if is_proton { vec!['1', 'H'] } else { letters })
        };
        letters(self).zip(letters(other)).is_some_and(|(own, other)| own != other)
    }
}

/// Declares the facts once: the struct, [`Facts::or`] and [`Facts::NUMBERS`] follow.
macro_rules! facts {
    (
        texts { $($(#[$text_doc:meta])* $text:ident,)* }
        numbers { $($(#[$number_doc:meta])* $number:ident from $least:literal up to $most:literal, usual $low:literal, $high:literal,)* }
        of_files { $($(#[$own_doc:meta])* $own:ident: $own_type:ty,)* }
    ) => {
        /// What is known about a measurement apart from its samples. `None`: not stated; nobody fills in a default.
        ///
        /// As the table `gaps` of a configuration it holds what files do not state; vendor, nucleus and what was done
        /// on the scanner only files state.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Facts {
            $($(#[$text_doc])* pub $text: Option<String>,)*
            $($(#[$number_doc])* pub $number: Option<f64>,)*
            $($(#[$own_doc])* #[serde(skip)] pub $own: Option<$own_type>,)*
        }

        impl Facts {
            /// The facts that are numbers.
            pub const NUMBERS: &'static [Number] = &[
                $(Number {
                    name: stringify!($number),
                    least: $least,
                    most: $most,
                    usual: ($low, $high),
                    of: |facts| &mut facts.$number,
                },)*
            ];

            /// These facts, and `other`'s where these have none.
            #[must_use]
            pub fn or(self, other: Self) -> Self {
                Self {
                    $($text: self.$text.or(other.$text),)*
                    $($number: self.$number.or(other.$number),)*
                    $($own: self.$own.or(other.$own),)*
                }
            }

            /// Takes out of the texts what does not show, cuts them, and spells vendors and sequences as everybody's.
            pub(crate) fn make_printable(&mut self) {
                self.sequence = self.sequence.take().map(|name| spelling::sequence(&name)).filter(|name| !name.is_empty());
                self.vendor = self.vendor.take().map(|name| spelling::vendor(&name)).filter(|name| !name.is_empty());
                $(self.$text = printable_label(self.$text.take());)*
                self.nucleus = self.nucleus.take().map(named_nucleus);
                self.vendor = printable_label(self.vendor.take());
            }
        }
    };
}

facts! {
    texts {
        /// Sequence name: the vendor's, or PRESS, STEAM, sLASER, SPECIAL, spin-echo.
        sequence,
        /// Pulses that a simulated basis set is to have: `ideal`, `generic`, or a vendor whose pulses they are.
        pulses,
    }
    numbers {
        /// Echo time (s).
        te_s from 1e-4 up to 0.8, usual 1e-3, 0.6,
        /// Repetition time (s).
        tr_s from 5e-3 up to 100.0, usual 0.05, 30.0,
        /// First echo of PRESS (s).
        te1_s from 5e-5 up to 0.8, usual 1e-3, 0.5,
        /// Mixing time of a stimulated echo (s).
        tm_s from 5e-4 up to 3.0, usual 1e-3, 2.0,
        /// Spectrometer frequency (MHz).
        f0_mhz from 2.0 up to 1300.0, usual 2.0, 1300.0,
        /// Time between two samples (s).
        dwell_s from 1e-6 up to 0.01, usual 2e-5, 1.5e-3,
    }
    of_files {
        /// Resonant nucleus as the file writes it (`"1H"`).
        nucleus: String,
        /// Scanner manufacturer.
        vendor: String,
        /// Duration of the refocusing pulses (s), where amplitudes in the header tell it.
        refocus_s: f64,
        /// Flip angle of the excitation (°).
        flip_angle_deg: f64,
        /// Time from an inversion to the excitation (s), where there is an inversion.
        ti_s: f64,
        /// Whether water was suppressed.
        water_suppressed: bool,
        /// Number of transients that the scanner had averaged already into each stored one.
        averages_on_scanner: usize,
        /// Whether the sequence is known by a word in a name that somebody gave alone.
        sequence_from_name: bool,
        /// Whether the echo time is known by such a name alone.
        te_from_name: bool,
    }
}

impl Facts {
    /// What names alone say gives way to what the options of a run state; that a scan is edited does only to what says so, too.
    pub(crate) fn giving_way_to(mut self, gaps: &Self, remarks: &mut Vec<String>) -> Self {
        let is_edited = |name: &str| named_editing(name).is_some();
        if self.sequence_from_name == Some(true)
            && let (Some(named), Some(stated)) = (&self.sequence, &gaps.sequence)
            && (is_edited(stated) || !is_edited(named))
        {
            if !spelling::sequence(stated).eq_ignore_ascii_case(&spelling::sequence(named)) {
                remarks.push(format!("the sequence is {stated}, as stated, not {named}, as a name says"));
            }
            self.sequence = None;
        }
        if self.te_from_name == Some(true)
            && let (Some(named_s), Some(stated_s)) = (self.te_s, gaps.te_s)
        {
            if (named_s - stated_s).abs() > 1e-6 {
                let [stated_ms, named_ms] = [stated_s, named_s].map(|s| s * 1e3);
                remarks.push(format!("TE is {stated_ms:.1} ms, as stated, not {named_ms:.1} ms, as a name says"));
            }
            self.te_s = None;
        }
        self
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn what_is_stated_first_holds() {
        let first = Facts { te_s: Some(0.03), vendor: Some("GE".into()), ..Facts::default() };
        let second = Facts { te_s: Some(0.035), tr_s: Some(2.0), vendor: Some("Philips".into()), ..Facts::default() };
        let both = first.or(second);
        assert_eq!((both.te_s, both.tr_s, both.vendor.as_deref()), (Some(0.03), Some(2.0), Some("GE")));
        assert_eq!(both.clone().or(Facts::default()), both);
        assert_eq!(Facts::default().or(both.clone()), both);
    }

    #[test]
    fn names_give_way_to_what_is_stated() {
        let by_name = |sequence: &str| Facts {
            sequence: Some(sequence.to_owned()),
            te_s: Some(0.035),
            sequence_from_name: Some(true),
            te_from_name: Some(true),
            ..Facts::default()
        };
        let kept = |named: &Facts, stated: &str, te_s: Option<f64>| {
            let gaps = Facts { sequence: Some(stated.to_owned()), te_s, ..Facts::default() };
            let mut remarks = Vec::new();
            let facts = named.clone().giving_way_to(&gaps, &mut remarks).or(gaps);
            (facts.sequence.unwrap_or_default(), facts.te_s, remarks.len())
        };
        assert_eq!(kept(&by_name("PRESS"), "sLASER", Some(0.03)), ("sLASER".into(), Some(0.03), 2));
        assert_eq!(kept(&by_name("PRESS"), "press", Some(0.035)), ("press".into(), Some(0.035), 0));
        assert_eq!(kept(&by_name("PRESS"), "STEAM", None), ("STEAM".into(), Some(0.035), 1));
        // An edited scan stays one unless another editing is stated.
        assert_eq!(kept(&by_name("MEGA"), "PRESS", None), ("MEGA".into(), Some(0.035), 0));
        assert_eq!(kept(&by_name("MEGA"), "MEGA-sLASER", None), ("MEGA-sLASER".into(), Some(0.035), 1));
        // What a header states is nobody's guess.
        let stated = Facts { sequence_from_name: None, te_from_name: None, ..by_name("PRESS") };
        assert_eq!(kept(&stated, "sLASER", Some(0.03)), ("PRESS".into(), Some(0.035), 0));
    }

    #[test]
    fn a_nucleus_has_several_names() {
        let of = |name: &str| Facts { nucleus: Some(name.to_owned()), ..Facts::default() };
        for (one, other, is_other) in [
            ("1H", "H1", false),
            ("1H", "proton", false),
            ("1H", "H", false),
            ("1H", "", false),
            ("1H", "31P", true),
            ("P31", "31p", false),
            ("13C", "31P", true),
        ] {
            assert_eq!(of(one).has_other_nucleus(&of(other)), is_other, "{one} {other}");
        }
        assert!(!of("31P").has_other_nucleus(&Facts::default()));
    }

    #[test]
    fn numbers_are_reached_by_name() {
        let mut facts = Facts::default();
        for (i, number) in Facts::NUMBERS.iter().enumerate() {
            *(number.of)(&mut facts) = Some(i as f64);
        }
        assert_eq!((facts.te_s, facts.dwell_s), (Some(0.0), Some(5.0)));
        assert_eq!(Facts::NUMBERS[4].name, "f0_mhz");
    }

    #[test]
    fn numbers_that_cannot_be_right_are_found() {
        let with = |dwell_s: f64| Facts { dwell_s: Some(dwell_s), ..Facts::default() }.fault();
        assert_eq!((Facts::default().fault(), with(5e-4)), (None, None));
        for wrong in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300, 0.2] {
            assert!(with(wrong).is_some_and(|fault| fault.contains("dwell_s")), "{wrong}");
        }
    }

    #[test]
    fn nuclei_are_names_of_nuclei() {
        for name in ["1H", "H1", "31P", "Na23", "proton", "H", ""] {
            assert_eq!(named_nucleus(name.to_owned()), name);
        }
        for text in ["Doe^Jane", "1H Doe", "\u{1b}1H", "1234567"] {
            assert_eq!(named_nucleus(text.to_owned()), "other");
        }
    }

    #[test]
    fn texts_are_made_printable() {
        let long = "x".repeat(100_000);
        let mut facts = Facts { sequence: Some("PRESS\u{1b}[2J".into()), vendor: Some(long), ..Facts::default() };
        facts.make_printable();
        assert_eq!(facts.sequence.as_deref(), Some("PRESS\\u{1b}[2J"));
        assert_eq!(facts.vendor.map(|v| v.chars().count()), Some(crate::printable::LABEL_CHARS));
    }

    #[test]
    fn a_configuration_states_no_vendor() {
        let read = |text: &str| toml::from_str::<Facts>(text);
        assert_eq!(read("te_s = 0.03").unwrap().te_s, Some(0.03));
        assert!(read("vendor = \"GE\"").unwrap_err().to_string().contains("unknown field `vendor`"));
    }
}
