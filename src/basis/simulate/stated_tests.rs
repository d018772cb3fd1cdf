//! Recipe files.
#![allow(clippy::unwrap_used, reason = "tests")]
use super::*;
use crate::basis::simulate::fsl_sequence;

fn none(_: &str) -> Result<(PathBuf, String), String> {
    Err("no file".to_owned())
}

fn fault(text: &str) -> String {
    Stated::parse(text, &none).unwrap_err()
}

const REFOCUS: &str =
    "[[pulse]]\nrole = \"refocus\"\nshape = \"gauss\"\ntruncation = 0.01\nduration_ms = 5.0\nflip_deg = 180.0\n";

#[test]
fn what_is_stated_is_read_and_the_rest_is_left_to_the_data() {
    let stated =
        Stated::parse("[sequence]\nname = \"press\"\nvendor = \"ge\"\nte_ms = 35\nte1_ms = 14.85\n", &none).unwrap();
    assert_eq!((stated.vendor, stated.refocus.is_none()), (Some(Vendor::Ge), true));
    assert!((stated.te1_s.unwrap() - 14.85e-3).abs() < 1e-12 && stated.tm_s.is_none());
    let stated = Stated::parse(&format!("{REFOCUS}[grid]\npoints = 8\n"), &none).unwrap();
    assert_eq!((stated.grid.unwrap().points, stated.refocus.unwrap().duration_s), (8, 5e-3));
}

#[test]
fn waveforms_stand_in_files_beside_the_recipe() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("w.pta"), "1.0 0.0 ; (0)\n2.0 0.0 ; (1)\n1.0 0.0 ; (2)\n").unwrap();
    let recipe = folder.path().join("site.toml");
    let pulse = "[[pulse]]\nrole = \"refocus\"\nshape = \"file\"\nfile = \"w.pta\"\nduration_ms = 4.0\n";
    std::fs::write(&recipe, pulse).unwrap();
    let stated = Stated::read(&recipe).unwrap();
    assert_eq!((stated.name.as_str(), stated.files.len()), ("site.toml", 1));
    assert!(matches!(stated.refocus.unwrap().shape, Shape::Samples { amplitude, .. } if amplitude == [1.0, 2.0, 1.0]));
    std::fs::write(folder.path().join("w.pta"), "1.0 0.0\n2.0\n").unwrap();
    let message = Stated::read(&recipe).unwrap_err().to_string();
    assert!(message.contains("site.toml") && message.contains("w.pta") && message.contains("line 2"), "{message}");
    std::fs::remove_file(folder.path().join("w.pta")).unwrap();
    assert!(Stated::read(&recipe).unwrap_err().to_string().contains("w.pta: cannot be read"));
}

#[test]
fn what_cannot_be_is_named_with_what_is_possible() {
    for (text, parts) in [
        ("[sequence]\nvendor = \"Hitachi\"\n", &["Hitachi", "Philips"][..]),
        ("[sequence]\nte_ms = -1\n", &["te_ms = -1", "3000"]),
        ("[sequence]\nte_ms = nan\n", &["te_ms = NaN"]),
        ("[sequence]\nte_ms = 30\nte1_ms = 31\n", &["te1_ms = 31", "te_ms = 30"]),
        ("[sequence]\necho = 3\n", &["echo"]),
        (
            "[[pulse]]\nrole = \"spoil\"\nshape = \"gauss\"\ntruncation = 0.1\nduration_ms = 5.0\n",
            &["pulse 1", "spoil"],
        ),
        ("[[pulse]]\nrole = \"refocus\"\nshape = \"sinc\"\nduration_ms = 5.0\n", &["sinc", "gauss"]),
        ("[[pulse]]\nrole = \"refocus\"\nshape = \"gauss\"\ntruncation = 0.1\n", &["duration_ms"]),
        ("[[pulse]]\nrole = \"refocus\"\nshape = \"gauss\"\ntruncation = 0.1\nduration_ms = 900.0\n", &["duration_s"]),
        (
            "[[pulse]]\nrole = \"refocus\"\nshape = \"gauss\"\ntruncation = 0.1\nlobes = 3\nduration_ms = 5.0\n",
            &["lobes"],
        ),
        ("[[pulse]]\nrole = \"refocus\"\nshape = \"file\"\nduration_ms = 5.0\n", &["needs `file`"]),
        (
            "[[pulse]]\nrole = \"refocus\"\nshape = \"samples\"\namplitude = [1.0, 2.0]\nphase_rad = [0.0]\nduration_ms = 5.0\n",
            &["2 amplitudes, 1 phases"],
        ),
        ("[grid]\npoints = 0\n", &["1 to 512"]),
    ] {
        let message = fault(text);
        assert!(parts.iter().all(|part| message.contains(part)), "{text}: {message}");
    }
    assert!(fault(&format!("{REFOCUS}{REFOCUS}")).contains("second"));
    assert!(fault(&format!("[sequence]\nvendor = \"ideal\"\n{REFOCUS}")).contains("contradict"));
}

