#![allow(clippy::unwrap_used, reason = "tests")]

use super::*;

const COMMON: Geometry = Geometry {
    grid: [91, 109, 91],
    affine_mm: [[-2.0, 0.0, 0.0, 90.0], [0.0, 2.0, 0.0, -126.0], [0.0, 0.0, 2.0, -72.0], [0.0, 0.0, 0.0, 1.0]],
};
const HEAD: Geometry = Geometry {
    grid: [10, 12, 14],
    affine_mm: [[1.0, 0.0, 0.0, -5.0], [0.0, 1.0, 0.0, -6.0], [0.0, 0.0, 1.0, -7.0], [0.0, 0.0, 0.0, 1.0]],
};
const POINTS: Direction = Direction { is_from_head: true, is_of_points: true };

/// Where a file leads a point.
fn moved(name: &str, content: &[u8], direction: Direction, point: [f64; 3]) -> Result<[f64; 3], TransformError> {
    with(name, content, direction, Ok(HEAD), &COMMON).map(|m| apply(&m, point))
}

fn with(
    name: &str,
    content: &[u8],
    direction: Direction,
    image: Result<Geometry, String>,
    common: &Geometry,
) -> Result<Affine, TransformError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, content).unwrap();
    read(&path, direction, image, common).map(|found| found.affine_mm)
}

fn apply(m: &Affine, p: [f64; 3]) -> [f64; 3] {
    [0, 1, 2].map(|r| m[r][0] * p[0] + m[r][1] * p[1] + m[r][2] * p[2] + m[r][3])
}

fn near(a: [f64; 3], b: [f64; 3]) {
    assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9), "{a:?} {b:?}");
}

fn text(kind: &str, parameters: &str, centre: &str) -> Vec<u8> {
    format!("#Insight Transform File V1.0\n#Transform 0\nTransform: {kind}\nParameters: {parameters}\nFixedParameters: {centre}\n")
        .into_bytes()
}

const KIND: &str = "AffineTransform_double_3_3";

#[test]
fn itk_shifts_lead_to_the_left_and_to_the_back_and_from_the_fixed_image() {
    let shift = text(KIND, "1 0 0 0 1 0 0 0 1 5 -3 2", "0 0 0");
    // Registered onto the common space: its points are led to the head, so the head's are led back.
    near(moved("a.txt", &shift, Direction::default(), [10.0, 20.0, 30.0]).unwrap(), [15.0, 17.0, 28.0]);
    // from-T1w_to-MNI…_mode-points, and from-MNI…_to-T1w_mode-image.
    let back = Direction { is_from_head: false, is_of_points: false };
    for direction in [POINTS, back] {
        near(moved("a.txt", &shift, direction, [10.0, 20.0, 30.0]).unwrap(), [5.0, 23.0, 32.0]);
    }
}

#[test]
fn itk_turns_about_the_centre() {
    // By 90° about the long axis, in axes to the left and to the back: left goes to back.
    let turn = text("MatrixOffsetTransformBase_double_3_3", "0 -1 0 1 0 0 0 0 1 0 0 0", "-10 -20 30");
    // The centre is 10 to the right and 20 to the front.
    near(moved("a.tfm", &turn, POINTS, [10.0, 20.0, 30.0]).unwrap(), [10.0, 20.0, 30.0]);
    // One to the left of it goes to one behind it.
    near(moved("a.tfm", &turn, POINTS, [9.0, 20.0, 31.0]).unwrap(), [10.0, 19.0, 31.0]);
    near(moved("a.tfm", &turn, Direction::default(), [10.0, 19.0, 31.0]).unwrap(), [9.0, 20.0, 31.0]);
}

#[test]
fn the_binary_form_is_that_of_the_text() {
    let parameters = [0.9_f64, 0.1, -0.2, 0.05, 1.1, 0.3, 0.15, -0.25, 0.95, 4.0, -5.0, 6.0];
    let centre = [1.0_f64, -2.0, 3.0];
    let mut mat = Vec::new();
    for (name, numbers) in [(KIND, &parameters[..]), ("fixed", &centre[..])] {
        for head in [0, i32::try_from(numbers.len()).unwrap(), 1, 0, i32::try_from(name.len() + 1).unwrap()] {
            mat.extend(head.to_le_bytes());
        }
        mat.extend(name.as_bytes());
        mat.push(0);
        numbers.iter().for_each(|x| mat.extend(x.to_le_bytes()));
    }
    let words = |numbers: &[f64]| numbers.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let text = text(KIND, &words(&parameters), &words(&centre));
    let point = [7.0, 8.0, 9.0];
    let of = |name: &str, content: &[u8]| moved(name, content, Direction::default(), point);
    near(of("a0GenericAffine.mat", &mat).unwrap(), of("a.txt", &text).unwrap());
    for length in 0..mat.len() {
        assert!(of("a.mat", &mat[..length]).is_err(), "{length}");
    }
}

