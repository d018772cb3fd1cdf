//! Signal to noise and linewidths by other programs' definitions, on nine prepared spectra.

use requant::formats;
use requant::quality::definitions::{CREATINE_PPM, NAA_PPM, Phased};

use crate::common::data;

/// Tolerances of the referee: exact but for rounding, and of fits of lines.
const EXACT: f64 = 1e-3;
const FITTED: f64 = 0.02;

#[test]
fn figures_are_those_of_their_programs() {
    let folder = data().join("../cases/qc");
    let table = std::fs::read_to_string(folder.join("expected.csv")).unwrap();
    let mut lines = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let mut compared = 0;
    for row in lines {
        let cell = |name: &str| row[header.iter().position(|cell| *cell == name).unwrap()];
        let number = |name: &str| cell(name).parse::<f64>().unwrap();
        let fid = formats::read(&folder.join(cell("file"))).unwrap().samples.fid([0; 4]);
        let phased = Phased::new(&fid, number("dwell_s"), number("f0_mhz"));
        for (column, found, tolerance) in [
            ("noise_sd_osprey", phased.noise_osprey().map(|(_, sd)| sd), EXACT),
            ("snr_tcr_osprey", phased.snr_osprey(CREATINE_PPM), EXACT),
            ("snr_tnaa_osprey", phased.snr_osprey(NAA_PPM), EXACT),
            ("snr_tnaa_fida", phased.snr_fida(NAA_PPM), EXACT),
            ("fwhm_tcr_halfheight_hz", phased.fwhm_half_height_hz(CREATINE_PPM), EXACT),
            ("fwhm_tnaa_halfheight_hz", phased.fwhm_half_height_hz(NAA_PPM), EXACT),
            ("fwhm_tcr_lorentz_hz", phased.fwhm_lorentz_hz(CREATINE_PPM), FITTED),
            ("fwhm_tcr_osprey_hz", phased.fwhm_osprey_hz(CREATINE_PPM), FITTED),
            ("snr_spectrum_fsl", phased.snr_fsl(), EXACT),
        ] {
            let (expected, found) = (number(column), found.unwrap_or(f64::NAN));
            assert!((found / expected - 1.0).abs() <= tolerance, "{} {column}: {found} for {expected}", row[0]);
            compared += 1;
        }
    }
    assert_eq!(compared, 81);
}
