//! HTTPS endpoint: a POST of the lead as JSON (LD-6).

use marketplace_proto::offercatalog::v1::HttpsDestination;
use marketplace_runtime::outbound::{Call, Outbound};

use super::far_side::{FarSide, accepted, json, url};
use super::{Delivery, Lead};

pub(super) async fn deliver(
    outbound: &Outbound,
    to: &HttpsDestination,
    lead: &Lead,
) -> Result<Delivery, Delivery> {
    let endpoint = FarSide {
        outbound,
        name: "the lead endpoint",
        check: "check its address, and that it takes a POST of JSON from anybody",
    };
    let call = Call::post_json(url(&to.url)?, json(lead)?);
    Ok(accepted(&endpoint.send_well(call).await?))
}
