//! The grids of voxels that a table of spectra has: which rows are whose voxels, and where each grid lies.

use std::collections::{BTreeMap, BTreeSet};

use crate::printable::printable_message;
use crate::store::{SpectrumRow, Status};

/// A run writes a row for every voxel of a grid. Where a table says of itself that this many times as many are missing, its
/// extents are no grid's.
const MOST_VOXELS_A_ROW: usize = 8;
/// The least determinant of a transform (mm³) that does not flatten space.
const LEAST_MM3: f64 = 1e-6;

/// One grid, analysed with one method.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    /// `spectrum_id` of its rows, without the voxel.
    pub(super) id: String,
    pub(super) method: String,
    /// Extents; the first index is the fastest.
    pub(super) size: [usize; 3],
    /// Voxel to scanner (mm).
    pub(super) affine_mm: Option<[[f64; 4]; 4]>,
    pub(super) voxels: Vec<Voxel>,
}

/// A row of `spectra` and the place of its voxel on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Voxel {
    pub(super) row: usize,
    pub(super) place: usize,
}

impl Grid {
    pub(super) fn n_voxels(&self) -> usize {
        self.size.iter().product()
    }
}

type Key<'a> = (String, &'a str);

/// The grids of a table in the order of their names, and what is wrong with others.
pub(super) fn find(spectra: &[SpectrumRow]) -> (Vec<Grid>, Vec<String>) {
    let mut groups: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
    for (index, row) in spectra.iter().enumerate().filter(|(_, row)| index_of(row).is_some()) {
        groups.entry((grid_id(row), row.method.as_str())).or_default().push(index);
    }
    let is_fitted = |rows: &[usize]| rows.iter().any(|&i| spectra.get(i).is_some_and(|r| r.status == Status::Ok));
    let (fitted, unfitted): (Vec<_>, Vec<_>) = groups.into_iter().partition(|(_, rows)| is_fitted(rows));
    let (mut grids, mut notes) = (Vec::new(), Vec::new());
    for ((id, method), rows) in fitted {
        match grid(spectra, (id.clone(), method), &rows) {
            Ok(grid) => grids.push(grid),
            Err(fault) => notes.push(printable_message(&format!("{id} ({method}): no maps, {fault}"))),
        }
    }
    for ((id, method), rows) in unfitted {
        let rows: Vec<(usize, &SpectrumRow)> = rows.iter().filter_map(|&i| Some((i, spectra.get(i)?))).collect();
        if !lend_failures(&mut grids, (&id, method), &rows) {
            notes.push(printable_message(&format!("{id} ({method}): no maps, none of its voxels was fitted")));
        }
    }
    for grid in &grids {
        notes.extend(remarks(grid));
    }
    (grids, notes)
}

fn index_of(row: &SpectrumRow) -> Option<[usize; 3]> {
    let index = |i: Option<u32>| i.and_then(|i| usize::try_from(i).ok());
    Some([index(row.voxel_i)?, index(row.voxel_j)?, index(row.voxel_k)?])
}

fn size_of(row: &SpectrumRow) -> Option<[usize; 3]> {
    let extent = |n: Option<u32>| n.and_then(|n| usize::try_from(n).ok());
    Some([extent(row.grid_i)?, extent(row.grid_j)?, extent(row.grid_k)?])
}

/// The id of a row without its voxel. Ids that were cut have none: there the file, the condition and the part stand for it.
fn grid_id(row: &SpectrumRow) -> String {
    let voxel = index_of(row).map(|[i, j, k]| format!("#{i},{j},{k}")).unwrap_or_default();
    if let Some(id) = row.spectrum_id.strip_suffix(voxel.as_str()) {
        return id.to_owned();
    }
    let condition = row.subspec.as_ref().map(|name| format!("#{name}")).unwrap_or_default();
    let part = row.dynamic_index.map(|part| format!("#t{part}")).unwrap_or_default();
    format!("{}{condition}{part}", row.source_path)
}

