//! Writes YAML for people: texts of several lines as such, long ones folded, small things on a line of their own.
//!
//! What is written is read again as exactly the same texts, by us and by any other reader of YAML 1.1 or 1.2.

use serde::{Serialize, Serializer};
use serde_saphyr::{FlowMap, FlowSeq};

/// Columns of a folded text.
const WIDTH: usize = 112;
/// Columns of what stands on a line of its own.
const SHORT: usize = 100;

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    /// A number, a switch, a value of an enum.
    Word(String),
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A whole document.
    pub fn document(&self) -> Result<String, serde_saphyr::ser::Error> {
        let options = serde_saphyr::ser_options! {
            folded_wrap_chars: WIDTH,
            compact_list_indent: false,
        };
        serde_saphyr::to_string_with_options(self, options)
    }

    /// Columns on a line; `None`: it doesn't go on one.
    fn columns(&self) -> Option<usize> {
        let all = match self {
            Self::Word(text) | Self::Text(text) if text.contains('\n') => return None,
            Self::Word(text) | Self::Text(text) => text.chars().count(),
            Self::List(items) => items
                .iter()
                .map(|item| Some(item.columns()? + 2))
                .sum::<Option<_>>()?,
            Self::Map(entries) => {
                let columns =
                    |(key, value): &(String, Self)| Some(key.len() + value.columns()? + 4);
                entries.iter().map(columns).sum::<Option<_>>()?
            }
        };
        (all <= SHORT).then_some(all)
    }

    /// Whether it may stand on a line with others: a word, a file, nothing.
    fn is_small(&self) -> bool {
        match self {
            Self::Word(_) | Self::Text(_) => true,
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => {
                let of_file = |(key, _): &(String, Self)| matches!(key.as_str(), "file" | "asset");
                entries.iter().all(of_file)
            }
        }
    }
}

impl Serialize for Yaml {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Word(word) => match (word.parse::<i64>(), word.parse::<bool>()) {
                (Ok(number), _) => to.serialize_i64(number),
                (_, Ok(switch)) => to.serialize_bool(switch),
                _ => to.serialize_str(word),
            },
            Self::Text(text) => to.serialize_str(text),
            Self::List(items) if self.columns().is_some() && items.iter().all(is_scalar) => {
                FlowSeq(items).serialize(to)
            }
            Self::List(items) => to.collect_seq(items.iter().map(Item)),
            Self::Map(entries) if self.is_small() || entries.len() == 1 => Item(self).serialize(to),
            Self::Map(entries) => Entries(entries).serialize(to),
        }
    }
}

fn is_scalar(yaml: &Yaml) -> bool {
    matches!(yaml, Yaml::Word(_) | Yaml::Text(_))
}

/// What goes on a line of its own, if it is short.
struct Item<'a>(&'a Yaml);

impl Serialize for Item<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Yaml::Map(entries) => {
                let small = entries.iter().all(|(_, value)| value.is_small());
                match self.0.columns().filter(|_| small) {
                    Some(_) => FlowMap(Entries(entries)).serialize(to),
                    None => Entries(entries).serialize(to),
                }
            }
            other => other.serialize(to),
        }
    }
}

