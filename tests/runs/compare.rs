//! `requant compare` as users call it.

use std::path::Path;
use std::process::{Command, Output};

use requant::store::{ComparisonRow, read_table};

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn figure(rows: &[ComparisonRow], metabolite: &str, reference: Option<&str>, name: &str) -> ComparisonRow {
    rows.iter()
        .find(|r| r.metabolite == metabolite && r.reference.as_deref() == reference && r.figure == name)
        .unwrap_or_else(|| panic!("no {name} of {metabolite} beside {reference:?}"))
        .clone()
}

#[test]
fn runs_beside_the_truth_and_one_another() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    stdout(&requant(&["simulate", "--out", &at("corpus"), "--subjects", "24"]));
    let toml = stdout(&requant(&["methods", "--toml", "map"]));
    let stiff =
        toml.replace("name = \"map\"", "name = \"stiff\"").replace("splines_per_ppm = 15", "splines_per_ppm = 2");
    assert_ne!(stiff, toml);
    std::fs::write(at("stiff.toml"), stiff).unwrap();
    let run = [
        "run",
        &at("corpus"),
        "--engine",
        "cpu",
        "--method",
        "map",
        "--method",
        &at("stiff.toml"),
        "--out",
        &at("two"),
    ];
    stdout(&requant(&run));
    let truth = Path::new(&at("corpus")).join("truth/truth.csv");
    let said = stdout(&requant(&["compare", &at("two"), "--truth", truth.to_str().unwrap(), "--out", &at("out")]));
    assert!(said.contains("two/map") && said.contains("intervals of 50, 90, 95 % hold"), "{said}");
    let rows: Vec<ComparisonRow> = read_table(Path::new(&at("out"))).unwrap();
    let svg = std::fs::read_to_string(Path::new(&at("out")).join("bland-altman.svg")).unwrap();
    assert!(svg.contains("tNAA") && svg.contains("two/stiff − two/map"));
    // Two fits of one spectrum agree better than a fit and the truth, and the limits hold the difference.
    let icc = figure(&rows, "Glx", None, "icc_2_1");
    assert!(icc.value.unwrap() > 0.9 && icc.low <= icc.value && icc.value <= icc.high, "{icc:?}");
    let bias = figure(&rows, "Glx", Some("two/map"), "bias");
    let (low, high) =
        (figure(&rows, "Glx", Some("two/map"), "limit_low"), figure(&rows, "Glx", Some("two/map"), "limit_high"));
    assert!(low.value < bias.value && bias.value < high.value);
    let coverage = figure(&rows, "Glx", Some("truth"), "coverage_95").value.unwrap();
    assert!((0.7..=1.0).contains(&coverage), "{coverage}");
    // A run agrees with itself entirely.
    stdout(&requant(&["run", &at("corpus"), "--engine", "cpu", "--out", &at("a")]));
    stdout(&requant(&["run", &at("corpus"), "--engine", "cpu", "--threads", "1", "--out", &at("b")]));
    stdout(&requant(&["compare", &at("a"), &at("b"), "--out", &at("same")]));
    let rows: Vec<ComparisonRow> = read_table(Path::new(&at("same"))).unwrap();
    assert_eq!(figure(&rows, "tNAA", Some("a"), "bias").value, Some(0.0));
    assert!((figure(&rows, "tNAA", None, "icc_2_1").value.unwrap() - 1.0).abs() < 1e-12);
    an_earlier_page_goes(folder.path(), &truth);
    // What cannot be compared.
    let alone = requant(&["compare", &at("a")]);
    assert_eq!(alone.status.code(), Some(2), "{alone:?}");
    let exists = requant(&["compare", &at("a"), &at("b"), "--out", &at("same")]);
    assert_eq!(exists.status.code(), Some(73), "{exists:?}");
    let no_run = requant(&["compare", &at("corpus"), &at("b")]);
    assert_eq!(no_run.status.code(), Some(1), "{no_run:?}");
}

