//! `requant compare`: runs and methods against the truth and against one another.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::compare_methods::{print_differences, print_variance};
use super::error::{CliError, CliResult};
use super::inputs::must_exist;
use super::json::print_json;
use super::outputs::{Reads, in_folder, refuse_foreign, remove_own};
use super::run::{stop_on_signals, unless_stopped};
use crate::compare::differences::MOST_PAIRED;
use crate::compare::matrix::MIN_SPECTRA;
use crate::compare::{
    Agreement, Column, Comparison, Score, Source, Versus, against_truth, scans, share_ids, sources, table, versus,
};
use crate::report::{AGREEMENT_TITLE, METHODS_TITLE, agreement_plot, methods_page};
use crate::store::{ComparisonRow, IfExists, Table, rows_as_json, write_table};

/// Arguments of `requant compare`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant compare results --truth demo/truth/truth.csv
  requant compare results --out comparison               agreement of the methods of one run
  requant compare run-map run-learned --out comparison   agreement of two runs
  requant compare results lcmodel-output/ tarquin.txt    beside other programs' results

Other programs' results are a file, or a folder with one file for each spectrum: LCModel's .table,
.coord and .csv; TARQUIN's text and CSV; a CSV with id,metab,conc,crlb_pct or with one column for
each spectrum. Spectra are matched by id, or where one id is a part of the other's path.

