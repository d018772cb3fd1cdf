//! The BIDS-App form: derivatives with BIDS names, text tables with sidecars, pictures, pages, filters, and labels that are
//! not there. Names as in large consortia (`…_run-1_svs`, `…_run-1_ref`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use requant::simulate::{Recipe, write};
use requant::store::{IfExists, Journal, MetaboliteRow, Opening, Plan, SpectrumRow, Timings, read_table};

/// A BIDS dataset of two participants; of the first two sessions.
struct Dataset {
    keep: tempfile::TempDir,
    basis: PathBuf,
}

impl Dataset {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
        recipe.subjects = 3;
        recipe.site.truncate(1);
        let written = write(&keep.path().join("simulated"), &recipe).unwrap();
        for (subject, name) in [(1, "sub-01/ses-V02"), (2, "sub-01/ses-V03"), (3, "sub-02/ses-V02")] {
            let id = format!("sub-{subject:04}");
            let (subject, session) = name.split_once('/').unwrap();
            let folder = keep.path().join("data").join(subject).join(session).join("mrs");
            fs::create_dir_all(&folder).unwrap();
            for (suffix, other) in [("svs", "svs"), ("mrsref", "ref")] {
                let from = written.spectra.join(&id).join("mrs").join(format!("{id}_voi-acc_{suffix}.nii.gz"));
                let to = format!("{subject}_{session}_acq-shortTE_run-1_{other}.nii.gz");
                fs::copy(from, folder.join(to)).unwrap();
            }
        }
        Self { basis: written.bases[0].clone(), keep }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.keep.path().join(path)
    }

    fn bids(&self, level: &str, more: &[&str]) -> Output {
        let mut arguments = vec!["bids", "data", "out", level];
        if level == "participant" {
            arguments.extend(["--engine", "cpu", "--basis", self.basis.to_str().unwrap()]);
        }
        arguments.extend(more);
        Command::new(env!("CARGO_BIN_EXE_requant")).args(arguments).current_dir(self.keep.path()).output().unwrap()
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Header and rows of a table, each a list of cells.
fn tsv(path: &Path) -> (Vec<String>, Vec<Vec<String>>) {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut lines = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    (lines.next().unwrap(), lines.collect())
}

#[test]
fn derivatives_have_bids_names_and_hold_the_rows_of_the_tables() {
    let dataset = Dataset::new();
    let output = dataset.bids("participant", &["--nprocs", "2", "--mem-mb", "2000", "-w", "scratch"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let own = dataset.at("out/sub-01");
    let spectra: Vec<SpectrumRow> = read_table(&own).unwrap();
    let metabolites: Vec<MetaboliteRow> = read_table(&own).unwrap();
    assert_eq!(spectra.len(), 2);
    assert!(spectra.iter().all(|row| row.water_amplitude.is_some()), "the references are paired");
    for session in ["V02", "V03"] {
        let base = format!("sub-01_ses-{session}_acq-shortTE_run-1");
        let folder = own.join(format!("ses-{session}")).join("mrs");
        let (names, rows) = tsv(&folder.join(format!("{base}_desc-metabolites_svs.tsv")));
        let column = |name: &str| names.iter().position(|one| one == name).unwrap();
        let expected: Vec<&MetaboliteRow> =
            metabolites.iter().filter(|row| row.session.as_deref() == Some(session)).collect();
        assert_eq!(rows.len(), expected.len());
        for (row, expected) in rows.iter().zip(expected) {
            assert_eq!(row[column("metabolite")], expected.metabolite);
            assert_eq!(row[column("ratio_tcr")].parse().ok(), expected.ratio_tcr, "to the last digit");
            assert_eq!(row.len(), names.len());
        }
        // Every column is explained, and the file that it is of is named.
        let json = fs::read_to_string(folder.join(format!("{base}_desc-metabolites_svs.json"))).unwrap();
        let sidecar: serde_json::Value = serde_json::from_str(&json).unwrap();
        for name in &names {
            assert!(sidecar[name]["Description"].is_string(), "{name}");
        }
        assert_eq!(sidecar["conc_lcmodel_mmol_per_kg"]["Units"], "mmol/kg");
        assert_eq!(sidecar["Sources"][0], format!("bids:raw:sub-01/ses-{session}/mrs/{base}_svs.nii.gz"));
        let (_, rows) = tsv(&folder.join(format!("{base}_desc-spectra_svs.tsv")));
        assert_eq!(rows.len(), 1);
        let picture = fs::read_to_string(own.join("figures").join(format!("{base}_desc-mapfit_svs.svg"))).unwrap();
        assert!(picture.contains("<svg") && picture.contains("NAA"), "a picture of the fit");
    }
    assert!(fs::read_to_string(dataset.at("out/sub-01.html")).unwrap().contains("sub-01"));
    let description: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(dataset.at("out/dataset_description.json")).unwrap()).unwrap();
    assert_eq!(description["DatasetType"], "derivative");
    assert!(dataset.at("out/README").is_file());
    assert_eq!(description["DatasetLinks"]["raw"], "../data");

    // A participant whose tables were done when it was stopped is made whole, and the same.
    let before = fs::read(own.join("ses-V02/mrs/sub-01_ses-V02_acq-shortTE_run-1_desc-spectra_svs.tsv")).unwrap();
    fs::remove_dir_all(own.join("ses-V02")).unwrap();
    let again = dataset.bids("participant", &[]);
    assert!(String::from_utf8_lossy(&again.stdout).contains("sub-01: done before"), "{again:?}");
    let after = fs::read(own.join("ses-V02/mrs/sub-01_ses-V02_acq-shortTE_run-1_desc-spectra_svs.tsv")).unwrap();
    assert!(before == after);

    let group = dataset.bids("group", &[]);
    assert_eq!(code(&group), 0, "{}", stderr(&group));
    let (names, rows) = tsv(&dataset.at("out/group_spectra.tsv"));
    let id = names.iter().position(|name| name == "spectrum_id").unwrap();
    let ids: BTreeSet<&String> = rows.iter().map(|row| &row[id]).collect();
    assert_eq!(ids.len(), 3);
    assert!(dataset.at("out/group.html").is_file() && dataset.at("out/group_metabolites.json").is_file());
}

#[test]
fn labels_that_are_not_there_are_named_and_the_others_done() {
    let dataset = Dataset::new();
    let plain = ["--no-figures", "--no-curves"];
    let output = dataset.bids("participant", &[&plain[..], &["--participant-label", "sub-02", "77"]].concat());
    assert_eq!(code(&output), 66);
    assert!(stderr(&output).contains("1 participants without a spectrum: 77"), "{}", stderr(&output));
    assert!(dataset.at("out/sub-02/run.json").is_file() && !dataset.at("out/sub-02/curves").is_dir());
    assert!(!dataset.at("out/sub-02/figures").exists());
    for more in [["--participant-label", "77"], ["--session-id", "V09"]] {
        let nobody = dataset.bids("participant", &more);
        assert_eq!(code(&nobody), 66);
        assert!(stderr(&nobody).contains(more[1]), "{}", stderr(&nobody));
    }
    let session = dataset.bids("participant", &[&plain[..], &["--session-id", "ses-V03", "V09"]].concat());
    assert_eq!(code(&session), 66);
    assert!(stderr(&session).contains("1 sessions without a spectrum: V09"), "{}", stderr(&session));
    assert_eq!(read_table::<SpectrumRow>(&dataset.at("out/sub-01")).unwrap().len(), 1);
    let group = dataset.bids("group", &["--participant-label", "02", "78"]);
    assert_eq!(code(&group), 66);
    assert!(stderr(&group).contains("78"), "{}", stderr(&group));
    assert_eq!(read_table::<SpectrumRow>(&dataset.at("out/group")).unwrap().len(), 1);
}

#[test]
fn participants_that_were_asked_differently_are_told() {
    let mut dataset = Dataset::new();
    let fit = |dataset: &Dataset, label: &str| {
        let output = dataset.bids("participant", &["--no-figures", "--no-curves", "--participant-label", label]);
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    };
    fit(&dataset, "01");
    // Another set of the same name.
    let name = dataset.basis.file_name().unwrap().to_owned();
    let other = dataset.at("other").join(&name);
    fs::create_dir_all(dataset.at("other")).unwrap();
    fs::write(&other, fs::read_to_string(&dataset.basis).unwrap() + "\n").unwrap();
    dataset.basis = other;
    fit(&dataset, "02");
    let group = dataset.bids("group", &[]);
    assert_eq!(code(&group), 0, "{}", stderr(&group));
    let said = String::from_utf8_lossy(&group.stdout).into_owned() + &stderr(&group);
    assert!(said.contains("come from different settings: basis set "), "{said}");
    let described = Command::new(env!("CARGO_BIN_EXE_requant")).arg("describe").arg(dataset.at("out/group")).output();
    let described = String::from_utf8(described.unwrap().stdout).unwrap();
    assert!(described.contains("2 basis sets") && !described.contains("All settings were the defaults"), "{described}");
    assert!(described.contains("not the same in all datasets"), "{described}");
}

/// Gives the files of a participant's session another label or run.
fn renamed(dataset: &Dataset, session: &str, (from, to): (&str, &str)) {
    let folder = dataset.at("data").join(session).join("mrs");
    for entry in fs::read_dir(&folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap().replace(from, to);
        fs::rename(entry.path(), folder.join(name)).unwrap();
    }
}

#[test]
fn the_group_is_of_those_whom_the_dataset_still_has() {
    let dataset = Dataset::new();
    let plain = ["--no-figures", "--no-curves"];
    let fit = |more: &[&str]| {
        let output = dataset.bids("participant", &[&plain[..], more].concat());
        assert_eq!(code(&output), 0, "{}", stderr(&output));
    };
    let people = || {
        let rows = read_table::<SpectrumRow>(&dataset.at("out/group")).unwrap();
        rows.into_iter()
            .filter_map(|row| row.subject)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    };
    fit(&[]);
    // Renamed: the old results are of nobody.
    fs::rename(dataset.at("data/sub-02"), dataset.at("data/sub-03")).unwrap();
    renamed(&dataset, "sub-03/ses-V02", ("sub-02", "sub-03"));
    let group = dataset.bids("group", &[]);
    assert_eq!((code(&group), people().as_str()), (0, "01"));
    let said = stderr(&group);
    assert!(said.contains("no longer in BIDS_DIR") && said.contains("with --overwrite): 02"), "{said}");
    assert!(said.contains("participants without results: 03"), "{said}");
    assert_eq!(code(&dataset.bids("group", &["--participant-label", "02", "01"])), 66);
    // A copy under another label is one person twice.
    fs::create_dir_all(dataset.at("data/sub-04/ses-V02/mrs")).unwrap();
    for suffix in ["svs", "ref"] {
        let file = |label: &str| {
            dataset.at(&format!("data/{label}/ses-V02/mrs/{label}_ses-V02_acq-shortTE_run-1_{suffix}.nii.gz"))
        };
        fs::copy(file("sub-03"), file("sub-04")).unwrap();
    }
    fit(&["--participant-label", "03", "04"]);
    let group = dataset.bids("group", &[]);
    let said = String::from_utf8_lossy(&group.stdout).into_owned() + &stderr(&group);
    assert!(people() == "01 03 04" && said.contains("1 files are byte for byte the same"), "{said}");
    // What is being done again is not done.
    let how = Opening { if_exists: IfExists::Overwrite, resume: false, shard: None };
    drop(Journal::open(&dataset.at("out/sub-03"), &plan(), Vec::new(), how).unwrap());
    let group = dataset.bids("group", &[]);
    assert_eq!((code(&group), people().as_str()), (0, "01 04"));
    assert!(stderr(&group).contains("not finished are left out"), "{}", stderr(&group));
}

fn plan() -> Plan {
    Plan {
        signature: "another".into(),
        settings: BTreeMap::new(),
        inputs: Vec::new(),
        left_out: BTreeMap::new(),
        carried: Vec::new(),
        learned: Vec::new(),
        config: serde_json::json!({}),
        methods: Vec::new(),
        warnings: Vec::new(),
        engine: "cpu".into(),
        device: String::new(),
        started_utc: String::new(),
        command_line: Vec::new(),
        timings: Timings::default(),
    }
}

#[test]
fn derivatives_of_files_that_were_renamed_go() {
    let dataset = Dataset::new();
    let only = ["--participant-label", "02"];
    assert_eq!(code(&dataset.bids("participant", &only)), 0);
    let own = dataset.at("out/sub-02");
    let files = || {
        let all = walkdir::WalkDir::new(&own).into_iter().map(Result::unwrap).filter(|e| e.file_type().is_file());
        let names = all.map(|e| e.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("_desc-")).collect::<BTreeSet<_>>()
    };
    let before = files();
    assert!(before.len() == 5 && before.iter().all(|name| name.contains("run-1")), "{before:?}");
    let foreign =
        ["mrs/mine_desc-spectra_svs.tsv", "mrs/mine_desc-spectra_svs.json", "figures/mine_desc-mapfit_svs.svg"];
    let foreign = foreign.map(|name| if name.starts_with("mrs") { format!("ses-V02/{name}") } else { name.to_owned() });
    for name in &foreign {
        fs::write(own.join(name), "{}").unwrap();
    }
    renamed(&dataset, "sub-02/ses-V02", ("run-1", "run-2"));
    let again = dataset.bids("participant", &[&only[..], &["--overwrite"]].concat());
    assert_eq!(code(&again), 0, "{}", stderr(&again));
    let after = files();
    assert!(foreign.iter().all(|name| own.join(name).is_file()), "{after:?}");
    let after: Vec<_> = after.into_iter().filter(|name| !name.starts_with("mine")).collect();
    assert!(after.len() == 5 && after.iter().all(|name| name.contains("run-2")), "{after:?}");
    // Pictures of other fits go with the fits.
    assert_eq!(code(&dataset.bids("participant", &[&only[..], &["--overwrite", "--no-figures"]].concat())), 0);
    assert_eq!(files().len(), 4 + foreign.len());
}

#[test]
fn a_filter_takes_spectra_by_the_entities_of_their_names() {
    let dataset = Dataset::new();
    let filtered = |filter: &str| {
        fs::write(dataset.at("filter.json"), filter).unwrap();
        dataset.bids("participant", &["--no-figures", "--bids-filter-file", "filter.json"])
    };
    let typo = filtered(r#"{"svs": {"acquisitoin": "shortTE"}}"#);
    assert_eq!(code(&typo), 2);
    assert!(stderr(&typo).contains("svs.acquisitoin"), "{}", stderr(&typo));
    let none = filtered(r#"{"svs": {"acquisition": "longTE"}}"#);
    assert_eq!(code(&none), 66);
    assert!(stderr(&none).contains("--bids-filter-file"), "{}", stderr(&none));
    let some = filtered(r#"{"svs": {"session": "V03", "run": "01"}, "bold": {"task": "rest"}}"#);
    assert_eq!(code(&some), 0, "{}", stderr(&some));
    assert!(stderr(&some).contains("bold"), "a query for other data is named: {}", stderr(&some));
    let spectra: Vec<SpectrumRow> = read_table(&dataset.at("out/sub-01")).unwrap();
    assert_eq!(spectra.iter().map(|row| row.session.as_deref()).collect::<Vec<_>>(), [Some("V03")]);
    assert!(!dataset.at("out/sub-02").exists());
}

#[test]
fn real_scans_with_the_names_of_a_consortium_are_derived() {
    let data = crate::common::data();
    let keep = tempfile::tempdir().unwrap();
    let requant = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_requant")).args(arguments).current_dir(keep.path()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", stderr(&output));
    };
    let folder = keep.path().join("data/sub-01/ses-V02/mrs");
    fs::create_dir_all(&folder).unwrap();
    for (from, to) in [("act", "svs"), ("ref", "ref")] {
        let scan = data.join(format!("philips-sdat/press35-sub01/sub-01_PRESS_35_{from}.sdat"));
        let name = format!("data/sub-01/ses-V02/mrs/sub-01_ses-V02_acq-shortTE_run-1_{to}.nii.gz");
        requant(&["convert", scan.to_str().unwrap(), &name]);
    }
    requant(&["bids", "data", "out", "participant", "--engine", "cpu", "--sequence", "PRESS", "--pulses", "ideal"]);
    let base = keep.path().join("out/sub-01/ses-V02/mrs/sub-01_ses-V02_acq-shortTE_run-1_desc-metabolites_svs.tsv");
    let (names, rows) = tsv(&base);
    let column = |name: &str| names.iter().position(|one| one == name).unwrap();
    let tnaa = rows.iter().find(|row| row[column("metabolite")] == "tNAA").unwrap();
    let ratio: f64 = tnaa[column("ratio_tcr")].parse().unwrap();
    assert!((1.0..2.0).contains(&ratio), "tNAA over tCr of a brain: {ratio}");
    let concentration: f64 = tnaa[column("conc_lcmodel_mmol_per_kg")].parse().unwrap();
    assert!(concentration > 1.0, "scaled to its water: {concentration}");
}
