//! Tables and density maps of the overlap.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use rayon::prelude::*;
use serde_json::json;

use super::asked::{Asked, Written};
use super::density::{CORE, Density, Overlap};
use super::error::{OverlapError, TransformError};
use super::placed::{Placed, Space, Voxel, voxel_volume_ml};
use crate::formats::nifti;
use crate::output_path::{path_inside, safe_name_from};
use crate::printable::{PATH_CHARS, printable};
use crate::store::IfExists;
use crate::tissue::overlap::ImageBox;

/// Longest name of a site or region in the name of a file (bytes).
const NAME_BYTES: usize = 60;
/// What stands for all sites.
const ALL: &str = "all";
/// Where `qform_code` and `sform_code` of a NIfTI-1 header are (nifti1.h).
const CODES: [usize; 2] = [252, 254];
const VOXEL_COLUMNS: [&str; 21] = [
    "spectrum_id",
    "subject",
    "session",
    "site",
    "voi",
    "status",
    "x_mm",
    "y_mm",
    "z_mm",
    "volume_ml",
    "share_in_space",
    "n_site",
    "core_share_site",
    "dice_site",
    "n_all",
    "core_share_all",
    "dice_all",
    "transform",
    "transform_kind",
    "image",
    "reason",
];
const GROUP_COLUMNS: [&str; 8] =
    ["site", "voi", "n", "core_ml", "core_share_mean", "core_share_least", "dice_mean", "density_map"];

/// A region at a site, or at all of them.
type Group<'a> = (Option<&'a str>, &'a str);

/// What is known of a group.
struct Measured {
    n: usize,
    n_core: usize,
    /// By the voxel's number.
    overlaps: BTreeMap<usize, Overlap>,
    map: String,
}

/// Refuses an output folder that holds something.
pub(super) fn refuse(asked: &Asked) -> Result<(), OverlapError> {
    let is_empty = fs::read_dir(&asked.out).map_or(true, |mut entries| entries.next().is_none());
    if is_empty || asked.if_exists != IfExists::Refuse {
        return Ok(());
    }
    Err(OverlapError::OutputExists { path: asked.out.clone() })
}

/// Writes all of it.
pub(super) fn write(
    asked: &Asked,
    space: &Space,
    voxels: &[Voxel<'_>],
    run_id: Option<&str>,
) -> Result<Written, OverlapError> {
    let failed = |path: &Path, source: io::Error| OverlapError::Write { path: path.to_owned(), source };
    fs::create_dir_all(&asked.out).map_err(|e| failed(&asked.out, e))?;
    let groups = groups(voxels);
    let mut files = Vec::new();
    let mut measured: BTreeMap<Group<'_>, Measured> = BTreeMap::new();
    for (number, (group, members)) in groups.iter().enumerate() {
        let boxes: Vec<&ImageBox> = members.iter().filter_map(|at| Some(&placed(&voxels[*at])?.own)).collect();
        let density = Density::of(&boxes, space.geometry.grid);
        let map = map_name(*group, number, &groups);
        let path = path_inside(&asked.out, &[&map])?;
        fs::write(&path, image(&density, space, *group).map_err(|e| failed(&path, e))?)
            .map_err(|e| failed(&path, e))?;
        files.push(path);
        let overlap = |(at, own): (&usize, &&ImageBox)| (*at, density.overlap(own, space.geometry.grid));
        let overlaps = members.par_iter().zip(boxes.par_iter()).map(overlap).collect();
        measured.insert(*group, Measured { n: members.len(), n_core: density.n_core(), overlaps, map });
    }
    let core_ml = voxel_volume_ml(&space.geometry.affine_mm);
    let index = json!({
        "kind": "requant-overlap",
        "requant_version": env!("CARGO_PKG_VERSION"),
        "run_id": run_id,
        "space": asked.space.file_name().map(|name| printable(&name.to_string_lossy(), PATH_CHARS)),
        "grid": space.geometry.grid,
        "affine_mm": space.geometry.affine_mm,
        "core": CORE,
    });
    for (name, content) in [
        ("voxels.tsv", table(&VOXEL_COLUMNS, (0..voxels.len()).map(|at| voxel_line(at, &voxels[at], &measured)))),
        ("groups.tsv", table(&GROUP_COLUMNS, measured.iter().map(|(group, own)| group_line(*group, own, core_ml)))),
        ("overlap.json", format!("{index:#}\n")),
    ] {
        let path = path_inside(&asked.out, &[name])?;
        fs::write(&path, content).map_err(|e| failed(&path, e))?;
        files.push(path);
    }
    let n = voxels.iter().filter(|voxel| voxel.placed.is_ok()).count();
    Ok(Written { files, n: [n, voxels.len()], notes: notes(voxels) })
}

fn placed<'a>(voxel: &'a Voxel<'_>) -> Option<&'a Placed> {
    voxel.placed.as_ref().ok()
}

/// Voxels of each region at each site, and of each region where it has several sites.
fn groups<'a>(voxels: &[Voxel<'a>]) -> BTreeMap<Group<'a>, Vec<usize>> {
    let mut all: BTreeMap<Group<'a>, Vec<usize>> = BTreeMap::new();
    for (at, voxel) in voxels.iter().enumerate().filter(|(_, voxel)| voxel.placed.is_ok()) {
        let (site, voi) = of(voxel);
        all.entry((Some(site), voi)).or_default().push(at);
        all.entry((None, voi)).or_default().push(at);
    }
    all
}

