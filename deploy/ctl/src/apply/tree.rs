//! A YAML file as a tree in which every node knows its line. Scalars stay texts: the field they are for says what they
//! mean, so that `NO` is a country and `49.00` keeps its cents.

use saphyr::{MarkedYaml, ScalarStyle, YamlData, YamlLoader};
use saphyr_parser::Parser;

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

/// Reads a file of one document.
pub fn parse(file: &str, text: &str) -> Result<Node, Problem> {
    let problem = |line, text| Problem {
        file: file.to_owned(),
        line,
        text,
    };
    let mut loader = YamlLoader::<MarkedYaml>::default();
    loader.early_parse(false);
    let scanned = Parser::new_from_str(text).load(&mut loader, true);
    if let Some(error) = scanned.err().as_ref().or(loader.error()) {
        return Err(problem(error.marker().line(), error.info().to_owned()));
    }
    let documents = loader.into_documents();
    match documents.as_slice() {
        [] => Err(problem(0, "is empty".into())),
        [one] => node(one).map_err(|(line, text)| problem(line, text)),
        [_, second, ..] => Err(problem(
            second.span.start.line(),
            "a file holds one offer; begin no second document".into(),
        )),
    }
}

fn node(yaml: &MarkedYaml) -> Result<Node, (usize, String)> {
    let line = yaml.span.start.line();
    let value = match &yaml.data {
        YamlData::Representation(text, style, _) => scalar(text, *style),
        YamlData::Sequence(items) => Value::List(items.iter().map(node).collect::<Result<_, _>>()?),
        YamlData::Mapping(entries) => Value::Map(
            entries
                .iter()
                .map(|(k, v)| entry(k, v))
                .collect::<Result<_, _>>()?,
        ),
        YamlData::Tagged(tag, _) => {
            return Err((line, format!("tags such as {tag} are not used here")));
        }
        // With early_parse off nothing is a value yet; aliases are resolved by the loader.
        YamlData::Value(_) | YamlData::Alias(_) | YamlData::BadValue => {
            return Err((line, "is not understood".into()));
        }
    };
    Ok(Node { line, value })
}

fn entry(key: &MarkedYaml, value: &MarkedYaml) -> Result<Entry, (usize, String)> {
    let line = key.span.start.line();
    match &key.data {
        YamlData::Representation(text, ..) => Ok(Entry {
            key: text.to_string(),
            line,
            node: node(value)?,
        }),
        _ => Err((line, "a key must be a word".into())),
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Value {
    match text {
        "" | "~" | "null" if style == ScalarStyle::Plain => Value::Null,
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
        assert_eq!(line("a: 1\n---\nb: 2\n"), 3);
        assert_eq!(line("a: 1\nb: [1, 2\nc: 3\n"), 3);
        assert_eq!(line("a: 1\na: 2\n"), 2);
        assert_eq!(line(""), 0);
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
