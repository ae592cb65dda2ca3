//! Makes the changes, in their order. What is refused of one file, plan or page keeps only what needs it from being
//! made; all refusals are told at the end, each with its line.

use marketplace_proto::offercatalog::v1::{
    CreateOfferRequest, CreatePlanRequest, DeletePlanRequest, Page, UpdatePageRequest,
    UpdatePlanRequest,
};
use prost_reflect::DynamicMessage;

use super::changes::Change;
use super::file::{OfferFile, PageFile};
use super::review;
use crate::api::{Api, request_id};
use crate::error::{Error, Problem};
use crate::names;

/// What was refused so far.
#[derive(Default)]
struct Refused<'f> {
    assets: Vec<&'f str>,
    plans: Vec<&'f str>,
    problems: Vec<Problem>,
}

pub async fn all(api: &Api, file: &OfferFile, changes: &[Change<'_>]) -> Result<(), Error> {
    let mut refused = Refused::default();
    for change in changes {
        if refused.concerns(change) {
            continue;
        }
        let Err(error) = one(api, file, change).await else {
            continue;
        };
        match (change, review::located(file, change, error)) {
            (Change::CreateOffer, error) | (_, error @ Error::Refused { .. }) => return Err(error),
            (_, Error::Files(problems)) => refused.note(change, problems),
            (_, error) => return Err(error),
        }
    }
    if refused.problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Files(refused.problems))
    }
}

impl<'f> Refused<'f> {
    /// Whether a change needs what was refused.
    fn concerns(&self, change: &Change<'_>) -> bool {
        match change {
            Change::SavePage { page, .. } => {
                let mut assets = page.assets.iter();
                self.plans.contains(&page.plan.as_str())
                    || assets.any(|asset| self.assets.contains(&asset.id.as_str()))
            }
            _ => false,
        }
    }

    fn note(&mut self, change: &Change<'f>, problems: Vec<Problem>) {
        self.problems.extend(problems);
        match change {
            Change::Upload(asset) => self.assets.push(&asset.id),
            Change::CreatePlan(plan) => self.plans.push(&plan.id),
            _ => {}
        }
    }
}

async fn one(api: &Api, file: &OfferFile, change: &Change<'_>) -> Result<(), Error> {
    match change {
        Change::CreateOffer => create_offer(api, file).await,
        Change::Upload(asset) => asset.upload(api, &file.offer.name()).await,
        Change::CreatePlan(plan) => {
            let request = CreatePlanRequest {
                parent: file.offer.name(),
                plan_id: plan.id.clone(),
                display_name: plan.display_name.clone(),
                subtype: plan.subtype.clone(),
                request_id: request_id(),
            };
            api.call(request).await.map(|_| ())
        }
        Change::RenamePlan { plan, .. } => {
            let request = UpdatePlanRequest {
                plan: Some(plan.clone()),
                request_id: request_id(),
            };
            api.call(request).await.map(|_| ())
        }
        Change::SavePage {
            page,
            message,
            etag,
            ..
        } => save_page(api, file, page, message, etag).await,
        Change::DeletePlan(plan) => {
            let request = DeletePlanRequest {
                name: plan.name.clone(),
                etag: plan.etag.clone(),
                request_id: request_id(),
            };
            api.call(request).await.map(|_| ())
        }
    }
}

async fn create_offer(api: &Api, file: &OfferFile) -> Result<(), Error> {
    let request = CreateOfferRequest {
        parent: names::publisher(&file.offer.publisher),
        offer_id: file.offer.id.clone(),
        offer_type: file.offer_type.clone(),
        alias: file.alias.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    api.call(request).await.map(|_| ())
}

async fn save_page(
    api: &Api,
    file: &OfferFile,
    page: &PageFile,
    message: &DynamicMessage,
    etag: &str,
) -> Result<(), Error> {
    let message: Page = message
        .transcode_to()
        .map_err(|e| Error::usage(format!("{}: {e}", page.field)))?;
    let message = Page {
        parent: file.parent(page),
        ..message
    };
    let request = UpdatePageRequest {
        page: Some(message),
        etag: etag.to_owned(),
        request_id: request_id(),
    };
    api.call(request).await.map(|_| ())
}
