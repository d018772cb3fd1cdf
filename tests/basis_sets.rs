//! Every basis set among the test data: members, grid, and where its singlets lie.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "tests")]

use std::path::PathBuf;

use ndarray::ArrayView1;
use num_complex::Complex64;
use requant::acquisition::ppm_from_hz;
use requant::basis::BasisSet;
use rustfft::FftPlanner;

fn data(relative: &str) -> PathBuf {
    let root = std::env::var_os("REQUANT_TEST_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    root.join(relative)
}

/// The tallest point (ppm) of the magnitude spectrum within `half_width` of `near`.
fn peak_ppm(fid: ArrayView1<'_, Complex64>, dwell_s: f64, f0_mhz: f64, near: f64, half_width: f64) -> f64 {
    let n = 1 << 17;
    let mut spectrum = fid.to_vec();
    spectrum.resize(n, Complex64::default());
    FftPlanner::new().plan_fft_forward(n).process(&mut spectrum);
    let ppm = |k: usize| {
        let k = if k < n / 2 { k as f64 } else { k as f64 - n as f64 };
        ppm_from_hz(k / (n as f64 * dwell_s), f0_mhz)
    };
    (0..n)
        .filter(|&k| (ppm(k) - near).abs() < half_width)
        .max_by(|&a, &b| spectrum[a].norm().total_cmp(&spectrum[b].norm()))
        .map(ppm)
        .unwrap()
}

#[test]
fn show() {
    for f in [
        "basis/lcmodel/3T_PRESS_Philips_35ms_noMM.BASIS",
        "basis/lcmodel/3T_PRESS_Siemens_35ms_noMM.BASIS",
        "basis/lcmodel/3t_IU_MP_te68_diff_yesNAAG_noLac_Kaiser.basis",
        "basis/lcmodel/basis_STEAM_TE45_TM60.BASIS",
        "basis/lcmodel/basis_braino.basis",
        "basis/lcmodel/gamma_press_te30_123mhz_104.basis",
        "basis/lcmodel/press_30ms_3T.basis",
        "lcmodel-test/3t.basis",
        "challenge2016/basis/press3T_30ms.BASIS",
        "../reference/benchmark/lcmodel-test_with-mm.basis",
    ] {
        let t = std::time::Instant::now();
        let b = BasisSet::read(&data(f)).unwrap();
        println!(
            "{f}\n  {:?} {:?} {:?}\n dwell {} f0 {} te {:?} seq {:?} lw {:?} {:?} {:?}",
            b.id,
            b.metabolites,
            b.fids.dim(),
            b.dwell_s,
            b.f0_mhz,
            b.te_s,
            b.sequence,
            b.linewidth_hz,
            b.remarks,
            t.elapsed()
        );
        for (m, p) in [("NAA", 2.008), ("Cr", 3.027), ("PCr", 3.029), ("GPC", 3.212)] {
            if let Some(k) = b.position(m) {
                println!(
                    "   {m} {:.4} {:?}",
                    peak_ppm(b.fids.row(k), b.dwell_s, b.f0_mhz, p, 0.2),
                    b.fids.row(k).iter().take(2).collect::<Vec<_>>()
                );
            }
        }
    }
}
