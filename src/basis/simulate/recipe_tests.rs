//! Recipes for protocols.
#![allow(clippy::unwrap_used, reason = "tests")]
use std::sync::Arc;

use super::*;
use crate::acquisition::Facts;
use crate::basis::simulate::Stated;
use crate::basis::simulate::edited::{Condition, Edited};
use crate::basis::simulate::pulses::{PulseSpec, Shape};

fn protocol(sequence: Option<&str>) -> Protocol {
    Protocol {
        f0_mhz: Some(123.2534),
        te_s: Some(0.03),
        sequence: sequence.map(str::to_owned),
        dwell_s: Some(5e-4),
        n_points: Some(1024),
    }
}

#[test]
fn vendors_names_are_known() {
    for (name, expected) in [
        ("svs_se", "PRESS"),
        ("csi_se", "PRESS"),
        ("PROBE-P", "PRESS"),
        ("eja_svs_press", "PRESS"),
        ("PRESS", "PRESS"),
        ("svs_slaser_dkd", "sLASER"),
        ("semi-LASER", "sLASER"),
        ("SPECIAL", "SPECIAL"),
    ] {
        let recipe = Recipe::from_protocol(&protocol(Some(name)), &Timing::default()).unwrap();
        assert_eq!(recipe.sequence.name(), expected, "{name}");
        assert!((recipe.f0_mhz - 123.25).abs() < 1e-9);
    }
    let timing = Timing { tm_s: Some(0.01), ..Timing::default() };
    for name in ["svs_st", "STEAM", "PROBE-S"] {
        let recipe = Recipe::from_protocol(&protocol(Some(name)), &timing).unwrap();
        assert_eq!(recipe.sequence.name(), "STEAM", "{name}");
    }
}

#[test]
fn a_sequence_of_others_on_a_vendors_scanner_has_not_the_vendors_pulses() {
    let siemens = Timing::of(&Facts { vendor: Some("Siemens".into()), ..Facts::default() });
    let source = |name| Recipe::from_protocol(&protocol(Some(name)), &siemens).unwrap().pulse_source;
    for own in ["svs_se", "%SiemensSeq%\\svs_se", "*svs_se_35", "PRESS"] {
        assert_eq!(source(own), Source::VendorDefault, "{own}");
    }
    assert_eq!(source("%CustomerSeq%\\eja_svs_press"), Source::Generic);
    let philips = Timing::of(&Facts { vendor: Some("Philips".into()), ..Facts::default() });
    let of_philips = Recipe::from_protocol(&protocol(Some("PRESS_35")), &philips).unwrap();
    assert_eq!(of_philips.pulse_source, Source::VendorDefault);
}

#[test]
fn the_vendor_decides_about_pulses_and_first_echo() {
    let facts = |vendor: &str| Facts { vendor: Some(vendor.to_owned()), ..Facts::default() };
    let recipe = |facts: &Facts| Recipe::from_protocol(&protocol(Some("PRESS")), &Timing::of(facts));
    let siemens = recipe(&Facts { refocus_s: Some(5.6e-3), ..facts("Siemens") }).unwrap();
    assert_eq!((siemens.pulse_source, siemens.assumed.len()), (Source::Header, 1));
    assert!(matches!(siemens.sequence, Sequence::Press { te1_s, .. } if (te1_s - 17.6e-3).abs() < 1e-12));
    assert_eq!(recipe(&facts("Bruker")).unwrap().pulse_source, Source::Generic);
    let ideal = recipe(&Facts { pulses: Some("ideal".to_owned()), ..facts("GE") }).unwrap();
    assert_eq!((ideal.pulses, ideal.pulse_source), (Pulses::Ideal, Source::Recipe));
    let wrong = recipe(&Facts { pulses: Some("Hitachi".to_owned()), ..facts("GE") }).unwrap_err().to_string();
    assert!(wrong.contains("Hitachi") && wrong.contains("Philips"), "{wrong}");
}

