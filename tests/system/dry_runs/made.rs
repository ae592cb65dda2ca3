//! Offers that are made up: complete, so that they can be published, and with flaws that certification sees.

use marketplace_proto::offercatalog::v1::page::Page;
use marketplace_proto::offercatalog::v1::{Link, OfferListingPage};
use system_tests::drafts::{self, Draft};

/// What may be wrong with a listing, without its page being incomplete.
const FLAWS: [fn(&mut OfferListingPage); 8] = [
    |page| {
        page.description = "<p>Eine Plattform für Ihre Abteilung, die Änderungen begleitet und Aufgaben festhält, damit alle wissen, woran sie sind, und nichts verloren geht.</p>".into()
    },
    |page| page.description += "<p>The best and cheapest forge of the world, guaranteed!</p>",
    |page| page.support_url = "https://forge.contoso.example/setup.exe".into(),
    |page| page.privacy_policy_url = "https://203.0.113.7/privacy".into(),
    |page| {
        page.useful_links.push(Link {
            title: "Download".into(),
            url: "https://forge.contoso.example/forge.zip".into(),
        });
    },
    |page| page.getting_started = "Click here. It is guaranteed to be the cheapest.".into(),
    |page| page.title = "CONTOSO FORGE BEST FREE".into(),
    |page| page.summary = "short".into(),
];

/// The offer of this number; always the same, so that one that fails can be looked at.
pub fn offer(number: u64) -> Draft {
    let mut draft = match number % 2 {
        0 => drafts::container(),
        _ => drafts::saas_free_trial(),
    };
    // The first two are good; the bits of a scrambled number say what is wrong with the others.
    let bits = if number < 2 {
        0
    } else {
        number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56
    };
    for page in &mut draft.pages {
        let Page::OfferListing(listing) = page else {
            continue;
        };
        let wanted = |place: usize| bits >> place & 1 == 1;
        let flaws = FLAWS.iter().enumerate();
        for (_, flaw) in flaws.filter(|(place, _)| wanted(*place)) {
            flaw(listing);
        }
    }
    draft
}
