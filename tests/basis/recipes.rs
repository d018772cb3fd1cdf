//! Recipes that cannot be used: each is named with what is possible, before anything is simulated.

use std::path::Path;
use std::sync::Arc;

use requant::basis::check::Protocol;
use requant::basis::simulate::{Recipe, Stated, TimeGrid, Timing, basis_set_with};

use crate::common::fid_a;

/// What is said of a recipe beside data of PRESS with this echo time; `None` where it can be used.
fn said(file: &str, text: &str, te_s: f64) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("short.pta"), "1.0 0.0 ; (0)\n").unwrap();
    std::fs::write(folder.path().join("uneven.txt"), "1 0 1\n2 0 1\n1 0 2\n").unwrap();
    std::fs::write(folder.path().join("columns.RF"), "0 100 1 1\n0\n").unwrap();
    std::fs::write(folder.path().join("words.exc"), "1.0, 0.0\nninety, 0.0\n").unwrap();
    std::fs::write(folder.path().join("nothing.txt"), "1 0\n-1 0\n").unwrap();
    std::fs::write(
        folder.path().join("unknown.toml"),
        "[[metabolite]]\nname = \"Kryptonite\"\nsource = \"test\"\n[[metabolite.group]]\nppm = [2.0]\n",
    )
    .unwrap();
    let path = folder.path().join(file);
    std::fs::write(&path, text).unwrap();
    let stated = match Stated::read(&path) {
        Ok(stated) => stated,
        Err(fault) => return Some(fault.to_string()),
    };
    let protocol = Protocol {
        f0_mhz: Some(123.2),
        te_s: Some(te_s),
        sequence: Some(if text.contains("steam") { "STEAM" } else { "PRESS" }.to_owned()),
        dwell_s: Some(5e-4),
        n_points: Some(512),
    };
    let timing = Timing { tm_s: text.contains("steam").then_some(0.01), ..Timing::default() };
    let recipe = match Recipe::from_protocol(&protocol, &timing.with_recipe(Some(Arc::new(stated)))) {
        Ok(recipe) => recipe,
        Err(gaps) => return Some(gaps.to_string()),
    };
    let one = Recipe { metabolites: vec!["Cr".to_owned()], ..recipe };
    one.basis_set().err().map(|fault| fault.to_string())
}

#[test]
fn spin_systems_of_a_recipe_replace_the_built_in_ones_and_rows_are_told() {
    let stated = Stated::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/fid-a.toml")).unwrap();
    assert_eq!(stated.files.len(), 1, "the run's signature holds them: {:?}", stated.files);
    let protocol = Protocol {
        f0_mhz: Some(123.2),
        te_s: Some(0.035),
        sequence: Some("PRESS".to_owned()),
        dwell_s: Some(5e-4),
        n_points: Some(512),
    };
    let of = |timing: Timing| {
        let recipe = Recipe::from_protocol(&protocol, &timing).unwrap();
        Recipe { metabolites: ["Asc", "Glu"].map(str::to_owned).to_vec(), ..recipe }
    };
    let usual = of(Timing::default());
    let own = of(Timing::default().with_recipe(Some(Arc::new(stated))));
    assert_eq!((&own.pulses, own.pulse_source), (&usual.pulses, usual.pulse_source));
    assert_ne!(
        serde_json::to_string(&own).unwrap(),
        serde_json::to_string(&usual).unwrap(),
        "sets are kept by this text"
    );
    let (of_own, of_usual) = (own.basis_set().unwrap(), usual.basis_set().unwrap());
    let time = TimeGrid { f0_mhz: own.f0_mhz, dwell_s: own.dwell_s, n_points: 512, linewidth_hz: own.linewidth_hz };
    let expected = basis_set_with(&fid_a::library(), &["Asc", "Glu"], &own.sequence, &own.pulses, time).unwrap();
    assert_eq!(of_own.fids, expected.fids);
    assert_ne!(of_own.fids.row(0), of_usual.fids.row(0));
    assert_eq!(of_own.fids.row(1), of_usual.fids.row(1));
    let remark = "spin systems of fid-a-spin-systems.toml for Asc, ";
    assert!(of_own.remarks.iter().any(|r| r.starts_with(remark)), "{:?}", of_own.remarks);
    assert!(!of_usual.remarks.iter().any(|r| r.contains("spin systems")), "{:?}", of_usual.remarks);
}

#[test]
fn spin_systems_that_cannot_be_used_are_named() {
    for (file, parts) in [
        ("unknown.toml", ["unknown.toml", "Kryptonite"]),
        ("gone.toml", ["gone.toml", "cannot be read"]),
        ("short.pta", ["short.pta", "line 1"]),
    ] {
        let message = said("r.toml", &format!("spin_systems = \"{file}\"\n"), 0.035).unwrap();
        assert!(parts.iter().all(|part| message.contains(part)), "{file}: {message}");
    }
}

