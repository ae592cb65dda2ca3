//! What neighbours are asked before people are told: who the members are, where the preview is, why certification
//! failed.

use std::time::Duration;

use marketplace_proto::certification::v1::GetFailureReportRequest;
use marketplace_proto::certification::v1::certification_service_client::CertificationServiceClient;
use marketplace_proto::offercatalog::v1::listing_service_client::ListingServiceClient;
use marketplace_proto::offercatalog::v1::publisher_service_client::PublisherServiceClient;
use marketplace_proto::offercatalog::v1::{BatchGetMembersRequest, GetPreviewLinksRequest};
use marketplace_runtime::neighbour::NeighbourChannel;
use tonic::{Code, Request, Status};

use crate::domain::{Link, Member, Report};
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
        let request = BatchGetMembersRequest {
            publisher: format!("publishers/{publisher}"),
            principals: Vec::new(),
        };
        match self
            .publishers
            .clone()
            .batch_get_members(patient(request))
            .await
        {
            Ok(answer) => Ok(answer
                .into_inner()
                .members
                .into_iter()
                .map(wire::member)
                .collect()),
            // A publisher that is gone has nobody to tell.
            Err(status) if status.code() == Code::NotFound => Ok(Vec::new()),
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
