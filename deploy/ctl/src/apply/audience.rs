//! Audiences in files of their own: CSV whose first line names the columns kind, id and label, as spreadsheets write it.

use std::path::Path;

use csv::{ReaderBuilder, StringRecord, Trim};
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::scalar::{enum_name, scalar};
use super::source;
use crate::error::{Error, Problem};

/// The most mistakes of one file that are told.
const MOST_PROBLEMS: usize = 100;

/// Where the members of an audience stand in their file.
#[derive(Debug, Default)]
pub struct Table {
    pub file: String,
    lines: Vec<usize>,
}

impl Table {
    /// The line of "[12].id".
    pub fn line(&self, inside: &str) -> Option<usize> {
        let (index, _) = inside.strip_prefix('[')?.split_once(']')?;
        self.lines.get(index.parse::<usize>().ok()?).copied()
    }
}

/// Whether a field holds an audience.
pub fn is_audience(field: &FieldDescriptor) -> bool {
    let kind = field.kind();
    field.is_list()
        && kind
            .as_message()
            .is_some_and(|m| m.name() == "AudienceMember")
}

/// The members in a file, or everything that is wrong with it.
pub fn read(
    path: &Path,
    members: &MessageDescriptor,
) -> Result<(Vec<DynamicMessage>, Table), Vec<Problem>> {
    let mut reading = Reading {
        members,
        table: Table {
            file: path.display().to_string(),
            lines: Vec::new(),
        },
        values: Vec::new(),
        problems: Vec::new(),
    };
    match source::bytes(path, source::MOST_AUDIENCE) {
        Ok(bytes) => reading.all(&bytes),
        Err(error) => reading.problem(0, error.to_string()),
    }
    if reading.problems.is_empty() {
        Ok((reading.values, reading.table))
    } else {
        Err(reading.problems)
    }
}

struct Reading<'a> {
    members: &'a MessageDescriptor,
    table: Table,
    values: Vec<DynamicMessage>,
    problems: Vec<Problem>,
}

impl Reading<'_> {
    fn problem(&mut self, line: usize, text: String) {
        if self.problems.len() < MOST_PROBLEMS {
            let file = self.table.file.clone();
            self.problems.push(Problem { file, line, text });
        }
    }

    fn all(&mut self, bytes: &[u8]) {
        let mut reader = ReaderBuilder::new().trim(Trim::Headers).from_reader(bytes);
        let titles = match reader.headers() {
            Ok(titles) => titles.clone(),
            Err(error) => return self.problem(1, why(&error)),
        };
        let Some(columns) = self.columns(&titles) else {
            return;
        };
        for record in reader.records() {
            match record {
                Ok(record) => self.member(&columns, &record, line(bytes, record.position())),
                Err(error) => self.problem(line(bytes, error.position()), why(&error)),
            }
        }
    }

    fn columns(&mut self, titles: &StringRecord) -> Option<Vec<FieldDescriptor>> {
        let known: Vec<String> = self.members.fields().map(|f| f.name().to_owned()).collect();
        let columns: Vec<_> = titles
            .iter()
            .map(|title| self.members.get_field_by_name(title))
            .collect();
        if columns.iter().any(Option::is_none) || columns.is_empty() {
            let text = format!("the first line must name columns among {}", known.join(","));
            self.problem(1, text);
            return None;
        }
        let twice = |(at, title): (usize, &str)| titles.iter().take(at).any(|other| other == title);
        if titles.iter().enumerate().any(twice) {
            self.problem(1, "the first line names a column twice".to_owned());
            return None;
        }
        columns.into_iter().collect()
    }

    fn member(&mut self, columns: &[FieldDescriptor], record: &StringRecord, line: usize) {
        let mut member = DynamicMessage::new(self.members.clone());
        for (column, text) in columns.iter().zip(record) {
            match column.kind() {
                _ if text.is_empty() => {}
                Kind::String => member.set_field(column, Value::String(text.to_owned())),
                kind => match scalar(&kind, text) {
                    Ok(value) => member.set_field(column, value),
                    Err(why) => self.problem(line, format!("{} {why}", column.name())),
                },
            }
        }
        self.table.lines.push(line);
        self.values.push(member);
    }
}

