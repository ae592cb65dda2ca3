//! Publishers, who works for them, and what the marketplace's operators know and may do.

use marketplace_runtime::access::Role;
use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

/// An organisation that sells on the marketplace.
#[derive(Debug, Clone, PartialEq)]
pub struct Publisher {
    pub id: String,
    pub display_name: String,
    pub programme: Programme,
    pub revision: i64,
    pub create_time: OffsetDateTime,
    pub update_time: OffsetDateTime,
}

/// Facts of the marketplace's programmes (BE-1 … BE-7), stored as they are here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Programme {
    pub enrolled: bool,
    pub agreement_version: String,
    pub membership: Standing,
    pub vetting_authorized: bool,
    pub tax_profile_valid: bool,
    pub payout_profile_valid: bool,
    pub suspended: bool,
    pub virtual_machine_billing: bool,
    pub competencies: Vec<Competency>,
}

/// Membership of the publisher in the partner programme.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    #[default]
    Unknown,
    Active,
    Inactive,
}

/// A competency or designation that is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Competency {
    pub id: String,
    pub level: String,
}

/// Whether a member is a person or a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberKind {
    User,
    Application,
}

impl MemberKind {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            MemberKind::User => "user",
            MemberKind::Application => "application",
        }
    }

    /// As it is stored.
    pub fn parse(text: &str) -> Option<Self> {
        [MemberKind::User, MemberKind::Application]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

/// A person or application that works for a publisher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    pub publisher: String,
    pub id: String,
    pub kind: MemberKind,
    pub principal: String,
    pub display_name: String,
    pub roles: Vec<Role>,
    pub revision: i64,
    pub create_time: OffsetDateTime,
}

impl Member {
    /// Owners are made and unmade by owners only (RO-3).
    pub fn is_owner(&self) -> bool {
        self.roles.contains(&Role::Owner)
    }
}

/// Permission for the marketplace's operators to act for a publisher (RO-7).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub publisher: String,
    pub id: Uuid,
    pub reason: String,
    pub granted_by: String,
    pub create_time: OffsetDateTime,
    pub expire_time: OffsetDateTime,
    pub revoke_time: Option<OffsetDateTime>,
}

/// How long a grant lasts when nobody says.
pub const GRANT_DEFAULT: Duration = Duration::days(7);
/// The longest that a grant lasts.
pub const GRANT_LONGEST: Duration = Duration::days(30);

/// True for what a publisher or an offer may be called (E-2).
pub fn is_id(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    first && (3..=50).contains(&text.len()) && text.bytes().all(is_id_byte)
}

/// True for what a member may be called.
pub fn is_member_id(text: &str) -> bool {
    let first = text
        .bytes()
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    first && text.len() <= 63 && text.bytes().all(|c| is_id_byte(c) || c == b'.')
}

fn is_id_byte(c: u8) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, b'_' | b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e2_ids_have_3_to_50_of_the_few_characters() {
        for good in ["abc", "0-_", &"a".repeat(50)] {
            assert!(is_id(good), "{good}");
        }
        for bad in [
            "",
            "ab",
            "-ab",
            "_ab",
            "aBc",
            "a b",
            "a.b",
            "äbc",
            &"a".repeat(51),
        ] {
            assert!(!is_id(bad), "{bad}");
        }
        assert!(is_member_id("a.b-c_1") && !is_member_id(".a") && !is_member_id(&"a".repeat(64)));
    }

    #[test]
    fn programme_facts_of_an_older_version_are_read() {
        let facts: Programme =
            serde_json::from_str(r#"{"enrolled":true,"unknown_fact":1}"#).unwrap();
        assert!(facts.enrolled && facts.membership == Standing::Unknown);
    }

    #[test]
    fn every_kind_of_member_is_read_as_it_was_stored() {
        for (kind, stored) in [
            (MemberKind::User, "user"),
            (MemberKind::Application, "application"),
        ] {
            assert_eq!(kind.as_str(), stored);
            assert_eq!(MemberKind::parse(stored), Some(kind));
        }
        assert_eq!(MemberKind::parse("User"), None);
    }

    #[test]
    fn ro_3_only_the_role_of_owner_makes_an_owner() {
        let with = |roles: &[Role]| Member {
            publisher: "contoso".into(),
            id: "ada".into(),
            kind: MemberKind::User,
            principal: "ada@contoso".into(),
            display_name: "Ada".into(),
            roles: roles.to_vec(),
            revision: 1,
            create_time: OffsetDateTime::UNIX_EPOCH,
        };
        for (roles, owner) in [
            (&[] as &[Role], false),
            (&[Role::Manager, Role::Developer], false),
            (&[Role::Owner], true),
            (&[Role::Developer, Role::Owner], true),
        ] {
            assert_eq!(with(roles).is_owner(), owner, "{roles:?}");
        }
    }
}
