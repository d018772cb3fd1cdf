//! Basis sets as sites send them: wrong frequencies, mirrored or reversed spectra, broad lines, members that are sums or are
//! missing, and timings that no header states.

use std::f64::consts::PI;
use std::path::{Path, PathBuf};
use std::process::Command;

use ndarray::Array2;
use num_complex::Complex64;
use requant::acquisition::hz_from_ppm;
use requant::basis::{BasisSet, Grid, SetFormat, save, write_lcmodel};
use requant::quantify::singlet::signal_per_proton;
use requant::store::{MetaboliteRow, SpectrumRow, read_table};
use rustfft::FftPlanner;

/// A folder of `../shared/cases/field`. Panics where it is missing, as [`crate::common::data`] does.
fn case(name: &str) -> PathBuf {
    let path = crate::common::data().join("../cases/field").join(name);
    assert!(path.is_dir(), "no case at {}", path.display());
    path
}

/// Lines (ppm, protons) of members; lactate's two are its doublet, in Hz around its place.
const MEMBERS: [(&str, &[(f64, f64)]); 8] = [
    ("NAA", &[(2.008, 3.0), (2.49, 1.0), (2.67, 1.0)]),
    ("Cr", &[(3.027, 3.0), (3.913, 2.0)]),
    ("PCr", &[(3.029, 3.0), (3.930, 2.0)]),
    ("GPC", &[(3.212, 9.0), (3.66, 4.0)]),
    ("Scyllo", &[(3.340, 6.0)]),
    ("Glu", &[(2.34, 1.1), (2.36, 0.9), (2.08, 2.0), (3.74, 1.0)]),
    ("Ins", &[(3.52, 2.0), (3.61, 2.0), (3.27, 1.0), (4.05, 1.0)]),
    ("Lac", &[(1.314, 3.0)]),
];

/// A set for one field, with lines of `fwhm_hz`.
fn set(f0_mhz: f64, fwhm_hz: f64) -> BasisSet {
    let n_points = 2048;
    let dwell_s = 1.0 / (20.0 * f0_mhz);
    let fids = Array2::from_shape_fn((MEMBERS.len(), n_points), |(row, n)| {
        let t = n as f64 * dwell_s;
        let (name, lines) = MEMBERS[row];
        let doublet = if name == "Lac" { (PI * 6.933 * t).cos() } else { 1.0 };
        let line = |&(ppm, size): &(f64, f64)| {
            Complex64::from_polar(doublet * size * (-PI * fwhm_hz * t).exp(), 2.0 * PI * hz_from_ppm(ppm, f0_mhz) * t)
        };
        lines.iter().map(line).sum()
    });
    let metabolites = MEMBERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    BasisSet { fids, metabolites, dwell_s, f0_mhz, singlet_fwhm_hz: None, linewidth_hz: None, ..crate::common::basis() }
}

/// How far the singlets lie from where they belong at most (ppm).
fn off(set: &BasisSet) -> f64 {
    [("NAA", 2.008), ("Cr", 3.027), ("GPC", 3.212), ("Scyllo", 3.340)]
        .into_iter()
        .map(|(name, ppm)| (set.peak_ppm(set.position(name).unwrap(), ppm, 0.3).unwrap() - ppm).abs())
        .fold(0.0, f64::max)
}

#[test]
fn good_sets_stay_as_they_are() {
    for f0_mhz in [63.9, 123.2, 297.2, 400.2] {
        for fwhm_hz in [0.5, 2.0, 6.0] {
            let good = set(f0_mhz, fwhm_hz);
            let placed = good.clone().placed();
            assert_eq!(placed.fids, good.fids, "{f0_mhz} {fwhm_hz}: {:?}", placed.remarks);
            assert_eq!((placed.f0_mhz, placed.remarks.len()), (f0_mhz, 0));
        }
    }
}

