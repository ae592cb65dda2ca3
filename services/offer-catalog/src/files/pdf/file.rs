//! Where the objects of a PDF stand, and each of them as it is asked for.
//!
//! Crates for PDF read a file as a whole, or objects that contain each other a million times: what a small hostile file
//! makes them do has no bound. This reads what leads to one page, and counts what it reads.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};

use super::value::{Parser, Value};
use super::{filter, find};
use crate::files::read_up_to;

/// The most bytes that are read and inflated of one file.
const BUDGET: usize = 64 * 1024 * 1024;
/// The longest object, and the longest table or stream of them.
const MAX_OBJECT: usize = 1024 * 1024;
const MAX_STREAM: usize = 8 * 1024 * 1024;
/// The most sections, each of which names the one before, and the most places in them.
const MAX_SECTIONS: usize = 256;
const MAX_ENTRIES: usize = 500_000;
/// Bytes that most objects and tables fit in.
const FIRST_LOOK: usize = 16 * 1024;
/// A stream's length may be an object of its own, and that one stand in a stream.
const MAX_INDIRECTIONS: usize = 4;

/// Why there is nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The document isn't whole, or more than a document is.
    Document(&'static str),
    Disk(io::Error),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Disk(error)
    }
}

pub(super) type Result<T> = std::result::Result<T, Trouble>;

pub(super) fn no<T>(why: &'static str) -> Result<T> {
    Err(Trouble::Document(why))
}

/// Where an object stands.
#[derive(Debug, Clone, Copy)]
enum Place {
    At(u64),
    /// In a stream of objects.
    Within(u32),
    Nowhere,
}

pub(super) struct File<'f, F> {
    file: &'f mut F,
    /// Where the header stands: places count from there.
    base: u64,
    left: usize,
    places: HashMap<u32, Place>,
    /// The newest trailer.
    pub(super) trailer: Value,
    pub(super) encrypted: bool,
}

impl<'f, F: Read + Seek> File<'f, F> {
    /// Reads all sections, the newest of which stands at `start`.
    pub(super) fn open(file: &'f mut F, base: u64, start: u64) -> Result<Self> {
        let mut this = Self {
            file,
            base,
            left: BUDGET,
            places: HashMap::new(),
            trailer: Value::Other,
            encrypted: false,
        };
        let mut ahead = vec![start];
        let mut done = Vec::new();
        while let Some(at) = ahead.pop() {
            if done.contains(&at) {
                return no("its cross-references go in a circle");
            }
            if done.len() >= MAX_SECTIONS {
                return no("it has more cross-references than a document has");
            }
            done.push(at);
            let trailer = this.section(at)?;
            this.encrypted |= trailer.get(b"Encrypt").is_some();
            let place = |key| {
                let number = trailer.get(key).and_then(Value::number)?;
                u64::try_from(number).ok()
            };
            // The stream of a table goes before the section before it.
            ahead.extend(place(b"Prev"));
            ahead.extend(place(b"XRefStm"));
            if this.trailer == Value::Other {
                this.trailer = trailer;
            }
        }
        Ok(this)
    }

    /// One section: a table with its trailer, or a stream that is both.
    fn section(&mut self, at: u64) -> Result<Value> {
        let table = self.window(at, MAX_STREAM, |bytes| {
            !bytes.trim_ascii_start().starts_with(b"xref") || find(bytes, b"startxref").is_some()
        })?;
        let mut parser = Parser::new(&table);
        if parser.word(b"xref").is_some() {
            let trailer = self.table(&mut parser);
            return trailer.map_or_else(|| no("its cross-reference is none"), Ok);
        }
        let (value, content) = self.stream_at(at, None, 0)?;
        if !value.get(b"Type").is_some_and(|kind| kind.is_name(b"XRef")) {
            return no("its cross-reference is none");
        }
        match self.rows(&value, &content) {
            Some(()) => Ok(value),
            None => no("its cross-reference is damaged"),
        }
    }

    fn table(&mut self, parser: &mut Parser<'_>) -> Option<Value> {
        while parser.word(b"trailer").is_none() {
            let (first, count) = (parser.unsigned()?, parser.unsigned()?);
            for object in first..first.checked_add(count)? {
                let (offset, _generation) = (parser.unsigned()?, parser.unsigned()?);
                let place = match parser.word(b"n") {
                    Some(()) => Place::At(offset),
                    None => {
                        parser.word(b"f")?;
                        Place::Nowhere
                    }
                };
                self.note(object, place)?;
            }
        }
        parser.value()
    }

    /// The rows of a cross-reference stream: three numbers each, of as many bytes as it says.
    fn rows(&mut self, value: &Value, content: &[u8]) -> Option<()> {
        let numbers = |key| -> Option<Vec<usize>> {
            let list = value.get(key)?.array()?;
            list.iter()
                .map(|number| usize::try_from(number.number()?).ok())
                .collect()
        };
        let widths = numbers(b"W".as_slice())?;
        let [kind, second, third] = *widths.get(..3)? else {
            return None;
        };
        if [kind, second, third].iter().any(|&width| width > 8) {
            return None;
        }
        let size = usize::try_from(value.get(b"Size")?.number()?).ok()?;
        let index = numbers(b"Index".as_slice()).unwrap_or_else(|| vec![0, size]);
        let mut rows = content.chunks_exact((kind + second + third).max(1));
        for range in index.chunks_exact(2) {
            for object in range[0]..range[0].checked_add(range[1])? {
                let Some(row) = rows.next() else {
                    return Some(());
                };
                let number = |from: usize, width: usize| {
                    let bytes = row.get(from..from + width).unwrap_or_default();
                    bytes
                        .iter()
                        .fold(0_u64, |number, &byte| number << 8 | u64::from(byte))
                };
                let place = match if kind == 0 { 1 } else { number(0, kind) } {
                    1 => Place::At(number(kind, second)),
                    2 => Place::Within(u32::try_from(number(kind, second)).ok()?),
                    _ => Place::Nowhere,
                };
                self.note(object as u64, place)?;
            }
        }
        Some(())
    }

