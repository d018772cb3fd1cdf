//! What is exported of a metabolite, and under which ending of its column.

use crate::store::MetaboliteRow;

/// A quantity of a metabolite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Quantity {
    /// Ratio to total creatine.
    Tcr,
    /// Water-scaled by LCModel's formula.
    Lcmodel,
    /// The same over what is no CSF.
    Csf,
    /// Per kg of tissue water.
    Molal,
    /// Per litre of tissue.
    Molar,
    /// As if all tissue were grey matter.
    Alpha,
    /// The same, put back to the cohort's tissue.
    AlphaNorm,
}

impl Quantity {
    /// All of them, in the order of the columns.
    pub(crate) const ALL: [Self; 7] =
        [Self::Tcr, Self::Lcmodel, Self::Csf, Self::Molal, Self::Molar, Self::Alpha, Self::AlphaNorm];

    /// Ending of the column (`Glu_tcr`).
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tcr => "tcr",
            Self::Lcmodel => "lcmodel",
            Self::Csf => "csf",
            Self::Molal => "molal",
            Self::Molar => "molar",
            Self::Alpha => "alpha",
            Self::AlphaNorm => "alphanorm",
        }
    }

    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::Tcr => "",
            Self::Lcmodel | Self::Csf | Self::Molal => "mmol/kg",
            Self::Molar => "mmol/l",
            Self::Alpha | Self::AlphaNorm => "i.u.",
        }
    }

    /// What it is, for the dictionary.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Tcr => "ratio to total creatine (`ratio_tcr`)",
            Self::Lcmodel => "water-scaled concentration by LCModel's formula (`conc_lcmodel_mmol_per_kg`)",
            Self::Csf => "the same over the part of the voxel that is no CSF (`conc_csf_mmol_per_kg`)",
            Self::Molal => "concentration per kg of tissue water (`conc_molal_mmol_per_kg`)",
            Self::Molar => "concentration per litre of tissue (`conc_molar_mmol_per_l`)",
            Self::Alpha => "concentration as if all tissue were grey matter (`conc_alpha_iu`)",
            Self::AlphaNorm => {
                "`conc_alpha_iu` times (GM + alpha*WM)/(GM + WM), with the mean shares GM and WM of this region over the \
                 results; a sum adds up its members"
            }
        }
    }

    /// The value of a row of the table; that of [`Quantity::AlphaNorm`] hangs on the others.
    pub(crate) fn of(self, row: &MetaboliteRow) -> Option<f64> {
        match self {
            Self::Tcr => row.ratio_tcr,
            Self::Lcmodel => row.conc_lcmodel_mmol_per_kg,
            Self::Csf => row.conc_csf_mmol_per_kg,
            Self::Molal => row.conc_molal_mmol_per_kg,
            Self::Molar => row.conc_molar_mmol_per_l,
            Self::Alpha => row.conc_alpha_iu,
            Self::AlphaNorm => None,
        }
    }

    /// Its standard deviation, likewise.
    pub(crate) fn sd_of(self, row: &MetaboliteRow) -> Option<f64> {
        match self {
            Self::Tcr => row.ratio_tcr_sd,
            Self::Lcmodel => row.conc_lcmodel_sd_mmol_per_kg,
            Self::Csf => row.conc_csf_sd_mmol_per_kg,
            Self::Molal => row.conc_molal_sd_mmol_per_kg,
            Self::Molar => row.conc_molar_sd_mmol_per_l,
            Self::Alpha => row.conc_alpha_sd_iu,
            Self::AlphaNorm => None,
        }
    }

    /// Whether there is none without a water reference.
    pub(crate) fn needs_water(self) -> bool {
        self != Self::Tcr
    }

    /// Whether there is none without tissue.
    pub(crate) fn needs_tissue(self) -> bool {
        !matches!(self, Self::Tcr | Self::Lcmodel)
    }
}
