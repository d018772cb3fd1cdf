//! Where a fit starts: common shift, zero-order phase and kernel of the lineshape, from a search that takes no lineshape
//! for granted.
//!
//! The correlation with a prototype ([`crate::fit::start`]) locks on one branch of a split line, with the phase that this
//! branch alone would have, and no fit comes back from there: a flexible baseline takes the other branch. Here singlets and
//! the other metabolites are each a sum of lines around the common frequency, none of them negative, beside macromolecules
//! and a stiff baseline. Only at the right phase can such sums describe the real part of the spectrum. All of it is linear
//! in the data, so that a phase costs one small non-negative least-squares problem.

use std::f64::consts::{LN_2, PI, TAU};

use num_complex::Complex64;

use super::component::{Component, Origin};
use super::lineshape::N_KERNEL;
use super::non_negative::non_negative;
use crate::basis::names::Kind;
use crate::fit::band::Band;
use crate::fit::baseline::Baseline;
use crate::fit::linalg;

/// Lines of each sum: the kernel's, and one at the common frequency.
const N_LINES: usize = N_KERNEL + 1;
/// Place of the common frequency among them.
const CENTRE: usize = N_KERNEL / 2;
/// Phases that are tried: the fit converges from within a few of these steps.
const N_PHASES: usize = 24;
/// Tolerances of the least squares at each of these phases, enough to tell the best, and there and beside it.
const COARSE: f64 = 3e-3;
const FINE: f64 = 1e-4;
/// Widths of a line (FWHM, Hz): narrow ones, which sums make broader.
const LORENTZ_HZ: f64 = 2.0;
const GAUSS_HZ: f64 = 3.5;
/// Smoothness of the baseline: stiff, as phases that are wrong ask for a flexible one.
const LAMBDA: f64 = 1000.0;
/// Keeps the normal equations regular, relative to a column's own square.
const RIDGE: f64 = 1e-4;

/// Groups of metabolites with a sum of lines each, and about their concentrations (mmol/kg) in the adult brain: the groups'
/// ratios are free, within a group they are these.
const TYPICAL: [&[(&str, f64)]; 4] = [
    &[("NAA", 12.0), ("NAAG", 1.5)],
    &[("Cr", 4.5), ("PCr", 4.0)],
    &[("GPC", 1.1), ("PCh", 0.5), ("Cho", 0.5)],
    &[
        ("Glu", 9.0),
        ("Gln", 3.0),
        ("Ins", 6.0),
        ("GSH", 1.5),
        ("Tau", 1.2),
        ("GABA", 1.2),
        ("Asp", 2.0),
        ("Glc", 1.0),
        ("PE", 1.0),
        ("Asc", 1.0),
        ("Scyllo", 0.3),
    ],
];
/// Groups whose lines are singlets: they tell shift and lineshape.
const N_SINGLETS: usize = 3;

/// What the search of all spectra of a model shares.
pub(crate) struct FirstGuess {
    /// Columns of unit length, `[column × bin]`: the lines of each group, then macromolecules and lipids.
    columns: Vec<f64>,
    n_columns: usize,
    /// Groups of singlets, then one of the others: those that the basis set has.
    n_singlets: usize,
    /// Frequency of each line (Hz).
    lines_hz: [f64; N_LINES],
    /// Products of the columns once the baseline has taken its part.
    gram: Vec<f64>,
    /// Cholesky factor L of BᵀB + λP.
    smoother: Vec<f64>,
    /// L⁻¹·BᵀA, column by column.
    projected: Vec<f64>,
}

/// What the search found.
#[derive(Debug, Clone)]
pub(crate) struct Guess {
    /// Residual sum of squares.
    pub(crate) rss: f64,
    /// Zero-order phase of the data (rad).
    pub(crate) phi0_rad: f64,
    /// Mean frequency of the singlets' lines (Hz).
    pub(crate) shift_hz: f64,
    /// Weights of the kernel.
    pub(crate) kernel: [f64; N_KERNEL],
}

