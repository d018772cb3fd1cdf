//! Canonical metabolite names: one table, used by everything that matches by name.
//!
//! Programs call the same molecule by different names (`Ins`, `mI`, `mIns`), and ratio priors or sums
//! silently vanish when names do not meet. The canonical spelling is LCModel's where it has one.

/// What a component of a basis set stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A small molecule.
    Metabolite,
    /// Macromolecules, simulated or measured (`MM09`, `Mac`).
    Macromolecule,
    /// Mobile lipids (`Lip13a`).
    Lipid,
    /// Water, or a reference line that is no metabolite (`TSP`, `DSS`).
    Reference,
}

/// Canonical spelling and the other names it goes by (compared without case and blanks).
const SYNONYMS: &[(&str, &[&str])] = &[
    ("AcAc", &["acetoacetate"]),
    ("Ace", &["acetate"]),
    ("Act", &["acetone"]),
    ("Ala", &["alanine"]),
    ("Asc", &["ascorbate", "vitc"]),
    ("Asp", &["aspartate"]),
    ("bHB", &["bhb", "bohb", "3hb", "hydroxybutyrate", "betahydroxybutyrate", "beta-hydroxybutyrate"]),
    ("bHG", &["2hg", "2-hg", "hydroxyglutarate"]),
    ("Cho", &["choline", "free choline"]),
    ("Cit", &["citrate"]),
    ("Cr", &["creatine", "cre"]),
    ("-CrCH2", &["crch2"]),
    ("Cystat", &["cystathionine", "cysta"]),
    ("DMSO", &["dimethyl sulfoxide"]),
    ("EtOH", &["ethanol", "eth"]),
    ("GABA", &["gab"]),
    ("Glc", &["glucose", "d-glc"]),
    ("Gln", &["glutamine"]),
    ("Glu", &["glutamate"]),
    ("Gly", &["glycine"]),
    ("Glyc", &["glycerol"]),
    ("GPC", &["glycerophosphocholine"]),
    ("GSH", &["gsh_v2", "glth", "glutathione"]),
    ("Gua", &["guanidoacetate", "guanidinoacetate"]),
    ("H2O", &["water", "wat"]),
    ("Ins", &["mi", "mins", "mino", "myo", "m-ins", "myoins", "myo-ins", "myoinositol", "myo-inositol", "inositol"]),
    ("Isopropanol", &["isopropyl alcohol", "2-propanol"]),
    ("Lac", &["lactate"]),
    ("Mac", &["mm", "mmexp", "mmmeas", "macromolecules"]),
    ("Mannitol", &[]),
    ("MeOH", &["methanol"]),
    ("MSM", &["methylsulfonylmethane", "dimethyl sulfone"]),
    ("NAA", &["n-acetylaspartate"]),
    ("NAAG", &["n-acetylaspartylglutamate"]),
    ("PCh", &["pcho", "pchol", "phosphocholine", "phosphorylcholine"]),
    ("PCr", &["phosphocreatine"]),
    ("PE", &["peth", "pea", "pethanolamine", "phosphoethanolamine", "phosphorylethanolamine"]),
    ("Phenyl", &["phe", "phenylalanine"]),
    ("PropyleneGlycol", &["propylene glycol", "1,2-propanediol"]),
    ("Pyr", &["pyruvate"]),
    ("Scyllo", &["sins", "si", "s-ins", "scylloins", "scyllo-ins", "scylloinositol", "scyllo-inositol"]),
    ("Ser", &["serine"]),
    ("Suc", &["succ", "succinate"]),
    ("Tau", &["taurine"]),
    ("Thr", &["threonine"]),
    ("Tyros", &["tyr", "tyrosine"]),
    ("Val", &["valine"]),
];

/// Sums as LCModel and Osprey users report them: name and members.
const SUMS: &[(&str, &[&str])] = &[
    ("tNAA", &["NAA", "NAAG"]),
    ("tCr", &["Cr", "PCr"]),
    ("tCho", &["GPC", "PCh", "Cho"]),
    ("Glx", &["Glu", "Gln"]),
    ("Ins+Gly", &["Ins", "Gly"]),
    ("Glc+Tau", &["Glc", "Tau"]),
    ("PE+EA", &["PE", "EA"]),
    ("MM09+Lip09", &["MM09", "Lip09"]),
    ("Lip13a+Lip13b", &["Lip13a", "Lip13b"]),
    ("MM14+Lip13a+Lip13b+MM12", &["MM14", "Lip13a", "Lip13b", "MM12"]),
    ("MM20+Lip20", &["MM20", "Lip20"]),
];

/// A sum over members of a basis set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// Name of the sum (`tNAA`).
    pub name: &'static str,
    /// Positions of its members in the list of names that was asked about.
    pub members: Vec<usize>,
}

