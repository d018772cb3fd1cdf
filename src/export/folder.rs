//! The folder of an export: files appear whole, and `export.json` comes last and says what they were made of.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::dictionary;
use super::error::ExportError;
use super::options::{Format, Options};
use super::study::Study;
use super::table::Table;
use super::{write_parquet, write_text, write_xlsx};
use crate::hash::sha256_file;
use crate::output_path::path_inside;
use crate::regular_file;

/// Marks the folder of an export.
const RECORD: &str = "export.json";
/// Largest record that is read (bytes).
const MAX_RECORD_BYTES: u64 = 16 << 20;
/// Value of the record's key `kind`.
const KIND: &str = "requant-export";

/// A folder that files are put into.
#[derive(Debug)]
pub(crate) struct Folder {
    out: PathBuf,
    /// Paths in it, with `/`.
    files: Vec<String>,
    /// What a row of each table is.
    tables: BTreeMap<String, &'static str>,
}

fn cannot_write(path: &Path) -> impl FnOnce(std::io::Error) -> ExportError + use<> {
    let path = path.to_owned();
    move |e| ExportError::Write { path, message: e.to_string() }
}

impl Folder {
    /// Makes the folder; an earlier export in it goes where that is asked for.
    pub(crate) fn open(options: &Options) -> Result<Self, ExportError> {
        let out = options.out.clone();
        fs::create_dir_all(&out).map_err(cannot_write(&out))?;
        let is_empty = fs::read_dir(&out).map_err(cannot_write(&out))?.next().is_none();
        let folder = Self { out, files: Vec::new(), tables: BTreeMap::new() };
        if !is_empty {
            if !options.overwrite {
                return Err(ExportError::Exists { path: folder.out });
            }
            folder.clear()?;
        }
        Ok(folder)
    }

    /// Takes the files of an earlier export away, its record first.
    fn clear(&self) -> Result<(), ExportError> {
        let record = self.out.join(RECORD);
        let foreign = || ExportError::Foreign { path: self.out.clone() };
        let bytes = regular_file::bytes(&record, MAX_RECORD_BYTES).map_err(|_| foreign())?;
        let earlier: Value = serde_json::from_slice(&bytes).map_err(|_| foreign())?;
        if earlier.get("kind").and_then(Value::as_str) != Some(KIND) {
            return Err(foreign());
        }
        fs::remove_file(&record).map_err(cannot_write(&record))?;
        for name in earlier.get("files").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let path = self.path(name)?;
            if path.is_file() {
                fs::remove_file(&path).map_err(cannot_write(&path))?;
            }
        }
        Ok(())
    }

    fn path(&self, name: &str) -> Result<PathBuf, ExportError> {
        Ok(path_inside(&self.out, &name.split('/').collect::<Vec<_>>())?)
    }

    /// Writes a file: under another name, then in its place.
    pub(crate) fn write(
        &mut self,
        name: &str,
        content: impl FnOnce(&mut BufWriter<File>) -> Result<(), String>,
    ) -> Result<(), ExportError> {
        let path = self.path(name)?;
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(cannot_write(parent))?;
        }
        let temporary = path.with_file_name(format!(".{}.tmp", path.file_name().unwrap_or_default().to_string_lossy()));
        let mut file = BufWriter::new(File::create(&temporary).map_err(cannot_write(&temporary))?);
        content(&mut file).map_err(|message| ExportError::Write { path: path.clone(), message })?;
        file.flush().map_err(cannot_write(&path))?;
        fs::rename(&temporary, &path).map_err(cannot_write(&path))?;
        self.files.push(name.to_owned());
        Ok(())
    }

    /// Writes text.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> Result<(), ExportError> {
        self.write(name, |file| file.write_all(text.as_bytes()).map_err(|e| e.to_string()))
    }

    /// Writes a table in each of the forms; text has its dictionary beside it.
    pub(crate) fn put(&mut self, table: &Table<'_>, formats: &[Format]) -> Result<(), ExportError> {
        for format in formats {
            match format {
                Format::Tsv => self.text_of(table, write_text::TSV)?,
                Format::Csv => self.write(&format!("{}.csv", table.name), |file| {
                    write_text::write(table, write_text::CSV, file).map_err(|e| e.to_string())
                })?,
                Format::Xlsx => {
                    self.write(&format!("{}.xlsx", table.name), |file| {
                        let bytes = write_xlsx::bytes(table)?;
                        file.write_all(&bytes).map_err(|e| e.to_string())
                    })?;
                }
                Format::Parquet => self.write(&format!("{}.parquet", table.name), |file| {
                    write_parquet::write(table, file).map_err(|e| e.to_string())
                })?,
            }
        }
        let dictionary = format!("{}.json", table.name);
        if !self.files.contains(&dictionary) {
            self.dictionary(&dictionary, table)?;
        }
        Ok(())
    }

    /// Writes a table between tabs, with its dictionary; a missing number is `NaN`.
    pub(crate) fn matlab_tsv(&mut self, table: &Table<'_>) -> Result<(), ExportError> {
        self.text_of(table, write_text::MATLAB_TSV)?;
        self.dictionary(&format!("{}.json", table.name), table)
    }

    fn text_of(&mut self, table: &Table<'_>, form: write_text::Form) -> Result<(), ExportError> {
        self.write(&format!("{}.tsv", table.name), |file| {
            write_text::write(table, form, file).map_err(|e| e.to_string())
        })
    }

    fn dictionary(&mut self, name: &str, table: &Table<'_>) -> Result<(), ExportError> {
        self.tables.insert(table.name.clone(), table.row);
        let text = serde_json::to_string_pretty(&dictionary::json(table));
        let text = text.map_err(|e| ExportError::Write { path: self.out.join(name), message: e.to_string() })?;
        self.text(name, &(text + "\n"))
    }

    /// Writes the record and returns all files.
    pub(crate) fn finish(mut self, study: &Study, options: &Options) -> Result<Vec<PathBuf>, ExportError> {
        let files = options.study.participants.iter().chain(&options.study.join);
        let joined: Vec<Value> = files
            .zip(&study.joined)
            .map(|(path, joined)| {
                let keys: Vec<&str> = joined.keys.iter().map(|key| key.name()).collect();
                json!({ "file": joined.name, "sha256": sha256_file(path).ok(), "by": keys })
            })
            .collect();
        let record = json!({
            "kind": KIND,
            "requant_version": env!("CARGO_PKG_VERSION"),
            "run_id": study.record.run_id,
            "gates": study.gates,
            "biases": study.gates.biases(),
            "group": study.group_from,
            "method": options.study.method,
            "min_n": options.study.min_n,
            "joined": joined,
            "notes": study.notes,
            "tables": self.tables,
            "files": self.files,
        });
        let text = serde_json::to_string_pretty(&record)
            .map_err(|e| ExportError::Write { path: self.out.join(RECORD), message: e.to_string() })?;
        self.text(RECORD, &(text + "\n"))?;
        Ok(self.files.iter().map(|name| self.out.join(name)).collect())
    }
}