#[test]
fn flirt_counts_from_the_last_voxel_where_the_image_is_not_radiological() {
    // The head goes 3 to the right, 4 to the front, 5 up. Its first axis is turned round (4 − x, y + 6, z + 7), that of the
    // common space is not (90 − x', y' + 126, z' + 72).
    let matrix = b"1 0 0 83  \n0 1 0 124\n0 0 1 70\n0 0 0 1\n";
    let mut turned = COMMON;
    (turned.affine_mm[0][0], turned.affine_mm[0][3]) = (2.0, -90.0);
    for common in [COMMON, turned] {
        let m = with("a.mat", matrix, Direction::default(), Ok(HEAD), &common).unwrap();
        near(apply(&m, [1.0, 2.0, 3.0]), [4.0, 6.0, 8.0]);
    }
    // The same head stored from right to left.
    let mut mirrored = HEAD;
    (mirrored.affine_mm[0][0], mirrored.affine_mm[0][3]) = (-1.0, 4.0);
    let m = with("a.mat", matrix, Direction::default(), Ok(mirrored), &COMMON).unwrap();
    near(apply(&m, [1.0, 2.0, 3.0]), [4.0, 6.0, 8.0]);
    // The matrix of the way back.
    let back = Direction { is_from_head: false, is_of_points: false };
    let m = with("a.mat", b"1 0 0 -83\n0 1 0 -124\n0 0 1 -70\n0 0 0 1", back, Ok(HEAD), &COMMON).unwrap();
    near(apply(&m, [1.0, 2.0, 3.0]), [4.0, 6.0, 8.0]);
}

#[test]
fn a_turn_and_a_stretch_by_flirt_are_those_of_its_millimetres() {
    // By 90° about z and twice as long along it, in FSL's millimetres of both images.
    let matrix = b"0 -1 0 100\n1 0 0 50\n0 0 2 20\n0 0 0 1\n";
    let m = with("a.mat", matrix, Direction::default(), Ok(HEAD), &COMMON).unwrap();
    // Head (−5, −6, −7) is voxel 0, 0, 0 and FSL's 9, 0, 0: it becomes 100, 59, 20, voxel 50, 29.5, 10.
    near(apply(&m, [-5.0, -6.0, -7.0]), [-10.0, -67.0, -52.0]);
    // Voxel 2, 3, 4 is FSL's 7, 3, 4: 97, 57, 28.
    near(apply(&m, [-3.0, -3.0, -3.0]), [-7.0, -69.0, -44.0]);
}

#[test]
fn what_is_not_affine_is_refused_by_name() {
    let code = |name: &str, content: &[u8]| moved(name, content, Direction::default(), [0.0; 3]).unwrap_err();
    for name in ["sub-1_from-T1w_to-MNI_mode-image_xfm.h5", "1Warp.nii.gz", "y_T1.nii"] {
        let error = code(name, b"anything");
        assert_eq!(error.status(), "transform_not_affine", "{name}");
        assert!(error.to_string().contains(name) && error.to_string().contains("0GenericAffine.mat"), "{error}");
    }
    let one = text(KIND, "1 0 0 0 1 0 0 0 1 5 -3 2", "0 0 0");
    let two = [one.clone(), b"#Transform 1\nTransform: AffineTransform_double_3_3\n".to_vec()].concat();
    assert_eq!(code("a.txt", &two).status(), "transform_not_affine");
    for (content, word) in [
        (text("Euler3DTransform_double_3_3", "0 0 0 1 2 3", "0 0 0"), "Euler3DTransform"),
        (text(KIND, "1 0 0 0 1 0 0 0 1 5 -3", "0 0 0"), "another number of parameters"),
        (text(KIND, "1 0 0 0 1 0 0 0 1 5 -3 nan", "0 0 0"), "no numbers"),
        (text(KIND, "1 0 0 1 0 0 0 0 1 5 -3 2", "0 0 0"), "flattens"),
        (b"1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 2".to_vec(), "four lines"),
        (b"type = 0".to_vec(), "four lines"),
        (vec![0xff; 40], "four lines"),
        (Vec::new(), "four lines"),
    ] {
        let error = code("a.txt", &content);
        assert_eq!(error.status(), "transform_unknown");
        assert!(error.to_string().contains(word), "{error}");
    }
    let identity = b"1 0 0 0\n0 1 0 0\n0 0 1 0\n0 0 0 1\n";
    let error =
        with("a.mat", identity, Direction::default(), Err("nobody says which".to_owned()), &COMMON).unwrap_err();
    assert_eq!(error.status(), "transform_needs_image");
    assert!(error.to_string().contains("image_path") && error.to_string().contains("nobody says which"), "{error}");
}