#[test]
fn real_sets_stay_as_they_are() {
    let files = [
        "3T_PRESS_Philips_35ms_noMM.BASIS",
        "3t_IU_MP_te68_diff_yesNAAG_noLac_Kaiser.basis",
        "basis_STEAM_TE45_TM60.BASIS",
        "gamma_press_te30_123mhz_104.basis",
        "basis_braino.basis",
    ];
    let paths = files.map(|file| format!("basis/lcmodel/{file}")).into_iter();
    let others = [
        "lcmodel-test/3t.basis",
        "challenge2016/basis/press3T_30ms.BASIS",
        "basis/fsl-json-7T",
        "basis/nifti-slaser-3T",
    ];
    for path in paths.chain(others.map(str::to_owned)) {
        let read = BasisSet::read(&crate::common::data().join(&path)).unwrap();
        let placed = read.clone().placed();
        assert_eq!(placed.fids, read.fids, "{path}: {:?}", placed.remarks);
        assert_eq!((placed.f0_mhz, placed.dwell_s), (read.f0_mhz, read.dwell_s), "{path}: {:?}", placed.remarks);
        assert_eq!(placed.misplaced_singlets(), [], "{path}");
    }
}

#[test]
fn a_wrong_frequency_of_a_header_is_put_right() {
    for f0_mhz in [63.9, 123.2, 297.2, 400.2] {
        let all: &[f64] = &[-8.0, -5.0, -3.0, -1.0, 1.0, 3.0, 5.0, 8.0, 60.0];
        for percent in if f0_mhz == 123.2 { all } else { &[-8.0, 1.0] } {
            let mut wrong = set(f0_mhz, 2.0);
            wrong.f0_mhz *= 1.0 + percent / 100.0;
            let placed = wrong.placed();
            assert!((placed.f0_mhz / f0_mhz - 1.0).abs() < 1e-3, "{f0_mhz} {percent} %: {}", placed.f0_mhz);
            assert!(off(&placed) < 0.005, "{f0_mhz} {percent} %: {}", off(&placed));
            assert!(placed.remarks[0].contains("frequency"), "{:?}", placed.remarks);
        }
    }
}

#[test]
fn a_wrong_dwell_time_shows_in_the_couplings_too() {
    for percent in [-5.0, 4.0] {
        let mut wrong = set(123.2, 1.0);
        wrong.dwell_s /= 1.0 + percent / 100.0;
        let right_s = set(123.2, 1.0).dwell_s;
        let placed = wrong.placed();
        assert!((placed.dwell_s / right_s - 1.0).abs() < 1e-3, "{percent} %: {:?}", placed.remarks);
        assert_eq!(placed.f0_mhz, 123.2);
    }
}

/// Spectra changed as they are stored.
fn restored(mut set: BasisSet, change: impl Fn(&mut Vec<Complex64>)) -> BasisSet {
    let n = set.fids.ncols();
    let mut planner = FftPlanner::new();
    for mut fid in set.fids.rows_mut() {
        let mut values = fid.to_vec();
        planner.plan_fft_forward(n).process(&mut values);
        change(&mut values);
        planner.plan_fft_inverse(n).process(&mut values);
        fid.iter_mut().zip(values).for_each(|(z, value)| *z = value / n as f64);
    }
    set
}

#[test]
fn mirrored_reversed_and_turned_sets_are_put_right() {
    let conjugated = |mut set: BasisSet| {
        set.fids.iter_mut().for_each(|z| *z = z.conj());
        set
    };
    for f0_mhz in [63.9, 123.2, 297.2, 400.2] {
        let good = || set(f0_mhz, 2.0);
        let mut wrong_too = conjugated(good());
        wrong_too.f0_mhz *= 1.04;
        let mut listed = good();
        listed.fids.invert_axis(ndarray::Axis(1));
        let mut turned = good();
        turned.fids *= Complex64::from_polar(1.0, PI / 2.0);
        let mut negative = good();
        negative.fids *= Complex64::new(-1.0, 0.0);
        for (what, wrong) in [
            ("conjugated", conjugated(good())),
            ("conjugated, wrong frequency", wrong_too),
            ("spectra reversed", restored(good(), |s| s.reverse())),
            ("spectra conjugated", restored(good(), |s| s.iter_mut().for_each(|z| *z = z.conj()))),
            ("FIDs reversed", listed),
            ("turned by 90 degrees", turned),
            ("negative", negative),
            ("halves of the spectrum changed", restored(good(), |s| s.rotate_left(1024))),
            ("carrier at 3 ppm", good().shifted_ppm(-1.65)),
        ] {
            // A reversed list of points lies one point off.
            let placed = wrong.placed().referenced();
            let case = format!("{what}, {f0_mhz} MHz: {:?}", placed.remarks);
            assert!(!placed.remarks.is_empty(), "{case}");
            assert!(off(&placed) < 0.006, "{} {case}", off(&placed));
            let creatine = placed.position("Cr").unwrap();
            let apart =
                placed.singlet_phase_rad(creatine, 3.027).unwrap() - good().singlet_phase_rad(1, 3.027).unwrap();
            assert!(Complex64::from_polar(1.0, apart).arg().abs() < 0.1, "{apart} {case}");
        }
    }
}

