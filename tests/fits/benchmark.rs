//! `requant benchmark`: what it writes, that its figures are those of `requant compare`, and what it refuses.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use requant::store::{BenchmarkRow, ComparisonRow, read_table};

use crate::common::data;

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Few spectra of a plain family, and of one with conditions; peers that are wrong by a known factor.
fn benchmark(out: &Path, peers: &Path) {
    let more = ["--only", "sim-voigt,wilson2025", "--spectra", "3", "--threads", "2", "--engine", "cpu"];
    let args = [&["benchmark", "--out", text(out), "--peers", text(peers)][..], &more].concat();
    let done = requant(&args);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let said = String::from_utf8(done.stdout).unwrap();
    for word in ["sim-voigt", "wilson2025", "half", "report.html"] {
        assert!(said.contains(word), "{word}: {said}");
    }
}

/// Every tag of a page is closed in order, every `&` begins an entity, and nothing is loaded from elsewhere.
fn assert_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = page.split_once("<!DOCTYPE html>").unwrap().1;
    while let Some((before, after)) = rest.split_once('<') {
        // Style sheets are not text.
        let entities = before.split('&').skip(1).filter(|_| open.last() != Some(&"style"));
        for entity in entities {
            let name = entity.split_once(';').unwrap_or_else(|| panic!("a bare & in {before}")).0;
            assert!(["amp", "lt", "gt", "quot", "apos"].contains(&name), "&{name};");
        }
        let (tag, next) = after.split_once('>').unwrap();
        rest = next;
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name.trim()), "</{name}>");
        } else if !tag.ends_with('/') {
            open.push(tag.split_whitespace().next().unwrap());
        }
    }
    assert!(open.is_empty(), "{open:?}");
    for outside in ["src=", "href=\"http", "url(", "<script", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(page.matches("<svg").count() >= 4);
}

/// The page without what the clock decides.
fn untimed(page: &str) -> String {
    let mut parts = page.split("<td class=\"time\">");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |all, part| all + part.split_once("</td>").unwrap().1)
}

#[test]
fn the_report_and_the_table_say_what_compare_says_and_twice_the_same() {
    let keep = tempfile::tempdir().unwrap();
    let (first, second, peers) = (keep.path().join("a"), keep.path().join("b"), keep.path().join("peers"));
    fs::create_dir_all(peers.join("benchmark")).unwrap();
    // A peer that finds half of all that there is, with errors of 50 %: one sd everywhere, gone after alignment.
    let simulated = requant(&["benchmark", "--list"]);
    assert!(simulated.status.success());
    fs::write(peers.join("benchmark/sim-voigt_half.csv"), "id,metab,conc,crlb_pct\n").unwrap();
    benchmark(&first, &peers);
    let truth = first.join("sets/sim-voigt/truth/truth.csv");
    let mut csv = String::from("id,metab,conc,crlb_pct\n");
    let mut reader = csv::Reader::from_path(&truth).unwrap();
    let header = reader.headers().unwrap().clone();
    for record in reader.records() {
        let record = record.unwrap();
        for (name, value) in header.iter().zip(record.iter()).skip(1) {
            csv += &format!("{},{name},{},100\n", &record[0], 0.5 * value.parse::<f64>().unwrap());
        }
    }
    fs::write(peers.join("benchmark/sim-voigt_half.csv"), csv).unwrap();
    fs::remove_dir_all(&first).unwrap();
    benchmark(&first, &peers);
    benchmark(&second, &peers);

    let page = fs::read_to_string(first.join("report.html")).unwrap();
    assert_well_formed(&page);
    assert_eq!(untimed(&page), untimed(&fs::read_to_string(second.join("report.html")).unwrap()));
    let rows: Vec<BenchmarkRow> = read_table(&first).unwrap();
    let timed = |row: &&BenchmarkRow| row.figure != "cpu_ms" && row.figure != "wall_ms";
    let again: Vec<BenchmarkRow> = read_table(&second).unwrap();
    assert!(rows.iter().filter(timed).eq(again.iter().filter(timed)));

    // Every figure that `requant compare` has for the same run.
    let run = first.join("runs/sim-voigt/map");
    let out = keep.path().join("comparison");
    let asked = ["compare", text(&run), "--truth", text(&truth), "--column", "amplitude", "--out", text(&out)];
    let compared = requant(&asked);
    assert!(compared.status.success(), "{}", String::from_utf8_lossy(&compared.stderr));
    let comparison: Vec<ComparisonRow> = read_table(&out).unwrap();
    assert!(comparison.len() > 100);
    for c in &comparison {
        let found = rows.iter().find(|b| {
            (b.set.as_str(), b.method.as_str(), b.aligned) == ("sim-voigt", "map", Some(false))
                && (&b.metabolite, &b.figure) == (&c.metabolite, &c.figure)
        });
        let finite = |v: Option<f64>| v.filter(|v| v.is_finite());
        let found = found.unwrap_or_else(|| panic!("{} of {}", c.figure, c.metabolite));
        assert_eq!((found.value, found.low, found.high), (finite(c.value), finite(c.low), finite(c.high)));
    }

    // The peer: half of everything, so a quarter of the squares; nothing once the factor is out.
    let of = |figure: &str, aligned: Option<bool>, metabolite: &str| {
        let row = rows.iter().find(|r| {
            (r.method.as_str(), r.figure.as_str(), r.aligned, r.metabolite.as_str())
                == ("half", figure, aligned, metabolite)
        });
        row.unwrap_or_else(|| panic!("{figure} {metabolite}")).value.unwrap()
    };
    assert!((of("scale", None, "all") - 2.0).abs() < 1e-9);
    assert!(of("summed_squared_error_mean", Some(true), "all") < 1e-12);
    assert!((of("relative_bias", Some(false), "Glu") + 0.5).abs() < 1e-9);
    assert!((of("error_over_sd", Some(false), "all") - 1.0).abs() < 1e-9);
    let conditions = rows.iter().filter_map(|r| r.condition.as_deref()).collect::<std::collections::BTreeSet<_>>();
    assert!(conditions.contains("snr-010") && conditions.contains("snr-100"), "{conditions:?}");
}

