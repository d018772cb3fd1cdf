//! Calibrates the quality score on spectra with known truth, and writes its coefficients.
//!
//! A logistic regression (ridge) of "a major is off by more than 15 %" on the logarithms of the chosen figures gives the
//! direction; a straight line of ln(error of the worst major) along it gives the expected error. The threshold is the lowest
//! at which at most 2 % of the right spectra are flagged, or higher where that still flags 97 % of the wrong ones: stricter
//! than what is asked, as other spectra differ.

use std::fmt::Write as _;
use std::path::Path;

use requant::benchmark::Set;
use requant::benchmark::robust::ratios;
use requant::benchmark::score;
use requant::fit::Method;

use crate::strangers::{WRONG, worst};
use crate::{fitted, load};

/// Simulated sets and the seeds that are learned from: not those that are told (seed 0).
const LEARNED_FROM: [(&str, &[u64]); 3] =
    [("strangers", &[1000, 2000, 3000]), ("wide", &[1000]), ("sim-artefacts", &[1000])];
/// What is held out: other seeds, and spectra of other basis sets.
const HELD_OUT: [(&str, &[u64]); 4] = [("strangers", &[0]), ("skew", &[0]), ("skew-mm", &[0]), ("misfit", &[0])];
/// The chosen figures, each with what is added before its logarithm is taken.
const CHOSEN: [(&str, f64); 6] = [
    ("major_sd", 0.005),
    ("lorentz_strain_sd", 0.5),
    ("own_strain_sd", 0.3),
    ("confusion", 0.1),
    ("residual_peak_sd", 1.0),
    ("skew_strain_sd", 0.5),
];
/// Weight of the ridge, per spectrum, on standardised terms.
const RIDGE: f64 = 1e-3;
/// Spectra of each condition of `sim-artefacts` and the like.
const SPECTRA: usize = 30;
/// Smallest error whose logarithm is taken.
const LEAST_ERROR: f64 = 0.01;

/// One spectrum: its terms and the error of its worst major.
struct Case {
    terms: Vec<f64>,
    error: f64,
}

pub fn calibrate(sets: &[Set], method: &Method, path: &Path) {
    let learned: Vec<Case> = LEARNED_FROM.iter().flat_map(|(name, seeds)| cases(sets, method, name, seeds)).collect();
    let line = fit(&learned);
    let threshold = threshold(&learned, &line);
    std::fs::write(path, text(&line, threshold)).unwrap();
    println!("{}", path.display());
    told("learned from", &learned, &line, threshold);
    for (name, seeds) in HELD_OUT {
        told(&format!("held out: {name}"), &cases(sets, method, name, seeds), &line, threshold);
    }
}

/// Spectra of a set, once for each seed.
fn cases(sets: &[Set], method: &Method, name: &str, seeds: &[u64]) -> Vec<Case> {
    let set = sets.iter().find(|s| s.name == name).unwrap_or_else(|| panic!("{name} is not there"));
    let mut all = Vec::new();
    for &seed in seeds {
        let mut loaded = load::load(set, (name == "sim-artefacts").then_some(SPECTRA), seed);
        if name == "strangers" {
            load::add_lacking(&mut loaded, "clean");
        }
        let results = fitted::fit(set, &loaded, method);
        let scale = score::score(&results.rows, &loaded.truth, set.column).unwrap().scale;
        let factor = if set.same_unit { 1.0 } else { scale };
        let ratios = ratios(&results.rows, &loaded.truth, set.column).unwrap();
        for (i, fit) in results.fits.iter().enumerate() {
            let Some(diagnostics) = &fit.diagnostics else { continue };
            let figures = diagnostics.figures();
            let of = |(name, floor): &(&str, f64)| {
                let figure = figures.iter().find(|(figure, _)| figure == name).unwrap_or_else(|| panic!("{name}?"));
                (figure.1 + floor).ln()
            };
            let terms: Vec<f64> = CHOSEN.iter().map(of).collect();
            if terms.iter().all(|t| t.is_finite()) {
                all.push(Case { terms, error: worst(&loaded, &ratios, factor, i) });
            }
        }
    }
    all
}

