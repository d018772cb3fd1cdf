//! One simulated edited scan with its water reference, written in the form of every vendor.
#![allow(dead_code, missing_docs, unreachable_pub, clippy::unwrap_used, reason = "test support")]

use std::f64::consts::{LN_2, PI};
use std::fs;
use std::path::{Path, PathBuf};

use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts, hz_from_ppm};
use requant::formats::nifti_mrs;

use super::Normal;
use super::dicom_objects::{self as dicom, Form, Value, long, text};
use super::small_files::{Pfile, Readout, pfile_of, twix_of};

pub const F0_MHZ: f64 = 127.75;
pub const DWELL_S: f64 = 5e-4;
pub const N_POINTS: usize = 2048;
/// Of each condition.
pub const CIRCLES: usize = 8;
const WATERS: usize = 2;
/// Amplitudes at t = 0: water, creatine's line at 3.03 ppm, what editing shows at 3.02 ppm.
pub const WATER: f64 = 30_000.0;
pub const CREATINE: f64 = 24.0;
pub const GABA: f64 = 5.0;
/// Single transients have an SNR of NAA (height over standard deviation) of about 50.
const NOISE_SD: f64 = 2.1;
/// What two coils see of the voxel; its squares add up to 1, so that their sum has one coil's scale.
const SENSITIVITIES: [Complex64; 2] = [Complex64::new(0.48, 0.64), Complex64::new(0.6, 0.0)];
/// P-files hold integers: so much is 1 there. Rounding is 1e-5 of the noise.
const PFILE_ONE: f64 = 32_768.0;

/// Lines (ppm, amplitude when the pulse is on and off, Lorentzian and Gaussian FWHM in Hz).
const LINES: [(f64, [f64; 2], [f64; 2]); 7] = [
    (2.01, [3.0, 30.0], [4.0, 0.0]),
    (3.03, [CREATINE, CREATINE], [4.0, 0.0]),
    (3.92, [16.0, 16.0], [4.0, 0.0]),
    (3.22, [18.0, 18.0], [4.0, 0.0]),
    (3.02, [GABA, 0.0], [0.0, 14.0]),
    (3.75, [6.0, 0.0], [0.0, 14.0]),
    // What suppression leaves of water.
    (4.65, [30.0, 30.0], [6.0, 0.0]),
];

/// A transient as one coil has it, and noise of what a second one adds.
pub struct Transient {
    fid: Vec<Complex64>,
    other: Vec<Complex64>,
}

impl Transient {
    fn new(lines: &[(f64, f64, [f64; 2])], shift_hz: f64, normal: &mut Normal) -> Self {
        let mut noise = || Complex64::new(normal.next(), normal.next()) * NOISE_SD;
        let sample = |n: usize| -> Complex64 {
            let t = n as f64 * DWELL_S;
            let line = |(ppm, amplitude, [lorentz_hz, gauss_hz]): &(f64, f64, [f64; 2])| {
                let decay = -PI * lorentz_hz * t - (PI * gauss_hz * t).powi(2) / (4.0 * LN_2);
                Complex64::from_polar(
                    amplitude * decay.exp(),
                    0.6 + 2.0 * PI * (hz_from_ppm(*ppm, F0_MHZ) + shift_hz) * t,
                )
            };
            lines.iter().map(line).sum()
        };
        Self {
            fid: (0..N_POINTS).map(|n| sample(n) + noise()).collect(),
            other: (0..N_POINTS).map(|_| noise()).collect(),
        }
    }

    /// The samples of each of so many coils. Two have independent noise, and their best sum is one coil's FID.
    fn coils(&self, n: usize) -> Vec<Vec<Complex64>> {
        let [first, second] = SENSITIVITIES;
        match n {
            1 => vec![self.fid.clone()],
            _ => [(first, -second.conj()), (second, first.conj())]
                .map(|(own, across)| {
                    self.fid.iter().zip(&self.other).map(|(z, noise)| z * own + noise * across).collect()
                })
                .into(),
        }
    }
}

/// ON and OFF in turn, and water.
pub struct Scan {
    metabolites: Vec<Transient>,
    water: Vec<Transient>,
}

