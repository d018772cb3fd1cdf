//! Which spectra stand for a group: those whose names have the smallest hashes, whatever their order is.

use std::collections::BTreeMap;

use crate::corpus::Found;
use crate::hash::sha256_hex;
use crate::interrupt;
use crate::prepare::Spectrum;
use crate::run::chunk::{Part, read_all};
use crate::run::load::{Header, SpectrumKey};
use crate::run::{Progress, RunOptions};

/// A spectrum that takes part.
pub(super) struct TrainingSpectrum {
    pub(super) found: Found,
    pub(super) header: Header,
    pub(super) key: SpectrumKey,
    pub(super) spectrum: Spectrum,
}

/// How inputs are read.
pub(super) struct Reading<'a> {
    pub(super) options: &'a RunOptions,
    pub(super) progress: &'a dyn Progress,
    pub(super) files_at_once: usize,
}

/// At most `most` spectra of each group, by the hashes of their names; those of no group take no part.
pub(super) fn training_spectra<K: Ord>(
    found: &[Found],
    reading: &Reading<'_>,
    most: usize,
    group: &dyn Fn(&Found, &Header) -> Option<K>,
) -> BTreeMap<K, BTreeMap<String, TrainingSpectrum>> {
    let Reading { options, progress, files_at_once } = *reading;
    progress.found(found.len());
    let mut groups: BTreeMap<K, BTreeMap<String, TrainingSpectrum>> = BTreeMap::new();
    for Part { span, loaded, .. } in read_all(found, options, files_at_once) {
        if interrupt::asked() {
            break;
        }
        for (found, mut loaded) in found[span.files()].iter().zip(loaded) {
            for (key, spectrum) in std::mem::take(&mut loaded.spectra) {
                let Ok(spectrum) = spectrum else { continue };
                let header = loaded.header_of(&key);
                let rank = sha256_hex(format!("{}{}", found.id, key.suffix()).as_bytes());
                let Some(own) = group(found, header) else { continue };
                let of_group = groups.entry(own).or_default();
                let one = TrainingSpectrum { found: found.clone(), header: header.clone(), key, spectrum };
                of_group.insert(rank, one);
                if of_group.len() > most {
                    of_group.pop_last();
                }
            }
        }
        progress.advanced(span.to.file - span.from.file);
    }
    groups
}
