//! Which fields of a page differ from what is saved.

use prost_reflect::{DynamicMessage, Kind, ReflectMessage, Value};

use super::scalar::enum_name;

/// What a secret reads as; a secret is compared with nothing.
pub const MASK: &str = "********";

/// The most characters of a text that are shown.
const LONGEST: usize = 40;

/// The page inside the message `Page`.
pub fn content(page: &DynamicMessage, field: &str) -> DynamicMessage {
    let value = page
        .get_field_by_name(field)
        .map(std::borrow::Cow::into_owned);
    match value {
        Some(Value::Message(message)) => message,
        _ => DynamicMessage::new(page.descriptor()),
    }
}

/// The top-level fields that differ, in the order of the proto.
pub fn differences(wanted: DynamicMessage, current: DynamicMessage, secrets: bool) -> Vec<String> {
    let fields = wanted.descriptor().fields().collect::<Vec<_>>();
    let differ = fields.iter().filter(|field| {
        let (is, was) = (wanted.has_field(field), current.has_field(field));
        // Outside of a choice, a message without anything in it is as good as none.
        let chosen = is != was && field.containing_oneof().is_some();
        let equal = || same(&wanted.get_field(field), &current.get_field(field), secrets);
        chosen || ((is || was) && !equal())
    });
    differ.map(|field| field.name().to_owned()).collect()
}

/// A field that differs, for people: with what it was and what it will be, where that is a word or a line.
pub fn described(field: &str, wanted: &DynamicMessage, current: &DynamicMessage) -> String {
    let shown = |page: &DynamicMessage| {
        let descriptor = page.descriptor().get_field_by_name(field)?;
        word(&descriptor.kind(), &page.get_field(&descriptor))
    };
    match (shown(current), shown(wanted)) {
        (Some(was), Some(is)) => format!("{field} {was} → {is}"),
        _ => field.to_owned(),
    }
}

fn word(kind: &Kind, value: &Value) -> Option<String> {
    match (kind, value) {
        (_, Value::String(text)) => {
            let mut short: String = text.chars().take(LONGEST).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            Some(format!("{short:?}"))
        }
        (Kind::Enum(_), Value::EnumNumber(0)) => Some("unset".to_owned()),
        (Kind::Enum(values), Value::EnumNumber(number)) => Some(enum_name(values, *number)),
        (_, Value::Bool(value)) => Some(value.to_string()),
        _ => None,
    }
}

fn same(wanted: &Value, current: &Value, secrets: bool) -> bool {
    match (wanted, current) {
        (Value::String(wanted), Value::String(current)) => {
            wanted == current || (current == MASK && !secrets)
        }
        (Value::List(wanted), Value::List(current)) => {
            wanted.len() == current.len()
                && wanted.iter().zip(current).all(|(w, c)| same(w, c, secrets))
        }
        (Value::Message(wanted), Value::Message(current)) => {
            wanted.descriptor() == current.descriptor()
                && differences(wanted.clone(), current.clone(), secrets).is_empty()
        }
        (wanted, current) => wanted == current,
    }
}
