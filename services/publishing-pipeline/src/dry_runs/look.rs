//! The first look: whether a publish of the draft would be accepted, and which steps it would have.

use marketplace_messaging::Database;
use marketplace_runtime::access::Scope;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::telemetry::Trace;
use marketplace_runtime::{clock, status};
use tonic::Status;
use uuid::Uuid;

use super::{DryRuns, Stuck};
use crate::domain::{Draft, DryRun, Offering, Publish, PublishRefusal, QuotaExceeded, Refusal};
use crate::error::Error;
use crate::neighbours::FreezeOrder;
use crate::{store, wire};

impl DryRuns {
    /// Freezes the draft for a look and collects what speaks against publishing it, all of it.
    pub(super) async fn look(
        &self,
        db: &Database,
        run: &DryRun,
    ) -> Result<Result<Draft, Stuck>, Error> {
        let mut connection = db.acquire().await?;
        let scope = Scope::system(&run.publisher);
        let known = store::find_offer(&mut connection, &scope, &run.offer).await?;
        let now = clock::now();
        let beyond =
            store::beyond(&mut connection, &scope, known.as_ref(), &self.quotas, now).await?;
        drop(connection);
        let unpublished =
            || Offering::unpublished(run.offer_uid, &run.publisher, &run.offer, clock::now());
        Ok(self
            .judge(run, known.unwrap_or_else(unpublished), beyond)
            .await)
    }

    async fn judge(
        &self,
        run: &DryRun,
        offering: Offering,
        beyond: Vec<QuotaExceeded>,
    ) -> Result<Draft, Stuck> {
        let offer = OfferName::new(&run.publisher, &run.offer);
        let mut draft = Draft::default();
        let freeze = offering.freeze();
        let (name, look) = (offer.to_string(), offer.submission(run.id).to_string());
        let order = FreezeOrder {
            offer: &name,
            submission: &look,
            etag: "",
            source: "",
            freeze: &freeze,
            dry_run: true,
            keep_snapshot: true,
        };
        let frozen = match self.catalog.look(order).await {
            Ok(frozen) => frozen,
            Err(error) => {
                draft.refusals.push(refusal(error, &offer)?);
                return Ok(draft);
            }
        };
        let answer = frozen.profile.unwrap_or_default();
        if Uuid::try_parse(&answer.offer_uid) != Ok(run.offer_uid) {
            // Deleted since, and another made in its place.
            let gone = Error::NotFound {
                kind: "Offer",
                name,
            };
            draft.refusals.push(refusal(gone, &offer)?);
            return Ok(draft);
        }
        let profile = wire::profile(answer).map_err(|error| stuck(&error))?;
        draft.etag = frozen.draft_etag;
        draft.problems = frozen.issues.into_iter().map(wire::page_problem).collect();
        if let Some(refused) = incomplete(draft.problems.len()) {
            draft.refusals.push(refused);
        }
        let publish = Publish {
            id: run.id,
            profile: profile.clone(),
            freeze,
            notes: run.notes.clone(),
            confirm: run.confirm,
            supersede: run.supersede,
            by: run.created_by.clone(),
            trace: Trace::default(),
        };
        let refused = offering.against_publish(&publish).into_iter();
        let refused = refused
            .map(Error::from)
            .chain(beyond.into_iter().map(Error::from));
        for refused in refused {
            draft.refusals.push(refusal(refused, &offer)?);
        }
        if profile.transactable
            && let Err(error) = self.catalog.check_payout(&run.publisher).await
        {
            draft.refusals.push(refusal(error, &offer)?);
        }
        draft.profile = Some(profile);
        Ok(draft)
    }
}

fn incomplete(problems: usize) -> Option<PublishRefusal> {
    (problems > 0).then(|| PublishRefusal {
        reason: "PAGES_INCOMPLETE".to_owned(),
        message: "problems of pages have to be solved first: ReviewOffer tells all of them"
            .to_owned(),
    })
}

/// A refusal in the words of PublishOffer; what is no refusal is the platform's.
fn refusal(error: Error, offer: &OfferName) -> Result<PublishRefusal, Stuck> {
    let error = match error {
        Error::Refused(Refusal::InFlight(id)) => Error::InFlight(offer.submission(id).to_string()),
        other => other,
    };
    match error {
        Error::Refused(Refusal::Broken(_) | Refusal::Missing(_)) => Err(stuck(&error)),
        Error::Refused(_)
        | Error::InFlight(_)
        | Error::PayoutProfile
        | Error::Quota(_)
        | Error::Told(_)
        | Error::NotFound { .. } => {
            let answer = Status::from(error);
            Ok(PublishRefusal {
                reason: status::reason(&answer),
                message: answer.message().to_owned(),
            })
        }
        other => Err(stuck(&other)),
    }
}

/// Publishers read that something is away; what it was is for the log.
fn stuck(error: &Error) -> Stuck {
    tracing::warn!(error = %status::Chain(error), "a draft can't be looked at now");
    Stuck::Platform("the catalogue is not available".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_has_publish_offers_reason_and_a_fault_of_ours_is_none() {
        let offer = OfferName::new("contoso", "db");
        let told = status::failed_precondition("catalog", "SOURCE_LACKS_PLAN", "no", &[]);
        let rows: [(Error, &str); 5] = [
            (Refusal::NotesRequired.into(), "NOTES_REQUIRED"),
            (
                Refusal::InFlight(Uuid::from_u128(1)).into(),
                "SUBMISSION_IN_FLIGHT",
            ),
            (Error::PayoutProfile, "PAYOUT_PROFILE_INVALID"),
            (Error::Told(Box::new(told)), "SOURCE_LACKS_PLAN"),
            (
                Error::NotFound {
                    kind: "Offer",
                    name: "x".into(),
                },
                "NOT_FOUND",
            ),
        ];
        for (error, reason) in rows {
            assert_eq!(refusal(error, &offer).unwrap().reason, reason);
        }
        let away = Box::new(Status::unavailable("relation x"));
        let ours = [
            Error::Neighbour("the catalogue", away),
            Error::Corrupt("x"),
            Refusal::Missing(Uuid::nil()).into(),
        ];
        for error in ours {
            let Err(Stuck::Platform(said)) = refusal(error, &offer) else {
                panic!("not the platform's");
            };
            assert_eq!(said, "the catalogue is not available");
        }
        assert_eq!(incomplete(0), None);
    }
}
