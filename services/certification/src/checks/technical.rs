//! Level 3: what can be said of the technical configuration without network and without running anything (TV-P1), and
//! the items that a person carries out by their script (domain rules §5.3).

use url::Url;

use super::{
    Check, Found, Subject, automatic,
    links::is_public,
    manual,
    subject::{Place, plan_place},
};
use crate::domain::{
    Level,
    offer_type::Artifact,
    snapshot::{Container, ImageVersion, Plan, VirtualMachine},
};

pub const CHECKS: &[Check] = &[
    automatic(
        ("TV-P1", 1),
        (Level::Technical, "100.12"),
        "Technical configuration is well formed",
        is_technical,
        configuration,
    ),
    manual(
        ("TV-P1-M", 1),
        (Level::Technical, "100.11"),
        "Endpoints and artifacts can be fetched and are whole",
        is_technical,
        fetched,
    ),
    manual(
        ("TV-P2-M", 1),
        (Level::Technical, "200.6"),
        "Virtual machine image passes the self-test",
        is_vm,
        |_| {
            "Needs a virtual machine: nothing here boots one. Ask for the self-test tool's result ({TestResult, Tests:[{TestID, \
         TestCaseName, Description, Result, ActualValue, RequiredValue}]}) for each active image: every test has Passed. It covers \
         the disk format (TV-P2) and the Linux or Windows requirements (TV-P3, TV-P4)."
            .to_owned()
        },
    ),
    manual(
        ("TV-P5-M", 1),
        (Level::Technical, "100.11"),
        "Dependencies have no known exploited vulnerability",
        has_artifact,
        |_| {
            "Needs the artifact and a vulnerability database, which automatic checks of this version don't fetch. List the \
         dependencies (SBOM) of each artifact; a known exploited vulnerability fails it, a high one is noted."
            .to_owned()
        },
    ),
    manual(
        ("TV-M1-M", 1),
        (Level::Technical, "100.11"),
        "Artifacts hold no malware",
        has_artifact,
        |_| {
            "Needs the artifact and a scanner, which automatic checks of this version don't fetch. Scan every file with \
         signatures of at most 24 hours of age, archives to a depth of five; a hit or an encrypted archive fails it (TV-M1, TV-M2)."
            .to_owned()
        },
    ),
    manual(
        ("TV-N1-M", 1),
        (Level::Technical, "100.11"),
        "Network calls are those that are declared",
        has_artifact,
        |_| {
            "Needs a run in a sandbox. Record DNS, TCP and TLS: destinations that neither listing nor notes declare are noted; \
         plaintext credentials, calls of the metadata service or of other tenants fail it (TV-N1, TV-N2)."
            .to_owned()
        },
    ),
    manual(
        ("TV-F1-M", 1),
        (Level::Technical, "1000.4"),
        "Landing page and webhook do their work",
        is_sold_service,
        |s| {
            let page = &s.snapshot.pages.technical_configuration;
            format!(
                "Needs the network. (1) {} answers 200 to ?token=…, without #. (2) {} answers 2xx to a signed test event and 401 or 403 to an unsigned one. (3) Resolve, activate and unsubscribe a test purchase (1000.3, 1000.4, 1000.6).",
                page.landing_page_url, page.webhook_url
            )
        },
    ),
    manual(
        ("TV-F2-M", 1),
        (Level::Technical, "100.12"),
        "Deploys from each plan",
        has_artifact,
        |s| {
            let plans: Vec<&str> = s.plans().map(|plan| plan.plan_id.as_str()).collect();
            format!(
                "Needs a deployment. For each plan ({}): deploy, start, see that it is healthy within its time, use what the listing names, delete it cleanly. Record each result.",
                plans.join(", ")
            )
        },
    ),
    manual(
        ("TV-F3-M", 1),
        (Level::Technical, "100.14"),
        "Functions in the notes were exercised",
        is_technical,
        |s| {
            format!(
                "Needs a person at the product. Follow the publisher's notes step by step and record what was seen. Notes: {}",
                s.notes
            )
        },
    ),
    manual(
        ("TV-X1-M", 1),
        (Level::Technical, "100.12"),
        "Works on every platform and version it names",
        is_technical,
        |s| {
            let cells = match s.artifact() {
                Artifact::VirtualMachine => "generation 1 and 2, two sizes, two disk types",
                Artifact::Container => "two Kubernetes versions",
                Artifact::Service => "two browsers, on a desktop and on a phone",
                Artifact::AzureApplication | Artifact::Package | Artifact::None => {
                    "each product version that the listing names"
                }
            };
            format!(
                "Needs several platforms. Repeat the functional test over {cells}; a cell that fails, and isn't declared unsupported, fails it."
            )
        },
    ),
];

