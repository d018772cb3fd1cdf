//! Of what tissue the voxels of a run are: which segmentation is whose, and what the rows say of it.

use std::collections::HashMap;
use std::path::PathBuf;

use rayon::prelude::*;

use super::load::{Header, Loaded};
use super::rows::Origin;
use super::tissue_options::TissueOptions;
use super::voxel_tissue::FileTissue;
use crate::corpus::{Found, Overrides};
use crate::quantify::Fractions;
use crate::store::SpectrumRow;
use crate::tissue::find::{Search, Wanted, find};
use crate::tissue::kinds::Kind;
use crate::tissue::source::MANIFEST;
use crate::tissue::{Measured, Segmentation, Source, TissueError, Transform, VoxelBox, VoxelTissue, measure};

/// Says of each file where its voxels' tissue comes from.
pub(super) fn resolve(found: &mut [Found], options: &TissueOptions) {
    if options.search == Search::None {
        return;
    }
    let is_open = |one: &Found| one.refusal().is_none();
    let stated = |one: &Found| {
        let Overrides { fractions, .. } = one.overrides.as_ref();
        fractions.as_ref().map(|(fractions, remark)| Source::Stated { fractions: *fractions, remark: remark.clone() })
    };
    let wanted: Vec<Wanted<'_>> = found
        .iter()
        .filter(|one| is_open(one))
        .map(|one| Wanted {
            path: &one.path,
            subject: one.subject.as_deref(),
            session: one.session.as_deref(),
            stated: one.overrides.segmentation.as_deref(),
        })
        .collect();
    let mut sources = find(&wanted, &options.search).into_iter();
    for one in found.iter_mut() {
        if is_open(one) {
            let by_search = sources.next().unwrap_or_default();
            one.tissue = stated(one).unwrap_or(by_search);
        }
    }
}

/// Measures the tissue of all voxels that were loaded; each head's maps are read once for all of them.
pub(super) fn fill(found: &[Found], loaded: &mut [Loaded], transform: Transform) {
    let mut of_heads: HashMap<&[PathBuf], Head<'_>> = HashMap::new();
    for (file, (one, loaded)) in found.iter().zip(loaded.iter_mut()).enumerate() {
        match &one.tissue {
            Source::None => {}
            Source::Stated { fractions, remark } => state(loaded, *fractions, remark.as_deref()),
            Source::Fault(error) => loaded.headers_mut().for_each(|header| header.lacks_tissue(error)),
            Source::Files(segmentation) if segmentation.kind == Kind::FslSegmentation && n_voxels(loaded) > 1 => {
                let error = TissueError::OfOneVoxel { file: segmentation.shown_as.clone(), voxels: n_voxels(loaded) };
                loaded.headers_mut().for_each(|header| header.lacks_tissue(&error));
            }
            Source::Files(segmentation) => {
                let head = of_heads.entry(&segmentation.files);
                let head = head.or_insert_with(|| Head { segmentation, wanted: Vec::new() });
                head.wanted.extend(voxels_of(loaded).into_iter().map(|(measurement, voxel)| {
                    Voxel {
                        file,
                        place: header_of(loaded, measurement.as_ref())
                            .place
                            .map(|place| VoxelBox { affine_mm: place.affine_mm, index: voxel.unwrap_or_default() }),
                        measurement,
                        index: voxel.unwrap_or_default(),
                    }
                }));
            }
        }
    }
    // In a fixed order, as what is said of a file is in its rows.
    let mut heads: Vec<Head<'_>> = of_heads.into_values().collect();
    heads.sort_by(|a, b| a.segmentation.files.cmp(&b.segmentation.files));
    let measured: Vec<Result<Measured, TissueError>> = heads
        .par_iter()
        .map(|head| {
            let boxes: Vec<Option<VoxelBox>> = head.wanted.iter().map(|voxel| voxel.place).collect();
            measure(head.segmentation, &boxes, transform)
        })
        .collect();
    for (head, measured) in heads.iter().zip(measured) {
        head.tell(found, loaded, measured);
    }
}

/// A voxel whose tissue is wanted.
struct Voxel {
    file: usize,
    measurement: Option<String>,
    index: [usize; 3],
    place: Option<VoxelBox>,
}

/// How remarks on tissue begin: fractions of another source make them untrue.
pub(super) const OF_TISSUE: &str = "tissue: ";

