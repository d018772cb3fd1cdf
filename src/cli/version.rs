//! What `--version` says: which build this is, so that a result can be traced to it.

use std::sync::LazyLock;

use crate::store::provenance::GIT_HASH;

/// The version alone, as `-V` says it.
pub(super) const SHORT: &str = env!("CARGO_PKG_VERSION");

/// With the commit (where it was built from a checkout), the features, and what it was built for.
pub(super) fn long() -> &'static str {
    static TEXT: LazyLock<String> = LazyLock::new(|| {
        let commit =
            GIT_HASH.filter(|hash| !hash.is_empty()).map(|hash| format!(" (commit {hash})")).unwrap_or_default();
        let target = option_env!("REQUANT_TARGET").unwrap_or("unknown");
        format!("{SHORT}{commit}\nfeatures: {}\ntarget: {target}", features().join(", "))
    });
    TEXT.as_str()
}

/// The features that were built in.
fn features() -> Vec<&'static str> {
    let all = [("cli", cfg!(feature = "cli")), ("gpu", cfg!(feature = "gpu")), ("report", cfg!(feature = "report"))];
    all.into_iter().filter_map(|(name, is_in)| is_in.then_some(name)).collect()
}
