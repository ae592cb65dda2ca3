//! Calls by path, with messages as bytes: for tests that go over every RPC there is.

use bytes::{Buf, BufMut, Bytes};
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status, Streaming};

/// Protobuf messages as they are on the wire.
#[derive(Default)]
pub struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}

/// Calls `/{service}/{method}` on a port of loopback with these messages and answers the first, whatever kind
/// of RPC it is.
pub async fn call(
    port: u16,
    path: &str,
    messages: Vec<Bytes>,
    token: Option<&str>,
) -> Result<Bytes, Status> {
    call_on(channel(port)?, path, messages, token).await
}

/// A channel to a port of loopback.
pub fn channel(port: u16) -> Result<Channel, Status> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"));
    let endpoint = endpoint.map_err(|error| Status::internal(error.to_string()))?;
    Ok(endpoint.connect_lazy())
}

/// The same on a channel.
pub async fn call_on(
    channel: Channel,
    path: &str,
    messages: Vec<Bytes>,
    token: Option<&str>,
) -> Result<Bytes, Status> {
    let mut answers = open_on(channel, path, messages, token).await?;
    Ok(answers.message().await?.unwrap_or_default())
}

/// The answers of a call that was let in: the server has begun to answer.
pub async fn open_on(
    channel: Channel,
    path: &str,
    messages: Vec<Bytes>,
    token: Option<&str>,
) -> Result<Streaming<Bytes>, Status> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready()
        .await
        .map_err(|error| Status::unavailable(error.to_string()))?;
    let mut request = Request::new(tokio_stream::iter(messages));
    if let Some(token) = token {
        let value = format!("Bearer {token}")
            .parse()
            .map_err(|_| Status::internal("no header value"))?;
        request.metadata_mut().insert("authorization", value);
    }
    let path = path.parse().map_err(|_| Status::internal("no path"))?;
    Ok(grpc.streaming(request, path, Raw).await?.into_inner())
}
