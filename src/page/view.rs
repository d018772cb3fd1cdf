//! What the template is given; every text in it is escaped there.

use serde::Serialize;

use super::glossary::Meaning;

/// The page without what the script draws.
#[derive(Debug, Serialize)]
pub(super) struct View {
    pub(super) head: Head,
    pub(super) tiles: Vec<Tile>,
    pub(super) failures: Vec<Failure>,
    pub(super) groups: Groups,
    pub(super) lacking: Vec<Lacking>,
    pub(super) flags: Vec<Flag>,
    pub(super) agreement: Option<Agreement>,
    pub(super) learned: Option<Learned>,
    /// From people to kept values (HTML).
    pub(super) flow: Option<String>,
    pub(super) described: Option<Described>,
    pub(super) settings: Settings,
    /// Why voxels are not drawn.
    pub(super) voxel_notes: Vec<String>,
    pub(super) has_curves: bool,
    pub(super) rows: Rows,
}

/// Rows that the page shows one by one, and all.
#[derive(Debug, Serialize)]
pub(super) struct Rows {
    pub(super) shown: usize,
    pub(super) of: u64,
}

/// What was run, and when.
#[derive(Debug, Serialize)]
pub(super) struct Head {
    pub(super) title: String,
    pub(super) sentence: String,
    pub(super) command: Option<String>,
    pub(super) warnings: Vec<String>,
}

/// A number that is seen first.
#[derive(Debug, Serialize)]
pub(super) struct Tile {
    pub(super) number: String,
    pub(super) label: &'static str,
    pub(super) note: String,
    /// `good`, `bad` or nothing.
    pub(super) tone: &'static str,
}

/// Rows without a result, by cause.
#[derive(Debug, Serialize)]
pub(super) struct Failure {
    pub(super) code: String,
    pub(super) rows: usize,
    pub(super) is_skip: bool,
    #[serde(flatten)]
    pub(super) meaning: Meaning,
    pub(super) protocols: Vec<String>,
    pub(super) sites: Vec<String>,
    pub(super) examples: Vec<(String, String)>,
}

/// Sites and protocols.
#[derive(Debug, Serialize)]
pub(super) struct Groups {
    pub(super) has_sites: bool,
    pub(super) has_methods: bool,
    pub(super) rows: Vec<Group>,
}

/// One site and protocol (and method).
#[derive(Debug, Serialize)]
pub(super) struct Group {
    pub(super) site: String,
    pub(super) protocol: String,
    pub(super) method: String,
    pub(super) rows: usize,
    pub(super) fitted: usize,
    pub(super) failed: usize,
    pub(super) skipped: usize,
    pub(super) flagged: usize,
    pub(super) snr: String,
    pub(super) fwhm: String,
    pub(super) error: String,
}

/// Why rows of a site have no concentrations.
#[derive(Debug, Serialize)]
pub(super) struct Lacking {
    pub(super) site: String,
    pub(super) rows: usize,
    pub(super) of: usize,
    pub(super) causes: Vec<Flag>,
}

/// A flag with the number of its rows.
#[derive(Debug, Serialize)]
pub(super) struct Flag {
    pub(super) code: String,
    pub(super) rows: usize,
    #[serde(flatten)]
    pub(super) meaning: Meaning,
}

/// Several methods beside one another.
#[derive(Debug, Serialize)]
pub(super) struct Agreement {
    pub(super) methods: String,
    pub(super) rows: Vec<Agreed>,
    pub(super) pairs: Vec<Pair>,
    /// A picture (SVG), made here.
    pub(super) picture: String,
    pub(super) note: String,
}

/// Agreement over one metabolite.
#[derive(Debug, Serialize)]
pub(super) struct Agreed {
    pub(super) metabolite: String,
    pub(super) n: usize,
    pub(super) icc: String,
    pub(super) cv: String,
}

/// Two methods over one metabolite.
#[derive(Debug, Serialize)]
pub(super) struct Pair {
    pub(super) methods: String,
    pub(super) metabolite: String,
    pub(super) bias: String,
    pub(super) limits: String,
    pub(super) concordance: String,
}

/// What was learned from the corpus.
#[derive(Debug, Serialize)]
pub(super) struct Learned {
    pub(super) groups: Vec<LearnedGroup>,
    pub(super) picture: String,
    pub(super) recipes: Vec<LearnedRecipe>,
}

/// Pulses that the spectra of a protocol speak for.
#[derive(Debug, Serialize)]
pub(super) struct LearnedRecipe {
    /// What was chosen, in words.
    pub(super) said: String,
    /// Name of each candidate, its mean χ², and by how much that is less than with the usual pulses.
    pub(super) candidates: Vec<[String; 3]>,
}

/// One group of it.
#[derive(Debug, Serialize)]
pub(super) struct LearnedGroup {
    pub(super) name: String,
    pub(super) n_spectra: usize,
    pub(super) n_passes: usize,
    pub(super) spreads: String,
    /// Name, area, chemical shift and width, each with its standard error.
    pub(super) peaks: Vec<[String; 4]>,
}

/// Settings and versions.
#[derive(Debug, Serialize)]
pub(super) struct Settings {
    pub(super) facts: Vec<(String, String)>,
    pub(super) methods: Vec<(String, String)>,
    pub(super) bases: Vec<(String, String)>,
    pub(super) depends_on: Vec<(String, String)>,
    pub(super) config: String,
}

/// What a study reports of the run.
#[derive(Debug, Serialize)]
pub(super) struct Described {
    pub(super) paragraphs: Vec<String>,
    pub(super) references: Vec<(String, String)>,
    pub(super) protocols: Vec<Checklist>,
    /// Items of the checklist that nobody has filled in.
    pub(super) n_missing: usize,
}

/// MRSinMRS for one protocol.
#[derive(Debug, Serialize)]
pub(super) struct Checklist {
    pub(super) label: String,
    pub(super) n_spectra: usize,
    pub(super) items: Vec<ChecklistItem>,
}

/// One item of it.
#[derive(Debug, Serialize)]
pub(super) struct ChecklistItem {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) text: String,
    pub(super) missing: String,
}