    /// What a newer section says of an object counts.
    fn note(&mut self, object: u64, place: Place) -> Option<()> {
        if self.places.len() >= MAX_ENTRIES {
            return None;
        }
        self.places
            .entry(u32::try_from(object).ok()?)
            .or_insert(place);
        Some(())
    }

    /// An object, wherever it stands.
    pub(super) fn object(&mut self, object: u32) -> Result<Value> {
        self.object_at(object, 0)
    }

    fn object_at(&mut self, object: u32, depth: usize) -> Result<Value> {
        if depth > MAX_INDIRECTIONS {
            return no("its objects stand within each other");
        }
        match self.places.get(&object) {
            Some(Place::At(at)) => {
                let window = self.window(*at, MAX_OBJECT, is_whole)?;
                let mut parser = Parser::new(&window);
                match numbered(&mut parser, Some(object)).and_then(|()| parser.value()) {
                    Some(value) => Ok(value),
                    None => no("an object isn't where it should be"),
                }
            }
            Some(Place::Within(container)) => {
                let Some(Place::At(at)) = self.places.get(container) else {
                    return no("a stream of objects isn't where it should be");
                };
                let (at, container) = (*at, *container);
                let (value, content) = self.stream_at(at, Some(container), depth)?;
                match within(&value, &content, object) {
                    Some(value) => Ok(value),
                    None => no("an object isn't where it should be"),
                }
            }
            Some(Place::Nowhere) | None => no("an object is missing"),
        }
    }

    /// A stream: its dictionary, and its content inflated.
    fn stream_at(
        &mut self,
        at: u64,
        object: Option<u32>,
        depth: usize,
    ) -> Result<(Value, Vec<u8>)> {
        let window = self.window(at, MAX_OBJECT, is_whole)?;
        let mut parser = Parser::new(&window);
        let value = numbered(&mut parser, object).and_then(|()| parser.value());
        let Some(value) = value else {
            return no("an object isn't where it should be");
        };
        if parser.word(b"stream").is_none() {
            return no("a stream isn't where it should be");
        }
        let end_of_line = match parser.rest() {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => 0,
        };
        let begin = at + (window.len() - parser.rest().len() + end_of_line) as u64;
        let length = match value.get(b"Length") {
            Some(Value::Number(length)) => Some(*length),
            Some(Value::Reference(other)) => self.object_at(*other, depth + 1)?.number(),
            _ => None,
        };
        let length = length.and_then(|length| usize::try_from(length).ok());
        let Some(length) = length.filter(|&length| length <= MAX_STREAM) else {
            return no("a stream has no length, or is larger than any of a document");
        };
        let content = self.window(begin, length, |_| false)?;
        if content.len() < length {
            return no("a stream isn't whole");
        }
        let decoded = filter::decode(&value, content, MAX_STREAM.min(self.left))?;
        self.spend(decoded.len())?;
        Ok((value, decoded))
    }

    /// Bytes from a place on: until they are enough, or as many as may be.
    fn window(&mut self, at: u64, most: usize, enough: impl Fn(&[u8]) -> bool) -> Result<Vec<u8>> {
        self.file
            .seek(SeekFrom::Start(at.saturating_add(self.base)))?;
        let mut bytes = Vec::new();
        let mut wanted = FIRST_LOOK.min(most);
        loop {
            let before = bytes.len();
            bytes.resize(wanted, 0);
            let read = read_up_to(self.file, &mut bytes[before..])?;
            bytes.truncate(before + read);
            self.spend(read)?;
            if bytes.len() < wanted || wanted == most || enough(&bytes) {
                return Ok(bytes);
            }
            // Twice as many each time, so that looking again costs no more than looking once at the end.
            wanted = (wanted * 2).min(most);
        }
    }

    fn spend(&mut self, bytes: usize) -> Result<()> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => no("it is more intricate than a document is"),
        }
    }
}

/// Whether these bytes begin with a whole object, or with all of a stream but its content.
fn is_whole(bytes: &[u8]) -> bool {
    let mut parser = Parser::new(bytes);
    numbered(&mut parser, None).is_some()
        && parser.value().is_some()
        && [b"endobj".as_slice(), b"stream\n", b"stream\r\n"]
            .into_iter()
            .any(|end| parser.word(end).is_some())
}

/// `12 0 obj`
fn numbered(parser: &mut Parser<'_>, object: Option<u32>) -> Option<()> {
    let number = parser.unsigned()?;
    parser.unsigned()?;
    parser.word(b"obj")?;
    object
        .is_none_or(|object| u64::from(object) == number)
        .then_some(())
}

/// An object of a stream of objects: pairs of number and place come first.
fn within(value: &Value, content: &[u8], object: u32) -> Option<Value> {
    let first = usize::try_from(value.get(b"First")?.number()?).ok()?;
    let mut pairs = Parser::new(content.get(..first)?);
    loop {
        let (number, at) = (pairs.unsigned()?, pairs.unsigned()?);
        if number == u64::from(object) {
            let from = first.checked_add(usize::try_from(at).ok()?)?;
            return Parser::new(content.get(from..)?).value();
        }
    }
}
