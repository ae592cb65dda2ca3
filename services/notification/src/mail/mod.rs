//! Mail: rendered once, before the first try, and sent as it was rendered however often it takes (NO-11).

mod post;
mod render;

pub use post::Post;
pub use render::{Letterhead, render};

/// Why there is no mail.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// A setting that can't be used; the text names it and holds no password.
    #[error("{0}")]
    Settings(String),
    #[error("an address can't be read")]
    Address(#[from] lettre::address::AddressError),
    #[error("the message can't be put together")]
    Message(#[from] lettre::error::Error),
    #[error("the server did not take it")]
    Smtp(#[from] lettre::transport::smtp::Error),
    #[error("the server takes too long")]
    Late,
    #[error("the file can't be written")]
    File(#[from] std::io::Error),
}

impl MailError {
    /// The server said that it never will take mail for this address: trying again is no use. Every other refusal (of
    /// our login, of the sender, of everybody) is about the server or our settings, which somebody may put right.
    pub fn is_permanent(&self) -> bool {
        match self {
            // lettre tells the code, not which command it answered: those that judge a recipient.
            MailError::Smtp(error) => error
                .status()
                .is_some_and(|code| matches!(u16::from(code), 550 | 551 | 553)),
            MailError::Address(_) => true,
            MailError::Settings(_)
            | MailError::Message(_)
            | MailError::Late
            | MailError::File(_) => false,
        }
    }
}
