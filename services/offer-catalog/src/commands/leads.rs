//! Customers' leads (PV-9): kept here, delivered by the publishing pipeline.

use marketplace_messaging::Work;
use time::Duration;

use crate::domain::lead::{Lead, MOST_AN_HOUR};
use crate::error::{Error, Result};
use crate::{outgoing, store};

/// Keeps a lead of an offer and tells of it.
pub async fn submit(db: &mut Work, offer: &str, publisher: &str, lead: &Lead) -> Result<()> {
    let hour = lead.create_time - Duration::HOUR;
    let (count, first) = store::leads::since(db, &lead.principal, hour).await?;
    if count >= MOST_AN_HOUR {
        let wait = first.map_or(Duration::HOUR, |first| first - hour);
        return Err(Error::TooManyLeads(wait.unsigned_abs()));
    }
    store::leads::insert(db, lead).await?;
    db.tell(outgoing::lead_submitted(offer, publisher, lead));
    Ok(())
}
