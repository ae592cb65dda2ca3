//! PDF documents: header, end, cross-reference and catalogue are there, and it isn't encrypted.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Fault, Found, read_up_to};

/// The header stands within the first and the end within the last kilobyte.
const EDGE: usize = 1024;
/// The longest cross-reference table that is read: 200,000 objects.
const MAX_TABLE: usize = 4 * 1024 * 1024;

pub(super) fn inspect<F: Read + Seek>(file: &mut F) -> io::Result<Result<Found, Fault>> {
    let mut head = [0; EDGE];
    let read = read_up_to(file, &mut head)?;
    if find(&head[..read], b"%PDF-").is_none() {
        return Ok(Err(Fault::new(
            "NOT_PDF",
            "must be a PDF document; it is something else, whatever its name says",
        )));
    }
    let end = file.seek(SeekFrom::End(0))?;
    let Some(start) = cross_reference(file, end)? else {
        return Ok(Err(damaged("it does not end as one does")));
    };
    if start >= end {
        return Ok(Err(damaged("its cross-reference would be behind its end")));
    }
    file.seek(SeekFrom::Start(start))?;
    let mut table = vec![0; MAX_TABLE.min(usize::try_from(end - start).unwrap_or(MAX_TABLE))];
    let read = read_up_to(file, &mut table)?;
    Ok(look_at(&table[..read]))
}

/// Where the last cross-reference stands, as the end of the file says.
fn cross_reference<F: Read + Seek>(file: &mut F, end: u64) -> io::Result<Option<u64>> {
    file.seek(SeekFrom::Start(end.saturating_sub(EDGE as u64)))?;
    let mut tail = [0; EDGE];
    let read = read_up_to(file, &mut tail)?;
    let tail = &tail[..read];
    let (Some(eof), Some(start)) = (find_last(tail, b"%%EOF"), find_last(tail, b"startxref"))
    else {
        return Ok(None);
    };
    let between = tail
        .get(start + b"startxref".len()..eof)
        .unwrap_or_default();
    Ok(std::str::from_utf8(between)
        .ok()
        .and_then(|number| number.trim().parse().ok()))
}

/// A table with its trailer, or a stream that is both.
fn look_at(table: &[u8]) -> Result<Found, Fault> {
    let dictionary = if table.starts_with(b"xref") {
        let trailer = find(table, b"trailer").ok_or_else(|| damaged("it has no trailer"))?;
        until(&table[trailer..], b"startxref")
    } else if table.first().is_some_and(u8::is_ascii_digit) {
        let dictionary = until(table, b"stream");
        if find(dictionary, b"/XRef").is_none() {
            return Err(damaged("its cross-reference is none"));
        }
        dictionary
    } else {
        return Err(damaged("its cross-reference is none"));
    };
    if find(dictionary, b"/Encrypt").is_some() {
        return Err(Fault::new(
            "ENCRYPTED_PDF",
            "is encrypted; customers could not read it",
        ));
    }
    if find(dictionary, b"/Root").is_none() {
        return Err(damaged("it has no catalogue"));
    }
    Ok(Found {
        content_type: "application/pdf",
        size: None,
    })
}

fn damaged(why: &str) -> Fault {
    Fault::new("DAMAGED_PDF", format!("is no whole PDF document: {why}"))
}

fn until<'a>(bytes: &'a [u8], mark: &[u8]) -> &'a [u8] {
    find(bytes, mark).map_or(bytes, |end| &bytes[..end])
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

fn find_last(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).rposition(|window| window == mark)
}
