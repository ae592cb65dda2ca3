//! Rows as they are answered.

use marketplace_proto::history::v1::{
    CompletionStatus, HistoryEvent, HistoryEventType, Initiator, InitiatorKind, ListFacetsResponse,
};
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::timestamp::to_proto;

use super::page_id;
use crate::domain::{Code, Completion, Leg, OfferType, Page, Row, Shown};
use crate::store::Record;

/// One row.
pub fn event(offer: &OfferName, row: &Row, shown: &Shown<'_>, kind: &OfferType) -> HistoryEvent {
    let entry = &row.entry;
    let step = entry.step.as_ref();
    HistoryEvent {
        name: format!("{offer}/events/{}-{}", entry.event_id, entry.at.place),
        r#type: event_type(entry.code).into(),
        label: entry.label(),
        plan_id: entry.plan_id.clone(),
        plan_name: entry.plan_name.clone(),
        submission: entry
            .submission
            .map(|id| offer.submission(id).to_string())
            .unwrap_or_default(),
        leg: entry.leg.map(Leg::as_str).unwrap_or_default().to_owned(),
        initiator: Some(initiator(shown)),
        occur_time: Some(to_proto(entry.at.occurred_at)),
        complete_time: step.map(|step| to_proto(step.completed_at)),
        completion_status: step
            .map_or(CompletionStatus::Unspecified, |step| {
                completion(step.completion)
            })
            .into(),
        pages_changed: pages_changed(row, kind)
            .into_iter()
            .map(|page| page_id(page).into())
            .collect(),
        seq: row.seq.unsigned_abs(),
        reason: entry.reason.clone(),
        colour: step
            .map(|step| step.completion.colour())
            .unwrap_or_default()
            .to_owned(),
        completion_text: step
            .map(|step| step.completion.text())
            .unwrap_or_default()
            .to_owned(),
    }
}

/// H06 only; with what counts as changed in every submission (HF-7, HF-8).
pub(super) fn pages_changed(row: &Row, kind: &OfferType) -> Vec<Page> {
    if row.entry.code == Code::SubmittedToPreview {
        kind.changed(&row.entry.pages)
    } else {
        Vec::new()
    }
}

/// Who is shown.
pub fn initiator(shown: &Shown<'_>) -> Initiator {
    let kind = match shown {
        Shown::Member(_) | Shown::Left => InitiatorKind::User,
        Shown::Operator(_) => InitiatorKind::Operator,
        Shown::Nobody => InitiatorKind::System,
    };
    let (member, logo_url) = match shown {
        Shown::Member(person) => (person.member.clone(), String::new()),
        Shown::Operator(brand) => (String::new(), brand.logo_url.clone()),
        Shown::Left | Shown::Nobody => (String::new(), String::new()),
    };
    Initiator {
        kind: kind.into(),
        display_name: shown.name().to_owned(),
        member,
        logo_url,
    }
}

/// What the filters can take; `users` are those still shown.
pub fn facets(record: &Record, users: Vec<Initiator>, kind: &OfferType) -> ListFacetsResponse {
    ListFacetsResponse {
        types: record
            .codes
            .iter()
            .map(|code| event_type(*code).into())
            .collect(),
        users,
        pages: kind
            .filterable()
            .into_iter()
            .map(|page| page_id(page).into())
            .collect(),
        oldest: record.oldest.map(to_proto),
        newest: record.newest.map(to_proto),
    }
}

fn event_type(code: Code) -> HistoryEventType {
    match code {
        Code::CreatedOffer => HistoryEventType::CreatedOffer,
        Code::CreatedPlan => HistoryEventType::CreatedPlan,
        Code::DeletedPlan => HistoryEventType::DeletedPlan,
        Code::PlanStopDistribution => HistoryEventType::PlanStopDistribution,
        Code::ResumeDistribution => HistoryEventType::ResumeDistribution,
        Code::SubmittedToPreview => HistoryEventType::SubmittedToPreview,
        Code::InitiatedPreviewCancellation => HistoryEventType::InitiatedPreviewCancellation,
        Code::CanceledPreview => HistoryEventType::CanceledPreview,
        Code::SignOffToGoLive => HistoryEventType::SignOffToGoLive,
        Code::InitiatedLiveCancellation => HistoryEventType::InitiatedLiveCancellation,
        Code::CanceledLive => HistoryEventType::CanceledLive,
        Code::SyncPrivateAudience => HistoryEventType::SyncPrivateAudience,
        Code::StopDistributionOffer => HistoryEventType::StopDistributionOffer,
        Code::Step => HistoryEventType::Step,
    }
}

fn completion(completion: Completion) -> CompletionStatus {
    match completion {
        Completion::Succeeded => CompletionStatus::Succeeded,
        Completion::SucceededWithWarnings => CompletionStatus::SucceededWithWarnings,
        Completion::Failed => CompletionStatus::Failed,
        Completion::Canceled => CompletionStatus::Canceled,
    }
}
