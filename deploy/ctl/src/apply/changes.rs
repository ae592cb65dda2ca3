//! What has to be done to make a draft what its file says: only what differs.

use std::collections::{BTreeMap, BTreeSet};

use marketplace_proto::offercatalog::v1::{Asset, Offer, Page, Plan};
use prost_reflect::{DynamicMessage, ReflectMessage};
use serde_json::{Value as Json, json};

use super::assets::AssetFile;
use super::compare::{content, differences};
use super::file::{OfferFile, PAGE, PageFile, PlanFile};
use crate::error::Problem;
use crate::names;
use crate::output::json::dynamic;
use crate::output::words;

/// A draft as the catalog has it.
#[derive(Debug, Default)]
pub struct Draft {
    pub offer: Option<Offer>,
    pub pages: Vec<Page>,
    pub plans: Vec<Plan>,
    pub assets: BTreeMap<String, Asset>,
}

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
        etag: String,
        fields: Vec<String>,
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
) -> Result<Changes<'f>, Problem> {
    let mut changes = Changes {
        list: Vec::new(),
        unchanged: 0,
        remarks: Vec::new(),
    };
    offer(file, draft.offer.as_ref(), &mut changes)?;
    uploads(file, draft, &mut changes);
    plans(file, draft, &mut changes);
    for page in &file.pages {
        save(page, draft, &file.parent(page), secrets, &mut changes);
    }
    leftovers(file, draft, prune, &mut changes);
    Ok(changes)
}

impl OfferFile {
    /// The resource name of what a page belongs to.
    pub fn parent(&self, page: &PageFile) -> String {
        if page.plan.is_empty() {
            self.offer.name()
        } else {
            self.offer.plan(&page.plan)
        }
    }
}

fn offer(
    file: &OfferFile,
    offer: Option<&Offer>,
    changes: &mut Changes<'_>,
) -> Result<(), Problem> {
    let Some(offer) = offer else {
        changes.list.push(Change::CreateOffer);
        return Ok(());
    };
    if offer.offer_type != file.offer_type {
        let text = format!(
            "the offer is of type {}, which never changes",
            offer.offer_type
        );
        return Err(Problem {
            file: file.file.clone(),
            line: file.offer_type_line,
            text,
        });
    }
    if offer.alias != file.alias {
        changes.remarks.push(format!(
            "the alias stays {:?}: it is given once, when the offer is created",
            offer.alias
        ));
    }
    Ok(())
}

fn uploads<'f>(file: &'f OfferFile, draft: &Draft, changes: &mut Changes<'f>) {
    let mut seen = BTreeSet::new();
    for asset in file.pages.iter().flat_map(|page| &page.assets) {
        let there = draft
            .assets
            .get(&file.offer.asset(&asset.id))
            .is_some_and(|stored| stored.digest == asset.digest);
        if !there && seen.insert(&asset.id) {
            changes.list.push(Change::Upload(asset));
        }
    }
}

