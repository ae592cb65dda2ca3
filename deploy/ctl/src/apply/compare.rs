//! Which fields of a page differ from what is saved.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

/// What a secret reads as; a secret is compared with nothing.
pub const MASK: &str = "********";

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
        let set = wanted.has_field(field) == current.has_field(field);
        !set || !same(&wanted.get_field(field), &current.get_field(field), secrets)
    });
    differ.map(|field| field.name().to_owned()).collect()
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
