#![allow(clippy::unwrap_used, reason = "tests")]
use super::step::{bounded_step, predicted_fall};
use crate::engine::known_spectra;
use crate::fit::linalg::{add_symmetric, symmetric};
use crate::fit::map::model::Model;
use crate::fit::map::settings::Settings;
use crate::fit::map::workspace::{Hold, Workspace};
use crate::random::Random;

/// Amplitudes that hang together; all other parameters are their own.
const N: usize = 4;

/// What the quadratic model falls by in the best step of the first [`N`] amplitudes: every choice of those at their bound is tried.
fn best_fall(h: &[f64], m: usize, g: &[f64], bounds: &[f64]) -> f64 {
    let fall = |s: &[f64]| {
        let hs = |i: usize| (0..N).map(|j| symmetric(h, m, i, j) * s[j]).sum::<f64>();
        (0..N).map(|i| s[i] * (2.0 * g[i] - hs(i))).sum::<f64>()
    };
    let mut best = f64::NEG_INFINITY;
    for choice in 0..1_usize << N {
        let at_bound = |i: usize| choice >> i & 1 == 1;
        let mut s: Vec<f64> = (0..N).map(|i| if at_bound(i) { bounds[i] } else { 0.0 }).collect();
        // Gauss and Seidel's iteration needs no algebra that is tested here.
        for _ in 0..20_000 {
            for i in (0..N).filter(|&i| !at_bound(i)) {
                let others: f64 = (0..N).filter(|&j| j != i).map(|j| symmetric(h, m, i, j) * s[j]).sum();
                s[i] = (g[i] - others) / symmetric(h, m, i, i);
            }
        }
        if s.iter().zip(bounds).all(|(s, bound)| *s >= bound - 1e-9) {
            best = best.max(fall(&s));
        }
    }
    best
}

/// A step keeps its bounds, never promises a rise, and is the best one but where letting go would go on for ever.
#[test]
fn a_step_with_bounds_is_the_best_one() {
    let (basis, fids) = known_spectra(1);
    let settings = Settings::map().unwrap();
    let model = Model::new(&basis, fids[0].len(), basis.dwell_s, basis.f0_mhz, None, &settings).unwrap();
    assert!(model.layout.n_components >= N);
    let m = model.layout.len();
    let mut ws = Workspace::new(&model);
    let mut random = Random::new(7, 0);
    let (cases, mut n_best) = (200, 0);
    for _ in 0..cases {
        ws.hessian.fill(0.0);
        (0..m).for_each(|i| ws.hessian[i * m + i] = 1.0);
        let common = 4.0 * random.uniform();
        for _ in 0..30 {
            let shared = common * random.normal();
            let row: Vec<f64> = (0..N).map(|_| random.normal() + shared).collect();
            (0..N).for_each(|i| (0..=i).for_each(|j| add_symmetric(&mut ws.hessian, m, i, j, row[i] * row[j])));
        }
        ws.gradient.fill(0.0);
        ws.held.fill(Hold::Free);
        let mut x = vec![1.0; m];
        for i in 0..N {
            ws.gradient[i] = 30.0 * random.normal();
            x[i] = random.uniform();
        }
        bounded_step(&model, &x, 0.0, &mut ws).unwrap();
        let bounds: Vec<f64> = x[..N].iter().map(|x| -x).collect();
        assert!(ws.step[..N].iter().zip(&bounds).all(|(s, bound)| *s >= bound - 1e-9));
        let (fall, best) = (predicted_fall(&model, &ws), best_fall(&ws.hessian, m, &ws.gradient, &bounds));
        assert!(fall >= 0.0 && fall <= best + 1e-6 * best.abs(), "{fall} {best}");
        n_best += usize::from((fall - best).abs() <= 1e-6 * best.abs());
    }
    // Without letting go 197 of them are.
    assert!(n_best >= cases - 1, "{n_best} of {cases}");
}
