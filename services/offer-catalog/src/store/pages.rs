//! Rows of pages. Everything that rules look at is read by one statement: offer, pages, plans, files, what is live.

mod save;

use std::collections::BTreeMap;

use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::{OfferName, PlanName};
use serde::Deserialize;
use serde_json::Value;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::listings::{self, Served};
use super::{assets, membership};
use crate::domain::audience::Audience;
use crate::domain::completeness::Published;
use crate::domain::draft::{Draft, DraftPlan, OfferHead};
use crate::domain::snapshot::{self, Content};
use crate::error::{Error, Result};
use crate::pages::{AudienceMember, CheckedAudience, Page, PageId, offer_type};

pub use save::{Revisions, Save, Secret, revision, save};

/// What is read of a draft.
#[derive(Debug, Clone)]
pub struct Selection<'a> {
    /// Pages of the offer; `None`: all pages of offer and plans.
    pub pages: Option<Vec<&'static str>>,
    /// One page of one plan besides.
    pub plan_page: Option<(&'a str, PageId)>,
    /// Files too.
    pub assets: bool,
    /// The application that live listings are held against (TC-2); `None`: that of the saved page.
    pub application: Option<&'a str>,
}

impl Selection<'_> {
    /// All of it.
    pub const WHOLE: Selection<'static> = Selection {
        pages: None,
        plan_page: None,
        assets: true,
        application: None,
    };
}

/// A page's row without its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    pub page: PageId,
    /// Empty for pages of the offer.
    pub plan_id: String,
    /// The page's etag.
    pub revision: i64,
    pub secret_version: Option<i64>,
    pub save_time: OffsetDateTime,
}

/// A draft as far as it was selected, and what it is held against.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub draft: Draft,
    pub published: Published,
    pub saved: Vec<Saved>,
}

impl Loaded {
    /// The row of a page, if it was ever saved.
    pub fn saved(&self, page: PageId, plan_id: &str) -> Option<&Saved> {
        self.saved
            .iter()
            .find(|saved| saved.page == page && saved.plan_id == plan_id)
    }

    /// A page, if it was ever saved.
    pub fn page(&self, page: PageId, plan_id: &str) -> Option<Page> {
        let of_plan = || {
            self.draft
                .plans
                .iter()
                .find(|plan| plan.plan_id == plan_id)?
                .pages
                .get(page)
        };
        if plan_id.is_empty() {
            self.draft.pages.get(page)
        } else {
            of_plan()
        }
    }
}

#[derive(Debug, Deserialize)]
struct PageRow {
    plan_id: String,
    page: String,
    revision: i64,
    content: Value,
    secret_version: Option<i64>,
    micros: i64,
    /// The members of its private audience are not in its content.
    cut: bool,
}

#[derive(Debug, Deserialize)]
struct PlanRow {
    plan_id: String,
    display_name: String,
    subtype: String,
}

