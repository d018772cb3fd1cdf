//! Numbers of headers believed only if a scanner can have measured so: bounds, and the unit in which a value outside them
//! would be right.
//!
//! Bounds are wide: from 0.05 T to 30 T, from free induction decays with an echo time of a tenth of a millisecond to series
//! of echo times for T2, repetition times from steady states to relaxed water. Suggestions keep to what is usual.

use super::PROTON_MHZ_PER_T;
use super::facts::{Facts, Number};

/// Another unit: in words, and the value that it would make.
type Unit = (&'static str, fn(f64) -> f64);

/// Units that times are mistaken for. Division by a power of ten gives the decimal that somebody would write.
const TIMES: [Unit; 5] = [
    ("milliseconds", |v| v / 1e3),
    ("microseconds", |v| v / 1e6),
    ("nanoseconds", |v| v / 1e9),
    ("seconds where milliseconds are expected", |v| v * 1e3),
    ("seconds where microseconds are expected", |v| v * 1e6),
];
/// What else stands in the field of a dwell time.
const BANDWIDTHS: [Unit; 2] = [("a bandwidth in Hz", |v| 1.0 / v), ("a bandwidth in kHz", |v| 1e-3 / v)];
/// Units that frequencies are mistaken for.
const FREQUENCIES: [Unit; 4] =
    [("Hz", |v| v / 1e6), ("kHz", |v| v / 1e3), ("GHz", |v| v * 1e3), ("the field in tesla", |v| v * PROTON_MHZ_PER_T)];
/// Fields (T) of scanners that would be frequencies of others; no frequency is as round.
const FIELDS_T: [f64; 10] = [3.0, 4.7, 7.0, 9.4, 10.5, 11.7, 14.1, 16.4, 17.2, 21.1];

impl Number {
    /// The unit that ends its name.
    pub fn unit(&self) -> &'static str {
        if self.name.ends_with("_mhz") { "MHz" } else { "s" }
    }

    /// The value, if it can be right.
    ///
    /// # Errors
    /// A sentence that says what it must be, and the units in which it would be right.
    pub fn checked(&self, value: f64) -> Result<f64, String> {
        if (self.least..=self.most).contains(&value) && !(self.is_frequency() && FIELDS_T.contains(&value)) {
            return Ok(value);
        }
        let Self { name, least, most, .. } = self;
        let unit = self.unit();
        let right: Vec<String> =
            self.meant(value).iter().map(|(words, right)| format!("{words} ({name} = {right})")).collect();
        let advice = match right.as_slice() {
            [] => String::new(),
            all => format!("; is it {}?", all.join(" or ")),
        };
        Err(format!("{name} = {value} {unit} cannot be right: scanners have {least} to {most} {unit}{advice}"))
    }

    fn is_frequency(&self) -> bool {
        self.name == "f0_mhz"
    }

    /// Units in which `value` would be usual, with the value in ours.
    fn meant(&self, value: f64) -> Vec<(&'static str, f64)> {
        let units: &[&[Unit]] = match self.name {
            "f0_mhz" => &[&FREQUENCIES],
            "dwell_s" => &[&TIMES, &BANDWIDTHS],
            _ => &[&TIMES],
        };
        let (low, high) = self.usual;
        let tried = units.iter().copied().flatten().map(|(words, of)| (*words, rounded(of(value))));
        tried.filter(|(_, right)| (low..=high).contains(right)).collect()
    }
}

/// Six digits: what follows is a computer's.
fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

impl Facts {
    /// What is wrong with the first number that cannot be right, by itself or beside another.
    pub fn fault(&self) -> Option<String> {
        let mut facts = self.clone();
        let alone = Self::NUMBERS.iter().find_map(|number| number.checked((*(number.of)(&mut facts))?).err());
        let longer = |(inner, a): (&str, Option<f64>), (outer, b): (&str, Option<f64>)| {
            let (a, b) = (a?, b?);
            (a >= b).then(|| {
                format!(
                    "{inner} = {a} s is not shorter than {outer} = {b} s; are they swapped, or one in another unit?"
                )
            })
        };
        let stimulated = self.te_s.zip(self.tm_s).map(|(te, tm)| te + tm);
        alone
            .or_else(|| longer(("te_s", self.te_s), ("tr_s", self.tr_s)))
            .or_else(|| longer(("te1_s", self.te1_s), ("te_s", self.te_s)))
            .or_else(|| longer(("te_s + tm_s", stimulated), ("tr_s", self.tr_s)))
    }

