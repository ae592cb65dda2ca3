//! `marketctl export`: writes the files that `marketctl apply` reads, of a draft or of any snapshot.
//!
//! - [`page`] the other way round, [`yaml`] for people, [`folder`] what is there already

mod folder;
mod page;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::Args;
use marketplace_proto::offercatalog::v1::{Asset, AssetKind, Page};
use prost_reflect::{DynamicMessage, ReflectMessage, Value};
use serde_json::json;

use crate::apply::draft::Draft;
use crate::apply::file::{self, FILE, PAGE};
use crate::apply::reading::page_fields;
use crate::config::Session;
use crate::error::Error;
use crate::names::{self, Offer};
use crate::output::Output;
use crate::output::json::dynamic;
use folder::{Content, Folder};
use page::Pages;
use yaml::Yaml;

/// The preview audience, where it gets a file; not among those of the plans, whose ids may be any word.
const PREVIEW: &str = "preview-audience.csv";

#[derive(Args)]
#[command(disable_version_flag = true)]
pub struct ExportArgs {
    /// The offer.
    pub offer: String,
    /// "preview", "live", or a snapshot by name or digest; without it the draft.
    #[arg(long = "version", id = "which", value_name = "VERSION")]
    pub version: Option<String>,
    /// The offer's folder; made if it isn't there.
    #[arg(short, long, value_name = "DIR")]
    pub dir: PathBuf,
    /// Overwrite files that differ.
    #[arg(long)]
    pub force: bool,
}

pub async fn run(session: &Session, args: ExportArgs, out: &mut Output) -> Result<(), Error> {
    let offer = Offer::parse(&args.offer, session.publisher())?;
    let version = version(&offer, args.version.as_deref());
    let draft = Draft::read(&session.api, &offer.name(), &version).await?;
    let notes = notes(&args.dir, &offer)?;
    let files = files(&offer, &draft, version.is_empty(), &notes)?;
    let folder = Folder::compare(&args.dir, files)?;
    if !args.force {
        folder.refuse_differences()?;
    }
    for file in &folder.files {
        out.say(format!("{} {}", file.state.sign(), file.path.display()))?;
    }
    folder.write(&session.api, &offer.name()).await?;
    let files = folder.files.iter().map(
        |file| json!({"path": file.path.display().to_string(), "action": file.state.action()}),
    );
    out.json(
        &json!({"offer": offer.name(), "version": version, "files": files.collect::<Vec<_>>()}),
    )
}

/// The version as the catalog names it.
fn version(offer: &Offer, typed: Option<&str>) -> String {
    match typed {
        None | Some("draft") => String::new(),
        Some(version @ ("preview" | "live")) => version.to_owned(),
        Some(name) if name.contains('/') => name.to_owned(),
        Some(digest) => format!("{}/snapshots/{digest}", offer.name()),
    }
}

/// Notes for certification are only in the offer's file: those of the one that is there stay. One that can't be read may
/// hold some: it is not written over.
fn notes(folder: &Path, offer: &Offer) -> Result<String, Error> {
    let path = folder.join(FILE);
    if !path.exists() {
        return Ok(String::new());
    }
    match file::notes(&path, &offer.publisher) {
        Ok((of, notes)) if of == *offer => Ok(notes),
        Ok(_) => Ok(String::new()),
        Err(problems) => Err(Error::Files(problems)),
    }
}

/// Every file, the offer's last: who finds it finds everything that it names.
fn files(
    offer: &Offer,
    draft: &Draft,
    is_draft: bool,
    notes: &str,
) -> Result<Vec<(String, Content)>, Error> {
    let pages: Vec<DynamicMessage> = draft.pages.iter().map(|page| dynamic(PAGE, page)).collect();
    let assets = places(draft, &pages);
    let mut writing = Pages {
        assets: &assets,
        shown: BTreeSet::new(),
        audiences: Vec::new(),
        of_draft: is_draft,
    };
    let text = document(offer, draft, notes, &pages, &mut writing)?.document();
    let text = text.map_err(|error| Error::usage(format!("{}: {error}", offer.name())))?;
    let (audiences, shown) = (writing.audiences, writing.shown);
    let mut files = BTreeMap::new();
    for (name, (path, asset)) in assets {
        if shown.contains(&name) {
            files.insert(path, Content::Asset(asset));
        }
    }
    files.extend(
        audiences
            .into_iter()
            .map(|(path, bytes)| (path, Content::Bytes(bytes))),
    );
    let mut files: Vec<_> = files.into_iter().collect();
    files.push((FILE.to_owned(), Content::Bytes(text.into_bytes())));
    Ok(files)
}

