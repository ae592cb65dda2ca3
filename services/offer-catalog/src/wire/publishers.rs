//! Publishers, members and grants on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::access::{Membership, Role};
use marketplace_runtime::ids::{MemberName, PublisherName, new_id};
use marketplace_runtime::status::{Violation, Violations};
use marketplace_runtime::timestamp;
use time::OffsetDateTime;

use super::{etag, line, optional_line, time, violations};
use crate::commands::members::Change;
use crate::domain::publisher::{
    Competency, GRANT_DEFAULT, GRANT_LONGEST, Grant, Member, MemberKind, Programme, Publisher,
    Standing, is_id, is_member_id,
};

const LONGEST_NAME: usize = 200;
const LONGEST_REASON: usize = 1_000;
const LONGEST_PRINCIPAL: usize = 1_024;

/// As it is answered.
pub fn publisher(publisher: &Publisher) -> pb::Publisher {
    pb::Publisher {
        name: PublisherName::new(&publisher.id).to_string(),
        display_name: publisher.display_name.clone(),
        programme: Some(programme(&publisher.programme)),
        etag: publisher.revision.to_string(),
        create_time: time(publisher.create_time),
        update_time: time(publisher.update_time),
    }
}

fn programme(facts: &Programme) -> pb::ProgrammeFacts {
    let membership = match facts.membership {
        Standing::Unknown => pb::MembershipState::Unspecified,
        Standing::Active => pb::MembershipState::Active,
        Standing::Inactive => pb::MembershipState::Inactive,
    };
    let competency = |c: &Competency| pb::Competency {
        id: c.id.clone(),
        level: c.level.clone(),
    };
    pb::ProgrammeFacts {
        enrolled: facts.enrolled,
        agreement_version: facts.agreement_version.clone(),
        membership: membership as i32,
        vetting_authorized: facts.vetting_authorized,
        tax_profile_valid: facts.tax_profile_valid,
        payout_profile_valid: facts.payout_profile_valid,
        suspended: facts.suspended,
        virtual_machine_billing: facts.virtual_machine_billing,
        competencies: facts.competencies.iter().map(competency).collect(),
    }
}

/// As it is answered and announced.
pub fn member(member: &Member) -> pb::Member {
    let kind = match member.kind {
        MemberKind::User => pb::MemberKind::User,
        MemberKind::Application => pb::MemberKind::Application,
    };
    pb::Member {
        name: MemberName::new(&member.publisher, &member.id).to_string(),
        kind: kind as i32,
        principal: member.principal.clone(),
        display_name: member.display_name.clone(),
        roles: roles(&member.roles),
        etag: member.revision.to_string(),
        create_time: time(member.create_time),
    }
}

/// As they are answered.
pub fn roles(roles: &[Role]) -> Vec<i32> {
    roles.iter().map(|role| role.to_proto() as i32).collect()
}

/// As it is answered.
pub fn grant(grant: &Grant) -> pb::OperatorGrant {
    pb::OperatorGrant {
        name: format!("publishers/{}/grants/{}", grant.publisher, grant.id),
        reason: grant.reason.clone(),
        granted_by: grant.granted_by.clone(),
        create_time: time(grant.create_time),
        expire_time: time(grant.expire_time),
        revoke_time: grant.revoke_time.and_then(time),
    }
}

/// What CheckAccess answers.
pub fn access(
    publisher: &str,
    standing: &Membership,
    member_id: Option<String>,
) -> pb::CheckAccessResponse {
    pb::CheckAccessResponse {
        member: standing.member,
        roles: roles(&standing.roles),
        member_name: member_id
            .map(|id| MemberName::new(publisher, id).to_string())
            .unwrap_or_default(),
        operator_granted: standing.operator_granted,
        publisher_exists: standing.publisher_exists,
    }
}

/// A new publisher with its first owner.
pub fn create(
    request: &pb::CreatePublisherRequest,
    now: OffsetDateTime,
) -> Result<(Publisher, Member), Vec<Violation>> {
    let mut wrong = violations();
    let id = wrong.take(new_publisher_id(&request.publisher_id));
    let display_name = wrong.take(line(&request.display_name, "display_name", LONGEST_NAME));
    let programme = wrong.take(facts(request.programme.as_ref()));
    let owner = owner(&mut wrong, request, now);
    let read = || {
        let publisher = Publisher {
            id: id?,
            display_name: display_name?,
            programme: programme?,
            revision: 1,
            create_time: now,
            update_time: now,
        };
        Some((publisher, owner?))
    };
    let read = read();
    wrong.finish(read)
}

