//! Macromolecule and lipid components as data: Gaussian lines with their places, widths and areas.

use std::f64::consts::{LN_2, PI};

use ndarray::Array2;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

use crate::acquisition::hz_from_ppm;

/// One Gaussian line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Chemical shift (ppm).
    pub ppm: f64,
    /// Full width at half maximum.
    pub width: Width,
    /// Area in protons (or relative area of a pattern).
    pub area: f64,
}

/// Width of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Width {
    /// Hz at 3 T; what makes macromolecules broad are unresolved shifts, so it grows with the field.
    HzAt3T(f64),
    /// ppm.
    Ppm(f64),
}

/// Spectrometer frequency at which the pattern's widths were measured (MHz).
const PATTERN_F0_MHZ: f64 = 127.8;

impl Width {
    /// Width at the spectrometer frequency `f0_mhz` (Hz).
    pub fn hz(self, f0_mhz: f64) -> f64 {
        match self {
            Self::HzAt3T(hz) => hz * f0_mhz / PATTERN_F0_MHZ,
            Self::Ppm(ppm) => ppm * f0_mhz,
        }
    }
}

/// One component of LCModel's parametrised list (fields of CHSIMU).
#[derive(Debug, Clone, Copy)]
pub struct Parametrised {
    /// Component name.
    pub name: &'static str,
    /// Expected width of its lines (FWHM, ppm).
    pub width_ppm: f64,
    /// Standard deviation of that width (ppm).
    pub width_sd_ppm: f64,
    /// Standard deviation of its shift (ppm).
    pub shift_sd_ppm: f64,
    /// Places (ppm) and areas (protons).
    pub lines: &'static [(f64, f64)],
}

/// LCModel's lipids at 3 T and below (LCModel 6.3, default CHSIMU).
pub const LCMODEL_LIPIDS: [Parametrised; 4] = [
    Parametrised { name: "Lip09", width_ppm: 0.19, width_sd_ppm: 0.035, shift_sd_ppm: 0.02, lines: &[(0.89, 3.0)] },
    Parametrised { name: "Lip13a", width_ppm: 0.20, width_sd_ppm: 0.035, shift_sd_ppm: 0.01, lines: &[(1.28, 2.0)] },
    Parametrised { name: "Lip13b", width_ppm: 0.09, width_sd_ppm: 0.035, shift_sd_ppm: 0.01, lines: &[(1.28, 2.0)] },
    Parametrised {
        name: "Lip20",
        width_ppm: 0.20,
        width_sd_ppm: 0.025,
        shift_sd_ppm: 0.005,
        lines: &[(2.04, 1.33), (2.25, 0.67), (2.8, 0.87)],
    },
];

/// LCModel's macromolecules at 3 T and below (LCModel 6.3, default CHSIMU).
pub const LCMODEL_MACROMOLECULES: [Parametrised; 5] = [
    Parametrised { name: "MM09", width_ppm: 0.17, width_sd_ppm: 0.015, shift_sd_ppm: 0.02, lines: &[(0.91, 3.0)] },
    Parametrised { name: "MM12", width_ppm: 0.20, width_sd_ppm: 0.02, shift_sd_ppm: 0.01, lines: &[(1.21, 2.0)] },
    Parametrised { name: "MM14", width_ppm: 0.20, width_sd_ppm: 0.02, shift_sd_ppm: 0.02, lines: &[(1.43, 2.0)] },
    Parametrised { name: "MM17", width_ppm: 0.17, width_sd_ppm: 0.02, shift_sd_ppm: 0.03, lines: &[(1.67, 2.0)] },
    Parametrised {
        name: "MM20",
        width_ppm: 0.18,
        width_sd_ppm: 0.01,
        shift_sd_ppm: 0.005,
        lines: &[(2.08, 1.33), (2.25, 0.33), (1.95, 0.33), (3.0, 0.4)],
    },
];

/// A group of lines of the full pattern that keep their relative areas.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Component name: `MM_` and the middle of the group.
    pub name: &'static str,
    /// Place (ppm), width (FWHM, Hz at 3 T) and relative area of each line.
    pub lines: &'static [(f64, f64, f64)],
}