#[test]
fn what_is_not_there_is_refused_and_said() {
    let keep = tempfile::tempdir().unwrap();
    let out = keep.path().join("out");
    let refused = |more: &[&str], code: i32, told: &[&str]| {
        let done = requant(&[&["benchmark", "--out", text(&out)][..], more].concat());
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(code), "{more:?}: {said}");
        assert!(told.iter().all(|t| said.contains(t)), "{more:?}: {said}");
        assert!(!out.join("report.html").exists());
    };
    let nowhere = keep.path().join("nowhere");
    refused(&["--data", text(&nowhere)], 2, &["nowhere", "benchmark/NAME/"]);
    refused(&["--only", "voight"], 2, &["voight", "sim-voigt", "wilson2025"]);
    refused(&["--only", "sim-voigt", "--peers", text(&nowhere)], 2, &["nowhere", "SET_PROGRAM.csv"]);
    let data = keep.path().join("data");
    fs::create_dir_all(data.join("benchmark/mine")).unwrap();
    refused(&["--data", text(&data)], 2, &["mine", "truth.csv"]);
    // Somebody's folder is left alone.
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("thesis.txt"), "text").unwrap();
    refused(&["--only", "sim-voigt", "--overwrite"], 73, &["not empty"]);
    assert!(out.join("thesis.txt").exists());
    // A peer's file that is none.
    fs::remove_file(out.join("thesis.txt")).unwrap();
    let peers = keep.path().join("peers");
    fs::create_dir_all(peers.join("benchmark")).unwrap();
    fs::write(peers.join("benchmark/sim-voigt_x.csv"), "id,metab,conc\ns,NAA,much\n").unwrap();
    refused(&["--only", "sim-voigt", "--spectra", "1", "--peers", text(&peers)], 1, &["sim-voigt_x.csv", "line 2"]);
}

/// What the reference scorer, a program of its own, prints for other programs' results: set, program, mean and median
/// summed squared error, scale, error over sd, all aligned and with two (scale: three) decimals.
const REFERENCE: [(&str, &str, [f64; 4]); 4] = [
    ("mm-varied", "lcmodel-default", [40.41, 31.49, 1.119, 2.19]),
    ("mm-varied", "lcmodel-mm-in-basis", [51.27, 40.80, 1.053, 2.04]),
    ("challenge2016", "lcmodel", [17.51, 14.78, 1.204, 1.01]),
    ("challenge2016", "fsl_mrs_newton_2.4.8", [11.92, 7.38, 1.004, f64::NAN]),
];

#[test]
fn real_peers_score_as_the_reference_scorer_has_them() {
    let keep = tempfile::tempdir().unwrap();
    let out = keep.path().join("out");
    let peers = data().join("../reference");
    let args = ["benchmark", "--out", text(&out), "--data", text(&data()), "--peers", text(&peers)].map(str::to_owned);
    let done =
        Command::new(env!("CARGO_BIN_EXE_requant")).args(args).args(["--only", "mm-varied,challenge2016"]).output();
    let done = done.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let rows: Vec<BenchmarkRow> = read_table(&out).unwrap();
    for (set, method, expected) in REFERENCE {
        let of = |figure: &str, aligned: Option<bool>| {
            let row = rows.iter().find(|r| {
                (r.set.as_str(), r.method.as_str(), r.metabolite.as_str()) == (set, method, "all")
                    && (r.figure.as_str(), r.aligned) == (figure, aligned)
            });
            row.unwrap_or_else(|| panic!("{figure} of {method} on {set}")).value.unwrap_or(f64::NAN)
        };
        let found = [
            of("summed_squared_error_mean", Some(true)),
            of("summed_squared_error_median", Some(true)),
            of("scale", None),
            of("error_over_sd_robust", Some(true)),
        ];
        // Half of the last decimal that is printed.
        for ((found, expected), half) in found.iter().zip(expected).zip([0.005, 0.005, 0.0005, 0.005]) {
            let same = (found - expected).abs() <= half + 1e-9 || found.is_nan() && expected.is_nan();
            assert!(same, "{set} {method}: {found} where the reference scorer has {expected}");
        }
    }
    // Our own, over the better peer.
    let ratio = rows.iter().find(|r| r.set == "mm-varied" && r.figure == "summed_squared_error_ratio_to_best_peer");
    let ratio = ratio.unwrap();
    println!("mm-varied over the best peer: {:?} ({:?} … {:?})", ratio.value, ratio.low, ratio.high);
    assert!(ratio.value.unwrap() < 1.0 && ratio.low < ratio.value && ratio.value < ratio.high);
}
