//! Writes YAML for people: texts of several lines as such, long ones folded, small things on a line of their own.
//!
//! What is written is read again as exactly the same texts, by us and by any other reader of YAML 1.1 or 1.2.

/// Columns of a line where that can be helped.
const WIDTH: usize = 120;

/// What is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    /// A number, a switch, a value of an enum: never quoted.
    Word(String),
    Text(String),
    List(Vec<Yaml>),
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A whole document.
    pub fn document(&self) -> String {
        let mut out = String::new();
        match self {
            Self::Map(entries) => write_map(&mut out, entries, 0),
            other => out += &format!("{}\n", other.line().unwrap_or_default()),
        }
        out
    }

    /// On one line, if that is possible.
    fn line(&self) -> Option<String> {
        match self {
            Self::Word(word) => Some(word.clone()),
            Self::Text(text) => Some(scalar(text)),
            Self::List(items) => {
                let items: Option<Vec<_>> = items.iter().map(Self::small).collect();
                Some(format!("[{}]", items?.join(", ")))
            }
            Self::Map(entries) => {
                let entry =
                    |(key, value): &(String, Yaml)| Some(format!("{key}: {}", value.small()?));
                let entries: Option<Vec<_>> = entries.iter().map(entry).collect();
                Some(format!("{{{}}}", entries?.join(", ")))
            }
        }
    }

    /// Inside of a line that holds other things as well: no list of lists.
    fn small(&self) -> Option<String> {
        match self {
            Self::Word(_) | Self::Text(_) => self.line(),
            Self::List(items) if items.is_empty() => self.line(),
            Self::Map(entries)
                if entries
                    .iter()
                    .all(|(key, _)| matches!(key.as_str(), "file" | "asset")) =>
            {
                self.line()
            }
            _ => None,
        }
    }
}

fn write_map(out: &mut String, entries: &[(String, Yaml)], indent: usize) {
    for (key, value) in entries {
        *out += &" ".repeat(indent);
        *out += key;
        *out += ":";
        write_value(out, value, indent, indent + key.len() + 2);
    }
}

/// What follows a key; `column` is where it would begin.
fn write_value(out: &mut String, value: &Yaml, indent: usize, column: usize) {
    let fits = |line: &String| column + line.chars().count() <= WIDTH;
    match value {
        Yaml::Text(text) => {
            let block = block(text, indent + 2, column);
            *out += &format!(" {}\n", block.unwrap_or_else(|| scalar(text)));
        }
        Yaml::Map(entries) if !entries.is_empty() => match value.line().filter(fits) {
            Some(line) if entries.len() == 1 || value.small().is_some() => {
                *out += &format!(" {line}\n")
            }
            _ => {
                *out += "\n";
                write_map(out, entries, indent + 2);
            }
        },
        Yaml::List(items) if !items.is_empty() => {
            let short = items
                .iter()
                .all(|item| matches!(item, Yaml::Text(_) | Yaml::Word(_)));
            match value.line().filter(fits).filter(|_| short) {
                Some(line) => *out += &format!(" {line}\n"),
                None => {
                    *out += "\n";
                    items
                        .iter()
                        .for_each(|item| write_item(out, item, indent + 2));
                }
            }
        }
        small => *out += &format!(" {}\n", small.line().unwrap_or_default()),
    }
}

fn write_item(out: &mut String, item: &Yaml, indent: usize) {
    *out += &" ".repeat(indent);
    *out += "-";
    let line = item
        .line()
        .filter(|line| indent + 2 + line.chars().count() <= WIDTH);
    match (item, line) {
        (Yaml::Map(entries), None) if !entries.is_empty() => {
            // The first entry stands behind the dash.
            let mut inner = String::new();
            write_map(&mut inner, entries, indent + 2);
            *out += &inner[indent + 1..];
        }
        (Yaml::Text(_), _) | (_, None) => write_value(out, item, indent, indent + 2),
        (_, Some(line)) => *out += &format!(" {line}\n"),
    }
}

/// A text over several lines; `None`: it goes on one.
fn block(text: &str, indent: usize, column: usize) -> Option<String> {
    let pad = " ".repeat(indent);
    if text.contains('\n') {
        return literal(text).then(|| {
            let (lines, keep) = match text.strip_suffix('\n') {
                Some(lines) => (lines, "|"),
                None => (text, "|-"),
            };
            let lines = lines.split('\n').map(|line| match line {
                "" => String::new(),
                line => format!("{pad}{line}"),
            });
            format!("{keep}\n{}", lines.collect::<Vec<_>>().join("\n"))
        });
    }
    if column + text.chars().count() <= WIDTH || !folds(text) {
        return None;
    }
    let mut lines = vec![pad.clone()];
    for word in text.split(' ') {
        let line = lines.last_mut()?;
        let begins = line.len() == pad.len();
        if begins || line.chars().count() + 1 + word.chars().count() <= WIDTH {
            if !begins {
                line.push(' ');
            }
            line.push_str(word);
        } else {
            lines.push(format!("{pad}{word}"));
        }
    }
    Some(format!(">-\n{}", lines.join("\n")))
}

/// Whether lines can stand as they are: nothing about them that a reader of YAML might take for something else.
fn literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let plain = |line: &str| !line.ends_with(' ') && !line.chars().any(is_special);
    !body.starts_with([' ', '\n'])
        && !body.ends_with('\n')
        && !body.is_empty()
        && body.split('\n').all(plain)
}

/// Whether spaces can be turned into line ends and back.
fn folds(text: &str) -> bool {
    !text.starts_with(' ')
        && !text.ends_with(' ')
        && !text.contains("  ")
        && !text.chars().any(is_special)
}

/// What has to be escaped.
fn is_special(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
}

/// A text on one line.
fn scalar(text: &str) -> String {
    if text.chars().any(is_special) {
        return double_quoted(text);
    }
    if is_plain(text) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn double_quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '\\' => r"\\".to_owned(),
        '"' => "\\\"".to_owned(),
        '\n' => r"\n".to_owned(),
        '\t' => r"\t".to_owned(),
        '\r' => r"\r".to_owned(),
        c if is_special(c) => format!("\\u{:04x}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

/// Whether a text needs no quotes: it can't be taken for anything but a text, neither in a list nor elsewhere.
fn is_plain(text: &str) -> bool {
    const WORDS: [&str; 10] = [
        "null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan",
    ];
    let allowed = |c: char| c.is_alphanumeric() || " _-./+()%@$;=<>™®©–—’".contains(c);
    let number =
        |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | '_' | 'e' | 'E' | 'x' | 'o');
    text.starts_with(|c: char| c.is_alphanumeric())
        && !text.ends_with(' ')
        && text.chars().all(allowed)
        && !text.chars().all(number)
        && !["0x", "0b"].iter().any(|base| text.starts_with(base))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
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
            let written = yaml.document();
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
        ]);
        let wanted = format!(
            "offer: grafana\nversion: '12.1'\nnotes: |\n  one\n  two\nlong: >-\n  {}\n  {}\nlogo: {{file: images/logo.png}}\n\
             members:\n  - {{kind: TENANT, id: 7c1d}}\nmarkets: ['NO', US]\nnone: []\n",
            ["long"; 23].join(" "),
            ["long"; 7].join(" "),
        );
        assert_eq!(yaml.document(), wanted);
    }
}