    /// These facts, but that a number which cannot be right gives way to `other`'s, if that has one that can; a remark tells.
    #[must_use]
    pub fn corrected_by(mut self, other: &Self, remarks: &mut Vec<String>) -> Self {
        let mut other = other.clone();
        for number in Self::NUMBERS {
            let (own, better) = ((number.of)(&mut self), *(number.of)(&mut other));
            if let (Some(value), Some(better)) = (*own, better)
                && number.checked(value).is_err()
                && number.checked(better).is_ok()
            {
                *own = Some(better);
                let (name, unit) = (number.name, number.unit());
                remarks.push(format!("{name} = {value} {unit} in the file cannot be right: {better} {unit} was taken"));
            }
        }
        self
    }
}

/// Shortest edge of a voxel, and the first that is too long (mm): NIfTI-MRS writes 10 m for a dimension without localisation.
const EDGES_MM: std::ops::Range<f64> = 0.1..1000.0;

/// What is wrong with a voxel's place, by the lengths of its edges.
pub(crate) fn place_fault(affine_mm: &[[f64; 4]; 4]) -> Option<String> {
    let edges_mm = [0, 1, 2].map(|j| (0..3).map(|i| affine_mm[i][j].powi(2)).sum::<f64>().sqrt());
    let [a, b, c] = edges_mm.map(rounded);
    let is_finite = affine_mm.iter().flatten().all(|value| value.is_finite());
    (!is_finite || !edges_mm.iter().all(|edge| EDGES_MM.contains(edge))).then(|| {
        format!("the voxel's edges are {a} × {b} × {c} mm, which no localised voxel has: its place was not used")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn fault(change: impl FnOnce(&mut Facts)) -> Option<String> {
        let mut facts = Facts::default();
        change(&mut facts);
        facts.fault()
    }

    #[test]
    fn what_scanners_do_passes() {
        for te_s in [1e-4, 1.3e-3, 0.0015, 0.0028, 0.03, 0.144, 0.288, 0.5] {
            assert_eq!(fault(|f| (f.te_s, f.tr_s) = (Some(te_s), Some(30.0))), None);
        }
        for f0_mhz in [2.13, 2.7, 8.5, 21.0, 63.68, 123.2, 127.7, 297.2, 400.3, 900.0] {
            assert_eq!(fault(|f| f.f0_mhz = Some(f0_mhz)), None);
        }
        for dwell_s in [5e-6, 5e-5, 2.5e-4, 8.333e-4, 1e-3, 2e-3] {
            assert_eq!(fault(|f| f.dwell_s = Some(dwell_s)), None);
        }
        for tr_s in [0.02, 0.2, 1.5, 5.0, 30.0] {
            assert_eq!(fault(|f| f.tr_s = Some(tr_s)), None);
        }
        assert_eq!(fault(|f| (f.te_s, f.tm_s, f.tr_s) = (Some(0.02), Some(0.01), Some(2.0))), None);
    }

    #[test]
    fn other_units_are_named_with_the_right_value() {
        type Set = fn(&mut Facts);
        let cases: [(Set, &[&str]); 17] = [
            (|f| f.te_s = Some(35.0), &["te_s = 35 s cannot be right", "milliseconds (te_s = 0.035)"]),
            (|f| f.te_s = Some(35_000.0), &["microseconds (te_s = 0.035)"]),
            (|f| f.te_s = Some(1.5), &["milliseconds (te_s = 0.0015)"]),
            (|f| f.te_s = Some(3.5e-5), &["seconds where milliseconds are expected (te_s = 0.035)"]),
            (|f| f.tr_s = Some(1500.0), &["milliseconds (tr_s = 1.5)"]),
            (|f| f.tr_s = Some(1.5e6), &["microseconds (tr_s = 1.5)"]),
            (|f| f.tm_s = Some(10.0), &["milliseconds (tm_s = 0.01)"]),
            (|f| f.te1_s = Some(11.0), &["milliseconds (te1_s = 0.011)"]),
            (|f| f.f0_mhz = Some(1.2325e8), &["is it Hz (f0_mhz = 123.25)?"]),
            (|f| f.f0_mhz = Some(123_250.0), &["kHz (f0_mhz = 123.25)"]),
            (|f| f.f0_mhz = Some(0.12325), &["GHz (f0_mhz = 123.25)"]),
            (|f| f.f0_mhz = Some(3.0), &["the field in tesla (f0_mhz = 127.732)"]),
            (|f| f.f0_mhz = Some(1.5), &["the field in tesla (f0_mhz = 63.8662)"]),
            (|f| f.dwell_s = Some(250.0), &["microseconds (dwell_s = 0.00025)"]),
            (|f| f.dwell_s = Some(0.25), &["milliseconds (dwell_s = 0.00025)"]),
            (|f| f.dwell_s = Some(4000.0), &["a bandwidth in Hz (dwell_s = 0.00025)"]),
            (
                |f| f.dwell_s = Some(833.0),
                &["microseconds (dwell_s = 0.000833)", "a bandwidth in Hz (dwell_s = 0.00120048)"],
            ),
        ];
        for (set, parts) in cases {
            let message = fault(set).unwrap();
            assert!(parts.iter().all(|part| message.contains(part)), "{message}");
        }
    }

    #[test]
    fn what_is_right_in_no_unit_is_refused_all_the_same() {
        for wrong in [0.0, -0.03, -35.0, f64::NAN, f64::INFINITY, 1e300] {
            for number in Facts::NUMBERS {
                let message = number.checked(wrong).unwrap_err();
                assert!(message.contains(number.name) && !message.contains("is it"), "{message}");
            }
        }
    }

    #[test]
    fn voxels_have_edges_that_scanners_have() {
        let place = |edges: [f64; 3]| {
            let [a, b, c] = edges;
            place_fault(&[[a, 0.0, 0.0, 1.0], [0.0, b, 0.0, 2.0], [0.0, 0.0, c, 3.0], [0.0, 0.0, 0.0, 1.0]])
        };
        assert_eq!(place([20.0, 30.0, 20.0]), None);
        assert_eq!(place([0.5, 0.5, 999.0]), None);
        for wrong in [
            [0.02, 0.03, 0.02],
            [0.5, 0.5, 10_000.0],
            [10_000.0; 3],
            [20.0, 1000.0, 20.0],
            [20_000.0, 30_000.0, 20_000.0],
            [20.0, 0.0, 20.0],
            [f64::NAN, 20.0, 20.0],
        ] {
            assert!(place(wrong).is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn times_that_contradict_one_another_are_found() {
        let swapped = fault(|f| (f.te_s, f.tr_s) = (Some(0.5), Some(0.035))).unwrap();
        assert!(swapped.contains("te_s = 0.5 s is not shorter than tr_s = 0.035 s"), "{swapped}");
        assert!(fault(|f| (f.te1_s, f.te_s) = (Some(0.03), Some(0.03))).is_some());
        assert!(fault(|f| (f.te_s, f.tm_s, f.tr_s) = (Some(0.02), Some(1.0), Some(1.0))).is_some());
    }

    #[test]
    fn what_is_stated_stands_for_what_cannot_be() {
        let file = Facts { te_s: Some(35.0), tr_s: Some(2.0), dwell_s: Some(0.5), ..Facts::default() };
        let stated = Facts { te_s: Some(0.035), tr_s: Some(3.0), dwell_s: Some(5.0), ..Facts::default() };
        let mut remarks = Vec::new();
        let corrected = file.corrected_by(&stated, &mut remarks);
        assert_eq!((corrected.te_s, corrected.tr_s, corrected.dwell_s), (Some(0.035), Some(2.0), Some(0.5)));
        assert_eq!(remarks, ["te_s = 35 s in the file cannot be right: 0.035 s was taken"]);
    }
}
