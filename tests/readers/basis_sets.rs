//! Every basis set among the test data: members, grid, where its singlets lie; and what must not be
//! read as a basis set.

use std::fs;
use std::path::Path;

use num_complex::Complex64;
use requant::basis::names::{Kind, canonical, kind};
use requant::basis::{BasisError, BasisSet, FirstPoint, Grid, write_lcmodel};
use requant::formats::namelist::NamelistError;

/// What one set must come out as. Positions are the singlets of NAA and creatine.
struct Expected {
    path: &'static str,
    n_members: usize,
    n_points: usize,
    dwell_s: f64,
    f0_mhz: f64,
    te_s: Option<f64>,
    sequence: Option<&'static str>,
    naa_ppm: f64,
    cr_ppm: Option<f64>,
    first_point: FirstPoint,
}

/// Where NAA and creatine belong (ppm).
const NAA: f64 = 2.008;
const CR: Option<f64> = Some(3.027);

const SETS: [Expected; 12] = [
    // Osprey simulates around 4.68 ppm: everything is stored 0.03 ppm too low, and LCModel lets the fit
    // shift it. Stored here is what the file has; `referenced` puts it right (below).
    Expected {
        path: "basis/lcmodel/3T_PRESS_Philips_35ms_noMM.BASIS",
        n_members: 17,
        n_points: 8192,
        dwell_s: 2.5e-4,
        f0_mhz: 127.731,
        te_s: Some(0.035),
        sequence: Some("press"),
        naa_ppm: 1.978,
        cr_ppm: Some(2.997),
        first_point: FirstPoint::Halved,
    },
    Expected {
        path: "basis/lcmodel/3T_PRESS_Siemens_35ms_noMM.BASIS",
        n_members: 17,
        n_points: 8192,
        dwell_s: 2.5e-4,
        f0_mhz: 123.201659,
        te_s: Some(0.035),
        sequence: Some("PRESS"),
        naa_ppm: 1.978,
        cr_ppm: Some(2.997),
        first_point: FirstPoint::Halved,
    },
    // ISHIFT 20, 4 and −587 points.
    Expected {
        path: "basis/lcmodel/3t_IU_MP_te68_diff_yesNAAG_noLac_Kaiser.basis",
        n_members: 6,
        n_points: 8192,
        dwell_s: 5e-4,
        f0_mhz: 123.261177,
        te_s: Some(0.068),
        sequence: Some("MEGA-"),
        naa_ppm: NAA,
        cr_ppm: None,
        first_point: FirstPoint::Full,
    },
    Expected {
        path: "basis/lcmodel/basis_STEAM_TE45_TM60.BASIS",
        n_members: 19,
        n_points: 8192,
        dwell_s: 3.33e-4,
        f0_mhz: 298.059998,
        te_s: None,
        sequence: None,
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Full,
    },
    Expected {
        path: "basis/lcmodel/gamma_press_te30_123mhz_104.basis",
        n_members: 16,
        n_points: 4944,
        dwell_s: 2.07357807e-4,
        f0_mhz: 123.2,
        te_s: Some(0.03),
        sequence: Some("PRESS"),
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Halved,
    },
    Expected {
        path: "basis/lcmodel/press_30ms_3T.basis",
        n_members: 17,
        n_points: 4944,
        dwell_s: 2.07357807e-4,
        f0_mhz: 123.2,
        te_s: Some(0.03),
        sequence: Some("PRESS"),
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Halved,
    },
    // Singlets are halved in this one, multiplets are not.
    Expected {
        path: "basis/lcmodel/basis_braino.basis",
        n_members: 7,
        n_points: 4096,
        dwell_s: 2e-4,
        f0_mhz: 127.7654,
        te_s: Some(0.035),
        sequence: Some("PRESS"),
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Halved,
    },
    Expected {
        path: "lcmodel-test/3t.basis",
        n_members: 17,
        n_points: 1024,
        dwell_s: 5e-4,
        f0_mhz: 127.7861,
        te_s: None,
        sequence: Some("PRESS"),
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Halved,
    },
    Expected {
        path: "challenge2016/basis/press3T_30ms.BASIS",
        n_members: 21,
        n_points: 4096,
        dwell_s: 2.5e-4,
        f0_mhz: 123.261703,
        te_s: None,
        sequence: None,
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Full,
    },
    Expected {
        path: "challenge2016/basis/raw",
        n_members: 22,
        n_points: 2048,
        dwell_s: 2.5e-4,
        f0_mhz: 123.2,
        te_s: Some(0.03),
        sequence: None,
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Full,
    },
    Expected {
        path: "basis/fsl-json-7T",
        n_members: 19,
        n_points: 8192,
        dwell_s: 1.0 / 6000.0,
        f0_mhz: 297.190252,
        te_s: None,
        sequence: None,
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Full,
    },
    Expected {
        path: "basis/nifti-slaser-3T",
        n_members: 29,
        n_points: 2048,
        dwell_s: 1.0 / 6000.0,
        f0_mhz: 123.0,
        te_s: None,
        sequence: None,
        naa_ppm: NAA,
        cr_ppm: CR,
        first_point: FirstPoint::Halved,
    },
];

