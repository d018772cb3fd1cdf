//! Whatever a row depends on may change between a kill and `--resume`: the rows are then those of a fresh run, or the run
//! is refused and says what differs. The same of a run that was complete.

use std::fs;
use std::path::{Path, PathBuf};

use crate::common::kill::{Blocks, Silent};
use crate::common::small_files::{ACQP, METHOD, PROCPAR, SPAR, small_bruker, small_list, small_raw, small_varian};
use crate::common::source::{GOOD, Made, brain, water, write};
use crate::common::{basis, tables};
use requant::basis::{SetFormat, save};
use requant::fit::Method;
use requant::run::{RunError, RunOptions, Shard, Summary, merge, run};
use requant::store::{IfExists, read_run};

/// A folder with inputs, and what is run over it. The first file of the listing is done when the run stops.
pub(crate) struct Case {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) input: &'static str,
    pub(crate) basis: Option<&'static str>,
}

impl Case {
    pub(crate) fn new(input: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("in")).unwrap();
        let case = Self { folder, input, basis: Some("set.basis") };
        save(&basis(), &case.at("set.basis"), SetFormat::Lcmodel, false).unwrap();
        case
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.at(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn spectrum(&self, name: &str, seed: u64) {
        write(&self.at(name), &brain(Made { seed, ..GOOD }));
    }

    pub(crate) fn options(&self, out: &str) -> RunOptions {
        let method = Method::built_in("fsl").unwrap().unwrap();
        let mut options = RunOptions::new(vec![self.at(self.input)], vec![method], self.at(out)).unwrap();
        options.basis = self.basis.map(|name| self.at(name));
        options
    }

    pub(crate) fn run(&self, options: &RunOptions) -> Result<Summary, RunError> {
        run(options, &Blocks(1), &Silent)
    }

    /// The first file of an unfinished run, as a kill after it leaves it.
    fn first_only(&self, out: &str, options: &RunOptions) {
        let shard = Some(Shard { index: 0, count: 1000 });
        self.run(&RunOptions { shard, out: self.at(out), ..options.clone() }).unwrap();
        let n = fs::read_dir(self.at(out).join(".requant")).unwrap();
        let n = n.filter(|e| e.as_ref().unwrap().file_name().to_string_lossy().starts_with("chunk-")).count();
        assert_eq!(n, 1, "chunks that are done");
    }
}

fn replace(path: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Runs, stops, changes, resumes: the tables are those of a fresh run and not those of before. A complete run is not taken
/// for the run that would be done now.
fn done_again(case: &Case, change: impl FnOnce(&Case)) {
    let options = case.options("out");
    case.first_only("out", &options);
    case.run(&case.options("before")).unwrap();
    let before = tables(&case.at("before"));
    let resume = |out: &str| case.run(&RunOptions { resume: true, ..case.options(out) });
    assert!(resume("before").unwrap().was_complete);
    change(case);
    let summary = resume("out").unwrap();
    assert!(summary.warnings.iter().any(|w| w.contains("1 chunk was done again")), "{:?}", summary.warnings);
    case.run(&case.options("fresh")).unwrap();
    let fresh = tables(&case.at("fresh"));
    assert!(fresh != before, "the change does not matter to any row");
    assert!(tables(&case.at("out")) == fresh, "other rows than a fresh run's");
    let error = resume("before").unwrap_err().to_string();
    assert!(error.contains("inputs changed"), "{error}");
    assert!(tables(&case.at("before")) == before, "a refused run touches nothing");
}

#[test]
fn data() {
    let case = Case::new("in");
    (0..3).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    done_again(&case, |case| case.spectrum("in/0.nii", 99));
}

#[test]
fn water_reference() {
    let case = Case::new("in");
    case.spectrum("in/a_act.nii", 1);
    case.spectrum("in/b.nii", 2);
    write(&case.at("in/a_ref.nii"), &water());
    done_again(&case, |case| write(&case.at("in/a_ref.nii"), &brain(GOOD)));
}

#[test]
fn water_reference_that_appears() {
    let case = Case::new("in");
    case.spectrum("in/a_act.nii", 1);
    case.spectrum("in/b.nii", 2);
    done_again(&case, |case| write(&case.at("in/a_ref.nii"), &water()));
}

#[test]
fn sidecar_of_the_data_and_of_the_water() {
    for which in ["sub-01_svs", "sub-01_mrsref"] {
        let case = Case::new("in");
        for (name, mut data) in [("sub-01_svs", brain(GOOD)), ("sub-02_svs", brain(GOOD)), ("sub-01_mrsref", water())] {
            (data.facts.te_s, data.facts.tr_s) = (None, None);
            write(&case.at(&format!("in/{name}.nii")), &data);
            case.put(&format!("in/{name}.json"), r#"{"EchoTime": 0.030, "RepetitionTime": 2.0}"#);
        }
        done_again(&case, |case| replace(&case.at(&format!("in/{which}.json")), "2.0", "3.0"));
    }
}

#[test]
fn sidecar_of_a_folder_above() {
    let case = Case::new("in");
    case.put("in/dataset_description.json", "{}");
    for sub in ["sub-01", "sub-02"] {
        case.spectrum(&format!("in/{sub}/mrs/{sub}_svs.nii"), 1);
        write(&case.at(&format!("in/{sub}/mrs/{sub}_acq-a_mrsref.nii")), &water());
        write(&case.at(&format!("in/{sub}/mrs/{sub}_acq-b_mrsref.nii")), &brain(GOOD));
    }
    for sub in ["sub-01", "sub-02"] {
        let signal = format!(r#"{{"ReferenceSignal": "bids::{sub}/mrs/{sub}_acq-a_mrsref.nii"}}"#);
        case.put(&format!("in/{sub}/{sub}_svs.json"), signal);
    }
    // Another file is the reference now, and this one belongs to nobody: the listing is another.
    refused(&case, "only there sub-01/mrs/sub-01_acq-b_mrsref", &|case, options| {
        let sidecar = case.at("in/sub-01/sub-01_svs.json");
        if fs::read_to_string(&sidecar).unwrap().contains("acq-a") {
            replace(&sidecar, "acq-a", "acq-b");
        }
        options
    });
}

#[test]
fn spar_of_the_data_and_of_the_water() {
    for which in ["a_act.SPAR", "a_ref.SPAR"] {
        let case = Case::new("in");
        for name in ["a_act", "a_ref", "b"] {
            let bytes: Vec<u8> = (0..64_u8).flat_map(|i| [0x80, 0x40 + i % 4, i, 1]).collect();
            case.put(&format!("in/{name}.SDAT"), bytes);
            case.put(&format!("in/{name}.SPAR"), SPAR);
        }
        done_again(&case, |case| replace(&case.at(&format!("in/{which}")), "2000", "1800"));
    }
}

#[test]
fn procpar_of_varian() {
    let case = Case::new("in");
    for name in ["a.fid", "b.fid"] {
        case.put(&format!("in/{name}/fid"), small_varian());
        case.put(&format!("in/{name}/procpar"), PROCPAR);
    }
    done_again(&case, |case| replace(&case.at("in/a.fid/procpar"), "5000", "4000"));
}

#[test]
fn method_acqp_and_reference_scan_of_bruker() {
    for (which, from, to) in
        [("method", "=2500", "=3000"), ("acqp", "Parameter List", "Parameters"), ("fid.refscan", "", "")]
    {
        let case = Case::new("in");
        for scan in ["1", "2"] {
            case.put(&format!("in/{scan}/rawdata.job0"), small_bruker());
            case.put(&format!("in/{scan}/method"), METHOD);
            case.put(&format!("in/{scan}/acqp"), ACQP);
            case.put(&format!("in/{scan}/fid.refscan"), small_bruker());
        }
        done_again(&case, |case| match which {
            "fid.refscan" => case.put("in/1/fid.refscan", [&small_bruker()[4..], &[0; 4]].concat()),
            text => replace(&case.at(&format!("in/1/{text}")), from, to),
        });
    }
}

#[test]
fn list_and_spar_of_philips_data() {
    for which in ["a.list", "a.SPAR"] {
        let case = Case::new("in");
        let (data, list) = small_list();
        for name in ["a", "b"] {
            case.put(&format!("in/{name}.data"), &data);
            case.put(&format!("in/{name}.list"), &list);
            case.put(&format!("in/{name}.SPAR"), SPAR);
        }
        done_again(&case, |case| match which {
            "a.SPAR" => replace(&case.at("in/a.SPAR"), ": 35", ": 30"),
            _ => replace(&case.at("in/a.list"), "NOI", "PHX"),
        });
    }
}

#[test]
fn control_file_of_lcmodel() {
    let case = Case::new("in");
    let text = small_raw().replace("ECHOT=30. HZPPPM=123.2", "");
    for name in ["a", "b"] {
        case.put(&format!("in/{name}/{name}.RAW"), &text);
        case.put(
            &format!("in/{name}/x.control"),
            format!(" $LCMODL\n nunfil=16\n deltat=2.5e-4\n hzpppm=123.2\n echot=30.\n filraw='{name}.RAW'\n $END\n"),
        );
    }
    done_again(&case, |case| replace(&case.at("in/a/x.control"), "echot=30.", "echot=35."));
}

#[test]
fn row_of_a_manifest() {
    let case = Case::new("in/list.csv");
    (0..2).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    case.put("in/list.csv", "path,tr_s,site\n0.nii,2.0,here\n1.nii,2.0,here\n");
    done_again(&case, |case| replace(&case.at("in/list.csv"), "0.nii,2.0,here", "0.nii,2.0,there"));
}

#[test]
fn table_of_participants() {
    let case = Case::new("in");
    case.put("in/dataset_description.json", "{}");
    case.put("in/participants.tsv", "participant_id\tsite\nsub-01\there\nsub-02\there\n");
    ["sub-01", "sub-02"].iter().for_each(|sub| case.spectrum(&format!("in/{sub}/mrs/{sub}_svs.nii"), 1));
    done_again(&case, |case| replace(&case.at("in/participants.tsv"), "sub-01\there", "sub-01\tthere"));
}

#[test]
fn basis_file_and_folder_of_a_manifest() {
    for (name, format) in [("own.basis", SetFormat::Lcmodel), ("own", SetFormat::Raw)] {
        let case = Case { basis: None, ..Case::new("in/list.csv") };
        save(&basis(), &case.at(&format!("in/{name}")), format, false).unwrap();
        (0..2).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
        case.put("in/list.csv", format!("path,basis\n0.nii,{name}\n1.nii,../set.basis\n"));
        done_again(&case, |case| {
            let mut changed = basis();
            changed.fids *= num_complex::Complex64::new(1.1, 0.0);
            save(&changed, &case.at(&format!("in/{name}")), format, true).unwrap();
        });
    }
}

/// Changes, for an unfinished and for a complete run: refused with what differs.
fn refused(case: &Case, says: &str, changed: &dyn Fn(&Case, RunOptions) -> RunOptions) {
    case.first_only("out", &case.options("out"));
    case.run(&case.options("complete")).unwrap();
    let before = tables(&case.at("complete"));
    for out in ["out", "complete"] {
        let options = changed(case, RunOptions { resume: true, ..case.options(out) });
        let error = case.run(&options).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("differs in") && text.contains(says) && text.contains("--overwrite"), "{says}: {text}");
        assert_eq!(error.exit_code(), 73);
    }
    assert!(tables(&case.at("complete")) == before);
}

#[test]
fn settings_are_refused_with_what_differs() {
    let case = || {
        let case = Case::new("in");
        (0..2).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
        case
    };
    refused(&case(), "method map", &|_, options| RunOptions {
        methods: vec![Method::built_in("map").unwrap().unwrap()],
        ..options
    });
    refused(&case(), "--curves", &|_, options| RunOptions { curves: requant::run::CurvesKept::Full, ..options });
    refused(&case(), "missing values", &|_, mut options| {
        options.gaps.tr_s = Some(1.5);
        options
    });
    refused(&case(), "water scaling", &|_, mut options| {
        options.water_scaling.water_concentration_mmol_per_kg += 1.0;
        options
    });
    refused(&case(), "basis set", &|case, options| {
        let mut changed = basis();
        changed.fids *= num_complex::Complex64::new(1.1, 0.0);
        save(&changed, &case.at("set.basis"), SetFormat::Lcmodel, true).unwrap();
        options
    });
    refused(&case(), "only here 2.nii", &|case, options| {
        case.spectrum("in/2.nii", 2);
        options
    });
}

#[test]
fn less_memory_is_no_other_setting() {
    let case = Case::new("in");
    (0..4).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    let wide = |options: RunOptions| run(&options, &Blocks(4), &Silent).unwrap();
    wide(case.options("whole"));
    case.first_only("out", &case.options("out"));
    let options = RunOptions { resume: true, memory_bytes: 512 << 20, ..case.options("out") };
    wide(options);
    assert!(tables(&case.at("out")) == tables(&case.at("whole")));
}

#[test]
fn a_chunk_whose_inputs_changed_goes_although_the_rest_is_cut_otherwise() {
    let case = Case::new("in");
    (0..8).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    // All is done, two files a chunk, and not merged.
    let all = Some(Shard { index: 0, count: 1 });
    let done = |out: &str| run(&RunOptions { shard: all, ..case.options(out) }, &Blocks(8), &Silent).unwrap();
    let chunks = |out: &str| -> Vec<String> {
        let names = fs::read_dir(case.at(out).join(".requant")).unwrap().map(|e| e.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.retain(|name| name.starts_with("chunk-"));
        names.sort();
        names
    };
    ["out", "shard"].iter().for_each(|out| drop(done(out)));
    assert_eq!(chunks("out").len(), 4);
    case.spectrum("in/0.nii", 99);
    case.run(&case.options("fresh")).unwrap();
    let resumed = RunOptions { resume: true, memory_bytes: 512 << 20, ..case.options("out") };
    let summary = case.run(&resumed).unwrap();
    assert!(summary.warnings.iter().any(|w| w.contains("1 chunk was done again")), "{:?}", summary.warnings);
    assert!(tables(&case.at("out")) == tables(&case.at("fresh")), "the chunk of before was taken");
    // A merge by itself has nothing but the journal to go by.
    merge(&[case.at("shard")], &case.at("old"), IfExists::Refuse).unwrap();
    let stopped = RunOptions { resume: true, shard: all, ..case.options("shard") };
    let refused = case.run(&stopped).unwrap_err().to_string();
    assert!(refused.contains("inputs changed"), "{refused}");
    assert_eq!(chunks("shard").len(), 4, "a refused run touches nothing");
}

#[test]
fn notes_and_counts_of_what_is_left_out_are_those_of_the_resumed_run() {
    let case = Case::new("in");
    (0..3).for_each(|i| case.spectrum(&format!("in/{i}.nii"), i));
    case.first_only("out", &case.options("out"));
    case.put("in/notes.txt", "no spectrum");
    // A link in a circle is a note about the listing.
    #[cfg(unix)]
    std::os::unix::fs::symlink(case.at("in"), case.at("in/again")).unwrap();
    case.run(&RunOptions { resume: true, ..case.options("out") }).unwrap();
    case.run(&case.options("fresh")).unwrap();
    let [resumed, fresh] = ["out", "fresh"].map(|out| read_run(&case.at(out)).unwrap());
    assert_eq!(resumed.inputs.left_out, fresh.inputs.left_out);
    assert_eq!(resumed.warnings, fresh.warnings);
    assert!(cfg!(not(unix)) || !fresh.warnings.is_empty(), "a link in a circle is told");
    assert!(!fresh.inputs.left_out.is_empty());
}
