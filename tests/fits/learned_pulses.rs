//! Pulses that the spectra of a protocol speak for (`--learn recipe`): found where nobody states them, left where they are as
//! usual or stated, and the same for one run, for shards and after a stop.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use requant::basis::simulate::pulses::Vendor;
use requant::basis::simulate::pulses::vendors::{Known, choose};
use requant::basis::simulate::{LINEWIDTH_HZ, Library, Sequence, TimeGrid, basis_set_with};
use requant::formats::nifti_mrs;
use requant::learned::read;
use requant::simulate::{Corpus, Recipe};
use requant::store::{MetaboliteRow, RunRecord, SpectrumRow, read_table};

use crate::common::tables;

const TE_S: f64 = 0.035;
const SUBJECTS: usize = 12;
/// Memory for a part of the corpus at a time.
const LITTLE: &str = "148MiB";

/// Spectra of a site whose scanner plays `truth`'s pulses, in files that say `vendor` and nothing of pulses; true ratios of
/// glutamate to total creatine.
fn site(folder: &Path, name: &str, truth: Vendor, vendor: Option<&str>) -> Vec<f64> {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    (recipe.subjects, recipe.seed) = (SUBJECTS, recipe.seed + name.len() as u64);
    recipe.group.truncate(1);
    recipe.site.truncate(1);
    let one = &mut recipe.site[0];
    let known = Known { asked: Some(truth), ..Known::default() };
    let choice = choose(&known, TE_S, one.f0_mhz, false).unwrap();
    let sequence = Sequence::Press { te_s: TE_S, te1_s: choice.te1_s, te2_s: TE_S - choice.te1_s };
    (one.sequence, one.water, one.snr) = (sequence, false, [60.0, 70.0]);
    let time = TimeGrid {
        f0_mhz: one.f0_mhz,
        dwell_s: 1.0 / one.bandwidth_hz,
        n_points: one.n_points,
        linewidth_hz: LINEWIDTH_HZ,
    };
    let mut corpus = Corpus::new(&recipe).unwrap();
    let names: Vec<&str> = corpus.metabolites.iter().map(String::as_str).collect();
    let set = basis_set_with(Library::built_in().unwrap(), &names, &sequence, &choice.pulses, time).unwrap();
    corpus.bases = vec![Arc::new(set)];
    (0..SUBJECTS)
        .map(|index| {
            let (truth, mut simulated) = corpus.spectra(index).remove(0);
            let facts = &mut simulated.data.facts;
            (facts.pulses, facts.te1_s, facts.vendor) = (None, None, vendor.map(str::to_owned));
            let subject = format!("sub-{name}{index:02}");
            let within = folder.join(&subject).join("mrs");
            fs::create_dir_all(&within).unwrap();
            fs::write(within.join(format!("{subject}_svs.nii")), nifti_mrs::encode(&simulated.data)).unwrap();
            let of = |name: &str| corpus.metabolites.iter().position(|m| m == name).map(|k| truth.concentrations[k]);
            of("Glu").unwrap() / (of("Cr").unwrap() + of("PCr").unwrap())
        })
        .collect()
}

struct Place(tempfile::TempDir);

impl Place {
    fn at(&self, name: &str) -> String {
        self.0.path().join(name).to_str().unwrap().to_owned()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        // The least memory depends on the threads.
        command.args(args).env("RAYON_NUM_THREADS", "2");
        command.env("REQUANT_CACHE_DIR", self.at("cache"));
        command
    }

    fn run(&self, out: &str, more: &[&str]) -> Output {
        let (corpus, out) = (self.at("corpus"), self.at(out));
        self.command(&[&["run", &corpus, "--out", &out, "--memory", LITTLE, "--engine", "cpu"][..], more].concat())
            .output()
            .unwrap()
    }

