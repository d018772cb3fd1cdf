//! Substances that a spectrum may hold beside its basis set.

use std::sync::LazyLock;

use serde::Deserialize;

use super::search::Line;
use super::thresholds::NEAR_PPM;
use crate::basis::names::canonical;
use crate::basis::simulate;

const BUILT_IN: &str = include_str!("library.toml");

/// A substance whose spin system the simulation knows.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Substance {
    /// Canonical name.
    pub name: String,
    /// What it is, and when it is there.
    pub about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Library {
    #[serde(rename = "substance")]
    substances: Vec<Substance>,
}

/// All substances. Empty where the file that the program was built with is faulty (a test reads it).
pub fn substances() -> &'static [Substance] {
    static LIBRARY: LazyLock<Vec<Substance>> =
        LazyLock::new(|| toml::from_str::<Library>(BUILT_IN).map(|library| library.substances).unwrap_or_default());
    &LIBRARY
}

impl Substance {
    /// Chemical shifts of its protons (ppm).
    pub fn ppm(&self) -> Vec<f64> {
        let known = simulate::Library::built_in().and_then(|library| library.get(&self.name));
        known.map_or(Vec::new(), |m| m.groups.iter().flat_map(|group| group.ppm.iter().copied()).collect())
    }
}

/// Substances that have protons near one of the `lines` and are not among the components `present`: those of the most
/// significant line first.
pub fn candidates(lines: &[Line], present: &[String]) -> Vec<&'static Substance> {
    let is_there = |substance: &Substance| present.iter().any(|name| canonical(name) == substance.name);
    let mut found: Vec<&Substance> = Vec::new();
    for line in lines {
        for substance in substances().iter().filter(|s| !is_there(s)) {
            let is_near = substance.ppm().iter().any(|ppm| (ppm - line.ppm).abs() <= NEAR_PPM);
            if is_near && !found.contains(&substance) {
                found.push(substance);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::basis::names::{Kind, kind};

    #[test]
    fn every_substance_has_a_spin_system_and_its_canonical_name() {
        let library: Library = toml::from_str(BUILT_IN).unwrap();
        assert!(library.substances.len() > 15);
        for substance in &library.substances {
            assert!(!substance.ppm().is_empty(), "{}", substance.name);
            assert_eq!(canonical(&substance.name), substance.name);
            assert_eq!(kind(&substance.name), Kind::Metabolite);
            assert!(substance.about.len() > 5, "{}", substance.name);
        }
    }

    #[test]
    fn a_line_calls_for_the_substances_that_have_it_unless_they_are_there() {
        let line = |ppm: f64| Line { ppm, height: 1.0, significance: 9.0 };
        let names = |lines: &[Line], present: &[String]| -> Vec<String> {
            candidates(lines, present).into_iter().map(|s| s.name.clone()).collect()
        };
        assert_eq!(names(&[line(2.23)], &[]), ["Act", "AcAc", "bHG", "Val"]);
        assert_eq!(names(&[line(3.16)], &[]), ["MSM"]);
        assert_eq!(names(&[line(3.16)], &["methylsulfonylmethane".to_owned()]), [""; 0]);
        assert_eq!(names(&[line(0.4)], &[]), [""; 0]);
        assert_eq!(names(&[line(1.90), line(3.16)], &[]).first().unwrap(), "Ace");
    }
}
