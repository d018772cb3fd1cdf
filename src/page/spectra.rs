//! The rows of `spectra` as the page needs them, and what all of them say together.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::numbers::written;
use crate::run::protocol_of;
use crate::store::{ReadTableError, RunRecord, SpectrumRow, Status, read_batches};

/// Most rows that the page shows one by one. Of more it shows every second, third …; counts are of all.
const MOST_ROWS: u64 = 40_000;

/// Columns that are read.
const COLUMNS: [&str; 50] = [
    "spectrum_id",
    "source_path",
    "water_reference_path",
    "subject",
    "session",
    "site",
    "voi",
    "subspec",
    "voxel_i",
    "voxel_j",
    "voxel_k",
    "voxel_affine_mm",
    "voxel_ml",
    "f_gm",
    "f_wm",
    "f_csf",
    "vendor",
    "sequence",
    "f0_mhz",
    "te_s",
    "tr_s",
    "n_transients",
    "n_transients_kept",
    "drift_hz",
    "shift_jitter_hz",
    "phase_jitter_deg",
    "snr_before",
    "snr_after",
    "water_left",
    "lipid_index",
    "basis_id",
    "method",
    "learned_id",
    "status",
    "error_code",
    "error_message",
    "state",
    "n_iterations",
    "snr",
    "residual_sd_over_noise_sd",
    "fwhm_hz",
    "baseline_ed",
    "expected_error_percent",
    "shift_hz",
    "phi0_deg",
    "fwhm_water_hz",
    "added_components",
    "qc_flags",
    "gate",
    "warnings",
];

/// One row.
#[derive(Debug, Clone, Default)]
pub(super) struct Spectrum {
    pub(super) row: SpectrumRow,
    pub(super) protocol: String,
}

/// Rows of one site, protocol and method.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) rows: usize,
    pub(super) fitted: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    pub(super) flagged: usize,
    pub(super) snr: Vec<f64>,
    pub(super) fwhm_hz: Vec<f64>,
    pub(super) error_percent: Vec<f64>,
}

/// Rows that failed, or were skipped, for one cause.
#[derive(Debug, Clone, Default)]
pub(super) struct Cause {
    pub(super) rows: usize,
    pub(super) is_skip: bool,
    pub(super) protocols: BTreeMap<String, usize>,
    pub(super) sites: BTreeMap<String, usize>,
    /// The first messages, with the spectrum's id.
    pub(super) examples: Vec<(String, String)>,
}

/// What all rows say, also those that the page does not show one by one.
#[derive(Debug, Clone, Default)]
pub(super) struct All {
    pub(super) n_rows: u64,
    pub(super) groups: BTreeMap<(String, String, String), Group>,
    pub(super) causes: BTreeMap<String, Cause>,
    pub(super) flags: BTreeMap<String, usize>,
}

/// The rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Spectra {
    pub(super) rows: Vec<Spectrum>,
    /// Number of a row by id and method.
    pub(super) place: HashMap<(String, String), usize>,
    /// In the order of the run.
    pub(super) methods: Vec<String>,
    pub(super) all: All,
}

const EXAMPLES: usize = 3;

impl All {
    fn add(&mut self, row: &SpectrumRow, protocol: &str) {
        self.n_rows += 1;
        let key = (row.site.clone().unwrap_or_default(), protocol.to_owned(), row.method.clone());
        let group = self.groups.entry(key).or_default();
        group.rows += 1;
        match row.status {
            Status::Ok => {
                group.fitted += 1;
                group.flagged += usize::from(!row.qc_flags.is_empty());
                group.snr.extend(row.snr);
                group.fwhm_hz.extend(row.fwhm_hz);
                group.error_percent.extend(row.expected_error_percent);
            }
            Status::Failed => group.failed += 1,
            Status::Skipped => group.skipped += 1,
        }
        // Flags are of results.
        for flag in row.qc_flags.iter().filter(|_| row.status == Status::Ok) {
            *self.flags.entry(flag.clone()).or_default() += 1;
        }
        if row.status != Status::Ok {
            let cause = self.causes.entry(row.error_code.clone().unwrap_or_else(|| "unknown".to_owned())).or_default();
            cause.rows += 1;
            cause.is_skip = row.status == Status::Skipped;
            *cause.protocols.entry(protocol.to_owned()).or_default() += 1;
            *cause.sites.entry(row.site.clone().unwrap_or_default()).or_default() += 1;
            if cause.examples.len() < EXAMPLES {
                cause.examples.push((row.spectrum_id.clone(), row.error_message.clone().unwrap_or_default()));
            }
        }
    }
}

/// Reads them.
pub(super) fn read(results: &Path, run: &RunRecord) -> Result<Spectra, ReadTableError> {
    let mut found = Spectra::default();
    let stride = run.counts.spectra.div_ceil(MOST_ROWS).max(1);
    read_batches::<SpectrumRow>(results, &COLUMNS, |batch| {
        for row in batch {
            let protocol = protocol_of(&row);
            if found.all.n_rows.is_multiple_of(stride) {
                found.place.insert((row.spectrum_id.clone(), row.method.clone()), found.rows.len());
                found.rows.push(Spectrum { row: row.clone(), protocol: protocol.clone() });
            }
            found.all.add(&row, &protocol);
        }
    })?;
    found.methods = run.methods.iter().map(|method| method.id.clone()).collect();
    let mut others: Vec<&String> = found.all.groups.keys().map(|(_, _, method)| method).collect();
    others.sort();
    for method in others {
        if !found.methods.contains(method) {
            found.methods.push(method.clone());
        }
    }
    found.methods.retain(|method| found.all.groups.keys().any(|(_, _, other)| other == method));
    Ok(found)
}

impl Spectrum {
    /// What was measured, in words.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let row = &self.row;
        let text = |text: &Option<String>| text.clone();
        let unit = |value: Option<f64>, factor: f64, unit: &str| {
            value.map(|value| format!("{} {unit}", written(Some(factor * value), 4)))
        };
        let transients = row.n_transients.map(|n| match row.n_transients_kept {
            Some(kept) if kept != n => format!("{kept} of {n}"),
            _ => n.to_string(),
        });
        let added = (!row.added_components.is_empty()).then(|| row.added_components.join(", "));
        [
            ("Subject", text(&row.subject)),
            ("Session", text(&row.session)),
            ("Region", text(&row.voi)),
            ("Scanner", text(&row.vendor)),
            ("Sequence", text(&row.sequence)),
            ("Sub-spectrum", text(&row.subspec)),
            ("Frequency", unit(row.f0_mhz, 1.0, "MHz")),
            ("TE", unit(row.te_s, 1e3, "ms")),
            ("TR", unit(row.tr_s, 1e3, "ms")),
            ("Transients", transients),
            ("Voxel", unit(row.voxel_ml, 1.0, "ml")),
            ("Basis set", text(&row.basis_id)),
            ("Water reference", text(&row.water_reference_path)),
            ("Added to the model", added),
            ("End of the fit", text(&row.state)),
            ("File", Some(row.source_path.clone())),
        ]
        .into_iter()
        .filter_map(|(name, text)| Some((name, text.filter(|text| !text.is_empty())?)))
        .collect()
    }
}