impl Scan {
    pub fn simulated(seed: u64) -> Self {
        let mut normal = Normal(seed);
        let metabolites = (0..2 * CIRCLES).map(|i| {
            let lines = LINES.map(|(ppm, amplitudes, widths)| (ppm, amplitudes[i % 2], widths));
            Transient::new(&lines, 0.1 * i as f64, &mut normal)
        });
        let metabolites = metabolites.collect();
        let water = (0..WATERS).map(|_| Transient::new(&[(4.65, WATER, [6.0, 0.0])], 0.0, &mut normal)).collect();
        Self { metabolites, water }
    }

    /// Transients of one condition.
    fn condition(&self, condition: usize) -> impl Iterator<Item = &Transient> {
        self.metabolites.iter().skip(condition).step_by(2)
    }
}

/// A form as files on disk.
pub struct Written {
    pub form: &'static str,
    pub coils: usize,
    pub path: PathBuf,
    /// The water reference, where that is a file of its own.
    pub water: Option<PathBuf>,
}

/// Writes the scan in every form into a folder of its own.
pub fn write_all(scan: &Scan, folder: &Path) -> Vec<Written> {
    type Write = fn(&Scan, usize, &Path) -> (&'static str, Option<&'static str>);
    let forms: [(&str, &[usize], Write); 11] = [
        ("NIfTI-MRS", &[1, 2], nifti),
        ("Philips SDAT/SPAR", &[1], sdat),
        ("Philips DATA/LIST", &[1, 2], list),
        ("Philips DICOM", &[1], philips_dicom),
        ("UIH DICOM", &[1], uih_dicom),
        ("GE P-file, one echo", &[1, 2], |scan, coils, folder| pfile(scan, coils, folder, 1, 1.0)),
        ("GE P-file, two echoes", &[1, 2], |scan, coils, folder| pfile(scan, coils, folder, 2, 1.0)),
        ("GE P-file, turned over", &[1], |scan, coils, folder| pfile(scan, coils, folder, 1, -1.0)),
        ("Siemens VE, in turn", &[1, 2], |scan, coils, folder| twix(scan, coils, folder, &IN_TURN)),
        ("Siemens WIP 859", &[1], |scan, coils, folder| twix(scan, coils, folder, &WIP_859)),
        ("Siemens XA", &[1, 2], |scan, coils, folder| twix(scan, coils, folder, &XA)),
    ];
    let mut all = Vec::new();
    for (number, (form, coils, write)) in forms.into_iter().enumerate() {
        for &coils in coils {
            let own = folder.join(format!("{number}-{coils}"));
            fs::create_dir(&own).unwrap();
            let (path, water) = write(scan, coils, &own);
            all.push(Written { form, coils, path: own.join(path), water: water.map(|water| own.join(water)) });
        }
    }
    all
}

fn nifti(scan: &Scan, coils: usize, folder: &Path) -> (&'static str, Option<&'static str>) {
    let facts =
        Facts { dwell_s: Some(DWELL_S), f0_mhz: Some(F0_MHZ), sequence: Some("MEGA-PRESS".into()), ..Facts::default() };
    let write = |name: &str, conditions: &[Vec<&Transient>], labels: &[&str]| {
        let all: Vec<Vec<_>> = conditions.iter().map(|c| c.iter().map(|t| t.coils(coils)).collect()).collect();
        let shape = (1, all.len(), all[0].len(), coils, N_POINTS);
        let samples = Array5::from_shape_fn(shape, |(_, c, t, coil, n): (_, usize, usize, usize, usize)| {
            let transients: &Vec<Vec<Vec<Complex64>>> = &all[c];
            transients[t][coil][n]
        });
        let mut data = Acquisition { facts: facts.clone(), ..Acquisition::from_samples(nifti_mrs::NAME, samples) };
        data.condition_labels = labels.iter().map(|label| (*label).to_owned()).collect();
        fs::write(folder.join(name), nifti_mrs::encode(&data)).unwrap();
    };
    write("mega.nii", &[scan.condition(0).collect(), scan.condition(1).collect()], &["ON", "OFF"]);
    write("mega_ref.nii", &[scan.water.iter().collect()], &[""]);
    ("mega.nii", Some("mega_ref.nii"))
}

