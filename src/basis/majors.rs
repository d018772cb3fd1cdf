//! The metabolites that every spectrum of brain has.

use super::BasisSet;
use super::names::is_known;

/// What they are called, and the members that stand for them.
const MAJORS: [(&str, &[&str]); 5] = [
    ("NAA", &["NAA", "tNAA"]),
    ("Cr", &["Cr", "PCr", "tCr"]),
    ("Cho", &["GPC", "PCh", "Cho", "tCho"]),
    ("Ins", &["Ins", "Ins+Gly"]),
    ("Glu", &["Glu", "Glx"]),
];

impl BasisSet {
    /// The major metabolites that no member stands for: a fit puts their signal into others and the baseline.
    pub fn lacking_majors(&self) -> Vec<&'static str> {
        let has = |members: &[&str]| self.metabolites.iter().any(|m| members.contains(&m.as_str()));
        MAJORS.iter().filter(|(_, members)| !has(members)).map(|(name, _)| *name).collect()
    }

    /// Members whose names say nothing.
    pub fn unknown_members(&self) -> Vec<&str> {
        self.metabolites.iter().filter(|m| !is_known(m)).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::analytic;

    #[test]
    fn what_no_member_stands_for_is_lacking() {
        let mut set = analytic(123.2, 5e-4, 64);
        assert_eq!(set.lacking_majors(), ["Cr", "Cho", "Ins"]);
        set.metabolites = ["tNAA", "PCr", "tCho", "Ins", "Glu", "Foo"].map(str::to_owned).to_vec();
        assert_eq!(set.lacking_majors(), [""; 0]);
        assert_eq!(set.unknown_members(), ["Foo"]);
    }
}
