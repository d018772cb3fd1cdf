//! Soft priors on ratios of amplitudes, and LCModel's table of them.
//!
//! A row reads (Σ num − r·Σ den) / (sd · scale) → 0 in units of σ, with `scale` the weighted sum of
//! its denominator (and further terms), frozen from an earlier solution so that the row stays linear
//! (LCModel 6.3, CHRATO).

use super::map::constants::{LEAST_ROW_SCALE, MOST_ROW_YIELD};
use crate::basis::BasisSet;
use crate::basis::names::{Kind, kind};

/// Priors that are off by more standard deviations of their own than this are strained: data and prior contradict one
/// another.
pub(crate) const STRAINED_SD: f64 = 3.0;

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
    /// What it is for.
    pub kind: RowKind,
    /// How it yields to data that can tell; `None`: it does not.
    pub yields: Option<Yields>,
}

/// How a row yields to data that can tell: its standard deviation is 1 + (SNR/`snr`)⁴ times what it is where noise
/// hides the metabolite.
///
/// A usual ratio helps where noise hides a weak metabolite. Where noise is low it would only pull what a study looks for: a
/// difference between groups comes back by the part P²/(P² + D²), with P the row's standard deviation and D the data's.
#[derive(Debug, Clone)]
pub struct Yields {
    /// SNR at which the standard deviation is doubled.
    pub snr: f64,
    /// Tallest point of each metabolite at amplitude 1 and usual widths.
    pub heights: Vec<(usize, f64)>,
}

impl Yields {
    /// Factor of the standard deviation at the amplitudes `c`, for noise of standard deviation `noise_sd`.
    fn factor(&self, c: &[f64], noise_sd: f64) -> f64 {
        let tallest = self.heights.iter().fold(0.0, |most: f64, &(k, height)| most.max(height * c[k]));
        (1.0 + (tallest / (2.0 * noise_sd * self.snr)).powi(4)).min(MOST_ROW_YIELD)
    }
}

/// What a soft row is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowKind {
    /// A usual ratio, of LCModel's table: what a study may find otherwise.
    Usual,
    /// Keeps the macromolecule pattern, or what lies beside a measured one, together.
    Pattern,
}

