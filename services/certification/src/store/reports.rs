//! Validation and failure reports.

use marketplace_runtime::access::Scope;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{corrupt, count};
use crate::domain::{Kind, Report};

struct Row {
    id: Uuid,
    submission: String,
    kind: String,
    offer: String,
    attempt: i32,
    review_notes: String,
    findings: serde_json::Value,
    created_at: OffsetDateTime,
}

impl Row {
    fn into_report(self) -> Result<Report, sqlx::Error> {
        Ok(Report {
            id: self.id,
            submission: self.submission,
            kind: Kind::parse(&self.kind).ok_or_else(|| corrupt("reports.kind"))?,
            offer: self.offer,
            attempt: self.attempt.unsigned_abs(),
            review_notes: self.review_notes,
            findings: serde_json::from_value(self.findings)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            created_at: self.created_at,
        })
    }
}

/// Stores a report.
pub async fn insert_report(db: &mut PgConnection, report: &Report) -> Result<(), sqlx::Error> {
    let findings = serde_json::to_value(&report.findings)
        .map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query!(
        r#"
        INSERT INTO certification.reports (id, submission, kind, offer, attempt, review_notes, findings, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        "#,
        report.id,
        report.submission,
        report.kind.as_str(),
        report.offer,
        count(report.attempt),
        report.review_notes,
        findings,
        report.created_at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The newest report of that kind of a submission. Its offer's name begins with the publisher's, which is compared.
pub async fn find_report(
    db: &mut PgConnection,
    scope: &Scope,
    submission: &str,
    kind: Kind,
) -> Result<Option<Report>, sqlx::Error> {
    let row = sqlx::query_as!(
        Row,
        r#"
        SELECT id, submission, kind, offer, attempt, review_notes, findings, created_at
        FROM certification.reports
        WHERE submission = $1 AND kind = $2 AND ($3::text IS NULL OR starts_with(offer, 'publishers/' || $3 || '/'))
        ORDER BY id DESC LIMIT 1
        "#,
        submission,
        kind.as_str(),
        scope.publisher(),
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::into_report).transpose()
}

/// Reports of an offer, newest first.
pub async fn list_reports(
    db: &mut PgConnection,
    scope: &Scope,
    offer: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Report>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT id, submission, kind, offer, attempt, review_notes, findings, created_at
        FROM certification.reports
        WHERE offer = $1 AND starts_with(offer, 'publishers/' || $2 || '/') AND ($3::uuid IS NULL OR id < $3)
        ORDER BY id DESC LIMIT $4
        "#,
        offer,
        scope.publisher().unwrap_or_default(),
        before,
        limit,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::into_report).collect()
}
