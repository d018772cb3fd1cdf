//! The report: one HTML page with its pictures inside, nothing loaded from elsewhere.

use super::plots::{self, Palette, Series};
use super::score::USUAL;
use super::{BenchmarkOptions, Entry, SetResult};
use crate::engine::Engine;
use crate::report::page::{Cell, Page, cell, decimals, name, percent, with_interval};

/// Makes the report.
pub(super) fn report(results: &[SetResult], options: &BenchmarkOptions, engine: &dyn Engine) -> Result<String, String> {
    let palette = Palette::new(results);
    let mut page = Page::begin("requant benchmark");
    let methods: Vec<String> = options.methods.iter().map(|m| format!("{} – {}", m.name(), m.description())).collect();
    page.paragraph(&format!(
        "requant {} · engine {} · {} sets, {} fits. Methods: {}",
        env!("CARGO_PKG_VERSION"),
        engine.kind().as_str(),
        results.len(),
        results.iter().flat_map(SetResult::whole).filter_map(|e| e.states.as_ref()).map(|s| s.spectra).sum::<usize>(),
        methods.join(" ")
    ));
    page.legend(palette.labels().iter().map(|label| (label.as_str(), palette.css(label))));
    errors(&mut page, results, &palette)?;
    usual_sums(&mut page, results, &palette)?;
    error_calibration(&mut page, results, &palette)?;
    signal_to_noise(&mut page, results, &palette)?;
    conditions(&mut page, results);
    states_and_time(&mut page, results);
    about(&mut page, results);
    Ok(page.end())
}

fn errors(page: &mut Page, results: &[SetResult], palette: &Palette) -> Result<(), String> {
    page.heading("error", "Error by set and method");
    page.picture(
        &plots::error_by_set(results, palette)?,
        "Squared errors summed over all metabolites of the truth, mean over spectra. Lower is better.",
    );
    let mut rows = Vec::new();
    for result in results {
        let lowest = result.whole().map(|e| e.scored.aligned.mean.value).fold(f64::INFINITY, f64::min);
        for entry in result.whole() {
            let s = &entry.scored;
            let best = s.aligned.mean.value <= lowest;
            rows.push(vec![
                name(&result.set.name),
                name(&entry.method),
                cell(if s.n_found == s.n { s.n.to_string() } else { format!("{} of {}", s.n_found, s.n) }),
                Cell { text: with_interval(&s.aligned.mean), class: if best { "best" } else { "" }, ..Cell::default() },
                cell(decimals(s.aligned.median.value, 2)),
                cell(entry.to_best_peer.as_ref().map_or("–".to_owned(), with_interval)),
                cell(decimals(s.scale, 3)),
                cell(if result.set.same_unit { with_interval(&s.plain.mean) } else { "–".to_owned() }),
                cell(if result.set.same_unit { decimals(s.plain.median.value, 2) } else { "–".to_owned() }),
            ]);
        }
    }
    let head = [
        "set",
        "method",
        "spectra",
        "aligned: mean (95 %)",
        "median",
        "over best peer (95 %)",
        "scale",
        "as they are: mean (95 %)",
        "median",
    ];
    page.table(&head, &rows);
    page.paragraph(
        "Aligned: after one common factor per set and method (scale: the median of truth over estimate of tCr and tNAA). \
         As they are: only where estimates and truth share a unit. A spectrum or metabolite that is missing counts as zero. \
         Over best peer: ratio of the means over the same spectra to the other program with the lowest one. Intervals: \
         bootstrap over spectra, the factor held.",
    );
    Ok(())
}

fn usual_sums(page: &mut Page, results: &[SetResult], palette: &Palette) -> Result<(), String> {
    page.heading("metabolites", "Bias and error by metabolite");
    page.picture(
        &plots::bias_by_metabolite(results, palette)?,
        "Mean relative error with its 95 % interval; grey: ± 5 %; an arrow lies beyond ± 40 %.",
    );
    let mut head = vec!["set", "method"];
    head.extend(USUAL);
    let mut rows = Vec::new();
    for result in results {
        for entry in result.whole() {
            let mut row = vec![name(&result.set.name), name(&entry.method)];
            for sum in USUAL {
                let member = entry.errors(&result.set).member(sum).filter(|m| m.n > 0);
                row.push(member.map_or_else(
                    || cell("–"),
                    |m| {
                        let bias = &m.relative_bias;
                        let [value, low, high] = [bias.value, bias.interval.0, bias.interval.1].map(|b| 100.0 * b);
                        let text = format!("{:.1} · {value:+.1}", 100.0 * m.relative_rmse.value);
                        Cell { note: format!("{low:+.1} … {high:+.1}"), ..cell(text) }
                    },
                ));
            }
            rows.push(row);
        }
    }
    page.table(&head, &rows);
    let aligned: Vec<&str> = results.iter().filter(|r| !r.set.same_unit).map(|r| r.set.name.as_str()).collect();
    let aligned = if aligned.is_empty() { "no set".to_owned() } else { aligned.join(", ") };
    page.paragraph(&format!(
        "In percent of each spectrum's true value: root mean square · mean, and below the 95 % interval of the mean. Estimates as they are; on {aligned} after \
         the common factor, since units differ there, which makes the bias of tNAA and tCr small by construction."
    ));
    Ok(())
}

