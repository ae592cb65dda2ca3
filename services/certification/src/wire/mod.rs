//! Proto ↔ domain, both directions, and all validation of input.

mod cases;
mod looks;
mod orders;
mod reports;
mod review;

use marketplace_runtime::{
    ids::{self, OfferName, SubmissionName},
    status::Violation,
};
use uuid::Uuid;

pub use cases::{case, policy};
pub use looks::{look, seen};
pub use orders::Ordered;
pub use reports::report;
pub use review::{approve, decide, reject};

use crate::error::Error;

/// The id in "cases/{case}".
pub fn case_id(name: &str) -> Result<Uuid, Error> {
    let wrong = || {
        Error::Invalid(vec![
            Violation::new("name", "is not a name of the form cases/{case}").because("BAD_NAME"),
        ])
    };
    if name.is_empty() {
        return Err(Error::Invalid(vec![Violation::missing("name")]));
    }
    let id = name.strip_prefix("cases/").ok_or_else(wrong)?;
    ids::uuid(id, "name").map_err(|_| wrong())
}

/// The id in "policies/{policy}".
pub fn policy_id(name: &str) -> Result<&str, Error> {
    let id = name
        .strip_prefix("policies/")
        .filter(|id| ids::is_segment(id));
    id.ok_or_else(|| {
        Error::Invalid(vec![
            Violation::new("name", "is not a name of the form policies/{policy}")
                .because("BAD_NAME"),
        ])
    })
}

/// An offer's resource name.
pub fn offer(name: &str) -> Result<OfferName, Error> {
    OfferName::parse(name, "offer").map_err(|violation| Error::Invalid(vec![violation]))
}

/// A submission's resource name.
pub fn submission(name: &str) -> Result<SubmissionName, Error> {
    SubmissionName::parse(name, "submission").map_err(|violation| Error::Invalid(vec![violation]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(error: Error) -> Vec<String> {
        match error {
            Error::Invalid(violations) => violations.into_iter().filter_map(|v| v.reason).collect(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn names_are_read_or_refused_by_field() {
        let id = ids::new_id();
        assert_eq!(case_id(&format!("cases/{id}")).unwrap(), id);
        for wrong in ["cases/", "cases/7", "case/x", "cases"] {
            assert_eq!(
                reasons(case_id(wrong).unwrap_err()),
                ["BAD_NAME"],
                "{wrong}"
            );
        }
        assert_eq!(reasons(case_id("").unwrap_err()), ["REQUIRED"]);
        assert_eq!(policy_id("policies/100.1.3").unwrap(), "100.1.3");
        assert_eq!(reasons(policy_id("policies/").unwrap_err()), ["BAD_NAME"]);
        assert_eq!(reasons(offer("offers/x").unwrap_err()), ["BAD_NAME"]);
        assert_eq!(reasons(submission("").unwrap_err()), ["REQUIRED"]);
    }
}
