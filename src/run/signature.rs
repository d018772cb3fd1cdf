//! What rows depend on, as hashes: the settings of a run, and every byte of its inputs.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::gating::GATES_KEY;
use super::models::ModelStore;
use super::{Inputs, RunOptions};
use crate::basis::simulate::Stated;
use crate::corpus::{self, Found, Water};
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
/// What a hash is called where the file cannot be read.
const UNREADABLE: &str = "unreadable";

/// What a run over `inputs` sets out to do.
pub(super) fn plan(
    options: &RunOptions,
    inputs: &Inputs,
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
    let planned =
        |found: &Found| PlannedInput { source_path: found.source_path.clone(), fingerprint: fingerprint(found) };
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

/// What a file of the listing holds, with all that belongs to it.
pub(super) fn content_of(found: &Found) -> Content {
    let files = files_of(found);
    let hashes: Vec<Option<String>> = files.par_iter().map(|(_, path)| sha256_file(path).ok()).collect();
    let line = |((role, path), hash): (&(&str, PathBuf), &Option<String>)| {
        format!("{role}\t{}\t{}\n", name_of(path), hash.as_deref().unwrap_or(UNREADABLE))
    };
    let lines: String = files.iter().zip(&hashes).map(line).collect();
    let inputs_sha256 = sha256_hex(lines.as_bytes());
    Content {
        source_path: found.source_path.clone(),
        source_sha256: hashes.into_iter().next().flatten(),
        all_sha256: sha256_hex(format!("{inputs_sha256}\n{}", said_of(found)).as_bytes()),
        inputs_sha256,
    }
}

/// One hash over the contents of all inputs.
pub(super) fn content_sha256<'a>(contents: impl IntoIterator<Item = &'a Content>) -> String {
    let lines: String = contents.into_iter().map(|c| format!("{}\t{}\n", c.source_path, c.all_sha256)).collect();
    sha256_hex(lines.as_bytes())
}

/// What the listing says of a file: from its path, a manifest, `participants.tsv`.
fn said_of(found: &Found) -> String {
    let water = match &found.water {
        Water::None => "none",
        Water::Paired(_) => "paired",
        Water::Ambiguous(_) => "ambiguous",
        Water::Missing(_) => "missing",
        Water::Unfit(..) => "unfit",
    };
    format!(
        "{:?}",
        (
            (&found.id, &found.source_path, water, &found.water_source_path),
            (&found.subject, &found.session, &found.site, &found.voi),
            (&found.overrides.facts, &found.overrides.editing, &found.overrides.carried, &found.problem),
            found.tissue.said(),
        )
    )
}

/// Every file that a row depends on, with what it is to it, in a fixed order: the file itself first.
fn files_of(found: &Found) -> Vec<(&'static str, PathBuf)> {
    let mut files = vec![("data", found.path.clone())];
    files.extend(found.parts.iter().map(|path| ("part", path.clone())));
    files.extend(formats::companions(&found.path).into_iter().map(|path| ("companion", path)));
    if let Water::Paired(water) = &found.water {
        files.push(("water", water.clone()));
        files.extend(found.water_parts.iter().map(|path| ("water part", path.clone())));
        files.extend(formats::companions(water).into_iter().map(|path| ("water companion", path)));
    }
    if let Some(basis) = &found.overrides.basis {
        let members = walkdir::WalkDir::new(basis).follow_links(true).sort_by_file_name().into_iter();
        let members = members.flatten().filter(|entry| entry.file_type().is_file());
        files.extend(members.map(|entry| ("basis", entry.into_path())));
    }
    if let Some(recipe) = &found.overrides.recipe {
        let waveforms = Stated::read(recipe).map(|stated| stated.files).unwrap_or_default();
        files.extend(std::iter::once(recipe.clone()).chain(waveforms).map(|path| ("recipe", path)));
    }
    files.extend(found.tissue.files().map(|path| ("segmentation", path.to_owned())));
    files
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// A hash of what is quickly looked at: length, beginning and end of each file.
fn fingerprint(found: &Found) -> String {
    let lines: Vec<String> = files_of(found)
        .iter()
        .map(|(role, path)| format!("{role} {}", ends_of(path).unwrap_or_else(|_| UNREADABLE.to_owned())))
        .collect();
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
