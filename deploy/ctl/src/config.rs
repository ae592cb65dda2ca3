//! Where the services are and with which token they are called: made of the global options once per run.

use time::OffsetDateTime;

use crate::api::Api;
use crate::cli::Globals;
use crate::error::Error;
use crate::names::{Offer, Target};
use crate::token;

/// What a command works with.
pub struct Session {
    pub api: Api,
    publisher: Option<String>,
}

impl Session {
    /// Reads files, mints a token if asked to; connects to nothing yet.
    pub fn open(globals: &Globals) -> Result<Self, Error> {
        let token = match (&globals.token, &globals.as_subject) {
            (Some(token), _) => Some(token.clone()),
            (None, Some(_)) => Some(token::mint(globals, now())?.token),
            (None, None) => None,
        };
        let api = Api::new(&globals.endpoints, globals.ca_file.as_deref(), token)?;
        Ok(Self {
            api,
            publisher: globals.publisher.clone(),
        })
    }

    /// The offer that an argument names.
    pub fn offer(&self, argument: &str) -> Result<Offer, Error> {
        Offer::parse(argument, self.publisher.as_deref())
    }

    /// The offer or submission that an argument names.
    pub fn target(&self, argument: &str) -> Result<Target, Error> {
        Target::parse(argument, self.publisher.as_deref())
    }

    /// `--publisher`, for files that name none.
    pub fn publisher(&self) -> Option<&str> {
        self.publisher.as_deref()
    }
}

/// The time, read here only.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where marketctl reads the clock"
)]
pub fn now() -> OffsetDateTime {
    OffsetDateTime::now_utc()
}

/// A variable of the environment that a file refers to (`{env: NAME}`).
#[expect(
    clippy::disallowed_methods,
    reason = "config.rs is where the environment is read"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}
