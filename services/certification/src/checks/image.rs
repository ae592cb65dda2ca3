//! Reads an image once and keeps what the checks need of it (CV-7): dimensions, contrast, a perceptual hash, sharpness.
//!
//! Memory is bounded: the header's dimensions come first, and only what is at most as large as the largest picture that
//! a listing may have is decoded, with a limit on what the decoder may allocate.

use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, ImageReader, Limits, imageops::FilterType};

use crate::domain::{ImageFacts, Pixels};

/// The most bytes that an image file may have.
pub const MAX_BYTES: usize = 8 << 20;
/// The most pixels that are decoded: a little more than the 1280 × 720 of a screenshot.
const MAX_PIXELS: u64 = 1 << 20;
/// What the decoder may allocate: four bytes a pixel, twice, and its buffers.
const MAX_ALLOC: u64 = 12 << 20;

/// What these bytes are.
pub fn look(bytes: &[u8]) -> ImageFacts {
    if bytes.len() > MAX_BYTES {
        return ImageFacts::TooLarge;
    }
    match image::guess_format(bytes) {
        Ok(ImageFormat::Png) => {}
        Ok(other) => {
            return ImageFacts::NotPng(
                other
                    .extensions_str()
                    .first()
                    .copied()
                    .unwrap_or("unknown")
                    .to_owned(),
            );
        }
        Err(_) => return ImageFacts::NotPng("unknown".to_owned()),
    }
    let (width, height) = match reader(bytes).into_dimensions() {
        Ok(dimensions) => dimensions,
        Err(error) => return ImageFacts::Broken(error.to_string()),
    };
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return ImageFacts::Oversized { width, height };
    }
    match reader(bytes).decode() {
        Ok(image) => ImageFacts::Png(pixels(&image)),
        Err(error) => ImageFacts::Broken(error.to_string()),
    }
}

fn reader(bytes: &[u8]) -> ImageReader<Cursor<&[u8]>> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), ImageFormat::Png);
    reader.limits(limits);
    reader
}

fn pixels(image: &DynamicImage) -> Pixels {
    let (luma, opaque) = on_white(image);
    let deviation = deviation(&luma);
    let upscaled = is_upscaled(&luma, image.width() as usize);
    let grey = GrayImage::from_raw(image.width(), image.height(), luma)
        .map(DynamicImage::ImageLuma8)
        .unwrap_or_default();
    let small = |width, height| {
        grey.resize_exact(width, height, FilterType::Triangle)
            .into_luma8()
            .into_raw()
    };
    Pixels {
        width: image.width(),
        height: image.height(),
        deviation,
        opaque,
        hash: hash(&small(17, 16)),
        thumbnail: small(32, 18),
        upscaled,
    }
}

/// Luma as it looks on a white page, row by row, and the share of pixels that can be seen at all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a mean of bytes is a byte; a million pixels at most"
)]
fn on_white(image: &DynamicImage) -> (Vec<u8>, f32) {
    if !image.color().has_alpha() {
        return (image.to_luma8().into_raw(), 1.0);
    }
    let both = image.to_luma_alpha8().into_raw();
    let seen = both.chunks_exact(2).filter(|pixel| pixel[1] > 16).count();
    let mix = |pixel: &[u8]| {
        let (luma, alpha) = (u32::from(pixel[0]), u32::from(pixel[1]));
        ((luma * alpha + 255 * (255 - alpha)) / 255) as u8
    };
    (
        both.chunks_exact(2).map(mix).collect(),
        seen as f32 / (both.len() / 2).max(1) as f32,
    )
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "sums of a million squared bytes fit"
)]
fn deviation(luma: &[u8]) -> f32 {
    let (mut sum, mut squares) = (0_u64, 0_u64);
    for &value in luma {
        sum += u64::from(value);
        squares += u64::from(value) * u64::from(value);
    }
    let count = luma.len().max(1) as f64;
    let mean = sum as f64 / count;
    (squares as f64 / count - mean * mean).max(0.0).sqrt() as f32
}

/// Difference hash: a bit for each cell of 16 × 16 that is darker than its right neighbour; `small` is 17 × 16.
fn hash(small: &[u8]) -> [u64; 4] {
    let mut bits = [0_u64; 4];
    for (y, row) in small.chunks_exact(17).enumerate() {
        for (x, pair) in row.windows(2).enumerate() {
            if pair[0] < pair[1] {
                let bit = y * 16 + x;
                bits[bit / 64] |= 1 << (bit % 64);
            }
        }
    }
    bits
}

/// An edge this strong, over two pixels, tells how sharp a picture is.
const EDGE: u8 = 64;
/// With fewer edges nothing can be told.
const MIN_EDGES: u32 = 400;

/// Text and lines of a real screenshot jump within one pixel. An enlargement spreads every jump over several, so that
/// next to none happens at once; or, with nearest neighbours, every second pixel repeats the one before.
fn is_upscaled(luma: &[u8], width: usize) -> bool {
    let (mut edges, mut sharp) = (0_u32, 0_u32);
    for row in luma.chunks_exact(width.max(1)) {
        for three in row.windows(3) {
            let whole = three[2].abs_diff(three[0]);
            if whole >= EDGE {
                edges += 1;
                let step = three[1].abs_diff(three[0]).max(three[2].abs_diff(three[1]));
                sharp += u32::from(u32::from(step) * 20 >= u32::from(whole) * 17);
            }
        }
    }
    let soft = edges >= MIN_EDGES && sharp * 50 < edges;
    soft || repeats(luma, width)
}

/// Every block of 2 × 2 is of one colour although neighbouring blocks differ in many places and by little patterns.
fn repeats(luma: &[u8], width: usize) -> bool {
    let (mut changes, mut alternations) = (0_u32, 0_u32);
    for rows in luma.chunks_exact(2 * width.max(1)) {
        let (upper, lower) = rows.split_at(width);
        let mut before: Option<(u8, bool)> = None;
        for (over, under) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
            let value = over[0];
            if over[1] != value || under[0] != value || under[1] != value {
                return false;
            }
            let changed = before.is_some_and(|(earlier, _)| earlier != value);
            changes += u32::from(changed);
            // Two changes in a row: detail as fine as the blocks, which a picture of large areas doesn't have.
            alternations += u32::from(changed && before.is_some_and(|(_, also)| also));
            before = Some((value, changed));
        }
    }
    changes >= MIN_EDGES && alternations * 4 >= changes
}

/// How many bits of two hashes differ.
pub fn distance(one: &[u64; 4], other: &[u64; 4]) -> u32 {
    one.iter()
        .zip(other)
        .map(|(a, b)| (a ^ b).count_ones())
        .sum()
}

/// Mean difference of two thumbnails, 0 … 255.
#[expect(clippy::cast_precision_loss, reason = "a thumbnail has 576 cells")]
pub fn difference(one: &[u8], other: &[u8]) -> f32 {
    let sum: u32 = one
        .iter()
        .zip(other)
        .map(|(a, b)| u32::from(a.abs_diff(*b)))
        .sum();
    sum as f32 / one.len().max(1) as f32
}
