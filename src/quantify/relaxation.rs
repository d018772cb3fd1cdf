//! Relaxation times and water content of tissue, from a versioned file that a configuration can change.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use super::Fractions;
use super::relaxation_names::{canonical_keys, why_unused};
use crate::basis::names::canonical;
use crate::hash::sha256_hex;

/// Proton frequency of 1 tesla (MHz; CODATA 2018).
const MHZ_PER_TESLA: f64 = 42.577_478_518;
/// Fields for which there are times: name, and the least and the most (T). No other field takes the next-best set.
const FIELDS: [(&str, f64, f64); 3] = [("1.5", 1.35, 1.65), ("3", 2.7, 3.2), ("7", 6.5, 7.5)];
/// Name of the entry that stands for all metabolites without one of their own.
const DEFAULT: &str = "default";
/// Longest relaxation time that can be right (s): pure water's is 4.5 s.
const LONGEST_S: f64 = 10.0;

/// The built-in constants, for all who compare with them.
static BUILT_IN: LazyLock<Option<Relaxation>> = LazyLock::new(|| Relaxation::built_in().ok());

/// Relaxation times of one substance in one tissue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Longitudinal (s).
    pub t1_s: f64,
    /// Transverse (s).
    pub t2_s: f64,
}

/// A number or times for each kind of tissue.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByTissue<T> {
    /// Grey matter.
    pub gm: T,
    /// White matter.
    pub wm: T,
    /// Cerebrospinal fluid.
    pub csf: T,
}

/// Times of a metabolite, which CSF holds none of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetaboliteTimes {
    /// Grey matter.
    pub gm: Times,
    /// White matter.
    pub wm: Times,
}

/// All of it. Fields of the scanner are `1.5`, `3` and `7`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Relaxation {
    /// Name of this set of constants.
    pub version: String,
    /// Molality of pure water (mmol per kg).
    pub water_molality_mmol_per_kg: f64,
    /// Water in a volume of tissue over that in the same volume of water.
    pub water_content: ByTissue<f64>,
    /// Times of water, by field.
    pub water: BTreeMap<String, ByTissue<Times>>,
    /// Times of metabolites, by field and canonical name; `default` for those without an entry.
    pub metabolites: BTreeMap<String, BTreeMap<String, MetaboliteTimes>>,
    /// Concentration in white matter over that in grey matter, by canonical name; `default` for those without an entry.
    pub alpha: BTreeMap<String, f64>,
    /// Papers by name, with their DOI.
    pub sources: BTreeMap<String, String>,
}

/// Why constants cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RelaxationError {
    /// They do not have the form of the built-in ones.
    #[error("relaxation: {0}")]
    Form(#[from] toml::de::Error),
    /// A value cannot be right.
    #[error("relaxation.{key}: {fault}")]
    Value {
        /// Which.
        key: String,
        /// What is wrong, and what would be right.
        fault: String,
    },
}

/// Name of the class of `field_t` (T), of those that there are times for.
pub(super) fn field_class(field_t: f64) -> Option<&'static str> {
    FIELDS.iter().find(|(_, least, most)| (*least..=*most).contains(&field_t)).map(|(name, ..)| *name)
}

/// Field (T) of the proton frequency `f0_mhz`.
pub fn field_t_from_f0(f0_mhz: f64) -> f64 {
    f0_mhz / MHZ_PER_TESLA
}

impl Relaxation {
    /// The text of the built-in constants.
    pub const TOML: &'static str = include_str!("relaxation.toml");

    /// The built-in constants.
    ///
    /// # Errors
    /// Never for the file as it is shipped.
    pub fn built_in() -> Result<Self, RelaxationError> {
        Self::with(toml::Table::new())
    }

    /// The built-in constants with those of `own` in their place; what `own` does not name stays.
    ///
    /// # Errors
    /// [`RelaxationError`]: a key is unknown, or a value cannot be right.
    pub fn with(own: toml::Table) -> Result<Self, RelaxationError> {
        let mut table: toml::Table = toml::from_str(Self::TOML)?;
        let is_own = !own.is_empty();
        let wrong = |(key, fault)| RelaxationError::Value { key, fault };
        let own = canonical_keys(own).map_err(wrong)?;
        lay_over(&mut table, own);
        let read: Self = table.try_into()?;
        read.check()?;
        Ok(if is_own { read.named() } else { read })
    }