fn pulse(role: &str, rest: &str) -> String {
    format!("[[pulse]]\nrole = \"{role}\"\n{rest}\n")
}

const GAUSS: &str = "shape = \"gauss\"\ntruncation = 0.01\nduration_ms = 6.0";

#[test]
fn recipes_that_can_be_played_are_played() {
    for (text, te_s) in [
        ("[sequence]\nvendor = \"philips\"\nte1_ms = 14.0\n".to_owned(), 0.035),
        (format!("[sequence]\nname = \"press\"\nte1_ms = 15\n{}", pulse("refocus", GAUSS)), 0.035),
        (format!("[sequence]\nname = \"steam\"\n{}", pulse("excite", GAUSS)), 0.035),
        // Editing pulses of PRESS: which conditions there are the data say.
        (format!("[sequence]\nname = \"press\"\nvendor = \"ge\"\n{}", pulse("edit", GAUSS)), 0.068),
    ] {
        assert_eq!(said("r.toml", &text, te_s), None, "{text}");
    }
}

#[test]
fn echoes_too_short_for_the_pulses_say_what_is_possible() {
    let vendor = said("r.toml", "[sequence]\nvendor = \"siemens\"\nte1_ms = 26\n", 0.030).unwrap();
    assert!(vendor.contains("refocusing pulse of 5.20 ms") && vendor.contains("TE1 from 5.20 to 24.80 ms"), "{vendor}");
    let stated = said("r.toml", &format!("[sequence]\nte1_ms = 5\n{}", pulse("refocus", GAUSS)), 0.030).unwrap();
    assert!(stated.contains("r.toml") && stated.contains("TE1 from 6.00 to 24.00 ms"), "{stated}");
    let no_way = said("r.toml", &pulse("refocus", GAUSS), 0.011).unwrap();
    assert!(no_way.contains("TE of 12.00 ms or more"), "{no_way}");
    let steam = said("r.toml", &format!("[sequence]\nname = \"steam\"\n{}", pulse("excite", GAUSS)), 0.008).unwrap();
    assert!(steam.contains("a 90° pulse of 6.00 ms") && steam.contains("TE longer by"), "{steam}");
}

#[test]
fn waveforms_that_do_not_read_are_named_with_file_and_line() {
    for (file, parts) in [
        ("short.pta", ["1 steps", "2 to 100000"]),
        ("uneven.txt", ["differ in length", "line 3"]),
        ("columns.RF", ["line 2", "columns"]),
        ("words.exc", ["line 2", "no finite number"]),
        ("nothing.txt", ["area of the pulse is zero", "peak_b1_hz"]),
        ("missing.pta", ["missing.pta", "cannot be read"]),
    ] {
        let text = pulse("refocus", &format!("shape = \"file\"\nfile = \"{file}\"\nduration_ms = 5.0"));
        let message = said("r.toml", &text, 0.035).unwrap();
        assert!(parts.iter().all(|part| message.contains(part)), "{file}: {message}");
    }
    let uneven = "shape = \"samples\"\namplitude = [1.0, 2.0, 1.0]\nphase_rad = [0.0, 0.0]\nduration_ms = 5.0";
    let message = said("r.toml", &pulse("refocus", uneven), 0.035).unwrap();
    assert!(message.contains("3 amplitudes, 2 phases") && message.contains("as many of each"), "{message}");
}

#[test]
fn recipes_that_contradict_themselves_or_the_data_are_named() {
    let sequence = |keys: &str| format!("[sequence]\n{keys}\n");
    for (text, parts) in [
        (sequence("vendor = \"hitachi\""), vec!["hitachi", "GE", "Philips", "Siemens", "generic", "ideal"]),
        (sequence("name = \"hahn\""), vec!["hahn", "PRESS, STEAM, sLASER, SPECIAL, spin-echo"]),
        (sequence("name = \"press\"\ntm_ms = 10"), vec!["tm_ms", "STEAM alone"]),
        (sequence("name = \"steam\"\nte1_ms = 10"), vec!["te1_ms", "PRESS alone"]),
        (sequence("name = \"steam\"") + &pulse("refocus", GAUSS), vec!["refocus", "excite"]),
        (sequence("name = \"steam\"") + &pulse("edit", GAUSS), vec!["edit", "PRESS and sLASER alone"]),
        (sequence("name = \"spin-echo\"") + &pulse("refocus", GAUSS), vec!["refocus", "ideal"]),
        (sequence("vendor = \"ideal\"") + &pulse("refocus", GAUSS), vec!["ideal", "contradict"]),
        (sequence("te_ms = 30\nte1_ms = 31"), vec!["te1_ms = 31", "te_ms = 30"]),
        (sequence("te_ms = 30"), vec!["te_ms = 30", "35", "which is it"]),
        (sequence("name = \"slaser\""), vec!["slaser", "PRESS"]),
        (pulse("refocus", &format!("{GAUSS}\nflip_deg = 180\npeak_b1_hz = 500")), vec!["not both"]),
        (pulse("refocus", &format!("{GAUSS}\nflip_deg = 1800")), vec!["flip_deg = 1800", "720"]),
        ("[grid]\npoints = 4000\n".to_owned(), vec!["4000", "1 to 512"]),
    ] {
        let message = said("r.toml", &text, 0.035).unwrap_or_else(|| panic!("{text} is taken"));
        assert!(message.contains("r.toml") && parts.iter().all(|part| message.contains(part)), "{text}: {message}");
    }
}

