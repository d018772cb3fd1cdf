//! What a run holds: no more than `--memory`, whatever its files hold, and the same tables however they are cut.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::common::{Normal, tables};
use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::basis::simulate::pulses::Vendor;
use requant::basis::simulate::pulses::vendors::press;
use requant::basis::simulate::{Library, Pulses, Sequence, TimeGrid, basis_set_with};
use requant::formats::nifti_mrs;
use requant::store::{PlannedRow, SpectrumRow, Status, read_table};

const POINTS: usize = 512;
const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.2;
const MIB: f64 = (1 << 20) as f64;
/// Threads of every run here: the least memory depends on them.
const THREADS: &str = "2";
/// What a run takes at least with so many (MiB).
const LEAST_MIB: u64 = 80;

/// Main lines of a brain alone: chemical shifts (ppm) and areas. What has no other asks for components that its basis set lacks.
const LINES: [(f64, f64); 4] = [(2.01, 10.0), (3.03, 6.0), (3.22, 5.0), (3.91, 4.0)];
/// Metabolites of a brain and their amounts.
const BRAIN: [(&str, f64); 12] = [
    ("NAA", 3.2),
    ("NAAG", 0.4),
    ("Cr", 1.3),
    ("PCr", 1.1),
    ("GPC", 0.3),
    ("PCh", 0.2),
    ("Glu", 3.0),
    ("Gln", 0.8),
    ("Ins", 1.8),
    ("GABA", 0.4),
    ("GSH", 0.4),
    ("Tau", 0.5),
];
const TE_S: f64 = 0.03;

/// A brain with noise, one spectrum for every voxel, condition, transient and coil.
fn brain(shape: [usize; 5], seed: u64) -> Acquisition {
    let clean = brain_fid(shape[4]);
    spectra(|_| &clean, shape, seed)
}

/// What a brain gives in the PRESS that a run simulates for these files.
fn brain_fid(points: usize) -> Vec<Complex64> {
    let te1_s = 0.0153;
    let sequence = Sequence::Press { te_s: TE_S, te1_s, te2_s: TE_S - te1_s };
    let pulses = Pulses::Shaped(Box::new(press(Vendor::Generic, None).unwrap().unwrap()));
    let time = TimeGrid { f0_mhz: F0_MHZ, dwell_s: DWELL_S, n_points: points, linewidth_hz: 6.0 };
    let set =
        basis_set_with(Library::built_in().unwrap(), &BRAIN.map(|(name, _)| name), &sequence, &pulses, time).unwrap();
    let mut fid = vec![Complex64::default(); points];
    for (row, (_, amount)) in set.fids.rows().into_iter().zip(BRAIN) {
        fid.iter_mut().zip(row).for_each(|(sum, z)| *sum += z * amount);
    }
    fid
}

/// These lines, 6.4 Hz wide.
fn lines_fid(lines: &[(f64, f64)], points: usize) -> Vec<Complex64> {
    (0..points)
        .map(|n| {
            let t = n as f64 * DWELL_S;
            let line = |&(ppm, area): &(f64, f64)| {
                Complex64::from_polar(area * (-20.0 * t).exp(), std::f64::consts::TAU * hz_from_ppm(ppm, F0_MHZ) * t)
            };
            lines.iter().map(line).sum()
        })
        .collect()
}

/// Spectra with noise, of what each voxel has.
fn spectra<'a>(clean: impl Fn(usize) -> &'a [Complex64], shape: [usize; 5], seed: u64) -> Acquisition {
    let [voxels, conditions, transients, coils, points] = shape;
    let mut random = Normal(seed);
    let samples = Array5::from_shape_fn((voxels, conditions, transients, coils, points), |(v, c, _, k, n)| {
        let gain = Complex64::from_polar(1.0 + 0.1 * ((v + c) % 7) as f64, 0.7 * k as f64);
        let noisy = clean(v)[n] * gain + Complex64::new(random.next(), random.next()) * 0.2;
        // As files store them.
        Complex64::new(f64::from(noisy.re as f32), f64::from(noisy.im as f32))
    });
    let facts = Facts {
        dwell_s: Some(DWELL_S),
        f0_mhz: Some(F0_MHZ),
        nucleus: Some("1H".into()),
        te_s: Some(TE_S),
        tr_s: Some(2.0),
        sequence: Some("PRESS".into()),
        ..Facts::default()
    };
    Acquisition { facts, ..Acquisition::from_samples(nifti_mrs::NAME, samples) }
}

