//! What was learned as a table, and back.

use std::path::{Path, PathBuf};

use super::{Learned, LearnedGroup, Shared};
use crate::fit::macromolecules::PatternPeak;
use crate::store::{LearnedRow, ReadTableError, Table, read_table};

/// Component under which what belongs to no single peak is told.
const ALL: &str = "all";

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
    learned.groups.iter().flat_map(group_rows).collect()
}

fn group_rows(group: &LearnedGroup) -> Vec<LearnedRow> {
    let row = |component: &str, within: Option<&str>, quantity: &str, unit: &str, value: f64, error: Option<f64>| {
        LearnedRow {
            learned_id: group.id(),
            protocol: group.protocol.clone(),
            site: group.site.clone(),
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
    let mut learned = Learned::default();
    let mut rest = rows.as_slice();
    while let Some(first) = rest.first() {
        let own = rest.iter().take_while(|r| (&r.protocol, &r.site) == (&first.protocol, &first.site)).count();
        learned.groups.push(group(&rest[..own])?);
        rest = &rest[own..];
    }
    Ok(learned)
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
