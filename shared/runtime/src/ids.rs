//! System ids and resource names: `publishers/{p}/offers/{o}/plans/{pl}`, `…/submissions/{s}`.
//!
//! A name is parsed once, in wire.rs, and its error is the [`Violation`] of the field that carried it.

use std::fmt;

use uuid::Uuid;

use crate::status::Violation;

/// A new system id: UUIDv7, so that new rows land at the end of their index.
pub fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// A UUID in `field`.
pub fn uuid(text: &str, field: &str) -> Result<Uuid, Violation> {
    Uuid::try_parse(text).map_err(|_| Violation::new(field, "is not a UUID").because("BAD_ID"))
}

/// True for what may stand between two slashes of a resource name: 1 to 64 of `a-z A-Z 0-9 _ . -`, not with a dot first
/// (`..`). What a new publisher, offer or plan may be called is stricter and its own service's business.
pub fn is_segment(text: &str) -> bool {
    let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b'.');
    (1..=64).contains(&text.len()) && !text.starts_with('.') && text.bytes().all(fits)
}

/// Splits `name` by a pattern of collections: `["publishers", "offers"]` takes `publishers/{p}/offers/{o}`.
fn split<const N: usize>(
    name: &str,
    collections: [&str; N],
    field: &str,
) -> Result<[String; N], Violation> {
    let wrong = || {
        let form: Vec<String> = collections
            .iter()
            .map(|c| format!("{c}/{{{}}}", singular(c)))
            .collect();
        Violation::new(
            field,
            format!("is not a name of the form {}", form.join("/")),
        )
        .because("BAD_NAME")
    };
    if name.is_empty() {
        return Err(Violation::missing(field));
    }
    let mut parts = name.split('/');
    let mut ids = [const { String::new() }; N];
    for (id, collection) in ids.iter_mut().zip(collections) {
        if parts.next() != Some(collection) {
            return Err(wrong());
        }
        *id = parts
            .next()
            .filter(|p| is_segment(p))
            .ok_or_else(wrong)?
            .to_owned();
    }
    if parts.next().is_some() {
        Err(wrong())
    } else {
        Ok(ids)
    }
}

fn singular(collection: &str) -> &str {
    let plural = if collection.ends_with("ches") {
        "es"
    } else {
        "s"
    };
    collection.strip_suffix(plural).unwrap_or(collection)
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $($field:ident: $collection:literal),+) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name { $(
            #[doc = concat!("The id after `", $collection, "/`.")]
            pub $field: String
        ),+ }

        impl $name {
            /// From its ids, outermost first.
            pub fn new($($field: impl Into<String>),+) -> Self {
                Self { $($field: $field.into()),+ }
            }

            /// From its text; `field` names it in the violation.
            pub fn parse(name: &str, field: &str) -> Result<Self, Violation> {
                let [$($field),+] = split(name, [$($collection),+], field)?;
                Ok(Self { $($field),+ })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut slash = "";
                $( write!(f, "{slash}{}/{}", $collection, self.$field)?; #[allow(unused_assignments)] { slash = "/"; } )+
                Ok(())
            }
        }
    };
}

name!(
    /// `publishers/{publisher}`
    PublisherName, publisher: "publishers"
);
name!(
    /// `publishers/{publisher}/members/{member}`
    MemberName, publisher: "publishers", member: "members"
);
name!(
    /// `publishers/{publisher}/batches/{batch}`
    BatchName, publisher: "publishers", batch: "batches"
);
name!(
    /// `publishers/{publisher}/offers/{offer}`
    OfferName, publisher: "publishers", offer: "offers"
);
name!(
    /// `publishers/{publisher}/offers/{offer}/plans/{plan}`
    PlanName, publisher: "publishers", offer: "offers", plan: "plans"
);
name!(
    /// `publishers/{publisher}/offers/{offer}/assets/{asset}`
    AssetName, publisher: "publishers", offer: "offers", asset: "assets"
);
name!(
    /// `publishers/{publisher}/offers/{offer}/uploads/{upload}`
    UploadName, publisher: "publishers", offer: "offers", upload: "uploads"
);
name!(
    /// `publishers/{publisher}/offers/{offer}/submissions/{submission}`
    SubmissionName, publisher: "publishers", offer: "offers", submission: "submissions"
);
name!(
    /// `publishers/{publisher}/offers/{offer}/dryRuns/{dry_run}`
    DryRunName, publisher: "publishers", offer: "offers", dry_run: "dryRuns"
);
name!(
    /// `publishers/{publisher}/offers/{offer}/snapshots/{snapshot}`
    SnapshotName, publisher: "publishers", offer: "offers", snapshot: "snapshots"
);

