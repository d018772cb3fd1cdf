//! What an entry of the glossary is, and the numbers that it is given.

/// Which column holds the word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// `qc_flags` of `spectra`: the spectrum has a result, and a person should look at it.
    Flag,
    /// `error_code`: the spectrum has no result.
    ErrorCode,
    /// `state`: how the fit ended.
    State,
}

impl Kind {
    /// All kinds, in the order of the glossary.
    pub const ALL: [Self; 3] = [Self::Flag, Self::ErrorCode, Self::State];

    /// The column, as the heading names it.
    pub(super) fn column(self) -> &'static str {
        match self {
            Self::Flag => "qc_flags",
            Self::ErrorCode => "error_code",
            Self::State => "state",
        }
    }

    /// What the column's words have in common.
    pub(super) fn introduction(self) -> &'static str {
        match self {
            Self::Flag => {
                "A flagged spectrum has a result. Flags never remove a row: you decide which of them exclude a spectrum."
            }
            Self::ErrorCode => {
                "The row has no result; `status` is `failed`, or `skipped` where the file was left out on purpose.\n\
                 `error_message` names the file and the field."
            }
            Self::State => "Written where a fit was tried.",
        }
    }
}

/// One word of the tables.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The word as it stands in the column; a trailing `*` stands for any other error code.
    pub code: &'static str,
    /// Which column holds it.
    pub kind: Kind,
    /// The condition under which it is written, with its numbers.
    pub threshold: String,
    /// What that says about the spectrum.
    pub meaning: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

/// Numbers that other parts of the library own. Whoever shows the glossary fills them from the constants that decide.
#[derive(Debug, Clone, PartialEq)]
pub struct Thresholds {
    /// Fewest samples before a zero-filled tail that are fitted.
    pub min_points: usize,
    /// Most samples of an FID that is fitted.
    pub max_points: usize,
    /// Numbers of headers: name, and the least and the most that can be right, in the unit of the name.
    pub header_bounds: Vec<(&'static str, f64, f64)>,
    /// Relative difference in frequency from which a basis set is refused.
    pub basis_field: f64,
    /// Largest file that is read (bytes).
    pub max_file_bytes: u64,
    /// Part of the transients above which rejection raises a flag: one in so many.
    pub rejected_one_in: usize,
    /// Height of the signal over its noise from which transients are aligned.
    pub aligned_from: f64,
    /// Largest difference in frequency between edit conditions that is looked for (Hz).
    pub conditions_apart_hz: f64,
    /// Least height of a water reference over the data's.
    pub water_over_data: f64,
    /// Height of water over the tallest metabolite from which it was not suppressed.
    pub unsuppressed: f64,
    /// Relative difference in dwell time from which a water reference corrects no eddy currents.
    pub water_dwell: f64,
    /// Standard deviations between halves of an FID, and the second one's noise over the first one's, at which noise falls.
    pub noise_falls: (f64, f64),
    /// Height of residual water over the metabolites' from which it is removed.
    pub water_over_metabolites: f64,
    /// Least height of a water reference over the tallest metabolite.
    pub reference_over_metabolites: f64,
    /// Residual of the water reference's fit above which it is not believed.
    pub water_misfit: f64,
    /// Spread of the sizes of the reference's transients above which they differ.
    pub water_unlike: f64,
    /// Relative difference of echo and repetition times from which they are not the same.
    pub times_differ: f64,
    /// Relative difference of the spectrometer frequencies from which a water reference is another scanner's.
    pub water_f0: f64,
    /// Distance of centres in parts of the shortest edge, and relative difference of volumes, from which a water reference is
    /// of another voxel.
    pub water_voxel: (f64, f64, f64),
    /// Ratio of the noises of spectrum and reference from which their gains were not the same.
    pub gain_differs: f64,
    /// Height of lipids over NAA's from which they disturb.
    pub lipids: f64,
}

/// A word of the column `qc_flags`.
pub(super) fn flag_entry(code: &'static str, threshold: String, meaning: &'static str, remedy: &'static str) -> Entry {
    Entry { code, kind: Kind::Flag, threshold, meaning, remedy }
}
