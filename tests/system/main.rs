//! The stories over the five real services. This list is the table of contents.
#![expect(
    clippy::disallowed_methods,
    reason = "tests look at and tamper with rows as they please, and are configured by the script that starts them"
)]

mod access;
mod audience;
mod batches;
mod deploy;
mod deprecation;
mod dry_runs;
mod faults;
mod files;
mod initiators;
mod isolation;
mod kills;
mod leads;
mod live;
mod machine;
mod operators;
mod plans;
mod previews;
mod private_audiences;
mod quotas;
mod races;
mod readme;
mod refusals;
mod requests;
mod review;
mod roles;
mod setbacks;
mod shape;
mod shutdown;
mod storage;
mod trace;
mod uploads;
mod walk;
