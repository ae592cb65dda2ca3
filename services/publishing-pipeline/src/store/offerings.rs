//! Publications with the submissions that their guards look at: lock and read in one statement, write in one.

use marketplace_runtime::access::Scope;
use serde::Serialize;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Offering, Publication, Submission, Transition};
use crate::error::Error;

/// A publication as read under its lock, with what the statement's snapshot saw of it.
struct Locked {
    publication: Json<Publication>,
    submissions: Json<Vec<Submission>>,
    seen: i64,
}

impl Locked {
    /// Whether somebody committed between the statement's start and the lock: then the submissions, which aren't locked,
    /// are older than the publication.
    fn is_torn(&self) -> bool {
        i64::try_from(self.publication.version) != Ok(self.seen)
    }

    fn offering(self) -> Offering {
        Offering::new(self.publication.0, self.submissions.0)
    }
}

/// Locks and reads the publications of these offers, in the order of their ids; those never published are absent.
pub async fn lock_offers(db: &mut PgConnection, offers: &[Uuid]) -> Result<Vec<Offering>, Error> {
    loop {
        let rows = sqlx::query_as!(
            Locked,
            r#"SELECT to_json(p) AS "publication!: Json<Publication>",
                      (SELECT coalesce(json_agg(s), '[]') FROM publishing.submissions s
                       WHERE s.id = ANY (ARRAY[p.in_flight, p.awaiting_sign_off, p.preview, p.live, p.latest, p.failed]))
                          AS "submissions!: Json<Vec<Submission>>",
                      (SELECT q.version FROM publishing.publications q WHERE q.offer_uid = p.offer_uid) AS "seen!"
               FROM publishing.publications p WHERE p.offer_uid = ANY ($1) ORDER BY p.offer_uid FOR UPDATE OF p"#,
            offers
        )
        .fetch_all(&mut *db)
        .await?;
        // Asked again with the locks in hand, the answer is whole.
        if !rows.iter().any(Locked::is_torn) {
            return Ok(rows.into_iter().map(Locked::offering).collect());
        }
    }
}

/// The same for one offer of the scope's publisher, by its id.
pub async fn lock_name(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
) -> Result<Option<Offering>, Error> {
    loop {
        let row = sqlx::query_as!(
            Locked,
            r#"SELECT to_json(p) AS "publication!: Json<Publication>",
                      (SELECT coalesce(json_agg(s), '[]') FROM publishing.submissions s
                       WHERE s.id = ANY (ARRAY[p.in_flight, p.awaiting_sign_off, p.preview, p.live, p.latest, p.failed]))
                          AS "submissions!: Json<Vec<Submission>>",
                      (SELECT q.version FROM publishing.publications q WHERE q.offer_uid = p.offer_uid) AS "seen!"
               FROM publishing.publications p WHERE p.publisher = $1 AND p.offer = $2 FOR UPDATE OF p"#,
            scope.publisher(),
            offer
        )
        .fetch_optional(&mut *db)
        .await?;
        match row {
            Some(row) if row.is_torn() => {}
            row => return Ok(row.map(Locked::offering)),
        }
    }
}

/// The same without a lock: for reads, and for refusing early.
pub async fn find_offer(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
) -> Result<Option<Offering>, Error> {
    let row = sqlx::query_as!(
        Locked,
        r#"SELECT to_json(p) AS "publication!: Json<Publication>",
                  (SELECT coalesce(json_agg(s), '[]') FROM publishing.submissions s
                   WHERE s.id = ANY (ARRAY[p.in_flight, p.awaiting_sign_off, p.preview, p.live, p.latest, p.failed]))
                      AS "submissions!: Json<Vec<Submission>>",
                  p.version AS "seen!"
           FROM publishing.publications p WHERE p.publisher = $1 AND p.offer = $2"#,
        scope.publisher(),
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(Locked::offering))
}

/// A submission of an offer of the scope's publisher, with its offer's publication.
pub async fn find_submission(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    id: Uuid,
) -> Result<Option<(Publication, Submission)>, Error> {
    let row = sqlx::query!(
        r#"SELECT to_json(p) AS "publication!: Json<Publication>", to_json(s) AS "submission!: Json<Submission>"
           FROM publishing.publications p JOIN publishing.submissions s ON s.offer_uid = p.offer_uid
           WHERE s.id = $1 AND p.publisher = $2 AND p.offer = $3"#,
        id,
        scope.publisher(),
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| (row.publication.0, row.submission.0)))
}

/// Rows as text: what the server takes apart with the least work.
pub(super) fn json(rows: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(rows).map_err(Error::Unwritable)
}

