//! `preferences`: where your notifications go, and in which language.

use clap::{Args, Subcommand};
use marketplace_proto::notification::v1::{
    GetPreferencesRequest, Preferences, SendVerificationRequest, UpdatePreferencesRequest,
    VerifyEmailRequest,
};

use crate::api::request_id;
use crate::config::Session;
use crate::error::Error;
use crate::output::Output;

#[derive(Args)]
pub struct PreferencesArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Show,
    /// Change the address, and have a code sent there.
    SetEmail {
        address: String,
    },
    /// Change the language ("en").
    SetLanguage {
        language: String,
    },
    /// Have the code sent again.
    SendCode,
    /// Confirm the address with the code that was sent there.
    Verify {
        code: String,
    },
}

pub async fn run(session: &Session, args: PreferencesArgs, out: &mut Output) -> Result<(), Error> {
    let api = &session.api;
    match args.command {
        Command::Show => {
            let answer = api.call(GetPreferencesRequest {}).await?;
            out.answer(&answer, |out, answer| {
                print(answer.preferences.as_ref(), out)
            })
        }
        Command::SetEmail { address } => {
            let answer = update(session, |preferences| preferences.email = address).await?;
            api.call(SendVerificationRequest {
                request_id: request_id(),
            })
            .await?;
            out.answer(&answer, |out, answer| {
                print(answer.preferences.as_ref(), out)?;
                out.say("a code is on its way there; confirm it with `marketctl preferences verify CODE`")
            })
        }
        Command::SetLanguage { language } => {
            let answer = update(session, |preferences| preferences.language = language).await?;
            out.answer(&answer, |out, answer| {
                print(answer.preferences.as_ref(), out)
            })
        }
        Command::SendCode => {
            let answer = api
                .call(SendVerificationRequest {
                    request_id: request_id(),
                })
                .await?;
            out.answer(&answer, |out, _| out.say("a code is on its way"))
        }
        Command::Verify { code } => {
            let answer = api
                .call(VerifyEmailRequest {
                    code,
                    request_id: request_id(),
                })
                .await?;
            out.answer(&answer, |out, answer| {
                print(answer.preferences.as_ref(), out)
            })
        }
    }
}

/// Changes one thing and sends the rest back as it was read, etag included.
async fn update(
    session: &Session,
    change: impl FnOnce(&mut Preferences),
) -> Result<marketplace_proto::notification::v1::UpdatePreferencesResponse, Error> {
    let answer = session.api.call(GetPreferencesRequest {}).await?;
    let mut preferences = answer.preferences.unwrap_or_default();
    change(&mut preferences);
    let request = UpdatePreferencesRequest {
        preferences: Some(preferences),
        request_id: request_id(),
    };
    session.api.call(request).await
}

fn print(preferences: Option<&Preferences>, out: &mut Output) -> Result<(), Error> {
    let Some(preferences) = preferences else {
        return Ok(());
    };
    let verified = if preferences.email_verified {
        "verified"
    } else {
        "not verified: you get no mail yet"
    };
    match preferences.email.as_str() {
        "" => out.say("no e-mail address: notifications stay in the Action Center")?,
        address => out.say(format!("{address} ({verified})"))?,
    }
    if preferences.language.is_empty() {
        Ok(())
    } else {
        out.say(format!("language {}", preferences.language))
    }
}
