//! The pulses of a recipe while they are being chosen: a sequence's own, a vendor's, or what a recipe file states.

use super::edited::{self, Condition};
use super::error::HeaderGaps;
use super::kind::Kind;
use super::pulses::vendors::{self, Choice, Known, Source};
use super::pulses::{Grid, Program, PulseSpec, Shape, Shaped};
use super::{Pulses, Sequence, SimulateError, Stated};

/// The pulses of a recipe while they are being chosen.
pub(super) struct PlayedSequence {
    pub(super) pulses: Pulses,
    pub(super) name: String,
    pub(super) source: Source,
    pub(super) assumed: Vec<String>,
}

/// Part by which frequencies of one field differ: scanners of "3 T" have 2.89 to 3.03 T.
const SAME_FIELD: f64 = 0.06;
/// Adiabatic pulses of sLASER: GOIA-WURST(16,4) of this duration (s) with its gradient dipping to a tenth.
const GOIA_S: f64 = 4.5e-3;

fn gaps(error: SimulateError) -> HeaderGaps {
    HeaderGaps { missing: vec![error.to_string()] }
}

impl PlayedSequence {
    /// Ideal pulses, asked for or for want of others.
    pub(super) fn ideal(are_asked: bool) -> Self {
        let source = if are_asked { Source::Recipe } else { Source::Generic };
        Self { pulses: Pulses::Ideal, name: "ideal".to_owned(), source, assumed: Vec::new() }
    }

    /// PRESS with the pulses and the first echo of what is known.
    pub(super) fn press(&mut self, known: &Known, te_s: f64, f0_mhz: f64) -> Result<Sequence, HeaderGaps> {
        let choice = vendors::choose(known, te_s, f0_mhz, false).map_err(gaps)?;
        let te1_s = self.take(choice);
        Ok(Sequence::Press { te_s, te1_s, te2_s: te_s - te1_s })
    }

    fn take(&mut self, choice: Choice) -> f64 {
        if choice.te1_assumed {
            self.assumed.push(format!("te1_s = {:.5}", choice.te1_s));
        }
        (self.pulses, self.name, self.source) = (choice.pulses, choice.name, choice.source);
        choice.te1_s
    }

    /// SPECIAL with the refocusing pulse of PRESS.
    pub(super) fn special(&mut self, known: &Known, te_s: f64, f0_mhz: f64) -> Result<Sequence, HeaderGaps> {
        let (vendor, source) = vendors::whose(known, f0_mhz);
        let sequence = Sequence::Special { te_s };
        self.source = source;
        if let Some(shaped) = vendors::press(vendor, known.refocus_s).map_err(gaps)? {
            self.take_if_it_fits(shaped, &sequence, f0_mhz);
        }
        Ok(sequence)
    }

    /// sLASER with the vendor's adiabatic pulses.
    pub(super) fn semi_laser(&mut self, known: &Known, te_s: f64, f0_mhz: f64) -> Result<Sequence, HeaderGaps> {
        let sequence = Sequence::SemiLaser { te_s };
        if let Some(shaped) = self.adiabatic(known, f0_mhz)? {
            self.take_if_it_fits(shaped, &sequence, f0_mhz);
        }
        Ok(sequence)
    }

    fn adiabatic(&mut self, known: &Known, f0_mhz: f64) -> Result<Option<Shaped>, HeaderGaps> {
        let (vendor, source) = vendors::whose(&Known { refocus_s: None, ..*known }, f0_mhz);
        self.source = source;
        let Some(sweep_hz) = vendors::semi_laser_sweep_hz(vendor).map_err(gaps)? else { return Ok(None) };
        let shape = Shape::GoiaWurst { b1_order: 16.0, gradient_order: 4.0, gradient_dip: 0.9, sweep_hz };
        Ok(Some(Shaped {
            name: format!("GOIA-WURST {:.0} kHz {:.2} ms", 1e-3 * sweep_hz, 1e3 * GOIA_S),
            refocus: PulseSpec { shape, duration_s: GOIA_S, flip_deg: None, peak_b1_hz: None, bandwidth_hz: None },
            excite: None,
            edit: None,
            carrier_ppm: 3.0,
            grid: Grid::default(),
            blocks: None,
        }))
    }

