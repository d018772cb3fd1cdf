//! `requant fit`: one spectrum for a person.

use std::path::{Path, PathBuf};

use clap::Args;
use num_complex::Complex64;

use super::error::{CliError, CliResult};
use super::outputs::Reads;
use super::shared::{GapArgs, configuration, method};
use crate::acquisition::Facts;
use crate::basis::names::{Kind, kind};
use crate::corpus::{self, Found, Water};
use crate::fit::result::Curves;
use crate::fit::{FitResult, Method, Model};
use crate::prepare::{Preparation, Spectrum};
use crate::quality;
use crate::quantify::{Quantity, quantities, ratios_to_creatine};
use crate::report::{FitPlot, Overlay, TableLine};
use crate::run::RunOptions;
use crate::run::load::{Loaded, SpectrumKey, load};
use crate::run::models::{ModelStore, Prepared};

use crate::formats;

/// Arguments of `requant fit`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  requant fit scan.SDAT --basis press35.basis --plot scan.svg
  requant fit mega.nii.gz --select diff --method gannet
  requant fit data.RAW --water data.H2O --basis set.basis --f0-mhz 123.2 --dwell-s 0.00025
  requant fit scan.SDAT --sequence PRESS --overlay nulled.SDAT --plot scan.svg")]
pub(super) struct FitArgs {
    /// Spectrum to fit
    file: PathBuf,
    /// Water reference [default: paired by name, as `requant run` does]
    #[arg(long, value_name = "FILE")]
    water: Option<PathBuf>,
    /// Basis set [default: simulated from the file's header]
    #[arg(long, value_name = "PATH")]
    basis: Option<PathBuf>,
    /// Method: a name of `requant methods` or a .toml file
    #[arg(long, value_name = "NAME|FILE", default_value = "map")]
    method: String,
    /// Draw data, fit, residual, baseline and every component
    #[arg(long, value_name = "FILE.svg")]
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
    let method = method(&args.method)?;
    let one = read(&args.file, args.water.as_ref(), args.select.as_deref(), &gaps, &preparation)?;
    let (name, spectrum) = (&one.name, &one.spectrum);
    let prepared = model(args, method, &one, (&gaps, &preparation))?;
    let (model, proton) = (prepared.model.as_ref(), prepared.signal_per_proton);
    for remark in &one.loaded.header_of(&one.key).remarks {
        say!("note: {remark}");
    }
    let mut fit = model.fitter()(&spectrum.fid);
    if fit.amplitudes.is_empty() {
        return Err(CliError::new(
            1,
            anyhow::anyhow!("{}: the fit ended as {}", args.file.display(), fit.state.as_str()),
        ));
    }
    if let Some(companion) = model.companion().and_then(|name| one.loaded.companion(&one.key, name)) {
        model.complete(&mut fit, &spectrum.fid, &companion.fid);
    }
    let inputs = one.loaded.header_of(&one.key).quantify_inputs(&one.key, spectrum);
    let (quantities, lacking) = quantities(&fit, &inputs, proton, &constants);
    print_fit(&prepared, spectrum, &fit, (&quantities, &lacking.flags));
    let curves = model.curves(&spectrum.fid, &fit);
    let overlay = match &args.overlay {
        Some(file) => {
            Some(overlay(file, args.select.as_deref(), &gaps, &preparation, (model, spectrum), &fit, &curves)?)
        }
        None => None,
    };
    if let Some(overlay) = &overlay {
        say!("\n{}", overlay.summary());
    }
    if let Some(path) = &args.plot {
        args.reads(&one.found).write(path, picture(name, model, &fit, curves, overlay)?)?;
        say!("\n{}", path.display());
    }
    Ok(0)
}

impl FitArgs {
    /// What the fit of `found` reads.
    fn reads<'a>(&'a self, found: &'a Found) -> Reads<'a> {
        Reads::of([self.file.as_path(), Path::new(&self.method)])
            .and(found.water.files().first())
            .and(self.basis.as_ref())
            .and(self.overlay.as_ref())
            .and(self.config.as_ref())
    }
}

/// The model of `one`, made as a run makes it.
fn model(
    args: &FitArgs,
    method: Method,
    one: &One,
    (gaps, preparation): (&Facts, &Preparation),
) -> Result<Prepared, CliError> {
    let mut options = RunOptions::new(vec![args.file.clone()], vec![method], PathBuf::new())?;
    options.basis.clone_from(&args.basis);
    options.gaps = gaps.clone();
    options.preparation = preparation.clone();
    let store = ModelStore::new(&options)?;
    let prepared = store.model(&one.found, one.loaded.header_of(&one.key), &one.key, &one.spectrum, 0);
    let prepared = prepared.map_err(|failure| CliError::new(1, anyhow::anyhow!(failure.message)))?;
    if args.basis.is_none() {
        say!("note: basis set {}", prepared.basis_id);
    }
    for warning in &prepared.warnings {
        say!("note: {warning}");
    }
    Ok(prepared)
}

/// One spectrum of a file, read and prepared.
struct One {
    name: String,
    found: Found,
    key: SpectrumKey,
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
    Ok(One { name: key.id_in(&found.id), found, key, spectrum, loaded })
}

