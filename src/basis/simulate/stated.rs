//! Recipes out of files: what somebody states about the sequence of a basis set, as TOML.
//!
//! ```toml
//! spin_systems = "own.toml"   # instead of the built-in ones, for the metabolites that the file has
//!
//! [sequence]
//! name = "press"        # PRESS, STEAM, sLASER, SPECIAL, spin-echo; left out: the file's own
//! vendor = "ge"         # whose pulses, where no [[pulse]] says it: GE, Philips, Siemens, generic, ideal
//! te_ms = 35.0          # what is left out the data's own header says
//! te1_ms = 14.85
//! carrier_ppm = 3.0
//!
//! [[pulse]]
//! role = "refocus"      # excite, refocus, edit
//! shape = "cosine"      # as in docs/reference/recipes.md
//! coefficients = [2.1186, 2.3163, 2.4289, 1.6256, 0.5881, 0.3505]
//! duration_ms = 5.15
//! flip_deg = 180.0
//!
//! [grid]
//! points = 20
//! fov_over_voxel = 2.0
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Sequence;
use super::preferred::PreferredSystems;
use super::pulses::files::{self, WaveformFormat};
use super::pulses::{Block, Grid, PulseSpec, Pulses, Shape, Shaped, Vendor, Waveform};

/// Times that a recipe may hold (ms).
const TIMES_MS: (f64, f64) = (0.05, 3000.0);
/// Centre of slice-selective pulses where nobody states it (ppm): between the metabolites of the brain.
const USUAL_CARRIER_PPM: f64 = 3.0;
/// Chemical shifts that pulses may be centred at (ppm).
pub(super) const CARRIERS_PPM: (f64, f64) = (-10.0, 20.0);

/// Why a recipe cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("recipe {name}: {reason}")]
pub struct RecipeFault {
    /// Name of the file, without its folder.
    pub name: String,
    /// What is wrong, with the valid range.
    pub reason: String,
}

