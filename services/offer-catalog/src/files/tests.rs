//! Good files, and everything that somebody may send instead.

use std::io::Cursor;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::*;

/// A real PNG of this size.
fn png(width: u32, height: u32) -> Vec<u8> {
    let pixels: Vec<u8> = (0..width * height * 3).map(|at| (at % 251) as u8).collect();
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes)
        .write_image(&pixels, width, height, ExtendedColorType::Rgb8)
        .unwrap();
    bytes
}

fn code(kind: AssetKind, bytes: &[u8]) -> &'static str {
    match inspect(kind, &mut Cursor::new(bytes)).unwrap() {
        Ok(_) => "OK",
        Err(fault) => fault.code,
    }
}

#[test]
fn li_14_logos_are_square_and_216_to_350_pixels() {
    let cases = [
        (AssetKind::LogoLarge, 215, 215, "BAD_DIMENSIONS"),
        (AssetKind::LogoLarge, 216, 216, "OK"),
        (AssetKind::LogoLarge, 350, 350, "OK"),
        (AssetKind::LogoLarge, 351, 351, "BAD_DIMENSIONS"),
        (AssetKind::LogoLarge, 300, 299, "BAD_DIMENSIONS"),
        (AssetKind::LogoMedium, 90, 90, "OK"),
        (AssetKind::LogoMedium, 91, 90, "BAD_DIMENSIONS"),
        (AssetKind::LogoSmall, 48, 48, "OK"),
        (AssetKind::LogoSmall, 47, 47, "BAD_DIMENSIONS"),
        (AssetKind::LogoWide, 255, 115, "OK"),
        (AssetKind::LogoWide, 256, 115, "BAD_DIMENSIONS"),
        (AssetKind::LogoWide, 115, 255, "BAD_DIMENSIONS"),
        (AssetKind::LogoHero, 815, 290, "OK"),
        (AssetKind::LogoHero, 815, 289, "BAD_DIMENSIONS"),
    ];
    for (kind, width, height, expected) in cases {
        assert_eq!(
            code(kind, &png(width, height)),
            expected,
            "{kind:?} {width}×{height}"
        );
    }
}

#[test]
fn li_15_screenshots_and_thumbnails_are_1280_by_720() {
    for kind in [AssetKind::Screenshot, AssetKind::VideoThumbnail] {
        assert_eq!(code(kind, &png(1280, 720)), "OK");
        assert_eq!(code(kind, &png(1280, 721)), "BAD_DIMENSIONS");
        assert_eq!(code(kind, &png(640, 480)), "BAD_DIMENSIONS");
    }
}

#[test]
fn li_14_the_smaller_logos_are_made_of_the_large_one() {
    let made = logos::derive(&mut Cursor::new(png(300, 300))).unwrap();
    let sizes: Vec<(AssetKind, u32)> = made.iter().map(|logo| (logo.kind, logo.pixels)).collect();
    assert_eq!(
        sizes,
        [(AssetKind::LogoMedium, 90), (AssetKind::LogoSmall, 48)]
    );
    for logo in made {
        assert_eq!(code(logo.kind, &logo.png), "OK");
    }
}

#[test]
fn what_is_no_png_is_refused_and_named() {
    let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0][..], &[0; 64]].concat();
    let fault = inspect(AssetKind::LogoLarge, &mut Cursor::new(&jpeg))
        .unwrap()
        .unwrap_err();
    assert_eq!(fault.code, "NOT_PNG");
    assert!(fault.message.contains("JPEG"), "{}", fault.message);
    for bytes in [
        &b""[..],
        b"GIF89a....",
        b"\x89PNG\r\n\x1a\n",
        b"<svg></svg>",
    ] {
        assert_ne!(code(AssetKind::LogoLarge, bytes), "OK");
    }
}

#[test]
fn a_png_that_ends_early_is_refused_wherever_it_was_cut() {
    let whole = png(216, 216);
    for cut in [
        8,
        20,
        33,
        40,
        whole.len() / 2,
        whole.len() - 13,
        whole.len() - 12,
        whole.len() - 1,
    ] {
        assert_eq!(
            code(AssetKind::LogoLarge, &whole[..cut]),
            "DAMAGED_PNG",
            "cut at {cut} of {}",
            whole.len()
        );
    }
    let followed = [&whole[..], b"PK\x03\x04"].concat();
    assert_eq!(
        code(AssetKind::LogoLarge, &followed),
        "DAMAGED_PNG",
        "nothing may follow the image"
    );
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    assert_eq!(code(AssetKind::LogoLarge, &flipped), "DAMAGED_PNG");
}

