//! What users and scripts rely on: rows for everything, identical bytes, exit codes, and neighbours that
//! broken files cannot touch. Runs on simulated spectra; needs no data.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use requant::formats::{self, nifti_mrs};
use requant::simulate::{Recipe, Written, write};
use requant::store::{MetaboliteRow, SpectrumRow, Status, read_table};

fn requant(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).args(args).output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

struct Corpus {
    keep: tempfile::TempDir,
    written: Written,
}

impl Corpus {
    fn new(n_subjects: usize) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
        recipe.keep_to_the_model();
        recipe.subjects = n_subjects;
        recipe.site.truncate(1);
        let written = write(&keep.path().join("corpus"), &recipe).unwrap();
        Self { keep, written }
    }

    fn scan(&self, subject: usize, suffix: &str) -> PathBuf {
        let id = format!("sub-{subject:04}");
        self.written.spectra.join(&id).join("mrs").join(format!("{id}_voi-acc_{suffix}.nii.gz"))
    }

    fn out(&self, name: &str) -> PathBuf {
        self.keep.path().join(name)
    }

    fn run(&self, name: &str, more: &[&str]) -> (PathBuf, Output) {
        let out = self.out(name);
        let mut args =
            vec!["run", text(&self.written.spectra), "--basis", text(&self.written.bases[0]), "--out", text(&out)];
        args.extend(more);
        let output = requant(&args);
        (out.clone(), output)
    }
}

fn tables(out: &Path) -> (Vec<SpectrumRow>, Vec<MetaboliteRow>) {
    (read_table(out).unwrap(), read_table(out).unwrap())
}

/// Bytes of every Parquet file below a folder.
fn parquet_bytes(out: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for table in ["spectra", "metabolites", "curves"] {
        let Ok(entries) = fs::read_dir(out.join(table)) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            files.push((format!("{table}/{}", path.file_name().unwrap().to_str().unwrap()), fs::read(&path).unwrap()));
        }
    }
    files.sort();
    assert!(files.len() >= 2);
    files
}

#[test]
fn the_same_input_gives_the_same_bytes_whatever_the_threads() {
    let corpus = Corpus::new(5);
    let (one, output) = corpus.run("one", &["--threads", "1", "--curves"]);
    assert_eq!(code(&output), 0, "{}", String::from_utf8_lossy(&output.stderr));
    let (two, _) = corpus.run("two", &["--threads", "2", "--curves"]);
    let (again, _) = corpus.run("again", &["--threads", "2", "--curves"]);
    assert_eq!(parquet_bytes(&one), parquet_bytes(&two));
    assert_eq!(parquet_bytes(&two), parquet_bytes(&again));
}

