//! Files of segmentations: of every type of numbers, of FreeSurfer's own format, damaged.

use std::fs;

use requant::tissue::{Source, Transform, VoxelBox, measure};

use super::source;

/// Files of a segmentation that somebody damaged.
#[test]
fn maps_that_are_damaged_or_no_maps_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let put = |change: &dyn Fn(usize, &mut Vec<u8>)| {
        for (n, name) in ["c1T1.nii", "c2T1.nii", "c3T1.nii"].iter().enumerate() {
            let mut map = image([4, 4, 4], 16, &[0.3_f32; 64].map(f32::to_le_bytes).concat());
            // No two tissues are alike.
            map[352..356].copy_from_slice(&(0.1 * n as f32).to_le_bytes());
            change(n, &mut map);
            fs::write(folder.path().join(name), map).unwrap();
        }
        let Source::Files(found) = source(folder.path()) else { panic!("not found") };
        let mut affine_mm = [[0.0; 4]; 4];
        (0..3).for_each(|i| (affine_mm[i][i], affine_mm[i][3]) = (2.0, 1.5));
        measure(&found, &[Some(VoxelBox { affine_mm, index: [0; 3] })], Transform::Qform).map_err(|e| e.flag())
    };
    let whole = put(&|_, _| {}).unwrap();
    assert!((whole.voxels[0].fractions.unwrap().gm - 1.0 / 3.0).abs() < 1e-6);
    type Change = dyn Fn(usize, &mut Vec<u8>);
    let changes: [(&str, &Change); 9] = [
        ("segmentation_unreadable", &|n, map| {
            if n == 1 {
                map.truncate(400)
            }
        }),
        ("segmentation_unreadable", &|n, map| {
            if n == 2 {
                map.clear()
            }
        }),
        ("segmentation_unreadable", &|_, map| map[70..72].copy_from_slice(&32_i16.to_le_bytes())),
        ("segmentation_unreadable", &|_, map| map[40..50].copy_from_slice(&[4, 0, 4, 0, 4, 0, 2, 0, 2, 0])),
        ("segmentation_has_no_place", &|_, map| map[252..256].fill(0)),
        ("segmentation_not_in_scanner_space", &|_, map| map[252..256].copy_from_slice(&[3, 0, 4, 0])),
        ("tissue_maps_differ_in_grid", &|n, map| {
            if n == 2 {
                map[268..272].copy_from_slice(&1.0_f32.to_le_bytes())
            }
        }),
        ("tissue_maps_alike", &|_, map| map[352..356].copy_from_slice(&0.1_f32.to_le_bytes())),
        ("not_probabilities", &|n, map| {
            if n == 0 {
                map[352..356].copy_from_slice(&(-5.0_f32).to_le_bytes())
            }
        }),
    ];
    for (word, change) in changes {
        assert_eq!(put(change).unwrap_err(), word);
    }
    // Three maps that are all of the voxel each.
    let all = put(&|n, map| {
        map[352..].copy_from_slice(&[1.0_f32; 64].map(f32::to_le_bytes).concat());
        map[352..356].copy_from_slice(&(0.1 * n as f32).to_le_bytes());
    });
    assert_eq!(all.unwrap_err(), "not_probabilities");
}

