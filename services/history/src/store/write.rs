//! Adding rows: those of a whole batch and the heads of their chains in one statement.

use sqlx::PgConnection;
use sqlx::types::{JsonValue, Uuid};
use time::OffsetDateTime;

use super::Record;
use crate::domain::{Row, Step};
use crate::error::Error;

/// An offer's record after a batch: its new head, and the rows that led there.
#[derive(Debug, Clone)]
pub struct Growth {
    pub record: Record,
    pub rows: Vec<Row>,
}

/// Writes the rows of all, and the heads, which the caller has locked.
pub async fn append(db: &mut PgConnection, grown: &[Growth]) -> Result<(), Error> {
    let rows = Columns::of(grown);
    let heads = Heads::of(grown);
    sqlx::query!(
        r#"WITH added AS (
             INSERT INTO history.rows (offer_uid, seq, event_id, place, source, revision, occurred_at, code, actor,
               principal, plan_id, plan_name, submission, leg, step, step_name, started_at, completed_at, completion,
               pages, reason, hash)
             SELECT n.offer_uid, n.seq, n.event_id, n.place, n.source, n.revision, n.occurred_at, n.code, n.actor,
               n.principal, n.plan_id, n.plan_name, n.submission, n.leg, n.step, n.step_name, n.started_at,
               n.completed_at, n.completion, string_to_array(n.pages, ','), n.reason, n.hash
             FROM unnest($1::uuid[], $2::int8[], $3::uuid[], $4::int4[], $5::text[], $6::int8[], $7::timestamptz[],
               $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::uuid[], $14::text[], $15::text[],
               $16::text[], $17::timestamptz[], $18::timestamptz[], $19::text[], $20::text[], $21::text[], $22::bytea[])
               AS n (offer_uid, seq, event_id, place, source, revision, occurred_at, code, actor, principal, plan_id,
                     plan_name, submission, leg, step, step_name, started_at, completed_at, completion, pages, reason,
                     hash)
           )
           UPDATE history.chains c
           SET offer_type = n.offer_type, seq = n.seq, head = n.head, operated = n.operated,
               codes = string_to_array(n.codes, ','),
               principals = ARRAY(SELECT jsonb_array_elements_text(n.principals)),
               oldest = n.oldest, newest = n.newest
           FROM unnest($23::uuid[], $24::text[], $25::int8[], $26::bytea[], $27::bool[], $28::text[], $29::jsonb[],
                       $30::timestamptz[], $31::timestamptz[])
             AS n (offer_uid, offer_type, seq, head, operated, codes, principals, oldest, newest)
           WHERE c.offer_uid = n.offer_uid"#,
        &rows.offer_uid,
        &rows.seq,
        &rows.event_id,
        &rows.place,
        &rows.source,
        &rows.revision,
        &rows.occurred_at,
        &rows.code,
        &rows.actor,
        &rows.principal,
        &rows.plan_id,
        &rows.plan_name,
        &rows.submission as &[Option<Uuid>],
        &rows.leg as &[Option<String>],
        &rows.step,
        &rows.step_name,
        &rows.started_at as &[Option<OffsetDateTime>],
        &rows.completed_at as &[Option<OffsetDateTime>],
        &rows.completion as &[Option<String>],
        &rows.pages,
        &rows.reason,
        &rows.hash,
        &heads.offer_uid,
        &heads.offer_type,
        &heads.seq,
        &heads.head,
        &heads.operated,
        &heads.codes,
        &heads.principals,
        &heads.oldest as &[Option<OffsetDateTime>],
        &heads.newest as &[Option<OffsetDateTime>],
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Makes the partitions for rows of these times, where they are missing.
pub async fn prepare_months(db: &mut PgConnection, times: &[OffsetDateTime]) -> Result<i32, Error> {
    let made = sqlx::query_scalar!(r#"SELECT history.prepare_months($1) AS "made!""#, times)
        .fetch_one(db)
        .await?;
    Ok(made)
}

/// The rows of a batch by column, as unnest takes them.
#[derive(Default)]
struct Columns {
    offer_uid: Vec<Uuid>,
    seq: Vec<i64>,
    event_id: Vec<Uuid>,
    place: Vec<i32>,
    source: Vec<String>,
    revision: Vec<i64>,
    occurred_at: Vec<OffsetDateTime>,
    code: Vec<String>,
    actor: Vec<String>,
    principal: Vec<String>,
    plan_id: Vec<String>,
    plan_name: Vec<String>,
    submission: Vec<Option<Uuid>>,
    leg: Vec<Option<String>>,
    step: Vec<String>,
    step_name: Vec<String>,
    started_at: Vec<Option<OffsetDateTime>>,
    completed_at: Vec<Option<OffsetDateTime>>,
    completion: Vec<Option<String>>,
    pages: Vec<String>,
    reason: Vec<String>,
    hash: Vec<Vec<u8>>,
}

impl Columns {
    fn of(grown: &[Growth]) -> Columns {
        let mut columns = Columns::default();
        for growth in grown {
            for row in &growth.rows {
                columns.push(growth.record.chain.offer_uid, row);
            }
        }
        columns
    }

    fn push(&mut self, offer_uid: Uuid, row: &Row) {
        let entry = &row.entry;
        self.offer_uid.push(offer_uid);
        self.seq.push(row.seq);
        self.event_id.push(entry.event_id);
        self.place.push(entry.at.place);
        self.source.push(entry.at.source.as_str().to_owned());
        self.revision.push(entry.at.revision);
        self.occurred_at.push(entry.at.occurred_at);
        self.code.push(entry.code.as_str().to_owned());
        self.actor.push(entry.actor.kind.as_str().to_owned());
        self.principal.push(entry.actor.principal.clone());
        self.plan_id.push(entry.plan_id.clone());
        self.plan_name.push(entry.plan_name.clone());
        self.submission.push(entry.submission);
        self.leg.push(entry.leg.map(|leg| leg.as_str().to_owned()));
        self.push_step(entry.step.as_ref());
        self.pages
            .push(joined(entry.pages.iter().map(|page| page.as_str())));
        self.reason.push(entry.reason.clone());
        self.hash.push(row.hash.to_vec());
    }

    fn push_step(&mut self, step: Option<&Step>) {
        self.step
            .push(step.map(|step| step.id.clone()).unwrap_or_default());
        self.step_name
            .push(step.map(|step| step.name.clone()).unwrap_or_default());
        self.started_at.push(step.and_then(|step| step.started_at));
        self.completed_at.push(step.map(|step| step.completed_at));
        self.completion
            .push(step.map(|step| step.completion.as_str().to_owned()));
    }
}

/// The heads of a batch by column.
#[derive(Default)]
struct Heads {
    offer_uid: Vec<Uuid>,
    offer_type: Vec<String>,
    seq: Vec<i64>,
    head: Vec<Vec<u8>>,
    operated: Vec<bool>,
    codes: Vec<String>,
    principals: Vec<JsonValue>,
    oldest: Vec<Option<OffsetDateTime>>,
    newest: Vec<Option<OffsetDateTime>>,
}

impl Heads {
    fn of(grown: &[Growth]) -> Heads {
        let mut heads = Heads::default();
        for Growth { record, .. } in grown {
            heads.offer_uid.push(record.chain.offer_uid);
            heads.offer_type.push(record.offer_type.clone());
            heads.seq.push(record.chain.seq);
            heads.head.push(record.chain.head.to_vec());
            heads.operated.push(record.operated);
            heads
                .codes
                .push(joined(record.codes.iter().map(|code| code.as_str())));
            heads
                .principals
                .push(record.principals.iter().cloned().collect());
            heads.oldest.push(record.oldest);
            heads.newest.push(record.newest);
        }
        heads
    }
}

/// Codes and pages hold no comma; an empty text is an empty array.
fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.collect::<Vec<_>>().join(",")
}
