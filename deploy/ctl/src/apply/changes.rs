//! What has to be done to make a draft what its file says: only what differs.

use std::collections::BTreeMap;

use marketplace_proto::offercatalog::v1::{Offer, Plan};
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use serde_json::{Value as Json, json};

use super::assets::AssetFile;
use super::compare::{content, described, differences};
use super::draft::Draft;
use super::file::{OfferFile, PAGE, PageFile, PlanFile};
use crate::error::Problem;
use crate::names;
use crate::output::json::dynamic;
use crate::output::words;

/// The field of a plan's pricing that holds who may buy it.
pub const AUDIENCE: &str = "private_audience";

/// One thing to do; in the order in which it can be done.
#[derive(Debug)]
pub enum Change<'f> {
    CreateOffer,
    Upload(&'f AssetFile),
    CreatePlan(&'f PlanFile),
    RenamePlan {
        plan: Plan,
        from: String,
    },
    SavePage {
        page: &'f PageFile,
        /// The page, with the private audience that is saved where the file has none.
        message: DynamicMessage,
        etag: String,
        fields: Vec<String>,
        /// The fields for people.
        shown: Vec<String>,
    },
    DeletePlan(Plan),
}

/// Changes, and pages that are as they should be.
#[derive(Debug)]
pub struct Changes<'f> {
    pub list: Vec<Change<'f>>,
    pub unchanged: usize,
    /// What the file can't change, and what it doesn't mention.
    pub remarks: Vec<String>,
}

/// What differs between a file and a draft. With `prune` plans that the file doesn't have go; with `secrets` pages that
/// hold some are saved, since nobody can see whether they differ.
pub fn between<'f>(
    file: &'f OfferFile,
    draft: &Draft,
    prune: bool,
    secrets: bool,
) -> Result<Changes<'f>, Vec<Problem>> {
    let mut changes = Changes {
        list: Vec::new(),
        unchanged: 0,
        remarks: Vec::new(),
    };
    let mut wrong = Vec::new();
    wrong.extend(offer(file, draft.offer.as_ref(), &mut changes));
    uploads(file, draft, &mut changes, &mut wrong);
    plans(file, draft, prune, &mut changes, &mut wrong);
    if prune && !file.has_plans && !draft.plans.is_empty() {
        let text = "has no key `plans`: --prune deletes all plans only where it says `plans: []`";
        wrong.push(file.problem_at(0, text));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    for page in &file.pages {
        save(page, draft, &file.parent(page), secrets, &mut changes);
    }
    leftovers(file, draft, prune, &mut changes);
    Ok(changes)
}

impl OfferFile {
    /// What the file says of a plan of the draft.
    fn plan(&self, plan: &Plan) -> Option<&PlanFile> {
        let id = names::id(&plan.name);
        self.plans.iter().find(|wanted| wanted.id == id)
    }

    /// The resource name of what a page belongs to.
    pub fn parent(&self, page: &PageFile) -> String {
        if page.plan.is_empty() {
            self.offer.name()
        } else {
            self.offer.plan(&page.plan)
        }
    }
}

fn offer(file: &OfferFile, offer: Option<&Offer>, changes: &mut Changes<'_>) -> Option<Problem> {
    let Some(offer) = offer else {
        changes.list.push(Change::CreateOffer);
        return None;
    };
    if offer.offer_type != file.offer_type {
        let text = format!(
            "the offer is of type {}, which never changes",
            offer.offer_type
        );
        return Some(file.problem_at(file.offer_type_line, text));
    }
    if offer.alias != file.alias {
        changes.remarks.push(format!(
            "the alias stays {:?}: it is given once, when the offer is created",
            offer.alias
        ));
    }
    None
}

fn uploads<'f>(
    file: &'f OfferFile,
    draft: &Draft,
    changes: &mut Changes<'f>,
    wrong: &mut Vec<Problem>,
) {
    let mut seen = BTreeMap::new();
    for asset in file.pages.iter().flat_map(|page| &page.assets) {
        let stored = draft.assets.get(&file.offer.asset(&asset.id));
        let stored = stored.map(|stored| (stored.digest.as_str(), stored.kind()));
        let wanted = (asset.digest.as_str(), asset.kind);
        let taken = stored.or_else(|| seen.insert(&asset.id, wanted));
        match taken {
            None => changes.list.push(Change::Upload(asset)),
            Some(taken) if taken == wanted => {}
            Some(_) => wrong.push(file.problem_at(
                asset.line,
                format!(
                    "asset {} has another content or kind, and keeps it: give this file another id, or none",
                    asset.id
                ),
            )),
        }
    }
}

