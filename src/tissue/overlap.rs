//! The share of each image voxel that is inside a spectroscopy voxel's box: exact, as volumes of polyhedra.
//!
//! All is counted in the image's own indices, where its voxels are cubes of edge 1 about whole numbers. A convex body's volume
//! is ⅓ Σ h·A over its faces, h being the distance of a face's plane from a point and A the face's area (divergence theorem).

use super::place::{Affine, inverse};

type Vector = [f64; 3];

/// What is nearer to a plane than this does not cross it (index units).
const ROUNDING: f64 = 1e-12;
/// Half of the square from which the cut through a cube is made: longer than half of a cube's diagonal.
const HALF_SQUARE: f64 = 1.0;

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: Vector, b: Vector) -> Vector {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// A voxel's box in an image.
#[derive(Debug, Clone)]
pub struct ImageBox {
    centre: Vector,
    edges: [Vector; 3],
    /// A point x is inside where |n·(x − centre)| ≤ ½ for each of these.
    normals: [Vector; 3],
    /// Largest |n·x| in a cube about the origin, for each of them.
    reach: Vector,
    volume: f64,
}

impl ImageBox {
    /// The box of the voxel `index` of a grid with the transform `voxel_mm`, in an image with `image_mm`; `None` where either
    /// has no volume.
    pub fn new(voxel_mm: &Affine, index: [usize; 3], image_mm: &Affine) -> Option<Self> {
        let to_image = inverse(image_mm)?;
        let index = index.map(|i| i as f64);
        let row = |m: &Affine, r: usize| [m[r][0], m[r][1], m[r][2]];
        let column = |m: &Affine, c: usize| [m[0][c], m[1][c], m[2][c]];
        let centre_mm = [0, 1, 2].map(|r| dot(row(voxel_mm, r), index) + voxel_mm[r][3]);
        let centre = [0, 1, 2].map(|r| dot(row(&to_image, r), centre_mm) + to_image[r][3]);
        let edges = [0, 1, 2].map(|c| [0, 1, 2].map(|r| dot(row(&to_image, r), column(voxel_mm, c))));
        let [a, b, c] = edges;
        let volume = dot(a, cross(b, c));
        let is_whole = centre.iter().chain(edges.iter().flatten()).all(|x| x.is_finite()) && volume.abs() > 1e-9;
        if !is_whole {
            return None;
        }
        let normals = [cross(b, c), cross(c, a), cross(a, b)].map(|n| n.map(|x| x / volume));
        let reach = normals.map(|n| 0.5 * n.iter().map(|x| x.abs()).sum::<f64>());
        Some(Self { centre, edges, normals, reach, volume: volume.abs() })
    }

    /// Its volume, in voxels of the image.
    pub const fn volume(&self) -> f64 {
        self.volume
    }

    /// The image voxels along `axis` that it may reach, of `n`.
    fn range(&self, axis: usize, n: usize) -> std::ops::Range<usize> {
        let half: f64 = self.edges.iter().map(|edge| 0.5 * edge[axis].abs()).sum();
        let at = |x: f64| x.clamp(0.0, n as f64) as usize;
        at((self.centre[axis] - half - 0.5).ceil())..at((self.centre[axis] + half + 0.5).floor() + 1.0)
    }

    /// Hands on each voxel of a grid that has a share in the box, in the order of the file, with that share; stops where `take`
    /// says `false`.
    pub fn each_share(&self, grid: [usize; 3], take: &mut dyn FnMut([usize; 3], f64) -> bool) {
        let mut clipper = Clipper::default();
        for k in self.range(2, grid[2]) {
            for j in self.range(1, grid[1]) {
                for i in self.row(j, k, grid[0]) {
                    let share = self.share([i, j, k], &mut clipper);
                    if share > 0.0 && !take([i, j, k], share) {
                        return;
                    }
                }
            }
        }
    }

    /// The voxels of a row that the box may reach.
    fn row(&self, j: usize, k: usize, n: usize) -> std::ops::Range<usize> {
        let std::ops::Range { start, end } = self.range(0, n);
        let (mut first, mut last) = (start as f64, end as f64 - 1.0);
        for (normal, reach) in self.normals.iter().zip(self.reach) {
            let from_centre = [-self.centre[0], j as f64 - self.centre[1], k as f64 - self.centre[2]];
            let (at_0, half) = (dot(*normal, from_centre), 0.5 + reach);
            if normal[0].abs() > ROUNDING {
                let ends = [(-half - at_0) / normal[0], (half - at_0) / normal[0]];
                first = first.max(ends[0].min(ends[1]).floor());
                last = last.min(ends[0].max(ends[1]).ceil());
            } else if at_0.abs() > half {
                return 0..0;
            }
        }
        if last < first { 0..0 } else { (first as usize)..(last as usize + 1).min(end) }
    }

    /// The share of the voxel `cell` that is inside.
    fn share(&self, cell: [usize; 3], clipper: &mut Clipper) -> f64 {
        let from_centre = [0, 1, 2].map(|axis| cell[axis] as f64 - self.centre[axis]);
        clipper.planes.clear();
        for (normal, reach) in self.normals.iter().zip(self.reach) {
            let along = dot(*normal, from_centre);
            // Both faces: n·y ≤ ½ − n·d and −n·y ≤ ½ + n·d, y counted from the cell's middle.
            for (normal, height) in [(*normal, 0.5 - along), (normal.map(|x| -x), 0.5 + along)] {
                if height <= ROUNDING - reach {
                    return 0.0;
                }
                if height < reach - ROUNDING {
                    clipper.planes.push(Plane { normal, height });
                }
            }
        }
        if clipper.planes.is_empty() { 1.0 } else { clipper.volume() }
    }
}

/// A half-space: n·y ≤ height.
#[derive(Debug, Clone, Copy)]
struct Plane {
    normal: Vector,
    height: f64,
}

/// The faces of a cube about the origin.
const CUBE: [Plane; 6] = [
    Plane { normal: [1.0, 0.0, 0.0], height: 0.5 },
    Plane { normal: [-1.0, 0.0, 0.0], height: 0.5 },
    Plane { normal: [0.0, 1.0, 0.0], height: 0.5 },
    Plane { normal: [0.0, -1.0, 0.0], height: 0.5 },
    Plane { normal: [0.0, 0.0, 1.0], height: 0.5 },
    Plane { normal: [0.0, 0.0, -1.0], height: 0.5 },
];

/// Cuts a cube by planes, each of which crosses it.
#[derive(Debug, Default)]
struct Clipper {
    planes: Vec<Plane>,
    polygon: Vec<Vector>,
    clipped: Vec<Vector>,
}

impl Clipper {
    /// The volume of what of the cube is behind all planes.
    fn volume(&mut self) -> f64 {
        let mut three_volumes = 0.0;
        for (face, plane) in CUBE.iter().enumerate() {
            self.square(plane, face / 2, 0.5);
            for i in 0..self.planes.len() {
                self.cut(self.planes[i]);
            }
            three_volumes += plane.height * self.area();
        }
        for own in 0..self.planes.len() {
            let plane = self.planes[own];
            let steepest = (0..3).max_by(|&a, &b| plane.normal[a].abs().total_cmp(&plane.normal[b].abs()));
            self.square(&plane, steepest.unwrap_or(0), HALF_SQUARE);
            CUBE.iter().for_each(|face| self.cut(*face));
            for i in (0..self.planes.len()).filter(|i| *i != own) {
                self.cut(self.planes[i]);
            }
            three_volumes += plane.height / dot(plane.normal, plane.normal).sqrt() * self.area();
        }
        (three_volumes / 3.0).clamp(0.0, 1.0)
    }

    /// A square in a plane about the point nearest to the origin; `axis` is one along which the plane is not.
    fn square(&mut self, plane: &Plane, axis: usize, half: f64) {
        let Plane { normal, height } = *plane;
        let mut helper = [0.0; 3];
        helper[(axis + 1) % 3] = 1.0;
        let unit = |v: Vector| {
            let length = dot(v, v).sqrt();
            v.map(|x| x / length)
        };
        let u = unit(cross(normal, helper));
        let v = unit(cross(normal, u));
        let middle = normal.map(|x| x * height / dot(normal, normal));
        let corner = |a: f64, b: f64| [0, 1, 2].map(|i| middle[i] + half * (a * u[i] + b * v[i]));
        self.polygon.clear();
        self.polygon.extend([corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)]);
    }

    /// Keeps of the polygon what is behind a plane (Sutherland–Hodgman).
    fn cut(&mut self, plane: Plane) {
        self.clipped.clear();
        let above = |point: &Vector| dot(plane.normal, *point) - plane.height;
        if let Some(last) = self.polygon.last() {
            let (mut from, mut from_above) = (*last, above(last));
            for &to in &self.polygon {
                let to_above = above(&to);
                if (from_above > 0.0) != (to_above > 0.0) {
                    let t = from_above / (from_above - to_above);
                    self.clipped.push([0, 1, 2].map(|i| from[i] + t * (to[i] - from[i])));
                }
                if to_above <= 0.0 {
                    self.clipped.push(to);
                }
                (from, from_above) = (to, to_above);
            }
        }
        std::mem::swap(&mut self.polygon, &mut self.clipped);
    }

    fn area(&self) -> f64 {
        let [first, rest @ ..] = self.polygon.as_slice() else { return 0.0 };
        let from_first = |point: &Vector| [0, 1, 2].map(|i| point[i] - first[i]);
        let twice = rest.windows(2).fold([0.0; 3], |sum, pair| {
            let normal = cross(from_first(&pair[0]), from_first(&pair[1]));
            [0, 1, 2].map(|i| sum[i] + normal[i])
        });
        0.5 * dot(twice, twice).sqrt()
    }
}

#[cfg(test)]
#[path = "overlap_tests.rs"]
mod tests;
