//! Words of the column `state`.

use super::entry::{Entry, Kind};
use crate::fit::FitState;

/// One entry for each [`FitState`].
pub(super) fn entries() -> Vec<Entry> {
    let entry = |state: FitState, threshold: &str, meaning, remedy| Entry {
        code: state.as_str(),
        kind: Kind::State,
        threshold: threshold.to_owned(),
        meaning,
        remedy,
    };
    vec![
        entry(
            FitState::Converged,
            "the objective fell by less than the method's tolerance",
            "The fit ended at a minimum.",
            "Nothing.",
        ),
        entry(
            FitState::MaxIterations,
            "the method's `max_iterations` were used up",
            "The fit stopped on its way. The values are usable where residual and errors are usual, and less certain than \
             their errors say.",
            "Look at the fit. Raise `max_iterations` in a copy of the method, or exclude the spectrum.",
        ),
        entry(
            FitState::Singular,
            "the normal equations cannot be solved",
            "Basis set and spectrum do not determine the parameters. The row has no result; `error_code` is `singular`.",
            "See the error code `singular`.",
        ),
        entry(
            FitState::NoSignal,
            "the spectrum has no signal",
            "There is nothing to fit. The row has no result; `error_code` is `no_signal`.",
            "See the error code `no_signal`.",
        ),
    ]
}
