//! Formats and versions of which no real file is at hand, on files made to their published layout; and rows that come
//! from them are flagged.

use std::f64::consts::PI;
use std::path::Path;

use ndarray::Axis;
use num_complex::Complex64;
use requant::acquisition::{Conditions, TRUNCATED, UNTESTED_FORMAT, hz_from_ppm};
use requant::formats::{self, bruker, ge_pfile, nifti_mrs, philips_list, philips_sdat, siemens_twix};
use requant::store::{SpectrumRow, read_table};

use crate::common::data;
use crate::common::small_files::*;

#[test]
fn data_list_has_transients_coils_and_water() {
    let (data, list) = small_list();
    let read = philips_list::decode(&data, list.as_bytes(), Some(SPAR.as_bytes())).unwrap();
    assert_eq!((read.n_conditions(), read.n_transients(), read.n_coils(), read.n_points()), (1, 2, 2, 32));
    assert_eq!((read.facts.dwell_s, read.facts.f0_mhz, read.facts.te_s), (Some(5e-4), Some(127.750_896), Some(0.035)));
    assert_eq!((read.flags.as_slice(), read.facts.water_suppressed), ([UNTESTED_FORMAT].as_slice(), Some(true)));
    // Conjugated, as SDAT is.
    for (t, coil, p) in [(0, 0, 0), (1, 0, 3), (0, 1, 0), (1, 1, 31)] {
        let fall = 1.0 / (1.0 + p as f64);
        let want = Complex64::new((1.0 + t as f64) * fall, -(coil as f64) * fall);
        assert!((read.samples.at([0, 0, t, coil, p]) - want).norm() < 1e-6);
    }
    let water = read.water.unwrap().samples;
    assert_eq!((water.len_of(Axis(2)), water.len_of(Axis(3))), (1, 2));
    assert!((water.at([0, 0, 0, 1, 0]) - Complex64::new(100.0, -100.0)).norm() < 1e-4);
}

#[test]
fn damaged_data_list_says_so() {
    let (data, list) = small_list();
    let decode = |data: &[u8], list: &str| philips_list::decode(data, list.as_bytes(), None);
    // Within the last transient of metabolites: the first is left, and the water, which lies behind, is not.
    let cut = decode(&data[..256 * 4], &list).unwrap();
    assert_eq!((cut.n_transients(), cut.water.is_some()), (1, false));
    assert!(cut.flags.contains(&TRUNCATED) && cut.remarks.iter().any(|r| r.starts_with("truncated")));
    assert_eq!(decode(&data[..100], &list).unwrap_err().code(), "truncated");
    let twice = format!("{list}{}", list.lines().last().unwrap());
    assert_eq!(decode(&data, &twice).unwrap_err().code(), "bad_header");
    let numbers = list.lines().filter(|l| l.contains("STD")).collect::<Vec<_>>().join("\n");
    assert_eq!(decode(&data, &numbers.replace(" 256 ", " x ")).unwrap_err().code(), "bad_header");
    assert_eq!(decode(&data, "# nothing").unwrap_err().code(), "no_signal");
    let encoded = "  STD 0 0 0 0 0 0 0 0 3 0 0 0 1 0 0 0 0 0 256 0\n";
    assert_eq!(decode(&data, encoded).unwrap_err().code(), "unsupported");
}

