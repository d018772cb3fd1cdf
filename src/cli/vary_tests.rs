#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::fit::Method;
use crate::fit::vary::{Varied, VaryError, expand};

fn map() -> Method {
    Method::built_in("map").unwrap().unwrap()
}

fn vary(method: &Method, arguments: &[&str]) -> Result<Vec<Varied>, VaryError> {
    let variations: Vec<Variation> = arguments.iter().map(|a| parse(a).unwrap()).collect();
    expand(method, &variations)
}

fn refusal(method: &Method, arguments: &[&str]) -> String {
    vary(method, arguments).unwrap_err().to_string()
}

#[test]
fn values_are_apart_at_commas_outside_brackets_and_quotes() {
    let read = |text: &str| parse(text).unwrap().values;
    assert_eq!(read("window_ppm=[0.2,4.2],[0.5,4.0]").len(), 2);
    assert_eq!(read("a={x=1,y=[2,3]}, none ,\"a,b\",'c,\"',-inf").len(), 5);
    assert_eq!(read("a=none"), [Value::String("none".into())]);
    assert_eq!(read("a=fit-sd,true,3"), [Value::String("fit-sd".into()), Value::Boolean(true), Value::Integer(3)]);
    assert_eq!(read(r#"a="quoted \" , text""#), [Value::String("quoted \" , text".into())]);
}

#[test]
fn what_is_no_list_of_values_is_refused() {
    for (text, told) in [
        ("window_ppm", "KEY=VALUE"),
        ("window_ppm=", "missing"),
        ("a=1,,2", "missing"),
        ("a=1,2,", "missing"),
        ("=1", "names no setting"),
        ("a..b=1", "names no setting"),
        ("a=[1,2", "`]` is missing"),
        ("a=1]", "closes nothing"),
        ("a=\"x", "not closed"),
        ("a=1.2.3", "no TOML value"),
        ("a=1\nb=2", "no TOML value"),
        ("a=4,4.0", "twice"),
        ("a=[1,2],[1.0,2.0]", "twice"),
        ("name=x,y", "cannot vary"),
    ] {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.contains(told) && error.starts_with(&format!("--vary {text}")), "{error}");
    }
}

#[test]
fn all_combinations_differ_in_what_varies_and_in_nothing_else() {
    let all = vary(&map(), &["baseline.max_ed_per_ppm=2,4,8", "window_ppm=[0.2,4.2],[0.5,4.0]"]).unwrap();
    let names: Vec<&str> = all.iter().map(|v| v.method.name()).collect();
    assert_eq!(names[0], "map[max_ed_per_ppm=2 window_ppm=0.2..4.2]");
    assert_eq!(names[5], "map[max_ed_per_ppm=8 window_ppm=0.5..4.0]");
    assert_eq!(all.len(), 6);
    let reference = map();
    for varied in &all {
        let Method::Map(mut settings) = varied.method.clone() else { unreachable!("a method of map's family") };
        let value = varied.settings[0].value.as_integer().unwrap() as f64;
        assert_eq!(settings.baseline.max_ed_per_ppm, value);
        assert_eq!(varied.base, "map");
        let original = reference.as_map().unwrap();
        settings.name.clone_from(&original.name);
        settings.baseline.max_ed_per_ppm = original.baseline.max_ed_per_ppm;
        settings.window_ppm = original.window_ppm;
        assert_eq!(*settings, *original);
    }
}

#[test]
fn every_built_in_method_can_be_varied() {
    for name in Method::built_in_names() {
        let method = Method::built_in(name).unwrap().unwrap();
        let table = if matches!(method, Method::Peaks(_)) { "difference." } else { "" };
        let all = vary(&method, &[&format!("{table}window_ppm=[0.2,4.2],[0.5,4.0]")]).unwrap();
        assert_eq!(all.len(), 2, "{name}");
        assert_ne!(all[0].method, all[1].method);
    }
    assert_eq!(vary(&map(), &[]).unwrap().len(), 1);
    assert_eq!(vary(&map(), &["priors.ratios=none"]).unwrap()[0].method.name(), "map[ratios=none]");
}

#[test]
fn choices_with_a_number_can_be_given_as_a_path_or_as_a_table() {
    let path = vary(&map(), &["baseline.smoothness.ed-per-ppm=1,2"]).unwrap();
    let table = vary(&map(), &["baseline.smoothness={ed-per-ppm=1},{ed-per-ppm=2},evidence"]).unwrap();
    for (a, b) in path.iter().zip(&table) {
        let baseline = |v: &Varied| v.method.as_map().unwrap().baseline.clone();
        assert_eq!(baseline(a), baseline(b));
    }
    assert_eq!(table[0].method.name(), "map[smoothness=ed-per-ppm:1]");
    // Another choice than the method's own.
    let abfit = Method::built_in("abfit-reg").unwrap().unwrap();
    assert_eq!(vary(&abfit, &["baseline.smoothness.ed=10,20"]).unwrap().len(), 2);
    // One more key of an open table.
    assert_eq!(
        vary(&Method::built_in("lcmodel").unwrap().unwrap(), &["own.shift_sd_ppm_of.Ala=0.01"]).unwrap().len(),
        1
    );
}

#[test]
fn settings_that_are_not_there_are_told_with_those_that_are() {
    let error = refusal(&map(), &["baseline.ed=5,10"]);
    assert!(
        error.starts_with("--vary baseline.ed=5,10: method `map` has no setting `baseline.ed`; [baseline] has "),
        "{error}"
    );
    assert!(error.contains("max_ed_per_ppm") && error.contains("smoothness"), "{error}");
    let error = refusal(&map(), &["window=[0,1]"]);
    assert!(error.contains("it has") && error.contains("window_ppm") && !error.contains("description"), "{error}");
    assert!(refusal(&map(), &["nothing.at.all=1"]).contains("has no setting"));
}

#[test]
fn values_that_cannot_be_are_told_alone_and_combinations_together() {
    let error = refusal(&map(), &["window_ppm=[0.2,4.2]", "baseline.max_ed_per_ppm=4,stiff"]);
    assert!(error.starts_with("--vary baseline.max_ed_per_ppm=4,stiff: method `map` cannot have"), "{error}");
    let error = refusal(&map(), &["components.macromolecules=peaks,textbook"]);
    assert!(error.contains("textbook") && error.contains("groups"), "{error}");
    let error = refusal(&map(), &["window_ppm=[4.2,0.2]"]);
    assert!(error.contains("`window_ppm`: the lower end comes first"), "{error}");
    // Each could be, both cannot.
    let error = refusal(&map(), &["baseline.max_ed_per_ppm=4", "baseline.smoothness.ed-per-ppm=6"]);
    assert!(error.contains("--vary baseline.max_ed_per_ppm=4 --vary baseline.smoothness"), "{error}");
    let lcmodel = Method::built_in("lcmodel").unwrap().unwrap();
    let error = refusal(&lcmodel, &["domain=time,real-spectrum"]);
    assert!(error.contains("`domain`") && error.contains("domain = \"time\""), "{error}");
}

#[test]
fn one_setting_varies_in_one_place_and_not_without_end() {
    assert!(refusal(&map(), &["window_ppm=[0,1]", "window_ppm=[0,2]"]).contains("the same"));
    assert!(refusal(&map(), &["baseline.smoothness=evidence", "baseline.smoothness.fixed=2"]).contains("the same"));
    let many = |key: &str| format!("{key}={}", (1..=40).map(|i| i.to_string()).collect::<Vec<_>>().join(","));
    let error = refusal(&map(), &[&many("start.gauss_hz"), &many("start.lorentz_hz")]);
    assert!(error.contains("1600 methods"), "{error}");
}
