//! What rows depend on, as hashes: the settings of a run, and every byte of its inputs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use rayon::prelude::*;

use super::contents::{Shared, UNREADABLE, named_by, own_files_of, said_of};
use super::gating::GATES_KEY;
use super::models::ModelStore;
use super::{Inputs, RunOptions};
use crate::corpus::{self, Found};
use crate::engine::Engine;
use crate::formats;
use crate::hash::{sha256_file, sha256_hex};
use crate::learned::{Learned, LearnedRecipe};
use crate::printable::printable_message;
use crate::quality::gates::Gates;
use crate::regular_file;
use crate::store::plan::signature_of;
use crate::store::provenance::{GIT_HASH, Named, VARIED_KEY, command_line};
use crate::store::{Content, Plan, PlannedInput, SCHEMA_VERSION, Timings};

/// Of files above twice this length a fingerprint takes the beginning and the end (bytes).
const FINGERPRINT_BYTES: u64 = 64 << 10;

/// What a run over `inputs` sets out to do.
pub(super) fn plan(
    options: &RunOptions,
    inputs: &Inputs,
    shared: &Shared,
    hashes: &[String],
    models: &ModelStore<'_>,
    engine: &dyn Engine,
) -> Plan {
    let listing = &inputs.listing;
    let mut config = serde_json::json!({
        "methods": options.methods,
        "gaps": options.gaps,
        "prepare": options.preparation,
        "water_scaling": options.water_scaling,
    });
    if let (Some(gates), Some(fields)) = (&options.gates, config.as_object_mut()) {
        fields.insert(GATES_KEY.to_owned(), serde_json::json!(gates));
    }
    if let (false, Some(fields)) = (options.varied.is_empty(), config.as_object_mut()) {
        fields.insert(VARIED_KEY.to_owned(), serde_json::json!(options.varied));
    }
    let planned = |found: &Found| PlannedInput {
        source_path: found.source_path.clone(),
        fingerprint: fingerprint(found, shared),
    };
    let settings = settings(options, &listing.found, &config, hashes, models, engine);
    Plan {
        signature: signature_of(&settings),
        settings,
        inputs: listing.found.par_iter().map(planned).collect(),
        left_out: corpus::counts(&listing.left_out),
        carried: listing.carried.clone(),
        learned: Vec::new(),
        config,
        methods: options
            .methods
            .iter()
            .zip(hashes)
            .map(|(m, h)| Named { id: m.name().to_owned(), sha256: h.clone() })
            .collect(),
        warnings: listing
            .warnings
            .iter()
            .map(ToString::to_string)
            .chain(options.gates.iter().flat_map(Gates::biases))
            .chain(options.learned.iter().flat_map(|learned| learned.recipes.iter().map(LearnedRecipe::in_words)))
            .map(|warning| printable_message(&warning))
            .collect(),
        engine: engine.kind().as_str().to_owned(),
        device: engine.device(),
        started_utc: inputs.started_utc.clone(),
        command_line: command_line(),
        timings: Timings { find_wall_s: inputs.find_wall_s, ..Timings::default() },
    }
}