fn plans<'f>(
    file: &'f OfferFile,
    draft: &Draft,
    prune: bool,
    changes: &mut Changes<'f>,
    wrong: &mut Vec<Problem>,
) {
    let stays = |plan: &&Plan| file.plan(plan).is_none() && !prune;
    for (wanted, holder) in names_in_the_way(file, draft) {
        if stays(&holder) {
            let id = names::id(&holder.name);
            let text = format!(
                "plan {id}, which is not in the file, is called {:?}: --prune deletes it",
                holder.display_name
            );
            wrong.push(file.problem_at(wanted.line, text));
        } else {
            changes.list.push(Change::RenamePlan {
                plan: Plan {
                    display_name: format!("{} (makes way)", names::id(&holder.name)),
                    ..holder.clone()
                },
                from: holder.display_name.clone(),
            });
        }
    }
    for wanted in &file.plans {
        match draft
            .plans
            .iter()
            .find(|plan| names::id(&plan.name) == wanted.id)
        {
            None => changes.list.push(Change::CreatePlan(wanted)),
            Some(plan) if plan.subtype != wanted.subtype => {
                let text = format!(
                    "plan {} has the subtype {:?}, which never changes",
                    wanted.id, plan.subtype
                );
                wrong.push(file.problem_at(wanted.line, text));
            }
            Some(plan) if plan.display_name != wanted.display_name => {
                let renamed = Plan {
                    display_name: wanted.display_name.clone(),
                    ..plan.clone()
                };
                changes.list.push(Change::RenamePlan {
                    plan: renamed,
                    from: plan.display_name.clone(),
                });
            }
            Some(_) => {}
        }
    }
}

/// Plans of the draft that have a display name which another is to have: names are unique, also while they change hands.
fn names_in_the_way<'f, 'd>(
    file: &'f OfferFile,
    draft: &'d Draft,
) -> Vec<(&'f PlanFile, &'d Plan)> {
    let mut found = Vec::new();
    for wanted in &file.plans {
        let another = |plan: &&Plan| {
            plan.display_name == wanted.display_name && names::id(&plan.name) != wanted.id
        };
        let keeps = |plan: &&Plan| {
            file.plan(plan)
                .is_some_and(|same| same.display_name == plan.display_name)
        };
        // Two plans of the file that are called the same are the service's to refuse.
        let holder = draft.plans.iter().find(another).filter(|plan| !keeps(plan));
        found.extend(holder.map(|holder| (wanted, holder)));
    }
    found
}

fn save<'f>(
    page: &'f PageFile,
    draft: &Draft,
    parent: &str,
    secrets: bool,
    changes: &mut Changes<'f>,
) {
    let mut current = draft.pages.iter().filter(|saved| saved.parent == parent);
    let current = current.find_map(|saved| {
        let message = dynamic(PAGE, saved);
        message.has_field_by_name(&page.field).then_some((
            saved.etag.clone(),
            saved.save_time.is_some(),
            message,
        ))
    });
    let (etag, saved, current) = current.unwrap_or_else(|| {
        (
            String::new(),
            false,
            DynamicMessage::new(page.message.descriptor()),
        )
    });
    let current = content(&current, &page.field);
    let message = with_audience(page, &current, changes);
    let wanted = content(&message, &page.field);
    let fields = differences(wanted.clone(), current.clone(), secrets);
    let shown = fields.iter().map(|field| match saved {
        true => described(field, &wanted, &current),
        false => field.clone(),
    });
    let shown = shown.collect();
    if saved && fields.is_empty() {
        changes.unchanged += 1;
    } else {
        changes.list.push(Change::SavePage {
            page,
            message,
            etag,
            fields,
            shown,
        });
    }
}

