//! ISTHMUS of HBCD: PRESS of a short and HERCULES of a longer echo time in one measurement, each 32 transients behind a frame
//! of water.
//!
//! Of the water frames the first, third … have the longer echo time, the others the shorter (spec2nii, `_process_hbcd`).

use super::error::DecodeError;
use super::header::{Frames, NAME};
use super::stored::{Frame, Stored};
use crate::acquisition::{Acquisition, Editing, Reference, Turns};
use crate::formats::loops::Row;

/// How much larger a water frame is at least than the frames behind it.
const WATER_TIMES: f64 = 3.0;

/// Echo time of the second part (s).
const TE_HERCULES_S: f64 = 0.08;

/// PRESS, with HERCULES as a further measurement.
pub(super) fn split(
    stored: &Stored,
    frames: &Frames,
    row: &Row,
    field: impl Fn(&str) -> Option<f64>,
) -> Result<Acquisition, DecodeError> {
    let (Some(parts), Some(rule)) = (&row.parts, &row.conditions) else {
        return Err(DecodeError::Parts { frames: frames.total });
    };
    let every = parts.water_every.max(2);
    let is_water = |frame: usize| frame.is_multiple_of(every);
    let place = |frame: usize| -> Frame { (0, frame) };
    let waters: Vec<usize> = (0..frames.total).filter(|frame| is_water(*frame)).collect();
    let is_as_known = waters.iter().all(|&frame| {
        let after = frame + 1;
        after >= frames.total || stored.size(place(frame)) > WATER_TIMES * stored.size(place(after))
    });
    // Without a whole circle of the second part it is no such measurement.
    let n_conditions = rule.number.unwrap_or(1).max(1);
    if frames.echoes > 1 || !is_as_known || frames.total < every + 1 + n_conditions {
        return Err(DecodeError::Parts { frames: frames.total });
    }
    let transients =
        |range: std::ops::Range<usize>| -> Vec<Frame> { range.filter(|frame| !is_water(*frame)).map(place).collect() };
    let water = |odd: usize| -> Vec<Frame> {
        waters.iter().filter(|frame| *frame / every % 2 == odd).map(|frame| place(*frame)).collect()
    };
    let size = |frames: &[Frame]| frames.iter().map(|f| stored.size(*f)).sum::<f64>() / frames.len().max(1) as f64;
    let (short, long) = (water(1), water(0));
    let is_reversed = size(&long) > size(&short);
    let measured = |transients: Vec<Frame>, water: Vec<Frame>| {
        let mut data = Acquisition::from_samples(NAME, stored.samples(vec![transients], false));
        let readouts =
            format!("frames {}, …", water.iter().take(3).map(|f| (f.1 + 1).to_string()).collect::<Vec<_>>().join(", "));
        data.water = Some(Reference::new(stored.samples(vec![water], false), readouts));
        data
    };
    let mut press = measured(transients(0..every), short);
    let mut hercules = measured(transients(every..frames.total), long)
        .in_conditions(Turns::in_turn(n_conditions), rule.labels.clone());
    press.editing = Some(Editing { pulses_ppm: vec![Vec::new()], ..Editing::default() });
    let turns = Some(Turns::in_turn(n_conditions));
    hercules.editing = Some(Editing { pulses_ppm: rule.pulses_ppm(&field), turns, ..Editing::default() });
    let te_s = field(&parts.te_first).map(|us| us / 1e6);
    press.facts.te_s = te_s;
    press.facts.sequence = Some("PRESS".to_owned());
    hercules.facts.te_s = Some(TE_HERCULES_S);
    hercules.facts.sequence = Some("HERCULES".to_owned());
    press.remarks.push(format!(
        "{}: echo times and the order of conditions are those of its protocol, the header has neither",
        row.name
    ));
    if is_reversed {
        let what =
            "water of the longer echo time is larger than that of the shorter: their order may be the other way round";
        press.remarks.push(what.to_owned());
    }
    press.further.push((format!("{}{:.0}", parts.names[1], 1e3 * TE_HERCULES_S), hercules));
    Ok(press)
}
