//! Audiences on the wire.

use marketplace_proto::offercatalog::v1 as pb;

use super::{Reading, limits};
use crate::pages::{AudienceIdKind, AudienceMember, PreviewAudience};

pub(super) fn read_page(page: &pb::PreviewAudiencePage, reading: &mut Reading) -> PreviewAudience {
    PreviewAudience {
        members: read(&page.members, "members", reading),
    }
}

pub(super) fn write_page(page: &PreviewAudience) -> pb::PreviewAudiencePage {
    pb::PreviewAudiencePage {
        members: write(&page.members),
    }
}

pub(super) fn read(
    members: &[pb::AudienceMember],
    field: &str,
    reading: &mut Reading,
) -> Vec<AudienceMember> {
    let members = reading.list(field, members, limits::AUDIENCE);
    let mut read = Vec::with_capacity(members.len());
    for (at, member) in members.iter().enumerate() {
        // An audience without kinds of ids would hold nobody: unset is as wrong as unknown.
        let known = kind(member.kind);
        if known.is_none() {
            reading.unknown(&format!("{field}[{at}].kind"), member.kind);
        }
        read.extend(known.map(|kind| AudienceMember {
            kind,
            id: member.id.clone(),
            label: member.label.clone(),
        }));
    }
    read
}

/// As they are answered.
pub fn write(members: &[AudienceMember]) -> Vec<pb::AudienceMember> {
    let wire = |kind| match kind {
        AudienceIdKind::Email => pb::AudienceIdKind::Email,
        AudienceIdKind::Subscription => pb::AudienceIdKind::Subscription,
        AudienceIdKind::Tenant => pb::AudienceIdKind::Tenant,
        AudienceIdKind::EnterpriseAgreement => pb::AudienceIdKind::EnterpriseAgreement,
        AudienceIdKind::Msdn => pb::AudienceIdKind::Msdn,
    };
    let member = |member: &AudienceMember| pb::AudienceMember {
        kind: wire(member.kind) as i32,
        id: member.id.clone(),
        label: member.label.clone(),
    };
    members.iter().map(member).collect()
}

fn kind(value: i32) -> Option<AudienceIdKind> {
    match pb::AudienceIdKind::try_from(value).ok()? {
        pb::AudienceIdKind::Unspecified => None,
        pb::AudienceIdKind::Email => Some(AudienceIdKind::Email),
        pb::AudienceIdKind::Subscription => Some(AudienceIdKind::Subscription),
        pb::AudienceIdKind::Tenant => Some(AudienceIdKind::Tenant),
        pb::AudienceIdKind::EnterpriseAgreement => Some(AudienceIdKind::EnterpriseAgreement),
        pb::AudienceIdKind::Msdn => Some(AudienceIdKind::Msdn),
    }
}
