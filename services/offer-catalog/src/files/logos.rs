//! The medium and small logo, made of the large one (LI-14).

use std::io::{self, BufReader, Cursor, Read, Seek};

use image::imageops::FilterType;
use image::{DynamicImage, ImageFormat};

use crate::pages::AssetKind;

/// A logo that was made.
pub(super) struct Logo {
    pub kind: AssetKind,
    pub pixels: u32,
    pub png: Vec<u8>,
}

/// Of a large logo that was looked at already.
pub(super) fn derive<F: Read + Seek>(file: &mut F) -> io::Result<Vec<Logo>> {
    file.rewind()?;
    let large = image::load(BufReader::new(file), ImageFormat::Png).map_err(io::Error::other)?;
    [(AssetKind::LogoMedium, 90), (AssetKind::LogoSmall, 48)]
        .map(|(kind, pixels)| make(&large, kind, pixels))
        .into_iter()
        .collect()
}

fn make(large: &DynamicImage, kind: AssetKind, pixels: u32) -> io::Result<Logo> {
    let mut png = Cursor::new(Vec::new());
    let made = large.resize_exact(pixels, pixels, FilterType::Lanczos3);
    made.write_to(&mut png, ImageFormat::Png)
        .map_err(io::Error::other)?;
    Ok(Logo {
        kind,
        pixels,
        png: png.into_inner(),
    })
}
