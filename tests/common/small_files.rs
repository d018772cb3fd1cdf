//! Small files of every format, made to its layout.

use ndarray::Array5;
use num_complex::Complex64;
use requant::acquisition::{Acquisition, Facts};
use requant::formats::nifti_mrs;

pub fn small_nifti() -> Vec<u8> {
    let samples = Array5::from_shape_fn((1, 1, 2, 1, 32), |(_, _, t, _, p)| Complex64::new(p as f64, t as f64));
    let data = Acquisition {
        facts: Facts { dwell_s: Some(5e-4), f0_mhz: Some(123.2), ..Facts::default() },
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    };
    nifti_mrs::encode(&data)
}

/// Two edit conditions of two transients, whose order a sidecar may state.
pub fn edited_nifti() -> Vec<u8> {
    let samples = Array5::from_shape_fn((1, 2, 2, 1, 32), |(_, c, t, _, p)| Complex64::new(p as f64, (c + t) as f64));
    let data = Acquisition {
        condition_labels: vec!["ON".into(), "OFF".into()],
        facts: Facts { dwell_s: Some(5e-4), f0_mhz: Some(123.2), ..Facts::default() },
        ..Acquisition::from_samples(nifti_mrs::NAME, samples)
    };
    nifti_mrs::encode(&data)
}

/// [`small_nifti`] with its transients called steps of ISIS.
pub fn isis_nifti() -> Vec<u8> {
    let swap = |bytes: Vec<u8>, from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|w| w == from).unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    // As long as before.
    swap(swap(small_nifti(), b"\"DIM_DYN\"", b"\"DIM_ISIS\""), b"Conversion to NIfTI-MRS", b"Conversion to NIfTI-MR")
}

pub const SIDECAR: &str = r#"{"EchoTime": 0.068, "RepetitionTime": [2, 2], "EditCondition": ["OFF", "ON"], "EditPulse":
    {"OFF": {"FrequencyOffset": 7.5}, "ON": {"PulseOffset": [1.9, 4.56]}}, "Manufacturer": "GE", "SpectralWidth": 2000,
    "PulseSequenceType": "MEGA-PRESS", "WaterSuppression": true, "SpectrometerFrequency": [123.2]}"#;

/// What is no JSON is no sidecar; what is one states whatever it likes about any file.
pub fn decode_with_sidecar(bytes: &[u8]) -> bool {
    let Ok(sidecar) = serde_json::from_slice::<serde_json::Value>(bytes) else { return false };
    let read = |file: Vec<u8>| {
        nifti_mrs::decode(&file, Some(&sidecar)).is_ok_and(|data| {
            let _ = requant::prepare::prepare(&data, None, 0);
            true
        })
    };
    read(edited_nifti()) & read(small_nifti()) & read(isis_nifti())
}

pub const SPAR: &str = "! comment\nsamples : 32\nrows : 1\nsynthesizer_frequency : 127750896\nsample_frequency : 2000\n\
                    echo_time : 35\nrepetition_time : 2000\nnucleus : \"1H\"\n";

/// Of eight rows of an edited scan, as some export it.
pub const EDITED_SPAR: &str = "! comment\r\nscan_id : MEGA-PRESS TE 68\r\nsamples : 32\r\nrows : 8\r\nsynthesizer_frequency : 127750896\r\n\
    sample_frequency : 2000,0\r\necho_time : x\r\nap_size : 30,5\r\nphase_encoding_enable : \"yes\"\r\ndim2_pnts : 1\r\n";

pub fn small_raw() -> String {
    let mut text = String::from(
        " $SEQPAR\n ECHOT=30. HZPPPM=123.2 SEQ='PRESS'\n $END\n $NMID\n ID='x', FMTDAT='(2E15.6)'\n VOLUME=1. TRAMP=1.\n $END\n",
    );
    for i in 0..16 {
        text += &format!("{:15.6E}{:15.6E}\n", f64::from(i), -0.5);
    }
    text
}

