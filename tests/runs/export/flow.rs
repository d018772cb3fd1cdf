//! Where people and values went, whom gates keep, what is withheld, and that the same rows give the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use requant::store::{SpectrumRow, Status};

use super::corpus::{Corpus, metabolite, number, spectrum};

/// A corpus in which people and spectra are lost in every way.
pub(crate) fn every_loss() -> Corpus {
    let mut corpus = Corpus::new();
    let full = |subject: &str, site: &str| SpectrumRow {
        water_amplitude: Some(1e4),
        f_gm: Some(0.6),
        f_wm: Some(0.2),
        f_csf: Some(0.2),
        ..spectrum(subject, site)
    };
    let lost =
        |row: SpectrumRow, status: Status, code: &str| SpectrumRow { status, error_code: Some(code.to_owned()), ..row };
    for number in 1..=12 {
        let (subject, site) = (format!("{number:02}"), if number % 2 == 0 { "oslo" } else { "bern" });
        let row = full(&subject, site);
        let values: &[(&str, f64)] = if number == 8 { &[("Glu", 1.2)] } else { &[("Glu", 1.2), ("GSH", 0.2)] };
        match number {
            1 => corpus.add(lost(row, Status::Failed, "no_signal"), &[]),
            2 => corpus.add(lost(row, Status::Failed, "basis_field"), &[]),
            3 => corpus.add(lost(row, Status::Skipped, "not_proton"), &[]),
            4 => corpus.add(SpectrumRow { water_amplitude: None, ..row }, values),
            5 => corpus.add(
                SpectrumRow { water_amplitude: None, qc_flags: vec!["water_reference_clipped".to_owned()], ..row },
                values,
            ),
            6 => corpus.add(SpectrumRow { f_gm: None, f_wm: None, f_csf: None, ..row }, values),
            7 => corpus.add(SpectrumRow { qc_flags: vec!["te_or_tr_unknown".to_owned()], ..row }, values),
            9 => corpus.add(SpectrumRow { fwhm_hz: Some(20.0), ..row }, values),
            10 => corpus.add(SpectrumRow { fwhm_hz: None, ..row }, values),
            _ => corpus.add(row, values),
        }
    }
    for row in &mut corpus.metabolites {
        let number: usize = row.subject.as_ref().unwrap().parse().unwrap();
        if ![4, 5].contains(&number) {
            row.conc_lcmodel_mmol_per_kg = row.amplitude.map(|value| 8.0 * value);
        }
        if ![4, 5, 6, 7].contains(&number) {
            row.conc_molal_mmol_per_kg = row.amplitude.map(|value| 9.0 * value);
        }
        if number == 11 {
            row.ratio_tcr = None;
        }
    }
    let lines: String =
        (2..=15).map(|n| format!("sub-{n:02}\t{}\n", if n % 3 == 0 { "control" } else { "patient" })).collect();
    corpus.file("p.tsv", &format!("participant_id\tgroup\n{lines}"));
    corpus
}

#[test]
fn the_flow_adds_up_to_people_and_spectra() {
    let corpus = every_loss();
    let said = corpus.export(&["--participants", "p.tsv", "--gates", "robust"]);
    let mut sums: BTreeMap<(String, String), i64> = BTreeMap::new();
    let mut ends: BTreeSet<String> = BTreeSet::new();
    for row in corpus.rows("flow.tsv") {
        let n: i64 = row["n"].parse().unwrap();
        *sums.entry((row["metabolite"].clone(), row["quantity"].clone())).or_default() += n;
        ends.insert(format!("{} {}", row["end"], row["reason"]));
    }
    // Twelve spectra and three people without one, whatever is asked.
    assert_eq!(sums.len(), 1 + 2 * 3);
    assert!(sums.values().all(|sum| *sum == 12 + 3), "{sums:?}");
    for end in [
        "no_spectrum n/a",
        "not_in_participants n/a",
        "failed basis_field",
        "skipped not_proton",
        "not_fitted n/a",
        "no_water n/a",
        "no_tissue n/a",
        "flag water_reference_clipped",
        "flag te_or_tr_unknown",
        "no_value n/a",
        "gate linewidth_above_12_hz",
        "gate linewidth_above_12_hz_unknown",
        "kept n/a",
    ] {
        assert!(ends.contains(end), "{end}: {ends:?}");
    }
    assert!(said.contains("no_spectrum 3") && said.contains("failed basis_field 1"), "{said}");
}

