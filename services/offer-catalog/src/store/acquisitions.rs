//! Rows of acquisitions.

use marketplace_runtime::ids::OfferName;
use sqlx::PgConnection;
use sqlx::types::Json;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::domain::acquisition::{Acquisition, State};
use crate::domain::deprecation::Deprecation;
use crate::error::{Error, Result};

/// A new acquisition.
pub async fn insert(db: &mut PgConnection, acquisition: &Acquisition) -> Result<()> {
    sqlx::query!(
        "INSERT INTO offer_catalog.acquisitions
           (acquisition_id, offer_uid, submission, plan_id, principal, preview, no_charge, ticket_reference, market, charge,
            state, create_time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'created', $11)",
        acquisition.id,
        acquisition.offer_uid,
        acquisition.submission,
        acquisition.plan_id,
        acquisition.principal,
        acquisition.preview,
        acquisition.no_charge,
        acquisition.ticket_reference,
        acquisition.market,
        acquisition.charge,
        acquisition.create_time
    )
    .execute(db)
    .await?;
    Ok(())
}

/// An acquisition with its offer's name, and the notice that the offer is about to leave.
pub struct Listed {
    pub acquisition: Acquisition,
    pub offer: OfferName,
    pub deprecation: Option<Deprecation>,
}

/// A page of what somebody has acquired, newest first. `after` is the last row's time and id.
pub async fn list(
    db: &mut PgConnection,
    principal: &str,
    after: Option<(OffsetDateTime, Uuid)>,
    limit: i64,
) -> Result<Vec<Listed>> {
    let (time, id) = after.unzip();
    let rows = sqlx::query!(
        r#"SELECT a.acquisition_id, a.offer_uid, a.submission, a.plan_id, a.principal, a.preview, a.no_charge,
                  a.ticket_reference, a.market, a.charge, a.create_time, o.publisher_id, o.offer_id,
                  l.deprecation AS "deprecation: Json<Deprecation>"
           FROM offer_catalog.acquisitions a
           JOIN offer_catalog.offers o ON o.offer_uid = a.offer_uid
           LEFT JOIN offer_catalog.listings l ON l.offer_uid = a.offer_uid AND l.stage = 'live' AND NOT a.preview
           WHERE a.principal = $1
             AND ($2::timestamptz IS NULL OR (a.create_time, a.acquisition_id) < ($2, $3))
           ORDER BY a.create_time DESC, a.acquisition_id DESC LIMIT $4"#,
        principal,
        time,
        id,
        limit
    )
    .fetch_all(db)
    .await?;
    let listed = rows.into_iter().map(|row| Listed {
        offer: OfferName::new(row.publisher_id, row.offer_id),
        deprecation: row.deprecation.map(|Json(deprecation)| deprecation),
        acquisition: Acquisition {
            id: row.acquisition_id,
            offer_uid: row.offer_uid,
            submission: row.submission,
            plan_id: row.plan_id,
            principal: row.principal,
            preview: row.preview,
            no_charge: row.no_charge,
            ticket_reference: row.ticket_reference,
            market: row.market,
            charge: row.charge,
            create_time: row.create_time,
        },
    });
    Ok(listed.collect())
}

/// Moves an acquisition on. An error where it is not in a state that leads there.
pub async fn advance(db: &mut PgConnection, id: Uuid, to: State) -> Result<()> {
    let from: Vec<String> = [State::Created, State::Resolved, State::Canceled]
        .into_iter()
        .filter(|state| state.next().contains(&to))
        .map(|state| state.as_str().to_owned())
        .collect();
    let done = sqlx::query!(
        "UPDATE offer_catalog.acquisitions SET state = $2 WHERE acquisition_id = $1 AND state = ANY ($3)",
        id,
        to.as_str(),
        &from
    )
    .execute(db)
    .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(Error::corrupt("the order can't be moved on"))
    }
}
