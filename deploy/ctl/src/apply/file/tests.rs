use super::*;

fn load(name: &str, text: impl AsRef<[u8]>) -> Result<OfferFile, Vec<String>> {
    load_for(None, name, text)
}

fn load_for(
    publisher: Option<&str>,
    name: &str,
    text: impl AsRef<[u8]>,
) -> Result<OfferFile, Vec<String>> {
    let path = std::env::temp_dir().join(format!("marketctl-{}-{name}.yaml", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let shown = format!("{}", path.display());
    let loaded = OfferFile::load(&path, publisher, &|_| None);
    std::fs::remove_file(&path).unwrap();
    loaded.map_err(|problems| {
        problems
            .iter()
            .map(|p| p.to_string().replace(&shown, "f"))
            .collect()
    })
}

/// Samples with some of their characters changed, taken away or repeated.
#[test]
fn random_documents_are_read_or_refused() {
    // In folders of their own, beside the pictures that they name.
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/samples");
    let folder = std::env::temp_dir().join(format!("marketctl-random-{}", std::process::id()));
    let copied = std::process::Command::new("cp")
        .arg("-r")
        .args([&samples, &folder])
        .status();
    assert!(copied.unwrap().success());
    let texts: Vec<(PathBuf, Vec<char>)> = find(&folder)
        .unwrap()
        .into_iter()
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            (file, text.chars().collect())
        })
        .collect();
    let mut random = fastrand::Rng::with_seed(11);
    let (mut read, mut refused) = (0, 0);
    for _ in 0..1_000 {
        let (path, mut text) = random.choice(&texts).unwrap().clone();
        for _ in 0..random.usize(..4) {
            let (at, to) = (random.usize(..text.len()), random.usize(..text.len()));
            match random.u8(..4) {
                0 => {
                    text[at] = *random
                        .choice(&[
                            '-', ':', '\t', '&', '*', '\'', '{', '|', '!', '\0', '\u{feff}',
                        ])
                        .unwrap()
                }
                1 => drop(text.drain(at.min(to)..at.max(to).min(at.min(to) + 30))),
                2 => text.insert(at, random.char(..)),
                _ => {
                    let piece = text[at..text.len().min(at + 60)].to_vec();
                    text.splice(to..to, piece);
                }
            }
        }
        std::fs::write(&path, text.iter().collect::<String>()).unwrap();
        match OfferFile::load(&path, None, &|_| Some("secret".to_owned())) {
            Ok(_) => read += 1,
            Err(problems) => {
                assert!(!problems.is_empty());
                refused += 1;
            }
        }
    }
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(
        read > 100 && refused > 100,
        "{read} read, {refused} refused"
    );
}

#[test]
fn a_file_says_offer_pages_and_plans() {
    let text = "publisher: contoso\noffer: grafana\noffer_type: softwareAsAService\nnotes: |\n  Log in as guest.\npages:\n  \
                offer_listing:\n    title: Grafana\n    support_contact:\n      name: Ada\nplans:\n  - plan_id: team\n    \
                display_name: Team\n    pages:\n      plan_listing: {description: For teams}\n";
    let file = load("good", text).unwrap();
    assert_eq!(file.offer.name(), "publishers/contoso/offers/grafana");
    let pages: Vec<_> = file
        .pages
        .iter()
        .map(|p| (p.field.as_str(), p.plan.as_str()))
        .collect();
    assert_eq!(pages, [("offer_listing", ""), ("plan_listing", "team")]);
    assert_eq!(
        file.line("offer_listing", "", "support_contact.email"),
        9,
        "the nearest that is there"
    );
    assert_eq!(
        file.line("offer_listing", "", "summary"),
        7,
        "else the page"
    );
    assert_eq!(file.line("properties", "", "categories"), 0);
}

#[test]
fn every_mistake_is_named() {
    let text = "publisher: contoso\noffer: grafana\noffer_typ: x\npages:\n  plan_listing: {}\n  properties: {app_version: [1]}\n\
                plans:\n  - plan_id: a\n  - {plan_id: b, display_name: B, price: 3}\n  - {plan_id: b, display_name: C}\n";
    let wanted = [
        "f:3: the file has no offer_typ; known here: publisher, offer, offer_type, alias, notes, pages, plans",
        "f:1: offer_type is missing",
        "f:5: pages has no plan_listing; known here: offer_setup, properties, offer_listing, preview_audience, \
         technical_configuration, resell_through_csps, co_sell, supplemental_content",
        "f:6: app_version must be a text, not a list",
        "f:8: display_name is missing",
        "f:9: a plan has no price; known here: plan_id, display_name, subtype, pages",
        "f:10: plan b is there twice",
    ];
    assert_eq!(load("bad", text).unwrap_err(), wanted);
}