fn error_calibration(page: &mut Page, results: &[SetResult], palette: &Palette) -> Result<(), String> {
    page.heading("error_calibration", "Are the errors that are reported honest?");
    page.picture(
        &plots::calibration(results, palette)?,
        "Share of true values inside the central interval that should hold so many (diagonal). Below it: errors are \
         reported too small.",
    );
    let mut rows = Vec::new();
    let told = |entry: &Entry, result: &SetResult| {
        let e = entry.errors(&result.set);
        let coverage = |nominal: f64| match e.coverage_of(nominal) {
            Some(f) if f.value.is_finite() => {
                format!("{} ({} … {})", percent(f.value), percent(f.interval.0), percent(f.interval.1))
            }
            _ => "–".to_owned(),
        };
        let mut row = vec![name(&result.set.name), name(&entry.method)];
        row.extend([decimals(e.error_over_sd_robust, 2), decimals(e.error_over_sd, 2)].map(cell));
        row.extend([coverage(0.5), coverage(0.9), coverage(0.95)].map(cell));
        row.extend(USUAL.map(|sum| cell(e.member(sum).map_or("–".to_owned(), |m| decimals(m.error_over_sd, 2)))));
        row
    };
    for result in results {
        rows.extend(result.whole().map(|entry| told(entry, result)));
    }
    let mut head = vec!["set", "method", "error/sd (robust)", "error/sd (rms)", "in 50 %", "in 90 %", "in 95 %"];
    head.extend(USUAL);
    page.table(&head, &rows);
    page.paragraph(
        "Error over reported standard deviation (1 is honest), over all metabolites: robust from the median of its square, \
         and the root mean square, which single spectra that went astray raise. Coverage in percent, with the 95 % interval \
         of resampled spectra. Last columns: root mean square of error over sd of each sum. Other programs: sd from their \
         %CRLB where they give one; what they put at zero has none and is left out.",
    );
    Ok(())
}

/// The design that varies the signal-to-noise ratio, from its conditions' names (`snr-030-baseline`).
fn signal_to_noise(page: &mut Page, results: &[SetResult], palette: &Palette) -> Result<(), String> {
    let snr = |condition: &str| condition.strip_prefix("snr-").and_then(|rest| rest.get(..3)?.parse::<f64>().ok());
    for result in results {
        let mut series: Vec<Series> = Vec::new();
        for entry in &result.entries {
            let Some(condition) = &entry.condition else { continue };
            let Some(x) = snr(condition) else { continue };
            let kind = condition.get(7..).filter(|k| !k.is_empty());
            let label = kind.map_or(entry.method.clone(), |k| format!("{}, {}", entry.method, &k[1..]));
            let point = (x, entry.scored.plain.mean);
            match series.iter_mut().find(|s| s.label == label) {
                Some(s) => s.points.push(point),
                None => series.push(Series { label, method: entry.method.clone(), points: vec![point] }),
            }
        }
        if series.iter().all(|s| s.points.len() < 2) {
            continue;
        }
        page.heading("snr", &format!("Error and signal-to-noise ratio: {}", result.set.name));
        let caption =
            "Mean summed squared error (estimates as they are) with its 95 % interval; dashed: with a baseline.";
        page.picture(&plots::error_by_snr(&series, palette)?, caption);
    }
    Ok(())
}

