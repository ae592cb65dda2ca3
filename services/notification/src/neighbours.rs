//! What neighbours are asked before people are told: who the members are, where the preview is, why certification
//! failed.

use std::time::Duration;

use marketplace_proto::certification::v1::GetFailureReportRequest;
use marketplace_proto::certification::v1::certification_service_client::CertificationServiceClient;
use marketplace_proto::offercatalog::v1::listing_service_client::ListingServiceClient;
use marketplace_proto::offercatalog::v1::publisher_service_client::PublisherServiceClient;
use marketplace_proto::offercatalog::v1::{BatchGetMembersRequest, GetPreviewLinksRequest};
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::neighbour::NeighbourChannel;
use tonic::{Code, Request, Status};

use crate::domain::{Link, Member, Product, Report};
use crate::error::Error;
use crate::wire;

/// How long a neighbour may take. Two are asked one after the other within a lease.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// The services that are asked. Cheap to clone.
#[derive(Clone)]
pub struct Neighbours {
    publishers: PublisherServiceClient<NeighbourChannel>,
    listings: ListingServiceClient<NeighbourChannel>,
    certification: CertificationServiceClient<NeighbourChannel>,
}

impl Neighbours {
    /// Over these channels.
    pub fn new(catalog: NeighbourChannel, certification: NeighbourChannel) -> Neighbours {
        Neighbours {
            publishers: PublisherServiceClient::new(catalog.clone()),
            listings: ListingServiceClient::new(catalog),
            certification: CertificationServiceClient::new(certification),
        }
    }

    /// Everybody with publishing permission on the publisher's offers, now (NO-1).
    pub async fn members(&self, publisher: &str) -> Result<Vec<Member>, Error> {
        let (members, _) = self.ask_members(publisher, String::new()).await?;
        Ok(members)
    }

    /// The offer behind a name, now, with everybody who could hear of it.
    pub async fn offer(&self, name: &OfferName) -> Result<(Product, Vec<Member>), Error> {
        let name_text = name.to_string();
        let (members, uid) = self.ask_members(&name.publisher, name_text.clone()).await?;
        match wire::product(&uid, name_text)? {
            Some(offer) => Ok((offer, members)),
            None => Err(Error::NotFound("Offer", name.to_string())),
        }
    }

    async fn ask_members(
        &self,
        publisher: &str,
        offer: String,
    ) -> Result<(Vec<Member>, String), Error> {
        let request = BatchGetMembersRequest {
            publisher: format!("publishers/{publisher}"),
            principals: Vec::new(),
            offer,
        };
        match self
            .publishers
            .clone()
            .batch_get_members(patient(request))
            .await
        {
            Ok(answer) => {
                let answer = answer.into_inner();
                let members = answer.members.into_iter().map(wire::member).collect();
                Ok((members, answer.offer_uid))
            }
            // A publisher that is gone has nobody to tell.
            Err(status) if status.code() == Code::NotFound => Ok((Vec::new(), String::new())),
            Err(status) => Err(catalog(status)),
        }
    }

    /// Where the preview of a submission can be seen; nowhere if a newer one has taken its place.
    pub async fn preview_links(&self, offer: &str, submission: &str) -> Result<Vec<Link>, Error> {
        let request = GetPreviewLinksRequest {
            offer: offer.to_owned(),
            submission: submission.to_owned(),
        };
        match self
            .listings
            .clone()
            .get_preview_links(patient(request))
            .await
        {
            Ok(answer) => Ok(answer
                .into_inner()
                .links
                .into_iter()
                .map(wire::preview_link)
                .collect()),
            Err(status) if gone(&status) => Ok(Vec::new()),
            Err(status) => Err(catalog(status)),
        }
    }

    /// Why a submission failed certification; `None` where there is no report.
    pub async fn failure_report(&self, submission: &str) -> Result<Option<Report>, Error> {
        let request = GetFailureReportRequest {
            submission: submission.to_owned(),
        };
        match self
            .certification
            .clone()
            .get_failure_report(patient(request))
            .await
        {
            Ok(answer) => Ok(answer.into_inner().report.map(wire::report)),
            Err(status) if gone(&status) => Ok(None),
            Err(status) => Err(Error::Neighbour("certification", Box::new(status))),
        }
    }
}

fn catalog(status: Status) -> Error {
    Error::Neighbour("the offer catalog", Box::new(status))
}

fn gone(status: &Status) -> bool {
    matches!(status.code(), Code::NotFound | Code::FailedPrecondition)
}

fn patient<T>(request: T) -> Request<T> {
    let mut request = Request::new(request);
    request.set_timeout(PATIENCE);
    request
}
