//! Documents as writers make them, and as nobody should.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::*;

fn code(bytes: &[u8]) -> String {
    match inspect(&mut Cursor::new(bytes)).unwrap() {
        Ok(found) => found.content_type.to_owned(),
        Err(fault) => format!("{}: {}", fault.code, fault.message),
    }
}

const OK: &str = "application/pdf";

/// A document of these objects, numbered from 1, with a table.
fn document(objects: &[&str]) -> Vec<u8> {
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut table = String::from("0000000000 65535 f \n");
    for (at, object) in objects.iter().enumerate() {
        table += &format!("{:010} 00000 n \n", bytes.len());
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", at + 1).bytes());
    }
    let (start, size) = (bytes.len(), objects.len() + 1);
    bytes.extend(format!("xref\n0 {size}\n{table}trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n").bytes());
    bytes
}

fn deflated(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A document whose objects stand in stream 1, which is `packed`; its cross-reference is a stream too, made relative as
/// writers do.
fn packed(objects: &[(u32, &[u8])], packed: impl Fn(Vec<u8>) -> Vec<u8>, length: &str) -> Vec<u8> {
    let mut index = String::new();
    let mut content = Vec::new();
    for (number, object) in objects {
        index += &format!("{number} {} ", content.len());
        content.extend_from_slice(object);
        content.push(b' ');
    }
    let first = index.len();
    let stream = packed([index.into_bytes(), content].concat());
    let mut bytes = b"%PDF-1.5\n".to_vec();
    let at = bytes.len() as u16;
    let length = length.replace('#', &stream.len().to_string());
    let head = format!(
        "1 0 obj\n<< /Type /ObjStm /N {} /First {first} /Length {length} /Filter /FlateDecode >>\nstream\n",
        objects.len()
    );
    bytes.extend(head.bytes());
    bytes.extend(stream);
    bytes.extend(b"\nendstream\nendobj\n");
    let start = bytes.len();
    let mut rows = vec![[0, 0, 0, 0], [1, (at >> 8) as u8, at as u8, 0]];
    rows.extend(
        objects
            .iter()
            .enumerate()
            .map(|(at, _)| [2, 0, 1, at as u8]),
    );
    let mut above = [0; 4];
    let mut relative = Vec::new();
    for row in &rows {
        relative.push(2);
        relative.extend((0..4).map(|at| row[at].wrapping_sub(above[at])));
        above = *row;
    }
    let table = deflated(&relative);
    let size = rows.len();
    let head = format!(
        "{size} 0 obj\n<< /Type /XRef /Size {size} /W [1 2 1] /Root 2 0 R /Filter /FlateDecode /DecodeParms << /Predictor 12 /Columns 4 >> /Length {} >>\nstream\r\n",
        table.len()
    );
    bytes.extend(head.bytes());
    bytes.extend(table);
    bytes.extend(format!("\nendstream\nendobj\nstartxref\n{start}\n%%EOF").bytes());
    bytes
}

const CATALOG: &str = "<< /Type /Catalog /Pages 2 0 R >>";
const PAGES: &str = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>";
const PAGE: &str = "<< /Type /Page /Parent 2 0 R >>";

#[test]
fn li_13_a_document_has_a_page() {
    let good = document(&[CATALOG, PAGES, PAGE]);
    assert_eq!(code(&good), OK);
    let after_junk = [b"junk before\n".as_slice(), &good].concat();
    assert_eq!(code(&after_junk), OK, "places count from the header");
    let shared: [(u32, &[u8]); 3] = [
        (2, b"<< /Type /Catalog /Pages 3 0 R >>"),
        (3, b"<< /Type /Pages /Kids [4 0 R] >>"),
        (4, b"<< /Type /Page >>"),
    ];
    assert_eq!(code(&packed(&shared, |bytes| deflated(&bytes), "#")), OK);
    for (objects, why) in [
        (
            &[CATALOG, "<< /Type /Pages /Kids [] /Count 0 >>"][..],
            "it has no page",
        ),
        (
            &[CATALOG, "<< /Type /Pages /Kids [2 0 R] >>"],
            "it has no page",
        ),
        (
            &[CATALOG, "<< /Type /Pages /Kids [9 0 R] >>"],
            "an object is missing",
        ),
        (
            &["<< /Type /Pages /Kids [2 0 R] >>", PAGE],
            "it has no catalogue",
        ),
        (
            &["(/Type /Catalog /Pages 2 0 R)", PAGES, PAGE],
            "it has no catalogue",
        ),
        (&[CATALOG], "an object is missing"),
    ] {
        let found = code(&document(objects));
        assert!(
            found.starts_with("DAMAGED_PDF") && found.contains(why),
            "{found}"
        );
    }
    // What looks like a document to somebody who searches for words.
    let words = b"%PDF-1.4 xref trailer << /Root /XRef >> startxref\n9\n%%EOF";
    assert!(code(words).starts_with("DAMAGED_PDF"), "{}", code(words));
}

#[test]
fn li_13_an_encrypted_document_is_none_for_customers() {
    let text = String::from_utf8(document(&[CATALOG, PAGES, PAGE])).unwrap();
    let locked = text.replace("/Root 1 0 R", "/Root 1 0 R /Encrypt 9 0 R");
    assert!(code(locked.as_bytes()).starts_with("ENCRYPTED_PDF"));
}

/// Ends soon: who waits an hour for a file is as good as dead.
fn is_bounded(what: &str, bytes: &[u8]) {
    let begun = Instant::now();
    let found = code(bytes);
    let took = begun.elapsed();
    assert!(found.starts_with("DAMAGED_PDF"), "{what}: {found}");
    assert!(took < Duration::from_secs(20), "{what}: {took:?}");
}

#[test]
fn li_13_hostile_documents_cost_no_more_than_others() {
    let before = peak();
    let deep = format!(
        "<< /Type /Catalog /Pages 2 0 R /X {}",
        "[".repeat(2_000_000)
    );
    is_bounded("nested arrays", &document(&[&deep, PAGES, PAGE]));
    let wide = format!("<< /Type /Pages /Kids [{}] >>", "2 0 R ".repeat(100_000));
    is_bounded("a node that is its own child", &document(&[CATALOG, &wide]));
    let chain: Vec<String> = (3..3_000)
        .map(|next| format!("<< /Type /Pages /Kids [{next} 0 R] >>"))
        .collect();
    let chain: Vec<&str> = std::iter::once(CATALOG)
        .chain(chain.iter().map(String::as_str))
        .collect();
    is_bounded("a chain without a page", &document(&chain));

    let text = String::from_utf8(document(&[CATALOG, PAGES, PAGE])).unwrap();
    let huge = text.replace("xref\n0 4\n", "xref\n0 18446744073709551615\n");
    is_bounded("a table of everything", huge.as_bytes());
    let start = text.find("xref\n0").unwrap();
    let circle = text.replace("/Size 4", &format!("/Size 4 /Prev {start}"));
    is_bounded("a table before itself", circle.as_bytes());

    let kids: [(u32, &[u8]); 1] = [(2, b"<< /Type /Catalog /Pages 2 0 R >>")];
    let zeros = deflated(&vec![b' '; 16 * 1024 * 1024]);
    is_bounded(
        "a stream that inflates",
        &packed(&kids, |_| zeros.clone(), "#"),
    );
    is_bounded(
        "a length without end",
        &packed(&kids, |bytes| deflated(&bytes), "99999999999999"),
    );
    is_bounded(
        "a length within its stream",
        &packed(&kids, |bytes| deflated(&bytes), "2 0 R"),
    );
    // In a stream of a few kilobytes, and in a file as long as a section may be.
    let names = format!("[{}]", "/".repeat(7 * 1024 * 1024));
    is_bounded(
        "an array of millions",
        &packed(&[(2, names.as_bytes())], |bytes| deflated(&bytes), "#"),
    );
    let trailer = text.replace("/Size 4", &format!("/Size 4 /X {names}"));
    is_bounded("a trailer of millions", trailer.as_bytes());
    assert!(peak() - before < 100, "{before} MiB became {}", peak());
}

/// The most memory that this process ever had, in MiB.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() / 1024
}
