//! Inside the fence: names from files make no paths outside the output folder, nothing is written over what is read, every
//! row has an id of its own, and numbers that cannot be meant are refused.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ndarray::{Array5, Axis, concatenate};
use requant::acquisition::{AXIS_CONDITION, AXIS_POINT, Acquisition};
use requant::formats::nifti_mrs;
use requant::simulate::{Recipe, write};
use requant::store::{MetaboliteRow, SpectrumRow, Status, read_run, read_table};

struct Setup(tempfile::TempDir);

impl Setup {
    /// One scan, `scan.nii`, and the basis set that it was made with, `set.basis`.
    fn new() -> Self {
        let setup = Self(tempfile::tempdir().unwrap());
        let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
        recipe.keep_to_the_model();
        recipe.subjects = 1;
        recipe.site.truncate(1);
        let written = write(&setup.at("corpus"), &recipe).unwrap();
        let scan = written.spectra.join("sub-0001/mrs/sub-0001_voi-acc_svs.nii.gz");
        fs::write(setup.at("scan.nii"), nifti_mrs::encode(&requant::read(&scan).unwrap())).unwrap();
        fs::copy(&written.bases[0], setup.at("set.basis")).unwrap();
        setup
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn requant(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_requant")).current_dir(self.0.path()).args(args).output().unwrap()
    }

    /// A copy of the scan.
    fn copy(&self, name: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::copy(self.at("scan.nii"), self.at(name)).unwrap();
    }

    fn text(&self, name: &str, text: &str) {
        fs::create_dir_all(self.at(name).parent().unwrap()).unwrap();
        fs::write(self.at(name), text).unwrap();
    }

    fn run(&self, input: &str, out: &str) -> (Vec<SpectrumRow>, Vec<MetaboliteRow>) {
        let output = self.requant(&["run", input, "--basis", "set.basis", "--engine", "cpu", "--out", out]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        (read_table(&self.at(out)).unwrap(), read_table(&self.at(out)).unwrap())
    }

    /// Every file but those in `but`, with its content.
    fn files(&self, but: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
        let all = walkdir::WalkDir::new(self.0.path()).into_iter().map(|e| e.unwrap().into_path());
        let kept = all.filter(|p| p.is_file() && !but.iter().any(|b| p.starts_with(self.at(b))));
        kept.map(|p| (p.clone(), fs::read(p).unwrap())).collect()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// No two rows are known by the same ids.
fn assert_distinct((spectra, metabolites): &(Vec<SpectrumRow>, Vec<MetaboliteRow>)) {
    let ids: BTreeSet<_> = spectra.iter().map(|r| (&r.spectrum_id, &r.method)).collect();
    assert_eq!(ids.len(), spectra.len(), "{:?}", spectra.iter().map(|r| &r.spectrum_id).collect::<Vec<_>>());
    let ids: BTreeSet<_> = metabolites.iter().map(|r| (&r.spectrum_id, &r.method, &r.metabolite)).collect();
    assert_eq!(ids.len(), metabolites.len());
    for row in spectra {
        assert!(row.spectrum_id.chars().count() <= 256, "{}", row.spectrum_id);
        assert!(!row.spectrum_id.chars().any(char::is_control), "{:?}", row.spectrum_id);
    }
}

fn ids(rows: &[SpectrumRow]) -> Vec<&str> {
    rows.iter().map(|r| r.spectrum_id.as_str()).collect()
}

/// The scan several times over, as conditions with these labels.
fn with_conditions(setup: &Setup, name: &str, labels: &[&str]) {
    let scan = requant::read(setup.at("scan.nii")).unwrap();
    let samples = scan.samples.to_array();
    let views: Vec<_> = labels.iter().map(|_| samples.view()).collect();
    let samples = concatenate(Axis(AXIS_CONDITION), &views).unwrap();
    let condition_labels = labels.iter().map(|l| (*l).to_owned()).collect();
    let data = Acquisition {
        facts: scan.facts.clone(),
        condition_labels,
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    };
    fs::create_dir_all(setup.at(name).parent().unwrap()).unwrap();
    fs::write(setup.at(name), nifti_mrs::encode(&data)).unwrap();
}

#[test]
fn conditions_of_one_label_are_rows_of_their_own() {
    let setup = Setup::new();
    let long = "x".repeat(100_000);
    with_conditions(&setup, "in/two.nii", &["a", "a", "a~2"]);
    with_conditions(&setup, "in/long.nii", &[&long, &format!("{long}y"), ""]);
    with_conditions(&setup, "in/hostile.nii", &["\u{1b}[2J", "a\nb", "c#1,2,3"]);
    // One file's condition and another file's name.
    with_conditions(&setup, "in/x.nii", &["b", "c"]);
    setup.copy("in/x#b.nii");
    let rows = setup.run("in", "out");
    assert_distinct(&rows);
    assert_eq!(rows.0.len(), 12);
    assert!(rows.0.iter().all(|r| r.status == Status::Ok), "{:?}", rows.0);
    let ids = ids(&rows.0);
    for id in ["two#a", "two#a~3", "two#a~2", "x#b", "x%23b", "hostile#a\\nb"] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    assert!(rows.0.iter().all(|r| r.subspec.as_ref().is_none_or(|s| s.chars().count() <= 140)));
}

#[test]
fn files_of_one_stem_keep_their_extension_and_the_run_goes_on() {
    let setup = Setup::new();
    for name in ["in/a.nii", "in/b.nii", "in/a.nii.RAW"] {
        setup.copy(name);
    }
    let zipped = fs::File::create(setup.at("in/a.nii.gz")).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(zipped, flate2::Compression::fast());
    std::io::Write::write_all(&mut encoder, &fs::read(setup.at("scan.nii")).unwrap()).unwrap();
    encoder.finish().unwrap();
    setup.text("in/a.RAW", "none");
    let rows = setup.run("in", "out");
    assert_distinct(&rows);
    let got = ids(&rows.0);
    assert!(got.contains(&"b") && got.contains(&"a.nii.gz") && got.contains(&"a.RAW"), "{got:?}");
    // One of them alone has the usual id: only what clashes changes.
    setup.copy("alone/a.nii");
    assert_eq!(ids(&setup.run("alone", "out2").0), ["a"]);
    let warnings = read_run(&setup.at("out")).unwrap().warnings;
    assert!(warnings.iter().any(|w| w.contains("extension")), "{warnings:?}");
    assert!(warnings.iter().all(|w| !w.contains(setup.0.path().to_str().unwrap())), "absolute paths: {warnings:?}");
}

#[test]
fn lines_of_a_manifest_never_share_an_id_nor_cost_the_run() {
    let setup = Setup::new();
    setup.copy("data/x.nii");
    setup.copy("data/y.nii");
    setup.copy("y.nii");
    fs::create_dir(setup.at("other")).unwrap();
    let long = "l".repeat(5000);
    let text = format!(
        "path,id,te_s\ndata/x.nii,,\ndata/x.nii,,0.03\ndata/x.nii,same,\ndata/y.nii,same,\ndata/y.nii,x\u{1b}[2J,\n\
         y.nii,data/x,\ndata/y.nii,{long},\ndata/y.nii,{long}2,\nother/../data/y.nii,,\n"
    );
    setup.text("m.csv", &text);
    let rows = setup.run("m.csv", "out");
    assert_distinct(&rows);
    assert_eq!(rows.0.len(), 9);
    let failed: Vec<_> = rows.0.iter().filter(|r| r.status == Status::Failed).collect();
    assert_eq!(failed.len(), 2, "{failed:?}");
    let messages: Vec<&str> = failed.iter().filter_map(|r| r.error_message.as_deref()).collect();
    assert!(messages[0].contains("line 5") && messages[1].contains("line 4"), "{messages:?}");
    assert!(failed.iter().all(|r| r.error_code.as_deref() == Some("manifest_line")));
    // What is stated stays.
    assert_eq!(rows.0.iter().find(|r| r.source_path == "y.nii").unwrap().spectrum_id, "data/x");
}

#[cfg(unix)]
#[test]
fn hostile_names_are_shown_and_stay_apart() {
    use std::os::unix::ffi::OsStrExt;
    let setup = Setup::new();
    fs::create_dir(setup.at("in")).unwrap();
    let names: [&[u8]; 8] = [
        b"a\x1b[2J.nii",
        b"a\n.nii",
        b"a\xff.nii",
        b"a\xfe.nii",
        b"a\xe2\x80\xae.nii",
        b" .nii",
        b"sub-..-ses.nii",
        b"#.nii",
    ];
    for name in names {
        fs::copy(setup.at("scan.nii"), setup.at("in").join(std::ffi::OsStr::from_bytes(name))).unwrap();
    }
    fs::create_dir(setup.at("in/dir\u{1b}]0;t\u{7}")).unwrap();
    setup.copy("in/dir\u{1b}]0;t\u{7}/x.nii");
    let output = setup.requant(&["run", "in", "--basis", "set.basis", "--engine", "cpu", "--out", "out"]);
    let rows = (read_table(&setup.at("out")).unwrap(), read_table(&setup.at("out")).unwrap());
    assert_distinct(&rows);
    assert_eq!(rows.0.len(), 9);
    for row in &rows.0 {
        assert_eq!(row.status, Status::Ok, "{row:?}");
        assert!(!row.source_path.chars().any(|c| c.is_control() || c == '\u{202e}'), "{:?}", row.source_path);
    }
    for bytes in [output.stdout, output.stderr] {
        assert!(!String::from_utf8(bytes).unwrap().chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'));
    }
}

#[test]
fn nothing_is_written_over_what_is_read() {
    let setup = Setup::new();
    for name in ["x.nii", "other.nii", "water.nii"] {
        setup.copy(name);
    }
    setup.text("x.json", "{\"EchoTime\": 0.03}");
    setup.text("method.toml", &String::from_utf8(setup.requant(&["methods", "--toml", "map"]).stdout).unwrap());
    setup.text("config.toml", "[gaps]\ntr_s = 2.0\n");
    fs::hard_link(setup.at("x.nii"), setup.at("hard.nii")).unwrap();
    let fit = |more: &[&'static str]| {
        let fixed =
            ["fit", "x.nii", "--water", "water.nii", "--basis", "set.basis", "--method", "method.toml", "--config"];
        [&fixed[..], &["config.toml", "--overlay", "other.nii", "--plot"], more].concat()
    };
    let inspect = ["inspect", "x.nii", "--water", "water.nii", "--config", "config.toml", "--plot"];
    let convert = ["convert", "x.nii", "--overwrite"];
    let mut commands: Vec<Vec<&str>> = Vec::new();
    for file in ["x.nii", "x.json", "water.nii", "set.basis", "method.toml", "config.toml", "other.nii", "hard.nii"] {
        commands.push(fit(&[file]));
    }
    for file in ["x.nii", "x.json", "water.nii", "config.toml", "./corpus/../x.nii"] {
        commands.push([&inspect[..], &[file]].concat());
    }
    // Names that are no picture's are refused before anything is read; inputs may be called like one.
    let n_plots = commands.len();
    fs::hard_link(setup.at("x.nii"), setup.at("x.svg")).unwrap();
    commands.push(fit(&["x.svg"]));
    commands.push([&inspect[..], &["x.svg"]].concat());
    commands.extend(["x.nii", "hard.nii", "./x.nii"].map(|file| [&convert[..], &[file]].concat()));
    fs::hard_link(setup.at("set.basis"), setup.at("set.svg")).unwrap();
    commands.push(vec!["basis", "show", "set.basis", "--plot", "set.svg"]);
    commands.push(vec!["basis", "convert", "set.basis", "set.basis", "--overwrite"]);
    commands.push(vec!["basis", "convert", "set.basis", ".", "--format", "raw", "--overwrite"]);
    commands.push(vec!["run", "corpus", "--out", "corpus", "--overwrite", "--engine", "cpu"]);
    commands.push(vec!["run", "corpus", "--out", "corpus/sub-0001", "--overwrite", "--engine", "cpu"]);
    commands.push(vec!["run", "corpus/sub-0001", "--out", "corpus", "--overwrite", "--engine", "cpu"]);
    commands.push(vec!["run", "x.nii", "--out", ".", "--overwrite", "--engine", "cpu"]);
    commands.push(vec!["plan", "corpus", "--out", "corpus", "--engine", "cpu"]);
    commands.push(vec!["learn", "corpus", "--out", "corpus", "--engine", "cpu"]);
    commands.push(vec!["bids", "corpus", "corpus", "participant", "--engine", "cpu"]);
    commands.push(vec!["bids", "corpus", "corpus", "group"]);
    commands.push(vec!["simulate", "--out", "corpus"]);
    let before = setup.files(&[]);
    for (number, command) in commands.iter().enumerate() {
        let output = setup.requant(command);
        assert_eq!(
            output.status.code(),
            Some(if number < n_plots { 2 } else { 73 }),
            "{command:?}: {}",
            stderr(&output)
        );
        assert!(setup.files(&[]) == before, "{command:?} changed a file");
    }
    // A new folder among the inputs is no harm, nor is a picture in the place of an older one.
    let run = ["run", "corpus", "--out", "corpus/results", "--engine", "cpu"];
    assert!(setup.requant(&run).status.success());
    assert!(setup.requant(&[&run[..], &["--overwrite"]].concat()).status.success());
    for _ in 0..2 {
        assert!(setup.requant(&["basis", "show", "set.basis", "--plot", "plot.svg"]).status.success());
    }
}

#[test]
fn names_from_files_stay_in_the_output_folder() {
    let setup = Setup::new();
    setup.copy("in/x.nii");
    setup.copy("in/y.nii");
    let hostile = ["../../escaped", "..", "a/b", "/tmp/escaped", "a\\b", "con\u{202e}", "x\u{7}y", "a b"];
    let lines: String = hostile.iter().map(|label| format!("in/x.nii,{label}\n")).collect();
    setup.text("m.csv", &format!("path,subject\nin/y.nii,good\n{lines}"));
    let before = setup.files(&["out"]);
    let output = setup.requant(&["bids", "m.csv", "out", "participant", "--engine", "cpu", "--basis", "set.basis"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert_eq!(stderr(&output).matches("left out").count(), hostile.len(), "{}", stderr(&output));
    assert!(setup.at("out/sub-good/run.json").is_file(), "the others are done");
    assert!(setup.files(&["out"]) == before);
    let mut made: Vec<_> = fs::read_dir(setup.at("out")).unwrap().map(|e| e.unwrap().file_name()).collect();
    made.sort();
    // Its folder and page; the description and what validators pass over.
    assert_eq!(made, [".bidsignore", "README", "dataset_description.json", "sub-good", "sub-good.html"]);
    // Recipes and methods are refused with the key.
    let recipe = Recipe::FIRST_RUN;
    for (from, key) in
        [("name = \"north\"", "site.name"), ("name = \"acc\"", "voxel.name"), ("name = \"control\"", "group.name")]
    {
        for name in ["../../escaped", "a/b", "", "nul", "x\\u001b"] {
            setup.text("recipe.toml", &recipe.replace(from, &format!("name = \"{name}\"")));
            let output = setup.requant(&["simulate", "--recipe", "recipe.toml", "--out", "sim"]);
            assert_eq!(output.status.code(), Some(2), "{name}");
            assert!(stderr(&output).contains(key), "{}", stderr(&output));
            assert!(!setup.at("sim").exists());
        }
    }
    let twice = recipe.replace("name = \"north\"", "name = \"South\"");
    setup.text("recipe.toml", &twice);
    let output = setup.requant(&["simulate", "--recipe", "recipe.toml", "--out", "sim"]);
    assert!(stderr(&output).contains("twice"), "{}", stderr(&output));
    let method = String::from_utf8(setup.requant(&["methods", "--toml", "map"]).stdout).unwrap();
    for (name, runs) in [("../../escaped", true), ("a/b", true), ("", false), ("x\\u001b[2J", false)] {
        setup.text("method.toml", &method.replace("name = \"map\"", &format!("name = \"{name}\"")));
        let output = setup.requant(&["benchmark", "--only", "sim-voigt", "--method", "method.toml", "--out", "bench"]);
        assert_eq!(output.status.code(), Some(2), "{name}: {}", stderr(&output));
        assert!(!setup.at("bench").exists());
        let methods = setup.requant(&["methods", "--toml", "method.toml"]);
        assert_eq!(methods.status.success(), runs, "{name}");
        assert!(runs || stderr(&methods).contains("`name`"), "{}", stderr(&methods));
    }
}

#[cfg(unix)]
#[test]
fn links_in_the_output_folder_lead_nowhere_else() {
    use std::os::unix::fs::symlink;
    let setup = Setup::new();
    fs::create_dir_all(setup.at("away")).unwrap();
    let out = |name: &str, link: &str| {
        fs::create_dir_all(setup.at(name)).unwrap();
        symlink(setup.at("away"), setup.at(name).join(link)).unwrap();
    };
    out("bids", "sub-0001");
    out("group", "group");
    out("planned", "plan");
    out("learned", "learned");
    fs::create_dir_all(setup.at("described")).unwrap();
    symlink(setup.at("away/new.json"), setup.at("described/dataset_description.json")).unwrap();
    for command in [
        &["bids", "corpus", "bids", "participant", "--engine", "cpu", "--basis", "set.basis"][..],
        &["bids", "corpus", "group", "group"],
        &["plan", "corpus", "--out", "planned", "--engine", "cpu"],
        &["learn", "corpus", "--out", "learned", "--engine", "cpu"],
        &["bids", "corpus", "described", "participant", "--engine", "cpu", "--basis", "set.basis"],
    ] {
        let output = setup.requant(command);
        assert!(!output.status.success() && stderr(&output).contains("link"), "{command:?}: {}", stderr(&output));
        assert_eq!(fs::read_dir(setup.at("away")).unwrap().count(), 0, "{command:?}");
    }
}

#[test]
fn numbers_that_cannot_be_meant_are_refused_at_once() {
    let setup = Setup::new();
    setup.copy("in/x.nii");
    let run = ["run", "in", "--out", "out", "--engine", "cpu", "--basis", "set.basis"];
    let with = |more: &[&'static str]| [&run[..], more].concat();
    let mut commands = vec![
        with(&["--threads", "100000"]),
        with(&["--threads", "-1"]),
        with(&["--memory", "0"]),
        with(&["--memory", "4"]),
        with(&["--shard", "0/3"]),
        with(&["--shard", "1/99999999999"]),
        with(&["--te-s", "30"]),
        with(&["--config", "config.toml"]),
        vec!["simulate", "--out", "sim", "--threads", "100000"],
        vec!["simulate", "--out", "sim", "--subjects", "0"],
        vec!["benchmark", "--out", "bench", "--threads", "100000"],
        vec!["learn", "in", "--out", "out", "--passes", "0"],
        vec!["basis", "simulate", "--sequence", "press", "--te", "nan", "--field-t", "3", "--out", "x.basis"],
        vec!["basis", "simulate", "--sequence", "press", "--te", "30", "--field-t", "3e9", "--out", "x.basis"],
        vec![
            "basis",
            "simulate",
            "--sequence",
            "press",
            "--te",
            "30",
            "--field-t",
            "3",
            "--points",
            "1000000000",
            "--out",
            "x",
        ],
        vec!["basis", "show", "set.basis", "--dwell-s", "0"],
        vec!["inspect", "in/x.nii", "--f0-mhz", "1e300"],
        vec!["convert", "in/x.nii", "y.nii", "--tr-s=-1"],
    ];
    for value in ["0", "nan", "inf", "1e300"] {
        commands.push([&run[..], &["--dwell-s", value]].concat());
    }
    commands.push(with(&["--dwell-s=-0.001"]));
    setup.text("config.toml", "[gaps]\ndwell_s = 0.0\n");
    for command in &commands {
        let started = Instant::now();
        let output = setup.requant(command);
        assert_eq!(output.status.code(), Some(2), "{command:?}: {}", stderr(&output));
        assert!(started.elapsed() < Duration::from_secs(20), "{command:?}");
        assert!(!setup.at("out").exists());
    }
}

#[test]
fn an_endless_fid_is_a_row_of_its_own() {
    let setup = Setup::new();
    let scan = requant::read(setup.at("scan.nii")).unwrap();
    let points = requant::run::load::MAX_POINTS + 1;
    let samples = Array5::from_shape_fn((1, 1, 1, 1, points), |(_, _, _, _, p)| {
        scan.samples.at([0, 0, 0, 0, p % scan.samples.len_of(Axis(AXIS_POINT))])
    });
    let data = Acquisition { facts: scan.facts.clone(), ..Acquisition::from_samples(nifti_mrs::NAME, samples) };
    setup.copy("in/good.nii");
    fs::write(setup.at("in/long.nii"), nifti_mrs::encode(&data)).unwrap();
    let rows = setup.run("in", "out").0;
    assert_eq!(rows[0].status, Status::Ok);
    assert_eq!(rows[1].error_code.as_deref(), Some("too_many_points"));
    assert!(rows[1].error_message.as_ref().is_some_and(|m| m.contains("65537") && m.contains("long.nii")), "{rows:?}");
}

#[test]
fn paths_in_warnings_are_those_of_the_tables() {
    let setup = Setup::new();
    setup.copy("in/sub-01/mrs/sub-01_svs.nii");
    setup.text("in/dataset_description.json", "{}");
    setup.text("in/derivatives/x.txt", "x");
    setup.text("in/sub-01/mrs/sub-01_task-a_svs.json", "{\"ReferenceSignal\": SECRET}");
    setup.run("in", "out");
    let warnings = read_run(&setup.at("out")).unwrap().warnings;
    assert!(warnings.iter().any(|w| w.starts_with("derivatives:")), "{warnings:?}");
    assert!(warnings.iter().any(|w| w.starts_with("sub-01/mrs/sub-01_task-a_svs.json:")), "{warnings:?}");
    assert!(warnings.iter().all(|w| !w.contains("SECRET") && !w.contains(setup.0.path().to_str().unwrap())));
}
