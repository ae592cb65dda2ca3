//! Saved private audiences on the wire: brought as a file, read in parts.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::ids::PlanName;
use marketplace_runtime::status::Violation;

use super::{etag, violations};
use crate::pages::audience_file::LineFault;

/// How a file changes an audience.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Replace,
    Add,
}

/// What a file is brought for.
pub struct Import {
    pub plan: PlanName,
    /// Revision of the page as the caller read it; 0: it was never saved.
    pub etag: i64,
    pub mode: Mode,
}

/// The head of an import.
pub fn import(head: &pb::ImportPrivateAudienceHead) -> Result<Import, Vec<Violation>> {
    let mut wrong = violations();
    let plan = wrong.take(PlanName::parse(&head.plan, "head.plan"));
    let revision = wrong.take(etag(&head.etag, "head.etag"));
    let mode = wrong.take(mode(head.mode));
    let read = || {
        Some(Import {
            plan: plan?,
            etag: revision?.unwrap_or(0),
            mode: mode?,
        })
    };
    let read = read();
    wrong.finish(read)
}

fn mode(value: i32) -> Result<Mode, Violation> {
    match pb::ImportMode::try_from(value) {
        Ok(pb::ImportMode::Replace) => Ok(Mode::Replace),
        Ok(pb::ImportMode::Add) => Ok(Mode::Add),
        Ok(pb::ImportMode::Unspecified) | Err(_) => {
            Err(Violation::new("head.mode", "must be REPLACE or ADD").because("UNKNOWN_VALUE"))
        }
    }
}

/// What came out of order, or is too much.
pub fn bad_part(why: impl Into<String>) -> Violation {
    Violation::new("part", why).because("BAD_PART")
}

/// What is wrong with a line, where the file is refused for it.
pub fn violation(fault: &LineFault) -> Violation {
    Violation::new(format!("line {}", fault.line), &fault.message).because(fault.code)
}

/// The same, where the file was only looked at.
pub fn issue(fault: &LineFault) -> pb::ImportIssue {
    pb::ImportIssue {
        line: i32::try_from(fault.line).unwrap_or(i32::MAX),
        code: fault.code.to_owned(),
        message: fault.message.clone(),
    }
}
