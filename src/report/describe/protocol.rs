//! Rows that were measured alike.

use std::collections::{BTreeMap, BTreeSet};

use super::values::number;
use crate::store::{MetaboliteRow, SpectrumRow};

/// Fields (T) that people call by a round number: least and most of each (as the relaxation times have them).
const FIELDS: [(&str, f64, f64); 3] = [("1.5", 1.35, 1.65), ("3", 2.7, 3.2), ("7", 6.5, 7.5)];

/// The field (T) as people call it.
pub(super) fn nominal_field(field_t: f64) -> String {
    let class = FIELDS.iter().find(|(_, least, most)| (*least..=*most).contains(&field_t));
    class.map_or_else(|| number(field_t, 3), |(name, ..)| (*name).to_owned())
}

/// What tells one protocol from another; times in units in which scanners set them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    field: Option<String>,
    vendor: Option<String>,
    sequence: Option<String>,
    te_10us: Option<u64>,
    tr_ms: Option<u64>,
    tm_ms: Option<u64>,
    n_conditions: Option<u32>,
    is_grid: bool,
}

impl Key {
    /// `None` for a file of which nothing is known.
    fn of(row: &SpectrumRow) -> Option<Self> {
        let rounded = |value: Option<f64>, per_s: f64| {
            value.filter(|v| v.is_finite() && *v >= 0.0).map(|v| (v * per_s).round() as u64)
        };
        let is_known = row.f0_mhz.is_some() || row.dwell_s.is_some() || row.n_points.is_some();
        is_known.then(|| Self {
            field: row.field_t.map(nominal_field),
            vendor: row.vendor.clone(),
            sequence: row.sequence.clone(),
            te_10us: rounded(row.te_s, 1e5),
            tr_ms: rounded(row.tr_s, 1e3),
            tm_ms: rounded(row.tm_s, 1e3),
            n_conditions: row.n_conditions,
            is_grid: row.voxel_i.is_some(),
        })
    }

    fn label(&self) -> String {
        let mut parts = Vec::new();
        parts.extend(self.field.as_ref().map(|field| format!("{field} T")));
        parts.extend(self.vendor.clone());
        parts.push(self.sequence.clone().unwrap_or_else(|| "unknown sequence".to_owned()));
        parts.push(
            self.te_10us.map_or("TE not known".to_owned(), |te| format!("TE {} ms", number(te as f64 / 100.0, 6))),
        );
        parts.push(self.tr_ms.map_or("TR not known".to_owned(), |tr| format!("TR {tr} ms")));
        parts.extend(self.tm_ms.map(|tm| format!("TM {tm} ms")));
        parts.extend(self.n_conditions.map(|n| format!("{n} edit conditions")));
        parts.extend(self.is_grid.then(|| "grid of voxels".to_owned()));
        parts.join(", ")
    }
}

/// The rows of one protocol.
#[derive(Debug, Clone)]
pub(super) struct Protocol<'a> {
    /// Field, vendor, sequence, times.
    pub(super) label: String,
    /// A row for each spectrum, of whichever method.
    pub(super) spectra: Vec<&'a SpectrumRow>,
    /// All rows.
    pub(super) rows: Vec<&'a SpectrumRow>,
    /// Rows of their metabolites.
    pub(super) metabolites: Vec<&'a MetaboliteRow>,
}

impl Protocol<'_> {
    /// Whether it holds for any of its spectra.
    pub(super) fn any(&self, holds: impl Fn(&SpectrumRow) -> bool) -> bool {
        self.spectra.iter().any(|row| holds(row))
    }

    /// Subjects, where all of its spectra say whose they are.
    pub(super) fn n_subjects(&self) -> Option<usize> {
        let subjects: Option<BTreeSet<_>> =
            self.spectra.iter().map(|row| row.subject.as_ref().map(|subject| (&row.site, subject))).collect();
        subjects.map(|subjects| subjects.len())
    }

    /// The rows by method, and by sub-spectrum where there are several, with a name where there is more than one group.
    pub(super) fn groups(&self) -> Vec<(Option<String>, Vec<&SpectrumRow>)> {
        let mut groups: BTreeMap<(&str, Option<&str>), Vec<&SpectrumRow>> = BTreeMap::new();
        for row in &self.rows {
            groups.entry((&row.method, row.subspec.as_deref())).or_default().push(row);
        }
        let is_one = groups.len() == 1;
        let name = |(method, subspec): (&str, Option<&str>)| match subspec {
            Some(subspec) => format!("`{method}`, {subspec}"),
            None => format!("`{method}`"),
        };
        groups.into_iter().map(|(key, rows)| ((!is_one).then(|| name(key)), rows)).collect()
    }
}

/// The rows by protocol, and those of files of which nothing is known.
pub(super) fn protocols<'a>(
    spectra: &'a [SpectrumRow],
    metabolites: &'a [MetaboliteRow],
) -> (Vec<Protocol<'a>>, Vec<&'a SpectrumRow>) {
    let mut groups: BTreeMap<Key, Vec<&SpectrumRow>> = BTreeMap::new();
    let mut unknown = Vec::new();
    for row in spectra {
        match Key::of(row) {
            Some(key) => groups.entry(key).or_default().push(row),
            None => unknown.push(row),
        }
    }
    let mut of_spectrum: BTreeMap<&str, Vec<&MetaboliteRow>> = BTreeMap::new();
    for row in metabolites {
        of_spectrum.entry(&row.spectrum_id).or_default().push(row);
    }
    let protocol = |(key, rows): (Key, Vec<&'a SpectrumRow>)| {
        let mut seen = BTreeSet::new();
        let spectra: Vec<&SpectrumRow> = rows.iter().copied().filter(|row| seen.insert(&row.spectrum_id)).collect();
        let own = spectra.iter().filter_map(|row| of_spectrum.get(row.spectrum_id.as_str())).flatten().copied();
        Protocol { label: key.label(), metabolites: own.collect(), spectra, rows }
    };
    (groups.into_iter().map(protocol).collect(), unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, te_s: f64, method: &str) -> SpectrumRow {
        SpectrumRow {
            spectrum_id: id.into(),
            method: method.into(),
            f0_mhz: Some(123.2),
            field_t: Some(2.893),
            te_s: Some(te_s),
            sequence: Some("PRESS".into()),
            ..SpectrumRow::default()
        }
    }

    #[test]
    fn spectra_are_counted_once_and_echo_times_part_them() {
        let rows =
            [row("a", 0.03, "map"), row("a", 0.03, "lcmodel"), row("b", 0.030_001, "map"), row("c", 0.144, "map")];
        let unread = SpectrumRow { spectrum_id: "d".into(), ..SpectrumRow::default() };
        let all: Vec<SpectrumRow> = rows.into_iter().chain([unread]).collect();
        let (found, unknown) = protocols(&all, &[]);
        assert_eq!((found.len(), unknown.len()), (2, 1));
        assert_eq!((found[0].spectra.len(), found[0].rows.len()), (2, 3));
        assert_eq!(found[0].label, "3 T, PRESS, TE 30 ms, TR not known");
        assert_eq!(found[1].label, "3 T, PRESS, TE 144 ms, TR not known");
        let names: Vec<Option<String>> = found[0].groups().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, [Some("`lcmodel`".to_owned()), Some("`map`".to_owned())]);
        assert_eq!(found[0].n_subjects(), None);
    }

    #[test]
    fn fields_have_their_usual_names() {
        assert_eq!(
            ["1.5", "3", "7", "4.7"],
            [1.494, 2.893, 6.98, 4.7].map(nominal_field).each_ref().map(String::as_str)
        );
    }
}
