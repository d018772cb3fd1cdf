//! From an object's frames to an acquisition: what each is, the object says; by its place among them alone none is taken for
//! water unless that fits.

use dicom_object::InMemDicomObject;

use super::error::DecodeError;
use super::facts::{Sequence, facts, sequence, with_localization};
use super::frames::{Frame, Part, frames_of, in_words, is_said_edited, is_same, parts};
use super::layout::Layout;
use super::open::NAME;
use super::place::{Stated, affine};
use super::protocol::Protocol;
use super::stored::Stored;
use super::tags::*;
use super::values::{count, text};
use crate::acquisition::{Acquisition, Named, Reference, named_editing};

/// How many times taller than others a frame is, at most, that is none of water.
const ALIKE: f64 = 3.0;
/// How many times taller than every other frame those of water are, at least, as in raw data where strength alone tells.
const STRONGER: f64 = 5.0;

/// An object with what it says of its frames.
pub(super) struct Scan<'a> {
    object: &'a InMemDicomObject,
    protocol: Option<&'a Protocol<'a>>,
    stored: Stored,
    plane: [usize; 2],
    frames: Vec<Frame>,
    sequence: Sequence,
    /// What the sequence's name says of editing.
    named: Option<Named>,
    /// Whether the object says that it is edited.
    is_said_edited: bool,
    remarks: Vec<String>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(object: &'a InMemDicomObject, layout: Layout, protocol: Option<&'a Protocol<'a>>) -> Self {
        let sequence = sequence(object);
        Self {
            object,
            protocol,
            frames: frames_of(object, protocol, layout.frames),
            stored: layout.stored,
            plane: layout.plane,
            named: sequence.name.as_deref().and_then(named_editing),
            is_said_edited: is_said_edited(object),
            remarks: layout.remarks.into_iter().chain(sequence.remark.clone()).collect(),
            sequence,
        }
    }

    /// The acquisition.
    pub(super) fn acquisition(mut self) -> Result<Acquisition, DecodeError> {
        let (places, water) = self.split()?;
        // An object of water alone is no edited one.
        let is_water = places.is_empty();
        if is_water {
            (self.named, self.is_said_edited) = (None, false);
        }
        let (places, water) = if is_water { (water, Vec::new()) } else { (places, water) };
        let mut data =
            if self.plane[0] * self.plane[1] > 1 { self.grid(places, water)? } else { self.voxel(&places, &water)? };
        let further = data.further.iter_mut().map(|(_, further)| further);
        let mut state = |data: &mut Acquisition| {
            data.remarks.splice(0..0, self.remarks.iter().cloned());
            if is_water {
                data.facts.water_suppressed = Some(false);
            }
        };
        further.for_each(&mut state);
        state(&mut data);
        Ok(data)
    }

    /// Places of the frames of metabolites, and of those of water.
    fn split(&mut self) -> Result<(Vec<usize>, Vec<usize>), DecodeError> {
        let all = 0..self.frames.len();
        if self.frames.iter().any(|frame| frame.is_reference.is_some()) {
            return Ok(all.partition(|k| self.frames[*k].is_reference != Some(true)));
        }
        let is_philips = text(self.object, MANUFACTURER).is_some_and(|m| m.to_lowercase().contains("philips"));
        let announces_water = is_philips && text(self.object, WATER_REFERENCED).as_deref() == Some("YES");
        if !announces_water || self.frames.len() < 2 {
            return Ok((all.collect(), Vec::new()));
        }
        self.by_place()
    }

    /// The same where a Philips object announces water and says of no frame whether it is: of a grid as many frames behind those of the
    /// metabolites, of a single voxel those that are far taller.
    fn by_place(&mut self) -> Result<(Vec<usize>, Vec<usize>), DecodeError> {
        let unclear = DecodeError::Frames { why: "include water and do not say which of them it is" };
        let n = self.frames.len();
        let (all, half) = ((0..n).collect(), n / 2);
        let halves = ((0..half).collect(), (half..n).collect());
        if self.plane[0] * self.plane[1] > 1 {
            return match count(self.object, PHASE_STEPS[2]) {
                Some(slices) if 2 * slices == n => Ok(halves),
                Some(slices) if slices == n => Ok((all, Vec::new())),
                _ => Err(unclear),
            };
        }
        let heights: Vec<f64> = (0..n).map(|k| self.stored.height(k)).collect();
        let is_edited = self.is_said_edited || self.named.is_some();
        if let Some((others, water)) = (!is_edited).then(|| metabolites_and_water(&heights)).flatten() {
            self.remarks.push(format!(
                "{} were taken as water: the object announces a reference and does not say which frames it is",
                in_words(&water)
            ));
            return Ok((others, water));
        }
        let (least, most) = heights.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), h| (a.min(*h), b.max(*h)));
        if most > ALIKE * least {
            return Err(unclear);
        }
        self.remarks
            .push("the object announces a water reference; all frames are alike, and none was taken as one".into());
        Ok((all, Vec::new()))
    }

    /// Frames as the slices of a grid.
    fn grid(&self, places: Vec<usize>, water: Vec<usize>) -> Result<Acquisition, DecodeError> {
        let first = places.first().map(|k| self.frames[*k].clone()).unwrap_or_default();
        let is_alike =
            |k: &usize| is_same(first.te_ms, self.frames[*k].te_ms) && is_same(first.tr_ms, self.frames[*k].tr_ms);
        if !places.iter().all(is_alike) {
            return Err(DecodeError::Frames { why: "are a grid with several echo or repetition times" });
        }
        if self.is_said_edited || self.named.is_some() {
            return Err(DecodeError::Frames { why: "are an edited grid, of which no conditions are told apart" });
        }
        if !water.is_empty() && water.len() != places.len() {
            return Err(DecodeError::Frames { why: "are a grid whose water reference has another number of slices" });
        }
        let part = Part { te_ms: first.te_ms, tr_ms: first.tr_ms, ..Part::default() };
        let slices = places.len();
        let mut data = Acquisition::from_samples(NAME, self.stored.slices(places));
        data.grid = [self.plane[0], self.plane[1], slices];
        if !water.is_empty() {
            let readouts = in_words(&water);
            data.water = Some(Reference::new(self.stored.slices(water), readouts));
        }
        self.state(&mut data, &part);
        Ok(data)
    }

    /// Frames of a single voxel: the first protocol's, and further ones with theirs.
    fn voxel(&self, places: &[usize], water: &[usize]) -> Result<Acquisition, DecodeError> {
        let found = parts(&self.frames, places, self.is_said_edited, self.named)?;
        let mut all = found.into_iter().map(|part| {
            let mut data = Acquisition::from_samples(NAME, self.stored.transients(part.conditions.clone()));
            data.condition_labels.clone_from(&part.labels);
            data.editing.clone_from(&part.editing);
            data.remarks.clone_from(&part.remarks);
            data.water = self.reference(&part, water);
            self.state(&mut data, &part);
            data
        });
        let mut data = all.next().ok_or(DecodeError::Field { field: "Number of Frames" })?;
        data.further = all.enumerate().map(|(k, further)| (name(&further, &data, k), further)).collect();
        Ok(data)
    }

    /// The water reference of a part: the frames with its echo time, else all of one other.
    fn reference(&self, part: &Part, water: &[usize]) -> Option<Reference> {
        let of = |te_ms: Option<f64>| -> Vec<usize> {
            water.iter().copied().filter(|k| is_same(self.frames[*k].te_ms, te_ms)).collect()
        };
        let own = of(part.te_ms);
        let places = if own.is_empty() { of(self.frames[*water.first()?].te_ms) } else { own };
        let first = &self.frames[*places.first()?];
        let other = |own: Option<f64>, reference: Option<f64>| {
            reference.filter(|_| !is_same(own, reference)).map(|ms| ms * 1e-3)
        };
        let (te_s, tr_s) = (other(part.te_ms, first.te_ms), other(part.tr_ms, first.tr_ms));
        let readouts = in_words(&places);
        Some(Reference { te_s, tr_s, ..Reference::new(self.stored.transients(vec![places]), readouts) })
    }

    /// What the header states, and where the voxel is.
    fn state(&self, data: &mut Acquisition, part: &Part) {
        data.facts = facts(self.object, part, &mut data.remarks);
        data.facts.sequence = self.sequence_of(part);
        data.facts.sequence_from_name = self.sequence.is_from_name();
        if let Some(protocol) = self.protocol {
            data.facts.te_s = protocol.te_s(data.facts.te_s);
            data.facts.refocus_s = protocol.refocus_s();
            data.facts.water_suppressed = data.facts.water_suppressed.or(protocol.water_suppressed());
        }
        if data.water.is_some() {
            data.facts.water_suppressed = Some(true);
        }
        data.affine_mm = affine(self.object, Stated::Centre);
    }

    /// The sequence's name, with the word for editing that the object says elsewhere: nobody is to take it for unedited.
    fn sequence_of(&self, part: &Part) -> Option<String> {
        let name = self.sequence.name.as_deref();
        if !self.is_said_edited || self.named.is_some() {
            return name.map(str::to_owned);
        }
        let is_apart = part.conditions.len() == 2 || part.labels.iter().any(|label| !label.is_empty());
        Some(if is_apart { with_localization("MEGA", name) } else { "edited".to_owned() })
    }
}

