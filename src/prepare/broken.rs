//! Transients and coils that hold no numbers: an export that failed in one place, a receiver that was not plugged in. They are
//! left out, and a flag tells; what is left is prepared as if they had not been measured.

use num_complex::Complex64;

use super::align::Offset;
use super::{PrepareError, Record, error::check_finite};
use crate::acquisition::{Acquisition, Samples, Series};

/// Flags that transients were left out, once.
pub(super) fn flag_transients(record: &mut Record) {
    if !record.flags.contains(&"broken_transients") {
        record.flags.push("broken_transients");
    }
}

/// Flags that coils were left out, once.
pub(super) fn flag_coils(record: &mut Record) {
    if !record.flags.contains(&"broken_coils") {
        record.flags.push("broken_coils");
    }
}

/// Whether a transient holds numbers, and not only zeros.
pub(super) fn is_usable(fid: &[Complex64]) -> bool {
    check_finite(fid).is_ok() && !is_empty(fid)
}

/// Whether a transient holds nothing but zeros.
pub(super) fn is_empty(fid: &[Complex64]) -> bool {
    fid.iter().all(|z| *z == Complex64::default())
}

/// Refuses stored samples that are real throughout, or imaginary. Coils and phases turn one part into the other, so that it shows
/// in what is stored alone. Noise is in both parts of whatever was measured: the first sound transient ends the search.
///
/// # Errors
/// [`PrepareError::OnePart`].
pub(super) fn check_parts(own: Series<'_>) -> Result<(), PrepareError> {
    let (n_transients, n_coils, _) = own.dim();
    let (mut has_real, mut has_imaginary) = (false, false);
    for fid in (0..n_transients).flat_map(|t| (0..n_coils).map(move |coil| own.fid(t, coil))) {
        has_real |= fid.iter().any(|z| z.re != 0.0);
        has_imaginary |= fid.iter().any(|z| z.im != 0.0);
        if has_real && has_imaginary {
            break;
        }
    }
    match (has_real, has_imaginary) {
        (true, false) => Err(PrepareError::OnePart { part: "imaginary" }),
        (false, true) => Err(PrepareError::OnePart { part: "real" }),
        _ => Ok(()),
    }
}

/// What of one voxel and condition can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Usable {
    transients: Vec<usize>,
    coils: Vec<usize>,
    /// Of how many each.
    of: (usize, usize),
}

impl Usable {
    /// Of a measurement's own samples, without the coils that are broken in `water`; `None` where nothing is left.
    pub(super) fn new(own: Series<'_>, water: Option<Series<'_>>) -> Option<Self> {
        let own = State::of(own);
        let mut coils = own.good_coils();
        if let Some(water) = water.map(State::of).filter(|water| water.n_coils == own.n_coils) {
            let good = water.good_coils();
            // A reference without a single coil is refused or flagged as one.
            if coils.iter().any(|coil| good.contains(coil)) {
                coils.retain(|coil| good.contains(coil));
            }
        }
        let transients = own.good_transients(&coils);
        let is_something = !transients.is_empty() && !coils.is_empty();
        is_something.then_some(Self { of: (own.bad.len(), own.n_coils), transients, coils })
    }

    /// Those of a water reference that has `coils` of them usable.
    pub(super) fn of_water(&self, water: Series<'_>) -> Self {
        let state = State::of(water);
        let coils: Vec<usize> =
            if state.n_coils == self.of.1 { self.coils.clone() } else { (0..state.n_coils).collect() };
        let good = state.good_transients(&coils);
        let transients = if good.is_empty() { (0..state.bad.len()).collect() } else { good };
        Self { transients, coils, of: (state.bad.len(), state.n_coils) }
    }

    /// All of so many transients and coils.
    pub(super) fn all(n_transients: usize, n_coils: usize) -> Self {
        let (transients, coils) = ((0..n_transients).collect(), (0..n_coils).collect());
        Self { transients, coils, of: (n_transients, n_coils) }
    }

