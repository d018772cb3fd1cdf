//! The attributes that are looked at (DICOM PS3.6, and what vendors have of their own).

use dicom_object::Tag;

pub(super) const IMAGE_TYPE: Tag = Tag(0x0008, 0x0008);
pub(super) const SOP_CLASS: Tag = Tag(0x0008, 0x0016);
pub(super) const MANUFACTURER: Tag = Tag(0x0008, 0x0070);
pub(super) const SERIES_DESCRIPTION: Tag = Tag(0x0008, 0x103e);
pub(super) const CONTRAST: Tag = Tag(0x0008, 0x9209);
pub(super) const SLICE_THICKNESS: Tag = Tag(0x0018, 0x0050);
pub(super) const CLASSIC_SEQUENCE_NAME: Tag = Tag(0x0018, 0x0024);
pub(super) const REPETITION_TIME: Tag = Tag(0x0018, 0x0080);
pub(super) const ECHO_TIME: Tag = Tag(0x0018, 0x0081);
pub(super) const AVERAGES: Tag = Tag(0x0018, 0x0083);
pub(super) const AVERAGES_SEQUENCE: Tag = Tag(0x0018, 0x9119);
pub(super) const IMAGING_FREQUENCY: Tag = Tag(0x0018, 0x0084);
pub(super) const IMAGED_NUCLEUS: Tag = Tag(0x0018, 0x0085);
pub(super) const PROTOCOL_NAME: Tag = Tag(0x0018, 0x1030);
pub(super) const FLIP_ANGLE: Tag = Tag(0x0018, 0x1314);
pub(super) const SEQUENCE_NAME: Tag = Tag(0x0018, 0x9005);
pub(super) const SUPPRESSION: Tag = Tag(0x0018, 0x9025);
pub(super) const SPECTRAL_WIDTH: Tag = Tag(0x0018, 0x9052);
pub(super) const LOCALIZATION: Tag = Tag(0x0018, 0x9054);
pub(super) const EFFECTIVE_ECHO_TIME: Tag = Tag(0x0018, 0x9082);
pub(super) const TRANSMITTER_FREQUENCY: Tag = Tag(0x0018, 0x9098);
pub(super) const NUCLEUS: Tag = Tag(0x0018, 0x9100);
pub(super) const TIMING_SEQUENCE: Tag = Tag(0x0018, 0x9112);
pub(super) const ECHO_SEQUENCE: Tag = Tag(0x0018, 0x9114);
pub(super) const WATER_REFERENCED: Tag = Tag(0x0018, 0x9199);
pub(super) const ACQUISITION_TYPE: Tag = Tag(0x0018, 0x9200);
/// Steps of phase encoding: columns, rows, slices.
pub(super) const PHASE_STEPS: [Tag; 3] = [Tag(0x0018, 0x9234), Tag(0x0018, 0x9095), Tag(0x0018, 0x9159)];
pub(super) const POSITION: Tag = Tag(0x0020, 0x0032);
pub(super) const ORIENTATION: Tag = Tag(0x0020, 0x0037);
pub(super) const POSITION_SEQUENCE: Tag = Tag(0x0020, 0x9113);
pub(super) const ORIENTATION_SEQUENCE: Tag = Tag(0x0020, 0x9116);
pub(super) const FRAMES: Tag = Tag(0x0028, 0x0008);
pub(super) const ROWS: Tag = Tag(0x0028, 0x0010);
pub(super) const COLUMNS: Tag = Tag(0x0028, 0x0011);
pub(super) const PIXEL_SPACING: Tag = Tag(0x0028, 0x0030);
pub(super) const POINT_ROWS: Tag = Tag(0x0028, 0x9001);
pub(super) const POINT_COLUMNS: Tag = Tag(0x0028, 0x9002);
pub(super) const MEASURES_SEQUENCE: Tag = Tag(0x0028, 0x9110);
pub(super) const SHARED_GROUPS: Tag = Tag(0x5200, 0x9229);
pub(super) const FRAME_GROUPS: Tag = Tag(0x5200, 0x9230);
pub(super) const SPECTROSCOPY_DATA: Tag = Tag(0x5600, 0x0020);
pub(super) const PIXEL_DATA: Tag = Tag(0x7fe0, 0x0010);

