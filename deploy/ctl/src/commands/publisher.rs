//! `publisher`: publishers, and what the marketplace knows of them. Changes need the role operator.

use clap::{Args, Subcommand};
use marketplace_proto::offercatalog::v1::{
    Competency, CreatePublisherRequest, GetPublisherRequest, ListPublishersRequest, Member,
    MemberKind, MemberRole, MembershipState, ProgrammeFacts, Publisher,
    UpdateProgrammeFactsRequest,
};

use super::members;
use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::names;
use crate::output::{Output, table};
use crate::token;

#[derive(Args)]
pub struct PublisherArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create a publisher with its first owner.
    Create {
        /// Its id, for ever.
        id: String,
        #[arg(long)]
        display_name: String,
        /// The first owner: the subject of a local token ("ada@contoso") or "ISSUER|SUBJECT".
        #[arg(long)]
        owner: String,
        /// The owner's name; the subject if left out.
        #[arg(long)]
        owner_name: Option<String>,
        /// The owner's member id; made of the subject if left out.
        #[arg(long)]
        owner_id: Option<String>,
        #[command(flatten)]
        facts: Facts,
    },
    /// Replace what the marketplace knows of a publisher.
    Facts {
        id: String,
        #[command(flatten)]
        facts: Facts,
    },
    Show {
        id: String,
    },
    /// Publishers that you belong to; operators see all.
    List,
}

/// Facts that certification and publishing check.
#[derive(Args)]
#[group(skip)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are facts, each on its own"
)]
struct Facts {
    /// Enrolled in the commercial marketplace programme.
    #[arg(long)]
    enrolled: bool,
    /// Version of the publisher agreement that was accepted.
    #[arg(long, default_value = "")]
    agreement_version: String,
    /// Active in the partner programme.
    #[arg(long)]
    membership_active: bool,
    /// Vetting is authorized.
    #[arg(long)]
    vetting_authorized: bool,
    #[arg(long)]
    tax_profile_valid: bool,
    #[arg(long)]
    payout_profile_valid: bool,
    /// Suspended for violations of policy.
    #[arg(long)]
    suspended: bool,
    /// Approved for the billing of virtual machines.
    #[arg(long)]
    virtual_machine_billing: bool,
    /// A competency and its level ("cloud-platform=gold"); may be repeated.
    #[arg(long = "competency", value_parser = competency)]
    competencies: Vec<Competency>,
}

pub async fn run(session: &Session, args: PublisherArgs, out: &mut Output) -> Result<(), Error> {
    let api = &session.api;
    match args.command {
        Command::Create {
            id,
            display_name,
            owner,
            owner_name,
            owner_id,
            facts,
        } => {
            let member = owner_id.unwrap_or_else(|| members::member_id(&owner));
            let owner = Member {
                name: format!("{}/members/{member}", names::publisher(&id)),
                kind: MemberKind::User.into(),
                principal: token::principal(&owner),
                display_name: owner_name.unwrap_or(owner),
                roles: vec![MemberRole::Owner.into()],
                ..Member::default()
            };
            let request = CreatePublisherRequest {
                publisher_id: id,
                display_name,
                owner: Some(owner),
                programme: Some(facts.into()),
                request_id: request_id(),
            };
            out.answer(&api.call(request).await?, |out, answer| {
                print(answer.publisher.as_ref(), out)
            })
        }
        Command::Facts { id, facts } => {
            let request = UpdateProgrammeFactsRequest {
                publisher: names::publisher(&id),
                programme: Some(facts.into()),
                etag: String::new(),
                request_id: request_id(),
            };
            out.answer(&api.call(request).await?, |out, answer| {
                print(answer.publisher.as_ref(), out)
            })
        }
        Command::Show { id } => {
            let answer = api
                .call(GetPublisherRequest {
                    name: names::publisher(&id),
                })
                .await?;
            out.answer(&answer, |out, answer| print(answer.publisher.as_ref(), out))
        }
        Command::List => {
            let answer = api.list(ListPublishersRequest::default()).await?;
            out.answer(&answer, |out, answer| {
                let mut rows = table(["publisher", "name"]);
                rows.add_rows(
                    answer
                        .publishers
                        .iter()
                        .map(|p| [names::id(&p.name).to_owned(), p.display_name.clone()]),
                );
                out.table(&rows)
            })
        }
    }
}

impl From<Facts> for ProgrammeFacts {
    fn from(facts: Facts) -> Self {
        let membership = if facts.membership_active {
            MembershipState::Active
        } else {
            MembershipState::Inactive
        };
        Self {
            enrolled: facts.enrolled,
            agreement_version: facts.agreement_version,
            membership: membership.into(),
            vetting_authorized: facts.vetting_authorized,
            tax_profile_valid: facts.tax_profile_valid,
            payout_profile_valid: facts.payout_profile_valid,
            suspended: facts.suspended,
            virtual_machine_billing: facts.virtual_machine_billing,
            competencies: facts.competencies,
        }
    }
}

fn competency(text: &str) -> Result<Competency, String> {
    let (id, level) = text
        .split_once('=')
        .ok_or("write ID=LEVEL, for example cloud-platform=gold")?;
    Ok(Competency {
        id: id.to_owned(),
        level: level.to_owned(),
    })
}

fn print(publisher: Option<&Publisher>, out: &mut Output) -> Result<(), Error> {
    let Some(publisher) = publisher else {
        return Ok(());
    };
    out.say(format!("{}: {}", publisher.name, publisher.display_name))?;
    let Some(facts) = &publisher.programme else {
        return Ok(());
    };
    let active = facts.membership() == MembershipState::Active;
    let mut rows = table(["fact", "is"]);
    let known = [
        ("enrolled", facts.enrolled),
        ("membership active", active),
        ("vetting authorized", facts.vetting_authorized),
        ("tax profile valid", facts.tax_profile_valid),
        ("payout profile valid", facts.payout_profile_valid),
        ("suspended", facts.suspended),
        ("virtual machine billing", facts.virtual_machine_billing),
    ];
    rows.add_rows(known.map(|(name, is)| [name, if is { "yes" } else { "no" }]));
    rows.add_row(["agreement", &facts.agreement_version]);
    for competency in &facts.competencies {
        rows.add_row([&competency.id, &competency.level]);
    }
    out.table(&rows)
}
