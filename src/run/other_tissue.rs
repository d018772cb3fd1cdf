//! The tissue of a table in the place of what a finished run has.

use std::collections::BTreeSet;
use std::path::Path;

use super::tissue::OF_TISSUE;
use super::tissue_table::Tissue;
use super::{RunError, TissueTable, TissueTableError};
use crate::printable::printable_message;
use crate::quality::glossary::tissue_flags;
use crate::store::SpectrumRow;

/// How notes on such a table begin: another one makes them untrue.
pub(super) const ON_TABLE: &str = "tissue (";

/// Puts the table's tissue into the rows; what it says of nobody's spectrum is a note.
pub(super) fn put(
    spectra: &mut [SpectrumRow],
    results: &Path,
    path: &Path,
    table: &TissueTable,
) -> Result<Vec<String>, RunError> {
    let mut used = BTreeSet::new();
    let mut without = BTreeSet::new();
    for row in spectra.iter_mut() {
        let Some(tissue) = table.tissue.get(&row.spectrum_id) else {
            without.insert(row.spectrum_id.clone());
            set_tissue(row, None);
            continue;
        };
        used.insert(row.spectrum_id.clone());
        set_tissue(row, tissue.as_ref());
    }
    if used.is_empty() {
        let example = spectra.first().map(|row| row.spectrum_id.clone()).unwrap_or_default();
        let (path, results) = (path.to_owned(), results.to_owned());
        return Err(TissueTableError::NoneKnown { path, n: table.tissue.len(), results, example }.into());
    }
    let unknown: Vec<&String> = table.tissue.keys().filter(|id| !used.contains(*id)).collect();
    let note = |n: usize, first: Option<&&String>, what: &str| {
        let first = first.map(|id| format!(", such as {id}")).unwrap_or_default();
        (n > 0).then(|| printable_message(&format!("{ON_TABLE}{}): {n} {what}{first}", table.name)))
    };
    let without: Vec<&String> = without.iter().collect();
    let notes = [
        note(unknown.len(), unknown.first(), "lines are of no spectrum here"),
        note(without.len(), without.first(), "spectra have no line, and no tissue now"),
    ];
    Ok(notes.into_iter().flatten().collect())
}

fn set_tissue(row: &mut SpectrumRow, tissue: Option<&Tissue>) {
    let fractions = tissue.map(|t| t.fractions);
    row.f_gm = fractions.map(|f| f.gm);
    row.f_wm = fractions.map(|f| f.wm);
    row.f_csf = fractions.map(|f| f.csf);
    row.gm_ratio = fractions.map(|f| f.gm / (f.gm + f.wm));
    row.f_csf_sd = tissue.and_then(|t| t.f_csf_sd);
    row.gm_ratio_sd = tissue.and_then(|t| t.gm_ratio_sd);
    // What an image told of another tissue holds no longer.
    row.share_in_image = None;
    row.tissue_share = None;
    row.segmentation_path = None;
    row.segmentation_sha256 = None;
    row.segmentation_kind = None;
    row.transforms_differ_mm = None;
    let of_tissue = tissue_flags();
    row.qc_flags.retain(|flag| !of_tissue.contains(&flag.as_str()));
    row.warnings.retain(|warning| !warning.starts_with(OF_TISSUE));
    let remark = tissue
        .and_then(|t| t.normalised_from)
        .map(|sum| format!("{OF_TISSUE}shares summed to {sum:.4} and were divided by it"));
    row.warnings.extend(remark);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantify::Fractions;

    #[test]
    fn remarks_on_tissue_are_those_of_its_last_source() {
        let before = ["tissue: no fractions: T1.nii is not there", "averages: 64"].map(str::to_owned);
        let mut row = SpectrumRow { warnings: before.to_vec(), ..SpectrumRow::default() };
        let fractions = Fractions { gm: 0.6, wm: 0.3, csf: 0.1 };
        let tissue = Tissue { fractions, normalised_from: Some(0.97), f_csf_sd: None, gm_ratio_sd: None };
        set_tissue(&mut row, Some(&tissue));
        assert_eq!(row.warnings, ["averages: 64", "tissue: shares summed to 0.9700 and were divided by it"]);
        set_tissue(&mut row, None);
        assert_eq!(row.warnings, ["averages: 64"]);
    }
}
