//! Salesforce: a Web-to-Lead form.

use marketplace_proto::offercatalog::v1::SalesforceDestination;
use marketplace_runtime::outbound::Outbound;
use url::Url;

use super::far_side::{FarSide, accepted, post_form};
use super::lead::{cut, whole};
use super::{Delivery, Lead};

/// The form is answered with 200 whatever becomes of it; this header, where there is one, says what did: `true`, or
/// anything else with an exception.
const PROCESSED: &str = "is-processed";

pub(super) async fn deliver(
    outbound: &Outbound,
    host: &Url,
    to: &SalesforceDestination,
    lead: &Lead,
) -> Result<Delivery, Delivery> {
    let salesforce = FarSide {
        outbound,
        name: "Salesforce",
        check: "check the object identifier, and that Web-to-Lead is on",
    };
    let mut form = host.clone();
    form.set_path("/servlet/servlet.WebToLead");
    form.set_query(Some("encoding=UTF-8"));
    let user = &lead.user_details;
    // The lengths of a lead's fields: a longer value is refused with all of the others.
    let fields = [
        ("oid", to.object_identifier.as_str()),
        ("first_name", cut(&user.first_name, 40)),
        ("last_name", cut(&user.last_name, 80)),
        ("email", whole(&user.email, 80)),
        ("company", cut(&user.company, 255)),
        ("phone", whole(&user.phone, 40)),
        ("title", cut(&user.title, 128)),
        ("country", cut(&user.country, 80)),
        ("lead_source", cut(&lead.lead_source, 255)),
        ("description", &lead.offer_title),
    ];
    let answer = salesforce.send_well(post_form(form, &fields)).await?;
    match answer.headers.get(PROCESSED) {
        Some(processed) if processed != "true" => Err(Delivery::refused(format!(
            "Salesforce did not process the lead: {}",
            salesforce.check
        ))),
        _ => Ok(accepted(&answer)),
    }
}
