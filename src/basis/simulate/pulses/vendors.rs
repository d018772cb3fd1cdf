//! Vendors' pulses.
/// x
pub struct Vendor;
/// x
pub struct Choice;
