//! Packages (TC-5): zip archives whose directory is there. What is in them is certification's to look at.

use std::io::{self, Read, Seek, SeekFrom};

use super::{Fault, Found, read_up_to};

const END: &[u8; 4] = b"PK\x05\x06";
/// The end of the directory and the longest comment behind it.
const TAIL: usize = 22 + 65_535;

pub(super) fn inspect<F: Read + Seek>(file: &mut F) -> io::Result<Result<Found, Fault>> {
    let mut head = [0; 4];
    let read = read_up_to(file, &mut head)?;
    if &head[..read] == END {
        return Ok(Err(Fault::new(
            "EMPTY_PACKAGE",
            "is an archive without a file",
        )));
    }
    if &head != b"PK\x03\x04" {
        return Ok(Err(Fault::new(
            "NOT_A_PACKAGE",
            "must be a zip archive; it is something else, whatever its name says",
        )));
    }
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(end.saturating_sub(TAIL as u64)))?;
    let mut tail = vec![0; TAIL];
    let read = read_up_to(file, &mut tail)?;
    Ok(directory(&tail[..read], end))
}

fn directory(tail: &[u8], end: u64) -> Result<Found, Fault> {
    let damaged =
        |why: &str| Fault::new("DAMAGED_PACKAGE", format!("is no whole zip archive: {why}"));
    let at = tail
        .windows(4)
        .rposition(|window| window == END)
        .ok_or_else(|| damaged("its directory is missing"))?;
    let record = tail
        .get(at..at + 22)
        .ok_or_else(|| damaged("it ends within its directory"))?;
    let number = |at: usize| {
        u64::from(u32::from_le_bytes([
            record[at],
            record[at + 1],
            record[at + 2],
            record[at + 3],
        ]))
    };
    let (size, offset) = (number(12), number(16));
    // 0xFFFFFFFF: the numbers are in a zip64 record.
    if offset != u64::from(u32::MAX) && offset + size > end {
        return Err(damaged("its directory would be behind its end"));
    }
    Ok(Found {
        content_type: "application/zip",
        size: None,
    })
}
