//! Arguments and small helpers that several commands have.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::engine::EngineArgs;
use super::error::CliError;
use super::inputs::must_exist;
use super::names;
use super::numbers;
use super::vary::parse as parse_variation;
use crate::acquisition::Facts;
use crate::basis::simulate::Stated;
use crate::corpus::PathLabels;
use crate::fit::Method;
use crate::fit::vary::{self, VaryError};
use crate::prepare::Preparation;
use crate::prepare::dynamics::Dynamics;
use crate::quality::gates::Gates;
use crate::quantify::WaterScaling;
use crate::regular_file;
use crate::run::config::method_from_file;
use crate::run::{Config, CurvesKept, RunOptions, TissueOptions};
use crate::store::IfExists;
use crate::store::provenance::VariedMethod;

/// Largest recipe or file of spin systems that is read (bytes): those that are shipped have some kilobytes.
pub(super) const MAX_TEXT_BYTES: u64 = 16 << 20;

/// Values for files that do not state them.
#[derive(Args, Debug, Clone)]
#[command(next_help_heading = "Values for files that do not state them")]
pub(super) struct GapArgs {
    /// Sequence: PRESS, STEAM, sLASER, SPECIAL, spin-echo
    #[arg(long, value_name = "NAME", value_parser = names::sequence)]
    sequence: Option<String>,
    /// Spectrometer frequency (MHz)
    #[arg(long, value_name = "MHZ", value_parser = numbers::f0_mhz)]
    f0_mhz: Option<f64>,
    /// Dwell time (s)
    #[arg(long, value_name = "S", value_parser = numbers::dwell_s)]
    dwell_s: Option<f64>,
    /// Echo time (s)
    #[arg(long, value_name = "S", value_parser = numbers::te_s)]
    te_s: Option<f64>,
    /// Repetition time (s)
    #[arg(long, value_name = "S", value_parser = numbers::tr_s)]
    tr_s: Option<f64>,
    /// Pulses of simulated basis sets: ideal, generic, or GE, Philips, Siemens [default: the vendor's in the header]
    #[arg(long, value_name = "NAME", value_parser = names::pulses)]
    pulses: Option<String>,
    /// First echo time of PRESS (s), to simulate its basis set [default: the vendor's usual one]
    #[arg(long, value_name = "S", value_parser = numbers::te1_s)]
    te1_s: Option<f64>,
    /// Mixing time of STEAM (s), to simulate its basis set
    #[arg(long, value_name = "S", value_parser = numbers::tm_s)]
    tm_s: Option<f64>,
}

impl GapArgs {
    pub(super) fn gaps(&self) -> Facts {
        Facts {
            sequence: self.sequence.clone(),
            pulses: self.pulses.clone(),
            f0_mhz: self.f0_mhz,
            dwell_s: self.dwell_s,
            te_s: self.te_s,
            tr_s: self.tr_s,
            te1_s: self.te1_s,
            tm_s: self.tm_s,
            ..Facts::default()
        }
    }
}

/// What is to be fitted, and how.
#[derive(Args, Debug)]
pub(super) struct JobArgs {
    /// Files, folders (searched), BIDS datasets or manifests
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// Labels out of paths relative to INPUT, with {site}, {subject}, {session}, {voi}, `*` for anything within one part
    /// and `**` at the end for all that follows: '{site}/{subject}_{session}/*'. A manifest goes before it
    #[arg(long, value_name = "PATTERN", help_heading = "Input")]
    site_from: Option<PathLabels>,
    #[command(flatten)]
    pub(super) how: HowArgs,
}

impl JobArgs {
    /// What it reads.
    pub(super) fn inputs(&self) -> &[PathBuf] {
        &self.input
    }

    /// The options of a run to `out`.
    pub(super) fn options(&self, out: PathBuf, if_exists: IfExists) -> Result<RunOptions, CliError> {
        let options = self.how.options(self.input.clone(), out, if_exists)?;
        Ok(RunOptions { site_from: self.site_from.clone(), ..options })
    }
}

/// Which curves are kept.
#[derive(Args, Debug, Clone, Copy)]
pub(super) struct CurveArgs {
    /// Keep data, fit, baseline and components of every spectrum in single precision [default: as whole steps, which
    /// pages and pictures of fits take; 14 to 19 kB a spectrum]
    #[arg(long, conflicts_with = "no_curves", help_heading = "Output")]
    curves: bool,
    /// Keep no curves: no fit can be looked at without the raw data
    #[arg(long, help_heading = "Output")]
    no_curves: bool,
}

