//! Results of a study made of nothing: rows straight into the store, and what the command makes of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use requant::store::{DatasetWriter, IfExists, MetaboliteRow, RunRecord, SpectrumRow, Status};

/// Rows of a table, by column.
pub(crate) type Rows = Vec<BTreeMap<String, String>>;

/// A spectrum that was fitted.
pub(crate) fn spectrum(subject: &str, site: &str) -> SpectrumRow {
    SpectrumRow {
        spectrum_id: format!("sub-{subject}/mrs/sub-{subject}_svs"),
        source_path: format!("sub-{subject}/mrs/sub-{subject}_svs.nii.gz"),
        subject: Some(subject.to_owned()),
        site: Some(site.to_owned()),
        method: "map".to_owned(),
        status: Status::Ok,
        snr: Some(30.0),
        fwhm_hz: Some(6.0),
        ..SpectrumRow::default()
    }
}

/// A metabolite of a spectrum: its amplitude, which is the ratio as well, and the standard deviation.
pub(crate) fn metabolite(of: &SpectrumRow, name: &str, value: f64, sd: f64) -> MetaboliteRow {
    MetaboliteRow {
        spectrum_id: of.spectrum_id.clone(),
        subject: of.subject.clone(),
        session: of.session.clone(),
        site: of.site.clone(),
        voi: of.voi.clone(),
        method: of.method.clone(),
        metabolite: name.to_owned(),
        amplitude: Some(value),
        sd_posterior: Some(sd),
        crlb_percent: Some(100.0 * sd / value),
        ratio_tcr: Some(value),
        ratio_tcr_sd: Some(sd),
        ..MetaboliteRow::default()
    }
}

/// Results on disk, and files beside them.
pub(crate) struct Corpus {
    folder: tempfile::TempDir,
    pub(crate) spectra: Vec<SpectrumRow>,
    pub(crate) metabolites: Vec<MetaboliteRow>,
}

impl Corpus {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), spectra: Vec::new(), metabolites: Vec::new() }
    }

    /// One person a label, with glutamate.
    pub(crate) fn of(subjects: &[&str]) -> Self {
        let mut corpus = Self::new();
        for (number, subject) in subjects.iter().enumerate() {
            corpus.add(
                spectrum(subject, if number % 2 == 0 { "oslo" } else { "bern" }),
                &[("Glu", 1.25 + number as f64 / 7.0)],
            );
        }
        corpus
    }

    pub(crate) fn add(&mut self, row: SpectrumRow, values: &[(&str, f64)]) {
        self.metabolites.extend(values.iter().map(|(name, value)| metabolite(&row, name, *value, 0.05)));
        self.spectra.push(row);
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.at(name), text).unwrap();
        self.at(name)
    }

    pub(crate) fn write(&self) {
        let mut writer =
            DatasetWriter::create(&self.at("results"), IfExists::Overwrite).unwrap().of_run("0123abcd".to_owned());
        self.spectra.iter().for_each(|row| writer.spectrum(row.clone()).unwrap());
        self.metabolites.iter().for_each(|row| writer.metabolite(row.clone()).unwrap());
        writer.finish(RunRecord::new("cpu", 1)).unwrap();
    }

    pub(crate) fn run(&self, more: &[&str]) -> Output {
        self.write();
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        command.args(["export", "results", "--out", "study", "--overwrite"]).args(more);
        command.current_dir(self.folder.path()).output().unwrap()
    }

    /// What is said, both to read and as notes.
    #[track_caller]
    pub(crate) fn export(&self, more: &[&str]) -> String {
        let output = self.run(more);
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(output.status.success(), "{text}");
        text
    }

    /// The exit code and the one line that says why.
    #[track_caller]
    pub(crate) fn refused(&self, more: &[&str]) -> (i32, String) {
        let output = self.run(more);
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
        (output.status.code().unwrap(), text)
    }

    /// The rows of a table that was exported.
    pub(crate) fn rows(&self, name: &str) -> Rows {
        let path = self.at("study").join(name);
        let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(&path).unwrap();
        let header = reader.headers().unwrap().clone();
        let row = |record: csv::StringRecord| {
            header.iter().map(str::to_owned).zip(record.iter().map(str::to_owned)).collect()
        };
        reader.records().map(|record| row(record.unwrap())).collect()
    }
}

pub(crate) fn column(rows: &Rows, name: &str) -> Vec<String> {
    rows.iter().map(|row| row[name].clone()).collect()
}

pub(crate) fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}
