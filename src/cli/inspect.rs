//! `requant inspect`: what a file holds.

use std::path::{Path, PathBuf};

use clap::Args;
use num_complex::Complex64;
use rustfft::FftDirection;
use serde::Serialize;

use super::error::{CliError, CliResult};
use super::fit::{choose, found};
use super::json::print_json;
use super::outputs::{Reads, picture_name};
use super::shared::{GapArgs, configuration};
use crate::acquisition::{Acquisition, Facts, ppm_from_hz};
use crate::formats;
use crate::prepare::figures::{linewidth_hz, phased};
use crate::prepare::{Preparation, Settings, Spectrum};
use crate::report::PreparationPlot;
use crate::run::load::load;
use crate::signal::fft::{signed_bin, transform};
use crate::signal::noise::noise_sd;

/// Arguments of `requant inspect`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant inspect scan.SDAT
  requant inspect data.RAW --f0-mhz 123.2 --dwell-s 0.00025
  requant inspect meas.dat --water water.dat --plot prepared.svg")]
pub(super) struct InspectArgs {
    /// File to look at
    file: PathBuf,
    /// Draw the spectrum before and after preparation, and shift and phase of each transient
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_parser = picture_name())]
    plot: Option<PathBuf>,
    /// Water reference for --plot [default: paired by name, as `requant run` does]
    #[arg(long, value_name = "FILE", requires = "plot")]
    water: Option<PathBuf>,
    /// Which spectrum --plot draws, of a file that holds several: `diff`, `12,7,0`
    #[arg(long, value_name = "NAME", requires = "plot")]
    select: Option<String>,
    /// Print JSON: format, read_with, n_points, n_coils, n_transients, conditions, grid, dwell_s, f0_mhz, nucleus, te_s, tr_s,
    /// sequence, vendor, naa_region and tallest (ppm, over_noise), flags, remarks
    #[arg(long, conflicts_with = "plot")]
    json: bool,
    /// Configuration (.toml): missing values, preparation
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    gaps: GapArgs,
}

/// What a file holds, for programs.
#[derive(Serialize)]
struct Held {
    format: &'static str,
    read_with: Vec<String>,
    n_points: usize,
    n_coils: usize,
    n_transients: usize,
    conditions: Vec<String>,
    grid: [usize; 3],
    dwell_s: Option<f64>,
    f0_mhz: Option<f64>,
    nucleus: Option<String>,
    te_s: Option<f64>,
    tr_s: Option<f64>,
    sequence: Option<String>,
    vendor: Option<String>,
    naa_region: Option<Tallest>,
    tallest: Option<Tallest>,
    flags: Vec<&'static str>,
    remarks: Vec<String>,
}

/// The tallest point of a part of the spectrum.
#[derive(Serialize)]
struct Tallest {
    ppm: f64,
    /// Its height over the standard deviation of the noise.
    over_noise: Option<f64>,
}

impl Held {
    fn of(data: &Acquisition, file: &Path) -> Self {
        let facts = &data.facts;
        let [naa_region, tallest] = match (facts.dwell_s, facts.f0_mhz) {
            (Some(dwell_s), Some(f0_mhz)) => tallest(data, dwell_s, f0_mhz),
            _ => [None, None],
        };
        Self {
            format: data.format,
            read_with: formats::companions(file).iter().map(|path| path.display().to_string()).collect(),
            n_points: data.n_points(),
            n_coils: data.n_coils(),
            n_transients: data.n_transients(),
            conditions: data.condition_labels.clone(),
            grid: data.grid,
            dwell_s: facts.dwell_s,
            f0_mhz: facts.f0_mhz,
            nucleus: facts.nucleus.clone(),
            te_s: facts.te_s,
            tr_s: facts.tr_s,
            sequence: facts.sequence.clone(),
            vendor: facts.vendor.clone(),
            naa_region,
            tallest,
            flags: data.flags.clone(),
            remarks: data.remarks.clone(),
        }
    }

    fn print(&self, n_conditions: usize) {
        let number = |v: Option<f64>, unit: &str| v.map_or("unknown".to_owned(), |v| format!("{v} {unit}"));
        let text = |v: &Option<String>| v.clone().unwrap_or_else(|| "unknown".into());
        say!("format       {}", self.format);
        for companion in &self.read_with {
            say!("read with    {companion}");
        }
        let [x, y, z] = self.grid;
        say!("points       {}", self.n_points);
        say!("coils        {}", self.n_coils);
        say!("transients   {}", self.n_transients);
        say!("conditions   {n_conditions} {}", self.conditions.join(" ").trim());
        say!("voxels       {} ({x} × {y} × {z})", x * y * z);
        say!("dwell        {}", number(self.dwell_s, "s"));
        say!("f0           {}", number(self.f0_mhz, "MHz"));
        say!("nucleus      {}", text(&self.nucleus));
        say!("TE           {}", number(self.te_s, "s"));
        say!("TR           {}", number(self.tr_s, "s"));
        say!("sequence     {}", text(&self.sequence));
        say!("vendor       {}", text(&self.vendor));
        for (name, peak) in [("NAA region   tallest", &self.naa_region), ("tallest     ", &self.tallest)] {
            if let Some(Tallest { ppm, over_noise }) = peak {
                let snr = over_noise.map_or("no noise".to_owned(), |snr| format!("{snr:.1} × noise sd"));
                say!("{name} at {ppm:.3} ppm, {snr}");
            }
        }
        for flag in &self.flags {
            say!("flag         {flag}");
        }
        for remark in &self.remarks {
            say!("remark       {remark}");
        }
    }
}