    /// Of these transients some, by their numbers among them.
    pub(super) fn of_these(&self, numbers: &[usize]) -> Self {
        let transients = numbers.iter().filter_map(|number| self.transients.get(*number).copied()).collect();
        Self { transients, ..self.clone() }
    }

    /// Places of the transients that can be used.
    pub(super) fn transients(&self) -> &[usize] {
        &self.transients
    }

    pub(super) fn is_all(&self) -> bool {
        (self.transients.len(), self.coils.len()) == self.of
    }

    /// The same measurement with what can be used alone.
    pub(super) fn of_data(&self, data: &Acquisition) -> Acquisition {
        let [voxels, conditions, _, _, points] = data.samples.shape();
        let (all, transients, coils) = (data.samples.clone(), self.transients.clone(), self.coils.clone());
        let shape = [voxels, conditions, transients.len(), coils.len(), points];
        let samples = Samples::stored_in_parts(shape, move |[v, c, t, k], points| {
            all.points([v, c, transients[t], coils[k]], points)
        });
        Acquisition {
            grid: data.grid,
            first_voxel: data.first_voxel,
            affine_mm: data.affine_mm,
            condition_labels: data.condition_labels.clone(),
            editing: data.editing.clone(),
            facts: data.facts.clone(),
            ..Acquisition::from_samples(data.format, samples)
        }
    }

    /// The flags that tell what was left out.
    pub(super) fn flag(&self, record: &mut Record) {
        if self.transients.len() < self.of.0 {
            flag_transients(record);
        }
        if self.coils.len() < self.of.1 {
            flag_coils(record);
        }
    }

    /// Transients and what was found of them, in their places among all; those that cannot be used are left out.
    pub(super) fn put_back(&self, transients: Vec<Vec<Complex64>>, record: &mut Record) -> Vec<Vec<Complex64>> {
        let mut all = vec![Vec::new(); self.of.0];
        let mut kept = vec![false; self.of.0];
        let mut offsets = record.offsets.take().map(|found| (vec![Offset::default(); self.of.0], found));
        for (i, (&place, fid)) in self.transients.iter().zip(transients).enumerate() {
            all[place] = fid;
            kept[place] = record.kept.get(i).copied().unwrap_or(true);
            if let Some((offsets, found)) = &mut offsets
                && let Some(offset) = found.get(i)
            {
                offsets[place] = *offset;
            }
        }
        record.kept = kept;
        record.offsets = offsets.map(|(offsets, _)| offsets);
        all
    }
}

/// What each coil of each transient holds.
struct State {
    /// Whether it is not all numbers.
    bad: Vec<Vec<bool>>,
    /// Whether a transient is zero in all coils.
    empty: Vec<bool>,
    n_coils: usize,
}

impl State {
    fn of(series: Series<'_>) -> Self {
        let (n_transients, n_coils, _) = series.dim();
        let mut state = Self { bad: Vec::new(), empty: Vec::new(), n_coils };
        for transient in 0..n_transients {
            let fids: Vec<Vec<Complex64>> = (0..n_coils).map(|coil| series.fid(transient, coil)).collect();
            state.bad.push(fids.iter().map(|fid| check_finite(fid).is_err()).collect());
            state.empty.push(fids.iter().all(|fid| is_empty(fid)));
        }
        state
    }

    /// Coils that hold numbers in at least half of the transients in which any coil does.
    fn good_coils(&self) -> Vec<usize> {
        let some: Vec<&Vec<bool>> = self.bad.iter().filter(|coils| coils.iter().any(|bad| !bad)).collect();
        let n_bad = |coil: usize| some.iter().filter(|bad| bad[coil]).count();
        (0..self.n_coils).filter(|&coil| 2 * n_bad(coil) <= some.len()).collect()
    }

