//! `requant export`: what a consortium does with the tables, where it went wrong with scripts of everybody's own.

mod corpus;
mod flow;
mod osprey;
mod survey;

use std::collections::BTreeSet;
use std::fs;

use corpus::{Corpus, column, spectrum};
use requant::store::SpectrumRow;

const FOUR: &str = "participant_id\tage\tgroup\nsub-01\t20\tcontrol\nsub-02\t31\tresistant\nsub-03\t42\tresponsive\nsub-04\t53\tfirst_episode\n";

fn four() -> Corpus {
    Corpus::of(&["01", "02", "03", "04"])
}

#[test]
fn rows_of_several_methods_are_not_people() {
    let mut corpus = four();
    corpus.file("p.tsv", FOUR);
    for row in corpus.spectra.clone() {
        corpus.add(SpectrumRow { method: "lcmodel".to_owned(), ..row }, &[("Glu", 1.0)]);
    }
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(
        said.contains("8 rows, 4 people") && said.contains("up to 2 rows a person, from 2 methods (lcmodel, map)"),
        "{said}"
    );
    let said = corpus.export(&["--participants", "p.tsv", "--method", "map"]);
    assert!(said.contains("4 rows, 4 people") && !said.contains("rows are not people"), "{said}");
    assert_eq!(column(&corpus.rows("analysis.tsv"), "method"), ["map"; 4]);
    let (code, said) = corpus.refused(&["--method", "tarquin"]);
    assert!(code == 2 && said.contains("lcmodel, map"), "{code} {said}");
}

#[test]
fn rows_of_several_regions_and_sessions_are_not_people() {
    let mut corpus = Corpus::new();
    for subject in ["01", "02"] {
        for (voi, session) in [("acc", "1"), ("dlpfc", "1"), ("acc", "2")] {
            let row = spectrum(subject, "oslo");
            let spectrum_id = format!("{}_{voi}_{session}", row.spectrum_id);
            corpus.add(
                SpectrumRow { spectrum_id, voi: Some(voi.to_owned()), session: Some(session.to_owned()), ..row },
                &[("Glu", 1.0)],
            );
        }
    }
    let said = corpus.export(&[]);
    assert!(said.contains("6 rows, 2 people") && said.contains("2 sessions (1, 2), 2 regions (acc, dlpfc)"), "{said}");
    // Numbers of a region and session stand by themselves.
    let summary = corpus.rows("summary.tsv");
    assert_eq!(
        summary.iter().filter(|row| row["values"] == "all").map(|row| row["n"].as_str()).collect::<Vec<_>>(),
        ["2"; 3]
    );
    assert_eq!(column(&corpus.rows("analysis.tsv"), "session_id")[..3], ["ses-1", "ses-1", "ses-2"]);
}

#[test]
fn all_of_four_groups_are_there() {
    let corpus = four();
    corpus.file("p.tsv", FOUR);
    corpus.export(&["--participants", "p.tsv"]);
    assert_eq!(column(&corpus.rows("analysis.tsv"), "group"), ["control", "resistant", "responsive", "first_episode"]);
    let shares: BTreeSet<String> = column(&corpus.rows("shares.tsv"), "group").into_iter().collect();
    assert_eq!(shares.len(), 4);
}

#[test]
fn a_group_that_is_not_known_is_missing() {
    for unknown in ["n/a", "NA", "", "NaN", "-"] {
        let corpus = four();
        corpus.file("p.tsv", &FOUR.replace("responsive", unknown));
        let said = corpus.export(&["--participants", "p.tsv"]);
        assert!(said.contains("1 rows have no group"), "{unknown}: {said}");
        assert_eq!(column(&corpus.rows("analysis.tsv"), "group")[2], "n/a");
        assert!(!column(&corpus.rows("shares.tsv"), "group").contains(&"n/a".to_owned()));
    }
}

#[test]
fn a_group_of_another_name_is_asked_for() {
    let corpus = four();
    corpus.file("p.tsv", &FOUR.replace("group", "diagnosis"));
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(said.contains("no column `group`, so no groups: name one with --group (age, diagnosis)"), "{said}");
    corpus.export(&["--participants", "p.tsv", "--group", "Diagnosis"]);
    let rows = corpus.rows("analysis.tsv");
    assert_eq!(column(&rows, "group"), column(&rows, "diagnosis"));
    let (code, said) = corpus.refused(&["--participants", "p.tsv", "--group", "dx"]);
    assert!(code == 2 && said.contains("no column `dx`") && said.contains("age, diagnosis"), "{said}");
}

