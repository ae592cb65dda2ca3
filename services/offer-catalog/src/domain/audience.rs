//! Who may see a preview or buy a private plan (E-13): versioned lists outside of snapshots (SY-6).

use std::collections::BTreeSet;

use crate::pages::{AudienceIdKind, AudienceMember};

/// A set of "kind:id", in lower case: that is how ids are compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience(BTreeSet<String>);

impl Audience {
    /// Of members as a publisher wrote them.
    pub fn of_members(members: &[AudienceMember]) -> Self {
        Self(
            members
                .iter()
                .map(|one| member(one.kind, &one.id))
                .collect(),
        )
    }

    /// As it was stored.
    pub fn stored(members: Vec<String>) -> Self {
        Self(members.into_iter().collect())
    }

    /// As it is stored: sorted, without doubles.
    pub fn to_stored(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }

    /// Nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What a customer can prove is in it.
    pub fn has(&self, customer: &Customer) -> bool {
        customer.ids().iter().any(|id| self.0.contains(id))
    }

    fn kinds(&self) -> BTreeSet<&str> {
        self.0
            .iter()
            .filter_map(|member| member.split_once(':'))
            .map(|(kind, _)| kind)
            .collect()
    }

    /// SY-3: a kind of id is in it that the other has not.
    pub fn has_kinds_beyond(&self, published: &Audience) -> bool {
        !self.kinds().is_subset(&published.kinds())
    }
}

fn member(kind: AudienceIdKind, id: &str) -> String {
    format!("{}:{}", kind.as_str(), id.trim().to_lowercase())
}

/// What a token proves about a customer, nothing else counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Customer {
    pub email: Option<String>,
    pub tenant: Option<String>,
    pub subscriptions: Vec<String>,
}

impl Customer {
    /// What is looked for in an audience.
    pub fn ids(&self) -> Vec<String> {
        let email = self
            .email
            .iter()
            .map(|id| member(AudienceIdKind::Email, id));
        let tenant = self
            .tenant
            .iter()
            .map(|id| member(AudienceIdKind::Tenant, id));
        let subscriptions = self
            .subscriptions
            .iter()
            .map(|id| member(AudienceIdKind::Subscription, id));
        email.chain(tenant).chain(subscriptions).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audience<const N: usize>(members: [(AudienceIdKind, &str); N]) -> Audience {
        let member = |(kind, id): (AudienceIdKind, &str)| AudienceMember {
            kind,
            id: id.into(),
            label: String::new(),
        };
        Audience::of_members(&members.map(member))
    }

    #[test]
    fn a_customer_is_found_by_what_the_token_proves() {
        let audience = audience([
            (AudienceIdKind::Email, "Ada@Contoso.example"),
            (AudienceIdKind::Tenant, "T-1 "),
        ]);
        let by = |email: Option<&str>, tenant: Option<&str>| {
            audience.has(&Customer {
                email: email.map(Into::into),
                tenant: tenant.map(Into::into),
                subscriptions: vec![],
            })
        };
        assert!(by(Some("ada@contoso.example"), None) && by(None, Some("t-1")));
        assert!(
            !by(None, None) && !by(Some("t-1"), None) && !by(None, Some("ada@contoso.example"))
        );
        let subscriber = Customer {
            subscriptions: vec!["t-1".into()],
            ..Customer::default()
        };
        assert!(
            !audience.has(&subscriber),
            "another kind with the same id is somebody else"
        );
    }

    #[test]
    fn sy3_a_new_kind_of_id_is_noticed() {
        let tenants = audience([(AudienceIdKind::Tenant, "a")]);
        let both = audience([
            (AudienceIdKind::Tenant, "b"),
            (AudienceIdKind::Subscription, "s"),
        ]);
        assert!(both.has_kinds_beyond(&tenants) && !tenants.has_kinds_beyond(&both));
        assert!(!Audience::default().has_kinds_beyond(&tenants));
    }

    #[test]
    fn it_is_stored_sorted_and_without_doubles() {
        let audience = audience([
            (AudienceIdKind::Tenant, "B"),
            (AudienceIdKind::Tenant, "a"),
            (AudienceIdKind::Tenant, "b"),
        ]);
        assert_eq!(audience.to_stored(), ["TENANT:a", "TENANT:b"]);
        assert_eq!(Audience::stored(audience.to_stored()), audience);
    }

    #[test]
    fn pn_11_an_audience_without_members_is_empty() {
        assert!(Audience::default().is_empty() && audience([]).is_empty());
        assert!(!audience([(AudienceIdKind::Tenant, "a")]).is_empty());
    }
}