fn new_publisher_id(text: &str) -> Result<String, Violation> {
    if text.is_empty() {
        return Err(Violation::missing("publisher_id"));
    }
    let why = "must be 3 to 50 of a-z, 0-9, _ and -, with a letter or digit first";
    if is_id(text) {
        Ok(text.to_owned())
    } else {
        Err(Violation::new("publisher_id", why).because("BAD_ID"))
    }
}

fn owner(
    wrong: &mut Violations,
    request: &pb::CreatePublisherRequest,
    now: OffsetDateTime,
) -> Option<Member> {
    let Some(owner) = &request.owner else {
        wrong.add(Violation::missing("owner"));
        return None;
    };
    let name = wrong.take(MemberName::parse(&owner.name, "owner.name"));
    if name
        .as_ref()
        .is_some_and(|name| name.publisher != request.publisher_id)
    {
        wrong.add(Violation::new("owner.name", "is of another publisher").because("OTHER_PARENT"));
    }
    let member_id = name.map(|name| name.member).unwrap_or_default();
    let read = new_member(&request.publisher_id, &member_id, owner, now);
    let mut member = wrong_within(wrong, read, "owner")?;
    if !member.is_owner() {
        member.roles.insert(0, Role::Owner);
    }
    Some(member)
}

fn wrong_within<T>(
    wrong: &mut Violations,
    read: Result<T, Vec<Violation>>,
    parent: &str,
) -> Option<T> {
    read.map_err(|found| wrong.extend(found.into_iter().map(|v| v.within(parent))))
        .ok()
}

/// Facts of the marketplace's programmes; unset: none of them holds.
pub fn facts(facts: Option<&pb::ProgrammeFacts>) -> Result<Programme, Violation> {
    let Some(facts) = facts else {
        return Ok(Programme::default());
    };
    let membership = match pb::MembershipState::try_from(facts.membership) {
        Ok(pb::MembershipState::Unspecified) => Standing::Unknown,
        Ok(pb::MembershipState::Active) => Standing::Active,
        Ok(pb::MembershipState::Inactive) => Standing::Inactive,
        Err(_) => {
            return Err(Violation::new("programme.membership", "is no known value")
                .because("UNKNOWN_VALUE"));
        }
    };
    let mut competencies = Vec::new();
    for (i, held) in facts.competencies.iter().enumerate() {
        let id = line(&held.id, &format!("programme.competencies[{i}].id"), 100)?;
        let level = optional_line(
            &held.level,
            &format!("programme.competencies[{i}].level"),
            100,
        )?;
        competencies.push(Competency { id, level });
    }
    Ok(Programme {
        enrolled: facts.enrolled,
        agreement_version: optional_line(
            &facts.agreement_version,
            "programme.agreement_version",
            100,
        )?,
        membership,
        vetting_authorized: facts.vetting_authorized,
        tax_profile_valid: facts.tax_profile_valid,
        payout_profile_valid: facts.payout_profile_valid,
        suspended: facts.suspended,
        virtual_machine_billing: facts.virtual_machine_billing,
        competencies,
    })
}

/// A member to be added.
pub fn create_member(
    request: &pb::CreateMemberRequest,
    now: OffsetDateTime,
) -> Result<Member, Vec<Violation>> {
    let mut wrong = violations();
    let parent = wrong.take(PublisherName::parse(&request.parent, "parent"));
    let Some(new) = &request.member else {
        wrong.add(Violation::missing("member"));
        return wrong.finish(None);
    };
    let publisher = parent.map(|parent| parent.publisher).unwrap_or_default();
    let member = wrong_within(
        &mut wrong,
        new_member(&publisher, &request.member_id, new, now),
        "member",
    );
    wrong.finish(member)
}

