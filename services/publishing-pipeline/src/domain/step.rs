//! The steps that there are (S-1 … S-9), and the record of one (PL-5).

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::state::StepState;

/// Part of a submission before or after sign-off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leg {
    Preview,
    Live,
}

/// The phases as the Offer overview shows them (PH-1 … PH-5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    AutomatedValidation,
    Certification,
    PreviewCreation,
    PublisherSignOff,
    Publish,
}

/// Whose fault a failure is, and so who can mend it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    Publisher,
    Platform,
}

/// S-1 … S-9.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    PurchaseFlow,
    LeadManagement,
    OfferValidation,
    Certification,
    PreviewCreation,
    PublisherSignOff,
    PurchaseFlowLive,
    LeadManagementLive,
    FinalPublish,
}

/// Who carries a step out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executor {
    /// This service, outside any transaction.
    Local,
    /// A neighbour, by an order in an event.
    Order,
    /// The publisher.
    Publisher,
}

/// A duration as the documentation gives it (PL-4): displayed, never a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    pub op: char,
    pub minutes: u32,
    pub label: &'static str,
}

impl StepId {
    pub const ALL: [StepId; 9] = [
        Self::PurchaseFlow,
        Self::LeadManagement,
        Self::OfferValidation,
        Self::Certification,
        Self::PreviewCreation,
        Self::PublisherSignOff,
        Self::PurchaseFlowLive,
        Self::LeadManagementLive,
        Self::FinalPublish,
    ];

    /// As it is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PurchaseFlow => "purchase-flow",
            Self::LeadManagement => "lead-management",
            Self::OfferValidation => "offer-validation",
            Self::Certification => "certification",
            Self::PreviewCreation => "preview-creation",
            Self::PublisherSignOff => "publisher-sign-off",
            Self::PurchaseFlowLive => "purchase-flow-live",
            Self::LeadManagementLive => "lead-management-live",
            Self::FinalPublish => "final-publish",
        }
    }

    /// As it is shown; the same in both legs.
    pub const fn title(self) -> &'static str {
        match self {
            Self::PurchaseFlow | Self::PurchaseFlowLive => "Offer purchase flow setup",
            Self::LeadManagement | Self::LeadManagementLive => {
                "Lead management validation and registration"
            }
            Self::OfferValidation => "Offer validation",
            Self::Certification => "Certification",
            Self::PreviewCreation => "Preview creation",
            Self::PublisherSignOff => "Publisher sign-off",
            Self::FinalPublish => "Final publish",
        }
    }

    pub const fn phase(self) -> Phase {
        match self {
            Self::PurchaseFlow | Self::LeadManagement | Self::OfferValidation => {
                Phase::AutomatedValidation
            }
            Self::Certification => Phase::Certification,
            Self::PreviewCreation => Phase::PreviewCreation,
            Self::PublisherSignOff => Phase::PublisherSignOff,
            Self::PurchaseFlowLive | Self::LeadManagementLive | Self::FinalPublish => {
                Phase::Publish
            }
        }
    }

    pub const fn executor(self) -> Executor {
        match self {
            Self::PurchaseFlow
            | Self::LeadManagement
            | Self::PurchaseFlowLive
            | Self::LeadManagementLive => Executor::Local,
            Self::OfferValidation
            | Self::Certification
            | Self::PreviewCreation
            | Self::FinalPublish => Executor::Order,
            Self::PublisherSignOff => Executor::Publisher,
        }
    }

    pub const fn expected(self) -> Option<Expected> {
        let (op, minutes, label) = match self {
            Self::PurchaseFlow => ('<', 10, "<10 min"),
            Self::LeadManagement => ('<', 15, "<15 min"),
            Self::OfferValidation => ('<', 30, "<30 min"),
            Self::PurchaseFlowLive => ('>', 10, ">10 min"),
            Self::LeadManagementLive => ('>', 15, ">15 min"),
            Self::FinalPublish => ('>', 30, ">30 minutes"),
            Self::Certification | Self::PreviewCreation | Self::PublisherSignOff => return None,
        };
        Some(Expected { op, minutes, label })
    }

    /// Who is asked to carry it out, for people.
    pub const fn neighbour(self) -> &'static str {
        match self {
            Self::OfferValidation | Self::Certification => "certification",
            _ => "the offer catalogue",
        }
    }
}

/// A text that names no step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no step")]
pub struct UnknownStep(pub String);

impl std::str::FromStr for StepId {
    type Err = UnknownStep;

    fn from_str(text: &str) -> Result<Self, UnknownStep> {
        Self::ALL
            .into_iter()
            .find(|id| id.as_str() == text)
            .ok_or_else(|| UnknownStep(text.to_owned()))
    }
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    Info,
    Warning,
    Error,
}

/// Something a step says to the publisher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub level: Level,
    pub text: String,
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
}

/// The most messages that are kept of a step: the newest.
const MESSAGES: usize = 20;
/// The longest message, in characters.
const LONGEST: usize = 500;

/// The record of one step of a submission. What equals its default isn't stored: most steps haven't started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub id: StepId,
    pub leg: Leg,
    #[serde(default)]
    pub state: StepState,
    /// Counts its tries; fences the outcomes of those that are over.
    #[serde(default, skip_serializing_if = "zero")]
    pub attempt: u32,
    #[serde(default, skip_serializing_if = "zero")]
    pub progress: u32,
    /// Failed tries in a row, all of one kind.
    #[serde(default, skip_serializing_if = "zero")]
    pub failed_tries: u32,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub first_failed: Option<OffsetDateTime>,
    /// Who those tries failed by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_by: Option<Fault>,
    /// Sendings of the order of this attempt.
    #[serde(default, skip_serializing_if = "zero")]
    pub sent: u32,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub started: Option<OffsetDateTime>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "time::serde::rfc3339::option"
    )]
    pub ended: Option<OffsetDateTime>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warnings: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn zero(number: &u32) -> bool {
    *number == 0
}

impl Step {
    pub fn new(id: StepId, leg: Leg) -> Self {
        Self {
            id,
            leg,
            state: StepState::NotStarted,
            attempt: 0,
            progress: 0,
            failed_tries: 0,
            first_failed: None,
            failed_by: None,
            sent: 0,
            started: None,
            ended: None,
            messages: Vec::new(),
            warnings: false,
            fault: None,
        }
    }

    /// Keeps the newest messages, each cut to a readable length.
    pub fn say(&mut self, level: Level, text: &str, at: OffsetDateTime) {
        let text: String = text.chars().take(LONGEST).collect();
        if self.messages.last().is_some_and(|last| last.text == text) {
            return;
        }
        self.messages.push(Message { level, text, at });
        let surplus = self.messages.len().saturating_sub(MESSAGES);
        self.messages.drain(..surplus);
    }

    /// "Taking longer than expected" (PL-4): only where the documentation gives an upper bound.
    pub fn late(&self, now: OffsetDateTime) -> bool {
        let Some((started, expected)) = self.started.zip(self.id.expected()) else {
            return false;
        };
        let over = now - started > time::Duration::minutes(i64::from(expected.minutes));
        self.state.active() && expected.op == '<' && over
    }
}
