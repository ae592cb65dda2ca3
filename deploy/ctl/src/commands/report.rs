//! `report`: what validation or certification found, for the publisher.

use clap::{Args, ValueEnum};
use marketplace_proto::certification::v1::{
    Finding, GetFailureReportRequest, GetValidationReportRequest, Report,
};
use marketplace_proto::publishing::v1::GetPublicationRequest;

use crate::config::Session;
use crate::error::Error;
use crate::names::Target;
use crate::output::{Output, words};

#[derive(Args)]
pub struct ReportArgs {
    /// The submission, or the offer whose newest one is meant.
    pub target: String,
    #[arg(long, value_enum, default_value_t)]
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// Issues that could fail certification (SaaS).
    #[default]
    Validation,
    /// Why certification failed.
    Failure,
}

pub async fn run(session: &Session, args: ReportArgs, out: &mut Output) -> Result<(), Error> {
    let submission = match session.target(&args.target)? {
        Target::Submission(name) => name,
        Target::Offer(offer) => {
            let answer = session
                .api
                .call(GetPublicationRequest {
                    offer: offer.name(),
                })
                .await?;
            answer.publication.unwrap_or_default().latest_submission
        }
    };
    match args.kind {
        Kind::Validation => {
            let answer = session
                .api
                .call(GetValidationReportRequest { submission })
                .await?;
            out.answer(&answer, |out, answer| {
                answer
                    .report
                    .as_ref()
                    .map_or(Ok(()), |report| print(report, out))
            })
        }
        Kind::Failure => {
            let answer = session
                .api
                .call(GetFailureReportRequest { submission })
                .await?;
            out.answer(&answer, |out, answer| {
                answer
                    .report
                    .as_ref()
                    .map_or(Ok(()), |report| print(report, out))
            })
        }
    }
}

fn print(report: &Report, out: &mut Output) -> Result<(), Error> {
    let status = words::label(report.status().as_str_name(), "REPORT_STATUS_").to_lowercase();
    let attempt = if report.attempt == 0 {
        String::new()
    } else {
        format!(", attempt {}", report.attempt)
    };
    out.say(format!(
        "{}: {status}{attempt}, {} UTC",
        report.name,
        words::when(report.create_time.as_ref())
    ))?;
    if !report.review_notes.is_empty() {
        out.say(format!("the reviewer: {}", report.review_notes))?;
    }
    for section in &report.sections {
        out.say(format!(
            "{} {} {} — {}",
            section.level, section.policy, section.policy_title, section.policy_description
        ))?;
        section
            .findings
            .iter()
            .try_for_each(|finding| print_finding(finding, out))?;
    }
    Ok(())
}

/// A finding in two lines: where and what, and what to do about it.
pub fn print_finding(finding: &Finding, out: &mut Output) -> Result<(), Error> {
    let severity = words::label(finding.severity().as_str_name(), "SEVERITY_").to_lowercase();
    let at: Vec<&str> = [&finding.page, &finding.field_path, &finding.artifact_path]
        .map(String::as_str)
        .into();
    let at: Vec<&str> = at.into_iter().filter(|part| !part.is_empty()).collect();
    out.say(format!(
        "  {severity} {} {}: {}",
        finding.code,
        at.join("."),
        finding.evidence
    ))?;
    out.say(format!("      → {}", finding.remedy))
}

#[cfg(test)]
mod tests {
    use marketplace_proto::certification::v1::{ReportSection, ReportStatus, Severity};

    use super::*;
    use crate::cli::Format;
    use crate::output::capture::lines;

    #[test]
    fn a_report_says_what_to_do() {
        let finding = Finding {
            code: "LOGO_SIZE".into(),
            severity: Severity::Error.into(),
            page: "offer_listing".into(),
            field_path: "large_logo".into(),
            evidence: "100 × 100 pixels".into(),
            remedy: "Upload a larger one.".into(),
            ..Finding::default()
        };
        let section = ReportSection {
            level: "Content".into(),
            policy: "100.3".into(),
            policy_title: "Graphic elements".into(),
            policy_description: "They show the offer.".into(),
            findings: vec![finding],
            ..ReportSection::default()
        };
        let report = Report {
            name: "s/reports/failure".into(),
            status: ReportStatus::Failed.into(),
            attempt: 2,
            create_time: Some(prost_types::Timestamp {
                seconds: 1_767_225_600,
                nanos: 0,
            }),
            review_notes: "Nearly there.".into(),
            sections: vec![section],
            ..Report::default()
        };
        let wanted = [
            "s/reports/failure: failed, attempt 2, 2026-01-01 00:00:00 UTC",
            "the reviewer: Nearly there.",
            "Content 100.3 Graphic elements — They show the offer.",
            "  error LOGO_SIZE offer_listing.large_logo: 100 × 100 pixels",
            "      → Upload a larger one.",
        ];
        assert_eq!(lines(Format::Table, |out| print(&report, out)), wanted);
    }
}
