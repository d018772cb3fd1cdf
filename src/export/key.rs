//! What rows of results and lines of other tables are known by.

use crate::store::SpectrumRow;

/// A label that tells measurements apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    Participant,
    Session,
    Voi,
    Spectrum,
    /// Only where two sites call people alike.
    Site,
}

impl Key {
    const ALL: [Self; 5] = [Self::Participant, Self::Session, Self::Voi, Self::Spectrum, Self::Site];

    /// Titles of its column, in small letters; the first is the one that is written.
    fn titles(self) -> &'static [&'static str] {
        match self {
            Self::Participant => {
                &["participant_id", "participant", "subject", "subject_id", "subjectid", "participantid", "sub"]
            }
            Self::Session => &["session_id", "session", "ses", "visit", "timepoint"],
            Self::Voi => &["voi", "region", "voxel"],
            Self::Spectrum => &["spectrum_id"],
            Self::Site => &["site", "site_id", "site_name"],
        }
    }

    /// Name of its column in what is written.
    pub(crate) fn name(self) -> &'static str {
        self.titles().first().copied().unwrap_or_default()
    }

    fn prefix(self) -> &'static str {
        match self {
            Self::Participant => "sub-",
            Self::Session => "ses-",
            Self::Voi => "voi-",
            Self::Spectrum | Self::Site => "",
        }
    }

    /// The column of `header` that has it: the one with the title that comes first.
    pub(crate) fn find(self, header: &[String]) -> Option<usize> {
        let at = |title: &&str| header.iter().position(|own| own.trim().eq_ignore_ascii_case(title));
        self.titles().iter().find_map(at)
    }

    /// Whether `title` is one of any key.
    pub(crate) fn is_title(title: &str) -> bool {
        Self::ALL.iter().any(|key| key.titles().iter().any(|known| title.trim().eq_ignore_ascii_case(known)))
    }

    /// The label without the prefix that BIDS puts before it.
    pub(crate) fn label(self, text: &str) -> String {
        let prefix = self.prefix();
        let head = text.get(..prefix.len()).filter(|head| head.eq_ignore_ascii_case(prefix));
        head.map_or(text, |head| &text[head.len()..]).to_owned()
    }

    /// The label as BIDS has it.
    pub(crate) fn written(self, label: &str) -> String {
        format!("{}{label}", self.prefix())
    }

    /// The label of a row.
    pub(crate) fn of(self, row: &SpectrumRow) -> Option<&str> {
        match self {
            Self::Participant => row.subject.as_deref(),
            Self::Session => row.session.as_deref(),
            Self::Voi => row.voi.as_deref(),
            Self::Spectrum => Some(&row.spectrum_id),
            Self::Site => row.site.as_deref(),
        }
    }
}

/// A label without what spreadsheets and people change: capitals, leading zeros, what stands between.
pub(crate) fn plain(label: &str) -> String {
    let bare: String = label.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let short = bare.trim_start_matches('0');
    short.strip_prefix("sub").unwrap_or(short).trim_start_matches('0').to_owned()
}
