//! The output folder as users and scripts rely on it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use requant::store::provenance::GIT_HASH;
use requant::store::{
    CurveRow, DatasetWriter, IfExists, MetaboliteRow, RunRecord, SCHEMA_VERSION, SpectrumRow, Status, StoreError,
    Table, columns_markdown, read_run, read_table,
};

fn spectrum(index: usize) -> SpectrumRow {
    SpectrumRow {
        spectrum_id: format!("sub-{index:04}/mrs/sub-{index:04}_svs"),
        source_path: format!("sub-{index:04}/mrs/sub-{index:04}_svs.nii.gz"),
        subject: Some(format!("{index:04}")),
        method: "lcm".to_owned(),
        status: Status::Ok,
        f0_mhz: Some(123.2),
        n_points: Some(2048),
        snr: Some(20.0 + 0.01 * index as f64),
        covariance_names: vec!["NAA".to_owned(), "Cr".to_owned()],
        covariance: Some(vec![1.0, 0.25, 2.0]),
        qc_flags: if index.is_multiple_of(3) { vec!["low_snr".to_owned()] } else { vec![] },
        ..SpectrumRow::default()
    }
}

fn metabolite(index: usize) -> MetaboliteRow {
    MetaboliteRow {
        spectrum_id: spectrum(index).spectrum_id,
        method: "lcm".to_owned(),
        metabolite: "tNAA".to_owned(),
        is_sum: true,
        sum_of: vec!["NAA".to_owned(), "NAAG".to_owned()],
        amplitude: Some(8.0 + (index as f64).sin()),
        at_bound: Some(false),
        ..MetaboliteRow::default()
    }
}

fn curve(index: usize) -> CurveRow {
    let ramp: Vec<f32> = (0..50_u8).map(|i| f32::from(i) * 0.1).collect();
    CurveRow {
        spectrum_id: spectrum(index).spectrum_id,
        method: "lcm".to_owned(),
        shift_hz: Some(1.5),
        phi0_deg: Some(-20.0),
        phi1_deg_per_ppm: Some(0.5),
        ppm: Some(ramp.clone()),
        data: Some(ramp.clone()),
        fit: Some(ramp.clone()),
        baseline: Some(vec![0.0; 50]),
        residual: Some(vec![0.0; 50]),
        component_names: vec!["NAA".to_owned(), "Cr".to_owned()],
        components: vec![ramp, vec![0.5; 50]],
        ..CurveRow::default()
    }
}

fn write(dir: &Path, n: usize, with_curves: bool, if_exists: IfExists) -> Vec<PathBuf> {
    let mut writer = DatasetWriter::create(dir, if_exists).unwrap().of_run("0123abcd".to_owned());
    for index in 0..n {
        writer.spectrum(spectrum(index)).unwrap();
        writer.metabolite(metabolite(index)).unwrap();
        if with_curves {
            writer.curve(curve(index)).unwrap();
        }
    }
    writer.finish(RunRecord::new("cpu", 2)).unwrap()
}

fn files_below(dir: &Path) -> BTreeSet<String> {
    walkdir::WalkDir::new(dir)
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(dir).unwrap().to_string_lossy().into_owned())
        .collect()
}

fn names(list: &[&str]) -> BTreeSet<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn rows_come_back_in_order_and_counts_match() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("new/out");
    let written = write(&out, 700, true, IfExists::Refuse);
    assert_eq!(
        files_below(&out),
        names(&[
            "run.json",
            "spectra/part-00000.parquet",
            "metabolites/part-00000.parquet",
            "curves/part-00000.parquet",
            "curves/part-00001.parquet",
        ])
    );
    assert_eq!(written.last().unwrap(), &out.join("run.json"));
    let expected: Vec<SpectrumRow> = (0..700).map(spectrum).collect();
    assert_eq!(read_table::<SpectrumRow>(&out).unwrap(), expected);
    let expected: Vec<MetaboliteRow> = (0..700).map(metabolite).collect();
    assert_eq!(read_table::<MetaboliteRow>(&out).unwrap(), expected);
    let expected: Vec<CurveRow> = (0..700).map(curve).collect();
    assert_eq!(read_table::<CurveRow>(&out).unwrap(), expected);
    let counts = read_run(&out).unwrap().counts;
    assert_eq!((counts.spectra, counts.ok, counts.metabolites, counts.curves), (700, 700, 700, 700));
}