/// The challenge's RAW files say nothing about their grid.
const CHALLENGE: Grid = Grid { dwell_s: Some(2.5e-4), f0_mhz: Some(123.2), te_s: Some(0.03) };

fn read(path: &str) -> BasisSet {
    let grid = if path.ends_with("raw") { CHALLENGE } else { Grid::default() };
    BasisSet::read_with(&crate::common::data().join(path), &grid).unwrap_or_else(|e| panic!("{path}: {e}"))
}

#[test]
fn real_sets_have_their_members_and_grid() {
    for e in &SETS {
        let set = read(e.path);
        assert_eq!(set.fids.dim(), (e.n_members, e.n_points), "{}", e.path);
        assert_eq!(set.metabolites.len(), e.n_members, "{}", e.path);
        // Single precision in the headers.
        assert!((set.dwell_s / e.dwell_s - 1.0).abs() < 1e-6, "{}: {}", e.path, set.dwell_s);
        assert!((set.f0_mhz / e.f0_mhz - 1.0).abs() < 1e-6, "{}: {}", e.path, set.f0_mhz);
        assert_eq!(set.te_s.map(|t| (t * 1e6).round()), e.te_s.map(|t| (t * 1e6).round()), "{}", e.path);
        assert_eq!(set.sequence.as_deref(), e.sequence, "{}", e.path);
        assert_eq!(set.sha256.len(), 64, "{}", e.path);
        for name in &set.metabolites {
            assert_eq!(*name, canonical(name), "{}", e.path);
        }
        assert_eq!(set.first_point(), e.first_point, "{}", e.path);
    }
}

#[test]
fn real_sets_have_their_singlets_in_place() {
    for e in &SETS {
        let set = read(e.path);
        let at = |name: &str, near: f64| set.peak_ppm(set.position(name).unwrap(), near, 0.2).unwrap();
        let naa = at("NAA", NAA);
        assert!((naa - e.naa_ppm).abs() < 4e-3, "{}: NAA at {naa:.4}", e.path);
        if let Some(ppm) = e.cr_ppm {
            let cr = at("Cr", 3.027);
            assert!((cr - ppm).abs() < 5e-3, "{}: Cr at {cr:.4}", e.path);
        }
        // The golden test of the sign convention: ppm = 4.65 − f/f0 in every set, once referenced.
        let set = set.referenced();
        let naa = set.peak_ppm(set.position("NAA").unwrap(), 2.01, 0.2).unwrap();
        assert!((naa - 2.01).abs() < 0.03, "{}: NAA at {naa:.4}", e.path);
        assert!(set.offset_ppm().unwrap().abs() < 3e-3, "{}", e.path);
    }
}

#[test]
fn real_measured_macromolecules_store_their_first_point_otherwise_than_the_metabolites() {
    for path in ["challenge2016/basis/press3T_30ms.BASIS", "basis/lcmodel/basis_STEAM_TE45_TM60.BASIS"] {
        let set = read(path);
        for (name, first_point) in set.metabolites.iter().zip(set.first_points()) {
            let expected = if name == "Mac" { FirstPoint::Halved } else { FirstPoint::Full };
            assert_eq!(first_point, expected, "{path}: {name}");
        }
    }
}