impl CurveArgs {
    pub(super) fn kept(self) -> CurvesKept {
        match (self.curves, self.no_curves) {
            (true, _) => CurvesKept::Full,
            (_, true) => CurvesKept::None,
            _ => CurvesKept::Steps,
        }
    }
}

/// How spectra are fitted, and with what.
#[derive(Args, Debug)]
#[command(next_help_heading = "Fit")]
pub(super) struct HowArgs {
    /// Basis set: LCModel .BASIS, or a folder of .RAW, FSL-MRS JSON or NIfTI-MRS files [default: simulated from
    /// each file's header]
    #[arg(long, value_name = "PATH")]
    basis: Option<PathBuf>,
    /// Recipe of the basis sets that are simulated (.toml: sequence, times and pulses; .json: FSL-MRS's); a manifest's column
    /// `recipe` goes before it
    #[arg(long, value_name = "FILE", conflicts_with = "basis")]
    recipe: Option<PathBuf>,
    /// Method: a name of `requant methods` or a .toml file; several --method give each spectrum several rows
    #[arg(long, value_name = "NAME|FILE", default_value = "map")]
    method: Vec<String>,
    /// Vary a setting of every method; KEY is its path in the method's file, values are TOML. Several --vary give
    /// all combinations
    #[arg(long, value_name = "KEY=V1,V2,…")]
    vary: Vec<String>,
    #[command(flatten)]
    pub(super) engine: EngineArgs,
    /// Worker threads [default: one per core]
    #[arg(long, aliases = ["n-cpus", "n_cpus", "nprocs", "n-procs", "n_procs"], value_name = "N", value_parser = numbers::threads, help_heading = "Engine")]
    threads: Option<usize>,
    /// Limit of memory, held to a tenth: it sets how many files, or voxels of a grid, are done together. What does not fit
    /// becomes a row that says so
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = numbers::bytes, help_heading = "Engine")]
    memory: u64,
    /// Configuration (.toml): missing values, preparation, water scaling
    #[arg(long, value_name = "FILE", help_heading = "Fit")]
    config: Option<PathBuf>,
    /// Time courses: average blocks of N transients, a window of N that slides by STEP, or what was measured during each
    /// kind of events (BIDS events: onset, duration, trial_type). One row for each part [default: one average]
    #[arg(long, value_name = "N|N/STEP|EVENTS.tsv", help_heading = "Fit")]
    dynamics: Option<String>,
    #[command(flatten)]
    gaps: GapArgs,
}

impl HowArgs {
    /// The options of a run over `inputs` to `out`.
    pub(super) fn options(
        &self,
        inputs: Vec<PathBuf>,
        out: PathBuf,
        if_exists: IfExists,
    ) -> Result<RunOptions, CliError> {
        let (gaps, preparation, water_scaling) = configuration(self.config.as_ref(), self.gaps.gaps())?;
        let preparation = self.with_dynamics(preparation)?;
        let (methods, varied) = varied_methods(&self.method, &self.vary)?;
        must_exist("--basis", &self.basis)?;
        must_exist("--recipe", &self.recipe)?;
        if let (Some(name), None, None) = (&self.gaps.sequence, &self.basis, &self.recipe) {
            names::check_simulated(name, &inputs, &methods)?;
        }
        Ok(RunOptions {
            inputs,
            out,
            if_exists,
            basis: self.basis.clone(),
            recipe: self.recipe()?,
            methods,
            varied,
            learned: None,
            gaps,
            preparation,
            water_scaling,
            gates: None,
            curves: CurvesKept::None,
            transients: false,
            resume: false,
            shard: None,
            memory_bytes: self.memory,
            site_from: None,
            tissue: TissueOptions::default(),
            participants: Vec::new(),
            sessions: Vec::new(),
            filter: None,
        })
    }

    /// The recipe that is asked for.
    fn recipe(&self) -> Result<Option<Arc<Stated>>, CliError> {
        let read = self.recipe.as_ref().map(|path| Stated::read(path).map(Arc::new));
        read.transpose().map_err(|e| CliError::new(2, e))
    }

