//! Listings, links and acquisitions on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_runtime::identity::Caller;
use marketplace_runtime::ids::{OfferName, PublisherName};
use marketplace_runtime::status::Violation;
use time::OffsetDateTime;

use super::assets::kind;
use super::{optional_line, time, violations};
use crate::commands::acquisitions::{Acquire, Probe};
use crate::config::Links;
use crate::domain::acquisition::Acquisition;
use crate::domain::audience::Customer;
use crate::domain::deprecation::{Deprecation, Reason};
use crate::domain::listing::{Head, Stage};
use crate::domain::price_change::{PriceChange, announced, in_force};
use crate::domain::profile::storefronts;
use crate::domain::purchase::{DEFAULT_MARKET, charge};
use crate::domain::snapshot::{Content, ContentPlan, SnapshotError};
use crate::domain::token::PreviewToken;
use crate::pages::offer_type::OfferType;
use crate::pages::{CallToAction, LegalTerms, Storefront, TermsSource};
use crate::store::search::{Hit, Wanted};
use crate::wire::offers;

const LONGEST_QUERY: usize = 500;
const LONGEST_TICKET: usize = 200;

/// An offer as a customer reads it.
pub fn listing(
    head: &Head,
    content: &Content,
    now: OffsetDateTime,
) -> Result<pb::Listing, SnapshotError> {
    let kind = content.offer_type()?;
    let page = content.pages.offer_listing.clone().unwrap_or_default();
    let (call_to_action, call_to_action_url) = call(content, head.deprecation.is_some());
    let (contract, terms) = legal(content);
    let categories = content
        .pages
        .properties
        .iter()
        .flat_map(|page| &page.categories);
    Ok(pb::Listing {
        offer: content.offer.name.clone(),
        offer_type: content.offer.offer_type.clone(),
        publisher_display_name: head.publisher_display_name.clone(),
        digest: head.digest.clone(),
        title: page.title.clone(),
        summary: page.summary.clone(),
        short_description: page.short_description.clone(),
        description_html: page.description.clone(),
        getting_started: page.getting_started.clone(),
        keywords: page.keywords.clone(),
        categories: categories.map(|choice| choice.category.clone()).collect(),
        privacy_policy_url: page.privacy_policy_url.clone(),
        support_url: page.support_url.clone(),
        useful_links: page.useful_links.iter().map(link).collect(),
        assets: assets(content),
        plans: content
            .plans
            .iter()
            .filter(|plan| is_shown(plan))
            .map(|plan| listed_plan(plan, kind, &head.price_changes, now))
            .collect(),
        call_to_action: call_to_action.to_owned(),
        call_to_action_url,
        storefronts: fronts(storefronts(content, kind)),
        transactable: content.transactable(),
        preview: head.stage == Stage::Preview,
        served_since: head.served_since.and_then(time),
        contract: contract.to_owned(),
        terms,
        links: Vec::new(),
        deprecation: head.deprecation.as_ref().map(deprecation),
    })
}

/// UP-7
fn deprecation(told: &Deprecation) -> pb::Deprecation {
    let reason = match told.reason {
        Reason::CriticalSecurityIssue => pb::DeprecationReason::CriticalSecurityIssue,
        Reason::EndOfSupport => pb::DeprecationReason::EndOfSupport,
        Reason::Other => pb::DeprecationReason::Other,
    };
    pb::Deprecation {
        effective_time: time(told.effective_time),
        reason: reason.into(),
        alternative: told.alternative.clone(),
    }
}

/// Where customers meet a live offer, one per storefront (OT-3).
pub fn live_links(
    content: &Content,
    offer: &OfferName,
    links: &Links,
) -> Result<Vec<pb::ListingLink>, SnapshotError> {
    let fronts = storefronts(content, content.offer_type()?).into_iter();
    let link = |front| pb::ListingLink {
        storefront: super::offers::storefront(front) as i32,
        url: links.live(front, offer),
    };
    Ok(fronts.map(link).collect())
}

fn link(link: &crate::pages::Link) -> pb::Link {
    pb::Link {
        title: link.title.clone(),
        url: link.url.clone(),
    }
}

fn fronts(fronts: Vec<Storefront>) -> Vec<i32> {
    fronts
        .into_iter()
        .map(|front| offers::storefront(front) as i32)
        .collect()
}

/// OS-2. The trial of an offer that is about to leave has ended (UP-7).
fn call(content: &Content, leaves: bool) -> (&'static str, String) {
    let setup = content.pages.offer_setup.clone().unwrap_or_default();
    if content.transactable() {
        return ("Buy", String::new());
    }
    match setup.call_to_action {
        Some(CallToAction::Free) => ("Get it now", setup.call_to_action_url),
        Some(CallToAction::FreeTrial) if leaves => ("", String::new()),
        Some(CallToAction::FreeTrial) => ("Free trial", setup.call_to_action_url),
        Some(CallToAction::ContactMe) => ("Contact me", String::new()),
        None => ("", String::new()),
    }
}

