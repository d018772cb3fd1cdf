#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use super::*;
use crate::report::FitPlot;

/// A metabolite, a macromolecule and a sloping baseline.
fn curves() -> (Vec<Kind>, Curves) {
    let ppm: Vec<f64> = (0..400).map(|i| 4.2 - 0.01 * f64::from(i)).collect();
    let peak = |centre: f64, width: f64| ppm.iter().map(|p| (-((p - centre) / width).powi(2)).exp()).collect();
    let components: Vec<Vec<f64>> = vec![peak(2.0, 0.03), peak(0.9, 0.15)];
    let baseline: Vec<f64> = ppm.iter().map(|p| 0.1 * p).collect();
    let fit: Vec<f64> = (0..400).map(|i| components[0][i] + components[1][i] + baseline[i]).collect();
    let kinds = vec![Kind::Metabolite, Kind::Macromolecule];
    (kinds, Curves { data: fit.clone(), fit, ppm, baseline, components, ..Curves::default() })
}

#[test]
fn the_factor_and_the_correlations_are_those_of_the_macromolecules() {
    let (kinds, curves) = curves();
    let other: Vec<f64> = (0..400).map(|i| 0.5 * (curves.components[1][i] + curves.baseline[i])).collect();
    let overlay = Overlay::new("nulled".to_owned(), &kinds, &curves, &other).unwrap();
    assert!((overlay.factor - 2.0).abs() < 1e-12 && (overlay.correlation - 1.0).abs() < 1e-12, "{overlay:?}");
    assert!(overlay.correlation_without_baseline < 0.99);
    assert_eq!(overlay.macromolecules, curves.components[1]);
    // What lies outside the compared range changes nothing.
    let outside: Vec<f64> =
        other.iter().zip(&curves.ppm).map(|(v, p)| if OVERLAY_PPM.contains(p) { *v } else { 99.0 }).collect();
    let again = Overlay::new("nulled".to_owned(), &kinds, &curves, &outside).unwrap();
    assert_eq!((again.factor, again.correlation), (overlay.factor, overlay.correlation));
    // The metabolite is no macromolecule.
    let metabolite = Overlay::new("not".to_owned(), &kinds, &curves, &curves.components[0]).unwrap();
    assert!(metabolite.correlation < 0.3, "{}", metabolite.correlation);
}

#[test]
fn nothing_to_compare_is_said() {
    let (kinds, curves) = curves();
    let error =
        |kinds: &[Kind], other: &[f64]| Overlay::new(String::new(), kinds, &curves, other).unwrap_err().to_string();
    assert!(error(&kinds, &[0.0; 3]).contains("3 points"));
    assert!(error(&kinds, &[0.0; 400]).contains("zero"));
    assert!(error(&[Kind::Metabolite; 2], &[1.0; 400]).contains("no macromolecules"));
}

#[test]
fn the_picture_has_a_panel_with_the_correlation() {
    let (kinds, curves) = curves();
    let overlay = Overlay::new("nulled <1>".to_owned(), &kinds, &curves, &curves.fit).unwrap();
    let plain = FitPlot {
        ppm: curves.ppm.clone(),
        data: curves.data.clone(),
        fit: curves.fit.clone(),
        baseline: curves.baseline.clone(),
        ..FitPlot::default()
    };
    let with = FitPlot { overlay: Some(overlay.clone()), ..plain.clone() };
    let (plain, with) = (plain.render_svg().unwrap(), with.render_svg().unwrap());
    assert!(with.contains(&overlay.summary()) && with.contains("nulled &lt;1&gt;"), "{with}");
    assert!(!plain.contains("correlation"));
}