/// A head: its segmentation, and all voxels that are in it.
struct Head<'a> {
    segmentation: &'a Segmentation,
    wanted: Vec<Voxel>,
}

impl Head<'_> {
    /// Hands on what was measured to the files that wanted it.
    fn tell(&self, found: &[Found], loaded: &mut [Loaded], measured: Result<Measured, TissueError>) {
        let mut told: Vec<(usize, Option<&String>)> = Vec::new();
        for (n, voxel) in self.wanted.iter().enumerate() {
            let header = header_mut(&mut loaded[voxel.file], voxel.measurement.as_ref());
            let is_first = !told.contains(&(voxel.file, voxel.measurement.as_ref()));
            if is_first {
                told.push((voxel.file, voxel.measurement.as_ref()));
                header.tissue.kind = Some(self.segmentation.kind.as_str());
                // How one found it is not how another did.
                if let Source::Files(own) = &found[voxel.file].tissue {
                    header.tissue.path = Some(own.shown_as.clone());
                    own.remarks.iter().for_each(|remark| header.remark_of_tissue(remark));
                }
            }
            match &measured {
                Err(error) if is_first => header.lacks_tissue(error),
                Err(_) => {}
                Ok(measured) => {
                    if is_first {
                        header.tissue.sha256.clone_from(&measured.sha256);
                        header.tissue.transforms_differ_mm = measured.transforms_differ_mm;
                        measured.remarks.iter().for_each(|remark| header.remark_of_tissue(remark));
                        let new: Vec<_> =
                            measured.flags.iter().filter(|f| !header.flags.contains(f)).copied().collect();
                        header.flags.extend(new);
                    }
                    if let Some(tissue) = measured.voxels.get(n) {
                        header.tissue.voxels.insert(voxel.index, tissue.clone());
                    }
                }
            }
        }
    }
}

/// Voxels of the largest grid of a file.
fn n_voxels(loaded: &Loaded) -> usize {
    let headers = std::iter::once(&loaded.header).chain(loaded.further.values());
    headers.filter_map(|header| Some(header.grid?.iter().product())).max().unwrap_or(1)
}

/// The voxels of a file that have spectra, each once, with their measurements.
fn voxels_of(loaded: &Loaded) -> Vec<(Option<String>, Option<[usize; 3]>)> {
    let spectra = loaded.spectra.iter().filter(|(_, spectrum)| spectrum.is_ok());
    let mut all: Vec<_> = spectra.map(|(key, _)| (key.measurement.clone(), key.voxel)).collect();
    all.sort();
    all.dedup();
    all
}

fn header_of<'a>(loaded: &'a Loaded, measurement: Option<&String>) -> &'a Header {
    measurement.and_then(|name| loaded.further.get(name)).unwrap_or(&loaded.header)
}

fn header_mut<'a>(loaded: &'a mut Loaded, measurement: Option<&String>) -> &'a mut Header {
    match measurement.and_then(|name| loaded.further.get_mut(name)) {
        Some(header) => header,
        None => &mut loaded.header,
    }
}

/// Fractions that a manifest states hold for all voxels of a file.
fn state(loaded: &mut Loaded, fractions: Fractions, remark: Option<&str>) {
    for (measurement, voxel) in voxels_of(loaded) {
        let header = header_mut(loaded, measurement.as_ref());
        if header.tissue.kind.is_none() {
            remark.into_iter().for_each(|remark| header.remark_of_tissue(remark));
            let n: usize = header.grid.map_or(1, |grid| grid.iter().product());
            if n > 1 {
                header.remark_of_tissue(&format!("the manifest has one set of fractions for {n} voxels"));
            }
        }
        header.tissue.kind = Some(MANIFEST);
        header.tissue.voxels.insert(voxel.unwrap_or_default(), VoxelTissue::stated(fractions));
    }
}

impl Header {
    /// There should be fractions, but.
    fn lacks_tissue(&mut self, error: &TissueError) {
        self.flags.push(error.flag());
        self.remark_of_tissue(&format!("no fractions: {error}"));
    }

    fn remark_of_tissue(&mut self, remark: &str) {
        self.remarks.push(format!("{OF_TISSUE}{remark}"));
    }
}

