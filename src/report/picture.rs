//! Pictures as SVG, PNG or PDF.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{self, fontdb};

use super::theme::PlotError;

/// Pixels of a PNG for each of the picture: sharp on paper, too.
const PNG_SCALE: f32 = 2.0;
/// Most pixels of a PNG: a larger picture is scaled down.
const MOST_PIXELS: f32 = 5e7;
/// Pixels of a picture in an inch, as in CSS.
const DOTS_PER_INCH: f32 = 96.0;
/// The font that is carried along: the same letters on every machine.
const FONT: &[u8] = epaint_default_fonts::UBUNTU_LIGHT;
const FAMILY: &str = "Ubuntu";

/// How a picture is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// Scalable Vector Graphics: text stays text.
    Svg,
    /// Portable Network Graphics.
    Png,
    /// Portable Document Format, for print.
    Pdf,
}

/// A picture as bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedPicture {
    /// The file's content.
    pub bytes: Vec<u8>,
    /// Characters that no font here has, and that are missing from it.
    pub without_glyph: String,
}

impl PictureFormat {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Svg, Self::Png, Self::Pdf];

    /// What the suffix of a file's name asks for; `None` where that is no picture's.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let suffix = path.extension()?.to_str()?;
        Self::ALL.into_iter().find(|format| format.suffix().eq_ignore_ascii_case(suffix))
    }

    /// The suffix of its files' names, without the dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Png => "png",
            Self::Pdf => "pdf",
        }
    }

    /// The file of a picture that was drawn as SVG.
    ///
    /// # Errors
    /// [`PlotError::Backend`]: the picture cannot be converted.
    pub fn encode(self, svg: String) -> Result<EncodedPicture, PlotError> {
        if self == Self::Svg {
            return Ok(EncodedPicture { bytes: svg.into_bytes(), without_glyph: String::new() });
        }
        let (fonts, without_glyph) = fonts_for(&svg);
        let options = usvg::Options { fontdb: fonts, font_family: FAMILY.to_owned(), ..usvg::Options::default() };
        let tree = usvg::Tree::from_str(&svg, &options).map_err(failed)?;
        let bytes = if self == Self::Png { png(&tree)? } else { pdf(&tree)? };
        Ok(EncodedPicture { bytes, without_glyph })
    }
}

fn failed(error: impl std::fmt::Display) -> PlotError {
    PlotError::Backend(error.to_string())
}

fn png(tree: &usvg::Tree) -> Result<Vec<u8>, PlotError> {
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = PNG_SCALE.min((MOST_PIXELS / (width * height)).sqrt());
    // Positive, and held by the limit.
    let pixels = |length: f32| (length * scale).ceil().max(1.0) as u32;
    let mut page = Pixmap::new(pixels(width), pixels(height)).ok_or_else(|| failed("the picture has no size"))?;
    resvg::render(tree, Transform::from_scale(scale, scale), &mut page.as_mut());
    page.encode_png().map_err(failed)
}

fn pdf(tree: &usvg::Tree) -> Result<Vec<u8>, PlotError> {
    let page = svg2pdf::PageOptions { dpi: DOTS_PER_INCH };
    svg2pdf::to_pdf(tree, svg2pdf::ConversionOptions::default(), page).map_err(failed)
}

fn with_own(mut fonts: fontdb::Database) -> Arc<fontdb::Database> {
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    Arc::new(fonts)
}

/// The font that is carried along, and the machine's where a text needs letters that it lacks; with the characters that
/// none of them has.
fn fonts_for(svg: &str) -> (Arc<fontdb::Database>, String) {
    static OWN: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    static ALL: OnceLock<Arc<fontdb::Database>> = OnceLock::new();
    let mut wanted: Vec<char> = svg.chars().filter(|c| !c.is_ascii() && !c.is_whitespace()).collect();
    wanted.sort_unstable();
    wanted.dedup();
    let own = OWN.get_or_init(|| with_own(fontdb::Database::new()));
    let left = lacking(own, wanted);
    if left.is_empty() {
        return (Arc::clone(own), String::new());
    }
    let all = ALL.get_or_init(|| {
        let mut fonts = fontdb::Database::new();
        fonts.load_system_fonts();
        with_own(fonts)
    });
    (Arc::clone(all), lacking(all, left).into_iter().collect())
}

/// The characters that no face has.
fn lacking(fonts: &fontdb::Database, mut wanted: Vec<char>) -> Vec<char> {
    for face in fonts.faces() {
        if wanted.is_empty() {
            break;
        }
        fonts.with_face_data(face.id, |data, index| {
            if let Ok(font) = ttf_parser::Face::parse(data, index) {
                wanted.retain(|c| font.glyph_index(*c).is_none());
            }
        });
    }
    wanted
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const SVG: &str = "<svg width=\"210\" height=\"297\" viewBox=\"0 0 2100 2970\" xmlns=\"http://www.w3.org/2000/svg\">\
        <rect width=\"2100\" height=\"2970\" fill=\"#FFFFFF\"/><rect width=\"1050\" height=\"2970\" fill=\"#D55E00\"/>\
        <text x=\"1200\" y=\"400\" font-family=\"sans-serif\" font-size=\"300\">NAA ±</text></svg>";

    #[test]
    fn suffixes_are_known_in_any_case() {
        let of = |name: &str| PictureFormat::of(Path::new(name));
        assert_eq!(of("a/b.SVG"), Some(PictureFormat::Svg));
        assert_eq!((of("b.png"), of("b.Pdf")), (Some(PictureFormat::Png), Some(PictureFormat::Pdf)));
        assert_eq!([of("b"), of("b.jpg"), of("svg"), of("b.svg.gz"), of(".svg")], [None; 5]);
    }

    #[test]
    fn pixels_are_those_of_the_picture() {
        let png = PictureFormat::Png.encode(SVG.to_owned()).unwrap().bytes;
        let page = Pixmap::decode_png(&png).unwrap();
        assert_eq!((page.width(), page.height()), (420, 594));
        let colour = |x, y| page.pixel(x, y).map(|p| (p.red(), p.green(), p.blue())).unwrap();
        assert_eq!((colour(100, 300), colour(320, 500)), ((0xD5, 0x5E, 0x00), (255, 255, 255)));
        // Letters are drawn, with whatever fonts the machine has.
        let dark = (240..420).flat_map(|x| (0..100).map(move |y| (x, y))).filter(|(x, y)| colour(*x, *y).0 < 100);
        assert!(dark.count() > 100);
    }

    #[test]
    fn a_pdf_has_one_page_of_its_size() {
        let pdf = PictureFormat::Pdf.encode(SVG.to_owned()).unwrap().bytes;
        let text = String::from_utf8_lossy(&pdf);
        assert!(text.starts_with("%PDF-") && text.contains("/Count 1"));
        // 210 px of 96 to the inch in points.
        assert!(text.contains("/MediaBox [0 0 157.5 222.75]"), "{text}");
    }

    #[test]
    fn what_no_font_has_is_told() {
        let svg = SVG.replace('±', "\u{10f123}·−×→");
        assert_eq!(PictureFormat::Png.encode(svg).unwrap().without_glyph, "\u{10f123}");
    }

    #[test]
    fn equal_pictures_make_equal_files() {
        for format in PictureFormat::ALL {
            assert_eq!(format.encode(SVG.to_owned()).unwrap(), format.encode(SVG.to_owned()).unwrap());
        }
    }
}