fn is_technical(subject: &Subject<'_>) -> bool {
    match subject.artifact() {
        // A service that is only listed has no technical configuration (§4.2), but is still tried out.
        Artifact::Service
        | Artifact::VirtualMachine
        | Artifact::AzureApplication
        | Artifact::Container
        | Artifact::Package => true,
        Artifact::None => false,
    }
}

fn has_artifact(subject: &Subject<'_>) -> bool {
    is_technical(subject) && subject.artifact() != Artifact::Service
}

fn is_vm(subject: &Subject<'_>) -> bool {
    subject.artifact() == Artifact::VirtualMachine
}

fn is_sold_service(subject: &Subject<'_>) -> bool {
    subject.artifact() == Artifact::Service && subject.transactable
}

fn fetched(subject: &Subject<'_>) -> String {
    let what = match subject.artifact() {
        Artifact::Service => {
            "Connect to landing page, webhook and the links of the call to action: TLS is valid and unexpired."
        }
        Artifact::Container => {
            "Pull every image by its digest from its registry: it resolves without credentials and its manifest is whole."
        }
        Artifact::VirtualMachine => {
            "Read every disk: the SAS is valid for three weeks more, or the gallery image is shared."
        }
        Artifact::AzureApplication => {
            "Open every package: mainTemplate.json and createUiDefinition.json lie at its root and parse (300.2); the template toolkit passes (300.4)."
        }
        Artifact::Package | Artifact::None => {
            "Open every package: it has the file type of its product and can be read."
        }
    };
    format!("Needs the network. {what}")
}

fn configuration(subject: &Subject<'_>, found: &mut Found<'_>) {
    match subject.artifact() {
        Artifact::Service if subject.transactable => service(subject, found),
        Artifact::Container => each_plan(subject, found, container),
        Artifact::VirtualMachine => each_plan(subject, found, virtual_machine),
        Artifact::AzureApplication => each_plan(subject, found, package),
        Artifact::Service | Artifact::Package | Artifact::None => {}
    }
}

/// TC-1: landing page, webhook, tenant and application.
fn service(subject: &Subject<'_>, found: &mut Found<'_>) {
    let page = &subject.snapshot.pages.technical_configuration;
    let at = |field: &str| Place::from(("technical_configuration", field));
    for (field, url) in [
        ("landing_page_url", &page.landing_page_url),
        ("webhook_url", &page.webhook_url),
    ] {
        let parsed = Url::parse(url).ok();
        match &parsed {
            Some(parsed) if parsed.scheme() == "https" && parsed.host().is_some_and(is_public) => {}
            _ => found.fail_under(
                "1000.4",
                "ENDPOINT_URL",
                at(field),
                url,
                "Give a public https address.",
            ),
        }
        if field == "landing_page_url" && parsed.is_some_and(|parsed| parsed.fragment().is_some()) {
            let remedy = "Take the # and what follows out of the address: the purchase token is appended to it.";
            found.fail_under("1000.6", "LANDING_PAGE_FRAGMENT", at(field), url, remedy);
        }
    }
    for (field, id) in [
        ("tenant_id", &page.tenant_id),
        ("application_id", &page.application_id),
    ] {
        if uuid::Uuid::try_parse(id).map_or(true, |id| id.is_nil()) {
            found.fail_under(
                "1000.3",
                "ENTRA_ID",
                at(field),
                id,
                "Give the GUID as Microsoft Entra shows it.",
            );
        }
    }
}

