//! OS-*, LD-*, PR-*, PA-*, TC-1, TC-2, CS-1, CS-2, SU-1

use super::{GUID, Row, check_against, check_all, issues};
use crate::domain::completeness::Published;
use crate::domain::{Draft, samples};
use crate::pages::*;

fn setup(draft: &mut Draft) -> &mut OfferSetup {
    draft.pages.offer_setup.get_or_insert_default()
}

fn leads(draft: &mut Draft) -> &mut LeadDestination {
    setup(draft).lead_destination.get_or_insert_default()
}

fn to(draft: &mut Draft, destination: Destination) {
    leads(draft).destination = Some(destination);
}

fn properties(draft: &mut Draft) -> &mut Properties {
    draft.pages.properties.get_or_insert_default()
}

fn technical(draft: &mut Draft) -> &mut TechnicalConfiguration {
    draft.pages.technical_configuration.get_or_insert_default()
}

fn category(id: &str) -> CategoryChoice {
    CategoryChoice {
        category: id.into(),
        subcategories: Vec::new(),
    }
}

#[test]
fn offer_setup_of_listed_offers() {
    let rows: &[Row] = &[
        (
            "OS-1 required",
            |d| setup(d).selling = None,
            &["offer_setup selling REQUIRED"],
        ),
        (
            "OS-2 required",
            |d| setup(d).call_to_action = None,
            &["offer_setup call_to_action REQUIRED"],
        ),
        (
            "OS-2 free needs a URL",
            |d| setup(d).call_to_action = Some(CallToAction::Free),
            &["offer_setup call_to_action_url REQUIRED"],
        ),
        (
            "OS-2 trial needs a URL",
            |d| setup(d).call_to_action = Some(CallToAction::FreeTrial),
            &["offer_setup call_to_action_url REQUIRED"],
        ),
        (
            "OS-2 http is fine",
            |d| {
                setup(d).call_to_action = Some(CallToAction::Free);
                setup(d).call_to_action_url = "http://contoso.example".into();
            },
            &[],
        ),
        (
            "OS-2 other schemes aren't",
            |d| {
                setup(d).call_to_action = Some(CallToAction::Free);
                setup(d).call_to_action_url = "ftp://contoso.example".into();
            },
            &["offer_setup call_to_action_url BAD_URL"],
        ),
        (
            "OS-3 Contact me needs leads",
            |d| setup(d).lead_destination = None,
            &["offer_setup lead_destination REQUIRED"],
        ),
        (
            "OS-3 free needs none",
            |d| {
                setup(d).call_to_action = Some(CallToAction::Free);
                setup(d).call_to_action_url = "https://contoso.example".into();
                setup(d).lead_destination = None;
            },
            &[],
        ),
    ];
    check_all(samples::listed, rows);
}

#[test]
fn offer_setup_of_sold_offers() {
    let rows: &[Row] = &[
        (
            "OS-3 sold needs leads",
            |d| setup(d).lead_destination = None,
            &["offer_setup lead_destination REQUIRED"],
        ),
        (
            "OS-3 contacts alone are no destination",
            |d| leads(d).destination = None,
            &["offer_setup lead_destination REQUIRED"],
        ),
        (
            "OS-6 unknown",
            |d| {
                setup(d).test_drive = Some(TestDrive {
                    kind: "flight".into(),
                })
            },
            &["offer_setup test_drive.type UNKNOWN_VALUE"],
        ),
        (
            "OS-6 known",
            |d| {
                setup(d).test_drive = Some(TestDrive {
                    kind: "logicApp".into(),
                })
            },
            &[],
        ),
        (
            "OS-7 elsewhere",
            |d| setup(d).client_links = vec!["https://contoso.example".into()],
            &["offer_setup client_links[0] BAD_URL"],
        ),
        (
            "OS-7 AppSource",
            |d| setup(d).client_links = vec!["https://appsource.microsoft.com/product/x".into()],
            &[],
        ),
        (
            "LD-2 contact",
            |d| leads(d).contact_emails = vec!["nobody".into()],
            &["offer_setup lead_destination.contact_emails[0] BAD_EMAIL"],
        ),
    ];
    check_all(samples::saas, rows);
    let rows: &[Row] = &[(
        "OS-1 containers are always sold",
        |d| setup(d).selling = Some(Selling::ListingOnly),
        &[
            "offer_setup selling NOT_ALLOWED",
            "offer_setup call_to_action REQUIRED",
        ],
    )];
    check_all(samples::container, rows);
}