fn of<'a>(voxel: &Voxel<'a>) -> (&'a str, &'a str) {
    (voxel.row.site.as_deref().unwrap_or_default(), voxel.row.voi.as_deref().unwrap_or_default())
}

/// Name of a group's map; a number keeps those apart that would be alike.
fn map_name(group: Group<'_>, number: usize, groups: &BTreeMap<Group<'_>, Vec<usize>>) -> String {
    let name = |(site, voi): Group<'_>| {
        let part = |key: &str, label: &str| {
            let label = if label.is_empty() { "none" } else { label };
            format!("{key}-{}_", safe_name_from(label, NAME_BYTES))
        };
        let site = site.map_or_else(|| format!("sites-{ALL}_"), |site| part("site", site));
        format!("{}{site}density", part("voi", voi))
    };
    let own = name(group);
    let is_taken = groups.keys().take(number).any(|other| name(*other).eq_ignore_ascii_case(&own));
    if is_taken { format!("{own}-{number}.nii.gz") } else { format!("{own}.nii.gz") }
}

/// The map as a file in the common space, with that one's code: no reader takes it for a scanner's.
fn image(density: &Density, space: &Space, (site, voi): Group<'_>) -> io::Result<Vec<u8>> {
    let what = format!("share of voxels, {voi} {}", site.unwrap_or(ALL));
    let values = density.image(space.geometry.grid);
    let mut file = nifti::image(space.geometry.grid, Some(&space.geometry.affine_mm), &values, &what)
        .ok_or_else(|| io::Error::other("the grid is larger than a NIfTI-1 file can hold"))?;
    let code = i16::try_from(space.code).unwrap_or(i16::MAX).to_le_bytes();
    for at in CODES {
        if let Some(stated) = file.get_mut(at..at + 2).filter(|stated| *stated != [0, 0]) {
            stated.copy_from_slice(&code);
        }
    }
    nifti::packed(&file)
}

fn table(columns: &[&str], lines: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = columns.join("\t") + "\n";
    for line in lines {
        let cells: Vec<String> = line.iter().map(|cell| printable(cell, PATH_CHARS).replace('\t', " ")).collect();
        text += &(cells.join("\t") + "\n");
    }
    text
}

const UNKNOWN: &str = "n/a";

fn word(text: Option<&String>) -> String {
    text.filter(|text| !text.is_empty()).cloned().unwrap_or_else(|| UNKNOWN.to_owned())
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.6}"))
}

fn voxel_line(at: usize, voxel: &Voxel<'_>, measured: &BTreeMap<Group<'_>, Measured>) -> Vec<String> {
    let row = voxel.row;
    let placed = placed(voxel);
    let (site, voi) = of(voxel);
    let labels = [row.subject.as_ref(), row.session.as_ref(), row.site.as_ref(), row.voi.as_ref()].map(word);
    let status = voxel.placed.as_ref().map_or_else(TransformError::status, |_| "ok");
    let mut line = vec![row.spectrum_id.clone()];
    line.extend(labels);
    line.push(status.to_owned());
    line.extend((0..3).map(|axis| number(placed.map(|p| p.centre_mm[axis]))));
    line.extend([placed.map(|p| p.volume_ml), placed.map(|p| p.share_in_space)].map(number));
    for group in [(Some(site), voi), (None, voi)] {
        let own = measured.get(&group).filter(|_| placed.is_some());
        let overlap = own.and_then(|own| own.overlaps.get(&at));
        line.push(own.map_or_else(|| UNKNOWN.to_owned(), |own| own.n.to_string()));
        line.extend([overlap.map(|o| o.core_share), overlap.map(|o| o.dice)].map(number));
    }
    let file = placed.map(|p| p.file.file_name().unwrap_or_default().to_string_lossy().into_owned());
    line.push(word(file.as_ref()));
    line.push(placed.map_or(UNKNOWN, |p| p.kind).to_owned());
    line.push(word(placed.and_then(|p| p.image.as_ref())));
    line.push(voxel.placed.as_ref().map_or_else(ToString::to_string, |_| UNKNOWN.to_owned()));
    line
}

fn group_line((site, voi): Group<'_>, own: &Measured, core_ml: f64) -> Vec<String> {
    let shares = || own.overlaps.values().map(|overlap| overlap.core_share);
    let n = own.overlaps.len().max(1) as f64;
    let site = site.map_or_else(|| ALL.to_owned(), |site| word(Some(&site.to_owned())));
    vec![
        site,
        word(Some(&voi.to_owned())),
        own.n.to_string(),
        number(Some(core_ml * own.n_core as f64)),
        number(Some(shares().sum::<f64>() / n)),
        number(Some(shares().fold(f64::INFINITY, f64::min)).filter(|least| least.is_finite())),
        number(Some(own.overlaps.values().map(|overlap| overlap.dice).sum::<f64>() / n)),
        own.map.clone(),
    ]
}

/// A note for each reason why voxels are not in the common space.
fn notes(voxels: &[Voxel<'_>]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, (usize, String)> = BTreeMap::new();
    for error in voxels.iter().filter_map(|voxel| voxel.placed.as_ref().err()) {
        reasons.entry(error.status()).or_insert_with(|| (0, error.to_string())).0 += 1;
    }
    reasons.into_iter().map(|(status, (n, words))| format!("{n} voxels left out ({status}): {words}")).collect()
}
