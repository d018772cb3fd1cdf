//! Images in NIfTI and MGH files: numbers on a grid in space, handed on one after the other, so that no image is ever in memory.

use std::fs::File;
use std::path::Path;

use super::bytes::{Bytes, Order};
use super::mgh::{MghError, OpenedMgh};
use super::nifti::{Forms, NiftiError, Opened};
use crate::regular_file;

/// Largest file that is read (bytes), packed or not.
const MAX_FILE_BYTES: u64 = 4 << 30;
/// Unit of space in the lowest bits of `xyzt_units` (nifti1.h): metres and micrometres; all others are taken as mm.
const SPACE_BITS: i32 = 0b111;
const METRES: i32 = 1;
const MICROMETRES: i32 = 3;
/// Bytes of the largest element.
const MOST_ELEMENT: usize = 8;

/// Why an image cannot be read.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ImageError {
    /// It cannot be opened.
    #[error("cannot be opened: {0}")]
    Io(String),
    /// It is no NIfTI file, or a damaged one.
    #[error(transparent)]
    Nifti(#[from] NiftiError),
    /// It is a damaged MGH file.
    #[error(transparent)]
    Mgh(#[from] MghError),
    /// Its elements are no numbers of one part.
    #[error("its elements are of type {0}, which are no numbers that an image holds; save it as float32")]
    Elements(i32),
    /// It is not one image.
    #[error("its extents are {0:?}: give one image of three dimensions")]
    Dimensions(Vec<usize>),
}

/// How elements are stored (nifti1.h: `NIFTI_TYPE_…`).
#[derive(Debug, Clone, Copy)]
enum Element {
    U8,
    I8,
    I16,
    U16,
    I32,
    U32,
    I64,
    U64,
    F32,
    F64,
}

impl Element {
    /// By the code that NIfTI has.
    fn of_nifti(datatype: i16) -> Option<Self> {
        Some(match datatype {
            2 => Self::U8,
            4 => Self::I16,
            8 => Self::I32,
            16 => Self::F32,
            64 => Self::F64,
            256 => Self::I8,
            512 => Self::U16,
            768 => Self::U32,
            1024 => Self::I64,
            1280 => Self::U64,
            _ => return None,
        })
    }

    /// By the code that MGH has.
    const fn of_mgh(datatype: i32) -> Option<Self> {
        Some(match datatype {
            0 => Self::U8,
            1 => Self::I32,
            3 => Self::F32,
            4 => Self::I16,
            10 => Self::U16,
            _ => return None,
        })
    }

    const fn bytes(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::I64 | Self::U64 | Self::F64 => 8,
        }
    }

    fn number(self, bytes: &Bytes<'_>, at: usize) -> Option<f64> {
        Some(match self {
            Self::U8 => f64::from(*bytes.all().get(at)?),
            Self::I8 => f64::from(bytes.all().get(at)?.cast_signed()),
            Self::I16 => f64::from(bytes.i16(at)?),
            Self::U16 => f64::from(bytes.u16(at)?),
            Self::I32 => f64::from(bytes.i32(at)?),
            Self::U32 => f64::from(bytes.u32(at)?),
            Self::I64 => bytes.i64(at)? as f64,
            Self::U64 => bytes.i64(at)?.cast_unsigned() as f64,
            Self::F32 => f64::from(bytes.f32(at)?),
            Self::F64 => bytes.f64(at)?,
        })
    }
}

