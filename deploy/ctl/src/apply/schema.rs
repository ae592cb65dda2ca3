//! The form of an offer's file as JSON Schema, for editors: made of the descriptors that [`super::mapping`] reads with,
//! so that it can't be behind them. It says what has a place in the file; what a page needs is ReviewOffer's to say.

use std::collections::BTreeMap;

use prost_reflect::{FieldDescriptor, FileDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value, json};

use super::assets;
use super::audience::is_audience;
use super::file::KEYS;
use super::reading::{PLAN_KEYS, page_fields};
use super::scalar::enum_names;
use crate::error::Error;
use crate::output::Output;

/// `marketctl schema`.
pub fn run(out: &mut Output) -> Result<(), Error> {
    out.line(&format!("{:#}", generate()))
}

/// The schema of `offer.yaml`.
pub fn generate() -> Value {
    let own = [("text", text()), ("secret", secret()), ("file", file())];
    let mut messages = BTreeMap::from(own.map(|(name, schema)| (name.to_owned(), schema)));
    let plan = object(keys(
        &PLAN_KEYS,
        &["plan_id", "display_name"],
        |key| match key {
            "pages" => pages(true, &mut messages),
            _ => word(),
        },
    ));
    let mut root = keys(&KEYS, &["offer", "offer_type"], |key| match key {
        "pages" => pages(false, &mut messages),
        "plans" => json!({"type": "array", "items": plan}),
        _ => word(),
    });
    root.insert(
        "$schema".into(),
        "http://json-schema.org/draft-07/schema#".into(),
    );
    root.insert(
        "title".into(),
        "An offer of the marketplace, for `marketctl apply`".into(),
    );
    root.insert("definitions".into(), json!(messages));
    object(root)
}

/// Properties of a mapping that is no message.
fn keys(
    keys: &[(&str, &str)],
    required: &[&str],
    mut schema: impl FnMut(&str) -> Value,
) -> Map<String, Value> {
    let mut properties = Map::new();
    for (key, meaning) in keys {
        let mut schema = described(schema(key), Some((*meaning).to_owned()));
        if required.contains(key) {
            schema["minLength"] = 1.into();
        }
        properties.insert((*key).to_owned(), schema);
    }
    let mut object = Map::new();
    object.insert("properties".into(), properties.into());
    object.insert("required".into(), json!(required));
    object
}

fn object(mut schema: Map<String, Value>) -> Value {
    schema.insert("type".into(), "object".into());
    schema.insert("additionalProperties".into(), false.into());
    schema.into()
}

fn pages(of_plan: bool, messages: &mut BTreeMap<String, Value>) -> Value {
    let mut properties = Map::new();
    for field in page_fields(of_plan) {
        properties.insert(field.name().to_owned(), single(&field, messages));
    }
    let mut schema = Map::new();
    schema.insert("properties".into(), properties.into());
    object(schema)
}

/// A reference to a message, which is defined with everything in it.
fn message(descriptor: &MessageDescriptor, messages: &mut BTreeMap<String, Value>) -> Value {
    let name = descriptor.name().to_owned();
    if !messages.contains_key(&name) {
        // Before its fields: a message may hold itself.
        messages.insert(name.clone(), Value::Null);
        let mut properties = Map::new();
        for field in descriptor.fields() {
            let comment = comment(&descriptor.parent_file(), field.path());
            properties.insert(
                field.name().to_owned(),
                described(value(&field, messages), comment),
            );
        }
        let mut schema = Map::new();
        schema.insert("properties".into(), properties.into());
        let exclusive = exclusive(descriptor);
        if !exclusive.is_empty() {
            schema.insert("not".into(), json!({"anyOf": exclusive}));
        }
        let comment = comment(&descriptor.parent_file(), descriptor.path());
        messages.insert(name.clone(), described(object(schema), comment));
    }
    json!({"$ref": format!("#/definitions/{name}")})
}

/// Pairs of fields of which only one may be there.
fn exclusive(descriptor: &MessageDescriptor) -> Vec<Value> {
    let mut pairs = Vec::new();
    for oneof in descriptor.oneofs() {
        let names: Vec<String> = oneof
            .fields()
            .map(|field| field.name().to_owned())
            .collect();
        for (at, one) in names.iter().enumerate() {
            pairs.extend(
                names[..at]
                    .iter()
                    .map(|other| json!({"required": [other, one]})),
            );
        }
    }
    pairs
}

fn value(field: &FieldDescriptor, messages: &mut BTreeMap<String, Value>) -> Value {
    let one = single(field, messages);
    let list = json!({"type": "array", "items": one});
    match (field.is_list(), is_audience(field)) {
        (false, _) => one,
        (true, false) => list,
        (true, true) => {
            json!({"anyOf": [list, from("file", "CSV with the columns kind, id and label.")]})
        }
    }
}

fn single(field: &FieldDescriptor, messages: &mut BTreeMap<String, Value>) -> Value {
    match field.kind() {
        Kind::Message(descriptor) => message(&descriptor, messages),
        Kind::Enum(values) => json!({"enum": enum_names(&values)}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::String if assets::kind(field, "").is_some() => {
            json!({"anyOf": [{"$ref": "#/definitions/file"}, word()]})
        }
        Kind::String if is_secret(field) => json!({"$ref": "#/definitions/secret"}),
        Kind::String => json!({"$ref": "#/definitions/text"}),
        _ => json!({"type": "integer"}),
    }
}

/// A text without other forms. Editors take `49.00` for a number; it is read as it is written.
fn word() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn text() -> Value {
    json!({"anyOf": [
        word(),
        from("file", "The text is in this file, in the offer's folder."),
    ]})
}

fn secret() -> Value {
    json!({"anyOf": [
        {"$ref": "#/definitions/text"},
        from("env", "The secret is in this environment variable."),
    ]})
}

fn file() -> Value {
    let mut asset = word();
    asset["pattern"] = "^[a-z0-9][a-z0-9_.-]{0,62}$".into();
    asset["description"] =
        "Its id in the catalog; without it one is made of the file's name and digest.".into();
    let mut file = from("file", "Path from the folder of the offer's file.");
    file["properties"]["asset"] = asset;
    file
}

/// A mapping with one key.
fn from(key: &str, meaning: &str) -> Value {
    let value = described(word(), Some(meaning.to_owned()));
    json!({
        "type": "object", "required": [key], "additionalProperties": false, "properties": {key: value},
    })
}

/// With what people read of it. Beside a `$ref` draft 7 reads nothing.
fn described(mut schema: Value, comment: Option<String>) -> Value {
    let Some(comment) = comment else {
        return schema;
    };
    if schema.get("$ref").is_some() {
        schema = json!({"allOf": [schema]});
    }
    schema["description"] = comment.into();
    schema
}

/// Whether a field is a secret, which may be read from the environment: its .proto file says so.
pub fn is_secret(field: &FieldDescriptor) -> bool {
    let file = field.parent_message().parent_file();
    comment(&file, field.path()).is_some_and(|comment| comment.starts_with("Secret."))
}

/// The comment before a message or a field in its .proto file.
fn comment(file: &FileDescriptor, path: &[i32]) -> Option<String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref()?;
    let location = info
        .location
        .iter()
        .find(|location| location.path == path)?;
    let lines = location.leading_comments().lines().map(str::trim);
    let text = lines.collect::<Vec<_>>().join(" ").trim().to_owned();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
