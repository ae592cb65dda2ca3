//! A plan of an offer: in the catalogue it is a draft or deleted, every other state is the publication's (E-6).

use time::OffsetDateTime;
use uuid::Uuid;

/// PN-1
pub const MOST_PLANS: usize = 100;
/// PN-2
pub const LONGEST_NAME: usize = 200;

/// A plan as its publisher drafts it; its pages are kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub offer_uid: Uuid,
    pub id: String,
    pub display_name: String,
    pub subtype: String,
    pub revision: i64,
    pub ever_frozen: bool,
    pub create_time: OffsetDateTime,
}

/// True for what a plan may be called (E-6).
pub fn is_id(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-');
    (1..=50).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e6_plan_ids() {
        assert!(is_id("a") && is_id("-") && is_id(&"x".repeat(50)));
        assert!(!is_id("") && !is_id("A") && !is_id("a.b") && !is_id(&"x".repeat(51)));
    }
}
