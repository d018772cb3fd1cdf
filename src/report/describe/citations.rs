//! The papers that a description names. Each DOI was compared with what other texts cite it for (readmes and sources of the
//! programs themselves, PubMed); Brown 2004 stands there without one, as none was found. The sentences are nobody's but ours.

use std::collections::BTreeMap;

/// A paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Paper {
    /// Authors and year, as text names it.
    pub(super) name: &'static str,
    /// Where it is.
    pub(super) place: &'static str,
}

const fn paper(name: &'static str, place: &'static str) -> Paper {
    Paper { name, place }
}

pub(super) const MRSINMRS: Paper = paper("Lin et al. 2021", "https://doi.org/10.1002/nbm.4484");
pub(super) const SVD_COILS: Paper = paper("Rodgers and Robson 2010", "https://doi.org/10.1002/mrm.22230");
pub(super) const GLS_COILS: Paper = paper("An et al. 2013", "https://doi.org/10.1002/jmri.23941");
pub(super) const FIRST_POINT_COILS: Paper = paper("Brown 2004", "Magn Reson Med 52:1207");
pub(super) const ALIGNMENT: Paper = paper("Near et al. 2015", "https://doi.org/10.1002/mrm.25094");
pub(super) const EDDY_CURRENTS: Paper = paper("Klose 1990", "https://doi.org/10.1002/mrm.1910140104");
pub(super) const HSVD: Paper = paper("Barkhuijsen et al. 1987", "https://doi.org/10.1016/0022-2364(87)90023-0");
pub(super) const LCMODEL: Paper = paper("Provencher 1993", "https://doi.org/10.1002/mrm.1910300604");
pub(super) const GASPAROVIC: Paper = paper("Gasparovic et al. 2006", "https://doi.org/10.1002/mrm.20901");
pub(super) const ALPHA: Paper = paper("Harris et al. 2015", "https://doi.org/10.1002/jmri.24903");
pub(super) const SPIN_SYSTEMS: Paper =
    paper("Govindaraju et al. 2000", "https://doi.org/10.1002/1099-1492(200005)13:3<129::AID-NBM619>3.0.CO;2-V");
const FAST: Paper = paper("Zhang et al. 2001", "https://doi.org/10.1109/42.906424");
const SPM: Paper = paper("Ashburner and Friston 2005", "https://doi.org/10.1016/j.neuroimage.2005.02.018");
const FREESURFER: Paper = paper("Fischl et al. 2002", "https://doi.org/10.1016/S0896-6273(02)00569-X");
const FSL_MRS: Paper = paper("Clarke et al. 2021", "https://doi.org/10.1002/mrm.28630");
const ABFIT: Paper = paper("Wilson 2021 (ABfit)", "https://doi.org/10.1002/mrm.28385");
const SPANT: Paper = paper("Wilson 2021 (spant)", "https://doi.org/10.21105/joss.03646");
const OSPREY: Paper = paper("Oeltzschner et al. 2020", "https://doi.org/10.1016/j.jneumeth.2020.108827");
const TARQUIN: Paper = paper("Wilson et al. 2011", "https://doi.org/10.1002/mrm.22579");
const GANNET: Paper = paper("Edden et al. 2014", "https://doi.org/10.1002/jmri.24478");

/// The program whose model a built-in method has, by its name.
pub(super) fn of_method(name: &str) -> Option<Paper> {
    Some(match name {
        "lcmodel" | "lcmodel-fast" => LCMODEL,
        "fsl" => FSL_MRS,
        "abfit" | "abfit-reg" => ABFIT,
        "osprey" => OSPREY,
        "tarquin" => TARQUIN,
        "varpro" => SPANT,
        "gannet" => GANNET,
        _ => return None,
    })
}

/// Who made a segmentation, by the word in `segmentation_kind`.
pub(super) fn of_segmentation(kind: &str) -> Option<Paper> {
    Some(match kind {
        "fsl_fast" | "fsl_fast_labels" => FAST,
        "fsl_segmentation" => FSL_MRS,
        "spm" => SPM,
        "freesurfer" => FREESURFER,
        _ => return None,
    })
}

/// The papers that were named.
#[derive(Debug, Default)]
pub(super) struct References(BTreeMap<String, String>);

impl References {
    /// Names a paper in a sentence.
    pub(super) fn cite(&mut self, paper: Paper) -> &'static str {
        self.0.insert(paper.name.to_owned(), paper.place.to_owned());
        paper.name
    }

    /// Adds a source of constants: its name and DOI.
    pub(super) fn source(&mut self, name: &str, doi: &str) {
        self.0.insert(name.to_owned(), format!("https://doi.org/{doi}"));
    }

    /// All of them, by name. What both a sentence and a constant name stands there once, as the sentence has it.
    pub(super) fn list(self) -> Vec<(String, String)> {
        let mut by_place: BTreeMap<String, String> = BTreeMap::new();
        for (name, place) in self.0 {
            let known = by_place.entry(place).or_insert_with(|| name.clone());
            if name.len() > known.len() {
                *known = name;
            }
        }
        let mut all: Vec<(String, String)> = by_place.into_iter().map(|(place, name)| (name, place)).collect();
        all.sort();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paper_stands_there_once() {
        let mut references = References::default();
        references.source("Gasparovic 2006", "10.1002/mrm.20901");
        references.cite(GASPAROVIC);
        references.cite(EDDY_CURRENTS);
        let names: Vec<String> = references.list().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["Gasparovic et al. 2006", "Klose 1990"]);
    }
}