/// The page as it is to be saved. A private audience that the file doesn't mention stays: it is long, it is often kept
/// elsewhere, and no snapshot has it.
fn with_audience(
    page: &PageFile,
    current: &DynamicMessage,
    changes: &mut Changes<'_>,
) -> DynamicMessage {
    let mut message = page.message.clone();
    let saved = current.get_field_by_name(AUDIENCE);
    let Some(Value::List(members)) = saved
        .as_deref()
        .filter(|_| !page.lines.contains_key(AUDIENCE))
    else {
        return message;
    };
    if members.is_empty() {
        return message;
    }
    changes.remarks.push(format!(
        "plan {} keeps its private audience of {} (`{AUDIENCE}: []` empties it)",
        page.plan,
        members.len()
    ));
    let mut content = content(&message, &page.field);
    content.set_field_by_name(AUDIENCE, Value::List(members.clone()));
    message.set_field_by_name(&page.field, Value::Message(content));
    message
}

fn leftovers<'f>(file: &'f OfferFile, draft: &Draft, prune: bool, changes: &mut Changes<'f>) {
    for plan in &draft.plans {
        let id = names::id(&plan.name);
        if file.plan(plan).is_some() {
            continue;
        }
        if prune {
            changes.list.push(Change::DeletePlan(plan.clone()));
        } else {
            changes.remarks.push(format!(
                "plan {id} is not in the file and stays (--prune deletes it)"
            ));
        }
    }
}

impl Change<'_> {
    /// What it is about, for sentences.
    pub fn what(&self) -> String {
        match self {
            Self::CreateOffer => "the offer:".to_owned(),
            Self::Upload(asset) => format!("{}:", asset.file_name),
            Self::CreatePlan(plan) => format!("plan {}:", plan.id),
            Self::RenamePlan { plan, .. } | Self::DeletePlan(plan) => {
                format!("plan {}:", names::id(&plan.name))
            }
            Self::SavePage { page, .. } if page.plan.is_empty() => format!("page {}:", page.field),
            Self::SavePage { page, .. } => format!("page {} of plan {}:", page.field, page.plan),
        }
    }

    /// Where the file asks for it.
    pub fn at(&self, file: &OfferFile) -> usize {
        match self {
            Self::CreateOffer => file.offer_line,
            Self::Upload(asset) => asset.line,
            Self::CreatePlan(plan) => plan.line,
            Self::RenamePlan { plan, .. } | Self::DeletePlan(plan) => {
                let id = names::id(&plan.name);
                let mut plans = file.plans.iter();
                plans.find(|plan| plan.id == id).map_or(0, |plan| plan.line)
            }
            Self::SavePage { page, .. } => page.line,
        }
    }

    /// A line for people: what is made (+), changed (~) or deleted (-).
    pub fn line(&self, file: &OfferFile) -> String {
        match self {
            Self::CreateOffer => format!("+ offer {} ({})", file.offer.name(), file.offer_type),
            Self::Upload(asset) => format!("+ asset {} ({})", asset.id, words::size(asset.size)),
            Self::CreatePlan(plan) => format!("+ plan {} ({})", plan.id, plan.display_name),
            Self::RenamePlan { plan, from } => {
                format!(
                    "~ plan {}: display name {:?}, was {from:?}",
                    names::id(&plan.name),
                    plan.display_name
                )
            }
            Self::SavePage { page, shown, .. } => {
                let plan = if page.plan.is_empty() {
                    String::new()
                } else {
                    format!(" of plan {}", page.plan)
                };
                let fields = if shown.is_empty() {
                    "saved for the first time".to_owned()
                } else {
                    shown.join(", ")
                };
                format!("~ page {}{plan}: {fields}", page.field)
            }
            Self::DeletePlan(plan) => format!("- plan {}", names::id(&plan.name)),
        }
    }

    /// The same for programs.
    pub fn json(&self, file: &OfferFile) -> Json {
        match self {
            Self::CreateOffer => {
                json!({"action": "create", "what": "offer", "name": file.offer.name()})
            }
            Self::Upload(asset) => {
                json!({"action": "create", "what": "asset", "name": file.offer.asset(&asset.id)})
            }
            Self::CreatePlan(plan) => {
                json!({"action": "create", "what": "plan", "name": file.offer.plan(&plan.id)})
            }
            Self::RenamePlan { plan, .. } => {
                json!({"action": "rename", "what": "plan", "name": plan.name})
            }
            Self::SavePage { page, fields, .. } => {
                json!({"action": "save", "what": "page", "name": page.field, "parent": file.parent(page), "fields": fields})
            }
            Self::DeletePlan(plan) => {
                json!({"action": "delete", "what": "plan", "name": plan.name})
            }
        }
    }
}

#[cfg(test)]
mod tests;