#[test]
fn metabolites_go_by_other_names_in_gates() {
    let mut corpus = Corpus::new();
    corpus.add(spectrum("01", "oslo"), &[("Ins", 0.5), ("Glu", 1.0)]);
    corpus.file(
        "g.toml",
        "name = \"mine\"\n[[gates]]\nname = \"high\"\nkeep = \"ratio_tcr > 0.8\"\nmetabolites = [\"mI\"]\n",
    );
    corpus.export(&["--gates", "g.toml"]);
    let rows = corpus.rows("analysis.tsv");
    assert_eq!(
        (rows[0]["Ins_keep"].as_str(), rows[0]["Glu_keep"].as_str(), rows[0]["Ins_tcr"].as_str()),
        ("0", "1", "0.5")
    );
}

#[test]
fn people_who_are_missing_on_either_side_are_listed() {
    let corpus = Corpus::of(&["01", "02", "03", "04", "05"]);
    corpus.file("p.tsv", &format!("{FOUR}sub-09\t60\tcontrol\n"));
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(said.contains("p.tsv by participant_id: 4 of 5 rows; 1 of the results are not in it (sub-05); 1 of it are not in the results (sub-09)"), "{said}");
    let unmatched = corpus.rows("unmatched.tsv");
    let sides: Vec<(&str, &str, &str)> = unmatched
        .iter()
        .map(|row| (row["side"].as_str(), row["participant_id"].as_str(), row["line"].as_str()))
        .collect();
    assert_eq!(sides, [("results", "sub-05", "n/a"), ("file", "sub-09", "6")]);
    // None of the list is in the results: nothing can be meant by that.
    corpus.file("p.tsv", "participant_id\tgroup\nsub-71\tcontrol\n");
    let (_, said) = corpus.refused(&["--participants", "p.tsv"]);
    assert!(
        said.contains("none of its lines is in the results") && said.contains("sub-01") && said.contains("sub-71"),
        "{said}"
    );
}

#[test]
fn labels_keep_their_zeros_and_lost_ones_are_named() {
    let corpus = Corpus::of(&["0001", "0002"]);
    corpus.file("p.csv", "participant_id,group\nsub-0001,control\n2,patient\n");
    let said = corpus.export(&["--participants", "p.csv"]);
    assert!(said.contains("sub-2 looks alike"), "{said}");
    assert_eq!(column(&corpus.rows("analysis.tsv"), "participant_id"), ["sub-0001", "sub-0002"]);
    assert_eq!(column(&corpus.rows("unmatched.tsv"), "looks_like"), ["sub-2", "sub-0002"]);
}

#[test]
fn names_are_taken_by_every_program() {
    let mut corpus = Corpus::new();
    corpus.add(spectrum("01", "oslo"), &[("Ins+Gly", 1.0), ("GABA+", 1.0), ("GABA", 1.0), ("-CrCH2", 0.1)]);
    corpus.file("p.tsv", "participant_id\tPANSS total (T1)\tflags\tage\tAge\n01\t50\tx\t30\t31\n");
    corpus.export(&["--participants", "p.tsv", "--format", "tsv,csv"]);
    let rows = corpus.rows("analysis.tsv");
    let names: BTreeSet<&str> = rows[0].keys().map(String::as_str).collect();
    for name in [
        "Ins_Gly_tcr",
        "GABAplus_tcr",
        "GABA_tcr",
        "neg_CrCH2_tcr",
        "PANSS_total_T1",
        "v_flags",
        "age",
        "Age_2",
        "qc_flags",
    ] {
        assert!(names.contains(name), "{name}: {names:?}");
    }
    let small: BTreeSet<String> = names.iter().map(|name| name.to_lowercase()).collect();
    assert_eq!(small.len(), names.len());
    let is_word = |name: &&str| name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    assert!(names.iter().all(is_word) && !names.contains("flags"));
    // Every column is explained, and missing is nothing between commas.
    let dictionary: serde_json::Value =
        serde_json::from_slice(&fs::read(corpus.at("study/analysis.json")).unwrap()).unwrap();
    assert!(names.iter().all(|name| !dictionary[name]["Description"].as_str().unwrap().is_empty()));
    let csv = fs::read_to_string(corpus.at("study/analysis.csv")).unwrap();
    assert!(!csv.contains("n/a") && csv.contains(",,"));
}