Amplitudes of different programs have different units. Ratios to total creatine have the same
meaning everywhere. Concentrations are compared only where a file says that they were scaled to
water; each program uses its own constants.")]
pub(super) struct CompareArgs {
    /// Output folders of `requant run`, and result files or folders of other programs
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// True values: a CSV with `id` and a column for each metabolite, or `metabolite` and one for each spectrum
    #[arg(long, value_name = "FILE.csv")]
    truth: Option<PathBuf>,
    /// Quantity that is compared [default: ratio; with --truth concentration, or amplitude where there is none]
    #[arg(long, value_enum)]
    column: Option<ColumnChoice>,
    /// Folder for comparison/ (Parquet), methods.html and, for up to eight methods, bland-altman.svg
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print JSON: `column`, what is compared, and `figures`, each with the columns of the table comparison/
    #[arg(long)]
    json: bool,
    /// Replace an earlier comparison in the output folder
    #[arg(long)]
    overwrite: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ColumnChoice {
    /// Amplitude in the basis set's units
    Amplitude,
    /// Water-scaled concentration by LCModel's formula
    Concentration,
    /// Ratio to total creatine
    Ratio,
}

pub(super) fn run(args: &CompareArgs) -> CliResult {
    must_exist("", &args.runs)?;
    must_exist("--truth", &args.truth)?;
    stop_on_signals();
    let all = all_sources(&args.runs)?;
    for note in scans::notes(&all) {
        tell!("note: {note}");
    }
    let column = column(args, &all);
    if let Some(without) = all.iter().find(|s| !s.has(column)) {
        let what = format!("{}: no value of {}; choose another --column", without.label, column.name());
        return Err(CliError::new(2, anyhow::anyhow!(what)));
    }
    if !args.json {
        say!("compared: {}", column.name());
    }
    let mut rows = Vec::new();
    if let Some(truth) = &args.truth {
        for source in &all {
            unless_stopped()?;
            rows.extend(truth_rows(source, truth, column, !args.json)?);
        }
    }
    let found = if all.len() > 1 { versus(&all, column) } else { Versus::default() };
    unless_stopped()?;
    match (all.len(), &args.truth) {
        (0 | 1, None) => {
            return Err(CliError::new(
                2,
                anyhow::anyhow!("one run with one method: name another run, or the truth with --truth"),
            ));
        }
        (0 | 1, Some(_)) => {}
        _ if args.json => {}
        _ if found.matrices.is_empty() => {
            say!("no metabolite has {MIN_SPECTRA} spectra in all of them: no agreement is computed")
        }
        _ => {
            print_agreement(&all, &found.agreements);
            print_variance(&found);
            print_differences(&all, &found);
        }
    }
    rows.extend(table::agreement_rows(&all, &found.agreements));
    rows.extend(table::variance_rows(&all, &found.factors, &found.variances));
    rows.extend(table::difference_rows(&all, &found.differences));
    if args.json {
        print_json(&serde_json::json!({ "column": column.name(), "figures": rows_as_json(&rows) }))?;
    }
    if let Some(out) = &args.out {
        write_out(args, out, rows, (&all, &found, column))?;
    }
    Ok(0)
}

/// The table, the picture and the page.
fn write_out(
    args: &CompareArgs,
    out: &Path,
    rows: Vec<ComparisonRow>,
    (all, found, column): (&[Source], &Versus, Column),
) -> Result<(), CliError> {
    in_folder(out, ComparisonRow::NAME)?;
    let files = args.runs.iter().filter(|run| run.is_file()).map(PathBuf::as_path);
    let reads = Reads::of(files).and(args.truth.as_ref());
    let if_exists = if args.overwrite { IfExists::Overwrite } else { IfExists::Refuse };
    let (pictured, paged) = (("bland-altman.svg", AGREEMENT_TITLE), ("methods.html", METHODS_TITLE));
    let picture = found.agreements.iter().any(|a| !a.between.is_empty()).then_some(pictured);
    let page = (!found.matrices.is_empty()).then_some(paged);
    // Before anything is written.
    for (name, mark) in picture.iter().chain(&page) {
        refuse_foreign(&in_folder(out, name)?, mark)?;
    }
    let mut files = write_table(out, if_exists, rows).map_err(|e| CliError::new(e.exit_code(), e))?;
    // What an earlier comparison has and this one has not would be taken for a part of this one.
    for (written, (name, mark)) in [(picture.is_some(), pictured), (page.is_some(), paged)] {
        if !written {
            remove_own(&in_folder(out, name)?, mark)?;
        }
    }
    if let Some((name, _)) = picture {
        let path = in_folder(out, name)?;
        reads.write(&path, agreement_plot(all, &found.agreements, column.unit())?)?;
        files.push(path);
    }
    if let Some((name, _)) = page {
        let path = in_folder(out, name)?;
        reads.write(&path, methods_page(all, column, found).map_err(anyhow::Error::msg)?)?;
        files.push(path);
    }
    for file in files.iter().filter(|_| !args.json) {
        say!("{}", file.display());
    }
    Ok(())
}

/// The sources in all runs, their ids shared.
fn all_sources(runs: &[PathBuf]) -> Result<Vec<Source>, CliError> {
    let mut all = Vec::new();
    for run in runs {
        unless_stopped()?;
        all.extend(sources(run).map_err(|e| CliError::new(1, e))?);
    }
    share_ids(&mut all);
    Ok(all)
}

/// The column that was asked for, or the one that all sources have and the truth can be.
fn column(args: &CompareArgs, sources: &[Source]) -> Column {
    match args.column {
        Some(ColumnChoice::Amplitude) => Column::Amplitude,
        Some(ColumnChoice::Concentration) => Column::Concentration,
        Some(ColumnChoice::Ratio) => Column::Ratio,
        None if args.truth.is_none() => Column::Ratio,
        None if sources.iter().all(|s| s.has(Column::Concentration)) => Column::Concentration,
        None => Column::Amplitude,
    }
}

fn truth_rows(source: &Source, truth: &Path, column: Column, is_printed: bool) -> Result<Vec<ComparisonRow>, CliError> {
    let comparison = against_truth(&source.rows, truth, column).map_err(|e| CliError::new(1, e))?;
    if is_printed {
        print_truth(source, &comparison);
    }
    Ok(table::truth_rows(&source.label, &comparison))
}

fn print_truth(source: &Source, comparison: &Comparison) {
    say!("{}", source.label);
    say!(
        "{:8} {:>6} {:>10} {:>8} {:>15} {:>8} {:>7} {:>9} {:>10}",
        "",
        "n",
        "mean truth",
        "bias %",
        "(95 %)",
        "rmse %",
        "r",
        "error/sd",
        "in 95 %"
    );
    for s in &comparison.scores {
        let Score { metabolite, n, mean_truth, bias, rmse, correlation, error_over_sd, coverage, .. } = s;
        let r = correlation.map_or("–".to_owned(), |r| format!("{r:.3}"));
        let percent = |v: f64| 100.0 * v / mean_truth;
        let interval = format!("{:+.1} … {:+.1}", percent(s.bias_interval.0), percent(s.bias_interval.1));
        say!(
            "{metabolite:8} {n:>6} {mean_truth:>10.3} {:>+8.1} {interval:>15} {:>8.1} {r:>7} {error_over_sd:>9.2} {:>8.0} %",
            percent(*bias),
            percent(*rmse),
            100.0 * coverage[2]
        );
    }
    let [half, ninety, most] = comparison.coverage.map(|c| 100.0 * c);
    say!(
        "\n{} spectra · mean summed squared error {:.2} · over all metabolites: error/sd {:.2}, intervals of 50, 90, 95 % hold {half:.0}, {ninety:.0}, {most:.0} %",
        comparison.n_spectra,
        comparison.summed_squared_error,
        comparison.error_over_sd
    );
    if comparison.n_without_truth > 0 {
        say!("{} spectra of the run are not in the truth", comparison.n_without_truth);
    }
}

fn print_agreement(sources: &[Source], agreements: &[Agreement]) {
    let names: Vec<&str> = sources.iter().map(|s| s.label.as_str()).collect();
    let of = if names.len() > MOST_PAIRED { format!("{} methods", names.len()) } else { names.join(", ") };
    say!("\nagreement of {of} (95 % confidence intervals)");
    say!("{:12} {:>6} {:>22} {:>8}", "", "n", "ICC(2,1)", "CV %");
    for a in agreements {
        let icc = format!("{:.2} ({:.2} … {:.2})", a.icc.value, a.icc.interval.0, a.icc.interval.1);
        say!("{:12} {:>6} {icc:>22} {:>8.1}", a.metabolite, a.n, 100.0 * a.cv.value);
    }
    for (p, (a, b)) in agreements[0].between.iter().map(|b| b.sources).enumerate() {
        say!("\n{} − {}", names[b], names[a]);
        say!("{:12} {:>30} {:>24} {:>12} {:>7}", "", "bias", "limits of agreement", "concordance", "r");
        for agreement in agreements {
            let s = &agreement.between[p];
            let bias = format!("{:+.3} ({:+.3} … {:+.3})", s.bias.value, s.bias.interval.0, s.bias.interval.1);
            let limits = format!("{:+.3} … {:+.3}", s.limits[0].value, s.limits[1].value);
            say!(
                "{:12} {bias:>30} {limits:>24} {:>12.3} {:>7.3}",
                agreement.metabolite,
                s.concordance.value,
                s.correlation.value
            );
        }
    }
}
