//! What a study reports of a run is what its tables, its record and people say, and no more.

#![allow(clippy::too_many_lines, reason = "a list of items")]

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::common::source::{GOOD, Made, brain, water, write};
use requant::acquisition::{Acquisition, Facts};
use requant::basis::{SetFormat, save};
use requant::store::{SpectrumRow, Status, read_run, read_table};

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    /// Two sites of one protocol, a spectrum of another repetition time, and a file that nobody can read.
    fn new() -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap() };
        let path = |n: usize| case.at("in").join(format!("sub-0{n}/mrs/sub-0{n}_voi-acc_svs.nii"));
        for n in 1..=3 {
            let made = brain(Made { seed: n as u64, noise_sd: 0.4 * n as f64, ..GOOD });
            let tr_s = if n == 3 { 3.0 } else { 2.0 };
            write(&path(n), &Acquisition { facts: Facts { tr_s: Some(tr_s), ..made.facts.clone() }, ..made });
            if n == 1 {
                write(&case.at("in/sub-01/mrs/sub-01_voi-acc_mrsref.nii"), &water());
            }
        }
        fs::create_dir_all(path(4).parent().unwrap()).unwrap();
        fs::write(path(4), "not a spectrum").unwrap();
        fs::write(case.at("in/dataset_description.json"), r#"{"Name": "report", "BIDSVersion": "1.10.0"}"#).unwrap();
        let sites = "participant_id\tsite\nsub-01\tA\nsub-02\tB|x\nsub-03\tA\nsub-04\tA\n";
        fs::write(case.at("in/participants.tsv"), sites).unwrap();
        save(&crate::common::basis(), &case.at("set.basis"), SetFormat::Lcmodel, false).unwrap();
        case
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn requant(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_requant")).args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    fn run(&self, more: &[&str]) {
        let all = ["run", "in", "--out", "out", "--basis", "set.basis", "--engine", "cpu"];
        succeeded(&self.requant(&[&all[..], more].concat()));
    }

    fn spectra(&self) -> Vec<SpectrumRow> {
        read_table(&self.at("out")).unwrap()
    }

    /// Text, source and what is missing, by protocol and item.
    fn table(&self, more: &[&str]) -> BTreeMap<(String, String), [String; 3]> {
        let out = self.at("table.tsv");
        succeeded(&self.requant(&[&["describe", "out", "--out", "table.tsv"], more].concat()));
        let text = fs::read_to_string(&out).unwrap();
        let mut lines = text.lines();
        assert_eq!(lines.next().unwrap(), "protocol\tlabel\titem\ttitle\ttext\tfrom\tmissing");
        let row = |line: &str| {
            let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
            let [protocol, _, item, title, text, from, missing] = <[String; 7]>::try_from(cells).unwrap();
            let item = if protocol == "all" && item != "methods" { format!("{item} {title}") } else { item };
            ((protocol, item), [text, from, missing])
        };
        lines.map(row).collect()
    }
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn key(protocol: &str, item: &str) -> (String, String) {
    (protocol.to_owned(), item.to_owned())
}

/// Every spectrum is in one protocol, every item of the checklist there once, and its numbers are the tables'.
#[test]
fn every_item_of_every_protocol_is_what_the_tables_say() {
    let case = Case::new();
    case.run(&["--method", "varpro"]);
    let table = case.table(&[]);
    let items: Vec<&String> = table.keys().filter(|(p, _)| p == "1").map(|(_, item)| item).collect();
    assert_eq!(items.len(), 22, "{items:?}");
    assert!(table.contains_key(&key("2", "4d")) && !table.contains_key(&key("3", "1a")));
    let text = |protocol: &str, item: &str| table[&key(protocol, item)][0].as_str();
    assert_eq!(text("1", "1a"), "3 T; ¹H at 123.2 MHz");
    assert_eq!(text("1", "1b"), "Acme");
    assert_eq!((text("1", "2d"), text("2", "2d")), ("TR 2000 ms, TE 30 ms", "TR 3000 ms, TE 30 ms"));
    assert!(text("1", "2a").starts_with("PRESS"), "{}", text("1", "2a"));
    assert_eq!((text("1", "2b"), text("2", "2b")), ("acc", "acc"));
    assert!(text("1", "2e").starts_with("one stored spectrum (where the scanner averaged"), "{}", text("1", "2e"));
    assert!(text("1", "2f").contains("4000 Hz; 2048 points"), "{}", text("1", "2f"));
    assert!(text("1", "2g").contains("reference of 1 of 2 spectra, TR 9000 ms, TE 28 ms"), "{}", text("1", "2g"));

    let record = read_run(&case.at("out")).unwrap();
    assert!(text("1", "3a").starts_with(&format!("requant {}", record.requant_version)));
    assert!(text("1", "3a").contains(&record.methods[0].sha256[..12]));
    assert_eq!(text("1", "3b"), "none: preparation, methods and constants are the defaults");
    assert!(text("1", "3c").contains("`ratio_tcr`, of 2 of 2 spectra"), "{}", text("1", "3c"));
    assert!(text("1", "3c").contains("`conc_lcmodel_mmol_per_kg`, of 1 of 2 spectra"), "{}", text("1", "3c"));
    assert!(!text("1", "3c").contains("molal") && !text("2", "3c").contains("conc_lcmodel"));
    assert!(text("1", "3d").contains("water 35880 mmol/kg") && text("1", "3d").contains(&record.bases[0].sha256[..12]));
    assert!(text("2", "3d").contains("no concentrations"), "{}", text("2", "3d"));

    let rows = case.spectra();
    let fitted: Vec<&SpectrumRow> =
        rows.iter().filter(|row| row.status == Status::Ok && row.tr_s.is_some_and(|tr| tr < 2.5)).collect();
    assert_eq!(fitted.len(), 2);
    let mean = 0.5 * (fitted[0].snr.unwrap() + fitted[1].snr.unwrap());
    let digits = if mean < 10.0 { 2 } else { usize::from(mean < 100.0) };
    let mut middle = format!("{mean:.digits$}");
    if digits > 0 {
        middle = middle.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let snr = format!("twice the standard deviation of the noise) {middle} (median;");
    assert!(text("1", "4a").contains(&snr), "{snr}: {}", text("1", "4a"));
    assert!(
        text("1", "4b").starts_with("2 analyses, all of them fitted; no gates were asked for"),
        "{}",
        text("1", "4b")
    );
    assert!(text("1", "4c").contains("tCr ") && text("1", "4c").contains("residual over noise"));
    assert!(fitted.iter().any(|row| text("1", "4d").contains(&row.spectrum_id)), "{}", text("1", "4d"));

    // What is not in the tables is asked for, and what nobody could read is told.
    for item in ["1c", "1d", "1e", "2b", "2c", "2g", "2h", "2i"] {
        assert!(table[&key("1", item)][2].contains("key `"), "{item}: {:?}", table[&key("1", item)]);
    }
    assert_eq!(table[&key("1", "1a")][2], "");
    let is_told = |(protocol, item): &(String, String)| {
        item.starts_with("note ") && table[&key(protocol, item)][0].starts_with("1 row without a protocol")
    };
    assert!(rows.len() == 3 || table.keys().any(is_told), "{table:?}");
}

#[test]
fn what_people_know_stands_beside_what_the_tables_say() {
    let case = Case::new();
    case.run(&["--method", "varpro"]);
    let template = succeeded(&case.requant(&["describe", "out", "--template"]));
    assert!(template.contains("# shimming = \"\"") && template.contains("(protocol 1, 2)"), "{template}");
    assert!(!template.contains("field_strength"), "{template}");
    let mut people: String = template
        .lines()
        .filter(|line| !line.contains("where") && !line.contains("site ="))
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| rest.ends_with("= \"\""))
                .unwrap_or(line)
                .replace("\"\"", "\"known, so it is\"")
                + "\n"
        })
        .collect();
    // The last key of the template is the example of [[where]].
    let example = people.rfind("model = ").unwrap();
    people.truncate(example);
    people += "[[where]]\nsite = \"B|x\"\nmodel = \"Skyra | VE11C\"\n[[where]]\nsite = \"Z\"\nmodel = \"Other\"\n";
    fs::write(case.at("people.toml"), &people).unwrap();

    let table = case.table(&["--people", "people.toml"]);
    let missing: Vec<_> = table.iter().filter(|(_, [.., missing])| !missing.is_empty()).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(
        table[&key("1", "1c")][0],
        "known, so it is (site A region acc; n = 1); Skyra | VE11C (site B|x region acc; n = 1)"
    );
    assert_eq!(table[&key("2", "1c")][..2], ["known, so it is".to_owned(), "people".to_owned()]);
    assert!(
        table[&key("1", "2b")][0] == "acc; stated: known, so it is" && table[&key("1", "2b")][1] == "tables, people"
    );
    let told = table.iter().any(|((_, item), [text, ..])| item.starts_with("note") && text.contains("site = \"Z\""));
    assert!(told, "{table:?}");

    // Markdown has the same, and no label breaks its table.
    let out = succeeded(&case.requant(&["describe", "out", "--people", "people.toml", "--out", "report.md"]));
    assert!(out.contains("2 protocols") && !out.contains("to be filled in"), "{out}");
    let text = fs::read_to_string(case.at("report.md")).unwrap();
    let cells = text.lines().filter(|line| line.starts_with("| 1") || line.starts_with("| 2"));
    let columns = |line: &str| line.replace("\\|", "").matches('|').count();
    assert!(cells.clone().count() == 28 && cells.clone().all(|line| columns(line) == 5), "{text}");
    assert!(text.contains("Skyra \\| VE11C"), "{text}");
    assert_eq!(succeeded(&case.requant(&["describe", "out", "--people", "people.toml"])).trim_end(), text.trim_end());
}

