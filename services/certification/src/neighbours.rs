//! Outgoing RPCs to the catalog: snapshots, blobs, publishers. Called by due.rs before its transaction.

use marketplace_proto::offercatalog::v1::{
    DownloadAssetRequest, GetPublisherRequest, GetSnapshotRequest, MembershipState, Publisher,
    asset_service_client::AssetServiceClient, get_snapshot_response::Part,
    offer_service_client::OfferServiceClient, publisher_service_client::PublisherServiceClient,
};
use marketplace_runtime::{neighbour::NeighbourChannel, status};
use sha2::{Digest, Sha256};
use tonic::Status;

use crate::{checks::image::MAX_BYTES, domain::PublisherFacts};

/// The most bytes that a snapshot may have; without blobs it holds texts and prices only.
const MAX_SNAPSHOT: usize = 16 << 20;

/// Why the catalog's answer is of no use.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    #[error("the offer catalog answered {0}")]
    Status(#[from] Box<Status>),
    #[error("the snapshot is larger than {MAX_SNAPSHOT} bytes")]
    SnapshotTooLarge,
    #[error("the content of asset {wanted} has the digest {found}")]
    OtherContent { wanted: String, found: String },
    #[error("the snapshot has the digest {found}, not {wanted}")]
    OtherSnapshot { wanted: String, found: String },
    #[error("the answer holds no publisher")]
    NoPublisher,
}

impl Unusable {
    /// What is said of it where what was frozen has changed: no further try will mend that (PB-1).
    pub fn tampered(&self) -> Option<String> {
        match self {
            Unusable::OtherContent { .. } | Unusable::OtherSnapshot { .. } => {
                Some(self.to_string())
            }
            // Its own words are for our log.
            Unusable::Status(status) if status::reason(status) == "DIGEST_MISMATCH" => {
                Some("the offer catalog finds that what was frozen has changed".to_owned())
            }
            Unusable::Status(_) | Unusable::SnapshotTooLarge | Unusable::NoPublisher => None,
        }
    }
}

/// The offer catalog, as this service needs it. Cheap to clone.
#[derive(Clone)]
pub struct Catalog {
    offers: OfferServiceClient<NeighbourChannel>,
    assets: AssetServiceClient<NeighbourChannel>,
    publishers: PublisherServiceClient<NeighbourChannel>,
}

/// Content of an asset, as far as it was read.
pub enum Blob {
    Whole(Vec<u8>),
    /// More than an image may have; the rest was left unread.
    TooLarge,
}

impl Catalog {
    pub fn new(channel: NeighbourChannel) -> Catalog {
        Catalog {
            offers: OfferServiceClient::new(channel.clone()),
            assets: AssetServiceClient::new(channel.clone()),
            publishers: PublisherServiceClient::new(channel),
        }
    }

    /// A snapshot's canonical bytes and their SHA-256, computed here.
    pub async fn snapshot(&self, name: &str) -> Result<(Vec<u8>, String), Unusable> {
        let request = GetSnapshotRequest {
            name: name.to_owned(),
        };
        let mut parts = self
            .offers
            .clone()
            .get_snapshot(request)
            .await
            .map_err(Box::new)?
            .into_inner();
        let mut bytes = Vec::new();
        let mut hash = Sha256::new();
        while let Some(answer) = parts.message().await.map_err(Box::new)? {
            let Some(Part::Chunk(chunk)) = answer.part else {
                continue;
            };
            if bytes.len() + chunk.len() > MAX_SNAPSHOT {
                return Err(Unusable::SnapshotTooLarge);
            }
            hash.update(&chunk);
            bytes.extend_from_slice(&chunk);
        }
        Ok((bytes, hex::encode(hash.finalize())))
    }

    /// An image's bytes; what is longer than an image may be isn't read to its end.
    pub async fn image(&self, offer: &str, digest: &str) -> Result<Blob, Unusable> {
        let request = DownloadAssetRequest {
            offer: offer.to_owned(),
            digest: digest.to_owned(),
            ..DownloadAssetRequest::default()
        };
        let mut chunks = self
            .assets
            .clone()
            .download_asset(request)
            .await
            .map_err(Box::new)?
            .into_inner();
        let mut bytes = Vec::new();
        while let Some(answer) = chunks.message().await.map_err(Box::new)? {
            if bytes.len() + answer.chunk.len() > MAX_BYTES {
                return Ok(Blob::TooLarge);
            }
            bytes.extend_from_slice(&answer.chunk);
        }
        let found = hex::encode(Sha256::digest(&bytes));
        if found != digest {
            return Err(Unusable::OtherContent {
                wanted: digest.to_owned(),
                found,
            });
        }
        Ok(Blob::Whole(bytes))
    }

    /// What the operator knows of a publisher.
    pub async fn publisher(&self, id: &str) -> Result<PublisherFacts, Unusable> {
        let request = GetPublisherRequest {
            name: format!("publishers/{id}"),
        };
        let answer = self
            .publishers
            .clone()
            .get_publisher(request)
            .await
            .map_err(Box::new)?
            .into_inner();
        answer.publisher.map(facts).ok_or(Unusable::NoPublisher)
    }
}

fn facts(publisher: Publisher) -> PublisherFacts {
    let programme = publisher.programme.unwrap_or_default();
    PublisherFacts {
        name: publisher.name,
        enrolled: programme.enrolled,
        membership_active: programme.membership() == MembershipState::Active,
        agreement_version: programme.agreement_version,
        vetting_authorized: programme.vetting_authorized,
        tax_profile_valid: programme.tax_profile_valid,
        payout_profile_valid: programme.payout_profile_valid,
        suspended: programme.suspended,
        virtual_machine_billing: programme.virtual_machine_billing,
        competencies: programme
            .competencies
            .into_iter()
            .map(|c| (c.id, c.level))
            .collect(),
        application_owner: None,
        other_application: None,
    }
}