/// The canonical spelling of `name`: trimmed, synonyms and case resolved. A name that the table does
/// not know stays as it is (but trimmed).
pub fn canonical(name: &str) -> String {
    let trimmed = name.trim().trim_matches(['\'', '"']).trim();
    let known = SYNONYMS.iter().find(|(canonical, synonyms)| {
        canonical.eq_ignore_ascii_case(trimmed) || synonyms.iter().any(|s| s.eq_ignore_ascii_case(trimmed))
    });
    if let Some((canonical, _)) = known {
        return (*canonical).to_owned();
    }
    // MM09, Lip13a, …: one spelling whatever the case of the letters.
    for prefix in ["MM", "Lip"] {
        if let (Some(head), Some(tail)) = (trimmed.get(..prefix.len()), trimmed.get(prefix.len()..))
            && head.eq_ignore_ascii_case(prefix)
            && tail.starts_with(|c: char| c.is_ascii_digit())
        {
            return format!("{prefix}{}", tail.to_ascii_lowercase());
        }
    }
    trimmed.to_owned()
}

/// Whether `name` is what a component is called here: the canonical name of a molecule, macromolecules or lipids.
pub fn is_listed(name: &str) -> bool {
    let is_molecule =
        SYNONYMS.iter().any(|(known, _)| *known == name) || SUMS.iter().any(|(_, members)| members.contains(&name));
    is_molecule || (kind(name) != Kind::Metabolite && canonical(name) == name)
}

/// What the component called `name` stands for, by its canonical name.
pub fn kind(name: &str) -> Kind {
    let name = canonical(name);
    let starts = |prefix: &str| name.get(..prefix.len()).is_some_and(|h| h.eq_ignore_ascii_case(prefix));
    if starts("MM") || starts("Mac") {
        Kind::Macromolecule
    } else if starts("Lip") {
        Kind::Lipid
    } else if ["H2O", "TSP", "DSS", "Ref0ppm"].iter().any(|r| r.eq_ignore_ascii_case(&name)) {
        Kind::Reference
    } else {
        Kind::Metabolite
    }
}

/// The usual sums whose members are among `names` (canonical or not), in the order of the table: at
/// least two of them (one alone would only repeat that member), and all where the sum's name spells
/// them out.
pub fn sums(names: &[String]) -> Vec<Sum> {
    let canonical_names: Vec<String> = names.iter().map(|n| canonical(n)).collect();
    SUMS.iter()
        .map(|(name, members)| Sum {
            name,
            members: members.iter().filter_map(|m| canonical_names.iter().position(|n| n == m)).collect(),
        })
        .filter(|sum| {
            let needed = if sum.name.contains('+') { sum.name.split('+').count() } else { 2 };
            sum.members.len() >= needed
        })
        .collect()
}

/// Letters after which LCModel's spreadsheet cuts the names of sums off.
const CUT_OFF: usize = 13;

/// The canonical name of a sum as other programs write it: spelled out (`NAA+NAAG`, also cut off), or TARQUIN's (`TNAA`,
/// `TLM09`). A sum of other members keeps its own name, with canonical members; `None` where `name` is no sum.
pub fn canonical_sum(name: &str) -> Option<String> {
    let name = name.trim();
    const TARQUIN: [(&str, &str); 3] =
        [("TLM09", "MM09+Lip09"), ("TLM13", "MM14+Lip13a+Lip13b+MM12"), ("TLM20", "MM20+Lip20")];
    let tarquin = TARQUIN.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name)).map(|(_, ours)| *ours);
    let known = SUMS.iter().find(|(ours, _)| ours.eq_ignore_ascii_case(name)).map(|(ours, _)| *ours);
    if let Some(ours) = tarquin.or(known) {
        return Some(ours.to_owned());
    }
    // A name may begin with a sign (`-CrCH2`), and then is none.
    if !name.contains('+') {
        return None;
    }
    let members: Vec<String> = name.split('+').map(canonical).collect();
    let spelled_out = sum_of(&members).map(str::to_owned);
    let cut_off = || SUMS.iter().find(|(ours, _)| name.len() == CUT_OFF && ours.starts_with(name));
    Some(spelled_out.or_else(|| cut_off().map(|(ours, _)| (*ours).to_owned())).unwrap_or_else(|| members.join("+")))
}

/// The usual sum of exactly these members; free choline may be left out.
fn sum_of(members: &[String]) -> Option<&'static str> {
    let is_same = |wanted: &[&str]| {
        members.iter().all(|m| wanted.contains(&m.as_str()))
            && wanted.iter().all(|w| *w == "Cho" || members.iter().any(|m| m == w))
    };
    SUMS.iter().find(|(_, wanted)| is_same(wanted)).map(|(ours, _)| *ours)
}

