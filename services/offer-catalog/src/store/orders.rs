//! Rows of orders: what the pipeline asked for and what it was answered.

use sqlx::PgConnection;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::domain::order::{Answer, Order, OrderKey, Wanted};
use crate::error::{Error, Result};

struct Row {
    submission: Uuid,
    step: String,
    attempt: i64,
    offer_uid: Uuid,
    kind: String,
    snapshot_digest: String,
    certified_digest: String,
    signed_off_digest: String,
    publication_revision: i64,
    answer: Option<String>,
    answer_digest: String,
    answer_reason: String,
    answer_message: String,
}

impl Row {
    fn read(self) -> Result<(Order, Option<Answer>)> {
        let answer = match self.answer.as_deref() {
            None => None,
            Some("preview_prepared") => Some(Answer::PreviewPrepared {
                digest: self.answer_digest,
            }),
            Some("offer_activated") => Some(Answer::OfferActivated {
                digest: self.answer_digest,
            }),
            Some("offer_removed") => Some(Answer::OfferRemoved),
            Some("superseded") => Some(Answer::Superseded),
            Some("failed") => Some(Answer::Failed {
                reason: self.answer_reason,
                message: self.answer_message,
            }),
            Some(other) => return Err(Error::corrupt(other)),
        };
        let wanted = match self.kind.as_str() {
            "preview" => Wanted::Preview,
            "removal" => Wanted::Removal,
            "activation" => Wanted::Activation {
                certified: self.certified_digest,
                signed_off: self.signed_off_digest,
            },
            other => return Err(Error::corrupt(other)),
        };
        let order = Order {
            key: OrderKey {
                submission: self.submission,
                step: self.step,
                attempt: self.attempt,
            },
            offer_uid: self.offer_uid,
            digest: self.snapshot_digest,
            publication_revision: self.publication_revision,
            wanted,
        };
        Ok((order, answer))
    }
}

/// An order that was asked for before, with its answer if there is one yet.
pub async fn find(
    db: &mut PgConnection,
    key: &OrderKey,
) -> Result<Option<(Order, Option<Answer>)>> {
    let row = sqlx::query_as!(
        Row,
        "SELECT submission, step, attempt, offer_uid, kind, snapshot_digest, certified_digest, signed_off_digest,
                publication_revision, answer, answer_digest, answer_reason, answer_message
         FROM offer_catalog.orders WHERE submission = $1 AND step = $2 AND attempt = $3",
        key.submission,
        key.step,
        key.attempt
    )
    .fetch_optional(db)
    .await?;
    row.map(Row::read).transpose()
}

/// Notes an order, unless it was asked for before. The publication revision of the last order applied to the offer, which
/// must be locked; `None`: it was asked for.
pub async fn insert(
    db: &mut PgConnection,
    order: &Order,
    now: OffsetDateTime,
) -> Result<Option<i64>> {
    let (certified, signed_off) = match &order.wanted {
        Wanted::Activation {
            certified,
            signed_off,
        } => (certified.as_str(), signed_off.as_str()),
        Wanted::Preview | Wanted::Removal => ("", ""),
    };
    let last = sqlx::query_scalar!(
        "WITH noted AS (
           INSERT INTO offer_catalog.orders
             (submission, step, attempt, offer_uid, kind, snapshot_digest, certified_digest, signed_off_digest,
              publication_revision, create_time)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (submission, step, attempt) DO NOTHING RETURNING offer_uid
         )
         SELECT o.order_revision FROM offer_catalog.offers o WHERE o.offer_uid = $4 AND EXISTS (SELECT FROM noted)",
        order.key.submission,
        order.key.step,
        order.key.attempt,
        order.offer_uid,
        order.wanted.as_str(),
        order.digest,
        certified,
        signed_off,
        order.publication_revision,
        now
    )
    .fetch_optional(db)
    .await?;
    Ok(last)
}

