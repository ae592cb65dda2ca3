//! Every sample keeps to the schema, and what apply refuses of a form the schema refuses as well.

use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};

use super::*;
use crate::apply::file::find;

/// What an editor says of a document: the words that the schema uses, and no others.
fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (word, rule) in schema.as_object().expect("a schema is an object") {
        let all = || rule.as_array().expect("a list of schemas").iter();
        let names = || all().map(|name| name.as_str().expect("a name"));
        let holds = |schema: &Value| faults(root, schema, value, at).is_empty();
        let fails = match word.as_str() {
            "$schema" | "title" | "description" | "definitions" => false,
            "$ref" => {
                let name = rule.as_str().unwrap().trim_start_matches("#/definitions/");
                found.extend(faults(root, &root["definitions"][name], value, at));
                false
            }
            "allOf" => {
                found.extend(all().flat_map(|schema| faults(root, schema, value, at)));
                false
            }
            "anyOf" => !all().any(holds),
            "not" => holds(rule),
            "enum" => !all().any(|one| one == value),
            "type" => {
                let types = rule
                    .as_array()
                    .cloned()
                    .unwrap_or_else(|| vec![rule.clone()]);
                !types.iter().any(|kind| is(value, kind.as_str().unwrap()))
            }
            "required" => value.is_object() && names().any(|name| value.get(name).is_none()),
            "properties" => {
                let inside = rule.as_object().unwrap().iter();
                found.extend(inside.flat_map(|(name, schema)| match value.get(name) {
                    Some(value) => faults(root, schema, value, &format!("{at}.{name}")),
                    None => Vec::new(),
                }));
                false
            }
            "additionalProperties" => {
                let known = schema["properties"].as_object().unwrap();
                let given = value.as_object().into_iter().flatten();
                let unknown = given.filter(|(name, _)| !known.contains_key(*name));
                found.extend(unknown.map(|(name, _)| format!("{at}.{name}: unknown")));
                false
            }
            "items" => {
                let items = value.as_array().into_iter().flatten().enumerate();
                found.extend(items.flat_map(|(i, v)| faults(root, rule, v, &format!("{at}[{i}]"))));
                false
            }
            other => panic!("the schema has a word that this test doesn't know: {other}"),
        };
        if fails {
            found.push(format!("{at}: {word}"));
        }
    }
    found
}

fn is(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64(),
        "boolean" => value.is_boolean(),
        other => panic!("no type: {other}"),
    }
}

/// A document as editors read it: with numbers and switches.
fn read(text: &str) -> Value {
    json(&Yaml::load_from_str(text).unwrap()[0])
}

fn json(yaml: &Yaml<'_>) -> Value {
    match yaml {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(value)) => (*value).into(),
        Yaml::Value(Scalar::Integer(value)) => (*value).into(),
        Yaml::Value(Scalar::FloatingPoint(value)) => value.into_inner().into(),
        Yaml::Value(Scalar::String(text)) => text.to_string().into(),
        Yaml::Sequence(items) => items.iter().map(json).collect(),
        Yaml::Mapping(entries) => entries
            .iter()
            .map(|(key, value)| {
                (
                    key.as_str().expect("keys are words").to_owned(),
                    json(value),
                )
            })
            .collect::<Map<_, _>>()
            .into(),
        other => panic!("not used here: {other:?}"),
    }
}

fn complaints(text: &str) -> Vec<String> {
    let schema = generate();
    faults(&schema, &schema, &read(text), "")
}

const OFFER: &str = "offer: x\noffer_type: y\n";

#[test]
fn every_sample_keeps_to_the_schema() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/samples");
    for file in find(&samples).unwrap() {
        let text = std::fs::read_to_string(&file).unwrap();
        let found = complaints(&text);
        assert!(found.is_empty(), "{}: {found:#?}", file.display());
        let misspelt = text.replacen("\n    summary:", "\n    sumary:", 1);
        let found = complaints(&misspelt);
        assert_eq!(
            found,
            [".pages.offer_listing.sumary: unknown"],
            "{}",
            file.display()
        );
    }
}

#[test]
fn what_apply_refuses_of_the_form_the_schema_refuses_as_well() {
    let page = |page: &str| format!("{OFFER}pages: {{{page}}}\n");
    let table = [
        (OFFER.to_owned(), vec![]),
        ("offer: x\n".to_owned(), vec![": required"]),
        (format!("{OFFER}price: 3\n"), vec![".price: unknown"]),
        (
            page("offer_setup: {selling: LISTED}"),
            vec![".pages.offer_setup.selling: enum"],
        ),
        (
            page("plan_listing: {}"),
            vec![".pages.plan_listing: unknown"],
        ),
        (
            page("offer_setup: {client_links: none}"),
            vec![".pages.offer_setup.client_links: type"],
        ),
        (
            page("supplemental_content: {validation_call_requested: 'yes'}"),
            vec![".pages.supplemental_content.validation_call_requested: type"],
        ),
        (
            page("properties: {legal: {standard: {}, custom: {url: x}}}"),
            vec![".pages.properties.legal: not"],
        ),
        (
            page("offer_listing: {large_logo: {file: a.png, asset: logo}, title: {file: t.txt}}"),
            vec![],
        ),
        (
            page("offer_listing: {large_logo: {fil: a.png}}"),
            vec![".pages.offer_listing.large_logo: anyOf"],
        ),
        (page("preview_audience: {members: {file: a.csv}}"), vec![]),
    ];
    for (text, wanted) in table {
        assert_eq!(complaints(&text), wanted, "{text}");
    }
}

#[test]
fn it_tells_what_the_proto_files_say_of_fields() {
    let schema = generate();
    let description = &schema["definitions"]["OfferListingPage"]["properties"]["description"];
    let said = description["description"].as_str().unwrap();
    assert!(said.starts_with("HTML of the supported tags"), "{said}");
}

#[test]
fn the_schema_in_the_repository_is_the_current_one() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("offer.schema.json");
    let kept = std::fs::read_to_string(file).unwrap();
    let current = format!("{:#}\n", generate());
    assert!(
        kept == current,
        "run: marketctl schema > deploy/ctl/offer.schema.json"
    );
}
