//! Composes every stage of `shaders/`, validates it with the compiler that wgpu has, and writes the table of stages that
//! `src/engine/gpu/stage.rs` includes: sources, buffers, structures and constants. A fault in a shader is a message of the
//! build, with its file and line.

#[path = "compose.rs"]
mod compose;
#[path = "../src/fit/map/constants.rs"]
#[allow(dead_code, reason = "the build takes the list, the library each name")]
mod constants;

#[path = "reflect.rs"]
mod reflect;
#[path = "../src/engine/gpu/sizes.rs"]
#[allow(dead_code, unreachable_pub, reason = "the build takes some of these, the library all")]
mod sizes;

#[path = "table.rs"]
mod table;

use std::fmt::Write;
use std::path::Path;

/// Folders of `shaders/` whose files are stages.
const FAMILIES: [&str; 2] = ["fit", "requests"];

/// Writes the table of all stages.
///
/// # Errors
/// What is wrong with a shader, and where.
pub(crate) fn write_table() -> Result<(), String> {
    for input in ["build", "shaders", "src/fit/map/constants.rs", "src/engine/gpu/sizes.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    let variable = |name: &str| std::env::var(name).map_err(|e| format!("{name}: {e}"));
    let root = Path::new(&variable("CARGO_MANIFEST_DIR")?).join("shaders");
    let mut files = Vec::new();
    for family in FAMILIES {
        for name in stems(&root.join(family))? {
            files.push((family, name));
        }
    }
    let generated = generated(files.iter().map(|(_, name)| name.as_str()));
    let mut stages = Vec::new();
    for (family, name) in &files {
        let composed = compose::compose(&root, &format!("{family}/{name}.wgsl"))?;
        let reflected = reflect::reflect(&composed, &generated)?;
        stages.push(table::Stage { family: (*family).to_owned(), name: name.clone(), composed, reflected });
    }
    for name in stems(&root.join("shared"))? {
        let file = format!("shared/{name}.wgsl");
        if !stages.iter().any(|stage| stage.composed.files.contains(&file)) {
            return Err(format!("shaders/{file}: no stage imports it"));
        }
    }
    let sizes = sizes::head(sizes::FFT_LENGTHS[0]);
    let table = table::table(&stages, &generated, &sizes)?;
    let to = Path::new(&variable("OUT_DIR")?).join("stages.rs");
    std::fs::write(&to, table).map_err(|e| format!("{}: {e}", to.display()))
}

/// Stems of the shaders in `folder`, in the order of the alphabet.
fn stems(folder: &Path) -> Result<Vec<String>, String> {
    let entries = std::fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let shaders = paths.filter(|path| path.extension().is_some_and(|extension| extension == "wgsl"));
    let mut stems: Vec<String> = shaders.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    stems.sort();
    Ok(stems)
}

/// The solver's constants, and the number of every stage (`STAGE_STEP`), by which it finds its arguments.
fn generated<'a>(stages: impl Iterator<Item = &'a str>) -> String {
    let mut out = constants::wgsl();
    for (number, stage) in stages.enumerate() {
        let _ = writeln!(out, "const STAGE_{}: u32 = {number}u;", stage.to_uppercase());
    }
    out
}
