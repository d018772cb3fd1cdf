//! What the frames of an object are: transients, conditions of editing, water references, further echo times. Only what the
//! object says of each frame counts.

use dicom_object::InMemDicomObject;

use super::error::DecodeError;
use super::protocol::Protocol;
use super::tags::*;
use super::values::{has_word, item, items, number, numbers, positive, text};
use crate::acquisition::{Conditions, Editing, Named, named_editing};

/// Echo or repetition times that differ by no more than this part are one.
const SAME_TIME: f64 = 0.005;
/// Voxels that lie no further apart than this (mm) are one.
const SAME_PLACE_MM: f64 = 0.5;
/// Frames that are listed one by one in words.
const MOST_LISTED: usize = 6;

/// What an object says of one frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Frame {
    /// Whether it measured water; `None` where the object says of no frame.
    pub(super) is_reference: Option<bool>,
    pub(super) edit: Option<Edit>,
    /// Which echo after the excitation, where that is no condition of editing.
    pub(super) echo: Option<u32>,
    pub(super) te_ms: Option<f64>,
    pub(super) tr_ms: Option<f64>,
    pub(super) position: Option<[f64; 3]>,
}

/// The condition of editing that a frame is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    On,
    Off,
    /// One of several that the object only counts.
    Counted(u32),
}

/// What an object says of its `n` frames.
pub(super) fn frames_of(object: &InMemDicomObject, protocol: Option<&Protocol<'_>>, n: usize) -> Vec<Frame> {
    let (groups, own) = (items(object, FRAME_GROUPS), items(object, PHILIPS_FRAMES));
    let mut frames = vec![Frame::default(); n];
    // Siemens' sequences for editing count conditions as echoes.
    let is_named = |name: Option<String>| name.is_some_and(|name| named_editing(&name).is_some());
    let is_edited = is_named(text(object, SEQUENCE_NAME)) || is_named(protocol.and_then(Protocol::sequence));
    if groups.len() == n {
        for (frame, group) in frames.iter_mut().zip(groups.iter()) {
            let time = |sequence, tag| item(group, sequence).and_then(|item| positive(&item, tag));
            frame.te_ms = time(ECHO_SEQUENCE, EFFECTIVE_ECHO_TIME);
            frame.tr_ms = time(TIMING_SEQUENCE, REPETITION_TIME);
            frame.position = item(group, POSITION_SEQUENCE).and_then(|item| numbers(&item, POSITION));
            let echo = counters(group).map(|(echo, _)| echo);
            (frame.edit, frame.echo) = if is_edited { (echo.map(Edit::Counted), None) } else { (None, echo) };
        }
    }
    if own.len() == n {
        for (frame, item) in frames.iter_mut().zip(own.iter()) {
            frame.is_reference = number(item, PHILIPS_REFERENCE).map(|mix| mix != 0.0);
            frame.edit = text(item, PHILIPS_EDIT).and_then(|word| edit(&word));
            frame.te_ms = frame.te_ms.or_else(|| positive(item, PHILIPS_FRAME_ECHO_TIME));
        }
    }
    if let Some(protocol) = protocol.filter(|protocol| protocol.has_references()) {
        let is_apart = averages(object).zip(protocol.number("lAverages")).is_none_or(|(own, all)| own != all);
        // The scanner adds this to the name of the series that holds the references.
        let is_named = text(object, SERIES_DESCRIPTION).is_some_and(|name| name.ends_with("_ref"));
        for (k, frame) in frames.iter_mut().enumerate() {
            let phase = groups.get(k).and_then(counters).map(|(_, phase)| phase);
            frame.is_reference = Some(is_apart && phase.map_or(is_named, |phase| phase == 1));
        }
    }
    frames
}

/// Averages of a standard object's frames.
fn averages(object: &InMemDicomObject) -> Option<f64> {
    let shared = item(object, SHARED_GROUPS)?;
    positive(&*item(&shared, AVERAGES_SEQUENCE)?, AVERAGES)
}

/// Echo and phase that Siemens' counters of a frame say.
fn counters(group: &InMemDicomObject) -> Option<(u32, u32)> {
    let own = SIEMENS_FRAME.into_iter().find_map(|tag| item(group, tag))?;
    let counters = SIEMENS_COUNTERS.into_iter().find_map(|tag| text(&own, tag))?;
    let mut numbers = counters.split('_').skip(1).map(|word| word.parse::<u32>().ok());
    Some((numbers.next()??, numbers.next()??))
}

/// Philips' word for the editing of a frame.
fn edit(word: &str) -> Option<Edit> {
    match word.to_ascii_uppercase().as_str() {
        "1" | "ON" | "Y" | "YES" => Some(Edit::On),
        "0" | "OFF" | "N" | "NO" => Some(Edit::Off),
        other => other.parse().ok().map(Edit::Counted),
    }
}

