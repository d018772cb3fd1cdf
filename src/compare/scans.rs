//! Whether spectra of one id are of one scan, and whose spectra only one source has.

use std::collections::BTreeSet;

use super::Source;

/// What is to be known before values are compared: a line for each run beside the first one.
pub fn notes(sources: &[Source]) -> Vec<String> {
    let Some((first, others)) = sources.split_first() else { return Vec::new() };
    let mut notes = Vec::new();
    for other in others {
        for note in beside(first, other) {
            // Methods of one run have the same spectra.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

fn beside(first: &Source, other: &Source) -> Vec<String> {
    let ids = |source: &Source| source.rows.iter().map(|row| row.spectrum_id.clone()).collect::<BTreeSet<String>>();
    let (of_first, of_other) = (ids(first), ids(other));
    let both: Vec<&String> = of_first.intersection(&of_other).collect();
    let is_other_scan = |id: &&&String| {
        let scans = first.source_sha256.get(**id).zip(other.source_sha256.get(**id));
        scans.is_some_and(|(first, other)| first != other)
    };
    let differ: Vec<&&String> = both.iter().filter(is_other_scan).collect();
    let mut notes = Vec::new();
    if let Some(id) = differ.first() {
        notes.push(format!(
            "{} of {} spectra of the same id are of different files in {} and {} (`source_sha256`), as {id}: another scan, or the same \
             one converted again",
            differ.len(),
            both.len(),
            first.run,
            other.run
        ));
    }
    let only = |here: &BTreeSet<String>, there: &BTreeSet<String>| here.difference(there).count();
    let counts = [(only(&of_first, &of_other), &first.run), (only(&of_other, &of_first), &other.run)];
    let told: Vec<String> =
        counts.iter().filter(|(n, _)| *n > 0).map(|(n, run)| format!("{n} in {run} only")).collect();
    if !told.is_empty() {
        notes.push(format!(
            "{} fitted spectra are in {} and {}; {}",
            both.len(),
            first.run,
            other.run,
            told.join(", ")
        ));
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MetaboliteRow;

    fn source(run: &str, scans: &[(&str, &str)]) -> Source {
        let row = |(id, _): &(&str, &str)| MetaboliteRow { spectrum_id: (*id).to_owned(), ..MetaboliteRow::default() };
        let hash = |(id, hash): &(&str, &str)| ((*id).to_owned(), (*hash).to_owned());
        let (rows, source_sha256) = (scans.iter().map(row).collect(), scans.iter().map(hash).collect());
        Source { run: run.to_owned(), rows, source_sha256, ..Source::default() }
    }

    #[test]
    fn other_scans_and_missing_spectra_are_told_once() {
        let a = source("a", &[("1", "x"), ("2", "y"), ("3", "z")]);
        let b = source("b", &[("1", "x"), ("2", "other"), ("4", "z")]);
        assert_eq!(notes(&[a.clone(), a.clone()]), [""; 0]);
        let told = notes(&[a.clone(), b.clone(), b]);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("1 of 2 spectra of the same id are of different files in a and b"), "{told:?}");
        assert_eq!(told[1], "2 fitted spectra are in a and b; 1 in a only, 1 in b only");
        // Other programs' results have no hashes.
        let imported = Source {
            source_sha256: std::collections::HashMap::new(),
            ..source("c", &[("1", ""), ("2", ""), ("3", "")])
        };
        assert_eq!(notes(&[a, imported]), [""; 0]);
    }
}