impl PublisherName {
    /// The name of an offer of this publisher.
    pub fn offer(&self, offer: &str) -> OfferName {
        OfferName::new(&self.publisher, offer)
    }
}

impl BatchName {
    /// Its id as the system id that it is.
    pub fn id(&self, field: &str) -> Result<Uuid, Violation> {
        uuid(&self.batch, field)
    }
}

impl OfferName {
    /// The name of the publisher that owns it.
    pub fn parent(&self) -> PublisherName {
        PublisherName::new(&self.publisher)
    }

    /// The name of a plan of this offer.
    pub fn plan(&self, plan: &str) -> PlanName {
        PlanName::new(&self.publisher, &self.offer, plan)
    }

    /// The name of a submission of this offer.
    pub fn submission(&self, submission: Uuid) -> SubmissionName {
        SubmissionName::new(&self.publisher, &self.offer, submission.to_string())
    }

    /// The name of a dry run of this offer.
    pub fn dry_run(&self, dry_run: Uuid) -> DryRunName {
        DryRunName::new(&self.publisher, &self.offer, dry_run.to_string())
    }
}

impl PlanName {
    /// The name of the offer it belongs to.
    pub fn parent(&self) -> OfferName {
        OfferName::new(&self.publisher, &self.offer)
    }
}

impl AssetName {
    /// The name of the offer it belongs to.
    pub fn parent(&self) -> OfferName {
        OfferName::new(&self.publisher, &self.offer)
    }
}

impl UploadName {
    /// The name of the offer it belongs to.
    pub fn parent(&self) -> OfferName {
        OfferName::new(&self.publisher, &self.offer)
    }
}

impl SubmissionName {
    /// The name of the offer it belongs to.
    pub fn parent(&self) -> OfferName {
        OfferName::new(&self.publisher, &self.offer)
    }

    /// Its id as the system id that it is.
    pub fn id(&self, field: &str) -> Result<Uuid, Violation> {
        uuid(&self.submission, field)
    }
}

impl DryRunName {
    /// Its id as the system id that it is.
    pub fn id(&self, field: &str) -> Result<Uuid, Violation> {
        uuid(&self.dry_run, field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_survives_the_round_trip() {
        for name in [
            "publishers/contoso/offers/db/plans/gold.1",
            "publishers/a/offers/B_2/plans/x",
        ] {
            assert_eq!(PlanName::parse(name, "name").unwrap().to_string(), name);
        }
        assert_eq!(
            PlanName::new("c", "o", "p").parent().parent(),
            PublisherName::new("c")
        );
    }

    /// `^[a-z0-9_-]{1,50}$`: every one of these may be first, and alone.
    #[test]
    fn e6_every_plan_that_can_be_made_has_a_name() {
        let longest = "_".repeat(50);
        for plan in ["_gold", "-gold", "_", "-", "0", "a", "g_o-l-d", &longest] {
            let name = format!("publishers/contoso/offers/db/plans/{plan}");
            assert_eq!(PlanName::parse(&name, "name").unwrap().plan, plan);
        }
    }

    #[test]
    fn what_is_no_name_is_a_violation_of_its_field() {
        let long = format!("publishers/{}/offers/o", "x".repeat(65));
        let wrong = [
            "publishers",
            "publishers/",
            "publishers/a/offers",
            "publishers/a/plans/b",
            "offers/b",
            "publishers/a b/offers/o",
            "publishers/a/offers/o/",
            "/publishers/a/offers/o",
            "publishers/../offers/o",
            "publishers/a/offers/.",
            "publishers/a/offers/.o",
            &long,
        ];
        for name in wrong {
            let violation = OfferName::parse(name, "offer").unwrap_err();
            assert_eq!(
                (violation.field.as_str(), violation.reason.as_deref()),
                ("offer", Some("BAD_NAME")),
                "{name}"
            );
        }
        assert_eq!(
            OfferName::parse("", "offer").unwrap_err().reason.as_deref(),
            Some("REQUIRED")
        );
    }

    #[test]
    fn a_violation_says_the_form_in_words_that_there_are() {
        let form = |wrong: Violation| wrong.description;
        assert_eq!(
            form(BatchName::parse("x", "name").unwrap_err()),
            "is not a name of the form publishers/{publisher}/batches/{batch}"
        );
    }

    #[test]
    fn ids_grow() {
        assert!(new_id() < new_id());
    }
}
