//! The words of every notification.

use time::OffsetDateTime;
use time::macros::format_description;

use super::{Block, By, Code, Facts, Finding, Leg, Link, Message, Notice, Portal, Variant};
use super::{membership, unverified};

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
            previews: Vec::new(),
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
        message.previews.clone_from(&self.told.previews);
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

/// The last part of a resource name: what people call it by.
pub(super) fn last(name: &str) -> &str {
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
mod tests;
