//! PDF documents: the way from their end to a page is really there, and they aren't encrypted. Pages aren't drawn.

mod file;
mod filter;
#[cfg(test)]
mod tests;
mod value;

use std::collections::HashSet;
use std::io::{self, Read, Seek, SeekFrom};

use super::{Fault, Found, read_up_to};
use file::{File, Trouble};
use value::Value;

/// The header stands within the first and the end within the last kilobyte.
const EDGE: usize = 1024;
/// The most nodes of the tree of pages that are looked at for a first page.
const MAX_NODES: usize = 500;

pub(super) fn inspect<F: Read + Seek>(file: &mut F) -> io::Result<Result<Found, Fault>> {
    let mut head = [0; EDGE];
    let read = read_up_to(file, &mut head)?;
    let Some(header) = find(&head[..read], b"%PDF-") else {
        return Ok(Err(Fault::new(
            "NOT_PDF",
            "must be a PDF document; it is something else, whatever its name says",
        )));
    };
    let end = file.seek(SeekFrom::End(0))?;
    let Some(start) = cross_reference(file, end)? else {
        return Ok(Err(damaged("it does not end as one does")));
    };
    // Places count from the header, but many writers count what stands before it.
    let mut looked = look(file, 0, start);
    if header > 0 && matches!(looked, Err(Trouble::Document(_))) {
        looked = look(file, header as u64, start);
    }
    match looked {
        Ok(true) => Ok(Ok(Found {
            content_type: "application/pdf",
            size: None,
        })),
        Ok(false) => Ok(Err(Fault::new(
            "ENCRYPTED_PDF",
            "is encrypted; customers could not read it",
        ))),
        Err(Trouble::Document(why)) => Ok(Err(damaged(why))),
        Err(Trouble::Disk(error)) => Err(error),
    }
}

/// Looks for a page; `false`: it is there for those who have a key.
fn look<F: Read + Seek>(file: &mut F, base: u64, start: u64) -> Result<bool, Trouble> {
    let mut file = File::open(file, base, start)?;
    if file.encrypted {
        return Ok(false);
    }
    let root = file.trailer.get(b"Root").and_then(Value::reference);
    let catalog = file.object(root.ok_or(Trouble::Document("it has no catalogue"))?)?;
    let is_catalog = catalog
        .get(b"Type")
        .is_some_and(|kind| kind.is_name(b"Catalog"));
    let pages = catalog.get(b"Pages").and_then(Value::reference);
    match pages.filter(|_| is_catalog) {
        None => Err(Trouble::Document("it has no catalogue")),
        Some(pages) => first_page(&mut file, pages).map(|()| true),
    }
}

/// Goes down the tree of pages to the first leaf.
fn first_page<F: Read + Seek>(file: &mut File<'_, F>, root: u32) -> Result<(), Trouble> {
    let mut ahead = vec![root];
    let mut seen = HashSet::new();
    while let Some(node) = ahead.pop() {
        if !seen.insert(node) {
            continue;
        }
        if seen.len() > MAX_NODES {
            break;
        }
        let node = file.object(node)?;
        if node.get(b"Type").is_some_and(|kind| kind.is_name(b"Page")) {
            return Ok(());
        }
        let kids = node.get(b"Kids").and_then(Value::array).unwrap_or_default();
        ahead.extend(kids.iter().rev().filter_map(Value::reference));
    }
    Err(Trouble::Document("it has no page"))
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

fn damaged(why: &str) -> Fault {
    Fault::new("DAMAGED_PDF", format!("is no whole PDF document: {why}"))
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|window| window == mark)
}

fn find_last(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).rposition(|window| window == mark)
}
