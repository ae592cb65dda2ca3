//! What a stream's bytes are once its filter is undone: Flate, with or without a predictor, as tables and streams of objects
//! are written.

use std::io::Read;

use flate2::read::ZlibDecoder;

use super::file::{Result, no};
use super::value::Value;

/// The content of a stream with this dictionary; at most `most` bytes are inflated.
pub(super) fn decode(dictionary: &Value, content: Vec<u8>, most: usize) -> Result<Vec<u8>> {
    let first = |key: &[u8]| match dictionary.get(key) {
        Some(Value::Array(values)) if values.len() <= 1 => values.first(),
        one => one,
    };
    match first(b"Filter") {
        None => return Ok(content),
        Some(name) if name.is_name(b"FlateDecode") || name.is_name(b"Fl") => {}
        Some(_) => return no("its objects are encoded in an unusual way"),
    }
    let mut inflated = Vec::new();
    let read = ZlibDecoder::new(content.as_slice())
        .take(most as u64 + 1)
        .read_to_end(&mut inflated);
    if read.is_err() {
        return no("a stream can't be inflated");
    }
    if inflated.len() > most {
        return no("a stream is larger than any of a document");
    }
    let parameter = |key| first(b"DecodeParms").and_then(|all| all.get(key)?.number());
    match parameter(b"Predictor".as_slice()).unwrap_or(1) {
        1 => Ok(inflated),
        10..=15 => {
            let columns = parameter(b"Columns".as_slice()).unwrap_or(1);
            let columns = usize::try_from(columns).unwrap_or(0).clamp(1, 1024);
            Ok(unpredicted(&inflated, columns))
        }
        _ => no("its objects are encoded in an unusual way"),
    }
}

/// Rows as they were before each was made relative to its neighbours (PNG's predictors, one byte per pixel).
fn unpredicted(bytes: &[u8], columns: usize) -> Vec<u8> {
    let mut rows: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut above = vec![0_u8; columns];
    for row in bytes.chunks_exact(columns + 1) {
        let (kind, row) = (row[0], &row[1..]);
        let mut now = vec![0_u8; columns];
        for at in 0..columns {
            let left = if at > 0 { now[at - 1] } else { 0 };
            let corner = if at > 0 { above[at - 1] } else { 0 };
            let up = above[at];
            let guess = match kind {
                1 => left,
                2 => up,
                3 => u8::midpoint(left, up),
                4 => paeth(left, up, corner),
                _ => 0,
            };
            now[at] = row[at].wrapping_add(guess);
        }
        rows.extend_from_slice(&now);
        above = now;
    }
    rows
}

fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let guess = i16::from(left) + i16::from(up) - i16::from(corner);
    let far = |one: u8| (guess - i16::from(one)).abs();
    if far(left) <= far(up) && far(left) <= far(corner) {
        left
    } else if far(up) <= far(corner) {
        up
    } else {
        corner
    }
}
