//! Plans on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::status::Violation;

use super::{line, optional_line, time, violations};
use crate::commands::plans::New;
use crate::domain::plan::{LONGEST_NAME, Plan, is_id};

/// As it is answered.
pub fn plan(offer: &OfferName, plan: &Plan) -> pb::Plan {
    pb::Plan {
        name: offer.plan(&plan.id).to_string(),
        display_name: plan.display_name.clone(),
        subtype: plan.subtype.clone(),
        etag: plan.revision.to_string(),
        ever_frozen: plan.ever_frozen,
        create_time: time(plan.create_time),
    }
}

/// A plan to be made (T03).
pub fn create(request: &pb::CreatePlanRequest) -> Result<New, Vec<Violation>> {
    let mut wrong = violations();
    let parent = wrong.take(OfferName::parse(&request.parent, "parent"));
    let id = wrong.take(new_plan_id(&request.plan_id));
    let display_name = wrong.take(line(&request.display_name, "display_name", LONGEST_NAME));
    let subtype = wrong.take(optional_line(&request.subtype, "subtype", 50));
    let read = || {
        Some(New {
            parent: parent?,
            id: id?,
            display_name: display_name?,
            subtype: subtype?,
        })
    };
    let read = read();
    wrong.finish(read)
}

fn new_plan_id(text: &str) -> Result<String, Violation> {
    if text.is_empty() {
        return Err(Violation::missing("plan_id"));
    }
    let why = "must be 1 to 50 of a-z, 0-9, _ and -";
    if is_id(text) {
        Ok(text.to_owned())
    } else {
        Err(Violation::new("plan_id", why).because("BAD_ID"))
    }
}

/// A plan's new name.
pub fn new_name(plan: &pb::Plan) -> Result<String, Violation> {
    line(&plan.display_name, "plan.display_name", LONGEST_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(name: &str) -> Vec<String> {
        let request = pb::CreatePlanRequest {
            parent: "publishers/contoso/offers/forge".into(),
            plan_id: "gold".into(),
            display_name: name.into(),
            ..Default::default()
        };
        let read = create(&request);
        let renamed = new_name(&pb::Plan {
            display_name: name.into(),
            ..Default::default()
        });
        assert_eq!(read.is_ok(), renamed.is_ok(), "made as renamed: {name}");
        let faults = read.err().unwrap_or_default().into_iter();
        faults
            .map(|fault| format!("{} {}", fault.field, fault.reason.unwrap_or_default()))
            .collect()
    }

    #[test]
    fn pn_2_a_name_has_1_to_200_characters() {
        let none: [&str; 0] = [];
        assert_eq!(faults("G"), none);
        assert_eq!(faults(&"ä".repeat(200)), none);
        assert_eq!(faults(&"ä".repeat(201)), ["display_name TOO_LONG"]);
        for missing in ["", "  "] {
            assert_eq!(faults(missing), ["display_name REQUIRED"]);
        }
    }
}
