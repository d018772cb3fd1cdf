//! Manifests as people write them, as `requant plan` writes them, what they carry through to the tables, and labels out of
//! paths.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::small_files::*;
use ndarray::Array5;
use num_complex::Complex64;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use requant::acquisition::{Acquisition, Facts, FileKind};
use requant::corpus::{FindError, Found, Listing, find};
use requant::formats::nifti_mrs;
use requant::store::{PlannedRow, SpectrumRow, read_run, read_table};

/// A file that can be prepared; it states neither echo time nor sequence.
fn spectrum() -> Vec<u8> {
    let sample = |n: usize| Complex64::from_polar((-0.02 * n as f64).exp(), 0.9 * n as f64);
    let data = Acquisition {
        facts: Facts { dwell_s: Some(5e-4), f0_mhz: Some(123.2), ..Facts::default() },
        ..Acquisition::from_samples(nifti_mrs::NAME, Array5::from_shape_fn((1, 1, 1, 1, 256), |i| sample(i.4)))
    };
    nifti_mrs::encode(&data)
}

/// A folder to work in.
struct Setup(tempfile::TempDir);

impl Setup {
    /// Two sites with two files each, which state no echo time and no sequence.
    fn new() -> Self {
        let setup = Self(tempfile::tempdir().unwrap());
        for name in ["oslo/01_a", "oslo/02_a", "bergen/01_a", "bergen/02_b"] {
            setup.write(&format!("scans/{name}/press.nii"), spectrum());
        }
        setup
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn requant(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        command.args(args).current_dir(self.0.path()).env_remove("SLURM_ARRAY_TASK_ID");
        command.output().unwrap()
    }

    fn done(&self, args: &[&str]) -> String {
        let output = self.requant(args);
        // 65: rows that are there and none of which was fitted.
        assert!(matches!(output.status.code(), Some(0 | 65)), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, more: &[&str]) -> Vec<SpectrumRow> {
        let out = format!("out-{}", self.0.path().read_dir().unwrap().count());
        self.done(&[&["run", "--engine", "cpu", "--out", &out], more].concat());
        read_table(&self.at(&out)).unwrap()
    }

    /// What a manifest of that content lists.
    fn listed(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Listing, FindError> {
        self.write(name, bytes);
        find(&[self.at(name)], &|_: &Path| FileKind::Spectrum)
    }
}

fn labels(row: &SpectrumRow) -> [Option<&str>; 4] {
    [&row.site, &row.subject, &row.session, &row.voi].map(|label| label.as_deref())
}

fn column_names(out: &Path) -> Vec<String> {
    let file = fs::File::open(out.join("spectra/part-00000.parquet")).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    builder.schema().fields().iter().map(|field| field.name().clone()).collect()
}

fn carried(row: &SpectrumRow) -> String {
    row.carried.iter().map(|(name, text)| format!("{name}={text}")).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_manifest_that_a_plan_writes_gives_the_same_rows() {
    let setup = Setup::new();
    setup.write("scans/water/x_act.SDAT", [1; 256]);
    setup.write("scans/water/x_act.SPAR", SPAR);
    setup.write("scans/water/x_ref.SDAT", [1; 256]);
    setup.write("scans/water/x_ref.SPAR", SPAR);
    setup.write("scans/lone_ref.SDAT", [1; 256]);
    setup.write("scans/lone_ref.SPAR", SPAR);
    setup.write("scans/sub-07/ses-1/=odd, \"name\".nii", small_nifti());
    setup.write("scans/same.nii", small_nifti());
    setup.write("scans/same.raw", small_raw());
    let mut rows = setup.run(&["scans", "--te-s", "0.03"]);
    // Neither lone references are listed nor what holds the scan of another file (`same.raw`).
    rows.retain(|row| !["water_reference", "same_scan"].contains(&row.error_code.as_deref().unwrap_or_default()));
    // In INPUT, beside it, far from it; both separators.
    for name in ["scans/m.csv", "m.csv", "lists/deep/m.csv", "lists/m.tsv"] {
        fs::create_dir_all(setup.at(name).parent().unwrap()).unwrap();
        let told = setup.done(&["plan", "scans", "--te-s", "0.03", "--engine", "cpu", "--manifest", name]);
        assert!(told.contains("1 water references without a spectrum"), "{told}");
        assert!(told.contains("1 files that hold the scan of another one"), "{told}");
        let mut again = setup.run(&[name]);
        assert_eq!(again.len(), rows.len());
        for (row, other) in rows.iter().zip(&mut again) {
            // What paths are relative to is another folder.
            let relative = |path: &str| path.trim_start_matches("../").trim_start_matches("scans/").to_owned();
            assert_eq!(relative(&row.source_path), relative(&other.source_path));
            other.source_path.clone_from(&row.source_path);
            assert_eq!(row.water_reference_path.is_some(), other.water_reference_path.is_some());
            other.water_reference_path.clone_from(&row.water_reference_path);
            other.error_message.clone_from(&row.error_message);
            assert_eq!(row, other, "{name}");
        }
    }
}

#[test]
fn the_manifest_marks_what_is_to_be_filled_in_and_filling_it_in_mends_it() {
    let setup = Setup::new();
    let told = setup.done(&["plan", "scans", "--engine", "cpu", "--manifest", "m.csv"]);
    assert!(told.contains("4 files · 123 MHz · te_s not stated: give --te-s, or fill in `te_s`"), "{told}");
    assert!(told.contains("no concentrations, no eddy-current correction:\n      4 files"), "{told}");
    let text = fs::read_to_string(setup.at("m.csv")).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    assert!(first.starts_with("path,to_fill_in,water_path,id,"), "{first}");
    let to_fill_in =
        "sequence (no fit); te_s (no fit); water_path (no concentrations); tr_s (no correction for saturation)";
    assert_eq!(rest.matches(to_fill_in).count(), 4, "{rest}");
    // As a person fills it in: by the titles.
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let titles = reader.headers().unwrap().clone();
    let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
    writer.write_record(&titles).unwrap();
    for record in reader.records().map(Result::unwrap) {
        let filled = titles.iter().zip(&record).map(|(title, cell)| match title {
            "sequence" => "PRESS".to_owned(),
            "te_s" => "0,035".to_owned(),
            _ => cell.to_owned(),
        });
        writer.write_record(filled.collect::<Vec<_>>()).unwrap();
    }
    setup.write("filled.csv", writer.into_inner().unwrap());
    let told = setup.done(&["plan", "filled.csv", "--engine", "cpu", "--out", "planned", "--manifest", "again.csv"]);
    assert!(!told.contains("te_s not stated"), "{told}");
    // What was stated is stated again, and can be read.
    let listing = find(&[setup.at("again.csv")], &|_: &Path| FileKind::Spectrum).unwrap();
    for found in &listing.found {
        assert_eq!((found.overrides.facts.te_s, &found.problem), (Some(0.035), &None));
        assert_eq!(found.overrides.facts.sequence.as_deref(), Some("PRESS"));
    }
    let planned: Vec<PlannedRow> = read_table(&setup.at("planned")).unwrap();
    let spectra: Vec<&PlannedRow> = planned.iter().filter(|row| row.chunk.is_some()).collect();
    assert_eq!(spectra.len(), 4);
    for row in spectra {
        assert_eq!((row.te_s, row.sequence.as_deref()), (Some(0.035), Some("PRESS")));
        assert_eq!(
            (row.status.as_deref(), &row.to_fill_in[..]),
            (Some("ready"), &["water_path".to_owned(), "tr_s".to_owned()][..])
        );
    }
}

#[test]
fn a_manifest_that_is_there_is_not_lost() {
    let setup = Setup::new();
    let plan = |more: &[&str]| setup.requant(&[&["plan", "--engine", "cpu"], more].concat());
    assert_eq!(plan(&["scans"]).status.code(), Some(2), "neither --out nor --manifest");
    assert_eq!(plan(&["scans", "--manifest", "m.xlsx"]).status.code(), Some(2));
    assert_eq!(plan(&["scans", "--manifest", "m.csv"]).status.code(), Some(0));
    let before = fs::read(setup.at("m.csv")).unwrap();
    assert_eq!(plan(&["scans", "--manifest", "m.csv"]).status.code(), Some(73));
    // What is read, or was not written by a plan, stays whatever is asked for.
    assert_eq!(plan(&["m.csv", "--manifest", "m.csv", "--overwrite"]).status.code(), Some(73));
    setup.write("participants.tsv", "participant_id\tsite\n");
    assert_eq!(plan(&["scans", "--manifest", "participants.tsv", "--overwrite"]).status.code(), Some(73));
    assert_eq!(fs::read(setup.at("m.csv")).unwrap(), before);
    assert_eq!(plan(&["scans/oslo", "--manifest", "m.csv", "--overwrite"]).status.code(), Some(0));
    assert_ne!(fs::read(setup.at("m.csv")).unwrap(), before);
}

#[test]
fn columns_of_its_own_go_through_to_the_tables_whatever_way_they_take() {
    let setup = Setup::new();
    let lines: Vec<String> = ["oslo/01_a", "oslo/02_a", "bergen/01_a", "bergen/02_b"]
        .iter()
        .zip(["31,Philips Achieva", "40,", ",GE", "7,\"a, b\""])
        .map(|(path, cells)| format!("scans/{path}/press.nii,{cells},,-5"))
        .collect();
    setup.write("m.csv", format!("path,Age,Scanner model,empty,x_score\n{}\n", lines.join("\n")));
    let expected = [
        "x_age=31 x_scanner_model=Philips Achieva x_score=-5",
        "x_age=40 x_score=-5",
        "x_scanner_model=GE x_score=-5",
        "x_age=7 x_scanner_model=a, b x_score=-5",
    ];
    let check = |out: &str| {
        let rows: Vec<SpectrumRow> = read_table(&setup.at(out)).unwrap();
        assert_eq!(rows.iter().map(carried).collect::<Vec<_>>(), expected, "{out}");
        let names = column_names(&setup.at(out));
        assert_eq!(names[names.len() - 4..], ["x_age", "x_scanner_model", "x_empty", "x_score"], "{out}");
    };
    let run =
        |out: &str, more: &[&str]| setup.done(&[&["run", "m.csv", "--engine", "cpu", "--out", out], more].concat());
    run("whole", &[]);
    check("whole");
    for shard in ["1/3", "2/3", "3/3"] {
        run("shards", &["--shard", shard, "--memory", "84MiB", "--threads", "2"]);
    }
    setup.done(&["merge", "shards", "--out", "merged"]);
    check("merged");
    assert_eq!(read_run(&setup.at("whole")).unwrap().run_id, read_run(&setup.at("merged")).unwrap().run_id);
    assert_eq!(
        fs::read(setup.at("whole/spectra/part-00000.parquet")).unwrap(),
        fs::read(setup.at("merged/spectra/part-00000.parquet")).unwrap()
    );
    let compared = setup.requant(&["compare", "whole", "merged"]);
    assert!(compared.status.code().is_some_and(|code| code != 101), "{compared:?}");
    // A plan's manifest has them, too.
    setup.done(&["plan", "m.csv", "--engine", "cpu", "--manifest", "lists.csv"]);
    setup.done(&["run", "lists.csv", "--engine", "cpu", "--out", "again"]);
    check("again");
}

#[test]
fn a_changed_cell_of_its_own_does_its_rows_again() {
    let setup = Setup::new();
    let manifest = |age: &str| format!("path,age\nscans/oslo/01_a/press.nii,30\nscans/oslo/02_a/press.nii,{age}\n");
    setup.write("m.csv", manifest("40"));
    let run = |more: &[&str]| setup.requant(&[&["run", "m.csv", "--engine", "cpu", "--out", "out"], more].concat());
    assert!(
        run(&["--shard", "1/2", "--memory", "84MiB", "--threads", "2"])
            .status
            .code()
            .is_some_and(|code| [0, 65].contains(&code))
    );
    setup.write("m.csv", manifest("41"));
    assert!(matches!(run(&["--resume"]).status.code(), Some(0 | 65)));
    let rows: Vec<SpectrumRow> = read_table(&setup.at("out")).unwrap();
    assert_eq!(rows.iter().map(carried).collect::<Vec<_>>(), ["x_age=30", "x_age=41"]);
}

#[test]
fn datasets_with_other_columns_of_their_own_are_one() {
    let setup = Setup::new();
    setup.write("a.csv", "path,age\nscans/oslo/01_a/press.nii,30\n");
    setup.write("b.csv", "path,group\nscans/oslo/02_a/press.nii,x\n");
    for name in ["a", "b"] {
        setup.done(&["run", &format!("{name}.csv"), "--engine", "cpu", "--out", name]);
    }
    requant::run::union::union(&[setup.at("a"), setup.at("b")], &setup.at("both"), requant::store::IfExists::Refuse)
        .unwrap();
    let rows: Vec<SpectrumRow> = read_table(&setup.at("both")).unwrap();
    assert_eq!(rows.iter().map(carried).collect::<Vec<_>>(), ["x_age=30", "x_group=x"]);
    assert!(column_names(&setup.at("both")).ends_with(&["x_age".to_owned(), "x_group".to_owned()]));
    // Two manifests as INPUT, likewise.
    let rows = setup.run(&["a.csv", "b.csv"]);
    assert_eq!(rows.iter().map(carried).collect::<Vec<_>>(), ["x_age=30", "x_group=x"]);
}

#[test]
fn misspelt_columns_and_persons_are_told() {
    let setup = Setup::new();
    setup.write("m.csv", "path,TE,participant_id,Patient Name\nscans/oslo/01_a/press.nii,35,7,Doe^Jane\n");
    let told = setup.done(&["run", "m.csv", "--engine", "cpu", "--out", "out"]);
    for what in ["`TE` (is `te_s` meant?)", "`participant_id` (is `subject` meant?)", "name persons", "Patient Name"] {
        assert!(told.contains(what), "{told}");
    }
    let rows: Vec<SpectrumRow> = read_table(&setup.at("out")).unwrap();
    assert_eq!((carried(&rows[0]).as_str(), rows[0].te_s), ("x_participant_id=7 x_te=35", None));
    for file in
        walkdir::WalkDir::new(setup.at("out")).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file())
    {
        let bytes = fs::read(file.path()).unwrap();
        // The page's own words have a "Does".
        assert!(!bytes.windows(4).any(|part| part == b"Doe^" || part == b"Jane"), "{file:?}");
    }
}

#[test]
fn labels_come_from_paths_and_a_manifest_goes_before_them() {
    let setup = Setup::new();
    let pattern = ["--site-from", "{site}/{subject}_{session}/*"];
    let rows = setup.run(&["scans", pattern[0], pattern[1]]);
    let shown: Vec<[Option<&str>; 4]> = rows.iter().map(labels).collect();
    let one = |site, subject, session| [Some(site), Some(subject), Some(session), None];
    let expected = [one("bergen", "01", "a"), one("bergen", "02", "b"), one("oslo", "01", "a"), one("oslo", "02", "a")];
    assert_eq!(shown, expected);
    setup.write("scans/m.csv", "path,site,subject\noslo/01_a/press.nii,Ullevål,99\nbergen/01_a/press.nii,,\n");
    let rows = setup.run(&["scans/m.csv", pattern[0], pattern[1]]);
    assert_eq!(rows.iter().map(labels).collect::<Vec<_>>(), [one("Ullevål", "99", "a"), one("bergen", "01", "a")]);
    // They go before BIDS names and participants.tsv.
    setup.write("bids/oslo/sub-01/x.nii", small_nifti());
    setup.write("bids/dataset_description.json", "{}");
    setup.write("bids/participants.tsv", "participant_id\tsite\nsub-01\tBergen\n");
    assert_eq!(labels(&setup.run(&["bids"])[0])[..2], [Some("Bergen"), Some("01")]);
    assert_eq!(labels(&setup.run(&["bids", "--site-from", "{site}/**"])[0])[..2], [Some("oslo"), Some("01")]);
}

#[test]
fn paths_that_do_not_fit_are_told_and_keep_their_labels() {
    let setup = Setup::new();
    setup.write("scans/stray/sub-09_x.nii", small_nifti());
    let told =
        setup.done(&["plan", "scans", "--engine", "cpu", "--out", "p", "--site-from", "{site}/{subject}_{session}/*"]);
    assert!(told.contains("1 of 5 files do not fit --site-from") && told.contains("stray/sub-09_x.nii"), "{told}");
    let rows: Vec<PlannedRow> = read_table(&setup.at("p")).unwrap();
    let stray = rows.iter().find(|row| row.source_path.contains("stray")).unwrap();
    assert_eq!((stray.site.as_deref(), stray.subject.as_deref()), (None, Some("09")));
    for (pattern, advice) in [
        ("{center}/*", "{center} is no label"),
        ("*/*", "holds no label"),
        ("{site}/{site}", "twice"),
        ("{site", "brace"),
        ("/{site}/*", "below INPUT"),
    ] {
        for command in ["run", "plan", "learn"] {
            let refused = setup.requant(&[command, "scans", "--out", "x", "--site-from", pattern]);
            assert_eq!(refused.status.code(), Some(2), "{pattern}");
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert!(told.contains(advice), "{told}");
        }
    }
}

#[test]
fn zeros_that_a_spreadsheet_took_away_are_put_back_and_told() {
    let setup = Setup::new();
    setup.write("bids/sub-007/sub-007_svs.nii", small_nifti());
    setup.write("m.csv", "path,subject\nbids/sub-007/sub-007_svs.nii,7\n");
    let told = setup.done(&["run", "m.csv", "--engine", "cpu", "--out", "out"]);
    assert!(told.contains("`7` for `007`"), "{told}");
    let rows: Vec<SpectrumRow> = read_table(&setup.at("out")).unwrap();
    assert_eq!(rows[0].subject.as_deref(), Some("007"));
}

/// The forms in which spreadsheets give one and the same table.
fn forms(lines: &[[&str; 3]]) -> Vec<(&'static str, String, Vec<u8>)> {
    let mut forms = Vec::new();
    for (delimiter, name) in [(",", "m.csv"), (";", "m.csv"), ("\t", "m.csv"), ("\t", "m.tsv"), (",", "m.tsv")] {
        for (end, quoted) in [("\n", false), ("\r\n", true), ("\r", false)] {
            let cell = |text: &str| if quoted { format!("\"{text}\"") } else { text.to_owned() };
            let line = |cells: &[&str; 3]| format!("{}{delimiter}{delimiter}", cells.map(cell).join(delimiter));
            // Rows without content stand before, between and behind.
            let text =
                lines.iter().map(line).collect::<Vec<_>>().join(&format!("{end}{delimiter}{end}{end}")) + end + end;
            let what = format!("{name} {delimiter:?} {end:?} {quoted}");
            forms.push((name, format!("{what} UTF-8"), text.clone().into_bytes()));
            forms.push((name, format!("{what} BOM"), [b"\xef\xbb\xbf", text.as_bytes()].concat()));
            let units: Vec<u16> = format!("\u{feff}{text}").encode_utf16().collect();
            forms.push((name, format!("{what} UTF-16"), units.iter().flat_map(|unit| unit.to_le_bytes()).collect()));
        }
    }
    forms
}

#[test]
fn every_form_of_a_spreadsheet_is_the_same_manifest() {
    let setup = Setup::new();
    let lines = [
        [" File Name ", "TE_s", "Site"],
        ["scans/oslo/01_a/press.nii", "0.035", "Malmö"],
        ["scans\\oslo\\02_a\\press.nii", "n/a", "NA"],
    ];
    for (name, what, bytes) in forms(&lines) {
        let listing = setup.listed(name, bytes).unwrap_or_else(|e| panic!("{what}: {e}"));
        let [first, second] = &listing.found[..] else { panic!("{what}: {listing:?}") };
        assert!(first.problem.is_none() && second.problem.is_none(), "{what}: {listing:?}");
        let said = |found: &Found| (found.overrides.facts.te_s, found.site.clone());
        assert_eq!((said(first), said(second)), ((Some(0.035), Some("Malmö".into())), (None, None)), "{what}");
        let told: Vec<String> = listing.warnings.iter().map(ToString::to_string).collect();
        assert!(told[0].contains("`File Name` is taken as `path`") && told[1].contains("1 cells `NA`"), "{told:?}");
    }
}

#[test]
fn what_cannot_be_read_as_a_manifest_is_met_with_advice() {
    let setup = Setup::new();
    let refused = |name: &str, bytes: &[u8], advice: &str| {
        setup.write(name, bytes);
        let output = setup.requant(&["run", name, "--engine", "cpu", "--out", "out"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(told.contains(advice), "{name}: {told}");
    };
    let archive = b"PK\x03\x04\x14\0\0\0\x08\0xl/workbook.xml";
    for name in ["m.xlsx", "m.XLSX", "m.xls", "m.ods", "m.csv", "m.tsv"] {
        refused(name, archive, "CSV UTF-8");
    }
    refused("latin.csv", b"path,site\nx.nii,Malm\xf6\n", "line 2) is not UTF-8");
    refused("open.csv", b"path,site\n\"x.nii,a\ny.nii,b\n", "quotation mark");
    refused("none.csv", b"scan,te_s\nx,0.03\n", "there is no column `path`; its first columns are `scan`, `te_s`");
    refused("two.csv", b"file,filename\nx,y\n", "`file` or `filename`");
    refused("empty.csv", b"", "there is no column `path`");
}

#[test]
fn faulty_lines_are_rows_that_say_what_to_write() {
    let setup = Setup::new();
    setup.write(
        "m.csv",
        "path;te_s;tr_s\nscans/oslo/01_a/press.nii;35;\nscans/oslo/02_a/press.nii;0,035;1.500\n\
         scans/OSLO/01_a/press.nii;;\n~/x.nii;;\nC:\\scans\\x.nii;;\nscans/oslo/01_a/PRESS.NII;;\n;0.03;\n",
    );
    let rows = setup.run(&["m.csv"]);
    let advice = [
        "milliseconds (te_s = 0.035)",
        "",
        "no such file",
        "home folder",
        "Windows",
        "there is press.nii",
        "path is empty",
    ];
    assert_eq!(rows.len(), advice.len());
    for (line, (row, advice)) in rows.iter().zip(advice).enumerate() {
        let message = row.error_message.as_deref().unwrap_or_default();
        let is_fault = row.error_code.as_deref() == Some("manifest_line");
        assert_eq!(is_fault, !advice.is_empty(), "{message}");
        assert!(!is_fault || message.contains(advice) && message.contains(&format!("line {} ", line + 2)), "{message}");
    }
    assert_eq!((rows[1].te_s, rows[1].tr_s), (Some(0.035), Some(1.5)));
}