/// One word in it makes words of a column: ages without a mean, and nobody was told.
#[test]
fn a_word_among_numbers_is_told() {
    let labels: Vec<String> = (1..=14).map(|i| format!("{i:02}")).collect();
    let corpus = Corpus::of(&labels.iter().map(String::as_str).collect::<Vec<_>>());
    let list = |last: &str| {
        let ages = labels.iter().enumerate().map(|(i, label)| match i {
            13 => format!("sub-{label}\t{last}\tcontrol\n"),
            _ => format!("sub-{label}\t{}\tcontrol\n", 20 + i),
        });
        format!("participant_id\tage\tgroup\n{}", ages.collect::<String>())
    };
    let ages =
        |corpus: &Corpus| corpus.rows("demographics.tsv").into_iter().filter(|row| row["variable"] == "age").count();
    corpus.file("p.tsv", &list("85+"));
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(said.contains("`age`: 1 of 14 cells are no numbers (line 15)"), "{said}");
    assert!(said.contains("too many different words for the table of demographics: age"), "{said}");
    assert_eq!(ages(&corpus), 0);
    corpus.file("p.tsv", &list("n/a"));
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(!said.contains("no numbers") && !said.contains("too many different words"), "{said}");
    assert!(ages(&corpus) > 0);
}

#[test]
fn a_doubled_key_is_named() {
    let corpus = four();
    corpus.file("p.tsv", &format!("{FOUR}sub-02\t31\tcontrol\n"));
    let (_, said) = corpus.refused(&["--participants", "p.tsv"]);
    assert!(said.contains("lines 3 and 6 are both of sub-02"), "{said}");
    // Two sites that call people alike are told apart by site.
    let mut corpus = Corpus::new();
    for site in ["oslo", "bern"] {
        let row = spectrum("01", site);
        corpus.add(SpectrumRow { spectrum_id: format!("{site}/{}", row.spectrum_id), ..row }, &[("Glu", 1.0)]);
    }
    corpus.file("p.tsv", "participant_id\tsite\tgroup\nsub-01\toslo\tcontrol\nsub-01\tbern\tpatient\n");
    let said = corpus.export(&["--participants", "p.tsv"]);
    assert!(said.contains("2 people") && said.contains("joined by site as well"), "{said}");
    assert_eq!(column(&corpus.rows("analysis.tsv"), "group"), ["control", "patient"]);
}

#[test]
fn tables_join_by_what_both_sides_have() {
    let mut corpus = Corpus::new();
    for session in ["1", "2"] {
        let row = spectrum("01", "oslo");
        let spectrum_id = format!("sub-01/ses-{session}/svs");
        corpus.add(SpectrumRow { spectrum_id, session: Some(session.to_owned()), ..row }, &[("Glu", 1.0)]);
    }
    corpus.file("p.csv", "subject;age;group\n01;33,5;control\n");
    corpus.file("visits.tsv", "participant_id\tsession_id\tpanss\nsub-01\tses-1\t70\nsub-01\tses-2\t55\n");
    corpus.file("checked.tsv", "spectrum_id\tusable\nsub-01/ses-2/svs\tno\n");
    corpus.file(
        "g.toml",
        "name = \"mine\"\n[[gates]]\nname = \"looked_at\"\nkeep = \"coalesce(x_usable, 'yes') == 'yes'\"\n",
    );
    let how = ["--participants", "p.csv", "--join", "visits.tsv", "checked.tsv", "--gates", "g.toml"];
    let said = corpus.export(&how);
    assert!(said.contains("`age`: commas were read as decimal points"), "{said}");
    let rows = corpus.rows("analysis.tsv");
    assert_eq!(
        (column(&rows, "age"), column(&rows, "panss")),
        (vec!["33.5".into(), "33.5".into()], vec!["70".into(), "55".into()])
    );
    assert_eq!(column(&rows, "Glu_keep"), ["1", "0"]);
    corpus.file("broken.tsv", "name\tage\na\t3\n");
    let (_, said) = corpus.refused(&["--join", "broken.tsv"]);
    assert!(said.contains("no column participant_id or spectrum_id; there are name, age"), "{said}");
}