    fn done(&self, out: &str, more: &[&str]) -> String {
        let output = self.run(out, more);
        assert!(output.status.success(), "{more:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Rows of the spectra of a site.
    fn spectra(&self, out: &str, site: &str) -> Vec<SpectrumRow> {
        let rows: Vec<SpectrumRow> = read_table(Path::new(&self.at(out))).unwrap();
        let own: Vec<SpectrumRow> = rows.into_iter().filter(|row| row.spectrum_id.contains(site)).collect();
        assert_eq!(own.len(), SUBJECTS);
        own
    }

    /// Mean over a site's spectra of what glutamate over total creatine is beside the truth.
    fn bias(&self, out: &str, site: &str, truth: &[f64]) -> f64 {
        let rows: Vec<MetaboliteRow> = read_table(Path::new(&self.at(out))).unwrap();
        let of = |index: usize, name: &str| {
            let own = |row: &&MetaboliteRow| row.spectrum_id.contains(&format!("sub-{site}{index:02}/"));
            rows.iter().filter(own).find(|row| row.metabolite == name).and_then(|row| row.amplitude).unwrap()
        };
        let each = truth.iter().enumerate().map(|(k, truth)| of(k, "Glu") / of(k, "tCr") / truth - 1.0);
        each.sum::<f64>() / truth.len() as f64
    }
}

#[test]
fn pulses_that_nobody_states_are_those_that_the_spectra_speak_for() {
    let place = Place(tempfile::tempdir().unwrap());
    let corpus = PathBuf::from(place.at("corpus"));
    let truth = site(&corpus, "unknown", Vendor::Philips, None);
    site(&corpus, "usual", Vendor::Siemens, Some("Siemens"));
    site(&corpus, "wrong", Vendor::Ge, Some("Philips"));
    place.done("plain", &[]);
    let said = place.done("learned", &["--learn", "recipe"]);
    assert!(said.contains(" subjects · pulses of Philips instead of the usual ones, better by"), "{said}");
    assert!(said.contains(" · Philips · ") && said.contains("pulses of GE instead of the usual ones"), "{said}");
    assert!(said.contains(" · Siemens · ") && said.contains("pulses as usual"), "{said}");

    let expected = [
        ("unknown", "Philips 180°", "generic", "learned"),
        ("wrong", "GE 180°", "vendor default", "learned"),
        ("usual", "Mao 180° 5.20 ms", "vendor default", "vendor default"),
    ];
    for (site, pulse, before, after) in expected {
        for row in place.spectra("plain", site) {
            assert_eq!((row.basis_source.as_deref(), &row.learned_id), (Some(before), &None), "{site}");
        }
        for row in place.spectra("learned", site) {
            assert_eq!(row.basis_source.as_deref(), Some(after), "{site}");
            assert!(row.basis_pulse.as_deref().is_some_and(|name| name.contains(pulse)), "{:?}", row.basis_pulse);
            assert_eq!(row.learned_id.is_some(), after == "learned", "{site}");
            assert!(!row.qc_flags.iter().any(|flag| flag == "basis_pulse_unknown"), "{:?}", row.qc_flags);
        }
    }
    let (plain, learned) = (place.bias("plain", "unknown", &truth), place.bias("learned", "unknown", &truth));
    println!("glutamate: {:+.2} % without, {:+.2} % with learning", 100.0 * plain, 100.0 * learned);
    // The set is the one that the spectra were made with: what stays is the fit's own.
    assert!(learned.abs() < 0.02 && learned.abs() < 0.5 * plain.abs(), "{plain} {learned}");

    // The record and the page say it, and the table has every candidate.
    let record: RunRecord = serde_json::from_slice(&fs::read(place.at("learned/run.json")).unwrap()).unwrap();
    let noted = |what: &str| record.warnings.iter().any(|note| note.contains(what));
    assert!(noted("pulses of Philips instead") && noted("pulses as usual"), "{:?}", record.warnings);
    let page = fs::read_to_string(place.at("learned/report.html")).unwrap();
    assert!(page.contains("pulses of GE instead of the usual ones") && page.contains("Gain over the usual ones"));
    let lesson = read(Path::new(&place.at("learned"))).unwrap();
    assert_eq!(lesson.recipes.iter().map(|one| one.candidates.len()).collect::<Vec<_>>(), [5, 5, 5]);

    // What somebody states stays.
    fs::write(place.at("list.csv"), {
        let paths = (0..SUBJECTS).map(|k| format!("corpus/sub-unknown{k:02}/mrs/sub-unknown{k:02}_svs.nii,generic\n"));
        format!("path,pulses\n{}", paths.collect::<String>())
    })
    .unwrap();
    let output = place
        .command(&["run", &place.at("list.csv"), "--engine", "cpu", "--out", &place.at("stated"), "--learn", "recipe"])
        .output();
    let output = output.unwrap();
    assert!(output.status.success(), "{output:?}");
    for row in place.spectra("stated", "unknown") {
        assert_eq!(row.basis_source.as_deref(), Some("recipe"));
    }

    one_run_shards_and_a_stopped_run_are_the_same(&place);
    contradictions_are_named(&place);
}

fn one_run_shards_and_a_stopped_run_are_the_same(place: &Place) {
    let (corpus, lesson) = (place.at("corpus"), place.at("lesson"));
    let learn =
        place.command(&["learn", &corpus, "--engine", "cpu", "--by", "recipe", "--out", &lesson]).output().unwrap();
    assert!(learn.status.success(), "{learn:?}");
    for shard in ["1/2", "2/2"] {
        place.done("shards", &["--learned", &lesson, "--shard", shard]);
    }
    let merged = place.command(&["merge", &place.at("shards"), "--shards", "2"]).output().unwrap();
    let whole = tables(Path::new(&place.at("learned")));
    assert!(merged.status.success(), "{merged:?}");
    assert!(tables(Path::new(&place.at("shards"))) == whole);

    let journal = PathBuf::from(place.at("stopped/.requant"));
    let begun = |journal: &Path| {
        let entries = fs::read_dir(journal).into_iter().flatten().flatten();
        entries.filter(|entry| entry.path().join("chunk.json").is_file()).count()
    };
    let mut run = place
        .command(&[
            "run",
            &corpus,
            "--out",
            &place.at("stopped"),
            "--memory",
            LITTLE,
            "--engine",
            "cpu",
            "--learn",
            "recipe",
        ])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while begun(&journal) == 0 && run.try_wait().unwrap().is_none() {
        assert!(started.elapsed() < Duration::from_secs(120), "no chunk in two minutes");
        std::thread::sleep(Duration::from_millis(2));
    }
    run.kill().unwrap();
    run.wait().unwrap();
    place.done("stopped", &["--learn", "recipe", "--resume"]);
    assert!(tables(Path::new(&place.at("stopped"))) == whole);
    // Rows of other pulses are no rows of this run.
    let other = place.run("stopped", &["--resume"]);
    assert!(
        !other.status.success() && String::from_utf8_lossy(&other.stderr).contains("what was learned"),
        "{other:?}"
    );
}

fn contradictions_are_named(place: &Place) {
    let cases: [(&[&str], &str); 5] = [
        (&["--learn", "recipe", "--pulses", "ge"], "--pulses"),
        (&["--learn", "recipe,none"], "which is it"),
        (&["--learn", "protocol,site"], "not both"),
        (&["--learn", "recipe", "--shard", "1/2"], "shard"),
        (&["--learn", "recipe", "--method", "gannet"], "basis set"),
    ];
    for (options, word) in cases {
        let output = place.run("never", options);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(word), "{options:?}: {output:?}");
    }
}
