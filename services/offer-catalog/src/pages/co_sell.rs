//! Co-sell: material for selling together (CS-2). All of it is optional.

use serde::{Deserialize, Serialize};

use super::check::{self, Context};
use super::{AssetKind, CaptionedAsset, Contact, Issues};

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct CoSell {
    /// Whom sellers turn to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub contacts: Vec<Contact>,
    /// What they show customers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<CaptionedAsset>,
}

const MAX_ENTRIES: usize = 20;

impl CoSell {
    /// CS-2
    pub fn check(&self, context: &Context<'_>, issues: &mut Issues) {
        check::max_items(issues, "contacts", &self.contacts, MAX_ENTRIES);
        for (at, contact) in self.contacts.iter().enumerate() {
            contact.check(&format!("contacts[{at}]"), issues);
        }
        check::max_items(issues, "documents", &self.documents, MAX_ENTRIES);
        for (at, document) in self.documents.iter().enumerate() {
            document.check(
                &format!("documents[{at}]"),
                AssetKind::Document,
                context,
                issues,
            );
        }
    }
}
