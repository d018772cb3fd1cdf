//! Folders: scans that are folders, folders of series, names as consortia give them.

use super::*;
use crate::common::data;

/// A folder of Bruker's, and others of which only one is a scan.
fn scan_folders(folder: &Path) {
    for scan in ["study/5", "study/6"] {
        write(folder, &format!("{scan}/fid"), &small_bruker());
        write(folder, &format!("{scan}/method"), METHOD.as_bytes());
        write(folder, &format!("{scan}/acqp"), ACQP.as_bytes());
    }
    for scan in ["steam.fid", "steam_w.fid"] {
        write(folder, &format!("{scan}/fid"), &small_varian());
        write(folder, &format!("{scan}/procpar"), PROCPAR.as_bytes());
    }
    write(folder, "empty/notes.txt", b"nothing");
    fs::create_dir(folder.join("void")).unwrap();
}

#[test]
fn a_folder_that_is_a_scan_stands_where_a_file_may() {
    let keep = tempfile::tempdir().unwrap();
    let at = |name: &str| keep.path().join(name);
    scan_folders(keep.path());
    write(
        keep.path(),
        "m.csv",
        b"path,water_path\nsteam.fid,steam_w.fid\nstudy/5,study/6\nstudy/5/fid,none\nempty,\nstudy,\nsteam.fid,void\n",
    );
    let listing = find(&[at("m.csv")], &Search).unwrap();
    let files: Vec<(&str, Option<&str>)> =
        listing.found.iter().map(|f| (f.source_path.as_str(), f.water_source_path.as_deref())).collect();
    assert_eq!(
        files[..3],
        [("steam.fid/fid", Some("steam_w.fid/fid")), ("study/5/fid", Some("study/6/fid")), ("study/5/fid", None)]
    );
    for at in [3, 4] {
        let refusal = listing.found[at].refusal().unwrap();
        assert_eq!(refusal.code, "manifest_line");
        assert!(refusal.message.contains("folder without a scan"), "{}", refusal.message);
    }
    // As INPUT each has an id of its own.
    let listing = find(&[at("steam.fid"), at("steam_w.fid"), at("study/5")], &Search).unwrap();
    let ids: Vec<&str> = listing.found.iter().map(|found| found.id.as_str()).collect();
    assert_eq!(ids, ["steam.fid/fid", "5/fid"]);
    assert_eq!(listing.found[0].water_source_path.as_deref(), Some("steam_w.fid/fid"));
    assert_eq!(listing.left_out.len(), 1 + 4);
    for (folder, format) in [("steam.fid", "Varian"), ("study/6", "Bruker ParaVision")] {
        let inspected = requant(&["inspect", at(folder).to_str().unwrap()]);
        let told = String::from_utf8_lossy(&inspected.stdout).into_owned();
        assert!(inspected.status.success() && told.contains(format) && told.contains("read with"), "{inspected:?}");
    }
    for folder in ["empty", "study"] {
        for command in ["inspect", "fit"] {
            let refused = requant(&[command, at(folder).to_str().unwrap()]);
            let told = String::from_utf8_lossy(&refused.stderr).into_owned();
            assert_eq!(refused.status.code(), Some(1), "{told}");
            assert!(told.contains("folder without a scan of its own"), "{told}");
        }
    }
}

#[test]
fn real_folders_of_scans_are_inspected_like_files() {
    let folder = data().join("varian/7T_STEAM_TE6ms_human.fid");
    assert_eq!(formats::read(&folder).unwrap().samples, formats::read(&folder.join("fid")).unwrap().samples);
    let bruker = case("bruker-pv360-reference-in-method");
    let scan = walk(&bruker).into_iter().find(|path| path.ends_with("method")).unwrap();
    let scan = scan.parent().unwrap();
    assert_eq!(formats::read(scan).unwrap().format, "Bruker ParaVision");
}

/// All files below a folder.
fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn series_folders_pair_by_their_names() {
    let keep = tempfile::tempdir().unwrap();
    let put = |name: &str, instance: Instance| write(keep.path(), name, &transient(instance));
    for (series, folder) in
        ["1.1", "1.2", "1.3", "1.4"].iter().zip(["svs_se_30", "SVS_SE_30_W", "press_0005", "press_wref_0006"])
    {
        put(&format!("s1/{folder}/00001.dcm"), Instance { series, ..ONE });
    }
    // A series of transients with its reference, which is one as well.
    for number in [1, 2] {
        put(&format!("s2/svs_ws/{number}.dcm"), Instance { series: "2.1", number, ..ONE });
        put(&format!("s2/svs_nws/{number}.dcm"), Instance { series: "2.2", number, ..ONE });
    }
    // Nobody's, and two that could be.
    put("s3/svs_w/1.dcm", Instance { series: "3.1", ..ONE });
    for (series, folder) in [("4.1", "svs"), ("4.2", "svs_w"), ("4.3", "svs_wref")] {
        put(&format!("s4/{folder}/1.dcm"), Instance { series, ..ONE });
    }
    // Two spectra in one folder belong to nobody else's.
    for (series, file) in [("5.1", "svs/a.dcm"), ("5.2", "svs/b.dcm"), ("5.3", "svs_w/a.dcm")] {
        put(&format!("s5/{file}"), Instance { series, ..ONE });
    }
    let listing = search(keep.path());
    expect(
        &listing,
        &[
            ("s1/press_0005/00001.dcm", "water s1/press_wref_0006/00001.dcm"),
            ("s1/svs_se_30/00001.dcm", "water s1/SVS_SE_30_W/00001.dcm"),
            ("s2/svs_ws/1.dcm", "water s2/svs_nws/1.dcm"),
            ("s3/svs_w/1.dcm", "ready"),
            ("s4/svs/1.dcm", "ambiguous_water_reference"),
            ("s5/svs/a.dcm", "ready"),
            ("s5/svs/b.dcm", "ready"),
            ("s5/svs_w/a.dcm", "ready"),
        ],
    );
    let series = listing.found.iter().find(|found| found.source_path == "s2/svs_ws/1.dcm").unwrap();
    assert_eq!((series.parts.len(), series.water_parts.len()), (1, 1));
    assert!(matches!(&series.water, Water::Paired(path) if path.ends_with("svs_nws/1.dcm")));
}

