//! Names of converted files: as the sources lie, or by BIDS.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::corpus::Found;
use crate::output_path::safe_name_from;
use crate::run::load::Failure;

/// Entities of spectroscopy in BIDS behind subject and session, in their order (specification 1.10, "Magnetic resonance
/// spectroscopy").
const ENTITIES: [&str; 8] = ["task", "acq", "nuc", "voi", "rec", "run", "echo", "inv"];
/// Most characters of a part of a path that is made of a name.
const MOST: usize = 100;

/// What a source's files are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Taken {
    /// The path of the source, without extension.
    Path(String),
    /// Labels of BIDS, by their entities; `sub` is there.
    Bids(BTreeMap<&'static str, String>),
}

impl Taken {
    /// The file of a measurement, without its extension.
    pub(super) fn file(&self, measurement: Option<&str>, is_grid: bool) -> String {
        self.with(measurement, if is_grid { "mrsi" } else { "svs" }, "")
    }

    /// The file of its water reference.
    pub(super) fn reference(&self, measurement: Option<&str>) -> String {
        self.with(measurement, "mrsref", "_ref")
    }

    fn with(&self, measurement: Option<&str>, suffix: &str, ending: &str) -> String {
        match self {
            Self::Path(path) => {
                let own = measurement.map(|name| format!("_{}", safe_name_from(name, MOST))).unwrap_or_default();
                format!("{path}{own}{ending}")
            }
            Self::Bids(labels) => {
                let mut labels = labels.clone();
                if let Some(name) = measurement {
                    let acq = labels.remove("acq").unwrap_or_default();
                    labels.insert("acq", acq + &label(name));
                }
                let of = |key: &str| Some(format!("{key}-{}", labels.get(key)?));
                let folder: Vec<String> = ["sub", "ses"].into_iter().filter_map(of).collect();
                let entities = folder.iter().cloned().chain(ENTITIES.into_iter().filter_map(of));
                let name: Vec<String> = entities.chain([suffix.to_owned()]).collect();
                format!("{}/mrs/{}", folder.join("/"), name.join("_"))
            }
        }
    }

    /// The subject, as participants.tsv has it.
    pub(super) fn subject(&self) -> Option<&String> {
        match self {
            Self::Path(_) => None,
            Self::Bids(labels) => labels.get("sub"),
        }
    }
}

/// Names of all sources, or why one has none.
pub(super) struct Names {
    pub(super) taken: Vec<Result<Taken, Failure>>,
    /// What was done to labels.
    pub(super) notes: Vec<String>,
}

impl Names {
    /// As the sources lie: ids are distinct.
    pub(super) fn of_paths(found: &[Found]) -> Self {
        let mut paths: HashMap<String, usize> = HashMap::new();
        let taken = found.iter().map(|one| {
            let parts: Vec<String> = one.id.split('/').map(|part| safe_name_from(part, MOST)).collect();
            let path = parts.join("/");
            // Names that differ in characters that no file has everywhere.
            let n = paths.entry(path.to_lowercase()).or_default();
            *n += 1;
            Ok(Taken::Path(if *n > 1 { format!("{path}~{n}").replace('~', "-") } else { path }))
        });
        Self { taken: taken.collect(), notes: Vec::new() }
    }

    /// By BIDS: subject and session of manifest, path or name, the rest of names that are of BIDS already, and numbers of runs
    /// where several would have one name.
    pub(super) fn of_bids(found: &[Found]) -> Self {
        let at_sites = sites_of_subjects(found);
        let is_shared = at_sites.values().any(|sites| sites.len() > 1);
        let mut whose: HashMap<String, String> = HashMap::new();
        let mut taken: Vec<Result<Taken, Failure>> =
            found.iter().map(|one| labels(one, is_shared, &mut whose).map(Taken::Bids)).collect();
        let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, name) in taken.iter().enumerate() {
            if let Ok(name) = name {
                alike.entry(name.file(None, false).to_lowercase()).or_default().push(i);
            }
        }
        let mut n_numbered = 0;
        for same in alike.into_values().filter(|same| same.len() > 1) {
            n_numbered += same.len();
            for (run, i) in same.into_iter().enumerate() {
                if let Some(Ok(Taken::Bids(labels))) = taken.get_mut(i) {
                    labels.insert("run", (run + 1).to_string());
                }
            }
        }
        let mut notes = Vec::new();
        if is_shared {
            notes.push("subjects of different sites have one label: labels begin with the site's".to_owned());
        }
        if n_numbered > 0 {
            notes.push(format!(
                "{n_numbered} files have another's labels and are numbered as runs, in the order of their paths"
            ));
        }
        Self { taken, notes }
    }
}

fn sites_of_subjects(found: &[Found]) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut sites: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for one in found {
        if let Some(subject) = &one.subject {
            sites.entry(subject).or_default().insert(one.site.as_deref().unwrap_or_default());
        }
    }
    sites
}

/// The labels of one source. `whose` remembers what each label was made of: two people never become one.
fn labels(
    one: &Found,
    with_site: bool,
    whose: &mut HashMap<String, String>,
) -> Result<BTreeMap<&'static str, String>, Failure> {
    let failed = |message: String| Failure::new("bids_labels", format!("{}: {message}", one.source_path));
    let Some(stated) = &one.subject else {
        return Err(failed(
            "no subject; fill in `subject` in a manifest, or give --site-from with {subject}".to_owned(),
        ));
    };
    let site = one.site.as_deref().filter(|_| with_site).unwrap_or_default();
    let subject = label(&format!("{site}{stated}"));
    if subject.is_empty() {
        return Err(failed(format!("the subject `{stated}` has no letter or digit; give another label")));
    }
    let own = format!("{site}\t{stated}");
    let other = whose.entry(subject.to_lowercase()).or_insert_with(|| own.clone());
    if *other != own {
        let other = other.replace('\t', " ");
        return Err(failed(format!(
            "the subject `{stated}` would be sub-{subject}, as `{}` is: BIDS labels have letters and digits alone; give others",
            other.trim()
        )));
    }
    let name = one.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    let mut labels = BTreeMap::from([("sub", subject)]);
    if stem.starts_with("sub-") {
        for (key, value) in stem.split('_').filter_map(|part| part.split_once('-')) {
            if let Some(key) = ENTITIES.into_iter().find(|entity| *entity == key) {
                labels.insert(key, label(value));
            }
        }
    }
    for (key, value) in [("ses", &one.session), ("voi", &one.voi)] {
        if let Some(value) = value.as_deref().map(label).filter(|value| !value.is_empty()) {
            labels.insert(key, value);
        }
    }
    Ok(labels)
}

/// What BIDS takes of a text for a label.
fn label(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}
