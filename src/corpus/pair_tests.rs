//! Which names pair.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use super::*;

/// The partner of `name` among `names`: its name, `-` for none, `?` for several, `water`.
fn partner(name: &str, names: &[&str]) -> String {
    let files: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
    let index = names.iter().position(|n| *n == name).unwrap();
    match &pair_folder(&files)[index] {
        Role::Reference => "water".to_owned(),
        Role::Spectrum(Water::None) => "-".to_owned(),
        Role::Spectrum(Water::Paired(path)) => path.display().to_string(),
        Role::Spectrum(Water::Ambiguous(_)) => "?".to_owned(),
        Role::Spectrum(Water::Missing(path) | Water::Unfit(path, _)) => panic!("{}", path.display()),
    }
}

#[test]
fn vendor_habits() {
    for (spectrum, water) in [
        ("sub-01_PRESS_35_act.sdat", "sub-01_PRESS_35_ref.sdat"),
        ("DBIEX_10_1_raw_act.SDAT", "DBIEX_10_1_raw_ref.SDAT"),
        ("s_PRESS_raw-act_noID.SDAT", "s_PRESS_raw-ref_noID.SDAT"),
        ("philips_WS.SDAT", "philips_W.SDAT"),
        ("svs_30_WS.SDAT", "svs_30_ref.SDAT"),
        ("dataset1_WS.txt", "dataset1_nWS.txt"),
        ("a_ACT.SDAT", "A_ref.sdat"),
        ("dataset1.RAW", "dataset1.H2O"),
        ("dataset1.raw", "Dataset1.h2o"),
        ("metab.nii.gz", "water.nii.gz"),
        ("metab_raw.nii.gz", "wref_raw.nii"),
        ("np_on_spec.rda", "np_on_water.rda"),
        ("x_water_suppressed.rda", "x_water_unsuppressed.rda"),
        ("x.SDAT", "x_ref.SDAT"),
        ("x.SDAT", "x-W.SDAT"),
        ("metab.SDAT", "metab_ref.SDAT"),
    ] {
        let names = [spectrum, water, "other_act.sdat", "other_ref.sdat", "a_b_ref.SDAT"];
        assert_eq!(partner(spectrum, &names), water);
        assert_eq!(partner(water, &names), "water");
    }
}

#[test]
fn habits_of_sites() {
    for (spectrum, water) in [
        ("scan_WS.dcm", "scan_noWS.dcm"),
        ("press_ws_on.rda", "press_ws_off.rda"),
        ("press_WSon.rda", "press_WSoff.rda"),
        ("x_supp.dat", "x_unsupp.dat"),
        ("x_sup.dat", "x_unsup.dat"),
        ("x.dat", "x_unsupp.dat"),
        ("X_edited.dat", "X_ref_edited.dat"),
        ("X_edited.dat", "X_wref_edited.dat"),
        ("X_ws_run2.dat", "X_nws_run2.dat"),
        ("hbcd_svs.nii.gz", "hbcd_ref.nii.gz"),
        ("hbcd_svs.nii.gz", "hbcd_svs_ref.nii"),
        ("x_act.SDAT.gz", "x_ref.SDAT"),
        ("meas_MID00123_FID4711_svs_se_30_ws.dat", "meas_MID00124_FID4712_svs_se_30_w.dat"),
        ("meas_MID00123_FID4711_svs_se_30.dat", "meas_MID00121_FID4700_svs_se_30_wref.dat"),
        ("meas_MID123_FID4711_svs_se_30_WS.dat", "meas_MID124_FID4712_svs_se_30_nws.dat.gz"),
    ] {
        let names = [spectrum, water, "meas_MID00124_FID9_press_w.dat", "y_unsupp.dat"];
        assert_eq!(partner(spectrum, &names), water);
        assert_eq!(partner(water, &names), "water");
    }
}

