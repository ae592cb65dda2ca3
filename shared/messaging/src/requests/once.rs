//! What makes two calls the same request.

use marketplace_runtime::{identity::Caller, status::Violation};
use prost::Message;
use sha2::{Digest as _, Sha256};
use tonic::Status;

use super::store::Settlement;
use crate::Error;

/// A call's identity: key (caller, RPC, request id) and fingerprint of the request. Made before the request is taken
/// apart.
#[derive(Debug, Clone)]
pub struct Once {
    rpc: &'static str,
    key: Option<[u8; 32]>,
    fingerprint: [u8; 32],
}

const LONGEST_ID: usize = 128;

impl Once {
    /// Of this call. An empty id means that repeats are not recognised. INVALID_ARGUMENT for an id of more than 128
    /// bytes; `domain` is the proto package.
    pub fn new(
        domain: &str,
        caller: &Caller,
        rpc: &'static str,
        request_id: &str,
        request: &impl Message,
    ) -> Result<Once, Status> {
        if request_id.len() > LONGEST_ID {
            let why = format!("is {} bytes long, more than {LONGEST_ID}", request_id.len());
            return Err(
                Error::Invalid(Violation::new("request_id", why).because("TOO_LONG"))
                    .into_status(domain),
            );
        }
        if request_id.is_empty() {
            return Ok(Once {
                rpc,
                key: None,
                fingerprint: [0; 32],
            });
        }
        let key = Sha256::new()
            .chain_update(caller.principal())
            .chain_update([0])
            .chain_update(rpc)
            .chain_update([0])
            .chain_update(request_id)
            .finalize();
        let fingerprint = Sha256::digest(request.encode_to_vec());
        Ok(Once {
            rpc,
            key: Some(key.into()),
            fingerprint: fingerprint.into(),
        })
    }

    pub(super) fn rpc(&self) -> &'static str {
        self.rpc
    }

    pub(super) fn key(&self) -> Option<[u8; 32]> {
        self.key
    }

    pub(super) fn fingerprint(&self) -> &[u8] {
        &self.fingerprint
    }

    /// The row to store with this answer; none without a request id.
    pub(super) fn answered(&self, answer: &impl Message) -> Option<Settlement> {
        let (rpc, fingerprint) = (self.rpc, self.fingerprint);
        self.key.map(|key| Settlement {
            key,
            rpc,
            fingerprint,
            answer: answer.encode_to_vec(),
            claim: None,
        })
    }
}