#[test]
fn ld_2_destinations_have_their_formats() {
    fn marketo(munchkin_id: &str, form_id: &str, client_id: &str) -> Destination {
        let (munchkin_id, form_id, client_id) =
            (munchkin_id.into(), form_id.into(), client_id.into());
        Destination::Marketo(Marketo {
            munchkin_id,
            form_id,
            server_id: "server".into(),
            client_id,
        })
    }
    fn dynamics(application: &str) -> Destination {
        let entra = Entra {
            application_id: application.into(),
            directory_id: GUID.into(),
        };
        let authentication = Some(DynamicsAuthentication::Entra(entra));
        Destination::Dynamics(Dynamics {
            instance_url: "https://contoso.crm.example".into(),
            authentication,
        })
    }
    fn dynamics_user(length: usize) -> Destination {
        let username = "u".repeat(length);
        Destination::Dynamics(Dynamics {
            instance_url: "https://contoso.crm.example".into(),
            authentication: Some(DynamicsAuthentication::Office365(Office365 { username })),
        })
    }
    fn https(url: &str) -> Destination {
        Destination::HttpsEndpoint(HttpsEndpoint { url: url.into() })
    }
    fn contacts(draft: &mut Draft, count: usize) {
        let email = |at| format!("sales-{at}@contoso.example");
        leads(draft).contact_emails = (0..count).map(email).collect();
    }
    fn salesforce(id: &str) -> Destination {
        Destination::Salesforce(Salesforce {
            object_identifier: id.into(),
        })
    }
    let rows: &[Row] = &[
        (
            "HTTPS",
            |d| {
                to(
                    d,
                    Destination::HttpsEndpoint(HttpsEndpoint {
                        url: "http://crm.example".into(),
                    }),
                )
            },
            &["offer_setup lead_destination.https_endpoint.url BAD_URL"],
        ),
        (
            "Salesforce at its length",
            |d| to(d, salesforce("00D000000000001")),
            &[],
        ),
        (
            "Salesforce below",
            |d| to(d, salesforce("00D00000000000")),
            &["offer_setup lead_destination.salesforce.object_identifier BAD_FORMAT"],
        ),
        (
            "Salesforce above",
            |d| to(d, salesforce("00D0000000000012")),
            &["offer_setup lead_destination.salesforce.object_identifier BAD_FORMAT"],
        ),
        (
            "Marketo by server",
            |d| to(d, marketo("123-abc-45X", "12345678", "")),
            &[],
        ),
        (
            "Marketo form",
            |d| to(d, marketo("123-abc-45X", "123456789", "")),
            &["offer_setup lead_destination.marketo.form_id BAD_FORMAT"],
        ),
        (
            "Salesforce of other characters",
            |d| to(d, salesforce("00D00000000000-")),
            &["offer_setup lead_destination.salesforce.object_identifier BAD_FORMAT"],
        ),
        (
            "Marketo form of other characters",
            |d| to(d, marketo("123-abc-45X", "12a", "")),
            &["offer_setup lead_destination.marketo.form_id BAD_FORMAT"],
        ),
        (
            "Marketo id with a part above",
            |d| to(d, marketo("1234-abc-45X", "1", "")),
            &["offer_setup lead_destination.marketo.munchkin_id BAD_FORMAT"],
        ),
        (
            "Marketo id with a part below",
            |d| to(d, marketo("123-ab-45X", "1", "")),
            &["offer_setup lead_destination.marketo.munchkin_id BAD_FORMAT"],
        ),
        (
            "Marketo id of other characters",
            |d| to(d, marketo("123-a_c-45X", "1", "")),
            &["offer_setup lead_destination.marketo.munchkin_id BAD_FORMAT"],
        ),
        (
            "HTTPS as it should be",
            |d| to(d, https("https://crm.example/leads")),
            &[],
        ),
        (
            "HTTPS of another kind",
            |d| to(d, https("xhttps://crm.example")),
            &["offer_setup lead_destination.https_endpoint.url BAD_URL"],
        ),
        ("E-mail addresses at the limit", |d| contacts(d, 20), &[]),
        (
            "E-mail addresses above",
            |d| contacts(d, 21),
            &["offer_setup lead_destination.contact_emails TOO_MANY"],
        ),
        (
            "E-mail addresses that are none",
            |d| leads(d).contact_emails = vec!["sales".into()],
            &["offer_setup lead_destination.contact_emails[0] BAD_EMAIL"],
        ),
        (
            "Marketo id",
            |d| to(d, marketo("123abc", "1", "")),
            &["offer_setup lead_destination.marketo.munchkin_id BAD_FORMAT"],
        ),
        (
            "Marketo by client needs a secret",
            |d| to(d, marketo("123-abc-45X", "1", "me")),
            &["offer_setup lead_destination.marketo.client_secret REQUIRED"],
        ),
        (
            "Table needs its secret",
            |d| to(d, Destination::Table(Table {})),
            &["offer_setup lead_destination.table.connection_string REQUIRED"],
        ),
        (
            "Table with a stored secret",
            |d| {
                to(d, Destination::Table(Table {}));
                d.lead_secret = Some(3);
            },
            &[],
        ),
        (
            "Dynamics",
            |d| {
                to(d, dynamics("no GUID"));
                d.lead_secret = Some(3);
            },
            &["offer_setup lead_destination.dynamics.entra.application_id BAD_GUID"],
        ),
        (
            "Dynamics over plain HTTP",
            |d| {
                let Destination::Dynamics(dynamics) = dynamics(GUID) else {
                    return;
                };
                let instance_url = "http://contoso.crm.example".into();
                to(
                    d,
                    Destination::Dynamics(Dynamics {
                        instance_url,
                        ..dynamics
                    }),
                );
                d.lead_secret = Some(3);
            },
            &["offer_setup lead_destination.dynamics.instance_url BAD_URL"],
        ),
        (
            "Dynamics user at the limit",
            |d| {
                to(d, dynamics_user(128));
                d.lead_secret = Some(3);
            },
            &[],
        ),
        (
            "Dynamics user above",
            |d| {
                to(d, dynamics_user(129));
                d.lead_secret = Some(3);
            },
            &["offer_setup lead_destination.dynamics.office365.username TOO_LONG"],
        ),
        (
            "Dynamics without anybody",
            |d| to(d, Destination::Dynamics(Dynamics::default())),
            &[
                "offer_setup lead_destination.dynamics.instance_url REQUIRED",
                "offer_setup lead_destination.dynamics REQUIRED",
            ],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn ld_2_secrets_are_looked_at_when_they_are_given() {
    let table = "table.connection_string";
    let good = "DefaultEndpointsProtocol=https;AccountName=abc;AccountKey=a+/=;EndpointSuffix=core.windows.net";
    assert_eq!(secret_fault(table, good), None);
    let of = |account: &str, rest: &str| {
        format!("DefaultEndpointsProtocol=https;AccountName={account};{rest}")
    };
    for fits in [
        of(&"a".repeat(24), "AccountKey=a"),
        of("ab9", "AccountKey=09azAZ=+/;"),
        of("abc", "AccountKey="),
        of("abc", "AccountKey=a;EndpointSuffix=core.windows.net;"),
    ] {
        assert_eq!(secret_fault(table, &fits), None, "{fits}");
    }
    for wrong in [
        "".into(),
        "x".into(),
        of("abc", "AccountKey=a;").replace("https", "http"),
        of("ab", "AccountKey=a;"),
        of(&"a".repeat(25), "AccountKey=a"),
        of("Abc", "AccountKey=a"),
        of("a-c", "AccountKey=a"),
        of("abc", "AccountKey=a-b"),
        of("abc", "AccountKey=a;;"),
        of("abc", "EndpointSuffix=core.windows.net"),
        format!(" {good}"),
        format!("{good} "),
    ] {
        assert!(secret_fault(table, &wrong).is_some(), "{wrong}");
    }
    let limits = [
        ("dynamics.entra.application_key", 2_048),
        ("dynamics.office365.password", 256),
        ("marketo.client_secret", 2_048),
    ];
    for (field, most) in limits {
        assert_eq!(secret_fault(field, &"x".repeat(most)), None, "{field}");
        assert!(
            secret_fault(field, &"x".repeat(most + 1)).is_some(),
            "{field}"
        );
    }
}

#[test]
fn ld_4_a_secret_stays_with_its_destination() {
    let at = |url: &str| {
        let entra = DynamicsAuthentication::Entra(Entra {
            application_id: GUID.into(),
            directory_id: GUID.into(),
        });
        let dynamics = Dynamics {
            instance_url: url.into(),
            authentication: Some(entra),
        };
        LeadDestination {
            destination: Some(Destination::Dynamics(dynamics)),
            contact_emails: Vec::new(),
        }
    };
    let told = LeadDestination {
        contact_emails: vec!["a@b.example".into()],
        ..at("https://a.example")
    };
    assert!(
        told.shares_secret_with(&at("https://a.example")),
        "who else is told is no matter of the secret"
    );
    assert!(!at("https://evil.example").shares_secret_with(&at("https://a.example")));
    let table = LeadDestination {
        destination: Some(Destination::Table(Table {})),
        ..LeadDestination::default()
    };
    assert!(
        !table.shares_secret_with(&at("https://a.example"))
            && !LeadDestination::default().shares_secret_with(&table)
    );
}

#[test]
fn properties_page() {
    fn amendments(draft: &mut Draft, count: usize, tenants: usize) {
        let amendment = CustomAmendment {
            text: "also".into(),
            tenant_ids: (0..tenants as u128)
                .map(|at| uuid::Uuid::from_u128(at).to_string())
                .collect(),
        };
        let contract = StandardContract {
            universal_amendment: "u".repeat(100_000),
            custom_amendments: vec![amendment; count],
        };
        properties(draft).legal = Some(LegalTerms::Standard(contract));
    }
    fn text(draft: &mut Draft, length: usize) {
        let source = Some(TermsSource::Text("t".repeat(length)));
        properties(draft).legal = Some(LegalTerms::Custom(CustomTerms { source }));
    }
    let rows: &[Row] = &[
        (
            "PR-1 none",
            |d| properties(d).categories.clear(),
            &["properties categories REQUIRED"],
        ),
        (
            "PR-1 above",
            |d| {
                properties(d).categories =
                    vec![category("sales"), category("finance"), category("media")]
            },
            &["properties categories TOO_MANY"],
        ),
        (
            "PR-1 unknown",
            |d| properties(d).categories = vec![category("cats")],
            &["properties categories[0].category UNKNOWN_VALUE"],
        ),
        (
            "PR-1 twins",
            |d| properties(d).categories = vec![category("sales"); 2],
            &["properties categories[1].category DUPLICATE"],
        ),
        (
            "PR-1 subcategories above",
            |d| {
                properties(d).categories[0].subcategories =
                    ["blogs", "gamification", "email-management"]
                        .map(Into::into)
                        .into();
            },
            &["properties categories[0].subcategories TOO_MANY"],
        ),
        (
            "PR-1 of another category",
            |d| properties(d).categories[0].subcategories = vec!["accounting".into()],
            &["properties categories[0].subcategories[0] UNKNOWN_VALUE"],
        ),
        (
            "PR-1 twins among subcategories",
            |d| properties(d).categories[0].subcategories = vec!["blogs".into(); 2],
            &["properties categories[0].subcategories[1] DUPLICATE"],
        ),
        (
            "PR-2 at the limits",
            |d| {
                let one = &mut properties(d).industries[0];
                one.sub_industries.push("libraries-and-museums".into());
                let other = IndustryChoice {
                    industry: "government".into(),
                    sub_industries: vec!["civilian-government".into()],
                };
                properties(d).industries.push(other);
            },
            &[],
        ),
        (
            "PR-2 sub-industries above",
            |d| {
                properties(d).industries[0].sub_industries = [
                    "higher-education",
                    "primary-and-secondary-education",
                    "libraries-and-museums",
                ]
                .map(Into::into)
                .into();
            },
            &["properties industries[0].sub_industries TOO_MANY"],
        ),
        ("PR-2 none", |d| properties(d).industries.clear(), &[]),
        (
            "PR-2 above",
            |d| {
                let one = properties(d).industries[0].clone();
                let other = |id: &str, sub: &str| IndustryChoice {
                    industry: id.into(),
                    sub_industries: vec![sub.into()],
                };
                properties(d).industries = vec![
                    one,
                    other("government", "civilian-government"),
                    other("automotive", "dealers"),
                ];
            },
            &["properties industries TOO_MANY"],
        ),
        (
            "PR-2 without a sub-industry",
            |d| properties(d).industries[0].sub_industries.clear(),
            &["properties industries[0].sub_industries TOO_FEW"],
        ),
        ("PR-3 optional", |d| properties(d).app_version.clear(), &[]),
        (
            "PR-4 required",
            |d| properties(d).legal = None,
            &["properties legal REQUIRED"],
        ),
        (
            "PR-4 custom needs something",
            |d| properties(d).legal = Some(LegalTerms::Custom(CustomTerms::default())),
            &["properties legal.custom REQUIRED"],
        ),
        ("PR-4 text at the limit", |d| text(d, 10_000), &[]),
        (
            "PR-4 text above",
            |d| text(d, 10_001),
            &["properties legal.custom.text TOO_LONG"],
        ),
        ("PR-5 at the limits", |d| amendments(d, 10, 1), &[]),
        (
            "PR-5 amendments above",
            |d| amendments(d, 11, 1),
            &["properties legal.standard.custom_amendments TOO_MANY"],
        ),
        ("PR-5 tenants at the limit", |d| amendments(d, 1, 20), &[]),
        (
            "PR-5 twins among tenants",
            |d| {
                amendments(d, 1, 0);
                if let Some(LegalTerms::Standard(contract)) = &mut properties(d).legal {
                    contract.custom_amendments[0].tenant_ids = vec![GUID.into(); 2];
                }
            },
            &["properties legal.standard.custom_amendments[0].tenant_ids[1] DUPLICATE"],
        ),
        (
            "PR-5 tenants above",
            |d| amendments(d, 1, 21),
            &["properties legal.standard.custom_amendments[0].tenant_ids TOO_MANY"],
        ),
        (
            "PR-5 tenants below",
            |d| amendments(d, 1, 0),
            &["properties legal.standard.custom_amendments[0].tenant_ids TOO_FEW"],
        ),
    ];
    check_all(samples::saas, rows);
}

#[test]
fn preview_audience_page() {
    fn members(draft: &mut Draft, ids: impl IntoIterator<Item = String>) {
        let member = |id| AudienceMember {
            kind: AudienceIdKind::Email,
            id,
            label: String::new(),
        };
        draft.pages.preview_audience = Some(PreviewAudience {
            members: ids.into_iter().map(member).collect(),
        });
    }
    fn own(count: usize) -> impl Iterator<Item = String> {
        (0..count).map(|at| format!("t{at}@contoso.example"))
    }
    let rows: &[Row] = &[
        (
            "PA-1 none",
            |d| members(d, own(0)),
            &["preview_audience members TOO_FEW"],
        ),
        ("PA-1 at the limit", |d| members(d, own(20)), &[]),
        (
            "PA-1 above",
            |d| members(d, own(21)),
            &["preview_audience members TOO_MANY"],
        ),
        (
            "PA-1 no address",
            |d| members(d, ["me".to_owned()]),
            &["preview_audience members[0].id BAD_EMAIL"],
        ),
        (
            "PA-3 twins",
            |d| members(d, ["a@contoso.example".into(), "A@contoso.example".into()]),
            &["preview_audience members[1].id DUPLICATE"],
        ),
        (
            "PA-3 at the limits",
            |d| {
                members(d, [format!("{}@contoso.example", "m".repeat(34))]);
                d.pages.preview_audience.as_mut().unwrap().members[0].label = "l".repeat(1_000);
            },
            &[],
        ),
        (
            "PA-3 id",
            |d| members(d, [format!("{}@contoso.example", "m".repeat(35))]),
            &["preview_audience members[0].id TOO_LONG"],
        ),
        (
            "PA-3 label",
            |d| d.pages.preview_audience.as_mut().unwrap().members[0].label = "l".repeat(1_001),
            &["preview_audience members[0].label TOO_LONG"],
        ),
        (
            "PA-1 kinds",
            |d| {
                let member = &mut d.pages.preview_audience.as_mut().unwrap().members[0];
                (member.kind, member.id) = (AudienceIdKind::Tenant, GUID.into());
            },
            &["preview_audience members[0].kind NOT_ALLOWED"],
        ),
        (
            "PV-6, AS-079 outsiders",
            |d| members(d, ["ann@fabrikam.example".into()]),
            &["preview_audience members[0].id OUTSIDE_DOMAIN"],
        ),
    ];
    check_all(samples::saas, rows);
    let listed = crate::domain::review(&samples::listed(), &Published::default());
    assert!(
        samples::listed().pages.preview_audience.is_none() && listed.complete,
        "PV-4: what isn't sold needs none"
    );
    let mut outside = samples::saas();
    members(&mut outside, ["ann@fabrikam.example".into()]);
    assert!(
        crate::domain::review(&outside, &Published::default()).complete,
        "AS-079: a warning doesn't block"
    );
    fn subscriptions(draft: &mut Draft, count: u128) {
        let id = |at| uuid::Uuid::from_u128(at).to_string();
        let member = |at| AudienceMember {
            kind: AudienceIdKind::Subscription,
            id: id(at),
            label: String::new(),
        };
        draft.pages.preview_audience = Some(PreviewAudience {
            members: (0..count).map(member).collect(),
        });
    }
    let rows: &[Row] = &[
        ("PA-2 at the limit", |d| subscriptions(d, 100), &[]),
        (
            "PA-2 above",
            |d| subscriptions(d, 101),
            &["preview_audience members TOO_MANY"],
        ),
    ];
    check_all(samples::container, rows);
}

#[test]
fn technical_configuration_page() {
    let rows: &[Row] = &[
        (
            "TC-1 required",
            |d| d.pages.technical_configuration = None,
            &[
                "technical_configuration landing_page_url REQUIRED",
                "technical_configuration webhook_url REQUIRED",
                "technical_configuration tenant_id REQUIRED",
                "technical_configuration application_id REQUIRED",
            ],
        ),
        (
            "TC-1 fragment",
            |d| technical(d).landing_page_url = "https://a.example/#x".into(),
            &["technical_configuration landing_page_url URL_FRAGMENT"],
        ),
        (
            "TC-1 https",
            |d| technical(d).webhook_url = "http://a.example".into(),
            &["technical_configuration webhook_url BAD_URL"],
        ),
        (
            "TC-1 GUID",
            |d| technical(d).tenant_id = "22222222222222222222222222222222".into(),
            &["technical_configuration tenant_id BAD_GUID"],
        ),
    ];
    check_all(samples::saas, rows);
    let others = |id: &str| Published {
        other_applications: [(id.into(), "publishers/contoso/offers/wiki".into())].into(),
        ..Published::default()
    };
    let other = crate::domain::review(&samples::saas(), &others(GUID));
    let [issue] = other.issues.as_slice() else {
        panic!("{:?}", other.issues);
    };
    assert_eq!(
        (issue.page, issue.field.as_str(), issue.code),
        (
            PageId::TechnicalConfiguration,
            "application_id",
            "OTHER_APPLICATION"
        ),
        "TC-2"
    );
    assert!(!other.complete);
    for told in [&issue.message, &issue.remedy] {
        assert!(told.contains("publishers/contoso/offers/wiki"), "{told}");
        assert!(told.contains(GUID), "{told}");
    }
    let foreign = Published {
        foreign_application_id: true,
        ..Published::default()
    };
    assert_eq!(
        issues(&samples::saas(), &foreign),
        ["technical_configuration application_id FOREIGN_APPLICATION"],
        "TC-2"
    );
    let same = others("22222222-2222-2222-2222-222222222222");
    check_against(samples::saas, &same, &[]);
}

#[test]
fn optional_pages() {
    fn resell(draft: &mut Draft, state: ResellerState, partners: &[&str]) {
        let partner_tenant_ids = partners.iter().map(|&id| id.to_owned()).collect();
        draft.pages.resell_through_csps = Some(ResellThroughCsps {
            state: Some(state),
            partner_tenant_ids,
        });
    }
    let rows: &[Row] = &[
        ("CS-1 none", |d| resell(d, ResellerState::None, &[]), &[]),
        (
            "CS-1 some needs one",
            |d| resell(d, ResellerState::Some, &[]),
            &[
                "resell_through_csps partner_tenant_ids TOO_FEW",
                "resell_through_csps state RECOMMENDED",
                "resell_through_csps state RECOMMENDED",
            ],
        ),
        (
            "CS-1 GUID",
            |d| resell(d, ResellerState::Some, &["x"]),
            &[
                "resell_through_csps partner_tenant_ids[0] BAD_GUID",
                "resell_through_csps state RECOMMENDED",
                "resell_through_csps state RECOMMENDED",
            ],
        ),
        (
            "CS-2 contact",
            |d| {
                d.pages.co_sell = Some(CoSell {
                    contacts: vec![Contact {
                        email: "x".into(),
                        ..Contact::default()
                    }],
                    documents: vec![],
                })
            },
            &["co_sell contacts[0].email BAD_EMAIL"],
        ),
        (
            "SU-1 required",
            |d| d.pages.supplemental_content = None,
            &["supplemental_content hosting REQUIRED"],
        ),
        (
            "SU-1 Azure names subscriptions",
            |d| {
                d.pages
                    .supplemental_content
                    .as_mut()
                    .unwrap()
                    .azure_subscription_ids
                    .clear()
            },
            &["supplemental_content azure_subscription_ids REQUIRED"],
        ),
        (
            "SU-1 elsewhere needs none",
            |d| {
                d.pages.supplemental_content = Some(SupplementalContent {
                    hosting: Some(Hosting::OtherCloud),
                    ..Default::default()
                })
            },
            &[],
        ),
    ];
    check_all(samples::saas, rows);
}
