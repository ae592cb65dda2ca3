//! The proof that somebody may do something: store functions on tenant rows take it.

use std::sync::Arc;

use tonic::Status;

use super::permission::{Permission, Role, Target};
use crate::identity::{Caller, PlatformRoles};
use crate::status;

/// In whose name something is done; what the history shows (IB-1 … IB-6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActorKind {
    /// A member, a customer, a reviewer: whoever holds the token.
    User,
    /// Staff of the marketplace: shown by its brand.
    Operator,
    /// The system itself.
    System,
}

/// What a principal is to a publisher, as the catalog knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// Roles of the member; empty: not a member.
    pub roles: Vec<Role>,
    /// True for a member, also one whose roles all came with a newer version.
    pub member: bool,
    /// A grant to operators is in force.
    pub operator_granted: bool,
    /// The publisher exists.
    pub publisher_exists: bool,
}

/// Who may do what, on which publisher's rows. Made by [`super::Access::require`] alone, and by [`Scope::system`] for
/// doors that no caller stands before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    publisher: Option<String>,
    principal: String,
    permission: Permission,
    role: Option<Role>,
    acts_as: ActorKind,
    platform: PlatformRoles,
    /// What [`Scope::settle`] refuses with, where membership isn't known yet.
    open: Option<Arc<Question>>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Question {
    domain: &'static str,
    kind: String,
    name: String,
    incident: bool,
}

impl Scope {
    /// For messages and timers: no caller, one publisher.
    pub fn system(publisher: impl Into<String>) -> Self {
        Self {
            publisher: Some(publisher.into()),
            principal: String::new(),
            permission: Permission::Publish,
            role: None,
            acts_as: ActorKind::System,
            platform: PlatformRoles::default(),
            open: None,
        }
    }

    /// Asked for, not answered: who the caller is to the publisher has yet to be read.
    pub(super) fn asked(
        domain: &'static str,
        caller: &Caller,
        permission: Permission,
        target: &Target<'_>,
    ) -> Self {
        let (kind, name) = resource(target);
        let incident = matches!(target, Target::Incident { .. });
        Self {
            publisher: target.publisher().map(str::to_owned),
            principal: caller.principal().to_owned(),
            permission,
            role: None,
            acts_as: ActorKind::User,
            platform: caller.roles,
            open: Some(Arc::new(Question {
                domain,
                kind,
                name,
                incident,
            })),
        }
    }

    /// Answers with what the catalog knows of the caller: the settled scope, or the refusal.
    ///
    /// The catalog's handlers call it with the roles that the resource's own statement has read; [`Permission`]s that
    /// don't depend on membership are settled by `require` already and pass here unchanged.
    pub fn settle(mut self, membership: &Membership) -> Result<Scope, Status> {
        let Some(question) = self.open.take() else {
            return Ok(self);
        };
        let wanted = self.permission.member_roles();
        self.role = wanted
            .iter()
            .copied()
            .find(|role| membership.roles.contains(role));
        if self.permission == Permission::Review {
            return self.settle_review(&question, membership);
        }
        let any_member = matches!(
            self.permission,
            Permission::ReadPublisher | Permission::ReadMembers
        );
        if self.role.is_some() || any_member && membership.member {
            return Ok(self);
        }
        if self.platform.operator {
            return self.settle_operator(&question, membership);
        }
        if self.platform.reviewer
            && self.permission == Permission::ReadPublisher
            && membership.publisher_exists
        {
            return Ok(self);
        }
        if membership.member && wanted.is_empty() {
            let message = "this needs the platform role operator";
            return Err(status::permission_denied(
                question.domain,
                "ROLE_REQUIRED",
                message,
            ));
        }
        if membership.member {
            let roles: Vec<&str> = wanted.iter().map(|role| role.as_str()).collect();
            let message = format!(
                "your roles in this publisher don't permit this; one of these does: {}",
                roles.join(", ")
            );
            return Err(status::permission_denied(
                question.domain,
                "ROLE_REQUIRED",
                &message,
            ));
        }
        Err(question.not_found())
    }