/// The index of a real 7 T scan; its data are made: each vector holds its own number.
#[test]
fn real_list_of_a_scan_is_understood() {
    let folder = data().join("philips-sdat/7T-two-row");
    let list = std::fs::read(folder.join("sub2_MRS.list")).unwrap();
    let spar = std::fs::read(folder.join("sub2_MRS.SPAR")).unwrap();
    let bytes = 18_972_672 + 32_768;
    let data: Vec<u8> = (0..bytes / 8).flat_map(|i| [(i / 4096) as f32, 0.0].map(f32::to_le_bytes).concat()).collect();
    let read = philips_list::decode(&data, &list, Some(&spar)).unwrap();
    assert_eq!((read.n_conditions(), read.n_transients(), read.n_coils(), read.n_points()), (2, 272, 1, 4096));
    assert_eq!(read.condition_labels, ["echo0-extr1-0-extr2-0", "echo0-extr1-1-extr2-0"]);
    assert_eq!(read.water.as_ref().unwrap().samples.len_of(Axis(2)), 4);
    assert_eq!((read.flags.as_slice(), read.facts.f0_mhz), ([UNTESTED_FORMAT].as_slice(), Some(298.035_767)));
    // The last vector of the file is the second condition's last transient; the noise of 32 channels comes first.
    assert_eq!(read.samples.at([0, 1, 271, 0, 0]).re, 579.0);
    assert!(read.samples.at([0, 0, 0, 0, 0]).re >= 32.0);
}

/// A brain-like FID at Bruker's convention (conjugate of ours) through a receiver that samples `OVER` times faster, filters
/// and decimates: a symmetric low-pass of a delay of `delay` points.
fn filtered(points: usize, dwell_s: f64, f0_mhz: f64, delay: f64) -> (Vec<Complex64>, Vec<Complex64>) {
    const OVER: usize = 8;
    let signal = |t: f64| -> Complex64 {
        let lines = [(2.008, 3.0), (3.027, 2.0), (3.21, 1.5), (4.65, 4.0)];
        let sum: Complex64 = lines
            .iter()
            .map(|(ppm, height)| Complex64::from_polar(*height, 2.0 * PI * hz_from_ppm(*ppm, f0_mhz) * t))
            .sum();
        if t < 0.0 { Complex64::default() } else { sum * (-20.0 * t).exp() * if t == 0.0 { 0.5 } else { 1.0 } }
    };
    let half = (delay * OVER as f64).round() as i64;
    // Blackman window over sinc, cut at 0.8 of the output's Nyquist frequency.
    let taps: Vec<f64> = (-half..=half)
        .map(|k| {
            let x = 0.8 * PI * k as f64 / OVER as f64;
            let sinc = if k == 0 { 1.0 } else { x.sin() / x };
            let w = PI * (k as f64 / half as f64);
            sinc * (0.42 + 0.5 * w.cos() + 0.08 * (2.0 * w).cos())
        })
        .collect();
    let gain: f64 = taps.iter().sum();
    let fine = dwell_s / OVER as f64;
    let stored = (0..points)
        .map(|n| {
            let at = |k: usize| signal((n as i64 * OVER as i64 - k as i64) as f64 * fine);
            taps.iter().enumerate().map(|(k, w)| at(k) * *w).sum::<Complex64>().conj() / gain
        })
        .collect();
    (stored, (0..points).map(|n| signal(n as f64 * dwell_s)).collect())
}