struct Entries<'a>(&'a [(String, Yaml)]);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(key, value)| (key, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::tree::{self, Node, Value};

    fn same(yaml: &Yaml, node: &Node) -> bool {
        match (yaml, &node.value) {
            (Yaml::Word(a) | Yaml::Text(a), Value::Text(b)) => a == b,
            (Yaml::List(a), Value::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Yaml::Map(a), Value::Map(b)) => {
                a.len() == b.len()
                    && a.iter()
                        .zip(b)
                        .all(|((key, a), b)| *key == b.key && same(a, &b.node))
            }
            _ => false,
        }
    }

    fn map(entries: Vec<(&str, Yaml)>) -> Yaml {
        Yaml::Map(
            entries
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        )
    }

    fn texts() -> Vec<String> {
        let long = "word ".repeat(60);
        let wide = "x".repeat(300);
        let written = [
            "",
            " ",
            "a",
            "NO",
            "true",
            "~",
            "null",
            "49.00",
            "1e5",
            "0x1f",
            "0b11",
            "2026-01-01",
            "8.1.3",
            "a: b",
            "a #b",
            "a:",
            "- a",
            "-",
            "[a]",
            "{a}",
            "a, b",
            "'",
            "\"",
            "it's",
            "a\\b",
            "#",
            "@a",
            "%a",
            "&a",
            "*a",
            "!a",
            "|",
            ">",
            "?",
            "? a",
            "<<",
            "=",
            "a\tb",
            "a\rb",
            "a\u{85}b",
            "\u{feff}",
            "\u{2028}",
            "\u{7f}",
            "\u{0}",
            "ä ö 漢字 🦀",
            "\n",
            "\n\n",
            "a\n",
            "a\n\n",
            "a\nb",
            "a\nb\n",
            "a\n\nb",
            " a\nb",
            "a \nb",
            "a\n b\n",
            "\na",
            "a\n  \nb",
            "a\nb\n\n",
            "---",
            "...",
            "---\na",
            "a\n---\n",
            "<p>a</p>\n<p>b: c</p>\n",
            "********",
            "https://contoso.com/a?b=c#d",
            "trailing ",
            long.trim(),
            &long,
            &wide,
            "key: >-",
            "a\n\tb",
            "\ta",
        ];
        written.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn every_text_is_read_again_as_it_was_wherever_it_stands() {
        for text in texts() {
            let t = || Yaml::Text(text.clone());
            let yaml = map(vec![
                ("alone", t()),
                ("list", Yaml::List(vec![t(), Yaml::Word("3".into()), t()])),
                (
                    "small",
                    Yaml::List(vec![map(vec![("kind", t()), ("id", t())])]),
                ),
                (
                    "deep",
                    map(vec![
                        ("er", map(vec![("est", t()), ("other", t())])),
                        ("empty", map(vec![])),
                    ]),
                ),
                (
                    "items",
                    Yaml::List(vec![map(vec![
                        ("a", Yaml::List(vec![map(vec![("b", t())])])),
                        ("c", t()),
                    ])]),
                ),
                ("last", t()),
            ]);
            let written = yaml.document().unwrap();
            let read =
                tree::parse("f", &written).unwrap_or_else(|e| panic!("{text:?}: {e}\n{written}"));
            assert!(same(&yaml, &read), "{text:?}\n{written}\n{read:#?}");
        }
    }

    #[test]
    fn it_is_written_for_people() {
        let text = |text: &str| Yaml::Text(text.to_owned());
        let words = ["long"; 30].join(" ");
        let yaml = map(vec![
            ("offer", text("grafana")),
            ("version", text("12.1")),
            ("notes", text("one\ntwo\n")),
            ("long", text(&words)),
            ("logo", map(vec![("file", text("images/logo.png"))])),
            (
                "members",
                Yaml::List(vec![map(vec![
                    ("kind", Yaml::Word("TENANT".into())),
                    ("id", text("7c1d")),
                ])]),
            ),
            ("markets", Yaml::List(vec![text("NO"), text("US")])),
            ("none", Yaml::List(vec![])),
            ("hidden", Yaml::Word("true".into())),
            ("seats", Yaml::Word("5".into())),
        ]);
        let wanted = format!(
            "offer: grafana\nversion: \"12.1\"\nnotes: |\n  one\n  two\nlong: >-\n  {}\n  {}\nlogo: {{file: images/logo.png}}\n\
             members:\n  - {{kind: TENANT, id: 7c1d}}\nmarkets: [\"NO\", US]\nnone: []\nhidden: true\nseats: 5\n",
            ["long"; 22].join(" "),
            ["long"; 8].join(" "),
        );
        assert_eq!(yaml.document().unwrap(), wanted);
    }
}
