//! Waveforms out of files.
