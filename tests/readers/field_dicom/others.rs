//! Others of the cases' kinds, made here.

use requant::acquisition::{Acquisition, Conditions};
use requant::formats::dicom::decode;
use requant::formats::{self, is_spectroscopy};

use super::{extents, near};
use crate::common::dicom_objects::*;

fn decoded(object: &Object, form: Form) -> Acquisition {
    decode(&file(SPECTROSCOPY, object, form)).unwrap_or_else(|e| panic!("{form:?}: {e}"))
}

/// First points of all transients of a condition.
fn heights(data: &Acquisition, condition: usize) -> Vec<f64> {
    (0..data.n_transients()).map(|t| data.samples.at([0, condition, t, 0, 0]).re).collect()
}

fn water_heights(data: &Acquisition) -> Vec<f64> {
    let samples = &data.water.as_ref().unwrap().samples;
    (0..samples.shape()[2]).map(|t| samples.at([0, 0, t, 0, 0]).re).collect()
}

const ON: (bool, Option<&str>) = (false, Some("1"));
const OFF: (bool, Option<&str>) = (false, Some("0"));
const WATER: (bool, Option<&str>) = (true, Some("0"));
const WATER_ON: (bool, Option<&str>) = (true, Some("1"));
const PLAIN: (bool, Option<&str>) = (false, None);

fn mega(heights: &[f32], said: &[(bool, Option<&str>)]) -> Object {
    with(philips(heights, said), vec![((0x2005, 0x1597), text(b"CS", "Y"))])
}

#[test]
fn every_form_of_a_file_gives_the_same() {
    let object = with(
        mega(&[9.0, 1.0, 2.0, 3.0, 4.0], &[WATER, OFF, ON, OFF, ON]),
        vec![((0x5200, 0x9230), Value::Items([35.4, 35.4, 35.4, 35.4, 35.4].map(frame_group).into()))],
    );
    for form in FORMS {
        let data = decoded(&object, form);
        assert_eq!((extents(&data), data.condition_labels.join(" ")), ((2, 2, 1), "off on".into()), "{form:?}");
        assert_eq!(
            (heights(&data, 0), heights(&data, 1), water_heights(&data)),
            (vec![1.0, 3.0], vec![2.0, 4.0], vec![9.0])
        );
        near(data.facts.te_s, 0.0354);
        near(data.facts.tr_s, 2.0);
        let affine = data.affine_mm.unwrap();
        assert!((affine[0][0] - 20.0 * 10_f64.to_radians().cos()).abs() < 1e-5, "{affine:?}");
        assert_eq!([affine[0][3], affine[1][3], affine[2][3]], [-1.0, -2.0, 3.0]);
    }
    for form in FORMS {
        let data = decode(&file(CLASSIC, &classic(&[1.0, 2.0]), form)).unwrap();
        assert_eq!(heights(&data, 0), [1.0, 2.0], "{form:?}");
        near(data.facts.te_s, 0.035);
        near(data.facts.dwell_s, 5e-4);
        assert!(data.affine_mm.is_some());
    }
}

#[test]
fn edited_frames_in_any_order_with_any_references() {
    let blocks = decoded(&mega(&[1.0, 1.0, 2.0, 2.0, 9.0, 8.0], &[ON, ON, OFF, OFF, WATER, WATER_ON]), Form::Explicit);
    assert_eq!(
        (extents(&blocks), heights(&blocks, 0), water_heights(&blocks)),
        ((2, 2, 2), vec![1.0; 2], vec![9.0, 8.0])
    );
    // No reference, though the object speaks of one; and one whose frames have their pulse on.
    let none = decoded(&mega(&[1.0, 2.0], &[OFF, ON]), Form::Explicit);
    assert_eq!((extents(&none), none.condition_labels.join(" ")), ((1, 2, 0), "off on".into()));
    let first = decoded(&mega(&[9.0, 1.0, 2.0], &[WATER_ON, ON, OFF]), Form::Explicit);
    assert_eq!((extents(&first), first.water.unwrap().readouts), ((1, 2, 1), "frame 1".into()));
    let uneven = decoded(&mega(&[1.0, 2.0, 1.0], &[ON, OFF, ON]), Form::Explicit);
    assert_eq!(
        (extents(&uneven), uneven.remarks.iter().any(|r| r.contains("1 frames were left out"))),
        ((1, 2, 0), true)
    );
    // The word for the scan is missing, those of the frames are not.
    let silent = decoded(&philips(&[1.0, 2.0, 1.0, 2.0], &[ON, OFF, ON, OFF]), Form::Explicit);
    assert_eq!(extents(&silent), (2, 2, 0));
    assert!(silent.facts.sequence.is_none());
    // The words of the frames are missing, that for the scan is not: never one condition without a question.
    let unclear = decoded(&mega(&[1.0, 2.0, 1.0, 2.0], &[PLAIN; 4]), Form::Explicit);
    let editing = unclear.editing.as_ref().unwrap().conditions;
    assert_eq!((extents(&unclear), editing), ((4, 1, 0), Conditions::Mixed(None)));
    assert_eq!(unclear.facts.sequence.as_deref(), Some("edited"));
}

