//! What people type for offers, submissions, cases and members, and the resource names that the services want.

use crate::error::Error;

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub publisher: String,
    pub id: String,
}

/// An offer, or one of its submissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Offer(Offer),
    /// By resource name.
    Submission(String),
}

impl Offer {
    /// "publishers/p/offers/o", "p/o", or "o" with a default publisher.
    pub fn parse(text: &str, publisher: Option<&str>) -> Result<Self, Error> {
        match Target::parse(text, publisher)? {
            Target::Offer(offer) => Ok(offer),
            Target::Submission(_) => Err(Error::usage(format!(
                "{text} is a submission; an offer is wanted"
            ))),
        }
    }

    /// "publishers/p/offers/o".
    pub fn name(&self) -> String {
        format!("publishers/{}/offers/{}", self.publisher, self.id)
    }

    /// The resource name of one of its plans.
    pub fn plan(&self, plan: &str) -> String {
        format!("{}/plans/{plan}", self.name())
    }

    /// The resource name of one of its assets.
    pub fn asset(&self, asset: &str) -> String {
        format!("{}/assets/{asset}", self.name())
    }

    /// The resource name of a member of its publisher.
    pub fn member(&self, member: &str) -> String {
        if member.contains('/') {
            member.to_owned()
        } else {
            format!("publishers/{}/members/{member}", self.publisher)
        }
    }
}

impl Target {
    /// What [`Offer::parse`] takes, or with a submission behind it: "publishers/p/offers/o/submissions/s", "p/o/s".
    pub fn parse(text: &str, publisher: Option<&str>) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        if parts.iter().any(|part| part.trim().is_empty()) {
            return Err(Error::usage(format!(
                "{text:?} names nothing: a part of it is empty"
            )));
        }
        let offer = |publisher: &str, id: &str| Offer {
            publisher: publisher.to_owned(),
            id: id.to_owned(),
        };
        match parts.as_slice() {
            ["publishers", p, "offers", o] => Ok(Self::Offer(offer(p, o))),
            ["publishers", _, "offers", _, "submissions", _] => {
                Ok(Self::Submission(text.to_owned()))
            }
            [p, o] if *p != "publishers" => Ok(Self::Offer(offer(p, o))),
            [p, o, s] if *p != "publishers" => Ok(Self::Submission(format!(
                "{}/submissions/{s}",
                offer(p, o).name()
            ))),
            [o] => match publisher {
                Some(p) => Ok(Self::Offer(offer(p.trim_start_matches("publishers/"), o))),
                None => Err(Error::usage(format!(
                    "{text:?} has no publisher: write PUBLISHER/{text} or give --publisher"
                ))),
            },
            _ => Err(Error::usage(format!(
                "{text:?} is no offer: write PUBLISHER/OFFER or publishers/PUBLISHER/offers/OFFER, \
                 for a submission with /submissions/SUBMISSION"
            ))),
        }
    }
}

/// "publishers/p" of "p" or itself.
pub fn publisher(text: &str) -> String {
    format!("publishers/{}", text.trim_start_matches("publishers/"))
}

/// The last part of a resource name.
pub fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        Target::parse(text, Some("contoso")).unwrap()
    }

    #[test]
    fn an_offer_has_three_spellings() {
        let grafana = Target::Offer(Offer {
            publisher: "contoso".into(),
            id: "grafana".into(),
        });
        for text in [
            "grafana",
            "contoso/grafana",
            "publishers/contoso/offers/grafana",
        ] {
            assert_eq!(target(text), grafana, "{text}");
        }
        let fabrikam = Offer {
            publisher: "fabrikam".into(),
            id: "grafana".into(),
        };
        assert_eq!(
            Offer::parse("fabrikam/grafana", Some("contoso")).unwrap(),
            fabrikam
        );
    }

    #[test]
    fn a_submission_has_two() {
        let name = "publishers/contoso/offers/grafana/submissions/0190";
        assert_eq!(target(name), Target::Submission(name.into()));
        assert_eq!(
            target("contoso/grafana/0190"),
            Target::Submission(name.into())
        );
        assert_eq!(id(name), "0190");
    }

    #[test]
    fn everything_else_is_refused_with_what_to_write() {
        for text in [
            "",
            "/",
            "contoso/",
            "publishers/contoso",
            "publishers/contoso/offers",
            "a/b/c/d",
            "publishers/a/plans/b",
        ] {
            let error = Target::parse(text, Some("contoso")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
        }
        let error = Target::parse("grafana", None).unwrap_err().to_string();
        assert!(error.contains("PUBLISHER/grafana"), "{error}");
        assert!(Offer::parse("contoso/grafana/0190", None).is_err());
    }
}
