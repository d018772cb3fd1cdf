//! Files and columns as Osprey writes them, which ENIGMA-MRS collects: a table a quantity, a row a scan, a column a metabolite.
//!
//! Names after Osprey's own code (`OspreyQuantify`, `exportQuant`, `OspreyProcess`, `OspreyOverview` and
//! `listValidBasisFunctionNames`, 2.x): `QuantifyResults/A_tCr_Voxel_1_Basis_1.tsv`, `SegMaps/TissueFractions_Voxel_1.tsv`,
//! `QM_processed_spectra.tsv`, `subject_names_and_excluded.tsv`. The rows of all files are the same scans in the same order;
//! a number that is missing is `NaN`, as MATLAB writes it. A study of several regions has a folder for each, as Osprey
//! takes one region at a time. Where Osprey measures something else than requant, the dictionaries say what stands here.

use std::collections::{BTreeMap, BTreeSet};

use super::error::ExportError;
use super::folder::Folder;
use super::measurement::is_fitted;
use super::names::safe;
use super::quantity::Quantity;
use super::study::Study;
use super::table::{Column, Table};
use crate::store::SpectrumRow;

/// Folder of the files.
const FOLDER: &str = "osprey";
/// Metabolites that Osprey calls otherwise.
const NAMES: [(&str, &str); 9] = [
    ("Ins", "mI"),
    ("Scyllo", "sI"),
    ("GABA+", "GABAplus"),
    ("-CrCH2", "CrCH2"),
    ("Cho", "fCho"),
    ("Act", "AcO"),
    ("Mac", "MMexp"),
    ("PE+EA", "tEA"),
    ("PropyleneGlycol", "Pgc"),
];
/// Sub-spectra: conditions are letters, the one without a pulse first; the differences are numbered, GABA first.
const SUBSPECTRA: [(&str, &str); 9] = [
    ("off", "A"),
    ("on", "B"),
    ("a", "A"),
    ("b", "B"),
    ("c", "C"),
    ("d", "D"),
    ("diff", "diff1"),
    ("diff_gaba", "diff1"),
    ("diff_gsh", "diff2"),
];
/// The sub-spectrum of which quality is told, the first that a scan has.
const MAIN: [&str; 2] = ["A", "sum"];

/// Rows of a scan, by Osprey's word for the sub-spectrum.
type Scan = BTreeMap<String, usize>;

/// The scans of one region and method.
struct Region<'a> {
    /// What stands between the folder and the name, with `/` behind it.
    folder: String,
    scans: Vec<Scan>,
    study: &'a Study,
}

pub(crate) fn write(study: &Study, folder: &mut Folder) -> Result<(), ExportError> {
    for region in regions(study) {
        for subspec in region.subspectra() {
            for (name, meaning, unit, of) in QUANTITIES {
                let cells = |row: Option<usize>| row.and_then(|row| of(study, row));
                let table = region.of_metabolites(&subspec, name, meaning, unit, &cells);
                // What nobody has is no table: Osprey writes none either, without water or tissue.
                if !table.columns.is_empty() {
                    folder.matlab_tsv(&table)?;
                }
            }
            folder.matlab_tsv(&region.water(&subspec))?;
        }
        for table in [region.tissue(), region.quality(), region.subjects()] {
            folder.matlab_tsv(&table)?;
        }
    }
    folder.text(&format!("{FOLDER}/SummaryMRSinMRS.md"), &summary(study))
}

/// Name, meaning, unit and value of a column that tells of a scan.
type Number = (&'static str, &'static str, &'static str, fn(&SpectrumRow) -> Option<f64>);
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

/// The scan that a row is of: its spectrum without the sub-spectrum.
fn scan_of(row: &SpectrumRow) -> String {
    let mut parts: Vec<&str> = row.spectrum_id.split('#').collect();
    if let Some(at) = row.subspec.as_deref().and_then(|own| parts.iter().skip(1).position(|part| *part == own)) {
        parts.remove(at + 1);
    }
    parts.join("#")
}

/// Osprey's word for a sub-spectrum.
fn subspectrum(own: Option<&str>) -> String {
    let Some(own) = own else { return MAIN[0].to_owned() };
    let known = SUBSPECTRA.iter().find(|(name, _)| *name == own);
    known.map_or_else(|| safe(own, 40), |(_, theirs)| (*theirs).to_owned())
}

fn regions(study: &Study) -> Vec<Region<'_>> {
    let spectra = &study.rows.spectra;
    let methods: BTreeSet<&str> = spectra.iter().map(|row| row.method.as_str()).collect();
    let vois: BTreeSet<Option<&str>> = spectra.iter().map(|row| row.voi.as_deref()).collect();
    let mut found: BTreeMap<(&str, Option<&str>), Vec<usize>> = BTreeMap::new();
    for (at, row) in spectra.iter().enumerate() {
        found.entry((&row.method, row.voi.as_deref())).or_default().push(at);
    }
    let region = |((method, voi), rows): ((&str, Option<&str>), Vec<usize>)| {
        let mut folder = if methods.len() > 1 { format!("{}/", safe(method, 60)) } else { String::new() };
        if vois.len() > 1 {
            folder += &format!("{}/", safe(voi.unwrap_or("no_voi"), 60));
        }
        Region { folder, scans: scans(study, &rows), study }
    };
    found.into_iter().map(region).collect()
}

