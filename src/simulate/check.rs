//! What is wrong with a recipe, before anything is made from it.

use std::collections::{BTreeMap, BTreeSet};

use super::recipe::{Departure, Recipe, Site};
use crate::basis::simulate::Library;
use crate::output_path::safe_name;

fn positive(name: &str, value: f64) -> Result<(), String> {
    let is_positive = value.is_finite() && value > 0.0;
    if is_positive { Ok(()) } else { Err(format!("{name} = {value}; it must be positive")) }
}

impl Site {
    fn check(&self) -> Result<(), String> {
        let field = |name: &str| format!("site {}: {name}", self.name);
        for (name, value) in
            [("f0_mhz", self.f0_mhz), ("bandwidth_hz", self.bandwidth_hz), ("tr_s", self.tr_s), ("snr", self.snr[0])]
        {
            positive(&field(name), value)?;
        }
        if self.snr[1] < self.snr[0] || self.gauss_hz[0] < 0.0 || self.gauss_hz[1] < self.gauss_hz[0] {
            return Err(format!("{} and gauss_hz must be [least, most]", field("snr")));
        }
        if !(256..=65_536).contains(&self.n_points) {
            return Err(format!("{} = {}; 256 to 65536", field("n_points"), self.n_points));
        }
        for (name, value) in [("coils", self.coils), ("transients", self.transients)] {
            if !(1..=4096).contains(&value) {
                return Err(format!("{} = {value}; 1 to 4096", field(name)));
            }
        }
        self.sequence.events().map_err(|e| format!("{}: {e}", field("sequence")))?;
        Ok(())
    }
}

impl Recipe {
    /// What is wrong with the recipe.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.subjects == 0 {
            return Err("subjects = 0; at least one".to_owned());
        }
        if self.site.is_empty() && self.sites == 0 {
            return Err("there are no sites: list [[site]], or give sites = N".to_owned());
        }
        if self.voxel.is_empty() || self.group.is_empty() || self.concentrations.is_empty() {
            return Err("at least one [[voxel]], one [[group]] and one of [concentrations] must be there".to_owned());
        }
        for group in &self.group {
            positive(&format!("group {}: share", group.name), group.share)?;
            if !(group.broader_hz.is_finite() && group.broader_hz >= 0.0) {
                return Err(format!("group {}: broader_hz = {}; 0 or more", group.name, group.broader_hz));
            }
        }
        let library = Library::built_in().map_err(|e| e.to_string())?;
        let effects = self.group.iter().map(|g| &g.effect).chain(self.voxel.iter().map(|v| &v.factor));
        for name in self.concentrations.keys().chain(effects.flat_map(BTreeMap::keys)) {
            library.get(name).map_err(|e| e.to_string())?;
            if !self.concentrations.contains_key(name) {
                return Err(format!("{name} has an effect or factor but no concentration"));
            }
        }
        self.site.iter().try_for_each(Site::check)?;
        self.check_names()?;
        self.check_study()?;
        self.check_nuisances()
    }

    /// Sites and voxels name files, no two of them the same; groups stand in a table.
    fn check_names(&self) -> Result<(), String> {
        let sites = self.site.iter().map(|s| ("site.name", s.name.as_str())).collect::<Vec<_>>();
        let voxels = self.voxel.iter().map(|v| ("voxel.name", v.name.as_str())).collect();
        let groups = self.group.iter().map(|g| ("group.name", g.name.as_str())).collect();
        for all in [sites, voxels, groups] {
            let mut seen = BTreeSet::new();
            for (key, name) in all {
                safe_name(name).map_err(|e| format!("{key}: {e}"))?;
                if !seen.insert(name.to_lowercase()) {
                    return Err(format!("{key}: `{name}` is there twice"));
                }
            }
        }
        Ok(())
    }

    fn check_study(&self) -> Result<(), String> {
        let Some(study) = &self.study else { return Ok(()) };
        if self.matched {
            return Err("matched sets have no study: take one of the two".to_owned());
        }
        let metabolites: Vec<&str> = self.concentrations.keys().map(String::as_str).collect();
        let groups: Vec<&str> = self.group.iter().map(|g| g.name.as_str()).collect();
        let voxels: Vec<&str> = self.voxel.iter().map(|v| v.name.as_str()).collect();
        study.check(&metabolites, &groups, &voxels)
    }

    fn check_nuisances(&self) -> Result<(), String> {
        if self.site.iter().any(|s| !(s.artefacts.shift_ppm.is_finite() && s.artefacts.phase_deg.is_finite())) {
            return Err("shift_ppm and phase_deg of a site's artefacts must be finite".to_owned());
        }
        if self.site.iter().flat_map(|s| s.artefacts.strangers.iter().flatten()).any(|v| !v.is_finite()) {
            return Err("strangers are lines: [ppm, mmol/kg times protons], both finite".to_owned());
        }
        let at_sites = self.site.iter().map(|s| s.artefacts.applied_to(&self.nuisances));
        for n in std::iter::once(self.nuisances.clone()).chain(at_sites) {
            let sizes = [n.shift_hz, n.phi0_deg, n.phi1_deg_per_ppm, n.own_shift_ppm, n.own_width_hz, n.asymmetry];
            let more = [n.macromolecules, n.macromolecule_groups, n.macromolecule_peaks, n.baseline, n.residual_water];
            let Departure { area, place_ppm, width } = n.macromolecule_departure;
            let new =
                [n.own_shift_naa_ppm.unwrap_or(0.0), n.lipids[0], n.lipids[1], area, place_ppm, width, n.split_hz];
            if let Some([least, most]) = n.lorentz_between_hz
                && !(least.is_finite() && most.is_finite() && 0.0 <= least && least <= most)
            {
                return Err("lorentz_between_hz must be [least, most]".to_owned());
            }
            if sizes.iter().chain(&more).chain(&new).chain([&n.f0_jitter_hz]).any(|v| !(v.is_finite() && *v >= 0.0)) {
                return Err("nuisances must be 0 or more".to_owned());
            }
        }
        Ok(())
    }
}
