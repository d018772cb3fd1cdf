//! True values of spectra, and what else was drawn for them.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::CompareError;
use crate::basis::names;
use crate::regular_file;

/// Largest table of true values that is read (bytes): a million spectra with twenty metabolites have half of it.
const MAX_BYTES: u64 = 512 << 20;

/// Columns of truth tables that are no metabolites: what else was drawn for a spectrum.
const NUISANCES: [&str; 6] = ["snr", "gauss_hz", "lorentz_hz_mean", "shift_hz", "phi0_deg", "phi1_deg_ppm"];
/// Rows of the fitting challenge's table that are no metabolites.
const NOT_COUNTED: [&str; 3] = ["", "lipids", "Ace"];

/// True values of some spectra.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Truth {
    /// Metabolites (canonical names) in the table's order.
    pub metabolites: Vec<String>,
    /// Ids in the table's order.
    pub ids: Vec<String>,
    values: HashMap<String, HashMap<String, f64>>,
    /// What else was drawn for a spectrum, by id and name.
    drawn: HashMap<String, HashMap<String, f64>>,
}

impl Truth {
    /// Reads a CSV: one row a spectrum, the first column `id` and the others metabolites; or, as the fitting challenge of
    /// 2016 has it, one row a metabolite, the first column `metabolite` and the others spectra.
    ///
    /// # Errors
    /// [`CompareError::Truth`], with the line.
    pub fn read(path: &Path) -> Result<Self, CompareError> {
        let fail = |reason: String| CompareError::Truth { path: path.to_owned(), reason };
        let file = regular_file::open(path, MAX_BYTES).map_err(|e| fail(e.to_string()))?;
        let mut reader = csv::Reader::from_reader(file);
        let header = reader.headers().map_err(|e| fail(e.to_string()))?.clone();
        let by_spectrum = match header.get(0) {
            Some("id") => true,
            Some("metabolite") => false,
            _ => {
                let told =
                    "the first column must be `id`, the others metabolites (or `metabolite`, the others spectra)";
                return Err(fail(told.to_owned()));
            }
        };
        let mut truth = Self::default();
        if !by_spectrum {
            truth.ids = header.iter().skip(1).map(str::to_owned).collect();
        }
        if let Some(name) = twice(&truth.ids) {
            return Err(fail(format!("line 1: the spectrum `{name}` is there twice")));
        }
        let mut seen = HashSet::new();
        for (line, record) in reader.records().enumerate() {
            let record = record.map_err(|e| fail(e.to_string()))?;
            let first = record.get(0).unwrap_or_default();
            if by_spectrum {
                if !seen.insert(first.to_owned()) {
                    return Err(fail(format!("line {}: the spectrum `{first}` is there twice", line + 2)));
                }
                truth.ids.push(first.to_owned());
            } else if first.contains('+') || NOT_COUNTED.contains(&first) {
                continue;
            }
            for (name, cell) in header.iter().zip(record.iter()).skip(1) {
                if !by_spectrum && cell.is_empty() {
                    continue;
                }
                let value = cell.trim().parse().ok().filter(|v: &f64| v.is_finite());
                if by_spectrum && NUISANCES.contains(&name) {
                    value.into_iter().for_each(|value| truth.put_drawn(first, name, value));
                    continue;
                }
                let value = value.ok_or_else(|| fail(format!("line {}: `{cell}` is no number", line + 2)))?;
                let (id, metabolite) = if by_spectrum { (first, name) } else { (name, first) };
                truth.put(id, names::canonical(metabolite), value);
            }
        }
        truth.add_sums();
        Ok(truth)
    }

