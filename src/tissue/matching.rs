//! Which of several segmentations is that of a spectrum: by subject and session, and if that does not tell, nobody's.

use std::collections::HashSet;
use std::path::Path;

use super::error::TissueError;
use super::kinds::Kind;
use super::source::{Segmentation, Source};
use super::words::Words;

/// Most names of files in a message.
const MOST_NAMED: usize = 6;

/// Keys of BIDS that tell the spectra of a person apart.
const OF_A_SPECTRUM: [&str; 3] = ["voi-", "acq-", "run-"];

/// A spectrum that a segmentation is wanted for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wanted<'a> {
    /// Its file.
    pub path: &'a Path,
    /// Subject label, without `sub-`.
    pub subject: Option<&'a str>,
    /// Session label, without `ses-`.
    pub session: Option<&'a str>,
    /// The segmentation, or its folder, that somebody names for it.
    pub stated: Option<&'a Path>,
}

/// A segmentation that was found, and whose it may be.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    pub(super) kind: Kind,
    pub(super) rank: u8,
    /// Its files, or why they are none.
    pub(super) found: Result<Segmentation, TissueError>,
    /// Its first file as tables show it.
    pub(super) shown_as: String,
    /// Labels by BIDS, without `sub-` and `ses-`.
    pub(super) subject: Option<String>,
    pub(super) session: Option<String>,
    /// What its path says.
    pub(super) words: Words,
}

/// How sure it is that a segmentation is a spectrum's.
#[derive(Debug, PartialEq)]
enum Fit {
    /// It is, with what should be known.
    Own(Vec<String>),
    /// It may be anybody's.
    OfWhom,
    /// It is another's.
    No,
}

/// Who else there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Company<'a> {
    /// The subjects of all spectra.
    pub(super) subjects: &'a HashSet<&'a str>,
    /// All spectra are of one subject, or there is one.
    pub(super) is_one_head: bool,
    /// No other spectrum is of the subject and session.
    pub(super) is_one_spectrum: bool,
    /// Somebody named the segmentation for this spectrum.
    pub(super) is_stated: bool,
}

fn fit(candidate: &Candidate, wanted: &Wanted<'_>, company: Company<'_>) -> Fit {
    let words = &candidate.words;
    let mut remarks = Vec::new();
    let mut remark = |text: String| remarks.push(format!("{}: {text}", candidate.shown_as));
    if company.is_stated {
        return Fit::Own(remarks);
    }
    match (wanted.subject, candidate.subject.as_deref()) {
        (Some(own), Some(other)) if own == other => {}
        (Some(_), Some(_)) => return Fit::No,
        (Some(own), None) if words.names_another(own, company.subjects) => return Fit::OfWhom,
        (Some(own), None) if words.subject(own).is_some() => {}
        (Some(_), None) | (None, _) if !company.is_one_head => return Fit::OfWhom,
        (Some(_), None) | (None, _) => remark(
            "nothing says whose segmentation this is: it was taken, as there are spectra of nobody else".to_owned(),
        ),
    }
    match (wanted.session, candidate.session.as_deref()) {
        (Some(own), Some(other)) if own != other => return Fit::No,
        (Some(own), None) if !words.is_of_session(own, wanted.subject) => {
            remark("a segmentation of no session: does it lie as the head did in this one?".to_owned());
        }
        _ => {}
    }
    // Fractions are those of one voxel, not of a head.
    if candidate.kind == Kind::FslSegmentation {
        let name = Words::of(Path::new(wanted.path.file_name().unwrap_or_default()), Path::new(""));
        for key in OF_A_SPECTRUM {
            match (words.label(key), name.label(key)) {
                (own, other) if own == other => {}
                (Some(_), Some(_)) => return Fit::No,
                (own, other) => {
                    let (who, stated) = if own.is_some() { ("the spectrum", own) } else { ("the segmentation", other) };
                    let stated = stated.unwrap_or_default();
                    remark(format!("{who} does not say {key}{stated}: it was taken, as there is one spectrum"));
                }
            }
        }
        if !company.is_one_spectrum {
            return Fit::OfWhom;
        }
    }
    Fit::Own(remarks)
}

