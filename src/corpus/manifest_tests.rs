//! Tests of [`super`].
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use super::*;
use crate::corpus::manifest_cells::NOT_KNOWN;

fn manifest(name: &str, text: &str) -> Result<Manifest, ManifestError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    read(&path)
}

#[test]
fn separators_and_marks_of_spreadsheets() {
    for (name, text) in [
        ("m.csv", "path,te_s\nx.RAW,0.03\n"),
        ("m.csv", "\u{feff}Path, te_s\r\nx.RAW, 0.03\r\n"),
        ("m.csv", "path;te_s\nx.RAW;0.03\n"),
        ("m.tsv", "path\tte_s\nx.RAW\t0.03\n"),
    ] {
        let manifest = manifest(name, text).unwrap();
        assert_eq!(manifest.lines.len(), 1);
        assert_eq!(manifest.lines[0].overrides.facts.te_s, Some(0.03), "{text:?}");
        assert_eq!(manifest.lines[0].fault, None);
        assert_eq!(manifest.lines[0].number, 2);
        assert!(manifest.lines[0].path.ends_with("x.RAW"));
    }
}

#[test]
fn faults_stay_in_their_line() {
    let text = "path,te_s,dwell_s,id\na,30,,\nb,0.03,x,\n,0.03,,\nc,0.03,0.0005,../c\nd,,,\n\
                e,,,,,x\n";
    let lines = manifest("m.csv", text).unwrap().lines;
    let faults: Vec<Option<&str>> = lines.iter().map(|line| line.fault.as_deref()).collect();
    assert!(faults[0].unwrap().contains("milliseconds"));
    assert!(faults[1].unwrap().contains("no number"));
    assert!(faults[2].unwrap().contains("path is empty"));
    assert!(faults[3].unwrap().contains(".."));
    assert_eq!(faults[4], None);
    assert!(faults[5].unwrap().contains("more cells"));
}

#[test]
fn columns_are_checked() {
    assert!(matches!(manifest("m.csv", "name\nx\n"), Err(ManifestError::Columns { .. })));
    assert!(matches!(manifest("m.csv", "path,path\nx,y\n"), Err(ManifestError::Columns { .. })));
    let read = manifest("m.csv", "path,te_ms,age\nx,30,40\n").unwrap();
    assert_eq!(read.carried, ["x_te_ms", "x_age"]);
    assert!(matches!(&read.notes[..], [ManifestNote::Misspelt(columns)] if columns.len() == 1));
    let carried = &read.lines[0].overrides.carried;
    assert_eq!(
        carried.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(),
        [("x_age", "40"), ("x_te_ms", "30")]
    );
}

#[test]
fn what_is_no_text_is_refused() {
    for name in ["m.parquet", "m.xlsx", "m.XLS", "m.ods"] {
        let error = manifest(name, "PAR1 no").unwrap_err();
        assert!(matches!(error, ManifestError::Unreadable { .. }), "{name}");
    }
}

#[test]
fn numbers_may_have_decimal_commas_where_commas_separate_nothing() {
    let te = |text: &str| {
        let line = manifest("m.csv", text).unwrap().lines.remove(0);
        (line.overrides.facts.te_s, line.fault)
    };
    assert_eq!(te("path;te_s\nx;0,035\n"), (Some(0.035), None));
    assert_eq!(te("path\tte_s\nx\t0,035\n"), (Some(0.035), None));
    for text in ["path,te_s\nx,\"0,035\"\n", "path;te_s\nx;1.000,5\n", "path;te_s\nx;35 ms\n"] {
        assert!(te(text).1.unwrap().contains("is no number"), "{text}");
    }
}

