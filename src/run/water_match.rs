//! Whether a water reference was measured as its spectrum was.

use super::loaded::Header;
use super::voxel_tissue::VoxelPlace;
use crate::acquisition::{Acquisition, Facts};
use crate::formats::ge_pfile;
pub(super) use crate::prepare::water::conditions::TIMES_DIFFER;
use crate::prepare::water::conditions::{self, WaterCondition};
use crate::prepare::water::voxels::NO_VOXEL_ML;
use crate::tissue::overlap::ImageBox;

/// Relative difference from which spectrometer frequencies are not those of one scanner.
pub(super) const FREQUENCY_DIFFERS: f64 = 0.01;
/// Distance of the voxels' centres, in parts of the shortest edge, from which they are two voxels.
pub(super) const VOXEL_APART: f64 = 0.5;
/// Relative difference of their volumes from which they are two voxels.
pub(super) const VOLUME_DIFFERS: f64 = 0.2;
/// Part of the smaller of two single voxels that both share, below which they are two voxels.
pub(super) const LEAST_SHARED: f64 = 0.5;

/// Nothing of a reference that was measured with another nucleus or at another field can be used.
pub(super) fn is_usable(data: &Acquisition, water: &Acquisition) -> bool {
    !data.facts.has_other_nucleus(&water.facts) && !has_other_frequency(data, water)
}

/// What is known of the reference's condition that belongs to the measurement, or to its first condition.
pub(super) fn facts_of_water(data: &Acquisition, water: &Acquisition) -> Facts {
    conditions::facts(water, WaterCondition::of(data, 0, water).number)
}

/// Says which of a reference's times stand in the spectrum's line of a manifest alone: `own` are those of its file, `taken` what
/// became of them.
pub(super) fn times_of_the_line(own: &Facts, taken: &Facts, line: &Facts) -> Option<String> {
    let is_lines =
        |time: fn(&Facts) -> Option<f64>| time(line).is_some() && time(taken) == time(line) && time(own) != time(line);
    let times = [("TE", "water_te_s", is_lines(|f| f.te_s)), ("TR", "water_tr_s", is_lines(|f| f.tr_s))];
    let of_line: Vec<_> = times.into_iter().filter(|(.., is_lines)| *is_lines).collect();
    let names: Vec<&str> = of_line.iter().map(|(name, ..)| *name).collect();
    let columns: Vec<String> = of_line.iter().map(|(_, column, _)| format!("`{column}`")).collect();
    (!names.is_empty()).then(|| {
        format!(
            "{} of the water reference is taken from the spectrum's line of the manifest, as its file states none; write its own in \
             {}",
            names.join(" and "),
            columns.join(" and ")
        )
    })
}

fn has_other_frequency(data: &Acquisition, water: &Acquisition) -> bool {
    differ(data.facts.f0_mhz, water.facts.f0_mhz, FREQUENCY_DIFFERS)
}

fn differ(own: Option<f64>, water: Option<f64>, part: f64) -> bool {
    own.zip(water).is_some_and(|(own, water)| (water - own).abs() > part * own)
}

impl Header {
    /// Says in flags and words in what a water reference differs from its measurement.
    pub(super) fn compare(&mut self, data: &Acquisition, water: &Acquisition) {
        let (own, other) = (&data.facts, &facts_of_water(data, water));
        if differ(own.te_s, other.te_s, TIMES_DIFFER) {
            self.flags.push("water_te_differs");
        }
        if differ(own.tr_s, other.tr_s, TIMES_DIFFER) {
            self.flags.push("water_tr_differs");
        }
        if differ(own.flip_angle_deg, other.flip_angle_deg, TIMES_DIFFER) {
            self.flags.push("water_flip_angle_differs");
            let [own, other] = [own, other].map(|facts| facts.flip_angle_deg.unwrap_or_default());
            self.remarks.push(format!(
                "the water reference was excited with {other:.0}° and the spectrum with {own:.0}°: amplitudes over water's are off by \
                 the ratio of their sines"
            ));
        }
        let name_it = "name the right one in a manifest (`water_path`), or write `none` there";
        if own.has_other_nucleus(other) {
            self.flags.push("water_reference_nucleus");
            let [own, other] = [own, other].map(|facts| facts.nucleus.as_deref().unwrap_or_default());
            self.remarks.push(format!(
                "the water reference was not used: its nucleus is {other} and the spectrum's {own}; {name_it}"
            ));
        }
        if has_other_frequency(data, water) {
            self.flags.push("water_reference_frequency");
            let [own, other] = [own, other].map(|facts| facts.f0_mhz.unwrap_or_default());
            self.remarks.push(format!(
                "the water reference was not used: it was measured at {other:.3} MHz and the spectrum at {own:.3}; {name_it}"
            ));
        }
        if !is_usable(data, water) {
            return;
        }
        if let Some(how) = other_voxel(data, water) {
            self.flags.push("water_other_voxel");
            self.remarks.push(format!(
                "the water reference was measured in another voxel: {how}. Concentrations hold where both are of one tissue and \
                 coils receive both alike; {name_it}"
            ));
        }
        // Readers say it of every P-file, whatever its frames are.
        if other.water_suppressed == Some(true) && water.format != ge_pfile::NAME {
            self.remarks.push(format!(
                "the header of the water reference says that water was suppressed: if it was, concentrations are too high; \
                 {name_it}"
            ));
        }
    }
}

