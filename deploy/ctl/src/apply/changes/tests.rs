//! What is saved, created and kept, and what is refused before anything is sent.

use marketplace_proto::offercatalog::v1::{Asset, AssetKind, Page};

use super::*;

const FILE: &str = "publisher: contoso\noffer: grafana\noffer_type: softwareAsAService\nalias: G\npages:\n  offer_listing:\n    \
    title: Grafana\n    keywords: [a, b]\n  offer_setup:\n    selling: LIST_AND_SELL\n    lead_destination:\n      \
    table: {connection_string: hush}\nplans:\n  - plan_id: team\n    display_name: Team\n    pages:\n      plan_listing: \
    {description: For teams}\n";

fn file(name: &str) -> OfferFile {
    load(name, FILE)
}

fn load(name: &str, text: &str) -> OfferFile {
    let path = std::env::temp_dir().join(format!(
        "marketctl-changes-{}-{name}.yaml",
        std::process::id()
    ));
    std::fs::write(&path, text).unwrap();
    let file = OfferFile::load(&path, None, &|_| None).unwrap();
    std::fs::remove_file(&path).unwrap();
    file
}

fn lines(file: &OfferFile, draft: &Draft, prune: bool, secrets: bool) -> Vec<String> {
    let changes = between(file, draft, prune, secrets).unwrap();
    changes
        .list
        .iter()
        .map(|change| change.line(file))
        .chain(changes.remarks)
        .collect()
}

/// The draft that a first apply leaves behind.
fn applied(file: &OfferFile) -> Draft {
    let offer = Offer {
        name: file.offer.name(),
        offer_type: file.offer_type.clone(),
        alias: "G".into(),
        ..Offer::default()
    };
    let pages = file.pages.iter().map(|page| Page {
        parent: file.parent(page),
        etag: "3".into(),
        save_time: Some(prost_types::Timestamp::default()),
        ..page.message.transcode_to::<Page>().unwrap()
    });
    let plan = Plan {
        name: file.offer.plan("team"),
        display_name: "Team".into(),
        ..Plan::default()
    };
    Draft {
        offer: Some(offer),
        pages: pages.collect(),
        plans: vec![plan],
        assets: BTreeMap::new(),
    }
}

#[test]
fn a_new_offer_is_made_whole() {
    let file = file("new");
    let wanted = [
        "+ offer publishers/contoso/offers/grafana (softwareAsAService)",
        "+ plan team (Team)",
        "~ page offer_listing: title, keywords",
        "~ page offer_setup: selling, lead_destination",
        "~ page plan_listing of plan team: description",
    ];
    assert_eq!(lines(&file, &Draft::default(), false, false), wanted);
}

#[test]
fn a_second_apply_changes_nothing() {
    let file = file("again");
    let changes = between(&file, &applied(&file), false, false).unwrap();
    assert!(changes.list.is_empty(), "{changes:?}");
    assert_eq!((changes.unchanged, changes.remarks.len()), (3, 0));
}

#[test]
fn only_the_page_that_differs_is_saved_with_its_etag() {
    use marketplace_proto::offercatalog::v1::page;
    let file = file("one");
    let mut draft = applied(&file);
    for saved in &mut draft.pages {
        if let Some(page::Page::OfferListing(listing)) = &mut saved.page {
            listing.keywords.pop();
            listing.summary = "old".into();
        }
    }
    let changes = between(&file, &draft, false, false).unwrap();
    let [Change::SavePage { etag, fields, .. }] = changes.list.as_slice() else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (etag.as_str(), fields.join(",").as_str()),
        ("3", "summary,keywords")
    );
}