/// Makes the row of an offer that is published for the first time; nothing if it is there. The lock comes after.
pub async fn make(db: &mut PgConnection, publication: &Publication) -> Result<(), Error> {
    sqlx::query!(
        "INSERT INTO publishing.publications
         SELECT * FROM json_populate_record(NULL::publishing.publications, $1::text::json) ON CONFLICT DO NOTHING",
        json(&publication)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Closes submissions that give way, before a new one takes their place in flight: in a statement of its own, since the
/// parts of one have no order.
pub async fn close_first(db: &mut PgConnection, offerings: &[&Offering]) -> Result<(), Error> {
    let closing: Vec<&Submission> = offerings
        .iter()
        .flat_map(|o| {
            o.news()
                .closed_first
                .iter()
                .filter_map(|id| o.submission(*id))
        })
        .collect();
    if closing.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE publishing.submissions s SET state = n.state, holder = n.holder, due_at = n.due_at
         FROM json_populate_recordset(NULL::publishing.submissions, $1::text::json) n WHERE s.id = n.id",
        json(&closing)?
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A row of `transitions`.
#[derive(Serialize)]
struct Row<'a> {
    submission: Uuid,
    transition: u64,
    #[serde(with = "time::serde::rfc3339")]
    at: OffsetDateTime,
    step: Option<&'static str>,
    step_state: Option<&'static str>,
    submission_state: &'static str,
    message: &'a str,
    took_ms: Option<i64>,
}

impl<'a> From<&'a Transition> for Row<'a> {
    fn from(transition: &'a Transition) -> Self {
        Self {
            submission: transition.submission,
            transition: transition.number,
            at: transition.at,
            step: transition.step.map(|(id, _)| id.as_str()),
            step_state: transition.step.map(|(_, state)| state.as_str()),
            submission_state: transition.state.as_str(),
            message: &transition.message,
            took_ms: transition.took_ms,
        }
    }
}

/// Writes what changed of all these offerings. A row that isn't there is an error, not a shrug.
pub async fn save(db: &mut PgConnection, offerings: &[&Offering]) -> Result<(), Error> {
    let publications: Vec<&Publication> = offerings
        .iter()
        .map(|offering| offering.publication())
        .collect();
    let rows = |ids: fn(&Offering) -> &[Uuid]| -> Vec<&Submission> {
        offerings
            .iter()
            .flat_map(|o| ids(o).iter().filter_map(|id| o.submission(*id)))
            .collect()
    };
    let (made, changed) = (rows(|o| &o.news().inserted), rows(|o| &o.news().touched));
    let transitions: Vec<Row<'_>> = offerings
        .iter()
        .flat_map(|o| &o.news().transitions)
        .map(Row::from)
        .collect();
    let expected = (publications.len(), changed.len());
    let written = sqlx::query!(
        r#"WITH made AS (
             INSERT INTO publishing.submissions SELECT * FROM json_populate_recordset(NULL::publishing.submissions, $1::text::json)
           ), changed AS (
             UPDATE publishing.submissions s
             SET state = n.state, leg = n.leg, steps = n.steps, transition = n.transition, validation = n.validation,
                 certified_digest = n.certified_digest, signed_off = n.signed_off, failure = n.failure,
                 cancel = n.cancel, end_time = n.end_time, holder = n.holder, due_at = n.due_at
             FROM json_populate_recordset(NULL::publishing.submissions, $2::text::json) n WHERE s.id = n.id RETURNING 1
           ), noted AS (
             INSERT INTO publishing.transitions SELECT * FROM json_populate_recordset(NULL::publishing.transitions, $3::text::json)
           ), kept AS (
             UPDATE publishing.publications p
             SET revision = n.revision, version = n.version, distribution = n.distribution, in_flight = n.in_flight,
                 awaiting_sign_off = n.awaiting_sign_off, preview = n.preview, live = n.live, latest = n.latest,
                 failed = n.failed, incident = n.incident, plans = n.plans, stop = n.stop, schedule = n.schedule,
                 update_time = n.update_time, due_at = n.due_at
             FROM json_populate_recordset(NULL::publishing.publications, $4::text::json) n WHERE p.offer_uid = n.offer_uid RETURNING 1
           )
           SELECT (SELECT count(*) FROM kept) AS "publications!", (SELECT count(*) FROM changed) AS "submissions!""#,
        json(&made)?,
        json(&changed)?,
        json(&transitions)?,
        json(&publications)?
    )
    .fetch_one(db)
    .await?;
    let counts = (
        usize::try_from(written.publications),
        usize::try_from(written.submissions),
    );
    if counts == (Ok(expected.0), Ok(expected.1)) {
        Ok(())
    } else {
        Err(Error::Corrupt("a row to be written is gone"))
    }
}
