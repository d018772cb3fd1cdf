//! Preparation and values of a spectrum in words.

use serde::Serialize;

use crate::page::numbers::{fixed, written};
use crate::store::{MetaboliteRow, SpectrumRow};

/// Names with what they say, of what is known.
type Facts = Vec<(&'static str, String)>;

fn unit(value: Option<f64>, factor: f64, digits: usize, unit: &str) -> Option<String> {
    let value = value.filter(|value| value.is_finite())?;
    Some(format!("{}{unit}", written(Some(factor * value), digits)))
}

fn known<const N: usize>(all: [(&'static str, Option<String>); N]) -> Facts {
    all.into_iter().filter_map(|(name, text)| Some((name, text.filter(|text| !text.is_empty())?))).collect()
}

/// What was measured, and how it was fitted.
pub(super) fn facts(row: &SpectrumRow) -> Facts {
    known([
        ("Session", row.session.clone()),
        ("Site", row.site.clone()),
        ("Region", row.voi.clone()),
        ("Scanner", row.vendor.clone()),
        ("Sequence", row.sequence.clone()),
        ("Frequency", unit(row.f0_mhz, 1.0, 6, " MHz")),
        ("TE", unit(row.te_s, 1e3, 4, " ms")),
        ("TR", unit(row.tr_s, 1e3, 5, " ms")),
        ("Voxel", unit(row.voxel_ml, 1.0, 3, " ml")),
        ("Grey matter", unit(row.f_gm, 100.0, 3, " %")),
        ("White matter", unit(row.f_wm, 100.0, 3, " %")),
        ("CSF", unit(row.f_csf, 100.0, 3, " %")),
        ("Basis set", row.basis_id.clone()),
        ("End of the fit", row.state.clone()),
        ("Gate", row.gate.clone()),
        ("Water reference", row.water_reference_path.clone()),
        ("File", Some(row.source_path.clone())),
    ])
}

/// What the steps of preparation found and did.
pub(super) fn preparation(row: &SpectrumRow) -> Facts {
    let transients = row.n_transients.map(|n| match row.n_transients_kept {
        Some(kept) if kept != n => format!("{kept} of {n} kept, {} left out", n.saturating_sub(kept)),
        _ => format!("{n}, all kept"),
    });
    let snr = row.snr_before.zip(row.snr_after).map(|(before, after)| {
        format!("{} before, {} after all steps", written(Some(before), 3), written(Some(after), 3))
    });
    let water = row.water_removed.map(|removed| if removed { "taken out" } else { "left as it was" }.to_owned());
    known([
        ("Transients", transients.filter(|_| row.n_transients.is_some_and(|n| n > 1))),
        ("Drift, corrected", unit(row.drift_hz, 1.0, 3, " Hz from first to last")),
        ("Jitter of frequency, corrected", unit(row.shift_jitter_hz, 1.0, 3, " Hz")),
        ("Jitter of phase, corrected", unit(row.phase_jitter_deg, 1.0, 3, "°")),
        ("Coils, agreement", unit(row.coil_quality, 1.0, 3, "")),
        ("SNR of the spectrum", snr),
        ("Residual water", water),
        ("Water left, over the water reference", unit(row.water_left, 1.0, 3, "")),
        ("Lipids over NAA", unit(row.lipid_index, 1.0, 3, "")),
        ("Linewidth of water", unit(row.fwhm_water_hz, 1.0, 3, " Hz")),
    ])
}

/// The table of metabolites.
#[derive(Debug, Serialize)]
pub(super) struct Values {
    has_concentrations: bool,
    /// Unit and kind of the concentrations.
    unit: &'static str,
    rows: Vec<ValueRow>,
}

#[derive(Debug, Serialize)]
struct ValueRow {
    name: String,
    is_sum: bool,
    ratio: String,
    concentration: String,
    crlb: String,
}

/// Ratios, concentrations and Cramér–Rao bounds.
pub(super) fn values(rows: &[MetaboliteRow]) -> Values {
    let way = crate::report::concentrations_of(rows);
    let with_sd = |value: Option<f64>, sd: Option<f64>, digits: usize| match value {
        Some(_) => format!("{} ± {}", fixed(value, digits), fixed(sd, digits)),
        None => "–".to_owned(),
    };
    let row = |row: &MetaboliteRow| {
        let (value, sd) = way.map_or((None, None), |(_, of)| of(row));
        ValueRow {
            name: row.metabolite.clone(),
            is_sum: row.is_sum,
            ratio: with_sd(row.ratio_tcr, row.ratio_tcr_sd, 3),
            concentration: with_sd(value, sd, 2),
            crlb: fixed(row.crlb_percent, 0),
        }
    };
    Values {
        has_concentrations: way.is_some(),
        unit: way.map(|(unit, _)| unit).unwrap_or_default(),
        rows: rows.iter().map(row).collect(),
    }
}
