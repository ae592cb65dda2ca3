//! Stores what a transaction told, and the row of its request, in one statement.

use marketplace_runtime::telemetry::Trace;
use prost::Message as _;
use sqlx::{PgConnection, Postgres, postgres::PgArguments, query::QueryScalar};
use time::OffsetDateTime;

use crate::{Error, Outgoing, requests::Settlement};

/// An event and the trace that it was told in.
pub(crate) struct Told {
    event: Outgoing,
    trace: Trace,
}

impl Told {
    pub(crate) fn now(event: Outgoing) -> Told {
        Told {
            event,
            trace: Trace::current(),
        }
    }
}

/// Rows of the outbox. `counted` locks the rows of the streams, in order, before a position is taken: the join needs
/// its output, so positions of one stream are in order of commit. Events with a revision of their own skip it. The
/// transaction id is taken before a position as well: the relay's floor rests on it.
macro_rules! events {
    () => {
        "told AS (
            SELECT t.*, row_number() OVER (PARTITION BY stream ORDER BY nth) AS of_stream,
                   count(*) OVER (PARTITION BY stream) AS in_stream
            FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::bytea[],
                        $8::bytea[], $9::text[], $10::text[]) WITH ORDINALITY
                 AS t (event_id, stream, revision, occurred_at, key, cc, head, body, traceparent, tracestate, nth)
        ), counted AS (
            INSERT INTO streams AS s (stream, revision, occurred_at)
            SELECT stream, count(*), max(occurred_at) FROM told WHERE revision IS NULL GROUP BY stream ORDER BY stream
            ON CONFLICT (stream) DO UPDATE
            SET revision = s.revision + excluded.revision, occurred_at = greatest(s.occurred_at, excluded.occurred_at)
            RETURNING stream, revision, occurred_at
        ), written AS (
            INSERT INTO outbox (event_id, stream, revision, epoch, occurred_at, key, cc, head, body, traceparent, tracestate)
            SELECT t.event_id, t.stream, coalesce(t.revision, c.revision - t.in_stream + t.of_stream), e.epoch,
                   coalesce(c.occurred_at, t.occurred_at), t.key, t.cc, t.head, t.body, t.traceparent, t.tracestate
            FROM told t CROSS JOIN outbox_epoch e LEFT JOIN counted c ON c.stream = t.stream AND t.revision IS NULL
            WHERE pg_current_xact_id() IS NOT NULL
            ORDER BY t.nth
        )"
    };
}

const EVENTS: &str = concat!("WITH ", events!(), " SELECT 1::bigint");

const EVENTS_AND_ANSWER: &str = concat!(
    "WITH settled AS (
        INSERT INTO requests (key, rpc, fingerprint, answer) VALUES ($11, $12, $13, $14) RETURNING 1
    ), ",
    events!(),
    " SELECT count(*) FROM settled"
);

const EVENTS_AND_COMPLETION: &str = concat!(
    "WITH settled AS (
        UPDATE requests SET answer = $14, lease_until = NULL
        WHERE key = $11 AND claim = $15 AND fingerprint = $13 AND rpc = $12 AND answer IS NULL RETURNING 1
    ), ",
    events!(),
    " SELECT count(*) FROM settled"
);

const ANSWER: &str = "WITH settled AS (
        INSERT INTO requests (key, rpc, fingerprint, answer) VALUES ($1, $2, $3, $4) RETURNING 1
    ) SELECT count(*) FROM settled";

const COMPLETION: &str = "WITH settled AS (
        UPDATE requests SET answer = $4, lease_until = NULL
        WHERE key = $1 AND claim = $5 AND fingerprint = $3 AND rpc = $2 AND answer IS NULL RETURNING 1
    ) SELECT count(*) FROM settled";

/// Writes outbox rows and request row. Fails if the transaction has failed, even where there is neither.
///
/// A request that is in the table already violates `requests_pkey`; a claim that a twin completed is [`Error::ClaimLost`].
pub(crate) async fn write(
    db: &mut PgConnection,
    told: &[Told],
    request: Option<&Settlement>,
) -> Result<(), Error> {
    let completes = request.is_some_and(|r| r.claim.is_some());
    let sql = match (told.is_empty(), request.is_some(), completes) {
        (true, false, _) => return sound(db).await,
        (true, true, false) => ANSWER,
        (true, true, true) => COMPLETION,
        (false, false, _) => EVENTS,
        (false, true, false) => EVENTS_AND_ANSWER,
        (false, true, true) => EVENTS_AND_COMPLETION,
    };
    let mut query = sqlx::query_scalar::<_, i64>(sql);
    if !told.is_empty() {
        query = bind_events(query, told);
    }
    if let Some(request) = request {
        query = query
            .bind(&request.key[..])
            .bind(request.rpc)
            .bind(&request.fingerprint[..])
            .bind(&request.answer);
        if let Some(claim) = request.claim {
            query = query.bind(claim);
        }
    }
    match query.fetch_one(db).await? {
        0 => Err(Error::ClaimLost),
        _ => Ok(()),
    }
}

/// Postgres answers the COMMIT of a transaction in which a statement failed by rolling it back, without an error: if
/// somebody passed over that statement's error, an event would count as applied that never was. Any other statement
/// that is written here says so by failing itself.
async fn sound(db: &mut PgConnection) -> Result<(), Error> {
    sqlx::query("SELECT").execute(db).await?;
    Ok(())
}

type Statement<'q> = QueryScalar<'q, Postgres, i64, PgArguments>;

fn bind_events<'q>(query: Statement<'q>, told: &'q [Told]) -> Statement<'q> {
    let events = || told.iter().map(|t| &t.event);
    let revisions: Vec<Option<i64>> = events().map(|e| e.revision.map(u64::cast_signed)).collect();
    let times: Vec<OffsetDateTime> = events().map(|e| e.occurred_at).collect();
    query
        .bind(events().map(|e| e.event_id).collect::<Vec<_>>())
        .bind(events().map(Outgoing::stream).collect::<Vec<&str>>())
        .bind(revisions)
        .bind(times)
        .bind(events().map(|e| e.key).collect::<Vec<_>>())
        .bind(events().map(|e| e.cc.join(" ")).collect::<Vec<_>>())
        .bind(events().map(|e| e.head.encode_to_vec()).collect::<Vec<_>>())
        .bind(events().map(|e| e.body.as_slice()).collect::<Vec<&[u8]>>())
        .bind(
            told.iter()
                .map(|t| t.trace.parent.as_str())
                .collect::<Vec<_>>(),
        )
        .bind(
            told.iter()
                .map(|t| t.trace.state.as_str())
                .collect::<Vec<_>>(),
        )
}
