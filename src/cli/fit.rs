//! `requant fit`: one spectrum for a person.

use std::path::{Path, PathBuf};

use clap::Args;
use num_complex::Complex64;

use super::error::{CliError, CliResult};
use super::fit_shown::{picture, print_fit};
use super::inputs::must_exist;
use super::outputs::{Reads, picture_name};
use super::shared::{GapArgs, configuration, varied_methods};
use crate::acquisition::Facts;
use crate::basis::names::{Kind, kind};
use crate::corpus::{self, Found, Water};
use crate::fit::result::Curves;
use crate::fit::{FitResult, Model};
use crate::learned;
use crate::output_path::safe_name_from;
use crate::prepare::{Preparation, Spectrum};
use crate::report::Overlay;
use crate::run::load::{Loaded, SpectrumKey, load};
use crate::run::one::one;
use crate::run::{CurvesKept, RunOptions};
use crate::store::Status;

use crate::formats;

/// Arguments of `requant fit`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant fit scan.SDAT --basis press35.basis --plot scan.pdf
  requant fit mega.nii.gz --select diff --method gannet
  requant fit data.RAW --water data.H2O --basis set.basis --f0-mhz 123.2 --dwell-s 0.00025
  requant fit scan.SDAT --sequence PRESS --overlay nulled.SDAT --plot scan.svg
  requant fit scan.SDAT --vary baseline.max_ed_per_ppm=2,8 --plot scan.png    one picture for each")]
pub(super) struct FitArgs {
    /// Spectrum to fit
    file: PathBuf,
    /// Water reference [default: paired by name, as `requant run` does]
    #[arg(long, value_name = "FILE")]
    water: Option<PathBuf>,
    /// Basis set [default: simulated from the file's header]
    #[arg(long, value_name = "PATH")]
    basis: Option<PathBuf>,
    /// Method: a name of `requant methods` or a .toml file; several --method fit it several times
    #[arg(long, value_name = "NAME|FILE", default_value = "map")]
    method: Vec<String>,
    /// Vary a setting of the method, as `requant run` does
    #[arg(long, value_name = "KEY=V1,V2,…")]
    vary: Vec<String>,
    /// Use what `requant learn` or an earlier run learned
    #[arg(long, value_name = "DIR")]
    learned: Option<PathBuf>,
    /// Draw data, fit, residual, baseline and every component; of several methods a picture each, with their names
    #[arg(long, value_name = "FILE.svg|.png|.pdf", value_parser = picture_name())]
    plot: Option<PathBuf>,
    /// Metabolite-nulled spectrum of the same voxel, to compare with the fitted macromolecules
    #[arg(long, value_name = "NULLED_FILE")]
    overlay: Option<PathBuf>,
    /// Which spectrum of a file that holds several: `diff`, `12,7,0`
    #[arg(long, value_name = "NAME")]
    select: Option<String>,
    /// Configuration (.toml): missing values, preparation, water scaling
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    gaps: GapArgs,
}