    fn settle_review(self, question: &Question, membership: &Membership) -> Result<Scope, Status> {
        if !self.platform.reviewer {
            let message = "this needs the platform role reviewer";
            return Err(status::permission_denied(
                question.domain,
                "ROLE_REQUIRED",
                message,
            ));
        }
        if membership.member {
            let message = "you are a member of this publisher";
            return Err(status::permission_denied(
                question.domain,
                "CONFLICT_OF_INTEREST",
                message,
            ));
        }
        Ok(self)
    }

    fn settle_operator(
        mut self,
        question: &Question,
        membership: &Membership,
    ) -> Result<Scope, Status> {
        if !membership.publisher_exists {
            return Err(question.not_found());
        }
        if matches!(
            self.permission,
            Permission::ManageMembers | Permission::ManageOwners
        ) {
            let message = "members are managed by the publisher's owners and managers";
            return Err(status::permission_denied(
                question.domain,
                "ROLE_REQUIRED",
                message,
            ));
        }
        if self.permission.is_read() || membership.operator_granted || question.incident {
            self.acts_as = ActorKind::Operator;
            return Ok(self);
        }
        let message =
            "the publisher has not granted operators to act for it, and there is no open incident";
        Err(status::permission_denied(
            question.domain,
            "GRANT_REQUIRED",
            message,
        ))
    }

    /// Decides what doesn't depend on membership.
    pub(super) fn settle_platform(mut self, caller: &Caller) -> Result<Scope, Status> {
        let Some(question) = self.open.take() else {
            return Ok(self);
        };
        let (permitted, role) = match self.permission {
            Permission::Operate => (self.platform.operator, "operator"),
            Permission::Service(names) => (
                caller
                    .service
                    .as_deref()
                    .is_some_and(|name| names.contains(&name)),
                "service",
            ),
            Permission::Review => (self.platform.reviewer, "reviewer"),
            Permission::Customer => (true, ""),
            // A publisher's permission asked for the platform: nobody has it.
            _ => (false, "of a publisher's member"),
        };
        if !permitted {
            let message = format!("this needs the platform role {role}");
            return Err(status::permission_denied(
                question.domain,
                "ROLE_REQUIRED",
                &message,
            ));
        }
        self.acts_as = match self.permission {
            Permission::Operate => ActorKind::Operator,
            Permission::Service(_) => ActorKind::System,
            _ => ActorKind::User,
        };
        Ok(self)
    }

    /// Id of the publisher whose rows may be touched; `None`: the platform's.
    pub fn publisher(&self) -> Option<&str> {
        self.publisher.as_deref()
    }

    /// `{issuer}|{subject}` of the caller; empty for the system.
    pub fn principal(&self) -> &str {
        &self.principal
    }

    /// What was asked for.
    pub fn permission(&self) -> Permission {
        self.permission
    }

    /// The strongest of the caller's roles that gives the permission; `None` for operators, reviewers and the system.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// In whose name it is done.
    pub fn acts_as(&self) -> ActorKind {
        self.acts_as
    }

    /// The caller's platform roles.
    pub fn platform(&self) -> PlatformRoles {
        self.platform
    }

    /// False while membership has yet to be read (in the catalog, until [`Scope::settle`]).
    pub fn is_settled(&self) -> bool {
        self.open.is_none()
    }
}

impl Question {
    fn not_found(&self) -> Status {
        status::not_found(self.domain, &self.kind, &self.name)
    }
}

fn resource(target: &Target<'_>) -> (String, String) {
    match target {
        Target::Platform => (String::new(), String::new()),
        Target::Publisher(id) => ("Publisher".to_owned(), format!("publishers/{id}")),
        Target::Resource { kind, name, .. } | Target::Incident { kind, name, .. } => {
            ((*kind).to_owned(), (*name).to_owned())
        }
    }
}