    /// The truth of spectra whose values are in the order of `metabolites` (canonical names), with their ids.
    pub fn of_spectra<'a>(metabolites: &[String], spectra: impl IntoIterator<Item = (&'a str, &'a [f64])>) -> Self {
        let mut truth = Self { metabolites: metabolites.to_vec(), ..Self::default() };
        for (id, values) in spectra {
            truth.add(id, values);
        }
        truth
    }

    /// Adds a spectrum with its values in the order of `metabolites`.
    pub fn add(&mut self, id: &str, values: &[f64]) {
        self.ids.push(id.to_owned());
        for (name, value) in self.metabolites.clone().into_iter().zip(values) {
            self.put(id, name, *value);
        }
        let sums = names::sums(&self.metabolites);
        if let Some(values) = self.values.get_mut(id) {
            put_sums(values, &sums, &self.metabolites);
        }
    }

    /// Notes what else was drawn for a spectrum, under the name that truth tables have for it (`lorentz_hz_mean`).
    pub fn put_drawn(&mut self, id: &str, name: &str, value: f64) {
        self.drawn.entry(id.to_owned()).or_default().insert(name.to_owned(), value);
    }

    /// Reads what `requant simulate` writes as `nuisances.csv`: the widths.
    ///
    /// # Errors
    /// [`CompareError::Truth`].
    pub fn read_drawn(&mut self, path: &Path) -> Result<(), CompareError> {
        let fail = |reason: String| CompareError::Truth { path: path.to_owned(), reason };
        let file = regular_file::open(path, MAX_BYTES).map_err(|e| fail(e.to_string()))?;
        let mut reader = csv::Reader::from_reader(file);
        let header = reader.headers().map_err(|e| fail(e.to_string()))?.clone();
        for record in reader.records() {
            let record = record.map_err(|e| fail(e.to_string()))?;
            let cell = |name: &str| header.iter().position(|h| h == name).and_then(|i| record.get(i));
            let Some(id) = cell("spectrum_id") else { continue };
            for (column, name) in [("lorentz_hz", "lorentz_hz_mean"), ("gauss_hz", "gauss_hz")] {
                if let Some(value) = cell(column).and_then(|text| text.parse().ok()) {
                    self.put_drawn(id, name, value);
                }
            }
        }
        Ok(())
    }

    /// What else was drawn for a spectrum: one of the columns of truth tables that are no metabolites.
    pub fn drawn(&self, spectrum_id: &str, name: &str) -> Option<f64> {
        self.drawn.get(self.id_of(spectrum_id)?)?.get(name).copied()
    }

    fn put(&mut self, id: &str, metabolite: String, value: f64) {
        if !self.metabolites.contains(&metabolite) {
            self.metabolites.push(metabolite.clone());
        }
        self.values.entry(id.to_owned()).or_default().insert(metabolite, value);
    }

    fn add_sums(&mut self) {
        let sums = names::sums(&self.metabolites);
        self.values.values_mut().for_each(|values| put_sums(values, &sums, &self.metabolites));
    }

    /// Total creatine of a spectrum's values: the sum of all that the table names of it, or nothing.
    pub(super) fn creatine(&self, values: &HashMap<String, f64>) -> Option<f64> {
        let names_it = |name: &str| self.metabolites.iter().any(|other| other == name);
        if names_it("tCr") || values.contains_key("tCr") {
            return values.get("tCr").copied();
        }
        let of = |name: &str| names_it(name).then(|| values.get(name).copied());
        match (of("Cr"), of("PCr")) {
            (Some(one), None) | (None, Some(one)) => one,
            // Their sum would be there.
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// Only the first `n` spectra.
    #[must_use]
    pub fn first(mut self, n: usize) -> Self {
        self.ids.truncate(n);
        self.values.retain(|id, _| self.ids.contains(id));
        self
    }

    /// Only spectra of which `keep` says so, by their id.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&str) -> bool) -> Self {
        let mut truth = self.clone();
        truth.ids.retain(|id| keep(id));
        truth.values.retain(|id, _| keep(id));
        truth
    }

    /// The id under which the truth has a spectrum: its own, a part of its path, or a part of a name (`sub-0001_svs`).
    pub fn id_of<'a>(&self, spectrum_id: &'a str) -> Option<&'a str> {
        let known = |id: &&str| self.values.contains_key(*id);
        let part = |delimiters: &[char]| spectrum_id.split(delimiters).find(known);
        Some(spectrum_id).filter(known).or_else(|| part(&['/'])).or_else(|| part(&['/', '_']))
    }

    /// True values of a spectrum by metabolite and sum.
    pub fn of(&self, spectrum_id: &str) -> Option<&HashMap<String, f64>> {
        self.values.get(self.id_of(spectrum_id)?)
    }
}

