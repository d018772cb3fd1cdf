//! Edited scans as sites send them, from the file to prepared conditions: told by the data, and labels that the data contradict.

use std::path::PathBuf;

use requant::acquisition::{Facts, Origin};
use requant::corpus;
use requant::formats;
use requant::prepare::{Preparation, Spectrum};
use requant::run::load::{Loaded, load};
use requant::signal::magnitudes::Magnitudes;

fn case(path: &str) -> PathBuf {
    crate::common::data().join("../cases/field").join(path)
}

/// The one spectrum's file under a case, read and prepared as a run does it.
fn loaded(name: &str) -> Loaded {
    let listing = corpus::find(&[case(name)], &formats::Search).unwrap();
    assert_eq!(listing.found.len(), 1, "{name}");
    load(&listing.found[0], &Facts::default(), &Preparation::default())
}

fn spectrum<'a>(loaded: &'a Loaded, condition: &str) -> &'a Spectrum {
    let is_it = |key: &&(requant::run::load::SpectrumKey, _)| key.0.condition.as_deref() == Some(condition);
    loaded.spectra.iter().find(is_it).unwrap().1.as_ref().unwrap()
}

fn conditions(loaded: &Loaded) -> Vec<String> {
    loaded.spectra.iter().map(|(key, _)| key.condition.clone().unwrap_or_default()).collect()
}

/// Height of NAA over creatine's.
fn naa_over_creatine(spectrum: &Spectrum) -> f64 {
    let magnitudes = Magnitudes::new(&spectrum.fid, spectrum.dwell_s, spectrum.f0_mhz);
    magnitudes.tallest((1.9, 2.12)) / magnitudes.tallest((2.95, 3.1))
}

#[test]
fn real_orders_that_only_the_data_tell() {
    for (name, n_transients, order) in [
        ("sdat-mega-interleaved", 16, "in_turn on off"),
        ("sdat-mega-noisy", 24, "in_turn on off"),
        ("sdat-mega-blocks", 16, "blocks_8 on off"),
        ("sdat-mega-two-rows", 1, "in_turn on off"),
        ("list-mega-interleaved", 8, "in_turn on off"),
        ("ge-mega-one-echo", 4, "in_turn on off"),
    ] {
        let loaded = loaded(name);
        let header = &loaded.header;
        let mut names = conditions(&loaded);
        names.sort();
        assert_eq!(names, ["diff", "off", "on", "sum"], "{name}");
        assert_eq!(header.n_conditions, Some(2));
        let told = header.edit_order.as_deref().unwrap();
        println!("{name}: {told}, {:?}", header.edit_order_from);
        assert_eq!(told, order, "{name}");
        assert!(matches!(header.edit_order_from, Some(Origin::Data(p)) if p >= 0.99), "{name}");
        let (on, off) = (spectrum(&loaded, "on"), spectrum(&loaded, "off"));
        assert_eq!((on.record.n_transients, off.record.n_transients), (n_transients, n_transients), "{name}");
        // The averages of ON and OFF together have 0.6.
        assert!(naa_over_creatine(on) < 0.3 && naa_over_creatine(off) > 1.1, "{name}");
        assert!(spectrum(&loaded, "diff").record.flags.iter().all(|flag| !flag.starts_with("edit_order")), "{name}");
    }
}

#[test]
fn real_four_conditions_of_which_the_data_tell_one_pulse() {
    let loaded = loaded("sdat-hermes");
    assert_eq!(loaded.header.n_conditions, Some(4));
    // Rows 0 and 3 have the pulse for GABA; nothing in the data tells that for glutathione.
    assert_eq!(conditions(&loaded), ["gaba1", "off2", "off3", "gaba4", "diff_gaba", "sum"]);
    assert_eq!(spectrum(&loaded, "gaba1").record.n_transients, 8);
    let difference = spectrum(&loaded, "diff_gaba");
    assert!(difference.record.flags.contains(&"edit_order_unknown"));
    assert!(naa_over_creatine(spectrum(&loaded, "gaba4")) < 0.3 && naa_over_creatine(spectrum(&loaded, "off2")) > 1.1);
}

#[test]
fn real_labels_that_the_data_contradict_are_flagged() {
    let loaded = loaded("nifti-edit-labels-contradict-data");
    for name in ["on", "off", "diff"] {
        let flags = &spectrum(&loaded, name).record.flags;
        assert!(flags.contains(&"edit_order_contradicted"), "{name}: {flags:?}");
    }
    // Those that agree with them are not.
    let agreeing = self::loaded("twix-mgs-mega-interleaved");
    assert!(!spectrum(&agreeing, "diff").record.flags.contains(&"edit_order_contradicted"));
}

/// An average that the scanner rejected leaves its place empty: its partner is left out, and no other changes sides.
#[test]
fn real_raw_scan_of_which_one_average_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["data", "list", "SPAR"] {
        let name = format!("raw_megapress.{extension}");
        std::fs::copy(case("list-mega-interleaved").join(&name), folder.path().join(&name)).unwrap();
    }
    let list = folder.path().join("raw_megapress.list");
    let text = std::fs::read_to_string(case("list-mega-interleaved").join("raw_megapress.list")).unwrap();
    for rejected in [0, 5, 10, 14] {
        let is_it = |line: &str| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.first() == Some(&"STD") && words[1] == "0" && words[12] == rejected.to_string()
        };
        let lines = text.lines().map(|l| if is_it(l) { l.replace("STD", "REJ") } else { l.to_owned() });
        std::fs::write(&list, lines.collect::<Vec<_>>().join("\n")).unwrap();
        let listing = corpus::find(&[folder.path().to_path_buf()], &formats::Search).unwrap();
        let loaded = load(&listing.found[0], &Facts::default(), &Preparation::default());
        assert_eq!(loaded.header.edit_order.as_deref(), Some("in_turn on off"), "{rejected}");
        let (on, off) = (spectrum(&loaded, "on"), spectrum(&loaded, "off"));
        assert_eq!((on.record.n_kept, off.record.n_kept), (7, 7), "{rejected}");
        assert!(naa_over_creatine(on) < 0.3 && naa_over_creatine(off) > 1.1, "{rejected}");
    }
}
