//! PublishOffer: the one synchronous write across contexts. Freeze, then lock and check again; at most three times. After a
//! refusal what was frozen is given back, so that offer and plans can be deleted as if nothing had been (T04, T34).

use marketplace_messaging::Work;
use marketplace_proto::publishing::v1 as pb;
use marketplace_runtime::access::Scope;
use marketplace_runtime::clock;
use marketplace_runtime::ids::OfferName;
use marketplace_runtime::telemetry::Trace;
use tonic::Status;
use uuid::Uuid;

use super::{Grpc, named};
use crate::commands::{self, Submit};
use crate::domain::{Freeze, Offering, Profile, Publish, Refusal};
use crate::error::Error;
use crate::neighbours::FreezeOrder;
use crate::{store, wire};

/// How often the content is frozen again because stops, restores or the newest submission changed meanwhile.
const REFREEZES: usize = 3;

impl Grpc {
    /// Under this submission id, which is that of the first try where a twin goes on.
    pub(super) async fn publish(
        &self,
        scope: Scope,
        wanted: wire::Publish,
        submission: Uuid,
    ) -> Result<(Work, pb::PublishOfferResponse), Status> {
        let offer = wanted.offer.clone();
        let mut frozen = false;
        let done = self.submit(&scope, wanted, submission, &mut frozen).await;
        if done.is_err() && frozen {
            self.give_back(&scope, &offer, submission).await;
        }
        done.map_err(|error| named(error, &offer).into())
    }

    /// Gives back what was frozen for a submission that isn't to be. The claim is still held, so that no twin freezes under
    /// the same id; one that took it over while we were slow may have made the submission already: then it stays.
    async fn give_back(&self, scope: &Scope, offer: &OfferName, submission: Uuid) {
        let given_back = async {
            let mut db = self.db.acquire().await?;
            let made = store::find_submission(&mut db, scope, &offer.offer, submission).await?;
            drop(db);
            if made.is_some() {
                return Ok(());
            }
            let name = offer.submission(submission).to_string();
            self.catalog.release_freeze(&name).await
        };
        if let Err(error) = given_back.await {
            // The news of the next submission closes it.
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, submission.id = %submission, "a freeze stays open");
        }
    }

    async fn submit(
        &self,
        scope: &Scope,
        wanted: wire::Publish,
        submission: Uuid,
        frozen: &mut bool,
    ) -> Result<(Work, pb::PublishOfferResponse), Error> {
        let mut known = self.known(scope, &wanted).await?;
        self.look(scope, &wanted, known.as_ref(), submission)
            .await?;
        for _ in 0..=REFREEZES {
            let freeze = known.as_ref().map(Offering::freeze).unwrap_or_default();
            let fixed = self.freeze(&wanted, &freeze, submission, false).await;
            // What the catalogue itself refuses it hasn't frozen; whatever else fails may have come after it.
            *frozen |= !matches!(fixed, Err(Error::Told(_) | Error::NotFound { .. }));
            let (profile, offer_uid) = fixed?;
            let publish = command(scope, &wanted, profile, freeze, submission);
            let submit = Submit {
                offer: wanted.offer.offer.clone(),
                offer_uid,
                publish,
                quotas: self.quotas,
            };
            let mut work = Work::begin(&self.db).await?;
            match commands::submit(&mut work, &self.steps, scope, submit, clock::now()).await {
                Err(Error::Refused(Refusal::FreezeOutdated)) => drop(work),
                Err(error) => return Err(error),
                Ok(offering) => {
                    let answer = pb::PublishOfferResponse {
                        submission: Some(self.submission(&offering, submission)),
                        publication: Some(wire::publication(&offering)),
                    };
                    return Ok((work, answer));
                }
            }
            known = self.known(scope, &wanted).await?;
        }
        Err(Error::ConcurrentChange)
    }

    /// The publication as read without a lock; refuses at once what would be refused later.
    async fn known(
        &self,
        scope: &Scope,
        wanted: &wire::Publish,
    ) -> Result<Option<Offering>, Error> {
        let mut db = self.db.acquire().await?;
        let known = store::find_offer(&mut db, scope, &wanted.offer.offer).await?;
        if let Some(offering) = &known {
            offering.may_publish(wanted.supersede)?;
        }
        Ok(known)
    }

    /// Where the content decides about a refusal, looks at it first: a real freeze marks the offer.
    async fn look(
        &self,
        scope: &Scope,
        wanted: &wire::Publish,
        known: Option<&Offering>,
        submission: Uuid,
    ) -> Result<(), Error> {
        let republished = known.is_some_and(|offering| offering.publication().latest.is_some());
        // RO-9 refuses some contents only: with valid profiles none.
        let paid_out = self.catalog.check_payout(&wanted.offer.publisher).await;
        if !wanted.validate_only
            && !wanted.notes.trim().is_empty()
            && (wanted.confirm || !republished)
            && paid_out.is_ok()
        {
            return Ok(());
        }
        let mut db = self.db.acquire().await?;
        let beyond = store::beyond(&mut db, scope, known, &self.quotas, clock::now()).await?;
        drop(db);
        if let Some(exceeded) = beyond.into_iter().next() {
            return Err(exceeded.into());
        }
        let freeze = known.map(Offering::freeze).unwrap_or_default();
        let (profile, offer_uid) = self.freeze(wanted, &freeze, submission, true).await?;
        let publish = command(scope, wanted, profile, freeze, submission);
        let first = Offering::unpublished(
            offer_uid,
            &wanted.offer.publisher,
            &wanted.offer.offer,
            clock::now(),
        );
        Ok(known.unwrap_or(&first).check_publish(&publish)?)
    }

    async fn freeze(
        &self,
        wanted: &wire::Publish,
        freeze: &Freeze,
        submission: Uuid,
        dry_run: bool,
    ) -> Result<(Profile, Uuid), Error> {
        let (offer, name) = (
            wanted.offer.to_string(),
            wanted.offer.submission(submission).to_string(),
        );
        let order = FreezeOrder {
            offer: &offer,
            submission: &name,
            etag: &wanted.etag,
            source: &wanted.source,
            freeze,
            dry_run,
            keep_snapshot: false,
        };
        let answer = self.catalog.freeze(order).await?;
        let offer_uid = Uuid::try_parse(&answer.offer_uid);
        let offer_uid =
            offer_uid.map_err(|_| Error::Corrupt("the catalogue's profile names no offer"))?;
        if answer.transactable {
            self.catalog.check_payout(&wanted.offer.publisher).await?;
        }
        Ok((wire::profile(answer)?, offer_uid))
    }

    /// `validate_only`: everything is checked, nothing changes.
    pub(super) async fn validate(
        &self,
        scope: &Scope,
        wanted: wire::Publish,
    ) -> Result<pb::PublishOfferResponse, Error> {
        let checked = async {
            let known = self.known(scope, &wanted).await?;
            self.look(scope, &wanted, known.as_ref(), Uuid::nil())
                .await?;
            Ok(known.as_ref().map(wire::publication))
        };
        let publication = checked.await.map_err(|error| named(error, &wanted.offer))?;
        Ok(pb::PublishOfferResponse {
            submission: None,
            publication,
        })
    }
}

fn command(
    scope: &Scope,
    wanted: &wire::Publish,
    profile: Profile,
    freeze: Freeze,
    id: Uuid,
) -> Publish {
    Publish {
        id,
        profile,
        freeze,
        notes: wanted.notes.clone(),
        confirm: wanted.confirm,
        supersede: wanted.supersede,
        by: wire::actor_of(scope),
        trace: Trace::current(),
    }
}
