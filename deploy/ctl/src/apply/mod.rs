//! `marketctl apply`: makes the drafts of offers what files say, and only touches what differs.
//!
//! - [`tree`] a YAML file with its lines, [`mapping`] from there to protobuf
//! - [`file`] what an offer's file holds, [`reading`] its parts, [`assets`] its pictures and documents
//! - [`changes`] what has to be done, [`compare`] which fields differ, [`review`] what is still missing, with its line

mod assets;
mod changes;
mod compare;
pub mod file;
mod mapping;
mod reading;
mod review;
mod tree;

use std::path::PathBuf;

use clap::Args;
use marketplace_proto::offercatalog::v1::{
    CreateOfferRequest, CreatePlanRequest, DeletePlanRequest, GetOfferTreeRequest, Page,
    UpdatePageRequest, UpdatePlanRequest, get_offer_tree_response::Part,
};
use serde_json::json;

use crate::api::{Api, request_id};
use crate::config::{self, Session};
use crate::error::Error;
use crate::names;
use crate::output::{Output, words};
use changes::{Change, Changes, Draft};
use file::OfferFile;

#[derive(Args)]
pub struct ApplyArgs {
    /// An offer's file, its folder, or a folder of such folders.
    #[arg(short, long, value_name = "DIR|FILE")]
    pub file: PathBuf,
    /// Show what would change and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Delete draft plans that the file doesn't have.
    #[arg(long)]
    pub prune: bool,
    /// Save pages that hold secrets even if nothing else in them differs.
    #[arg(long)]
    pub secrets: bool,
}

/// Applies every offer that is found, after all files were read.
pub async fn run(session: &Session, args: ApplyArgs, out: &mut Output) -> Result<(), Error> {
    for file in load(&args.file, session.publisher())? {
        let draft = draft(&session.api, &file.offer.name()).await?;
        let changes = changes::between(&file, &draft, args.prune, args.secrets)
            .map_err(|p| Error::Files(vec![p]))?;
        out.say(format!("{}:", file.offer.name()))?;
        for change in &changes.list {
            if !args.dry_run {
                carry_out(&session.api, &file, change).await?;
            }
            out.say(format!("  {}", change.line(&file)))?;
        }
        for remark in &changes.remarks {
            out.say(format!("  note: {remark}"))?;
        }
        out.say(format!("  {}", summary(&changes, args.dry_run)))?;
        // A dry run of a new offer has nothing to review.
        let review = if args.dry_run {
            None
        } else {
            Some(review::run(&session.api, &file).await?)
        };
        if let Some(review) = &review {
            review.print(out)?;
        }
        let list: Vec<_> = changes
            .list
            .iter()
            .map(|change| change.json(&file))
            .collect();
        out.json(&json!({
            "offer": file.offer.name(), "dry_run": args.dry_run, "changes": list, "unchanged_pages": changes.unchanged,
            "remarks": changes.remarks, "review": review.map(|review| review.json()),
        }))?;
    }
    Ok(())
}

/// Reads all files, or says everything that is wrong with any.
pub fn load(path: &std::path::Path, publisher: Option<&str>) -> Result<Vec<OfferFile>, Error> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in file::find(path)? {
        match OfferFile::load(&path, publisher, &config::variable) {
            Ok(file) => files.push(file),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(Error::Files(problems))
    }
}

fn summary(changes: &Changes<'_>, dry_run: bool) -> String {
    let number = words::count(changes.list.len(), "change");
    let unchanged = words::count(changes.unchanged, "page");
    match (changes.list.is_empty(), dry_run) {
        (true, _) => format!("nothing to change; {unchanged} as in the file"),
        (false, true) => {
            format!("{number} to make; {unchanged} as in the file (dry run: nothing was changed)")
        }
        (false, false) => format!("{number} made; {unchanged} were as in the file"),
    }
}

/// The draft as it is now; empty if there is no such offer.
async fn draft(api: &Api, offer: &str) -> Result<Draft, Error> {
    let mut draft = Draft::default();
    let stream = api
        .stream(GetOfferTreeRequest {
            name: offer.to_owned(),
            version: String::new(),
        })
        .await;
    let mut stream = match stream {
        Err(error) if error.is_not_found() => return Ok(draft),
        other => other?,
    };
    loop {
        match stream.message().await {
            Ok(Some(message)) => match message.part {
                Some(Part::Offer(offer)) => draft.offer = Some(offer),
                Some(Part::Page(page)) => draft.pages.push(page),
                Some(Part::Plan(plan)) => draft.plans.push(plan),
                None => {}
            },
            Ok(None) => break,
            Err(status) if status.code() == tonic::Code::NotFound => return Ok(Draft::default()),
            Err(status) => {
                return Err(Error::Refused {
                    rpc: "GetOfferTree",
                    status: Box::new(status),
                });
            }
        }
    }
    draft.assets = assets::stored(api, offer).await?;
    Ok(draft)
}

async fn carry_out(api: &Api, file: &OfferFile, change: &Change<'_>) -> Result<(), Error> {
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
        Change::SavePage { page, etag, .. } => save_page(api, file, page, etag).await,
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
    page: &file::PageFile,
    etag: &str,
) -> Result<(), Error> {
    let message: Page = page
        .message
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
    match api.call(request).await {
        Ok(_) => Ok(()),
        Err(error) => Err(review::located(file, page, error)),
    }
}
