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
            // lettre tells the code, not which command it answered: those that judge a recipient. What a server refuses
            // by its policy comes with the same codes, and an enhanced one (RFC 3463) that says so.
            MailError::Smtp(error) => {
                let code = error.status().map(u16::from);
                matches!(code, Some(550 | 551 | 553))
                    && class(error).is_none_or(|class| class == "5.1")
            }
            MailError::Address(_) => true,
            MailError::Settings(_)
            | MailError::Message(_)
            | MailError::Late
            | MailError::File(_) => false,
        }
    }
}

/// The first two parts of the enhanced status code that a refusal begins with, for example "5.7" of "5.7.1 denied".
fn class(error: &lettre::transport::smtp::Error) -> Option<String> {
    let text = std::error::Error::source(error)?.to_string();
    let mut parts = text.split_whitespace().next()?.split('.');
    let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
    let number = |part: &str| part.parse::<u16>().is_ok();
    (number(class) && number(subject) && number(detail)).then(|| format!("{class}.{subject}"))
}
