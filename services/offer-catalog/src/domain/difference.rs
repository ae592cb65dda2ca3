//! How two contents of an offer differ (UP-2): by plan, page and field, down to the smallest part that is not the same.
//! Applying the differences from one content to it gives the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::snapshot::Content;
use crate::pages::PageId;

/// What became of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The first content has none.
    Added,
    /// The second content has none.
    Removed,
    /// It has another value.
    Edited,
    /// It is the same.
    Unchanged,
}

/// One part of an offer in two contents.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// The page that it is on; `None`: the offer's own fields, its files and versions of secrets. Fields of a plan
    /// itself are on the Plan overview.
    pub page: Option<PageId>,
    /// `None`: not of a plan.
    pub plan_id: Option<String>,
    /// `screenshots[1].caption`; empty: the page as a whole.
    pub path: String,
    /// What became of it.
    pub kind: Kind,
    /// In the first content.
    pub old: Option<Value>,
    /// In the second.
    pub new: Option<Value>,
}

impl Difference {
    /// Whether publishers are shown it: some pages are not compared (UP-2).
    pub fn is_offered(&self) -> bool {
        !matches!(
            self.page,
            Some(PageId::ResellThroughCsps | PageId::CoSell | PageId::SupplementalContent)
        )
    }
}

/// Where a document of a content stands: plan and page.
type Place = (Option<String>, Option<PageId>);

/// Every difference from `old` to `new`, and what is the same, as large as it is.
pub fn between(old: &Content, new: &Content) -> serde_json::Result<Vec<Difference>> {
    let (old, new) = (documents(old)?, documents(new)?);
    let places: BTreeSet<&Place> = old.keys().chain(new.keys()).collect();
    let mut found = Vec::new();
    for place in places {
        let (plan_id, page) = place;
        walk(String::new(), old.get(place), new.get(place), &mut |one| {
            found.push(Difference {
                page: *page,
                plan_id: plan_id.clone(),
                ..one
            });
        });
    }
    Ok(found)
}

/// A content as one document per page.
fn documents(content: &Content) -> serde_json::Result<BTreeMap<Place, Value>> {
    let mut assets = Map::new();
    for asset in &content.assets {
        let id = asset.name.rsplit('/').next().unwrap_or_default();
        assets.insert(id.to_owned(), serde_json::to_value(asset)?);
    }
    let own = json!({"alias": content.offer.alias, "assets": assets, "secrets": content.secrets});
    let mut documents = BTreeMap::from([((None, None), own)]);
    for page in content.pages.iter() {
        documents.insert((None, Some(page.id())), page.to_json()?);
    }
    for plan in &content.plans {
        let id = Some(plan.plan_id.clone());
        let mut own = json!({"display_name": plan.display_name, "stopped": plan.stopped});
        if !plan.subtype.is_empty() {
            own["subtype"] = plan.subtype.clone().into();
        }
        documents.insert((id.clone(), Some(PageId::PlanOverview)), own);
        for page in plan.pages.iter() {
            documents.insert((id.clone(), Some(page.id())), page.to_json()?);
        }
    }
    Ok(documents)
}

fn walk(path: String, old: Option<&Value>, new: Option<&Value>, note: &mut impl FnMut(Difference)) {
    let kind = match (old, new) {
        (None, None) => return,
        (None, Some(_)) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(old), Some(new)) if old == new => Kind::Unchanged,
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for key in keys {
                walk(member(&path, key), old.get(key), new.get(key), note);
            }
            return;
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) => {
            for at in 0..old.len().max(new.len()) {
                walk(format!("{path}[{at}]"), old.get(at), new.get(at), note);
            }
            return;
        }
        _ => Kind::Edited,
    };
    note(Difference {
        page: None,
        plan_id: None,
        path,
        kind,
        old: old.cloned(),
        new: new.cloned(),
    });
}

/// `page.field`, or `page["any.text"]` where the key is no field's name: ids of assets have dots.
fn member(path: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let mut path = path.to_owned();
    if key.is_empty() || !key.chars().all(plain) {
        // Writing to a String never fails.
        let _ = write!(path, "[{}]", Value::from(key));
        return path;
    }
    if !path.is_empty() {
        path.push('.');
    }
    path + key
}

#[cfg(test)]
mod tests;
