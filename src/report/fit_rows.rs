//! The picture of a fit from the rows of its tables.

use super::fit_plot::{FitPlot, TableLine};
use crate::store::{CurveRow, MetaboliteRow, SpectrumRow};

/// Ways of concentrations, the one that says most first: what they are, and where they stand.
pub(crate) type Way = (&'static str, fn(&MetaboliteRow) -> (Option<f64>, Option<f64>));
const WAYS: [Way; 3] = [
    ("mmol per kg of tissue water", |m| (m.conc_molal_mmol_per_kg, m.conc_molal_sd_mmol_per_kg)),
    ("mmol/kg: LCModel's formula, without CSF", |m| (m.conc_csf_mmol_per_kg, m.conc_csf_sd_mmol_per_kg)),
    ("mmol/kg: LCModel's formula", |m| (m.conc_lcmodel_mmol_per_kg, m.conc_lcmodel_sd_mmol_per_kg)),
];

impl FitPlot {
    /// The picture of a row of `spectra`, with its rows of `metabolites` and its curves as they are in full
    /// ([`CurveRow::unpacked`]); `program` is what fitted it. `None` where there are no curves.
    #[must_use]
    pub fn from_rows(
        spectrum: &SpectrumRow,
        metabolites: &[MetaboliteRow],
        curves: &CurveRow,
        program: &str,
    ) -> Option<Self> {
        let wide = |curve: &[f32]| -> Vec<f64> { curve.iter().map(|v| f64::from(*v)).collect() };
        let way = concentrations_of(metabolites);
        let line = |row: &MetaboliteRow| TableLine {
            name: row.metabolite.clone(),
            ratio_tcr: row.ratio_tcr.map(|ratio| (ratio, row.ratio_tcr_sd.unwrap_or(f64::NAN))),
            concentration: way.and_then(|(_, of)| {
                let (value, sd) = of(row);
                Some((value?, sd.unwrap_or(f64::NAN)))
            }),
        };
        Some(Self {
            title: spectrum.spectrum_id.clone(),
            lines: lines(spectrum, program),
            ppm: wide(curves.ppm.as_ref()?),
            data: wide(curves.data.as_ref()?),
            fit: wide(curves.fit.as_ref()?),
            baseline: wide(curves.baseline.as_ref()?),
            components: curves.component_names.iter().cloned().zip(curves.components.iter().map(|c| wide(c))).collect(),
            table: metabolites.iter().map(line).collect(),
            table_note: way.map(|(what, _)| what.to_owned()).unwrap_or_default(),
            noise_sd: spectrum.noise_sd.filter(|sd| sd.is_finite()),
            overlay: None,
        })
    }
}

/// The way in which most is told of the concentrations of these rows.
pub(crate) fn concentrations_of(rows: &[MetaboliteRow]) -> Option<Way> {
    WAYS.into_iter().find(|(_, of)| rows.iter().any(|row| of(row).0.is_some()))
}

/// Quality, how it was measured and fitted, and its flags.
fn lines(row: &SpectrumRow, program: &str) -> Vec<String> {
    let number = |name: &str, value: Option<f64>, digits: usize, unit: &str| {
        Some(format!("{name} {:.digits$}{unit}", value.filter(|v| v.is_finite())?))
    };
    // No more digits than there are.
    let ms = |name: &str, value: Option<f64>| Some(format!("{name} {} ms", (value? * 1e5).round() / 100.0));
    let joined = |parts: Vec<Option<String>>| parts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    let quality = joined(vec![
        number("SNR", row.snr, 1, ""),
        number("FWHM", row.fwhm_hz, 1, " Hz"),
        number("residual / noise", row.residual_sd_over_noise_sd, 2, ""),
        number("expected error", row.expected_error_percent, 1, " %"),
        number("field", row.f0_mhz, 2, " MHz"),
        ms("TE", row.te_s),
        ms("TR", row.tr_s),
    ]);
    let how = joined(vec![
        Some(format!("method {}", row.method)),
        row.basis_id.as_ref().map(|id| format!("basis set {id}")),
        Some(program.to_owned()),
    ]);
    let flags = match row.qc_flags.len() {
        0 => "no flags".to_owned(),
        1 => format!("flag: {}", row.qc_flags[0]),
        _ => format!("flags: {}", row.qc_flags.join(", ")),
    };
    vec![quality, how, flags]
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn lines_say_how_it_was_fitted() {
        let row = SpectrumRow {
            method: "map".into(),
            basis_id: Some("press 35".into()),
            snr: Some(12.34),
            fwhm_hz: None,
            te_s: Some(0.035),
            tr_s: Some(2.0),
            qc_flags: vec!["low_snr".into(), "broad_lines".into()],
            ..SpectrumRow::default()
        };
        assert_eq!(
            lines(&row, "requant 1"),
            [
                "SNR 12.3 · TE 35 ms · TR 2000 ms",
                "method map · basis set press 35 · requant 1",
                "flags: low_snr, broad_lines"
            ]
        );
    }

    #[test]
    fn the_concentrations_are_those_that_say_most() {
        let row = |molal: Option<f64>| MetaboliteRow {
            metabolite: "NAA".into(),
            ratio_tcr: Some(1.2),
            ratio_tcr_sd: Some(0.1),
            conc_lcmodel_mmol_per_kg: Some(7.0),
            conc_lcmodel_sd_mmol_per_kg: Some(0.5),
            conc_molal_mmol_per_kg: molal,
            ..MetaboliteRow::default()
        };
        let curve = || Some(vec![1.0_f32, 0.0]);
        let curves = CurveRow { ppm: curve(), data: curve(), fit: curve(), baseline: curve(), ..CurveRow::default() };
        let of = |molal| FitPlot::from_rows(&SpectrumRow::default(), &[row(molal)], &curves, "").unwrap();
        assert_eq!(of(None).table[0].concentration, Some((7.0, 0.5)));
        assert_eq!(of(Some(9.0)).table[0].concentration.map(|(value, _)| value), Some(9.0));
        assert_eq!(of(None).table[0].ratio_tcr, Some((1.2, 0.1)));
        assert!(of(None).table_note.contains("LCModel") && of(Some(9.0)).table_note.contains("tissue water"));
    }
}
