//! Files and columns as Osprey writes them, which ENIGMA-MRS collects: a table a quantity, a row a scan, a column a metabolite.
//!
//! Names after Osprey 2.9's `QuantifyResults`. The rows of all files of a voxel are in the order of
//! `subject_names_and_excluded.tsv`; what Osprey has and requant does not (`h2oarea` of its own integration) is what comes
//! closest, and the dictionaries say so.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ExportError;
use super::folder::Folder;
use super::measurement::is_fitted;
use super::quantity::Quantity;
use super::study::Study;
use super::table::{Column, Table};
use crate::store::SpectrumRow;

/// Folder of the files.
const FOLDER: &str = "osprey";
/// Metabolites that Osprey calls otherwise.
const NAMES: [(&str, &str); 2] = [("Ins", "mI"), ("GABA+", "GABAplus")];

/// The spectra of one voxel, sub-spectrum and method.
struct Voxel<'a> {
    /// What stands between the folder and the name, with `/` behind it.
    folder: String,
    /// Osprey's word for the sub-spectrum.
    subspec: String,
    number: usize,
    rows: Vec<usize>,
    study: &'a Study,
}

pub(crate) fn write(study: &Study, folder: &mut Folder) -> Result<(), ExportError> {
    for voxel in voxels(study) {
        for (name, meaning, unit, of) in QUANTITIES {
            let cells = |row: Option<usize>| row.and_then(|row| of(study, row));
            folder.tsv(&voxel.of_metabolites(name, meaning, unit, &cells))?;
        }
        for table in [voxel.water(), voxel.tissue(), voxel.quality(), voxel.subjects()] {
            folder.tsv(&table)?;
        }
    }
    folder.text(&format!("{FOLDER}/SummaryMRSinMRS.md"), &summary(study))
}

type Of = fn(&Study, usize) -> Option<f64>;

/// Tables with a column a metabolite.
const QUANTITIES: [(&str, &str, &str, Of); 8] = [
    ("amplMets", "Amplitude", "basis set", |study, row| study.rows.metabolites[row].amplitude),
    ("CRLB", "Cramer-Rao bound over the amplitude", "%", |study, row| study.rows.metabolites[row].crlb_percent),
    ("tCr", "Ratio to total creatine", "", |study, row| study.value(Quantity::Tcr, row)),
    ("rawWaterScaled", "Water-scaled by LCModel's formula", "mmol/kg", |study, row| {
        study.value(Quantity::Lcmodel, row)
    }),
    ("CSFWaterScaled", "The same over what is no CSF", "mmol/kg", |study, row| study.value(Quantity::Csf, row)),
    ("TissCorrWaterScaled", "Per kg of tissue water", "mmol/kg", |study, row| study.value(Quantity::Molal, row)),
    ("AlphaCorrWaterScaled", "As if all tissue were grey matter", "i.u.", |study, row| {
        study.value(Quantity::Alpha, row)
    }),
    ("AlphaCorrWaterScaledGroupNormed", "The same, put back to the cohort's tissue", "i.u.", |study, row| {
        study.value(Quantity::AlphaNorm, row)
    }),
];

fn voxels(study: &Study) -> Vec<Voxel<'_>> {
    let spectra = &study.rows.spectra;
    let methods: BTreeSet<&str> = spectra.iter().map(|row| row.method.as_str()).collect();
    let vois: BTreeSet<Option<&str>> = spectra.iter().map(|row| row.voi.as_deref()).collect();
    let mut found: BTreeMap<(&str, usize, &str), Vec<usize>> = BTreeMap::new();
    for (at, row) in spectra.iter().enumerate() {
        let number = vois.iter().position(|voi| *voi == row.voi.as_deref()).unwrap_or(0) + 1;
        found.entry((&row.method, number, row.subspec.as_deref().unwrap_or("A"))).or_default().push(at);
    }
    let voxel = |((method, number, subspec), rows): ((&str, usize, &str), Vec<usize>)| Voxel {
        folder: if methods.len() > 1 { format!("{}/", super::names::safe(method, 60)) } else { String::new() },
        subspec: match subspec {
            "diff" => "diff1".to_owned(),
            other => super::names::safe(other, 40),
        },
        number,
        rows,
        study,
    };
    found.into_iter().map(voxel).collect()
}

impl<'a> Voxel<'a> {
    fn rows(&self) -> impl Iterator<Item = &'a SpectrumRow> + Clone + '_ {
        self.rows.iter().map(|row| &self.study.rows.spectra[*row])
    }

    fn table(&self, name: String, columns: Vec<Column<'a>>) -> Table<'a> {
        Table { name: format!("{FOLDER}/{}{name}", self.folder), row: "One row per scan.", columns }
    }

    fn number_in(&self, quantity: &str) -> String {
        format!("QuantifyResults/{}_{quantity}_Voxel_{}_Basis_1", self.subspec, self.number)
    }

    fn of_metabolites(
        &self,
        quantity: &str,
        meaning: &str,
        unit: &'static str,
        cell: &dyn Fn(Option<usize>) -> Option<f64>,
    ) -> Table<'a> {
        let mut names = super::names::Names::default();
        let each = self.study.metabolites.iter().enumerate();
        let columns = each.map(|(number, metabolite)| {
            let known = NAMES.iter().find(|(own, _)| own == metabolite).map_or(metabolite.as_str(), |(_, name)| name);
            let cells = self.rows.iter().map(|row| cell(self.study.of[*row][number]));
            Column::number(names.take(known), format!("{meaning}: {metabolite}"), unit, cells)
        });
        self.table(self.number_in(quantity), columns.collect())
    }