impl FirstGuess {
    /// For a model's band FIDs, one component after the other; `None` where fewer than two singlets are there to tell a
    /// phase.
    pub(crate) fn new(
        band: &Band,
        baseline: &Baseline,
        components: &[Component],
        band_fids: &[Complex64],
        kernel_hz: [f64; N_KERNEL],
    ) -> Option<Self> {
        let (groups, n_singlets) = groups(components, band_fids, band.n_short());
        if n_singlets < 2 {
            return None;
        }
        let mut lines_hz = [0.0; N_LINES];
        lines_hz[..CENTRE].copy_from_slice(&kernel_hz[..CENTRE]);
        lines_hz[CENTRE + 1..].copy_from_slice(&kernel_hz[CENTRE..]);
        let mut columns = Vec::new();
        let mut scratch = vec![Complex64::default(); band.scratch_len()];
        for fid in &groups {
            for shift_hz in lines_hz {
                push_column(band, fid, shift_hz, &mut columns, &mut scratch);
            }
        }
        for fid in broad(components, band_fids, band.n_short()) {
            push_column(band, &fid, 0.0, &mut columns, &mut scratch);
        }
        let (nb, n_window) = (baseline.n_splines, band.n_window());
        let n_columns = columns.len() / n_window;
        let mut smoother: Vec<f64> =
            baseline.gram.iter().zip(&baseline.penalty).map(|(gram, penalty)| gram + LAMBDA * penalty).collect();
        let mut projected = vec![0.0; nb * n_columns];
        if nb > 0 {
            linalg::cholesky(&mut smoother, nb).ok()?;
            for (column, out) in columns.chunks_exact(n_window).zip(projected.chunks_exact_mut(nb)) {
                baseline.project(column, out);
            }
            linalg::solve_lower(&smoother, nb, &mut projected, n_columns);
        }
        let mut gram = vec![0.0; n_columns * n_columns];
        for i in 0..n_columns {
            for j in 0..n_columns {
                let whole = dot(part(&columns, i, n_window), part(&columns, j, n_window));
                gram[i * n_columns + j] = whole - dot(part(&projected, i, nb), part(&projected, j, nb));
            }
            gram[i * n_columns + i] += RIDGE;
        }
        Some(Self { columns, n_columns, n_singlets, lines_hz, gram, smoother, projected })
    }

    /// How far from the common frequency a guess sees lines (Hz).
    pub(crate) fn reach_hz(&self) -> f64 {
        self.lines_hz[N_LINES - 1]
    }

    /// The best guess for the fitted bins `data`.
    pub(crate) fn search(&self, baseline: &Baseline, data: &[Complex64]) -> Option<Guess> {
        let (nb, n) = (baseline.n_splines, data.len());
        let parts: [Vec<f64>; 2] = [data.iter().map(|z| z.re).collect(), data.iter().map(|z| z.im).collect()];
        let smooth = [0, 1].map(|p| {
            let mut own = vec![0.0; nb];
            if nb > 0 {
                baseline.project(&parts[p], &mut own);
                linalg::solve_lower(&self.smoother, nb, &mut own, 1);
            }
            own
        });
        let on_columns = [0, 1].map(|p: usize| -> Vec<f64> {
            (0..self.n_columns)
                .map(|j| dot(part(&self.columns, j, n), &parts[p]) - dot(part(&self.projected, j, nb), &smooth[p]))
                .collect()
        });
        let square = |i: usize, j: usize| dot(&parts[i], &parts[j]) - dot(&smooth[i], &smooth[j]);
        let squares = [square(0, 0), square(0, 1), square(1, 1)];
        let mut c = vec![0.0; self.n_columns];
        let mut at_phase = |phi0_rad: f64, tolerance: f64| {
            let (sin, cos) = phi0_rad.sin_cos();
            // Re(e^{−iφ}·Y) = cos φ·Re Y + sin φ·Im Y.
            let target: Vec<f64> =
                on_columns[0].iter().zip(&on_columns[1]).map(|(re, im)| cos * re + sin * im).collect();
            // Neighbouring phases begin where the last one ended.
            non_negative(&self.gram, &target, tolerance, &mut c);
            let all = cos * cos * squares[0] + 2.0 * sin * cos * squares[1] + sin * sin * squares[2];
            let projected: Vec<f64> = self.gram.chunks_exact(self.n_columns).map(|row| dot(row, &c)).collect();
            self.guess(all - 2.0 * dot(&c, &target) + dot(&c, &projected), phi0_rad, &c)
        };
        let step_rad = TAU / N_PHASES as f64;
        let rough = (0..N_PHASES).map(|step| at_phase(step_rad * step as f64, COARSE));
        let best = rough.min_by(|a, b| a.rss.total_cmp(&b.rss))?;
        // Between the steps, so that where a fit starts does not depend on how a spectrum is turned against them.
        let [before, at, after] = [-step_rad, 0.0, step_rad].map(|by| at_phase(best.phi0_rad + by, FINE).rss);
        let curvature = before - 2.0 * at + after;
        let offset = if curvature > 0.0 { (0.5 * (before - after) / curvature).clamp(-0.5, 0.5) } else { 0.0 };
        Some(at_phase(best.phi0_rad + step_rad * offset, FINE))
    }

