//! `listing` and `search`: the marketplace as a customer sees it.

use clap::Args;
use marketplace_proto::offercatalog::v1::{
    GetListingRequest, GetPreviewListingRequest, Listing, SearchListingsRequest,
    SearchListingsResponse, Storefront,
};

use crate::config::Session;
use crate::error::Error;
use crate::names;
use crate::output::{Output, table, words};

#[derive(Args)]
pub struct ListingArgs {
    /// The offer; not with --preview.
    #[arg(required_unless_present = "preview")]
    pub offer: Option<String>,
    /// The preview instead: its token, or the link that holds it.
    #[arg(long, value_name = "LINK|TOKEN", conflicts_with = "offer")]
    pub preview: Option<String>,
}

#[derive(Args)]
pub struct SearchArgs {
    /// Words to look for; none: everything that is live.
    pub query: Vec<String>,
    /// Only offers of this type ("softwareAsAService").
    #[arg(long = "offer-type", value_name = "TYPE")]
    pub offer_type: Option<String>,
    /// Only offers of this publisher.
    #[arg(long, value_name = "PUBLISHER")]
    pub by: Option<String>,
    /// At most so many.
    #[arg(long, default_value_t = 50)]
    pub limit: i32,
}

pub async fn show(session: &Session, args: ListingArgs, out: &mut Output) -> Result<(), Error> {
    if let Some(link) = &args.preview {
        let answer = session
            .api
            .call(GetPreviewListingRequest {
                token: token(link).to_owned(),
            })
            .await?;
        return out.answer(&answer, |out, answer| {
            answer
                .listing
                .as_ref()
                .map_or(Ok(()), |listing| print(listing, out))
        });
    }
    let offer = session.offer(args.offer.as_deref().unwrap_or_default())?;
    let answer = session
        .api
        .call(GetListingRequest {
            offer: offer.name(),
        })
        .await?;
    out.answer(&answer, |out, answer| {
        answer
            .listing
            .as_ref()
            .map_or(Ok(()), |listing| print(listing, out))
    })
}

pub async fn search(session: &Session, args: SearchArgs, out: &mut Output) -> Result<(), Error> {
    let request = SearchListingsRequest {
        query: args.query.join(" "),
        offer_type: args.offer_type.unwrap_or_default(),
        publisher: args
            .by
            .map(|publisher| names::publisher(&publisher))
            .unwrap_or_default(),
        page_size: args.limit,
        ..SearchListingsRequest::default()
    };
    let answer = session.api.call(request).await?;
    out.answer(&answer, |out, answer| print_hits(answer, out))
}

fn print_hits(answer: &SearchListingsResponse, out: &mut Output) -> Result<(), Error> {
    let mut rows = table(["offer", "title", "publisher", "summary", "live since (UTC)"]);
    for hit in &answer.listings {
        let offer = hit
            .offer
            .replace("publishers/", "")
            .replace("/offers/", "/");
        let since = words::when(hit.live_since.as_ref());
        rows.add_row([
            &offer,
            &hit.title,
            &hit.publisher_display_name,
            &hit.summary,
            &since,
        ]);
    }
    out.table(&rows)?;
    out.say(words::count(answer.listings.len(), "offer"))
}

/// The token at the end of a preview link.
fn token(link: &str) -> &str {
    let token = link
        .rsplit_once("token=")
        .map_or_else(|| names::id(link), |(_, token)| token);
    token.split(['&', '#', '?']).next().unwrap_or(token)
}

fn print(listing: &Listing, out: &mut Output) -> Result<(), Error> {
    let preview = if listing.preview { "PREVIEW — " } else { "" };
    out.say(format!(
        "{preview}{}\nby {}\n",
        listing.title, listing.publisher_display_name
    ))?;
    if let Some(told) = &listing.deprecation {
        let instead = match told.alternative.as_str() {
            "" => String::new(),
            name => format!("; use {name} instead"),
        };
        let date = words::when(told.effective_time.as_ref());
        out.say(format!("leaves the marketplace on {date} UTC{instead}\n"))?;
    }
    out.say(format!("{}\n", listing.summary))?;
    if !listing.short_description.is_empty() {
        out.say(format!("{}\n", listing.short_description))?;
    }
    out.say(format!("{}\n", words::plain(&listing.description_html)))?;
    print_plans(listing, out)?;
    for (title, text) in facts(listing) {
        if !text.is_empty() {
            out.say(format!("{title:<12} {text}"))?;
        }
    }
    Ok(())
}

