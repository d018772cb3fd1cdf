//! Rotations of one spin ½.

use std::f64::consts::{PI, TAU};

use num_complex::Complex64;

/// A rotation: the matrix [[a, b], [−b*, a*]] in the basis (up, down).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Rotation {
    pub(super) a: Complex64,
    pub(super) b: Complex64,
}

impl Rotation {
    pub(super) const NONE: Self = Self { a: Complex64::ONE, b: Complex64::ZERO };

    /// exp(−2πi·t·(Δ·I_z + B1x·I_x + B1y·I_y)): a pulse of the strength `b1_hz` for a while.
    pub(super) fn of_field(offset_hz: f64, b1_hz: Complex64, duration_s: f64) -> Self {
        let strength = (offset_hz * offset_hz + b1_hz.norm_sqr()).sqrt();
        if strength == 0.0 {
            return Self::NONE;
        }
        let (sin, cos) = (PI * strength * duration_s).sin_cos();
        let sin = sin / strength;
        Self { a: Complex64::new(cos, -sin * offset_hz), b: Complex64::new(-sin * b1_hz.im, -sin * b1_hz.re) }
    }

    /// Free precession by `turns` (exp(−2πi·turns·I_z)).
    pub(super) fn about_z(turns: f64) -> Self {
        Self { a: Complex64::cis(-0.5 * TAU * turns), b: Complex64::ZERO }
    }

    /// First `self`, then `later`.
    pub(super) fn then(self, later: Self) -> Self {
        Self { a: later.a * self.a - later.b * self.b.conj(), b: later.a * self.b + later.b * self.a.conj() }
    }

    /// What M_z = 1 becomes along z.
    pub(super) fn remaining_z(&self) -> f64 {
        self.a.norm_sqr() - self.b.norm_sqr()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_turn_on_resonance_inverts_and_two_quarters_are_a_half() {
        let quarter = Rotation::of_field(0.0, Complex64::new(250.0, 0.0), 1e-3);
        assert!(quarter.remaining_z().abs() < 1e-15);
        let half = quarter.then(quarter);
        assert!((half.remaining_z() + 1.0).abs() < 1e-15);
        assert!((half.b - Complex64::new(0.0, -1.0)).norm() < 1e-15);
    }

    #[test]
    fn precession_alone_is_a_turn_about_z() {
        let free = Rotation::of_field(40.0, Complex64::ZERO, 0.003);
        let turned = Rotation::about_z(0.12);
        assert!((free.a - turned.a).norm() < 1e-15 && free.b == Complex64::ZERO);
    }
}