#[test]
fn bruker_signals_begin_where_the_filter_lets_them() {
    let (points, dwell_s, f0_mhz, delay) = (1024, 2.5e-4, 400.25, 8.5);
    let (stored, want) = filtered(points, dwell_s, f0_mhz, delay);
    let method = METHOD.replace("PVM_DigNp=64", "PVM_DigNp=1024").replace("PVM_NAverages=2", "PVM_NAverages=1");
    let scale = 1e6;
    let file: Vec<u8> = [&stored, &stored]
        .into_iter()
        .flatten()
        .flat_map(|z| [z.re, z.im].map(|x| ((x * scale) as i32).to_le_bytes()).concat())
        .collect();
    let decode = |method: &str| bruker::decode(bruker::Kind::Raw, &file, method.as_bytes(), ACQP.as_bytes(), None);
    let read = decode(&method).unwrap();
    assert_eq!((read.n_transients(), read.n_coils(), read.n_points()), (1, 2, points - 9));
    assert_eq!((read.facts.dwell_s, read.facts.f0_mhz, read.facts.te_s), (Some(dwell_s), Some(f0_mhz), Some(0.0165)));
    assert_eq!((read.facts.sequence.as_deref(), read.facts.nucleus.as_deref()), (Some("PRESS"), Some("1H")));
    assert_eq!((read.facts.water_suppressed, read.flags.as_slice()), (Some(true), [UNTESTED_FORMAT].as_slice()));
    assert!(read.remarks.is_empty(), "{:?}", read.remarks);
    assert_eq!(read.affine_mm.unwrap()[1], [0.0, -3.0, 0.0, 1.0]);
    let size = want[1].norm();
    // Its last points lie before the signal's end by as much as the filter reaches, its first within the filter's own.
    for n in 10..points - 20 {
        let error = (read.samples.at([0, 0, 0, 1, n]) / scale - want[n]).norm() / size;
        assert!(error < 3e-3, "{n}: {error}");
    }
    // Whole points alone leave half of one: a phase of 90° at the edge of the spectrum, 2 % here would be too much.
    let whole = decode(&method.replace("##$PVM_DigShiftDbl=8.5\n", "")).unwrap();
    let worst =
        (10..200).map(|n| (whole.samples.at([0, 0, 0, 1, n]) / scale - want[n]).norm() / size).fold(0.0, f64::max);
    assert!(worst > 0.02, "{worst}");
}

#[test]
fn bruker_blocks_words_and_orders() {
    let method = METHOD
        .replace("PVM_DigNp=64", "PVM_DigNp=100")
        .replace("UseMultiRec=Yes", "UseMultiRec=No")
        .replace("PVM_NRepetitions=1", "PVM_NRepetitions=3")
        .replace("=8.5", "=0")
        .replace("PVM_DigShift=9", "PVM_DigShift=0");
    // Blocks of 800 bytes are filled up to 1024; the last need not be.
    let mut file = Vec::new();
    for block in 0..3 {
        file.resize(block * 1024, 0xff);
        (0..200).for_each(|i: i32| file.extend((1000 * block as i32 + i).to_le_bytes()));
    }
    let fid =
        |file: &[u8], acqp: &str| bruker::decode(bruker::Kind::Fid, file, method.as_bytes(), acqp.as_bytes(), None);
    let read = fid(&file, ACQP).unwrap();
    assert_eq!((read.n_transients(), read.n_points(), read.facts.averages_on_scanner), (3, 100, Some(2)));
    // A sum of two averages.
    assert_eq!(read.samples.at([0, 0, 2, 0, 99]), Complex64::new(1099.0, -1099.5));
    // PV 360 lists the filter's delay first of a structure.
    let listed = format!("{ACQP}##$ACQ_RxFilterInfo=( 1 )\n(2, 1, <>)\n");
    let bare = method.replace("##$PVM_DigShiftDbl=0\n##$PVM_DigShift=0\n", "");
    let late = bruker::decode(bruker::Kind::Fid, &file, bare.as_bytes(), listed.as_bytes(), None).unwrap();
    assert_eq!(late.n_points(), 98);
    let big =
        ACQP.replace("little", "big").replace("32BIT_SGN_INT", "16BIT_SGN_INT").replace("Standard_KBlock", "none");
    let words: Vec<u8> = (0..600_i16).flat_map(i16::to_be_bytes).collect();
    let read = fid(&words, &big).unwrap();
    assert_eq!((read.n_transients(), read.samples.at([0, 0, 1, 0, 0])), (3, Complex64::new(100.0, -100.5)));
    assert_eq!(fid(&words[..100], &big).unwrap_err().code(), "truncated");
    assert!(fid(&words[..800], &big).unwrap().remarks.iter().any(|r| r.contains("2 transients where")));
    let imaging = format!("{method}##$PVM_EncSpectroscopy=Yes\n##$PVM_Matrix=( 2 )\n16 16\n");
    let refused = bruker::decode(bruker::Kind::Fid, &file, imaging.as_bytes(), ACQP.as_bytes(), None).unwrap_err();
    assert!(refused.to_string().contains("16 × 16"), "{refused}");
    let absurd = method.replace("DigShiftDbl=0", "DigShiftDbl=77");
    let refused = bruker::decode(bruker::Kind::Fid, &file, absurd.as_bytes(), ACQP.as_bytes(), None).unwrap_err();
    assert_eq!(refused, bruker::DecodeError::Delay { delay: 77.0, points: 100 });
}

