//! The components of a fit: the basis set's members, and the macromolecules and lipids added to them.

use ndarray::Array2;
use num_complex::Complex64;

use super::settings::{Macromolecules, Settings};
use crate::basis::names::{Kind, kind};
use crate::fit::macromolecules::{
    LCMODEL_LIPIDS, LCMODEL_MACROMOLECULES, Line, PATTERN_GROUPS, Parametrised, Width, gaussian_fid, pattern_peaks,
    proton_unit,
};

/// One component and the priors of its own shift and width.
#[derive(Debug, Clone)]
pub struct Component {
    /// Canonical name.
    pub name: String,
    /// Metabolite, macromolecule or lipid.
    pub kind: Kind,
    /// Where it comes from and which ties hold.
    pub origin: Origin,
    /// Standard deviation of its shift around the common one (Hz).
    pub shift_sd_hz: f64,
    /// Standard deviation of its Lorentzian width around the common one (FWHM, Hz).
    pub width_sd_hz: f64,
}

/// Where a component comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A member of the basis set.
    Basis,
    /// Built-in, of LCModel's parametrised list.
    Parametrised,
    /// Built-in, of LCModel's list beside a measured pattern: held towards zero.
    BesideMeasured,
    /// Part of the full macromolecule pattern: tied to its group and the pattern's common scale.
    Pattern {
        /// Number of its group.
        group: usize,
    },
}

/// Components and their FIDs `[component × point]` on the grid of the data.
pub(crate) fn assemble(
    names: &[String],
    basis_fids: &Array2<Complex64>,
    dwell_s: f64,
    f0_mhz: f64,
    settings: &Settings,
) -> (Vec<Component>, Array2<Complex64>) {
    let n_points = basis_fids.ncols();
    let mut components: Vec<Component> = names.iter().map(|n| member(n, f0_mhz, settings)).collect();
    let mut fids: Vec<Vec<Complex64>> = basis_fids.outer_iter().map(|row| row.to_vec()).collect();

    let proton = proton_unit(names, basis_fids);
    let own: Vec<&Component> = components.iter().filter(|c| c.kind == Kind::Macromolecule).collect();
    let measured = own.iter().any(|c| c.name.to_ascii_lowercase().starts_with("mac"));
    let has_macromolecules = !own.is_empty();
    let has_lipids = components.iter().any(|c| c.kind == Kind::Lipid);

    let mut add = |component: Component, lines: &[Line]| {
        fids.push(gaussian_fid(lines, dwell_s, f0_mhz, n_points, proton));
        components.push(component);
    };
    if !has_macromolecules {
        match settings.components.macromolecules {
            Macromolecules::Groups => add_groups(&mut add, f0_mhz, settings),
            Macromolecules::Peaks => add_peaks(&mut add, f0_mhz, settings),
            Macromolecules::Lcmodel => {
                add_parametrised(&mut add, &LCMODEL_MACROMOLECULES, Kind::Macromolecule, Origin::Parametrised, f0_mhz);
            }
            Macromolecules::None => {}
        }
    } else if measured
        && settings.components.beside_measured_sd > 0.0
        && settings.components.macromolecules != Macromolecules::None
    {
        add_parametrised(&mut add, &LCMODEL_MACROMOLECULES, Kind::Macromolecule, Origin::BesideMeasured, f0_mhz);
    }
    if settings.components.lipids && !has_lipids {
        add_parametrised(&mut add, &LCMODEL_LIPIDS, Kind::Lipid, Origin::Parametrised, f0_mhz);
    }

    let mut array = Array2::default((components.len(), n_points));
    for (mut row, fid) in array.outer_iter_mut().zip(fids) {
        for (a, b) in row.iter_mut().zip(fid) {
            *a = b;
        }
    }
    (components, array)
}

/// Standard deviation of the width of a basis set's own macromolecules and lipids, in those of metabolites: their lines are
/// some times as broad, and what the subject adds is of the order of the parametrised components' standard deviations.
const BROAD_WIDTH_SD: f64 = 4.0;

fn member(name: &str, f0_mhz: f64, settings: &Settings) -> Component {
    let kind = kind(name);
    let (shift_sd_ppm, width_sd_hz) = match kind {
        Kind::Macromolecule | Kind::Lipid => {
            (settings.components.pattern_shift_sd_ppm, BROAD_WIDTH_SD * settings.priors.width_sd_hz)
        }
        _ if matches!(name, "NAA" | "NAAG" | "tNAA") => (settings.priors.shift_sd_naa_ppm, settings.priors.width_sd_hz),
        _ => (settings.priors.shift_sd_ppm, settings.priors.width_sd_hz),
    };
    Component { name: name.to_owned(), kind, origin: Origin::Basis, shift_sd_hz: shift_sd_ppm * f0_mhz, width_sd_hz }
}

fn add_groups(add: &mut impl FnMut(Component, &[Line]), f0_mhz: f64, settings: &Settings) {
    for (number, group) in PATTERN_GROUPS.iter().enumerate() {
        let lines = group.lines();
        add(pattern_component(group.name, number, &lines, f0_mhz, settings), &lines);
    }
}

fn add_peaks(add: &mut impl FnMut(Component, &[Line]), f0_mhz: f64, settings: &Settings) {
    let own = &settings.components.pattern;
    let peaks = if own.is_empty() { &pattern_peaks() } else { own };
    for peak in peaks {
        let lines = [Line { ppm: peak.ppm, width: Width::HzAt3T(peak.width_hz), area: peak.area }];
        // The first of its group gives it its number.
        let group = peaks.iter().position(|p| p.group == peak.group).unwrap_or_default();
        add(pattern_component(&peak.name, group, &lines, f0_mhz, settings), &lines);
    }
}

fn pattern_component(name: &str, group: usize, lines: &[Line], f0_mhz: f64, settings: &Settings) -> Component {
    let area: f64 = lines.iter().map(|l| l.area).sum();
    let width_hz = lines.iter().map(|l| l.area * l.width.hz(f0_mhz)).sum::<f64>() / area;
    Component {
        name: name.to_owned(),
        kind: Kind::Macromolecule,
        origin: Origin::Pattern { group },
        shift_sd_hz: settings.components.pattern_shift_sd_ppm * f0_mhz,
        width_sd_hz: settings.components.pattern_width_sd * width_hz,
    }
}

fn add_parametrised(
    add: &mut impl FnMut(Component, &[Line]),
    list: &[Parametrised],
    kind: Kind,
    origin: Origin,
    f0_mhz: f64,
) {
    for p in list {
        let lines = p.lines();
        let component = Component {
            name: p.name.to_owned(),
            kind,
            origin,
            shift_sd_hz: p.shift_sd_ppm * f0_mhz,
            width_sd_hz: p.width_sd_ppm * f0_mhz,
        };
        add(component, &lines);
    }
}