/// One grid of the rows of one id and method.
fn grid(spectra: &[SpectrumRow], (id, method): Key<'_>, rows: &[usize]) -> Result<Grid, String> {
    let all = || rows.iter().filter_map(|&i| Some((i, spectra.get(i)?)));
    let sizes: BTreeSet<[usize; 3]> = all().filter_map(|(_, row)| size_of(row)).collect();
    let mut sizes = sizes.into_iter();
    let size = match (sizes.next(), sizes.next()) {
        (None, _) => return Err("its rows do not say how large the grid is; run again with this version".to_owned()),
        (Some(size), None) => size,
        (Some(a), Some(b)) => return Err(format!("its rows are of grids of {a:?} and {b:?} voxels")),
    };
    let n = size.iter().try_fold(1_usize, |product, extent| product.checked_mul(*extent)).unwrap_or(usize::MAX);
    if n > spectra.len().saturating_mul(MOST_VOXELS_A_ROW) {
        return Err(format!("the table's {} rows are too few for a grid of {size:?} voxels", spectra.len()));
    }
    let affine_mm = affine_of(all().map(|(_, row)| row))?;
    let mut voxels = BTreeMap::new();
    for (row, [i, j, k]) in all().filter_map(|(index, row)| Some((index, index_of(row)?))) {
        if i >= size[0] || j >= size[1] || k >= size[2] {
            return Err(format!("voxel {i},{j},{k} is outside its grid of {size:?} voxels"));
        }
        let place = i + size[0] * (j + size[1] * k);
        if voxels.insert(place, row).is_some() {
            return Err(format!("voxel {i},{j},{k} has two rows"));
        }
    }
    let voxels = voxels.into_iter().map(|(place, row)| Voxel { row, place }).collect();
    Ok(Grid { id, method: method.to_owned(), size, affine_mm, voxels })
}

/// The place that the rows state, all alike or not at all.
fn affine_of<'a>(rows: impl Iterator<Item = &'a SpectrumRow>) -> Result<Option<[[f64; 4]; 4]>, String> {
    let mut stated = rows.filter_map(|row| row.voxel_affine_mm.as_deref());
    let Some(first) = stated.next() else { return Ok(None) };
    if stated.any(|other| other != first) {
        return Err("its rows differ in where the grid is".to_owned());
    }
    let mut affine = [[0.0, 0.0, 0.0, 1.0]; 4];
    let is_whole = first.len() == 12 && first.iter().all(|entry| entry.is_finite());
    for (row, entries) in affine.iter_mut().zip(first.chunks_exact(4)) {
        row.copy_from_slice(entries);
    }
    let [x, y, z, _] = &affine;
    let determinant =
        x[0] * (y[1] * z[2] - y[2] * z[1]) - x[1] * (y[0] * z[2] - y[2] * z[0]) + x[2] * (y[0] * z[1] - y[1] * z[0]);
    if !is_whole || determinant.abs() < LEAST_MM3 {
        return Err("its `voxel_affine_mm` places no voxel in space".to_owned());
    }
    Ok(Some(affine))
}

/// Voxels that could not be prepared have one row, whatever conditions and parts the others have: it counts for each of these.
fn lend_failures(grids: &mut [Grid], (file, method): (&str, &str), rows: &[(usize, &SpectrumRow)]) -> bool {
    let is_general = rows.iter().all(|(_, row)| row.subspec.is_none() && row.dynamic_index.is_none());
    let of_file = format!("{file}#");
    let mut lent = false;
    for grid in grids.iter_mut().filter(|grid| grid.method == method && grid.id.starts_with(&of_file)) {
        let mut taken: BTreeSet<usize> = grid.voxels.iter().map(|voxel| voxel.place).collect();
        for (row, index) in rows.iter().filter_map(|(i, row)| Some((*i, index_of(row)?))) {
            let is_inside = index.iter().zip(grid.size).all(|(i, n)| *i < n);
            let place = index[0] + grid.size[0] * (index[1] + grid.size[1] * index[2]);
            if is_general && is_inside && taken.insert(place) {
                grid.voxels.push(Voxel { row, place });
                lent = true;
            }
        }
    }
    lent
}

