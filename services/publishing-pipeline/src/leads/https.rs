//! HTTPS endpoint: a POST of the lead as JSON (LD-6).

use marketplace_proto::offercatalog::v1::HttpsDestination;
use marketplace_runtime::outbound::{Call, Outbound};

use super::{Delivery, Lead, accepted, json, send_well, url};

pub(super) async fn deliver(
    outbound: &Outbound,
    to: &HttpsDestination,
    lead: &Lead,
) -> Result<Delivery, Delivery> {
    let answer = send_well(outbound, Call::post_json(url(&to.url)?, json(lead)?)).await?;
    Ok(accepted(&answer))
}
