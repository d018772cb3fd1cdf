//! Which candidate is taken.
use super::*;

fn tried(name: &str, chi2: &[f64], basis: Option<&str>) -> Tried {
    Tried {
        scored: Scored { name: name.to_owned(), ..Scored::default() },
        chi2: chi2.iter().map(|c| Some(*c).filter(|c| c.is_finite())).collect(),
        basis: basis.map(str::to_owned),
    }
}

/// Every spectrum is of a head of its own.
fn judged_alone(tried: Vec<Tried>) -> Chosen {
    let names: Vec<String> = (0..tried[0].chi2.len()).map(|k| format!("{k:03}")).collect();
    judged(("p".into(), None), tried, &names.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn what_is_better_in_every_spectrum_is_taken_however_much_spectra_differ() {
    let levels: Vec<f64> = (0..10).map(|k| 0.8 + 0.1 * f64::from(k % 4)).collect();
    let better: Vec<f64> = levels.iter().enumerate().map(|(k, l)| l - 0.01 - 0.002 * (k % 3) as f64).collect();
    let chosen = judged_alone(vec![tried("today's", &levels, Some("a")), tried("GE", &better, Some("b"))]);
    assert_eq!(chosen.better().map(|b| b.name.as_str()), Some("GE"));
    let (margin, error) = chosen.candidates[0].beyond;
    assert!((margin - 0.0118).abs() < 1e-12 && error < 0.001, "{margin} {error}");
    assert_eq!(chosen.candidates[1].beyond, (0.0, 0.0));
}

#[test]
fn a_small_part_of_what_is_left_unexplained_says_nothing_however_sure_it_is() {
    let levels: Vec<f64> = (0..40).map(|k| 1.6 + 0.1 * f64::from(k % 4)).collect();
    let by =
        |part: f64| -> Vec<f64> { levels.iter().enumerate().map(|(k, l)| l - part - 0.001 * (k % 2) as f64).collect() };
    let of = |part: f64| judged_alone(vec![tried("today's", &levels, None), tried("GE", &by(part), None)]);
    let little = of(0.05);
    let (gain, error) = little.candidates[1].gain;
    assert!(gain > 100.0 * error && little.better().is_none(), "{gain} {error}");
    // As much as ideal pulses lose against a scanner's own.
    assert!(of(0.25).better().is_some());
}

#[test]
fn spectra_of_one_head_count_once() {
    let today = [1.0; 24];
    let better: Vec<f64> = (0..24).map(|k| 0.9 + 0.001 * f64::from(k % 3)).collect();
    let all = || vec![tried("today's", &today, None), tried("GE", &better, None)];
    let chosen = judged(("p".into(), None), all(), &["a"; 24]);
    assert!((chosen.spectra, chosen.heads) == (24, 1) && chosen.better().is_none(), "{chosen:?}");
    let six: Vec<String> = (0..24).map(|k| (k % 6).to_string()).collect();
    let chosen = judged(("p".into(), None), all(), &six.iter().map(String::as_str).collect::<Vec<_>>());
    assert!((chosen.spectra, chosen.heads) == (24, 6) && chosen.better().is_some(), "{chosen:?}");
}

#[test]
fn where_nothing_is_fitted_nothing_is_counted() {
    let chosen = judged_alone(vec![tried("today's", &[f64::NAN; 7], None), tried("GE", &[f64::NAN; 7], None)]);
    assert!((chosen.spectra, chosen.heads, chosen.best) == (0, 0, None) && chosen.better().is_none(), "{chosen:?}");
}

#[test]
fn small_margins_and_few_spectra_leave_what_is_taken_today() {
    let today = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5];
    let unsure = [1.05, 1.0, 1.22, 1.22, 1.43, 1.4];
    let chosen = judged_alone(vec![tried("today's", &today, None), tried("GE", &unsure, None)]);
    assert!(chosen.best == Some(1) && chosen.better().is_none(), "{chosen:?}");
    let few = judged_alone(vec![tried("today's", &today[..3], None), tried("GE", &[0.9, 1.0, 1.1], None)]);
    assert!(few.best == Some(1) && few.better().is_none(), "{few:?}");
}

#[test]
fn candidates_are_compared_on_what_all_of_them_fit_and_equal_ones_stand_once() {
    let chosen = judged_alone(vec![
        tried("today's", &[1.0, 1.0, f64::NAN, 9.0], Some("a")),
        tried("GE", &[1.0, 1.0, 1.0, 9.0], Some("a")),
        tried("Philips", &[2.0, 2.0, 2.0, f64::NAN], Some("b")),
        tried("Siemens", &[f64::NAN; 4], None),
    ]);
    assert_eq!((chosen.spectra, chosen.candidates.len()), (2, 3));
    assert_eq!(chosen.candidates[0].name, "today's (GE)");
    assert!((chosen.candidates[1].beyond.0 - 1.0).abs() < 1e-12 && chosen.candidates[2].chi2.is_nan());
}