#[test]
fn references_of_unedited_scans_are_as_the_frames_say() {
    let turn = decoded(&philips(&[1.0, 9.0, 1.0, 9.0], &[PLAIN, (true, None), PLAIN, (true, None)]), Form::Explicit);
    assert_eq!((extents(&turn), water_heights(&turn)), ((2, 1, 2), vec![9.0; 2]));
    let odd =
        decoded(&philips(&[1.0, 1.0, 1.0, 2.0, 9.0], &[PLAIN, PLAIN, PLAIN, PLAIN, (true, None)]), Form::Explicit);
    assert_eq!(extents(&odd), (4, 1, 1));
    // A weak reference is one by its word.
    let weak = decoded(&philips(&[1.0, 0.5], &[PLAIN, (true, None)]), Form::Explicit);
    assert_eq!((extents(&weak), water_heights(&weak)), ((1, 1, 1), vec![0.5]));
    let water = decoded(&philips(&[9.0, 9.0], &[(true, None); 2]), Form::Explicit);
    assert_eq!((extents(&water), water.facts.water_suppressed), ((2, 1, 0), Some(false)));
}

#[test]
fn frames_without_words_are_water_only_where_their_heights_tell() {
    let silent = |heights: &[f32]| without(philips(heights, &[]), (0x2005, 0x140f));
    let halves = decoded(&silent(&[1.0, 1.0, 9.0, 9.0]), Form::Explicit);
    assert_eq!((extents(&halves), water_heights(&halves)), ((2, 1, 2), vec![9.0; 2]));
    assert!(halves.remarks.iter().any(|r| r.contains("frames 3 to 4 were taken as water")), "{:?}", halves.remarks);
    // Fewer of water than of metabolites, and water first.
    for (heights, n) in
        [(&[1.0, 1.1, 0.9, 1.0, 9.0, 8.0][..], (4, 2)), (&[1.0, 1.0, 9.0], (2, 1)), (&[9.0, 1.0, 1.0, 1.1], (3, 1))]
    {
        let some = decoded(&silent(heights), Form::Explicit);
        assert_eq!(extents(&some), (n.0, 1, n.1), "{heights:?}");
        assert!(water_heights(&some).iter().all(|height| *height >= 8.0), "{heights:?}");
    }
    // Of two, one is water by the object's word.
    assert_eq!(extents(&decoded(&silent(&[1.0, 2.0]), Form::Explicit)), (1, 1, 1));
    // A mean that is taller tells nothing.
    assert_eq!(extents(&decoded(&silent(&[1.0, 1.0, 1.0, 2.0]), Form::Explicit)), (4, 1, 0));
    let odd = decode(&file(SPECTROSCOPY, &silent(&[1.0, 1.0, 4.0]), Form::Explicit)).unwrap_err();
    assert_eq!((odd.code(), odd.to_string().contains("do not say which of them")), ("unsupported", true));
    let alike = decoded(&silent(&[1.0, 1.0, 1.1]), Form::Explicit);
    assert_eq!((extents(&alike), alike.remarks.len()), ((3, 1, 0), 1));
    let edited = with(silent(&[1.0, 1.0, 9.0, 9.0]), vec![((0x2005, 0x1597), text(b"CS", "Y"))]);
    assert_eq!(decode(&file(SPECTROSCOPY, &edited, Form::Explicit)).unwrap_err().code(), "unsupported");
    // One item for four frames says nothing of each.
    let one_item = philips(&[1.0, 1.0, 9.0, 9.0], &[PLAIN]);
    assert_eq!(extents(&decoded(&one_item, Form::Explicit)), (2, 1, 2));
}