#[test]
fn real_names_are_canonical_and_kinds_known() {
    let names = |path| read(path).metabolites;
    assert_eq!(
        names("challenge2016/basis/press3T_30ms.BASIS"),
        [
            "Mac", "Ala", "Asp", "Asc", "Cr", "GABA", "Glc", "Gln", "Glu", "Gly", "GPC", "GSH", "Ins", "Scyllo", "Lac",
            "PCr", "PCh", "PE", "NAA", "NAAG", "Tau"
        ]
    );
    let nifti = names("basis/nifti-slaser-3T");
    let of = |k| nifti.iter().filter(|n| kind(n) == k).count();
    assert_eq!((of(Kind::Macromolecule), of(Kind::Lipid), of(Kind::Metabolite)), (5, 4, 20));
    assert!(nifti.contains(&"PE".to_owned()) && nifti.contains(&"Scyllo".to_owned()));
    assert!(names("challenge2016/basis/raw").contains(&"Mac".to_owned()));
}

#[test]
fn real_basis_file_and_the_raw_files_that_it_was_made_of_are_the_same_signal() {
    // The .BASIS holds the unitary spectrum of the zero-filled FIDs; CONC, TRAMP and VOLUME are 1. This
    // pins sign, amplitude and order of the transform against files that need none of it.
    let (basis, raw) = (read("challenge2016/basis/press3T_30ms.BASIS"), read("challenge2016/basis/raw"));
    for (row, name) in basis.metabolites.iter().enumerate() {
        let other = raw.position(name).unwrap_or_else(|| panic!("{name} is not among the RAW files"));
        let (a, b) = (basis.fids.row(row), raw.fids.row(other));
        let size = b.iter().map(|z| z.norm()).fold(0.0, f64::max);
        let worst = b.iter().zip(a).map(|(x, y)| (x - y).norm()).fold(0.0, f64::max) / size;
        // Five decimals in each file, averaged over the transform.
        assert!(worst < 3e-5, "{name}: {worst:.1e}");
    }
}

#[test]
fn real_amplitudes_carry_tramp_over_volume_and_conc() {
    // 3t.basis: √NDATAB·ifft of the stored spectrum, all factors 1 (independent NumPy decoding).
    let set = read("lcmodel-test/3t.basis");
    let cr = set.fids.row(set.position("Cr").unwrap());
    assert!((cr[0] - Complex64::new(40.0, 0.0)).norm() < 1e-3, "{}", cr[0]);
    assert!((cr[1] - Complex64::new(68.5606, 38.3181)).norm() < 1e-3, "{}", cr[1]);
    // The MEGA set has CONC 50 and VOLUME 8: −1.432 − 0.005i before the factor.
    let set = read("basis/lcmodel/3t_IU_MP_te68_diff_yesNAAG_noLac_Kaiser.basis");
    let naa = set.fids.row(set.position("NAA").unwrap());
    assert!((naa[0] * 400.0 - Complex64::new(-1.432, -0.005)).norm() < 1e-3, "{}", naa[0]);
}

#[test]
fn real_sets_regrid_without_moving_or_scaling() {
    for (path, dwell_s, f0_mhz) in [
        ("challenge2016/basis/press3T_30ms.BASIS", 2.5e-4, 123.2),
        ("lcmodel-test/3t.basis", 2.5e-4, 127.786142),
        ("basis/lcmodel/press_30ms_3T.basis", 5e-4, 123.2),
        ("basis/fsl-json-7T", 2e-4, 297.2),
    ] {
        let set = read(path).with_first_point(FirstPoint::Full);
        let n = set.fids.ncols();
        let same = set.regrid(set.dwell_s, set.f0_mhz, n).unwrap();
        assert_eq!(same, set.fids, "{path}");
        let mut other = set.clone();
        other.fids = set.regrid(dwell_s, f0_mhz, 2048).unwrap();
        other.dwell_s = dwell_s;
        other.f0_mhz = f0_mhz;
        let cr = set.position("Cr").unwrap();
        let before = set.peak_ppm(cr, 3.027, 0.1).unwrap();
        let after = other.peak_ppm(cr, 3.027, 0.1).unwrap();
        assert!((before - after).abs() < 5e-4, "{path}: {before:.5} became {after:.5}");
        // The signal at t = 0 stays what it was.
        let ratio = other.fids[(cr, 0)] / set.fids[(cr, 0)];
        assert!((ratio - 1.0).norm() < 0.01, "{path}: {ratio}");
        assert_eq!(other.first_point(), FirstPoint::Full, "{path}");
        let size = |s: &BasisSet| s.fids.iter().map(|z| z.norm()).fold(0.0, f64::max);
        assert!((size(&other) / size(&set) - 1.0).abs() < 0.02, "{path}");
    }
}

