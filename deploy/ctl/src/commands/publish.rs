//! `publish`, `go-live`, `cancel`: the moves of a submission.

use std::path::PathBuf;

use clap::{ArgAction, Args};
use marketplace_proto::offercatalog::v1::GetOfferRequest;
use marketplace_proto::publishing::v1::{
    CancelPublishRequest, CancelScheduledGoLiveRequest, GetPublicationRequest, GoLiveRequest,
    InFlightPolicy, Publication, PublishOfferRequest,
};
use prost_types::Timestamp;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::batch;
use super::watch::{self, Until, WatchOptions};
use crate::api::request_id;
use crate::apply::file;
use crate::config::Session;
use crate::error::Error;
use crate::names::{Offer, Target};
use crate::output::{Output, words};

#[derive(Args)]
pub struct PublishArgs {
    /// The offer.
    #[arg(required_unless_present = "batch")]
    pub offer: Option<String>,
    /// Submit all of these: offers, their files or folders of these, whose notes are taken. They are of one publisher, at
    /// most 500.
    #[arg(long, num_args = 1.., value_name = "FILE|OFFER", conflicts_with_all = ["offer", "file", "source", "validate_only"])]
    pub batch: Vec<String>,
    #[command(flatten)]
    pub notes: NotesArgs,
    /// Publish although nothing changed since the last submission.
    #[arg(long, action = ArgAction::SetTrue)]
    pub confirm: bool,
    /// Cancel the submission that is in flight, if any.
    #[arg(long)]
    pub supersede: bool,
    /// Publish this earlier snapshot of the offer instead of the draft.
    #[arg(long, value_name = "SNAPSHOT")]
    pub source: Option<String>,
    /// Say everything that is wrong and change nothing.
    #[arg(long)]
    pub validate_only: bool,
    /// Follow the submission until it waits for a person or ends.
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    pub watch: WatchOptions,
}

/// Where notes for certification come from.
#[derive(Args)]
pub struct NotesArgs {
    /// Notes for certification; "@FILE" reads them from a file.
    #[arg(long)]
    pub notes: Option<String>,
    /// Take the notes from the offer's file.
    #[arg(long, short, value_name = "DIR|FILE", conflicts_with = "notes")]
    pub file: Option<PathBuf>,
}

#[derive(Args)]
pub struct GoLiveArgs {
    /// The offer whose preview awaits sign-off, or the submission.
    pub target: String,
    /// Go live although validation found issues that could fail certification.
    #[arg(long)]
    pub acknowledge_warnings: bool,
    /// When, as RFC 3339 ("2026-03-01T09:00:00Z"); now if left out.
    #[arg(long, value_parser = rfc3339)]
    pub at: Option<Timestamp>,
    /// Follow the submission until it waits for a person or ends.
    #[arg(long)]
    pub wait: bool,
    #[command(flatten)]
    pub watch: WatchOptions,
}

#[derive(Args)]
pub struct CancelArgs {
    /// The offer, or its submission.
    pub target: String,
    /// Take back a scheduled go-live instead.
    #[arg(long)]
    pub scheduled: bool,
}

pub async fn publish(session: &Session, args: PublishArgs, out: &mut Output) -> Result<(), Error> {
    let Some(offer) = &args.offer else {
        return batch::publish(session, &args, out).await;
    };
    let offer = session.offer(offer)?;
    let request = PublishOfferRequest {
        offer: offer.name(),
        // A rollback publishes what was: the draft doesn't matter.
        etag: if args.source.is_some() {
            String::new()
        } else {
            etag(session, &offer).await?
        },
        notes: args.notes.read(&offer)?,
        request_id: request_id(),
        in_flight_policy: policy(args.supersede).into(),
        source: args.source.unwrap_or_default(),
        confirm: args.confirm,
        validate_only: args.validate_only,
    };
    let answer = session.api.call(request).await?;
    let submission = answer
        .submission
        .as_ref()
        .map(|submission| submission.name.clone())
        .unwrap_or_default();
    out.answer(&answer, |out, _| match args.validate_only {
        true => out.say(format!("{} can be published", offer.name())),
        false => out.say(format!("submitted {submission}")),
    })?;
    follow(
        session,
        args.wait && !args.validate_only,
        &submission,
        args.watch,
        out,
    )
    .await
}

