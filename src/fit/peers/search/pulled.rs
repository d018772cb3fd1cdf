//! Fits in turn with rows that follow the solution before (TARQUIN, Osprey).

use super::super::bounded::Singular;
use super::super::objective::Weights;
use super::super::settings::Ratios;
use super::super::soft::pulling_rows;
use super::super::solver::Point;
use super::Search;

/// Most fits in turn.
const MOST_FITS: usize = 60;
/// Largest change of an amplitude from one fit to the next, relative to the largest amplitude, that counts as none.
const SETTLED: f64 = 1e-3;

impl Search<'_, '_> {
    /// Rows of the solution at `p`; `c` are its amplitudes. Osprey's follow the amplitudes without any rows there.
    pub(super) fn follow(&mut self, p: &[f64], c: &[f64]) -> Result<(), Singular> {
        let without = Weights { soft: Vec::new(), ..self.weights.clone() };
        let before = self.problem.model.settings.ratios == Ratios::Tarquin && !c.is_empty();
        let weights = if before { &self.weights } else { &without };
        let linear = self.objective.linear(self.problem, p, weights, c)?;
        let columns = self.objective.columns(self.problem, p);
        self.weights.soft = pulling_rows(self.problem, columns, &linear.c);
        Ok(())
    }

    /// Fits with the rows of the fit before until the amplitudes stay; not converged where they do not.
    pub(super) fn settle(&mut self, starting: &Point) -> Result<(), Singular> {
        let members = self.problem.members.len();
        let mut before = starting.clone();
        for _ in 1..MOST_FITS {
            self.follow(&before.p, &before.linear.c)?;
            let now = self.fit(false)?;
            self.keep_near(&now);
            self.keep_best();
            let amplitudes = || now.linear.c[..members].iter().zip(&before.linear.c);
            let largest = amplitudes().fold(0.0, |m: f64, (c, _)| m.max(*c));
            if amplitudes().all(|(now, before)| (now - before).abs() <= SETTLED * largest) {
                return Ok(());
            }
            before = now;
        }
        if let Some(best) = &mut self.best {
            best.point.converged = false;
        }
        Ok(())
    }
}