/// Other names of sums (compared without case, blanks and signs between words).
const SUM_SYNONYMS: [(&str, &[&str]); 4] = [
    ("tNAA", &["totalnaa", "totnaa", "naatot", "naatotal", "naanaag", "tna"]),
    ("tCr", &["tcre", "totalcr", "totcr", "crtot", "totalcreatine", "tcreatine", "crpcr", "pcrcr"]),
    ("tCho", &["totalcho", "totcho", "chotot", "totalcholine", "tcholine", "gpcpch", "pchgpc", "gpcpcho", "pchogpc"]),
    ("Glx", &["glutotal", "totalglx", "glugln", "glngluc", "glutamate+glutamine"]),
];
/// Letters of a member's name that LCModel keeps.
const LCMODEL_LETTERS: usize = 6;

/// The canonical name of a member of a basis set: of a molecule, or of the sum that it stands for however that is written:
/// `NAA+NAAG`, `Cr_PCr`, `GPC/PCh`, `total NAA`, `GPC+PC` (cut off by LCModel).
pub fn member(name: &str) -> String {
    let single = canonical(name);
    if SYNONYMS.iter().any(|(known, _)| *known == single) {
        return single;
    }
    let plain: String = single.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect();
    if let Some((sum, _)) = SUM_SYNONYMS.iter().find(|(_, names)| names.contains(&plain.as_str())) {
        return (*sum).to_owned();
    }
    let words: Vec<&str> = single.split(['+', '_', '/', '&', ',']).map(str::trim).filter(|w| !w.is_empty()).collect();
    if words.len() < 2 {
        return canonical_sum(&single).unwrap_or(single);
    }
    let members: Vec<String> = words.iter().map(|word| canonical(word)).collect();
    if let Some(sum) = sum_of(&members) {
        return sum.to_owned();
    }
    cut_off_sum(&single).map_or_else(|| canonical_sum(&single).unwrap_or(single), str::to_owned)
}

/// The sum of two that a name of LCModel's length is the beginning of.
fn cut_off_sum(name: &str) -> Option<&'static str> {
    let begins = |first: &str, second: &str| format!("{first}+{second}").starts_with(name);
    let is_cut = |wanted: &[&str]| match wanted {
        [a, b, ..] => begins(a, b) || begins(b, a),
        _ => false,
    };
    let found = SUMS.iter().find(|(ours, wanted)| !ours.contains('+') && is_cut(wanted)).map(|(ours, _)| *ours);
    found.filter(|_| name.len() == LCMODEL_LETTERS && name.contains('+'))
}

/// The canonical names of the molecules in a sum; `None` where `name` is one molecule.
pub fn parts_of_sum(name: &str) -> Option<Vec<String>> {
    let known =
        SUMS.iter().find(|(ours, _)| *ours == name).map(|(_, parts)| parts.iter().map(|p| (*p).to_owned()).collect());
    let spelled_out = || name.split('+').map(canonical).collect::<Vec<_>>();
    known.or_else(|| (!name.starts_with(['+', '-']) && name.contains('+')).then(spelled_out))
}

/// Whether the table knows the molecule or sum.
pub fn is_known(name: &str) -> bool {
    let name = member(name);
    kind(&name) != Kind::Metabolite
        || SYNONYMS.iter().any(|(known, _)| *known == name)
        || parts_of_sum(&name).is_some_and(|parts| parts.iter().all(|p| SYNONYMS.iter().any(|(known, _)| known == p)))
}

/// A singlet of known position and size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Singlet {
    /// Canonical name of the molecule.
    pub metabolite: &'static str,
    /// Chemical shift (ppm).
    pub ppm: f64,
    /// Number of protons.
    pub protons: f64,
}

