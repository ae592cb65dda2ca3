//! The rows that a listing is served from: a snapshot taken apart, so that each part can be read alone, and put together
//! again for the comparison of PB-1.

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use uuid::Uuid;

use super::deprecation::Deprecation;
use super::price_change::PriceChange;

/// What a listing is served as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Materialised, served to nobody.
    Prepared,
    /// Served to whoever holds the link.
    Preview,
    /// Served to customers.
    Live,
}

impl Stage {
    /// As it is stored.
    pub const fn as_str(self) -> &'static str {
        match self {
            Stage::Prepared => "prepared",
            Stage::Preview => "preview",
            Stage::Live => "live",
        }
    }

    /// As it is stored.
    pub fn parse(text: &str) -> Option<Self> {
        [Stage::Prepared, Stage::Preview, Stage::Live]
            .into_iter()
            .find(|stage| stage.as_str() == text)
    }
}

/// A listing without its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub id: Uuid,
    pub offer_uid: Uuid,
    pub submission: Uuid,
    pub digest: String,
    pub stage: Stage,
    /// Version of the preview audience that counts.
    pub preview_audience: i64,
    pub served_since: Option<OffsetDateTime>,
    /// For customers: who offers it.
    pub publisher: String,
    pub publisher_display_name: String,
    /// What customers of a live listing pay instead of what it says, and until when (UP-10).
    pub price_changes: Vec<PriceChange>,
    /// Set where it is live and about to leave (UP-7).
    pub deprecation: Option<Deprecation>,
}

/// The parts of a snapshot, as they are stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    pub format: i32,
    pub offer: Value,
    /// Null where the snapshot has none.
    pub secrets: Value,
    pub pages: Vec<PageRow>,
    pub plans: Vec<PlanRow>,
    pub assets: Vec<AssetRow>,
}

/// A page; `plan_id` is empty for pages of the offer.
#[derive(Debug, Clone, PartialEq)]
pub struct PageRow {
    pub plan_id: String,
    pub page: String,
    pub content: Value,
}

/// A plan without its pages.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanRow {
    pub plan_id: String,
    pub content: Value,
    pub private: bool,
    /// Version of the private audience that counts.
    pub audience: i64,
}

/// An asset; `digest` is that of its content.
#[derive(Debug, Clone, PartialEq)]
pub struct AssetRow {
    pub name: String,
    pub digest: String,
    pub content: Value,
}