#[test]
fn a_recipe_file_goes_before_the_vendor_and_may_not_contradict_the_data() {
    let data = protocol(Some("svs_se"));
    let of = |stated: Stated, facts: &Facts| {
        let stated = Stated { name: "site.toml".to_owned(), ..stated };
        Recipe::from_protocol(&data, &Timing::of(facts).with_recipe(Some(Arc::new(stated))))
    };
    let gauss = |duration_s| PulseSpec {
        shape: Shape::Gauss { truncation: 0.01 },
        duration_s,
        flip_deg: Some(180.0),
        peak_b1_hz: None,
        bandwidth_hz: None,
    };
    let none = Facts::default();
    let own = of(Stated { te1_s: Some(0.012), refocus: Some(gauss(4e-3)), ..Stated::default() }, &none).unwrap();
    assert_eq!((own.pulse_source, own.assumed.len()), (Source::Recipe, 0));
    assert!(own.pulse_name.contains("site.toml") && own.pulse_name.contains("4.00 ms"), "{}", own.pulse_name);
    assert!(matches!(own.sequence, Sequence::Press { te1_s, .. } if te1_s == 0.012));
    let ge = of(Stated { vendor: Some(Vendor::Ge), ..Stated::default() }, &none).unwrap();
    assert!(ge.pulse_name.starts_with("GE") && ge.pulse_source == Source::Recipe, "{}", ge.pulse_name);
    let fault = |stated: Stated, facts: &Facts| of(stated, facts).unwrap_err().to_string();
    let message = fault(Stated { te_s: Some(0.035), ..Stated::default() }, &none);
    assert!(message.contains("te_ms = 35") && message.contains("the data 30"), "{message}");
    let message = fault(Stated { sequence: Some("STEAM".to_owned()), ..Stated::default() }, &none);
    assert!(message.contains("STEAM") && message.contains("svs_se"), "{message}");
    let ideal = Facts { pulses: Some("ideal".to_owned()), ..Facts::default() };
    assert!(fault(Stated { vendor: Some(Vendor::Ge), ..Stated::default() }, &ideal).contains("Ge"));
    let late = Stated { te1_s: Some(0.004), refocus: Some(gauss(5e-3)), ..Stated::default() };
    let message = fault(late, &none);
    assert!(message.contains("TE1 from 5.00 to 25.00 ms"), "{message}");
}

#[test]
fn every_missing_field_is_named() {
    let bare = Protocol { te_s: None, f0_mhz: Some(f64::NAN), ..protocol(None) };
    let message = Recipe::from_protocol(&bare, &Timing::default()).unwrap_err().to_string();
    for field in ["te_s", "f0_mhz", "sequence"] {
        assert!(message.contains(field), "{message}");
    }
    let steam = Recipe::from_protocol(&protocol(Some("STEAM")), &Timing::default()).unwrap_err();
    assert!(steam.to_string().contains("tm_s"), "{steam}");
    let edited = Recipe::from_protocol(&protocol(Some("MEGA-PRESS")), &Timing::default()).unwrap_err();
    assert!(edited.to_string().contains("`edit_order`") && edited.to_string().contains("MEGA-PRESS"), "{edited}");
}

fn known(pulses_ppm: &[&[f64]], signs: &[f64]) -> Edited {
    let all = pulses_ppm.iter().zip(signs);
    Edited::Known(all.map(|(ppm, sign)| Condition { sign: *sign, pulses_ppm: ppm.to_vec() }).collect())
}

fn edited_protocol(sequence: &str, te_s: f64) -> Protocol {
    Protocol { te_s: Some(te_s), ..protocol(Some(sequence)) }
}

