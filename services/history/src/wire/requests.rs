//! Requests as the domain means them.

use marketplace_proto::history::v1::{HistoryEventType, ListEventsRequest};
use marketplace_runtime::ids::{MemberName, OfferName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status::{Violation, Violations};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::page_of;
use crate::domain::{Code, Days, Filter, Page, Place, Source, parse_day, parse_zone};
use crate::error::Error;

/// The name in `users` that stands for the operator of the marketplace, whoever of its staff it was.
pub const OPERATOR: &str = "operator";

/// Initiators that a list is narrowed to, by the names that the caller knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users {
    pub members: Vec<String>,
    pub operators: bool,
}

/// A list call.
#[derive(Debug, Clone)]
pub struct List {
    /// Everything but the users, whose principals the catalog knows.
    pub filter: Filter,
    pub users: Option<Users>,
    pub size: i64,
    pub older_than: Option<Place>,
    pub fingerprint: Fingerprint,
}

/// The offer's name.
pub fn offer(parent: &str) -> Result<OfferName, Error> {
    OfferName::parse(parent, "parent").map_err(|violation| Error::Invalid(vec![violation]))
}

/// A list call, with every violation in it.
pub fn list(request: &ListEventsRequest) -> Result<List, Error> {
    let mut wrong = Violations::new();
    let size = wrong.take(paging::page_size(request.page_size));
    let codes = request
        .types
        .iter()
        .filter_map(|kind| wrong.take(code(*kind)))
        .collect();
    let pages: Vec<Page> = request
        .pages
        .iter()
        .filter_map(|id| wrong.take(page(*id)))
        .collect();
    let users = wrong.take(users(request));
    let days = days(request, &mut wrong);
    let fingerprint = fingerprint(request);
    let key: Option<Option<Key>> = wrong.take(paging::decode(&request.page_token, fingerprint));
    let older_than = key.flatten().and_then(|key| wrong.take(key.place()));
    let read = size.zip(users).map(|(size, users)| List {
        filter: Filter {
            codes,
            users: None,
            days,
            pages,
        },
        users,
        size,
        older_than,
        fingerprint,
    });
    Ok(wrong.finish(read)?)
}

fn code(kind: i32) -> Result<Code, Violation> {
    let unknown =
        || Violation::new("types", format!("{kind} is no type of event")).because("UNKNOWN_VALUE");
    Ok(
        match HistoryEventType::try_from(kind).map_err(|_| unknown())? {
            HistoryEventType::Unspecified => return Err(unknown()),
            HistoryEventType::CreatedOffer => Code::CreatedOffer,
            HistoryEventType::CreatedPlan => Code::CreatedPlan,
            HistoryEventType::DeletedPlan => Code::DeletedPlan,
            HistoryEventType::PlanStopDistribution => Code::PlanStopDistribution,
            HistoryEventType::ResumeDistribution => Code::ResumeDistribution,
            HistoryEventType::SubmittedToPreview => Code::SubmittedToPreview,
            HistoryEventType::InitiatedPreviewCancellation => Code::InitiatedPreviewCancellation,
            HistoryEventType::CanceledPreview => Code::CanceledPreview,
            HistoryEventType::SignOffToGoLive => Code::SignOffToGoLive,
            HistoryEventType::InitiatedLiveCancellation => Code::InitiatedLiveCancellation,
            HistoryEventType::CanceledLive => Code::CanceledLive,
            HistoryEventType::SyncPrivateAudience => Code::SyncPrivateAudience,
            HistoryEventType::StopDistributionOffer => Code::StopDistributionOffer,
            HistoryEventType::Step => Code::Step,
        },
    )
}

fn page(id: i32) -> Result<Page, Violation> {
    page_of(id)
        .ok_or_else(|| Violation::new("pages", format!("{id} is no page")).because("UNKNOWN_VALUE"))
}

fn users(request: &ListEventsRequest) -> Result<Option<Users>, Violation> {
    if request.users.is_empty() {
        return Ok(None);
    }
    let mut users = Users::default();
    for user in &request.users {
        if user == OPERATOR {
            users.operators = true;
        } else {
            users
                .members
                .push(MemberName::parse(user, "users")?.to_string());
        }
    }
    Ok(Some(users))
}

fn days(request: &ListEventsRequest, wrong: &mut Violations) -> Days {
    let said = |field: &'static str| {
        move |error: crate::domain::DayError| {
            Violation::new(field, error.to_string()).because("BAD_DATE")
        }
    };
    let from = wrong
        .take(parse_day(&request.from_date).map_err(said("from_date")))
        .flatten();
    let to = wrong
        .take(parse_day(&request.to_date).map_err(said("to_date")))
        .flatten();
    let zone = wrong.take(parse_zone(&request.time_zone).map_err(said("time_zone")));
    if from.zip(to).is_some_and(|(from, to)| from > to) {
        wrong.add(Violation::new("to_date", "is before from_date").because("BAD_DATE"));
    }
    zone.map(|zone| Days::between(from, to, zone))
        .unwrap_or_default()
}

fn fingerprint(request: &ListEventsRequest) -> Fingerprint {
    let filters = (
        &request.parent,
        &request.types,
        &request.users,
        &request.from_date,
        &request.to_date,
        &request.time_zone,
        &request.pages,
    );
    Fingerprint::of("ListEvents", &filters)
}

/// The key of the last row of a page, as its token carries it.
#[derive(Serialize, Deserialize)]
struct Key(i64, String, i64, i32);

