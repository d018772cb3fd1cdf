//! A basis set as a picture: every member's spectrum, one below the other.

use num_complex::Complex64;
use rustfft::FftDirection;

use super::canvas::{Align, Canvas, with_size_in_px, with_words};
use super::theme::{FAINT_TEXT, GRID, METABOLITE as CURVE, PlotError, TEXT};
use crate::acquisition::ppm_from_hz;
use crate::basis::BasisSet;
use crate::signal::fft::{signed_bin, transform};

const WINDOW_PPM: (f64, f64) = (0.0, 5.0);
const LEFT_PX: f64 = 90.0;
const RIGHT_PX: f64 = 70.0;
const WIDTH_PX: f64 = 720.0;
const TOP_PX: f64 = 44.0;
const ROW_PX: f64 = 34.0;
const AXIS_PX: f64 = 40.0;
/// Part of a row that the tallest point takes, so that neighbours touch at most.
const FILL: f64 = 0.85;
/// Broadening for the eye (FWHM, Hz): undamped lines would be needles narrower than a pixel.
const BROADENING_HZ: f64 = 3.0;

/// Draws the set as SVG; each member is scaled to its own tallest point, which stands to its right in signal units.
///
/// # Errors
/// [`PlotError`] if the set has no members or points, or the drawing fails.
pub fn basis_plot(set: &BasisSet) -> Result<String, PlotError> {
    let n_members = set.metabolites.len();
    if n_members == 0 || set.fids.ncols() < 2 {
        return Err(PlotError::NoData);
    }
    let width = LEFT_PX + WIDTH_PX + RIGHT_PX;
    let bottom = TOP_PX + ROW_PX * n_members as f64;
    let mut svg = String::new();
    draw(set, &mut svg, width, bottom).map_err(PlotError::Backend)?;
    let description = format!("The spectra of its {n_members} members: {}.", set.metabolites.join(", "));
    Ok(with_words(&with_size_in_px(&svg, width, bottom + AXIS_PX), &format!("Basis set {}", set.id), &description))
}

fn draw(set: &BasisSet, svg: &mut String, width: f64, bottom: f64) -> Result<(), String> {
    let canvas = Canvas::new(svg, width, bottom + AXIS_PX)?;
    let x_of = |ppm: f64| LEFT_PX + WIDTH_PX * (WINDOW_PPM.1 - ppm) / (WINDOW_PPM.1 - WINDOW_PPM.0);
    let te = set.te_s.map_or(String::new(), |t| format!(" · TE {:.1} ms", t * 1e3));
    canvas.text(&format!("{} · {} MHz{te}", set.id, set.f0_mhz), (LEFT_PX, 18.0), Align::Left, 13.0, TEXT)?;
    let note = "each member at its own height (right: tallest point per unit of amplitude, lines 3 Hz wider)";
    canvas.text(note, (LEFT_PX, 34.0), Align::Left, 10.0, FAINT_TEXT)?;
    for half in 0..=10 {
        let ppm = 0.5 * f64::from(half);
        canvas.line(&[(x_of(ppm), TOP_PX), (x_of(ppm), bottom)], GRID, 0.7)?;
        if half % 2 == 0 {
            canvas.text(&format!("{ppm:.0}"), (x_of(ppm), bottom + 12.0), Align::Centre, 11.0, TEXT)?;
        }
    }
    canvas.text("chemical shift (ppm)", (LEFT_PX + 0.5 * WIDTH_PX, bottom + 28.0), Align::Centre, 11.0, TEXT)?;
    for (k, name) in set.metabolites.iter().enumerate() {
        let points = spectrum(set, k);
        let tallest = points.iter().map(|p| p.1.abs()).fold(0.0, f64::max);
        let foot = TOP_PX + ROW_PX * (k as f64 + 1.0) - 4.0;
        let unit = if tallest > 0.0 { FILL * ROW_PX / tallest } else { 0.0 };
        let curve: Vec<(f64, f64)> = points.iter().map(|&(ppm, v)| (x_of(ppm), foot - v * unit)).collect();
        canvas.line(&curve, CURVE, 1.0)?;
        canvas.text(name, (LEFT_PX - 8.0, foot - 4.0), Align::Right, 12.0, TEXT)?;
        let height = format!("{tallest:.3e}");
        canvas.text(&height, (LEFT_PX + WIDTH_PX + 6.0, foot - 4.0), Align::Left, 9.0, FAINT_TEXT)?;
    }
    canvas.finish()
}

/// (ppm, real part) of a member inside the window.
fn spectrum(set: &BasisSet, k: usize) -> Vec<(f64, f64)> {
    let n = (2 * set.fids.ncols()).next_power_of_two();
    let mut buffer: Vec<Complex64> = set
        .fids
        .row(k)
        .iter()
        .enumerate()
        .map(|(i, z)| z * (-std::f64::consts::PI * BROADENING_HZ * i as f64 * set.dwell_s).exp())
        .collect();
    buffer[0] *= 0.5;
    buffer.resize(n, Complex64::default());
    transform(n, FftDirection::Forward).process(&mut buffer);
    let bin_hz = 1.0 / (n as f64 * set.dwell_s);
    let mut points: Vec<(f64, f64)> = (0..n)
        .map(|i| (ppm_from_hz(signed_bin(i, n) * bin_hz, set.f0_mhz), buffer[i].re * set.dwell_s))
        .filter(|(ppm, _)| (WINDOW_PPM.0..=WINDOW_PPM.1).contains(ppm))
        .collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}
