//! Every SQL statement of the service. Rows are added and read; the app role may do nothing else with them.

mod chains;
mod departures;
mod read;
mod write;

pub use chains::{Locked, Record, find, lock, mark_deleted};
pub use departures::{departed, note_departures};
pub use read::{After, after, list, page};
pub use write::{Growth, append, prepare_months};

use std::str::FromStr;

use sqlx::types::Uuid;
use time::OffsetDateTime;

use crate::domain::{Actor, Entry, Hash, Place, Row, Step, Unknown};
use crate::error::Error;

/// A row as it is stored.
struct Stored {
    seq: i64,
    event_id: Uuid,
    place: i32,
    source: String,
    revision: i64,
    occurred_at: OffsetDateTime,
    code: String,
    actor: String,
    principal: String,
    plan_id: String,
    plan_name: String,
    submission: Option<Uuid>,
    leg: Option<String>,
    step: String,
    step_name: String,
    started_at: Option<OffsetDateTime>,
    completed_at: Option<OffsetDateTime>,
    completion: Option<String>,
    pages: Vec<String>,
    reason: String,
    hash: Vec<u8>,
}

impl TryFrom<Stored> for Row {
    type Error = Error;

    fn try_from(row: Stored) -> Result<Row, Error> {
        let at = Place {
            occurred_at: row.occurred_at,
            source: row.source.parse()?,
            revision: row.revision,
            place: row.place,
        };
        let step = match (row.completed_at, &row.completion) {
            (Some(completed_at), Some(completion)) => Some(Step {
                id: row.step,
                name: row.step_name,
                started_at: row.started_at,
                completed_at,
                completion: completion.parse()?,
            }),
            _ => None,
        };
        let entry = Entry {
            event_id: row.event_id,
            at,
            code: row.code.parse()?,
            actor: Actor {
                kind: row.actor.parse()?,
                principal: row.principal,
            },
            plan_id: row.plan_id,
            plan_name: row.plan_name,
            submission: row.submission,
            leg: row.leg.as_deref().map(str::parse).transpose()?,
            step,
            pages: parse_all(&row.pages)?,
            reason: row.reason,
        };
        Ok(Row {
            entry,
            seq: row.seq,
            hash: hash(&row.hash)?,
        })
    }
}

fn parse_all<T: FromStr<Err = Unknown>>(texts: &[String]) -> Result<Vec<T>, Unknown> {
    texts.iter().map(|text| text.parse()).collect()
}

fn hash(bytes: &[u8]) -> Result<Hash, Unknown> {
    bytes
        .try_into()
        .map_err(|_| Unknown(format!("{} bytes", bytes.len()), "SHA-256"))
}