pub async fn go_live(session: &Session, args: GoLiveArgs, out: &mut Output) -> Result<(), Error> {
    let submission = submission(
        session,
        &args.target,
        |publication| publication.awaiting_sign_off.clone(),
        "awaits sign-off",
    )
    .await?;
    let scheduled = args.at;
    let request = GoLiveRequest {
        submission: submission.clone(),
        acknowledge_warnings: args.acknowledge_warnings,
        go_live_at: scheduled,
        request_id: request_id(),
    };
    let answer = session.api.call(request).await?;
    out.answer(&answer, |out, _| match scheduled {
        Some(at) => out.say(format!(
            "{submission} goes live at {} UTC",
            words::when(Some(&at))
        )),
        None => out.say(format!("{submission} goes live now")),
    })?;
    follow(
        session,
        args.wait && scheduled.is_none(),
        &submission,
        args.watch,
        out,
    )
    .await
}

pub async fn cancel(session: &Session, args: CancelArgs, out: &mut Output) -> Result<(), Error> {
    if args.scheduled {
        let submission = submission(
            session,
            &args.target,
            |publication| publication.awaiting_sign_off.clone(),
            "is scheduled",
        )
        .await?;
        let request = CancelScheduledGoLiveRequest {
            submission: submission.clone(),
            request_id: request_id(),
        };
        let answer = session.api.call(request).await?;
        return out.answer(&answer, |out, _| {
            out.say(format!("{submission} no longer goes live by itself"))
        });
    }
    let submission = submission(
        session,
        &args.target,
        |publication| publication.in_flight.clone(),
        "is in flight",
    )
    .await?;
    let request = CancelPublishRequest {
        submission: submission.clone(),
        request_id: request_id(),
    };
    let answer = session.api.call(request).await?;
    out.answer(&answer, |out, answer| {
        let state = answer
            .submission
            .as_ref()
            .map(|s| words::label(s.state().as_str_name(), "SUBMISSION_STATE_"));
        out.say(format!(
            "{submission}: {}",
            state.unwrap_or_default().to_lowercase()
        ))
    })
}

async fn follow(
    session: &Session,
    wait: bool,
    submission: &str,
    options: WatchOptions,
    out: &mut Output,
) -> Result<(), Error> {
    if wait {
        watch::follow(session, submission, Until::from(&options), out).await
    } else {
        Ok(())
    }
}

pub(super) fn policy(supersede: bool) -> InFlightPolicy {
    if supersede {
        InFlightPolicy::Supersede
    } else {
        InFlightPolicy::Reject
    }
}

pub(super) async fn etag(session: &Session, offer: &Offer) -> Result<String, Error> {
    let answer = session
        .api
        .call(GetOfferRequest {
            name: offer.name(),
            min_publication_revision: 0,
        })
        .await?;
    Ok(answer.offer.unwrap_or_default().etag)
}

impl NotesArgs {
    /// The notes for this offer.
    pub fn read(&self, offer: &Offer) -> Result<String, Error> {
        if let Some(path) = &self.file {
            for file in file::find(path)? {
                let (of, notes) = file::notes(&file, &offer.publisher).map_err(Error::Files)?;
                if of == *offer {
                    return Ok(notes);
                }
            }
            let (path, name) = (path.display(), offer.name());
            return Err(Error::usage(format!("{path}: no file of {name}")));
        }
        self.given()
    }

    /// Those of the arguments.
    pub fn given(&self) -> Result<String, Error> {
        match self
            .notes
            .as_deref()
            .map(|notes| (notes, notes.strip_prefix('@')))
        {
            Some((_, Some(path))) => {
                let text = std::fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
                Ok(text.trim().to_owned())
            }
            Some((notes, None)) => Ok(notes.to_owned()),
            None => Ok(String::new()),
        }
    }
}

/// The submission that is named, or that of the named offer which `pick` finds in its publication.
async fn submission(
    session: &Session,
    target: &str,
    pick: impl Fn(&Publication) -> String,
    wanted: &str,
) -> Result<String, Error> {
    let offer = match session.target(target)? {
        Target::Submission(name) => return Ok(name),
        Target::Offer(offer) => offer,
    };
    let publication = session
        .api
        .call(GetPublicationRequest {
            offer: offer.name(),
        })
        .await?
        .publication
        .unwrap_or_default();
    match pick(&publication) {
        name if name.is_empty() => {
            let status = words::label(publication.status().as_str_name(), "OFFER_STATUS_");
            Err(Error::usage(format!(
                "no submission of {} {wanted}; its status is {status}",
                offer.name()
            )))
        }
        name => Ok(name),
    }
}

fn rfc3339(text: &str) -> Result<Timestamp, String> {
    OffsetDateTime::parse(text, &Rfc3339)
        .map(words::timestamp)
        .map_err(|error| error.to_string())
}
