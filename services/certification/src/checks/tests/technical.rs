//! TV-P1, and which manual items a type has.

use super::{Extent, Outcome, Row, each_is_found, each_passes, offer::Offer};
use crate::domain::snapshot::{
    Container, ContainerImage, ImageVersion, Package, PlanTechnical, VirtualMachine,
};

fn image(tag: &str, digest: &str) -> ContainerImage {
    ContainerImage {
        repository: "docker.io/library/postgres".into(),
        tag: tag.into(),
        digest: digest.into(),
    }
}

fn each_plan(offer: &mut Offer, offer_type: &str, technical: &PlanTechnical) {
    offer.snapshot.offer.offer_type = offer_type.into();
    offer
        .snapshot
        .plans
        .iter_mut()
        .for_each(|plan| plan.pages.plan_technical_configuration = technical.clone());
}

fn container(offer: &mut Offer, images: Vec<ContainerImage>) {
    let container = Some(Container {
        images,
        bundle_reference: String::new(),
    });
    each_plan(
        offer,
        "azureContainer",
        &PlanTechnical {
            container,
            ..PlanTechnical::default()
        },
    );
}

fn machine(offer: &mut Offer, versions: Vec<ImageVersion>) {
    let virtual_machine = Some(VirtualMachine {
        image_versions: versions,
        ..VirtualMachine::default()
    });
    each_plan(
        offer,
        "azureVirtualMachine",
        &PlanTechnical {
            virtual_machine,
            ..PlanTechnical::default()
        },
    );
}

fn version(version: &str, disks: usize) -> ImageVersion {
    ImageVersion {
        version: version.into(),
        os_disk: "gallery/x".into(),
        data_disks: vec!["d".into(); disks],
        active: true,
    }
}

#[test]
fn technical_configurations_that_cannot_work_are_found_tv_p1() {
    let rows: &[Row] = &[
        ("TV-P1", "ENDPOINT_URL", |o| {
            o.snapshot.pages.technical_configuration.webhook_url = "http://contoso.com".into()
        }),
        ("TV-P1", "ENDPOINT_URL", |o| {
            o.snapshot.pages.technical_configuration.landing_page_url = "https://127.0.0.1/".into()
        }),
        ("TV-P1", "LANDING_PAGE_FRAGMENT", |o| {
            o.snapshot
                .pages
                .technical_configuration
                .landing_page_url
                .push_str("#/app")
        }),
        ("TV-P1", "ENTRA_ID", |o| {
            o.snapshot.pages.technical_configuration.tenant_id = "contoso".into()
        }),
        ("TV-P1", "ENTRA_ID", |o| {
            o.snapshot.pages.technical_configuration.application_id = uuid::Uuid::nil().to_string()
        }),
        ("TV-P1", "CONTAINER_MISSING", |o| container(o, vec![])),
        ("TV-P1", "IMAGES_TOO_MANY", |o| {
            container(o, vec![image("16", ""); 17])
        }),
        ("TV-P1", "IMAGE_TAG", |o| {
            container(o, vec![image("a tag", "")])
        }),
        ("TV-P1", "IMAGE_LATEST", |o| {
            container(o, vec![image("latest", "")])
        }),
        ("TV-P1", "IMAGE_DIGEST", |o| {
            container(o, vec![image("16", "sha256:12")])
        }),
        ("TV-P1", "IMAGE_REPOSITORY", |o| {
            container(
                o,
                vec![ContainerImage {
                    repository: "Docker.io/Postgres".into(),
                    ..image("16", "")
                }],
            );
        }),
        ("TV-P1", "REUSED_PLAN_MISSING", |o| {
            container(o, vec![image("16", "")]);
            o.snapshot.plans[0]
                .pages
                .plan_technical_configuration
                .reuses_plan = "silver".into();
        }),
        ("TV-P1", "ACTIVE_IMAGE_MISSING", |o| machine(o, vec![])),
        ("TV-P1", "IMAGE_VERSION", |o| {
            machine(o, vec![version("1.0", 0)])
        }),
        ("TV-P1", "OS_DISK_MISSING", |o| {
            machine(
                o,
                vec![ImageVersion {
                    os_disk: String::new(),
                    ..version("1.0.0", 0)
                }],
            )
        }),
        ("TV-P1", "DATA_DISKS", |o| {
            machine(o, vec![version("1.0.0", 1), version("1.0.1", 2)])
        }),
        ("TV-P1", "PACKAGE_MISSING", |o| {
            each_plan(o, "azureApplication", &PlanTechnical::default())
        }),
        ("TV-P1", "PACKAGE_VERSION_MISSING", |o| {
            let package = Some(Package {
                version: String::new(),
                package: "x".into(),
            });
            each_plan(
                o,
                "azureApplication",
                &PlanTechnical {
                    package,
                    ..PlanTechnical::default()
                },
            );
        }),
    ];
    each_is_found(rows);
    each_passes(&[
        ("TV-P1", |o| {
            container(
                o,
                vec![
                    image("16.4", ""),
                    image("latest", &format!("sha256:{}", "a".repeat(64))),
                ],
            )
        }),
        ("TV-P1", |o| {
            machine(o, vec![version("1.0.0", 2), version("1.0.1", 2)])
        }),
        ("TV-P1", |o| {
            container(o, vec![image("16.4", "")]);
            let second = &mut o.snapshot.plans[1].pages.plan_technical_configuration;
            *second = PlanTechnical {
                reuses_plan: "basic".into(),
                ..PlanTechnical::default()
            };
        }),
        ("TV-P1", |o| o.transactable = false),
    ]);
}

#[test]
fn a_type_has_the_manual_items_of_its_artifact() {
    let pending = |offer: &Offer| -> Vec<String> {
        let results = offer.run(Extent::Certification).into_iter();
        results
            .filter(|r| r.outcome == Outcome::Pending && r.check.starts_with("TV-"))
            .map(|r| r.check)
            .collect()
    };
    let mut offer = Offer::good();
    offer.transactable = false;
    assert_eq!(
        pending(&offer),
        ["TV-P1-M", "TV-F3-M", "TV-X1-M"],
        "a service that is only listed"
    );
    container(&mut offer, vec![image("16", "")]);
    assert_eq!(
        pending(&offer),
        [
            "TV-P1-M", "TV-P5-M", "TV-M1-M", "TV-N1-M", "TV-F2-M", "TV-F3-M", "TV-X1-M"
        ]
    );
    machine(&mut offer, vec![version("1.0.0", 0)]);
    assert!(
        pending(&offer).contains(&"TV-P2-M".to_owned()),
        "the self-test of a virtual machine"
    );
    offer.snapshot.offer.offer_type = "consultingService".into();
    assert_eq!(pending(&offer), [] as [&str; 0], "nothing runs");
}