#[test]
fn series_pair_by_what_their_headers_call_them() {
    let keep = tempfile::tempdir().unwrap();
    let put = |name: &str, series: &'static str, protocol: &'static str| {
        write(keep.path(), name, &transient(Instance { series, protocol, ..ONE }));
    };
    // In one folder, and in folders whose names say nothing.
    put("a/IM0001", "1.1", "svs_se_30");
    put("a/IM0002", "1.2", "svs_se_30_WREF");
    put("b/SER1/IM0001", "2.1", "press_ws");
    put("b/SER2/IM0001", "2.2", "press_nws");
    // Several files of one series, of which nobody knows which is meant.
    put("c/x.dcm", "3.1", "svs");
    put("c/y.dcm", "3.1", "svs");
    put("c/z.dcm", "3.2", "svs_w");
    let listing = search(keep.path());
    expect(
        &listing,
        &[
            ("a/IM0001", "water a/IM0002"),
            ("b/SER1/IM0001", "water b/SER2/IM0001"),
            ("c/x.dcm", "ready"),
            ("c/y.dcm", "ready"),
            ("c/z.dcm", "ready"),
        ],
    );
}

/// A dataset in the names of a large consortium: the reference's suffix is `ref`, and each acquisition has its own.
#[test]
fn real_consortium_names_are_paired_and_scaled() {
    let keep = tempfile::tempdir().unwrap();
    let (input, out) = (keep.path().join("in"), keep.path().join("out"));
    let set = data().join("benchmark/hard");
    let copy = |from: &str, to: &str| {
        for extension in ["nii.gz", "json"] {
            let bytes = fs::read(set.join(format!("{from}.{extension}"))).unwrap();
            write(&input, &format!("{to}.{extension}"), &bytes);
        }
    };
    write(&input, "dataset_description.json", b"{\"Name\": \"x\", \"BIDSVersion\": \"1.10.0\"}");
    let stem = "sub-0001/ses-V02/mrs/sub-0001_ses-V02";
    for (subject, acq) in [("sub-0019", "acq-shortTE_run-1"), ("sub-0013", "acq-hercules_run-1")] {
        copy(&format!("{subject}/mrs/{subject}_svs"), &format!("{stem}_{acq}_svs"));
        copy(&format!("{subject}/mrs/{subject}_mrsref"), &format!("{stem}_{acq}_ref"));
    }
    copy("sub-0019/mrs/sub-0019_svs", &format!("{stem}_acq-shortTE_run-2_svs"));
    let listing = search(&input);
    let row = |acq: &str| format!("{stem}_{acq}.nii.gz");
    let water = |acq: &str| format!("water {}", row(&format!("{acq}_ref")));
    let expected: BTreeMap<String, String> = [
        (row("acq-hercules_run-1_svs"), water("acq-hercules_run-1")),
        (row("acq-shortTE_run-1_svs"), water("acq-shortTE_run-1")),
        (row("acq-shortTE_run-2_svs"), "ready".to_owned()),
    ]
    .into();
    assert_eq!(rows(&listing), expected);
    let alone = keep.path().join("one");
    for name in ["svs.nii.gz", "svs.json", "ref.nii.gz", "ref.json"] {
        let (from, to) = (format!("{stem}_acq-shortTE_run-1_{name}"), format!("{stem}_acq-shortTE_{name}"));
        write(&alone, &to, &fs::read(input.join(from)).unwrap());
    }
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    let ran = requant(&["run", &text(&alone), "--out", &text(&out), "--engine", "cpu", "--sequence", "PRESS"]);
    assert!(ran.status.success(), "{ran:?}");
    let spectra: Vec<SpectrumRow> = read_table(&out).unwrap();
    assert_eq!((spectra.len(), spectra[0].status), (1, Status::Ok), "{:?}", spectra[0].error_message);
    let metabolites: Vec<MetaboliteRow> = read_table(&out).unwrap();
    assert!(metabolites.iter().any(|row| row.metabolite == "tNAA"));
    assert!(metabolites.iter().all(|row| row.conc_lcmodel_mmol_per_kg.is_some()));
}