/// A draft that the caller may see, with the scope as settled; `None`: there is no such offer. Of whole drafts the members of long private
/// audiences are looked at one plan after the other, and not kept.
pub async fn load(
    db: &mut PgConnection,
    scope: &Scope,
    name: &OfferName,
    selection: &Selection<'_>,
    now: OffsetDateTime,
) -> Result<Option<(Loaded, Scope)>> {
    let only = selection.pages.as_ref().map(|pages| {
        pages
            .iter()
            .map(|&page| page.to_owned())
            .collect::<Vec<String>>()
    });
    let (plan, plan_page) = selection
        .plan_page
        .map(|(plan, page)| (plan, page.as_str()))
        .unzip();
    let row = sqlx::query!(
        r#"SELECT o.offer_uid, o.offer_type, o.alias, o.revision, m.roles AS "roles?",
                  EXISTS (SELECT FROM offer_catalog.operator_grants g WHERE g.publisher_id = o.publisher_id
                          AND g.revoke_time IS NULL AND g.expire_time > $4) AS "granted!",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('plan_id', p.plan_id, 'page', p.page, 'revision', p.revision,
                            'content', CASE WHEN long.cut THEN p.content - 'private_audience' ELSE p.content END, 'cut', long.cut,
                            'secret_version', p.secret_version,
                            'micros', (extract(epoch FROM p.save_time) * 1000000)::bigint)), '[]')
                   FROM offer_catalog.pages p
                   CROSS JOIN LATERAL (
                     SELECT $5::text[] IS NULL AND p.page = 'plan_pricing'
                            AND jsonb_array_length(coalesce(p.content -> 'private_audience', '[]')) > 100 AS cut
                   ) long
                   WHERE p.offer_uid = o.offer_uid
                     AND ($5::text[] IS NULL OR p.plan_id = '' AND p.page = ANY ($5) OR p.plan_id = $6 AND p.page = $7
                          OR p.page = 'plan_technical_configuration' AND $7 = 'plan_technical_configuration')
                  ) AS "pages!: Json<Vec<PageRow>>",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('plan_id', p.plan_id, 'display_name', p.display_name,
                            'subtype', p.subtype) ORDER BY p.plan_id), '[]')
                   FROM offer_catalog.plans p
                   WHERE p.offer_uid = o.offer_uid AND ($5::text[] IS NULL OR $6::text IS NOT NULL)
                  ) AS "plans!: Json<Vec<PlanRow>>",
                  (SELECT coalesce(jsonb_agg(jsonb_build_object('asset_id', a.asset_id, 'kind', a.kind, 'state', a.state,
                            'digest', a.digest, 'size_bytes', a.size_bytes, 'content_type', a.content_type,
                            'width', a.width, 'height', a.height, 'file_name', a.file_name)), '[]')
                   FROM offer_catalog.assets a WHERE a.offer_uid = o.offer_uid AND $8
                  ) AS "assets!: Json<Vec<assets::Summary>>",
                  live.bytes AS "live_bytes?", live.digest AS "live_digest?",
                  (app.id <> '' AND EXISTS (
                     SELECT FROM offer_catalog.listing_pages p JOIN offer_catalog.listings l USING (listing_id)
                     WHERE p.page = 'technical_configuration' AND lower(p.content ->> 'application_id') = lower(app.id)
                       AND l.stage = 'live' AND l.publisher_id <> o.publisher_id)) AS foreign_application,
                  (SELECT jsonb_object_agg(p.content ->> 'application_id', l.offer ->> 'name')
                   FROM offer_catalog.listings l JOIN offer_catalog.listing_pages p USING (listing_id)
                   WHERE app.id <> '' AND l.publisher_id = o.publisher_id AND l.offer_uid <> o.offer_uid
                     AND l.stage = 'live' AND l.offer_type = o.offer_type AND p.page = 'technical_configuration'
                     AND p.content ->> 'application_id' <> '') AS "live_applications: Json<BTreeMap<String, String>>"
           FROM offer_catalog.offers o
           LEFT JOIN offer_catalog.members m ON m.publisher_id = o.publisher_id AND m.principal = $3
           LEFT JOIN LATERAL (
             SELECT coalesce($9, (SELECT p.content ->> 'application_id' FROM offer_catalog.pages p
                                  WHERE p.offer_uid = o.offer_uid AND p.plan_id = '' AND p.page = 'technical_configuration')) AS id
             WHERE $5::text[] IS NULL OR 'technical_configuration' = ANY ($5)
           ) app ON true
           LEFT JOIN LATERAL (
             SELECT s.bytes, s.digest FROM offer_catalog.orders x
             JOIN offer_catalog.snapshots s ON s.offer_uid = x.offer_uid AND s.digest = x.snapshot_digest
             WHERE x.offer_uid = o.offer_uid AND x.answer = 'offer_activated'
             ORDER BY x.answer_time DESC LIMIT 1
           ) live ON true
           WHERE o.publisher_id = $1 AND o.offer_id = $2"#,
        name.publisher,
        name.offer,
        scope.principal(),
        now,
        only.as_deref() as Option<&[String]>,
        plan,
        plan_page,
        selection.assets,
        selection.application
    )
    .fetch_optional(&mut *db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let scope = scope.clone().settle(&membership(row.roles, row.granted)?)?;
    let kind = offer_type::find(&row.offer_type).ok_or_else(|| Error::corrupt(&row.offer_type))?;
    let offer = OfferHead {
        name: name.to_string(),
        uid: row.offer_uid,
        offer_type: row.offer_type,
        alias: row.alias,
    };
    let assets = row
        .assets
        .0
        .into_iter()
        .map(|asset| asset.named(name))
        .collect::<Result<_>>()?;
    let plans = row.plans.0.into_iter().map(plan_of).collect();
    let mut draft = Draft {
        offer,
        offer_type: kind,
        revision: row.revision,
        pages: Default::default(),
        plans,
        assets,
        lead_secret: None,
    };
    let pages = row.pages.0;
    let long: Vec<String> = pages
        .iter()
        .filter(|page| page.cut)
        .map(|page| page.plan_id.clone())
        .collect();
    let saved = pages
        .into_iter()
        .map(|page| put(&mut draft, page))
        .collect::<Result<Vec<Saved>>>()?;
    for plan_id in &long {
        let members = members(db, row.offer_uid, plan_id).await?;
        let checked = CheckedAudience::of(&members, &kind.private_audience_kinds);
        let plan = draft.plans.iter_mut().find(|plan| plan.plan_id == *plan_id);
        if let Some(plan) = plan {
            plan.audience = Some(checked);
        }
    }
    let live = match (row.live_bytes, row.live_digest) {
        (Some(bytes), Some(digest)) => baseline(db, name, &bytes, &digest).await?,
        _ => None,
    };
    let mut other_applications = row.live_applications.map(|all| all.0).unwrap_or_default();
    // Saves don't ask for it: it may cost a look at every draft.
    if selection.pages.is_none() && live.is_none() && other_applications.is_empty() {
        other_applications.extend(other_draft(db, name, &draft).await?);
    }
    let published = Published {
        now,
        live,
        other_applications,
        foreign_application_id: row.foreign_application.unwrap_or(false),
    };
    Ok(Some((
        Loaded {
            draft,
            published,
            saved,
        },
        scope,
    )))
}

