#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
use serde_json::json;

use super::*;

fn record(config: Value) -> RunRecord {
    let settings = [("engine".to_owned(), "cpu".to_owned())].into();
    RunRecord { config, settings, ..RunRecord::new("cpu", 1) }
}

fn defaults() -> Value {
    json!({
        "methods": [super::json(&Method::built_in("map").unwrap().unwrap())],
        "prepare": Preparation::default(),
        "water_scaling": WaterScaling::lcmodel().unwrap(),
        "gaps": crate::acquisition::Facts::default(),
    })
}

#[test]
fn defaults_differ_in_nothing() {
    assert_eq!(differences(&record(defaults())), (Vec::new(), Vec::new()));
}

#[test]
fn every_kind_of_setting_is_told_with_its_default() {
    let mut config = defaults();
    config["methods"][0]["priors"]["ratios"] = json!("none");
    config["prepare"]["coils"] = json!("gls");
    config["gaps"]["tr_s"] = json!(1.5);
    config["water_scaling"]["water_attenuation"] = json!(0.7);
    config["water_scaling"]["relaxation"]["water_content"]["gm"] = json!(0.8);
    config["gates"] = json!({"name": "mine", "gates": []});
    let mut record = record(config);
    record.settings.insert("--tissue".into(), "none Qform".into());
    let found = differences(&record).0;
    let of = |setting: &str| {
        let one = found.iter().find(|one| one.setting == setting).unwrap_or_else(|| panic!("{setting}: {found:?}"));
        (one.value.clone(), one.default.clone())
    };
    let is = |value: &str, default: &str| (value.to_owned(), default.to_owned());
    assert_eq!(of("method map.priors.ratios"), is("none", "usual"));
    assert_eq!(of("prepare.coils"), is("gls", "svd"));
    assert_eq!(of("gaps.tr_s"), is("1.5", "none"));
    assert_eq!(of("water_scaling.water_attenuation"), is("0.7", "none"));
    assert_eq!(of("water_scaling.relaxation.water_content.gm"), is("0.8", "0.78"));
    assert_eq!(of("--gates"), is("mine", "none"));
    assert_eq!(of("--tissue"), is("none", "auto"));
}

#[test]
fn what_another_version_wrote_is_not_taken_for_nothing() {
    let mut config = defaults();
    config["gates"] = json!({"rules": 3});
    config["prepare"] = json!({"phase": "cubic"});
    let (found, notes) = differences(&record(config));
    assert!(found.iter().any(|one| one.setting == "--gates" && one.value == UNREADABLE), "{found:?}");
    assert!(notes.iter().any(|note| note.contains("`prepare` that this version cannot read")), "{notes:?}");
    let several = RunRecord { settings: BTreeMap::new(), ..record(defaults()) };
    assert!(differences(&several).1[0].contains("from several runs"));
    let settings = [(UNITED_KEY, "2"), ("--tissue", DIFFERS), ("what was learned", "x")];
    let settings = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let (found, notes) = differences(&RunRecord { settings, ..record(defaults()) });
    let told: Vec<String> = found.iter().map(|one| format!("{} {}", one.setting, one.value)).collect();
    assert_eq!(told, [format!("--tissue {DIFFERS}"), "--learned values learned from the corpus".to_owned()]);
    assert!(notes[0].contains("from several runs"));
}

#[test]
fn methods_of_ones_own_are_beside_what_they_were_made_of() {
    let mut config = defaults();
    config["methods"][0]["name"] = json!("stiff");
    config["methods"][0]["baseline"]["max_ed_per_ppm"] = json!(3.0);
    let (found, notes) = differences(&record(config.clone()));
    assert_eq!(found, [difference("method stiff.baseline.max_ed_per_ppm", "3.0".into(), "8.0".into())]);
    assert!(notes[0].contains("`map`, the nearest"), "{notes:?}");
    config["varied"] = json!([{"method": "stiff", "base": "map", "settings": {}}]);
    let (found, notes) = differences(&record(config));
    assert_eq!((found.len(), notes.len()), (1, 0));
}

#[test]
fn preparation_that_was_left_out_and_other_builds_are_told() {
    let mut config = defaults();
    config["prepare"] = json!("none");
    let bare = record(json!({}));
    let mut record = record(config);
    record.requant_version = "0.0.1".into();
    let (found, notes) = differences(&record);
    assert_eq!(found, [difference("prepare", "none".into(), "the usual steps".into())]);
    let (none, unknown) = differences(&bare);
    assert!(none.is_empty() && unknown.len() == 3, "{unknown:?}");
    assert!(notes.iter().any(|note| note.contains("requant 0.0.1")), "{notes:?}");
}

#[test]
fn a_branch_that_a_run_lacks_is_one_difference() {
    let mut config = defaults();
    config["water_scaling"].as_object_mut().unwrap().remove("relaxation");
    config["prepare"]["dynamics"] = json!({"n": 4, "step": 2});
    let found = differences(&record(config)).0;
    let settings: Vec<&str> = found.iter().map(|one| one.setting.as_str()).collect();
    assert_eq!(settings, ["prepare.dynamics.n", "prepare.dynamics.step", "water_scaling.relaxation"]);
    assert!(found[2].value == "none" && found[2].default.ends_with(" settings"), "{found:?}");
}

#[test]
fn who_fitted_is_told_apart_from_who_quantified() {
    let mut config = defaults();
    config["quantified_from"] = json!({"requant_version": "0.0.2", "git_hash": null, "gaps": {}});
    let record = record(config);
    assert_eq!(builds(&record), ("requant 0.0.2".to_owned(), Some(build_of_this())));
    assert!(differences(&record).1[0].contains("made by requant 0.0.2"));
}
