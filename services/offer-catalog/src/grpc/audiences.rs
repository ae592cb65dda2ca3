//! The RPCs of PlanService about saved private audiences; `plans.rs` implements the service and calls these.

use std::collections::HashSet;

use marketplace_messaging::Work;
use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::import_private_audience_request::Part;
use marketplace_runtime::access::{Permission, Scope};
use marketplace_runtime::identity::open;
use marketplace_runtime::ids::PlanName;
use marketplace_runtime::paging::{self, Fingerprint};
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status, Streaming};

use super::parts::Parts;
use super::plans::Plans;
use super::{invalid, now, once};
use crate::commands::pages::{self as commands, NewSecret, SavePage, etag};
use crate::error::Error;
use crate::pages::{AudienceMember, Page, PageId, PlanPricing, audience_file};
use crate::store::pages::{Loaded, Selection};
use crate::wire::audiences::{Import, Mode};
use crate::{store, wire};

/// The largest file: 30,000 rows of any length that people write.
const MOST_BYTES: usize = 8 * 1024 * 1024;

pub(super) async fn import(
    plans: &Plans,
    request: Request<Streaming<pb::ImportPrivateAudienceRequest>>,
) -> Result<Response<pb::ImportPrivateAudienceResponse>, Status> {
    let catalog = &plans.0;
    let (caller, parts) = open(request)?;
    let mut parts = Parts::of(parts, catalog.intake.limits());
    let head = parts.head().await?;
    let import = wire::audiences::import(&head).map_err(invalid)?;
    let scope = plans
        .before(&caller, Permission::Publish, &import.plan)
        .await?;
    // Decided before the file is taken in; again with the rows.
    let mut db = catalog.db.acquire().await.map_err(Error::from)?;
    let loaded = load_page(&mut db, &scope, &import.plan).await?;
    drop(db);
    let _place = catalog
        .intake
        .place(&import.plan.publisher)
        .map_err(Error::from)?;
    let file = parts.file().await?;
    // What the request was is known only now: its head and its content.
    let whole = [head.encode_to_vec(), Sha256::digest(&file).to_vec()].concat();
    let whole = pb::ImportPrivateAudienceRequest {
        part: Some(Part::Chunk(whole)),
    };
    let once = once(&caller, "ImportPrivateAudience", &head.request_id, &whole)?;

    let kinds = loaded.draft.offer_type.private_audience_kinds.clone();
    let read = tokio::task::spawn_blocking(move || audience_file::read(&file, &kinds)).await;
    let read = match read.map_err(|error| Error::from(std::io::Error::other(error)))? {
        Ok(members) => members,
        Err(faults) if head.validate_only => {
            let issues = faults.iter().map(wire::audiences::issue).collect();
            let answer = pb::ImportPrivateAudienceResponse {
                issues,
                ..Default::default()
            };
            return Ok(Response::new(answer));
        }
        Err(faults) => {
            let wrong: Vec<_> = faults.iter().map(wire::audiences::violation).collect();
            return Err(invalid(wrong));
        }
    };
    if head.validate_only {
        let (_, counts) = merged(loaded, &import, read)?;
        return Ok(Response::new(counts));
    }
    let command = async |mut db: Work| {
        // Read anew: what is refused here may be a repeat of what was done.
        let loaded = load_page(&mut db, &scope, &import.plan).await?;
        let (save, counts) = merged(loaded, &import, read.clone())?;
        let saved = commands::save(&mut db, &catalog.keys, &scope, &save, now()).await?;
        let answer = pb::ImportPrivateAudienceResponse {
            page_etag: etag(saved.revision),
            offer_etag: saved.offer_revision.to_string(),
            ..counts
        };
        Ok((db, answer))
    };
    catalog.write(&scope, once, command).await
}

