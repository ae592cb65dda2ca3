//! What a command prints: tables and sentences for people, the answers themselves as JSON for programs.

pub mod json;
pub mod steps;
pub mod words;

use std::io::{IsTerminal, Write};

use comfy_table::{ContentArrangement, LineStyle, Table, TableStyle};
use prost::Message;
use serde_json::Value;

use crate::api::Named;
use crate::cli::Format;
use crate::error::Error;

/// A rule below the titles and nothing else: rows stay easy to copy and to grep.
const STYLE: TableStyle =
    TableStyle::new().header_separator(LineStyle::none().fill('─').junction('─'));

/// Where a command prints.
pub struct Output {
    format: Format,
    to: Box<dyn Write>,
    terminal: bool,
}

impl Output {
    pub fn stdout(format: Format) -> Self {
        let to = std::io::stdout();
        Self {
            format,
            terminal: to.is_terminal(),
            to: Box::new(to),
        }
    }

    pub fn format(&self) -> Format {
        self.format
    }

    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether lines can be drawn over again.
    pub fn is_live(&self) -> bool {
        self.terminal && !self.is_json()
    }

    /// A line for people; programs don't see it.
    pub fn say(&mut self, line: impl AsRef<str>) -> Result<(), Error> {
        if self.is_json() {
            Ok(())
        } else {
            self.line(line.as_ref())
        }
    }

    /// A line for both.
    pub fn line(&mut self, line: &str) -> Result<(), Error> {
        writeln!(self.to, "{line}")
            .and_then(|()| self.to.flush())
            .map_err(|e| Error::io("output", e))
    }

    /// A table for people.
    pub fn table(&mut self, table: &Table) -> Result<(), Error> {
        self.say(table.trim_fmt())
    }

    /// A value for programs, on lines of its own.
    pub fn json(&mut self, value: &Value) -> Result<(), Error> {
        if self.is_json() {
            self.line(&format!("{value:#}"))
        } else {
            Ok(())
        }
    }

    /// An answer: as JSON, or as `people` writes it.
    pub fn answer<M: Message + Named>(
        &mut self,
        answer: &M,
        people: impl FnOnce(&mut Self, &M) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.is_json() {
            self.json(&json::value(answer))
        } else {
            people(self, answer)
        }
    }
}

/// A table with these column titles. Without a terminal its width follows from its content.
pub fn table<const N: usize>(titles: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(STYLE);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    if N > 0 {
        table.set_header(titles);
    }
    table
}

#[cfg(test)]
pub mod capture {
    //! What a command would print, for tests.

    use std::cell::RefCell;
    use std::rc::Rc;

    use super::{Format, Output, Write};
    use crate::error::Error;

    #[derive(Clone, Default)]
    struct Shared(Rc<RefCell<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// The lines that `print` writes, without blanks at their ends.
    pub fn lines(
        format: Format,
        print: impl FnOnce(&mut Output) -> Result<(), Error>,
    ) -> Vec<String> {
        let shared = Shared::default();
        let to = Box::new(shared.clone());
        print(&mut Output {
            format,
            to,
            terminal: false,
        })
        .unwrap();
        let text = String::from_utf8(shared.0.take()).unwrap();
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }
}
