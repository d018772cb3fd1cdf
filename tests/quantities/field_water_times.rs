//! Sites of several echo times, and references of another echo time than their spectra: concentrations agree.

use std::process::Command;

use requant::store::{MetaboliteRow, SpectrumRow, read_table};

#[test]
fn real_field_echo_times_of_water_are_counted() {
    let data = crate::common::data().join("../cases/field/water-te/data");
    assert!(data.is_dir(), "no case at {}", data.display());
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    // The case is made with ideal pulses, which its header cannot say: by default they would be the vendor's.
    let arguments = ["--method", "map", "--engine", "cpu", "--pulses", "ideal", "--out"];
    let output =
        Command::new(env!("CARGO_BIN_EXE_requant")).arg("run").arg(data).args(arguments).arg(&out).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let spectra: Vec<SpectrumRow> = read_table(&out).unwrap();
    let rows: Vec<MetaboliteRow> = read_table(&out).unwrap();
    assert_eq!(spectra.len(), 4);
    let concentration = |id: &str, metabolite: &str| {
        let row = rows.iter().find(|row| row.spectrum_id.contains(id) && row.metabolite == metabolite).unwrap();
        row.conc_lcmodel_mmol_per_kg.unwrap()
    };
    for id in ["te144r0", "te35r0", "te68ishr0", "wte144r0"] {
        for (metabolite, right) in [("tNAA", 11.3), ("tCr", 8.0)] {
            let value = concentration(id, metabolite);
            assert!((value / right - 1.0).abs() < 0.05, "{id} {metabolite}: {value}, right {right}");
        }
    }
    for metabolite in ["tNAA", "tCr"] {
        let [short, long] = ["sub-te35", "sub-te144"].map(|id| concentration(id, metabolite));
        assert!((short / long - 1.0).abs() < 0.03, "{metabolite}: {short} at 35 ms, {long} at 144 ms");
    }
}
