//! Tables of usual ratios between amplitudes: LCModel's, and what it lacks.

use super::prior::{RatioRow, RowKind, Yields, minus};
use crate::basis::names::{Kind, kind};

/// Echo time above which LCModel drops the glutathione row (s).
const GSH_ROW_MAX_TE_S: f64 = 0.049;
/// Spectrometer frequency above which LCModel drops the taurine row (MHz).
const TAU_ROW_MAX_F0_MHZ: f64 = 190.0;

/// The rows of `table` that hold for components of these names; `None` for one that takes no part in them. Those for
/// metabolites have `sd_factor` times the table's standard deviations and yield as `yields` says. `protocol`: spectrometer
/// frequency (MHz) and echo time (s).
///
/// Big3 is Cr + NAA + 3·Cho. Where one of the three is no component it would be another sum, and the table says nothing
/// about ratios to that.
pub(super) fn ratio_rows(
    table: &[TableRow],
    names: &[Option<&str>],
    (f0_mhz, te_s): (f64, Option<f64>),
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
    table
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
    // A part of a whole that lacks another part would be held against itself.
    let is_part = row.denominator.iter().any(|&(name, _)| name == row.numerator);
    let lacks_another = is_part && row.denominator.iter().any(|&(name, _)| find(name).is_empty());
    if numerator.is_empty() || denominator.is_empty() || lacks_another {
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

/// A row of a table, by names.
pub(super) struct TableRow {
    numerator: &'static str,
    denominator_name: &'static str,
    denominator: &'static [(&'static str, f64)],
    also_scale: &'static [(&'static str, f64)],
    ratio: f64,
    sd: f64,
}

/// Metabolites whose rows do not yield. Without them the errors of most are as large as they are themselves, at SNR 40,
/// too, and their neighbours' with them (glutamine's with aspartate's). How creatine and choline divide into their forms no
/// spectrum at 3 T tells.
const HELD: [&str; 7] = ["Asp", "Tau", "PE", "Asc", "Gly", "PCr", "PCh"];

const BIG3_NAME: &str = "Big3";
/// What Big3 must have one of each of: members of creatine, NAA and choline.
pub(super) const BIG3_PARTS: [&[&str]; 3] =
    [&["Cr", "PCr", "tCr"], &["NAA", "NAAG", "tNAA"], &["GPC", "PCh", "Cho", "tCho"]];
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

/// LCModel 6.3's default ratio rows (CHRATO).
pub(super) const LCMODEL: [TableRow; 13] = [
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

const fn part(
    numerator: &'static str,
    whole: &'static [(&'static str, f64)],
    name: &'static str,
    ratio: f64,
    sd: f64,
) -> TableRow {
    TableRow { numerator, denominator_name: name, denominator: whole, also_scale: &[], ratio, sd }
}

/// What LCModel's table lacks: metabolites as weak as those that it has rows for, with standard deviations as it gives
/// them, and how two pairs of metabolites divide that no spectrum at 3 T tells apart.
///
/// In human brain, mmol/kg: PE 1.1–1.5, PCr 3.2–5.5 of 8–10 in both forms, GPC 0.4–1.7, PCh 0.2–1.0 (Govindaraju, Young &
/// Maudsley 2000, NMR Biomed 13:129, and what they cite); Asc 1.1 ± 0.3 (Terpstra, Ugurbil & Tkac 2010, NMR Biomed 23:227);
/// Gly 0.4–1.2. Big3 is about 26.
pub(super) const BEYOND_LCMODEL: [TableRow; 5] = [
    part("PCr", &[("Cr", 1.0), ("PCr", 1.0)], "(Cr+PCr)", 0.45, 0.1),
    part("PCh", &[("GPC", 1.0), ("PCh", 1.0)], "(GPC+PCh)", 0.36, 0.2),
    big3("PE", 0.05, 0.05),
    big3("Asc", 0.045, 0.045),
    big3("Gly", 0.03, 0.03),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 T, TE 30 ms.
    const PROTOCOL: (f64, Option<f64>) = (127.7, Some(0.03));

    fn labels(names: &[&str]) -> Vec<String> {
        let names: Vec<_> = names.iter().map(|name| Some(*name)).collect();
        ratio_rows(&LCMODEL, &names, PROTOCOL, 2.0, None).into_iter().map(|row| row.label).collect()
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
    fn weak_metabolites_and_parts_of_a_pair_do_not_yield() {
        let names =
            ["Asp", "Tau", "GABA", "Glc", "Scyllo", "GSH", "Gln", "PE", "Cr", "PCr", "NAA", "GPC", "PCh"].map(Some);
        let yields = Yields { snr: 25.0, heights: Vec::new() };
        let held = ratio_rows(&LCMODEL, &names, PROTOCOL, 1.0, Some(&yields));
        let beyond = ratio_rows(&BEYOND_LCMODEL, &names, PROTOCOL, 1.0, Some(&yields));
        let held: Vec<&str> = held
            .iter()
            .chain(&beyond)
            .filter(|r| r.yields.is_none())
            .filter_map(|r| r.label.split(' ').next())
            .collect();
        assert_eq!(held, ["Asp", "Tau", "PCr", "PCh", "PE"]);
    }

    #[test]
    fn a_part_holds_only_beside_the_other_parts() {
        let labels = |names: &[&str]| -> Vec<String> {
            let names: Vec<_> = names.iter().map(|name| Some(*name)).collect();
            let rows = LCMODEL.iter().chain(&BEYOND_LCMODEL);
            rows.filter_map(|row| ratio_rows(std::slice::from_ref(row), &names, PROTOCOL, 1.0, None).pop())
                .map(|row| row.label)
                .collect()
        };
        assert_eq!(labels(&["Cr", "PCr"]), ["PCr / (Cr+PCr) = 0.45 ± 0.1"]);
        assert!(labels(&["PCr", "PCh", "GSH"]).is_empty());
    }
}
