//! Concentrations: against numbers that others computed, their errors against draws, and what must be null.

#![allow(clippy::too_many_lines, reason = "a list of cases")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::common::Normal;
use requant::quantify::{
    Concentration, Concentrations, Estimate, Fractions, Inputs, Relaxation, Term, Terms, WaterScaling, concentrations,
};

/// Reference numbers of `../shared/cases/quantification`. Panics where they are missing, as [`crate::common::data`] does.
fn golden(name: &str) -> Vec<BTreeMap<String, String>> {
    let path: PathBuf = crate::common::data().join("../cases/quantification").join(name);
    let mut reader = csv::Reader::from_path(&path).unwrap();
    reader.deserialize().map(Result::unwrap).collect()
}

fn number(row: &BTreeMap<String, String>, column: &str) -> Option<f64> {
    row[column].parse().ok()
}

#[track_caller]
fn near(found: Option<f64>, expected: Option<f64>, part: f64, what: &str) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            // The files have nine decimals.
            let tolerance = part * expected.abs() + 1e-9;
            assert!((found - expected).abs() <= tolerance, "{what}: {found}, expected {expected}");
        }
        (found, expected) => assert_eq!(found, expected, "{what}"),
    }
}

fn value(estimate: Option<Estimate>) -> Option<f64> {
    estimate.map(|e| e.value)
}

fn sd(estimate: Option<Estimate>) -> Option<f64> {
    estimate.and_then(|e| e.sd)
}

fn single(name: &str, amplitude: f64, amplitude_sd: f64) -> Terms {
    let term = Term { name: name.to_owned(), members: vec![], value: amplitude, sd: amplitude_sd };
    Terms { each: vec![term], covariance: vec![amplitude_sd.powi(2)] }
}

/// LCModel's constants with its 0.7, and relaxation times of the text's.
fn constants(relaxation: &str) -> WaterScaling {
    let relaxation = Relaxation::with(toml::from_str(relaxation).unwrap()).unwrap();
    WaterScaling { water_attenuation: Some(0.7), relaxation, ..WaterScaling::lcmodel().unwrap() }
}

/// Of amplitudes over water: a proton of one half and water of one make S the amplitude.
fn of(terms: &Terms, inputs: &Inputs, constants: &WaterScaling) -> Concentrations {
    concentrations(terms, inputs, Some(0.5), constants)
}

fn voxel(row: &BTreeMap<String, String>) -> Option<Fractions> {
    Some(Fractions { gm: number(row, "f_gm")?, wm: number(row, "f_wm")?, csf: number(row, "f_csf")? })
}

fn press35() -> Inputs {
    Inputs {
        water_amplitude: Some(1.0),
        water_te_s: Some(0.035),
        water_tr_s: Some(2.0),
        te_s: Some(0.035),
        tr_s: Some(2.0),
        field_t: Some(3.0),
        sequence: Some("PRESS".to_owned()),
        fractions: Some(Fractions { gm: 0.6, wm: 0.2, csf: 0.2 }),
        ..Inputs::default()
    }
}