#[test]
fn a_publisher_must_come_from_somewhere() {
    let problems = load("nobody", "offer: x\noffer_type: y\n").unwrap_err();
    assert_eq!(
        problems,
        ["f: names no publisher: write `publisher: ID` or give --publisher"]
    );
    let text = "offer: x\noffer_type: y\n";
    let publisher = |text: &str| {
        load_for(Some("given"), "whose", text)
            .unwrap()
            .offer
            .publisher
    };
    assert_eq!(publisher(text), "given");
    assert_eq!(publisher(&format!("publisher: own\n{text}")), "own");
}

#[test]
fn what_holds_nothing_is_no_way_to_empty_something() {
    let text = "publisher: c\noffer: o\noffer_type: t\nnotes:\npages:\n  offer_listing:\n    # title: x\n  \
                properties: {app_version: ~, categories: [~]}\n  co_sell: {contacts: }\nplans:\n";
    let wanted = [
        "f:4: notes is empty: leave it out, or write '' to empty it",
        "f:6: OfferListingPage is empty: leave it out, or write {} to empty it",
        "f:8: app_version is empty: leave it out, or write '' to empty it",
        "f:8: categories[0] is empty: leave it out, or write {} to empty it",
        "f:9: contacts is empty: leave it out, or write [] to empty it",
        "f:10: plans is empty: leave it out, or write [] to empty it",
    ];
    assert_eq!(load("nothing", text).unwrap_err(), wanted);
}

#[test]
fn mistakes_in_pages_and_plans_are_told_of_a_file_without_a_head() {
    let text =
        "pages: {properties: {app_version: [1]}}\nplans:\n  - pages: {plan_listing: {name: {}}}\n";
    let problems = load("headless", text).unwrap_err();
    for wanted in [
        "f: names no publisher",
        "f:1: offer is missing",
        "f:1: app_version",
        "f:3: plan_id is missing",
    ] {
        assert!(
            problems.iter().any(|p| p.starts_with(wanted)),
            "{wanted}: {problems:#?}"
        );
    }
}

#[test]
fn what_is_no_text_is_refused_by_name() {
    assert_eq!(
        load("bytes", b"offer: \xff\n").unwrap_err(),
        ["f: is not UTF-8"]
    );
    let large = "#".repeat(4 * 1024 * 1024 + 1);
    assert!(load("large", large).unwrap_err()[0].starts_with("f: has 4194305 bytes"));
    assert_eq!(load("comment", "# soon\n").unwrap_err(), ["f: is empty"]);
    assert_eq!(
        load("marked", "\u{feff}publisher: c\noffer: o\noffer_type: t\n")
            .unwrap()
            .offer
            .id,
        "o"
    );
}

#[test]
fn a_file_that_can_not_be_read_is_not_absent() {
    let folder = std::env::temp_dir().join(format!("marketctl-find-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("one")).unwrap();
    std::fs::write(folder.join("README"), "").unwrap();
    assert!(
        find(&folder)
            .unwrap_err()
            .to_string()
            .contains("no offer.yaml in it")
    );
    std::os::unix::fs::symlink("nowhere", folder.join("one").join(FILE)).unwrap();
    let found = find(&folder).unwrap();
    assert_eq!(found, [folder.join("one").join(FILE)]);
    assert!(OfferFile::load(&found[0], None, &|_| None).is_err());
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_samples_load() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../local/samples");
    let files = find(&samples).unwrap();
    assert_eq!(files.len(), 12, "one of each type: {files:?}");
    for file in files {
        let offer = OfferFile::load(&file, None, &|_| None)
            .unwrap_or_else(|problems| panic!("{problems:#?}"));
        assert!(
            offer.pages.iter().any(|page| !page.assets.is_empty()),
            "{} shows pictures",
            offer.file
        );
        let (of, notes) = notes(&file, "").unwrap();
        assert_eq!(of, offer.offer);
        assert!(
            !notes.is_empty(),
            "{} has notes for certification",
            offer.file
        );
    }
}