/// How the voxels differ, where both files say where theirs are.
fn other_voxel(data: &Acquisition, water: &Acquisition) -> Option<String> {
    let place = |data: &Acquisition| {
        let place = VoxelPlace::of(data).filter(|place| place.volume_ml() < NO_VOXEL_ML)?;
        Some((place, centre(&place, data.grid), shortest_edge(&place), place.volume_ml()))
    };
    let ((own, own_centre, own_edge, own_ml), (other, centre, edge, ml)) = place(data).zip(place(water))?;
    let apart_mm = centre.iter().zip(own_centre).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt();
    let is_apart = apart_mm > VOXEL_APART * own_edge.min(edge);
    let apart = is_apart.then(|| format!("its centre is {apart_mm:.0} mm away from the spectrum's"));
    let has_other_size = differ(Some(own_ml), Some(ml), VOLUME_DIFFERS);
    let size = has_other_size.then(|| format!("it holds {ml:.2} ml and the spectrum's {own_ml:.2}"));
    let mut how: Vec<String> = apart.into_iter().chain(size).collect();
    // Of one centre and volume, and yet turned; in a grid, pairs of voxels are no farther apart than that.
    if how.is_empty() && data.n_voxels() == 1 && water.n_voxels() == 1 {
        let shared = shared_ml(&own, &other)? / own_ml.min(ml);
        let is_other = shared < LEAST_SHARED;
        how.extend(is_other.then(|| format!("both share {:.0} % of the smaller one", 100.0 * shared)));
    }
    (!how.is_empty()).then(|| how.join(", "))
}

/// What two voxels share (ml).
fn shared_ml(own: &VoxelPlace, water: &VoxelPlace) -> Option<f64> {
    let mut part_of_water = 0.0;
    ImageBox::new(&own.affine_mm, [0; 3], &water.affine_mm)?.each_share([1; 3], &mut |_, share| {
        part_of_water = share;
        true
    });
    Some(part_of_water * water.volume_ml())
}

/// Centre of the grid (mm).
fn centre(place: &VoxelPlace, grid: [usize; 3]) -> [f64; 3] {
    let middle = grid.map(|n| (n as f64 - 1.0) / 2.0);
    [0, 1, 2].map(|row| {
        let [x, y, z, origin] = place.affine_mm[row];
        origin + x * middle[0] + y * middle[1] + z * middle[2]
    })
}

