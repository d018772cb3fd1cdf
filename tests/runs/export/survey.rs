//! The flow on the page: the numbers of the tables, and what is missing without a list of participants.

use std::fs;
use std::process::Command;

use requant::store::SpectrumRow;

use super::corpus::{Corpus, spectrum};
use super::flow::every_loss;

/// The section of the page, without tags and with one blank for all white space.
fn section(corpus: &Corpus, more: &[&str]) -> Result<String, String> {
    corpus.write();
    let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
    let output = command.args(["report", "results"]).args(more).current_dir(corpus.at("")).output().unwrap();
    if !output.status.success() {
        return Err(format!("{:?} {}", output.status.code(), String::from_utf8_lossy(&output.stderr)));
    }
    let page = fs::read_to_string(corpus.at("results/report.html")).unwrap();
    let (_, section) = page.split_once("<section id=\"flow\"").unwrap();
    let (section, _) = section.split_once("</section>").unwrap();
    let mut text = String::new();
    let mut is_tag = true;
    for c in section.chars() {
        match c {
            '<' => is_tag = true,
            '>' => is_tag = false,
            _ if !is_tag => text.push(c),
            _ => {}
        }
        if c == '>' {
            text.push(' ');
        }
    }
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[test]
fn the_page_has_the_flow_and_it_adds_up() {
    let corpus = every_loss();
    let said = section(&corpus, &["--participants", "p.tsv", "--gates", "robust"]).unwrap();
    for part in [
        "14 people are in the list of participants. 12 rows of 12 people; 7 of them are fitted and kept by the gates robust.",
        "in the list, without a spectrum 3 1 2 0",
        "spectrum of nobody in the list 1 0 0 1",
        "left out on purpose not_proton 1 1 0 0",
        "not fitted basis_field 1 0 1 0",
        "stopped by a gate linewidth_above_12_hz 1 1 0 0",
        "fitted and kept 7",
        "all spectra, and people without one 15",
        "Values that are kept",
        "Glu 6 of 12",
        "joined p.tsv by participant_id: 11 of 12 rows",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains("without a list of participants"), "{said}");
}

#[test]
fn a_page_without_a_list_says_how_to_add_one() {
    let said = section(&every_loss(), &[]).unwrap();
    assert!(said.contains("requant report RESULTS --participants participants.tsv adds them"), "{said}");
    assert!(said.contains("12 rows of 12 people") && said.contains("not fitted no_signal 1"), "{said}");
}

#[test]
fn sites_of_one_group_and_few_people_are_marked() {
    let mut corpus = Corpus::new();
    let mut list = "participant_id\tgroup\tage\tsex\n".to_owned();
    let mut count = 0;
    for (site, group, n) in [("a", "control", 6), ("a", "patient", 3), ("b", "control", 5), ("c", "patient", 3)] {
        for i in 0..n {
            count += 1;
            list += &format!("sub-{count:02}\t{group}\t{}\t{}\n", 30 + i, if i == 0 { "F" } else { "M" });
            let wide = group == "patient" && i == 0;
            let row =
                SpectrumRow { fwhm_hz: Some(if wide { 20.0 } else { 6.0 }), ..spectrum(&format!("{count:02}"), site) };
            corpus.add(row, &[("Glu", 1.0)]);
        }
    }
    corpus.file("p.tsv", &list);
    let said = section(&corpus, &["--participants", "p.tsv"]).unwrap();
    for part in [
        "sites with one group: b, c",
        "b 5, 5 kept 5 of 5, 5 kept 0 of 0, 0 kept one group only: the site says nothing of a difference",
        "Kept shares differ between groups by 10 points or more",
        "Glu · tcr · map: 11 of 11 control, 4 of 6 patient, 33 points apart",
        "Glu 15 of 17 11 of 11 (100 %) 4 of 6 (67 %) 2 gate linewidth above 12 hz",
        "age 32.3 ± 1.7 (n 11) 31.0 ± 0.9 (n 6)",
        "sex F fewer than 5 fewer than 5",
        "sex M 9 fewer than 5",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_list_that_does_not_fit_is_an_error() {
    let corpus = every_loss();
    corpus.file("other.tsv", "participant_id\tgroup\nsub-71\tcontrol\n");
    let said = section(&corpus, &["--participants", "other.tsv"]).unwrap_err();
    assert!(said.contains("none of its lines is in the results") && said.starts_with("Some(1)"), "{said}");
    let said = section(&corpus, &["--participants", "p.tsv", "--group", "dx"]).unwrap_err();
    assert!(said.contains("no column `dx`") && said.starts_with("Some(2)"), "{said}");
}