#[test]
fn a_dataset_without_rows_is_still_one() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 0, false, IfExists::Refuse);
    assert!(read_table::<SpectrumRow>(dir.path()).unwrap().is_empty());
    assert!(read_table::<CurveRow>(dir.path()).unwrap().is_empty());
    assert!(dir.path().join("spectra/part-00000.parquet").exists());
}

#[test]
fn equal_rows_make_equal_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    write(&one, 5000, true, IfExists::Refuse);
    // Time and machine may differ; they go to run.json only.
    let mut writer = DatasetWriter::create(&two, IfExists::Refuse).unwrap().of_run("0123abcd".to_owned());
    (0..5000).for_each(|i| writer.curve(curve(i)).unwrap());
    (0..5000).for_each(|i| writer.metabolite(metabolite(i)).unwrap());
    (0..5000).for_each(|i| writer.spectrum(spectrum(i)).unwrap());
    let mut run = RunRecord::new("cpu", 64);
    run.started_utc = Some("1970-01-01T00:00:01Z".to_owned());
    writer.finish(run).unwrap();
    let files = files_below(&one);
    assert_eq!(files, files_below(&two));
    assert_eq!(files.len(), 3 + 10);
    for file in files.iter().filter(|file| file.ends_with(".parquet")) {
        assert!(fs::read(one.join(file)).unwrap() == fs::read(two.join(file)).unwrap(), "{file}");
    }
}

#[test]
fn what_is_not_finite_is_null_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = DatasetWriter::create(dir.path(), IfExists::Refuse).unwrap();
    let mut row = spectrum(0);
    row.snr = Some(f64::NAN);
    row.noise_sd = Some(f64::INFINITY);
    row.covariance = Some(vec![1.0, f64::NAN, 2.0]);
    writer.spectrum(row).unwrap();
    writer.finish(RunRecord::new("cpu", 1)).unwrap();
    let rows = read_table::<SpectrumRow>(dir.path()).unwrap();
    assert_eq!((rows[0].snr, rows[0].noise_sd), (None, None));
    let file = fs::File::open(dir.path().join("spectra/part-00000.parquet")).unwrap();
    let batch = ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap().next().unwrap().unwrap();
    assert_eq!(batch.column_by_name("snr").unwrap().null_count(), 1);
    assert!(rows[0].covariance.as_ref().unwrap()[1].is_nan());
}

fn check_file_metadata<T: Table>(out: &Path) {
    let file = fs::File::open(out.join(T::NAME).join("part-00000.parquet")).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    for field in reader.schema().fields() {
        let metadata = field.metadata();
        assert!(metadata.get("unit").is_some(), "{}: no unit", field.name());
        assert!(metadata.get("definition").is_some_and(|d| d.len() > 5), "{}", field.name());
    }
    let metadata = reader.metadata().file_metadata();
    let pairs = metadata.key_value_metadata().unwrap();
    let value = |key: &str| pairs.iter().find(|p| p.key == key).and_then(|p| p.value.as_deref());
    assert_eq!(value("requant_schema_version"), Some(SCHEMA_VERSION));
    assert_eq!(value("requant_version"), Some(env!("CARGO_PKG_VERSION")));
    assert_eq!(value("requant_git_hash"), GIT_HASH);
    let run = read_run(out).unwrap();
    assert_eq!((value("requant_run_id"), run.git_hash.as_deref()), (Some("0123abcd"), GIT_HASH));
    assert_eq!(run.run_id, "0123abcd");
    assert_eq!(metadata.created_by().unwrap(), concat!("requant ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn files_explain_themselves() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 1, true, IfExists::Refuse);
    check_file_metadata::<SpectrumRow>(dir.path());
    check_file_metadata::<MetaboliteRow>(dir.path());
    check_file_metadata::<CurveRow>(dir.path());
}

/// The columns that the contract promises; dropping one breaks users.
#[test]
fn promised_columns_are_there() {
    let has = |columns: Vec<&str>, promised: &str| {
        for name in promised.split_whitespace() {
            assert!(columns.contains(&name), "{name} is missing");
        }
    };
    has(
        SpectrumRow::columns().iter().map(|c| c.name).collect(),
        "spectrum_id source_path source_sha256 subject session site voi voxel_i voxel_j voxel_k \
         subspec vendor sequence f0_mhz te_s tr_s dwell_s n_points n_coils n_transients basis_id \
         method method_hash learned_id engine status error_code error_message state n_iterations \
         noise_sd snr fwhm_hz chi2_reduced baseline_ed phi0_deg phi1_deg_per_ppm shift_hz \
         lorentz_hz gauss_hz water_amplitude water_te_s water_tr_s covariance qc_flags snr_residual",
    );
    has(
        MetaboliteRow::columns().iter().map(|c| c.name).collect(),
        "spectrum_id method metabolite is_sum amplitude amplitude_free sd_noise sd_posterior \
         crlb_percent at_bound shift_hz lorentz_hz ratio_tcr ratio_tcr_sd conc_lcmodel_mmol_per_kg",
    );
}

#[test]
fn no_column_is_named_like_a_patient_field() {
    let columns = SpectrumRow::columns();
    for word in ["patient", "name", "birth", "physician", "address", "serial"] {
        for column in columns.iter().filter(|column| column.name != "covariance_names") {
            assert!(!column.name.contains(word), "{}", column.name);
        }
    }
}

#[test]
fn something_there_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 2, false, IfExists::Refuse);
    let error = DatasetWriter::create(dir.path(), IfExists::Refuse).unwrap_err();
    assert!(matches!(error, StoreError::OutputExists { .. }));
    assert_eq!(error.exit_code(), 73);
    assert!(error.to_string().contains("--overwrite"));
    assert_eq!(read_table::<SpectrumRow>(dir.path()).unwrap().len(), 2);
}