/// An application that another draft of this type and publisher uses, with the offer's name, if it is another one (TC-2).
async fn other_draft(
    db: &mut PgConnection,
    name: &OfferName,
    draft: &Draft,
) -> Result<Option<(String, String)>> {
    let technical = draft.pages.technical_configuration.as_ref();
    let Some(own) = technical.filter(|page| !page.application_id.is_empty()) else {
        return Ok(None);
    };
    let other = sqlx::query!(
        r#"SELECT o.offer_id, p.content ->> 'application_id' AS "application_id!"
           FROM offer_catalog.offers o
           JOIN offer_catalog.pages p ON p.offer_uid = o.offer_uid AND p.plan_id = '' AND p.page = 'technical_configuration'
           WHERE o.publisher_id = $1 AND o.offer_type = $2 AND o.offer_id <> $3
             AND p.content ->> 'application_id' <> '' AND lower(p.content ->> 'application_id') <> lower($4)
             AND NOT EXISTS (SELECT FROM offer_catalog.pages s WHERE s.offer_uid = o.offer_uid AND s.plan_id = ''
                             AND s.page = 'offer_setup' AND s.content ->> 'selling' = 'LISTING_ONLY')
           ORDER BY o.offer_id LIMIT 1"#,
        name.publisher,
        draft.offer.offer_type,
        name.offer,
        own.application_id
    )
    .fetch_optional(db)
    .await?;
    Ok(other.map(|other| {
        let offer = OfferName::new(&name.publisher, other.offer_id);
        (other.application_id, offer.to_string())
    }))
}

/// What was live last. Where its snapshot is damaged, the rows that customers are served from say the same, if they are
/// intact; without either a draft is held against nothing, and PB-1 keeps the damage from customers.
async fn baseline(
    db: &mut PgConnection,
    name: &OfferName,
    bytes: &[u8],
    digest: &str,
) -> Result<Option<Content>> {
    let error = match snapshot::read(bytes, digest) {
        Ok(content) => return Ok(Some(content)),
        Err(error) => error,
    };
    tracing::error!(error = %error, "what was live last can't be read from its snapshot");
    let (publisher, offer) = (&name.publisher, &name.offer);
    let served = listings::served(db, Served::Live { publisher, offer }).await?;
    let intact = served
        .map(|(_, rows)| rows)
        .filter(|rows| rows.clone().digest().is_ok_and(|found| found == digest));
    let content = intact.map(|rows| serde_json::from_value(rows.join()));
    content.transpose().map_err(Error::corrupt)
}

/// A draft whose offer is locked, or asked for by the system itself.
pub async fn draft(
    db: &mut PgConnection,
    name: &OfferName,
    now: OffsetDateTime,
) -> Result<Option<Loaded>> {
    let nobody = Scope::system(&name.publisher);
    Ok(load(db, &nobody, name, &Selection::WHOLE, now)
        .await?
        .map(|(loaded, _)| loaded))
}

fn plan_of(row: PlanRow) -> DraftPlan {
    let PlanRow {
        plan_id,
        display_name,
        subtype,
    } = row;
    DraftPlan {
        plan_id,
        display_name,
        subtype,
        ..DraftPlan::default()
    }
}

