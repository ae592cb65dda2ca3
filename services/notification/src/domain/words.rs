//! The words of every notification.

use time::OffsetDateTime;
use time::macros::format_description;

use super::{Block, By, Code, Facts, Finding, Leg, Link, Message, Notice, Variant};

/// Where the links lead, and whose name stands for the operator's staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Portal {
    /// Without a slash at its end.
    pub url: String,
    /// The operator's brand (IB-2).
    pub brand: String,
}

/// What was found out about a notice before it is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Display name of who did it, if they are still a member.
    pub who: Option<String>,
    /// N03.
    pub report: Option<Report>,
    /// N04: where the preview can be seen.
    pub previews: Vec<Link>,
}

/// A certification failure report (RP-3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub attempt: u32,
    pub made_at: Option<OffsetDateTime>,
    pub findings: Vec<Finding>,
    pub review_notes: String,
}

impl Portal {
    fn link(&self, title: &str, path: &str) -> Link {
        Link {
            title: title.to_owned(),
            target: format!("{}/{path}", self.url),
        }
    }

    fn overview(&self, offer: &str) -> Link {
        self.link("Offer overview", &format!("{offer}/overview"))
    }

    fn preferences(&self) -> Link {
        self.link("My Preferences", "action-center/preferences")
    }

    /// Below every mail: why it came, and the links of NO-12.
    pub fn footer(&self) -> String {
        format!(
            "You receive this because you are an owner of this publisher, or on the submission notification audience of \
             the offer.\nAction Center: {0}/action-center\nYour preferences: {0}/action-center/preferences\n\
             User management: {0}/account-settings/user-management\nHelp with notifications: {0}/help/notifications",
            self.url
        )
    }
}

/// The words of N01 to N12.
pub fn words(notice: &Notice, told: &Told, portal: &Portal) -> Message {
    let said = Said {
        notice,
        told,
        portal,
        facts: &notice.facts,
    };
    match notice.code {
        Code::PublishSubmitted => said.submitted(),
        Code::StepFailed => said.failed(),
        Code::CertificationFailed => said.certification_failed(),
        Code::PreviewReady => said.preview_ready(),
        Code::ValidationWarnings => said.warnings(),
        Code::PublishCanceled => said.canceled(),
        Code::GoLiveAccepted => said.going_live(),
        Code::OfferLive => said.live(),
        Code::StopRequested => said.stop_requested(),
        Code::OfferNotAvailable => said.not_available(),
        Code::PlanStopped => said.plan_stopped(),
        Code::AudienceSyncedOrResumed => said.synced_or_resumed(),
        Code::EmailUnverified => unverified(portal),
        Code::AudienceMembership => membership(&notice.about.offer, true, portal),
    }
}

struct Said<'a> {
    notice: &'a Notice,
    told: &'a Told,
    portal: &'a Portal,
    facts: &'a Facts,
}

