//! Methods against one another as one HTML page with its pictures inside.

use plotters::style::RGBColor;

use super::methods_plots as plots;
use super::page::{Cell, Page, cell, decimals, name};
use crate::basis::names::{Kind, kind};
use crate::compare::differences::strongest;
use crate::compare::figure::Figure;
use crate::compare::{Column, Factor, MEASURES, Matrix, Role, Source, Variance, Versus};

/// Title of the page, by which it is known.
pub const METHODS_TITLE: &str = "requant: methods against one another";

/// Metabolites whose specification curves are drawn and whose means are told by setting.
const SHOWN: [&str; 8] = ["tNAA", "tCr", "tCho", "Ins", "Glx", "Glu", "GSH", "GABA"];
/// Most methods whose sorted means can be told apart in a picture.
const MOST_SPECIFICATIONS: usize = 400;
/// Correlations of differences that the page shows; the table has them all.
const N_STRONGEST: usize = 24;

/// Makes the page.
///
/// # Errors
/// What the drawing says.
pub fn methods_page(sources: &[Source], column: Column, versus: &Versus) -> Result<String, String> {
    let mut page = Page::begin(METHODS_TITLE);
    let n = versus.matrices.iter().map(|m| m.rows.len()).max().unwrap_or(0);
    page.paragraph(&format!(
        "requant {} · {} methods · {n} spectra that all of them have · compared: {}.",
        env!("CARGO_PKG_VERSION"),
        sources.len(),
        column.name()
    ));
    let tested = is_multiverse(&versus.factors);
    if tested {
        let values = |f: &Factor| (0..f.levels.len()).map(|l| f.shown(l)).collect::<Vec<_>>().join(" | ");
        let list: Vec<String> = versus.factors.iter().map(|f| format!("{}: {}", f.name, values(f))).collect();
        page.paragraph(&format!("All combinations of {}.", list.join(" · ")));
    }
    let (mut metabolites, others): (Vec<&Variance>, Vec<&Variance>) =
        versus.variances.iter().partition(|v| kind(&v.metabolite) == Kind::Metabolite);
    metabolites.sort_by(|a, b| b.spectrum.value.total_cmp(&a.spectrum.value));
    variance_section(&mut page, versus, &metabolites, &others)?;
    if tested {
        which_setting(&mut page, versus, &metabolites)?;
    }
    specifications(&mut page, sources, versus)?;
    what_differs(&mut page, sources, versus);
    when(&mut page, versus, &metabolites);
    correlation_section(&mut page, sources, versus);
    Ok(page.end())
}

fn is_multiverse(factors: &[Factor]) -> bool {
    factors.len() > 1
}

fn legend(page: &mut Page, entries: &[(&str, RGBColor)]) {
    page.legend(entries.iter().map(|(label, RGBColor(r, g, b))| (*label, format!("rgb({r},{g},{b})"))));
}

fn shares_of(figure: &Figure) -> Cell {
    let [value, low, high] = [figure.value, figure.interval.0, figure.interval.1].map(|v| decimals(100.0 * v, 1));
    cell(format!("{value} ({low} … {high})"))
}

fn variance_section(
    page: &mut Page,
    versus: &Versus,
    metabolites: &[&Variance],
    others: &[&Variance],
) -> Result<(), String> {
    page.heading("variance", "Spectra or methods: whose variance is it?");
    legend(
        page,
        &[
            ("between spectra", plots::SPECTRUM),
            ("between methods: they shift all spectra alike", plots::METHOD),
            ("methods × spectra: they disagree about single spectra", plots::INTERACTION),
        ],
    );
    page.picture(&plots::shares(metabolites)?, "Metabolites and sums, those that methods agree on first.");
    let rows: Vec<Vec<Cell>> = metabolites
        .iter()
        .chain(others)
        .map(|v| {
            let cv = versus.agreements.iter().find(|a| a.metabolite == v.metabolite).map_or(f64::NAN, |a| a.cv.value);
            let mut row = vec![name(&v.metabolite), cell(v.n.to_string())];
            row.extend([decimals(v.mean, 3), decimals(v.sd, 3), decimals(100.0 * cv, 1)].map(cell));
            row.extend([&v.spectrum, &v.method, &v.interaction].map(shares_of));
            row
        })
        .collect();
    let head = ["", "spectra", "mean", "sd", "CV of methods %", "spectra % (ICC)", "methods %", "methods × spectra %"];
    page.table(&head, &rows);
    page.paragraph(
        "Two-way random effects with one value for each spectrum and method (McGraw & Wong 1996), components from mean squares, \
         below zero as zero; the share between spectra is ICC(2,1). Methods see the same data, so that measurement noise is in \
         the first component with what is true, and the third is disagreement of methods about single spectra. CV: root mean \
         square over spectra of the coefficient of variation between methods. In brackets: 95 % intervals over resampled spectra.",
    );
    Ok(())
}

