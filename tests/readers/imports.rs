//! Other programs' result files, and runs beside them.

use std::path::Path;
use std::process::{Command, Output};

use proptest::prelude::*;
use requant::compare::{Column, against_truth, import, share_ids, sources};
use requant::store::{ComparisonRow, MetaboliteRow, read_table};

use crate::common::data;

fn rows(path: &Path) -> Vec<MetaboliteRow> {
    import::rows(path).unwrap_or_else(|e| panic!("{e}"))
}

fn of<'a>(rows: &'a [MetaboliteRow], metabolite: &str) -> &'a MetaboliteRow {
    rows.iter().find(|r| r.metabolite == metabolite).unwrap_or_else(|| panic!("no {metabolite}"))
}

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

#[test]
fn real_lcmodel_files_of_one_analysis_agree() {
    let folder = data().join("lcmodel-output");
    let [table, coord, csv] = ["svs_97.TABLE", "svs_97.COORD", "svs_97.CSV"].map(|f| rows(&folder.join(f)));
    assert_eq!(table.len(), 37 + 1, "37 lines of the table and Glc+Tau, which it lacks");
    assert_eq!(table, coord);
    // The CSV cuts one name off, which is told all the same.
    let key = |r: &MetaboliteRow| (r.metabolite.clone(), r.amplitude, r.sd_posterior);
    assert_eq!(table.iter().map(key).collect::<Vec<_>>(), csv.iter().map(key).collect::<Vec<_>>());
    assert_eq!((table[0].spectrum_id.as_str(), table[0].metabolite.as_str()), ("svs_97", "bHG"));
    let ins = of(&table, "Ins");
    assert_eq!((ins.amplitude, ins.sd_posterior), (Some(0.297), Some(0.297 * 5.0 / 100.0)));
    // As LCModel's own third column, to its three digits.
    assert!((ins.ratio_tcr.unwrap() - 1.186).abs() < 0.004, "{ins:?}");
    assert!((of(&table, "tNAA").ratio_tcr.unwrap() - 0.591).abs() < 0.003);
    assert_eq!((of(&table, "Cr").amplitude, of(&table, "Cr").sd_posterior), (Some(0.0), None));
    assert_eq!(of(&table, "GSH").amplitude, Some(1.46e-2));
    // It was not scaled to water, and so says nothing in mmol/kg.
    assert!(table.iter().all(|r| r.conc_lcmodel_mmol_per_kg.is_none()));
    // The folder is one spectrum, from the file that says most.
    assert_eq!(rows(&folder), table);
}

#[test]
fn real_lcmodel_folder_has_a_spectrum_a_file() {
    let folder = data().join("lcmodel-9p4T/output");
    let all = rows(&folder);
    let ids: std::collections::BTreeSet<&str> = all.iter().map(|r| r.spectrum_id.as_str()).collect();
    assert_eq!(ids.len(), 5);
    for te in [24, 32, 40, 52, 60] {
        let id = format!("Summed_Averaged_TE{te}");
        let coord = rows(&folder.join(format!("{id}.coord")));
        let csv = rows(&folder.join(format!("{id}.csv")));
        let own: Vec<&MetaboliteRow> = all.iter().filter(|r| r.spectrum_id == id).collect();
        assert_eq!(own.len(), 15);
        assert!(own.iter().zip(&coord).all(|(a, b)| *a == b));
        assert!(own.iter().zip(&csv).all(|(a, b)| a.amplitude == b.amplitude && a.metabolite == b.metabolite));
    }
    assert_eq!(all[1].metabolite, "MM09");
    assert_eq!((all[1].amplitude, all[1].sd_posterior), (Some(1.653), Some(1.653 * 2.0 / 100.0)));
}

#[test]
fn real_tarquin_text_and_what_is_no_result() {
    let folder = data().join("tarquin-output");
    let found = rows(&folder.join("tarquin_results.txt"));
    let naa = of(&found, "NAA");
    assert_eq!((naa.amplitude, naa.sd_posterior), (Some(0.002788), Some(1.495e-4)));
    assert_eq!((of(&found, "Gln").amplitude, of(&found, "Gln").sd_posterior), (Some(0.0), Some(5.699e-5)));
    assert!((of(&found, "tNAA").ratio_tcr.unwrap() - 0.003237 / 0.002870).abs() < 1e-12);
    assert_eq!(of(&found, "MM20+Lip20").sd_posterior, Some(4.688e-4));
    assert!(found.iter().all(|r| r.conc_lcmodel_mmol_per_kg.is_none()), "its unit is `au`");
    // The curves of a fit are no results.
    let curves = import::rows(&folder.join("tarquin_megapress_fit.txt")).unwrap_err();
    assert!(curves.to_string().contains("no result file"), "{curves}");
    assert_eq!(rows(&folder).len(), found.len());
}