fn remarks(grid: &Grid) -> Vec<String> {
    let missing = grid.n_voxels() - grid.voxels.len();
    let name = format!("{} ({})", grid.id, grid.method);
    let of_rows = (missing > 0).then(|| format!("{name}: {missing} voxels of its grid have no row, and are NaN"));
    let of_place = grid.affine_mm.is_none().then(|| {
        format!("{name}: its file does not say where the grid is; the maps have voxels of 1 mm and no place in space")
    });
    [of_rows, of_place].into_iter().flatten().map(|text| printable_message(&text)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const PLACE: [f64; 12] = [10.0, 0.0, 0.0, 1.0, 0.0, 10.0, 0.0, 2.0, 0.0, 0.0, 15.0, 3.0];

    fn row(file: &str, condition: Option<&str>, [i, j, k]: [u32; 3], status: Status) -> SpectrumRow {
        let named = condition.map(|name| format!("#{name}")).unwrap_or_default();
        SpectrumRow {
            spectrum_id: format!("{file}{named}#{i},{j},{k}"),
            subspec: condition.map(str::to_owned),
            method: "map".into(),
            status,
            voxel_i: Some(i),
            voxel_j: Some(j),
            voxel_k: Some(k),
            grid_i: Some(3),
            grid_j: Some(2),
            grid_k: Some(1),
            voxel_affine_mm: Some(PLACE.to_vec()),
            ..SpectrumRow::default()
        }
    }

    fn all(file: &str, condition: Option<&str>) -> Vec<SpectrumRow> {
        (0..6).map(|n| row(file, condition, [n % 3, n / 3, 0], Status::Ok)).collect()
    }

    #[test]
    fn rows_become_voxels_the_first_index_fastest() {
        let mut rows = all("a/x", None);
        rows.push(SpectrumRow { spectrum_id: "svs".into(), method: "map".into(), ..SpectrumRow::default() });
        rows.extend(all("b/x", Some("diff")));
        rows.reverse();
        let (grids, notes) = find(&rows);
        assert!(notes.is_empty(), "{notes:?}");
        assert_eq!(grids.iter().map(|grid| grid.id.as_str()).collect::<Vec<_>>(), ["a/x", "b/x#diff"]);
        for grid in &grids {
            assert_eq!(
                (grid.size, grid.voxels.len(), grid.affine_mm.unwrap()[2]),
                ([3, 2, 1], 6, [0.0, 0.0, 15.0, 3.0])
            );
            for voxel in &grid.voxels {
                let row = &rows[voxel.row];
                assert_eq!(voxel.place as u32, row.voxel_i.unwrap() + 3 * row.voxel_j.unwrap());
            }
        }
    }

    #[test]
    fn what_contradicts_itself_is_told_and_not_drawn() {
        let changed = |change: &dyn Fn(&mut SpectrumRow)| {
            let mut rows = all("x", None);
            change(&mut rows[4]);
            rows
        };
        let affine = |values: Vec<f64>| move |row: &mut SpectrumRow| row.voxel_affine_mm = Some(values.clone());
        let everywhere = |change: &dyn Fn(&mut SpectrumRow)| {
            let mut rows = all("x", None);
            rows.iter_mut().for_each(change);
            rows
        };
        for (rows, word) in [
            (changed(&|row| row.grid_i = Some(4)), "are of grids of"),
            (everywhere(&|row| row.grid_j = Some(1)), "outside its grid"),
            (changed(&affine(vec![0.0; 12])), "differ in where"),
            (everywhere(&affine(vec![0.0; 12])), "places no voxel"),
            (everywhere(&affine(vec![1.0; 5])), "places no voxel"),
            (everywhere(&affine(vec![f64::NAN; 12])), "differ in where"),
            (everywhere(&|row| row.grid_k = None), "how large the grid is"),
            (everywhere(&|row| row.grid_k = Some(u32::MAX)), "too few"),
            (everywhere(&|row| row.status = Status::Failed), "none of its voxels was fitted"),
        ] {
            let (grids, notes) = find(&rows);
            assert!(grids.is_empty() && notes.len() == 1 && notes[0].contains(word), "{word}: {notes:?}");
        }
        let mut twice = all("x", None);
        twice.push(twice[0].clone());
        assert!(find(&twice).1[0].contains("two rows"));
    }

    #[test]
    fn what_is_missing_is_told_and_drawn_all_the_same() {
        let mut rows = all("x", None);
        rows.truncate(5);
        rows.iter_mut().for_each(|row| row.voxel_affine_mm = None);
        let (grids, notes) = find(&rows);
        assert_eq!((grids[0].affine_mm, grids[0].voxels.len()), (None, 5));
        assert!(notes[0].contains("1 voxels") && notes[1].contains("does not say where"), "{notes:?}");
    }

    #[test]
    fn a_voxel_that_failed_before_its_conditions_counts_for_each_of_them() {
        let mut rows: Vec<SpectrumRow> = all("x", Some("on")).into_iter().chain(all("x", Some("diff"))).collect();
        rows.retain(|row| row.voxel_i != Some(1));
        rows.extend([0, 1].map(|j| row("x", None, [1, j, 0], Status::Failed)));
        let (grids, notes) = find(&rows);
        assert!(notes.is_empty(), "{notes:?}");
        let failed = |grid: &Grid| grid.voxels.iter().filter(|v| rows[v.row].status == Status::Failed).count();
        assert_eq!(grids.iter().map(|grid| (grid.voxels.len(), failed(grid))).collect::<Vec<_>>(), [(6, 2), (6, 2)]);
    }

    #[test]
    fn ids_that_were_cut_still_make_a_grid() {
        let mut rows = all("x", Some("on"));
        for (n, row) in rows.iter_mut().enumerate() {
            row.spectrum_id = format!("long~{n:016x}");
            row.source_path = "long/file.nii".into();
        }
        assert_eq!(find(&rows).0[0].id, "long/file.nii#on");
    }
}
