//! FID-A's spin systems, for comparisons with sets that were made with them.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub, reason = "test support")]

use requant::basis::simulate::Library;

/// Spin systems in which FID-A, which the sets were made with, differs from the library (facts from FID-A's
/// `spinSystems.mat`; its ¹⁴N has spin ½).
const FID_A: &str = r#"
[[metabolite]]
name = "Asc"
source = "FID-A"
[[metabolite.group]]
ppm = [4.492, 4.002, 3.743, 3.716]
j_hz = [[1, 2, 2.07], [2, 3, 6.0], [2, 4, 4.6], [3, 4, -11.5]]
[[metabolite]]
name = "GPC"
source = "FID-A"
[[metabolite.group]]
ppm = [3.605, 3.672, 3.903, 3.871, 3.946]
j_hz = [[1, 2, -14.78], [1, 3, 5.77], [2, 3, 4.53], [3, 4, 5.77], [3, 5, 4.53], [4, 5, -14.78]]
other = [{ nucleus = "31P", j_hz = [0.0, 0.0, 0.0, 6.03, 6.03] }]
[[metabolite.group]]
ppm = [4.312, 4.312, 3.659, 3.659]
j_hz = [[1, 2, -9.32], [1, 3, 3.1], [1, 4, 5.9], [2, 3, 5.9], [2, 4, 3.1], [3, 4, -9.32]]
other = [{ nucleus = "31P", j_hz = [2.67, 2.67, 0.0, 0.0] }, { nucleus = "31P", j_hz = [6.03, 6.03, 0.0, 0.0] }]
[[metabolite.group]]
weight = 9.0
ppm = [3.212]
other = [{ nucleus = "31P", j_hz = [0.57] }]
[[metabolite]]
name = "NAAG"
source = "FID-A"
[[metabolite.group]]
weight = 3.0
ppm = [2.042]
[[metabolite.group]]
ppm = [4.607, 2.721, 2.519, 8.26]
j_hz = [[1, 2, 4.412], [1, 3, 9.515], [1, 4, 7.32], [2, 3, -15.91]]
[[metabolite.group]]
ppm = [4.128, 2.049, 1.881, 2.18, 2.19, 7.95]
j_hz = [
  [1, 2, 4.61], [1, 3, 8.42], [1, 6, 7.46], [2, 3, -14.28], [2, 4, 10.56], [2, 5, 6.09], [3, 4, 4.9], [3, 5, 11.11],
  [4, 5, -15.28],
]
[[metabolite]]
name = "PE"
source = "FID-A"
[[metabolite.group]]
ppm = [3.9765, 3.9765, 3.216, 3.216]
j_hz = [[1, 2, -14.56], [1, 3, 3.182], [1, 4, 6.716], [2, 3, 7.204], [2, 4, 2.98], [3, 4, -14.71]]
other = [{ nucleus = "31P", j_hz = [0.464, 0.588, 0.0, 0.0] }, { nucleus = "31P", j_hz = [7.288, 7.088, 0.0, 0.0] }]
[[metabolite]]
name = "Gln"
source = "FID-A"
[[metabolite.group]]
ppm = [3.753, 2.129, 2.109, 2.432, 2.454]
j_hz = [
  [1, 2, 5.847], [1, 3, 6.5], [2, 3, -14.504], [2, 4, 9.165], [2, 5, 6.347], [3, 4, 6.324], [3, 5, 9.209], [4, 5, -15.371],
]
[[metabolite.group]]
ppm = [6.816, 7.529]
"#;

/// The built-in library with FID-A's systems where they differ.
pub fn library() -> Library {
    let mut library = Library::from_toml(FID_A).unwrap();
    let others = Library::built_in().unwrap().metabolites.iter();
    let others: Vec<_> = others.filter(|m| library.metabolites.iter().all(|o| o.name != m.name)).cloned().collect();
    library.metabolites.extend(others);
    library
}
