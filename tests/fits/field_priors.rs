//! What priors do to what a study looks for: amplitudes outside the usual, edited GABA, and errors as LCModel counts them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::data;
use crate::common::rows::{Row, rows};

fn case(name: &str) -> PathBuf {
    data().join("../cases/field").join(name)
}

/// Runs `methods` (files or names, and their variations) on a folder; the rows of spectra and metabolites.
fn fitted(input: &Path, arguments: &[&str]) -> (Vec<Row>, Vec<Row>) {
    let keep = tempfile::tempdir().unwrap();
    let out = keep.path().join("out");
    let run = Command::new(env!("CARGO_BIN_EXE_requant"))
        .arg("run")
        .arg(input)
        .args(arguments)
        // The cases are made with ideal pulses, which their headers cannot say: by default they would be the vendor's.
        .args(["--engine", "cpu", "--pulses", "ideal"])
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    (rows(&out, "spectra"), rows(&out, "metabolites"))
}

/// The row of a subject by a method whose name begins so.
fn find<'a>(rows: &'a [Row], subject: &str, method: &str) -> &'a Row {
    let is = |row: &&Row| {
        row.text("spectrum_id").unwrap().starts_with(subject) && row.text("method").unwrap().starts_with(method)
    };
    rows.iter().find(is).unwrap_or_else(|| panic!("{subject} by {method}"))
}

fn metabolite<'a>(rows: &'a [Row], subject: &str, method: &str, name: &str) -> &'a Row {
    let is = |row: &&Row| {
        row.text("spectrum_id").unwrap().starts_with(subject)
            && row.text("method").unwrap().starts_with(method)
            && row.text("metabolite") == Some(name)
    };
    rows.iter().find(is).unwrap_or_else(|| panic!("{name} of {subject} by {method}"))
}

#[test]
fn metabolites_outside_the_usual_come_out_right_or_the_row_says_that_a_prior_is_strained() {
    let folder = case("prior-sins-gaba");
    if !folder.is_dir() {
        return;
    }
    let (spectra, metabolites) = fitted(&folder.join("data"), &["--method", "map", "--method", "lcmodel"]);
    for i in 0..3 {
        for (subject, name, truth) in [(format!("sub-sins{i}"), "Scyllo", 2.5), (format!("sub-gaba{i}"), "GABA", 3.0)] {
            for method in ["map", "lcmodel"] {
                let row = metabolite(&metabolites, &subject, method, name);
                let (value, sd) = (row.number("amplitude").unwrap(), row.number("sd_noise").unwrap());
                // The row names the metabolite, not something else.
                let strained = find(&spectra, &subject, method).texts("strained_priors");
                let says = strained.iter().any(|prior| prior.starts_with(&format!("{name} / ")));
                let flagged = find(&spectra, &subject, method).texts("qc_flags").iter().any(|f| f == "prior_strained");
                assert!(flagged || !says, "{subject} {method}");
                assert!((value - truth).abs() < 2.5 * sd || says, "{subject} {method}: {value} ± {sd}, {strained:?}");
            }
        }
        // What the row of scyllo-inositol dragged along.
        for (name, truth) in [("tCho", 1.6), ("tCr", 8.0), ("tNAA", 11.3), ("Ins", 6.0)] {
            let row = metabolite(&metabolites, &format!("sub-sins{i}"), "map", name);
            let (value, sd) = (row.number("amplitude").unwrap(), row.number("sd_noise").unwrap());
            assert!((value - truth).abs() < 2.0 * sd, "{name} of sins{i}: {value} ± {sd}");
        }
        assert!(
            metabolite(&metabolites, &format!("sub-sins{i}"), "lcmodel", "Scyllo").number("prior_pull_sd") < Some(-1.0)
        );
    }
    for method in ["map", "lcmodel"] {
        let usual = find(&spectra, "sub-none", method);
        assert!(usual.texts("strained_priors").is_empty(), "{:?}", usual.texts("strained_priors"));
        assert!(!usual.texts("qc_flags").iter().any(|flag| flag == "prior_strained"));
    }
}