/// Everything that decides about the rows but the inputs' content. How much memory or how many shards a run has does not.
fn settings(
    options: &RunOptions,
    found: &[Found],
    config: &serde_json::Value,
    hashes: &[String],
    models: &ModelStore<'_>,
    engine: &dyn Engine,
) -> BTreeMap<String, String> {
    let short = |text: &str| sha256_hex(text.as_bytes())[..12].to_owned();
    let names: Vec<String> = found.iter().map(|f| format!("{}\t{}", f.id, f.source_path)).collect();
    let learned: Vec<String> = options.learned.iter().flat_map(Learned::ids).collect();
    let mut settings = BTreeMap::from([
        ("build".to_owned(), build()),
        ("columns".to_owned(), SCHEMA_VERSION.to_owned()),
        ("engine".to_owned(), engine.kind().as_str().to_owned()),
        ("inputs".to_owned(), format!("{} files {}", found.len(), short(&names.join("\n")))),
        ("--curves".to_owned(), options.curves.as_str().to_owned()),
        ("--transients".to_owned(), options.transients.to_string()),
        ("--tissue".to_owned(), options.tissue.said()),
    ]);
    for (name, hash) in options.methods.iter().zip(hashes) {
        settings.insert(format!("method {}", name.name()), hash[..12].to_owned());
    }
    for (name, key) in [("missing values", "gaps"), ("preparation", "prepare"), ("water scaling", "water_scaling")] {
        settings.insert(name.to_owned(), short(&config[key].to_string()));
    }
    if let Some(gates) = &options.gates {
        settings.insert("gates".to_owned(), format!("{} {}", gates.name, short(&config[GATES_KEY].to_string())));
    }
    for basis in models.used() {
        settings.insert(format!("basis set {}", basis.id), basis.sha256[..basis.sha256.len().min(12)].to_owned());
    }
    if let Some(recipe) = &options.recipe {
        settings.insert(format!("recipe {}", recipe.name), short(&format!("{recipe:?}")));
    }
    if !learned.is_empty() {
        settings.insert("what was learned".to_owned(), short(&learned.join("\n")));
    }
    // Rows come in the order of the methods.
    let order: Vec<&str> = options.methods.iter().map(|m| m.name()).collect();
    if order.len() > 1 {
        settings.insert("order of the methods".to_owned(), short(&order.join("\n")));
    }
    settings
}

/// The program that is running: version and commit, or, where it was built while developing, the file itself.
fn build() -> String {
    let version = env!("CARGO_PKG_VERSION");
    if let Some(hash) = GIT_HASH {
        return format!("{version} {hash}");
    }
    if !cfg!(debug_assertions) {
        return version.to_owned();
    }
    let file = std::env::current_exe().and_then(fs::metadata);
    let modified_s = file.as_ref().ok().and_then(|f| f.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok());
    format!("{version} built {}", modified_s.map_or(0, |s| s.as_millis()))
}

/// One hash over the contents of all inputs.
pub(super) fn content_sha256<'a>(contents: impl IntoIterator<Item = &'a Content>) -> String {
    let lines: String = contents.into_iter().map(|c| format!("{}\t{}\n", c.source_path, c.all_sha256)).collect();
    sha256_hex(lines.as_bytes())
}

/// A hash of what is quickly looked at: length, beginning and end of each file. What many inputs share is hashed whole, and
/// once: a basis set is more than its ends, and must be the same one for all shards.
fn fingerprint(found: &Found, shared: &Shared) -> String {
    let own = own_files_of(found)
        .into_iter()
        .map(|(role, path)| format!("{role} {}", ends_of(&path).unwrap_or_else(|_| UNREADABLE.to_owned())));
    let named = named_by(found).map(|(role, path)| format!("{role} {}", shared.sha256(path).unwrap_or(UNREADABLE)));
    let lines: Vec<String> = own.chain(named).collect();
    sha256_hex(format!("{}\n{}", lines.join("\n"), said_of(found)).as_bytes())[..16].to_owned()
}

fn ends_of(path: &Path) -> io::Result<String> {
    let mut file = regular_file::open(path, formats::MAX_FILE_BYTES)?;
    let length = file.metadata()?.len();
    if length <= 2 * FINGERPRINT_BYTES {
        return sha256_file(path);
    }
    let mut ends = Vec::new();
    file.by_ref().take(FINGERPRINT_BYTES).read_to_end(&mut ends)?;
    file.seek(SeekFrom::Start(length - FINGERPRINT_BYTES))?;
    file.take(FINGERPRINT_BYTES).read_to_end(&mut ends)?;
    Ok(format!("{length} {}", sha256_hex(&ends)))
}
