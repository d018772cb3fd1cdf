//! What recovery reads: a journal whose seals hold but whose content does not, its tables, and manifests.

use std::fs;
use std::path::{Path, PathBuf};

use requant::corpus::{PathLabels, find, find_labelled};
use requant::store::{
    ChunkRecord, ChunkRows, IfExists, Journal, Opening, Plan, PlannedInput, Span, SpectrumRow, Status, Timings,
    read_table,
};
use sha2::{Digest, Sha256};

const SIGNATURE: &str = "0123";

/// A journal of one file in a folder of its own, and one of its files by name.
struct Written {
    folder: tempfile::TempDir,
}

impl Written {
    fn new() -> Self {
        let written = Self { folder: tempfile::tempdir().unwrap() };
        let how = Opening { if_exists: IfExists::Refuse, resume: false, shard: None };
        let journal = Journal::open(written.folder.path(), &plan(), Vec::new(), how).unwrap();
        let row = SpectrumRow { spectrum_id: "a".into(), status: Status::Ok, ..SpectrumRow::default() };
        journal.write(record(), ChunkRows { spectra: vec![row], ..ChunkRows::default() }).unwrap();
        written
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(".requant").join(name)
    }

    /// Reads all that a run reads of it.
    fn read(&self) -> bool {
        let journal = Journal::at(self.folder.path());
        let plan = journal.plan();
        let (records, _) = journal.records(SIGNATURE);
        let rows = records.iter().all(|record| journal.holds(record) && journal.rows(record).is_ok());
        let _ =
            requant::run::merge(&[self.folder.path().to_owned()], &self.folder.path().join("out"), IfExists::Overwrite);
        plan.is_some() && !records.is_empty() && rows
    }
}

fn plan() -> Plan {
    Plan {
        signature: SIGNATURE.into(),
        settings: [("engine".to_owned(), "cpu".to_owned())].into(),
        inputs: vec![PlannedInput { source_path: "a.nii".into(), fingerprint: "0".into() }],
        left_out: Default::default(),
        carried: Vec::new(),
        learned: Vec::new(),
        config: serde_json::json!({}),
        methods: Vec::new(),
        warnings: Vec::new(),
        engine: "cpu".into(),
        device: "processor".into(),
        started_utc: "2026-01-01T00:00:00Z".into(),
        command_line: Vec::new(),
        timings: Timings::default(),
    }
}

fn record() -> ChunkRecord {
    ChunkRecord {
        plan: SIGNATURE.into(),
        span: Span::of_files(0..1),
        contents: Vec::new(),
        n_spectra: vec![1],
        files: Vec::new(),
        bases: Vec::new(),
        recipes: Vec::new(),
        ratio_rows: Vec::new(),
        notes: Vec::new(),
        timings: Timings::default(),
    }
}

/// The content of a sealed file.
fn content(path: &Path) -> Vec<u8> {
    let text = fs::read_to_string(path).unwrap();
    text.split_once("\"content\":").unwrap().1.trim_end().strip_suffix('}').unwrap().into()
}

fn seal(path: &Path, content: &[u8]) {
    let hash: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    fs::write(path, [format!("{{\"sha256\":\"{hash}\",\"content\":").as_bytes(), content, b"}\n"].concat()).unwrap();
}

/// Name, seeds, and whether what is read is accepted.
pub type Parts = (&'static str, Vec<Vec<u8>>, Box<dyn Fn(&[u8]) -> bool>);

pub fn targets() -> Vec<Parts> {
    let mut all: Vec<Parts> = Vec::new();
    for (name, file) in [("journal-plan", "plan.json"), ("journal-chunk", "chunk-000000-000001/chunk.json")] {
        let written = Written::new();
        let path = written.path(file);
        all.push((
            name,
            vec![content(&path)],
            Box::new(move |bytes| {
                seal(&path, bytes);
                written.read()
            }),
        ));
    }
    let written = Written::new();
    let part = written.path("chunk-000000-000001/spectra/part-00000.parquet");
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("spectra/part-00000.parquet");
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    all.push((
        "table",
        vec![fs::read(part).unwrap()],
        Box::new(move |bytes| {
            fs::write(&target, bytes).unwrap();
            read_table::<SpectrumRow>(folder.path()).is_ok()
        }),
    ));
    let utf16: Vec<u8> = "\u{feff}File name\tTE_s\nSüd.nii\t0,03\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let manifests: [&[u8]; 6] = [
        b"path,water_path,id,te_s,site\na.nii,none,x,0.03,here\nb.nii,,y,0.035,\"a, b\"\n",
        b"path;tr_s\r\na.nii;2.0\r\n",
        b"\xef\xbb\xbfpath,basis,dwell_s\na.nii,set.basis,5e-4\n",
        b"sep=;\rfile;te_s;age;;\r\r\\a.nii;0,035;'=4;NA;\r;;;;\r",
        b"path\tto_fill_in\tsubject\tte_ms\tPatient Name\n\"a\n.nii\"\tx (y)\t007\t-\tn/a\n",
        &utf16,
    ];
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.nii"), b"").unwrap();
    all.push((
        "manifest",
        manifests.map(Vec::from).into(),
        Box::new(move |bytes| {
            // The folder goes with the last who holds it.
            let list = folder.path().join("list.csv");
            fs::write(&list, bytes).unwrap();
            find(std::slice::from_ref(&list), &|_: &std::path::Path| requant::acquisition::FileKind::Spectrum).is_ok()
        }),
    ));
    all.push(path_labels());
    all.push(entity_filter());
    all
}

fn entity_filter() -> Parts {
    let filters: [&[u8]; 3] = [
        br#"{"svs": {"acquisition": ["press", "hercules"], "run": [1, "02"], "echo": null}}"#,
        br#"{"bold": {"task": "rest"}, "x": {"datatype": ["mrs"], "suffix": "svs", "volume": "*"}}"#,
        br#"{"mrs": {"session": "Query.NONE", "sub": "01"}}"#,
    ];
    (
        "entity-filter",
        filters.map(Vec::from).into(),
        Box::new(|bytes| {
            let path = "sub-01/ses-V02/mrs/sub-01_ses-V02_acq-press_run-01_voi-acc_svs.nii.gz";
            requant::corpus::EntityFilter::from_json(bytes).is_ok_and(|filter| filter.takes(path))
        }),
    )
}

fn path_labels() -> Parts {
    // A pattern on the first line, a path on the others.
    let patterns: [&[u8]; 3] = [
        b"{site}/{subject}_{session}/*\noslo/01_a/x.SDAT",
        b"./*_{voi}-*/{}/{site}.dat/**\na_PCC-b/c/d.dat/e/f",
        b"sub-{subject}\xc3\xa9*/\xe2\x80\xa6\nsub-01\xc3\xa9_/x.nii.gz",
    ];
    let folder = tempfile::tempdir().unwrap();
    (
        "path-labels",
        patterns.map(Vec::from).into(),
        Box::new(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let (pattern, paths) = text.split_once('\n').unwrap_or((&text, ""));
            let Ok(pattern) = pattern.parse::<PathLabels>() else { return false };
            let list = folder.path().join("list.csv");
            fs::write(&list, format!("path\n{paths}\n")).unwrap();
            let kind = |_: &Path| requant::acquisition::FileKind::Spectrum;
            find_labelled(std::slice::from_ref(&list), &kind, Some(&pattern)).is_ok()
        }),
    )
}