#[test]
fn edited_sequences_have_the_vendors_pulses_and_timing() {
    let of = |sequence: &str, vendor: &str, edited: Edited| {
        let timing = Timing::of(&Facts { vendor: Some(vendor.to_owned()), ..Facts::default() });
        Recipe::from_protocol(&edited_protocol(sequence, 0.068), &Timing { edited, ..timing }).unwrap()
    };
    for (vendor, te1_s, refocus) in
        [("GE", 14.7e-3, "GE 180"), ("Philips", 14.0e-3, "Philips"), ("Siemens", 15.5e-3, "4.40 ms")]
    {
        for name in ["MEGA-PRESS", "svs_edit", "PRESS"] {
            let recipe = of(name, vendor, known(&[&[1.9]], &[1.0]));
            assert!(matches!(recipe.sequence, Sequence::MegaPress { te1_s: own, .. } if own == te1_s), "{recipe:?}");
            assert!(
                recipe.pulse_name.contains(refocus) && recipe.pulse_name.contains("1.90 ppm"),
                "{}",
                recipe.pulse_name
            );
            assert_eq!((recipe.pulse_source, recipe.assumed.len()), (Source::VendorDefault, 2));
            assert!(recipe.combined.is_empty());
        }
    }
    let both = of("HERMES", "Philips", known(&[&[4.56, 1.9], &[4.56]], &[1.0, -1.0]));
    assert!(
        matches!(both.combined[..], [(1.0, Sequence::Hermes { .. }), (-1.0, Sequence::MegaPress { .. })]),
        "{both:?}"
    );
    let semi_laser = of("MEGA-sLASER", "GE", known(&[&[1.9], &[]], &[1.0, -1.0]));
    assert!(semi_laser.pulse_name.contains("10 kHz") && semi_laser.pulse_name.contains("1.90, 7.5 ppm"));
    let unknown = Timing { edited: Edited::Unknown, ..Timing::default() };
    let message = Recipe::from_protocol(&edited_protocol("PRESS", 0.068), &unknown).unwrap_err().to_string();
    assert!(message.contains("`edit_order`"), "{message}");
    let steam = Timing { edited: known(&[&[1.9]], &[1.0]), tm_s: Some(0.01), ..Timing::default() };
    assert!(Recipe::from_protocol(&edited_protocol("STEAM", 0.068), &steam).is_err());
}

#[test]
fn semi_laser_and_special_have_pulses_that_fit_into_their_echoes() {
    let of = |name: &str, te_s: f64, vendor: &str| {
        let timing = Timing::of(&Facts { vendor: Some(vendor.to_owned()), ..Facts::default() });
        Recipe::from_protocol(&edited_protocol(name, te_s), &timing).unwrap()
    };
    assert_eq!(of("sLASER", 0.028, "GE").pulse_name, "GOIA-WURST 10 kHz 4.50 ms");
    assert_eq!(of("svs_slaser_dkd", 0.028, "Siemens").pulse_name, "GOIA-WURST 8 kHz 4.50 ms");
    let short = of("sLASER", 0.014, "GE");
    assert_eq!((&short.pulses, short.pulse_source), (&Pulses::Ideal, Source::Generic));
    assert!(of("SPECIAL", 0.0085, "GE").pulse_name.contains("5.15 ms"));
    assert!(of("SPECIAL", 0.004, "GE").pulse_name.contains("does not fit"));
}

#[test]
fn a_difference_is_what_its_conditions_differ_in() {
    let timing = Timing::of(&Facts { pulses: Some("ideal".to_owned()), ..Facts::default() });
    let set = |edited: Edited| {
        let timing = Timing { edited, ..timing.clone() };
        Recipe::from_protocol(&edited_protocol("MEGA-PRESS", 0.068), &timing).unwrap().basis_set().unwrap()
    };
    let (on, off) = (set(known(&[&[1.9]], &[1.0])), set(known(&[&[7.5]], &[1.0])));
    let difference = set(known(&[&[1.9], &[7.5]], &[1.0, -1.0]));
    assert!(
        difference.position("GABA").is_some() && difference.position("Cr").is_none(),
        "{:?}",
        difference.metabolites
    );
    let gaba = |set: &BasisSet| set.fids.row(set.position("GABA").unwrap()).to_owned();
    assert_eq!(gaba(&difference), gaba(&on) - gaba(&off));
    assert!(difference.id.ends_with("difference") && difference.remarks.iter().any(|r| r.contains("Cr")));
    assert_ne!(difference.sha256, on.sha256);
}
