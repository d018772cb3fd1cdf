//! The rows of the tables. Each column is declared here and nowhere else.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringArray};
use arrow_schema::DataType;

use super::cells::Cell;
use super::schema::{Table, table};

/// What became of a spectrum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, PartialOrd, Ord)]
pub enum Status {
    /// It was fitted.
    Ok,
    /// Something stopped it; the row says what. The default, so that a forgotten status never
    /// passes for a success.
    #[default]
    Failed,
    /// It was left out on purpose; the row says why.
    Skipped,
}

impl Status {
    /// The text in the table.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Status {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Ok, Self::Failed, Self::Skipped].into_iter().find(|status| status.as_str() == text).ok_or(())
    }
}

impl Cell for Status {
    const NULLABLE: bool = false;

    fn data_type() -> DataType {
        DataType::Utf8
    }

    fn array(values: &mut dyn Iterator<Item = &Self>) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(values.map(|v| v.as_str())))
    }

    fn values(array: &dyn Array) -> Option<Vec<Self>> {
        let texts = array.as_any().downcast_ref::<StringArray>()?;
        texts.iter().map(|text| text?.parse().ok()).collect()
    }
}

/// The tables of a run's folder.
pub(super) const TABLES: [&str; 5] =
    [SpectrumRow::NAME, MetaboliteRow::NAME, CurveRow::NAME, TransientRow::NAME, LearnedRow::NAME];

