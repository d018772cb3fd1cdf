//! Spectra that are named as their own water reference, or as one another's. A file that is a reference is no row: without a
//! look at them all of these would be gone.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::collect::Candidate;
use super::pair::{Unfit, Water};

/// Most files that are followed from one spectrum.
const MOST_FOLLOWED: usize = 64;

/// Takes from each spectrum of a circle the reference that closes it. `place` says where a file lies, however it is written.
pub(super) fn refuse(candidates: &[Candidate], waters: &mut [Water], place: &mut dyn FnMut(&Path) -> PathBuf) {
    let mut next: HashMap<PathBuf, Vec<PathBuf>> = HashMap::new();
    for (candidate, water) in candidates.iter().zip(waters.iter()).filter(|(_, water)| !water.files().is_empty()) {
        let named: Vec<PathBuf> = water.files().iter().map(|path| place(path)).collect();
        next.entry(place(&candidate.path)).or_default().extend(named);
    }
    for (candidate, water) in candidates.iter().zip(waters) {
        let own = place(&candidate.path);
        let unfit = water.files().iter().find_map(|path| {
            let to = place(path);
            let why = if to == own { Some(Unfit::Itself) } else { leads_to(&to, &own, &next).then_some(Unfit::Circle) };
            Some(Water::Unfit(path.clone(), why?))
        });
        if let Some(unfit) = unfit {
            *water = unfit;
        }
    }
}

/// Whether `to` is among the references of `from`, of those, and so on.
fn leads_to(from: &Path, to: &Path, next: &HashMap<PathBuf, Vec<PathBuf>>) -> bool {
    let (mut open, mut seen) = (vec![from], HashSet::new());
    while let Some(here) = open.pop() {
        if here == to {
            return true;
        }
        if seen.len() < MOST_FOLLOWED && seen.insert(here) {
            open.extend(next.get(here).into_iter().flatten().map(PathBuf::as_path));
        }
    }
    false
}