fn plans<'f>(file: &'f OfferFile, draft: &Draft, changes: &mut Changes<'f>) {
    for wanted in &file.plans {
        match draft
            .plans
            .iter()
            .find(|plan| names::id(&plan.name) == wanted.id)
        {
            None => changes.list.push(Change::CreatePlan(wanted)),
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
    let fields = differences(
        content(&page.message, &page.field),
        content(&current, &page.field),
        secrets,
    );
    if saved && fields.is_empty() {
        changes.unchanged += 1;
    } else {
        changes.list.push(Change::SavePage { page, etag, fields });
    }
}

fn leftovers<'f>(file: &'f OfferFile, draft: &Draft, prune: bool, changes: &mut Changes<'f>) {
    for plan in &draft.plans {
        let id = names::id(&plan.name);
        if file.plans.iter().any(|wanted| wanted.id == id) {
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
    /// A line for people: what is made (+), changed (~) or deleted (-).
    pub fn line(&self, file: &OfferFile) -> String {
        match self {
            Self::CreateOffer => format!("+ offer {} ({})", file.offer.name(), file.offer_type),
            Self::Upload(asset) => format!(
                "+ asset {} ({})",
                asset.id,
                words::size(asset.content.len())
            ),
            Self::CreatePlan(plan) => format!("+ plan {} ({})", plan.id, plan.display_name),
            Self::RenamePlan { plan, from } => {
                format!(
                    "~ plan {}: display name {:?}, was {from:?}",
                    names::id(&plan.name),
                    plan.display_name
                )
            }
            Self::SavePage { page, fields, .. } => {
                let plan = if page.plan.is_empty() {
                    String::new()
                } else {
                    format!(" of plan {}", page.plan)
                };
                let fields = if fields.is_empty() {
                    "saved for the first time".to_owned()
                } else {
                    fields.join(", ")
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
mod tests {
    use super::*;

    const FILE: &str = "publisher: contoso\noffer: grafana\noffer_type: softwareAsAService\nalias: G\npages:\n  offer_listing:\n    \
        title: Grafana\n    keywords: [a, b]\n  offer_setup:\n    selling: LIST_AND_SELL\n    lead_destination:\n      \
        table: {connection_string: hush}\nplans:\n  - plan_id: team\n    display_name: Team\n    pages:\n      plan_listing: \
        {description: For teams}\n";

    fn file(name: &str) -> OfferFile {
        let path = std::env::temp_dir().join(format!(
            "marketctl-changes-{}-{name}.yaml",
            std::process::id()
        ));
        std::fs::write(&path, FILE).unwrap();
        let file = OfferFile::load(&path, None, &|_| None).unwrap();
        std::fs::remove_file(&path).unwrap();
        file
    }

    fn lines(file: &OfferFile, draft: &Draft, prune: bool, secrets: bool) -> Vec<String> {
        let changes = between(file, draft, prune, secrets).unwrap();
        changes
            .list
            .iter()
            .map(|change| change.line(file))
            .chain(changes.remarks)
            .collect()
    }

    /// The draft that a first apply leaves behind.
    fn applied(file: &OfferFile) -> Draft {
        let offer = Offer {
            name: file.offer.name(),
            offer_type: file.offer_type.clone(),
            alias: "G".into(),
            ..Offer::default()
        };
        let pages = file.pages.iter().map(|page| Page {
            parent: file.parent(page),
            etag: "3".into(),
            save_time: Some(prost_types::Timestamp::default()),
            ..page.message.transcode_to::<Page>().unwrap()
        });
        let plan = Plan {
            name: file.offer.plan("team"),
            display_name: "Team".into(),
            ..Plan::default()
        };
        Draft {
            offer: Some(offer),
            pages: pages.collect(),
            plans: vec![plan],
            assets: BTreeMap::new(),
        }
    }

    #[test]
    fn a_new_offer_is_made_whole() {
        let file = file("new");
        let wanted = [
            "+ offer publishers/contoso/offers/grafana (softwareAsAService)",
            "+ plan team (Team)",
            "~ page offer_listing: title, keywords",
            "~ page offer_setup: selling, lead_destination",
            "~ page plan_listing of plan team: description",
        ];
        assert_eq!(lines(&file, &Draft::default(), false, false), wanted);
    }

    #[test]
    fn a_second_apply_changes_nothing() {
        let file = file("again");
        let changes = between(&file, &applied(&file), false, false).unwrap();
        assert!(changes.list.is_empty(), "{changes:?}");
        assert_eq!((changes.unchanged, changes.remarks.len()), (3, 0));
    }

    #[test]
    fn only_the_page_that_differs_is_saved_with_its_etag() {
        use marketplace_proto::offercatalog::v1::page;
        let file = file("one");
        let mut draft = applied(&file);
        for saved in &mut draft.pages {
            if let Some(page::Page::OfferListing(listing)) = &mut saved.page {
                listing.keywords.pop();
                listing.summary = "old".into();
            }
        }
        let changes = between(&file, &draft, false, false).unwrap();
        let [Change::SavePage { etag, fields, .. }] = changes.list.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!(
            (etag.as_str(), fields.join(",").as_str()),
            ("3", "summary,keywords")
        );
    }

    #[test]
    fn a_masked_secret_is_as_good_as_equal_unless_asked() {
        use marketplace_proto::offercatalog::v1::{lead_destination::Destination, page};
        let file = file("secret");
        let mut draft = applied(&file);
        for saved in &mut draft.pages {
            if let Some(page::Page::OfferSetup(setup)) = &mut saved.page
                && let Some(Destination::Table(table)) =
                    &mut setup.lead_destination.as_mut().unwrap().destination
            {
                table.connection_string = crate::apply::compare::MASK.into();
            }
        }
        assert!(lines(&file, &draft, false, false).is_empty());
        assert_eq!(
            lines(&file, &draft, false, true),
            ["~ page offer_setup: lead_destination"]
        );
    }

    #[test]
    fn plans_are_renamed_and_leftovers_go_only_when_asked() {
        let file = file("plans");
        let mut draft = applied(&file);
        draft.plans[0].display_name = "Crew".into();
        draft.plans.push(Plan {
            name: file.offer.plan("old"),
            ..Plan::default()
        });
        let rename = "~ plan team: display name \"Team\", was \"Crew\"";
        assert_eq!(
            lines(&file, &draft, false, false),
            [
                rename,
                "plan old is not in the file and stays (--prune deletes it)"
            ]
        );
        assert_eq!(lines(&file, &draft, true, false), [rename, "- plan old"]);
    }

    #[test]
    fn another_type_is_refused_at_its_line() {
        let file = file("type");
        let mut draft = applied(&file);
        draft.offer.as_mut().unwrap().offer_type = "azureContainer".into();
        assert_eq!(between(&file, &draft, false, false).unwrap_err().line, 3);
    }
}
