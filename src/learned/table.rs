//! What was learned as a table, and back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{CandidateFit, Learned, LearnedGroup, LearnedRecipe, Shared};
use crate::basis::simulate::pulses::Vendor;
use crate::fit::macromolecules::PatternPeak;
use crate::store::{LearnedRow, ReadTableError, Table, read_table};

/// Component under which what belongs to no single peak is told.
const ALL: &str = "all";
/// Group of the components that are candidates for the pulses of simulated sets.
const PULSES: &str = "pulses";
/// Candidate that stands for what a run takes by itself.
const USUAL: &str = "as usual";

/// Why a table of learned values cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LearnedError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] ReadTableError),
    /// There is none.
    #[error("{}: nothing was learned there; give the --out of `requant learn` or of a run that learned", path.display())]
    NoTable {
        /// The folder.
        path: PathBuf,
    },
    /// A value is missing or no number.
    #[error("{group}: no usable {quantity} of {component}; make the table again with `requant learn`")]
    Missing {
        /// Protocol and site.
        group: String,
        /// Peak, or `all`.
        component: String,
        /// Quantity.
        quantity: &'static str,
    },
    /// The values are not those that were learned.
    #[error(
        "{group}: the rows say that they are {said}, and their values are {found}: rows are missing or were changed; make the table again \
         with `requant learn`"
    )]
    Changed {
        /// Protocol and site or vendor.
        group: String,
        /// Id in the rows.
        said: String,
        /// Id of their values.
        found: String,
    },
    /// One group has several priors.
    #[error(
        "{group}: learned twice ({ids}), and nobody knows which values to take; give the folder of one `requant learn`"
    )]
    Twice {
        /// Protocol and site or vendor.
        group: String,
        /// Ids of what was learned.
        ids: String,
    },
}

/// The table's rows.
pub fn rows(learned: &Learned) -> Vec<LearnedRow> {
    learned.groups.iter().flat_map(group_rows).chain(learned.recipes.iter().flat_map(recipe_rows)).collect()
}

fn recipe_rows(recipe: &LearnedRecipe) -> Vec<LearnedRow> {
    let row = |component: &str, quantity: &str, value: f64, error: Option<f64>| LearnedRow {
        learned_id: recipe.id(),
        protocol: recipe.protocol.clone(),
        site: None,
        vendor: recipe.vendor.clone(),
        component: component.to_owned(),
        component_group: Some(PULSES.to_owned()),
        quantity: quantity.to_owned(),
        unit: String::new(),
        value: Some(value).filter(|v| v.is_finite()),
        standard_error: error.filter(|e| e.is_finite()),
        n_spectra: u32::try_from(recipe.n_spectra).ok(),
        n_passes: None,
    };
    let taken = recipe.taken.map_or(USUAL, Vendor::name);
    let mut all = vec![row(taken, "taken", 1.0, None), row(ALL, "subjects", recipe.n_heads as f64, None)];
    for one in &recipe.candidates {
        all.push(row(&one.name, "chi2", one.chi2, None));
        all.push(row(&one.name, "chi2_gain", one.gain.0, Some(one.gain.1)));
    }
    all
}

