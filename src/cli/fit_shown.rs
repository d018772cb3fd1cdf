//! What `requant fit` shows: the rows of a fit as lines and as a picture.

use super::error::CliError;
use crate::report::{FitPlot, Overlay};
use crate::run::one::One;
use crate::store::provenance::program;
use crate::store::{MetaboliteRow, SpectrumRow};

/// A number, or a dash.
fn known(value: Option<f64>, digits: usize, unit: &str) -> String {
    value.filter(|v| v.is_finite()).map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}{unit}"))
}

/// The rows of a fit; `is_basis_told` where nobody chose the basis set.
pub(super) fn print_fit(row: &SpectrumRow, metabolites: &[MetaboliteRow], is_basis_told: bool) {
    if let (true, Some(basis)) = (is_basis_told, &row.basis_id) {
        say!("note: basis set {basis}");
    }
    for warning in &row.warnings {
        say!("note: {warning}");
    }
    say!(
        "{} after {} iterations · SNR {} · FWHM {} · residual sd / noise sd {}",
        row.state.as_deref().unwrap_or("–"),
        row.n_iterations.unwrap_or_default(),
        known(row.snr, 1, ""),
        known(row.fwhm_hz, 1, " Hz"),
        known(row.residual_sd_over_noise_sd, 2, "")
    );
    let signed = |value: Option<f64>, unit: &str| value.map_or_else(|| "–".to_owned(), |v| format!("{v:+.2}{unit}"));
    say!(
        "shift {} · phase {} {} · Lorentz {} · Gauss {} · baseline ED {}",
        signed(row.shift_hz, " Hz"),
        known(row.phi0_deg, 1, "°"),
        signed(row.phi1_deg_per_ppm, "°/ppm"),
        known(row.lorentz_hz, 2, " Hz"),
        known(row.gauss_hz, 2, " Hz"),
        known(row.baseline_ed, 1, "")
    );
    if !row.qc_flags.is_empty() {
        say!("flags: {}", row.qc_flags.join(" · "));
    }
    say!("\n{:14} {:>12} {:>8} {:>9} {:>9} {:>12}", "", "amplitude", "sd %", "/tCr", "± sd", "mmol/kg");
    for m in metabolites {
        let amplitude = m.amplitude.unwrap_or(f64::NAN);
        let percent = m.sd_posterior.filter(|_| amplitude > 0.0).map(|sd| 100.0 * sd / amplitude);
        say!(
            "{:14} {amplitude:>12.4e} {:>8} {:>9} {:>9} {:>12}",
            m.metabolite,
            known(percent, 1, ""),
            known(m.ratio_tcr, 3, ""),
            known(m.ratio_tcr_sd, 3, ""),
            known(m.conc_lcmodel_mmol_per_kg, 3, "")
        );
    }
}

/// The picture of a fit.
pub(super) fn picture(fit: &One, overlay: Option<Overlay>) -> Result<String, CliError> {
    let plot = fit
        .curve
        .as_ref()
        .and_then(|curve| FitPlot::from_rows(&fit.spectrum, &fit.metabolites, curve, &program(None)))
        .ok_or_else(|| CliError::new(1, anyhow::anyhow!("{}: the fit has no curves", fit.spectrum.spectrum_id)))?;
    Ok(FitPlot { overlay, ..plot }.render_svg()?)
}