fn put(draft: &mut Draft, row: PageRow) -> Result<Saved> {
    let id = PageId::parse(&row.page).ok_or_else(|| Error::corrupt(&row.page))?;
    let page = Page::from_json(id, row.content).map_err(Error::corrupt)?;
    let placed = match draft
        .plans
        .iter_mut()
        .find(|plan| plan.plan_id == row.plan_id)
    {
        Some(plan) => plan.pages.put(page),
        None => draft.pages.put(page),
    };
    placed.map_err(|id| Error::corrupt(format!("{} of plan \"{}\"", id.as_str(), row.plan_id)))?;
    if id == PageId::OfferSetup {
        draft.lead_secret = row.secret_version;
    }
    let save_time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(row.micros) * 1_000)
        .map_err(Error::corrupt)?;
    let PageRow {
        plan_id,
        revision,
        secret_version,
        ..
    } = row;
    Ok(Saved {
        page: id,
        plan_id,
        revision,
        secret_version,
        save_time,
    })
}

/// The saved private audience of a plan; empty where it has none.
pub async fn private_audience(
    db: &mut PgConnection,
    offer: Uuid,
    plan_id: &str,
) -> Result<Audience> {
    let private = sqlx::query_scalar!(
        r#"SELECT coalesce(content ->> 'audience' = 'PRIVATE', false) AS "private!" FROM offer_catalog.pages
           WHERE offer_uid = $1 AND plan_id = $2 AND page = 'plan_pricing'"#,
        offer,
        plan_id
    )
    .fetch_optional(&mut *db)
    .await?;
    match private {
        Some(true) => Ok(Audience::of_members(&members(db, offer, plan_id).await?)),
        _ => Ok(Audience::default()),
    }
}

/// Whoever is saved in the private audience of a plan, whether it counts or not.
pub async fn members(
    db: &mut PgConnection,
    offer: Uuid,
    plan_id: &str,
) -> Result<Vec<AudienceMember>> {
    let found = sqlx::query_scalar!(
        r#"SELECT content -> 'private_audience' AS "members: Json<Vec<AudienceMember>>" FROM offer_catalog.pages
           WHERE offer_uid = $1 AND plan_id = $2 AND page = 'plan_pricing'"#,
        offer,
        plan_id
    )
    .fetch_optional(db)
    .await?;
    Ok(found.flatten().map(|members| members.0).unwrap_or_default())
}

/// A part of a saved private audience.
pub struct AudiencePart {
    /// Of the page; 0: it was never saved.
    pub revision: i64,
    /// Members in all.
    pub total: i64,
    pub members: Vec<AudienceMember>,
}

/// The members of a plan's saved private audience from the one with this number on, in their order.
pub async fn audience_part(
    db: &mut PgConnection,
    plan: &PlanName,
    from: i64,
    limit: i64,
) -> Result<AudiencePart> {
    let row = sqlx::query!(
        r#"SELECT g.revision, coalesce(jsonb_array_length(g.content -> 'private_audience'), 0)::bigint AS "total!",
             (SELECT coalesce(jsonb_agg(m.member ORDER BY m.nth), '[]')
              FROM jsonb_array_elements(g.content -> 'private_audience') WITH ORDINALITY AS m (member, nth)
              WHERE m.nth > $4 AND m.nth <= $4 + $5) AS "members!: Json<Vec<AudienceMember>>"
           FROM offer_catalog.offers o
           JOIN offer_catalog.pages g ON g.offer_uid = o.offer_uid AND g.plan_id = $3 AND g.page = 'plan_pricing'
           WHERE o.publisher_id = $1 AND o.offer_id = $2"#,
        plan.publisher,
        plan.offer,
        plan.plan,
        from,
        limit
    )
    .fetch_optional(db)
    .await?;
    Ok(match row {
        Some(row) => AudiencePart {
            revision: row.revision,
            total: row.total,
            members: row.members.0,
        },
        None => AudiencePart {
            revision: 0,
            total: 0,
            members: Vec::new(),
        },
    })
}

/// Digest of what is served of an offer at a stage; `None`: nothing is.
pub async fn served_digest(
    db: &mut PgConnection,
    offer: Uuid,
    stage: &str,
) -> Result<Option<String>> {
    let digest = sqlx::query_scalar!(
        "SELECT digest FROM offer_catalog.listings WHERE offer_uid = $1 AND stage = $2",
        offer,
        stage
    )
    .fetch_optional(db)
    .await?;
    Ok(digest)
}
