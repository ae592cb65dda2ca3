//! PNG images: the declared size first, then the chain of chunks, then every pixel.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use image::{ImageDecoder, Limits, codecs::png::PngDecoder};

use super::{Fault, Found, read_up_to};
use crate::pages::AssetKind;

const SIGNATURE: &[u8; 8] = b"\x89PNG\r\n\x1a\n";
/// Signature, length, name and size of the first chunk.
const HEAD: usize = 8 + 8 + 13;
/// More than the pixels of the largest allowed image, of 16 bits a channel.
const MAX_ALLOC: u64 = 16 * 1024 * 1024;

pub(super) fn inspect<F: Read + Seek>(
    kind: AssetKind,
    file: &mut F,
) -> io::Result<Result<Found, Fault>> {
    let mut head = [0; HEAD];
    let read = read_up_to(file, &mut head)?;
    if !head[..read].starts_with(SIGNATURE) {
        return Ok(Err(not_png(&head[..read])));
    }
    let Some((width, height)) = declared_size(&head[..read]) else {
        return Ok(Err(damaged("it has no header")));
    };
    if let Some(fault) = kind.size_fault(width, height) {
        return Ok(Err(Fault::new("BAD_DIMENSIONS", fault)));
    }
    if let Some(why) = broken_chain(file)? {
        return Ok(Err(damaged(why)));
    }
    file.rewind()?;
    Ok(match decode(BufReader::new(file)) {
        Ok(()) => Ok(Found {
            content_type: "image/png",
            size: Some((width, height)),
        }),
        Err(image::ImageError::IoError(error)) if !is_about_content(&error) => return Err(error),
        Err(error) => Err(damaged(&error.to_string())),
    })
}

fn decode<R: io::BufRead + Seek>(file: R) -> image::ImageResult<()> {
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_ALLOC);
    let decoder = PngDecoder::with_limits(file, limits)?;
    let bytes = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    let mut pixels = vec![0; bytes.min(MAX_ALLOC as usize)];
    decoder.read_image(&mut pixels)
}

/// The decoder says by an I/O error that a file ends early.
fn is_about_content(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData
    )
}

fn declared_size(head: &[u8]) -> Option<(u32, u32)> {
    let number = |at: usize| Some(u32::from_be_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let is_header = number(8)? == 13 && head.get(12..16)? == b"IHDR";
    is_header.then_some((number(16)?, number(20)?))
}

/// Every chunk is as long as it says, the last is IEND, and nothing follows: what a decoder of pixels doesn't look at.
fn broken_chain<F: Read + Seek>(file: &mut F) -> io::Result<Option<&'static str>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut at = SIGNATURE.len() as u64;
    loop {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 8];
        if read_up_to(file, &mut head)? < head.len() {
            return Ok(Some("it ends before its last chunk"));
        }
        let [l0, l1, l2, l3, name @ ..] = head;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        at += 12 + u64::from(length);
        if at > end {
            return Ok(Some("it ends within a chunk"));
        }
        if &name == b"IEND" {
            return Ok((at != end).then_some("something follows the image"));
        }
    }
}

fn damaged(why: &str) -> Fault {
    Fault::new("DAMAGED_PNG", format!("is no whole PNG image: {why}"))
}

fn not_png(head: &[u8]) -> Fault {
    let known: [(&[u8], &str); 6] = [
        (b"\xFF\xD8\xFF", "a JPEG image"),
        (b"GIF8", "a GIF image"),
        (b"RIFF", "a WebP image or another RIFF file"),
        (b"%PDF-", "a PDF document"),
        (b"BM", "a BMP image"),
        (b"<", "SVG, XML or HTML text"),
    ];
    let is = known
        .iter()
        .find(|(magic, _)| head.starts_with(magic))
        .map_or("something else", |(_, is)| is);
    Fault::new(
        "NOT_PNG",
        format!("must be a PNG image; it is {is}, whatever its name says"),
    )
}

/// The checksum of a chunk, for files that tests make.
#[cfg(test)]
pub(super) fn crc(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    };
    !bytes.iter().fold(u32::MAX, step)
}
