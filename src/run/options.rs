//! What a run is asked to do.

use super::error::RunError;
use super::summary::Shard;
use super::tissue_options::TissueOptions;
use crate::acquisition::Facts;
use crate::basis::simulate::Stated;
use crate::corpus::{self, EntityFilter, FindWarning, Found, Listing, PathLabels};
use crate::fit::Method;
use crate::fit::vary::Varied;
use crate::formats;
use crate::learned::Learned;
use crate::prepare::Preparation;
use crate::quality::gates::Gates;
use crate::quantify::WaterScaling;
use crate::store::IfExists;
use crate::store::provenance::VariedMethod;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Memory that a run may take unless told otherwise (bytes).
pub const DEFAULT_MEMORY_BYTES: u64 = 4 << 30;

/// Which curves a run writes: data, fit, baseline and components.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CurvesKept {
    /// None.
    #[default]
    None,
    /// In whole steps: enough to look at, in a tenth of the room.
    Steps,
    /// In single precision.
    Full,
}

impl CurvesKept {
    /// As the record of a run has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Steps => "steps",
            Self::Full => "full",
        }
    }
}

/// What to run. [`RunOptions::new`] fills in the defaults; every field can be changed after it.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Files, folders, BIDS datasets, manifests.
    pub inputs: Vec<PathBuf>,
    /// Output folder.
    pub out: PathBuf,
    /// What to do if it exists.
    pub if_exists: IfExists,
    /// Basis set for every spectrum that the manifest names none for; `None`: simulated from each header.
    pub basis: Option<PathBuf>,
    /// Recipe file of simulated basis sets.
    pub recipe: Option<Arc<Stated>>,
    /// Methods; each gives every spectrum a row.
    pub methods: Vec<Method>,
    /// Those of the methods that were made of others by varying settings, for the record.
    pub varied: Vec<VariedMethod>,
    /// What was learned from the corpus before; it becomes the prior of the spectra that it was learned for.
    pub learned: Option<Learned>,
    /// Values for files that do not state them.
    pub gaps: Facts,
    /// How spectra are prepared.
    pub preparation: Preparation,
    /// Constants of water scaling and of corrections for tissue.
    pub water_scaling: WaterScaling,
    /// Gates whose verdicts the tables hold.
    pub gates: Option<Gates>,
    /// Which curves to write.
    pub curves: CurvesKept,
    /// Whether to write transients.
    pub transients: bool,
    /// Whether to go on with an unfinished run in `out`.
    pub resume: bool,
    /// Which part of the run to do; `None`: all of it.
    pub shard: Option<Shard>,
    /// Memory to stay below, up to a tenth (bytes).
    pub memory_bytes: u64,
    /// Labels out of the inputs' paths.
    pub site_from: Option<PathLabels>,
    /// Where the voxels' tissue comes from.
    pub tissue: TissueOptions,
    /// Labels of the participants to take, without `sub-`; empty: all.
    pub participants: Vec<String>,
    /// Labels of the sessions to take, without `ses-`; empty: all.
    pub sessions: Vec<String>,
    /// Which spectra to take by the entities of their names; `None`: all.
    pub filter: Option<EntityFilter>,
}

impl From<&Varied> for VariedMethod {
    fn from(varied: &Varied) -> Self {
        let settings = varied.settings.iter().map(|s| (s.key.clone(), s.value.to_string())).collect();
        Self { method: varied.method.name().to_owned(), base: varied.base.clone(), settings }
    }
}

impl RunOptions {
    /// Fits all of `inputs` with `methods` and writes the tables to `out`, which must not be there yet: basis sets
    /// simulated from the headers, spectra prepared as usual, LCModel's water scaling, no curves, all participants.
    ///
    /// # Errors
    /// Never for the constants as they are shipped.
    pub fn new(inputs: Vec<PathBuf>, methods: Vec<Method>, out: PathBuf) -> Result<Self, toml::de::Error> {
        Ok(Self {
            inputs,
            out,
            if_exists: IfExists::Refuse,
            basis: None,
            recipe: None,
            methods,
            varied: Vec::new(),
            learned: None,
            gaps: Facts::default(),
            preparation: Preparation::default(),
            water_scaling: WaterScaling::lcmodel()?,
            gates: None,
            curves: CurvesKept::None,
            transients: false,
            resume: false,
            shard: None,
            memory_bytes: DEFAULT_MEMORY_BYTES,
            site_from: None,
            tissue: TissueOptions::default(),
            participants: Vec::new(),
            sessions: Vec::new(),
            filter: None,
        })
    }

    /// The inputs' spectra that the options leave in.
    pub(crate) fn listing(&self) -> Result<Listing, RunError> {
        let mut listing = corpus::find_labelled(&self.inputs, &formats::Search, self.site_from.as_ref())?;
        if let Some(input) = self.input_in_out(&listing.found) {
            return Err(RunError::AmongInputs { out: self.out.clone(), input: input.to_owned() });
        }
        let taken = |label: &Option<String>, wanted: &[String]| {
            wanted.is_empty() || label.as_ref().is_some_and(|l| wanted.contains(l))
        };
        listing.found.retain(|f| taken(&f.subject, &self.participants) && taken(&f.session, &self.sessions));
        listing.left_out.retain(|f| taken(&f.subject, &self.participants) && taken(&f.session, &self.sessions));
        if let Some(filter) = &self.filter {
            let (taken, others): (Vec<Found>, Vec<Found>) =
                std::mem::take(&mut listing.found).into_iter().partition(|f| filter.takes(&f.source_path));
            listing.found = taken;
            let first = others.first().map(|f| PathBuf::from(&f.source_path));
            listing.warnings.extend(first.map(|path| FindWarning::Filtered { path, n: others.len() }));
        }
        if listing.found.is_empty() {
            return Err(RunError::NoneTaken {
                participants: self.participants.join(", "),
                sessions: self.sessions.join(", "),
                filtered: if self.filter.is_some() { " that --bids-filter-file takes" } else { "" },
            });
        }
        Ok(listing)
    }

    /// An input that lies in the output folder. One that lies beside that, in a folder above, is nobody's concern.
    fn input_in_out<'a>(&'a self, found: &'a [Found]) -> Option<&'a Path> {
        // What does not exist holds nothing.
        let out = self.out.canonicalize().ok()?;
        if let Some(same) = self.inputs.iter().find(|input| input.canonicalize().is_ok_and(|input| input == out)) {
            return Some(same);
        }
        let mut is_in_out: HashMap<&Path, bool> = HashMap::new();
        let mut files = found.iter().map(|one| one.path.as_path()).chain(self.inputs.iter().map(PathBuf::as_path));
        files.find(|path| {
            // Of a link what counts is where it stands.
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
            *is_in_out
                .entry(folder)
                .or_insert_with(|| folder.canonicalize().is_ok_and(|folder| folder.starts_with(&out)))
        })
    }
}
