//! Time courses: transients of one measurement that are averaged in parts (functional spectroscopy, interventions).
//!
//! Coils are combined, transients aligned and spoilt ones found over the whole measurement, once; then each part is averaged
//! and corrected by itself.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::PrepareError;
use crate::acquisition::Acquisition;

/// Which transients make a part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dynamics {
    /// Transients of each part (of edited data: of each condition); 0 where events make the parts.
    #[serde(default)]
    pub window: usize,
    /// Transients from the beginning of a part to that of the next: as many as `window` for blocks, fewer where parts
    /// overlap (a sliding window).
    #[serde(default)]
    pub step: usize,
    /// Events: all transients of one kind of events are a part.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

/// Something that lasts from `onset_s`, counted from the first transient, for `duration_s` (BIDS: a line of `events.tsv`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Beginning (s).
    pub onset_s: f64,
    /// How long it lasts (s).
    pub duration_s: f64,
    /// Its kind (BIDS: `trial_type`).
    pub condition: String,
}

/// One part of a measurement.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Its number, from 0.
    pub index: usize,
    /// Its transients, by their number in each condition.
    pub transients: Vec<usize>,
    /// Beginning of the first and end of the last of them (s); `None` where the repetition time is not known.
    pub span_s: Option<[f64; 2]>,
    /// Kind of the events.
    pub condition: Option<String>,
}

impl FromStr for Dynamics {
    type Err = String;

    /// From `16` (blocks) or `16/4` (a window of 16 that slides by 4).
    fn from_str(text: &str) -> Result<Self, String> {
        let (window, step) = text.split_once('/').unwrap_or((text, text));
        let number = |text: &str| text.trim().parse::<usize>().ok().filter(|n| *n > 0);
        let both = number(window).zip(number(step));
        let (window, step) = both.ok_or_else(|| {
            format!("`{text}` is neither a number of transients (16), nor a window with its step (16/4), nor a file of events (.tsv)")
        })?;
        Ok(Self { window, step, events: Vec::new() })
    }
}