#[test]
fn a_masked_secret_is_as_good_as_equal_unless_asked() {
    use marketplace_proto::offercatalog::v1::{lead_destination::Destination, page};
    let file = file("secret");
    let mut draft = applied(&file);
    for saved in &mut draft.pages {
        if let Some(page::Page::OfferSetup(setup)) = &mut saved.page
            && let Some(Destination::Table(table)) =
                &mut setup.lead_destination.as_mut().unwrap().destination
        {
            table.connection_string = crate::apply::compare::MASK.into();
        }
    }
    assert!(lines(&file, &draft, false, false).is_empty());
    assert_eq!(
        lines(&file, &draft, false, true),
        ["~ page offer_setup: lead_destination"]
    );
}

#[test]
fn plans_are_renamed_and_leftovers_go_only_when_asked() {
    let file = file("plans");
    let mut draft = applied(&file);
    draft.plans[0].display_name = "Crew".into();
    draft.plans.push(Plan {
        name: file.offer.plan("old"),
        ..Plan::default()
    });
    let rename = "~ plan team: display name \"Team\", was \"Crew\"";
    assert_eq!(
        lines(&file, &draft, false, false),
        [
            rename,
            "plan old is not in the file and stays (--prune deletes it)"
        ]
    );
    assert_eq!(lines(&file, &draft, true, false), [rename, "- plan old"]);
    let without = FILE.split("plans:").next().unwrap();
    let wrong = between(&load("no-plans", without), &draft, true, false).unwrap_err();
    assert!(wrong[0].text.starts_with("has no key `plans`"), "{wrong:?}");
    let none = load("none", &format!("{without}plans: []\n"));
    assert_eq!(
        lines(&none, &draft, true, false),
        ["- plan team", "- plan old"]
    );
}

/// Display names are unique, also while they change hands.
#[test]
fn a_display_name_goes_from_plan_to_plan() {
    let file = file("names");
    let mut draft = applied(&file);
    draft.plans[0].name = file.offer.plan("old");
    let problems = between(&file, &draft, false, false).unwrap_err();
    let wanted = "plan old, which is not in the file, is called \"Team\": --prune deletes it";
    assert_eq!(problems[0].text, wanted);
    let lines = lines(&file, &draft, true, false);
    let way = "~ plan old: display name \"old (makes way)\", was \"Team\"";
    assert_eq!(lines[..2], [way, "+ plan team (Team)"]);
    assert_eq!(lines.last().map(String::as_str), Some("- plan old"));
}

#[test]
fn prune_asks_for_plans_only_where_there_are_some() {
    let without = FILE.split("plans:").next().unwrap();
    let file = load("none-at-all", without);
    let mut draft = applied(&file);
    draft.plans.clear();
    assert!(between(&file, &draft, true, false).is_ok());
}

/// E-5: there is no RPC that could change it.
#[test]
fn another_type_is_refused_at_its_line() {
    let file = file("type");
    let mut draft = applied(&file);
    draft.offer.as_mut().unwrap().offer_type = "azureContainer".into();
    assert_eq!(between(&file, &draft, false, false).unwrap_err()[0].line, 3);
}

#[test]
fn what_never_changes_is_refused_at_its_line_all_at_once() {
    let mut file = file("never");
    let asset = AssetFile {
        id: "logo".into(),
        kind: AssetKind::LogoLarge,
        file_name: "logo.png".into(),
        digest: "new".into(),
        path: "images/logo.png".into(),
        size: 5,
        line: 7,
    };
    file.pages[0].assets.push(asset);
    let mut draft = applied(&file);
    draft.plans[0].subtype = "managedApplication".into();
    let stored = |digest: &str| Asset {
        name: file.offer.asset("logo"),
        kind: AssetKind::LogoLarge.into(),
        digest: digest.into(),
        ..Asset::default()
    };
    draft.assets.insert(file.offer.asset("logo"), stored("old"));
    let wrong = between(&file, &draft, false, false).unwrap_err();
    let lines: Vec<usize> = wrong.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, [7, 14], "{wrong:?}");
    draft.plans[0].subtype = String::new();
    draft.assets.insert(file.offer.asset("logo"), stored("new"));
    assert!(lines_of(&file, &draft).is_empty());
}

