//! The page of a run: numbers are the tables', names are text, causes are grouped, and the same tables give the same bytes.

mod synthetic;
mod voxels;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::read::DeflateDecoder;
use requant::page::{self, PageOptions};
use requant::quality::glossary::entries;
use requant::report::describe::{Description, People};
use requant::run::union::union;
use requant::run::{CurvesKept, thresholds};
use requant::store::{IfExists, MetaboliteRow, SpectrumRow, Status, read_run, read_table};
use serde_json::Value;
use synthetic::{HOSTILE_ID, HOSTILE_SITE};

const N: usize = 120;

fn options() -> PageOptions {
    PageOptions { glossary: entries(&thresholds()), ..PageOptions::default() }
}

/// The same with what a study reports of these tables.
fn described(n: usize, methods: &[&str]) -> PageOptions {
    let keep = tempfile::tempdir().unwrap();
    synthetic::write(keep.path(), 0..n, 6, methods, CurvesKept::None);
    describe(keep.path())
}

fn describe(dir: &Path) -> PageOptions {
    let record = read_run(dir).unwrap();
    let (spectra, metabolites) = (read_table(dir).unwrap(), read_table(dir).unwrap());
    let description = Description::new(&record, &spectra, &metabolites, &People::default());
    PageOptions { description: Some(description), ..options() }
}

struct Made {
    keep: tempfile::TempDir,
    files: Vec<PathBuf>,
    text: String,
}

fn made(n: usize, methods: &[&str], with_curves: bool, options: &PageOptions) -> Made {
    let keep = tempfile::tempdir().unwrap();
    let kept = if with_curves { CurvesKept::Full } else { CurvesKept::None };
    synthetic::write(keep.path(), 0..n, 6, methods, kept);
    let files = page::write(keep.path(), &keep.path().join("report.html"), options).unwrap();
    let text = fs::read_to_string(&files[0]).unwrap();
    Made { keep, files, text }
}

/// What stands in the script element of that id.
fn json(page: &str, id: &str) -> Value {
    let begin = format!("<script type=\"application/json\" id=\"{id}\">");
    let from = page.find(&begin).unwrap() + begin.len();
    let to = from + page[from..].find("</script>").unwrap();
    serde_json::from_str(&page[from..to]).unwrap()
}

fn near(a: &Value, b: Option<f64>) -> bool {
    match (a.as_f64(), b) {
        (None, None) => true,
        (Some(a), Some(b)) => (a - b).abs() <= 6e-6 * b.abs(),
        _ => false,
    }
}

fn measure<'a>(data: &'a Value, key: &str) -> &'a Value {
    let all = data["measures"].as_array().unwrap();
    &all.iter().find(|m| m["key"] == key).unwrap_or_else(|| panic!("no {key}"))["values"]
}

/// Decodes standard base64, as any other program would.
fn bytes(base64: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let mut out = Vec::new();
    for four in base64.as_bytes().chunks(4) {
        let n = four.iter().filter(|c| **c != b'=').count();
        let all = four.iter().fold(0_u32, |all, c| all << 6 | if *c == b'=' { 0 } else { u32::from(value(*c)) });
        out.extend_from_slice(&all.to_be_bytes()[1..n]);
    }
    out
}

fn detail(base64: &str) -> (Value, Vec<u8>) {
    let mut all = Vec::new();
    std::io::Read::read_to_end(&mut DeflateDecoder::new(&bytes(base64)[..]), &mut all).unwrap();
    let length = u32::from_le_bytes(all[..4].try_into().unwrap()) as usize;
    (serde_json::from_slice(&all[4..4 + length]).unwrap(), all[4 + length..].to_vec())
}

#[test]
fn numbers_are_those_of_the_tables() {
    let made = made(N, &["map"], true, &options());
    let data = json(&made.text, "data");
    let spectra: Vec<SpectrumRow> = read_table(made.keep.path()).unwrap();
    let metabolites: Vec<MetaboliteRow> = read_table(made.keep.path()).unwrap();
    assert_eq!(data["n"], spectra.len());
    for (i, row) in spectra.iter().enumerate() {
        assert_eq!(data["ids"][i], row.spectrum_id);
        assert!(near(&measure(&data, "snr")[i], row.snr), "{i}");
        assert!(near(&measure(&data, "fwhm_hz")[i], row.fwhm_hz), "{i}");
        assert!(near(&measure(&data, "f_csf")[i], row.f_csf), "{i}");
        let own = metabolites.iter().find(|m| m.spectrum_id == row.spectrum_id && m.metabolite == "Glx");
        assert!(near(&measure(&data, "ratio_Glx")[i], own.and_then(|m| m.ratio_tcr)), "{i}");
        assert!(near(&measure(&data, "crlb_Glx")[i], own.and_then(|m| m.crlb_percent)), "{i}");
        assert!(near(&measure(&data, "conc_Glx")[i], own.and_then(|m| m.conc_lcmodel_mmol_per_kg)), "{i}");
    }
    let fitted = spectra.iter().filter(|row| row.status == Status::Ok).count();
    assert!(made.text.contains(&format!("<dt>fitted</dt><dd><b>{fitted}</b>")));
    assert!(made.text.contains("requant run &#x27;my scans&#x27; --out results"));
}

