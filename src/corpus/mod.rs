//! Finds the work.