    /// The name tells constants that somebody changed from the built-in ones, and from others that have been changed.
    fn named(mut self) -> Self {
        let plain = self.version.split('+').next().unwrap_or_default().to_owned();
        self.version.clone_from(&plain);
        let text = |of: &Self| toml::to_string(of).unwrap_or_default();
        let is_built_in = toml::from_str::<Self>(Self::TOML).is_ok_and(|built_in| built_in == self);
        if !is_built_in {
            self.version = format!("{plain}+{}", &sha256_hex(text(&self).as_bytes())[..8]);
        }
        self
    }

    /// Entries that differ from the built-in ones and do nothing where the components of a basis set have these names, and why.
    pub fn unused(&self, components: &[String]) -> Vec<String> {
        let Some(built_in) = BUILT_IN.as_ref() else { return Vec::new() };
        let components: Vec<String> = components.iter().map(|name| canonical(name)).collect();
        let times = self.metabolites.iter().flat_map(|(class, set)| set.iter().map(move |of| (class, of)));
        let times = times.filter(|(class, (name, times))| {
            built_in.metabolites.get(*class).and_then(|set| set.get(*name)) != Some(*times)
        });
        let times = times.map(|(class, (name, _))| (format!("metabolites.\"{class}\".{name}"), name));
        let alpha = self.alpha.iter().filter(|(name, alpha)| built_in.alpha.get(*name) != Some(*alpha));
        let own = times.chain(alpha.map(|(name, _)| (format!("alpha.{name}"), name)));
        let unused = own.filter(|(_, name)| *name != DEFAULT);
        unused.filter_map(|(key, name)| Some(format!("relaxation.{key}: {}", why_unused(name, &components)?))).collect()
    }

    /// Times of water at `field_t` (T); `None` where there are none.
    pub(super) fn water_at(&self, field_t: f64) -> Option<&ByTissue<Times>> {
        self.water.get(field_class(field_t)?)
    }

    /// Times of a metabolite at `field_t` (T), and the name of the entry that they come from.
    pub(super) fn metabolite_at(&self, name: &str, field_t: f64) -> Option<(&MetaboliteTimes, String)> {
        let class = field_class(field_t)?;
        let set = self.metabolites.get(class)?;
        let (entry, times) = set.get_key_value(name).or_else(|| set.get_key_value(DEFAULT))?;
        Some((times, format!("{}/{class}/{entry}", self.version)))
    }

    /// Name of the set for sums, of which each member has times of its own.
    pub(super) fn id_at(&self, field_t: f64) -> Option<String> {
        Some(format!("{}/{}", self.version, field_class(field_t)?))
    }

    /// Concentration of a metabolite in white matter over that in grey matter.
    pub(super) fn alpha_of(&self, name: &str) -> f64 {
        self.alpha.get(name).or_else(|| self.alpha.get(DEFAULT)).copied().unwrap_or(1.0)
    }

    fn check(&self) -> Result<(), RelaxationError> {
        let refused = |key: String, fault: &str| Err(RelaxationError::Value { key, fault: fault.to_owned() });
        let within = |value: f64, most: f64| value.is_finite() && value > 0.0 && value <= most;
        if !(10_000.0..=100_000.0).contains(&self.water_molality_mmol_per_kg) {
            return refused("water_molality_mmol_per_kg".into(), "water has 55,510 mmol/kg; give a number near that");
        }
        let ByTissue { gm, wm, csf } = self.water_content;
        if ![gm, wm, csf].iter().all(|content| within(*content, 1.0)) {
            return refused("water_content".into(), "give shares above 0, up to 1");
        }
        let is_right = |times: &Times| within(times.t1_s, LONGEST_S) && within(times.t2_s, LONGEST_S);
        let ordered = |times: &Times| times.t2_s <= times.t1_s;
        let fault = |key: String, all: &[Times]| {
            if !all.iter().all(is_right) {
                return refused(key, "give times above 0 s, up to 10 s; are these milliseconds?");
            }
            if all.iter().all(ordered) { Ok(()) } else { refused(key, "t2_s is above t1_s; are they exchanged?") }
        };
        for (class, times) in &self.water {
            known_field("water", class)?;
            fault(format!("water.\"{class}\""), &[times.gm, times.wm, times.csf])?;
        }
        for (class, set) in &self.metabolites {
            known_field("metabolites", class)?;
            for (name, times) in set {
                fault(format!("metabolites.\"{class}\".{name}"), &[times.gm, times.wm])?;
            }
        }
        match self.alpha.iter().find(|(_, alpha)| !within(**alpha, 100.0)) {
            Some((name, _)) => refused(format!("alpha.{name}"), "give a ratio above 0"),
            None => Ok(()),
        }
    }
}

