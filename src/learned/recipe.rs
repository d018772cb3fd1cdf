//! Which pulses the spectra of a protocol speak for.

use crate::basis::simulate::pulses::Vendor;
use crate::hash::sha256_hex;

/// What the spectra of one protocol and one scanner's maker say about their pulses.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedRecipe {
    /// Field, sequence and echo time ([`crate::basis::check::Protocol::label`]).
    pub protocol: String,
    /// The scanner's maker; `None` where files do not name it.
    pub vendor: Option<String>,
    /// Whose pulses are taken instead of those that a run takes by itself; `None`: those stay.
    pub taken: Option<Vendor>,
    /// How each candidate fits; what a run takes by itself first.
    pub candidates: Vec<CandidateFit>,
    /// Spectra that all candidates fit.
    pub n_spectra: usize,
    /// Subjects that they are of.
    pub n_heads: usize,
}

/// How one candidate fits.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateFit {
    /// Its name.
    pub name: String,
    /// Mean of χ²; not a number where it fits none.
    pub chi2: f64,
    /// Mean of χ² of what a run takes by itself less its own, and the standard error of that.
    pub gain: (f64, f64),
}

impl LearnedRecipe {
    /// Hash of the choice: equal for equal ones.
    pub fn id(&self) -> String {
        sha256_hex(format!("{:?}", (&self.protocol, &self.vendor, self.taken)).as_bytes())[..16].to_owned()
    }

    /// Candidate of the least mean χ².
    pub fn best(&self) -> Option<&CandidateFit> {
        self.candidates.iter().filter(|one| one.chi2.is_finite()).min_by(|a, b| a.chi2.total_cmp(&b.chi2))
    }

    /// What was chosen and by how much, in one line.
    pub fn in_words(&self) -> String {
        let whose = self.vendor.as_ref().map(|vendor| format!(" · {vendor}")).unwrap_or_default();
        let group = format!("{}{whose} · {} spectra of {} subjects", self.protocol, self.n_spectra, self.n_heads);
        let usual = self.candidates.first();
        let Some(best) = self.best() else {
            return format!("{group} · pulses as usual: no candidate fits any of them");
        };
        let (gain, error) = best.gain;
        let by = format!("{gain:.4} ± {error:.4} of chi2");
        match self.taken {
            Some(vendor) => format!("{group} · pulses of {} instead of the usual ones, better by {by}", vendor.name()),
            None if usual == Some(best) => format!("{group} · pulses as usual: they fit best"),
            None => format!("{group} · pulses as usual: {} is better by {by} only", best.name),
        }
    }
}
