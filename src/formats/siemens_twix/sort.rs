//! Readouts sorted into water, conditions and transients, as a row of the table of loops says.

use std::collections::BTreeMap;

use super::circles::{self, Placed};
use super::protocol::{AVERAGES, Protocol};
use super::readouts::{COUNTERS, Readout, Readouts, index, varies};
use super::references::{self, Found, words};
use crate::acquisition::{Conditions, Editing, Samples, Turns, named_editing};
use crate::formats::loops::{self, IN_TURN, Row};

/// Counters with more values than this count transients rather than conditions, where no other counter does.
const MANY_VALUES: usize = 4;
/// Readouts of one kind differ in strength by no more.
const ALIKE: f64 = 2.0;

/// A transient: readouts and what each is multiplied with before they are added.
pub(super) type Transient = Vec<(Readout, f64)>;

/// What is asked about a measurement.
pub(super) struct Scan<'a> {
    pub(super) row: &'a Row,
    pub(super) protocol: &'a Protocol,
    pub(super) readouts: &'a Readouts,
    pub(super) sequence: &'a str,
}

/// Readouts by what they are.
#[derive(Default)]
pub(super) struct Sorted {
    /// Transients of each condition.
    pub(super) conditions: Vec<Vec<Transient>>,
    pub(super) labels: Vec<String>,
    pub(super) editing: Option<Editing>,
    pub(super) water: Option<(Vec<Readout>, String)>,
    /// The same, of steps that are added with signs.
    pub(super) signed_water: Option<(Vec<Transient>, String)>,
}

/// Groups of readouts with the values of the counters that tell them apart.
type Groups = BTreeMap<Vec<u16>, Vec<Readout>>;

