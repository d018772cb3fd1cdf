//! What a standard object states about the protocol.

use dicom_object::{InMemDicomObject, Tag};

use super::frames::Part;
use super::tags::*;
use super::values::{item, items, positive, text};
use crate::acquisition::{Facts, flip_angle_deg, named_editing};
use crate::formats::hints::{sequence_hint, te_hint_s};

/// What Philips writes where others name the sequence.
const NO_SEQUENCES: [&str; 4] = ["PRIME", "SPECTROSCOPY", "NONE", "OTHER"];

/// The sequence by the header, or by a word in the names that a site gave.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sequence {
    pub(super) name: Option<String>,
    /// Where it comes from, if the header itself does not say.
    pub(super) remark: Option<String>,
}

impl Sequence {
    /// Whether it is a word in a name alone.
    pub(super) fn is_from_name(&self) -> Option<bool> {
        self.remark.is_some().then_some(true)
    }
}

/// Texts of a site that may name the sequence: nothing but recognised words is taken out of them.
fn names(object: &InMemDicomObject) -> Vec<String> {
    [PROTOCOL_NAME, SERIES_DESCRIPTION].into_iter().filter_map(|tag| text(object, tag)).collect()
}

/// The sequence that the names of protocol and series hint at, if they agree; editing goes before none.
fn hint(object: &InMemDicomObject) -> Option<&'static str> {
    let mut hints: Vec<&str> = names(object).iter().filter_map(|name| sequence_hint(name)).collect();
    hints.sort_by_key(|hint| (named_editing(hint).is_none(), std::cmp::Reverse(hint.len())));
    let first = *hints.first()?;
    let agree = |other: &&str| *other == first || first.ends_with(*other) || first.starts_with(*other);
    (named_editing(first).is_some() || hints.iter().all(agree)).then_some(first)
}

/// The sequence of an object.
pub(super) fn sequence(object: &InMemDicomObject) -> Sequence {
    let known = |tag: Tag| text(object, tag).filter(|name| !NO_SEQUENCES.contains(&name.as_str()));
    if let Some(name) = known(SEQUENCE_NAME) {
        return Sequence { name: Some(name), remark: None };
    }
    let localization = known(LOCALIZATION).or_else(|| known(CLASSIC_SEQUENCE_NAME));
    let hint = hint(object);
    let told = |name: &str, what: &str| Sequence {
        name: Some(name.to_owned()),
        remark: Some(format!("{what} by a word in the name of the protocol or the series: {name}")),
    };
    match (localization, hint) {
        (None, Some(hint)) => told(hint, "the sequence is known"),
        (Some(stated), Some(hint)) if named_editing(hint).is_some() && named_editing(&stated).is_none() => {
            told(&with_localization(hint, Some(&stated)), "the scan is known to be edited")
        }
        (name, _) => Sequence { name, remark: None },
    }
}

/// What an edited scan is called whose localisation is known.
pub(super) fn with_localization(editing: &str, localization: Option<&str>) -> String {
    match (editing, localization) {
        ("MEGA", Some(known @ ("PRESS" | "sLASER" | "SPECIAL"))) => format!("MEGA-{known}"),
        _ => editing.to_owned(),
    }
}

/// The flip angle (PS3.3 C.8.13.5.1 and C.8.14.5): of all frames, or of each if they agree.
fn flip(object: &InMemDicomObject) -> Option<f64> {
    let of_groups = |groups: &InMemDicomObject| positive(&*item(groups, TIMING_SEQUENCE)?, FLIP_ANGLE);
    let of_frames = || {
        let all: Vec<Option<f64>> = items(object, FRAME_GROUPS).iter().map(of_groups).collect();
        let first = (*all.first()?)?;
        all.iter().all(|other| *other == Some(first)).then_some(first)
    };
    let of_all = || of_groups(&*item(object, SHARED_GROUPS)?);
    of_all().or_else(of_frames).or_else(|| positive(object, FLIP_ANGLE)).and_then(flip_angle_deg)
}

/// What a standard object states of the frames of `part`: times of the frames, else of its groups of all frames, else of the
/// vendor's own attributes.
pub(super) fn facts(object: &InMemDicomObject, part: &Part, remarks: &mut Vec<String>) -> Facts {
    let shared = |sequence: Tag, tag: Tag| positive(&*item(&*item(object, SHARED_GROUPS)?, sequence)?, tag);
    let first = |tags: &[Tag]| tags.iter().find_map(|tag| positive(object, *tag));
    let texts = |tags: &[Tag]| tags.iter().find_map(|tag| text(object, *tag));
    let te_ms = part.te_ms.or_else(|| shared(ECHO_SEQUENCE, EFFECTIVE_ECHO_TIME));
    let te_ms = te_ms.or_else(|| first(&[ECHO_TIME, PHILIPS_ECHO_TIME]));
    let tr_ms = part.tr_ms.or_else(|| shared(TIMING_SEQUENCE, REPETITION_TIME));
    let tr_ms = tr_ms.or_else(|| first(&[REPETITION_TIME, PHILIPS_REPETITION_TIME]));
    let mut te_s = te_ms.map(|ms| ms * 1e-3);
    let mut te_from_name = None;
    if te_s.is_none() {
        let mut hints: Vec<f64> = names(object).iter().filter_map(|name| te_hint_s(name)).collect();
        hints.dedup();
        if let [hint_s] = hints[..] {
            remarks.push(format!(
                "the echo time is known by the name of the protocol or the series alone: {:.1} ms",
                hint_s * 1e3
            ));
            (te_s, te_from_name) = (Some(hint_s), Some(true));
        }
    }
    // Siemens writes NONE whether water was suppressed or not.
    let is_suppressed = text(object, SUPPRESSION).is_some_and(|s| s.contains("WATER"));
    Facts {
        dwell_s: first(&[SPECTRAL_WIDTH, PHILIPS_WIDTH]).map(|width| 1.0 / width),
        f0_mhz: first(&[TRANSMITTER_FREQUENCY, IMAGING_FREQUENCY, PHILIPS_FREQUENCY]),
        nucleus: texts(&[NUCLEUS, IMAGED_NUCLEUS, PHILIPS_NUCLEUS]),
        vendor: text(object, MANUFACTURER),
        te_s,
        te_from_name,
        tr_s: tr_ms.map(|ms| ms * 1e-3),
        flip_angle_deg: flip(object),
        water_suppressed: is_suppressed.then_some(true),
        ..Facts::default()
    }
}
