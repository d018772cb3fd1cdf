//! What a model of a run depends on, and what rows say of it.

use std::sync::Arc;

use super::bases::Source;
use super::load::{Failure, Header, SpectrumKey};
use super::read_basis::BasisPulses;
use crate::corpus::Found;
use crate::fit::macromolecule_relaxation::Weighting;
use crate::fit::strangers::added::{Added, free};
use crate::fit::strangers::thresholds::PROBE_ED_PER_PPM;
use crate::fit::{Method, Model, peaks};

/// A model and what rows say about its basis set.
#[derive(Clone)]
pub(crate) struct Prepared {
    pub(crate) model: Arc<Model>,
    pub(crate) basis_id: String,
    /// Hash of its basis set; empty without one.
    pub(crate) basis_sha256: String,
    pub(crate) signal_per_proton: Option<f64>,
    pub(crate) warnings: Vec<String>,
    /// What is wrong with the basis set, as flags.
    pub(crate) flags: Vec<&'static str>,
    /// What was learned from the corpus and holds for it ([`crate::learned::LearnedGroup::id`]).
    pub(crate) learned_id: Option<String>,
    /// Components that the spectrum asked for beside its basis set.
    pub(crate) added: Vec<Added>,
    /// Pulses of a simulated basis set.
    pub(crate) pulses: BasisPulses,
}

/// How a model differs from that of its method and basis set alone.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct Extra {
    /// Components beside the basis set.
    pub(super) added: Vec<Added>,
    /// Whether the baseline is kept stiff ([`PROBE_ED_PER_PPM`]).
    pub(super) stiff: bool,
}

/// What a model depends on; times by their bits, the frequency by those of the one it shares
/// ([`crate::acquisition::shared_f0_mhz`]).
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) basis: Source,
    pub(super) method: usize,
    pub(super) n_points: usize,
    pub(super) dwell: u64,
    pub(super) f0: u64,
    pub(super) te: Option<u64>,
    /// Mixing and repetition times where the macromolecules hang on them.
    pub(super) weighted: Option<[Option<u64>; 2]>,
    /// Conditions that a difference adds up, where the method asks.
    pub(super) conditions: u32,
    /// Whether the spectrum is an edited difference.
    pub(super) is_difference: bool,
    pub(super) learned: Option<String>,
    pub(super) extra: Extra,
    /// The sequence that added components are made for, as text.
    pub(super) added_for: String,
}

/// The model with added components let go of their neighbours' ties.
pub(super) fn freed(mut model: Model, added: &[Added]) -> Arc<Model> {
    if let Model::Map(model) = &mut model {
        free(model, added);
    }
    Arc::new(model)
}

/// `method` with a baseline that is kept stiff.
pub(super) fn stiffened(method: &Method) -> Method {
    let mut method = method.clone();
    if let Method::Map(settings) = &mut method {
        settings.baseline.max_ed_per_ppm = settings.baseline.max_ed_per_ppm.min(PROBE_ED_PER_PPM);
    }
    method
}

/// `method` with its macromolecule pattern as it is at the spectrum's times, and those of them that the echo time does not
/// tell; `None` where they change nothing.
pub(super) fn weighted(method: &Method, header: &Header) -> Option<(Method, [Option<u64>; 2])> {
    let (te_s, facts) = (header.protocol.te_s, &header.facts);
    let weighting = Weighting { te_s, tm_s: facts.tm_s, tr_s: facts.tr_s }.in_steps();
    let method = method.weighted(&weighting)?;
    Some((method, [weighting.tm_s, weighting.tr_s].map(|time| time.map(f64::to_bits))))
}

/// What a row says where a substance was added and the header does not tell what the sequence makes of it.
pub(super) const AS_AFTER_ONE_PULSE: &str =
    "added components: as after one pulse, because the file does not tell the sequence and its times";

/// What rows call the basis set of a method that needs none.
pub(super) const NO_BASIS: &str = "none";

/// How many conditions the spectrum adds up, or why peaks do not fit it.
pub(super) fn conditions(found: &Found, settings: &peaks::Settings, key: &SpectrumKey) -> Result<u32, Failure> {
    settings
        .conditions(key.condition.as_deref())
        .map_err(|why| Failure::new("not_a_difference", format!("{}: {why}", found.source_path)))
}