/// Siemens' CSA headers of the spectrum, their kinds, and its samples (nibabel's description, see [`super::csa`]).
pub(super) const CSA_HEADER: [Tag; 3] = [Tag(0x0029, 0x1010), Tag(0x0029, 0x1110), Tag(0x0029, 0x1210)];
pub(super) const CSA_KIND: [Tag; 3] = [Tag(0x0029, 0x1008), Tag(0x0029, 0x1108), Tag(0x0029, 0x1208)];
pub(super) const CSA_DATA: Tag = Tag(0x7fe1, 0x1010);
/// Siemens' time between two samples (ns) beside the CSA header.
pub(super) const SIEMENS_DWELL: Tag = Tag(0x0019, 0x1018);
/// Siemens XA, in the groups of a frame: a sequence of its own, in which the readout's counters stand (`X_1_2_1_…`: channel,
/// echo, phase, set …, from 1).
pub(super) const SIEMENS_FRAME: [Tag; 2] = [Tag(0x0021, 0x10fe), Tag(0x0021, 0x11fe)];
pub(super) const SIEMENS_COUNTERS: [Tag; 2] = [Tag(0x0021, 0x1006), Tag(0x0021, 0x1106)];

/// Philips' own (PMS R32 dictionary, <https://github.com/malaterre/dicom-private-dicts>, and Osprey's notes on its DICOM):
/// echo time (ms, as text), frequency (MHz), nucleus, repetition times (ms).
pub(super) const PHILIPS_ECHO_TIME: Tag = Tag(0x2001, 0x1025);
pub(super) const PHILIPS_FREQUENCY: Tag = Tag(0x2001, 0x1083);
pub(super) const PHILIPS_NUCLEUS: Tag = Tag(0x2001, 0x1087);
pub(super) const PHILIPS_REPETITION_TIME: Tag = Tag(0x2005, 0x1030);
/// Philips' own voxel: its angulations (degrees) about front–back, foot–head and left–right, its extents (mm) and its centre
/// (mm from the isocentre) along them.
pub(super) const PHILIPS_VOLUME: Tag = Tag(0x2005, 0x1085);
pub(super) const PHILIPS_ANGLES: [Tag; 3] = [Tag(0x2005, 0x1056), Tag(0x2005, 0x1054), Tag(0x2005, 0x1055)];
pub(super) const PHILIPS_EXTENTS: [Tag; 3] = [Tag(0x2005, 0x1059), Tag(0x2005, 0x1057), Tag(0x2005, 0x1058)];
pub(super) const PHILIPS_CENTRE: [Tag; 3] = [Tag(0x2005, 0x105c), Tag(0x2005, 0x105a), Tag(0x2005, 0x105b)];
/// What kind of scan it is: `SPECTRO`.
pub(super) const PHILIPS_SCAN: Tag = Tag(0x2005, 0x10c0);
/// Samples of the classic object, their points, and the spectral width (Hz).
pub(super) const PHILIPS_SAMPLES: Tag = Tag(0x2005, 0x1270);
pub(super) const PHILIPS_POINTS: Tag = Tag(0x2005, 0x1315);
pub(super) const PHILIPS_WIDTH: Tag = Tag(0x2005, 0x1357);
/// One item a frame, in which: whether it is a water reference, its echo time (ms), and whether its editing pulse was on.
pub(super) const PHILIPS_FRAMES: Tag = Tag(0x2005, 0x140f);
pub(super) const PHILIPS_REFERENCE: Tag = Tag(0x2005, 0x1304);
pub(super) const PHILIPS_FRAME_ECHO_TIME: Tag = Tag(0x2005, 0x1310);
pub(super) const PHILIPS_EDIT: Tag = Tag(0x2005, 0x1598);
/// Whether the scan is edited: `Y`.
pub(super) const PHILIPS_EDITED: Tag = Tag(0x2005, 0x1597);

