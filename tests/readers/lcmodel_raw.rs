//! Every LCModel RAW and H2O file among the test data against an independent decoding of its bytes.

use std::fs;

use num_complex::Complex64;
use requant::acquisition::hz_from_ppm;
use requant::formats::{lcmodel_control, lcmodel_raw};

/// What `expected/independent_reference.json` says about one file: plain numbers, before BRUKER and
/// TRAMP/VOLUME.
#[derive(serde::Deserialize)]
struct Reference {
    file: String,
    #[serde(default)]
    reader: String,
    #[serde(default)]
    shape_npts_last: Vec<usize>,
    #[serde(default)]
    first4: Vec<[f64; 2]>,
    #[serde(default)]
    l2norm: f64,
}

fn references() -> Vec<Reference> {
    let text = fs::read(crate::common::data().join("expected/independent_reference.json")).unwrap();
    let all: Vec<serde_json::Value> = serde_json::from_slice(&text).unwrap();
    // Other formats have other shapes of entry.
    all.into_iter().filter(|v| v["reader"] == "LCModel RAW ascii").map(|v| serde_json::from_value(v).unwrap()).collect()
}

#[test]
fn real_files_decode_as_the_reference() {
    let references = references();
    assert!(references.len() > 50, "only {} entries", references.len());
    for r in references {
        assert_eq!(r.reader, "LCModel RAW ascii");
        let bytes = fs::read(crate::common::data().join(&r.file)).unwrap();
        let got = lcmodel_raw::decode(&bytes).unwrap_or_else(|e| panic!("{}: {e}", r.file));
        assert_eq!(Some(&got.n_points()), r.shape_npts_last.last(), "{}", r.file);
        // BRUKER = T in these, VOLUME = 8 in that one; all others are as stored.
        let bruker = r.file.starts_with("lcmodel-9p4T");
        let scale = if r.file.ends_with("metab.RAW") { 1.0 / 8.0 } else { 1.0 };
        let norm = got.samples.iter().map(|z| z.norm_sqr()).sum::<f64>().sqrt();
        assert!((norm / (scale * r.l2norm) - 1.0).abs() < 1e-9, "{}", r.file);
        for (z, [re, im]) in got.samples.iter().zip(&r.first4) {
            let expected = Complex64::new(scale * re, if bruker { -im } else { scale * im });
            assert!((z - expected).norm() <= 1e-12 * expected.norm(), "{}: {z} {expected}", r.file);
        }
    }
}

/// Magnitude of the spectrum summed from `from_ppm` to `to_ppm`.
fn signal(a: &requant::acquisition::Acquisition, dwell_s: f64, f0_mhz: f64, from_ppm: f64, to_ppm: f64) -> f64 {
    let steps = 40;
    (0..=steps)
        .map(|k| {
            let ppm = from_ppm + (to_ppm - from_ppm) * f64::from(k) / f64::from(steps);
            let turn = -2.0 * std::f64::consts::PI * hz_from_ppm(ppm, f0_mhz) * dwell_s;
            a.samples.iter().enumerate().map(|(n, z)| z * Complex64::cis(turn * n as f64)).sum::<Complex64>().norm()
        })
        .sum()
}

#[test]
fn real_bruker_files_have_their_macromolecules_on_the_right_side_of_water() {
    // Metabolite-nulled spectra: the methyl groups at 0.9 ppm are the largest signal; its mirror image
    // about 4.65 ppm lies at 8.4.
    for te in [24, 32, 40, 52, 60] {
        let path = format!("lcmodel-9p4T/input/Summed_Averaged_TE{te}.RAW");
        let a = lcmodel_raw::decode(&fs::read(crate::common::data().join(path)).unwrap()).unwrap();
        assert_eq!(a.facts.te_s.map(|t| (1e3 * t).round()), Some(f64::from(te)));
        let f0_mhz = a.facts.f0_mhz.unwrap();
        let (right, mirror) = (signal(&a, 1.25e-4, f0_mhz, 0.7, 1.1), signal(&a, 1.25e-4, f0_mhz, 8.2, 8.6));
        assert!(right > 3.0 * mirror, "TE {te}: {right:.2e} {mirror:.2e}");
    }
}

#[test]
fn real_control_file_gives_the_grid_of_its_raw() {
    let raw = crate::common::data().join("lcmodel-test/data.raw");
    let (path, control) = lcmodel_control::find_beside(&raw).unwrap();
    assert_eq!(path.file_name().unwrap(), "control.file");
    assert_eq!(
        (control.n_points, control.facts.dwell_s, control.facts.f0_mhz),
        (Some(1024), Some(5e-4), Some(127.786142))
    );
    // The file of a folder up is not beside the data.
    assert!(
        lcmodel_control::find_beside(&crate::common::data().join("lcmodel-9p4T/input/Summed_Averaged_TE24.RAW"))
            .is_none()
    );
    let bytes = fs::read(
        crate::common::data().join("lcmodel-9p4T/fitsettings_Summed_Averaged_Default_Lopez_all_linewidths.control"),
    )
    .unwrap();
    let control = lcmodel_control::parse(&bytes).unwrap().unwrap();
    assert_eq!((control.water_attenuation, control.water_conc_mm), (Some(1.0), Some(40873.0)));
    assert_eq!(control.namelist.text("CHSIMU(15)"), Some("Cre @ 3.925 +- 0.01 FWHM= .01 < .035 +- .003 AMP= 1."));
}
