//! What `requant compare` says about methods beside their agreement.

use crate::basis::names::{Kind, kind};
use crate::compare::differences::strongest;
use crate::compare::{MEASURES, Role, Source, Versus};

/// Settings' columns that fit a line.
const MOST_SETTINGS: usize = 5;
/// Correlations that are printed; the table has them all.
const N_STRONGEST: usize = 10;

/// Whose variance it is, metabolites that methods agree on first.
pub(super) fn print_variance(versus: &Versus) {
    say!("\nwhose variance it is (%)");
    let settings = if versus.factors.len() > 1 { versus.factors.as_slice() } else { &[] };
    let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
    let names: String = settings
        .iter()
        .take(MOST_SETTINGS)
        .map(|f| format!(" {:>width$}", short(&f.name), width = width(&f.name)))
        .collect();
    let title = if settings.is_empty() { "" } else { "  · within spectra:" };
    say!("{:14} {:>6} {:>8} {:>8} {:>8}{title}{names}", "", "n", "spectra", "methods", "both");
    let mut variances: Vec<_> = versus.variances.iter().filter(|v| kind(&v.metabolite) == Kind::Metabolite).collect();
    variances.sort_by(|a, b| b.spectrum.value.total_cmp(&a.spectrum.value));
    for v in variances {
        let [spectrum, method, both] = [v.spectrum, v.method, v.interaction].map(|f| 100.0 * f.value);
        let within: String = settings
            .iter()
            .zip(&v.settings)
            .take(MOST_SETTINGS)
            .map(|(f, s)| format!(" {:>width$.1}", 100.0 * s.within.value, width = width(&f.name)))
            .collect();
        let gap = " ".repeat(title.chars().count());
        say!("{:14} {:>6} {spectrum:>8.1} {method:>8.1} {both:>8.1}{gap}{within}", v.metabolite, v.n);
    }
}

fn width(name: &str) -> usize {
    name.rsplit('.').next().unwrap_or(name).chars().count().max(6)
}

/// What fits have beside metabolites by value of each setting, and what disagreement correlates with.
pub(super) fn print_differences(sources: &[Source], versus: &Versus) {
    let typical = &versus.differences.typical;
    let measures: Vec<_> = MEASURES.iter().filter(|m| m.is(Role::Method)).collect();
    if !typical.is_empty() {
        say!("\nmeans over spectra");
        let names: String = measures.iter().map(|m| format!(" {:>20}", m.label)).collect();
        say!("{:40}{names}", "");
        for factor in &versus.factors {
            for level in 0..factor.levels.len() {
                let own: Vec<usize> = factor.sources(level).collect();
                let cells: String = measures
                    .iter()
                    .map(|measure| {
                        let of = typical.iter().filter(|t| t.measure == *measure && own.contains(&t.source));
                        let (sum, n) = of.fold((0.0, 0), |(sum, n), t| (sum + t.mean, n + 1));
                        if n == 0 { format!(" {:>20}", "–") } else { format!(" {:>20.2}", sum / f64::from(n)) }
                    })
                    .collect();
                let is_itself = versus.factors.len() == 1;
                let value = factor.shown(level);
                let label = if is_itself { value } else { format!("{} {value}", factor.name) };
                say!("{label:40}{cells}");
            }
        }
    }
    let mut spread: Vec<_> =
        versus.differences.spread.iter().filter(|s| kind(&s.metabolite) == Kind::Metabolite).collect();
    spread.sort_by(|a, b| b.rank_correlation.value.abs().total_cmp(&a.rank_correlation.value.abs()));
    if !spread.is_empty() {
        say!("\nthe spread over methods correlates with (Spearman, 95 %)");
        for s in spread.iter().take(N_STRONGEST) {
            let (low, high) = s.rank_correlation.interval;
            let value = s.rank_correlation.value;
            say!("{:14} {:20} {value:+.2} ({low:+.2} … {high:+.2})", s.metabolite, s.measure.label);
        }
    }
    let strong = strongest(versus, sources);
    let strong: Vec<_> = strong.iter().filter(|s| kind(&s.metabolite) == Kind::Metabolite).take(N_STRONGEST).collect();
    if !strong.is_empty() {
        say!("\ndifferences between methods correlate with differences of (Spearman, median and range over pairs)");
        for s in strong {
            let (metabolite, measure, between) = (&s.metabolite, s.measure.label, &s.between);
            say!("{metabolite:14} {measure:20} {:+.2} ({:+.2} … {:+.2})  {between}", s.median, s.least, s.most);
        }
    }
}