/// The line of a record, whose position is before the empty lines before it.
fn line(bytes: &[u8], position: Option<&csv::Position>) -> usize {
    let number = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let Some(at) = position else { return 0 };
    let rest = bytes.get(number(at.byte())..).unwrap_or_default();
    let empty = rest.iter().take_while(|c| matches!(c, b'\r' | b'\n'));
    number(at.line()) + empty.filter(|c| **c == b'\n').count()
}

fn why(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => format!("has {len} columns, not {expected_len}"),
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// The file of an audience.
pub fn write(members: &MessageDescriptor, audience: &[DynamicMessage]) -> Result<Vec<u8>, Error> {
    let fields: Vec<_> = members.fields().collect();
    let mut csv = csv::Writer::from_writer(Vec::new());
    let titles = csv.write_record(fields.iter().map(FieldDescriptor::name));
    let rows = audience.iter().map(|member| {
        let cells = fields
            .iter()
            .map(|field| cell(field, &member.get_field(field)));
        cells.collect::<Vec<_>>()
    });
    titles
        .and_then(|()| rows.into_iter().try_for_each(|row| csv.write_record(row)))
        .map_err(|e| Error::io("an audience", e.into()))?;
    csv.into_inner()
        .map_err(|e| Error::io("an audience", e.into_error()))
}

fn cell(field: &FieldDescriptor, value: &Value) -> String {
    match (field.kind(), value) {
        (Kind::Enum(values), Value::EnumNumber(number)) if *number != 0 => {
            enum_name(&values, *number)
        }
        (_, Value::String(text)) => text.clone(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::json::pool;

    fn members() -> MessageDescriptor {
        pool()
            .get_message_by_name("marketplace.offercatalog.v1.AudienceMember")
            .unwrap()
    }

    fn read_text(name: &str, text: &str) -> Result<(Vec<DynamicMessage>, Table), Vec<String>> {
        let path =
            std::env::temp_dir().join(format!("marketctl-{}-{name}.csv", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let found = read(&path, &members());
        std::fs::remove_file(&path).unwrap();
        let shown = path.display().to_string();
        found.map_err(|all| {
            all.iter()
                .map(|p| p.to_string().replace(&shown, "f"))
                .collect()
        })
    }

    #[test]
    fn what_is_written_is_read_again() {
        let text = "kind,id,label\nTENANT,7c1d6f4e,\"Contoso, Ltd. \"\"north\"\"\"\nEMAIL,ada@contoso.com,  two spaces \n";
        let (values, table) = read_text("same", text).unwrap();
        assert_eq!(
            (table.line("[0].id"), table.line("[1]")),
            (Some(2), Some(3))
        );
        assert_eq!((table.line("[2].id"), table.line("")), (None, None));
        let written = String::from_utf8(write(&members(), &values).unwrap()).unwrap();
        assert_eq!(written, text);
    }

    #[test]
    fn every_mistake_is_named_with_its_line() {
        let text = "id,kind\na,TENANT\n\nb,TENNANT\nc\nd,EMAIL\n";
        let problems = read_text("wrong", text).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert!(
            problems[0].starts_with("f:4: kind is \"TENNANT\": one of EMAIL"),
            "{problems:?}"
        );
        assert_eq!(problems[1], "f:5: has 1 columns, not 2");
        let titles = "f:1: the first line must name columns among kind,id,label";
        assert_eq!(read_text("titles", "tenant\nx\n").unwrap_err(), [titles]);
        assert_eq!(read_text("empty", "").unwrap_err(), [titles]);
        assert_eq!(
            read_text("twice", "kind, id ,id\nTENANT,a,b\n").unwrap_err(),
            ["f:1: the first line names a column twice"]
        );
    }
}
