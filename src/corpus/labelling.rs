//! Labels of a listing: out of paths, by a pattern, and as manifests state them.

use std::path::{Path, PathBuf};

use super::found::FindWarning;
use super::path_labels::{Label, PathLabels};

/// Labels out of the paths of a listing, and what should be known about that.
#[derive(Debug, Default)]
pub(super) struct Labelling<'a> {
    pattern: Option<&'a PathLabels>,
    n: usize,
    n_unfit: usize,
    first_unfit: Option<PathBuf>,
    n_zeros: usize,
    first_zeros: Option<(PathBuf, String, String)>,
}

impl<'a> Labelling<'a> {
    pub(super) fn new(pattern: Option<&'a PathLabels>) -> Self {
        Self { pattern, ..Self::default() }
    }

    /// Subject, session, volume of interest and site in a path.
    pub(super) fn of(&mut self, path: &Path, source_path: &str) -> [Option<String>; 4] {
        let Some(pattern) = self.pattern else { return Default::default() };
        self.n += 1;
        let Some(found) = pattern.labels(source_path) else {
            self.n_unfit += 1;
            self.first_unfit.get_or_insert_with(|| path.to_owned());
            return Default::default();
        };
        [Label::Subject, Label::Session, Label::Voi, Label::Site]
            .map(|wanted| found.iter().find(|(label, _)| *label == wanted).map(|(_, value)| value.clone()))
    }

    /// What a manifest states, or the name has; the name's where they differ in nothing but zeros at the beginning.
    pub(super) fn stated_or(&mut self, path: &Path, stated: Option<String>, named: Option<String>) -> Option<String> {
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let (stated, named) = match (stated, named) {
            (Some(stated), Some(named)) => (stated, named),
            (stated, named) => return stated.or(named),
        };
        let lacks_zeros = stated.len() < named.len() && named.trim_start_matches('0') == stated.trim_start_matches('0');
        if !(lacks_zeros && is_number(&stated) && is_number(&named)) {
            return Some(stated);
        }
        self.n_zeros += 1;
        self.first_zeros.get_or_insert_with(|| (path.to_owned(), stated, named.clone()));
        Some(named)
    }

    pub(super) fn warnings(self) -> Vec<FindWarning> {
        let (pattern, n, of) = (self.pattern.map_or("", PathLabels::pattern).to_owned(), self.n_unfit, self.n);
        let unfit = self.first_unfit.map(|path| FindWarning::Unlabelled { path, n, of, pattern });
        let n = self.n_zeros;
        let zeros = self.first_zeros.map(|(path, stated, named)| FindWarning::ZerosLost { path, n, stated, named });
        unfit.into_iter().chain(zeros).collect()
    }
}
