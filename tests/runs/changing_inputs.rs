//! Inputs that change while a run is at work, or between its shards: no table has rows of both.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::kill::Blocks;
use crate::common::{basis, tables};
use crate::resumed_inputs::Case;
use requant::basis::{SetFormat, save};
use requant::run::{Progress, RunError, RunOptions, Shard, merge, run};
use requant::store::IfExists;

/// Does something when so many files are done, or begins to be fitted.
struct When<F: Fn()> {
    done: usize,
    what: F,
    so_far: AtomicUsize,
}

impl<F: Fn() + Sync> Progress for When<F> {
    fn found(&self, _: usize) {}

    fn begun(&self, _: usize, _: usize) {
        if self.so_far.load(Ordering::SeqCst) == self.done {
            (self.what)();
        }
    }

    fn advanced(&self, files: usize) {
        self.so_far.fetch_add(files, Ordering::SeqCst);
    }
}

#[test]
fn a_basis_set_of_a_manifest_that_changes_during_the_run_ends_it() {
    for done in [0, 1] {
        let case = Case { basis: None, ..Case::new("in/list.csv") };
        save(&basis(), &case.at("in/own.basis"), SetFormat::Lcmodel, false).unwrap();
        (0..4).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
        case.put("in/list.csv", "path,basis\n0.nii,own.basis\n1.nii,own.basis\n2.nii,own.basis\n3.nii,own.basis\n");
        let what = || {
            let mut changed = basis();
            changed.fids *= num_complex::Complex64::new(1.1, 0.0);
            save(&changed, &case.at("in/own.basis"), SetFormat::Lcmodel, true).unwrap();
        };
        let when = When { done, what, so_far: AtomicUsize::new(0) };
        let error = run(&case.options("out"), &Blocks(1), &when).unwrap_err();
        assert!(matches!(error, RunError::Changing { .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains("own.basis changed") && said.contains("--resume"), "{said}");
        case.run(&RunOptions { resume: true, ..case.options("out") }).unwrap();
        case.run(&case.options("fresh")).unwrap();
        assert!(tables(&case.at("out")) == tables(&case.at("fresh")), "rows of the set of before");
    }
}

#[test]
fn shards_over_different_inputs_do_not_merge() {
    let case = Case::new("in");
    (0..4).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    let shard = |out: &str, index: usize| {
        let options = RunOptions { shard: Some(Shard { index, count: 2 }), ..case.options(out) };
        case.run(&options)
    };
    shard("a", 0).unwrap();
    // The first shard's file changes, or the second's: neither is noticed by the other's own chunks.
    case.spectrum("in/0.nii", 99);
    let same_folder = shard("a", 1).unwrap_err().to_string();
    assert!(same_folder.contains("inputs changed") && same_folder.contains("0.nii"), "{same_folder}");
    shard("b", 1).unwrap();
    let merged = merge(&[case.at("a"), case.at("b")], &case.at("merged"), IfExists::Refuse).unwrap_err().to_string();
    assert!(merged.contains("saw other inputs") && merged.contains("0.nii"), "{merged}");
    assert!(!case.at("merged/run.json").exists());
}

#[test]
fn shards_with_basis_sets_that_differ_in_their_middle_do_not_merge() {
    let case = Case { basis: None, ..Case::new("in/list.csv") };
    (0..4).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    case.put("in/list.csv", "path,basis\n0.nii,own.basis\n1.nii,own.basis\n2.nii,own.basis\n3.nii,own.basis\n");
    let own = case.at("in/own.basis");
    save(&basis(), &own, SetFormat::Lcmodel, false).unwrap();
    let shard =
        |out: &str, index: usize| case.run(&RunOptions { shard: Some(Shard { index, count: 2 }), ..case.options(out) });
    shard("a", 0).unwrap();
    let mut bytes = fs::read(&own).unwrap();
    assert!(bytes.len() > 256 << 10, "{} bytes are looked at whole", bytes.len());
    let middle = bytes.len() / 2;
    let digit = middle + bytes[middle..].iter().position(|byte| (b'1'..b'9').contains(byte)).unwrap();
    bytes[digit] += 1;
    fs::write(&own, bytes).unwrap();
    let same_folder = shard("a", 1).unwrap_err().to_string();
    assert!(same_folder.contains("inputs changed"), "{same_folder}");
    shard("b", 1).unwrap();
    let merged = merge(&[case.at("a"), case.at("b")], &case.at("merged"), IfExists::Refuse).unwrap_err().to_string();
    assert!(merged.contains("saw other inputs"), "{merged}");
}

#[test]
fn shards_over_changed_inputs_begin_anew_where_they_may_overwrite() {
    let case = Case::new("in");
    (0..4).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    let of = |index: usize| RunOptions {
        shard: Some(Shard { index, count: 2 }),
        if_exists: IfExists::Overwrite,
        ..case.options("out")
    };
    // While another shard is at work nothing is taken from it.
    let meanwhile = || {
        case.spectrum("in/3.nii", 98);
        let error = case.run(&of(1)).unwrap_err().to_string();
        assert!(error.contains("another run is writing there"), "{error}");
    };
    run(&of(0), &Blocks(4), &When { done: 0, what: meanwhile, so_far: AtomicUsize::new(0) }).unwrap();
    case.spectrum("in/0.nii", 99);
    let error = case.run(&RunOptions { if_exists: IfExists::Refuse, ..of(1) }).unwrap_err().to_string();
    assert!(error.contains("--overwrite to begin anew"), "{error}");
    let anew = case.run(&of(1)).unwrap();
    assert!(anew.warnings.iter().any(|w| w.contains("do the other shards again")), "{:?}", anew.warnings);
    let early = merge(&[case.at("out")], &case.at("out"), IfExists::Refuse).unwrap_err();
    assert!(matches!(early, RunError::Missing { .. }), "{early}");
    let second = case.run(&of(0)).unwrap();
    assert!(!second.warnings.iter().any(|w| w.contains("do the other shards again")), "{:?}", second.warnings);
    merge(&[case.at("out")], &case.at("out"), IfExists::Refuse).unwrap();
    case.run(&case.options("fresh")).unwrap();
    assert!(tables(&case.at("out")) == tables(&case.at("fresh")));
}