#[test]
fn frames_of_other_echo_times_are_measurements_of_their_own() {
    let groups = |times: &[f64]| Value::Items(times.iter().map(|te| frame_group(*te)).collect());
    let object = with(
        philips(&[1.0, 2.0, 1.0, 2.0, 9.0, 8.0], &[PLAIN, PLAIN, PLAIN, PLAIN, (true, None), (true, None)]),
        vec![((0x5200, 0x9230), groups(&[30.0, 144.0, 30.0, 144.0, 30.0, 144.0]))],
    );
    let data = decoded(&object, Form::Explicit);
    assert_eq!((extents(&data), heights(&data, 0), water_heights(&data)), ((2, 1, 1), vec![1.0; 2], vec![9.0]));
    near(data.facts.te_s, 0.03);
    let (name, further) = &data.further[0];
    assert_eq!((name.as_str(), heights(further, 0), water_heights(further)), ("te144", vec![2.0; 2], vec![8.0]));
    near(further.facts.te_s, 0.144);
    // Water of another echo time alone says so.
    let other = with(philips(&[1.0, 9.0], &[PLAIN, (true, None)]), vec![((0x5200, 0x9230), groups(&[144.0, 30.0]))]);
    let data = decoded(&other, Form::Explicit);
    near(data.water.unwrap().te_s, 0.03);
    near(data.facts.te_s, 0.144);
}

#[test]
fn grids_keep_their_water_apart() {
    let grid = |heights: &[f32], said: &[(bool, Option<&str>)]| {
        let samples: Vec<u8> = heights.iter().flat_map(|h| frames(&[*h, h + 0.5])).collect();
        with(
            philips(heights, said),
            vec![((0x0028, 0x0011), Value::Plain(b"US", vec![2, 0])), ((0x5600, 0x0020), Value::Plain(b"OF", samples))],
        )
    };
    let data = decoded(&grid(&[1.0, 2.0, 8.0, 9.0], &[PLAIN, PLAIN, (true, None), (true, None)]), Form::Explicit);
    assert_eq!((data.grid, data.n_voxels(), data.samples.shape()), ([2, 1, 2], 4, [4, 1, 1, 1, POINTS]));
    let first: Vec<f64> = (0..4).map(|v| data.samples.at([v, 0, 0, 0, 0]).re).collect();
    let water = data.water.unwrap().samples;
    assert_eq!((first, water.shape()[0], water.at([3, 0, 0, 0, 0]).re), (vec![1.0, 1.5, 2.0, 2.5], 4, 9.5));
    let odd = grid(&[1.0, 2.0, 8.0], &[PLAIN, PLAIN, (true, None)]);
    assert_eq!(decode(&file(SPECTROSCOPY, &odd, Form::Explicit)).unwrap_err().code(), "unsupported");
    let silent = without(grid(&[1.0, 9.0], &[]), (0x2005, 0x140f));
    assert_eq!(decode(&file(SPECTROSCOPY, &silent, Form::Explicit)).unwrap_err().code(), "unsupported");
    let edited = grid(&[1.0, 2.0], &[ON, OFF]);
    let edited = with(edited, vec![((0x2005, 0x1597), text(b"CS", "Y"))]);
    assert_eq!(decode(&file(SPECTROSCOPY, &edited, Form::Explicit)).unwrap_err().code(), "unsupported");
}