#[test]
fn a_click_shows_what_the_tables_hold() {
    let made = made(N, &["map"], true, &options());
    let inside = json(&made.text, "inside");
    assert_eq!(inside.as_object().unwrap().len(), N);
    let (head, curves) = detail(inside["1"].as_str().unwrap());
    let n = usize::try_from(head["curves"]["n"].as_u64().unwrap()).unwrap();
    assert_eq!(n, 512);
    let names = head["curves"]["names"].as_array().unwrap();
    assert_eq!(names.last().unwrap(), "macromolecules and lipids");
    assert_eq!(curves.len(), 2 * n * (3 + names.len()));
    // Residual: the second curve, as it is.
    let row: Vec<requant::store::CurveRow> = read_table(made.keep.path()).unwrap();
    let unit = head["curves"]["unit"].as_f64().unwrap();
    let all = curves.len() / 2;
    for (k, truth) in row[1].residual.as_ref().unwrap().iter().enumerate() {
        let zigzag = u16::from_le_bytes([curves[n + k], curves[all + n + k]]);
        let steps = f64::from((zigzag >> 1) as i16 ^ -((zigzag & 1) as i16));
        assert!((steps * unit - f64::from(*truth)).abs() <= 1.01 * unit, "{k}");
    }
    let facts = head["facts"].as_array().unwrap();
    assert!(facts.iter().any(|fact| fact[0] == "TE" && fact[1] == "35 ms"), "{facts:?}");
}

#[test]
fn names_out_of_files_are_text() {
    let made = made(N, &["map", "other"], true, &described(N, &["map", "other"]));
    for evil in [HOSTILE_SITE, HOSTILE_ID, "<img src=x", "<i>markup</i>", "<b>here</b>"] {
        assert!(!made.text.contains(evil), "{evil}");
    }
    let data = json(&made.text, "data");
    assert_eq!(data["ids"][7], HOSTILE_ID);
    assert!(data["site"]["names"].as_array().unwrap().iter().any(|name| name == HOSTILE_SITE));
    assert!(data["ids"][8].as_str().unwrap().len() > 250);
    // Three script elements: data, pieces, and the page's own, which its policy names by hash.
    assert_eq!(made.text.matches("<script").count(), 3);
    assert!(made.text.contains("default-src &#x27;none&#x27;") || made.text.contains("default-src 'none'"));
    assert!(!made.text.contains("http://") && !made.text.contains("https://") || made.text.contains("www.w3.org"));
}

#[test]
fn causes_are_grouped_with_their_remedy() {
    let made = made(N, &["map"], false, &options());
    let of = |status: Status| (0..N).filter(|i| synthetic::spectrum(*i, 6, "map").status == status).count();
    for (code, status) in [("bad_series", Status::Failed), ("water_reference", Status::Skipped)] {
        let heading = format!("<span class=\"count\">{}</span> <code>{code}</code>", of(status));
        assert_eq!(made.text.matches(&heading).count(), 1, "{heading}");
    }
    let remedy = entries(&thresholds()).into_iter().find(|e| e.code == "water_reference").unwrap().remedy;
    assert!(made.text.contains(&remedy[..30]));
    assert!(made.text.contains("Why concentrations are missing") && made.text.contains("<bdi>site-04</bdi></strong>"));
    assert!(made.text.contains("No curves were stored"));
    assert!(!json(&made.text, "inside").as_object().unwrap().is_empty(), "messages and facts are there without curves");
}

#[test]
fn sections_appear_where_there_is_something_to_say() {
    let one = made(40, &["map"], true, &options());
    assert!(
        !one.text.contains("id=\"agreement\"")
            && !one.text.contains("id=\"methods\"")
            && !one.text.contains("id=\"learned\"")
    );
    let two = made(40, &["map", "other"], true, &described(40, &["map", "other"]));
    assert!(two.text.contains("id=\"agreement\"") && two.text.contains("id=\"methods-text\""));
    // The checklist of each protocol, every item of it.
    let protocols = two.text.matches("<table id=\"mrsinmrs-").count();
    assert!(protocols > 0 && two.text.matches("Repetition and echo time").count() == protocols);
}