/// The step is from a linearised system, and a fit without ratios finds σ² and λ of its own.
#[test]
fn the_pull_is_what_a_fit_without_ratios_says() {
    let folder = case("prior-sins-gaba");
    if !folder.is_dir() {
        return;
    }
    // At the mode: a marginal estimate without ratios has widths of its own.
    let vary = [
        "--method",
        "map",
        "--vary",
        "priors.ratios=lcmodel,none",
        "--vary",
        "priors.ratio_yield_snr=0.0",
        "--vary",
        "estimate=mode",
        "--vary",
        "priors.kernel_scale=0.0",
    ];
    let (_, metabolites) = fitted(&folder.join("data"), &vary);
    let mut apart = Vec::new();
    for with in metabolites.iter().filter(|row| row.text("method").unwrap().contains("lcmodel")) {
        let name = with.text("metabolite").unwrap();
        if !["GABA", "Glc", "Gln", "GSH", "Asp", "Tau", "Scyllo", "tCho", "Glx"].contains(&name) {
            continue;
        }
        let subject = with.text("spectrum_id").unwrap().split('/').next().unwrap();
        let without = metabolites
            .iter()
            .find(|row| {
                row.text("method").unwrap().contains("none")
                    && row.text("metabolite") == Some(name)
                    && row.text("spectrum_id") == with.text("spectrum_id")
            })
            .unwrap();
        assert_eq!(without.number("prior_pull_sd"), Some(0.0));
        let sd = with.number("sd_posterior").unwrap();
        let pulled = (with.number("amplitude").unwrap() - without.number("amplitude").unwrap()) / sd;
        let told = with.number("prior_pull_sd").unwrap();
        assert!(pulled.abs() < 1.0 || told * pulled > 0.0, "{name} of {subject}: {told}, pulled {pulled}");
        apart.push((told - pulled).abs());
    }
    apart.sort_by(f64::total_cmp);
    let at = |part: f64| apart[(part * apart.len() as f64) as usize];
    assert!(at(0.5) < 0.15 && at(0.9) < 0.8, "{apart:?}");
}

#[test]
fn edited_gaba_is_not_pulled_to_what_is_usual_in_undivided_spectra() {
    let folder = case("mega-gaba");
    if !folder.is_dir() {
        return;
    }
    let basis = folder.join("mega.basis");
    let basis = ["--basis", basis.to_str().unwrap(), "--method", "map", "--method", "lcmodel"];
    let (_, metabolites) = fitted(&folder.join("data"), &basis);
    for method in ["map", "lcmodel"] {
        let mut total = [0.0; 3];
        let mut variance = 0.0;
        for (sum, level) in total.iter_mut().zip([1, 2, 4]) {
            for repeat in 0..2 {
                let row = metabolite(&metabolites, &format!("sub-g{level}r{repeat}"), method, "GABA");
                assert_eq!(row.number("prior_pull_sd"), Some(0.0));
                *sum += row.number("amplitude").unwrap() / 2.0;
                variance += row.number("sd_noise").unwrap().powi(2) / 4.0;
            }
        }
        // 3 %, beyond what the noise of six spectra makes.
        let part = total.iter().sum::<f64>() / 7.0;
        assert!((part - 1.0).abs() < 0.03 + variance.sqrt() / 7.0, "{method}: {total:?}");
        // At least 95 % of the difference between the least and the most comes back.
        assert!(total[2] - total[0] > 0.95 * 3.0, "{method}: {total:?}");
    }
}

/// LCModel 6.3-1N prints whole percents; ratios that it rounds to 2 or 3 say little.
#[test]
fn the_method_lcmodel_has_lcmodels_sd_percent() {
    let data = data();
    let folder = data.join("philips-sdat/press30-mm-sub01");
    if !folder.is_dir() {
        return;
    }
    let basis = data.join("lcmodel-test/3t.basis");
    let (_, metabolites) = fitted(&folder, &["--basis", basis.to_str().unwrap(), "--method", "lcmodel"]);
    let printed = [("tNAA", 2), ("tCr", 2), ("tCho", 3), ("Glx", 8), ("Ins", 4), ("GSH", 6), ("GABA", 15), ("Asp", 11)];
    for (name, percent) in printed {
        let is =
            |row: &&Row| row.text("metabolite") == Some(name) && !row.text("spectrum_id").unwrap().contains("Inverted");
        let row = metabolites.iter().find(is).unwrap();
        let found = row.number("lcmodel_sd_percent").unwrap();
        let percent = f64::from(percent);
        assert!((found - percent).abs() < 0.6 + 0.05 * percent, "{name}: {found}, LCModel {percent}");
        assert!(row.number("crlb_percent").unwrap() < 0.8 * found, "{name}: another measure");
    }
}