fn known_field(table: &str, class: &str) -> Result<(), RelaxationError> {
    if FIELDS.iter().any(|(name, ..)| *name == class) {
        return Ok(());
    }
    let known = FIELDS.map(|(name, least, most)| format!("\"{name}\" ({least} to {most} T)")).join(", ");
    Err(RelaxationError::Value {
        key: format!("{table}.\"{class}\""),
        fault: format!("no such field; there are {known}"),
    })
}

/// Puts the values of `own` over those of `table`, table by table.
fn lay_over(table: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (table.get_mut(&key), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(own)) => lay_over(there, own),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

/// Grey matter's part of the tissue.
pub(super) fn gm_ratio(fractions: Fractions) -> f64 {
    fractions.gm / (fractions.gm + fractions.wm)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn with(text: &str) -> Result<Relaxation, RelaxationError> {
        Relaxation::with(toml::from_str(text).unwrap())
    }

    #[test]
    fn fields_have_classes_and_nothing_lies_between() {
        for (f0_mhz, class) in [
            (63.9, Some("1.5")),
            (123.2, Some("3")),
            (127.8, Some("3")),
            (297.2, Some("7")),
            (400.3, None),
            (200.0, None),
        ] {
            assert_eq!(field_class(field_t_from_f0(f0_mhz)), class, "{f0_mhz}");
        }
        assert_eq!([1.34, 1.66, 2.69, 3.21, 6.4, 7.6].map(field_class), [None; 6]);
    }

    #[test]
    fn own_constants_replace_and_are_told_from_the_built_in_ones() {
        let built_in = Relaxation::built_in().unwrap();
        assert_eq!(built_in.version, "requant-2026.2");
        let own =
            with("[metabolites.\"3\".mI]\ngm = { t1_s = 1.0, t2_s = 0.2 }\nwm = { t1_s = 1.1, t2_s = 0.2 }").unwrap();
        let (times, id) = own.metabolite_at("Ins", 3.0).unwrap();
        assert_eq!(times.gm.t1_s, 1.0);
        assert!(id.starts_with("requant-2026.2+") && id.ends_with("/3/Ins"), "{id}");
        assert_eq!(own.water, built_in.water);
        // Written down and read again it is the same, with the same name.
        let again = Relaxation::with(toml::Table::try_from(&own).unwrap()).unwrap();
        assert_eq!(again, own);
        let same = Relaxation::with(toml::Table::try_from(&built_in).unwrap()).unwrap();
        assert_eq!(same, built_in);
        assert!(built_in.metabolite_at("EtOH", 2.9).unwrap().1.ends_with("/3/default"));
        assert!(built_in.metabolite_at("NAA", 4.7).is_none());
    }

    #[test]
    fn entries_that_do_nothing_are_told() {
        let times = "{ gm = { t1_s = 1.0, t2_s = 0.2 }, wm = { t1_s = 1.1, t2_s = 0.2 } }";
        let own = with(&format!("[metabolites.\"3\"]\nGlx = {times}\nmI = {times}\n[alpha]\nTau = 0.5")).unwrap();
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            own.unused(&names(&["Glu", "Gln", "Ins"])),
            [
                "relaxation.metabolites.\"3\".Glx: Glx is a sum here, of which each member has its own: give Glu and Gln",
                "relaxation.alpha.Tau: no component has that name",
            ]
        );
        assert!(own.unused(&names(&["Glx", "mIns", "Tau"])).is_empty());
        assert!(Relaxation::built_in().unwrap().unused(&names(&["Glu"])).is_empty());
    }

    #[test]
    fn constants_that_cannot_be_right_are_refused() {
        for (text, word) in [
            (
                "[water.\"4.7\"]\ngm = { t1_s = 1, t2_s = 0.1 }\nwm = { t1_s = 1, t2_s = 0.1 }\ncsf = { t1_s = 1, t2_s = 0.1 }",
                "no such field",
            ),
            ("[water.\"3\"]\ngm = { t1_s = 1331.0, t2_s = 110.0 }", "milliseconds"),
            ("[water.\"3\"]\ngm = { t1_s = 0.11, t2_s = 1.331 }", "exchanged"),
            ("[water.\"3\"]\ngm = { t1_s = nan, t2_s = 0.1 }", "above 0 s"),
            ("[water_content]\ngm = 78.0", "up to 1"),
            ("water_molality_mmol_per_kg = 55.51", "55,510"),
            ("[alpha]\nGlu = -0.5", "above 0"),
            ("[alpha]\nmI = 0.5\nIns = 0.6", "twice"),
            ("[watr]\ngm = 1", "unknown field `watr`"),
        ] {
            let message = with(text).unwrap_err().to_string();
            assert!(message.contains(word), "{text}: {message}");
        }
    }
}
