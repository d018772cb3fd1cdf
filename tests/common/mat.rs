//! Complex arrays out of MATLAB files of version 5 (MAT-File Format, The MathWorks), as FID-A writes them.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "test support")]

use std::io::Read as _;
use std::path::Path;

use num_complex::Complex64;

/// An element: its type, its bytes, and what follows it.
fn element(bytes: &[u8]) -> (u32, &[u8], &[u8]) {
    let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    if word(0) >> 16 != 0 {
        return (word(0) & 0xffff, &bytes[4..4 + (word(0) >> 16) as usize], &bytes[8..]);
    }
    let length = word(4) as usize;
    let padded = if word(0) == 15 { length } else { length.div_ceil(8) * 8 };
    (word(0), &bytes[8..8 + length], &bytes[(8 + padded).min(bytes.len())..])
}

/// The complex array called `name`.
pub fn complex(path: &Path, name: &str) -> Vec<Complex64> {
    let file = std::fs::read(path).unwrap();
    let mut rest = &file[128..];
    while !rest.is_empty() {
        let (_, compressed, after) = element(rest);
        rest = after;
        let mut inflated = Vec::new();
        flate2::read::ZlibDecoder::new(compressed).read_to_end(&mut inflated).unwrap();
        let (_, array, _) = element(&inflated);
        let (_, _flags, array) = element(array);
        let (_, _extents, array) = element(array);
        let (_, own_name, array) = element(array);
        if own_name == name.as_bytes() {
            let numbers = |bytes: &[u8]| -> Vec<f64> {
                bytes.chunks_exact(8).map(|b| f64::from_le_bytes(b.try_into().unwrap())).collect()
            };
            let (_, re, array) = element(array);
            let (_, im, _) = element(array);
            return numbers(re).into_iter().zip(numbers(im)).map(|(re, im)| Complex64::new(re, im)).collect();
        }
    }
    panic!("{}: no array {name}", path.display());
}
