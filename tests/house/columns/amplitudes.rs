//! Amplitudes, their errors and what is made of them.

use super::origin::has_water;
use super::{Case, Checks};
use crate::common::rows::Row;
use crate::common::source::{TR_S, WATER, WATER_TE_S, WATER_TR_S};

pub(crate) fn check(checks: &mut Checks, case: &Case<'_>) {
    sums(checks, case);
    errors(checks, case);
    ratios(checks, case);
    concentrations(checks, case);
}

/// Element (i, j) of a lower triangle packed row by row.
fn packed(lower: &[f64], i: usize, j: usize) -> f64 {
    let (row, column) = (i.max(j), i.min(j));
    lower[row * (row + 1) / 2 + column]
}

fn sums(checks: &mut Checks, case: &Case<'_>) {
    for row in &case.metabolites {
        let name = format!("{} in {}", row.text("metabolite").unwrap(), case.name);
        let members: Vec<&Row> = row.texts("sum_of").iter().map(|m| case.metabolite(m).unwrap()).collect();
        let is_sum = row.truth("is_sum") == Some(true);
        checks.holds("metabolites.is_sum", &name, is_sum != members.is_empty(), || format!("{} parts", members.len()));
        checks.holds("metabolites.sum_of", &name, members.iter().all(|m| m.truth("is_sum") == Some(false)), || {
            "sums of sums".to_owned()
        });
        let known = row.text("metabolite").is_some_and(|m| !m.trim().is_empty());
        checks.holds("metabolites.metabolite", &name, known, String::new);
        let amplitude = row.number("amplitude").unwrap();
        if is_sum {
            for column in ["amplitude", "amplitude_free"] {
                let total = members.iter().map(|m| m.number(column).unwrap()).sum::<f64>();
                checks.close(&format!("metabolites.{column}"), &name, row.number(column), Some(total), 1e-9);
            }
        } else if amplitude > 0.0 && case.metabolites.iter().all(|m| m.truth("at_bound") == Some(false)) {
            // No bound holds anything: the step without bounds leads nowhere.
            let found = row.number("amplitude_free");
            checks.close("metabolites.amplitude_free", &name, found, Some(amplitude), 1e-2);
        }
        let at_bound = match is_sum {
            true => members.iter().all(|m| m.truth("at_bound") == Some(true)),
            // Areas of `gannet` have no bound.
            false => amplitude <= 0.0 && !case.is_gannet(),
        };
        checks.holds("metabolites.at_bound", &name, row.truth("at_bound") == Some(at_bound), || format!("{amplitude}"));
    }
}

fn errors(checks: &mut Checks, case: &Case<'_>) {
    let names = case.spectrum.texts("covariance_names");
    let parts: Vec<&str> = case
        .metabolites
        .iter()
        .filter(|m| m.truth("is_sum") == Some(false))
        .filter_map(|m| m.text("metabolite"))
        .collect();
    checks.holds("spectra.covariance_names", &case.name, names == parts, || format!("{names:?} for {parts:?}"));
    let covariance = case.spectrum.numbers("covariance");
    let complete = covariance.len() == names.len() * (names.len() + 1) / 2;
    checks.holds("spectra.covariance", &case.name, complete, || format!("{} elements", covariance.len()));
    for row in &case.metabolites {
        let metabolite = row.text("metabolite").unwrap();
        let name = format!("{metabolite} in {}", case.name);
        let sd = row.number("sd_noise").unwrap();
        checks.holds("metabolites.sd_noise", &name, sd > 0.0 && sd.is_finite(), || format!("{sd}"));
        let sum_of = row.texts("sum_of");
        let members = if sum_of.is_empty() { vec![metabolite.to_owned()] } else { sum_of };
        let indices: Vec<usize> =
            members.iter().map(|m| names.iter().position(|n| n == m).expect("a name in covariance_names")).collect();
        let variance: f64 = indices
            .iter()
            .flat_map(|&i| indices.iter().map(move |&j| (i, j)))
            .map(|(i, j)| packed(&covariance, i, j))
            .sum();
        // Both columns are defined by one another: one that is wrong shows in both.
        for column in ["spectra.covariance", "metabolites.sd_noise"] {
            checks.close(column, &name, Some(variance.max(0.0).sqrt()), Some(sd), 1e-6);
        }
        let amplitude = row.number("amplitude").unwrap();
        let percent = (amplitude > 0.0).then(|| 100.0 * sd / amplitude);
        checks.close("metabolites.crlb_percent", &name, row.number("crlb_percent"), percent, 1e-9);
    }
}

