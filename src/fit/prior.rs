//! Soft priors on ratios of amplitudes, and LCModel's table of them.
//!
//! A row reads (Σ num − r·Σ den) / (sd · scale) → 0 in units of σ, with `scale` the weighted sum of
//! its denominator (and further terms), frozen from an earlier solution so that the row stays linear
//! (LCModel 6.3, CHRATO).

use super::map::constants::LEAST_ROW_SCALE;

/// One row; terms are (component, weight).
#[derive(Debug, Clone)]
pub struct RatioRow {
    /// How people know it, e.g. `GABA / Big3 = 0.03 ± 0.03`.
    pub label: String,
    /// Terms of the row itself: numerator minus ratio × denominator.
    pub terms: Vec<(usize, f64)>,
    /// Terms of the scale.
    pub scale_terms: Vec<(usize, f64)>,
    /// Standard deviation of the ratio.
    pub sd: f64,
}

impl RatioRow {
    /// 1 / (sd · scale) at the amplitudes `c`. A scale of zero (nothing found yet) is replaced by a
    /// thousandth of all amplitudes, as LCModel does; 0 switches the row off.
    pub fn weight(&self, c: &[f64]) -> f64 {
        let scale: f64 = self.scale_terms.iter().map(|&(k, w)| w * c[k].max(0.0)).sum();
        let floor = LEAST_ROW_SCALE * c.iter().map(|v| v.max(0.0)).sum::<f64>();
        let scale = scale.max(floor);
        if scale > 0.0 { 1.0 / (self.sd * scale) } else { 0.0 }
    }

    /// Value of the row, not yet weighted, at the amplitudes `c`.
    pub fn value(&self, c: &[f64]) -> f64 {
        self.terms.iter().map(|&(k, w)| w * c[k]).sum()
    }
}

/// Echo time above which LCModel drops the glutathione row (s).
const GSH_ROW_MAX_TE_S: f64 = 0.049;
/// Spectrometer frequency above which LCModel drops the taurine row (MHz).
const TAU_ROW_MAX_F0_MHZ: f64 = 190.0;

/// The rows of LCModel's table that hold for components of these names; `None` for one that takes no part in them.
pub(super) fn lcmodel_rows(names: &[Option<&str>], f0_mhz: f64, te_s: Option<f64>) -> Vec<RatioRow> {
    let find = |wanted: &str| -> Vec<usize> {
        let matches = |name: &str| match wanted.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => name == wanted,
        };
        (0..names.len()).filter(|&k| names[k].is_some_and(matches)).collect()
    };
    TABLE
        .iter()
        .filter(|row| {
            let is_long = row.numerator == "GSH" && te_s.is_some_and(|te| te > GSH_ROW_MAX_TE_S);
            let is_high = row.numerator == "Tau" && f0_mhz > TAU_ROW_MAX_F0_MHZ;
            !is_long && !is_high
        })
        .filter_map(|row| table_row(row, &find))
        .collect()
}

fn table_row(row: &TableRow, find: &impl Fn(&str) -> Vec<usize>) -> Option<RatioRow> {
    let numerator = find(row.numerator);
    let gather = |list: &[(&str, f64)]| -> Vec<(usize, f64)> {
        list.iter().flat_map(|&(name, w)| find(name).into_iter().map(move |k| (k, w))).collect()
    };
    let denominator = gather(row.denominator);
    if numerator.is_empty() || denominator.is_empty() {
        return None;
    }
    let numerator: Vec<(usize, f64)> = numerator.into_iter().map(|k| (k, 1.0)).collect();
    let expected: Vec<(usize, f64)> = denominator.iter().map(|&(k, w)| (k, row.ratio * w)).collect();
    let terms = minus(&numerator, &expected);
    let mut scale_terms = denominator;
    scale_terms.extend(gather(row.also_scale));
    Some(RatioRow {
        label: format!("{} / {} = {} ± {}", row.numerator, row.denominator_name, row.ratio, row.sd),
        terms,
        scale_terms,
        sd: row.sd,
    })
}

/// The terms of a − b.
pub(super) fn minus(a: &[(usize, f64)], b: &[(usize, f64)]) -> Vec<(usize, f64)> {
    let mut terms: Vec<(usize, f64)> = b.iter().map(|&(k, w)| (k, -w)).collect();
    for &(k, w) in a {
        match terms.iter_mut().find(|(i, _)| *i == k) {
            Some(term) => term.1 += w,
            None => terms.push((k, w)),
        }
    }
    terms
}

struct TableRow {
    numerator: &'static str,
    denominator_name: &'static str,
    denominator: &'static [(&'static str, f64)],
    also_scale: &'static [(&'static str, f64)],
    ratio: f64,
    sd: f64,
}

const BIG3: &[(&str, f64)] = &[
    ("Cr", 1.0),
    ("PCr", 1.0),
    ("NAA", 1.0),
    ("NAAG", 1.0),
    ("GPC", 3.0),
    ("PCh", 3.0),
    ("Cho", 3.0),
    ("tCr", 1.0),
    ("tNAA", 1.0),
    ("tCho", 3.0),
];

const fn big3(numerator: &'static str, ratio: f64, sd: f64) -> TableRow {
    TableRow { numerator, denominator_name: "Big3", denominator: BIG3, also_scale: &[], ratio, sd }
}

const fn lipid(numerator: &'static str, ratio: f64, sd: f64) -> TableRow {
    TableRow {
        numerator,
        denominator_name: "Lip13*",
        denominator: &[("Lip13*", 1.0)],
        also_scale: &[("MM12", 1.0)],
        ratio,
        sd,
    }
}

const fn mm09(numerator: &'static str, ratio: f64, sd: f64) -> TableRow {
    TableRow {
        numerator,
        denominator_name: "MM09*",
        denominator: &[("MM09*", 1.0)],
        also_scale: &[("Lip09*", 1.0)],
        ratio,
        sd,
    }
}

/// LCModel 6.3's default ratio rows.
const TABLE: [TableRow; 13] = [
    lipid("Lip09", 0.267, 0.1),
    lipid("Lip20", 0.15, 0.07),
    mm09("MM20", 1.5, 0.375),
    mm09("MM12", 0.3, 0.1),
    mm09("MM14", 0.75, 0.45),
    mm09("MM17", 0.375, 0.3),
    TableRow {
        numerator: "-CrCH2",
        denominator_name: "tCr",
        denominator: &[("Cr", 1.0), ("PCr", 1.0), ("tCr", 1.0)],
        also_scale: &[],
        ratio: 0.1,
        sd: 0.25,
    },
    big3("Asp", 0.05, 0.05),
    big3("GABA", 0.03, 0.03),
    big3("Glc", 0.03, 0.03),
    big3("Scyllo", 0.01, 0.01),
    big3("Tau", 0.05, 0.05),
    TableRow {
        numerator: "GSH",
        denominator_name: "(Gln+GSH)",
        denominator: &[("Gln", 1.0), ("GSH", 1.0)],
        also_scale: &[],
        ratio: 0.286,
        sd: 0.126,
    },
];
