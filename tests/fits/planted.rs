//! What stands in a file's header reaches tables, logs, pages, pictures and other files only through the fields that are
//! meant to, cut and without what a terminal obeys. A name is planted in every other text that a file can hold, and looked
//! for in everything that the commands write.

use std::fmt::Debug;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::common::small_files::*;
use requant::formats::nifti_mrs;
use requant::simulate::{Recipe, write};
use requant::store::{CurveRow, MetaboliteRow, PlannedRow, SpectrumRow, Table, TransientRow, read_table};

/// Stands where patients, places and persons do.
const PLANTED: &str = "PLANTED^NAME";
/// Stands in the fields that tables repeat, behind what clears a terminal and turns text round.
const ALLOWED: &str = "\u{1b}[2J\u{202e}ALLOWED\u{7}";

fn requant(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_requant")).current_dir(folder).args(args).output().unwrap()
}

/// A NIfTI-MRS file with another header extension, and a name in the container's own texts.
fn nifti_with(file: &[u8], extension: &[u8]) -> Vec<u8> {
    let number = |at: usize| i64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    let data = &file[usize::try_from(number(168)).unwrap()..];
    let size = (extension.len() + 8).div_ceil(16) * 16;
    let mut made = file[..544].to_vec();
    made[240..240 + PLANTED.len()].copy_from_slice(PLANTED.as_bytes());
    made[320..320 + PLANTED.len()].copy_from_slice(PLANTED.as_bytes());
    made.extend((size as i32).to_le_bytes());
    made.extend(44_i32.to_le_bytes());
    made.extend(extension);
    made.resize(544 + size, 0);
    let start = made.len() as i64;
    made[168..176].copy_from_slice(&start.to_le_bytes());
    made.extend(data);
    made
}

/// An extension with a name in every field that is none of the allowed ones.
fn extension(more: &str) -> String {
    let planted = ["PatientName", "PatientID", "PatientDoB", "PatientSex", "DeviceSerialNumber", "InstitutionName"];
    let planted = planted.iter().chain(&["InstitutionAddress", "TxCoil", "RxCoil", "OriginalFile", "Unknown"]);
    let planted: String = planted.map(|key| format!("\"{key}\": \"{PLANTED}\", ")).collect();
    format!(
        "{{{planted} \"ProcessingApplied\": [{{\"Time\": \"{PLANTED}\", \"Details\": \"{PLANTED}\"}}], \
         \"Own\": {{\"Value\": \"{PLANTED}\", \"Description\": \"{PLANTED}\"}}, \
         \"ConversionMethod\": \"{PLANTED}\", \"SubjectID\": [\"{PLANTED}\"] {more}}}"
    )
}

fn nifti_extensions() -> Vec<(&'static str, String)> {
    let f0 = ", \"SpectrometerFrequency\": [123.2], \"ResonantNucleus\": [\"1H\"], \"dim_5\": \"DIM_DYN\"";
    vec![
        ("whole", extension(f0)),
        ("string", format!("\"{PLANTED}\"")),
        ("array", format!("[\"{PLANTED}\"]")),
        ("number", "12".to_owned()),
        ("cut", format!("{{\"PatientName\": \"{PLANTED}")),
        ("bare", format!("{{\"PatientName\": {PLANTED}}}")),
        ("types", extension(&format!(", \"SpectrometerFrequency\": \"{PLANTED}\", \"EchoTime\": [\"{PLANTED}\"]"))),
        ("nucleus", extension(&format!(", \"SpectrometerFrequency\": [123.2], \"ResonantNucleus\": [\"{PLANTED}\"]"))),
        ("tag", extension(&format!(", \"dim_5\": \"{PLANTED}\""))),
        ("header", extension(&format!("{f0}, \"dim_5_header\": {{\"{PLANTED}\": [\"{PLANTED}\"]}}"))),
    ]
}