pub(super) fn run(args: &InspectArgs) -> CliResult {
    let mut data = formats::read(&args.file).map_err(|e| CliError::new(1, e))?;
    let (gaps, preparation, _) = configuration(args.config.as_ref(), args.gaps.gaps())?;
    data.facts = data.facts.or(gaps.clone());
    let held = Held::of(&data, &args.file);
    if args.json {
        print_json(&held)?;
    } else {
        held.print(data.n_conditions());
    }
    if let Some(path) = &args.plot {
        draw(args, path, &gaps, &preparation)?;
    }
    Ok(0)
}

/// Where the tallest peaks lie, near NAA and anywhere, and how they stand above the noise, on the mean over transients of
/// the first coil, condition and voxel.
fn tallest(data: &Acquisition, dwell_s: f64, f0_mhz: f64) -> [Option<Tallest>; 2] {
    let n = data.n_points();
    let transients = data.n_transients();
    let fids: Vec<Vec<Complex64>> = (0..transients).map(|t| data.samples.fid([0, 0, t, 0])).collect();
    let fid: Vec<Complex64> =
        (0..n).map(|p| fids.iter().map(|fid| fid[p]).sum::<Complex64>() / transients as f64).collect();
    let mut spectrum = fid.clone();
    spectrum.resize(4 * n, Complex64::default());
    transform(4 * n, FftDirection::Forward).process(&mut spectrum);
    let ppm = |k: usize| ppm_from_hz(signed_bin(k, 4 * n) / (4.0 * n as f64 * dwell_s), f0_mhz);
    let noise = noise_sd(&fid).map(|s| s * (n as f64).sqrt());
    [(1.75, 2.25), (-10.0, 20.0)].map(|(low, high)| {
        let inside = (0..4 * n).filter(|&k| (low..=high).contains(&ppm(k)));
        let k = inside.max_by(|&a, &b| spectrum[a].norm_sqr().total_cmp(&spectrum[b].norm_sqr()))?;
        Some(Tallest { ppm: ppm(k), over_noise: noise.map(|s| spectrum[k].norm() / s) })
    })
}

/// The spectrum before (coils combined, plain mean) and after preparation: picture and figures.
fn draw(args: &InspectArgs, path: &Path, gaps: &Facts, preparation: &Preparation) -> Result<(), CliError> {
    let found = found(&args.file, args.water.as_ref())?;
    let plain =
        Preparation::Steps(Settings { steps: Vec::new(), ..preparation.settings().cloned().unwrap_or_default() });
    let prepared = |preparation| choose(load(&found, gaps, preparation).spectra, args.select.as_deref());
    let ((_, before), (key, after)) = (prepared(&plain)?, prepared(preparation)?);
    let record = &after.record;
    let [(raw, raw_note), (clean, clean_note)] = [&before, &after].map(figures);
    say!("kept         {} of {} transients", record.n_kept, record.n_transients);
    if let Some(motion) = record.motion {
        say!("drift        {:+.2} Hz from first to last", motion.drift_hz);
        say!("shifts       sd {:.2} Hz, {:.2} Hz about the drift", motion.shift_sd_hz, motion.shift_jitter_hz);
        say!("phases       sd {:.1}°", motion.phase_jitter_deg);
    }
    say!("before       {raw_note}");
    say!("after        {clean_note}");
    if !record.flags.is_empty() {
        say!("flags        {}", record.flags.join(" · "));
    }
    let offsets = record.offsets.iter().flatten().zip(&record.kept);
    let plot = PreparationPlot {
        title: key.id_in(&found.id),
        before: raw,
        after: clean,
        notes: [raw_note, clean_note],
        transients: offsets.map(|(o, kept)| (o.shift_hz, o.phase_rad.to_degrees(), *kept)).collect(),
    };
    let reads = Reads::of([args.file.as_path()]).and(found.water.files().first()).and(args.config.as_ref());
    reads.write_picture(path, plot.render_svg()?)?;
    say!("{}", path.display());
    Ok(())
}

/// The real spectrum, and what is measured of it.
fn figures(spectrum: &Spectrum) -> (Vec<(f64, f64)>, String) {
    let points = phased(&spectrum.fid, spectrum.dwell_s, spectrum.f0_mhz);
    let snr = spectrum.record.snr_after.map_or("no noise".to_owned(), |snr| format!("SNR {snr:.1}"));
    let width = linewidth_hz(&points, spectrum.f0_mhz).map_or(String::new(), |hz| format!(" · FWHM {hz:.2} Hz"));
    (points, snr + &width)
}
