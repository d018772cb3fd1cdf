//! Pictures and pages of a run's fits come from its tables alone, and show what `requant fit --plot` shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

use requant::simulate::{Recipe, write};
use requant::store::{CurveRow, SpectrumRow, Table, read_table};

struct Made {
    keep: tempfile::TempDir,
    basis: PathBuf,
    scan: PathBuf,
}

impl Made {
    fn at(&self, name: &str) -> PathBuf {
        self.keep.path().join(name)
    }
}

/// Two spectra, fitted with curves in full (`full`), in steps (`steps`) and without (`none`); without the raw data beside
/// them once all are there.
static MADE: LazyLock<Made> = LazyLock::new(|| {
    let keep = tempfile::tempdir().unwrap();
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.subjects = 2;
    recipe.site.truncate(1);
    let written = write(&keep.path().join("in"), &recipe).unwrap();
    let basis = written.bases[0].clone();
    for (out, more) in [("full", &["--curves"][..]), ("steps", &[]), ("none", &["--no-curves", "--no-report"])] {
        let args = ["run", "in", "--out", out, "--engine", "cpu", "--basis", basis.to_str().unwrap()];
        succeed(keep.path(), &[&args[..], more].concat());
    }
    let scan = keep.path().join("in/sub-0001/mrs/sub-0001_voi-acc_svs.nii.gz");
    Made { keep, basis, scan }
});

const ID: &str = "sub-0001/mrs/sub-0001_voi-acc_svs";

fn requant(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).current_dir(folder).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn succeed(folder: &Path, args: &[&str]) -> String {
    let output = requant(folder, args);
    assert!(output.status.success(), "{args:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

fn refused(args: &[&str], code: i32, words: &str) {
    let output = requant(MADE.keep.path(), args);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {}", said(&output));
    assert!(said(&output).contains(words), "{args:?}: {}", said(&output));
}

/// Points of every line of a picture, in parts of its height.
fn lines(svg: &str) -> Vec<Vec<(f64, f64)>> {
    let height: f64 = svg.split_once("viewBox=\"0 0 ").unwrap().1.split(['"', ' ']).nth(1).unwrap().parse().unwrap();
    let of = |path: &str| {
        let spaced = path.replace('-', " -").replace(['M', 'l'], " ");
        let numbers: Vec<f64> = spaced.split_whitespace().map(|number| number.parse().unwrap()).collect();
        let mut at = (0.0, 0.0);
        let step = |step: &[f64]| {
            at = (at.0 + step[0] / height, at.1 + step[1] / height);
            at
        };
        numbers.chunks(2).map(step).collect()
    };
    svg.split(" d=\"").skip(1).map(|part| of(part.split_once('"').unwrap().0)).collect()
}

fn a_fit_drawn_from_tables_is_the_one_that_fit_draws() {
    let made = &*MADE;
    let at = made.keep.path();
    let basis = made.basis.to_str().unwrap();
    succeed(at, &["fit", made.scan.to_str().unwrap(), "--basis", basis, "--plot", "fit.svg"]);
    let fit = lines(&fs::read_to_string(made.at("fit.svg")).unwrap());
    assert!(fit.len() > 30 && fit.iter().any(|line| line.len() > 500));
    for run in ["full", "steps"] {
        let out = format!("{run}.svg");
        succeed(at, &["plot", run, "--spectrum", ID, "--out", &out]);
        let svg = fs::read_to_string(made.at(&out)).unwrap();
        let drawn = lines(&svg);
        let lengths = |lines: &[Vec<(f64, f64)>]| lines.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&drawn), lengths(&fit), "{run}");
        // A unit of the picture is 7.7e-6 of its height.
        let furthest = |a: &[(f64, f64)], b: &[(f64, f64)]| {
            let off = a.iter().zip(b).map(|(a, b)| (a.0 - b.0).abs().max((a.1 - b.1).abs()));
            off.fold(0.0, f64::max)
        };
        let long = |lines: &[Vec<(f64, f64)>]| lines.iter().filter(|l| l.len() > 500).cloned().collect::<Vec<_>>();
        let (drawn, fit) = (long(&drawn), long(&fit));
        for (at, (a, b)) in drawn.iter().zip(&fit).enumerate() {
            assert!(furthest(a, b) <= 1e-5, "{run}, line {at}: {}", furthest(a, b));
        }
        for text in ["<title>Fit of sub-0001", "<desc>", "method map", "basis set", "SNR ", "FWHM ", "mmol/kg", "/tCr"]
        {
            assert!(svg.contains(text), "{run}: {text}");
        }
    }
}