/// Each voxel asks for a component that its basis set lacks: the models that are tried for it come and go.
#[test]
fn a_grid_of_unknown_lines_stays_below_its_memory() {
    let setup = Setup::new();
    let clean = lines_fid(&[&LINES[..], &[(3.55, 4.0), (1.9, 3.0)]].concat(), POINTS);
    let mut grid = spectra(|_| &clean, [16, 1, 1, 1, POINTS], 1);
    grid.grid = [4, 4, 1];
    setup.write("g_mrsi.nii", &nifti_mrs::encode(&grid));
    let memory_mib = LEAST_MIB + 60;
    let peak = setup.peak_mib("out", memory_mib, &[]);
    assert!(peak <= 1.1 * memory_mib as f64, "{peak} MiB of {memory_mib}");
    let rows = setup.spectra("out");
    assert!(rows.iter().any(|row| row.qc_flags.iter().any(|flag| flag == "unmodelled_peak")));
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

struct Setup(tempfile::TempDir);

impl Setup {
    fn new() -> Self {
        let setup = Self(tempfile::tempdir().unwrap());
        fs::create_dir(setup.at("in")).unwrap();
        setup
    }

    fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        fs::write(self.at("in").join(name), bytes).unwrap();
    }

    fn command(&self, verb: &str, out: &str, memory_mib: u64, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_requant"));
        let memory = format!("{memory_mib}MiB");
        command.args([verb, "in", "--out", out, "--engine", "cpu", "--threads", THREADS, "--memory", &memory]);
        command.args(more).current_dir(self.0.path());
        command.env_remove("SLURM_ARRAY_TASK_ID").env_remove("SLURM_ARRAY_TASK_COUNT");
        command
    }

    /// Peak of the memory of a run that ends well (MiB).
    fn peak_mib(&self, out: &str, memory_mib: u64, more: &[&str]) -> f64 {
        let mut command = self.command("run", out, memory_mib, more);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let status = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0.0_f64;
        let ended = loop {
            let line = fs::read_to_string(&status).unwrap_or_default();
            let kib = line.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().split(' ').next()?.parse().ok());
            peak_kib = peak_kib.max(kib.unwrap_or(0.0));
            if let Some(ended) = child.try_wait().unwrap() {
                break ended;
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        assert!(ended.success(), "{out}: {ended}");
        peak_kib / 1024.0
    }

    fn spectra(&self, out: &str) -> Vec<SpectrumRow> {
        read_table(&self.at(out)).unwrap()
    }

    /// Chunks of a run of so much memory.
    fn n_chunks(&self, memory_mib: u64, more: &[&str]) -> usize {
        let planned = format!("planned-{memory_mib}");
        let output = self.command("plan", &planned, memory_mib, more).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let rows: Vec<PlannedRow> = read_table(&self.at(&planned)).unwrap();
        rows.iter().filter_map(|row| row.chunk).collect::<std::collections::BTreeSet<_>>().len()
    }
}

/// Memory for a few voxels of these grids at once (MiB).
const FEW_MIB: u64 = LEAST_MIB + 6;

#[test]
fn a_grid_gives_the_same_tables_whole_and_in_parts() {
    let setup = Setup::new();
    // Each sixth asks for components, so that parts of the grid differ in that.
    let (usual, strange) = (brain_fid(POINTS), lines_fid(&LINES, POINTS));
    let mut grid = spectra(|voxel| if voxel % 6 == 1 { &strange } else { &usual }, [24, 2, 2, 2, POINTS], 1);
    grid.grid = [4, 3, 2];
    grid.condition_labels = vec!["a".into(), "b".into()];
    let of_water = lines_fid(&[(4.65, 1000.0)], POINTS);
    let mut water = spectra(|_| &of_water, [24, 1, 1, 2, POINTS], 2);
    water.grid = grid.grid;
    setup.write("sub-01_mrsi.nii.gz", &packed(&nifti_mrs::encode(&grid)));
    setup.write("sub-01_mrsref.nii", &nifti_mrs::encode(&water));
    setup.write("sub-02_svs.nii", &nifti_mrs::encode(&brain([1, 1, 1, 1, POINTS], 3)));
    assert_eq!(setup.n_chunks(2048, &[]), 1);
    assert!(setup.n_chunks(FEW_MIB, &[]) >= 4);
    for (wide, tight) in [("wide", "tight"), ("wide-more", "tight-more")] {
        let more: &[&str] = if wide == "wide" { &[] } else { &["--curves", "--transients"] };
        setup.peak_mib(wide, 2048, more);
        setup.peak_mib(tight, FEW_MIB, more);
        assert!(tables(&setup.at(tight)) == tables(&setup.at(wide)), "{more:?}");
    }
    let rows = setup.spectra("tight");
    assert_eq!(rows.len(), 24 * 2 + 1);
    let asks = |row: &SpectrumRow| row.qc_flags.iter().any(|flag| flag == "unmodelled_peak");
    let asking: Vec<usize> = (0..rows.len()).filter(|&k| asks(&rows[k])).map(|k| k / 2).collect();
    assert!(asking.len() > 4 && asking.iter().all(|voxel| voxel % 6 == 1), "{asking:?}");
    assert!(rows.iter().all(|row| row.status == Status::Ok), "{:?}", rows[0].error_message);
    let places: Vec<_> = rows.iter().step_by(2).take(6).map(|r| (r.voxel_i, r.voxel_j, r.voxel_k)).collect();
    let wanted = [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1), (1, 1)].map(|(i, j)| (Some(i), Some(j), Some(0)));
    assert_eq!(places, wanted);
}

