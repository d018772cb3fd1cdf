//! Affine transforms as ITK writes them: as text (`#Insight Transform File`), and in the binary form that ANTs calls
//! `…0GenericAffine.mat` (MATLAB level 4: MATLAB, "MAT-File Format", 1-36 ff.).

use crate::tissue::place::Affine;

const TEXT: &[u8] = b"#Insight Transform File";
/// Begins of the names of transforms whose twelve parameters are a matrix and a translation.
const AFFINE: [&str; 2] = ["AffineTransform_", "MatrixOffsetTransformBase_"];
const PARAMETERS: usize = 12;
/// Matrices of the binary form are real doubles in little-endian order, and have no more numbers than a transform.
const DOUBLES: i32 = 0;
const MAT_HEAD: usize = 20;
const MOST_NAME: usize = 64;

/// Why a file is no affine transform.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fault {
    /// It holds several.
    Several,
    /// It holds one of another kind.
    Other(String),
    /// It is one, and cannot be read.
    Damaged(&'static str),
}

/// The transform of points that a file holds, in NIfTI's axes; `None` where the file is not ITK's.
pub(super) fn decode(bytes: &[u8]) -> Result<Option<Affine>, Fault> {
    if bytes.starts_with(TEXT) {
        return of_text(&String::from_utf8_lossy(bytes)).map(Some);
    }
    of_mat(bytes)
}

fn of_text(text: &str) -> Result<Affine, Fault> {
    let mut kinds = Vec::new();
    let mut numbers: [Option<Vec<f64>>; 2] = [None, None];
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let parsed = || value.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<f64>>>();
        match key.trim() {
            "Transform" => kinds.push(value.trim().to_owned()),
            "Parameters" => numbers[0] = parsed(),
            "FixedParameters" => numbers[1] = parsed(),
            _ => {}
        }
    }
    let kind = match kinds.as_slice() {
        [one] => one,
        [] => return Err(Fault::Damaged("it names no transform")),
        _ => return Err(Fault::Several),
    };
    let [Some(parameters), Some(centre)] = numbers else {
        return Err(Fault::Damaged("its parameters are missing, or no numbers"));
    };
    affine(kind, &parameters, &centre)
}

/// Two matrices, the first of which is called after the transform and the second `fixed`.
fn of_mat(bytes: &[u8]) -> Result<Option<Affine>, Fault> {
    let Some((kind, parameters, next)) = mat_matrix(bytes, 0) else { return Ok(None) };
    let Some((_, centre, end)) = mat_matrix(bytes, next).filter(|(name, ..)| name == "fixed") else {
        return Err(Fault::Damaged("its centre is missing"));
    };
    if bytes.len() > end {
        return Err(Fault::Several);
    }
    affine(&kind, &parameters, &centre).map(Some)
}

/// A matrix of the binary form: its name, its numbers, and where the next one begins.
fn mat_matrix(file: &[u8], at: usize) -> Option<(String, Vec<f64>, usize)> {
    let four = |at: usize| file.get(at..at.checked_add(4)?)?.try_into().ok().map(i32::from_le_bytes);
    let eight = |at: usize| file.get(at..at.checked_add(8)?)?.try_into().ok().map(f64::from_le_bytes);
    let head = |k: usize| four(at.checked_add(4 * k)?);
    let length = |k: usize| usize::try_from(head(k)?).ok();
    let (rows, columns, name) = (length(1)?, length(2)?, length(4)?);
    let n = rows.checked_mul(columns).filter(|n| (1..=PARAMETERS).contains(n))?;
    if head(0)? != DOUBLES || head(3)? != 0 || !(2..=MOST_NAME).contains(&name) {
        return None;
    }
    let from = at + MAT_HEAD;
    let text = file.get(from..from + name)?.strip_suffix(&[0])?;
    let text = std::str::from_utf8(text).ok()?.to_owned();
    let numbers: Option<Vec<f64>> = (0..n).map(|k| eight(from + name + 8 * k)).collect();
    Some((text, numbers?, from + name + 8 * n))
}

/// x ↦ A·(x − c) + t + c in ITK's axes, of which two point the other way than NIfTI's.
fn affine(kind: &str, parameters: &[f64], centre: &[f64]) -> Result<Affine, Fault> {
    if !AFFINE.iter().any(|name| kind.starts_with(name)) || !kind.ends_with("_3_3") {
        return Err(Fault::Other(crate::printable::printable(kind, 80)));
    }
    let (Ok(p), Ok(c)) = (<[f64; PARAMETERS]>::try_from(parameters), <[f64; 3]>::try_from(centre)) else {
        return Err(Fault::Damaged("it has another number of parameters than an affine transform"));
    };
    if !p.iter().chain(&c).all(|x| x.is_finite()) {
        return Err(Fault::Damaged("its parameters are no numbers"));
    }
    const TURNED: [f64; 3] = [-1.0, -1.0, 1.0];
    let mut m = [[0.0; 4]; 4];
    for r in 0..3 {
        let own = [0, 1, 2].map(|k| p[3 * r + k]);
        let shift = p[9 + r] + c[r] - (0..3).map(|k| own[k] * c[k]).sum::<f64>();
        for k in 0..3 {
            m[r][k] = TURNED[r] * own[k] * TURNED[k];
        }
        m[r][3] = TURNED[r] * shift;
    }
    m[3][3] = 1.0;
    Ok(m)
}