/// PR-4, PR-5
fn legal(content: &Content) -> (&'static str, String) {
    let Some(legal) = content
        .pages
        .properties
        .as_ref()
        .and_then(|page| page.legal.as_ref())
    else {
        return ("", String::new());
    };
    match legal {
        LegalTerms::Standard(contract) => ("standard", contract.universal_amendment.clone()),
        LegalTerms::Custom(terms) => match &terms.source {
            Some(TermsSource::Text(text)) => ("custom", text.clone()),
            Some(TermsSource::Url(url)) => ("custom", url.clone()),
            None => ("custom", String::new()),
        },
    }
}

/// What the page shows, in the order of the page and with its captions.
fn assets(content: &Content) -> Vec<pb::ListedAsset> {
    let listed = content
        .shown_assets()
        .into_iter()
        .map(|(asset, caption)| pb::ListedAsset {
            kind: kind(asset.kind) as i32,
            digest: asset.digest.clone(),
            caption,
            content_type: asset.content_type.clone(),
        });
    listed.collect()
}

/// Private, hidden and stopped plans are not shown.
fn is_shown(plan: &ContentPlan) -> bool {
    let pricing = plan.pages.plan_pricing.as_ref();
    !plan.stopped && !pricing.is_some_and(|pricing| pricing.hidden || pricing.is_private())
}

fn listed_plan(
    plan: &ContentPlan,
    kind: &OfferType,
    changes: &[PriceChange],
    now: OffsetDateTime,
) -> pb::ListedPlan {
    let listing = plan.pages.plan_listing.clone().unwrap_or_default();
    let pricing = plan.pages.plan_pricing.clone().unwrap_or_default();
    let paid = in_force(&pricing, &plan.plan_id, changes, now);
    let price = charge(&paid, DEFAULT_MARKET)
        .or_else(|| charge(&paid, paid.sold_in().first()?))
        .unwrap_or_default();
    let announced = announced(&pricing, &plan.plan_id, changes, now);
    let price_changes = announced.into_iter().map(|next| pb::PriceChange {
        price: next.charge,
        market: next.market.to_owned(),
        meter: next.meter.to_owned(),
        effective_time: time(next.effective_time),
    });
    let summary = if kind.plan_summary {
        listing.summary
    } else {
        String::new()
    };
    pb::ListedPlan {
        plan_id: plan.plan_id.clone(),
        name: plan.display_name.clone(),
        summary,
        description: listing.description,
        price,
        price_changes: price_changes.collect(),
    }
}

/// A hit of a search.
pub fn hit(hit: &Hit) -> pb::ListingSummary {
    let known = hit
        .storefronts
        .iter()
        .filter_map(|front| Storefront::parse(front));
    pb::ListingSummary {
        offer: OfferName::new(&hit.publisher_id, &hit.offer_id).to_string(),
        title: hit.title.clone(),
        summary: hit.summary.clone(),
        publisher_display_name: hit.publisher_display_name.clone(),
        offer_type: hit.offer_type.clone(),
        storefronts: fronts(known.collect()),
        categories: hit.categories.clone(),
        logo_digest: hit.logo_digest.clone(),
        live_since: time(hit.served_since),
    }
}

/// What a search is for.
pub fn search(request: &pb::SearchListingsRequest) -> Result<Wanted, Vec<Violation>> {
    let mut wrong = violations();
    let query = wrong.take(optional_line(&request.query, "query", LONGEST_QUERY));
    let offer_type = wrong.take(optional_line(&request.offer_type, "offer_type", 100));
    let storefront = wrong.take(storefront(request.storefront));
    let category = wrong.take(optional_line(&request.category, "category", 100));
    let publisher = match request.publisher.as_str() {
        "" => Some(None),
        name => wrong
            .take(PublisherName::parse(name, "publisher"))
            .map(|name| Some(name.publisher)),
    };
    let some = |text: String| Some(text).filter(|text| !text.trim().is_empty());
    let read = || {
        Some(Wanted {
            query: some(query?),
            offer_type: some(offer_type?),
            storefront: storefront?.map(Storefront::as_str),
            publisher: publisher?,
            category: some(category?),
        })
    };
    let read = read();
    wrong.finish(read)
}

fn storefront(value: i32) -> Result<Option<Storefront>, Violation> {
    match pb::Storefront::try_from(value) {
        Ok(pb::Storefront::Unspecified) => Ok(None),
        Ok(pb::Storefront::AppSource) => Ok(Some(Storefront::AppSource)),
        Ok(pb::Storefront::AzureMarketplace) => Ok(Some(Storefront::AzureMarketplace)),
        Err(_) => Err(Violation::new("storefront", "is no known value").because("UNKNOWN_VALUE")),
    }
}

