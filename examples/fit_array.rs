//! Fits an array in memory: a basis set simulated here, and a spectrum made of it with noise.
//!
//! `cargo run --release --example fit_array`
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::error::Error;
use std::f64::consts::PI;

use num_complex::Complex64;
use requant::basis::simulate::{Sequence, basis_set};
use requant::fit::Method;

const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.2;
const N_POINTS: usize = 1024;
/// Metabolites with their true amplitudes.
const TRUTH: [(&str, f64); 6] = [("NAA", 10.0), ("Cr", 5.0), ("PCr", 3.0), ("GPC", 1.5), ("Glu", 9.0), ("Ins", 6.0)];

fn main() -> Result<(), Box<dyn Error>> {
    let names = TRUTH.map(|(name, _)| name);
    let press = Sequence::Press { te_s: 0.03, te1_s: 0.015, te2_s: 0.015 };
    let basis = basis_set(&names, &press, F0_MHZ, DWELL_S, N_POINTS, 1.0)?;

    // What a measurement would give: lines of 4 Hz more, a shift of 3 Hz, some phase, and noise.
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        2.0 * (f64::from(state) / f64::from(u32::MAX) - 0.5)
    };
    let fid: Vec<Complex64> = (0..N_POINTS)
        .map(|n| {
            let t = n as f64 * DWELL_S;
            let line = Complex64::new(-PI * 4.0 * t, 0.3 + 2.0 * PI * 3.0 * t).exp();
            let row = |name: &str| basis.position(name).map_or(Complex64::default(), |k| basis.fids[(k, n)]);
            let clean: Complex64 = TRUTH.iter().map(|(name, amplitude)| row(name) * *amplitude).sum();
            clean * line + Complex64::new(noise(), noise())
        })
        .collect();

    let spectrum = requant::spectrum(fid, DWELL_S, F0_MHZ);
    let method = Method::built_in("map").ok_or("no method of that name")??;
    let fit = requant::fit(&spectrum, &basis, &method)?;
    println!("{} after {} iterations, SNR {:.0}", fit.result.state.as_str(), fit.result.n_iterations, fit.result.snr);
    for (name, truth) in [("NAA", 10.0), ("tCr", 8.0), ("Glu", 9.0), ("Ins", 6.0)] {
        let found = fit.result.amplitude(name).ok_or("missing in the result")?;
        println!("{name:4} {:6.2} ± {:.2}   true {truth}", found.value, found.sd_posterior);
        if (found.value - truth).abs() > 4.0 * found.sd_posterior {
            return Err(format!("{name} is {}, {truth} is true", found.value).into());
        }
    }
    Ok(())
}
