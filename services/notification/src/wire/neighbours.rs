//! What neighbours answer.

use marketplace_proto::certification::v1 as cert;
use marketplace_proto::offercatalog::v1::{self as catalog, MemberKind, MemberRole, Storefront};
use marketplace_runtime::{ids, timestamp};

use crate::domain::{Finding, Link, Member, Product, Report};
use crate::error::Error;

/// A member with publishing permission.
pub fn member(member: catalog::Member) -> Member {
    let has = |wanted: MemberRole| member.roles().any(|role| role == wanted);
    Member {
        owner: has(MemberRole::Owner),
        may_join: has(MemberRole::Manager) || has(MemberRole::Developer),
        person: member.kind() != MemberKind::Application,
        name: member.name,
        principal: member.principal,
        display_name: member.display_name,
    }
}

/// The offer of this name, if the catalog has told a system id of it.
pub fn product(uid: &str, name: String) -> Result<Option<Product>, Error> {
    if uid.is_empty() {
        return Ok(None);
    }
    let uid = ids::uuid(uid, "offer_uid").map_err(Error::Answer)?;
    Ok(Some(Product { uid, name }))
}

/// Where a preview can be seen.
pub fn preview_link(link: catalog::PreviewLink) -> Link {
    let title = match link.storefront() {
        Storefront::AppSource => "Preview on AppSource",
        Storefront::AzureMarketplace => "Preview on Azure Marketplace",
        Storefront::Unspecified => "Preview",
    };
    Link {
        title: title.to_owned(),
        target: link.url,
    }
}

/// A failure report: what failed certification, not what was merely noted.
pub fn report(report: cert::Report) -> Report {
    let made_at = report
        .create_time
        .as_ref()
        .and_then(|at| timestamp::from_proto(at, "create_time").ok());
    let mut findings = Vec::new();
    for section in report.sections {
        let policy = [section.policy.as_str(), section.policy_title.as_str()]
            .join(" ")
            .trim()
            .to_owned();
        let failed = section
            .findings
            .into_iter()
            .filter(|finding| finding.severity() == cert::Severity::Error);
        findings.extend(failed.map(|finding| Finding {
            policy: if policy.is_empty() {
                section.level.clone()
            } else {
                policy.clone()
            },
            description: section.policy_description.clone(),
            page: place(&finding),
            evidence: finding.evidence,
            remedy: finding.remedy,
            url: if finding.policy_url.is_empty() {
                section.policy_url.clone()
            } else {
                finding.policy_url
            },
        }));
    }
    Report {
        attempt: report.attempt,
        made_at,
        findings,
        review_notes: report.review_notes,
    }
}

/// Pointer to the page to fix.
fn place(finding: &cert::Finding) -> String {
    let parts = [&finding.page, &finding.field_path, &finding.artifact_path];
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .cloned()
        .collect::<Vec<_>>()
        .join(", ")
}
