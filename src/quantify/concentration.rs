//! Concentrations of the amplitudes of one spectrum, with their standard deviations, and why there are none.

use super::attenuation::Timing;
use super::inputs::Inputs;
use super::relaxation::gm_ratio;
use super::tissue::{Factor, InTissue, Voxel, water_left, without_csf};
use super::water_scaling::{UNTIMED, WaterScaling, lcmodel_water_attenuation};
use super::{Fractions, packed};
use crate::basis::names::{Kind, kind};
use crate::fit::FitResult;

/// Share of CSF above which nothing is said of the tissue beside it.
pub const MOST_CSF: f64 = 0.95;
/// Share of the voxel that the image of its tissue must hold.
pub const LEAST_SHARE_IN_IMAGE: f64 = 0.9;

/// The flags that concentrations raise.
pub const FLAGS: [&str; 6] = [
    "water_te_or_tr_unknown",
    "voxel_mostly_csf",
    "no_relaxation_times",
    "te_or_tr_unknown",
    "inversion_recovery",
    "mixing_time_unknown",
];

/// A value and its standard deviation to first order; `sd` is `None` where a part of it is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Its standard deviation.
    pub sd: Option<f64>,
}

/// What one amplitude comes to; see `docs/reference/quantification.md` for each.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Concentration {
    /// LCModel's formula (mmol per kg wet weight).
    pub lcmodel: Option<Estimate>,
    /// The same over the share of the voxel that is no CSF (mmol per kg wet weight).
    pub csf: Option<Estimate>,
    /// Per kg of tissue water (mmol).
    pub molal: Option<Estimate>,
    /// Per litre of tissue (mmol).
    pub molar: Option<Estimate>,
    /// As if the voxel were grey matter (i.u.).
    pub alpha: Option<Estimate>,
    /// Longitudinal relaxation time that was used (s), weighted by the tissue; none for sums.
    pub t1_s: Option<f64>,
    /// Transverse relaxation time (s), likewise.
    pub t2_s: Option<f64>,
    /// What relaxation leaves of the metabolite in the tissue; none for sums.
    pub attenuation: Option<f64>,
    /// Which constants: version, field, entry.
    pub constants_id: Option<String>,
}

/// The concentrations of one spectrum.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Concentrations {
    /// Components, then sums.
    pub each: Vec<Concentration>,
    /// LCModel's ATTH2O that was used.
    pub water_attenuation: Option<f64>,
    /// What relaxation leaves of the water of the voxel's tissue.
    pub water_attenuation_tissue: Option<f64>,
    /// Why some of them are not there.
    pub flags: Vec<&'static str>,
}

/// One amplitude, of a fit or of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Term {
    /// Canonical name.
    pub name: String,
    /// Positions of what a sum adds up; empty for a component.
    pub members: Vec<usize>,
    /// Amplitude in the basis set's units.
    pub value: f64,
    /// Its standard deviation.
    pub sd: f64,
}

/// The amplitudes of one spectrum: components, then sums, and the packed posterior covariance of the components (empty where it
/// is not known).
#[derive(Debug, Clone, PartialEq)]
pub struct Terms {
    /// Components, then sums.
    pub each: Vec<Term>,
    /// Lower triangle, row by row.
    pub covariance: Vec<f64>,
}

impl From<&FitResult> for Terms {
    fn from(fit: &FitResult) -> Self {
        let term = |a: &crate::fit::result::Amplitude| Term {
            name: a.name.clone(),
            members: a.members.clone(),
            value: a.value,
            sd: a.sd_posterior,
        };
        Self { each: fit.amplitudes.iter().map(term).collect(), covariance: fit.posterior_covariance.clone() }
    }
}

impl Terms {
    fn covariance_of(&self, i: usize, j: usize) -> Option<f64> {
        let (row, column) = (i.max(j), i.min(j));
        self.covariance.get(row * (row + 1) / 2 + column).map(|_| packed(&self.covariance, row, column))
    }
}

/// The concentrations of `terms`.
///
/// `signal_per_proton` is the signal at t = 0 of one proton at amplitude 1 in the basis set
/// ([`super::singlet::signal_per_proton`]); without it or a water reference there are none.
pub fn concentrations(
    terms: &Terms,
    inputs: &Inputs,
    signal_per_proton: Option<f64>,
    constants: &WaterScaling,
) -> Concentrations {
    let Some((water, proton)) = inputs.water_amplitude.zip(signal_per_proton) else {
        return Concentrations { each: vec![Concentration::default(); terms.each.len()], ..Concentrations::default() };
    };
    let mut flags = Vec::new();
    let attenuation = constants.attenuation(inputs);
    if constants.water_attenuation.is_none() && inputs.water_te_s.is_none() {
        flags.push("water_te_or_tr_unknown");
    }
    let fractions = inputs.usable_fractions(&mut flags);
    let voxel = fractions.and_then(|fractions| inputs.voxel(fractions, constants, &mut flags));
    let scale = Scale {
        terms,
        inputs,
        lcmodel: constants.factor(proton, water, attenuation),
        signal_over_water: proton * 2.0 / water,
        fractions,
        voxel: voxel.map(|(voxel, timing)| InVoxel::of(terms, inputs, constants, &voxel, timing)),
    };
    Concentrations {
        each: (0..terms.each.len()).map(|index| scale.concentration(index)).collect(),
        water_attenuation: Some(attenuation),
        water_attenuation_tissue: voxel.map(|(voxel, _)| voxel.water_attenuation()),
        flags,
    }
}