/// An image of NIfTI-1 with voxels of 1 mm, its qform the scanner's.
fn image(grid: [i16; 3], datatype: i16, data: &[u8]) -> Vec<u8> {
    let mut file = vec![0; 352];
    file[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (n, extent) in [3, grid[0], grid[1], grid[2]].into_iter().enumerate() {
        file[40 + 2 * n..42 + 2 * n].copy_from_slice(&extent.to_le_bytes());
    }
    file[70..72].copy_from_slice(&datatype.to_le_bytes());
    for n in 0..4 {
        file[76 + 4 * n..80 + 4 * n].copy_from_slice(&1.0_f32.to_le_bytes());
    }
    file[108..112].copy_from_slice(&352.0_f32.to_le_bytes());
    file[252] = 1;
    file[344..348].copy_from_slice(b"n+1\0");
    file.extend_from_slice(data);
    file
}

/// FreeSurfer's own format: the same labels and place as in NIfTI give the same fractions.
#[test]
fn an_image_of_freesurfer_is_read_as_its_program_writes_it() {
    let folder = tempfile::tempdir().unwrap();
    let labels: Vec<u8> = (0..60).map(|i| [3, 41, 4, 2][i % 4]).collect();
    let (grid, size) = ([5_usize, 4, 3], [1.0_f32, 1.5, 2.0]);
    // The first axis to the left, the second down, the third to the front, as FreeSurfer has it.
    let axes = [[-1.0_f32, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]];
    let centre = [1.0_f32, 2.0, 3.0];
    let mut mgh = vec![0; 284];
    for (n, number) in [1, 5, 4, 3, 1, 0, 0].into_iter().enumerate() {
        mgh[4 * n..4 * n + 4].copy_from_slice(&i32::to_be_bytes(number));
    }
    mgh[28..30].copy_from_slice(&1_i16.to_be_bytes());
    let floats = size.into_iter().chain(axes.into_iter().flatten()).chain(centre);
    for (n, number) in floats.enumerate() {
        mgh[30 + 4 * n..34 + 4 * n].copy_from_slice(&number.to_be_bytes());
    }
    mgh.extend(&labels);
    let mut nifti = image([5, 4, 3], 2, &labels);
    // The same place as a matrix.
    nifti[252..256].copy_from_slice(&[0, 0, 1, 0]);
    for row in 0..3 {
        let columns = [0, 1, 2].map(|c| axes[c][row] * size[c]);
        let offset = centre[row] - (0..3).map(|c| columns[c] * grid[c] as f32 / 2.0).sum::<f32>();
        for (c, number) in columns.into_iter().chain([offset]).enumerate() {
            let at = 280 + 16 * row + 4 * c;
            nifti[at..at + 4].copy_from_slice(&number.to_le_bytes());
        }
    }
    let affine_mm = [[2.0, 0.5, 0.0, 1.2], [-0.5, 2.0, 0.3, 2.4], [0.0, -0.3, 2.0, 2.6], [0.0, 0.0, 0.0, 1.0]];
    let of = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        let Source::Files(found) = source(&path) else { panic!("not found") };
        measure(&found, &[Some(VoxelBox { affine_mm, index: [0; 3] })], Transform::Qform).map_err(|e| e.flag())
    };
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &mgh).unwrap();
    let packed = packed.finish().unwrap();
    let expected = of("aseg.nii", &nifti).unwrap().voxels;
    assert!(expected[0].fractions.is_some_and(|f| f.gm > 0.05 && f.wm > 0.05 && f.csf > 0.05), "{expected:?}");
    assert_eq!(of("aseg.mgh", &mgh).unwrap().voxels, expected);
    assert_eq!(of("aseg.mgz", &packed).unwrap().voxels, expected);
    // Cut off, without place, and of several images.
    assert_eq!(of("aseg.mgh", &mgh[..300]).unwrap_err(), "segmentation_unreadable");
    assert_eq!(of("aseg.mgz", &packed[..packed.len() / 2]).unwrap_err(), "segmentation_unreadable");
    let with = |at: usize, byte: u8| {
        let mut other = mgh.clone();
        other[at] = byte;
        of("aseg.mgh", &other).unwrap_err()
    };
    assert_eq!((with(29, 0), with(19, 2)), ("segmentation_has_no_place", "segmentation_unreadable"));
}

/// Every type of numbers, in both orders of bytes, scaled or not.
#[test]
fn labels_are_read_from_every_type_of_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("T1_seg.nii");
    let labels: Vec<u8> = (0..64).map(|i| 1 + i % 3).collect();
    let mut affine_mm = [[0.0; 4]; 4];
    (0..3).for_each(|i| (affine_mm[i][i], affine_mm[i][3]) = (4.0, 1.5));
    let of = |file: &[u8]| {
        fs::write(&path, file).unwrap();
        let Source::Files(found) = source(&path) else { panic!("not found") };
        let found = measure(&found, &[Some(VoxelBox { affine_mm, index: [0; 3] })], Transform::Qform).unwrap();
        found.voxels[0].fractions.unwrap()
    };
    macro_rules! bytes {
        ($type:ty) => {
            labels.iter().flat_map(|label| (*label as $type).to_le_bytes()).collect::<Vec<u8>>()
        };
    }
    let all: [(i16, Vec<u8>); 10] = [
        (2, bytes!(u8)),
        (4, bytes!(i16)),
        (8, bytes!(i32)),
        (16, bytes!(f32)),
        (64, bytes!(f64)),
        (256, bytes!(i8)),
        (512, bytes!(u16)),
        (768, bytes!(u32)),
        (1024, bytes!(i64)),
        (1280, bytes!(u64)),
    ];
    // 22 of 64 voxels are the first label.
    let expected = [21.0 / 64.0, 21.0 / 64.0, 22.0 / 64.0];
    for (datatype, data) in all {
        let mut file = image([4, 4, 4], datatype, &data);
        let got = of(&file);
        let is = |got: f64, want: f64| assert!((got - want).abs() < 1e-12, "{datatype}: {got} {want}");
        is(got.gm, expected[0]);
        is(got.wm, expected[1]);
        is(got.csf, expected[2]);
        // With a slope that changes nothing, and the other order of bytes.
        let size = data.len() / 64;
        file[112..116].copy_from_slice(&1.0_f32.to_le_bytes());
        let swapped = big_endian(&file, size);
        assert_eq!(of(&swapped), got, "{datatype}");
    }
}

/// The same file with its bytes in the other order.
fn big_endian(file: &[u8], element: usize) -> Vec<u8> {
    let mut swapped = file.to_vec();
    let mut turn = |from: usize, size: usize, n: usize| {
        (0..n).for_each(|i| swapped[from + i * size..from + (i + 1) * size].reverse());
    };
    turn(0, 4, 1);
    turn(40, 2, 8);
    turn(70, 2, 1);
    turn(76, 4, 8);
    turn(108, 4, 3);
    turn(252, 2, 2);
    turn(256, 4, 18);
    turn(352, element, 64);
    swapped
}