/// What is wrong with a file as a whole is one row, however many parts it would have had.
#[test]
fn a_broken_grid_is_one_row() {
    let setup = Setup::new();
    let mut grid = brain([24, 1, 1, 1, POINTS], 1);
    grid.grid = [24, 1, 1];
    let file = packed(&nifti_mrs::encode(&grid));
    setup.write("sub-01_mrsi.nii.gz", &file[..file.len() - 100]);
    setup.write("sub-02_svs.nii", &nifti_mrs::encode(&brain([1, 1, 1, 1, POINTS], 3)));
    for (out, memory_mib) in [("wide", 2048), ("tight", FEW_MIB)] {
        setup.peak_mib(out, memory_mib, &[]);
        let rows: Vec<_> = setup.spectra(out).into_iter().map(|r| (r.spectrum_id, r.error_code)).collect();
        let wanted = [("sub-01_mrsi", Some("truncated")), ("sub-02_svs", None)];
        assert_eq!(rows, wanted.map(|(id, code)| (id.to_owned(), code.map(str::to_owned))));
    }
    assert!(tables(&setup.at("wide")) == tables(&setup.at("tight")));
}

#[test]
fn what_cannot_fit_is_a_row_and_its_neighbours_are_fitted() {
    let setup = Setup::new();
    for (name, seed) in [("a_svs.nii", 1), ("z_svs.nii", 2)] {
        setup.write(name, &nifti_mrs::encode(&brain([1, 1, 1, 1, POINTS], seed)));
    }
    // 512 MB of transients of zeros, 2 MB on disk.
    let mut file = nifti_mrs::encode(&brain([1, 1, 2, 1, POINTS], 3));
    let transients: i64 = 1 << 17;
    file[16 + 8 * 5..16 + 8 * 6].copy_from_slice(&transients.to_le_bytes());
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&file).unwrap();
    let zeros = vec![0; 1 << 20];
    (0..512).for_each(|_| encoder.write_all(&zeros).unwrap());
    setup.write("m_svs.nii.gz", &encoder.finish().unwrap());
    let memory_mib = LEAST_MIB + 40;
    let peak = setup.peak_mib("out", memory_mib, &["--curves"]);
    assert!(peak <= 1.1 * memory_mib as f64, "{peak} MiB of {memory_mib}");
    let rows = setup.spectra("out");
    let states: Vec<_> = rows.iter().map(|r| (r.spectrum_id.as_str(), r.error_code.as_deref())).collect();
    assert_eq!(states, [("a_svs", None), ("m_svs", Some("too_large_for_memory")), ("z_svs", None)]);
    let message = rows[1].error_message.as_deref().unwrap();
    assert!(message.starts_with("m_svs.nii.gz: ") && message.contains("--memory "), "{message}");
    let refused = setup.command("run", "x", LEAST_MIB - 1, &[]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("2 threads: give it at least --memory 89MiB"),
        "{refused:?}"
    );
}

#[test]
fn a_large_raw_file_is_in_memory_once() {
    let setup = Setup::new();
    setup.write("a_svs.nii", &nifti_mrs::encode(&brain([1, 1, 1, 1, POINTS], 1)));
    let small = setup.peak_mib("small", 2048, &[]);
    let file = nifti_mrs::encode(&brain([1, 1, 256, 64, POINTS], 2));
    let size_mib = file.len() as f64 / MIB;
    assert!(size_mib > 64.0);
    setup.write("r_svs.nii", &file);
    drop(file);
    let peak = setup.peak_mib("raw", 2048, &[]);
    assert!(peak - small < 1.5 * size_mib, "{peak} MiB, {small} without a file of {size_mib}");
    assert!(setup.spectra("raw").iter().all(|row| row.status == Status::Ok));
}

/// Many chunks, a grid with curves among them: never more than was allowed, up to a tenth.
#[test]
fn a_grid_with_curves_stays_below_its_memory() {
    let setup = Setup::new();
    let clean = lines_fid(&LINES, POINTS);
    let mut grid = spectra(|_| &clean, [150, 1, 1, 1, POINTS], 1);
    grid.grid = [15, 10, 1];
    setup.write("g_mrsi.nii", &nifti_mrs::encode(&grid));
    let memory_mib = LEAST_MIB + 60;
    // Most of these voxels ask for components of their own.
    let peak = setup.peak_mib("out", memory_mib, &["--curves"]);
    assert!(peak <= 1.1 * memory_mib as f64, "{peak} MiB of {memory_mib}");
    assert_eq!(setup.spectra("out").len(), 150);
}