fn print_plans(listing: &Listing, out: &mut Output) -> Result<(), Error> {
    if listing.plans.is_empty() {
        return Ok(());
    }
    let mut rows = table(["plan", "price", "description"]);
    for plan in &listing.plans {
        let text = if plan.summary.is_empty() {
            words::plain(&plan.description)
        } else {
            plan.summary.clone()
        };
        rows.add_row([&plan.name, &plan.price, &text]);
    }
    out.table(&rows)?;
    for plan in &listing.plans {
        for next in &plan.price_changes {
            let of = [&next.market, &next.meter];
            let of: Vec<&str> = of
                .map(String::as_str)
                .into_iter()
                .filter(|of| !of.is_empty())
                .collect();
            let of = if of.is_empty() {
                String::new()
            } else {
                format!(" ({})", of.join(", "))
            };
            let from = words::when(next.effective_time.as_ref());
            out.say(format!(
                "from {from} UTC {} costs {}{of}",
                plan.name, next.price
            ))?;
        }
    }
    Ok(())
}

fn facts(listing: &Listing) -> Vec<(&'static str, String)> {
    let storefronts = listing
        .storefronts()
        .filter(|front| *front != Storefront::Unspecified);
    let storefronts: Vec<String> = storefronts
        .map(|front| words::label(front.as_str_name(), "STOREFRONT_"))
        .collect();
    let pictures = listing.assets.iter().map(|asset| {
        let kind = words::label(asset.kind().as_str_name(), "ASSET_KIND_").to_lowercase();
        if asset.caption.is_empty() {
            kind
        } else {
            format!("{kind}: {}", asset.caption)
        }
    });
    let links = listing
        .useful_links
        .iter()
        .map(|link| format!("{} {}", link.title, link.url));
    vec![
        (
            "get it",
            format!("{} {}", listing.call_to_action, listing.call_to_action_url)
                .trim()
                .to_owned(),
        ),
        ("categories", listing.categories.join(", ")),
        ("keywords", listing.keywords.join(", ")),
        ("pictures", pictures.collect::<Vec<_>>().join("; ")),
        ("support", listing.support_url.clone()),
        ("privacy", listing.privacy_policy_url.clone()),
        ("links", links.collect::<Vec<_>>().join("; ")),
        (
            "terms",
            format!("{} {}", listing.contract, listing.terms)
                .trim()
                .to_owned(),
        ),
        ("found on", storefronts.join(", ")),
        ("since", words::when(listing.served_since.as_ref())),
        ("digest", listing.digest.clone()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_and_its_token_are_the_same() {
        for text in [
            "abc",
            "https://market.example/preview/abc",
            "https://market.example/p?token=abc&x=1",
            "https://m/preview/abc#top",
        ] {
            assert_eq!(token(text), "abc", "{text}");
        }
    }

    #[test]
    fn a_listing_reads_as_a_customer_would() {
        use marketplace_proto::offercatalog::v1::{Deprecation, ListedPlan, PriceChange};

        use crate::cli::Format;
        use crate::output::capture::lines;

        let new_year = prost_types::Timestamp {
            seconds: 1_767_225_600,
            nanos: 0,
        };
        let plan = ListedPlan {
            name: "Team".into(),
            price: "USD 49.00 per month".into(),
            summary: "For teams".into(),
            price_changes: vec![PriceChange {
                price: "USD 59.00 per month".into(),
                effective_time: Some(new_year),
                market: "DE".into(),
                meter: String::new(),
            }],
            ..ListedPlan::default()
        };
        let listing = Listing {
            title: "Hosted Grafana".into(),
            publisher_display_name: "Contoso".into(),
            summary: "Dashboards".into(),
            description_html: "<p>For <b>teams</b>.</p><ul><li>fast</li></ul>".into(),
            plans: vec![plan],
            call_to_action: "Free trial".into(),
            call_to_action_url: "https://grafana.contoso.com/trial".into(),
            preview: true,
            deprecation: Some(Deprecation {
                effective_time: Some(new_year),
                alternative: "publishers/contoso/offers/new".into(),
                ..Deprecation::default()
            }),
            ..Listing::default()
        };
        let wanted = [
            "PREVIEW — Hosted Grafana",
            "by Contoso",
            "",
            "leaves the marketplace on 2026-01-01 00:00:00 UTC; use publishers/contoso/offers/new instead",
            "",
            "Dashboards",
            "",
            "For teams.",
            "",
            "  • fast",
            "",
            " plan   price                 description",
            "──────────────────────────────────────────",
            " Team   USD 49.00 per month   For teams",
            "from 2026-01-01 00:00:00 UTC Team costs USD 59.00 per month (DE)",
            "get it       Free trial https://grafana.contoso.com/trial",
        ];
        assert_eq!(lines(Format::Table, |out| print(&listing, out)), wanted);
    }
}