#[test]
fn of_repeated_measurements_the_nearest_pair() {
    let name = |mid: u32, what: &str| format!("meas_MID{mid:05}_FID{}_svs_se_30{what}.dat", 4000 + 3 * mid);
    let check = |measured: &[(u32, &str)], of: usize| {
        let all: Vec<String> = measured.iter().map(|(mid, what)| name(*mid, what)).collect();
        let names: Vec<&str> = all.iter().map(String::as_str).collect();
        let partner = partner(names[of], &names);
        names.iter().position(|n| *n == partner).map_or(partner, |at| measured[at].0.to_string())
    };
    let twice = [(10, "_ws"), (11, "_w"), (20, "_ws"), (21, "_w")];
    assert_eq!((check(&twice, 0), check(&twice, 2)), ("11".to_owned(), "21".to_owned()));
    assert_eq!(check(&[(10, "_w"), (11, "_ws"), (12, "_w")], 1), "?");
    assert_eq!(check(&[(11, "_ws"), (12, "_w"), (15, "_w")], 0), "?");
    // Between two spectra of one protocol nobody knows; near one of them it is that one's.
    let between = [(10, "_ws"), (11, "_w"), (12, "_ws")];
    assert_eq!((check(&between, 0), check(&between, 2)), ("?".to_owned(), "?".to_owned()));
    let one = [(10, "_ws"), (11, "_w"), (15, "_ws")];
    assert_eq!((check(&one, 0), check(&one, 2)), ("11".to_owned(), "-".to_owned()));
}

#[test]
fn likeness_is_not_enough() {
    let seven_tesla = ["metab.nii.gz", "metab_int_freq.nii.gz", "metab_raw.nii.gz", "wref_raw.nii.gz"];
    assert_eq!(partner("metab.nii.gz", &seven_tesla), "-");
    assert_eq!(partner("metab_int_freq.nii.gz", &seven_tesla), "-");
    assert_eq!(partner("metab_raw.nii.gz", &seven_tesla), "wref_raw.nii.gz");
    assert_eq!(partner("np_diff_spec.rda", &["np_diff_spec.rda", "np_dif_water.rda"]), "-");
    assert_eq!(partner("a_act.SDAT", &["a_act.SDAT", "b_ref.SDAT"]), "-");
    // Another format is another export.
    assert_eq!(partner("a_act.SDAT", &["a_act.SDAT", "a_ref.rda"]), "-");
    assert_eq!(partner("a.SDAT", &["a.SDAT", "a.H2O"]), "-");
}

#[test]
fn several_that_fit_are_ambiguous() {
    assert_eq!(partner("x_WS.SDAT", &["x_WS.SDAT", "x_W.SDAT", "x_nWS.SDAT"]), "?");
    assert_eq!(partner("x.SDAT", &["x.SDAT", "x_W.SDAT", "x_ref.SDAT"]), "?");
    assert_eq!(partner("x.RAW", &["x.RAW", "x.H2O", "X.h2o"]), "?");
}

#[test]
fn families_and_markers_keep_to_themselves() {
    let names = ["x_act.SDAT", "x_ref.SDAT", "x_WS.SDAT", "x_W.SDAT", "x.SDAT"];
    assert_eq!(partner("x_act.SDAT", &names), "x_ref.SDAT");
    assert_eq!(partner("x_WS.SDAT", &names), "x_W.SDAT");
    assert_eq!(partner("x.SDAT", &names), "-");
}

#[test]
fn words_inside_other_words_and_entities_say_nothing() {
    for name in [
        "refocused.SDAT",
        "sub-ref01_press.SDAT",
        "activation.SDAT",
        "sub_w_01.SDAT",
        "Cr_test_water_scaling.SDAT",
        "sub-01_acq-ref_svs.nii.gz",
        "ref_scan_act.SDAT",
        "x_nows_run2.dat",
        "x_mega_ws_off.rda",
        "svs_30.rda",
        "midline_w_01.dat",
    ] {
        assert_eq!(partner(name, &[name]), "-", "{name}");
    }
    assert_eq!(partner("SVS-ref.nii.gz", &["SVS-ref.nii.gz"]), "water");
    assert_eq!(partner("sub-01_mrsref.nii.gz", &["sub-01_mrsref.nii.gz"]), "water");
}
