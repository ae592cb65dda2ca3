//! `history`: the History page with its filters.

use clap::Args;
use marketplace_proto::history::v1::{
    HistoryEvent, HistoryEventType, InitiatorKind, ListEventsRequest, ListEventsResponse,
};
use marketplace_proto::offercatalog::v1::PageId;

use crate::config::Session;
use crate::error::Error;
use crate::names::Offer;
use crate::output::{Output, table, words};

/// What the filter calls the marketplace's operators.
const OPERATOR: &str = "operator";

#[derive(Args)]
pub struct HistoryArgs {
    /// The offer.
    pub offer: String,
    /// Only these types ("step", "created-offer", "submitted-to-preview", …); may be repeated.
    #[arg(long = "type", value_name = "TYPE", value_parser = event_type)]
    pub types: Vec<HistoryEventType>,
    /// Only what these members did, or "operator" for the marketplace's staff; may be repeated.
    #[arg(long = "user", value_name = "MEMBER")]
    pub users: Vec<String>,
    /// From this day on ("2026-03-01").
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// To the end of this day.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// UTC offset that days are meant in ("+02:00").
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    pub time_zone: Option<String>,
    /// Only submissions that changed this page ("offer-listing"); may be repeated.
    #[arg(long = "page", value_name = "PAGE", value_parser = page)]
    pub pages: Vec<PageId>,
    /// At most so many rows, newest first.
    #[arg(long, default_value_t = 1_000)]
    pub limit: usize,
}

pub async fn run(session: &Session, args: HistoryArgs, out: &mut Output) -> Result<(), Error> {
    let offer = session.offer(&args.offer)?;
    let mut request = request(&offer, &args);
    let mut all = ListEventsResponse::default();
    while all.events.len() < args.limit {
        request.page_size = i32::try_from(args.limit - all.events.len())
            .unwrap_or(i32::MAX)
            .min(1_000);
        let answer = session.api.call(request.clone()).await?;
        all.events.extend(answer.events);
        all.next_page_token.clone_from(&answer.next_page_token);
        if answer.next_page_token.is_empty() {
            break;
        }
        request.page_token = answer.next_page_token;
    }
    out.answer(&all, |out, all| print(all, out))
}

fn request(offer: &Offer, args: &HistoryArgs) -> ListEventsRequest {
    ListEventsRequest {
        parent: offer.name(),
        types: args.types.iter().map(|kind| (*kind).into()).collect(),
        users: args
            .users
            .iter()
            .map(|user| initiator_name(offer, user))
            .collect(),
        from_date: args.from.clone().unwrap_or_default(),
        to_date: args.to.clone().unwrap_or_default(),
        time_zone: args.time_zone.clone().unwrap_or_default(),
        pages: args.pages.iter().map(|page| (*page).into()).collect(),
        ..ListEventsRequest::default()
    }
}

/// A member's resource name; or the word that stands for the operator, whom a member with the id "operator" is told from
/// by its whole name.
fn initiator_name(offer: &Offer, user: &str) -> String {
    if user == OPERATOR {
        user.to_owned()
    } else {
        offer.member(user)
    }
}

fn print(all: &ListEventsResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table([
        "when (UTC)",
        "event",
        "initiated by",
        "completed (UTC)",
        "result",
    ]);
    for event in &all.events {
        let result = words::label(
            event.completion_status().as_str_name(),
            "COMPLETION_STATUS_",
        );
        rows.add_row([
            words::when(event.occur_time.as_ref()),
            label(event),
            initiator(event),
            words::when(event.complete_time.as_ref()),
            result,
        ]);
    }
    out.table(&rows)?;
    let more = if all.next_page_token.is_empty() {
        ""
    } else {
        "; there are more (--limit)"
    };
    out.say(format!("{}{more}", words::count(all.events.len(), "event")))
}

fn label(event: &HistoryEvent) -> String {
    let leg = if event.leg.is_empty() || event.r#type() != HistoryEventType::Step {
        String::new()
    } else {
        format!(" ({})", event.leg)
    };
    let pages: Vec<String> = event
        .pages_changed()
        .map(|page| words::label(page.as_str_name(), "PAGE_ID_"))
        .collect();
    let pages = if pages.is_empty() {
        String::new()
    } else {
        format!("\n  {}", pages.join(", "))
    };
    let reason = if event.reason.is_empty() {
        String::new()
    } else {
        format!("\n  {}", event.reason)
    };
    format!("{}{leg}{pages}{reason}", event.label)
}

/// IB-1 … IB-5: a name, the operator's brand, nobody for steps, a blank for who has left.
fn initiator(event: &HistoryEvent) -> String {
    let initiator = event.initiator.clone().unwrap_or_default();
    match initiator.kind() {
        InitiatorKind::System => "–".into(),
        _ => initiator.display_name,
    }
}