pub fn small_jmrui() -> String {
    let mut text = String::from(
        "jMRUI Data Textfile\n\nPointsInDataset: 16\nDatasetsInFile: 1\nSamplingInterval: 2.5E-1\n\
         TransmitterFrequency: 1.2322E8\n\nSignal and FFT\nsig(real)\tsig(imag)\nSignal 1 out of 1 in file\n",
    );
    for i in 0..16 {
        text += &format!("{i}.5\t-{i}.25\n");
    }
    text
}

pub fn small_rda() -> Vec<u8> {
    let mut file = b">>> Begin of header <<<\r\nPatientName: nobody\r\nTE: 30,0\r\nTR: 2000.0\r\nDwellTime: 500\r\n\
        MRFrequency: 123.25\r\nNucleus: 1H\r\nVectorSize: 16\r\nCSIMatrixSize[0]: 1\r\n>>> End of header <<<\r\n"
        .to_vec();
    (0..32).for_each(|i| file.extend(f64::from(i).to_le_bytes()));
    file
}

pub fn small_pfile() -> Vec<u8> {
    const DATA: usize = 149_788;
    let mut file = vec![0; DATA];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &20.006_f32.to_le_bytes());
    for (at, value) in [(70, 1_i16), (72, 8), (74, 3), (80, 64), (82, 4), (200, 0), (202, 1)] {
        put(at, &value.to_le_bytes());
    }
    for (at, value) in [(232, 16.0_f32), (292, 1.0), (368, 5000.0)] {
        put(at, &value.to_le_bytes());
    }
    for (at, value) in [(424, 1_277_625_150_u32), (1468, DATA as u32), (148_396, 2_000_000), (148_404, 35_000)] {
        put(at, &value.to_le_bytes());
    }
    put(148_972, b"PROBE-P");
    // Two coils of a baseline, one frame of water and two of metabolites.
    (0..2 * 4 * 64 * 2).for_each(|i: i32| file.extend(i.to_le_bytes()));
    file
}

/// What a P-file of revision 26 says of its frames.
pub struct Pfile {
    pub sequence: &'static str,
    pub echoes: i16,
    /// Of each echo, with and without water suppression.
    pub frames: i16,
    pub nex: i16,
    pub user4: f32,
    pub user19: f32,
    pub waveform: f32,
    pub pulses_hz: [f32; 2],
}

/// Two coils of 64 points; `height` gives the first point of a frame of an echo.
pub fn pfile(says: &Pfile, height: impl Fn(usize, usize) -> i32) -> Vec<u8> {
    pfile_of(says, [2, 64], |coil, echo, frame| {
        let first = frame.map_or(7, |frame| height(echo, frame) * (1 + coil as i32));
        (0..64).map(|point| [first / (1 + point), 0]).collect()
    })
}

/// So many coils and points; `samples` gives those of a frame of a coil and echo, `None` the baseline's.
pub fn pfile_of(
    says: &Pfile,
    [coils, points]: [usize; 2],
    samples: impl Fn(usize, usize, Option<usize>) -> Vec<[i32; 2]>,
) -> Vec<u8> {
    const DATA: usize = 213_684;
    let mut file = vec![0; DATA];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, &26.002_f32.to_le_bytes());
    put(4, &(DATA as u32).to_le_bytes());
    let [points, last_coil] = [points, coils - 1].map(|n| n as i16);
    for (at, value) in
        [(146, says.echoes), (148, says.nex), (150, says.frames), (156, points), (158, 4), (264, 0), (266, last_coil)]
    {
        put(at, &value.to_le_bytes());
    }
    let [pulse1, pulse2] = says.pulses_hz;
    let floats = [(296, says.user4), (356, says.user19), (432, 5000.0)];
    for (at, value) in floats.into_iter().chain([(198_612, says.waveform), (198_616, pulse1), (198_620, pulse2)]) {
        put(at, &value.to_le_bytes());
    }
    for (at, value) in [(488, 1_277_500_000_u32), (199_236, 2_000_000), (199_244, 68_000)] {
        put(at, &value.to_le_bytes());
    }
    put(199_812, says.sequence.as_bytes());
    for coil in 0..coils {
        for echo in 0..says.echoes as usize {
            let frames = (0..says.frames as usize).map(Some);
            for frame in std::iter::once(None).chain(frames) {
                file.extend(samples(coil, echo, frame).into_iter().flatten().flat_map(i32::to_le_bytes));
            }
        }
    }
    file
}

