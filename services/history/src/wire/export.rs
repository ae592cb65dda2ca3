//! A row as a line of the export: everything but who left, and its hash. The hash covers the principal too, which is told
//! nobody: it can be compared with other exports and with `VerifyHistory`, not computed from the line.

use marketplace_runtime::ids::OfferName;
use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::answers::pages_changed;
use crate::domain::{Completion, Leg, OfferType, Row, Shown};

/// One line, with its end.
pub fn line(offer: &OfferName, row: &Row, shown: &Shown<'_>, kind: &OfferType) -> Vec<u8> {
    let entry = &row.entry;
    let step = entry.step.as_ref();
    let value = json!({
        "name": format!("{offer}/events/{}-{}", entry.event_id, entry.at.place),
        "seq": row.seq,
        "code": entry.code.as_str(),
        "label": entry.label(),
        "occurTime": text(entry.at.occurred_at),
        "initiator": {"kind": entry.actor.kind.as_str(), "displayName": shown.name()},
        "planId": entry.plan_id,
        "planName": entry.plan_name,
        "submission": entry.submission.map(|id| offer.submission(id).to_string()),
        "leg": entry.leg.map(Leg::as_str),
        "step": step.map(|step| step.id.as_str()),
        "startTime": step.and_then(|step| step.started_at).map(text),
        "completeTime": step.map(|step| text(step.completed_at)),
        "completionStatus": step.map(|step| Completion::as_str(step.completion)),
        "pagesChanged": pages_changed(row, kind).iter().map(|page| page.as_str()).collect::<Vec<_>>(),
        "reason": entry.reason,
        "hash": hex::encode(row.hash),
    });
    let mut line = value.to_string().into_bytes();
    line.push(b'\n');
    line
}

fn text(at: OffsetDateTime) -> String {
    // A time of the database is within the years that RFC 3339 can say.
    at.format(&Rfc3339).unwrap_or_default()
}
