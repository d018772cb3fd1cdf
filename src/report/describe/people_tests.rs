#![allow(clippy::unwrap_used, reason = "tests")]
use super::super::protocol::protocols;
use super::*;

fn people(text: &str) -> Result<People, String> {
    People::from_table(toml::from_str(text).unwrap())
}

fn row(id: &str, site: &str, voi: Option<&str>) -> SpectrumRow {
    SpectrumRow {
        spectrum_id: id.into(),
        site: Some(site.into()),
        voi: voi.map(str::to_owned),
        f0_mhz: Some(123.2),
        te_s: Some(0.03),
        ..SpectrumRow::default()
    }
}

fn said(people: &People, rows: &[SpectrumRow], key: &str) -> Option<String> {
    people.say(&protocols(rows, &[]).0[0], Item::of_key(key).unwrap())
}

#[test]
fn texts_of_some_go_before_texts_of_all_and_each_says_whose_it_is() {
    let told = people(
        "model = \"Prisma\"\nshimming = \"a map\"\n[[where]]\nsite = \"B\"\nmodel = \"Skyra\"\n[[where]]\nte_s = 0.144\nmodel = \"none\"",
    )
    .unwrap();
    let rows = [row("1", "A", None), row("2", "B", None), row("3", "B", Some("acc"))];
    assert_eq!(said(&told, &rows[..1], "model").as_deref(), Some("Prisma"));
    assert_eq!(
        said(&told, &rows, "model").as_deref(),
        Some("Prisma (site A; n = 1); Skyra (site B, site B region acc; n = 2)")
    );
    assert_eq!(said(&told, &rows, "shimming").as_deref(), Some("a map"));
    assert_eq!(said(&told, &rows, "motion"), None);
    let unused = told.unused(&rows);
    assert!(unused.len() == 1 && unused[0].contains("number 2 (te_s = 0.144)"), "{unused:?}");
}

#[test]
fn who_is_not_told_of_is_named() {
    let told = people("[[where]]\nsite = \"A\"\nmodel = \"Prisma\"").unwrap();
    let rows = [row("1", "A", None), row("2", "B", None)];
    assert_eq!(said(&told, &rows, "model").as_deref(), Some("Prisma (site A; n = 1); not stated (site B; n = 1)"));
}

#[test]
fn what_has_no_place_is_refused_by_name() {
    for (text, says) in [
        ("modell = \"x\"", "`modell` is no item"),
        ("model = 3", "model: give a text"),
        ("model = \" \"", "nothing is said"),
        ("model = \"a\\u001bb\"", "characters that show"),
        ("site = \"A\"\nmodel = \"x\"", "`site` is no item"),
        ("where = 3", "[[where]]"),
        ("[[where]]\nmodel = \"x\"", "number 1: say for which spectra"),
        ("[[where]]\nsite = \"A\"", "number 1: nothing is said"),
        ("[[where]]\nte_s = \"30\"\nmodel = \"x\"", "give seconds"),
        ("[[where]]\nstie = \"A\"\nmodel = \"x\"", "by which columns: site"),
    ] {
        let error = people(text).unwrap_err();
        assert!(error.contains(says), "{text}: {error}");
    }
    assert_eq!(people("model = \"a\\n  b\"").unwrap().parts[0].text("model"), Some("a b"));
}

#[test]
fn a_template_is_filled_in_by_taking_the_marks_away() {
    let item = Item::of_key("shimming").unwrap();
    let text = People::template(&[(item, vec!["1".into()])]);
    assert_eq!(people(&text).unwrap(), People::from_table(Table::new()).unwrap());
    let filled = text.replace("# shimming = \"\"", "shimming = \"by hand\"");
    assert_eq!(people(&filled).unwrap().parts[0].text("shimming"), Some("by hand"));
}