/// The page and the picture of an earlier comparison go, and what is somebody's own stays.
fn an_earlier_page_goes(folder: &Path, truth: &Path) {
    let same = folder.join("same");
    let files = || ["methods.html", "bland-altman.svg"].map(|name| same.join(name).exists());
    assert_eq!(files(), [true, true]);
    let of = |path: &Path| path.to_str().unwrap().to_owned();
    let (a, truth, out) = (of(&folder.join("a")), of(truth), of(&same));
    let alone = || requant(&["compare", &a, "--truth", &truth, "--out", &out, "--overwrite"]);
    stdout(&alone());
    assert_eq!(files(), [false, false]);
    std::fs::write(same.join("methods.html"), "<p>mine").unwrap();
    stdout(&alone());
    assert_eq!(files(), [true, false]);
}

#[test]
fn a_multiverse_says_whose_variance_it_is_and_which_setting() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    stdout(&requant(&["simulate", "--out", &at("corpus"), "--subjects", "12"]));
    let mut run = vec!["run".to_owned(), at("corpus"), "--engine".into(), "cpu".into(), "--out".into(), at("many")];
    for vary in ["components.macromolecules=peaks,lcmodel", "start.gauss_hz=5,6", "priors.ratios=none"] {
        run.extend(["--vary".to_owned(), vary.to_owned()]);
    }
    stdout(&requant(&run.iter().map(String::as_str).collect::<Vec<_>>()));
    let said = stdout(&requant(&["compare", &at("many"), "--out", &at("out")]));
    assert!(said.contains("whose variance it is") && said.contains("components.macromolecules lcmodel"), "{said}");
    let rows: Vec<ComparisonRow> = read_table(Path::new(&at("out"))).unwrap();
    for metabolite in ["tNAA", "Glx", "GABA"] {
        let value = |name: &str| figure(&rows, metabolite, None, name).value.unwrap();
        let shares = ["variance_spectrum", "variance_method", "variance_interaction"].map(value);
        assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9 && shares.iter().all(|s| *s >= 0.0), "{shares:?}");
        assert!((shares[0] - value("icc_2_1")).abs() < 0.02, "{shares:?}");
        // Macromolecules matter, where a fit starts does not; what has one value is no factor.
        let [macromolecules, start] =
            ["components.macromolecules", "start.gauss_hz"].map(|s| value(&format!("variance_within:{s}")));
        assert!(macromolecules > 0.9 && start < 0.05, "{metabolite}: {macromolecules} {start}");
    }
    assert!(!rows.iter().any(|r| r.figure.contains("priors.ratios")));
    let mean = |method: &str| {
        let of = |r: &&ComparisonRow| r.figure == "macromolecules_over_tcr_mean" && r.source.contains(method);
        rows.iter().find(of).unwrap().value.unwrap()
    };
    // LCModel's list ends at 2.1 ppm.
    assert!(mean("macromolecules=peaks") > 2.0 * mean("macromolecules=lcmodel"));
    let spread = figure(&rows, "Glx", None, "rank_correlation_spread:snr");
    assert!(spread.low < spread.value && spread.value < spread.high && spread.n == Some(12), "{spread:?}");
    let pairs = rows.iter().filter(|r| r.metabolite == "Glx" && r.figure == "rank_correlation_difference:baseline_ed");
    // Four methods, each with two that differ from it in one setting.
    assert_eq!(pairs.count(), 4);
    let page = std::fs::read_to_string(Path::new(&at("out")).join("methods.html")).unwrap();
    assert!(page.matches("<svg").count() == 3 && page.contains("Which setting is it?") && page.ends_with("</html>\n"));
    for elsewhere in ["src=", "<script", "@import", "url("] {
        assert!(!page.contains(elsewhere), "{elsewhere}");
    }
    // Links lead to headings of the page, and each of them is there.
    for place in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(place.starts_with('#') && page.contains(&format!("id=\"{}\"", &place[1..])), "{place}");
    }
}