fn each_plan(
    subject: &Subject<'_>,
    found: &mut Found<'_>,
    look: fn(&Plan, &dyn Fn(&str) -> Place, &mut Found<'_>),
) {
    for plan in subject.plans() {
        let technical = &plan.pages.plan_technical_configuration;
        let at = |field: &str| plan_place(plan, "plan_technical_configuration", field);
        let reused = &technical.reuses_plan;
        if reused.is_empty() {
            look(plan, &at, found);
        } else if !subject
            .snapshot
            .plans
            .iter()
            .any(|other| other.plan_id == *reused && other.plan_id != plan.plan_id)
        {
            let remedy = "Choose a plan of this offer, or give a configuration of its own.";
            found.fail("REUSED_PLAN_MISSING", at("reuses_plan"), reused, remedy);
        }
    }
}

/// TC-6: one to sixteen images by tag, or a bundle.
fn container(plan: &Plan, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    let Some(Container {
        images,
        bundle_reference,
    }) = &plan.pages.plan_technical_configuration.container
    else {
        found.fail(
            "CONTAINER_MISSING",
            at("container"),
            "no images and no bundle",
            "Name the images of this plan, or its bundle.",
        );
        return;
    };
    if images.is_empty() && bundle_reference.trim().is_empty() {
        found.fail(
            "CONTAINER_MISSING",
            at("container"),
            "no images and no bundle",
            "Name the images of this plan, or its bundle.",
        );
    }
    if images.len() > 16 {
        let evidence = format!("{} images", images.len());
        found.fail(
            "IMAGES_TOO_MANY",
            at("container.images"),
            evidence,
            "Keep at most sixteen images.",
        );
    }
    for (n, image) in images.iter().enumerate() {
        let at = |field: &str| at(&format!("container.images[{n}].{field}"));
        let lower = |c: char| {
            c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-' | '/' | ':')
        };
        if image.repository.is_empty()
            || !image.repository.chars().all(lower)
            || image.repository.contains("//")
        {
            let remedy = "Write the repository as registry/name, in lower case.";
            found.fail(
                "IMAGE_REPOSITORY",
                at("repository"),
                &image.repository,
                remedy,
            );
        }
        let in_tag = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if image.tag.is_empty()
            || image.tag.len() > 128
            || !image.tag.chars().all(in_tag)
            || image.tag.starts_with(['.', '-'])
        {
            found.fail(
                "IMAGE_TAG",
                at("tag"),
                &image.tag,
                "Name a tag: letters, digits, point, dash, at most 128.",
            );
        }
        if image.tag == "latest" && image.digest.is_empty() {
            let remedy = "Name a fixed tag or a digest: what is certified must be what is run.";
            found.warn("IMAGE_LATEST", at("tag"), "latest", remedy);
        }
        let hex = image.digest.strip_prefix("sha256:").unwrap_or_default();
        if !image.digest.is_empty()
            && !(hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')))
        {
            found.fail(
                "IMAGE_DIGEST",
                at("digest"),
                &image.digest,
                "Write the digest as sha256: and 64 hexadecimal digits.",
            );
        }
    }
}

/// TC-3: versions n.n.n, at least one active, a constant number of at most sixteen data disks.
fn virtual_machine(plan: &Plan, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    let missing = |versions: &[ImageVersion]| !versions.iter().any(|version| version.active);
    let Some(VirtualMachine {
        image_versions: versions,
        ..
    }) = plan
        .pages
        .plan_technical_configuration
        .virtual_machine
        .as_ref()
        .filter(|vm| !missing(&vm.image_versions))
    else {
        let remedy = "Add an active image version.";
        found.fail_under(
            "200.1",
            "ACTIVE_IMAGE_MISSING",
            at("virtual_machine.image_versions"),
            "no active image",
            remedy,
        );
        return;
    };
    for (n, version) in versions.iter().enumerate() {
        let at = |field: &str| at(&format!("virtual_machine.image_versions[{n}].{field}"));
        let numbers: Vec<&str> = version.version.split('.').collect();
        if numbers.len() != 3
            || numbers
                .iter()
                .any(|number| number.is_empty() || !number.bytes().all(|c| c.is_ascii_digit()))
        {
            found.fail_under(
                "200.1",
                "IMAGE_VERSION",
                at("version"),
                &version.version,
                "Write the version as n.n.n.",
            );
        }
        if version.os_disk.trim().is_empty() {
            found.fail_under(
                "200.1",
                "OS_DISK_MISSING",
                at("os_disk"),
                "no disk",
                "Name the disk by gallery id or SAS URL.",
            );
        }
        if version.data_disks.len() > 16 || version.data_disks.len() != versions[0].data_disks.len()
        {
            let evidence = format!(
                "{} data disks, {} in the first version",
                version.data_disks.len(),
                versions[0].data_disks.len()
            );
            let remedy = "Keep the number of data disks the same in all versions, sixteen at most.";
            found.fail_under("200.1", "DATA_DISKS", at("data_disks"), evidence, remedy);
        }
    }
}

/// TC-5: a version and a package.
fn package(plan: &Plan, at: &dyn Fn(&str) -> Place, found: &mut Found<'_>) {
    let package = plan.pages.plan_technical_configuration.package.as_ref();
    if package.is_none_or(|package| package.package.is_empty()) {
        found.fail_under(
            "300.2",
            "PACKAGE_MISSING",
            at("package.package"),
            "no package",
            "Upload the package of this plan.",
        );
    }
    if package.is_none_or(|package| package.version.trim().is_empty()) {
        found.fail_under(
            "300.2",
            "PACKAGE_VERSION_MISSING",
            at("package.version"),
            "no version",
            "Give the package a version.",
        );
    }
}
