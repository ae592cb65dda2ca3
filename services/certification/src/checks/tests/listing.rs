//! Title, summary, description, language: CV-1 … CV-4, CV-17.

use super::{Extent, Row, each_is_found, each_passes, offer::Offer};

const GERMAN: &str = "<p>Contoso Backup sichert PostgreSQL-Datenbanken in Azure und im eigenen Rechenzentrum. Jede Änderung wird innerhalb weniger Sekunden kopiert und kann auf jede Minute des letzten Monats zurückgesetzt werden.</p><p>Das Produkt richtet sich an Administratoren, die mehr als einen Server betreuen und jederzeit wissen wollen, was geschützt ist und was nicht.</p>";

fn german(offer: &mut Offer, before: &str, after: &str) {
    offer.snapshot.pages.offer_listing.description = format!("{before}{GERMAN}{after}");
}

#[test]
fn titles_and_summaries_that_say_nothing_are_found() {
    let rows: &[Row] = &[
        ("CV-1", "TITLE_MISSING", |o| {
            o.snapshot.pages.offer_listing.title = " ".into()
        }),
        ("CV-1", "TITLE_TOO_LONG", |o| {
            o.snapshot.pages.offer_listing.title = "backup ".repeat(29)
        }),
        ("CV-1", "TITLE_EMOJI", |o| {
            o.snapshot.pages.offer_listing.title = "Contoso Backup 🚀".into()
        }),
        ("CV-1", "TITLE_MARKUP", |o| {
            o.snapshot.pages.offer_listing.title = "Contoso <b>Backup</b>".into()
        }),
        ("CV-1", "TITLE_PLACEHOLDER", |o| {
            o.snapshot.pages.offer_listing.title = "Test offer".into()
        }),
        ("CV-1", "TITLE_IS_ALIAS", |o| {
            o.snapshot.pages.offer_listing.title = "Backup internal".into()
        }),
        ("CV-1", "TITLE_IS_SUMMARY", |o| {
            let listing = &mut o.snapshot.pages.offer_listing;
            listing.title = listing.summary.clone();
        }),
        ("CV-1", "TITLE_VERSION", |o| {
            o.snapshot.pages.offer_listing.title = "Contoso Backup v2.1 (beta)".into()
        }),
        ("CV-1", "TITLE_VERSION", |o| {
            o.snapshot.pages.offer_listing.title = "Contoso Backup 4.10.2".into()
        }),
        // AS-058
        ("CV-1", "TITLE_UNRELATED", |o| {
            o.snapshot.pages.offer_listing.title = "Invoice Wizard Deluxe".into()
        }),
        ("CV-2", "SUMMARY_MISSING", |o| {
            o.snapshot.pages.offer_listing.summary.clear()
        }),
        ("CV-2", "SUMMARY_TOO_LONG", |o| {
            o.snapshot.pages.offer_listing.summary = "s".repeat(101)
        }),
        ("CV-2", "SUMMARY_LINES", |o| {
            o.snapshot.pages.offer_listing.summary = "one\ntwo".into()
        }),
        ("CV-2", "SUMMARY_MARKUP", |o| {
            o.snapshot.pages.offer_listing.summary = "<i>fast</i> backups".into()
        }),
        ("CV-2", "SUMMARY_IS_TITLE", |o| {
            let listing = &mut o.snapshot.pages.offer_listing;
            listing.summary = listing.title.to_uppercase();
        }),
        ("CV-17", "CONSULTING_TITLE", |o| {
            o.snapshot.offer.offer_type = "consultingService".into();
            o.snapshot.pages.offer_listing.title = "We help you".into();
        }),
    ];
    each_is_found(rows);
}

