//! What a customer leaves for the publisher of an offer (PV-9).

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// Leads that one customer may leave within an hour, whatever the offers: publishers pay for the time that each takes.
pub const MOST_AN_HOUR: i64 = 20;
/// How long a lead is kept: it is the publisher's once it is delivered.
pub const KEPT: Duration = Duration::days(90);

/// Who shows interest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    pub phone: String,
    pub company: String,
    pub job_title: String,
}

/// A lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lead {
    pub id: Uuid,
    pub offer_uid: Uuid,
    /// Of the snapshot that was served.
    pub digest: String,
    pub preview: bool,
    /// Who left it.
    pub principal: String,
    pub contact: Contact,
    pub create_time: OffsetDateTime,
}

impl Lead {
    /// `leads/{lead}`
    pub fn name(&self) -> String {
        format!("leads/{}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lead_is_named_by_its_id() {
        let id = Uuid::from_u128(1);
        let contact = serde_json::json!({
            "first_name": "", "last_name": "", "email": "", "country": "", "phone": "", "company": "", "job_title": ""
        });
        let lead = Lead {
            id,
            offer_uid: Uuid::from_u128(2),
            digest: "d".into(),
            preview: false,
            principal: "p".into(),
            contact: serde_json::from_value(contact).unwrap(),
            create_time: OffsetDateTime::UNIX_EPOCH,
        };
        assert_eq!(lead.name(), format!("leads/{id}"));
    }
}