fn document(
    offer: &Offer,
    draft: &Draft,
    notes: &str,
    pages: &[DynamicMessage],
    writing: &mut Pages<'_>,
) -> Result<Yaml, Error> {
    let head = draft.offer.clone().unwrap_or_default();
    let text = |key: &str, text: &str| (key.to_owned(), Yaml::Text(text.to_owned()));
    let mut entries = vec![
        text("publisher", &offer.publisher),
        text("offer", &offer.id),
        text("offer_type", &head.offer_type),
    ];
    if !head.alias.is_empty() {
        entries.push(text("alias", &head.alias));
    }
    if !notes.is_empty() {
        entries.push(text("notes", notes));
    }
    let of_offer = self::pages(&offer.name(), PREVIEW, draft, pages, writing)?;
    entries.push(("pages".to_owned(), Yaml::Map(of_offer)));
    let mut plans = Vec::new();
    for plan in &draft.plans {
        let id = names::id(&plan.name);
        let mut entries = vec![
            text("plan_id", id),
            text("display_name", &plan.display_name),
        ];
        if !plan.subtype.is_empty() {
            entries.push(text("subtype", &plan.subtype));
        }
        let audience = format!("audiences/{id}.csv");
        let of_plan = self::pages(&plan.name, &audience, draft, pages, writing)?;
        entries.push(("pages".to_owned(), Yaml::Map(of_plan)));
        plans.push(Yaml::Map(entries));
    }
    if !plans.is_empty() {
        entries.push(("plans".to_owned(), Yaml::List(plans)));
    }
    Ok(Yaml::Map(entries))
}

/// The pages of an offer or a plan, in the order of the proto.
fn pages(
    parent: &str,
    audience: &str,
    draft: &Draft,
    pages: &[DynamicMessage],
    writing: &mut Pages<'_>,
) -> Result<Vec<(String, Yaml)>, Error> {
    let of_parent = |(page, _): &(&Page, &DynamicMessage)| page.parent == parent;
    let own: Vec<_> = draft.pages.iter().zip(pages).filter(of_parent).collect();
    let mut entries = Vec::new();
    for field in page_fields(false).into_iter().chain(page_fields(true)) {
        let found = own.iter().find(|(_, page)| page.has_field(&field));
        if let Some(Value::Message(page)) = found.map(|(_, page)| page.get_field(&field)).as_deref()
        {
            entries.push((field.name().to_owned(), writing.page(page, audience)?));
        }
    }
    Ok(entries)
}

/// Where the files that pages name are written, by their names in the catalog. No two contents share a path, also where
/// upper and lower case are the same.
fn places(draft: &Draft, pages: &[DynamicMessage]) -> BTreeMap<String, (String, Asset)> {
    let mut named = BTreeSet::new();
    pages
        .iter()
        .for_each(|page| texts(&Value::Message(page.clone()), &mut named));
    let mut taken: BTreeMap<String, String> = BTreeMap::new();
    let mut places = BTreeMap::new();
    for (name, asset) in draft
        .assets
        .iter()
        .filter(|(name, _)| named.contains(*name))
    {
        let folder = match asset.kind() {
            AssetKind::Document => "documents",
            AssetKind::Package => "packages",
            _ => "images",
        };
        let mut own = format!("{folder}/{}", file_name(asset));
        // By its name an archive among documents is told (SU-2).
        if asset.kind() == AssetKind::Package && !own.to_lowercase().ends_with(".zip") {
            own.push_str(".zip");
        }
        let free = |path: &String| {
            let other = taken.get(&path.to_lowercase());
            other.is_none_or(|digest| *digest == asset.digest)
        };
        // Ids are in lower case; with the digest before it no two are the same.
        let path = Some(own)
            .filter(free)
            .unwrap_or_else(|| format!("{folder}/{}-{}", &asset.digest, names::id(name)));
        taken.insert(path.to_lowercase(), asset.digest.clone());
        places.insert(name.clone(), (path, asset.clone()));
    }
    places
}

