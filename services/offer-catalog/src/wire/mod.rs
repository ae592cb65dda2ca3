//! Protobuf to domain and back, and all validation of the form of a request: every fault that is found is answered.

pub mod assets;
pub mod audiences;
pub mod differences;
pub mod freezes;
pub mod leads;
pub mod listings;
pub mod offers;
pub mod pages;
pub mod plans;
pub mod publications;
pub mod publishers;

use marketplace_runtime::ids::SubmissionName;
use marketplace_runtime::status::{Violation, Violations};
/// Text of one line, or nothing.
pub use marketplace_runtime::text::line as optional_line;
use marketplace_runtime::timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

/// A count that is never negative.
pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

/// A count from elsewhere; more than we can store is as good as the most.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// An etag of ours: a revision. Empty: the caller doesn't care.
pub fn etag(text: &str, field: &str) -> Result<Option<i64>, Violation> {
    if text.is_empty() {
        return Ok(None);
    }
    let revision = text
        .parse()
        .map_err(|_| Violation::new(field, "is no etag that was answered").because("BAD_ETAG"))?;
    Ok(Some(revision))
}

/// A time as it is answered.
pub fn time(at: OffsetDateTime) -> Option<prost_types::Timestamp> {
    Some(timestamp::to_proto(at))
}

/// Text of `1..=most` characters on one line, without control characters.
pub fn line(text: &str, field: &str, most: usize) -> Result<String, Violation> {
    if text.trim().is_empty() {
        return Err(Violation::missing(field));
    }
    optional_line(text, field, most)
}

/// A submission of a given offer: its system id.
pub fn submission(text: &str, field: &str) -> Result<(SubmissionName, Uuid), Violation> {
    let name = SubmissionName::parse(text, field)?;
    let id = name.id(field)?;
    Ok((name, id))
}

/// Collects what is wrong, for `finish`.
fn violations() -> Violations {
    Violations::new()
}
