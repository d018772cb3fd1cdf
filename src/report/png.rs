//! Grey pictures as PNG (W3C, "Portable Network Graphics", 2nd edition), for SVG files to hold.

use std::io::{self, Write};

use flate2::Compression;
use flate2::write::ZlibEncoder;

const SIGNATURE: [u8; 8] = [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n'];
/// Behind the extents in the header: 8 bits of grey, deflate, the usual filters, no interlace.
const GREY: [u8; 5] = [8, 0, 0, 0, 0];
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A picture whose rows, the uppermost first, are `width` bytes each.
pub(super) fn grey_png(width: usize, pixels: &[u8]) -> io::Result<Vec<u8>> {
    let width = width.max(1);
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
    for row in pixels.chunks_exact(width) {
        // No filter.
        packed.write_all(&[0])?;
        packed.write_all(row)?;
    }
    let number = |n: usize| u32::try_from(n).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput));
    let extents = [number(width)?.to_be_bytes(), number(pixels.len() / width)?.to_be_bytes()].concat();
    let mut png = SIGNATURE.to_vec();
    for (name, content) in
        [(b"IHDR", [&extents[..], &GREY].concat()), (b"IDAT", packed.finish()?), (b"IEND", Vec::new())]
    {
        png.extend(number(content.len())?.to_be_bytes());
        let mut check = flate2::Crc::new();
        check.update(name);
        check.update(&content);
        png.extend(name);
        png.extend(content);
        png.extend(check.sum().to_be_bytes());
    }
    Ok(png)
}

/// Bytes as text (RFC 4648).
pub(super) fn base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let all = three.iter().fold(0_u32, |all, byte| all << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for letter in 0..4 {
            let sextet = (all >> (18 - 6 * letter) & 63) as usize;
            text.push(if letter <= three.len() { char::from(ALPHABET[sextet]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn text_is_that_of_the_standard() {
        let of = |text: &str| base64(text.as_bytes());
        assert_eq!(
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(of),
            ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]
        );
    }

    #[test]
    fn pictures_hold_their_pixels() {
        let png = grey_png(3, &[1, 2, 3, 4, 5, 6]).unwrap();
        assert_eq!((&png[..8], &png[16..24]), (&SIGNATURE[..], &[0, 0, 0, 3, 0, 0, 0, 2][..]));
        let length = u32::from_be_bytes(png[33..37].try_into().unwrap()) as usize;
        let mut rows = Vec::new();
        flate2::read::ZlibDecoder::new(&png[41..41 + length]).read_to_end(&mut rows).unwrap();
        assert_eq!(rows, [0, 1, 2, 3, 0, 4, 5, 6]);
        // CRC of an empty last chunk, as in every file.
        assert_eq!(png[png.len() - 4..], [0xae, 0x42, 0x60, 0x82]);
    }
}
