//! Noise where FIDs are short, and where nobody can tell it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::rows::{Row, rows};
use requant::formats::{self, nifti_mrs};
use requant::signal::noise::Noise;

/// Noise of the case's files, per real and imaginary part of a sample.
const TRUE_SD: f64 = 1.186;
const SCANS: [(&str, usize); 4] = [("n512r0", 512), ("n512r1", 512), ("n1024r0", 1024), ("n1024r1", 1024)];

/// A scan of the case: a phantom whose lines (1.3 Hz) outlast the measurement.
fn scan(name: &str) -> PathBuf {
    let case = crate::common::data().join("../cases/field/short-fid-noise/data");
    case.join(format!("sub-{name}/mrs/sub-{name}_svs.nii.gz"))
}

fn run(input: &Path, out: &Path, methods: &[&str]) -> (Vec<Row>, Vec<Row>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
    // The case is made with ideal pulses, which its header cannot say: by default they would be the vendor's.
    command.arg("run").arg(input).args(["--pulses", "ideal"]).arg("--out").arg(out).env_remove("SLURM_ARRAY_TASK_ID");
    for method in methods {
        command.args(["--method", method]);
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    (rows(out, "spectra"), rows(out, "metabolites"))
}

#[test]
fn the_noise_of_short_fids_is_right_and_so_are_errors() {
    for (name, n) in SCANS {
        let fid = formats::read(&scan(name)).unwrap().samples.fid([0, 0, 0, 0]);
        assert_eq!(fid.len(), n);
        let Noise::Measured(sd) = Noise::of(&fid) else { panic!("{name}: the noise is unknown") };
        assert!((sd / TRUE_SD - 1.0).abs() < 0.05, "{name}: {sd}");
    }
    let keep = tempfile::tempdir().unwrap();
    for (name, _) in [SCANS[0], SCANS[2]] {
        fs::copy(scan(name), keep.path().join(format!("{name}_svs.nii.gz"))).unwrap();
    }
    let (spectra, metabolites) = run(keep.path(), &keep.path().join("out"), &["map"]);
    assert_eq!(spectra.len(), 2);
    for row in spectra {
        let over_noise = row.number("residual_sd_over_noise_sd").unwrap();
        assert!((0.85..1.3).contains(&over_noise), "{over_noise}");
        let expected = TRUE_SD * row.number("n_points").unwrap().sqrt();
        assert!((row.number("noise_sd").unwrap() / expected - 1.0).abs() < 0.05);
        let naa = metabolites
            .iter()
            .find(|m| m.text("metabolite") == Some("NAA") && m.text("spectrum_id") == row.text("spectrum_id"));
        // 9 and 2.5 % where signal counts as noise.
        let percent = naa.unwrap().number("crlb_percent").unwrap();
        assert!((0.3..1.2).contains(&percent), "{percent}");
    }
}

#[test]
fn apodised_noiseless_and_zero_filled_data_say_what_is_known() {
    let keep = tempfile::tempdir().unwrap();
    let data = formats::read(&scan("n1024r0")).unwrap();
    let n = data.n_points();
    let write = |name: &str, weight: &dyn Fn(usize) -> f64, noise: bool, zeros: usize| {
        let mut changed = data.clone();
        let old = data.samples.to_array();
        let mut shape = old.raw_dim();
        shape[4] = n + zeros;
        let samples = ndarray::Array5::from_shape_fn(shape, |(v, c, t, e, p)| match p < n {
            true if noise => old[[v, c, t, e, p]] * weight(p),
            // A model of what is there: one line, as simulations have it.
            true => num_complex::Complex64::from_polar(1000.0 * (-(p as f64) / 300.0).exp(), 1.02 * p as f64),
            false => num_complex::Complex64::default(),
        });
        changed.samples = samples.into();
        fs::write(keep.path().join(format!("{name}_svs.nii")), nifti_mrs::encode(&changed)).unwrap();
    };
    write("apodised", &|p| (-4.0 * p as f64 / n as f64).exp(), true, 0);
    write("filled", &|p| (-4.0 * p as f64 / n as f64).exp(), true, n);
    write("noiseless", &|_| 1.0, false, 0);
    write("zeros", &|_| 1.0, true, n);
    let (spectra, metabolites) = run(keep.path(), &keep.path().join("out"), &["map", "abfit-reg"]);
    assert_eq!(spectra.len(), 8);
    for row in &spectra {
        let id = row.text("spectrum_id").unwrap();
        assert_eq!(row.text("status"), Some("ok"), "{id}");
        let unknown = !id.contains("zeros");
        let flagged = row.texts("qc_flags").iter().any(|flag| flag == "noise_unknown");
        assert_eq!(flagged, unknown, "{id}");
        assert_eq!(row.texts("warnings").iter().any(|w| w.contains("noise")), unknown, "{id}");
        for column in ["noise_sd", "snr", "residual_sd_over_noise_sd", "chi2_reduced"] {
            assert_eq!(row.number(column).is_none(), unknown, "{id} {column}");
        }
        assert_eq!(row.numbers("covariance").is_empty(), unknown, "{id}");
        let own =
            metabolites.iter().filter(|m| m.text("spectrum_id") == Some(id) && m.text("method") == row.text("method"));
        let own: Vec<&Row> = own.collect();
        for metabolite in &own {
            assert_eq!(metabolite.number("sd_noise").is_none(), unknown, "{id}");
            assert!(!unknown || metabolite.number("crlb_percent").is_none(), "{id}");
            assert!(metabolite.number("sd_posterior").is_some_and(|sd| sd.is_finite() && sd >= 0.0), "{id}");
        }
        // 12.5 mM of NAA and 10 of creatine.
        let amplitude =
            |name: &str| own.iter().find(|m| m.text("metabolite") == Some(name)).and_then(|m| m.number("amplitude"));
        if !id.contains("noiseless") {
            let ratio = amplitude("tNAA").unwrap() / amplitude("tCr").unwrap();
            assert!((ratio / 1.25 - 1.0).abs() < 0.15, "{id}: {ratio}");
        }
    }
}
