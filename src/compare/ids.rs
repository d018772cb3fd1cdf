//! One id a spectrum, whatever the program called it.

use std::collections::{BTreeSet, HashMap};

use super::Source;

/// Gives the rows of imported sources the ids of the first run's (or, without one, of the first source) where these mean
/// the same spectrum: `sub-0001`, `sub-0001_svs` and `sub-0001/mrs/sub-0001_svs`. Ids that fit none, or several, stay.
pub fn share_ids(sources: &mut [Source]) {
    let Some(leader) = sources.iter().position(|s| !s.is_imported).or((!sources.is_empty()).then_some(0)) else {
        return;
    };
    let ids: BTreeSet<String> = sources[leader].rows.iter().map(|r| r.spectrum_id.clone()).collect();
    for (_, source) in sources.iter_mut().enumerate().filter(|(i, s)| *i != leader && s.is_imported) {
        let own: BTreeSet<String> = source.rows.iter().map(|r| r.spectrum_id.clone()).collect();
        let mut shared: HashMap<&String, &String> = HashMap::new();
        let mut taken: BTreeSet<&String> = BTreeSet::new();
        for id in own.iter().filter(|id| !ids.contains(*id)) {
            let mut fits = ids.iter().filter(|other| is_same(id, other));
            if let (Some(one), None) = (fits.next(), fits.next())
                && !own.contains(one)
                && taken.insert(one)
            {
                shared.insert(id, one);
            }
        }
        for row in &mut source.rows {
            if let Some(id) = shared.get(&row.spectrum_id) {
                row.spectrum_id = (*id).clone();
            }
        }
    }
}

/// Whether one id is a part of the other's path.
fn is_same(a: &str, b: &str) -> bool {
    b.split('/').any(|part| part == a) || a.split('/').any(|part| part == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MetaboliteRow;

    fn source(is_imported: bool, ids: &[&str]) -> Source {
        let row = |id: &&str| MetaboliteRow { spectrum_id: (*id).to_owned(), ..MetaboliteRow::default() };
        Source { is_imported, rows: ids.iter().map(row).collect(), ..Source::default() }
    }

    #[test]
    fn parts_of_paths_are_the_same_spectrum_where_only_one_fits() {
        let mut sources = [
            source(true, &["sub-1", "sub-2_svs", "sub-3", "x"]),
            source(false, &["sub-1/mrs/sub-1_svs", "sub-2/mrs/sub-2_svs", "sub-3/ses-1/svs", "sub-3/ses-2/svs"]),
        ];
        share_ids(&mut sources);
        let ids: Vec<&str> = sources[0].rows.iter().map(|r| r.spectrum_id.as_str()).collect();
        assert_eq!(ids, ["sub-1/mrs/sub-1_svs", "sub-2/mrs/sub-2_svs", "sub-3", "x"]);
    }
}