/// A list of hard pulses, and of editing pulses where `edit_hz` is given: TE 68 ms at 2.89 T, as FSL-MRS describes it.
fn fsl(edit_hz: Option<f64>) -> String {
    let hard = |hz: f64| {
        serde_json::json!({"time": 1e-4, "frequencyOffset": -283.0, "phaseOffset": 0, "amp": [hz], "phase": [0.0],
            "grad": [0, 0, 0]})
    };
    let gauss: Vec<f64> = (0..99).map(|k| (-4.4 * (f64::from(k - 49) / 49.0).powi(2)).exp()).collect();
    let area: f64 = gauss.iter().sum::<f64>() * 0.015 / 99.0;
    let edit = |hz: f64| {
        serde_json::json!({"time": 0.015, "frequencyOffset": hz, "amp": gauss, "ampScale": 0.5 / area,
            "phase": vec![0.0; 99], "grad": [0, 0, 0]})
    };
    let (blocks, delays, orders) = match edit_hz {
        Some(hz) => (
            vec![hard(2500.0), hard(5000.0), edit(hz), hard(5000.0), edit(hz)],
            vec![7.65e-3, 13.65e-3, 5.25e-3, 5.25e-3, 5.95e-3],
            vec![Some(-1), Some(1), None, Some(-1), None],
        ),
        None => (
            vec![hard(2500.0), hard(5000.0), hard(5000.0)],
            vec![7.775e-3, 17.4e-3, 9.575e-3],
            vec![Some(-1), Some(1), Some(-1)],
        ),
    };
    serde_json::json!({"sequenceName": "svs_se", "B0": 2.89, "centralShift": 4.65, "Rx_Points": 8192, "Rx_SW": 4000,
        "Rx_LW": 2, "Rx_Phase": 0.7, "x": [-25, 25], "y": [-25, 25], "z": [-25, 25], "resolution": [1, 1, 1],
        "CoherenceFilter": orders, "RFUnits": "Hz", "GradUnits": "mT", "spaceUnits": "mm", "RF": blocks,
        "delays": delays, "rephaseAreas": vec![[0, 0, 0]; 3]})
    .to_string()
}

/// What a member of the list's set is at some chemical shifts, the first sample halved.
fn spectrum(text: &str, name: &str, ppm: &[f64]) -> Vec<num_complex::Complex64> {
    use crate::basis::simulate::{Library, TimeGrid, basis_set_with};
    let stated = fsl_sequence::parse(text).unwrap();
    let sequence = Sequence::Press { te_s: stated.te_s.unwrap(), te1_s: 0.0155, te2_s: stated.te_s.unwrap() - 0.0155 };
    let pulses = stated.pulses(&Pulses::Ideal, &sequence).unwrap();
    let time = TimeGrid { f0_mhz: 2.89 * 42.577, dwell_s: 2.5e-4, n_points: 4096, linewidth_hz: 2.0 };
    let set = basis_set_with(Library::built_in().unwrap(), &[name], &sequence, &pulses, time).unwrap();
    let at = |ppm: f64| {
        let hz = (4.65 - ppm) * time.f0_mhz;
        let turn = |n: usize| num_complex::Complex64::cis(-std::f64::consts::TAU * hz * n as f64 * time.dwell_s);
        let sum: num_complex::Complex64 = set.fids.row(0).iter().enumerate().map(|(n, z)| z * turn(n)).sum();
        sum - 0.5 * set.fids[[0, 0]]
    };
    ppm.iter().map(|ppm| at(*ppm)).collect()
}

