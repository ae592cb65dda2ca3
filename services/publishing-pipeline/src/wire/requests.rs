//! What callers send: checked here, all violations at once.

use marketplace_proto::offercatalog::v1 as catalog;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::ids::{OfferName, PlanName, SnapshotName, SubmissionName};
use marketplace_runtime::paging;
use marketplace_runtime::status::{Violation, Violations};
use marketplace_runtime::text;
use marketplace_runtime::timestamp::from_proto;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::domain::{DeprecationReason, StepId, SubmissionState};

/// The longest notes for certification (PG-8).
pub(super) const NOTES: usize = 5_000;
/// The longest reason.
const REASON: usize = 1_000;
/// The latest that an offer leaves after it was stopped.
const LONGEST_NOTICE: Duration = Duration::days(730);

/// A PublishOffer that is well formed.
#[derive(Debug, Clone)]
pub struct Publish {
    pub offer: OfferName,
    pub etag: String,
    pub notes: String,
    pub supersede: bool,
    /// An earlier snapshot of the same offer, by its resource name; empty: the draft.
    pub source: String,
    pub confirm: bool,
    pub validate_only: bool,
}

/// `in_flight_policy`: whether what is in flight makes way.
pub fn supersede(policy: i32) -> Result<bool, Violation> {
    let unknown = Violation::new("in_flight_policy", "is not known").because("UNKNOWN_VALUE");
    let policy = pb::InFlightPolicy::try_from(policy).map_err(|_| unknown)?;
    Ok(policy == pb::InFlightPolicy::Supersede)
}

/// The same as it is told.
pub const fn in_flight_policy(supersede: bool) -> pb::InFlightPolicy {
    if supersede {
        pb::InFlightPolicy::Supersede
    } else {
        pb::InFlightPolicy::Reject
    }
}

pub fn publish(request: &pb::PublishOfferRequest) -> Result<Publish, Vec<Violation>> {
    let mut wrong = Violations::new();
    let offer = wrong.take(OfferName::parse(&request.offer, "offer"));
    let notes = wrong.take(text::lines(&request.notes, "notes", NOTES));
    if request.source.is_empty() && request.etag.is_empty() {
        wrong.add(Violation::missing("etag"));
    }
    if !request.source.is_empty() {
        if !request.etag.is_empty() {
            wrong.add(
                Violation::new("etag", "can't be used with source").because("CONFLICTING_FIELDS"),
            );
        }
        if let (Some(snapshot), Some(offer)) = (
            wrong.take(SnapshotName::parse(&request.source, "source")),
            &offer,
        ) && OfferName::new(&snapshot.publisher, &snapshot.offer) != *offer
        {
            wrong.add(
                Violation::new("source", "is a snapshot of another offer").because("OTHER_OFFER"),
            );
        }
    }
    let supersede = wrong.take(supersede(request.in_flight_policy));
    let read = offer
        .zip(notes)
        .zip(supersede)
        .map(|((offer, notes), supersede)| Publish {
            offer,
            etag: request.etag.clone(),
            notes,
            supersede,
            source: request.source.clone(),
            confirm: request.confirm,
            validate_only: request.validate_only,
        });
    wrong.finish(read)
}

/// A submission's resource name and its id.
pub fn submission_name(name: &str, field: &str) -> Result<(SubmissionName, Uuid), Vec<Violation>> {
    let mut wrong = Violations::new();
    let name = wrong.take(SubmissionName::parse(name, field));
    let id = name.as_ref().and_then(|name| wrong.take(name.id(field)));
    wrong.finish(name.zip(id))
}

pub fn cancel(
    request: &pb::CancelPublishRequest,
) -> Result<(SubmissionName, Uuid), Vec<Violation>> {
    submission_name(&request.submission, "submission")
}

/// A GoLive that is well formed.
#[derive(Debug, Clone)]
pub struct GoLive {
    pub submission: SubmissionName,
    pub id: Uuid,
    pub at: Option<OffsetDateTime>,
}

pub fn go_live(request: &pb::GoLiveRequest, now: OffsetDateTime) -> Result<GoLive, Vec<Violation>> {
    let mut wrong = Violations::new();
    let name = wrong.take(SubmissionName::parse(&request.submission, "submission"));
    let id = name
        .as_ref()
        .and_then(|name| wrong.take(name.id("submission")));
    let at = request
        .go_live_at
        .as_ref()
        .and_then(|at| wrong.take(from_proto(at, "go_live_at")));
    if at.is_some_and(|at| at <= now) {
        wrong.add(Violation::new("go_live_at", "is not in the future").because("NOT_FUTURE"));
    }
    if at.is_some_and(|at| at > now + time::Duration::days(366)) {
        wrong
            .add(Violation::new("go_live_at", "is more than a year ahead").because("OUT_OF_RANGE"));
    }
    wrong.finish(
        name.zip(id)
            .map(|(submission, id)| GoLive { submission, id, at }),
    )
}