/// Frames of metabolites and of water by their heights, where these tell: of two the taller second one, of more those that are
/// far taller than every other.
fn metabolites_and_water(heights: &[f64]) -> Option<(Vec<usize>, Vec<usize>)> {
    if let [first, second] = heights {
        return (second > first).then(|| (vec![0], vec![1]));
    }
    let mut sorted = heights.to_vec();
    sorted.sort_by(f64::total_cmp);
    let above = sorted.windows(2).rev().find(|pair| pair[1] > STRONGER * pair[0])?[1];
    Some((0..heights.len()).partition(|k| heights[*k] < above))
}

/// A short name for a further measurement: what it differs in from the first.
fn name(data: &Acquisition, first: &Acquisition, number: usize) -> String {
    let differs = |time_s: Option<f64>, first_s: Option<f64>, what: &str| {
        time_s.filter(|_| !is_same(time_s, first_s)).map(|s| format!("{what}{:.0}", s * 1e3))
    };
    let (own, other) = (&data.facts, &first.facts);
    let times = [differs(own.te_s, other.te_s, "te"), differs(own.tr_s, other.tr_s, "tr")];
    let names: Vec<String> = times.into_iter().flatten().collect();
    if names.is_empty() { format!("part{}", number + 2) } else { names.join("_") }
}
