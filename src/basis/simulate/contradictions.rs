//! What a recipe states that its own sequence has no use for: somebody thinks of another sequence, and must be told.

use super::kind::{Kind, kind};
use super::stated::Stated;

impl Stated {
    /// What of it contradicts its own sequence, or a sequence that nobody knows.
    pub(super) fn contradiction(&self) -> Option<String> {
        let name = self.sequence.as_deref()?;
        let kind = match kind(Some(name)) {
            Ok(kind) => kind,
            Err(fault) => return Some(fault),
        };
        let has_te1 = matches!(kind, Kind::Press | Kind::MegaPress);
        // Which PRESS and sLASER are edited the data say.
        let can_be_edited = has_te1 || matches!(kind, Kind::SemiLaser | Kind::MegaSemiLaser);
        let refocuses = !matches!(kind, Kind::Steam | Kind::SpinEcho);
        let unused = [
            (self.te1_s.is_some() && !has_te1, "te1_ms", "PRESS alone has a first echo that can be stated"),
            (self.tm_s.is_some() && kind != Kind::Steam, "tm_ms", "STEAM alone has a mixing time"),
            (
                self.refocus.is_some() && kind == Kind::Steam,
                "role = \"refocus\"",
                "all pulses of STEAM are of role `excite`",
            ),
            (self.refocus.is_some() && !refocuses, "role = \"refocus\"", "pulses of a spin echo are ideal"),
            (self.excite.is_some() && kind == Kind::SpinEcho, "role = \"excite\"", "pulses of a spin echo are ideal"),
            (self.edit.is_some() && !can_be_edited, "role = \"edit\"", "PRESS and sLASER alone can be edited"),
        ];
        let (_, key, why) = unused.into_iter().find(|(is_unused, ..)| *is_unused)?;
        Some(format!("{key} and name = `{name}` contradict each other: {why}"))
    }
}