impl Said<'_> {
    /// The offer as people call it.
    fn offer(&self) -> &str {
        if self.facts.title.is_empty() {
            last(&self.notice.about.offer)
        } else {
            &self.facts.title
        }
    }

    fn who(&self) -> String {
        match (&self.facts.by, &self.told.who) {
            (By::User(_), Some(name)) => name.clone(),
            (By::User(_), None) => "a person who has left the account".to_owned(),
            (By::Operator, _) => self.portal.brand.clone(),
            (By::System, _) => "the system".to_owned(),
        }
    }

    fn facts(&self, more: Vec<(&'static str, String)>) -> Block {
        let mut facts = vec![(
            "Offer",
            format!("{} ({})", self.offer(), last(&self.notice.about.offer)),
        )];
        facts.extend(more);
        facts.push(("Time", when(self.notice.occurred_at)));
        Block::Facts(facts)
    }

    fn message(&self, title: String, blocks: Vec<Block>) -> Message {
        Message {
            title,
            blocks,
            links: vec![self.portal.overview(&self.notice.about.offer)],
        }
    }

    fn report_link(&self, title: &str) -> Option<Link> {
        (!self.facts.report.is_empty()).then(|| self.portal.link(title, &self.facts.report))
    }

    fn submitted(&self) -> Message {
        let text = "The offer was submitted to preview. Its steps run by themselves; you are told when it needs you.";
        let facts = self.facts(vec![("Submitted by", self.who())]);
        self.message(
            format!("{} was submitted to preview", self.offer()),
            vec![Block::Text(text.into()), facts],
        )
    }

    fn failed(&self) -> Message {
        let (title, text) = match self.facts.variant {
            Variant::PreviewWithdrawn => (
                format!("The preview of {} was withdrawn", self.offer()),
                format!("{} has withdrawn the preview. Make the change that is asked for and publish again.", self.portal.brand),
            ),
            Variant::GoLiveDropped => (
                format!("{} did not go live as scheduled", self.offer()),
                "The scheduled time came, and going live was not possible. The preview is unchanged.".to_owned(),
            ),
            Variant::Plain | Variant::Reminder | Variant::Resumed => (
                format!("{} needs your attention: {} failed", self.offer(), self.facts.step),
                "Publishing has stopped at this step. Correct what it names and publish again; what customers see is unchanged."
                    .to_owned(),
            ),
        };
        let mut facts = Vec::new();
        if !self.facts.step.is_empty() {
            facts.push(("Step", self.facts.step.clone()));
        }
        facts.push(("Reason", self.facts.reason.clone()));
        self.message(title, vec![Block::Text(text), self.facts(facts)])
    }

    fn certification_failed(&self) -> Message {
        let text = "Certification found problems that have to be corrected. Correct them on the pages named below, then \
                    publish again; you can do so as often as you need.";
        let mut facts = vec![
            ("Reason", self.facts.reason.clone()),
            ("Submission", last(&self.notice.about.submission).to_owned()),
        ];
        let report = self.told.report.as_ref();
        if let Some(attempt) = report
            .map(|report| report.attempt)
            .filter(|attempt| *attempt > 0)
        {
            facts.push(("Attempt", attempt.to_string()));
        }
        let mut blocks = vec![Block::Text(text.into()), self.facts(facts)];
        if let Some(report) = report {
            blocks.extend(
                report
                    .findings
                    .iter()
                    .cloned()
                    .map(|finding| Block::Finding(Box::new(finding))),
            );
            if !report.review_notes.is_empty() {
                blocks.push(Block::Quote(
                    "The reviewer writes",
                    report.review_notes.clone(),
                ));
            }
        }
        let mut message = self.message(
            format!("{} did not pass certification", self.offer()),
            blocks,
        );
        message
            .links
            .extend(self.report_link("Certification failure report"));
        message
    }

    fn preview_ready(&self) -> Message {
        let title = match self.facts.variant {
            Variant::Reminder => format!("{} still waits for your sign-off", self.offer()),
            _ => format!(
                "The preview of {} is ready: please review and approve it",
                self.offer()
            ),
        };
        let text = "Look at the preview as customers will see it. If it is right, select Go live on the Offer overview; if \
                    not, change the offer and publish again. Nothing reaches customers before you approve.";
        let mut blocks = vec![Block::Text(text.into()), self.facts(vec![])];
        if self.facts.warnings > 0 {
            blocks.push(Block::Text(self.warnings_text()));
        }
        let mut message = self.message(title, blocks);
        message.links[0].title = "Go live (Offer overview)".into();
        message
            .links
            .splice(0..0, self.told.previews.iter().cloned());
        if self.facts.warnings > 0 {
            message
                .links
                .extend(self.report_link("View validation report"));
        }
        message
    }

    fn warnings_text(&self) -> String {
        let issues = if self.facts.warnings == 1 {
            "1 issue".into()
        } else {
            format!("{} issues", self.facts.warnings)
        };
        format!(
            "Offer validation found {issues} that could fail certification. Resolve them before you go live, or certification may delay it."
        )
    }

    fn warnings(&self) -> Message {
        let blocks = vec![Block::Text(self.warnings_text()), self.facts(vec![])];
        let mut message = self.message(
            format!("{}: the validation report has warnings", self.offer()),
            blocks,
        );
        message
            .links
            .extend(self.report_link("View validation report"));
        message
    }

    fn canceled(&self) -> Message {
        let (leg, text) = match self.facts.leg {
            Leg::Preview => (
                "Submission to preview",
                "The submission to preview was canceled. Publishing later starts from the first step.",
            ),
            Leg::Live => (
                "Publishing to the marketplace",
                "Publishing to the marketplace was canceled. The signed-off preview is intact.",
            ),
        };
        let facts = self.facts(vec![
            ("Canceled", leg.to_owned()),
            ("Canceled by", self.who()),
        ]);
        self.message(
            format!("Publishing of {} was canceled", self.offer()),
            vec![Block::Text(text.into()), facts],
        )
    }

    fn going_live(&self) -> Message {
        let text = "The sign-off was accepted. The last steps run now; you are told when customers can see the offer.";
        let facts = self.facts(vec![("Signed off by", self.who())]);
        self.message(
            format!("{} is going live", self.offer()),
            vec![Block::Text(text.into()), facts],
        )
    }

    fn live(&self) -> Message {
        let text = "Customers can see and acquire the offer now.";
        let mut message = self.message(
            format!("{} is live", self.offer()),
            vec![Block::Text(text.into()), self.facts(vec![])],
        );
        message.links.insert(
            0,
            self.portal.link(
                "Live listing",
                &format!("listings/{}", self.notice.about.offer),
            ),
        );
        message
    }

    fn stop_requested(&self) -> Message {
        let effective = self
            .facts
            .effective_at
            .map_or_else(|| "as soon as the removal is done".to_owned(), when);
        if self.facts.plan.is_empty() {
            let text = "The offer will no longer be found in the marketplace. Customers who have it keep it.";
            let facts = self.facts(vec![
                ("Requested by", self.who()),
                ("Takes effect", effective),
            ]);
            return self.message(
                format!("Stop of distribution requested for {}", self.offer()),
                vec![Block::Text(text.into()), facts],
            );
        }
        let text =
            "The stop is not in effect yet: publish the offer and let it go live to apply it.";
        let facts = vec![
            ("Plan", self.facts.plan.clone()),
            ("Requested by", self.who()),
            ("Takes effect", "when you publish to apply it".to_owned()),
        ];
        let title = format!(
            "Stop of distribution requested for plan {} of {}",
            self.facts.plan,
            self.offer()
        );
        self.message(title, vec![Block::Text(text.into()), self.facts(facts)])
    }

    fn not_available(&self) -> Message {
        let text = "The offer was removed from the marketplace. To offer it again, publish it and let it go live.";
        let title = format!(
            "{} is not available in the marketplace any more",
            self.offer()
        );
        self.message(title, vec![Block::Text(text.into()), self.facts(vec![])])
    }

    fn plan_stopped(&self) -> Message {
        let text = "New customers can't acquire the plan any more.";
        let facts = self.facts(vec![("Plan", self.facts.plan.clone())]);
        self.message(
            format!(
                "Plan {} of {} is not distributed any more",
                self.facts.plan,
                self.offer()
            ),
            vec![Block::Text(text.into()), facts],
        )
    }

    fn synced_or_resumed(&self) -> Message {
        let plan = if self.facts.plan.is_empty() {
            String::new()
        } else {
            format!("plan {} of ", self.facts.plan)
        };
        let (title, text) = match self.facts.variant {
            Variant::Resumed => (
                format!("Distribution of {plan}{} is resumed", self.offer()),
                "The requested stop was taken back.",
            ),
            _ => (
                format!("The private audience of {plan}{} was synced", self.offer()),
                "The saved private audience is served now.",
            ),
        };
        self.message(
            title,
            vec![
                Block::Text(text.into()),
                self.facts(vec![("By", self.who())]),
            ],
        )
    }
}

