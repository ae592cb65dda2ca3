//! `marketctl apply`: makes the drafts of offers what files say, and only touches what differs.
//!
//! - [`tree`] a YAML file with its lines, [`mapping`] from there to protobuf, [`scalar`] values of a word
//! - [`source`] which files are read at all
//! - [`file`] what an offer's file holds, [`reading`] its parts, [`assets`] its pictures and documents, [`audience`] its
//!   audiences in files of their own
//! - [`draft`] what the catalog has, [`changes`] what has to be done, [`compare`] which fields differ, [`carry_out`] it,
//!   [`review`] what is still missing, with its line
//! - [`schema`] the form of the file, for editors

pub mod assets;
pub mod audience;
mod carry_out;
mod changes;
pub mod compare;
pub mod draft;
pub mod file;
mod mapping;
pub mod reading;
mod review;
pub mod scalar;
pub mod schema;
mod source;
pub mod tree;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::config::{self, Session};
use crate::error::Error;
use crate::output::{Output, words};
use changes::Changes;
use draft::Draft;
use file::OfferFile;

#[derive(Args)]
pub struct ApplyArgs {
    /// An offer's file, its folder, or a folder of such folders.
    #[arg(short, long, value_name = "DIR|FILE")]
    pub file: PathBuf,
    /// Show what would change and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Delete draft plans that the file doesn't have.
    #[arg(long)]
    pub prune: bool,
    /// Save pages that hold secrets even if nothing else in them differs.
    #[arg(long)]
    pub secrets: bool,
}

/// Applies every offer that is found, after all files were read and held against their drafts.
pub async fn run(session: &Session, args: ApplyArgs, out: &mut Output) -> Result<(), Error> {
    let files = load(&args.file, session.publisher())?;
    let mut plans = Vec::new();
    let mut problems = Vec::new();
    for file in &files {
        let draft = Draft::current(&session.api, &file.offer.name()).await?;
        match changes::between(file, &draft, args.prune, args.secrets) {
            Ok(changes) => plans.push((file, changes)),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if !problems.is_empty() {
        return Err(Error::Files(problems));
    }
    for (file, changes) in plans {
        apply(session, &args, file, &changes, out).await?;
    }
    Ok(())
}

/// Shows what has to be changed, then changes it.
async fn apply(
    session: &Session,
    args: &ApplyArgs,
    file: &OfferFile,
    changes: &Changes<'_>,
    out: &mut Output,
) -> Result<(), Error> {
    out.say(format!("{}:", file.offer.name()))?;
    for change in &changes.list {
        out.say(format!("  {}", change.line(file)))?;
    }
    for remark in &changes.remarks {
        out.say(format!("  note: {remark}"))?;
    }
    // A dry run of a new offer has nothing to review.
    let mut reviewed = None;
    if !args.dry_run {
        carry_out::all(&session.api, file, &changes.list).await?;
        reviewed = Some(review::run(&session.api, file).await?);
    }
    out.say(format!("  {}", summary(changes, args.dry_run)))?;
    if let Some(review) = &reviewed {
        review.print(out)?;
    }
    let list: Vec<_> = changes
        .list
        .iter()
        .map(|change| change.json(file))
        .collect();
    out.json(&json!({
        "offer": file.offer.name(), "dry_run": args.dry_run, "changes": list, "unchanged_pages": changes.unchanged,
        "remarks": changes.remarks, "review": reviewed.map(|review| review.json()),
    }))
}

/// Reads all files, or says everything that is wrong with any.
pub fn load(path: &std::path::Path, publisher: Option<&str>) -> Result<Vec<OfferFile>, Error> {
    let (mut files, mut problems) = (Vec::new(), Vec::new());
    for path in file::find(path)? {
        match OfferFile::load(&path, publisher, &config::variable) {
            Ok(file) => files.push(file),
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(Error::Files(problems))
    }
}

fn summary(changes: &Changes<'_>, dry_run: bool) -> String {
    let number = words::count(changes.list.len(), "change");
    let unchanged = words::count(changes.unchanged, "page");
    match (changes.list.is_empty(), dry_run) {
        (true, _) => format!("nothing to change; {unchanged} as in the file"),
        (false, true) => {
            format!("{number} to make; {unchanged} as in the file (dry run: nothing was changed)")
        }
        (false, false) => format!("{number} made; {unchanged} were as in the file"),
    }
}