fn curves_in_steps_are_those_in_full_and_far_smaller() {
    let made = &*MADE;
    let [full, steps]: [Vec<CurveRow>; 2] = ["full", "steps"].map(|run| read_table(&made.at(run)).unwrap());
    for (full, steps) in full.iter().zip(steps) {
        assert!(steps.data.is_none() && steps.components.is_empty());
        let steps = steps.unpacked();
        assert_eq!((&full.spectrum_id, &full.component_names), (&steps.spectrum_id, &steps.component_names));
        let highest = full.data.iter().chain(&full.fit).flatten().fold(0.0_f32, |most, v| most.max(v.abs()));
        let near = |a: &Option<Vec<f32>>, b: &Option<Vec<f32>>, most: f32| {
            let (a, b) = (a.as_ref().unwrap(), b.as_ref().unwrap());
            assert_eq!(a.len(), b.len());
            let off = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off <= most, "{off} of {most}");
        };
        near(&full.ppm, &steps.ppm, 2e-6);
        near(&full.data, &steps.data, 4e-6 * highest);
        near(&full.fit, &steps.fit, 4e-6 * highest);
        near(&full.baseline, &steps.baseline, 4e-6 * highest);
        for (a, b) in full.components.iter().zip(&steps.components) {
            let own = a.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
            near(&Some(a.clone()), &Some(b.clone()), (3.2e-5 * own).clamp(1e-8 * highest, 4e-6 * highest));
        }
    }
    let bytes = |run: &str| fs::metadata(made.at(run).join("curves/part-00000.parquet")).unwrap().len();
    assert!(bytes("steps") * 6 < bytes("full"), "{} {}", bytes("steps"), bytes("full"));
    assert!(!made.at("none/curves").exists());
}

fn pictures_have_the_form_of_their_names_and_no_other() {
    let at = MADE.keep.path();
    for (name, begin) in [("a.png", &b"\x89PNG"[..]), ("a.pdf", b"%PDF-"), ("a.svg", b"<svg ")] {
        succeed(at, &["plot", "steps", "--spectrum", ID, "--out", name]);
        assert!(fs::read(at.join(name)).unwrap().starts_with(begin), "{name}");
    }
    for args in [
        &["fit", "in/x.nii", "--plot", "a.jpg"][..],
        &["inspect", "in/x.nii", "--plot", "a"],
        &["basis", "show", "x.basis", "--plot", "a.svgz"],
        &["plot", "steps", "--all", "--out", "a.eps"],
        &["plot", "--voxel", "x.nii", "--image", "y.nii", "--out", "a.gif"],
    ] {
        // Refused before it is seen that nothing is there to read.
        refused(args, 2, ".svg, .png or .pdf");
    }
    assert!(!at.join("a.jpg").exists() && !at.join("a").exists());
}

fn whole_runs_are_drawn_to_a_folder() {
    let at = MADE.keep.path();
    succeed(at, &["plot", "steps", "--all", "--out", "all", "--format", "pdf"]);
    let mut names: Vec<String> =
        fs::read_dir(at.join("all")).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["sub-0001_mrs_sub-0001_voi-acc_svs.pdf", "sub-0002_mrs_sub-0002_voi-acc_svs.pdf"]);
    let rows: Vec<SpectrumRow> = read_table(&at.join("steps")).unwrap();
    let flagged = rows.iter().filter(|row| !row.qc_flags.is_empty()).count();
    if flagged == 0 {
        refused(&["plot", "steps", "--flagged"], 1, "no row has a flag");
    }
    refused(&["plot", "steps"], 2, "--flagged");
    refused(&["plot", "steps", "--spectrum", "sub-0002"], 2, "sub-0002/mrs/sub-0002_voi-acc_svs");
    refused(&["plot", "none", "--all", "--out", "none-drawn"], 1, "--no-curves");
    refused(&["plot", "steps", "--all", "--out", "one.svg"], 2, "give a folder");
}

fn a_subject_has_a_page_from_tables() {
    let made = &*MADE;
    let at = made.keep.path();
    succeed(at, &["report", "steps", "--subject", "sub-0002"]);
    let page = fs::read_to_string(made.at("steps/sub-0002.html")).unwrap();
    for text in ["<svg", "Fit of sub-0002/", "Preparation", "Among others", "too few to compare", "tNAA", "CRLB"] {
        assert!(page.contains(text), "{text}");
    }
    assert!(!page.contains("Fit of sub-0001") && !page.contains("<script"));
    // The same without the prefix, and over itself.
    succeed(at, &["report", "steps", "--subject", "0002"]);
    refused(&["report", "steps", "--subject", "0009"], 2, "there are 0001, 0002");
    fs::write(made.at("steps/mine.html"), "mine").unwrap();
    refused(&["report", "steps", "--subject", "0001", "--out", "steps/mine.html"], 73, "not a page");
    // Without curves all else is there.
    succeed(at, &["report", "none", "--subject", "0001"]);
    let page = fs::read_to_string(made.at("none/sub-0001.html")).unwrap();
    assert!(page.contains("No curves are in the tables") && page.contains("tNAA") && !page.contains("Fit of sub"));
}