#[test]
fn settings_that_are_not_defaults_are_told_with_their_defaults() {
    let case = Case::new();
    fs::write(
        case.at("config.toml"),
        "[gaps]\ntm_s = 0.01\n[prepare]\nreject_beyond_sd = 4.5\n[water_scaling]\nwater_attenuation = 0.7\n",
    )
    .unwrap();
    let vary = "solver.max_iterations=100";
    case.run(&["--method", "varpro", "--vary", vary, "--config", "config.toml", "--gates", "seed2020"]);
    let table = case.table(&[]);
    let settings: BTreeMap<&str, &str> = table
        .iter()
        .filter_map(|((_, item), [text, ..])| Some((item.strip_prefix("setting ")?, text.as_str())))
        .collect();
    assert_eq!(settings["prepare.reject_beyond_sd"], "4.5 (default 5.0)", "{settings:?}");
    assert_eq!(settings["gaps.tm_s"], "0.01 (default none)");
    assert_eq!(settings["water_scaling.water_attenuation"], "0.7 (default none)");
    assert_eq!(settings["--gates"], "seed2020 (default none)");
    let varied: Vec<_> = settings.iter().filter(|(key, _)| key.ends_with("solver.max_iterations")).collect();
    assert!(varied.len() == 1 && varied[0].1.starts_with("100 (default 200"), "{settings:?}");
    let paragraph = &table[&key("all", "methods")][0];
    assert!(settings.keys().all(|setting| paragraph.contains(setting)), "{paragraph}");
    assert!(paragraph.contains("of whose signal relaxation was taken to leave 0.7)"), "{paragraph}");
    assert!(
        table[&key("1", "4b")][0].contains("gates `seed2020` (`linewidth_above_12_hz`: keep where `fwhm_hz <= 12`")
    );
    assert!(table.keys().any(|(_, item)| item.starts_with("note")), "the gate's bias is told");

    // Papers stand for what was done: no channels to combine, eddy currents only with a reference.
    let papers: Vec<&str> = table.keys().filter_map(|(_, item)| item.strip_prefix("reference ")).collect();
    assert!(papers.contains(&"Lin et al. 2021") && papers.contains(&"Klose 1990"), "{papers:?}");
    assert!(!papers.iter().any(|paper| paper.starts_with("Rodgers") || paper.starts_with("Gasparovic")), "{papers:?}");
    assert!(papers.iter().all(|paper| paragraph.contains(paper)), "{papers:?} in {paragraph}");
}