/// Singlets that fix position and scale of a basis set (Govindaraju, Young and Maudsley, NMR Biomed.
/// 2000;13:129, table 1), the most reliable first.
pub const SINGLETS: &[Singlet] = &[
    Singlet { metabolite: "Cr", ppm: 3.027, protons: 3.0 },
    Singlet { metabolite: "PCr", ppm: 3.029, protons: 3.0 },
    Singlet { metabolite: "NAA", ppm: 2.008, protons: 3.0 },
    Singlet { metabolite: "NAAG", ppm: 2.042, protons: 3.0 },
    Singlet { metabolite: "PCh", ppm: 3.208, protons: 9.0 },
    Singlet { metabolite: "GPC", ppm: 3.212, protons: 9.0 },
    Singlet { metabolite: "Scyllo", ppm: 3.340, protons: 6.0 },
    Singlet { metabolite: "Gly", ppm: 3.548, protons: 2.0 },
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn synonyms_meet_in_one_name() {
        for (given, expected) in [
            ("mI", "Ins"),
            ("mIns", "Ins"),
            (" ins ", "Ins"),
            ("myo-Inositol", "Ins"),
            ("sIns", "Scyllo"),
            ("sI", "Scyllo"),
            ("scyllo", "Scyllo"),
            ("PCho", "PCh"),
            ("PEth", "PE"),
            ("CrCH2", "-CrCH2"),
            ("-CrCH2", "-CrCH2"),
            ("mm09", "MM09"),
            ("LIP13A", "Lip13a"),
            ("bhb", "bHB"),
            ("MMexp", "Mac"),
            ("mac", "Mac"),
            ("naag", "NAAG"),
            (" Unheard ", "Unheard"),
            ("", ""),
        ] {
            assert_eq!(canonical(given), expected, "{given:?}");
        }
    }

    #[test]
    fn canonical_is_idempotent_and_the_table_has_no_double() {
        let mut all: Vec<String> = Vec::new();
        for (name, synonyms) in SYNONYMS {
            assert_eq!(canonical(name), *name);
            all.push(name.to_ascii_lowercase());
            for s in *synonyms {
                assert_eq!(canonical(s), *name, "{s}");
                if !s.eq_ignore_ascii_case(name) {
                    all.push(s.to_ascii_lowercase());
                }
            }
        }
        let n = all.len();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), n);
    }

    #[test]
    fn kinds() {
        assert_eq!(kind("MM09"), Kind::Macromolecule);
        assert_eq!(kind("Mac"), Kind::Macromolecule);
        assert_eq!(kind("MMexp"), Kind::Macromolecule);
        assert_eq!(kind("lip13b"), Kind::Lipid);
        assert_eq!(kind("water"), Kind::Reference);
        assert_eq!(kind("mI"), Kind::Metabolite);
    }

    #[test]
    fn sums_of_other_programs() {
        for (given, expected) in [
            ("NAA+NAAG", Some("tNAA")),
            ("GPC+PCh", Some("tCho")),
            ("GPC+PCh+Cho", Some("tCho")),
            ("PCr+Cr", Some("tCr")),
            ("Glu+Gln", Some("Glx")),
            ("mI+Gly", Some("Ins+Gly")),
            ("TNAA", Some("tNAA")),
            ("TLM20", Some("MM20+Lip20")),
            ("MM14+Lip13a+L", Some("MM14+Lip13a+Lip13b+MM12")),
            ("Glu+GABA", Some("Glu+GABA")),
            ("-CrCH2", None),
            ("NAA", None),
        ] {
            assert_eq!(canonical_sum(given).as_deref(), expected, "{given}");
        }
    }

    #[test]
    fn members_that_are_sums_have_its_name_however_they_are_written() {
        for (given, expected) in [
            ("NAA+NAAG", "tNAA"),
            ("NAAG + NAA", "tNAA"),
            ("NAA_NAAG", "tNAA"),
            ("TNAA", "tNAA"),
            ("total NAA", "tNAA"),
            ("Cr+PCr", "tCr"),
            ("PCr/Cr", "tCr"),
            ("CrPCr", "tCr"),
            ("tCr", "tCr"),
            ("GPC+PCho", "tCho"),
            ("GPC+PCh+Cho", "tCho"),
            ("GPC+PC", "tCho"),
            ("NAA+NA", "tNAA"),
            ("glu+gln", "Glx"),
            ("glx", "Glx"),
            ("mI+Gly", "Ins+Gly"),
            ("MM09+Lip09", "MM09+Lip09"),
            ("-CrCH2", "-CrCH2"),
            ("NAA", "NAA"),
            ("mI", "Ins"),
            ("GSH_v2", "GSH"),
            ("Unheard", "Unheard"),
            ("", ""),
        ] {
            assert_eq!(member(given), expected, "{given:?}");
            assert_eq!(member(expected), expected);
        }
        assert_eq!(parts_of_sum("tCr").unwrap(), ["Cr", "PCr"]);
        assert_eq!(parts_of_sum("-CrCH2"), None);
    }

    #[test]
    fn sums_need_two_members() {
        let names: Vec<String> = ["NAA", "Cr", "PCho", "NAAG", "GPC", "Glu"].map(String::from).into();
        let found = sums(&names);
        let tnaa = found.iter().find(|s| s.name == "tNAA").unwrap();
        assert_eq!(tnaa.members, [0, 3]);
        let tcho = found.iter().find(|s| s.name == "tCho").unwrap();
        assert_eq!(tcho.members, [4, 2]);
        assert!(found.iter().all(|s| s.name != "tCr" && s.name != "Glx"));
    }
}