fn the_first_page_shows_fits_and_says_what_to_report() {
    let made = &*MADE;
    let page = fs::read_to_string(made.at("steps/report.html")).unwrap();
    assert!(!page.contains("No curves were stored"));
    assert!(page.contains("id=\"methods-text\"") && page.contains("data-copy=\"mrsinmrs-1\""));
    assert!(page.contains("Repetition and echo time") && page.contains("to be filled in: "));
}

fn programs_get_json() {
    let made = &*MADE;
    let at = made.keep.path();
    let json = |args: &[&str]| -> serde_json::Value { serde_json::from_str(&succeed(at, args)).unwrap() };
    let held = json(&["inspect", made.scan.to_str().unwrap(), "--json"]);
    assert_eq!((held["n_points"].as_u64(), held["te_s"].as_f64()), (Some(1024), Some(0.03)));
    assert!((held["naa_region"]["ppm"].as_f64().unwrap() - 2.01).abs() < 0.05, "{held}");
    let status = json(&["status", "steps", "--json"]);
    assert_eq!((&status["state"], &status["ok"], &status["failed"]), (&"complete".into(), &2.into(), &0.into()));
    let plan = json(&["plan", "in", "--basis", made.basis.to_str().unwrap(), "--json"]);
    let ready = plan["rows"].as_array().unwrap().iter().filter(|row| row["status"] == "ready").count();
    assert_eq!(ready, 2, "{plan}");
    let compared = json(&["compare", "steps", "--truth", "in/truth/truth.csv", "--json"]);
    let figures = compared["figures"].as_array().unwrap();
    assert!(figures.iter().any(|f| f["figure"] == "bias" && f["reference"] == "truth"), "{compared}");
    let devices = json(&["devices", "--json"]);
    assert!(devices["devices"].is_array() && devices.get("auto").is_some());
}

#[test]
fn a_run_of_which_nothing_was_fitted_ends_with_65() {
    let keep = tempfile::tempdir().unwrap();
    fs::create_dir(keep.path().join("bad")).unwrap();
    for name in ["bad/a.nii.gz", "bad/b.SDAT", "bad/c.dat", "bad/d.RAW"] {
        fs::write(keep.path().join(name), "").unwrap();
    }
    let output = requant(keep.path(), &["run", "bad", "--out", "out", "--engine", "cpu", "--no-report"]);
    assert_eq!(output.status.code(), Some(65), "{}", said(&output));
    let rows: Vec<SpectrumRow> = read_table(&keep.path().join("out")).unwrap();
    assert_eq!(rows.len(), 4);
    for row in rows {
        assert_eq!(row.error_code.as_deref(), Some("empty_file"), "{}: {:?}", row.source_path, row.error_message);
    }
    assert!(CurveRow::NAME == "curves" && !keep.path().join("out/curves").exists());
}

fn a_fit_takes_settings_and_what_was_learned() {
    let made = &*MADE;
    let at = made.keep.path();
    let scan = made.scan.to_str().unwrap();
    let basis = made.basis.to_str().unwrap();
    let args = ["fit", scan, "--basis", basis, "--vary", "window_ppm=[0.2,4.2],[1.0,4.0]", "--plot", "varied.svg"];
    let told = succeed(at, &args);
    assert_eq!(told.lines().filter(|line| line.starts_with("method map")).count(), 2, "{told}");
    let pictures = fs::read_dir(at).unwrap().filter(|e| {
        let name = e.as_ref().unwrap().file_name().into_string().unwrap();
        name.starts_with("varied_map") && name.ends_with(".svg")
    });
    assert_eq!(pictures.count(), 2);
    refused(&["fit", scan, "--basis", basis, "--learned", "steps"], 1, "learned");
}

/// One test, so that its runs are done once, however tests are run.
#[test]
fn pictures_and_pages_come_from_tables() {
    a_fit_drawn_from_tables_is_the_one_that_fit_draws();
    curves_in_steps_are_those_in_full_and_far_smaller();
    pictures_have_the_form_of_their_names_and_no_other();
    whole_runs_are_drawn_to_a_folder();
    a_subject_has_a_page_from_tables();
    the_first_page_shows_fits_and_says_what_to_report();
    programs_get_json();
    a_fit_takes_settings_and_what_was_learned();
}
