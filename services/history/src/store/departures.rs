//! Who left a publisher lately (IB-3).

use sqlx::PgConnection;

use crate::domain::Departure;
use crate::error::Error;

/// Notes who left and who is there again, and forgets what was noted an hour ago: no name is kept that long.
pub async fn note_departures(db: &mut PgConnection, departures: &[Departure]) -> Result<(), Error> {
    let mut publishers = Vec::new();
    let mut principals = Vec::new();
    let (mut gone, mut times) = (Vec::new(), Vec::new());
    for one in departures {
        publishers.push(one.publisher.clone());
        principals.push(one.principal.clone());
        gone.push(one.gone);
        times.push(one.changed_at);
    }
    sqlx::query!("DELETE FROM history.departures WHERE noted_at < now() - interval '1 hour'")
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        "INSERT INTO history.departures AS d (publisher, principal, gone, changed_at)
         SELECT DISTINCT ON (publisher, principal) publisher, principal, gone, changed_at
         FROM unnest($1::text[], $2::text[], $3::boolean[], $4::timestamptz[])
              WITH ORDINALITY AS n (publisher, principal, gone, changed_at, nth)
         ORDER BY publisher, principal, changed_at DESC, nth DESC
         ON CONFLICT (publisher, principal) DO UPDATE
           SET gone = excluded.gone, changed_at = excluded.changed_at, noted_at = now()
           WHERE d.changed_at <= excluded.changed_at",
        &publishers,
        &principals,
        &gone,
        &times
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Those of these principals who have left.
pub async fn departed(
    db: &mut PgConnection,
    publisher: &str,
    principals: &[String],
) -> Result<Vec<String>, Error> {
    let found = sqlx::query_scalar!(
        "SELECT principal FROM history.departures WHERE publisher = $1 AND principal = ANY ($2) AND gone",
        publisher,
        principals
    )
    .fetch_all(db)
    .await?;
    Ok(found)
}
