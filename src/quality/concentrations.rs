//! Concentrations that no tissue of brain has: the scale is wrong, or the fit.

use std::sync::OnceLock;

use serde::Deserialize;

use super::flag::IMPLAUSIBLE_CONCENTRATION;

/// What tissue holds, with its source.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bounds {
    /// Where the values stand.
    pub source: String,
    /// Times the upper end above which one is flagged.
    pub above: f64,
    /// Part of the lower end, one over this, below which all are flagged together.
    pub below: f64,
    /// The metabolites.
    pub tissue: Vec<Tissue>,
}

/// What tissue holds of one metabolite or sum (mmol per kg wet weight).
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tissue {
    /// Canonical name.
    pub metabolite: String,
    /// Lower end of what is found.
    pub least: f64,
    /// Upper end.
    pub most: f64,
}

/// The bounds that are built in.
pub fn bounds() -> Option<&'static Bounds> {
    static BOUNDS: OnceLock<Option<Bounds>> = OnceLock::new();
    BOUNDS.get_or_init(|| toml::from_str(include_str!("concentrations.toml")).ok()).as_ref()
}

/// Whether concentrations (name, mmol/kg) are outside of what tissue holds.
fn are_implausible<'a>(found: impl Iterator<Item = (&'a str, f64)>) -> bool {
    let Some(bounds) = bounds() else { return false };
    let known: Vec<(f64, &Tissue)> = found
        .filter_map(|(name, value)| Some((value, bounds.tissue.iter().find(|tissue| tissue.metabolite == name)?)))
        .collect();
    known.iter().any(|(value, tissue)| value.is_nan() || *value > bounds.above * tissue.most)
        || (!known.is_empty() && known.iter().all(|(value, tissue)| *value < tissue.least / bounds.below))
}

/// The flag of concentrations that are so.
pub fn flag<'a>(found: impl Iterator<Item = (&'a str, f64)>) -> Option<&'static str> {
    are_implausible(found).then_some(IMPLAUSIBLE_CONCENTRATION)
}

/// The limits in words.
pub(super) fn in_words() -> String {
    let Some(bounds) = bounds() else { return String::new() };
    let above: Vec<String> =
        bounds.tissue.iter().map(|t| format!("{} > {:.1}", t.metabolite, bounds.above * t.most)).collect();
    let below: Vec<String> =
        bounds.tissue.iter().map(|t| format!("{} < {:.1}", t.metabolite, t.least / bounds.below)).collect();
    format!("`conc_lcmodel_mmol_per_kg` of one of {}; or all of {} (mmol/kg)", above.join(", "), below.join(", "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_scale_is_implausible_and_disease_is_not() {
        let brain = [("tNAA", 11.3), ("tCr", 8.0), ("tCho", 1.6), ("Ins", 6.0), ("Glx", 12.0), ("Foo", 1e9)];
        let times = |factor: f64| brain.map(|(name, value)| (name, factor * value));
        assert!(bounds().unwrap().tissue.iter().all(|tissue| tissue.least < tissue.most));
        for factor in [0.5, 0.7, 1.0, 1.4] {
            assert!(!are_implausible(times(factor).into_iter().take(5)), "{factor}");
        }
        for factor in [0.06, 0.2, 2.5, 20.0, f64::NAN] {
            assert!(are_implausible(times(factor).into_iter()), "{factor}");
        }
        let tumour = [("tNAA", 0.5), ("tCr", 3.0), ("tCho", 5.0), ("Ins", 8.0)];
        assert!(!are_implausible(tumour.into_iter()));
        assert!(!are_implausible(std::iter::empty()));
    }
}