pub(super) async fn list(
    plans: &Plans,
    request: Request<pb::ListPrivateAudienceRequest>,
) -> Result<Response<pb::ListPrivateAudienceResponse>, Status> {
    let catalog = &plans.0;
    let (caller, request) = open(request)?;
    let plan = PlanName::parse(&request.parent, "parent").map_err(invalid)?;
    let filters = Fingerprint::of("ListPrivateAudience", &request.parent);
    let size = paging::page_size(request.page_size).map_err(invalid)?;
    let token: Option<(i64, i64)> =
        paging::decode(&request.page_token, filters).map_err(invalid)?;
    let scope = plans.before(&caller, Permission::ReadOffer, &plan).await?;
    let mut db = catalog.db.read().await.map_err(Error::from)?;
    let found = store::plans::get(&mut db, &scope, &plan, now()).await?;
    let (_, standing) = found.ok_or_else(|| Error::not_found("Plan", &plan))?;
    scope.settle(&standing)?;
    let from = token.map_or(0, |(_, from)| from);
    let part = store::pages::audience_part(&mut db, &plan, from, size).await?;
    if token.is_some_and(|(revision, _)| revision != part.revision) {
        // The rest would be of another audience.
        let current = etag(part.revision);
        return Err(Error::StaleEtag { current }.into());
    }
    let next = from.saturating_add(size);
    let next_page_token = match next < part.total {
        true => paging::encode(&(part.revision, next), filters),
        false => String::new(),
    };
    Ok(Response::new(pb::ListPrivateAudienceResponse {
        members: wire::pages::members(&part.members),
        next_page_token,
        total: i32::try_from(part.total).unwrap_or(i32::MAX),
        etag: etag(part.revision),
    }))
}

/// The plan's page Pricing and availability, with the members of its audience.
async fn load_page(
    db: &mut sqlx::PgConnection,
    scope: &Scope,
    plan: &PlanName,
) -> Result<Loaded, Error> {
    let selection = Selection {
        pages: Some(vec![]),
        plan_page: Some((&plan.plan, PageId::PlanPricing)),
        assets: false,
        application: None,
    };
    let found = store::pages::load(db, scope, &plan.parent(), &selection, now()).await?;
    let has = |loaded: &Loaded| {
        let mut plans = loaded.draft.plans.iter();
        plans.any(|known| known.plan_id == plan.plan)
    };
    let found = found.map(|(loaded, _)| loaded).filter(has);
    found.ok_or_else(|| Error::not_found("Plan", plan))
}

/// The page with the audience that it is to have.
fn merged(
    loaded: Loaded,
    import: &Import,
    read: Vec<AudienceMember>,
) -> Result<(SavePage, pb::ImportPrivateAudienceResponse), Error> {
    let plan_id = &import.plan.plan;
    let saved = loaded.saved(PageId::PlanPricing, plan_id);
    let current = saved.map_or(0, |saved| saved.revision);
    if current != import.etag {
        return Err(Error::StaleEtag {
            current: etag(current),
        });
    }
    let mut pricing = match loaded.page(PageId::PlanPricing, plan_id) {
        Some(Page::PlanPricing(pricing)) => pricing,
        _ => PlanPricing::default(),
    };
    let key = |member: &AudienceMember| (member.kind, member.id.to_lowercase());
    let before: HashSet<_> = pricing.private_audience.iter().map(key).collect();
    let new = read.iter().filter(|member| !before.contains(&key(member)));
    let added = new.clone().count();
    match import.mode {
        Mode::Add => pricing.private_audience.extend(new.cloned()),
        Mode::Replace => pricing.private_audience = read,
    }
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let counts = pb::ImportPrivateAudienceResponse {
        members: count(pricing.private_audience.len()),
        added: count(added),
        ..Default::default()
    };
    let page = Page::PlanPricing(pricing);
    let save = SavePage {
        offer: import.plan.parent(),
        plan: Some(plan_id.clone()),
        content: page.to_json().map_err(Error::corrupt)?,
        page,
        secret: NewSecret::None,
        etag: import.etag,
    };
    Ok((save, counts))
}

impl Parts<pb::ImportPrivateAudienceRequest> {
    async fn part(&mut self) -> Result<Option<Part>, Status> {
        match self.next().await? {
            None => Ok(None),
            Some(pb::ImportPrivateAudienceRequest { part: Some(part) }) => Ok(Some(part)),
            Some(_) => Err(bad_part("a message is empty")),
        }
    }

    async fn head(&mut self) -> Result<pb::ImportPrivateAudienceHead, Status> {
        match self.part().await? {
            Some(Part::Head(head)) => Ok(head),
            _ => Err(bad_part("the first message must be the head")),
        }
    }

    async fn file(&mut self) -> Result<Vec<u8>, Status> {
        let mut file = Vec::new();
        while let Some(part) = self.part().await? {
            let Part::Chunk(chunk) = part else {
                return Err(bad_part("there is one head only"));
            };
            if file.len() + chunk.len() > MOST_BYTES {
                return Err(bad_part(format!(
                    "the file has more than {MOST_BYTES} bytes"
                )));
            }
            file.extend_from_slice(&chunk);
        }
        Ok(file)
    }
}

fn bad_part(why: impl Into<String>) -> Status {
    invalid(wire::audiences::bad_part(why))
}
