//! The attributes that are looked at (DICOM PS3.6, and what vendors have of their own).

use dicom_object::Tag;

pub(super) const MANUFACTURER: Tag = Tag(0x0008, 0x0070);
pub(super) const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
pub(super) const REPETITION_TIME: Tag = Tag(0x0018, 0x0080);
pub(super) const SLICE_THICKNESS: Tag = Tag(0x0018, 0x0050);
pub(super) const SUPPRESSION: Tag = Tag(0x0018, 0x9025);
pub(super) const SEQUENCE_NAME: Tag = Tag(0x0018, 0x9005);
pub(super) const SPECTRAL_WIDTH: Tag = Tag(0x0018, 0x9052);
pub(super) const LOCALIZATION: Tag = Tag(0x0018, 0x9054);
pub(super) const EFFECTIVE_ECHO_TIME: Tag = Tag(0x0018, 0x9082);
pub(super) const TRANSMITTER_FREQUENCY: Tag = Tag(0x0018, 0x9098);
pub(super) const NUCLEUS: Tag = Tag(0x0018, 0x9100);
pub(super) const TIMING_SEQUENCE: Tag = Tag(0x0018, 0x9112);
pub(super) const ECHO_SEQUENCE: Tag = Tag(0x0018, 0x9114);
pub(super) const WATER_REFERENCED: Tag = Tag(0x0018, 0x9199);
pub(super) const POSITION: Tag = Tag(0x0020, 0x0032);
pub(super) const ORIENTATION: Tag = Tag(0x0020, 0x0037);
pub(super) const POSITION_SEQUENCE: Tag = Tag(0x0020, 0x9113);
pub(super) const ORIENTATION_SEQUENCE: Tag = Tag(0x0020, 0x9116);
pub(super) const PIXEL_SPACING: Tag = Tag(0x0028, 0x0030);
pub(super) const MEASURES_SEQUENCE: Tag = Tag(0x0028, 0x9110);
pub(super) const FRAMES: Tag = Tag(0x0028, 0x0008);
pub(super) const ROWS: Tag = Tag(0x0028, 0x0010);
pub(super) const COLUMNS: Tag = Tag(0x0028, 0x0011);
pub(super) const POINT_ROWS: Tag = Tag(0x0028, 0x9001);
pub(super) const POINT_COLUMNS: Tag = Tag(0x0028, 0x9002);
pub(super) const SHARED_GROUPS: Tag = Tag(0x5200, 0x9229);
pub(super) const FRAME_GROUPS: Tag = Tag(0x5200, 0x9230);
pub(super) const SPECTROSCOPY_DATA: Tag = Tag(0x5600, 0x0020);
/// Siemens' CSA header of the spectrum, and its samples.
pub(super) const CSA_HEADER: [Tag; 2] = [Tag(0x0029, 0x1110), Tag(0x0029, 0x1210)];
pub(super) const CSA_DATA: Tag = Tag(0x7fe1, 0x1010);
/// Philips' own echo time (ms, as text) and repetition times (ms).
pub(super) const PHILIPS_ECHO_TIME: Tag = Tag(0x2001, 0x1025);
pub(super) const PHILIPS_REPETITION_TIME: Tag = Tag(0x2005, 0x1030);
/// Philips' own voxel: its extents (mm) from left to right, front to back and foot to head.
pub(super) const PHILIPS_VOLUME: Tag = Tag(0x2005, 0x1085);
pub(super) const PHILIPS_EXTENTS: [Tag; 3] = [Tag(0x2005, 0x1059), Tag(0x2005, 0x1057), Tag(0x2005, 0x1058)];
