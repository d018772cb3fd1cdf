//! VAX F_floating numbers, in which Philips scanners write samples.

/// The value of four bytes: two little-endian 16-bit words, the first with sign, exponent (excess 128)
/// and the upper seven bits of a fraction 0.1f (VAX Architecture Reference Manual, F_floating).
pub fn f32_from_vax(bytes: [u8; 4]) -> f64 {
    let high = u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    let low = u32::from(u16::from_le_bytes([bytes[2], bytes[3]]));
    let exponent = i32::try_from((high >> 7) & 0xff).unwrap_or(0);
    if exponent == 0 {
        // Zero; with the sign bit set a reserved operand, which no scanner writes.
        return 0.0;
    }
    let fraction = f64::from(0x0080_0000 | ((high & 0x7f) << 16) | low) / f64::from(1_u32 << 24);
    let sign = if high & 0x8000 == 0 { 1.0 } else { -1.0 };
    sign * fraction * 2.0_f64.powi(exponent - 128)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_minus_a_half() {
        // 1.0 = 0.5 · 2¹: exponent 129 → 0x4080; −0.5 = −0.5 · 2⁰: 0xC000.
        assert_eq!(f32_from_vax([0x80, 0x40, 0, 0]), 1.0);
        assert_eq!(f32_from_vax([0x00, 0xc0, 0, 0]), -0.5);
        assert_eq!(f32_from_vax([0, 0, 0, 0]), 0.0);
    }
}