    fn guess(&self, rss: f64, phi0_rad: f64, c: &[f64]) -> Guess {
        let mut weights = [0.0; N_LINES];
        for lines in c.chunks_exact(N_LINES).take(self.n_singlets) {
            weights.iter_mut().zip(lines).for_each(|(w, c)| *w += c);
        }
        let sum = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
        let mut kernel = [0.0; N_KERNEL];
        kernel[..CENTRE].copy_from_slice(&weights[..CENTRE]);
        kernel[CENTRE..].copy_from_slice(&weights[CENTRE + 1..]);
        Guess {
            rss,
            phi0_rad,
            shift_hz: dot(&weights, &self.lines_hz) / sum,
            kernel: kernel.map(|weight| weight / sum),
        }
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn part(all: &[f64], i: usize, n: usize) -> &[f64] {
    &all[i * n..(i + 1) * n]
}

/// Band FIDs of the groups that the basis set has, singlets first, and how many of these there are.
fn groups(components: &[Component], band_fids: &[Complex64], n: usize) -> (Vec<Vec<Complex64>>, usize) {
    let mut groups = Vec::new();
    let mut n_singlets = 0;
    for (number, members) in TYPICAL.iter().enumerate() {
        let mut sum = vec![Complex64::default(); n];
        let mut found = false;
        for (component, fid) in components.iter().zip(band_fids.chunks_exact(n)) {
            if let Some((_, weight)) = members.iter().find(|(name, _)| *name == component.name) {
                sum.iter_mut().zip(fid).for_each(|(sum, z)| *sum += z * weight);
                found = true;
            }
        }
        if found {
            groups.push(sum);
            n_singlets += usize::from(number < N_SINGLETS);
        }
    }
    (groups, n_singlets)
}

/// Band FIDs of macromolecules and lipids: the pattern's groups, each in its own ratios, and the others one by one.
fn broad(components: &[Component], band_fids: &[Complex64], n: usize) -> Vec<Vec<Complex64>> {
    let mut found: Vec<(Option<usize>, Vec<Complex64>)> = Vec::new();
    let broad = components.iter().zip(band_fids.chunks_exact(n)).filter(|(c, _)| c.kind != Kind::Metabolite);
    for (component, fid) in broad {
        let group = if let Origin::Pattern { group } = component.origin { Some(group) } else { None };
        match found.iter_mut().find(|(own, _)| group.is_some() && *own == group) {
            Some((_, sum)) => sum.iter_mut().zip(fid).for_each(|(sum, z)| *sum += z),
            None => found.push((group, fid.to_vec())),
        }
    }
    found.into_iter().map(|(_, fid)| fid).collect()
}

/// Adds the real part of the spectrum of `fid`, moved and broadened, as a column of unit length.
fn push_column(band: &Band, fid: &[Complex64], shift_hz: f64, columns: &mut Vec<f64>, scratch: &mut [Complex64]) {
    let modulated = fid.iter().zip(&band.time_s).map(|(z, t)| {
        let decay = (-PI * LORENTZ_HZ * t - (PI * GAUSS_HZ * t).powi(2) / (4.0 * LN_2)).exp();
        z * Complex64::from_polar(decay, TAU * shift_hz * t)
    });
    let mut spectrum: Vec<Complex64> = modulated.collect();
    band.transform(&mut spectrum, scratch);
    let window = band.window(&spectrum);
    let length = window.iter().map(|z| z.re * z.re).sum::<f64>().sqrt();
    let scale = if length > 0.0 { length.recip() } else { 0.0 };
    columns.extend(window.iter().map(|z| z.re * scale));
}
