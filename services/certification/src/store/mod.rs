//! Every SQL statement of the service, by noun. Callers own the transaction; rows that several publishers have are
//! compared with the [`Scope`](marketplace_runtime::access::Scope) here.

mod cases;
mod jobs;
mod queue;
mod reports;
mod results;
mod rules;

pub use cases::{
    add_decision, expired_claims, find_case, insert_case, list_cases, lock_case, open_case,
    publisher_of, save_case, void_case, void_cases,
};
pub use jobs::{
    Standing, answer_job, claim_jobs, fail_job, insert_job, open_jobs, park_jobs, renew_jobs,
    standing, still_mine, withdraw_jobs,
};
pub use queue::{QueueFilter, queue};
pub use reports::{find_report, insert_report, list_reports};
pub use results::save_results;
pub use rules::{EligibilityFacts, eligibility_facts, list_policies, policies};

/// A stored text that this version can't read: never a default.
fn corrupt(what: &'static str) -> sqlx::Error {
    sqlx::Error::Decode(format!("{what} holds a value that this version doesn't know").into())
}

/// A count as it is stored.
fn count(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// A revision as it is stored.
fn revision(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
