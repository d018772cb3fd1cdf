//! Scratch memory of models, used again from spectrum to spectrum.

use std::sync::{Mutex, PoisonError};

/// Scratch of models, made when it is first needed and kept for whoever comes next: as many pieces as work at a time, whichever
/// thread that is on. Models that nobody has asked for longest lose theirs.
pub(super) struct Scratch<'a, M, T> {
    make: fn(&'a M) -> T,
    /// What nobody uses now, the last that was used at the end.
    idle: Mutex<Vec<(&'a M, T)>>,
    most: usize,
}

impl<'a, M, T> Scratch<'a, M, T> {
    /// Keeps what `make` makes of a model.
    pub(super) fn new(make: fn(&'a M) -> T) -> Self {
        Self { make, idle: Mutex::default(), most: 2 * rayon::current_num_threads() }
    }

    /// Does `work` with scratch of `model`.
    pub(super) fn with<R>(&self, model: &'a M, work: impl FnOnce(&mut T) -> R) -> R {
        let mut own = self.take(model).unwrap_or_else(|| (self.make)(model));
        let done = work(&mut own);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() >= self.most {
            idle.remove(0);
        }
        idle.push((model, own));
        done
    }

    fn take(&self, model: &M) -> Option<T> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let found = idle.iter().rposition(|(of, _)| std::ptr::eq(*of, model))?;
        Some(idle.remove(found).1)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn scratch_goes_back_to_its_own_model_and_is_not_kept_without_end() {
        let models: Vec<usize> = (0..100).collect();
        let scratch = Scratch::new(|model: &usize| vec![*model]);
        for model in models.iter().chain(&models[98..]) {
            scratch.with(model, |own| {
                assert_eq!(own[0], *model);
                own.push(0);
            });
        }
        // The last two were used twice, each with what it had left.
        assert_eq!(scratch.with(&models[99], |own| own.len()), 3);
        assert_eq!(scratch.with(&models[0], |own| own.len()), 1);
        assert!(scratch.idle.lock().unwrap().len() <= scratch.most);
    }
}
