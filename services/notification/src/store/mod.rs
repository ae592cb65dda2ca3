//! Every SQL statement of the service.

mod audience;
mod items;
mod mails;
mod notices;
mod people;
mod previews;
mod sweep;

pub use audience::{add, listed, listed_in, remove, remove_audience, remove_ineligible};
pub use items::{
    Item, ItemKey, archive, deliver, get, list, raise_unverified, read, resolve_unverified,
    standing_unread,
};
pub use mails::{
    DueMail, Mail, claim as claim_mails, failed as mail_failed, hold as hold_mails,
    put as put_mails, sent as mail_sent,
};
pub use notices::{Claimed, claim as claim_notices, confirm, insert, postpone, resolve};
pub use people::{
    Verification, code, codes_since, forget_codes, lock, people, person, put_code, save, use_code,
    verified,
};
pub use previews::{Preview, close as close_previews, merge};
pub use sweep::{remind, sweep};