    /// Edited conditions, each with its sign: the sequence's own pulses and usual editing pulses.
    pub(super) fn edited(
        &mut self,
        kind: Kind,
        conditions: &[Condition],
        known: &Known,
        (te_s, f0_mhz): (f64, f64),
    ) -> Result<Vec<(f64, Sequence)>, HeaderGaps> {
        let te1_s = if kind == Kind::MegaSemiLaser {
            if let Some(shaped) = self.adiabatic(known, f0_mhz)? {
                (self.name, self.pulses) = (shaped.name.clone(), Pulses::Shaped(Box::new(shaped)));
            }
            0.0
        } else {
            let choice = vendors::choose(known, te_s, f0_mhz, true).map_err(gaps)?;
            self.take(choice)
        };
        let of = |condition: &Condition| {
            let sequence = edited::sequence(kind, te_s, te1_s, &condition.pulses_ppm);
            sequence.map(|sequence| (condition.sign, sequence)).map_err(|missing| HeaderGaps { missing: vec![missing] })
        };
        let all = conditions.iter().map(of).collect::<Result<Vec<_>, _>>()?;
        if let Pulses::Shaped(shaped) = std::mem::take(&mut self.pulses) {
            let usual = vendors::usual_edit(te_s);
            let edit = format!("{} {:.0} ms", usual.shape.name(), 1e3 * usual.duration_s);
            self.assumed.push(format!("editing pulse: {edit}"));
            let name = format!("{}, edit {edit} at {}", shaped.name, edited::in_words(conditions));
            let shaped = Shaped { edit: Some(usual), name, ..*shaped };
            let fit = all.iter().all(|(_, sequence)| Program::new(sequence, &shaped, f0_mhz, true).is_ok());
            self.take_where(fit, shaped);
        } else {
            self.name += &format!(", edit at {}", edited::in_words(conditions));
        }
        Ok(all)
    }

    fn take_if_it_fits(&mut self, shaped: Shaped, sequence: &Sequence, f0_mhz: f64) {
        let fits = Program::new(sequence, &shaped, f0_mhz, true).is_ok();
        self.take_where(fits, shaped);
    }

    /// The pulses, or ideal ones where the echo is too short for them: the scanner's are others.
    fn take_where(&mut self, fits: bool, shaped: Shaped) {
        if fits {
            (self.name, self.pulses) = (shaped.name.clone(), Pulses::Shaped(Box::new(shaped)));
        } else {
            self.name = format!("ideal ({} does not fit)", shaped.name);
            (self.pulses, self.source) = (Pulses::Ideal, Source::Generic);
        }
    }

    /// The pulses that a recipe file states; an echo that is too short for them is told before anything is fitted.
    pub(super) fn state(&mut self, stated: &Stated, sequence: &Sequence, f0_mhz: f64) -> Result<(), String> {
        if !stated.states_pulses() {
            return Ok(());
        }
        let fault = |reason: String| format!("recipe (`{}`: {reason})", stated.name);
        if let Some(field_mhz) = stated.field_mhz
            && (f0_mhz / field_mhz - 1.0).abs() > SAME_FIELD
        {
            return Err(fault(format!("it is for {field_mhz:.1} MHz, the data have {f0_mhz:.1} MHz")));
        }
        self.pulses = stated.pulses(&self.pulses, sequence).map_err(fault)?;
        if let Pulses::Shaped(shaped) = &self.pulses {
            Program::new(sequence, shaped, f0_mhz, true).map_err(|e| fault(e.to_string()))?;
            (self.name, self.source) = (shaped.name.clone(), Source::Recipe);
        }
        if stated.edit.is_some() {
            self.assumed.retain(|assumed| !assumed.starts_with("editing pulse"));
        }
        Ok(())
    }
}
