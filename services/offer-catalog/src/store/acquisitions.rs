//! Rows of acquisitions.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::acquisition::{Acquisition, State};
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
