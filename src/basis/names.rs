//! Canonical metabolite names.
