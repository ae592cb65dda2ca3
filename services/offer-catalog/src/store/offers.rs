//! Rows of offers.

use std::collections::{HashMap, HashSet};

use marketplace_runtime::access::{Membership, Scope};
use marketplace_runtime::ids::OfferName;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use super::membership;
use crate::domain::deprecation::Deprecation;
use crate::domain::news::News;
use crate::domain::offer::{Offer, Publication, Status};
use crate::error::{Error, Result};

struct Row {
    offer_uid: Uuid,
    publisher_id: String,
    offer_id: String,
    offer_type: String,
    alias: String,
    revision: i64,
    ever_frozen: bool,
    status: String,
    publication_revision: i64,
    preview_submission: Option<Uuid>,
    live_submission: Option<Uuid>,
    latest_submission: Option<Uuid>,
    submitted_revision: i64,
    create_time: OffsetDateTime,
    update_time: OffsetDateTime,
    roles: Option<Vec<String>>,
    granted: bool,
}

impl Row {
    fn offer(self) -> Result<(Offer, Membership)> {
        let standing = membership(self.roles, self.granted)?;
        let status = Status::parse(&self.status).ok_or_else(|| Error::corrupt(&self.status))?;
        let publication = Publication {
            status,
            revision: self.publication_revision,
            preview_submission: self.preview_submission,
            live_submission: self.live_submission,
            latest_submission: self.latest_submission,
        };
        let offer = Offer {
            uid: self.offer_uid,
            publisher: self.publisher_id,
            id: self.offer_id,
            offer_type: self.offer_type,
            alias: self.alias,
            revision: self.revision,
            ever_frozen: self.ever_frozen,
            publication,
            submitted_revision: self.submitted_revision,
            create_time: self.create_time,
            update_time: self.update_time,
        };
        Ok((offer, standing))
    }
}

/// An offer with the caller's standing, in one statement.
pub async fn get(
    db: &mut PgConnection,
    scope: &Scope,
    name: &OfferName,
    now: OffsetDateTime,
) -> Result<Option<(Offer, Membership)>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT o.offer_uid, o.publisher_id, o.offer_id, o.offer_type, o.alias, o.revision, o.ever_frozen, o.status,
                  o.publication_revision, o.preview_submission, o.live_submission, o.latest_submission,
                  o.submitted_revision, o.create_time, o.update_time, m.roles AS "roles?",
                  EXISTS (SELECT FROM offer_catalog.operator_grants g WHERE g.publisher_id = o.publisher_id
                          AND g.revoke_time IS NULL AND g.expire_time > $4) AS "granted!"
           FROM offer_catalog.offers o
           LEFT JOIN offer_catalog.members m ON m.publisher_id = o.publisher_id AND m.principal = $3
           WHERE o.publisher_id = $1 AND o.offer_id = $2"#,
        name.publisher,
        name.offer,
        scope.principal(),
        now
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::offer).transpose()
}

/// The same, with the offer's row locked until the transaction ends: writers of one offer take turns.
pub async fn lock(
    db: &mut PgConnection,
    scope: &Scope,
    name: &OfferName,
    now: OffsetDateTime,
) -> Result<Option<(Offer, Membership)>> {
    let row = sqlx::query_as!(
        Row,
        r#"SELECT o.offer_uid, o.publisher_id, o.offer_id, o.offer_type, o.alias, o.revision, o.ever_frozen, o.status,
                  o.publication_revision, o.preview_submission, o.live_submission, o.latest_submission,
                  o.submitted_revision, o.create_time, o.update_time, m.roles AS "roles?",
                  EXISTS (SELECT FROM offer_catalog.operator_grants g WHERE g.publisher_id = o.publisher_id
                          AND g.revoke_time IS NULL AND g.expire_time > $4) AS "granted!"
           FROM offer_catalog.offers o
           LEFT JOIN offer_catalog.members m ON m.publisher_id = o.publisher_id AND m.principal = $3
           WHERE o.publisher_id = $1 AND o.offer_id = $2
           FOR NO KEY UPDATE OF o"#,
        name.publisher,
        name.offer,
        scope.principal(),
        now
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::offer).transpose()
}

/// Locks the rows of offers that messages name by their system ids, in the order of these, so that two batches can't wait
/// for each other. Those that are gone are absent.
pub async fn lock_uids(db: &mut PgConnection, uids: &[Uuid]) -> Result<HashMap<Uuid, Offer>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT o.offer_uid, o.publisher_id, o.offer_id, o.offer_type, o.alias, o.revision, o.ever_frozen, o.status,
                  o.publication_revision, o.preview_submission, o.live_submission, o.latest_submission,
                  o.submitted_revision, o.create_time, o.update_time, NULL::text[] AS "roles?", false AS "granted!"
           FROM offer_catalog.offers o WHERE o.offer_uid = ANY ($1) ORDER BY o.offer_uid FOR NO KEY UPDATE"#,
        uids
    )
    .fetch_all(db)
    .await?;
    let offer = |row: Row| row.offer().map(|(offer, _)| (offer.uid, offer));
    rows.into_iter().map(offer).collect()
}

