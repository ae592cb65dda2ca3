//! Items, preferences and audiences as they are answered.

use marketplace_proto::notification::v1::{
    ActionItem, AudienceEntry, ItemKind, ItemLink, NotificationCode, Preferences,
};
use marketplace_runtime::timestamp::to_proto;

use crate::domain::{Code, Kind, Link, Member, Person};
use crate::store::Item;

/// One item.
pub fn action_item(item: Item) -> ActionItem {
    let publisher = if item.publisher.is_empty() {
        String::new()
    } else {
        format!("publishers/{}", item.publisher)
    };
    ActionItem {
        name: format!("actionItems/{}", item.id),
        code: code(item.code).into(),
        kind: kind(item.kind).into(),
        title: item.title,
        body: item.body,
        offer: item.offer,
        submission: item.submission,
        links: item.links.into_iter().map(link).collect(),
        read: item.read_at.is_some(),
        archived: item.archived_at.is_some(),
        resolved: item.resolved_at.is_some(),
        create_time: Some(to_proto(item.created_at)),
        publisher,
    }
}

fn link(link: Link) -> ItemLink {
    ItemLink {
        title: link.title,
        target: link.target,
    }
}

/// A person's preferences.
pub fn preferences(person: &Person) -> Preferences {
    Preferences {
        email: person.email.clone(),
        email_verified: person.verified_at.is_some(),
        language: person.language.clone(),
        etag: person.revision.to_string(),
    }
}

/// Somebody on an audience.
pub fn entry(member: &Member, person: Option<&Person>) -> AudienceEntry {
    AudienceEntry {
        member: member.name.clone(),
        display_name: member.display_name.clone(),
        mandatory: member.owner,
        email_verified: person.is_some_and(|person| person.verified_at.is_some()),
    }
}

fn code(code: Code) -> NotificationCode {
    match code {
        Code::PublishSubmitted => NotificationCode::PublishSubmitted,
        Code::StepFailed => NotificationCode::StepFailed,
        Code::CertificationFailed => NotificationCode::CertificationFailed,
        Code::PreviewReady => NotificationCode::PreviewReady,
        Code::ValidationWarnings => NotificationCode::ValidationWarnings,
        Code::PublishCanceled => NotificationCode::PublishCanceled,
        Code::GoLiveAccepted => NotificationCode::GoLiveAccepted,
        Code::OfferLive => NotificationCode::OfferLive,
        Code::StopRequested => NotificationCode::StopRequested,
        Code::OfferNotAvailable => NotificationCode::OfferNotAvailable,
        Code::PlanStopped => NotificationCode::PlanStopped,
        Code::AudienceSyncedOrResumed => NotificationCode::AudienceSyncedOrResumed,
        Code::EmailUnverified => NotificationCode::EmailUnverified,
        Code::AudienceMembership => NotificationCode::AudienceMembership,
    }
}

fn kind(kind: Kind) -> ItemKind {
    match kind {
        Kind::Status => ItemKind::Status,
        Kind::RequiredAction => ItemKind::RequiredAction,
        Kind::RecommendedAction => ItemKind::RecommendedAction,
        Kind::MandatoryAction => ItemKind::MandatoryAction,
    }
}
