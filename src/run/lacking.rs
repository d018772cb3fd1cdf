//! What the files of a plan lack, by cause and protocol.

use std::collections::BTreeMap;

use super::gaps::{Cost, Gap};
use super::plan::{Planned, PlannedFile};
use crate::acquisition::Facts;

/// Files of one protocol that lack the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lacking {
    /// What they lack.
    pub gap: Gap,
    /// Their vendor, sequence, echo time and field, as far as they are known.
    pub protocol: String,
    /// How many there are.
    pub n_files: usize,
    /// What is said of the first of them, where it will not be fitted.
    pub example: Option<String>,
}

/// What is missing by cause and protocol: what costs most first, then what concerns most files.
pub fn lacking(planned: &Planned) -> Vec<Lacking> {
    let mut groups: BTreeMap<(&Gap, String), Lacking> = BTreeMap::new();
    for file in &planned.files {
        let protocol = protocol(&file.facts);
        for gap in &file.gaps {
            let group = groups.entry((gap, protocol.clone())).or_insert_with(|| Lacking {
                gap: gap.clone(),
                protocol: protocol.clone(),
                n_files: 0,
                example: file.problem.clone().filter(|_| gap.cost == Cost::Fit),
            });
            group.n_files += 1;
        }
    }
    let mut groups: Vec<Lacking> = groups.into_values().collect();
    groups.sort_by_key(|group| (group.gap.cost, std::cmp::Reverse(group.n_files)));
    groups
}

fn protocol(facts: &Facts) -> String {
    let te = facts.te_s.map(|te_s| format!("TE {} ms", (1e4 * te_s).round() / 10.0));
    // Scanners of one kind differ in the decimals.
    let field = facts.f0_mhz.map(|f0_mhz| format!("{f0_mhz:.0} MHz"));
    let all = [facts.vendor.clone(), facts.sequence.clone(), te, field];
    all.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

impl PlannedFile {
    /// The columns to fill in, each with what it costs to leave it empty.
    pub(super) fn to_fill_in(&self) -> String {
        let cells = self.gaps.iter().flat_map(|gap| gap.columns.iter().map(|column| (column, gap.cost)));
        let mut named: Vec<(&String, Cost)> = cells.collect();
        named.sort_by_key(|(column, cost)| (*cost, *column));
        named.dedup_by_key(|(column, _)| *column);
        let shown: Vec<String> = named.iter().map(|(column, cost)| format!("{column} ({})", cost.short())).collect();
        shown.join("; ")
    }
}
