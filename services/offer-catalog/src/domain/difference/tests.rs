//! That differences say what differs, and that applying them gives the other content.

use proptest::prelude::*;

use super::*;
use crate::domain::samples;

fn rows(old: &Content, new: &Content) -> Vec<String> {
    let found = between(old, new).unwrap().into_iter();
    let changed = found.filter(|one| one.kind != Kind::Unchanged);
    let shown = |one: Difference| {
        let page = one.page.map_or("offer", PageId::as_str);
        let plan = one.plan_id.unwrap_or_default();
        format!("{:?} {plan}/{page} {}", one.kind, one.path)
    };
    changed.map(shown).collect()
}

#[test]
fn up_2_every_kind_of_difference_is_told_with_its_place() {
    let old = Content::of(&samples::saas());
    assert!(rows(&old, &old).is_empty());
    let mut draft = samples::saas();
    let listing = draft.pages.offer_listing.as_mut().unwrap();
    listing.title = "Another".into();
    listing.keywords = vec!["only one".into()];
    listing.screenshots[0].caption = "Another".into();
    draft.pages.supplemental_content = None;
    draft.plans[0].display_name = "Golden".into();
    draft.plans.remove(1);
    let new = Content::of(&draft).with_stops(|_| true);
    let told = rows(&old, &new);
    for expected in [
        "Edited /offer_listing title",
        "Edited /offer_listing screenshots[0].caption",
        "Removed /supplemental_content ",
        "Edited gold/plan_overview display_name",
        "Edited gold/plan_overview stopped",
        "Removed team/plan_overview ",
        "Removed team/plan_pricing ",
    ] {
        assert!(
            told.iter().any(|row| row == expected),
            "{expected}: {told:?}"
        );
    }
    let back = rows(&new, &old);
    assert!(
        back.contains(&"Added team/plan_overview ".to_owned()),
        "{back:?}"
    );
}

#[test]
fn up_2_some_pages_are_not_compared() {
    let places = PageId::ALL.into_iter().map(Some).chain([None]);
    let hidden = places.filter(|&page| {
        let one = Difference {
            page,
            plan_id: None,
            path: String::new(),
            kind: Kind::Edited,
            old: None,
            new: None,
        };
        !one.is_offered()
    });
    let hidden: Vec<_> = hidden.flatten().collect();
    assert_eq!(
        hidden,
        [
            PageId::ResellThroughCsps,
            PageId::CoSell,
            PageId::SupplementalContent
        ]
    );
}

#[test]
fn up_2_another_subtype_is_a_difference_and_none_is_nothing() {
    let old = Content::of(&samples::container());
    let mut new = old.clone();
    new.plans[0].subtype = "managedApplication".into();
    assert_eq!(rows(&old, &new), ["Added base/plan_overview subtype"]);
    assert_eq!(rows(&new, &old), ["Removed base/plan_overview subtype"]);
}

#[test]
fn up_2_another_file_under_the_same_name_is_a_difference() {
    let draft = samples::saas();
    let old = Content::of(&draft);
    let mut new = old.clone();
    let logo = new
        .assets
        .iter_mut()
        .find(|one| one.name.ends_with("/logo.small"));
    logo.unwrap().digest = "f".repeat(64);
    assert_eq!(
        rows(&old, &new),
        ["Edited /offer assets[\"logo.small\"].digest"]
    );
}

#[test]
fn up_2_what_is_the_same_is_told_as_large_as_it_is() {
    let content = Content::of(&samples::container());
    let found = between(&content, &content).unwrap();
    assert!(
        found
            .iter()
            .all(|one| one.kind == Kind::Unchanged && one.path.is_empty())
    );
    let pages = content.pages.iter().count() + 1;
    let plans: usize = content
        .plans
        .iter()
        .map(|plan| plan.pages.iter().count() + 1)
        .sum();
    assert_eq!(found.len(), pages + plans);
}

/// One step of a path.
fn steps(path: &str) -> Vec<Value> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let mut values = serde_json::Deserializer::from_str(inner).into_iter::<Value>();
            steps.push(values.next().unwrap().unwrap());
            rest = &inner[values.byte_offset() + 1..];
        } else {
            rest = rest.strip_prefix('.').unwrap_or(rest);
            let end = rest.find(['.', '[']).unwrap_or(rest.len());
            steps.push(rest[..end].into());
            rest = &rest[end..];
        }
    }
    steps
}

/// Does to a document what a difference says; lists lose their end first.
fn apply(document: &mut Option<Value>, differences: &[Difference]) {
    let removed = |one: &&Difference| one.kind == Kind::Removed;
    let (gone, rest): (Vec<_>, Vec<_>) = differences.iter().partition(removed);
    for one in gone.into_iter().rev().chain(rest) {
        let Some((last, way)) = steps(&one.path)
            .split_last()
            .map(|(l, w)| (l.clone(), w.to_vec()))
        else {
            document.clone_from(&one.new);
            continue;
        };
        let mut at = document.as_mut().unwrap();
        for step in way {
            at = match step {
                Value::String(key) => &mut at[key],
                number => &mut at[number.as_u64().unwrap() as usize],
            };
        }
        match (last, one.new.clone()) {
            (Value::String(key), None) => drop(at.as_object_mut().unwrap().remove(&key)),
            (Value::String(key), Some(new)) => at[key] = new,
            (_, None) => drop(at.as_array_mut().unwrap().pop()),
            (number, Some(new)) => {
                let list = at.as_array_mut().unwrap();
                match list.get_mut(number.as_u64().unwrap() as usize) {
                    Some(old) => *old = new,
                    None => list.push(new),
                }
            }
        }
    }
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c.\\[\"]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c.\\]\"]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn up_2_applying_the_difference_gives_the_other(
        old in prop::option::of(values()),
        new in prop::option::of(values()),
    ) {
        let mut found = Vec::new();
        walk(String::new(), old.as_ref(), new.as_ref(), &mut |one| found.push(one));
        found.retain(|one| one.kind != Kind::Unchanged);
        prop_assert_eq!(found.is_empty(), old == new);
        let mut applied = old;
        apply(&mut applied, &found);
        prop_assert_eq!(applied, new);
    }
}
