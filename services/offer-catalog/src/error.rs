//! Everything that can go wrong here, and how a caller sees it (the table in the README, made by runtime's `status`).

use std::time::Duration;

use marketplace_runtime::status::{self, Violation};
use tonic::Status;

use crate::DOMAIN;
use crate::domain::refusal::Refusal;
use crate::domain::snapshot::SnapshotError;

/// What a command, a statement or a door of this service fails with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the request are wrong; all that were found.
    #[error("{} fields are wrong", .0.len())]
    Invalid(Vec<Violation>),
    /// There is no such thing, or the caller may not know of it.
    #[error("there is no {kind} {name}")]
    NotFound { kind: &'static str, name: String },
    /// The caller's roles don't permit it; the scope has made the answer.
    #[error("not permitted")]
    Access(#[source] Box<Status>),
    /// A member, or an operator, without the role for it.
    #[error("{0}")]
    RoleRequired(&'static str),
    /// The name is taken.
    #[error("{kind} {name} exists")]
    AlreadyExists { kind: &'static str, name: String },
    /// It was changed since the caller read it.
    #[error("stale etag, {current} is current")]
    StaleEtag { current: String },
    /// The copy of the publication is older than asked for.
    #[error("the copy of the publication is at revision {current}")]
    StatusBehind { current: u64 },
    /// Pages lack something. `violations` are the first of `total`.
    #[error("{total} violations on pages")]
    PagesIncomplete {
        total: usize,
        pages: Vec<String>,
        violations: Vec<Violation>,
    },
    /// A rule of the domain says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The caller is in no audience of it.
    #[error("the caller is in no audience of it")]
    NotInAudience,
    /// A stored value that no version of this service has written.
    #[error("a stored value is damaged: {0}")]
    Corrupt(String),
    /// A stored snapshot isn't what was stored (PB-1).
    #[error(transparent)]
    Damaged(SnapshotError),
    /// A secret can't be sealed or opened with the keys at hand.
    #[error("a secret can't be opened")]
    Sealed(#[from] crate::keys::KeyError),
    /// As many files are on their way in as there may be.
    #[error(transparent)]
    NoPlace(#[from] crate::files::NoPlace),
    /// A stream that doesn't begin where the last one of its upload has ended.
    #[error("{committed} bytes are committed; the stream must begin behind them")]
    OtherOffset { committed: i64 },
    /// Another stream has the upload now, or nobody, since it has ended.
    #[error("another stream has taken the upload over, or it has ended")]
    TakenOver,
    /// A publisher has as many uploads as it may that were begun and not ended.
    #[error("too many open uploads")]
    TooManyOpenUploads,
    /// A customer leaves more leads than anybody has interests; when the next is taken.
    #[error("too many leads")]
    TooManyLeads(Duration),
    /// The storage of blobs failed.
    #[error("the storage of blobs failed")]
    Blobs(#[from] crate::blobs::BlobError),
    /// The disk that uploads are spooled to failed.
    #[error("the spool failed")]
    Disk(#[from] std::io::Error),
    /// The database failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// The outbox or the request row failed.
    #[error("messaging failed")]
    Messaging(#[from] marketplace_messaging::Error),
}

/// Result of everything below the doors.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// One thing wrong with one field.
    pub fn invalid(violation: Violation) -> Self {
        Self::Invalid(vec![violation])
    }

    /// No such thing; `name` is its resource name.
    pub fn not_found(kind: &'static str, name: impl ToString) -> Self {
        Self::NotFound {
            kind,
            name: name.to_string(),
        }
    }

    /// A stored value that can't be read.
    pub fn corrupt(what: impl ToString) -> Self {
        Self::Corrupt(what.to_string())
    }

    /// True where a unique key of this name was violated.
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.constraint() == Some(constraint))
    }
}

impl From<Status> for Error {
    fn from(refusal: Status) -> Self {
        Self::Access(Box::new(refusal))
    }
}

impl From<Violation> for Error {
    fn from(violation: Violation) -> Self {
        Self::invalid(violation)
    }
}

impl From<Vec<Violation>> for Error {
    fn from(violations: Vec<Violation>) -> Self {
        Self::Invalid(violations)
    }
}

impl From<SnapshotError> for Error {
    fn from(error: SnapshotError) -> Self {
        match error {
            SnapshotError::Damaged(_) => Self::Damaged(error),
            other => Self::corrupt(other),
        }
    }
}

impl From<crate::files::IntakeError> for Error {
    fn from(error: crate::files::IntakeError) -> Self {
        use crate::files::IntakeError;
        match error {
            IntakeError::Refused(fault) => {
                Self::invalid(Violation::new("content", fault.message).because(fault.code))
            }
            IntakeError::Disk(error) => Self::Disk(error),
            IntakeError::Storage(error) => *error,
        }
    }
}

impl From<Error> for Status {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(violations) => status::invalid(DOMAIN, violations),
            Error::NotFound { kind, name } => status::not_found(DOMAIN, kind, &name),
            Error::Access(refusal) => *refusal,
            Error::RoleRequired(why) => status::permission_denied(DOMAIN, "ROLE_REQUIRED", why),
            Error::AlreadyExists { kind, name } => status::already_exists(DOMAIN, kind, &name),
            Error::StaleEtag { current } => status::stale_etag(DOMAIN, &current),
            Error::StatusBehind { current } => status_behind(current),
            Error::PagesIncomplete {
                total,
                pages,
                violations,
            } => {
                let pages: Vec<&str> = pages.iter().map(String::as_str).collect();
                status::pages_incomplete(DOMAIN, total, &pages, &violations)
            }
            Error::Refused(refusal) => {
                status::failed_precondition(DOMAIN, refusal.reason(), &refusal.to_string(), &[])
            }
            Error::NotInAudience => {
                let message = "you are in no audience of this plan or preview";
                status::permission_denied(DOMAIN, "NOT_IN_AUDIENCE", message)
            }
            Error::Damaged(error) => {
                tracing::error!(%error, "a snapshot is not what was stored");
                status::failed_precondition(DOMAIN, "DIGEST_MISMATCH", &error.to_string(), &[])
            }
            Error::NoPlace(full) => {
                let description = "as many uploads are under way as there may be at once";
                let retry = Duration::from_secs(5);
                status::exhausted(DOMAIN, "TOO_MANY_UPLOADS", full.0, description, retry)
            }
            Error::OtherOffset { committed } => {
                let bytes = committed.to_string();
                let metadata = [("committed_bytes", bytes.as_str())];
                status::failed_precondition(DOMAIN, "OTHER_OFFSET", &error.to_string(), &metadata)
            }
            // Without RetryInfo: two senders would take it from each other for ever.
            Error::TakenOver => {
                status::aborted(DOMAIN, "CONCURRENT_CHANGE", &error.to_string(), &[], None)
            }
            Error::TooManyOpenUploads => {
                let description =
                    "at most 16 uploads may be begun and not ended; end or delete one";
                let retry = Duration::from_secs(60);
                status::exhausted(
                    DOMAIN,
                    "TOO_MANY_OPEN_UPLOADS",
                    "this publisher",
                    description,
                    retry,
                )
            }
            Error::TooManyLeads(retry) => status::exhausted(
                DOMAIN,
                "TOO_MANY_LEADS",
                "leads",
                "at most 20 an hour",
                retry,
            ),
            Error::Disk(error) if is_full(&error) => full(&error),
            Error::Blobs(error) if is_full(&error) => full(&error),
            Error::Blobs(crate::blobs::BlobError::Away(source)) => {
                tracing::warn!(error = %status::Chain(&source), "storage of blobs not available");
                status::unavailable(DOMAIN, "the storage of assets")
            }
            Error::Blobs(late @ crate::blobs::BlobError::Late) => {
                tracing::warn!(error = %late, "an upload must be repeated");
                status::unavailable(DOMAIN, "the storage of assets")
            }
            error @ (Error::Corrupt(_) | Error::Sealed(_) | Error::Blobs(_) | Error::Disk(_)) => {
                status::internal(DOMAIN, &error)
            }
            Error::Database(error) => status::database(DOMAIN, &error),
            Error::Messaging(error) => error.into_status(DOMAIN),
        }
    }
}

/// Whether a disk, or somebody's share of it, is full: the error says so, or what caused it.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    let mut cause = Some(error);
    while let Some(error) = cause {
        let kind = error
            .downcast_ref::<std::io::Error>()
            .map(std::io::Error::kind);
        if matches!(kind, Some(StorageFull | QuotaExceeded)) {
            return true;
        }
        cause = error.source();
    }
    false
}

fn full(error: &(dyn std::error::Error + 'static)) -> Status {
    tracing::error!(error = %status::Chain(error), "the disk for assets is full");
    let retry = Duration::from_secs(60);
    let description = "there is no room for more content now";
    status::exhausted(DOMAIN, "SPOOL_FULL", "assets", description, retry)
}

fn status_behind(current: u64) -> Status {
    let message =
        "the copy of the publication has not caught up yet; ask again, or ask GetPublication";
    let retry = Some(Duration::from_millis(200));
    status::aborted(
        DOMAIN,
        "STATUS_BEHIND",
        message,
        &[("current", &current.to_string())],
        retry,
    )
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::blobs::BlobError;
    use crate::keys::KeyError;

    fn check(error: impl Into<Error>, code: Code, reason: &str) {
        let status = Status::from(error.into());
        assert_eq!(
            (status.code(), status::reason(&status).as_str()),
            (code, reason),
            "{status:?}"
        );
    }

    #[test]
    fn every_variant_has_its_code_and_reason() {
        let unavailable = || std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        let violation = || Violation::missing("name");
        check(violation(), Code::InvalidArgument, "REQUIRED");
        check(
            vec![violation(), Violation::new("etag", "is no etag")],
            Code::InvalidArgument,
            "INVALID_FIELDS",
        );
        check(
            Error::not_found("Offer", "publishers/a/offers/b"),
            Code::NotFound,
            "NOT_FOUND",
        );
        check(
            status::permission_denied(DOMAIN, "ROLE_REQUIRED", "no"),
            Code::PermissionDenied,
            "ROLE_REQUIRED",
        );
        check(
            Error::RoleRequired("owners only"),
            Code::PermissionDenied,
            "ROLE_REQUIRED",
        );
        let taken = Error::AlreadyExists {
            kind: "Offer",
            name: "publishers/a/offers/b".into(),
        };
        check(taken, Code::AlreadyExists, "ALREADY_EXISTS");
        check(
            Error::StaleEtag {
                current: "7".into(),
            },
            Code::Aborted,
            "STALE_ETAG",
        );
        check(
            Error::StatusBehind { current: 3 },
            Code::Aborted,
            "STATUS_BEHIND",
        );
        let incomplete = Error::PagesIncomplete {
            total: 1,
            pages: vec!["Properties".into()],
            violations: vec![violation()],
        };
        check(incomplete, Code::FailedPrecondition, "PAGES_INCOMPLETE");
        check(
            Error::NotInAudience,
            Code::PermissionDenied,
            "NOT_IN_AUDIENCE",
        );
        check(Error::corrupt("no such state"), Code::Internal, "INTERNAL");
        check(KeyError::Damaged, Code::Internal, "INTERNAL");
        check(std::io::Error::other("full"), Code::Internal, "INTERNAL");
        check(
            Error::NoPlace(crate::files::NoPlace("this publisher")),
            Code::ResourceExhausted,
            "TOO_MANY_UPLOADS",
        );
        check(
            Error::OtherOffset { committed: 8 },
            Code::FailedPrecondition,
            "OTHER_OFFSET",
        );
        check(Error::TakenOver, Code::Aborted, "CONCURRENT_CHANGE");
        check(
            Error::TooManyOpenUploads,
            Code::ResourceExhausted,
            "TOO_MANY_OPEN_UPLOADS",
        );
        check(
            Error::TooManyLeads(Duration::from_secs(60)),
            Code::ResourceExhausted,
            "TOO_MANY_LEADS",
        );
        let no_space = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        check(no_space(), Code::ResourceExhausted, "SPOOL_FULL");
        let store = object_store::Error::Generic {
            store: "folder",
            source: Box::new(no_space()),
        };
        check(
            BlobError::Away(store),
            Code::ResourceExhausted,
            "SPOOL_FULL",
        );
        check(BlobError::Missing("00".into()), Code::Internal, "INTERNAL");
        check(BlobError::Late, Code::Unavailable, "UNAVAILABLE");
        check(
            sqlx::Error::Io(unavailable()),
            Code::Unavailable,
            "UNAVAILABLE",
        );
        check(sqlx::Error::RowNotFound, Code::Internal, "INTERNAL");
        check(
            marketplace_messaging::Error::RequestReused,
            Code::InvalidArgument,
            "REQUEST_ID_REUSED",
        );
    }

    #[test]
    fn every_refusal_is_a_failed_precondition_with_its_reason() {
        for refusal in Refusal::ALL {
            check(*refusal, Code::FailedPrecondition, refusal.reason());
        }
    }

    #[test]
    fn a_stale_etag_names_the_current_one() {
        use tonic_types::StatusExt;
        let status = Status::from(Error::StaleEtag {
            current: "7".into(),
        });
        assert_eq!(
            status.get_details_error_info().unwrap().metadata["current"],
            "7"
        );
    }
}