/// N13: the address is missing or not verified.
pub fn unverified(portal: &Portal) -> Message {
    let text = "You get no e-mail until your address is verified. Open My Preferences, enter your address, and confirm the \
                code that is mailed to it. What was told meanwhile is here in the Action Center.";
    let (title, blocks) = (
        "Verify your e-mail address".to_owned(),
        vec![Block::Text(text.into())],
    );
    Message {
        title,
        blocks,
        links: vec![portal.preferences()],
    }
}

/// N14: put on, or taken off, the submission notification audience.
pub fn membership(offer: &str, added: bool, portal: &Portal) -> Message {
    let name = last(offer);
    let (title, text) = if added {
        (
            format!("You hear of submissions of {name} now"),
            format!("You were added to the submission notification audience of {name}."),
        )
    } else {
        (
            format!("You don't hear of submissions of {name} any more"),
            format!("You were removed from the submission notification audience of {name}."),
        )
    };
    Message {
        title,
        blocks: vec![Block::Text(text)],
        links: vec![portal.overview(offer)],
    }
}

/// The mail that proves an address (NO-9).
pub fn verification(code: &str, portal: &Portal) -> Message {
    Message {
        title: "Your verification code".into(),
        blocks: vec![
            Block::Text(
                "Enter this code in Action Center → My Preferences to verify your e-mail address:"
                    .into(),
            ),
            Block::Code(code.to_owned()),
            Block::Text(
                "It can be used once, within 24 hours. If you didn't ask for it, ignore this mail."
                    .into(),
            ),
        ],
        links: vec![portal.preferences()],
    }
}

