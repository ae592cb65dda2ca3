//! What can be permitted, to whom, on what.

use std::fmt;
use std::str::FromStr;

use marketplace_proto::offercatalog::v1::MemberRole;

/// A role in a publisher's developer programme (RO-1). Several may be held at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Everything, adding owners included.
    Owner,
    /// Publishing and managing members (RO-3).
    Manager,
    /// Publishing (RO-2).
    Developer,
    /// Grants nothing in the marketplace (RO-1).
    BusinessContributor,
    /// Grants nothing in the marketplace (RO-1).
    Marketer,
    /// Grants nothing in the marketplace (RO-1).
    FinancialContributor,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 6] = [
        Role::Owner,
        Role::Manager,
        Role::Developer,
        Role::BusinessContributor,
        Role::Marketer,
        Role::FinancialContributor,
    ];

    /// As it is stored: `business_contributor`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Manager => "manager",
            Role::Developer => "developer",
            Role::BusinessContributor => "business_contributor",
            Role::Marketer => "marketer",
            Role::FinancialContributor => "financial_contributor",
        }
    }

    /// As the catalog answers it; `None` for unspecified and for roles of a newer version, which grant nothing here.
    pub fn from_proto(role: i32) -> Option<Role> {
        match MemberRole::try_from(role).ok()? {
            MemberRole::Unspecified => None,
            MemberRole::Owner => Some(Role::Owner),
            MemberRole::Manager => Some(Role::Manager),
            MemberRole::Developer => Some(Role::Developer),
            MemberRole::BusinessContributor => Some(Role::BusinessContributor),
            MemberRole::Marketer => Some(Role::Marketer),
            MemberRole::FinancialContributor => Some(Role::FinancialContributor),
        }
    }

    /// As the catalog answers it.
    pub const fn to_proto(self) -> MemberRole {
        match self {
            Role::Owner => MemberRole::Owner,
            Role::Manager => MemberRole::Manager,
            Role::Developer => MemberRole::Developer,
            Role::BusinessContributor => MemberRole::BusinessContributor,
            Role::Marketer => MemberRole::Marketer,
            Role::FinancialContributor => MemberRole::FinancialContributor,
        }
    }
}

/// A text that names no role.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is no role")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a handler needs its caller to be permitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    /// See the publisher itself: any member, operators, reviewers.
    ReadPublisher,
    /// See who works for it: any member, operators.
    ReadMembers,
    /// See drafts, submissions, history: publishing roles (RO-1), operators.
    ReadOffer,
    /// Create, save, publish, cancel, go live, stop, audiences: publishing roles (RO-2); operators with a grant or for
    /// an open incident (RO-7).
    Publish,
    /// What operators alone do to a publisher's offers, with a grant or for an open incident (RO-7): no role of a member
    /// gives it, also not to an operator who is one.
    Correct,
    /// Add, change and remove members: owners and managers (RO-3).
    ManageMembers,
    /// Make and unmake owners: owners (RO-3).
    ManageOwners,
    /// Certify: reviewers who aren't members of the publisher.
    Review,
    /// Run the marketplace: operators.
    Operate,
    /// Answer other services: those whose name is listed.
    Service(&'static [&'static str]),
    /// Buy and try: any valid token.
    Customer,
}

/// Roles with publishing permission (RO-2).
pub const PUBLISHING_ROLES: &[Role] = &[Role::Owner, Role::Manager, Role::Developer];

impl Permission {
    /// Roles of a member that give it.
    pub const fn member_roles(self) -> &'static [Role] {
        match self {
            Permission::ReadPublisher | Permission::ReadMembers => &Role::ALL,
            Permission::ReadOffer | Permission::Publish => PUBLISHING_ROLES,
            Permission::ManageMembers => &[Role::Owner, Role::Manager],
            Permission::ManageOwners => &[Role::Owner],
            Permission::Correct
            | Permission::Review
            | Permission::Operate
            | Permission::Service(_)
            | Permission::Customer => &[],
        }
    }

    /// True if nothing is changed by what it permits: such calls may go by an older answer while the catalog is away.
    pub const fn is_read(self) -> bool {
        matches!(
            self,
            Permission::ReadPublisher | Permission::ReadMembers | Permission::ReadOffer
        )
    }

    /// True if it is decided by membership of a publisher.
    pub(super) const fn is_about_members(self) -> bool {
        !matches!(
            self,
            Permission::Operate | Permission::Service(_) | Permission::Customer
        )
    }
}

/// What a permission is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target<'a> {
    /// The platform: no publisher in particular.
    Platform,
    /// A publisher, by its id (not its name).
    Publisher(&'a str),
    /// A resource of a publisher: who may know nothing of the publisher gets the NOT_FOUND of this resource.
    Resource {
        /// Id of the publisher that owns it.
        publisher: &'a str,
        /// Its type, as in the service's own NOT_FOUND: `Offer`.
        kind: &'static str,
        /// Its name, as in the service's own NOT_FOUND.
        name: &'a str,
    },
    /// The same, with an open incident that operators may correct without a grant (RO-7).
    Incident {
        /// Id of the publisher that owns it.
        publisher: &'a str,
        /// Its type.
        kind: &'static str,
        /// Its name.
        name: &'a str,
    },
}

impl<'a> Target<'a> {
    /// Id of the publisher, if there is one.
    pub const fn publisher(&self) -> Option<&'a str> {
        match self {
            Target::Platform => None,
            Target::Publisher(publisher)
            | Target::Resource { publisher, .. }
            | Target::Incident { publisher, .. } => Some(publisher),
        }
    }
}
