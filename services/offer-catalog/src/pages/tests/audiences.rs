//! PN-11, PN-12: private audiences that are kept beside their page.

use crate::domain::completeness::{Published, review};
use crate::domain::{Draft, samples};
use crate::pages::*;

fn audience(draft: &mut Draft) -> &mut Vec<AudienceMember> {
    let pricing = draft.plans[1].pages.plan_pricing.as_mut().unwrap();
    &mut pricing.private_audience
}

#[test]
fn pn_11_what_was_found_of_a_long_audience_counts_as_if_it_were_here() {
    let kinds = &samples::saas().offer_type.private_audience_kinds;
    let member = |at| AudienceMember {
        kind: AudienceIdKind::Tenant,
        id: format!("no GUID {at}"),
        label: String::new(),
    };
    for count in [0, 1, MOST_ISSUES + 50] {
        let members: Vec<AudienceMember> = (0..count).map(member).collect();
        let (mut here, mut beside) = (samples::saas(), samples::saas());
        audience(&mut here).clone_from(&members);
        audience(&mut beside).clear();
        beside.plans[1].audience = Some(CheckedAudience::of(&members, kinds));
        let [here, beside] = [here, beside].map(|draft| review(&draft, &Published::default()));
        assert!(!here.complete, "{count}");
        assert_eq!(here, beside, "{count}");
    }
}

#[test]
fn pn_12_kinds_of_ids_are_called_what_pages_call_them() {
    use AudienceIdKind::*;
    for kind in [Email, Subscription, Tenant, EnterpriseAgreement, Msdn] {
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
    }
}
