//! Where the links of messages lead, and what stands below each mail.

use super::Link;

/// Where the links lead, and whose name stands for the operator's staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// Without a slash at its end.
    pub url: String,
    /// The operator's brand (IB-2).
    pub brand: String,
}

impl Portal {
    pub(super) fn link(&self, title: &str, path: &str) -> Link {
        Link {
            title: title.to_owned(),
            target: format!("{}/{path}", self.url),
        }
    }

    pub(super) fn overview(&self, offer: &str) -> Link {
        self.link("Offer overview", &format!("{offer}/overview"))
    }

    pub(super) fn preferences(&self) -> Link {
        self.link("My Preferences", "action-center/preferences")
    }

    /// Below every mail: why it came, and the links of NO-12.
    pub fn footer(&self) -> String {
        format!(
            "You receive this because you are an owner of this publisher, or on the submission notification audience of \
             the offer.\nAction Center: {0}/action-center\nYour preferences: {0}/action-center/preferences\n\
             User management: {0}/account-settings/user-management\nHelp with notifications: {0}/help/notifications",
            self.url
        )
    }
}