/// The four bytes of a VAX F float: IEEE's fraction is 1.f, VAX's 0.1f, and its exponent's excess is 128.
pub fn vax_from_f32(value: f32) -> [u8; 4] {
    let bits = value.to_bits();
    let exponent = (bits >> 23) & 0xff;
    if exponent == 0 {
        return [0; 4];
    }
    let vax = (bits & 0x8000_0000) | ((exponent + 2) << 23) | (bits & 0x007f_ffff);
    let [low, high] = [vax as u16, (vax >> 16) as u16].map(u16::to_le_bytes);
    [high[0], high[1], low[0], low[1]]
}

fn spar(rows: usize, mix: usize) -> String {
    format!(
        "samples : {N_POINTS}\nrows : {rows}\nsynthesizer_frequency : 127750000\nsample_frequency : 2000\necho_time : 68\n\
         repetition_time : 2000\nnucleus : \"1H\"\nmix_number : {mix}\n"
    )
}

fn sdat(scan: &Scan, _: usize, folder: &Path) -> (&'static str, Option<&'static str>) {
    let write = |name: &str, transients: &[Transient], mix: usize| {
        let numbers = transients.iter().flat_map(|t| t.fid.iter().flat_map(|z| [z.re as f32, -z.im as f32]));
        fs::write(folder.join(format!("{name}.SDAT")), numbers.flat_map(vax_from_f32).collect::<Vec<u8>>()).unwrap();
        fs::write(folder.join(format!("{name}.SPAR")), spar(transients.len(), mix)).unwrap();
    };
    write("v_megapress_act", &scan.metabolites, 1);
    write("v_megapress_ref", &scan.water, 2);
    ("v_megapress_act.SDAT", Some("v_megapress_ref.SDAT"))
}

fn list(scan: &Scan, coils: usize, folder: &Path) -> (&'static str, Option<&'static str>) {
    let (mut index, mut data) = (String::new(), Vec::new());
    for (mix, transients) in [&scan.metabolites, &scan.water].into_iter().enumerate() {
        for (average, transient) in transients.iter().enumerate() {
            for (channel, fid) in transient.coils(coils).iter().enumerate() {
                let (bytes, offset) = (8 * N_POINTS, data.len());
                index += &format!("STD {mix} 0 0 0 0 {channel} 0 0 0 0 0 {average} 1 0 0 0 0 0 {bytes} {offset}\n");
                data.extend(floats(fid, -1.0));
            }
        }
    }
    fs::write(folder.join("v_megapress.data"), data).unwrap();
    fs::write(folder.join("v_megapress.list"), index).unwrap();
    fs::write(folder.join("v_megapress.spar"), spar(2 * CIRCLES, 1)).unwrap();
    ("v_megapress.data", None)
}

/// Little-endian floats, the imaginary parts times `sign`.
fn floats(fid: &[Complex64], sign: f64) -> Vec<u8> {
    fid.iter().flat_map(|z| [z.re as f32, (sign * z.im) as f32]).flat_map(f32::to_le_bytes).collect()
}

fn all_floats<'a>(transients: impl Iterator<Item = &'a Transient>, sign: f64) -> Vec<u8> {
    transients.flat_map(|t| floats(&t.fid, sign)).collect()
}

fn philips_dicom(scan: &Scan, _: usize, folder: &Path) -> (&'static str, Option<&'static str>) {
    let said = (0..2 * CIRCLES).map(|i| (false, Some(["ON", "OFF"][i % 2])));
    let said: Vec<_> = said.chain([(true, Some("OFF")); WATERS]).collect();
    let samples = all_floats(scan.metabolites.iter().chain(&scan.water), -1.0);
    let object = dicom::with(
        dicom::philips(&vec![0.0; said.len()], &said),
        vec![
            ((0x0028, 0x9002), long(N_POINTS as u32)),
            ((0x2005, 0x1597), text(b"CS", "Y")),
            ((0x5600, 0x0020), Value::Plain(b"OF", samples)),
        ],
    );
    fs::write(folder.join("mega.dcm"), dicom::file(dicom::SPECTROSCOPY, &object, Form::Explicit)).unwrap();
    ("mega.dcm", None)
}

