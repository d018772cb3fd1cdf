//! What the frames of a sequence are: transients of one measurement, or of several conditions.

use super::error::DecodeError;
use super::header::{Frames, Header, NAME};
use super::isthmus;
use super::stored::{Frame, Stored};
use crate::acquisition::{self, Acquisition, Editing, Reference};
use crate::formats::loops::{self, GE, Row, row_of};

/// Chemical shift at which the offsets of editing pulses are counted from (ppm; Gannet's reader of the same header).
const PULSES_FROM_PPM: f64 = 4.68;
/// What editing pulses are set on (ppm): GABA, glutathione, lactate, aspartate.
const TARGETS_PPM: [f64; 4] = [1.9, 4.56, 4.1, 2.67];
/// How near to its target a pulse is set (ppm).
const NEAR_PPM: f64 = 0.15;
/// Microseconds of the first part's echo time in the protocol of HBCD (its reference page; spec2nii's reader has the same).
const TE_PRESS_US: f64 = 35e3;

/// The counter of echoes.
const ECHO: &str = "echo";

/// The measurement that the frames are, with its water reference and without facts.
pub(super) fn arranged(
    header: &Header<'_>,
    frames: &Frames,
    stored: &Stored,
    f0_mhz: Option<f64>,
) -> Result<Acquisition, DecodeError> {
    let sequence = header.sequence().unwrap_or_default();
    let name = sequence.rsplit('/').next().unwrap_or_default();
    let pulses_ppm = header.pulses_hz().zip(f0_mhz).map(|(hz, f0)| hz.map(|hz| PULSES_FROM_PPM + hz / f0));
    let field = |name: &str| match name {
        "echoes" => Some(frames.echoes as f64),
        "waveform" => header.waveform(),
        "pulse1" => pulses_ppm.map(|ppm| ppm[0]),
        "pulse2" => pulses_ppm.map(|ppm| ppm[1]),
        "te_press" => Some(TE_PRESS_US),
        _ => None,
    };
    let row = row_of(&GE, "", name, field);
    if let Some(row) = row.filter(|row| row.parts.is_some()) {
        return isthmus::split(stored, frames, row, field);
    }
    if frames.reference == frames.total {
        return Err(DecodeError::NoFrames { reference: frames.reference });
    }
    let conditions = row.and_then(|row| row.conditions.as_ref());
    if frames.echoes > 1 && conditions.is_none() {
        return Err(DecodeError::Echoes { echoes: frames.echoes });
    }
    Ok(of_conditions(frames, stored, row, conditions, field))
}

/// Frames of the echoes in the order in which they are measured.
fn in_turn(frames: std::ops::Range<usize>, echoes: usize) -> Vec<Frame> {
    frames.flat_map(|frame| (0..echoes).map(move |echo| (echo, frame))).collect()
}

fn of_conditions(
    frames: &Frames,
    stored: &Stored,
    row: Option<&Row>,
    conditions: Option<&loops::Conditions>,
    field: impl Fn(&str) -> Option<f64>,
) -> Acquisition {
    let &Frames { echoes, total, reference, .. } = frames;
    let all = in_turn(reference..total, echoes);
    let water = in_turn(0..reference, echoes);
    let is_apart = conditions.is_some_and(|c| c.along.iter().any(|along| along == ECHO) && c.number == Some(echoes));
    let places = if is_apart {
        (0..echoes).map(|echo| (reference..total).map(|frame| (echo, frame)).collect()).collect()
    } else {
        vec![all.clone()]
    };
    // Other sequences' frames are as they always were: alignment finds their signs.
    let alternating = conditions.is_some() && stored.alternate(if water.len() > echoes { &water } else { &all });
    let mut data = Acquisition::from_samples(NAME, stored.samples(places, alternating));
    if alternating {
        data.remarks.push("every other frame has the opposite sign: it was turned over".to_owned());
    }
    if reference > 0 {
        let of = if echoes > 1 { format!(" of {echoes} echoes") } else { String::new() };
        data.water =
            Some(Reference::new(stored.samples(vec![water], alternating), format!("frames 1 to {reference}{of}")));
    }
    let Some(conditions) = conditions else { return data };
    let pulses_ppm = conditions.pulses_ppm(field);
    if is_apart {
        data.condition_labels = labels(&conditions.labels, &pulses_ppm, &mut data.remarks);
    } else if let Some(row) = row {
        data.remarks.push(format!("{}: in which order the header does not say", row.name));
    }
    let conditions = match is_apart {
        true => acquisition::Conditions::Apart,
        false => acquisition::Conditions::Mixed(conditions.number),
    };
    data.editing = Some(Editing { pulses_ppm, conditions, ..Editing::default() });
    data
}

