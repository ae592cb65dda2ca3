//! `members`: who works for a publisher, and in which role.

use clap::{Args, Subcommand, ValueEnum};
use marketplace_proto::offercatalog::v1::{
    CreateMemberRequest, DeleteMemberRequest, ListMembersRequest, ListMembersResponse, Member,
    MemberKind, MemberRole,
};

use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::names;
use crate::output::{Output, table, words};
use crate::token;

#[derive(Args)]
pub struct MembersArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List {
        publisher_id: String,
    },
    /// Add a person or an application.
    Add {
        publisher_id: String,
        /// The subject of a local token ("bo@contoso") or "ISSUER|SUBJECT".
        principal: String,
        /// May be repeated; the strongest decides.
        #[arg(long = "member-role", value_enum, required = true)]
        roles: Vec<Role>,
        /// Shown in the history; the subject if left out.
        #[arg(long)]
        display_name: Option<String>,
        /// The member's id; made of the subject if left out.
        #[arg(long)]
        id: Option<String>,
        /// It is a program.
        #[arg(long)]
        application: bool,
    },
    Remove {
        publisher_id: String,
        /// The member's id, or what it was made of.
        member: String,
    },
}

/// Roles of the developer programme; the first three may publish.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Role {
    Owner,
    Manager,
    Developer,
    BusinessContributor,
    Marketer,
    FinancialContributor,
}

pub async fn run(session: &Session, args: MembersArgs, out: &mut Output) -> Result<(), Error> {
    let api = &session.api;
    match args.command {
        Command::List { publisher_id } => {
            let parent = names::publisher(&publisher_id);
            let answer = api
                .list(ListMembersRequest {
                    parent,
                    ..ListMembersRequest::default()
                })
                .await?;
            out.answer(&answer, |out, answer| print(answer, out))
        }
        Command::Add {
            publisher_id,
            principal,
            roles,
            display_name,
            id,
            application,
        } => {
            let member = Member {
                kind: if application {
                    MemberKind::Application
                } else {
                    MemberKind::User
                }
                .into(),
                principal: token::principal(&principal),
                display_name: display_name.unwrap_or_else(|| principal.clone()),
                roles: roles
                    .into_iter()
                    .map(|role| MemberRole::from(role).into())
                    .collect(),
                ..Member::default()
            };
            let request = CreateMemberRequest {
                parent: names::publisher(&publisher_id),
                member_id: id.unwrap_or_else(|| member_id(&principal)),
                member: Some(member),
                request_id: request_id(),
            };
            let answer = api.call(request).await?;
            out.answer(&answer, |out, answer| {
                answer
                    .member
                    .as_ref()
                    .map_or(Ok(()), |m| out.say(format!("added {}", m.name)))
            })
        }
        Command::Remove {
            publisher_id,
            member,
        } => {
            let name = format!(
                "{}/members/{}",
                names::publisher(&publisher_id),
                member_id(&member)
            );
            let answer = api
                .call(DeleteMemberRequest {
                    name: name.clone(),
                    request_id: request_id(),
                })
                .await?;
            out.answer(&answer, |out, _| out.say(format!("removed {name}")))
        }
    }
}

fn print(answer: &ListMembersResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table(["member", "name", "kind", "roles", "signs in as"]);
    for member in &answer.members {
        let roles: Vec<String> = member
            .roles()
            .map(|role| words::label(role.as_str_name(), "MEMBER_ROLE_").to_lowercase())
            .collect();
        let kind = words::label(member.kind().as_str_name(), "MEMBER_KIND_").to_lowercase();
        rows.add_row([
            names::id(&member.name),
            &member.display_name,
            &kind,
            &roles.join(", "),
            &member.principal,
        ]);
    }
    out.table(&rows)
}

/// `^[a-z0-9][a-z0-9._-]{0,62}$` of a subject: "ada" of "ada@contoso", the subject of "issuer|subject".
pub fn member_id(principal: &str) -> String {
    let subject = principal.rsplit('|').next().unwrap_or(principal);
    let local = subject
        .split('@')
        .next()
        .filter(|local| !local.is_empty())
        .unwrap_or(subject);
    let clean = local.chars().map(|c| c.to_ascii_lowercase());
    let clean: String = clean
        .map(|c| {
            if c.is_ascii_alphanumeric() || "._-".contains(c) {
                c
            } else {
                '-'
            }
        })
        .collect();
    clean
        .trim_start_matches(['.', '_', '-'])
        .chars()
        .take(63)
        .collect()
}

impl From<Role> for MemberRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Manager => Self::Manager,
            Role::Developer => Self::Developer,
            Role::BusinessContributor => Self::BusinessContributor,
            Role::Marketer => Self::Marketer,
            Role::FinancialContributor => Self::FinancialContributor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_ids_are_what_the_catalog_takes() {
        let table = [
            ("ada@contoso", "ada"),
            ("https://id.example|Bo Olsen", "bo-olsen"),
            ("ci-bot", "ci-bot"),
            ("@x", "x"),
            ("bo", "bo"),
        ];
        for (principal, wanted) in table {
            assert_eq!(member_id(principal), wanted);
        }
    }
}