table! {
    /// One spectrum analysed with one method.
    SpectrumRow = "spectra", "One row per spectrum × method, whether it was fitted or not.", carries carried;
    spectrum_id: String, "", "Path relative to INPUT without extension, then `#` and the sub-spectrum (`…#diff`) or voxel (`…#12,7,0`) where a file holds several. Files that differ in their extension only keep it; what would be alike all the same is numbered (`…~2`); what is longer than 256 characters is cut and ends with `~` and a hash. One row for each `spectrum_id` and `method`.";
    source_path: String, "", "File that the spectrum was read from, relative to INPUT.";
    source_sha256: Option<String>, "", "SHA-256 (hex) of the bytes of that file.";
    inputs_sha256: Option<String>, "", "SHA-256 (hex) of what every file held that the row depends on: of the lines `role`, tab, file name, tab, SHA-256 (hex), line feed. Roles in their order: `data`, `companion`, `water`, `water companion`, `basis` (one that the manifest names), `segmentation`.";
    water_reference_path: Option<String>, "", "File with the water reference, relative to INPUT; equal to `source_path` if the reference is in the same file.";
    water_readouts: Option<String>, "", "Which readouts of that file are the water reference, in the words of its format, where it holds the spectrum as well; null where all of the file is the reference, and where there is none.";
    subject: Option<String>, "", "Subject label from the manifest, from `--site-from`, or from the BIDS entity `sub-` (without the prefix).";
    session: Option<String>, "", "Session label from the manifest, from `--site-from`, or from the BIDS entity `ses-` (without the prefix).";
    site: Option<String>, "", "Site label from the manifest, from `--site-from`, or from the column `site` of a BIDS dataset's participants.tsv.";
    voi: Option<String>, "", "Volume of interest from the manifest, from `--site-from`, or from the BIDS entity `voi-` (without the prefix).";
    voxel_i: Option<u32>, "", "First voxel index, counted from 0; null for single-voxel data.";
    voxel_j: Option<u32>, "", "Second voxel index, counted from 0; null for single-voxel data.";
    voxel_k: Option<u32>, "", "Third voxel index, counted from 0; null for single-voxel data.";
    grid_i: Option<u32>, "", "Voxels of the grid along its first index; null for single-voxel data.";
    grid_j: Option<u32>, "", "Voxels of the grid along its second index, likewise.";
    grid_k: Option<u32>, "", "Voxels of the grid along its third index, likewise.";
    voxel_affine_mm: Option<Vec<f64>>, "mm", "Where the voxel is: the first three rows, one behind the other, of the matrix that takes its indices (`voxel_i`, `voxel_j`, `voxel_k`, 1; zeros for single-voxel data) to its centre in the scanner's space (x to the right, y to the front, z up). Null where no file says so, and for what is not localised in three dimensions.";
    voxel_ml: Option<f64>, "ml", "Volume of the voxel, by the place that its file states; null without one, and for what is not localised in three dimensions.";
    voxel_placed_by: Option<String>, "", "What states the voxel's place: `qform` or `sform` of a NIfTI file, `header` of any other.";
    f_gm: Option<f64>, "", "Share of the voxel's tissue that is grey matter: Σ c·P_GM / Σ c·(P_GM + P_WM + P_CSF) over the image voxels, c being the share of an image voxel that is inside the voxel's box (exact, as the volume of their intersection), P what the segmentation has there. Null where no segmentation is known, or no tissue is in the voxel.";
    f_wm: Option<f64>, "", "Share of the voxel's tissue that is white matter, likewise.";
    f_csf: Option<f64>, "", "Share of the voxel's tissue that is cerebrospinal fluid, likewise.";
    gm_ratio: Option<f64>, "", "`f_gm` / (`f_gm` + `f_wm`).";
    f_csf_sd: Option<f64>, "", "Standard deviation of `f_csf`, where the table of `requant quantify --tissue` has it.";
    gm_ratio_sd: Option<f64>, "", "Standard deviation of `gm_ratio`, likewise.";
    tissue_share: Option<f64>, "", "Share of the voxel's volume that is tissue of an image: Σ c·(P_GM + P_WM + P_CSF) over the voxel's volume, in image voxels; null where fractions are stated.";
    share_in_image: Option<f64>, "", "Share of the voxel's volume that is within the segmented image; null where fractions are stated. Below 0.9 no concentration is corrected by the fractions.";
    segmentation_path: Option<String>, "", "First file of the segmentation (map of grey matter, or the one with labels), relative to the folder of `--tissue`, to the BIDS dataset, or to the folder that holds what a manifest names; null where the manifest states the fractions.";
    segmentation_sha256: Option<String>, "", "SHA-256 (hex) of that file; of three maps, that of the lines `name`, tab, SHA-256 (hex), line feed, in the order grey matter, white matter, CSF.";
    segmentation_kind: Option<String>, "", "Who made it: `fsl_fast`, `spm`, `bids_probseg` (maps), `bids_dseg`, `fsl_fast_labels`, `freesurfer` (labels), `fsl_segmentation` (fractions), or `manifest`.";
    transforms_differ_mm: Option<f64>, "mm", "Mean distance of the corners of the segmented image between its qform and its sform, where both lead into the scanner's space; null else.";
    subspec: Option<String>, "", "Sub-spectrum: edit condition or combination (`on`, `off`, `diff`, `sum`) or another analysed dimension (`b=614`); where a file holds measurements of several protocols, the name of the measurement comes first (`press35`, `hercules-diff_gaba`). Further ones of one label in a file are numbered (`b=614~2`).";
    n_conditions: Option<u32>, "", "Edit conditions of the measurement; null where it is not one of editing.";
    edit_order: Option<String>, "", "How transients of the edit conditions follow one another in the file (`in_turn`, `blocks_8`), where they had to be sorted, and the conditions in their order, as a manifest's column `edit_order` has it.";
    edit_order_from: Option<String>, "", "Who told that order: `file` (its counters or labels), `manifest`, or `data`.";
    edit_order_probability: Option<f64>, "", "Probability of the order, where the data told it.";
    dynamic_index: Option<u32>, "", "Part of a time course, from 0 (`--dynamics`); null where all transients are averaged.";
    dynamic_start_s: Option<f64>, "s", "Beginning of the part's first transient, counted from the first transient of the file: its number (over all edit conditions) times `tr_s`, and the averages that the scanner made; null where TR is not known.";
    dynamic_end_s: Option<f64>, "s", "End of the part's last transient, likewise.";
    dynamic_condition: Option<String>, "", "Kind of the events (`trial_type`) during which the part was measured; null for blocks and windows.";
    vendor: Option<String>, "", "Scanner manufacturer: one spelling of the makers that are known, others as the file states them.";
    sequence: Option<String>, "", "Sequence name as the file or the manifest states it, without its folder on the scanner; one spelling of the names that are known.";
    f0_mhz: Option<f64>, "MHz", "Spectrometer frequency.";
    field_t: Option<f64>, "T", "Field of the scanner: `f0_mhz`/42.577478518.";
    te_s: Option<f64>, "s", "Echo time.";
    tr_s: Option<f64>, "s", "Repetition time.";
    tm_s: Option<f64>, "s", "Mixing time of a stimulated echo; null where there is none, or it is not known.";
    ti_s: Option<f64>, "s", "Time from an inversion to the excitation, as the header states it; null where there is none, or it is not known.";
    flip_angle_deg: Option<f64>, "deg", "Flip angle of the excitation, of spectrum and water reference, as the header states it; null where it is not known: corrections for relaxation (`conc_molal_mmol_per_kg`, `conc_molar_mmol_per_l`, `conc_alpha_iu`) take 90° then.";
    dwell_s: Option<f64>, "s", "Time between two samples.";
    n_points: Option<u32>, "", "Complex samples per transient.";
    n_coils: Option<u32>, "", "Receive coils in the file.";
    n_transients: Option<u32>, "", "Transients in the file for this spectrum.";
    n_transients_kept: Option<u32>, "", "Transients that went into the average after rejecting outliers.";
    coil_quality: Option<f64>, "", "Share of the coils' signal that one source explains, from 0 to 1; null for a single coil.";
    drift_hz: Option<f64>, "Hz", "Linear drift of the frequency from the first transient to the last, removed by alignment; null where transients were not aligned.";
    shift_jitter_hz: Option<f64>, "Hz", "Standard deviation of the transients' shifts about that drift.";
    phase_jitter_deg: Option<f64>, "deg", "Standard deviation of the transients' phases.";
    snr_before: Option<f64>, "", "Tallest peak between 1.8 and 3.4 ppm over twice the noise, of the plain mean of all transients; null where the file holds one.";
    snr_after: Option<f64>, "", "The same of the prepared spectrum.";
    water_left: Option<f64>, "", "Height of the water that suppression left over that of the water reference; null without one.";
    water_removed: Option<bool>, "", "Whether residual water was taken away before the fit (HSVD), as it is where it towers over the metabolites.";
    lipid_index: Option<f64>, "", "Tallest peak between 0.8 and 1.5 ppm over NAA's, of the prepared spectrum.";
    basis_id: Option<String>, "", "Basis set; `run.json` holds its hash.";
    basis_pulse: Option<String>, "", "Refocusing pulses that the basis set was simulated with, and how long they are, and of edited sequences the editing pulses and where they stand; `ideal`: infinitely short; null for basis sets that were read.";
    basis_te1_s: Option<f64>, "s", "First echo of the simulated PRESS, MEGA-PRESS or HERMES; null for other sequences and basis sets that were read.";
    basis_source: Option<String>, "", "What decided about `basis_pulse`: `header` (amplitudes in the header tell the duration), `recipe` (manifest, configuration or option ask for it), `learned` (the spectra of the protocol speak for it: `--learn recipe`), `vendor default`, `generic` (nobody knows); null for basis sets that were read.";
    basis_fwhm_hz: Option<f64>, "Hz", "Full width at half maximum that the lines of the basis set have: measured on its singlets, else as the set states it; null where neither is known.";
    method: String, "", "Fitting method.";
    method_hash: Option<String>, "", "Hash of the method's resolved settings: equal hashes mean the same analysis.";
    prepare_hash: Option<String>, "", "Hash of the settings of preparation, which `run.json` holds: equal hashes mean the same steps; null for files that were not read.";
    learned_id: Option<String>, "", "Hash of what was learned from the corpus and used in this fit: of the macromolecules, else of the pulses; null if nothing was.";
    engine: Option<String>, "", "Engine that fitted: `cpu` or `gpu`.";
    status: Status, "", "`ok` (fitted), `failed` or `skipped` (left out on purpose).";
    error_code: Option<String>, "", "Stable code of the failure or of the reason to skip; null if `status` is `ok`.";
    error_message: Option<String>, "", "What went wrong, where, and what to do; null if `status` is `ok`.";
    state: Option<String>, "", "How the fit ended: converged, stopped at the iteration limit, and so on.";
    n_iterations: Option<u32>, "", "Iterations of the final non-linear minimisation.";
    q_objective: Option<f64>, "", "Value of the minimised objective at the end.";
    ratio_rows_active: Option<u32>, "", "Soft ratio priors that entered the final objective.";
    noise_sd: Option<f64>, "signal", "Standard deviation of the noise in a point of `data` in the table `curves`: the real part of the discrete Fourier transform (a plain sum, zero-filled twofold) of the N samples that are fitted. It is √N times the standard deviation of the real and imaginary parts of the noise in these samples, whatever the method compares, from the parts of spectrum and FID without signal (docs/reference/preparation.md); null where it is unknown (flag `noise_unknown`); where the method broadens its spectra (`gannet`), √N becomes the root of the sum of the squared weights of the samples.";
    snr: Option<f64>, "", "Signal-to-noise ratio: highest point of the sum of the fitted metabolites (`components` in `curves`, without macromolecules, lipids and baseline) over twice `noise_sd`.";
    snr_residual: Option<f64>, "", "The same over twice the standard deviation of the residual: `snr` over `residual_sd_over_noise_sd`. `gannet` takes the root mean square of the residual instead, each point with its weight in the fit.";
    residual_sd_over_noise_sd: Option<f64>, "", "Standard deviation of the residual over that of the noise: √`chi2_reduced`, of methods that compare samples (`tarquin`, `varpro`) that of the residual's spectrum in the fitted window; about 1 if the model explains everything but noise.";
    snr_lcmodel: Option<f64>, "", "LCModel's S/N: highest point of the fit above its baseline (`fit` less `baseline` in `curves`) over twice the root mean square of `residual`.";
    snr_tcr: Option<f64>, "", "Osprey's SNR of creatine, of the samples shifted by `shift_hz` and phased as at 3.03 ppm: tallest magnitude from 2.9 to 3.1 ppm, less the mean of the real noise from −2 to 0 ppm, over the standard deviation of that noise about a trend of second order. No factor 2. Null for differences, and where the spectrum does not reach there.";
    snr_fsl: Option<f64>, "", "FSL-MRS's SNR of the spectrum, of the same samples, the first counted half: tallest absolute real point from 0.2 to 4.2 ppm over √2 times the standard deviation of the real noise below −2 and above 10 ppm (of the inner half of the spectrum, where Levene's test tells the outer quarters from it; with 50 points of each end, where there are fewer than 100).";
    fwhm_tcr_hz: Option<f64>, "Hz", "Osprey's linewidth of creatine, of the same samples, from 2.9 to 3.1 ppm, zero-filled eightfold: mean of the width between the first and the last point that are half as high as the tallest, and that of a Lorentzian line with a phase over a constant. Null for differences.";
    fwhm_hz: Option<f64>, "Hz", "Full width at half maximum of the fitted common lineshape, width of the basis set included (null where that is unknown): of the Voigt line of `lorentz_hz` + `basis_fwhm_hz` and `gauss_hz`, 0.5346·L + √(0.2166·L² + G²). Where the method fits the lineshape as a convolution kernel (`lcmodel`, `osprey`), the kernel's own width is taken instead, or added to G in quadrature where the method has both. For `gannet` the width of creatine in the spectrum without editing; null where there is none.";
    chi2_reduced: Option<f64>, "", "Sum of the squared residuals over the noise variance and `degrees_of_freedom`, over the points that the method compares. For methods that compare the real spectrum these are the points of `residual` in `curves`, and the noise variance is `noise_sd`². `fsl` compares real and imaginary parts without zero-filling (the noise of each is `noise_sd`), `tarquin` and `varpro` compare samples (noise `noise_sd`/√N). `gannet` gives some points a smaller weight.";
    degrees_of_freedom: Option<f64>, "", "Degrees of freedom of the residual: number of the real numbers that the method compares less that of the parameters that they determined. `map` counts effective parameters, baseline included (what the priors determine does not count); other programs' methods count amplitudes above zero, all coefficients of the baseline and the other free parameters; `gannet` takes the sum of squares that noise alone is expected to leave, over `noise_sd`².";
    baseline_ed: Option<f64>, "", "Effective dimension of the fitted baseline (trace of its smoother).";
    expected_error_percent: Option<f64>, "%", "Error of the worst of tNAA, tCr, tCho, Glx and Ins that the fit's own figures foretell (flexibility and narrowness of the baseline, structure of the residual, strained priors, confused parameters), calibrated on spectra with known truth; at most 100. Null for methods that have no such score.";
    baseline_lambda: Option<f64>, "", "Smoothing parameter of the baseline.";
    phi0_deg: Option<f64>, "deg", "Fitted zero-order phase, at 4.65 ppm: the phase of the spectrum at a chemical shift is `phi0_deg` + `phi1_deg_per_ppm`·(ppm − 4.65).";
    phi1_deg_per_ppm: Option<f64>, "deg/ppm", "Fitted first-order phase; 0 where the method has none.";
    shift_hz: Option<f64>, "Hz", "Fitted frequency shift common to all metabolites; positive towards lower ppm.";
    lorentz_hz: Option<f64>, "Hz", "Lorentzian full width at half maximum that the fit adds to the basis set.";
    gauss_hz: Option<f64>, "Hz", "Gaussian full width at half maximum that the fit adds to the basis set.";
    skew_rad: Option<f64>, "rad", "Skewness of the fitted common lineshape: its FID is multiplied by exp(i·`skew_rad`·u³/(1 + (u/2)⁴)), u = t/0.1 s; null where the method has none.";
    flatness: Option<f64>, "", "Flatness of the fitted common lineshape: its FID is multiplied by exp(−`flatness`·u⁴/(1 + (u/2)⁴)), u = t/0.1 s; null where the method has none.";
    kernel_weights: Option<Vec<f64>>, "", "Weights s_j of the kernel of the fitted common lineshape, at −3, −2, −1, 1, 2 and 3 × `kernel_spacing_hz`: its FID is multiplied by 1 + Σ s_j·(exp(2πi·ν_j·t) − 1); null where the method has none.";
    kernel_spacing_hz: Option<f64>, "Hz", "Distance between the frequencies of the kernel; null where the method has none.";
    strained_priors: Vec<String>, "", "Priors that are off by more than 3 of their own standard deviations at the solution, in words: ratio rows as `run.json` lists them, `common Lorentzian width`, `phi1`, `skew`, `flatness`, `own shift of NAA`, `own width of NAA`; empty if none is.";
    added_components: Vec<String>, "", "Components that the fit has beside its basis set, because the spectrum asked for them (`components.strangers`): substances of the built-in library, and lines that none of them explains (`unknown 3.42 ppm`, in units of a methyl group); each has a row in `metabolites`.";
    unmodelled_peaks_ppm: Option<Vec<f64>>, "ppm", "Chemical shifts of narrow lines that the basis set does not have and no added substance explains, the most significant first: those that were added as `unknown`, and those that stand out in residual and baseline of the fit; null where nobody looked (methods other than `map`'s family).";
    water_amplitude: Option<f64>, "signal", "Amplitude of the water reference at t = 0, in units of the stored signal: a·exp(−b·t − c·t²) fitted to its magnitude, b and c ≥ 0, without the first millisecond (three samples at least). Null where the reference cannot be believed; a flag `water_reference_…` says why.";
    water_te_s: Option<f64>, "s", "Echo time of the water reference.";
    water_tr_s: Option<f64>, "s", "Repetition time of the water reference.";
    water_amplitude_sd: Option<f64>, "signal", "Standard deviation of `water_amplitude`: of the fit of the reference's decay, whose residual counts with its correlation, and of the sizes of its transients over the root of their number, in quadrature.";
    water_residual: Option<f64>, "", "Root mean square of the residual of that fit over that of the samples. Good references have less than 0.05; above 0.12 they are not believed (flag `water_reference_misfit`).";
    fwhm_water_hz: Option<f64>, "Hz", "Full width at half maximum of the reference's line, of the real spectrum in phase at its top, zero-filled eightfold, between points by linear interpolation.";
    water_noise_ratio: Option<f64>, "", "Noise of a stored transient of the measurement over that of one of the reference, for equal bandwidths: 1 where gain and averages on the scanner are the same. Strong water has noise of its own, which lowers it.";
    n_water_transients: Option<u32>, "", "Transients of the water reference in the file.";
    n_water_transients_kept: Option<u32>, "", "Those that were averaged: not lost, spoiled, cut off by the receiver or without numbers.";
    covariance_names: Vec<String>, "", "Metabolites (no sums) in the order of the rows of `covariance`.";
    covariance: Option<Vec<f64>>, "amplitude²", "Covariance of the amplitudes from the measured noise, of what `sd_noise` in `metabolites` holds: its diagonal is `sd_noise`², and w'Cw is the variance of any weighted sum. The lower triangle row by row, (0,0), (1,0), (1,1), (2,0) …";
    posterior_covariance: Option<Vec<f64>>, "amplitude²", "Posterior covariance of the amplitudes, of what `sd_posterior` in `metabolites` holds, in the order of `covariance_names` and packed like `covariance`. Methods that keep amplitudes at zero leave those out (zeros).";
    qc_flags: Vec<String>, "", "Quality flags of reading (`untested_format`, `truncated`), preparation and fit; empty if none was raised.";
    gate: Option<String>, "", "First gate over columns of this table that the spectrum does not pass (`--gates`), with `_unknown` behind its name where a value that it asks for is null; null where it passes all of them, and where no gates were asked for.";
    warnings: Vec<String>, "", "What had to be assumed or repaired on the way; empty if nothing.";
}