#[test]
fn a_mirrored_set_without_singlets_is_known_by_its_signal() {
    let mut wrong = set(123.2, 2.0);
    wrong.metabolites = ["A", "B", "C", "D", "E", "F", "G", "H"].map(str::to_owned).to_vec();
    let right = wrong.fids.clone();
    assert_eq!(wrong.clone().placed().fids, right);
    wrong.fids.iter_mut().for_each(|z| *z = z.conj());
    assert_eq!(wrong.placed().fids, right);
}

#[test]
fn every_form_of_a_set_is_put_right() {
    let folder = tempfile::tempdir().unwrap();
    let mut wrong = set(123.2, 2.0);
    wrong.fids.iter_mut().for_each(|z| *z = z.conj());
    wrong.f0_mhz *= 0.97;
    let grid = Grid { dwell_s: Some(wrong.dwell_s), f0_mhz: Some(wrong.f0_mhz), te_s: None };
    let lcmodel = folder.path().join("wrong.basis");
    std::fs::write(&lcmodel, write_lcmodel(&wrong)).unwrap();
    for (name, format) in [("json", SetFormat::FslJson), ("raw", SetFormat::Raw)] {
        save(&wrong, &folder.path().join(name), format, false).unwrap();
    }
    for path in [lcmodel, folder.path().join("json"), folder.path().join("raw")] {
        let set = BasisSet::read_for_fit(&path, &grid).unwrap();
        assert!(off(&set) < 0.005, "{}: {}", path.display(), off(&set));
        assert!((set.f0_mhz / 123.2 - 1.0).abs() < 1e-3, "{}", set.f0_mhz);
        assert!((set.fwhm_hz().unwrap() - 2.0).abs() < 0.05, "{:?}", set.fwhm_hz());
        assert!(set.remarks.iter().any(|r| r.contains("conjugated")), "{:?}", set.remarks);
    }
}

#[test]
fn singlets_that_agree_on_nothing_are_said() {
    let mut wrong = set(123.2, 2.0);
    let (naa, creatine) = (wrong.position("NAA").unwrap(), wrong.position("Cr").unwrap());
    assert_eq!(wrong.misplaced_singlets(), []);
    for (row, ppm) in [(naa, 0.08), (creatine, -0.06)] {
        let step = -2.0 * PI * ppm * wrong.f0_mhz * wrong.dwell_s;
        wrong.fids.row_mut(row).iter_mut().enumerate().for_each(|(n, z)| *z *= Complex64::cis(step * n as f64));
    }
    let names: Vec<String> = wrong.clone().placed().misplaced_singlets().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["Cr", "NAA"]);
}

/// Runs `requant` on an input with a basis set; its output, and the text of its tables.
fn run(input: &Path, basis: Option<&Path>, more: &[&str]) -> (String, Vec<Row>) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
    command.arg("run").arg(input).arg("--out").arg(&out).args(["--engine", "cpu"]).args(more);
    if let Some(basis) = basis {
        command.arg("--basis").arg(basis);
    }
    let done = command.output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{said}");
    let spectra: Vec<SpectrumRow> = read_table(&out).unwrap();
    let metabolites: Vec<MetaboliteRow> = read_table(&out).unwrap();
    let record = std::fs::read_to_string(out.join("run.json")).unwrap();
    let rows = spectra.into_iter().map(|row| {
        let own = metabolites.iter().filter(|m| m.spectrum_id == row.spectrum_id && m.method == row.method).cloned();
        Row { metabolites: own.collect(), flags: row.qc_flags, warnings: row.warnings, fwhm_hz: row.fwhm_hz }
    });
    (said + &record, rows.collect())
}

struct Row {
    metabolites: Vec<MetaboliteRow>,
    flags: Vec<String>,
    warnings: Vec<String>,
    fwhm_hz: Option<f64>,
}

impl Row {
    fn has(&self, flag: &str) -> bool {
        self.flags.iter().any(|f| f == flag)
    }