pub(super) fn run(args: &FitArgs) -> CliResult {
    let (gaps, preparation, constants) = configuration(args.config.as_ref(), args.gaps.gaps())?;
    let (methods, varied) = varied_methods(&args.method, &args.vary)?;
    for (option, path) in [("--basis", &args.basis), ("--learned", &args.learned), ("--overlay", &args.overlay)] {
        must_exist(option, path)?;
    }
    let mut options = RunOptions::new(vec![args.file.clone()], methods, PathBuf::new())?;
    options.varied = varied;
    options.learned = args.learned.as_deref().map(learned::read).transpose()?;
    options.basis.clone_from(&args.basis);
    options.gaps = gaps;
    options.preparation = preparation;
    options.water_scaling = constants;
    options.curves = CurvesKept::Full;
    let file = read(&args.file, args.water.as_ref(), args.select.as_deref(), &options.gaps, &options.preparation)?;
    let fits = one(&file.found, &file.loaded, file.index, &options).map_err(|e| CliError::new(e.exit_code(), e))?;
    let is_one_of_many = fits.len() > 1;
    for (number, fit) in fits.iter().enumerate() {
        let row = &fit.spectrum;
        if row.status != Status::Ok {
            let message = row.error_message.clone().unwrap_or_default();
            return Err(CliError::new(1, anyhow::anyhow!("{message}")));
        }
        if is_one_of_many {
            say!("{}method {}", if number > 0 { "\n" } else { "" }, row.method);
        }
        print_fit(row, &fit.metabolites, args.basis.is_none());
        let overlay = match (&args.overlay, &fit.fit) {
            (Some(nulled), Some((prepared, fitted))) => {
                let model = prepared.model.as_ref();
                Some(overlay(nulled, args.select.as_deref(), &options, (model, &file.spectrum), fitted)?)
            }
            _ => None,
        };
        if let Some(overlay) = &overlay {
            say!("\n{}", overlay.summary());
        }
        if let Some(path) = &args.plot {
            let path = if is_one_of_many { with_method(path, &row.method) } else { path.clone() };
            args.reads(&file.found).write_picture(&path, picture(fit, overlay)?)?;
            say!("\n{}", path.display());
        }
    }
    Ok(0)
}

/// `fit.png` → `fit_METHOD.png`.
fn with_method(path: &Path, method: &str) -> PathBuf {
    /// Longest part of the name that a method makes (bytes).
    const MOST: usize = 60;
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("_{}.", safe_name_from(method, MOST)));
    name.push(path.extension().unwrap_or_default());
    path.with_file_name(name)
}

impl FitArgs {
    /// What the fit of `found` reads.
    fn reads<'a>(&'a self, found: &'a Found) -> Reads<'a> {
        let methods = self.method.iter().map(Path::new);
        Reads::of(std::iter::once(self.file.as_path()).chain(methods))
            .and(found.water.files().first())
            .and(self.basis.as_ref())
            .and(self.learned.as_ref())
            .and(self.overlay.as_ref())
            .and(self.config.as_ref())
    }
}

/// One spectrum of a file, read and prepared.
struct One {
    name: String,
    found: Found,
    /// Its number in the file.
    index: usize,
    spectrum: Spectrum,
    /// All of its file.
    loaded: Loaded,
}

fn read(
    file: &Path,
    water: Option<&PathBuf>,
    select: Option<&str>,
    gaps: &Facts,
    preparation: &Preparation,
) -> Result<One, CliError> {
    let found = found(file, water)?;
    let loaded = load(&found, gaps, preparation);
    let (key, spectrum) = choose(loaded.spectra.clone(), select)?;
    let index = loaded.spectra.iter().position(|(other, _)| *other == key).unwrap_or_default();
    Ok(One { name: key.id_in(&found.id), found, index, spectrum, loaded })
}

/// The spectrum in `file` as the fit sees it, over the fitted macromolecules.
fn overlay(
    file: &Path,
    select: Option<&str>,
    options: &RunOptions,
    (model, fitted): (&Model, &Spectrum),
    fit: &FitResult,
) -> Result<Overlay, CliError> {
    /// Dwell times and frequencies of two scans of one session differ by rounding and the prescan only.
    const SAME: f64 = 1e-3;
    let curves: Curves = model.curves(&fitted.fid, fit).at_frequency(fitted.f0_mhz);
    let One { name, spectrum: mut other, .. } = read(file, None, select, &options.gaps, &options.preparation)?;
    for (what, unit, own, expected) in
        [("dwell time", "s", other.dwell_s, fitted.dwell_s), ("frequency", "MHz", other.f0_mhz, fitted.f0_mhz)]
    {
        if ((own - expected) / expected).abs() > SAME {
            let message = format!(
                "{}: its {what} is {own} {unit}, that of the fitted spectrum {expected} {unit}; an overlay must be acquired \
                 in the same way",
                file.display()
            );
            return Err(CliError::new(1, anyhow::anyhow!(message)));
        }
    }
    other.fid.resize(fitted.fid.len(), Complex64::default());
    let spectrum = model.curves(&other.fid, fit).data;
    let label = name.rsplit('/').next().unwrap_or_default().to_owned();
    let kinds: Vec<Kind> = model.component_names().iter().map(|name| kind(name)).collect();
    Overlay::new(label, &kinds, &curves, &spectrum).map_err(|e| CliError::new(1, e))
}

