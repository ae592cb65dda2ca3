//! Customers' leads: left at a preview or at a live offer, delivered to the publisher's CRM, a real HTTPS server.

use anyhow::Context;
use marketplace_proto::offercatalog::v1::{GetPreviewLinksRequest, LeadContact, SubmitLeadRequest};
use marketplace_runtime::status::reason;
use serde_json::Value;
use system_tests::{Answer, HttpsServer, Marketplace, Options, drafts, until};
use tonic::Code;

fn submit(offer: &str, token: &str, name: &str) -> SubmitLeadRequest {
    SubmitLeadRequest {
        offer: offer.into(),
        preview_token: token.into(),
        contact: Some(LeadContact {
            first_name: name.into(),
            last_name: "Customer".into(),
            email: format!("{name}@customer.example"),
            country: "DE".into(),
            job_title: "Head of data".into(),
            ..Default::default()
        }),
        request_id: format!("lead of {name}"),
    }
}

/// What the CRM was sent of somebody, so far.
fn received(crm: &HttpsServer, name: &str) -> Vec<Value> {
    let bodies = crm.received().into_iter();
    let leads = bodies.filter_map(|got| serde_json::from_slice::<Value>(&got.body).ok());
    leads
        .filter(|lead| lead["UserDetails"]["FirstName"] == name)
        .collect()
}

/// PV-9, AS-091, LD-6, LD-7.
#[tokio::test]
async fn as_091_a_lead_of_a_preview_reaches_the_crm_and_so_does_one_of_a_live_offer()
-> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let market = Marketplace::start_with(Options {
        environment: crm.trusted(),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let draft = drafts::saas_contact_me(&crm.url);
    let offer = market.draft("contoso", "contact", draft).await?;
    let submission = market.publish(&offer).await?;
    market.asked_to_review(&submission).await?;
    let links = GetPreviewLinksRequest {
        offer: offer.clone(),
        submission: submission.clone(),
    };
    let mut pipeline = market.staff("publishing-pipeline", "service");
    let links = pipeline.listings.get_preview_links(links).await?;
    let link = links.into_inner().links.into_iter().next();
    let link = link.context("the preview has a link")?.url;
    let token = link.rsplit(['/', '=']).next().unwrap_or_default();

    // The CRM is away for a moment: what doesn't get there is sent again, the same.
    crm.script([Answer::status(503)]);
    let mut cleo = market.person("cleo").listings;
    let first = cleo.submit_lead(submit(&offer, token, "Cleo")).await?;
    let again = cleo.submit_lead(submit(&offer, token, "Cleo")).await?;
    assert_eq!(first.into_inner(), again.into_inner(), "one lead");
    let leads = until("the lead has arrived", async || {
        let leads = received(&crm, "Cleo");
        Ok((leads.len() == 2).then_some(leads))
    })
    .await?;
    assert_eq!(leads[0], leads[1], "a repeat is the same");
    assert_eq!(leads[0]["ActionCode"], "PLT");
    let source = leads[0]["LeadSource"].as_str().unwrap_or_default();
    assert!(source.ends_with("-PLT|contoso.contact"), "{source}");
    assert_eq!(leads[0]["UserDetails"]["Email"], "Cleo@customer.example");
    assert_eq!(leads[0]["UserDetails"]["Title"], "Head of data");

    let hidden = cleo
        .submit_lead(submit(&offer, "", "Carl"))
        .await
        .unwrap_err();
    assert_eq!(hidden.code(), Code::NotFound, "it is not live yet");
    market.finish(&submission).await?;
    cleo.submit_lead(submit(&offer, "", "Carl")).await?;
    until("it has arrived as well", async || {
        Ok((received(&crm, "Carl").len() == 1).then_some(()))
    })
    .await?;
    market.stop().await
}

/// Bad details are all named, an offer without a CRM takes none, and nobody leaves more than 20 an hour.
#[tokio::test]
async fn pv_9_leads_are_refused_with_reasons() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let market = Marketplace::start_with(Options {
        environment: crm.trusted(),
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let free = drafts::saas_free_trial();
    let (free, _) = market.publish_live("contoso", "free", free).await?;
    let contact = drafts::saas_contact_me(&crm.url);
    let (offer, _) = market.publish_live("contoso", "contact", contact).await?;
    let mut cleo = market.person("cleo").listings;
    let refused = cleo
        .submit_lead(submit(&free, "", "Cleo"))
        .await
        .unwrap_err();
    assert_eq!(reason(&refused), "NO_LEAD_DESTINATION");
    let wrong = SubmitLeadRequest {
        contact: Some(LeadContact {
            first_name: "two\nlines".into(),
            email: "nobody".into(),
            country: "Germany".into(),
            ..Default::default()
        }),
        ..submit(&offer, "", "Cleo")
    };
    let refused = cleo.submit_lead(wrong).await.unwrap_err();
    let fields = tonic_types::StatusExt::get_details_bad_request(&refused);
    let fields = fields.context("all violations")?.field_violations;
    assert_eq!(fields.len(), 4, "{fields:?}");
    for n in 0..20 {
        cleo.submit_lead(submit(&offer, "", &format!("Cleo{n}")))
            .await?;
    }
    let refused = cleo.submit_lead(submit(&offer, "", "Cleo20")).await;
    assert_eq!(reason(&refused.unwrap_err()), "TOO_MANY_LEADS");
    until("all have arrived", async || {
        let all = (0..20).map(|n| received(&crm, &format!("Cleo{n}")).len());
        Ok((all.sum::<usize>() == 20).then_some(()))
    })
    .await?;
    market.stop().await
}
