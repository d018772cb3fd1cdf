//! Whether a basis set fits the data that are to be analysed with it.
//!
//! Thresholds are LCModel's (MYBASI): field 5 % warns and 20 % refuses, echo time 3 ms warns.

use std::fmt;

use super::BasisSet;
use crate::acquisition::PROTON_MHZ_PER_T;

/// Relative difference in field that warns: couplings no longer match the shifts.
const FIELD_WARNS: f64 = 0.05;
/// Relative difference in field that refuses.
pub const FIELD_REFUSES: f64 = 0.20;
/// Difference in echo time that warns (s). LCModel compares with 3.001 ms for rounding's sake.
const TE_WARNS_S: f64 = 2.999e-3;
/// A basis FID that ends before this fraction of its start is cut off rather than decayed.
const CUT_OFF: f64 = 0.05;
/// Offset of the singlets (ppm) beyond which simulated components no longer sit where they should.
const OFFSET_WARNS_PPM: f64 = 0.02;

/// What is known about the data, for a comparison with a basis set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Protocol {
    /// Spectrometer frequency (MHz).
    pub f0_mhz: Option<f64>,
    /// Echo time (s).
    pub te_s: Option<f64>,
    /// Sequence name as the file has it.
    pub sequence: Option<String>,
    /// Time between two samples (s).
    pub dwell_s: Option<f64>,
    /// Number of points of an FID.
    pub n_points: Option<usize>,
}

impl Protocol {
    /// Field (to half a tesla), sequence and echo time (to a millisecond) as people say them.
    pub fn label(&self) -> String {
        let half_teslas = |f: f64| (2.0 * f / PROTON_MHZ_PER_T).round();
        let field = self.f0_mhz.map(|f| format!("{} T ", half_teslas(f) / 2.0)).unwrap_or_default();
        let sequence = self.sequence.as_deref().map_or_else(|| "any sequence".to_owned(), |s| s.trim().to_uppercase());
        let te = self.te_s.map(|te| format!(" {:.0} ms", 1e3 * te)).unwrap_or_default();
        format!("{field}{sequence}{te}")
    }
}

/// A way in which basis and data do not match.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The basis was made for another field.
    Field {
        /// Of the basis (MHz).
        basis_mhz: f64,
        /// Of the data (MHz).
        data_mhz: f64,
        /// Whether the difference is too large for any analysis.
        refused: bool,
    },
    /// The basis was made for another echo time.
    EchoTime {
        /// Of the basis (s).
        basis_s: f64,
        /// Of the data (s).
        data_s: f64,
    },
    /// The basis was made for another sequence.
    Sequence {
        /// Of the basis.
        basis: String,
        /// Of the data.
        data: String,
    },
    /// The basis FIDs end while there is signal, and the data go on.
    CutOff {
        /// Metabolite whose FID has most left at its end.
        metabolite: String,
        /// What is left, relative to the largest sample.
        left: f64,
        /// Length of the basis FIDs (s).
        basis_s: f64,
        /// Length of the data (s).
        data_s: f64,
    },
    /// The singlets of the basis are not where they belong.
    Offset {
        /// How far they lie towards higher ppm.
        ppm: f64,
    },
}

impl Finding {
    /// Whether the set was made for another measurement: what it has of each substance is not what the data have.
    pub fn is_of_another_protocol(&self) -> bool {
        matches!(self, Self::Field { .. } | Self::EchoTime { .. } | Self::Sequence { .. })
    }

    /// Whether the spectrum must not be analysed with this basis set.
    pub fn refuses(&self) -> bool {
        matches!(self, Self::Field { refused: true, .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field { basis_mhz, data_mhz, refused } => {
                let verdict = if *refused { "not analysed" } else { "couplings will not match" };
                write!(
                    f,
                    "basis for {basis_mhz:.2} MHz, data at {data_mhz:.2} MHz ({:+.1} %): {verdict}; take a basis set for this field",
                    100.0 * (basis_mhz / data_mhz - 1.0)
                )
            }
            Self::EchoTime { basis_s, data_s } => write!(
                f,
                "basis for TE {:.1} ms, data with TE {:.1} ms: take a basis set for this echo time",
                1e3 * basis_s,
                1e3 * data_s
            ),
            Self::Sequence { basis, data } => {
                write!(
                    f,
                    "basis for sequence {basis:?}, data from {data:?}: check that the basis set is meant for them"
                )
            }
            Self::CutOff { metabolite, left, basis_s, data_s } => write!(
                f,
                "basis FIDs are cut off after {basis_s:.3} s with {:.0} % of {metabolite} left, data go on to {data_s:.3} s: take a longer basis or shorten the data",
                100.0 * left
            ),
            Self::Offset { ppm } => write!(
                f,
                "singlets of the basis lie {ppm:+.3} ppm off: simulated macromolecules and lipids will not line up with it; shift the basis set (BasisSet::referenced)"
            ),
        }
    }
}

impl BasisSet {
    /// Compares this set with what is known about the data. Unknown values raise no finding.
    pub fn check(&self, data: &Protocol) -> Vec<Finding> {
        self.check_with(data, self.offset_ppm())
    }