impl Scan<'_> {
    /// Water, conditions and transients of a measurement of one kind.
    pub(super) fn sorted(&self, remarks: &mut Vec<String>) -> Sorted {
        let found = self.row.water.as_ref();
        let found = found.and_then(|rule| references::by_header(rule, self.protocol, self.readouts, remarks));
        let (water, rest) = match found {
            Some(Found { water, words, rest }) => (Some((water, words)), rest),
            None => (None, self.readouts.all.clone()),
        };
        let mut sorted = self.conditions(rest, water.is_none(), remarks);
        sorted.water = water.or(sorted.water);
        sorted
    }

    /// Readouts of metabolites by condition; where water is not known yet, some may turn out to be that.
    fn conditions(&self, rest: Vec<Readout>, may_hold_water: bool, remarks: &mut Vec<String>) -> Sorted {
        let mut unexplained = self.unexplained(&rest);
        let named = named_editing(self.sequence);
        let rule = self.row.conditions.as_ref();
        let along = rule.and_then(|rule| rule.along.iter().find(|a| *a == IN_TURN || varies(&rest, a)));
        if let Some(counter) = along.and_then(|name| index(name)) {
            unexplained.retain(|i| *i != counter);
            return self.by_counters(rest, &[&[counter], unexplained.as_slice()].concat(), false, remarks);
        }
        if !unexplained.is_empty() {
            if let Some(sorted) = self.one_counter_alone(&rest, &unexplained, may_hold_water, remarks) {
                return sorted;
            }
            return self.by_counters(rest, &unexplained, may_hold_water, remarks);
        }
        let number = rule.and_then(|rule| rule.number);
        if let (Some(IN_TURN), Some(n)) = (along.map(String::as_str), number)
            && rest.len() >= n
        {
            let placed = self.placed(&rest, n, remarks);
            return self.in_turn(&placed.readouts, n, remarks);
        }
        let is_edited = rule.is_some() || named.is_some();
        let n = number.or(named.and_then(|named| named.n_conditions));
        Sorted {
            editing: is_edited.then(|| Editing { conditions: Conditions::Mixed(n), ..Editing::default() }),
            ..Sorted::of_one(rest)
        }
    }

    /// Counters that vary though no row says what they count.
    fn unexplained(&self, rest: &[Readout]) -> Vec<usize> {
        let steps = self.row.steps.as_ref().map_or(&[][..], |steps| &steps.along);
        let is_known = |name: &str| self.row.transients.iter().chain(steps).any(|t| t == name);
        (0..COUNTERS.len()).filter(|i| !is_known(COUNTERS[*i].0) && varies(rest, COUNTERS[*i].0)).collect()
    }

    /// The places of readouts that follow one another in circles of `n`; says which are missing.
    pub(super) fn placed(&self, readouts: &[Readout], n: usize, remarks: &mut Vec<String>) -> Placed {
        let averages = self.protocol.count(AVERAGES);
        // What sequences count as an average is one readout or one circle.
        let asked: Vec<usize> = averages.into_iter().flat_map(|a| [a, a.saturating_mul(n)]).collect();
        let placed = Placed::new(readouts, &self.row.transients, n, &asked);
        placed.say_missing(remarks);
        placed
    }

    /// Conditions one after the other.
    pub(super) fn in_turn(&self, rest: &[(usize, Readout)], n: usize, remarks: &mut Vec<String>) -> Sorted {
        let circles = circles::whole(rest, n, "conditions", remarks);
        let conditions = (0..n).map(|c| circles.iter().map(|circle| vec![(circle[c], 1.0)]).collect()).collect();
        let (labels, editing) = self.editing(n);
        let editing = Editing { turns: Some(Turns::in_turn(n)), ..editing };
        let labels = labels.unwrap_or_else(|| (1..=n).map(|c| format!("condition{c}")).collect());
        Sorted { conditions, labels, editing: Some(editing), ..Sorted::default() }
    }

    /// What the row says of `n` conditions that are told apart.
    fn editing(&self, n: usize) -> (Option<Vec<String>>, Editing) {
        let rule = self.row.conditions.as_ref().filter(|rule| rule.number.is_none_or(|number| number == n));
        let pulses_ppm = rule.map(|rule| rule.pulses_ppm(|name| self.protocol.number(name))).unwrap_or_default();
        let labels = rule.map(|rule| rule.labels.clone()).filter(|labels| labels.len() == n);
        (labels, Editing { pulses_ppm, ..Editing::default() })
    }

    /// Conditions told apart by counters.
    fn by_counters(
        &self,
        rest: Vec<Readout>,
        counters: &[usize],
        may_hold_water: bool,
        remarks: &mut Vec<String>,
    ) -> Sorted {
        let mut groups = Groups::new();
        for readout in rest {
            groups.entry(counters.iter().map(|i| readout.counters[*i]).collect()).or_default().push(readout);
        }
        let keys: Vec<Vec<u16>> = groups.keys().cloned().collect();
        let mut groups: Vec<Vec<Readout>> = groups.into_values().collect();
        let mut labels: Vec<String> = keys.iter().map(|key| label(counters, key)).collect();
        let water = may_hold_water.then(|| references::by_strength(&groups, self.readouts)).flatten();
        let is_known = self.row.conditions.is_some();
        if let Some((strong, ratio)) = water {
            let water = groups.remove(strong);
            remarks.push(format!(
                "{} of {} transients are {ratio:.0} times stronger than the others and were taken as the water reference: \
                 no rule says what the counter `{}` means in this sequence",
                water.len(),
                self.readouts.all.len(),
                names(counters)
            ));
            let words = format!("{}, by their strength", words(&water));
            let rest = groups.into_iter().flatten().collect();
            let named = named_editing(self.sequence);
            let editing =
                named.map(|n| Editing { conditions: Conditions::Mixed(n.n_conditions), ..Editing::default() });
            return Sorted { water: Some((water, words)), editing, ..Sorted::of_one(rest) };
        }
        if let Some(n) = self.row.conditions.as_ref().and_then(|rule| rule.number).filter(|n| *n != groups.len()) {
            remarks.push(format!(
                "the counter `{}` takes {} values where {n} conditions of editing are known",
                names(counters),
                groups.len()
            ));
        } else if !is_known {
            remarks.push(format!(
                "no rule says what the counter `{}` counts in this sequence: its {} values were kept apart",
                names(counters),
                groups.len()
            ));
        }
        let (known_labels, editing) = self.editing(groups.len());
        if counters.len() == 1
            && let Some(known) = known_labels
        {
            labels = known;
        }
        let editing = (is_known || named_editing(self.sequence).is_some()).then_some(editing);
        let conditions = groups.into_iter().map(|group| group.into_iter().map(|r| vec![(r, 1.0)]).collect()).collect();
        Sorted { conditions, labels, editing, ..Sorted::default() }
    }

    /// One counter without a rule that takes many values while no counter of transients varies: it counts transients, and
    /// among them those of water, if readouts are of one strength or of two.
    fn one_counter_alone(
        &self,
        rest: &[Readout],
        counters: &[usize],
        may_hold_water: bool,
        remarks: &mut Vec<String>,
    ) -> Option<Sorted> {
        let [counter] = counters else { return None };
        let values: std::collections::BTreeSet<u16> = rest.iter().map(|r| r.counters[*counter]).collect();
        let is_alone = self.row.is_rule() && !self.row.transients.iter().any(|name| varies(rest, name));
        if !is_alone || COUNTERS[*counter].0 != "set" || values.len() <= MANY_VALUES {
            return None;
        }
        let strengths: Vec<f64> = rest.iter().map(|r| self.readouts.strength(&[*r])).collect();
        let most = strengths.iter().copied().fold(0.0, f64::max);
        let least = strengths.iter().copied().fold(f64::INFINITY, f64::min);
        let half_way = (most * least).sqrt();
        let (strong, weak): (Vec<_>, Vec<_>) = rest.iter().zip(&strengths).partition(|(_, s)| **s > half_way);
        let name = COUNTERS[*counter].1;
        let said =
            format!("no rule says what the counter `{name}` counts in this sequence; it was taken for transients");
        if most <= ALIKE * least {
            remarks.push(said);
            return Some(Sorted::of_one(rest.to_vec()));
        }
        let spread = |group: &[(&Readout, &f64)]| {
            let all = group.iter().map(|(_, s)| **s);
            all.clone().fold(0.0, f64::max) / all.fold(f64::INFINITY, f64::min)
        };
        let groups = [strong, weak].map(|group| (spread(&group), group.iter().map(|(r, _)| **r).collect::<Vec<_>>()));
        let [(spread_of_strong, strong), (spread_of_weak, weak)] = groups;
        let is_water = references::by_strength(&[strong.clone(), weak.clone()], self.readouts)?.0 == 0;
        if !may_hold_water || !is_water || spread_of_strong > ALIKE || spread_of_weak > ALIKE {
            return None;
        }
        remarks.push(format!("{said}, and {} stronger ones for the water reference", strong.len()));
        let words = format!("{}, by their strength", words(&strong));
        Some(Sorted { water: Some((strong, words)), ..Sorted::of_one(weak) })
    }
}

