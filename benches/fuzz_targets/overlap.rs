//! Affine transforms: ITK's text and binary form, FLIRT's matrix.

use requant::overlap::Geometry;
use requant::overlap::transform::{Direction, read};

/// Name, seeds, and what is done to damaged ones.
type Parts = (&'static str, Vec<Vec<u8>>, Box<dyn Fn(&[u8]) -> bool>);

const SPACE: Geometry = Geometry {
    grid: [91, 109, 91],
    affine_mm: [[-2.0, 0.0, 0.0, 90.0], [0.0, 2.0, 0.0, -126.0], [0.0, 0.0, 2.0, -72.0], [0.0, 0.0, 0.0, 1.0]],
};
const ITK: &[u8] = b"#Insight Transform File V1.0\n#Transform 0\nTransform: AffineTransform_double_3_3\n\
    Parameters: 0.9 0.1 0 0 1.1 0 0 0 1 5 -3 2\nFixedParameters: 1 2 3\n";
const FLIRT: &[u8] = b"1 0.1 0 83\n0 1 0 124\n0 0 1 70\n0 0 0 1\n";

pub fn targets() -> Vec<Parts> {
    let folder = tempfile::tempdir().unwrap();
    let decode = move |bytes: &[u8]| {
        let path = folder.path().join("x.mat");
        std::fs::write(&path, bytes).unwrap();
        read(&path, Direction::default(), Ok(SPACE), &SPACE).is_ok()
    };
    vec![("transforms", vec![ITK.into(), FLIRT.into(), mat()], Box::new(decode))]
}

/// The binary form.
fn mat() -> Vec<u8> {
    let mut file = Vec::new();
    let identity = [1.0_f64, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 4.0, -5.0, 6.0];
    for (name, numbers) in [("AffineTransform_double_3_3", &identity[..]), ("fixed", &[0.0; 3])] {
        for head in [0, numbers.len() as i32, 1, 0, name.len() as i32 + 1] {
            file.extend(head.to_le_bytes());
        }
        file.extend(name.as_bytes());
        file.push(0);
        numbers.iter().for_each(|x| file.extend(x.to_le_bytes()));
    }
    file
}