fn dicom_with_persons(class: &str) -> Vec<u8> {
    let person = |group: u16, number: u16, vr: &'static [u8; 2]| (group, number, vr, PLANTED.as_bytes().to_vec());
    let mut elements = vec![
        person(0x0008, 0x0080, b"LO"),
        person(0x0008, 0x0090, b"PN"),
        person(0x0008, 0x1030, b"LO"),
        person(0x0008, 0x103e, b"LO"),
        person(0x0010, 0x0010, b"PN"),
        person(0x0010, 0x0020, b"LO"),
        person(0x0010, 0x0030, b"DA"),
        person(0x0010, 0x4000, b"LT"),
        person(0x0018, 0x1000, b"LO"),
        person(0x0018, 0x1030, b"LO"),
        (0x0018, 0x9052, b"FD", 2000.0_f64.to_le_bytes().to_vec()),
        (0x0018, 0x9098, b"FD", 127.75_f64.to_le_bytes().to_vec()),
        (0x0028, 0x0008, b"IS", class.as_bytes().to_vec()),
        (0x0028, 0x9002, b"UL", 32_u32.to_le_bytes().to_vec()),
    ];
    if class == "1" {
        elements.push((0x5600, 0x0020, b"OF", (0..64).flat_map(|i| (i as f32).to_le_bytes()).collect()));
    }
    dicom_file(&elements)
}

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Files of every format with names in them, whole and broken.
fn plant(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| put(folder, name, bytes);
    for (name, text) in nifti_extensions() {
        put(&format!("nifti-{name}.nii"), &nifti_with(&small_nifti(), text.as_bytes()));
    }
    put("nifti-whole.json", format!("{{\"PatientName\": \"{PLANTED}\", \"EchoTime\": \"{PLANTED}\"}}").as_bytes());
    put("sub-1_svs.nii", &small_nifti());
    put("sub-1_svs.json", format!("{{\"PatientName\": {PLANTED}}}").as_bytes());
    plant_text_formats(folder);
    plant_raw_data(folder);
    plant_exports(folder);
}

fn plant_text_formats(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| put(folder, name, bytes);
    let spar = format!("examination_name : {PLANTED}\npatient_name : {PLANTED}\nscan_id : {PLANTED}\n{SPAR}");
    put("spar.SDAT", &[0; 256]);
    put("spar.SPAR", spar.as_bytes());
    put("spar2.SDAT", &[0; 256]);
    put("spar2.SPAR", spar.replace("samples : 32", &format!("samples : {PLANTED}")).as_bytes());
    let raw = small_raw();
    put(
        "raw.RAW",
        format!(" {PLANTED}\n{}", raw.replace("ID='x'", &format!("ID='{PLANTED}', PLANTED='{PLANTED}'"))).as_bytes(),
    );
    put(
        "raw.control",
        format!(" $LCMODL\n title='{PLANTED}'\n owner='{PLANTED}'\n hzpppm={PLANTED}\n $END\n").as_bytes(),
    );
    put("raw2.RAW", raw.replace("VOLUME=1.", &format!("VOLUME={PLANTED}")).as_bytes());
    put("raw3.RAW", format!("{raw} {PLANTED}\n").as_bytes());
    put("raw4.RAW", format!("{raw} $PLANTED ID='{PLANTED}' $END\n 1. 2.\n").as_bytes());
    put("raw5.RAW", raw.replace("(2E15.6)", PLANTED).replace("-5.000000E-1", PLANTED).as_bytes());
    put("raw6.RAW", format!(" $NMID ID='{PLANTED}'\n $PLANTED\n").as_bytes());
    let jmrui = small_jmrui().replace(
        "Signal and FFT",
        &format!("NameOfPatient: {PLANTED}\nAdditionalInformation: {PLANTED}\n\nSignal and FFT"),
    );
    put("jmrui.txt", jmrui.as_bytes());
    put("jmrui2.txt", jmrui.replace("3.5\t", &format!("{PLANTED}\t")).as_bytes());
    put("jmrui3.txt", jmrui.replace("PointsInDataset: 16", &format!("PointsInDataset: {PLANTED}")).as_bytes());
}

fn plant_raw_data(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| put(folder, name, bytes);
    let mut pfile = small_pfile();
    for place in pfile[20_000..60_000].chunks_exact_mut(PLANTED.len()) {
        place.copy_from_slice(PLANTED.as_bytes());
    }
    put("P00001.7", &pfile);
    put("varian/fid", &small_varian());
    let text = |name: &str| format!("{name} 2 2 8 0 0 2 1 11 1 64\n1 \"{PLANTED}\"\n0 \n");
    let procpar = format!("{}{}{PROCPAR}", text("pname"), text("comment"));
    put("varian/procpar", procpar.as_bytes());
    put("varian2/fid", &small_varian());
    let array = format!("array 2 2 8 0 0 2 1 11 1 64\n1 \"{PLANTED},b\"\n0 \n");
    put("varian2/procpar", format!("{array}{procpar}").as_bytes());
    for (name, mut twix) in [("twix.dat", small_twix()), ("twix-vb.dat", small_vb_twix())] {
        let from = b"sSpecPara.sVoI.sPosition.dTra = -4.5\n";
        let to = format!("tPatientName = \"{PLANTED}\"");
        let at = twix.windows(from.len()).position(|w| w == from).unwrap();
        twix[at..at + to.len()].copy_from_slice(to.as_bytes());
        put(name, &twix);
    }
}