/// What a file is called on disk: as its sender called it, if that is a name and nothing else.
fn file_name(asset: &Asset) -> &str {
    let name = asset.file_name.as_str();
    let odd = |c: char| c.is_control() || r#"/\:*?"<>|"#.contains(c);
    let usable = !name.is_empty()
        && name.len() <= 200
        && !name.starts_with('.')
        && !name.contains(odd)
        && name.trim() == name;
    if usable { name } else { names::id(&asset.name) }
}

/// All texts in a message.
fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            found.insert(text.clone());
        }
        Value::List(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Message(message) => {
            let fields: Vec<_> = message.descriptor().fields().collect();
            let set = fields.iter().filter(|field| message.has_field(field));
            set.for_each(|field| texts(&message.get_field(field), found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use marketplace_proto::offercatalog::v1::{
        AudienceMember, CaptionedAsset, CoSellPage, OfferListingPage, Plan, PlanPricingPage,
        PreviewAudiencePage, page,
    };

    use super::*;

    fn offer() -> Offer {
        Offer {
            publisher: "contoso".into(),
            id: "forge".into(),
        }
    }

    fn asset(id: &str, file_name: &str, digest: &str) -> Asset {
        Asset {
            name: offer().asset(id),
            kind: AssetKind::Document.into(),
            digest: digest.repeat(64),
            file_name: file_name.into(),
            ..Asset::default()
        }
    }

    /// Paths by id of a draft whose pages name all of these.
    fn paths(assets: Vec<Asset>) -> Vec<String> {
        let documents = assets.iter().map(|asset| CaptionedAsset {
            asset: asset.name.clone(),
            caption: "c".into(),
        });
        let page = Page {
            parent: offer().name(),
            page: Some(page::Page::CoSell(CoSellPage {
                contacts: vec![],
                documents: documents.collect(),
            })),
            ..Page::default()
        };
        let mut draft = Draft {
            pages: vec![page],
            ..Draft::default()
        };
        draft
            .assets
            .extend(assets.into_iter().map(|asset| (asset.name.clone(), asset)));
        let pages: Vec<_> = draft.pages.iter().map(|page| dynamic(PAGE, page)).collect();
        places(&draft, &pages)
            .into_values()
            .map(|(path, _)| path)
            .collect()
    }

    #[test]
    fn two_contents_never_share_a_file() {
        let twins = vec![
            asset("a", "Paper.pdf", "1"),
            asset("b", "paper.PDF", "2"),
            asset("c", "Paper.pdf", "1"),
        ];
        let second = format!("documents/{}-b", "2".repeat(64));
        assert_eq!(
            paths(twins),
            ["documents/Paper.pdf", &second, "documents/Paper.pdf"]
        );
    }

    #[test]
    fn a_file_never_leaves_its_folder() {
        let long = "x".repeat(300);
        for odd in [
            "",
            ".",
            "..",
            "../../etc/passwd",
            "a/b",
            r"..\b",
            "C:",
            ".hidden",
            " a",
            "a\0b",
            "a\nb",
            &long,
        ] {
            assert_eq!(
                paths(vec![asset("a.pdf", odd, "1")]),
                ["documents/a.pdf"],
                "{odd:?}"
            );
        }
        assert_eq!(
            paths(vec![asset("a", "Über uns (2).pdf", "1")]),
            ["documents/Über uns (2).pdf"]
        );
    }

    /// What an export of these pages has, by path; assets are left out.
    fn exported(
        pages: Vec<(String, page::Page)>,
        is_draft: bool,
        notes: &str,
    ) -> BTreeMap<String, String> {
        let draft = Draft {
            pages: pages
                .into_iter()
                .map(|(parent, page)| Page {
                    parent,
                    page: Some(page),
                    ..Page::default()
                })
                .collect(),
            plans: vec![Plan {
                name: offer().plan("preview"),
                ..Plan::default()
            }],
            ..Draft::default()
        };
        let files = files(&offer(), &draft, is_draft, notes).unwrap();
        let text = |(path, content)| match content {
            Content::Bytes(bytes) => Some((path, String::from_utf8(bytes).unwrap())),
            Content::Asset(_) => None,
        };
        files.into_iter().filter_map(text).collect()
    }

    fn audience(label: &str) -> Vec<AudienceMember> {
        let member = AudienceMember {
            label: label.to_owned(),
            ..AudienceMember::default()
        };
        vec![member; 21]
    }

    #[test]
    fn the_preview_audience_is_not_that_of_a_plan_named_preview() {
        let preview = page::Page::PreviewAudience(PreviewAudiencePage {
            members: audience("testers"),
        });
        let pricing = page::Page::PlanPricing(PlanPricingPage {
            private_audience: audience("customers"),
            ..PlanPricingPage::default()
        });
        let pages = vec![
            (offer().name(), preview),
            (offer().plan("preview"), pricing),
        ];
        let files = exported(pages, true, "");
        assert!(files["preview-audience.csv"].contains("testers"));
        assert!(files["audiences/preview.csv"].contains("customers"));
        for path in ["preview-audience.csv", "audiences/preview.csv"] {
            assert!(
                files[FILE].contains(&format!("{{file: {path}}}")),
                "{files:#?}"
            );
        }
    }

    #[test]
    fn a_draft_says_what_is_empty_and_what_was_chosen_and_a_snapshot_does_not() {
        let listing = page::Page::OfferListing(OfferListingPage {
            large_logo: "logo".into(),
            small_logo: "logo.small".into(),
            ..OfferListingPage::default()
        });
        let pricing = page::Page::PlanPricing(PlanPricingPage::default());
        let pages = vec![
            (offer().name(), listing),
            (offer().plan("preview"), pricing),
        ];
        for (is_draft, found) in [(true, 2), (false, 0)] {
            let text = &exported(pages.clone(), is_draft, "")[FILE];
            let lines = text.lines().map(str::trim);
            let wanted = [
                "small_logo: logo.small",
                "plan_pricing: {private_audience: []}",
            ];
            assert_eq!(
                lines.filter(|line| wanted.contains(line)).count(),
                found,
                "{text}"
            );
        }
    }

    #[test]
    fn notes_of_the_file_that_is_there_stay() {
        let folder = std::env::temp_dir().join(format!("marketctl-notes-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert_eq!(notes(&folder, &offer()).unwrap(), "");
        std::fs::write(
            folder.join(FILE),
            "offer: forge\nnotes: Log in.\n<<<<<<< mine\n",
        )
        .unwrap();
        assert!(notes(&folder, &offer()).is_err());
        let mut found = Vec::new();
        for text in [
            "offer: forge\nnotes: Log in.\n",
            "offer: other\nnotes: Log in.\n",
        ] {
            std::fs::write(folder.join(FILE), text).unwrap();
            found.push(notes(&folder, &offer()).unwrap());
        }
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(found, ["Log in.", ""]);
        assert!(exported(vec![], true, "Log in.")[FILE].contains("notes: Log in.\n"));
    }

    #[test]
    fn a_version_is_a_word_a_name_or_a_digest() {
        let name = "publishers/contoso/offers/forge/snapshots/1a2b";
        let table = [
            (None, ""),
            (Some("draft"), ""),
            (Some("live"), "live"),
            (Some("1a2b"), name),
            (Some(name), name),
        ];
        for (typed, wanted) in table {
            assert_eq!(version(&offer(), typed), wanted, "{typed:?}");
        }
    }
}
