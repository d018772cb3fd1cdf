//! The figures of the reference scorer, for tests: summed squared error, scale, error over sd.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "test support")]

use std::collections::BTreeMap;
use std::path::Path;

use requant::basis::names::canonical;
use requant::store::{MetaboliteRow, read_table};

type Table = BTreeMap<String, BTreeMap<String, f64>>;

/// Columns of a truth table that are no metabolites.
const NUISANCES: [&str; 6] = ["snr", "gauss_hz", "lorentz_hz_mean", "shift_hz", "phi0_deg", "phi1_deg_ppm"];

/// `truth.csv` of a benchmark set: one row per spectrum.
pub fn truth_by_row(path: &Path) -> Table {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            let values = headers.iter().zip(record.iter()).skip(1).filter(|(h, _)| !NUISANCES.contains(&h.as_str()));
            (record[0].to_owned(), values.map(|(h, v)| (canonical(h), v.parse().unwrap())).collect())
        })
        .collect()
}

/// The challenge's table: one column per dataset.
pub fn truth_by_column(path: &Path) -> Table {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let headers: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut table = Table::new();
    for record in reader.records() {
        let record = record.unwrap();
        let name = &record[0];
        if name.contains('+') || name.is_empty() || matches!(name, "lipids" | "Ace") {
            continue;
        }
        for (dataset, value) in headers.iter().zip(record.iter()).skip(1).filter(|(_, v)| !v.is_empty()) {
            table.entry(dataset.clone()).or_default().insert(canonical(name), value.parse().unwrap());
        }
    }
    table
}

/// What the scorer prints for a run.
#[derive(Debug)]
pub struct Score {
    pub mean: f64,
    pub median: f64,
    /// Factor between truth and estimate over tCr and tNAA.
    pub scale: f64,
    /// Robust rms of error over reported sd.
    pub error_over_sd: f64,
}

/// Value and standard deviation of a metabolite row.
pub type Column = fn(&MetaboliteRow) -> (f64, f64);

pub fn amplitude(row: &MetaboliteRow) -> (f64, f64) {
    (row.amplitude.unwrap(), row.sd_posterior.unwrap())
}

pub fn water_scaled(row: &MetaboliteRow) -> (f64, f64) {
    (row.conc_lcmodel_mmol_per_kg.unwrap(), row.conc_lcmodel_sd_mmol_per_kg.unwrap())
}

/// Scores the tables in `run` against `truth`; a spectrum without rows counts as all zeros.
pub fn score(truth: &Table, run: &Path, column: Column, align: bool) -> Score {
    let rows: Vec<MetaboliteRow> = read_table(run).unwrap();
    let mut found: BTreeMap<String, BTreeMap<String, (f64, f64)>> = BTreeMap::new();
    for row in rows.iter().filter(|r| !r.is_sum) {
        let name = row.spectrum_id.rsplit('/').next().unwrap();
        let id = name.split('_').next().unwrap().to_owned();
        assert!(found.entry(id).or_default().insert(row.metabolite.clone(), column(row)).is_none());
    }
    let zero = BTreeMap::new();
    let of = |id: &str, m: &str| found.get(id).unwrap_or(&zero).get(m).copied().unwrap_or((0.0, f64::NAN));
    let mut factors = Vec::new();
    for (id, values) in truth {
        for members in [["Cr", "PCr"], ["NAA", "NAAG"]] {
            let true_sum: f64 = members.iter().map(|m| values.get(*m).copied().unwrap_or(0.0)).sum();
            let sum: f64 = members.iter().map(|m| of(id, m).0).sum();
            if sum > 0.0 {
                factors.push(true_sum / sum);
            }
        }
    }
    let scale = median(&mut factors);
    let factor = if align { scale } else { 1.0 };
    let mut errors = Vec::new();
    let mut z = Vec::new();
    for (id, values) in truth {
        let mut sum = 0.0;
        for (m, t) in values {
            let (e, sd) = of(id, m);
            let error = e * factor - t;
            sum += error * error;
            if sd.is_finite() && sd > 0.0 {
                z.push((error / (sd * factor)).powi(2));
            }
        }
        errors.push(sum);
    }
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    // 0.4549 is the median of a squared standard normal.
    Score { mean, median: median(&mut errors), scale, error_over_sd: (median(&mut z) / 0.4549).sqrt() }
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    if n % 2 == 1 { values[n / 2] } else { 0.5 * (values[n / 2 - 1] + values[n / 2]) }
}
