//! Reads the parts of an offer's file, and notes what is missing or too much.

use std::collections::BTreeMap;

use prost_reflect::{DynamicMessage, FieldDescriptor, Value as Proto};

use super::file::{PAGE, PageFile, PlanFile};
use super::mapping::{Lines, Mapper};
use super::tree::{Entry, Node, Value};
use crate::output::json::pool;

/// What a plan can have, with what it means.
pub const PLAN_KEYS: [(&str, &str); 4] = [
    ("plan_id", "The plan's id, for ever."),
    (
        "display_name",
        "As customers read it; unique within the offer.",
    ),
    (
        "subtype",
        "managedApplication or solutionTemplate for Azure applications; for ever.",
    ),
    ("pages", "Pages that are left out stay as they are."),
];

/// The keys without what they mean.
pub fn names<const N: usize>(keys: &[(&'static str, &str); N]) -> [&'static str; N] {
    keys.map(|(name, _)| name)
}

pub fn plan(mapper: &mut Mapper<'_>, node: &Node) -> Option<(PlanFile, Vec<PageFile>)> {
    let entries = mapping(mapper, node, "a plan", &names(&PLAN_KEYS))?;
    let id = required(mapper, entries, "plan_id");
    let display_name = required(mapper, entries, "display_name");
    let subtype = find_text(mapper, entries, "subtype").unwrap_or_default();
    // All mistakes are told: a plan without an id is read as well.
    let pages = entry(entries, "pages")
        .map(|e| pages(mapper, &e.node, Some(id.as_deref().unwrap_or_default())))
        .unwrap_or_default();
    let (id, display_name) = (id?, display_name?);
    Some((
        PlanFile {
            id,
            display_name,
            subtype,
            line: node.line,
        },
        pages,
    ))
}

pub fn pages(mapper: &mut Mapper<'_>, node: &Node, plan: Option<&str>) -> Vec<PageFile> {
    let descriptor = pool().get_message_by_name(PAGE).expect("the proto has it");
    let fields = page_fields(plan.is_some());
    let known: Vec<&str> = fields.iter().map(|field| field.name()).collect();
    let mut read = Vec::new();
    for entry in mapping(mapper, node, "pages", &known).unwrap_or_default() {
        let Some(field) = fields.iter().find(|field| field.name() == entry.key) else {
            continue;
        };
        let kind = field.kind();
        let Some(page_type) = kind.as_message() else {
            continue;
        };
        mapper.assets = Vec::new();
        mapper.tables = BTreeMap::new();
        mapper.lines = Lines::new();
        let page = mapper.message(page_type, &entry.node, "");
        let mut message = DynamicMessage::new(descriptor.clone());
        message.set_field(field, Proto::Message(page));
        read.push(PageFile {
            field: entry.key.clone(),
            plan: plan.unwrap_or_default().to_owned(),
            message,
            assets: std::mem::take(&mut mapper.assets),
            tables: std::mem::take(&mut mapper.tables),
            line: entry.line,
            lines: std::mem::take(&mut mapper.lines),
        });
    }
    read
}

/// The fields of the message `Page` that are pages of plans, or of offers.
pub fn page_fields(of_plan: bool) -> Vec<FieldDescriptor> {
    let descriptor = pool().get_message_by_name(PAGE).expect("the proto has it");
    let fields = descriptor
        .oneofs()
        .flat_map(|oneof| oneof.fields().collect::<Vec<_>>());
    fields
        .filter(|field| field.name().starts_with("plan_") == of_plan)
        .collect()
}

pub fn mapping<'n>(
    mapper: &mut Mapper<'_>,
    node: &'n Node,
    what: &str,
    known: &[&str],
) -> Option<&'n [Entry]> {
    let Some(entries) = node.entries() else {
        mapper.mismatch(node, what, "a mapping");
        return None;
    };
    for entry in entries
        .iter()
        .filter(|entry| !known.contains(&entry.key.as_str()))
    {
        mapper.problem(
            entry.line,
            format!(
                "{what} has no {}; known here: {}",
                entry.key,
                known.join(", ")
            ),
        );
    }
    Some(entries)
}

pub fn list<'n>(mapper: &mut Mapper<'_>, node: &'n Node, what: &str) -> Vec<&'n Node> {
    match &node.value {
        Value::List(items) => items.iter().collect(),
        _ => {
            mapper.mismatch(node, what, "a list");
            Vec::new()
        }
    }
}

pub fn entry<'n>(entries: &'n [Entry], key: &str) -> Option<&'n Entry> {
    entries.iter().find(|entry| entry.key == key)
}

pub fn find_text(mapper: &mut Mapper<'_>, entries: &[Entry], key: &str) -> Option<String> {
    let entry = entry(entries, key)?;
    if entry.node.text().is_none() {
        mapper.mismatch(&entry.node, key, "a text");
    }
    entry.node.text().map(str::to_owned)
}

pub fn required(mapper: &mut Mapper<'_>, entries: &[Entry], key: &str) -> Option<String> {
    let text = find_text(mapper, entries, key);
    if entry(entries, key).is_none() || text.as_deref() == Some("") {
        mapper.problem(
            entries.first().map_or(0, |first| first.line),
            format!("{key} is missing"),
        );
    }
    text.filter(|text| !text.is_empty())
}