/// The rows by scan, in the order of the results.
fn scans(study: &Study, rows: &[usize]) -> Vec<Scan> {
    let (mut scans, mut place): (Vec<Scan>, BTreeMap<String, usize>) = (Vec::new(), BTreeMap::new());
    for &at in rows {
        let row = &study.rows.spectra[at];
        let number = *place.entry(scan_of(row)).or_insert_with(|| {
            scans.push(Scan::new());
            scans.len() - 1
        });
        let Some(scan) = scans.get_mut(number) else { continue };
        let theirs = subspectrum(row.subspec.as_deref());
        // Two of one word: the second keeps its own.
        let word =
            if scan.contains_key(&theirs) { safe(row.subspec.as_deref().unwrap_or("again"), 40) } else { theirs };
        scan.insert(word, at);
    }
    scans
}

impl<'a> Region<'a> {
    fn subspectra(&self) -> BTreeSet<String> {
        self.scans.iter().flat_map(|scan| scan.keys().cloned()).collect()
    }

    /// The row of each scan that tells of the whole of it.
    fn main(&self) -> impl Iterator<Item = Option<usize>> + Clone + '_ {
        let of = |scan: &Scan| MAIN.iter().find_map(|word| scan.get(*word)).or_else(|| scan.values().next()).copied();
        self.scans.iter().map(of)
    }

    fn rows(&self) -> impl Iterator<Item = Option<&'a SpectrumRow>> + Clone + '_ {
        self.main().map(|row| self.study.rows.spectra.get(row?))
    }

    fn table(&self, name: &str, columns: Vec<Column<'a>>) -> Table<'a> {
        Table { name: format!("{FOLDER}/{}{name}", self.folder), row: "One row per scan.", columns }
    }

    fn quantified(&self, subspec: &str, quantity: &str, columns: Vec<Column<'a>>) -> Table<'a> {
        self.table(&format!("QuantifyResults/{subspec}_{quantity}_Voxel_1_Basis_1"), columns)
    }

    fn of_metabolites(
        &self,
        subspec: &str,
        quantity: &str,
        meaning: &str,
        unit: &'static str,
        cell: &dyn Fn(Option<usize>) -> Option<f64>,
    ) -> Table<'a> {
        let mut names = super::names::Names::default();
        let each = self.study.metabolites.iter().enumerate();
        let columns = each.map(|(number, metabolite)| {
            let known = NAMES.iter().find(|(own, _)| own == metabolite).map_or(metabolite.as_str(), |(_, name)| name);
            let cells = self.scans.iter().map(|scan| cell(self.study.of[*scan.get(subspec)?][number]));
            Column::number(names.take(known), format!("{meaning}: {metabolite}"), unit, cells)
        });
        // Each sub-spectrum has metabolites of its own.
        let there = columns.filter(|column| !column.values.is_blank()).collect();
        self.quantified(subspec, quantity, there)
    }

    fn water(&self, subspec: &str) -> Table<'a> {
        let meaning = "Amplitude of the water reference at t = 0 (a fit of its decay, not LCModel's area that Osprey writes here)";
        let of = |scan: &Scan| self.study.rows.spectra.get(*scan.get(subspec)?)?.water_amplitude;
        let area = Column::number("h2oarea", meaning, "signal", self.scans.iter().map(of));
        self.quantified(subspec, "h2oarea", vec![area])
    }

    fn numbers(&self, all: &[Number]) -> Vec<Column<'a>> {
        let column = |(name, meaning, unit, cell): &Number| {
            Column::number(*name, *meaning, unit, self.rows().map(|row| cell(row?)))
        };
        all.iter().map(column).collect()
    }

    fn tissue(&self) -> Table<'a> {
        let columns = self.numbers(&[
            ("fGM", "Share of grey matter", "", |row| row.f_gm),
            ("fWM", "Share of white matter", "", |row| row.f_wm),
            ("fCSF", "Share of cerebrospinal fluid", "", |row| row.f_csf),
        ]);
        self.table("SegMaps/TissueFractions_Voxel_1", columns)
    }

    fn quality(&self) -> Table<'a> {
        let mut columns = self.numbers(&[
            ("Cr_SNR", "Signal-to-noise ratio of creatine, as Osprey takes it from the spectrum", "", |row| row.snr_tcr),
            ("Cr_FWHM", "Linewidth of creatine, likewise", "Hz", |row| row.fwhm_tcr_hz),
            ("water_FWHM", "Linewidth of the water reference", "Hz", |row| row.fwhm_water_hz),
            (
                "residual_water_ampl",
                "Height of the water that is left over that of the reference (Osprey: sum of the amplitudes that HSVD removes)",
                "",
                |row| row.water_left,
            ),
            ("freqShift", "Fitted frequency shift (Osprey: by cross-correlation)", "Hz", |row| row.shift_hz),
        ]);
        for subspec in self.subspectra() {
            let of = |scan: &Scan| self.study.rows.spectra.get(*scan.get(&subspec)?)?.chi2_reduced;
            let meaning = format!(
                "Squared residual over the noise's, of {subspec} (Osprey divides by the number of points, this by the degrees of freedom)"
            );
            columns.push(Column::number(format!("relRes{subspec}"), meaning, "", self.scans.iter().map(of)));
        }
        self.table("QM_processed_spectra", columns)
    }

    fn subjects(&self) -> Table<'a> {
        let labels = self.study.group_labels();
        // Osprey numbers groups from 1, and has one where nobody names any.
        let number = |row: usize| match self.study.groups.get(row)?.as_deref() {
            Some(group) => labels.iter().position(|label| *label == group).and_then(|at| i64::try_from(at + 1).ok()),
            None => labels.is_empty().then_some(1),
        };
        let listed: Vec<String> = (1..).zip(&labels).map(|(number, label)| format!("{number} {label}")).collect();
        let numbered = if listed.is_empty() { "nobody names groups".to_owned() } else { listed.join(", ") };
        let prefixed = |prefix: &str, label: Option<&str>| label.map(|label| format!("{prefix}{label}"));
        let is_out = |row: &SpectrumRow| !is_fitted(row) || row.gate.is_some();
        let columns = vec![
            Column::count("group", format!("Number of the group: {numbered}"), self.main().map(|row| number(row?))),
            Column::owned("subject", "Subject", self.rows().map(|row| prefixed("sub-", row?.subject.as_deref()))),
            Column::truth(
                "exclude",
                "Whether it failed or does not pass the gates",
                self.rows().map(|row| Some(is_out(row?))),
            ),
            Column::owned("session", "Session", self.rows().map(|row| prefixed("ses-", row?.session.as_deref()))),
            Column::text("site", "Site", self.rows().map(|row| row?.site.as_deref())),
            Column::text("group_name", "Group", self.main().map(|row| self.study.groups.get(row?)?.as_deref())),
            Column::text("voi", "Region", self.rows().map(|row| row?.voi.as_deref())),
            Column::text(
                "spectrum_id",
                "Spectrum, as in the run's tables",
                self.rows().map(|row| Some(row?.spectrum_id.as_str())),
            ),
        ];
        self.table("subject_names_and_excluded", columns)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sub_spectra_have_ospreys_words() {
        for (own, theirs) in [
            (None, "A"),
            (Some("off"), "A"),
            (Some("on"), "B"),
            (Some("diff"), "diff1"),
            (Some("diff_gaba"), "diff1"),
            (Some("diff_gsh"), "diff2"),
            (Some("sum"), "sum"),
            (Some("diff_etoh"), "diff_etoh"),
        ] {
            assert_eq!(subspectrum(own), theirs);
        }
    }

    #[test]
    fn sub_spectra_of_a_scan_are_one_scan() {
        let row = |id: &str, subspec: Option<&str>| SpectrumRow {
            spectrum_id: id.to_owned(),
            subspec: subspec.map(str::to_owned),
            ..SpectrumRow::default()
        };
        assert_eq!(scan_of(&row("sub-1/on#on#1,2,0", Some("on"))), "sub-1/on#1,2,0");
        assert_eq!(scan_of(&row("sub-1/x", None)), "sub-1/x");
        assert_eq!(scan_of(&row("sub-1/x", Some("off"))), "sub-1/x");
    }
}
