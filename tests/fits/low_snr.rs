//! Spectra of noise: fits end soon, near where they start, and say that they found nothing.

use num_complex::Complex64;
use requant::fit::FitState;
use requant::fit::map::{Model, Settings, Workspace, fit};
use requant::formats;
use requant::prepare::prepare;

use crate::common::{AMPLITUDES, Normal, basis, data};

/// Iterations that a fit of noise may take.
const FEW: usize = 20;

const N_POINTS: usize = 1024;
const DWELL_S: f64 = 5e-4;
const F0_MHZ: f64 = 123.255;

fn model() -> Model {
    Model::new(&basis(), N_POINTS, DWELL_S, F0_MHZ, Some(0.03), &Settings::map().unwrap()).unwrap()
}

fn noise(normal: &mut Normal) -> Vec<Complex64> {
    (0..N_POINTS).map(|_| Complex64::new(normal.next(), normal.next())).collect()
}

#[test]
fn noise_ends_in_few_iterations_where_it_starts() {
    let (model, mut normal) = (model(), Normal(3));
    let mut workspace = Workspace::new(&model);
    for _ in 0..12 {
        let found = fit(&model, &noise(&mut normal), &mut workspace);
        assert_eq!(found.state, FitState::Converged);
        assert!(found.n_iterations <= FEW, "{}", found.n_iterations);
        let start = &model.settings.start;
        assert_eq!((found.lorentz_hz, found.gauss_hz), (Some(start.lorentz_hz), Some(start.gauss_hz)));
    }
}

#[test]
fn a_weak_spectrum_is_followed() {
    let (model, mut normal) = (model(), Normal(5));
    let mut workspace = Workspace::new(&model);
    let fids = basis().regrid(DWELL_S, F0_MHZ, N_POINTS).unwrap();
    let mut fid = noise(&mut normal);
    for (n, z) in fid.iter_mut().enumerate() {
        let t = n as f64 * DWELL_S;
        let signal: Complex64 = fids.column(n).iter().zip(AMPLITUDES).map(|(fid, c)| fid * c).sum();
        // 6 Hz off and 4 Hz broader; the tallest peak is some eight times the noise of a point of the spectrum.
        *z = 25.0 * *z + signal * Complex64::from_polar((-12.6 * t).exp(), 37.7 * t);
    }
    let found = fit(&model, &fid, &mut workspace);
    assert_eq!(found.state, FitState::Converged);
    assert!((found.shift_hz - 6.0).abs() < 1.5, "{}", found.shift_hz);
    assert!(found.lorentz_hz != Some(model.settings.start.lorentz_hz));
}

#[test]
fn real_voxels_of_noise_converge_in_few_iterations() {
    let grid = formats::read(&data().join("nifti-mrs/mrsi-16x16/2D_MRSI_from_rds.nii.gz")).unwrap();
    let model = model();
    let mut workspace = Workspace::new(&model);
    // The outermost two columns of the grid hold nothing but noise.
    for voxel in (0..256).filter(|voxel| voxel % 16 >= 14 || voxel / 16 >= 14).step_by(8) {
        for (_, spectrum) in prepare(&grid, None, voxel) {
            let found = fit(&model, &spectrum.unwrap().fid, &mut workspace);
            assert_eq!(found.state, FitState::Converged, "voxel {voxel}");
            assert!(found.n_iterations <= FEW, "voxel {voxel}: {}", found.n_iterations);
        }
    }
}