#[test]
fn names_that_sites_give_hint_and_are_never_shown() {
    let named = |name: &str| {
        let object = with(philips(&[1.0, 1.0], &[PLAIN; 2]), vec![((0x0018, 0x1030), text(b"LO", name))]);
        decoded(&without(object, (0x2001, 0x1025)), Form::Explicit)
    };
    let plain = named("Doe^Jane sLASER TE 28");
    assert_eq!(plain.facts.sequence.as_deref(), Some("sLASER"));
    near(plain.facts.te_s, 0.028);
    assert_eq!(plain.remarks.len(), 2);
    let edited = named("Doe^Jane MEGA PRESS");
    assert_eq!(edited.facts.sequence.as_deref(), Some("MEGA-PRESS"));
    assert_eq!(edited.editing.unwrap().conditions, Conditions::Mixed(Some(2)));
    let both = named("Doe^Jane PRESS or STEAM");
    assert_eq!((both.facts.sequence, both.remarks.len()), (None, 0));
    for data in [plain, named("Doe^Jane HERMES 80"), named("Doe^Jane")] {
        assert!(!format!("{:?} {:?} {:?}", data.facts, data.remarks, data.condition_labels).contains("Doe"));
    }
    // What the header itself says goes before.
    let stated = with(
        philips(&[1.0], &[PLAIN]),
        vec![((0x0018, 0x1030), text(b"LO", "PRESS")), ((0x0018, 0x9054), text(b"CS", "STEAM"))],
    );
    assert_eq!(decoded(&stated, Form::Explicit).facts.sequence.as_deref(), Some("STEAM"));
}

#[test]
fn siemens_frames_are_told_apart_by_their_counters() {
    let counted = |counters: &[&str]| {
        let own = |word: &str| {
            let counters = ((0x0021, 0x1106), text(b"LO", word));
            vec![((0x0021, 0x11fe), one(vec![counters]))]
        };
        Value::Items(counters.iter().map(|word| own(word)).collect())
    };
    let object = |sequence: &str, protocol: &str, counters: &[&str]| {
        let heights: Vec<f32> = (1..=counters.len()).map(|h| h as f32).collect();
        let protocol = format!("### ASCCONV BEGIN ###\n{protocol}\n### ASCCONV END ###");
        with(
            standard("Siemens Healthineers", &heights),
            vec![
                ((0x0018, 0x9005), text(b"SH", sequence)),
                ((0x0021, 0x1019), Value::Plain(b"OB", protocol.into())),
                ((0x5200, 0x9230), counted(counters)),
            ],
        )
    };
    let edited = object("*svs_edit", "lAverages = 2", &["X_1_2_1", "X_2_2_1", "X_1_2_1", "X_2_2_1"]);
    for form in FORMS {
        let data = decoded(&edited, form);
        assert_eq!((heights(&data, 0), heights(&data, 1)), (vec![1.0, 3.0], vec![2.0, 4.0]), "{form:?}");
        assert!(data.editing.is_some());
    }
    let references = "sSpecPara.lAutoRefScanMode = 8\nlAverages = 2";
    let data = decoded(&object("*svs_se", references, &["X_1_1_1", "X_1_2_1", "X_1_2_1"]), Form::Explicit);
    assert_eq!((heights(&data, 0), water_heights(&data)), (vec![2.0, 3.0], vec![1.0]));
    // Without references, and echoes of one sequence: two measurements.
    let data = decoded(&object("*svs_se", "lAverages = 2", &["X_1_1_1", "X_2_1_1"]), Form::Explicit);
    assert_eq!((heights(&data, 0), data.further.len(), data.water.is_none()), (vec![1.0], 1, true));
}

#[test]
fn united_imaging_keeps_its_conditions_and_water_in_attributes_of_its_own() {
    for form in FORMS {
        let data = decoded(&uih(), form);
        assert_eq!((extents(&data), data.condition_labels.join(" ")), ((3, 2, 2), "on off".into()), "{form:?}");
        assert_eq!(
            (heights(&data, 0), heights(&data, 1), water_heights(&data)),
            (vec![2.0; 3], vec![3.0; 3], vec![100.0; 2])
        );
        assert!(data.samples.at([0, 0, 0, 0, 31]).im > 0.0);
        near(data.facts.te_s, 0.068);
    }
    let lone = without(uih(), (0x0065, 0xff11));
    assert_eq!(decode(&file(SPECTROSCOPY, &lone, Form::Explicit)).unwrap_err().code(), "unsupported");
    let cut = with(uih(), vec![((0x0065, 0xff07), Value::Plain(b"OB", frames(&[1.0])[..100].to_vec()))]);
    assert_eq!(decode(&file(SPECTROSCOPY, &cut, Form::Explicit)).unwrap_err().code(), "truncated");
    let plain = without(without(uih(), (0x0065, 0xff11)), (0x0065, 0xff10));
    assert_eq!(extents(&decoded(&plain, Form::Explicit)), (1, 1, 2));
}

