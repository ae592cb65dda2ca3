//! Salesforce: a Web-to-Lead form.

use marketplace_proto::offercatalog::v1::SalesforceDestination;
use marketplace_runtime::outbound::Outbound;
use url::Url;

use super::{Delivery, Lead, accepted, post_form, send_well};

/// The form is always answered with 200; this header says what became of it.
const PROCESSED: &str = "is-processed";

pub(super) async fn deliver(
    outbound: &Outbound,
    host: &Url,
    to: &SalesforceDestination,
    lead: &Lead,
) -> Result<Delivery, Delivery> {
    let mut form = host.clone();
    form.set_path("/servlet/servlet.WebToLead");
    form.set_query(Some("encoding=UTF-8"));
    let user = &lead.user_details;
    let fields = [
        ("oid", to.object_identifier.as_str()),
        ("first_name", &user.first_name),
        ("last_name", &user.last_name),
        ("email", &user.email),
        ("company", &user.company),
        ("phone", &user.phone),
        ("title", &user.title),
        ("country", &user.country),
        ("lead_source", &lead.lead_source),
        ("description", &lead.offer_title),
    ];
    let answer = send_well(outbound, post_form(form, &fields)).await?;
    let processed = answer
        .headers
        .get(PROCESSED)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if processed.starts_with("false") {
        return Err(Delivery::Refused(
            "Salesforce did not process the lead; check the object identifier".to_owned(),
        ));
    }
    Ok(accepted(&answer))
}