table! {
    /// One metabolite, or sum of metabolites, of one spectrum analysed with one method.
    MetaboliteRow = "metabolites", "One row per fitted spectrum × method × metabolite; sums such as tNAA have rows of their own.";
    spectrum_id: String, "", "As in `spectra`.";
    subject: Option<String>, "", "As in `spectra`.";
    session: Option<String>, "", "As in `spectra`.";
    site: Option<String>, "", "As in `spectra`.";
    voi: Option<String>, "", "As in `spectra`.";
    method: String, "", "As in `spectra`.";
    metabolite: String, "", "Canonical name of the metabolite or sum.";
    is_sum: bool, "", "Whether the row is a sum of other rows.";
    sum_of: Vec<String>, "", "Metabolites that are added up; empty unless `is_sum`.";
    amplitude: Option<f64>, "", "Fitted amplitude, in units of the basis set.";
    amplitude_free: Option<f64>, "", "Amplitude without the bound at zero, by one Gauss–Newton step from the solution with all bounds on amplitudes released: unbiased where a mean over many spectra is taken.";
    sd_noise: Option<f64>, "", "Standard deviation of the amplitude from the measured noise (Cramér–Rao bound), all amplitudes free: no priors on amplitudes or their ratios, and no bound on them. The baseline's penalty and the method's priors on phases, shifts and widths are kept. Where the method has priors on amplitudes, these vary less than this from one noise to the next (`sd_posterior`). Also for an amplitude at its bound.";
    sd_posterior: Option<f64>, "", "Standard deviation of the amplitude when the method's priors on amplitudes are taken as information, too, and for the noise variance that the method itself estimates; also for an amplitude at its bound.";
    crlb_percent: Option<f64>, "%", "100 × `sd_noise` / `amplitude`; null if the amplitude is not positive.";
    lcmodel_sd_percent: Option<f64>, "%", "LCModel's %SD: 100 × standard deviation / `amplitude`, 999 where that is more or the amplitude is zero. The standard deviation is from the last system of the fit with all its priors and penalties in it, without the amplitudes that are zero, times the variance that the fit leaves. It is what limits such as `%SD ≤ 20` were made for; `crlb_percent` is not. Null for peaks without a basis set.";
    prior_pull_sd: Option<f64>, "", "How far the soft ratios between amplitudes pulled `amplitude`: it less what it would be without them, in `sd_posterior`, by one Gauss–Newton step from the solution. `amplitude` − `prior_pull_sd`·`sd_posterior` is not pulled. Null for peaks without a basis set.";
    width_prior_pull_sd: Option<f64>, "", "The same for the prior on the common Lorentzian width; null where the method has none.";
    at_bound: Option<bool>, "", "Whether the amplitude ended at its bound of zero.";
    shift_hz: Option<f64>, "Hz", "Shift of this metabolite relative to the common shift; positive towards lower ppm.";
    lorentz_hz: Option<f64>, "Hz", "Lorentzian full width at half maximum that the fit adds for this metabolite, the common part included.";
    ratio_tcr: Option<f64>, "", "`amplitude` over that of tCr (Cr + PCr, or the one of both that the basis set has); null where tCr is zero or not fitted.";
    ratio_tcr_sd: Option<f64>, "", "Standard deviation of `ratio_tcr` to first order, from the posterior covariance: √(s² − 2·r·c + r²·t²)/tCr with r = `ratio_tcr`, s = `sd_posterior`, c = `tcr_covariance`, and t the `sd_posterior` of tCr.";
    tcr_covariance: Option<f64>, "amplitude²", "Posterior covariance of `amplitude` and that of tCr; null like `ratio_tcr`.";
    conc_lcmodel_mmol_per_kg: Option<f64>, "mmol/kg", "Water-scaled concentration by LCModel's formula, `amplitude`·`signal_per_proton`·2·`water_attenuation`·`water_concentration_mmol_per_kg`/(`water_amplitude`·`metabolite_attenuation`), with `water_amplitude` of `spectra`; null without a water reference.";
    conc_lcmodel_sd_mmol_per_kg: Option<f64>, "mmol/kg", "Standard deviation of `conc_lcmodel_mmol_per_kg`, from `sd_posterior` and `water_amplitude_sd`.";
    conc_csf_mmol_per_kg: Option<f64>, "mmol/kg", "`conc_lcmodel_mmol_per_kg`/(1 − `f_csf`); null without tissue, and where `f_csf` is above 0.95.";
    conc_csf_sd_mmol_per_kg: Option<f64>, "mmol/kg", "Its standard deviation, to first order from `sd_posterior`, `water_amplitude_sd` and, if given, `f_csf_sd` and `gm_ratio_sd`.";
    conc_molal_mmol_per_kg: Option<f64>, "mmol/kg", "Concentration per kg of tissue water: S·M·`water_attenuation_tissue`/(`metabolite_attenuation_tissue`·(1 − x_csf)) with S = `amplitude`·`signal_per_proton`·2/`water_amplitude`, M the molality of water and x_csf the part of the voxel's water that is CSF's. A sum adds up its members, each by its own factor. Null without tissue, for macromolecules and lipids, and where a flag says what is missing.";
    conc_molal_sd_mmol_per_kg: Option<f64>, "mmol/kg", "Its standard deviation, likewise; of sums from `posterior_covariance`.";
    conc_molar_mmol_per_l: Option<f64>, "mmol/l", "Concentration per litre of tissue: S·M·Σf·d·R/(`metabolite_attenuation_tissue`·(1 − `f_csf`)), over grey matter, white matter and CSF with their water content d and what relaxation leaves of their water R. Null like `conc_molal_mmol_per_kg`.";
    conc_molar_sd_mmol_per_l: Option<f64>, "mmol/l", "Its standard deviation, likewise.";
    conc_alpha_iu: Option<f64>, "i.u.", "The same over `f_gm` + α·`f_wm` instead of 1 − `f_csf`: what grey matter would hold if white matter held α times as much.";
    conc_alpha_sd_iu: Option<f64>, "i.u.", "Its standard deviation, likewise.";
    t1_s: Option<f64>, "s", "T1 of the metabolite that the corrections took: grey and white matter's, weighted by their share of the tissue. Null for sums, whose members have their own.";
    t2_s: Option<f64>, "s", "T2 of the metabolite, likewise.";
    water_attenuation_tissue: Option<f64>, "", "What relaxation leaves of the voxel's water at the reference's TE and TR: grey matter's, white matter's and CSF's, weighted by their part of the water. Null where there is no `conc_molal_mmol_per_kg` of any metabolite.";
    metabolite_attenuation_tissue: Option<f64>, "", "What relaxation leaves of the metabolite at the spectrum's TE and TR: grey and white matter's, weighted by their share of the tissue. Null for sums.";
    constants_id: Option<String>, "", "Constants of these corrections: version, field and entry (`…/3/Glu`; `…/3/default` where the metabolite has none of its own; of sums no entry). A `+` and a hash behind the version: a configuration changed them.";
    sampled_mean: Option<f64>, "", "Mean of `amplitude` over its posterior, by sampling (`uncertainty = \"sample\"`; null, like the columns that follow, where the method does not ask for it).";
    sampled_sd: Option<f64>, "", "Standard deviation of `amplitude` over its posterior.";
    sampled_q025: Option<f64>, "", "Quantile of `amplitude`: 2.5 % of the posterior lie below.";
    sampled_q05: Option<f64>, "", "The same for 5 %.";
    sampled_q25: Option<f64>, "", "The same for 25 %.";
    sampled_q50: Option<f64>, "", "Median of `amplitude` over its posterior.";
    sampled_q75: Option<f64>, "", "Quantile of `amplitude`: 75 % of the posterior lie below.";
    sampled_q95: Option<f64>, "", "The same for 95 %.";
    sampled_q975: Option<f64>, "", "The same for 97.5 %.";
    sampled_rhat: Option<f64>, "", "Split-R̂ of the chains: 1 where they agree; above 1.05 more draws are needed. Null where a chain never moved.";
    sampled_ess: Option<f64>, "", "Effective number of independent draws.";
    signal_per_proton: Option<f64>, "signal/amplitude", "Signal at t = 0 of one proton of the basis set at amplitude 1, from a reference singlet (creatine's methyl where the set has it); over the conditions that an edited spectrum adds up (`sum`: all, a difference: half of them), as the water is of one; null like `conc_lcmodel_mmol_per_kg`.";
    water_concentration_mmol_per_kg: Option<f64>, "mmol/kg", "Water concentration used for scaling (LCModel: WCONC).";
    water_attenuation: Option<f64>, "", "Attenuation of the water signal by relaxation in LCModel's formula (ATTH2O): 0.7·exp(−(`water_te_s` − 30 ms)/80 ms), 0.7 where `water_te_s` is not known; times (1 − exp(−`water_tr_s`/T1))/(1 − exp(−`tr_s`/T1)) where both are known, with water's T1 of the field (mean of grey and white matter). A configuration may fix it.";
    metabolite_attenuation: Option<f64>, "", "Attenuation of the metabolite signal by relaxation used for scaling (LCModel: ATTMET).";
    gate: Option<String>, "", "First gate that the metabolite does not pass (`--gates`), its spectrum's gates included; as in `spectra`.";
}

