//! From YAML to a protobuf message, driven by the message's descriptor: field names as in the .proto files, enum values
//! without their prefix. A field that the proto gains can be written the same day.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value as Proto};

use super::assets::{self, AssetFile};
use super::audience::{self, Table};
use super::scalar::scalar;
use super::tree::{Entry, Node, Value};
use super::{schema, source};
use crate::error::Problem;

/// Where the fields of a page stand in the file: field path to line.
pub type Lines = BTreeMap<String, usize>;

/// Reads nodes of one file and notes everything that is wrong with them.
pub struct Mapper<'a> {
    /// As shown in problems.
    pub file: &'a str,
    /// What `file:` is relative to.
    pub folder: &'a Path,
    /// Resource name of the offer, for the names of its assets.
    pub offer: String,
    pub variable: &'a dyn Fn(&str) -> Option<String>,
    pub problems: Vec<Problem>,
    /// Files that the page read last refers to.
    pub assets: Vec<AssetFile>,
    /// Audiences of that page that are files of their own, by their field.
    pub tables: BTreeMap<String, Table>,
    pub lines: Lines,
}

impl Mapper<'_> {
    pub fn problem(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem {
            file: self.file.to_owned(),
            line,
            text: text.into(),
        });
    }

    /// Something else is there than what is wanted. Nothing is no value: whoever comments out what a key holds doesn't
    /// mean to wipe what is saved.
    pub fn mismatch(&mut self, node: &Node, what: &str, wanted: &str) {
        let empty = match wanted {
            "a mapping" => ", or write {} to empty it",
            "a list" => ", or write [] to empty it",
            "a text" => ", or write '' to empty it",
            _ => "",
        };
        let text = match node.value {
            Value::Null => format!("{what} is empty: leave it out{empty}"),
            _ => format!("{what} must be {wanted}, not {}", node.kind()),
        };
        self.problem(node.line, text);
    }

    /// A message of this type; what is wrong is noted and left out. `path` is empty or ends the message's own path.
    pub fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        node: &Node,
        path: &str,
    ) -> DynamicMessage {
        let mut message = DynamicMessage::new(descriptor.clone());
        let entries = match &node.value {
            Value::Map(entries) => entries.as_slice(),
            _ => {
                let what = if path.is_empty() {
                    descriptor.name()
                } else {
                    path
                };
                self.mismatch(node, what, "a mapping");
                &[]
            }
        };
        for entry in entries {
            self.entry(&mut message, descriptor, entry, path);
        }
        message
    }

    fn entry(
        &mut self,
        message: &mut DynamicMessage,
        descriptor: &MessageDescriptor,
        entry: &Entry,
        path: &str,
    ) {
        let Some(field) = descriptor.get_field_by_name(&entry.key) else {
            let known: Vec<String> = descriptor.fields().map(|f| f.name().to_owned()).collect();
            return self.problem(
                entry.line,
                format!(
                    "there is no field {}; known here: {}",
                    entry.key,
                    known.join(", ")
                ),
            );
        };
        let path = if path.is_empty() {
            entry.key.clone()
        } else {
            format!("{path}.{}", entry.key)
        };
        self.lines.insert(path.clone(), entry.line);
        let others = field
            .containing_oneof()
            .into_iter()
            .flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
        if let Some(other) = others
            .into_iter()
            .find(|other| *other != field && message.has_field(other))
        {
            return self.problem(
                entry.line,
                format!("{} and {} exclude each other", other.name(), field.name()),
            );
        }
        if let Some(value) = self.field(&field, &entry.node, &path) {
            message.set_field(&field, value);
        }
    }

    fn field(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<Proto> {
        if !field.is_list() {
            return self.single(field, node, path);
        }
        match &node.value {
            Value::Map(entries) if audience::is_audience(field) => match entries.as_slice() {
                [Entry { key, node, .. }] if key == "file" => self.table(field, node, path),
                _ => {
                    self.problem(
                        node.line,
                        format!("{path} must be a list or {{file: PATH}}"),
                    );
                    None
                }
            },
            Value::List(items) => {
                let mut values = Vec::new();
                for (i, item) in items.iter().enumerate() {
                    let path = format!("{path}[{i}]");
                    self.lines.insert(path.clone(), item.line);
                    values.extend(self.single(field, item, &path));
                }
                Some(Proto::List(values))
            }
            _ => {
                self.mismatch(node, path, "a list");
                None
            }
        }
    }

    fn single(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<Proto> {
        match field.kind() {
            Kind::Message(descriptor) => {
                Some(Proto::Message(self.message(&descriptor, node, path)))
            }
            Kind::String => self.text(field, node, path).map(Proto::String),
            kind => {
                let Some(text) = node.text() else {
                    self.mismatch(node, path, "a value");
                    return None;
                };
                let value = scalar(&kind, text);
                value
                    .map_err(|why| self.problem(node.line, format!("{path} {why}")))
                    .ok()
            }
        }
    }

    /// A text: written here, in a file (`{file: …}`), or in the environment (`{env: …}`, for secrets).
    fn text(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<String> {
        let asset = assets::kind(field, path);
        match &node.value {
            Value::Text(text) => Some(text.clone()),
            Value::Map(entries) if asset.is_some() => self.asset(node.line, entries, asset?, path),
            Value::Map(entries) => match entries.as_slice() {
                [Entry { key, node, .. }] if key == "file" => self.file_text(node, path),
                [Entry { key, node, .. }] if key == "env" && schema::is_secret(field) => {
                    self.environment(node, path)
                }
                _ => {
                    let text = format!(
                        "{path} must be a text, {{file: PATH}}, or of a secret {{env: NAME}}"
                    );
                    self.problem(node.line, text);
                    None
                }
            },
            Value::Null | Value::List(_) => {
                self.mismatch(node, path, "a text");
                None
            }
        }
    }

    /// A file that the page shows, by its path and perhaps its id.
    fn asset(
        &mut self,
        line: usize,
        entries: &[Entry],
        kind: assets::Kind,
        path: &str,
    ) -> Option<String> {
        let find = |key: &str| entries.iter().find(|entry| entry.key == key);
        let (file, id) = (find("file"), find("asset"));
        let known = usize::from(file.is_some()) + usize::from(id.is_some());
        let Some(file) = file.filter(|_| known == entries.len()) else {
            self.problem(
                line,
                format!("{path} must be {{file: PATH}} or {{file: PATH, asset: ID}}"),
            );
            return None;
        };
        if let Some(id) = id.filter(|id| !id.node.text().is_some_and(assets::is_id)) {
            self.problem(
                id.line,
                format!("{path}: asset must be an id of lower-case letters, digits, - _ and ."),
            );
            return None;
        }
        let file_path = self.path(&file.node, path)?;
        let kind = assets::kind_of_file(kind, path, &file_path);
        match AssetFile::read(&file_path, kind) {
            Ok(asset) => {
                let given = id.and_then(|id| id.node.text()).map(str::to_owned);
                let asset = AssetFile {
                    id: given.unwrap_or(asset.id),
                    line: file.line,
                    ..asset
                };
                let name = format!("{}/assets/{}", self.offer, asset.id);
                self.assets.push(asset);
                Some(name)
            }
            Err(error) => {
                self.problem(file.line, format!("{}: {error}", file_path.display()));
                None
            }
        }
    }

    /// An audience in a file of its own.
    fn table(&mut self, field: &FieldDescriptor, node: &Node, path: &str) -> Option<Proto> {
        let kind = field.kind();
        let members = kind.as_message()?;
        let file = self.path(node, path)?;
        let (values, table) = audience::read(&file, members).unwrap_or_else(|problems| {
            self.problems.extend(problems);
            Default::default()
        });
        self.tables.insert(path.to_owned(), table);
        Some(Proto::List(
            values.into_iter().map(Proto::Message).collect(),
        ))
    }

    fn file_text(&mut self, node: &Node, path: &str) -> Option<String> {
        let file = self.path(node, path)?;
        let text = source::text(&file);
        text.map_err(|error| self.problem(node.line, format!("{}: {error}", file.display())))
            .ok()
    }

    fn environment(&mut self, node: &Node, path: &str) -> Option<String> {
        let name = node.text().unwrap_or_default();
        let value = (self.variable)(name).filter(|value| !value.is_empty());
        if value.is_none() {
            self.problem(node.line, format!("{path}: the variable {name} is not set"));
        }
        value
    }

    fn path(&mut self, node: &Node, path: &str) -> Option<PathBuf> {
        let Some(text) = node.text() else {
            self.mismatch(node, &format!("{path}.file"), "a path");
            return None;
        };
        let file = source::inside(self.folder, text);
        file.map_err(|error| self.problem(node.line, format!("{path}: {text}: {error}")))
            .ok()
    }
}

#[cfg(test)]
mod tests;
