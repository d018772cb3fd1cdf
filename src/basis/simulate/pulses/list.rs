//! Sequences as lists of pulses and delays, each with the coherence order that stays after it.

use serde::{Deserialize, Serialize};

use super::program::{Axis, Placed, Program, Step};
use super::{PulseSpec, Waveform};
use crate::acquisition::CARRIER_PPM;
use crate::basis::simulate::SimulateError;

/// Most blocks that keep all orders: each multiplies the work by twice the protons.
pub(in crate::basis::simulate) const MOST_OPEN: usize = 2;

/// A pulse and the delay after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// The pulse.
    pub pulse: PulseSpec,
    /// Where its carrier is (ppm).
    pub carrier_ppm: f64,
    /// Phase of its axis (rad).
    pub phase_rad: f64,
    /// What the gradient adds between the ends of the range that is looked at (Hz), and along which axis.
    pub slice: Option<(Axis, f64)>,
    /// From its end to the next pulse, or to the first sample (s).
    pub delay_s: f64,
    /// Order that stays after it; `None`: all.
    pub order: Option<i32>,
}

impl Program {
    /// The program of a list. The first sample is at the end of the last block, where the order 1 is received. Blocks that
    /// keep all orders edit: without editing they are delays.
    pub(in crate::basis::simulate) fn of_list(
        sequence: &'static str,
        blocks: &[Block],
        f0_mhz: f64,
        with_editing: bool,
    ) -> Result<Self, SimulateError> {
        let all_edit = blocks.iter().all(|block| block.order.is_none());
        let (mut pulses, mut steps, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for (number, block) in blocks.iter().enumerate() {
            if !with_editing && block.order.is_none() && !all_edit {
                steps.push(Step::Delay { duration_s: block.pulse.duration_s + block.delay_s });
                continue;
            }
            let waveform = Waveform::new(&block.pulse)
                .map_err(|e| SimulateError::Pulse { sequence, reason: format!("block {}: {e}", number + 1) })?;
            let (axis, slice_hz) = block.slice.map_or((None, 0.0), |(axis, hz)| (Some(axis), hz));
            let carrier_hz = (block.carrier_ppm - CARRIER_PPM) * f0_mhz;
            pulses.push(Placed { waveform, carrier_hz, phase_rad: block.phase_rad, slice_hz });
            let to = if number + 1 == blocks.len() { Some(1) } else { block.order };
            if to.is_none() {
                open.push(steps.len());
            }
            steps.push(Step::Pulse { index: pulses.len() - 1, axis, to: to.unwrap_or(0) });
            steps.push(Step::Delay { duration_s: block.delay_s });
        }
        Ok(Self { pulses, steps, open })
    }

    /// The steps once for every order of the open ones, of a group of so many protons.
    pub(super) fn pathways(&self, spins: usize) -> Vec<Vec<Step>> {
        let most = i32::try_from(spins).unwrap_or(0);
        self.open.iter().fold(vec![self.steps.clone()], |all, place| {
            let with = |steps: &Vec<Step>, order: i32| {
                let mut steps = steps.clone();
                if let Some(Step::Pulse { to, .. }) = steps.get_mut(*place) {
                    *to = order;
                }
                steps
            };
            all.iter().flat_map(|steps| (-most..=most).map(move |order| with(steps, order))).collect()
        })
    }
}
