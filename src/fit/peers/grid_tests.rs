//! Grids in the three domains: what carried FIDs, parts and adjoints show.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::f64::consts::PI;

use super::super::derivative_tests::settings;
use super::*;

const DOMAINS: [Domain; 3] = [Domain::RealSpectrum, Domain::ComplexSpectrum, Domain::Time];
const N_POINTS: usize = 2048;

fn grid(domain: Domain) -> Grid {
    Grid::in_domain(&settings("fsl", |_| {}), domain, N_POINTS, 2.5e-4, 123.2).unwrap()
}

/// Three lines, one of them outside of the window.
fn fid() -> Vec<Complex64> {
    let line = |hz: f64, t: f64| Complex64::new(-4.0 * t, 2.0 * PI * hz * t).exp();
    (0..N_POINTS).map(|n| n as f64 * 2.5e-4).map(|t| line(325.0, t) + line(80.0, t) + line(-150.0, t)).collect()
}

#[test]
fn carried_fids_show_what_whole_ones_do() {
    // Damping, shift and Gaussian of some size.
    let modulation = |t: f64| Complex64::new(-50.0 * t - (20.0 * t).powi(2), 2.0 * PI * 8.0 * t).exp();
    for domain in DOMAINS {
        let grid = grid(domain);
        let (mut exact, mut carried) = (vec![Complex64::default(); grid.n_observed], Vec::new());
        let mut found = exact.clone();
        let whole: Vec<_> = (fid().iter().enumerate()).map(|(n, z)| z * modulation(n as f64 * 2.5e-4)).collect();
        grid.observe(&whole, &mut grid.scratch(), &mut exact);
        carried.extend(grid.carry(&fid()).iter().zip(&grid.time_s).map(|(z, t)| z * modulation(*t)));
        grid.observe_carried(&carried, &mut grid.scratch(), &mut found);
        let tallest = exact.iter().map(|z| z.norm()).fold(0.0, f64::max);
        let worst = exact.iter().zip(&found).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
        // What the band's roll-off costs (`crate::fit::band`).
        assert!(worst < 1e-5 * tallest, "{domain:?}: {worst} of {tallest}");
    }
}

#[test]
fn a_part_shows_its_bins_of_the_whole() {
    for domain in DOMAINS {
        let grid = grid(domain);
        let Some((part, first)) = grid.part([1.8, 4.0]) else {
            assert_eq!(domain, Domain::Time, "samples have no part");
            continue;
        };
        let seen = first..first + part.n_observed;
        assert_eq!(part.ppm, grid.ppm[seen.clone()]);
        assert!(grid.ppm[first - 1] > 4.0 && part.ppm[0] <= 4.0 && grid.ppm[seen.end] < 1.8);
        let bins = |grid: &Grid, carried: bool| {
            let mut out = vec![Complex64::default(); grid.n_observed];
            match carried {
                true => grid.observe_carried(&grid.carry(&fid()), &mut grid.scratch(), &mut out),
                false => grid.observe(&fid(), &mut grid.scratch(), &mut out),
            }
            out
        };
        for carried in [true, false] {
            assert_eq!(bins(&part, carried), bins(&grid, carried)[seen.clone()]);
        }
        assert!(grid.part([3.9, 4.0]).is_none(), "too few bins");
    }
}

#[test]
fn the_adjoint_carries_points_back() {
    for domain in DOMAINS {
        let grid = grid(domain);
        let q: Vec<_> = (0..grid.n_observed).map(|j| Complex64::new((j % 7) as f64, (j % 5) as f64 - 2.0)).collect();
        let carried = grid.carry(&fid());
        let (mut seen, mut back) = (q.clone(), carried.clone());
        grid.observe_carried(&carried, &mut grid.scratch(), &mut seen);
        grid.adjoint(&q, &mut grid.scratch(), &mut back);
        let forwards: Complex64 = q.iter().zip(&seen).map(|(a, b)| a * b).sum();
        let backwards: Complex64 = back.iter().zip(&carried).map(|(a, b)| a * b).sum();
        assert!((forwards - backwards).norm() < 1e-9 * forwards.norm(), "{domain:?}: {forwards} {backwards}");
    }
}