#[test]
fn the_same_tables_give_the_same_bytes() {
    let made = made(N, &["map"], true, &options());
    let again = page::write(made.keep.path(), &made.files[0], &options()).unwrap();
    assert_eq!(again, made.files);
    assert!(fs::read_to_string(&again[0]).unwrap() == made.text);
}

#[test]
fn nobodys_page_is_written_over_and_an_old_one_goes() {
    let made = made(8, &["map"], false, &options());
    let other = made.keep.path().join("mine.html");
    fs::write(&other, "<!doctype html><p>mine").unwrap();
    assert!(page::write(made.keep.path(), &other, &options()).is_err_and(|e| e.exit_code() == 73));
    assert_eq!(fs::read_to_string(&other).unwrap(), "<!doctype html><p>mine");
    page::remove_stale(&made.files[0]).unwrap();
    assert!(!made.files[0].exists());
}

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

#[test]
fn the_command_says_where_the_page_is() {
    let made = made(8, &["map"], true, &options());
    let folder = made.keep.path().to_str().unwrap();
    let out = made.keep.path().join("other").join("page.html");
    let done = requant(&["report", folder, "--out", out.to_str().unwrap()]);
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    assert!(String::from_utf8_lossy(&done.stdout).trim().ends_with("page.html") && out.is_file());
    assert_eq!(requant(&["report", folder, "--out", "page.pdf"]).status.code(), Some(2));
    assert_eq!(requant(&["report", "/nowhere"]).status.code(), Some(66));
}

/// Not run by itself: REQUANT_REPORT_FOLDER says where to put a dataset of `REQUANT_REPORT_SPECTRA` spectra and its page,
/// which scripts/test-page.sh drives in a browser.
#[test]
#[ignore = "writes what scripts/test-page.sh drives"]
fn a_page_for_the_browser() {
    let folder = std::env::var("REQUANT_REPORT_FOLDER").unwrap();
    let number = |name: &str, other: usize| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(other);
    let (n, sites) = (number("REQUANT_REPORT_SPECTRA", 400), number("REQUANT_REPORT_SITES", 6));
    let folder = Path::new(&folder);
    let runs = number("REQUANT_REPORT_RUNS", 1);
    if runs > 1 {
        // As many runs, each with its part of the spectra, put together.
        let dirs: Vec<PathBuf> = (0..runs).map(|run| folder.join(format!("run-{run:03}"))).collect();
        for (run, dir) in dirs.iter().enumerate() {
            let part = run * n / runs..(run + 1) * n / runs;
            synthetic::write(dir, part, sites, &["map"], CurvesKept::Steps);
        }
        let united = folder.join("united");
        union(&dirs, &united, IfExists::Refuse).unwrap();
        fs::rename(united.join("spectra"), folder.join("spectra")).unwrap();
        fs::rename(united.join("metabolites"), folder.join("metabolites")).unwrap();
        fs::rename(united.join("curves"), folder.join("curves")).unwrap();
        fs::rename(united.join("run.json"), folder.join("run.json")).unwrap();
    } else {
        synthetic::write(folder, 0..n, sites, &["map"], CurvesKept::Steps);
    }
    let bytes = |table: &str| -> u64 {
        let parts = fs::read_dir(folder.join(table)).unwrap();
        parts.map(|part| part.unwrap().metadata().unwrap().len()).sum()
    };
    println!(
        "{n} spectra: curves {} bytes each, spectra and metabolites {}",
        bytes("curves") / n as u64,
        (bytes("spectra") + bytes("metabolites")) / n as u64
    );
    let started = std::time::Instant::now();
    let files = page::write(folder, &folder.join("report.html"), &describe(folder)).unwrap();
    println!(
        "page of {:.2} MB and {} files beside it in {:.1} s",
        fs::metadata(&files[0]).unwrap().len() as f64 / 1e6,
        files.len() - 1,
        started.elapsed().as_secs_f64()
    );
    assert!(fs::metadata(&files[0]).unwrap().len() < 15_000_000);
    // Pages of subjects: one with a hostile name, one with a long name, one with a flag.
    let comparison = page::Comparison::read(folder).unwrap();
    let options = page::SubjectOptions { glossary: entries(&thresholds()), ..page::SubjectOptions::default() };
    for subject in ["0007", "0008", "0009"] {
        page::write_subject(folder, subject, &comparison, &folder.join(format!("sub-{subject}.html")), &options)
            .unwrap();
    }
}