#[test]
fn real_wide_tables_are_results_and_truth() {
    let folder = data().join("challenge2016");
    let source = sources(&folder.join("fsl_mrs_newton_2.4.8_mM.csv")).unwrap().remove(0);
    let comparison = against_truth(&source.rows, &folder.join("truth_mM.csv"), Column::Amplitude).unwrap();
    assert_eq!((comparison.n_spectra, comparison.n_without_truth), (14, 0));
    let naa = comparison.scores.iter().find(|s| s.metabolite == "tNAA").unwrap();
    assert!(naa.n == 14 && naa.correlation.unwrap() > 0.9, "{naa:?}");
}

const LONG: &str = "id,metab,conc,crlb_pct\n";

#[test]
fn a_run_compares_with_a_result_file_and_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for args in [
        vec!["simulate", "--out", &at("corpus"), "--subjects", "8"],
        vec!["run", &at("corpus"), "--engine", "cpu", "--out", &at("run")],
    ] {
        let output = requant(&args);
        assert!(output.status.success(), "{output:?}");
    }
    // Another program found 10 % more, and calls the spectra by its own names.
    let run: Vec<MetaboliteRow> = read_table(Path::new(&at("run"))).unwrap();
    let mut csv = LONG.to_owned();
    for row in run.iter().filter(|r| !r.is_sum) {
        let id = row.spectrum_id.rsplit('/').next().unwrap();
        csv += &format!("{id},{},{},5\n", row.metabolite, 1.1 * row.amplitude.unwrap());
    }
    std::fs::write(at("other.csv"), csv).unwrap();
    let truth = Path::new(&at("corpus")).join("truth/truth.csv");
    let said =
        requant(&["compare", &at("run"), &at("other.csv"), "--truth", truth.to_str().unwrap(), "--out", &at("out")]);
    let text = String::from_utf8_lossy(&said.stdout);
    assert!(said.status.success() && text.contains("compared: amplitudes"), "{said:?}");
    let compared: Vec<ComparisonRow> = read_table(Path::new(&at("out"))).unwrap();
    let figure = |figure: &str, source: &str, reference: &str| {
        let is_it = |r: &&ComparisonRow| {
            r.metabolite == "NAA"
                && r.figure == figure
                && r.source == source
                && r.reference.as_deref() == Some(reference)
        };
        compared.iter().find(is_it).unwrap_or_else(|| panic!("{figure} of {source}")).value.unwrap()
    };
    assert!((figure("correlation", "other.csv", "run") - 1.0).abs() < 1e-9);
    let mean = run.iter().filter(|r| r.metabolite == "NAA").map(|r| r.amplitude.unwrap()).sum::<f64>() / 8.0;
    assert!((figure("bias", "other.csv", "run") - 0.1 * mean).abs() < 1e-9 * mean);
    assert!(figure("bias", "other.csv", "truth") > figure("bias", "run", "truth"));
    // Ratios are the same, whatever the unit; a concentration is not there.
    let ratios = requant(&["compare", &at("run"), &at("other.csv"), "--out", &at("ratios")]);
    assert!(String::from_utf8_lossy(&ratios.stdout).contains("compared: ratios"), "{ratios:?}");
    let without = requant(&["compare", &at("run"), &at("other.csv"), "--column", "concentration"]);
    assert_eq!(without.status.code(), Some(2), "{without:?}");
}

#[test]
fn files_that_clash_or_are_none() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    };
    let twice = write("twice.csv", &format!("{LONG}a,Ins,1,5\na,mI,2,5\n"));
    assert!(import::rows(&twice).unwrap_err().to_string().contains("two results for Ins of a"));
    let notes = write("notes.txt", "the scanner was cold\n");
    assert!(matches!(import::rows(&notes), Err(import::ImportError::Unknown { .. })));
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    assert!(matches!(import::rows(&empty), Err(import::ImportError::Nothing { .. })));
    let nowhere = sources(&folder.path().join("nowhere")).unwrap_err().to_string();
    assert!(nowhere.contains("nowhere: No such file") && nowhere.contains("give the folder"), "{nowhere}");
    // Two files of one name in different programs share the spectrum.
    let a = write("a.csv", &format!("{LONG}sub-1,NAA,1,5\n"));
    let b = write("b.csv", "id,metab,conc\nsub-1,NAA,2\n");
    let mut both: Vec<_> = [a, b].iter().flat_map(|p| sources(p).unwrap()).collect();
    share_ids(&mut both);
    assert_eq!(both[0].rows[0].spectrum_id, both[1].rows[0].spectrum_id);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn hostile_results(which in 0..6usize, cut in 0.0..1.0f64, at in proptest::collection::vec((0.0..1.0f64, any::<u8>()), 0..6)) {
        let mut bytes = crate::common::results::ALL[which].as_bytes().to_vec();
        for (place, value) in at {
            let i = (place * bytes.len() as f64) as usize;
            bytes[i] = value;
        }
        bytes.truncate((cut * bytes.len() as f64 * 1.2) as usize);
        let _ = import::decode(&bytes);
    }
}

#[test]
fn undamaged_results_decode() {
    for text in crate::common::results::ALL {
        let results = import::decode(text.as_bytes()).expect("a format").unwrap();
        assert!(results.iter().any(|r| r.estimates.iter().any(|e| e.name == "NAA")), "{text}");
    }
}
