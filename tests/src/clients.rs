//! gRPC clients of all five services that speak as somebody.

use marketplace_proto::certification::v1::certification_service_client::CertificationServiceClient;
use marketplace_proto::certification::v1::review_service_client::ReviewServiceClient;
use marketplace_proto::history::v1::history_service_client::HistoryServiceClient;
use marketplace_proto::messaging::v1::dead_letter_service_client::DeadLetterServiceClient;
use marketplace_proto::messaging::v1::event_service_client::EventServiceClient;
use marketplace_proto::notification::v1::action_center_service_client::ActionCenterServiceClient;
use marketplace_proto::notification::v1::audience_service_client::AudienceServiceClient;
use marketplace_proto::notification::v1::preference_service_client::PreferenceServiceClient;
use marketplace_proto::offercatalog::v1::asset_service_client::AssetServiceClient;
use marketplace_proto::offercatalog::v1::listing_service_client::ListingServiceClient;
use marketplace_proto::offercatalog::v1::offer_service_client::OfferServiceClient;
use marketplace_proto::offercatalog::v1::plan_service_client::PlanServiceClient;
use marketplace_proto::offercatalog::v1::publisher_service_client::PublisherServiceClient;
use marketplace_proto::publishing::v1::operator_service_client::OperatorServiceClient;
use marketplace_proto::publishing::v1::publishing_service_client::PublishingServiceClient;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

/// A channel that shows a token with every call.
pub type Speaking = InterceptedService<Channel, Token>;

/// Puts a token, if there is one, on every call.
#[derive(Clone)]
pub struct Token(Option<MetadataValue<Ascii>>);

impl tonic::service::Interceptor for Token {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request
                .metadata_mut()
                .insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// Everything one person (or service, or nobody) can call.
#[derive(Clone)]
pub struct Clients {
    /// offer-catalog
    pub publishers: PublisherServiceClient<Speaking>,
    /// offer-catalog
    pub offers: OfferServiceClient<Speaking>,
    /// offer-catalog
    pub plans: PlanServiceClient<Speaking>,
    /// offer-catalog
    pub assets: AssetServiceClient<Speaking>,
    /// offer-catalog
    pub listings: ListingServiceClient<Speaking>,
    /// certification
    pub certification: CertificationServiceClient<Speaking>,
    /// certification
    pub reviews: ReviewServiceClient<Speaking>,
    /// publishing-pipeline
    pub publishing: PublishingServiceClient<Speaking>,
    /// publishing-pipeline
    pub operators: OperatorServiceClient<Speaking>,
    /// history
    pub history: HistoryServiceClient<Speaking>,
    /// notification
    pub action_center: ActionCenterServiceClient<Speaking>,
    /// notification
    pub preferences: PreferenceServiceClient<Speaking>,
    /// notification
    pub audience: AudienceServiceClient<Speaking>,
    /// Each service's, in the order of [`crate::SERVICES`].
    pub dead_letters: Vec<DeadLetterServiceClient<Speaking>>,
    /// The same.
    pub events: Vec<EventServiceClient<Speaking>>,
}

impl Clients {
    /// Clients for services on these ports (order of [`crate::SERVICES`]), with this token.
    pub fn new(ports: [u16; 5], token: Option<&str>) -> anyhow::Result<Self> {
        let token = Token(
            token
                .map(|token| format!("Bearer {token}").parse())
                .transpose()?,
        );
        let mut channels = Vec::new();
        for port in ports {
            let channel = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?.connect_lazy();
            channels.push(InterceptedService::new(channel, token.clone()));
        }
        let [catalog, certification, publishing, history, notification] =
            <[Speaking; 5]>::try_from(channels.clone())
                .map_err(|_| anyhow::anyhow!("there are five ports"))?;
        Ok(Self {
            publishers: PublisherServiceClient::new(catalog.clone()),
            offers: OfferServiceClient::new(catalog.clone()),
            plans: PlanServiceClient::new(catalog.clone()),
            assets: AssetServiceClient::new(catalog.clone()),
            listings: ListingServiceClient::new(catalog),
            certification: CertificationServiceClient::new(certification.clone()),
            reviews: ReviewServiceClient::new(certification),
            publishing: PublishingServiceClient::new(publishing.clone()),
            operators: OperatorServiceClient::new(publishing),
            history: HistoryServiceClient::new(history),
            action_center: ActionCenterServiceClient::new(notification.clone()),
            preferences: PreferenceServiceClient::new(notification.clone()),
            audience: AudienceServiceClient::new(notification),
            dead_letters: channels
                .iter()
                .cloned()
                .map(DeadLetterServiceClient::new)
                .collect(),
            events: channels.into_iter().map(EventServiceClient::new).collect(),
        })
    }
}
