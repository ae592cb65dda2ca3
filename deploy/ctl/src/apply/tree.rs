//! A YAML file as a tree in which every node knows its line. Scalars stay texts: the field they are for says what they
//! mean, so that `NO` is a country and `49.00` keeps its cents.

use std::collections::{BTreeMap, BTreeSet};

use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};

use crate::error::Problem;

/// A node and the line where it begins, from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub line: usize,
    pub value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub key: String,
    pub line: usize,
    pub node: Node,
}

impl Node {
    /// "a text", "a list", …, for sentences.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Text(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Map(entries) => Some(entries),
            _ => None,
        }
    }
}

/// The deepest nesting; pages of the proto have a third of it. What walks a tree calls itself this often and no more.
const DEEPEST: usize = 32;
/// The most that anchors and aliases may repeat, in bytes.
const MOST_REPEATED: usize = 4 * 1024 * 1024;

/// A line and what is wrong there.
type Wrong = (usize, String);

/// Reads a file of one document.
pub fn parse(file: &str, text: &str) -> Result<Node, Problem> {
    let mut reading = Reading {
        events: Parser::new_from_str(text),
        anchors: BTreeMap::new(),
        repeated: 0,
    };
    reading.document().map_err(|(line, text)| Problem {
        file: file.to_owned(),
        line,
        text,
    })
}

struct Reading<'t> {
    events: Parser<'t, StrInput<'t>>,
    /// Complete nodes: nothing holds itself.
    anchors: BTreeMap<usize, Node>,
    repeated: usize,
}