#[test]
fn twix_of_other_software_is_flagged_and_placed() {
    let flags = |file: &[u8]| siemens_twix::decode(file).unwrap().flags;
    assert!(flags(&small_twix()).is_empty());
    assert_eq!(flags(&vd_twix("syngo MR XA30")), [UNTESTED_FORMAT]);
    assert_eq!(flags(&small_vb_twix()), [UNTESTED_FORMAT]);
    let whole = vd_twix("syngo MR XA30");
    assert_eq!(flags(&whole[..whole.len() - 192]), [UNTESTED_FORMAT, TRUNCATED]);
    let read = siemens_twix::decode(small_twix()).unwrap();
    let affine = [[15.0, 0.0, 0.0, 0.0], [0.0, -25.0, 0.0, 0.0], [0.0, 0.0, -20.0, -4.5], [0.0, 0.0, 0.0, 1.0]];
    for (got, want) in read.affine_mm.unwrap().iter().flatten().zip(affine.iter().flatten()) {
        assert!((got - want).abs() < 1e-12, "{:?}", read.affine_mm);
    }
    let vb = siemens_twix::decode(small_vb_twix()).unwrap();
    assert_eq!((vb.n_coils(), vb.n_transients(), vb.n_points()), (1, 2, 32));
}

#[test]
fn revisions_of_p_files_without_a_real_file_are_flagged() {
    for (revision, tested) in [(20.006_f32, true), (21.0, false), (24.0, false), (25.002, false)] {
        let mut file = small_pfile();
        file[..4].copy_from_slice(&revision.to_le_bytes());
        let read = ge_pfile::decode(&file).unwrap();
        assert_eq!(read.flags.is_empty(), tested, "{revision}");
        assert_eq!(read.remarks.iter().any(|r| r.contains("published layout")), !tested);
    }
}

/// VAX F floats: an IEEE float four times as large, its halves exchanged.
fn vax(value: f32) -> [u8; 4] {
    let [a, b, c, d] = (4.0 * value).to_le_bytes();
    [c, d, a, b]
}

#[test]
fn rows_of_sdat_are_dynamics_pairs_or_conditions() {
    let spar = |rows: usize| SPAR.replace("rows : 1", &format!("rows : {rows}"));
    let mut noise = crate::common::Normal(7);
    let mut sdat = |rows: usize, alternation: f32| -> Vec<u8> {
        let mut row = |r: usize| -> Vec<u8> {
            let height = 10.0 + alternation * (r % 2) as f32 + 0.05 * r as f32;
            (0..64).flat_map(|i| vax(height / (1.0 + i as f32) + 0.1 * noise.next() as f32)).collect()
        };
        (0..rows).flat_map(&mut row).collect()
    };
    let mut shape = |rows: usize, alternation: f32| {
        let read = philips_sdat::decode(sdat(rows, alternation), spar(rows).as_bytes()).unwrap();
        (read.n_conditions(), read.n_transients())
    };
    assert_eq!(shape(1, 0.0), (1, 1));
    assert_eq!(shape(2, 0.0), (2, 1));
    assert_eq!(shape(3, 0.0), (1, 3));
    assert_eq!(shape(8, 0.0), (1, 8));
    // Which condition is which only the data tell: that is decided after reading.
    for n in [4, 32] {
        let read = philips_sdat::decode(sdat(n, 5.0), spar(n).as_bytes()).unwrap();
        assert_eq!((read.n_conditions(), read.n_transients()), (1, n));
        assert_eq!(read.editing.unwrap().conditions, Conditions::Mixed(None));
        assert!(read.remarks.iter().any(|r| r.contains("rows that differ in turn")), "{:?}", read.remarks);
    }
    let read = philips_sdat::decode(sdat(8, 0.0), spar(0).as_bytes()).unwrap();
    assert!(read.n_transients() == 8 && read.remarks.iter().any(|r| r.contains("`rows`")), "{:?}", read.remarks);
}