/// Two echoes of a frame of water and two of metabolites.
pub fn edited_pfile() -> Vec<u8> {
    let says = Pfile {
        sequence: "gaba",
        echoes: 2,
        frames: 3,
        nex: 1,
        user4: 2.0,
        user19: 1.0,
        waveform: 2.0,
        pulses_hz: [-350.0, 359.0],
    };
    pfile(&says, |echo, frame| if frame == 0 { 10_000 } else { 100 * (1 + echo as i32) })
}

/// ISTHMUS of eight circles behind PRESS.
pub fn isthmus_pfile() -> Vec<u8> {
    let says = Pfile {
        sequence: "hbcd2",
        echoes: 1,
        frames: 99,
        nex: 1,
        user4: 96.0,
        user19: 3.0,
        waveform: 19.0,
        pulses_hz: [0.0; 2],
    };
    pfile(
        &says,
        |_, frame| {
            if frame.is_multiple_of(33) { if frame == 33 { 100_000 } else { 60_000 } } else { 100 + frame as i32 }
        },
    )
}

pub fn small_mrui() -> Vec<u8> {
    let mut header = [0.0; 64];
    (header[1], header[2], header[5]) = (16.0, 0.5, 123.2e6);
    header.iter().copied().chain((0..32).map(f64::from)).flat_map(f64::to_be_bytes).collect()
}

pub fn small_varian() -> Vec<u8> {
    let mut file: Vec<u8> = [2_i32, 1, 32, 4, 128, 156].iter().flat_map(|v| v.to_be_bytes()).collect();
    file.extend([0_u8, 0, 0, 0x19]);
    file.extend(1_i32.to_be_bytes());
    for _ in 0..2 {
        file.extend([0; 28]);
        (0..32).for_each(|i| file.extend((i as f32).to_be_bytes()));
    }
    file
}

pub const PROCPAR: &str = "sw 1 1 1e5 0 0 2 1 11 1 64\n1 5000 \n0 \nsfrq 1 1 1e5 0 0 2 1 11 1 64\n1 123.2 \n0 \n\
                       tm 1 1 1e5 0 0 2 1 11 1 64\n1 0.02 \n0 \n";

const TWIX_PROTOCOL: &str = "sRXSPEC.alDwellTime[0] = 250000\nalTE[0] = 30000\n\
    sTXSPEC.asNucleusInfo[0].lFrequency = 123250000\n\
    sSpecPara.sVoI.sNormal.dTra = 1.0\nsSpecPara.sVoI.dReadoutFOV = 15.0\nsSpecPara.sVoI.dPhaseFOV = 25.0\n\
    sSpecPara.sVoI.dThickness = 20.0\nsSpecPara.sVoI.sPosition.dTra = -4.5\n";

/// Parts of a twix header: the protocol, and what software wrote it.
fn twix_header(software: &str, protocol: &str) -> Vec<u8> {
    let dicom = format!("<ParamString.\"SoftwareVersions\">  {{ \"{software}\"  }}\n");
    let mut parts = Vec::new();
    for (name, content) in [("Dicom", dicom.as_str()), ("MeasYaps", protocol)] {
        parts.extend(name.as_bytes());
        parts.push(0);
        parts.extend((content.len() as u32).to_le_bytes());
        parts.extend(content.as_bytes());
    }
    let mut header = ((8 + parts.len()) as u32).to_le_bytes().to_vec();
    header.extend(2_u32.to_le_bytes());
    header.extend(parts);
    header
}