/// The last part of a resource name: what people call it by.
fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn when(at: OffsetDateTime) -> String {
    let form =
        format_description!("[day padding:none] [month repr:long] [year], [hour]:[minute] UTC");
    at.to_offset(time::UtcOffset::UTC)
        .format(form)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;
    use uuid::Uuid;

    use super::super::About;
    use super::*;

    fn portal() -> Portal {
        Portal {
            url: "https://portal.example".into(),
            brand: "Marketplace".into(),
        }
    }

    fn notice(code: Code, facts: Facts) -> Notice {
        let about = About {
            publisher: "contoso".into(),
            offer: "publishers/contoso/offers/db".into(),
            offer_uid: Uuid::nil(),
            submission: "publishers/contoso/offers/db/submissions/s1".into(),
        };
        let occurred_at = datetime!(2026-11-22 17:40 UTC);
        Notice {
            id: Uuid::nil(),
            cause: "e/0".into(),
            code,
            about,
            facts,
            occurred_at,
            resolved_at: None,
        }
    }

    fn all(message: &Message) -> String {
        format!("{}\n{}", message.title, message.text("footer"))
    }

    /// Facts, what was found out, and what the message must hold.
    fn table() -> Vec<(Code, Facts, Told, Vec<&'static str>)> {
        let title = || "Db <Pro>".to_owned();
        let by = || By::User("i|ada".into());
        let ada = || Told {
            who: Some("Ada".into()),
            ..Told::default()
        };
        let report = "publishers/contoso/offers/db/submissions/s1/reports/failure";
        let finding = Finding {
            policy: "100.1.3 Title".into(),
            description: "The title must be true.".into(),
            page: "offer_listing, title".into(),
            evidence: "\"Best\"".into(),
            remedy: "Say what it does.".into(),
            url: "https://policies/100.1.3".into(),
        };
        let failure = Report {
            attempt: 2,
            made_at: None,
            findings: vec![finding],
            review_notes: "See page 2".into(),
        };
        let preview = Link {
            title: "AppSource".into(),
            target: "https://preview/x".into(),
        };
        vec![
            (
                Code::PublishSubmitted,
                Facts {
                    title: title(),
                    by: by(),
                    ..Facts::default()
                },
                ada(),
                vec![
                    "Db <Pro>",
                    "Ada",
                    "22 November 2026, 17:40 UTC",
                    "https://portal.example/publishers/contoso/offers/db/overview",
                ],
            ),
            (
                Code::StepFailed,
                Facts {
                    step: "Lead management".into(),
                    reason: "no answer".into(),
                    ..Facts::default()
                },
                Told::default(),
                vec!["Lead management", "no answer", "/overview"],
            ),
            (
                Code::CertificationFailed,
                Facts {
                    report: report.into(),
                    reason: "1 policy".into(),
                    ..Facts::default()
                },
                Told {
                    report: Some(failure),
                    ..Told::default()
                },
                vec![
                    "100.1.3",
                    "must be true",
                    "See page 2",
                    "\"Best\"",
                    "offer_listing",
                    "Say what it does",
                    "Attempt: 2",
                    "s1",
                    "reports/failure",
                ],
            ),
            (
                Code::PreviewReady,
                Facts {
                    warnings: 2,
                    report: "r".into(),
                    ..Facts::default()
                },
                Told {
                    previews: vec![preview],
                    ..Told::default()
                },
                vec![
                    "review and approve",
                    "https://preview/x",
                    "Go live",
                    "2 issues",
                    "View validation report",
                ],
            ),
            (
                Code::ValidationWarnings,
                Facts {
                    warnings: 1,
                    report: "r".into(),
                    ..Facts::default()
                },
                Told::default(),
                vec!["1 issue", "View validation report"],
            ),
            (
                Code::PublishCanceled,
                Facts {
                    leg: Leg::Live,
                    by: By::Operator,
                    ..Facts::default()
                },
                Told::default(),
                vec!["Publishing to the marketplace", "Marketplace"],
            ),
            (
                Code::GoLiveAccepted,
                Facts {
                    by: by(),
                    ..Facts::default()
                },
                ada(),
                vec!["going live", "Ada"],
            ),
            (
                Code::OfferLive,
                Facts::default(),
                Told::default(),
                vec!["is live", "Live listing: https://portal.example/listings/"],
            ),
            (
                Code::StopRequested,
                Facts {
                    effective_at: Some(datetime!(2027-01-02 03:04 UTC)),
                    ..Facts::default()
                },
                Told::default(),
                vec!["2 January 2027, 03:04 UTC"],
            ),
            (
                Code::StopRequested,
                Facts {
                    plan: "Gold".into(),
                    ..Facts::default()
                },
                Told::default(),
                vec!["Gold", "publish to apply"],
            ),
            (
                Code::OfferNotAvailable,
                Facts::default(),
                Told::default(),
                vec!["not available"],
            ),
            (
                Code::PlanStopped,
                Facts {
                    plan: "Gold".into(),
                    ..Facts::default()
                },
                Told::default(),
                vec!["Gold"],
            ),
            (
                Code::AudienceSyncedOrResumed,
                Facts {
                    plan: "Gold".into(),
                    ..Facts::default()
                },
                Told::default(),
                vec!["private audience", "Gold"],
            ),
            (
                Code::AudienceSyncedOrResumed,
                Facts {
                    variant: Variant::Resumed,
                    ..Facts::default()
                },
                Told::default(),
                vec!["resumed"],
            ),
        ]
    }

    #[test]
    fn n01_to_n12_say_what_they_must() {
        for (code, facts, told, parts) in table() {
            let text = all(&words(&notice(code, facts), &told, &portal()));
            for part in parts {
                assert!(
                    text.contains(part),
                    "{}: {part:?} is not in {text}",
                    code.as_str()
                );
            }
        }
    }

    #[test]
    fn n13_and_n14_and_the_code() {
        assert!(
            all(&unverified(&portal()))
                .contains("My Preferences: https://portal.example/action-center/preferences")
        );
        assert!(all(&membership("publishers/c/offers/db", true, &portal())).contains("db"));
        assert!(all(&verification("c0de", &portal())).contains("c0de"));
    }

    #[test]
    fn ib_2_and_3_no_staff_and_no_name_of_who_left() {
        let operator = notice(
            Code::PublishCanceled,
            Facts {
                by: By::Operator,
                ..Facts::default()
            },
        );
        let told = Told {
            who: Some("Staff Member".into()),
            ..Told::default()
        };
        assert!(!all(&words(&operator, &told, &portal())).contains("Staff Member"));
        let left = notice(
            Code::PublishCanceled,
            Facts {
                by: By::User("i|secret".into()),
                ..Facts::default()
            },
        );
        let text = all(&words(&left, &Told::default(), &portal()));
        assert!(text.contains("has left the account") && !text.contains("secret"));
    }

    #[test]
    fn facts_survive_their_storage() {
        let facts = Facts {
            by: By::User("i|a".into()),
            effective_at: Some(datetime!(2027-01-02 03:04 UTC)),
            variant: Variant::Resumed,
            ..Facts::default()
        };
        let stored = serde_json::to_value(&facts).unwrap();
        assert_eq!(serde_json::from_value::<Facts>(stored).unwrap(), facts);
        assert_eq!(
            serde_json::from_str::<Facts>("{}").unwrap(),
            Facts::default(),
            "rows of an older version"
        );
    }
}
