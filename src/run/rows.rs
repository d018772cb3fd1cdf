//! Results to table rows.

use super::load::{Failure, Header, SpectrumKey};
use super::measured;
use super::options::CurvesKept;
use super::read_basis::BasisPulses;
use crate::acquisition::Origin as ToldBy;
use crate::corpus::{Found, Water};
use crate::fit::result::Curves;
use crate::fit::strangers::Added;
use crate::fit::{FitResult, FitState, Method, Model};
use crate::prepare::{Record, Spectrum};
use crate::printable::printable_message;
use crate::quality;
use crate::quantify::{Inputs, WaterScaling, field_t_from_f0};
use crate::signal::median::median;
use crate::store::{CurveRow, MetaboliteRow, SpectrumRow, Status, TransientRow, WideCurves};

/// What a row says about where it comes from, whatever became of it.
pub(crate) struct Origin<'a> {
    pub(crate) found: &'a Found,
    pub(crate) header: &'a Header,
    pub(crate) key: &'a SpectrumKey,
    pub(crate) method: &'a str,
    pub(crate) method_hash: &'a str,
    pub(crate) warnings: &'a [String],
    /// Flags of the basis set.
    pub(crate) basis_flags: &'a [&'static str],
    pub(crate) learned_id: Option<&'a str>,
}

/// The basis set as rows name it.
pub(crate) struct BasisRef<'a> {
    pub(crate) id: &'a str,
    /// Signal of one proton at amplitude 1, if a reference singlet is there.
    pub(crate) signal_per_proton: Option<f64>,
    /// Components beside it.
    pub(crate) added: &'a [Added],
    /// Its pulses, where it was simulated.
    pub(crate) pulses: &'a BasisPulses,
}