/// Sums of what is known of all members that the table names: one without a member would be too small.
fn put_sums(values: &mut HashMap<String, f64>, sums: &[names::Sum], metabolites: &[String]) {
    for sum in sums {
        let members = sum.members.iter().map(|&k| values.get(&metabolites[k]).copied());
        if let Some(total) = members.sum() {
            values.insert(sum.name.to_owned(), total);
        }
    }
}

fn twice(ids: &[String]) -> Option<&String> {
    let mut seen = HashSet::new();
    ids.iter().find(|id| !seen.insert(*id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn both_layouts_of_a_truth_read_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a.csv"), folder.path().join("b.csv"));
        std::fs::write(&a, "id,snr,Glu,Gln,mI\nds1,20,9,3,6\nds2,30,8,2,5\n").unwrap();
        std::fs::write(&b, "metabolite,ds1,ds2\nGlu,9,8\nGln,3,2\nIns,6,5\nGlu+Gln,12,10\nAce,,\n").unwrap();
        let (a, b) = (Truth::read(&a).unwrap(), Truth::read(&b).unwrap());
        assert_eq!((a.drawn("ds2", "snr"), b.drawn("ds2", "snr")), (Some(30.0), None));
        assert_eq!(Truth { drawn: HashMap::new(), ..a.clone() }, b);
        assert_eq!(a.of("x/ds2/y").unwrap()["Glx"], 10.0);
        assert_eq!(a.clone().first(1).of("ds2"), None);
        assert_eq!(a.id_of("ds3"), None);
    }

    #[test]
    fn a_sum_without_one_of_its_members_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, "metabolite,a,b\nCr,4,4\nPCr,,3\nNAA,9,9\nGlu,8,8\nGln,2,\n").unwrap();
        let truth = Truth::read(&path).unwrap();
        let of = |id: &str, name: &str| truth.of(id).unwrap().get(name).copied();
        assert_eq!((of("a", "tCr"), of("b", "tCr")), (None, Some(7.0)));
        assert_eq!((of("a", "Glx"), of("b", "Glx")), (Some(10.0), None));
        let creatine = |id: &str| truth.creatine(truth.of(id).unwrap());
        assert_eq!((creatine("a"), creatine("b")), (None, Some(7.0)));
        // A table that names creatine alone means it.
        std::fs::write(&path, "id,Cr,NAA\na,7,9\n").unwrap();
        let alone = Truth::read(&path).unwrap();
        assert_eq!(alone.creatine(alone.of("a").unwrap()), Some(7.0));
        std::fs::write(&path, "id,NAA\na,9\n").unwrap();
        let none = Truth::read(&path).unwrap();
        assert_eq!(none.creatine(none.of("a").unwrap()), None);
    }

    #[test]
    fn a_truth_that_holds_no_number_is_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        for (text, told) in [
            ("id,Glu\na,9\nb,x\n", "line 3"),
            ("id,Glu\na,9\nb,8\na,7\n", "line 4: the spectrum `a` is there twice"),
            ("metabolite,a,a\nGlu,9,8\n", "line 1: the spectrum `a` is there twice"),
            ("name,Glu\na,9\n", "first column"),
            ("id,Glu\na,inf\n", "line 2"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Truth::read(&path).unwrap_err().to_string();
            assert!(error.contains(told), "{error}");
        }
    }
}