#[test]
fn siemens_va_objects_of_both_versions_and_with_little_in_them() {
    for is_second in [true, false] {
        let object = siemens_va(is_second);
        let data = decode(&file(SIEMENS, &object, Form::Explicit)).unwrap();
        assert_eq!((data.n_points(), data.facts.sequence.as_deref()), (POINTS, Some("svs_se")));
        near(data.facts.te_s, 0.03);
        near(data.facts.dwell_s, 5e-4);
        near(data.facts.f0_mhz, 63.683_831);
        assert_eq!(data.affine_mm.unwrap()[2], [0.0, 0.0, -20.0, 0.0]);
        // Half the header: the protocol and the length of the samples say it.
        let bare = without(object.clone(), (0x0029, 0x1210));
        let bare = decode(&file(SIEMENS, &bare, Form::Explicit)).unwrap();
        assert_eq!((bare.n_points(), bare.facts.sequence.as_deref()), (POINTS, Some("svs_se")));
        near(bare.facts.te_s, 0.03);
        near(bare.facts.dwell_s, 5e-4);
        let more = with(object, vec![((0x7fe1, 0x1010), Value::Plain(b"OB", frames(&[1.0, 1.0, 1.0])))]);
        assert_eq!(decode(&file(SIEMENS, &more, Form::Explicit)).unwrap_err().code(), "bad_header");
    }
}

#[test]
fn what_is_not_read_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let told = |class: &str, object: &Object| {
        let path = folder.path().join("a.dcm");
        std::fs::write(&path, file(class, object, Form::Explicit)).unwrap();
        let error = formats::read(&path).unwrap_err();
        (is_spectroscopy(&path), error.code(), error.to_string())
    };
    let philips: Object = vec![
        ((0x0008, 0x0070), text(b"LO", "Philips")),
        ((0x0008, 0x9209), text(b"CS", "SPECTROSCOPY")),
        ((0x2005, 0x10c0), text(b"CS", "SPECTRO")),
    ];
    for (class, says) in [
        ("1.2.840.10008.5.1.4.1.1.66", "SDAT"),
        ("1.3.46.670589.11.0.0.12.2", "SDAT"),
        (CLASSIC, "(2005,1270)"),
        (SPECTROSCOPY, "(5600,0020)"),
    ] {
        let (is_row, code, message) = told(class, &philips);
        assert!(is_row && code == "unsupported" && message.contains(says), "{class}: {message}");
    }
    // Images and recordings stay what they are.
    let image = with(philips, vec![((0x7fe0, 0x0010), Value::Plain(b"OW", vec![0; 8]))]);
    assert!(!told("1.2.840.10008.5.1.4.1.1.4", &image).0);
    let pulse: Object = vec![
        ((0x0008, 0x0008), text(b"CS", "ORIGINAL\\PRIMARY\\RAWDATA\\PHYSIO")),
        ((0x0008, 0x0070), text(b"LO", "SIEMENS")),
        ((0x7fe1, 0x1010), Value::Plain(b"OB", vec![0; 64])),
    ];
    assert!(!told(SIEMENS, &pulse).0);
    let bare = without(pulse, (0x0008, 0x0008));
    let (is_row, code, message) = told(SIEMENS, &bare);
    assert!(is_row && code == "unsupported" && message.contains("CSA"), "{message}");
    for (syntax, name) in [("1.2.840.10008.1.2.2", "big-endian"), ("1.2.840.10008.1.2.1.99", "deflated")] {
        let bytes = with_syntax(SPECTROSCOPY, &standard("GE", &[1.0]), Form::Explicit, syntax);
        let error = decode(&bytes).unwrap_err();
        assert!(error.code() == "unsupported" && error.to_string().contains(name), "{error}");
        let image = with_syntax("1.2.840.10008.5.1.4.1.1.4", &standard("GE", &[1.0]), Form::Explicit, syntax);
        let is_row = requant::formats::dicom::is_spectroscopy(&image);
        assert_eq!((is_row, decode(&image).unwrap_err().code()), (false, "not_spectroscopy"));
    }
}

#[test]
fn damaged_objects_end_quietly() {
    for whole in every_kind() {
        assert!(decode(&whole).is_ok());
        for cut in (132..whole.len()).step_by(7) {
            let _ = decode(&whole[..cut]);
        }
    }
}
