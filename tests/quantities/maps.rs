//! Grids of voxels as images: every number is that of its voxel's row, where the grid is.

#![allow(clippy::too_many_lines, reason = "one run, and every image of it")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::source::{GOOD, Made, brain, water, write};
use ndarray::Array5;
use requant::acquisition::Acquisition;
use requant::basis::{SetFormat, save};
use requant::formats::{nifti, nifti_mrs};
use requant::store::{MetaboliteRow, SpectrumRow, Status, read_table};
use serde_json::Value;

const GRID: [usize; 3] = [3, 2, 1];
/// Turned about the third axis and mirrored along the first, as images of a head are.
const AFFINE: [[f64; 4]; 4] =
    [[-8.0, 6.0, 0.0, 40.5], [6.0, 8.0, 0.0, -61.25], [0.0, 0.0, 15.0, 12.0], [0.0, 0.0, 0.0, 1.0]];
/// A voxel without any signal.
const EMPTY: usize = 4;

/// The first voxel has most NAA and so on; one of them is empty.
fn grid(of: &dyn Fn(usize) -> Acquisition, [x, y, z]: [usize; 3]) -> Acquisition {
    let voxels: Vec<Acquisition> = (0..x * y * z).map(of).collect();
    let n_points = voxels[0].n_points();
    let samples = Array5::from_shape_fn((voxels.len(), 1, 1, 1, n_points), |(voxel, .., point)| {
        if voxel == EMPTY { 0.0.into() } else { voxels[voxel].samples.at([0, 0, 0, 0, point]) }
    });
    Acquisition {
        facts: voxels[0].facts.clone(),
        grid: [x, y, z],
        affine_mm: Some(AFFINE),
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    }
}

fn metabolites(voxel: usize) -> Acquisition {
    brain(Made { naa: 1.3 - 0.1 * voxel as f64, seed: 20 + voxel as u64, ..GOOD })
}

struct Case(tempfile::TempDir);

impl Case {
    fn new() -> Self {
        let case = Self(tempfile::tempdir().unwrap());
        save(&crate::common::basis(), &case.at("set.basis"), SetFormat::Lcmodel, false).unwrap();
        case
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn requant(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_requant")).args(arguments).current_dir(self.0.path()).output().unwrap()
    }

    fn run(&self, more: &[&str]) {
        let all = ["run", "in", "--out", "out", "--basis", "set.basis", "--engine", "cpu", "--method", "varpro"];
        succeeded(&self.requant(&[&all[..], more].concat()));
    }
}

#[track_caller]
fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The numbers of an image, whose place and grid are held to those of the spectra.
fn image(path: &Path) -> Vec<f32> {
    let bytes = fs::read(path).unwrap();
    let read = nifti::parse(&bytes, true).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap();
    let said = description(&bytes).replacen(' ', "_", 1);
    assert!(said.starts_with(name) || description(&bytes).starts_with(name), "{name}: {said}");
    assert_eq!((read.grid(), read.datatype, read.n_dims), (GRID, 16, 3), "{}", path.display());
    let (affine, by) = read.forms().of_the_scanner().unwrap();
    assert_eq!(by, "qform");
    for (is, was) in affine.iter().flatten().zip(AFFINE.iter().flatten()) {
        assert!((is - was).abs() < 1e-5, "{affine:?}");
    }
    read.data.chunks_exact(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())).collect()
}

/// `descrip` of the header (nifti1.h: 80 bytes from 148).
fn description(packed: &[u8]) -> String {
    let mut header = [0; 348];
    std::io::Read::read_exact(&mut flate2::read::GzDecoder::new(packed), &mut header).unwrap();
    String::from_utf8(header[148..228].to_vec()).unwrap().trim_end_matches('\0').to_owned()
}

fn place(row: &SpectrumRow) -> usize {
    (row.voxel_i.unwrap() + 3 * row.voxel_j.unwrap() + 6 * row.voxel_k.unwrap()) as usize
}

/// Columns of numbers by their names, as anybody reads them.
fn of_metabolite(row: &MetaboliteRow, column: &str) -> Option<f64> {
    match column {
        "amplitude" => row.amplitude,
        "sd_posterior" => row.sd_posterior,
        "crlb_percent" => row.crlb_percent,
        "ratio_tcr" => row.ratio_tcr,
        "ratio_tcr_sd" => row.ratio_tcr_sd,
        "conc_lcmodel_mmol_per_kg" => row.conc_lcmodel_mmol_per_kg,
        "conc_lcmodel_sd_mmol_per_kg" => row.conc_lcmodel_sd_mmol_per_kg,
        other => panic!("{other}"),
    }
}