table! {
    /// The curves of one fitted spectrum.
    CurveRow = "curves", "One row per fitted spectrum × method (none with `--no-curves`). All lists of a row run over its points: as numbers in single precision (`ppm` to `components`) with `--curves`, else as whole steps (`ppm_steps` to `component_steps`), an eighth of the size or less and exact to 4e-6 of the highest point (of each component: to 3.1e-5 of its own, where that is finer).";
    spectrum_id: String, "", "As in `spectra`.";
    method: String, "", "As in `spectra`.";
    shift_hz: Option<f64>, "Hz", "Frequency by which `data` were shifted. What the fit found beyond (`shift_hz` in `spectra` less this) is in the model.";
    phi0_deg: Option<f64>, "deg", "Zero-order phase, at 4.65 ppm, by which `data` were phased. What the fit found beyond (`phi0_deg` in `spectra` less this) is in the model.";
    phi1_deg_per_ppm: Option<f64>, "deg/ppm", "First-order phase by which `data` were phased. What the fit found beyond is in the model.";
    ppm: Option<Vec<f32>>, "ppm", "Chemical shift of each point.";
    data: Option<Vec<f32>>, "signal", "Real part of the spectrum, shifted by `shift_hz` and phased by `phi0_deg` and `phi1_deg_per_ppm` of this row: the discrete Fourier transform (a plain sum) of the samples, zero-filled twofold, the first sample counted half. The methods `tarquin` and `varpro` take residual water out first; `gannet` broadens by 3 Hz.";
    fit: Option<Vec<f32>>, "signal", "Model, baseline included.";
    baseline: Option<Vec<f32>>, "signal", "Baseline.";
    residual: Option<Vec<f32>>, "signal", "`data` minus `fit`.";
    component_names: Vec<String>, "", "Metabolites in the order of `components` or `component_steps`.";
    components: Vec<Vec<f32>>, "signal", "Contribution of each metabolite to the model, without baseline.";
    ppm_first: Option<f64>, "ppm", "Chemical shift where `ppm_steps` is 0.";
    ppm_step: Option<f64>, "ppm", "One of `ppm_steps`: `ppm` is `ppm_first` + `ppm_step`·`ppm_steps`.";
    signal_step: Option<f64>, "signal", "One of `data_steps`, `fit_steps` and `baseline_steps`.";
    ppm_steps: Option<Vec<i32>>, "", "`ppm` in steps.";
    data_steps: Option<Vec<i32>>, "", "`data` in steps: `data` is `signal_step`·`data_steps`.";
    fit_steps: Option<Vec<i32>>, "", "`fit` in steps.";
    baseline_steps: Option<Vec<i32>>, "", "`baseline` in steps.";
    component_steps: Vec<Vec<i32>>, "", "`components` in steps: they are `component_step`·`component_steps`.";
    component_step: Option<Vec<f64>>, "signal", "One of `component_steps`, for each of `component_names`.";
}