/// A snapshot that can't be taken apart.
#[derive(Debug, thiserror::Error)]
#[error("the snapshot has no {0}")]
pub struct Unreadable(&'static str);

impl Rows {
    /// Takes a snapshot apart.
    pub fn split(snapshot: Value) -> Result<Rows, Unreadable> {
        let Value::Object(mut snapshot) = snapshot else {
            return Err(Unreadable("members"));
        };
        let mut rows = Rows {
            format: snapshot
                .get("format")
                .and_then(Value::as_i64)
                .and_then(|n| n.try_into().ok())
                .ok_or(Unreadable("format"))?,
            offer: snapshot.remove("offer").ok_or(Unreadable("offer"))?,
            secrets: snapshot.remove("secrets").unwrap_or(Value::Null),
            pages: pages("", snapshot.remove("pages")),
            plans: Vec::new(),
            assets: Vec::new(),
        };
        for plan in list(snapshot.remove("plans")) {
            rows.split_plan(plan)?;
        }
        for asset in list(snapshot.remove("assets")) {
            rows.assets.push(AssetRow {
                name: text(&asset, "name")?,
                digest: text(&asset, "digest")?,
                content: asset,
            });
        }
        Ok(rows)
    }

    fn split_plan(&mut self, plan: Value) -> Result<(), Unreadable> {
        let plan_id = text(&plan, "plan_id")?;
        let Value::Object(mut plan) = plan else {
            return Err(Unreadable("plan"));
        };
        let own = pages(&plan_id, plan.remove("pages"));
        let private = is_private(&plan_id, &own);
        self.pages.extend(own);
        self.plans.push(PlanRow {
            plan_id,
            content: Value::Object(plan),
            private,
            audience: 0,
        });
        Ok(())
    }

    /// What rows say besides their content and otherwise than it, for the log: columns that are served from are no part
    /// of [`Rows::join`], so that no digest covers them.
    pub fn contradiction(&self) -> Option<String> {
        let plan = self
            .plans
            .iter()
            .find(|row| row.private != is_private(&row.plan_id, &self.pages));
        if let Some(row) = plan {
            return Some(format!(
                "plan {} is private by its row or by its page, not by both",
                row.plan_id
            ));
        }
        let differs = |row: &&AssetRow| {
            let says = |key| row.content.get(key).and_then(Value::as_str);
            says("digest") != Some(row.digest.as_str()) || says("name") != Some(row.name.as_str())
        };
        let asset = self.assets.iter().find(differs)?;
        Some(format!(
            "the row of {} names another content than the snapshot",
            asset.name
        ))
    }

    /// The digest of what the rows make together: that of the snapshot, where they are what it says.
    pub fn digest(self) -> Result<String, serde_json::Error> {
        Ok(super::snapshot::digest(&serde_json_canonicalizer::to_vec(
            &self.join(),
        )?))
    }

    /// Puts it together again, whatever order the rows come in.
    pub fn join(mut self) -> Value {
        self.plans.sort_by(|a, b| a.plan_id.cmp(&b.plan_id));
        self.assets.sort_by(|a, b| a.name.cmp(&b.name));
        let of = |plan: &str| -> Map<String, Value> {
            let own = self.pages.iter().filter(|row| row.plan_id == plan);
            own.map(|row| (row.page.clone(), row.content.clone()))
                .collect()
        };
        let plans = self.plans.iter().map(|plan| {
            let mut content = plan.content.clone();
            content["pages"] = of(&plan.plan_id).into();
            content
        });
        let mut snapshot = json!({
            "format": self.format,
            "offer": self.offer,
            "pages": of(""),
            "plans": plans.collect::<Vec<_>>(),
            "assets": self.assets.iter().map(|asset| asset.content.clone()).collect::<Vec<_>>(),
        });
        if !self.secrets.is_null() {
            snapshot["secrets"] = self.secrets;
        }
        snapshot
    }
}

/// PN-10: only its private audience may buy the plan.
fn is_private(plan_id: &str, pages: &[PageRow]) -> bool {
    pages.iter().any(|row| {
        row.plan_id == plan_id
            && row
                .content
                .get("audience")
                .is_some_and(|audience| audience == "PRIVATE")
    })
}

fn pages(plan_id: &str, pages: Option<Value>) -> Vec<PageRow> {
    let Some(Value::Object(pages)) = pages else {
        return Vec::new();
    };
    pages
        .into_iter()
        .map(|(page, content)| PageRow {
            plan_id: plan_id.to_owned(),
            page,
            content,
        })
        .collect()
}

fn list(value: Option<Value>) -> Vec<Value> {
    match value {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    }
}

fn text(value: &Value, key: &'static str) -> Result<String, Unreadable> {
    value
        .get(key)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .ok_or(Unreadable(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;
    use crate::domain::snapshot::{Content, encode};

    #[test]
    fn a_snapshot_survives_being_taken_apart_and_shuffled() {
        let snapshot = json!({
            "format": 1,
            "offer": {"name": "publishers/a/offers/b", "uid": "u", "offer_type": "t", "alias": "x"},
            "pages": {"offer_listing": {"title": "T"}, "properties": {"app_version": "1"}},
            "plans": [
                {"plan_id": "a", "display_name": "A", "stopped": false, "pages": {"plan_pricing": {"audience": "PRIVATE"}}},
                {"plan_id": "b", "display_name": "B", "stopped": true, "pages": {}},
            ],
            "assets": [{"name": "m", "digest": "1"}, {"name": "n", "digest": "2"}],
            "secrets": {"lead_destination": 2},
        });
        let mut rows = Rows::split(snapshot.clone()).unwrap();
        assert!(rows.plans[0].private && !rows.plans[1].private);
        rows.plans.reverse();
        rows.assets.reverse();
        rows.pages.reverse();
        assert_eq!(rows.join(), snapshot);
    }

    #[test]
    fn pb1_columns_that_are_served_from_must_agree_with_their_content() {
        let rows = Rows::split(json!({
            "format": 1,
            "offer": {},
            "plans": [
                {"plan_id": "a", "pages": {"plan_pricing": {"audience": "PRIVATE"}}},
                {"plan_id": "b", "pages": {"plan_pricing": {"audience": "PUBLIC"}}},
            ],
            "assets": [{"name": "m", "digest": "1"}],
        }))
        .unwrap();
        assert_eq!(rows.contradiction(), None);
        let faults: [fn(&mut Rows); 4] = [
            |rows| rows.plans[0].private = false,
            |rows| rows.plans[1].private = true,
            |rows| rows.assets[0].digest = "2".into(),
            |rows| rows.assets[0].name = "n".into(),
        ];
        for fault in faults {
            let mut wrong = rows.clone();
            fault(&mut wrong);
            assert!(wrong.contradiction().is_some(), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for wrong in [
            json!(1),
            json!({}),
            json!({"format": 1}),
            json!({"format": 1, "offer": {}, "plans": [{}]}),
        ] {
            assert!(Rows::split(wrong).is_err());
        }
    }

    #[test]
    fn every_stage_is_read_as_it_was_stored() {
        for (stage, stored) in [
            (Stage::Prepared, "prepared"),
            (Stage::Preview, "preview"),
            (Stage::Live, "live"),
        ] {
            assert_eq!(stage.as_str(), stored);
            assert_eq!(Stage::parse(stored), Some(stage));
        }
        assert_eq!(Stage::parse("Live"), None);
    }

    #[test]
    fn pb_1_the_rows_of_a_snapshot_have_its_digest() {
        let content = Content::of(&samples::saas());
        let snapshot = encode(&content).unwrap();
        let rows = Rows::split(serde_json::from_slice(&snapshot.bytes).unwrap()).unwrap();
        assert_eq!(rows.clone().digest().unwrap(), snapshot.digest);
        let mut other = rows;
        other.pages[0].content["title"] = "Another".into();
        assert_ne!(other.digest().unwrap(), snapshot.digest);
    }
}
