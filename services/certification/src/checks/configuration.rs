//! What can be said of a technical configuration without network and without running anything (TV-P1).

use url::Url;

use super::{
    Found, Subject,
    links::is_public,
    subject::{Place, plan_place},
};
use crate::domain::{
    offer_type::Artifact,
    snapshot::{Container, ImageVersion, Plan, VirtualMachine},
};

/// Looks at what the type configures: endpoints, images, disks or packages.
pub fn configuration(subject: &Subject<'_>, found: &mut Found<'_>) {
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

/// Looks at one plan's configuration; the function names a field's place.
type Look = fn(&Plan, &dyn Fn(&str) -> Place, &mut Found<'_>);

fn each_plan(subject: &Subject<'_>, found: &mut Found<'_>, look: Look) {
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
        let is_digest = hex.len() == 64 && hex.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
        if !image.digest.is_empty() && !is_digest {
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
