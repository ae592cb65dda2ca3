//! Messages that can't be applied, each in the middle of 64 good ones.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use marketplace_messaging::{DeadLetters, Failure, Message, Outgoing, Receive, Work, system};
use marketplace_proto::{
    messaging::v1::{self as pb, DeadLetterState, dead_letter_service_server::DeadLetterService},
    publishing::v1::{PublishingEvent, publishing_event::Event},
};
use marketplace_runtime::{access::Access, clock, status};
use tonic::{Request, Status};
use uuid::Uuid;

use crate::given_up::{Raw, send_raw};
use crate::setup::{CHANGED, DEAD, DOUBLED, EFFECTS, Effects, Setup, caller, changed};

/// The offer whose handling panics.
const PANICS: Uuid = Uuid::from_u128(0xbad);

/// Fails for some messages until repaired.
#[derive(Default)]
struct Fragile {
    repaired: AtomicBool,
}

impl Receive for Fragile {
    async fn receive(&self, work: &mut Work, message: &Message) -> Result<(), Failure> {
        let repaired = self.repaired.load(Ordering::Relaxed);
        match message.decode::<PublishingEvent>()?.event {
            Some(Event::PublicationChanged(_)) => {}
            None if repaired => {}
            None => return Err(Failure::unknown_event()),
        }
        assert!(
            repaired || message.offer_uid() != Some(PANICS),
            "the handler's mistake"
        );
        Effects::write(work, message).await
    }
}

struct Operator(DeadLetters<Fragile>);

impl Operator {
    fn request<T>(message: T) -> Request<T> {
        let mut request = Request::new(message);
        let mut operator = caller("olga");
        operator.roles.operator = true;
        request.extensions_mut().insert(Arc::new(operator));
        request
    }

    async fn list(&self, state: DeadLetterState) -> Vec<pb::DeadLetter> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListDeadLettersRequest {
                page_size: 3,
                page_token,
                state: state as i32,
            };
            let page = self
                .0
                .list_dead_letters(Self::request(request))
                .await
                .unwrap()
                .into_inner();
            all.extend(page.dead_letters);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    async fn replay(&self, id: &str, request_id: &str) -> Result<pb::DeadLetter, Status> {
        let request = pb::ReplayDeadLetterRequest {
            id: id.into(),
            request_id: request_id.into(),
        };
        let answer = self.0.replay_dead_letter(Self::request(request)).await?;
        Ok(answer.into_inner().dead_letter.unwrap())
    }

    async fn discard(
        &self,
        id: &str,
        reason: &str,
        request_id: &str,
    ) -> Result<pb::DeadLetter, Status> {
        let request = pb::DiscardDeadLetterRequest {
            id: id.into(),
            reason: reason.into(),
            request_id: request_id.into(),
        };
        let answer = self.0.discard_dead_letter(Self::request(request)).await?;
        Ok(answer.into_inner().dead_letter.unwrap())
    }
}

