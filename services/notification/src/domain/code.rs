//! What people are told: N01 to N14, what each asks of them, and by which channels it goes.

use std::str::FromStr;

/// A stored text that means nothing to this version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no {1}")]
pub struct Unknown(pub String, pub &'static str);

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

stored! {
    /// A notification of the table in the domain's section on notifications.
    Code("code of a notification") {
        PublishSubmitted = "N01",
        StepFailed = "N02",
        CertificationFailed = "N03",
        PreviewReady = "N04",
        ValidationWarnings = "N05",
        PublishCanceled = "N06",
        GoLiveAccepted = "N07",
        OfferLive = "N08",
        StopRequested = "N09",
        OfferNotAvailable = "N10",
        PlanStopped = "N11",
        AudienceSyncedOrResumed = "N12",
        EmailUnverified = "N13",
        AudienceMembership = "N14",
    }
}

stored! {
    /// What an item of the Action Center asks for (NO-10).
    Kind("kind of an item") {
        Status = "status",
        RequiredAction = "required",
        RecommendedAction = "recommended",
        /// Can't be archived while it stands.
        MandatoryAction = "mandatory",
    }
}

impl Code {
    /// What it asks for.
    pub const fn kind(self) -> Kind {
        match self {
            Code::StepFailed | Code::CertificationFailed | Code::PreviewReady => {
                Kind::RequiredAction
            }
            Code::ValidationWarnings => Kind::RecommendedAction,
            Code::EmailUnverified => Kind::MandatoryAction,
            Code::PublishSubmitted
            | Code::PublishCanceled
            | Code::GoLiveAccepted
            | Code::OfferLive
            | Code::StopRequested
            | Code::OfferNotAvailable
            | Code::PlanStopped
            | Code::AudienceSyncedOrResumed
            | Code::AudienceMembership => Kind::Status,
        }
    }

    /// Whether it goes by e-mail too; everything goes to the Action Center (NO-7). N05's mail is folded into N04's.
    pub const fn by_mail(self) -> bool {
        match self {
            Code::PublishSubmitted
            | Code::StepFailed
            | Code::CertificationFailed
            | Code::PreviewReady
            | Code::PublishCanceled
            | Code::OfferLive
            | Code::StopRequested
            | Code::OfferNotAvailable => true,
            Code::ValidationWarnings
            | Code::GoLiveAccepted
            | Code::PlanStopped
            | Code::AudienceSyncedOrResumed
            | Code::EmailUnverified
            | Code::AudienceMembership => false,
        }
    }

    /// Whether its mail is marked as important.
    pub const fn critical(self) -> bool {
        matches!(self, Code::StepFailed | Code::CertificationFailed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_7_the_table_of_channels_and_kinds() {
        let table = [
            ("N01", true, Kind::Status, false),
            ("N02", true, Kind::RequiredAction, true),
            ("N03", true, Kind::RequiredAction, true),
            ("N04", true, Kind::RequiredAction, false),
            ("N05", false, Kind::RecommendedAction, false),
            ("N06", true, Kind::Status, false),
            ("N07", false, Kind::Status, false),
            ("N08", true, Kind::Status, false),
            ("N09", true, Kind::Status, false),
            ("N10", true, Kind::Status, false),
            ("N11", false, Kind::Status, false),
            ("N12", false, Kind::Status, false),
            ("N13", false, Kind::MandatoryAction, false),
            ("N14", false, Kind::Status, false),
        ];
        assert_eq!(table.len(), Code::ALL.len());
        for (id, by_mail, kind, critical) in table {
            let code: Code = id.parse().unwrap();
            assert_eq!(
                (code.by_mail(), code.kind(), code.critical()),
                (by_mail, kind, critical),
                "{id}"
            );
        }
    }
}