/// What the conditions of two echoes are called: by their pulses, else as the sequence has them.
fn labels(usual: &[String], pulses_ppm: &[Vec<f64>], remarks: &mut Vec<String>) -> Vec<String> {
    let is_on =
        |pulses: &Vec<f64>| pulses.iter().any(|ppm| TARGETS_PPM.iter().any(|target| (ppm - target).abs() <= NEAR_PPM));
    if let [first, second] = pulses_ppm
        && is_on(first) != is_on(second)
    {
        return if is_on(first) { usual.to_vec() } else { usual.iter().rev().cloned().collect() };
    }
    remarks.push(format!(
        "the editing pulses in the header do not tell which echo is which: taken as {}",
        usual.join(", ")
    ));
    usual.to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulses_name_the_echoes() {
        let usual = ["on".to_owned(), "off".to_owned()];
        let of = |pulses: &[Vec<f64>]| {
            let mut remarks = Vec::new();
            (labels(&usual, pulses, &mut remarks).join(" "), remarks.len())
        };
        assert_eq!(of(&[vec![1.94], vec![7.49]]), ("on off".to_owned(), 0));
        assert_eq!(of(&[vec![7.5], vec![1.9]]), ("off on".to_owned(), 0));
        assert_eq!(of(&[vec![1.5], vec![1.9]]), ("off on".to_owned(), 0));
        assert_eq!(of(&[vec![4.56], vec![10.0]]), ("on off".to_owned(), 0));
        assert_eq!(of(&[]), ("on off".to_owned(), 1));
        assert_eq!(of(&[vec![1.9], vec![4.56]]), ("on off".to_owned(), 1));
    }

    #[test]
    fn sequences_by_name_and_header() {
        let of = |name: &str, echoes: f64, waveform: f64| {
            let field = |field: &str| match field {
                "echoes" => Some(echoes),
                "waveform" => Some(waveform),
                _ => None,
            };
            let row = row_of(&GE, "", name, field)?;
            Some((row.conditions.as_ref().map(|c| (c.number, !c.along.is_empty())), row.parts.is_some()))
        };
        for (name, echoes, waveform, expected) in [
            ("PROBE-P", 1.0, 0.0, (None, false)),
            ("PROBE-P", 2.0, 0.0, (None, false)),
            ("probe-p_ach", 1.0, 2.0, (None, false)),
            ("gaba", 1.0, 2.0, (Some((Some(2), false)), false)),
            ("gaba", 2.0, 2.0, (Some((Some(2), true)), false)),
            ("gaba", 4.0, 2.0, (Some((Some(4), false)), false)),
            ("gaba_2023", 2.0, 19.0, (Some((Some(4), false)), false)),
            ("my_gaba", 2.0, 0.0, (Some((Some(2), true)), false)),
            ("probe-p-mega_rml", 1.0, 1.0, (Some((Some(2), false)), false)),
            ("jpress_ac", 2.0, 1.0, (Some((Some(2), true)), false)),
            ("jpress", 1.0, 0.0, (None, false)),
            ("oslaser", 1.0, 0.0, (None, false)),
            ("oslaser", 2.0, 5.0, (Some((Some(2), true)), false)),
            ("hbcd", 2.0, 19.0, (Some((Some(4), false)), false)),
            ("hermes", 1.0, 0.0, (Some((Some(4), false)), false)),
            ("HBCD2", 1.0, 0.0, (Some((Some(4), true)), true)),
        ] {
            assert_eq!(of(name, echoes, waveform), Some(expected), "{name} {echoes} {waveform}");
        }
    }
}
