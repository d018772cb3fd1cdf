//! What the labels of hard segmentations mean.

use std::collections::BTreeMap;

/// A tissue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tissue {
    /// Grey matter.
    Gm,
    /// White matter.
    Wm,
    /// Cerebrospinal fluid.
    Csf,
}

impl Tissue {
    /// Its place where the three follow one another.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What a label means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A tissue.
    Tissue(Tissue),
    /// Something else: background, skull, a structure of no one tissue.
    Other,
    /// Nobody says.
    Unknown,
}

/// The labels of one segmentation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Labels {
    /// FSL FAST's of a T1-weighted image: 1 CSF, 2 GM, 3 WM.
    Fast,
    /// FreeSurfer's.
    FreeSurfer,
    /// Those of a table; `None` for what is no tissue.
    Named(BTreeMap<i64, Option<Tissue>>),
}

impl Labels {
    /// What a label means.
    pub fn meaning(&self, label: i64) -> Meaning {
        let of = |tissue: Option<Tissue>| tissue.map_or(Meaning::Other, Meaning::Tissue);
        match self {
            _ if label == 0 => Meaning::Other,
            Self::Fast => match label {
                1 => Meaning::Tissue(Tissue::Csf),
                2 => Meaning::Tissue(Tissue::Gm),
                3 => Meaning::Tissue(Tissue::Wm),
                _ => Meaning::Unknown,
            },
            Self::FreeSurfer => of(freesurfer(label)),
            Self::Named(names) => names.get(&label).map_or(Meaning::Unknown, |tissue| of(*tissue)),
        }
    }

    /// Labels without which the image is not what its name says.
    pub const fn needed(&self) -> &'static [i64] {
        match self {
            Self::Fast => &[1, 2, 3],
            // Left and right white matter.
            Self::FreeSurfer => &[2, 41],
            Self::Named(_) => &[],
        }
    }
}

/// FreeSurfer's labels (FreeSurferColorLUT.txt). Choroid plexus counts as CSF. Cortex of the atlas of 2009 has numbers of its
/// own.
fn freesurfer(label: i64) -> Option<Tissue> {
    Some(match label {
        3 | 42 | 8..=13 | 47..=54 | 17..=20 | 26 | 27 | 55..=59 | 1000..=2999 | 11100..=12999 => Tissue::Gm,
        2 | 41 | 7 | 46 | 16 | 28 | 60 | 77..=79 | 250..=255 | 192 | 3000..=4999 | 13100..=14999 => Tissue::Wm,
        4 | 5 | 14 | 15 | 24 | 43 | 44 | 72 | 31 | 63 => Tissue::Csf,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_mean_what_their_programs_say() {
        let of = |labels: &Labels, label: i64| labels.meaning(label);
        assert_eq!(
            [0, 1, 2, 3, 4].map(|l| of(&Labels::Fast, l)),
            [
                Meaning::Other,
                Meaning::Tissue(Tissue::Csf),
                Meaning::Tissue(Tissue::Gm),
                Meaning::Tissue(Tissue::Wm),
                Meaning::Unknown
            ]
        );
        for (label, tissue) in [(3, Tissue::Gm), (1035, Tissue::Gm), (53, Tissue::Gm), (12175, Tissue::Gm)] {
            assert_eq!(of(&Labels::FreeSurfer, label), Meaning::Tissue(tissue), "{label}");
        }
        for (label, tissue) in [(41, Tissue::Wm), (16, Tissue::Wm), (4035, Tissue::Wm), (63, Tissue::Csf)] {
            assert_eq!(of(&Labels::FreeSurfer, label), Meaning::Tissue(tissue), "{label}");
        }
        // Optic chiasm, a vessel, the skull.
        for label in [0, 85, 30, 165, -1, 99_999] {
            assert_eq!(of(&Labels::FreeSurfer, label), Meaning::Other, "{label}");
        }
        let named = Labels::Named(BTreeMap::from([(7, Some(Tissue::Wm)), (9, None)]));
        assert_eq!([7, 9, 1].map(|l| of(&named, l)), [Meaning::Tissue(Tissue::Wm), Meaning::Other, Meaning::Unknown]);
    }
}
