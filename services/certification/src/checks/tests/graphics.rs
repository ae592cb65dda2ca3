//! Pictures by their pixels: CV-7, and how they are read.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage, imageops::FilterType};

use super::{
    Row, each_is_found, each_passes,
    offer::{Offer, asset, drawing, png},
};
use crate::{checks::image::look, domain::ImageFacts};

fn logo(offer: &mut Offer, width: u32, height: u32) {
    offer.add("logo", "LOGO_LARGE", &png(&drawing(width, height, 1)));
}

/// LI-18
fn wide(offer: &mut Offer, width: u32, height: u32) {
    offer.snapshot.pages.offer_listing.wide_logo = asset("wide");
    offer.add("wide", "LOGO_WIDE", &png(&drawing(width, height, 6)));
}

fn hero(offer: &mut Offer, width: u32, height: u32) {
    offer.snapshot.pages.offer_listing.hero_logo = asset("hero");
    offer.add("hero", "LOGO_HERO", &png(&drawing(width, height, 7)));
}

fn shot(offer: &mut Offer, image: &RgbImage) {
    offer.add("s1", "SCREENSHOT", &png(image));
}

fn small() -> RgbImage {
    drawing(640, 360, 9)
}

#[test]
fn pictures_of_the_wrong_kind_are_found_cv_7() {
    let rows: &[Row] = &[
        ("CV-7", "LOGO_MISSING", |o| {
            o.snapshot.pages.offer_listing.large_logo.clear()
        }),
        ("CV-7", "LOGO_SIZE", |o| logo(o, 215, 215)),
        ("CV-7", "LOGO_SIZE", |o| logo(o, 351, 351)),
        ("CV-7", "LOGO_SIZE", |o| logo(o, 300, 299)),
        ("CV-7", "LOGO_BLANK", |o| {
            o.add(
                "logo",
                "LOGO_LARGE",
                &png(&RgbImage::from_pixel(300, 300, Rgb([9, 9, 9]))),
            )
        }),
        ("CV-7", "LOGO_BLANK", |o| {
            let mut bytes = std::io::Cursor::new(Vec::new());
            RgbaImage::from_pixel(300, 300, Rgba([9, 9, 9, 0]))
                .write_to(&mut bytes, ImageFormat::Png)
                .unwrap();
            o.add("logo", "LOGO_LARGE", bytes.get_ref());
        }),
        ("CV-7", "LOGO_SIZE", |o| {
            o.snapshot.pages.offer_listing.small_logo = asset("small");
            o.add("small", "LOGO_SMALL", &png(&drawing(47, 47, 4)));
        }),
        ("CV-7", "LOGO_SIZE", |o| wide(o, 115, 255)),
        ("CV-7", "LOGO_SIZE", |o| hero(o, 815, 291)),
        ("CV-7", "LOGO_BLANK", |o| {
            hero(o, 815, 290);
            let plain = RgbImage::from_pixel(815, 290, Rgb([9, 9, 9]));
            o.add("hero", "LOGO_HERO", &png(&plain));
        }),
        ("CV-7", "SCREENSHOTS_MISSING", |o| {
            o.snapshot.pages.offer_listing.screenshots.clear()
        }),
        ("CV-7", "SCREENSHOTS_TOO_MANY", |o| {
            let one = o.snapshot.pages.offer_listing.screenshots[0].clone();
            o.snapshot.pages.offer_listing.screenshots = vec![one; 6];
        }),
        ("CV-7", "CAPTION_MISSING", |o| {
            o.snapshot.pages.offer_listing.screenshots[1].caption = " ".into()
        }),
        // AS-060
        ("CV-7", "SCREENSHOT_SIZE", |o| {
            shot(o, &drawing(640, 480, 2))
        }),
        ("CV-7", "SCREENSHOT_BLANK", |o| {
            shot(o, &RgbImage::from_pixel(1280, 720, Rgb([250, 250, 250])))
        }),
        ("CV-7", "SCREENSHOT_UPSCALED", |o| {
            shot(
                o,
                &image::imageops::resize(&small(), 1280, 720, FilterType::Triangle),
            )
        }),
        ("CV-7", "SCREENSHOT_UPSCALED", |o| {
            shot(
                o,
                &image::imageops::resize(&small(), 1280, 720, FilterType::CatmullRom),
            )
        }),
        ("CV-7", "SCREENSHOT_UPSCALED", |o| {
            shot(
                o,
                &image::imageops::resize(&small(), 1280, 720, FilterType::Lanczos3),
            )
        }),
        ("CV-7", "SCREENSHOT_DUPLICATE", |o| {
            shot(o, &drawing(1280, 720, 3))
        }),
        ("CV-7", "SCREENSHOT_DUPLICATE", |o| {
            // The same picture, a little brighter and with a cursor in it.
            let mut other = drawing(1280, 720, 3);
            other
                .pixels_mut()
                .for_each(|p| p.0 = p.0.map(|v| v.saturating_add(1)));
            (100..112).for_each(|x| other.put_pixel(x, 100, Rgb([0, 0, 0])));
            shot(o, &other);
        }),
        ("CV-7", "IMAGE_MISSING", |o| o.snapshot.assets.clear()),
        ("CV-7", "IMAGE_FORMAT", |o| {
            o.add(
                "s1",
                "SCREENSHOT",
                b"\xFF\xD8\xFF\xE0 a JPEG that was renamed",
            )
        }),
        ("CV-7", "IMAGE_BROKEN", |o| {
            let whole = png(&drawing(1280, 720, 2));
            o.add("s1", "SCREENSHOT", &whole[..whole.len() / 2]);
        }),
        ("CV-7", "IMAGE_TOO_LARGE", |o| {
            o.add("s1", "SCREENSHOT", &vec![0; (8 << 20) + 1])
        }),
    ];
    each_is_found(rows);
}