#[test]
fn real_golden_quantities_and_their_errors() {
    let rows = golden("golden.csv");
    assert!(rows.len() >= 39, "{}", rows.len());
    for row in &rows {
        let name = format!("{} {}", row["name"], row["constants"]);
        let of_row = |column: &str| number(row, column);
        let Some(field) = row["constants"].rsplit('/').next().filter(|field| !field.is_empty()) else {
            let inputs = Inputs { fractions: voxel(row), ..press35() };
            let all = of(&single("Test", of_row("amplitude_over_water").unwrap(), 1e-5), &inputs, &constants(""));
            let Concentration { lcmodel, csf, molal, molar, alpha, .. } = all.each[0].clone();
            near(value(lcmodel), of_row("lcmodel"), 1e-7, &name);
            assert_eq!((csf, molal, molar, alpha), (None, None, None, None), "{name}");
            continue;
        };
        // Times of water that leave what the row says: the built-in ones do so at 3 T already.
        let water_times = |tissue: &str| {
            let (te_s, left) = (of_row("water_te_s").unwrap(), of_row(&format!("water_attenuation_{tissue}")).unwrap());
            let t_s = -te_s / left.ln();
            format!("{tissue} = {{ t1_s = {t_s}, t2_s = {t_s} }}\n")
        };
        let water = match row["constants"].as_str() {
            "osprey/3" => String::new(),
            _ => format!("[water.\"{field}\"]\n{}{}{}", water_times("gm"), water_times("wm"), water_times("csf")),
        };
        let [t1_s, t2_s] = ["t1_metabolite_s", "t2_metabolite_s"].map(|column| of_row(column).unwrap());
        let times = format!("{{ t1_s = {t1_s}, t2_s = {t2_s} }}");
        let constants = constants(&format!(
            "{water}[metabolites.\"{field}\"]\nTest = {{ gm = {times}, wm = {times} }}\n[alpha]\nTest = 0.5\n"
        ));
        let inputs = Inputs {
            water_amplitude_sd: of_row("rel_sd_water"),
            water_te_s: of_row("water_te_s"),
            water_tr_s: of_row("water_tr_s"),
            te_s: of_row("te_s"),
            tr_s: of_row("tr_s"),
            field_t: field.parse().ok(),
            fractions: voxel(row),
            f_csf_sd: of_row("sd_f_csf"),
            gm_ratio_sd: of_row("sd_gm_ratio"),
            ..press35()
        };
        // Edited peaks without a basis set: their share and efficiency are in the amplitude.
        let amplitude =
            of_row("amplitude_over_water").unwrap() * of_row("mm_factor").unwrap() / of_row("edit_efficiency").unwrap();
        let terms = single("Test", amplitude, amplitude * of_row("rel_sd_metabolite").unwrap());
        let all = of(&terms, &inputs, &constants);
        assert!(all.flags.is_empty(), "{name}: {:?}", all.flags);
        let found = &all.each[0];
        near(found.attenuation, of_row("metabolite_attenuation"), 1e-7, &name);
        for (estimate, column) in [
            (found.lcmodel, "lcmodel"),
            (found.csf, "lcmodel_csf"),
            (found.molal, "molal"),
            (found.molar, "molar"),
            (found.alpha, "alpha"),
        ] {
            near(value(estimate), of_row(column), 1e-7, &format!("{name} {column}"));
            near(sd(estimate), of_row(&format!("sd_{column}")), 1e-7, &format!("{name} sd of {column}"));
        }
    }
}

#[test]
fn real_golden_sums_take_each_members_own_factor() {
    for row in golden("golden_sums.csv") {
        let of_row = |column: &str| number(&row, column).unwrap();
        let built_in = Relaxation::built_in().unwrap();
        // These rows take the mean of grey and white matter for both.
        let mut own = String::from("[metabolites.\"3\"]\n");
        for name in [&row["a"], &row["b"]] {
            let times = built_in.metabolites["3"][name];
            let mean = [(times.gm.t1_s, times.wm.t1_s), (times.gm.t2_s, times.wm.t2_s)].map(|(a, b)| 0.5 * (a + b));
            let times = format!("{{ t1_s = {}, t2_s = {} }}", mean[0], mean[1]);
            own += &format!("{name} = {{ gm = {times}, wm = {times} }}\n");
        }
        let [a, b, sd_a, sd_b] = ["S_a", "S_b", "sd_a", "sd_b"].map(of_row);
        let shared = of_row("rho") * sd_a * sd_b;
        let term =
            |name: &str, members: Vec<usize>, value: f64, sd: f64| Term { name: name.to_owned(), members, value, sd };
        let sum_sd = (sd_a.powi(2) + 2.0 * shared + sd_b.powi(2)).sqrt();
        let terms = Terms {
            each: vec![
                term(&row["a"], vec![], a, sd_a),
                term(&row["b"], vec![], b, sd_b),
                term(&row["sum"], vec![0, 1], a + b, sum_sd),
            ],
            covariance: vec![sd_a.powi(2), shared, sd_b.powi(2)],
        };
        let inputs = Inputs { fractions: voxel(&row), ..press35() };
        let all = of(&terms, &inputs, &constants(&own));
        let [first, second, sum] = [0, 1, 2].map(|i| all.each[i].molal.unwrap());
        near(Some(first.value / a), number(&row, "factor_a"), 1e-7, "a");
        near(Some(second.value / b), number(&row, "factor_b"), 1e-7, "b");
        near(Some(sum.value), number(&row, "molal"), 1e-7, &row["sum"]);
        near(sum.sd, number(&row, "sd_molal_amplitudes_only"), 1e-7, &row["sum"]);
        // LCModel's factor is one for all.
        near(sd(all.each[2].lcmodel).map(|sd| sd / sum_sd), Some(0.7 * 35_880.0), 1e-12, "lcmodel");
        // A table of an earlier version has no covariance: a sum of members with factors of their own has no error then.
        let old = of(&Terms { covariance: vec![], ..terms.clone() }, &inputs, &constants(&own)).each[2].clone();
        assert_eq!((old.molal.unwrap().value, old.lcmodel), (sum.value, all.each[2].lcmodel));
        assert_eq!(old.molal.unwrap().sd.is_some(), first.value / a == second.value / b, "{}", row["sum"]);
    }
}

