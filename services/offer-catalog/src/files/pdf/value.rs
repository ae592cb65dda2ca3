//! The values of a PDF: as much of its syntax as the way from the end of a file to its first page needs.

/// A dictionary's key is compared as it stands: names with escapes are not those that are looked for.
pub(super) type Dictionary = Vec<(Vec<u8>, Value)>;

/// How deep arrays and dictionaries may stand in each other: the parser calls itself.
const MAX_DEPTH: usize = 64;
/// The most values in one: each takes many times the room of the one byte that it may be written in.
const MAX_VALUES: usize = 100_000;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(i64),
    Name(Vec<u8>),
    Array(Vec<Value>),
    Dictionary(Dictionary),
    /// The number of an indirect object.
    Reference(u32),
    /// What is of no matter here: text, other numbers, true, false, null.
    Other,
}

impl Value {
    pub(super) fn get(&self, key: &[u8]) -> Option<&Value> {
        let Value::Dictionary(entries) = self else {
            return None;
        };
        entries
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value)
    }

    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    pub(super) fn reference(&self) -> Option<u32> {
        match self {
            Value::Reference(object) => Some(*object),
            _ => None,
        }
    }

    pub(super) fn array(&self) -> Option<&[Value]> {
        match self {
            Value::Array(values) => Some(values),
            _ => None,
        }
    }

    pub(super) fn is_name(&self, name: &[u8]) -> bool {
        matches!(self, Value::Name(found) if found == name)
    }
}

/// Reads values one after the other. `None`, wherever it is answered: there is none, or it isn't whole.
pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
    values_left: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            values_left: MAX_VALUES,
        }
    }

    /// What wasn't read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// A word that must come next.
    pub(super) fn word(&mut self, word: &[u8]) -> Option<()> {
        self.skip();
        self.rest().starts_with(word).then(|| self.at += word.len())
    }

    /// A number that is never negative.
    pub(super) fn unsigned(&mut self) -> Option<u64> {
        self.skip();
        let digits = self
            .rest()
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count();
        let text = std::str::from_utf8(&self.rest()[..digits]).ok()?;
        self.at += digits;
        text.parse().ok()
    }

    pub(super) fn value(&mut self) -> Option<Value> {
        self.value_at(0)
    }

    fn value_at(&mut self, depth: usize) -> Option<Value> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.values_left = self.values_left.checked_sub(1)?;
        self.skip();
        match *self.rest().first()? {
            b'/' => Some(Value::Name(self.name())),
            b'[' => self.array(depth),
            b'<' if self.rest().starts_with(b"<<") => self.dictionary(depth),
            b'<' => {
                let end = self.rest().iter().position(|&c| c == b'>')?;
                self.at += end + 1;
                Some(Value::Other)
            }
            b'(' => self.text(),
            c if c.is_ascii_digit() => Some(self.number_or_reference()),
            _ => self.regular().map(|_| Value::Other),
        }
    }

    fn array(&mut self, depth: usize) -> Option<Value> {
        self.at += 1;
        let mut values = Vec::new();
        loop {
            self.skip();
            if self.rest().first() == Some(&b']') {
                self.at += 1;
                return Some(Value::Array(values));
            }
            values.push(self.value_at(depth + 1)?);
        }
    }

    fn dictionary(&mut self, depth: usize) -> Option<Value> {
        self.at += 2;
        let mut entries = Vec::new();
        loop {
            self.skip();
            if self.rest().starts_with(b">>") {
                self.at += 2;
                return Some(Value::Dictionary(entries));
            }
            if self.rest().first() != Some(&b'/') {
                return None;
            }
            let key = self.name();
            entries.push((key, self.value_at(depth + 1)?));
        }
    }

    fn name(&mut self) -> Vec<u8> {
        self.at += 1;
        self.regular().unwrap_or_default().to_vec()
    }

    /// Text in parentheses, which may stand in each other.
    fn text(&mut self) -> Option<Value> {
        let mut open = 0_usize;
        let mut escaped = false;
        for (at, &c) in self.rest().iter().enumerate() {
            match c {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'(' => open += 1,
                b')' if open == 1 => {
                    self.at += at + 1;
                    return Some(Value::Other);
                }
                b')' => open -= 1,
                _ => {}
            }
        }
        None
    }

    fn number_or_reference(&mut self) -> Value {
        let begin = self.at;
        let number = self.regular().and_then(integer);
        let after = self.at;
        let object = number.and_then(|number| u32::try_from(number).ok());
        if let Some(object) = object
            && self.unsigned().is_some()
            && self.word(b"R").is_some()
            && self.rest().first().is_none_or(|&c| !is_regular(c))
        {
            return Value::Reference(object);
        }
        debug_assert!(after > begin, "a digit was there");
        self.at = after;
        number.map_or(Value::Other, Value::Number)
    }

    /// Characters up to a blank or delimiter; at least one.
    fn regular(&mut self) -> Option<&'a [u8]> {
        let length = self.rest().iter().take_while(|&&c| is_regular(c)).count();
        let found = &self.rest()[..length];
        self.at += length;
        (length > 0).then_some(found)
    }

    /// Blanks and comments.
    fn skip(&mut self) {
        while let Some(&c) = self.rest().first() {
            if c == b'%' {
                let line = self
                    .rest()
                    .iter()
                    .take_while(|&&c| !matches!(c, b'\r' | b'\n'));
                self.at += line.count();
            } else if is_blank(c) {
                self.at += 1;
            } else {
                break;
            }
        }
    }
}

fn integer(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn is_blank(c: u8) -> bool {
    matches!(c, 0 | 9 | 10 | 12 | 13 | 32)
}

fn is_regular(c: u8) -> bool {
    !is_blank(c) && !b"()<>[]{}/%".contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_what_is_none_ends() {
        let text = b"<< /Type /Catalog % a comment\n /Pages 2 0 R /N [1 -2 3.5 (a\\)(b)) <6A> true] /D << /K null >> >>";
        let value = Parser::new(text).value().unwrap();
        assert!(value.get(b"Type").unwrap().is_name(b"Catalog"));
        assert_eq!(value.get(b"Pages").unwrap().reference(), Some(2));
        let list = value.get(b"N").unwrap().array().unwrap();
        assert_eq!((list.len(), &list[0]), (6, &Value::Number(1)));
        for wrong in [
            "<< /A",
            "[1 2",
            "<< /A 1",
            "<< 1 2 >>",
            "(never",
            "<6",
            "",
            "]",
            ">>",
            "{",
        ] {
            assert_eq!(Parser::new(wrong.as_bytes()).value(), None, "{wrong}");
        }
    }

    #[test]
    fn as_many_values_as_no_object_has_are_refused() {
        for value in ["/", "0 ", "()", "/A/B"] {
            let wide = |count| format!("[{}]", value.repeat(count));
            assert!(Parser::new(wide(1_000).as_bytes()).value().is_some());
            assert_eq!(Parser::new(wide(MAX_VALUES).as_bytes()).value(), None);
        }
    }

    #[test]
    fn what_stands_deep_is_refused_instead_of_filling_the_stack() {
        for begin in ["[", "<< /A ", "[ << /A "] {
            let deep = begin.repeat(1_000_000);
            assert_eq!(Parser::new(deep.as_bytes()).value(), None, "{begin}");
        }
    }
}