table! {
    /// One transient of a spectrum that was averaged here.
    TransientRow = "transients", "One row per spectrum × transient, written on `--transients`, where a file holds several.";
    spectrum_id: String, "", "As in `spectra`.";
    transient: Option<u32>, "", "Number of the transient in the file, from 0.";
    kept: bool, "", "Whether it went into the average.";
    shift_hz: Option<f64>, "Hz", "Frequency offset from the other transients, removed by alignment; null where transients were not aligned.";
    phase_deg: Option<f64>, "deg", "Zero-order phase offset from the other transients, removed by alignment.";
    relative_amplitude: Option<f64>, "", "Amplitude relative to the median transient, from its inner product with the mean of the others.";
}

table! {
    /// One value that spectra of a group have in common.
    LearnedRow = "learned", "One row per protocol (and site) × component × quantity, written where something was learned from the corpus.";
    learned_id: String, "", "Hash of the group's values; `spectra` name it where they were fitted with them.";
    protocol: String, "", "Field, sequence and echo time of the group's spectra.";
    site: Option<String>, "", "Site of the group's spectra; null for all sites of the protocol.";
    vendor: Option<String>, "", "Scanner's maker of the group's spectra, where pulses were learned; null for those of all or of unknown ones.";
    component: String, "", "Macromolecule peak (named after its chemical shift in the literature), whose pulses a candidate has, or `all`.";
    component_group: Option<String>, "", "Group of peaks that vary together; `pulses` for candidates for the pulses of simulated sets.";
    quantity: String, "", "`area`, `place` (chemical shift), `width` of a peak; for `all`: `lorentz_mean`, and spreads between spectra (`…_sd`; areas and widths relative); of pulses: `chi2` (mean), `chi2_gain` (what it falls by from the usual ones), `taken` (those that are used), `subjects` (that the spectra are of).";
    unit: String, "", "Unit of `value` and `standard_error`; empty for relative numbers.";
    value: Option<f64>, "", "The learned value, which is the mean (or spread) of the prior of each spectrum.";
    standard_error: Option<f64>, "", "Standard error of `value`, what the literature says included.";
    n_spectra: Option<u32>, "", "Spectra that it was learned from.";
    n_passes: Option<u32>, "", "Passes over them; null for pulses.";
}

