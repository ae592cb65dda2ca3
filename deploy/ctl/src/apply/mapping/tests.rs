//! Every shape of field, and every mistake with its line.

use super::*;
use crate::apply::tree;
use crate::output::json::pool;

fn read(kind: &str, text: &str) -> (serde_json::Value, Vec<String>, Lines) {
    read_in(Path::new(env!("CARGO_MANIFEST_DIR")), kind, text)
}

fn read_in(folder: &Path, kind: &str, text: &str) -> (serde_json::Value, Vec<String>, Lines) {
    let variable = |name: &str| (name == "CRM_KEY").then(|| "s3cret".to_owned());
    let mut mapper = Mapper {
        file: "offer.yaml",
        folder,
        offer: "publishers/p/offers/o".into(),
        variable: &variable,
        problems: Vec::new(),
        assets: Vec::new(),
        tables: BTreeMap::new(),
        lines: Lines::new(),
    };
    let descriptor = pool()
        .get_message_by_name(&format!("marketplace.offercatalog.v1.{kind}"))
        .unwrap();
    let message = mapper.message(&descriptor, &tree::parse("offer.yaml", text).unwrap(), "");
    let options = prost_reflect::SerializeOptions::new().use_proto_field_name(true);
    let json = message
        .serialize_with_options(serde_json::value::Serializer, &options)
        .unwrap();
    (
        json,
        mapper.problems.iter().map(ToString::to_string).collect(),
        mapper.lines,
    )
}

