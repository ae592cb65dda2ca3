//! `quota`: how much a publisher may have, and has.

use clap::Args;
use marketplace_proto::publishing::v1::{GetQuotaRequest, GetQuotaResponse};

use crate::config::Session;
use crate::error::Error;
use crate::names;
use crate::output::{Output, table, words};

#[derive(Args)]
pub struct QuotaArgs {
    /// The publisher; that of --publisher if left out.
    pub publisher_id: Option<String>,
}

pub async fn run(session: &Session, args: QuotaArgs, out: &mut Output) -> Result<(), Error> {
    let named = args.publisher_id.as_deref().or(session.publisher());
    let missing = || Error::usage("no publisher: name one, or give --publisher");
    let publisher = names::publisher(named.ok_or_else(missing)?);
    let answer = session.api.call(GetQuotaRequest { publisher }).await?;
    out.answer(&answer, show)
}

fn show(out: &mut Output, answer: &GetQuotaResponse) -> Result<(), Error> {
    let mut rows = table(["quota", "used", "limit", "free again"]);
    for quota in &answer.quotas {
        let limit = match quota.limit {
            0 => "none".to_owned(),
            limit => limit.to_string(),
        };
        let free = match &quota.free_time {
            Some(time) => words::when(Some(time)),
            None => "as they end".to_owned(),
        };
        rows.add_row([quota.name.clone(), quota.used.to_string(), limit, free]);
    }
    out.table(&rows)
}

#[cfg(test)]
mod tests {
    use marketplace_proto::publishing::v1::Quota;
    use prost_types::Timestamp;

    use super::*;
    use crate::cli::Format;
    use crate::output::capture::lines;

    #[test]
    fn a_row_says_what_is_left_and_until_when() {
        let quota = |name: &str, limit, free_time| Quota {
            name: name.into(),
            limit,
            used: 3,
            free_time,
        };
        let midnight = Timestamp {
            seconds: 86_400,
            nanos: 0,
        };
        let answer = GetQuotaResponse {
            quotas: vec![
                quota("open-submissions", 0, None),
                quota("submissions-per-day", 20, Some(midnight)),
            ],
        };
        let lines = lines(Format::Table, |out| show(out, &answer));
        let words = |line: &String| {
            line.split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            words(&lines[2]),
            ["open-submissions", "3", "none", "as", "they", "end"]
        );
        assert_eq!(
            words(&lines[3])[..3],
            ["submissions-per-day", "3", "20"].map(str::to_owned)
        );
    }
}