    fn of(&self, name: &str) -> &MetaboliteRow {
        self.metabolites.iter().find(|m| m.metabolite == name).unwrap_or_else(|| panic!("no {name}"))
    }
}

#[test]
fn real_field_wrong_hzpppm_is_put_right() {
    let case = case("basis-hzpppm");
    let (said, rows) = run(&case.join("data/sub-r0"), Some(&case.join("f0.basis")), &[]);
    assert!(said.contains("frequency 127.730 MHz cannot be right: taken as 123.2"), "{said}");
    let row = &rows[0];
    assert!(row.warnings.iter().any(|w| w.contains("cannot be right")), "{:?}", row.warnings);
    for (name, right, within) in [("tNAA", 11.3, 0.1), ("tCr", 8.0, 0.1), ("tCho", 1.6, 0.15), ("Ins", 6.0, 0.2)] {
        let value = row.of(name).amplitude.unwrap();
        assert!((value / right - 1.0).abs() < within, "{name} {value}");
    }
}

#[test]
fn real_field_broad_lines_leave_the_scale_right() {
    for (width_hz, name) in [(3.0, "L3Hz"), (4.0, "L4Hz")] {
        let case = case("basis-linewidth-conc").join(name);
        let set = BasisSet::read_for_fit(&case.join("b.basis"), &Grid::default()).unwrap();
        let (proton, _) = signal_per_proton(&set).unwrap();
        assert!((proton - 1.0).abs() < 2e-3, "{name}: {proton}");
        assert!((set.fwhm_hz().unwrap() / width_hz - 1.0).abs() < 0.02, "{name}: {:?}", set.fwhm_hz());
        let (_, rows) = run(&case.join("data/sub-r0"), Some(&case.join("b.basis")), &[]);
        assert!(rows[0].fwhm_hz.unwrap() > width_hz);
        for metabolite in ["tNAA", "tCr", "tCho"] {
            let row = rows[0].of(metabolite);
            let (conc, amplitude) = (row.conc_lcmodel_mmol_per_kg.unwrap(), row.amplitude.unwrap());
            assert!((conc / amplitude - 1.0).abs() < 0.03, "{name} {metabolite}: {conc} {amplitude}");
        }
    }
}

#[test]
fn real_field_members_that_are_sums_have_ratios_and_concentrations() {
    let case = case("basis-names");
    let (_, rows) = run(&case.join("data/sub-r0"), Some(&case.join("sums.basis")), &[]);
    for (name, ratio) in [("tNAA", 11.3 / 8.0), ("tCr", 1.0), ("tCho", 1.6 / 8.0), ("Ins", 6.0 / 8.0)] {
        let row = rows[0].of(name);
        assert!((row.ratio_tcr.unwrap() / ratio - 1.0).abs() < 0.2, "{name}: {:?}", row.ratio_tcr);
        assert!(row.conc_lcmodel_mmol_per_kg.is_some(), "{name}");
    }
    assert!(rows[0].warnings.iter().any(|w| w.contains("tNAA is a sum")), "{:?}", rows[0].warnings);
}

#[test]
fn real_field_a_missing_major_is_said_and_flagged() {
    let case = case("missing-ins");
    let (said, rows) = run(&case.join("data/sub-r0"), Some(&case.join("noIns.basis")), &[]);
    assert!(said.contains("has no Ins"), "{said}");
    assert!(rows.iter().all(|row| row.has("basis_lacks_major")));
    assert!(rows[0].warnings.iter().any(|w| w.contains("has no Ins")), "{:?}", rows[0].warnings);
}

#[test]
fn real_field_an_assumed_first_echo_is_flagged_and_a_stated_one_is_not() {
    let input = case("te1-default").join("data");
    let first = std::fs::read_dir(&input).unwrap().map(|e| e.unwrap().path()).filter(|p| p.is_dir()).min().unwrap();
    let (said, rows) = run(&first, None, &[]);
    assert!(rows.iter().all(|row| row.has("te1_assumed")) && said.contains("first echo of PRESS"), "{said}");
    let (_, rows) = run(&first, None, &["--te1-s", "0.011", "--pulses", "ideal"]);
    assert!(rows.iter().all(|row| !row.has("te1_assumed")), "{:?}", rows[0].flags);
    let glu = rows[0].of("Glu").amplitude.unwrap();
    assert!((glu / 9.0 - 1.0).abs() < 0.15, "{glu}");
}