fn event_type(text: &str) -> Result<HistoryEventType, String> {
    let name = format!(
        "HISTORY_EVENT_TYPE_{}",
        text.to_uppercase().replace('-', "_")
    );
    let all = (1..).map_while(|number| HistoryEventType::try_from(number).ok());
    HistoryEventType::from_str_name(&name)
        .ok_or_else(|| known(all.map(|kind| kind.as_str_name()), "HISTORY_EVENT_TYPE_"))
}

fn page(text: &str) -> Result<PageId, String> {
    let name = format!("PAGE_ID_{}", text.to_uppercase().replace('-', "_"));
    let all = (1..).map_while(|number| PageId::try_from(number).ok());
    PageId::from_str_name(&name)
        .ok_or_else(|| known(all.map(|page| page.as_str_name()), "PAGE_ID_"))
}

fn known(names: impl Iterator<Item = &'static str>, prefix: &str) -> String {
    let names: Vec<String> = names
        .map(|name| {
            name.trim_start_matches(prefix)
                .to_lowercase()
                .replace('_', "-")
        })
        .collect();
    format!("known are: {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use marketplace_proto::history::v1::Initiator;

    use super::*;

    #[test]
    fn types_and_pages_are_typed_in_lower_case() {
        assert_eq!(
            event_type("created-offer"),
            Ok(HistoryEventType::CreatedOffer)
        );
        assert_eq!(page("offer-listing"), Ok(PageId::OfferListing));
        assert!(
            event_type("nonsense")
                .unwrap_err()
                .ends_with("stop-distribution-offer, step")
        );
        assert!(page("x").unwrap_err().contains("plan-listing"));
    }

    #[test]
    fn the_operator_is_no_member() {
        let offer = Offer::parse("contoso/forge", None).unwrap();
        let names = ["operator", "ada", "publishers/contoso/members/operator"]
            .map(|user| initiator_name(&offer, user));
        let wanted = [
            "operator",
            "publishers/contoso/members/ada",
            "publishers/contoso/members/operator",
        ];
        assert_eq!(names, wanted);
    }

    #[test]
    fn rows_follow_the_display_rules() {
        let who = |kind: InitiatorKind, name: &str| HistoryEvent {
            initiator: Some(Initiator {
                kind: kind.into(),
                display_name: name.into(),
                ..Initiator::default()
            }),
            ..HistoryEvent::default()
        };
        assert_eq!(initiator(&who(InitiatorKind::User, "Ada")), "Ada");
        assert_eq!(
            initiator(&who(InitiatorKind::User, "")),
            "",
            "has left (IB-5)"
        );
        assert_eq!(initiator(&who(InitiatorKind::System, "")), "–");
        let submitted = HistoryEvent {
            label: "Submitted offer to preview".into(),
            r#type: HistoryEventType::SubmittedToPreview.into(),
            leg: "preview".into(),
            pages_changed: vec![PageId::OfferListing.into(), PageId::Properties.into()],
            ..HistoryEvent::default()
        };
        assert_eq!(
            label(&submitted),
            "Submitted offer to preview\n  Offer listing, Properties"
        );
        let step = HistoryEvent {
            label: "Certification".into(),
            r#type: HistoryEventType::Step.into(),
            leg: "live".into(),
            ..HistoryEvent::default()
        };
        assert_eq!(label(&step), "Certification (live)");
    }

    #[test]
    fn the_table_reads_as_the_page_does() {
        use crate::cli::Format;
        use crate::output::capture::lines;
        use prost_types::Timestamp;

        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        let by = Initiator {
            kind: InitiatorKind::User.into(),
            display_name: "Ada Larsen".into(),
            ..Initiator::default()
        };
        let created = HistoryEvent {
            label: "Created offer".into(),
            occur_time: at(1_767_225_600),
            initiator: Some(by),
            ..HistoryEvent::default()
        };
        let step = HistoryEvent {
            label: "Offer validation".into(),
            r#type: HistoryEventType::Step.into(),
            leg: "preview".into(),
            occur_time: at(1_767_225_660),
            complete_time: at(1_767_225_725),
            completion_status: 2,
            initiator: Some(Initiator {
                kind: InitiatorKind::System.into(),
                ..Initiator::default()
            }),
            ..HistoryEvent::default()
        };
        let all = ListEventsResponse {
            events: vec![step, created],
            next_page_token: String::new(),
        };
        let wanted = [
            " when (UTC)            event                        initiated by   completed (UTC)       result",
            "─────────────────────────────────────────────────────────────────────────────────────────────────────────────────",
            " 2026-01-01 00:01:00   Offer validation (preview)   –              2026-01-01 00:02:05   Succeeded with warnings",
            " 2026-01-01 00:00:00   Created offer                Ada Larsen",
            "2 events",
        ];
        assert_eq!(lines(Format::Table, |out| print(&all, out)), wanted);
        let json = lines(Format::Json, |out| {
            out.answer(&all, |out, all| print(all, out))
        })
        .join("\n");
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["events"][1]["label"], "Created offer");
    }
}