/// The spectrum in `file` as the fit sees it, over the fitted macromolecules.
fn overlay(
    file: &Path,
    select: Option<&str>,
    gaps: &Facts,
    preparation: &Preparation,
    (model, fitted): (&Model, &Spectrum),
    fit: &FitResult,
    curves: &Curves,
) -> Result<Overlay, CliError> {
    /// Dwell times and frequencies of two scans of one session differ by rounding and the prescan only.
    const SAME: f64 = 1e-3;
    let One { name, spectrum: mut other, .. } = read(file, None, select, gaps, preparation)?;
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
    Overlay::new(label, &kinds, curves, &spectrum).map_err(|e| CliError::new(1, e))
}

/// The file as a run finds it, with the water reference that is named, or else paired.
pub(super) fn found(file: &Path, water: Option<&PathBuf>) -> Result<Found, CliError> {
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

pub(super) type Entry = (SpectrumKey, Result<Spectrum, crate::run::load::Failure>);

pub(super) fn choose(spectra: Vec<Entry>, select: Option<&str>) -> Result<(SpectrumKey, Spectrum), CliError> {
    let names: Vec<String> = spectra.iter().map(|(k, _)| k.suffix().trim_start_matches('#').to_owned()).collect();
    let chosen = match select {
        Some(name) => names.iter().position(|n| n == name),
        None => (spectra.len() == 1).then_some(0),
    };
    let shown = if names.len() > 12 { format!("{}, …", names[..12].join(", ")) } else { names.join(", ") };
    let (key, result) = chosen
        .and_then(|i| spectra.into_iter().nth(i))
        .ok_or_else(|| CliError::new(2, anyhow::anyhow!("the file holds several spectra: --select one of {shown}")))?;
    let spectrum = result.map_err(|f| anyhow::anyhow!(f.message))?;
    Ok((key, spectrum))
}

fn print_fit(
    prepared: &Prepared,
    spectrum: &Spectrum,
    fit: &FitResult,
    (quantities, lacking): (&[Quantity], &[&'static str]),
) {
    let hz = |value: Option<f64>, digits: usize| value.map_or("–".to_owned(), |value| format!("{value:.digits$} Hz"));
    let known =
        |value: f64, digits: usize| if value.is_finite() { format!("{value:.digits$}") } else { "–".to_owned() };
    say!(
        "{} after {} iterations · SNR {} · FWHM {} · residual sd / noise sd {}",
        fit.state.as_str(),
        fit.n_iterations,
        known(fit.snr, 1),
        hz(fit.fwhm_hz, 1),
        known(fit.residual_over_noise, 2)
    );
    if let Some(why) = fit.noise_unknown {
        say!("noise unknown: {why}");
    }
    say!(
        "shift {:+.2} Hz · phase {:.1}° {:+.2}°/ppm · Lorentz {} · Gauss {} · baseline ED {:.1}",
        fit.shift_hz,
        fit.phi0_deg,
        fit.phi1_deg_per_ppm,
        hz(fit.lorentz_hz, 2),
        hz(fit.gauss_hz, 2),
        fit.baseline_ed
    );
    let mut flags = spectrum.record.flags.clone();
    flags.extend(&prepared.flags);
    let model = prepared.model.as_ref();
    flags.extend(quality::flags(fit, model.limits(), spectrum.f0_mhz, model.basis_linewidth_hz()));
    flags.extend(lacking);
    if !flags.is_empty() {
        say!("flags: {}", flags.join(" · "));
    }
    say!("\n{:14} {:>12} {:>8} {:>9} {:>9} {:>12}", "", "amplitude", "sd %", "/tCr", "± sd", "mmol/kg");
    for (a, quantity) in fit.amplitudes.iter().zip(quantities) {
        let percent = if a.value > 0.0 { format!("{:.1}", 100.0 * a.sd_posterior / a.value) } else { "–".into() };
        let (value, sd) = quantity
            .ratio_tcr
            .map_or(("–".into(), "–".into()), |r| (format!("{:.3}", r.value), format!("{:.3}", r.sd)));
        let concentration = quantity.concentration.lcmodel.map_or("–".to_owned(), |c| format!("{:.3}", c.value));
        say!("{:14} {:>12.4e} {percent:>8} {value:>9} {sd:>9} {concentration:>12}", a.name, a.value);
    }
}

/// Ratios to creatine for the picture's margin.
fn table_lines(fit: &FitResult) -> Vec<TableLine> {
    fit.amplitudes
        .iter()
        .zip(ratios_to_creatine(fit))
        .filter_map(|(a, ratio)| {
            let sd_percent = (a.value > 0.0).then(|| 100.0 * a.sd_posterior / a.value);
            Some(TableLine { name: a.name.clone(), value: Some(ratio?.value), sd_percent })
        })
        .collect()
}

fn picture(
    title: &str,
    model: &Model,
    fit: &FitResult,
    curves: Curves,
    overlay: Option<Overlay>,
) -> Result<String, CliError> {
    let plot = FitPlot {
        title: title.to_owned(),
        ppm: curves.ppm,
        data: curves.data,
        fit: curves.fit,
        baseline: curves.baseline,
        components: model.component_names().into_iter().zip(curves.components).collect(),
        table: table_lines(fit),
        table_unit: "/tCr".to_owned(),
        noise_sd: Some(fit.noise_sd).filter(|sd| sd.is_finite()),
        overlay,
    };
    Ok(plot.render_svg()?)
}
