//! One function per write.

mod audience;
mod hear;
mod items;
mod preferences;
mod tell;

pub use audience::{add_audience_member, remove_audience_member};
pub use hear::{NOTICES, hear};
pub use items::{archive_action_item, mark_action_item_read};
pub use preferences::{NewCode, send_verification, update_preferences, verify_email};
pub use tell::{MAILS, Ready, tell};