impl WaterScaling {
    /// ATTH2O for a reference: the one that was asked for, or LCModel's at the reference's echo time. Where its repetition time
    /// is another than the spectrum's, also what that changes: at one repetition time LCModel lets the saturation of both
    /// cancel.
    fn attenuation(&self, inputs: &Inputs) -> f64 {
        if let Some(fixed) = self.water_attenuation {
            return fixed;
        }
        let by_te = inputs.water_te_s.map_or(UNTIMED, lcmodel_water_attenuation);
        let times = inputs.field_t.and_then(|field_t| self.relaxation.water_at(field_t));
        let by_tr = inputs.water_tr_s.zip(inputs.tr_s).zip(times).map(|((water_tr_s, tr_s), times)| {
            let t1_s = 0.5 * (times.gm.t1_s + times.wm.t1_s);
            (1.0 - (-water_tr_s / t1_s).exp()) / (1.0 - (-tr_s / t1_s).exp())
        });
        by_te * by_tr.unwrap_or(1.0)
    }
}

impl Inputs {
    /// The tissue, if enough of it is known.
    fn usable_fractions(&self, flags: &mut Vec<&'static str>) -> Option<Fractions> {
        let fractions = self.fractions?;
        if self.share_in_image.is_some_and(|share| share < LEAST_SHARE_IN_IMAGE) {
            return None;
        }
        let all = [fractions.gm, fractions.wm, fractions.csf];
        if !all.iter().all(|f| f.is_finite() && *f >= 0.0)
            || fractions.csf > MOST_CSF
            || fractions.gm + fractions.wm <= 0.0
        {
            flags.push("voxel_mostly_csf");
            return None;
        }
        Some(fractions)
    }

    /// The voxel, and when the metabolites were excited and read; what is missing is flagged.
    fn voxel(
        &self,
        fractions: Fractions,
        constants: &WaterScaling,
        flags: &mut Vec<&'static str>,
    ) -> Option<(Voxel, Timing)> {
        let relaxation = &constants.relaxation;
        let times = self.field_t.and_then(|field_t| relaxation.water_at(field_t));
        if times.is_none() {
            flags.push("no_relaxation_times");
        }
        let (own, water) = (self.te_s.zip(self.tr_s), self.water_te_s.zip(self.water_tr_s));
        if own.is_none() {
            flags.push("te_or_tr_unknown");
        }
        if water.is_none() && !flags.contains(&"water_te_or_tr_unknown") {
            flags.push("water_te_or_tr_unknown");
        }
        if self.is_inversion_recovery() {
            flags.push("inversion_recovery");
            return None;
        }
        if self.is_stimulated_echo() && self.tm_s.is_none() {
            flags.push("mixing_time_unknown");
            return None;
        }
        let tm_s = self.tm_s.filter(|_| self.may_be_stimulated_echo());
        let cos_flip = self.flip_angle_deg.map_or(0.0, |degrees| degrees.to_radians().cos());
        let timing = |(te_s, tr_s): (f64, f64)| Timing { te_s, tr_s, tm_s, cos_flip };
        let voxel = Voxel {
            fractions,
            content: relaxation.water_content,
            water_left: water_left(times?, timing(water?)),
            water_molality: relaxation.water_molality_mmol_per_kg,
        };
        Some((voxel, timing(own?)))
    }
}

/// Factors of the components in the voxel; `None` where a component has no relaxation times.
struct InVoxel {
    factors: Vec<Option<InTissue>>,
    times: Vec<Option<([f64; 2], String)>>,
    sums_id: Option<String>,
}

impl InVoxel {
    fn of(terms: &Terms, inputs: &Inputs, constants: &WaterScaling, voxel: &Voxel, timing: Timing) -> Self {
        let field_t = inputs.field_t.unwrap_or_default();
        let g = gm_ratio(voxel.fractions);
        let relaxation = &constants.relaxation;
        let (mut factors, mut times) = (Vec::new(), Vec::new());
        for term in terms.each.iter().filter(|term| term.members.is_empty()) {
            let found = relaxation.metabolite_at(&term.name, field_t).filter(|_| has_times(&term.name));
            factors.push(found.as_ref().map(|(of, _)| voxel.factors(of, timing, relaxation.alpha_of(&term.name))));
            times.push(found.map(|(of, id)| {
                let mean = |gm: f64, wm: f64| g * gm + (1.0 - g) * wm;
                ([mean(of.gm.t1_s, of.wm.t1_s), mean(of.gm.t2_s, of.wm.t2_s)], id)
            }));
        }
        Self { factors, times, sums_id: relaxation.id_at(field_t) }
    }
}