    /// The same where the set's own offset ([`Self::offset_ppm`]) is known: many data share a set.
    pub fn check_with(&self, data: &Protocol, offset_ppm: Option<f64>) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(data_mhz) = data.f0_mhz.filter(|f| *f > 0.0) {
            let difference = (self.f0_mhz / data_mhz - 1.0).abs();
            if difference >= FIELD_WARNS {
                let refused = difference >= FIELD_REFUSES;
                findings.push(Finding::Field { basis_mhz: self.f0_mhz, data_mhz, refused });
            }
        }
        if let (Some(basis_s), Some(data_s)) = (self.te_s, data.te_s)
            && (basis_s - data_s).abs() >= TE_WARNS_S
        {
            findings.push(Finding::EchoTime { basis_s, data_s });
        }
        if let (Some(basis), Some(data)) = (&self.sequence, &data.sequence)
            && !same_sequence(basis, data)
        {
            findings.push(Finding::Sequence { basis: basis.clone(), data: data.clone() });
        }
        if let (Some(dwell_s), Some(n_points)) = (data.dwell_s, data.n_points) {
            findings.extend(self.cut_off(dwell_s * n_points as f64));
        }
        if let Some(ppm) = offset_ppm.filter(|o| o.abs() > OFFSET_WARNS_PPM) {
            findings.push(Finding::Offset { ppm });
        }
        findings
    }

    fn cut_off(&self, data_s: f64) -> Option<Finding> {
        let basis_s = self.dwell_s * self.fids.ncols() as f64;
        if basis_s >= data_s {
            return None;
        }
        let tail = (self.fids.ncols() / 64).max(1);
        let (left, row) = self
            .fids
            .rows()
            .into_iter()
            .enumerate()
            .map(|(row, fid)| {
                let largest = |n: usize| fid.iter().rev().take(n).map(|z| z.norm()).fold(0.0, f64::max);
                (largest(tail) / largest(fid.len()), row)
            })
            .max_by(|a, b| a.0.total_cmp(&b.0))?;
        (left > CUT_OFF).then(|| Finding::CutOff { metabolite: self.metabolites[row].clone(), left, basis_s, data_s })
    }
}

/// Sequence families by the words that vendors and sites put into their names, the special ones first.
const FAMILIES: &[(&str, &[&str])] = &[
    ("MEGA", &["mega", "mescher", "hermes", "hercules"]),
    ("sLASER", &["slaser", "semilaser"]),
    ("LASER", &["laser"]),
    ("SPECIAL", &["special"]),
    ("STEAM", &["steam", "probes"]),
    ("PRESS", &["press", "probep", "svsse", "csise", "se30", "se35"]),
];

/// Whether two sequence names may mean the same: the same family, or one contains the other. A name of
/// no known family says too little to warn.
fn same_sequence(a: &str, b: &str) -> bool {
    let plain =
        |s: &str| -> String { s.chars().filter(|c| c.is_alphanumeric()).map(|c| c.to_ascii_lowercase()).collect() };
    let (a, b) = (plain(a), plain(b));
    let family = |s: &str| FAMILIES.iter().find(|(_, words)| words.iter().any(|w| s.contains(w))).map(|f| f.0);
    match (family(&a), family(&b)) {
        (Some(a), Some(b)) => a == b,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::super::tests::analytic;
    use super::*;

    fn findings(change: impl FnOnce(&mut Protocol)) -> Vec<Finding> {
        let mut data = Protocol {
            f0_mhz: Some(123.2),
            te_s: Some(0.03),
            sequence: Some("PRESS_35".to_owned()),
            dwell_s: Some(2.5e-4),
            n_points: Some(4096),
        };
        change(&mut data);
        analytic(123.2, 2.5e-4, 4096).check(&data)
    }

    #[test]
    fn a_match_has_no_findings() {
        assert_eq!(findings(|_| {}), []);
        assert_eq!(findings(|d| *d = Protocol::default()), []);
        assert_eq!(findings(|d| d.te_s = Some(0.0329)), []);
        assert_eq!(findings(|d| d.f0_mhz = Some(127.7)), []);
    }

    #[test]
    fn field_warns_then_refuses() {
        let warned = findings(|d| d.f0_mhz = Some(123.2 / 1.06));
        assert!(matches!(warned[..], [Finding::Field { refused: false, .. }]) && !warned[0].refuses());
        let refused = findings(|d| d.f0_mhz = Some(63.9));
        assert!(refused[0].refuses());
        assert!(refused[0].to_string().contains("63.90 MHz"), "{}", refused[0]);
    }

    #[test]
    fn echo_time_and_sequence_warn() {
        let f = findings(|d| d.te_s = Some(0.033));
        assert_eq!(f, [Finding::EchoTime { basis_s: 0.03, data_s: 0.033 }]);
        assert!(f[0].to_string().contains("TE 30.0 ms"), "{}", f[0]);
        assert!(matches!(findings(|d| d.sequence = Some("steam".into()))[..], [Finding::Sequence { .. }]));
        assert!(matches!(findings(|d| d.sequence = Some("MEGA-PRESS".into()))[..], [Finding::Sequence { .. }]));
        for same in ["press", "svs_se_30", "PROBE-P", "%CustomerSeq%\\xyz"] {
            assert_eq!(findings(|d| d.sequence = Some(same.into())), [], "{same}");
        }
    }

    #[test]
    fn a_cut_off_basis_warns_only_for_longer_data() {
        let short = analytic(123.2, 2.5e-4, 512);
        let data = |n_points| Protocol { dwell_s: Some(2.5e-4), n_points: Some(n_points), ..Protocol::default() };
        assert!(matches!(short.check(&data(1024))[..], [Finding::CutOff { .. }]));
        assert_eq!(short.check(&data(512)), []);
    }

    #[test]
    fn displaced_singlets_warn() {
        let set = analytic(123.2, 2.5e-4, 4096).shifted_ppm(-0.03);
        assert!(matches!(set.check(&Protocol::default())[..], [Finding::Offset { ppm }] if (ppm + 0.03).abs() < 2e-3));
    }
}
