//! What the sources of a comparison differ in: settings that were varied, or the method as such.

use std::collections::BTreeSet;

use super::Source;

/// Name of the factor that is the method itself.
pub const METHOD: &str = "method";

/// One thing that differs between sources, and its level in each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Factor {
    /// The setting's dotted path, or [`METHOD`].
    pub name: String,
    /// Its values as TOML has them, in the order in which they appear; names of methods.
    pub levels: Vec<String>,
    /// Number of the level that each source has.
    pub of_source: Vec<usize>,
}

impl Factor {
    fn new(name: &str, values: Vec<String>) -> Self {
        let mut levels: Vec<String> = Vec::new();
        let of_source = values
            .into_iter()
            .map(|value| {
                levels.iter().position(|l| *l == value).unwrap_or_else(|| {
                    levels.push(value);
                    levels.len() - 1
                })
            })
            .collect();
        Self { name: name.to_owned(), levels, of_source }
    }

    /// A level as people read it: `evidence`, `ed-per-ppm 1.5`, `[0.2, 4.2]`.
    pub fn shown(&self, level: usize) -> String {
        let bare = self.levels[level].replace(['"', '{', '}'], "").replace(" = ", " ");
        if self.name == METHOD { self.levels[level].clone() } else { bare.trim().to_owned() }
    }

    /// Sources with level `level`.
    pub fn sources(&self, level: usize) -> impl Iterator<Item = usize> + '_ {
        self.of_source.iter().enumerate().filter_map(move |(s, &l)| (l == level).then_some(s))
    }
}

/// What the sources differ in: where they are all combinations of varied settings (and of the methods that were varied),
/// those of more than one value; else one factor, the source itself.
pub fn factors(sources: &[Source]) -> Vec<Factor> {
    let itself = || vec![Factor::new(METHOD, sources.iter().map(|s| s.label.clone()).collect())];
    let Some(varied) = sources.iter().map(|s| s.varied.as_ref()).collect::<Option<Vec<_>>>() else { return itself() };
    let keys: BTreeSet<&String> = varied.iter().flat_map(|v| v.settings.keys()).collect();
    let mut all = vec![Factor::new(METHOD, varied.iter().map(|v| v.base.clone()).collect())];
    for key in keys {
        let Some(values) = varied.iter().map(|v| v.settings.get(key).cloned()).collect() else { return itself() };
        all.push(Factor::new(key, values));
    }
    all.retain(|f| f.levels.len() > 1);
    // Every combination once: as many sources as there are combinations, and no two alike.
    let combinations: usize = all.iter().map(|f| f.levels.len()).product();
    let distinct: BTreeSet<Vec<usize>> =
        (0..sources.len()).map(|s| all.iter().map(|f| f.of_source[s]).collect()).collect();
    if all.is_empty() || combinations != sources.len() || distinct.len() != sources.len() { itself() } else { all }
}

/// Pairs of sources that differ in one factor only: its number, and the two.
pub fn neighbours(factors: &[Factor], n_sources: usize) -> Vec<(usize, usize, usize)> {
    let mut pairs = Vec::new();
    for a in 0..n_sources {
        for b in a + 1..n_sources {
            let mut differing = (0..factors.len()).filter(|&f| factors[f].of_source[a] != factors[f].of_source[b]);
            if let (Some(factor), None) = (differing.next(), differing.next()) {
                pairs.push((factor, a, b));
            }
        }
    }
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::provenance::VariedMethod;

    fn source(base: &str, settings: &[(&str, &str)]) -> Source {
        let settings = settings.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let label = format!("{base}{settings:?}");
        let varied = VariedMethod { method: label.clone(), base: base.to_owned(), settings };
        Source { label, varied: Some(varied), ..Source::default() }
    }

    #[test]
    fn all_combinations_are_factors_and_anything_less_is_not() {
        let mut sources = Vec::new();
        for base in ["map", "fsl"] {
            for window in ["[0.2, 4.2]", "[0.5, 4.0]"] {
                for ed in ["2", "4", "8"] {
                    sources.push(source(base, &[("window_ppm", window), ("ed", ed), ("fixed", "1")]));
                }
            }
        }
        let found = factors(&sources);
        let names: Vec<&str> = found.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["method", "ed", "window_ppm"]);
        assert_eq!(found[1].levels, ["2", "4", "8"]);
        assert_eq!(found[1].sources(1).collect::<Vec<_>>(), [1, 4, 7, 10]);
        // Each of 12 has 1 + 2 + 1 neighbours.
        assert_eq!(neighbours(&found, 12).len(), 12 * 4 / 2);
        sources.pop();
        let found = factors(&sources);
        assert_eq!((found.len(), found[0].name.as_str(), found[0].levels.len()), (1, METHOD, 11));
        assert_eq!(neighbours(&found, 11).len(), 55);
    }

    #[test]
    fn one_combination_twice_is_none() {
        let a = || source("map", &[("ed", "2")]);
        assert_eq!(factors(&[a(), a()])[0].name, METHOD);
    }
}