fn plant_exports(folder: &Path) {
    let put = |name: &str, bytes: &[u8]| put(folder, name, bytes);
    let rda = small_rda();
    let replaced = |from: &str, to: &str| {
        let at = rda.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        [&rda[..at], to.as_bytes(), &rda[at + from.len()..]].concat()
    };
    put(
        "persons.rda",
        &replaced("nobody", &format!("{PLANTED}\r\nPatientID: {PLANTED}\r\nInstitutionName: {PLANTED}")),
    );
    put("persons2.rda", &replaced("VectorSize: 16", &format!("VectorSize: {PLANTED}")));
    let dicom = dicom_with_persons("1");
    put("persons.dcm", &dicom);
    put("cut.dcm", &dicom[..dicom.len() - 200]);
    put("image.dcm", &dicom_with_persons("2"));
    put("frames.dcm", &dicom_with_persons(PLANTED));
    let (data, list) = small_list();
    put("list.data", &data);
    put("list.list", format!("# patient: {PLANTED}\n.    0    0    0  {PLANTED} : 1\n{list}").as_bytes());
    put("list2.data", &data);
    put("list2.list", format!("{list}  STD {PLANTED} 0 0\n").as_bytes());
    put("bruker/rawdata.job0", &small_bruker());
    put(
        "bruker/method",
        format!("##OWNER={PLANTED}\n$$ {PLANTED}\n##$PVM_Comment=( 20 )\n<{PLANTED}>\n{METHOD}").as_bytes(),
    );
    put("bruker/acqp", format!("##OWNER={PLANTED}\n##$ACQ_operator=<{PLANTED}>\n{ACQP}").as_bytes());
    put("bruker2/rawdata.job0", &small_bruker());
    put("bruker2/method", METHOD.replace("PVM_DigNp=64", &format!("PVM_DigNp={PLANTED}")).as_bytes());
    put("bruker2/acqp", ACQP.as_bytes());
    put("plain.txt", format!("1.0 2.0\n3.0 -1.0\n{PLANTED} 0.25\n").as_bytes());
}

/// A spectrum that is fitted, with names in its header and allowed texts that try to do harm.
fn good_scan(folder: &Path) -> PathBuf {
    let mut recipe = Recipe::from_toml(Recipe::FIRST_RUN).unwrap();
    recipe.keep_to_the_model();
    recipe.subjects = 1;
    recipe.site.truncate(1);
    let written = write(&folder.join("made"), &recipe).unwrap();
    let source = written.spectra.join("sub-0001/mrs/sub-0001_voi-acc_svs.nii.gz");
    let mut file = Vec::new();
    flate2::read::GzDecoder::new(fs::File::open(&source).unwrap()).read_to_end(&mut file).unwrap();
    let scan = requant::read(&source).unwrap();
    let allowed = serde_json::json!(format!("{ALLOWED}{}", "x".repeat(100_000)));
    let more = format!(
        ", \"SpectrometerFrequency\": [{}], \"ResonantNucleus\": [\"1H\"], \"EchoTime\": {}, \"SequenceName\": {allowed}, \
         \"Manufacturer\": {allowed}",
        scan.facts.f0_mhz.unwrap(),
        scan.facts.te_s.unwrap()
    );
    fs::create_dir_all(folder.join("good")).unwrap();
    let path = folder.join("good/scan.nii");
    fs::write(&path, nifti_with(&file, extension(&more).as_bytes())).unwrap();
    assert!(nifti_mrs::decode(&fs::read(&path).unwrap(), None).is_ok());
    fs::copy(written.bases[0].as_path(), folder.join("set.basis")).unwrap();
    path
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// The rows of a table as text, every cell whole.
fn rows<T: Table + Debug>(out: &Path) -> String {
    format!("{:?}", read_table::<T>(out).unwrap_or_default())
}

/// Everything under `folder`, files as they are and tables unpacked, with what it is.
fn everything(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap).filter(|e| e.path().is_file()) {
        all.push((entry.path().display().to_string(), fs::read(entry.path()).unwrap()));
    }
    assert!(!all.is_empty(), "{}: nothing was written", folder.display());
    let tables =
        [rows::<SpectrumRow>, rows::<MetaboliteRow>, rows::<CurveRow>, rows::<TransientRow>, rows::<PlannedRow>];
    all.extend(tables.map(|rows| (format!("rows of {}", folder.display()), rows(folder).into_bytes())));
    all
}

fn printed(what: &str, output: &Output) -> [(String, Vec<u8>); 2] {
    [(format!("{what}: stdout"), output.stdout.clone()), (format!("{what}: stderr"), output.stderr.clone())]
}

