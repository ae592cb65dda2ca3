//! Whom a row shows as its initiator, decided when it is shown (IB-1 to IB-5).

use std::collections::HashMap;

use time::OffsetDateTime;

use super::{Actor, ActorKind};

/// A member as the catalog knows them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// "publishers/{publisher}/members/{member}".
    pub member: String,
    pub display_name: String,
}

/// Somebody left a publisher, or is there again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Departure {
    pub publisher: String,
    pub principal: String,
    pub gone: bool,
    pub changed_at: OffsetDateTime,
}

/// The operator of the marketplace: what is shown in place of its staff (IB-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    pub name: String,
    pub logo_url: String,
}

/// What is shown beside a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// IB-1, and IB-5 for who came back.
    Member(&'a Person),
    /// IB-3: a blank cell; the row stays.
    Left,
    /// IB-2: name and logo, never the staff member.
    Operator(&'a Brand),
    /// IB-4.
    Nobody,
}

impl<'a> Shown<'a> {
    /// For this actor; `members` has those who belong to the publisher now, by principal.
    pub fn of(actor: &Actor, members: &'a HashMap<String, Person>, brand: &'a Brand) -> Shown<'a> {
        match actor.kind {
            ActorKind::User => members
                .get(&actor.principal)
                .map_or(Shown::Left, Shown::Member),
            ActorKind::Operator => Shown::Operator(brand),
            ActorKind::System => Shown::Nobody,
        }
    }

    /// The name in the cell; blank for who left and for steps.
    pub fn name(&self) -> &'a str {
        match self {
            Shown::Member(person) => &person.display_name,
            Shown::Operator(brand) => &brand.name,
            Shown::Left | Shown::Nobody => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(kind: ActorKind) -> Actor {
        Actor {
            kind,
            principal: "https://login|ada".into(),
        }
    }

    #[test]
    fn ib_1_to_5_who_is_shown() {
        let ada = Person {
            member: "publishers/contoso/members/ada".into(),
            display_name: "Ada".into(),
        };
        let here = HashMap::from([("https://login|ada".to_owned(), ada.clone())]);
        let gone = HashMap::new();
        let brand = Brand {
            name: "Marketplace".into(),
            logo_url: "https://m/logo.png".into(),
        };
        let table = [
            ("IB-1", ActorKind::User, &here, Shown::Member(&ada), "Ada"),
            (
                "IB-2",
                ActorKind::Operator,
                &here,
                Shown::Operator(&brand),
                "Marketplace",
            ),
            ("IB-3", ActorKind::User, &gone, Shown::Left, ""),
            ("IB-4", ActorKind::System, &here, Shown::Nobody, ""),
        ];
        for (rule, kind, members, shown, name) in table {
            let got = Shown::of(&actor(kind), members, &brand);
            assert_eq!((&got, got.name()), (&shown, name), "{rule}");
        }
        // IB-5: the same row, looked at again after they came back.
        assert_eq!(
            Shown::of(&actor(ActorKind::User), &here, &brand).name(),
            "Ada"
        );
    }
}