#[test]
fn values_of_another_unit_are_told_in_both() {
    let fault = |column: &str, cell: &str| {
        manifest("m.csv", &format!("path,{column}\nx,{cell}\n")).unwrap().lines.remove(0).fault.unwrap()
    };
    for (column, cell, meant) in [
        ("te_s", "35", "milliseconds (te_s = 0.035)"),
        ("te_s", "35000", "microseconds (te_s = 0.035)"),
        ("tr_s", "1500", "milliseconds (tr_s = 1.5)"),
        ("dwell_s", "250", "microseconds (dwell_s = 0.00025)"),
        ("f0_mhz", "123253400", "Hz (f0_mhz = 123.253)"),
        ("te_s", "0", "cannot be right"),
        ("te_s", "-1", "cannot be right"),
        ("te_s", "1e30", "cannot be right"),
    ] {
        assert!(fault(column, cell).contains(meant), "{}", fault(column, cell));
    }
}

#[test]
fn cells_that_say_nothing_are_not_known() {
    for cell in NOT_KNOWN {
        let read = manifest("m.csv", &format!("path,te_s,site,age\nx,{cell},{cell},{cell}\n")).unwrap();
        let line = &read.lines[0];
        assert_eq!((&line.fault, line.overrides.facts.te_s, &line.site), (&None, None, &None), "{cell}");
        // What the user's own columns hold is the user's.
        assert_eq!(line.overrides.carried["x_age"], cell);
        assert_eq!(read.notes.len(), usize::from(cell == "NA"), "{cell}");
    }
}

#[test]
fn what_spreadsheets_leave_behind_is_no_fault() {
    let read = manifest("m.csv", "path,te_s,,\nx,0.03,,\n,,,\n\ny,,,,,\n'=z,,,note\n").unwrap();
    assert_eq!(read.lines.iter().map(|line| line.number).collect::<Vec<_>>(), [2, 5, 6]);
    assert!(read.lines.iter().all(|line| line.fault.is_none()));
    assert!(read.lines[2].path.ends_with("=z"));
    assert_eq!(read.notes, [ManifestNote::Untitled(1)]);
}

#[test]
fn a_quotation_mark_that_is_closed_too_late_is_a_fault() {
    let lines = manifest("m.csv", "path,te_s\n\"a,0.03\nb\",0.03\nc,0.03\n").unwrap().lines;
    assert!(lines[0].fault.as_ref().unwrap().contains("quotation mark"));
    assert_eq!(lines[1].fault, None);
}

#[test]
fn paths_of_windows_lead_to_their_files() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("sub")).unwrap();
    fs::write(dir.path().join("sub/X.SDAT"), "").unwrap();
    fs::write(dir.path().join("m.csv"), "path\nsub\\X.SDAT\n.\\sub\\x.sdat\n~/x\nC:\\x\n").unwrap();
    let lines = read(&dir.path().join("m.csv")).unwrap().lines;
    assert!(lines[0].path.is_file());
    let advice = ["there is X.SDAT", "home folder", "drives"];
    for (line, advice) in lines[1..].iter().zip(advice) {
        assert!(no_such_file(&line.path).contains(advice), "{}", no_such_file(&line.path));
    }
}

#[test]
fn water_may_be_stated_denied_or_left_open() {
    let lines = manifest("m.csv", "path,water_path\na,w\nb,None\nc,\n").unwrap().lines;
    assert!(matches!(&lines[0].water, StatedWater::File(path) if path.ends_with("w")));
    assert_eq!(lines[1].water, StatedWater::None);
    assert_eq!(lines[2].water, StatedWater::Unstated);
}

#[test]
fn a_references_times_have_columns_of_their_own() {
    let lines =
        manifest("m.csv", "path,te_s,water_te_s,water_tr_s\na,0.144,0.03,6\nb,0.144,,\nc,,30,\n").unwrap().lines;
    let times =
        |i: usize| (lines[i].overrides.facts.te_s, lines[i].overrides.water.te_s, lines[i].overrides.water.tr_s);
    assert_eq!(times(0), (Some(0.144), Some(0.03), Some(6.0)));
    assert_eq!(times(1), (Some(0.144), None, None));
    assert!(lines[2].fault.as_deref().unwrap().contains("water_te_s = 30"), "{:?}", lines[2].fault);
}