    fn good_transients(&self, coils: &[usize]) -> Vec<usize> {
        (0..self.bad.len()).filter(|&t| !self.empty[t] && coils.iter().all(|&coil| !self.bad[t][coil])).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use ndarray::Array5;

    use super::*;

    fn data(transients: usize, coils: usize, value: impl Fn(usize, usize) -> f64) -> Acquisition {
        let samples =
            Array5::from_shape_fn((1, 1, transients, coils, 4), |(_, _, t, k, _)| Complex64::new(value(t, k), 0.0));
        Acquisition::from_samples("test", samples)
    }

    fn usable(data: &Acquisition) -> Option<(Vec<usize>, Vec<usize>)> {
        Usable::new(data.series(0, 0), None).map(|usable| (usable.transients, usable.coils))
    }

    #[test]
    fn what_is_broken_is_left_out_and_nothing_else() {
        let all = || (vec![0, 1, 2, 3], vec![0, 1, 2]);
        assert_eq!(usable(&data(4, 3, |_, _| 1.0)), Some(all()));
        // A coil that measures nothing has its own place: no weight.
        assert_eq!(usable(&data(4, 3, |_, k| if k == 1 { 0.0 } else { 1.0 })), Some(all()));
        let one = data(4, 3, |t, _| if t == 2 { f64::NAN } else { 1.0 });
        assert_eq!(usable(&one), Some((vec![0, 1, 3], vec![0, 1, 2])));
        let in_one_coil = data(4, 3, |t, k| if (t, k) == (2, 1) { f64::INFINITY } else { 1.0 });
        assert_eq!(usable(&in_one_coil), Some((vec![0, 1, 3], vec![0, 1, 2])));
        let empty = data(4, 3, |t, _| if t == 0 { 0.0 } else { 1.0 });
        assert_eq!(usable(&empty), Some((vec![1, 2, 3], vec![0, 1, 2])));
        let coil = data(4, 3, |_, k| if k == 1 { f64::NAN } else { 1.0 });
        assert_eq!(usable(&coil), Some((vec![0, 1, 2, 3], vec![0, 2])));
        // Most transients, and a coil of those that are left.
        let both = data(4, 3, |t, k| if t < 2 || k == 0 { f64::NAN } else { 1.0 });
        assert_eq!(usable(&both), Some((vec![2, 3], vec![1, 2])));
        assert_eq!(usable(&data(4, 3, |_, _| f64::NAN)), None);
        assert_eq!(usable(&data(1, 1, |_, _| f64::NAN)), None);
    }

    #[test]
    fn samples_of_one_part_alone_are_refused() {
        let check = |value: fn(usize, usize) -> Complex64| {
            let samples = Array5::from_shape_fn((1, 1, 2, 3, 4), |(_, _, t, k, _)| value(t, k));
            check_parts(Acquisition::from_samples("test", samples).series(0, 0))
        };
        assert_eq!(check(|_, _| Complex64::new(1.0, 0.0)), Err(PrepareError::OnePart { part: "imaginary" }));
        assert_eq!(check(|_, _| Complex64::new(0.0, 1.0)), Err(PrepareError::OnePart { part: "real" }));
        assert_eq!(check(|_, _| Complex64::default()), Ok(()));
        // One transient of one coil is enough to know that both were stored.
        assert_eq!(check(|t, k| Complex64::new(1.0, if (t, k) == (1, 2) { 1e-9 } else { 0.0 })), Ok(()));
    }

    #[test]
    fn transients_come_back_to_their_places() {
        let data = data(3, 1, |t, _| if t == 1 { f64::NAN } else { 1.0 });
        let usable = Usable::new(data.series(0, 0), None).unwrap();
        let mut record = Record { kept: vec![false, true], offsets: None, ..Record::default() };
        let fids = vec![vec![Complex64::new(1.0, 0.0)], vec![Complex64::new(2.0, 0.0)]];
        let back = usable.put_back(fids.clone(), &mut record);
        assert_eq!(back, [fids[0].clone(), Vec::new(), fids[1].clone()]);
        assert_eq!(record.kept, [false, false, true]);
        usable.flag(&mut record);
        assert_eq!(record.flags, ["broken_transients"]);
    }
}
