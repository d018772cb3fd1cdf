//! LCModel's start: referencing by correlation with landmarks, phases by the steepness of the real part, and a grid of
//! fits with few components (its STARTV and PHASTA; survey section 1.8).

mod few;
mod landmarks;

use num_complex::Complex64;

use super::bounded::Singular;
use super::model::Model;
use few::Few;
pub(super) use few::fwhm_ppm_from_rate;
pub(super) use landmarks::Limits;
use landmarks::{MAX_PHI1_DEG, landmarks, steepest};

/// Distance (in widths) of shifts at which fits start, and most of them.
const SHIFT_MESH: f64 = 0.5;
const MOST_SHIFTS: usize = 8;
/// Starting phases of the fits at each shift.
const PHASES_FITTED: [usize; 2] = [4, 3];
/// Iterations of each fit; the last one has twice as many.
const MAX_ITERATIONS: usize = 20;

/// Where the full fit starts.
#[derive(Debug, Clone)]
pub(super) struct Started {
    /// The window, shifted and turned.
    pub(super) data: Vec<Complex64>,
    /// Frequency by which the data lie above the basis set (Hz).
    pub(super) shift_hz: f64,
    /// What the data were turned by (rad, rad/ppm).
    pub(super) turned: [f64; 2],
    /// Width of the lines (FWHM, ppm), and the same with its upper limit.
    pub(super) fwhm_full_ppm: f64,
    pub(super) fwhm_ppm: f64,
    /// Root mean square of the window.
    pub(super) height: f64,
}

/// Start values of `fid`.
pub(super) fn start(model: &Model, fid: &[Complex64], limits: Limits) -> Result<Started, Singular> {
    let grid = &model.start_grid;
    let mut scratch = grid.scratch();
    let spectrum = grid.spectrum(fid, &mut scratch).to_vec();
    let (first, range) = landmarks(grid, fid, limits);
    let mut window = vec![Complex64::default(); grid.n_observed];
    grid.pick(&spectrum, first, &mut window);
    let height = (window.iter().map(|z| z.norm_sqr()).sum::<f64>() / window.len() as f64).sqrt();
    let phases_deg = steepest(model, fid);

    let mut few = Few::new(model, window, height, limits);
    let mesh = ((SHIFT_MESH * limits.fwhm_ppm / grid.bin_ppm()).round() as i64).max(1);
    let mut best: Option<Best> = None;
    let mut covered: Vec<[i64; 2]> = Vec::new();
    let mut shift = first;
    for _ in 0..MOST_SHIFTS {
        grid.pick(&spectrum, shift, &mut few.problem.data);
        few.objective.refresh(&few.problem);
        let wanted = fits_at(&mut few, shift, phases_deg, &mut best);
        covered.push([wanted.min(shift), wanted.max(shift)]);
        match farthest(&covered, range, mesh) {
            Some(next) => shift = next,
            None => break,
        }
    }
    let best = best.ok_or(Singular)?;
    let Placed { shift, turned, p } = placed(&mut few, &spectrum, best, shift);
    let fwhm_full_ppm = fwhm_ppm_from_rate(p[few.width_place()], grid.f0_mhz).max(0.0);
    Ok(Started {
        data: few.problem.data,
        shift_hz: shift as f64 * grid.bin_hz(),
        turned,
        fwhm_full_ppm,
        fwhm_ppm: fwhm_full_ppm.min(limits.max_fwhm_ppm),
        height,
    })
}

/// The best of the fits so far.
struct Best {
    /// Its standard deviation.
    sd: f64,
    /// Shift of the data at which it would have none of its own (bins).
    shift: i64,
    p: Vec<f64>,
}

/// Fits from all starting phases with the data at `shift` (bins); where the best of them wants the data to be.
fn fits_at(few: &mut Few<'_>, shift: i64, [phi0_deg, phi1_deg]: [f64; 2], best: &mut Option<Best>) -> i64 {
    let mut here = (f64::INFINITY, shift);
    let mut phi0 = phi0_deg;
    for _ in 0..PHASES_FITTED[0] {
        for phi1 in first_order_phases(phi1_deg) {
            let Ok(point) = few.fit([phi0, phi1], MAX_ITERATIONS) else { continue };
            let sd = point.linear.sd;
            if sd < here.0 {
                here = (sd, shift + few.shift_bins(&point.p));
                if best.as_ref().is_none_or(|b| sd < b.sd) {
                    *best = Some(Best { sd, shift: here.1, p: point.p });
                }
            }
        }
        phi0 = (phi0 + 360.0 / PHASES_FITTED[0] as f64) % 360.0;
    }
    here.1
}

/// The shift within `range` that is farthest from what is covered; `None` where all are nearer than `mesh`.
fn farthest(covered: &[[i64; 2]], range: [i64; 2], mesh: i64) -> Option<i64> {
    let distance = |shift: i64| covered.iter().map(|[a, b]| (a - shift).max(shift - b)).min().unwrap_or(0);
    let farthest = (range[0]..=range[1]).fold((mesh - 1, None), |most, shift| {
        let d = distance(shift);
        if d > most.0 { (d, Some(shift)) } else { most }
    });
    farthest.1
}

/// The data where the best fit wants them.
struct Placed {
    /// Their shift (bins).
    shift: i64,
    /// What they were turned by (rad, rad/ppm).
    turned: [f64; 2],
    p: Vec<f64>,
}

/// Shifts and phases the data as the best fit says, and fits once more where the data have not been at that shift yet;
/// `last` is the shift at which they were.
fn placed(few: &mut Few<'_>, spectrum: &[Complex64], best: Best, last: i64) -> Placed {
    let grid = few.problem.grid;
    let [i0, i1] = [few.problem.layout.phi0(), few.problem.layout.phi1()];
    let Best { mut shift, mut p, .. } = best;
    grid.pick(spectrum, shift, &mut few.problem.data);
    let mut turned = [p[i0], p[i1]];
    few.problem.rephase(p[i0], p[i1]);
    (p[i0], p[i1]) = (0.0, 0.0);
    if shift == last {
        return Placed { shift, turned, p };
    }
    let before = turned;
    few.problem.layout.parameters[i1].mean = -before[1];
    p[few.shift_place()] = 0.0;
    few.objective.refresh(&few.problem);
    if let Ok(point) = few.fit_from(&p, 2 * MAX_ITERATIONS) {
        p = point.p;
        let moved = few.shift_bins(&p);
        if moved != 0 {
            // From the data as they came, at the new shift.
            shift += moved;
            p[i0] += before[0];
            p[i1] += before[1];
            grid.pick(spectrum, shift, &mut few.problem.data);
            turned = [0.0; 2];
        }
        few.problem.rephase(p[i0], p[i1]);
        turned = [turned[0] + p[i0], turned[1] + p[i1]];
    }
    Placed { shift, turned, p }
}

/// The starting φ1 and two more (°/ppm), 30 apart within ±30.
fn first_order_phases(start: f64) -> [f64; 3] {
    let apart = 2.0 * MAX_PHI1_DEG / (PHASES_FITTED[1] - 1) as f64;
    let next = |phi1: f64| {
        let next = phi1 + apart;
        if next <= MAX_PHI1_DEG {
            next
        } else if next - MAX_PHI1_DEG <= 0.5 * apart {
            MAX_PHI1_DEG
        } else {
            -MAX_PHI1_DEG
        }
    };
    let second = next(start);
    [start, second, next(second)]
}
