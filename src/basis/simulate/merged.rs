//! What the data say about their sequence and what a recipe file states, together.

use super::kind::kind;
use super::pulses::vendors::Known;
use super::timing::Timing;
use crate::basis::check::Protocol;

/// Echo times that differ by less are the same: headers round them (s).
const SAME_TIME_S: f64 = 5e-5;

/// What the data and a recipe file say together.
pub(super) struct Merged<'a> {
    pub(super) known: Known,
    pub(super) te_s: Option<f64>,
    pub(super) tm_s: Option<f64>,
    pub(super) sequence: Option<&'a str>,
    /// Where they contradict each other.
    pub(super) missing: Vec<String>,
}

impl<'a> Merged<'a> {
    pub(super) fn of(protocol: &'a Protocol, timing: &'a Timing) -> Self {
        let data = Self {
            known: timing.known,
            te_s: protocol.te_s,
            tm_s: timing.tm_s,
            sequence: protocol.sequence.as_deref().filter(|name| !name.trim().is_empty()),
            missing: Vec::new(),
        };
        let Some(stated) = &timing.stated else { return data };
        let mut missing = Vec::new();
        let mut time = |key: &str, stated_s: Option<f64>, data_s: Option<f64>| {
            if let (Some(stated_s), Some(data_s)) = (stated_s, data_s)
                && (stated_s - data_s).abs() > SAME_TIME_S
            {
                missing.push(format!(
                    "recipe (`{}` states {key} = {}, the data {}: which is it?)",
                    stated.name,
                    ms_from_s(stated_s),
                    ms_from_s(data_s)
                ));
            }
            stated_s.or(data_s)
        };
        let te_s = time("te_ms", stated.te_s, data.te_s);
        let tm_s = time("tm_ms", stated.tm_s, data.tm_s);
        let te1_s = time("te1_ms", stated.te1_s, data.known.te1_s);
        if let (Some(asked), Some(vendor)) = (data.known.asked, stated.vendor)
            && asked != vendor
        {
            missing.push(format!("recipe (`{}` states the vendor {vendor:?}, `pulses` {asked:?})", stated.name));
        }
        let sequence = stated.sequence.as_deref();
        if let (Some(Ok(stated_kind)), Some(Ok(data_kind))) =
            (sequence.map(|s| kind(Some(s))), data.sequence.map(|s| kind(Some(s))))
            && stated_kind.unedited() != data_kind.unedited()
        {
            let (ours, theirs) = (sequence.unwrap_or_default(), data.sequence.unwrap_or_default());
            missing.push(format!("recipe (`{}` is of {ours}, the data of `{theirs}`)", stated.name));
        }
        let asked = data.known.asked.or(stated.vendor);
        let known = Known { asked, te1_s, ..data.known };
        Self { known, te_s, tm_s, sequence: sequence.or(data.sequence), missing }
    }
}

/// Milliseconds to the microsecond, for messages.
fn ms_from_s(time_s: f64) -> f64 {
    (1e6 * time_s).round() / 1e3
}
