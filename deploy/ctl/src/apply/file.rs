//! An offer's file: what it holds, read and checked as far as that is possible without asking anybody.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use prost_reflect::DynamicMessage;

use super::assets::AssetFile;
use super::audience::Table;
use super::mapping::{Lines, Mapper};
use super::reading::{entry, find_text, list, mapping, names, pages, plan, required};
use super::source;
use super::tree::{self, Entry, Node};
use crate::error::{Error, Problem};
use crate::names::Offer;

/// The name of an offer's file in its folder.
pub const FILE: &str = "offer.yaml";
/// The message that pages are saved as.
pub const PAGE: &str = "marketplace.offercatalog.v1.Page";

/// What the file can have, with what it means.
pub const KEYS: [(&str, &str); 7] = [
    (
        "publisher",
        "Whose offer it is; without it the offer is that of --publisher.",
    ),
    ("offer", "The offer's id, for ever."),
    ("offer_type", "For example softwareAsAService; for ever."),
    (
        "alias",
        "The publisher's own name for it, for ever; customers never see it.",
    ),
    (
        "notes",
        "Notes for certification, for `marketctl publish -f`; no part of the draft.",
    ),
    ("pages", "Pages that are left out stay as they are."),
    (
        "plans",
        "Plans that are left out stay, unless `marketctl apply --prune` deletes them.",
    ),
];

/// An offer as a file says it should be.
#[derive(Debug)]
pub struct OfferFile {
    /// As shown in problems.
    pub file: String,
    pub offer: Offer,
    pub offer_line: usize,
    pub offer_type: String,
    pub offer_type_line: usize,
    pub alias: String,
    /// Pages of the offer, then those of its plans.
    pub pages: Vec<PageFile>,
    pub plans: Vec<PlanFile>,
    /// Whether the file has the key `plans`, which may be an empty list.
    pub has_plans: bool,
}

/// A page.
#[derive(Debug)]
pub struct PageFile {
    /// Its field in the message `Page`: "offer_listing".
    pub field: String,
    /// Empty for pages of the offer.
    pub plan: String,
    /// The message `Page` with this one field.
    pub message: DynamicMessage,
    pub assets: Vec<AssetFile>,
    /// Audiences that are files of their own, by their field.
    pub tables: BTreeMap<String, Table>,
    pub line: usize,
    pub lines: Lines,
}

/// A plan, without its pages.
#[derive(Debug)]
pub struct PlanFile {
    pub id: String,
    pub display_name: String,
    pub subtype: String,
    pub line: usize,
}

/// The offer files that an argument means: a file; a folder with `offer.yaml`; a folder of such folders.
pub fn find(path: &Path) -> Result<Vec<PathBuf>, Error> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let is_there = |file: &Path| {
        source::is_there(file).map_err(|error| Error::io(file.display().to_string(), error))
    };
    if is_there(&path.join(FILE))? {
        return Ok(vec![path.join(FILE)]);
    }
    let unreadable = |source| Error::io(path.display().to_string(), source);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path().join(FILE);
        if is_there(&file)? {
            found.push(file);
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(Error::usage(format!(
            "{}: no {FILE} in it, nor in its folders",
            path.display()
        )));
    }
    Ok(found)
}

/// Whose notes for certification a file holds, and the notes; nothing else of it is read.
pub fn notes(path: &Path, publisher: &str) -> Result<(Offer, String), Vec<Problem>> {
    reading(path, &|_| None, |mapper, root| {
        let entries = mapping(mapper, root, "the file", &names(&KEYS))?;
        let offer = offer(mapper, entries, Some(publisher))?;
        let notes = find_text(mapper, entries, "notes").unwrap_or_default();
        Some((offer, notes.trim().to_owned()))
    })
}

