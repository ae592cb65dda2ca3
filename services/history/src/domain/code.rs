//! What a row says: its code, how a step ended, and in which leg.

use std::str::FromStr;

/// A stored text that means nothing to this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no {1}")]
pub struct Unknown(pub String, pub &'static str);

/// An enum that is stored as text: every value, its text, and back.
macro_rules! stored {
    ($(#[$doc:meta])* $name:ident($what:literal) { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// As it is stored.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = Unknown;

            fn from_str(text: &str) -> Result<Self, Unknown> {
                Self::ALL.iter().copied().find(|v| v.as_str() == text).ok_or_else(|| Unknown(text.to_owned(), $what))
            }
        }
    };
}
pub(crate) use stored;

stored! {
    /// The type of a row (the table of the history page).
    Code("code of a row") {
        CreatedOffer = "H01",
        CreatedPlan = "H02",
        DeletedPlan = "H03",
        PlanStopDistribution = "H04",
        ResumeDistribution = "H05",
        SubmittedToPreview = "H06",
        InitiatedPreviewCancellation = "H07",
        CanceledPreview = "H08",
        SignOffToGoLive = "H09",
        InitiatedLiveCancellation = "H10",
        CanceledLive = "H11",
        SyncPrivateAudience = "H12",
        StopDistributionOffer = "H13",
        /// One per ended step.
        Step = "HS",
    }
}

stored! {
    /// How a step ended (IB-6).
    Completion("completion") {
        Succeeded = "succeeded",
        SucceededWithWarnings = "succeeded_with_warnings",
        Failed = "failed",
        Canceled = "canceled",
    }
}

stored! {
    /// On the way to preview or to live.
    Leg("leg") {
        Preview = "preview",
        Live = "live",
    }
}

impl Code {
    /// The exact label of a row (HI-7: H03 names no plan). `plan` is the plan's name, empty where no plan is concerned;
    /// `step` the name of the step.
    pub fn label(self, plan: &str, step: &str) -> String {
        match self {
            Code::CreatedOffer => "Created offer".to_owned(),
            Code::CreatedPlan => format!("Created plan: {plan}"),
            Code::DeletedPlan => "Deleted plan".to_owned(),
            Code::PlanStopDistribution => format!("Initiated plan Stop distribution: {plan}"),
            // Without a plan it takes back a scheduled stop of the whole offer (T35).
            Code::ResumeDistribution if plan.is_empty() => "Resume distribution".to_owned(),
            Code::ResumeDistribution => format!("Resume distribution: {plan}"),
            Code::SubmittedToPreview => "Submitted offer to preview".to_owned(),
            Code::InitiatedPreviewCancellation => {
                "Initiated submit to preview cancellation".to_owned()
            }
            Code::CanceledPreview => "Canceled submission to preview".to_owned(),
            Code::SignOffToGoLive => "Sign-off to go live".to_owned(),
            Code::InitiatedLiveCancellation => {
                "Initiated publish to marketplace cancellation".to_owned()
            }
            Code::CanceledLive => "Canceled publishing to the commercial marketplace".to_owned(),
            Code::SyncPrivateAudience => "Sync private audience".to_owned(),
            Code::StopDistributionOffer => "Stop distribution offer".to_owned(),
            Code::Step => step.to_owned(),
        }
    }
}

impl Completion {
    /// The colour a row carries; never shown without icon and text (IB-6).
    pub const fn colour(self) -> &'static str {
        match self {
            Completion::Succeeded => "green",
            Completion::SucceededWithWarnings => "amber",
            Completion::Failed => "red",
            Completion::Canceled => "grey",
        }
    }

    /// The text beside the colour (IB-6).
    pub const fn text(self) -> &'static str {
        match self {
            Completion::Succeeded => "Succeeded",
            Completion::SucceededWithWarnings => "Succeeded with warnings",
            Completion::Failed => "Failed",
            Completion::Canceled => "Canceled",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_h01_to_h13_and_hs_are_exact() {
        let table = [
            (Code::CreatedOffer, "Created offer"),
            (Code::CreatedPlan, "Created plan: Gold"),
            (Code::DeletedPlan, "Deleted plan"),
            (
                Code::PlanStopDistribution,
                "Initiated plan Stop distribution: Gold",
            ),
            (Code::ResumeDistribution, "Resume distribution: Gold"),
            (Code::SubmittedToPreview, "Submitted offer to preview"),
            (
                Code::InitiatedPreviewCancellation,
                "Initiated submit to preview cancellation",
            ),
            (Code::CanceledPreview, "Canceled submission to preview"),
            (Code::SignOffToGoLive, "Sign-off to go live"),
            (
                Code::InitiatedLiveCancellation,
                "Initiated publish to marketplace cancellation",
            ),
            (
                Code::CanceledLive,
                "Canceled publishing to the commercial marketplace",
            ),
            (Code::SyncPrivateAudience, "Sync private audience"),
            (Code::StopDistributionOffer, "Stop distribution offer"),
            (Code::Step, "Offer validation"),
        ];
        assert_eq!(table.len(), Code::ALL.len());
        for (code, label) in table {
            assert_eq!(
                code.label("Gold", "Offer validation"),
                label,
                "{}",
                code.as_str()
            );
        }
        assert_eq!(
            Code::ResumeDistribution.label("", ""),
            "Resume distribution",
            "T35"
        );
    }

    #[test]
    fn ib_6_every_completion_has_its_colour_and_a_text() {
        let colours: Vec<_> = Completion::ALL.iter().map(|c| c.colour()).collect();
        assert_eq!(colours, ["green", "amber", "red", "grey"]);
        assert!(Completion::ALL.iter().all(|c| !c.text().is_empty()));
    }

    #[test]
    fn what_is_stored_is_read_again_and_nothing_else() {
        for code in Code::ALL {
            assert_eq!(code.as_str().parse(), Ok(*code));
        }
        assert!("H14".parse::<Code>().is_err());
        assert!("".parse::<Leg>().is_err());
    }
}
