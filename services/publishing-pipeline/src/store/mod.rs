//! Every SQL statement of the service.
//!
//! A move locks and reads with one statement, writes with one, and tells with one (messaging's). Rows travel as JSON
//! whose fields are the columns, so a batch of offerings is one statement as well.

mod batches;
mod dry_runs;
mod due;
mod lead_deliveries;
mod offerings;
mod operate;
mod quotas;
mod submissions;

pub use batches::{
    batch_items, find_batch, forget_batches, insert_batch, item_delayed, item_refused,
    item_submitted, lock_batches, settle_batches, take_turns,
};
pub use dry_runs::{
    claim_dry_runs, dry_run_revision, find_dry_run, forget_dry_runs, insert_dry_run, keep_dry_run,
    lock_dry_run, lock_dry_runs, release_dry_run, save_dry_run,
};
pub use due::{Due, Held, due, forget_transitions, held, keep_lease, leave, medians, schedule_of};
pub use lead_deliveries::{DueLead, claim_leads, lead_delivered, lead_failed, put_leads};
pub use offerings::{close_first, find_offer, find_submission, lock_name, lock_offers, make, save};
pub use operate::{
    Audit, Incident, audit, incident_failed, incident_open, list_incidents, note_discarded,
    note_incidents,
};
pub use quotas::{beyond, count_submission, used};
pub use submissions::{Unseen, list_submissions, newest, unseen};