/// Shortest edge of one voxel (mm).
fn shortest_edge(place: &VoxelPlace) -> f64 {
    let edge = |column: usize| (0..3).map(|row| place.affine_mm[row][column].powi(2)).sum::<f64>().sqrt();
    edge(0).min(edge(1)).min(edge(2))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use ndarray::Array5;

    use super::*;

    /// A measurement of a voxel of these edges about this centre (mm).
    fn measured(edges: [f64; 3], at: [f64; 3]) -> Acquisition {
        let mut data = Acquisition::from_samples("nifti_mrs", Array5::zeros((1, 1, 1, 1, 64)));
        let row = |i: usize| {
            [0, 1, 2, 3].map(|k| {
                if k == i {
                    edges[i]
                } else if k == 3 {
                    at[i]
                } else {
                    0.0
                }
            })
        };
        data.affine_mm = Some([row(0), row(1), row(2), [0.0, 0.0, 0.0, 1.0]]);
        (data.facts.nucleus, data.facts.f0_mhz) = (Some("1H".to_owned()), Some(123.2));
        data
    }

    fn compared(data: &Acquisition, water: &Acquisition) -> Header {
        let mut header = Header::default();
        header.compare(data, water);
        header
    }

    #[test]
    fn a_reference_of_another_voxel_is_told() {
        let own = measured([20.0, 20.0, 30.0], [5.0, 0.0, 0.0]);
        let told = |edges, at| compared(&own, &measured(edges, at)).remarks.join(" ");
        assert_eq!(told([20.0, 20.0, 30.0], [14.0, 0.0, 0.0]), "");
        assert_eq!(told([20.0, 23.0, 30.0], [5.0, 0.0, 0.0]), "");
        // What stands for no voxel at all.
        assert_eq!(told([10_000.0; 3], [0.0; 3]), "");
        assert!(told([20.0, 20.0, 30.0], [65.0, 0.0, 0.0]).contains("centre is 60 mm away"));
        let other = compared(&own, &measured([30.0, 30.0, 30.0], [5.0, 0.0, 0.0]));
        assert_eq!(other.flags, ["water_other_voxel"]);
        assert!(other.remarks[0].contains("27.00 ml and the spectrum's 12.00"), "{:?}", other.remarks);
        assert!(is_usable(&own, &measured([30.0; 3], [65.0, 0.0, 0.0])));
        // One centre and one volume.
        let upright = measured([40.0, 10.0, 40.0], [0.0; 3]);
        let turned = compared(&upright, &measured([10.0, 40.0, 40.0], [0.0; 3]));
        assert!(turned.remarks[0].contains("both share 25 % of the smaller one"), "{:?}", turned.remarks);
        assert!(compared(&upright, &measured([40.0, 12.0, 36.0], [0.0; 3])).flags.is_empty());
        let nowhere = Acquisition { affine_mm: None, ..own.clone() };
        assert!(compared(&own, &nowhere).remarks.is_empty() && compared(&nowhere, &own).remarks.is_empty());
    }

    #[test]
    fn a_reference_of_another_nucleus_or_field_is_not_used() {
        let own = measured([20.0; 3], [0.0; 3]);
        let with = |change: &dyn Fn(&mut Acquisition)| {
            let mut water = own.clone();
            change(&mut water);
            (is_usable(&own, &water), compared(&own, &water).flags)
        };
        for name in [Some("H1"), Some("proton"), Some(""), None] {
            assert_eq!(with(&|w| w.facts.nucleus = name.map(str::to_owned)), (true, vec![]), "{name:?}");
        }
        assert_eq!(with(&|w| w.facts.nucleus = Some("31P".to_owned())), (false, vec!["water_reference_nucleus"]));
        assert_eq!(with(&|w| w.facts.f0_mhz = Some(124.0)), (true, vec![]));
        assert_eq!(with(&|w| w.facts.f0_mhz = Some(63.6)), (false, vec!["water_reference_frequency"]));
        assert_eq!(with(&|w| w.facts.f0_mhz = None), (true, vec![]));
    }

    #[test]
    fn a_reference_of_another_flip_angle_is_told() {
        let with = |flip_angle_deg| {
            let mut data = measured([20.0; 3], [0.0; 3]);
            data.facts.flip_angle_deg = flip_angle_deg;
            data
        };
        let told = |own, water| compared(&with(own), &with(water)).flags;
        assert_eq!(told(Some(90.0), Some(30.0)), ["water_flip_angle_differs"]);
        for (own, water) in [(Some(90.0), Some(90.0)), (Some(90.0), None), (None, Some(30.0))] {
            assert!(told(own, water).is_empty(), "{own:?} {water:?}");
        }
    }

    #[test]
    fn times_that_stand_in_the_spectrums_line_are_told() {
        let times = |te_s, tr_s| Facts { te_s, tr_s, ..Facts::default() };
        let line = times(Some(0.144), Some(2.0));
        let told = |own: &Facts, taken: &Facts| times_of_the_line(own, taken, &line).unwrap_or_default();
        let both = told(&times(None, None), &line);
        assert!(
            both.contains("TE and TR of the water reference") && both.contains("`water_te_s` and `water_tr_s`"),
            "{both}"
        );
        assert!(told(&times(Some(0.03), None), &times(Some(0.03), Some(2.0))).starts_with("TR of"));
        assert_eq!(told(&line, &line), "");
        assert_eq!(told(&times(None, None), &times(Some(0.03), Some(6.0))), "");
    }

    #[test]
    fn a_reference_that_says_that_it_was_suppressed_is_told() {
        let own = measured([20.0; 3], [0.0; 3]);
        let mut water = own.clone();
        water.facts.water_suppressed = Some(false);
        assert!(compared(&own, &water).remarks.is_empty());
        water.facts.water_suppressed = Some(true);
        let header = compared(&own, &water);
        assert!(header.flags.is_empty() && header.remarks[0].contains("suppressed"), "{:?}", header.remarks);
    }
}
