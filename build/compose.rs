//! Puts a stage together from its file and what it imports, and remembers where each line came from.

use std::path::Path;

/// A stage in one piece.
pub(crate) struct Composed {
    /// The text.
    pub(crate) text: String,
    /// File (below `shaders/`) and line of every line of the text.
    pub(crate) lines: Vec<(String, usize)>,
    /// The files that were taken.
    pub(crate) files: Vec<String>,
}

/// Composes the stage in `file`, a path below `root`. A line `#import "shared/….wgsl"` takes that file, each once.
///
/// # Errors
/// A message that names the file and line of an import that is not there.
pub(crate) fn compose(root: &Path, file: &str) -> Result<Composed, String> {
    let mut out = Composed { text: String::new(), lines: Vec::new(), files: Vec::new() };
    append(root, file, &mut out)?;
    Ok(out)
}

fn append(root: &Path, file: &str, out: &mut Composed) -> Result<(), String> {
    if out.files.iter().any(|taken| taken == file) {
        return Ok(());
    }
    out.files.push(file.to_owned());
    let text = std::fs::read_to_string(root.join(file)).map_err(|e| format!("shaders/{file}: {e}"))?;
    for (number, line) in text.lines().enumerate() {
        match line.strip_prefix("#import \"").and_then(|rest| rest.strip_suffix('"')) {
            Some(import) => append(root, import, out).map_err(|e| {
                if e.contains(": imported") { e } else { format!("{e}: imported by shaders/{file}:{}", number + 1) }
            })?,
            None => {
                out.text.push_str(line);
                out.text.push('\n');
                out.lines.push((file.to_owned(), number + 1));
            }
        }
    }
    Ok(())
}