impl Dynamics {
    /// From a table of events by BIDS (specification 1.10, "Task events"): columns `onset`, `duration` (s) and `trial_type`.
    ///
    /// # Errors
    /// A sentence that says which line is wrong.
    pub fn from_events_tsv(text: &str) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').trim(csv::Trim::All).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|e| e.to_string())?.clone();
        let column = |name: &str| {
            let at = header.iter().position(|title| title.trim_start_matches('\u{feff}') == name);
            at.ok_or_else(|| {
                format!("there is no column `{name}`; events have the columns onset, duration and trial_type")
            })
        };
        let (onset, duration, kind) = (column("onset")?, column("duration")?, column("trial_type")?);
        let mut events = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|e| e.to_string())?;
            let line = record.position().map_or(0, csv::Position::line);
            let number = |at: usize| record.get(at)?.parse::<f64>().ok().filter(|v| v.is_finite());
            let wrong = || format!("line {line}: onset and duration must be numbers of seconds, the duration above 0");
            let (onset_s, duration_s) = number(onset).zip(number(duration)).ok_or_else(wrong)?;
            if duration_s <= 0.0 {
                return Err(wrong());
            }
            let condition = record.get(kind).filter(|text| !text.is_empty() && *text != "n/a");
            let condition = condition.ok_or_else(|| format!("line {line}: trial_type is empty"))?;
            events.push(Event { onset_s, duration_s, condition: crate::printable::printable(condition, 80) });
        }
        if events.is_empty() {
            return Err("there is no event".to_owned());
        }
        Ok(Self { window: 0, step: 0, events })
    }

    /// No measurement of so many transients has more parts.
    pub fn most_parts(&self, n_transients: usize) -> usize {
        if self.events.is_empty() { n_transients / self.step.max(1) + 1 } else { self.events.len() }
    }

    /// The parts of a measurement.
    ///
    /// # Errors
    /// [`PrepareError::Unknown`] where events need the repetition time, [`PrepareError::NoPart`] where no transient is in
    /// any part.
    pub fn parts(&self, data: &Acquisition) -> Result<Vec<Part>, PrepareError> {
        let n = data.n_transients();
        let repetition_s = data.facts.tr_s.map(|tr| tr * data.facts.averages_on_scanner.unwrap_or(1).max(1) as f64);
        let turns = data.editing.as_ref().and_then(|editing| editing.turns);
        // Conditions whose order is not known are measured in turn.
        let place = |t: usize| turns.map_or(t * data.n_conditions(), |turns| turns.place(0, t));
        let start_s = |t: usize| repetition_s.map(|s| s * place(t) as f64);
        let lasts_s = repetition_s.map(|s| s * data.n_conditions() as f64);
        let span_s = |own: &[usize]| {
            let (first, last) = own.first().zip(own.last())?;
            Some([start_s(*first)?, start_s(*last)? + lasts_s?])
        };
        let part = |index: usize, transients: Vec<usize>, condition: Option<String>| Part {
            index,
            span_s: span_s(&transients),
            transients,
            condition,
        };
        let parts: Vec<Part> = if self.events.is_empty() {
            let (window, step) = (self.window.max(1), self.step.max(1));
            let starts = (0..n).step_by(step).filter(|start| start + window <= n);
            starts.enumerate().map(|(index, start)| part(index, (start..start + window).collect(), None)).collect()
        } else {
            let repetition_s = repetition_s.ok_or(PrepareError::Unknown { field: "repetition time", flag: "tr-s" })?;
            let mut kinds: Vec<&str> = Vec::new();
            for event in &self.events {
                if !kinds.contains(&event.condition.as_str()) {
                    kinds.push(&event.condition);
                }
            }
            let is_in = |t: usize, kind: &str| {
                let middle = repetition_s * (place(t) as f64 + 0.5 * data.n_conditions() as f64);
                let own = self.events.iter().filter(|event| event.condition == kind);
                own.into_iter().any(|e| (e.onset_s..e.onset_s + e.duration_s).contains(&middle))
            };
            let own = |kind: &str| (0..n).filter(|t| is_in(*t, kind)).collect::<Vec<_>>();
            let all = kinds.iter().enumerate().map(|(i, kind)| part(i, own(kind), Some((*kind).to_owned())));
            all.filter(|part| !part.transients.is_empty()).collect()
        };
        if parts.is_empty() { Err(PrepareError::NoPart { n_transients: n }) } else { Ok(parts) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;

    use super::*;

    fn data(n_conditions: usize, n: usize, tr_s: Option<f64>) -> Acquisition {
        let mut data = Acquisition::from_samples("", Array5::default((1, n_conditions, n, 1, 8)));
        data.facts.tr_s = tr_s;
        data
    }

    #[test]
    fn blocks_and_sliding_windows() {
        let blocks: Dynamics = "16".parse().unwrap();
        let parts = blocks.parts(&data(1, 40, Some(2.0))).unwrap();
        let spans: Vec<_> = parts.iter().map(|p| (p.index, p.transients[0], p.span_s.unwrap())).collect();
        // What is left over makes no part.
        assert_eq!(spans, [(0, 0, [0.0, 32.0]), (1, 16, [32.0, 64.0])]);
        let sliding: Dynamics = "16/4".parse().unwrap();
        let starts: Vec<usize> = sliding.parts(&data(2, 28, None)).unwrap().iter().map(|p| p.transients[0]).collect();
        assert_eq!(starts, [0, 4, 8, 12]);
        assert_eq!(sliding.parts(&data(2, 16, Some(2.0))).unwrap()[0].span_s, Some([0.0, 64.0]));
        assert_eq!(blocks.parts(&data(1, 8, None)).unwrap_err(), PrepareError::NoPart { n_transients: 8 });
        for wrong in ["0", "16/0", "x", "-4", "4/4/4", ""] {
            assert!(wrong.parse::<Dynamics>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_gather_their_transients() {
        let text = "onset\tduration\ttrial_type\n0\t10\trest\n10\t10\tflicker\n20\t10\trest\n";
        let dynamics = Dynamics::from_events_tsv(text).unwrap();
        let parts = dynamics.parts(&data(1, 15, Some(2.0))).unwrap();
        let named: Vec<_> = parts.iter().map(|p| (p.condition.clone().unwrap(), p.transients.clone())).collect();
        let rest: Vec<usize> = (0..5).chain(10..15).collect();
        assert_eq!(named, [("rest".to_owned(), rest), ("flicker".to_owned(), (5..10).collect())]);
        let unknown = dynamics.parts(&data(1, 15, None)).unwrap_err();
        assert_eq!(unknown.code(), "missing_field");
        for (text, says) in [
            ("onset\tduration\n0\t1\n", "no column `trial_type`"),
            ("onset\tduration\ttrial_type\n0\tx\ta\n", "line 2"),
            ("onset\tduration\ttrial_type\n0\t1\tn/a\n", "line 2: trial_type is empty"),
            ("onset\tduration\ttrial_type\n", "no event"),
        ] {
            assert!(Dynamics::from_events_tsv(text).unwrap_err().contains(says), "{text}");
        }
    }
}