#[test]
fn pictures_of_the_right_kind_pass() {
    each_passes(&[
        ("CV-7", |o| logo(o, 216, 216)),
        ("CV-7", |o| logo(o, 350, 350)),
        ("CV-7", |o| wide(o, 255, 115)),
        ("CV-7", |o| hero(o, 815, 290)),
        ("CV-7", |o| {
            // Large flat areas are not an enlargement.
            let mut window = RgbImage::from_pixel(1280, 720, Rgb([255, 255, 255]));
            for y in 0..720 {
                (0..320).for_each(|x| window.put_pixel(x, y, Rgb([20, 40, 90])));
            }
            shot(o, &window);
        }),
        ("CV-7", |o| {
            o.snapshot.pages.offer_listing.screenshots.truncate(1)
        }),
    ]);
}

#[test]
fn a_huge_picture_is_judged_by_its_header() {
    // 20,000 × 20,000: a header alone; decoding it would take 1.6 GB.
    let mut bytes = png(&RgbImage::new(1, 1));
    bytes[16..20].copy_from_slice(&20_000_u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&20_000_u32.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(
        look(&bytes),
        ImageFacts::Oversized {
            width: 20_000,
            height: 20_000
        }
    );
}

#[test]
fn what_is_no_picture_is_named() {
    assert_eq!(look(b"hello"), ImageFacts::NotPng("unknown".into()));
    let mut jpeg = std::io::Cursor::new(vec![0xFF, 0xD8, 0xFF, 0xE0]);
    jpeg.set_position(0);
    assert_eq!(look(jpeg.get_ref()), ImageFacts::NotPng("jpg".into()));
    let text = DynamicImage::ImageRgb8(drawing(64, 64, 5));
    assert!(
        matches!(look(&png(&text.to_rgb8())), ImageFacts::Png(pixels) if pixels.width == 64 && pixels.deviation > 10.0)
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |c, _| {
            if c & 1 == 1 {
                0xEDB8_8320 ^ (c >> 1)
            } else {
                c >> 1
            }
        })
    };
    !bytes.iter().fold(!0_u32, step)
}