/// A list as FSL-MRS has them: excitation and two refocusing pulses at TE 35 ms.
fn fsl() -> String {
    let pulse = |hz: f64, ms: f64| {
        serde_json::json!({"time": 1e-3 * ms, "frequencyOffset": 0, "phaseOffset": 0, "amp": [hz, hz], "phase": [0.0, 0.0],
            "grad": [0, 0, 0]})
    };
    serde_json::json!({"sequenceName": "press", "B0": 2.894, "centralShift": 3.0, "x": [-20, 20], "y": [-20, 20], "z": [-20, 20],
        "resolution": [8, 8, 1], "CoherenceFilter": [-1, 1, -1], "RFUnits": "Hz", "GradUnits": "mT", "spaceUnits": "mm",
        "RF": [pulse(2500.0, 0.1), pulse(5000.0, 0.1), pulse(5000.0, 0.1)], "delays": [0.0075, 0.0174, 0.00985]})
    .to_string()
}

#[test]
fn lists_of_other_programs_are_checked_before_anything_is_simulated() {
    assert_eq!(said("r.json", &fsl(), 0.035), None);
    for (from, to, parts) in [
        ("\"centralShift\":3.0", "\"centralShift\":300.0", ["centralShift = 300", "-10 to 20"]),
        ("\"amp\":[2500.0,2500.0]", "\"amp\":[0.0,0.0]", ["block 1", "peak_b1_hz = 0"]),
        ("\"amp\":[2500.0,2500.0]", "\"amp\":[2500.0]", ["1 amplitudes, 2 phases", "as many of each"]),
        ("\"frequencyOffset\":0", "\"frequencyOffset\":1e7", ["frequencyOffset", "100000"]),
        ("\"B0\":2.894", "\"B0\":7.0", ["298.0 MHz", "123.2 MHz"]),
        ("0.0174", "0.0374", ["te_ms = 55", "35"]),
        ("\"delays\":[0.0075", "\"delays\":[-0.0075", ["delay of -0.0075", "0 to 5"]),
    ] {
        let text = fsl().replacen(from, to, 1);
        assert_ne!(text, fsl(), "{from}");
        let message = said("r.json", &text, 0.035).unwrap_or_else(|| panic!("{to} is taken"));
        assert!(parts.iter().all(|part| message.contains(part)), "{to}: {message}");
    }
    // Positions along an axis with a gradient: their number is checked before anything is as large.
    let many = fsl().replacen("\"grad\":[0,0,0]", "\"grad\":[1.0,0,0]", 1).replace("[8,8,1]", "[800000000,8,1]");
    let message = said("r.json", &many, 0.035).unwrap();
    assert!(message.contains("resolution") && message.contains("1 to 512"), "{message}");
}

#[test]
fn mrsclouds_files_are_checked_as_well() {
    let text = |vendor: &str, taus: &str, name: &str, bandwidth: &str| {
        format!(
            r#"{{"vendor":"{vendor}","localization":"PRESS","TE":35,"taus":{taus},
            "pulses":{{"ref":{{"name":"{name}","duration":5.2,"bandwidth":{bandwidth}}}}}}}"#
        )
    };
    assert_eq!(said("r.json", &text("GE", "[14.7, 20.3]", "GE_rfa", "1110"), 0.035), None);
    for (text, parts) in [
        (text("Hitachi", "[]", "mao", "1000"), ["Hitachi", "Siemens"]),
        (text("GE", "[-5.0, 40.0]", "mao", "1000"), ["taus", "above 0"]),
        (text("GE", "[14.7, 30.0]", "mao", "1000"), ["44.7 ms", "35"]),
        (text("GE", "[]", "secret.pta", "1000"), ["secret.pta", "shape = \"file\""]),
        (text("GE", "[]", "mao", "-3"), ["bandwidth_hz = -3", "1 to"]),
    ] {
        let message = said("r.json", &text, 0.035).unwrap_or_else(|| panic!("{text} is taken"));
        assert!(parts.iter().all(|part| message.contains(part)), "{text}: {message}");
    }
}