/// ln(expected error) = first + Σ rest · term.
fn fit(cases: &[Case]) -> Vec<f64> {
    let (n, m) = (cases.len() as f64, CHOSEN.len());
    let mean: Vec<f64> = (0..m).map(|j| cases.iter().map(|c| c.terms[j]).sum::<f64>() / n).collect();
    let sd: Vec<f64> = (0..m)
        .map(|j| (cases.iter().map(|c| (c.terms[j] - mean[j]).powi(2)).sum::<f64>() / n).sqrt().max(1e-9))
        .collect();
    let rows: Vec<Vec<f64>> = cases
        .iter()
        .map(|c| std::iter::once(1.0).chain((0..m).map(|j| (c.terms[j] - mean[j]) / sd[j])).collect())
        .collect();
    let wrong: Vec<f64> = cases.iter().map(|c| f64::from(u8::from(c.error > WRONG))).collect();
    let mut beta = vec![0.0; m + 1];
    for _ in 0..30 {
        let mut h = vec![vec![0.0; m + 1]; m + 1];
        let mut g = vec![0.0; m + 1];
        for (row, y) in rows.iter().zip(&wrong) {
            let p = 1.0 / (1.0 + (-dot(row, &beta)).exp());
            for i in 0..=m {
                g[i] += (y - p) * row[i];
                for j in 0..=m {
                    h[i][j] += p * (1.0 - p) * row[i] * row[j];
                }
            }
        }
        for i in 1..=m {
            h[i][i] += RIDGE * n;
            g[i] -= RIDGE * n * beta[i];
        }
        let step = solved(h, g);
        beta.iter_mut().zip(&step).for_each(|(b, s)| *b += s);
    }
    // ln(error) along the direction.
    let along: Vec<f64> = rows.iter().map(|row| dot(row, &beta)).collect();
    let errors: Vec<f64> = cases.iter().map(|c| c.error.max(LEAST_ERROR).ln()).collect();
    let (ma, me) = (along.iter().sum::<f64>() / n, errors.iter().sum::<f64>() / n);
    let slope = along.iter().zip(&errors).map(|(a, e)| (a - ma) * (e - me)).sum::<f64>()
        / along.iter().map(|a| (a - ma).powi(2)).sum::<f64>();
    let mut line: Vec<f64> = vec![me + slope * (beta[0] - ma)];
    for j in 0..m {
        let coefficient = slope * beta[j + 1] / sd[j];
        line[0] -= coefficient * mean[j];
        line.push(coefficient);
    }
    line
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solution of a small positive definite system, by elimination.
fn solved(mut h: Vec<Vec<f64>>, mut g: Vec<f64>) -> Vec<f64> {
    let m = g.len();
    for i in 0..m {
        for k in i + 1..m {
            let factor = h[k][i] / h[i][i];
            for j in i..m {
                h[k][j] -= factor * h[i][j];
            }
            g[k] -= factor * g[i];
        }
    }
    for i in (0..m).rev() {
        let rest: f64 = (i + 1..m).map(|j| h[i][j] * g[j]).sum();
        g[i] = (g[i] - rest) / h[i][i];
    }
    g
}

fn expected(line: &[f64], case: &Case) -> f64 {
    (line[0] + dot(&line[1..], &case.terms)).exp()
}

fn threshold(cases: &[Case], line: &[f64]) -> f64 {
    let sorted = |is_wrong: bool| {
        let mut all: Vec<f64> =
            cases.iter().filter(|c| (c.error > WRONG) == is_wrong).map(|c| expected(line, c)).collect();
        all.sort_by(f64::total_cmp);
        all
    };
    let (right, wrong) = (sorted(false), sorted(true));
    let at = |all: &[f64], share: f64| all[((all.len() as f64 * share) as usize).min(all.len() - 1)];
    at(&right, 0.98).max(at(&wrong, 0.03))
}

fn told(what: &str, cases: &[Case], line: &[f64], threshold: f64) {
    let share = |is_wrong: bool| {
        let all: Vec<&Case> = cases.iter().filter(|c| (c.error > WRONG) == is_wrong).collect();
        let flagged = all.iter().filter(|c| expected(line, c) > threshold).count();
        format!("{flagged} of {} ({:.1} %)", all.len(), 100.0 * flagged as f64 / all.len().max(1) as f64)
    };
    println!("{what:24} flagged of the wrong {}, of the right {}", share(true), share(false));
}

fn text(line: &[f64], threshold: f64) -> String {
    let mut text = String::from(
        "//! Coefficients of the quality score, written by `cargo bench --profile dev --bench accuracy -- --calibrate`.\n\n\
         /// Logarithm of the error that is expected where all terms are 0.\n",
    );
    let _ = writeln!(text, "pub(super) const INTERCEPT: f64 = {:.4};", line[0]);
    text.push_str("/// Name, floor and coefficient of each term.\n");
    let _ = writeln!(text, "pub(super) const TERMS: [(&str, f64, f64); {}] = [", CHOSEN.len());
    for ((name, floor), coefficient) in CHOSEN.iter().zip(&line[1..]) {
        let _ = writeln!(text, "    ({name:?}, {floor:?}, {coefficient:.4}),");
    }
    text.push_str("];\n/// Expected error above which a fit is doubtful (%).\n");
    let _ = writeln!(text, "pub const FLAG_ABOVE_PERCENT: f64 = {:.2};", 100.0 * threshold);
    text
}
