//! The checks of an order have run: report, case and answer.

use marketplace_messaging::Work;
use marketplace_runtime::{access::Scope, ids};
use time::OffsetDateTime;

use crate::{
    domain::{
        Answer, Case, CheckResult, Ended, Job, Kind, Level, Opening, Outcome, Report, Severity,
        Switches, Verdict,
    },
    error::Error,
    outgoing, store,
};

/// Offer validation is done: a report if something could fail certification, and the answer (S3-1, RP-1).
pub async fn validated(
    db: &mut Work,
    job: &Job,
    results: &[CheckResult],
    now: OffsetDateTime,
) -> Result<(), Error> {
    if !store::still_mine(db, job).await? {
        return Ok(());
    }
    let order = &job.order;
    let report = validation_report(job, results, now);
    let could_fail = report.failures();
    let mut name = String::new();
    if could_fail > 0 {
        store::insert_report(db, &report).await?;
        name = Report::name_of(&order.key.submission, Kind::Validation);
    }
    let answer = Answer::Validated {
        report: name,
        warnings: could_fail,
    };
    let stored = outgoing::answer(&order.key, &answer);
    store::answer_job(db, &order.key, answer.kind(), &stored, now).await?;
    db.tell(outgoing::answered(order, &stored, now)?);
    Ok(())
}

/// Everything that was found, warnings as well: they are worth reading once there is something to mend.
fn validation_report(job: &Job, results: &[CheckResult], now: OffsetDateTime) -> Report {
    let worth = |r: &&CheckResult| matches!(r.outcome, Outcome::Fail | Outcome::Warn);
    let found = results
        .iter()
        .filter(worth)
        .flat_map(|r| r.findings.iter().map(|f| (r.level, f.clone())));
    let findings: Vec<(Level, _)> = found
        .filter(|(_, f)| f.severity != Severity::Info)
        .collect();
    Report {
        id: ids::new_id(),
        submission: job.order.key.submission.clone(),
        kind: Kind::Validation,
        offer: job.order.offer.clone(),
        attempt: 0,
        review_notes: String::new(),
        findings,
        created_at: now,
    }
}

/// The automatic checks of a case have run: it passes, fails, or waits for a reviewer.
pub async fn certified(
    db: &mut Work,
    job: &Job,
    opening: Opening,
    switches: &Switches,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let id = job
        .case
        .ok_or_else(|| Error::Corrupt("a certification without a case".to_owned()))?;
    let scope = Scope::system(job.order.publisher.clone());
    let case = store::lock_case(db, &scope, id).await?;
    let Some(mut case) = case else {
        return Err(Error::not_found("Case", id.to_string()));
    };
    if !store::still_mine(db, job).await? {
        return Ok(());
    }
    let verdict = case.finish_checks(opening, switches, now)?;
    store::save_case(db, &mut case).await?;
    let results: Vec<&CheckResult> = case.results.iter().collect();
    store::save_results(db, case.id, &results).await?;
    match verdict {
        Verdict::Ended(ended) => end(db, &case, &ended, now).await,
        Verdict::Waits(open) => {
            store::park_jobs(db, case.id).await?;
            db.tell(outgoing::certification_progressed(
                &job.order,
                &job.order.key,
                case.id,
                open,
                now,
            ));
            Ok(())
        }
    }
}

/// The order can never be carried out: what is there isn't what was ordered. Not the publisher's fault, so there is no
/// report; a later attempt opens a case of its own.
pub async fn impossible(
    db: &mut Work,
    job: &Job,
    reason: &str,
    message: &str,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let order = &job.order;
    let mut case = None;
    if let Some(id) = job.case {
        let scope = Scope::system(order.publisher.clone());
        let locked = store::lock_case(db, &scope, id).await?;
        case = Some(locked.ok_or_else(|| Error::not_found("Case", id.to_string()))?);
    }
    if !store::still_mine(db, job).await? {
        return Ok(());
    }
    let answer = Answer::Impossible {
        reason: reason.to_owned(),
        message: message.to_owned(),
    };
    let Some(mut case) = case else {
        let stored = outgoing::answer(&order.key, &answer);
        store::answer_job(db, &order.key, answer.kind(), &stored, now).await?;
        db.tell(outgoing::answered(order, &stored, now)?);
        return Ok(());
    };
    case.withdraw(now)?;
    store::save_case(db, &mut case).await?;
    store::void_case(db, case.id).await?;
    answer_all(db, &case, &answer, now).await
}

/// A case has ended: its report is stored, everybody who waits for it is answered.
pub(super) async fn end(
    db: &mut Work,
    case: &Case,
    ended: &Ended,
    now: OffsetDateTime,
) -> Result<(), Error> {
    if let Ended::Failed(report) = ended {
        store::insert_report(db, report).await?;
    }
    answer(db, case, ended, now).await
}

/// Answers every attempt that waits for the case. Only the newest is told: the pipeline has given up the others.
pub(super) async fn answer(
    db: &mut Work,
    case: &Case,
    ended: &Ended,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let answer = match ended {
        Ended::Passed { with_notes } => Answer::Passed {
            digest: case.digest.clone(),
            case: case.id,
            with_notes: *with_notes,
        },
        Ended::Failed(report) => Answer::Failed {
            case: case.id,
            report: Report::name_of(&case.order.key.submission, Kind::Failure),
            failures: report.failures(),
            summary: report.summary(),
        },
    };
    answer_all(db, case, &answer, now).await
}

async fn answer_all(
    db: &mut Work,
    case: &Case,
    answer: &Answer,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let mut newest = None;
    for key in store::open_jobs(db, case.id).await? {
        let stored = outgoing::answer(&key, answer);
        store::answer_job(db, &key, answer.kind(), &stored, now).await?;
        newest = Some(stored);
    }
    if let Some(stored) = newest {
        db.tell(outgoing::answered(&case.order, &stored, now)?);
    }
    Ok(())
}
