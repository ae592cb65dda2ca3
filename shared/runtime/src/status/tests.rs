//! Every row of the errors table: code, reason, details, and that none is too large for a client.

use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt;

use super::*;

const DOMAIN: &str = "marketplace.publishing.v1";

fn rows() -> Vec<(Status, Code, &'static str)> {
    let bad = || Violation::new("plan.name", "is too long").because("TOO_LONG");
    let soon = Duration::from_secs(1);
    vec![
        (invalid(DOMAIN, [bad()]), Code::InvalidArgument, "TOO_LONG"),
        (
            invalid(DOMAIN, [bad(), Violation::missing("offer")]),
            Code::InvalidArgument,
            "INVALID_FIELDS",
        ),
        (
            request_id_reused(DOMAIN),
            Code::InvalidArgument,
            "REQUEST_ID_REUSED",
        ),
        (
            undecodable(DOMAIN, "invalid wire type"),
            Code::InvalidArgument,
            "UNDECODABLE",
        ),
        (
            too_large(DOMAIN),
            Code::ResourceExhausted,
            "MESSAGE_TOO_LARGE",
        ),
        (
            bare(DOMAIN, &Status::data_loss("not ours")),
            Code::DataLoss,
            "DATA_LOSS",
        ),
        (
            token_missing(DOMAIN),
            Code::Unauthenticated,
            "TOKEN_MISSING",
        ),
        (
            token_invalid(DOMAIN, "why"),
            Code::Unauthenticated,
            "TOKEN_INVALID",
        ),
        (
            token_expired(DOMAIN),
            Code::Unauthenticated,
            "TOKEN_EXPIRED",
        ),
        (
            not_found(DOMAIN, "Offer", "publishers/a/offers/b"),
            Code::NotFound,
            "NOT_FOUND",
        ),
        (
            permission_denied(DOMAIN, "ROLE_REQUIRED", "no"),
            Code::PermissionDenied,
            "ROLE_REQUIRED",
        ),
        (
            already_exists(DOMAIN, "Plan", "publishers/a/offers/b/plans/c"),
            Code::AlreadyExists,
            "ALREADY_EXISTS",
        ),
        (
            illegal_move(DOMAIN, "live", "GoLive", &["Stop", "Publish"]),
            Code::FailedPrecondition,
            "ILLEGAL_MOVE",
        ),
        (
            in_flight(DOMAIN, "publishers/a/offers/b/submissions/c"),
            Code::FailedPrecondition,
            "SUBMISSION_IN_FLIGHT",
        ),
        (
            confirmation_required(DOMAIN, "confirm", "it stops"),
            Code::FailedPrecondition,
            "CONFIRMATION_REQUIRED",
        ),
        (
            pages_incomplete(DOMAIN, 1, &["listing"], &[bad()]),
            Code::FailedPrecondition,
            "PAGES_INCOMPLETE",
        ),
        (
            failed_precondition(DOMAIN, "LAST_OWNER", "no", &[("member", "m")]),
            Code::FailedPrecondition,
            "LAST_OWNER",
        ),
        (stale_etag(DOMAIN, "7"), Code::Aborted, "STALE_ETAG"),
        (
            request_in_progress(DOMAIN),
            Code::Aborted,
            "REQUEST_IN_PROGRESS",
        ),
        (
            aborted(DOMAIN, "STATUS_BEHIND", "wait", &[], Some(soon)),
            Code::Aborted,
            "STATUS_BEHIND",
        ),
        (
            aborted(DOMAIN, "CONCURRENT_CHANGE", "again", &[], Some(soon)),
            Code::Aborted,
            "CONCURRENT_CHANGE",
        ),
        (
            exhausted(DOMAIN, "QUOTA", "dry runs", "10 a day", soon),
            Code::ResourceExhausted,
            "QUOTA",
        ),
        (
            out_of_range(DOMAIN, "TOKEN_TOO_OLD"),
            Code::OutOfRange,
            "TOKEN_TOO_OLD",
        ),
        (
            deadline_exceeded(DOMAIN),
            Code::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
        ),
        (
            unavailable(DOMAIN, "the database"),
            Code::Unavailable,
            "UNAVAILABLE",
        ),
        (
            unimplemented(DOMAIN, "later"),
            Code::Unimplemented,
            "UNIMPLEMENTED",
        ),
        (
            internal(DOMAIN, &std::fmt::Error),
            Code::Internal,
            "INTERNAL",
        ),
        (
            database(DOMAIN, &sqlx::Error::PoolTimedOut),
            Code::Unavailable,
            "UNAVAILABLE",
        ),
        (
            database(DOMAIN, &sqlx::Error::RowNotFound),
            Code::Internal,
            "INTERNAL",
        ),
        (
            neighbour(DOMAIN, "catalog", &Status::unavailable("x")),
            Code::Unavailable,
            "UNAVAILABLE",
        ),
        (
            neighbour(DOMAIN, "catalog", &Status::deadline_exceeded("x")),
            Code::DeadlineExceeded,
            "DEADLINE_EXCEEDED",
        ),
        (
            neighbour(DOMAIN, "catalog", &Status::not_found("x")),
            Code::Internal,
            "INTERNAL",
        ),
    ]
}

