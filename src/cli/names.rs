//! Names of the command line that must be known ones.

use std::path::PathBuf;

use super::error::CliError;
use crate::basis::simulate::pulses::Vendor;
use crate::basis::simulate::{SEQUENCE_NAMES, sequence_fault};
use crate::corpus::manifest::is_manifest;
use crate::corpus::titles::is_one_letter_off;
use crate::fit::Method;

/// Sequences that no set is simulated for, and that look like a misspelt name.
const OTHER_SEQUENCES: [&str; 1] = ["laser"];

/// Whose pulses.
pub(super) fn pulses(text: &str) -> Result<String, String> {
    match Vendor::from_name(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("none of {}{}", Vendor::NAMES, meant(text, Vendor::ALL.map(Vendor::name)))),
    }
}

/// A sequence: a basis set that somebody brings may be of any, but what is one letter off a known name is misspelt.
pub(super) fn sequence(text: &str) -> Result<String, String> {
    let meant = meant(text, SEQUENCE_NAMES);
    match sequence_fault(text) {
        Some(fault) if !meant.is_empty() && !OTHER_SEQUENCES.contains(&plain(text).as_str()) => {
            Err(format!("{fault}{meant}"))
        }
        _ => Ok(text.to_owned()),
    }
}

/// Refuses a sequence of which no basis set can be simulated, where nothing else can bring one: neither a line of a manifest
/// among `inputs` nor a method without.
///
/// # Errors
/// Exit code 2.
pub(super) fn check_simulated(name: &str, inputs: &[PathBuf], methods: &[Method]) -> Result<(), CliError> {
    if inputs.iter().any(|input| is_manifest(input)) || methods.iter().all(|m| matches!(m, Method::Peaks(_))) {
        return Ok(());
    }
    match sequence_fault(name) {
        Some(fault) => {
            let meant = meant(name, SEQUENCE_NAMES);
            let message =
                format!("--sequence {name}: {fault}{meant}; give the name of one, or a basis set with --basis");
            Err(CliError::new(2, anyhow::anyhow!(message)))
        }
        None => Ok(()),
    }
}

/// The known name that is probably meant, as the end of a sentence; empty for none.
fn meant<const N: usize>(text: &str, known: [&str; N]) -> String {
    let near = known.into_iter().find(|name| is_one_letter_off(&plain(name), &plain(text)));
    near.map(|name| format!("; is {name} meant?")).unwrap_or_default()
}

fn plain(name: &str) -> String {
    name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn misspelt_names_are_refused_with_what_is_meant() {
        for (wrong, right) in [("PRES", "PRESS"), ("pess", "PRESS"), ("STEAN", "STEAM"), ("SLASR", "sLASER")] {
            let said = sequence(wrong).unwrap_err();
            assert!(said.ends_with(&format!("is {right} meant?")) && said.contains(wrong), "{said}");
        }
        for name in ["PRESS", "svs_se", "eja_svs_press", "semi-LASER", "MEGA-PRESS", "LASER", "my_sequence"] {
            assert_eq!(sequence(name).as_deref(), Ok(name));
        }
        assert!(pulses("Simens").unwrap_err().ends_with("Siemens; is Siemens meant?"));
        assert!(pulses("x").unwrap_err().ends_with("Siemens"));
        assert_eq!(pulses("siemens").as_deref(), Ok("siemens"));
    }

    #[test]
    fn a_sequence_that_nothing_can_be_simulated_of_needs_a_basis_set() {
        let methods = |name: &str| vec![Method::built_in(name).unwrap().unwrap()];
        let (scans, manifest) = (vec![PathBuf::from("scans")], vec![PathBuf::from("m.csv")]);
        let refused = check_simulated("FOO", &scans, &methods("map")).unwrap_err();
        assert_eq!(refused.code, 2);
        let said = refused.error.to_string();
        assert!(said.contains("`FOO` is none of PRESS") && said.contains("--basis"), "{said}");
        assert!(check_simulated("FOO", &manifest, &methods("map")).is_ok());
        assert!(check_simulated("FOO", &scans, &methods("gannet")).is_ok());
        assert!(check_simulated("svs_se", &scans, &methods("map")).is_ok());
    }
}
