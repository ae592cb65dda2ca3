//! The other door in: what neighbours answer to our orders, and customers' leads.

use marketplace_messaging::{Failure, Message, Receive, Subscription, Work, topology};
use marketplace_proto::certification::v1::{CertificationEvent, certification_event as cert};
use marketplace_proto::offercatalog::v1::{OfferCatalogEvent, offer_catalog_event as cat};
use marketplace_runtime::clock;
use marketplace_runtime::ids::SubmissionName;
use uuid::Uuid;

use crate::commands;
use crate::domain::{Answer, STOP_DISTRIBUTION, StepId, Trouble};
use crate::steps::{Outcome, Steps};
use crate::{leads, store};

pub const SUBSCRIPTION: Subscription = topology::PUBLISHING_PIPELINE;

const LEAD_SUBMITTED: &str = "offercatalog.v1.lead_submitted";

/// Receives answers, and leads to deliver. The statement that reads the offers also locks them, in the order of their ids, so there is
/// nothing to lock before.
pub struct Incoming {
    steps: Steps,
}

impl Incoming {
    pub fn new(steps: Steps) -> Self {
        Self { steps }
    }
}

impl Receive for Incoming {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        self.receive_all(work, std::slice::from_ref(message)).await
    }

    /// All answers of a batch are applied with one read and one write.
    async fn receive_all(&self, work: &mut Work, messages: &[Message]) -> Result<(), Failure> {
        let mut outcomes = Vec::with_capacity(messages.len());
        let mut leads = Vec::new();
        for message in messages {
            match message.kind.as_str() {
                LEAD_SUBMITTED => leads.push(lead(message)?),
                _ => outcomes.extend(read(message)?),
            }
        }
        if !leads.is_empty() {
            store::put_leads(work, &leads, clock::now()).await?;
            work.wake(leads::TOPIC);
        }
        if outcomes.is_empty() {
            return Ok(());
        }
        Ok(commands::outcomes(work, &self.steps, &outcomes, clock::now()).await?)
    }
}

/// A lead to deliver, with its offer.
fn lead(message: &Message) -> Result<(Uuid, Uuid), Failure> {
    let Some(cat::Event::LeadSubmitted(event)) = message.decode::<OfferCatalogEvent>()?.event
    else {
        return Err(Failure::unknown_event());
    };
    let lead = event
        .lead
        .strip_prefix("leads/")
        .and_then(|id| Uuid::try_parse(id).ok());
    let lead = lead.ok_or_else(|| Failure::dead("a lead without a name"))?;
    let offer = message.offer_uid();
    let offer = offer.ok_or_else(|| Failure::dead("a lead that names no offer"))?;
    Ok((lead, offer))
}

/// (submission, step, attempt) as the answer repeats it.
struct Key(String, String, u32);

fn read(message: &Message) -> Result<Option<Outcome>, Failure> {
    let answered = if message.kind.starts_with("certification.") {
        certification(message)?
    } else {
        catalog(message)?
    };
    let Some((Key(submission, step, attempt), answer)) = answered else {
        return Ok(None);
    };
    let submission = SubmissionName::parse(&submission, "order.submission")
        .and_then(|name| name.id("order.submission"));
    let submission: Uuid = submission.map_err(|wrong| Failure::dead(wrong.to_string()))?;
    let step = match step.as_str() {
        STOP_DISTRIBUTION => None,
        step => Some(
            step.parse::<StepId>()
                .map_err(|wrong| Failure::dead(wrong.to_string()))?,
        ),
    };
    if step.is_none() && matches!(answer, Answer::Trouble(_) | Answer::Superseded) {
        // The removal is ordered again by the sweep, however often it fails.
        return Ok(None);
    }
    let offer_uid = message
        .offer_uid()
        .ok_or_else(|| Failure::dead("an answer that names no offer"))?;
    Ok(Some(Outcome {
        offer_uid,
        submission,
        step,
        attempt,
        answer,
        chain: None,
        span: message.span().clone(),
    }))
}

fn certification(message: &Message) -> Result<Option<(Key, Answer)>, Failure> {
    use cert::Event as E;
    let (order, answer) = match message.decode::<CertificationEvent>()?.event {
        Some(E::ValidationCompleted(e)) => (
            e.order,
            Answer::Validated {
                warnings: e.warnings,
                report: e.report,
            },
        ),
        Some(E::CertificationPassed(e)) => (
            e.order,
            Answer::Certified {
                digest: e.digest,
                with_notes: e.with_notes,
            },
        ),
        Some(E::CertificationFailed(e)) => (
            e.order,
            Answer::NotCertified {
                report: e.report,
                summary: e.summary,
            },
        ),
        Some(E::OrderImpossible(e)) => (e.order, failed(&e.reason, &e.message)),
        Some(E::CertificationProgressed(e)) => (
            e.order,
            Answer::Progressed {
                progress: e.progress,
                message: e.message,
                waits: e.waits_for_reviewer,
            },
        ),
        None => return Err(Failure::unknown_event()),
    };
    let order = order.ok_or_else(|| Failure::dead("an answer that names no order"))?;
    Ok(Some((
        Key(order.submission, order.step, order.attempt),
        answer,
    )))
}

fn catalog(message: &Message) -> Result<Option<(Key, Answer)>, Failure> {
    use cat::Event as E;
    let (order, answer) = match message.decode::<OfferCatalogEvent>()?.event {
        Some(E::PreviewPrepared(e)) => (e.order, Answer::Prepared { digest: e.digest }),
        Some(E::OfferActivated(e)) => (e.order, Answer::Activated { digest: e.digest }),
        Some(E::OfferRemoved(e)) => (e.order, Answer::Done(String::new())),
        Some(E::OrderSuperseded(e)) => (e.order, Answer::Superseded),
        Some(E::OrderFailed(e)) => (e.order, failed(&e.reason, &e.message)),
        // Of keys that we don't bind.
        Some(_) => return Ok(None),
        None => return Err(Failure::unknown_event()),
    };
    let order = order.ok_or_else(|| Failure::dead("an answer that names no order"))?;
    Ok(Some((
        Key(order.submission, order.step, order.attempt),
        answer,
    )))
}

/// An order that a neighbour can't carry out: tried again, unless what is there isn't what was frozen (PB-1).
fn failed(reason: &str, message: &str) -> Answer {
    let why = format!("{reason}: {message}");
    Answer::Trouble(if reason == "DIGEST_MISMATCH" {
        Trouble::Mismatch(why)
    } else {
        Trouble::Platform(why)
    })
}
