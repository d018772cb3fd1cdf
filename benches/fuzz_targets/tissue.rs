//! Segmentations: maps of shares, labels with their table, stated fractions.

use std::path::PathBuf;

use requant::tissue::kinds::Kind;
use requant::tissue::{Segmentation, Transform, VoxelBox, measure};

/// Name, seeds, and what is done to damaged ones.
type Parts = (&'static str, Vec<Vec<u8>>, Box<dyn Fn(&[u8]) -> bool>);
type Decode = Box<dyn Fn(&[u8]) -> bool>;

/// A voxel that reaches over the border of the image.
const VOXEL: VoxelBox = VoxelBox {
    affine_mm: [[3.0, 1.0, 0.0, 1.5], [-1.0, 3.0, 0.0, 1.0], [0.0, 0.5, 2.0, 1.5], [0.0, 0.0, 0.0, 1.0]],
    index: [0; 3],
};

pub fn targets() -> Vec<Parts> {
    let image = image();
    let mut big = image.clone();
    for (from, size, n) in
        [(0, 4, 1), (40, 2, 8), (70, 2, 1), (76, 4, 8), (108, 4, 3), (252, 2, 2), (256, 4, 18), (352, 2, 64)]
    {
        (0..n).for_each(|i| big[from + i * size..from + (i + 1) * size].reverse());
    }
    let table = b"index\tname\tabbreviation\n1\tGrey Matter\tGM\n2\tWhite Matter\tWM\n3\tCSF\tCSF\n".to_vec();
    let json = br#"{"CSF": 0.05, "GM": 0.39, "WM": 0.56}"#.to_vec();
    vec![
        ("tissue-labels", vec![image.clone(), big], measured("T1_seg.nii", Kind::FslFastLabels)),
        ("tissue-table", vec![table], with_table(image)),
        ("tissue-fractions", vec![json], measured("segmentation.json", Kind::FslSegmentation)),
    ]
}

fn segmentation(kind: Kind, file: PathBuf, table: Option<PathBuf>) -> Segmentation {
    Segmentation { kind, files: vec![file], table, shown_as: "x".to_owned(), remarks: Vec::new() }
}

fn measured(name: &'static str, kind: Kind) -> Decode {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move |bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        measure(&segmentation(kind, path, None), &[Some(VOXEL), None], Transform::Qform).is_ok()
    })
}

fn with_table(image: Vec<u8>) -> Decode {
    let folder = tempfile::tempdir().unwrap();
    Box::new(move |bytes: &[u8]| {
        let [file, table] = ["x_dseg.nii", "x_dseg.tsv"].map(|name| folder.path().join(name));
        std::fs::write(&file, &image).unwrap();
        std::fs::write(&table, bytes).unwrap();
        measure(&segmentation(Kind::BidsDseg, file, Some(table)), &[Some(VOXEL)], Transform::Qform).is_ok()
    })
}

/// Labels on 4 × 4 × 4 voxels of 1 mm, as whole numbers of two bytes.
fn image() -> Vec<u8> {
    let mut file = vec![0; 352];
    file[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (n, extent) in [3_i16, 4, 4, 4].into_iter().enumerate() {
        file[40 + 2 * n..42 + 2 * n].copy_from_slice(&extent.to_le_bytes());
    }
    file[70] = 4;
    for n in 0..4 {
        file[76 + 4 * n..80 + 4 * n].copy_from_slice(&1.0_f32.to_le_bytes());
    }
    file[108..112].copy_from_slice(&352.0_f32.to_le_bytes());
    file[252] = 1;
    file[344..348].copy_from_slice(b"n+1\0");
    file.extend((0..64_i16).flat_map(|i| (1 + i % 3).to_le_bytes()));
    file
}
