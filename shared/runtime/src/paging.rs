//! Page sizes and opaque page tokens: keyset tokens, bound to the filters they were made with.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::status::Violation;

/// Rows of a page when the caller names no size.
pub const DEFAULT_PAGE_SIZE: i64 = 50;
/// The most rows that one page has.
pub const MAX_PAGE_SIZE: i64 = 1_000;

/// The rows to answer for a requested `page_size`: 0 is the default, more than the maximum is the maximum.
pub fn page_size(requested: i32) -> Result<i64, Violation> {
    match requested {
        0 => Ok(DEFAULT_PAGE_SIZE),
        1.. => Ok(i64::from(requested).min(MAX_PAGE_SIZE)),
        _ => Err(Violation::new("page_size", "must not be negative").because("OUT_OF_RANGE")),
    }
}

/// What every filter of a list boils down to; a token made with other filters is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 8]);

impl Fingerprint {
    /// The fingerprint of all filters (and the parent) of one list call. `list` is the RPC's name, so that a token
    /// of one list is no token of another.
    pub fn of(list: &str, filters: &impl Serialize) -> Fingerprint {
        let mut hash = Sha256::new();
        hash.update(list.as_bytes());
        hash.update([0]);
        // Filters are plain values: serialising them to JSON can't fail, and if it did, tokens would only match more.
        hash.update(serde_json::to_vec(filters).unwrap_or_default());
        let mut short = [0; 8];
        short.copy_from_slice(&hash.finalize()[..8]);
        Fingerprint(short)
    }
}

/// A token that goes on after `key`, the sort key of the last row of the page.
pub fn encode(key: &impl Serialize, filters: Fingerprint) -> String {
    let mut bytes = filters.0.to_vec();
    bytes.extend(serde_json::to_vec(key).unwrap_or_default());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The sort key to go on after; `None` for the first page (an empty token).
pub fn decode<K: DeserializeOwned>(
    token: &str,
    filters: Fingerprint,
) -> Result<Option<K>, Violation> {
    if token.is_empty() {
        return Ok(None);
    }
    let malformed = || {
        Violation::new("page_token", "is not a token this list has answered")
            .because("BAD_PAGE_TOKEN")
    };
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| malformed())?;
    let (made_with, key) = bytes.split_first_chunk::<8>().ok_or_else(malformed)?;
    if *made_with != filters.0 {
        let why = "was made with other filters; start again without a token";
        return Err(Violation::new("page_token", why).because("OTHER_FILTERS"));
    }
    let key: Value = serde_json::from_slice(key).map_err(|_| malformed())?;
    if !storable(&key) {
        return Err(malformed());
    }
    serde_json::from_value(key)
        .map(Some)
        .map_err(|_| malformed())
}

/// A token is no secret, so anybody can make one up; a key that no row can have (NUL in a text, a time before the first
/// that Postgres knows, 4713 BC) would fail in the database.
fn storable(key: &Value) -> bool {
    match key {
        Value::String(text) => {
            let time = || OffsetDateTime::deserialize(key).ok();
            let too_early = text.starts_with('-') && time().is_some_and(|at| at.year() < -4_712);
            !text.contains('\0') && !too_early
        }
        Value::Array(parts) => parts.iter().all(storable),
        Value::Object(parts) => parts.values().all(storable),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_clamped_and_negative_ones_refused() {
        assert_eq!(page_size(0).unwrap(), 50);
        assert_eq!(page_size(7).unwrap(), 7);
        assert_eq!(page_size(5_000).unwrap(), 1_000);
        assert_eq!(page_size(-1).unwrap_err().field, "page_size");
    }

    #[test]
    fn a_token_leads_back_to_its_key() {
        let filters = Fingerprint::of("ListOffers", &("contoso", Some("draft")));
        let key = (42_i64, "b".to_owned());
        let token = encode(&key, filters);
        assert_eq!(decode::<(i64, String)>(&token, filters).unwrap(), Some(key));
        assert_eq!(decode::<i64>("", filters).unwrap(), None);
    }

    #[test]
    fn a_token_of_other_filters_or_another_list_is_refused() {
        let token = encode(&1, Fingerprint::of("ListOffers", &"contoso"));
        for other in [
            Fingerprint::of("ListOffers", &"fabrikam"),
            Fingerprint::of("ListPlans", &"contoso"),
        ] {
            let refused = decode::<i64>(&token, other).unwrap_err();
            assert_eq!(refused.reason.as_deref(), Some("OTHER_FILTERS"));
        }
    }

    #[test]
    fn a_key_that_no_row_can_have_is_refused() {
        let filters = Fingerprint::of("ListOffers", &());
        let refused = |token: &str| {
            decode::<(OffsetDateTime, String)>(token, filters)
                .unwrap_err()
                .reason
        };
        let now = crate::clock::now();
        let first = time::macros::datetime!(-4712-01-01 00:00 UTC);
        for good in [(now, "-4713"), (first, "-9999-01-01")] {
            assert!(decode::<(OffsetDateTime, String)>(&encode(&good, filters), filters).is_ok());
        }
        for forged in [
            (now, "a\0b"),
            (time::macros::datetime!(-9999-01-01 00:00 UTC), "a"),
        ] {
            assert_eq!(
                refused(&encode(&forged, filters)).as_deref(),
                Some("BAD_PAGE_TOKEN"),
                "{forged:?}"
            );
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let filters = Fingerprint::of("ListOffers", &());
        let not_a_key = encode(&"text", filters);
        for token in ["%", "AAAA", not_a_key.as_str()] {
            assert_eq!(
                decode::<i64>(token, filters).unwrap_err().reason.as_deref(),
                Some("BAD_PAGE_TOKEN"),
                "{token}"
            );
        }
    }
}
