//! Files and folders that commands read: one that is not there is told before any work, always with the same exit code.

use std::path::Path;

use super::error::CliError;
use crate::printable::printable_path;

/// Exit code where an input is not there.
pub(super) const EXIT_NO_INPUT: u8 = 66;

/// Refuses what is not there; `option` is where it was named, empty for what stands by itself.
///
/// # Errors
/// Exit code 66.
pub(super) fn must_exist<'a, P: AsRef<Path> + ?Sized + 'a>(
    option: &str,
    paths: impl IntoIterator<Item = &'a P>,
) -> Result<(), CliError> {
    // What the system does not let us ask for is told by who reads it.
    let missing = paths.into_iter().map(AsRef::as_ref).find(|path: &&Path| matches!(path.try_exists(), Ok(false)));
    missing.map_or(Ok(()), |path| {
        let before = if option.is_empty() { String::new() } else { format!("{option} ") };
        let what = format!("{before}{}: there is no such file or folder; check the spelling", printable_path(path));
        Err(CliError::new(EXIT_NO_INPUT, anyhow::anyhow!(what)))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_told_with_its_option() {
        let folder = tempfile::tempdir().unwrap();
        let (there, missing) = (folder.path().to_owned(), folder.path().join("set.basis"));
        assert!(must_exist("--basis", Some(&there)).is_ok() && must_exist("--basis", None::<&Path>).is_ok());
        let failure = must_exist("--basis", [&there, &missing]).unwrap_err();
        assert_eq!(failure.code, 66);
        let said = failure.error.to_string();
        assert!(said.starts_with("--basis ") && said.contains("set.basis: there is no such file"), "{said}");
        assert!(must_exist("", [&missing]).unwrap_err().error.to_string().starts_with('/'));
    }
}
