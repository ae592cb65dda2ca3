//! Cases: one row each, with their results.

use marketplace_runtime::access::Scope;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{corrupt, count, results, revision};
use crate::domain::{Case, CheckResult, Decision, JobKind, Order, OrderKey, State};

/// A row of `cases`.
pub(super) struct Row {
    pub id: Uuid,
    pub submission: String,
    pub publisher: String,
    pub offer: String,
    pub offer_uid: Uuid,
    pub offer_type: String,
    pub offer_title: String,
    pub transactable: bool,
    pub notes: String,
    pub snapshot: String,
    pub digest: String,
    pub application_id: String,
    pub publication_revision: i64,
    pub number: i32,
    pub state: String,
    pub reviewer: Option<String>,
    pub claim_until: Option<OffsetDateTime>,
    pub review_notes: String,
    pub revision: i64,
    pub created_at: OffsetDateTime,
    pub awaiting_since: Option<OffsetDateTime>,
    pub ended_at: Option<OffsetDateTime>,
}

impl Row {
    pub(super) fn into_case(self, results: Vec<CheckResult>) -> Result<Case, sqlx::Error> {
        let key = OrderKey {
            submission: self.submission,
            step: String::new(),
            attempt: 0,
        };
        let order = Order {
            key,
            kind: JobKind::Certify,
            publisher: self.publisher,
            offer: self.offer,
            offer_uid: self.offer_uid,
            offer_type: self.offer_type,
            offer_title: self.offer_title,
            transactable: self.transactable,
            notes: self.notes,
            snapshot: self.snapshot,
            digest: String::new(),
            publication_revision: self.publication_revision.unsigned_abs(),
        };
        Ok(Case {
            id: self.id,
            order,
            digest: self.digest,
            application_id: self.application_id,
            number: self.number.unsigned_abs(),
            state: State::parse(&self.state).ok_or_else(|| corrupt("cases.state"))?,
            reviewer: self.reviewer,
            claim_until: self.claim_until,
            review_notes: self.review_notes,
            results,
            revision: self.revision,
            created_at: self.created_at,
            awaiting_since: self.awaiting_since,
            ended_at: self.ended_at,
        })
    }
}

/// Opens a case in state CHECKING.
pub async fn insert_case(
    db: &mut PgConnection,
    id: Uuid,
    order: &Order,
    number: u32,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO certification.cases (id, submission, publisher, offer, offer_uid, offer_type, offer_title, transactable,
               notes, snapshot, publication_revision, number, state, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'CHECKING', $13)
        "#,
        id,
        order.key.submission,
        order.publisher,
        order.offer,
        order.offer_uid,
        order.offer_type,
        order.offer_title,
        order.transactable,
        order.notes,
        order.snapshot,
        revision(order.publication_revision),
        count(number),
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Id of the publisher of a case: what access is then asked for.
pub async fn publisher_of(db: &mut PgConnection, id: Uuid) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar!(
        "SELECT publisher FROM certification.cases WHERE id = $1",
        id
    )
    .fetch_optional(db)
    .await
}

/// Locks a case until the end of the transaction. Orders of a case are locked after it, never before.
pub async fn lock_case(
    db: &mut PgConnection,
    scope: &Scope,
    id: Uuid,
) -> Result<Option<Case>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, submission, publisher, offer, offer_uid, offer_type, offer_title, transactable, notes, snapshot, digest,
               application_id, publication_revision, number, state, reviewer, claim_until, review_notes, revision,
               created_at, awaiting_since, ended_at
        FROM certification.cases WHERE id = $1 AND publisher = $2 FOR UPDATE
        "#,
        id,
        scope.publisher().unwrap_or_default(),
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    // In CHECKING there are none yet: a statement saved for the case that every submission goes through.
    let results = if row.state == State::Checking.as_str() {
        Vec::new()
    } else {
        results::of_case(db, id).await?
    };
    row.into_case(results).map(Some)
}