#[test]
fn no_name_in_a_file_reaches_anything_that_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    plant(&at("in"));
    let run = |args: &[&str]| requant(folder.path(), args);
    let mut all = Vec::new();
    all.extend(printed("run", &run(&["run", "in", "--out", "out", "--engine", "cpu", "--curves", "--transients"])));
    all.extend(printed("plan", &run(&["plan", "in", "--out", "planned", "--engine", "cpu"])));
    all.extend(everything(&at("out")));
    all.extend(everything(&at("planned")));
    fs::create_dir(at("converted")).unwrap();
    let files: Vec<PathBuf> =
        walkdir::WalkDir::new(at("in")).sort_by_file_name().into_iter().map(|e| e.unwrap().into_path()).collect();
    for (n, file) in files.iter().filter(|f| f.is_file()).enumerate() {
        let (file, plot) = (file.to_str().unwrap(), format!("converted/{n}.svg"));
        let target = format!("converted/{n}.nii");
        all.extend(printed(file, &run(&["inspect", file, "--plot", &plot])));
        all.extend(printed(file, &run(&["convert", file, &target, "--f0-mhz", "123.2", "--dwell-s", "0.0005"])));
        all.extend(printed(file, &run(&["fit", file, "--f0-mhz", "123.2", "--dwell-s", "0.0005"])));
    }
    all.extend(everything(&at("converted")));
    // Rows for every kind of file, or nothing was tried.
    let rows: Vec<SpectrumRow> = read_table(&at("out")).unwrap();
    let n_files = rows.iter().map(|r| &r.source_path).collect::<std::collections::BTreeSet<_>>().len();
    assert!(n_files >= 35, "{n_files} files were found");
    let leaks = all.iter().filter(|(_, bytes)| holds(bytes, "PLANTED"));
    let leaks: Vec<String> = leaks.map(|(what, bytes)| format!("{what}: {}", context(bytes, "PLANTED"))).collect();
    assert!(leaks.is_empty(), "{}", leaks.join("\n\n"));
}

/// What stands about a text.
fn context(bytes: &[u8], text: &str) -> String {
    let at = bytes.windows(text.len()).position(|w| w == text.as_bytes()).unwrap();
    String::from_utf8_lossy(&bytes[at.saturating_sub(160)..(at + 80).min(bytes.len())]).into_owned()
}

#[test]
fn allowed_texts_come_cut_and_without_what_terminals_obey() {
    let folder = tempfile::tempdir().unwrap();
    let scan = good_scan(folder.path());
    let scan = scan.to_str().unwrap();
    let run = |args: &[&str]| {
        let output = requant(folder.path(), args);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        output
    };
    let mut all = Vec::new();
    let engine = ["--engine", "cpu", "--basis", "set.basis"];
    all.extend(printed("run", &run(&[&["run", scan, "--out", "out", "--curves"][..], &engine].concat())));
    all.extend(printed("plan", &run(&[&["plan", scan, "--out", "planned"][..], &engine].concat())));
    all.extend(printed("fit", &run(&["fit", scan, "--basis", "set.basis", "--plot", "fit.svg"])));
    all.extend(printed("inspect", &run(&["inspect", scan, "--plot", "inspect.svg"])));
    all.extend(printed("convert", &run(&["convert", scan, "converted.nii"])));
    // Without a basis set the sequence has no simulation, and the message must say which one.
    all.extend(printed("refused", &requant(folder.path(), &["fit", scan])));
    for name in ["fit.svg", "inspect.svg", "out/run.json"] {
        all.push((name.to_owned(), fs::read(folder.path().join(name)).unwrap()));
    }
    all.extend(everything(&folder.path().join("out")).into_iter().filter(|(what, _)| what.starts_with("rows")));
    all.extend(everything(&folder.path().join("planned")).into_iter().filter(|(what, _)| what.starts_with("rows")));
    for (what, bytes) in &all {
        assert!(!holds(bytes, "PLANTED"), "{what}: {}", context(bytes, "PLANTED"));
        let text = String::from_utf8(bytes.clone()).unwrap();
        let obeyed = |c: char| (c.is_control() && !"\n\t\r".contains(c)) || ('\u{202a}'..='\u{202e}').contains(&c);
        assert_eq!(text.chars().find(|c| obeyed(*c)), None, "{what}");
        assert!(!text.contains(&"x".repeat(200)), "{what} holds an endless text");
    }
    let row = &read_table::<SpectrumRow>(&folder.path().join("out")).unwrap()[0];
    for text in [row.sequence.as_ref().unwrap(), row.vendor.as_ref().unwrap()] {
        assert!(text.contains("ALLOWED") && text.chars().count() <= 128, "{text}");
        assert!(!text.chars().any(|c| c.is_control() || c == '\u{202e}'), "{text:?}");
    }
    let converted = fs::read(folder.path().join("converted.nii")).unwrap();
    assert!(holds(&converted, "ALLOWED") && !holds(&converted, "PLANTED") && !holds(&converted, "\u{1b}[2J"));
}