fn uih_dicom(scan: &Scan, _: usize, folder: &Path) -> (&'static str, Option<&'static str>) {
    let floats = |transients: Vec<&Transient>| Value::Plain(b"OB", all_floats(transients.into_iter(), 1.0));
    let object = dicom::with(
        dicom::uih(),
        vec![
            ((0x0028, 0x9002), long(N_POINTS as u32)),
            ((0x0065, 0xff07), floats(scan.water.iter().collect())),
            ((0x0065, 0xff10), floats(scan.condition(0).collect())),
            ((0x0065, 0xff11), floats(scan.condition(1).collect())),
            ((0x5600, 0x0020), Value::Plain(b"OF", all_floats(scan.condition(0).take(1), 1.0))),
        ],
    );
    fs::write(folder.join("mega.dcm"), dicom::file(dicom::SPECTROSCOPY, &object, Form::Explicit)).unwrap();
    ("mega.dcm", None)
}

/// Frames of one NEX: water first, every other times `sign`.
fn pfile(scan: &Scan, coils: usize, folder: &Path, echoes: usize, sign: f64) -> (&'static str, Option<&'static str>) {
    let waters = WATERS / echoes;
    let metabolites = 2 * CIRCLES / echoes;
    let says = Pfile {
        sequence: "gaba",
        echoes: echoes as i16,
        frames: (waters + metabolites) as i16,
        nex: 1,
        user4: metabolites as f32,
        user19: waters as f32,
        waveform: 2.0,
        pulses_hz: [-350.0, 359.0],
    };
    let mut file = pfile_of(&says, [coils, N_POINTS], |coil, echo, frame| {
        let Some(frame) = frame else { return vec![[0; 2]; N_POINTS] };
        let place = frame * echoes + echo;
        let transient = if frame < waters { &scan.water[place] } else { &scan.metabolites[place - WATERS] };
        let scale = PFILE_ONE * if frame % 2 == 1 { sign } else { 1.0 };
        transient.coils(coils)[coil].iter().map(|z| [z.re, z.im].map(|part| (part * scale).round() as i32)).collect()
    });
    file[432..436].copy_from_slice(&((1.0 / DWELL_S) as f32).to_le_bytes());
    fs::write(folder.join("P12345.7"), file).unwrap();
    ("P12345.7", None)
}

/// A sequence in twix files.
struct Siemens {
    software: &'static str,
    sequence: &'static str,
    protocol: &'static str,
    /// Counter of conditions; `None`: they stand in turn along averages.
    condition: Option<usize>,
}
/// Places of counters.
const AVE: usize = 1;
const ECO: usize = 4;
const PHS: usize = 5;
const IDE: usize = 13;

const IN_TURN: Siemens = Siemens {
    software: "syngo MR E11",
    sequence: "mgs_svs_ed",
    protocol: "sWipMemBlock.adFree[8] = 1.9\nsWipMemBlock.adFree[11] = 7.5\n",
    condition: None,
};
const WIP_859: Siemens =
    Siemens { software: "syngo MR D13", sequence: "svs_edit_859g", protocol: "", condition: Some(IDE) };
const XA: Siemens = Siemens { software: "syngo MR XA31", sequence: "svs_edit", protocol: "", condition: Some(ECO) };

fn twix(scan: &Scan, coils: usize, folder: &Path, says: &Siemens) -> (&'static str, Option<&'static str>) {
    let readout = |transient: &Transient, counters: Vec<(usize, u16)>| {
        let floats = |fid: Vec<Complex64>| fid.iter().map(|z| [z.re as f32, -z.im as f32]).collect();
        Readout { counters, coils: transient.coils(coils).into_iter().map(floats).collect() }
    };
    let water = scan.water.iter().enumerate().map(|(i, t)| readout(t, vec![(AVE, i as u16)]));
    let metabolites = scan.metabolites.iter().enumerate().map(|(i, t)| {
        let i = i as u16;
        let place = says.condition.map_or(vec![(AVE, i)], |counter| vec![(AVE, i / 2), (counter, i % 2)]);
        readout(t, [place, vec![(PHS, 1)]].concat())
    });
    let protocol = format!(
        "tSequenceFileName = \"%CustomerSeq%\\{}\"\nsRXSPEC.alDwellTime[0] = 500000\nalTE[0] = 68000\nalTR[0] = 2000000\n\
         sTXSPEC.asNucleusInfo[0].lFrequency = 127750000\n{}",
        says.sequence, says.protocol
    );
    let file = twix_of(says.software, &protocol, &water.chain(metabolites).collect::<Vec<_>>());
    fs::write(folder.join("meas.dat"), file).unwrap();
    ("meas.dat", None)
}
