//! Paths inside an output folder that are made of names out of files: none of them leads anywhere else.

use std::path::{Path, PathBuf};

use crate::printable::{LABEL_CHARS, printable};

/// Longest name of a file or folder (bytes): what any file system takes, an extension added.
const NAME_BYTES: usize = 128;
/// Names that are devices on Windows, whatever their extension; COM and LPT with a digit.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];

/// Why nothing is written under a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OutputPathError {
    /// It cannot be the name of a file or folder everywhere.
    #[error("`{name}` cannot name a file or folder: {why}; names have letters, digits and - _ + . inside")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// It would be written somewhere else.
    #[error("{}: a link that leads out of the output folder; take it away, or give another folder", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
}

/// The path of `parts` in `out`, each a name by itself.
///
/// # Errors
/// [`OutputPathError`]: a part is no [`safe_name`], or a link that is there already leads out of `out`.
pub(crate) fn path_inside(out: &Path, parts: &[&str]) -> Result<PathBuf, OutputPathError> {
    let mut path = out.to_owned();
    for part in parts {
        path.push(safe_name(part)?);
        let is_link = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
        // A link to nothing would make a file where it points.
        let stays = || Some(path.canonicalize().ok()?.starts_with(out.canonicalize().ok()?));
        if is_link && stays() != Some(true) {
            return Err(OutputPathError::Link { path });
        }
    }
    Ok(path)
}

/// `name`, if it is one that a file or folder can have on every system and that leads nowhere.
///
/// # Errors
/// [`OutputPathError::Name`].
pub(crate) fn safe_name(name: &str) -> Result<&str, OutputPathError> {
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let numbered = |device: &str| {
        let rest = stem.strip_prefix(device).map(|rest| rest.chars().collect::<Vec<_>>());
        matches!(rest.as_deref(), Some([c]) if c.is_numeric())
    };
    let why = if name.is_empty() {
        "it is empty"
    } else if name.len() > NAME_BYTES {
        "it is longer than 128 bytes"
    } else if name.starts_with('.') || name.ends_with('.') {
        "it begins or ends with a dot"
    } else if !name.chars().all(|c| c.is_alphanumeric() || "-_+.".contains(c)) {
        "it holds other characters"
    } else if DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt") {
        "it is a device on Windows"
    } else {
        return Ok(name);
    };
    Err(OutputPathError::Name { name: printable(name, LABEL_CHARS), why })
}

/// `text` as a [`safe_name`] of at most `most` bytes: other characters become `_`.
pub(crate) fn safe_name_from(text: &str, most: usize) -> String {
    let kept = |c: char| if c.is_alphanumeric() || "-_+.".contains(c) { c } else { '_' };
    let mut name = String::new();
    for c in text.trim_matches('.').chars().map(kept) {
        if name.len() + c.len_utf8() > most.min(NAME_BYTES - 1) {
            break;
        }
        name.push(c);
    }
    name.truncate(name.trim_end_matches('.').len());
    // What is left to refuse are names of devices, and none at all.
    if safe_name(&name).is_ok() { name } else { format!("_{name}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_nowhere() {
        for name in
            ["sub-01", "map+learned", "sim-voigt", "site01", "Zürich", "a.b", "3T", "map_ed-1.5", "com", "com10"]
        {
            assert_eq!(safe_name(name), Ok(name));
        }
        let long = "x".repeat(129);
        for name in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a\\b",
            "/etc",
            "C:",
            "a\0",
            "a\nb",
            "a b",
            "\u{202e}x",
            ".x",
            "x.",
            "con",
            "NUL",
            "Com1",
            "lpt9.txt",
            "com¹",
            "aux.basis",
            "~x",
            "$HOME",
            "*",
            "a|b",
            &long,
        ] {
            assert!(matches!(safe_name(name), Err(OutputPathError::Name { .. })), "{name:?}");
        }
    }

    #[test]
    fn any_text_makes_a_name() {
        let long = "é".repeat(200);
        for (text, name) in [
            ("tNAA", "tNAA"),
            ("NAA+NAAG", "NAA+NAAG"),
            ("unknown 3.42 ppm", "unknown_3.42_ppm"),
            ("sub-01_mrsi#on#t0", "sub-01_mrsi_on_t0"),
            ("../x", "_x"),
            ("..", "_"),
            ("", "_"),
            (".x.", "x"),
            ("con", "_con"),
            ("aux.1", "_aux.1"),
            ("a/b\\c\0\u{202e}", "a_b_c__"),
        ] {
            let made = safe_name_from(text, 64);
            assert_eq!((made.as_str(), safe_name(&made)), (name, Ok(name)), "{text:?}");
        }
        assert_eq!(safe_name_from(&long, 64).len(), 64);
        assert!(safe_name(&safe_name_from(&long, usize::MAX)).is_ok());
        assert_eq!(safe_name_from("ab.c", 3), "ab");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_inside() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        std::fs::create_dir_all(out.join("real")).unwrap();
        symlink(folder.path(), out.join("away")).unwrap();
        symlink(folder.path().join("nothing"), out.join("gone")).unwrap();
        symlink("real", out.join("near")).unwrap();
        for name in ["away", "gone"] {
            assert!(matches!(path_inside(&out, &[name, "x"]), Err(OutputPathError::Link { .. })), "{name}");
        }
        assert_eq!(path_inside(&out, &["near", "x"]).unwrap(), out.join("near/x"));
        assert_eq!(path_inside(&out, &["new", "x"]).unwrap(), out.join("new/x"));
        // The folder itself may be a link: the user named it.
        symlink(&out, folder.path().join("named")).unwrap();
        assert!(path_inside(&folder.path().join("named"), &["real", "x"]).is_ok());
    }
}