/// A case with everything that is known of it.
pub async fn find_case(
    db: &mut PgConnection,
    scope: &Scope,
    id: Uuid,
) -> Result<Option<Case>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, submission, publisher, offer, offer_uid, offer_type, offer_title, transactable, notes, snapshot, digest,
               application_id, publication_revision, number, state, reviewer, claim_until, review_notes, revision,
               created_at, awaiting_since, ended_at
        FROM certification.cases WHERE id = $1 AND publisher = $2
        "#,
        id,
        scope.publisher().unwrap_or_default(),
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let results = results::of_case(db, id).await?;
    row.into_case(results).map(Some)
}

/// The open case of a submission, of orders older than this revision.
pub async fn open_case(
    db: &mut PgConnection,
    submission: &str,
    before_revision: u64,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar!(
        r#"
        SELECT id FROM certification.cases
        WHERE submission = $1 AND publication_revision < $2 AND state IN ('CHECKING', 'AWAITING_REVIEW', 'IN_REVIEW')
        "#,
        submission,
        revision(before_revision),
    )
    .fetch_optional(db)
    .await
}

/// No later attempt joins the cases of a submission that was called off (SM-3).
pub async fn void_cases(
    db: &mut PgConnection,
    submission: &str,
    before_revision: u64,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE certification.cases SET joinable = false WHERE submission = $1 AND publication_revision < $2 AND joinable",
        submission,
        revision(before_revision),
    )
    .execute(db)
    .await?;
    Ok(())
}

/// No later attempt joins this case.
pub async fn void_case(db: &mut PgConnection, case: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query!(
        "UPDATE certification.cases SET joinable = false WHERE id = $1",
        case
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Saves a case that [`lock_case`] has locked, and counts its revision up.
pub async fn save_case(db: &mut PgConnection, case: &mut Case) -> Result<(), sqlx::Error> {
    let saved = sqlx::query!(
        r#"
        UPDATE certification.cases
        SET digest = $3, application_id = $4, state = $5, reviewer = $6, claim_until = $7, review_notes = $8,
            awaiting_since = $9, ended_at = $10, revision = revision + 1
        WHERE id = $1 AND revision = $2
        "#,
        case.id,
        case.revision,
        case.digest,
        case.application_id,
        case.state.as_str(),
        case.reviewer,
        case.claim_until,
        case.review_notes,
        case.awaiting_since,
        case.ended_at,
    )
    .execute(db)
    .await?;
    if saved.rows_affected() != 1 {
        return Err(sqlx::Error::RowNotFound);
    }
    case.revision += 1;
    Ok(())
}

/// Adds what a reviewer decided to the audit.
pub async fn add_decision(
    db: &mut PgConnection,
    id: Uuid,
    case: &Case,
    reviewer: &str,
    decision: &Decision,
    now: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query!(
        r#"
        INSERT INTO certification.decisions (id, case_id, check_id, move, before, after, reviewer, note, decided_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        "#,
        id,
        case.id,
        decision.check,
        if decision.check.is_empty() { decision.what.as_str() } else { "DecideCheck" },
        decision.before,
        decision.after,
        reviewer,
        decision.note,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Cases whose claim has expired, with their publishers.
pub async fn expired_claims(
    db: &mut PgConnection,
    now: OffsetDateTime,
    limit: i64,
) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT id, publisher FROM certification.cases
        WHERE state = 'IN_REVIEW' AND claim_until <= $1 ORDER BY claim_until LIMIT $2
        "#,
        now,
        limit,
    )
    .fetch_all(db)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.id, row.publisher))
        .collect())
}

/// Cases of an offer, newest first, without results.
pub async fn list_cases(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Case>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, submission, publisher, offer, offer_uid, offer_type, offer_title, transactable, notes, snapshot, digest,
               application_id, publication_revision, number, state, reviewer, claim_until, review_notes, revision,
               created_at, awaiting_since, ended_at
        FROM certification.cases
        WHERE offer = $1 AND publisher = $2 AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC LIMIT $4
        "#,
        offer,
        scope.publisher().unwrap_or_default(),
        before,
        limit,
    )
    .fetch_all(&mut *db)
    .await?;
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut outcomes = results::outcomes_of(db, &ids).await?;
    rows.into_iter()
        .map(|row| {
            let results = outcomes.remove(&row.id).unwrap_or_default();
            row.into_case(results)
        })
        .collect()
}
