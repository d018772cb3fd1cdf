//! Are wrong spectra flagged, and they alone?

use std::collections::BTreeMap;

use requant::benchmark::robust::{MAJORS, Ratios, ratios};
use requant::compare::Column;

use crate::fitted::Results;
use crate::load::Loaded;

/// Relative error of a major above which a spectrum is wrong.
pub const WRONG: f64 = 0.15;

/// Counts of spectra.
#[derive(Default, Clone)]
struct Counts {
    wrong: usize,
    wrong_flagged: usize,
    right: usize,
    right_flagged: usize,
    /// Flags of wrong and of right spectra.
    flags: BTreeMap<String, [usize; 2]>,
}

impl Counts {
    fn add(&mut self, is_wrong: bool, flags: &[String]) {
        let flagged = usize::from(!flags.is_empty());
        if is_wrong {
            self.wrong += 1;
            self.wrong_flagged += flagged;
        } else {
            self.right += 1;
            self.right_flagged += flagged;
        }
        for flag in flags {
            self.flags.entry(flag.clone()).or_default()[usize::from(!is_wrong)] += 1;
        }
    }

    fn text(&self) -> String {
        let percent = |part: usize, all: usize| if all == 0 { f64::NAN } else { 100.0 * part as f64 / all as f64 };
        let flags = self.flags.iter().map(|(flag, [wrong, right])| format!("{flag} {wrong}/{right}"));
        format!(
            "wrong {:3}, flagged {:3} ({:5.1} %)   right {:3}, flagged {:3} ({:5.1} %)   {}",
            self.wrong,
            self.wrong_flagged,
            percent(self.wrong_flagged, self.wrong),
            self.right,
            self.right_flagged,
            percent(self.right_flagged, self.right),
            flags.collect::<Vec<_>>().join(" ")
        )
    }
}

pub fn told(loaded: &Loaded, results: &Results) {
    let ratios = ratios(&results.rows, &loaded.truth, Column::Amplitude).unwrap();
    let (mut total, mut by_condition) = (Counts::default(), BTreeMap::<&str, (Counts, Vec<f64>)>::new());
    for (i, case) in loaded.cases.iter().enumerate() {
        let worst = worst(loaded, &ratios, 1.0, i);
        total.add(worst > WRONG, &results.flags[i]);
        let own = by_condition.entry(&case.condition).or_default();
        own.0.add(worst > WRONG, &results.flags[i]);
        own.1.push(worst);
    }
    println!("strangers: a major off by more than {:.0} % (flags: wrong/right)", 100.0 * WRONG);
    for (condition, (counts, worst)) in &mut by_condition {
        worst.sort_by(f64::total_cmp);
        println!("    {condition:20} worst major, median {:5.1} %   {}", 100.0 * worst[worst.len() / 2], counts.text());
    }
    println!("    {:20} {:27}   {}", "all", "", total.text());
}

/// Relative error of the worst major that the basis set has.
pub fn worst(loaded: &Loaded, ratios: &[Ratios; 5], factor: f64, i: usize) -> f64 {
    let basis = &loaded.bases[loaded.cases[i].basis].metabolites;
    let has = |name: &str| basis.iter().any(|m| m == name);
    let covered = |major: &str| match major {
        "tNAA" => has("NAA"),
        "tCr" => has("Cr") || has("PCr"),
        "tCho" => has("GPC") || has("PCh"),
        "Glx" => has("Glu") || has("Gln"),
        other => has(other),
    };
    MAJORS
        .iter()
        .zip(ratios)
        .filter(|(name, _)| covered(name))
        .filter_map(|(_, ratios)| ratios[i])
        .map(|ratio| (factor * ratio - 1.0).abs())
        .fold(0.0, f64::max)
}
