//! The aggregate: a publication with the submissions that its guards look at. One method per move (in [`super::moves`]);
//! each checks its guard, changes the rows in memory and collects the news.

use time::OffsetDateTime;
use uuid::Uuid;

use super::Refusal;
use super::news::{Ending, Fact, Happening, IncidentNews, News, Order, OrderKind, Transition};
use super::publication::Publication;
use super::state::{StepMove, StepState, SubmissionMove};
use super::step::{Leg, Level, StepId};
use super::submission::{Actor, Submission};
use super::tempo::Moment;

/// A publication, the submissions it refers to, and what is new.
#[derive(Debug)]
pub struct Offering {
    pub(super) publication: Publication,
    pub(super) submissions: Vec<Submission>,
    pub(super) news: News,
}

impl Offering {
    pub fn new(publication: Publication, submissions: Vec<Submission>) -> Self {
        Self {
            publication,
            submissions,
            news: News::default(),
        }
    }

    /// Of an offer that was never published: revision 0, Draft.
    pub fn unpublished(offer_uid: Uuid, publisher: &str, offer: &str, now: OffsetDateTime) -> Self {
        Self::new(
            Publication::new(offer_uid, publisher, offer, now),
            Vec::new(),
        )
    }

    pub fn publication(&self) -> &Publication {
        &self.publication
    }

    pub fn submissions(&self) -> &[Submission] {
        &self.submissions
    }

    pub fn submission(&self, id: Uuid) -> Option<&Submission> {
        self.submissions
            .iter()
            .find(|submission| submission.id == id)
    }

    pub fn news(&self) -> &News {
        &self.news
    }

    /// The snapshot that customers see now.
    pub fn live_submission(&self) -> Option<&Submission> {
        self.publication.live.and_then(|id| self.submission(id))
    }

    /// A time of this offer never runs back, whatever the clocks of replicas say.
    pub fn moment<'a>(&self, moment: Moment<'a>) -> Moment<'a> {
        Moment {
            at: moment.at.max(self.publication.update_time),
            ..moment
        }
    }

    /// Counts the write, and the revision if neighbours are told; false: there is nothing to write.
    pub fn seal(&mut self, at: OffsetDateTime) -> bool {
        if self.news.is_empty() {
            return false;
        }
        self.publication.version += 1;
        self.publication.note_due();
        if self.news.tells() {
            self.publication.revision += 1;
            self.publication.update_time = at;
        }
        true
    }

    pub(super) fn entry<'a>(
        &'a mut self,
        id: Uuid,
        moment: Moment<'a>,
    ) -> Result<Entry<'a>, Refusal> {
        let submission = self
            .submissions
            .iter_mut()
            .find(|s| s.id == id)
            .ok_or(Refusal::Missing(id))?;
        self.news.touch(id);
        Ok(Entry {
            submission,
            news: &mut self.news,
            moment,
        })
    }

    /// A fact about the offer as a whole; `submission` is the one that customers see.
    pub(super) fn tell(&mut self, actor: Actor, fact: Fact, at: OffsetDateTime) {
        let leg = Leg::Live;
        self.news.happened.push(Happening {
            actor,
            at,
            submission: self.publication.live,
            leg,
            fact,
        });
    }

    /// Closes the offer's incident, if one is open.
    pub(super) fn close_incident(&mut self, at: OffsetDateTime) {
        if std::mem::take(&mut self.publication.incident) {
            self.news.incidents.push(IncidentNews::Closed { at });
        }
    }

    /// Takes a scheduled go live away (T41).
    pub(super) fn unschedule(&mut self, actor: Actor, reason: &str, at: OffsetDateTime) {
        if self.publication.schedule.take().is_none() {
            return;
        }
        let fact = Fact::GoLiveUnscheduled {
            reason: reason.to_owned(),
        };
        let submission = self.publication.awaiting_sign_off;
        self.news.happened.push(Happening {
            actor,
            at,
            submission,
            leg: Leg::Preview,
            fact,
        });
    }
}

/// One submission being changed: every change of state is a numbered transition.
pub(super) struct Entry<'a> {
    pub submission: &'a mut Submission,
    pub news: &'a mut News,
    pub moment: Moment<'a>,
}

