//! What reading and preparing a file gives: its spectra, or why there is none, and the header values that rows repeat.

use std::collections::BTreeMap;

use super::conditions::{self, EditConditions};
use super::voxel_tissue::{FileTissue, VoxelPlace};
use crate::acquisition::{Facts, Origin};
use crate::basis::check::Protocol;
use crate::basis::simulate::edited::Edited;
use crate::corpus::Found;
use crate::hash::sha256_hex;
use crate::prepare::Spectrum;
use crate::printable::printable_message;
use crate::quantify;
use crate::store::Timings;

/// Most characters of a `spectrum_id`.
pub const ID_CHARS: usize = 256;
/// Characters of the hash that ends an id which was cut.
const ID_HASH_CHARS: usize = 16;

/// Why a spectrum has no result: a stable code and a message for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Stable snake_case code.
    pub code: String,
    /// What, where, and what to do.
    pub message: String,
}

impl Failure {
    pub(crate) fn new(code: impl Into<String>, message: impl ToString) -> Self {
        Self { code: code.into(), message: printable_message(&message.to_string()) }
    }
}

/// One file, read and prepared.
#[derive(Default)]
pub struct Loaded {
    /// Header values after gaps were filled, of the file's first measurement.
    pub header: Header,
    /// Those of further measurements in the same file, by their names.
    pub further: BTreeMap<String, Header>,
    /// One entry per voxel and condition, or one failure for the file as a whole.
    pub spectra: Vec<(SpectrumKey, Result<Spectrum, Failure>)>,
    /// How long reading and preparing took.
    pub timings: Timings,
}

impl Loaded {
    /// Why the file as a whole has no spectrum, where that is so.
    pub(super) fn failure(&self) -> Option<&Failure> {
        match self.spectra.as_slice() {
            [(key, Err(failure))] if *key == SpectrumKey::default() => Some(failure),
            _ => None,
        }
    }

    /// The header values of a spectrum's measurement.
    pub fn header_of(&self, key: &SpectrumKey) -> &Header {
        key.measurement.as_ref().and_then(|name| self.further.get(name)).unwrap_or(&self.header)
    }

    /// Those of all measurements in the file.
    pub(crate) fn headers_mut(&mut self) -> impl Iterator<Item = &mut Header> {
        std::iter::once(&mut self.header).chain(self.further.values_mut())
    }

    /// The condition called `name` of the voxel of another spectrum.
    pub(crate) fn companion(&self, of: &SpectrumKey, name: &str) -> Option<&Spectrum> {
        let is_it = |key: &SpectrumKey| {
            (&key.measurement, key.voxel, key.part) == (&of.measurement, of.voxel, of.part)
                && key.condition.as_deref() == Some(name)
        };
        self.spectra.iter().find(|(key, _)| is_it(key))?.1.as_ref().ok()
    }

    /// The one entry of a file that is not read at all.
    pub(crate) fn empty(found: &Found) -> Self {
        Self::failed(Failure::new("not_read", format!("{}: not read", found.source_path)))
    }

    /// The one entry of a file that cannot be done.
    pub(super) fn failed(failure: Failure) -> Self {
        Self { spectra: vec![(SpectrumKey::default(), Err(failure))], ..Self::default() }
    }
}

/// Header values that rows repeat.
#[derive(Debug, Clone, Default)]
pub struct Header {
    /// SHA-256 of the file.
    pub sha256: Option<String>,
    /// Hash over every file that its rows depend on ([`crate::store::Content::inputs_sha256`]).
    pub inputs_sha256: Option<String>,
    /// What manifest, file and configuration state, in this order.
    pub facts: Facts,
    /// What is compared with the basis set.
    pub protocol: Protocol,
    /// Extents of the grid of voxels.
    pub grid: Option<[usize; 3]>,
    /// Number of coils.
    pub n_coils: Option<usize>,
    /// Number of stored transients.
    pub n_transients: Option<usize>,
    /// Number of edit conditions; `None` where the measurement is not one of editing.
    pub n_conditions: Option<usize>,
    /// How their transients followed one another, and what they are called.
    pub edit_order: Option<String>,
    /// Who told that.
    pub edit_order_from: Option<Origin>,
    /// Where the pulses of its conditions stand; `None` where nobody says so.
    pub edit_pulses: Option<EditConditions>,
    /// Which readouts of the file itself are the water reference; `None` where a file of its own is, or nothing.
    pub water_readouts: Option<String>,
    /// Echo time of the water reference (s).
    pub water_te_s: Option<f64>,
    /// Repetition time of the water reference (s).
    pub water_tr_s: Option<f64>,
    /// Transients that the scanner averaged into each stored one of the reference.
    pub water_averages: Option<usize>,
    /// Where the voxels are; `None` where no file says so, or they are not localised.
    pub place: Option<VoxelPlace>,
    /// Of what tissue they are.
    pub tissue: FileTissue,
    /// Flags that the reader raised.
    pub flags: Vec<&'static str>,
    /// What the readers had to assume.
    pub remarks: Vec<String>,
    /// Hash of how the file was prepared; `None` where it was not read.
    pub prepare_hash: Option<String>,
}

impl Header {
    /// How many conditions' signal an unedited line has in a spectrum of this file: `sum` adds up all of them, a difference
    /// takes one half from the other.
    pub(super) fn adds_up(&self, key: &SpectrumKey) -> f64 {
        let n = self.n_conditions.filter(|_| key.condition.is_some()).unwrap_or(1);
        let added = match key.condition.as_deref() {
            Some("sum") => n,
            _ if key.is_difference() => n / 2,
            _ => 1,
        };
        added.max(1) as f64
    }