#[test]
fn lists_of_fsl_mrs_are_played_as_they_are() {
    let plain = fsl_sequence::parse(&fsl(None)).unwrap();
    assert!((plain.te_s.unwrap() - 0.035).abs() < 1e-9 && (plain.te1_s.unwrap() - 0.01575).abs() < 1e-9);
    let edited = fsl_sequence::parse(&fsl(Some(-340.85))).unwrap();
    assert!((edited.te_s.unwrap() - 0.068).abs() < 1e-9 && edited.te1_s.is_none());
    // Hard pulses are ideal ones but for what happens within them.
    let sequence = Sequence::Press { te_s: 0.035, te1_s: 0.01575, te2_s: 0.01925 };
    let time = crate::basis::simulate::TimeGrid { f0_mhz: 123.0, dwell_s: 5e-4, n_points: 512, linewidth_hz: 2.0 };
    let library = crate::basis::simulate::Library::built_in().unwrap();
    let made = |pulses: &Pulses| {
        crate::basis::simulate::basis_set_with(library, &["Glu", "Lac"], &sequence, pulses, time).unwrap().fids
    };
    let (list, ideal) = (made(&plain.pulses(&Pulses::Ideal, &sequence).unwrap()), made(&Pulses::Ideal));
    for (ours, theirs) in list.outer_iter().zip(ideal.outer_iter()) {
        let dot: f64 = ours.iter().zip(theirs).map(|(a, b)| (a.conj() * b).re).sum();
        let power =
            |row: ndarray::ArrayView1<'_, num_complex::Complex64>| -> f64 { row.iter().map(|z| z.norm_sqr()).sum() };
        let correlation = dot / (power(ours) * power(theirs)).sqrt();
        assert!(correlation > 0.995, "{correlation}");
    }
}

#[test]
fn editing_pulses_of_a_list_edit() {
    let (on, off) = (fsl(Some(-340.85)), fsl(Some(350.0)));
    // NAA's singlet stands beside the pulse, creatine's does not; GABA at 3 ppm comes up.
    let singlet = |text: &str| spectrum(text, "NAA", &[2.008])[0].norm();
    assert!(singlet(&on) < 0.05 * singlet(&off), "{} of {}", singlet(&on), singlet(&off));
    let creatine = |text: &str| spectrum(text, "Cr", &[3.027])[0].re;
    assert!((creatine(&on) / creatine(&off) - 1.0).abs() < 0.05, "{} of {}", creatine(&on), creatine(&off));
    let ppm: Vec<f64> = (0..40).map(|k| 2.91 + 0.005 * f64::from(k)).collect();
    let gaba = |text: &str| spectrum(text, "GABA", &ppm).iter().map(|z| z.re).sum::<f64>();
    assert!(gaba(&on) - gaba(&off) > 0.3 * gaba(&on).abs(), "{} and {}", gaba(&on), gaba(&off));
}

#[test]
fn lists_that_do_not_fit_are_named() {
    let fault = |from: &str, to: &str| fsl_sequence::parse(&fsl(None).replace(from, to)).unwrap_err();
    assert!(fault("\"B0\":2.89", "\"B0\":0.0").contains("B0 = 0"));
    assert!(fault("[-1,1,-1]", "[-1,1]").contains("3 blocks, 3 delays, 2 coherence orders"));
    assert!(fault("[-1,1,-1]", "[-1,1,1]").contains("-1 is received"));
    assert!(fault("\"RFUnits\":\"Hz\"", "\"RFUnits\":\"G\"").contains("Hz, T, mT, uT"));
    assert!(fault("\"amp\":[2500.0]", "\"amp\":[2500.0,1.0]").contains("2 amplitudes, 1 phases"));
    assert!(fsl_sequence::parse("{}").unwrap_err().contains("missing"));
}