impl<'t> Reading<'t> {
    fn next(&mut self) -> Result<(Event<'t>, usize), Wrong> {
        match self.events.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => Err((error.marker().line(), error.info().to_owned())),
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn document(&mut self) -> Result<Node, Wrong> {
        let mut document = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => break,
                (Event::DocumentStart(_), line) if document.is_some() => {
                    let text = "a file holds one offer; begin no second document";
                    return Err((line, text.to_owned()));
                }
                (Event::DocumentStart(_), _) => {
                    let (event, line) = self.next()?;
                    document = Some(self.node(event, line, 1)?);
                }
                _ => {}
            }
        }
        document
            .filter(|node| node.value != Value::Null)
            .ok_or((0, "is empty".to_owned()))
    }

    /// The node that begins with this event.
    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Wrong> {
        let too_deep = || (line, format!("is nested deeper than {DEEPEST} levels"));
        if depth > DEEPEST {
            return Err(too_deep());
        }
        let (value, anchor, tag) = match event {
            Event::Scalar(text, style, anchor, tag) => (scalar(&text, style), anchor, tag),
            Event::SequenceStart(anchor, tag) => (self.list(depth)?, anchor, tag),
            Event::MappingStart(anchor, tag) => (self.map(depth)?, anchor, tag),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or((line, "what an alias is for can't hold it".to_owned()))?;
                let node = Node { line, ..node };
                if depth + self.repeats(&node)? > DEEPEST + 1 {
                    return Err(too_deep());
                }
                return Ok(node);
            }
            _ => return Err((line, "is not understood".to_owned())),
        };
        if let Some(tag) = tag {
            return Err((line, format!("tags such as {tag} are not used here")));
        }
        let node = Node { line, value };
        if anchor > 0 {
            // A copy is kept whether or not an alias ever asks for it.
            self.repeats(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// Counts what is there once more; answers how many levels that has.
    fn repeats(&mut self, node: &Node) -> Result<usize, Wrong> {
        let (bytes, levels) = extent(node);
        self.repeated += bytes;
        match self.repeated > MOST_REPEATED {
            true => Err((node.line, "anchors and aliases repeat too much".to_owned())),
            false => Ok(levels),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::List(items)),
                (event, line) => items.push(self.node(event, line, depth + 1)?),
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, Wrong> {
        let mut entries = Vec::new();
        let mut keys = BTreeSet::new();
        loop {
            let (key, line) = match self.next()? {
                (Event::MappingEnd, _) => return Ok(Value::Map(entries)),
                (Event::Scalar(key, _, _, None), line) => (key.into_owned(), line),
                (_, line) => return Err((line, "a key must be a word".to_owned())),
            };
            if !keys.insert(key.clone()) {
                return Err((line, format!("{key} is there twice")));
            }
            let (event, begins) = self.next()?;
            let mut node = self.node(event, begins, depth + 1)?;
            if node.value == Value::Null {
                // Nothing begins nowhere: it is where its key is.
                node.line = line;
            }
            entries.push(Entry { key, line, node });
        }
    }
}

/// The bytes of a node, roughly, and its levels.
fn extent(node: &Node) -> (usize, usize) {
    let inner: Vec<_> = match &node.value {
        Value::Null => vec![],
        Value::Text(text) => return (size_of::<Node>() + text.len(), 1),
        Value::List(items) => items.iter().map(extent).collect(),
        Value::Map(entries) => entries.iter().map(|entry| extent(&entry.node)).collect(),
    };
    let bytes: usize = inner
        .iter()
        .map(|(bytes, _)| bytes + size_of::<Entry>())
        .sum();
    let levels = inner.iter().map(|(_, levels)| *levels).max();
    (size_of::<Node>() + bytes, 1 + levels.unwrap_or_default())
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" if style == ScalarStyle::Plain => Value::Null,
        _ => Value::Text(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scalars_stay_what_was_written() {
        let tree = parse(
            "f",
            "country: NO\namount: 49.00\nversion: '11'\nnone:\nempty: ''\n",
        )
        .unwrap();
        let values: Vec<_> = tree
            .entries()
            .unwrap()
            .iter()
            .map(|e| e.node.value.clone())
            .collect();
        let text = |t: &str| Value::Text(t.into());
        assert_eq!(
            values,
            [text("NO"), text("49.00"), text("11"), Value::Null, text("")]
        );
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        let tree = parse(
            "f",
            "# comment\na: 1\n\nb:\n  - x\n  - y: |\n      long\n      text\n",
        )
        .unwrap();
        let [a, b] = tree.entries().unwrap() else {
            panic!("{tree:?}")
        };
        assert_eq!((a.line, b.line), (2, 4));
        let Value::List(items) = &b.node.value else {
            panic!("{b:?}")
        };
        assert_eq!((items[0].line, items[1].line), (5, 6));
        assert_eq!(
            items[1].entries().unwrap()[0].node.text(),
            Some("long\ntext\n")
        );
    }

    #[test]
    fn what_is_no_single_document_is_refused_with_its_line() {
        let line = |text| parse("f", text).unwrap_err().line;
        assert_eq!(line("a: 1\n---\nb: 2\n"), 2);
        assert_eq!(line("a: 1\nb: [1, 2\nc: 3\n"), 3);
        assert_eq!(line("a: 1\na: 2\n"), 2);
        assert_eq!(line("a: 1\n'a': 2\n"), 2);
        for empty in ["", "# only words\n", "---\n", "---\n# only words\n", "~\n"] {
            assert_eq!(line(empty), 0, "{empty:?}");
        }
    }

    #[test]
    fn tags_are_refused_wherever_they_stand() {
        for tagged in [
            "a: !env X\n",
            "a: !include b\n",
            "a: !!str 1\n",
            "a: !x [1]\n",
            "a: !x {b: 1}\n",
            "!x a: 1\n",
        ] {
            assert_eq!(parse("f", tagged).unwrap_err().line, 1, "{tagged}");
        }
    }

    #[test]
    fn nothing_is_where_its_key_is() {
        let tree = parse("f", "a:\n\nb:\n  - 1\n  -\n  - 2\n").unwrap();
        let [a, b] = tree.entries().unwrap() else {
            panic!("{tree:?}")
        };
        let Value::List(items) = &b.node.value else {
            panic!("{b:?}")
        };
        assert_eq!((a.node.line, items[1].line), (1, 5));
    }

    #[test]
    fn odd_sizes_are_refused_and_not_suffered() {
        let said = |text: &str| parse("f", text).unwrap_err().text;
        let deep = "is nested deeper than 32 levels";
        assert_eq!(said(&"- ".repeat(100_000)), deep);
        assert_eq!(said(&format!("a: {}", "[".repeat(100))), deep);
        let stairs: String = (0..100)
            .map(|at| format!("{}a:\n", " ".repeat(at)))
            .collect();
        assert_eq!(said(&stairs), deep);
        let chain: String = (1..100)
            .map(|at| format!("a{at}: &a{at} [*a{}]\n", at - 1))
            .collect();
        assert_eq!(said(&format!("a0: &a0 x\n{chain}")), deep);
        let laughs: String = (1..30)
            .map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}]\n", at - 1))
            .collect();
        assert_eq!(
            said(&format!("a0: &a0 ha\n{laughs}")),
            "anchors and aliases repeat too much"
        );
        let anchors: String = (0..30).map(|at| format!("&a{at} [")).collect();
        let long = format!("a: {anchors}{}", "x,".repeat(200_000));
        assert_eq!(
            said(&format!("{long}{}", "]".repeat(30))),
            "anchors and aliases repeat too much"
        );
        assert!(said("a: &a [*a]\n").contains("alias"));
    }

    #[test]
    fn an_anchor_is_written_out() {
        let tree = parse("f", "a: &x {b: c}\nd: *x\n").unwrap();
        let [a, d] = tree.entries().unwrap() else {
            panic!("{tree:?}")
        };
        assert_eq!(a.node.value, d.node.value);
    }
}
