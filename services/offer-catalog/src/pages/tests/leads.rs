//! OS-1, LD-4, UP-9: what follows from the type of the offer, and where a secret may go.

use super::issues;
use crate::domain::completeness::Published;
use crate::domain::samples;
use crate::domain::snapshot::Content;
use crate::pages::*;

#[test]
fn os_1_some_types_are_never_sold() {
    let mut draft = samples::listed();
    draft.offer_type = offer_type::find("consultingService").unwrap();
    let selling = |draft: &crate::domain::Draft| {
        let mut found = issues(draft, &Published::default());
        found.retain(|issue| issue.starts_with("offer_setup selling"));
        found
    };
    assert_eq!(selling(&draft), Vec::<String>::new());
    let setup = draft.pages.offer_setup.as_mut().unwrap();
    setup.selling = Some(Selling::ListAndSell);
    assert_eq!(selling(&draft), ["offer_setup selling NOT_ALLOWED"]);
}

#[test]
fn up_9_what_was_sold_goes_on_being_sold() {
    let mut draft = samples::container();
    draft.offer_type = offer_type::find("azureApplication").unwrap();
    let published = Published {
        live: Some(Content::of(&draft)),
        ..Published::default()
    };
    let mut found = issues(&draft, &published);
    found.retain(|issue| issue.starts_with("offer_setup"));
    assert_eq!(found, Vec::<String>::new());
}

#[test]
fn ld_4_a_secret_is_kept_for_the_same_account_alone() {
    let to = |destination| LeadDestination {
        destination: Some(destination),
        ..LeadDestination::default()
    };
    let marketo = |munchkin: &str, form: &str, server: &str, client: &str| {
        to(Destination::Marketo(Marketo {
            munchkin_id: munchkin.into(),
            form_id: form.into(),
            server_id: server.into(),
            client_id: client.into(),
        }))
    };
    let stored = marketo("123-abc-45X", "1", "s", "me");
    for (other, shared) in [
        (marketo("123-abc-45X", "1", "s", "me"), true),
        (marketo("123-abc-45X", "2", "s", "me"), true),
        (marketo("999-abc-45X", "1", "s", "me"), false),
        (marketo("123-abc-45X", "1", "t", "me"), false),
        (marketo("123-abc-45X", "1", "s", "you"), false),
        (to(Destination::Table(Table {})), false),
    ] {
        assert_eq!(other.shares_secret_with(&stored), shared, "{other:?}");
    }
    let table = to(Destination::Table(Table {}));
    assert!(table.shares_secret_with(&table));
    let endpoint = to(Destination::HttpsEndpoint(HttpsEndpoint::default()));
    assert!(!endpoint.shares_secret_with(&endpoint), "it has no secret");
}