#[test]
fn real_golden_relaxation_is_weighted_by_the_tissue() {
    let rows = golden("golden_metabolite_relaxation.csv");
    assert!(rows.len() >= 30);
    for row in rows {
        let times = |te: &str, tr: &str| (number(&row, te), number(&row, tr));
        let (te_s, tr_s) = times("te_s", "tr_s");
        let inputs = Inputs { te_s, tr_s, water_te_s: te_s, water_tr_s: tr_s, fractions: voxel(&row), ..press35() };
        let s = number(&row, "amplitude_over_water").unwrap();
        let found = of(&single(&row["metabolite"], s, 0.0), &inputs, &constants("")).each[0].clone();
        let name = format!("{} {} {te_s:?}", row["voxel"], row["metabolite"]);
        near(found.attenuation, number(&row, "R_tissue_weighted"), 1e-7, &name);
        near(value(found.molal), number(&row, "molal_tissue_weighted"), 1e-7, &name);
        assert_eq!(found.constants_id, Some(format!("requant-2026.2/3/{}", row["metabolite"])));
    }
}

/// What is drawn: two correlated amplitudes, water, CSF and grey matter's part.
struct Draw<'a> {
    normal: &'a mut Normal,
    scales: [f64; 5],
}

impl Draw<'_> {
    fn next(&mut self) -> (Terms, Inputs) {
        let mut z = || self.normal.next();
        let (a, b) = (z(), z());
        let rho: f64 = -0.6;
        let [sd_a, sd_b, sd_w, sd_c, sd_g] = self.scales;
        let glu = 9.0 + sd_a * a;
        let gln = 3.0 + sd_b * (rho * a + (1.0 - rho * rho).sqrt() * b);
        let csf = 0.2 + sd_c * z();
        let g = 0.7 + sd_g * z();
        let fractions = Fractions { gm: g * (1.0 - csf), wm: (1.0 - g) * (1.0 - csf), csf };
        let water_amplitude = Some(20_000.0 * (1.0 + sd_w * z()));
        let term =
            |name: &str, members: Vec<usize>, value: f64, sd: f64| Term { name: name.to_owned(), members, value, sd };
        let shared = rho * sd_a * sd_b;
        let sum_sd = (sd_a * sd_a + 2.0 * shared + sd_b * sd_b).sqrt();
        let each = vec![
            term("Glu", vec![], glu, sd_a),
            term("Gln", vec![], gln, sd_b),
            term("Glx", vec![0, 1], glu + gln, sum_sd),
        ];
        let inputs = Inputs {
            water_amplitude,
            water_amplitude_sd: Some(20_000.0 * sd_w),
            fractions: Some(fractions),
            f_csf_sd: Some(sd_c),
            gm_ratio_sd: Some(sd_g),
            ..press35()
        };
        (Terms { each, covariance: vec![sd_a * sd_a, shared, sd_b * sd_b] }, inputs)
    }
}

fn quantities_of(c: &Concentration) -> [Option<Estimate>; 5] {
    [c.lcmodel, c.csf, c.molal, c.molar, c.alpha]
}