/// What a token proves about a customer.
pub fn customer(caller: &Caller) -> Customer {
    Customer {
        email: caller.email.clone(),
        tenant: caller.tenant.clone(),
        subscriptions: caller.subscriptions.clone(),
    }
}

/// What a customer wants.
pub fn acquire(
    request: &pb::AcquireOfferRequest,
    caller: &Caller,
) -> Result<Acquire, Vec<Violation>> {
    let mut wrong = violations();
    let offer = wrong.take(OfferName::parse(&request.offer, "offer"));
    if request.plan_id.is_empty() {
        wrong.add(Violation::missing("plan_id"));
    }
    let ticket = wrong.take(optional_line(
        &request.ticket_reference,
        "ticket_reference",
        LONGEST_TICKET,
    ));
    if request.no_charge && request.ticket_reference.trim().is_empty() {
        // PV-8
        wrong.add(Violation::missing("ticket_reference"));
    }
    let market = wrong.take(market(&request.market));
    // What never was a token is answered like one that was revoked: there is nothing to see.
    let token = (!request.preview_token.is_empty())
        .then(|| PreviewToken::parse(&request.preview_token).unwrap_or(PreviewToken::new([0; 16])));
    let read = || {
        Some(Acquire {
            offer: offer?,
            plan_id: request.plan_id.clone(),
            token,
            no_charge: request.no_charge,
            ticket_reference: ticket?,
            market: market?,
            principal: caller.principal().to_owned(),
            customer: customer(caller),
            validate_only: request.validate_only,
        })
    };
    let read = read();
    wrong.finish(read)
}

fn market(text: &str) -> Result<String, Violation> {
    match text {
        "" => Ok(DEFAULT_MARKET.to_owned()),
        code if code.len() == 2 && code.bytes().all(|c| c.is_ascii_uppercase()) => {
            Ok(code.to_owned())
        }
        _ => Err(
            Violation::new("market", "is no ISO 3166-1 alpha-2 code like US").because("BAD_MARKET"),
        ),
    }
}

/// As it is answered; one that was only tried has no name.
pub fn acquired(
    acquisition: &Acquisition,
    told: Option<&Deprecation>,
    offer: &OfferName,
    kept: bool,
) -> pb::Acquisition {
    pb::Acquisition {
        name: if kept {
            format!("acquisitions/{}", acquisition.id)
        } else {
            String::new()
        },
        offer: offer.to_string(),
        plan_id: acquisition.plan_id.clone(),
        preview: acquisition.preview,
        no_charge: acquisition.no_charge,
        ticket_reference: acquisition.ticket_reference.clone(),
        charge: acquisition.charge.clone(),
        create_time: time(acquisition.create_time),
        deprecation: told.map(deprecation),
    }
}

/// What a tester (PV-8), and a customer of an offer that is about to leave (UP-7), should know.
pub fn warnings(acquisition: &Acquisition, told: Option<&Deprecation>) -> Vec<String> {
    let mut warnings = Vec::new();
    if acquisition.preview && !acquisition.no_charge && !acquisition.charge.is_empty() {
        let charge = &acquisition.charge;
        warnings.push(format!(
            "a test purchase is charged like any other ({charge}); to avoid that, open a support ticket first and set no_charge with its reference"
        ));
    }
    if let Some(told) = told {
        let date = told.effective_time.date();
        let instead = match told.alternative.as_str() {
            "" => String::new(),
            name => format!("; use {name} instead"),
        };
        warnings.push(format!(
            "the offer leaves the marketplace on {date}{instead}"
        ));
    }
    warnings
}

/// As it is answered.
pub fn probe(probe: &Probe, at: OffsetDateTime) -> pb::PlanProbe {
    pb::PlanProbe {
        plan_id: probe.plan_id.clone(),
        created: probe.created,
        resolved: probe.resolved,
        canceled: probe.canceled,
        charge: probe.charge.clone(),
        faults: probe.faults.clone(),
        probe_time: time(at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::samples;
    use crate::pages::PlanListing;

    /// PN-3: SaaS plans show no summary, whatever was saved of one.
    #[test]
    fn the_summary_of_a_plan_is_shown_where_its_type_has_one() {
        for (draft, shown) in [(samples::saas(), ""), (samples::container(), "Short")] {
            let mut content = Content::of(&draft);
            content.plans[0].pages.plan_listing = Some(PlanListing {
                summary: "Short".into(),
                description: "Long".into(),
            });
            let kind = content.offer_type().unwrap();
            let now = OffsetDateTime::UNIX_EPOCH;
            let listed = listed_plan(&content.plans[0], kind, &[], now);
            assert_eq!(
                (listed.summary.as_str(), listed.description.as_str()),
                (shown, "Long")
            );
        }
    }
}