#[test]
fn real_folder_without_its_grid_names_what_is_missing() {
    let path = crate::common::data().join("challenge2016/basis/raw");
    let error = BasisSet::read(&path).unwrap_err();
    assert!(matches!(error, BasisError::Missing { field: "dwell time", .. }), "{error}");
    let half = Grid { dwell_s: Some(2.5e-4), ..Grid::default() };
    let error = BasisSet::read_with(&path, &half).unwrap_err();
    assert!(matches!(error, BasisError::Missing { field: "spectrometer frequency", .. }), "{error}");
}

#[test]
fn real_single_files_are_sets_of_one() {
    for (path, name) in [("basis/nifti-slaser-3T/NAA.nii.gz", "NAA"), ("basis/fsl-json-7T/Scyllo.json", "Scyllo")] {
        let set = read(path);
        assert_eq!(set.metabolites, [name]);
    }
}

/// Text of a `.BASIS` with members of four points each.
fn basis_text(badelt: &str, members: &[&str]) -> String {
    let mut text = format!(
        " $SEQPAR\n FWHMBA = .01, HZPPPM = 123.2,\n ECHOT = 30., SEQ = 'PRESS' $END\n $BASIS1\n IDBASI =\n 'made up'\n ,\n FMTBAS = '(2E15.6)',\n BADELT = {badelt},\n NDATAB = 4 $END\n"
    );
    for name in members {
        text += &format!(
            " $NMEACH\n FILERAW = 'x', PPMAPP = 0.5 -0.5 $END\n $BASIS\n ID = '{name}', METABO = '{name}',\n CONC = 2., TRAMP = 3., VOLUME = 1., ISHIFT = 0 $END\n 1. 0.\n 1. 0.\n 1. 0.\n 1. 0.\n"
        );
    }
    text
}

fn read_text(text: &str) -> Result<BasisSet, BasisError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.basis");
    fs::write(&path, text).unwrap();
    BasisSet::read(&path)
}

#[test]
fn a_flat_spectrum_is_one_sample_at_the_start() {
    let set = read_text(&basis_text("2.5E-04", &["mI", "PCho"])).unwrap();
    assert_eq!(set.id, "made up");
    assert_eq!(set.metabolites, ["Ins", "PCh"]);
    assert_eq!(set.linewidth_hz, Some(1.232));
    // √4 · 1, times TRAMP/(VOLUME·CONC) = 3/2.
    for fid in set.fids.rows() {
        assert!((fid[0] - 3.0).norm() < 1e-12);
        assert!(fid.iter().skip(1).all(|z| z.norm() < 1e-12));
    }
}

#[test]
fn a_positive_ishift_moves_towards_larger_ppm() {
    let text = basis_text("2.5E-04", &["NAA"])
        .replace("ISHIFT = 0 $END\n 1. 0.\n 1. 0.\n 1. 0.\n 1. 0.", "ISHIFT = 1 $END\n 0. 0.\n 1. 0.\n 0. 0.\n 0. 0.");
    let set = read_text(&text).unwrap();
    // Stored at the DFT frequency 1, referenced to 0: larger ppm is lower frequency. A constant FID.
    let fid = set.fids.row(0);
    assert!(fid.iter().all(|z| (z - fid[0]).norm() < 1e-12));
}

#[test]
fn encrypted_sets_are_refused() {
    let error = read_text(&basis_text("-2.5E-04", &["NAA"])).unwrap_err();
    assert!(matches!(error, BasisError::Encrypted { .. }));
    assert!(error.to_string().contains("BADELT"), "{error}");
}

#[test]
fn two_spellings_of_one_name_are_refused_and_both_named() {
    let error = read_text(&basis_text("2.5E-04", &["sIns", "NAA", "Scyllo"])).unwrap_err();
    let BasisError::Duplicate { first, second, canonical, .. } = &error else { panic!("{error}") };
    assert_eq!((first.as_str(), second.as_str(), canonical.as_str()), ("sIns", "Scyllo", "Scyllo"));
}

#[test]
fn a_cut_off_file_names_metabolite_and_line() {
    let text = basis_text("2.5E-04", &["NAA", "Cr"]);
    let cut = text.trim_end().rsplit_once('\n').unwrap().0;
    let error = read_text(cut).unwrap_err();
    assert!(matches!(&error, BasisError::Member { member, .. } if member == "Cr"), "{error}");
    assert!(error.to_string().contains("6 numbers where 8"), "{error}");
    let header = text.split(" $NMEACH").next().unwrap();
    assert!(matches!(read_text(header).unwrap_err(), BasisError::Empty { .. }));
    let inside = text.split("ID = 'NAA'").next().unwrap();
    let error = read_text(inside).unwrap_err();
    assert!(matches!(error, BasisError::Text { source: NamelistError::Unterminated { .. }, .. }), "{error}");
}

