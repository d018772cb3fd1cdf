//! Matched groups: what of a difference comes back, and what comes where there is none.

use requant::benchmark::Set;
use requant::benchmark::robust::MAJORS;

use crate::fitted::Results;
use crate::load::Loaded;

pub fn told(set: &Set, loaded: &Loaded, results: &Results) {
    let mut groups: Vec<&str> = Vec::new();
    for case in &loaded.cases {
        if !groups.contains(&case.group.as_str()) {
            groups.push(&case.group);
        }
    }
    println!("{}: {} matched sets", set.name, loaded.cases.len() / groups.len().max(1));
    let first = groups[0];
    for &group in &groups[1..] {
        let [before, after] = [first, group].map(|g| members(loaded, g));
        let moved = loaded.truth.metabolites.iter().map(String::as_str).find(|name| {
            let true_value = |i: usize| loaded.truth.of(&loaded.cases[i].id).unwrap()[*name];
            (true_value(after[0]) / true_value(before[0]) - 1.0).abs() > 1e-9
        });
        let text: Vec<String> = match moved {
            Some(name) => {
                let [mut truth, mut found] = [Vec::new(), Vec::new()];
                for (&a, &b) in before.iter().zip(&after) {
                    let true_value = |i: usize| loaded.truth.of(&loaded.cases[i].id).unwrap()[name];
                    truth.push(true_value(b) - true_value(a));
                    found.push(value(results, b, name) - value(results, a, name));
                }
                let total = truth.iter().sum::<f64>() / truth.len() as f64;
                let (mean, se) = mean_and_se(&found);
                vec![format!(
                    "{name}: {:.1} ± {:.1} % of the true difference",
                    100.0 * mean / total,
                    100.0 * se / total
                )]
            }
            None => Vec::new(),
        };
        let others = MAJORS.iter().filter(|m| Some(**m) != moved).map(|name| {
            let level = before.iter().map(|&a| value(results, a, name)).sum::<f64>() / before.len() as f64;
            let differences: Vec<f64> =
                before.iter().zip(&after).map(|(&a, &b)| value(results, b, name) - value(results, a, name)).collect();
            let (mean, se) = mean_and_se(&differences);
            format!("{name} {:+.2} ± {:.2} %", 100.0 * mean / level, 100.0 * se / level)
        });
        let text: Vec<String> = text.into_iter().chain(others).collect();
        println!("    {group:14} {}", text.join("   "));
    }
}

fn members(loaded: &Loaded, group: &str) -> Vec<usize> {
    (0..loaded.cases.len()).filter(|&i| loaded.cases[i].group == group).collect()
}

fn value(results: &Results, i: usize, name: &str) -> f64 {
    results.fits[i].amplitude(name).map_or(f64::NAN, |a| a.value)
}

fn mean_and_se(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}
