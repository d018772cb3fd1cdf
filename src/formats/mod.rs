//! Bytes to [`Acquisition`](crate::acquisition::Acquisition): one file a format, no panics on any byte string.

pub mod lcmodel_control;
pub mod lcmodel_raw;
pub mod namelist;