table! {
    /// What a run would do with one spectrum.
    PlannedRow = "plan", "One row per spectrum × method before any fit (`requant plan`).";
    spectrum_id: String, "", "As in `spectra`.";
    method: String, "", "As in `spectra`.";
    source_path: String, "", "As in `spectra`.";
    water_reference_path: Option<String>, "", "As in `spectra`.";
    subject: Option<String>, "", "As in `spectra`.";
    session: Option<String>, "", "As in `spectra`.";
    site: Option<String>, "", "As in `spectra`.";
    voi: Option<String>, "", "As in `spectra`.";
    subspec: Option<String>, "", "As in `spectra`.";
    vendor: Option<String>, "", "As in `spectra`.";
    sequence: Option<String>, "", "As in `spectra`.";
    f0_mhz: Option<f64>, "MHz", "As in `spectra`.";
    te_s: Option<f64>, "s", "As in `spectra`.";
    tr_s: Option<f64>, "s", "As in `spectra`.";
    dwell_s: Option<f64>, "s", "As in `spectra`.";
    n_points: Option<u32>, "", "As in `spectra`.";
    n_coils: Option<u32>, "", "As in `spectra`.";
    n_transients: Option<u32>, "", "As in `spectra`.";
    basis: Option<String>, "", "Basis set that will be used: the name of a file's, or what will be simulated.";
    batch: Option<String>, "", "Spectra of one batch share basis set, grid and method, and are fitted together.";
    chunk: Option<u32>, "", "Number of the chunk, from 0: what is read, fitted and written together. `--shard I/N` does those whose number leaves I − 1 when divided by N.";
    steps: Vec<String>, "", "What will be done, in this order.";
    missing: Vec<String>, "", "What is not there, and what it costs.";
    to_fill_in: Vec<String>, "", "Columns of a manifest that would help.";
    status: Option<String>, "", "`ready`; `failed` or `skipped`, as the run would write it; or `left_out` for a file under INPUT that is no row, of which nothing is told but its path and what it is.";
    error_code: Option<String>, "", "As in `spectra`.";
    error_message: Option<String>, "", "As in `spectra`; of what is left out: `water_reference`, `companion`, `manifest`, `image`, `empty`, `unreadable`, `not_a_file`, `hidden`, `not_searched` or `other`.";
}

