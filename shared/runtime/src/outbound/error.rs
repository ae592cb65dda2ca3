//! Why an address that a publisher chose gave no answer.

use std::path::PathBuf;

use super::{MAX_REDIRECTS, TIMEOUT};

/// Why there is no answer. [`OutboundError::is_refusal`] tells the caller's fault from the far side's.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// Not https.
    #[error("the address is not https")]
    NotHttps,
    /// It holds a user name or password.
    #[error("the address holds a user name or password")]
    UserInfo,
    /// It names or leads to an address that isn't public.
    #[error("{0} has no public address")]
    NotPublic(String),
    /// A redirect leads nowhere.
    #[error("a redirect has no address that can be followed")]
    BadRedirect,
    /// It redirects too often.
    #[error("it redirects more than {MAX_REDIRECTS} times")]
    TooManyRedirects,
    /// A redirect would take credentials to another host.
    #[error("it redirects credentials to another host")]
    Elsewhere,
    /// The answer is too large.
    #[error("the answer is larger than 1 MiB")]
    TooLarge,
    /// It took too long.
    #[error("no answer within {} s", TIMEOUT.as_secs())]
    Timeout,
    /// It can't be reached, or its certificate isn't trusted, or it speaks no HTTP.
    #[error("it can't be reached")]
    Unreachable(#[source] reqwest::Error),
}

impl OutboundError {
    /// True if the address itself is refused: trying again changes nothing.
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::NotHttps | Self::UserInfo | Self::NotPublic(_))
    }
}

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum OutboundConfigError {
    /// The certificates can't be read.
    #[error("OUTBOUND_CA_FILE {path} can't be read")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// They are no certificates, or TLS can't be set up.
    #[error("OUTBOUND_CA_FILE is of no use")]
    Tls(#[from] reqwest::Error),
}
