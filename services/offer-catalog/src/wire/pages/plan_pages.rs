//! Listing and technical configuration of a plan on the wire.

use marketplace_proto::offercatalog::v1 as pb;
use marketplace_proto::offercatalog::v1::plan_technical_configuration_page::Configuration as Wire;

use super::{Reading, limits};
use crate::pages::{
    ContainerConfiguration, ContainerImage, ImageVersion, PackageConfiguration, PlanConfiguration,
    PlanListing, PlanTechnicalConfiguration, VirtualMachineConfiguration,
};

pub(super) fn read_listing(page: &pb::PlanListingPage) -> PlanListing {
    PlanListing {
        summary: page.summary.clone(),
        description: page.description.clone(),
    }
}

pub(super) fn write_listing(page: &PlanListing) -> pb::PlanListingPage {
    pb::PlanListingPage {
        summary: page.summary.clone(),
        description: page.description.clone(),
    }
}

pub(super) fn read_technical(
    page: &pb::PlanTechnicalConfigurationPage,
    reading: &mut Reading,
) -> PlanTechnicalConfiguration {
    let configuration = page
        .configuration
        .as_ref()
        .map(|configuration| match configuration {
            Wire::Container(container) => PlanConfiguration::Container(ContainerConfiguration {
                images: reading
                    .list("container.images", &container.images, limits::FEW)
                    .iter()
                    .map(read_image)
                    .collect(),
                bundle_reference: container.bundle_reference.clone(),
            }),
            Wire::Package(package) => PlanConfiguration::Package(PackageConfiguration {
                version: package.version.clone(),
                package: reading.asset("package.package", &package.package),
            }),
            Wire::VirtualMachine(machine) => {
                PlanConfiguration::VirtualMachine(VirtualMachineConfiguration {
                    os_family: machine.os_family.clone(),
                    os_vendor: machine.os_vendor.clone(),
                    recommended_sizes: reading.texts(
                        "virtual_machine.recommended_sizes",
                        &machine.recommended_sizes,
                        limits::FEW,
                    ),
                    image_versions: read_versions(&machine.image_versions, reading),
                })
            }
            Wire::ReusesPlan(plan) => PlanConfiguration::ReusesPlan(plan.clone()),
        });
    PlanTechnicalConfiguration { configuration }
}

pub(super) fn write_technical(
    page: &PlanTechnicalConfiguration,
) -> pb::PlanTechnicalConfigurationPage {
    let configuration = page
        .configuration
        .as_ref()
        .map(|configuration| match configuration {
            PlanConfiguration::Container(container) => {
                Wire::Container(pb::ContainerConfiguration {
                    images: container.images.iter().map(write_image).collect(),
                    bundle_reference: container.bundle_reference.clone(),
                })
            }
            PlanConfiguration::Package(package) => Wire::Package(pb::PackageConfiguration {
                version: package.version.clone(),
                package: package.package.clone(),
            }),
            PlanConfiguration::VirtualMachine(machine) => {
                Wire::VirtualMachine(pb::VirtualMachineConfiguration {
                    os_family: machine.os_family.clone(),
                    os_vendor: machine.os_vendor.clone(),
                    recommended_sizes: machine.recommended_sizes.clone(),
                    image_versions: machine.image_versions.iter().map(write_version).collect(),
                })
            }
            PlanConfiguration::ReusesPlan(plan) => Wire::ReusesPlan(plan.clone()),
        });
    pb::PlanTechnicalConfigurationPage { configuration }
}

fn read_image(image: &pb::ContainerImage) -> ContainerImage {
    ContainerImage {
        repository: image.repository.clone(),
        tag: image.tag.clone(),
        digest: image.digest.clone(),
    }
}

fn write_image(image: &ContainerImage) -> pb::ContainerImage {
    pb::ContainerImage {
        repository: image.repository.clone(),
        tag: image.tag.clone(),
        digest: image.digest.clone(),
    }
}

fn read_versions(images: &[pb::ImageVersion], reading: &mut Reading) -> Vec<ImageVersion> {
    const AT: &str = "virtual_machine.image_versions";
    let images = reading.list(AT, images, limits::VERSIONS);
    let read = images.iter().enumerate().map(|(at, image)| {
        let path = format!("{AT}[{at}].data_disks");
        ImageVersion {
            version: image.version.clone(),
            os_disk: image.os_disk.clone(),
            data_disks: reading.texts(&path, &image.data_disks, limits::FEW),
            active: image.active,
        }
    });
    read.collect()
}

fn write_version(image: &ImageVersion) -> pb::ImageVersion {
    pb::ImageVersion {
        version: image.version.clone(),
        os_disk: image.os_disk.clone(),
        data_disks: image.data_disks.clone(),
        active: image.active,
    }
}