/// Each source of error alone, and all together.
#[test]
fn errors_are_those_of_draws() {
    let constants = WaterScaling::lcmodel().unwrap();
    let all = [0.3, 0.2, 0.02, 0.012, 0.02];
    let alone = |k: usize| std::array::from_fn(|i| if i == k || (k == 0 && i == 1) { all[i] } else { 0.0 });
    for (case, scales) in
        [("all", all), ("amplitudes", alone(0)), ("water", alone(2)), ("csf", alone(3)), ("gm", alone(4))]
    {
        let mut normal = Normal(11);
        let mut draw = Draw { normal: &mut normal, scales };
        const N: usize = 20_000;
        let mut sums = [[[0.0; 2]; 5]; 3];
        for _ in 0..N {
            let (terms, inputs) = draw.next();
            let found = concentrations(&terms, &inputs, Some(1.0), &constants);
            for (sums, c) in sums.iter_mut().zip(&found.each) {
                for (sum, estimate) in sums.iter_mut().zip(quantities_of(c)) {
                    sum[0] += estimate.unwrap().value;
                    sum[1] += estimate.unwrap().value.powi(2);
                }
            }
        }
        let centre = {
            let mut still = Normal(1);
            let (mut terms, mut inputs) = Draw { normal: &mut still, scales: [0.0; 5] }.next();
            let (with_errors, drawn) = Draw { normal: &mut still, scales }.next();
            for (term, other) in terms.each.iter_mut().zip(with_errors.each) {
                term.sd = other.sd;
            }
            terms.covariance = with_errors.covariance;
            (inputs.water_amplitude_sd, inputs.f_csf_sd, inputs.gm_ratio_sd) =
                (drawn.water_amplitude_sd, drawn.f_csf_sd, drawn.gm_ratio_sd);
            concentrations(&terms, &inputs, Some(1.0), &constants)
        };
        for (sums, c) in sums.iter().zip(&centre.each) {
            for (k, (sum, estimate)) in sums.iter().zip(quantities_of(c)).enumerate() {
                let mean = sum[0] / N as f64;
                let drawn = (sum[1] / N as f64 - mean * mean).max(0.0).sqrt();
                let stated = estimate.unwrap().sd.unwrap();
                let what = format!("{case}, quantity {k}: {stated} stated, {drawn} drawn, of {mean}");
                assert!((stated - drawn).abs() <= 0.03 * drawn + 1e-6 * mean, "{what}");
            }
        }
    }
}

#[test]
fn molal_follows_csf_as_its_derivative_says() {
    let at = |csf: f64| {
        let fractions = Fractions { gm: 0.75 * (1.0 - csf), wm: 0.25 * (1.0 - csf), csf };
        let all = of(&single("Cr", 1e-3, 0.0), &Inputs { fractions: Some(fractions), ..press35() }, &constants(""));
        all.each[0].molal.unwrap().value
    };
    let slope = (at(0.2001) / at(0.1999)).ln() / 2e-4;
    // By hand, of grey matter to white matter as 3 to 1 at TE 35 ms and TR 2 s.
    let (tissue, csf) = (0.75 * 0.78 * 0.565_576 + 0.25 * 0.65 * 0.584_712, 0.97 * 0.380_423);
    let expected = (csf - tissue) / (0.8 * tissue + 0.2 * csf) + 1.0 / 0.8;
    assert!((slope - expected).abs() < 1e-5, "{slope} {expected}");
}

#[test]
fn what_is_not_known_is_null_and_flagged() {
    type Change = fn(&mut Inputs);
    let built_in = WaterScaling::lcmodel().unwrap();
    let found = |inputs: &Inputs| concentrations(&single("NAA", 10.0, 0.5), inputs, Some(1.0), &built_in);
    let whole = found(&press35());
    assert!(whole.flags.is_empty() && whole.each[0].molal.is_some() && whole.water_attenuation_tissue.is_some());
    let cases: [(&str, Change); 13] = [
        ("no_relaxation_times", |i| i.field_t = Some(4.7)),
        ("no_relaxation_times", |i| i.field_t = Some(3.3)),
        ("no_relaxation_times", |i| i.field_t = None),
        ("te_or_tr_unknown", |i| i.te_s = None),
        ("te_or_tr_unknown", |i| i.tr_s = None),
        ("water_te_or_tr_unknown", |i| i.water_te_s = None),
        ("water_te_or_tr_unknown", |i| i.water_tr_s = None),
        ("inversion_recovery", |i| i.sequence = Some("svs_se_ir".into())),
        ("mixing_time_unknown", |i| i.sequence = Some("STEAM".into())),
        ("", |i| i.fractions = None),
        ("", |i| i.share_in_image = Some(0.89)),
        ("voxel_mostly_csf", |i| i.fractions = Some(Fractions { gm: 0.02, wm: 0.02, csf: 0.96 })),
        ("voxel_mostly_csf", |i| i.fractions = Some(Fractions { gm: f64::NAN, wm: 0.2, csf: 0.2 })),
    ];
    for (flag, change) in cases {
        let mut inputs = press35();
        change(&mut inputs);
        let all = found(&inputs);
        let c = &all.each[0];
        let flags: Vec<&str> = if flag.is_empty() { vec![] } else { vec![flag] };
        assert_eq!(all.flags, flags);
        assert_eq!((c.molal, c.molar, c.alpha, c.t1_s, &c.constants_id), (None, None, None, None, &None), "{flag}");
        assert!(c.lcmodel.is_some(), "{flag}");
        let has_csf = inputs.fractions.is_some() && inputs.share_in_image.is_none() && flag != "voxel_mostly_csf";
        assert_eq!(c.csf.is_some(), has_csf, "{flag}");
    }
    let dry = found(&Inputs { water_amplitude: None, ..press35() });
    assert_eq!((dry.each[0].lcmodel, dry.each[0].csf, dry.water_attenuation), (None, None, None));
    // Macromolecules and lines without a name relax as no metabolite does, and so does a sum with one of them.
    for name in ["MM09", "Lip13a", "unknown 3.42 ppm"] {
        let all = concentrations(&single(name, 1.0, 0.1), &press35(), Some(1.0), &built_in);
        assert!(all.each[0].molal.is_none() && all.each[0].csf.is_some(), "{name}");
    }
}

