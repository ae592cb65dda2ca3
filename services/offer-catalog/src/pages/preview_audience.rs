//! Preview audience: who may test before it is live (PA-1 … PA-4). Never part of a snapshot.

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::{Issues, OfferListing};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PreviewAudience {
    /// Who.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<AudienceMember>,
}

/// What says who a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AudienceIdKind {
    /// A verified address.
    Email,
    /// An Azure subscription.
    Subscription,
    /// A tenant.
    Tenant,
    /// An enterprise agreement.
    EnterpriseAgreement,
    /// An MSDN subscription.
    Msdn,
}

impl AudienceIdKind {
    /// As rows name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Subscription => "SUBSCRIPTION",
            Self::Tenant => "TENANT",
            Self::EnterpriseAgreement => "ENTERPRISE_AGREEMENT",
            Self::Msdn => "MSDN",
        }
    }
}

/// Somebody in an audience.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudienceMember {
    /// What the id is.
    pub kind: AudienceIdKind,
    /// Who.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// Why; for the publisher's own memory.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub label: String,
}

impl AudienceMember {
    /// PA-3, PN-12: kinds that the type has, ids of their form, no twins.
    pub(super) fn check_all(
        members: &[Self],
        field: &str,
        kinds: &[AudienceIdKind],
        issues: &mut Issues,
    ) {
        for (at, member) in members.iter().enumerate() {
            let at = format!("{field}[{at}]");
            let id = format!("{at}.id");
            if !kinds.contains(&member.kind) {
                let known: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
                let message = format!(
                    "{} is no kind of id for this audience",
                    member.kind.as_str()
                );
                issues.error(
                    format!("{at}.kind"),
                    "NOT_ALLOWED",
                    message,
                    format!("Choose one of {}.", known.join(", ")),
                );
            }
            check::required(issues, &id, &member.id, "an id");
            check::max_chars(issues, &id, &member.id, 50);
            check::max_chars(issues, &format!("{at}.label"), &member.label, 1_000);
            match member.kind {
                AudienceIdKind::Email => check::email(issues, &id, &member.id),
                AudienceIdKind::Subscription | AudienceIdKind::Tenant => {
                    check::guid(issues, &id, &member.id)
                }
                AudienceIdKind::EnterpriseAgreement | AudienceIdKind::Msdn => {}
            }
        }
        let keys = members
            .iter()
            .enumerate()
            .filter(|(_, member)| !member.id.is_empty());
        check::distinct(
            issues,
            keys.map(|(at, member)| {
                (
                    format!("{field}[{at}].id"),
                    (member.kind, member.id.to_lowercase()),
                )
            }),
        );
    }
}

impl PreviewAudience {
    /// PA-1, PA-2, PA-3
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        let Some(rule) = &context.offer_type.preview_audience else {
            return;
        };
        check::min_items(issues, "members", &self.members, rule.min);
        check::max_items(issues, "members", &self.members, rule.max);
        AudienceMember::check_all(&self.members, "members", &rule.kinds, issues);
    }

    /// PV-6: testing before live is for the publisher's own people.
    pub fn warn_of_outsiders(&self, listing: &OfferListing, issues: &mut Issues) {
        for (at, _) in self.outsiders(listing) {
            let message = "is outside of your organisation; a preview is for your own tests";
            let remedy = "Use a private offer or a private plan for customers.";
            let field = format!("members[{at}].id");
            issues.warn(field, "OUTSIDE_DOMAIN", message, remedy);
        }
    }

    /// Which members are from outside, by number, and from where. Whose the own domains are, the listing's contacts say:
    /// without one nobody is known to be from outside.
    pub fn outsiders(&self, listing: &OfferListing) -> Vec<(usize, String)> {
        let contacts = [&listing.support_contact, &listing.engineering_contact]
            .into_iter()
            .flatten();
        let own: Vec<String> = contacts
            .filter_map(|contact| domain(&contact.email))
            .collect();
        if own.is_empty() {
            return Vec::new();
        }
        let members = self.members.iter().enumerate();
        let from = |(at, member): (usize, &AudienceMember)| {
            let by_email = member.kind == AudienceIdKind::Email;
            let domain = domain(&member.id).filter(|domain| by_email && !own.contains(domain))?;
            Some((at, domain))
        };
        members.filter_map(from).collect()
    }
}

fn domain(email: &str) -> Option<String> {
    email
        .rsplit_once('@')
        .map(|(_, domain)| domain.to_lowercase())
        .filter(|domain| !domain.is_empty())
}
