//! What a running service says of itself by gRPC reflection, as grpcurl sees it.

use anyhow::Context;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor};
use tonic::transport::Endpoint;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

/// Every RPC that the service on this port serves, health and reflection itself excepted.
pub async fn methods(port: u16) -> anyhow::Result<Vec<MethodDescriptor>> {
    let listed = ask(port, MessageRequest::ListServices(String::new())).await?;
    let MessageResponse::ListServicesResponse(listed) = listed else {
        anyhow::bail!("no list of services: {listed:?}")
    };
    let mut found = Vec::new();
    for service in listed
        .service
        .into_iter()
        .filter(|service| service.name.starts_with("marketplace."))
    {
        let answer = ask(
            port,
            MessageRequest::FileContainingSymbol(service.name.clone()),
        )
        .await?;
        let MessageResponse::FileDescriptorResponse(files) = answer else {
            anyhow::bail!("no descriptor: {answer:?}")
        };
        anyhow::ensure!(
            !files.file_descriptor_proto.is_empty(),
            "an empty descriptor of {}",
            service.name
        );
        // What it serves is described by reflection; imports are resolved by the pool that it was generated from.
        let pool = DescriptorPool::decode(marketplace_proto::DESCRIPTORS)?;
        let service = pool
            .get_service_by_name(&service.name)
            .with_context(|| format!("{} is unknown", service.name))?;
        found.extend(service.methods());
    }
    Ok(found)
}

/// A call's messages in protobuf's JSON, one after the other, as bytes of the method's input.
pub fn requests(method: &MethodDescriptor, json: &str) -> anyhow::Result<Vec<bytes::Bytes>> {
    let mut text = serde_json::Deserializer::from_str(json);
    let mut messages = Vec::new();
    while messages.is_empty() || text.end().is_err() {
        let message = DynamicMessage::deserialize(method.input(), &mut text)
            .with_context(|| format!("{}: {json}", method.full_name()))?;
        messages.push(prost::Message::encode_to_vec(&message).into());
    }
    Ok(messages)
}

async fn ask(port: u16, message: MessageRequest) -> anyhow::Result<MessageResponse> {
    let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?
        .connect()
        .await?;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(message),
    };
    let mut answers = ServerReflectionClient::new(channel)
        .server_reflection_info(tokio_stream::once(request))
        .await?
        .into_inner();
    let answer = answers
        .message()
        .await?
        .context("reflection says nothing")?;
    answer.message_response.context("an empty answer")
}
