//! What of a corpus's lessons a spectrum does not take, in words: others of its run may.

use super::Learned;
use crate::basis::simulate::pulses::Source;
use crate::fit::Method;
use crate::fit::map::settings::Macromolecules;

/// Whether a method has the macromolecule pattern that learning describes.
pub fn takes_priors(method: &Method) -> bool {
    let kind = method.as_map().map(|settings| settings.components.macromolecules);
    matches!(kind, Some(Macromolecules::Groups | Macromolecules::Peaks))
}

/// Where the pulses of a spectrum's basis set are from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PulsesOf {
    /// A set of a file, or none.
    File,
    /// A simulated set, with pulses of this source.
    Simulated(Source),
}

impl Learned {
    /// What of this a spectrum of `protocol` does not take.
    pub fn unused(
        &self,
        method: &Method,
        (protocol, site, vendor): (&str, Option<&str>, Option<&str>),
        pulses: PulsesOf,
    ) -> Vec<String> {
        let mut said = Vec::new();
        let all = |names: Vec<String>| {
            let names: std::collections::BTreeSet<String> = names.into_iter().collect();
            names.into_iter().collect::<Vec<_>>().join(", ")
        };
        if !self.groups.is_empty() && !takes_priors(method) {
            said.push(format!(
                "method {} takes no learned priors: it has no macromolecule pattern that they describe",
                method.name()
            ));
        } else if !self.groups.is_empty() && self.find(protocol, site).is_none() {
            // A table by site has nothing for the others of a protocol.
            let is_by_site = self.groups.iter().any(|group| group.protocol == protocol);
            let of = match site.filter(|_| is_by_site) {
                Some(site) => format!("{protocol} at {site}"),
                None => protocol.to_owned(),
            };
            let known = all(self.groups.iter().map(|group| group.protocol.clone()).collect());
            said.push(format!(
                "spectra of {of} have nothing learned (`learned_id` is null): the method's own priors were taken; learned are {known}"
            ));
        }
        let is_known = |vendor: Option<&str>| {
            self.recipes.iter().any(|one| one.protocol == protocol && one.vendor.as_deref() == vendor)
        };
        match pulses {
            _ if self.recipes.is_empty() => {}
            PulsesOf::File => said.push(
                "learned pulses are for simulated basis sets: spectra with a set of a file, or none, do not have them"
                    .to_owned(),
            ),
            PulsesOf::Simulated(Source::VendorDefault | Source::Generic) if !is_known(vendor) => {
                let whose = vendor.map(|vendor| format!(" on scanners of {vendor}")).unwrap_or_default();
                let known = all(self.recipes.iter().map(|one| one.protocol.clone()).collect());
                said.push(format!(
                    "spectra of {protocol}{whose} have no learned pulses: the usual ones were taken; learned are {known}"
                ));
            }
            PulsesOf::Simulated(_) => {}
        }
        said
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::learned::{LearnedGroup, LearnedRecipe, Shared};

    #[test]
    fn what_is_not_taken_is_said_and_what_is_taken_is_not() {
        let method = |name| Method::built_in(name).unwrap().unwrap();
        let map = method("map");
        let shared = Shared::from_settings(map.as_map().unwrap());
        let group = |protocol: &str, site: Option<&str>| LearnedGroup {
            protocol: protocol.to_owned(),
            site: site.map(str::to_owned),
            shared: shared.clone(),
            errors: Vec::new(),
            lorentz_error_hz: 0.1,
            n_spectra: 9,
            n_passes: 2,
        };
        let usual = PulsesOf::Simulated(Source::Generic);
        let learned = Learned { groups: vec![group("P", None), group("Q", Some("A"))], ..Learned::default() };
        assert_eq!(learned.unused(&map, ("P", Some("B"), None), usual), [""; 0]);
        assert_eq!(learned.unused(&map, ("Q", Some("A"), None), PulsesOf::File), [""; 0]);
        let said = |method, of| learned.unused(method, of, usual).join("; ");
        assert!(said(&map, ("Q", Some("B"), None)).starts_with("spectra of Q at B have nothing learned"));
        let other = said(&map, ("R", Some("B"), None));
        assert!(
            other.starts_with("spectra of R have nothing learned") && other.ends_with("learned are P, Q"),
            "{other}"
        );
        assert!(said(&method("lcmodel"), ("P", None, None)).starts_with("method lcmodel takes no learned priors"));

        let recipe = LearnedRecipe {
            protocol: "P".to_owned(),
            vendor: Some("GE".to_owned()),
            taken: None,
            candidates: Vec::new(),
            n_spectra: 9,
            n_heads: 9,
        };
        let learned = Learned { recipes: vec![recipe], ..Learned::default() };
        let said = |vendor, pulses| learned.unused(&map, ("P", None, Some(vendor)), pulses).join("; ");
        assert_eq!(
            (said("GE", usual), said("Philips", PulsesOf::Simulated(Source::Header))),
            (String::new(), String::new())
        );
        assert!(said("Philips", usual).starts_with("spectra of P on scanners of Philips have no learned pulses"));
        assert!(said("GE", PulsesOf::File).contains("simulated basis sets"));
    }
}
