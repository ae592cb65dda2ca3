//! What the publishing pipeline asks of the catalogue, and what it is answered. Equal keys mean the same order: it is
//! carried out once and answered as often as it is asked for.

use uuid::Uuid;

/// Which order an answer is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrderKey {
    pub submission: Uuid,
    pub step: String,
    pub attempt: i64,
}

/// Something to be done to an offer's listings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub key: OrderKey,
    pub offer_uid: Uuid,
    /// Digest of the submission's snapshot.
    pub digest: String,
    /// An order older than the last applied changes nothing.
    pub publication_revision: i64,
    pub wanted: Wanted,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// S5-1: make the preview, serve it to nobody yet.
    Preview,
    /// PB-1, S9-1: compare and serve to customers.
    Activation {
        certified: String,
        signed_off: String,
    },
    /// T27: take the offer out of the marketplace.
    Removal,
}

impl Wanted {
    /// As it is stored.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Wanted::Preview => "preview",
            Wanted::Activation { .. } => "activation",
            Wanted::Removal => "removal",
        }
    }
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Digest of the prepared rows, encoded anew.
    PreviewPrepared {
        digest: String,
    },
    /// Digest of the rows and content that customers see now, encoded anew.
    OfferActivated {
        digest: String,
    },
    OfferRemoved,
    /// A newer order was applied before; nothing was changed.
    Superseded,
    /// It can't be carried out; nothing was changed.
    Failed {
        reason: String,
        message: String,
    },
}

impl Answer {
    /// PB-1: what would be served is not what was certified and signed off.
    pub fn mismatch(message: impl Into<String>) -> Self {
        Self::Failed {
            reason: "DIGEST_MISMATCH".into(),
            message: message.into(),
        }
    }

    /// The snapshot or the listing that the order needs is not there.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::Failed {
            reason: "MISSING".into(),
            message: message.into(),
        }
    }

    /// As it is stored.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Answer::PreviewPrepared { .. } => "preview_prepared",
            Answer::OfferActivated { .. } => "offer_activated",
            Answer::OfferRemoved => "offer_removed",
            Answer::Superseded => "superseded",
            Answer::Failed { .. } => "failed",
        }
    }
}

/// PB-1: all of these must be one and the same digest. Answers what differs, if anything does.
pub fn difference(
    recomputed: &str,
    wanted: &str,
    certified: &str,
    signed_off: &str,
) -> Option<String> {
    let others = [
        ("the submission's", wanted),
        ("the certified", certified),
        ("the signed-off", signed_off),
    ];
    let (whose, other) = others
        .into_iter()
        .find(|(_, digest)| *digest != recomputed)?;
    Some(format!(
        "what would be served has digest {recomputed}, {whose} is {other}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pb1_any_digest_that_differs_is_a_difference() {
        assert_eq!(difference("a", "a", "a", "a"), None);
        for (wanted, certified, signed_off) in [
            ("b", "a", "a"),
            ("a", "b", "a"),
            ("a", "a", "b"),
            ("a", "", "a"),
        ] {
            assert!(difference("a", wanted, certified, signed_off).is_some());
        }
    }

    /// Rows hold these names; another one would be refused by the table, or lost.
    #[test]
    fn orders_and_answers_are_stored_under_these_names() {
        let digest = String::new;
        let activation = Wanted::Activation {
            certified: digest(),
            signed_off: digest(),
        };
        let wanted = [Wanted::Preview, activation, Wanted::Removal];
        assert_eq!(
            wanted.map(|wanted| wanted.as_str()),
            ["preview", "activation", "removal"]
        );
        for (answer, stored) in [
            (
                Answer::PreviewPrepared { digest: digest() },
                "preview_prepared",
            ),
            (
                Answer::OfferActivated { digest: digest() },
                "offer_activated",
            ),
            (Answer::OfferRemoved, "offer_removed"),
            (Answer::Superseded, "superseded"),
            (Answer::mismatch("differs"), "failed"),
            (Answer::missing("gone"), "failed"),
        ] {
            assert_eq!(answer.as_str(), stored);
        }
    }
}
