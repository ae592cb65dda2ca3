//! The buttons of an offer: which of its moves are possible, and what to know before.

use marketplace_proto::offercatalog::v1::{PageReview, PageStatus};
use marketplace_proto::publishing::v1 as pb;

use super::Draft;
use crate::domain::{Move, Offering};
use crate::wire;

/// Pages that a reason names.
const NAMED: usize = 20;

/// A button exists exactly where its move is allowed.
pub fn of_offer(offering: &Offering, draft: Option<&Draft>) -> Vec<pb::Action> {
    wire::overview_move()
        .into_iter()
        .map(|(button, moves)| action(offering, draft, button, moves))
        .collect()
}

fn action(
    offering: &Offering,
    draft: Option<&Draft>,
    button: pb::PublicationMove,
    moves: &[Move],
) -> pb::Action {
    let refused = match wire::move_of(offering, moves) {
        false => Some(format!("not possible in {}", offering.situation().as_str())),
        true if button == pb::PublicationMove::Publish => incomplete(draft),
        true => None,
    };
    let allowed = refused.is_none();
    let (reason, needs_confirmation) = match refused {
        Some(why) => (why, false),
        None => confirmation(offering, draft, button),
    };
    pb::Action {
        r#move: button.into(),
        allowed,
        reason,
        needs_confirmation,
    }
}

/// PG-5: what of the draft keeps it from being published.
fn incomplete(draft: Option<&Draft>) -> Option<String> {
    let Some(draft) = draft else {
        return Some("the catalog is away: whether every page is complete is not known".to_owned());
    };
    if draft.complete {
        return None;
    }
    let mut pages: Vec<String> = draft.pages.iter().filter(is_open).map(named).collect();
    let more = pages.len().saturating_sub(NAMED);
    pages.truncate(NAMED);
    if more > 0 {
        pages.push(format!("{more} more"));
    }
    Some(format!(
        "PAGES_INCOMPLETE: these pages are not complete: {}",
        pages.join(", ")
    ))
}

/// Neither complete nor complete with unpublished changes (PG-6).
fn is_open(page: &&PageReview) -> bool {
    !matches!(
        page.status(),
        PageStatus::Complete | PageStatus::UnpublishedChanges
    )
}

fn named(page: &PageReview) -> String {
    match page.plan_id.as_str() {
        "" => page.title.clone(),
        plan => format!("{} (plan {plan})", page.title),
    }
}

/// What to know before the button is pressed (PG-8, SM-4, PV-10).
fn confirmation(
    offering: &Offering,
    draft: Option<&Draft>,
    button: pb::PublicationMove,
) -> (String, bool) {
    use pb::PublicationMove as P;
    let warnings = offering
        .to_go_live()
        .and_then(|one| one.validation.as_ref())
        .map_or(0, |found| found.warnings);
    let kind = draft.and_then(|draft| draft.offer_type.as_ref());
    let notes = kind.is_some_and(|kind| kind.requires_testing_notes);
    match button {
        P::Publish if notes => ("notes for certification are needed".to_owned(), false),
        P::GoLive if warnings > 0 => (
            format!(
                "{warnings} unresolved validation warnings may fail certification and delay the date"
            ),
            true,
        ),
        P::CancelPublish => (
            "the submission ends; publishing later starts from the first step".to_owned(),
            true,
        ),
        P::StopDistribution if offering.stop_notice().is_positive() => (
            format!(
                "customers can't find it any more, and in {} days it leaves the marketplace; repeat its id to confirm",
                offering.stop_notice().whole_days()
            ),
            true,
        ),
        P::StopDistribution => (
            "customers can't find or buy it any more; repeat its id to confirm".to_owned(),
            true,
        ),
        _ => (String::new(), false),
    }
}

#[cfg(test)]
mod tests {
    use marketplace_proto::offercatalog::v1::OfferType;

    use super::*;
    use crate::domain::fixtures::Stage;
    use crate::domain::{Answer, Leg, StepId, Trouble};

    fn button(stage: &Stage, draft: Option<&Draft>, wanted: pb::PublicationMove) -> pb::Action {
        let all = of_offer(&stage.offering, draft);
        all.into_iter()
            .find(|one| one.r#move() == wanted)
            .unwrap_or_default()
    }

    fn draft(pages: &[(&str, PageStatus)]) -> Draft {
        let page = |(title, status): &(&str, PageStatus)| PageReview {
            title: (*title).to_owned(),
            status: (*status).into(),
            ..PageReview::default()
        };
        Draft {
            pages: pages.iter().map(page).collect(),
            complete: pages
                .iter()
                .all(|(_, status)| *status == PageStatus::Complete),
            ..Draft::default()
        }
    }

    /// T24 is a go live like the first: what `GoLive` wants confirmed, the button says.
    #[test]
    fn t24_the_button_says_what_go_live_wants_confirmed() {
        let mut stage = Stage::new(Leg::Live);
        let id = stage.publish();
        stage.walk(id, Some(StepId::OfferValidation));
        let validated = Answer::Validated {
            warnings: 2,
            report: "r".into(),
        };
        stage.answer(id, validated);
        stage.walk(id, None);
        let go_live = |stage: &Stage| button(stage, None, pb::PublicationMove::GoLive);
        assert!(go_live(&stage).allowed && go_live(&stage).needs_confirmation);
        stage.sign_off(id);
        stage.answer(id, Answer::Trouble(Trouble::mismatch("it")));
        assert!(stage.offering.check_go_live(id, false).is_err());
        assert!(go_live(&stage).allowed && go_live(&stage).needs_confirmation);
    }

    #[test]
    fn pg_5_publish_waits_for_every_page_and_names_those_that_are_not_complete() {
        use PageStatus as S;
        let stage = Stage::new(Leg::Live);
        let publish = |draft: Option<&Draft>| button(&stage, draft, pb::PublicationMove::Publish);
        let complete = draft(&[("Offer setup", S::Complete)]);
        assert!(publish(Some(&complete)).allowed);
        let mut open = draft(&[
            ("Offer setup", S::Complete),
            ("Properties", S::UnpublishedChanges),
            ("Offer listing", S::NotStarted),
            ("Plan listing", S::Incomplete),
        ]);
        open.pages[3].plan_id = "gold".into();
        let refused = publish(Some(&open));
        assert!(!refused.allowed && refused.reason.starts_with("PAGES_INCOMPLETE"));
        assert!(
            refused
                .reason
                .ends_with("Offer listing, Plan listing (plan gold)"),
            "{}",
            refused.reason
        );
        let many: Vec<_> = (0..NAMED + 5)
            .map(|_| ("Plan listing", S::NotStarted))
            .collect();
        assert!(publish(Some(&draft(&many))).reason.ends_with(", 5 more"));
        let away = publish(None);
        assert!(!away.allowed && away.reason.contains("catalog is away"));
    }

    #[test]
    fn pg_8_publish_says_that_notes_are_needed() {
        let stage = Stage::new(Leg::Live);
        let mut draft = draft(&[]);
        let reason =
            |draft: &Draft| button(&stage, Some(draft), pb::PublicationMove::Publish).reason;
        assert_eq!(reason(&draft), "");
        draft.offer_type = Some(OfferType {
            requires_testing_notes: true,
            ..OfferType::default()
        });
        assert_eq!(reason(&draft), "notes for certification are needed");
    }
}