#[test]
fn overwrite_replaces_its_own_files_only() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 600, true, IfExists::Refuse);
    fs::write(dir.path().join("notes.txt"), "mine").unwrap();
    fs::create_dir(dir.path().join("figures")).unwrap();
    fs::write(dir.path().join("figures/part-00000.parquet"), "mine too").unwrap();
    write(dir.path(), 3, false, IfExists::Overwrite);
    assert_eq!(
        files_below(dir.path()),
        names(&[
            "notes.txt",
            "figures/part-00000.parquet",
            "run.json",
            "spectra/part-00000.parquet",
            "metabolites/part-00000.parquet",
        ])
    );
    assert!(!dir.path().join("curves").exists());
    assert_eq!(read_table::<SpectrumRow>(dir.path()).unwrap().len(), 3);
}

#[test]
fn an_older_dataset_stays_until_the_new_one_is_complete() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), 2, false, IfExists::Refuse);
    let before = files_below(dir.path());
    let mut writer = DatasetWriter::create(dir.path(), IfExists::Overwrite).unwrap();
    (0..9000).for_each(|i| writer.spectrum(spectrum(i)).unwrap());
    writer.curve(curve(0)).unwrap();
    drop(writer);
    assert_eq!(files_below(dir.path()), before);
    assert!(!dir.path().join("curves").exists());
    assert_eq!(read_table::<SpectrumRow>(dir.path()).unwrap().len(), 2);
}

#[test]
fn a_dropped_writer_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("a/b");
    drop(DatasetWriter::create(&out, IfExists::Refuse).unwrap());
    assert!(!dir.path().join("a").exists());
}

#[test]
fn other_peoples_files_in_the_way_stop_the_run() {
    for (file, text) in [
        ("run.json", "{\"kind\": \"something else\"}"),
        ("spectra/mine.parquet", "mine"),
        ("curves", "a file, not a folder"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        let error = DatasetWriter::create(dir.path(), IfExists::Overwrite).unwrap_err();
        assert!(matches!(error, StoreError::Foreign { .. }), "{file}: {error}");
        assert_eq!(error.exit_code(), 73);
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(files_below(dir.path()), names(&[file]));
    }
}

#[test]
fn leftovers_of_a_killed_run_are_cleared_on_overwrite() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("spectra")).unwrap();
    fs::write(dir.path().join("spectra/.part-00000.parquet.1.tmp"), "half").unwrap();
    write(dir.path(), 1, false, IfExists::Overwrite);
    assert!(!files_below(dir.path()).iter().any(|file| file.ends_with(".tmp")));
}

#[test]
fn a_file_in_place_of_the_folder_cannot_be_created() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("out");
    fs::write(&path, "").unwrap();
    for target in [path.clone(), path.join("below")] {
        let error = DatasetWriter::create(&target, IfExists::Overwrite).unwrap_err();
        assert!(matches!(error, StoreError::CannotCreate { .. }));
        assert_eq!(error.exit_code(), 73);
    }
}

#[test]
fn dictionary_of_columns_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/columns.md");
    if std::env::var_os("REQUANT_UPDATE").is_some_and(|value| value == "1") {
        fs::write(&path, columns_markdown()).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == columns_markdown(),
        "docs/reference/columns.md does not match the table definitions; run \
         `REQUANT_UPDATE=1 cargo test --test house tables::` and commit the result"
    );
}