/// Notes what became of an order; `applied`: the publication revision that older orders are too late for from now on.
/// `false`: it was answered before, by another replica, and that answer stands.
pub async fn answer(
    db: &mut PgConnection,
    offer: Uuid,
    key: &OrderKey,
    answer: &Answer,
    applied: Option<i64>,
    now: OffsetDateTime,
) -> Result<bool> {
    let (digest, reason, message) = match answer {
        Answer::PreviewPrepared { digest } | Answer::OfferActivated { digest } => {
            (digest.as_str(), "", "")
        }
        Answer::OfferRemoved | Answer::Superseded => ("", "", ""),
        Answer::Failed { reason, message } => ("", reason.as_str(), message.as_str()),
    };
    let answered = sqlx::query_scalar!(
        r#"WITH answered AS (
             UPDATE offer_catalog.orders
             SET answer = $4, answer_digest = $5, answer_reason = $6, answer_message = $7, answer_time = $8, lease_end = NULL
             WHERE submission = $1 AND step = $2 AND attempt = $3 AND answer IS NULL RETURNING 1
           ), applied AS (
             UPDATE offer_catalog.offers SET order_revision = $10 WHERE offer_uid = $9 AND order_revision < $10
           )
           SELECT EXISTS (SELECT FROM answered) AS "answered!""#,
        key.submission,
        key.step,
        key.attempt,
        answer.as_str(),
        digest,
        reason,
        message,
        now,
        offer,
        applied
    )
    .fetch_one(db)
    .await?;
    Ok(answered)
}

/// Takes orders that wait to be carried out, oldest first, so that no other replica takes them while the lease runs.
pub async fn claim(
    db: &mut PgConnection,
    now: OffsetDateTime,
    lease: Duration,
    limit: i64,
) -> Result<Vec<Order>> {
    let rows = sqlx::query_as!(
        Row,
        "UPDATE offer_catalog.orders o SET lease_end = $2
         FROM (SELECT submission, step, attempt FROM offer_catalog.orders
               WHERE answer IS NULL AND (lease_end IS NULL OR lease_end < $1)
               ORDER BY create_time LIMIT $3 FOR UPDATE SKIP LOCKED) due
         WHERE o.submission = due.submission AND o.step = due.step AND o.attempt = due.attempt
         RETURNING o.submission, o.step, o.attempt, o.offer_uid, o.kind, o.snapshot_digest, o.certified_digest,
                   o.signed_off_digest, o.publication_revision, o.answer, o.answer_digest, o.answer_reason, o.answer_message",
        now,
        now + lease,
        limit
    )
    .fetch_all(db)
    .await?;
    rows.into_iter()
        .map(|row| row.read().map(|(order, _)| order))
        .collect()
}

/// Nobody else takes an order that isn't answered until then.
pub async fn lease(db: &mut PgConnection, key: &OrderKey, until: OffsetDateTime) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.orders SET lease_end = $4
         WHERE submission = $1 AND step = $2 AND attempt = $3 AND answer IS NULL",
        key.submission,
        key.step,
        key.attempt,
        until
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Digest of the snapshot that went live last, whether or not it is served still.
pub async fn last_activated(db: &mut PgConnection, offer: Uuid) -> Result<Option<String>> {
    let digest = sqlx::query_scalar!(
        "SELECT snapshot_digest FROM offer_catalog.orders
         WHERE offer_uid = $1 AND answer = 'offer_activated' ORDER BY answer_time DESC LIMIT 1",
        offer
    )
    .fetch_optional(db)
    .await?;
    Ok(digest)
}

/// Publication revision of the last order applied to an offer. The offer must be locked.
pub async fn last_revision(db: &mut PgConnection, offer: Uuid) -> Result<i64> {
    let revision = sqlx::query_scalar!(
        "SELECT order_revision FROM offer_catalog.offers WHERE offer_uid = $1",
        offer
    )
    .fetch_one(db)
    .await?;
    Ok(revision)
}

/// An order of this revision is applied: older ones change nothing from now on.
pub async fn applied(db: &mut PgConnection, offer: Uuid, revision: i64) -> Result<()> {
    sqlx::query!(
        "UPDATE offer_catalog.offers SET order_revision = $2 WHERE offer_uid = $1 AND order_revision < $2",
        offer,
        revision
    )
    .execute(db)
    .await?;
    Ok(())
}
