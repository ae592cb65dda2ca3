//! Answers as protobuf's JSON, with the field names of the .proto files and numbers as numbers.

use std::sync::OnceLock;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde_json::Value;

use crate::api::Named;

/// Every message of the .proto files.
pub fn pool() -> &'static DescriptorPool {
    static POOL: OnceLock<DescriptorPool> = OnceLock::new();
    POOL.get_or_init(|| {
        DescriptorPool::decode(marketplace_proto::DESCRIPTORS)
            .expect("descriptors were made by the build")
    })
}

/// A message with its type known at run time.
pub fn dynamic(name: &str, message: &impl Message) -> DynamicMessage {
    let descriptor = pool()
        .get_message_by_name(name)
        .expect("a test holds every name against the descriptors");
    DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .expect("a message reads its own bytes")
}

/// A message as JSON; unset fields are left out.
pub fn value<M: Message + Named>(message: &M) -> Value {
    let options = SerializeOptions::new()
        .use_proto_field_name(true)
        .stringify_64_bit_integers(false);
    let message = dynamic(M::NAME, message);
    message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .expect("every protobuf message is JSON")
}

#[cfg(test)]
mod tests {
    use marketplace_proto::publishing::v1::{GetPublicationResponse, Publication};
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_have_their_proto_names_and_enums_theirs() {
        let publication = Publication {
            offer: "publishers/contoso/offers/grafana".into(),
            status: 5,
            revision: 9,
            live_submission: "s".into(),
            update_time: Some(prost_types::Timestamp {
                seconds: 0,
                nanos: 0,
            }),
            ..Publication::default()
        };
        let wanted = json!({"publication": {
            "offer": "publishers/contoso/offers/grafana", "status": "OFFER_STATUS_LIVE", "revision": 9,
            "live_submission": "s", "update_time": "1970-01-01T00:00:00Z",
        }});
        assert_eq!(
            value(&GetPublicationResponse {
                publication: Some(publication)
            }),
            wanted
        );
    }
}
