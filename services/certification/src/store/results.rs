//! Results of checks, written in one statement however many there are.

use std::collections::HashMap;

use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{corrupt, count};
use crate::domain::{CheckResult, Finding, Level, Mode, Outcome, Override};

/// Saves results in one statement: those of checks that have run, and those that a reviewer has decided. New ones come
/// in the order of the catalogue, a rejection's own last.
pub async fn save_results(
    db: &mut PgConnection,
    case: Uuid,
    results: &[&CheckResult],
) -> Result<(), sqlx::Error> {
    let of = |text: fn(&CheckResult) -> &str| {
        results
            .iter()
            .map(|r| text(r).to_owned())
            .collect::<Vec<String>>()
    };
    let positions: Vec<i32> = (0..).take(results.len()).collect();
    let versions: Vec<i32> = results.iter().map(|r| count(r.version)).collect();
    let findings: Vec<serde_json::Value> = results
        .iter()
        .map(|r| findings_of(r))
        .collect::<Result<_, _>>()?;
    let decided_by: Vec<Option<String>> = results.iter().map(|r| r.decided_by.clone()).collect();
    let originals: Vec<Option<String>> = results
        .iter()
        .map(|r| {
            r.overridden
                .as_ref()
                .map(|o| o.original.as_str().to_owned())
        })
        .collect();
    let decided_at: Vec<Option<OffsetDateTime>> = results.iter().map(|r| r.decided_at).collect();
    sqlx::query!(
        r#"
        INSERT INTO certification.check_results
               (case_id, check_id, position, check_version, level, mode, outcome, policy, title, instructions, findings,
                decided_by, original, note, decided_at)
        SELECT $1, r.check_id, (SELECT coalesce(max(position) + 1, 0) FROM certification.check_results WHERE case_id = $1) + r.position,
               r.check_version, r.level, r.mode, r.outcome, r.policy, r.title, r.instructions, r.findings, r.decided_by,
               r.original, r.note, r.decided_at
        FROM UNNEST($2::text[], $3::int[], $4::int[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
                    $11::jsonb[], $12::text[], $13::text[], $14::text[], $15::timestamptz[])
             AS r (check_id, position, check_version, level, mode, outcome, policy, title, instructions, findings, decided_by,
                   original, note, decided_at)
        ON CONFLICT (case_id, check_id) DO UPDATE
        SET outcome = excluded.outcome, findings = excluded.findings, decided_by = excluded.decided_by,
            original = excluded.original, note = excluded.note, decided_at = excluded.decided_at
        "#,
        case,
        &of(|r| &r.check),
        &positions,
        &versions,
        &of(|r| r.level.as_str()),
        &of(|r| r.mode.as_str()),
        &of(|r| r.outcome.as_str()),
        &of(|r| &r.policy),
        &of(|r| &r.title),
        &of(|r| &r.instructions),
        &findings,
        &decided_by as &[Option<String>],
        &originals as &[Option<String>],
        &of(|r| &r.note),
        &decided_at as &[Option<OffsetDateTime>],
    )
    .execute(db)
    .await?;
    Ok(())
}

struct Row {
    check_id: String,
    check_version: i32,
    level: String,
    mode: String,
    outcome: String,
    policy: String,
    title: String,
    instructions: String,
    findings: serde_json::Value,
    decided_by: Option<String>,
    original: Option<String>,
    note: String,
    decided_at: Option<OffsetDateTime>,
}

/// Results of one case, in the order of the catalogue.
pub(super) async fn of_case(
    db: &mut PgConnection,
    case: Uuid,
) -> Result<Vec<CheckResult>, sqlx::Error> {
    let rows = sqlx::query_as!(
        Row,
        r#"
        SELECT check_id, check_version, level, mode, outcome, policy, title, instructions, findings, decided_by, original,
               note, decided_at
        FROM certification.check_results WHERE case_id = $1 ORDER BY position, check_id
        "#,
        case,
    )
    .fetch_all(db)
    .await?;
    rows.into_iter().map(Row::into_result).collect()
}

/// Levels and outcomes of several cases, without findings: what lists show.
pub(super) async fn outcomes_of(
    db: &mut PgConnection,
    cases: &[Uuid],
) -> Result<HashMap<Uuid, Vec<CheckResult>>, sqlx::Error> {
    let rows = sqlx::query!(
        r#"
        SELECT case_id, check_id, check_version, level, mode, outcome, policy, title
        FROM certification.check_results WHERE case_id = ANY($1) ORDER BY position, check_id
        "#,
        cases,
    )
    .fetch_all(db)
    .await?;
    let mut all: HashMap<Uuid, Vec<CheckResult>> = HashMap::new();
    for row in rows {
        let result = Row {
            check_id: row.check_id,
            check_version: row.check_version,
            level: row.level,
            mode: row.mode,
            outcome: row.outcome,
            policy: row.policy,
            title: row.title,
            instructions: String::new(),
            findings: serde_json::Value::Array(Vec::new()),
            decided_by: None,
            original: None,
            note: String::new(),
            decided_at: None,
        };
        all.entry(row.case_id)
            .or_default()
            .push(result.into_result()?);
    }
    Ok(all)
}

impl Row {
    fn into_result(self) -> Result<CheckResult, sqlx::Error> {
        let original = self
            .original
            .as_deref()
            .map(|text| Outcome::parse(text).ok_or_else(|| corrupt("check_results.original")));
        let overridden = original.transpose()?.zip(self.decided_by.clone());
        Ok(CheckResult {
            check: self.check_id,
            version: self.check_version.unsigned_abs(),
            level: Level::parse(&self.level).ok_or_else(|| corrupt("check_results.level"))?,
            mode: Mode::parse(&self.mode).ok_or_else(|| corrupt("check_results.mode"))?,
            outcome: Outcome::parse(&self.outcome)
                .ok_or_else(|| corrupt("check_results.outcome"))?,
            policy: self.policy,
            title: self.title,
            instructions: self.instructions,
            findings: serde_json::from_value(self.findings)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            decided_by: self.decided_by,
            overridden: overridden.map(|(original, reviewer)| Override { original, reviewer }),
            note: self.note,
            decided_at: self.decided_at,
        })
    }
}

fn findings_of(result: &CheckResult) -> Result<serde_json::Value, sqlx::Error> {
    let findings: &Vec<Finding> = &result.findings;
    serde_json::to_value(findings).map_err(|error| sqlx::Error::Encode(error.into()))
}
