//! How two versions of an offer differ, on the wire.

use std::collections::BTreeMap;

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::status::Violation;
use prost_types::value::Kind as Wire;
use prost_types::{ListValue, Struct};
use serde_json::Value;

use super::pages::page_id;
use super::violations;
use crate::domain::difference::{Difference, Kind};

/// The kinds that were asked for.
pub fn kinds(request: &pb::CompareOfferRequest) -> Result<Vec<Kind>, Vec<Violation>> {
    if request.kinds.is_empty() {
        return Ok(vec![Kind::Added, Kind::Removed, Kind::Edited]);
    }
    let mut wrong = violations();
    let mut kinds = Vec::new();
    for (at, &kind) in request.kinds.iter().enumerate() {
        kinds.extend(wrong.take(read(kind, at)));
    }
    wrong.finish(Some(kinds))
}

fn read(kind: i32, at: usize) -> Result<Kind, Violation> {
    match pb::DifferenceKind::try_from(kind) {
        Ok(pb::DifferenceKind::Added) => Ok(Kind::Added),
        Ok(pb::DifferenceKind::Removed) => Ok(Kind::Removed),
        Ok(pb::DifferenceKind::Edited) => Ok(Kind::Edited),
        Ok(pb::DifferenceKind::Unchanged) => Ok(Kind::Unchanged),
        Ok(pb::DifferenceKind::Unspecified) | Err(_) => {
            let why = "must be ADDED, REMOVED, EDITED or UNCHANGED";
            Err(Violation::new(format!("kinds[{at}]"), why).because("UNKNOWN_VALUE"))
        }
    }
}

/// An answer without differences, that says how many there are.
pub fn counted(all: &[Difference]) -> pb::CompareOfferResponse {
    let of = |kind| {
        let count = all
            .iter()
            .filter(|one| one.is_offered() && one.kind == kind)
            .count();
        i32::try_from(count).unwrap_or(i32::MAX)
    };
    pb::CompareOfferResponse {
        added: of(Kind::Added),
        removed: of(Kind::Removed),
        edited: of(Kind::Edited),
        unchanged: of(Kind::Unchanged),
        ..Default::default()
    }
}

/// As it is answered.
pub fn difference(one: &Difference) -> pb::Difference {
    let kind = match one.kind {
        Kind::Added => pb::DifferenceKind::Added,
        Kind::Removed => pb::DifferenceKind::Removed,
        Kind::Edited => pb::DifferenceKind::Edited,
        Kind::Unchanged => pb::DifferenceKind::Unchanged,
    };
    pb::Difference {
        page: one.page.map_or(0, |page| page_id(page) as i32),
        plan_id: one.plan_id.clone().unwrap_or_default(),
        field_path: one.path.clone(),
        kind: kind as i32,
        old: one.old.as_ref().map(value),
        new: one.new.as_ref().map(value),
    }
}

/// JSON as protobuf's well-known type; no page has deeper values than either can hold.
fn value(json: &Value) -> prost_types::Value {
    let kind = match json {
        Value::Null => Wire::NullValue(0),
        Value::Bool(flag) => Wire::BoolValue(*flag),
        Value::Number(number) => Wire::NumberValue(number.as_f64().unwrap_or_default()),
        Value::String(text) => Wire::StringValue(text.clone()),
        Value::Array(list) => Wire::ListValue(ListValue {
            values: list.iter().map(value).collect(),
        }),
        Value::Object(map) => {
            let fields = map.iter().map(|(key, one)| (key.clone(), value(one)));
            let fields: BTreeMap<_, _> = fields.collect();
            Wire::StructValue(Struct { fields })
        }
    };
    prost_types::Value { kind: Some(kind) }
}