/// A PNG header that declares a size, followed by a stream of zeros that inflates to it.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [
        &width.to_be_bytes()[..],
        &height.to_be_bytes()[..],
        &[8, 6, 0, 0, 0],
    ]
    .concat();
    for (name, data) in [
        (b"IHDR", &header[..]),
        (b"IDAT", &[0x78, 0x9C, 0x03, 0, 0, 0, 0, 1][..]),
        (b"IEND", &[][..]),
    ] {
        bytes.extend((data.len() as u32).to_be_bytes());
        let chunk = [&name[..], data].concat();
        bytes.extend(&chunk);
        bytes.extend(png::crc(&chunk).to_be_bytes());
    }
    bytes
}

#[test]
fn an_image_that_declares_too_much_is_refused_before_it_is_decoded() {
    assert_eq!(
        code(AssetKind::Screenshot, &bomb(20_000, 20_000)),
        "BAD_DIMENSIONS"
    );
    assert_eq!(
        code(AssetKind::LogoLarge, &bomb(u32::MAX, u32::MAX)),
        "BAD_DIMENSIONS"
    );
    assert_eq!(code(AssetKind::LogoLarge, &bomb(0, 0)), "BAD_DIMENSIONS");
    assert_eq!(
        code(AssetKind::LogoLarge, &bomb(300, 300)),
        "DAMAGED_PNG",
        "its pixels are missing"
    );
}

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Page >>\nendobj\nxref\n0 3\n0000000000 65535 f \n0000000009 00000 n \n0000000058 00000 n \ntrailer\n<< /Size 3 /Root 1 0 R >>\nstartxref\n91\n%%EOF\n";

#[test]
fn li_13_documents_are_pdf() {
    assert_eq!(code(AssetKind::Document, PDF), "OK");
    let at = PDF.windows(4).position(|four| four == b"xref").unwrap();
    assert_eq!(at, 91, "the sample's cross-reference is where it says");
    assert_eq!(
        code(AssetKind::Document, &PDF[..PDF.len() - 20]),
        "DAMAGED_PDF"
    );
    assert_eq!(code(AssetKind::Document, &PDF[..60]), "DAMAGED_PDF");
    assert_eq!(code(AssetKind::Document, &png(48, 48)), "NOT_PDF");
    assert_eq!(code(AssetKind::Document, b""), "NOT_PDF");
    let locked = String::from_utf8_lossy(PDF).replace("/Root 1 0 R", "/Root 1 0 R /Encrypt 9 0 R");
    assert_eq!(
        code(AssetKind::Document, locked.as_bytes()),
        "ENCRYPTED_PDF"
    );
    let elsewhere = String::from_utf8_lossy(PDF).replace("startxref\n91", "startxref\n999999");
    assert_eq!(
        code(AssetKind::Document, elsewhere.as_bytes()),
        "DAMAGED_PDF"
    );
}

#[test]
fn tc_5_packages_are_archives() {
    let empty_zip = [&b"PK\x05\x06"[..], &[0; 18]].concat();
    assert_eq!(code(AssetKind::Package, &empty_zip), "EMPTY_PACKAGE");
    let mut zip = b"PK\x03\x04 one file ".to_vec();
    let directory = zip.len() as u32;
    zip.extend(b"PK\x01\x02");
    zip.extend([0; 42]);
    let size = zip.len() as u32 - directory;
    zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
    zip.extend(size.to_le_bytes());
    zip.extend(directory.to_le_bytes());
    zip.extend([0; 2]);
    assert_eq!(code(AssetKind::Package, &zip), "OK");
    assert_eq!(
        code(AssetKind::Package, &zip[..zip.len() - 4]),
        "DAMAGED_PACKAGE"
    );
    assert_eq!(
        code(AssetKind::Package, b"\x7fELF............"),
        "NOT_A_PACKAGE"
    );
}
