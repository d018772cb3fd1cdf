#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::store::{IfExists, write_table};

#[test]
fn recipes_come_back_as_they_were() {
    let fit = |name: &str, chi2, gain| CandidateFit { name: name.to_owned(), chi2, gain };
    let recipe = |vendor: Option<&str>, taken| LearnedRecipe {
        protocol: "3 T PRESS 35 ms".to_owned(),
        vendor: vendor.map(str::to_owned),
        taken,
        candidates: vec![fit("as usual (Siemens)", 1.02, (0.0, 0.0)), fit("GE", 1.0, (0.02, 0.001))],
        n_spectra: 30,
        n_heads: 15,
    };
    let recipes = vec![recipe(None, Some(Vendor::Ge)), recipe(Some("Siemens"), None)];
    let learned = Learned { recipes, ..Learned::default() };
    assert_ne!(learned.recipes[0].id(), learned.recipes[1].id());
    let folder = tempfile::tempdir().unwrap();
    write_table(folder.path(), IfExists::Refuse, rows(&learned)).unwrap();
    let back = read(folder.path()).unwrap();
    assert_eq!(back, learned);
    let of = |vendor| back.recipe("3 T PRESS 35 ms", vendor).and_then(|one| one.taken);
    assert_eq!((of(None), of(Some("Siemens")), of(Some("GE"))), (Some(Vendor::Ge), None, None));
    assert!(back.recipe("3 T PRESS 30 ms", None).is_none());
    // What somebody changed in the table is told, and taken for nothing else.
    let mut changed = rows(&learned);
    changed[0].component = "Hitachi".to_owned();
    write_table(folder.path(), IfExists::Overwrite, changed).unwrap();
    let error = read(folder.path()).unwrap_err().to_string();
    assert!(error.contains("3 T PRESS 35 ms") && error.contains("Hitachi"), "{error}");
}

fn group(site: Option<&str>, scale: f64) -> LearnedGroup {
    let peak = |name: &str, ppm| PatternPeak {
        name: name.to_owned(),
        group: "a".to_owned(),
        ppm,
        width_hz: 21.2 / 3.0,
        area: 0.72 * scale,
    };
    let shared = Shared {
        peaks: vec![peak("MM_0.91", 0.9 + 0.1 / 3.0), peak("MM_1.21", 1.21)],
        group_sd: 0.1 + 0.2,
        peak_sd: 1e-9,
        shift_sd_ppm: 1.0 / 3.0,
        width_sd: 0.1,
        lorentz_prior_hz: [0.0, 2.5],
        lineshape_sd: [0.0, 1e17],
    };
    let (protocol, site) = ("3 T PRESS 35 ms".to_owned(), site.map(str::to_owned));
    let errors = vec![[0.01, f64::NAN, 0.1]; 2];
    LearnedGroup { protocol, site, shared, errors, lorentz_error_hz: 0.1, n_spectra: 9, n_passes: 2 }
}

#[test]
fn priors_are_those_that_were_learned_or_none() {
    let learned = Learned { groups: vec![group(None, 1.0), group(Some("A"), 1.1)], ..Learned::default() };
    let folder = tempfile::tempdir().unwrap();
    let read_again = |rows| {
        write_table(folder.path(), IfExists::Overwrite, rows).unwrap();
        read(folder.path()).map_err(|e| e.to_string())
    };
    let back = read_again(rows(&learned)).unwrap();
    assert_eq!(back.ids(), learned.ids());
    assert_eq!(
        back.groups.iter().map(|g| &g.shared).collect::<Vec<_>>(),
        [&learned.groups[0].shared, &learned.groups[1].shared]
    );
    // Tables of earlier versions say this: a change of how ids are made would refuse them all.
    assert_eq!(learned.ids(), ["aec19e3ad2764664", "fbab8e558d6af505"]);
    let changed = |change: fn(&mut Vec<LearnedRow>)| {
        let mut all = rows(&learned);
        change(&mut all);
        read_again(all).unwrap_err()
    };
    let said = changed(|all| all.retain(|row| row.component != "MM_1.21"));
    assert!(said.contains(&learned.ids()[0]) && said.contains("rows are missing"), "{said}");
    let said = changed(|all| all[0].value = Some(1.0));
    assert!(said.contains("rows are missing or were changed"), "{said}");
    let twice =
        Learned { groups: vec![group(None, 1.0), group(Some("A"), 1.0), group(None, 1.1)], ..Learned::default() };
    let said = read_again(rows(&twice)).unwrap_err();
    assert!(said.contains("3 T PRESS 35 ms: learned twice"), "{said}");
    let beside = Learned { groups: vec![group(None, 1.0), group(None, 1.1)], ..Learned::default() };
    assert!(read_again(rows(&beside)).unwrap_err().contains("learned twice"));
}
