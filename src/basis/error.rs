//! Why a basis set cannot be read or used.

use crate::formats::namelist::NamelistError;
use std::path::PathBuf;
use thiserror::Error;

/// Why a basis set could not be read or used.
#[derive(Debug, Error)]
pub enum BasisError {
    /// A file or folder cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Header or data of a text file do not parse.
    #[error("{}: {source}", path.display())]
    Text {
        /// The file.
        path: PathBuf,
        /// What does not parse, with its line.
        source: NamelistError,
    },
    /// The spectra are encrypted (negative BADELT).
    #[error("{}: the spectra are encrypted (BADELT is negative); ask its maker for the plain .RAW or .BASIS files", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// Something that the fit needs is stated nowhere.
    #[error("{}: {field} is not stated; {hint}", path.display())]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// What is missing.
        field: &'static str,
        /// Where it may come from.
        hint: &'static str,
    },
    /// A header value makes no sense.
    #[error("{}: {field} = {value} is not usable; it must be {must_be}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Name of the header value.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What it must be.
        must_be: &'static str,
    },
    /// One member of the set cannot be read.
    #[error("{}: metabolite {member}: {reason}", path.display())]
    Member {
        /// The file.
        path: PathBuf,
        /// Name of the member as the file has it.
        member: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Two members have the same canonical name.
    #[error("{}: {first:?} and {second:?} are both {canonical}; keep one of them", path.display())]
    Duplicate {
        /// The file or folder.
        path: PathBuf,
        /// The first one as written.
        first: String,
        /// The second one as written.
        second: String,
        /// Their common canonical name.
        canonical: String,
    },
    /// A sum stands beside a part of it.
    #[error("{}: {sum} is a sum and {member} a part of it: counted twice; keep the sum or its parts", path.display())]
    SumAndMember {
        /// The file or folder.
        path: PathBuf,
        /// Canonical name of the sum.
        sum: String,
        /// Its parts that are members, too.
        member: String,
    },
    /// No member was found.
    #[error("{}: holds no basis spectra; give an LCModel .BASIS, a folder of .RAW, of FSL-MRS .json or of NIfTI-MRS files", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
    },
    /// A folder holds members of more than one kind.
    #[error("{}: holds member files of more than one format; leave one kind of .RAW, .json or NIfTI-MRS there", path.display())]
    Mixed {
        /// The folder.
        path: PathBuf,
    },
    /// Regridding was asked for a grid that makes no sense.
    #[error(
        "cannot regrid basis {id:?} to dwell {dwell_s} s, {f0_mhz} MHz, {n_points} points: all must be positive, and the bandwidth within a factor of 100 of the basis's"
    )]
    Grid {
        /// Name of the basis set.
        id: String,
        /// Dwell time asked for (s).
        dwell_s: f64,
        /// Spectrometer frequency asked for (MHz).
        f0_mhz: f64,
        /// Number of points asked for.
        n_points: usize,
    },
}
