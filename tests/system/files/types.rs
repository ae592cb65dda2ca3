//! What differs by type of offer, told of samples: steps of their submissions, and what is shown beside their pages.

use anyhow::Context;
use marketplace_proto::offercatalog::v1::ReviewOfferRequest;
use marketplace_proto::publishing::v1::{GetOfferOverviewRequest, Leg};
use system_tests::Options;

use super::steps::{ADA, apply, contoso, samples};

/// Of a SaaS offer that is listed only, without leads.
const SAAS: [(&str, Leg); 5] = [
    ("Offer validation", Leg::Preview),
    ("Preview creation", Leg::Preview),
    ("Publisher sign-off", Leg::Preview),
    ("Certification", Leg::Live),
    ("Final publish", Leg::Live),
];

/// Of a virtual machine without leads.
const VIRTUAL_MACHINE: [(&str, Leg); 6] = [
    ("Offer purchase flow setup", Leg::Preview),
    ("Certification", Leg::Preview),
    ("Preview creation", Leg::Preview),
    ("Publisher sign-off", Leg::Preview),
    ("Offer purchase flow setup", Leg::Live),
    ("Final publish", Leg::Live),
];

/// AS-031, PL-9: a submission has the steps of its type and its options. AS-041: what Dynamics 365 Operations wants at a
/// first publish is linked.
#[tokio::test]
async fn as_031_as_041_steps_and_help_are_those_of_the_type() -> anyhow::Result<()> {
    let market = contoso(Options::default()).await?;
    let mut ada = market.person("ada@contoso");
    let rows = [
        ("grafana-hosted", &SAAS[..]),
        ("postgresql-vm", &VIRTUAL_MACHINE[..]),
    ];
    for (id, wanted) in rows {
        let folder = samples().join(id);
        apply(&market, &folder).await?;
        let offer = format!("contoso/{id}");
        let notes = folder.display().to_string();
        let words = [&ADA[..], &["publish", &offer, "-f", &notes]].concat();
        market.marketctl_json(&words).await?;
        let get = GetOfferOverviewRequest {
            offer: format!("publishers/contoso/offers/{id}"),
        };
        let overview = ada.publishing.get_offer_overview(get).await?.into_inner();
        let submission = overview.overview.and_then(|overview| overview.submission);
        let steps = submission.context("it is submitted")?.steps;
        let steps: Vec<_> = steps
            .iter()
            .map(|step| (step.name.as_str(), step.leg()))
            .collect();
        assert_eq!(steps, wanted, "{id}");
    }

    let sample = samples().join("warehouse-handheld");
    apply(&market, &sample).await?;
    let review = ReviewOfferRequest {
        name: "publishers/contoso/offers/warehouse-handheld".into(),
        ..Default::default()
    };
    let review = ada.offers.review_offer(review).await?.into_inner();
    let guide = review
        .help_links
        .iter()
        .find(|link| link.title == "Dynamics 365 Operations functional validation");
    let guide = guide.context("AS-041")?;
    assert_eq!(guide.context, "review-and-publish");
    assert!(guide.url.starts_with("https://"), "{guide:?}");
    market.stop().await
}