/// United Imaging's own (spec2nii): samples of the water reference, and of the conditions with the editing pulse on and off.
pub(super) const UIH_WATER: Tag = Tag(0x0065, 0xff07);
pub(super) const UIH_ON: Tag = Tag(0x0065, 0xff10);
pub(super) const UIH_OFF: Tag = Tag(0x0065, 0xff11);

/// Classes of objects (PS3.4 B.5): spectra, raw data; Philips' of spectra, series and protocols; Siemens' of what is no image.
pub(super) const MR_SPECTROSCOPY: &str = "1.2.840.10008.5.1.4.1.1.4.2";
pub(super) const RAW_DATA: &str = "1.2.840.10008.5.1.4.1.1.66";
pub(super) const PHILIPS_SPECTRUM: &str = "1.3.46.670589.11.0.0.12.1";
pub(super) const PHILIPS_SERIES: &str = "1.3.46.670589.11.0.0.12.2";
pub(super) const PHILIPS_PROTOCOLS: &str = "1.3.46.670589.11.0.0.12.4";
const SIEMENS_NO_IMAGE: &str = "1.3.12.2.1107.5.9.1";

/// Whether a class is one of spectra.
pub(super) fn is_class_of_spectra(class: &str) -> bool {
    [MR_SPECTROSCOPY, PHILIPS_SPECTRUM, SIEMENS_NO_IMAGE].contains(&class)
}

/// How a value is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text, several values with a backslash between them: IS, DS, LO, SH, CS.
    Text,
    /// FL.
    Float,
    /// FD.
    Double,
    /// SS, US: the sign is for whoever asks.
    Short,
    /// SL, UL.
    Long,
}

/// How vendors' own attributes are stored, for files that do not say so: in implicit files nobody else knows.
const OWN: [(Tag, Kind); 26] = [
    (SIEMENS_DWELL, Kind::Text),
    (SIEMENS_COUNTERS[0], Kind::Text),
    (SIEMENS_COUNTERS[1], Kind::Text),
    (PHILIPS_ECHO_TIME, Kind::Text),
    (PHILIPS_FREQUENCY, Kind::Text),
    (PHILIPS_NUCLEUS, Kind::Text),
    (PHILIPS_REPETITION_TIME, Kind::Float),
    (PHILIPS_ANGLES[0], Kind::Float),
    (PHILIPS_ANGLES[1], Kind::Float),
    (PHILIPS_ANGLES[2], Kind::Float),
    (PHILIPS_EXTENTS[0], Kind::Float),
    (PHILIPS_EXTENTS[1], Kind::Float),
    (PHILIPS_EXTENTS[2], Kind::Float),
    (PHILIPS_CENTRE[0], Kind::Float),
    (PHILIPS_CENTRE[1], Kind::Float),
    (PHILIPS_CENTRE[2], Kind::Float),
    (PHILIPS_SCAN, Kind::Text),
    (PHILIPS_POINTS, Kind::Short),
    (PHILIPS_WIDTH, Kind::Float),
    (PHILIPS_REFERENCE, Kind::Short),
    (PHILIPS_FRAME_ECHO_TIME, Kind::Float),
    (PHILIPS_EDIT, Kind::Text),
    (PHILIPS_EDITED, Kind::Text),
    (CSA_KIND[0], Kind::Text),
    (CSA_KIND[1], Kind::Text),
    (CSA_KIND[2], Kind::Text),
];

/// How a vendor's own attribute is stored.
pub(super) fn own_kind(tag: Tag) -> Option<Kind> {
    OWN.iter().find(|(own, _)| *own == tag).map(|(_, kind)| *kind)
}