/// A recipe: what is stated; the rest is the data's.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Stated {
    /// Name of its file.
    pub name: String,
    /// Name of the sequence.
    pub sequence: Option<String>,
    /// Whose pulses.
    pub vendor: Option<Vendor>,
    /// Echo time (s).
    pub te_s: Option<f64>,
    /// First echo of PRESS (s).
    pub te1_s: Option<f64>,
    /// Mixing time of STEAM (s).
    pub tm_s: Option<f64>,
    /// Centre of the slice-selective pulses (ppm).
    pub carrier_ppm: Option<f64>,
    /// The refocusing pulses.
    pub refocus: Option<PulseSpec>,
    /// Pulses of 90°.
    pub excite: Option<PulseSpec>,
    /// Editing pulses; where they stand the data say.
    pub edit: Option<PulseSpec>,
    /// Positions.
    pub grid: Option<Grid>,
    /// The whole sequence as a list, with the frequency that it was made for (MHz).
    pub blocks: Option<Vec<Block>>,
    /// Spectrometer frequency that the list is for (MHz).
    pub field_mhz: Option<f64>,
    /// Spin systems instead of the built-in ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spin_systems: Option<PreferredSystems>,
    /// Files that it names: of waveforms and of spin systems.
    #[serde(skip)]
    pub files: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    spin_systems: Option<String>,
    #[serde(default)]
    sequence: SequenceTable,
    #[serde(default)]
    pulse: Vec<toml::Table>,
    grid: Option<GridTable>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SequenceTable {
    name: Option<String>,
    vendor: Option<String>,
    te_ms: Option<f64>,
    te1_ms: Option<f64>,
    tm_ms: Option<f64>,
    carrier_ppm: Option<f64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct GridTable {
    points: Option<usize>,
    fov_over_voxel: Option<f64>,
    interval_ms: Option<f64>,
}

/// Gives the path and the text of a file that a recipe names.
type Open<'a> = dyn Fn(&str) -> Result<(PathBuf, String), String> + 'a;

/// What a pulse has beside its shape.
#[derive(Debug, Deserialize)]
struct PulseTable {
    role: String,
    duration_ms: f64,
    flip_deg: Option<f64>,
    peak_b1_hz: Option<f64>,
    bandwidth_hz: Option<f64>,
}

/// The keys of [`PulseTable`]; the others are the shape's.
const PULSE_KEYS: [&str; 5] = ["role", "duration_ms", "flip_deg", "peak_b1_hz", "bandwidth_hz"];

impl Stated {
    /// Parses a recipe; `open` gives the text of a file that it names.
    pub(super) fn parse(text: &str, open: &Open<'_>) -> Result<Self, String> {
        let Document { spin_systems, sequence, pulse, grid } = toml::from_str(text).map_err(|e| e.to_string())?;
        let time = |key: &str, ms: Option<f64>| within(key, ms, TIMES_MS).map(|ms| ms.map(|ms| 1e-3 * ms));
        let vendor = sequence.vendor.map(|vendor| {
            Vendor::from_name(&vendor).ok_or_else(|| format!("vendor = `{vendor}` is none of {}", Vendor::NAMES))
        });
        let mut stated = Self {
            sequence: sequence.name,
            vendor: vendor.transpose()?,
            te_s: time("te_ms", sequence.te_ms)?,
            te1_s: time("te1_ms", sequence.te1_ms)?,
            tm_s: time("tm_ms", sequence.tm_ms)?,
            carrier_ppm: within("carrier_ppm", sequence.carrier_ppm, CARRIERS_PPM)?,
            grid: grid.map(GridTable::grid).transpose()?,
            ..Self::default()
        };
        if let Some(file) = spin_systems {
            let (path, text) = open(&file)?;
            stated.files.push(path);
            stated.spin_systems = Some(PreferredSystems::parse(&file, &text).map_err(|e| format!("{file}: {e}"))?);
        }
        for (k, table) in pulse.into_iter().enumerate() {
            stated.add_pulse(table, open).map_err(|reason| format!("pulse {}: {reason}", k + 1))?;
        }
        if let (Some(te1), Some(te)) = (sequence.te1_ms, sequence.te_ms)
            && te1 >= te
        {
            return Err(format!("te1_ms = {te1} is not within te_ms = {te}"));
        }
        if stated.vendor == Some(Vendor::Ideal) && (stated.refocus.is_some() || stated.excite.is_some()) {
            return Err("vendor = `ideal` and a [[pulse]] contradict each other; leave one out".to_owned());
        }
        stated.contradiction().map_or(Ok(stated), Err)
    }

    fn add_pulse(&mut self, table: toml::Table, open: &Open<'_>) -> Result<(), String> {
        let (of_pulse, mut of_shape): (toml::Table, toml::Table) =
            table.into_iter().partition(|(key, _)| PULSE_KEYS.contains(&key.as_str()));
        let pulse: PulseTable = of_pulse.try_into().map_err(|e| in_one_line(&e))?;
        let is_file = of_shape.get("shape").and_then(toml::Value::as_str) == Some("file");
        let shape = if is_file {
            let file = of_shape.remove("file").ok_or("shape = \"file\" needs `file`")?;
            let file = file.as_str().ok_or("file must be a text: a path relative to the recipe")?;
            if let Some(key) = of_shape.keys().find(|key| *key != "shape") {
                return Err(format!("`{key}` is no key of shape = \"file\""));
            }
            let (path, text) = open(file)?;
            self.files.push(path);
            files::parse(&text, WaveformFormat::of(file)).map_err(|e| format!("{file}: {e}"))?
        } else {
            Shape::deserialize(toml::Value::Table(of_shape)).map_err(|e| in_one_line(&e))?
        };
        let spec = PulseSpec {
            shape,
            duration_s: 1e-3 * pulse.duration_ms,
            flip_deg: pulse.flip_deg,
            peak_b1_hz: pulse.peak_b1_hz,
            bandwidth_hz: pulse.bandwidth_hz,
        };
        let (place, flip_deg) = match pulse.role.as_str() {
            "refocus" => (&mut self.refocus, 180.0),
            "excite" => (&mut self.excite, 90.0),
            "edit" => (&mut self.edit, 180.0),
            other => return Err(format!("role = `{other}` is none of excite, refocus, edit")),
        };
        // What cannot be played is told before anything is read.
        let flip_deg = spec.flip_deg.or_else(|| spec.peak_b1_hz.is_none().then_some(flip_deg));
        Waveform::new(&PulseSpec { flip_deg, ..spec.clone() }).map_err(|e| e.to_string())?;
        match place.replace(spec) {
            Some(_) => Err(format!("a second pulse of role = `{}`; all of a sequence are alike", pulse.role)),
            None => Ok(()),
        }
    }

    /// `usual` with what is stated here, or why that cannot be played.
    pub(super) fn pulses(&self, usual: &Pulses, sequence: &Sequence) -> Result<Pulses, String> {
        if let Some(blocks) = &self.blocks {
            let longest = blocks.iter().max_by(|a, b| a.pulse.duration_s.total_cmp(&b.pulse.duration_s));
            let longest = longest.ok_or("it has no blocks")?;
            return Ok(Pulses::Shaped(Box::new(Shaped {
                name: format!("{} blocks ({})", blocks.len(), self.name),
                refocus: longest.pulse.clone(),
                excite: None,
                edit: None,
                carrier_ppm: blocks.first().map_or(USUAL_CARRIER_PPM, |block| block.carrier_ppm),
                grid: self.grid.unwrap_or_default(),
                blocks: Some(blocks.clone()),
            })));
        }
        let usual = match usual {
            Pulses::Shaped(shaped) => Some(shaped),
            Pulses::Ideal => None,
        };
        let stated = match sequence {
            // All pulses of a stimulated echo are of 90°.
            Sequence::Steam { .. } => &self.excite,
            _ => &self.refocus,
        };
        let Some(main) = stated.as_ref().or(usual.map(|usual| &usual.refocus)) else {
            let role = if let Sequence::Steam { .. } = sequence { "excite" } else { "refocus" };
            return Err(format!("{} needs a [[pulse]] with role = \"{role}\"", sequence.name()));
        };
        Ok(Pulses::Shaped(Box::new(Shaped {
            name: format!("{} {:.2} ms ({})", main.shape.name(), 1e3 * main.duration_s, self.name),
            refocus: main.clone(),
            excite: self.excite.clone().or_else(|| usual.and_then(|usual| usual.excite.clone())),
            edit: self.edit.clone().or_else(|| usual.and_then(|usual| usual.edit.clone())),
            carrier_ppm: self.carrier_ppm.or(usual.map(|usual| usual.carrier_ppm)).unwrap_or(USUAL_CARRIER_PPM),
            grid: self.grid.unwrap_or_default(),
            blocks: None,
        })))
    }

    /// Why it cannot be used for a spectrum of so many edit conditions.
    pub(super) fn fault_of_conditions(&self, conditions: usize) -> Option<String> {
        (self.blocks.is_some() && conditions > 0).then(|| {
            format!(
                "recipe (`{}` is the list of one condition, and the file has several: simulate each, and give --basis)",
                self.name
            )
        })
    }

    /// Whether it says anything about pulses.
    pub(super) fn states_pulses(&self) -> bool {
        self.blocks.is_some()
            || self.refocus.is_some()
            || self.excite.is_some()
            || self.edit.is_some()
            || self.carrier_ppm.is_some()
            || self.grid.is_some()
    }
}

impl GridTable {
    fn grid(self) -> Result<Grid, String> {
        let usual = Grid::default();
        let grid = Grid {
            points: self.points.unwrap_or(usual.points),
            fov_over_voxel: self.fov_over_voxel.unwrap_or(usual.fov_over_voxel),
            interval_s: self.interval_ms.map_or(usual.interval_s, |ms| 1e-3 * ms),
        };
        grid.fault().map_or(Ok(grid), Err)
    }
}

pub(super) fn within(key: &str, value: Option<f64>, (least, most): (f64, f64)) -> Result<Option<f64>, String> {
    match value {
        Some(value) if !(least..=most).contains(&value) => {
            Err(format!("{key} = {value}; {least} to {most} is possible"))
        }
        value => Ok(value),
    }
}

fn in_one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

#[cfg(test)]
#[path = "stated_tests.rs"]
mod tests;