fn group_rows(group: &LearnedGroup) -> Vec<LearnedRow> {
    let row = |component: &str, within: Option<&str>, quantity: &str, unit: &str, value: f64, error: Option<f64>| {
        LearnedRow {
            learned_id: group.id(),
            protocol: group.protocol.clone(),
            site: group.site.clone(),
            vendor: None,
            component: component.to_owned(),
            component_group: within.map(str::to_owned),
            quantity: quantity.to_owned(),
            unit: unit.to_owned(),
            value: Some(value),
            standard_error: error.filter(|e| e.is_finite()),
            n_spectra: u32::try_from(group.n_spectra).ok(),
            n_passes: u32::try_from(group.n_passes).ok(),
        }
    };
    let shared = &group.shared;
    let mut all = Vec::new();
    for (k, peak) in shared.peaks.iter().enumerate() {
        let [area, place, width] = group.errors.get(k).copied().unwrap_or([f64::NAN; 3]);
        let mut tell = |quantity, unit, value, error: f64| {
            all.push(row(&peak.name, Some(&peak.group), quantity, unit, value, Some(error)));
        };
        tell("area", "", peak.area, peak.area * area);
        tell("place", "ppm", peak.ppm, place);
        tell("width", "Hz at 3 T", peak.width_hz, peak.width_hz * width);
    }
    let [lorentz_mean, lorentz_sd] = shared.lorentz_prior_hz;
    all.push(row(ALL, None, "lorentz_mean", "Hz", lorentz_mean, Some(group.lorentz_error_hz)));
    for (quantity, unit, value) in [
        ("lorentz_sd", "Hz", lorentz_sd),
        ("skew_sd", "rad at 0.1 s", shared.lineshape_sd[0]),
        ("flatness_sd", "at 0.1 s", shared.lineshape_sd[1]),
        ("group_sd", "", shared.group_sd),
        ("peak_sd", "", shared.peak_sd),
        ("shift_sd", "ppm", shared.shift_sd_ppm),
        ("width_sd", "", shared.width_sd),
    ] {
        all.push(row(ALL, None, quantity, unit, value, None));
    }
    all
}

/// Reads what [`rows`] gave, from the folder of a run or of `requant learn`.
///
/// # Errors
/// [`LearnedError`]: there is no such table, a value is missing, the values are not those of the rows' ids, or a group comes
/// twice.
pub fn read(dir: &Path) -> Result<Learned, LearnedError> {
    if !dir.join(LearnedRow::NAME).is_dir() {
        return Err(LearnedError::NoTable { path: dir.to_owned() });
    }
    let rows: Vec<LearnedRow> = read_table(dir)?;
    let is_of_pulses = |row: &LearnedRow| row.component_group.as_deref() == Some(PULSES);
    let (of_pulses, rows): (Vec<LearnedRow>, Vec<LearnedRow>) = rows.into_iter().partition(is_of_pulses);
    Ok(Learned {
        groups: each(&rows, |row| &row.site, group, LearnedGroup::id)?,
        recipes: each(&of_pulses, |row| &row.vendor, recipe, LearnedRecipe::id)?,
    })
}

/// What `make` makes of the rows of each group: of one protocol, and of one site or vendor.
fn each<T>(
    rows: &[LearnedRow],
    beside: fn(&LearnedRow) -> &Option<String>,
    make: fn(&[LearnedRow]) -> Result<T, LearnedError>,
    id: fn(&T) -> String,
) -> Result<Vec<T>, LearnedError> {
    let mut id_of: BTreeMap<(&str, &Option<String>), &str> = BTreeMap::new();
    let mut all = Vec::new();
    for own in rows.chunk_by(|a, b| (&a.protocol, beside(a), &a.learned_id) == (&b.protocol, beside(b), &b.learned_id))
    {
        let first = &own[0];
        let name = || name_of(first, beside(first).as_deref());
        if let Some(other) = id_of.insert((&first.protocol, beside(first)), &first.learned_id) {
            return Err(LearnedError::Twice { group: name(), ids: format!("{other}, {}", first.learned_id) });
        }
        let made = make(own)?;
        let found = id(&made);
        if found != first.learned_id {
            return Err(LearnedError::Changed { group: name(), said: first.learned_id.clone(), found });
        }
        all.push(made);
    }
    Ok(all)
}

/// Names a group to people.
fn name_of(row: &LearnedRow, beside: Option<&str>) -> String {
    format!("{} {}", row.protocol, beside.unwrap_or_default()).trim().to_owned()
}