/// A submission, one of its steps unless `step` is `None`, and the reason that every act of an operator has.
pub fn operate(
    submission: &str,
    step: Option<&str>,
    reason: &str,
) -> Result<(SubmissionName, Uuid, Option<StepId>, String), Vec<Violation>> {
    let mut wrong = Violations::new();
    let name = wrong.take(SubmissionName::parse(submission, "submission"));
    let id = name
        .as_ref()
        .and_then(|name| wrong.take(name.id("submission")));
    let unknown = |_| Violation::new("step", "is no step").because("UNKNOWN_VALUE");
    let step = step.and_then(|step| wrong.take(step.parse::<StepId>().map_err(unknown)));
    let reason = wrong.take(text::lines(reason.trim(), "reason", REASON));
    if reason.as_deref() == Some("") {
        wrong.add(Violation::missing("reason"));
    }
    wrong.finish(
        name.zip(id)
            .zip(reason)
            .map(|((name, id), reason)| (name, id, step, reason)),
    )
}

/// The states that a filter of the wire stands for; `None`: every state.
pub fn states(state: i32) -> Result<Option<Vec<String>>, Violation> {
    let unknown = || Violation::new("state", "is not known").because("UNKNOWN_VALUE");
    let wanted = pb::SubmissionState::try_from(state).map_err(|_| unknown())?;
    if wanted == pb::SubmissionState::Unspecified {
        return Ok(None);
    }
    let all = SubmissionState::ALL
        .into_iter()
        .filter(|one| super::submission_state(*one) == wanted);
    Ok(Some(all.map(|one| one.as_str().to_owned()).collect()))
}

/// A ListSubmissions that is well formed.
#[derive(Debug, Clone)]
pub struct ListSubmissions {
    pub offer: OfferName,
    pub size: i64,
    pub states: Option<Vec<String>>,
    /// The last row of the page before.
    pub before: Option<Uuid>,
    pub filters: paging::Fingerprint,
}

pub fn list_submissions(
    request: &pb::ListSubmissionsRequest,
) -> Result<ListSubmissions, Vec<Violation>> {
    let mut wrong = Violations::new();
    let filters = paging::Fingerprint::of("ListSubmissions", &(&request.parent, request.state));
    let offer = wrong.take(OfferName::parse(&request.parent, "parent"));
    let size = wrong.take(paging::page_size(request.page_size));
    let states = wrong.take(states(request.state));
    let before = wrong.take(paging::decode(&request.page_token, filters));
    let read = offer.zip(size).zip(states.zip(before));
    wrong.finish(
        read.map(|((offer, size), (states, before))| ListSubmissions {
            offer,
            size,
            states,
            before,
            filters,
        }),
    )
}

/// A ListIncidents that is well formed.
#[derive(Debug, Clone)]
pub struct ListIncidents {
    pub size: i64,
    /// The last row of the page before.
    pub after: Option<(OffsetDateTime, Uuid)>,
    pub filters: paging::Fingerprint,
}

pub fn list_incidents(request: &pb::ListIncidentsRequest) -> Result<ListIncidents, Vec<Violation>> {
    let mut wrong = Violations::new();
    let filters = paging::Fingerprint::of("ListIncidents", &request.include_closed);
    let size = wrong.take(paging::page_size(request.page_size));
    let after = wrong.take(paging::decode(&request.page_token, filters));
    wrong.finish(size.zip(after).map(|(size, after)| ListIncidents {
        size,
        after,
        filters,
    }))
}

/// A stop that is well formed.
#[derive(Debug, Clone)]
pub struct Stop {
    /// `None`: the whole offer.
    pub plan: Option<String>,
    /// The id was repeated.
    pub confirmed: bool,
    pub reason: String,
    /// Of the whole offer (UP-7).
    pub schedule: Option<Schedule>,
}

/// When and why an offer is to leave.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub notice: Option<Duration>,
    pub reason: DeprecationReason,
    pub alternative: Option<Named>,
}

/// An offer that customers see, or one of its plans.
#[derive(Debug, Clone)]
pub struct Named {
    pub offer: OfferName,
    pub plan: Option<String>,
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.plan {
            Some(plan) => self.offer.plan(plan).fmt(f),
            None => self.offer.fmt(f),
        }
    }
}

