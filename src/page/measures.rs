//! What the strips show: one number a spectrum, by its site.

use super::metabolites::{Metabolites, Value};
use super::spectra::{Spectra, Spectrum};
use crate::store::SpectrumRow;

/// One strip.
#[derive(Debug, Clone)]
pub(super) struct Measure {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) unit: &'static str,
    pub(super) group: &'static str,
    /// Which direction is worse: 1 more, −1 less, 0 neither. Decides how a table is sorted first.
    pub(super) worse: i8,
    /// A value a row; NaN where there is none.
    pub(super) values: Vec<f64>,
}

const QUALITY: &str = "Quality";
const UNCERTAINTY: &str = "Uncertainty (CRLB)";
const RATIOS: &str = "Ratios to total creatine";
const CONCENTRATIONS: &str = "Concentrations";
const TISSUE: &str = "Tissue";

type Of = fn(&SpectrumRow) -> Option<f64>;

/// Columns of `spectra`: key, label, unit, group, which direction is worse, value.
const COLUMNS: [(&str, &str, &str, &str, i8, Of); 14] = [
    ("snr", "SNR", "", QUALITY, -1, |r| r.snr),
    ("fwhm_hz", "Linewidth, FWHM", "Hz", QUALITY, 1, |r| r.fwhm_hz),
    ("residual_sd_over_noise_sd", "Residual / noise", "", QUALITY, 1, |r| r.residual_sd_over_noise_sd),
    ("expected_error_percent", "Expected error, the quality score", "%", QUALITY, 1, |r| r.expected_error_percent),
    ("baseline_ed", "Baseline flexibility", "ED", QUALITY, 1, |r| r.baseline_ed),
    ("drift_hz", "Drift", "Hz", QUALITY, 0, |r| r.drift_hz),
    ("shift_jitter_hz", "Jitter of frequency", "Hz", QUALITY, 1, |r| r.shift_jitter_hz),
    ("water_left", "Water left", "", QUALITY, 1, |r| r.water_left),
    ("lipid_index", "Lipids over NAA", "", QUALITY, 1, |r| r.lipid_index),
    ("fwhm_water_hz", "Linewidth of water", "Hz", QUALITY, 1, |r| r.fwhm_water_hz),
    ("kept", "Transients kept", "%", QUALITY, -1, |r| {
        Some(100.0 * f64::from(r.n_transients_kept?) / f64::from(r.n_transients.filter(|n| *n > 1)?))
    }),
    ("f_gm", "Grey matter", "", TISSUE, 0, |r| r.f_gm),
    ("f_wm", "White matter", "", TISSUE, 0, |r| r.f_wm),
    ("f_csf", "CSF", "", TISSUE, 0, |r| r.f_csf),
];

/// What every spectrum of brain has, by the names that it may go by; and what editing is for.
const MAJORS: [&[&str]; 7] = [
    &["tNAA", "NAA"],
    &["tCr", "Cr"],
    &["tCho", "GPC", "Cho"],
    &["Ins"],
    &["Glx", "Glu"],
    &["GABA+", "GABA"],
    &["GSH"],
];

/// Ways to tell a concentration, the best first: place in [`Value::concentrations`], unit.
const WAYS: [(usize, &str); 3] =
    [(2, "mmol/kg tissue water"), (1, "mmol/kg, without CSF"), (0, "mmol/kg, LCModel's formula")];

/// The way in which most is told of concentrations in this run; `None` where there are none.
pub(super) fn way(found: &Metabolites) -> Option<(usize, &'static str)> {
    let has = |way: usize| found.of_row.iter().flatten().any(|value| value.concentrations[way][0].is_finite());
    WAYS.into_iter().find(|(way, _)| has(*way))
}

/// The strips of a run: those that any row has a value of, and that are not all alike.
pub(super) fn choose(spectra: &Spectra, found: &Metabolites) -> Vec<Measure> {
    let mut all: Vec<Measure> = COLUMNS
        .iter()
        .map(|&(key, label, unit, group, worse, of)| Measure {
            key: key.to_owned(),
            label: label.to_owned(),
            unit,
            group,
            worse,
            values: spectra.rows.iter().map(|s: &Spectrum| of(&s.row).unwrap_or(f64::NAN)).collect(),
        })
        .collect();
    let tissue = all.split_off(all.iter().position(|m| m.group == TISSUE).unwrap_or(all.len()));
    let majors: Vec<(&str, u16)> =
        MAJORS.iter().filter_map(|names| names.iter().find_map(|name| Some((*name, found.number(name)?)))).collect();
    let mut add = |group, unit, worse, prefix: &str, suffix: &str, of: &dyn Fn(&Value) -> f64| {
        all.extend(majors.iter().map(|&(name, number)| Measure {
            key: format!("{prefix}{name}"),
            label: format!("{name}{suffix}"),
            unit,
            group,
            worse,
            values: (0..spectra.rows.len()).map(|row| found.of(row, number).map_or(f64::NAN, of)).collect(),
        }));
    };
    add(UNCERTAINTY, "%", 1, "crlb_", "", &|value| value.crlb_percent.into());
    add(RATIOS, "", 0, "ratio_", " / tCr", &|value| value.ratio[0].into());
    if let Some((way, unit)) = way(found) {
        add(CONCENTRATIONS, unit, 0, "conc_", "", &|value| value.concentrations[way][0].into());
    }
    all.extend(tissue);
    all.retain(|measure| {
        // Of itself creatine is 1 in every row.
        if measure.key == "ratio_tCr" {
            return false;
        }
        let mut finite = measure.values.iter().copied().filter(|value| value.is_finite());
        let first = finite.next();
        // One row alone has nothing to differ from.
        first.is_some_and(|first| spectra.rows.len() == 1 || finite.any(|value| value != first))
    });
    all
}