impl Sorted {
    /// All of one condition.
    pub(super) fn of_one(readouts: Vec<Readout>) -> Self {
        let transients = readouts.into_iter().map(|r| vec![(r, 1.0)]).collect();
        Self { conditions: vec![transients], labels: vec![String::new()], ..Self::default() }
    }
}

/// `eco1-set2`.
fn label(counters: &[usize], values: &[u16]) -> String {
    let parts = counters.iter().zip(values).map(|(i, value)| format!("{}{value}", COUNTERS[*i].1));
    parts.collect::<Vec<_>>().join("-")
}

fn names(counters: &[usize]) -> String {
    counters.iter().map(|i| COUNTERS[*i].1).collect::<Vec<_>>().join(", ")
}

/// The row of a sequence; a sequence that none names says so.
pub(super) fn row(protocol: &Protocol, is_vb: bool, sequence: &str, remarks: &mut Vec<String>) -> Option<&'static Row> {
    let software = match protocol.software.as_str() {
        "" if is_vb => "VB",
        "" => "VD",
        software => software,
    };
    let row = loops::row_of(&loops::SIEMENS, software, sequence, |name| protocol.stated(name))?;
    if row.is_rule() {
        let name = if sequence.is_empty() { "without a name".to_owned() } else { format!("`{sequence}`") };
        remarks.push(format!("sequence {name} is not in the table of loops: the rule of {} was taken", row.name));
    }
    Some(row)
}

/// Samples of conditions of as many transients as the one with the fewest has.
pub(super) fn samples(conditions: Vec<Vec<Transient>>, readouts: &Readouts) -> Samples {
    let n = conditions.iter().map(Vec::len).min().unwrap_or(0);
    // Where readouts lie, without the list of all of them.
    let mut readouts = readouts.clone();
    readouts.all = Vec::new();
    let shape = [1, conditions.len(), n, readouts.coils, readouts.points];
    Samples::stored_in_parts(shape, move |[_, condition, transient, coil], points| {
        readouts.sum(&conditions[condition][transient], coil, points)
    })
}