#[test]
fn good_titles_pass() {
    each_passes(&[
        ("CV-1", |o| {
            o.snapshot.pages.offer_listing.title = "PostgreSQL 16 Backups™".into()
        }),
        ("CV-1", |o| {
            o.snapshot.pages.offer_listing.title = "Contoso Backup".into()
        }),
        ("CV-2", |o| {
            o.snapshot.pages.offer_listing.summary = "s".repeat(100)
        }),
        ("CV-17", |o| {
            o.snapshot.offer.offer_type = "consultingService".into();
            o.snapshot.pages.offer_listing.title =
                "Contoso Backup readiness: 2-wk Assessment".into();
        }),
    ]);
}

#[test]
fn descriptions_are_measured_as_they_are_read() {
    let rows: &[Row] = &[
        ("CV-3", "DESCRIPTION_MISSING", |o| {
            o.snapshot.pages.offer_listing.description = "<p> </p>".into()
        }),
        ("CV-3", "DESCRIPTION_TOO_LONG", |o| {
            o.snapshot
                .pages
                .offer_listing
                .description
                .push_str(&"<b></b>".repeat(700))
        }),
        ("CV-3", "DESCRIPTION_TAGS", |o| {
            o.snapshot
                .pages
                .offer_listing
                .description
                .push_str("<script>alert(1)</script>")
        }),
        ("CV-3", "DESCRIPTION_TAGS", |o| {
            o.snapshot
                .pages
                .offer_listing
                .description
                .push_str("<p style='x'>y</p>")
        }),
        ("CV-3", "DESCRIPTION_UNBALANCED", |o| {
            o.snapshot
                .pages
                .offer_listing
                .description
                .push_str("<ul><li>one</ul>")
        }),
        // AS-059: 40 characters.
        ("CV-3", "DESCRIPTION_SHORT", |o| {
            o.snapshot.pages.offer_listing.description =
                "Contoso Backup for PostgreSQL on Azure.".into()
        }),
        ("CV-3", "DESCRIPTION_SHORT", |o| {
            o.snapshot.pages.offer_listing.description =
                format!("<p>Backup</p>{}", "<b></b>".repeat(60))
        }),
        ("CV-3", "DESCRIPTION_ONE_PARAGRAPH", |o| {
            o.snapshot.pages.offer_listing.description =
                "Contoso Backup for PostgreSQL. ".repeat(20)
        }),
        ("CV-3", "DESCRIPTION_SPELLING", |o| {
            o.snapshot
                .pages
                .offer_listing
                .description
                .push_str("<p>Recieve mails.</p>")
        }),
    ];
    each_is_found(rows);
}

#[test]
fn another_language_needs_its_english_sentence_cv_4() {
    let rows: &[Row] = &[
        ("CV-4", "LANGUAGE_SENTENCE_MISSING", |o| german(o, "", "")),
        ("CV-4", "LANGUAGE_SENTENCE_MISSING", |o| {
            german(o, "<p>This app is available only in French.</p>", "")
        }),
        ("CV-4", "LANGUAGE_SENTENCE_MISSING", |o| {
            o.snapshot.pages.offer_listing.language = "ja-JP".into();
            o.snapshot.pages.offer_listing.description = "<p>高速</p>".into();
        }),
    ];
    each_is_found(rows);
    each_passes(&[
        ("CV-4", |o| {
            german(
                o,
                "<p>This application is available only in German.</p>",
                "",
            )
        }),
        ("CV-4", |o| {
            german(o, "", "<p>This app is available in German.</p>")
        }),
        ("CV-4", |o| {
            o.snapshot.pages.offer_listing.language = "en-US".into()
        }),
    ]);
}

#[test]
fn evidence_says_what_was_seen() {
    let mut offer = Offer::good();
    german(&mut offer, "", "");
    let results = offer.run(Extent::Certification);
    let found = &results.iter().find(|r| r.check == "CV-4").unwrap().findings[0];
    assert!(found.evidence.contains("German"), "{}", found.evidence);
    assert_eq!(
        (found.page.as_str(), found.field_path.as_str()),
        ("offer_listing", "description")
    );
}
