//! What was learned from a corpus, group by group.

use super::recipe::LearnedRecipe;
use super::shared::Shared;
use crate::hash::sha256_hex;

/// What spectra of one group share.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedGroup {
    /// Field, sequence and echo time ([`crate::basis::check::Protocol::label`]).
    pub protocol: String,
    /// Site; `None` for all sites of the protocol.
    pub site: Option<String>,
    /// The values.
    pub shared: Shared,
    /// Standard errors of each peak's relative area, place (ppm) and relative width.
    pub errors: Vec<[f64; 3]>,
    /// Standard error of the mean common Lorentzian width (Hz).
    pub lorentz_error_hz: f64,
    /// Spectra that it was learned from.
    pub n_spectra: usize,
    /// Passes over them.
    pub n_passes: usize,
}

/// What a corpus has taught.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Learned {
    /// Group by group, in the order of their names.
    pub groups: Vec<LearnedGroup>,
    /// Pulses of simulated sets, protocol by protocol, in the order of their names.
    pub recipes: Vec<LearnedRecipe>,
}

impl Learned {
    /// The group of a spectrum: that of its site, else that of its protocol.
    pub fn find(&self, protocol: &str, site: Option<&str>) -> Option<&LearnedGroup> {
        let of = |site: Option<&str>| self.groups.iter().find(|g| g.protocol == protocol && g.site.as_deref() == site);
        of(site).or_else(|| of(None))
    }

    /// The pulses that were learned for a protocol on scanners of `vendor`, where they are not the usual ones.
    pub fn recipe(&self, protocol: &str, vendor: Option<&str>) -> Option<&LearnedRecipe> {
        let own = |one: &&LearnedRecipe| one.protocol == protocol && one.vendor.as_deref() == vendor;
        self.recipes.iter().find(own).filter(|one| one.taken.is_some())
    }

    /// Hashes of all that was learned.
    pub fn ids(&self) -> Vec<String> {
        self.groups.iter().map(LearnedGroup::id).chain(self.recipes.iter().map(LearnedRecipe::id)).collect()
    }
}

impl LearnedGroup {
    /// Hash of the values: equal for equal priors.
    pub fn id(&self) -> String {
        sha256_hex(format!("{:?}", self.shared).as_bytes())[..16].to_owned()
    }
}
