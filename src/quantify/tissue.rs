//! From signal over water to concentrations in tissue: factors, and how they change with the tissue in the voxel.
//!
//! With c the share of CSF, g that of grey matter in the tissue, d the water content, R what relaxation leaves, M the molality
//! of water and S = amplitude · signal per proton · 2 / water amplitude:
//!
//! ```text
//! N     = (1−c)·(g·d_gm·R_gm + (1−g)·d_wm·R_wm) + c·d_csf·R_csf        the water that is seen
//! molal = S·M·N / (R_M·(1−c)·(g·d_gm + (1−g)·d_wm))                     per kg of tissue water
//! molar = S·M·N / (R_M·(1−c))                                           per litre of tissue
//! alpha = S·M·N / (R_M·(1−c)·(g + α·(1−g)))                             if white matter holds α times what grey matter does
//! ```
//!
//! R_M = g·R_M,gm + (1−g)·R_M,wm. (Gasparovic 2006, 10.1002/mrm.20901; Harris 2015, 10.1002/jmri.24903.)

use super::Fractions;
use super::attenuation::{Timing, left};
use super::relaxation::{ByTissue, MetaboliteTimes, Times, gm_ratio};

/// What multiplies S, and its derivatives by c and g.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Factor {
    pub(super) value: f64,
    pub(super) by_csf: f64,
    pub(super) by_gm_ratio: f64,
}

impl Factor {
    /// A factor whose logarithm has these derivatives.
    fn of(value: f64, log_by_csf: f64, log_by_gm_ratio: f64) -> Self {
        Self { value, by_csf: value * log_by_csf, by_gm_ratio: value * log_by_gm_ratio }
    }

    pub(super) fn times(self, scale: f64) -> Self {
        Self { value: self.value * scale, by_csf: self.by_csf * scale, by_gm_ratio: self.by_gm_ratio * scale }
    }
}

/// A voxel: its tissue, and what relaxation leaves of its water.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Voxel {
    pub(super) fractions: Fractions,
    pub(super) content: ByTissue<f64>,
    pub(super) water_left: ByTissue<f64>,
    pub(super) water_molality: f64,
}

/// Factors of one metabolite.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct InTissue {
    pub(super) molal: Factor,
    pub(super) molar: Factor,
    pub(super) alpha: Factor,
    /// What relaxation leaves of the metabolite, over the tissue.
    pub(super) metabolite_left: f64,
}

/// What relaxation leaves of water in each kind of tissue.
pub(super) fn water_left(times: &ByTissue<Times>, timing: Timing) -> ByTissue<f64> {
    ByTissue { gm: left(times.gm, timing), wm: left(times.wm, timing), csf: left(times.csf, timing) }
}

/// 1/(1 − c), by which a concentration grows that CSF has no part in.
pub(super) fn without_csf(fractions: Fractions) -> Factor {
    let tissue = 1.0 - fractions.csf;
    Factor::of(1.0 / tissue, 1.0 / tissue, 0.0)
}

impl Voxel {
    /// What relaxation leaves of the water of the whole voxel: Σx·R, x each tissue's part of the water.
    pub(super) fn water_attenuation(&self) -> f64 {
        let ByTissue { gm, wm, csf } = self.content;
        let Fractions { gm: f_gm, wm: f_wm, csf: f_csf } = self.fractions;
        let [gm, wm, csf] = [f_gm * gm, f_wm * wm, f_csf * csf];
        (gm * self.water_left.gm + wm * self.water_left.wm + csf * self.water_left.csf) / (gm + wm + csf)
    }

    /// The factors of a metabolite of these times; `alpha` is its concentration in white matter over that in grey matter.
    pub(super) fn factors(&self, times: &MetaboliteTimes, timing: Timing, alpha: f64) -> InTissue {
        let (c, g) = (self.fractions.csf, gm_ratio(self.fractions));
        let (d, r) = (self.content, self.water_left);
        let tissue = 1.0 - c;
        let water_of_tissue = g * d.gm * r.gm + (1.0 - g) * d.wm * r.wm;
        let seen = tissue * water_of_tissue + c * d.csf * r.csf;
        let [metabolite_gm, metabolite_wm] = [left(times.gm, timing), left(times.wm, timing)];
        let metabolite_left = g * metabolite_gm + (1.0 - g) * metabolite_wm;

        let molar = self.water_molality * seen / (metabolite_left * tissue);
        let log_by_csf = (d.csf * r.csf - water_of_tissue) / seen + 1.0 / tissue;
        let log_by_g = tissue * (d.gm * r.gm - d.wm * r.wm) / seen - (metabolite_gm - metabolite_wm) / metabolite_left;
        let content = g * d.gm + (1.0 - g) * d.wm;
        let holds = g + alpha * (1.0 - g);
        InTissue {
            molal: Factor::of(molar / content, log_by_csf, log_by_g - (d.gm - d.wm) / content),
            molar: Factor::of(molar, log_by_csf, log_by_g),
            alpha: Factor::of(molar / holds, log_by_csf, log_by_g - (1.0 - alpha) / holds),
            metabolite_left,
        }
    }
}
