//! `publish --batch` and `batch`: many offers submitted by one call, and what became of each.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use clap::Args;
use marketplace_proto::publishing::v1::{
    Batch, BatchItem, BatchItemState, BatchPublish, BatchState, CreateBatchRequest,
    GetBatchRequest, GetBatchResponse,
};
use tokio::time::sleep;
use tonic::Code;
use tonic_types::RpcStatusExt;

use super::publish::{PublishArgs, etag, policy};
use crate::api::request_id;
use crate::apply::file;
use crate::config::Session;
use crate::error::{Error, code_name};
use crate::names::{self, Offer};
use crate::output::{Output, table, words};

/// How often it is asked how far it is.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Args)]
pub struct BatchArgs {
    /// Its resource name, as `publish --batch` says it.
    pub batch: String,
    /// Wait until every offer was submitted or refused.
    #[arg(long)]
    pub wait: bool,
}

pub async fn publish(session: &Session, args: &PublishArgs, out: &mut Output) -> Result<(), Error> {
    let notes = args.notes.given()?;
    let mut items = Vec::new();
    let mut publishers = BTreeSet::new();
    for (offer, own) in offers(session, &args.batch)? {
        publishers.insert(offer.publisher.clone());
        items.push(BatchPublish {
            offer: offer.name(),
            etag: etag(session, &offer).await?,
            notes: own.unwrap_or_else(|| notes.clone()),
            confirm: args.confirm,
            in_flight_policy: policy(args.supersede).into(),
        });
    }
    let request = CreateBatchRequest {
        parent: names::publisher(&one(publishers)?),
        items,
        request_id: request_id(),
    };
    let answer = session.api.call(request).await?;
    let batch = answer.batch.clone().unwrap_or_default();
    if args.wait {
        out.say(&batch.name)?;
        return show(session, &batch.name, true, out).await;
    }
    out.answer(&answer, |out, _| out.say(summary(&batch)))
}

/// The offers that arguments mean, in order; those of files with their notes.
fn offers(session: &Session, named: &[String]) -> Result<Vec<(Offer, Option<String>)>, Error> {
    let mut all = Vec::new();
    for argument in named {
        let path = Path::new(argument);
        if !path.exists() {
            all.push((session.offer(argument)?, None));
            continue;
        }
        for file in file::find(path)? {
            let publisher = session.publisher().unwrap_or_default();
            let (offer, notes) = file::notes(&file, publisher).map_err(Error::Files)?;
            all.push((offer, Some(notes).filter(|notes| !notes.is_empty())));
        }
    }
    Ok(all)
}

fn one(publishers: BTreeSet<String>) -> Result<String, Error> {
    let mut all = publishers.into_iter();
    match (all.next(), all.next()) {
        (Some(publisher), None) => Ok(publisher),
        (Some(first), Some(second)) => Err(Error::usage(format!(
            "offers of {first} and of {second}: a batch is of one publisher"
        ))),
        _ => Err(Error::usage("no offers")),
    }
}

pub async fn run(session: &Session, args: BatchArgs, out: &mut Output) -> Result<(), Error> {
    show(session, &args.batch, args.wait, out).await
}

/// Shows a batch with all of its items, once it is done if that is waited for.
async fn show(session: &Session, name: &str, wait: bool, out: &mut Output) -> Result<(), Error> {
    let get = GetBatchRequest {
        name: name.to_owned(),
        page_size: 1,
        ..Default::default()
    };
    while wait && !is_done(session, &get).await? {
        sleep(PAUSE).await;
    }
    let answer = session.api.list(get).await?;
    out.answer(&answer, table_of)?;
    let batch = answer.batch.unwrap_or_default();
    match batch.refused_count {
        0 => Ok(()),
        refused => Err(Error::Ended(format!("{name}: {refused} refused"))),
    }
}

async fn is_done(session: &Session, get: &GetBatchRequest) -> Result<bool, Error> {
    let batch = session.api.call(get.clone()).await?.batch;
    Ok(batch.unwrap_or_default().state() == BatchState::Done)
}

fn summary(batch: &Batch) -> String {
    format!(
        "{}: {} submitted, {} refused, {} to go",
        batch.name, batch.submitted_count, batch.refused_count, batch.pending_count
    )
}

fn table_of(out: &mut Output, answer: &GetBatchResponse) -> Result<(), Error> {
    let mut rows = table(["offer", "state", "submission or reason"]);
    for item in &answer.items {
        let state = words::label(item.state().as_str_name(), "BATCH_ITEM_STATE_");
        let offer = names::id(&item.offer).to_owned();
        rows.add_row([offer, state.to_lowercase(), outcome(item)]);
    }
    out.table(&rows)?;
    out.say(summary(&answer.batch.clone().unwrap_or_default()))
}

fn outcome(item: &BatchItem) -> String {
    match (&item.refusal, item.state()) {
        (Some(refusal), BatchItemState::Refused) => {
            let info = refusal.get_details_error_info();
            let code = || code_name(Code::from_i32(refusal.code)).to_owned();
            let reason = info.map_or_else(code, |info| info.reason);
            format!("{reason}: {}", refusal.message)
        }
        _ => names::id(&item.submission).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use marketplace_proto::publishing::v1::GetBatchResponse;
    use tonic_types::pb;

    use super::*;
    use crate::cli::Format;
    use crate::output::capture::lines;

    fn answer() -> GetBatchResponse {
        let refusal = pb::Status {
            code: 5,
            message: "there is no Offer x".into(),
            details: vec![],
        };
        let item = |offer: &str, state: BatchItemState| BatchItem {
            offer: format!("publishers/contoso/offers/{offer}"),
            state: state.into(),
            ..Default::default()
        };
        GetBatchResponse {
            batch: Some(Batch {
                name: "publishers/contoso/batches/b".into(),
                submitted_count: 1,
                refused_count: 1,
                ..Default::default()
            }),
            items: vec![
                BatchItem {
                    submission: "publishers/contoso/offers/db/submissions/s".into(),
                    ..item("db", BatchItemState::Submitted)
                },
                BatchItem {
                    refusal: Some(refusal),
                    ..item("x", BatchItemState::Refused)
                },
            ],
            ..Default::default()
        }
    }

    #[test]
    fn a_row_says_what_became_of_an_offer() {
        let lines = lines(Format::Table, |out| table_of(out, &answer()));
        let words = |line: &String| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(words(&lines[2]), ["db", "submitted", "s"]);
        assert_eq!(words(&lines[3])[..3], ["x", "refused", "NOT_FOUND:"]);
        assert!(
            lines[4].ends_with("1 submitted, 1 refused, 0 to go"),
            "{lines:?}"
        );
    }

    #[test]
    fn programs_read_refusals_with_their_details() {
        let mut answer = answer();
        let info = pb::ErrorInfo {
            reason: "STALE_ETAG".into(),
            ..Default::default()
        };
        let refusal = answer.items[1].refusal.as_mut().unwrap();
        refusal.details.push(prost_types::Any {
            type_url: "type.googleapis.com/google.rpc.ErrorInfo".into(),
            value: prost::Message::encode_to_vec(&info),
        });
        let json = crate::output::json::value(&answer);
        assert_eq!(
            json["items"][1]["refusal"]["details"][0]["reason"],
            "STALE_ETAG"
        );
    }

    #[test]
    fn a_batch_is_of_one_publisher() {
        let of = |all: &[&str]| one(all.iter().map(|&one| one.to_owned()).collect());
        assert_eq!(of(&["contoso"]).unwrap(), "contoso");
        assert!(of(&["contoso", "fabrikam"]).is_err() && of(&[]).is_err());
    }
}