/// One coil, two transients, of VB: one measurement, a header before each coil's samples.
pub fn small_vb_twix() -> Vec<u8> {
    let mut header = twix_header("syngo MR B17", TWIX_PROTOCOL);
    // The shortest that a VB file has.
    let length = header.len().max(1024);
    header[..4].copy_from_slice(&(length as u32).to_le_bytes());
    header.resize(length, 0);
    for scan in 0..3_u16 {
        let mut mdh = [0_u8; 128];
        mdh[..4].copy_from_slice(&(128 + 8 * 32_u32).to_le_bytes());
        mdh[20] = if scan == 2 { 1 } else { 8 };
        mdh[28..30].copy_from_slice(&32_u16.to_le_bytes());
        mdh[30..32].copy_from_slice(&1_u16.to_le_bytes());
        mdh[34..36].copy_from_slice(&scan.to_le_bytes());
        header.extend(mdh);
        (0..64).for_each(|i| header.extend((1.0 / (1.0 + i as f32)).to_le_bytes()));
    }
    header
}

/// Two coils, one transient of water and three of metabolites, of VE.
pub fn small_twix() -> Vec<u8> {
    vd_twix("syngo MR E11")
}

/// The same of VD or later, by its software.
pub fn vd_twix(software: &str) -> Vec<u8> {
    vd_twix_of(software, "", 4)
}

/// Twelve readouts along averages of VE, of a sequence by its name and further lines of its protocol.
pub fn looped_twix(sequence: &str, more: &str) -> Vec<u8> {
    let mut file =
        vd_twix_of("syngo MR E11", &format!("tSequenceFileName = \"%CustomerSeq%\\{sequence}\"\n{more}"), 12);
    let scan = 192 + 2 * (32 + 8 * 32);
    let first = file.len() - 192 - 12 * scan;
    for i in 0..12_u16 {
        let counters = first + usize::from(i) * scan + 52;
        file[counters..counters + 28].fill(0);
        file[counters + 2..counters + 4].copy_from_slice(&i.to_le_bytes());
    }
    file
}

fn vd_twix_of(software: &str, more: &str, scans: u16) -> Vec<u8> {
    let readout = |scan: u16| {
        let height = if scan == 0 { 100.0_f32 } else { 1.0 };
        let number = |coil: u8, i: u8| height * (1.0 + f32::from(coil)) / (1.0 + f32::from(i));
        let coil = |coil: u8| (0..32).map(|point| [number(coil, 2 * point), number(coil, 2 * point + 1)]).collect();
        Readout { counters: vec![(5, u16::from(scan > 0)), (6, scan)], coils: (0..2).map(coil).collect() }
    };
    twix_of(software, &format!("{TWIX_PROTOCOL}{more}"), &(0..scans).map(readout).collect::<Vec<_>>())
}

/// One readout of a twix file: counters by their places in its header, and the samples of every coil.
pub struct Readout {
    pub counters: Vec<(usize, u16)>,
    pub coils: Vec<Vec<[f32; 2]>>,
}