fn recipe(rows: &[LearnedRow]) -> Result<LearnedRecipe, LearnedError> {
    let of = |quantity: &'static str| rows.iter().filter(move |row| row.quantity == quantity);
    let missing = |component: &str, quantity| LearnedError::Missing {
        group: name_of(&rows[0], rows[0].vendor.as_deref()),
        component: component.to_owned(),
        quantity,
    };
    let taken = of("taken").next().ok_or_else(|| missing(PULSES, "taken"))?;
    let vendor = Vendor::from_name(&taken.component);
    if vendor.is_none() && taken.component != USUAL {
        return Err(missing(&taken.component, "taken"));
    }
    let subjects = of("subjects").next().and_then(|row| row.value).ok_or_else(|| missing(ALL, "subjects"))?;
    let candidates = of("chi2").map(|row| {
        let gain = of("chi2_gain").find(|gain| gain.component == row.component);
        let gain = gain.ok_or_else(|| missing(&row.component, "chi2_gain"))?;
        let number = |value: Option<f64>| value.unwrap_or(f64::NAN);
        let (gain, chi2) = ((number(gain.value), number(gain.standard_error)), number(row.value));
        Ok::<_, LearnedError>(CandidateFit { name: row.component.clone(), chi2, gain })
    });
    Ok(LearnedRecipe {
        protocol: rows[0].protocol.clone(),
        vendor: rows[0].vendor.clone(),
        taken: vendor,
        candidates: candidates.collect::<Result<_, _>>()?,
        n_spectra: rows[0].n_spectra.unwrap_or_default() as usize,
        n_heads: subjects.max(0.0) as usize,
    })
}

fn group(rows: &[LearnedRow]) -> Result<LearnedGroup, LearnedError> {
    let name = name_of(&rows[0], rows[0].site.as_deref());
    let find = |component: &str, quantity: &'static str| -> Result<&LearnedRow, LearnedError> {
        // What these are 0 for is not fitted.
        let may_be_zero = ["lorentz_mean", "skew_sd", "flatness_sd"].contains(&quantity);
        let usable = |r: &&LearnedRow| r.value.is_some_and(|v| v.is_finite() && (v > 0.0 || may_be_zero && v == 0.0));
        rows.iter()
            .find(|r| r.component == component && r.quantity == quantity)
            .filter(usable)
            .ok_or_else(|| LearnedError::Missing { group: name.clone(), component: component.to_owned(), quantity })
    };
    let value = |component: &str, quantity| find(component, quantity).map(|r| r.value.unwrap_or(f64::NAN));
    let error = |component: &str, quantity| {
        find(component, quantity).map(|r| r.standard_error.unwrap_or(f64::NAN) / r.value.unwrap_or(f64::NAN))
    };
    let (mut peaks, mut errors) = (Vec::new(), Vec::new());
    for row in rows.iter().filter(|r| r.quantity == "area") {
        let own = row.component.as_str();
        peaks.push(PatternPeak {
            name: own.to_owned(),
            group: row.component_group.clone().unwrap_or_default(),
            ppm: value(own, "place")?,
            width_hz: value(own, "width")?,
            area: value(own, "area")?,
        });
        let place = find(own, "place")?.standard_error.unwrap_or(f64::NAN);
        errors.push([error(own, "area")?, place, error(own, "width")?]);
    }
    let shared = Shared {
        peaks,
        group_sd: value(ALL, "group_sd")?,
        peak_sd: value(ALL, "peak_sd")?,
        shift_sd_ppm: value(ALL, "shift_sd")?,
        width_sd: value(ALL, "width_sd")?,
        lineshape_sd: [value(ALL, "skew_sd")?, value(ALL, "flatness_sd")?],
        lorentz_prior_hz: [value(ALL, "lorentz_mean")?, value(ALL, "lorentz_sd")?],
    };
    let count = |n: Option<u32>| n.unwrap_or_default() as usize;
    Ok(LearnedGroup {
        protocol: rows[0].protocol.clone(),
        site: rows[0].site.clone(),
        shared,
        errors,
        lorentz_error_hz: find(ALL, "lorentz_mean")?.standard_error.unwrap_or(f64::NAN),
        n_spectra: count(rows[0].n_spectra),
        n_passes: count(rows[0].n_passes),
    })
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
