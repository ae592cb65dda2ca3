//! News become notices.

use marketplace_messaging::Work;
use marketplace_runtime::ids;

use crate::domain::{Closed, Code, Facts, News, Notice, PreviewSide, Resolve};
use crate::error::Error;
use crate::store;

/// Whoever tells people is woken by this topic.
pub const NOTICES: &str = "notices";

/// Takes the news of a batch, in order: what a later one resolves is resolved also if it was told in the same batch.
pub async fn hear(db: &mut Work, news: Vec<News>) -> Result<(), Error> {
    let mut notices: Vec<Notice> = Vec::new();
    let mut resolves: Vec<Resolve> = Vec::new();
    let mut closed: Vec<Closed> = Vec::new();
    for one in news {
        match one {
            News::Tell(notice) => notices.push(*notice),
            News::Resolve(resolve) => {
                for notice in notices.iter_mut().filter(|notice| resolve.ends(notice)) {
                    notice.resolved_at.get_or_insert(resolve.at);
                }
                resolves.push(resolve);
            }
            News::Preview(side) => {
                close(db, &mut closed).await?;
                notices.extend(preview(db, *side).await?);
            }
            News::Closed(preview) => closed.push(preview),
            News::Ineligible {
                publisher,
                principal,
                at,
            } => {
                store::remove_ineligible(db, &publisher, &principal, at).await?;
            }
            News::OfferDeleted(uid) => store::remove_audience(db, uid).await?,
        }
    }
    close(db, &mut closed).await?;
    if !resolves.is_empty() {
        store::resolve(db, &resolves).await?;
    }
    if !notices.is_empty() {
        store::insert(db, &notices).await?;
        db.wake(NOTICES);
    }
    Ok(())
}

/// Notes which previews nobody is to sign off any more; nothing is left to note then.
async fn close(db: &mut Work, closed: &mut Vec<Closed>) -> Result<(), Error> {
    if !closed.is_empty() {
        store::close_previews(db, closed).await?;
        closed.clear();
    }
    Ok(())
}

/// The request to sign off (N04), once both sides have told: publishing that it waits, the catalog that the links work.
/// None where that comes too late: the catalog's news takes a hop more than that of a sign-off.
async fn preview(db: &mut Work, side: PreviewSide) -> Result<Option<Notice>, Error> {
    let known = store::merge(db, &side).await?;
    let Some(since) = known.awaits_since.filter(|_| known.served && !known.closed) else {
        return Ok(None);
    };
    let facts = Facts {
        title: known.title,
        warnings: known.warnings.unsigned_abs(),
        report: known.report,
        ..Facts::default()
    };
    Ok(Some(Notice {
        id: ids::new_id(),
        // Once per submission, whatever comes again.
        cause: format!("preview:{}", side.about.submission),
        code: Code::PreviewReady,
        about: side.about,
        facts,
        // Publishing's own time, as that of the sign-off which ends it.
        occurred_at: since,
        resolved_at: None,
    }))
}
