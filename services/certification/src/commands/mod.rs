//! Every write of the service: load, decide, save, tell. The door that called owns the transaction.

mod checking;
mod orders;
mod review;

pub use checking::{certified, impossible, validated};
pub use orders::{order, withdraw};
pub use review::{
    Approve, Claim, Decide, Reject, Release, approve, claim, decide, expire_claim, reject, release,
};

/// The topic that wakes due.rs.
pub const JOBS: &str = "jobs";