impl RatioRow {
    /// 1 / (sd · scale) at the amplitudes `c`, for noise of standard deviation `noise_sd` in a point of the spectrum. A scale
    /// of zero (nothing found yet) is replaced by a thousandth of all amplitudes, as LCModel does; 0 switches the row off.
    pub fn weight(&self, c: &[f64], noise_sd: f64) -> f64 {
        let scale: f64 = self.scale_terms.iter().map(|&(k, w)| w * c[k].max(0.0)).sum();
        let floor = LEAST_ROW_SCALE * c.iter().map(|v| v.max(0.0)).sum::<f64>();
        let scale = scale.max(floor);
        let sd = self.sd * self.yields.as_ref().map_or(1.0, |yields| yields.factor(c, noise_sd));
        if scale > 0.0 { 1.0 / (sd * scale) } else { 0.0 }
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

/// The rows of LCModel's table that hold for components of these names; `None` for one that takes no part in them. Those
/// for metabolites have `sd_factor` times LCModel's standard deviations and yield as `yields` says.
///
/// Big3 is Cr + NAA + 3·Cho. Where one of the three is no component it would be another sum, and the table says nothing
/// about ratios to that.
pub(super) fn lcmodel_rows(
    names: &[Option<&str>],
    f0_mhz: f64,
    te_s: Option<f64>,
    sd_factor: f64,
    yields: Option<&Yields>,
) -> Vec<RatioRow> {
    let find = |wanted: &str| -> Vec<usize> {
        let matches = |name: &str| match wanted.strip_suffix('*') {
            Some(stem) => name.starts_with(stem),
            None => name == wanted,
        };
        (0..names.len()).filter(|&k| names[k].is_some_and(matches)).collect()
    };
    let has_big3 = BIG3_PARTS.iter().all(|part| part.iter().any(|name| !find(name).is_empty()));
    TABLE
        .iter()
        .filter(|row| has_big3 || row.denominator_name != BIG3_NAME)
        .filter(|row| {
            let is_long = row.numerator == "GSH" && te_s.is_some_and(|te| te > GSH_ROW_MAX_TE_S);
            let is_high = row.numerator == "Tau" && f0_mhz > TAU_ROW_MAX_F0_MHZ;
            !is_long && !is_high
        })
        .filter_map(|row| table_row(row, sd_factor, yields, &find))
        .collect()
}

fn table_row(
    row: &TableRow,
    sd_factor: f64,
    yields: Option<&Yields>,
    find: &impl Fn(&str) -> Vec<usize>,
) -> Option<RatioRow> {
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
    let is_metabolite = kind(row.numerator) == Kind::Metabolite && row.numerator != "-CrCH2";
    let sd = if is_metabolite { row.sd * sd_factor } else { row.sd };
    // Products such as 3 × 0.05 have digits that nobody wrote.
    let shown = (sd * 1e6).round() / 1e6;
    Some(RatioRow {
        label: format!("{} / {} = {} ± {shown}", row.numerator, row.denominator_name, row.ratio),
        terms,
        scale_terms,
        sd,
        kind: RowKind::Usual,
        yields: yields.filter(|_| is_metabolite && !HELD.contains(&row.numerator)).cloned(),
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

/// Metabolites whose rows do not yield: without them their errors are as large as they are themselves, at SNR 40, too, and
/// glutamine's with them.
const HELD: [&str; 2] = ["Asp", "Tau"];

const BIG3_NAME: &str = "Big3";
/// What Big3 must have one of each of: members of creatine, NAA and choline.
const BIG3_PARTS: [&[&str]; 3] = [&["Cr", "PCr", "tCr"], &["NAA", "NAAG", "tNAA"], &["GPC", "PCh", "Cho", "tCho"]];
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
    TableRow { numerator, denominator_name: BIG3_NAME, denominator: BIG3, also_scale: &[], ratio, sd }
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

/// Part of NAA's first sample below which that of a creatine or choline is what a subtraction left of it. Their singlets
/// are in phase at any echo time; in sets of undivided spectra it is more than a half.
const CANCELLED: f64 = 0.2;

/// Whether a basis set is one of edited differences (ON − OFF): it has metabolites, and of creatine and choline nothing, or
/// what their subtraction leaves.
pub(crate) fn is_of_differences(basis: &BasisSet) -> bool {
    let tallest = |names: &[&str]| -> f64 {
        let members = (0..basis.metabolites.len()).filter(|&k| names.contains(&basis.metabolites[k].as_str()));
        members.map(|k| basis.fids[(k, 0)].norm()).fold(0.0, f64::max)
    };
    let [creatine, naa, choline] = BIG3_PARTS.map(tallest);
    let edited = tallest(EDITED).max(naa);
    edited > 0.0 && creatine.max(choline) < CANCELLED * edited
}

/// What is edited.
const EDITED: &[&str] = &["GABA", "GSH", "Lac", "Asp", "Glu", "Gln"];

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|name| Some(*name)).collect();
        lcmodel_rows(&names, 127.7, Some(0.03), 2.0, None).into_iter().map(|row| row.label).collect()
    }

    #[test]
    fn ratios_to_big3_hold_where_all_of_it_is_there() {
        let with = labels(&["GABA", "Cr", "NAA", "GPC", "GSH", "Gln"]);
        assert_eq!(with, ["GABA / Big3 = 0.03 ± 0.06", "GSH / (Gln+GSH) = 0.286 ± 0.252"]);
        for lacks in [["Cr", "NAA"], ["NAA", "GPC"], ["Cr", "PCh"]] {
            let names = [&["GABA", "GSH", "Gln"][..], &lacks].concat();
            assert_eq!(labels(&names), ["GSH / (Gln+GSH) = 0.286 ± 0.252"], "{lacks:?}");
        }
    }

    #[test]
    fn a_row_yields_where_noise_is_low() {
        let yields = Yields { snr: 25.0, heights: vec![(0, 2.0), (1, 0.5)] };
        let row = RatioRow {
            label: String::new(),
            terms: vec![(1, 1.0), (0, -0.1)],
            scale_terms: vec![(0, 1.0)],
            sd: 0.1,
            kind: RowKind::Usual,
            yields: Some(yields),
        };
        // The tallest is 2·10 high: SNR 25 for noise of 0.4, 50 for 0.2, nothing to speak of for 40.
        let c = [10.0, 1.0];
        let weight = |noise_sd| row.weight(&c, noise_sd);
        assert!((weight(40.0) - 1.0).abs() < 1e-6);
        assert!((weight(0.4) - 0.5).abs() < 1e-12);
        assert!((weight(0.2) - 1.0 / MOST_ROW_YIELD).abs() < 1e-12);
    }

    #[test]
    fn a_set_of_differences_has_neither_creatine_nor_choline() {
        let set = |members: &[(&str, f64)]| BasisSet {
            id: "made".to_owned(),
            metabolites: members.iter().map(|(name, _)| (*name).to_owned()).collect(),
            fids: ndarray::Array2::from_shape_fn((members.len(), 2), |(k, _)| members[k].1.into()),
            dwell_s: 5e-4,
            f0_mhz: 127.7,
            te_s: Some(0.068),
            sequence: None,
            linewidth_hz: None,
            singlet_fwhm_hz: None,
            fwhmba_ppm: None,
            sha256: String::new(),
            remarks: Vec::new(),
        };
        for (members, is) in [
            (&[("GABA", 2.0), ("NAA", -3.0), ("Glx", 1.0)][..], true),
            (&[("GABA", 2.0), ("NAA", -3.0), ("Cr", 0.01), ("GPC", 0.02)], true),
            (&[("GSH", 2.0)], true),
            (&[("GABA", 2.0), ("NAA", 6.0), ("Cr", 5.0), ("GPC", 9.0)], false),
            (&[("GABA", 2.0), ("NAA", 6.0), ("PCr", 5.0)], false),
            (&[("GABA", 2.0), ("NAA", 6.0), ("PCh", 9.0)], false),
            (&[("MM09", 2.0)], false),
        ] {
            assert_eq!(is_of_differences(&set(members)), is, "{members:?}");
        }
    }

    #[test]
    fn aspartate_and_taurine_do_not_yield() {
        let names = ["Asp", "Tau", "GABA", "Glc", "Scyllo", "GSH", "Gln", "Cr", "NAA", "GPC"].map(Some);
        let yields = Yields { snr: 25.0, heights: Vec::new() };
        let held = lcmodel_rows(&names, 127.7, Some(0.03), 1.0, Some(&yields));
        let held: Vec<&str> =
            held.iter().filter(|r| r.yields.is_none()).filter_map(|r| r.label.split(' ').next()).collect();
        assert_eq!(held, ["Asp", "Tau"]);
    }
}
