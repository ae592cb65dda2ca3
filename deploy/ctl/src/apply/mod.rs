//! `marketctl apply`: makes the drafts of offers what files say, and only touches what differs.
//!
//! - [`tree`] a YAML file with its lines, [`mapping`] from there to protobuf, [`scalar`] values of a word
//! - [`source`] which files are read at all
//! - [`file`] what an offer's file holds, [`reading`] its parts, [`assets`] its pictures and documents, [`upload`] how large ones are sent, [`audience`] its
//!   audiences in files of their own
//! - [`draft`] what the catalog has, [`changes`] what has to be done, [`compare`] which fields differ, [`carry_out`] it,
//!   [`review`] what is still missing, with its line
//! - [`schema`] the form of the file, for editors

pub mod assets;
pub mod audience;
mod carry_out;
pub mod changes;
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
mod upload;

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::config::{self, Session};
use crate::error::{Error, Problem};
use crate::output::{Output, words};
use carry_out::Outcome;
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
        let outcome = apply(session, &args, file, &changes, out).await?;
        problems.extend(outcome.problems);
        if let Some(error) = outcome.stopped {
            if !problems.is_empty() {
                Error::Files(problems).print(out.format(), &mut std::io::stderr().lock());
            }
            return Err(error);
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Error::Files(problems))
    }
}

/// Shows what has to be changed, changes it, and shows what came of it.
async fn apply(
    session: &Session,
    args: &ApplyArgs,
    file: &OfferFile,
    changes: &Changes<'_>,
    out: &mut Output,
) -> Result<Outcome, Error> {
    out.say(format!("{}:", file.offer.name()))?;
    for change in &changes.list {
        out.say(format!("  {}", change.line(file)))?;
    }
    let mut outcome = Outcome::default();
    // A dry run of a new offer has nothing to review.
    let mut reviewed = None;
    if !args.dry_run {
        outcome = carry_out::all(&session.api, file, &changes.list).await;
        if outcome.stopped.is_none() && !outcome.no_offer {
            match review::run(&session.api, file).await {
                Ok(review) => reviewed = Some(review),
                Err(error) => outcome.stopped = Some(error),
            }
        }
    }
    let remarks: Vec<_> = changes.remarks.iter().chain(&outcome.remarks).collect();
    for remark in &remarks {
        out.say(format!("  note: {remark}"))?;
    }
    out.say(format!("  {}", summary(changes, &outcome, args.dry_run)))?;
    if let Some(review) = &reviewed {
        review.print(out)?;
    }
    let list: Vec<_> = changes
        .list
        .iter()
        .map(|change| change.json(file))
        .collect();
    let problems: Vec<_> = outcome.problems.iter().map(Problem::json).collect();
    out.json(&json!({
        "offer": file.offer.name(), "dry_run": args.dry_run, "changes": list, "made": outcome.made,
        "unchanged_pages": changes.unchanged, "remarks": remarks, "problems": problems,
        "review": reviewed.map(|review| review.json()),
    }))?;
    Ok(outcome)
}

/// Reads all files, or says everything that is wrong with any.
fn load(path: &std::path::Path, publisher: Option<&str>) -> Result<Vec<OfferFile>, Error> {
    let (mut files, mut problems) = (Vec::<OfferFile>::new(), Vec::new());
    for path in file::find(path)? {
        match OfferFile::load(&path, publisher, &config::variable) {
            Ok(file) => match files.iter().find(|other| other.offer == file.offer) {
                Some(other) => {
                    let text = format!("{} has the same offer: keep one", other.file);
                    problems.push(file.problem_at(file.offer_line, text));
                }
                None => files.push(file),
            },
            Err(wrong) => problems.extend(wrong),
        }
    }
    if problems.is_empty() {
        Ok(files)
    } else {
        Err(Error::Files(problems))
    }
}

fn summary(changes: &Changes<'_>, outcome: &Outcome, dry_run: bool) -> String {
    let number = words::count(changes.list.len(), "change");
    let unchanged = words::count(changes.unchanged, "page");
    match (changes.list.is_empty(), dry_run) {
        (true, _) => format!("nothing to change; {unchanged} as in the file"),
        (false, true) => {
            format!("{number} to make; {unchanged} as in the file (dry run: nothing was changed)")
        }
        (false, false) if outcome.made < changes.list.len() => {
            format!(
                "{} of {number} made; {unchanged} were as in the file",
                outcome.made
            )
        }
        (false, false) => format!("{number} made; {unchanged} were as in the file"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_has_one_file() {
        let folder = std::env::temp_dir().join(format!("marketctl-twice-{}", std::process::id()));
        for name in ["a", "b"] {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            let text = "publisher: c\noffer: o\noffer_type: t\n";
            std::fs::write(folder.join(name).join(file::FILE), text).unwrap();
        }
        let Err(Error::Files(problems)) = load(&folder, None) else {
            panic!("both were read")
        };
        std::fs::remove_dir_all(&folder).unwrap();
        let folder = folder.display();
        let wanted =
            format!("{folder}/b/offer.yaml:2: {folder}/a/offer.yaml has the same offer: keep one");
        assert_eq!(problems[0].to_string(), wanted);
    }
}