/// A new draft. `false`: the publisher has an offer of this id.
pub async fn insert(db: &mut PgConnection, offer: &Offer) -> Result<bool> {
    let done = sqlx::query!(
        "INSERT INTO offer_catalog.offers (offer_uid, publisher_id, offer_id, offer_type, alias, revision, create_time, update_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (publisher_id, offer_id) DO NOTHING",
        offer.uid,
        offer.publisher,
        offer.id,
        offer.offer_type,
        offer.alias,
        offer.revision,
        offer.create_time
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes a write to the draft; answers its new revision. The row must be locked.
pub async fn touch(db: &mut PgConnection, uid: Uuid, now: OffsetDateTime) -> Result<i64> {
    let revision = sqlx::query_scalar!(
        "UPDATE offer_catalog.offers SET revision = revision + 1, update_time = $2 WHERE offer_uid = $1 RETURNING revision",
        uid,
        now
    )
    .fetch_one(db)
    .await?;
    Ok(revision)
}

/// Deletes an offer that was never frozen, with all that belongs to its draft. Freezes that were given back go with it, and
/// what they fixed.
pub async fn delete(db: &mut PgConnection, uid: Uuid) -> Result<()> {
    let done = sqlx::query!(
        "WITH given_back AS (
           DELETE FROM offer_catalog.freezes WHERE offer_uid = $1 AND released
         ), snapshots AS (
           DELETE FROM offer_catalog.snapshots WHERE offer_uid = $1
         )
         DELETE FROM offer_catalog.offers WHERE offer_uid = $1 AND NOT ever_frozen",
        uid
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the locked offer is gone"))
    }
}

/// Applies the copies of publications, at most one of each offer, that are newer than those before; answers of which
/// offers. Customers read from then on that the offer is about to leave, or no more (UP-7, T35).
pub async fn apply_publications(db: &mut PgConnection, news: &[&News]) -> Result<HashSet<Uuid>> {
    let uids: Vec<Uuid> = news.iter().map(|one| one.offer_uid).collect();
    let submissions = |of: fn(&Publication) -> Option<Uuid>| -> Vec<Option<Uuid>> {
        news.iter().map(|one| of(&one.copy)).collect()
    };
    let statuses: Vec<String> = news
        .iter()
        .map(|one| one.copy.status.as_str().to_owned())
        .collect();
    let revisions: Vec<i64> = news.iter().map(|one| one.copy.revision).collect();
    let deprecations: Vec<Option<Json<&Deprecation>>> = news
        .iter()
        .map(|one| one.deprecation.as_ref().map(Json))
        .collect();
    let applied = sqlx::query_scalar!(
        r#"WITH told AS (
             SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[], $5::uuid[], $6::uuid[], $7::jsonb[])
               AS n (offer_uid, status, revision, preview, live, latest, deprecation)
           ), copied AS (
             UPDATE offer_catalog.offers o
             SET status = n.status, publication_revision = n.revision, preview_submission = n.preview,
                 live_submission = n.live, latest_submission = n.latest,
                 submitted_revision = coalesce(
                   (SELECT f.draft_revision FROM offer_catalog.freezes f
                    WHERE f.submission = n.latest AND f.offer_uid = o.offer_uid),
                   o.submitted_revision)
             FROM told n
             WHERE o.offer_uid = ANY ($1) AND o.offer_uid = n.offer_uid AND o.publication_revision < n.revision
             RETURNING o.offer_uid, n.deprecation
           ), leaving AS (
             UPDATE offer_catalog.listings l SET deprecation = c.deprecation FROM copied c
             WHERE l.offer_uid = ANY ($1) AND l.offer_uid = c.offer_uid AND l.stage = 'live'
               AND l.deprecation IS DISTINCT FROM c.deprecation
           )
           SELECT offer_uid FROM copied"#,
        &uids,
        &statuses,
        &revisions,
        &submissions(|copy| copy.preview_submission) as &[Option<Uuid>],
        &submissions(|copy| copy.live_submission) as &[Option<Uuid>],
        &submissions(|copy| copy.latest_submission) as &[Option<Uuid>],
        &deprecations as &[Option<Json<&Deprecation>>]
    )
    .fetch_all(db)
    .await?;
    Ok(applied.into_iter().collect())
}

/// Which offers a list shows.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Filter {
    pub publisher: String,
    pub status: Option<&'static str>,
    pub offer_type: Option<String>,
}

/// A page of a publisher's offers, newest first. `after` is the last row's time (in microseconds) and id.
pub async fn list(
    db: &mut PgConnection,
    filter: &Filter,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Offer>> {
    let (time, uid) = after.unzip();
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT o.offer_uid, o.publisher_id, o.offer_id, o.offer_type, o.alias, o.revision, o.ever_frozen, o.status,
                  o.publication_revision, o.preview_submission, o.live_submission, o.latest_submission,
                  o.submitted_revision, o.create_time, o.update_time, NULL::text[] AS "roles?", false AS "granted!"
           FROM offer_catalog.offers o
           WHERE o.publisher_id = $1
             AND ($2::text IS NULL OR o.status = $2)
             AND ($3::text IS NULL OR o.offer_type = $3)
             AND ($4::timestamptz IS NULL OR (o.create_time, o.offer_uid) < ($4, $5))
           ORDER BY o.create_time DESC, o.offer_uid DESC
           LIMIT $6"#,
        filter.publisher,
        filter.status,
        filter.offer_type,
        time,
        uid,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| row.offer().map(|(offer, _)| offer))
        .collect()
}
