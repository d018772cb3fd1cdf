//! Pages of participants and of the group.

use std::path::Path;

use crate::cli::error::CliError;
use crate::cli::outputs::EXIT_OUTPUT;
use crate::cli::report::{print_page, subject_options, subject_page};
use crate::error_chain::error_chain;
use crate::export::StudyOptions;
use crate::output_path::path_inside;
use crate::page::{Comparison, Images, write_subject};
use crate::tissue::Transform;

/// The page of a participant with the results `folder`, beside all of `group`. The tables are there whatever becomes of it.
pub(super) fn subject(folder: &Path, output_dir: &Path, group: &Path, bids_dir: &Path) -> Result<(), CliError> {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let page = subject_page(output_dir, &name)?;
    let compared = Comparison::read(group).map_err(CliError::from);
    let written = compared.and_then(|comparison| {
        write_subject(folder, &name, &comparison, &page, &subject_options(images_in(bids_dir)))
            .map_err(|e| CliError::new(e.exit_code(), e))
    });
    if let Err(failure) = written {
        tell!("note: no {name}.html: {}", error_chain(failure.error.as_ref()));
    }
    Ok(())
}

/// The page of all participants.
pub(super) fn page(results: &Path, output_dir: &Path, name: &str, bids_dir: &Path) -> Result<(), CliError> {
    let path = path_inside(output_dir, &[name]).map_err(|e| CliError::new(EXIT_OUTPUT, e))?;
    if let Err(failure) = print_page(results, &path, images_in(bids_dir), &StudyOptions::default()) {
        tell!("note: no {name}: {}", error_chain(failure.error.as_ref()));
    }
    Ok(())
}

/// Where images of the heads may be.
fn images_in(bids_dir: &Path) -> Images {
    Images { places: vec![bids_dir.to_owned()], transform: Transform::Qform }
}