#[tokio::test]
async fn each_kind_of_poison_is_set_aside_and_the_rest_is_applied_once() {
    let setup = Setup::new().await;
    let receiver = Arc::new(Fragile::default());
    // Queues exist once a relay ran; the consumer starts when everything waits, so that it comes in one batch.
    let relay = setup.relay(&setup.publishing);
    let good = |n: usize| (0..n).map(|_| changed(Uuid::now_v7())).collect::<Vec<_>>();
    setup.tell(good(16)).await;
    setup.until(crate::setup::WAITING, 0).await;
    // Postgres stores no NUL: one in the type must not keep the letter from being written.
    let raw = [
        Raw::of(b"\xff\xff\xff no protobuf").kind("no\0thing"),
        Raw::of(b"\xff\xff\xff no protobuf and no id").without_id(),
    ];
    send_raw(&setup, "", raw).await;
    let unknown = Outgoing::new(
        CHANGED,
        system(),
        "publishers/contoso",
        clock::now(),
        &PublishingEvent::default(),
    );
    setup
        .tell(
            good(16)
                .into_iter()
                .chain([unknown, changed(PANICS)])
                .chain(good(16)),
        )
        .await;
    // Revision 999 violates a constraint of the receiver's table.
    setup.tell([changed(Uuid::now_v7()).at_revision(999)]).await;
    setup.tell(good(16)).await;
    setup.until(crate::setup::WAITING, 0).await;

    let consumer = setup.consume(&receiver);
    setup.until(DEAD, 5).await;
    setup.until(EFFECTS, 64).await;
    assert_eq!(setup.count(DOUBLED).await, 0);

    let operator = Operator(DeadLetters::new(
        setup.history.clone(),
        Access::local("marketplace.history.v1"),
        Arc::clone(&receiver),
    ));
    let letters = operator.list(DeadLetterState::Unspecified).await;
    let reasons: Vec<_> = letters
        .iter()
        .map(|l| (l.reason.as_str(), l.attempts, l.queue.as_str()))
        .collect();
    for (reason, attempts, letters) in [
        ("undecodable", 1, 2),
        ("doesn't know", 1, 1),
        ("panicked: the handler's mistake", 5, 1),
        ("effects_revision_check", 5, 1),
    ] {
        let found = reasons
            .iter()
            .filter(|(why, tries, _)| why.contains(reason) && *tries == attempts)
            .count();
        assert_eq!(found, letters, "{reason}: {reasons:?}");
    }

    // Replayed too early: still dead, with one more try. After the repair: applied, once.
    let of = |text: &str| {
        letters
            .iter()
            .find(|l| l.reason.contains(text))
            .unwrap()
            .id
            .clone()
    };
    let refused = operator.replay(&of("panicked"), "1").await.unwrap_err();
    assert_eq!(
        (refused.code(), status::reason(&refused).as_str()),
        (tonic::Code::FailedPrecondition, "STILL_DEAD")
    );
    receiver.repaired.store(true, Ordering::Relaxed);
    // A refusal isn't kept, so that the same request is tried again; a success is, and a repeat is answered with it.
    for (why, id) in [("panicked", "1"), ("doesn't know", "2")] {
        let replayed = operator.replay(&of(why), id).await.unwrap();
        assert_eq!(replayed.state(), DeadLetterState::Replayed);
        assert_eq!(operator.replay(&of(why), id).await.unwrap(), replayed);
        for other in ["3", ""] {
            let refused = operator.replay(&of(why), other).await.unwrap_err();
            assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
        }
    }
    let reused = operator.replay(&of("undecodable"), "1").await.unwrap_err();
    assert_eq!(status::reason(&reused), "REQUEST_ID_REUSED");
    setup.until(EFFECTS, 66).await;
    assert_eq!(setup.count(DOUBLED).await, 0);
    assert!(
        operator
            .list(DeadLetterState::Replayed)
            .await
            .iter()
            .any(|l| l.attempts == 6)
    );

    assert_eq!(
        operator
            .discard(&of("undecodable"), "", "4")
            .await
            .unwrap_err()
            .code(),
        tonic::Code::InvalidArgument
    );
    let discard = async |id| operator.discard(&of("undecodable"), "noise", id).await;
    let discarded = discard("4").await.unwrap();
    assert_eq!(discarded.state(), DeadLetterState::Discarded);
    assert_eq!(discard("4").await.unwrap(), discarded);
    assert_eq!(
        discard("5").await.unwrap_err().code(),
        tonic::Code::FailedPrecondition
    );
    assert_eq!(operator.list(DeadLetterState::Waiting).await.len(), 2);
    relay.stop().await;
    consumer.stop().await;
    setup.end().await;
}

#[tokio::test]
async fn only_operators_see_dead_letters() {
    let setup = Setup::new().await;
    let letters = DeadLetters::new(
        setup.history.clone(),
        Access::local("marketplace.history.v1"),
        Arc::new(Effects),
    );
    let mut request = Request::new(pb::ListDeadLettersRequest::default());
    request.extensions_mut().insert(Arc::new(caller("ada")));
    assert_eq!(
        letters.list_dead_letters(request).await.unwrap_err().code(),
        tonic::Code::PermissionDenied
    );
    let anonymous = Request::new(pb::ListDeadLettersRequest::default());
    assert_eq!(
        letters
            .list_dead_letters(anonymous)
            .await
            .unwrap_err()
            .code(),
        tonic::Code::Unauthenticated
    );
    let unknown = pb::GetDeadLetterRequest {
        id: Uuid::now_v7().to_string(),
    };
    let not_found = letters
        .get_dead_letter(Operator::request(unknown))
        .await
        .unwrap_err();
    assert_eq!(not_found.code(), tonic::Code::NotFound);
    setup.end().await;
}