    /// What is known of the editing of a spectrum of this file.
    pub(crate) fn edited(&self, key: &SpectrumKey) -> Edited {
        let name = key.condition.as_deref().unwrap_or_default();
        conditions::edited(self.edit_pulses.as_ref(), self.n_conditions.is_some(), (name, key.is_difference()))
    }

    /// What the quantities of a spectrum of this file depend on beside its fit.
    pub(crate) fn quantify_inputs(&self, key: &SpectrumKey, spectrum: &Spectrum) -> quantify::Inputs {
        let tissue = self.tissue.of(key.voxel);
        quantify::Inputs {
            water_amplitude: spectrum.record.water_amplitude,
            water_amplitude_sd: spectrum.record.water.amplitude_sd,
            water_te_s: self.water_te_s,
            water_tr_s: self.water_tr_s,
            te_s: self.protocol.te_s,
            tr_s: self.facts.tr_s,
            tm_s: self.facts.tm_s,
            flip_angle_deg: self.facts.flip_angle_deg,
            ti_s: self.facts.ti_s,
            field_t: self.protocol.f0_mhz.map(quantify::field_t_from_f0),
            sequence: self.protocol.sequence.clone(),
            fractions: tissue.and_then(|t| t.fractions),
            share_in_image: tissue.and_then(|t| t.share_in_image),
            ..quantify::Inputs::default()
        }
    }
}

/// Which of a file's spectra.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpectrumKey {
    /// Which of the file's measurements; `None` for the first.
    pub measurement: Option<String>,
    /// Voxel index on a grid; `None` for single-voxel data.
    pub voxel: Option<[usize; 3]>,
    /// Label of the condition; `None` where there is one.
    pub condition: Option<String>,
    /// Part of a time course, from 0; `None` where all transients are averaged.
    pub part: Option<usize>,
}

impl SpectrumKey {
    /// Measurement and condition in one word; `None` where the file holds one spectrum a voxel.
    pub fn subspec(&self) -> Option<String> {
        match (&self.measurement, &self.condition) {
            (Some(measurement), Some(condition)) => Some(format!("{measurement}-{condition}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        }
    }

    /// Whether it is a difference of edit conditions, by its name: `diff`, `diff_gaba`, and what files call so themselves.
    pub fn is_difference(&self) -> bool {
        let is_named_so = |name: &String| name.to_ascii_lowercase().starts_with("diff");
        self.condition.as_ref().or(self.measurement.as_ref()).is_some_and(is_named_so)
    }

    /// What follows the file's id: nothing, `#diff`, `#t3`, `#12,7,0` or several of them.
    pub fn suffix(&self) -> String {
        let condition = self.subspec().map(|c| format!("#{c}")).unwrap_or_default();
        let part = self.part.map(|part| format!("#t{part}")).unwrap_or_default();
        let voxel = self.voxel.map(|[i, j, k]| format!("#{i},{j},{k}")).unwrap_or_default();
        condition + &part + &voxel
    }

    /// The id of this spectrum of the file `file_id`: what is too long is cut, and a hash of all of it keeps it apart.
    pub fn id_in(&self, file_id: &str) -> String {
        let id = format!("{file_id}{}", self.suffix());
        if id.chars().count() <= ID_CHARS {
            return id;
        }
        let kept: String = id.chars().take(ID_CHARS - ID_HASH_CHARS - 1).collect();
        format!("{kept}~{}", &sha256_hex(id.as_bytes())[..ID_HASH_CHARS])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_known_by_their_name() {
        let key = |measurement: Option<&str>, condition: Option<&str>| SpectrumKey {
            measurement: measurement.map(str::to_owned),
            condition: condition.map(str::to_owned),
            ..SpectrumKey::default()
        };
        for condition in ["diff", "diff_gaba", "DIFF", "difference", "diff~2"] {
            assert!(key(None, Some(condition)).is_difference(), "{condition}");
            assert!(key(Some("hercules80"), Some(condition)).is_difference(), "{condition}");
        }
        for condition in ["on", "off", "sum", "b=614"] {
            assert!(!key(None, Some(condition)).is_difference(), "{condition}");
        }
        assert!(!key(None, None).is_difference());
    }

    #[test]
    fn combinations_have_the_signal_of_the_conditions_that_they_add_up() {
        let of = |n_conditions: Option<usize>, condition: &str| {
            let header = Header { n_conditions, ..Header::default() };
            header.adds_up(&SpectrumKey { condition: Some(condition.to_owned()), ..SpectrumKey::default() })
        };
        assert_eq!(["on", "off", "diff", "sum"].map(|name| of(Some(2), name)), [1.0, 1.0, 1.0, 2.0]);
        assert_eq!(["a", "diff_gaba", "sum"].map(|name| of(Some(4), name)), [1.0, 2.0, 4.0]);
        // Alone in its file: as its file calls it, and nobody knows what of.
        assert_eq!(["diff", "sum"].map(|name| of(None, name)), [1.0, 1.0]);
    }

    #[test]
    fn long_ids_are_cut_and_stay_apart() {
        let key = |label: &str| SpectrumKey {
            voxel: Some([1, 2, 3]),
            condition: Some(label.to_owned()),
            ..SpectrumKey::default()
        };
        assert_eq!(key("on").id_in("sub-01/x"), "sub-01/x#on#1,2,3");
        let long = "x".repeat(1000);
        let (a, b) = (key("a").id_in(&long), key("b").id_in(&long));
        assert_eq!((a.chars().count(), b.chars().count()), (ID_CHARS, ID_CHARS));
        assert!(a != b && a == key("a").id_in(&long));
    }
}
