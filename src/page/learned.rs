//! What the run learned from its own spectra.

use std::path::Path;

use super::numbers::{fixed, written};
use super::view;
use crate::fit::Method;
use crate::learned::{Learned, LearnedGroup, LearnedRecipe, Shared, read};
use crate::report::learned_plot;

/// The section; `None` where nothing was learned.
pub(super) fn of(results: &Path) -> Option<view::Learned> {
    let learned = read(results).ok().filter(|learned| !learned.groups.is_empty() || !learned.recipes.is_empty())?;
    Some(view::Learned {
        groups: learned.groups.iter().map(group).collect(),
        picture: picture(&learned).unwrap_or_default(),
        recipes: learned.recipes.iter().map(recipe).collect(),
    })
}

/// The patterns over the textbook's, from which the standard method begins.
fn picture(learned: &Learned) -> Option<String> {
    let method = Method::built_in("map")?.ok()?;
    learned_plot(learned, &Shared::from_settings(method.as_map()?)).ok()
}

fn recipe(recipe: &LearnedRecipe) -> view::LearnedRecipe {
    let candidates = recipe.candidates.iter().map(|one| {
        let (gain, error) = one.gain;
        let gain = format!("{} ± {}", fixed(Some(gain), 4), fixed(Some(error), 4));
        [one.name.clone(), fixed(Some(one.chi2), 4), gain]
    });
    view::LearnedRecipe { said: recipe.in_words(), candidates: candidates.collect() }
}

fn group(group: &LearnedGroup) -> view::LearnedGroup {
    let shared = &group.shared;
    let site = group.site.as_ref().map(|site| format!(" · {site}")).unwrap_or_default();
    let [mean, sd] = shared.lorentz_prior_hz;
    let peaks = shared.peaks.iter().zip(&group.errors).map(|(peak, [area, place, width])| {
        let with_error = |value: f64, error: f64, decimals| {
            format!("{} ± {}", fixed(Some(value), decimals), fixed(Some(error), decimals))
        };
        [
            peak.name.clone(),
            with_error(peak.area, area * peak.area, 3),
            with_error(peak.ppm, *place, 3),
            with_error(peak.width_hz, width * peak.width_hz, 1),
        ]
    });
    view::LearnedGroup {
        name: format!("{}{site}", group.protocol),
        n_spectra: group.n_spectra,
        n_passes: group.n_passes,
        spreads: format!(
            "Spectra vary about the pattern by {} % in area, {} ppm in chemical shift; common Lorentzian width {} ± {} Hz.",
            written(Some(100.0 * shared.peak_sd), 2),
            written(Some(shared.shift_sd_ppm), 2),
            written(Some(mean), 3),
            written(Some(sd), 3)
        ),
        peaks: peaks.collect(),
    }
}
