//! Quantities and gates from the tables of a finished run are those that a run gives itself.

#![allow(clippy::too_many_lines, reason = "a list of cases")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::source::{GOOD, Made, TE_S, TR_S, WATER_TE_S, WATER_TR_S, brain, water, write};
use num_complex::Complex64;
use requant::acquisition::Acquisition;
use requant::basis::{SetFormat, save};
use requant::formats::nifti_mrs;
use requant::quantify::{Fractions, Inputs, Term, Terms, WaterScaling, concentrations};
use requant::store::{MetaboliteRow, SpectrumRow, read_run, read_table};

struct Case {
    folder: tempfile::TempDir,
}

impl Case {
    /// Three spectra, two of them with a water reference.
    fn new() -> Self {
        let case = Self { folder: tempfile::tempdir().unwrap() };
        for (number, made) in
            [GOOD, Made { seed: 5, noise_sd: 4.0, ..GOOD }, Made { seed: 6, ..GOOD }].into_iter().enumerate()
        {
            let folder = case.at("in").join(format!("sub-0{}/mrs", number + 1));
            write(&folder.join(format!("sub-0{}_svs.nii", number + 1)), &brain(made));
            if number < 2 {
                write(&folder.join(format!("sub-0{}_mrsref.nii", number + 1)), &water());
            }
        }
        fs::write(case.at("in/dataset_description.json"), r#"{"Name": "tissue", "BIDSVersion": "1.10.0"}"#).unwrap();
        fs::write(case.at("in/participants.tsv"), "participant_id\tsite\nsub-01\there\nsub-02\there\nsub-03\there\n")
            .unwrap();
        save(&crate::common::basis(), &case.at("set.basis"), SetFormat::Lcmodel, false).unwrap();
        case
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn requant(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_requant")).args(arguments).current_dir(self.folder.path()).output().unwrap()
    }

    fn run(&self, out: &str, more: &[&str]) {
        let all =
            ["run", "in", "--out", out, "--basis", "set.basis", "--engine", "cpu", "--method", "varpro", "--curves"];
        succeeded(&self.requant(&[&all[..], more].concat()));
    }

    fn quantify(&self, from: &str, out: &str, more: &[&str]) -> String {
        succeeded(&self.requant(&[&["quantify", from, "--out", out], more].concat()))
    }

    fn tables(&self, out: &str) -> (Vec<SpectrumRow>, Vec<MetaboliteRow>) {
        (read_table(&self.at(out)).unwrap(), read_table(&self.at(out)).unwrap())
    }
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn id(number: usize) -> String {
    format!("sub-0{number}/mrs/sub-0{number}_svs")
}

const TISSUE: Fractions = Fractions { gm: 0.6, wm: 0.2, csf: 0.2 };

fn tissue(case: &Case) {
    let text = format!(
        "spectrum_id\tf_gm\tf_wm\tf_csf\tf_csf_sd\tgm_ratio_sd\n{}\t0.6\t0.2\t0.2\t0.02\t0.03\n{}\t0.57\t0.19\t0.19\t\t\nelse\t1\t0\t0\t\t\n",
        id(1),
        id(2)
    );
    fs::write(case.at("tissue.tsv"), text).unwrap();
}

/// The terms of a fit, as its rows have them.
fn terms(spectrum: &SpectrumRow, rows: &[&MetaboliteRow]) -> Terms {
    let place = |name: &String| rows.iter().position(|row| row.metabolite == *name).unwrap();
    let term = |row: &&MetaboliteRow| Term {
        name: row.metabolite.clone(),
        members: row.sum_of.iter().map(place).collect(),
        value: row.amplitude.unwrap(),
        sd: row.sd_posterior.unwrap(),
    };
    Terms { each: rows.iter().map(term).collect(), covariance: spectrum.posterior_covariance.clone().unwrap() }
}

#[test]
fn the_same_inputs_give_the_same_tables() {
    let case = Case::new();
    case.run("out", &[]);
    case.quantify("out", "again", &[]);
    assert_eq!(case.tables("again"), case.tables("out"));
    // Curves come along, and the record says from what.
    let (was, is) = (read_run(&case.at("out")).unwrap(), read_run(&case.at("again")).unwrap());
    assert_eq!((is.counts, is.methods, is.inputs), (was.counts, was.methods, was.inputs));
    assert_eq!(is.config["quantified_from"]["run_id"], was.run_id.as_str());
    assert_ne!(is.run_id, was.run_id);

    // Other constants, in the run or after it.
    let config = "[water_scaling]\nversion = \"mine\"\nwater_attenuation = 0.65\n[water_scaling.relaxation.water.\"3\"]\ngm = { t1_s = 1.5, t2_s = 0.1 }\n";
    fs::write(case.at("mine.toml"), config).unwrap();
    fs::write(case.at("gates.toml"), "name = \"mine\"\n[[gates]]\nname = \"weak\"\nkeep = \"sd_posterior < 0.05 * median(amplitude)\"\n[[gates]]\nname = \"conc_above_1\"\nkeep = \"conc_lcmodel_mmol_per_kg > 0.001\"\n").unwrap();
    let how = ["--config", "mine.toml", "--gates", "gates.toml"];
    case.run("mine", &how);
    case.quantify("out", "mine-again", &how);
    let (expected, found) = (case.tables("mine"), case.tables("mine-again"));
    assert_eq!(found, expected);
    assert_ne!(found.1, case.tables("out").1);
    let gates: Vec<Option<&str>> = found.1.iter().map(|row| row.gate.as_deref()).collect();
    for gate in [Some("weak"), Some("conc_above_1_unknown"), None] {
        assert!(gates.contains(&gate), "{gate:?} in {gates:?}");
    }
    assert_eq!(found.0.iter().map(|row| row.gate.clone()).collect::<Vec<_>>(), [None, None, None]);
}

/// Notes on gates, constants and a table of tissue stayed when others took their place.
#[test]
fn notes_that_others_make_untrue_go() {
    let case = Case::new();
    case.run("out", &[]);
    let line = |subject: &str| format!("spectrum_id\tf_gm\tf_wm\tf_csf\n{subject}\t0.6\t0.3\t0.1\n");
    let known = case.tables("out").0[0].spectrum_id.clone();
    let gate = "[[gates]]\nname = \"wide\"\nkeep = \"fwhm_hz < 12\"\n";
    for (name, text) in [
        ("gates.toml", format!("name = \"a\"\n{gate}biases = \"keeps still heads\"\n")),
        ("other-gates.toml", format!("name = \"b\"\n{gate}")),
        ("mine.toml", "[water_scaling]\nversion = \"mine\"\n[water_scaling.relaxation.alpha]\nTau = 0.7\n".to_owned()),
        ("other.toml", "[water_scaling]\nversion = \"other\"\n".to_owned()),
        ("tissue.tsv", format!("{}nobody\t0.6\t0.3\t0.1\n", line(&known))),
        ("other.tsv", line(&known)),
    ] {
        fs::write(case.at(name), text).unwrap();
    }
    let notes = |out: &str| read_run(&case.at(out)).unwrap().warnings;
    let begin = |notes: &[String], with: &str| notes.iter().filter(|note| note.starts_with(with)).count();
    let all = ["gate wide: ", "relaxation.alpha.Tau: ", "tissue (tissue.tsv): 1 lines"];
    case.quantify("out", "first", &["--config", "mine.toml", "--gates", "gates.toml", "--tissue", "tissue.tsv"]);
    let first = notes("first");
    assert_eq!(all.map(|with| begin(&first, with)), [1; 3], "{first:?}");
    // What nothing takes the place of stays.
    case.quantify("first", "same", &["--tissue", "tissue.tsv"]);
    let same = notes("same");
    assert_eq!(all.map(|with| begin(&same, with)), [1; 3], "{same:?}");
    case.quantify(
        "first",
        "second",
        &["--config", "other.toml", "--gates", "other-gates.toml", "--tissue", "other.tsv"],
    );
    let second = notes("second");
    assert_eq!(all.map(|with| begin(&second, with)), [0; 3], "{second:?}");
}

#[test]
fn tissue_makes_every_quantity_and_takes_it_back() {
    let case = Case::new();
    tissue(&case);
    case.run("out", &[]);
    let said = case.quantify("out", "tissue", &["--tissue", "tissue.tsv"]);
    assert!(said.contains("1 lines are of no spectrum here") && said.contains("1 spectra have no line"), "{said}");
    let (spectra, metabolites) = case.tables("tissue");
    assert_eq!(spectra.iter().map(|row| row.f_gm).collect::<Vec<_>>()[2], None);
    assert!((spectra[1].f_gm.unwrap() - 0.6).abs() < 1e-12);
    assert!(spectra[1].warnings.iter().any(|w| w.contains("summed to 0.95")), "{:?}", spectra[1].warnings);
    let row = &spectra[0];
    assert_eq!((row.f_wm, row.f_csf, row.f_csf_sd, row.gm_ratio_sd), (Some(0.2), Some(0.2), Some(0.02), Some(0.03)));
    assert!((row.gm_ratio.unwrap() - 0.75).abs() < 1e-12);
    let own: Vec<&MetaboliteRow> = metabolites.iter().filter(|m| m.spectrum_id == id(1)).collect();
    let inputs = Inputs {
        water_amplitude: row.water_amplitude,
        water_amplitude_sd: row.water_amplitude_sd,
        water_te_s: Some(WATER_TE_S),
        water_tr_s: Some(WATER_TR_S),
        te_s: Some(TE_S),
        tr_s: Some(TR_S),
        field_t: Some(123.2 / 42.577_478_518),
        sequence: Some("PRESS".into()),
        fractions: Some(TISSUE),
        f_csf_sd: Some(0.02),
        gm_ratio_sd: Some(0.03),
        ..Inputs::default()
    };
    let constants = WaterScaling::lcmodel().unwrap();
    let quantities = concentrations(&terms(row, &own), &inputs, own[0].signal_per_proton, &constants);
    assert!(own.iter().any(|m| m.is_sum));
    for (found, expected) in own.iter().zip(&quantities.each) {
        let of =
            |estimate: Option<requant::quantify::Estimate>| (estimate.map(|e| e.value), estimate.and_then(|e| e.sd));
        let name = &found.metabolite;
        assert_eq!((found.conc_lcmodel_mmol_per_kg, found.conc_lcmodel_sd_mmol_per_kg), of(expected.lcmodel), "{name}");
        assert_eq!((found.conc_csf_mmol_per_kg, found.conc_csf_sd_mmol_per_kg), of(expected.csf), "{name}");
        assert_eq!((found.conc_molal_mmol_per_kg, found.conc_molal_sd_mmol_per_kg), of(expected.molal), "{name}");
        assert_eq!((found.conc_molar_mmol_per_l, found.conc_molar_sd_mmol_per_l), of(expected.molar), "{name}");
        assert_eq!((found.conc_alpha_iu, found.conc_alpha_sd_iu), of(expected.alpha), "{name}");
        assert_eq!(found.constants_id, expected.constants_id);
        assert_eq!((found.t1_s, found.t2_s), (expected.t1_s, expected.t2_s));
        let has_times = !name.starts_with("MM") && !name.starts_with("Lip");
        assert_eq!(
            (found.conc_molal_mmol_per_kg.is_some(), found.conc_molal_sd_mmol_per_kg.is_some()),
            (has_times, has_times),
            "{name}"
        );
        assert_eq!(found.water_attenuation_tissue, quantities.water_attenuation_tissue);
        assert_eq!(found.metabolite_attenuation_tissue, expected.attenuation);
    }
    // By hand: NAA at TE 30 ms and TR 2 s, three quarters of the tissue grey matter.
    let naa = own.iter().find(|m| m.metabolite == "NAA").unwrap();
    assert!((naa.t1_s.unwrap() - (0.75 * 1.47 + 0.25 * 1.35)).abs() < 1e-12);
    let s = naa.amplitude.unwrap() * naa.signal_per_proton.unwrap() * 2.0 / row.water_amplitude.unwrap();
    let x_csf = 0.2 * 0.97 / (0.6 * 0.78 + 0.2 * 0.65 + 0.2 * 0.97);
    let molal = s * 55_510.0 * naa.water_attenuation_tissue.unwrap()
        / (naa.metabolite_attenuation_tissue.unwrap() * (1.0 - x_csf));
    assert!((naa.conc_molal_mmol_per_kg.unwrap() / molal - 1.0).abs() < 1e-9);
    // Without a line there is none of it, and a table without anybody's tissue takes all of it back.
    let third = || metabolites.iter().filter(|m| m.spectrum_id == id(3));
    assert!(third().count() > 0 && third().all(|m| m.conc_csf_mmol_per_kg.is_none() && m.t1_s.is_none()));
    fs::write(case.at("none.tsv"), format!("spectrum_id\tf_gm\tf_wm\tf_csf\n{}\t\t\t\n", id(1))).unwrap();
    case.quantify("tissue", "back", &["--tissue", "none.tsv"]);
    assert_eq!(case.tables("back"), case.tables("out"));
}

/// The water reference with noise, and all of it made smaller by the receiver.
fn water_of_gain(gain: f64, noise_sd: f64) -> Acquisition {
    let (clean, mut normal) = (water(), crate::common::Normal(11));
    let noisy = |z: &Complex64| (z + Complex64::new(normal.next(), normal.next()) * noise_sd) * gain;
    let samples = clean.samples.to_array();
    let samples = ndarray::Array5::from_shape_vec(samples.dim(), samples.iter().map(noisy).collect()).unwrap();
    Acquisition { facts: clean.facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) }
}

#[test]
fn a_reference_of_a_lower_gain_is_flagged_and_a_flip_angle_is_known() {
    let case = Case::new();
    let mut first = brain(GOOD);
    first.facts.flip_angle_deg = Some(60.0);
    write(&case.at("in/sub-01/mrs/sub-01_svs.nii"), &first);
    write(&case.at("in/sub-01/mrs/sub-01_mrsref.nii"), &water_of_gain(1.0, GOOD.noise_sd));
    write(&case.at("in/sub-02/mrs/sub-02_mrsref.nii"), &water_of_gain(0.2, 4.0));
    case.run("gain", &[]);
    tissue(&case);
    case.quantify("gain", "tissue", &["--tissue", "tissue.tsv"]);
    let (spectra, _) = case.tables("tissue");
    let has = |row: &SpectrumRow| row.qc_flags.iter().any(|flag| flag == "water_gain_differs");
    let ratios: Vec<f64> = spectra[..2].iter().map(|row| row.water_noise_ratio.unwrap()).collect();
    assert!((ratios[0] - 1.0).abs() < 0.15 && (ratios[1] / 5.0 - 1.0).abs() < 0.15, "{ratios:?}");
    assert_eq!(spectra.iter().map(has).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(spectra.iter().map(|row| row.flip_angle_deg).collect::<Vec<_>>(), [Some(60.0), None, None]);
}

#[test]
fn what_is_missing_is_flagged_once() {
    let case = Case::new();
    fs::write(case.at("tissue.tsv"), format!("spectrum_id\tf_gm\tf_wm\tf_csf\n{}\t0.02\t0.02\t0.96\n", id(1))).unwrap();
    case.run("out", &[]);
    case.quantify("out", "wet", &["--tissue", "tissue.tsv"]);
    case.quantify("wet", "again", &[]);
    let flags = |out: &str| -> Vec<usize> {
        let count = |row: &SpectrumRow| row.qc_flags.iter().filter(|flag| *flag == "voxel_mostly_csf").count();
        case.tables(out).0.iter().map(count).collect()
    };
    assert_eq!((flags("out"), flags("wet"), flags("again")), (vec![0; 3], vec![1, 0, 0], vec![1, 0, 0]));
}

#[test]
fn a_record_that_was_edited_is_neither_computed_from_nor_told() {
    let case = Case::new();
    case.run("out", &[]);
    let path = case.at("out/run.json");
    let text = fs::read_to_string(&path).unwrap();
    let edited = |change: fn(&mut serde_json::Value)| {
        let mut record: serde_json::Value = serde_json::from_str(&text).unwrap();
        change(&mut record);
        fs::write(&path, record.to_string()).unwrap();
        let output = case.requant(&["quantify", "out", "--out", "again", "--overwrite"]);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let water = |record: &mut serde_json::Value| {
        let water = &mut record["config"]["water_scaling"]["water_concentration_mmol_per_kg"];
        *water = serde_json::json!(1.5 * water.as_f64().unwrap());
    };
    let (code, said) = edited(water);
    assert!(
        code == Some(1) && said.contains("run.json: not the record") && said.contains("what it holds makes"),
        "{said}"
    );
    // What only tells it does not tell it either.
    for tells in
        [&["describe", "out"][..], &["report", "out"], &["export", "out", "--out", "tidy"], &["compare", "out", "out"]]
    {
        let output = case.requant(tells);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains("run.json: not the record"), "{tells:?}: {said}");
    }
    let (code, said) = edited(|record| record["run_id"] = "0123456789abcdef".into());
    assert!(code == Some(1) && said.contains("its tables say"), "{said}");
    // What says nothing about the values may be another machine's; a record without an id is an older version's.
    assert_eq!(edited(|record| record["threads"] = 99.into()).0, Some(0));
    assert_eq!(edited(|record| record["requant_version"] = "0.1.0".into()).0, Some(0));
    // A quantified dataset is one to be quantified.
    fs::write(&path, &text).unwrap();
    case.quantify("out", "again", &["--overwrite"]);
    case.quantify("again", "more", &[]);
}

#[test]
fn pages_of_tables_that_were_replaced_go() {
    let case = Case::new();
    case.run("out", &["--no-report"]);
    case.quantify("out", "again", &[]);
    let page = "<!doctype html><!-- requant report -->\n<p>old";
    for (name, text) in [("report", page), ("sub-01", page), ("sub-02", "<p>mine"), ("mine", page)] {
        fs::write(case.at(&format!("again/{name}.html")), text).unwrap();
    }
    case.quantify("out", "again", &["--overwrite"]);
    let left: Vec<&str> = ["report", "sub-01", "sub-02", "mine"]
        .into_iter()
        .filter(|name| case.at(&format!("again/{name}.html")).exists())
        .collect();
    assert_eq!(left, ["sub-02", "mine"]);
}

#[test]
fn usage_that_cannot_be_meant_is_refused() {
    let case = Case::new();
    case.run("out", &[]);
    let before: BTreeMap<PathBuf, Vec<u8>> = files(&case.at("out"));
    fs::write(case.at("else.tsv"), "spectrum_id\tf_gm\tf_wm\tf_csf\nsub-99\t0.6\t0.2\t0.2\n").unwrap();
    fs::write(case.at("percent.tsv"), format!("spectrum_id\tf_gm\tf_wm\tf_csf\n{}\t60\t20\t20\n", id(1))).unwrap();
    fs::write(case.at("steps.toml"), "[prepare]\nsteps = []\n").unwrap();
    fs::write(case.at("gates.toml"), "name = \"a\"\n[[gates]]\nname = \"wide\"\nkeep = \"fwhm < 12\"\n").unwrap();
    for (arguments, code, words) in [
        (&["--tissue", "else.tsv"][..], 1, "none of its 1 spectra"),
        (&["--tissue", "percent.tsv"], 1, "line 2"),
        (&["--tissue", "absent.tsv"], 66, "absent.tsv"),
        (&["--config", "steps.toml"], 2, "second fit"),
        (&["--gates", "gates.toml"], 2, "fwhm_hz"),
        (&["--gates", "sed2020"], 2, "seed2020"),
    ] {
        let output = case.requant(&[&["quantify", "out", "--out", "new"], arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: {said}");
        assert!(!case.at("new").exists(), "{arguments:?}");
    }
    let onto = case.requant(&["quantify", "out", "--out", "out", "--overwrite"]);
    assert_eq!(onto.status.code(), Some(73), "{}", String::from_utf8_lossy(&onto.stderr));
    let run = case.requant(&["run", "in", "--out", "new", "--basis", "set.basis", "--gates", "gates.toml"]);
    assert_eq!(run.status.code(), Some(2), "{}", String::from_utf8_lossy(&run.stderr));
    assert_eq!(files(&case.at("out")), before);
}

fn files(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    crate::common::tables(dir)
}
