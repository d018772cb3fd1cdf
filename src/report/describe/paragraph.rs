//! A paragraph for the methods of a paper. It says of a step only what rows or record show to have been done.

use std::collections::BTreeSet;

use super::People;
use super::acquired;
use super::analysed;
use super::basis;
use super::citations::{self as papers, Paper, References};
use super::item::Item;
use super::protocol::Protocol;
use super::settings::{self, Asked, Difference};
use super::values::{number, plural};
use crate::prepare::settings::{CoilMethod, Step};
use crate::quantify::WaterScaling;
use crate::store::{RunRecord, SpectrumRow};

/// What the paragraph is made of.
pub(super) struct Source<'a> {
    pub(super) record: &'a RunRecord,
    pub(super) protocols: &'a [Protocol<'a>],
    pub(super) people: &'a People,
    pub(super) differences: &'a [Difference],
}

/// Keys of what people say of an acquisition, and how a sentence begins with it.
const TOLD: [(&str, &str); 6] = [
    ("model", "Scanner"),
    ("coils", "coils"),
    ("voi_location", "voxel"),
    ("water_suppression", "water suppression"),
    ("shimming", "shimming"),
    ("motion", "triggering and motion correction"),
];

impl Source<'_> {
    /// The paragraph, and the papers that it names.
    pub(super) fn paragraph(&self) -> (String, Vec<(String, String)>) {
        let mut references = References::default();
        let sentences = [
            self.acquisition(),
            self.preparation(&mut references),
            self.fit(&mut references),
            basis::of_run(self.protocols, self.record, &mut references),
            self.quantities(&mut references),
            self.tissue(&mut references),
            self.quality(),
            self.settings(),
            Some(format!("Reported as MRSinMRS asks for ({}).", references.cite(papers::MRSINMRS))),
        ];
        let text = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
        (text, references.list())
    }

    fn any(&self, holds: impl Fn(&SpectrumRow) -> bool + Copy) -> bool {
        self.protocols.iter().any(|protocol| protocol.any(holds))
    }

    /// How many spectra it holds for.
    fn n(&self, holds: impl Fn(&SpectrumRow) -> bool) -> String {
        let n = self.protocols.iter().flat_map(|protocol| &protocol.spectra).filter(|row| holds(row)).count();
        plural(n, "spectrum", "spectra")
    }

    fn acquisition(&self) -> Option<String> {
        let one = |(i, protocol): (usize, &Protocol<'_>)| {
            let subjects = protocol.n_subjects().map(|n| format!(" of {}", plural(n, "subject", "subjects")));
            let n = plural(protocol.spectra.len(), "spectrum", "spectra");
            let told = TOLD
                .iter()
                .filter_map(|(key, word)| Some(format!("{word}: {}", self.people.say(protocol, Item::of_key(key)?)?)));
            let told = told.collect::<Vec<_>>().join("; ");
            let told = if told.is_empty() { String::new() } else { format!(" {told}.") };
            let phrase = acquired::phrase(protocol);
            format!("Protocol {} has {n}{} ({phrase}).{told}", i + 1, subjects.unwrap_or_default())
        };
        let all: Vec<String> = self.protocols.iter().enumerate().map(one).collect();
        (!all.is_empty()).then(|| all.join(" "))
    }

    fn preparation(&self, references: &mut References) -> Option<String> {
        let prepare = settings::preparation(self.record)?;
        let Some(settings) = prepare.settings() else {
            return Some("Spectra came prepared and were fitted as they are.".to_owned());
        };
        let mut done = Vec::new();
        if self.any(|row| row.n_coils.is_some_and(|n| n > 1)) {
            let (how, paper) = coils(settings.coils);
            let n = self.n(|row| row.n_coils.is_some_and(|n| n > 1));
            done.push(format!("receive channels of {n} were combined by {how} ({})", references.cite(paper)));
        }
        if prepare.has(Step::Align) && self.any(|row| row.shift_jitter_hz.is_some() || row.drift_hz.is_some()) {
            let [low, high] = settings.align_band_ppm;
            let paper = references.cite(papers::ALIGNMENT);
            done.push(format!("transients were aligned in frequency and phase from {low} to {high} ppm (spectral registration, {paper})"));
        }
        if prepare.has(Step::Reject) && self.any(|row| row.n_transients.is_some_and(|n| n > 1)) {
            done.push(format!(
                "transients more than {} standard deviations from the others were left out",
                settings.reject_beyond_sd
            ));
        }
        if self.any(|row| row.n_transients.is_some_and(|n| n > 1)) {
            let n = self.n(|row| row.n_transients.is_some_and(|n| n > 1));
            let parts = if self.any(|row| row.dynamic_index.is_some()) { " in the parts of a time course" } else { "" };
            done.push(format!("the transients of {n} were averaged{parts}"));
        }
        // What water suppression left is measured on the references whose phase is used, and on no others.
        if prepare.has(Step::EddyCurrents) && self.any(|row| row.water_left.is_some()) {
            let n = self.n(|row| row.water_left.is_some());
            let paper = references.cite(papers::EDDY_CURRENTS);
            done.push(format!("eddy currents of {n} were corrected by the phase of the water reference ({paper})"));
        }
        if self.any(|row| row.water_removed == Some(true)) {
            let n = self.n(|row| row.water_removed == Some(true));
            done.push(format!("residual water was removed from {n} (HSVD, {})", references.cite(papers::HSVD)));
        }
        if done.is_empty() {
            Some("No step of preparation had anything to do.".to_owned())
        } else {
            Some(sentence(&done.join("; ")))
        }
    }

    fn fit(&self, references: &mut References) -> Option<String> {
        let software = analysed::software(self.record);
        let methods = self.record.config.get("methods").and_then(|methods| methods.as_array());
        let varied = self.record.varied();
        let one = |method: &serde_json::Value| {
            let name = method.get("name")?.as_str()?;
            let base = varied.iter().find(|one| one.method == name).map_or(name, |one| one.base.as_str());
            let paper = papers::of_method(base).map(|paper| format!(", {}", references.cite(paper)));
            let description = method.get("description")?.as_str()?.trim_end_matches('.');
            let made = if base == name { String::new() } else { format!(" (`{base}` with other settings)") };
            Some(format!("Method `{name}`{made}: {description}{}.", paper.unwrap_or_default()))
        };
        let described: Vec<String> = methods.into_iter().flatten().filter_map(one).collect();
        Some(
            format!("Spectra were read, prepared and fitted by {software}. {}", described.join(" "))
                .trim_end()
                .to_owned(),
        )
    }

    fn quantities(&self, references: &mut References) -> Option<String> {
        let mut columns: Vec<&str> = Vec::new();
        for protocol in self.protocols {
            columns.extend(analysed::measures(protocol).into_iter().map(|(column, _)| column));
        }
        let has = |column: &str| columns.contains(&column);
        let mut text = Vec::new();
        if has("ratio_tcr") {
            text.push("ratios to total creatine have errors from the posterior covariance of both".to_owned());
        }
        if has("conc_lcmodel_mmol_per_kg") {
            text.push(format!(
                "concentrations were scaled to water{} by LCModel's formula ({})",
                self.water_left(),
                references.cite(papers::LCMODEL)
            ));
        }
        let corrected = ["conc_molal_mmol_per_kg", "conc_molar_mmol_per_l", "conc_alpha_iu"];
        if corrected.iter().any(|column| has(column)) {
            let paper = references.cite(papers::GASPAROVIC);
            text.push(format!(
                "molal and molar concentrations are corrected for tissue and relaxation ({paper}), with constants {}",
                self.constants(references)
            ));
        }
        if has("conc_alpha_iu") {
            text.push(format!("alpha-corrected ones follow {}", references.cite(papers::ALPHA)));
        }
        (!text.is_empty()).then(|| sentence(&text.join("; ")))
    }

    /// What relaxation was taken to leave of the water signal: LCModel's own is 0.7 whatever the echo time is, and readers would
    /// take it for that.
    fn water_left(&self) -> String {
        let rows = self.protocols.iter().flat_map(|protocol| &protocol.metabolites);
        let scaled = rows.filter(|row| row.conc_lcmodel_mmol_per_kg.is_some());
        let mut left: Vec<f64> = scaled.filter_map(|row| row.water_attenuation).collect();
        left.sort_by(f64::total_cmp);
        let Some((least, most)) = left.first().zip(left.last()) else { return String::new() };
        let (least, most) = (number(*least, 3), number(*most, 3));
        let range = if least == most { least } else { format!("{least} to {most}") };
        format!(" (of whose signal relaxation was taken to leave {range})")
    }

    /// The constants by name; their sources become references.
    fn constants(&self, references: &mut References) -> String {
        let written = self.record.config.get("water_scaling").cloned().unwrap_or_default();
        let Ok(constants) = serde_json::from_value::<WaterScaling>(written) else {
            return "that are not recorded".to_owned();
        };
        for (name, doi) in &constants.relaxation.sources {
            references.source(name, doi);
        }
        let named: Vec<&str> = constants.relaxation.sources.keys().map(String::as_str).collect();
        format!("`{}` ({})", constants.relaxation.version, named.join(", "))
    }

    fn tissue(&self, references: &mut References) -> Option<String> {
        let n = self.n(|row| row.f_gm.is_some());
        if !self.any(|row| row.f_gm.is_some()) {
            return None;
        }
        let kinds: BTreeSet<&String> =
            self.protocols.iter().flat_map(|p| &p.spectra).filter_map(|row| row.segmentation_kind.as_ref()).collect();
        let told: Vec<String> = kinds
            .into_iter()
            .map(|kind| {
                papers::of_segmentation(kind)
                    .map_or(kind.clone(), |paper: Paper| format!("{kind}, {}", references.cite(paper)))
            })
            .collect();
        let from = if told.is_empty() { "a table of fractions".to_owned() } else { told.join("; ") };
        Some(format!("Shares of grey matter, white matter and CSF are known for {n} ({from})."))
    }

    fn quality(&self) -> Option<String> {
        let rows = || self.protocols.iter().flat_map(|protocol| &protocol.rows);
        let out = rows().filter(|row| row.status != crate::store::Status::Ok).count();
        let fitted = format!("Of {}, {out} could not be fitted", plural(rows().count(), "analysis", "analyses"));
        let gates = match settings::gates(self.record) {
            Asked::Gates(gates) => self.gated(&gates.name),
            Asked::Not => "no gates were asked for".to_owned(),
            Asked::Unreadable => "gates were asked for that this version cannot read".to_owned(),
        };
        Some(format!("{fitted}; {gates}."))
    }

    /// How many analyses and values do not pass the gates; nothing is deleted.
    fn gated(&self, name: &str) -> String {
        let stopped: BTreeSet<(&str, &str)> = self
            .protocols
            .iter()
            .flat_map(|protocol| &protocol.rows)
            .filter(|row| row.gate.is_some())
            .map(|row| (&*row.spectrum_id, &*row.method))
            .collect();
        let others = || {
            let all = self.protocols.iter().flat_map(|protocol| &protocol.metabolites);
            all.filter(|row| !stopped.contains(&(&*row.spectrum_id, &*row.method)))
        };
        let values = others().filter(|row| row.gate.is_some()).count();
        format!(
            "gates `{name}` stop {} and {values} of {} of the others (marked, not deleted)",
            plural(stopped.len(), "analysis", "analyses"),
            plural(others().count(), "value", "values")
        )
    }

    fn settings(&self) -> Option<String> {
        let one = |d: &Difference| format!("`{}` = {} (default {})", d.setting, d.value, d.default);
        let all: Vec<String> = self.differences.iter().map(one).collect();
        Some(if all.is_empty() {
            "All settings were the defaults.".to_owned()
        } else {
            format!("Settings other than the defaults: {}.", all.join("; "))
        })
    }
}

fn coils(method: CoilMethod) -> (&'static str, Paper) {
    match method {
        CoilMethod::Svd => ("whitened singular value decomposition", papers::SVD_COILS),
        CoilMethod::Gls => ("generalised least squares", papers::GLS_COILS),
        CoilMethod::FirstPoint => ("the first point's sensitivities", papers::FIRST_POINT_COILS),
    }
}

/// Begins with a capital and ends with a stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}
