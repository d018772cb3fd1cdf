//! Sequences as FSL-MRS describes them for its own simulation (`fsl_mrs_sim`): JSON with a list of blocks, each a pulse, a
//! gradient and a delay (facts: FSL-MRS, docs/user_docs/seq_file_params.rst).
//!
//! Of receiver and spatial order nothing is needed: points, width and phase are the data's own. Positions are the middles of
//! equal parts of the ranges; slice gradients are taken as rephased, which is what `rephaseAreas` are for.

use std::path::PathBuf;

use serde::Deserialize;

use super::pulses::{Axis, Block, Grid, MOST_OPEN, PulseSpec, Shape, Waveform};
use super::stated::{CARRIERS_PPM, Stated, within};

/// Hz in a tesla of protons.
const PROTON_HZ_PER_T: f64 = 42.577e6;
/// Blocks of a sequence that are read.
const MOST_BLOCKS: usize = 64;
/// Samples of one pulse.
const MOST_SAMPLES: usize = 100_000;
/// Offsets of a pulse from the centre that are read (Hz), and phases (rad).
const OFFSETS_HZ: (f64, f64) = (-1e5, 1e5);
const PHASES_RAD: (f64, f64) = (-1e3, 1e3);

#[derive(Debug, Deserialize)]
struct Document {
    #[serde(rename = "sequenceName", default)]
    name: String,
    #[serde(rename = "B0")]
    b0_t: f64,
    #[serde(rename = "centralShift", default)]
    central_ppm: f64,
    x: [f64; 2],
    y: [f64; 2],
    z: [f64; 2],
    resolution: [usize; 3],
    #[serde(rename = "CoherenceFilter")]
    orders: Vec<Option<i32>>,
    #[serde(rename = "RFUnits", default = "hz")]
    rf_units: String,
    #[serde(rename = "GradUnits", default = "tesla")]
    gradient_units: String,
    #[serde(rename = "spaceUnits", default = "metre")]
    space_units: String,
    #[serde(rename = "RF")]
    blocks: Vec<Rf>,
    delays: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct Rf {
    time: f64,
    #[serde(rename = "frequencyOffset", default)]
    offset_hz: f64,
    #[serde(rename = "phaseOffset", default)]
    phase_rad: f64,
    amp: Vec<f64>,
    phase: Vec<f64>,
    grad: [f64; 3],
    #[serde(rename = "ampScale", default = "one")]
    scale: f64,
}

fn hz() -> String {
    "Hz".to_owned()
}

fn tesla() -> String {
    "T".to_owned()
}

fn metre() -> String {
    "m".to_owned()
}

fn one() -> f64 {
    1.0
}

/// What such a file states, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Stated, String> {
    let document: Document = serde_json::from_str(text).map_err(|e| e.to_string())?;
    document.check()?;
    let central_ppm = document.central_ppm;
    within("centralShift", Some(central_ppm), CARRIERS_PPM)?;
    let grid = Grid { points: document.points()?, fov_over_voxel: 1.0, ..Grid::default() };
    if let Some(fault) = grid.fault() {
        return Err(format!("resolution: {fault}"));
    }
    let blocks: Vec<Block> = document
        .blocks
        .iter()
        .zip(document.delays.iter().zip(&document.orders))
        .enumerate()
        .map(|(k, (rf, (delay_s, order)))| {
            let fault = |reason: String| format!("block {}: {reason}", k + 1);
            Ok(Block {
                pulse: document.pulse(rf).map_err(fault)?,
                carrier_ppm: central_ppm + rf.offset_hz / (document.b0_t * 1e-6 * PROTON_HZ_PER_T),
                phase_rad: rf.phase_rad,
                slice: document.slice(rf).map_err(fault)?,
                delay_s: *delay_s,
                // FSL-MRS receives the order −1.
                order: order.map(|order| -order),
            })
        })
        .collect::<Result<_, String>>()?;
    let te_s = document.blocks.iter().map(|rf| rf.time).chain(document.delays.iter().copied()).sum::<f64>()
        - 0.5 * document.blocks.first().map_or(0.0, |rf| rf.time);
    let te1_s = document.te1_s();
    Ok(Stated {
        sequence: Some(document.name).filter(|name| !name.trim().is_empty()),
        te_s: Some(te_s),
        te1_s,
        field_mhz: Some(document.b0_t * 1e-6 * PROTON_HZ_PER_T),
        grid: Some(grid),
        blocks: Some(blocks),
        files: Vec::<PathBuf>::new(),
        ..Stated::default()
    })
}

fn unit(name: &str, value: &str, known: &[(&str, f64)]) -> Result<f64, String> {
    let found = known.iter().find(|(unit, _)| *unit == value).map(|(_, factor)| *factor);
    let names: Vec<&str> = known.iter().map(|(unit, _)| *unit).collect();
    found.ok_or_else(|| format!("{name} = `{value}` is none of {}", names.join(", ")))
}