impl Key {
    fn place(self) -> Result<Place, Violation> {
        let malformed = || {
            Violation::new("page_token", "is not a token this list has answered")
                .because("BAD_PAGE_TOKEN")
        };
        let nanos = i128::from(self.0) * 1_000;
        // A forged time must not lead beyond those that the database knows.
        let occurred_at = OffsetDateTime::from_unix_timestamp_nanos(nanos)
            .ok()
            .filter(|at| at.year() >= 1);
        Ok(Place {
            occurred_at: occurred_at.ok_or_else(malformed)?,
            source: self.1.parse::<Source>().map_err(|_| malformed())?,
            revision: self.2,
            place: self.3,
        })
    }
}

/// The token that goes on after this row.
pub fn page_key(last: Place, fingerprint: Fingerprint) -> String {
    // Times of rows have microseconds and lie within what 64 bits of them can say.
    let micros = i64::try_from(last.occurred_at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    paging::encode(
        &Key(
            micros,
            last.source.as_str().to_owned(),
            last.revision,
            last.place,
        ),
        fingerprint,
    )
}

fn watch(parent: &str) -> Fingerprint {
    Fingerprint::of("WatchHistory", &parent)
}

/// The token of a place in an offer's record.
pub fn resume_token(parent: &str, offer_uid: Uuid, seq: i64) -> String {
    paging::encode(&(offer_uid, seq), watch(parent))
}

/// The place that a token names; `None` without one. OUT_OF_RANGE where the offer was deleted since.
pub fn resume_seq(token: &str, parent: &str, offer_uid: Uuid) -> Result<Option<i64>, Error> {
    let malformed = |mut violation: Violation| {
        violation.field = "resume_token".into();
        Error::Invalid(vec![violation])
    };
    let read: Option<(Uuid, i64)> = paging::decode(token, watch(parent)).map_err(malformed)?;
    match read {
        Some((uid, _)) if uid != offer_uid => Err(Error::TokenTooOld),
        other => Ok(other.map(|(_, seq)| seq)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ListEventsRequest {
        ListEventsRequest {
            parent: "publishers/contoso/offers/db".into(),
            ..Default::default()
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let wrong = ListEventsRequest {
            page_size: -1,
            page_token: "%".into(),
            types: vec![0, 99],
            users: vec!["ada".into()],
            from_date: "yesterday".into(),
            to_date: "2026-13-01".into(),
            time_zone: "CET".into(),
            pages: vec![0],
            ..request()
        };
        let Error::Invalid(violations) = list(&wrong).unwrap_err() else {
            panic!("not a violation")
        };
        let mut fields: Vec<_> = violations
            .iter()
            .map(|violation| violation.field.as_str())
            .collect();
        fields.dedup();
        assert_eq!(
            fields,
            [
                "page_size",
                "types",
                "pages",
                "users",
                "from_date",
                "to_date",
                "time_zone",
                "page_token"
            ]
        );
    }

    #[test]
    fn a_span_that_ends_before_it_begins_is_refused() {
        let wrong = ListEventsRequest {
            from_date: "2026-02-02".into(),
            to_date: "2026-02-01".into(),
            ..request()
        };
        assert!(matches!(list(&wrong), Err(Error::Invalid(v)) if v[0].field == "to_date"));
    }

    #[test]
    fn a_page_token_leads_to_its_row_and_is_bound_to_the_filters() {
        let first = list(&request()).unwrap();
        let at = OffsetDateTime::from_unix_timestamp_nanos(1_700_000_000_123_456_000).unwrap();
        let last = Place {
            occurred_at: at,
            source: Source::Catalog,
            revision: 7,
            place: 3,
        };
        let page_token = page_key(last, first.fingerprint);
        let next = ListEventsRequest {
            page_token: page_token.clone(),
            ..request()
        };
        assert_eq!(list(&next).unwrap().older_than, Some(last));
        let other = ListEventsRequest {
            page_token,
            types: vec![1],
            ..request()
        };
        assert!(list(&other).is_err());
    }

    #[test]
    fn a_forged_time_in_a_page_token_is_refused() {
        let first = list(&request()).unwrap();
        for micros in [
            i64::MIN,
            -150_000_000_000_000_000,
            -62_135_596_800_000_001,
            i64::MAX,
        ] {
            let forged = ListEventsRequest {
                page_token: paging::encode(&Key(micros, "catalog".into(), 1, 1), first.fingerprint),
                ..request()
            };
            assert!(
                matches!(list(&forged), Err(Error::Invalid(v)) if v[0].field == "page_token"),
                "{micros}"
            );
        }
    }

    #[test]
    fn a_resume_token_of_another_offer_of_that_name_is_too_old() {
        let (old, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let token = resume_token("p", old, 5);
        assert_eq!(resume_seq(&token, "p", old).unwrap(), Some(5));
        assert_eq!(resume_seq("", "p", old).unwrap(), None);
        assert!(matches!(
            resume_seq(&token, "p", new),
            Err(Error::TokenTooOld)
        ));
        assert!(matches!(
            resume_seq(&token, "q", old),
            Err(Error::Invalid(_))
        ));
    }

    #[test]
    fn operators_are_chosen_by_one_word() {
        let users = vec!["operator".into(), "publishers/contoso/members/ada".into()];
        let read = list(&ListEventsRequest { users, ..request() })
            .unwrap()
            .users
            .unwrap();
        assert_eq!((read.operators, read.members.len()), (true, 1));
    }
}