/// The complete 3 T macromolecule pattern in five groups (the pattern that spant 4.3 ships, from
/// metabolite-nulled brain spectra; measured sets differ, so every group has its own freedom).
pub const PATTERN_GROUPS: [Group; 5] = [
    Group { name: "MM_0.90", lines: &[(0.90, 21.2, 0.72)] },
    Group { name: "MM_1.35", lines: &[(1.21, 19.2, 0.28), (1.38, 15.9, 0.38), (1.63, 7.5, 0.05)] },
    Group { name: "MM_2.10", lines: &[(2.01, 29.0, 0.45), (2.09, 20.5, 0.36), (2.25, 17.9, 0.36), (2.61, 5.3, 0.04)] },
    Group { name: "MM_3.05", lines: &[(2.96, 14.0, 0.20), (3.11, 17.9, 0.11)] },
    Group { name: "MM_3.80", lines: &[(3.67, 33.5, 0.64), (3.80, 11.9, 0.07), (3.96, 37.5, 1.0)] },
];

impl Group {
    /// Its lines.
    pub fn lines(&self) -> Vec<Line> {
        self.lines.iter().map(|&(ppm, hz, area)| Line { ppm, width: Width::HzAt3T(hz), area }).collect()
    }
}

impl Parametrised {
    /// Its lines.
    pub fn lines(&self) -> Vec<Line> {
        let width = Width::Ppm(self.width_ppm);
        self.lines.iter().map(|&(ppm, area)| Line { ppm, width, area }).collect()
    }
}

/// One peak of a macromolecule pattern.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternPeak {
    /// Component name.
    pub name: String,
    /// Peaks of one group vary together.
    pub group: String,
    /// Chemical shift (ppm).
    pub ppm: f64,
    /// Gaussian width (FWHM, Hz at 3 T).
    pub width_hz: f64,
    /// Relative area.
    pub area: f64,
}

/// The built-in pattern peak by peak; a name is `MM_` and the textbook's place.
pub fn pattern_peaks() -> Vec<PatternPeak> {
    let peak = |group: &Group, &(ppm, width_hz, area): &(f64, f64, f64)| PatternPeak {
        name: format!("MM_{ppm:.2}"),
        group: group.name.to_owned(),
        ppm,
        width_hz,
        area,
    };
    PATTERN_GROUPS.iter().flat_map(|g| g.lines.iter().map(move |line| peak(g, line))).collect()
}

/// FID of Gaussian lines, first sample = `proton` × total area.
pub fn gaussian_fid(lines: &[Line], dwell_s: f64, f0_mhz: f64, n_points: usize, proton: f64) -> Vec<Complex64> {
    (0..n_points)
        .map(|n| {
            let t = n as f64 * dwell_s;
            lines
                .iter()
                .map(|line| {
                    let decay = -(PI * line.width.hz(f0_mhz) * t).powi(2) / (4.0 * LN_2);
                    let phase = 2.0 * PI * hz_from_ppm(line.ppm, f0_mhz) * t;
                    Complex64::from_polar(proton * line.area * decay.exp(), phase)
                })
                .sum()
        })
        .collect()
}

/// What one proton gives in the basis set's units, from its creatine (5 protons), else from its NAA
/// (6), else the median first sample taken as 5 protons.
pub(crate) fn proton_unit(names: &[String], fids: &Array2<Complex64>) -> f64 {
    let first = |i: usize| fids[(i, 0)].norm();
    for (name, protons) in [("Cr", 5.0), ("PCr", 5.0), ("NAA", 6.0), ("tCr", 5.0), ("tNAA", 6.0)] {
        if let Some(i) = names.iter().position(|n| n == name) {
            return first(i) / protons;
        }
    }
    let mut all: Vec<f64> = (0..names.len()).map(first).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(1.0) / 5.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_has_thirteen_lines() {
        assert_eq!(PATTERN_GROUPS.iter().map(|g| g.lines.len()).sum::<usize>(), 13);
    }
}
