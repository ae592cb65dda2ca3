//! Every sample keeps to the schema, and what apply refuses of a form the schema refuses as well.

use std::path::Path;

use saphyr::{LoadableYamlNode, Scalar, Yaml};

use super::*;
use crate::apply::file::{OfferFile, find};

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

/// What an editor says of a document.
fn complaints(text: &str) -> Vec<String> {
    let validator = jsonschema::validator_for(&generate()).unwrap();
    let document = read(text);
    let errors = validator.iter_errors(&document);
    errors.map(|error| error.to_string()).collect()
}

#[test]
fn every_sample_keeps_to_the_schema() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/samples");
    for file in find(&samples).unwrap() {
        let text = std::fs::read_to_string(&file).unwrap();
        let found = complaints(&text);
        assert!(found.is_empty(), "{}: {found:#?}", file.display());
        let misspelt = text.replacen("\n    summary:", "\n    sumary:", 1);
        let found = complaints(&misspelt);
        assert!(
            found.len() == 1 && found[0].contains("'sumary' was unexpected"),
            "{}: {found:#?}",
            file.display()
        );
    }
}

const OFFER: &str = "offer: x\noffer_type: y\n";

/// Of a form: what the catalog knows, such as who else has a plan's id, no schema says.
#[test]
fn what_apply_refuses_the_schema_refuses_as_well_and_nothing_else() {
    let folder = std::env::temp_dir().join(format!("marketctl-schema-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (file, text) in [("a.png", "png"), ("t.txt", "text"), ("a.csv", "kind,id\n")] {
        std::fs::write(folder.join(file), text).unwrap();
    }
    let page = |page: &str| format!("{OFFER}pages: {{{page}}}\n");
    let plan = |page: &str| {
        format!(
            "{OFFER}plans: [{{plan_id: p, display_name: P, pages: {{plan_pricing: {page}}}}}]\n"
        )
    };
    let lead = |to: &str| page(&format!("offer_setup: {{lead_destination: {to}}}"));
    let table = [
        (true, OFFER.to_owned()),
        (
            true,
            format!("publisher: p\nalias: 7\nnotes: N\n{OFFER}pages: {{}}\nplans: []\n"),
        ),
        (false, "offer: x\n".to_owned()),
        (false, "offer: ''\noffer_type: y\n".to_owned()),
        (false, "offer:\noffer_type: y\n".to_owned()),
        (false, "[offer]\n".to_owned()),
        (false, format!("{OFFER}price: 3\n")),
        (false, format!("{OFFER}notes:\n")),
        (false, format!("{OFFER}pages:\n")),
        (false, format!("{OFFER}plans:\n")),
        (false, format!("{OFFER}plans: [~]\n")),
        (false, format!("{OFFER}plans: [{{plan_id: p}}]\n")),
        (
            false,
            format!("{OFFER}plans: [{{plan_id: '', display_name: P}}]\n"),
        ),
        (true, page("offer_setup: {}")),
        (
            true,
            page("offer_setup: {selling: LISTING_ONLY, client_links: []}"),
        ),
        (false, page("offer_setup: ")),
        (false, page("offer_setup: []")),
        (false, page("offer_setup: {selling: LISTED}")),
        (
            false,
            page("offer_setup: {selling: SELLING_OPTION_LISTING_ONLY}"),
        ),
        (false, page("offer_setup: {selling: 1}")),
        (false, page("offer_setup: {selling: ~}")),
        (false, page("offer_setup: {client_links: none}")),
        (false, page("offer_setup: {client_links: ~}")),
        (false, page("offer_setup: {client_links: [~]}")),
        (false, page("plan_listing: {}")),
        (true, lead("{table: {connection_string: {env: KEY}}}")),
        (true, lead("{table: {connection_string: {file: t.txt}}}")),
        (false, lead("{table: {connection_string: {key: KEY}}}")),
        (false, lead("{https_endpoint: {url: {env: KEY}}}")),
        (false, lead("{https_endpoint: {url: x}, table: {}}")),
        (
            true,
            page("supplemental_content: {validation_call_requested: True}"),
        ),
        (
            false,
            page("supplemental_content: {validation_call_requested: yes}"),
        ),
        (
            false,
            page("supplemental_content: {validation_call_requested: ~}"),
        ),
        (
            false,
            page("properties: {legal: {standard: {}, custom: {url: x}}}"),
        ),
        (
            true,
            page("offer_listing: {title: {file: t.txt}, summary: 49.00}"),
        ),
        (false, page("offer_listing: {title: {env: KEY}}")),
        (false, page("offer_listing: {title: Null}")),
        (
            true,
            page("offer_listing: {large_logo: {file: a.png, asset: logo}}"),
        ),
        (
            true,
            page("offer_listing: {large_logo: publishers/p/offers/o/assets/logo}"),
        ),
        (
            false,
            page("offer_listing: {large_logo: {file: a.png, asset: The Logo}}"),
        ),
        (false, page("offer_listing: {large_logo: {fil: a.png}}")),
        (true, page("preview_audience: {members: {file: a.csv}}")),
        (
            true,
            page("preview_audience: {members: [{kind: TENANT, id: 7}]}"),
        ),
        (false, page("preview_audience: {members: {csv: a.csv}}")),
        (
            true,
            plan("{prices: [{term: ONE_MONTH, amount: 49.00, min_users: 2}]}"),
        ),
        (false, plan("{prices: [{min_users: few}]}")),
        (false, plan("{prices: [{min_users: ~}]}")),
        (false, plan("{prices: {}}")),
    ];
    let variable = |_: &str| Some("s3cret".to_owned());
    for (fine, text) in table {
        let file = folder.join("offer.yaml");
        std::fs::write(&file, &text).unwrap();
        let applied = OfferFile::load(&file, Some("p"), &variable);
        assert_eq!(applied.is_ok(), fine, "apply: {text}{:?}", applied.err());
        let found = complaints(&text);
        assert_eq!(found.is_empty(), fine, "schema: {text}{found:#?}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
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