#[test]
fn a_smaller_flip_angle_saturates_less() {
    let built_in = WaterScaling::lcmodel().unwrap();
    let molal = |flip_angle_deg: Option<f64>| {
        let fractions = Some(Fractions { gm: 1.0, wm: 0.0, csf: 0.0 });
        let inputs = Inputs { flip_angle_deg, fractions, ..press35() };
        concentrations(&single("NAA", 10.0, 0.5), &inputs, Some(1.0), &built_in).each[0].molal.unwrap().value
    };
    assert!((molal(Some(90.0)) / molal(None) - 1.0).abs() < 1e-12);
    // Of grey matter alone: NAA's T1 1.47 s, water's 1.331 s, TR 2 s; the signal goes with 1/(1 − cos α·e^(−TR/T1)).
    let left = |t1_s: f64| 1.0 - 60.0_f64.to_radians().cos() * (-2.0 / t1_s).exp();
    let expected = left(1.47) / left(1.331);
    assert!((molal(Some(60.0)) / molal(None) / expected - 1.0).abs() < 1e-9, "{}", molal(Some(60.0)) / molal(None));
}

#[test]
fn stimulated_echoes_lose_signal_while_they_are_stored() {
    let built_in = WaterScaling::lcmodel().unwrap();
    let found = |sequence: &str, tm_s: Option<f64>| {
        let inputs = Inputs { sequence: Some(sequence.into()), tm_s, ..press35() };
        concentrations(&single("NAA", 10.0, 0.5), &inputs, Some(1.0), &built_in).each[0].clone()
    };
    let (press, steam) = (found("PRESS", Some(0.01)), found("STEAM", Some(0.01)));
    assert_eq!(press.attenuation, found("PRESS", None).attenuation, "spin echoes have no mixing time");
    let ratio = steam.attenuation.unwrap() / press.attenuation.unwrap();
    let expected = 0.75 * (-0.01_f64 / 1.47).exp() + 0.25 * (-0.01_f64 / 1.35).exp();
    assert!((ratio - expected).abs() < 1e-3, "{ratio} {expected}");
    // Water is stored as well, with a T1 of its own.
    assert!((steam.molal.unwrap().value / press.molal.unwrap().value - 1.0).abs() < 5e-3);
}

#[test]
fn lcmodels_attenuation_follows_the_references_times() {
    let built_in = WaterScaling::lcmodel().unwrap();
    let attenuation = |water_te_s: Option<f64>, water_tr_s: f64, constants: &WaterScaling| {
        let inputs = Inputs { water_te_s, water_tr_s: Some(water_tr_s), fractions: None, ..press35() };
        let all = concentrations(&single("NAA", 10.0, 0.5), &inputs, Some(1.0), constants);
        (all.water_attenuation.unwrap(), all.flags)
    };
    assert_eq!(attenuation(Some(0.03), 2.0, &built_in), (0.7, vec![]));
    let (at_144, _) = attenuation(Some(0.144), 2.0, &built_in);
    assert!((at_144 - 0.7 * (-0.114_f64 / 0.08).exp()).abs() < 1e-12);
    // A reference that recovers longer than the spectrum.
    let (slow, _) = attenuation(Some(0.03), 10.0, &built_in);
    let t1_s = 0.5 * (1.331 + 0.832);
    assert!((slow - 0.7 * (1.0 - (-10.0_f64 / t1_s).exp()) / (1.0 - (-2.0_f64 / t1_s).exp())).abs() < 1e-12);
    assert_eq!(attenuation(None, 2.0, &built_in), (0.7, vec!["water_te_or_tr_unknown"]));
    let fixed: WaterScaling = toml::from_str("water_attenuation = 0.7").unwrap();
    assert_eq!(attenuation(Some(0.144), 10.0, &fixed), (0.7, vec![]));
}