/// A file of VD or later with this protocol and these readouts.
pub fn twix_of(software: &str, protocol: &str, readouts: &[Readout]) -> Vec<u8> {
    const HEADER: usize = 10_240;
    let mut file = vec![0; HEADER];
    file[4] = 1;
    file[16..24].copy_from_slice(&(HEADER as u64).to_le_bytes());
    file.extend(twix_header(software, protocol));
    for Readout { counters, coils } in readouts {
        let mut header = [0_u8; 192];
        let (n_coils, points) = (coils.len(), coils[0].len());
        let dma = 192 + n_coils * (32 + 8 * points);
        header[..4].copy_from_slice(&(dma as u32).to_le_bytes());
        header[40] = 8;
        header[48..50].copy_from_slice(&(points as u16).to_le_bytes());
        header[50..52].copy_from_slice(&(n_coils as u16).to_le_bytes());
        for (counter, value) in counters {
            let at = 52 + 2 * counter;
            header[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        file.extend(header);
        for coil in coils {
            file.extend([0; 32]);
            file.extend(coil.iter().flatten().flat_map(|number| number.to_le_bytes()));
        }
    }
    let mut end = [0_u8; 192];
    end[40] = 1;
    end[0] = 192;
    file.extend(end);
    file
}

/// MR Spectroscopy Storage, explicit little-endian, two frames of 32 points (metabolites and water) by Philips.
pub fn small_dicom() -> Vec<u8> {
    let samples: Vec<u8> = (0..128).flat_map(|i| (i as f32).to_le_bytes()).collect();
    dicom_file(&[
        (0x0008, 0x0070, b"LO", b"Philips".to_vec()),
        (0x0018, 0x9052, b"FD", 2000.0_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9054, b"CS", b"PRESS".to_vec()),
        (0x0018, 0x9098, b"FD", 127.75_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9100, b"CS", b"1H".to_vec()),
        (0x0018, 0x9199, b"CS", b"YES".to_vec()),
        (0x0028, 0x0008, b"IS", b"2".to_vec()),
        (0x0028, 0x9002, b"UL", 32_u32.to_le_bytes().to_vec()),
        (0x5600, 0x0020, b"OF", samples),
    ])
}

/// An image of the same scan: without samples, and of the class of images.
pub fn small_dicom_image() -> Vec<u8> {
    let dicom = small_dicom();
    let mut image = dicom[..dicom.len() - 512 - 12].to_vec();
    let class = b"1.2.840.10008.5.1.4.1.1.4.2";
    let places: Vec<usize> = (0..image.len() - class.len()).filter(|at| image[*at..].starts_with(class)).collect();
    places.into_iter().for_each(|at| image[at + class.len() - 1] = b'1');
    image
}

/// Siemens' private object: a CSA header with the facts, and the samples.
pub fn small_csa_dicom() -> Vec<u8> {
    let mut csa = b"SV10\x04\x03\x02\x01".to_vec();
    let values: [(&str, &[&str]); 9] = [
        ("DataPointColumns", &["32"]),
        ("RealDwellTime", &["500000"]),
        ("ImagingFrequency", &["123.25"]),
        ("EchoTime", &["30"]),
        ("ImageOrientationPatient", &["-1", "0", "0", "0", "1", "0"]),
        ("VoiPosition", &["1.5", "-2", "3"]),
        ("VoiReadoutFoV", &["15"]),
        ("VoiPhaseFoV", &["25"]),
        ("VoiThickness", &["20"]),
    ];
    csa.extend((values.len() as u32).to_le_bytes());
    csa.extend(77_u32.to_le_bytes());
    for (name, items) in values {
        let mut field = name.as_bytes().to_vec();
        field.resize(76, 0);
        csa.extend(field);
        csa.extend((items.len() as u32).to_le_bytes());
        csa.extend(77_u32.to_le_bytes());
        for item in items {
            for word in [0, item.len() as u32, 77, 0] {
                csa.extend(word.to_le_bytes());
            }
            csa.extend(item.as_bytes());
            csa.resize(csa.len().div_ceil(4) * 4, 0);
        }
    }
    let samples: Vec<u8> = (0..64).flat_map(|i| (i as f32).to_le_bytes()).collect();
    dicom_file(&[
        (0x0008, 0x0070, b"LO", b"SIEMENS".to_vec()),
        (0x0029, 0x1210, b"OB", csa),
        (0x7fe1, 0x1010, b"OB", samples),
    ])
}

/// An explicit little-endian file of the given attributes.
pub fn dicom_file(elements: &[(u16, u16, &[u8; 2], Vec<u8>)]) -> Vec<u8> {
    let element = |group: u16, number: u16, vr: &[u8; 2], value: &[u8]| {
        let mut bytes: Vec<u8> = [group.to_le_bytes(), number.to_le_bytes()].concat();
        bytes.extend(vr);
        let mut value = value.to_vec();
        if value.len() % 2 == 1 {
            value.push(b' ');
        }
        if [b"OF", b"OB", b"SQ"].contains(&vr) {
            bytes.extend([0, 0]);
            bytes.extend((value.len() as u32).to_le_bytes());
        } else {
            bytes.extend((value.len() as u16).to_le_bytes());
        }
        bytes.extend(value);
        bytes
    };
    let uid = b"1.2.840.10008.5.1.4.1.1.4.2\0";
    let meta = [
        element(2, 2, b"UI", uid),
        element(2, 3, b"UI", b"1.2.3\0"),
        element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0"),
        element(2, 0x12, b"UI", b"1.2.4\0"),
    ]
    .concat();
    let mut file = vec![0; 128];
    file.extend(b"DICM");
    file.extend(element(2, 0, b"UL", &(meta.len() as u32).to_le_bytes()));
    file.extend(meta);
    file.extend(element(0x0008, 0x0016, b"UI", uid));
    for (group, number, vr, value) in elements {
        file.extend(element(*group, *number, vr, value));
    }
    file
}

/// A list of two coils, two averages of metabolites and one of water, with a noise vector before them; and its data, in
/// which every sample tells where it belongs: transient + i·coil at the first point, then falling.
pub fn small_list() -> (Vec<u8>, String) {
    let mut list =
        String::from("# === DATA DESCRIPTION FILE ===\n.    0    0    0  number_of_mixes                    :     2\n");
    let mut data = Vec::new();
    let mut vector = |typ: &str, mix: usize, channel: usize, average: usize, height: f32| {
        list += &format!(
            "  {typ}     {mix}     0     0     0     0     {channel}     0     0     0     0     0     {average}     1     0     0     0     0     0    256 {}\n",
            data.len()
        );
        for p in 0..32_u8 {
            let fall = 1.0 / (1.0 + f32::from(p));
            data.extend((height * (1.0 + average as f32) * fall).to_le_bytes());
            data.extend((height * channel as f32 * fall).to_le_bytes());
        }
    };
    vector("NOI", 0, 0, 0, 0.01);
    for (mix, averages, height) in [(0, 2, 1.0), (1, 1, 100.0)] {
        for average in 0..averages {
            (0..2).for_each(|channel| vector("STD", mix, channel, average, height));
        }
    }
    (data, list)
}

/// Parameters of a scan of two receivers and two averages, 64 points, with a filter's delay of 8.5 points.
pub const METHOD: &str = "##TITLE=Parameter List\n##$Method=<Bruker:PRESS>\n##$PVM_EchoTime=16.5\n\
    ##$PVM_RepetitionTime=2500\n##$PVM_NAverages=2\n##$PVM_NRepetitions=1\n##$PVM_DigNp=64\n##$PVM_DigSw=4000\n\
    ##$PVM_DigShiftDbl=8.5\n##$PVM_DigShift=9\n##$PVM_EncUseMultiRec=Yes\n##$PVM_EncNReceivers=2\n\
    ##$PVM_FrqWork=( 2 )\n400.25 0\n##$PVM_Nucleus1Enum=( 1, 8 )\n<1H>\n##$PVM_WsOnOff=On\n\
    ##$PVM_VoxArrSize=( 1, 3 )\n2 3 4\n##$PVM_VoxArrPosition=( 1, 3 )\n1 -1 0.5\n\
    ##$PVM_VoxArrGradOrient=( 1, 3, 3 )\n1 0 0 0 1 0 0 0 1\n##END=\n";
pub const ACQP: &str = "##TITLE=Parameter List\n##$ACQ_word_size=_32_BIT\n##$GO_raw_data_format=GO_32BIT_SGN_INT\n\
    ##$GO_block_size=Standard_KBlock_Format\n##$BYTORDA=little\n##END=\n";

/// [`METHOD`] with the water reference that ParaVision 360 writes into it.
pub fn method_with_reference() -> String {
    let numbers: Vec<String> = (0..2 * 2 * 64).map(|i: i32| (1_000_000 / (1 + i % 128)).to_string()).collect();
    let reference =
        format!("##$PVM_RefScanNA=2\n##$PVM_RefScanRG=50\n##$PVM_RefScan=( 2, 128 )\n{}\n", numbers.join(" "));
    METHOD.replace("##END=", &format!("{reference}##END="))
}

/// `rawdata.job0` of [`METHOD`].
pub fn small_bruker() -> Vec<u8> {
    let numbers = (0..2 * 2 * 64 * 2).map(|i: i32| 100_000 / (1 + i % 128));
    numbers.flat_map(i32::to_le_bytes).collect()
}

/// Every format's small file, by name, for those that decode one string of bytes.
pub fn all() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("NIfTI-MRS", small_nifti()),
        ("LCModel RAW", small_raw().into_bytes()),
        ("jMRUI text", small_jmrui().into_bytes()),
        ("jMRUI binary", small_mrui()),
        ("Siemens RDA", small_rda()),
        ("Siemens twix VE", small_twix()),
        ("Siemens twix VB", small_vb_twix()),
        ("DICOM standard", small_dicom()),
        ("DICOM private", small_csa_dicom()),
        ("GE P-file", small_pfile()),
        ("Varian fid", small_varian()),
        ("Varian procpar", PROCPAR.into()),
        ("Philips SPAR", SPAR.into()),
        ("Philips DATA", small_list().0),
        ("Philips LIST", small_list().1.into_bytes()),
        ("Bruker rawdata", small_bruker()),
        ("Bruker method", METHOD.into()),
        ("plain text", b"1.0 2.0\n3.0 -1.0\n0.5 0.25\n".to_vec()),
    ]
}