pub fn stop(
    request: pb::StopDistributionRequest,
    offer: &OfferName,
) -> Result<Stop, Vec<Violation>> {
    let mut wrong = Violations::new();
    let reason = wrong.take(text::lines(&request.reason, "reason", REASON));
    let schedule = request.schedule.as_ref().map(|schedule| {
        let read = read_schedule(schedule, offer);
        let within = |wrong: Violation| wrong.within("schedule");
        read.map_err(|all| wrong.extend(all.into_iter().map(within)))
            .ok()
    });
    if schedule.is_some() && !request.plan_id.is_empty() {
        let why = "is for the whole offer: a plan leaves with the next publish";
        wrong.add(Violation::new("schedule", why).because("CONFLICTING_FIELDS"));
    }
    let id = if request.plan_id.is_empty() {
        &offer.offer
    } else {
        &request.plan_id
    };
    let confirmed = request.confirm == *id;
    let plan = Some(request.plan_id).filter(|plan| !plan.is_empty());
    wrong.finish(reason.map(|reason| Stop {
        plan,
        confirmed,
        reason,
        schedule: schedule.flatten(),
    }))
}

fn read_schedule(
    schedule: &pb::DeprecationSchedule,
    stopped: &OfferName,
) -> Result<Schedule, Vec<Violation>> {
    let mut wrong = Violations::new();
    let notice = schedule
        .date_offset
        .as_ref()
        .map(|offset| wrong.take(notice(offset)));
    let reason = wrong.take(deprecation_reason(schedule.reason));
    let alternative = match schedule.alternative.as_str() {
        "" => None,
        name => Some(wrong.take(alternative(name, stopped))),
    };
    wrong.finish(reason.map(|reason| Schedule {
        notice: notice.flatten(),
        reason,
        alternative: alternative.flatten(),
    }))
}

fn notice(offset: &prost_types::Duration) -> Result<Duration, Violation> {
    let whole = Duration::seconds(offset.seconds);
    let notice = whole.checked_add(Duration::nanoseconds(offset.nanos.into()));
    notice
        .filter(|notice| notice.is_positive() && *notice <= LONGEST_NOTICE)
        .ok_or_else(|| {
            let why = "must be more than 0 and at most 730 days";
            Violation::new("date_offset", why).because("OUT_OF_RANGE")
        })
}

fn deprecation_reason(reason: i32) -> Result<DeprecationReason, Violation> {
    use catalog::DeprecationReason as R;
    match R::try_from(reason) {
        Ok(R::Unspecified | R::Other) => Ok(DeprecationReason::Other),
        Ok(R::CriticalSecurityIssue) => Ok(DeprecationReason::CriticalSecurityIssue),
        Ok(R::EndOfSupport) => Ok(DeprecationReason::EndOfSupport),
        Err(_) => Err(Violation::new("reason", "is not known").because("UNKNOWN_VALUE")),
    }
}

/// Another offer, or a plan of one.
fn alternative(name: &str, stopped: &OfferName) -> Result<Named, Violation> {
    let field = "alternative";
    let named = if name.contains("/plans/") {
        let plan = PlanName::parse(name, field)?;
        Named {
            offer: plan.parent(),
            plan: Some(plan.plan),
        }
    } else {
        Named {
            offer: OfferName::parse(name, field)?,
            plan: None,
        }
    };
    if named.offer == *stopped {
        let why = "is of the offer that is to leave";
        return Err(Violation::new(field, why).because("SAME_OFFER"));
    }
    Ok(named)
}

/// A plan's id, which must be there.
pub fn plan(id: String) -> Result<String, Violation> {
    if id.is_empty() {
        Err(Violation::missing("plan_id"))
    } else {
        Ok(id)
    }
}