/// Macromolecules, lipids and lines without a name relax as no metabolite does.
fn has_times(name: &str) -> bool {
    kind(name) == Kind::Metabolite && !name.starts_with("unknown ")
}

struct Scale<'a> {
    terms: &'a Terms,
    inputs: &'a Inputs,
    /// LCModel's concentration of an amplitude of 1.
    lcmodel: f64,
    /// S of an amplitude of 1.
    signal_over_water: f64,
    fractions: Option<Fractions>,
    voxel: Option<InVoxel>,
}

impl Scale<'_> {
    fn concentration(&self, index: usize) -> Concentration {
        let alike = |factor: Factor| self.estimate(index, |_| Some(factor));
        let lcmodel = Factor { value: self.lcmodel, by_csf: 0.0, by_gm_ratio: 0.0 };
        let csf = self.fractions.map(|fractions| without_csf(fractions).times(self.lcmodel));
        let of = |which: fn(&InTissue) -> Factor| {
            let voxel = self.voxel.as_ref()?;
            let factor = |i: usize| Some(which(voxel.factors.get(i)?.as_ref()?).times(self.signal_over_water));
            self.estimate(index, factor)
        };
        let is_sum = !self.terms.each[index].members.is_empty();
        let own = self.voxel.as_ref().filter(|_| !is_sum);
        let times = own.and_then(|voxel| voxel.times.get(index)?.as_ref());
        let molal = of(|f| f.molal);
        let sums_id = self.voxel.as_ref().filter(|_| is_sum && molal.is_some()).and_then(|voxel| voxel.sums_id.clone());
        Concentration {
            lcmodel: alike(lcmodel),
            csf: csf.and_then(alike),
            molal,
            molar: of(|f| f.molar),
            alpha: of(|f| f.alpha),
            t1_s: times.map(|([t1_s, _], _)| *t1_s),
            t2_s: times.map(|([_, t2_s], _)| *t2_s),
            attenuation: own.and_then(|voxel| Some(voxel.factors.get(index)?.as_ref()?.metabolite_left)),
            constants_id: times.map(|(_, id)| id.clone()).or(sums_id),
        }
    }

    /// Σ kᵢ·aᵢ over the members of a sum (or the component itself), each with its own factor k. Its variance is that of the
    /// amplitudes, kᵀΣk, of the water reference, and of the tissue.
    fn estimate(&self, index: usize, factor: impl Fn(usize) -> Option<Factor>) -> Option<Estimate> {
        let term = &self.terms.each[index];
        let own = [index];
        let members: &[usize] = if term.members.is_empty() { &own } else { &term.members };
        let factors: Vec<Factor> = members.iter().map(|&i| factor(i)).collect::<Option<_>>()?;
        let total = |of: fn(&Factor) -> f64| -> f64 {
            members.iter().zip(&factors).map(|(&i, f)| of(f) * self.terms.each[i].value).sum()
        };
        let first = factors.first()?.value;
        // One factor for all: the sum itself, whose error is known without the covariance.
        let is_common = factors.iter().all(|f| f.value == first);
        let value = if is_common { first * term.value } else { total(|f| f.value) };
        let amplitudes = if is_common {
            Some((first * term.sd).powi(2))
        } else {
            self.variance(members, &factors).map(|(weighted, plain)| match plain > 0.0 {
                true => weighted,
                // Amplitudes that were kept at zero are not in the covariance; their error is known all the same.
                false => (factors.iter().map(|f| f.value).fold(0.0, f64::max) * term.sd).powi(2),
            })
        };
        let part = |sd: Option<f64>, slope: f64| sd.map_or(0.0, |sd| (slope * sd).powi(2));
        let water = part(self.inputs.water_amplitude_sd.zip(self.inputs.water_amplitude).map(|(sd, w)| sd / w), value);
        let tissue =
            part(self.inputs.f_csf_sd, total(|f| f.by_csf)) + part(self.inputs.gm_ratio_sd, total(|f| f.by_gm_ratio));
        Some(Estimate { value, sd: amplitudes.map(|variance| (variance.max(0.0) + water + tissue).sqrt()) })
    }

    /// kᵀΣk, and 1ᵀΣ1; `None` where the covariance is not known.
    fn variance(&self, members: &[usize], factors: &[Factor]) -> Option<(f64, f64)> {
        let (mut weighted, mut plain) = (0.0, 0.0);
        for (&i, a) in members.iter().zip(factors) {
            for (&j, b) in members.iter().zip(factors) {
                let covariance = self.terms.covariance_of(i, j)?;
                weighted += a.value * b.value * covariance;
                plain += covariance;
            }
        }
        Some((weighted, plain))
    }
}