#[test]
fn every_row_has_its_code_reason_and_domain() {
    for (status, code, expected) in rows() {
        let info = status
            .get_details_error_info()
            .unwrap_or_else(|| panic!("{expected} has no ErrorInfo"));
        assert_eq!(
            (status.code(), info.reason.as_str(), info.domain.as_str()),
            (code, expected, DOMAIN)
        );
        assert_eq!(reason(&status), expected);
        assert!(
            status.details().len() <= MAX_DETAILS,
            "{expected} is too large"
        );
    }
}

#[test]
fn rows_carry_the_details_that_the_table_promises() {
    for (status, code, expected) in rows() {
        let details = status.get_error_details();
        let metadata = &details.error_info().unwrap().metadata;
        let has = |name: &str| metadata.contains_key(name);
        match expected {
            "NOT_FOUND" | "ALREADY_EXISTS" => {
                assert!(details.resource_info().is_some(), "{expected}")
            }
            "ILLEGAL_MOVE" => {
                assert!(has("state") && has("move") && details.precondition_failure().is_some());
                assert_eq!(metadata["allowed"], "Stop, Publish");
            }
            "SUBMISSION_IN_FLIGHT" => assert!(has("submission")),
            "CONFIRMATION_REQUIRED" => assert!(has("field") && has("why")),
            "PAGES_INCOMPLETE" => {
                assert!(has("total") && has("pages") && details.bad_request().is_some())
            }
            "STALE_ETAG" => assert_eq!(metadata["current"], "7"),
            "QUOTA" | "MESSAGE_TOO_LARGE" => assert!(details.quota_failure().is_some()),
            "INTERNAL" => assert_eq!(metadata["trace_id"].len(), 32),
            _ => {}
        }
        // A message won't get smaller by being sent again.
        let retry = matches!(code, Code::Unavailable | Code::ResourceExhausted)
            && expected != "MESSAGE_TOO_LARGE"
            || matches!(
                expected,
                "REQUEST_IN_PROGRESS" | "STATUS_BEHIND" | "CONCURRENT_CHANGE"
            );
        assert_eq!(details.retry_info().is_some(), retry, "{expected}");
    }
}

#[test]
fn at_most_twenty_violations_and_it_says_how_many_more() {
    let many = (0..75).map(|i| Violation::new(format!("f{i}"), "is wrong").because("WRONG"));
    let status = invalid(DOMAIN, many);
    let details = status.get_error_details();
    assert_eq!(
        details.bad_request().unwrap().field_violations.len(),
        MAX_VIOLATIONS
    );
    let metadata = &details.error_info().unwrap().metadata;
    assert_eq!(
        (metadata["total"].as_str(), metadata["more"].as_str()),
        ("75", "55")
    );
    assert!(status.message().ends_with("; and 55 more"));
}

#[test]
fn the_longest_texts_fit_a_client_all_the_same() {
    let long = "ü".repeat(100_000);
    let many: Vec<Violation> = (0..40)
        .map(|_| Violation::new(&long, &long).because("WRONG"))
        .collect();
    let pages: Vec<&str> = vec![&long; 40];
    let table = [
        invalid(DOMAIN, many.clone()),
        pages_incomplete(DOMAIN, 40, &pages, &many),
        not_found(DOMAIN, "Offer", &long),
        illegal_move(DOMAIN, &long, &long, &[&long]),
        confirmation_required(DOMAIN, &long, &long),
        failed_precondition(DOMAIN, "X", &long, &[("a", &long), ("b", &long)]),
        exhausted(DOMAIN, "X", &long, &long, Duration::MAX),
        permission_denied(DOMAIN, "X", &long),
    ];
    for status in table {
        assert!(
            status.details().len() <= MAX_DETAILS,
            "{} bytes: {:?}",
            status.details().len(),
            status.code()
        );
        let headers = status
            .clone()
            .into_http::<tonic::body::Body>()
            .headers()
            .clone();
        let size: usize = headers
            .iter()
            .map(|(name, value)| name.as_str().len() + value.len() + 32)
            .sum();
        assert!(
            size <= 8_192,
            "{size} bytes of headers: {:?}",
            status.code()
        );
        assert!(
            status.get_details_error_info().is_some(),
            "{:?} lost its ErrorInfo",
            status.code()
        );
    }
}

#[test]
fn a_stranger_and_a_missing_thing_get_the_same_bytes() {
    let answer = || not_found(DOMAIN, "Offer", "publishers/a/offers/b");
    assert_eq!(answer().details(), answer().details());
}

#[test]
fn violations_are_collected_and_nested() {
    let mut found = Violations::new();
    assert_eq!(found.take::<u8>(Ok(1)), Some(1));
    assert_eq!(
        found.take::<u8>(Err(Violation::missing("name").within("plan"))),
        None
    );
    found.add(Violation::new("", "is wrong").within("offer"));
    let fields: Vec<String> = found
        .finish(Some(()))
        .unwrap_err()
        .into_iter()
        .map(|v| v.field)
        .collect();
    assert_eq!(fields, ["plan.name", "offer"]);
    assert_eq!(Violations::new().finish(Some(7)), Ok(7));
}
