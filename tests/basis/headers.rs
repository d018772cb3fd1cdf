//! What real Siemens headers tell about the refocusing pulses, and what follows from it.

use requant::basis::check::Protocol;
use requant::basis::simulate::pulses::Source;
use requant::basis::simulate::{Recipe, Timing};
use requant::formats;

use crate::common::data;

/// Files of `svs_se` and the duration that the amplitudes of their pulses make (ms), by hand: 5447.9 over 500 ·
/// flAmplitude / flReferenceAmplitude.
const DURATIONS_MS: [(&str, f64); 6] = [
    ("siemens-twix/sub-SiemensBrainPhantom_seq-svsse_ref-1_avg-1.twix", 5.2),
    ("siemens-dicom/qa_20180816/seriesB/ZZZMRSQA.MR.PETMR_QA_MRI_Q.5.1.2018.08.16.11.20.00.371.16602233.dcm", 5.4),
    ("siemens-dicom/xa20_test_data/1_ed/GSTTQA.MR.head_library.25.1.2021.02.18.18.06.50.499.37352636.dcm", 5.6),
    ("siemens-dicom/xa20_test_data/3_ed/GSTTQA.MR.head_library.31.1.2021.02.18.18.06.50.499.37352680.dcm", 5.6),
    ("siemens-dicom/pat_data_sv/LN/MRS_se_30_saveall__LN_ref_-_30/IM-0001-0001-0001.dcm", 6.0),
    ("siemens-dicom/vd13-ima/SVS_30.IMA", 6.6),
];

fn recipe(facts: &requant::acquisition::Facts, sequence: &str) -> Recipe {
    let protocol = Protocol {
        f0_mhz: facts.f0_mhz,
        te_s: facts.te_s,
        sequence: Some(sequence.to_owned()),
        dwell_s: Some(5e-4),
        n_points: Some(1024),
    };
    Recipe::from_protocol(&protocol, &Timing::of(facts)).unwrap()
}

#[test]
fn real_headers_of_siemens_tell_five_durations() {
    for (file, ms) in DURATIONS_MS {
        let facts = formats::read(&data().join(file)).unwrap_or_else(|e| panic!("{e}")).facts;
        let told = facts.refocus_s.unwrap_or_else(|| panic!("{file} tells nothing"));
        assert!((1e3 * told - ms).abs() < 1e-9, "{file}: {told}");
        let recipe = recipe(&facts, "svs_se");
        assert_eq!(recipe.pulse_source, Source::Header, "{file}");
        assert!(recipe.pulse_name.contains(&format!("{ms:.2} ms")), "{file}: {}", recipe.pulse_name);
    }
}

#[test]
fn a_real_header_with_other_pulses_falls_back_to_what_is_usual() {
    let file = "siemens-twix/sub-SiemensBrainPhantom_seq-svslcosy_inc-1.twix";
    let facts = formats::read(&data().join(file)).unwrap().facts;
    assert_eq!(facts.refocus_s, None, "its two pulses are of different strengths");
    assert!(facts.sequence.as_deref().is_some_and(|name| name.contains("lcosy")), "{:?}", facts.sequence);
    // Where somebody states that its sequence is PRESS, the pulses are the vendor's usual ones, and that is said.
    let usual = recipe(&facts, "svs_se");
    assert_eq!((usual.pulse_source, usual.pulse_name.contains("5.20 ms")), (Source::VendorDefault, true));
    assert!(usual.assumed.iter().any(|assumed| assumed.starts_with("te1_s")), "{:?}", usual.assumed);
    // By its own name nothing is made up.
    let protocol = Protocol {
        f0_mhz: facts.f0_mhz,
        te_s: facts.te_s,
        sequence: facts.sequence.clone(),
        dwell_s: Some(5e-4),
        n_points: Some(1024),
    };
    let message = Recipe::from_protocol(&protocol, &Timing::of(&facts)).unwrap_err().to_string();
    assert!(message.contains("sequence") && message.contains("lcosy"), "{message}");
}