/// The segmentation of a spectrum out of all that were found; [`Source::None`] where none is of its subject.
pub(super) fn select(candidates: &[Candidate], wanted: &Wanted<'_>, company: Company<'_>) -> Source {
    let mut own: Vec<(&Candidate, Vec<String>)> = Vec::new();
    let mut of_whom = None;
    for candidate in candidates {
        match fit(candidate, wanted, company) {
            Fit::Own(remarks) => own.push((candidate, remarks)),
            Fit::OfWhom => of_whom = of_whom.or_else(|| Some(candidate.shown_as.clone())),
            Fit::No => {}
        }
    }
    let is_elsewhere = |c: &Candidate| matches!(c.found, Err(TissueError::InOtherSpace { .. }));
    if own.iter().any(|(c, _)| !is_elsewhere(c)) {
        own.retain(|(c, _)| !is_elsewhere(c));
    }
    let order = |c: &Candidate| (c.rank, c.found.is_err());
    let Some(best) = own.iter().map(|(c, _)| order(c)).min() else {
        return of_whom.map_or(Source::None, |file| Source::Fault(TissueError::OfWhom { file }));
    };
    own.retain(|(c, _)| order(c) == best);
    // What names the session goes before what names none.
    if own.iter().any(|(_, remarks)| remarks.is_empty()) {
        own.retain(|(_, remarks)| remarks.is_empty());
    }
    match &own[..] {
        [(candidate, remarks)] => match &candidate.found {
            Ok(segmentation) => {
                let remarks = segmentation.remarks.iter().chain(remarks).cloned().collect();
                Source::Files(Segmentation { remarks, ..segmentation.clone() })
            }
            Err(error) => Source::Fault(error.clone()),
        },
        [(first, _), ..] if first.found.is_err() => match &first.found {
            Err(error) => Source::Fault(error.clone()),
            Ok(_) => Source::None,
        },
        several => {
            let files = several.iter().take(MOST_NAMED).map(|(c, _)| c.shown_as.clone()).collect();
            Source::Fault(TissueError::Ambiguous { files })
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;

    fn candidate(shown_as: &str, subject: Option<&str>, session: Option<&str>, rank: u8) -> Candidate {
        let segmentation = Segmentation {
            kind: Kind::Spm,
            files: Vec::new(),
            table: None,
            shown_as: shown_as.to_owned(),
            remarks: Vec::new(),
        };
        Candidate {
            kind: Kind::Spm,
            rank,
            found: Ok(segmentation),
            shown_as: shown_as.to_owned(),
            subject: subject.map(str::to_owned),
            session: session.map(str::to_owned),
            words: Words::of(&Path::new("seg").join(shown_as), Path::new("seg")),
        }
    }

    fn of(
        candidates: &[Candidate],
        subject: Option<&str>,
        session: Option<&str>,
        company: Company<'_>,
    ) -> (String, usize) {
        let wanted = Wanted { path: Path::new("x"), subject, session, stated: None };
        match select(candidates, &wanted, company) {
            Source::Files(s) => (s.shown_as, s.remarks.len()),
            Source::Fault(error) => (error.flag().to_owned(), 0),
            Source::None | Source::Stated { .. } => (String::new(), 0),
        }
    }

    static SUBJECTS: LazyLock<HashSet<&str>> = LazyLock::new(|| HashSet::from(["1", "2", "02", "S03", "S04"]));

    /// Spectra of these subjects.
    fn many() -> Company<'static> {
        Company { subjects: &SUBJECTS, is_one_head: false, is_one_spectrum: true, is_stated: false }
    }

    fn one() -> Company<'static> {
        Company { is_one_head: true, ..many() }
    }

    #[test]
    fn a_segmentation_of_another_subject_or_session_is_not_taken() {
        let all = [
            candidate("sub-1/ses-a/c1", Some("1"), Some("a"), 0),
            candidate("sub-1/ses-b/c1", Some("1"), Some("b"), 0),
            candidate("sub-2/c1", Some("2"), None, 0),
            candidate("S03/c1", None, None, 0),
        ];
        for company in [many(), one()] {
            assert_eq!(of(&all[..3], Some("1"), Some("a"), company).0, "sub-1/ses-a/c1");
            assert_eq!(of(&all[..3], Some("1"), Some("c"), company).0, "");
            assert_eq!(of(&all[..3], Some("4"), None, company).0, "");
            // Two sessions' would do.
            assert_eq!(of(&all[..3], Some("1"), None, company).0, "ambiguous_segmentation");
        }
        assert_eq!(of(&all, Some("2"), Some("a"), many()), ("sub-2/c1".to_owned(), 1));
        assert_eq!(of(&all, Some("S03"), None, many()), ("S03/c1".to_owned(), 0));
        assert_eq!(of(&all[3..], Some("5"), None, many()).0, "segmentation_of_whom");
        assert_eq!(of(&all[3..], None, None, many()).0, "segmentation_of_whom");
        assert_eq!(of(&all[3..], None, None, one()), ("S03/c1".to_owned(), 1));
    }

    #[test]
    fn fractions_of_another_voxel_are_not_taken() {
        let of = |file: &str, path: &str, company: Company<'_>| {
            let fractions = [Candidate { kind: Kind::FslSegmentation, ..candidate(file, Some("1"), None, 0) }];
            let wanted = Wanted { path: Path::new(path), subject: Some("1"), session: None, stated: None };
            match select(&fractions, &wanted, company) {
                Source::Files(s) => format!("{}", s.remarks.len()),
                Source::Fault(error) => error.flag().to_owned(),
                Source::None | Source::Stated { .. } => "none".to_owned(),
            }
        };
        let acc = "sub-1/sub-1_voi-acc_segmentation.json";
        assert_eq!(of(acc, "sub-1_voi-pcc_svs.nii.gz", many()), "none");
        assert_eq!(of(acc, "sub-1_voi-acc_svs.nii.gz", many()), "0");
        assert_eq!(of(acc, "sub-1_svs.nii.gz", many()), "1");
        assert_eq!(of("sub-1/segmentation.json", "sub-1_voi-pcc_run-2_svs.nii.gz", many()), "2");
        assert_eq!(of("sub-1/run-1/segmentation.json", "sub-1_run-2_svs.nii.gz", one()), "none");
        let several = Company { is_one_spectrum: false, ..many() };
        assert_eq!(of("sub-1/segmentation.json", "sub-1_voi-pcc_svs.nii.gz", several), "segmentation_of_whom");
        assert_eq!(of(acc, "sub-1_voi-pcc_svs.nii.gz", Company { is_stated: true, ..many() }), "0");
    }

    #[test]
    fn a_visit_is_nobodys_name() {
        let visit = [candidate("S04/02/c1T1", None, None, 0)];
        assert_eq!(of(&visit, Some("02"), None, many()).0, "segmentation_of_whom");
        assert_eq!(of(&visit, Some("S04"), Some("02"), many()), ("S04/02/c1T1".to_owned(), 0));
        assert_eq!(of(&[candidate("c1S04_02", None, None, 0)], Some("02"), None, many()).0, "segmentation_of_whom");
        assert_eq!(of(&[candidate("02/c1T1", None, None, 0)], Some("02"), None, many()).0, "02/c1T1");
        let both = [candidate("S03/S04_c1", None, None, 0)];
        for subject in ["S03", "S04"] {
            assert_eq!(of(&both, Some(subject), None, many()).0, "segmentation_of_whom");
        }
    }

    #[test]
    fn shares_go_before_labels_and_two_of_a_kind_are_nobodys() {
        let all = [candidate("sub-1/seg", Some("1"), None, 2), candidate("sub-1/c1", Some("1"), None, 0)];
        assert_eq!(of(&all, Some("1"), None, many()).0, "sub-1/c1");
        let two = [all[1].clone(), candidate("sub-1/other/c1", Some("1"), None, 0)];
        assert_eq!(of(&two, Some("1"), None, many()).0, "ambiguous_segmentation");
    }
}
