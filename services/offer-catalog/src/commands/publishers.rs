//! Publishers come and get their facts.

use marketplace_messaging::Work;
use marketplace_runtime::access::Scope;
use time::OffsetDateTime;

use crate::domain::publisher::{Member, Programme, Publisher};
use crate::error::{Error, Result};
use crate::{outgoing, store};

/// Creates a publisher with its first owner (RO-4).
pub async fn create(
    db: &mut Work,
    scope: &Scope,
    publisher: &Publisher,
    owner: &Member,
) -> Result<()> {
    if !store::publishers::insert(db, publisher).await? {
        let name = format!("publishers/{}", publisher.id);
        return Err(Error::AlreadyExists {
            kind: "Publisher",
            name,
        });
    }
    if !store::members::insert(db, owner).await? {
        return Err(Error::corrupt("a new publisher has a member"));
    }
    db.tell(outgoing::member_changed(
        scope,
        owner,
        false,
        owner.create_time,
    ));
    Ok(())
}

/// New programme facts (BE-1 … BE-7).
pub struct NewFacts<'a> {
    pub publisher: &'a str,
    pub programme: Programme,
    pub etag: Option<i64>,
}

/// Replaces what the marketplace knows of a publisher.
pub async fn update_programme_facts(
    db: &mut Work,
    new: NewFacts<'_>,
    now: OffsetDateTime,
) -> Result<Publisher> {
    let found = store::publishers::lock(db, new.publisher).await?;
    let name = format!("publishers/{}", new.publisher);
    let mut publisher = found.ok_or_else(|| Error::not_found("Publisher", name))?;
    if new.etag.is_some_and(|etag| etag != publisher.revision) {
        return Err(Error::StaleEtag {
            current: publisher.revision.to_string(),
        });
    }
    publisher.programme = new.programme;
    publisher.revision += 1;
    publisher.update_time = now;
    store::publishers::save(db, &publisher).await?;
    Ok(publisher)
}
