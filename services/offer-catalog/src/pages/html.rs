//! The HTML of descriptions (LI-4): a few tags, without attributes, balanced. What passes is safe to show as it is.
//!
//! `<` begins a tag exactly where an HTML 5 tokenizer sees one: before a letter, `/`, `!` or `?`. Anywhere else it is text.

use std::collections::HashMap;

/// Tags that a description may have.
const TAGS: [&str; 15] = [
    "b", "i", "em", "strong", "br", "p", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6",
];

/// Something that a description may not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
}

/// A piece of a description.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece<'a> {
    Text(&'a str),
    /// What stands between `<` and `>`; `None`: the tag never ends.
    Tag(Option<&'a str>),
}

/// The most distinct faults that are looked for: who has more has no description, and each is compared with all others.
const MOST_FAULTS: usize = 200;

/// Every distinct fault, in the order in which they occur; at most [`MOST_FAULTS`].
pub fn faults(html: &str) -> Vec<Fault> {
    let mut found: Vec<Fault> = Vec::new();
    let mut note = |code, message| {
        let fault = Fault { code, message };
        if found.len() < MOST_FAULTS && !found.contains(&fault) {
            found.push(fault);
        }
    };
    let mut open = Open::default();
    for piece in pieces(html) {
        match piece {
            Piece::Text(_) => {}
            Piece::Tag(None) => note(
                "UNBALANCED_HTML",
                "a tag is begun with < and never ended with >".to_owned(),
            ),
            Piece::Tag(Some(inside)) => tag(inside, &mut open, &mut note),
        }
    }
    for name in open.names.iter().rev() {
        note("UNBALANCED_HTML", format!("<{name}> is never closed"));
    }
    found
}

/// Tags that are open, the innermost last, and how many there are of each, so that a tag which closes nothing is told
/// without a look at all that are open.
#[derive(Default)]
struct Open {
    names: Vec<&'static str>,
    of_each: HashMap<&'static str, usize>,
}

impl Open {
    fn push(&mut self, name: &'static str) {
        self.names.push(name);
        *self.of_each.entry(name).or_default() += 1;
    }

    fn has(&self, name: &str) -> bool {
        self.of_each.get(name).is_some_and(|&number| number > 0)
    }

    fn pop(&mut self) -> Option<&'static str> {
        let name = self.names.pop()?;
        if let Some(number) = self.of_each.get_mut(name) {
            *number -= 1;
        }
        Some(name)
    }
}

fn tag(inside: &str, open: &mut Open, note: &mut impl FnMut(&'static str, String)) {
    let (closing, inside) = inside
        .strip_prefix('/')
        .map_or((false, inside), |rest| (true, rest));
    let name: String = inside
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect::<String>()
        .to_ascii_lowercase();
    let rest = inside.get(name.len()..).unwrap_or_default();
    let Some(&name) = TAGS.iter().find(|tag| **tag == name) else {
        let shown: String = inside.chars().take(20).collect();
        return note("TAG_NOT_ALLOWED", format!("<{shown}> is not allowed"));
    };
    if !matches!(rest.trim(), "" | "/") {
        note(
            "ATTRIBUTE_NOT_ALLOWED",
            format!("<{name}> has attributes; none are allowed"),
        );
    }
    match (name, closing) {
        ("br", _) => {}
        (_, false) => open.push(name),
        (_, true) if open.has(name) => close(name, open, note),
        (_, true) => note("UNBALANCED_HTML", format!("</{name}> closes nothing")),
    }
}

/// Closes a tag that is open, and what is open inside of it.
fn close(name: &str, open: &mut Open, note: &mut impl FnMut(&'static str, String)) {
    while let Some(inner) = open.pop().filter(|inner| *inner != name) {
        note(
            "UNBALANCED_HTML",
            format!("<{inner}> is not closed before </{name}>"),
        );
    }
}

/// Whether there is any tag.
pub fn has_tags(text: &str) -> bool {
    pieces(text).any(|piece| matches!(piece, Piece::Tag(_)))
}

/// What a reader sees: without tags, blanks collapsed.
pub fn visible_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for piece in pieces(html) {
        match piece {
            Piece::Text(part) => text.push_str(part),
            Piece::Tag(_) => text.push(' '),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn pieces(html: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = html;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (piece, after) = match tag_at(rest) {
            Some(0) => match rest.find('>') {
                Some(end) => (Piece::Tag(rest.get(1..end)), rest.get(end + 1..)),
                None => (Piece::Tag(None), None),
            },
            Some(start) => (
                Piece::Text(rest.get(..start).unwrap_or_default()),
                rest.get(start..),
            ),
            None => (Piece::Text(rest), None),
        };
        rest = after.unwrap_or_default();
        Some(piece)
    })
}

/// Where the first tag begins.
fn tag_at(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let begins = |next: &u8| next.is_ascii_alphabetic() || matches!(next, b'/' | b'!' | b'?');
    bytes
        .windows(2)
        .position(|pair| matches!(pair, [b'<', next] if begins(next)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn li_4_supported_tags_pass_and_nothing_else_does() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("plain, 1 < 2 and a <3", &[]),
            (
                "<p>Hello <b>you</b><br>there<br/></p><UL><li>a</li></UL>",
                &[],
            ),
            (
                "<h1>a</h1><h6>b</h6><em>c</em><strong>d</strong><i>e</i><ol></ol>",
                &[],
            ),
            ("<script>alert(1)</script>", &["TAG_NOT_ALLOWED"]),
            ("<h7>x</h7>", &["TAG_NOT_ALLOWED"]),
            ("<p onclick='x'>a</p>", &["ATTRIBUTE_NOT_ALLOWED"]),
            ("<!-- a comment -->", &["TAG_NOT_ALLOWED"]),
            ("<?php ?>", &["TAG_NOT_ALLOWED"]),
            ("<p>open", &["UNBALANCED_HTML"]),
            ("closed</p>", &["UNBALANCED_HTML"]),
            (
                "<b><i>crossed</b></i>",
                &["UNBALANCED_HTML", "UNBALANCED_HTML"],
            ),
            ("a <b", &["UNBALANCED_HTML"]),
            ("<p><p></p></p>", &[]),
            ("<b></b></b>", &["UNBALANCED_HTML"]),
        ];
        for (html, codes) in cases {
            let found: Vec<&str> = faults(html).iter().map(|fault| fault.code).collect();
            assert_eq!(&found, codes, "{html}");
        }
    }

    #[test]
    fn readers_see_text_without_tags() {
        assert_eq!(
            visible_text("<p>One\n two</p><p>three</p>"),
            "One two three"
        );
        assert_eq!(visible_text("a < b"), "a < b");
    }

    #[test]
    fn deep_nesting_costs_no_stack() {
        let deep = "<b>".repeat(100_000);
        assert_eq!(faults(&deep).len(), 1);
    }

    /// LI-4: each of these was compared with every other one.
    #[test]
    fn li_4_ever_new_faults_cost_no_more_than_their_number() {
        let begun = std::time::Instant::now();
        let all_different: String = (0..50_000).map(|at| format!("<x{at}>")).collect();
        assert_eq!(faults(&all_different).len(), MOST_FAULTS);
        let out_of_turn = "<b>".repeat(50_000) + &"</i>".repeat(50_000);
        assert_eq!(faults(&out_of_turn).len(), 2);
        let crossed = "<b><i></b>".repeat(25_000);
        assert_eq!(faults(&crossed).len(), 1);
        let took = begun.elapsed();
        assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    }
}
