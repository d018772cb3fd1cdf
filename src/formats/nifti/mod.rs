//! NIfTI-1 and NIfTI-2 containers: header, extensions and the place of the data. What the numbers mean
//! is for [`super::nifti_mrs`] to say.

mod header;
pub(super) mod layout;
mod open;
mod place;
pub(super) mod writer;

pub use header::{Extension, MOST_DATA, Nifti, NiftiError, element_bytes};
pub(super) use header::{HEADER_BYTES, datatype_by_magic};
pub(super) use open::Opened;
pub use open::parse;
pub(crate) use place::corners_apart_mm;
pub(super) use place::quaternion;
pub use place::{Form, Forms, Geometry};
pub use writer::{image, packed};
