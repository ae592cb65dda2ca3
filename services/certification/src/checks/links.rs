//! Links have the right form (CV-12) and the call to action fits its link (CV-16). Whether they answer needs the
//! network: a manual item.

use std::net::IpAddr;

use url::{Host, Url};

use super::{Check, Found, Subject, always, automatic, manual, subject::Place};
use crate::domain::{
    Level,
    snapshot::{CallToAction, Selling},
};

pub const CHECKS: &[Check] = &[
    automatic(
        ("CV-12", 1),
        (Level::Content, "100.5"),
        "Links are well formed",
        always,
        links,
    ),
    manual(
        ("CV-12-M", 1),
        (Level::Content, "100.5"),
        "Links work",
        |s| !all(s).is_empty(),
        |s| {
            let urls: Vec<String> = all(s).into_iter().map(|link| link.url).collect();
            format!(
                "Needs the network. Open each of {}: it answers without an error, asks for no sign-in, starts no download, and is about what its label says.",
                urls.join(", ")
            )
        },
    ),
    automatic(
        ("CV-16", 1),
        (Level::Content, "100.4"),
        "Call to action fits its link",
        always,
        call_to_action,
    ),
];

/// File endings that a browser downloads instead of showing.
const DOWNLOADS: &[&str] = &[
    ".exe", ".msi", ".dmg", ".pkg", ".deb", ".rpm", ".apk", ".appx", ".msix", ".zip", ".7z",
    ".rar", ".gz", ".tgz", ".tar", ".iso", ".bat", ".cmd", ".ps1", ".sh", ".jar", ".scr", ".vhd",
    ".bin",
];

/// A link with its place.
struct Labelled {
    at: Place,
    url: String,
    policy: &'static str,
    /// "http://" will do (OS-2).
    plain_http: bool,
    required: bool,
}

fn all(subject: &Subject<'_>) -> Vec<Labelled> {
    let mut links = every(subject);
    links.retain(|link| !link.url.trim().is_empty());
    links
}

fn every(subject: &Subject<'_>) -> Vec<Labelled> {
    let page = subject.listing();
    let link = |at: Place, url: &str, policy| Labelled {
        at,
        url: url.to_owned(),
        policy,
        plain_http: false,
        required: false,
    };
    let of = |field: &str| Place::from(("offer_listing", field));
    let mut links = vec![
        Labelled {
            required: subject.of_type().is_none_or(|known| known.privacy_policy),
            ..link(of("privacy_policy_url"), &page.privacy_policy_url, "100.6")
        },
        link(of("support_url"), &page.support_url, "100.5"),
        link(of("csp_materials_url"), &page.csp_materials_url, "100.5"),
    ];
    if let Some(terms) = &subject.snapshot.pages.properties.legal.custom {
        links.push(link(
            ("properties", "legal.custom.url").into(),
            &terms.url,
            "100.4",
        ));
    }
    for (n, useful) in page.useful_links.iter().enumerate() {
        links.push(Labelled {
            required: true,
            ..link(of(&format!("useful_links[{n}].url")), &useful.url, "100.5")
        });
    }
    let setup = &subject.snapshot.pages.offer_setup;
    let at = ("offer_setup", "call_to_action_url").into();
    links.push(Labelled {
        plain_http: true,
        ..link(at, &setup.call_to_action_url, "100.4")
    });
    for (n, client) in setup.client_links.iter().enumerate() {
        links.push(link(
            ("offer_setup", format!("client_links[{n}]")).into(),
            client,
            "1000.5",
        ));
    }
    links
}

fn links(subject: &Subject<'_>, found: &mut Found<'_>) {
    for link in every(subject) {
        if link.url.trim().is_empty() {
            if link.required {
                found.fail_under(
                    link.policy,
                    "LINK_MISSING",
                    link.at,
                    "there is no address",
                    "Give the https address.",
                );
            }
            continue;
        }
        if let Err((code, remedy)) = judge(&link) {
            found.fail_under(link.policy, code, link.at, &link.url, remedy);
        }
    }
}

fn judge(link: &Labelled) -> Result<(), (&'static str, &'static str)> {
    let Ok(url) = Url::parse(link.url.trim()) else {
        return Err((
            "LINK_MALFORMED",
            "Write the whole address, beginning with https://.",
        ));
    };
    if url.scheme() != "https" && !(link.plain_http && url.scheme() == "http") {
        return Err(("LINK_NOT_HTTPS", "Use an https address."));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err((
            "LINK_CREDENTIALS",
            "Take user name and password out of the address.",
        ));
    }
    if !url.host().is_some_and(is_public) {
        return Err((
            "LINK_NOT_PUBLIC",
            "Use an address that customers can reach: a public host name.",
        ));
    }
    let path = url.path().to_lowercase();
    if DOWNLOADS.iter().any(|ending| path.ends_with(ending)) {
        return Err((
            "LINK_DOWNLOAD",
            "Link to a page, not to a file that is downloaded at once.",
        ));
    }
    Ok(())
}

/// A name that the public DNS could know. Addresses instead of names are nobody's home page.
pub fn is_public(host: Host<&str>) -> bool {
    const RESERVED: &[&str] = &[
        "localhost",
        "local",
        "internal",
        "test",
        "invalid",
        "lan",
        "home.arpa",
    ];
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            let reserved = |suffix: &&str| name == *suffix || name.ends_with(&format!(".{suffix}"));
            name.contains('.') && !RESERVED.iter().any(reserved) && name.parse::<IpAddr>().is_err()
        }
        Host::Ipv4(_) | Host::Ipv6(_) => false,
    }
}

fn call_to_action(subject: &Subject<'_>, found: &mut Found<'_>) {
    let setup = &subject.snapshot.pages.offer_setup;
    let at = |field: &'static str| ("offer_setup", field);
    let url = setup.call_to_action_url.trim();
    match (setup.selling, subject.call_to_action()) {
        (Selling::Unspecified, _) => {
            let remedy = "Say whether the offer is sold through the marketplace.";
            found.fail(
                "SELLING_MISSING",
                at("selling"),
                "no selling option",
                remedy,
            );
        }
        (Selling::ListAndSell, CallToAction::Unspecified) => {}
        (Selling::ListAndSell, other) => {
            let remedy = "Remove the call to action: an offer that is sold here is bought here.";
            found.fail(
                "CALL_TO_ACTION_OF_SOLD",
                at("call_to_action"),
                format!("{other:?}"),
                remedy,
            );
        }
        // Types that only list need none: their label is "Contact me" (managed services, consulting).
        (Selling::ListingOnly, CallToAction::Unspecified) => {
            if subject.type_has(|known| known.call_to_action) {
                let remedy = "Choose Get it now (Free), Free trial or Contact me.";
                found.fail(
                    "CALL_TO_ACTION_MISSING",
                    at("call_to_action"),
                    "no call to action",
                    remedy,
                );
            }
        }
        (Selling::ListingOnly, CallToAction::Free | CallToAction::FreeTrial) if url.is_empty() => {
            let remedy = "Give the address at which customers get the offer or its trial.";
            found.fail(
                "CALL_TO_ACTION_URL_MISSING",
                at("call_to_action_url"),
                "there is no address",
                remedy,
            );
        }
        (Selling::ListingOnly, CallToAction::ContactMe) if !url.is_empty() => {
            let remedy = "Remove the address: who presses Contact me leaves a lead.";
            found.fail(
                "CALL_TO_ACTION_URL_OF_CONTACT",
                at("call_to_action_url"),
                url,
                remedy,
            );
        }
        (Selling::ListingOnly, _) => {}
    }
}