fn which_setting(page: &mut Page, versus: &Versus, metabolites: &[&Variance]) -> Result<(), String> {
    page.heading("settings", "Which setting is it?");
    let mut entries: Vec<(&str, RGBColor)> =
        versus.factors.iter().enumerate().map(|(i, f)| (f.name.as_str(), plots::setting_colour(i))).collect();
    entries.push(("only together", plots::TOGETHER));
    legend(page, &entries);
    page.picture(&plots::settings(metabolites)?, "The same order of metabolites.");
    let mut head = vec![String::new()];
    for factor in &versus.factors {
        head.extend([format!("{}: within %", factor.name), "of shifts %".to_owned()]);
    }
    let rows: Vec<Vec<Cell>> = metabolites
        .iter()
        .map(|v| {
            let cells =
                v.settings.iter().flat_map(|s| [shares_of(&s.within), cell(decimals(100.0 * s.of_method.value, 1))]);
            std::iter::once(name(&v.metabolite)).chain(cells).collect()
        })
        .collect();
    page.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    page.paragraph(
        "Within: share of all that methods change within spectra, a setting's main effect and how that differs between spectra \
         together; what is missing to 100 comes from settings only together. Of shifts: the main effect's share of what methods \
         change in all spectra alike.",
    );
    Ok(())
}

fn specifications(page: &mut Page, sources: &[Source], versus: &Versus) -> Result<(), String> {
    let shown = shown(versus);
    if shown.is_empty() || sources.len() > MOST_SPECIFICATIONS {
        return Ok(());
    }
    page.heading("specifications", "The mean of all spectra, method by method");
    page.picture(
        &plots::specification_curves(&shown, &versus.factors)?,
        "Each method's mean over the spectra, relative to the mean of all, sorted (specification curve); below, the values \
         that its settings have.",
    );
    Ok(())
}

fn shown(versus: &Versus) -> Vec<&Matrix> {
    SHOWN.iter().filter_map(|name| versus.matrices.iter().find(|m| m.metabolite == *name)).collect()
}

fn what_differs(page: &mut Page, sources: &[Source], versus: &Versus) {
    page.heading("differences", "What else methods do otherwise");
    let shown = shown(versus);
    let measures: Vec<_> = MEASURES.iter().filter(|m| m.is(Role::Method)).collect();
    let mut head = vec!["setting".to_owned(), "value".to_owned()];
    head.extend(measures.iter().map(|m| with_unit(m.label, m.unit)));
    head.extend(shown.iter().map(|m| format!("{} %", m.metabolite)));
    let mut rows = Vec::new();
    for factor in &versus.factors {
        for level in 0..factor.levels.len() {
            let own: Vec<usize> = factor.sources(level).collect();
            let mut row = vec![name(&factor.name), name(factor.shown(level))];
            for measure in &measures {
                let typical = versus.differences.typical.iter();
                let of: Vec<_> = typical.filter(|t| t.measure == *measure && own.contains(&t.source)).collect();
                let mean = |what: &dyn Fn(&crate::compare::differences::Typical) -> f64| {
                    of.iter().map(|t| what(t)).sum::<f64>() / of.len() as f64
                };
                let note = if of.is_empty() { String::new() } else { format!("± {}", decimals(mean(&|t| t.sd), 2)) };
                row.push(Cell { note, ..cell(decimals(mean(&|t| t.mean), 2)) });
            }
            for matrix in &shown {
                let mean = |columns: &[usize]| {
                    let values = matrix.rows.iter().flat_map(|r| columns.iter().map(|&c| r[c]));
                    values.sum::<f64>() / (matrix.rows.len() * columns.len()) as f64
                };
                let all: Vec<usize> = (0..sources.len()).collect();
                row.push(cell(format!("{:+.1}", 100.0 * (mean(&own) / mean(&all) - 1.0))));
            }
            rows.push(row);
        }
    }
    page.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    page.paragraph(
        "Means over spectra, and below the standard deviation over spectra, of all methods with that value. Metabolites: their \
         mean with it, relative to the mean over all methods. Macromolecules: the sum of their amplitudes over that of tCr; lists of \
         macromolecules count in units of their own, so that it compares methods with the same list.",
    );
}

