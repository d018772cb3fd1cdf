//! What was learned as a table, and back.

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
/// [`LearnedError`]: there is no such table, or a value is missing.
pub fn read(dir: &Path) -> Result<Learned, LearnedError> {
    if !dir.join(LearnedRow::NAME).is_dir() {
        return Err(LearnedError::NoTable { path: dir.to_owned() });
    }
    let rows: Vec<LearnedRow> = read_table(dir)?;
    let is_of_pulses = |row: &LearnedRow| row.component_group.as_deref() == Some(PULSES);
    let (of_pulses, rows): (Vec<LearnedRow>, Vec<LearnedRow>) = rows.into_iter().partition(is_of_pulses);
    let recipes = of_pulses
        .chunk_by(|a, b| (&a.protocol, &a.vendor) == (&b.protocol, &b.vendor))
        .map(recipe)
        .collect::<Result<_, _>>()?;
    let mut learned = Learned { recipes, ..Learned::default() };
    let mut rest = rows.as_slice();
    while let Some(first) = rest.first() {
        let own = rest.iter().take_while(|r| (&r.protocol, &r.site) == (&first.protocol, &first.site)).count();
        learned.groups.push(group(&rest[..own])?);
        rest = &rest[own..];
    }
    Ok(learned)
}

fn recipe(rows: &[LearnedRow]) -> Result<LearnedRecipe, LearnedError> {
    let of = |quantity: &'static str| rows.iter().filter(move |row| row.quantity == quantity);
    let missing = |component: &str, quantity| LearnedError::Missing {
        group: format!("{} {}", rows[0].protocol, rows[0].vendor.as_deref().unwrap_or_default()).trim().to_owned(),
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
    let name = format!("{} {}", rows[0].protocol, rows[0].site.as_deref().unwrap_or_default());
    let find = |component: &str, quantity: &'static str| -> Result<&LearnedRow, LearnedError> {
        // What these are 0 for is not fitted.
        let may_be_zero = ["lorentz_mean", "skew_sd", "flatness_sd"].contains(&quantity);
        let usable = |r: &&LearnedRow| r.value.is_some_and(|v| v.is_finite() && (v > 0.0 || may_be_zero && v == 0.0));
        rows.iter().find(|r| r.component == component && r.quantity == quantity).filter(usable).ok_or_else(|| {
            LearnedError::Missing { group: name.trim().to_owned(), component: component.to_owned(), quantity }
        })
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
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::store::{IfExists, write_table};

    #[test]
    fn recipes_come_back_as_they_were() {
        let fit = |name: &str, chi2, gain| CandidateFit { name: name.to_owned(), chi2, gain };
        let recipe = |vendor: Option<&str>, taken| LearnedRecipe {
            protocol: "3 T PRESS 35 ms".to_owned(),
            vendor: vendor.map(str::to_owned),
            taken,
            candidates: vec![fit("as usual (Siemens)", 1.02, (0.0, 0.0)), fit("GE", 1.0, (0.02, 0.001))],
            n_spectra: 30,
            n_heads: 15,
        };
        let recipes = vec![recipe(None, Some(Vendor::Ge)), recipe(Some("Siemens"), None)];
        let learned = Learned { recipes, ..Learned::default() };
        assert_ne!(learned.recipes[0].id(), learned.recipes[1].id());
        let folder = tempfile::tempdir().unwrap();
        write_table(folder.path(), IfExists::Refuse, rows(&learned)).unwrap();
        let back = read(folder.path()).unwrap();
        assert_eq!(back, learned);
        let of = |vendor| back.recipe("3 T PRESS 35 ms", vendor).and_then(|one| one.taken);
        assert_eq!((of(None), of(Some("Siemens")), of(Some("GE"))), (Some(Vendor::Ge), None, None));
        assert!(back.recipe("3 T PRESS 30 ms", None).is_none());
        // What somebody changed in the table is told, and taken for nothing else.
        let mut changed = rows(&learned);
        changed[0].component = "Hitachi".to_owned();
        write_table(folder.path(), IfExists::Overwrite, changed).unwrap();
        let error = read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("3 T PRESS 35 ms") && error.contains("Hitachi"), "{error}");
    }
}