fn new_member(
    publisher: &str,
    id: &str,
    new: &pb::Member,
    now: OffsetDateTime,
) -> Result<Member, Vec<Violation>> {
    let mut wrong = violations();
    if !is_member_id(id) {
        let why = "must be 1 to 63 of a-z, 0-9, ., _ and -, with a letter or digit first";
        wrong.add(Violation::new("member_id", why).because("BAD_ID"));
    }
    let kind = wrong.take(member_kind(new.kind));
    let principal = wrong.take(principal(&new.principal));
    let display_name = wrong.take(line(&new.display_name, "display_name", LONGEST_NAME));
    let roles = wrong.take(member_roles(&new.roles));
    let read = || {
        Some(Member {
            publisher: publisher.to_owned(),
            id: id.to_owned(),
            kind: kind?,
            principal: principal?,
            display_name: display_name?,
            roles: roles?,
            revision: 1,
            create_time: now,
        })
    };
    let read = read();
    wrong.finish(read)
}

fn member_kind(kind: i32) -> Result<MemberKind, Violation> {
    match pb::MemberKind::try_from(kind) {
        Ok(pb::MemberKind::User) => Ok(MemberKind::User),
        Ok(pb::MemberKind::Application) => Ok(MemberKind::Application),
        Ok(pb::MemberKind::Unspecified) => Err(Violation::missing("kind")),
        Err(_) => Err(Violation::new("kind", "is no known value").because("UNKNOWN_VALUE")),
    }
}

/// `{issuer}|{subject}`
fn principal(text: &str) -> Result<String, Violation> {
    let text = line(text, "principal", LONGEST_PRINCIPAL)?;
    let whole = text
        .split_once('|')
        .is_some_and(|(issuer, subject)| !issuer.is_empty() && !subject.is_empty());
    if whole {
        Ok(text)
    } else {
        Err(Violation::new("principal", "must be {issuer}|{subject}").because("BAD_PRINCIPAL"))
    }
}

fn member_roles(wanted: &[i32]) -> Result<Vec<Role>, Violation> {
    let mut roles = Vec::new();
    for (i, role) in wanted.iter().enumerate() {
        let unknown =
            || Violation::new(format!("roles[{i}]"), "is no known role").because("UNKNOWN_VALUE");
        let role = Role::from_proto(*role).ok_or_else(unknown)?;
        if !roles.contains(&role) {
            roles.push(role);
        }
    }
    if roles.is_empty() {
        Err(Violation::missing("roles"))
    } else {
        Ok(roles)
    }
}

/// What is to become of a member.
pub fn update_member<'a>(
    new: &pb::Member,
    name: &'a MemberName,
) -> Result<Change<'a>, Vec<Violation>> {
    let mut wrong = violations();
    let display_name = wrong.take(line(&new.display_name, "member.display_name", LONGEST_NAME));
    let roles = wrong.take(member_roles(&new.roles).map_err(|v| v.within("member")));
    let etag = wrong.take(etag(&new.etag, "member.etag"));
    let read = || {
        Some(Change {
            publisher: &name.publisher,
            id: &name.member,
            display_name: display_name?,
            roles: roles?,
            etag: etag?,
        })
    };
    let read = read();
    wrong.finish(read)
}

/// A grant to be made: 7 days unless said otherwise, 30 at most.
pub fn new_grant(
    request: &pb::GrantOperatorRequest,
    publisher: &PublisherName,
    granted_by: &str,
    now: OffsetDateTime,
) -> Result<Grant, Vec<Violation>> {
    let mut wrong = violations();
    let reason = wrong.take(line(&request.reason, "reason", LONGEST_REASON));
    let expire_time = wrong.take(grant_end(request.expire_time.as_ref(), now));
    let read = || {
        Some(Grant {
            publisher: publisher.publisher.clone(),
            id: new_id(),
            reason: reason?,
            granted_by: granted_by.to_owned(),
            create_time: now,
            expire_time: expire_time?,
            revoke_time: None,
        })
    };
    let read = read();
    wrong.finish(read)
}

fn grant_end(
    wanted: Option<&prost_types::Timestamp>,
    now: OffsetDateTime,
) -> Result<OffsetDateTime, Violation> {
    let Some(wanted) = wanted else {
        return Ok(now + GRANT_DEFAULT);
    };
    let wanted = timestamp::from_proto(wanted, "expire_time")?;
    if wanted <= now || wanted > now + GRANT_LONGEST {
        return Err(
            Violation::new("expire_time", "must be within the next 30 days")
                .because("OUT_OF_RANGE"),
        );
    }
    Ok(wanted)
}
