//! A lead, and the test lead of a step (LD-5 … LD-7).

use marketplace_proto::offercatalog::v1::{
    CallToAction, OpenLeadResponse, OpenLeadSecretResponse, Storefront,
};
use serde::Serialize;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::StepId;

/// What is known of a customer who showed interest. Serialised it is the payload of LD-6; fields are in that order, so
/// every try has the same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Lead {
    /// What identifies it at the far side; fixed before the first try.
    #[serde(skip)]
    id: String,
    pub action_code: String,
    pub offer_title: String,
    pub lead_source: String,
    pub user_details: UserDetails,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct UserDetails {
    pub company: String,
    pub country: String,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: String,
    pub title: String,
}

impl Lead {
    /// The test lead of a step: its id is fixed before the first try, and all of its fields carry it.
    pub fn test(submission: Uuid, step: StepId, opened: &OpenLeadSecretResponse) -> Self {
        // Without hyphens: the local part of an address has 64 characters at most.
        let id = format!("MKT_TEST_{}_{}", submission.simple(), step.as_str());
        Self {
            action_code: "INS".to_owned(),
            offer_title: id.clone(),
            id: id.clone(),
            lead_source: source("INS", opened),
            user_details: UserDetails {
                company: id.clone(),
                country: "US".to_owned(),
                email: format!("{id}@test.com"),
                first_name: id.clone(),
                last_name: id.clone(),
                phone: "1234567890".to_owned(),
                title: id,
            },
        }
    }

    /// A customer's lead (LD-6, LD-7). `None`: there is none in the answer.
    pub fn customers(lead: Uuid, opened: &OpenLeadResponse) -> Option<Self> {
        let (contact, to) = (opened.contact.clone()?, opened.destination.as_ref()?);
        // PLT: somebody wants to be contacted; INS: somebody wants it.
        let action = match opened.call_to_action() {
            CallToAction::ContactMe => "PLT",
            _ => "INS",
        };
        Some(Self {
            id: format!("LEAD_{}", lead.simple()),
            action_code: action.to_owned(),
            offer_title: to.offer_title.clone(),
            lead_source: source(action, to),
            user_details: UserDetails {
                company: contact.company,
                country: contact.country,
                email: contact.email,
                first_name: contact.first_name,
                last_name: contact.last_name,
                phone: contact.phone,
                title: contact.job_title,
            },
        })
    }

    pub fn id(&self) -> &str {
        &self.id
    }

    /// The id for destinations that know their rows by UUID: made of the id, so every try has the same.
    pub fn uuid(&self) -> Uuid {
        let digest: [u8; 32] = Sha256::digest(self.id.as_bytes()).into();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_custom_bytes(bytes).into_uuid()
    }
}

/// What a field of `most` characters takes of a text; counted as UTF-16, as most that have limits do.
pub(super) fn cut(text: &str, most: usize) -> &str {
    let mut units = 0;
    let end = text.char_indices().find(|(_, character)| {
        units += character.len_utf16();
        units > most
    });
    end.map_or(text, |(end, _)| &text[..end])
}

/// The same of what is wrong once it is cut: an address, a number.
pub(super) fn whole(text: &str, most: usize) -> &str {
    if cut(text, most).len() == text.len() {
        text
    } else {
        ""
    }
}

/// LD-7
fn source(action: &str, opened: &OpenLeadSecretResponse) -> String {
    let front = match opened.storefronts().next() {
        Some(Storefront::AppSource) => "SPZA",
        _ => "AzureMarketplace",
    };
    format!(
        "{front}-{action}|{}.{}",
        opened.publisher_id, opened.offer_id
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_an_address_is_whole_or_left_out() {
        assert_eq!((cut("Ada", 3), cut("Ada", 2)), ("Ada", "Ad"));
        assert_eq!((cut("a\u{1f980}", 2), cut("äöü", 2)), ("a", "äö"));
        assert_eq!((whole("a@b.cd", 6), whole("a@b.cd", 5)), ("a@b.cd", ""));
    }

    #[test]
    fn ld5_every_field_of_a_test_lead_carries_its_id() {
        let opened = OpenLeadSecretResponse {
            publisher_id: "contoso".into(),
            offer_id: "db".into(),
            storefronts: vec![Storefront::AppSource.into()],
            ..Default::default()
        };
        let lead = Lead::test(Uuid::from_u128(1), StepId::LeadManagementLive, &opened);
        let id = "MKT_TEST_00000000000000000000000000000001_lead-management-live";
        assert!(id.len() <= 64, "RFC 5321, 4.5.3.1.1");
        let json = serde_json::to_value(&lead).unwrap();
        for field in ["Company", "FirstName", "LastName", "Title"] {
            assert_eq!(json["UserDetails"][field], id, "{field}");
        }
        assert_eq!(json["UserDetails"]["Email"], format!("{id}@test.com"));
        assert_eq!(json["UserDetails"]["Country"], "US");
        assert_eq!(json["LeadSource"], "SPZA-INS|contoso.db");
        assert_eq!(
            serde_json::to_vec(&lead).unwrap(),
            serde_json::to_vec(&lead.clone()).unwrap()
        );
    }
}
