//! Every SQL statement of the service: free functions over an open connection, named after what they do.
//!
//! Rows of a publisher are found by its id in the scope. What the caller is to the publisher is read by the same
//! statement that reads the resource, as a [`Membership`], for the scope to settle.

pub mod acquisitions;
pub mod admissions;
pub mod assets;
pub mod audiences;
pub mod blobs;
pub mod freezes;
pub mod grants;
pub mod leads;
pub mod listings;
pub mod members;
pub mod offers;
pub mod orders;
pub mod pages;
pub mod plans;
pub mod previews;
pub mod price_changes;
pub mod publishers;
pub mod search;
pub mod secrets;
pub mod snapshots;
pub mod uploads;

use marketplace_runtime::access::{Membership, Role};

use crate::error::{Error, Result};

/// What a statement has read of the caller's standing; the publisher exists, since a row of it was found.
fn membership(roles: Option<Vec<String>>, operator_granted: bool) -> Result<Membership> {
    let member = roles.is_some();
    let roles = roles_of(roles.unwrap_or_default())?;
    Ok(Membership {
        roles,
        member,
        operator_granted,
        publisher_exists: true,
    })
}

fn roles_of(stored: Vec<String>) -> Result<Vec<Role>> {
    stored
        .iter()
        .map(|role| role.parse().map_err(Error::corrupt))
        .collect()
}