/// Everything that decodes bytes.
pub fn decode_all(bytes: &[u8]) {
    use requant::formats::*;
    let _ = siemens_rda::decode(bytes);
    let _ = ge_pfile::decode(bytes);
    let _ = jmrui_binary::decode(bytes);
    let _ = varian::decode(bytes, PROCPAR.as_bytes());
    let _ = varian::decode(small_varian(), bytes);
    let _ = siemens_twix::decode(bytes);
    let _ = dicom::decode(bytes);
    let _ = (siemens_twix::looks_like(bytes), ge_pfile::looks_like(bytes), dicom::looks_like(bytes));
    let _ = nifti_mrs::decode(bytes, None);
    let _ = decode_with_sidecar(bytes);
    let _ = nifti_mrs::is_spectroscopy(bytes);
    let _ = philips_sdat::decode(bytes, SPAR.as_bytes());
    let _ = philips_sdat::decode(&[0; 256], bytes);
    let (data, list) = small_list();
    let _ = philips_list::decode(bytes, list.as_bytes(), None);
    let _ = philips_list::decode(&data, bytes, Some(SPAR.as_bytes()));
    let _ = bruker::decode(bruker::Kind::Raw, bytes, METHOD.as_bytes(), ACQP.as_bytes(), Some(bytes.into()));
    let _ = bruker::decode(bruker::Kind::Fid, small_bruker(), bytes, ACQP.as_bytes(), None);
    let _ = lcmodel_raw::decode(bytes);
    let _ = lcmodel_control::parse(bytes);
    let _ = jmrui_text::decode(bytes);
    let _ = plain_text::decode(bytes);
}