table! {
    /// One figure of a comparison.
    ComparisonRow = "comparison", "One row per metabolite (or `all`) × figure, for one run against the truth or runs and methods against one another (`requant compare --out`).";
    metabolite: String, "", "Canonical name of the metabolite or sum; `all` for figures about fits as a whole.";
    source: String, "", "Run (and method), or all that were compared, comma-separated.";
    reference: Option<String>, "", "What it is compared with: `truth`, or another run; null for figures over all sources.";
    figure: String, "", "`bias`, `limit_low`, `limit_high` (Bland–Altman, source less reference), `concordance`, `correlation`, `icc_2_1`, `cv`; shares of the variance `variance_spectrum`, `variance_method`, `variance_interaction` (noise included; they add up to 1), and of what varied settings account for `variance_method:SETTING` (of the sum of squares between methods, by main effects) and `variance_within:SETTING` (of all sums of squares within spectra, by its main effect and how that differs between spectra); a method's `…_mean` and `…_sd` over spectra of what fits have beside metabolites (columns of `spectra`; `macromolecules_over_tcr`, the sum of their amplitudes in units of the method's list); Spearman's `rank_correlation_spread:MEASURE` (over spectra, of the standard deviation over methods over the mean with the measure) and `rank_correlation_difference:MEASURE` (of source less reference with the same difference of the measure); against the truth `bias`, `rmse`, `error_over_sd`, `coverage_50`, `coverage_90`, `coverage_95`.";
    unit: String, "", "`column` (that of the compared column), the measure's, or empty for relative numbers.";
    value: Option<f64>, "", "The figure.";
    low: Option<f64>, "", "Lower end of its 95 % confidence interval (bootstrap over spectra; of rank correlations by Bonett & Wright 2000).";
    high: Option<f64>, "", "Upper end of its 95 % confidence interval.";
    n: Option<u32>, "", "Spectra.";
}

