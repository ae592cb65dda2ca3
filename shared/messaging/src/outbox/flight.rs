//! Publishes that the broker has not answered yet, and what its answers mean.
//!
//! RabbitMQ returns an unroutable message first and confirms it afterwards like any other. lapin hands a returned message
//! to whichever confirm is completed next, not to its own, and completes the confirms of a multiple ack in any order. So
//! neither an ack without a message proves that the publish was routed, nor one with a message that it wasn't: what was
//! returned is known by the message's id. Since returns come in the order of the publishes, each before its own confirm,
//! and each confirm takes the oldest waiting return, every return up to a publish has been handed out once that publish
//! and all before it are confirmed. Publishes are therefore judged strictly in order.

use std::{
    collections::{HashSet, VecDeque},
    future::Future,
    pin::Pin,
};

use futures::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use lapin::Confirmation;
use uuid::Uuid;

use super::Row;

type Confirm = Pin<Box<dyn Future<Output = (u64, lapin::Result<Confirmation>)> + Send>>;

/// Publishes on their way, in order.
#[derive(Default)]
pub(super) struct Flight {
    /// Number of the first slot.
    first: u64,
    slots: VecDeque<Slot>,
    confirms: FuturesUnordered<Confirm>,
    returned: HashSet<Uuid>,
}

struct Slot {
    row: Row,
    acked: Option<bool>,
}

/// What became of a publish.
pub(super) enum Judged {
    /// The broker has it in every queue that is bound for it.
    Published(Row),
    /// No queue was bound (returned), or a queue or the broker refused it (nacked).
    Refused { row: Row, returned: bool },
}

impl Flight {
    /// Number of publishes without an answer.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Notes a publish. Must be called in the order of the publishes of one channel.
    pub(super) fn add(
        &mut self,
        row: Row,
        confirm: impl Future<Output = lapin::Result<Confirmation>> + Send + 'static,
    ) {
        let number = self.first + self.slots.len() as u64;
        self.slots.push_back(Slot { row, acked: None });
        self.confirms.push(Box::pin(
            confirm.map(move |confirmation| (number, confirmation)),
        ));
    }

    /// Waits for the next answers; judges what can be judged now. Cancel safe. Pends while nothing is on its way.
    pub(super) async fn judged(&mut self) -> lapin::Result<Vec<Judged>> {
        let Some((number, confirmation)) = self.confirms.next().await else {
            return std::future::pending().await;
        };
        self.note(number, confirmation?);
        // All that have come are noted before anything is judged: one of them may carry the return of another.
        while let Some(Some((number, confirmation))) = self.confirms.next().now_or_never() {
            self.note(number, confirmation?);
        }
        Ok(self.judge())
    }

    fn note(&mut self, number: u64, confirmation: Confirmation) {
        let slot = usize::try_from(number - self.first)
            .ok()
            .and_then(|index| self.slots.get_mut(index));
        if let Some(slot) = slot {
            slot.acked = Some(confirmation.is_ack());
        }
        if let Some(message) = confirmation.take_message() {
            let id = message
                .delivery
                .properties
                .message_id()
                .as_ref()
                .and_then(|id| Uuid::try_parse(id.as_str()).ok());
            self.returned.extend(id);
        }
    }

    fn judge(&mut self) -> Vec<Judged> {
        let mut judged = Vec::new();
        while let Some(acked) = self.slots.front().and_then(|slot| slot.acked)
            && let Some(Slot { row, .. }) = self.slots.pop_front()
        {
            self.first += 1;
            let returned = self.returned.remove(&row.event_id);
            judged.push(if acked && !returned {
                Judged::Published(row)
            } else {
                Judged::Refused { row, returned }
            });
        }
        judged
    }
}
