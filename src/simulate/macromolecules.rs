//! The macromolecules of a corpus: a list's, or somewhat off it.

use super::recipe::{MacromoleculeList, Recipe};
use crate::fit::macromolecules::{LCMODEL_MACROMOLECULES, Line, PATTERN_GROUPS, Width};
use crate::random::Random;

/// Lines that vary together from spectrum to spectrum.
pub(super) struct MacromoleculeGroup {
    /// The lines.
    pub(super) lines: Vec<Line>,
    /// Whether it has a shift and width of its own in every spectrum, as a metabolite has.
    pub(super) moves: bool,
}

/// The macromolecules of a recipe's corpus: the departure from the list is drawn once, from a stream of random numbers
/// that no subject has.
pub(super) fn of(recipe: &Recipe) -> Vec<MacromoleculeGroup> {
    let (lists, moves): (Vec<Vec<Line>>, bool) = match recipe.nuisances.macromolecule_list {
        MacromoleculeList::Pattern => (PATTERN_GROUPS.iter().map(|g| g.lines()).collect(), false),
        MacromoleculeList::Lcmodel => (LCMODEL_MACROMOLECULES.iter().map(|c| c.lines()).collect(), true),
    };
    let departure = recipe.nuisances.macromolecule_departure;
    let mut random = Random::new(recipe.seed, u64::MAX / 4);
    let mut depart = |line: Line| {
        let wider = (departure.width * random.normal()).exp();
        Line {
            ppm: line.ppm + departure.place_ppm * random.normal(),
            width: match line.width {
                Width::HzAt3T(hz) => Width::HzAt3T(hz * wider),
                Width::Ppm(ppm) => Width::Ppm(ppm * wider),
            },
            area: line.area * (departure.area * random.normal()).exp(),
        }
    };
    let groups = lists.into_iter().map(|lines| lines.into_iter().map(&mut depart).collect());
    groups.map(|lines| MacromoleculeGroup { lines, moves }).collect()
}