#[test]
fn every_shape_of_field_is_mapped() {
    let text = "
markets: [NO, US]
model: FLAT_RATE
hidden: true
prices:
  - {term: ONE_MONTH, currency: USD, amount: 49.00, min_users: 2}
";
    let (json, problems, lines) = read("PlanPricingPage", text);
    let wanted = serde_json::json!({
        "markets": ["NO", "US"], "model": "PRICING_MODEL_FLAT_RATE", "hidden": true,
        "prices": [{"term": "BILLING_TERM_ONE_MONTH", "currency": "USD", "amount": "49.00", "min_users": 2}],
    });
    assert_eq!((json, problems), (wanted, vec![]));
    assert_eq!(
        (lines["markets"], lines["prices"], lines["prices[0].amount"]),
        (2, 5, 6)
    );
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let text = "
selling: LISTED
call_to_acton: FREE
client_links: none
test_drive: {type: [a]}
lead_destination:
  https_endpoint: {url: https://x}
  marketo: {form_id: 1}
";
    let (_, problems, _) = read("OfferSetupPage", text);
    let wanted = [
        "offer.yaml:2: selling is \"LISTED\": one of LIST_AND_SELL, LISTING_ONLY is wanted",
        "offer.yaml:3: there is no field call_to_acton; known here: selling, call_to_action, call_to_action_url, \
         lead_destination, client_links, test_drive",
        "offer.yaml:4: client_links must be a list, not a text",
        "offer.yaml:5: test_drive.type must be a text, not a list",
        "offer.yaml:8: https_endpoint and marketo exclude each other",
    ];
    assert_eq!(problems, wanted);
}

#[test]
fn numbers_and_switches_are_checked() {
    let (_, problems, _) = read(
        "PlanPricingPage",
        "hidden: yes\nprices:\n  - {min_users: few}\n",
    );
    let wanted = [
        "offer.yaml:1: hidden is \"yes\": true or false is wanted",
        "offer.yaml:3: prices[0].min_users is \"few\": a whole number is wanted",
    ];
    assert_eq!(problems, wanted);
}

#[test]
fn texts_come_from_files_and_secrets_from_the_environment() {
    let (json, problems, _) = read("TableDestination", "connection_string: {env: CRM_KEY}\n");
    assert_eq!(
        (json["connection_string"].as_str(), problems.len()),
        (Some("s3cret"), 0)
    );
    let (_, problems, _) = read("TableDestination", "connection_string: {env: OTHER}\n");
    assert_eq!(
        problems,
        ["offer.yaml:1: connection_string: the variable OTHER is not set"]
    );
    let (json, problems, _) = read("OfferListingPage", "description: {file: Cargo.toml}\n");
    assert!(
        json["description"]
            .as_str()
            .unwrap()
            .starts_with("[package]"),
        "{problems:?}"
    );
    let (_, problems, _) = read("OfferListingPage", "title: {file: nowhere.txt}\n");
    assert_eq!(problems.len(), 1);
    let (_, problems, _) = read("OfferListingPage", "title: {env: CRM_KEY}\n");
    assert_eq!(
        problems,
        ["offer.yaml:1: title must be a text, {file: PATH}, or of a secret {env: NAME}"]
    );
}

#[test]
fn only_what_the_proto_calls_secret_is_read_from_the_environment() {
    let messages = pool().all_messages();
    let secrets = messages.flat_map(|m| m.fields().collect::<Vec<_>>());
    let mut names: Vec<_> = secrets
        .filter(schema::is_secret)
        .map(|field| field.name().to_owned())
        .collect();
    names.sort();
    let wanted = [
        "application_key",
        "client_secret",
        "connection_string",
        "password",
    ];
    assert_eq!(names, wanted);
}

#[test]
fn a_file_is_in_the_folder_of_the_offers_file() {
    let folder = std::env::temp_dir().join(format!("marketctl-inside-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("offer/texts")).unwrap();
    for file in ["outside.txt", "offer/in.txt", "offer/texts/deep.txt"] {
        std::fs::write(folder.join(file), "text").unwrap();
    }
    std::os::unix::fs::symlink("../outside.txt", folder.join("offer/out.txt")).unwrap();
    std::os::unix::fs::symlink("texts/deep.txt", folder.join("offer/link.txt")).unwrap();
    let offer = folder.join("offer");
    for (path, fine) in [
        ("in.txt", true),
        ("texts/../in.txt", true),
        ("link.txt", true),
        ("../outside.txt", false),
        ("out.txt", false),
        ("/etc/hostname", false),
        ("/dev/zero", false),
        ("texts", false),
        ("nowhere", false),
    ] {
        for page in [
            format!("title: {{file: {path}}}"),
            format!("large_logo: {{file: {path}}}"),
        ] {
            let (_, problems, _) = read_in(&offer, "OfferListingPage", &page);
            assert_eq!(problems.is_empty(), fine, "{path}: {problems:?}");
        }
    }
    let devices = source::open(Path::new("/dev/zero"), source::MOST_CONTENT);
    assert_eq!(devices.unwrap_err().to_string(), "is no regular file");
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_shown_file_has_a_path_and_perhaps_an_id() {
    let table = [
        ("{file: Cargo.toml}", vec![]),
        ("{asset: logo, file: Cargo.toml}", vec![]),
        (
            "{asset: logo}",
            vec!["offer.yaml:1: large_logo must be {file: PATH} or {file: PATH, asset: ID}"],
        ),
        (
            "{file: Cargo.toml, id: logo}",
            vec!["offer.yaml:1: large_logo must be {file: PATH} or {file: PATH, asset: ID}"],
        ),
        (
            "{file: Cargo.toml, asset: The Logo}",
            vec![
                "offer.yaml:1: large_logo: asset must be an id of lower-case letters, digits, - _ and .",
            ],
        ),
    ];
    for (text, wanted) in table {
        let (json, problems, _) = read("OfferListingPage", &format!("large_logo: {text}\n"));
        assert_eq!(problems, wanted, "{text}");
        assert_eq!(json["large_logo"].is_string(), wanted.is_empty(), "{text}");
    }
    let (json, _, _) = read(
        "OfferListingPage",
        "large_logo: {file: Cargo.toml, asset: logo}\n",
    );
    assert_eq!(json["large_logo"], "publishers/p/offers/o/assets/logo");
}
