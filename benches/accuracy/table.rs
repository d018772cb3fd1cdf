//! A line of figures a set.

use std::path::Path;

use requant::benchmark::robust::{MAJORS, Robust, ratios, robust};
use requant::benchmark::score::Errors;
use requant::benchmark::{Set, peers, score};
use requant::store::MetaboliteRow;

use crate::fitted::Results;
use crate::load::Loaded;

pub fn head(method: &str) {
    println!("method {method}; majors: {}", MAJORS.join(" · "));
    println!(
        "{:20} {:26} {:>4} {:>6} {:>6} {:>6} {:>6} {:>5} {:>4} {:>8} | {:29} | {:39} | {:54} | {:>5} {:>6}",
        "set",
        "program",
        "n",
        "SSE",
        "median",
        "plain",
        "scale",
        "e/sd",
        "in95",
        "bad(sil)",
        "robust rms %",
        "mean bias % (aligned where units differ)",
        "slope %/Hz against the true Lorentzian width ± se",
        "iter",
        "ms"
    );
}

pub fn row(set: &Set, loaded: &Loaded, results: &Results, peers: Option<&Path>, metabolites: bool) {
    let flagged: Vec<bool> = results.flags.iter().map(|f| !f.is_empty()).collect();
    let iterations = results.fits.iter().map(|f| f.n_iterations as f64).sum::<f64>() / results.fits.len().max(1) as f64;
    let time = format!("{iterations:5.1} {:6.1}", results.wall_ms);
    let errors = line(set, loaded, "requant", &results.rows, Some(&flagged), &time);
    if metabolites {
        each(&errors);
    }
    for peer in peers.map(|folder| peers::peers_of(&set.peers, folder).unwrap()).unwrap_or_default() {
        line(set, loaded, &peer.label, &peer.rows, None, "");
    }
}

fn line(
    set: &Set,
    loaded: &Loaded,
    program: &str,
    rows: &[MetaboliteRow],
    flagged: Option<&[bool]>,
    time: &str,
) -> Errors {
    let scored = score::score(rows, &loaded.truth, set.column).unwrap();
    let factor = if set.same_unit { 1.0 } else { scored.scale };
    let found = robust(&ratios(rows, &loaded.truth, set.column).unwrap(), factor, &loaded.truth, flagged);
    let errors = if set.same_unit { &scored.plain } else { &scored.aligned };
    println!(
        "{:20} {:26} {:>4} {:6.2} {:6.2} {:6.2} {:6.3} {:5.2} {:4.0} {:>8} | {:29} | {:39} | {:54} | {time}",
        set.name,
        program,
        scored.n,
        scored.aligned.mean.value,
        scored.aligned.median.value,
        scored.plain.mean.value,
        scored.scale,
        errors.error_over_sd_robust,
        100.0 * errors.coverage_of(0.95).map_or(f64::NAN, |f| f.value),
        found.silent.map_or_else(|| found.bad.to_string(), |silent| format!("{} ({silent})", found.bad)),
        majors(&found, |m| format!("{:5.1}", m.robust_rms_percent)),
        majors(&found, |m| format!("{:+6.1}", m.bias_percent)),
        majors(&found, |m| {
            let [slope, se] = m.slope_percent_per_hz;
            if slope.is_finite() { format!("{slope:+5.1}±{se:3.1}") } else { "–".to_owned() }
        }),
    );
    errors.clone()
}

fn majors(found: &Robust, text: impl Fn(&requant::benchmark::robust::Major) -> String) -> String {
    found.majors.iter().map(|m| m.as_ref().map_or_else(|| "–".to_owned(), &text)).collect::<Vec<_>>().join(" ")
}

/// Error over sd, and coverage of the 95 % intervals, metabolite by metabolite.
fn each(errors: &Errors) {
    let text = errors
        .members
        .iter()
        .filter(|m| m.error_over_sd.is_finite())
        .map(|m| format!("{} {:.2} ({:.0})", m.name, m.error_over_sd, 100.0 * m.coverage[2]));
    println!("    error/sd, rms (in 95 %): {}", text.collect::<Vec<_>>().join("  "));
}
