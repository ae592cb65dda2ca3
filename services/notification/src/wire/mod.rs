//! Protobuf to domain and back: events on their way in, requests, answers, and what neighbours answer.

mod answers;
mod events;
mod neighbours;
mod requests;

pub use answers::{action_item, entry, preferences as preferences_answer};
pub use events::{catalog, publishing};
pub use neighbours::{member, preview_link, product, report};
pub use requests::{ListItems, item, item_key, list_items, member_of, offer, preferences};
