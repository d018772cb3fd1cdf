//! A study's whole way in one command: raw file, water inside it, tissue, CSF correction, gates. And concentrations by the
//! method `lcmodel` beside LCModel's own of the same scans.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::common::data;
use crate::common::rows::{Row, rows};

/// Fits with the method `lcmodel`, and gives the rows of `spectra` and of `metabolites`.
fn run(input: &Path, basis: &str, more: &[&str]) -> (Vec<Row>, Vec<Row>) {
    let keep = tempfile::tempdir().unwrap();
    let out = keep.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
    command.arg("run").arg(input).arg("--basis").arg(data().join("basis/lcmodel").join(basis)).args(more);
    let done = command.args(["--method", "lcmodel", "--out"]).arg(&out).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    (rows(&out, "spectra"), rows(&out, "metabolites"))
}

fn of<'a>(metabolites: &'a [Row], name: &str) -> &'a Row {
    metabolites.iter().find(|row| row.text("metabolite") == Some(name)).unwrap()
}

#[test]
fn real_raw_file_to_gated_glx_without_csf() {
    let keep = tempfile::tempdir().unwrap();
    let tissue = keep.path().join("segmentations/sub-01");
    fs::create_dir_all(&tissue).unwrap();
    fs::write(tissue.join("segmentation.json"), r#"{"GM": 0.62, "WM": 0.21, "CSF": 0.17}"#).unwrap();
    let scans = keep.path().join("scans/sub-01");
    fs::create_dir_all(&scans).unwrap();
    fs::copy(data().join("ge-pfile/rev20-3T/P36864.7"), scans.join("P36864.7")).unwrap();
    let (scans, tissue) = (keep.path().join("scans"), keep.path().join("segmentations"));
    let chain =
        |gates: &str| run(&scans, "press_30ms_3T.basis", &["--tissue", tissue.to_str().unwrap(), "--gates", gates]);

    let (spectra, metabolites) = chain("seed2020");
    let spectrum = &spectra[0];
    // The reference is inside the file: its times are those of the scan.
    assert_eq!(spectrum.text("water_reference_path"), Some("sub-01/P36864.7"));
    let near = |column: &str, expected: f64| (spectrum.number(column).unwrap() - expected).abs() < 1e-6;
    assert!(near("water_te_s", 0.035) && near("water_tr_s", 1.5), "{spectrum:?}");
    assert!((spectrum.number("voxel_ml").unwrap() - 25.91).abs() < 0.01);
    assert_eq!(spectrum.text("voxel_placed_by"), Some("header"));
    assert!(near("f_csf", 0.17) && near("gm_ratio", 0.62 / 0.83));

    let glx = of(&metabolites, "Glx");
    let (whole, without_csf) = (glx.number("conc_lcmodel_mmol_per_kg"), glx.number("conc_csf_mmol_per_kg"));
    assert!((without_csf.unwrap() - whole.unwrap() / 0.83).abs() < 1e-9);
    assert!(glx.number("conc_csf_sd_mmol_per_kg").unwrap() > 0.0);

    // A gate takes what its rule takes, and names itself where it does not.
    for row in &metabolites {
        let percent = row.number("lcmodel_sd_percent");
        let expected = match percent {
            Some(percent) => (percent > 20.0).then_some("sd_percent_above_20"),
            None => Some("sd_percent_above_20_unknown"),
        };
        assert_eq!(row.text("gate"), expected, "{:?}", row.text("metabolite"));
    }
    assert!(glx.text("gate").is_none() && spectrum.number("fwhm_hz").unwrap() < 12.0);
    let strict = keep.path().join("strict.toml");
    let rule =
        "name = \"strict\"\ndescription = \"narrow\"\n[[gates]]\nname = \"too_wide\"\nkeep = \"fwhm_hz <= 1.0\"\n";
    fs::write(&strict, rule).unwrap();
    let (spectra, metabolites) = chain(strict.to_str().unwrap());
    assert_eq!(spectra[0].text("gate"), Some("too_wide"));
    assert!(metabolites.iter().all(|row| row.text("gate") == Some("too_wide")));
}

/// LCModel's concentrations of a scan, with the water's area by the fit (`IAREAW = 2`) or at its start (1).
fn lcmodel(name: &str, area: &str) -> BTreeMap<String, f64> {
    let path = data().join("../cases/qc/lcmodel_reference.csv");
    let mut reader = csv::Reader::from_path(path).unwrap();
    let mut all = reader.deserialize::<BTreeMap<String, String>>().map(Result::unwrap);
    let row = all.find(|row| row["name"] == name && row["iareaw"] == area).unwrap();
    row.into_iter().filter_map(|(key, value)| Some((key, value.parse().ok()?))).collect()
}

#[test]
fn real_concentrations_agree_with_lcmodel() {
    let keep = tempfile::tempdir().unwrap();
    let config = keep.path().join("lcmodel.toml");
    fs::write(&config, "[water_scaling]\nversion = \"own\"\nwater_attenuation = 0.7\n").unwrap();
    // The phantom's water is 4 % smaller by LCModel's fit of it than by its start, which ours agrees with.
    for (name, file, basis, area) in [
        ("press35-sub01", "press35-sub01/sub-01_PRESS_35_act.sdat", "3T_PRESS_Philips_35ms_noMM.BASIS", "2"),
        ("press35-sub02", "press35-sub02/sub-02_PRESS_35_act.sdat", "3T_PRESS_Philips_35ms_noMM.BASIS", "2"),
        ("press30-mm-sub01", "press30-mm-sub01/sub-01_ses-01_PRESS_raw-act_noID.SDAT", "press_30ms_3T.basis", "2"),
        ("phantom-te30-128avg", "phantom-te30-128avg/philips_spar_sdat_WS.SDAT", "press_30ms_3T.basis", "1"),
    ] {
        let more = ["--config", config.to_str().unwrap(), "--sequence", "PRESS"];
        let (_, metabolites) = run(&data().join("philips-sdat").join(file), basis, &more);
        let expected = lcmodel(name, area);
        for sum in ["tCr", "tNAA", "Glx"] {
            let ours = of(&metabolites, sum).number("conc_lcmodel_mmol_per_kg").unwrap();
            let over = ours / expected[sum];
            println!("{name} {sum}: {over:.3} of LCModel's");
            assert!((over - 1.0).abs() <= 0.03, "{name} {sum}: {over}");
        }
    }
}