fn ratios(checks: &mut Checks, case: &Case<'_>) {
    let creatine = ["tCr", "Cr", "PCr"].iter().find_map(|name| case.metabolite(name)).unwrap();
    let total = creatine.number("amplitude").filter(|total| *total > 0.0);
    for row in &case.metabolites {
        let name = format!("{} in {}", row.text("metabolite").unwrap(), case.name);
        let number = |column: &str| row.number(column);
        let ratio = total.map(|total| number("amplitude").unwrap() / total);
        checks.close("metabolites.ratio_tcr", &name, number("ratio_tcr"), ratio, 1e-9);
        let Some((ratio, total)) = ratio.zip(total) else { continue };
        let Some(common) = number("tcr_covariance") else { continue };
        let parts = |row: &Row| {
            let sum_of = row.texts("sum_of");
            if sum_of.is_empty() { vec![row.text("metabolite").unwrap().to_owned()] } else { sum_of }
        };
        let names = case.spectrum.texts("covariance_names");
        let place = |name: &String| names.iter().position(|n| n == name).unwrap();
        let posterior = case.spectrum.numbers("posterior_covariance");
        let (own, of_creatine) = (parts(row), parts(creatine));
        let pairs = own.iter().flat_map(|a| of_creatine.iter().map(move |b| (a, b)));
        let expected: f64 = pairs.map(|(a, b)| packed(&posterior, place(a), place(b))).sum();
        checks.close("spectra.posterior_covariance", &name, Some(expected), Some(common), 1e-9);
        let [own, of_total] = [row, creatine].map(|row| row.number("sd_posterior").unwrap());
        let variance = own * own - 2.0 * ratio * common + ratio * ratio * of_total * of_total;
        // Creatine over itself has no error but rounding.
        let scale = own * own + ratio * ratio * of_total * of_total;
        let expected = variance.max(0.0).sqrt() / total;
        let tolerance = 1e-6 * scale.sqrt() / total;
        checks.near("metabolites.ratio_tcr_sd", &name, number("ratio_tcr_sd"), Some(expected), tolerance);
    }
}

/// By its definition: 0.7 at 30 ms, T2 of 80 ms, and at 3 T a T1 of 1.331 s (grey) and 0.832 s (white matter).
fn water_attenuation() -> f64 {
    let recovered = |tr_s: f64| 1.0 - (-tr_s / (0.5 * (1.331 + 0.832))).exp();
    0.7 * (-(WATER_TE_S - 0.03) / 0.08).exp() * recovered(WATER_TR_S) / recovered(TR_S)
}

fn concentrations(checks: &mut Checks, case: &Case<'_>) {
    let scaled = has_water(case);
    let constants = &case.run["config"]["water_scaling"];
    for row in &case.metabolites {
        let name = format!("{} in {}", row.text("metabolite").unwrap(), case.name);
        let value = |key: &str| match key {
            "water_attenuation" => scaled.then(water_attenuation),
            _ => constants[key].as_f64().filter(|_| scaled),
        };
        for key in ["water_concentration_mmol_per_kg", "water_attenuation", "metabolite_attenuation"] {
            checks.close(&format!("metabolites.{key}"), &name, row.number(key), value(key), 1e-12);
        }
        // Creatine's methyl of the analytic set: one per proton.
        if row.0.contains_key("signal_per_proton") {
            let found = row.number("signal_per_proton");
            checks.close("metabolites.signal_per_proton", &name, found, scaled.then_some(1.0), 5e-3);
        }
        let proton = row.number("signal_per_proton").unwrap_or(1.0);
        let tolerance = if row.0.contains_key("signal_per_proton") { 1e-9 } else { 5e-3 };
        let factor = value("water_concentration_mmol_per_kg")
            .zip(value("water_attenuation"))
            .zip(value("metabolite_attenuation"))
            .map(|((water, left_of_water), left)| proton * 2.0 * left_of_water * water / (WATER * left));
        let expected = factor.map(|factor| factor * row.number("amplitude").unwrap());
        let found = row.number("conc_lcmodel_mmol_per_kg");
        checks.close("metabolites.conc_lcmodel_mmol_per_kg", &name, found, expected, tolerance);
        let of_water = case.spectrum.number("water_amplitude_sd").unwrap_or(0.0) / WATER;
        let expected = factor.map(|factor| {
            let [value, sd] = ["amplitude", "sd_posterior"].map(|column| factor * row.number(column).unwrap());
            sd.hypot(value * of_water)
        });
        let found = row.number("conc_lcmodel_sd_mmol_per_kg");
        checks.close("metabolites.conc_lcmodel_sd_mmol_per_kg", &name, found, expected, tolerance.max(5e-3 * of_water));
    }
}
