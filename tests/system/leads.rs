//! Customers' leads: left at a preview or at a live offer, delivered to the publisher's CRM, a real HTTPS server.

use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use bytes::Bytes;
use marketplace_proto::offercatalog::v1::{
    DynamicsDestination, EntraAuthentication, GetPreviewLinksRequest, LeadContact, LeadDestination,
    OfferStatus, SubmitLeadRequest, dynamics_destination::Authentication,
    lead_destination::Destination, page::Page,
};
use marketplace_runtime::status::reason;
use serde_json::{Value, json};
use system_tests::{
    Answer, Call, Crm, HttpsServer, Marketplace, Options, drafts, drafts::Draft, keys, until,
};
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

/// What the CRM was sent of somebody, so far, as it was.
fn received(crm: &HttpsServer, name: &str) -> Vec<Bytes> {
    let bodies = crm.received().into_iter().map(|got| got.body);
    let of = |body: &Bytes| {
        let lead: Value = serde_json::from_slice(body).unwrap_or_default();
        lead["UserDetails"]["FirstName"] == name
    };
    bodies.filter(of).collect()
}

/// PV-9, AS-091, LD-6, LD-7.
#[tokio::test]
async fn as_091_a_lead_of_a_preview_reaches_the_crm_and_so_does_one_of_a_live_offer()
-> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let market = Marketplace::twice_with(Options {
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

    // The CRM is away for a moment: what doesn't get there is sent again, the same, when it says so.
    crm.script([Answer::status(503).with("retry-after", "7")]);
    let begun = Instant::now();
    let mut cleo = market.person("cleo").listings;
    let first = cleo.submit_lead(submit(&offer, token, "Cleo")).await?;
    let again = cleo.submit_lead(submit(&offer, token, "Cleo")).await?;
    assert_eq!(first.into_inner(), again.into_inner(), "one lead");
    let leads = until("the lead has arrived", async || {
        let leads = received(&crm, "Cleo");
        Ok((leads.len() == 2).then_some(leads))
    })
    .await?;
    assert!(begun.elapsed() >= Duration::from_secs(7), "as it asked");
    assert_eq!(leads[0], leads[1], "a repeat is the same");
    let lead: Value = serde_json::from_slice(&leads[0])?;
    assert_eq!(lead["ActionCode"], "PLT");
    let source = lead["LeadSource"].as_str().unwrap_or_default();
    assert!(source.ends_with("-PLT|contoso.contact"), "{source}");
    assert_eq!(lead["UserDetails"]["Email"], "Cleo@customer.example");
    assert_eq!(lead["UserDetails"]["Title"], "Head of data");

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

/// Bad details are all named, an offer without a CRM takes none, nobody leaves more than 20 an hour, and none waits for
/// another that is slow to be taken.
#[tokio::test]
async fn pv_9_leads_are_refused_with_reasons() -> anyhow::Result<()> {
    let crm = HttpsServer::start().await?;
    let market = Marketplace::twice_with(Options {
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
    crm.script([Answer {
        after: Duration::from_secs(6),
        ..Answer::status(200)
    }]);
    let begun = Instant::now();
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
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "one is still slow"
    );
    market.stop().await
}

/// Contact me offers whose leads go to Dynamics 365.
fn to_dynamics(crm: &Crm) -> Draft {
    let mut draft = drafts::saas_contact_me(&crm.server.url);
    let entra = EntraAuthentication {
        application_id: keys::APPLICATION.into(),
        application_key: keys::APPLICATION_KEY.into(),
        directory_id: keys::DIRECTORY.into(),
    };
    let dynamics = DynamicsDestination {
        instance_url: crm.server.url.clone(),
        authentication: Some(Authentication::Entra(entra)),
    };
    if let Page::OfferSetup(setup) = &mut draft.pages[0] {
        setup.lead_destination = Some(LeadDestination {
            destination: Some(Destination::Dynamics(dynamics)),
            contact_emails: vec![],
        });
    }
    draft
}

/// S2-1, LD-4, LD-9: a CRM that asks for time is given it; one that refuses our secret three times is the publisher's
/// matter, who is told what to check; and nobody is shown the secret, which the CRM repeats in its answer.
#[tokio::test]
async fn ld_9_a_crm_is_given_time_and_a_wrong_secret_is_told_without_it() -> anyhow::Result<()> {
    let crm = Crm::start(&[]).await?;
    let mut environment = crm.server.trusted();
    environment.push(("LEADS_LOGIN_URL", crm.server.url.clone()));
    let market = Marketplace::twice_with(Options {
        environment,
        ..Options::default()
    })
    .await?;
    market.publisher("contoso").await?;
    let offer = market
        .draft("contoso", "contact", to_dynamics(&crm))
        .await?;
    crm.says(Call::Token, [Answer::status(429).with("retry-after", "4")]);
    let begun = Instant::now();
    let submission = market.publish(&offer).await?;
    market.asked_to_review(&submission).await?;
    assert!(begun.elapsed() >= Duration::from_secs(4), "as it asked");
    assert_eq!((crm.calls(Call::Token), crm.leads().len()), (2, 1));

    let words = format!("AADSTS7000215: {} is wrong", keys::APPLICATION_KEY);
    let refused = Answer::json(401, &json!({ "error_description": words }));
    crm.says(Call::Token, vec![refused; 3]);
    let failed = market.finish(&submission).await.unwrap_err().to_string();
    let remedy = "Microsoft Entra answered 401: check the directory id, the application id and the application key";
    ensure!(failed.ends_with(remedy), "{failed}");
    market
        .until_status(&offer, OfferStatus::AttentionNeeded)
        .await?;
    assert_eq!((crm.calls(Call::Token), crm.leads().len()), (5, 1));
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        market.submission(&submission).await?,
        market.overview(&offer).await?,
        market.events(&offer).await?,
        market.mails()?
    );
    assert!(shown.contains("Microsoft Entra answered 401"), "{shown}");
    for secret in [keys::APPLICATION_KEY, "bearer-of", "AADSTS"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    market.stop().await
}
