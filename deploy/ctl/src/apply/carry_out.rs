//! Makes the changes, in their order. What is refused of one file, plan or page keeps only what needs it from being
//! made; all refusals are told, each with its line. It ends only where nothing else would be answered either.

use std::collections::BTreeMap;

use marketplace_proto::offercatalog::v1::{
    CreateOfferRequest, CreatePlanRequest, DeletePlanRequest, Page, UpdatePageRequest,
    UpdatePlanRequest,
};
use prost_reflect::DynamicMessage;
use tonic_types::StatusExt;

use super::changes::Change;
use super::file::{OfferFile, PageFile};
use super::review;
use crate::api::{Api, request_id};
use crate::error::{Error, Problem};
use crate::names;

/// What came of the changes to an offer.
#[derive(Default)]
pub struct Outcome {
    pub made: usize,
    /// Everything that was refused.
    pub problems: Vec<Problem>,
    /// What was not tried because of that.
    pub remarks: Vec<String>,
    /// Why the rest was not even tried.
    pub stopped: Option<Error>,
    /// Whether there is no offer to change.
    pub no_offer: bool,
    assets: Vec<String>,
    plans: Vec<String>,
    /// Of plans that were changed here, by name: those that were read are stale.
    etags: BTreeMap<String, String>,
}

pub async fn all(api: &Api, file: &OfferFile, changes: &[Change<'_>]) -> Outcome {
    let mut outcome = Outcome::default();
    for change in changes {
        if outcome.concerns(change) {
            let what = change.what();
            let remark = format!("{what} not tried, since something was refused before");
            outcome.remarks.push(remark);
            continue;
        }
        match one(api, file, change, &mut outcome.etags).await {
            Ok(()) => outcome.made += 1,
            Err(error) if stays(change, &error) => {
                let remark = format!(
                    "{} stays: it was published or is being published",
                    change.what()
                );
                outcome.remarks.push(remark);
            }
            Err(error) => outcome.note(change, review::located(file, change, error)),
        }
        if outcome.stopped.is_some() {
            break;
        }
    }
    outcome
}

impl Outcome {
    /// Whether a change needs what was refused. Nothing is deleted after a refusal: what should take its place may not
    /// be there.
    fn concerns(&self, change: &Change<'_>) -> bool {
        self.no_offer
            || match change {
                Change::SavePage { page, .. } => {
                    let mut assets = page.assets.iter();
                    self.plans.contains(&page.plan)
                        || assets.any(|asset| self.assets.contains(&asset.id))
                }
                Change::DeletePlan(_) => !self.problems.is_empty(),
                _ => false,
            }
    }

    fn note(&mut self, change: &Change<'_>, refusal: Result<Vec<Problem>, Error>) {
        match refusal {
            Ok(problems) => self.problems.extend(problems),
            Err(error) => self.stopped = Some(error),
        }
        match change {
            Change::CreateOffer => self.no_offer = true,
            Change::Upload(asset) => self.assets.push(asset.id.clone()),
            Change::CreatePlan(plan) => self.plans.push(plan.id.clone()),
            _ => {}
        }
    }
}

/// Whether a plan can't be deleted for what it was: a stop takes it out of the marketplace, nothing takes it away. That
/// holds nothing else back.
fn stays(change: &Change<'_>, error: &Error) -> bool {
    let info = error
        .refusal()
        .and_then(|status| status.get_details_error_info());
    matches!(change, Change::DeletePlan(_)) && info.is_some_and(|info| info.reason == "PLAN_FROZEN")
}

async fn one(
    api: &Api,
    file: &OfferFile,
    change: &Change<'_>,
    etags: &mut BTreeMap<String, String>,
) -> Result<(), Error> {
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
            let mut plan = plan.clone();
            if let Some(etag) = etags.get(&plan.name) {
                plan.etag.clone_from(etag);
            }
            let request = UpdatePlanRequest {
                plan: Some(plan),
                request_id: request_id(),
            };
            let renamed = api.call(request).await?.plan.unwrap_or_default();
            etags.insert(renamed.name, renamed.etag);
            Ok(())
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
                etag: etags.get(&plan.name).unwrap_or(&plan.etag).clone(),
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

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use marketplace_proto::offercatalog::v1::Plan;
    use tonic::{Code, Status};
    use tonic_types::ErrorDetails;

    use super::*;
    use crate::api::Service;

    #[test]
    fn t04_a_plan_that_was_published_holds_no_other_deletion_back() {
        let mut details = ErrorDetails::new();
        details.set_error_info("PLAN_FROZEN", "marketplace.offercatalog.v1", HashMap::new());
        let status = Status::with_error_details(Code::FailedPrecondition, "frozen", details);
        let refused = Error::status("DeletePlan", Service::Catalog, "", status);
        assert!(stays(&Change::DeletePlan(Plan::default()), &refused));
        assert!(!stays(&Change::CreateOffer, &refused));
        let other = Status::failed_precondition("something else");
        let other = Error::status("DeletePlan", Service::Catalog, "", other);
        assert!(!stays(&Change::DeletePlan(Plan::default()), &other));
    }

    #[test]
    fn after_a_refusal_nothing_is_deleted() {
        let delete = Change::DeletePlan(Plan::default());
        let mut outcome = Outcome::default();
        assert!(!outcome.concerns(&delete));
        let rename = Change::RenamePlan {
            plan: Plan::default(),
            from: String::new(),
        };
        let problem = Problem {
            file: "offer.yaml".into(),
            line: 3,
            text: "no".into(),
        };
        outcome.note(&rename, Ok(vec![problem]));
        assert!(outcome.concerns(&delete) && !outcome.concerns(&rename));
        outcome.note(&Change::CreateOffer, Ok(vec![]));
        assert!(outcome.concerns(&rename));
    }
}
