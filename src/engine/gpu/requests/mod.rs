//! Other programs' methods on the device: their fits run on the host, and what they ask for is answered together.

mod batch;
mod rendezvous;

pub(super) use batch::{Requests, constants};
pub(super) use rendezvous::{Asker, fit};