#[test]
fn broken_files_are_rows_and_touch_nobody() {
    let corpus = Corpus::new(9);
    let (clean, _) = corpus.run("clean", &[]);
    let (_, before) = tables(&clean);

    // A third of the corpus, each broken in its own way.
    type Damage = (usize, &'static str, Box<dyn Fn(&Path)>);
    let damage: [Damage; 4] = [
        (2, "truncated", Box::new(|p| fs::write(p, &fs::read(p).unwrap()[..2000]).unwrap())),
        (4, "bad_header", Box::new(|p| fs::write(p, b"this is not an image").unwrap())),
        (6, "empty_file", Box::new(|p| fs::write(p, b"").unwrap())),
        (
            8,
            "not_finite",
            Box::new(|p| {
                let mut data = formats::read(p).unwrap();
                let mut samples = data.samples.to_array();
                samples[(0, 0, 0, 0, 77)].re = f64::NAN;
                data.samples = samples.into();
                fs::write(p.with_extension(""), nifti_mrs::encode(&data)).unwrap();
                fs::remove_file(p).unwrap();
            }),
        ),
    ];
    for (subject, _, break_it) in &damage {
        break_it(&corpus.scan(*subject, "svs"));
    }
    let (out, output) = corpus.run("damaged", &[]);
    assert_eq!(code(&output), 0, "failed spectra are rows, not a failed run");
    let (spectra, after) = tables(&out);
    assert_eq!(spectra.len(), 9);
    for (subject, expected, _) in &damage {
        let row = spectra.iter().find(|r| r.spectrum_id.contains(&format!("sub-{subject:04}"))).unwrap();
        assert_eq!(row.status, Status::Failed);
        assert_eq!(row.error_code.as_deref(), Some(*expected), "{:?}", row.error_message);
        let message = row.error_message.as_deref().unwrap();
        assert!(message.contains(&format!("sub-{subject:04}_voi-acc_svs.nii")), "says where: {message}");
        assert!(message.contains(';') || message.contains(':'), "says what to do: {message}");
    }
    let broken = |id: &str| damage.iter().any(|(s, ..)| id.contains(&format!("sub-{s:04}")));
    let kept: Vec<&MetaboliteRow> = before.iter().filter(|r| !broken(&r.spectrum_id)).collect();
    assert_eq!(kept, after.iter().collect::<Vec<_>>(), "the others changed beside broken files");

    let (_, strict) = corpus.run("strict", &["--strict"]);
    assert_eq!(code(&strict), 65);
}

#[test]
fn a_spectrum_of_zeros_and_one_that_lies_about_its_length() {
    let corpus = Corpus::new(3);
    let zeros = corpus.scan(1, "svs");
    let mut data = formats::read(&zeros).unwrap();
    data.samples = data.samples.to_array().mapv(|_| 0.0.into()).into();
    fs::write(zeros.with_extension(""), nifti_mrs::encode(&data)).unwrap();
    fs::remove_file(&zeros).unwrap();

    let liar = corpus.scan(2, "svs");
    let mut bytes = nifti_mrs::encode(&formats::read(&liar).unwrap());
    // dim[4] of NIfTI-2: ten billion points.
    bytes[48..56].copy_from_slice(&10_000_000_000_i64.to_le_bytes());
    fs::write(liar.with_extension(""), bytes).unwrap();
    fs::remove_file(&liar).unwrap();

    let (out, _) = corpus.run("out", &[]);
    let (spectra, _) = tables(&out);
    let codes: Vec<Option<&str>> = spectra.iter().map(|r| r.error_code.as_deref()).collect();
    assert_eq!(codes, [Some("no_signal"), Some("bad_header"), None]);
}

#[test]
fn missing_and_doubled_water_references() {
    let corpus = Corpus::new(3);
    fs::remove_file(corpus.scan(1, "mrsref")).unwrap();
    let second = corpus.scan(2, "mrsref");
    let folder = second.parent().unwrap();
    fs::rename(&second, folder.join("sub-0002_acq-conc_voi-acc_mrsref.nii.gz")).unwrap();
    fs::copy(
        folder.join("sub-0002_acq-conc_voi-acc_mrsref.nii.gz"),
        folder.join("sub-0002_acq-ecc_voi-acc_mrsref.nii.gz"),
    )
    .unwrap();
    let (out, _) = corpus.run("out", &[]);
    let (spectra, metabolites) = tables(&out);
    // Without a reference: ratios only. With two: a row that asks which.
    assert_eq!((spectra[0].status, spectra[0].water_amplitude), (Status::Ok, None));
    let first: Vec<_> = metabolites.iter().filter(|m| m.spectrum_id == spectra[0].spectrum_id).collect();
    assert!(first.iter().all(|m| m.conc_lcmodel_mmol_per_kg.is_none()) && first.iter().any(|m| m.ratio_tcr.is_some()));
    assert_eq!(spectra[1].error_code.as_deref(), Some("ambiguous_water_reference"));
    assert!(spectra[2].water_amplitude.is_some());
}

#[test]
fn amplitudes_and_concentrations_return_the_truth() {
    let corpus = Corpus::new(12);
    let (out, _) = corpus.run("out", &[]);
    let (_, rows) = tables(&out);
    let mut reader = csv::Reader::from_path(&corpus.written.truth).unwrap();
    let headers: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    for record in reader.records() {
        let record = record.unwrap();
        for (name, truth) in headers.iter().zip(record.iter()).skip(1) {
            let truth: f64 = truth.parse().unwrap();
            let row = rows.iter().find(|r| r.spectrum_id.contains(&record[0]) && r.metabolite == *name).unwrap();
            // Five standard deviations: one in two million by chance.
            let (amplitude, sd) = (row.amplitude.unwrap(), row.sd_posterior.unwrap());
            assert!((amplitude - truth).abs() < 5.0 * sd, "{} {name}: {amplitude} ± {sd}, truth {truth}", &record[0]);
            // The simulated water makes LCModel's formula return mmol/kg; its amplitude is good to 1 %.
            let concentration = row.conc_lcmodel_mmol_per_kg.unwrap();
            assert!((concentration / amplitude - 1.0).abs() < 0.01 || amplitude == 0.0, "{concentration} {amplitude}");
        }
    }
}

#[test]
fn exit_codes() {
    let corpus = Corpus::new(1);
    let empty = corpus.out("empty");
    fs::create_dir(&empty).unwrap();
    let basis = text(&corpus.written.bases[0]).to_owned();
    let out = corpus.out("x");
    let nothing = requant(&["run", text(&empty), "--basis", &basis, "--out", text(&out)]);
    assert_eq!(code(&nothing), 66, "{}", String::from_utf8_lossy(&nothing.stderr));
    assert!(!out.exists(), "no input, no output");

    let (existing, first) = corpus.run("out", &[]);
    assert_eq!(code(&first), 0);
    let bytes = parquet_bytes(&existing);
    let (_, second) = corpus.run("out", &[]);
    assert_eq!(code(&second), 73);
    assert_eq!(parquet_bytes(&existing), bytes, "a refused run leaves the output alone");
    assert_eq!(code(&corpus.run("out", &["--overwrite"]).1), 0);

    // A path below a file cannot be created, whoever runs this.
    let (_, unwritable) = corpus.run("out/run.json/below", &[]);
    assert_eq!(code(&unwritable), 73, "{}", String::from_utf8_lossy(&unwritable.stderr));

    assert_eq!(code(&requant(&["run"])), 2);
    assert_eq!(code(&corpus.run("gpu", &["--engine", "cpu", "--gpu", "0"]).1), 2);
    assert_eq!(code(&corpus.run("gpu", &["--gpu", "99"]).1), 1);
    assert_eq!(code(&corpus.run("method", &["--method", "nonesuch"]).1), 2);
    let none = requant(&["run", text(&corpus.written.spectra), "--out", text(&corpus.out("none"))]);
    assert_eq!(code(&none), 0, "the basis set is simulated from the header");
}

#[test]
fn a_basis_set_with_a_name_twice_is_refused_by_name() {
    let corpus = Corpus::new(1);
    let twice = corpus.out("twice.basis");
    let set = fs::read_to_string(&corpus.written.bases[0]).unwrap();
    fs::write(&twice, set.replace("METABO = 'Lac'", "METABO = 'mI'")).unwrap();
    let out = corpus.out("out");
    let output = requant(&["run", text(&corpus.written.spectra), "--basis", text(&twice), "--out", text(&out)]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(code(&output), 1);
    assert!(message.contains("mI") && message.contains("Ins"), "{message}");
    assert!(!out.exists(), "a basis set that cannot be read ends the run before any output");
}

#[test]
fn help_is_what_users_know() {
    for (name, args) in
        [("help", vec!["--help"]), ("run_help", vec!["run", "--help"]), ("fit_help", vec!["fit", "--help"])]
    {
        let output = requant(&args);
        assert_eq!(code(&output), 0);
        insta::assert_snapshot!(name, String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn settings_vary_in_one_run_and_refusals_come_before_anything_is_read() {
    let corpus = Corpus::new(2);
    let vary =
        |values: &[&str]| -> Vec<String> { values.iter().flat_map(|v| ["--vary".into(), (*v).into()]).collect() };
    let run = |name: &str, values: &[&str]| {
        let more = vary(values);
        corpus.run(name, &more.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let (out, output) = run("varied", &["baseline.max_ed_per_ppm=2,8", "window_ppm=[0.2,4.2],[0.5,4.0]"]);
    assert_eq!(code(&output), 0, "{output:?}");
    let (spectra, _) = tables(&out);
    // All methods of one spectrum, then those of the next.
    let methods: Vec<&str> = spectra.iter().map(|s| s.method.as_str()).collect();
    assert_eq!(methods.len(), 8);
    assert_eq!(
        methods[..2],
        ["map[max_ed_per_ppm=2 window_ppm=0.2..4.2]", "map[max_ed_per_ppm=2 window_ppm=0.5..4.0]"]
    );
    assert_eq!(methods[..4], methods[4..]);
    assert!(spectra[..4].iter().all(|s| s.spectrum_id == spectra[0].spectrum_id && s.status == Status::Ok));
    let hashes: std::collections::BTreeSet<_> = spectra.iter().map(|s| s.method_hash.clone().unwrap()).collect();
    assert_eq!(hashes.len(), 4);
    let record = requant::store::read_run(&out).unwrap();
    assert_eq!(record.methods.len(), 4);
    assert_eq!(record.config["varied"][2]["settings"]["baseline.max_ed_per_ppm"], "8");
    assert_eq!(record.config["methods"][2]["baseline"]["max_ed_per_ppm"], 8.0);
    // What a row says is what its settings give by themselves.
    let toml = String::from_utf8(requant(&["methods", "--toml", "map"]).stdout).unwrap();
    let path = corpus.out("mine.toml");
    fs::write(&path, toml.replace("max_ed_per_ppm = 8.0", "max_ed_per_ppm = 2.0")).unwrap();
    let (alone, output) = corpus.run("alone", &["--method", text(&path)]);
    assert_eq!(code(&output), 0, "{output:?}");
    let by_itself = &tables(&alone).0[0];
    assert_eq!((spectra[0].baseline_ed, spectra[0].q_objective), (by_itself.baseline_ed, by_itself.q_objective));
    // Refused by their arguments alone: the input is not even there.
    for (values, told) in [
        (
            &["baseline.ed=5,10"][..],
            "--vary baseline.ed=5,10: method `map` has no setting `baseline.ed`; [baseline] has",
        ),
        (
            &["window_ppm=[0.2,4.2],wide"],
            "--vary window_ppm=[0.2,4.2],wide: method `map` cannot have window_ppm = \"wide\"",
        ),
        (&["window_ppm=[4.2,0.2]"], "`window_ppm`: the lower end comes first"),
        (
            &["baseline.smoothness.ed-per-ppm=6", "baseline.max_ed_per_ppm=4"],
            "cannot have baseline.smoothness.ed-per-ppm = 6, ",
        ),
        (&["start.gauss_hz="], "a value is missing"),
        (&["start.gauss_hz=3,3.0"], "`3.0` is there twice"),
        (&["start.gauss_hz=3", "start.gauss_hz=4"], "set the same"),
    ] {
        let more = vary(values);
        let mut args = vec!["run", "/nowhere/at/all", "--out", "/nowhere/out"];
        args.extend(more.iter().map(String::as_str));
        let output = requant(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(code(&output) == 2 && said.contains(told), "{values:?}: {said}");
    }
}

#[test]
fn a_fixed_effective_dimension_is_what_the_baseline_has() {
    let corpus = Corpus::new(3);
    let (out, output) = corpus.run("fixed", &["--vary", "baseline.smoothness.ed-per-ppm=1,3,6"]);
    assert_eq!(code(&output), 0, "{output:?}");
    for row in tables(&out).0 {
        let per_ppm: f64 = row.method.rsplit('=').next().unwrap().trim_end_matches(']').parse().unwrap();
        let (found, wanted) = (row.baseline_ed.unwrap(), 4.0 * per_ppm);
        // The column's is with phases' derivatives free of the data's noise, the iteration's with the data's own: over six
        // spectra of all three sites and 3 to 32 dimensions they differ by 2.4 % at most.
        assert!((found / wanted - 1.0).abs() < 0.03, "{found}, not {wanted}: {}", row.method);
        assert_eq!(row.state.as_deref(), Some("converged"));
    }
}