    fn water(&self) -> Table<'a> {
        let meaning = "Amplitude of the water reference at t = 0 (a fit of its decay, not Osprey's integral)";
        let area = Column::number("h2oarea", meaning, "signal", self.rows().map(|row| row.water_amplitude));
        self.table(self.number_in("h2oarea"), vec![area])
    }

    fn tissue(&self) -> Table<'a> {
        let column = |name, meaning, cell: fn(&SpectrumRow) -> Option<f64>| {
            Column::number(name, meaning, "", self.rows().map(cell))
        };
        let columns = vec![
            column("fGM", "Share of grey matter", |row| row.f_gm),
            column("fWM", "Share of white matter", |row| row.f_wm),
            column("fCSF", "Share of cerebrospinal fluid", |row| row.f_csf),
        ];
        self.table(format!("SegMaps/TissueFractions_Voxel_{}{}", self.number, self.ending()), columns)
    }

    /// Of files that Osprey has once: the first voxel and sub-spectrum keep its name.
    fn ending(&self) -> String {
        if self.subspec == "A" { String::new() } else { format!("_{}", self.subspec) }
    }

    fn ending_of_voxel(&self) -> String {
        let voxel = if self.number == 1 { String::new() } else { format!("_Voxel_{}", self.number) };
        format!("{voxel}{}", self.ending())
    }

    fn quality(&self) -> Table<'a> {
        let column = |name, meaning, unit, cell: fn(&SpectrumRow) -> Option<f64>| {
            Column::number(name, meaning, unit, self.rows().map(cell))
        };
        let columns = vec![
            column("Cr_SNR", "Osprey's signal-to-noise ratio of creatine", "", |row| row.snr_tcr),
            column("Cr_FWHM", "Osprey's linewidth of creatine", "Hz", |row| row.fwhm_tcr_hz),
            column("water_FWHM", "Linewidth of the water reference", "Hz", |row| row.fwhm_water_hz),
            column("residual_water_ampl", "Height of the water that is left over that of the reference", "", |row| {
                row.water_left
            }),
            column("freqShift", "Fitted frequency shift", "Hz", |row| row.shift_hz),
        ];
        self.table(format!("QM_processed_spectra{}", self.ending_of_voxel()), columns)
    }

    fn subjects(&self) -> Table<'a> {
        let is_out = |row: &SpectrumRow| Some(!is_fitted(row) || row.gate.is_some());
        let columns = vec![
            Column::text(
                "name",
                "Spectrum, as in the run's tables",
                self.rows().map(|row| Some(row.spectrum_id.as_str())),
            ),
            Column::owned(
                "participant_id",
                "Participant",
                self.rows().map(|row| row.subject.as_deref().map(|label| format!("sub-{label}"))),
            ),
            Column::owned(
                "session_id",
                "Session",
                self.rows().map(|row| row.session.as_deref().map(|label| format!("ses-{label}"))),
            ),
            Column::text("site", "Site", self.rows().map(|row| row.site.as_deref())),
            Column::text("group", "Group", self.rows.iter().map(|row| self.study.groups[*row].as_deref())),
            Column::text("voi", "Region", self.rows().map(|row| row.voi.as_deref())),
            Column::truth("exclude", "Whether it failed or does not pass the gates", self.rows().map(is_out)),
        ];
        self.table(format!("subject_names_and_excluded{}", self.ending_of_voxel()), columns)
    }
}

/// The table of Lin et al. (2021), as far as results tell it.
fn summary(study: &Study) -> String {
    let spectra = &study.rows.spectra;
    let list = |of: &dyn Fn(&SpectrumRow) -> Option<String>| {
        let found: BTreeSet<String> = spectra.iter().filter_map(of).collect();
        if found.is_empty() { "n/a".to_owned() } else { found.into_iter().collect::<Vec<_>>().join(", ") }
    };
    let number = |of: fn(&SpectrumRow) -> Option<f64>, digits: usize| {
        list(&|row: &SpectrumRow| of(row).map(|value| format!("{value:.digits$}")))
    };
    let lines = [
        ("1a. Field strength (T)", number(|row| row.field_t, 1)),
        ("1b. Manufacturer", list(&|row| row.vendor.clone())),
        ("1e. Software", format!("requant {}", env!("CARGO_PKG_VERSION"))),
        ("2a. Pulse sequence", list(&|row| row.sequence.clone())),
        ("2b. Volume of interest", list(&|row| row.voi.clone())),
        ("2c. Nominal volume (ml)", number(|row| row.voxel_ml, 1)),
        ("2d. Repetition time (s)", number(|row| row.tr_s, 3)),
        ("2d. Echo time (s)", number(|row| row.te_s, 4)),
        ("2e. Transients", list(&|row| row.n_transients.map(|n| n.to_string()))),
        ("2f. Samples", list(&|row| row.n_points.map(|n| n.to_string()))),
        ("3b. Output measure", study.quantities.iter().map(|q| q.name()).collect::<Vec<_>>().join(", ")),
        ("3c. Basis set", list(&|row| row.basis_id.clone())),
        ("3c. Method", list(&|row| Some(row.method.clone()))),
        ("4b. Exclusion", format!("gates `{}`", study.gates.name)),
    ];
    let rows: String =
        lines.iter().map(|(what, value)| format!("| {what} | {} |\n", value.replace('|', "\\|"))).collect();
    format!("# Minimum reporting standards for MRS (doi:10.1002/nbm.4484)\n\n| item | value |\n|---|---|\n{rows}")
}