/// The rows of a grid are voxels, and no dynamics.
#[test]
fn grids_of_sdat_are_refused() {
    let grid = "rows : 4\nphase_encoding_enable : \"yes\"\ndim2_pnts : 2\ndim3_pnts : 2\n";
    let spar = SPAR.replace("rows : 1\n", grid);
    let error = philips_sdat::decode(vec![0; 4 * 256], spar.as_bytes()).unwrap_err();
    assert_eq!((error.code(), error.to_string().contains("2 × 2 × 1")), ("unsupported", true), "{error}");
}

#[test]
fn files_are_found_by_name_and_their_rows_flagged() {
    let keep = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = keep.path().join("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let (data, list) = small_list();
    let list_file = write("raw_1.list", list.as_bytes());
    assert_eq!(formats::read(&list_file).unwrap_err().code(), "missing_companion");
    let data_file = write("raw_1.data", &data);
    write("raw_1.SPAR", SPAR.as_bytes());
    assert_eq!(formats::read(&list_file).unwrap().n_transients(), 2);
    assert_eq!(formats::companions(&data_file), [list_file.clone(), data_file.with_file_name("raw_1.SPAR")]);
    assert!(formats::is_spectroscopy(&data_file) && !formats::is_spectroscopy(&list_file));
    let raw = write("scan/5/rawdata.job0", &small_bruker());
    assert_eq!(formats::read(&raw).unwrap_err().code(), "missing_companion");
    write("scan/5/method", METHOD.as_bytes());
    write("scan/5/acqp", ACQP.as_bytes());
    let fid = write("scan/5/fid", &small_bruker());
    assert_eq!(formats::read(&raw).unwrap().n_transients(), 2);
    assert_eq!(formats::companions(&raw), ["method", "acqp"].map(|name| raw.with_file_name(name)));
    // Both hold one measurement: the transients count.
    assert!(formats::is_spectroscopy(&raw) && !formats::is_spectroscopy(&fid));
    write("pfile/P1.7", &{
        let mut file = small_pfile();
        file[..4].copy_from_slice(&24.0_f32.to_le_bytes());
        file
    });
    let out = keep.path().join("out");
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_requant"))
        .args(["run", keep.path().join("in").to_str().unwrap(), "--engine", "cpu", "--out", out.to_str().unwrap()])
        .output()
        .unwrap();
    let rows: Vec<SpectrumRow> = read_table(Path::new(&out)).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let ids: Vec<&str> = rows.iter().map(|r| r.spectrum_id.as_str()).collect();
    assert_eq!(ids, ["pfile/P1", "raw_1", "scan/5/rawdata"]);
    for row in rows {
        assert!(row.qc_flags.iter().any(|f| f == UNTESTED_FORMAT), "{}: {:?}", row.spectrum_id, row.qc_flags);
    }
}

#[test]
fn conversion_tells_what_was_done_and_keeps_the_voxel() {
    // A left-handed oblique voxel, and none.
    let mut read = siemens_twix::decode(small_twix()).unwrap();
    for affine in [
        Some([
            [11.0, -5.0, 1.0, 4.5],
            [5.0, 11.0, 2.0, -3.0],
            [-21.0 / 146.0, -17.0 / 146.0, 20.0, 7.25],
            [0.0, 0.0, 0.0, 1.0],
        ]),
        None,
    ] {
        read.affine_mm = affine;
        let encoded = nifti_mrs::encode(&read);
        let back = nifti_mrs::decode(&encoded, None).unwrap();
        assert_eq!(back.affine_mm, affine);
        let number = |at: usize| f64::from_le_bytes(encoded[at..at + 8].try_into().unwrap());
        let size = affine.map_or(10_000.0, |m| (0..3).map(|i| m[i][0].powi(2)).sum::<f64>().sqrt());
        assert!((number(112) - size).abs() < 1e-9);
    }
    let mut once = nifti_mrs::decode(&nifti_mrs::encode(&read), None).unwrap();
    let [step] = once.processing.as_slice() else { panic!("{:?}", once.processing) };
    assert_eq!((step.program.as_str(), step.version.as_str()), ("requant", env!("CARGO_PKG_VERSION")));
    assert_eq!((step.method.as_str(), step.details.as_str()), ("Conversion to NIfTI-MRS", "Siemens twix"));
    // What others did before stays, but not the names and paths in their details.
    once.processing[0].program = "another".to_owned();
    let twice = nifti_mrs::decode(&nifti_mrs::encode(&once), None).unwrap();
    assert_eq!((twice.processing.len(), twice.processing[0].program.as_str()), (2, "another"));
    assert_eq!((twice.processing[0].details.as_str(), twice.processing[1].details.as_str()), ("", "NIfTI-MRS"));
}

#[test]
fn every_companion_belongs_to_its_file() {
    let keep = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = keep.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let pairs = [
        (write("x.nii.gz", &small_nifti()), write("x.json", b"{}")),
        (write("a.SDAT", &[0x41; 256]), write("a.SPAR", SPAR.as_bytes())),
        (write("v.fid/fid", &small_varian()), write("v.fid/procpar", PROCPAR.as_bytes())),
        (
            write("l/met.RAW", small_raw().as_bytes()),
            write("l/b.control", b" $LCMODL\n filraw='/old/met.RAW'\n $END\n"),
        ),
        (
            write("t/p.txt", b"1.0 2.0\n3.0 -1.0\n"),
            write("t/control", b" $LCMODL\n filraw='p.txt'\n deltat=5e-4\n $END\n"),
        ),
    ];
    for (file, companion) in &pairs {
        assert_eq!(formats::companions(file), std::slice::from_ref(companion));
        formats::read(file).unwrap_or_else(|e| panic!("{e}"));
    }
    assert_eq!(formats::companions(&pairs[1].1), [pairs[1].0.clone()], "the SPAR's is the SDAT");
    assert_eq!(formats::read(&pairs[4].0).unwrap().facts.dwell_s, Some(5e-4));
    for alone in [write("m.dat", &small_twix()), write("r.rda", &small_rda()), write("notes.md", b"# no spectrum")] {
        assert!(formats::companions(&alone).is_empty());
    }
}

/// The page is made of what the readers say; REQUANT_UPDATE=1 renews it.
#[test]
fn the_page_of_formats_says_what_readers_say() {
    let mut page = String::from(
        "# Formats\n\nMade from the table of readers (`src/formats/mod.rs`); `REQUANT_UPDATE=1 cargo test --test house layouts::` \
         renews it. Content decides where a format has a signature (twix, P-file, DICOM, RDA, NIfTI-MRS, jMRUI text), \
         whatever the file is called; else its name. Files that gzip packed are read as what is inside, companions as well; \
         other archives are rows `packed_archive`. Varian's and Bruker's folders stand for the file in them. What is not stated stays unknown: give it in a \
         manifest or in the configuration's `[gaps]`. `requant inspect FILE` shows what was read.\n\n\
         | format | files | companions | what headers state | limits |\n|---|---|---|---|---|\n",
    );
    for reader in formats::READERS {
        let about = reader.about();
        page += &format!(
            "| {} | {} | {} | {} | {} |\n",
            reader.name(),
            about.files,
            about.companions,
            about.facts,
            about.limits
        );
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference/formats.md");
    if std::env::var_os("REQUANT_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), page, "run with REQUANT_UPDATE=1");
}
