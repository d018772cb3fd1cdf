use super::*;
use crate::random::Random;

fn factor(name: &str, of_source: &[usize]) -> Factor {
    let n = of_source.iter().max().map_or(0, |m| m + 1);
    Factor { name: name.to_owned(), levels: (0..n).map(|l| l.to_string()).collect(), of_source: of_source.to_vec() }
}

fn near(found: f64, wanted: f64, tolerance: f64) {
    assert!((found - wanted).abs() <= tolerance, "{found}, not {wanted}");
}

#[test]
fn components_are_those_of_a_published_table() {
    // Six targets and four judges of Shrout & Fleiss (1979, table 2): mean squares 11.24 between targets, 32.49 between
    // judges, 1.02 of the rest, ICC(2,1) = .29.
    let rows: Vec<Vec<f64>> = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
        .map(|r| r.map(f64::from).to_vec())
        .to_vec();
    let c = components(&rows, &[]);
    near(c.spectrum, (11.24 - 1.02) / 4.0, 0.005);
    near(c.method, (32.49 - 1.02) / 6.0, 0.005);
    near(c.interaction, 1.02, 0.005);
    near(c.spectrum / c.total(), 0.29, 0.005);
    let slices: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
    near(c.spectrum / c.total(), crate::compare::statistics::icc_2_1(&slices), 1e-12);
}

#[test]
fn components_that_went_in_come_out() {
    // 4000 spectra and 60 methods with sd 3, 2, 1: relative errors of the variances are √(2/3999) between spectra and
    // √(2/59) between methods.
    let (n, k) = (4000, 60);
    let mut random = Random::new(11, 0);
    let method: Vec<f64> = (0..k).map(|_| 2.0 * random.normal()).collect();
    let rows: Vec<Vec<f64>> = (0..n)
        .map(|_| {
            let own = 50.0 + 3.0 * random.normal();
            method.iter().map(|m| own + m + random.normal()).collect()
        })
        .collect();
    let c = components(&rows, &[]);
    near(c.spectrum / 9.0, 1.0, 4.0 * (2.0_f64 / 3999.0).sqrt());
    near(c.method / 4.0, 1.0, 4.0 * (2.0_f64 / 59.0).sqrt());
    near(c.interaction, 1.0, 4.0 * (2.0_f64 / (3999.0 * 59.0)).sqrt());
}

#[test]
fn components_below_zero_are_zero() {
    let rows = vec![vec![1.0, 2.0], vec![2.0, 1.0], vec![1.0, 2.0], vec![2.0, 1.0], vec![1.5, 1.5]];
    let c = components(&rows, &[]);
    assert_eq!((c.spectrum, c.method), (0.0, 0.0));
    assert!(c.interaction > 0.0);
}

#[test]
fn settings_account_for_what_they_do() {
    // Factor a (2 levels) shifts all spectra by ±1; b (3 levels) shifts spectrum i by its own slope, no spectra on average.
    let a = factor("a", &[0, 0, 0, 1, 1, 1]);
    let b = factor("b", &[0, 1, 2, 0, 1, 2]);
    let slopes = [-1.0, 1.0, -2.0, 2.0, 0.0];
    let rows: Vec<Vec<f64>> = slopes
        .iter()
        .enumerate()
        .map(|(i, slope)| {
            let value =
                |s: usize| 10.0 * i as f64 + [-1.0, 1.0][a.of_source[s]] + slope * [-1.0, 0.0, 1.0][b.of_source[s]];
            (0..6).map(value).collect()
        })
        .collect();
    let c = components(&rows, &[a, b]);
    // By hand: a 5·6·1² = 30, all of it between methods; b Σslope²·2·2 = 40, all of it between spectra.
    near(c.settings[0][0], 1.0, 1e-12);
    near(c.settings[1][0], 0.0, 1e-12);
    near(c.settings[0][1], 30.0 / 70.0, 1e-12);
    near(c.settings[1][1], 40.0 / 70.0, 1e-12);
    // The rest's mean square is 40/(4·5); between methods 30/5, less that, over 5 spectra.
    near(c.interaction, 2.0, 1e-12);
    near(c.method, (6.0 - 2.0) / 5.0, 1e-12);
}

#[test]
fn intervals_hold_the_share_that_went_in() {
    // Spectra with sd 2 and noise of sd 1, methods alike: the share between spectra is 0.8.
    let mut random = Random::new(17, 0);
    let rows: Vec<Vec<f64>> = (0..300)
        .map(|_| {
            let own = 2.0 * random.normal();
            (0..4).map(|_| own + random.normal()).collect()
        })
        .collect();
    let matrix = Matrix { metabolite: "Glx".into(), spectra: vec![String::new(); 300], rows };
    let all = variance(&[matrix], &[factor("method", &[0, 1, 2, 3])]);
    let Figure { value, interval: (low, high) } = all[0].spectrum;
    assert!(low < 0.8 && 0.8 < high && low < value && value < high && high - low < 0.08, "{low} {value} {high}");
    assert!(all[0].settings.is_empty() && all[0].method.value < 0.02);
    near(all[0].spectrum.value + all[0].method.value + all[0].interaction.value, 1.0, 1e-12);
}
