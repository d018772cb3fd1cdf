//! Numbers out of somebody else's bytes: every read is checked, nothing panics.

use std::ops::Deref;
use std::sync::Arc;

use num_complex::Complex64;

/// The bytes of a file, shared by everything that is read out of them: they are in memory once.
#[derive(Debug, Clone)]
pub struct FileBytes(Arc<Vec<u8>>);

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Arc::new(bytes))
    }
}

/// Makes a copy.
impl<T: AsRef<[u8]> + ?Sized> From<&T> for FileBytes {
    fn from(bytes: &T) -> Self {
        bytes.as_ref().to_vec().into()
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// Order of the bytes of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// Least significant first.
    Little,
    /// Most significant first.
    Big,
}

/// Bytes that are read at offsets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bytes<'a> {
    bytes: &'a [u8],
    order: Order,
}

macro_rules! number {
    ($name:ident, $type:ty, $what:literal) => {
        #[doc = concat!($what, " at `offset`; `None` beyond the end.")]
        pub(crate) fn $name(&self, offset: usize) -> Option<$type> {
            let end = offset.checked_add(size_of::<$type>())?;
            let bytes = self.bytes.get(offset..end)?.try_into().ok()?;
            Some(match self.order {
                Order::Little => <$type>::from_le_bytes(bytes),
                Order::Big => <$type>::from_be_bytes(bytes),
            })
        }
    };
}

impl<'a> Bytes<'a> {
    /// `bytes` in the given order.
    pub(crate) fn new(bytes: &'a [u8], order: Order) -> Self {
        Self { bytes, order }
    }

    number!(u16, u16, "16-bit unsigned integer");
    number!(i16, i16, "16-bit integer");
    number!(u32, u32, "32-bit unsigned integer");
    number!(i32, i32, "32-bit integer");
    number!(f32, f32, "32-bit float");
    number!(f64, f64, "64-bit float");
    number!(u64, u64, "64-bit unsigned integer");
    number!(i64, i64, "64-bit integer");

    /// A sample of two 32-bit floats, real and imaginary part, at `offset`; `None` beyond the end.
    pub(crate) fn complex32(&self, offset: usize) -> Option<Complex64> {
        Some(Complex64::new(self.f32(offset)?.into(), self.f32(offset.checked_add(4)?)?.into()))
    }

    /// `n` samples of two 32-bit floats each from `offset` on; what lies beyond the end is zero.
    pub(crate) fn complex32s(&self, offset: usize, n: usize) -> Vec<Complex64> {
        let there = self.bytes.get(offset.min(self.bytes.len())..).unwrap_or_default();
        let (samples, _) = there[..there.len().min(8 * n)].as_chunks::<8>();
        let mut numbers = Vec::with_capacity(n);
        let part = |bytes: [u8; 4]| match self.order {
            Order::Little => f32::from_le_bytes(bytes),
            Order::Big => f32::from_be_bytes(bytes),
        };
        numbers.extend(
            samples
                .iter()
                .map(|&[a, b, c, d, e, f, g, h]| Complex64::new(part([a, b, c, d]).into(), part([e, f, g, h]).into())),
        );
        numbers.resize(n, Complex64::default());
        numbers
    }

    /// A sample of two 64-bit floats at `offset`; `None` beyond the end.
    pub(crate) fn complex64(&self, offset: usize) -> Option<Complex64> {
        Some(Complex64::new(self.f64(offset)?, self.f64(offset.checked_add(8)?)?))
    }

    /// The order in which they are read.
    pub(crate) fn order(&self) -> Order {
        self.order
    }

    /// All of them.
    pub(crate) fn all(&self) -> &'a [u8] {
        self.bytes
    }

    /// Text of at most `length` bytes at `offset`, up to the first zero byte; what is not ASCII is left out.
    pub(crate) fn text(&self, offset: usize, length: usize) -> Option<String> {
        let end = offset.checked_add(length)?.min(self.bytes.len());
        let field = self.bytes.get(offset..end)?;
        let field = field.split(|&b| b == 0).next()?;
        let text: String =
            field.iter().map(|&b| char::from(b)).filter(|c| c.is_ascii() && !c.is_ascii_control()).collect();
        let text = text.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_and_the_end() {
        let bytes = [0, 0, 128, 63, 65, 66, 0, 67];
        let little = Bytes::new(&bytes, Order::Little);
        assert_eq!(little.f32(0), Some(1.0));
        assert_eq!((little.u16(4), Bytes::new(&bytes, Order::Big).u16(4)), (Some(0x4241), Some(0x4142)));
        assert_eq!((little.u32(5), little.u64(1), little.i16(usize::MAX)), (None, None, None));
        assert_eq!(little.complex32(0).map(|z| z.re), Some(1.0));
        assert_eq!((little.complex32(1), little.complex64(0), little.complex32(usize::MAX)), (None, None, None));
        assert_eq!(little.complex32s(0, 1), [little.complex32(0).unwrap_or_default()]);
        let big = Bytes::new(&bytes, Order::Big);
        assert_eq!(big.complex32s(0, 2), [big.complex32(0).unwrap_or_default(), Complex64::default()]);
        assert_eq!(little.complex32s(usize::MAX, 1), [Complex64::default()]);
        assert_eq!(little.text(4, 100).as_deref(), Some("AB"));
        assert_eq!(little.text(6, 1), None);
    }
}
