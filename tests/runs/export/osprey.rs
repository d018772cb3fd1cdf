//! What Osprey's users read: names of files and columns, and the same scans in the same order in all of them.

use std::fs;

use requant::store::{SpectrumRow, Status};

use super::corpus::{Corpus, column, spectrum};

/// Two edited scans and a plain one, of which one failed.
fn edited() -> Corpus {
    let mut corpus = Corpus::new();
    for (subject, is_fitted) in [("01", true), ("02", false), ("03", true)] {
        for subspec in ["off", "diff"] {
            let row = spectrum(subject, "oslo");
            let row = SpectrumRow {
                spectrum_id: format!("{}#{subspec}", row.spectrum_id),
                subspec: Some(subspec.to_owned()),
                snr_tcr: Some(if subspec == "off" { 80.0 } else { 1.0 }),
                chi2_reduced: Some(if subspec == "off" { 1.5 } else { 2.5 }),
                water_amplitude: Some(1e4),
                ..row
            };
            let values: &[(&str, f64)] = match subspec {
                "off" => &[("Ins", 0.8), ("Scyllo", 0.05), ("-CrCH2", 0.01), ("tCr", 1.0)],
                _ => &[("GABA", 0.1), ("GABA+", 0.2)],
            };
            match is_fitted {
                true => corpus.add(row, values),
                false => corpus
                    .add(SpectrumRow { status: Status::Failed, error_code: Some("no_signal".to_owned()), ..row }, &[]),
            }
        }
    }
    corpus.file("p.tsv", "participant_id\tgroup\nsub-01\tpatient\nsub-02\tcontrol\nsub-03\tcontrol\n");
    corpus
}

fn lines(corpus: &Corpus, name: &str) -> Vec<String> {
    fs::read_to_string(corpus.at("study/osprey").join(name)).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn files_and_columns_have_ospreys_names() {
    let corpus = edited();
    corpus.export(&["--participants", "p.tsv", "--layout", "osprey"]);
    assert_eq!(
        lines(&corpus, "QuantifyResults/A_tCr_Voxel_1_Basis_1.tsv"),
        ["mI\tsI\tCrCH2\ttCr", "0.8\t0.05\t0.01\t1", "NaN\tNaN\tNaN\tNaN", "0.8\t0.05\t0.01\t1"]
    );
    assert_eq!(
        lines(&corpus, "QuantifyResults/diff1_amplMets_Voxel_1_Basis_1.tsv"),
        ["GABA\tGABAplus", "0.1\t0.2", "NaN\tNaN", "0.1\t0.2"]
    );
    // No tissue and no calibration of the water: no table of them, as Osprey writes none.
    assert!(!corpus.at("study/osprey/QuantifyResults/A_TissCorrWaterScaled_Voxel_1_Basis_1.tsv").exists());
    assert_eq!(
        lines(&corpus, "QM_processed_spectra.tsv"),
        [
            "Cr_SNR\tCr_FWHM\twater_FWHM\tresidual_water_ampl\tfreqShift\trelResA\trelResdiff1",
            "80\tNaN\tNaN\tNaN\tNaN\t1.5\t2.5",
            "80\tNaN\tNaN\tNaN\tNaN\t1.5\t2.5",
            "80\tNaN\tNaN\tNaN\tNaN\t1.5\t2.5",
        ]
    );
    let subjects = corpus.rows("osprey/subject_names_and_excluded.tsv");
    assert_eq!(column(&subjects, "subject"), ["sub-01", "sub-02", "sub-03"]);
    assert_eq!(column(&subjects, "group"), ["2", "1", "1"]);
    assert_eq!(column(&subjects, "exclude"), ["0", "1", "0"]);
    assert_eq!(lines(&corpus, "SegMaps/TissueFractions_Voxel_1.tsv")[0], "fGM\tfWM\tfCSF");
    let said = fs::read_to_string(corpus.at("study/osprey/subject_names_and_excluded.json")).unwrap();
    assert!(said.contains("1 control, 2 patient"), "{said}");
}

#[test]
fn regions_and_methods_have_folders() {
    let mut corpus = Corpus::new();
    for (voi, value) in [("acc", 1.0), ("dlpfc", 2.0)] {
        for method in ["map", "lcmodel"] {
            let row = SpectrumRow { voi: Some(voi.to_owned()), method: method.to_owned(), ..spectrum("01", "oslo") };
            corpus.add(SpectrumRow { spectrum_id: format!("{}_{voi}", row.spectrum_id), ..row }, &[("Glu", value)]);
        }
    }
    corpus.export(&["--layout", "osprey"]);
    assert_eq!(lines(&corpus, "lcmodel/acc/QuantifyResults/A_tCr_Voxel_1_Basis_1.tsv"), ["Glu", "1"]);
    assert_eq!(lines(&corpus, "map/dlpfc/QuantifyResults/A_tCr_Voxel_1_Basis_1.tsv"), ["Glu", "2"]);
    corpus.export(&["--layout", "osprey", "--method", "map"]);
    assert_eq!(lines(&corpus, "dlpfc/QuantifyResults/A_tCr_Voxel_1_Basis_1.tsv"), ["Glu", "2"]);
    // Nobody names groups: one, as Osprey has it.
    assert_eq!(column(&corpus.rows("osprey/acc/subject_names_and_excluded.tsv"), "group"), ["1"]);
}
