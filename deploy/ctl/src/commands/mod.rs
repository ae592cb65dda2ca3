//! One file per noun: its arguments, its RPCs, and how the answer reads.

pub mod audience;
pub mod batch;
pub mod dead_letters;
pub mod dry_run;
pub mod health;
pub mod history;
pub mod inbox;
pub mod listing;
pub mod members;
pub mod preferences;
pub mod publish;
pub mod publisher;
pub mod quota;
pub mod report;
pub mod review;
pub mod status;
pub mod token;
pub mod watch;