#[test]
fn usage_that_cannot_be_meant_is_refused() {
    let case = Case::new();
    case.run(&["--method", "varpro"]);
    fs::write(case.at("typo.toml"), "modell = \"Prisma\"\n").unwrap();
    fs::write(case.at("broken.toml"), "model = \n").unwrap();
    for (arguments, code, words) in [
        (&["describe", "out", "--out", "report.txt"][..], 2, ".md or .tsv"),
        (&["describe", "out", "--people", "typo.toml"], 2, "`modell` is no item"),
        (&["describe", "out", "--people", "broken.toml"], 2, "line 1"),
        (&["describe", "out", "--people", "absent.toml"], 66, "absent.toml"),
        (&["describe", "nowhere"], 66, "nowhere"),
        (&["describe", "out", "--out", "out/run.json.md", "--template"], 2, "cannot be used with"),
    ] {
        let output = case.requant(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
    }
    // Not over what is read.
    fs::write(case.at("people.md"), "model = \"Prisma\"\n").unwrap();
    let onto = case.requant(&["describe", "out", "--people", "people.md", "--out", "people.md"]);
    assert_eq!(onto.status.code(), Some(73), "{}", String::from_utf8_lossy(&onto.stderr));
    assert_eq!(fs::read_to_string(case.at("people.md")).unwrap(), "model = \"Prisma\"\n");
    // Tables that are not as they were written are read by no command.
    let part = fs::read_dir(case.at("out/spectra")).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&part).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 1;
    fs::write(&part, damaged).unwrap();
    let no_command_reads = || {
        for command in [
            &["describe", "out"][..],
            &["export", "out", "--out", "export"],
            &["report", "out"],
            &["compare", "out", "--column", "amplitude"],
        ] {
            let output = case.requant(command);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
            assert!(said.contains("not as it was written"), "{command:?}: {said}");
        }
    };
    no_command_reads();
    // Nor is a part that the run did not write, or a table that one was taken from.
    fs::write(&part, &whole).unwrap();
    let other = part.with_file_name("part-00001.parquet");
    fs::copy(&part, &other).unwrap();
    no_command_reads();
    fs::rename(&part, &other).unwrap();
    no_command_reads();
}