/// The transition number in a resume token; 0: none.
pub fn watch_token(token: &str, submission: Uuid) -> Result<u64, Violation> {
    if token.is_empty() {
        return Ok(0);
    }
    let wrong = || {
        Violation::new("resume_token", "is no token of this submission").because("BAD_RESUME_TOKEN")
    };
    let (id, number) = token.split_once('.').ok_or_else(wrong)?;
    if id != submission.simple().to_string() {
        return Err(wrong());
    }
    number
        .parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(violations: Vec<Violation>) -> Vec<String> {
        violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn every_wrong_field_of_a_publish_is_named() {
        let request = pb::PublishOfferRequest {
            offer: "offers/x".into(),
            notes: "n".repeat(5_001),
            in_flight_policy: 7,
            ..Default::default()
        };
        assert_eq!(
            fields(publish(&request).unwrap_err()),
            ["offer", "notes", "etag", "in_flight_policy"]
        );
    }

    #[test]
    fn a_source_must_be_of_the_same_offer_and_excludes_an_etag() {
        let request = pb::PublishOfferRequest {
            offer: "publishers/a/offers/one".into(),
            source: "publishers/a/offers/two/snapshots/abc".into(),
            etag: "3".into(),
            ..Default::default()
        };
        assert_eq!(fields(publish(&request).unwrap_err()), ["etag", "source"]);
    }

    #[test]
    fn a_go_live_in_the_past_is_refused() {
        let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(1);
        let request = pb::GoLiveRequest {
            submission: "publishers/a/offers/one/submissions/x".into(),
            go_live_at: Some(prost_types::Timestamp::default()),
            ..Default::default()
        };
        assert_eq!(
            fields(go_live(&request, now).unwrap_err()),
            ["submission", "go_live_at"]
        );
    }

    #[test]
    fn operators_give_a_reason() {
        assert_eq!(
            fields(operate("x", Some("walk"), " ").unwrap_err()),
            ["submission", "step", "reason"]
        );
    }

    #[test]
    fn text_has_no_control_characters() {
        let notes = pb::PublishOfferRequest {
            offer: "publishers/a/offers/one".into(),
            etag: "1".into(),
            notes: "Sign in\r\nas admin\0".into(),
            ..Default::default()
        };
        assert_eq!(fields(publish(&notes).unwrap_err()), ["notes"]);
        let whole = pb::PublishOfferRequest {
            notes: "Sign in\r\nas admin".into(),
            ..notes
        };
        assert_eq!(publish(&whole).unwrap().notes, "Sign in\nas admin");
        let submission = format!("publishers/a/offers/one/submissions/{}", Uuid::from_u128(7));
        assert_eq!(
            fields(operate(&submission, None, "stuck\0").unwrap_err()),
            ["reason"]
        );
        let stopped = pb::StopDistributionRequest {
            reason: "old\0".into(),
            ..Default::default()
        };
        let offer = OfferName::new("a", "one");
        assert_eq!(fields(stop(stopped, &offer).unwrap_err()), ["reason"]);
    }

    #[test]
    fn up_7_every_wrong_field_of_a_schedule_is_named() {
        let offer = OfferName::new("a", "one");
        let schedule = |seconds, nanos, reason, alternative: &str| pb::StopDistributionRequest {
            confirm: "one".into(),
            schedule: Some(pb::DeprecationSchedule {
                date_offset: Some(prost_types::Duration { seconds, nanos }),
                reason,
                alternative: alternative.into(),
                ..Default::default()
            }),
            ..Default::default()
        };
        let day = 24 * 60 * 60;
        for (seconds, nanos) in [
            (0, 0),
            (-5, 0),
            (0, -1),
            (730 * day, 1),
            (i64::MAX, i32::MAX),
        ] {
            let wrong = stop(schedule(seconds, nanos, 0, ""), &offer).unwrap_err();
            assert_eq!(fields(wrong), ["schedule.date_offset"], "{seconds} {nanos}");
        }
        let wrong = schedule(0, 0, 9, "publishers/a/offers/one/plans/x");
        assert_eq!(
            fields(stop(wrong, &offer).unwrap_err()),
            [
                "schedule.date_offset",
                "schedule.reason",
                "schedule.alternative"
            ]
        );
        let of_a_plan = pb::StopDistributionRequest {
            plan_id: "gold".into(),
            ..schedule(day, 0, 1, "")
        };
        assert_eq!(fields(stop(of_a_plan, &offer).unwrap_err()), ["schedule"]);
        let right = schedule(730 * day, 0, 1, "publishers/b/offers/two/plans/x");
        let right = stop(right, &offer).unwrap().schedule.unwrap();
        assert_eq!(right.notice, Some(Duration::days(730)));
        assert_eq!(
            right.alternative.unwrap().to_string(),
            "publishers/b/offers/two/plans/x"
        );
    }

    #[test]
    fn a_resume_token_is_of_its_submission() {
        let id = Uuid::from_u128(7);
        assert_eq!(watch_token("", id).unwrap(), 0);
        assert_eq!(watch_token(&format!("{}.12", id.simple()), id).unwrap(), 12);
        for wrong in [
            "12",
            "x.12",
            &format!("{}.0", id.simple()),
            &format!("{}.x", id.simple()),
        ] {
            assert_eq!(
                watch_token(wrong, id).unwrap_err().field,
                "resume_token",
                "{wrong}"
            );
        }
    }

    #[test]
    fn running_stands_for_both_legs() {
        let running = states(pb::SubmissionState::Running.into())
            .unwrap()
            .unwrap();
        assert_eq!(running, ["preview_leg", "live_leg"]);
        assert_eq!(states(99).unwrap_err().field, "state");
    }
}
