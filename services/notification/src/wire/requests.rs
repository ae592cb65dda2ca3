//! Requests as the domain means them.

use marketplace_proto::notification::v1::{ListActionItemsRequest, Preferences as PbPreferences};
use marketplace_runtime::ids::{self, MemberName, OfferName};
use marketplace_runtime::paging::{self, Fingerprint};
use marketplace_runtime::status::{Violation, Violations};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::{Preferences, is_address, is_language};
use crate::error::Error;
use crate::store::ItemKey;

/// A page of a person's items.
#[derive(Debug, Clone)]
pub struct ListItems {
    pub offer: Option<String>,
    pub archived: bool,
    pub size: i64,
    pub older_than: Option<ItemKey>,
    pub fingerprint: Fingerprint,
}

/// The offer's name.
pub fn offer(name: &str) -> Result<OfferName, Error> {
    Ok(OfferName::parse(name, "offer")?)
}

/// The name of a member of the offer's own publisher.
pub fn member_of(offer: &OfferName, member: &str) -> Result<MemberName, Error> {
    let name = MemberName::parse(member, "member")?;
    if name.publisher != offer.publisher {
        return Err(Error::RoleNotEligible);
    }
    Ok(name)
}

/// "actionItems/{item}".
pub fn item(name: &str) -> Result<Uuid, Error> {
    let wrong = || {
        Violation::new("name", "is not a name of the form actionItems/{actionItem}")
            .because("BAD_NAME")
    };
    let id = name.strip_prefix("actionItems/").ok_or_else(wrong)?;
    Ok(ids::uuid(id, "name").map_err(|_| wrong())?)
}

/// A list call, with every violation in it.
pub fn list_items(request: &ListActionItemsRequest, principal: &str) -> Result<ListItems, Error> {
    let mut wrong = Violations::new();
    let fingerprint = Fingerprint::of(
        "ListActionItems",
        &(principal, &request.offer, request.include_archived),
    );
    let size = wrong.take(paging::page_size(request.page_size));
    let key: Option<Option<(i64, Uuid)>> =
        wrong.take(paging::decode(&request.page_token, fingerprint));
    let older_than = key
        .flatten()
        .and_then(|(micros, id)| wrong.take(time(micros)).map(|at| (at, id)));
    let offer = match request.offer.as_str() {
        "" => None,
        name => wrong
            .take(OfferName::parse(name, "offer"))
            .map(|name| name.to_string()),
    };
    let archived = request.include_archived;
    let read = size.map(|size| ListItems {
        offer,
        archived,
        size,
        older_than,
        fingerprint,
    });
    Ok(wrong.finish(read)?)
}

fn time(micros: i64) -> Result<OffsetDateTime, Violation> {
    // A forged one must not lead beyond the times that the database knows.
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000)
        .ok()
        .filter(|at| at.year() >= 1)
        .ok_or_else(|| {
            Violation::new("page_token", "is not a token this list has answered")
                .because("BAD_PAGE_TOKEN")
        })
}

/// The token that goes on after this item.
pub fn item_key((at, id): ItemKey, fingerprint: Fingerprint) -> String {
    // Times of items have microseconds and lie within what 64 bits of them can say.
    let micros = i64::try_from(at.unix_timestamp_nanos() / 1_000).unwrap_or(i64::MAX);
    paging::encode(&(micros, id), fingerprint)
}

/// Preferences to set, with every violation in them.
pub fn preferences(preferences: Option<&PbPreferences>) -> Result<Preferences, Error> {
    let preferences = preferences.ok_or_else(|| Violation::missing("preferences"))?;
    let mut wrong = Violations::new();
    let email = preferences.email.trim();
    if !email.is_empty() && !is_address(email) {
        wrong.add(
            Violation::new("preferences.email", "is not an e-mail address").because("BAD_ADDRESS"),
        );
    }
    let language = if preferences.language.is_empty() {
        "en"
    } else {
        &preferences.language
    };
    if !is_language(language) {
        wrong.add(
            Violation::new(
                "preferences.language",
                "is not a language tag such as en or pt-BR",
            )
            .because("BAD_LANGUAGE"),
        );
    }
    let etag =
        match preferences.etag.as_str() {
            "" => None,
            etag => wrong.take(etag.parse().map_err(|_| {
                Violation::new("preferences.etag", "is not an etag").because("BAD_ETAG")
            })),
        };
    let read = Preferences {
        email: email.to_owned(),
        language: language.to_owned(),
        etag,
    };
    Ok(wrong.finish(Some(read))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(error: Error) -> Vec<String> {
        let Error::Invalid(violations) = error else {
            panic!("not a violation: {error}")
        };
        violations
            .into_iter()
            .map(|violation| violation.field)
            .collect()
    }

    #[test]
    fn every_wrong_preference_is_named() {
        let wrong = PbPreferences {
            email: "ada".into(),
            language: "english!".into(),
            etag: "x".into(),
            ..Default::default()
        };
        assert_eq!(
            fields(preferences(Some(&wrong)).unwrap_err()),
            [
                "preferences.email",
                "preferences.language",
                "preferences.etag"
            ]
        );
        assert_eq!(fields(preferences(None).unwrap_err()), ["preferences"]);
        let empty = preferences(Some(&PbPreferences::default())).unwrap();
        assert_eq!(
            (empty.email.as_str(), empty.language.as_str(), empty.etag),
            ("", "en", None)
        );
    }

    #[test]
    fn every_wrong_field_of_a_list_is_named() {
        let wrong = ListActionItemsRequest {
            page_size: -1,
            page_token: "%".into(),
            offer: "db".into(),
            ..Default::default()
        };
        assert_eq!(
            fields(list_items(&wrong, "ada").unwrap_err()),
            ["page_size", "page_token", "offer"]
        );
    }

    #[test]
    fn a_forged_time_in_a_page_token_is_refused() {
        let first = list_items(&ListActionItemsRequest::default(), "ada").unwrap();
        for micros in [
            i64::MIN,
            -150_000_000_000_000_000,
            -62_135_596_800_000_001,
            i64::MAX,
        ] {
            let request = ListActionItemsRequest {
                page_token: paging::encode(&(micros, Uuid::nil()), first.fingerprint),
                ..Default::default()
            };
            assert_eq!(
                fields(list_items(&request, "ada").unwrap_err()),
                ["page_token"],
                "{micros}"
            );
        }
    }

    #[test]
    fn names_of_items_and_members() {
        assert!(item("actionItems/0190c0de-0000-7000-8000-000000000001").is_ok());
        assert_eq!(fields(item("items/1").unwrap_err()), ["name"]);
        let offer = offer("publishers/contoso/offers/db").unwrap();
        assert!(member_of(&offer, "publishers/contoso/members/ada").is_ok());
        assert!(matches!(
            member_of(&offer, "publishers/fabrikam/members/eve"),
            Err(Error::RoleNotEligible)
        ));
    }
}
