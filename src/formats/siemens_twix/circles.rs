//! Readouts that follow one another in circles of conditions or steps. A counter tells which is which, where one counts
//! them: a readout that is missing then shifts no other.

use std::collections::{BTreeMap, BTreeSet};

use super::readouts::{COUNTERS, Readout, index, varies};

/// More missing values of a counter than these are not spelt out.
const SPELT_OUT: usize = 8;

/// Readouts, each with its place in the measurement's order, from 0.
pub(super) struct Placed {
    pub(super) readouts: Vec<(usize, Readout)>,
    /// The counter's name and its values that no readout has.
    missing: Option<(&'static str, Vec<usize>)>,
}

impl Placed {
    /// The places of `readouts` by the first of `counters` that tells them, else by their order in the file. Circles have `n`
    /// readouts; `asked` are the numbers of readouts that the header may ask for.
    pub(super) fn new(readouts: &[Readout], counters: &[String], n: usize, asked: &[usize]) -> Self {
        let counters = || counters.iter().filter(|name| varies(readouts, name)).filter_map(|name| index(name));
        let values = |counter: usize| readouts.iter().map(move |r| usize::from(r.counters[counter]));
        let unique = |counter: &usize| values(*counter).collect::<BTreeSet<_>>().len() == readouts.len();
        let told = counters().find(unique).map(|counter| (counter, values(counter).collect()));
        let by_counter =
            |(counter, values): (usize, Vec<usize>)| by_counter(readouts, COUNTERS[counter].1, &values, n, asked);
        told.and_then(by_counter)
            .or_else(|| counters().find_map(|counter| by_groups(readouts, &values(counter).collect::<Vec<_>>(), n)))
            .or_else(|| counters().find_map(|counter| by_counter((counter, unwrapped(values(counter), n)?))))
            .unwrap_or_else(|| Self { readouts: readouts.iter().copied().enumerate().collect(), missing: None })
    }

    /// Says which readouts are missing.
    pub(super) fn say_missing(&self, remarks: &mut Vec<String>) {
        let Some((counter, values)) = self.missing.as_ref().filter(|(_, values)| !values.is_empty()) else { return };
        let listed: Vec<String> = values.iter().take(SPELT_OUT).map(usize::to_string).collect();
        let more = values.len().saturating_sub(SPELT_OUT);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        remarks.push(format!("readouts are missing: the counter `{counter}` lacks {}{more}", listed.join(", ")));
    }
}

/// Circles of which all `n` readouts are there; what is left out is said. `kind`: conditions or steps.
pub(super) fn whole(
    readouts: &[(usize, Readout)],
    n: usize,
    kind: &str,
    remarks: &mut Vec<String>,
) -> Vec<Vec<Readout>> {
    if n == 0 {
        return Vec::new();
    }
    let mut circles: BTreeMap<usize, Vec<(usize, Readout)>> = BTreeMap::new();
    for (place, readout) in readouts {
        circles.entry(place / n).or_default().push((place % n, *readout));
    }
    let last = circles.keys().next_back().copied();
    let (mut broken, mut beyond) = (0, 0);
    let mut all = Vec::new();
    for (number, mut circle) in circles {
        circle.sort_by_key(|(step, _)| *step);
        let ends_early = circle.iter().map(|(step, _)| *step).eq(0..circle.len());
        match circle.len() {
            length if length == n => all.push(circle.into_iter().map(|(_, readout)| readout).collect()),
            length if Some(number) == last && ends_early => beyond += length,
            length => broken += length,
        }
    }
    if broken > 0 {
        remarks.push(format!("{broken} readouts of circles of {n} {kind} that are not whole were left out"));
    }
    if beyond > 0 {
        remarks.push(format!("{beyond} readouts beyond the last whole circle of {n} {kind} were left out"));
    }
    all
}

/// Places by the values of a counter, each of which one readout has. `None` where the counter counts something else: most of
/// its values are not there.
fn by_counter(
    readouts: &[Readout],
    counter: &'static str,
    values: &[usize],
    n: usize,
    asked: &[usize],
) -> Option<Placed> {
    let (first, last) = (*values.iter().min()?, *values.iter().max()?);
    // A counter may go on by two, or by the number of coils.
    let stride = values.iter().fold(0, |divisor, value| greatest_common_divisor(divisor, value - first)).max(1);
    let origin = if stride == 1 { origin(first, last, n, asked) } else { first };
    let places = values.iter().map(|value| (value - origin) / stride);
    let mut placed: Vec<(usize, Readout)> = places.zip(readouts.iter().copied()).collect();
    placed.sort_by_key(|(place, _)| *place);
    let there: BTreeSet<usize> = values.iter().copied().collect();
    let missing: Vec<usize> = (origin..=last).step_by(stride).filter(|value| !there.contains(value)).collect();
    (missing.len() < there.len()).then_some(Placed { readouts: placed, missing: Some((counter, missing)) })
}

/// The value of the measurement's first readout. Counters begin at 0, but for those that count other readouts as well, and
/// those that begin at 1: their last value is beyond what the header asks for. Where the header does not say, whole circles tell.
fn origin(first: usize, last: usize, n: usize, asked: &[usize]) -> usize {
    if asked.is_empty() {
        return if (last + 1 - first).is_multiple_of(n.max(1)) { first } else { 0 };
    }
    let beyond = asked.iter().filter_map(|asked| (last + 1).checked_sub(*asked));
    beyond.filter(|origin| *origin <= first).max().unwrap_or(0)
}

/// The values of a counter that begins again and again, counted on. `None` where it does not last a number of whole circles.
fn unwrapped(values: impl Iterator<Item = usize> + Clone, n: usize) -> Option<Vec<usize>> {
    let period = values.clone().max()? + 1;
    let mut turns = 0;
    let mut before = None;
    let counted = values.map(|value| {
        if before.is_some_and(|before| value <= before) {
            turns += 1;
        }
        before = Some(value);
        turns * period + value
    });
    (period > 1 && period.is_multiple_of(n.max(1))).then(|| counted.collect())
}

/// Places by a counter that is the same for all `n` readouts of a circle.
fn by_groups(readouts: &[Readout], values: &[usize], n: usize) -> Option<Placed> {
    let mut groups: BTreeMap<usize, Vec<Readout>> = BTreeMap::new();
    values.iter().zip(readouts).for_each(|(value, readout)| groups.entry(*value).or_default().push(*readout));
    let runs = 1 + values.windows(2).filter(|two| two[0] != two[1]).count();
    let most = groups.values().map(Vec::len).max()?;
    let whole = groups.values().filter(|group| group.len() == n).count();
    if runs != groups.len() || most != n || 2 * whole < groups.len() {
        return None;
    }
    let groups = groups.into_values().enumerate();
    let placed = groups.flat_map(|(k, group)| group.into_iter().enumerate().map(move |(i, r)| (k * n + i, r)));
    Some(Placed { readouts: placed.collect(), missing: None })
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}