/// What a value of an image stands for.
fn meaning(map: &Value, value: f32) -> String {
    let legend = map["legend"].as_array().unwrap();
    let is_it = |entry: &&Value| entry["value"].as_f64() == Some(f64::from(value));
    legend.iter().find(is_it).unwrap()["means"].as_str().unwrap().to_owned()
}

fn same(is: f32, row: Option<f64>) -> bool {
    row.map_or(is.is_nan(), |was| is == was as f32)
}

#[test]
fn every_number_is_that_of_its_voxel() {
    let case = Case::new();
    let file = case.at("in/sub-01/mrs/sub-01_mrsi.nii");
    write(&file, &grid(&metabolites, GRID));
    write(&case.at("in/sub-01/mrs/sub-01_mrsref.nii"), &grid(&|_| water(), GRID));
    fs::write(case.at("in/dataset_description.json"), r#"{"Name": "maps", "BIDSVersion": "1.10.0"}"#).unwrap();
    let gate = "name = \"mine\"\n[[gates]]\nname = \"weak\"\nkeep = \"amplitude > 2\"\n";
    fs::write(case.at("gates.toml"), gate).unwrap();
    case.run(&["--gates", "gates.toml"]);
    let spectra: Vec<SpectrumRow> = read_table(&case.at("out")).unwrap();
    let rows: Vec<MetaboliteRow> = read_table(&case.at("out")).unwrap();
    assert_eq!(spectra.len(), 6);
    for row in &spectra {
        assert_eq!((row.grid_i, row.grid_j, row.grid_k), (Some(3), Some(2), Some(1)));
        assert_eq!(row.voxel_affine_mm.as_deref(), Some(AFFINE[..3].concat().as_slice()));
        assert_eq!(row.status == Status::Ok, place(row) != EMPTY, "{:?}", row.error_message);
    }

    let said = succeeded(&case.requant(&["maps", "out", "--out", "maps"]));
    let folder = case.at("maps/sub-01/mrs/sub-01_mrsi/varpro");
    assert!(said.contains("maps/sub-01/mrs/sub-01_mrsi/varpro"), "{said}");
    let index: Value = serde_json::from_slice(&fs::read(folder.join("maps.json")).unwrap()).unwrap();
    assert_eq!((&index["n_voxels"]["fitted"], &index["n_voxels"]["failed"]), (&5.into(), &1.into()));
    assert_eq!(index["affine_mm"][0], serde_json::json!(AFFINE[0]));
    let maps = index["maps"].as_array().unwrap();
    let on_disk = walkdir::WalkDir::new(case.at("maps")).into_iter().filter(|e| e.as_ref().unwrap().path().is_file());
    assert_eq!(on_disk.count(), maps.len() + 1);

    let by_id: BTreeMap<&str, &SpectrumRow> = spectra.iter().map(|row| (row.spectrum_id.as_str(), row)).collect();
    let mut seen = BTreeSet::new();
    for map in maps {
        let (quantity, metabolite) = (map["quantity"].as_str().unwrap(), map["metabolite"].as_str());
        let values = image(&folder.join(map["file"].as_str().unwrap()));
        assert_eq!(values[EMPTY].is_nan(), quantity != "status", "{quantity}");
        seen.insert((metabolite.is_some(), quantity.to_owned()));
        if let Some(metabolite) = metabolite {
            assert_eq!(map["file"], format!("{metabolite}_{quantity}.nii.gz"));
            let own: Vec<&MetaboliteRow> = rows.iter().filter(|row| row.metabolite == metabolite).collect();
            assert_eq!(own.len(), 5);
            for row in own {
                let is = values[place(by_id[row.spectrum_id.as_str()])];
                let is_right = match quantity {
                    "gate" => meaning(map, is) == row.gate.as_deref().unwrap_or("passes all gates"),
                    column => same(is, of_metabolite(row, column)),
                };
                assert!(is_right, "{metabolite} {quantity} {is}");
            }
            continue;
        }
        for row in &spectra {
            let is = values[place(row)];
            let mut flags = row.qc_flags.clone();
            flags.sort();
            let is_right = match quantity {
                "status" => meaning(map, is) == row.error_code.as_deref().unwrap_or("fitted"),
                _ if row.status != Status::Ok => is.is_nan(),
                "snr" => same(is, row.snr),
                "fwhm_hz" => same(is, row.fwhm_hz),
                "gate" => meaning(map, is) == row.gate.as_deref().unwrap_or("passes all gates"),
                "flags" if flags.is_empty() => is == 0.0,
                "flags" => meaning(map, is) == flags.join(", "),
                flag => is == f32::from(u8::from(flags.contains(&flag["flag_".len()..].to_owned()))),
            };
            assert!(is_right, "{quantity} {is}");
        }
    }
    for (is_metabolite, quantity) in [
        (true, "amplitude"),
        (true, "sd_posterior"),
        (true, "ratio_tcr"),
        (true, "ratio_tcr_sd"),
        (true, "conc_lcmodel_mmol_per_kg"),
        (true, "conc_lcmodel_sd_mmol_per_kg"),
        (true, "gate"),
        (false, "gate"),
        (false, "snr"),
        (false, "fwhm_hz"),
        (false, "flags"),
        (false, "status"),
    ] {
        assert!(seen.contains(&(is_metabolite, quantity.to_owned())), "{quantity} in {seen:?}");
    }
    // What was simulated falls from voxel to voxel.
    let naa = image(&folder.join("NAA_ratio_tcr.nii.gz"));
    assert!([0, 1, 2, 3].windows(2).all(|pair| naa[pair[0]] > naa[pair[1]]), "{naa:?}");

    choices(&case);
    refusals(&case);
}

/// Metabolites and quantities by name.
fn choices(case: &Case) {
    let arguments = ["maps", "out", "--out", "some", "--metabolite", "NAA,tCr", "--metabolite", "GABA"];
    let output = case.requant(&[&arguments[..], &["--quantity", "ratio_tcr,shift_hz,te_s,f_csf"]].concat());
    succeeded(&output);
    let notes = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(notes.contains("no map of `f_csf`"), "{notes}");
    let folder = case.at("some/sub-01/mrs/sub-01_mrsi/varpro");
    let files: BTreeSet<String> =
        fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    for file in ["NAA_ratio_tcr.nii.gz", "tCr_ratio_tcr.nii.gz", "GABA_ratio_tcr.nii.gz", "shift_hz.nii.gz"] {
        assert!(files.contains(file), "{file} in {files:?}");
    }
    assert!(files.iter().all(|file| !file.contains("amplitude") && !file.starts_with("Glu")), "{files:?}");
    assert_eq!(image(&folder.join("te_s.nii.gz"))[0], 0.03);

    // The same again takes the same places, byte for byte; others stay, and that is told.
    let was = fs::read(folder.join("te_s.nii.gz")).unwrap();
    let again = case.requant(&["maps", "out", "--out", "some", "--quantity", "te_s", "--overwrite"]);
    succeeded(&again);
    assert_eq!(fs::read(folder.join("te_s.nii.gz")).unwrap(), was);
    let notes = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(notes.contains(&format!("{} images of an earlier call", files.len() - 2)), "{notes}");
}

fn refusals(case: &Case) {
    for (arguments, code, word) in [
        (&["maps", "out", "--out", "some"][..], 73, "not empty"),
        (&["maps", "out", "--out", "out", "--overwrite"], 73, "results are there"),
        (&["maps", "out", "--out", ".", "--overwrite"], 73, "results are there"),
        (&["maps", "out", "--out", "new", "--metabolite", "naa"], 2, "NAA"),
        (&["maps", "out", "--out", "new", "--quantity", "snr2"], 2, "snr_residual"),
        (&["maps", "nowhere", "--out", "new"], 66, "nowhere"),
    ] {
        let output = case.requant(arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(word), "{arguments:?}: {said}");
    }
    assert!(!case.at("new").exists());
}

#[test]
fn names_of_files_make_safe_names_of_images() {
    let case = Case::new();
    let file = case.at("in/aux/con x#1 ü.nii");
    write(&file, &grid(&metabolites, [2, 1, 1]));
    write(&case.at("in/svs.nii"), &metabolites(0));
    case.run(&[]);
    succeeded(&case.requant(&["maps", "out", "--out", "maps", "--quantity", "amplitude", "--metabolite", "NAA"]));
    let files: Vec<String> = walkdir::WalkDir::new(case.at("maps"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.path().strip_prefix(case.at("maps")).unwrap().to_string_lossy().into_owned())
        .collect();
    let folder = "_aux/con_x_1_ü/varpro";
    let wanted: BTreeSet<String> = ["NAA_amplitude.nii.gz", "maps.json"].map(|file| format!("{folder}/{file}")).into();
    assert_eq!(files.into_iter().collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn spectra_of_single_voxels_make_no_maps() {
    let case = Case::new();
    write(&case.at("in/svs.nii"), &metabolites(0));
    case.run(&[]);
    let output = case.requant(&["maps", "out", "--out", "maps"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(66), "{said}");
    assert!(said.contains("no grid of voxels"), "{said}");
    assert!(!case.at("maps").exists());
}