/// Reads a file, and says everything that is wrong with it.
fn reading<T>(
    path: &Path,
    variable: &dyn Fn(&str) -> Option<String>,
    read: impl FnOnce(&mut Mapper<'_>, &Node) -> Option<T>,
) -> Result<T, Vec<Problem>> {
    let file = path.display().to_string();
    let text = source::text(path).map_err(|error| {
        vec![Problem {
            file: file.clone(),
            line: 0,
            text: error.to_string(),
        }]
    })?;
    let root = tree::parse(&file, &text).map_err(|problem| vec![problem])?;
    let mut mapper = Mapper {
        file: &file,
        folder: path.parent().unwrap_or(Path::new("")),
        offer: String::new(),
        variable,
        problems: Vec::new(),
        assets: Vec::new(),
        tables: BTreeMap::new(),
        lines: Lines::new(),
    };
    match read(&mut mapper, &root) {
        Some(read) if mapper.problems.is_empty() => Ok(read),
        _ => Err(mapper.problems),
    }
}

/// The offer that a file is about; the publisher that it names comes before the one that is given.
fn offer(mapper: &mut Mapper<'_>, entries: &[Entry], publisher: Option<&str>) -> Option<Offer> {
    let own = find_text(mapper, entries, "publisher").filter(|own| !own.is_empty());
    let publisher = own.or_else(|| publisher.map(str::to_owned));
    if publisher.is_none() {
        let text = "names no publisher: write `publisher: ID` or give --publisher";
        mapper.problem(0, text);
    }
    let id = required(mapper, entries, "offer");
    Some(Offer {
        publisher: publisher?.trim_start_matches("publishers/").to_owned(),
        id: id?,
    })
}

impl OfferFile {
    /// Reads a file. `publisher` is for files that name none; `variable` answers `{env: NAME}`.
    pub fn load(
        path: &Path,
        publisher: Option<&str>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, Vec<Problem>> {
        reading(path, variable, |mapper, root| {
            Self::read(mapper, root, publisher)
        })
    }

    fn read(mapper: &mut Mapper<'_>, root: &Node, publisher: Option<&str>) -> Option<Self> {
        let entries = mapping(mapper, root, "the file", &names(&KEYS))?;
        let offer = offer(mapper, entries, publisher);
        let offer_type = required(mapper, entries, "offer_type");
        mapper.offer = offer.as_ref().map(Offer::name).unwrap_or_default();
        find_text(mapper, entries, "notes");
        let mut pages = entry(entries, "pages")
            .map(|e| pages(mapper, &e.node, None))
            .unwrap_or_default();
        let mut plans = Vec::new();
        for node in entry(entries, "plans")
            .map(|e| list(mapper, &e.node, "plans"))
            .unwrap_or_default()
        {
            let Some((plan, its_pages)) = plan(mapper, node) else {
                continue;
            };
            if plans.iter().any(|other: &PlanFile| other.id == plan.id) {
                mapper.problem(node.line, format!("plan {} is there twice", plan.id));
            }
            plans.push(plan);
            pages.extend(its_pages);
        }
        Some(Self {
            file: mapper.file.to_owned(),
            alias: find_text(mapper, entries, "alias").unwrap_or_default(),
            offer: offer?,
            offer_line: entry(entries, "offer").map_or(0, |e| e.line),
            offer_type: offer_type?,
            offer_type_line: entry(entries, "offer_type").map_or(0, |e| e.line),
            pages,
            plans,
            has_plans: entry(entries, "plans").is_some(),
        })
    }

    /// What is wrong with a field of a page, at its place: in the file, or in the audience's own.
    pub fn problem(&self, page: &str, plan: &str, field_path: &str, text: String) -> Problem {
        let tables = self
            .pages
            .iter()
            .filter(|p| p.field == page && p.plan == plan)
            .flat_map(|page| &page.tables);
        for (list, table) in tables {
            let inside = field_path.strip_prefix(list.as_str()).unwrap_or_default();
            if let Some(line) = table.line(inside) {
                let file = table.file.clone();
                return Problem { file, line, text };
            }
        }
        Problem {
            file: self.file.clone(),
            line: self.line(page, plan, field_path),
            text,
        }
    }

    /// What is wrong at a line of the file.
    pub fn problem_at(&self, line: usize, text: impl Into<String>) -> Problem {
        Problem {
            file: self.file.clone(),
            line,
            text: text.into(),
        }
    }

    /// The line of a field of a page, or of what encloses it; 0: the file doesn't have the page.
    pub fn line(&self, page: &str, plan: &str, field_path: &str) -> usize {
        let Some(page) = self
            .pages
            .iter()
            .find(|p| p.field == page && p.plan == plan)
        else {
            return 0;
        };
        let mut path = field_path;
        loop {
            if let Some(line) = page.lines.get(path) {
                return *line;
            }
            match path.rfind(['.', '[']) {
                Some(end) => path = &path[..end],
                None => return page.line,
            }
        }
    }
}

#[cfg(test)]
mod tests;