/// Whether Philips says that the scan is edited.
pub(super) fn is_said_edited(object: &InMemDicomObject) -> bool {
    text(object, PHILIPS_EDITED).is_some_and(|word| word == "Y") || has_word(object, PHILIPS_EDITED, "Y")
}

/// Frames of one echo and repetition time.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Part {
    /// Places of the frames of each condition.
    pub(super) conditions: Vec<Vec<usize>>,
    /// What the conditions are called.
    pub(super) labels: Vec<String>,
    pub(super) editing: Option<Editing>,
    pub(super) te_ms: Option<f64>,
    pub(super) tr_ms: Option<f64>,
    /// What is to be told.
    pub(super) remarks: Vec<String>,
}

/// The frames at `places`, sorted by their echo and repetition times, and by conditions where they are edited.
///
/// # Errors
/// [`DecodeError::Frames`] where they lie at different places.
pub(super) fn parts(
    frames: &[Frame],
    places: &[usize],
    is_edited: bool,
    named: Option<Named>,
) -> Result<Vec<Part>, DecodeError> {
    let positions = || places.iter().filter_map(|k| frames[*k].position);
    let is_far =
        |a: &[f64; 3], b: &[f64; 3]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() > SAME_PLACE_MM;
    if let Some(first) = positions().next()
        && positions().any(|other| is_far(&first, &other))
    {
        return Err(DecodeError::Frames { why: "lie at different places: each is a voxel of its own" });
    }
    let is_alike = |a: &Frame, b: &Frame| is_same(a.te_ms, b.te_ms) && is_same(a.tr_ms, b.tr_ms) && a.echo == b.echo;
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &place in places {
        match groups.iter().position(|group| is_alike(&frames[group[0]], &frames[place])) {
            Some(at) => groups[at].push(place),
            None if groups.len() < MOST_LISTED => groups.push(vec![place]),
            None => return Err(DecodeError::Frames { why: "have more echo or repetition times than are told apart" }),
        }
    }
    Ok(groups.into_iter().map(|places| part(frames, places, is_edited, named)).collect())
}

/// Whether two times are one, or nothing is known of one of them.
pub(super) fn is_same(a: Option<f64>, b: Option<f64>) -> bool {
    a.zip(b).is_none_or(|(a, b)| (a - b).abs() <= SAME_TIME * a.abs().max(b.abs()))
}

fn part(frames: &[Frame], places: Vec<usize>, is_edited: bool, named: Option<Named>) -> Part {
    let first = places.first().map(|k| frames[*k].clone()).unwrap_or_default();
    let one = Part { labels: vec![String::new()], te_ms: first.te_ms, tr_ms: first.tr_ms, ..Part::default() };
    // Conditions in the order in which they are measured.
    let mut values: Vec<Option<Edit>> = Vec::new();
    for place in &places {
        if !values.contains(&frames[*place].edit) {
            values.push(frames[*place].edit);
        }
    }
    let n = values.len();
    let n_named = named.and_then(|named| named.n_conditions);
    if !is_edited && named.is_none() && n < 2 {
        return Part { conditions: vec![places], ..one };
    }
    let apart = Some(Editing::default());
    if values == [Some(Edit::On)] {
        let remarks = vec!["all frames are said to have their editing pulse on".to_owned()];
        return Part { conditions: vec![places], labels: vec!["on".into()], editing: apart, remarks, ..one };
    }
    if !values.contains(&None) && [2, 4].contains(&n) && n_named.is_none_or(|named| named == n) {
        let of = |value: Option<Edit>| places.iter().copied().filter(|k| frames[*k].edit == value).collect::<Vec<_>>();
        let mut conditions: Vec<Vec<usize>> = values.iter().map(|value| of(*value)).collect();
        let least = conditions.iter().map(Vec::len).min().unwrap_or_default();
        let left_out: usize = conditions.iter().map(|c| c.len() - least).sum();
        conditions.iter_mut().for_each(|condition| condition.truncate(least));
        let remarks = (left_out > 0)
            .then(|| format!("{left_out} frames were left out: not all conditions of editing have as many"))
            .into_iter()
            .collect();
        let labels = values.iter().map(|value| label(*value)).collect();
        return Part { conditions, labels, editing: apart, remarks, ..one };
    }
    let mixed = Editing { conditions: Conditions::Mixed(n_named), ..Editing::default() };
    let remarks =
        vec!["the object is of an edited scan and does not say of each frame whether its pulse was on".to_owned()];
    Part { conditions: vec![places], editing: Some(mixed), remarks, ..one }
}