#[test]
fn sites_without_a_group_are_marked_and_few_people_are_not_shown() {
    let mut corpus = Corpus::new();
    let mut list = "participant_id\tsite\tgroup\tage\tsex\n".to_owned();
    let mut count = 0;
    for (site, group, n) in [("a", "control", 6), ("a", "patient", 3), ("b", "control", 5), ("c", "patient", 0)] {
        for i in 0..n.max(1) {
            count += 1;
            let subject = format!("{count:02}");
            list += &format!("sub-{subject}\t{site}\t{group}\t{}\t{}\n", 30 + i, if i == 0 { "F" } else { "M" });
            if n > 0 {
                corpus
                    .add(SpectrumRow { site: None, ..spectrum(&subject, site) }, &[("Glu", 1.0 + 0.1 * f64::from(i))]);
            }
        }
    }
    corpus.file("p.tsv", &list);
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(said.contains("sites with one group: b") && said.contains("sites without a spectrum: c"), "{said}");
    assert!(said.contains("sites of 14 rows are from p.tsv"), "{said}");
    let marks: Vec<String> = corpus
        .rows("sites.tsv")
        .iter()
        .map(|row| format!("{} {} {} {}", row["site"], row["group"], row["n_people"], row["mark"]))
        .collect();
    assert_eq!(
        marks,
        [
            "a control 6 n/a",
            "a patient 3 n/a",
            "b control 5 one_group_site",
            "b patient 0 one_group_site",
            "c control 0 empty_site",
            "c patient 0 empty_site"
        ]
    );
    let summary = corpus.rows("summary.tsv");
    let mean =
        |group: &str| summary.iter().find(|row| row["group"] == group && row["site"] == "a").unwrap()["mean"].clone();
    assert!((number(&mean("control")) - 1.25).abs() < 1e-12);
    assert_eq!(mean("patient"), "n/a");
    let ages = corpus.rows("demographics.tsv");
    let age = |group: &str| {
        let is_it =
            |row: &&BTreeMap<String, String>| row["variable"] == "age" && row["site"] == "a" && row["group"] == group;
        ages.iter().find(is_it).map(|row| (row["n"].clone(), row["mean"].clone(), row["withheld"].clone())).unwrap()
    };
    assert_eq!(age("control"), ("6".into(), "32.5".into(), "0".into()));
    assert_eq!(age("patient"), ("3".into(), "n/a".into(), "1".into()));
}

/// Paired draws: people of both groups have the same noise, and patients 15 % less glutamine.
fn fifteen_percent_less() -> Corpus {
    let mut corpus = Corpus::new();
    let mut list = "participant_id\tgroup\n".to_owned();
    let mut seed = 7_u64;
    let mut uniform = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 11) as f64 / (1_u64 << 53) as f64
    };
    for i in 0..400 {
        let (truth, sd) = (2.0 * (0.6 + 0.8 * uniform()), 0.15 + 0.5 * uniform());
        let error = sd * (uniform() + uniform() + uniform() + uniform() - 2.0) * 3_f64.sqrt();
        for (group, factor) in [("control", 1.0), ("patient", 0.85)] {
            let subject = format!("{group}{i:03}");
            list += &format!("sub-{subject}\t{group}\n");
            let row = spectrum(&subject, ["oslo", "bern", "rome"][i % 3]);
            corpus.metabolites.push(metabolite(&row, "Gln", (factor * truth + error).max(0.05), sd));
            corpus.spectra.push(row);
        }
    }
    corpus.file("p.tsv", &list);
    corpus
}

#[test]
fn the_median_gate_keeps_both_groups_alike() {
    let corpus = fifteen_percent_less();
    let kept = |said: &str| {
        let rows = corpus.rows("analysis.tsv");
        let values = |group: &str| -> Vec<f64> {
            let is_kept = |row: &&BTreeMap<String, String>| row["group"] == group && row["Gln_keep"] == "1";
            rows.iter().filter(is_kept).map(|row| number(&row["Gln_tcr"])).collect()
        };
        let (control, patient) = (values("control"), values("patient"));
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let points = (control.len() as f64 - patient.len() as f64) / 4.0;
        println!("{points:.1} points, effect {:.2} %: {said}", 100.0 * (mean(&patient) / mean(&control) - 1.0));
        (points, 100.0 * (mean(&patient) / mean(&control) - 1.0))
    };
    // No gates are named, and the run had none.
    let said = corpus.export(&["--participants", "p.tsv"]);
    let (points, effect) = kept(&said);
    assert!(said.contains("gates robust") && !said.contains("warning:"), "{said}");
    assert!(points.abs() <= 2.0 && (-15.5..=-14.5).contains(&effect), "{points} {effect}");
    // A spectrum's own %SD loses those who have less.
    let said = corpus.export(&["--participants", "p.tsv", "--gates", "seed2020"]);
    let (points, effect) = kept(&said);
    assert!(points >= 10.0 && effect > -14.5, "{points} {effect}");
    assert!(said.contains("warning: Gln tcr map: kept are") && said.contains("points apart"), "{said}");
    assert!(said.contains("note: gate sd_percent_above_20: a spectrum's own %SD"), "{said}");
}

