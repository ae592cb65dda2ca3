//! Something to tell, before it is known to whom and in which words.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::Code;

/// Who did it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// "{issuer}|{subject}".
    User(String),
    /// The marketplace's staff: its brand, never a name (IB-2).
    Operator,
    #[default]
    System,
}

/// On the way to preview or to live.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    #[default]
    Preview,
    Live,
}

/// What the text of a notification needs; only what its code asks for is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The offer's title; empty where no event has named it.
    pub title: String,
    pub by: By,
    pub leg: Leg,
    pub step: String,
    pub reason: String,
    /// Resource name of a report.
    pub report: String,
    pub warnings: u32,
    /// Empty: about the whole offer.
    pub plan: String,
    #[serde(with = "time::serde::rfc3339::option")]
    pub effective_at: Option<OffsetDateTime>,
    /// Which of the things that share a code.
    pub variant: Variant,
}

/// Things that share a code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variant {
    #[default]
    Plain,
    /// N02: an operator withdrew the preview (T36).
    PreviewWithdrawn,
    /// N02: the time to go live came and it wasn't possible (T40).
    GoLiveDropped,
    /// N04 again, long after (A39).
    Reminder,
    /// N12: distribution goes on (N12r).
    Resumed,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub id: Uuid,
    /// What it is told of; with the code it is unique.
    pub cause: String,
    pub code: Code,
    pub about: About,
    pub facts: Facts,
    pub occurred_at: OffsetDateTime,
    /// Set: the action it asks for was taken before anybody was told.
    pub resolved_at: Option<OffsetDateTime>,
}

/// The offer, and which of its submissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    /// Id of the publisher.
    pub publisher: String,
    /// Resource name.
    pub offer: String,
    pub offer_uid: Uuid,
    /// Resource name; empty where it is about no submission.
    pub submission: String,
}

/// The offer as its lists know it: its name can be used again after a delete, its system id can't (NO-4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    pub uid: Uuid,
    /// Resource name.
    pub name: String,
}

/// Actions that are nothing to do any more. Late news ends none that came up since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolve {
    pub offer_uid: Uuid,
    pub codes: &'static [Code],
    pub of: Of,
    pub at: OffsetDateTime,
}

/// Which submissions of the offer an end is about; by resource name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Of {
    Every,
    Only(String),
    /// Those of this one still stand.
    Others(String),
}

impl Of {
    fn takes(&self, submission: &str) -> bool {
        match self {
            Of::Every => true,
            Of::Only(only) => submission == only,
            Of::Others(but) => submission != but,
        }
    }
}

impl Resolve {
    /// Whether it ends this one.
    pub fn ends(&self, notice: &Notice) -> bool {
        notice.about.offer_uid == self.offer_uid
            && self.codes.contains(&notice.code)
            && self.of.takes(&notice.about.submission)
            && notice.occurred_at <= self.at
    }
}

/// What an event means to this context, in the order it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    Tell(Box<Notice>),
    Resolve(Resolve),
    /// One side of a preview that waits for sign-off.
    Preview(Box<PreviewSide>),
    /// Nobody is to sign off the preview any more.
    Closed(Closed),
    /// A member can no longer hear of submissions (NO-6).
    Ineligible {
        publisher: String,
        principal: String,
        at: OffsetDateTime,
    },
    /// The offer is gone, and its lists with it (NO-4).
    OfferDeleted(Uuid),
}

/// A submission whose preview is signed off, live, withdrawn, or has made way for a newer one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    pub offer_uid: Uuid,
    /// Resource name.
    pub submission: String,
    pub at: OffsetDateTime,
}

/// What one context tells of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewSide {
    pub about: About,
    /// Publishing: sign-off is reached.
    pub awaits: bool,
    /// The catalog: the links work.
    pub served: bool,
    pub title: String,
    pub warnings: u32,
    pub report: String,
    pub at: OffsetDateTime,
}