impl Origin<'_> {
    pub(super) fn spectrum_id(&self) -> String {
        self.key.id_in(&self.found.id)
    }

    pub(crate) fn row(&self) -> SpectrumRow {
        let (found, header) = (self.found, self.header);
        let index = |i: usize| self.key.voxel.and_then(|v| u32::try_from(v[i]).ok());
        let count = |n: Option<usize>| n.and_then(|n| u32::try_from(n).ok());
        self.with_tissue(SpectrumRow {
            spectrum_id: self.spectrum_id(),
            source_path: found.source_path.clone(),
            source_sha256: header.sha256.clone(),
            inputs_sha256: header.inputs_sha256.clone(),
            water_reference_path: match &found.water {
                Water::Paired(_) => found.water_source_path.clone(),
                _ => header.water_readouts.as_ref().map(|_| found.source_path.clone()),
            },
            water_readouts: header.water_readouts.clone(),
            subject: found.subject.clone(),
            session: found.session.clone(),
            site: found.site.clone(),
            voi: found.voi.clone(),
            voxel_i: index(0),
            voxel_j: index(1),
            voxel_k: index(2),
            subspec: self.key.subspec(),
            dynamic_index: self.key.part.and_then(|part| u32::try_from(part).ok()),
            n_conditions: count(header.n_conditions),
            edit_order: header.edit_order.clone(),
            edit_order_from: header.edit_order_from.map(|origin| origin.as_str().to_owned()),
            edit_order_probability: match header.edit_order_from {
                Some(ToldBy::Data(probability)) => Some(probability),
                _ => None,
            },
            vendor: header.facts.vendor.clone(),
            sequence: header.protocol.sequence.clone(),
            f0_mhz: header.protocol.f0_mhz,
            field_t: header.protocol.f0_mhz.map(field_t_from_f0),
            te_s: header.protocol.te_s,
            tr_s: header.facts.tr_s,
            tm_s: header.facts.tm_s,
            dwell_s: header.protocol.dwell_s,
            n_points: count(header.protocol.n_points),
            n_coils: count(header.n_coils),
            n_transients: count(header.n_transients),
            method: self.method.to_owned(),
            learned_id: self.learned_id.map(str::to_owned),
            prepare_hash: header.prepare_hash.clone(),
            method_hash: Some(self.method_hash.to_owned()),
            water_te_s: header.water_te_s,
            water_tr_s: header.water_tr_s,
            qc_flags: header.flags.iter().chain(self.tissue_flags()).map(|f| (*f).to_owned()).collect(),
            warnings: header.remarks.iter().chain(self.warnings).cloned().collect(),
            carried: found.overrides.carried.clone(),
            ..SpectrumRow::default()
        })
    }

    /// What the row of a spectrum that was prepared says about that, fitted or not.
    fn prepared(&self, spectrum: &Spectrum) -> SpectrumRow {
        let record = &spectrum.record;
        let part = record.part.as_ref();
        let mut row = SpectrumRow {
            n_transients: u32::try_from(record.n_transients).ok(),
            n_transients_kept: u32::try_from(record.n_kept).ok(),
            coil_quality: record.coil_quality,
            drift_hz: record.motion.map(|m| m.drift_hz),
            shift_jitter_hz: record.motion.map(|m| m.shift_jitter_hz),
            phase_jitter_deg: record.motion.map(|m| m.phase_jitter_deg),
            snr_before: record.snr_before,
            snr_after: record.snr_after,
            water_left: record.water_left,
            water_removed: Some(record.water_removed),
            lipid_index: record.lipid_index,
            qc_flags: self
                .header
                .flags
                .iter()
                .chain(self.tissue_flags())
                .chain(&record.flags)
                .chain(self.basis_flags)
                .map(|f| (*f).to_owned())
                .collect(),
            dynamic_start_s: part.and_then(|part| part.span_s).map(|[start, _]| start),
            dynamic_end_s: part.and_then(|part| part.span_s).map(|[_, end]| end),
            dynamic_condition: part.and_then(|part| part.condition.clone()),
            ..self.row()
        };
        measured::water(&mut row, record);
        let averages = header_averages(self.header);
        row.qc_flags.extend(measured::of_gain(row.water_noise_ratio, averages).into_iter().map(str::to_owned));
        row
    }

    /// The rows of the transients of a spectrum, where it had several.
    pub(crate) fn transients(&self, spectrum: &Spectrum) -> Vec<TransientRow> {
        let Record { kept, offsets, part, .. } = &spectrum.record;
        if kept.len() < 2 {
            return Vec::new();
        }
        let overlaps = offsets.as_ref().map(|all| all.iter().map(|o| o.overlap).collect::<Vec<f64>>());
        let typical = overlaps.and_then(|all| median(&all)).filter(|m| *m > 0.0);
        let rows = kept.iter().enumerate().map(|(i, &kept)| {
            let offset = offsets.as_ref().and_then(|all| all.get(i));
            let transient = part.as_ref().and_then(|part| part.transients.get(i)).unwrap_or(&i);
            TransientRow {
                spectrum_id: self.spectrum_id(),
                transient: u32::try_from(*transient).ok(),
                kept,
                shift_hz: offset.map(|o| o.shift_hz),
                phase_deg: offset.map(|o| o.phase_rad.to_degrees()),
                relative_amplitude: offset.zip(typical).map(|(o, typical)| o.overlap / typical),
            }
        });
        rows.collect()
    }

    /// The row of a spectrum without a result.
    pub(crate) fn failed(&self, failure: &Failure, status: Status, spectrum: Option<&Spectrum>) -> SpectrumRow {
        SpectrumRow {
            status,
            error_code: Some(failure.code.clone()),
            error_message: Some(failure.message.clone()),
            ..spectrum.map_or_else(|| self.row(), |spectrum| self.prepared(spectrum))
        }
    }

    /// The rows of a fitted spectrum.
    pub(crate) fn fitted(
        &self,
        spectrum: &Spectrum,
        model: &Model,
        fit: &FitResult,
        basis: &BasisRef<'_>,
        engine: &str,
        constants: &WaterScaling,
    ) -> (SpectrumRow, Vec<MetaboliteRow>) {
        let base = SpectrumRow {
            basis_id: Some(basis.id.to_owned()),
            basis_fwhm_hz: model.basis_linewidth_hz(),
            basis_pulse: basis.pulses.name.clone(),
            basis_te1_s: basis.pulses.te1_s,
            basis_source: basis.pulses.source.map(str::to_owned),
            engine: Some(engine.to_owned()),
            state: Some(fit.state.as_str().to_owned()),
            added_components: basis.added.iter().map(ToString::to_string).collect(),
            unmodelled_peaks_ppm: fit.unmodelled_peaks_ppm.clone(),
            ..self.prepared(spectrum)
        };
        if matches!(fit.state, FitState::NoSignal | FitState::Singular) {
            return (self.without_result(fit, base), Vec::new());
        }
        let mut qc_flags = base.qc_flags.clone();
        let flags = quality::flags(fit, model.limits(), spectrum.f0_mhz, model.basis_linewidth_hz());
        // Preparation may have said the same.
        let is_new = |flag: &&str| !base.qc_flags.iter().any(|said| said == flag);
        qc_flags.extend(flags.into_iter().filter(is_new).map(str::to_owned));
        let mut warnings = base.warnings.clone();
        warnings.extend(fit.noise_unknown.map(|why| why.to_string()));
        let inputs = self.header.quantify_inputs(self.key, spectrum);
        let (rows, lacking) = self.metabolites(fit, &inputs, basis, constants);
        qc_flags.extend(lacking.into_iter().map(str::to_owned));
        let mut row = SpectrumRow {
            status: Status::Ok,
            warnings,
            n_iterations: u32::try_from(fit.n_iterations).ok(),
            q_objective: Some(fit.objective),
            ratio_rows_active: u32::try_from(model.row_labels().len()).ok(),
            noise_sd: known(fit.noise_sd),
            snr: known(fit.snr),
            snr_residual: Some(fit.snr_residual),
            residual_sd_over_noise_sd: known(fit.residual_over_noise),
            fwhm_hz: fit.fwhm_hz,
            chi2_reduced: known(fit.chi2_reduced),
            degrees_of_freedom: Some(fit.degrees_of_freedom),
            baseline_ed: Some(fit.baseline_ed),
            expected_error_percent: quality::score::expected_error_percent(fit),
            baseline_lambda: fit.baseline_lambda,
            phi0_deg: Some(fit.phi0_deg),
            phi1_deg_per_ppm: Some(fit.phi1_deg_per_ppm),
            shift_hz: Some(fit.shift_hz),
            lorentz_hz: fit.lorentz_hz,
            gauss_hz: fit.gauss_hz,
            skew_rad: fit.skew_rad,
            flatness: fit.flatness,
            kernel_weights: fit.kernel_spacing_hz.map(|_| fit.kernel_weights.clone()),
            kernel_spacing_hz: fit.kernel_spacing_hz,
            strained_priors: fit.strained_priors.clone(),
            covariance_names: fit.amplitudes.iter().filter(|a| !a.is_sum).map(|a| a.name.clone()).collect(),
            covariance: fit.noise_unknown.is_none().then(|| fit.covariance.clone()),
            posterior_covariance: Some(fit.posterior_covariance.clone()),
            qc_flags,
            ..with_inputs(base, &inputs)
        };
        let is_difference = self.key.is_difference();
        measured::by_definition(&mut row, spectrum, fit, is_difference);
        row.qc_flags.extend(measured::implausible(rows.iter()).filter(|_| !is_difference).map(str::to_owned));
        (row, rows)
    }

    /// The row of a spectrum that a method could not fit.
    fn without_result(&self, fit: &FitResult, base: SpectrumRow) -> SpectrumRow {
        let message = match fit.state {
            FitState::NoSignal => "no signal in the spectrum: nothing to fit; is it an empty export?",
            _ => "the normal equations are singular: basis set and data do not determine one another; look at both",
        };
        SpectrumRow {
            status: Status::Failed,
            error_code: Some(fit.state.as_str().to_owned()),
            error_message: Some(printable_message(&format!("{}: {message}", self.found.source_path))),
            ..base
        }
    }

    /// The curves of a fitted spectrum.
    pub(crate) fn curves(&self, model: &Model, curves: &Curves, kept: CurvesKept) -> CurveRow {
        let row = CurveRow {
            spectrum_id: self.spectrum_id(),
            method: self.method.to_owned(),
            shift_hz: Some(curves.shift_hz),
            phi0_deg: Some(curves.phi0_deg),
            phi1_deg_per_ppm: Some(curves.phi1_deg_per_ppm),
            component_names: model.component_names(),
            ..CurveRow::default()
        };
        if kept == CurvesKept::Steps {
            let Curves { ppm, data, fit, baseline, components, .. } = curves;
            // What no steps can hold is kept as it is.
            if let Some(row) = row.clone().with_steps(&WideCurves { ppm, data, fit, baseline, components }) {
                return row;
            }
        }
        let narrow = |values: &[f64]| -> Vec<f32> { values.iter().map(|v| *v as f32).collect() };
        let residual: Vec<f64> = curves.data.iter().zip(&curves.fit).map(|(d, f)| d - f).collect();
        CurveRow {
            ppm: Some(narrow(&curves.ppm)),
            data: Some(narrow(&curves.data)),
            fit: Some(narrow(&curves.fit)),
            baseline: Some(narrow(&curves.baseline)),
            residual: Some(narrow(&residual)),
            components: curves.components.iter().map(|c| narrow(c)).collect(),
            ..row
        }
    }
}

/// Averages in a stored transient of the spectrum and of its reference.
fn header_averages(header: &Header) -> Option<[usize; 2]> {
    Some([header.facts.averages_on_scanner?, header.water_averages?])
}

/// A row with what else its concentrations depend on.
fn with_inputs(row: SpectrumRow, inputs: &Inputs) -> SpectrumRow {
    SpectrumRow {
        water_amplitude_sd: inputs.water_amplitude_sd,
        flip_angle_deg: inputs.flip_angle_deg,
        ti_s: inputs.ti_s,
        f_csf_sd: inputs.f_csf_sd,
        gm_ratio_sd: inputs.gm_ratio_sd,
        ..row
    }
}

/// Hash by which rows of equal settings are known.
pub(crate) fn settings_hash(method: &Method) -> String {
    let text = toml::to_string(method).unwrap_or_default();
    crate::hash::sha256_hex(text.as_bytes())[..16].to_owned()
}

/// What is not known is null in the tables, not NaN.
pub(super) fn known(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