    /// The preparation, with the parts of time courses that are asked for.
    fn with_dynamics(&self, mut preparation: Preparation) -> Result<Preparation, CliError> {
        let Some(text) = &self.dynamics else { return Ok(preparation) };
        let refused = |message: String| CliError::new(2, anyhow::anyhow!("--dynamics {text}: {message}"));
        let dynamics = if text.to_lowercase().ends_with(".tsv") {
            let events = regular_file::text(Path::new(text), MAX_TEXT_BYTES).map_err(|e| refused(e.to_string()))?;
            Dynamics::from_events_tsv(&events)
        } else {
            text.parse::<Dynamics>()
        };
        match &mut preparation {
            Preparation::Steps(settings) => settings.dynamics = Some(dynamics.map_err(refused)?),
            Preparation::None => {
                return Err(refused("the configuration says prepare = \"none\"; leave one out".to_owned()));
            }
        }
        Ok(preparation)
    }

    /// The pool of the asked size.
    pub(super) fn pool(&self) -> Result<rayon::ThreadPool, CliError> {
        Ok(rayon::ThreadPoolBuilder::new().num_threads(self.threads.unwrap_or(0)).build()?)
    }
}

/// The methods of those names or files, each in all its variations, and where those come from.
pub(super) fn varied_methods(names: &[String], vary: &[String]) -> Result<(Vec<Method>, Vec<VariedMethod>), CliError> {
    let named = methods(names)?;
    if vary.is_empty() {
        return Ok((named, Vec::new()));
    }
    let refused = |error: VaryError| CliError::new(2, error);
    let variations = vary.iter().map(|v| parse_variation(v)).collect::<Result<Vec<_>, _>>();
    let variations = variations.map_err(|error| CliError::new(2, error))?;
    let mut varied = Vec::new();
    for method in &named {
        varied.extend(vary::expand(method, &variations).map_err(refused)?);
    }
    if varied.len() > vary::MAX_METHODS {
        return Err(refused(VaryError::TooMany { n: varied.len() }));
    }
    let record = varied.iter().map(VariedMethod::from).collect();
    Ok((distinct(varied.into_iter().map(|v| v.method).collect())?, record))
}

/// A configuration file's gaps, preparation and constants, the command line's gaps first.
pub(super) fn configuration(
    path: Option<&PathBuf>,
    gaps: Facts,
) -> Result<(Facts, Preparation, WaterScaling), CliError> {
    must_exist("--config", path)?;
    let config = path.map(|p| Config::read(p)).transpose().map_err(|e| CliError::new(2, e))?.unwrap_or_default();
    let constants = match config.water_scaling {
        Some(constants) => constants,
        None => WaterScaling::lcmodel()?,
    };
    Ok((gaps.or(config.gaps), config.prepare, constants))
}

/// Gates by their built-in name or from a TOML file.
pub(super) fn gates(name: &str) -> Result<Gates, CliError> {
    if let Some(built_in) = Gates::built_in(name) {
        return Ok(built_in?);
    }
    let path = Path::new(name);
    if !path.exists() {
        let known = Gates::built_in_names().collect::<Vec<_>>().join(", ");
        return Err(CliError::new(2, anyhow::anyhow!("no gates `{name}`: give {known}, or a .toml file of your own")));
    }
    let text = regular_file::text(path, MAX_TEXT_BYTES)
        .map_err(|e| CliError::new(2, anyhow::anyhow!("{name}: cannot be read: {e}")))?;
    Gates::from_toml(&text).map_err(|e| CliError::new(2, anyhow::anyhow!("{name}: {e}")))
}

/// Methods by name or file; no two of one name.
pub(super) fn methods(names: &[String]) -> Result<Vec<Method>, CliError> {
    distinct(names.iter().map(|m| method(m)).collect::<Result<Vec<_>, _>>()?)
}

fn distinct(methods: Vec<Method>) -> Result<Vec<Method>, CliError> {
    let mut names: Vec<&str> = methods.iter().map(Method::name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|w| w[0] == w[1]) {
        return Err(CliError::new(
            2,
            anyhow::anyhow!("two methods are called `{}`: rename one, rows are known by it", pair[0]),
        ));
    }
    Ok(methods)
}

/// A method by its built-in name or from a TOML file.
pub(super) fn method(name: &str) -> Result<Method, CliError> {
    if let Some(built_in) = Method::built_in(name) {
        return Ok(built_in?);
    }
    let path = PathBuf::from(name);
    // What is there and no file is told by its reader.
    if !path.exists() {
        return Err(CliError::new(
            2,
            anyhow::anyhow!(
                "no method `{name}`: the built-in ones are {}; give one of them, or a .toml file that `requant methods --toml map` started",
                Method::built_in_names().collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    method_from_file(&path).map_err(|e| CliError::new(2, e))
}
