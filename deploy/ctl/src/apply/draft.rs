//! A draft, or a snapshot in the same shape, as the catalog has it.

use std::collections::BTreeMap;

use marketplace_proto::offercatalog::v1::{
    Asset, GetOfferTreeRequest, Offer, Page, Plan, get_offer_tree_response::Part,
};

use crate::api::Api;
use crate::error::Error;

/// Everything of an offer.
#[derive(Debug, Default)]
pub struct Draft {
    pub offer: Option<Offer>,
    pub pages: Vec<Page>,
    pub plans: Vec<Plan>,
    /// By resource name.
    pub assets: BTreeMap<String, Asset>,
}

impl Draft {
    /// The draft as it is now; empty if there is no such offer.
    pub async fn current(api: &Api, offer: &str) -> Result<Self, Error> {
        match Self::read(api, offer, "").await {
            Err(error) if error.is_not_found() => Ok(Self::default()),
            other => other,
        }
    }

    /// "" is the draft, else "preview", "live" or a snapshot's resource name.
    pub async fn read(api: &Api, offer: &str, version: &str) -> Result<Self, Error> {
        let request = GetOfferTreeRequest {
            name: offer.to_owned(),
            version: version.to_owned(),
        };
        let mut stream = api.stream(request).await?;
        let mut draft = Self::default();
        while let Some(message) = stream.message().await.map_err(|status| Error::Refused {
            rpc: "GetOfferTree",
            status: Box::new(status),
        })? {
            match message.part {
                Some(Part::Offer(offer)) => draft.offer = Some(offer),
                Some(Part::Page(page)) => draft.pages.push(page),
                Some(Part::Plan(plan)) => draft.plans.push(plan),
                Some(Part::Asset(asset)) => {
                    draft.assets.insert(asset.name.clone(), asset);
                }
                None => {}
            }
        }
        Ok(draft)
    }
}
