//! What a column's definition says is what the table holds: every column that can be recomputed is, from the source file,
//! the basis set and the curves, by nothing but its definition. Failures are collected by column.

mod amplitudes;
mod curves;
mod origin;
mod quality;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::rows::{Row, rows};
use crate::common::source::{GOOD, Made, Source, brain, mega, water, write};
use num_complex::Complex64;
use requant::basis::{SetFormat, save};
use requant::fit::Method;
use requant::fit::result::Amplitude;

/// Columns that are not recomputed here, and why.
const LEFT_OUT: &[(&str, &str)] = &[
    ("spectra.basis_pulse", "needs a simulated basis set: tests/basis/pulses.rs"),
    ("spectra.basis_te1_s", "needs a simulated basis set: tests/basis/pulses.rs"),
    ("spectra.basis_source", "needs a simulated basis set: tests/basis/pulses.rs"),
    ("spectra.coil_quality", "of several coils: tests/preparation/prepared_numbers.rs"),
    ("spectra.drift_hz", "of several transients: tests/preparation/prepared_numbers.rs"),
    ("spectra.shift_jitter_hz", "of several transients: src/prepare/figures.rs"),
    ("spectra.phase_jitter_deg", "of several transients: src/prepare/figures.rs"),
    ("spectra.snr_before", "of several transients: tests/preparation/prepared_numbers.rs"),
    ("spectra.snr_after", "of magnitudes with a window of its own: src/prepare/figures.rs"),
    ("spectra.lipid_index", "of magnitudes with a window of its own: src/prepare/figures.rs"),
    ("spectra.water_left", "needs residual water: tests/preparation/prepared_numbers.rs"),
    ("spectra.water_removed", "needs residual water: tests/preparation/prepared_numbers.rs"),
    ("spectra.voxel_i", "needs a grid of voxels: tests/runs/run_contract.rs"),
    ("spectra.voxel_j", "needs a grid of voxels: tests/runs/run_contract.rs"),
    ("spectra.voxel_k", "needs a grid of voxels: tests/runs/run_contract.rs"),
    ("spectra.grid_i", "needs a grid of voxels: tests/quantities/maps.rs"),
    ("spectra.grid_j", "needs a grid of voxels: tests/quantities/maps.rs"),
    ("spectra.grid_k", "needs a grid of voxels: tests/quantities/maps.rs"),
    ("spectra.voxel_affine_mm", "needs a place in space: tests/quantities/maps.rs"),
    ("spectra.voxel_ml", "needs a place in space: tests/quantities/tissue.rs"),
    ("spectra.voxel_placed_by", "needs a place in space: tests/quantities/tissue.rs"),
    ("spectra.f_gm", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.f_wm", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.f_csf", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.gm_ratio", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.tissue_share", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.share_in_image", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.segmentation_path", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.segmentation_sha256", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.segmentation_kind", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.transforms_differ_mm", "needs a segmentation: tests/quantities/tissue.rs"),
    ("spectra.dynamic_index", "of time courses: tests/preparation/dynamics.rs"),
    ("spectra.dynamic_start_s", "of time courses: tests/preparation/dynamics.rs"),
    ("spectra.dynamic_end_s", "of time courses: tests/preparation/dynamics.rs"),
    ("spectra.dynamic_condition", "of time courses: tests/preparation/dynamics.rs"),
    ("spectra.edit_order_probability", "needs an order that the data tell: tests/preparation/edit_order.rs"),
    ("spectra.prepare_hash", "a hash of settings"),
    ("spectra.learned_id", "needs a corpus: tests/fits/learning.rs"),
    ("spectra.error_code", "of failures: tests/runs/run_contract.rs"),
    ("spectra.error_message", "of failures: tests/runs/run_contract.rs"),
    ("spectra.n_iterations", "a count of the solver's"),
    ("spectra.q_objective", "needs the priors' rows"),
    ("spectra.ratio_rows_active", "needs the priors' rows"),
    ("spectra.baseline_ed", "needs the splines"),
    ("spectra.expected_error_percent", "needs the residual and the baseline of the fit: src/quality/score.rs"),
    ("spectra.baseline_lambda", "needs the splines"),
    ("spectra.flatness", "no built-in method frees it; its factor is in the components' check"),
    ("spectra.strained_priors", "needs the priors' rows: tests/fits/field_priors.rs"),
    ("spectra.warnings", "text for people"),
    ("spectra.added_components", "of spectra that ask for some: tests/fits/field_unmodelled.rs"),
    ("spectra.unmodelled_peaks_ppm", "needs the search: tests/fits/field_unmodelled.rs"),
    ("spectra.tm_s", "of stimulated echoes: tests/quantities/requantify.rs"),
    ("spectra.ti_s", "of headers that state one: src/formats/nifti_mrs/facts.rs"),
    ("spectra.flip_angle_deg", "of headers that state one: tests/readers/readers.rs, src/formats/nifti_mrs/facts.rs"),
    ("spectra.f_gm", "needs tissue: tests/quantities/requantify.rs"),
    ("spectra.f_wm", "needs tissue: tests/quantities/requantify.rs"),
    ("spectra.f_csf", "needs tissue: tests/quantities/requantify.rs"),
    ("spectra.gm_ratio", "needs tissue: tests/quantities/requantify.rs"),
    ("spectra.f_csf_sd", "needs tissue: tests/quantities/requantify.rs"),
    ("spectra.gm_ratio_sd", "needs tissue: tests/quantities/requantify.rs"),
    ("spectra.share_in_image", "needs an image of the tissue"),
    ("spectra.gate", "needs gates: tests/quantities/requantify.rs"),
    ("metabolites.gate", "needs gates: tests/quantities/requantify.rs"),
    (
        "metabolites.conc_csf_mmol_per_kg",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    (
        "metabolites.conc_csf_sd_mmol_per_kg",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    (
        "metabolites.conc_molal_mmol_per_kg",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    (
        "metabolites.conc_molal_sd_mmol_per_kg",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    (
        "metabolites.conc_molar_mmol_per_l",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    (
        "metabolites.conc_molar_sd_mmol_per_l",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    ("metabolites.conc_alpha_iu", "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs"),
    (
        "metabolites.conc_alpha_sd_iu",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    ("metabolites.t1_s", "needs tissue: tests/quantities/requantify.rs"),
    ("metabolites.t2_s", "needs tissue: tests/quantities/requantify.rs"),
    (
        "metabolites.water_attenuation_tissue",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    (
        "metabolites.metabolite_attenuation_tissue",
        "needs tissue: tests/quantities/quantification.rs, tests/quantities/requantify.rs",
    ),
    ("metabolites.constants_id", "needs tissue: tests/quantities/requantify.rs"),
    ("metabolites.sd_posterior", "needs the priors' rows; what is made of it is recomputed"),
    ("metabolites.tcr_covariance", "needs the priors' rows; what is made of it is recomputed"),
    ("metabolites.lcmodel_sd_percent", "needs the priors' rows: tests/fits/field_priors.rs"),
    ("metabolites.prior_pull_sd", "needs the priors' rows: tests/fits/field_priors.rs"),
    ("metabolites.width_prior_pull_sd", "needs the priors' rows: tests/fits/field_priors.rs"),
    ("metabolites.sampled_mean", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_sd", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q025", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q05", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q25", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q50", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q75", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q95", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_q975", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_rhat", "of draws: src/fit/sample/tests.rs"),
    ("metabolites.sampled_ess", "of draws: src/fit/sample/tests.rs"),
    ("curves.baseline", "needs the splines; its sum with the components is recomputed"),
    ("curves.ppm_first", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.ppm_step", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.signal_step", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.ppm_steps", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.data_steps", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.fit_steps", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.baseline_steps", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.component_steps", "of curves in steps: tests/runs/pictures.rs"),
    ("curves.component_step", "of curves in steps: tests/runs/pictures.rs"),
];

/// What was recomputed, and what did not come out.
#[derive(Default)]
struct Checks {
    done: BTreeSet<String>,
    failures: BTreeMap<String, Vec<String>>,
}

impl Checks {
    /// `holds` of `column`, or else `why`.
    fn holds(&mut self, column: &str, case: &str, holds: bool, why: impl FnOnce() -> String) {
        self.done.insert(column.to_owned());
        if !holds {
            self.failures.entry(column.to_owned()).or_default().push(format!("{case}: {}", why()));
        }
    }

    /// `found` within `tolerance` of `expected`; without a value only where none is expected.
    fn near(&mut self, column: &str, case: &str, found: Option<f64>, expected: Option<f64>, tolerance: f64) {
        let holds = match (found, expected) {
            (Some(found), Some(expected)) => (found - expected).abs() <= tolerance,
            (None, None) => true,
            _ => false,
        };
        self.holds(column, case, holds, || format!("{found:?} in the table, {expected:?} by its definition"));
    }

    /// The same within a part of what is expected.
    fn close(&mut self, column: &str, case: &str, found: Option<f64>, expected: Option<f64>, part: f64) {
        self.near(column, case, found, expected, part * expected.unwrap_or_default().abs());
    }
}

/// One fitted spectrum, and where it comes from.
struct Case<'a> {
    name: String,
    method: String,
    file: &'a str,
    source: Source,
    /// The samples that were fitted.
    fid: Vec<Complex64>,
    spectrum: Row,
    metabolites: Vec<Row>,
    curve: Row,
    run: &'a serde_json::Value,
}

impl Case<'_> {
    fn metabolite(&self, name: &str) -> Option<&Row> {
        self.metabolites.iter().find(|m| m.text("metabolite") == Some(name))
    }

    fn is_gannet(&self) -> bool {
        self.method == "gannet"
    }

    /// Settings of its method, as `run.json` records them.
    fn settings(&self) -> &serde_json::Value {
        let methods = self.run["config"]["methods"].as_array().unwrap();
        methods.iter().find(|m| m["name"] == self.method.as_str()).unwrap()
    }
}

fn requant(arguments: &[&str]) {
    // Another build's tables can be held to the definitions of today.
    let binary = std::env::var("REQUANT_TEST_BINARY").unwrap_or(env!("CARGO_BIN_EXE_requant").to_owned());
    let output = Command::new(binary).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const FILES: [(&str, Made); 3] = [
    ("sub-01/ses-a/mrs/sub-01_ses-a_voi-pcc_svs", GOOD),
    // Noisy, broad and far off.
    (
        "sub-02/mrs/sub-02_voi-pcc_svs",
        Made { naa: 0.2, shift_hz: 28.4, gauss_hz: 14.0, noise_sd: 60.0, artefact: 0.0, seed: 2 },
    ),
    ("sub-03/mrs/sub-03_voi-pcc_svs", Made { naa: 0.2, artefact: 40.0, seed: 3, ..GOOD }),
];
const MEGA: &str = "sub-04/mrs/sub-04_voi-pcc_svs";

fn cases<'a>(input: &Path, out: &Path, run: &'a serde_json::Value) -> Vec<Case<'a>> {
    let (metabolites, curves) = (rows(out, "metabolites"), rows(out, "curves"));
    let same = |a: &Row, b: &Row| ["spectrum_id", "method"].iter().all(|c| a.text(c) == b.text(c));
    let mut cases = Vec::new();
    for spectrum in rows(out, "spectra") {
        let id = spectrum.text("spectrum_id").unwrap().to_owned();
        let method = spectrum.text("method").unwrap().to_owned();
        let Some(file) = FILES.iter().map(|(file, _)| *file).chain([MEGA]).find(|f| id.starts_with(f)) else {
            continue;
        };
        let source = Source::read(&input.join(format!("{file}.nii")));
        let fid = match id.ends_with("#diff") {
            true => source.fids[0].iter().zip(&source.fids[1]).map(|(on, off)| on - off).collect(),
            false => source.fids[0].clone(),
        };
        // `gannet` has nothing to say about ON and OFF.
        let Some(curve) = curves.iter().find(|c| same(c, &spectrum)) else {
            assert!(
                method == "gannet" && !id.ends_with("#diff"),
                "{id} {method}: {:?}",
                spectrum.text("error_message")
            );
            continue;
        };
        let metabolites = metabolites.iter().filter(|m| same(m, &spectrum)).cloned().collect();
        let name = format!("{} of {id}", method);
        cases.push(Case { name, method, file, source, fid, spectrum, metabolites, curve: curve.clone(), run });
    }
    cases
}

/// What `run.json` says about how a run came about.
fn record_of_a_run(record: &serde_json::Value) {
    // 2026-01-31T12:00:00Z
    let started: Vec<char> = record["started_utc"].as_str().unwrap().chars().collect();
    assert!(started.len() == 20 && (started[4], started[10], started[19]) == ('-', 'T', 'Z'), "{started:?}");
    let command = record["command_line"].as_array().unwrap();
    assert!(command.iter().any(|argument| argument == "--curves"), "{command:?}");
    for part in [
        "find_wall_s",
        "read_threads_s",
        "prepare_threads_s",
        "models_wall_s",
        "fit_wall_s",
        "rows_wall_s",
        "write_wall_s",
        "merge_wall_s",
    ] {
        assert!(record["timings"][part].as_f64().is_some_and(|s| s > 0.0), "{part}: {}", record["timings"]);
    }
}

fn run_of(out: &Path) -> serde_json::Value {
    serde_json::from_slice(&fs::read(out.join("run.json")).unwrap()).unwrap()
}

#[test]
fn columns_hold_what_their_definitions_say() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for (file, made) in FILES {
        write(&at("in").join(format!("{file}.nii")), &brain(made));
    }
    write(&at("in").join(FILES[0].0.replace("_svs", "_mrsref") + ".nii"), &water());
    fs::write(at("in/dataset_description.json"), r#"{"Name": "columns", "BIDSVersion": "1.10.0"}"#).unwrap();
    fs::write(at("in/participants.tsv"), "participant_id\tsite\nsub-01\there\nsub-02\there\nsub-03\tthere\n").unwrap();
    write(&at("mega").join(format!("{MEGA}.nii")), &mega());
    fs::write(at("config.toml"), "[prepare]\nsteps = []\n").unwrap();
    save(&crate::common::basis(), &at("set.basis"), SetFormat::Lcmodel, false).unwrap();
    let run = |input: &str, out: &str, more: &[&str]| {
        let (input, out, config) = (text(input), text(out), text("config.toml"));
        let all = ["run", &input, "--out", &out, "--config", &config, "--engine", "cpu", "--curves"];
        requant(&[&all[..], more].concat());
    };
    run("in", "out", &["--basis", &text("set.basis"), "--method", "map", "--method", "lcmodel", "--method", "fsl"]);
    run("mega", "edited", &["--method", "gannet"]);

    let mut checks = Checks::default();
    let (record, edited) = (run_of(&at("out")), run_of(&at("edited")));
    let mut all = cases(&at("in"), &at("out"), &record);
    all.extend(cases(&at("mega"), &at("edited"), &edited));
    assert_eq!(all.len(), 3 * FILES.len() + 1);
    for case in &all {
        origin::check(&mut checks, case);
        quality::check(&mut checks, case);
        curves::check(&mut checks, case);
        amplitudes::check(&mut checks, case);
    }

    let failed: Vec<String> = checks
        .failures
        .iter()
        .map(|(column, failures)| format!("{column}: {} failures, such as {}", failures.len(), failures[0]))
        .collect();
    let tables = [("spectra", &all[0].spectrum), ("metabolites", &all[0].metabolites[0]), ("curves", &all[0].curve)];
    let columns = tables.iter().flat_map(|(table, row)| row.0.keys().map(move |column| format!("{table}.{column}")));
    let unsettled: Vec<String> = columns
        .filter(|column| checks.done.contains(column) == LEFT_OUT.iter().any(|(name, _)| name == column))
        .collect();
    assert!(
        failed.is_empty() && unsettled.is_empty(),
        "{} columns are not what they say:\n{}\nrecomputed and left out, or neither: {unsettled:?}",
        failed.len(),
        failed.join("\n")
    );
    record_of_a_run(&record);
}

/// The referee of errors: what noise makes of amplitudes when it is drawn again and again.
///
/// Without priors on amplitudes, that is: where a method has some, amplitudes vary less than `sd_noise` says, by design.
#[test]
fn noise_makes_what_sd_noise_says() {
    const DRAWS: usize = 150;
    let without = |name: &str, changes: &[(&str, &str)]| {
        let text = toml::to_string(&Method::built_in(name).unwrap().unwrap()).unwrap();
        let text = changes.iter().fold(text, |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        Method::from_toml(&text).unwrap()
    };
    let map = [
        (r#"macromolecules = "peaks""#, r#"macromolecules = "none""#),
        (r#"ratios = "usual""#, r#"ratios = "none""#),
        // Weights of the kernel rest at their bound in some draws and not in others: no curvature tells that sd, which is a
        // fifth below what `sd_noise` says.
        ("kernel_scale = 0.02", "kernel_scale = 0.0"),
    ];
    let fsl = [(r#"macromolecules = "fsl""#, r#"macromolecules = "none""#)];
    for (which, changes) in [("map", &map[..]), ("fsl", &fsl[..])] {
        let method = without(which, changes);
        let set = crate::common::basis();
        let model = method
            .model(&set, crate::common::N_POINTS, crate::common::DWELL_S, crate::common::F0_MHZ, set.te_s)
            .unwrap();
        let mut fitter = model.fitter();
        let mut fit =
            |i: u64| fitter(&crate::common::spectrum(crate::common::Nuisance { seed: 1000 + i, ..Default::default() }));
        let fits: Vec<_> = (0..DRAWS as u64).map(&mut fit).collect();
        for name in ["NAA", "GPC", "Ins", "tCr"] {
            let of = |value: &dyn Fn(&Amplitude) -> f64| -> Vec<f64> {
                fits.iter().map(|fit| value(fit.amplitude(name).unwrap())).collect()
            };
            let mean = |all: &[f64]| all.iter().sum::<f64>() / DRAWS as f64;
            let free = of(&|a| a.free);
            let sd = (free.iter().map(|v| (v - mean(&free)).powi(2)).sum::<f64>() / (DRAWS - 1) as f64).sqrt();
            let told = mean(&of(&|a| a.sd_noise));
            // The sd of so many draws is known to 5.8 %: three times that.
            assert!((sd / told - 1.0).abs() < 0.174, "{which}: {name}: {sd} by draws, {told} by sd_noise");
        }
    }
}