fn conditions(page: &mut Page, results: &[SetResult]) {
    let with_conditions: Vec<&SetResult> = results.iter().filter(|r| !r.conditions.is_empty()).collect();
    if with_conditions.is_empty() {
        return;
    }
    page.heading("conditions", "Condition by condition");
    let mut rows = Vec::new();
    for result in with_conditions {
        for condition in &result.conditions {
            for entry in result.of(condition) {
                let e = entry.errors(&result.set);
                let states = entry.states.clone().unwrap_or_default();
                let bias = |sum: &str| {
                    cell(e.member(sum).map_or("–".to_owned(), |m| format!("{:+.1}", 100.0 * m.relative_bias.value)))
                };
                let mut row = vec![name(&result.set.name), name(condition), name(&entry.method)];
                row.push(cell(entry.scored.n.to_string()));
                row.extend([with_interval(&e.mean), decimals(e.median.value, 2)].map(cell));
                row.push(cell(decimals(e.error_over_sd_robust, 2)));
                row.push(cell(e.coverage_of(0.95).map_or("–".to_owned(), |f| percent(f.value))));
                row.extend(["tNAA", "tCr", "tCho", "Glx", "Ins"].map(bias));
                row.push(cell(format!("{} of {}", states.warned, states.spectra)));
                row.push(cell(format!("{} of {}", states.wrong, states.amplitudes)));
                row.push(cell(if states.wrong == 0 {
                    "–".to_owned()
                } else {
                    states.wrong_with_warning.to_string()
                }));
                rows.push(row);
            }
        }
    }
    let head = [
        "set",
        "condition",
        "method",
        "spectra",
        "error: mean (95 %)",
        "median",
        "error/sd",
        "in 95 %",
        "tNAA %",
        "tCr %",
        "tCho %",
        "Glx %",
        "Ins %",
        "spectra that warn",
        "wrong amplitudes",
        "of them with a warning",
    ];
    page.table(&head, &rows);
    page.paragraph(
        "Wrong: an amplitude of tNAA, tCr, tCho, Glx or Ins that is off by more than four of its standard deviations. A \
         spectrum warns by a state other than converged, a failure or any flag.",
    );
}

fn states_and_time(page: &mut Page, results: &[SetResult]) {
    page.heading("states", "States, flags and time");
    let mut rows = Vec::new();
    for result in results {
        for entry in result.whole() {
            let Some(s) = &entry.states else { continue };
            let counts = |all: &std::collections::BTreeMap<String, usize>| {
                let parts: Vec<String> = all.iter().map(|(what, n)| format!("{what} {n}")).collect();
                if parts.is_empty() { "–".to_owned() } else { parts.join(", ") }
            };
            let mut row = vec![name(&result.set.name), name(&entry.method)];
            row.extend([s.spectra.to_string(), s.failed.to_string(), s.warned.to_string()].map(cell));
            row.extend([counts(&s.states), counts(&s.flags)].map(|t| Cell {
                text: t,
                class: "prose",
                ..Cell::default()
            }));
            row.push(cell(format!("{} of {}", s.wrong_with_warning, s.wrong)));
            let cpu = entry.time.and_then(|t| t.cpu_ms);
            row.push(Cell {
                text: cpu.map_or("–".to_owned(), |ms| decimals(ms, 1)), class: "time", ..Cell::default()
            });
            row.push(Cell {
                text: entry.time.map_or("–".to_owned(), |t| decimals(t.wall_ms, 1)),
                class: "time",
                ..Cell::default()
            });
            rows.push(row);
        }
    }
    let head = [
        "set",
        "method",
        "spectra",
        "failed",
        "that warn",
        "states",
        "flags",
        "wrong amplitudes with a warning",
        "CPU ms a spectrum",
        "wall ms a spectrum",
    ];
    page.table(&head, &rows);
    page.paragraph(
        "Time from files to tables: reading, preparation, start values, fit, errors, writing; learning not counted. CPU: all \
         threads added. Small sets pay for their models.",
    );
}

fn about(page: &mut Page, results: &[SetResult]) {
    page.heading("sets", "The sets");
    let rows: Vec<Vec<Cell>> = results
        .iter()
        .map(|r| vec![name(&r.set.name), Cell { text: r.set.about.clone(), class: "prose", ..Cell::default() }])
        .collect();
    page.table(&["set", "what is in it"], &rows);
    page.paragraph(
        "Simulated families (sim-…, wilson2025) come from recipes in datasets/benchmark, which `requant simulate --recipe` \
         reads; they are generated by the same program that fits them, whose macromolecule pattern sim-voigt, sim-distorted, \
         sim-sites and sim-artefacts also take: they show what the model does with its own assumptions, the other sets what \
         it does without. Of wilson2025 the field, sequence, concentrations, spreads of shifts and widths and the SNR values \
         are the paper's own (repository martin3141/abfit_reg_paper); the spin systems, the number of spectra and the \
         conditions with a baseline are choices of ours. Every figure of this page, and each metabolite's, is in the table \
         benchmark/ (Parquet).",
    );
}