/// The file as a run finds it, with the water reference that is named, or else paired.
pub(super) fn found(file: &Path, water: Option<&PathBuf>) -> Result<Found, CliError> {
    must_exist("", [file])?;
    must_exist("--water", water)?;
    let file = formats::file_at(file).map_err(|e| CliError::new(1, e))?;
    let listing = corpus::find(&[file.to_path_buf()], &formats::Search).map_err(|e| CliError::new(e.exit_code(), e))?;
    let mut found =
        listing.found.into_iter().next().ok_or_else(|| anyhow::anyhow!("{}: no spectrum", file.display()))?;
    if let Some(water) = water {
        let water = formats::file_at(water).map_err(|e| CliError::new(1, e))?;
        found.water = Water::Paired(water.into_owned());
        found.water_parts = Vec::new();
    }
    match found.refusal() {
        Some(refusal) => Err(CliError::new(1, anyhow::anyhow!(refusal.message))),
        None => Ok(found),
    }
}

/// Why none of the spectra of those names is chosen.
fn not_chosen(names: &[String], select: Option<&str>) -> String {
    /// Most that are named.
    const SHOWN: usize = 12;
    let asked = select.map(|name| format!("--select {name}: ")).unwrap_or_default();
    match names {
        [] => format!("{asked}the file holds no spectrum"),
        [only] if only.is_empty() => format!("{asked}the file holds one spectrum; leave --select out"),
        [only] => format!("{asked}the file holds one spectrum, `{only}`; leave --select out"),
        _ => {
            let more = if names.len() > SHOWN { ", …" } else { "" };
            let shown = names[..names.len().min(SHOWN)].join(", ");
            format!("{asked}the file holds several spectra: --select one of {shown}{more}")
        }
    }
}

pub(super) type Entry = (SpectrumKey, Result<Spectrum, crate::run::load::Failure>);

pub(super) fn choose(spectra: Vec<Entry>, select: Option<&str>) -> Result<(SpectrumKey, Spectrum), CliError> {
    let names: Vec<String> = spectra.iter().map(|(k, _)| k.suffix().trim_start_matches('#').to_owned()).collect();
    let chosen = match select {
        Some(name) => names.iter().position(|n| n == name),
        None => (spectra.len() == 1).then_some(0),
    };
    // Why the only one cannot be read goes before what it is called.
    let chosen = chosen.or(matches!(spectra[..], [(_, Err(_))]).then_some(0));
    let (key, result) = chosen
        .and_then(|i| spectra.into_iter().nth(i))
        .ok_or_else(|| CliError::new(2, anyhow::anyhow!(not_chosen(&names, select))))?;
    let spectrum = result.map_err(|f| anyhow::anyhow!(f.message))?;
    Ok((key, spectrum))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_one_spectrum_needs_no_select() {
        let names = |all: &[&str]| all.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let said = |all: &[&str], select| not_chosen(&names(all), select);
        assert_eq!(said(&[""], Some("dif")), "--select dif: the file holds one spectrum; leave --select out");
        assert_eq!(
            said(&["diff"], Some("dif")),
            "--select dif: the file holds one spectrum, `diff`; leave --select out"
        );
        assert_eq!(said(&["off", "on"], None), "the file holds several spectra: --select one of off, on");
        assert!(said(&["a"; 20], Some("b")).ends_with("a, a, …"));
    }
}