/// An opened file of either format.
enum AnyOpened {
    Nifti(Box<Opened<'static>>),
    Mgh(Box<OpenedMgh>),
}

/// An image whose header was read, and nothing behind it.
pub struct Image {
    opened: AnyOpened,
    element: Element,
    /// Slope and intercept, where the stored numbers are scaled.
    scaling: Option<[f64; 2]>,
}

impl Image {
    /// Reads the header of an image.
    ///
    /// # Errors
    /// [`ImageError`]: it is no NIfTI file, not of three dimensions, or its elements are no plain numbers.
    pub fn open(path: &Path) -> Result<Self, ImageError> {
        let io = |error: std::io::Error| ImageError::Io(error.to_string());
        let open = || -> Result<(File, u64), ImageError> {
            let file = regular_file::open(path, MAX_FILE_BYTES).map_err(io)?;
            let length = file.metadata().map_err(io)?.len();
            Ok((file, length))
        };
        let (file, length) = open()?;
        if let Some(mgh) = OpenedMgh::new(file, length).map_err(io)?? {
            let element = Element::of_mgh(mgh.datatype).ok_or(ImageError::Elements(mgh.datatype))?;
            return Ok(Self { opened: AnyOpened::Mgh(Box::new(mgh)), element, scaling: None });
        }
        let (file, length) = open()?;
        let opened = Opened::new(file, length)?;
        let nifti = &opened.nifti;
        let element = Element::of_nifti(nifti.datatype).ok_or(ImageError::Elements(nifti.datatype.into()))?;
        if nifti.n_dims < 3 || nifti.shape[3..].iter().any(|extent| *extent > 1) {
            return Err(ImageError::Dimensions(nifti.shape[..nifti.n_dims.min(7)].to_vec()));
        }
        let scaling = nifti.slope().map(|slope| [slope, nifti.intercept().unwrap_or(0.0)]);
        Ok(Self { opened: AnyOpened::Nifti(Box::new(opened)), element, scaling })
    }

    /// Extents of its grid.
    pub fn grid(&self) -> [usize; 3] {
        match &self.opened {
            AnyOpened::Nifti(opened) => opened.nifti.grid(),
            AnyOpened::Mgh(opened) => opened.grid,
        }
    }

    /// Where its two forms put it (mm).
    pub fn forms(&self) -> Forms {
        let nifti = match &self.opened {
            AnyOpened::Nifti(opened) => &opened.nifti,
            AnyOpened::Mgh(opened) => return opened.forms,
        };
        let mm = match nifti.xyzt_units & SPACE_BITS {
            METRES => 1e3,
            MICROMETRES => 1e-3,
            _ => 1.0,
        };
        let mut forms = nifti.forms();
        for form in [&mut forms.qform, &mut forms.sform].into_iter().flatten() {
            form.affine_mm[..3].iter_mut().flatten().for_each(|entry| *entry *= mm);
        }
        forms
    }

    /// Looks whether the file can be as long as its header says, however well it is packed.
    ///
    /// # Errors
    /// [`ImageError`]: it is cut off.
    pub fn check_length(&self) -> Result<(), ImageError> {
        match &self.opened {
            AnyOpened::Nifti(opened) => opened.may_be_whole()?,
            AnyOpened::Mgh(opened) => drop(opened.data_bytes(self.element.bytes())?),
        }
        Ok(())
    }

    /// Hands on each number with its place in the file, the first index fastest. What is not a number is handed on as it is.
    ///
    /// # Errors
    /// [`ImageError`]: the file is damaged or ends early.
    pub fn scan(mut self, mut take: impl FnMut(usize, f64)) -> Result<(), ImageError> {
        let (element, scaling) = (self.element, self.scaling);
        let order = match &self.opened {
            AnyOpened::Nifti(opened) if !opened.nifti.big_endian => Order::Little,
            AnyOpened::Nifti(_) | AnyOpened::Mgh(_) => Order::Big,
        };
        let size = element.bytes();
        // An element may begin in one block and end in the next.
        let mut split = [0; MOST_ELEMENT];
        let mut number = |bytes: &Bytes<'_>, at: usize, index: usize| {
            let Some(stored) = element.number(bytes, at) else { return };
            take(index, scaling.map_or(stored, |[slope, intercept]| stored * slope + intercept));
        };
        let each = |block: &[u8], at: usize| {
            let n_before = at % size;
            let n_ahead = if n_before == 0 { 0 } else { (size - n_before).min(block.len()) };
            if n_ahead > 0 {
                split[n_before..n_before + n_ahead].copy_from_slice(&block[..n_ahead]);
                if n_before + n_ahead == size {
                    number(&Bytes::new(&split[..size], order), 0, at / size);
                }
            }
            let (whole, bytes) = (&block[n_ahead..], Bytes::new(&block[n_ahead..], order));
            let first = (at + n_ahead) / size;
            let n = whole.len() / size;
            (0..n).for_each(|i| number(&bytes, i * size, first + i));
            let rest = &whole[n * size..];
            if !rest.is_empty() {
                split[..rest.len()].copy_from_slice(rest);
            }
        };
        match &mut self.opened {
            AnyOpened::Nifti(opened) => opened.each_block(each)?,
            AnyOpened::Mgh(opened) => opened.each_block(size, each)?,
        }
        Ok(())
    }
}