fn lines_of(file: &OfferFile, draft: &Draft) -> Vec<String> {
    lines(file, draft, false, false)
}

#[test]
fn a_private_audience_that_the_file_does_not_mention_stays() {
    use marketplace_proto::offercatalog::v1::{AudienceMember, PlanPricingPage, page};
    let text = FILE.replace(
        "plan_listing: {description: For teams}",
        "plan_pricing: {hidden: true}",
    );
    let pricing = |hidden| PlanPricingPage {
        hidden,
        private_audience: vec![AudienceMember::default(); 3],
        ..PlanPricingPage::default()
    };
    let with = |file: &OfferFile, hidden| {
        let mut draft = applied(file);
        for page in &mut draft.pages {
            if let Some(page::Page::PlanPricing(saved)) = &mut page.page {
                *saved = pricing(hidden);
            }
        }
        draft
    };
    let remark = "plan team keeps its private audience of 3 (`private_audience: []` empties it)";
    let file = load("unmentioned", &text);
    assert_eq!(lines_of(&file, &with(&file, true)), [remark]);
    let changes = between(&file, &with(&file, false), false, false).unwrap();
    let [
        Change::SavePage {
            message, fields, ..
        },
    ] = changes.list.as_slice()
    else {
        panic!("{changes:?}")
    };
    assert_eq!(fields, &["hidden"]);
    let saved = message.transcode_to::<Page>().unwrap().page;
    assert_eq!(saved, Some(page::Page::PlanPricing(pricing(true))));
    let file = load(
        "emptied",
        &text.replace("{hidden: true}", "{hidden: true, private_audience: []}"),
    );
    let wanted = ["~ page plan_pricing of plan team: private_audience"];
    assert_eq!(lines_of(&file, &with(&file, true)), wanted);
}

#[test]
fn what_a_field_was_and_will_be_is_shown_before_it_is_changed() {
    use marketplace_proto::offercatalog::v1::{SellingOption, page};
    let file = file("shown");
    let mut draft = applied(&file);
    for saved in &mut draft.pages {
        match &mut saved.page {
            Some(page::Page::OfferListing(listing)) => {
                listing.title = "x".repeat(50);
                listing.keywords.clear();
            }
            Some(page::Page::OfferSetup(setup)) => {
                setup.selling = SellingOption::Unspecified.into()
            }
            _ => {}
        }
    }
    let title = format!(
        "~ page offer_listing: title \"{}…\" → \"Grafana\", keywords",
        "x".repeat(40)
    );
    let selling = "~ page offer_setup: selling unset → LIST_AND_SELL";
    assert_eq!(lines_of(&file, &draft), [title.as_str(), selling]);
}

#[test]
fn an_empty_message_is_as_good_as_none_outside_of_a_choice() {
    use marketplace_proto::offercatalog::v1::{LegalTerms, page};
    let empty = |page: &str| {
        format!(
            "publisher: c\noffer: o\noffer_type: t\nalias: G\npages: {page}\nplans: [{{plan_id: team, display_name: Team}}]\n"
        )
    };
    let file = load("empty", &empty("{offer_listing: {support_contact: {}}}"));
    let mut draft = applied(&file);
    for saved in &mut draft.pages {
        if let Some(page::Page::OfferListing(listing)) = &mut saved.page {
            assert!(listing.support_contact.take().is_some());
        }
    }
    assert!(lines_of(&file, &draft).is_empty());
    let file = load("chosen", &empty("{properties: {legal: {standard: {}}}}"));
    let mut draft = applied(&file);
    for saved in &mut draft.pages {
        if let Some(page::Page::Properties(properties)) = &mut saved.page {
            properties.legal = Some(LegalTerms { terms: None });
        }
    }
    assert_eq!(lines_of(&file, &draft), ["~ page properties: legal"]);
}