fn with_unit(label: &str, unit: &str) -> String {
    if unit.is_empty() { label.to_owned() } else { format!("{label} ({unit})") }
}

/// A correlation on a ground that is the redder the more positive, the bluer the more negative it is; bold where its interval
/// leaves zero out.
fn correlation_cell(figure: Option<&Figure>) -> Cell {
    let Some(figure) = figure else { return cell("–") };
    let is_clear = figure.interval.0 > 0.0 || figure.interval.1 < 0.0;
    Cell {
        ground: Some(figure.value),
        class: if is_clear { "best" } else { "" },
        ..cell(format!("{:+.2}", figure.value))
    }
}

fn when(page: &mut Page, versus: &Versus, metabolites: &[&Variance]) {
    page.heading("quality", "In which spectra do methods disagree?");
    let spread = &versus.differences.spread;
    let measures: Vec<_> = MEASURES.iter().filter(|m| spread.iter().any(|s| s.measure == *m)).collect();
    let mut head = vec![String::new()];
    head.extend(measures.iter().map(|m| m.label.to_owned()));
    let rows: Vec<Vec<Cell>> = metabolites
        .iter()
        .map(|v| {
            let of = |measure| {
                let found = spread.iter().find(|s| s.metabolite == v.metabolite && s.measure == measure);
                correlation_cell(found.map(|s| &s.rank_correlation))
            };
            std::iter::once(name(&v.metabolite)).chain(measures.iter().map(|m| of(*m))).collect()
        })
        .collect();
    page.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), &rows);
    page.paragraph(
        "Spearman's rank correlation over spectra of the standard deviation over methods with the spectrum's quality (mean over \
         methods). Bold: the 95 % interval leaves zero out.",
    );
}

fn correlation_section(page: &mut Page, sources: &[Source], versus: &Versus) {
    page.heading("along", "What do differences go along with?");
    let rows: Vec<Vec<Cell>> = strongest(versus, sources)
        .into_iter()
        .filter(|s| kind(&s.metabolite) == Kind::Metabolite)
        .take(N_STRONGEST)
        .map(|s| {
            let range = format!("{:+.2} … {:+.2}", s.least, s.most);
            let median = Figure { value: s.median, interval: (s.least, s.most) };
            let pairs = cell(s.n_pairs.to_string());
            vec![
                name(s.metabolite),
                name(s.between),
                name(s.measure.label),
                correlation_cell(Some(&median)),
                cell(range),
                pairs,
            ]
        })
        .collect();
    page.table(&["", "methods that differ in", "difference of", "median", "range", "pairs"], &rows);
    page.paragraph(
        "Pairs of methods that differ in one setting only: Spearman's rank correlation over spectra of the difference of the \
         metabolite's values with the difference of a measure of the fit; median and range over the pairs (of one pair its 95 % interval). The strongest by their \
         median, macromolecules and lipids left out; every pair, with its interval, is in the table comparison/ (Parquet). Bold: \
         all pairs have one sign.",
    );
}