impl Origin<'_> {
    /// Flags of the voxel in its image.
    pub(super) fn tissue_flags(&self) -> &[&'static str] {
        self.header.tissue.of(self.key.voxel).map_or(&[], |tissue| tissue.flags.as_slice())
    }

    /// The row with what is known of the voxel's place and tissue.
    pub(super) fn with_tissue(&self, row: SpectrumRow) -> SpectrumRow {
        let FileTissue { kind, path, sha256, transforms_differ_mm, .. } = &self.header.tissue;
        let tissue = self.header.tissue.of(self.key.voxel);
        let fractions = tissue.and_then(|tissue| tissue.fractions);
        let brain = fractions.map(|f| f.gm + f.wm).filter(|brain| *brain > 0.0);
        let grid = self.header.grid.filter(|grid| grid.iter().any(|n| *n > 1));
        let extent = |axis: usize| grid.and_then(|grid| u32::try_from(grid[axis]).ok());
        SpectrumRow {
            grid_i: extent(0),
            grid_j: extent(1),
            grid_k: extent(2),
            voxel_affine_mm: self.header.place.map(|place| place.affine_mm[..3].concat()),
            voxel_ml: self.header.place.map(|place| place.volume_ml()),
            voxel_placed_by: self.header.place.map(|place| place.by.to_owned()),
            f_gm: fractions.map(|f| f.gm),
            f_wm: fractions.map(|f| f.wm),
            f_csf: fractions.map(|f| f.csf),
            gm_ratio: fractions.zip(brain).map(|(f, brain)| f.gm / brain),
            tissue_share: tissue.and_then(|tissue| tissue.tissue_share),
            share_in_image: tissue.and_then(|tissue| tissue.share_in_image),
            segmentation_path: path.clone(),
            segmentation_sha256: sha256.clone(),
            segmentation_kind: kind.map(str::to_owned),
            transforms_differ_mm: *transforms_differ_mm,
            ..row
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::run::held::in_memory;
    use crate::run::load::{Failure, SpectrumKey};

    /// A file that was read, of a grid of so many voxels.
    fn loaded(n: usize) -> Loaded {
        let header = Header { grid: Some([n, 1, 1]), ..Header::default() };
        let spectra = (0..n).map(|i| {
            let key = SpectrumKey { voxel: (n > 1).then_some([i, 0, 0]), ..SpectrumKey::default() };
            (
                key,
                Ok(crate::prepare::Spectrum {
                    fid: Vec::new(),
                    dwell_s: 5e-4,
                    f0_mhz: 123.2,
                    record: Default::default(),
                }),
            )
        });
        Loaded { header, spectra: spectra.collect::<Vec<(SpectrumKey, Result<_, Failure>)>>(), ..Loaded::default() }
    }

    fn found(tissue: Source) -> Found {
        Found { tissue, ..in_memory("x") }
    }

    #[test]
    fn one_voxels_fractions_are_not_a_grids() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("segmentation.json");
        std::fs::write(&file, r#"{"GM": 0.5, "WM": 0.3, "CSF": 0.2}"#).unwrap();
        let segmentation = Segmentation {
            kind: Kind::FslSegmentation,
            files: vec![file],
            table: None,
            shown_as: "segmentation.json".to_owned(),
            remarks: Vec::new(),
        };
        let of = |source: Source, n: usize| {
            let mut loaded = [loaded(n)];
            fill(&[found(source)], &mut loaded, Transform::default());
            let [Loaded { header, .. }] = loaded;
            header
        };
        let grid = of(Source::Files(segmentation.clone()), 4);
        assert_eq!((grid.flags, grid.tissue.voxels.len()), (vec!["segmentation_of_whom"], 0));
        let single = of(Source::Files(segmentation), 1);
        assert!(single.flags.is_empty() && single.tissue.voxels.len() == 1);
        // What somebody states of a grid is taken, and told.
        let stated = Source::Stated { fractions: Fractions { gm: 0.5, wm: 0.3, csf: 0.2 }, remark: None };
        let told = of(stated.clone(), 4);
        assert_eq!((told.tissue.voxels.len(), told.remarks.len()), (4, 1), "{:?}", told.remarks);
        assert!(told.remarks[0].contains("one set of fractions for 4 voxels"));
        assert!(of(stated, 1).remarks.is_empty());
    }
}
