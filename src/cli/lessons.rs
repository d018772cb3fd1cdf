//! What `run` and `learn` learn from a corpus, in which order, and how it is told.

use clap::ValueEnum;

use super::error::CliError;
use super::progress::Shown;
use crate::engine::Engine;
use crate::fit::Method;
use crate::learn::{self, LearnOptions, Scope};
use crate::learned::Learned;
use crate::run::{Inputs, RunError, RunOptions};

/// One thing to learn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Lesson {
    /// Nothing.
    None,
    /// Macromolecules and linewidth of each field, sequence and echo time.
    Protocol,
    /// Macromolecules and linewidth of each protocol at each site.
    Site,
    /// Pulses of the simulated basis sets of each protocol and vendor.
    Recipe,
}

/// What is learned: pulses first, as the rest is learned with the sets that they make.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lessons {
    recipe: bool,
    scope: Option<Scope>,
}

impl Lessons {
    /// What `asked` means for a job of `options`.
    pub(super) fn of(asked: &[Lesson], options: &RunOptions) -> Result<Self, CliError> {
        let has = |lesson| asked.contains(&lesson);
        let refused = |message: &str| Err(CliError::new(2, anyhow::anyhow!("{message}")));
        if has(Lesson::None) && asked.iter().any(|lesson| *lesson != Lesson::None) {
            return refused("`none` and something else to learn: which is it?");
        }
        if has(Lesson::Protocol) && has(Lesson::Site) {
            return refused("learn by `protocol` or by `site`, not both: a spectrum has one prior");
        }
        let recipe = has(Lesson::Recipe);
        let first = options.methods.first();
        if recipe && (options.basis.is_some() || options.recipe.is_some() || options.gaps.pulses.is_some()) {
            return refused("`recipe` learns what --basis, --recipe and --pulses state: give the one or the others");
        }
        if recipe && matches!(first, Some(Method::Peaks(_))) {
            return refused(
                "`recipe` is learned by the first method, which takes no basis set: give another one first",
            );
        }
        let scope = match (has(Lesson::Protocol), has(Lesson::Site)) {
            (true, _) => Some(Scope::Protocol),
            (_, true) => Some(Scope::Site),
            _ => None,
        };
        Ok(Self { recipe, scope })
    }

    /// Whether nothing is learned.
    pub(super) fn is_empty(self) -> bool {
        !self.recipe && self.scope.is_none()
    }

    /// Whether macromolecules and linewidth are learned.
    pub(super) fn has_priors(self) -> bool {
        self.scope.is_some()
    }

    /// Learns, and leaves in `options` what was learned.
    pub(super) fn learn(
        self,
        options: &mut RunOptions,
        inputs: &Inputs,
        how: impl Fn(Scope) -> LearnOptions,
        engine: &dyn Engine,
    ) -> Result<(), RunError> {
        if self.recipe {
            let shown = Shown::new();
            let recipes = learn::learn_recipes(options, inputs, engine, &shown);
            shown.finish();
            options.learned = Some(Learned { recipes: recipes?, ..Learned::default() });
        }
        if let Some(scope) = self.scope {
            let shown = Shown::new();
            let learned = learn::learn_found(options, inputs, &how(scope), engine, &shown);
            shown.finish();
            options.learned = Some(learned?);
        }
        Ok(())
    }
}

/// One line a group.
pub(super) fn print_learned(learned: &Learned) {
    if learned.groups.is_empty() && learned.recipes.is_empty() {
        say!(
            "nothing was learned: no protocol has {} spectra with sound fits by a method that has a pattern (for pulses: whose pulses nobody states)",
            learn::MIN_SPECTRA
        );
    }
    for recipe in &learned.recipes {
        say!("learned: {}", recipe.in_words());
    }
    for group in &learned.groups {
        say!(
            "learned: {}{} · {} spectra · {} passes · areas vary by {:.0} %, chemical shifts by {:.3} ppm",
            group.protocol,
            group.site.as_ref().map(|s| format!(" · {s}")).unwrap_or_default(),
            group.n_spectra,
            group.n_passes,
            100.0 * group.shared.peak_sd,
            group.shared.shift_sd_ppm
        );
    }
}