/// What a condition is called.
fn label(value: Option<Edit>) -> String {
    match value {
        Some(Edit::On) => "on".to_owned(),
        Some(Edit::Off) => "off".to_owned(),
        Some(Edit::Counted(number)) => format!("condition{number}"),
        None => String::new(),
    }
}

/// Frames in words, counted from 1.
pub(super) fn in_words(places: &[usize]) -> String {
    let is_run = places.windows(2).all(|pair| pair[1] == pair[0] + 1);
    match places {
        [] => String::new(),
        [one] => format!("frame {}", one + 1),
        [first, .., last] if is_run => format!("frames {} to {}", first + 1, last + 1),
        _ => {
            let listed: Vec<String> = places.iter().take(MOST_LISTED).map(|k| (k + 1).to_string()).collect();
            let more = if places.len() > MOST_LISTED { " …" } else { "" };
            format!("frames {}{more}", listed.join(", "))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn edited(words: &[Option<Edit>]) -> Vec<Frame> {
        words.iter().map(|edit| Frame { edit: *edit, ..Frame::default() }).collect()
    }

    fn only(frames: &[Frame], is_edited: bool, named: Option<Named>) -> Part {
        let places: Vec<usize> = (0..frames.len()).collect();
        let mut parts = parts(frames, &places, is_edited, named).unwrap();
        assert_eq!(parts.len(), 1);
        parts.remove(0)
    }

    const MEGA: Option<Named> = Some(Named { n_conditions: Some(2) });
    const HERMES: Option<Named> = Some(Named { n_conditions: Some(4) });

    #[test]
    fn conditions_are_as_the_frames_say() {
        let (on, off) = (Some(Edit::On), Some(Edit::Off));
        let turn = only(&edited(&[off, on, off, on]), true, None);
        assert_eq!((turn.conditions, turn.labels), (vec![vec![0, 2], vec![1, 3]], vec!["off".into(), "on".into()]));
        let blocks = only(&edited(&[on, on, off, off, off]), false, MEGA);
        assert_eq!(blocks.conditions, [[0, 1], [2, 3]]);
        assert_eq!((blocks.editing, blocks.remarks.len()), (Some(Editing::default()), 1));
        let four = only(&edited(&[off, on, Some(Edit::Counted(2)), Some(Edit::Counted(3))]), true, HERMES);
        assert_eq!((four.conditions.len(), four.labels[3].as_str()), (4, "condition3"));
        let plain = only(&edited(&[off, off]), false, None);
        assert_eq!((plain.conditions, plain.editing), (vec![vec![0, 1]], None));
    }

    #[test]
    fn what_the_frames_do_not_say_is_left_to_the_data() {
        let mixed = |part: Part| part.editing.map(|editing| editing.conditions);
        let (on, off) = (Some(Edit::On), Some(Edit::Off));
        assert_eq!(mixed(only(&edited(&[None, None]), true, None)), Some(Conditions::Mixed(None)));
        assert_eq!(mixed(only(&edited(&[off, off]), true, MEGA)), Some(Conditions::Mixed(Some(2))));
        assert_eq!(mixed(only(&edited(&[on, off, on, off]), true, HERMES)), Some(Conditions::Mixed(Some(4))));
        assert_eq!(mixed(only(&edited(&[on, None]), true, None)), Some(Conditions::Mixed(None)));
        assert_eq!(mixed(only(&edited(&[on, on]), true, None)), Some(Conditions::Apart));
    }

    #[test]
    fn frames_that_contradict_one_another_are_not_put_together() {
        let frame = |te_ms, x| Frame { te_ms: Some(te_ms), position: Some([x, 0.0, 0.0]), ..Frame::default() };
        let frames = [frame(30.0, 1.0), frame(144.0, 1.0), frame(30.1, 1.2), frame(144.0, 9.0)];
        let by_time = parts(&frames, &[0, 1, 2], false, None).unwrap();
        let places: Vec<_> = by_time.iter().map(|part| (part.te_ms, part.conditions.clone())).collect();
        assert_eq!(places, [(Some(30.0), vec![vec![0, 2]]), (Some(144.0), vec![vec![1]])]);
        assert_eq!(parts(&frames, &[0, 1, 2, 3], false, None).unwrap_err().code(), "unsupported");
    }

    #[test]
    fn frames_are_counted_from_one() {
        assert_eq!([&[16, 17][..], &[0], &[0, 9]].map(in_words), ["frames 17 to 18", "frame 1", "frames 1, 10"]);
        assert_eq!(in_words(&[0, 2, 4, 6, 8, 10, 12]), "frames 1, 3, 5, 7, 9, 11 …");
    }
}