impl Document {
    fn check(&self) -> Result<(), String> {
        let n = self.blocks.len();
        if !(1..=MOST_BLOCKS).contains(&n) || self.delays.len() != n || self.orders.len() != n {
            return Err(format!(
                "{n} blocks, {} delays, {} coherence orders; there must be as many of each, 1 to {MOST_BLOCKS}",
                self.delays.len(),
                self.orders.len()
            ));
        }
        if !(0.1..=30.0).contains(&self.b0_t) {
            return Err(format!("B0 = {} T; 0.1 to 30 is possible", self.b0_t));
        }
        if let Some(delay) = self.delays.iter().find(|delay| !(0.0..=5.0).contains(*delay)) {
            return Err(format!("a delay of {delay} s; 0 to 5 is possible"));
        }
        let open = self.orders[..n - 1].iter().filter(|order| order.is_none()).count();
        if open > MOST_OPEN {
            return Err(format!("{open} blocks keep all coherence orders; {MOST_OPEN} at most are possible"));
        }
        match self.orders[n - 1] {
            None | Some(-1) => Ok(()),
            Some(other) => Err(format!("the last coherence order is {other}; -1 is received")),
        }
    }

    /// The first echo, if the list is an excitation and two refocusing pulses.
    fn te1_s(&self) -> Option<f64> {
        let ([first, second, _], [delay_s, ..]) = (&self.blocks[..], &self.delays[..]) else { return None };
        Some(first.time + 2.0 * delay_s + second.time)
    }

    /// Positions along each axis that has a gradient.
    fn points(&self) -> Result<usize, String> {
        let has_gradient = |axis: usize| self.blocks.iter().any(|rf| rf.grad[axis] != 0.0);
        let mut points: Vec<usize> =
            (0..3).filter(|axis| has_gradient(*axis)).map(|axis| self.resolution[axis]).collect();
        points.sort_unstable();
        points.dedup();
        match points[..] {
            [] => Ok(1),
            [points] => Ok(points),
            _ => Err(format!("resolution {points:?}; axes with gradients must have as many positions each")),
        }
    }

    fn pulse(&self, rf: &Rf) -> Result<PulseSpec, String> {
        let per_t = PROTON_HZ_PER_T;
        let known = [("Hz", 1.0), ("T", per_t), ("mT", 1e-3 * per_t), ("uT", 1e-6 * per_t)];
        let factor = unit("RFUnits", &self.rf_units, &known)? * rf.scale;
        if rf.amp.len() != rf.phase.len() || rf.amp.is_empty() || rf.amp.len() > MOST_SAMPLES {
            return Err(format!(
                "{} amplitudes, {} phases; there must be as many of each, 1 to {MOST_SAMPLES}",
                rf.amp.len(),
                rf.phase.len()
            ));
        }
        within("frequencyOffset", Some(rf.offset_hz), OFFSETS_HZ)?;
        within("phaseOffset", Some(rf.phase_rad), PHASES_RAD)?;
        // A pulse of one sample is a block.
        let twice = |all: &[f64]| if all.len() == 1 { vec![all[0]; 2] } else { all.to_vec() };
        let peak = rf.amp.iter().map(|a| (a * factor).abs()).fold(0.0, f64::max);
        let spec = PulseSpec {
            shape: Shape::Samples { amplitude: twice(&rf.amp), phase_rad: twice(&rf.phase), gradient: Vec::new() },
            duration_s: rf.time,
            flip_deg: None,
            peak_b1_hz: Some(peak),
            // The gradient makes the slice; of the pulse's own width nothing hangs.
            bandwidth_hz: Some(1e3),
        };
        // What cannot be played is told before anything is read.
        Waveform::new(&spec).map_err(|e| e.to_string())?;
        Ok(spec)
    }

    fn slice(&self, rf: &Rf) -> Result<Option<(Axis, f64)>, String> {
        let known = [("Hz", 1.0), ("T", PROTON_HZ_PER_T), ("mT", 1e-3 * PROTON_HZ_PER_T)];
        let gradient = unit("GradUnits", &self.gradient_units, &known)?;
        let length = unit("spaceUnits", &self.space_units, &[("mm", 1e-3), ("cm", 1e-2), ("m", 1.0)])?;
        let axes = [(Axis::First, self.x), (Axis::Second, self.y), (Axis::Third, self.z)];
        let mut along = axes.iter().zip(rf.grad).filter(|(_, strength)| *strength != 0.0);
        let Some(((axis, [from, to]), strength)) = along.next() else { return Ok(None) };
        if along.next().is_some() {
            return Err("gradients along two axes at once cannot be simulated".to_owned());
        }
        if (from + to).abs() > 1e-6 * (to - from).abs() {
            return Err(format!("range {from} to {to} is not around 0"));
        }
        Ok(Some((*axis, strength * gradient * (to - from) * length)))
    }
}