impl Entry<'_> {
    pub fn tell(&mut self, actor: Actor, fact: Fact) {
        self.tell_of(self.submission.leg, actor, fact);
    }

    fn tell_of(&mut self, leg: Leg, actor: Actor, fact: Fact) {
        self.news.happened.push(Happening {
            actor,
            at: self.moment.at,
            submission: Some(self.submission.id),
            leg,
            fact,
        });
    }

    /// Moves the submission itself.
    pub fn go(&mut self, wanted: SubmissionMove) -> Result<(), Refusal> {
        self.submission.state = self.submission.state.after(wanted)?;
        self.note(None, "", None);
        Ok(())
    }

    /// Moves one of its steps.
    pub fn step_go(
        &mut self,
        place: usize,
        wanted: StepMove,
        message: &str,
    ) -> Result<(), Refusal> {
        let at = self.moment.at;
        let step = &mut self.submission.steps[place];
        step.state = step.state.after(wanted)?;
        let mut took = None;
        if !step.state.active() && step.state != StepState::NotStarted {
            step.ended = Some(at);
            let span = step
                .started
                .map(|started| (at - started).whole_milliseconds());
            took = span
                .filter(|_| step.state == StepState::Complete)
                .and_then(|ms| i64::try_from(ms).ok());
        }
        if step.state == StepState::Complete {
            step.progress = 100;
        }
        self.note(Some(place), message, took);
        Ok(())
    }

    /// A transition: of the step at `place`, or of the submission.
    pub fn note(&mut self, place: Option<usize>, message: &str, took_ms: Option<i64>) {
        self.submission.transition += 1;
        let step = place.map(|place| &self.submission.steps[place]);
        self.news.transitions.push(Transition {
            submission: self.submission.id,
            number: self.submission.transition,
            at: self.moment.at,
            step: step.map(|step| (step.id, step.state)),
            state: self.submission.state,
            message: message.to_owned(),
            took_ms,
        });
    }

    /// Ends a step and adds its row to the history.
    pub fn end_step(
        &mut self,
        place: usize,
        wanted: StepMove,
        ending: Ending,
    ) -> Result<(), Refusal> {
        self.step_go(place, wanted, "")?;
        let step = &mut self.submission.steps[place];
        step.warnings = ending == Ending::Warnings;
        let (id, started, leg) = (step.id, step.started, step.leg);
        self.submission.holder = None;
        self.submission.due_at = None;
        let (step, name) = (id.as_str().to_owned(), id.title().to_owned());
        // The step's own leg: the sign-off ends the preview leg in the move that begins the live one.
        self.tell_of(
            leg,
            Actor::system(),
            Fact::StepEnded {
                step,
                name,
                ending,
                started,
                plan: String::new(),
            },
        );
        Ok(())
    }

    /// A new attempt of a step of ours, handed to this process.
    pub fn hand(&mut self, place: usize) {
        self.submission.steps[place].attempt += 1;
        self.submission.holder = Some(self.moment.runner);
        self.submission.due_at = self.deadline(place);
        if !self.news.handed.contains(&self.submission.id) {
            self.news.handed.push(self.submission.id);
        }
    }

    /// Sends the order of a step: for the first time with a new attempt, or again with the same.
    pub fn order(&mut self, place: usize, new_attempt: bool) {
        let waits = self.submission.steps[place].state == StepState::WaitingForApproval;
        let (at, tempo) = (self.moment.at, self.moment.tempo);
        let step = &mut self.submission.steps[place];
        if new_attempt {
            step.attempt += 1;
            step.sent = 0;
        }
        step.sent += 1;
        let pause = if waits {
            tempo.resend_waiting
        } else {
            tempo.resend_after(step.sent)
        };
        let (id, attempt) = (step.id, step.attempt);
        self.submission.due_at = Some(
            self.deadline(place)
                .map_or(at + pause, |deadline| deadline.min(at + pause)),
        );
        let submission = self.submission.id;
        if let Some(kind) = self.order_kind(id) {
            self.news.orders.push(Order {
                submission,
                step: id.as_str(),
                attempt,
                kind,
            });
        }
    }

    fn order_kind(&self, id: StepId) -> Option<OrderKind> {
        match id {
            StepId::OfferValidation => Some(OrderKind::Validate),
            StepId::Certification => Some(OrderKind::Certify {
                leg: self.submission.leg,
            }),
            StepId::PreviewCreation => Some(OrderKind::PreparePreview),
            StepId::FinalPublish => {
                let certified = self.submission.certified_digest.clone().unwrap_or_default();
                let signed_off = self
                    .submission
                    .signed_off
                    .as_ref()
                    .map(|s| s.digest.clone())
                    .unwrap_or_default();
                Some(OrderKind::Activate {
                    certified,
                    signed_off,
                })
            }
            _ => None,
        }
    }

    /// Tells neighbours that the submission is over for them.
    pub fn withdraw_orders(&mut self) {
        let step = self
            .submission
            .active_step()
            .map_or(("", 0), |step| (step.id.as_str(), step.attempt));
        let submission = self.submission.id;
        self.news.orders.push(Order {
            submission,
            step: step.0,
            attempt: step.1,
            kind: OrderKind::Cancel,
        });
    }

    /// When the step fails by itself; never while a person is waited for.
    pub fn deadline(&self, place: usize) -> Option<OffsetDateTime> {
        let step = &self.submission.steps[place];
        let waits = matches!(
            step.state,
            StepState::WaitingForApproval | StepState::WaitingForPublisherReview
        );
        step.started
            .filter(|_| !waits)
            .map(|started| started + self.moment.tempo.hard_deadline)
    }

    pub fn say(&mut self, place: usize, level: Level, text: &str) {
        self.submission.steps[place].say(level, text, self.moment.at);
    }
}
