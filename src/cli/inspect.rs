//! `requant inspect`: what a file holds.

use std::path::PathBuf;

use clap::Args;
use num_complex::Complex64;
use rustfft::FftPlanner;

use super::shared::GapArgs;
use super::{CliError, CliResult};
use crate::acquisition::{Acquisition, ppm_from_hz};
use crate::fit::start::noise_sd;
use crate::formats;
use crate::run::load::with_gaps;

/// Arguments of `requant inspect`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant inspect scan.SDAT
  requant inspect data.RAW --f0-mhz 123.2 --dwell-s 0.00025")]
pub(super) struct InspectArgs {
    /// File to look at
    file: PathBuf,
    #[command(flatten)]
    gaps: GapArgs,
}

pub(super) fn run(args: &InspectArgs) -> CliResult {
    let data = formats::read(&args.file).map_err(|e| CliError::new(1, e))?;
    let data = with_gaps(data, &args.file, &args.gaps.gaps());
    let number = |v: Option<f64>, unit: &str| v.map_or("unknown".to_owned(), |v| format!("{v} {unit}"));
    let text = |v: &Option<String>| v.clone().unwrap_or_else(|| "unknown".into());
    say!("format       {}", data.format);
    say!("points       {}", data.n_points());
    say!("coils        {}", data.n_coils());
    say!("transients   {}", data.n_transients());
    say!("conditions   {} {}", data.n_conditions(), data.condition_labels.join(" ").trim());
    say!("voxels       {} ({} × {} × {})", data.n_voxels(), data.grid[0], data.grid[1], data.grid[2]);
    say!("dwell        {}", number(data.dwell_s, "s"));
    say!("f0           {}", number(data.f0_mhz, "MHz"));
    say!("nucleus      {}", text(&data.nucleus));
    say!("TE           {}", number(data.te_s, "s"));
    say!("TR           {}", number(data.tr_s, "s"));
    say!("sequence     {}", text(&data.sequence));
    say!("vendor       {}", text(&data.vendor));
    if let (Some(dwell_s), Some(f0_mhz)) = (data.dwell_s, data.f0_mhz) {
        print_signal(&data, dwell_s, f0_mhz);
    }
    for flag in &data.flags {
        say!("flag         {flag}");
    }
    for remark in &data.remarks {
        say!("remark       {remark}");
    }
    Ok(0)
}

/// Where the tallest peaks lie and how they stand above the noise, on the mean over transients of the
/// first coil, condition and voxel.
fn print_signal(data: &Acquisition, dwell_s: f64, f0_mhz: f64) {
    let n = data.n_points();
    let transients = data.n_transients();
    let fid: Vec<Complex64> = (0..n)
        .map(|p| (0..transients).map(|t| data.samples[(0, 0, t, 0, p)]).sum::<Complex64>() / transients as f64)
        .collect();
    let mut spectrum = fid.clone();
    spectrum.resize(4 * n, Complex64::default());
    FftPlanner::new().plan_fft_forward(4 * n).process(&mut spectrum);
    let ppm = |k: usize| {
        let signed = if k < 2 * n { k as f64 } else { k as f64 - 4.0 * n as f64 };
        ppm_from_hz(signed / (4.0 * n as f64 * dwell_s), f0_mhz)
    };
    let tallest = |low: f64, high: f64| {
        (0..4 * n)
            .filter(|&k| (low..=high).contains(&ppm(k)))
            .max_by(|&a, &b| spectrum[a].norm_sqr().total_cmp(&spectrum[b].norm_sqr()))
    };
    let noise = noise_sd(&fid).map(|s| s * (n as f64).sqrt());
    let snr = |k: usize| noise.map_or("no noise".to_owned(), |s| format!("{:.1} × noise sd", spectrum[k].norm() / s));
    if let Some(k) = tallest(1.75, 2.25) {
        say!("NAA region   tallest at {:.3} ppm, {}", ppm(k), snr(k));
    }
    if let Some(k) = tallest(-10.0, 20.0) {
        say!("tallest      at {:.3} ppm, {}", ppm(k), snr(k));
    }
}
