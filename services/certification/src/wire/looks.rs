//! What dry runs ask for, and what they are told.

use marketplace_proto::certification::v1 as pb;
use marketplace_runtime::{
    ids::{OfferName, SnapshotName},
    status::{Violation, Violations},
};

use super::cases::{check, state};
use crate::{
    checks::{LeftOut, Reach, Seen},
    domain::{JobKind, Matter, Move, Policies, State},
    error::Error,
};

/// Which checks of which snapshot.
pub fn look(request: pb::CheckSnapshotRequest) -> Result<(Matter, Reach), Error> {
    let mut wrong = Violations::new();
    let kind = wrong.take(match request.extent() {
        pb::CheckExtent::Validation => Ok(JobKind::Validate),
        pb::CheckExtent::Certification => Ok(JobKind::Certify),
        pb::CheckExtent::Unspecified => Err(Violation::missing("extent")),
    });
    if request.offer_type.is_empty() {
        wrong.add(Violation::missing("offer_type"));
    }
    let name = wrong.take(SnapshotName::parse(&request.snapshot, "snapshot"));
    let reach = if request.document_only {
        Reach::Document
    } else {
        Reach::Everything
    };
    let read = kind.zip(name).map(|(kind, name)| {
        let matter = Matter {
            kind,
            offer: OfferName::new(&name.publisher, &name.offer).to_string(),
            publisher: name.publisher,
            offer_type: request.offer_type,
            transactable: request.transactable,
            notes: request.notes,
            snapshot: request.snapshot,
            digest: name.snapshot,
        };
        (matter, reach)
    });
    wrong.finish(read).map_err(Error::Invalid)
}

/// One message per check, then the verdict.
pub fn seen(seen: &Seen, policies: &Policies) -> Vec<pb::CheckSnapshotResponse> {
    use pb::check_snapshot_response::Part;
    let results = seen
        .results
        .iter()
        .map(|r| Part::Result(check(r, policies)));
    let left_out = seen.left_out.iter().map(|one| Part::LeftOut(omitted(one)));
    let verdict = Part::Verdict(pb::CheckVerdict {
        state: state(after(seen.wanted)).into(),
    });
    results
        .chain(left_out)
        .chain([verdict])
        .map(|part| pb::CheckSnapshotResponse { part: Some(part) })
        .collect()
}

fn omitted(one: &LeftOut) -> pb::LeftOutCheck {
    pb::LeftOutCheck {
        check: one.check.to_owned(),
        title: one.title.to_owned(),
        needs: one.needs.to_owned(),
    }
}

/// Where that move leads a case whose checks have just run.
fn after(wanted: Move) -> State {
    State::Checking.after(wanted).unwrap_or(State::Checking)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_names_its_snapshot_extent_and_type() {
        let Err(Error::Invalid(violations)) = look(pb::CheckSnapshotRequest::default()) else {
            panic!("an empty request was taken");
        };
        let mut fields: Vec<String> = violations.into_iter().map(|v| v.field).collect();
        fields.sort();
        assert_eq!(fields, ["extent", "offer_type", "snapshot"]);
        let request = pb::CheckSnapshotRequest {
            snapshot: format!("publishers/contoso/offers/db/snapshots/{}", "a".repeat(64)),
            extent: pb::CheckExtent::Certification.into(),
            document_only: true,
            offer_type: "azureContainer".into(),
            ..Default::default()
        };
        let (matter, reach) = look(request).unwrap();
        assert_eq!(matter.offer, "publishers/contoso/offers/db");
        assert_eq!(
            (matter.publisher.as_str(), matter.digest.len(), reach),
            ("contoso", 64, Reach::Document)
        );
    }

    #[test]
    fn the_verdict_is_where_a_case_would_be() {
        let table = [
            (Move::PassChecks, State::Passed),
            (Move::FailChecks, State::Failed),
            (Move::FinishChecks, State::AwaitingReview),
        ];
        for (wanted, state) in table {
            assert_eq!(after(wanted), state);
        }
    }
}