/// Files of one site may be in any units: amplitudes of every second one are a thousand times as large, ratios the same.
#[test]
fn the_units_of_a_files_signal_decide_nothing() {
    let mut corpus = fifteen_percent_less();
    let kept = |corpus: &Corpus| -> Vec<String> {
        corpus.export(&["--participants", "p.tsv", "--gates", "robust"]);
        corpus.rows("analysis.tsv").iter().map(|row| row["Gln_keep"].clone()).collect()
    };
    let before = kept(&corpus);
    let n_kept = before.iter().filter(|keep| *keep == "1").count();
    assert!((100..700).contains(&n_kept), "{n_kept} of {}", before.len());
    for row in corpus.metabolites.iter_mut().step_by(2) {
        row.amplitude = row.amplitude.map(|value| 1000.0 * value);
        row.sd_posterior = row.sd_posterior.map(|value| 1000.0 * value);
    }
    assert_eq!(kept(&corpus), before);
}

/// A table that was exported before, joined again, has the names of this table's own columns; and two tables have one name.
#[test]
fn what_is_joined_takes_no_name_and_no_gate_away() {
    let corpus = fifteen_percent_less();
    let mut old = "participant_id\tGln_tcr\tGln_keep\tage\n".to_owned();
    let mut first = "participant_id\tgroup\tage\n".to_owned();
    for i in 0..400 {
        for group in ["control", "patient"] {
            old += &format!("sub-{group}{i:03}\t9.9\t0\t{}\n", 100 + i % 20);
            first += &format!("sub-{group}{i:03}\t{group}\t{}\n", 20 + i % 20);
        }
    }
    corpus.file("old.tsv", &old);
    corpus.file("p.tsv", &first);
    corpus.file(
        "gates.toml",
        "name = \"age\"\ndescription = \"Adults\"\n[[gates]]\nname = \"old\"\nkeep = \"number(x_age) < 100\"\n",
    );
    corpus.export(&["--participants", "p.tsv", "--join", "old.tsv", "--gates", "gates.toml"]);
    let rows = corpus.rows("analysis.tsv");
    assert!(rows.iter().all(|row| number(&row["Gln_tcr"]) < 9.0 && number(&row["Gln_tcr_2"]) == 9.9));
    assert!(
        rows.iter().all(|row| row["Gln_keep"] == "1" && number(&row["age"]) < 100.0 && number(&row["age_2"]) >= 100.0)
    );
}

/// Sites number their people alike: who was measured at one is not who stands in the list of another.
#[test]
fn people_of_one_label_at_two_sites_are_two() {
    let labels = ["01", "02", "03", "04", "05", "06"];
    let corpus = Corpus::of(&labels);
    let mut list = "participant_id\tsite\tgroup\tage\n".to_owned();
    for (number, label) in labels.iter().enumerate() {
        let (own, other) = if number % 2 == 0 { ("oslo", "bern") } else { ("bern", "oslo") };
        list += &format!("sub-{label}\t{own}\tcontrol\t30\nsub-{label}\t{other}\tcontrol\t90\n");
    }
    corpus.file("p.tsv", &list);
    corpus.export(&["--participants", "p.tsv", "--min-n", "1"]);
    let rows = corpus.rows("demographics.tsv");
    let ages: Vec<_> =
        rows.iter().filter(|row| row["variable"] == "age").map(|row| (&row["site"], &row["n"], &row["mean"])).collect();
    assert!(!ages.is_empty() && ages.iter().all(|(_, _, mean)| *mean == "30"), "{ages:?}");
}

#[test]
fn the_same_rows_give_the_same_bytes_in_every_form() {
    let corpus = every_loss();
    let how = ["--participants", "p.tsv", "--format", "tsv,csv,xlsx,parquet", "--layout", "wide,long,osprey"];
    let files = || -> BTreeMap<String, Vec<u8>> {
        let all = walkdir::WalkDir::new(corpus.at("study"))
            .into_iter()
            .map(Result::unwrap)
            .filter(|e| e.file_type().is_file());
        all.map(|e| (e.path().display().to_string(), fs::read(e.path()).unwrap())).collect()
    };
    corpus.export(&how);
    let first = files();
    // Times of a file's parts have a resolution of two seconds.
    std::thread::sleep(std::time::Duration::from_millis(2100));
    corpus.export(&how);
    assert_eq!(first.keys().collect::<Vec<_>>(), files().keys().collect::<Vec<_>>());
    for (name, bytes) in files() {
        assert!(first[&name] == bytes, "{name}");
    }
    let names: Vec<String> = first.keys().map(|name| name.rsplit("study/").next().unwrap().to_owned()).collect();
    for name in [
        "analysis.xlsx",
        "analysis.parquet",
        "long.csv",
        "osprey/QuantifyResults/A_TissCorrWaterScaled_Voxel_1_Basis_1.tsv",
        "osprey/QM_processed_spectra.tsv",
        "osprey/subject_names_and_excluded.tsv",
    ] {
        assert!(names.contains(&name.to_owned()), "{name}: {names:?}");
    }
    // An earlier export goes with all its files, and nothing else does.
    corpus.export(&["--format", "csv", "--layout", "wide"]);
    assert!(!corpus.at("study/analysis.xlsx").exists() && corpus.at("study/analysis.csv").exists());
    fs::remove_file(corpus.at("study/export.json")).unwrap();
    let (code, said) = corpus.refused(&[]);
    assert!(code == 73 && said.contains("export.json"), "{code} {said}");
}