table! {
    /// One figure of the benchmark.
    BenchmarkRow = "benchmark", "One row per set × method × metabolite, sum or `all` × figure (`requant benchmark`).";
    set: String, "", "Name of the set of spectra.";
    condition: Option<String>, "", "Condition within the set (the site of a simulated family); null over the whole set.";
    method: String, "", "Method, with `+learned` where it learned from the set first; for other programs the name of their file.";
    program: String, "", "`requant`, or `peer` for results of another program.";
    metabolite: String, "", "Canonical name of the metabolite or sum; `all` for figures over all metabolites or spectra.";
    aligned: Option<bool>, "", "Whether one common factor (median of truth over estimate of tCr and tNAA) was taken out first; null where it does not matter.";
    figure: String, "", "Over metabolites: `summed_squared_error_mean`, `…_median`, `…_ratio_to_best_peer`, `scale`, `error_over_sd` (root mean square), `error_over_sd_robust` (from the median), `coverage_10` to `coverage_99`; a metabolite's: `relative_rmse`, `relative_bias`, and as in `comparison` `bias`, `rmse`, `correlation`, `error_over_sd`, `coverage_50`, `…_90`, `…_95`; spectra: `fitted`, `failed`, `flagged`, `flag_…`, `state_…`, `wrong` (amplitudes of the usual five off by more than 4 sd), `wrong_with_warning`; `cpu_ms`, `wall_ms` per spectrum.";
    unit: String, "", "`truth` (that of the true values), `truth²`, `ms`, `spectra`, `amplitudes`, or empty for relative numbers.";
    value: Option<f64>, "", "The figure.";
    low: Option<f64>, "", "Lower end of its 95 % confidence interval (bootstrap over spectra; the common factor held).";
    high: Option<f64>, "", "Upper end of its 95 % confidence interval.";
    n: Option<u32>, "", "Spectra.";
}