#[test]
fn an_absurd_length_is_refused_before_memory_is_taken() {
    for n in ["1E15", "-4", "2.5", "0"] {
        let error =
            read_text(&basis_text("2.5E-04", &["NAA"]).replace("NDATAB = 4", &format!("NDATAB = {n}"))).unwrap_err();
        assert!(matches!(error, BasisError::Invalid { field: "NDATAB", .. }), "{n}: {error}");
    }
    let error = read_text(&basis_text("2.5E-04", &["NAA"]).replace("CONC = 2.", "CONC = 0.")).unwrap_err();
    assert!(error.to_string().contains("CONC = 0"), "{error}");
}

#[test]
fn folders_that_are_no_basis_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |path: &Path| BasisSet::read_with(path, &CHALLENGE).unwrap_err();
    assert!(matches!(fails(folder.path()), BasisError::Empty { .. }));
    assert!(matches!(fails(&folder.path().join("nowhere")), BasisError::Io { .. }));
    let raw = " $NMID FMTDAT='(2E15.6)' $END\n 1. 0.\n 2. 0.\n";
    fs::write(folder.path().join("NAA.RAW"), raw).unwrap();
    assert_eq!(BasisSet::read_with(folder.path(), &CHALLENGE).unwrap().metabolites, ["NAA"]);
    fs::write(folder.path().join("Cr.RAW"), "no header\n").unwrap();
    let error = fails(folder.path());
    assert!(matches!(&error, BasisError::Member { member, .. } if member == "Cr"), "{error}");
    fs::write(folder.path().join("Cr.RAW"), " $NMID FMTDAT='(2E15.6)' $END\n 1. 0.\n").unwrap();
    assert!(fails(folder.path()).to_string().contains("points"), "{}", fails(folder.path()));
    fs::write(folder.path().join("Cr.RAW"), raw).unwrap();
    fs::write(folder.path().join("NAA.json"), "{}").unwrap();
    assert!(matches!(fails(folder.path()), BasisError::Mixed { .. }));
}

#[test]
fn what_is_written_reads_back() {
    let set = crate::common::basis();
    let back = read_text(&write_lcmodel(&set)).unwrap();
    assert_eq!(back.metabolites, set.metabolites);
    assert_eq!((back.id.as_str(), back.sequence), (set.id.as_str(), set.sequence.clone()));
    assert_eq!(back.dwell_s, set.dwell_s);
    assert!((back.f0_mhz - set.f0_mhz).abs() < 1e-8);
    assert!((back.te_s.unwrap() - set.te_s.unwrap()).abs() < 1e-9);
    let size = set.fids.iter().map(|z| z.norm()).fold(0.0, f64::max);
    // Seven digits of every spectral value.
    let worst = back.fids.iter().zip(&set.fids).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
    assert!(worst < 1e-6 * size, "{worst}");
}

#[test]
fn a_dwell_time_that_is_no_round_number_survives_writing() {
    let mut set = crate::common::basis();
    set.dwell_s = 1.0 / 6000.0;
    set.te_s = None;
    set.linewidth_hz = None;
    set.id = "it's\na name".to_owned();
    let back = read_text(&write_lcmodel(&set)).unwrap();
    assert_eq!(back.dwell_s, set.dwell_s);
    assert_eq!((back.te_s, back.linewidth_hz), (None, None));
}

#[test]
fn real_sets_survive_writing() {
    for path in ["basis/lcmodel/press_30ms_3T.basis", "basis/nifti-slaser-3T"] {
        let set = read(path);
        let back = read_text(&write_lcmodel(&set)).unwrap();
        assert_eq!(back.metabolites, set.metabolites);
        for (a, b) in back.fids.rows().into_iter().zip(set.fids.rows()) {
            let size = b.iter().map(|z| z.norm()).fold(0.0, f64::max);
            let worst = a.iter().zip(b).map(|(x, y)| (x - y).norm()).fold(0.0, f64::max);
            assert!(worst < 2e-6 * size, "{path}: {:.1e}", worst / size);
        }
    }
}
